// Mission time in the page: the clock, countdowns, ages, and markers of "now".
//
// The server gives one pair of instants (mission time and its own clock at the same moment), a
// factor and whether time is frozen. The browser's clock is used for differences only, so a
// wrong clock in the control room changes nothing.
//
//   #mission-clock[data-mission-at][data-wall-at][data-factor][data-frozen]
//   [data-countdown=ISO]            text "T-00:12:34", signed; data-passed when the event is over
//   [data-at=ISO][data-period-s=N]  data-age "fresh" | "aging" | "stale" and text into [data-age-text]; without a period
//                                   the age is written and the value never becomes stale
//   line[data-now-from=ISO][data-now-to=ISO]  an SVG line, moved along x in percent of its picture
//   [data-moves="x,y x,y …"][data-moves-from=ISO][data-moves-to=ISO]  an SVG group, moved along places that are evenly spaced in
//                                   time; out of that time one that began hidden is hidden again
//   time[datetime]                  local time in the title, on hover or focus

const element = document.getElementById("mission-clock");
const TICK_MS = 250;
// After one expected period a value is dim, after three it is stale; a little grace for the way.
const AGING_PERIODS = 1.5;
const STALE_PERIODS = 3;
const LEAP = 900; // half the map

const anchor = { missionMs: 0, wallMs: 0, factor: 1, frozen: false, offsetMs: 0 };

function setAnchor({ mission_at, wall_at, factor, frozen }, receivedMs) {
  anchor.missionMs = Date.parse(mission_at);
  anchor.wallMs = Date.parse(wall_at);
  anchor.factor = Number(factor);
  anchor.frozen = frozen === true || frozen === "true";
  anchor.offsetMs = anchor.wallMs - receivedMs;
}

function missionNowMs() {
  if (anchor.frozen) return anchor.missionMs;
  return anchor.missionMs + (Date.now() + anchor.offsetMs - anchor.wallMs) * anchor.factor;
}

const two = (number) => String(number).padStart(2, "0");

function signed(milliseconds) {
  const whole = Math.floor(milliseconds / 1000);
  const seconds = Math.abs(whole);
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `T${whole < 0 ? "-" : "+"}${clock}`;
}

function spokenAge(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

function dayOfYear(date) {
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  return String(Math.floor((date.getTime() - start) / 86400000) + 1).padStart(3, "0");
}

function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function showClock(nowMs) {
  const now = new Date(nowMs);
  setText(element.querySelector("[data-clock=time]"), `${now.toISOString().slice(0, 19).replace("T", " ")}Z`);
  setText(element.querySelector("[data-clock=day]"), `DOY ${dayOfYear(now)}`);
  const factor = element.querySelector("[data-clock=factor]");
  setText(factor, `${Number(anchor.factor.toFixed(2))}×`);
  factor.hidden = anchor.factor === 1;
  element.querySelector("[data-clock=frozen]").hidden = !anchor.frozen;
  element.dataset.frozen = String(anchor.frozen);
}

function showCountdown(node, nowMs) {
  const since = nowMs - Date.parse(node.dataset.countdown);
  setText(node, signed(since));
  node.toggleAttribute("data-passed", since >= 0);
}

function showAge(node, nowMs) {
  const age = nowMs - Date.parse(node.dataset.at);
  const periods = age / 1000 / Number(node.dataset.periodS);
  const word = periods > STALE_PERIODS ? "stale" : periods > AGING_PERIODS ? "aging" : "fresh";
  if (node.dataset.age !== word) node.dataset.age = word;
  const spoken = spokenAge(age);
  setText(node.querySelector("[data-age-text]"), word === "stale" ? `stale ${spoken}` : spoken);
}

function showNowMarker(node, nowMs) {
  const from = Date.parse(node.dataset.nowFrom);
  const share = (nowMs - from) / (Date.parse(node.dataset.nowTo) - from);
  const inside = share >= 0 && share <= 1;
  node.setAttribute("visibility", inside ? "visible" : "hidden");
  for (const name of inside ? ["x1", "x2"] : []) node.setAttribute(name, `${(share * 100).toFixed(2)}%`);
}

function showMoving(node, nowMs) {
  const from = Date.parse(node.dataset.movesFrom);
  const share = (nowMs - from) / (Date.parse(node.dataset.movesTo) - from);
  const inside = share >= 0 && share <= 1;
  if (node.hasAttribute("visibility")) node.setAttribute("visibility", inside ? "visible" : "hidden");
  if (!inside) return;
  const places = (node.places ??= node.dataset.moves.split(" ").map((place) => place.split(",").map(Number)));
  const step = Math.min(Math.floor(share * (places.length - 1)), places.length - 2);
  const [[x, y], [nextX, nextY]] = [places[step], places[step + 1]];
  // From one edge of the map to the other nothing lies between.
  const within = Math.abs(nextX - x) < LEAP ? share * (places.length - 1) - step : 0;
  node.setAttribute("transform", `translate(${(x + (nextX - x) * within).toFixed(2)} ${(y + (nextY - y) * within).toFixed(2)})`);
}

function tick() {
  const nowMs = missionNowMs();
  showClock(nowMs);
  for (const node of document.querySelectorAll("[data-countdown]")) showCountdown(node, nowMs);
  for (const node of document.querySelectorAll("[data-at]")) if (node.dataset.at) showAge(node, nowMs);
  for (const node of document.querySelectorAll("[data-now-from]")) showNowMarker(node, nowMs);
  for (const node of document.querySelectorAll("[data-moves]")) showMoving(node, nowMs);
}

function showLocalTime(event) {
  const time = event.target.closest?.("time[datetime]");
  if (time && !time.title) time.title = `${new Date(time.dateTime).toLocaleString()} local time`;
}

if (element) {
  // The page was made just before its first octet came: that is the moment the anchor belongs to.
  const [navigation] = performance.getEntriesByType("navigation");
  const received = performance.timeOrigin + (navigation ? navigation.responseStart : performance.now());
  const { missionAt, wallAt, factor, frozen } = element.dataset;
  setAnchor({ mission_at: missionAt, wall_at: wallAt, factor, frozen }, received);
  // live.js and plot.js ask here; modules stay free of imports so that static files may be renamed.
  globalThis.missionClock = {
    nowMs: missionNowMs,
    set: (message) => { setAnchor(message, Date.now()); tick(); },
    tick,
  };
  tick();
  setInterval(tick, TICK_MS);
  document.addEventListener("mouseover", showLocalTime);
  document.addEventListener("focusin", showLocalTime);
  document.addEventListener("mission:refreshed", tick);
}
