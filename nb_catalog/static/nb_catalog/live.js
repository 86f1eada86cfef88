"use strict";
/* Fetches the page again and replaces the parts marked data-live that have changed: while something on it is under way
   (data-pending), and when an event comes from the address in data-events. What the user is typing in stays. Without
   JavaScript, the user reloads. */
{
    const EVERY = 1500;
    const EVENTS_EVERY = 4000;
    /* As the server sent them: other scripts change them. */
    const shown = new WeakMap();
    let failures = 0;
    let latest = 0;

    const parts = () => document.querySelectorAll("[data-live]");
    for (const part of parts()) {
        shown.set(part, part.outerHTML);
    }

    const isBox = (element) => element.matches("input[type=checkbox]");
    const same = (part, box) =>
        part.querySelector(`[name="${CSS.escape(box.name)}"][value="${CSS.escape(box.value)}"]`);

    const isInUse = (part) => part.matches(".nbc-dragging")
        || (part.contains(document.activeElement) && !isBox(document.activeElement))
        || [...part.querySelectorAll("input[type=text], textarea")].some((each) => each.value !== each.defaultValue);

    const replace = (fresh) => {
        for (const part of parts()) {
            const other = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
            const differs = other === null || other.outerHTML !== (shown.get(part) ?? part.outerHTML);
            if (!differs || isInUse(part)) {
                continue;
            }
            if (other === null) {
                part.remove();
                continue;
            }
            const html = other.outerHTML;
            for (const box of part.querySelectorAll("input[type=checkbox]:checked")) {
                const twin = same(other, box);
                if (twin !== null) {
                    twin.checked = true;
                }
            }
            const focused = part.contains(document.activeElement) ? same(other, document.activeElement) : null;
            part.replaceWith(document.adoptNode(other));
            focused?.focus({ preventScroll: true });
            shown.set(other, html);
            other.dispatchEvent(new CustomEvent("nbc:live", { bubbles: true }));
        }
    };

    const look = async () => {
        latest += 1;
        const mine = latest;
        const response = await fetch(window.location.href, { credentials: "same-origin" });
        if (!response.ok || response.redirected) {
            throw new Error(String(response.status));
        }
        const text = await response.text();
        if (mine === latest) {
            replace(new DOMParser().parseFromString(text, "text/html"));
        }
    };

    const poll = async () => {
        if (document.querySelector("[data-pending]") !== null && !document.hidden) {
            try {
                await look();
                failures = 0;
            } catch {
                failures += 1;
            }
        }
        setTimeout(poll, EVERY * Math.min(1 + failures, 10));
    };
    setTimeout(poll, EVERY);

    const { events } = document.querySelector("[data-events]")?.dataset ?? {};
    if (events && "nbcWatch" in window) {
        window.nbcWatch({ events, look, every: EVENTS_EVERY });
    }
}
