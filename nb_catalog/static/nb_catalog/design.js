"use strict";
/* Redraws the preview while the JSON is edited. The values of its controls are sent too. */
document.addEventListener("DOMContentLoaded", () => {
    const WAIT = 500;
    const place = document.querySelector(".nbc-design");
    const field = place && document.getElementById(place.dataset.field);
    let timer = 0;
    let latest = 0;

    const address = () => {
        const query = new URLSearchParams({ content: field.value });
        for (const control of place.querySelectorAll("select[name]")) {
            query.set(control.name, control.value);
        }
        return `${place.dataset.url}?${query}`;
    };

    const draw = async () => {
        const picture = place.querySelector("img");
        const line = place.querySelector("p[role=status]");
        const request = ++latest;
        if (["", "{}", "null"].includes(field.value.trim())) {
            picture.hidden = true;
            line.textContent = "";
            return;
        }
        const url = address();
        line.classList.remove("nbc-wrong");
        line.textContent = place.dataset.working;
        const response = await fetch(url, { credentials: "same-origin" });
        if (request !== latest) {
            return;
        }
        if (response.ok) {
            /* The browser has cached the picture by now. */
            picture.src = url;
            picture.hidden = false;
            line.textContent = "";
        } else if (response.status === 400) {
            line.classList.add("nbc-wrong");
            line.textContent = (await response.json()).error;
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
