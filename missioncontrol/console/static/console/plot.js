// Plots the parameters whose box is ticked, with uPlot: buckets of what is seen by JSON, what is new by the socket.
// Dragging zooms, with Shift it moves; the buttons and keys do the same. A canvas says nothing to a screen reader:
// #plot-table carries the figures and the values at the cursor, which the arrow keys move too.
//
//   #plot[data-samples-url][data-csv-url][data-span-s][data-start][data-end]   start and end: a view that stands still
//   button[data-span-s]  button[data-view=earlier|later|in|out|now]  #plot-limits  #plot-csv  #plot-view  #plot-cursor

const MOST = 5;
const POINTS = 1000;
const REFETCH_MS = 60000;
const SETTLED_MS = 200;
const HEIGHT = 300;
const LEAST_SPAN_S = 1;
const MOST_SPAN_S = 50 * 366 * 86400;
const GAP_STEPS = 3.5;
// Not the status colours: a line's colour must not look like a state. Dashes serve who sees no colour.
const LINES = [
  { stroke: "#7cc4ff", band: "rgb(124 196 255 / 0.22)", dash: [] },
  { stroke: "#d7a6ff", band: "rgb(215 166 255 / 0.22)", dash: [8, 4] },
  { stroke: "#7fe0c8", band: "rgb(127 224 200 / 0.22)", dash: [2, 3] },
  { stroke: "#ffb3a1", band: "rgb(255 179 161 / 0.22)", dash: [10, 3, 2, 3] },
  { stroke: "#e8e2b8", band: "rgb(232 226 184 / 0.22)", dash: [5, 5] },
];
const OF_ONE = 3; // uPlot series of one parameter: mean, least, greatest

const root = document.getElementById("plot");
const byId = (id) => document.getElementById(id);
const tableBody = document.querySelector("#plot-table tbody");
const empty = root?.querySelector("[data-plot-empty]");
const series = new Map(); // name → {unit, periodS, limits, stepS, times, mean, least, greatest, counts}
const view = { live: true, spanS: Number(root?.dataset.spanS ?? 3600), from: 0, to: 0 };
let chart = null;
let charted = "";
let drawing = 0;
let settling = 0;
let asked = 0;

const boxes = () => [...document.querySelectorAll("input[name=plot]")];
const chosen = () => [...series.keys()];
const nowS = () => (globalThis.missionClock?.nowMs() ?? Date.now()) / 1000;
const iso = (at) => new Date(at * 1000).toISOString();
const seen = () => (view.live ? [nowS() - view.spanS, nowS()] : [view.from, view.to]);
const showsLimits = () => byId("plot-limits").checked;

// ---- what is fetched

function addressOf(base, names, [from, to]) {
  const url = new URL(base, location.href);
  for (const name of names) url.searchParams.append("parameter", name);
  url.searchParams.set("start", iso(from));
  url.searchParams.set("end", iso(to));
  url.searchParams.set("points", String(POINTS));
  return url;
}

async function load(name, range, number) {
  const answer = await fetch(addressOf(root.dataset.samplesUrl, [name], range), { headers: { Accept: "application/json" } });
  const tellsWhy = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (!answer.ok) throw new Error(tellsWhy ? (await answer.json()).refused : `${name}: the server answered ${answer.status}`);
  const got = await answer.json();
  // Unticked meanwhile, or something else is seen by now: then nobody waits for it.
  if (series.has(name) && number === asked) Object.assign(series.get(name), {
    times: got.times_s, mean: got.mean, least: got.minimum, greatest: got.maximum, counts: got.counts, limits: got.limits, stepS: (range[1] - range[0]) / POINTS,
  });
}

async function loadAll() {
  const number = ++asked;
  const range = seen();
  root.setAttribute("aria-busy", "true");
  try {
    await Promise.all(chosen().map((name) => load(name, range, number)));
  } finally {
    if (number === asked) root.removeAttribute("aria-busy");
  }
  drawSoon();
}

// ---- what is drawn

// Where nothing came for some time the line is broken: between two passes nobody knows.
function withGaps({ times, mean, least, greatest, stepS, periodS }) {
  const gap = GAP_STEPS * Math.max(stepS, periodS);
  const table = [[], [], [], []];
  times.forEach((at, index) => {
    const before = times[index - 1];
    if (index > 0 && at - before > gap) [(at + before) / 2, null, null, null].forEach((value, column) => table[column].push(value));
    [at, mean[index], least[index], greatest[index]].forEach((value, column) => table[column].push(value));
  });
  return table;
}

