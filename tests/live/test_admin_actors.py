"""`limner admin` about actors, events and a job's path, on a real daemon: once, twice, wrongly, without the right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.live.daemon import Daemon, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
ACTOR = "account/fox-01"


class Operator:
    """`limner admin`, as an operator types it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def run(self, *arguments: str) -> CompletedProcess[str]:
        done = self.daemon.limner("admin", *arguments)
        assert "Traceback" not in done.stderr
        return done

    def read(self, *arguments: str) -> Any:
        done = self.run("-o", "json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def actor(self) -> Any:
        return self.read("describe", "actor", ACTOR)

    def audited(self, verb: str) -> list[str]:
        """The outcomes of this verb about the actor, the latest first."""
        rows = self.read("audit")["audit"]
        return [row["outcome"] for row in rows if (row["noun"], row["verb"], row["of"]) == ("actors", verb, ACTOR)]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    running = Daemon(tmp_path_factory.mktemp("actors"), "--demo", sim_seconds=0.5)
    yield Operator(running.start())
    running.stop()


def test_an_actor_is_suspended_and_resumed_once_and_the_second_time_nothing_is_to_do(operator: Operator) -> None:
    for verb, is_suspended in (("suspend", True), ("resume", False)):
        for said in ("done\n", "nothing to do: it is so already\n"):
            done = operator.run("actor", verb, ACTOR, "--yes")
            assert (done.returncode, done.stdout) == (0, said), done.stderr
            shown = operator.actor()
            assert shown["suspended"] is is_suspended
            assert (shown["state"] is None) is is_suspended
        assert operator.audited(verb)[:2] == ["unchanged", "changed"]


def test_what_was_told_to_a_suspended_account_is_done_when_it_is_resumed(operator: Operator) -> None:
    others = [each["name"] for each in operator.read("accounts")["accounts"]]
    for name in others:
        operator.run("actor", "suspend", f"account/{name}", "--yes")
    job = operator.daemon.submit("a fox that waits")
    operator.daemon.await_status(job, "queued", "granted")
    for name in others:
        assert operator.run("actor", "resume", f"account/{name}", "--yes").returncode == 0
    operator.daemon.await_status(job, "done")


def test_a_restart_is_counted_and_ends_a_suspension(operator: Operator) -> None:
    before = operator.actor()["restarts"]
    operator.run("actor", "suspend", ACTOR, "--yes")
    assert operator.run("actor", "restart", ACTOR, "--yes").returncode == 0

    def is_back() -> Any:
        done = operator.run("-o", "json", "describe", "actor", ACTOR)
        return json.loads(done.stdout) if done.returncode == 0 else None

    shown = eventually(is_back, "the actor")
    assert (shown["restarts"], shown["suspended"]) == (before + 1, False)
    assert "restarted by operator" in shown["last_error"]


@pytest.mark.parametrize("verb", ["suspend", "resume", "restart"])
def test_an_actor_that_is_not_there_is_exit_3(verb: str, operator: Operator) -> None:
    done = operator.run("actor", verb, "account/nobody", "--yes")
    assert done.returncode == 3
    assert done.stderr.startswith("limner: not_found: There is no actor account/nobody")


def test_who_must_carry_the_word_is_not_suspended(operator: Operator) -> None:
    for name in ("gate", "console", "root", "store"):
        done = operator.run("actor", "suspend", name, "--yes")
        assert (done.returncode, done.stderr.split(":")[1].strip()) == (3, "forbidden")


def test_a_viewer_reads_and_changes_nothing(operator: Operator) -> None:
    key = operator.read("key", "new", "demo", "--role", "viewer", "--yes")["key"]
    assert operator.read("--key", key, "tree", "--limit", "1")["actors"]
    for command in (("actor", "suspend", ACTOR), ("loglevel", ACTOR, "debug")):
        done = operator.run("--key", key, *command, "--yes")
        assert (done.returncode, done.stderr.split(":")[1].strip()) == (3, "forbidden")
    assert operator.audited("suspend")[0] == "forbidden"


def test_an_actor_says_more_when_it_is_told_to(operator: Operator) -> None:
    for said in ("done\n", "nothing to do: it is so already\n"):
        done = operator.run("loglevel", ACTOR, "debug", "--seconds", "60", "--yes")
        assert (done.returncode, done.stdout) == (0, said), done.stderr
    assert operator.run("loglevel", "account/nobody", "debug", "--yes").returncode == 3
    assert operator.run("loglevel", ACTOR, "loud", "--yes").returncode == 2
    events = operator.read("events", "--filter", "loglevel")["events"]
    assert any(event["event"] == "audit" and event["fields"]["of"] == ACTOR for event in events)


def test_the_tree_and_its_top_show_every_actor(operator: Operator) -> None:
    tree = operator.read("tree")
    assert {"root", "gate", "queue", "console", ACTOR} <= {each["name"] for each in tree["actors"]}
    top = operator.read("top", "--sort", "busy", "-n", "3")
    busy = [each["busy_s"] for each in top["actors"]]
    assert (busy, top["total"] >= tree["total"]) == (sorted(busy, reverse=True), True)
    assert operator.run("tree", "--sort", "beauty").returncode == 2


def test_every_actor_says_what_it_holds_and_nobody_tells_a_key_or_a_prompt(operator: Operator) -> None:
    daemon = operator.daemon
    daemon.await_status(daemon.submit("hush, a fox in the reeds"), "done")
    told = "".join(
        json.dumps(operator.read("describe", "actor", each["name"])) for each in operator.read("tree")["actors"]
    )
    assert "gateway" in told
    assert [text for text in (daemon.key, daemon.admin_key, "hush") if text in told] == []


def test_a_jobs_path_is_followed_to_its_end(operator: Operator) -> None:
    operator.run("queue", "pause", "--yes")
    job = operator.daemon.submit("a fox that is followed")
    following = operator.daemon.begin("admin", "job", "trace", "-f", job)
    eventually(lambda: operator.read("describe", "job", job)["status"] == "queued" or None, "the job")
    eventually(
        lambda: [row for row in operator.read("audit")["audit"] if (row["verb"], row["of"]) == ("trace", job)] or None,
        "the trace",
    )
    operator.run("queue", "resume", "--yes")
    out, _ = following.communicate(timeout=30)
    assert following.returncode == 0
    steps = [line.split()[1] for line in out.splitlines()]
    assert {"queued", "granted", "drawing", "done", "Token", "Perform", "Begin", "Go", "Drawn", "Keep"} <= set(steps)
    assert "AskConsole" not in steps
    assert operator.run("job", "trace", "jnothing").returncode == 3
