/* Zoom, search, tooltips and keys of a flame graph. The picture is complete without; this finds the
 * frames that are drawn in the order of the data beside them. See flamegraph.c for both. */
(function () {
"use strict";
const svg = document.currentScript.closest("svg"), namespace = svg.namespaceURI;
const xhtml = "http://www.w3.org/1999/xhtml";
const data = JSON.parse(svg.querySelector(".data").textContent);
const groups = svg.querySelectorAll(".f");
const margin = 10, character = 7.23;
const kinds = ["user", "inlined", "kernel"];
const standalone = document.documentElement === svg;
let width = 1200, zoomed = 0, current = 0, found = null;

/* frames: [depth, name, x, width, self, (before, after, p)] in preorder; name 0 is the whole, the
 * others are names: [name, kind, module]. */
const names = [["all", -1]].concat(data.names);
const path = [];
const frames = data.frames.map(function (f, i) {
    const frame = {
        depth: f[0], x: f[2], w: f[3], self: f[4], before: f[5], after: f[6], p: f[7],
        name: names[f[1]][0], kind: kinds[names[f[1]][1]] || "", module: names[f[1]][2] || "",
        parent: f[0] ? path[f[0] - 1] : -1, last: i, shown: true, passed: false,
        group: groups[i], rect: groups[i].firstElementChild, text: groups[i].querySelector("text"),
    };
    path[f[0]] = i;
    return frame;
});
for (let i = frames.length - 1; i > 0; i--)
    frames[frames[i].parent].last = Math.max(frames[frames[i].parent].last, frames[i].last);

function element(name, parent, attributes) {
    const e = document.createElementNS(namespace, name);
    for (const key in attributes)
        e.setAttribute(key, attributes[key]);
    parent.appendChild(e);
    return e;
}

/* --- numbers --- */

function percent(share) {
    return (100 * share).toFixed(share < 0.0995 ? 2 : 1) + "%";
}

function digits(v) {
    return (+v.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
}

function amount(v) {
    const seconds = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 }[data.unit];
    const per = { byte: [1e9, "/GB"], operation: [1, "/op"] }[data.per] || [1, data.per ? "/" + data.per : ""];
    const times = [[1, " s"], [1e-3, " ms"], [1e-6, " µs"], [1e-9, " ns"], [0, " ns"]];
    const counts = [[1e9, " G"], [1e6, " M"], [0, " "]];
    const value = v * per[0] * (seconds || 1);
    const step = (seconds ? times : counts).find(function (s) { return value >= s[0]; });
    if (!seconds && Number.isInteger(value) && value < 1e6)
        return value.toLocaleString("en") + " " + data.unit + per[1];
    return digits(value / (step[0] || (seconds ? 1e-9 : 1))) + step[1] + (seconds ? "" : data.unit) + per[1];
}

function change(f) {
    if (f.before === 0)
        return "new";
    if (f.after === 0)
        return "gone";
    const c = f.after / f.before - 1;
    return (c < 0 ? "−" : "+") + percent(Math.abs(c));
}

/* What is known about a frame, without its name. */
function facts(i) {
    const f = frames[i], lines = [], all = frames[0];
    const where = [f.kind, f.module].filter(Boolean).join(" · ");
    if (where)
        lines.push(where);
    if (f.before === undefined) {
        lines.push(amount(f.w) + " · " + percent(f.w / all.w) + " of all" +
            (zoomed && !f.passed ? " · " + percent(f.w / frames[zoomed].w) + " of the zoomed" : ""));
        if (f.self)
            lines.push("itself: " + amount(f.self) + " · " + percent(f.self / all.w));
        return lines;
    }
    lines.push("before " + amount(f.before) + " · " + percent(all.before ? f.before / all.before : 0));
    lines.push("after  " + amount(f.after) + " · " + percent(all.after ? f.after / all.after : 0));
    lines.push("change " + change(f) + (f.p === null ? " · not tested"
        : f.p <= data.level ? " · more than noise (p = " + f.p.toPrecision(2) + ")"
        : " · may be noise (p = " + f.p.toPrecision(2) + ")"));
    return lines;
}

/* --- the picture --- */

function label(f, w) {
    const fits = Math.floor((w - 6) / character);
    let used = 0, cut = 0;
    if (fits < 3)
        return "";
    for (const c of f.name) {
        used += /[\u1100-\u1fff\u2e80-\uffff]|[^\u0000-\uffff]/.test(c) ? 2 : 1;
        if (used > fits)
            return f.name.slice(0, cut) + "…";
        if (used < fits)
            cut += c.length;
    }
    return f.name;
}

function draw() {
    const z = frames[zoomed], scale = (width - 2 * margin) / z.w;
    frames.forEach(function (f) { f.passed = false; });
    for (let i = z.parent; i >= 0; i = frames[i].parent)
        frames[i].passed = true;
    frames.forEach(function (f, i) {
        f.shown = f.passed || (i >= zoomed && i <= z.last);
        f.group.style.display = f.shown ? "" : "none";
        if (!f.shown)
            return;
        const x = f.passed ? margin : margin + (f.x - z.x) * scale;
        const w = f.passed ? width - 2 * margin : f.w * scale, words = label(f, w);
        f.group.classList.toggle("passed", f.passed);
        f.rect.setAttribute("x", x.toFixed(2));
        f.rect.setAttribute("width", w.toFixed(2));
        if (words && !f.text)
            f.text = element("text", f.group, { y: +f.rect.getAttribute("y") + 13.5 });
        if (f.text) {
            f.text.setAttribute("x", (x + 4).toFixed(2));
            f.text.textContent = words;
        }
    });
    reset.disabled = zoomed === 0 && !found;
}

function zoom(i) {
    zoomed = i;
    hide();
    draw();
    if (!frames[current].shown)
        aim(i, false);
}

function search(words) {
    const low = words.toLowerCase();
    const hits = words ? names.map(function (n, i) { return i > 0 && n[0].toLowerCase().includes(low); }) : null;
    let matched = 0, count = 0, beyond = -1;
    found = hits;
    frames.forEach(function (f, i) {
        const hit = hits !== null && hits[data.frames[i][1]];
        f.group.classList.toggle("hit", hit);
        count += hit;
        if (hit && i > beyond) { /* what is below a match is part of it already */
            matched += f.w;
            beyond = f.last;
        }
    });
    result.textContent = hits ? percent(matched / frames[0].w) + " matched" : "";
    reset.disabled = zoomed === 0 && !found;
    return hits ? { share: matched / frames[0].w, frames: count } : null;
}

/* --- tooltip --- */

const tip = element("g", svg, { "class": "tip", style: "display:none" });
const tipPaper = element("rect", tip, {}), tipText = element("text", tip, {});

function wrapped(name) {
    const lines = [];
    for (let i = 0; i < name.length && lines.length < 12; i += 90)
        lines.push(name.slice(i, i + 90));
    if (name.length > 12 * 90)
        lines[11] = lines[11].slice(0, 89) + "…";
    return lines;
}

function show(i, x, y) {
    const lines = wrapped(frames[i].name).concat(facts(i)), high = lines.length * 16 + 10;
    const wide = Math.max.apply(null, lines.map(function (l) { return l.length; })) * character + 18;
    const view = svg.getBoundingClientRect(), tall = +svg.getAttribute("height");
    const top = Math.max(0, -view.top / view.height * tall);
    const bottom = Math.min(tall, (window.innerHeight - view.top) / view.height * tall);
    x = Math.max(4, Math.min(x + 12, width - wide - 4));
    y = y + 20 + high > bottom ? Math.max(top, y - high - 10) : y + 20;
    tipText.textContent = "";
    lines.forEach(function (l, k) {
        element("tspan", tipText, { x: x + 9, y: y + 18 + 16 * k }).textContent = l;
    });
    for (const [key, value] of Object.entries({ x: x, y: y, width: wide, height: high }))
        tipPaper.setAttribute(key, value);
    tip.style.display = "";
}

function hide() {
    tip.style.display = "none";
}

/* --- pointer and keys --- */

function frameOf(node) {
    const g = node.closest && node.closest(".f");
    return g ? Array.prototype.indexOf.call(groups, g) : -1;
}

function place(event) {
    const view = svg.getBoundingClientRect();
    return [(event.clientX - view.left) / view.width * width,
            (event.clientY - view.top) / view.height * +svg.getAttribute("height")];
}

/* Makes a frame the one that keys start from. */
function aim(i, focus) {
    frames[current].group.setAttribute("tabindex", "-1");
    current = i;
    frames[i].group.setAttribute("tabindex", "0");
    frames[i].group.setAttribute("aria-label", frames[i].name + ", " + facts(i).join(", "));
    if (focus)
        frames[i].group.focus();
}

function beside(i, step) {
    for (let k = i + step; k >= 0 && k < frames.length; k += step)
        if (frames[k].shown && frames[k].depth === frames[i].depth)
            return k;
    return i;
}

function above(i) {
    for (let k = i + 1; k <= frames[i].last; k++)
        if (frames[k].shown)
            return k;
    return i;
}

function everything() {
    input.value = "";
    search("");
    zoom(0);
}

svg.addEventListener("pointermove", function (event) {
    const i = frameOf(event.target);
    if (i >= 0)
        show(i, ...place(event));
    else
        hide();
});
svg.addEventListener("pointerleave", hide);
svg.addEventListener("click", function (event) {
    const i = frameOf(event.target);
    if (i >= 0) {
        aim(i, false);
        zoom(i);
    }
});
svg.addEventListener("focusin", function (event) {
    const i = frameOf(event.target);
    if (i >= 0 && frames[i].group.matches(":focus-visible"))
        show(i, +frames[i].rect.getAttribute("x"), +frames[i].rect.getAttribute("y"));
});
svg.addEventListener("focusout", hide);
(standalone ? document : svg).addEventListener("keydown", function (event) {
    const moves = {
        ArrowUp: above, ArrowDown: function (i) { return Math.max(frames[i].parent, 0); },
        ArrowLeft: function (i) { return beside(i, -1); }, ArrowRight: function (i) { return beside(i, 1); },
    };
    if (event.key === "Escape") {
        everything();
    } else if (event.target === input || event.ctrlKey || event.altKey || event.metaKey) {
        return;
    } else if (event.key === "/") {
        input.focus();
    } else if (event.target === reset) {
        return;
    } else if (moves[event.key]) {
        aim(moves[event.key](current), true);
    } else if (event.key === "Enter" || event.key === " ") {
        zoom(current);
    } else {
        return;
    }
    event.preventDefault();
});

/* --- controls, and the width of the window --- */

const holder = element("foreignObject", svg, { y: 8, height: 30, width: 460 });
const controls = document.createElementNS(xhtml, "div");
const result = document.createElementNS(xhtml, "span");
const input = document.createElementNS(xhtml, "input");
const reset = document.createElementNS(xhtml, "button");
controls.setAttribute("class", "controls");
result.setAttribute("aria-live", "polite");
input.setAttribute("type", "search");
input.setAttribute("placeholder", "search ( / )");
input.setAttribute("aria-label", "search for names");
reset.textContent = "reset";
controls.append(result, input, reset);
holder.append(controls);
svg.insertBefore(holder, tip);
input.addEventListener("input", function () { search(input.value); });
reset.addEventListener("click", everything);

function fit() {
    if (standalone) { /* a pixel stays a pixel: wider windows show more text */
        svg.removeAttribute("viewBox");
        svg.setAttribute("width", "100%");
        width = Math.max(700, svg.getBoundingClientRect().width);
        svg.setAttribute("width", width);
    }
    svg.querySelector(".paper").setAttribute("width", width);
    holder.setAttribute("x", width - margin - 460);
    draw();
}

/* Its tooltip would cover ours. */
const title = svg.querySelector("title");
svg.setAttribute("aria-label", title.textContent);
title.remove();
if (standalone)
    window.addEventListener("resize", fit);
groups.forEach(function (g) { g.setAttribute("tabindex", "-1"); g.setAttribute("role", "button"); });
fit();
aim(0, false);
svg.flame = { zoom: zoom, search: search, reset: everything, frames: frames, facts: facts };
})();
