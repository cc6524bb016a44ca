"""Status says within a second what is known, and null for the rest; nodes are drained and resumed."""

from __future__ import annotations

from typing import Any

import pytest

from actors.account.messages import AskStanding, Standing
from actors.console.actor import Console
from actors.console.messages import AskConsole
from actors.console.survey import ANSWER_S_MAX, COUNTS_S
from actors.monitor.messages import AskOverview, Overview
from actors.queue.actor import Queue
from actors.queue.messages import JobAccepted, JobRefused
from actors.session.messages import Say
from actors.shell import AskSummary, Summary
from actors.store_messages import LookedUp, Lookup, NotCommitted
from protocol.api import Instruct
from protocol.client import rfc3339
from storage.operations import CountJobs, Counts
from system.version import UNKNOWN, own_version, understands
from tests.actors.console.test_actor import answer, ask, instruct
from tests.actors.queue.test_actor import wish
from tests.actors.stage import Stage, play

WAIT = {"p50_s": 1.5, "p99_s": 9.0}
MEASURED = {"ready": True, "reasons": [], "intake": "open", "pace": 0.5, "alarms": [], "commit_s": 0.002}
MEASURED |= {"memory_bytes": 7, "disk_free_bytes": 8, "fairness_jain": 1.0, "loop_lag_s": 0.1, "restarts": 3}
MEASURED |= {"jobs": {"done_today": 5, "failed_today": 1, "per_s": 0.25}, "wait": WAIT}
UNDER_WAY = {"drawing": 2, "submitting": 1}


async def set_up(stage: Stage) -> None:
    for name in ("gate", "monitor", "store", "queue", "account/fox"):
        stage.cast(name)
    stage.cast("console", Console)
    await stage.quiet()
    await stage.heard("store", Lookup)


async def tell(
    stage: Stage, *silent: str, intake: str = "open", paused: bool = False, alarms: tuple[Any, ...] = ()
) -> Lookup | None:
    """Answers what the console asks, save of those that are silent."""
    question = await stage.one("monitor", AskOverview)
    lookups = [lookup for lookup in await stage.heard("store", Lookup) if lookup.read == CountJobs()]
    if "monitor" not in silent:
        measured = MEASURED | {"intake": intake, "alarms": list(alarms)}
        stage.tell("console", Overview(question.ask, measured, {"fox": {"pace": 2}}))
    if "queue" not in silent:
        stage.tell("console", Summary(question.ask, {"waiting": 4, "paused": paused, "under_way": UNDER_WAY}))
    if "account/fox" not in silent:
        stage.tell("console", Standing(question.ask, "fox", "up", None, None, None, None, 3, 1))
    if "store" not in silent and lookups:
        stage.tell("console", LookedUp(lookups[0].lookup_id, Counts({}, users=9, images=11)))
    return lookups[0] if lookups else None


async def status(stage: Stage, *silent: str, **told: Any) -> dict[str, Any]:
    ask(stage, "status", "list")
    await tell(stage, *silent, **told)
    if silent:
        assert await stage.heard("gate", Say) == []
        await stage.quiet(ANSWER_S_MAX)
    assert await stage.one("queue", AskSummary)
    assert await stage.one("account/fox", AskStanding)
    code, shown = await answer(stage)
    assert code == 200
    return shown


def test_status_joins_what_monitor_queue_accounts_and_store_know() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        shown = await status(stage)
        assert shown["jobs"] == {"queued": 4, "drawing": 3, "done_today": 5, "failed_today": 1, "per_s": 0.25}
        assert (shown["users"], shown["images"], shown["wait"]) == (9, 11, WAIT)
        assert shown["tokens"] == {"slots": 3, "busy": 1, "free": 1}  # of its three slots the pace allows two
        assert shown["accounts"] == {"up": 1, "degraded": 0, "paused": 0, "exhausted": 0, "suspended": 0}
        assert (shown["ready"], shown["reasons"], shown["intake"], shown["pace"]) == (True, [], "open", 0.5)
        assert (shown["version"], shown["node"]) == (own_version(), stage.base.process.node)
        assert shown["up_s"] > 0

    play(scene)


