// Passkeys: the browser asks the authenticator, a hidden field carries its answer to the server.
//
//   form[data-passkey=get]     signing in, or proving once more who one is
//   form[data-passkey=create]  adding one
//     data-options-url         where the options are (JSON); or
//     data-options=ID          the element of type application/json that holds them
//     input[name=credential]   the answer
//     [data-passkey-error]     shown when it does not work; also where the browser knows no passkeys

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const answer = await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.json();
}

async function ask(form) {
  const options = await optionsOf(form);
  if (form.dataset.passkey === "get") {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.request_options.publicKey);
    return navigator.credentials.get({ publicKey });
  }
  const asked = options.creation_options.publicKey;
  // One that the authenticator itself keeps and guards by a PIN, a finger or a face: it can sign in alone.
  asked.authenticatorSelection = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) });
}

function reason(error) {
  if (error.name === "NotAllowedError") return "It was cancelled, or no passkey for this address was found.";
  if (error.name === "SecurityError") return "Passkeys belong to a name: open this page by its name, e.g. localhost, not by a number.";
  if (error.name === "InvalidStateError") return "This authenticator has a passkey for this account already.";
  return error.message;
}

function show(form, text) {
  const place = form.querySelector("[data-passkey-error]");
  place.textContent = text;
  place.hidden = !text;
}

async function submitted(event) {
  const form = event.currentTarget;
  const field = form.elements.credential;
  if (field.value) return;
  event.preventDefault();
  show(form, "");
  try {
    field.value = JSON.stringify(await ask(form));
    form.requestSubmit();
  } catch (error) {
    show(form, reason(error));
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    form.addEventListener("submit", submitted);
  } else {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    show(form, "This browser knows no passkeys at this address. They take HTTPS, or the name localhost.");
  }
}
