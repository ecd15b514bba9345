// The table beside the timeline: what is in view, contacts first.

const LISTED = 60;
const body = document.querySelector("#timeline-table tbody");

export const utc = (data, atS) => new Date(data.begins_ms + atS * 1000).toISOString().replace("T", " ").slice(0, 19);

export function showNote(text) {
  body.replaceChildren(note(text));
}

export function showTable(data, seen, { chosen, passUrl, span }) {
  const { state, begins_s: begins } = data.items;
  seen.sort((one, other) => (state[one] === 0) - (state[other] === 0) || begins[one] - begins[other]);
  document.getElementById("timeline-count").textContent = String(seen.length);
  document.getElementById("timeline-span").textContent = span;
  body.replaceChildren(...seen.slice(0, LISTED).map((item) => itemRow(data, item, item === chosen, passUrl)));
  if (seen.length === 0) body.append(note("Nothing is in view. Go to now, or show a wider interval."));
  if (seen.length > LISTED) body.append(note(`And ${seen.length - LISTED} more; show a shorter interval.`));
}

function note(text) {
  const row = document.createElement("tr");
  row.append(cell("td", text, "empty"));
  row.firstChild.colSpan = 7;
  return row;
}

function cell(tag, text, className = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

function itemRow(data, item, isChosen, passUrl) {
  const { antenna, spacecraft, begins_s: begins, lasts_s: lasts, elevation_deg: elevation, contact } = data.items;
  const row = document.createElement("tr");
  row.toggleAttribute("data-chosen", isChosen);
  const name = data.states[data.items.state[item]];
  const state = cell("td", "");
  const key = document.createElement("span");
  key.className = "timeline-key";
  key.dataset.key = name;
  state.append(key, ` ${name}`);
  const head = cell("th", data.spacecraft[spacecraft[item]]);
  head.scope = "row";
  if (contact[item]) {
    const link = document.createElement("a");
    link.href = passUrl.replace("/0/", `/${contact[item]}/`);
    link.textContent = `${head.textContent} #${contact[item]}`;
    head.replaceChildren(link);
  }
  const length = `${Math.floor(lasts[item] / 60)}:${String(lasts[item] % 60).padStart(2, "0")}`;
  row.append(
    state, head, cell("td", data.antennas[antenna[item]]), cell("td", `${utc(data, begins[item]).slice(5)}Z`),
    cell("td", `${utc(data, begins[item] + lasts[item]).slice(11)}Z`, "wide-only"), cell("td", length, "number wide-only"), cell("td", `${elevation[item]}°`, "number wide-only"),
  );
  return row;
}
