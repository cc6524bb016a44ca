/** What can be done with a finished drawing: its own actions, and link, download, copy the prompt. */
import { useEffect, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { act } from "./session.js";
import { painting, viewing } from "./store.js";

const BRIEFLY_MS = 1500;
const TILE = /^[UV][1-4]$/;
const TILE_NAMES = { upscale: "Upscale", variation: "Vary" };
const FAMILIES = { upscale: "Upscale", vary: "Vary", zoom: "Zoom", pan: "Pan" };
const SIGNS = { reroll: "↻", pan_left: "←", pan_right: "→", pan_up: "↑", pan_down: "↓" };
const PAINTED = "vary_region"; // its mask is painted in the viewer
const NEEDS_MORE = new Set(["custom_zoom"]); // words of its own, which a button cannot give

/** `point(index)` is told which tile of a grid an action is about, null when none. */
export function Actions({ card, tab, point = () => {} }) {
  return html`
    <div class="actions" role="group" aria-label="Actions">
      ${groups(card.actions).map(
        ({ title, actions }) => html`
        <span class="action-group">
          ${title && html`<span class="action-title" aria-hidden="true">${title}</span>`}
          ${actions.map((action) => html`<${Action} card=${card} action=${action} tab=${tab} point=${point} />`)}
        </span>
      `,
      )}
    </div>
  `;
}

function Action({ card, action, tab, point }) {
  const [asked, ask] = useBriefly();
  const name = isTile(action) ? `${TILE_NAMES[action.action] ?? action.label} ${action.index}` : action.label;
  const leave = () => point(null);
  const enter = () => point(isTile(action) ? action.index : null);
  const focus = (event) => event.currentTarget.matches(":focus-visible") && enter();
  const press = (event) => {
    if (event.detail > 1) return; // a double click draws once; by the second one another card may be under it
    if (action.action === PAINTED) {
      viewing.value = painting.value = card.key;
      return;
    }
    act(card, action);
    ask();
  };
  return html`
    <button class="action" tabIndex=${tab} aria-label=${name} title=${name} data-asked=${asked}
      data-action=${action.action} data-index=${action.index}
      onClick=${press} onPointerEnter=${enter} onPointerLeave=${leave} onFocus=${focus} onBlur=${leave}>
      ${sign(action)}
    </button>
  `;
}

/** Whether an action is about one tile of a grid: U1 to V4. */
function isTile({ label }) {
  return TILE.test(label);
}

export function isGrid(card) {
  return card.actions.some(isTile);
}

/** What stands on the button: beside its family's name, "Upscale (Subtle)" is "Subtle". */
function sign(action) {
  if (SIGNS[action.action]) return SIGNS[action.action];
  if (isTile(action) || !FAMILIES[family(action)]) return action.label;
  return action.label.match(/\(([^)]+)\)$/)?.[1] ?? action.label.split(" ").at(-1);
}

function family(action) {
  return isTile(action) ? action.action : action.action.split("_")[0];
}

/** Actions by their family, those of tiles first: [{title, actions}]. */
function groups(actions) {
  const found = new Map();
  for (const action of [...actions.filter(isTile), ...actions.filter((action) => !isTile(action))]) {
    if (NEEDS_MORE.has(action.action)) continue;
    const name = `${family(action)} ${isTile(action)}`;
    if (!found.has(name)) found.set(name, { title: isTile(action) ? null : FAMILIES[family(action)], actions: [] });
    found.get(name).actions.push(action);
  }
  return [...found.values()];
}

export function Handles({ card, tab }) {
  const [image] = card.images;
  return html`
    <div class="handles">
      <a class="handle" tabIndex=${tab} href=${image.url} target="_blank" rel="noopener"
        aria-label="Open the picture alone" title="Open alone"><${Icon} name="link" /></a>
      <a class="handle" tabIndex=${tab} href=${image.url} download=${`limner-${card.job}.png`}
        aria-label="Download" title="Download"><${Icon} name="download" /></a>
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
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
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
