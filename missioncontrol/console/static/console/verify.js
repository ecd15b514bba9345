// "Verify in this browser": does every step of a receipt itself and marks each on the page.
//
//   #proof[data-entry-url][data-receipt-url][data-log-url][data-witnesses-url]
//         [data-checkpoint-url][data-consistency-url][data-quorum]     where the documents are
//   [data-step=leaf|1|2|…|root][data-hash]   what the server says that the step makes, in hex
//   [data-signature="NAME+ID"|quorum|growth] the signatures below
//     [data-check]                           takes the mark; the row gets data-result: right, wrong, open
//   template[data-check-as=right|wrong|open] the marks;  #verify, #verdict, #own-vkey

import {
  LOG_KEY, Wrong, climb, fromBase64, knowsEd25519, leafHash, readCheckpoint, readKey, readNote, readReceipt, toHex, verifyGrowth,
  verifySignature,
} from "./receipt.js";

const proof = document.getElementById("proof");
const verdict = document.getElementById("verdict");
const button = document.getElementById("verify");
const rows = () => [...proof.querySelectorAll("[data-step], [data-signature]")];
const stepRow = (name) => proof.querySelector(`[data-step="${name}"]`);
const signatureRow = (name) => proof.querySelector(`[data-signature="${CSS.escape(name)}"]`);

function mark(row, result, why = "") {
  if (!row) return;
  row.dataset.result = result;
  const place = row.querySelector("[data-check]");
  place.replaceChildren(document.querySelector(`template[data-check-as=${result}]`).content.cloneNode(true));
  row.querySelector("[data-why]")?.remove();
  if (why) {
    const text = Object.assign(document.createElement("span"), { className: "why", textContent: why });
    text.dataset.why = "";
    (row.querySelector("th") ?? row).append(text);
  }
}

