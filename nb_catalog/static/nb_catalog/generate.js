"use strict";
/* Updates the plan with the form. Without JavaScript, "Update plan" does the same. */
{
    const WAIT = 250;
    const form = document.getElementById("nbc-generate");
    const plan = document.getElementById("nbc-plan");
    const start = document.getElementById("nbc-start");
    const update = document.getElementById("nbc-update");
    const sent = document.getElementById("nbc-sent");
    const showSent = document.getElementById("nbc-show-sent");
    const live = form !== null && form.dataset.live === "yes";
    /* After some minutes without a worker, "Update plan" remains. */
    const FIRST_PAUSE = 4000;
    const LONGEST_PAUSE = 120000;
    let timer = 0;
    let looking = 0;
    let pause = FIRST_PAUSE;
    let underway = null;

    const isComplete = () => form.dataset.needs.split(" ").every(
        (name) => form.querySelector(`[name=${name}]:checked`) !== null);

    const say = (sentence) => {
        const line = document.createElement("p");
        line.textContent = sentence;
        plan.replaceChildren(line);
    };

    const settle = () => {
        const mark = plan.querySelector("[data-can-start]");
        start.disabled = !mark || mark.dataset.canStart !== "yes";
        plan.setAttribute("aria-busy", "false");
        /* Photos are being cut out: their results come by themselves. */
        clearTimeout(looking);
        const waits = plan.querySelector("[data-looking]") !== null && document.visibilityState === "visible";
        if (live && waits && pause <= LONGEST_PAUSE) {
            looking = setTimeout(updatePlan, pause);
            pause *= 1.5;
        }
    };

    const updatePlan = async () => {
        if (underway) {
            underway.abort();
        }
        underway = new AbortController();
        plan.setAttribute("aria-busy", "true");
        start.disabled = true;
        try {
            const response = await fetch(form.dataset.planUrl, {
                method: "POST", body: new FormData(form), signal: underway.signal,
                credentials: "same-origin",
            });
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            plan.innerHTML = await response.text();
        } catch (error) {
            if (error.name === "AbortError") {
                return;
            }
            say(form.dataset.failed);
        }
        settle();
    };

    /* Shows the requests as they would be sent. */
    const show = async () => {
        sent.setAttribute("aria-busy", "true");
        try {
            const response = await fetch(form.dataset.sentUrl, {
                method: "POST", body: new FormData(form), credentials: "same-origin",
            });
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            sent.innerHTML = await response.text();
            sent.querySelector(".nbc-sent").focus();
        } catch {
            sent.textContent = form.dataset.failed;
        }
        sent.setAttribute("aria-busy", "false");
    };

    /* Disables treatments, ratios and batches that the selected tier does not support. */
    const restrict = (name, possible) => {
        let lost = false;
        for (const choice of form.elements[name]) {
            choice.disabled = !possible.includes(choice.value);
            lost = lost || (choice.checked && choice.disabled);
        }
        if (lost) {
            const first = [...form.elements[name]].find((choice) => !choice.disabled);
            if (first) {
                first.checked = true;
            }
        }
    };

    const offer = () => {
        const tier = form.querySelector("[name=tier]:checked");
        if (!tier || !tier.dataset.treatments) {
            return;
        }
        restrict("treatment", tier.dataset.treatments.split(" "));
        restrict("ratio", tier.dataset.ratios.split(" "));
        restrict("mode", tier.dataset.modes.split(" "));
        for (const name of ["treatment", "mode"]) {
            document.getElementById(`nbc-${name}-help`).hidden =
                form.querySelector(`[name=${name}]:disabled`) === null;
        }
    };

    const changed = () => {
        pause = FIRST_PAUSE;
        offer();
        clearTimeout(timer);
        if (!isComplete()) {
            if (underway) {
                underway.abort();
            }
            say(form.dataset.nothing);
            settle();
        } else if (live) {
            timer = setTimeout(updatePlan, WAIT);
        }
    };

    if (form !== null) {
        form.addEventListener("input", changed);
        form.addEventListener("submit", (event) => {
            if (showSent !== null && event.submitter === showSent) {
                event.preventDefault();
                show();
                return;
            }
            /* Some buttons change the form itself, which the server does. */
            const reloads = event.submitter !== null && "reloads" in event.submitter.dataset;
            if (event.submitter !== start && !reloads) {
                event.preventDefault();
                clearTimeout(timer);
                updatePlan();
                return;
            }
            /* Deferred until the browser has collected the form, including the button's value. */
            setTimeout(() => { start.disabled = true; });
        });
        window.addEventListener("pageshow", (event) => {
            if (event.persisted) {
                changed();
            }
        });
        update.hidden = live;
        offer();
        settle();
        if (live && isComplete() &&
            plan.querySelector(".nbc-figures") === null) {
            updatePlan();
        }
    }
}
