"""The part of an account that knows what some acts take besides a press.

    custom_zoom, draw_…       the press opens a modal; its answer is the drawing
    any press, with remix on  the same, though nobody asked for a form
    vary_region               the press opens a page; what is painted there goes to the bot's application, and what is
                              drawn from it names the press
    seed                      a reaction to the result, answered in a direct message; nothing is drawn

And a drawing that has gone silent is asked for: `/show` tells a finished one once more, under a nonce of ours.
"""

from __future__ import annotations

from abc import abstractmethod

import msgspec

from actors.account.errands import GO_FRESH_S
from actors.account.hearing import AccountHearing
from actors.account.readings import FORM_ACTIONS, REGION, SEED, sign_of
from actors.account.work import Step, Work
from actors.queue.messages import Drawn, Failed, Returned
from core.ids import new_nonce
from core.signs import Stage
from protocol import drawing_events as seen
from protocol.drawing_text import hash_in
from storage.operations import JobRecord

#: A press that opened no form within this time has drawn nothing.
FORM_S_MAX = 20.0
#: A seed is told at once, or not at all.
SEED_S_MAX = 60.0
#: A drawing whose hash is known and of which nothing was heard for this long is asked for, so often at most.
SHOW_EACH_S, SHOWS_MAX = 120.0, 3
SEED_TEXT = "The drawing bot did not tell the seed."


class AccountActs(AccountHearing):
    """Between AccountHearing and Account."""

    def __init__(self) -> None:
        super().__init__()
        #: Questions of ours that may yet be answered: by their nonce, the attempt they are about.
        self.shows: dict[str, tuple[str, int]] = {}

    def observe(self, observation: seen.Observation) -> None:
        match observation:
            case seen.Traced(nonce=nonce, interaction_id=str(interaction_id)):
                self._trace(nonce, interaction_id)
            case seen.ModalAsked():
                self._on_form(observation)
            case seen.CanvasAsked():
                self._on_canvas(observation)
            case seen.SeedTold():
                self._on_seed(observation)
        links = getattr(observation, "links", None)
        if links is not None and links.nonce in self.shows:
            self._on_shown(links.nonce, observation)
        else:
            super().observe(observation)

    def _pressed(self, nonce: str | None) -> list[tuple[Work, JobRecord]]:
        """The act whose press bore this nonce."""
        found = ((work, work.job) for work in self.works.values())
        return [(work, job) for work, job in found if job is not None and job.nonce == nonce and job.action is not None]

    # --- forms -----------------------------------------------------------------------------------------------

    def _on_form(self, form: seen.ModalAsked) -> None:
        for work, job in self._pressed(form.nonce):
            if work.form_filled:
                continue
            if job.action not in FORM_ACTIONS:
                self._on_remix(work, job, form)
            elif work.step is Step.SUBMITTING:
                # One that is replayed to a restarted account may have been filled in before: then evidence decides.
                self._fill_in(work, job, form)

    def _on_remix(self, work: Work, job: JobRecord, form: seen.ModalAsked) -> None:
        """The press was taken and has drawn nothing: all that was seen of it until now is the form's."""
        self.correlator.reopen(work.job_id, work.attempt)
        work.interaction_id = None
        if not work.restored:
            work.step, work.since, work.doubt = Step.SUBMITTING, self.now(), None
            self._fill_in(work, job, form)
        else:
            # Whether an earlier life has filled it in, its drawing alone can tell.
            work.form_filled = True
            self.doubt(work, self.process.config.limits.undecided_s)

    def _fill_in(self, work: Work, job: JobRecord, form: seen.ModalAsked) -> None:
        session_id = self.session_id()
        if session_id is not None:
            work.form_filled = True
            self.work(self.errands.fill_form(job, session_id, form, self.now() + GO_FRESH_S), "fill in a form")

    # --- regions ---------------------------------------------------------------------------------------------

    def _trace(self, nonce: str, interaction_id: str) -> None:
        for work, job in self._pressed(nonce):
            if job.action == REGION:
                self.act_on(self.correlator.link(work.job_id, work.attempt, interaction_id, self.now()))

    def _on_canvas(self, canvas: seen.CanvasAsked) -> None:
        for work, job in self._pressed(canvas.nonce):
            if job.action == REGION and work.step is Step.SUBMITTING and not work.form_filled:
                work.form_filled = True
                if canvas.interaction_id is not None:
                    self._trace(job.nonce or "", canvas.interaction_id)
                self.work(self.errands.paint(job, canvas, self.now() + GO_FRESH_S), "paint a region")

    # --- seeds -----------------------------------------------------------------------------------------------

    def _on_seed(self, told: seen.SeedTold) -> None:
        """All who asked for it are told; it is the same for all."""
        for work in tuple(self.works.values()):
            job = work.job
            if job is not None and job.action == SEED and hash_in(job.press_custom_id or "") == told.hash:
                drawn = Drawn(self.subject, job.id, job.attempt, "", None, told.hash, (), f"Seed {told.seed}")
                self.end(work, drawn, closed=True)

    # --- what has gone silent --------------------------------------------------------------------------------

    def on_tick(self, now: float) -> None:
        super().on_tick(now)
        if self.shows:
            self.shows = {nonce: attempt for nonce, attempt in self.shows.items() if self.work_of(*attempt) is not None}
        session_id = self.session_id()
        if session_id is None or "show" not in self.commands:
            return
        for work in self.works.values():
            is_silent = now - max(work.heard_at, work.shown_at) >= SHOW_EACH_S
            if is_silent and work.step is Step.WITH_BOT and work.hash is not None and work.shows < SHOWS_MAX:
                work.shows, work.shown_at = work.shows + 1, now
                nonce = new_nonce(self.wall(), self.dice)
                self.shows[nonce] = (work.job_id, work.attempt)
                self.work(
                    self.errands.show(work.job_id, session_id, nonce, work.hash, self.commands), "ask for a drawing"
                )

    def _on_shown(self, nonce: str, observation: seen.Observation) -> None:
        """An answer to `/show`. What it shows under the drawing's hash is its result; anything else says nothing."""
        work = self.work_of(*self.shows[nonce])
        sign = sign_of(observation)
        if work is None or sign is None or sign.stage is not Stage.FINISHED or sign.hash != work.hash:
            return
        names = (drawing.nonce for drawing in self.correlator.drawings() if drawing.job_id == work.job_id)
        self.act_on(self.correlator.observe(msgspec.structs.replace(sign, nonce=next(names, None)), self.now()))

    # --- what is due -----------------------------------------------------------------------------------------

    def overdue_act(self, work: Work, now: float) -> Failed | Returned | None:
        """The fact that ends an act that cannot come to anything any more; None as long as it can."""
        action = None if work.job is None else work.job.action
        if action is None:
            return None
        waits = action in FORM_ACTIONS and work.step is Step.SUBMITTING and not work.form_filled
        if waits and now - work.go_at >= FORM_S_MAX:
            return Returned(self.subject, work.job_id, work.attempt, "its form never came")
        if action == SEED and now - work.go_at >= SEED_S_MAX:
            fact = (self.subject, work.job_id, work.attempt, "failed", "upstream_timeout", SEED_TEXT)
            return Failed(*fact, charged=False)
        return None

    @abstractmethod
    def doubt(self, work: Work, patience_s: float) -> None:
        """Nobody knows whether it was taken."""