// uPlot wants one time axis for all lines; where another has a sample, a line goes on.
const joined = () => globalThis.uPlot.join(chosen().map((name) => withGaps(series.get(name))));
const scaleOf = (name) => series.get(name).unit || "value";

function xLabels(_chart, splits, _axis, _space, step) {
  let context = "";
  return splits.map((at) => {
    const text = iso(at);
    const [short, wide] = step < 86400 ? [text.slice(11, step < 60 ? 19 : 16), text.slice(0, 10)] : [text.slice(5, 10), text.slice(0, 4)];
    const label = wide === context ? short : `${short}\n${wide}`;
    context = wide;
    return label;
  });
}

function axes(scales) {
  const pen = { stroke: "#a9b8c6", grid: { stroke: "#22313f", width: 1 }, ticks: { stroke: "#2f4152", width: 1 }, font: "12px sans-serif", labelFont: "12px sans-serif" };
  // Two units can be read at an edge each; a third has its figures in the table.
  return [{ ...pen, size: 44, space: 80, values: xLabels }, ...scales.slice(0, 2).map((scale, index) => ({
    ...pen, scale, label: scale === "value" ? "" : scale, labelSize: 18, size: 56, side: index === 0 ? 3 : 1, grid: index === 0 ? pen.grid : { show: false },
  }))];
}

// The mildest limits belong to the picture: how far a value is from them is what one looks for.
function yRange(scale, least, greatest) {
  const near = showsLimits() ? chosen().filter((name) => scaleOf(name) === scale).flatMap((name) => series.get(name).limits.filter((limit) => limit.mildest).map((limit) => limit.value)) : [];
  const all = [least, greatest, ...near].filter(Number.isFinite);
  if (all.length === 0) return [0, 1];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - low) * 0.1 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

function drawLimits(plot) {
  if (!showsLimits()) return;
  const limits = chosen().flatMap((name) => series.get(name).limits.map((limit) => ({ ...limit, name, scale: scaleOf(name) })));
  globalThis.drawPlotLimits(plot, limits, getComputedStyle(root));
}

function options(names) {
  const scales = [...new Set(names.map(scaleOf))];
  const hidden = { width: 0, stroke: "transparent", points: { show: false } };
  return {
    width: root.clientWidth, height: HEIGHT, tzDate: (at) => globalThis.uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    legend: { show: false }, axes: axes(scales),
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => zoom(3) } },
    scales: { x: { time: true, range: seen }, ...Object.fromEntries(scales.map((scale) => [scale, { range: (_chart, least, greatest) => yRange(scale, least, greatest) }])) },
    series: [{}, ...names.flatMap((name, index) => [
      { label: name, scale: scaleOf(name), stroke: LINES[index].stroke, dash: LINES[index].dash, width: 1.6, points: { size: 4, fill: LINES[index].stroke } },
      { ...hidden, label: `${name} least`, scale: scaleOf(name) }, { ...hidden, label: `${name} greatest`, scale: scaleOf(name) },
    ])],
    bands: names.map((_name, index) => ({ series: [index * OF_ONE + 3, index * OF_ONE + 2], fill: LINES[index].band })),
    hooks: { draw: [drawLimits], setCursor: [showCursor], setSelect: [select] },
  };
}

function select(plot) {
  if (plot.select.width < 4) return;
  const [from, to] = [plot.select.left, plot.select.left + plot.select.width].map((x) => plot.posToVal(x, "x"));
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  setView(from, to);
}

// ---- the table

function cell(tag, text, className) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

function key(index) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "plot-key");
  svg.setAttribute("viewBox", "0 0 24 8");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", "M0 4H24");
  line.setAttribute("stroke", LINES[index].stroke);
  line.setAttribute("stroke-width", "2");
  line.setAttribute("stroke-dasharray", LINES[index].dash.join(" "));
  svg.append(line);
  return svg;
}

const figure = (number) => (Number.isFinite(number) ? Number(number.toPrecision(5)).toString() : "—");

