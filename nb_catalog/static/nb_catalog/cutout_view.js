"use strict";
/* A CutoutMask in a window: the ground under it, what is removed, rough strokes and a cursor; zoomed and moved. */
class CutoutView {
    static MOST_ZOOM = 16;
    static GROUNDS = { magenta: "#ff00ff", white: "#ffffff", black: "#000000" };
    static STROKES = { keep: "#00c853", remove: "#ff1744" };

    /* ``look`` returns what is shown now: {ground, ghost, strokes, radius}, the radius in pixels of the photo.
       ``zoomed`` is called with the zoom whenever it changes. */
    constructor(canvas, mask, { look, zoomed }) {
        Object.assign(this, { canvas, mask, look, zoomed, zoom: 1, x: 0, y: 0, fitZoom: 1 });
        this.cursor = { x: mask.width / 2, y: mask.height / 2, isShown: false };
        this.checkers = CutoutView.#checkers();
        this.frame = 0;
    }

    /* Hand what is done on the canvas to these functions. The cursor, zooming with the wheel, and fitting into
       the window are the view's own. */
    listen({ pressed, moved, released, keyed, keyReleased }) {
        const { canvas } = this;
        canvas.addEventListener("pointerdown", pressed);
        canvas.addEventListener("pointermove", moved);
        canvas.addEventListener("pointerup", released);
        canvas.addEventListener("pointercancel", released);
        canvas.addEventListener("pointerleave", () => {
            this.cursor.isShown = document.activeElement === canvas;
            this.redraw();
        });
        canvas.addEventListener("focus", () => { this.cursor.isShown = true; this.redraw(); });
        canvas.addEventListener("blur", () => {
            keyReleased({ key: " ", preventDefault() {} });
            this.cursor.isShown = false;
            this.redraw();
        });
        canvas.addEventListener("keydown", keyed);
        canvas.addEventListener("keyup", keyReleased);
        canvas.addEventListener("wheel", (event) => {
            if (event.ctrlKey || event.metaKey) {
                event.preventDefault();
                this.zoomTo(this.zoom * Math.exp(-event.deltaY / 300), this.positionOf(event));
            }
        }, { passive: false });
        new ResizeObserver(() => { this.fit(); }).observe(canvas);
    }

    redraw() {
        this.frame ||= requestAnimationFrame(() => this.#draw());
    }

    zoomTo(zoom, about) {
        const limited = Math.max(this.fitZoom / 2, Math.min(CutoutView.MOST_ZOOM, zoom));
        const at = about ?? { x: this.canvas.clientWidth / 2, y: this.canvas.clientHeight / 2 };
        this.x = at.x - ((at.x - this.x) * limited) / this.zoom;
        this.y = at.y - ((at.y - this.y) * limited) / this.zoom;
        this.zoom = limited;
        this.zoomed(limited);
        this.redraw();
    }

    fit() {
        const { canvas, mask } = this;
        this.fitZoom = Math.min(canvas.clientWidth / mask.width, canvas.clientHeight / mask.height, 4);
        this.zoom = this.fitZoom;
        this.x = (canvas.clientWidth - mask.width * this.zoom) / 2;
        this.y = (canvas.clientHeight - mask.height * this.zoom) / 2;
        this.zoomTo(this.fitZoom);
    }

    positionOf(event) {
        const box = this.canvas.getBoundingClientRect();
        return { x: event.clientX - box.left, y: event.clientY - box.top };
    }

    inPhoto({ x, y }) {
        return { x: (x - this.x) / this.zoom, y: (y - this.y) / this.zoom };
    }

    /* Moves the cursor, in pixels of the window, and the picture so that it stays inside of it. */
    step([across, down], far) {
        const { canvas, cursor, mask } = this;
        const by = far / this.zoom;
        cursor.x = Math.max(0, Math.min(mask.width - 1, cursor.x + across * by));
        cursor.y = Math.max(0, Math.min(mask.height - 1, cursor.y + down * by));
        cursor.isShown = true;
        const edge = 24;
        const at = this.#inWindow(cursor);
        this.x += Math.max(0, edge - at.x) - Math.max(0, at.x - canvas.clientWidth + edge);
        this.y += Math.max(0, edge - at.y) - Math.max(0, at.y - canvas.clientHeight + edge);
    }

    #inWindow({ x, y }) {
        return { x: this.x + x * this.zoom, y: this.y + y * this.zoom };
    }

