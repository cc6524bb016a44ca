/**
 * Changes, each behind a question that stands where its button stood. Esc or "No" leaves all as it is; a refusal is
 * told in words in the same place.
 */
import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { ask } from "./api.js";
import { leave, refresh } from "./live.js";
import { mayChange } from "./store.js";

const UNCHANGED = "It was so already.";

/**
 * `acts`: [{label, question, yes?, path, field?, done, then?}]: the button, what is asked, the answer that does it,
 * what is said when it is done, and what is called with what it brought. `field`: {name, label, type, value, min, max,
 * optional}, sent in the body. `about`: what they change.
 */
export function Acts({ acts, about }) {
  const [asking, setAsking] = useState(null); // label of the act that is asked about
  const [said, say] = useState(null);
  const group = useRef(null);
  const back = useRef(null); // label of the button the focus goes back to
  const act = acts.find(({ label }) => label === asking) ?? null;

  useLayoutEffect(() => {
    if (asking !== null || back.current === null) return;
    const buttons = [...group.current.querySelectorAll("button")];
    (buttons.find((button) => button.dataset.act === back.current) ?? buttons[0])?.focus();
    back.current = null;
  }, [asking]);

  if (!mayChange() || acts.length === 0) return null;
  const open = (label) => {
    say(null);
    setAsking(label);
  };
  const close = (words) => {
    back.current = asking;
    setAsking(null);
    say(words);
  };
  return html`
    <div class="acts" role="group" aria-label=${`Change ${about}`} ref=${group}>
      ${
        act
          ? html`<${Question} key=${act.label} act=${act} close=${close} />`
          : acts.map(
              ({ label }) => html`
            <button key=${label} class="plain" data-act=${label} aria-label=${`${label} ${about}`}
              onClick=${() => open(label)}>${label}</button>
          `,
            )
      }
      ${!act && said && html`<span class="small" role="status">${said}</span>`}
    </div>
  `;
}

function Question({ act, close }) {
  const { field } = act;
  const [value, setValue] = useState(field?.value ?? "");
  const [busy, setBusy] = useState(false);
  const [refusal, refuse] = useState(null);
  const form = useRef(null);

  useLayoutEffect(() => form.current.querySelector("input, .line-button").focus(), []);

  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const told = await ask("POST", act.path, bodyOf(field, value));
    if (told.status === 401) return leave();
    if (told.value === undefined) {
      setBusy(false);
      return refuse(told.words);
    }
    await refresh(); // the question stands until what came of it does
    document.getElementById("spoken").textContent = told.value.changed === false ? UNCHANGED : act.done;
    close(told.value.changed === false ? UNCHANGED : null);
    act.then?.(told.value);
  };
  const press = (event) => {
    if (event.key === "Escape") close(null);
    if (event.key === "Enter" && event.repeat) event.preventDefault(); // a key held down answers no question
  };
  return html`
    <form class="question" ref=${form} onSubmit=${submit} onKeyDown=${press}>
      <span class="question-words">${act.question}</span>
      ${field && html`<${Field} field=${field} value=${value} setValue=${setValue} />`}
      <button class="line-button" disabled=${busy}>${act.yes ?? act.label}</button>
      <button type="button" class="plain" onClick=${() => close(null)}>No</button>
      ${refusal && html`<span class="refusal" role="alert">${refusal}</span>`}
    </form>
  `;
}

function Field({ field, value, setValue }) {
  const { label, type, min, max, optional } = field;
  return html`
    <input aria-label=${label} placeholder=${label} type=${type} min=${min} max=${max} required=${!optional}
      maxLength=${type === "text" ? 200 : undefined} value=${value} autocomplete="off"
      onInput=${(event) => setValue(event.currentTarget.value)} />
  `;
}

function bodyOf(field, value) {
  if (!field || value === "") return {};
  return { [field.name]: field.type === "number" ? Number(value) : value };
}
