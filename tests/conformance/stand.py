"""A stand for the live tests: one simulator, one daemon with many accounts before it, and what each of them says."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.daemon import ROOT, Daemon, ask, environment, eventually, ledger

ADMIN_KEY = "limner_admin.of-the-conformance-suite"
DRAWN_S_MAX = 40.0
WORKERS, VICTIMS = 5, 8
#: One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
CONFIG = """\
[discord]
api = "{api}"
gateway = "{gateway}"
cdn = "{cdn}"

[admin]
key = "{key}"

[plans.free]
daily = 1000000
concurrent = 100
queued = 1000

[limits]
frames_per_min = 100000
in_flight_s = 4
"""
ACCOUNT = """
[[accounts]]
name = "{name}"
token = "{token}"
kind = "{kind}"
guild_id = "{guild_id}"
channel_id = "{channel_id}"
modes = ["{mode}"]
slots = 3
"""


class HastyDaemon(Daemon):
    """The daemon with some waits shortened, so that what one test does to it does not slow the next."""

    command = (sys.executable, "-m", "tests.conformance.hasty")


class Stand:
    """`workers` draw what is asked for in fast mode; `victims` and `twins` are only there.

    The twins are two accounts with the token of one bot: one application.
    """

    def __init__(self, told: dict[str, Any], daemon: Daemon) -> None:
        self.told = told
        self.sim = told["api"].partition("/api/")[0]
        self.daemon = daemon
        self.numbers = itertools.count(1)
        self.names = [account["name"] for account in told["accounts"]]
        self.workers, self.victims = self.names[:WORKERS], self.names[WORKERS:]
        self.twins = ["twin-a", "twin-b"]

    # --- the simulator ---

    def fault(self, fault: str, **order: Any) -> int:
        """Asks for it; how many live connections it struck at once."""
        status, answer = ask(f"{self.sim}/_sim/faults", body={"fault": fault, **order})
        assert status == 200, answer
        return int(answer["struck"])

    def strike(self, fault: str, names: list[str] | None = None) -> None:
        """The same for each of these, of all that draw or are there for nothing else."""
        for name in self.names if names is None else names:
            self.fault(fault, account=name)

    def configure(self, **changes: Any) -> None:
        status, answer = ask(f"{self.sim}/_sim/config", body=changes)
        assert status == 200, answer

    def stats(self) -> dict[str, Any]:
        return dict(ask(f"{self.sim}/_sim/stats")[1])

    def pulse(self, forget: bool = False) -> dict[str, Any]:
        """Who came to the gateway and how, and the heartbeats, since it was forgotten."""
        return dict(ask(f"{self.sim}/_sim/pulse" + ("?forget" if forget else ""))[1])

    def came(self, how: str, taken: bool = True) -> list[str]:
        """The accounts that came so, one for each time."""
        return [a["account"] for a in self.pulse()["arrivals"] if (a["how"], a["taken"]) == (how, taken)]

    def first_came(self, names: list[str]) -> float:
        """When the first of these came (Unix s)."""
        return float(min(a["at"] for a in self.pulse()["arrivals"] if a["account"] in names))

    def all_came(self, how: str, names: list[str], limit_s: float = 30.0) -> None:
        """Waits until each of them has come so; nobody of them came in another way."""
        eventually(lambda: set(names) <= set(self.came(how)), f"all of {names} {how}", limit_s)
        other = "identify" if how == "resume" else "resume"
        assert not set(self.came(other)) & set(names)

    def reconnected(self) -> None:
        """Every account has a new connection, and what the last test asked for is over."""
        self.pulse(forget=True)
        self.strike("reconnect")
        self.all_came("resume", self.names)

    # --- the daemon ---

    def accounts(self) -> dict[str, tuple[str, str]]:
        """State and reason, by name."""
        status, found = ask(f"{self.daemon.url}/admin/v1/accounts", ADMIN_KEY)
        assert status == 200, found
        return {each["name"]: (each["state"], each["reason"] or "") for each in found["accounts"]}

    def twins_up(self) -> None:
        """They begin one after the other, as one application must."""
        eventually(lambda: all(self.accounts()[twin][0] == "up" for twin in self.twins), "both twins are up")

    def draw(self, count: int = WORKERS, **more: Any) -> dict[str, str]:
        """Orders so many drawings; prompts by job."""
        prompts = [f"scenario {next(self.numbers)}" for _ in range(count)]
        return {self.order({"prompt": prompt, **more}): prompt for prompt in prompts}

    def order(self, body: dict[str, Any]) -> str:
        status, job = ask(f"{self.daemon.url}/api/v1/jobs", self.daemon.key, body)
        assert status == 202, job
        return str(job["job"])

    def upload(self, picture: bytes) -> str:
        """Gives a picture of the user's own; its id."""
        headers = {"Authorization": f"Bearer {self.daemon.key}", "Content-Type": "image/png"}
        return str(fetch(f"{self.daemon.url}/api/v1/uploads", headers, picture)["id"])

    def posted(self) -> int:
        """How many messages the accounts themselves have posted."""
        count = 0
        for account in self.told["accounts"]:
            url = f"{self.told['api']}/channels/{account['channel_id']}/messages?limit=100"
            history = fetch(url, {"Authorization": account["token"]})
            count += sum(not message["author"].get("bot") for message in history)
        return count

    def begun(self, jobs: dict[str, str]) -> None:
        """Waits until the simulator has taken all of them."""
        eventually(lambda: all(self.rows(prompt) for prompt in jobs.values()), "all are with the bot", DRAWN_S_MAX)

    def rows(self, prompt: str) -> list[dict[str, Any]]:
        """What became of the submissions of this prompt that were not refused."""
        found = [row for row in ledger(self.sim) if row["prompt"] and row["prompt"].split(" --")[0].endswith(prompt)]
        return [row for row in found if row["outcome"] != "refused"]

    def drawn_once(self, jobs: dict[str, str]) -> None:
        """Waits until all are done: each has its own picture, and was drawn once."""
        for job, prompt in jobs.items():
            done = self.daemon.await_status(job, "done", "failed", "cancelled")
            assert done["status"] == "done", done
            (row,) = self.rows(prompt)
            assert row["outcome"] == "done"
            assert f"limner:nonce\0{row['nonce']}".encode() in self.daemon.picture(done)


