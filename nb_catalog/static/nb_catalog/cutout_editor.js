"use strict";
/* The editor of a cut-out: pointer, pen, touch and keys paint a CutoutMask; strokes are solved by the server. */
{
    const box = document.getElementById("nbc-editor");
    const canvas = document.getElementById("nbc-canvas");
    const find = (id) => document.getElementById(id);
    const texts = box ? box.dataset : {};
    const isWritable = box !== null && "writable" in texts;
    const TOOLS = { b: "brush", e: "erase", s: "soften", k: "keep", r: "remove", h: "move" };
    const STEP = 8;
    const LATER = 700;

    let mask = null;
    let version = Number(texts.version);
    let view = null;
    let strokes = [];
    let line = null;
    let keyPaints = false;
    const pointers = new Map();
    let pinch = null;
    let pan = null;
    const draft = new CutoutDraft(texts.key);

    let telling = 0;
    const say = (message) => {
        clearTimeout(telling);
        find("nbc-cut-said").textContent = message;
    };
    const tool = () => document.querySelector("[name=nbc-tool]:checked")?.value ?? "move";
    const size = () => Number(find("nbc-size")?.value ?? 1);

    const server = new CutoutServer({ failed: texts.textFailed });
    const { picture, posted, messageOf } = server;

    const look = () => ({
        ground: document.querySelector("[name=nbc-ground]:checked")?.value,
        ghost: find("nbc-ghost").checked,
        strokes: line?.stroke ? [...strokes, line.stroke] : strokes,
        radius: tool() === "move" ? 6 / view.zoom : size() / 2,
    });
    const zoomed = (zoom) => { find("nbc-zoom-now").textContent = `${Math.round(zoom * 100)} %`; };

    const restore = async () => {
        const kept = await draft.read();
        if (kept !== null) {
            mask.load(kept.mask, { keeps: true });
            strokes = kept.strokes;
            say(kept.version === version ? texts.textRestored : texts.textOver);
        }
    };

    const sceneBox = find("nbc-in-scene");
    const scene = sceneBox && new CutoutScene(find("nbc-scene"), {
        load: async () => {
            const key = find("nbc-scene-key").value;
            return mask.isChanged && isWritable
                ? picture(texts.preview, posted({ scene: key, mask: await mask.file() }))
                : picture(`${texts.scene}?scene=${encodeURIComponent(key)}`);
        },
        failed: (error) => { find("nbc-scene-said").textContent = error && messageOf(error); },
    });
    const showScene = () => (sceneBox?.open ? scene.show() : null);

    /* Changes */

    const buttons = () => {
        if (!isWritable) {
            return;
        }
        find("nbc-undo").disabled = !mask.canUndo && strokes.length === 0;
        find("nbc-redo").disabled = !mask.canRedo;
        find("nbc-solve").disabled = strokes.length === 0;
        find("nbc-save").disabled = !mask.isChanged;
        find("nbc-discard").hidden = !mask.isChanged && strokes.length === 0;
        find("nbc-size-now").textContent = texts.textSize.replace("{size}", size());
    };
    let timer = 0;
    const changed = () => {
        buttons();
        view.redraw();
        clearTimeout(timer);
        timer = setTimeout(() => {
            if (mask.isChanged || strokes.length > 0) {
                draft.keep({ version, mask, strokes });
            } else {
                draft.forget();
            }
            showScene();
        }, LATER);
    };
    const undo = () => {
        if (strokes.length > 0) {
            strokes = strokes.slice(0, -1);
        } else {
            mask.undo();
        }
        say(texts.textUndone);
        changed();
    };
    const redo = () => {
        mask.redo();
        say(texts.textRedone);
        changed();
    };

    const solve = async () => {
        if (strokes.length === 0 || box.getAttribute("aria-busy") === "true") {
            return;
        }
        box.setAttribute("aria-busy", "true");
        try {
            const fields = { strokes: JSON.stringify(strokes), mask: await mask.file() };
            mask.load(await picture(texts.solve, posted(fields)), { keeps: true });
            strokes = [];
            say(texts.textSolved);
        } catch (error) {
            say(messageOf(error));
        }
        box.removeAttribute("aria-busy");
        changed();
    };

    const save = async () => {
        if (box.getAttribute("aria-busy") === "true") {
            return;
        }
        box.setAttribute("aria-busy", "true");
        try {
            await server.fetched(texts.save, posted({ version, mask: await mask.file() }));
            clearTimeout(timer);
            draft.forget();
            mask.markSaved();
            strokes = [];
            window.location.reload();
            return;
        } catch (error) {
            say(messageOf(error));
            if (error.status === 409 && error.answer.mask) {
                const conflict = find("nbc-conflict");
                conflict.querySelector("p").textContent = error.message;
                conflict.dataset.mask = error.answer.mask;
                version = error.answer.version;
                conflict.hidden = false;
            }
        }
        box.removeAttribute("aria-busy");
    };

    /* Painting */

    const begin = (at, { pressure = 1, erases = false } = {}) => {
        const chosen = erases ? "erase" : tool();
        if (chosen === "keep" || chosen === "remove") {
            const share = size() / Math.max(mask.width, mask.height);
            line = { stroke: { keep: chosen === "keep", size: Math.min(0.5, share), points: [] } };
        } else {
            line = { chosen, at };
            mask.begin();
        }
        extend(at, pressure);
    };
    const extend = (at, pressure = 1) => {
        if (line.stroke) {
            line.stroke.points.push([at.x / mask.width, at.y / mask.height]);
        } else if (line.chosen === "soften") {
            /* In steps: a quick pointer reports few positions. */
            const step = Math.max(1, size() / 4);
            const from = line.at;
            const far = Math.hypot(at.x - from.x, at.y - from.y);
            for (let way = line.isBegun ? step : 0; way <= far; way += step) {
                const share = far > 0 ? way / far : 0;
                line.at = { x: from.x + (at.x - from.x) * share, y: from.y + (at.y - from.y) * share };
                mask.soften(line.at, { size: size() });
                line.isBegun = true;
            }
        } else {
            const wide = Math.max(1, size() * pressure);
            mask.paint(line.at, at, { size: wide, erases: line.chosen === "erase" });
            line.at = at;
        }
        view.redraw();
    };
    const finish = () => {
        if (line === null) {
            return;
        }
        if (line.stroke) {
            strokes = [...strokes, line.stroke];
        } else {
            mask.end();
        }
        line = null;
        changed();
    };
    const cancel = () => {
        if (line !== null && !line.stroke) {
            mask.cancel();
        }
        line = null;
        view.redraw();
    };

    const pressureOf = (event) =>
        (event.pointerType === "pen" && find("nbc-pressure").checked && event.pressure > 0
            ? 0.2 + 0.8 * event.pressure
            : 1);

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
            pinch = { ...spread(), zoom: view.zoom };
            return;
        }
        if (event.button === 1 || tool() === "move" || !isWritable) {
            event.preventDefault();
            pan = { ...at, left: view.x, top: view.y };
        } else if (event.button === 0 || event.button === 5) {
            begin(view.inPhoto(at), { pressure: pressureOf(event), erases: event.button === 5 });
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
            Object.assign(pinch, { x: now.x, y: now.y });
            view.zoomTo((pinch.zoom * now.far) / Math.max(1, pinch.far), now);
            return;
        }
        Object.assign(view.cursor, view.inPhoto(at), { isShown: event.pointerType !== "touch" });
        if (pan) {
            view.x = pan.left + at.x - pan.x;
            view.y = pan.top + at.y - pan.y;
        } else if (line !== null && !keyPaints) {
            const steps = event.getCoalescedEvents?.() ?? [];
            for (const each of steps.length > 0 ? steps : [event]) {
                extend(view.inPhoto(view.positionOf(each)), pressureOf(each));
            }
        }
        view.redraw();
    };
    const released = (event) => {
        pointers.delete(event.pointerId);
        pinch = pointers.size < 2 ? null : pinch;
        pan = null;
        if (line !== null && !keyPaints) {
            if (event.type === "pointercancel") {
                cancel();
            } else {
                finish();
            }
        }
    };

    /* Keys, while the picture has the focus. */

    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const tellPosition = () => {
        clearTimeout(telling);
        telling = setTimeout(() => {
            const what = mask.isProduct(view.cursor) ? texts.textProduct : texts.textGround;
            say(texts.textAt
                .replace("{x}", Math.round((100 * view.cursor.x) / mask.width))
                .replace("{y}", Math.round((100 * view.cursor.y) / mask.height))
                .replace("{what}", what));
        }, 400);
    };
    const resize = (by) => {
        const field = find("nbc-size");
        if (field) {
            field.value = Math.max(1, Math.round(Number(field.value) * by + Math.sign(by - 1)));
            buttons();
            view.redraw();
        }
    };
    const keyed = (event) => {
        if (event.ctrlKey || event.metaKey) {
            const key = event.key.toLowerCase();
            if (isWritable && (key === "z" || key === "y")) {
                event.preventDefault();
                (key === "y" || event.shiftKey ? redo : undo)();
            }
            return;
        }
        if (event.altKey) {
            return;
        }
        const by = ARROWS[event.key];
        if (by) {
            view.step(by, event.shiftKey ? 5 * STEP : STEP);
            if (keyPaints) {
                extend({ ...view.cursor });
            }
            tellPosition();
        } else if (event.key === " " && isWritable && tool() !== "move") {
            if (!event.repeat && line === null) {
                keyPaints = true;
                say(texts.textPainting);
                begin({ ...view.cursor });
            }
        } else if (event.key === "Enter" && isWritable) {
            solve();
        } else if (event.key === "Escape") {
            cancel();
            strokes = [];
            keyPaints = false;
            buttons();
        } else if (event.key === "+" || event.key === "-") {
            view.zoomTo(view.zoom * (event.key === "+" ? 1.25 : 0.8));
        } else if (event.key === "0") {
            view.fit();
        } else if (event.key === "[" || event.key === "]") {
            resize(event.key === "]" ? 1.2 : 1 / 1.2);
        } else if (TOOLS[event.key] && isWritable) {
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
        if (event.key === " " && keyPaints) {
            event.preventDefault();
            keyPaints = false;
            finish();
        }
    };

    const start = async () => {
        box.hidden = false;
        try {
            const [photo, stored] = await Promise.all([picture(texts.photo), picture(texts.mask)]);
            mask = new CutoutMask(photo);
            mask.load(stored);
        } catch (error) {
            say(error.status ? `${texts.textUnreadable} ${error.message}` : texts.textFailed);
            return;
        }
        if (find("nbc-size")) {
            find("nbc-size").value = Math.max(8, Math.round(Math.max(mask.width, mask.height) / 30));
        }
        view = new CutoutView(canvas, mask, { look, zoomed });
        view.fit();
        if (isWritable) {
            await restore();
        }
        buttons();
        view.redraw();
        canvas.dataset.ready = "";
        view.listen({ pressed, moved, released, keyed, keyReleased });
        box.addEventListener("change", () => { buttons(); view.redraw(); });
        box.addEventListener("input", () => { buttons(); view.redraw(); });
        find("nbc-in").addEventListener("click", () => view.zoomTo(view.zoom * 1.25));
        find("nbc-out").addEventListener("click", () => view.zoomTo(view.zoom * 0.8));
        find("nbc-fit").addEventListener("click", () => view.fit());
        if (sceneBox) {
            sceneBox.addEventListener("toggle", showScene);
            find("nbc-scene-key").addEventListener("change", showScene);
            sceneBox.querySelector("form").addEventListener("submit", (event) => {
                event.preventDefault();
                const dialog = find("nbc-scene-full");
                CutoutScene.draw(find("nbc-scene"), dialog.querySelector("canvas"));
                dialog.showModal();
            });
        }
        if (!isWritable) {
            return;
        }
        find("nbc-undo").addEventListener("click", undo);
        find("nbc-redo").addEventListener("click", redo);
        find("nbc-solve").addEventListener("click", solve);
        find("nbc-clear").addEventListener("click", () => { mask.clear(); changed(); });
        find("nbc-save").addEventListener("click", save);
        find("nbc-mine").addEventListener("click", () => { find("nbc-conflict").hidden = true; save(); });
        find("nbc-theirs").addEventListener("click", async () => {
            const conflict = find("nbc-conflict");
            try {
                mask.load(await picture(conflict.dataset.mask), { keeps: true });
                conflict.hidden = true;
                say(texts.textTheirs);
                changed();
            } catch (error) {
                say(messageOf(error));
            }
        });
        find("nbc-discard").addEventListener("click", () => {
            clearTimeout(timer);
            draft.forget();
            mask.markSaved();
            window.location.reload();
        });
        window.addEventListener("beforeunload", (event) => {
            if (draft.isLost && mask.isChanged) {
                event.preventDefault();
            }
        });
    };

    if (box !== null) {
        start();
    }
}
