"""A daemon with no Discord at all: one account at an image API draws, and kill -9 has it ask for nothing twice."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actors.easel import MODEL, TOKEN, Easel, easel, hang, png, refuse
from tests.live.daemon import Daemon, ask, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

ADMIN_KEY = "the-operators-key"


@pytest.fixture
def there() -> Iterator[Easel]:
    """A server of the API, in a thread of its own."""
    made: list[Easel] = []
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with easel() as found:
            made.append(found)
            ready.set()
            await over.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield made[0]
    loop.call_soon_threadsafe(over.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def daemon(tmp_path: Path, there: Easel) -> Iterator[Daemon]:
    """A daemon of the test's own, with a user."""
    (tmp_path / "limner.toml").write_text(f"""
[admin]
key = "{ADMIN_KEY}"
[[accounts]]
name = "easel"
driver = "openai-images"
url = "{there.base}/v1"
token = "{TOKEN}"
model = "{MODEL}"
""")
    running = Daemon(tmp_path, "--config", "limner.toml", sim_seconds=None)
    running.start()
    running.admin_key = ADMIN_KEY
    running.key = running.add_user("ada")
    yield running
    running.stop()


def standing(daemon: Daemon) -> dict:
    status, found = ask(f"{daemon.url}/admin/v1/accounts", ADMIN_KEY)
    assert status == 200
    return found["accounts"][0]


def test_a_drawing_from_a_terminal_ends_as_the_picture_that_the_api_drew(daemon: Daemon, there: Easel) -> None:
    reach = ("--url", daemon.url, "--key", daemon.key)
    drawn = daemon.limner("draw", "a red fox in snow", "-o", "fox.png", *reach)
    assert (drawn.returncode, drawn.stdout, drawn.stderr) == (0, "fox.png\n", "")
    assert (daemon.folder / "fox.png").read_bytes() == png(1)
    assert [asked["prompt"] for asked in there.asked] == ["a red fox in snow"]
    shown = daemon.limner("admin", "accounts", "-o", "json", "--url", daemon.url, "--key", ADMIN_KEY)
    assert [(each["name"], each["state"]) for each in json.loads(shown.stdout)["accounts"]] == [("easel", "up")]


def test_what_an_image_api_cannot_draw_is_refused_at_once(daemon: Daemon, there: Easel) -> None:
    status, refused = ask(f"{daemon.url}/api/v1/jobs", daemon.key, {"prompt": "a fox in few words", "kind": "shorten"})
    assert (status, refused["code"]) == (503, "no_account")
    assert "shorten" in refused["detail"]
    assert there.asked == []


def test_kill_9_while_it_is_drawn_has_it_asked_for_once_and_refunded(daemon: Daemon, there: Easel) -> None:
    there.manners = [hang]
    job = daemon.submit("a lost fox")
    eventually(lambda: there.asked, "it is being drawn")
    daemon.kill()
    daemon.start()
    failed = daemon.await_status(job, "failed")
    assert (failed["code"], failed["charged"]) == ("undecided", False)
    assert "undecided" in [moment["state"] for moment in failed["history"]]
    daemon.await_status(daemon.submit("a fox that was found"), "done")
    assert [asked["prompt"] for asked in there.asked] == ["a lost fox", "a fox that was found"]


def test_a_token_that_is_not_taken_is_shown_to_the_operator_and_the_job_waits(daemon: Daemon, there: Easel) -> None:
    there.manners = [refuse(401, code="invalid_api_key")]
    job = daemon.submit("a patient fox")
    found = eventually(lambda: (each := standing(daemon))["state"] == "suspended" and each, "it is suspended")
    assert (found["cause"], found["busy"]) == ("token", 0)
    assert found["since"].endswith("Z")
    assert "account resume" in found["ends"]
    assert TOKEN not in daemon.log()
    assert daemon.job(job)["status"] == "queued"
    assert daemon.ready() == (503, ["no_account_up"])
    status, _ = ask(f"{daemon.url}/admin/v1/accounts/easel/resume", ADMIN_KEY, {})
    assert status == 200
    daemon.await_status(job, "done")
