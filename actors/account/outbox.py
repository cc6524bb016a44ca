"""Outbox: what an account told the Queue and the Queue has not yet acknowledged. Told again until it is.

Each fact remembers the gateway event it came from, so that the session is never saved ahead of a stored effect: after a
crash Discord replays what was not stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from actors.queue.messages import Acknowledged, Fact, Sighted
from actors.shell import Shell

RESEND_S = 5.0


@dataclass(slots=True)
class Letter:
    """A fact as last sent; `grown` is a Sighted that has learnt more meanwhile. `seq`: of its gateway event."""

    fact: Fact
    seq: int | None
    sent_at: float
    grown: Sighted | None = None
    grown_seq: int | None = None


class Outbox:
    """One an account."""

    def __init__(self, owner: Shell) -> None:
        self._owner = owner
        self._letters: dict[tuple[str, int, str], Letter] = {}

    def __len__(self) -> int:
        return len(self._letters)

    def put(self, fact: Fact, seq: int | None) -> None:
        """Tell the Queue, and keep it until it is acknowledged. A Sighted on its way takes later ids along."""
        key = (fact.job, fact.attempt, type(fact).__name__)
        under_way = self._letters.get(key)
        if under_way is None:
            self._letters[key] = Letter(fact, seq, self._owner.now())
            self._owner.tell("queue", fact)
        elif isinstance(fact, Sighted):
            before = under_way.grown or under_way.fact
            assert isinstance(before, Sighted)
            under_way.grown = msgspec.structs.replace(
                before,
                interaction_id=fact.interaction_id or before.interaction_id,
                start_message_id=fact.start_message_id or before.start_message_id,
                job_hash=fact.job_hash or before.job_hash,
            )
            under_way.grown_seq = seq if under_way.grown_seq is None else under_way.grown_seq

    def acknowledge(self, told: Acknowledged) -> None:
        """It is stored. Twice is harmless."""
        letter = self._letters.pop((told.job, told.attempt, told.fact), None)
        if letter is not None and letter.grown is not None:
            self.put(letter.grown, letter.grown_seq)

    def resend(self) -> None:
        """Tell again what was not acknowledged in time, in the order of first telling."""
        now = self._owner.now()
        for letter in self._letters.values():
            if now - letter.sent_at >= RESEND_S:
                letter.sent_at = now
                self._owner.tell("queue", letter.fact)

    @property
    def oldest_seq(self) -> int | None:
        """The first gateway event of which an effect is not stored yet."""
        return min((letter.seq for letter in self._letters.values() if letter.seq is not None), default=None)
