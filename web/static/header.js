/** The top line: the name, what is left of today, who is here. */
import { useEffect, useRef } from "./vendor/preact-hooks.js";
import { quotaText, quotaTitle } from "./format.js";
import { html } from "./html.js";
import { signOut } from "./session.js";
import { keysShown, state } from "./store.js";

export function Header() {
  const { quota, user } = state.value;
  return html`
    <header>
      <h1 class="mark">Limner</h1>
      ${quota && html`<${Quota} quota=${quota} />`}
      ${user && html`<${Menu} user=${user} />`}
    </header>
  `;
}

function Quota({ quota }) {
  const empty = quota.used >= quota.daily;
  return html`<span class="quota" title=${quotaTitle(quota)} data-empty=${empty}>${quotaText(quota)}</span>`;
}

function Menu({ user }) {
  const menu = useRef(null);
  useEffect(() => {
    const shut = (event) => {
      if (event.type === "keydown" ? event.key === "Escape" : !menu.current.contains(event.target))
        menu.current.open = false;
    };
    document.addEventListener("pointerdown", shut);
    document.addEventListener("keydown", shut);
    return () => {
      document.removeEventListener("pointerdown", shut);
      document.removeEventListener("keydown", shut);
    };
  }, []);
  const showKeys = () => {
    menu.current.open = false;
    keysShown.value = true;
  };
  return html`
    <details class="menu" ref=${menu}>
      <summary aria-label=${`${user}: menu`}>${user}</summary>
      <div class="menu-list">
        <button class="plain" onClick=${showKeys}>Keyboard <kbd>?</kbd></button>
        <button class="plain" onClick=${signOut}>Sign out</button>
      </div>
    </details>
  `;
}
