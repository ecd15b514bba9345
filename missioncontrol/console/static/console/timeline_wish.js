// What is asked of a plan on the timeline: a window booked, a pass freed, or moved to another window. The answer is a
// proposed plan, or what is against one; it is shown beneath the canvas. Nothing is booked by this.

const form = document.getElementById("wish"); // only there for who may propose
const button = document.getElementById("wish-propose");
const mover = document.getElementById("wish-move");
const subject = document.getElementById("wish-subject");
const INVITATION = subject?.textContent;
const FREE = ["opportunity", "added"];
const BOOKED = ["booked", "drifted", "freed"];

let chosen = null; // each: {name, label, state}
let moving = null;
let asking = false;
let answered = () => {};

export const mayMove = (state) => form !== null && BOOKED.includes(state);
export const mayTake = (state) => FREE.includes(state);

// What the choice, and a pass that waits for its new window, ask for; null: nothing.
function wish() {
  if (!chosen) return null;
  if (FREE.includes(chosen.state)) {
    return moving
      ? { include: chosen.name, exclude: moving.name, verb: "move", text: `${moving.label} moves to ${chosen.label}` }
      : { include: chosen.name, verb: "book", text: `${chosen.label} is booked` };
  }
  return BOOKED.includes(chosen.state) ? { exclude: chosen.name, verb: "free", text: `${chosen.label} is freed` } : null;
}

function show() {
  if (!form) return;
  const asked = wish();
  button.disabled = asking || !asked;
  button.textContent = `Propose to ${asked?.verb ?? "book"}`;
  mover.disabled = !moving && !mayMove(chosen?.state);
  mover.setAttribute("aria-pressed", String(moving !== null));
  if (asking) return;
  if (moving && asked?.verb !== "move") subject.textContent = `${moving.label}: choose the window that it moves to. Escape gives up.`;
  else subject.textContent = asked ? `A plan in which ${asked.text}.` : INVITATION;
}

export function choose(item) {
  chosen = item;
  show();
}

export function move() {
  if (!form) return;
  moving = moving || !mayMove(chosen?.state) ? null : chosen;
  show();
}

export function giveUp() {
  moving = null;
  show();
}

export function propose() {
  if (form && !button.disabled) ask(wish());
}

export function moveTo(from, to) {
  if (!form || asking) return;
  ask({ include: to.name, exclude: from.name, text: `${from.label} moves to ${to.label}` });
}

async function ask({ include, exclude, text }) {
  asking = true;
  show();
  subject.textContent = `A plan is made in which ${text} …`;
  const body = new FormData(form);
  if (include) body.set("include", include);
  if (exclude) body.set("exclude", exclude);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    // 422: no plan can be like this, and the part says why.
    if (answer.redirected || !(answer.ok || answer.status === 422)) throw new Error(`the server answered ${answer.status}`);
    showPart(await answer.text());
    moving = null;
  } catch (error) {
    say(`The plan could not be asked for: ${error.message}.`);
  } finally {
    asking = false;
    show();
  }
}

function showPart(text) {
  const part = new DOMParser().parseFromString(text, "text/html").getElementById("part-timeline-plan");
  document.getElementById("part-timeline-plan").replaceWith(document.adoptNode(part));
  const { plan, refreshUrl } = part.dataset;
  say(plan ? `Plan ${plan} is proposed.` : part.querySelector("#timeline-refused").textContent);
  if (!plan) return;
  history.replaceState(null, "", refreshUrl);
  showKeys();
  answered();
}

function showKeys() {
  for (const key of document.querySelectorAll("[data-of-a-plan]")) key.hidden = false;
}

function say(text) {
  document.getElementById("announcer").textContent = text;
}

// The plan that the page shows: {plan, asked}, its number and the first window that was asked for; both may be missing.
export const shownPlan = () => document.getElementById("part-timeline-plan").dataset;

export function listen(whenAnswered) {
  answered = whenAnswered;
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    propose();
  });
  mover?.addEventListener("click", move);
  show();
}
