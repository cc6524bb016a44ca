"""Nothing secret reaches the log, whoever says it."""

from __future__ import annotations

import io
import json
import logging
import time

import pytest
import structlog

from console.logs import Redactor, secrets_of, set_up_logs
from core.config import AccountConfig, Admin, Config, Secret, Store
from core.trace import trace_id
from system.event_ring import EventRing
from system.log_levels import LogLevels

KEY = "limner_k1m8.JODE-97VLRmlgdLpHiXSXRnq7AmWGrq1"
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB"


RING, LEVELS = EventRing(), LogLevels()


class Quoting:
    """An object whose own words hold what they should not."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Quoting({self.text})"


@pytest.fixture
def log():
    """A stream that everything is logged to; logging is as it was afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs(["a-configured-secret"], stream, RING, LEVELS)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "event",
    [
        {"event": f"wrong key {KEY}"},
        {"event": "x", "authorization": f"Bearer {KEY}"},
        {"event": f"header Authorization: Bot {TOKEN}"},
        {"event": "x", "error": ValueError(f"bad {TOKEN}")},
        {"event": "x", "request": {"headers": {"token": "short"}, "key": KEY, "urls": [f"https://x/{TOKEN}"]}},
        {"event": "x", "account": Secret(TOKEN)},
        {"event": "x", "body": KEY.encode()},
        {"event": "the value known-from-config is in a text"},
        {"event": "x", "who": {f"key {KEY}": [{"deep": (KEY, {TOKEN})}]}},
        {"event": "x", "message": Quoting(KEY)},
    ],
)
def test_the_redactor_masks_by_name_by_shape_and_by_value(event):
    shown = json.dumps(Redactor(["known-from-config"])(None, "info", dict(event)), default=str)
    for secret in (KEY, TOKEN, "short", "known-from-config"):
        assert secret not in shown
    assert "\\u2026" in shown


def test_what_is_no_secret_stays_as_it_is():
    event = {"event": "account is up", "actor": "account/fox-07", "wait_s": 1.5, "jobs": ["j1m867e9q5t098m5x5vy"]}
    assert Redactor(["", "abc"])(None, "info", dict(event)) == event


def test_structlog_and_the_standard_library_speak_alike_and_in_json(log):
    structlog.get_logger("limner.test").info("ours", job="j1")
    logging.getLogger("a.library").warning("theirs %s", "too", extra={"task": "t1"})
    ours, theirs = lines(log)
    assert (ours["event"], ours["job"], ours["level"], ours["logger"]) == ("ours", "j1", "info", "limner.test")
    assert (theirs["event"], theirs["task"], theirs["level"], theirs["logger"]) == (
        "theirs too",
        "t1",
        "warning",
        "a.library",
    )
    assert ours["timestamp"].endswith("Z")


def test_an_exceptions_text_is_masked_too(log):
    try:
        raise ValueError(f"refused {KEY} and a-configured-secret")
    except ValueError:
        logging.getLogger("a.library").exception("it broke")
    (line,) = lines(log)
    assert "ValueError: refused … and …" in line["exception"]


def test_below_info_nothing_is_said(log):
    structlog.get_logger("limner.test").debug("whisper")
    logging.getLogger("a.library").debug("whisper")
    assert log.getvalue() == ""


def test_an_exception_whose_cause_holds_a_secret_is_masked_in_its_whole_traceback(log):
    try:
        try:
            raise KeyError(TOKEN)
        except KeyError as inner:
            raise ExceptionGroup("outer", [ValueError(KEY)]) from inner
    except ExceptionGroup:
        structlog.get_logger("limner.test").exception("it broke")
    (line,) = lines(log)
    assert "KeyError: '…'" in line["exception"]
    assert "ValueError: …" in line["exception"]
    assert TOKEN not in log.getvalue()
    assert KEY not in log.getvalue()


def test_a_prompt_does_not_show_under_its_name(log):
    structlog.get_logger("limner.test").info("x", prompt="my secret wish", job={"id": "j1", "prompt": "my secret wish"})
    assert "my secret wish" not in log.getvalue()


def test_the_ring_has_what_the_log_has_masked_alike(log):
    _, seen = RING.after()
    structlog.get_logger("limner.test").bind(actor="gate").warning("wrong key", value=f"it was {KEY}")
    logging.getLogger("a.library").error("theirs a-configured-secret")
    ours, theirs = RING.after(seen)[0]
    assert (ours.actor, ours.level, ours.event, ours.fields["value"]) == ("gate", "warning", "wrong key", "it was …")
    assert (theirs.actor, theirs.level, theirs.event) == (None, "error", "theirs …")


def test_one_actor_is_heard_from_debug_on_for_as_long_as_it_is_wanted(log):
    queue = structlog.get_logger("limner.test").bind(actor="queue")
    gate = structlog.get_logger("limner.test").bind(actor="gate")
    LEVELS.set("queue", "debug", until=time.monotonic() + 60.0)
    queue.debug("a place is asked for")
    gate.debug("a socket opens")
    LEVELS.set("queue", "error", until=time.monotonic() + 60.0)
    queue.warning("not heard")
    queue.exception("heard")
    LEVELS.set("queue", "debug", until=0.0)
    queue.debug("not heard any more")
    assert [line["event"] for line in lines(log)] == ["a place is asked for", "heard"]


def test_what_is_said_of_a_job_bears_its_trace(log):
    structlog.get_logger("limner.test").warning("a submission is in doubt", job="j1")
    structlog.get_logger("limner.test").warning("no job here")
    assert [line.get("trace") for line in lines(log)] == [trace_id("j1"), None]


def test_a_log_that_takes_nothing_is_nobodys_death(log):
    log.close()
    structlog.get_logger("limner.test").error("nobody reads this")
    assert RING.after(limit=1)[0][0].event == "nobody reads this"


def test_every_secret_of_the_config_is_known():
    account = AccountConfig("a", Secret("token-of-a"), "1", "2")
    config = Config(accounts=(account,), admin=Admin(Secret("admin-key")), store=Store(Secret("postgresql://u:p@h/d")))
    assert set(secrets_of(config)) == {"token-of-a", "admin-key", "postgresql://u:p@h/d"}
