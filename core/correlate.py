"""Which job does a message of the drawing bot belong to? Decided by evidence, never by guessing.

The bot answers minutes later, with messages nobody numbered. What ties them to a drawing:

    nonce          ours, in the interaction and in the start message A
    interaction    INTERACTION_SUCCESS gives its id, a message's `interaction_metadata` repeats it
    message id     A is edited while the drawing moves
    hash           shown by A's previews, part of the final picture's name
    reference      a numbered result (`Image #2`) refers to its grid

A result that none of these ties to one drawing is *held*: later evidence may tie it, or rule out all drawings but one.
Prompts are never compared: they are rewritten, and equal prompts are common. That A was deleted proves nothing among
several candidates; for the only one it says that the result is due. A drawing that was closed without an ending stays
a candidate (a ghost) for a while: its late picture must not go to another user.

Pure and mutable: small tables, computed first and assigned last. Signs may come twice, late, or in any order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from core.remembered import Entry, Remembered, Standing
from core.signs import (
    ENDINGS,
    Began,
    Drawing,
    Ended,
    Finding,
    Held,
    Kind,
    Late,
    Moved,
    Sign,
    Stage,
    Took,
    Unclaimed,
)

HELD_COUNT_MAX = 256
HELD_S_MAX = 900.0
# The only candidate whose A was not seen to go gets its result after this time without other evidence.
SETTLE_S = 10.0
GHOST_S_MAX = 3_600.0
MESSAGE_MEMORY_COUNT_MAX = 2_000
# Discord's clock and ours may differ by this much.
CLOCK_SKEW_S = 30.0


class _Waiting(msgspec.Struct, frozen=True):
    sign: Sign
    arrival: int
    at: float


class Correlator:
    """The drawings of one account.

    `claimed` are the message ids of results from before that have their owner already; None says that they are not
    known. Then a restored drawing gets no result without proof: what looks unclaimed in the channel's history may be
    another user's, given before the restart. `born`: since when drawings are remembered at all (None: since ever). One
    of before it that was given up has left no memory; as long as its result may come, a result without proof that
    seems to have only one candidate may be its. `recall` ends both kinds of ignorance.
    """

    def __init__(self, claimed: Iterable[str] | None = None, born: float | None = None) -> None:
        self._knows_claimed = claimed is not None
        self._remembers_all_at = None if born is None else born + GHOST_S_MAX
        self._drawings = Remembered()
        self._held: list[_Waiting] = []
        self._claimed: OrderedDict[str, None] = OrderedDict.fromkeys(claimed or ())
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._arrivals = 0

    # --- drawings come and go ---

    def open(self, drawing: Drawing) -> None:
        """A drawing is about to be submitted: only signs that arrive from now on can be its own."""
        self._drawings.put(Entry(drawing, self._arrivals))

    def restore(self, drawing: Drawing, now: float, closed_at: float | None = None) -> tuple[Finding, ...]:
        """A drawing from before a restart, with the links that were stored; held results may be its own.

        `closed_at` is of one that was closed without an ending: its result may still come.
        """
        entry = Entry(msgspec.structs.replace(drawing, doubtful=True), opened=0, restored=True)
        self._drawings.put(entry)
        if closed_at is not None:
            self._drawings.haunt(entry, closed_at)
        return self._look_again(now)

    def recall(self, claimed: Iterable[str]) -> None:
        """All of before is known now: results that have their owner, and (restored) drawings that may own another."""
        self._knows_claimed, self._remembers_all_at = True, None
        for message_id in claimed:
            _remember(self._claimed, message_id)

    def doubt(self, job_id: str, attempt: int) -> None:
        """The answer to its submission never came: the one result that can only be its own is evidence for it."""
        for entry in self._drawings.of_attempt(job_id, attempt):
            self._drawings.learn(entry, msgspec.structs.replace(entry.drawing, doubtful=True))

    def link(self, job_id: str, attempt: int, interaction_id: str, now: float) -> tuple[Finding, ...]:
        """What is drawn for it will name this interaction. That it was taken is not said by that."""
        for entry in self._drawings.of_attempt(job_id, attempt):
            if entry.drawing.interaction_id is None:
                self._drawings.learn(entry, msgspec.structs.replace(entry.drawing, interaction_id=interaction_id))
        return self._look_again(now)

    def reopen(self, job_id: str, attempt: int) -> None:
        """Its press drew nothing but opened a form: the drawing is the form's answer, under a nonce of its own."""
        for entry in self._drawings.of_attempt(job_id, attempt):
            if (nonce := entry.drawing.form_nonce) is not None:
                fresh = {"form_nonce": None, "interaction_id": None, "taken": False}
                self._drawings.rename(entry, msgspec.structs.replace(entry.drawing, nonce=nonce, **fresh))

    def close(self, job_id: str, attempt: int, now: float, never_taken: bool = False) -> tuple[Finding, ...]:
        """Nobody waits for it any more. Unless it was `never_taken`, its result may come and belongs to nobody else."""
        for entry in self._drawings.of_attempt(job_id, attempt):
            if never_taken:
                self._drawings.settle(entry)
            else:
                self._drawings.haunt(entry, now)
        return self._look_again(now)

    def drawings(self) -> tuple[Drawing, ...]:
        """The open drawings with all that is known of them."""
        return tuple(entry.drawing for entry in self._drawings.live() if entry.standing is Standing.OPEN)

    # --- signs come ---

    def observe(self, sign: Sign, now: float) -> tuple[Finding, ...]:
        """What follows from one sign, for its own drawing and for results held so far."""
        if sign.stage is Stage.FINISHED and (sign.message_id in self._claimed or self._is_held(sign)):
            return ()
        self._arrivals += 1
        entry = self._prove(sign)
        if entry is not None:
            return self._apply(entry, sign, now) + self._look_again(now)
        if sign.stage is Stage.DELETED and sign.message_id is not None:
            _remember(self._deleted, sign.message_id)
        if sign.stage in (Stage.DELETED, Stage.TRACED):
            return ()
        return self._hold(_Waiting(sign, self._arrivals, now)) + self._look_again(now)

    def sweep(self, now: float) -> tuple[Finding, ...]:
        """Time has passed: settles what has only one candidate, gives up what was held too long, forgets ghosts."""
        for entry in self._drawings.live():
            if entry.standing is Standing.GHOST and now - entry.closed_at >= GHOST_S_MAX:
                self._drawings.settle(entry)
        if not self._held:
            return ()
        findings = self._look_again(now)
        expired = [waiting for waiting in self._held if now - waiting.at >= HELD_S_MAX]
        self._held = [waiting for waiting in self._held if now - waiting.at < HELD_S_MAX]
        return findings + _given_up(expired)

    def next_deadline(self, now: float) -> float | None:
        """When `sweep` may find something next; None while nothing is held."""
        if not self._held:
            return None
        times = [waiting.at + after_s for waiting in self._held for after_s in (SETTLE_S, HELD_S_MAX)]
        return min((time for time in times if time > now), default=None)

    # --- evidence ---

    def _prove(self, sign: Sign) -> Entry | None:
        """The one drawing a link of the sign names; the strongest link decides."""
        if sign.nonce is not None:
            # A nonce is the surest link, and one that is not ours is as sure.
            return self._drawings.of_nonce(sign.nonce)
        links: list[tuple[str, str | None]] = [
            ("interaction_id", sign.interaction_id),
            ("message_id", sign.message_id),
        ]
        if sign.image_number is None:
            # A numbered result may be named after its grid, which is another job's.
            links.append(("hash", sign.hash))
        if sign.stage is Stage.REFUSED:
            links.append(("message_id", sign.reference_id))
        for link, value in links:
            if value is not None and (entry := self._drawings.of_link(link, value)) is not None:
                return entry
        return None

    def _candidates(self, waiting: _Waiting) -> list[Entry]:
        """The drawings nothing rules out."""
        return [
            entry
            for entry in self._drawings.live()
            if entry.opened < waiting.arrival and _is_possible(entry.drawing, waiting.sign)
        ]

    def _look_again(self, now: float) -> tuple[Finding, ...]:
        """Ties held signs to drawings as far as the evidence goes: each tie may rule out candidates of another."""
        findings: tuple[Finding, ...] = ()
        if not self._held:
            return findings
        while (tie := self._next_tie(now)) is not None:
            waiting, entry = tie
            self._held = [other for other in self._held if other is not waiting]
            findings += self._apply(entry, waiting.sign, now)
        kept: list[_Waiting] = []
        hopeless: list[_Waiting] = []
        for waiting in self._held:
            (kept if self._candidates(waiting) else hopeless).append(waiting)
        self._held = kept
        return findings + _given_up(hopeless)

    def _next_tie(self, now: float) -> tuple[_Waiting, Entry] | None:
        for waiting in self._held:
            if (proven := self._prove(waiting.sign)) is not None:
                return waiting, proven
        alone: dict[str, list[tuple[_Waiting, Entry]]] = {}
        for waiting in self._held:
            if waiting.sign.stage is Stage.FINISHED and len(found := self._candidates(waiting)) == 1:
                alone.setdefault(found[0].drawing.nonce, []).append((waiting, found[0]))
        # Two results that can only be one drawing's: one is a stranger's, and nothing says which.
        ties = (pairs[0] for pairs in alone.values() if len(pairs) == 1)
        return next(
            (tie for tie in ties if self._may_settle(tie[1], now) and _is_due(tie[1].drawing, tie[0], now)), None
        )

    def _may_settle(self, entry: Entry, now: float) -> bool:
        """Whether being the only candidate means anything: not among results whose owners we do not know."""
        if self._remembers_all_at is not None and now < self._remembers_all_at:
            return False
        return self._knows_claimed or not entry.restored

    # --- consequences ---

    def _hold(self, waiting: _Waiting) -> tuple[Finding, ...]:
        """Keeps a sign for later evidence; of edits of one message only the newest."""
        sign = waiting.sign
        if sign.stage not in ENDINGS:
            self._held = [
                other
                for other in self._held
                if other.sign.stage is not sign.stage or other.sign.message_id != sign.message_id
            ]
        self._held.append(waiting)
        overflow, self._held = self._held[:-HELD_COUNT_MAX], self._held[-HELD_COUNT_MAX:]
        candidates = self._candidates(waiting)
        held: tuple[Finding, ...] = ()
        if sign.stage is Stage.FINISHED and len(candidates) > 1:
            held = (Held(sign, tuple(entry.drawing.job_id for entry in candidates)),)
        return held + _given_up(overflow)

    def _apply(self, entry: Entry, sign: Sign, now: float) -> tuple[Finding, ...]:
        """The sign is this drawing's: learn its links, and say what happened."""
        before = entry.drawing
        if sign.stage is Stage.FINISHED and sign.is_text and before.kind is not Kind.TEXT:
            return ()
        after = self._learn(before, sign)
        self._drawings.learn(entry, after)
        if sign.stage in ENDINGS:
            return self._end(entry, sign)
        if entry.standing is not Standing.OPEN:
            return ()
        job_id, attempt = after.job_id, after.attempt
        findings: list[Finding] = []
        if after.taken and not before.taken:
            findings.append(Took(job_id, attempt, after.interaction_id))
        if after.message_id is not None and before.message_id is None:
            findings.append(Began(job_id, attempt, after.message_id, after.interaction_id))
        if sign.stage is Stage.PROGRESS and (after.percent > before.percent or after.hash != before.hash):
            findings.append(Moved(job_id, attempt, max(after.percent, 0), after.hash, sign))
        return tuple(findings)

    def _learn(self, drawing: Drawing, sign: Sign) -> Drawing:
        """The drawing with the links the sign shows; a link once known is not changed."""
        is_start = sign.stage in (Stage.WAITING, Stage.PROGRESS)
        begins = is_start or sign.stage is Stage.TRACED
        message_id = drawing.message_id or (sign.message_id if is_start else None)
        is_answer = sign.nonce is not None and sign.nonce == drawing.form_nonce
        known_id = None if is_answer and sign.interaction_id is not None else drawing.interaction_id
        return msgspec.structs.replace(
            drawing,
            message_id=message_id,
            interaction_id=known_id or sign.interaction_id,
            hash=drawing.hash or (None if sign.stage is Stage.REFUSED else sign.hash),
            # Its own time, by Discord's clock: ours may have been wrong.
            submitted_at=sign.posted_at if begins and sign.posted_at is not None else drawing.submitted_at,
            taken=drawing.taken or sign.stage is not Stage.REFUSED,
            gone=drawing.gone or sign.stage is Stage.DELETED or message_id in self._deleted,
            percent=max(drawing.percent, -1 if sign.percent is None else sign.percent),
        )

    def _end(self, entry: Entry, sign: Sign) -> tuple[Finding, ...]:
        if sign.stage is Stage.FINISHED and sign.message_id is not None:
            _remember(self._claimed, sign.message_id)
        shown_again, entry.drawn = entry.drawn, entry.drawn or sign.stage is Stage.FINISHED
        was, job_id, attempt = entry.standing, entry.drawing.job_id, entry.drawing.attempt
        self._drawings.settle(entry)
        if was is Standing.OPEN:
            return (Ended(job_id, attempt, sign),)
        return (Late(job_id, attempt, sign),) if sign.stage is Stage.FINISHED and not shown_again else ()

    def _is_held(self, sign: Sign) -> bool:
        return any(w.sign.stage is sign.stage and w.sign.message_id == sign.message_id for w in self._held)


