// Copies what is shown once, so that nobody has to mark it with a mouse.
//
//   button[data-copy=ID]   copies the text of that element; of a list, one entry a line

const SAID_MS = 2500;

function textOf(element) {
  const entries = [...element.querySelectorAll("li")];
  return entries.length > 0 ? entries.map((entry) => entry.textContent.trim()).join("\n") : element.textContent.trim();
}

async function copy(button) {
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(textOf(document.getElementById(button.dataset.copy)));
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    button.textContent = "Marked: press Ctrl-C";
  }
  document.getElementById("announcer")?.replaceChildren(button.textContent);
  setTimeout(() => { button.textContent = label; }, SAID_MS);
}

for (const button of document.querySelectorAll("button[data-copy]")) button.addEventListener("click", () => copy(button));
