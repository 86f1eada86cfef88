"use strict";
/* The review page at speed: a decision is shown at once and sent behind, and can be undone before and after. */
{
    const { form } = ReviewPage;
    const AFTER = {
        approve: "approved", reject: "rejected", reconsider: "pending", retire: "retired", restore: "approved",
        publish: "approved",
    };
    const ADVANCING = ["approve", "reject", "publish"];
    const MOST_CARDS = 50;
    const REFRESH_AFTER = 900;
    /* Longer than an answer takes: what is sent at once needs no words. */
    const SAY_UNSENT_AFTER = 1500;
    const PRELOADED = 8;
    const KEPT = 240;
    const RENEW_EVERY = 5 * 60 * 1000;
    const status = document.getElementById("nbc-unsent");
    const names = JSON.parse(document.getElementById("nbc-state-names").textContent);
    const undoable = [];
    const touched = new Set();
    const saidToWait = new Set();
    let refreshing = null;

    const text = (name, values) =>
        (form.dataset[name] ?? "").replace(/\{(\w+)\}/g, (_all, key) => values[key] ?? "");
    const card = (pk) => document.getElementById(`picture-${pk}`);

    const freshToken = async () => {
        const response = await fetch(window.location.href, { credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const field = page.querySelector("#nbc-review [name=csrfmiddlewaretoken]");
        /* What one person has decided is not sent as another's, who has signed in meanwhile. */
        if (field === null || field.form.dataset.user !== form.dataset.user) {
            const problem = new Error("signed out");
            problem.name = "SignedOut";
            throw problem;
        }
        return field.value;
    };

    const outbox = new ReviewOutbox({ url: form.dataset.send, user: form.dataset.user, freshToken });
    outbox.token = form.querySelector("[name=csrfmiddlewaretoken]").value;

    /* The card as it will be: its state, and no buttons until the server has said which there are. */
    const showState = (pk, state) => {
        const box = card(pk);
        if (box === null || !(state in names)) {
            return;
        }
        for (const each of Object.keys(names)) {
            box.classList.toggle(`nbc-is-${each}`, each === state);
        }
        box.dataset.state = state;
        box.dataset.waits = "";
        const badge = box.querySelector(".nbc-badge-state");
        badge.className = `nbc-badge nbc-badge-state nbc-badge-${state}`;
        badge.textContent = names[state];
        for (const each of box.querySelectorAll(":is(.nbc-verbs, .nbc-publish) :is(button, select)")) {
            each.disabled = true;
        }
        const tick = box.querySelector("[name=chosen]");
        if (tick) {
            tick.checked = false;
        }
    };

    const entryFor = (verb, pk, batch) => {
        const box = card(pk);
        const field = (name) => box.querySelector(`[name="${name}-${pk}"]`)?.value ?? "";
        const place = verb !== "publish" ? {} : {
            slot: (batch && document.getElementById("nbc-bulk-slot")?.value) || field("slot"),
            locale: field("locale"),
            position: Math.min(Math.max((parseInt(field("position"), 10) || 1) - 1, 0), 1000),
        };
        return {
            id: ReviewOutbox.newId(), image: Number(pk), verb, seen: box.dataset.state, note: field("note").trim(),
            ...place, ...(batch ? { batch } : {}),
        };
    };

    /* Says what was done, with the way back. */
    const remember = (action, message) => {
        undoable.push(action);
        action.line = ReviewPage.say({ message, level: "success", undoAll: () => undo(action) });
    };

    /* What was shown as done is corrected to the answer. What was refused cannot be undone. */
    const correct = (entry, { outcome, message, level }) => {
        const action = undoable.find(({ entries }) => entries.length === 1 && entries[0].id === entry.id);
        action?.line.remove();
        if (action && outcome === "refused") {
            undoable.splice(undoable.indexOf(action), 1);
        }
        const canUndo = action && outcome === "partly";
        const way = canUndo ? { undoAll: () => undo(action) }
            : card(entry.image) ? { undoAll: () => ReviewPage.go(card(entry.image)), label: form.dataset.show } : {};
        const line = ReviewPage.say({ message, level, ...way });
        if (canUndo) {
            action.line = line;
        }
    };

    const undo = (action) => {
        const at = undoable.indexOf(action);
        if (at < 0) {
            return;
        }
        undoable.splice(at, 1);
        action.line.remove();
        const sent = action.entries.filter(({ id }) => !outbox.takeBack(id));
        for (const { image } of action.entries) {
            showState(image, action.before[image]);
            touched.add(String(image));
        }
        if (sent.length > 0) {
            const what = action.batch
                ? { verb: "undo_batch", undoes: action.batch }
                : { verb: "undo", undoes: sent[0].id, image: sent[0].image };
            outbox.add({ id: ReviewOutbox.newId(), ...what });
        } else {
            refresh();
        }
        ReviewPage.go(card(action.entries[0].image));
        ReviewPage.say({ message: form.dataset.undone, level: "info" });
    };

    const addComment = (pk) => {
        const box = card(pk);
        const field = box.querySelector(`[name="comment-${pk}"]`);
        const note = field.value.trim();
        if (!note) {
            field.focus();
            return;
        }
        const line = document.createElement("li");
        const name = document.createElement("strong");
        const words = document.createElement("p");
        name.textContent = form.dataset.username;
        words.textContent = note;
        words.dir = "auto";
        line.append(name, words);
        box.querySelector(".nbc-comments ul").append(line);
        field.value = "";
        outbox.add({ id: ReviewOutbox.newId(), image: Number(pk), verb: "comment", note });
        ReviewPage.say({ message: text("saycomment", { pk }), level: "success" });
    };

    const decide = (verb, pk) => {
        const box = card(pk);
        if (verb === "comment" && box !== null) {
            addComment(pk);
            return null;
        }
        if (!(verb in AFTER)) {
            return ReviewPage.decideNow(verb, pk);
        }
        if (box === null || "waits" in box.dataset) {
            return null;
        }
        const entry = entryFor(verb, pk);
        const before = { [pk]: box.dataset.state };
        showState(pk, AFTER[verb]);
        outbox.add(entry);
        remember({ entries: [entry], before }, text(`say${verb}`, { pk, slot: entry.slot }));
        if (ADVANCING.includes(verb)) {
            ReviewPage.advance(pk);
        } else {
            ReviewPage.go(box);
        }
        return null;
    };

    const decideSelected = (verb) => {
        const selected = [...form.querySelectorAll("[name=chosen]:checked")]
            .map((each) => each.closest(".nbc-picture"))
            .filter((box) => !("waits" in box.dataset) && wouldMove(verb, box.dataset.state));
        if (selected.length === 0) {
            ReviewPage.say({ message: form.dataset.nothingselected, level: "warning" });
            return;
        }
        const batch = ReviewOutbox.newId();
        const before = {};
        const entries = selected.map((box) => {
            before[box.dataset.pk] = box.dataset.state;
            return entryFor(verb, box.dataset.pk, batch);
        });
        for (const entry of entries) {
            showState(entry.image, AFTER[verb]);
            outbox.add(entry);
        }
        const all = document.getElementById("nbc-all");
        if (all) {
            all.checked = false;
        }
        remember({ entries, before, batch }, text(`many${verb}`, { n: entries.length }));
        ReviewPage.advance(String(entries.at(-1).image));
    };

    const wouldMove = (verb, state) => ({
        approve: state === "pending",
        reject: state === "pending" || state === "approved",
        publish: state === "pending" || state === "approved",
        reconsider: state === "approved" || state === "rejected",
    })[verb] ?? true;

    /* Cards as the server has them now, and how many pictures wait. What somebody types in stays. */
    const refresh = (wait = REFRESH_AFTER) => {
        refreshing ??= setTimeout(async () => {
            refreshing = null;
            const keys = [...touched].filter((pk) => card(pk) !== null).slice(0, MOST_CARDS);
            const query = new URLSearchParams(form.querySelector("[name=back]").value);
            query.set("cards", keys.join(","));
            try {
                const response = await fetch(`${form.dataset.cards}?${query}`, { credentials: "same-origin" });
                if (!response.ok || response.redirected) {
                    return;
                }
                const { cards, found } = await response.json();
                document.getElementById("nbc-found").textContent = found;
                for (const pk of keys) {
                    if (!(pk in cards) || renew(pk, cards[pk])) {
                        touched.delete(pk);
                    }
                }
                form.dispatchEvent(new CustomEvent("nbc:more"));
            } catch {
                return;
            }
            /* Others, and those that somebody was typing in. */
            if ([...touched].some((pk) => card(pk) !== null)) {
                refresh();
            }
        }, wait);
    };

    /* Returns whether the card is as the server has it. */
    const renew = (pk, html) => {
        const box = card(pk);
        if (outbox.concerns(Number(pk)) || (box !== null && box.contains(document.activeElement)
            && ReviewPage.types(document.activeElement))) {
            return false;
        }
        if (box === null) {
            return true;
        }
        const hadFocus = box.contains(document.activeElement);
        const focused = hadFocus ? document.activeElement.getAttribute("value") : null;
        const isNow = box.classList.contains("nbc-now");
        const isOpen = box.querySelector("details.nbc-further")?.open;
        const words = box.querySelector(`[name="comment-${pk}"]`)?.value;
        const { fresh, note } = ReviewPage.replace(box, html);
        const comment = fresh.querySelector(`[name="comment-${pk}"]`);
        if (comment && words) {
            comment.value = words;
            comment.closest("details").open = true;
        }
        const field = fresh.querySelector(`[name="note-${pk}"]`);
        if (field && note && !("noteIsRecorded" in box.dataset)) {
            field.value = note;
        }
        if (field && isOpen) {
            field.closest("details").open = true;
        }
        if (isNow) {
            fresh.classList.add("nbc-now");
        }
        /* What was selected is decided as it was seen. */
        const tick = fresh.querySelector("[name=chosen]");
        if (tick && fresh.dataset.state === box.dataset.state) {
            tick.checked = box.querySelector("[name=chosen]")?.checked ?? false;
        }
        form.dispatchEvent(new CustomEvent("nbc:renewed", { detail: fresh }));
        if (hadFocus) {
            const same = focused && fresh.querySelector(`button[value="${CSS.escape(focused)}"]`);
            (same || fresh).focus({ preventScroll: true });
        }
        return true;
    };

    outbox.addEventListener("answered", ({ detail: { entry, result } }) => {
        for (const pk of [entry.image, ...Object.keys(result.states)]) {
            if (pk !== undefined && pk !== null) {
                touched.add(String(pk));
            }
        }
        const box = entry.image ? card(entry.image) : null;
        const waits = result.outcome === "waiting";
        const isDone = result.outcome === "done" || waits;
        if (isDone && box !== null) {
            box.dataset.noteIsRecorded = "";
        }
        if (waits && !saidToWait.has(entry.batch)) {
            /* Once for all of a batch. */
            saidToWait.add(entry.batch);
            ReviewPage.say({ message: form.dataset.waits, level: "info" });
        }
        if (!isDone) {
            correct(entry, result);
        }
        refresh(isDone ? REFRESH_AFTER : 0);
    });

    /* What others have done (review_live.js). */
    form.addEventListener("nbc:changed", ({ detail }) => {
        detail.forEach((pk) => touched.add(pk));
        refresh(0);
    });

    let since = null;
    let saying = null;
    const showUnsent = () => {
        const { size } = outbox;
        since = size === 0 ? null : since ?? Date.now();
        clearTimeout(saying);
        const isLate = size > 0 && (outbox.failures > 0 || Date.now() - since > SAY_UNSENT_AFTER);
        status.hidden = !isLate;
        if (!isLate) {
            saying = size > 0 ? setTimeout(showUnsent, SAY_UNSENT_AFTER) : null;
            status.textContent = "";
            return;
        }
        const name = size === 1 ? "unsentone" : "unsentmany";
        const words = [text(name, { n: size })];
        if (outbox.failures > 0) {
            words.push(outbox.problem === "signed-out" ? form.dataset.signedout : form.dataset.offline);
        }
        if (status.textContent !== words.join(" ")) {
            status.textContent = words.join(" ");
        }
    };
    outbox.addEventListener("change", showUnsent);
    window.addEventListener("beforeunload", (event) => {
        if (outbox.size > 0 && outbox.failures > 0) {
            event.preventDefault();
        }
    });

    /* The pictures that come next are there before they are looked at. */
    form.addEventListener("nbc:go", ({ detail: box }) => {
        const all = ReviewPage.cards();
        const at = all.indexOf(box);
        for (const next of all.slice(at, at + 1 + PRELOADED)) {
            const picture = next.querySelector(".nbc-zoom img");
            if (picture && picture.loading !== "eager") {
                picture.loading = "eager";
            }
        }
        if (all.length > KEPT) {
            trim(box);
        }
    });

    /* A page that has been open all day stays quick: what was decided long ago leaves it. */
    const trim = (box) => {
        for (const section of form.querySelectorAll("section.nbc-product")) {
            const stays = section.contains(box) || ReviewPage.cards().length <= KEPT / 2
                || [...section.querySelectorAll(".nbc-picture")].some(
                    (each) => ReviewPage.isOpen(each) || "waits" in each.dataset);
            if (stays) {
                return;
            }
            section.remove();
        }
    };

    /* What is theirs stays theirs while the page is open. What is not any more, because the computer was asleep,
       shows who judges it now. */
    const renewClaims = async () => {
        const keys = ReviewPage.cards().filter(ReviewPage.isOpen).map(({ dataset }) => dataset.pk);
        try {
            const response = await fetch(form.dataset.claims, {
                method: "POST", credentials: "same-origin", body: new URLSearchParams({ cards: keys.join(",") }),
                headers: { "Accept": "application/json", "X-CSRFToken": outbox.token },
            });
            if (response.status === 403) {
                /* For the next time: who has signed in again has another token. */
                outbox.token = await freshToken();
                return;
            }
            const { claimed } = await response.json();
            const lost = keys.filter((pk) => !claimed.includes(Number(pk)));
            if (lost.length > 0) {
                form.dispatchEvent(new CustomEvent("nbc:changed", { detail: lost }));
            }
        } catch {
            /* The next time, or when the page is opened again. */
        }
    };
    if (form.dataset.claims) {
        setInterval(renewClaims, RENEW_EVERY);
    }

    const end = document.getElementById("nbc-end");
    new IntersectionObserver((entries) => {
        if (entries.some((each) => each.isIntersecting)) {
            ReviewPage.loadMore();
        }
    }, { rootMargin: "800px" }).observe(end);

    document.addEventListener("keydown", (event) => {
        const isFree = !event.altKey && !event.ctrlKey && !event.metaKey && !ReviewPage.types(event.target);
        if (event.key === "u" && isFree && ReviewPage.keysAreOn() && undoable.length > 0
            && event.target.closest(".nbc-picture, #nbc-zoom, .nbc-messages") !== null) {
            event.preventDefault();
            undo(undoable.at(-1));
        }
    });

    document.querySelectorAll(".nbc-scripted").forEach((each) => { each.hidden = false; });
    ReviewPage.decideNow = ReviewPage.decide;
    ReviewPage.decide = decide;
    ReviewPage.decideSelected = decideSelected;
    ReviewPage.undoLast = () => undoable.length > 0 && undo(undoable.at(-1));
    ReviewPage.outbox = outbox;
    ReviewPage.renewClaims = renewClaims;
    const first = ReviewPage.now();
    if (first) {
        form.dispatchEvent(new CustomEvent("nbc:go", { detail: first }));
    }
    showUnsent();
    outbox.send();
}
