// The timeline of a week on a canvas. Items come as columns of numbers, sorted by begin; only what is
// in view is drawn. A canvas says nothing to a screen reader: timeline_table.js says what is in view.

import { makeCarrier } from "./timeline_carry.js";
import { OF_A_PLAN, STYLES, drawMark } from "./timeline_marks.js";
import { listenToPointer } from "./timeline_pointer.js";
import { showNote, showTable, utc } from "./timeline_table.js";
import * as wish from "./timeline_wish.js";

const ROW = 24;
const HEAD = 26;
const NAMES = 128;
const TALLEST = 560;
const SHORTEST_S = 900;
const REFETCH_MS = 60000;
const TICKS_S = [300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400];

const canvas = document.getElementById("timeline");
const pen = canvas.getContext("2d");
const passUrl = canvas.dataset.passUrl;
let data = null;
let rows = []; // each: the indices of its items, by begin
let longestS = 0;
let by = "antenna";
let fromS = 0; // of the view, after data.begins_ms
let spanS = 12 * 3600;
let topRow = 0; // the first row in view, a whole number
let chosen = -1;
let drawing = 0;
const carrier = makeCarrier(canvas, { itemAt, asWished, redraw });

const nowS = () => ((globalThis.missionClock?.nowMs() ?? Date.now()) - data.begins_ms) / 1000;
const totalS = () => (data.ends_ms - data.begins_ms) / 1000;
const names = () => (by === "antenna" ? data.antennas : data.spacecraft);
const rowOf = (item) => (by === "antenna" ? data.items.antenna : data.items.spacecraft)[item];
const stateOf = (item) => data.states[data.items.state[item]];
const rowsInView = () => Math.max(1, Math.floor((canvas.clientHeight - HEAD) / ROW));
const plotWidth = () => canvas.clientWidth - NAMES;
const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

async function load() {
  const { plan = "" } = wish.shownPlan();
  const answer = await fetch(`${canvas.dataset.itemsUrl}${plan && `?plan=${plan}`}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The timeline cannot be read: the server answered ${answer.status}`);
  const before = data;
  const known = chosen >= 0 ? identity(chosen) : null;
  data = await answer.json();
  if (before) fromS += (before.begins_ms - data.begins_ms) / 1000;
  else goTo(nowS() - spanS / 6);
  longestS = data.items.lasts_s.reduce((most, lasts) => Math.max(most, lasts), 0);
  arrange();
  chosen = known ? data.items.begins_s.findIndex((_, item) => identity(item) === known) : -1;
  wish.choose(chosen >= 0 ? asWished(chosen) : null);
  if (!before && plan) choose(firstOfPlan());
}

// What was asked of the plan that is shown, or else the first thing that it changes.
function firstOfPlan() {
  const asked = data.items.state.findIndex((_, item) => identity(item) === wish.shownPlan().asked);
  return asked >= 0 ? asked : data.items.state.findIndex((state) => OF_A_PLAN.includes(data.states[state]));
}

// As plans name windows (plan_problem.py).
function identity(item) {
  const { antenna, spacecraft, begins_s: begins } = data.items;
  const aos = new Date(data.begins_ms + 1000 * begins[item]).toISOString().replace(/[-:]|\.000/g, "");
  return `${data.spacecraft[spacecraft[item]]}/${data.antennas[antenna[item]]}/${aos}`;
}

// An item as a plan can be asked for it.
function asWished(item) {
  const { antenna, spacecraft, begins_s: begins, lasts_s: lasts } = data.items;
  const label = `${data.spacecraft[spacecraft[item]]} on ${data.antennas[antenna[item]]} at ${utc(data, begins[item]).slice(5)}Z`;
  return { name: identity(item), label, state: stateOf(item), lastsS: lasts[item] };
}

function arrange() {
  rows = names().map(() => []);
  for (let item = 0; item < data.items.state.length; item += 1) rows[rowOf(item)].push(item);
  topRow = clamp(topRow, 0, rows.length - rowsInView());
  resize();
}