@pytest.mark.parametrize(
    ("silent", "unknown"),
    [
        (
            "monitor",
            ("ready", "intake", "pace", "alarms", "commit_s", "memory_bytes", "disk_free_bytes", "fairness_jain"),
        ),
        ("queue", ()),
        ("store", ("users", "images")),
        ("account/fox", ()),
    ],
)
def test_who_is_silent_is_named_and_what_only_they_know_is_null(silent: str, unknown: tuple[str, ...]) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        shown = await status(stage, silent)
        assert {name for name in shown if shown[name] is None} == set(unknown)
        assert shown["reasons"] == ([] if "/" in silent else [f"{silent}_silent"])
        assert (shown["jobs"]["queued"] is None) == (silent == "queue")
        assert (shown["jobs"]["per_s"] is None) == (silent == "monitor")
        assert shown["accounts"]["degraded"] == (silent == "account/fox")

    play(scene)


def test_an_alarm_of_the_monitors_is_told_with_its_time_as_every_other_one() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        alarm = {"code": "store_slow", "level": "red", "about": None, "words": "slow", "since": 1.5, "did": "waited"}
        shown = await status(stage, alarms=(alarm,))
        assert shown["alarms"] == [alarm | {"since": "1970-01-01T00:00:01.500Z"}]

    play(scene)


