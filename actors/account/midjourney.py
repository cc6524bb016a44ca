"""Account: one Discord account through which the drawing bot works. Carries drawings there and tells what became of it.

Takes   Perform (session);  Go, NoGo, Acknowledged, Holdings, Stop (queue);  Announce (scheduler);  FreshPicture
        (gallery);  Suspend, Reinstate, SetSlots, AskStanding (console);  TellHealth, SetPace (monitor);  Committed,
        NotCommitted, LookedUp (store);  Prepared, Posted, HistoryCame, LineMade, LineLost, LineDue, FrameCame,
        TokenRefused, Tick, ResendDue (itself)
Sends   Begin, Returned, Doubtful, Sighted, Drawn, Failed, AskHoldings, AccountShut -> queue;  AccountUp, AccountDown,
        SlotFree, Renew -> scheduler;  Progressed -> lobby;  Previewed, PictureAt -> gallery;  Observed -> monitor;
        Obeyed, Standing -> console;  Commit, Lookup -> store
Crash   restarted by Accounts; resumes its gateway session, asks the Queue what it holds, and correlates again

This is the driver `midjourney`. What every driver has is in account/desk.py (drawings) and account/health.py (being up
or down); this one's gateway line is in account/presence.py, what it hears of the bot in account/hearing.py, what acts
take besides a press in account/acts.py; here is what it does about its drawings.
"""

from __future__ import annotations

from typing import Any

from actors.account.acts import AccountActs
from actors.account.errands import Posted
from actors.account.messages import FreshPicture, PictureAt
from actors.account.readings import REGION, SEED, TOLD_ENDS, drawing_of
from actors.account.work import ACCOUNT_CAUSES, LIMITED, Step, Work, after_posted
from actors.queue.messages import Doubtful, Drawn, Failed, Returned
from core.correlate import GHOST_S_MAX
from core.job import State
from core.reconcile import ANSWERED_S, Doubt, Ruling, moment, patience_s, rule, stamp
from storage.operations import Found, JobRecord, Past, ReadPast

#: How soon a token is looked at again that came while the bot's commands were being learnt, the session kept, or the
#: gateway connection resumed.
LEARNING_S = 0.25
PRESS_AGAIN_S = 10.0
#: Reconnects on purpose, to prove what was not taken, are this far apart.
PROVE_EACH_S = 30.0
#: Of more attempts than this nothing is recalled: the correlator keeps no more results in mind.
PAST_COUNT_MAX = 2_000
#: What was submitted may bear a time of before the clock was set, by this much.
CLOCK_STEP_S_MAX = 3_600.0
UNDECIDED_TEXT = "It could not be learnt what became of this drawing, so it was not sent again."
#: A drawing of which nothing was heard for this long may have ended in an event that never came: the channel knows.
SILENT_S = 45.0
#: So long after it was taken neither a start message nor a refusal has come: that it was taken must be stored.
TOOK_TOLD_S = 5.0


