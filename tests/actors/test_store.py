"""The Store: writes in groups, answered once they are on disk; a database that refuses kills nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors import store as module
from actors.monitor.messages import Observed
from actors.shell import Kill
from actors.store import GROUP_LENGTH_MAX, LOOK_EACH_S, PROBE_EACH_S, TIDY_EACH_S, Store
from actors.store_messages import (
    Commit,
    Committed,
    LookedUp,
    Lookup,
    NotCommitted,
    StoreTroubled,
    StoreWell,
)
from core.config import read
from storage.database import Database, StoreTrouble, open_database
from storage.groups import REMEMBERED_S
from storage.operations import (
    AddUser,
    Applied,
    CountJobs,
    Counts,
    Nothing,
    ReadGateway,
    ReadUser,
    Refused,
    UserRecord,
)
from system.loop_base import run_on
from tests.actors.stage import CONFIG, Recorder, Stage, play, process_for
from tests.storage.book import ACCEPT


def add_user(number: int, op_id: str | None = None) -> Commit:
    return Commit(op_id or f"op{number}", "asker", AddUser(f"U{number}", f"user {number}", "free", False, 1.0))


async def opened(stage: Stage) -> Any:
    """A stage with the Store and whom it talks to; the living Store."""
    stage.cast("monitor")
    stage.cast("asker")
    store = stage.cast("store", Store)
    await stage.quiet()
    return store


def words_to(database: Database) -> list[str]:
    """What is said to the (one) database in memory from now on."""
    said: list[str] = []
    with database.reading() as connection:
        connection.driver.set_trace_callback(said.append)
    said.clear()
    return said


class Refusing:
    """In the place of commit_group and tidy: a database that refuses as long as `code` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.code: str | None = None
        for name in ("commit_group", "tidy", "_find_all"):
            monkeypatch.setattr(module, name, self.guarding(getattr(module, name)))

    def guarding(self, real: Any) -> Any:
        def guarded(*arguments: Any) -> Any:
            if self.code is not None:
                raise StoreTrouble(self.code, "not now")
            return real(*arguments)

        return guarded


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    return Refusing(monkeypatch)


def test_a_write_is_answered_after_it_is_in_the_database() -> None:
    async def scene(stage: Stage) -> None:
        store = await opened(stage)
        stage.tell("store", add_user(1))
        answer = await stage.one("asker", Committed)
        assert answer == Committed("op1", Applied(user=UserRecord("U1", "user 1", "free", False, 0, 0)))
        with store.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 1

    play(scene)


def test_writes_that_come_together_share_a_commit_and_keep_their_order() -> None:
    async def scene(stage: Stage) -> None:
        store = await opened(stage)
        said = words_to(store.database)
        count = 2 * GROUP_LENGTH_MAX + 1
        stage.tell("store", *(add_user(number) for number in range(count)))
        answers = await stage.heard("asker", Committed)
        assert [answer.op_id for answer in answers] == [f"op{number}" for number in range(count)]
        assert said.count("COMMIT") == 3
        observed = await stage.heard("monitor", Observed)
        assert [seen.metric for seen in observed] == ["limner_store_commit_seconds"] * 3

    play(scene)


def test_a_write_sent_again_is_answered_again_and_done_once() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("store", add_user(1), add_user(1))
        await stage.quiet()
        stage.tell("store", add_user(1))
        answers = await stage.heard("asker", Committed)
        assert len(answers) == 3
        assert len(set(map(repr, answers))) == 1
        assert isinstance(answers[0].outcome, Applied)

    play(scene)


def test_a_broken_write_does_not_spoil_its_group() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("store", add_user(1))
        broken = Commit("broken", "asker", replace(ACCEPT, job="J1", prompt="\x00", parent=None, images_in=()))
        twice = Commit("twice", "asker", replace(ACCEPT, job="J1"))
        stage.tell("store", broken, twice, add_user(2))
        answers = {answer.op_id: answer.outcome for answer in await stage.heard("asker", Committed)}
        assert isinstance(answers["broken"], Applied)
        assert isinstance(answers["twice"], Refused)
        assert isinstance(answers["op2"], Applied)

    play(scene)


