/** The queue: what waits in which lane, who waits most, and whether it moves. */
import { html } from "../html.js";
import { Acts } from "./acts.js";
import { useLive } from "./live.js";
import { Facts, Name, Sign, Table, Told } from "./parts.js";
import { count, intakeWords, plain, span } from "./words.js";

const PAUSE = {
  label: "Pause",
  question: "Let no drawing begin? Those under way go on, new ones are taken.",
  path: "queue/pause",
  done: "The queue is paused.",
};
const RESUME = {
  label: "Resume",
  question: "Let drawings begin again?",
  path: "queue/resume",
  done: "The queue goes on.",
};
const COLUMNS = [
  { head: "User", cell: ({ name }) => html`<${Name} view="users" of=${name} />` },
  { head: "Waiting", kind: "number", cell: ({ waiting }) => count(waiting) },
  { head: "Drawing", kind: "number", cell: ({ drawing }) => count(drawing) },
  { head: "Weight", kind: "number", cell: ({ weight }) => plain(weight) },
];

export function Queue() {
  const { value: queue, words } = useLive("queue");
  return html`
    <section class="one" aria-label="Queue">
      <h2>Queue</h2>
      <${Told} value=${queue} words=${words} />
      ${queue && html`<${Moving} queue=${queue} />`}
    </section>
  `;
}

function Moving({ queue }) {
  const { paused, intake, depth, lanes, users } = queue;
  const taken = intakeWords(paused ? "paused" : intake);
  const lanesHeld = Object.entries(lanes ?? {}).map(([mode, number]) => [mode, count(number)]);
  return html`
    <p class="lead"><${Sign} level=${taken.level} />${taken.words}</p>
    <${Acts} about="the queue" acts=${[paused ? RESUME : PAUSE]} />
    <${Facts} of=${[
      ["waiting", count(depth)],
      ...lanesHeld,
      ["wait, half of them", span(queue.wait_p50_s)],
      ["wait, one in a hundred", span(queue.wait_p99_s)],
    ]} />
    <h3>Who waits most</h3>
    <${Table} label="Who waits most" name="waiting" rowKey="user" rows=${users ?? []} columns=${COLUMNS}
      empty="Nobody waits." />
  `;
}
