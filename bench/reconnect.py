"""All accounts lose their gateway at once: `python -m bench.reconnect [--accounts 200] [--bots 20] [--json FILE]`.

The simulator and one daemon as processes of their own; the simulator's account of it (`/_sim/pulse`) is what counts.
Phases: *start* (everyone identifies), *cut* (every connection is reset: everyone should RESUME), *invalid* (every
session is declared dead: everyone must IDENTIFY, an application at most once each 5 s), *busy* (reset again while every
place of the users draws, until all drawings are done), and *calm* afterwards. For each: how many came by what, were
refused or had lost their session, the seconds until the half, 95 in 100 and the last of them were back, the most that
came within 100 ms, the latest heartbeat, and the daemon's CPU. Exit code 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

HEARTBEAT_S = 10.0
#: At least two beats of every connection.
CALM_S = 2 * HEARTBEAT_S
BACK_S_MAX = 120.0
#: Longer than an application must wait between two IDENTIFYs: so that what is seen of jitter is jitter.
PAUSE_S = 6.0
READY_S_MAX = 60.0
POLL_S = 0.25
WINDOW_S = 0.1
ADMIN_KEY = "bench-admin-key"
SLOTS = 3
ORDERING_AT_ONCE = 16
#: Nobody's patience is measured here, only the accounts'.
PLAN = "[limits]\nframes_per_min = 1000000\n[plans.free]\ndaily = 100000\nconcurrent = 100000\nqueued = 100000"
# The aims: no heartbeat later; no application twice within 5 s; never more than this share of all within 100 ms.
LATE_S_MAX = 5.0
IDENTIFY_EACH_S = 5.0
CROWD_MAX = 0.3
DONE = 'limner_jobs_total{outcome="done"}'


class Phase(msgspec.Struct):
    """What the simulator saw of one phase; seconds are from its begin.

    `refused` are IDENTIFYs that came too soon; `lost` RESUMEs of sessions that had missed more than is kept for replay.
    """

    name: str
    identifies: int
    refused: int
    resumes: int
    lost: int
    half_s: float
    most_s: float
    last_s: float
    crowd: int
    beats: int
    late_s_max: float
    cpu_s: float


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=200, help="users, of which each is its own application")
    parser.add_argument("--bots", type=int, default=20, help="and bots, whose IDENTIFYs Discord counts")
    parser.add_argument("--drawings", type=int, help="of the busy phase; if not told, one for each place")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, simulator(options.accounts, options.bots) as sim:
        drawings = options.accounts * SLOTS if options.drawings is None else options.drawings
        bench = Bench(sim, options.accounts + options.bots, drawings)
        begun = time.time()
        with daemon(sim, Path(folder)) as (url, pid):
            phases = bench.phases(url, pid, begun)
    print(f"{options.accounts} accounts and {options.bots} bots on one process, a heartbeat each {HEARTBEAT_S:.0f} s")
    print("phase     IDENTIFY refused  RESUME    lost    half    95 %    last  in 100 ms  beats  latest     CPU")
    for p in phases:
        print(
            f"{p.name:9} {p.identifies:8} {p.refused:7} {p.resumes:7} {p.lost:7} {p.half_s:6.1f}s {p.most_s:6.1f}s"
            f" {p.last_s:6.1f}s {p.crowd:10} {p.beats:6} {p.late_s_max:6.2f}s {p.cpu_s:6.1f}s"
        )
    print(f"{drawings} drawings: {bench.done} done, {bench.doubled} submitted twice")
    print(f"the shortest time between two IDENTIFYs of one application: {bench.shortest_gap_s():.1f} s")
    if options.json:
        Path(options.json).write_bytes(msgspec.json.encode(phases))
    missed = bench.missed(phases)
    if missed:
        raise SystemExit("missed: " + "; ".join(missed))


class Bench:
    """One run against one simulator."""

    def __init__(self, sim: dict[str, Any], people: int, drawings: int = 0) -> None:
        self.base = sim["api"].partition("/api/")[0]
        self.people = people
        self.drawings = drawings
        self.done = self.doubled = 0
        self.identified_at: dict[str, list[float]] = defaultdict(list)

    def phases(self, url: str, pid: int, begun: float) -> list[Phase]:
        """Everything that happens to them, in order; the daemon was started at `begun` (Unix s)."""
        found = [self.phase("start", url, pid, begun, 0.0)]
        for name, fault in (("cut", "drop_all"), ("invalid", "invalid_false")):
            time.sleep(PAUSE_S)
            found.append(self.phase(name, url, pid, self.strike(fault), cpu_s(pid)))
        if self.drawings:
            found.append(self.busy(url, pid))
        spent_s = cpu_s(pid)
        time.sleep(CALM_S)
        found.append(self.phase("calm", url, pid, time.time(), spent_s))
        return found

    def strike(self, fault: str) -> float:
        """The fault to every connection; when it began."""
        begun = time.time()
        struck = ask(f"{self.base}/_sim/faults", {"fault": fault})["struck"]
        assert struck == self.people, f"{struck} connections struck"
        return begun

    def busy(self, url: str, pid: int) -> Phase:
        """Every place draws, and then everyone is cut off."""
        spent_s, half = cpu_s(pid), self.drawings // 2
        key = ask(f"{url}/admin/v1/users", {"name": "bench"}, ADMIN_KEY)["key"]
        with ThreadPoolExecutor(ORDERING_AT_ONCE) as pool:
            for _ in pool.map(lambda n: ask(f"{url}/api/v1/jobs", {"prompt": f"fox {n}"}, key), range(self.drawings)):
                continue
        until(lambda: self.stats()["interactions"] >= half, "half of them submitted", BACK_S_MAX)
        begun = self.strike("drop_all")
        until(lambda: figure(url, DONE) >= self.drawings, "all of them done", BACK_S_MAX)
        phase = self.phase("busy", url, pid, begun, spent_s)
        self.done, self.doubled = int(figure(url, DONE)), self.stats()["duplicates"]
        return phase

    def stats(self) -> dict[str, Any]:
        """What the simulator counts."""
        found: dict[str, Any] = ask(f"{self.base}/_sim/stats")
        return found

    def phase(self, name: str, url: str, pid: int, begun: float, spent_s: float) -> Phase:
        """Waits until all are back (and up, as the daemon says), and reads what was seen meanwhile."""
        expected = 0 if name == "calm" else self.people

        def back() -> bool:
            arrived = ask(f"{self.base}/_sim/pulse")["arrivals"]
            taken = {arrival["account"] for arrival in arrived if arrival["taken"]}
            return len(taken) >= expected and ups(url) >= self.people

        until(back, f"all back after {name}", BACK_S_MAX)
        pulse = ask(f"{self.base}/_sim/pulse?forget")
        taken = sorted((a for a in pulse["arrivals"] if a["taken"]), key=lambda a: a["at"])
        for arrival in taken:
            if arrival["how"] == "identify":
                self.identified_at[arrival["account"]].append(arrival["at"])
        hows = Counter(arrival["how"] for arrival in taken)
        spurned = Counter(arrival["how"] for arrival in pulse["arrivals"] if not arrival["taken"])
        times = [arrival["at"] - begun for arrival in taken] or [0.0]
        return Phase(
            name,
            hows["identify"],
            spurned["identify"],
            hows["resume"],
            spurned["resume"],
            times[len(times) // 2],
            times[len(times) * 95 // 100],
            times[-1],
            max(sum(1 for t in times if at <= t < at + WINDOW_S) for at in times) if taken else 0,
            pulse["beats"],
            pulse["late_s_max"],
            cpu_s(pid) - spent_s,
        )

    def shortest_gap_s(self) -> float:
        """Between two IDENTIFYs of one application."""
        gaps = [b - a for times in self.identified_at.values() for a, b in pairwise(times)]
        return min(gaps, default=float("inf"))

    def missed(self, phases: list[Phase]) -> list[str]:
        """Which aims, in words."""
        found = [f"{p.late_s_max:.1f} s late in {p.name}" for p in phases if p.late_s_max > LATE_S_MAX]
        found += [f"{p.refused} refused in {p.name}" for p in phases if p.refused]
        crowds = [p for p in phases if p.crowd > CROWD_MAX * self.people]
        found += [f"{p.crowd} within 100 ms in {p.name}" for p in crowds]
        if self.shortest_gap_s() < IDENTIFY_EACH_S:
            found.append("an application identified twice within 5 s")
        if self.done < self.drawings or self.doubled:
            found.append(f"{self.done} of {self.drawings} drawings done, {self.doubled} doubled")
        return found


@contextmanager
def simulator(accounts: int, bots: int) -> Iterator[dict[str, Any]]:
    """The simulated Discord; what it announces."""
    command = [sys.executable, "-m", "sim", "--port", "0", "--pictures", "canned", "--until-stdin-closes"]
    command += ["--accounts", str(accounts), "--bots", str(bots)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            sim = json.loads(process.stdout.readline())
            ask(f"{sim['api'].partition('/api/')[0]}/_sim/config", {"heartbeat_s": HEARTBEAT_S})
            yield sim
        finally:
            process.terminate()


@contextmanager
def daemon(sim: dict[str, Any], folder: Path) -> Iterator[tuple[str, int]]:
    """`limner serve` with all of the simulator's accounts and bots; its URL and process id."""
    people = [(one["name"], one["token"], one["channel_id"], "user") for one in sim["accounts"]]
    people += [(f"bot-{n}", token, sim["channel_id"], "bot") for n, token in enumerate(sim["bot_tokens"])]
    tables = [
        f'[admin]\nkey = "{ADMIN_KEY}"',
        PLAN,
        "[discord]",
        *(f'{key} = "{sim[key]}"' for key in ("api", "gateway", "cdn")),
    ]
    for name, token, channel, kind in people:
        tables.append(
            f'[[accounts]]\nname = "{name}"\ntoken = "{token}"\nkind = "{kind}"\nguild_id = "{sim["guild_id"]}"\n'
            f'channel_id = "{channel}"\nslots = {SLOTS}\nmodes = ["{"fast" if kind == "user" else "turbo"}"]'
        )
    config = folder / "limner.toml"
    config.write_text("\n".join(tables))
    command = [sys.executable, "-m", "runtime", "serve", "--port", "0", "--config", str(config), "--data", str(folder)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIMNER_")}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=kept) as process,
    ):
        try:
            assert process.stdout is not None
            ready = next((line for line in process.stdout if line.startswith("limner ready ")), None)
            assert ready is not None, (folder / "log").read_text()[-3_000:]
            yield ready.split()[2], process.pid
        finally:
            process.terminate()


def ask(url: str, body: Any = None, key: str = "") -> Any:
    """JSON of an answer of the simulator or the daemon."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=READY_S_MAX) as answer:
        return json.loads(answer.read())


def ups(url: str) -> int:
    """How many accounts the daemon says are up."""
    return sum(line.startswith("limner_account_up{") and line.endswith(" 1.0") for line in metrics(url))


def figure(url: str, metric: str) -> float:
    """One of the daemon's metrics; 0 until it is there."""
    return next((float(line.rpartition(" ")[2]) for line in metrics(url) if line.startswith(metric)), 0.0)


def metrics(url: str) -> list[str]:
    """The daemon's metrics, a line each."""
    request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {ADMIN_KEY}"})
    with urllib.request.urlopen(request, timeout=READY_S_MAX) as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return lines


def until(condition: Callable[[], bool], what: str, limit_s: float) -> None:
    """Looks again and again."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {limit_s:.0f} s: {what}")
        time.sleep(POLL_S)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that the process has used (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
