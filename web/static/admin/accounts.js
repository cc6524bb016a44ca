/** The accounts: all of them as a table that holds still, and one with what it holds. */
import { useState } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { Acts } from "./acts.js";
import { pathOf } from "./api.js";
import { useLive } from "./live.js";
import { Coded, Facts, Name, One, Since, State, Table, Told } from "./parts.js";
import { count, levelOf, moment, plain, span } from "./words.js";

const SLOTS_MAX = 100;
const STATES = ["paused", "exhausted", "suspended", "degraded", "up"];

/** What can be done with an account as it is. */
function actsOf({ name, state, slots, draining }, withReason) {
  const reason = withReason ? { name: "reason", label: "why (optional)", type: "text", optional: true } : undefined;
  const act = (verb, label, question, done, field) => ({
    label,
    question,
    done: `${name} ${done}`,
    field,
    path: pathOf("accounts", name, verb),
  });
  const resume = act("resume", "Resume", `Let ${name} work again?`, "works again");
  const suspend = act("suspend", "Suspend", `Take ${name} out of work at once?`, "is suspended", reason);
  const drain = act("drain", "Drain", `Give ${name} nothing new?`, "gets nothing new", reason);
  const places = { name: "slots", label: `Places of ${name}`, type: "number", min: 1, max: SLOTS_MAX, value: slots };
  const works = (state === "up" || state === "degraded") && !draining; // what is degraded heals by itself
  return [
    !works && resume,
    state !== "suspended" && suspend,
    works && drain,
    { ...act("slots", "Places", "Drawings at once:", "has its places", places), yes: "Set" },
  ].filter(Boolean);
}

const COLUMNS = [
  { head: "Account", cell: ({ name }) => html`<${Name} view="accounts" of=${name} />` },
  { head: "State", cell: (account) => html`<${State} account=${account} />` },
  { head: "For", kind: "number mid", cell: ({ since }) => html`<${Since} at=${since} />` },
  { head: "Ends", kind: "wide", cell: endsOf },
  { head: "Draws", kind: "number", title: "drawings now, of its places", cell: busyOf },
  { head: "Pace", kind: "number mid", title: "drawings at once, as pacing allows", cell: ({ pace }) => plain(pace) },
  { head: "Done", kind: "number mid", title: "in the last hour", cell: ({ done }) => count(done) },
  { head: "Failed", kind: "number mid", title: "in the last hour", cell: ({ failed }) => count(failed) },
  { head: "429s", kind: "number mid", title: "rate limits in the last hour", cell: ({ limited }) => count(limited) },
  { head: "Takes", kind: "number mid", title: "median of a drawing", cell: ({ seconds }) => span(seconds) },
];
const CHANGE = {
  head: "Change",
  kind: "wide change",
  cell: (account) => html`<${Acts} about=${account.name} acts=${actsOf(account, false)} />`,
};

function endsOf({ ends }) {
  return html`<span class="soft" title=${ends}><${Coded} text=${ends} /></span>`;
}

function busyOf({ busy, slots }) {
  return `${count(busy)} of ${count(slots)}`;
}

export function AccountList({ told }) {
  const [only, setOnly] = useState(null);
  const all = told.value?.accounts ?? [];
  const there = new Set(all.map(({ state }) => state));
  const states = STATES.filter((state) => there.has(state));
  const chosen = states.includes(only) ? only : null;
  const rows = all.filter(({ state }) => chosen === null || state === chosen);
  return html`
    <section aria-label="Accounts">
      <div class="heading">
        <h3>Accounts</h3>
        <${Choice} name="all" number=${all.length} chosen=${chosen === null} choose=${() => setOnly(null)} />
        ${
          states.length > 1 &&
          states.map(
            (state) => html`
          <${Choice} key=${state} name=${state} number=${all.filter((each) => each.state === state).length}
            chosen=${chosen === state} choose=${() => setOnly(state)} />
        `,
          )
        }
      </div>
      <${Told} value=${told.value} words=${told.words} />
      ${
        told.value &&
        html`<${Table} label="Accounts" name="accounts" rowKey="name" rows=${rows} columns=${[...COLUMNS, CHANGE]}
          empty="There is no account yet: limner admin account add NAME." />`
      }
    </section>
  `;
}

function Choice({ name, number, chosen, choose }) {
  return html`<button class="plain choice" aria-pressed=${chosen} onClick=${choose}>${name} ${count(number)}</button>`;
}

export function Account({ name }) {
  const { value: account, words } = useLive(pathOf("accounts", name));
  return html`
    <${One} title=${name} back="overview" backWords="all accounts">
      <${Told} value=${account} words=${words} />
      ${
        account &&
        html`
        <p class="lead" data-level=${levelOf(account)}><${State} account=${account} /></p>
        <${Acts} about=${account.name} acts=${actsOf(account, true)} />
        <${Facts} of=${factsOf(account)} />
        <h3>Its drawings now</h3>
        <${Holding} jobs=${account.holding ?? []} />
      `
      }
    <//>
  `;
}

function factsOf(account) {
  return [
    ["since", account.since ? html`${moment(account.since)}, for <${Since} at=${account.since} />` : "–"],
    ["ended by", account.ends && html`<${Coded} text=${account.ends} />`],
    ["draws", `${busyOf(account)} places`],
    ["pacing allows", plain(account.pace)],
    ["weight", plain(account.weight)],
    ["modes", plain(account.modes)],
    ["done in the last hour", count(account.done)],
    ["failed", count(account.failed)],
    ["429s", count(account.limited)],
    ["reconnects", count(account.reconnects)],
    ["a drawing takes", span(account.seconds)],
    ["driver", account.driver],
    ["kind", account.kind],
  ];
}

function Holding({ jobs }) {
  if (jobs.length === 0) return html`<p class="told soft">None.</p>`;
  return html`
    <ul class="plain-list">${jobs.map((job) => html`<li key=${job}><${Name} view="jobs" of=${job} /></li>`)}</ul>
  `;
}
