// Filters rows of a table while one types. Without this file the same form asks the server.
//
//   [data-filter-rows=SELECTOR][data-filter-key=text|subsystem|only]   the controls
//   [data-filter-none]     shown when nothing fits;  [data-shown-count]  how many rows are shown

const controls = () => [...document.querySelectorAll("[data-filter-rows]")];

const tests = {
  text: (row, wanted) => wanted.toLowerCase().split(/\s+/).every((word) => row.textContent.toLowerCase().includes(word)),
  subsystem: (row, wanted) => row.dataset.subsystem === wanted,
  only: (row, wanted) => wanted === "stale"
    ? row.dataset.age === "stale" || row.dataset.age === "never"
    : ["critical", "serious", "caution"].includes(row.dataset.status),
};

function apply() {
  const chosen = controls().filter((control) => control.value.trim() !== "");
  const [first] = controls();
  if (!first) return;
  let shown = 0;
  for (const row of document.querySelectorAll(first.dataset.filterRows)) {
    row.hidden = !chosen.every((control) => tests[control.dataset.filterKey](row, control.value.trim()));
    shown += row.hidden ? 0 : 1;
  }
  const none = document.querySelector("[data-filter-none]");
  if (none) none.hidden = shown > 0;
  const count = document.querySelector("[data-shown-count]");
  if (count) count.textContent = shown;
}

document.addEventListener("input", (event) => { if (event.target.matches("[data-filter-rows]")) apply(); });
document.addEventListener("submit", (event) => {
  if (event.target.querySelector("[data-filter-rows]")) { event.preventDefault(); apply(); }
});
document.addEventListener("mission:refreshed", apply);
document.addEventListener("mission:telemetry", apply);
apply();