def fetch(url: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    """The JSON of an answer that must be good."""
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
        return json.loads(answer.read())


@contextmanager
def simulated() -> Iterator[dict[str, Any]]:
    """`limner sim` as a process of its own; what it prints."""
    command = [sys.executable, "-m", "runtime", "sim", "--port", "0", "--accounts", str(WORKERS + VICTIMS)]
    command += ["--bots", "1", "--seconds", "1", "--seed", "4", "--pictures", "canned"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    """Everything runs, and every account is up."""
    with simulated() as told:
        text = CONFIG.format(**told, key=ADMIN_KEY)
        for number, account in enumerate(told["accounts"]):
            mode = "fast" if number < WORKERS else "turbo"
            text += ACCOUNT.format(kind="user", mode=mode, guild_id=told["guild_id"], **account)
        for name in ("twin-a", "twin-b"):
            bot = {"name": name, "token": told["bot_tokens"][0], "channel_id": told["channel_id"]}
            text += ACCOUNT.format(kind="bot", mode="turbo", guild_id=told["guild_id"], **bot)
        (folder / "limner.toml").write_text(text)
        daemon = HastyDaemon(folder, "--config", "limner.toml", sim_seconds=None).start()
        try:
            daemon.admin_key = ADMIN_KEY
            stand = Stand(told, daemon)
            daemon.key = daemon.add_user("ada")
            eventually(lambda: all(stand.accounts()[name][0] == "up" for name in stand.names), "they are up")
            yield stand
        finally:
            daemon.stop()
