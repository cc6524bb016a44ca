/** The tail of the log: the newest below, in a box that stays where one reads. */
import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { html } from "../html.js";
import { withQuery } from "./api.js";
import { read, useRound } from "./live.js";
import { Name, Sign, Told } from "./parts.js";
import { moment, plain } from "./words.js";

const KEPT_MAX = 500;
const LIMIT = 200;
const LEVELS = ["debug", "info", "warning", "error"];
const SIGNED = { warning: "yellow", error: "red", critical: "red" };
const VIEWS = { job: "jobs", account: "accounts" };
const NEAR_END_PX = 40;

export function Events() {
  const [level, setLevel] = useState("info");
  const [filter, setFilter] = useState("");
  const { events, words } = useTail(level, filter);
  return html`
    <section aria-label="Events">
      <h2 class="unseen">Events</h2>
      <form class="finder" role="search" onSubmit=${(event) => event.preventDefault()}>
        <input type="search" aria-label="Words in an event" placeholder="job, account, words" value=${filter}
          onInput=${(event) => setFilter(event.currentTarget.value.trim())} autocomplete="off" spellcheck=${false} />
        <label class="pick"><span class="unseen">Level</span>
          <select value=${level} onChange=${(event) => setLevel(event.currentTarget.value)}>
            ${LEVELS.map((name) => html`<option key=${name} value=${name}>${name} and graver</option>`)}
          </select>
        </label>
      </form>
      <${Told} value=${events} words=${words} />
      ${events && html`<${Tail} events=${events} />`}
    </section>
  `;
}

/** What has happened since it was first asked, at most KEPT_MAX; another question begins anew. */
function useTail(level, filter) {
  const [told, tell] = useState({ events: null, words: null });
  const after = useRef(null);
  const asked = useRef(null);
  const question = `${level} ${filter}`;
  useRound(
    async (wanted) => {
      if (asked.current !== question) {
        asked.current = question;
        after.current = null;
      }
      const from = after.current;
      const { value, words } = await read(withQuery("events", { level, filter, limit: LIMIT, after: from }));
      if (!wanted() || after.current !== from) return; // two rounds asked at once: one of them has told it
      if (value === undefined) return tell((before) => ({ ...before, words }));
      after.current = value.next ?? value.events.at(-1)?.id ?? from;
      tell((before) => ({
        events: (from === null ? value.events : [...(before.events ?? []), ...value.events]).slice(-KEPT_MAX),
        words: null,
      }));
    },
    [question],
  );
  return told;
}

function Tail({ events }) {
  const box = useRef(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [events]);
  const scroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  };
  return html`
    <ol class="tail" ref=${box} onScroll=${scroll} tabIndex="0" aria-label="Events, the newest last">
      ${events.length === 0 && html`<li class="soft">Nothing like that has happened.</li>`}
      ${events.map((event) => html`<${Event} key=${event.id} event=${event} />`)}
    </ol>
  `;
}

function Event({ event: { at, level, actor, event, fields } }) {
  const { logger, ...others } = fields ?? {}; // the module that said it, which says something only where no actor did
  return html`
    <li>
      <time dateTime=${at}>${moment(at)}</time>
      <span><${Sign} level=${SIGNED[level]} /></span>
      <span>
        ${event} <span class="soft">${actor ?? logger}</span>
        ${Object.entries(others).map(fieldOf)}
      </span>
    </li>
  `;
}

function fieldOf([name, value]) {
  const shown = VIEWS[name] && value ? html`<${Name} view=${VIEWS[name]} of=${value} />` : plain(value);
  return html` <span class="field"><span class="soft">${name}</span> ${shown}</span>`;
}
