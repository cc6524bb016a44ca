/** What is wrong, how it goes, and the accounts: everything a person needs who was just woken. */
import { useRef } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { AccountList } from "./accounts.js";
import { useLive } from "./live.js";
import { Name, Sign, Since, Told } from "./parts.js";
import { hrefOf } from "./store.js";
import { alarmKey, bytes, count, counted, intakeWords, placeOfAlarm, rate, span } from "./words.js";

const POINTS_MAX = 90; // three minutes
const POINTS_MIN = 10; // fewer are no line yet

export function Overview({ told }) {
  const accounts = useLive("accounts");
  const status = told.value;
  const all = accounts.value?.accounts ?? [];
  return html`
    <h2 class="unseen">Overview</h2>
    <div class="glance">
      <${Alarms} alarms=${status?.alarms ?? null} accounts=${all} intake=${status?.intake} />
      <${Figures} status=${status} words=${told.words} />
    </div>
    <${Health} status=${status} />
    <${AccountList} told=${accounts} />
  `;
}

/** The list has a place of fixed height and scrolls in it: an alarm that comes moves nothing. */
function Alarms({ alarms, accounts, intake }) {
  const taken = intakeWords(intake);
  return html`
    <section class="alarms" aria-label="Alarms">
      <ul tabIndex=${alarms?.length > 2 ? 0 : undefined} aria-label="Alarms">
        ${alarms?.map((alarm) => html`<${Alarm} key=${alarmKey(alarm)} alarm=${alarm} accounts=${accounts} />`)}
        ${alarms?.length === 0 && html`<li class="well">Nothing needs you.</li>`}
      </ul>
      <p class="small">
        ${intake && html`<${Sign} level=${taken.level} />${taken.words}`}
        ${intake === "paused" && html` <a href=${hrefOf("queue")}>Resume it there.</a>`}
      </p>
    </section>
  `;
}

function Alarm({ alarm, accounts }) {
  const to = placeOfAlarm(alarm, accounts);
  return html`
    <li>
      <${Sign} level=${alarm.level} />
      <div>
        <p>${to ? html`<${Name} view=${to.view} of=${to.of}>${alarm.words}<//>` : alarm.words}</p>
        <p class="small">${alarm.did && `${alarm.did} · `}for <${Since} at=${alarm.since} /></p>
      </div>
    </li>
  `;
}

function Figures({ status, words }) {
  const drawn = useTrail(status?.jobs.per_s);
  const queued = useTrail(status?.jobs.queued);
  if (!status) return html`<div class="figures"><${Told} value=${null} words=${words} /></div>`;
  const { jobs, wait, tokens, accounts } = status;
  const all = Object.values(accounts).reduce((sum, number) => sum + number, 0);
  return html`
    <dl class="figures">
      <${Figure} name="Ended a second" value=${rate(jobs.per_s)} trail=${drawn}
        note=${`${count(jobs.done_today)} done today, ${count(jobs.failed_today)} failed`} />
      <${Figure} name="Waiting" value=${count(jobs.queued)} trail=${queued}
        note=${`${count(jobs.drawing)} being drawn`} />
      <${Figure} name="Wait" value=${span(wait?.p50_s)} note=${`one in a hundred ${span(wait?.p99_s)}`} />
      <${Figure} name="Places in use" value=${`${count(tokens.busy)} of ${count(tokens.slots)}`}
        note=${`${count(tokens.free)} free`} />
      <${Figure} name="Accounts up" value=${`${count(accounts.up)} of ${count(all)}`}
        note=${notUp(accounts)} />
      <${Figure} name="People" value=${count(status.sessions)} note=${counted(status.sockets, "connection")} />
    </dl>
  `;
}

function notUp({ up, ...others }) {
  const states = Object.entries(others).filter(([, number]) => number > 0);
  if (states.length > 2) return `${count(states.reduce((sum, [, number]) => sum + number, 0))} are not`;
  return states.map(([state, number]) => `${count(number)} ${state}`).join(", ") || "all of them";
}

function Figure({ name, value, note, trail }) {
  return html`
    <div>
      <dt>${name}</dt>
      <dd>
        <span class="value">${value}</span>${trail?.length >= POINTS_MIN && html`<${Trail} points=${trail} />`}
        <span class="small">${note}</span>
      </dd>
    </div>
  `;
}

/** The last few minutes of a figure, as this window saw them. */
function useTrail(value) {
  const points = useRef([]);
  const seen = useRef(null);
  if (value !== undefined && value !== null) {
    const now = Date.now();
    if (seen.current === null || now - seen.current > 1000) {
      seen.current = now;
      points.current = [...points.current, value].slice(-POINTS_MAX);
    }
  }
  return points.current;
}

function Trail({ points }) {
  const top = Math.max(...points, 1e-9);
  const at = (value, index) => `${index + POINTS_MAX - points.length},${(15 - (14 * value) / top).toFixed(1)}`;
  return html`
    <svg class="trail" viewBox=${`0 0 ${POINTS_MAX - 1} 16`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points=${points.map(at).join(" ")} />
    </svg>
  `;
}

/** The service's own health, in one quiet line. */
function Health({ status }) {
  const facts = status
    ? [
        ["up", span(status.up_s)],
        ["loop lag", span(status.loop_lag_s)],
        ["commit", span(status.commit_s)],
        ["memory", bytes(status.memory_bytes)],
        ["disk free", bytes(status.disk_free_bytes)],
        ["pictures", count(status.images)],
        ["actors", count(status.actors)],
        ["restarts", count(status.restarts)],
        ["dead letters", count(status.dead_letters)],
        ["version", status.version],
      ]
    : [];
  return html`
    <dl class="health small">
      ${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value ?? "–"}</dd></div>`)}
    </dl>
  `;
}
