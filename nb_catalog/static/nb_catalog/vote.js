"use strict";
/* Arrow keys and Space vote. Without JavaScript, the buttons do. */
{
    const form = document.getElementById("nbc-ballot-form");
    const KEYS = { ArrowLeft: "left", ArrowRight: "right", " ": "tie" };

    document.addEventListener("keydown", (event) => {
        const choice = KEYS[event.key];
        if (!form || !choice || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) {
            return;
        }
        /* Space presses a focused control, and arrows move within one. */
        if (event.target.closest("a, button, input, select, textarea, summary, [tabindex]")) {
            return;
        }
        event.preventDefault();
        form.querySelector(`[name=choice][value=${choice}]`).click();
    });
}
