"""What users ask a session, by frame or HTTP, and what it answers: one half of the Session actor (see session.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from actors.queue.messages import Cancel as CancelIt
from actors.queue.messages import CancelHeard, Enqueue, JobAccepted, JobRefused
from actors.session.lines import Line, LineOverrun
from actors.session.messages import Hang
from actors.session.rules import banned_words, check_order
from actors.session.uploads import LookedFor, SessionUploads
from actors.session.user import NEVER
from actors.session.views import NOTHING_LIVE, Live, accepted_frame, first_view, job_view, welcome_frame
from core.job import ACT
from protocol.api import (
    CancelJob,
    JobShown,
    JobsShown,
    KeepUpload,
    MeShown,
    PlaceJob,
    Question,
    Refusal,
    ShowJob,
    ShowJobs,
    ShowMe,
)
from protocol.client import (
    MSGPACK,
    TERMINAL_FRAMES,
    Accepted,
    Act,
    Cancel,
    ClientFrame,
    ClientMistake,
    Draw,
    Error,
    Jobs,
    JobsPage,
    Reset,
    Resume,
    Resumed,
    ServerFrame,
    decode_server,
)
from protocol.frames import CLOSE_LATER, CLOSE_UNAUTHENTICATED
from storage.operations import (
    EventRecords,
    Found,
    JobFound,
    JobRecord,
    JobRecords,
    ListJobs,
    ReadEvents,
    ReadJob,
    UserRecord,
)

#: Events read at once for a replay.
REPLAY_PAGE = 200
#: Orders and cancels under way at the Queue, over all sockets; the Queue's answer to one is seconds away at worst.
ASKERS_MAX = 1000
ACT_MODE = "fast"
NO_USER = "This user is not known any more."
UNREAD = "Your jobs cannot be looked up just now; try again in a moment."
NOT_CANCELLED = {
    "not_found": "There is no such job.",
    "draining": "The job could not be cancelled just now, nothing was done; try again in a moment.",
    "internal": "The cancel could not be stored; try again later.",
}
TOO_LATE = "The job can no longer be cancelled."


@dataclass(slots=True)
class Asker:
    """Who waits for the Queue's answer: a socket with its `ref`, or the `job` that it cancels; or an HTTP request."""

    socket: str
    ref: str | None
    by_http: bool
    job: str | None = None


