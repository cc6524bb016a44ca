/** The page, put together. */
import { render } from "./vendor/preact.js";
import { effect } from "./vendor/signals.js";
import { pageTitle, spoken } from "./format.js";
import { Gallery } from "./gallery.js";
import { Header } from "./header.js";
import { html } from "./html.js";
import { KeysPanel, listenToKeys } from "./keys.js";
import { Login } from "./login.js";
import { Notice } from "./notice.js";
import { PromptBox } from "./prompt.js";
import { boot } from "./session.js";
import { loaded, phase, state, wall } from "./store.js";
import { Viewer } from "./viewer.js";

function App() {
  if (phase.value === "starting") return html`<${Notice} />`;
  if (phase.value === "login") return html`<${Login} />`;
  return html`
    <${Notice} />
    <${Header} />
    <main aria-busy=${!loaded.value}>
      <${PromptBox} />
      <${Gallery} />
    </main>
    <${Viewer} />
    <${KeysPanel} />
  `;
}

render(html`<${App} />`, document.getElementById("page"));
listenToKeys();

effect(() => {
  document.title = phase.value === "in" ? pageTitle(wall.value) : "Limner";
  if (phase.value === "login") document.getElementById("spoken").textContent = ""; // who comes next hears nothing of it
});

let before = state.peek();
effect(() => {
  const words = spoken(before, state.value);
  before = state.value;
  if (words) document.getElementById("spoken").textContent = words;
});

boot();
