"""An account's troubles come and go each for itself, and only a person ends what needs one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from core.health import RULES, Cause, Health, State, Trouble

CAUSES = some.sampled_from(list(Cause))
WORDS = some.sampled_from(["", "no gateway connection", "Blocked: you are", "HTTP 401"])
#: (what happens, to which cause, in which words)
HAPPENINGS = some.lists(some.tuples(some.sampled_from(["strike", "heal", "resume"]), CAUSES, WORDS), max_size=30)

WELL = Health()


def lived(happenings: list[tuple[str, Cause, str]], health: Health = WELL) -> Health:
    """What comes of it, one happening a second."""
    for now, (what, cause, words) in enumerate(happenings):
        match what:
            case "strike":
                health = health.struck(cause, words, float(now))
            case "heal":
                health = health.healed(cause)
            case "resume":
                health = health.resumed()
    return health


def test_every_cause_has_a_rule_that_says_what_ends_it() -> None:
    assert set(RULES) == set(Cause)
    assert all(rule.ends and rule.state is not State.UP for rule in RULES.values())
    assert {rule.state for rule in RULES.values()} == set(State) - {State.UP}


def test_what_ends_by_itself_is_never_kept_over_a_restart() -> None:
    assert not [cause for cause, rule in RULES.items() if rule.kept and rule.state is State.DEGRADED]


def test_captcha_moderation_and_block_pause_credits_exhaust_and_a_bad_token_suspends() -> None:
    states = {cause: lived([("strike", cause, "")]).state for cause in Cause}
    assert {states[cause] for cause in (Cause.CAPTCHA, Cause.MODERATION, Cause.BLOCKED)} == {State.PAUSED}
    assert states[Cause.CREDITS] is State.EXHAUSTED
    assert {states[cause] for cause in (Cause.TOKEN, Cause.GATEWAY, Cause.OPERATOR)} == {State.SUSPENDED}
    assert {states[cause] for cause in (Cause.CONNECTION, Cause.RATE_LIMIT)} == {State.DEGRADED}


@given(HAPPENINGS)
def test_it_is_up_just_when_nothing_troubles_it(happenings: list[tuple[str, Cause, str]]) -> None:
    health = lived(happenings)
    assert (health.state is State.UP) == (health.troubles == ())
    assert (health.worst is None) == (health.state is State.UP)


@given(HAPPENINGS)
def test_each_cause_is_there_once_and_the_gravest_is_shown(happenings: list[tuple[str, Cause, str]]) -> None:
    causes = [trouble.cause for trouble in lived(happenings).troubles]
    assert len(set(causes)) == len(causes)
    assert causes == sorted(causes, key=list(Cause).index, reverse=True)


@given(HAPPENINGS, some.lists(CAUSES, max_size=10))
def test_nothing_that_heals_lifts_what_needs_a_person(
    happenings: list[tuple[str, Cause, str]], healing: list[Cause]
) -> None:
    health = lived(happenings)
    after = lived([("heal", cause, "") for cause in healing], health)
    assert [trouble for trouble in after.troubles if trouble.needs_a_person] == [
        trouble for trouble in health.troubles if trouble.needs_a_person
    ]
    assert after.kept == health.kept


@given(HAPPENINGS)
def test_resumed_it_waits_for_nobody_and_has_the_troubles_that_heal(happenings: list[tuple[str, Cause, str]]) -> None:
    health = lived(happenings)
    resumed = health.resumed()
    assert not resumed.needs_a_person
    assert resumed.kept is None
    assert resumed.state in (State.UP, State.DEGRADED)
    assert set(resumed.troubles) == {trouble for trouble in health.troubles if not trouble.needs_a_person}
    assert resumed.resumed() == resumed


@given(HAPPENINGS, CAUSES, WORDS, some.floats(100, 1e9), some.floats(100, 1e9))
def test_a_trouble_lasts_since_it_first_came_in_the_latest_words(
    happenings: list[tuple[str, Cause, str]], cause: Cause, words: str, first: float, later: float
) -> None:
    health = Health(tuple(trouble for trouble in lived(happenings).troubles if trouble.cause is not cause))
    again = health.struck(cause, "first", first).struck(cause, words, later)
    assert [trouble for trouble in again.troubles if trouble.cause is cause] == [Trouble(cause, first, words)]
    assert again.struck(cause, words, later + 1) is again


@given(some.lists(some.tuples(CAUSES, WORDS), unique_by=lambda each: each[0]), some.randoms())
def test_the_order_in_which_troubles_come_does_not_matter(troubles: list[tuple[Cause, str]], dice: object) -> None:
    shuffled = list(troubles)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]

    def all_at_once(each: list[tuple[Cause, str]]) -> Health:
        health = Health()
        for cause, words in each:
            health = health.struck(cause, words, 1.0)
        return health

    assert all_at_once(shuffled) == all_at_once(troubles)


@given(HAPPENINGS)
def test_what_a_restart_must_not_end_is_the_gravest_of_what_is_kept(happenings: list[tuple[str, Cause, str]]) -> None:
    health = lived(happenings)
    kept = [trouble for trouble in health.troubles if trouble.rule.kept]
    assert health.kept == (kept[0] if kept else None)