def test_reads_are_answered_with_what_was_found() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("store", add_user(1))
        await stage.quiet()
        stage.tell("store", *(Lookup(f"l{number}", "asker", ReadUser("U1", "d")) for number in range(120)))
        stage.tell("store", Lookup("none", "asker", ReadGateway("fox")), Lookup("count", "asker", CountJobs()))
        found = {answer.lookup_id: answer.found for answer in await stage.heard("asker", LookedUp)}
        assert len(found) == 122
        assert found["l119"] == UserRecord("U1", "user 1", "free", False, 0, 0)
        assert found["none"] == Nothing()
        assert found["count"] == Counts({}, users=1, images=0)

    play(scene)


def test_what_is_to_be_read_first_waits_for_no_other_read() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        lookups = [
            Lookup(name, "asker", CountJobs(), first=name == "first") for name in ("busy", "one", "two", "first")
        ]
        stage.tell("store", *lookups)
        answers = await stage.heard("asker", LookedUp)
        assert [answer.lookup_id for answer in answers] == ["busy", "first", "one", "two"]

    play(scene)


def test_a_read_that_is_asked_again_while_it_waits_is_answered_once() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("store", add_user(1))
        await stage.quiet()
        again = Lookup("again", "asker", ReadUser("U1", "d"))
        stage.tell("store", again, Lookup("other", "asker", CountJobs()), again, again)
        assert [answer.lookup_id for answer in await stage.heard("asker", LookedUp)] == ["again", "other"]
        stage.tell("store", again)  # its answer may have been lost
        assert [answer.lookup_id for answer in await stage.heard("asker", LookedUp)] == ["again"]

    play(scene)


def test_a_database_that_refuses_is_told_and_the_store_lives(refusing: Refusing) -> None:
    async def scene(stage: Stage) -> None:
        store = await opened(stage)
        assert await stage.one("monitor", StoreWell)
        refusing.code = "full"
        stage.tell("store", add_user(1), add_user(2))
        refused = await stage.heard("asker")
        assert refused == [NotCommitted("op1", "full: not now"), NotCommitted("op2", "full: not now")]
        assert await stage.one("monitor", StoreTroubled) == StoreTroubled("full", "not now")
        stage.tell("store", add_user(1))
        assert await stage.one("asker", NotCommitted)
        assert await stage.heard("monitor", StoreTroubled) == []
        refusing.code = None
        await stage.quiet(PROBE_EACH_S + 0.5)
        stage.tell("store", add_user(1))
        assert isinstance((await stage.one("asker", Committed)).outcome, Applied)
        assert await stage.one("monitor", StoreWell)
        assert stage.instance("store") is store

    play(scene)


def test_a_store_in_trouble_tries_by_itself_until_it_is_well(refusing: Refusing) -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        refusing.code = "locked"
        stage.tell("store", add_user(1))
        await stage.quiet(10 * PROBE_EACH_S)
        assert len(await stage.heard("monitor", StoreTroubled)) == 1
        await stage.heard("monitor", StoreWell)
        refusing.code = None
        await stage.quiet(PROBE_EACH_S + 0.5)
        assert await stage.one("monitor", StoreWell)

    play(scene)


def test_while_it_refuses_nobody_waits_for_the_database_but_one_probe_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[str] = []

    def locked(*_arguments: Any) -> Any:
        tries.append("tried")
        raise StoreTrouble("locked", "not now")

    monkeypatch.setattr(module, "commit_group", locked)
    monkeypatch.setattr(module, "tidy", locked)

    async def scene(stage: Stage) -> None:
        await opened(stage)
        count = 3 * GROUP_LENGTH_MAX
        stage.tell("store", *(add_user(number) for number in range(count)))
        assert len(await stage.heard("asker", NotCommitted)) == count
        assert len(tries) == 1, "what waited behind the group that was refused is refused with it"
        stage.tell("store", *(add_user(number) for number in range(count)))
        assert len(await stage.heard("asker", NotCommitted)) == count
        assert len(tries) <= 2
        await stage.quiet(10 * PROBE_EACH_S)
        assert 5 <= len(tries) <= 12

    play(scene)


