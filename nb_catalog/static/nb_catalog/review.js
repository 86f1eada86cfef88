"use strict";
/* Decisions without reloading, and the keyboard. Without this file every button is a plain form's. */
{
    const form = document.getElementById("nbc-review");
    const said = document.getElementById("nbc-said");
    const zoom = document.getElementById("nbc-zoom");
    const SEEN = 4;
    const ONWARDS = ["approve", "reject", "publish"];

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

    /* The next picture to judge: further on if there is one, else an earlier one that was left. */
    const onwards = (pk) => {
        const all = cards();
        const at = all.findIndex((card) => card.dataset.pk === pk);
        const next = [...all.slice(at + 1), ...all.slice(0, at)].find(isOpen);
        if (next) {
            go(next);
        } else {
            go(all[at]);
            say({ said: form.dataset.end, level: "info" });
        }
    };

    const say = ({ said: sentence, level, undo, place, pk }) => {
        const line = document.createElement("li");
        line.className = level;
        line.textContent = sentence;
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
        said.prepend(line);
        while (said.children.length > SEEN) {
            said.lastElementChild.remove();
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
        let news;
        try {
            const answer = await fetch(form.action, {
                method: "POST", body, credentials: "same-origin",
                headers: { Accept: "application/json" },
            });
            if (!answer.ok) {
                throw new Error(String(answer.status));
            }
            news = await answer.json();
        } catch {
            card.removeAttribute("aria-busy");
            say({ said: form.dataset.failed, level: "error" });
            return;
        }
        const { fresh, note } = replace(card, news.card);
        say({ ...news, pk });
        if (news.ok && ONWARDS.includes(verb)) {
            onwards(pk);
            return;
        }
        const field = fresh.querySelector("textarea");
        if (!news.ok && field && note) {
            field.value = note;
            field.closest("details").open = true;
        }
        go(fresh);
    };

    /* One by one: making their files takes a moment each, and each card says how it went. */
    const publishTicked = async () => {
        const ticked = [...form.querySelectorAll("[name=chosen]:checked")].map((box) => box.value);
        const bar = document.getElementById("nbc-published");
        bar.max = ticked.length;
        for (const [at, pk] of ticked.entries()) {
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
                publishTicked();
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