// The first of a row's items that may reach into the view: none lasts longer than the longest.
function firstAfter(items, atS) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.items.begins_s[items[middle]] < atS) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inView(items) {
  const { begins_s: begins, lasts_s: lasts } = data.items;
  const seen = [];
  for (let at = firstAfter(items, fromS - longestS); at < items.length; at += 1) {
    const item = items[at];
    if (begins[item] > fromS + spanS) break;
    if (begins[item] + lasts[item] >= fromS) seen.push(item);
  }
  return seen;
}

function goTo(atS) {
  spanS = clamp(spanS, SHORTEST_S, totalS());
  fromS = clamp(atS, 0, totalS() - spanS);
  redraw();
}

function scale(factor, aroundS = fromS + spanS / 2) {
  const part = (aroundS - fromS) / spanS;
  spanS = clamp(spanS * factor, SHORTEST_S, totalS());
  goTo(aroundS - part * spanS);
}

function resize() {
  const height = Math.min(HEAD + ROW * rows.length + 4, TALLEST);
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(height * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  redraw();
}

function redraw() {
  drawing ||= requestAnimationFrame(draw);
}

function x(atS) {
  return NAMES + ((atS - fromS) / spanS) * plotWidth();
}

function draw() {
  drawing = 0;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  pen.clearRect(0, 0, width, height);
  pen.font = '12px "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace';
  pen.textBaseline = "middle";
  drawTicks(width, height);
  const last = Math.min(rows.length, topRow + rowsInView() + 1);
  let drawn = 0;
  pen.save();
  pen.beginPath();
  pen.rect(NAMES, HEAD, width - NAMES, height);
  pen.clip();
  for (let row = topRow; row < last; row += 1) drawn += drawItems(row);
  pen.restore();
  for (let row = topRow; row < last; row += 1) drawName(row, width);
  drawNow(height);
  drawCarried();
  canvas.dataset.drawn = String(drawn);
  listSoon();
}

function drawTicks(width, height) {
  const step = TICKS_S.find((tick) => (tick / spanS) * plotWidth() >= 84) ?? 86400;
  const beginS = data.begins_ms / 1000;
  pen.textAlign = "center";
  for (let at = Math.ceil((beginS + fromS) / step) * step - beginS; at <= fromS + spanS; at += step) {
    const moment = new Date(data.begins_ms + at * 1000).toISOString();
    const midnight = moment.slice(11, 16) === "00:00";
    pen.fillStyle = midnight ? "#5c7388" : "#213040";
    pen.fillRect(Math.round(x(at)), HEAD - 4, 1, height);
    pen.fillStyle = midnight ? "#dfe7ee" : "#9eb0c0";
    const label = midnight ? moment.slice(5, 10) : moment.slice(11, 16);
    if (x(at) > NAMES + 18 && x(at) < width - 18) pen.fillText(label, x(at), HEAD / 2);
  }
}

function drawName(row, width) {
  const y = HEAD + (row - topRow) * ROW;
  pen.fillStyle = "#213040";
  pen.fillRect(0, y, width, 1);
  pen.fillStyle = "#dfe7ee";
  pen.textAlign = "left";
  pen.fillText(names()[row], 12, y + ROW / 2, NAMES - 20);
}

// Contacts over opportunities: what is booked must never be hidden by what could be.
function drawItems(row) {
  const y = HEAD + (row - topRow) * ROW;
  const seen = inView(rows[row]);
  drawOpportunities(seen, y);
  for (const item of seen) if (data.items.state[item] !== 0 || item === chosen || item === carrier.current()?.target) drawItem(item, y);
  return seen.length;
}

// There may be thousands: one path, and where they are narrow one bar for neighbours that touch.
function drawOpportunities(seen, y) {
  const { begins_s: begins, lasts_s: lasts, state } = data.items;
  const perS = plotWidth() / spanS;
  const outlined = longestS * perS > 8;
  let left = -Infinity;
  let right = -Infinity;
  const bar = () => { if (right > left) pen.rect(left + 0.5, y + 8.5, Math.max(1, right - left - 1), ROW - 16); };
  pen.beginPath();
  for (const item of seen) {
    if (state[item] !== 0) continue;
    const begin = x(begins[item]);
    const end = begin + Math.max(2, lasts[item] * perS);
    if (!outlined && begin <= right) {
      right = Math.max(right, end);
    } else {
      bar();
      left = begin;
      right = end;
    }
  }
  bar();
  pen.fillStyle = outlined ? STYLES.opportunity.fill : STYLES.opportunity.line;
  pen.fill();
  if (!outlined) return;
  pen.strokeStyle = STYLES.opportunity.line;
  pen.lineWidth = 1;
  pen.stroke();
}

function drawItem(item, y) {
  const state = stateOf(item);
  const [at, tall] = state === "opportunity" ? [y + 8, ROW - 15] : [y + 4, ROW - 7];
  const wide = Math.max(2, (data.items.lasts_s[item] / spanS) * plotWidth());
  drawMark(pen, state, { left: x(data.items.begins_s[item]), at, wide, tall }, item === chosen || item === carrier.current()?.target);
}

// What is carried, under the pointer.
function drawCarried() {
  const carried = carrier.current();
  if (!carried) return;
  const wide = Math.max(8, (carried.pass.lastsS / spanS) * plotWidth());
  drawMark(pen, "booked", { left: carried.x - wide / 2, at: carried.y - ROW / 2 + 4, wide, tall: ROW - 7 }, true);
}

function drawNow(height) {
  const at = x(nowS());
  if (at < NAMES || at > canvas.clientWidth) return;
  pen.fillStyle = "#f6f9fb";
  pen.fillRect(Math.round(at), HEAD - 6, 1.5, height);
}

// Not at every frame of a drag.
let listing = 0;
function listSoon() {
  clearTimeout(listing);
  listing = setTimeout(() => {
    const seen = rows.slice(topRow, topRow + rowsInView()).flatMap((items) => inView(items));
    showTable(data, seen, { chosen, passUrl, span: `${utc(data, fromS).slice(5, 16)}Z to ${utc(data, fromS + spanS).slice(5, 16)}Z` });
  }, 120);
}

function choose(item) {
  if (item === undefined || item < 0) return;
  chosen = item;
  wish.choose(asWished(item));
  const row = rowOf(item);
  if (row < topRow || row >= topRow + rowsInView()) topRow = clamp(row, 0, rows.length - rowsInView());
  const { antenna, spacecraft, begins_s: begins, lasts_s: lasts, elevation_deg: elevation } = data.items;
  document.getElementById("timeline-selected").textContent = `${data.spacecraft[spacecraft[item]]} on ${data.antennas[antenna[item]]}, ${stateOf(item)}, ${utc(data, begins[item]).slice(5)}Z, ${elevation[item]}° high`;
  if (begins[item] < fromS) goTo(begins[item] - spanS / 20);
  else if (begins[item] + lasts[item] > fromS + spanS) goTo(begins[item] + lasts[item] - (19 * spanS) / 20);
  redraw();
}

// Along its row; from a standing start the first in view.
function step(way) {
  if (chosen < 0) {
    choose(rows.slice(topRow).flatMap((items) => inView(items)).find((item) => data.items.begins_s[item] >= fromS));
    return;
  }
  const items = rows[rowOf(chosen)];
  choose(items[items.indexOf(chosen) + way]);
}

// To the item of another row that begins nearest.
function stepRow(way) {
  if (chosen < 0) {
    step(0);
    return;
  }
  const atS = data.items.begins_s[chosen];
  for (let row = rowOf(chosen) + way; row >= 0 && row < rows.length; row += way) {
    const items = rows[row];
    const after = firstAfter(items, atS);
    const near = [items[after - 1], items[after]].filter((item) => item !== undefined);
    near.sort((one, other) => Math.abs(data.items.begins_s[one] - atS) - Math.abs(data.items.begins_s[other] - atS));
    if (near.length > 0) {
      choose(near[0]);
      return;
    }
  }
}

function open() {
  const contact = chosen >= 0 ? data.items.contact[chosen] : 0;
  if (contact) location.assign(passUrl.replace("/0/", `/${contact}/`));
}

function itemAt(event) {
  const box = canvas.getBoundingClientRect();
  const row = topRow + Math.floor((event.clientY - box.top - HEAD) / ROW);
  const atS = fromS + ((event.clientX - box.left - NAMES) / plotWidth()) * spanS;
  if (event.clientY - box.top < HEAD || !rows[row]) return -1;
  const slackS = (3 / plotWidth()) * spanS;
  const found = inView(rows[row]).filter((item) => data.items.begins_s[item] - slackS <= atS && atS <= data.items.begins_s[item] + data.items.lasts_s[item] + slackS);
  return found.find((item) => data.items.state[item] !== 0) ?? found[0] ?? -1;
}

function giveUp() {
  carrier.giveUp();
  wish.giveUp();
}

const KEYS = {
  ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => stepRow(1), ArrowUp: () => stepRow(-1),
  PageDown: () => goTo(fromS + spanS / 2), PageUp: () => goTo(fromS - spanS / 2), Home: () => goTo(0), End: () => goTo(totalS()),
  "+": () => scale(0.5), "-": () => scale(2), n: () => goTo(nowS() - spanS / 6), N: () => goTo(nowS() - spanS / 6), Enter: open,
  p: wish.propose, P: wish.propose, m: wish.move, M: wish.move, Escape: giveUp,
};
const MOVES = {
  earlier: () => goTo(fromS - spanS / 2), later: () => goTo(fromS + spanS / 2), now: () => goTo(nowS() - spanS / 6),
  wider: () => scale(2), nearer: () => scale(0.5),
};

function listen() {
  canvas.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  canvas.addEventListener("wheel", (event) => {
    const box = canvas.getBoundingClientRect();
    if (event.ctrlKey) {
      event.preventDefault();
      scale(event.deltaY > 0 ? 1.25 : 0.8, fromS + ((event.clientX - box.left - NAMES) / plotWidth()) * spanS);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      goTo(fromS + (((event.deltaX || event.deltaY) / plotWidth()) * spanS));
    } else if (rows.length > rowsInView()) {
      const to = clamp(topRow + Math.sign(event.deltaY), 0, rows.length - rowsInView());
      if (to === topRow) return; // at an end the page scrolls on
      event.preventDefault();
      topRow = to;
      redraw();
    }
  }, { passive: false });
  listenToPointer(canvas, {
    press: (event) => choose(itemAt(event)),
    view: () => ({ fromS, topRow }),
    pan: (held, dx, dy) => {
      topRow = clamp(held.topRow - Math.round(dy / ROW), 0, rows.length - rowsInView());
      goTo(held.fromS - (dx / plotWidth()) * spanS);
    },
    ...carrier,
  });
  canvas.addEventListener("dblclick", open);
  for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", MOVES[button.dataset.move]);
  const ways = [...document.querySelectorAll("#timeline-by button")];
  for (const button of ways) {
    button.addEventListener("click", () => {
      by = button.dataset.by;
      for (const other of ways) other.setAttribute("aria-pressed", String(other === button));
      arrange();
    });
  }
  new ResizeObserver(resize).observe(canvas.parentElement);
}

function say(error) {
  document.getElementById("announcer").textContent = error.message;
  if (!data) showNote(`${error.message}. It is asked again in ${REFETCH_MS / 1000} s.`);
}

let listening = false;
async function refresh() {
  try {
    await load();
    if (!listening) {
      listen();
      wish.listen(refresh);
    }
    listening = true;
  } catch (error) {
    say(error);
  }
}

await refresh();
setInterval(() => document.hidden || refresh(), REFETCH_MS);