class SessionWords(SessionUploads):
    """See the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        #: A user has few sockets, and nearly every one has one: a tuple, which is a quarter of a dict.
        self.lines: tuple[Line, ...] = ()
        self.jobs: dict[str, JobRecord] = {}
        self.requests = 0
        self.polled_at = NEVER

    @cached_property
    def live(self) -> dict[str, Live]:
        """What is known of jobs beyond their records. Made when it is asked for, which a silent user's never is."""
        return {}

    @cached_property
    def askers(self) -> dict[str, Asker]:
        """Who waits for the Queue, by request id; made as `live` is."""
        return {}

    # --- speaking --------------------------------------------------------------------------------------------

    def line_of(self, socket: str) -> Line | None:
        """The line of a socket that is here."""
        return next((line for line in self.lines if line.socket == socket), None)

    def drop_line(self, socket: str) -> None:
        """Nothing more is said to this socket."""
        self.lines = tuple(line for line in self.lines if line.socket != socket)

    def hang_up(self, line: Line, reason: str) -> None:
        """This socket cannot be served in order any more; the client comes back and resumes by seq."""
        self.drop_line(line.socket)
        self.tell("gate", Hang(line.socket, CLOSE_LATER, reason))

    def turn_away(self, line: Line) -> None:
        """The database cannot be read, and without it nothing can be told in order: the client is to come again."""
        if line in self.lines:
            self.say(line.socket, Error("draining", UNREAD))
            self.hang_up(line, "draining")

    def tell_event(self, seq: int, frame: ServerFrame) -> None:
        """A stored event, to every socket exactly once and in order.

        One that leaves a gap shows that an earlier one was lost on its way (its Queue died): the gap is replayed first.
        """
        for line in self.lines:
            if line.is_live and seq > line.seq + 1:
                self.catch_up(line)
            try:
                if line.takes(seq, frame):
                    self.say(line.socket, frame)
            except LineOverrun:
                self.hang_up(line, "too slow to resume")

    def catch_up(self, line: Line) -> None:
        """Replays to a live line what it has missed, without a word about it."""
        line.hold()
        self._replay(line, line.seq, asked=False)

    def tell_passing(self, frame: ServerFrame) -> None:
        """What is not stored, to those who listen now."""
        for line in self.lines:
            if line.is_live:
                self.say(line.socket, frame)

    # --- opening a line --------------------------------------------------------------------------------------------

    def greet(self, line: Line, user: UserRecord | None) -> None:
        """`welcome`, and then what has happened since the user's record was read."""
        if line not in self.lines:
            return  # gone meanwhile
        if user is None:
            self.drop_line(line.socket)
            self.say(line.socket, Error("unauthenticated", NO_USER))
            self.tell("gate", Hang(line.socket, CLOSE_UNAUTHENTICATED, "unauthenticated"))
            return
        seq = max(user.seq, line.seq)  # the record may have been read before what other sockets were told
        self.say(line.socket, welcome_frame(user, seq, self.process.config.plan(user.plan), self.charged_at()))
        for frame in line.release(seq):
            self.say(line.socket, frame)

    # --- frames ----------------------------------------------------------------------------------------------

    def hear_frame(self, line: Line, frame: ClientFrame) -> None:
        """A frame on a socket of ours."""
        match frame:
            case Draw() | Act():
                self._order(frame, Asker(line.socket, frame.ref, by_http=False))
            case Cancel(job=job):
                self._cancel(job, Asker(line.socket, None, by_http=False, job=job))
            case Jobs(before=before, limit=limit):
                self._list(before, limit, None, Asker(line.socket, None, by_http=False))
            case Resume(after=after):
                self._resume(line, after)
            case _:
                self.say(line.socket, Error("bad_frame", "This cannot be said here."))

    def _resume(self, line: Line, after: int) -> None:
        if not line.is_live:
            self.say(line.socket, Error("bad_frame", "A resume is under way on this connection."))
            return
        line.hold()
        self._replay(line, after, asked=True)

    def _replay(self, line: Line, after: int, asked: bool) -> None:
        """Reads the events after `after` page by page and sends them; live ones wait in the line meanwhile."""

        def found(page: Found) -> None:
            if not isinstance(page, EventRecords) or line not in self.lines:
                return
            if after > page.newest or after < page.oldest - 1:
                self._finish_replay(line, page.newest, Reset(page.newest))
                return
            for frame in (decode_server(event.frame, MSGPACK) for event in page.events):
                if isinstance(frame, TERMINAL_FRAMES):
                    self.jobs.pop(frame.job, None)  # its JobSettled is on its way
                self.say(line.socket, frame)
            last = page.events[-1].seq if page.events else after
            if last < page.newest and page.events:
                self._replay(line, last, asked)
            else:
                self._finish_replay(line, last, Resumed(last) if asked else None)

        self.store.lookup(
            ReadEvents(self.subject, after, REPLAY_PAGE), found, lambda why: self.turn_away(line), patient=True
        )

    def _finish_replay(self, line: Line, seq: int, last: ServerFrame | None) -> None:
        if last is not None:
            self.say(line.socket, last)
        for frame in line.release(seq):
            self.say(line.socket, frame)

    # --- questions -------------------------------------------------------------------------------------------

    def hear_question(self, socket: str, question: Question) -> None:
        """An HTTP request: one answer."""
        self.polled_at = self.now()
        match question:
            case PlaceJob(order=order):
                self._order(order, Asker(socket, order.ref, by_http=True))
            case CancelJob(job=job):
                self._cancel(job, Asker(socket, None, by_http=True))
            case ShowJob(job=job):
                self._show(job, socket)
            case ShowJobs(before=before, limit=limit, state=state):
                self._list(before, limit, state, Asker(socket, None, by_http=True))
            case KeepUpload(data=data):
                self.keep_upload(socket, data)
            case ShowMe():
                unread = self._unread(Asker(socket, None, by_http=True))
                self.with_user(lambda user: self._show_me(socket, user), unread)
            case _:
                self.say(socket, Refusal("not_found", "A session does not answer this."))

    def _show_me(self, socket: str, user: UserRecord | None) -> None:
        if user is None:
            self.say(socket, Refusal("unauthenticated", NO_USER))
        else:
            self.say(
                socket, MeShown(welcome_frame(user, self.seq, self.process.config.plan(user.plan), self.charged_at()))
            )

    def _show(self, job: str, socket: str) -> None:
        def found(answer: Found) -> None:
            if isinstance(answer, JobFound):
                self.say(socket, JobShown(self.view(answer.job)))
            else:
                self.say(socket, Refusal("not_found", "There is no such job."))

        self.store.lookup(ReadJob(job, self.subject), found, self._unread(Asker(socket, None, by_http=True)))

    def _list(self, before: str | None, limit: int, state: str | None, asker: Asker) -> None:
        def found(page: Found) -> None:
            if isinstance(page, JobRecords):
                shown = JobsShown if asker.by_http else JobsPage
                self.say(asker.socket, shown(tuple(self.view(job) for job in page.jobs), page.next))

        self.store.lookup(ListJobs(self.subject, before, limit, state), found, self._unread(asker))

    def view(self, job: JobRecord) -> Any:
        """The job as users see it, with what is known live."""
        return job_view(job, self.live.get(job.id, NOTHING_LIVE))

    # --- orders and cancels ----------------------------------------------------------------------------------

    def _order(self, order: Draw | Act, asker: Asker) -> None:
        prompts = self.process.config.prompts
        try:
            check_order(order, banned_words(prompts.banned_words_file), prompts.allowed_flags)
        except ClientMistake as mistake:
            self._refuse(asker, mistake.code, mistake.message, None)
            return
        if not self.look_for_uploads(order, asker.socket, asker.by_http):
            self._order_drawing(order, asker)

    def receiveMsg_LookedFor(self, looked: LookedFor, sender: Any) -> None:
        self.looking -= 1
        asker, refusal = Asker(looked.socket, looked.order.ref, looked.by_http), looked.refusal
        if refusal is not None:
            self._refuse(asker, refusal.code, refusal.message, None)
        else:
            self._order_drawing(looked.order, asker)

    def _order_drawing(self, order: Draw | Act, asker: Asker) -> None:
        if isinstance(order, Draw):
            self.with_plan(lambda plan: self._enqueue(order, order.mode, asker, plan), self._unread(asker))
            return

        def found(parent: Found) -> None:
            # An act names no mode: it is drawn as its parent was. A parent that is not there, the Queue refuses.
            mode = parent.job.mode if isinstance(parent, JobFound) else ACT_MODE
            self.with_plan(lambda plan: self._enqueue(order, mode, asker, plan), self._unread(asker))

        self.store.lookup(ReadJob(order.job, self.subject), found, self._unread(asker))

    def _enqueue(self, order: Draw | Act, mode: str, asker: Asker, plan: str | None) -> None:
        if plan is None:
            self._refuse(asker, "unauthenticated", NO_USER, None)
            return
        who, prompt = (self.subject, self._await(asker), plan, order.ref), order.prompt or ""
        if isinstance(order, Draw):
            wish = Enqueue(*who, order.kind, prompt, mode, order.images)
        else:
            wish = Enqueue(*who, ACT, prompt, mode, order.images, order.action, order.index, order.job)
        self.tell("queue", wish)

    def _cancel(self, job: str, asker: Asker) -> None:
        self.tell("queue", CancelIt(self.subject, self._await(asker), job))

    def _await(self, asker: Asker) -> str:
        """A request id for the Queue. An asker whose answer never came (the Queue died) makes room for newer ones."""
        self.requests += 1
        request = f"{self.name}:{self.life}:{self.requests}"
        if len(self.askers) >= ASKERS_MAX:
            del self.askers[next(iter(self.askers))]
        self.askers[request] = asker
        return request

    def _refuse(self, asker: Asker, code: str, message: str, retry_after_s: float | None) -> None:
        if asker.by_http:
            self.say(asker.socket, Refusal(code, message, retry_after_s))
        elif self.line_of(asker.socket) is not None:
            self.say(asker.socket, Error(code, message, asker.ref, asker.job))

    def _unread(self, asker: Asker) -> Callable[[str], None]:
        """What is said to who asked for something that the database does not let be read now."""
        return lambda why: self._refuse(asker, "draining", UNREAD, None)

    def accepted(self, told: JobAccepted) -> None:
        """The Queue has stored an order: an event for all sockets, and the answer to who asked."""
        asker = self.askers.pop(told.request_id, None)
        if told.replayed:
            if asker is not None:
                self._answer_again(told, asker)
            return
        self.tell_event(told.seq, accepted_frame(told.job, told.seq, told.position, told.eta_s))
        if asker is not None and asker.by_http:
            self.say(asker.socket, JobShown(first_view(told.job, told.position, told.eta_s)))

    def _answer_again(self, told: JobAccepted, asker: Asker) -> None:
        """The same request again: the first answer again, its place included, from the event stored with it."""

        def found(page: Found) -> None:
            events = page.events if isinstance(page, EventRecords) else ()
            first = next((decode_server(e.frame, MSGPACK) for e in events if e.seq == told.seq), None)
            if not isinstance(first, Accepted):  # too old to be kept
                first = accepted_frame(told.job, told.seq, told.position, told.eta_s)
            if asker.by_http:
                self.say(asker.socket, JobShown(first_view(told.job, first.position, first.eta_s), replayed=True))
            elif self.line_of(asker.socket) is not None:
                self.say(asker.socket, first)

        self.store.lookup(ReadEvents(self.subject, told.seq - 1, 1), found, self._unread(asker))

    def refused(self, told: JobRefused) -> None:
        """The Queue has stored nothing."""
        asker = self.askers.pop(told.request_id, None)
        if asker is not None:
            self._refuse(asker, told.code, told.message, told.retry_after_s)

    def cancel_heard(self, told: CancelHeard) -> None:
        """A cancel is done, asked for, or refused; on a socket the terminal event tells of success."""
        asker = self.askers.pop(told.request_id, None)
        if asker is None:
            return
        if told.code is not None or told.job is None:
            code = told.code or "not_found"
            self._refuse(asker, code, NOT_CANCELLED.get(code, TOO_LATE), None)
        elif asker.by_http:
            self._show(told.job.id, asker.socket)
