"""The part of an account that is about being there, whatever draws for it: its start, its health, and its orders.

It starts when the answers are in that it waits for: whether it may work (Store), what it was drawing (Queue), and what
its driver asks besides. How it does is one value (core/health.py): the scheduler hears of it when that changes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.account.messages import AskStanding, Obeyed, Reinstate, SetSlots, Suspend, Vacant, standing_of
from actors.account.outbox import Outbox
from actors.account.patience import Patience
from actors.account.pause import Pause
from actors.account.work import Step, Work
from actors.monitor.messages import AccountState, Observed, SetPace, TellHealth
from actors.queue.messages import AccountShut, AskHoldings
from actors.scheduler import AccountDown, AccountUp, Announce
from actors.store_client import StoreAsker
from core.config import AccountConfig
from core.health import ORDERED, Cause, Health
from storage.added import ReadSlots, SaveSlots, SlotsRecord
from storage.operations import Found, Written
from system.message import Message

TICK_S = 0.5
#: Unanswered by the Queue for this long: ask again what we hold.
ASK_AGAIN_S = 5.0
#: How often an account that waits for a person says so to the Queue.
SHUT_EACH_S = 10.0
#: Of a notice to the operator.
NOTICE_CHARS_MAX = 500


class Tick(Message, frozen=True):
    """Time has passed."""


class AccountHealth(StoreAsker):
    """Base of AccountDesk. Drivers say what else they wait for, and override the hooks at the end."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        *(Tick, Announce, Suspend, Reinstate, SetSlots, SetPace, AskStanding, TellHealth),
    )
    #: What the start waits for.
    WAITS_FOR: ClassVar[frozenset[str]] = frozenset({"pause", "slots", "holdings"})
    #: Who draws, for people.
    UPSTREAM: ClassVar[str] = "the other side"

    account: AccountConfig
    outbox: Outbox
    pause: Pause

    def __init__(self) -> None:
        super().__init__()
        self.works: dict[str, Work] = {}
        self.waits_for = set(self.WAITS_FOR)
        self.holdings_asked_at = 0.0
        self.health = Health()
        self.hold_until = 0.0
        self.patience = Patience()
        self.shut_told_at = -SHUT_EACH_S
        self.slots = 0
        #: How many of its slots its pace allows; None: all of them.
        self.pace: int | None = None
        #: What the scheduler was told last: why we are down, or None.
        self.told: str | None = "not started yet"

    # --- the start -------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        super().on_start()
        found = [account for account in self.process.accounts if account.name == self.subject]
        if not found:
            raise LookupError(f"there is no account {self.subject}, neither in the config nor added")
        self.account = found[0]
        self.slots = self.account.slots
        self.health = self.health.struck(Cause.STARTING, "it is starting", self.wall())
        self.outbox = Outbox(self)
        self.pause = Pause(self)
        self.pause.read(self._pause_read)
        self.ask_holdings()
        self.after(TICK_S, Tick())

    def ask_holdings(self) -> None:
        """What does the Queue think we are drawing?"""
        self.holdings_asked_at = self.now()
        self.tell("queue", AskHoldings(self.subject))

    def _pause_read(self) -> None:
        kept = self.pause.kept
        if kept is not None:
            self.health = self.health.struck(kept.cause, kept.words, kept.since)
            self.log.warning("account is still out of work", cause=kept.cause, reason=kept.words)
        self.arrived("pause")
        self.store.lookup(ReadSlots(self.subject), self._slots_read)

    def _slots_read(self, found: Found) -> None:
        if isinstance(found, SlotsRecord):
            self.slots = found.slots
        self.arrived("slots")

    def arrived(self, what: str) -> None:
        """One of the answers that the start waits for; with the last one the driver may begin."""
        was_waiting = bool(self.waits_for)
        self.waits_for.discard(what)
        if was_waiting and not self.waits_for:
            self.health = self.health.healed(Cause.STARTING)
            self.on_open()

    # --- time ------------------------------------------------------------------------------------------------

    def receiveMsg_Tick(self, tick: Tick, sender: Any) -> None:
        now = self.now()
        if "holdings" in self.waits_for and now - self.holdings_asked_at >= ASK_AGAIN_S:
            self.ask_holdings()
        self.outbox.resend()
        self.pause.keep()
        self.on_tick(now)
        if self.health.needs_a_person and now - self.shut_told_at >= SHUT_EACH_S:
            self.shut_told_at = now
            self.tell("queue", AccountShut(self.subject))
        if self.health.has(Cause.LEAVING) and self.holds_nothing:
            self.tell("console", Vacant(self.subject))
        self.report()
        self.after(self.tick_s(), tick)

    @property
    def holds_nothing(self) -> bool:
        """Whether it could end for good: it draws nothing, and all it had to say is stored.

        It knows what it draws from the Queue: one whom Discord does not let in waits for its driver until it is gone.
        """
        knows = self.waits_for.isdisjoint(AccountHealth.WAITS_FOR)
        return knows and not self.works and not self.outbox and self.pause.is_stored

    # --- up or down ------------------------------------------------------------------------------------------

    @property
    def suspended(self) -> str | None:
        """Why it gets no work until the operator says otherwise; None when it does."""
        return self.why_down() if self.health.needs_a_person else None

    def why_down(self) -> str | None:
        """Why the account can get no new work, for people; None when it can."""
        self.health = self.look(self.health)
        worst = self.health.worst
        return None if worst is None else worst.words

    def look(self, health: Health) -> Health:
        """The health as it is now: what heals by itself may have come or gone."""
        if self.hold_until > self.now():
            return health.struck(Cause.RATE_LIMIT, f"rate limited by {self.UPSTREAM}", self.wall())
        return health.healed(Cause.RATE_LIMIT)

    def hold_back(self, seconds: float) -> None:
        """No new work for so long."""
        self.hold_until = max(self.hold_until, self.now() + seconds)
        self.report()

    def limited(self, told_s: float, asked_at: float) -> None:
        """What was asked then was too much: no new work for as long as told, or longer if that was so before."""
        self.hold_back(self.patience.refused(told_s, asked_at, self.now()))

    def report(self, again: bool = False) -> None:
        """Tell the scheduler whether we can draw, when that changed (or `again`)."""
        why = self.why_down()
        if why == self.told and not again:
            return
        if why is None:
            holding = tuple(work.lease for work in self.works.values() if work.lease is not None)
            news: Message = AccountUp(self.subject, self.places, self.account.modes, self.account.weight, holding)
        else:
            news = AccountDown(self.subject, why)
        if (why is None) != (self.told is None):
            self.log.info("account is up" if why is None else "account is down", why=why)
            self._tell_health(why)
        self.told = why
        self.tell("scheduler", news)
        self._tell_state()

    def receiveMsg_TellHealth(self, ask: TellHealth, sender: Any) -> None:
        self._tell_health(self.told)
        self._tell_state()

    def _tell_health(self, why_down: str | None) -> None:
        self.tell("monitor", Observed("limner_account_up", float(why_down is None), (self.subject,)))

    def _tell_state(self) -> None:
        worst = self.health.worst
        cause, words = (None, None) if worst is None else (worst.cause, worst.words)
        moving = sum(work.step is Step.BEGINNING for work in self.works.values())
        work = (self.slots, self.places, len(self.works) - moving, moving)
        self.tell("monitor", AccountState(self.subject, self.health.state, cause, words, *work))

    def strike(self, cause: Cause, words: str, notice: str = "") -> None:
        """A trouble that only a person ends: no new work until the operator says otherwise.

        `notice` is what the other side says in full, for the operator, and not for the log.
        """
        shown = f"{words}: {notice}"[:NOTICE_CHARS_MAX] if notice else words
        struck = self.health.struck(cause, shown, self.wall())
        if struck is not self.health:
            log = self.log.warning if cause in ORDERED else self.log.error
            log("account is out of work", cause=cause, reason=words)
        self.health = struck
        self.pause.set(struck.kept)
        self.report()

    # --- the operator ----------------------------------------------------------------------------------------

    def receiveMsg_Announce(self, announce: Announce, sender: Any) -> None:
        if "holdings" not in self.waits_for:
            self.report(again=True)

    def receiveMsg_Suspend(self, order: Suspend, sender: Any) -> None:
        if "pause" in self.waits_for:
            self.after(TICK_S, order)
            return
        changed = not self.health.has(order.cause)
        if changed:
            self.strike(order.cause, order.reason)
        self.pause.answer(order.ask, changed)

    def receiveMsg_Reinstate(self, order: Reinstate, sender: Any) -> None:
        if "pause" in self.waits_for:
            self.after(TICK_S, order)
            return
        changed = self.health.needs_a_person
        if changed:
            self.health = self.health.resumed()
            self.pause.set(None)
            self.on_resumed()
            self.report()
        self.pause.answer(order.ask, changed)

    def receiveMsg_AskStanding(self, question: AskStanding, sender: Any) -> None:
        self.health = self.look(self.health)
        standing = standing_of(self.health, question.ask, self.subject, self.slots, tuple(self.works))
        self.tell_first("console", standing)

    def receiveMsg_SetSlots(self, order: SetSlots, sender: Any) -> None:
        if "slots" in self.waits_for:
            self.after(TICK_S, order)
            return
        changed, self.slots = order.slots != self.slots, order.slots
        if changed:
            self.report(again=True)  # what is held is named with it: no lease is lost

        def stored(outcome: Written) -> None:
            if order.ask is not None:
                self.tell("console", Obeyed(order.ask, changed))

        own = None if order.slots == self.account.slots else order.slots
        self.store.commit(SaveSlots(self.subject, own, self.wall()), stored)

    # --- pace ------------------------------------------------------------------------------------------------

    @property
    def places(self) -> int:
        """How many drawings at once it may hold now: its slots, or fewer if its pace says so."""
        return self.slots if self.pace is None else min(self.slots, self.pace)

    def receiveMsg_SetPace(self, order: SetPace, sender: Any) -> None:
        before = self.places
        self.pace = order.places if order.places < self.slots else None
        if self.places != before:
            self.report(again=True)

    # --- what a driver adds ----------------------------------------------------------------------------------

    def on_open(self) -> None:
        """All that the start waits for is there."""

    def on_tick(self, now: float) -> None:
        """Time has passed."""

    def tick_s(self) -> float:
        """How long until the next tick."""
        return TICK_S

    def on_resumed(self) -> None:
        """The operator says that what troubled it is over: look again."""
