"""The ledger of jobs: stored before told, moved by compare-and-set, ended once."""

from __future__ import annotations

from typing import Any

from actors.monitor.messages import Observed
from actors.queue.actor import SHARES_EACH_S, Queue
from actors.queue.messages import (
    PLACES_TOLD_MAX,
    Acknowledged,
    AskHoldings,
    AskPlaces,
    Begin,
    Cancel,
    CancelHeard,
    Demand,
    Doubtful,
    Drain,
    Drawn,
    Enqueue,
    Failed,
    Go,
    Holdings,
    JobAccepted,
    JobMoved,
    JobRefused,
    JobSettled,
    Keep,
    Kept,
    LeaseVoid,
    LeaseVoided,
    LedgerOpen,
    Next,
    NoGo,
    NotKept,
    Places,
    Returned,
    Sighted,
    Stop,
)
from actors.shell import Kill
from actors.store import Store
from actors.store_messages import Commit, LookedUp, Lookup
from storage.operations import AddUser, ImageRecord, JobFound, Offer, ReadJob
from tests.actors.stage import CONFIG, Stage, play

OFFERS = (
    Offer("upscale", 1, "U1", "MJ::JOB::upsample::1::h"),
    Offer("reroll", None, "↻", "MJ::JOB::reroll::0::h::SOLO"),
)


async def set_up(stage: Stage, store: type[Store] = Store) -> None:
    for name in ("monitor", "lobby", "scheduler", "gallery", "account/fox"):
        stage.cast(name)
    stage.cast("store", store)
    for user in ("ana", "ben"):
        stage.tell("store", Commit(f"add-{user}", "monitor", AddUser(user, user, "free", False, 1.0)))
    stage.cast("queue", Queue)
    await stage.one("scheduler", LedgerOpen)


def wish(user: str = "ana", ref: str | None = None, prompt: str = "a fox", **fields: Any) -> Enqueue:
    return Enqueue(user, fields.pop("request_id", "r1"), "free", ref, "imagine", prompt, "fast", **fields)


def demand(lease: str = "l1", epoch: int = 1) -> Demand:
    return Demand(lease, epoch, "fox", ("fast", "relax"), 0.0)


def picture(job: str) -> ImageRecord:
    return ImageRecord(f"i-{job}", job, "ana", 1, "p", "t", 10, 10, 99, "00", "image/png")


async def accepted(stage: Stage, **fields: Any) -> JobAccepted:
    stage.tell("queue", wish(**fields))
    return await stage.one("lobby", JobAccepted)


async def submitted(stage: Stage, lease: str = "l1") -> Go:
    """From a waiting job to the moment before the POST."""
    stage.tell("queue", demand(lease))
    following = await stage.one("scheduler", Next)
    stage.tell("queue", Begin("fox", following.job, following.attempt, lease, "gs1"))
    return await stage.one("account/fox", Go)


def drawn(go: Go) -> Drawn:
    return Drawn("fox", go.job.id, go.job.attempt, "m2", "http://cdn/x.png", "hash", OFFERS, None)


def scene(test: Any) -> Any:
    """Plays an async test on a stage with store and queue."""

    def play_it() -> None:
        async def whole(stage: Stage) -> None:
            await set_up(stage)
            await test(stage)

        play(whole)

    play_it.__name__ = test.__name__
    return play_it


@scene
async def test_a_job_goes_from_acceptance_to_done_and_its_user_hears_each_step_once(stage: Stage) -> None:
    told = await accepted(stage)
    assert (told.position, told.seq, told.job.state) == (1, 1, "queued")
    go = await submitted(stage)
    assert go.job.state == "submitting"
    assert go.job.nonce is not None
    stage.tell("queue", Sighted("fox", go.job.id, 1, "i1", "m1", None))
    moved = (await stage.heard("lobby", JobMoved))[-1]
    assert (moved.job.state, moved.seq) == ("drawing", 2)
    stage.tell("queue", drawn(go))
    keep = await stage.one("gallery", Keep)
    assert keep.job.picture_url == "http://cdn/x.png"
    facts = [ack.fact for ack in await stage.heard("account/fox", Acknowledged)]
    assert facts == ["Sighted", "Drawn"]
    stage.tell("queue", Kept(go.job.id, 1, (picture(go.job.id),)))
    settled = await stage.one("lobby", JobSettled)
    assert (settled.job.state, settled.seq, settled.job.charged) == ("done", 3, True)
    assert [image.id for image in settled.job.images] == [f"i-{go.job.id}"]
    stage.tell("store", Lookup("look", "monitor", ReadJob(go.job.id, "ana")))
    found = (await stage.one("monitor", LookedUp)).found
    assert isinstance(found, JobFound)
    states = [moment.state for moment in found.job.history]
    assert states == ["queued", "granted", "submitting", "drawing", "keeping", "done"]


