// One socket carries what changes. The page was complete when the server made it, so a lost
// socket costs freshness and never truth; while it is lost, the parts are asked for by HTTP.
//
// Messages, JSON, from /ws/live/ (t and *_at are ISO 8601, UTC):
//   {type: "telemetry", spacecraft, values: {name: {v, s, t}}}   v value, s status, t mission time
//   {type: "pass", contact, state, name: value …}                numbers of the pass under way
//   {type: "job", job, state, name: value …}
//   {type: "alarm", status, text}                                is spoken; the alarm parts refresh
//   {type: "refresh", part}                                      the parts with that word in data-part refresh
//   {type: "clock", mission_at, wall_at, factor, frozen}         the mission clock was set anew
//
// Elements:
//   [data-spacecraft=S] [data-parameter=N]  with [data-value], [data-status-shape], data-decimals
//   [data-contact=ID] [data-field=NAME], [data-job=ID] [data-field=NAME]; with data-state, a new state refreshes the part
//   [data-part="NAME NAME …"][id]           with hx-get and hx-trigger="part-refresh"

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const POLL_MS = 15000;
// The server sends something (at least {type: "beat"}) every 20 s; longer silence is a dead line.
const SILENCE_MS = 50000;
// Many refreshes of one part within this time become one request.
const GATHER_MS = 300;

const LABELS = { connecting: "Connecting", live: "Live", lost: "No live data", refused: "Signed out" };
const SHAPES = { connecting: "standby", live: "normal", lost: "serious", refused: "off" };
const CLOSE_NOT_SIGNED_IN = 4401;
const CLOSE_NOT_ALLOWED = 4403;

const stateElement = document.getElementById("live-state");
const announcer = document.getElementById("announcer");
const gathered = new Set();
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

// A form being filled in is not pulled away from under the operator's hands.
function beingFilledIn(node) {
  const field = document.activeElement;
  return node.querySelector("details[open] form") !== null
    || (node.contains(field) && field.matches("input, select, textarea"));
}

function refreshGathered() {
  const nodes = document.querySelectorAll([...gathered].map((part) => `[data-part~="${CSS.escape(part)}"]`).join(","));
  gathered.clear();
  for (const node of nodes) if (!beingFilledIn(node)) globalThis.htmx?.trigger(node, "part-refresh");
}

function refreshPart(part) {
  if (gathered.size === 0) setTimeout(refreshGathered, GATHER_MS);
  gathered.add(part);
}

function refreshAll() {
  for (const node of document.querySelectorAll("[data-part]")) refreshPart(node.dataset.part.split(" ")[0]);
}

function written(value, decimals) {
  return typeof value === "number" && decimals !== undefined ? value.toFixed(Number(decimals)) : String(value);
}

function showValue(row, { v, s, t }) {
  row.dataset.at = t;
  row.dataset.status = s;
  const value = row.querySelector("[data-value]");
  if (value) value.textContent = written(v, row.dataset.decimals);
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
}

function showFields(scope, fields, part) {
  const shown = document.querySelector(`${scope}[data-state]`);
  if (shown && fields.state && shown.dataset.state !== fields.state) refreshPart(part);
  for (const [name, value] of Object.entries(fields)) {
    for (const node of document.querySelectorAll(`${scope} [data-field="${CSS.escape(name)}"]`)) {
      if (node instanceof HTMLProgressElement) node.value = Number(value);
      else node.textContent = written(value, node.dataset.decimals);
    }
  }
}

function announceAlarm(message) {
  if (message.text) announcer.textContent = `${message.status ?? ""} alarm: ${message.text}`.trim();
  refreshPart("alarms");
}

const handlers = {
  telemetry: showTelemetry,
  pass: ({ type: _type, contact, ...fields }) => showFields(`[data-contact="${CSS.escape(String(contact))}"]`, fields, "passes"),
  job: ({ type: _type, job, ...fields }) => showFields(`[data-job="${CSS.escape(String(job))}"]`, fields, "jobs"),
  alarm: announceAlarm,
  refresh: (message) => refreshPart(message.part),
  clock: (message) => globalThis.missionClock?.set(message),
  beat: () => {},
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

function closed(event) {
  if (event.code === CLOSE_NOT_SIGNED_IN || event.code === CLOSE_NOT_ALLOWED) {
    showState("refused");
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

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${document.body.dataset.livePath}`);
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
}
