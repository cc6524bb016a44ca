"""Replies go to the job they belong to, or to nobody: by example, and in thousands of seeded bad channels."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import correlate as c
from core.correlate import (
    Began,
    Correlator,
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


def two_open(**fields: str) -> Correlator:
    correlator = Correlator()
    for name in ("1", "2"):
        correlator.open(Drawing(f"job{name}", 1, f"n{name}", **fields))
    return correlator


def start(name: str, **fields: str) -> Sign:
    return Sign(Stage.WAITING, message_id=f"a{name}", nonce=f"n{name}", **fields)


def result(name: str, **fields: object) -> Sign:
    return msgspec.structs.replace(Sign(Stage.FINISHED, message_id=f"b{name}", parcel=name), **fields)


def ends(findings: tuple[Finding, ...]) -> list[tuple[str, object]]:
    return [(found.job_id, found.sign.parcel) for found in findings if isinstance(found, Ended)]


def test_the_nonce_names_the_start_message_and_the_drawing_begins_once() -> None:
    correlator = two_open()
    found = correlator.observe(start("1", interaction_id="i1"), 0.0)
    assert found == (Took("job1", 1, "i1"), Began("job1", 1, "a1", "i1"))
    assert correlator.observe(start("1", interaction_id="i1"), 0.0) == ()


def test_interaction_success_is_evidence_that_it_was_taken() -> None:
    correlator = two_open()
    traced = Sign(Stage.TRACED, nonce="n1", interaction_id="i1")
    assert correlator.observe(traced, 0.0) == (Took("job1", 1, "i1"),)
    assert correlator.observe(traced, 0.0) == ()


def test_the_interaction_id_ties_the_result() -> None:
    correlator = two_open()
    correlator.observe(Sign(Stage.TRACED, nonce="n2", interaction_id="i2"), 0.0)
    assert ends(correlator.observe(result("2", interaction_id="i2"), 1.0)) == [("job2", "2")]


def test_the_hash_of_a_preview_ties_the_result() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    correlator.observe(start("2"), 0.0)
    moved = correlator.observe(Sign(Stage.PROGRESS, message_id="a2", hash="h2", percent=31), 1.0)
    assert [(found.job_id, found.percent, found.hash) for found in moved if isinstance(found, Moved)] == [
        ("job2", 31, "h2")
    ]
    assert ends(correlator.observe(result("2", hash="h2"), 2.0)) == [("job2", "2")]
    # The other result can now only be the other job's, as soon as its start message is gone.
    assert ends(correlator.observe(result("1", hash="h1"), 3.0)) == []
    assert ends(correlator.observe(Sign(Stage.DELETED, message_id="a1"), 3.0)) == [("job1", "1")]


def test_progress_never_goes_back() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    assert len(correlator.observe(Sign(Stage.PROGRESS, message_id="a1", percent=46), 1.0)) == 1
    assert correlator.observe(Sign(Stage.PROGRESS, message_id="a1", percent=31), 1.0) == ()


def test_a_result_of_two_candidates_is_held_also_when_one_start_message_is_gone() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    correlator.observe(start("2"), 0.0)
    (held,) = correlator.observe(result("?"), 1.0)
    assert isinstance(held, Held)
    assert held.candidates == ("job1", "job2")
    assert correlator.observe(Sign(Stage.DELETED, message_id="a1"), 2.0) == ()
    assert correlator.sweep(c.HELD_S_MAX - 1) == ()


def test_a_held_result_is_given_when_the_other_candidate_has_ended() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    correlator.observe(start("2"), 0.0)
    correlator.observe(result("?"), 1.0)
    correlator.observe(Sign(Stage.DELETED, message_id="a1"), 1.0)
    found = correlator.observe(Sign(Stage.REFUSED, nonce="n2", message_id="e2", parcel="no"), 2.0)
    assert ends(found) == [("job2", "no"), ("job1", "?")]


def test_the_only_candidate_waits_for_the_deletion_or_a_settling_time() -> None:
    correlator = Correlator()
    correlator.open(Drawing("job1", 1, "n1"))
    correlator.observe(start("1"), 0.0)
    assert correlator.observe(result("1"), 5.0) == ()
    assert correlator.next_deadline(5.0) == 5.0 + c.SETTLE_S
    assert ends(correlator.sweep(5.0 + c.SETTLE_S)) == [("job1", "1")]


def test_a_drawing_nobody_saw_begin_gets_no_unproven_result() -> None:
    correlator = Correlator()
    correlator.open(Drawing("job1", 1, "n1"))
    correlator.observe(result("stranger"), 0.0)
    assert correlator.sweep(c.SETTLE_S) == ()
    correlator.doubt("job1", 1)
    assert ends(correlator.sweep(c.SETTLE_S)) == [("job1", "stranger")]


def test_a_result_posted_or_arrived_before_the_drawing_is_never_its_own() -> None:
    correlator = Correlator()
    (stranger,) = correlator.observe(result("early"), 0.0)
    assert isinstance(stranger, Unclaimed)
    correlator.restore(Drawing("job1", 1, "n1", submitted_at=1000.0), 0.0)
    (stranger,) = correlator.observe(result("old", posted_at=900.0), 1.0)
    assert isinstance(stranger, Unclaimed)


def test_a_drawing_opened_after_a_result_arrived_is_no_candidate_for_it() -> None:
    correlator = two_open()
    correlator.observe(result("?"), 0.0)
    correlator.open(Drawing("job3", 1, "n3"))
    correlator.observe(start("3"), 1.0)
    correlator.observe(Sign(Stage.DELETED, message_id="a3"), 1.0)
    findings = [
        found for name in ("1", "2") for found in correlator.observe(Sign(Stage.REFUSED, nonce=f"n{name}"), 2.0)
    ]
    assert [type(found) for found in findings] == [Ended, Ended, Unclaimed]


def test_two_results_for_one_drawing_are_both_held_until_one_is_proven() -> None:
    correlator = Correlator()
    correlator.open(Drawing("job1", 1, "n1"))
    correlator.observe(Sign(Stage.TRACED, nonce="n1"), 0.0)
    correlator.observe(result("mine", hash="h1"), 1.0)
    correlator.observe(result("stranger", hash="h9"), 1.0)
    assert correlator.sweep(1.0 + c.SETTLE_S) == ()
    found = correlator.observe(start("1", hash="h1"), 20.0)
    assert ends(found) == [("job1", "mine")]
    assert [sign.sign.parcel for sign in found if isinstance(sign, Unclaimed)] == ["stranger"]


def test_another_interaction_id_rules_a_drawing_out() -> None:
    correlator = Correlator()
    correlator.open(Drawing("job1", 1, "n1"))
    correlator.observe(start("1", interaction_id="i1"), 0.0)
    (stranger,) = correlator.observe(result("x", interaction_id="i9"), 1.0)
    assert isinstance(stranger, Unclaimed)


def test_a_result_that_has_its_owner_is_not_given_again_after_a_restart() -> None:
    correlator = Correlator(claimed=["b1"])
    correlator.restore(Drawing("job2", 1, "n2"), 0.0)
    assert correlator.observe(result("1"), 0.0) == ()
    assert correlator.sweep(c.SETTLE_S) == ()


def test_a_restored_drawing_goes_on_from_its_stored_links() -> None:
    correlator = two_open()
    correlator.observe(start("1", interaction_id="i1"), 0.0)
    stored = correlator.drawings()
    again = Correlator()
    for drawing in stored:
        assert again.restore(drawing, 0.0) == ()
    assert ends(again.observe(result("1", interaction_id="i1"), 1.0)) == [("job1", "1")]


def test_a_repeated_result_changes_nothing() -> None:
    correlator = two_open()
    correlator.observe(start("1", interaction_id="i1"), 0.0)
    assert len(correlator.observe(result("1", interaction_id="i1"), 1.0)) == 1
    assert correlator.observe(result("1", interaction_id="i1"), 1.0) == ()
    assert correlator.observe(start("1", interaction_id="i1"), 1.0) == ()


def test_the_picture_of_a_closed_drawing_is_late_and_goes_to_nobody_else() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    correlator.observe(start("2"), 0.0)
    assert correlator.close("job1", 1, 900.0) == ()
    (held,) = correlator.observe(result("1"), 901.0)
    assert isinstance(held, Held)
    found = correlator.observe(result("2", nonce="n2"), 902.0) + correlator.sweep(902.0 + c.SETTLE_S)
    assert ends(found) == [("job2", "2")]
    assert [found.job_id for found in found if isinstance(found, Late)] == ["job1"]


def test_a_never_taken_drawing_is_no_candidate() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    correlator.observe(Sign(Stage.DELETED, message_id="a1"), 0.0)
    correlator.observe(result("1"), 1.0)
    assert ends(correlator.close("job2", 1, 2.0, never_taken=True)) == [("job1", "1")]


def test_numbered_results_are_told_apart_by_grid_and_number() -> None:
    correlator = Correlator()
    for name, number in (("1", 1), ("2", 2)):
        drawing = Drawing(f"job{name}", 1, f"n{name}", Kind.NUMBERED, parent_message_id="g", parent_index=number)
        correlator.open(drawing)
        correlator.observe(Sign(Stage.TRACED, nonce=f"n{name}", interaction_id=f"i{name}"), 0.0)
    correlator.open(Drawing("job3", 1, "n3"))
    assert ends(correlator.observe(result("2", image_number=2, reference_id="g"), 1.0)) == [("job2", "2")]
    (stranger,) = correlator.observe(result("x", image_number=1, reference_id="other"), 1.0)
    assert isinstance(stranger, Unclaimed)


def test_an_embed_on_a_start_message_is_not_the_text_of_a_picture() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    assert correlator.observe(Sign(Stage.FINISHED, message_id="a1", is_text=True), 1.0) == ()
    assert len(correlator.drawings()) == 2


def test_a_refusal_by_reply_or_by_edit_finds_its_drawing() -> None:
    correlator = two_open()
    correlator.observe(start("1"), 0.0)
    correlator.observe(start("2"), 0.0)
    reply = Sign(Stage.REFUSED, message_id="e", reference_id="a1", parcel="reply")
    assert ends(correlator.observe(reply, 1.0)) == [("job1", "reply")]
    edit = Sign(Stage.REFUSED, message_id="a2", parcel="edit")
    assert ends(correlator.observe(edit, 1.0)) == [("job2", "edit")]


def test_what_is_held_is_bounded_in_number_and_age() -> None:
    correlator = two_open()
    for number in range(c.HELD_COUNT_MAX):
        correlator.observe(result(str(number)), 0.0)
    found = correlator.observe(result("one more"), 0.0)
    assert [sign.sign.parcel for sign in found if isinstance(sign, Unclaimed)] == ["0"]
    assert len(correlator.sweep(c.HELD_S_MAX)) == c.HELD_COUNT_MAX
    assert correlator.next_deadline(0.0) is None


# --- bad channels: a small world that knows the truth ---


class Channel(msgspec.Struct, frozen=True):
    """How bad a channel is: chances of 0-1, and switches."""

    metadata: float
    final_nonce: float
    previews: float
    success: float
    deletes: float
    duplicates: float
    closes: float
    refusals: float
    shuffle: bool
    hashes: bool


def story(name: str, channel: Channel, rng: random.Random) -> list[Sign | None]:
    """What the bot does for one drawing, in order; None stands for our closing it."""

    def maybe(chance: float, value: str) -> str | None:
        return value if rng.random() < chance else None

    interaction = f"i{name}"
    signs: list[Sign | None] = []
    if rng.random() < channel.success:
        signs.append(Sign(Stage.TRACED, nonce=f"n{name}", interaction_id=interaction))
    metadata = maybe(channel.metadata, interaction)
    signs.append(start(name, **({"interaction_id": metadata} if metadata else {})))
    for percent in (15, 46, 93):
        preview = maybe(channel.previews, f"h{name}")
        signs.append(Sign(Stage.PROGRESS, f"a{name}", None, metadata, preview, percent=percent, parcel=name))
    if rng.random() < channel.closes:
        signs.append(None)
    if rng.random() < channel.refusals:
        return [*signs, Sign(Stage.REFUSED, message_id=f"a{name}", parcel=name)]
    signs.append(
        result(
            name,
            nonce=maybe(channel.final_nonce, f"n{name}"),
            interaction_id=metadata,
            hash=f"h{name}" if channel.hashes else None,
        )
    )
    if rng.random() < channel.deletes:
        signs.append(Sign(Stage.DELETED, message_id=f"a{name}"))
    return signs


def play(channel: Channel, seed: int, drawing_count: int) -> tuple[set[str], set[str]]:
    """Runs a channel; asserts that nothing was swapped or given twice. Returns (jobs ended, jobs closed by us)."""
    rng = random.Random(seed)
    correlator = Correlator()
    schedule: list[tuple[float, str, Sign | None]] = []
    opens: list[tuple[float, str]] = []
    for number in range(drawing_count):
        name, at = str(number), rng.uniform(0, 100)
        opens.append((at, name))
        for step, sign in enumerate(story(name, channel, rng), start=1):
            when = at + (rng.uniform(0.01, 90) if channel.shuffle else step * rng.uniform(5, 6))
            schedule.append((when, name, sign))
            if sign is not None and rng.random() < channel.duplicates:
                schedule.append((when + rng.uniform(0, 60), name, sign))
    moments: list[tuple[float, str, Sign | None, bool]] = [(at, name, None, True) for at, name in opens]
    moments += [(at, name, sign, False) for at, name, sign in schedule]
    findings: list[Finding] = []
    closed: set[str] = set()
    now = 0.0
    for now, name, sign, is_open in sorted(moments, key=lambda moment: moment[0]):
        if is_open:
            correlator.open(Drawing(f"job{name}", 1, f"n{name}"))
        elif sign is None:
            closed.add(f"job{name}")
            findings += correlator.close(f"job{name}", 1, now)
        else:
            findings += correlator.observe(sign, now)
        findings += correlator.sweep(now)
    findings += correlator.sweep(now + c.SETTLE_S)
    findings += correlator.sweep(now + c.HELD_S_MAX + c.SETTLE_S)
    outcomes = [found for found in findings if isinstance(found, Ended | Late | Moved)]
    swaps = [found for found in outcomes if found.job_id != f"job{found.sign.parcel}"]
    assert swaps == []
    ended = [found.job_id for found in findings if isinstance(found, Ended)]
    assert len(ended) == len(set(ended))
    return set(ended), closed


def bad_channel(rng: random.Random) -> Channel:
    chances = [rng.choice((0.0, 0.3, 0.7, 1.0)) for _ in range(6)]
    closes, refusals = rng.choice((0.0, 0.2)), rng.choice((0.0, 0.2))
    return Channel(*chances, closes=closes, refusals=refusals, shuffle=rng.random() < 0.6, hashes=rng.random() < 0.8)


@pytest.mark.parametrize("block", range(20))
def test_equal_prompts_are_never_swapped_in_any_bad_channel(block: int) -> None:
    for seed in range(block * 150, (block + 1) * 150):
        rng = random.Random(seed)
        play(bad_channel(rng), seed, drawing_count=rng.randint(2, 9))


@pytest.mark.parametrize("block", range(5))
def test_with_metadata_every_drawing_ends_however_bad_the_order(block: int) -> None:
    for seed in range(block * 60, (block + 1) * 60):
        rng = random.Random(seed)
        bad = bad_channel(rng)
        channel = msgspec.structs.replace(bad, metadata=1.0, closes=0.0)
        count = rng.randint(2, 9)
        ended, _ = play(channel, seed, count)
        assert ended == {f"job{number}" for number in range(count)}


CHANCE = st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0])


@settings(max_examples=200, deadline=None)
@given(
    channel=st.builds(
        Channel,
        metadata=CHANCE,
        final_nonce=CHANCE,
        previews=CHANCE,
        success=CHANCE,
        deletes=CHANCE,
        duplicates=CHANCE,
        closes=CHANCE,
        refusals=CHANCE,
        shuffle=st.booleans(),
        hashes=st.booleans(),
    ),
    seed=st.integers(0, 2**32),
    drawing_count=st.integers(1, 7),
)
def test_no_channel_swaps_pictures(channel: Channel, seed: int, drawing_count: int) -> None:
    ended, closed = play(channel, seed, drawing_count)
    assert len(ended | closed) <= drawing_count
