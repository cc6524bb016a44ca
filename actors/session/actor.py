"""Session: one user's presence on this host. Speaks the user's frames, and passes tokens on for the user's jobs.

Takes   Attach, Detach, Heard (gate);  JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled (queue);
        Token (scheduler);  Progressed (account, gallery);  PlanChanged, AskProgress (console);
        Committed, NotCommitted, LookedUp (store);  Rest (lobby);  ResendDue, PlacesDue, RestDue, ReviewDue, Uploaded,
        LookedFor (itself)
Sends   Say, Hang -> gate;  Enqueue, Cancel, AskPlaces -> queue;  Perform -> account/NAME;  Lookup -> store;
        Resting -> lobby;  ProgressTold -> console
Crash   a fresh one is made when the lobby has something for it; its sockets are closed 1013 and resume by seq; void
        leases time out

In two parts, one actor: session/words.py (what users ask, and the answers), and here its life: what it loads, the
events it passes to its sockets, and its end. Whatever comes while it loads waits, in order.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from msgspec.structs import replace

from actors.account.messages import Perform, Progressed
from actors.console.messages import AskProgress, ProgressTold
from actors.queue.messages import (
    PLACES_TOLD_MAX,
    AskPlaces,
    CancelHeard,
    JobAccepted,
    JobMoved,
    JobRefused,
    JobSettled,
    Places,
)
from actors.queue.orders import PlanChanged
from actors.scheduler import Token
from actors.session.lines import Line
from actors.session.messages import Attach, Detach, Hang, Heard, Rest, Resting
from actors.session.uploads import LookedFor, Uploaded
from actors.session.user import NEVER
from actors.session.views import NOTHING_LIVE, PLACES_EACH_S, PLACES_EXACT_EACH_S, Live, is_news, pause_s
from actors.session.words import UNREAD, SessionWords
from core.job import TERMINAL, WAITING
from protocol.api import Refusal
from protocol.client import ClientFrame, Error, Progress, Queued, Started
from protocol.frames import CLOSE_LATER, about
from storage.events import terminal_frame
from storage.operations import Found, JobRecord, JobRecords, Unfinished, UserRecord
from system.message import Message

LOAD_PAGE = 500
#: Messages that may wait while the session loads; more in that moment means that something is badly wrong.
HELD_MAX = 2000
#: So many of a user's next jobs are told of a place that moved by what shows; all of them when it is told exactly. In a
#: long queue every place moves all the time, and ten thousand users would hear of little else.
PLACES_TOLD_OFTEN = 10
#: Timers may fire a little early.
TIMER_EARLY_S = 0.01
#: Places are asked for also when nobody is connected but somebody asked by HTTP within this time.
POLLED_S = 30.0
REST_AFTER_S = 15.0
#: How long nothing may be heard of a job, until the store is asked: its Queue may have died between storing its end and
#: telling it. What goes on is heard of sooner: of a place in the queue, or of progress.
SILENT_S = 60.0
#: Several jobs that are silent since a little apart are looked at together.
REVIEW_EACH_S_MIN = 5.0


class PlacesDue(Message, frozen=True):
    """Time to ask where the waiting jobs stand."""


class RestDue(Message, frozen=True):
    """Idle for REST_AFTER_S, unless something was heard since."""

    heard: int


class ReviewDue(Message, frozen=True):
    """Time to see whether the store knows of an end that nobody told."""


class SessionOverrun(RuntimeError):
    """Too much came while the store did not answer."""


class Session(SessionWords):
    """See the module's docstring."""

    ACCEPTS = (
        *(Attach, Detach, Heard, Token, Progressed, Rest, PlacesDue, RestDue, ReviewDue, Uploaded, LookedFor),
        *(JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled, PlanChanged),
        AskProgress,
    )
    #: What comes by way of the lobby: counted, and held while the session loads.
    ROUTED = frozenset(ACCEPTS) - {Rest, PlacesDue, RestDue, ReviewDue, Uploaded, LookedFor}

    def __init__(self) -> None:
        super().__init__()
        #: What came while the session loads; None since it has.
        self.held: list[Message] | None = []
        self.heard = 0
        #: When the places are asked for next, and when they were last told exactly (loop s).
        self.places_due_at: float | None = None
        self.places_exact_at = NEVER
        self.resting_due = False
        self.review_due = False

    @cached_property
    def heard_at(self) -> dict[str, float]:
        """When something was last heard of each job (loop s); maybe also of jobs that have ended. Made as `live` is."""
        return {}

    def summary(self) -> dict[str, Any]:
        return {
            "sockets": len(self.lines),
            "jobs": len(self.jobs),
            "loading": self.held is not None,
            "heard": self.heard,
            "requests": self.requests,
        }

    # --- loading ---------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        super().on_start()
        self._load(None)

    def _load(self, after: str | None) -> None:
        def loaded(page: Found) -> None:
            if not isinstance(page, JobRecords):
                raise TypeError(f"the store answered {type(page).__name__} for unfinished jobs")
            for job in page.jobs:
                self._know(job)
            if page.next is not None:
                self._load(page.next)
            else:
                self._open()

        def refused(why: str) -> None:
            self._turn_away_held()
            self._load(after)

        self.store.lookup(Unfinished(self.subject, after, LOAD_PAGE), loaded, refused, patient=True)

    def _turn_away_held(self) -> None:
        """Who waits for a session that cannot load is told so, for it may take long; what others told it waits on."""
        held, self.held = self.held or [], []
        for message in held:
            match message:
                case Attach(socket=socket):
                    self.say(socket, Error("draining", UNREAD))
                    self.tell("gate", Hang(socket, CLOSE_LATER, "draining"))
                case Heard(socket=socket, words=words) if isinstance(words, ClientFrame):
                    self.say(socket, Error("draining", UNREAD, *about(words)))
                case Heard(socket=socket):
                    self.say(socket, Refusal("draining", UNREAD))
                case Detach():
                    pass  # its Attach came before it
                case _:
                    self.held.append(message)

    def _open(self) -> None:
        held, self.held = self.held, None
        for message in held or ():
            self._handlers[type(message)](self, message, self.myAddress)
        self._look_ahead()

    def receiveMessage(self, message: Any, sender: Any) -> None:
        """As ever, but what is routed to the user is counted for `Resting`, and waits while the session loads."""
        if type(message) in self.ROUTED:
            self.heard += 1
            if self.held is not None and type(message) is not Token:
                if len(self.held) >= HELD_MAX:
                    self._myRef.crash(SessionOverrun(f"{HELD_MAX} messages while loading"), message)
                    return
                self.held.append(message)
                return
        super().receiveMessage(message, sender)
        if self.held is None:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Keeps the timers that this state needs, and no others: ten thousand idle sessions have none."""
        if self.places_due_at is None and self._wants_places():
            self._ask_places_in(PLACES_EACH_S)
        if not self.review_due and self.jobs:
            self.review_due = True
            silent_s = self.now() - min(self.heard_at[job] for job in self.jobs)
            self.after(max(REVIEW_EACH_S_MIN, SILENT_S - silent_s), ReviewDue())
        if not self.resting_due and self._is_idle():
            self.resting_due = True
            self.after(REST_AFTER_S, RestDue(self.heard))

    # --- sockets ---------------------------------------------------------------------------------------------

    def receiveMsg_Attach(self, attach: Attach, sender: Any) -> None:
        line = Line(attach.socket, self.seq)
        self.lines += (line,)
        self.with_user(lambda user: self.greet(line, user), lambda why: self.turn_away(line), patient=True)

    def receiveMsg_Detach(self, detach: Detach, sender: Any) -> None:
        self.drop_line(detach.socket)

    def receiveMsg_Heard(self, heard: Heard, sender: Any) -> None:
        if not isinstance(heard.words, ClientFrame):
            self.hear_question(heard.socket, heard.words)
        elif (line := self.line_of(heard.socket)) is not None:
            self.hear_frame(line, heard.words)

    # --- jobs ------------------------------------------------------------------------------------------------

    def receiveMsg_JobAccepted(self, told: JobAccepted, sender: Any) -> None:
        if told.replayed:
            for line in self.lines:
                if line.is_live and line.seq < told.seq:  # the Queue that accepted it died before it told of it
                    self.catch_up(line)
        else:
            self._know(told.job)
            self.live[told.job.id] = Live(told.position, told.eta_s)
            if told.position is not None and self._wants_places():
                self._ask_places_in(pause_s(told.position, told.eta_s))
            self._stored(told.seq)
        self.accepted(told)

    def receiveMsg_JobRefused(self, told: JobRefused, sender: Any) -> None:
        self.refused(told)

    def receiveMsg_CancelHeard(self, told: CancelHeard, sender: Any) -> None:
        self.cancel_heard(told)

    def receiveMsg_JobMoved(self, moved: JobMoved, sender: Any) -> None:
        job = moved.job
        if job.state in TERMINAL:
            return  # its JobSettled tells
        self._know(job)
        if moved.seq is not None:
            self._stored(moved.seq)
            self.tell_event(moved.seq, Started(moved.seq, job.id))

    def receiveMsg_JobSettled(self, settled: JobSettled, sender: Any) -> None:
        self.jobs.pop(settled.job.id, None)
        self.live.pop(settled.job.id, None)
        self._stored(settled.seq)
        self.tell_event(settled.seq, terminal_frame(settled.job, settled.seq))

    def receiveMsg_Token(self, token: Token, sender: Any) -> None:
        perform = Perform(token.user, token.job, token.attempt, token.lease, token.account, token.epoch)
        self.tell(f"account/{token.account}", perform)

    def receiveMsg_Progressed(self, progressed: Progressed, sender: Any) -> None:
        if progressed.job not in self.jobs:
            return  # it has ended, and its last word was said
        self.heard_at[progressed.job] = self.now()
        before = self.live.get(progressed.job, NOTHING_LIVE)
        percent = max(before.percent or 0, progressed.percent)
        preview = progressed.preview or before.preview
        if (percent, preview) == (before.percent, before.preview):
            return
        self.live[progressed.job] = replace(before, percent=percent, preview=preview)
        self.tell_passing(Progress(self.seq, progressed.job, percent, preview))

    def receiveMsg_AskProgress(self, ask: AskProgress, sender: Any) -> None:
        known = {job: percent for job in ask.jobs if (percent := self.live.get(job, NOTHING_LIVE).percent) is not None}
        self.tell_first("console", ProgressTold(ask.ask, known))

    def receiveMsg_PlanChanged(self, changed: PlanChanged, sender: Any) -> None:
        self.plan, self.read_at = changed.plan, NEVER

    def _know(self, job: JobRecord) -> None:
        self.jobs[job.id] = job
        self.heard_at[job.id] = self.now()

    def _stored(self, seq: int) -> None:
        self.seq = max(self.seq, seq)

    def receiveMsg_ReviewDue(self, due: ReviewDue, sender: Any) -> None:
        """The Queue tells an event once, after it is stored; if it dies in between, the store knows better than we."""
        self.review_due = False
        now = self.now()
        self.heard_at = {job: self.heard_at[job] for job in self.jobs}
        silent = [job for job, at in self.heard_at.items() if now - at >= SILENT_S - REVIEW_EACH_S_MIN]
        if not silent:
            return
        self.heard_at.update(dict.fromkeys(silent, now))

        def reviewed(page: Found) -> None:
            if isinstance(page, JobRecords):
                unfinished = {job.id for job in page.jobs}
                for job in silent:
                    if job not in unfinished and (page.next is None or job <= page.next):
                        self.jobs.pop(job, None)
                        self.live.pop(job, None)

        self.store.lookup(Unfinished(self.subject, None, LOAD_PAGE), reviewed)
        self.with_user(self._catch_up_all)

    def _catch_up_all(self, user: UserRecord | None) -> None:
        for line in self.lines:
            if user is not None and line.is_live and line.seq < user.seq:
                self.catch_up(line)

    # --- places in the queue ---------------------------------------------------------------------------------

    def _ask_places_in(self, seconds: float) -> None:
        """Or sooner, if that was said before."""
        due_at = self.now() + seconds
        if self.places_due_at is None or due_at < self.places_due_at:
            self.places_due_at = due_at
            self.after(seconds, PlacesDue())

    def receiveMsg_PlacesDue(self, due: PlacesDue, sender: Any) -> None:
        now = self.now()
        if self.places_due_at is None or now < self.places_due_at - TIMER_EARLY_S:
            return  # they were asked for sooner than this timer knew
        self.places_due_at = None
        if self._wants_places():
            exactly = now - self.places_exact_at >= PLACES_EXACT_EACH_S - TIMER_EARLY_S
            if exactly:
                self.places_exact_at = now
            self.tell("queue", AskPlaces(self.subject, PLACES_TOLD_MAX if exactly else PLACES_TOLD_OFTEN))
            self._ask_places_in(PLACES_EXACT_EACH_S)  # sooner, if the answer says so

    def receiveMsg_Places(self, places: Places, sender: Any) -> None:
        now = self.now()
        exactly = now - self.places_exact_at < PLACES_EACH_S
        for place in places.places:
            if place.job not in self.jobs:
                continue
            self.heard_at[place.job] = now
            before = self.live.get(place.job, NOTHING_LIVE)
            if is_news(before, place.position, place.eta_s, exactly=exactly):
                self.live[place.job] = replace(before, position=place.position, eta_s=place.eta_s)
                self.tell_passing(Queued(self.seq, place.job, place.position, place.eta_s))
        if places.places:
            self._ask_places_in(min(pause_s(place.position, place.eta_s) for place in places.places))

    def _wants_places(self) -> bool:
        listened_to = bool(self.lines) or self.now() - self.polled_at < POLLED_S
        return listened_to and any(job.state in WAITING for job in self.jobs.values())

    # --- rest ------------------------------------------------------------------------------------------------

    def _is_idle(self) -> bool:
        under_way = self.uploading or self.looking or len(self.store)
        return not (self.held is not None or self.lines or self.jobs or under_way)

    def receiveMsg_RestDue(self, due: RestDue, sender: Any) -> None:
        self.resting_due = False
        if due.heard == self.heard and self._is_idle():
            self.tell("lobby", Resting(self.subject, self.heard))

    def receiveMsg_Rest(self, rest: Rest, sender: Any) -> None:
        self.leave()
