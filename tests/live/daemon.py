"""Real processes for the live tests: `limner serve`, `limner sim`, and the commands of a person at a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

LIMNER = (sys.executable, "-m", "runtime")
ROOT = Path(__file__).parents[2]
READY_S_MAX = 30.0
STOP_S_MAX = 10.0
COMMAND_S_MAX = 90.0
EVENTUALLY_S_MAX = 60.0
POLL_S = 0.05

Found = TypeVar("Found")


def environment() -> dict[str, str]:
    """Ours without what a developer's shell says to limner, and with the checkout importable from any folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIMNER_")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


def eventually(look: Callable[[], Found | None], what: str, limit_s: float = EVENTUALLY_S_MAX) -> Found:
    """Looks again and again until it is there; fails, saying `what`, when it is not there in time."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(POLL_S)
    raise AssertionError(f"not within {limit_s:.0f} s: {what}")


def ask(url: str, key: str | None = None, body: Any = None, method: str | None = None) -> tuple[int, Any]:
    """Status and JSON (or text) of an HTTP answer; status 0 when nobody is there."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers | {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    except OSError:
        return 0, None
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


class Daemon:
    """`limner serve` in a folder of its own: `.url`, `.key`, `.admin_key`, `.sim`, `.data`, `.process`."""

    #: How `limner` is started.
    command: tuple[str, ...] = LIMNER

    def __init__(self, folder: Path, *options: str, sim_seconds: float | None = 1.5) -> None:
        """Not started yet. `options` go to `serve`; `sim_seconds` None: no demo, the options name a config."""
        self.folder, self.data = folder, folder / "limner-data"
        self.options = [*options, *(["--sim-seconds", str(sim_seconds)] if sim_seconds is not None else [])]
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.url = self.key = self.admin_key = self.sim = ""

    def start(self, until_ready: bool = True) -> Daemon:
        """Starts it, on the port of the last time; returns when it says it is ready."""
        log = (self.folder / "daemon.log").open("a")
        self.process = subprocess.Popen(
            [*self.command, "serve", "--port", str(self.port), *self.options],
            cwd=self.folder, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        log.close()
        if until_ready:
            self.await_ready()
        return self

    def await_ready(self) -> None:
        """Reads on until `limner ready URL`, then demo.json."""
        watchdog = self._killed_after(READY_S_MAX)
        for line in self.process.stdout:
            if line.startswith("limner ready "):
                self.url = line.split()[2]
                self.port = int(self.url.rpartition(":")[2])
                break
        else:
            raise AssertionError(f"it did not get ready:\n{self.log()[-4000:]}")
        watchdog.cancel()
        if (self.data / "demo.json").exists():
            demo = json.loads((self.data / "demo.json").read_text())
            self.key, self.admin_key, self.sim = demo["key"], demo["admin_key"], demo["sim"]

    def _killed_after(self, seconds: float) -> Any:
        import threading

        timer = threading.Timer(seconds, self.process.kill)
        timer.daemon = True
        timer.start()
        return timer

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(STOP_S_MAX)
        self.process.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asks it to end, and its exit code; killed when it takes too long (a test that cares asserts the code)."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOP_S_MAX)
        finally:
            self.process.stdout.close()

    def log(self) -> str:
        """What it said on stderr in all its lives."""
        return (self.folder / "daemon.log").read_text()

    # --- what a person does there ----------------------------------------------------------------------------

    def limner(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in this folder, so that it finds the demo's address and keys."""
        return limner(*arguments, cwd=self.folder)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, without waiting for its end."""
        return subprocess.Popen(
            [*LIMNER, *arguments], cwd=self.folder, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def add_user(self, name: str) -> str:
        """A new user's key."""
        status, added = ask(f"{self.url}/admin/v1/users", self.admin_key, {"name": name})
        assert status == 201, added
        return added["key"]

    def submit(self, prompt: str, key: str | None = None) -> str:
        """A new job's id."""
        status, job = ask(f"{self.url}/api/v1/jobs", key or self.key, {"prompt": prompt})
        assert status == 202, job
        return job["job"]

    def job(self, job: str, key: str | None = None) -> dict[str, Any]:
        """The job as its user sees it; empty while the daemon is away."""
        status, found = ask(f"{self.url}/api/v1/jobs/{job}", key or self.key)
        return found if status == 200 else {}

    def await_status(self, job: str, *wanted: str, key: str | None = None) -> dict[str, Any]:
        """The job, once its status is one of these."""

        def look() -> dict[str, Any] | None:
            found = self.job(job, key)
            return found if found.get("status") in wanted else None

        return eventually(look, f"{job} is {' or '.join(wanted)}")

    def picture(self, job: dict[str, Any], key: str | None = None) -> bytes:
        """The bytes of the first picture of a done job."""
        request = urllib.request.Request(
            self.url + job["images"][0]["url"], headers={"Authorization": f"Bearer {key or self.key}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()

    def ready(self) -> tuple[int, list[str]]:
        """Status and reasons of GET /readyz."""
        status, found = ask(f"{self.url}/readyz")
        return status, found["reasons"] if isinstance(found, dict) else []

    def ledger(self) -> list[dict[str, Any]]:
        """Every interaction the simulator has received."""
        return ledger(self.sim)


def ledger(sim: str) -> list[dict[str, Any]]:
    """Every interaction that the simulator at this base URL has received."""
    status, page = ask(f"{sim}/_sim/ledger?limit=10000")
    assert status == 200, page
    return page["rows"]


def limner(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of `limner` to its end."""
    return subprocess.run(
        [*LIMNER, *arguments], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=COMMAND_S_MAX,
    )  # fmt: skip
