"""What `limner draw` makes of what it hears, and where it puts the picture."""

from __future__ import annotations

import asyncio
import io

import pytest

from console import draw as drawing
from console.draw import Away, Order, _catch_up, _converse, _hear, check_output, save
from console.endings import FAILED, REFUSED, USAGE, Quit
from console.progress import Line
from console.reach import Daemon
from protocol.client import (
    MSGPACK,
    Accepted,
    Cancelled,
    Done,
    Draw,
    Error,
    Failed,
    Picture,
    Progress,
    Queued,
    Quota,
    Resume,
    Started,
    Welcome,
    encode,
)

DAEMON = Daemon("http://127.0.0.1:8080", "k")
PICTURE = Picture("i1", "/images/i1", "/images/i1/thumb", 8, 8, 3)
WELCOME = Welcome("ana", "free", Quota(100, 0, "2026-01-01T00:00:00.000Z"), 7, "limner")


class Heard(Line):
    """A line that remembers what it showed."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.shown: list[object] = []

    def wait(self, position, eta_s):
        self.shown.append((position, eta_s))

    def advance(self, percent):
        self.shown.append(percent)


@pytest.fixture
def order() -> Order:
    return Order(Draw("ref-1", "a fox"))


def hear(order: Order, *frames, line: Line | None = None) -> list:
    """What is said in answer."""
    return [answer for frame in frames for answer in _hear(frame, order, line or Heard())]


def test_after_welcome_the_drawing_is_asked_for(order):
    assert hear(order, WELCOME) == [order.draw]


def test_place_progress_and_end_are_shown_for_our_job_only(order):
    line = Heard()
    hear(
        order,
        WELCOME,
        Accepted(8, "ref-1", "j1", 12, 40.0),
        Queued(8, "j2", 1, 1.0),
        Queued(8, "j1", 11, 35.0),
        Started(9, "j2"),
        Started(9, "j1"),
        Progress(9, "j2", 99),
        Progress(9, "j1", 31),
        Done(10, "j2", (), (), 1.0),
        line=line,
    )
    assert line.shown == [(12, 40.0), (11, 35.0), 0, 31]
    assert order.ended is None
    done = Done(11, "j1", (PICTURE,), (), 6.0)
    hear(order, done)
    assert order.ended is done


def test_after_a_lost_connection_it_resumes_from_the_last_event_of_its_job(order):
    hear(order, WELCOME, Accepted(8, "ref-1", "j1", 1, None), Started(9, "j1"))
    assert hear(order, WELCOME) == [Resume(9)]


def test_if_accepted_was_never_heard_the_same_ref_is_sent_again_and_what_followed_it_is_asked_for(order):
    hear(order, WELCOME)
    assert hear(order, WELCOME) == [order.draw]
    assert hear(order, Accepted(8, "ref-1", "j1", None, None)) == [Resume(8)]


def test_a_refusal_ends_it_with_3_and_its_words(order):
    with pytest.raises(Quit, match="quota_exceeded: Come back tomorrow") as quitting:
        hear(order, WELCOME, Error("quota_exceeded", "Come back tomorrow", "ref-1"))
    assert quitting.value.code == REFUSED


def test_a_daemon_that_is_just_coming_back_is_asked_again(order):
    hear(order, WELCOME, WELCOME)
    with pytest.raises(Away):
        hear(order, Error("draining", "Starting."))


@pytest.mark.parametrize("kind", ["done", "failed", "cancelled"])
def test_events_that_cannot_be_replayed_are_made_up_for_by_the_job_itself(order, kind):
    order.job = "j1"
    job = {"job": "j1", "status": kind, "images": [], "actions": [], "code": "x", "message": "m", "charged": False}
    _catch_up(job, order)
    assert type(order.ended).__name__.lower() == kind


def test_a_job_that_goes_on_is_waited_for(order):
    _catch_up({"job": "j1", "status": "drawing"}, order)
    assert order.ended is None


def test_frames_of_a_newer_daemon_are_passed_over(order):
    class Wire:
        async def __aiter__(self):
            yield b"\x81\xa4type\xa4news"
            yield encode(Done(9, "j1", (PICTURE,), (), 6.0), MSGPACK)

    order.job = "j1"
    asyncio.run(_converse(Wire(), DAEMON, order, Heard()))
    assert isinstance(order.ended, Done)


# --- the whole of it, but for the wire ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (Failed(9, "j1", "upstream_rejected", "The bot said no.", False), FAILED),
        (Cancelled(9, "j1", "cancelled", "You cancelled it.", False), REFUSED),
    ],
)
def test_a_drawing_that_ends_without_a_picture_says_why_and_whether_it_was_charged(monkeypatch, ended, code, capsys):
    async def watch(daemon, order, line):
        order.job, order.ended = "j1", ended
        return True

    monkeypatch.setattr(drawing, "_watch", watch)
    with pytest.raises(Quit, match="not charged") as quitting:
        drawing.draw(DAEMON, "a fox", "fast", None, to_json=False)
    assert quitting.value.code == code
    assert capsys.readouterr().out == ""


def test_an_empty_prompt_is_a_mistake_of_usage():
    with pytest.raises(Quit, match="say what to draw") as quitting:
        drawing.draw(DAEMON, "  ", "fast", None, to_json=False)
    assert quitting.value.code == USAGE


def test_the_file_is_checked_before_anything_is_asked_for(tmp_path):
    with pytest.raises(Quit, match="there is no folder"):
        check_output(tmp_path / "nowhere" / "fox.png")
    check_output(tmp_path / "fox.png")
    check_output(tmp_path)


def test_the_picture_replaces_the_file_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "fetch", lambda daemon, method, path: b"PNG" + path.encode())
    (tmp_path / "fox.png").write_bytes(b"old")
    assert save(DAEMON, "j1", (PICTURE,), tmp_path / "fox.png") == tmp_path / "fox.png"
    assert (tmp_path / "fox.png").read_bytes() == b"PNG/images/i1"
    assert save(DAEMON, "j1", (PICTURE,), tmp_path) == tmp_path / "limner-j1.png"
    monkeypatch.chdir(tmp_path)
    assert str(save(DAEMON, "j2", (PICTURE,), None)) == "limner-j2.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fox.png", "limner-j1.png", "limner-j2.png"]
