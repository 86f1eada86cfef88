"use strict";
/* The ground under the cut-outs is changed in place; without JavaScript, by the filter form. */
{
    const page = document.querySelector("[data-ground]");
    const choice = document.getElementById("id_ground");
    const queue = document.getElementById("nbc-queue");
    const SCENE = "scene:";

    const withGround = (query) => {
        const search = new URLSearchParams(query);
        search.set("ground", choice.value);
        return search.toString();
    };

    const show = () => {
        const scene = choice.value.startsWith(SCENE) ? choice.value.slice(SCENE.length) : "";
        page.dataset.ground = choice.value;
        for (const picture of document.querySelectorAll(".nbc-grounded > img[data-cut]")) {
            const url = scene ? picture.dataset.scene + encodeURIComponent(scene) : picture.dataset.cut;
            if (picture.getAttribute("src") !== url) {
                picture.setAttribute("src", url);
                picture.parentElement.setAttribute("href", url);
            }
        }
        window.history.replaceState(null, "", `?${withGround(window.location.search)}`);
        const back = document.querySelector("#nbc-review [name=back]");
        back.value = withGround(back.value);
        if (queue.dataset.later) {
            queue.dataset.later = `?${withGround(queue.dataset.later)}`;
        }
    };

    if (page !== null && choice !== null) {
        choice.addEventListener("change", show);
    }
}
