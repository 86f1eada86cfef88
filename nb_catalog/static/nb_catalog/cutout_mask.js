"use strict";
/* A mask over a photo: painted, blurred, replaced, undone. Knows neither the page nor the server. */
class CutoutMask {
    /* Bytes of changes that can be undone. */
    static MOST_KEPT = 128 * 2 ** 20;

    constructor(photo) {
        this.width = photo.width;
        this.height = photo.height;
        this.photo = this.#canvas();
        this.photo.getContext("2d").drawImage(photo, 0, 0);
        this.canvas = this.#canvas();
        /* In the processor's memory, because every change is read back. */
        this.context = this.canvas.getContext("2d", { willReadFrequently: true });
        this.cut = this.#canvas();
        this.before = this.#canvas();
        this.before.getContext("2d", { willReadFrequently: true });
        this.changes = [];
        this.at = 0;
        this.savedAt = 0;
        this.dirty = null;
    }

    get isChanged() {
        return this.at !== this.savedAt;
    }

    get canUndo() {
        return this.at > 0;
    }

    get canRedo() {
        return this.at < this.changes.length;
    }

    /* Takes a grey picture, scaled to the photo; ``keeps``: as a change that can be undone. */
    load(picture, { keeps = false } = {}) {
        const scratch = this.#canvas().getContext("2d", { willReadFrequently: true });
        scratch.drawImage(picture, 0, 0, this.width, this.height);
        const data = scratch.getImageData(0, 0, this.width, this.height);
        for (let i = 0; i < data.data.length; i += 4) {
            data.data[i + 3] = data.data[i];
            data.data[i] = data.data[i + 1] = data.data[i + 2] = 0;
        }
        this.begin();
        this.context.putImageData(data, 0, 0);
        this.#touch(0, 0, this.width, this.height);
        this.#keep(keeps);
    }

    clear() {
        this.begin();
        this.context.clearRect(0, 0, this.width, this.height);
        this.#touch(0, 0, this.width, this.height);
        this.#keep(true);
    }

    begin() {
        const copy = this.before.getContext("2d");
        copy.globalCompositeOperation = "copy";
        copy.drawImage(this.canvas, 0, 0);
        this.dirty = null;
    }

    /* Paints from one point to another, in pixels of the photo. */
    paint(from, to, { size, erases }) {
        const brush = this.context;
        brush.globalCompositeOperation = erases ? "destination-out" : "source-over";
        brush.lineWidth = size;
        brush.lineCap = brush.lineJoin = "round";
        brush.beginPath();
        brush.moveTo(from.x, from.y);
        brush.lineTo(to.x, to.y + 0.01);
        brush.stroke();
        brush.globalCompositeOperation = "source-over";
        this.#touchAround([from, to], size / 2 + 2);
    }

    /* Fills a polygon, in pixels of the photo. */
    fill(points, { erases = false } = {}) {
        const brush = this.context;
        brush.globalCompositeOperation = erases ? "destination-out" : "source-over";
        brush.fillStyle = "#000000";
        brush.beginPath();
        points.forEach(({ x, y }, i) => brush[i ? "lineTo" : "moveTo"](x, y));
        brush.closePath();
        brush.fill();
        brush.globalCompositeOperation = "source-over";
        this.#touchAround(points, 2);
    }

    get isEmpty() {
        const { data } = this.context.getImageData(0, 0, this.width, this.height);
        for (let i = 3; i < data.length; i += 4) {
            if (data[i] > 127) {
                return false;
            }
        }
        return true;
    }

    /* Blurs the mask in a disc: once each way, by a running sum. */
    soften(at, { size }) {
        const radius = Math.max(2, size / 2);
        const reach = Math.max(1, Math.round(radius / 5));
        const edge = Math.ceil(radius + reach + 1);
        const left = Math.max(0, Math.floor(at.x - edge));
        const top = Math.max(0, Math.floor(at.y - edge));
        const width = Math.min(this.width, Math.ceil(at.x + edge)) - left;
        const height = Math.min(this.height, Math.ceil(at.y + edge)) - top;
        if (width < 1 || height < 1) {
            return;
        }
        const part = this.context.getImageData(left, top, width, height);
        let alpha = Float32Array.from({ length: width * height }, (_, i) => part.data[4 * i + 3]);
        alpha = this.#blurred(alpha, { lines: height, length: width, line: width, step: 1, reach });
        alpha = this.#blurred(alpha, { lines: width, length: height, line: 1, step: width, reach });
        for (let y = 0; y < height; y += 1) {
            for (let x = 0; x < width; x += 1) {
                if (Math.hypot(left + x + 0.5 - at.x, top + y + 0.5 - at.y) <= radius) {
                    part.data[4 * (y * width + x) + 3] = Math.round(alpha[y * width + x]);
                }
            }
        }
        this.context.putImageData(part, left, top);
        this.#touchAround([at], edge);
    }

    end() {
        this.#keep(true);
    }

    /* Gives up what was painted since ``begin``. */
    cancel() {
        this.context.globalCompositeOperation = "copy";
        this.context.drawImage(this.before, 0, 0);
        this.context.globalCompositeOperation = "source-over";
        this.compose();
    }

    undo() {
        if (this.canUndo) {
            this.at -= 1;
            this.#apply(this.changes[this.at], "before");
        }
    }

    redo() {
        if (this.canRedo) {
            this.#apply(this.changes[this.at], "after");
            this.at += 1;
        }
    }

