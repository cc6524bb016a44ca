"""Every verb of CONTRACT §6 about users, keys, jobs, the queue, the config and backups, on a real daemon: once, twice,
about what is not there, with nonsense, and without the right; and what of it is on the audit trail.

One daemon serves all; each test has users of its own, and leaves the queue running.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from actors.gate import STRANGERS_TOLD_PER_MIN
from tests.live.daemon import Daemon, ask

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

CONFIG = """
[plans.free]
daily = 50
queued = 20
concurrent = 3

[plans.studio]
daily = 500
"""
DONE, AGAIN = {"ok": True, "changed": True}, {"ok": True, "changed": False}


class Operator:
    """What an operator does by HTTP, and what came of it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon, self.names = daemon, (f"user{number}" for number in range(1000))

    def get(self, path: str, key: str | None = None) -> tuple[int, Any]:
        return ask(f"{self.daemon.url}/admin/v1/{path}", key or self.daemon.admin_key)

    def post(self, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        return ask(f"{self.daemon.url}/admin/v1/{path}", key or self.daemon.admin_key, body or {}, "POST")

    def read(self, path: str) -> Any:
        status, found = self.get(path)
        assert status == 200, found
        return found

    def code(self, path: str, body: Any = None, key: str | None = None) -> tuple[int, str]:
        status, refused = self.post(path, body, key)
        assert refused["detail"]
        return status, refused["code"]

    def new_user(self) -> tuple[str, str]:
        name = next(self.names)
        return name, self.daemon.add_user(name)

    def last(self, **wanted: Any) -> dict[str, Any]:
        """The latest entry of the trail that is like this."""
        for row in self.read("audit?limit=50")["audit"]:
            if wanted.items() <= row.items():
                return row
        raise AssertionError(f"not on the trail: {wanted}")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Of a demo with a config file."""
    folder = tmp_path_factory.mktemp("verbs")
    (folder / "limner.toml").write_text(CONFIG)
    running = Daemon(folder, "--demo", "--config", str(folder / "limner.toml"), sim_seconds=0.5)
    yield Operator(running.start())
    running.stop()


def socket_of(operator: Operator, key: str) -> ClientConnection:
    """A user's open socket, welcomed."""
    address = operator.daemon.url.replace("http", "ws") + "/ws"
    socket = connect(address, additional_headers={"Authorization": f"Bearer {key}"}, proxy=None, legacy=True)
    assert '"welcome"' in str(socket.recv(10))
    return socket


def rest_of(socket: ClientConnection) -> tuple[list[str], int | None]:
    """What is yet said on it, and the code that it is closed with."""
    said = []
    try:
        while True:
            said.append(str(socket.recv(10)))
    except ConnectionClosed as closed:
        return said, closed.rcvd.code if closed.rcvd else None


# --- users and keys ---------------------------------------------------------------------------------------------------


def test_a_user_is_banned_and_let_in_again(operator: Operator) -> None:
    name, key = operator.new_user()
    assert operator.post("queue/pause") == (200, DONE)
    try:
        jobs = [operator.daemon.submit(f"a fox {number}", key) for number in range(3)]
        assert operator.read(f"users/{name}")["used"] == 3
        socket = socket_of(operator, key)
        assert operator.read(f"users/{name}")["sockets"] == 1
        assert operator.post(f"users/{name}/ban", {"reason": "spam"}) == (200, DONE | {"cancelled": 3})
        said, code = rest_of(socket)
        assert code == 4401
        assert any('"forbidden"' in frame for frame in said)
        status, refused = ask(f"{operator.daemon.url}/api/v1/me", key)
        assert (status, refused["code"]) == (403, "forbidden")
        assert operator.post(f"users/{name}/ban") == (200, AGAIN | {"cancelled": 0})
        shown = operator.read(f"users/{name}")
        assert (shown["banned"], shown["waiting"], shown["used"], shown["sockets"]) == (True, 0, 0, 0)
        assert {operator.read(f"jobs/{job}")["status"] for job in jobs} == {"cancelled"}
        assert operator.post(f"users/{name}/unban") == (200, DONE)
        assert operator.post(f"users/{name}/unban") == (200, AGAIN)
        assert ask(f"{operator.daemon.url}/api/v1/me", key)[0] == 200
    finally:
        operator.post("queue/resume")
    assert operator.last(noun="users", verb="ban", of=name, outcome="changed")["detail"] == "reason=spam"


def test_a_users_quota_and_plan_hold_at_once(operator: Operator) -> None:
    name, key = operator.new_user()
    operator.daemon.await_status(operator.daemon.submit("first", key), "done", key=key)
    assert operator.post(f"users/{name}/quota", {"used": 50}) == (200, DONE)
    assert operator.post(f"users/{name}/quota", {"used": 50}) == (200, AGAIN)
    status, refused = ask(f"{operator.daemon.url}/api/v1/jobs", key, {"prompt": "one too many"})
    assert (status, refused["code"]) == (429, "quota_exceeded")
    assert operator.post(f"users/{name}/quota", {"plan": "studio"}) == (200, DONE)
    operator.daemon.await_status(operator.daemon.submit("of another plan", key), "done", key=key)
    me = ask(f"{operator.daemon.url}/api/v1/me", key)[1]
    assert (me["plan"], me["quota"]["daily"], me["quota"]["used"]) == ("studio", 500, 51)
    shown = operator.read(f"users/{name}")
    assert (shown["plan"], shown["daily"], shown["used"], shown["jobs"]) == ("studio", 500, 51, 2)


def test_a_revoked_key_loses_its_sockets_at_once_and_others_do_not(operator: Operator) -> None:
    name, key = operator.new_user()
    status, made = operator.post(f"keys/{name}/new", {"role": "viewer"})
    assert (status, made["role"], made["user"]) == (201, "viewer", name)
    first, second = operator.read(f"users/{name}")["keys"][::-1]
    kept, lost = socket_of(operator, key), socket_of(operator, made["key"])
    assert operator.post(f"keys/{second['key']}/revoke") == (200, DONE)
    said, code = rest_of(lost)
    assert (code, '"unauthenticated"' in said[-1]) == (4401, True)
    assert operator.post(f"keys/{second['key']}/revoke") == (200, AGAIN)
    assert ask(f"{operator.daemon.url}/api/v1/me", made["key"])[0] == 401
    kept.send('{"type": "ping"}')
    assert "pong" in str(kept.recv(10))
    kept.close()
    keys = {each["key"]: each["revoked_at"] for each in operator.read(f"users/{name}")["keys"]}
    assert keys[first["key"]] is None
    assert keys[second["key"]] is not None
    assert made["key"] not in str(operator.read("audit?limit=100"))


def test_users_are_listed_sorted_filtered_and_page_by_page(operator: Operator) -> None:
    names = sorted(operator.new_user()[0] for _ in range(3))
    operator.post(f"users/{names[1]}/quota", {"used": 40})
    assert operator.read("users?sort=used&limit=1")["users"][0]["used"] >= 40
    assert [user["name"] for user in operator.read(f"users?filter={names[0].upper()}")["users"]][:1] == names[:1]
    found: list[str] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        page = operator.read(f"users?limit=2&before={page['next']}")
        found += [user["name"] for user in page["users"]]
    assert set(names) <= set(found)
    assert found == sorted(set(found))


# --- jobs and the queue -----------------------------------------------------------------------------------------------


def test_a_paused_queue_begins_nothing_also_after_a_restart_and_goes_on(operator: Operator) -> None:
    name, key = operator.new_user()
    assert operator.post("queue/pause") == (200, DONE)
    assert operator.post("queue/pause") == (200, AGAIN)
    jobs = [operator.daemon.submit(f"later {number}", key) for number in range(4)]
    operator.daemon.kill()
    operator.daemon.start()
    stands = operator.read("queue")
    assert (stands["paused"], stands["depth"], stands["lanes"]) == (True, 4, {"fast": 4})
    assert [(user["name"], user["waiting"], user["drawing"]) for user in stands["users"]] == [(name, 4, 0)]
    rows = operator.read(f"jobs?user={name}&state=queued")["jobs"]
    assert [(row["job"], row["position"], row["status"]) for row in reversed(rows)] == [
        (job, place, "queued") for place, job in enumerate(jobs, 1)
    ]
    assert not any(row["prompt"].startswith("later") for row in operator.daemon.ledger())
    assert operator.post("queue/resume") == (200, DONE)
    assert operator.post("queue/resume") == (200, AGAIN)
    for job in jobs:
        operator.daemon.await_status(job, "done", key=key)


def test_a_job_is_cancelled_and_tried_again_each_once(operator: Operator) -> None:
    name, key = operator.new_user()
    assert operator.post("queue/pause") == (200, DONE)
    job = operator.daemon.submit("a heron", key)
    assert operator.post(f"jobs/{job}/cancel") == (200, DONE)
    assert operator.post(f"jobs/{job}/cancel") == (200, AGAIN)
    status, again = operator.post(f"jobs/{job}/retry")
    assert (status, again["changed"]) == (200, True)
    assert operator.post(f"jobs/{job}/retry") == (200, AGAIN | {"job": again["job"]})
    assert operator.post("queue/resume") == (200, DONE)
    shown = operator.daemon.await_status(again["job"], "done", key=key)
    assert (shown["prompt"], shown["charged"]) == ("a heron", True)
    assert operator.code(f"jobs/{again['job']}/retry") == (409, "ref_conflict")
    assert operator.code(f"jobs/{again['job']}/cancel") == (409, "not_cancellable")
    assert operator.read(f"users/{name}")["used"] == 1


def test_a_jobs_whole_story_is_told(operator: Operator) -> None:
    name, key = operator.new_user()
    job = operator.daemon.submit("a story", key)
    operator.daemon.await_status(job, "done", key=key)
    shown = operator.read(f"jobs/{job}")
    assert (shown["name"], shown["status"], shown["percent"], shown["late"]) == (name, "done", 100, [])
    states = [moment["state"] for moment in shown["history"]]
    assert states == ["queued", "granted", "submitting", "drawing", "keeping", "done"]
    (attempt,) = shown["attempts"]
    assert (attempt["account"], attempt["outcome"]) == (shown["account"], "done")
    assert attempt["nonce"]
    told = [row["what"] for row in shown["timeline"]]
    assert {*states, "attempt 1", "told accepted", "told started", "told done"} <= set(told)
    assert [row["at"] for row in shown["timeline"]] == sorted(row["at"] for row in shown["timeline"])
    listed = operator.read(f"jobs?account={shown['account']}&state=done&user={name}")["jobs"]
    assert [row["job"] for row in listed] == [job]


# --- config and backup ------------------------------------------------------------------------------------------------


def test_the_config_is_read_anew_and_a_wrong_one_changes_nothing(operator: Operator) -> None:
    file = operator.daemon.folder / "limner.toml"
    assert operator.post("config/reload") == (200, AGAIN | {"applied": [], "needs_restart": []})
    file.write_text(CONFIG.replace("daily = 500", "daily = 600") + "[images]\nkeep_days = 7\n")
    status, told = operator.post("config/reload")
    assert (status, told["changed"]) == (200, True)
    assert (told["applied"], told["needs_restart"]) == (["plans.studio.daily"], ["images.keep_days"])
    shown = operator.read("config")
    assert (shown["plans"]["studio"]["daily"], shown["images"]["keep_days"]) == (600, 30)
    assert shown["admin"]["key"] == "…"
    assert {account["token"] for account in shown["accounts"]} == {"…"}
    file.write_text(CONFIG + "\n[limits]\nqueue_max = -1\n")
    status, refused = operator.post("config/reload")
    assert (status, refused["code"]) == (400, "bad_frame")
    assert "limits.queue_max" in refused["detail"]
    assert "line 11" in refused["detail"]
    assert operator.read("config") == shown
    file.write_text(CONFIG)
    operator.post("config/reload")


def test_a_backup_made_while_the_daemon_works_is_one_to_start_from(operator: Operator, tmp_path: Path) -> None:
    _, key = operator.new_user()
    done = operator.daemon.submit("in the backup", key)
    operator.daemon.await_status(done, "done", key=key)
    data = tmp_path / "limner-data"  # all but the database, which a backup does not hold
    shutil.copytree(operator.daemon.data, data, ignore=shutil.ignore_patterns("limner.db*"))
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            ask(f"{operator.daemon.url}/api/v1/jobs", operator.daemon.key, {"prompt": "meanwhile"})

    worker = threading.Thread(target=work)
    worker.start()
    try:
        status, told = operator.post("backup", {"file": str(data / "limner.db")})
    finally:
        stop.set()
        worker.join()
    assert (status, told["changed"]) == (200, True)
    assert told["bytes"] == (data / "limner.db").stat().st_size
    assert operator.code("backup", {"file": str(data / "limner.db")}) == (409, "ref_conflict")
    other = Daemon(tmp_path, sim_seconds=0.5)
    try:
        other.start()
        assert other.job(done, key)["status"] == "done"
    finally:
        other.stop()


# --- refusals ---------------------------------------------------------------------------------------------------------

NOBODY = [
    *("users/nobody/ban", "users/nobody/unban", "keys/nobody/revoke", "keys/nobody/new"),
    *("jobs/nothing/cancel", "jobs/nothing/retry", "nonsense/x/y"),
]


@pytest.mark.parametrize("path", NOBODY)
def test_what_is_not_there_is_said_and_written_down(operator: Operator, path: str) -> None:
    assert operator.code(path) == (404, "not_found")
    noun, of, verb = path.split("/")
    assert operator.last(noun=noun, of=of, verb=verb)["outcome"] == "not_found"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users/demo/quota", {}),
        ("users/demo/quota", {"used": -1}),
        ("users/demo/quota", {"used": "many"}),
        ("users/demo/quota", {"plan": "gold"}),
        ("keys/demo/new", {"role": "king"}),
        ("backup", {}),
        ("backup", {"file": "relative.db"}),
        ("users", {"name": "\x1b[31meve"}),
    ],
)
def test_nonsense_is_refused_with_words(operator: Operator, path: str, body: dict[str, Any]) -> None:
    assert operator.code(path, body) == (400, "bad_frame")
    assert operator.last()["outcome"] == "bad_frame"