async function ask(url) {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${url} was answered with ${answer.status}.`);
  return answer;
}

const askText = async (url) => (await ask(url)).text();
const askJson = async (url) => (await ask(url)).json();

// --- the way from the entry to the root -------------------------------------------------------

function markStep(row, made, what) {
  const right = row?.dataset.hash === toHex(made);
  mark(row, right ? "right" : "wrong", right ? "" : `${what} makes ${toHex(made)}`);
}

async function followTheWay(octets, receipt, head) {
  const leaf = await leafHash(octets);
  markStep(stepRow("leaf"), leaf, "What was fetched");
  if (document.getElementById("octets-shown").textContent !== new TextDecoder().decode(octets)) {
    mark(stepRow("leaf"), "wrong", "The octets that were fetched are not those that this page shows.");
  }
  const made = await climb({ leaf, index: receipt.index, size: head.size, hashes: receipt.hashes });
  made.forEach((hash, place) => markStep(stepRow(place + 1), hash, "What was fetched"));
  const reached = toHex(made.at(-1) ?? leaf);
  const root = toHex(head.root);
  const right = reached === root && stepRow("root").dataset.hash === root;
  mark(stepRow("root"), right ? "right" : "wrong", right ? "" : `The way leads to ${reached}; the checkpoint that was fetched says ${root}.`);
}

// --- the signatures under it ------------------------------------------------------------------

async function keysOfTheLog(log, head) {
  const own = document.getElementById("own-vkey").value.trim();
  const named = own ? [own] : [log.vkey, log.announced_vkey].filter(Boolean);
  const keys = await Promise.all(named.map(readKey));
  for (const key of keys) {
    if (key.type !== LOG_KEY) throw new Wrong(`The key of ${key.name} is a witness's; the log's is needed.`);
    if (key.name !== head.origin) throw new Wrong(`The checkpoint is of the log ${head.origin}; the key is that of ${key.name}.`);
  }
  return keys;
}

async function checkLine(note, line, keys) {
  const row = signatureRow(`${line.name}+${line.keyId}`);
  const key = keys.find((each) => each.name === line.name && each.keyId === line.keyId);
  if (!key) {
    mark(row, "open", "No key is known for this line.");
    return null;
  }
  try {
    await verifySignature({ text: note.text, line, key });
    mark(row, "right");
    return key;
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    mark(row, "wrong", error.message);
    return null;
  }
}

async function checkSignatures(note, logKeys, witnessKeys) {
  const signers = [];
  for (const line of note.signatures) signers.push(await checkLine(note, line, [...logKeys, ...witnessKeys]));
  const signed = signers.some((key) => logKeys.includes(key));
  if (!signed) {
    const row = proof.querySelector("[data-signature][data-kind=log]") ?? signatureRow("quorum");
    if (row.dataset.result !== "wrong") mark(row, "wrong", "No line is a signature by the log's key.");
  }
  // One member, one voice: a key counts once.
  const voices = new Set(signers.filter((key) => witnessKeys.includes(key)).map((key) => toHex(key.octets)));
  proof.dataset.cosigned = voices.size;
  const needed = Number(proof.dataset.quorum);
  if (needed === 0) mark(signatureRow("quorum"), "open", `${voices.size} right; none are needed here.`);
  else mark(signatureRow("quorum"), voices.size >= needed ? "right" : "wrong", `${voices.size} right, ${needed} needed`);
}

// --- the log as it is now ---------------------------------------------------------------------

async function checkGrowth(head, logKeys) {
  const row = signatureRow("growth");
  const note = readNote(await askText(proof.dataset.checkpointUrl));
  const newer = readCheckpoint(note.text);
  for (const line of note.signatures) {
    const key = logKeys.find((each) => each.name === line.name && each.keyId === line.keyId);
    if (key) await verifySignature({ text: note.text, line, key });
  }
  let hashes = [];
  if (newer.size > head.size) {
    const answer = await fetch(`${proof.dataset.consistencyUrl}?old=${head.size}&new=${newer.size}`);
    if (answer.status === 422) {
      mark(row, "open", `It has ${newer.size} entries, which witnesses have not published yet.`);
      return;
    }
    hashes = (await answer.json()).hashes.map(fromBase64);
  }
  await verifyGrowth({ older: head, newer, hashes });
  mark(row, "right", newer.size === head.size ? "It is this very tree." : `It has grown to ${newer.size} entries and begins with this tree.`);
}

// --- all of it --------------------------------------------------------------------------------

async function guarded(row, work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    mark(row, "wrong", error.message);
  }
}

async function verify() {
  const { entryUrl, receiptUrl, logUrl, witnessesUrl } = proof.dataset;
  const octets = new Uint8Array(await (await ask(entryUrl)).arrayBuffer());
  const [receiptText, log, witnesses] = await Promise.all([askText(receiptUrl), askJson(logUrl), askJson(witnessesUrl)]);
  const receipt = readReceipt(receiptText);
  const note = readNote(receipt.note);
  const head = readCheckpoint(note.text);
  await guarded(stepRow("root"), () => followTheWay(octets, receipt, head));
  if (!(await knowsEd25519())) {
    for (const row of proof.querySelectorAll("[data-signature]")) mark(row, "open", "This browser does not know Ed25519; use mc receipt verify.");
    return;
  }
  const logKeys = await keysOfTheLog(log, head);
  const witnessKeys = await Promise.all(witnesses.items.filter((each) => each.active).map((each) => readKey(each.vkey)));
  await checkSignatures(note, logKeys, witnessKeys);
  await guarded(signatureRow("growth"), () => checkGrowth(head, logKeys));
}

function conclude() {
  const wrong = rows().filter((row) => row.dataset.result === "wrong");
  const signed = proof.querySelector("[data-signature][data-kind=log][data-result=right]");
  if (wrong.length > 0) return ["wrong", `Refused: ${wrong.length === 1 ? "one step is" : `${wrong.length} steps are`} wrong. Keep this page and what you saved, and tell the other members.`];
  if (!signed) return ["open", "The hashes lead to the root. Whose root it is was not checked: the signature is open."];
  const members = Number(proof.dataset.cosigned ?? 0);
  const who = members > 0 ? `the log and ${members} of its members signed` : "the log signed";
  return ["right", `Right: this browser has done every step, and ${who} the root that they lead to.`];
}

function say(result, text) {
  verdict.dataset.result = result;
  verdict.textContent = text;
}

async function pressed() {
  button.disabled = true;
  say("open", "Checking…");
  for (const row of rows()) mark(row, "open");
  try {
    if (!globalThis.crypto?.subtle) throw new Error("A browser gives its cryptography only to pages that came by https, or from localhost.");
    await verify();
    say(...conclude());
  } catch (error) {
    if (error instanceof Wrong) say("wrong", `Refused: ${error.message}`);
    else say("open", `Nothing was decided. ${error.message}`);
  } finally {
    button.disabled = false;
  }
}

button.addEventListener("click", pressed);
