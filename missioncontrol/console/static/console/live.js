// One socket carries what changes. The page was complete when the server made it, so a lost
// socket costs freshness and never truth; while it is lost, the parts are asked for by HTTP.
//
// Messages, JSON, from /ws/live/?ticket=… (t and *_at are ISO 8601, UTC):
//   {type: "telemetry", spacecraft, values: {name: {v, s, t}}}   v value, s status, t mission time
//   {type: "pass", contact, state, name: value …, transfers}     numbers of the pass under way; transfers: list of {id, state,
//                                                                size_octets, progress_octets}
//   {type: "job", job, state, name: value …}
//   {type: "alarm", parameter, severity, value}                  is spoken; the alarm parts refresh
//   {type: "refresh", part}                                      the parts with that word in data-part refresh; "all": every part
//   {type: "clock", mission_at, wall_at, factor, frozen}         the mission clock was set anew
//   {type: "beat", as clock}                                     the line lives
//
// Elements:
//   [data-spacecraft=S] [data-parameter=N]  with [data-value], [data-status-shape], data-decimals
//   [data-contact=ID] [data-field=NAME], [data-job=ID] [data-field=NAME]; with data-state, a new state refreshes the part;
//     data-scale is multiplied with, data-decimals are shown
//   [data-transfer=ID] with a progress element
//   [data-part="NAME NAME …"][id][data-refresh-url]  is taken anew from that page; one request serves all parts of a page;
//     with data-refresh-s=N every N seconds too
// After a refresh the document gets the event "mission:refreshed".

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const POLL_MS = 15000;
// The server sends something (at least {type: "beat"}) every 10 s; longer silence is a dead line.
const SILENCE_MS = 25000;
// Many refreshes within this time become one request.
const GATHER_MS = 400;
// The tiles of health follow the values, but not each of them.
const HEALTH_MS = 5000;

const LABELS = { connecting: "Connecting", live: "Live", lost: "No live data", refused: "Not allowed" };
const SHAPES = { connecting: "standby", live: "normal", lost: "serious", refused: "off" };
const CLOSE_NOT_SIGNED_IN = 4401;
const CLOSE_NOT_ALLOWED = 4403;

const stateElement = document.getElementById("live-state");
const announcer = document.getElementById("announcer");
const gathered = new Set();
let gathering = 0;
let healthAskedAt = 0;
let attempts = 0;
let everLive = false;
let lastHeard = 0;
let socket = null;

function drawShape(svg, status) {
  const use = svg?.querySelector("use");
  if (use) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#status-${status}`));
}

function showState(state, detail = "") {
  if (!stateElement) return;
  stateElement.dataset.state = state;
  stateElement.querySelector("[data-live-label]").textContent = LABELS[state];
  stateElement.querySelector("[data-retry]").textContent = detail;
  drawShape(stateElement.querySelector("svg"), SHAPES[state]);
}

// What is being filled in or read is not pulled away from under the operator's hands.
function inUse(node) {
  const field = document.activeElement;
  return node.querySelector("details[open]") !== null || node.matches(":popover-open")
    || (node.contains(field) && field.matches("input, select, textarea"));
}

function replacePart(node, page) {
  const fresh = page.getElementById(node.id);
  if (!fresh || !node.isConnected || inUse(node)) return;
  const focused = node.contains(document.activeElement) ? document.activeElement.id : "";
  node.replaceWith(document.adoptNode(fresh));
  globalThis.htmx?.process(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

async function refreshFrom(url, nodes) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  // Signed out, or without the right: the page itself would say so.
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const node of nodes) replacePart(node, page);
  document.dispatchEvent(new CustomEvent("mission:refreshed"));
}

async function refreshGathered() {
  const chosen = [...gathered].map((part) => `[data-part~="${CSS.escape(part)}"]`).join(",");
  gathered.clear();
  const byUrl = new Map();
  for (const node of document.querySelectorAll(chosen)) {
    const url = node.dataset.refreshUrl;
    byUrl.set(url, [...(byUrl.get(url) ?? []), node]);
  }
  try {
    await Promise.all([...byUrl].map(([url, nodes]) => refreshFrom(url, nodes)));
  } catch {
    // The server is away; the line above says so, and the parts are asked for again.
  }
  gathering = gathered.size > 0 ? setTimeout(refreshGathered, GATHER_MS) : 0;
}

function refreshPart(part) {
  gathered.add(part);
  gathering ||= setTimeout(refreshGathered, GATHER_MS);
}

function refreshAll() {
  for (const node of document.querySelectorAll("[data-part]")) refreshPart(node.dataset.part.split(" ")[0]);
}

function written(value, { decimals, scale } = {}) {
  const shown = typeof value === "number" && scale !== undefined ? value * Number(scale) : value;
  return typeof shown === "number" && decimals !== undefined ? shown.toFixed(Number(decimals)) : String(shown);
}

function showValue(row, { v, s, t }) {
  // What a recorder played back is of the past; the newest value stays.
  if (row.dataset.at && Date.parse(t) < Date.parse(row.dataset.at)) return;
  row.dataset.at = t;
  row.dataset.status = s;
  const value = row.querySelector("[data-value]");
  if (value) value.textContent = written(v, row.dataset);
  const shape = row.querySelector("[data-status-shape]");
  if (shape) {
    drawShape(shape.querySelector("svg"), s);
    shape.dataset.status = s;
    const label = shape.querySelector(".status-label");
    if (label) label.textContent = s;
  }
}