    #draw() {
        this.frame = 0;
        const { canvas, mask } = this;
        const { ground, ghost, strokes, radius } = this.look();
        const ratio = window.devicePixelRatio || 1;
        const width = Math.round(canvas.clientWidth * ratio);
        const height = Math.round(canvas.clientHeight * ratio);
        if (canvas.width !== width || canvas.height !== height) {
            Object.assign(canvas, { width, height });
        }
        const paper = canvas.getContext("2d");
        const scale = this.zoom * ratio;
        const [left, top] = [this.x * ratio, this.y * ratio];
        paper.setTransform(1, 0, 0, 1, 0, 0);
        paper.clearRect(0, 0, width, height);
        paper.fillStyle = CutoutView.GROUNDS[ground] ?? paper.createPattern(this.checkers, "repeat");
        paper.fillRect(left, top, mask.width * scale, mask.height * scale);
        paper.setTransform(scale, 0, 0, scale, left, top);
        paper.imageSmoothingEnabled = scale < 3;
        if (ghost) {
            paper.globalAlpha = 0.3;
            paper.drawImage(mask.photo, 0, 0);
            paper.globalAlpha = 1;
        }
        paper.drawImage(mask.cut, 0, 0);
        strokes.forEach((stroke) => this.#drawStroke(paper, stroke));
        paper.setTransform(ratio, 0, 0, ratio, 0, 0);
        if (this.cursor.isShown) {
            this.#drawCursor(paper, radius * this.zoom);
        }
    }

    #drawStroke(paper, stroke) {
        const { width, height } = this.mask;
        paper.strokeStyle = CutoutView.STROKES[stroke.keep ? "keep" : "remove"];
        paper.lineWidth = stroke.size * Math.max(width, height);
        paper.lineCap = stroke.keep ? "round" : "butt";
        paper.lineJoin = "round";
        /* Not by colour alone. */
        paper.setLineDash(stroke.keep ? [] : [paper.lineWidth * 0.8, paper.lineWidth * 0.4]);
        paper.globalAlpha = 0.75;
        paper.beginPath();
        stroke.points.forEach(([x, y], i) => paper[i ? "lineTo" : "moveTo"](x * width, y * height));
        const [x, y] = stroke.points.at(-1);
        paper.lineTo(x * width + 0.5, y * height);
        paper.stroke();
        paper.setLineDash([]);
        paper.globalAlpha = 1;
    }

    #drawCursor(paper, radius) {
        const at = this.#inWindow(this.cursor);
        for (const [colour, wide] of [["#000000", 3], ["#ffffff", 1.25]]) {
            paper.strokeStyle = colour;
            paper.lineWidth = wide;
            paper.beginPath();
            paper.arc(at.x, at.y, Math.max(2, radius), 0, 2 * Math.PI);
            paper.moveTo(at.x - 5, at.y);
            paper.lineTo(at.x + 5, at.y);
            paper.moveTo(at.x, at.y - 5);
            paper.lineTo(at.x, at.y + 5);
            paper.stroke();
        }
    }

    static #checkers() {
        const tile = Object.assign(document.createElement("canvas"), { width: 24, height: 24 });
        const paper = tile.getContext("2d");
        paper.fillStyle = "#ffffff";
        paper.fillRect(0, 0, 24, 24);
        paper.fillStyle = "#bfbfbf";
        paper.fillRect(0, 0, 12, 12);
        paper.fillRect(12, 12, 12, 12);
        return tile;
    }
}

/* The product in a scene, drawn into a canvas; of several requests the last one counts. */
class CutoutScene {
    constructor(canvas, { load, failed }) {
        Object.assign(this, { canvas, load, failed, number: 0 });
    }

    async show() {
        const number = (this.number += 1);
        const box = this.canvas.parentElement;
        box.setAttribute("aria-busy", "true");
        try {
            const picture = await this.load();
            if (number === this.number) {
                CutoutScene.draw(picture, this.canvas);
                this.failed("");
            }
        } catch (error) {
            this.failed(error);
        }
        if (number === this.number) {
            box.removeAttribute("aria-busy");
        }
    }

    static draw(picture, canvas) {
        Object.assign(canvas, { width: picture.width, height: picture.height });
        canvas.getContext("2d").drawImage(picture, 0, 0);
    }
}

/* Requests, whose refusals are errors with a sentence; ``failed`` is that of a request without an answer. */
class CutoutServer {
    constructor({ failed }) {
        this.failed = failed;
    }

    fetched = async (url, options = {}) => {
        const response = await fetch(url, { credentials: "same-origin", ...options });
        if (!response.ok) {
            const isJson = (response.headers.get("Content-Type") || "").includes("json");
            const answer = isJson ? await response.json() : {};
            throw Object.assign(new Error(answer.message || this.failed), {
                answer, status: response.status,
            });
        }
        return response;
    };

    /* Not by an element: a strict policy has no pictures from memory. */
    picture = async (url, options) =>
        createImageBitmap(await (await this.fetched(url, options)).blob());

    posted = (fields) => {
        const body = new FormData();
        const token = document.querySelector("[name=csrfmiddlewaretoken]");
        Object.entries({ csrfmiddlewaretoken: token?.value ?? "", ...fields })
            .forEach(([name, value]) => body.set(name, value));
        return { method: "POST", body, headers: { Accept: "application/json" } };
    };

    messageOf = (error) => (error.status ? error.message : this.failed);
}
