"""Store: the one door to the database, with group commit.

Takes   Commit, Lookup (everyone);  TellHealth (monitor);  GroupEnded, LookupsEnded, TidyDue, Tidied, LookDue (itself)
Sends   Committed, NotCommitted, LookedUp -> whoever asked (reply_to);  StoreTroubled, StoreWell, Observed,
        CommitUnderWay -> monitor
Crash   nothing acknowledged is lost: what was not answered is sent again by its asker under the same op_id

Writes are taken in the order they came, one group at a time, by one thread; reads by another, on a connection of its
own. Only the loop's thread touches the actor: threads get values and give values back.

While the database refuses, writes are refused at once, so that nobody waits for what will not be; a probe finds out
when it is well again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from msgspec import Struct

from actors.monitor.messages import CommitUnderWay, Observed, TellHealth
from actors.shell import Shell
from actors.store_messages import (
    Commit,
    Committed,
    LookedUp,
    Lookup,
    NotCommitted,
    StoreTroubled,
    StoreWell,
)
from core.horizon import Horizon
from storage.database import Database, StoreTrouble, open_database
from storage.groups import REMEMBERED_S, Operation, commit_group, tidy
from storage.operations import Found, Read, Written
from storage.reads import find
from system.message import Message

#: A group is closed after this time, or at this length: a commit costs the disk the same for one write as for fifty.
GATHER_S = 0.004
GROUP_LENGTH_MAX = 200
#: Writes waiting for their turn; beyond it they are refused, and their askers send them again later.
WRITES_WAITING_MAX = 20_000
#: Reads waiting for their turn; beyond it they are dropped, and asked again later.
READS_WAITING_MAX = 50_000
#: How often remembered operations are pruned; while the database refuses, how often it is tried.
TIDY_EACH_S = 60.0
PROBE_EACH_S = 1.0
#: A database that was in trouble is well when it takes this much: a full disk often has room for one small write.
ROOM_BYTES = 1 << 20
#: How often is looked whether the database is still where it was, should nobody write.
LOOK_EACH_S = 1.0
BUSY = "busy: too many writes are waiting"

Asked = TypeVar("Asked")
Result = TypeVar("Result")


class Trouble(Struct, frozen=True):
    """A StoreTrouble as a value."""

    code: str
    message: str


class GroupEnded(Message, frozen=True):
    """The group under way is on disk (its outcomes, in order), or was refused as a whole."""

    outcomes: tuple[Written, ...]
    trouble: Trouble | None
    seconds: float


class LookupsEnded(Message, frozen=True):
    """What was found for the lookups under way, in order; empty when the database could not be read."""

    found: tuple[Found, ...]
    trouble: Trouble | None


class TidyDue(Message, frozen=True):
    """Prune what is remembered of old operations; that also shows whether the database takes writes.

    `turn` tells the one timer that counts from those of before a change of pace.
    """

    turn: int


class Tidied(Message, frozen=True):
    """It is done, or was refused."""

    trouble: Trouble | None


class LookDue(Message, frozen=True):
    """Is the database still where it was?"""


class Store(Shell):
    """See the module's docstring."""

    ACCEPTS = (Commit, Lookup, TellHealth, GroupEnded, LookupsEnded, TidyDue, Tidied, LookDue)

    def __init__(self) -> None:
        super().__init__()
        self.writes_waiting: deque[Commit] = deque()
        self.reads_waiting: deque[Lookup] = deque()
        self.group: tuple[Commit, ...] = ()
        self.lookups: tuple[Lookup, ...] = ()
        #: The ids of all reads that wait or are under way: while the disk is slow, their askers ask again.
        self.reads_known: set[str] = set()
        self.writing = self.reading = False
        self.commit_began_at: float | None = None
        self.trouble: Trouble | None = None
        self.tidy_turn = 0

    def on_start(self) -> None:
        """Opens the database and migrates it. Raises StoreTrouble, which says what is wrong with it."""
        self.database: Database = open_database(self.process.database)
        if self.process.writer is None:
            self.process.writer = ThreadPoolExecutor(1, "store-writer")
        self.writer: Executor = self.process.writer
        self.reader: Executor = self.writer if self.database.alone else ThreadPoolExecutor(1, "store-reader")
        self.horizon = Horizon(REMEMBERED_S, self.now())
        self._tell_health()
        self._tidy_in(TIDY_EACH_S)
        self.after(LOOK_EACH_S, LookDue())

    def on_stop(self) -> None:
        """Commits and answers all that was taken, then closes.

        The group under way may be done already: done again, it answers as the first time. A database that refuses is
        not tried again for each group: a stop has only so much time.
        """
        self.reader.shutdown(wait=True, cancel_futures=True)
        self.writer.shutdown(wait=True, cancel_futures=True)
        self.process.writer = None
        self.writes_waiting.extendleft(reversed(self.group))
        while self.writes_waiting:
            self.group = _take(self.writes_waiting)
            try:
                group = tuple(Operation(commit.op_id, commit.write) for commit in self.group)
                self._answer(commit_group(self.database, group, self._stamp()), None)
            except StoreTrouble as trouble:
                self._answer((), Trouble(trouble.code, trouble.message))
                self._refuse_waiting(Trouble(trouble.code, trouble.message))
        self.database.close()

    def summary(self) -> dict[str, Any]:
        return {
            "writes_waiting": len(self.writes_waiting),
            "writes_under_way": len(self.group) if self.writing else 0,
            "reads_waiting": len(self.reads_waiting),
            "trouble": self.trouble.code if self.trouble is not None else None,
        }

    # --- writes ----------------------------------------------------------------------------------------------

    def receiveMsg_Commit(self, commit: Commit, sender: Any) -> None:
        if self.trouble is not None:
            self._refuse(commit.op_id, commit.reply_to, self.trouble)
            return
        if len(self.writes_waiting) >= WRITES_WAITING_MAX:
            self.tell(commit.reply_to, NotCommitted(commit.op_id, BUSY))
            return
        self.writes_waiting.append(commit)
        self._write_on()

    def _write_on(self) -> None:
        if self.writes_waiting and not self.writing:
            self.writing = True
            self.work(self._write(), "commit")

    async def _write(self) -> GroupEnded:
        if len(self.writes_waiting) < GROUP_LENGTH_MAX:
            await asyncio.sleep(GATHER_S)
        self.group = _take(self.writes_waiting)
        began = self.commit_began_at = self.now()
        outcomes, trouble = await _on(self.writer, commit_group, self.database, self._operations(), self._stamp())
        return GroupEnded(outcomes or (), trouble, self.now() - began)

    def receiveMsg_GroupEnded(self, ended: GroupEnded, sender: Any) -> None:
        if ended.trouble is None:
            self.tell("monitor", Observed("limner_store_commit_seconds", ended.seconds))
        self._answer(ended.outcomes, ended.trouble)
        self.group, self.writing, self.commit_began_at = (), False, None
        self._note_health(ended.trouble)
        self._write_on()

    def _operations(self) -> tuple[Operation, ...]:
        return tuple(Operation(commit.op_id, commit.write, commit.again) for commit in self.group)

    def _stamp(self) -> float:
        """The moment that the operations of a group are remembered by."""
        wall = self.wall()
        self.horizon.note(self.now(), wall)
        return wall

    def _answer(self, outcomes: tuple[Written, ...], trouble: Trouble | None) -> None:
        if trouble is not None:
            for commit in self.group:
                self._refuse(commit.op_id, commit.reply_to, trouble)
        else:
            for commit, outcome in zip(self.group, outcomes, strict=True):
                self.tell(commit.reply_to, Committed(commit.op_id, outcome))

    def _refuse(self, ask_id: str, asker: str, trouble: Trouble) -> None:
        self.tell(asker, NotCommitted(ask_id, f"{trouble.code}: {trouble.message}"))

    def _refuse_waiting(self, trouble: Trouble) -> None:
        while self.writes_waiting:
            commit = self.writes_waiting.popleft()
            self._refuse(commit.op_id, commit.reply_to, trouble)

    # --- reads -----------------------------------------------------------------------------------------------

    def receiveMsg_Lookup(self, lookup: Lookup, sender: Any) -> None:
        if lookup.lookup_id in self.reads_known:
            return
        if len(self.reads_waiting) >= READS_WAITING_MAX:
            self.log.warning("too many reads are waiting: one was dropped", read=type(lookup.read).__name__)
            return
        if lookup.first:
            self.reads_waiting.appendleft(lookup)
        else:
            self.reads_waiting.append(lookup)
        self.reads_known.add(lookup.lookup_id)
        self._read_on()

    def _read_on(self) -> None:
        if self.reads_waiting and not self.reading:
            self.reading = True
            self.lookups = _take(self.reads_waiting)
            self.work(self._read(), "lookup")

    async def _read(self) -> LookupsEnded:
        reads = tuple(lookup.read for lookup in self.lookups)
        found, trouble = await _on(self.reader, _find_all, self.database, reads)
        return LookupsEnded(found or (), trouble)

    def receiveMsg_LookupsEnded(self, ended: LookupsEnded, sender: Any) -> None:
        if ended.trouble is None:
            for lookup, found in zip(self.lookups, ended.found, strict=True):
                tell = self.tell_first if lookup.first else self.tell
                tell(lookup.reply_to, LookedUp(lookup.lookup_id, found))
        else:
            for lookup in self.lookups:
                self._refuse(lookup.lookup_id, lookup.reply_to, ended.trouble)
            self._note_health(ended.trouble)
        self.reads_known.difference_update(lookup.lookup_id for lookup in self.lookups)
        self.lookups, self.reading = (), False
        self._read_on()

    # --- health ----------------------------------------------------------------------------------------------

    def _tidy_in(self, seconds: float) -> None:
        self.tidy_turn += 1
        self.after(seconds, TidyDue(self.tidy_turn))

    def receiveMsg_TidyDue(self, due: TidyDue, sender: Any) -> None:
        if due.turn == self.tidy_turn:
            self.work(self._tidy(), "tidy")

    async def _tidy(self) -> Tidied:
        room_bytes = ROOM_BYTES if self.trouble else 0
        old = self.horizon.before(self.now(), self.wall())
        _, trouble = await _on(self.writer, tidy, self.database, self.wall(), old, room_bytes)
        return Tidied(trouble)

    def receiveMsg_Tidied(self, tidied: Tidied, sender: Any) -> None:
        self._note_health(tidied.trouble)
        self._tidy_in(PROBE_EACH_S if self.trouble else TIDY_EACH_S)

    def receiveMsg_LookDue(self, due: LookDue, sender: Any) -> None:
        if self.trouble is None and not self.database.is_in_place():
            self._tidy_in(0.0)  # which mends it, or finds out what is wrong
        if self.commit_began_at is not None and (seconds := self.now() - self.commit_began_at) > LOOK_EACH_S:
            self.tell("monitor", CommitUnderWay(seconds))
        self.after(LOOK_EACH_S, LookDue())

    def _note_health(self, trouble: Trouble | None) -> None:
        """Tells the monitor and the log when the database begins to refuse, and when it takes writes again.

        From then on nobody writes any more: so it is tried in short turns until it is well.
        """
        before, self.trouble = self.trouble, trouble
        if trouble is not None and (before is None or before.code != trouble.code):
            self.log.error("the database refuses", code=trouble.code, why=trouble.message)
            self._tell_health()
        elif trouble is None and before is not None:
            self.log.info("the database takes writes again")
            self._tell_health()
        if trouble is not None:
            self._refuse_waiting(trouble)
            if before is None:
                self._tidy_in(PROBE_EACH_S)

    def receiveMsg_TellHealth(self, ask: TellHealth, sender: Any) -> None:
        self._tell_health()

    def _tell_health(self) -> None:
        trouble = self.trouble
        self.tell("monitor", StoreWell() if trouble is None else StoreTroubled(trouble.code, trouble.message))


def _take(waiting: deque[Asked]) -> tuple[Asked, ...]:
    return tuple(waiting.popleft() for _ in range(min(GROUP_LENGTH_MAX, len(waiting))))


def _find_all(database: Database, reads: tuple[Read, ...]) -> tuple[Found, ...]:
    """All of it from one moment of the database."""
    with database.reading() as connection:
        return tuple(find(connection, read) for read in reads)


async def _on(
    thread: Executor, function: Callable[..., Result], *arguments: Any
) -> tuple[Result | None, Trouble | None]:
    """What the function gives on that thread, or why the database refused it."""
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, function, *arguments), None
    except StoreTrouble as trouble:
        return None, Trouble(trouble.code, trouble.message)
