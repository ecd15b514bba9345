// Marks which octets and which parameter belong together while one points at either.
//
//   #octets [data-fields="3 4"]   an octet, with the numbers of the parameters that have bits in it
//   #fields tr[data-field="3"]    a parameter;  #field-told  says it in words
//   data-lit                      on both, while they are pointed at

const told = document.getElementById("field-told");
const hint = told?.textContent;

const rowOf = (number) => document.querySelector(`#fields tr[data-field="${number}"]`);
const octetsOf = (number) => document.querySelectorAll(`#octets [data-fields~="${number}"]`);

function numbersAt(node) {
  const owner = node.closest?.("#octets [data-fields], #fields tr[data-field]");
  return owner ? (owner.dataset.fields ?? owner.dataset.field).split(" ") : [];
}

function words(row) {
  const text = (name) => row.querySelector(name).textContent;
  const unit = text("[data-unit]");
  return `${text(".field-name")}: raw ${text("[data-raw]") || "—"}, value ${text("[data-value]")}${unit ? ` ${unit}` : ""}`;
}

function light(numbers) {
  for (const lit of document.querySelectorAll("[data-lit]")) lit.removeAttribute("data-lit");
  for (const number of numbers) {
    rowOf(number)?.setAttribute("data-lit", "");
    for (const octet of octetsOf(number)) octet.setAttribute("data-lit", "");
  }
  told.textContent = numbers.length ? numbers.map(rowOf).filter(Boolean).map(words).join(" · ") : hint;
}

if (told) {
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, (event) => light(numbersAt(event.target)));
  // From an octet one comes to its parameter's row.
  document.getElementById("octets").addEventListener("click", (event) => {
    const [first] = numbersAt(event.target);
    if (first !== undefined) rowOf(first)?.querySelector("button").focus();
  });
}
