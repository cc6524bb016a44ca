/** The thin line at the top: a lost connection, or something the server has to say. Never moves what is below it. */
import { html } from "./html.js";
import { dispatch, link, phase, state } from "./store.js";

export function Notice() {
  const { notice } = state.value;
  const away = link.value === "lost";
  if (away) {
    const words = phase.value === "in" ? "reconnecting… your drawings go on meanwhile" : "reconnecting…";
    return html`<p class="line" role="status" data-kind="lost">${navigator.onLine ? words : "no network: reconnecting when it is back"}</p>`;
  }
  if (!notice) return null;
  return html`
    <p class="line" role="status" data-kind=${notice.kind}>
      ${notice.message}
      <button class="plain" onClick=${() => dispatch({ type: "page.heeded" })} aria-label="Close this message">×</button>
    </p>
  `;
}
