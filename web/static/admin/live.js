/**
 * What is on the screen is asked for again every two seconds, for as long as somebody sees it.
 *
 * A component says what it shows (`useLive`, `useRound`) and is asked about while it is there. A round begins two
 * seconds after the one before has ended, so a slow service is not asked more for being slow.
 */
import { useEffect, useState } from "../vendor/preact-hooks.js";
import { ask } from "./api.js";
import { answered, lost, me, phase } from "./store.js";

export const EACH_MS = 2000;
const NOTHING_YET = { value: null, words: null };

const askers = new Set();
let timer = null;
let running = null; // the round under way

/** Reads. A refused login ends this window's session; silence is told by `lost`, and what was known stays shown. */
export async function read(path) {
  const told = await ask("GET", path);
  if (told.status === 401) leave();
  lost.value = told.status === 0;
  if (!lost.value) answered.value = Date.now();
  return told;
}

/** Joins the rounds while the component is there; other `inputs` begin anew. `asker` may ask if it is still wanted. */
export function useRound(asker, inputs) {
  useEffect(() => {
    let here = true;
    const turn = () => asker(() => here);
    askers.add(turn);
    turn();
    return () => {
      here = false;
      askers.delete(turn);
    };
  }, inputs);
}

/** {value, words}: what is at the path now, and a refusal in words. Null asks nothing. */
export function useLive(path) {
  const [told, tell] = useState(NOTHING_YET);
  useRound(
    async (wanted) => {
      if (path === null) return;
      const { value, status, words } = await read(path);
      if (!wanted()) return;
      if (value !== undefined) tell({ path, value, words: null });
      else tell((before) => ({ path, value: status >= 400 && status < 500 ? null : valueAt(before, path), words }));
    },
    [path],
  );
  return told.path === path ? told : NOTHING_YET;
}

function valueAt(told, path) {
  return told.path === path ? told.value : null;
}

/** Something was changed: what is on the screen is asked for at once. Ends when it has been told. */
export async function refresh() {
  await running; // which may have read what was before
  await (running ?? round());
}

/** Begins the rounds, and pauses them while nobody looks. */
export function watch() {
  document.addEventListener("visibilitychange", () => isSeen() && refresh());
  round();
}

function round() {
  clearTimeout(timer);
  const turns = isSeen() ? [...askers].map((turn) => turn()) : [];
  running = Promise.all(turns).finally(() => {
    running = null;
    if (isSeen()) timer = setTimeout(round, EACH_MS);
  });
  return running;
}

function isSeen() {
  return document.visibilityState === "visible";
}

export function leave() {
  me.value = null;
  phase.value = "login";
}