@scene
async def test_facts_told_twice_change_nothing_and_are_acknowledged_again(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go), drawn(go))
    assert len(await stage.heard("account/fox", Acknowledged)) == 2
    assert len(await stage.heard("gallery", Keep)) == 1
    stage.tell("queue", Kept(go.job.id, 1, (picture(go.job.id),)), Kept(go.job.id, 1, (picture(go.job.id),)))
    assert len(await stage.heard("lobby", JobSettled)) == 1
    stage.tell("queue", drawn(go))
    await stage.one("account/fox", Acknowledged)
    assert await stage.heard("lobby", JobSettled) == []


@scene
async def test_a_stale_lease_does_not_begin(stage: Stage) -> None:
    await accepted(stage)
    stage.tell("queue", demand())
    following = await stage.one("scheduler", Next)
    stage.tell("queue", Begin("fox", following.job, following.attempt, "another", None))
    stage.tell("queue", Begin("fox", following.job, following.attempt + 1, "l1", None))
    assert len(await stage.heard("account/fox", NoGo)) == 2


@scene
async def test_a_lease_that_did_not_begin_is_void_and_its_job_first_again(stage: Stage) -> None:
    first = await accepted(stage)
    await accepted(stage, request_id="r2")
    stage.tell("queue", demand("l1"))
    following = await stage.one("scheduler", Next)
    stage.tell("queue", LeaseVoid("l1", following.job, following.attempt))
    assert await stage.one("scheduler", LeaseVoided) == LeaseVoided("l1", begun=False)
    stage.tell("queue", demand("l2"))
    again = await stage.one("scheduler", Next)
    assert (again.job, again.attempt) == (first.job.id, 2)


@scene
async def test_a_lease_that_has_begun_cannot_be_voided(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", LeaseVoid("l1", go.job.id, go.job.attempt))
    assert await stage.one("scheduler", LeaseVoided) == LeaseVoided("l1", begun=True)


@scene
async def test_an_explicit_refusal_gives_the_job_back_with_a_fresh_nonce_for_the_next_attempt(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Returned("fox", go.job.id, 1, "429"))
    await stage.one("account/fox", Acknowledged)
    again = await submitted(stage, "l2")
    assert again.job.attempt == 2
    assert again.job.nonce != go.job.nonce


@scene
async def test_a_doubtful_job_is_never_given_out_again_and_fails_refunded_when_no_evidence_comes(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Doubtful("fox", go.job.id, 1), demand("l2"))
    await stage.one("account/fox", Acknowledged)
    assert await stage.heard("scheduler", Next) == []
    await stage.quiet(700)
    settled = await stage.one("lobby", JobSettled)
    assert (settled.job.state, settled.job.code, settled.job.charged) == ("failed", "undecided", False)


@scene
async def test_evidence_decides_a_doubtful_job(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Doubtful("fox", go.job.id, 1), Sighted("fox", go.job.id, 1, "i1", "m1", None))
    assert (await stage.heard("lobby", JobMoved))[-1].job.state == "drawing"
    await stage.quiet(700)
    assert await stage.heard("lobby", JobSettled) == []


@scene
async def test_a_failure_tells_whose_fault_and_refunds(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Failed("fox", go.job.id, 1, "failed", "upstream_rejected", "The bot refused.", False))
    settled = await stage.one("lobby", JobSettled)
    assert (settled.job.code, settled.job.charged) == ("upstream_rejected", False)
    await stage.one("account/fox", Acknowledged)


@scene
async def test_a_picture_that_cannot_be_kept_fails_the_job_and_refunds(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go))
    stage.tell("queue", NotKept(go.job.id, 1, "upstream_timeout", "The picture is gone."))
    settled = await stage.one("lobby", JobSettled)
    assert (settled.job.state, settled.job.charged) == ("failed", False)


@scene
async def test_the_gallery_is_reminded_until_it_answers(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go))
    await stage.one("gallery", Keep)
    await stage.quiet(130)
    assert len(await stage.heard("gallery", Keep)) == 2
    stage.tell("queue", Kept(go.job.id, 1, (picture(go.job.id),)))
    await stage.quiet(130)
    assert await stage.heard("gallery", Keep) == []


