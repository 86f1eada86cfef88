"use strict";
/* Updates the parts of a run's page until the run is done. */
{
    const EVERY = 1500;
    const form = document.getElementById("nbc-run");
    const status = document.getElementById("nbc-status");
    let failures = 0;

    const update = (name, html) => {
        const place = form.querySelector(`[data-part="${name}"]`);
        if (place.dataset.shown === html) {
            return;
        }
        /* The user is about to press a button or types a budget: update it next time. */
        if (place.contains(document.activeElement) || place.querySelector("details[open]")) {
            return;
        }
        place.innerHTML = html;
        place.dataset.shown = html;
    };

    const say = (sentence) => {
        if (status.textContent !== sentence) {
            status.textContent = sentence;
        }
    };

    const poll = async () => {
        let done = false;
        try {
            const response = await fetch(form.dataset.url, {
                credentials: "same-origin", headers: { Accept: "application/json" },
            });
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            const data = await response.json();
            for (const [name, html] of Object.entries(data.parts)) {
                update(name, html);
            }
            say(data.sentence);
            form.dataset.done = data.done ? "yes" : "no";
            done = data.done;
            failures = 0;
        } catch {
            failures += 1;
            say(form.dataset.lost);
            status.classList.toggle("visually-hidden", failures < 3);
        }
        if (failures === 0) {
            status.classList.add("visually-hidden");
        }
        if (!done) {
            setTimeout(poll, EVERY * Math.min(1 + failures, 10));
        }
    };

    if (form !== null && form.dataset.done === "no") {
        setTimeout(poll, EVERY);
    }
}
