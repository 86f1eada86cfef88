"use strict";
/* Renews the pieces of a run's page until nothing is left to be made. */
{
    const EVERY = 1500;
    const form = document.getElementById("nbc-run");
    const status = document.getElementById("nbc-status");
    let failures = 0;

    const renew = (name, html) => {
        const place = form.querySelector(`[data-part="${name}"]`);
        if (place.dataset.shown === html) {
            return;
        }
        /* Somebody is about to press a button or types a budget: it waits for the next time. */
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

    const look = async () => {
        let done = false;
        try {
            const answer = await fetch(form.dataset.url, {
                credentials: "same-origin", headers: { Accept: "application/json" },
            });
            if (!answer.ok) {
                throw new Error(String(answer.status));
            }
            const news = await answer.json();
            for (const [name, html] of Object.entries(news.parts)) {
                renew(name, html);
            }
            say(news.sentence);
            form.dataset.done = news.done ? "yes" : "no";
            done = news.done;
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
            setTimeout(look, EVERY * Math.min(1 + failures, 10));
        }
    };

    if (form !== null && form.dataset.done === "no") {
        setTimeout(look, EVERY);
    }
}