@scene
async def test_a_waiting_job_is_cancelled_at_once_and_refunded(stage: Stage) -> None:
    told = await accepted(stage)
    stage.tell("queue", Cancel("ana", "c1", told.job.id))
    settled = await stage.one("lobby", JobSettled)
    assert (settled.job.state, settled.job.charged) == ("cancelled", False)
    assert (await stage.one("lobby", CancelHeard)).code is None
    stage.tell("queue", demand())
    assert await stage.heard("scheduler", Next) == []


@scene
async def test_a_drawing_is_cancelled_by_asking_the_bot(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Cancel("ana", "c1", go.job.id))
    assert await stage.one("account/fox", Stop) == Stop("fox", go.job.id)
    assert (await stage.one("lobby", CancelHeard)).code is None
    assert await stage.heard("lobby", JobSettled) == []


@scene
async def test_nobody_cancels_what_is_not_theirs_or_not_there_or_over(stage: Stage) -> None:
    told = await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Cancel("ben", "c1", told.job.id), Cancel("ana", "c2", "nothing"))
    assert [heard.code for heard in await stage.heard("lobby", CancelHeard)] == ["not_found", "not_found"]
    assert await stage.heard("account/fox", Stop) == []
    stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
    await stage.quiet()
    stage.tell("queue", Cancel("ana", "c3", told.job.id))
    assert (await stage.one("lobby", CancelHeard)).code == "not_cancellable"


@scene
async def test_the_same_ref_is_the_same_job_and_another_body_is_a_conflict(stage: Stage) -> None:
    first = await accepted(stage, ref="a")
    again = await accepted(stage, ref="a")
    assert again.replayed
    assert again.job.id == first.job.id
    stage.tell("queue", wish(ref="a", prompt="another"))
    assert (await stage.one("lobby", JobRefused)).code == "ref_conflict"


@scene
async def test_limits_are_decided_where_the_job_is_stored(stage: Stage) -> None:
    for number in range(4):
        await accepted(stage, request_id=f"r{number}")
    stage.tell("queue", wish())
    assert (await stage.one("lobby", JobRefused)).code == "too_many_jobs"
    await submitted(stage, "l1")
    await accepted(stage)
    await submitted(stage, "l2")
    stage.tell("queue", wish())
    refused = await stage.one("lobby", JobRefused)
    assert refused.code == "quota_exceeded"
    assert refused.retry_after_s is not None
    assert refused.retry_after_s > 0


@scene
async def test_no_new_jobs_while_draining(stage: Stage) -> None:
    stage.tell("queue", Drain(), wish())
    assert (await stage.one("lobby", JobRefused)).code == "draining"


@scene
async def test_a_mode_that_no_account_has_is_refused(stage: Stage) -> None:
    stage.tell("queue", Enqueue("ana", "r", "free", None, "imagine", "a fox", "turbo"))
    assert (await stage.one("lobby", JobRefused)).code == "no_account"


@scene
async def test_places_are_told_in_order(stage: Stage) -> None:
    jobs = [(await accepted(stage, request_id=f"r{number}")).job.id for number in range(3)]
    stage.tell("queue", AskPlaces("ana"))
    places = await stage.one("lobby", Places)
    assert [(place.job, place.position) for place in places.places] == [(job, n) for n, job in enumerate(jobs, 1)]


def test_of_a_user_with_many_waiting_jobs_the_next_ones_places_are_told() -> None:
    async def whole(stage: Stage) -> None:
        await set_up(stage)
        for number in range(PLACES_TOLD_MAX + 20):
            stage.tell("queue", wish(request_id=f"r{number}"))
        assert len(await stage.heard("lobby", JobAccepted)) == PLACES_TOLD_MAX + 20
        stage.tell("queue", AskPlaces("ana"))
        places = (await stage.one("lobby", Places)).places
        assert [place.position for place in places] == list(range(1, PLACES_TOLD_MAX + 1))

    play(whole, config=CONFIG.replace("daily = 5", "daily = 500").replace("queued = 4", "queued = 500"))


def test_how_equally_the_waiting_are_served_is_told_once_they_had_turns_enough() -> None:
    async def whole(stage: Stage) -> None:
        await set_up(stage)

        async def told() -> list[float]:
            await stage.quiet(SHARES_EACH_S)
            observed = await stage.heard("monitor", Observed)
            return [one.amount for one in observed if one.metric == "limner_fairness_jain"]

        assert await told() == [1.0]
        for number in range(60):
            stage.tell("queue", wish(("ana", "ben")[number % 2], request_id=f"r{number}"))
        assert await told() == [1.0]
        stage.tell("queue", *(demand(f"l{number}") for number in range(10)))
        assert await told() == []
        stage.tell("queue", *(demand(f"l{number}") for number in range(10, 21)))
        assert await told() == [21 * 21 / (2 * (10 * 10 + 11 * 11))]

    roomy = CONFIG.replace("daily = 5", "daily = 500").replace("queued = 4", "queued = 500")
    play(whole, config=roomy.replace("concurrent = 3", "concurrent = 50"))


