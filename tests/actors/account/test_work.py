"""How refusals are judged, and how stored jobs and messages become evidence."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from actors.account.errands import Posted
from actors.account.readings import drawing_of, posted_at, sign_of
from actors.account.work import HELD_UP_TEXT, NOT_REACHED_TEXT, REFUSALS_MAX, Step, Work, after_posted, after_refusal
from actors.queue.messages import Failed, Returned
from core.signs import Kind, Stage
from protocol import drawing_events as seen
from storage.operations import JobRecord

#: Only the fields that matter are told apart from the defaults.
BLANK: dict[str, Any] = dict.fromkeys(JobRecord.__struct_fields__)
JOB = JobRecord(
    **BLANK
    | {
        "id": "j1", "user": "ada", "plan": "free", "state": "submitting", "kind": "imagine", "prompt": "a fox",
        "mode": "fast", "images_in": (), "attempt": 1, "nonce": "1000", "offers": (), "charged": True,
        "created_at": 0.0, "images": (), "history": (),
    }
)  # fmt: skip


def refusal(title: str = "Queue full", **how: Any) -> seen.Refusal:
    told: dict[str, Any] = {"fault_of_user": False, "pauses_account": False, "retry": False} | how
    return seen.Refusal(seen.Links(), "upstream_rejected", title, "Wait.", **told)


def work(job: JobRecord = JOB, **how: Any) -> Work:
    return Work(job.id, job.user, job.attempt, "l1", Step.WITH_BOT, 0.0, job=job, **how)


def test_a_refusal_that_may_go_better_is_given_back_unless_the_queue_knows_it_is_drawn() -> None:
    assert isinstance(after_refusal("fox", work(), refusal(retry=True)), Returned)
    assert isinstance(after_refusal("fox", work(sighted=True), refusal(retry=True)), Failed)


def test_nobody_is_asked_for_ever() -> None:
    worn = work(refusals=REFUSALS_MAX - 1)
    assert isinstance(after_refusal("fox", worn, refusal(retry=True)), Failed)
    assert isinstance(after_posted("fox", worn, Posted("j1", 1, "unsent", "cut", again=True)), Failed)


def test_each_refusal_is_counted_and_what_says_nothing_of_the_job_is_not() -> None:
    known = work(replace(JOB, attempt=10 * REFUSALS_MAX), refusals=3)
    told = [
        after_refusal("fox", known, refusal(retry=True)),
        after_posted("fox", known, Posted("j1", known.attempt, "unsent", "cut", again=True)),
        after_posted("fox", known, Posted("j1", known.attempt, "refused", "429", again=True, kind="rate_limited")),
    ]
    assert [each.refusals for each in told if isinstance(each, Returned)] == [4, 4, 0]


def test_a_job_whose_account_is_blocked_goes_to_one_other_account_and_to_no_third() -> None:
    blocked = refusal("Blocked", pauses_account=True, retry=True)
    first = after_refusal("fox", work(), blocked)
    assert isinstance(first, Returned)
    second = after_refusal("owl", work(refusals=first.refusals), blocked)
    assert isinstance(second, Failed)
    assert (second.message, second.charged) == (HELD_UP_TEXT, False)


@pytest.mark.parametrize("outcome", ["refused", "unsent"])
def test_no_limit_fails_a_job_however_often_it_is_refused(outcome: str) -> None:
    posted = Posted("j1", 1, outcome, "rate limited", again=True, kind="rate_limited")
    assert isinstance(after_posted("fox", work(refusals=10 * REFUSALS_MAX), posted), Returned)


def test_users_do_not_read_what_is_the_operators_to_answer_nor_what_broke() -> None:
    notice = after_refusal("fox", work(), refusal(pauses_account=True))
    unsent = after_posted(
        "fox", work(refusals=REFUSALS_MAX), Posted("j1", 1, "unsent", "ClientConnectorError", again=True)
    )
    assert isinstance(notice, Failed)
    assert isinstance(unsent, Failed)
    assert (notice.message, unsent.message) == (HELD_UP_TEXT, NOT_REACHED_TEXT)


@pytest.mark.parametrize("fault_of_user", [True, False])
def test_only_what_the_user_could_foresee_is_charged(fault_of_user: bool) -> None:
    failed = after_refusal("fox", work(), refusal(fault_of_user=fault_of_user))
    assert isinstance(failed, Failed)
    assert failed.charged is fault_of_user


def test_an_act_does_not_wait_for_an_account_that_discord_refuses() -> None:
    act = replace(JOB, affinity="fox")
    posted = Posted("j1", 1, "refused", "missing access", again=True, kind="account")
    assert isinstance(after_posted("fox", work(), posted), Returned)
    failed = after_posted("fox", work(act), posted)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.charged) == ("upstream_blocked", False)


@pytest.mark.parametrize(
    ("changes", "kind", "nonce"),
    [
        ({}, Kind.PICTURE, "1000"),
        ({"kind": "describe"}, Kind.TEXT, "1000"),
        ({"kind": "act", "action": "upscale", "index": 2, "press_message_id": "7"}, Kind.NUMBERED, "1000"),
        ({"kind": "act", "action": "custom_zoom", "press_message_id": "7"}, Kind.PICTURE, "1001"),
    ],
)
def test_a_stored_job_says_what_its_result_will_look_like(changes: dict[str, Any], kind: Kind, nonce: str) -> None:
    drawing = drawing_of(replace(JOB, **changes))
    assert (drawing.kind, drawing.nonce) == (kind, nonce)
    assert drawing.parent_message_id == changes.get("press_message_id")


def test_job_queued_is_evidence_that_it_was_taken_and_its_message_is_not_the_start_message() -> None:
    sign = sign_of(seen.Postponed(seen.Links(message_id="5", nonce="1000", interaction_id="6")))
    assert sign is not None
    assert (sign.stage, sign.message_id, sign.nonce) == (Stage.TRACED, None, "1000")


def test_what_is_no_evidence_makes_no_sign() -> None:
    assert sign_of(seen.Ignored()) is None
    assert sign_of(seen.Odd("new")) is None


def test_a_message_tells_its_time_by_its_id() -> None:
    assert posted_at("175928847299117063") == pytest.approx(1_462_015_105.796)  # the example of Discord's reference
    assert posted_at("x") is None