function figuresRow(name, index) {
  const { unit, mean, least, greatest, counts } = series.get(name);
  const row = document.createElement("tr");
  row.dataset.plotted = name;
  const head = cell("th", "", "mono");
  head.scope = "row";
  head.append(key(index), `${name}${unit ? ` (${unit})` : ""}`);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const weighed = mean.reduce((sum, value, at) => sum + value * counts[at], 0) / all;
  const cursor = cell("td", "", "number");
  cursor.dataset.cursorValue = "";
  row.append(head, cursor, ...[least.reduce((one, other) => Math.min(one, other), Infinity), greatest.reduce((one, other) => Math.max(one, other), -Infinity), weighed]
    .map((number, column) => cell("td", figure(number), column === 2 ? "number wide-only" : "number")));
  return row;
}

function nearest(times, at) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < at) low = middle + 1; else high = middle;
  }
  return low > 0 && (low === times.length || at - times[low - 1] <= times[low] - at) ? low - 1 : low;
}

function valueNear({ times, mean, least, greatest, stepS, periodS }, at) {
  const index = nearest(times, at);
  if (!times.length || Math.abs(times[index] - at) > GAP_STEPS * Math.max(stepS, periodS)) return ["—", ""];
  const range = least[index] === greatest[index] ? "" : `${figure(least[index])} … ${figure(greatest[index])}`;
  return [figure(mean[index]), range];
}

function showCursor(plot) {
  const { left } = plot.cursor;
  const at = left >= 0 ? plot.posToVal(left, "x") : null;
  byId("plot-cursor").textContent = at === null ? "" : `${iso(at).replace("T", " ").slice(0, 19)}Z`;
  for (const row of tableBody.rows) {
    const [value, range] = at === null ? ["", ""] : valueNear(series.get(row.dataset.plotted), at);
    row.querySelector("[data-cursor-value]").replaceChildren(value, ...(range ? [cell("span", range, "alarm-meta")] : []));
  }
}

// ---- drawing, at most once a frame

function sayView() {
  const [from, to] = seen();
  byId("plot-view").textContent = `${iso(from).replace("T", " ").slice(0, 19)}Z to ${iso(to).replace("T", " ").slice(0, 19)}Z${view.live ? ", following" : ""}`;
  const link = byId("plot-csv");
  link.hidden = series.size === 0;
  link.href = addressOf(root.dataset.csvUrl, chosen(), seen());
  for (const button of document.querySelectorAll("button[data-span-s]")) button.setAttribute("aria-pressed", String(view.live && Number(button.dataset.spanS) === view.spanS));
}

function draw() {
  drawing = 0;
  const names = chosen();
  empty.hidden = names.length > 0;
  if (names.length > 0) empty.textContent = "No parameter is chosen.";
  tableBody.replaceChildren(...names.map(figuresRow));
  sayView();
  const wanted = names.map((name) => `${name} ${scaleOf(name)}`).join();
  if (wanted !== charted || !chart) {
    chart?.destroy();
    chart = names.length > 0 ? new globalThis.uPlot(options(names), joined(), root) : null;
    charted = wanted;
  } else chart.setData(joined());
  if (chart) showCursor(chart);
}

function drawSoon() {
  drawing ||= requestAnimationFrame(draw);
}

// ---- what is seen

function rememberInAddress() {
  const url = new URL(location.href);
  for (const name of ["plot", "start", "end", "span"]) url.searchParams.delete(name);
  for (const name of chosen()) url.searchParams.append("plot", name);
  if (view.live) url.searchParams.set("span", String(view.spanS));
  else for (const [name, at] of [["start", view.from], ["end", view.to]]) url.searchParams.set(name, iso(at));
  history.replaceState(null, "", url);
}

function changed() {
  sayView();
  rememberInAddress();
  drawSoon();
  clearTimeout(settling);
  settling = setTimeout(() => loadAll().catch(say), SETTLED_MS);
}

function setView(from, to) {
  const middle = (from + to) / 2;
  const span = Math.min(MOST_SPAN_S, Math.max(LEAST_SPAN_S, to - from));
  const latest = nowS() + span / 2;
  const end = Math.min(middle + span / 2, latest);
  Object.assign(view, { live: false, from: Math.max(0, end - span), to: end });
  changed();
}

function setSpan(spanS) {
  Object.assign(view, { live: true, spanS });
  changed();
}

function zoom(factor) {
  const [from, to] = seen();
  // Who watches what comes in goes on watching.
  if (view.live) { setSpan(Math.min(MOST_SPAN_S, Math.max(LEAST_SPAN_S, view.spanS * factor))); return; }
  const middle = (from + to) / 2;
  setView(middle - ((to - from) / 2) * factor, middle + ((to - from) / 2) * factor);
}

