/** Signing in as an operator. The key leaves this page once, and comes back as a cookie that no script can read. */
import { useRef, useState } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { ask } from "./api.js";
import { EACH_MS, leave } from "./live.js";
import { lost, me, phase } from "./store.js";

const REFUSALS = {
  401: "This key is not known. Check that it was copied whole.",
  403: "This key draws; it does not operate. A viewer's or an admin's is needed.",
};

/** Finds out who is here; asks again for as long as nobody answers. */
export async function boot() {
  const told = await ask("GET", "login");
  lost.value = told.status === 0;
  if (told.value) enter(told.value);
  else if (lost.value) setTimeout(boot, EACH_MS);
  else phase.value = "login";
}

/** Signs in. Returns null, or a sentence saying why not. */
export async function signIn(key) {
  const told = await ask("POST", "login", { key });
  if (!told.value) return REFUSALS[told.status] ?? told.words;
  const shown = await ask("GET", "login");
  if (!shown.value) return shown.words;
  enter(shown.value);
  return null;
}

export async function signOut() {
  await ask("DELETE", "login");
  leave();
}

function enter(who) {
  me.value = who;
  phase.value = "in";
}

export function Login() {
  const [key, setKey] = useState("");
  const [wrong, setWrong] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useRef(null);

  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const refusal = await signIn(key.trim());
    if (refusal === null) return;
    setBusy(false);
    setWrong(refusal);
    field.current.select();
  };
  const type = (event) => {
    setKey(event.currentTarget.value);
    setWrong(null);
  };
  return html`
    <main class="login">
      <form onSubmit=${submit}>
        <h1 class="mark">Limner</h1>
        <p class="soft">For whoever keeps it running.</p>
        <label for="key">Admin or viewer key</label>
        <input id="key" name="key" type="password" ref=${field} value=${key} onInput=${type}
          autocomplete="off" autocapitalize="off" spellcheck=${false} required autofocus
          aria-invalid=${wrong !== null} aria-describedby="key-help" />
        <p id="key-help" class="small" role="alert">${wrong ?? ""}</p>
        <button class="ink" disabled=${busy || key.trim() === ""}>Sign in</button>
        <p class="small where">
          The key is that of <code>[admin]</code> in the config; in the demo it stands as <code>admin_key</code> in
          ${" "}<code>limner-data/demo.json</code>. Further ones: <code>limner admin key new USER --role viewer</code>.
        </p>
      </form>
    </main>
  `;
}
