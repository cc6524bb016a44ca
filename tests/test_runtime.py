"""The program from outside, without a daemon: commands, usage, and that it starts fast."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import runtime
from console.endings import Quit

IMPORT_S_MAX = 1.0


def test_help_names_every_command(capsys):
    assert runtime.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("serve", "draw", "admin", "sim", "doctor"):
        assert f"  {command} " in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["node"],
        ["console"],
        ["nonsense"],
        ["serve", "--port", "many"],
        ["serve", "--port", "70000"],
        ["serve", "--nonsense"],
        ["draw"],
        ["draw", "a fox", "--mode", "slow", "--url", "http://127.0.0.1:9", "--key", "k"],
        ["draw", "a fox", "--url", "ftp://example.org", "--key", "k"],
        ["admin"],
        ["admin", "user"],
        ["admin", "status", "-o", "yaml"],
        ["serve", "--config", "there-is-none.toml"],
    ],
)
def test_a_mistake_on_the_command_line_is_exit_2_and_one_line(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert runtime.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("limner: ")
    assert told.err.count("\n") == 1
    assert "Value error" not in told.err  # the validator's words, which help nobody


def test_what_a_command_raises_becomes_its_exit_code_and_one_line(capsys, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise Quit(3, "forbidden:\n  this key may only read")

    monkeypatch.setattr("console.reach.find_daemon", refuse)
    assert runtime.main(["admin", "status"]) == 3
    assert capsys.readouterr().err == "limner: forbidden: this key may only read\n"


def test_ctrl_c_is_exit_130(monkeypatch, capsys):
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("console.reach.find_daemon", interrupt)
    assert runtime.main(["draw", "a fox"]) == 130
    assert capsys.readouterr().out == ""


def test_nothing_heavy_is_imported_before_it_is_needed():
    heavy = ("sqlalchemy", "aiohttp", "uvicorn", "starlette", "thespian", "rich", "PIL", "structlog", "websockets")
    code = f"import sys, runtime; print([name for name in {heavy!r} if name in sys.modules])"
    began = time.monotonic()
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[]"
    assert time.monotonic() - began < 20 * IMPORT_S_MAX  # a busy machine; the list above is what keeps it fast
