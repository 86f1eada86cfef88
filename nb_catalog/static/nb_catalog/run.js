"use strict";
/* Updates the parts of a run's page until the run is done. */
{
    const form = document.getElementById("nbc-run");
    const status = document.getElementById("nbc-status");

    let skipped = false;

    const update = (name, html) => {
        const place = form.querySelector(`[data-part="${name}"]`);
        if (place.dataset.shown === html) {
            return;
        }
        /* The user is about to press a button or types a budget: update it next time. */
        if (place.contains(document.activeElement) || place.querySelector("details[open]")) {
            skipped = true;
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

    const look = async () => {
        const response = await fetch(form.dataset.url, {
            credentials: "same-origin", headers: { Accept: "application/json" },
        });
        if (!response.ok) {
            throw new Error(String(response.status));
        }
        const data = await response.json();
        skipped = false;
        for (const [name, html] of Object.entries(data.parts)) {
            update(name, html);
        }
        say(data.sentence);
        document.title = document.title.replace(/^[^|]*/, () => `${data.title} `);
        form.dataset.done = data.done ? "yes" : "no";
        return data.done;
    };

    const lost = (isLost) => {
        if (isLost) {
            say(form.dataset.lost);
        }
        status.classList.toggle("visually-hidden", !isLost);
    };

    /* An event may have been the last one. */
    const catchUp = () => {
        if (skipped) {
            setTimeout(() => look().catch(() => {}), 200);
        }
    };

    if (form !== null && form.dataset.done === "no") {
        form.addEventListener("focusout", catchUp);
        form.addEventListener("toggle", catchUp, true);
        window.nbcWatch({ events: form.dataset.events, look, poll: look, lost });
    }
}
