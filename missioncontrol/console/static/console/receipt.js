// Checks a receipt of the consortium log with the browser's own cryptography: no page, no server.
//
// Formats: C2SP tlog-proof, signed-note, tlog-checkpoint, tlog-cosignature; hashes of RFC 6962,
// proofs as RFC 9162 sections 2.1.3.2 and 2.1.4.2 check them. What does not hold throws a Wrong,
// whose message says what, which and what was expected.

const HASH_OCTETS = 32;
const TIME_OCTETS = 8;
const SIGNATURE_OCTETS = 64;
export const LOG_KEY = 1;
const WITNESS_KEY = 4;
const utf8 = new TextEncoder();

export class Wrong extends Error {}

function demand(holds, text) {
  if (!holds) throw new Wrong(text);
}

export function toHex(octets) {
  return [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

export function fromBase64(text) {
  let decoded = "";
  try {
    decoded = atob(text);
  } catch {
    throw new Wrong(`${text.slice(0, 40)} is no base64.`);
  }
  demand(btoa(decoded) === text, `${text.slice(0, 40)} is base64 in a second spelling.`);
  return Uint8Array.from(decoded, (sign) => sign.charCodeAt(0));
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}

export const leafHash = (octets) => sha256([0], octets);
const nodeHash = (left, right) => sha256([1], left, right);

function same(one, other) {
  return toHex(one) === toHex(other);
}

function readHash(text) {
  const octets = fromBase64(text);
  demand(octets.length === HASH_OCTETS, `A hash has ${HASH_OCTETS} octets; this one has ${octets.length}.`);
  return octets;
}

function readNumber(text, what) {
  demand(/^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)), `${what} is ${text.slice(0, 40)}, which is no number.`);
  return Number(text);
}

// --- what the files say ---------------------------------------------------------------------

export function readReceipt(text) {
  const end = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(end, 0)).split("\n");
  demand(end > 0 && lines[0] === "c2sp.org/tlog-proof@v1", "This is no receipt: it does not begin with c2sp.org/tlog-proof@v1.");
  const place = lines[1]?.startsWith("extra ") ? 2 : 1;
  demand(lines[place]?.startsWith("index "), "The receipt names no index.");
  return {
    index: readNumber(lines[place].slice("index ".length), "The index"),
    hashes: lines.slice(place + 1).map(readHash),
    note: text.slice(end + 2),
  };
}

// A note: a text, an empty line, and a line for each signature.
export function readNote(note) {
  const end = note.lastIndexOf("\n\n");
  demand(end > 0 && note.endsWith("\n"), "The checkpoint has no signatures below it.");
  const signatures = note.slice(end + 2, -1).split("\n").map((line) => {
    const [dash, name, octets, ...rest] = line.split(" ");
    demand(dash === "\u2014" && octets && rest.length === 0, `${line.slice(0, 60)} is no signature line.`);
    const payload = fromBase64(octets);
    return { name, keyId: toHex(payload.slice(0, 4)), payload: payload.slice(4) };
  });
  return { text: note.slice(0, end + 1), signatures };
}

export function readCheckpoint(text) {
  const [origin, size, root] = text.split("\n");
  demand(origin && size && root, "A checkpoint has three lines: origin, size and root.");
  return { origin, size: readNumber(size, "The checkpoint's size"), root: readHash(root) };
}

export async function readKey(vkey) {
  const first = vkey.indexOf("+");
  const second = vkey.indexOf("+", first + 1);
  demand(first > 0 && second > first, `${vkey.slice(0, 60)} is no public key: it is written name+identifier+key.`);
  const [name, keyId, material] = [vkey.slice(0, first), vkey.slice(first + 1, second), fromBase64(vkey.slice(second + 1))];
  demand(material.length === 1 + HASH_OCTETS, `The key of ${name} has ${material.length - 1} octets; Ed25519 has ${HASH_OCTETS}.`);
  const found = toHex((await sha256(utf8.encode(`${name}\n`), material)).slice(0, 4));
  demand(found === keyId, `The key of ${name} has the identifier ${found}; ${keyId} is written.`);
  return { name, keyId, type: material[0], octets: material.slice(1) };
}

// --- what they prove ------------------------------------------------------------------------

const half = (number) => Math.floor(number / 2);

// The hashes that each step makes, the root last; sizes may be beyond 2^32, so no bit operators.
export async function climb({ leaf, index, size, hashes }) {
  demand(index < size, `Entry ${index} cannot be in a log of ${size} entries.`);
  const made = [];
  let [node, last, found] = [index, size - 1, leaf];
  for (const sibling of hashes) {
    demand(last > 0, `The proof is longer than a log of ${size} entries is high.`);
    if (node % 2 === 1 || node === last) {
      found = await nodeHash(sibling, found);
      while (node > 0 && node % 2 === 0) [node, last] = [half(node), half(last)];
    } else {
      found = await nodeHash(found, sibling);
    }
    [node, last] = [half(node), half(last)];
    made.push(found);
  }
  demand(last === 0, "The proof ends before the root.");
  return made;
}

export async function verifyGrowth({ older, newer, hashes }) {
  demand(older.origin === newer.origin, `The log as it is now is called ${newer.origin}, not ${older.origin}.`);
  demand(older.size <= newer.size, `The log as it is now has ${newer.size} entries; it had ${older.size}.`);
  if (older.size === newer.size) {
    demand(same(older.root, newer.root), `Two checkpoints of ${older.size} entries have different roots: the log shows two histories.`);
    return;
  }
  let [node, last] = [older.size - 1, newer.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  // A full tree is left out of its proof: it is the old root.
  const path = node === 0 ? [older.root, ...hashes] : hashes;
  demand(path.length > 0, "The proof of growth is empty.");
  let [foundOld, foundNew] = [path[0], path[0]];
  for (const sibling of path.slice(1)) {
    demand(last > 0, "The proof of growth is too long.");
    if (node % 2 === 1 || node === last) {
      [foundOld, foundNew] = [await nodeHash(sibling, foundOld), await nodeHash(sibling, foundNew)];
      while (node > 0 && node % 2 === 0) [node, last] = [half(node), half(last)];
    } else {
      foundNew = await nodeHash(foundNew, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  demand(last === 0, "The proof of growth ends before the root.");
  demand(same(foundOld, older.root), "The proof of growth does not lead to the root that the receipt has.");
  demand(same(foundNew, newer.root), "The proof of growth does not lead to the root that the log has now.");
}

export async function knowsEd25519() {
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(HASH_OCTETS), { name: "Ed25519" }, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

// The log signs the text, a witness the time and the text.
export async function verifySignature({ text, line, key }) {
  const isWitness = key.type === WITNESS_KEY;
  demand(isWitness || key.type === LOG_KEY, `The key of ${key.name} is of a kind that this page does not know.`);
  const begin = isWitness ? TIME_OCTETS : 0;
  demand(line.payload.length === begin + SIGNATURE_OCTETS, `The signature of ${line.name} has ${line.payload.length} octets.`);
  const seconds = isWitness ? new DataView(line.payload.buffer, line.payload.byteOffset).getBigUint64(0) : 0n;
  const message = utf8.encode(isWitness ? `cosignature/v1\ntime ${seconds}\n${text}` : text);
  const subject = await crypto.subtle.importKey("raw", key.octets, { name: "Ed25519" }, false, ["verify"]);
  const holds = await crypto.subtle.verify({ name: "Ed25519" }, subject, line.payload.slice(begin), message);
  demand(holds, `The signature of ${line.name} (key ${line.keyId}) is wrong.`);
}
