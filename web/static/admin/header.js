/** The top line: the name, the views, what is wrong in one sign, who is here. */
import { html } from "../html.js";
import { signOut } from "./login.js";
import { hrefOf, lost, answered, me, place } from "./store.js";
import { SIGNS, moment } from "./words.js";

const VIEWS = [
  ["overview", "Overview"],
  ["queue", "Queue"],
  ["jobs", "Jobs"],
  ["users", "Users"],
  ["events", "Events"],
];
const BELONGS = { accounts: "overview", actors: "overview" };

export function Header({ status }) {
  const { view } = place.value;
  const here = BELONGS[view] ?? view;
  return html`
    <header class="top">
      <h1 class="mark">Limner</h1>
      <nav aria-label="Views">
        ${VIEWS.map(
          ([name, words]) => html`
          <a key=${name} href=${hrefOf(name)} aria-current=${here === name ? "page" : undefined}>${words}</a>
        `,
        )}
      </nav>
      <${Trouble} alarms=${status?.alarms ?? []} />
      <span class="who">
        ${me.value?.name}${me.value?.role === "viewer" && " · reads only"}
        <button class="plain" onClick=${signOut}>Sign out</button>
      </span>
    </header>
  `;
}

/** How many alarms there are, seen from every view. */
function Trouble({ alarms }) {
  const of = (level) => alarms.filter((alarm) => alarm.level === level).length;
  const levels = ["red", "yellow"].filter((level) => of(level) > 0);
  return html`
    <a class="trouble" href=${hrefOf("overview")} aria-label=${`${alarms.length} alarms`} hidden=${levels.length === 0}>
      ${levels.map((level) => html`<span class="sign" data-level=${level}>${SIGNS[level].sign} ${of(level)}</span> `)}
    </a>
  `;
}

/** The thin line: nobody answers, and of when the figures are. Never moves what is below it. */
export function Lost() {
  if (!lost.value) return null;
  const of = answered.value ? ` What you see is of ${moment(new Date(answered.value).toISOString())}.` : "";
  return html`<p class="line" role="status" data-kind="lost">The service does not answer; asking again.${of}</p>`;
}
