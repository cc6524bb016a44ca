"""The half of the midjourney driver that is about Discord: its gateway line, and whether it hears what it must.

The line is opened when the saved gateway session, what the account drew lately (Store) and who it is (Discord) are
known besides what every account waits for, so that no replayed event finds an account that does not know its drawings.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.account.desk import AccountDesk
from actors.account.errands import Errands, Prepared
from actors.account.health import TICK_S
from actors.account.line import FrameCame, GatewayLine, LineDue, LineLost, LineMade
from actors.account.oddities import Oddities
from actors.account.permit import Permit
from actors.account.rest import Rest, TokenRefused
from actors.monitor.messages import Observed
from core.correlate import Correlator
from core.health import Cause, Health
from protocol.drawing import MIDJOURNEY_APPLICATION_ID, NIJI_APPLICATION_ID, Command
from protocol.drawing_events import Observer
from protocol.gateway import Dispatch, Event, Fatal, Hangup, Identity, Ready, Resumed, SavedSession, Strange
from storage.operations import Found, GatewayRecord, ReadGateway, SaveGateway, Written
from system.message import Message

#: As long as the gateway line is live, for then little is due: it has a clock of its own, and drawings take their time.
CALM_TICK_S = 2.0
#: Accounts that start together, as all of a daemon's do, begin their first connections spread over so long for each of
#: the others: an only one at once, two hundred within four seconds.
START_APART_S, START_S_MAX = 0.02, 30.0
#: A connection that comes back sooner is not worth telling the scheduler.
DOWN_AFTER_S = 5.0
#: The gateway session is saved at most this often while events flow: each time is a write, and what is replayed after a
#: crash because it was not saved yet, the Queue knows already.
SAVE_EACH_S = 10.0
#: And no later than after so many events: Discord replays a bounded number of them, and what is not replayed is lost.
SAVE_EVENTS_MAX = 100
SAVE_APART_S = 1.0
#: GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT (privileged): what a bot needs to read the channel. A user has no intents.
BOT_INTENTS = 1 << 0 | 1 << 9 | 1 << 15
#: What a close code says is wrong, where it says more than that the gateway is closed for good.
CLOSE_CAUSES = {4004: Cause.TOKEN, 4013: Cause.INTENTS, 4014: Cause.INTENTS}


class AccountPresence(AccountDesk):
    """Between AccountDesk and AccountHearing. Subclasses take events by the two last `on_` hooks."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Prepared, TokenRefused, *GatewayLine.TAKES)
    WAITS_FOR: ClassVar[frozenset[str]] = AccountDesk.WAITS_FOR | {"session", "past", "discord"}
    UPSTREAM = "Discord"

    rest: Rest
    errands: Errands
    permit: Permit
    observer: Observer
    correlator: Correlator

    def __init__(self) -> None:
        super().__init__()
        self.commands: dict[str, Command] = {}
        self.line: GatewayLine | None = None
        self.saved: SavedSession | None = None
        self.learning = False
        self.seq: int | None = None
        #: Gateway events that the monitor has not heard of yet.
        self.events_untold = 0
        self.oddities = Oddities(self)
        self.saving = False
        self.save_due_at = 0.0
        self.dark_since = 0.0

    def summary(self) -> dict[str, Any]:
        return super().summary() | {
            "gateway": self.line.gateway.state.name.lower() if self.line is not None else None,
            "seq": self.seq,
            "commands": len(self.commands),
        }

    # --- the start -------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        super().on_start()
        self.correlator = Correlator(born=self.now())
        self.rest = Rest(self, self.account)
        self.errands = Errands(self, self.account, self.rest)
        self.dark_since = self.now() - DOWN_AFTER_S
        self.store.lookup(ReadGateway(self.subject), self._session_found)
        self.learn()

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
            self.strike(Cause.TOKEN if prepared.wrong_token else Cause.SETUP, prepared.problem)
        if prepared.user_id is None:
            return
        applications = frozenset({MIDJOURNEY_APPLICATION_ID, NIJI_APPLICATION_ID})
        self.observer = Observer(applications, self.account.channel_id, prepared.user_id)
        self.permit = Permit(self, self.rest, self.account.kind, prepared.user_id)
        self.arrived("discord")

    def on_open(self) -> None:
        intents = BOT_INTENTS if self.account.kind == "bot" else None
        identity = Identity(self.account.token.reveal(), intents)
        self.line = GatewayLine(self, identity, self.process.config.discord.gateway, self.saved, self.permit)
        self.line.open(min(START_S_MAX, START_APART_S * (len(self.process.config.accounts) - 1)))

    def receiveMsg_TokenRefused(self, news: TokenRefused, sender: Any) -> None:
        self.strike(Cause.TOKEN, f"Discord refuses its token: {news.route} was answered with 401")

    def on_resumed(self) -> None:
        self.rest.reopen()
        if self.line is not None and self.line.is_dead:
            self.on_open()
        self.learn()

    # --- the line --------------------------------------------------------------------------------------------

    def receiveMsg_LineMade(self, news: LineMade, sender: Any) -> None:
        self._hear(news)

    def receiveMsg_LineLost(self, news: LineLost, sender: Any) -> None:
        self._hear(news)

    def receiveMsg_FrameCame(self, news: FrameCame, sender: Any) -> None:
        self._hear(news)

    def receiveMsg_LineDue(self, news: LineDue, sender: Any) -> None:
        self._hear(news)

    def _hear(self, news: LineMade | LineLost | FrameCame | LineDue) -> None:
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
                    if self._is_far_ahead():
                        self._save(self.now())
                case Ready():
                    self.seq = None
                    self.save_due_at = 0.0
                    self._save(self.now())
                    self.on_ready()
                case Resumed():
                    self.on_replayed()
                case Strange(why=why):
                    self.oddities.note(why)
                case Hangup(then=Fatal() as fatal):
                    words = f"Discord closed the gateway for good ({fatal.code}): {fatal.reason}"
                    self.strike(CLOSE_CAUSES.get(fatal.code, Cause.GATEWAY), words)
                case Hangup():
                    self.dark_since = self.now()
                    self.log.info("gateway connection lost", why=event.reason)
        if any(not isinstance(event, Dispatch) for event in events):
            self.report()

    def on_dispatch(self, event: Dispatch) -> None:
        """An event of Discord's."""

    def on_ready(self) -> None:
        """A new gateway session: what happened before it is not replayed."""

    def on_replayed(self) -> None:
        """The gateway session goes on: all that it was told meanwhile has been heard."""

    # --- time ------------------------------------------------------------------------------------------------

    def on_tick(self, now: float) -> None:
        if self.events_untold:
            self.tell("monitor", Observed("limner_gateway_events_total", self.events_untold, (self.subject,)))
            self.events_untold = 0
        self.oddities.tell()
        super().on_tick(now)
        self._save(now)

    def tick_s(self) -> float:
        return CALM_TICK_S if self.line is not None and self.line.is_live else TICK_S

    def event_seq(self) -> int | None:
        return self.seq

    def stored_seq(self) -> int | None:
        """The last gateway event all of whose effects are stored; None: none is known yet."""
        return self.seq

    def _save(self, now: float) -> None:
        """Keep where the session can be resumed from, never ahead of the stored effects."""
        if self.line is None or not self.line.is_live or self.saving:
            return
        due_at = self.save_due_at - (SAVE_EACH_S - SAVE_APART_S if self._is_far_ahead() else 0.0)
        if now < due_at:
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

    def _is_far_ahead(self) -> bool:
        """Whether so much has been heard since the session was saved that it should not wait for its time."""
        saved = self.saved
        return saved is not None and self.seq is not None and self.seq - (saved.seq or 0) >= SAVE_EVENTS_MAX

    @property
    def is_session_kept(self) -> bool:
        """Whether the live gateway session would be resumed after a crash.

        Nothing is submitted before: what becomes of a submission is told to its own session only.
        """
        live = self.line.session_id if self.line is not None else None
        return live is not None and self.saved is not None and self.saved.session_id == live

    def session_id(self) -> str | None:
        return None if self.line is None else self.line.session_id

    def look(self, health: Health) -> Health:
        health = super().look(health)
        if self.is_session_kept:
            return health.healed(Cause.CONNECTION)
        is_blink = self.told is None and self.now() - self.dark_since < DOWN_AFTER_S
        return health if is_blink else health.struck(Cause.CONNECTION, "no gateway connection", self.wall())
