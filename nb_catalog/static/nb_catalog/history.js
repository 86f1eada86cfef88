"use strict";
/* Copies a text to the clipboard. Without JavaScript, the text can be selected. */
for (const button of document.querySelectorAll("[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    const status = button.parentElement.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(text.textContent);
            status.textContent = button.dataset.copied;
        } catch {
            /* Pages without TLS have no clipboard, and people may refuse it. */
            window.getSelection().selectAllChildren(text);
            text.focus();
            status.textContent = button.dataset.failed;
        }
    });
}
