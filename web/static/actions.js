/** What can be done with a finished drawing: its own actions, and link, download, copy the prompt. */
import { useEffect, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { act } from "./session.js";

const BRIEFLY_MS = 1500;
const NAMES = { upscale: "Upscale", variation: "Vary" };

/** `point(index)` is told which tile of a grid an action is about, null when none. */
export function Actions({ card, tab, point = () => {} }) {
  return html`
    <div class="actions" role="group" aria-label="Actions">
      ${groups(card.actions).map((group) => html`
        <span class="action-group">
          ${group.map((action) => html`<${Action} card=${card} action=${action} tab=${tab} point=${point} />`)}
        </span>
      `)}
    </div>
  `;
}

function Action({ card, action, tab, point }) {
  const { index } = action;
  const [asked, ask] = useBriefly();
  const name = NAMES[action.action] && index ? `${NAMES[action.action]} ${index}` : words(action);
  const leave = () => point(null);
  const enter = () => point(isTile(action) ? index : null);
  const focus = (event) => event.currentTarget.matches(":focus-visible") && enter();
  return html`
    <button class="action" tabIndex=${tab} aria-label=${name} title=${name} data-action=${action.action} data-index=${index}
      data-asked=${asked} onClick=${() => (act(card, action), ask())} onPointerEnter=${enter} onPointerLeave=${leave} onFocus=${focus} onBlur=${leave}>
      ${sign(action)}
    </button>
  `;
}

/** Whether an action is about one tile of a grid: U1 to V4. An upscaled picture's actions have an index, but no tiles. */
function isTile({ label, index }) {
  return index !== null && /^[UV][1-4]$/.test(label);
}

export function isGrid(card) {
  return card.actions.some(isTile);
}

function sign(action) {
  return action.action === "reroll" ? "↻" : action.label;
}

function words(action) {
  return action.action === "reroll" ? "Draw again" : action.label;
}

/** Runs of the same action, as they came. */
function groups(actions) {
  const runs = [];
  for (const action of actions) {
    if (runs.at(-1)?.[0].action === action.action) runs.at(-1).push(action);
    else runs.push([action]);
  }
  return runs;
}

export function Handles({ card, tab }) {
  const [image] = card.images;
  return html`
    <div class="handles">
      <a class="handle" href=${image.url} target="_blank" rel="noopener" tabIndex=${tab} aria-label="Open the picture alone" title="Open alone"><${Icon} name="link" /></a>
      <a class="handle" href=${image.url} download=${`limner-${card.job}.png`} tabIndex=${tab} aria-label="Download" title="Download"><${Icon} name="download" /></a>
      <${Copy} text=${card.prompt} tab=${tab} />
    </div>
  `;
}

function Copy({ text, tab }) {
  const [copied, say] = useBriefly();
  const copy = async (event) => (await toClipboard(text, event.currentTarget)) && say();
  const name = copied ? "Copied" : "Copy the prompt";
  return html`
    <button class="handle" onClick=${copy} tabIndex=${tab} aria-label=${name} title=${name} data-said=${copied}>
      <${Icon} name=${copied ? "check" : "copy"} />
    </button>
  `;
}

/** [on, turnOn]: on for a moment, long enough to be seen. */
function useBriefly() {
  const [on, setOn] = useState(false);
  useEffect(() => {
    if (!on) return undefined;
    const timer = setTimeout(() => setOn(false), BRIEFLY_MS);
    return () => clearTimeout(timer);
  }, [on]);
  return [on, () => setOn(true)];
}

/** The clipboard API is there on https and localhost only; a page on a plain LAN address has the older way. */
async function toClipboard(text, button) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  const carrier = document.createElement("textarea");
  carrier.value = text;
  carrier.className = "unseen";
  button.after(carrier);
  carrier.select();
  const done = document.execCommand("copy");
  carrier.remove();
  button.focus();
  return done;
}
