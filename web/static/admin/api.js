/** Asks /admin/v1 and says what came of it. The login is a cookie no script sees; nothing of it is kept here. */

const ROOT = "/admin/v1/";
const ANSWER_MS_MAX = 10_000;
export const SILENT = "The service does not answer. Try again in a moment.";

/** A path of its parts: "accounts", "fox 07" → "accounts/fox%2007". A slash within a name stays one. */
export function pathOf(...parts) {
  return parts.map((part) => part.split("/").map(encodeURIComponent).join("/")).join("/");
}

/** `path?name=value&…` of what has a value. */
export function withQuery(path, query) {
  const said = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return said.length ? `${path}?${new URLSearchParams(said)}` : path;
}

/** {value} of the answer, or {status, words} of a refusal; status 0: nobody answered. */
export async function ask(method, path, body) {
  const options = { method, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS_MAX) };
  if (body !== undefined) options.body = JSON.stringify(body);
  const answer = await fetch(ROOT + path, options).catch(() => null);
  if (answer === null) return { status: 0, words: SILENT };
  const said = answer.status === 204 ? {} : await answer.json().catch(() => null);
  if (answer.ok && said !== null) return { value: said };
  return { status: answer.status, words: said?.detail ?? said?.title ?? SILENT };
}