def _is_possible(drawing: Drawing, sign: Sign) -> bool:
    """Whether nothing rules out that the sign is the drawing's."""
    if sign.nonce is not None and sign.nonce not in (drawing.nonce, drawing.form_nonce):
        return False
    if _differ(sign.interaction_id, drawing.interaction_id):
        return False
    if sign.posted_at is not None and sign.posted_at < (drawing.submitted_at or 0.0) - CLOCK_SKEW_S:
        return False
    if sign.stage in (Stage.WAITING, Stage.PROGRESS):
        return not _differ(sign.message_id, drawing.message_id) and not _differ(sign.hash, drawing.hash)
    if sign.stage is not Stage.FINISHED:
        return True
    if sign.is_text or drawing.kind is Kind.TEXT:
        return sign.is_text and drawing.kind is Kind.TEXT
    if sign.image_number is not None or drawing.kind is Kind.NUMBERED:
        is_ours = drawing.kind is Kind.NUMBERED and sign.image_number == drawing.parent_index
        return is_ours and not _differ(sign.reference_id, drawing.parent_message_id)
    if drawing.parent_message_id is not None and _differ(sign.reference_id, drawing.parent_message_id):
        return False
    return not _differ(sign.hash, drawing.hash)


def _is_due(drawing: Drawing, waiting: _Waiting, now: float) -> bool:
    """Whether the only candidate may have its result: it was begun, and its end was seen or long enough awaited."""
    if not (drawing.taken or drawing.doubtful):
        return False
    refers = drawing.kind is Kind.NUMBERED and waiting.sign.reference_id is not None
    return drawing.gone or refers or now - waiting.at >= SETTLE_S


def _differ(shown: str | None, known: str | None) -> bool:
    return shown is not None and known is not None and shown != known


def _given_up(dropped: list[_Waiting]) -> tuple[Finding, ...]:
    return tuple(Unclaimed(waiting.sign) for waiting in dropped if waiting.sign.stage in ENDINGS)


def _remember(memory: OrderedDict[str, None], key: str) -> None:
    memory[key] = None
    if len(memory) > MESSAGE_MEMORY_COUNT_MAX:
        memory.popitem(last=False)
