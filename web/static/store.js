/** What the page shows, as signals: the folded state, and the few choices that are this window's own. */
import { computed, signal } from "./vendor/signals.js";
import { START, hung, pictures, reduce } from "./state.js";

export const state = signal(START);
export const phase = signal("starting"); // starting | login | in
export const link = signal("opening"); // opening | open | lost
export const demo = signal(null); // {key, note} where the Discord is simulated

export const prompt = signal(sessionStorage.getItem("limner.prompt") ?? "");
export const mode = signal(localStorage.getItem("limner.mode") ?? "fast");
export const active = signal(null); // key of the card the keyboard is at
export const viewing = signal(null); // key of the picture in the viewer
export const painting = signal(null); // key of the picture a region of which is painted, in the viewer
export const keysShown = signal(false);

export const loaded = computed(() => state.value.loaded);
export const wall = computed(() => hung(state.value));
export const prints = computed(() => pictures(state.value));

export function dispatch(event) {
  state.value = reduce(state.value, event);
}
