"""Watch: what one look of the Monitor at everything means. It finds, in words; core/alarms.py, core/pacing.py decide.

Everything that changes is a Decision with its reason: in the log (`pacing`), and the last of them kept here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from msgspec import Struct

from actors.monitor.messages import AccountState
from core.alarms import Alarm, Alarms, Finding, Level
from core.config import Config
from core.health import ORDERED, State
from core.pacing import MARGIN, Reading, Seen, Verdict, next_pace, next_share, over, places, under

MB = 1 << 20
#: More messages than that wait for an actor that is in trouble: a burst of thousands is gone within a second.
MAILBOX_DEPTH_MAX = 1_000
#: A queue that is fuller than this, and would be full in less than this time if it went on growing so.
QUEUE_SHARE_MAX = 0.5
QUEUE_FULL_SOON_S = 120.0
#: A value that was bad at one look slows nothing down yet; at so many in a row it does.
BAD_LOOKS = 2
#: What slows intake while it lasts.
SLOWING = ("store_slow", "loop_late", "queue_growing", "mailbox_growing")
DECISIONS_KEPT = 200
STOPPED = "no new drawings are taken on; queued ones go on"

_CODES = {
    State.PAUSED: "account_paused",
    State.EXHAUSTED: "account_exhausted",
    State.SUSPENDED: "account_suspended",
    State.DEGRADED: "account_down",
}


class Look(Struct, frozen=True):
    """What was seen at one look. Seconds and bytes; None where it is not known.

    `late_s`: how late messages were in the interval, half of them at least; `depths`: messages that wait, by actor;
    `commit_s`: what a commit of the store took; `seen`: what was seen of each account in the interval.
    """

    seconds: float
    late_s: float
    depths: Mapping[str, int]
    commit_s: float | None
    queue_depth: int
    memory_bytes: int | None
    disk_free_bytes: int | None
    store_trouble: str | None
    pictures_trouble: str | None
    any_up: bool
    seen: Mapping[str, Seen]


class Decision(Struct, frozen=True):
    """What was decided: about whom (None: the service), `did` what, and why; `at` in Unix s."""

    at: float
    about: str | None
    did: str
    why: str
    graver: bool = False


class Watch:
    """Holds the alarms, the share of wishes let in, and each account's pace."""

    def __init__(self) -> None:
        self.alarms = Alarms()
        self.share = 1.0
        self.states: dict[str, AccountState] = {}
        self.decisions: deque[Decision] = deque(maxlen=DECISIONS_KEPT)
        self._paces: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self._depths: Mapping[str, int] = {}
        self._queue_depth: int | None = None

    @property
    def pace(self) -> float:
        """The share of wishes let in: 0 while an alarm stops intake."""
        return 0.0 if self.alarms.stopped_by is not None else self.share

    def places(self, account: str) -> int | None:
        """How many of its slots an account may use at once; None: it has not told of any."""
        state = self.states.get(account)
        return None if state is None else places(self._paces[account], state.slots)

    # --- accounts --------------------------------------------------------------------------------------------

    def heard(self, state: AccountState) -> None:
        """An account tells how it does. One that is slowed down already was so by a Monitor before this one."""
        before = self.states.get(state.account)
        if before is None:
            self._paces[state.account] = float(state.places)
        elif self._paces[state.account] >= before.slots:
            self._paces[state.account] = float(state.slots)  # more slots are used at once
        self._paces[state.account] = min(self._paces[state.account], float(state.slots))
        if before is None or (before.state, before.cause) != (state.state, state.cause):
            self.states[state.account] = state
        else:  # what it held when it came to this is what people want to know
            counted = (before.going_on, before.moving)
            self.states[state.account] = AccountState(
                *(state.account, state.state, state.cause, state.words, state.slots, state.places), *counted
            )

    def forget(self, account: str) -> None:
        """It is not there any more."""
        self.states.pop(account, None)
        self._paces.pop(account, None)
        self._why.pop(account, None)

    # --- a look ----------------------------------------------------------------------------------------------

    def look(self, look: Look, config: Config, now: float) -> tuple[Decision, ...]:
        """Decides anew. Returns what changed, in order; `now` is Unix seconds."""
        decided = [*self._pace_accounts(look, now)]
        findings = [*self._findings(look, config), *self._account_findings(look)]
        changes = self.alarms.look(findings, now)
        for alarm in changes.raised:
            did = f"alarm {alarm.code} raised" + (f"; {alarm.did}" if alarm.did else "")
            decided.append(Decision(now, alarm.about, did, alarm.words, graver=True))
        for alarm in changes.ended:
            decided.append(Decision(now, alarm.about, f"alarm {alarm.code} ended", _over(alarm, now)))
        decided += self._pace_intake(findings, now)
        self._depths, self._queue_depth = look.depths, look.queue_depth
        self.decisions.extend(decided)
        return tuple(decided)

    def _pace_accounts(self, look: Look, now: float) -> Iterator[Decision]:
        for name, state in self.states.items():
            before = self.places(name)
            pace, why = next_pace(self._paces[name], state.slots, look.seen.get(name, Seen(up=False)))
            self._paces[name] = pace
            if why is not None:
                self._why[name] = why
            after = self.places(name)
            if after != before:
                reason = why or f"nothing has been wrong for {look.seconds:g} s"
                yield Decision(now, name, f"pace {before} to {after} of {state.slots}", reason, graver=why is not None)

    def _pace_intake(self, findings: list[Finding], now: float) -> Iterator[Decision]:
        readings = [self._reading(finding) for finding in findings if finding.code in SLOWING]
        before = self.share
        self.share, why = next_share(before, readings)
        if self.share != before:
            did = f"intake {before:.0%} to {self.share:.0%} of new drawings"
            yield Decision(now, None, did, why or "nothing is in its way", graver=why is not None)

    def _reading(self, finding: Finding) -> Reading:
        """How a finding counts for intake: one bad look only holds it where it is."""
        verdict = finding.verdict
        if verdict is Verdict.BAD and self.alarms.bad_looks(finding.code, finding.about) < BAD_LOOKS:
            verdict = Verdict.BETWEEN
        return Reading(verdict, finding.words)

    # --- what is found ---------------------------------------------------------------------------------------

    def _findings(self, look: Look, config: Config) -> Iterator[Finding]:
        pacing = config.pacing
        free_mb = None if look.disk_free_bytes is None else look.disk_free_bytes / MB
        words = f"{free_mb or 0:.0f} MB are free on the disk, {pacing.disk_free_mb} must be"
        yield Finding("disk_full", None, under(free_mb, pacing.disk_free_mb), words, STOPPED)
        memory_mb = None if look.memory_bytes is None else look.memory_bytes / MB
        words = f"{memory_mb or 0:.0f} MB of memory are filled, {pacing.memory_mb} may be"
        yield Finding("memory_full", None, over(memory_mb, pacing.memory_mb), words, STOPPED)
        words = f"a commit of the store takes {(look.commit_s or 0) * 1000:.0f} ms, {pacing.commit_ms:g} may be"
        slow = over(look.commit_s, pacing.commit_ms / 1000)
        if look.store_trouble is not None:  # what it refuses it was slow to refuse: that is told already
            slow = Verdict.BETWEEN
        yield Finding("store_slow", None, slow, words, STOPPED)
        words = f"messages wait {look.late_s * 1000:.0f} ms for their turn, {pacing.loop_lag_ms:g} may be"
        less = "fewer new drawings are let in"
        yield Finding("loop_late", None, over(look.late_s, pacing.loop_lag_ms / 1000), words, less)
        yield self._queue_finding(look, config.limits.queue_max, less)
        for name, depth in look.depths.items():
            if depth > MAILBOX_DEPTH_MAX * MARGIN:
                grows = depth >= self._depths.get(name, 0)
                verdict = over(depth, MAILBOX_DEPTH_MAX) if grows else Verdict.BETWEEN
                yield Finding("mailbox_growing", name, verdict, f"{depth} messages wait for {name}", less)
        yield _trouble("store_trouble", look.store_trouble, "the database takes no writes", STOPPED)
        yield _trouble("images_trouble", look.pictures_trouble, "the image store takes no pictures", "pictures wait")
        nobody = Verdict.WELL if look.any_up else Verdict.BAD
        yield Finding("no_account_up", None, nobody, "no account can draw", "jobs wait in the queue")

    def _queue_finding(self, look: Look, queue_max: int, did: str) -> Finding:
        grown = 0 if self._queue_depth is None else look.queue_depth - self._queue_depth
        verdict, words = Verdict.WELL, ""
        if grown > 0 and look.queue_depth > queue_max * QUEUE_SHARE_MAX:
            full_s = max(0.0, queue_max - look.queue_depth) / (grown / look.seconds)
            verdict = under(full_s + 1e-9, QUEUE_FULL_SOON_S)
            words = f"{look.queue_depth} of {queue_max} drawings wait: the queue is full in {full_s:.0f} s"
        return Finding("queue_growing", None, verdict, words, did)

    def _account_findings(self, look: Look) -> Iterator[Finding]:
        for name, state in self.states.items():
            seen = look.seen.get(name, Seen())
            is_limited = seen.limited > 0 or state.cause == "rate_limit"
            if state.state != State.UP and state.cause != "rate_limit":
                yield _out_of_work(name, state)
            slowed = f"pace {self.places(name)} of {state.slots}"
            if is_limited:
                words = f"account {name} is rate limited: {self._why.get(name) or state.words}"
                yield Finding("account_limited", name, Verdict.BAD, words, slowed)
            elif (trouble := seen.trouble) is not None:
                yield Finding("account_failing", name, Verdict.BAD, f"account {name}: {trouble}", slowed)


def _trouble(code: str, trouble: str | None, words: str, did: str) -> Finding:
    return Finding(code, None, Verdict.WELL if trouble is None else Verdict.BAD, f"{words}: {trouble}", did)


def _out_of_work(name: str, state: AccountState) -> Finding:
    """What is said of an account that does not draw: who wants it so needs no waking."""
    moved = f", {state.moving} drawing{'s' * (state.moving != 1)} moved" if state.moving else ""
    going_on = f"{state.going_on} drawing{'s' * (state.going_on != 1)} go{'es' * (state.going_on == 1)} on"
    level = Level.YELLOW if state.cause in ORDERED else None
    words = f"account {name} {state.state}: {state.words}{moved}"
    return Finding(_CODES[State(state.state)], name, Verdict.BAD, words, f"it gets no new drawings; {going_on}", level)


def _over(alarm: Alarm, now: float) -> str:
    return f"over after {max(0.0, now - alarm.since):.0f} s: {alarm.words}"
