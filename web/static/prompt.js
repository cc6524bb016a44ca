/** The prompt box: grows with what is written, and hands it over with Ctrl or ⌘ and Enter. */
import { useLayoutEffect, useRef } from "./vendor/preact-hooks.js";
import { signal } from "./vendor/signals.js";
import { html } from "./html.js";
import { draw } from "./session.js";
import { mode, prompt } from "./store.js";

export const PROMPT_CHARS_MAX = 4000; // [limits] prompt_chars; a server with another limit says so itself
const COUNT_FROM = PROMPT_CHARS_MAX * 0.9;
const EXAMPLE = "a lighthouse at dusk, oil on linen";
const MODES = { fast: "fast", relax: "relax" };
const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
export const COMMAND = isApple ? "⌘" : "Ctrl";

const lastDrawn = signal("");

/** Puts a text into the prompt box and the caret behind it. */
export function edit(text) {
  prompt.value = text;
  focusPrompt();
}

export function focusPrompt() {
  const box = document.getElementById("prompt");
  box?.focus();
  box?.scrollIntoView({ block: "nearest" });
  requestAnimationFrame(() => box?.setSelectionRange(box.value.length, box.value.length));
}

function submit(event) {
  event?.preventDefault();
  const text = prompt.value.trim();
  if (text === "" || overrun(text) > 0) return;
  draw({ prompt: text, mode: mode.value });
  lastDrawn.value = text;
  prompt.value = "";
  sessionStorage.removeItem("limner.prompt");
}

function overrun(text) {
  return [...text].length - PROMPT_CHARS_MAX;
}

function type(event) {
  prompt.value = event.currentTarget.value;
  sessionStorage.setItem("limner.prompt", prompt.value);
}

function press(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  if (event.key === "ArrowUp" && prompt.value === "" && lastDrawn.value !== "") {
    event.preventDefault();
    edit(lastDrawn.value);
  }
}

function choose(event) {
  mode.value = event.currentTarget.value;
  localStorage.setItem("limner.mode", mode.value);
}

export function PromptBox() {
  const box = useRef(null);
  const text = prompt.value;
  useLayoutEffect(() => {
    box.current.style.height = "auto";
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [text]);

  return html`
    <form class="prompt" onSubmit=${submit}>
      <label class="unseen" for="prompt">What to draw</label>
      <textarea id="prompt" name="prompt" rows="1" ref=${box} value=${text} placeholder=${EXAMPLE}
        onInput=${type} onKeyDown=${press} aria-describedby="count" autofocus></textarea>
      <div class="prompt-row">
        <label class="pick">
          <span class="unseen">Mode</span>
          <select name="mode" value=${mode.value} onChange=${choose}>
            ${Object.entries(MODES).map(([name, label]) => html`<option value=${name}>${label}</option>`)}
          </select>
        </label>
        <${Count} over=${overrun(text)} />
        <kbd class="hint" aria-hidden="true">${COMMAND} ↵</kbd>
        <button class="ink" disabled=${text.trim() === "" || overrun(text) > 0}>Draw</button>
      </div>
    </form>
  `;
}

function Count({ over }) {
  const near = over + PROMPT_CHARS_MAX >= COUNT_FROM;
  const words = over > 0 ? `${over} too many` : `${-over} left`;
  return html`<span id="count" class="count" data-over=${over > 0} role="status">${near ? words : ""}</span>`;
}
