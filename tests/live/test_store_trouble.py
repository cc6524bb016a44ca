"""The database gets into trouble while jobs come in: full, locked, moved away, its log deleted; and it gets well again.

Each time the same: new jobs are refused with a code and a time, readyz says why, and when it is over all goes on by
itself; what was acknowledged is drawn, once.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.live.daemon import STOP_S_MAX, Daemon, ask, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

CONFIG = """
[plans.free]
daily = 100000
queued = 10000
concurrent = 100

[store]
url = "sqlite:///{store}/limner.db"

# Its disk is small: no alarm may stop intake before the store refuses.
[pacing]
disk_free_mb = 0
"""
DRAWING_S = 0.3
EACH_S = 0.15
#: Within this time the trouble is told, and its end.
SOON_S = 10.0
#: Far below the time after which a request is given up, and what an open intake may lag behind readiness.
AT_ONCE_S, INTAKE_S = 5.0, 2.0
#: So long what was not stored has waited that the queue takes nothing more.
STUCK_S = 7.0
DISK_BYTES = 6 << 20

Trouble = Callable[[Daemon, Path], AbstractContextManager[None]]


class Customers(threading.Thread):
    """Send a job each EACH_S; `acknowledged` are the ids they were given, `refused` what they heard else."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(daemon=True)
        self.daemon_ = daemon
        self.acknowledged: list[str] = []
        self.refused: list[tuple[int, str, bool]] = []
        self.home = threading.Event()

    def run(self) -> None:
        """Until they go home."""
        number = 0
        while not self.home.wait(EACH_S):
            number += 1
            self._send({"prompt": f"a boat, number {number}, " + "on the sea " * 100})

    def _send(self, job: dict[str, str]) -> None:
        headers = {"Authorization": f"Bearer {self.daemon_.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.daemon_.url}/api/v1/jobs", json.dumps(job).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                self.acknowledged.append(json.loads(answer.read())["job"])
        except urllib.error.HTTPError as error:
            code = json.loads(error.read())["code"]
            self.refused.append((error.code, code, int(error.headers.get("Retry-After", "0")) > 0))

    def go_home(self) -> None:
        """No more jobs."""
        self.home.set()
        self.join(30)

    def await_more(self) -> None:
        """Until some more jobs have been acknowledged."""
        before = len(self.acknowledged)
        eventually(lambda: len(self.acknowledged) >= before + 3, "jobs are taken", SOON_S)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """Where the database is: a small disk of its own, if we may make one."""
    folder = tmp_path / "store"
    folder.mkdir()
    is_disk = may_mount() and mount(folder)
    yield folder
    if is_disk:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def may_mount() -> bool:
    """Whether we are root; a container's root may still be refused."""
    return os.geteuid() == 0


def mount(folder: Path) -> bool:
    """A small disk at the folder."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def daemon(tmp_path: Path, store: Path) -> Iterator[Daemon]:
    """A demo daemon with its database there."""
    running = Daemon(tmp_path, "--demo", "--config", "limner.toml", sim_seconds=DRAWING_S)
    (tmp_path / "limner.toml").write_text(CONFIG.format(store=store))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def customers(daemon: Daemon) -> Iterator[Customers]:
    """They have begun to send jobs, and go home with the test."""
    coming = Customers(daemon)
    coming.start()
    coming.await_more()
    yield coming
    coming.go_home()


# --- troubles: each is there within the context, and over after it -----------------------------------------------


@contextmanager
def full_disk(daemon: Daemon, store: Path) -> Iterator[None]:
    """Another program fills the disk."""
    if not os.path.ismount(store):
        pytest.skip("only root may make a small disk to fill")
    ballast = store / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(store).f_bavail == 0
    yield
    ballast.unlink()


@contextmanager
def no_writing(daemon: Daemon, store: Path) -> Iterator[None]:
    """The system refuses to write to any file of the daemon's: the database, pictures, the log."""
    before = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(daemon: Daemon, store: Path) -> Iterator[None]:
    """Another program writes, and does not come to an end."""
    other = sqlite3.connect(store / "limner.db", isolation_level=None, timeout=20)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def moved_away(daemon: Daemon, store: Path) -> Iterator[None]:
    """Somebody moves the database, and then back."""
    away = store / "away"
    away.mkdir()
    names = [file.name for file in store.glob("limner.db*")]
    for name in names:
        (store / name).rename(away / name)
    yield
    for name in names:
        (away / name).rename(store / name)


# --- claims ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (full_disk, "store_full"),
        (no_writing, "store_io_error"),
        (locked, "store_locked"),
        (moved_away, "store_gone"),
    ],
)
def test_a_database_in_trouble_refuses_new_jobs_and_loses_none_and_goes_on_by_itself(
    daemon: Daemon, customers: Customers, store: Path, trouble: Trouble, reason: str
) -> None:
    with trouble(daemon, store):
        eventually(lambda: reason in daemon.ready()[1], f"readyz says {reason}", SOON_S)
        assert daemon.ready()[0] == 503
        before = len(customers.refused)
        eventually(lambda: len(customers.refused) >= before + 5, "jobs are refused", SOON_S)
        assert ask(f"{daemon.url}/healthz")[0] == 200
    eventually(lambda: daemon.ready() == (200, []), "it is ready again", SOON_S)
    customers.await_more()
    assert set(customers.refused) == {(503, "draining", True)}
    all_are_drawn_once(daemon, customers)


