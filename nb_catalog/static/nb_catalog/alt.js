"use strict";
/* Copies a suggestion into its field. Without JavaScript, the user can copy it. */
for (const button of document.querySelectorAll("[data-use]")) {
    const field = document.getElementById(button.dataset.use);
    button.hidden = false;
    button.addEventListener("click", () => {
        field.value = button.previousElementSibling.textContent;
        field.focus();
    });
}
