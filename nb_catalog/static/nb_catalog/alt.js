"use strict";
/* A suggestion goes into its field with one click. Without this file it can be copied. */
for (const button of document.querySelectorAll("[data-use]")) {
    const field = document.getElementById(button.dataset.use);
    button.hidden = false;
    button.addEventListener("click", () => {
        field.value = button.previousElementSibling.textContent;
        field.focus();
    });
}
