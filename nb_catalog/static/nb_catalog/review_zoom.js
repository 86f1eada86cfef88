"use strict";
/* A picture in full size beside what it is compared with, or over it behind a slider. Both are moved and enlarged
   together. Decisions and arrows work here as on the page. */
{
    const { form } = ReviewPage;
    const dialog = document.getElementById("nbc-zoom");
    const find = (name) => dialog.querySelector(`.nbc-zoom-${name}`);
    const panes = find("panes");
    const split = find("split");
    const choice = find("with");
    const picture = find("after").querySelector("img");
    const other = find("before").querySelector("img");
    const LARGEST = 16;
    const STEP = 1.25;
    const MOVE = 0.1;
    /* Shares of a pane, from its middle, before it is enlarged. */
    let view = { zoom: 1, x: 0, y: 0 };
    let card = null;
    let drag = null;
    let opener = null;

    const draw = () => {
        const most = (view.zoom - 1) / 2;
        view.x = Math.max(-most, Math.min(most, view.x));
        view.y = Math.max(-most, Math.min(most, view.y));
        panes.style.setProperty("--zoom", view.zoom);
        panes.style.setProperty("--x", `${100 * view.x}%`);
        panes.style.setProperty("--y", `${100 * view.y}%`);
        panes.classList.toggle("nbc-enlarged", view.zoom > 1);
        find("percent").textContent = `${Math.round(100 * view.zoom)} %`;
    };

    /* Enlarges around a point of a pane: it stays where it is. */
    const enlarge = (factor, at = { x: 0, y: 0 }) => {
        const zoom = Math.max(1, Math.min(LARGEST, view.zoom * factor));
        const scale = zoom / view.zoom;
        view = { zoom, x: at.x + (view.x - at.x) * scale, y: at.y + (view.y - at.y) * scale };
        draw();
    };

    const place = (event) => {
        const pane = event.target.closest(".nbc-zoom-pane") ?? find("after");
        const box = pane.querySelector(".nbc-zoom-canvas").getBoundingClientRect();
        return { x: (event.clientX - box.left) / box.width - 0.5, y: (event.clientY - box.top) / box.height - 0.5 };
    };

    /* What a picture can be compared with: [label, address, alternative text]. */
    const comparisons = (box) => {
        const found = [];
        const own = box.closest("section").querySelector(".nbc-own a.nbc-zoom");
        for (const link of [own, ...box.querySelectorAll("a.nbc-zoom[data-compare]")]) {
            if (link) {
                found.push({ label: link.dataset.compare, url: link.href, alt: link.querySelector("img").alt });
            }
        }
        for (const each of box.closest("section").querySelectorAll(".nbc-picture")) {
            const link = each.querySelector("a.nbc-zoom");
            if (each !== box) {
                const label = `${form.dataset.candidate} ${each.dataset.pk}`;
                found.push({ label, url: link.href, alt: link.querySelector("img").alt });
            }
        }
        return found;
    };

    const compare = () => {
        const option = choice.selectedOptions[0];
        const isAlone = option === undefined;
        find("before").hidden = isAlone;
        panes.classList.toggle("nbc-alone", isAlone);
        find("slider").disabled = isAlone;
        choice.hidden = isAlone;
        if (!isAlone) {
            if (other.getAttribute("src") !== option.value) {
                other.src = option.value;
            }
            other.alt = option.dataset.alt;
            find("before").querySelector("figcaption").textContent = option.textContent;
        }
        drawSplit();
    };

    const drawSplit = () => {
        const isSlider = find("slider").getAttribute("aria-pressed") === "true" && !find("before").hidden;
        panes.classList.toggle("nbc-split", isSlider);
        split.parentElement.hidden = !isSlider;
        panes.style.setProperty("--split", `${split.value}%`);
    };

    const show = (box, url = "") => {
        card = box;
        const link = box.querySelector("a.nbc-zoom");
        picture.src = link.href;
        picture.alt = link.querySelector("img").alt;
        picture.parentElement.querySelector(".nbc-changed")?.remove();
        const changed = link.querySelector(".nbc-changed");
        if (changed) {
            picture.after(changed.cloneNode(true));
        }
        find("title").textContent = link.dataset.caption || "";
        const label = choice.selectedOptions[0]?.dataset.kind;
        choice.replaceChildren(...comparisons(box).map((each) => {
            const option = new Option(each.label, each.url);
            option.dataset.alt = each.alt;
            option.dataset.kind = each.label;
            option.selected = url ? each.url === url : each.label === label;
            return option;
        }));
        compare();
        showDecisions();
        for (const next of ReviewPage.cards().slice(ReviewPage.cards().indexOf(box) + 1).slice(0, 2)) {
            new Image().src = next.querySelector("a.nbc-zoom").href;
        }
    };

    const showDecisions = () => {
        const state = card.querySelector(".nbc-badge-state");
        find("state").textContent = state?.textContent ?? "";
        find("checks").replaceChildren(...[...card.querySelectorAll(".nbc-check")].map((each) => each.cloneNode(true)));
        for (const button of find("verbs").querySelectorAll("[data-verb]")) {
            button.disabled = card.querySelector(`button[value="${button.dataset.verb}:${card.dataset.pk}"]`) === null
                || "waits" in card.dataset;
        }
    };

    const open = (link) => {
        opener = link;
        const box = link.closest(".nbc-picture") ?? link.closest("section").querySelector(".nbc-picture");
        if (box === null) {
            return;
        }
        ReviewPage.go(box, { focus: false });
        view = { zoom: 1, x: 0, y: 0 };
        const main = box.querySelector("a.nbc-zoom");
        show(box, link !== main && box.contains(link) ? link.href : "");
        draw();
        dialog.showModal();
        panes.focus();
    };

    const decide = (verb) => {
        const button = find("verbs").querySelector(`[data-verb="${verb}"]`);
        if (button && !button.disabled) {
            ReviewPage.decide(verb, card.dataset.pk);
            showDecisions();
        }
    };

    form.addEventListener("nbc:go", ({ detail }) => {
        if (dialog.open && detail !== card) {
            show(detail);
        }
    });
    form.addEventListener("nbc:renewed", ({ detail }) => {
        if (dialog.open && detail.dataset.pk === card.dataset.pk) {
            card = detail;
            showDecisions();
        }
    });

    const KEYS = {
        "+": () => enlarge(STEP), "=": () => enlarge(STEP), "-": () => enlarge(1 / STEP),
        "0": () => enlarge(0), "s": () => find("slider").click(),
    };
    const ARROWS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [1, 0], ArrowRight: [-1, 0] };

    dialog.addEventListener("keydown", (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select, input")) {
            return;
        }
        const arrow = ARROWS[event.key];
        if (arrow && (event.shiftKey || arrow[1] !== 0)) {
            event.preventDefault();
            view = { zoom: view.zoom, x: view.x + MOVE * arrow[0], y: view.y + MOVE * arrow[1] };
            draw();
        } else if (arrow) {
            event.preventDefault();
            ReviewPage.step((event.key === "ArrowRight") === (document.dir !== "rtl") ? 1 : -1);
            panes.focus();
        } else if (ReviewPage.keysAreOn() && event.key in KEYS) {
            event.preventDefault();
            KEYS[event.key]();
        } else if (ReviewPage.keysAreOn()) {
            const button = find("verbs").querySelector(`[data-key="${CSS.escape(event.key)}"]`);
            if (button?.dataset.verb) {
                event.preventDefault();
                decide(button.dataset.verb);
                panes.focus();
            }
        }
    });
    find("verbs").addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button?.dataset.verb) {
            decide(button.dataset.verb);
        } else if (button?.dataset.step) {
            ReviewPage.step(Number(button.dataset.step));
        } else if (button?.dataset.undo !== undefined) {
            ReviewPage.undoLast();
        }
    });
    find("tools").addEventListener("click", (event) => {
        const button = event.target.closest("button[data-enlarge]");
        if (button) {
            enlarge(Number(button.dataset.enlarge));
        }
    });
    find("slider").addEventListener("click", () => {
        const isOn = find("slider").getAttribute("aria-pressed") === "true";
        find("slider").setAttribute("aria-pressed", String(!isOn));
        drawSplit();
    });
    split.addEventListener("input", drawSplit);
    choice.addEventListener("change", compare);

    panes.addEventListener("wheel", (event) => {
        event.preventDefault();
        enlarge(event.deltaY < 0 ? STEP : 1 / STEP, place(event));
    }, { passive: false });
    panes.addEventListener("pointerdown", (event) => {
        drag = { x: event.clientX, y: event.clientY, from: { ...view }, moved: false };
        panes.setPointerCapture(event.pointerId);
    });
    panes.addEventListener("pointermove", (event) => {
        if (drag === null) {
            return;
        }
        const box = find("after").querySelector(".nbc-zoom-canvas").getBoundingClientRect();
        const dx = (event.clientX - drag.x) / box.width;
        const dy = (event.clientY - drag.y) / box.height;
        drag.moved ||= Math.abs(dx) + Math.abs(dy) > 0.01;
        view = { ...drag.from, x: drag.from.x + dx, y: drag.from.y + dy };
        draw();
    });
    panes.addEventListener("pointerup", (event) => {
        if (drag !== null && !drag.moved) {
            const target = document.elementFromPoint(event.clientX, event.clientY) ?? panes;
            const at = place({ target, clientX: event.clientX, clientY: event.clientY });
            enlarge(view.zoom > 1 ? 0 : 2.5, at);
        }
        drag = null;
    });
    panes.addEventListener("pointercancel", () => { drag = null; });

    dialog.addEventListener("close", () => {
        const link = card?.isConnected ? card.querySelector("a.nbc-zoom") : opener;
        link?.focus({ preventScroll: true });
        card?.scrollIntoView({ block: "nearest" });
    });
    ReviewPage.show = open;
}
