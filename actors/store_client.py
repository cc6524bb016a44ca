"""StoreClient: an actor's end of its talk with the Store: ids, continuations, and sending again what was not answered.

A write is sent again under the same op_id until it is answered, so a Store that died in between applies it once. What
to do with an answer is a continuation kept in the asking actor; it never travels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from actors.shell import Shell
from actors.store_messages import Commit, Committed, LookedUp, Lookup, NotCommitted
from storage.operations import Found, Read, Write, Written
from system.message import Message

#: How often unanswered writes and reads are looked at, and after what time they are sent again; what was refused is
#: sent again at the next look, so that it does not outlast the trouble.
RESEND_EACH_S = 1.0
RESEND_AFTER_S = 5.0
#: Who reads for somebody who waits is refused after this time (and until the next look), whatever the Store does.
READ_S_MAX = 8.0


class ResendDue(Message, frozen=True):
    """Look whether something must be sent to the Store again."""


@dataclass(slots=True)
class Asked:
    """A write or read under way. `again_at`: when it is sent again (loop s). `copies`: how often it was sent and not
    refused, any of which may be done yet. `refuse`: what ends it, at `refuse_at` in any case; `patient`: not before."""

    what: Write | Read
    then: Callable[..., None]
    asked_at: float
    again_at: float
    refuse: Callable[[str], None] | None
    copies: int = 1
    refuse_at: float = math.inf
    patient: bool = False

    @property
    def may_be_done(self) -> bool:
        """Whether it could be done yet without our knowing. Of a read nothing is left."""
        return self.copies > 0 and not isinstance(self.what, Read)


#: What is under way while nothing is: shared, and never written to. Ten thousand sessions hardly ever ask.
NOTHING: dict[str, Asked] = {}


class StoreClient:
    """One an actor. The actor passes it Committed, NotCommitted, LookedUp and ResendDue."""

    __slots__ = ("_asked", "_count", "_first", "_name", "_owner", "_put_off", "_ticking")
    TAKES: tuple[type[Message], ...] = (Committed, NotCommitted, LookedUp, ResendDue)

    def __init__(self, owner: Shell, first: bool = False) -> None:
        """`first`: what it reads is read before what others do, and heard before all that waits."""
        self._owner, self._first = owner, first
        self._asked = NOTHING
        self._count = 0
        self._name = ""
        self._ticking = False
        #: Something was refused, and is sent again at the next look: what is written after it waits till then, for a
        #: Store that is well meanwhile would take it first.
        self._put_off = False

    def __len__(self) -> int:
        return len(self._asked)

    @property
    def stuck_s(self) -> float:
        """How long the oldest unanswered one has waited; 0 when there is none."""
        oldest = next(iter(self._asked.values()), None)
        return self._owner.now() - oldest.asked_at if oldest else 0.0

    def commit(
        self, write: Write, then: Callable[[Written], None], refuse: Callable[[str], None] | None = None
    ) -> None:
        """Write durably, then `then(outcome)`. With `refuse`, a store that surely did not ends it."""
        now = self._owner.now()
        self._ask(Asked(write, then, now, now + RESEND_AFTER_S, refuse))

    def lookup(
        self,
        read: Read,
        then: Callable[[Found], None],
        refuse: Callable[[str], None] | None = None,
        patient: bool = False,
    ) -> None:
        """Read, then call `then(found)`. With `refuse`, it is over after READ_S_MAX, and as soon as the database cannot
        be read, unless `patient`. Without, it is waited for."""
        now = self._owner.now()
        refuse_at = math.inf if refuse is None else now + READ_S_MAX
        self._ask(Asked(read, then, now, now + RESEND_AFTER_S, refuse, refuse_at=refuse_at, patient=patient))

    def _ask(self, asked: Asked) -> None:
        self._count += 1
        if self._asked is NOTHING:
            self._asked = {}
            self._name = self._name or f"{self._owner.name}:{self._owner.life}"
        ask_id = f"{self._name}:{self._count}"
        self._asked[ask_id] = asked
        if self._put_off and asked.refuse is None and not isinstance(asked.what, Read):
            asked.again_at, asked.copies = asked.asked_at, 0
        else:
            self._send(ask_id, asked.what)
        if not self._ticking:
            self._ticking = True
            self._owner.after(RESEND_EACH_S, ResendDue())

    def _send(self, ask_id: str, what: Write | Read, *, again: bool = False) -> None:
        owner = self._owner
        if isinstance(what, Read):
            tell = owner.tell_first if self._first else owner.tell
            tell("store", Lookup(ask_id, owner.name, what, self._first))
        else:
            owner.tell("store", Commit(ask_id, owner.name, what, again))

    def receive(self, answer: Message) -> None:
        """An answer of the Store's, or the time to look for missing ones. One that was answered before is ignored."""
        if isinstance(answer, Committed) and (asked := self._take(answer.op_id)):
            asked.then(answer.outcome)
        elif isinstance(answer, LookedUp) and (asked := self._take(answer.lookup_id)):
            asked.then(answer.found)
        elif isinstance(answer, NotCommitted) and (asked := self._asked.get(answer.op_id)):
            asked.copies -= 1
            asked.again_at = self._owner.now()
            if asked.refuse is not None and not asked.patient and not asked.may_be_done:
                self._take(answer.op_id)
                asked.refuse(answer.why)
            else:
                self._put_off = True
        elif isinstance(answer, ResendDue):
            self._resend()

    def _take(self, ask_id: str) -> Asked | None:
        asked = self._asked.pop(ask_id, None)
        if not self._asked:
            self._asked = NOTHING
        return asked

    def _resend(self) -> None:
        now = self._owner.now()
        self._refuse_overdue(now)
        self._ticking, self._put_off = bool(self._asked), False
        for ask_id, asked in self._asked.items():
            if now >= asked.again_at:
                asked.again_at = now + RESEND_AFTER_S
                self._send(ask_id, asked.what, again=asked.copies > 0)
                asked.copies += 1
        if self._ticking:
            self._owner.after(RESEND_EACH_S, ResendDue())

    def _refuse_overdue(self, now: float) -> None:
        self._ticking = True  # what is asked anew meanwhile needs no look of its own
        for ask_id in [ask_id for ask_id, asked in self._asked.items() if now >= asked.refuse_at]:
            asked = self._take(ask_id)
            if asked is not None and asked.refuse is not None:
                asked.refuse("the database did not answer in time")


class StoreAsker(Shell):
    """Base of the actors that talk to the Store: `store` is there from `on_start` on."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = StoreClient.TAKES
    store: StoreClient

    def on_start(self) -> None:
        self.store = StoreClient(self)

    def _answered(self, answer: Message, sender: Any) -> None:
        self.store.receive(answer)

    receiveMsg_Committed = receiveMsg_NotCommitted = receiveMsg_LookedUp = receiveMsg_ResendDue = _answered  # noqa: N815