@pytest.mark.parametrize("name", ["monitor", "scheduler"])
def test_who_is_suspended_is_an_alarm_until_they_are_resumed(name: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("scheduler")
        assert (await instruct(stage, "actors", "suspend", name))[0] == 200
        stage.tell(name, AskSummary("nobody"))
        ask(stage, "status", "list")
        await stage.quiet(ANSWER_S_MAX)
        _, shown = await answer(stage)
        (alarm,) = shown["alarms"]
        assert (alarm["code"], alarm["level"], alarm["about"]) == ("actor_suspended", "yellow", name)
        assert alarm["words"].startswith(f"{name} suspended: its messages wait")
        assert alarm["since"] == rfc3339(next(iter(stage.base.held.values())).since), "as every other time"
        assert alarm["did"] == f"nothing, until `limner admin actor resume {name}`"
        assert (await instruct(stage, "actors", "resume", name))[0] == 200
        for asked_before in (("monitor", AskOverview), ("queue", AskSummary), ("account/fox", AskStanding)):
            await stage.heard(*asked_before)
        assert (await status(stage))["alarms"] == []

    play(scene)


@pytest.mark.parametrize(
    ("noun", "verb", "id"),
    [("queue", "list", None), ("queue", "pause", None), ("jobs", "cancel", "j1"), ("jobs", "retry", "j1")],
)
def test_what_a_suspended_queue_would_do_later_is_refused_at_once(noun: str, verb: str, id: str | None) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await instruct(stage, "actors", "suspend", "queue")
        code, refused = await instruct(stage, noun, verb, id)
        assert (code, refused["code"]) == (503, "draining")
        assert "`limner admin actor resume queue` first" in refused["detail"]

    play(scene)


def test_with_nobody_left_but_console_and_gate_status_is_answered_all_the_same() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("gate")
        stage.cast("console", Console)
        ask(stage, "status", "list")
        await stage.quiet(ANSWER_S_MAX)
        code, shown = await answer(stage)
        assert (code, shown["ready"]) == (200, None)
        assert shown["reasons"] == ["monitor_silent", "queue_silent", "store_silent"]

    play(scene)


def test_a_store_that_cannot_be_read_is_not_waited_for() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        ask(stage, "status", "list")
        lookup = await tell(stage, "store")
        assert lookup is not None
        stage.tell("console", NotCommitted(lookup.lookup_id, "corrupt: the database is damaged"))
        code, shown = await answer(stage)
        assert (code, shown["users"], shown["reasons"]) == (200, None, ["store_silent"])

    play(scene)


def test_what_takes_the_store_long_is_counted_once_in_a_while() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        assert (await status(stage))["users"] == 9
        ask(stage, "status", "list")
        assert await tell(stage) is None
        assert (await answer(stage))[1]["users"] == 9
        await stage.quiet(COUNTS_S)
        ask(stage, "status", "list")
        assert await tell(stage) is not None
        assert (await answer(stage))[1]["users"] == 9

    play(scene)


def test_intake_says_what_keeps_drawings_from_being_taken_on_or_begun() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        assert (await status(stage, paused=True))["intake"] == "paused"
        assert (await status(stage, paused=True, intake="disk_full"))["intake"] == "disk_full"
        await instruct(stage, "nodes", "drain", stage.base.process.node)
        assert (await status(stage, intake="disk_full"))["intake"] == "draining"

    play(scene)


# --- nodes ------------------------------------------------------------------------------------------------------


def test_the_daemon_alone_is_one_node_which_drains_and_is_resumed_once() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        name = stage.base.process.node
        code, listed = await instruct(stage, "nodes", "list")
        (shown,) = listed["nodes"]
        assert (code, shown["node"], shown["state"], shown["accounts"]) == (200, name, "up", 1)
        assert (shown["roles"], shown["version"]) == (["core", "edge", "accounts"], own_version())
        for verb, state in (("drain", "draining"), ("resume", "up")):
            for changed in (True, False):
                assert await instruct(stage, "nodes", verb, name) == (200, {"ok": True, "changed": changed})
            assert (await instruct(stage, "nodes", "show", name))[1]["state"] == state
        for verb in ("show", "drain", "resume"):
            code, problem = await instruct(stage, "nodes", verb, "elsewhere")
            assert (code, problem["code"]) == (404, "not_found")

    play(scene)


def test_a_drained_node_takes_no_new_jobs_until_it_is_resumed() -> None:
    async def scene(stage: Stage) -> None:
        from tests.actors.queue.test_actor import set_up as set_up_queue

        await set_up_queue(stage)
        stage.base.process.drained_at = 1.0
        stage.tell("queue", wish())
        refused = await stage.one("lobby", JobRefused)
        assert (refused.code, "operator" in refused.message) == ("draining", True)
        assert isinstance(stage.instance("queue"), Queue)
        stage.base.process.drained_at = None
        stage.tell("queue", wish())
        await stage.one("lobby", JobAccepted)

    play(scene)


# --- versions ---------------------------------------------------------------------------------------------------


def test_a_console_of_another_version_may_read_and_change_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        name = stage.base.process.node
        for version, verb, code in (("9.9.9", "show", 200), ("9.9.9", "drain", 403), (own_version(), "drain", 200)):
            stage.tell("console", AskConsole("op", "admin", "s1", Instruct("nodes", name, verb, {}, version)))
            status, body = await answer(stage)
            assert status == code
        assert body["changed"]
        stage.tell("console", AskConsole("op", "admin", "s1", Instruct("nodes", name, "resume", {}, "\x1b[31m")))
        status, body = await answer(stage)
        assert (status, body["code"], own_version() in body["detail"]) == (403, "forbidden", True)
        assert "\x1b" not in body["detail"]

    play(scene)


def test_versions_that_differ_in_the_third_number_only_understand_each_other() -> None:
    assert understands("1.2.3", "1.2.9")
    assert not understands("1.2.3", "1.3.3")
    assert not understands("1.2.3", "2.2.3")
    assert not understands("1.2.3", "")
    assert own_version() != UNKNOWN


def test_an_instruction_does_not_show_what_it_was_given() -> None:
    assert "hush" not in repr(Instruct("accounts", None, "add", {"token": "hush"}))


@pytest.mark.parametrize("noun", ["jobs", "audit", "queue"])
def test_a_page_goes_on_from_what_the_page_before_said_and_from_nothing_else(noun: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, refusal = await instruct(stage, noun, "list", before="nonsense")
        assert (status, refusal["detail"]) == (400, "before is the `next` of the page before.")

    play(scene)