@scene
async def test_a_restarted_queue_goes_on_from_the_store(stage: Stage) -> None:
    go = None
    first = await accepted(stage)
    go = await submitted(stage)
    waiting = await accepted(stage, request_id="r2")
    stage.tell("queue", Kill("test"))
    await stage.quiet()
    stage.cast("queue", Queue)
    await stage.one("scheduler", LedgerOpen)
    stage.tell("queue", AskHoldings("fox"))
    holdings = await stage.one("account/fox", Holdings)
    assert [(job.id, job.state) for job in holdings.jobs] == [(first.job.id, "undecided")]
    stage.tell("queue", demand("l9"))
    assert (await stage.one("scheduler", Next)).job == waiting.job.id
    stage.tell("queue", Sighted("fox", first.job.id, 1, "i", "m", None), drawn(go))
    assert (await stage.one("gallery", Keep)).job.id == first.job.id


@scene
async def test_a_restarted_queue_takes_granted_jobs_back_and_refuses_their_leases(stage: Stage) -> None:
    told = await accepted(stage)
    stage.tell("queue", demand("l1"))
    await stage.one("scheduler", Next)
    stage.tell("queue", Kill("test"))
    await stage.quiet()
    stage.cast("queue", Queue)
    stage.tell("queue", Begin("fox", told.job.id, 1, "l1", None))
    await stage.one("account/fox", NoGo)
    stage.tell("queue", demand("l2"))
    assert (await stage.one("scheduler", Next)).attempt == 2


@scene
async def test_a_store_that_is_gone_stops_intake_and_loses_nothing(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("store", Kill("test"))
    stage.tell("queue", drawn(go))
    await stage.quiet(8)
    stage.tell("queue", wish(request_id="r2"))
    assert (await stage.one("lobby", JobRefused)).code == "draining"


@scene
async def test_a_new_scheduler_gets_the_jobs_that_the_old_one_had_not_begun(stage: Stage) -> None:
    told = await accepted(stage)
    stage.tell("queue", demand("l1", epoch=1))
    await stage.one("scheduler", Next)
    stage.tell("queue", demand("l2", epoch=2))
    again = await stage.one("scheduler", Next)
    assert (again.job, again.lease, again.attempt, again.epoch) == (told.job.id, "l2", 2, 2)
    stage.tell("queue", demand("l3", epoch=1))
    await accepted(stage, request_id="r2")
    assert await stage.heard("scheduler", Next) == []


@scene
async def test_an_act_presses_the_parents_button_on_the_parents_account(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
    await stage.one("lobby", JobSettled)
    act = Enqueue("ana", "r2", "free", None, "act", "a fox", "fast", (), "upscale", 1, go.job.id)
    stage.tell("queue", act)
    told = await stage.one("lobby", JobAccepted)
    assert (told.job.affinity, told.job.press_message_id) == ("fox", "m2")
    assert told.job.press_custom_id == OFFERS[0].custom_id
    stage.tell("queue", Demand("l5", 1, "owl", ("fast",), 0.0))
    assert await stage.heard("scheduler", Next) == []
    assert (await submitted(stage, "l6")).job.id == told.job.id


@scene
async def test_the_place_an_act_is_told_at_its_acceptance_is_the_place_it_has(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
    await stage.one("lobby", JobSettled)
    for number in range(2):
        await accepted(stage, request_id=f"r{number}")
        await accepted(stage, user="ben", request_id=f"b{number}")
    stage.tell("queue", Enqueue("ana", "r9", "free", None, "act", "a fox", "fast", (), "upscale", 1, go.job.id))
    told = await stage.one("lobby", JobAccepted)
    stage.tell("queue", AskPlaces("ana"))
    places = {place.job: (place.position, place.eta_s) for place in (await stage.one("lobby", Places)).places}
    assert (told.position, told.eta_s) == places[told.job.id]


@scene
async def test_an_act_on_nothing_or_on_a_strangers_job_is_refused_as_not_found(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
    await stage.one("lobby", JobSettled)
    for user, parent in (("ben", go.job.id), ("ana", "j-that-never-was")):
        stage.tell("queue", Enqueue(user, "r9", "free", None, "act", "a fox", "fast", (), "upscale", 1, parent))
        assert (await stage.one("lobby", JobRefused)).code == "not_found"