def test_a_stop_tries_a_database_that_refuses_once_and_not_for_each_group(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def locked(_database: Database, group: Any, _wall: float) -> Any:
        tries.append(len(group))
        raise StoreTrouble("locked", "not now")

    async def scene(stage: Stage) -> None:
        store = await opened(stage)
        monkeypatch.setattr(module, "commit_group", locked)
        store.writes_waiting.extend(add_user(number) for number in range(3 * GROUP_LENGTH_MAX))
        store.leave()
        assert await stage.base.ended("store") is None
        assert len(await stage.heard("asker", NotCommitted)) == 3 * GROUP_LENGTH_MAX
        assert tries == [GROUP_LENGTH_MAX]

    play(scene)


def test_a_read_that_the_database_refuses_is_told_and_answered_when_asked_again(refusing: Refusing) -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        refusing.code = "unavailable"
        stage.tell("store", Lookup("l1", "asker", CountJobs()))
        assert await stage.heard("asker") == [NotCommitted("l1", "unavailable: not now")]
        refusing.code = None
        stage.tell("store", Lookup("l1", "asker", CountJobs()))
        assert (await stage.one("asker", LookedUp)).lookup_id == "l1"

    play(scene)


def test_beyond_its_bound_the_store_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITES_WAITING_MAX", 3)
    monkeypatch.setattr(module, "READS_WAITING_MAX", 0)

    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("store", *(add_user(number) for number in range(5)), Lookup("l1", "asker", CountJobs()))
        answers = await stage.heard("asker")
        assert [type(answer).__name__ for answer in answers] == ["NotCommitted"] * 2 + ["Committed"] * 3
        stage.tell("store", add_user(4))
        assert isinstance((await stage.one("asker", Committed)).outcome, Applied)

    play(scene)


def test_old_operations_are_forgotten_in_time() -> None:
    async def scene(stage: Stage) -> None:
        store = await opened(stage)
        stage.tell("store", add_user(1))
        await stage.quiet(REMEMBERED_S - TIDY_EACH_S)
        count = "SELECT count(*) FROM operations WHERE op_id = 'op1'"
        with store.database.reading() as connection:
            assert connection.exec_driver_sql(count).scalar_one() == 1
        await stage.quiet(3 * TIDY_EACH_S)
        with store.database.reading() as connection:
            assert connection.exec_driver_sql(count).scalar_one() == 0

    play(scene)


def test_a_database_that_cannot_be_opened_is_the_reason_of_its_death(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    async def scene(stage: Stage) -> None:
        stage.cast("store", Store)
        reason = await stage.base.ended("store")
        assert reason is not None
        assert "unwritable" in reason
        assert str(tmp_path) in reason

    play(scene, database=f"sqlite:///{tmp_path}/file/limner.db")


# --- a database that is not where it was ---


def test_a_database_that_is_moved_away_is_noticed_though_nobody_writes_and_is_well_when_it_is_back(
    tmp_path: Path,
) -> None:
    path, away = tmp_path / "limner.db", tmp_path / "away.db"

    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("store", add_user(1))
        await stage.heard("monitor")
        path.rename(away)
        await stage.quiet(LOOK_EACH_S + 0.5)
        assert (await stage.one("monitor", StoreTroubled)).code == "gone"
        stage.tell("store", add_user(2))
        assert (await stage.one("asker", NotCommitted)).op_id == "op2"
        away.rename(path)
        await stage.quiet(PROBE_EACH_S + 0.5)
        assert await stage.one("monitor", StoreWell)
        stage.tell("store", add_user(2))
        assert isinstance((await stage.heard("asker", Committed))[-1].outcome, Applied)

    play(scene, database=f"sqlite:///{path}")
    assert users_in(path) == ["U1", "U2"]


def test_another_file_in_the_place_of_the_database_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "limner.db"
    open_database(f"sqlite:///{tmp_path}/other.db").close()

    async def scene(stage: Stage) -> None:
        await opened(stage)
        await stage.heard("monitor")
        path.rename(tmp_path / "away.db")
        (tmp_path / "other.db").rename(path)
        stage.tell("store", add_user(1))
        assert await stage.one("asker", NotCommitted)
        assert (await stage.one("monitor", StoreTroubled)).code == "replaced"
        await stage.quiet(10 * PROBE_EACH_S)
        assert await stage.heard("monitor", StoreWell) == []

    play(scene, database=f"sqlite:///{path}")
    assert users_in(path) == []


def users_in(path: Path) -> list[str]:
    """The users that the next start would find."""
    database = open_database(f"sqlite:///{path}")
    with database.reading() as connection:
        found = connection.exec_driver_sql("SELECT id FROM users ORDER BY id").scalars().all()
    database.close()
    return list(found)


# --- on real threads and a real file ---


def act(scene: Any, database: str) -> None:
    """Plays a scene in real time, so that the Store's threads are threads."""

    async def main() -> None:
        process = process_for(read(CONFIG, {}), Path("."))
        process.database = database
        base = run_on(asyncio.get_running_loop(), strict=True, process=process)
        await scene(Stage(base))
        await base.stop()

    asyncio.run(main())


class Listener(Recorder):
    """A recorder that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    def receiveMessage(self, message: Any, sender: Any) -> None:
        super().receiveMessage(message, sender)
        self.told.set()

    async def hears(self, count: int) -> list[Any]:
        """What it was told, once it is that much."""
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self.told.clear()
                await self.told.wait()
        return self.heard


def test_an_orderly_stop_commits_and_closes_all_that_was_taken(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/limner.db"
    count = 3 * GROUP_LENGTH_MAX

    async def scene(stage: Stage) -> None:
        asker = stage.cast("asker", Listener)
        store = stage.cast("store", Store)
        await stage.base.idle()
        stage.tell("store", *(add_user(number) for number in range(count)))
        await stage.base.idle()
        assert asker.heard == []
        store.leave()
        assert await stage.base.ended("store") is None
        await stage.base.idle()
        assert sorted(answer.op_id for answer in asker.heard) == sorted(f"op{number}" for number in range(count))

    act(scene, url)
    assert not (tmp_path / "limner.db-wal").exists()
    database = open_database(url)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == count
    database.close()


def test_a_store_that_died_answers_the_same_after_its_restart(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        asker = stage.cast("asker", Listener)
        stage.cast("store", Store)
        stage.tell("store", add_user(1))
        (first,) = await asker.hears(1)
        stage.tell("store", *(add_user(number) for number in range(2, 30)), Kill("a test"))
        assert "a test" in str(await stage.base.ended("store"))
        stage.cast("store", Store)
        asker.heard.clear()
        stage.tell("store", *(add_user(number) for number in range(1, 30)))
        answers = await asker.hears(29)
        assert answers[0] == first
        assert all(isinstance(answer.outcome, Applied) for answer in answers)

    act(scene, f"sqlite:///{tmp_path}/limner.db")


def test_reads_do_not_wait_for_writes(tmp_path: Path) -> None:
    """Another process holds the write lock: writes are stuck, reads are answered."""
    url = f"sqlite:///{tmp_path}/limner.db"
    other = open_database(url)

    async def scene(stage: Stage) -> None:
        asker = stage.cast("asker", Listener)
        stage.cast("store", Store)
        await stage.base.idle()
        with other.writing():
            stage.tell("store", add_user(1), Lookup("l1", "asker", CountJobs()))
            answers = await asker.hears(1)
            assert [type(answer).__name__ for answer in answers] == ["LookedUp"]
        answers = await asker.hears(2)
        assert isinstance(answers[1].outcome, Applied)

    act(scene, url)
    other.close()
