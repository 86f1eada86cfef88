"use strict";
/* Decisions without reloading, and keyboard shortcuts. Without JavaScript, buttons submit the form.
   The scripts of a page may replace what ``ReviewPage`` has: how it decides, and how it shows a picture. */
const ReviewPage = (() => {
    const page = {};
    const form = document.getElementById("nbc-review");
    const messages = document.getElementById("nbc-messages");
    const zoom = document.getElementById("nbc-zoom");
    const MAX_MESSAGES = 4;
    const ADVANCING = (form?.dataset.advancing ?? "approve reject publish").split(" ");
    const OPEN = `nbc-is-${form?.dataset.open ?? "pending"}`;
    const KEYS_OFF = "nbc-keys-off";
    const queue = document.getElementById("nbc-queue");
    const found = document.getElementById("nbc-found");

    const cards = () => [...form.querySelectorAll(".nbc-picture")];
    const now = () => form.querySelector(".nbc-picture.nbc-now");

    const go = (card, { focus = true } = {}) => {
        if (!card) {
            return;
        }
        const before = now();
        if (before) {
            before.classList.remove("nbc-now");
        }
        card.classList.add("nbc-now");
        form.dispatchEvent(new CustomEvent("nbc:go", { detail: card }));
        if (focus && !zoom.open) {
            card.focus({ preventScroll: true });
            card.scrollIntoView({ block: "nearest" });
        }
    };

    const step = (by) => {
        const all = cards();
        const at = all.indexOf(now());
        go(all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))]);
    };

    const isOpen = (card) => card.classList.contains(OPEN);

    /* The next part of the queue is appended when few pictures are left to decide. */
    const AHEAD = 10;
    let loading = null;

    const loadMore = () => {
        const later = queue.dataset.later;
        if (!later || loading !== null) {
            return loading ?? Promise.resolve();
        }
        loading = (async () => {
            try {
                const response = await fetch(later, { credentials: "same-origin" });
                if (!response.ok) {
                    throw new Error(String(response.status));
                }
                const page = new DOMParser().parseFromString(await response.text(), "text/html");
                const more = page.getElementById("nbc-queue");
                for (const section of more.querySelectorAll("section.nbc-product")) {
                    queue.append(document.adoptNode(section));
                }
                form.dispatchEvent(new CustomEvent("nbc:more"));
                queue.dataset.later = more.dataset.later || "";
                const link = document.getElementById("nbc-later");
                if (link && !queue.dataset.later) {
                    link.remove();
                } else if (link) {
                    link.href = queue.dataset.later;
                }
            } catch {
                /* The link below the queue still leads there. */
            }
            loading = null;
        })();
        return loading;
    };

    /* Goes to the next pending picture: a later one, otherwise an earlier one that was skipped. */
    const advance = async (pk) => {
        if (cards().filter(isOpen).length <= AHEAD) {
            const waiting = loadMore();
            if (!cards().some(isOpen)) {
                await waiting;
            }
        }
        const all = cards();
        const at = all.findIndex((card) => card.dataset.pk === pk);
        const next = [...all.slice(at + 1), ...all.slice(0, at)].find(isOpen);
        if (next) {
            go(next);
        } else {
            go(all[at]);
            /* What has come meanwhile, and belongs further up in the order, is shown by a page of its own. */
            const again = () => {
                const query = new URLSearchParams(form.querySelector("[name=back]").value);
                query.delete("after");
                query.delete("before");
                window.location.assign(`?${query}`);
            };
            const way = form.dataset.again ? { undoAll: again, label: form.dataset.again } : {};
            say({ message: form.dataset.end, level: "info", ...way });
        }
    };

    const say = ({ message, level, undo, place, pk, undoAll, label }) => {
        const line = document.createElement("li");
        line.className = level;
        line.textContent = message;
        if (undo || undoAll) {
            const button = document.createElement("button");
            button.type = "button";
            button.className = "button";
            button.textContent = label ?? form.dataset.undo;
            button.addEventListener("click", () => {
                line.remove();
                if (undoAll) {
                    undoAll();
                } else {
                    page.decide(undo, pk, place);
                }
            });
            line.append(" ", button);
        }
        messages.prepend(line);
        while (messages.children.length > MAX_MESSAGES) {
            messages.lastElementChild.remove();
        }
        if (level === "success" || level === "info") {
            setTimeout(() => line.remove(), undo || undoAll ? 15000 : 6000);
        }
        return line;
    };

    const replace = (card, html) => {
        const box = document.createElement("template");
        box.innerHTML = html.trim();
        const fresh = box.content.querySelector(".nbc-picture");
        const note = card.querySelector("[name^=note-]");
        card.replaceWith(fresh);
        return { fresh, note: note ? note.value : "" };
    };

    /* Returns the result if it was done. ``quiet``: no message of success, and the focus stays. */
    const decide = async (verb, pk, place = {}, { quiet = false } = {}) => {
        const card = document.getElementById(`picture-${pk}`);
        if (card === null || card.getAttribute("aria-busy") === "true") {
            return null;
        }
        card.setAttribute("aria-busy", "true");
        const body = new FormData(form);
        body.set("decision", `${verb}:${pk}`);
        for (const [name, value] of Object.entries(place)) {
            body.set(`${name}-${pk}`, value);
        }
        let result;
        try {
            const response = await fetch(form.action, {
                method: "POST", body, credentials: "same-origin",
                headers: { Accept: "application/json" },
            });
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            result = await response.json();
        } catch {
            card.removeAttribute("aria-busy");
            say({ message: form.dataset.failed, level: "error" });
            return null;
        }
        const { fresh, note } = replace(card, result.card);
        found.textContent = result.found;
        if (quiet && result.ok) {
            return result;
        }
        say({ ...result, pk });
        if (result.ok && ADVANCING.includes(verb)) {
            advance(pk);
            return result;
        }
        const field = fresh.querySelector("[name^=note-]");
        if (!result.ok && field && note) {
            field.value = note;
            field.closest("details").open = true;
        }
        go(fresh);
        return result.ok ? result : null;
    };

    const selectedKeys = (verb) =>
        [...form.querySelectorAll("[name=chosen]:checked")]
            .filter((each) => form.dataset.chooses === "any"
                || isOpen(each.closest(".nbc-picture")) === (verb !== "reconsider"))
            .map((each) => each.value);

    /* One by one, and each card shows its result. Undone in the same way. */
    const decideSelected = async (verb, message) => {
        const selected = selectedKeys(verb);
        const done = [];
        for (const pk of selected) {
            const result = await decide(verb, pk, {}, { quiet: true });
            if (result !== null) {
                done.push({ ...result, pk });
            }
        }
        if (done.length > 0) {
            const undoAll = async () => {
                for (const { undo, pk, place } of done) {
                    await decide(undo, pk, place, { quiet: true });
                }
            };
            const canUndo = done.every((each) => each.undo);
            say({ message, level: "success", undoAll: canUndo ? undoAll : null });
            advance(done.at(-1).pk);
        }
    };

    const show = (link) => {
        const picture = zoom.querySelector("img");
        picture.src = link.href;
        picture.alt = link.querySelector("img").alt;
        picture.parentElement.querySelector(".nbc-changed")?.remove();
        const changed = link.querySelector(".nbc-changed");
        if (changed) {
            picture.after(changed.cloneNode(true));
        }
        zoom.querySelector("p").textContent = link.dataset.caption || "";
        zoom.classList.remove("nbc-full");
        zoom.showModal();
    };

    const box = document.getElementById("nbc-keys");
    const keysAreOn = () => box !== null && box.checked;

    const types = (target) =>
        target.closest("textarea, select, input:not([type=checkbox]), [contenteditable]") !== null;

    const pressed = (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || zoom.open || types(event.target)) {
            return;
        }
        if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
            const forward = (event.key === "ArrowRight") === (document.dir !== "rtl");
            event.preventDefault();
            step(forward ? 1 : -1);
            return;
        }
        /* Letters act on the picture that has the focus, and nowhere else (WCAG 2.1.4). */
        const card = event.target.closest(".nbc-picture");
        if (!card || !keysAreOn()) {
            return;
        }
        if (event.key === "z") {
            const link = card.querySelector(".nbc-zoom");
            if (link) {
                page.show(link);
            }
            return;
        }
        const button = card.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
        if (button?.href) {
            event.preventDefault();
            window.location.assign(button.href);
        } else if (button) {
            event.preventDefault();
            const [verb, pk] = button.value.split(":");
            page.decide(verb, pk);
        }
    };

    Object.assign(page, {
        form, cards, now, go, step, isOpen, advance, say, replace, decide, decideSelected, selectedKeys, show,
        keysAreOn, types, loadMore,
    });

    if (form !== null) {
        document.addEventListener("keydown", pressed);
        form.addEventListener("submit", (event) => {
            const [verb, pk] = (event.submitter?.value || "").split(":");
            if (verb === "undo_batch") {
                return;
            }
            if (pk) {
                event.preventDefault();
                page.decide(verb, pk);
            } else if (verb.endsWith("_chosen")) {
                event.preventDefault();
                page.decideSelected(verb.slice(0, -"_chosen".length), form.dataset.approved);
            }
        });
        form.addEventListener("click", (event) => {
            const link = event.target.closest("a.nbc-zoom");
            if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
                event.preventDefault();
                page.show(link);
            }
        });
        form.addEventListener("focusin", (event) => {
            const card = event.target.closest(".nbc-picture");
            if (card) {
                go(card, { focus: false });
            }
        });
        zoom.addEventListener("click", (event) => {
            if (event.target === zoom) {
                zoom.close();
            } else if (page.show === show && event.target.matches("img")) {
                zoom.classList.toggle("nbc-full");
            }
        });
        const all = document.getElementById("nbc-all");
        if (all) {
            all.closest("label").hidden = false;
            all.addEventListener("change", () => {
                form.querySelectorAll("[name=chosen]").forEach((box) => { box.checked = all.checked; });
            });
        }
        const keys = document.querySelector(".nbc-keys");
        if (keys) {
            keys.hidden = false;
            box.checked = localStorage.getItem(KEYS_OFF) === null;
            box.addEventListener("change", () => {
                if (box.checked) {
                    localStorage.removeItem(KEYS_OFF);
                } else {
                    localStorage.setItem(KEYS_OFF, "1");
                }
            });
        }
        go(cards().find(isOpen) || cards()[0], { focus: false });
    }

    return page;
})();
