/** Signing in with a key. In the demo the key is filled in, and it is said that the Discord is simulated. */
import { useRef, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { signIn } from "./session.js";
import { demo } from "./store.js";

export function Login() {
  const [key, setKey] = useState(demo.value?.key ?? "");
  const [wrong, setWrong] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useRef(null);

  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const refusal = await signIn(key.trim());
    setBusy(false);
    setWrong(refusal);
    if (refusal) field.current.select();
  };
  const type = (event) => {
    setKey(event.currentTarget.value);
    setWrong(null);
  };

  return html`
    <main class="login">
      <form onSubmit=${submit}>
        <h1 class="mark">Limner</h1>
        <p class="soft">Describe a picture, and it is drawn.</p>
        <label for="key">Your key</label>
        <input id="key" name="key" type="text" ref=${field} value=${key} onInput=${type}
          placeholder="from whoever runs this server"
          autocomplete="off" autocapitalize="off" spellcheck=${false} required autofocus
          aria-invalid=${wrong !== null} aria-describedby="key-help" />
        <p id="key-help" class="small" role="alert">${wrong ?? demo.value?.note ?? ""}</p>
        <button class="ink" disabled=${busy || key.trim() === ""}>Sign in</button>
      </form>
    </main>
  `;
}
