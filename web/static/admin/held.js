/** Lists that hold still: rows keep their places while their values change, and new ones wait to be asked for. */
import { useRef, useState } from "../vendor/preact-hooks.js";
import { read, useLive } from "./live.js";
import { held } from "./words.js";

/**
 * `pathOf(before)`: where a page of the list is; `field`: its name in the answer; `key`: what tells rows apart. Another
 * path begins another list. {rows, news, told, show(), next, older()}; `older` appends the next page.
 */
export function useHeld(pathOf, field, key) {
  const path = pathOf(null);
  const told = useLive(path);
  const list = useRef({ path: null, rows: null, next: null });
  const [, drawAgain] = useState(0);

  if (list.current.path !== path) list.current = { path, rows: null, next: null };
  const fresh = told.value?.[field] ?? [];
  let news = 0;
  if (told.value !== null) {
    if (list.current.rows === null) list.current = { path, rows: fresh, next: told.value.next ?? null };
    const merged = held(list.current.rows, fresh, key);
    list.current.rows = merged.rows;
    news = merged.news;
  }
  const show = () => {
    list.current = { path, rows: null, next: null };
    drawAgain((times) => times + 1);
  };
  const older = async () => {
    const { next } = list.current;
    const { value } = await read(pathOf(next));
    if (value === undefined || list.current.path !== path || list.current.next !== next) return;
    list.current = { path, rows: [...list.current.rows, ...value[field]], next: value.next ?? null };
    drawAgain((times) => times + 1);
  };
  return { rows: list.current.rows ?? [], news, told, show, next: list.current.next, older };
}
