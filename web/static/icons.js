/** The few signs that are drawn and not written. */
import { html } from "./html.js";

const PATHS = {
  link: "M9.5 3.5H12.5V6.5M12.5 3.5 7 9M11 9.5V12.5H3.5V5H6.5",
  download: "M8 2.5V10M4.8 7 8 10.2 11.2 7M3 13.5H13",
  copy: "M5.5 5.5V3H13V10.5H10.5M3 5.5H10.5V13H3Z",
  check: "M3.5 8.5 6.5 11.5 12.5 4.5",
};

export function Icon({ name }) {
  return html`
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"
      fill="none" stroke="currentColor" stroke-width="1.25">
      <path d=${PATHS[name]} />
    </svg>
  `;
}
