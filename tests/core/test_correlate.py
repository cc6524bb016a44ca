"""Replies go to the job they belong to, or to nobody."""

from __future__ import annotations

import msgspec

from core import correlate as c
from core.correlate import Correlator
from core.signs import (
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


def test_a_clock_that_was_ahead_when_a_drawing_was_submitted_does_not_give_its_picture_to_another() -> None:
    correlator = Correlator()
    correlator.open(Drawing("job1", 1, "n1", submitted_at=4_600.0))
    correlator.observe(Sign(Stage.TRACED, nonce="n1", interaction_id="i1", posted_at=1_000.0), 0.0)
    correlator.open(Drawing("job2", 1, "n2", submitted_at=1_005.0))
    correlator.observe(Sign(Stage.TRACED, nonce="n2", interaction_id="i2", posted_at=1_005.0), 5.0)
    (held,) = correlator.observe(result("b1", posted_at=1_060.0), 60.0)
    assert isinstance(held, Held)
    assert held.candidates == ("job1", "job2")
    assert ends(correlator.sweep(60.0 + c.SETTLE_S)) == []


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
    correlator.observe(result("2"), 20.0)
    assert ends(correlator.sweep(20.0 + c.SETTLE_S)) == [("job2", "2")]


def test_who_recalls_all_of_before_may_give_a_result_to_the_only_one_it_can_belong_to() -> None:
    ignorant, knowing, doubting = (Correlator(born=0.0) for _ in range(3))
    knowing.recall(["b1"])
    doubting.restore(Drawing("job1", 1, "n1"), 0.0, closed_at=-60.0)
    doubting.recall(["b1"])
    for correlator in (ignorant, knowing, doubting):
        correlator.restore(Drawing("job2", 1, "n2"), 0.0)
        correlator.observe(result("1"), 1.0)
        correlator.observe(result("2"), 1.0)
    later = 1.0 + c.SETTLE_S
    assert ends(ignorant.sweep(later)) == []
    assert ends(knowing.sweep(later)) == [("job2", "2")]
    assert ends(doubting.sweep(later)) == []  # job1 ended without a result, and it may be this one


def test_without_knowing_the_claimed_results_a_restored_drawing_needs_proof() -> None:
    correlator = Correlator()
    correlator.restore(Drawing("job2", 1, "n2", taken=True), 0.0)
    assert correlator.observe(result("?", interaction_id="i2"), 0.0) == ()
    assert correlator.sweep(c.SETTLE_S) == ()
    traced = correlator.observe(Sign(Stage.TRACED, nonce="n2", interaction_id="i2"), 20.0)
    assert ends(traced) == [("job2", "?")]


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


def test_an_interaction_that_was_named_beforehand_ties_what_is_drawn_and_says_not_that_it_was_taken() -> None:
    correlator = two_open()
    assert correlator.link("job2", 1, "i2", 0.0) == ()
    assert [drawing.taken for drawing in correlator.drawings()] == [False, False]
    begun = Sign(Stage.WAITING, message_id="a2", interaction_id="i2")
    assert correlator.observe(begun, 1.0) == (Took("job2", 1, "i2"), Began("job2", 1, "a2", "i2"))
    assert ends(correlator.observe(result("2", interaction_id="i2"), 2.0)) == [("job2", "2")]


def test_a_message_that_came_before_its_interaction_was_named_is_tied_by_it() -> None:
    correlator = two_open()
    assert correlator.observe(Sign(Stage.WAITING, message_id="a2", interaction_id="i2"), 0.0) == ()
    assert correlator.link("job2", 1, "i2", 1.0) == (Took("job2", 1, "i2"), Began("job2", 1, "a2", "i2"))


def test_a_press_that_opened_a_form_goes_on_as_the_forms_answer() -> None:
    correlator = Correlator()
    correlator.open(Drawing("job1", 1, "n1", form_nonce="f1"))
    press = Sign(Stage.TRACED, nonce="n1", interaction_id="i1")
    assert correlator.observe(press, 0.0) == (Took("job1", 1, "i1"),)
    correlator.reopen("job1", 1)
    assert correlator.observe(press, 1.0) == ()  # said again: it is no evidence that the answer was taken
    answer = Sign(Stage.TRACED, nonce="f1", interaction_id="i2")
    assert correlator.observe(answer, 2.0) == (Took("job1", 1, "i2"),)
    assert ends(correlator.observe(result("1", interaction_id="i2"), 3.0)) == [("job1", "1")]


def test_a_restored_press_is_known_by_the_nonce_of_the_form_that_an_earlier_life_answered() -> None:
    correlator = Correlator(())
    correlator.restore(Drawing("job1", 1, "n1", form_nonce="f1", interaction_id="i1", taken=True), 0.0)
    begun = Sign(Stage.WAITING, message_id="a1", nonce="f1", interaction_id="i2")
    assert correlator.observe(begun, 1.0) == (Began("job1", 1, "a1", "i2"),)
    assert ends(correlator.observe(result("1", interaction_id="i2"), 2.0)) == [("job1", "1")]


def test_a_result_that_is_shown_once_more_is_not_late() -> None:
    correlator = two_open()
    correlator.observe(start("1", hash="h1"), 0.0)
    assert ends(correlator.observe(result("1", hash="h1"), 1.0)) == [("job1", "1")]
    assert correlator.observe(result("9", hash="h1"), 2.0) == ()
    correlator.observe(start("2", hash="h2"), 3.0)
    correlator.close("job2", 1, 4.0)
    (late,) = correlator.observe(result("2", hash="h2"), 5.0)
    assert isinstance(late, Late)
    assert correlator.observe(result("8", hash="h2"), 6.0) == ()
