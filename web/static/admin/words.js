/** Words and signs for what the service says. Pure. */
import { short } from "../format.js";

const NUMBER = new Intl.NumberFormat();
const BYTES = ["B", "KB", "MB", "GB", "TB"];
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** A sign beside each colour, and what it asks for, said to whoever sees neither. */
export const SIGNS = {
  yellow: { sign: "▲", words: "needs a look" },
  red: { sign: "●", words: "needs a hand" },
};

const STATE_LEVELS = { degraded: "yellow", exhausted: "yellow", paused: "red" };
const MEANT = new Set(["operator", "drain", "leaving"]); // what an operator asked for is no trouble

export function levelOf({ state, cause }) {
  if (state === "suspended") return MEANT.has(cause) ? null : "red";
  return STATE_LEVELS[state] ?? null;
}

export function stateOf({ state, draining, busy }) {
  if (!draining) return state;
  const far = busy ? "draining" : "drained";
  return state === "suspended" ? far : `${state}, ${far}`;
}

/** "1 connection", "2 connections". */
export function counted(number, one) {
  return `${count(number)} ${number === 1 ? one : `${one}s`}`;
}

export function count(number) {
  return number === null || number === undefined ? "–" : NUMBER.format(number);
}

/** A rate, with a decimal where it says something: "10.4", "1,204". */
export function rate(number) {
  if (number === null || number === undefined) return "–";
  return number >= 100 || Number.isInteger(number) ? count(Math.round(number)) : number.toFixed(number < 1 ? 2 : 1);
}

/** A length of time in its two largest units: "3 ms", "0.4 s", "41 s", "2.1 min", "3 h 5 min", "2 d 4 h". */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds > 0 && seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 10 * MINUTE_S) return `${Number((seconds / MINUTE_S).toFixed(1))} min`;
  if (seconds < HOUR_S) return `${Math.round(seconds / MINUTE_S)} min`;
  if (seconds < DAY_S) return two(seconds, HOUR_S, "h", MINUTE_S, "min");
  return two(seconds, DAY_S, "d", HOUR_S, "h");
}

function two(seconds, large, its, small, smalls) {
  const whole = Math.floor(seconds / large);
  const rest = Math.floor((seconds - whole * large) / small);
  return rest ? `${whole} ${its} ${rest} ${smalls}` : `${whole} ${its}`;
}

/** A time as a Date; null for none. The service's are RFC 3339; a number is Unix seconds. */
function dateOf(at) {
  const date = new Date(typeof at === "number" ? at * 1000 : (at ?? Number.NaN));
  return Number.isNaN(date.getTime()) ? null : date;
}

/** How long ago a time was; one ahead (a clock that differs) is now. */
export function ago(at, now = Date.now()) {
  const date = dateOf(at);
  return date ? span(Math.max(0, Math.round((now - date.getTime()) / 1000))) : "–";
}

/** "12:34:05", with the day before it when it was another one. */
export function moment(at, now = new Date()) {
  const date = dateOf(at);
  if (!date) return "–";
  const time = date.toLocaleTimeString(undefined, { hour12: false });
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${time}`;
}

export function bytes(number) {
  if (number === null || number === undefined) return "–";
  const power = Math.min(BYTES.length - 1, Math.floor(Math.log(Math.max(number, 1)) / Math.log(1000)));
  const value = number / 1000 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${BYTES[power]}`;
}

/** A value of a field as text: lists and what has names joined. */
export function plain(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length ? value.map(plain).join(", ") : "–";
  if (typeof value === "object") return plain(Object.entries(value).map(([name, each]) => `${name} ${plain(each)}`));
  return typeof value === "number" ? rate(value) : String(value);
}

/** Whether drawings are taken: {level, words}. `intake` is `open`, `paused`, `draining` or the code of an alarm. */
export function intakeWords(intake) {
  if (!intake || intake === "open") return { level: null, words: "New drawings are taken." };
  if (intake === "draining") return { level: "yellow", words: "This node is being drained: it takes no new drawings." };
  if (intake === "paused") return { level: "yellow", words: "The queue is paused: drawings are taken, none begins." };
  return { level: "red", words: `No new drawings are taken: ${intake.replaceAll("_", " ")}.` };
}

/** What an alarm is about, as a place: {view, of}; null when it is about nothing one could open. */
export function placeOfAlarm({ about }, accounts) {
  if (!about) return null;
  const account = about.replace(/^account\//, "");
  if (account !== about || accounts.some(({ name }) => name === about)) return { view: "accounts", of: account };
  return { view: "actors", of: about };
}

/** What distinguishes one alarm from another. */
export function alarmKey({ code, about }) {
  return `${code} ${about ?? ""}`;
}

/** What a screen reader is told between two rounds: alarms that came, and those that went. */
export function spokenAlarms(before, after) {
  const was = new Set(before.map(alarmKey));
  const is = new Set(after.map(alarmKey));
  const news = after.filter((alarm) => !was.has(alarmKey(alarm)));
  const over = before.filter((alarm) => !is.has(alarmKey(alarm)));
  return [
    ...news.map((alarm) => `${SIGNS[alarm.level]?.words ?? "alarm"}: ${alarm.words}`),
    ...over.map((alarm) => `over: ${short(alarm.words, 80)}`),
  ].join(". ");
}

/** The window's title, so that another tab can be read meanwhile. */
export function titleOf(alarms) {
  if (!alarms.length) return "Limner · operator";
  const worst = alarms.some(({ level }) => level === "red") ? "red" : "yellow";
  return `${SIGNS[worst].sign} ${alarms.length} · Limner`;
}

/**
 * Rows hold their places while values change: what was shown stays in its order, with its new values, and what is new
 * waits to be asked for. {rows, news}: `news` is how many wait.
 */
export function held(shown, fresh, key) {
  const now = new Map(fresh.map((row) => [row[key], row]));
  const kept = new Set(shown.map((row) => row[key]));
  return {
    rows: shown.map((row) => now.get(row[key]) ?? row),
    news: fresh.filter((row) => !kept.has(row[key])).length,
  };
}
