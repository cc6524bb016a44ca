/** Jobs: found by their id, by whose they are and how they stand; and one with everything that happened to it. */
import { useLayoutEffect, useRef } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { Acts } from "./acts.js";
import { pathOf, withQuery } from "./api.js";
import { useHeld } from "./held.js";
import { useLive } from "./live.js";
import { Facts, Name, One, Since, Table, Told } from "./parts.js";
import { go, place } from "./store.js";
import { moment, plain } from "./words.js";

const PAGE = 50;
const ENDS = ["done", "failed", "cancelled", "refused"];
const RETRIED = ["failed", "cancelled"];
const STATES = ["queued", "granted", "submitting", "undecided", "drawing", "keeping", ...ENDS];
const ID = /^j[0-9a-z]{19}$/;

const COLUMNS = [
  { head: "Prompt", cell: ({ job, prompt }) => html`<${Name} view="jobs" of=${job}>${prompt || job}<//>` },
  { head: "Status", cell: (job) => standingOf(job) },
  { head: "User", kind: "mid", cell: ({ name }) => html`<${Name} view="users" of=${name} />` },
  { head: "Account", kind: "wide", cell: accountOf },
  { head: "Mode", kind: "mid", cell: modeOf },
  { head: "Try", kind: "number wide", cell: ({ attempt }) => plain(attempt) },
  { head: "Asked", kind: "number", cell: ({ created_at }) => html`<${Since} at=${created_at} />` },
];

function accountOf({ account }) {
  return account ? html`<${Name} view="accounts" of=${account} />` : "–";
}

function modeOf({ mode, kind }) {
  return !kind || kind === "imagine" ? mode : `${kind.replaceAll("_", " ")}, ${mode}`;
}

function standingOf({ status, position, percent, code }) {
  if (status === "queued" && position) return `queued, place ${position}`;
  if (status === "drawing" && percent) return `drawing, ${percent} %`;
  return code && code !== status ? html`${status} <span class="soft">${code.replaceAll("_", " ")}</span>` : status;
}

export function Jobs() {
  const { query } = place.value;
  const { rows, news, older, told, show, next } = useHeld(
    (before) => withQuery("jobs", { ...query, limit: PAGE, before }),
    "jobs",
    "job",
  );
  return html`
    <section aria-label="Jobs">
      <h2 class="unseen">Jobs</h2>
      <${Finder} query=${query} />
      <${Told} value=${told.value} words=${told.words} />
      ${
        told.value &&
        html`
        <p class="news"><button class="plain" hidden=${news === 0} onClick=${show}>${news} newer: show them</button></p>
        <${Table} label="Jobs" name="jobs" rowKey="job" rows=${rows} columns=${COLUMNS} empty="No job is like that." />
        ${next && html`<p class="older"><button class="line-button" onClick=${older}>Older</button></p>`}
      `
      }
    </section>
  `;
}

function Finder({ query }) {
  const sought = useRef(null);
  useLayoutEffect(() => {
    sought.current.value = query.user ?? ""; // before anything can be typed, and when one comes from a user's page
  }, [query.user]);
  const submit = (event) => {
    event.preventDefault();
    const text = sought.current.value.trim();
    if (ID.test(text)) go("jobs", text);
    else go("jobs", null, compact({ ...query, user: text }));
  };
  const choose = (event) => go("jobs", null, compact({ ...query, state: event.currentTarget.value }));
  return html`
    <form class="finder" role="search" onSubmit=${submit}>
      <input type="search" aria-label="A job's id, or a user's name" placeholder="job id or user" ref=${sought}
        autocomplete="off" spellcheck=${false} />
      <button class="line-button">Find</button>
      <label class="pick"><span class="unseen">Status</span>
        <select value=${query.state ?? ""} onChange=${choose}>
          <option value="">any status</option>
          ${STATES.map((state) => html`<option key=${state} value=${state}>${state}</option>`)}
        </select>
      </label>
      ${query.account && html`<span class="small">of account ${query.account} <a href="#/jobs">all</a></span>`}
    </form>
  `;
}

function compact(query) {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value));
}

export function Job({ id }) {
  const { value: job, words } = useLive(pathOf("jobs", id));
  return html`
    <${One} title=${`Job ${id}`} back="jobs" backWords="all jobs">
      <${Told} value=${job} words=${words} />
      ${
        job &&
        html`
        <p class="lead">${standingOf(job)}</p>
        <${Acts} about="this job" acts=${actsOf(job)} />
        <${Facts} of=${factsOf(job)} />
        <h3>What happened</h3>
        <${Timeline} job=${job} />
        <h3>Attempts</h3>
        <${Table} label="Attempts" name="attempts" rowKey="attempt" rows=${job.attempts ?? []} columns=${ATTEMPTS}
          empty="It was never given to an account." />
      `
      }
    <//>
  `;
}

function actsOf({ job, status }) {
  const act = (verb, label, question, done) => ({ label, question, done, path: pathOf("jobs", job, verb) });
  if (!ENDS.includes(status)) return [act("cancel", "Cancel", "Cancel it for its user?", "It is being cancelled.")];
  if (!RETRIED.includes(status)) return [];
  const retry = act("retry", "Retry", "Draw it again, as a new job of its user?", "A new job was made.");
  return [{ ...retry, then: (made) => go("jobs", made.job) }];
}

function factsOf(job) {
  return [
    ["user", html`<${Name} view="users" of=${job.name} />`],
    ["prompt", job.prompt],
    ["kind", plain(job.kind)],
    ["mode", job.mode],
    ["account", accountOf(job)],
    ["asked", moment(job.created_at)],
    ["ended", moment(job.finished_at)],
  ];
}

const ATTEMPTS = [
  { head: "Attempt", kind: "number", cell: ({ attempt }) => attempt },
  { head: "Account", cell: accountOf },
  { head: "Outcome", cell: ({ outcome }) => plain(outcome) },
  { head: "Message", kind: "mid", cell: ({ message_id }) => plain(message_id) },
  { head: "Nonce", kind: "wide", cell: ({ nonce }) => plain(nonce) },
  { head: "At", kind: "number mid", cell: ({ at }) => moment(at) },
];

function circumstances(by, detail) {
  return [by, detail && plain(detail)].filter(Boolean).join(" · ");
}

/** Every moment of it that is known, oldest first; its states where nothing else was noted. */
function Timeline({ job }) {
  const moments = job.timeline?.length
    ? job.timeline
    : (job.history ?? []).map(({ state, at }) => ({ at, what: state, by: null, detail: null }));
  if (moments.length === 0) return html`<p class="told soft">Nothing is known.</p>`;
  return html`
    <ol class="timeline">
      ${moments.map(
        ({ at, what, by, detail }) => html`
        <li key=${`${at} ${what} ${by} ${plain(detail)}`}>
          <time dateTime=${at}>${moment(at)}</time>
          <span>${what} <span class="soft">${circumstances(by, detail)}</span></span>
        </li>
      `,
      )}
    </ol>
  `;
}
