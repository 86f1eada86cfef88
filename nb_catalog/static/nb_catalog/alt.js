"use strict";
/* Copies a suggestion into its field. Without JavaScript, the user can copy it. */
{
    const show = () => {
        for (const button of document.querySelectorAll("[data-use]")) {
            button.hidden = false;
        }
    };

    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-use]");
        if (button !== null) {
            const field = document.getElementById(button.dataset.use);
            field.value = button.previousElementSibling.textContent;
            field.focus();
        }
    });
    document.addEventListener("nbc:live", show);
    show();
}
