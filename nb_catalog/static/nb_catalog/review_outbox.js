"use strict";
/* What was decided and is not answered yet: kept in the browser, sent in its order, and sent again until the
   server has answered. Each entry has an id, under which the server carries it out once. Knows no page. */
class ReviewOutbox extends EventTarget {
    static MOST = 20;
    static FIRST_WAIT = 1000;
    static LONGEST_WAIT = 30000;

    constructor({ url, user, freshToken }) {
        super();
        this.url = url;
        this.user = user;
        this.prefix = `nbc-review:${user}:`;
        this.freshToken = freshToken;
        this.token = "";
        this.memory = new Map();
        this.tried = new Set();
        this.made = new Set();
        this.failures = 0;
        this.most = ReviewOutbox.MOST;
        this.number = 0;
        this.isSending = false;
        this.timer = null;
        window.addEventListener("online", () => this.send());
        /* Another page of the same person has got an answer. */
        window.addEventListener("storage", (event) => {
            if (event.key?.startsWith(this.prefix)) {
                this.#report("change");
            }
        });
    }

    static newId() {
        if (crypto.randomUUID) {
            return crypto.randomUUID();
        }
        /* Only pages of HTTPS have it. */
        const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0"));
        hex[6] = `4${hex[6][1]}`;
        hex[8] = `a${hex[8][1]}`;
        return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    }

    get size() {
        return this.#keys().length;
    }

    /* Whether something about a picture is on its way. */
    concerns(image) {
        return this.#keys().some((key) => {
            const entry = this.#read(key);
            return entry?.image === image || entry?.verb === "undo_batch";
        });
    }

    add(entry) {
        this.number += 1;
        const when = String(Date.now()).padStart(15, "0");
        this.#write(`${this.prefix}${when}:${String(this.number).padStart(6, "0")}:${entry.id}`, entry);
        this.made.add(entry.id);
        this.#report("change");
        this.send();
    }

    /* Takes an entry back that was never sent. Returns whether it did. */
    takeBack(id) {
        const key = this.#keys().find((each) => each.endsWith(`:${id}`));
        if (key === undefined || this.tried.has(id) || !this.made.has(id)) {
            return false;
        }
        this.#remove(key);
        this.#report("change");
        return true;
    }

    /* Sends what there is, unless it is sending. With several pages open, one of them sends. */
    async send() {
        if (this.isSending || this.size === 0) {
            return;
        }
        clearTimeout(this.timer);
        this.isSending = true;
        try {
            if (navigator.locks) {
                await navigator.locks.request(this.prefix, () => this.#sendAll());
            } else {
                await this.#sendAll();
            }
            this.failures = 0;
            this.most = ReviewOutbox.MOST;
        } catch (problem) {
            this.failures += 1;
            /* One that the server breaks at must not stop the others. */
            this.most = 1;
            const wait = Math.min(ReviewOutbox.FIRST_WAIT * 2 ** (this.failures - 1), ReviewOutbox.LONGEST_WAIT);
            this.timer = setTimeout(() => this.send(), wait);
            this.problem = problem.name === "SignedOut" ? "signed-out" : "offline";
        }
        this.isSending = false;
        this.#report("change");
        if (this.failures === 0 && this.size > 0) {
            this.send();
        }
    }

    async #sendAll() {
        let keys = this.#keys().slice(0, this.most);
        while (keys.length > 0) {
            const entries = keys.map((key) => this.#read(key));
            for (const { id } of entries) {
                this.tried.add(id);
            }
            const results = await this.#post(entries, keys);
            for (const [at, result] of results.entries()) {
                this.#remove(keys[at]);
                this.dispatchEvent(new CustomEvent("answered", { detail: { entry: entries[at], result } }));
            }
            this.failures = 0;
            this.#report("change");
            keys = this.#keys().slice(0, this.most);
        }
    }

    async #post(entries, keys, again = true) {
        if (!this.token) {
            this.token = await this.freshToken();
        }
        const response = await fetch(this.url, {
            method: "POST", credentials: "same-origin", body: JSON.stringify({ user: this.user, sent: entries }),
            headers: { "Accept": "application/json", "Content-Type": "application/json", "X-CSRFToken": this.token },
        });
        const isAnswer = (response.headers.get("Content-Type") || "").startsWith("application/json");
        if (response.ok && isAnswer) {
            return (await response.json()).results;
        }
        if (response.status === 403 && again) {
            /* Who has signed in again has another token. */
            this.token = await this.freshToken();
            return this.#post(entries, keys, false);
        }
        if (response.redirected || response.status === 403) {
            const problem = new Error("signed out");
            problem.name = "SignedOut";
            this.token = "";
            throw problem;
        }
        if (response.status >= 500 && keys.length === 1 && this.failures >= 3) {
            this.#postpone(entries[0]);
        }
        throw new Error(String(response.status));
    }

    /* Puts the entries about a picture, and what undoes them, behind the others in their order. */
    #postpone({ image, batch }) {
        for (const key of this.#keys()) {
            const entry = this.#read(key);
            if (entry.image === image || (batch && entry.undoes === batch)) {
                this.#remove(key);
                this.number += 1;
                const when = String(Date.now()).padStart(15, "0");
                this.#write(`${this.prefix}${when}:${String(this.number).padStart(6, "0")}:${entry.id}`, entry);
            }
        }
    }

    #report(name) {
        this.dispatchEvent(new CustomEvent(name));
    }

    /* A browser may have no storage, or a full one: then the entries live as long as the page. */
    #keys() {
        let stored = [];
        try {
            stored = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
        } catch {
            /* Nothing is stored. */
        }
        return [...stored, ...this.memory.keys()].sort();
    }

    #read(key) {
        return this.memory.get(key) ?? JSON.parse(localStorage.getItem(key));
    }

    #write(key, entry) {
        try {
            localStorage.setItem(key, JSON.stringify(entry));
        } catch {
            this.memory.set(key, entry);
        }
    }

    #remove(key) {
        this.memory.delete(key);
        try {
            localStorage.removeItem(key);
        } catch {
            /* It was not there. */
        }
    }
}
