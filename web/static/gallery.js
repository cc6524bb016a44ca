/** The wall: every drawing under its day, newest first; older ones are fetched as one walks down. */
import { useEffect, useRef } from "./vendor/preact-hooks.js";
import { Card } from "./card.js";
import { dayName, ending } from "./format.js";
import { html } from "./html.js";
import { edit } from "./prompt.js";
import { more } from "./session.js";
import { active, state } from "./store.js";

const AHEAD = "800px"; // older jobs are asked for this far before they are reached

export function Gallery() {
  const { loaded, next, order } = state.value;
  if (!loaded && order.length === 0) return null;
  if (order.length === 0) return html`<p class="empty">Nothing on the wall yet. What you draw hangs here.</p>`;
  const days = byDay(state.value, new Date());
  const first = days.find((day) => day.hung.length > 0)?.hung[0].key;
  const here = state.value.cards.get(active.value)?.away === false ? active.value : first;
  return html`
    ${days.map((day) => html`<${Day} key=${day.name} ...${day} here=${here} />`)}
    ${next !== null && html`<${Older} next=${next} />`}
  `;
}

/** [{name, hung: [card], away: [card]}], newest first. */
function byDay({ order, cards }, now) {
  const days = new Map();
  for (const card of order.map((key) => cards.get(key))) {
    const name = dayName(card.created_at, now);
    if (!days.has(name)) days.set(name, { name, hung: [], away: [] });
    days.get(name)[card.away ? "away" : "hung"].push(card);
  }
  return [...days.values()];
}

function Day({ name, hung, away, here }) {
  return html`
    <section class="day" aria-label=${name}>
      <h2>${name}</h2>
      <div class="wall">
        ${hung.map((card) => html`<${Card} key=${card.key} card=${card} here=${card.key === here} />`)}
      </div>
      ${away.length > 0 && html`<${NotDrawn} cards=${away} />`}
    </section>
  `;
}

function NotDrawn({ cards }) {
  return html`
    <details class="not-drawn">
      <summary>${cards.length} not drawn</summary>
      <ul>
        ${cards.map(
          (card) => html`
          <li key=${card.key}>
            <span>${card.prompt}</span> <span class="soft">${ending(card).text}</span>
            <button class="plain" onClick=${() => edit(card.prompt)}>Edit prompt</button>
          </li>
        `,
        )}
      </ul>
    </details>
  `;
}

/** An end of the wall that asks for more when it comes near. Watched anew for each page, as it may still be near. */
function Older({ next }) {
  const mark = useRef(null);
  useEffect(() => {
    const watcher = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && more(), {
      rootMargin: AHEAD,
    });
    watcher.observe(mark.current);
    return () => watcher.disconnect();
  }, [next]);
  return html`<p class="older" ref=${mark}><button class="plain" onClick=${more}>Older drawings</button></p>`;
}