def all_are_drawn_once(daemon: Daemon, customers: Customers) -> None:
    """Every acknowledged job ends well, and no prompt was drawn twice."""
    customers.go_home()
    for job in customers.acknowledged:
        assert daemon.await_status(job, "done", "failed")["status"] == "done"
    prompts = [row["prompt"] for row in daemon.ledger()]
    assert len(prompts) == len(set(prompts)) == len(customers.acknowledged)


def test_a_cancel_is_put_off_at_once_and_when_all_is_well_it_is_heard_and_jobs_are_taken_soon(
    daemon: Daemon, customers: Customers, store: Path
) -> None:
    with locked(daemon, store):
        eventually(lambda: daemon.ready()[1] == ["store_locked"], "readyz says so", SOON_S)
        job, locked_at = customers.acknowledged[-1], time.monotonic()
        customers.go_home()
        asked_at = time.monotonic()
        status, answer = ask(f"{daemon.url}/api/v1/jobs/{job}", daemon.key, method="DELETE")
        assert (status, answer["code"]) == (503, "draining")
        assert time.monotonic() - asked_at < AT_ONCE_S
        eventually(lambda: time.monotonic() - locked_at > STUCK_S, "the queue counts the store as stuck")
    eventually(lambda: daemon.ready() == (200, []), "it is ready again", SOON_S)
    boat = {"prompt": "a boat at last"}
    eventually(lambda: ask(f"{daemon.url}/api/v1/jobs", daemon.key, boat)[0] == 202, "jobs are taken", INTAKE_S)
    assert ask(f"{daemon.url}/api/v1/jobs/{job}", daemon.key, method="DELETE")[0] in (202, 409)


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_log_that_is_deleted_under_a_daemon_that_is_killed_then_costs_nothing(
    daemon: Daemon, customers: Customers, store: Path, ending: str
) -> None:
    log = store / f"limner.db{ending}"
    log.unlink()
    eventually(log.exists, "there is a new log", SOON_S)
    customers.await_more()
    customers.go_home()
    daemon.kill()
    daemon.start()
    all_are_drawn_once(daemon, customers)


def test_a_daemon_whose_database_is_locked_ends_in_order_and_goes_on_at_its_next_start(
    daemon: Daemon, customers: Customers, store: Path
) -> None:
    with locked(daemon, store):
        eventually(lambda: daemon.ready()[1] == ["store_locked"], "readyz says so", SOON_S)
        customers.go_home()
        asked_at = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - asked_at < STOP_S_MAX
        assert "Traceback" not in daemon.log()
    daemon.start()
    all_are_drawn_once(daemon, customers)


def test_another_file_in_the_databases_place_is_refused_until_the_right_one_is_back(
    daemon: Daemon, customers: Customers, store: Path
) -> None:
    database, aside = store / "limner.db", store / "aside.db"
    database.rename(aside)
    database.touch()
    eventually(lambda: daemon.ready()[1] == ["store_replaced"], "readyz says so", SOON_S)
    assert database.stat().st_size == 0
    aside.replace(database)
    eventually(lambda: daemon.ready() == (200, []), "it is ready again", SOON_S)
    all_are_drawn_once(daemon, customers)
