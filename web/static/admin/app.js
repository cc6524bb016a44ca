/** The admin page, put together: a top line, and one view by the address. */
import { useEffect, useRef } from "../vendor/preact-hooks.js";
import { render } from "../vendor/preact.js";
import { effect } from "../vendor/signals.js";
import { html } from "../html.js";
import { Account } from "./accounts.js";
import { Actor } from "./actors.js";
import { Events } from "./events.js";
import { Header, Lost } from "./header.js";
import { Job, Jobs } from "./jobs.js";
import { useLive, watch } from "./live.js";
import { Login, boot } from "./login.js";
import { Overview } from "./overview.js";
import { Queue } from "./queue.js";
import { phase, place } from "./store.js";
import { User, Users } from "./users.js";
import { spokenAlarms, titleOf } from "./words.js";

function App() {
  if (phase.value === "starting") return html`<${Lost} />`;
  if (phase.value === "login") return html`<${Login} />`;
  return html`<${Inside} />`;
}

function Inside() {
  const told = useLive("status");
  const alarms = told.value?.alarms;
  const before = useRef(null);
  useEffect(() => {
    if (!alarms) return;
    document.title = titleOf(alarms);
    const words = spokenAlarms(before.current ?? [], alarms);
    if (words) document.getElementById("spoken").textContent = words;
    before.current = alarms;
  }, [alarms]);
  return html`
    <${Lost} />
    <${Header} status=${told.value} />
    <main><${View} told=${told} /></main>
  `;
}

function View({ told }) {
  const { view, of } = place.value;
  switch (view) {
    case "accounts":
      return of === null ? html`<${Overview} told=${told} />` : html`<${Account} key=${of} name=${of} />`;
    case "actors":
      return of === null ? html`<${Overview} told=${told} />` : html`<${Actor} key=${of} name=${of} />`;
    case "queue":
      return html`<${Queue} />`;
    case "jobs":
      return of === null ? html`<${Jobs} />` : html`<${Job} key=${of} id=${of} />`;
    case "users":
      return of === null ? html`<${Users} />` : html`<${User} key=${of} name=${of} />`;
    case "events":
      return html`<${Events} />`;
    default:
      return html`<${Overview} told=${told} />`;
  }
}

render(html`<${App} />`, document.getElementById("page"));

effect(() => {
  if (phase.value !== "in") {
    document.title = "Limner · operator";
    document.getElementById("spoken").textContent = ""; // who comes next hears nothing of it
  }
});

watch();
boot();
