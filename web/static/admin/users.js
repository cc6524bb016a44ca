/** Users: who uses it most, and one with its keys. */
import { useState } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { Acts } from "./acts.js";
import { pathOf, withQuery } from "./api.js";
import { useHeld } from "./held.js";
import { useLive } from "./live.js";
import { Facts, Name, One, Since, Table, Told } from "./parts.js";
import { hrefOf } from "./store.js";
import { count, moment } from "./words.js";

const PAGE = 50;
const SORTS = { used: "most used today", jobs: "most jobs", name: "by name" };

const COLUMNS = [
  { head: "User", cell: ({ name }) => html`<${Name} view="users" of=${name} />` },
  { head: "Plan", cell: (user) => planOf(user) },
  { head: "Today", kind: "number", title: "used, of what the plan allows", cell: usedOf },
  { head: "Waiting", kind: "number mid", cell: ({ waiting }) => count(waiting) },
  { head: "Drawing", kind: "number mid", cell: ({ drawing }) => count(drawing) },
  { head: "Jobs", kind: "number mid", cell: ({ jobs }) => count(jobs) },
  { head: "Here for", kind: "number wide", cell: ({ created_at }) => html`<${Since} at=${created_at} />` },
  { head: "Change", kind: "wide change", cell: (user) => html`<${Acts} about=${user.name} acts=${actsOf(user)} />` },
];

function planOf({ plan, banned }) {
  return banned ? html`banned <span class="soft">${plan}</span>` : plan;
}

function usedOf({ used, daily }) {
  return `${count(used)} of ${count(daily)}`;
}

function actsOf({ name, banned }, withReason = false) {
  const act = (verb, label, question, done, field) => ({
    label,
    question,
    done: `${name} ${done}`,
    field,
    path: pathOf("users", name, verb),
  });
  const reason = withReason ? { name: "reason", label: "why (optional)", type: "text", optional: true } : undefined;
  return banned
    ? [act("unban", "Unban", `Let ${name} draw again?`, "may draw again")]
    : [act("ban", "Ban", `Cut ${name} off, and refund what waits?`, "is banned", reason)];
}

export function Users() {
  const [sort, setSort] = useState("used");
  const [filter, setFilter] = useState("");
  const { rows, news, told, show, next, older } = useHeld(
    (before) => withQuery("users", { sort, filter, limit: PAGE, before }),
    "users",
    "user",
  );
  return html`
    <section aria-label="Users">
      <h2 class="unseen">Users</h2>
      <form class="finder" role="search" onSubmit=${(event) => event.preventDefault()}>
        <input type="search" aria-label="A part of a user's name" placeholder="name" value=${filter}
          onInput=${(event) => setFilter(event.currentTarget.value.trim())} autocomplete="off" spellcheck=${false} />
        <label class="pick"><span class="unseen">Order</span>
          <select value=${sort} onChange=${(event) => setSort(event.currentTarget.value)}>
            ${Object.entries(SORTS).map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}
          </select>
        </label>
      </form>
      <${Told} value=${told.value} words=${told.words} />
      ${
        told.value &&
        html`
        <p class="news"><button class="plain" hidden=${news === 0} onClick=${show}>${news} more: show them</button></p>
        <${Table} label="Users" name="users" rowKey="user" rows=${rows} columns=${COLUMNS}
          empty="Nobody is called that." />
        ${next && html`<p class="older"><button class="line-button" onClick=${older}>More</button></p>`}
      `
      }
    </section>
  `;
}

const KEYS = [
  { head: "Key", cell: ({ key }) => key },
  { head: "Role", cell: ({ role, login }) => (login ? `${role}, a login of the page` : role) },
  { head: "Made", kind: "number mid", cell: ({ created_at }) => moment(created_at) },
  { head: "Revoked", kind: "number", cell: ({ revoked_at }) => (revoked_at ? moment(revoked_at) : "–") },
];

export function User({ name }) {
  const { value: user, words } = useLive(pathOf("users", name));
  return html`
    <${One} title=${name} back="users" backWords="all users">
      <${Told} value=${user} words=${words} />
      ${
        user &&
        html`
        <p class="lead">${planOf(user)}</p>
        <${Acts} about=${user.name} acts=${actsOf(user, true)} />
        <${Facts} of=${[
          ["used today", usedOf(user)],
          ["waiting", count(user.waiting)],
          ["drawing", count(user.drawing)],
          ["jobs", html`${count(user.jobs)} <a href=${hrefOf("jobs", null, { user: user.name })}>show them</a>`],
          ["connections", count(user.sockets)],
          ["since", moment(user.created_at)],
        ]} />
        <h3>Keys</h3>
        <${Table} label="Keys" name="keys-of" rowKey="key" rows=${user.keys ?? []} columns=${KEYS} empty="No key." />
      `
      }
    <//>
  `;
}
