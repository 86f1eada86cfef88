"use strict";
/* Review actions without reloading, and keyboard shortcuts. Without JavaScript, buttons submit the form. */
{
    const form = document.getElementById("nbc-review");
    const messages = document.getElementById("nbc-messages");
    const zoom = document.getElementById("nbc-zoom");
    const MAX_MESSAGES = 4;
    const ADVANCING = ["approve", "reject", "publish"];

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
        if (focus) {
            card.focus({ preventScroll: true });
            card.scrollIntoView({ block: "nearest" });
        }
    };

    const step = (by) => {
        const all = cards();
        const at = all.indexOf(now());
        go(all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))]);
    };

    const isOpen = (card) => card.classList.contains("nbc-is-pending");

    /* Goes to the next pending picture: a later one, otherwise an earlier one that was skipped. */
    const advance = (pk) => {
        const all = cards();
        const at = all.findIndex((card) => card.dataset.pk === pk);
        const next = [...all.slice(at + 1), ...all.slice(0, at)].find(isOpen);
        if (next) {
            go(next);
        } else {
            go(all[at]);
            say({ message: form.dataset.end, level: "info" });
        }
    };

    const say = ({ message, level, undo, place, pk }) => {
        const line = document.createElement("li");
        line.className = level;
        line.textContent = message;
        if (undo) {
            const button = document.createElement("button");
            button.type = "button";
            button.className = "button";
            button.textContent = form.dataset.undo;
            button.addEventListener("click", () => {
                line.remove();
                decide(undo, pk, place);
            });
            line.append(" ", button);
        }
        messages.prepend(line);
        while (messages.children.length > MAX_MESSAGES) {
            messages.lastElementChild.remove();
        }
        if (level === "success" || level === "info") {
            setTimeout(() => line.remove(), undo ? 15000 : 6000);
        }
    };

    const replace = (card, html) => {
        const box = document.createElement("template");
        box.innerHTML = html.trim();
        const fresh = box.content.querySelector(".nbc-picture");
        const note = card.querySelector("textarea");
        card.replaceWith(fresh);
        return { fresh, note: note ? note.value : "" };
    };

    const decide = async (verb, pk, place = {}) => {
        const card = document.getElementById(`picture-${pk}`);
        if (card.getAttribute("aria-busy") === "true") {
            return;
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
            return;
        }
        const { fresh, note } = replace(card, result.card);
        say({ ...result, pk });
        if (result.ok && ADVANCING.includes(verb)) {
            advance(pk);
            return;
        }
        const field = fresh.querySelector("textarea");
        if (!result.ok && field && note) {
            field.value = note;
            field.closest("details").open = true;
        }
        go(fresh);
    };

    /* One by one: rendering takes a moment each, and each card shows its result. */
    const publishSelected = async () => {
        const selected = [...form.querySelectorAll("[name=chosen]:checked")].map((box) => box.value);
        const bar = document.getElementById("nbc-published");
        bar.max = selected.length;
        for (const [at, pk] of selected.entries()) {
            bar.hidden = false;
            bar.value = at;
            await decide("publish", pk, { ticked: "1" });
        }
        bar.hidden = true;
    };

    const show = (link) => {
        const picture = zoom.querySelector("img");
        picture.src = link.href;
        picture.alt = link.querySelector("img").alt;
        zoom.querySelector("p").textContent = link.dataset.caption || "";
        zoom.classList.remove("nbc-full");
        zoom.showModal();
    };

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
        const card = now();
        if (!card) {
            return;
        }
        if (event.key === "z") {
            show(card.querySelector(".nbc-zoom"));
            return;
        }
        const button = card.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
        if (button) {
            event.preventDefault();
            const [verb, pk] = button.value.split(":");
            decide(verb, pk);
        }
    };

    if (form !== null) {
        document.addEventListener("keydown", pressed);
        form.addEventListener("submit", (event) => {
            const [verb, pk] = (event.submitter?.value || "").split(":");
            if (pk) {
                event.preventDefault();
                decide(verb, pk);
            } else if (verb === "publish_chosen") {
                event.preventDefault();
                publishSelected();
            }
        });
        form.addEventListener("click", (event) => {
            const link = event.target.closest("a.nbc-zoom");
            if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
                event.preventDefault();
                show(link);
            }
        });
        form.addEventListener("focusin", (event) => {
            const card = event.target.closest(".nbc-picture");
            if (card) {
                go(card, { focus: false });
            }
        });
        zoom.querySelector("img").addEventListener("click", () => zoom.classList.toggle("nbc-full"));
        zoom.addEventListener("click", (event) => {
            if (event.target === zoom) {
                zoom.close();
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
        }
        go(cards().find(isOpen) || cards()[0], { focus: false });
    }
}
