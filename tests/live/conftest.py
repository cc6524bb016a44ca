"""What the live tests share: Debian's Chromium, and visitors in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.live.browser import CHROMIUM, CHROMIUM_ARGS, Visitor


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a file of tests; each visitor has a profile of its own in it.

    No longer than a file: Playwright's event loop runs in this thread until it is closed, and there can be only one.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors: `visit(url, **options of a browser context)`. They leave with the test."""
    with ExitStack() as leaving:
        yield lambda url, **options: leaving.enter_context(Visitor(chromium, url, **options))
