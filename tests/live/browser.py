"""A visitor of the page in Debian's Chromium: what it saw, and what its console said."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENSHOTS = Path(__file__).parent.parent / "screenshots"

DRAWING_MS_MAX = 60_000  # a simulated drawing takes about 6 s; a busy machine some more
ANSWER_MS_MAX = 15_000

# Chromium reports these answers itself: the page asks who it is, and is told to sign in; there is no demo to offer;
# the last preview is asked for when the picture has just taken its place.
EXPECTED_ERRORS = ("/api/v1/me", "/api/v1/demo", "/api/v1/login", "/preview?")

# Keeps every place and percent that was ever on the screen, and the page's sockets, so that a test can cut them.
WATCH = """
window.seen = { places: [], percents: [], statuses: [] };
const note = (list, value) => { if (value && list.at(-1) !== value) list.push(value); };
new MutationObserver(() => {
  for (const card of document.querySelectorAll("[data-card]")) note(seen.statuses, card.dataset.status);
  for (const place of document.querySelectorAll(".place")) note(seen.places, place.textContent);
  for (const bar of document.querySelectorAll("[role=progressbar]")) note(seen.percents, bar.ariaValueNow);
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });

window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...how) { super(...how); window.sockets.push(this); }
};
"""


class Visitor:
    """One person's browser, in a profile of its own. On leaving, its console must have been silent."""

    def __init__(self, chromium: Browser, url: str, **options: object) -> None:
        self.context = chromium.new_context(base_url=url, **options)
        self.context.add_init_script(WATCH)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(ANSWER_MS_MAX)
        self.complaints: list[str] = []
        self.expected = EXPECTED_ERRORS
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.context.close()
        if kind is None:
            assert self.complaints == []

    def _hear(self, message: ConsoleMessage) -> None:
        """A violated Content-Security-Policy is an error here too."""
        said = f"{message.text} ({message.location.get('url', '')})"
        if message.type in ("error", "warning") and not any(words in said for words in self.expected):
            self.complaints.append(said)

    def sign_in(self, key: str) -> None:
        """From the address to the prompt box."""
        self.page.goto("/")
        self.page.get_by_label("Your key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.prompt).to_be_visible()
        self.see_loaded()

    def see_loaded(self) -> None:
        """Waits until the wall is hung as the server knows it."""
        expect(self.page.locator('main[aria-busy="false"]')).to_be_visible()

    @property
    def prompt(self):
        """The prompt box."""
        return self.page.get_by_label("What to draw")

    def cards(self, status: str | None = None):
        """Cards on the wall, newest first; those of one status if given."""
        return self.page.locator(f'[data-card][data-status="{status}"]' if status else "[data-card]")

    def draw(self, prompt: str):
        """Draws by keyboard. Returns the new drawing's card, found by its key whatever is hung beside it."""
        before = set(self.cards().evaluate_all("cards => cards.map((card) => card.dataset.card)"))
        self.prompt.fill(prompt)
        self.prompt.press("Control+Enter")
        expect(self.prompt).to_have_value("")
        expect(self.cards().first.locator(".caption")).to_contain_text(prompt)
        assert self.cards().first.get_attribute("data-card") not in before
        return self.card(self.cards().first.get_attribute("data-card"))

    def card(self, key: str | None):
        """The card of this key."""
        return self.page.locator(f'[data-card="{key}"]')

    def see_drawn(self, card) -> None:
        """Waits until the picture itself, not only the card, is on the screen."""
        expect(card).to_have_attribute("data-status", "done", timeout=DRAWING_MS_MAX)
        expect(card.locator("img.final.in")).to_be_visible()
        card.scroll_into_view_if_needed()
        expect(card.locator("img.final")).to_have_js_property("complete", True)
        expect(card.locator("img.final")).to_have_css("opacity", "1")
        assert card.locator("img.final").evaluate("image => image.naturalWidth") > 0

    def shoot(self, name: str) -> None:
        """A screenshot for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")
