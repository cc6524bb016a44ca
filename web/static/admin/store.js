/** What this window knows: who is here, where they look, and whether the service answers. */
import { signal } from "../vendor/signals.js";

export const phase = signal("starting"); // starting | login | in
export const me = signal(null); // {name, role}
export const answered = signal(null); // when the service last answered, in ms; null before the first time
export const lost = signal(false); // the last round was not answered
export const place = signal(placeOf(location.hash));

addEventListener("hashchange", () => (place.value = placeOf(location.hash)));

/** "#/jobs/j1?user=ana" → {view: "jobs", of: "j1", query: {user: "ana"}}; `of` is null where nothing is named. */
export function placeOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...of] = path.split("/");
  return {
    view: view || "overview",
    of: of.length ? decoded(of.join("/")) : null,
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function hrefOf(view, of = null, query = {}) {
  const asked = new URLSearchParams(query).toString();
  return `#/${view}${of === null ? "" : `/${encodeURIComponent(of)}`}${asked && `?${asked}`}`;
}

export function go(view, of = null, query = {}) {
  location.hash = hrefOf(view, of, query);
}

export function mayChange() {
  return me.value?.role === "admin";
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a hand-written address with a lone %
  }
}
