/** What every view is made of: signs, facts, tables that hold still, and a page about one thing. */
import { html } from "../html.js";
import { hrefOf } from "./store.js";
import { SIGNS, ago, levelOf, moment, stateOf } from "./words.js";

/** Colour and sign together; nothing for what is well. */
export function Sign({ level }) {
  const known = SIGNS[level];
  if (!known) return null;
  return html`<span class="sign" data-level=${level}
    ><span aria-hidden="true">${known.sign}</span><span class="unseen">${known.words}: </span></span>`;
}

/** A text with commands in backticks, as the service says what ends a trouble. */
export function Coded({ text }) {
  return (text ?? "").split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));
}

export function Since({ at }) {
  return html`<time dateTime=${at} title=${at ? moment(at) : ""}>${ago(at)}</time>`;
}

export function Name({ view, of, children }) {
  return html`<a class="name" href=${hrefOf(view, of)}>${children ?? of}</a>`;
}

/** An account's state with its sign, and why in small. */
export function State({ account }) {
  const state = stateOf(account);
  const why = account.reason ?? account.cause?.replaceAll("_", " ");
  const more = why?.startsWith(`${state} `) ? why.slice(state.length) : why; // "drained", "drained by ana"
  return html`
    <${Sign} level=${levelOf(account)} />
    <span class="state">${state}</span>
    ${more && html` <span class="soft" title=${why}>${more}</span>`}
  `;
}

/** [name, value] pairs. */
export function Facts({ of }) {
  return html`
    <dl class="facts">
      ${of.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value ?? "–"}</dd></div>`)}
    </dl>
  `;
}

/** Why there is nothing to show, or that it is still to come. Takes its place from the start. */
export function Told({ words, value, waiting = "Reading…" }) {
  if (words) return html`<p class="told" role="alert">${words}</p>`;
  return value === null ? html`<p class="told soft">${waiting}</p>` : null;
}

/**
 * A table whose columns keep their widths whatever comes. `columns`: [{head, cell(row), kind}]; the first one names the
 * row. `kind`: "number", and "wide" or "mid" for what a narrow window leaves to the page about the one.
 */
export function Table({ label, name, columns, rows, rowKey, empty }) {
  if (rows.length === 0) return html`<p class="told soft">${empty}</p>`;
  return html`
    <table class=${`list ${name}`} aria-label=${label}>
      <thead>
        <tr>
          ${columns.map(
            ({ head, kind, title }) => html`<th key=${head} scope="col" class=${kind} title=${title}>${head}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`
          <tr key=${row[rowKey]} data-row=${row[rowKey]}>
            ${columns.map(({ cell, kind }, at) => {
              const its = cell(row);
              return at === 0 ? html`<th scope="row" class=${kind}>${its}</th>` : html`<td class=${kind}>${its}</td>`;
            })}
          </tr>
        `,
        )}
      </tbody>
    </table>
  `;
}

/** A page about one thing, and the way back. */
export function One({ title, back, backWords, children }) {
  return html`
    <section class="one" aria-label=${title}>
      <p class="back"><a href=${hrefOf(back)}>← ${backWords}</a></p>
      <h2>${title}</h2>
      ${children}
    </section>
  `;
}
