"""The machine's clock has a name, by which a later process knows that it reads the same."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from system import boot
from system.boot import clock_id


def test_a_later_process_reads_the_same_clock_and_it_has_gone_on() -> None:
    before = time.monotonic()
    ask = "import asyncio, uvloop; from system.boot import clock_id; print(uvloop.new_event_loop().time(), clock_id())"
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", ask], cwd=root, capture_output=True, text=True, check=True).stdout
    number, _, clock = told.strip().partition(" ")
    assert clock == str(clock_id())
    assert before <= float(number) <= time.monotonic()


def test_another_start_of_the_machine_and_another_namespace_have_other_clocks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = set()
    for number, (started, namespace) in enumerate([("a", "time:[1]"), ("b", "time:[1]"), ("a", "time:[2]")]):
        boot_id, link = tmp_path / f"boot{number}", tmp_path / f"time{number}"
        boot_id.write_text(f"{started}\n")
        link.symlink_to(namespace)
        monkeypatch.setattr(boot, "BOOT_ID", boot_id)
        monkeypatch.setattr(boot, "TIME_NAMESPACE", link)
        names.add(clock_id())
    assert names == {"a time:[1]", "b time:[1]", "a time:[2]"}


def test_where_the_machine_does_not_say_which_start_it_is_there_is_no_such_clock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(boot, "BOOT_ID", tmp_path / "there-is-none")
    assert clock_id() is None
