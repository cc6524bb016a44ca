/** One actor, where an alarm is about it: how it does, what it holds, and what can be done. */
import { html } from "../html.js";
import { Acts } from "./acts.js";
import { pathOf } from "./api.js";
import { useLive } from "./live.js";
import { Facts, Name, One, Sign, Told } from "./parts.js";
import { count, plain, rate, span } from "./words.js";

function actsOf({ name, suspended }) {
  const act = (verb, label, question, done) => ({ label, question, done, path: pathOf("actors", name, verb) });
  return [
    act("restart", "Restart", `Start ${name} again? What it does now is begun anew.`, `${name} was started again`),
    suspended
      ? act("resume", "Resume", `Let ${name} work off its mailbox?`, `${name} goes on`)
      : act("suspend", "Suspend", `Let ${name} rest? Its mailbox fills meanwhile.`, `${name} is suspended`),
  ];
}

export function Actor({ name }) {
  const { value: actor, words } = useLive(pathOf("actors", name));
  return html`
    <${One} title=${name} back="overview" backWords="overview">
      <${Told} value=${actor} words=${words} />
      ${
        actor &&
        html`
        <p class="lead">
          ${actor.suspended && html`<${Sign} level="yellow" />suspended: `}${count(actor.depth)} in its mailbox
        </p>
        <${Acts} about=${name} acts=${actsOf(actor)} />
        <${Facts} of=${factsOf(actor)} />
        <h3>What it holds</h3>
        <${Facts} of=${Object.entries(actor.state ?? {}).map(held)} />
      `
      }
    <//>
  `;
}

function held([name, value]) {
  return [name.replaceAll("_", " "), plain(value)];
}

function factsOf(actor) {
  return [
    ["kind", actor.kind],
    ["parent", actor.parent ? html`<${Name} view="actors" of=${actor.parent} />` : "–"],
    ["messages a second", rate(actor.rate)],
    ["handled", count(actor.handled)],
    ["busy", span(actor.busy_s)],
    ["up", span(actor.uptime_s)],
    ["restarts", count(actor.restarts)],
    ["tasks", count(actor.tasks)],
    ["children", count(actor.children)],
    ["last error", actor.last_error],
  ];
}
