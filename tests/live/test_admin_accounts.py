"""Status, accounts and nodes on a real daemon: each verb once, twice, of what is not there, and without the right.

One daemon serves all, before a simulator of two accounts: one is in its config, the other comes and goes.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon, ask, eventually
from tests.live.test_daemon import config_for, start_simulator

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

ADMIN = "the-operators-key"
KEYS = ("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=", "MTIzNDU2QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=")
ONCE, TWICE = (200, {"ok": True, "changed": True}), (200, {"ok": True, "changed": False})
VERBS = ("suspend", "drain", "resume", "remove", "slots")


class House(Daemon):
    """A daemon with one of the simulator's two accounts in its config; `other` is the second one, to be added."""

    def __init__(self, folder: Path, announced: dict[str, Any]) -> None:
        super().__init__(folder, "--config", "limner.toml", sim_seconds=None)
        self.announced, self.admin_key = announced, ADMIN
        self.sim = announced["api"].partition("/api/")[0]
        self.own = announced["accounts"][0]["name"]
        other = announced["accounts"][1]
        self.other = {"name": "other", "kind": "user", "token": other["token"], "channel_id": other["channel_id"]}
        self.other |= {"guild_id": announced["guild_id"]}
        self.seal_with(KEYS[0])

    def seal_with(self, key: str) -> None:
        text = config_for(self.announced) + f'[store]\ntoken_key = "{key}"\n'
        (self.folder / "limner.toml").write_text(text)

    def admin(self, path: str, body: Any = None, key: str | None = ADMIN) -> tuple[int, Any]:
        return ask(f"{self.url}/admin/v1/{path}", key, body)

    def as_version(self, version: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """What a console of this version is answered."""
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json", "Limner-Version": version}
        request = urllib.request.Request(f"{self.url}/admin/v1/{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def state(self, name: str) -> str | None:
        """The account's state; None when it is not there."""
        status, shown = self.admin(f"accounts/{name}")
        return shown["state"] if status == 200 else None

    def becomes(self, name: str, state: str | None) -> None:
        eventually(lambda: self.state(name) == state, f"{name} is {state}")

    def draw(self, prompt: str) -> str:
        """A drawing's account, when it is done."""
        job = self.submit(prompt, self.key)
        self.await_status(job, "done", key=self.key)
        (row,) = [row for row in self.ledger() if row["prompt"].startswith(prompt)]
        return str(row["account"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """See the module's docstring."""
    folder = tmp_path_factory.mktemp("operated")
    simulator, announced = start_simulator(folder, 0)
    running = House(folder, announced)
    try:
        running.start()
        running.key = running.add_user("ana")
        yield running
    finally:
        running.stop()
        simulator.kill()
        simulator.communicate()


def test_status_tells_of_the_whole_service_at_once(house: House) -> None:
    house.becomes(house.own, "up")
    house.draw("a lighthouse at dawn")
    status, shown = house.admin("status")
    assert (status, shown["ready"], shown["reasons"], shown["intake"]) == (200, True, [], "open")
    assert (shown["accounts"]["up"], shown["tokens"]) == (1, {"slots": 3, "busy": 0, "free": 3})
    assert (shown["jobs"]["queued"], shown["jobs"]["drawing"], shown["jobs"]["done_today"]) == (0, 0, 1)
    assert not {name for name, value in shown.items() if value is None} - {
        "memory_bytes",
        "disk_free_bytes",
        "commit_s",
    }
    (account,) = house.admin("accounts")[1]["accounts"]
    assert (account["name"], account["done"], account["failed"], account["draining"]) == (house.own, 1, 0, False)
    assert account["seconds"] > 0


def test_an_order_is_obeyed_once_and_twice_it_changes_nothing(house: House) -> None:
    for verb in ("suspend", "drain"):
        path = f"accounts/{house.own}"
        assert house.admin(f"{path}/{verb}", {"reason": "tea"}) == ONCE
        assert house.admin(f"{path}/{verb}", {}) == TWICE
        shown = house.admin(path)[1]
        assert (shown["state"], shown["draining"]) == ("suspended", verb == "drain")
        assert shown["reason"].endswith("by operator: tea")
        assert house.admin(f"{path}/resume", {}) == ONCE
        assert house.admin(f"{path}/resume", {}) == TWICE
        house.becomes(house.own, "up")
    assert house.admin(f"accounts/{house.own}/slots", {"slots": 5}) == ONCE
    assert house.admin(f"accounts/{house.own}/slots", {"slots": 5}) == TWICE
    assert house.admin("status")[1]["tokens"]["slots"] == 5


@pytest.mark.parametrize("slots", [0, -1, "five", 2.5, True, [3], None, 10_001])
def test_what_is_no_number_of_slots_is_refused_and_changes_nothing(house: House, slots: Any) -> None:
    before = house.admin(f"accounts/{house.own}")[1]["slots"]
    status, refused = house.admin(f"accounts/{house.own}/slots", {"slots": slots})
    assert (status, refused["code"]) == (400, "bad_frame")
    assert house.admin(f"accounts/{house.own}")[1]["slots"] == before


def test_who_may_not_is_refused_every_verb_and_the_viewer_reads(house: House) -> None:
    status, made = house.admin("keys/ana/new", {"role": "viewer"})
    assert status == 201
    viewer, node = made["key"], house.admin("nodes")[1]["nodes"][0]["node"]
    changes = [f"accounts/{house.own}/{verb}" for verb in VERBS] + ["accounts"]
    changes += [f"nodes/{node}/drain", f"nodes/{node}/resume"]
    for path in changes:
        for key, code in ((viewer, 403), (house.key, 403), (None, 401), ("nonsense", 401)):
            assert house.admin(path, house.other | {"slots": 9}, key)[0] == code, (path, code)
    for path in ("status", "accounts", f"accounts/{house.own}", "nodes", f"nodes/{node}"):
        for key, code in ((viewer, 200), (house.key, 403), (None, 401)):
            assert house.admin(path, key=key)[0] == code, (path, code)
    assert house.state(house.own) == "up"
    assert house.state("other") is None
    trail = house.admin("audit?limit=1000")[1]["audit"]
    assert {("ana", "accounts", "add"), ("ana", "nodes", "drain")} <= {
        (row["by"], row["noun"], row["verb"]) for row in trail if row["outcome"] == "forbidden"
    }


def test_what_is_not_there_is_not_found(house: House) -> None:
    for path in [f"accounts/nobody/{verb}" for verb in VERBS] + ["nodes/nowhere/drain", "nodes/nowhere/resume"]:
        status, refused = house.admin(path, {"slots": 3})
        assert (status, refused["code"]) == (404, "not_found"), path
    for path in ("accounts/nobody", "nodes/nowhere"):
        assert house.admin(path)[0] == 404


def test_an_account_is_added_draws_outlives_kill_9_and_is_removed_when_it_has_drawn_what_it_held(house: House) -> None:
    token = house.other["token"]
    assert house.admin("accounts", house.other) == (201, {"ok": True, "changed": True, "account": "other"})
    status, refused = house.admin("accounts", house.other)
    assert (status, refused["code"]) == (409, "ref_conflict")
    status, refused = house.admin("accounts", house.other | {"name": house.own})
    assert (status, refused["code"]) == (409, "ref_conflict")
    house.becomes("other", "up")
    assert house.admin(f"accounts/{house.own}/drain", {}) == ONCE
    drawn_by = house.draw("an owl in the rain")
    assert drawn_by == house.announced["accounts"][1]["name"]
    house.kill()
    house.start()
    house.becomes("other", "up")
    assert house.state(house.own) == "suspended"
    assert house.draw("an owl after the rain") == drawn_by
    job = house.submit("an owl leaves", house.key)
    eventually(lambda: house.admin("accounts/other")[1]["busy"] == 1, "it draws")
    assert house.admin("accounts/other/remove", {}) == ONCE
    shown = house.admin("accounts/other")[1]
    assert (shown["cause"], shown["draining"], shown["added"]) == ("leaving", True, True)
    assert house.admin("accounts/other/remove", {}) == TWICE
    house.await_status(job, "done", key=house.key)
    house.becomes("other", None)
    assert house.admin("accounts/other/remove", {})[0] == 404
    assert house.admin(f"accounts/{house.own}/resume", {}) == ONCE
    house.becomes(house.own, "up")
    assert token not in house.log()
    assert token not in json.dumps(house.admin("audit?limit=1000")[1])
    database = b"".join(path.read_bytes() for path in house.data.glob("limner.db*"))
    assert token.encode() not in database


def test_an_account_of_the_config_is_not_removed(house: House) -> None:
    status, refused = house.admin(f"accounts/{house.own}/remove", {})
    assert (status, refused["code"]) == (403, "forbidden")
    assert house.state(house.own) == "up"


@pytest.mark.parametrize(
    "change", [{"token": ""}, {"guild_id": None}, {"slots": 0}, {"kind": "person"}, {"nmae": "x"}, {"modes": ["slow"]}]
)
def test_an_account_that_is_not_described_well_is_not_added(house: House, change: dict[str, Any]) -> None:
    status, refused = house.admin("accounts", house.other | change)
    assert (status, refused["code"]) == (400, "bad_frame")
    assert next(iter(change)) in refused["detail"]
    assert house.other["token"] not in refused["detail"]
    assert house.state("other") is None


def test_with_another_key_an_added_account_is_there_with_the_reason_and_the_daemon_goes_on(house: House) -> None:
    assert house.admin("accounts", house.other)[0] == 201
    house.becomes("other", "up")
    house.stop()
    house.seal_with(KEYS[1])
    house.start()
    house.becomes("other", "suspended")
    shown = house.admin("accounts/other")[1]
    assert (shown["cause"], "token_key" in shown["reason"]) == ("setup", True)
    assert house.draw("a key that does not fit") == house.announced["accounts"][0]["name"]
    assert house.admin("accounts/other/remove", {}) == ONCE
    house.becomes("other", None)
    assert house.admin("accounts", house.other)[0] == 201  # sealed with the key of now
    house.becomes("other", "up")
    assert house.admin("accounts/other/remove", {}) == ONCE
    house.becomes("other", None)


def test_a_drained_node_takes_no_new_drawings_until_it_is_resumed(house: House) -> None:
    node = house.admin("nodes")[1]["nodes"][0]
    path = f"nodes/{node['node']}"
    assert (node["state"], node["roles"], node["accounts"]) == ("up", ["core", "edge", "accounts"], 1)
    assert house.admin(f"{path}/drain", {}) == ONCE
    assert house.admin(f"{path}/drain", {}) == TWICE
    assert house.admin(path)[1]["state"] == "draining"
    status, refused = ask(f"{house.url}/api/v1/jobs", house.key, {"prompt": "too late"})
    assert (status, refused["code"]) == (503, "draining")
    assert house.ready() == (503, ["draining"])
    assert house.admin("status")[1]["intake"] == "draining"
    assert house.admin(f"{path}/resume", {}) == ONCE
    assert house.admin(f"{path}/resume", {}) == TWICE
    house.draw("in time again")
    assert house.ready() == (200, [])


def test_a_console_of_another_version_reads_and_changes_nothing(house: House) -> None:
    version = house.admin("status")[1]["version"]
    assert house.as_version("99.0.0", "status")[0] == 200
    status, refused = house.as_version("99.0.0", f"accounts/{house.own}/suspend", b"{}")
    assert (status, refused["code"], version in refused["detail"]) == (403, "forbidden", True)
    assert house.as_version(version, f"accounts/{house.own}/resume", b"{}") == TWICE
    trail = house.admin("audit")[1]["audit"]
    assert any("99.0.0" in row["detail"] and row["outcome"] == "forbidden" for row in trail)
    assert house.state(house.own) == "up"
