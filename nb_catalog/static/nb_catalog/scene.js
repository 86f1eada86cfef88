"use strict";
/* The form of a scene. Recipe: fields and JSON are kept equal, the JSON being what is saved. Photo: handles
   for ground, product and light write into the number fields, which are what is saved. */
document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("#scene_form");
    const json = document.getElementById("id_renderer");
    if (!form) {
        return;
    }

    const read = () => {
        try {
            const recipe = JSON.parse(json.value || "{}");
            return recipe && typeof recipe === "object" && !Array.isArray(recipe) ? recipe : null;
        } catch {
            return null;
        }
    };

    /* A recipe with a framing has the product's size there. */
    const pathOf = (control, recipe) => {
        const path = control.dataset.path.split(".");
        return path[0] === "fill" && recipe.framing ? ["framing", "fill"] : path;
    };

    const valueAt = (recipe, path) => path.reduce(
        (part, step) => (part === null || part === undefined ? undefined : part[step]), recipe,
    );

    const put = (recipe, path, value) => {
        let part = recipe;
        for (const step of path.slice(0, -1)) {
            part[step] = part[step] || {};
            part = part[step];
        }
        part[path[path.length - 1]] = value;
    };

    const switchOf = (control) => document.getElementById(`${control.id}_on`);
    const isRadio = (control) => control.type === "radio";
    const isNumber = (control) => ["range", "number"].includes(control.type);
    const controls = json ? [...form.querySelectorAll("[data-path]")].filter((each) => each.name) : [];

    const showSliders = () => {
        for (const slider of form.querySelectorAll(".nbc-slider")) {
            slider.querySelector("output").textContent = slider.querySelector("input").value;
        }
    };

    /* Fields from JSON. */
    const show = () => {
        const recipe = read();
        if (recipe) {
            for (const control of controls) {
                const value = valueAt(recipe, pathOf(control, recipe)) ?? control.dataset.default;
                const toggle = switchOf(control);
                if (isRadio(control)) {
                    control.checked = control.value === String(value);
                } else if (toggle) {
                    toggle.checked = Boolean(value);
                    control.value = value || control.value;
                } else {
                    control.value = value;
                }
            }
        }
        showSliders();
    };

    /* JSON from fields; what no field shows stays. */
    const write = () => {
        const recipe = read() || {};
        const ground = controls.find((each) => each.dataset.path === "surface.kind" && each.checked);
        if (!ground || !ground.value) {
            json.value = "{}";
            return;
        }
        const props = Array.isArray(recipe.props) ? recipe.props : [];
        recipe.props = props;
        for (const control of controls) {
            const path = pathOf(control, recipe);
            if (isRadio(control) && !control.checked) {
                continue;
            }
            if (path[0] === "props") {
                while (props.length <= Number(path[1])) {
                    props.push({});
                }
            }
            const toggle = switchOf(control);
            let value = isNumber(control) ? Number(control.value) : control.value;
            if (toggle && !toggle.checked) {
                value = "";
            }
            const isDefault = String(value) === String(
                isNumber(control) ? Number(control.dataset.default) : control.dataset.default,
            );
            if (!isDefault || valueAt(recipe, path) !== undefined) {
                put(recipe, path, value);
            }
        }
        if (!recipe.wall || !recipe.wall.kind) {
            delete recipe.wall;
        }
        recipe.props = props.filter((prop) => prop.kind);
        if (!recipe.props.length) {
            delete recipe.props;
        }
        json.value = JSON.stringify(recipe, null, 2);
    };

    const synced = document.getElementById("id_fields_synced");
    if (json && controls.length && synced) {
        synced.value = "on";
        show();
        json.addEventListener("input", (event) => event.isTrusted && show());
        const changed = (event) => {
            if (event.target.dataset.path || event.target.id.endsWith("_on")) {
                write();
                json.dispatchEvent(new Event("input"));
            }
        };
        form.addEventListener("input", changed);
        /* The saved picture has no product. */
        const product = form.querySelector(".nbc-design select[name=product]");
        if (product && product.value && json.value.trim().length > 2) {
            setTimeout(() => product.dispatchEvent(new Event("change")));
        }
    }
    form.addEventListener("input", showSliders);
    form.addEventListener("reset", () => setTimeout(() => {
        synced.value = "on";
        show();
        json.dispatchEvent(new Event("input"));
        form.dispatchEvent(new Event("nbc-place"));
    }));

    /* The photo. */
    const place = form.querySelector(".nbc-place");
    if (!place) {
        showSliders();
        return;
    }
    const WAIT = 250;
    const STEP = 0.01;
    const TURN = 5;
    const stage = place.querySelector(".nbc-stage");
    const number = (name) => document.getElementById(`id_place_${name}`);
    const get = (name) => Number(number(name).value);
    const view = () => form.querySelector("[name=place_view]:checked")?.value || "front";
    const within = (value, least, most) => Math.max(least, Math.min(most, value));
    const rounded = (value) => Math.round(value * 1000) / 1000;

    const set = (values) => {
        for (const [name, value] of Object.entries(values)) {
            number(name).value = rounded(value);
        }
        lay();
        later();
    };

    const handle = (className, label, role) => {
        const made = document.createElement(role === "slider" ? "div" : "button");
        made.className = className;
        if (role === "slider") {
            made.tabIndex = 0;
            made.setAttribute("role", "slider");
        } else {
            made.type = "button";
        }
        made.setAttribute("aria-label", label);
        stage.append(made);
        return made;
    };
    const ground = handle("nbc-ground", place.dataset.ground, "slider");
    const box = handle("nbc-box nbc-product", place.dataset.product, "button");
    const corner = document.createElement("span");
    corner.className = "nbc-handle";
    box.append(document.createElement("span"), corner);
    const dial = document.createElement("div");
    dial.className = "nbc-dial";
    stage.append(dial);
    const sun = handle("nbc-sun", place.dataset.light, "slider");
    dial.append(sun);
    ground.setAttribute("aria-orientation", "vertical");
    ground.setAttribute("aria-valuemin", "0");
    ground.setAttribute("aria-valuemax", "100");
    sun.setAttribute("aria-valuemin", "-180");
    sun.setAttribute("aria-valuemax", "180");

    const percent = (share) => `${Math.round(share * 1000) / 10}%`;

    function lay() {
        const stands = view() === "front";
        ground.hidden = !stands;
        ground.style.top = percent(get("ground"));
        ground.setAttribute("aria-valuenow", String(Math.round(100 * get("ground"))));
        ground.setAttribute("aria-valuetext", percent(get("ground")));
        const size = stage.getBoundingClientRect();
        const wide = 0.75 * get("height") * size.height / Math.max(1, size.width);
        box.style.left = percent(get("x") - wide / 2);
        box.style.width = percent(wide);
        box.style.top = percent(get("bottom") - get("height"));
        box.style.height = percent(get("height"));
        box.setAttribute("aria-label",
            `${place.dataset.product}: ${percent(get("x"))}, ${percent(get("bottom"))}, ${percent(get("height"))}`);
        /* From above: the camera is at the lower rim, the middle is straight overhead. */
        const turn = get("azimuth") * Math.PI / 180;
        const far = (90 - get("elevation")) / 90;
        sun.style.left = percent(0.5 + 0.5 * far * Math.sin(turn));
        sun.style.top = percent(0.5 + 0.5 * far * Math.cos(turn));
        sun.setAttribute("aria-valuenow", String(Math.round(get("azimuth"))));
        sun.setAttribute("aria-valuetext", `${Math.round(get("azimuth"))}°, ${Math.round(get("elevation"))}°`);
        showSliders();
    }

    const lowest = () => (view() === "front" ? get("ground") + 0.01 : 0.05);
    const moveGround = (share) => set({ ground: within(share, 0, Math.min(1, get("bottom") - 0.01)) });
    const moveBox = (x, bottom) => set({
        x: within(x, 0.02, 0.98),
        bottom: within(bottom, Math.max(lowest(), get("height")), 1),
    });
    const resize = (height) => set({ height: within(height, 0.03, Math.min(0.98, get("bottom"))) });
    const turnSun = (azimuth, elevation) => set({
        azimuth: Math.round(azimuth > 180 ? azimuth - 360 : azimuth < -180 ? azimuth + 360 : azimuth),
        elevation: Math.round(within(elevation, 15, 85)),
    });

    const drag = (element, begin) => element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) {
            return;
        }
        const size = stage.getBoundingClientRect();
        const follow = begin(event, size);
        event.preventDefault();
        element.focus();
        element.setPointerCapture(event.pointerId);
        const stop = () => element.removeEventListener("pointermove", follow);
        element.addEventListener("pointermove", follow);
        element.addEventListener("pointerup", stop, { once: true });
        element.addEventListener("pointercancel", stop, { once: true });
    });
    drag(ground, (event, size) => (step) => moveGround((step.clientY - size.top) / size.height));
    drag(box, (event, size) => {
        const before = { x: get("x"), bottom: get("bottom"), height: get("height") };
        const resizes = event.target === corner;
        return (step) => {
            const across = (step.clientX - event.clientX) / size.width;
            const down = (step.clientY - event.clientY) / size.height;
            return resizes ? resize(before.height - down) : moveBox(before.x + across, before.bottom + down);
        };
    });
    drag(sun, () => {
        const rim = dial.getBoundingClientRect();
        return (step) => {
            const across = (step.clientX - rim.left) / rim.width - 0.5;
            const down = (step.clientY - rim.top) / rim.height - 0.5;
            turnSun(Math.atan2(across, down) * 180 / Math.PI, 90 - 180 * Math.hypot(across, down));
        };
    });

    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const press = (element, act) => element.addEventListener("keydown", (event) => {
        const step = ARROWS[event.key];
        if (step && !event.altKey && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            act(step[0], step[1], event.shiftKey);
        }
    });
    press(ground, (across, down) => moveGround(get("ground") + STEP * (down - across)));
    press(box, (across, down, resizes) => (resizes
        ? resize(get("height") + STEP * (across - down))
        : moveBox(get("x") + STEP * across, get("bottom") + STEP * down)));
    press(sun, (across, down) => turnSun(get("azimuth") + TURN * across, get("elevation") - TURN * down));

    /* The preview. */
    const result = place.querySelector(".nbc-result img");
    const line = place.querySelector("p[role=status]");
    const NAMES = ["ground", "x", "bottom", "height", "azimuth", "elevation", "softness", "strength", "gloss"];
    let timer = 0;
    let latest = 0;

    const draw = async () => {
        const request = ++latest;
        const spot = { view: view() };
        for (const name of NAMES) {
            spot[name] = get(name);
        }
        const query = new URLSearchParams({ scene: place.dataset.scene, place: JSON.stringify(spot) });
        for (const select of place.querySelectorAll("select[name]")) {
            query.set(select.name, select.value);
        }
        if (!query.get("product")) {
            return;
        }
        const url = `${place.dataset.url}?${query}`;
        line.classList.remove("nbc-wrong");
        line.textContent = place.dataset.working;
        const response = await fetch(url, { credentials: "same-origin" });
        if (request !== latest) {
            return;
        }
        line.textContent = "";
        if (response.ok) {
            result.src = url;
            result.hidden = false;
        } else if (response.status === 400) {
            line.classList.add("nbc-wrong");
            line.textContent = (await response.json()).error;
        }
    };

    function later() {
        clearTimeout(timer);
        timer = setTimeout(draw, WAIT);
    }

    form.addEventListener("input", (event) => {
        if (event.target.name?.startsWith("place_")) {
            lay();
            later();
        }
    });
    for (const select of place.querySelectorAll("select[name]")) {
        select.addEventListener("change", draw);
    }
    form.addEventListener("nbc-place", () => {
        lay();
        later();
    });
    stage.querySelector("img").addEventListener("load", lay);
    window.addEventListener("resize", lay);
    lay();
    draw();
});