@pytest.mark.parametrize("path", ["users/nobody", "jobs/nothing", "jobs?user=nobody"])
def test_nobody_is_shown_where_nobody_is(operator: Operator, path: str) -> None:
    status, refused = operator.get(path)
    assert (status, refused["code"]) == (404, "not_found")


CHANGES = [
    *("users", "users/demo/ban", "users/demo/unban", "users/demo/quota", "keys/demo/new", "keys/x/revoke"),
    *("jobs/x/cancel", "jobs/x/retry", "queue/pause", "queue/resume", "config/reload", "backup"),
]
READS = ["users", "users/demo", "jobs", "queue", "audit", "config"]


def test_who_only_reads_changes_nothing_and_every_try_is_on_the_trail(operator: Operator) -> None:
    name, key = operator.new_user()
    viewer = operator.post(f"keys/{name}/new", {"role": "viewer"})[1]["key"]
    for path in READS:
        assert operator.get(path, viewer)[0] == 200, path
        assert operator.get(path, key)[0] == 403, path
    for path in CHANGES:
        assert operator.code(path, key=viewer) == (403, "forbidden"), path
    tried = [row for row in operator.read("audit?limit=100")["audit"] if row["by"] == name and row["role"] == "viewer"]
    assert len(tried) == len(CHANGES)
    assert {row["outcome"] for row in tried} == {"forbidden"}


def test_who_has_no_known_key_is_refused_and_is_nobody_on_the_trail(operator: Operator) -> None:
    for path in CHANGES:
        assert operator.code(path, key="wrong") == (401, "unauthenticated")
    tried = [row for row in operator.read("audit?limit=100")["audit"] if not row["by"]]
    assert 0 < len(tried) <= 2 * STRANGERS_TOLD_PER_MIN  # a minute may end meanwhile
    assert {(row["role"], row["outcome"]) for row in tried} == {("", "unauthenticated")}
    assert "wrong" not in str(tried)
