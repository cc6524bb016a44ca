/** The thin line at the top: a lost connection, or something the server has to say. Never moves what is below it. */
import { html } from "./html.js";
import { dispatch, link, phase, state } from "./store.js";

export function Notice() {
  const { notice } = state.value;
  if (link.value === "lost") return html`<p class="line" role="status" data-kind="lost">${lostWords()}</p>`;
  if (!notice) return null;
  const close = () => dispatch({ type: "page.heeded" });
  return html`
    <p class="line" role="status" data-kind=${notice.kind}>
      ${notice.message}
      <button class="plain" aria-label="Close this message" onClick=${close}>×</button>
    </p>
  `;
}

function lostWords() {
  if (!navigator.onLine) return "no network: reconnecting when it is back";
  return phase.value === "in" ? "reconnecting… your drawings go on meanwhile" : "reconnecting…";
}
