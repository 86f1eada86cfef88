"use strict";
/* The page on which a picture is edited: a mask that is painted, the price of an edit, a preview of adjustments. */
{
    const find = (id) => document.getElementById(id);
    const asked = find("nbc-ask");
    const box = find("nbc-mask");
    const adjusted = find("nbc-adjust");
    const TOOLS = { b: "brush", q: "rectangle", l: "lasso", e: "erase", h: "move" };
    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const STEP = 8;
    const LATER = 350;

    let mask = null;
    let view = null;

    /* The mask */

    const texts = box ? box.dataset : {};
    const canvas = find("nbc-canvas");
    const say = (message) => { find("nbc-cut-said").textContent = message; };
    const tool = () => document.querySelector("[name=nbc-tool]:checked").value;
    const size = () => Number(find("nbc-size").value);
    const isMasked = () => mask !== null && !mask.isEmpty;
    let line = null;
    let pan = null;
    let byKeys = false;
    const pointers = new Map();
    let pinch = null;

    const look = () => ({
        ground: "black", ghost: true, strokes: [],
        radius: tool() === "brush" || tool() === "erase" ? size() / 2 : 4 / view.zoom,
    });
    const zoomed = (zoom) => { find("nbc-zoom-now").textContent = `${Math.round(zoom * 100)} %`; };
    const showState = () => {
        find("nbc-undo").disabled = !mask.canUndo;
        find("nbc-redo").disabled = !mask.canRedo;
        find("nbc-size-now").textContent = texts.textSize.replace("{size}", size());
        const state = find("nbc-mask-state");
        state.textContent = isMasked() ? state.dataset.on : "";
        showPrice();
        view.redraw();
    };

    /* A shape is painted anew at each move, over what was there before. */
    const shape = () => {
        const { tool: chosen, points } = line;
        if (chosen === "rectangle") {
            const [from, to] = [points[0], points.at(-1)];
            return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
        }
        return points;
    };
    const begin = (at, { erases = false } = {}) => {
        line = { tool: erases ? "erase" : tool(), points: [at] };
        mask.begin();
        extend(at);
    };
    const extend = (at) => {
        if (line.tool === "brush" || line.tool === "erase") {
            mask.paint(line.points.at(-1), at, { size: size(), erases: line.tool === "erase" });
            line.points = [at];
        } else {
            line.points.push(at);
            mask.cancel();
            mask.fill(shape());
        }
        view.redraw();
    };
    const finish = () => {
        if (line === null) {
            return;
        }
        mask.end();
        line = null;
        showState();
    };
    const cancel = () => {
        if (line !== null) {
            mask.cancel();
            line = null;
            view.redraw();
        }
    };
    const undo = () => { mask.undo(); say(texts.textUndone); showState(); };
    const redo = () => { mask.redo(); say(texts.textRedone); showState(); };

    const spread = () => {
        const [one, other] = [...pointers.values()];
        return {
            far: Math.hypot(one.x - other.x, one.y - other.y),
            x: (one.x + other.x) / 2, y: (one.y + other.y) / 2,
        };
    };
    const pressed = (event) => {
        canvas.setPointerCapture(event.pointerId);
        const at = view.positionOf(event);
        pointers.set(event.pointerId, at);
        if (pointers.size === 2) {
            cancel();
            pan = null;
            pinch = { ...spread() };
        } else if (event.button === 1 || tool() === "move") {
            event.preventDefault();
            pan = { ...at, left: view.x, top: view.y };
        } else if (event.button === 0 || event.button === 5) {
            byKeys = false;
            cancel();
            begin(view.inPhoto(at), { erases: event.button === 5 });
        }
    };
    const moved = (event) => {
        const at = view.positionOf(event);
        if (pointers.has(event.pointerId)) {
            pointers.set(event.pointerId, at);
        }
        if (pinch && pointers.size === 2) {
            const now = spread();
            view.x += now.x - pinch.x;
            view.y += now.y - pinch.y;
            view.zoomTo((view.zoom * now.far) / Math.max(1, pinch.far), now);
            pinch = now;
            return;
        }
        Object.assign(view.cursor, view.inPhoto(at), { isShown: event.pointerType !== "touch" });
        if (pan) {
            view.x = pan.left + at.x - pan.x;
            view.y = pan.top + at.y - pan.y;
        } else if (line !== null && !byKeys) {
            const steps = event.getCoalescedEvents?.() ?? [];
            for (const each of steps.length > 0 ? steps : [event]) {
                extend(view.inPhoto(view.positionOf(each)));
            }
        }
        view.redraw();
    };
    const released = (event) => {
        pointers.delete(event.pointerId);
        pinch = pointers.size < 2 ? null : pinch;
        pan = null;
        if (line !== null && !byKeys) {
            if (event.type === "pointercancel") {
                cancel();
            } else {
                finish();
            }
        }
    };

    let telling = 0;
    const tellPosition = () => {
        clearTimeout(telling);
        telling = setTimeout(() => {
            const what = mask.isProduct(view.cursor) ? texts.textInside : texts.textOutside;
            say(texts.textAt
                .replace("{x}", Math.round((100 * view.cursor.x) / mask.width))
                .replace("{y}", Math.round((100 * view.cursor.y) / mask.height))
                .replace("{what}", what));
        }, 400);
    };
    /* A brush paints while the bar is held; the corners of a shape are set by pressing it twice. */
    const space = () => {
        const isShape = tool() === "rectangle" || tool() === "lasso";
        if (line === null) {
            byKeys = true;
            begin({ ...view.cursor });
            say(isShape ? texts.textCorner : texts.textPainting);
        } else if (isShape) {
            finish();
            byKeys = false;
            say(texts.textFilled);
        }
    };
    const keyed = (event) => {
        if (event.ctrlKey || event.metaKey) {
            const key = event.key.toLowerCase();
            if (key === "z" || key === "y") {
                event.preventDefault();
                (key === "y" || event.shiftKey ? redo : undo)();
            }
            return;
        }
        if (event.altKey) {
            return;
        }
        if (ARROWS[event.key]) {
            view.step(ARROWS[event.key], event.shiftKey ? 5 * STEP : STEP);
            if (byKeys && line !== null) {
                extend({ ...view.cursor });
            }
            tellPosition();
        } else if (event.key === " " && tool() !== "move") {
            if (!event.repeat) {
                space();
            }
        } else if (event.key === "Escape") {
            byKeys = false;
            cancel();
        } else if (event.key === "+" || event.key === "-") {
            view.zoomTo(view.zoom * (event.key === "+" ? 1.25 : 0.8));
        } else if (event.key === "0") {
            view.fit();
        } else if (event.key === "[" || event.key === "]") {
            const by = event.key === "]" ? 1.2 : 1 / 1.2;
            find("nbc-size").value = Math.max(1, Math.round(size() * by + Math.sign(by - 1)));
            showState();
        } else if (TOOLS[event.key]) {
            const radio = document.querySelector(`[name=nbc-tool][value=${TOOLS[event.key]}]`);
            radio.checked = true;
            say(radio.labels[0].firstChild.nextSibling.textContent.trim());
        } else {
            return;
        }
        event.preventDefault();
        view.redraw();
    };
    const keyReleased = (event) => {
        if (event.key === " " && byKeys && line !== null && (tool() === "brush" || tool() === "erase")) {
            event.preventDefault();
            byKeys = false;
            finish();
        }
    };

    let loading = null;
    const load = async () => {
        const server = new CutoutServer({ failed: texts.textFailed });
        try {
            mask = new CutoutMask(await server.picture(texts.picture));
        } catch {
            say(texts.textUnreadable);
            return;
        }
        find("nbc-size").max = Math.round(Math.max(mask.width, mask.height) / 2);
        find("nbc-size").value = Math.max(8, Math.round(Math.max(mask.width, mask.height) / 20));
        view = new CutoutView(canvas, mask, { look, zoomed });
        view.fit();
        showState();
        canvas.dataset.ready = "";
        view.listen({ pressed, moved, released, keyed, keyReleased });
        find("nbc-size").addEventListener("input", showState);
        find("nbc-undo").addEventListener("click", undo);
        find("nbc-redo").addEventListener("click", redo);
        find("nbc-clear").addEventListener("click", () => { cancel(); mask.clear(); showState(); });
        find("nbc-in").addEventListener("click", () => view.zoomTo(view.zoom * 1.25));
        find("nbc-out").addEventListener("click", () => view.zoomTo(view.zoom * 0.8));
        find("nbc-fit").addEventListener("click", () => view.fit());
    };

    /* The instruction */

    const showPrice = () => {
        const option = asked.querySelector("[name=ask-tier]").selectedOptions[0];
        const file = asked.querySelector("[name=ask-mask]").files.length > 0;
        const inSession = find("id_ask-session")?.checked && option?.dataset.session;
        const kinds = inSession ? ["session", "sessionMasked"] : ["price", "masked"];
        const each = Number(option?.dataset[kinds[isMasked() || file ? 1 : 0]] || 0);
        const isBatch = asked.querySelector("[name=ask-mode]").value === "batch";
        const number = Number(asked.querySelector("[name=ask-candidates]").value);
        const price = (each * number * (isBatch ? 0.5 : 1)).toFixed(4);
        const text = isBatch ? asked.dataset.textPriceBatch : asked.dataset.textPrice;
        find("nbc-price").textContent = each > 0 ? text.replace("{price}", price) : "";
    };
    const send = async (event) => {
        if (!isMasked()) {
            return;
        }
        event.preventDefault();
        const server = new CutoutServer({ failed: texts.textFailed });
        const button = find("nbc-ask-send");
        button.disabled = true;
        try {
            const body = new FormData(asked);
            body.set("ask-mask", await mask.file(), "mask.png");
            const headers = { Accept: "application/json" };
            const answer = await server.fetched(asked.action, { method: "POST", body, headers });
            window.location.assign((await answer.json()).url);
        } catch (error) {
            find("nbc-ask-said").textContent = server.messageOf(error);
            button.disabled = false;
        }
    };

    if (asked !== null) {
        box.hidden = false;
        asked.querySelector(".nbc-edit-file").hidden = true;
        box.addEventListener("toggle", () => {
            if (box.open) {
                loading ??= load();
            }
        });
        asked.addEventListener("change", showPrice);
        asked.addEventListener("submit", send);
        showPrice();
    }

    /* The adjustments */

    if (adjusted !== null) {
        const plain = find("nbc-edit-plain").querySelector("img");
        const shown = find("nbc-preview");
        const said = find("nbc-preview-said");
        const server = new CutoutServer({ failed: adjusted.dataset.textFailed });
        let number = 0;
        let timer = 0;

        const isPlain = () => [...adjusted.elements].every((field) => {
            if (!field.name.startsWith("adjust-") || /-(area|background|enlarge)$/.test(field.name)) {
                return true;
            }
            return field.type === "checkbox" ? !field.checked : !Number(field.value) && !field.value.includes(":");
        });
        const restore = () => {
            number += 1;
            plain.hidden = false;
            shown.hidden = true;
            said.textContent = "";
        };
        const preview = async () => {
            if (isPlain()) {
                restore();
                return;
            }
            const mine = (number += 1);
            const body = new FormData(adjusted);
            shown.parentElement.setAttribute("aria-busy", "true");
            try {
                const headers = { Accept: "application/json" };
                const made = await server.picture(adjusted.dataset.preview, { method: "POST", body, headers });
                if (mine === number) {
                    CutoutScene.draw(made, shown);
                    plain.hidden = true;
                    shown.hidden = false;
                    said.textContent = adjusted.dataset.textShown;
                    shown.dataset.number = mine;
                }
            } catch (error) {
                if (mine === number) {
                    restore();
                    said.textContent = server.messageOf(error);
                }
            }
            shown.parentElement.removeAttribute("aria-busy");
        };
        adjusted.addEventListener("input", (event) => {
            const output = adjusted.querySelector(`output[for="${CSS.escape(event.target.id)}"]`);
            if (output) {
                output.textContent = event.target.value;
            }
            clearTimeout(timer);
            timer = setTimeout(preview, LATER);
        });
        adjusted.addEventListener("reset", () => {
            setTimeout(() => {
                adjusted.querySelectorAll("output").forEach((each) => {
                    each.textContent = find(each.htmlFor.value).value;
                });
                restore();
            });
        });
    }
}
