"""The half of an account that listens: what the drawing bot says, whose it is, and what it means for the drawing.

The grammar is protocol.drawing_events, whose it is decides core.correlate; here the findings become facts for the
Queue, progress for the user, and an end of the work.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from actors.account.errands import HistoryCame, messages_of
from actors.account.messages import Previewed, Progressed, preview_path
from actors.account.pause import cause_of_notice
from actors.account.presence import SAVE_EVENTS_MAX, AccountPresence
from actors.account.readings import drawing_nonce, sign_of
from actors.account.work import Step, Work, after_refusal
from actors.queue.messages import Drawn, Failed, Returned, Sighted
from core.signs import Began, Ended, Finding, Held, Late, Moved, Sign, Took, Unclaimed
from protocol import drawing_events as seen
from protocol.drawing_text import seed_offer
from protocol.gateway import Dispatch
from system.message import Message

#: A doubt that the Queue has for no longer than this is ended at once, and not with the start message.
TAKEN_TOLD_S_MIN = 30.0
#: So many events beyond the first that waits for evidence, the session is saved all the same. Discord replays a bounded
#: number of them and ends a session that asks for more, and with it goes the evidence of all its drawings; what waits
#: is a message, which the next life finds in the channel.
HELD_EVENTS_MAX = SAVE_EVENTS_MAX // 2


class AccountHearing(AccountPresence):
    """Between AccountPresence and Account."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (HistoryCame,)

    def __init__(self) -> None:
        super().__init__()
        #: The first event whose meaning still waits for evidence in the correlator.
        self.held_seq: int | None = None

    def on_dispatch(self, event: Dispatch) -> None:
        self.observe(self.observer.observe(event.type, event.data))

    def receiveMsg_HistoryCame(self, came: HistoryCame, sender: Any) -> None:
        for message in messages_of(came.page):
            self.observe(self.observer.observe("MESSAGE_CREATE", message))

    def observe(self, observation: seen.Observation) -> None:
        """What the bot said, live, replayed or in the channel's history."""
        match observation:
            case seen.Odd(why=why):
                self.oddities.note(why)
            case seen.Refusal(pauses_account=True, title=title, description=description):
                self.strike(cause_of_notice(title), title, description)
        sign = sign_of(observation)
        if sign is not None:
            self.act_on(self.correlator.observe(sign, self.now()))
        if isinstance(observation, seen.Postponed):
            # Its turn may come in minutes, and its start message will not bear the nonce.
            self.tell_taken(
                work for work in self.works.values() if work.job and drawing_nonce(work.job) == observation.links.nonce
            )

    def tell_taken(self, works: Iterable[Work]) -> None:
        """The Queue hears now of these what only we know: that they were taken, and by which interaction."""
        for work in works:
            if work.took_seq is not None:
                self._sighted(work)

    def act_on(self, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            match finding:
                case Held():
                    self.log.info("a result waits for evidence", candidates=len(finding.candidates))
                case Unclaimed():
                    self.debug("a message of the bot's is no drawing's of ours", stage=finding.sign.stage.value)
                case Late():
                    self._late(finding)
                case _:
                    work = self.work_of(finding.job_id, finding.attempt)
                    if work is not None:
                        self._found(work, finding)
        if self.correlator.next_deadline(self.now()) is None:
            self.held_seq = None
        elif self.held_seq is None:
            self.held_seq = self.seq

    def _found(self, work: Work, finding: Took | Began | Moved | Ended) -> None:
        what = type(finding).__name__
        self.debug("something was heard of a drawing", job=work.job_id, user=work.user, attempt=work.attempt, what=what)
        if isinstance(finding, Ended):
            self._ended(work, finding.sign)
            return
        work.heard_at = self.now()
        doubt = work.doubt if work.step is Step.DOUBTFUL else None
        if work.step in (Step.SUBMITTING, Step.DOUBTFUL):
            work.step, work.since, work.doubt = Step.WITH_BOT, self.now(), None
        if isinstance(finding, (Took, Began)):
            work.interaction_id = finding.interaction_id or work.interaction_id
        match finding:
            case Took():
                # Told with the start message, which nearly always comes soon: a refusal at once may be given back.
                work.took_seq = self.seq
                if doubt is not None and (work.restored or doubt.until - self.now() <= TAKEN_TOLD_S_MIN):
                    self._sighted(work)  # before the Queue gives it up
            case Began(message_id=message_id):
                self._sighted(work, message_id=message_id)
                self.note_cancel(work, message_id, None)
            case Moved(percent=percent, hash=hash_, sign=sign):
                if hash_ is not None and hash_ != work.hash:
                    work.hash = hash_
                    self._sighted(work, hash_=hash_)
                self._moved(work, percent, sign)

    def _sighted(self, work: Work, message_id: str | None = None, hash_: str | None = None) -> None:
        fact = Sighted(self.subject, work.job_id, work.attempt, work.interaction_id, message_id, hash_ or work.hash)
        self.outbox.put(fact, self.seq if work.took_seq is None else work.took_seq)
        work.sighted, work.took_seq = True, None

    def _moved(self, work: Work, percent: int, sign: Sign) -> None:
        seen_of, preview = sign.parcel, None
        if isinstance(seen_of, seen.Progressed):
            self.note_cancel(work, sign.message_id, seen_of.cancel_id)
            if seen_of.preview_url is not None:
                self.tell("gallery", Previewed(work.user, work.job_id, seen_of.preview_url))
                preview = preview_path(work.job_id, percent)
        self.tell("lobby", Progressed(work.user, work.job_id, percent, preview))

    def _ended(self, work: Work, sign: Sign) -> None:
        end = sign.parcel
        if isinstance(end, seen.Finished):
            fact: Drawn | Failed | Returned = self._drawn(work.job_id, work.attempt, end, work.hash)
        elif isinstance(end, seen.Refusal):
            fact = after_refusal(self.subject, work, end)
        else:
            fact = self.cancelled(work, charged=work.stop_wanted)
        self.end(work, fact, closed=True)

    def _drawn(self, job_id: str, attempt: int, end: seen.Finished, hash_: str | None) -> Drawn:
        links, known = end.links, end.links.hash or hash_
        offers = end.offers if known is None or end.url is None else (*end.offers, seed_offer(known))
        return Drawn(self.subject, job_id, attempt, links.message_id or "", end.url, known, offers, end.text)

    def _late(self, late: Late) -> None:
        """A result after the end: kept on record for the operator, and changes nothing (CONTRACT §5)."""
        self.log.warning("a drawing came after its job had ended", job=late.job_id, attempt=late.attempt)
        if isinstance(late.sign.parcel, seen.Finished):
            self.outbox.put(self._drawn(late.job_id, late.attempt, late.sign.parcel, None), self.seq)

    def stored_seq(self) -> int | None:
        if self.seq is None:
            return None
        held = None if self.held_seq is None else max(self.held_seq, self.seq + 1 - HELD_EVENTS_MAX)
        pending = [self.outbox.oldest_seq, held, *(work.took_seq for work in self.works.values())]
        return min(self.seq, min((seq for seq in pending if seq is not None), default=self.seq + 1) - 1)

    # --- what Account does about it --------------------------------------------------------------------------

    @abstractmethod
    def end(self, work: Work, fact: Drawn | Failed | Returned, closed: bool = False, never_taken: bool = False) -> None:
        """The attempt has ended with this fact."""

    @abstractmethod
    def note_cancel(self, work: Work, message_id: str | None, custom_id: str | None) -> None:
        """The drawing's cancel button was seen."""
