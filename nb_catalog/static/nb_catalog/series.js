"use strict";
/* Sorts the members of a series with the pointer or the keyboard. Without JavaScript, the arrows below each picture
   do the same, a place at a time. */
{
    const SAVE_AFTER = 700;
    const MOST_MESSAGES = 2;
    const EDGE = 70;
    const SCROLL = 14;
    const form = document.getElementById("nbc-series");
    const list = document.getElementById("nbc-members");
    const messages = document.getElementById("nbc-messages");
    let timer = 0;
    let saving = false;
    let dragged = null;

    const members = () => [...list.querySelectorAll(".nbc-member")];
    const order = () => members().map((each) => each.dataset.key);

    const say = (text, level, act = null) => {
        const line = document.createElement("li");
        line.className = level;
        line.textContent = text;
        if (act !== null) {
            const button = document.createElement("button");
            button.type = "button";
            button.className = "button";
            button.textContent = form.dataset.mine;
            button.addEventListener("click", () => {
                line.remove();
                act();
            });
            line.append(" ", button);
        }
        messages.prepend(line);
        while (messages.children.length > MOST_MESSAGES) {
            messages.lastElementChild.remove();
        }
        if (level === "success" || level === "info") {
            setTimeout(() => line.remove(), 6000);
        }
    };

    const number = () => {
        members().forEach((each, at) => {
            each.querySelector(".nbc-place").textContent = String(list.start + at);
        });
    };

    /* Only moved if it is elsewhere: what is moved loses its focus and its pointer. */
    const arrange = (keys) => {
        const focused = document.activeElement;
        const known = new Map(members().map((each) => [each.dataset.key, each]));
        list.append(...keys.filter((key) => known.has(key)).map((key) => known.get(key)));
        number();
        if (list.contains(focused)) {
            focused.focus({ preventScroll: true });
        }
    };

    let saved = list === null ? [] : order();

    const save = async () => {
        clearTimeout(timer);
        const mine = order();
        if (saving) {
            timer = setTimeout(save, SAVE_AFTER);
            return;
        }
        if (mine.join("\n") === saved.join("\n")) {
            return;
        }
        saving = true;
        const body = new URLSearchParams();
        body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
        body.set("decision", "sort");
        body.set("version", form.elements.version.value);
        mine.forEach((key) => body.append("order", key));
        try {
            const response = await fetch(form.action, {
                method: "POST", body, credentials: "same-origin", keepalive: true,
                headers: { Accept: "application/json" },
            });
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            const data = await response.json();
            form.elements.version.value = data.version;
            if (data.ok) {
                saved = mine;
                say(data.message, data.level);
            } else {
                /* The other order stays; mine can be saved over it, on purpose. */
                const shown = new Set(mine);
                arrange(data.order.filter((key) => shown.has(key)));
                saved = order();
                say(data.message, data.level, () => {
                    arrange(mine);
                    save();
                });
            }
        } catch {
            say(form.dataset.failed, "error");
        }
        saving = false;
    };

    const announce = (member) => {
        const all = members();
        const text = form.dataset.place.replace("{title}", member.querySelector("[id^=title-]").textContent)
            .replace("{place}", String(list.start + all.indexOf(member)))
            .replace("{total}", String(list.start + all.length - 1));
        say(text, "info");
    };

    const place = (member, at) => {
        const others = members().filter((each) => each !== member);
        list.insertBefore(member, others[Math.max(0, at)] ?? null);
        number();
    };

    const onKey = (event) => {
        const grip = event.target.closest(".nbc-grip");
        if (grip === null || event.altKey || event.ctrlKey || event.metaKey) {
            return;
        }
        const member = grip.closest(".nbc-member");
        const all = members();
        const at = all.indexOf(member);
        const forward = document.documentElement.dir === "rtl" ? -1 : 1;
        const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
        const targets = {
            ArrowLeft: at - forward, ArrowRight: at + forward, ArrowUp: at - columns,
            ArrowDown: at + columns, Home: 0, End: all.length - 1,
        };
        if (!(event.key in targets)) {
            return;
        }
        event.preventDefault();
        const to = Math.min(Math.max(targets[event.key], 0), all.length - 1);
        if (to !== at) {
            place(member, to);
            grip.focus({ preventScroll: true });
            member.scrollIntoView({ block: "nearest" });
            clearTimeout(timer);
            timer = setTimeout(save, SAVE_AFTER);
        }
        announce(member);
    };

    const startDrag = (event) => {
        const member = event.target.closest(".nbc-member");
        const holds = event.target.closest(".nbc-grip") !== null ||
            (event.pointerType === "mouse" && event.target.closest(".nbc-shown") !== null);
        if (member === null || !holds || event.button !== 0) {
            return;
        }
        event.preventDefault();
        event.target.closest(".nbc-shown").querySelector(".nbc-grip").focus({ preventScroll: true });
        dragged = { member, before: order(), x: event.clientX, y: event.clientY, moving: 0 };
        member.classList.add("nbc-dragging");
        document.body.classList.add("nbc-drags");
        dragged.moving = requestAnimationFrame(follow);
    };

    /* Also while the pointer rests at an edge: the page scrolls below it. */
    const follow = () => {
        if (dragged === null) {
            return;
        }
        const { member, x, y } = dragged;
        if (y < EDGE) {
            window.scrollBy(0, -SCROLL);
        } else if (y > window.innerHeight - EDGE) {
            window.scrollBy(0, SCROLL);
        }
        const below = document.elementsFromPoint(x, y)
            .map((each) => each.closest(".nbc-member"))
            .find((each) => each !== null && each !== member && list.contains(each));
        if (below && below !== dragged.last) {
            place(member, members().indexOf(below));
        }
        /* The one that has given way lies below the pointer until the pointer leaves it. */
        dragged.last = below;
        dragged.moving = requestAnimationFrame(follow);
    };

    const endDrag = (keeps) => {
        if (dragged === null) {
            return;
        }
        const { member, before, moving } = dragged;
        dragged = null;
        cancelAnimationFrame(moving);
        member.classList.remove("nbc-dragging");
        document.body.classList.remove("nbc-drags");
        if (keeps) {
            save();
        } else {
            arrange(before);
        }
    };

    const showGrips = (within) => {
        for (const grip of within.querySelectorAll(".nbc-grip")) {
            grip.hidden = false;
        }
    };

    if (list !== null && list.querySelector(".nbc-grip") !== null) {
        showGrips(list);
        /* A member that was fetched again (live.js). */
        list.addEventListener("nbc:live", (event) => {
            showGrips(event.target);
            number();
        });
        document.getElementById("nbc-drag-help").hidden = false;
        list.addEventListener("keydown", onKey);
        list.addEventListener("pointerdown", startDrag);
        window.addEventListener("pointermove", (event) => {
            if (dragged !== null) {
                dragged.x = event.clientX;
                dragged.y = event.clientY;
            }
        });
        window.addEventListener("pointerup", () => endDrag(true));
        window.addEventListener("pointercancel", () => endDrag(false));
        window.addEventListener("keydown", (event) => {
            if (event.key === "Escape") {
                endDrag(false);
            }
        });
        /* An order that waits to be saved is not lost with the page. */
        window.addEventListener("pagehide", save);
    }
}
