/** Templates: htm bound to Preact. Text goes in as text nodes, so a prompt can never become markup. */
import { h } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
