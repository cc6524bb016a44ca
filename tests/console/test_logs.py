"""Nothing secret reaches the log, whoever says it."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from console.logs import Redactor, secrets_of, set_up_logs
from core.config import AccountConfig, Admin, Config, Secret, Store

KEY = "limner_k1m8.JODE-97VLRmlgdLpHiXSXRnq7AmWGrq1"
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB"


@pytest.fixture
def log():
    """A stream that everything is logged to; logging is as it was afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs(["a-configured-secret"], stream)
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


def test_every_secret_of_the_config_is_known():
    account = AccountConfig("a", Secret("token-of-a"), "1", "2")
    config = Config(accounts=(account,), admin=Admin(Secret("admin-key")), store=Store(Secret("postgresql://u:p@h/d")))
    assert set(secrets_of(config)) == {"token-of-a", "admin-key", "postgresql://u:p@h/d"}
