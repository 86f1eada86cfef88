"use strict";
/* Draws a scene while its recipe is typed. */
document.addEventListener("DOMContentLoaded", () => {
    const WAIT = 500;
    const field = document.getElementById("id_renderer");
    const place = document.getElementById("nbc-scene-preview");
    let timer = 0;
    let latest = 0;

    const draw = async () => {
        const picture = place.querySelector("img");
        const line = place.querySelector("p");
        const mine = ++latest;
        if (["", "{}", "null"].includes(field.value.trim())) {
            picture.hidden = true;
            line.textContent = "";
            return;
        }
        const address = `${place.dataset.url}?recipe=${encodeURIComponent(field.value)}`;
        line.classList.remove("nbc-wrong");
        line.textContent = place.dataset.working;
        const answer = await fetch(address, { credentials: "same-origin" });
        if (mine !== latest) {
            return;
        }
        if (answer.ok) {
            /* The browser has it in its cache now. */
            picture.src = address;
            picture.hidden = false;
            line.textContent = "";
        } else if (answer.status === 400) {
            line.classList.add("nbc-wrong");
            line.textContent = (await answer.json()).error;
        } else {
            line.textContent = "";
        }
    };

    if (field !== null && place !== null) {
        field.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(draw, WAIT);
        });
        if (place.querySelector("img").hidden) {
            draw();
        }
    }
});