    markSaved() {
        this.savedAt = this.at;
    }

    isProduct({ x, y }) {
        const inside = x >= 0 && y >= 0 && x < this.width && y < this.height;
        return inside && this.context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data[3] > 127;
    }

    /* As a grey PNG file, white where the product is. */
    async file() {
        const grey = this.#canvas().getContext("2d");
        const data = this.context.getImageData(0, 0, this.width, this.height);
        for (let i = 0; i < data.data.length; i += 4) {
            data.data[i] = data.data[i + 1] = data.data[i + 2] = data.data[i + 3];
            data.data[i + 3] = 255;
        }
        grey.putImageData(data, 0, 0);
        return new Promise((done) => { grey.canvas.toBlob(done, "image/png"); });
    }

    /* Brings the product alone up to date, in a part of it. */
    compose({ left = 0, top = 0, width = this.width, height = this.height } = {}) {
        const cut = this.cut.getContext("2d");
        cut.save();
        cut.beginPath();
        cut.rect(left, top, width, height);
        cut.clip();
        cut.clearRect(left, top, width, height);
        cut.drawImage(this.photo, 0, 0);
        cut.globalCompositeOperation = "destination-in";
        cut.drawImage(this.canvas, 0, 0);
        cut.restore();
    }

    #canvas() {
        return Object.assign(document.createElement("canvas"), {
            width: this.width, height: this.height,
        });
    }

    #blurred(values, { lines, length, line, step, reach }) {
        const result = new Float32Array(values.length);
        const most = length - 1;
        for (let each = 0; each < lines; each += 1) {
            const at = (i) => values[each * line + Math.max(0, Math.min(most, i)) * step];
            let sum = 0;
            for (let i = -reach; i <= reach; i += 1) {
                sum += at(i);
            }
            for (let i = 0; i < length; i += 1) {
                result[each * line + i * step] = sum / (2 * reach + 1);
                sum += at(i + reach + 1) - at(i - reach);
            }
        }
        return result;
    }

    #touchAround(points, by) {
        const xs = points.map((each) => each.x);
        const ys = points.map((each) => each.y);
        this.#touch(Math.min(...xs) - by, Math.min(...ys) - by, Math.max(...xs) + by, Math.max(...ys) + by);
    }

    #touch(left, top, right, bottom) {
        const box = {
            left: Math.max(0, Math.floor(left)), top: Math.max(0, Math.floor(top)),
            right: Math.min(this.width, Math.ceil(right)), bottom: Math.min(this.height, Math.ceil(bottom)),
        };
        if (box.right <= box.left || box.bottom <= box.top) {
            return;
        }
        const old = this.dirty ?? box;
        this.dirty = {
            left: Math.min(old.left, box.left), top: Math.min(old.top, box.top),
            right: Math.max(old.right, box.right), bottom: Math.max(old.bottom, box.bottom),
        };
        this.compose({
            left: box.left, top: box.top, width: box.right - box.left, height: box.bottom - box.top,
        });
    }

    #keep(keeps) {
        const box = this.dirty;
        this.dirty = null;
        if (box === null || !keeps) {
            return;
        }
        const place = [box.left, box.top, box.right - box.left, box.bottom - box.top];
        const alphaOf = (context) => {
            const { data } = context.getImageData(...place);
            return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3]);
        };
        const change = { place, before: alphaOf(this.before.getContext("2d")), after: alphaOf(this.context) };
        this.changes.length = this.at;
        if (this.savedAt > this.at) {
            /* What was saved can no longer be reached by undoing. */
            this.savedAt = -1;
        }
        this.changes.push(change);
        this.at += 1;
        let kept = this.changes.reduce((sum, each) => sum + 2 * each.before.length, 0);
        while (kept > CutoutMask.MOST_KEPT && this.changes.length > 1) {
            kept -= 2 * this.changes.shift().before.length;
            this.at -= 1;
            this.savedAt -= 1;
        }
    }

    #apply({ place, ...states }, which) {
        const [left, top, width, height] = place;
        const part = this.context.createImageData(width, height);
        states[which].forEach((value, i) => { part.data[4 * i + 3] = value; });
        this.context.putImageData(part, left, top);
        this.compose({ left, top, width, height });
    }
}

/* What is not saved, kept by the browser until its window is closed. */
class CutoutDraft {
    constructor(key) {
        this.key = key;
        /* Whether there is no room for it, so that leaving the page has to be asked about. */
        this.isLost = false;
    }

    forget() {
        sessionStorage.removeItem(this.key);
        this.isLost = false;
    }

    async keep({ version, mask, strokes }) {
        try {
            const bytes = new Uint8Array(await (await mask.file()).arrayBuffer());
            let text = "";
            for (let i = 0; i < bytes.length; i += 8192) {
                text += String.fromCharCode(...bytes.subarray(i, i + 8192));
            }
            sessionStorage.setItem(this.key, JSON.stringify({ version, mask: btoa(text), strokes }));
            this.isLost = false;
        } catch {
            this.isLost = true;
        }
    }

    /* {version, mask, strokes}, the mask as a picture; null if there is none that can be read. */
    async read() {
        try {
            const { mask, ...rest } = JSON.parse(sessionStorage.getItem(this.key));
            const bytes = Uint8Array.from(atob(mask), (each) => each.charCodeAt(0));
            const file = new Blob([bytes], { type: "image/png" });
            return { ...rest, mask: await createImageBitmap(file) };
        } catch {
            return null;
        }
    }
}
