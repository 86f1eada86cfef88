"use strict";
/* What others decide shows on the cards, and what is made meanwhile is offered below the number of pictures. */
{
    const { form } = ReviewPage;
    const found = document.getElementById("nbc-found");
    const news = document.getElementById("nbc-news");
    const EVERY = 4000;
    const changed = new Set();
    /* Events of the last seconds may come twice. */
    const known = new Set();
    let isMade = false;
    let before = found.textContent;

    const onEvent = (name, data, isOld) => {
        if (name === "reset") {
            ReviewPage.cards().forEach((each) => changed.add(each.dataset.pk));
            isMade = true;
        } else if (data.change === "made") {
            isMade ||= !isOld && !known.has(data.image);
            known.add(data.image);
        } else {
            for (const pk of [data.image, data.before].filter(Boolean).map(String)) {
                const card = document.getElementById(`picture-${pk}`);
                /* My own decisions come back, too. */
                if (card !== null && card.dataset.state !== data.state) {
                    changed.add(pk);
                }
            }
        }
    };

    const look = async () => {
        if (changed.size > 0 || isMade) {
            form.dispatchEvent(new CustomEvent("nbc:changed", { detail: [...changed] }));
        }
        changed.clear();
    };

    /* After cards were fetched again: more pictures of this filter than before? */
    form.addEventListener("nbc:more", () => {
        if (isMade && found.textContent !== before) {
            news.hidden = false;
        }
        isMade = false;
        before = found.textContent;
    });

    window.nbcWatch({ events: form.dataset.changes, onEvent, look, every: EVERY });
}
