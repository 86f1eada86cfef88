"use strict";
/* While something on the page is under way (data-pending), fetches the page again and replaces the parts marked
   data-live that have changed. What the user is typing in stays. Without JavaScript, the user reloads. */
{
    const EVERY = 1500;
    let failures = 0;

    const replace = (fresh) => {
        for (const part of document.querySelectorAll("[data-live]")) {
            const other = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
            const differs = other === null || other.outerHTML !== (part.dataset.shown ?? part.outerHTML);
            if (!differs || part.contains(document.activeElement)) {
                continue;
            }
            if (other === null) {
                part.remove();
                continue;
            }
            const shown = other.outerHTML;
            part.replaceWith(document.adoptNode(other));
            other.dataset.shown = shown;
            other.dispatchEvent(new CustomEvent("nbc:live", { bubbles: true }));
        }
    };

    const poll = async () => {
        if (document.querySelector("[data-pending]") !== null && !document.hidden) {
            try {
                const response = await fetch(window.location.href, { credentials: "same-origin" });
                if (!response.ok || response.redirected) {
                    throw new Error(String(response.status));
                }
                replace(new DOMParser().parseFromString(await response.text(), "text/html"));
                failures = 0;
            } catch {
                failures += 1;
            }
        }
        setTimeout(poll, EVERY * Math.min(1 + failures, 10));
    };

    setTimeout(poll, EVERY);
}
