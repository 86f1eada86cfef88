"use strict";
/* nbcWatch: keeps a page up to date. Over server-sent events where the server streams them, otherwise by polling, and
   the page shows no difference.

   events: address of the stream, empty without one; look: reads what is new and shows it; poll: the same at intervals,
   returns true once nothing will change any more; lost: is told whether the connection is lost; onEvent: gets name and
   data of each event, and whether it may be older than the page. Without poll, the events themselves are polled. */
window.nbcWatch = ({ events, look, poll, every = 1500, lost = () => {}, onEvent = () => {} }) => {
    const NAMES = ["progress", "picture", "reset"];
    /* The server sends something every 15 seconds. Without it, a proxy holds events back. */
    const SILENCE = 45000;
    const LOST_AFTER = 3;
    const GAP = 400;
    let stream = null;
    let silence = 0;
    let failures = 0;
    let over = false;
    let looking = false;
    let again = false;

    const lookNow = async () => {
        if (looking) {
            again = true;
            return;
        }
        looking = true;
        try {
            await look();
        } catch {
            /* The next event or the next connection has it. */
        }
        setTimeout(() => {
            looking = false;
            if (again) {
                again = false;
                lookNow();
            }
        }, GAP);
    };

    let lastId = "";

    const pollEvents = async () => {
        const response = await fetch(events, {
            credentials: "same-origin",
            headers: { Accept: "application/json", ...(lastId && { "Last-Event-ID": lastId }) },
        });
        if (!response.ok || response.redirected) {
            throw new Error(String(response.status));
        }
        const data = await response.json();
        for (const each of data.events) {
            onEvent(each.event, each.data, lastId === "");
        }
        lastId = data.last_id;
        if (data.events.length > 0) {
            await look();
        }
        return data;
    };

    const pollOn = async () => {
        let done = false;
        if (!document.hidden) {
            try {
                done = poll ? await poll() : (await pollEvents()).over;
                failures = 0;
                lost(false);
            } catch {
                failures += 1;
                lost(failures >= LOST_AFTER);
            }
        }
        if (!done) {
            setTimeout(pollOn, every * Math.min(1 + failures, 10));
        }
    };

    const close = () => {
        clearTimeout(silence);
        if (stream !== null) {
            stream.close();
            stream = null;
        }
    };

    const heard = () => {
        failures = 0;
        lost(false);
        clearTimeout(silence);
        silence = setTimeout(giveUp, SILENCE);
    };

    const giveUp = () => {
        close();
        over = true;
        pollOn();
    };

    const open = () => {
        let isFirst = true;
        const mine = new EventSource(events);
        stream = mine;
        heard();
        mine.addEventListener("open", () => {
            heard();
            if (!isFirst) {
                lookNow();
            }
            isFirst = false;
        });
        for (const name of NAMES) {
            mine.addEventListener(name, (event) => {
                heard();
                onEvent(name, JSON.parse(event.data), false);
                lookNow();
            });
        }
        mine.addEventListener("ping", heard);
        mine.addEventListener("end", () => {
            close();
            over = true;
            lookNow();
        });
        mine.addEventListener("error", () => {
            if (mine.readyState === EventSource.CLOSED) {
                /* No stream, or no longer: the permission, the session or the server has changed. */
                giveUp();
                return;
            }
            failures += 1;
            lost(failures >= LOST_AFTER);
        });
    };

    const follow = () => {
        /* Browsers open six connections to a server at most: tabs in the background take none. */
        document.addEventListener("visibilitychange", () => {
            if (over) {
                return;
            }
            if (document.hidden) {
                close();
            } else if (stream === null) {
                open();
                lookNow();
            }
        });
        if (!document.hidden) {
            open();
        }
    };

    const begin = async () => {
        const streams = events && "EventSource" in window && (poll || (await pollEvents()).streams);
        if (streams) {
            follow();
        } else {
            setTimeout(pollOn, every);
        }
    };
    begin().catch(() => setTimeout(pollOn, every));
};
