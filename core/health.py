"""How an account does, and why: what troubles it, since when, and what ends that.

An account may have several troubles at once: a connection that is lost while a captcha waits. Each has its own cause
and goes by its own end; the gravest is what is shown. Those that only a person ends stay until the operator says
otherwise, whatever heals meanwhile; those of them that are `kept` must be stored, for no restart ends them either.

Pure: `now` is Unix seconds, for people.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct


class State(StrEnum):
    """How much of its work an account does."""

    UP = "up"
    #: No new work just now; it heals by itself.
    DEGRADED = "degraded"
    #: A notice of Discord's or the drawing bot's waits for a person.
    PAUSED = "paused"
    #: What it may draw is used up, or not paid for.
    EXHAUSTED = "exhausted"
    #: It is not let in, or the operator took it out of work.
    SUSPENDED = "suspended"


class Cause(StrEnum):
    """What troubles an account. The later one is the graver."""

    RATE_LIMIT = "rate_limit"
    CONNECTION = "connection"
    STARTING = "starting"
    CREDITS = "credits"
    CAPTCHA = "captcha"
    MODERATION = "moderation"
    BLOCKED = "blocked"
    REFUSED = "refused"
    SETUP = "setup"
    TOKEN = "token"  # noqa: S105  the cause, not one
    INTENTS = "intents"
    GATEWAY = "gateway"
    DRAIN = "drain"
    OPERATOR = "operator"
    LEAVING = "leaving"


class Rule(Struct, frozen=True):
    """What a cause means. `ends`: what ends it, for people; `kept`: a restart does not, so it is stored."""

    state: State
    ends: str
    kept: bool = False


_ITSELF = "by itself"
_ANSWERED = "a person answers the notice in Discord, then `account resume`"

RULES = MappingProxyType(
    {
        Cause.RATE_LIMIT: Rule(State.DEGRADED, f"{_ITSELF}, when the limit has passed"),
        Cause.CONNECTION: Rule(State.DEGRADED, f"{_ITSELF}, with the next connection"),
        Cause.STARTING: Rule(State.DEGRADED, f"{_ITSELF}, when it has started"),
        Cause.CREDITS: Rule(State.EXHAUSTED, "more is paid for, or the month ends, then `account resume`", kept=True),
        Cause.CAPTCHA: Rule(State.PAUSED, _ANSWERED, kept=True),
        Cause.MODERATION: Rule(State.PAUSED, _ANSWERED, kept=True),
        Cause.BLOCKED: Rule(State.PAUSED, _ANSWERED, kept=True),
        Cause.REFUSED: Rule(State.SUSPENDED, "its rights are put right, then `account resume`", kept=True),
        # The next four are said anew at each start, which may be one with another config.
        Cause.SETUP: Rule(State.SUSPENDED, "its config is put right and Limner restarted, or `account resume`"),
        Cause.TOKEN: Rule(
            State.SUSPENDED, "a valid token in the config and a restart, or added anew, or `account resume`"
        ),
        Cause.INTENTS: Rule(
            State.SUSPENDED, "the intents are allowed in Discord's developer portal, then `account resume` or a restart"
        ),
        Cause.GATEWAY: Rule(State.SUSPENDED, "what Discord says is put right, then `account resume` or a restart"),
        Cause.DRAIN: Rule(State.SUSPENDED, "`account resume`", kept=True),
        Cause.OPERATOR: Rule(State.SUSPENDED, "`account resume`", kept=True),
        Cause.LEAVING: Rule(State.SUSPENDED, "it has drawn what it holds, and is gone; or `account resume`", kept=True),
    }
)

#: What the operator wants, and no fault of anything.
ORDERED = frozenset({Cause.DRAIN, Cause.OPERATOR, Cause.LEAVING})
_GRAVITY = MappingProxyType({cause: number for number, cause in enumerate(Cause)})


class Trouble(Struct, frozen=True):
    """One thing that keeps an account from work. `since` in Unix s; `words` are for the operator: a notice, say."""

    cause: Cause
    since: float
    words: str

    @property
    def rule(self) -> Rule:
        """What the cause means."""
        return RULES[self.cause]

    @property
    def needs_a_person(self) -> bool:
        """Whether it stays until the operator says otherwise."""
        return self.rule.state is not State.DEGRADED


class Health(Struct, frozen=True):
    """All troubles of an account, the gravest first, at most one of each cause. Without any it is up."""

    troubles: tuple[Trouble, ...] = ()

    @property
    def worst(self) -> Trouble | None:
        """The gravest trouble."""
        return self.troubles[0] if self.troubles else None

    @property
    def state(self) -> State:
        """As the gravest trouble says."""
        return self.troubles[0].rule.state if self.troubles else State.UP

    @property
    def needs_a_person(self) -> bool:
        """Whether it gets no work until the operator says otherwise."""
        return any(trouble.needs_a_person for trouble in self.troubles)

    @property
    def kept(self) -> Trouble | None:
        """The gravest trouble that a restart does not end."""
        return next((trouble for trouble in self.troubles if trouble.rule.kept), None)

    @property
    def is_draining(self) -> bool:
        """Whether the operator lets it finish what it holds, for good or not."""
        return self.has(Cause.DRAIN) or self.has(Cause.LEAVING)

    def has(self, cause: Cause) -> bool:
        """Whether this is one of its troubles."""
        return bool(self.troubles) and any(trouble.cause is cause for trouble in self.troubles)

    def struck(self, cause: Cause, words: str, now: float) -> Health:
        """A trouble has come. One of the same cause that was there already goes on, in the new words."""
        before = next((trouble for trouble in self.troubles if trouble.cause is cause), None)
        if before is not None and before.words == words:
            return self
        trouble = Trouble(cause, now if before is None else before.since, words)
        others = tuple(other for other in self.troubles if other.cause is not cause)
        return Health(tuple(sorted((trouble, *others), key=lambda each: -_GRAVITY[each.cause])))

    def healed(self, cause: Cause) -> Health:
        """A trouble has gone by itself. Harmless when it was not there, and for one that only a person ends."""
        if not self.has(cause) or RULES[cause].state is not State.DEGRADED:
            return self
        return Health(tuple(trouble for trouble in self.troubles if trouble.cause is not cause))

    def resumed(self) -> Health:
        """The operator says that all is well: what only a person ends has ended; the rest must heal yet."""
        return Health(tuple(trouble for trouble in self.troubles if not trouble.needs_a_person))