function pan(share) {
  const [from, to] = seen();
  setView(from + (to - from) * share, to + (to - from) * share);
}

function moveCursor(direction) {
  if (!chart) return;
  const width = chart.over.clientWidth;
  const left = chart.cursor.left < 0 ? width / 2 : chart.cursor.left + (direction * width) / 100;
  chart.setCursor({ left: Math.min(width, Math.max(0, left)), top: 0 });
}

const DEEDS = { earlier: () => pan(-0.5), later: () => pan(0.5), in: () => zoom(0.5), out: () => zoom(2), now: () => setSpan(Math.round(seen()[1] - seen()[0])) };
const KEYS = { ArrowLeft: () => moveCursor(-1), ArrowRight: () => moveCursor(1), "+": DEEDS.in, "-": DEEDS.out, PageUp: DEEDS.earlier, PageDown: DEEDS.later, End: DEEDS.now };

// With Shift the picture moves under the hand; uPlot must not see that as a selection.
function grab(event) {
  if (!event.shiftKey || !chart?.over.contains(event.target)) return;
  event.stopPropagation();
  event.preventDefault();
  const [from, to] = seen();
  const perPixel = (to - from) / chart.over.clientWidth;
  const move = (moved) => { const by = (event.clientX - moved.clientX) * perPixel; setView(from + by, to + by); };
  addEventListener("mousemove", move);
  addEventListener("mouseup", () => removeEventListener("mousemove", move), { once: true });
}

function wheel(event) {
  if (!event.ctrlKey || !chart) return; // without Ctrl the page is scrolled
  event.preventDefault();
  const [from, to] = seen();
  const at = chart.posToVal(event.clientX - chart.over.getBoundingClientRect().left, "x");
  const factor = event.deltaY > 0 ? 1.25 : 0.8;
  setView(at - (at - from) * factor, at + (to - at) * factor);
}

// ---- what is chosen

function say(error) {
  byId("announcer").textContent = error.message;
  empty.textContent = error.message;
  empty.hidden = false;
}

async function choose(box) {
  if (box.checked) {
    const periodS = Number(box.closest("tr")?.dataset.periodS ?? 0);
    // The place is taken at once, so that a line's colour does not hang on which answer is first.
    series.set(box.value, { unit: box.dataset.unit, periodS, limits: [], stepS: 0, times: [], mean: [], least: [], greatest: [], counts: [] });
    await load(box.value, seen(), asked).catch((error) => { series.delete(box.value); box.checked = false; say(error); });
  } else series.delete(box.value);
  for (const other of boxes()) other.disabled = !other.checked && series.size >= MOST;
  rememberInAddress();
  drawSoon();
}

function append({ detail }) {
  if (detail.spacecraft !== root.dataset.spacecraftName || !view.live) return;
  let added = false;
  for (const [name, { v, t }] of Object.entries(detail.values)) {
    const line = series.get(name);
    const at = Date.parse(t) / 1000;
    if (!line || typeof v !== "number" || at <= (line.times.at(-1) ?? 0)) continue;
    line.times.push(at);
    for (const column of [line.mean, line.least, line.greatest]) column.push(v);
    line.counts.push(1);
    added = true;
  }
  if (added) drawSoon();
}

// A refresh of the table draws its boxes anew, as the server knows them: tick what is plotted.
function tickAgain() {
  for (const box of boxes()) {
    box.checked = series.has(box.value);
    box.disabled = !box.checked && series.size >= MOST;
  }
}

if (root) {
  const { start, end } = root.dataset;
  if (start && end) Object.assign(view, { live: false, from: Date.parse(start) / 1000, to: Date.parse(end) / 1000 });
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[name=plot]")) choose(event.target).catch(say);
    if (event.target.matches("#plot-limits")) drawSoon();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-span-s], button[data-view]");
    if (button?.dataset.view) DEEDS[button.dataset.view]();
    else if (button) setSpan(Number(button.dataset.spanS));
  });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  root.addEventListener("mousedown", grab, { capture: true });
  root.addEventListener("wheel", wheel, { passive: false });
  document.addEventListener("mission:telemetry", append);
  document.addEventListener("mission:refreshed", tickAgain);
  addEventListener("resize", () => chart?.setSize({ width: root.clientWidth, height: HEIGHT }));
  setInterval(() => { if (!document.hidden && view.live) loadAll().catch(say); }, REFETCH_MS);
  for (const box of boxes()) if (box.checked) choose(box).catch(say);
  sayView();
}
