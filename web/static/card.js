/** One drawing, in one place from its first moment to its picture. The box keeps its shape whatever it holds. */
import { useState } from "./vendor/preact-hooks.js";
import { Actions, Handles, isGrid } from "./actions.js";
import { ending, standing } from "./format.js";
import { html } from "./html.js";
import { edit } from "./prompt.js";
import { again, canAgain, cancel, putAway } from "./session.js";
import { active, viewing } from "./store.js";

const BLUR_PX_MAX = 6; // of the first preview, which is rough by itself; it sharpens as the drawing goes on
const OVER = new Set(["failed", "cancelled", "refused"]);

export function Card({ card, here }) {
  const tab = here ? 0 : -1;
  const look = () => card.status === "done" && card.images.length > 0 && (viewing.value = card.key);
  const press = (event) => {
    if (event.key === "Enter" && event.target === event.currentTarget) look();
  };
  return html`
    <article class="card" data-card=${card.key} data-job=${card.job} data-status=${card.status} tabIndex=${tab}
      aria-label=${`${card.prompt}, ${card.status}`} onFocusIn=${() => (active.value = card.key)} onKeyDown=${press}>
      <${Box} card=${card} tab=${tab} look=${look} />
      <p class="caption" title=${card.prompt}>
        ${tag(card) && html`<span class="tag">${tag(card)}</span>`}${card.prompt}
      </p>
    </article>
  `;
}

function tag(card) {
  return card.note ?? (card.kind === "imagine" ? null : card.kind.replaceAll("_", " "));
}

function Box({ card, tab, look }) {
  if (OVER.has(card.status)) return html`<${Ended} card=${card} />`;
  if (card.status === "done" && card.images.length === 0) return html`<div class="box words"><p>${card.text ?? card.message}</p></div>`;
  if (card.status === "done") return html`<${Picture} card=${card} tab=${tab} look=${look} />`;
  return html`<${Underway} card=${card} />`;
}

function Preview({ card }) {
  if (!card.preview) return null;
  const blur = (BLUR_PX_MAX * (100 - card.percent)) / 100;
  const style = { filter: `blur(${blur}px)`, transform: `scale(${1 + blur / 150})` }; // blurred, but to its edges
  // The last one may be gone when it is asked for: the picture is there by then.
  const show = (event) => (event.currentTarget.hidden = event.type === "error");
  return html`<img class="preview" src=${card.preview} alt="" style=${style} onLoad=${show} onError=${show} />`;
}

function Underway({ card }) {
  const drawing = card.status === "drawing" || card.status === "keeping";
  return html`
    <div class="box underway">
      <${Preview} card=${card} />
      ${card.status === "queued" && card.position && html`<p class="place"><span>place</span> ${card.position}</p>`}
      <div class="foot">
        <p class="where">
          ${drawing && html`<span class="percent">${card.percent} %</span>`}
          <span class="soft">${standing(card)}</span>
        </p>
        ${
          card.status !== "sending" &&
          html`
          <button class="plain" disabled=${card.cancelling} onClick=${() => cancel(card)}>
            ${card.cancelling ? "Cancelling" : "Cancel"}
          </button>
        `
        }
      </div>
      ${
        drawing &&
        html`
        <div class="bar" role="progressbar" aria-label="Drawn" aria-valuemin="0" aria-valuemax="100"
          aria-valuenow=${card.percent}>
          <div style=${{ transform: `scaleX(${card.percent / 100})` }}></div>
        </div>
      `
      }
    </div>
  `;
}

function Picture({ card, tab, look }) {
  const [tile, setTile] = useState(null);
  const [gone, setGone] = useState(false);
  const [whole, setWhole] = useState(false);
  const [image] = card.images;
  const show = (event) => event.currentTarget.classList.add("in");
  return html`
    <div class="box print">
      ${!whole && html`<${Preview} card=${card} />`}
      <button class="look" tabIndex="-1" onClick=${look} aria-label=${`Look at: ${card.prompt}`}>
        ${
          gone
            ? html`<span class="soft">This picture is no longer kept.</span>`
            : html`<img class="final" src=${image.thumb ?? image.url} alt=${card.prompt}
              width=${image.width} height=${image.height} loading="lazy" decoding="async"
              onLoad=${show} onTransitionEnd=${() => setWhole(true)} onError=${() => setGone(true)} />`
        }
      </button>
      ${isGrid(card) && html`<div class="tiles" data-tile=${tile} aria-hidden="true"></div>`}
      <${Handles} card=${card} tab=${tab} />
      <${Actions} card=${card} tab=${tab} point=${setTile} />
    </div>
  `;
}

function Ended({ card }) {
  const { text, small, edit: needsEdit } = ending(card);
  const retry = canAgain(card) && html`<button class="line-button" onClick=${() => again(card)}>Try again</button>`;
  const rewrite = html`<button class="line-button" onClick=${() => edit(card.prompt)}>Edit prompt</button>`;
  return html`
    <div class="box words">
      <button class="handle away" onClick=${() => putAway(card)} aria-label="Put away" title="Put away">×</button>
      <p class="reason">${text}</p>
      <p class="small">${small}</p>
      <div class="next">
        ${needsEdit ? [rewrite, retry] : [retry, rewrite]}
      </div>
    </div>
  `;
}
