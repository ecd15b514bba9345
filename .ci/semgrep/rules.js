// ruleid: no-markup-from-text-in-scripts
node.innerHTML = text;
// ruleid: no-markup-from-text-in-scripts
eval(text);
// ok: no-markup-from-text-in-scripts
node.textContent = text;
