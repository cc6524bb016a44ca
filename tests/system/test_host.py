"""The machine says what it gives: memory that is filled, and room on the fullest of the disks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from system import host
from system.host import Host

MB = 1 << 20


def test_what_is_filled_grows_with_what_is_kept() -> None:
    before = Host().memory_bytes()
    kept = bytearray(os.urandom(32 * MB))
    assert len(kept) == 32 * MB
    assert Host().memory_bytes() - before > 24 * MB


def test_where_the_system_tells_no_pages_the_most_ever_filled_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(host, "STATM", tmp_path / "there-is-none")
    assert Host().memory_bytes() > 10 * MB


def test_the_room_is_that_of_the_fullest_disk_and_a_folder_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    there, gone = Host().free_bytes([tmp_path]), Host().free_bytes([tmp_path / "gone"])
    assert there is not None
    assert there > 0
    assert gone is None
    assert Host().free_bytes([tmp_path, tmp_path / "gone", Path("/")]) is not None


def test_of_two_disks_the_fuller_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        f_frsize = 1_000

        def __init__(self, blocks: int) -> None:
            self.f_bavail = blocks

    disks = {Path("a"): Disk(5), Path("b"): Disk(3)}
    monkeypatch.setattr(os, "statvfs", disks.__getitem__)
    assert Host().free_bytes(disks) == 3_000
