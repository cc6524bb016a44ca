"""What an account tells the Queue is told until it is stored, and the gateway session is never saved ahead of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from actors.account.outbox import RESEND_S, Outbox
from actors.queue.messages import Acknowledged, Drawn, Sighted
from system.message import Message


@dataclass
class Owner:
    """As much of an actor as an outbox needs."""

    time: float = 0.0
    told: list[Message] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def tell(self, name: str, message: Message) -> None:
        assert name == "queue"
        self.told.append(message)


def outbox() -> tuple[Outbox, Owner]:
    owner: Any = Owner()
    return Outbox(owner), owner


DRAWN = Drawn("fox", "j1", 1, "m1", "https://cdn/x.png", "h", (), None)


def sighted(**known: str) -> Sighted:
    return Sighted("fox", "j1", 1, known.get("interaction"), known.get("message"), known.get("hash"))


def stored(fact: str) -> Acknowledged:
    return Acknowledged("fox", "j1", 1, fact)


def test_a_fact_is_told_again_until_it_is_acknowledged() -> None:
    box, owner = outbox()
    box.put(DRAWN, 7)
    box.resend()
    assert owner.told == [DRAWN]
    owner.time += RESEND_S
    box.resend()
    assert owner.told == [DRAWN, DRAWN]
    box.acknowledge(stored("Drawn"))
    box.acknowledge(stored("Drawn"))
    owner.time += RESEND_S
    box.resend()
    assert len(owner.told) == 2
    assert len(box) == 0


def test_the_oldest_event_that_is_not_stored_bounds_what_may_be_saved() -> None:
    box, _ = outbox()
    assert box.oldest_seq is None
    box.put(sighted(message="m0"), 5)
    box.put(DRAWN, 9)
    assert box.oldest_seq == 5
    box.acknowledge(stored("Sighted"))
    assert box.oldest_seq == 9
    box.acknowledge(stored("Drawn"))
    assert box.oldest_seq is None


def test_what_is_sighted_while_the_first_word_is_on_its_way_follows_in_one() -> None:
    box, owner = outbox()
    box.put(sighted(interaction="i"), 3)
    box.put(sighted(message="m"), 4)
    box.put(sighted(hash="h"), 6)
    assert owner.told == [sighted(interaction="i")]
    box.acknowledge(stored("Sighted"))
    assert owner.told[1:] == [sighted(interaction="i", message="m", hash="h")]
    assert box.oldest_seq == 4
    box.acknowledge(stored("Sighted"))
    assert len(box) == 0


def test_the_same_ending_is_not_told_twice_at_once() -> None:
    box, owner = outbox()
    box.put(DRAWN, 9)
    box.put(DRAWN, 9)
    assert owner.told == [DRAWN]
