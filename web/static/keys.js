/** The keyboard: walking the gallery, `/` to write, `?` for this list, Esc to close. */
import { html } from "./html.js";
import { COMMAND, focusPrompt } from "./prompt.js";
import { active, keysShown, phase, viewing } from "./store.js";

const KEYS = [
  [[COMMAND, "Enter"], "draw"],
  [["/"], "write a prompt"],
  [["↑"], "the last prompt again, in an empty box"],
  [["←", "→", "↑", "↓"], "walk the gallery"],
  [["Enter"], "look at the picture"],
  [["Esc"], "close"],
  [["?"], "show these keys"],
];

export function KeysPanel() {
  if (!keysShown.value) return null;
  return html`
    <aside class="keys" aria-label="Keyboard">
      <button class="plain" onClick=${() => (keysShown.value = false)} aria-label="Close">×</button>
      <dl>
        ${KEYS.map(
          ([keys, what]) => html`
          <dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${what}</dd>
        `,
        )}
      </dl>
    </aside>
  `;
}

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (phase.value !== "in" || viewing.value !== null || event.defaultPrevented) return;
    if (event.key === "Escape") keysShown.value = false;
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, .menu"))
      return;
    if (event.key === "/") {
      event.preventDefault();
      focusPrompt();
    } else if (event.key === "?") {
      keysShown.value = !keysShown.value;
    } else if (walk(event.key, event.target.closest("[data-card]"))) {
      event.preventDefault();
    }
  });
}

/** Moves to the neighbouring card. From outside the gallery only sideways, so that the page still scrolls. */
function walk(key, from) {
  const cards = [...document.querySelectorAll("[data-card]")];
  if (cards.length === 0) return false;
  const to = from ? neighbour(key, from, cards) : enter(key, cards);
  if (!to) return false;
  active.value = to.dataset.card;
  to.focus();
  return true;
}

function enter(key, cards) {
  if (key !== "ArrowRight" && key !== "ArrowLeft") return null;
  return cards.find((card) => card.dataset.card === active.value) ?? cards[0];
}

function neighbour(key, from, cards) {
  const at = cards.indexOf(from);
  switch (key) {
    case "ArrowRight":
      return cards[at + 1];
    case "ArrowLeft":
      return cards[at - 1];
    case "ArrowDown":
      return nearestInRow(from, cards.slice(at + 1));
    case "ArrowUp":
      return nearestInRow(from, cards.slice(0, at).reverse());
    case "Home":
      return cards[0];
    case "End":
      return cards.at(-1);
    default:
      return null;
  }
}

/** Of the first row that begins beyond `from`'s own, the card closest to it sideways. `cards` lead away from it. */
function nearestInRow(from, cards) {
  const { top, left } = from.getBoundingClientRect();
  const places = cards.map((card) => ({ card, box: card.getBoundingClientRect() }));
  const row = places.find(({ box }) => Math.abs(box.top - top) > 1)?.box.top;
  const inRow = places.filter(({ box }) => Math.abs(box.top - row) <= 1);
  inRow.sort((a, b) => Math.abs(a.box.left - left) - Math.abs(b.box.left - left));
  return inRow[0]?.card;
}