class Account(AccountActs):
    """See the module's docstring."""

    ACCEPTS = (Posted,)

    def __init__(self) -> None:
        super().__init__()
        self.proved_at = -PROVE_EACH_S
        self.searched_at = -SILENT_S
        self.search_due = False

    # --- the submission --------------------------------------------------------------------------------------

    def hold_s(self) -> float:
        return max(self.errands.hold_s(), LEARNING_S if self.learning or not self.is_session_kept else 0.0)

    def why_not_submit(self, job: JobRecord) -> str | None:
        session_id = self.session_id()
        if session_id is None or session_id != job.gateway_session:
            return "the gateway connection changed before it was submitted"
        return super().why_not_submit(job)

    def submit(self, work: Work, job: JobRecord) -> None:
        if job.action == SEED:
            self.work(self.errands.ask_seed(job), "ask for a seed")
            return
        self.correlator.open(drawing_of(job))
        self.work(self.errands.submit(job, job.gateway_session or "", self.commands, work.go_at), "submit")

    def receiveMsg_Posted(self, posted: Posted, sender: Any) -> None:
        work = self.work_of(posted.job, posted.attempt)
        asked_at = self.now() if work is None else work.go_at
        if posted.outcome in ("taken", "pressed"):
            self.patience.taken(asked_at)
        elif posted.kind == "stale_version":
            self.learn()
        elif (cause := ACCOUNT_CAUSES.get(posted.kind)) is not None:
            if not self.health.has(cause):  # of a token, the call itself has told already
                self.strike(cause, f"Discord refuses its submissions: {posted.why}")
        elif posted.kind == LIMITED and posted.outcome == "refused":
            self.limited(posted.after_s, asked_at)
        elif posted.after_s > 0:
            self.hold_back(posted.after_s)
        if work is None or work.job is None or work.step is not Step.SUBMITTING:
            return  # its events were faster than the answer
        if posted.outcome == "pressed":
            return  # and draws nothing before its form is filled in
        if posted.outcome == "taken":
            work.step, work.since, work.heard_at = Step.WITH_BOT, self.now(), self.now()
            self._rely_on_channel(work)
        elif posted.outcome == "doubtful":
            self.log.warning("a submission is in doubt", **work.ids, why=posted.why)
            self.doubt(work, self.process.config.limits.undecided_s, posted.answered)
        else:
            self.end(work, after_posted(self.subject, work, posted), never_taken=True)

    def doubt(self, work: Work, patience_s: float, answered: bool = False, cut_off: str | None = None) -> None:
        """`cut_off`: when its POST had been cut off, as an earlier life stored it (core.reconcile.stamp)."""
        now, clock = self.now(), self.process.clock
        work.step, work.since, work.heard_at = Step.DOUBTFUL, now, now
        since = moment(cut_off, clock, now)
        cut_s = self.process.config.limits.in_flight_s
        in_flight_s = min(ANSWERED_S, cut_s) if answered else cut_s
        # A painted region, and a form that an earlier life may have filled in, leave no trace that could be missing.
        unproven = (work.job is not None and work.job.action == REGION) or (work.restored and work.form_filled)
        session_id = None if unproven else work.session_id
        work.doubt = Doubt(since, now + patience_s, session_id, in_flight_s)
        self.correlator.doubt(work.job_id, work.attempt)
        self.outbox.put(Doubtful(self.subject, work.job_id, work.attempt, stamp(since, clock)), None)

    # --- ends ------------------------------------------------------------------------------------------------

    def end(self, work: Work, fact: Drawn | Failed | Returned, closed: bool = False, never_taken: bool = False) -> None:
        self.outbox.put(fact, self.seq)
        if not closed:
            self.act_on(self.correlator.close(work.job_id, work.attempt, self.now(), never_taken=never_taken))
        self.let_go(work)

    # --- cancels ---------------------------------------------------------------------------------------------

    def stop(self, work: Work) -> None:
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
            self.work(self.errands.cancel(work.job_id, self.line.session_id, *work.cancel), "cancel")

    # --- after a restart, and after a new session ------------------------------------------------------------

    def take_up(self, work: Work, job: JobRecord) -> None:
        work.restored = True
        if job.action == SEED:  # nothing is drawn by asking twice
            self.end(work, Returned(self.subject, job.id, job.attempt, "the account was started again"), closed=True)
            return
        self.act_on(self.correlator.restore(drawing_of(job), self.now()))
        self.search_due = True
        if job.state != State.DRAWING:
            doubted_at = self.wall() if job.undecided_at is None else job.undecided_at
            patience = patience_s(doubted_at, self.wall(), self.process.config.limits.undecided_s)
            self.doubt(work, patience, cut_off=job.cut_off)

    def on_taken_up(self) -> None:
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
        for work in self.works.values():
            self._rely_on_channel(work)
        self._search_channel()

    def on_replayed(self) -> None:
        for work in tuple(self.works.values()):
            if work.step is Step.DOUBTFUL and work.doubt is not None:
                self._judge(work, work.doubt, self.now())

    def _rely_on_channel(self, work: Work) -> None:
        """What was taken, and told to a session that is gone: the one result that can only be its own must do."""
        live = self.line.session_id if self.line is not None else None
        if work.step is Step.WITH_BOT and live is not None and live != work.session_id:
            self.correlator.doubt(work.job_id, work.attempt)

    def _search_channel(self) -> None:
        """Read what the channel holds since the oldest drawing was submitted: results that no event told of."""
        self.searched_at, self.search_due = self.now(), False
        since = min((drawing.submitted_at or 0.0 for drawing in self.correlator.drawings()), default=None)
        if since is not None:
            self.work(self.errands.history(since), "history")

    # --- time ------------------------------------------------------------------------------------------------

    def on_tick(self, now: float) -> None:
        self.act_on(self.correlator.sweep(now))
        super().on_tick(now)
        silent = any(
            now - work.heard_at >= SILENT_S and work.step in (Step.WITH_BOT, Step.DOUBTFUL)
            for work in self.works.values()
        )
        due = self.search_due or (silent and now - self.searched_at >= SILENT_S)
        if due and self.line is not None and self.line.is_live:  # all that can be replayed has been
            self._search_channel()

    def look_after(self, work: Work, now: float) -> None:
        if (fact := self.overdue_act(work, now)) is not None:
            self.end(work, fact, never_taken=True)
        elif work.step is Step.DOUBTFUL and work.doubt is not None:
            self._judge(work, work.doubt, now)
        elif now >= work.due_at:
            work.stop_wanted = True
            self._press_cancel(work)
            self.end(work, self.overdue(work))
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

    # --- small things ----------------------------------------------------------------------------------------

    def receiveMsg_FreshPicture(self, wish: FreshPicture, sender: Any) -> None:
        async def read() -> None:
            url, why = await self.errands.picture_url(wish.message_id)
            self.tell("gallery", PictureAt(wish.job, wish.message_id, url, why))

        self.work(read(), "fresh picture")
