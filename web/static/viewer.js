/** One picture, as large as the window. Arrows go to the next and the previous, Esc goes back to where one was. */
import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { Actions, Handles, isGrid } from "./actions.js";
import { html } from "./html.js";
import { Region } from "./region.js";
import { painting, prints, viewing } from "./store.js";

export function Viewer() {
  const dialog = useRef(null);
  const cards = prints.value;
  const at = cards.findIndex((card) => card.key === viewing.value);
  const card = cards[at];
  const [tile, setTile] = useState(null);

  useEffect(() => {
    if (card && !dialog.current.open) {
      dialog.current.showModal();
      if (painting.value === null) dialog.current.focus(); // and not its first button
    }
    if (!card && dialog.current.open) dialog.current.close();
  }, [card]);
  useEffect(() => {
    // The neighbours are fetched ahead, so that walking on shows pictures and not loading.
    for (const near of [cards[at + 1], cards[at - 1]]) if (card && near) new Image().src = near.images[0].url;
  }, [card]);

  const go = (step) => {
    const to = cards[at + step];
    if (to) viewing.value = to.key;
  };
  const paints = card !== undefined && painting.value === card.key;
  const press = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || paints) return;
    event.preventDefault();
    go(step);
  };
  const close = () => dialog.current.close();
  const cancel = (event) => {
    if (!paints) return;
    event.preventDefault(); // Esc leads back to the picture first
    painting.value = null;
  };
  const shut = () => {
    // The browser gives the focus back to the card one came from; it belongs to the one looked at last.
    const key = viewing.value;
    viewing.value = painting.value = null;
    if (key !== null) document.querySelector(`[data-card="${CSS.escape(key)}"]`)?.focus();
  };

  return html`
    <dialog class="viewer" aria-label="Picture" tabIndex="-1"
      ref=${dialog} onKeyDown=${press} onCancel=${cancel} onClose=${shut}>
      ${
        paints &&
        html`<${Region} key=${card.key} card=${card} />`
      }
      ${
        card &&
        !paints &&
        html`
        <div class="stage" onClick=${close}><${Full} key=${card.key} card=${card} tile=${tile} /></div>
        <footer>
          <p class="caption" title=${card.prompt}>${card.prompt}</p>
          <div class="viewer-tools">
            <${Actions} card=${card} tab=${0} point=${setTile} />
            <${Handles} card=${card} tab=${0} />
            <span class="small number">${at + 1} of ${cards.length}</span>
            <span class="steps">
              <${Step} label="Previous picture" sign="←" disabled=${at === 0} go=${() => go(-1)} />
              <${Step} label="Next picture" sign="→" disabled=${at === cards.length - 1} go=${() => go(1)} />
              <${Step} label="Close" sign="×" go=${close} />
            </span>
          </div>
        </footer>
      `
      }
    </dialog>
  `;
}

function Step({ label, sign, disabled = false, go }) {
  return html`<button class="handle" aria-label=${label} disabled=${disabled} onClick=${go}>${sign}</button>`;
}

/** The thumbnail, known already, stands in until the whole picture is there, in the same place. */
function Full({ card, tile }) {
  const [image] = card.images;
  const show = (event) => event.currentTarget.classList.add("in");
  const ratio = { aspectRatio: `${image.width} / ${image.height}`, "--ratio": image.width / image.height };
  return html`
    <div class="full" style=${ratio}>
      <img src=${image.thumb ?? image.url} alt="" />
      <img class="final" src=${image.url} alt=${card.prompt} onLoad=${show} />
      ${isGrid(card) && html`<div class="tiles" data-tile=${tile} aria-hidden="true"></div>`}
    </div>
  `;
}
