/**
 * What the page does: signs in, keeps the connection, sends what the person asked for.
 *
 * Nothing asked for is forgotten: a draft is kept in the tab's storage until the server has answered its ref, and is
 * sent again, with the same ref, after a reconnect or a reload. The server draws a ref once.
 */
import { effect } from "./vendor/signals.js";
import { Connection, backoff_s } from "./connection.js";
import { START, unsent } from "./state.js";
import { demo, dispatch, link, phase, state, viewing } from "./store.js";

const PAGE_JOBS = 50;
const UNSENT = "limner.unsent";

const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const connection = new Connection(`${scheme}//${location.host}/ws`, { frame: heard, lost, refused });
let asked = []; // cursors of the `jobs` frames that were sent and not answered, in order

/** Finds out who is here: signed in, to be asked for a key, or not to be reached yet. */
export async function boot(tries = 0) {
  const me = await http("GET", "/api/v1/me");
  if (me?.ok) return enter();
  if (me?.status === 401) return greet();
  link.value = "lost";
  setTimeout(() => boot(tries + 1), backoff_s(tries) * 1000);
}

/** Signs in. Returns null, or a sentence saying why not. */
export async function signIn(key) {
  const answer = await http("POST", "/api/v1/login", { key });
  if (answer?.ok) return enter();
  if (answer?.status === 401) return "This key is not known. Check that it was copied whole.";
  return (await answer?.json().catch(() => null))?.detail ?? "The server does not answer. Try again in a moment.";
}

export async function signOut() {
  await http("DELETE", "/api/v1/login");
  connection.close();
  sessionStorage.removeItem("limner.prompt");
  dispatchStart();
  greet();
}

/** Draws a prompt. The card is on the wall at once; it gets its place in the queue when the server has it stored. */
export function draw({ prompt, mode, kind = "imagine" }) {
  const frame = { type: "draw", ref: newRef(), prompt, mode };
  if (kind !== "imagine") frame.kind = kind;
  submit(frame, { prompt, mode, kind });
}

/** One of a finished drawing's actions: {action, index, label}. */
export function act(card, { action, index, label }) {
  const frame = { type: "act", ref: newRef(), job: card.job, action };
  if (index !== null && index !== undefined) frame.index = index;
  submit(frame, { prompt: card.prompt, mode: card.mode, kind: action, note: label });
}

/** Draws a region of a picture anew; `mask`: a PNG, white there. Returns null, or a sentence saying why not. */
export async function actOnRegion(card, mask, prompt) {
  const answer = await fetch("/api/v1/uploads", { method: "POST", body: mask }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (!answer?.ok || !told) return told?.detail ?? "The server does not answer. Try again in a moment.";
  const { action, label } = card.actions.find((one) => one.action === "vary_region");
  const frame = { type: "act", ref: newRef(), job: card.job, action, images: [told.id] };
  if (prompt !== "") frame.prompt = prompt;
  submit(frame, { prompt: prompt || card.prompt, mode: card.mode, kind: action, note: label });
  return null;
}

/** The same again, as a new drawing; the card that came to nothing makes room for it. */
export function again(card) {
  putAway(card);
  if (card.sent) submit({ ...card.sent, ref: newRef() }, card);
  else draw(card);
}

/** False for an action whose request this window does not know any more. */
export function canAgain(card) {
  return card.sent !== null || card.kind === "imagine";
}

export function cancel(card) {
  if (card.job === null) return dispatch({ type: "page.drop", key: card.key });
  if (connection.send({ type: "cancel", job: card.job })) dispatch({ type: "page.cancelling", key: card.key });
}

export function putAway(card) {
  dispatch({ type: card.job === null ? "page.drop" : "page.away", key: card.key });
}

/** Asks for older jobs, once at a time. */
export function more() {
  const { next } = state.value;
  if (next !== null && !asked.includes(next)) ask(next);
}

function submit(frame, { prompt, mode, kind, note = null }) {
  dispatch({ type: "page.draw", frame, prompt, mode, kind, note, at: new Date().toISOString() });
  if (link.value === "open" && connection.send(frame)) dispatch({ type: "page.sent", ref: frame.ref });
}

function ask(before) {
  const frame = { type: "jobs", limit: PAGE_JOBS };
  if (before !== null) frame.before = before;
  if (connection.send(frame)) asked.push(before);
}

function enter() {
  phase.value = "in";
  connection.open();
  return null;
}

/** The form comes with the demo's key in it, if there is one: a key that came later would run into what is typed. */
async function greet() {
  const offer = await http("GET", "/api/v1/demo");
  demo.value = offer?.ok ? await offer.json() : null;
  link.value = "opening";
  phase.value = "login";
}

function heard(frame) {
  if (frame.type === "welcome") return welcomed(frame);
  if (frame.type === "jobs") return dispatch({ ...frame, older: asked.shift() !== null });
  dispatch(frame);
  if (frame.type === "notice" && frame.kind === "quota_reset") recount();
}

function welcomed(frame) {
  const kept = state.value.user === null ? recalled(frame.user) : [];
  if (state.value.user !== null && state.value.user !== frame.user) dispatchStart();
  const { seq } = state.value;
  dispatch(frame);
  link.value = "open";
  asked = [];
  if (seq === null) ask(null);
  else resume();
  for (const draft of kept) dispatch({ type: "page.draw", ...draft });
  for (const card of unsent(state.value)) {
    if (connection.send(card.sent)) dispatch({ type: "page.sent", ref: card.ref });
  }
}

function resume() {
  dispatch({ type: "page.resuming" });
  connection.send({ type: "resume", after: state.value.seq });
}

function lost() {
  link.value = "lost";
  asked = [];
  dispatch({ type: "page.lost" });
}

function refused() {
  dispatch({ type: "page.lost" });
  greet();
}

async function recount() {
  const me = await http("GET", "/api/v1/me");
  if (me?.ok) dispatch({ type: "page.quota", quota: (await me.json()).quota });
}

function dispatchStart() {
  state.value = START;
  viewing.value = null;
  sessionStorage.removeItem(UNSENT);
}

/** Drafts that a reload interrupted, if they are this user's. */
function recalled(user) {
  const kept = JSON.parse(sessionStorage.getItem(UNSENT) ?? "null");
  return kept?.user === user ? kept.drafts : [];
}

function newRef() {
  // randomUUID exists on https and localhost only; a page on a plain LAN address makes its own.
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A fetch of our own server; null when it could not be reached. */
async function http(method, path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch (unreachable) {
    console.info(`${method} ${path}: ${unreachable.message}`);
    return null;
  }
}

effect(() => {
  const { user } = state.value;
  if (user === null) return; // what a reload left is still to be recalled
  const drafts = unsent(state.value).map(({ sent, prompt, mode, kind, note, created_at }) => ({
    frame: sent,
    prompt,
    mode,
    kind,
    note,
    at: created_at,
  }));
  if (drafts.length > 0) sessionStorage.setItem(UNSENT, JSON.stringify({ user, drafts }));
  else sessionStorage.removeItem(UNSENT);
});

effect(() => {
  const { stale, gap } = state.value;
  if (link.value !== "open") return;
  if (gap) resume();
  else if (stale && !asked.includes(null)) {
    dispatch({ type: "page.asked" });
    ask(null);
  }
});
