/**
 * The region to draw anew: painted over the picture with finger, mouse or keyboard, and sent as a mask of the picture's
 * own size, white where it was painted.
 */
import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { PROMPT_CHARS_MAX } from "./prompt.js";
import { actOnRegion } from "./session.js";
import { painting, viewing } from "./store.js";

const BRUSH = { min: 2, max: 30, first: 12 }; // percent of the picture's width
const HINT = "Paint over what is to be drawn anew; with the keyboard by arrows and Space.";
const STEP = 0.04; // of the picture, for one press of an arrow
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function Region({ card }) {
  const [image] = card.images;
  const canvas = useRef(null);
  const [brush, setBrush] = useState(BRUSH.first);
  const [painted, setPainted] = useState(false);
  const [prompt, setPrompt] = useState(card.prompt);
  const [busy, setBusy] = useState(false);
  const [refusal, refuse] = useState(null);

  const clear = () => {
    canvas.current.getContext("2d").clearRect(0, 0, image.width, image.height);
    setPainted(false);
  };
  const submit = async (event) => {
    event.preventDefault();
    if (!painted || busy) return;
    setBusy(true);
    const words = await actOnRegion(card, await maskOf(canvas.current), prompt.trim());
    setBusy(false);
    refuse(words);
    if (words !== null) return;
    back();
    viewing.value = null; // the new drawing is on the wall
  };
  return html`
    <div class="stage painting">
      <${Sheet} image=${image} prompt=${card.prompt} canvas=${canvas} brush=${brush} paint=${() => setPainted(true)} />
    </div>
    <footer>
      <form class="region" onSubmit=${submit} onKeyDown=${keepArrows}>
        <input class="region-prompt" aria-label="What to draw there" value=${prompt} maxLength=${PROMPT_CHARS_MAX}
          onInput=${(event) => setPrompt(event.currentTarget.value)} autocomplete="off" />
        <label class="small region-brush">Brush
          <input type="range" min=${BRUSH.min} max=${BRUSH.max} value=${brush}
            onInput=${(event) => setBrush(Number(event.currentTarget.value))} />
        </label>
        <button type="button" class="plain" disabled=${!painted} onClick=${clear}>Clear</button>
        <button type="button" class="plain" onClick=${back}>Back</button>
        <button class="ink" disabled=${!painted || busy}>Draw anew</button>
      </form>
      <p class="small" role="alert">${refusal ?? HINT}</p>
    </footer>
  `;
}

function back() {
  painting.value = null;
}

/** Arrows move the caret and the brush's size here, and not to the next picture. */
function keepArrows(event) {
  if (ARROWS[event.key]) event.stopPropagation();
}

/** The picture with the canvas over it. Places are fractions of the picture, so that they fit it at any size. */
function Sheet({ image, prompt, canvas, brush, paint }) {
  const last = useRef(null); // where the stroke under way is
  const [at, setAt] = useState({ x: 0.5, y: 0.5 });
  const ratio = { aspectRatio: `${image.width} / ${image.height}`, "--ratio": image.width / image.height };
  useEffect(() => canvas.current.focus(), []);

  const stroke = (to) => {
    const pen = canvas.current.getContext("2d");
    const from = last.current ?? to;
    const width = (brush / 100) * image.width;
    pen.lineWidth = width;
    pen.lineCap = "round";
    pen.strokeStyle = pen.fillStyle = getComputedStyle(canvas.current).color;
    pen.beginPath();
    pen.moveTo(from.x * image.width, from.y * image.height);
    pen.lineTo(to.x * image.width, to.y * image.height);
    pen.stroke();
    pen.beginPath();
    pen.arc(to.x * image.width, to.y * image.height, width / 2, 0, 2 * Math.PI); // a line to where it began is none
    pen.fill();
    last.current = to;
    paint();
  };
  const placeOf = ({ clientX, clientY }) => {
    const box = canvas.current.getBoundingClientRect();
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  };
  const down = (event) => {
    if (event.button !== 0) return;
    canvas.current.setPointerCapture(event.pointerId);
    last.current = null;
    stroke(placeOf(event));
  };
  const move = (event) => {
    const places = (event.getCoalescedEvents?.() ?? [event]).map(placeOf);
    setAt(placeOf(event));
    if (last.current !== null) for (const place of places) stroke(place);
  };
  const up = () => (last.current = null);
  const press = (event) => {
    if (event.key === " ") {
      event.preventDefault();
      stroke(at);
      up();
    } else if (ARROWS[event.key]) {
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = ARROWS[event.key];
      setAt({ x: within(at.x + x * STEP), y: within(at.y + y * STEP) });
    }
  };
  const ring = { left: `${at.x * 100}%`, top: `${at.y * 100}%`, width: `${brush}%` };
  return html`
    <div class="full" style=${ratio}>
      <img src=${image.url} alt=${prompt} />
      <canvas ref=${canvas} width=${image.width} height=${image.height} tabIndex="0" role="application"
        aria-label="Paint over what is to be drawn anew: arrows move, Space paints"
        onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up} onKeyDown=${press}></canvas>
      <span class="ring" style=${ring} aria-hidden="true"></span>
    </div>
  `;
}

function within(share) {
  return Math.min(1, Math.max(0, share));
}

/** What was painted, white on black, as a PNG. */
function maskOf(canvas) {
  const mask = document.createElement("canvas");
  mask.width = canvas.width;
  mask.height = canvas.height;
  const pen = mask.getContext("2d");
  const fill = (how, color) => {
    pen.globalCompositeOperation = how;
    pen.fillStyle = color;
    pen.fillRect(0, 0, mask.width, mask.height);
  };
  pen.drawImage(canvas, 0, 0);
  fill("source-in", "#fff");
  fill("destination-over", "#000");
  return new Promise((done) => mask.toBlob(done, "image/png"));
}
