"""The half of an account that is about being there: its start, its gateway line, and whether it may get work.

It starts when four answers are in: the saved gateway session and what it drew lately (Store), what it was drawing
(Queue), and who it is (Discord). Only then is the line opened, so that no replayed event finds an account that does not
know its drawings.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.account_errands import Errands, Prepared
from actors.account_line import FrameCame, GatewayLine, LineLost, LineMade
from actors.account_messages import AskStanding, Reinstate, SetSlots, Standing, Suspend
from actors.account_outbox import Outbox
from actors.account_pause import Pause
from actors.account_rest import Rest
from actors.account_work import Work
from actors.monitor_messages import Observed, TellHealth
from actors.queue_messages import AskHoldings
from actors.scheduler import AccountDown, AccountUp, Announce
from actors.store_client import StoreAsker
from core.config import AccountConfig
from core.correlate import Correlator
from protocol.drawing import MIDJOURNEY_APPLICATION_ID, NIJI_APPLICATION_ID, Command
from protocol.drawing_events import Observer
from protocol.gateway import Dispatch, Event, Fatal, Hangup, Identity, Ready, SavedSession
from storage.operations import Found, GatewayRecord, ReadGateway, SaveGateway, Written
from system.message import Message

TICK_S = 0.5
#: As long as the gateway line is live, for then nothing of it is due, and the drawings' deadlines are seconds away.
CALM_TICK_S = 1.0
#: Unanswered by the Queue for this long: ask again what we hold.
ASK_AGAIN_S = 5.0
#: A connection that comes back sooner is not worth telling the scheduler.
DOWN_AFTER_S = 5.0
#: The gateway session is saved at most this often while events flow: each time is a write, and what is replayed after a
#: crash because it was not saved yet, the Queue knows already.
SAVE_EACH_S = 5.0
#: GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT (privileged): what a bot needs to read the channel. A user has no intents.
BOT_INTENTS = 1 << 0 | 1 << 9 | 1 << 15


class Tick(Message, frozen=True):
    """Time has passed."""


class AccountPresence(StoreAsker):
    """Base of Account. Subclasses take events by the three `on_` hooks."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        *(Tick, Prepared, Announce, Suspend, Reinstate, SetSlots, AskStanding, TellHealth),
        *GatewayLine.TAKES,
    )

    account: AccountConfig
    errands: Errands
    outbox: Outbox
    pause: Pause
    observer: Observer
    correlator: Correlator

    def __init__(self) -> None:
        super().__init__()
        self.works: dict[str, Work] = {}
        self.commands: dict[str, Command] = {}
        self.line: GatewayLine | None = None
        self.saved: SavedSession | None = None
        self.waits_for = {"pause", "session", "holdings", "past", "discord"}
        self.holdings_asked_at = 0.0
        self.learning = False
        #: Why it gets no work until the operator says otherwise; of that, what outlives the process is the `pause`.
        self.suspended: str | None = None
        self.hold_until = 0.0
        self.slots = 0
        self.seq: int | None = None
        #: Gateway events that the monitor has not heard of yet.
        self.events_untold = 0
        self.saving = False
        self.save_due_at = 0.0
        self.dark_since = 0.0
        self.told: str | None = "not started yet"

    # --- the start -------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        super().on_start()
        found = [account for account in self.process.config.accounts if account.name == self.subject]
        if not found:
            raise LookupError(f"there is no account {self.subject} in the config")
        self.account = found[0]
        self.slots = self.account.slots
        self.outbox = Outbox(self)
        self.pause = Pause(self)
        self.correlator = Correlator(born=self.now())
        self.errands = Errands(self, self.account, Rest(self, self.account))
        self.dark_since = self.now() - DOWN_AFTER_S
        self.pause.read(self._pause_read)
        self.store.lookup(ReadGateway(self.subject), self._session_found)
        self.ask_holdings()
        self.learn()
        self.after(TICK_S, Tick())

    def ask_holdings(self) -> None:
        """What does the Queue think we are drawing?"""
        self.holdings_asked_at = self.now()
        self.tell("queue", AskHoldings(self.subject))

    def _pause_read(self) -> None:
        if self.pause.reason is not None:
            self.suspended = self.suspended or self.pause.reason
            self.log.warning("account is still suspended", reason=self.pause.reason)
        self.arrived("pause")

    def _session_found(self, found: Found) -> None:
        if isinstance(found, GatewayRecord):
            self.saved = SavedSession(found.session_id, found.seq, found.resume_url)
            self.seq = found.seq
        self.arrived("session")

    def learn(self) -> None:
        """Ask Discord who we are and what commands the drawing bot has. Until it is known, nothing is submitted."""
        if not self.learning:
            self.learning = True
            self.work(self.errands.prepare(), "prepare")

    def receiveMsg_Prepared(self, prepared: Prepared, sender: Any) -> None:
        self.learning = False
        self.commands = {command.name: command for command in prepared.commands}
        if prepared.problem is not None:
            self.suspend(prepared.problem, again=True)
        if prepared.user_id is None:
            return
        applications = frozenset({MIDJOURNEY_APPLICATION_ID, NIJI_APPLICATION_ID})
        self.observer = Observer(applications, self.account.channel_id, prepared.user_id)
        self.arrived("discord")

    def arrived(self, what: str) -> None:
        """One of the answers the start waits for; with the last one the line is opened."""
        was_waiting = bool(self.waits_for)
        self.waits_for.discard(what)
        if was_waiting and not self.waits_for:
            self._open_line()

    def _open_line(self) -> None:
        intents = BOT_INTENTS if self.account.kind == "bot" else None
        identity = Identity(self.account.token.reveal(), intents)
        self.line = GatewayLine(self, identity, self.process.config.discord.gateway, self.saved)
        self.line.open()

    # --- the line --------------------------------------------------------------------------------------------

    def receiveMsg_LineMade(self, news: LineMade, sender: Any) -> None:
        self._hear(news)

    def receiveMsg_LineLost(self, news: LineLost, sender: Any) -> None:
        self._hear(news)

    def receiveMsg_FrameCame(self, news: FrameCame, sender: Any) -> None:
        self._hear(news)

    def _hear(self, news: LineMade | LineLost | FrameCame) -> None:
        if self.line is not None:
            self.follow(self.line.receive(news))

    def follow(self, events: list[Event]) -> None:
        """What the gateway machine says happened."""
        for event in events:
            match event:
                case Dispatch():
                    self.seq = event.seq
                    self.events_untold += 1
                    self.on_dispatch(event)
                case Ready():
                    self.seq = None
                    self.save_due_at = 0.0
                    self._save(self.now())
                    self.on_ready()
                case Hangup(then=Fatal() as fatal):
                    words = f"Discord closed the gateway for good ({fatal.code}): {fatal.reason}"
                    self.suspend(words, again=True)
                case Hangup():
                    self.dark_since = self.now()
                    self.log.info("gateway connection lost", why=event.reason)
        if any(not isinstance(event, Dispatch) for event in events):
            self.report()

    def on_dispatch(self, event: Dispatch) -> None:
        """An event of Discord's."""

    def on_ready(self) -> None:
        """A new gateway session: what happened before it is not replayed."""

    # --- time ------------------------------------------------------------------------------------------------

    def receiveMsg_Tick(self, tick: Tick, sender: Any) -> None:
        now = self.now()
        if self.line is not None:
            self.follow(self.line.tick())
        if "holdings" in self.waits_for and now - self.holdings_asked_at >= ASK_AGAIN_S:
            self.ask_holdings()
        if self.events_untold:
            self.tell("monitor", Observed("limner_gateway_events_total", self.events_untold, (self.subject,)))
            self.events_untold = 0
        self.outbox.resend()
        self.pause.keep()
        self.on_tick(now)
        self._save(now)
        self.report()
        self.after(CALM_TICK_S if self.line is not None and self.line.is_live else TICK_S, tick)

    def on_tick(self, now: float) -> None:
        """Time has passed for the drawings too."""

    def stored_seq(self) -> int | None:
        """The last gateway event all of whose effects are stored; None: none is known yet."""
        return self.seq

    def _save(self, now: float) -> None:
        """Keep where the session can be resumed from, never ahead of the stored effects."""
        if self.line is None or not self.line.is_live or self.saving or now < self.save_due_at:
            return
        if not self.pause.is_stored:
            return  # the notice that caused it is replayed to a process that does not know of it
        session = self.line.gateway.save(self.stored_seq())
        if session is None or session == self.saved:
            return

        def saved(outcome: Written | None) -> None:
            self.saving = False
            self.saved = session if outcome is not None else self.saved
            self.report()

        self.saving, self.save_due_at = True, now + SAVE_EACH_S
        write = SaveGateway(self.subject, session.session_id, session.seq, session.resume_url, self.wall())
        self.store.commit(write, saved, lambda why: saved(None))

    @property
    def is_session_kept(self) -> bool:
        """Whether the live gateway session would be resumed after a crash.

        Nothing is submitted before: what becomes of a submission is told to its own session only.
        """
        live = self.line.session_id if self.line is not None else None
        return live is not None and self.saved is not None and self.saved.session_id == live

    # --- being up or down ------------------------------------------------------------------------------------

    def why_down(self) -> str | None:
        """Why the account can get no new work, for people; None when it can."""
        if self.suspended is not None:
            return self.suspended
        if not self.is_session_kept:
            is_blink = self.told is None and self.now() - self.dark_since < DOWN_AFTER_S
            return None if is_blink else "no gateway connection"
        if self.hold_until > self.now():
            return "rate limited by Discord"
        return None

    def report(self, again: bool = False) -> None:
        """Tell the scheduler whether we can draw, when that changed (or `again`)."""
        why = self.why_down()
        if why == self.told and not again:
            return
        if why is None:
            holding = tuple(work.lease for work in self.works.values() if work.lease is not None)
            news: Message = AccountUp(self.subject, self.slots, self.account.modes, self.account.weight, holding)
        else:
            news = AccountDown(self.subject, why)
        if (why is None) != (self.told is None):
            self.log.info("account is up" if why is None else "account is down", why=why)
            self._tell_health(why)
        self.told = why
        self.tell("scheduler", news)

    def receiveMsg_TellHealth(self, ask: TellHealth, sender: Any) -> None:
        self._tell_health(self.told)

    def _tell_health(self, why_down: str | None) -> None:
        self.tell("monitor", Observed("limner_account_up", float(why_down is None), (self.subject,)))

    def suspend(self, reason: str, again: bool = False) -> None:
        """No new work until the operator says otherwise, also after a restart.

        `again`: Discord will say it again at a restart, and need not if the config is another one by then.
        """
        if self.suspended is None:
            self.log.error("account suspended", reason=reason)
        self.suspended = reason
        if not again:
            self.pause.set(reason)
        self.report()

    def receiveMsg_Announce(self, announce: Announce, sender: Any) -> None:
        if "holdings" not in self.waits_for:
            self.report(again=True)

    def receiveMsg_Suspend(self, order: Suspend, sender: Any) -> None:
        if "pause" in self.waits_for:
            self.after(TICK_S, order)
            return
        changed = self.pause.reason is None
        if changed:
            self.suspend(order.reason)
        self.pause.answer(order.ask, changed)

    def receiveMsg_Reinstate(self, order: Reinstate, sender: Any) -> None:
        if "pause" in self.waits_for:
            self.after(TICK_S, order)
            return
        changed = self.suspended is not None
        if changed:
            self.suspended = None
            self.pause.set(None)
            if self.line is not None and self.line.is_dead:
                self._open_line()
            self.learn()
            self.report()
        self.pause.answer(order.ask, changed)

    def receiveMsg_AskStanding(self, question: AskStanding, sender: Any) -> None:
        why = self.told or self.why_down()
        state = "suspended" if self.suspended is not None else "up" if why is None else "down"
        self.tell("console", Standing(question.ask, self.subject, state, why, self.slots, len(self.works)))

    def receiveMsg_SetSlots(self, order: SetSlots, sender: Any) -> None:
        self.slots = order.slots
        self.report(again=True)
