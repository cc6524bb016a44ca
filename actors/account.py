"""Account: one Discord account through which the drawing bot works. Carries drawings there and tells what became of it.

Takes   Perform (session);  Go, NoGo, Acknowledged, Holdings, Stop (queue);  Announce (scheduler);  FreshPicture
        (gallery);  Suspend, Reinstate, SetSlots, AskStanding (console);  TellHealth (monitor);  Committed,
        NotCommitted, LookedUp (store);  Prepared, Posted, HistoryCame, LineMade, LineLost, FrameCame, Tick, ResendDue
        (itself)
Sends   Begin, Returned, Doubtful, Sighted, Drawn, Failed, AskHoldings -> queue;  AccountUp, AccountDown, SlotFree,
        Renew -> scheduler;  Progressed -> lobby;  Previewed, PictureAt -> gallery;  Observed -> monitor;
        Obeyed, Standing -> console;  Commit, Lookup -> store
Crash   restarted by Accounts; resumes its gateway session, asks the Queue what it holds, and correlates again

Its start, its gateway line and its being up or down are in account_presence.py, what it hears of the bot in
account_hearing.py; here are its drawings, from the token to the end.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from actors.account_errands import GO_FRESH_S, Posted
from actors.account_hearing import AccountHearing
from actors.account_messages import (
    FreshPicture,
    Perform,
    PictureAt,
)
from actors.account_readings import FORM_ACTIONS, TOLD_ENDS, drawing_of
from actors.account_work import Step, Work, after_posted
from actors.queue_messages import (
    Acknowledged,
    Begin,
    Doubtful,
    Drawn,
    Failed,
    Go,
    Holdings,
    NoGo,
    Returned,
    Stop,
)
from actors.scheduler import Renew, SlotFree
from core.correlate import GHOST_S_MAX
from core.job import State
from core.reconcile import GRACE_S, Doubt, Ruling, patience_s, rule
from protocol.drawing_events import ModalAsked
from storage.operations import Found, JobRecord, Past, ReadPast

LEASE_RENEW_S = 20.0
#: Neither Go nor NoGo for this long: the word was lost. Longer than the scheduler waits for a lease to begin.
BEGIN_S_MAX = 15.0
#: A token may wait this long for a rate limit and still begin in time.
HOLD_S_MAX = 5.0
#: Timers count microseconds.
HOLD_S_MIN = 0.001
#: How soon a token is looked at again that came while the bot's commands were being learnt, the session kept, or the
#: gateway connection resumed.
LEARNING_S = 0.25
PRESS_AGAIN_S = 10.0
#: Reconnects on purpose, to prove what was not taken, are this far apart.
PROVE_EACH_S = 30.0
POSTED_MAX = 10_000
#: Of more attempts than this nothing is recalled: the correlator keeps no more results in mind.
PAST_COUNT_MAX = 2_000
#: What was submitted may bear a time of before the clock was set, by this much.
CLOCK_STEP_S_MAX = 3_600.0
UNDECIDED_TEXT = "It could not be learnt what became of this drawing, so it was not sent again."
#: A drawing of which nothing was heard for this long may have ended in an event that never came: the channel knows.
SILENT_S = 45.0
#: So long after it was taken neither a start message nor a refusal has come: that it was taken must be stored.
TOOK_TOLD_S = 5.0
#: A press that opened no form within this time has drawn nothing.
FORM_S_MAX = 20.0


class Account(AccountHearing):
    """See the module's docstring."""

    ACCEPTS = (Perform, Go, NoGo, Acknowledged, Holdings, Stop, FreshPicture, Posted)

    def __init__(self) -> None:
        super().__init__()
        #: Attempts of this life whose POST may have left us: never given back for want of a Go.
        self.posted: OrderedDict[tuple[str, int], None] = OrderedDict()
        self.renewed_at = 0.0
        self.proved_at = -PROVE_EACH_S
        self.searched_at = -SILENT_S
        self.search_due = False

    # --- from token to submission ----------------------------------------------------------------------------

    def receiveMsg_Perform(self, token: Perform, sender: Any) -> None:
        work = self.works.get(token.job)
        if work is not None and work.attempt >= token.attempt:
            return
        if self.why_down() is not None or self.line is None:
            return  # the lease does not begin: it is void soon, and the job goes elsewhere
        if work is None and len(self.works) >= self.slots:
            return  # a token of a scheduler that did not know all we hold
        wait_s = max(self.errands.hold_s(), LEARNING_S if self.learning or not self.is_session_kept else 0.0)
        if wait_s > 0:
            if wait_s < HOLD_S_MAX:
                self.after(max(wait_s, HOLD_S_MIN), token)
            else:
                self._hold_back(wait_s)
            return
        session_id, now = self.line.session_id, self.now()
        self.works[token.job] = Work(
            token.job, token.user, token.attempt, token.lease, Step.BEGINNING, now, session_id=session_id
        )
        self.tell("queue", Begin(self.subject, token.job, token.attempt, token.lease, session_id))

    def receiveMsg_NoGo(self, refusal: NoGo, sender: Any) -> None:
        work = self.work_of(refusal.job, refusal.attempt)
        if work is not None and work.step is Step.BEGINNING:
            self._let_go(work)

    def receiveMsg_Go(self, go: Go, sender: Any) -> None:
        job = go.job
        work = self.work_of(job.id, job.attempt)
        if (job.id, job.attempt) in self.posted:
            return
        line = self.line
        if work is None or line is None or line.session_id is None or line.session_id != job.gateway_session:
            self._give_back(job, "the gateway connection changed before it was submitted")
        elif work.stop_wanted:
            self.end(work, self.cancelled(work, charged=False))
        else:
            work.job, work.step, work.since, work.go_at = job, Step.SUBMITTING, self.now(), self.now()
            work.due_at = work.go_at + self.process.config.limits.drawing_s
            self._remember_posted(job)
            self.correlator.open(drawing_of(job))
            self._renew(work)
            self.work(self.errands.submit(job, line.session_id, self.commands, work.go_at), "submit")

    def _give_back(self, job: JobRecord, why: str) -> None:
        """It surely was not submitted."""
        self.outbox.put(Returned(self.subject, job.id, job.attempt, why), None)
        work = self.work_of(job.id, job.attempt)
        if work is not None:
            self._let_go(work)
        elif job.lease is not None:
            self.tell("scheduler", SlotFree(self.subject, job.lease))

    def receiveMsg_Posted(self, posted: Posted, sender: Any) -> None:
        work = self.work_of(posted.job, posted.attempt)
        if posted.kind == "stale_version":
            self.learn()
        elif posted.kind == "account":
            self.suspend(f"Discord refuses its submissions: {posted.why}")
        elif posted.after_s > 0:
            self._hold_back(posted.after_s)
        if work is None or work.job is None or work.step is not Step.SUBMITTING:
            return  # its events were faster than the answer
        if posted.outcome == "pressed":
            return  # and draws nothing before its form is filled in
        if posted.outcome == "taken":
            work.step, work.since, work.heard_at = Step.WITH_BOT, self.now(), self.now()
        elif posted.outcome == "doubtful":
            self.log.warning("a submission is in doubt", job=work.job_id, attempt=work.attempt, why=posted.why)
            self._doubt(work, self.process.config.limits.undecided_s)
        else:
            self.end(work, after_posted(self.subject, work.job, posted), never_taken=True)

    def on_form(self, form: ModalAsked) -> None:
        for work in self.works.values():
            job, line = work.job, self.line
            if job is None or job.nonce != form.nonce or job.action not in FORM_ACTIONS or line is None:
                continue
            # A form that is replayed to a restarted account may have been filled in before: then evidence decides.
            if work.step is Step.SUBMITTING and not work.form_filled and line.session_id is not None:
                work.form_filled = True
                deadline = self.now() + GO_FRESH_S
                self.work(self.errands.fill_form(job, line.session_id, form, deadline), "fill in a form")

    def _doubt(self, work: Work, patience_s: float) -> None:
        work.step, work.since = Step.DOUBTFUL, self.now()
        work.doubt = Doubt(self.now(), self.now() + patience_s, work.session_id)
        self.correlator.doubt(work.job_id, work.attempt)
        self.outbox.put(Doubtful(self.subject, work.job_id, work.attempt), None)

    def _hold_back(self, seconds: float) -> None:
        self.hold_until = max(self.hold_until, self.now() + seconds)
        self.report()

    # --- ends ------------------------------------------------------------------------------------------------

    def end(self, work: Work, fact: Drawn | Failed | Returned, closed: bool = False, never_taken: bool = False) -> None:
        """The fact that ends the attempt, told until it is stored; then the place is free."""
        self.outbox.put(fact, self.seq)
        if not closed:
            self.act_on(self.correlator.close(work.job_id, work.attempt, self.now(), never_taken=never_taken))
        self._let_go(work)

    def _let_go(self, work: Work) -> None:
        if self.works.get(work.job_id) is work:
            del self.works[work.job_id]
        if work.lease is not None:
            self.tell("scheduler", SlotFree(self.subject, work.lease))

    def receiveMsg_Acknowledged(self, told: Acknowledged, sender: Any) -> None:
        self.outbox.acknowledge(told)

    # --- cancels ---------------------------------------------------------------------------------------------

    def receiveMsg_Stop(self, stop: Stop, sender: Any) -> None:
        work = self.works.get(stop.job)
        if work is not None:
            work.stop_wanted = True
            self._press_cancel(work)

    def note_cancel(self, work: Work, message_id: str | None, custom_id: str | None) -> None:
        if message_id is not None and custom_id is not None:
            work.cancel = (message_id, custom_id)
            self._press_cancel(work)

    def _press_cancel(self, work: Work) -> None:
        """Press the drawing's cancel button, if a stop is wanted and the button known; again after a while."""
        if not work.stop_wanted or work.cancel is None or self.line is None or self.line.session_id is None:
            return
        if work.stop_pressed_at is None or self.now() - work.stop_pressed_at >= PRESS_AGAIN_S:
            work.stop_pressed_at = self.now()
            self.work(self.errands.cancel(self.line.session_id, *work.cancel), "cancel")

    # --- after a restart, and after a new session ------------------------------------------------------------

    def receiveMsg_Holdings(self, holdings: Holdings, sender: Any) -> None:
        starting = "holdings" in self.waits_for
        for job in holdings.jobs:
            if self.work_of(job.id, job.attempt) is not None or (job.id, job.attempt) in self.posted:
                continue
            if job.state == State.DRAWING or starting:
                self._restore(job)
            elif job.nonce is not None:
                self._give_back(job, "it was never submitted")
        if starting:
            self._recall()
        self.arrived("holdings")

    def _restore(self, job: JobRecord) -> None:
        """A drawing that an earlier life of this account began, which may have submitted it."""
        now, limits = self.now(), self.process.config.limits
        known = job.state == State.DRAWING
        submitted_at = self.wall() if job.submitted_at is None else job.submitted_at
        # The clock may have been set since: however old it seems, there is time to find what became of it.
        patience = max(patience_s(submitted_at, self.wall(), limits.drawing_s), min(GRACE_S, limits.drawing_s))
        work = Work(
            *(job.id, job.user, job.attempt, job.lease, Step.WITH_BOT, now),
            go_at=now,
            due_at=now + patience,
            heard_at=now,
            job=job,
            session_id=job.gateway_session,
            interaction_id=job.interaction_id,
            hash=job.job_hash,
            sighted=known,
            stop_wanted=job.cancel_asked_at is not None,
        )
        self.works[job.id] = work
        self._remember_posted(job)
        self.act_on(self.correlator.restore(drawing_of(job), now))
        self.search_due = True
        if not known:
            doubted_at = self.wall() if job.undecided_at is None else job.undecided_at
            self._doubt(work, patience_s(doubted_at, self.wall(), limits.undecided_s))

    def _recall(self) -> None:
        """Read what else could own a message that names no drawing; the correlator does not guess without."""
        limits = self.process.config.limits
        submitted = [work.job.submitted_at for work in self.works.values() if work.job and work.job.submitted_at]
        first = min([self.wall(), *submitted])
        since = first - GHOST_S_MAX - max(limits.drawing_s, limits.undecided_s) - CLOCK_STEP_S_MAX
        self.store.lookup(ReadPast(self.subject, since, PAST_COUNT_MAX), self._recalled)

    def _recalled(self, found: Found) -> None:
        if isinstance(found, Past) and found.whole:
            for job in found.resultless:
                if job.code not in TOLD_ENDS:
                    # How long ago it ended, a clock that was set meanwhile does not tell: its result may come from now.
                    self.act_on(self.correlator.restore(drawing_of(job), self.now(), closed_at=self.now()))
            self.correlator.recall(found.given)
        else:
            self.log.warning("too much was drawn lately to recall; results without proof are nobody's for an hour")
        self.arrived("past")

    def on_ready(self) -> None:
        self.tell_taken(self.works.values())  # the session before, which could have told it again, is gone
        self._search_channel()

    def _search_channel(self) -> None:
        """Read what the channel holds since the oldest drawing was submitted: results that no event told of."""
        self.searched_at, self.search_due = self.now(), False
        since = min((drawing.submitted_at or 0.0 for drawing in self.correlator.drawings()), default=None)
        if since is not None:
            self.work(self.errands.history(since), "history")

    # --- time ------------------------------------------------------------------------------------------------

    def on_tick(self, now: float) -> None:
        self.act_on(self.correlator.sweep(now))
        for work in tuple(self.works.values()):
            self._look_after(work, now)
        silent = any(
            work.step in (Step.WITH_BOT, Step.DOUBTFUL) and now - max(work.heard_at, work.since) >= SILENT_S
            for work in self.works.values()
        )
        due = self.search_due or (silent and now - self.searched_at >= SILENT_S)
        if due and self.line is not None and self.line.is_live:  # all that can be replayed has been
            self._search_channel()
        if now - self.renewed_at >= LEASE_RENEW_S:
            self.renewed_at = now
            for work in self.works.values():
                self._renew(work)

    def _look_after(self, work: Work, now: float) -> None:
        if work.step is Step.BEGINNING:
            if now - work.since >= BEGIN_S_MAX:
                self._let_go(work)  # its Begin or Go was lost: the Queue says what it made of it
                self.ask_holdings()
        elif work.step is Step.SUBMITTING and self._lacks_form(work) and now - work.go_at >= FORM_S_MAX:
            self.end(work, Returned(self.subject, work.job_id, work.attempt, "its form never came"), never_taken=True)
        elif work.step is Step.DOUBTFUL and work.doubt is not None:
            self._judge(work, work.doubt, now)
        elif now >= work.due_at:
            work.stop_wanted = True
            self._press_cancel(work)
            text = f"The drawing bot did not finish it within {self.process.config.limits.drawing_s:g} s."
            failed = Failed(self.subject, work.job_id, work.attempt, "failed", "upstream_timeout", text, charged=False)
            self.end(work, failed)
        else:
            if now - work.since >= TOOK_TOLD_S:
                self.tell_taken((work,))
            self._press_cancel(work)

    def _judge(self, work: Work, doubt: Doubt, now: float) -> None:
        line = self.line
        live = (line.session_id, line.resumed_at) if line is not None else (None, None)
        match rule(doubt, now, *live):
            case Ruling.PROVE if line is not None and now - self.proved_at >= PROVE_EACH_S:
                self.proved_at = now
                self.follow(line.reconnect())
            case Ruling.NOT_TAKEN:
                returned = Returned(self.subject, work.job_id, work.attempt, "proven not taken")
                self.end(work, returned, never_taken=True)
            case Ruling.LET_GO:
                # The Queue has failed it by now, unless an earlier life of ours had told it that it is drawn.
                fact = Failed(
                    *(self.subject, work.job_id, work.attempt, "failed", "undecided", UNDECIDED_TEXT), charged=False
                )
                self.end(work, fact)

    def _lacks_form(self, work: Work) -> bool:
        return work.job is not None and work.job.action in FORM_ACTIONS and not work.form_filled

    def _renew(self, work: Work) -> None:
        if work.lease is not None and work.step is not Step.BEGINNING:
            self.tell("scheduler", Renew(self.subject, work.lease))

    # --- small things ----------------------------------------------------------------------------------------

    def receiveMsg_FreshPicture(self, wish: FreshPicture, sender: Any) -> None:
        async def read() -> None:
            url, why = await self.errands.picture_url(wish.message_id)
            self.tell("gallery", PictureAt(wish.job, wish.message_id, url, why))

        self.work(read(), "fresh picture")

    def _remember_posted(self, job: JobRecord) -> None:
        self.posted[job.id, job.attempt] = None
        if len(self.posted) > POSTED_MAX:
            self.posted.popitem(last=False)
