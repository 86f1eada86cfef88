"use strict";
/* Boxes over the preview of a layout, moved and resized with the pointer or the arrow keys. Changes are
   written to the JSON, the only source of truth. Without JavaScript, the JSON is edited directly. */
document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector(".nbc-design");
    const stage = place && place.querySelector(".nbc-stage");
    const field = place && document.getElementById(place.dataset.field);
    const localeSelect = document.getElementById("nbc-locale");
    const channel = document.getElementById("nbc-channel");
    if (!stage || !field || !localeSelect) {
        return;
    }
    const GRID = 0.005;
    const STEP = 0.01;
    const LEAST = 0.02;
    const labels = stage.dataset;
    const covers = document.createElement("div");
    const boxes = document.createElement("div");
    covers.className = "nbc-covers";
    boxes.className = "nbc-boxes";
    stage.append(covers, boxes);

    const snapped = (share) => Math.round(Math.round(share / GRID) * GRID * 1000) / 1000;
    const within = (share, least, most) => Math.max(least, Math.min(most, share));
    const mirrored = () => localeSelect.selectedOptions[0].dataset.direction === "rtl";

    const read = () => {
        try {
            const content = JSON.parse(field.value);
            return Array.isArray(content.boxes) ? content : null;
        } catch {
            return null;
        }
    };

    const isPlaced = (box) => box && box.place
        && ["start", "top", "width", "height"].every((edge) => Number.isFinite(box.place[edge]));

    /* Margins covered by the channel: {left, top, right, bottom} as fractions of the picture. */
    const margins = () => {
        const option = channel && channel.selectedOptions[0];
        const side = Number(option && option.dataset.side) || 0;
        return {
            top: Number(option && option.dataset.top) || 0,
            bottom: Number(option && option.dataset.bottom) || 0,
            left: side,
            right: side,
        };
    };

    const isCovered = ({ start, top, width, height }, edges) =>
        top < edges.top || top + height > 1 - edges.bottom
        || start < edges.left || start + width > 1 - edges.right;

    const percent = (share) => `${Math.round(share * 1000) / 10}%`;

    const lay = (shape, at) => {
        const left = mirrored() ? 1 - at.start - at.width : at.start;
        shape.style.left = percent(left);
        shape.style.top = percent(at.top);
        shape.style.width = percent(at.width);
        shape.style.height = percent(at.height);
    };

    const label = (shape, box, edges) => {
        const at = box.place;
        const covered = isCovered(at, edges);
        shape.classList.toggle("nbc-covered", covered);
        shape.setAttribute("aria-label", [
            box.role, `${labels.start} ${percent(at.start)}`, `${labels.top} ${percent(at.top)}`,
            `${labels.width} ${percent(at.width)}`, `${labels.height} ${percent(at.height)}`,
            ...(covered ? [labels.covered] : []),
        ].join(", "));
    };

    const write = (number, at) => {
        const content = read();
        if (!content || !isPlaced(content.boxes[number])) {
            return;
        }
        const clean = {
            width: within(snapped(at.width), LEAST, 1),
            height: within(snapped(at.height), LEAST, 1),
        };
        clean.start = within(snapped(at.start), 0, snapped(1 - clean.width));
        clean.top = within(snapped(at.top), 0, snapped(1 - clean.height));
        Object.assign(content.boxes[number].place, clean);
        field.value = JSON.stringify(content, null, 2);
        field.dispatchEvent(new Event("input"));
    };

    const moved = (at, across, down, resizes) => {
        const forward = mirrored() ? -across : across;
        return resizes
            ? { ...at, width: within(at.width + forward, LEAST, 1 - at.start), height: within(at.height + down, LEAST, 1 - at.top) }
            : { ...at, start: within(at.start + forward, 0, 1 - at.width), top: within(at.top + down, 0, 1 - at.height) };
    };

    const grab = (event, shape, number) => {
        const content = read();
        if (event.button !== 0 || !content) {
            return;
        }
        const before = { ...content.boxes[number].place };
        const resizes = event.target.classList.contains("nbc-handle");
        const size = stage.getBoundingClientRect();
        let now = before;
        event.preventDefault();
        shape.focus();
        shape.setPointerCapture(event.pointerId);
        const follow = (step) => {
            now = moved(
                before, (step.clientX - event.clientX) / size.width,
                (step.clientY - event.clientY) / size.height, resizes,
            );
            lay(shape, now);
        };
        const release = () => {
            shape.removeEventListener("pointermove", follow);
            if (now !== before) {
                write(number, now);
            }
        };
        shape.addEventListener("pointermove", follow);
        shape.addEventListener("pointerup", release, { once: true });
        shape.addEventListener("pointercancel", release, { once: true });
    };

    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

    const press = (event, number) => {
        const step = ARROWS[event.key];
        const content = step && read();
        if (!content || event.altKey || event.ctrlKey || event.metaKey) {
            return;
        }
        event.preventDefault();
        const at = content.boxes[number].place;
        write(number, moved(at, step[0] * STEP, step[1] * STEP, event.shiftKey));
    };

    const shapeOf = (number) => {
        const shape = document.createElement("button");
        const handle = document.createElement("span");
        shape.type = "button";
        shape.className = "nbc-box";
        handle.className = "nbc-handle";
        shape.append(document.createElement("span"), handle);
        shape.addEventListener("pointerdown", (event) => grab(event, shape, number));
        shape.addEventListener("keydown", (event) => press(event, number));
        return shape;
    };

    /* Shapes are reused, so that the keyboard focus stays. */
    const show = () => {
        const content = read();
        const edges = margins();
        const placed = content ? content.boxes : [];
        stage.dir = mirrored() ? "rtl" : "ltr";
        while (boxes.children.length > placed.length) {
            boxes.lastElementChild.remove();
        }
        placed.forEach((box, number) => {
            const shape = boxes.children[number] || boxes.appendChild(shapeOf(number));
            shape.hidden = !isPlaced(box);
            if (!shape.hidden) {
                shape.firstElementChild.textContent = box.role;
                lay(shape, box.place);
                label(shape, box, edges);
            }
        });
        covers.style.borderWidth = "0";
        const size = stage.getBoundingClientRect();
        covers.style.borderTopWidth = `${edges.top * size.height}px`;
        covers.style.borderBottomWidth = `${edges.bottom * size.height}px`;
        covers.style.borderLeftWidth = covers.style.borderRightWidth = `${edges.left * size.width}px`;
    };

    field.addEventListener("input", show);
    localeSelect.addEventListener("change", show);
    if (channel) {
        channel.addEventListener("change", show);
    }
    stage.querySelector("img").addEventListener("load", show);
    window.addEventListener("resize", show);
    show();
});