function showTelemetry(message) {
  const scope = `[data-spacecraft="${CSS.escape(message.spacecraft)}"]`;
  for (const [name, value] of Object.entries(message.values)) {
    const parameter = `[data-parameter="${CSS.escape(name)}"]`;
    for (const row of document.querySelectorAll(`${scope} ${parameter}, ${scope}${parameter}`)) showValue(row, value);
  }
  document.dispatchEvent(new CustomEvent("mission:telemetry", { detail: message }));
  globalThis.missionClock?.tick();
  if (Date.now() - healthAskedAt > HEALTH_MS) {
    healthAskedAt = Date.now();
    refreshPart("health");
  }
}

function showFields(scope, fields, part) {
  const shown = document.querySelector(`${scope}[data-state]`);
  if (shown && fields.state && shown.dataset.state !== fields.state) refreshPart(part);
  for (const [name, value] of Object.entries(fields)) {
    for (const node of document.querySelectorAll(`${scope} [data-field="${CSS.escape(name)}"]`)) {
      if (node instanceof HTMLProgressElement) node.value = Number(value);
      else node.textContent = written(value, node.dataset);
    }
  }
}

function showTransfers(transfers) {
  for (const { id, state, size_octets: size, progress_octets: octets } of transfers) {
    for (const node of document.querySelectorAll(`[data-transfer="${CSS.escape(String(id))}"]`)) {
      const bar = node.querySelector("progress");
      if (bar && size) bar.value = (100 * octets) / size;
      const word = node.querySelector(".status-label");
      if (word && word.textContent !== state.toLowerCase()) refreshPart("transfers");
    }
  }
}

function showPass({ type: _type, contact, transfers, ...fields }) {
  showFields(`[data-contact="${CSS.escape(String(contact))}"]`, fields, "passes");
  showTransfers(transfers ?? []);
}

function announceAlarm({ parameter, severity, value }) {
  announcer.textContent = `${severity} alarm: ${parameter} ${value}`;
  refreshPart("alarms");
}

const handlers = {
  telemetry: showTelemetry,
  pass: showPass,
  job: ({ type: _type, job, ...fields }) => showFields(`[data-job="${CSS.escape(String(job))}"]`, fields, "jobs"),
  alarm: announceAlarm,
  refresh: (message) => (message.part === "all" ? refreshAll() : refreshPart(message.part)),
  clock: (message) => globalThis.missionClock?.set(message),
  beat: (message) => {
    globalThis.missionClock?.set(message);
    refreshPart("processes");
  },
};

function receive(event) {
  lastHeard = Date.now();
  const message = JSON.parse(event.data);
  handlers[message.type]?.(message);
}

function wait(attempt) {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  // Spread, so that a restarted server does not meet every console in the same instant.
  return longest / 2 + Math.random() * (longest / 2);
}

// Signed out elsewhere, closed, or without the right: what this page shows is not for these eyes any more. The server
// says so at the same address. A page that is still allowed (one's account, without a role) stays.
async function leaveIfForbidden() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.status === 401 || answer.status === 403) location.replace(location.href);
  } catch {
    // The server is away; it is asked again with the next try to connect.
  }
}

function closed(event) {
  if (event.code === CLOSE_NOT_SIGNED_IN || event.code === CLOSE_NOT_ALLOWED) {
    showState("refused");
    leaveIfForbidden();
    // A role may be given meanwhile.
    setTimeout(connect, LONGEST_WAIT_MS);
    return;
  }
  const delay = wait(attempts++);
  showState("lost", `, retrying in ${Math.ceil(delay / 1000)} s`);
  setTimeout(connect, delay);
}

function opened() {
  attempts = 0;
  lastHeard = Date.now();
  showState("live");
  if (everLive) refreshAll();
  everLive = true;
}

// A ticket opens one socket once; another site can neither ask for one nor guess it.
async function ticket() {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const answer = await fetch(document.body.dataset.ticketPath, { method: "POST", headers });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
  return (await answer.json()).ticket;
}

async function connect() {
  let shown;
  try {
    shown = await ticket();
  } catch {
    closed({ code: 0 });
    return;
  }
  if (shown === null) {
    closed({ code: CLOSE_NOT_SIGNED_IN });
    return;
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${document.body.dataset.livePath}?ticket=${shown}`);
  socket.addEventListener("open", opened);
  socket.addEventListener("message", receive);
  socket.addEventListener("close", closed);
}

if (stateElement && document.body.dataset.livePath) {
  showState("connecting");
  connect();
  setInterval(() => {
    if (stateElement.dataset.state === "live" && Date.now() - lastHeard > SILENCE_MS) socket.close(4000);
  }, 5000);
  setInterval(() => {
    if (stateElement.dataset.state !== "live" && !document.hidden) refreshAll();
  }, POLL_MS);
  for (const { dataset } of document.querySelectorAll("[data-refresh-s]")) {
    const part = dataset.part.split(" ")[0];
    setInterval(() => { if (!document.hidden) refreshPart(part); }, Number(dataset.refreshS) * 1000);
  }
}
