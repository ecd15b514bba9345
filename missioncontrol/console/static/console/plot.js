// Plots the parameters whose box is ticked, with uPlot; history by JSON, what is new by the socket.
// A canvas says nothing to a screen reader: #plot-table carries the figures.

const MOST = 5;
const POINTS = 1000;
const REFETCH_MS = 60000;
const HEIGHT = 260;
// Not the status colours: a line's colour must not look like a state. Dashes serve who sees no colour.
const LINES = [
  { stroke: "#7cc4ff", dash: [] },
  { stroke: "#d7a6ff", dash: [8, 4] },
  { stroke: "#7fe0c8", dash: [2, 3] },
  { stroke: "#ffb3a1", dash: [10, 3, 2, 3] },
  { stroke: "#e8e2b8", dash: [5, 5] },
];

const root = document.getElementById("plot");
const tableBody = document.querySelector("#plot-table tbody");
const empty = root?.querySelector("[data-plot-empty]");
const series = new Map(); // name → {unit, times, values}
let spanS = Number(root?.dataset.spanS ?? 3600);
let chart = null;
let drawing = 0;

const boxes = () => [...document.querySelectorAll("input[name=plot]")];
const chosen = () => [...series.keys()];
const nowS = () => (globalThis.missionClock?.nowMs() ?? Date.now()) / 1000;

async function load(name, unit) {
  const url = new URL(root.dataset.samplesUrl, location.href);
  const end = nowS();
  url.searchParams.set("parameter", name);
  url.searchParams.set("start", new Date((end - spanS) * 1000).toISOString());
  url.searchParams.set("end", new Date(end * 1000).toISOString());
  url.searchParams.set("points", String(POINTS));
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${name}: the server answered ${answer.status}`);
  const { times_s: times, values } = await answer.json();
  // Unticked meanwhile: then nobody waits for it.
  if (series.has(name)) series.set(name, { unit, times, values });
}

// uPlot wants one time axis for all lines; where one has no sample, the line goes on.
function joined() {
  return globalThis.uPlot.join(chosen().map((name) => [series.get(name).times, series.get(name).values]));
}

function scaleOf(name) {
  return series.get(name).unit || "value";
}

function axes(names) {
  const scales = [...new Set(names.map(scaleOf))];
  const pen = { stroke: "#a9b8c6", grid: { stroke: "#22313f", width: 1 }, ticks: { stroke: "#2f4152", width: 1 }, font: "12px sans-serif", labelFont: "12px sans-serif" };
  const times = { ...pen, values: (_chart, splits, _axis, _space, step) => splits.map((at) => new Date(at * 1000).toISOString().slice(11, step < 60 ? 19 : 16)) };
  // Two units can be read at an edge each; a third has its figures in the table.
  return [times, ...scales.slice(0, 2).map((scale, index) => ({
    ...pen, scale, label: scale === "value" ? "" : scale, labelSize: 18, size: 56, side: index === 0 ? 3 : 1, grid: index === 0 ? pen.grid : { show: false },
  }))];
}

function options(names) {
  return {
    width: root.clientWidth, height: HEIGHT, tzDate: (at) => new Date(at * 1000),
    cursor: { y: false }, legend: { show: false }, axes: axes(names),
    scales: { x: { time: true, range: () => [nowS() - spanS, nowS()] } },
    series: [{}, ...names.map((name, index) => ({
      label: name, scale: scaleOf(name), stroke: LINES[index].stroke, dash: LINES[index].dash, width: 1.6, spanGaps: true, points: { show: false },
    }))],
  };
}

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
  const { unit, values } = series.get(name);
  const numbers = values.filter((value) => typeof value === "number");
  const row = document.createElement("tr");
  row.dataset.plotted = name;
  const head = cell("th", "", "mono");
  head.scope = "row";
  head.append(key(index), `${name}${unit ? ` (${unit})` : ""}`);
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  row.append(head, ...[numbers.at(-1), Math.min(...numbers), Math.max(...numbers), mean].map((number, column) => cell("td", figure(number), column === 3 ? "number wide-only" : "number")));
  return row;
}

function draw() {
  drawing = 0;
  const names = chosen();
  empty.hidden = names.length > 0;
  if (names.length > 0) empty.textContent = "No parameter is chosen.";
  tableBody.replaceChildren(...names.map(figuresRow));
  chart?.destroy();
  chart = null;
  if (names.length > 0) chart = new globalThis.uPlot(options(names), joined(), root);
}

function drawSoon() {
  drawing ||= requestAnimationFrame(draw);
}

function rememberInAddress() {
  const url = new URL(location.href);
  url.searchParams.delete("plot");
  for (const name of chosen()) url.searchParams.append("plot", name);
  history.replaceState(null, "", url);
}

function say(error) {
  document.getElementById("announcer").textContent = error.message;
  empty.textContent = `${error.message}. Tick the box to try again.`;
  empty.hidden = false;
}

async function choose(box) {
  if (box.checked) {
    // The place is taken at once, so that a line's colour does not hang on which answer is first.
    series.set(box.value, { unit: box.dataset.unit, times: [], values: [] });
    await load(box.value, box.dataset.unit).catch((error) => { series.delete(box.value); box.checked = false; say(error); });
  } else series.delete(box.value);
  for (const other of boxes()) other.disabled = !other.checked && series.size >= MOST;
  rememberInAddress();
  drawSoon();
}

async function loadAll() {
  await Promise.all(chosen().map((name) => load(name, series.get(name).unit)));
  drawSoon();
}

function append({ detail }) {
  if (detail.spacecraft !== root.dataset.spacecraftName) return;
  let added = false;
  for (const [name, { v, t }] of Object.entries(detail.values)) {
    const line = series.get(name);
    const at = Date.parse(t) / 1000;
    if (!line || typeof v !== "number" || at <= (line.times.at(-1) ?? 0)) continue;
    line.times.push(at);
    line.values.push(v);
    added = true;
  }
  if (added) drawSoon();
}

function setSpan(button) {
  spanS = Number(button.dataset.spanS);
  for (const other of document.querySelectorAll("button[data-span-s]")) other.setAttribute("aria-pressed", String(other === button));
  loadAll().catch(say);
}

// A refresh of the table draws its boxes anew, as the server knows them: tick what is plotted.
function tickAgain() {
  for (const box of boxes()) {
    box.checked = series.has(box.value);
    box.disabled = !box.checked && series.size >= MOST;
  }
}

if (root) {
  document.addEventListener("change", (event) => { if (event.target.matches("input[name=plot]")) choose(event.target).catch(say); });
  document.addEventListener("click", (event) => { if (event.target.matches("button[data-span-s]")) setSpan(event.target); });
  document.addEventListener("mission:telemetry", append);
  document.addEventListener("mission:refreshed", tickAgain);
  addEventListener("resize", () => chart?.setSize({ width: root.clientWidth, height: HEIGHT }));
  setInterval(() => { if (!document.hidden) loadAll().catch(say); }, REFETCH_MS);
  for (const box of boxes()) if (box.checked) choose(box).catch(say);
}
