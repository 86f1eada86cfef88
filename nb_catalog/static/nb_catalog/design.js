"use strict";
/* Draws what is designed while its JSON is typed. Controls beside the picture go along. */
document.addEventListener("DOMContentLoaded", () => {
    const WAIT = 500;
    const place = document.querySelector(".nbc-design");
    const field = place && document.getElementById(place.dataset.field);
    let timer = 0;
    let latest = 0;

    const address = () => {
        const asked = new URLSearchParams({ content: field.value });
        for (const control of place.querySelectorAll("select[name]")) {
            asked.set(control.name, control.value);
        }
        return `${place.dataset.url}?${asked}`;
    };

    const draw = async () => {
        const picture = place.querySelector("img");
        const line = place.querySelector("p[role=status]");
        const mine = ++latest;
        if (["", "{}", "null"].includes(field.value.trim())) {
            picture.hidden = true;
            line.textContent = "";
            return;
        }
        const wanted = address();
        line.classList.remove("nbc-wrong");
        line.textContent = place.dataset.working;
        const answer = await fetch(wanted, { credentials: "same-origin" });
        if (mine !== latest) {
            return;
        }
        if (answer.ok) {
            /* The browser has it in its cache now. */
            picture.src = wanted;
            picture.hidden = false;
            line.textContent = "";
        } else if (answer.status === 400) {
            line.classList.add("nbc-wrong");
            line.textContent = (await answer.json()).error;
        } else {
            line.textContent = "";
        }
    };

    if (field) {
        field.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(draw, WAIT);
        });
        for (const control of place.querySelectorAll("select[name]")) {
            control.addEventListener("change", draw);
        }
        if (place.querySelector("img").hidden) {
            draw();
        }
    }
});
