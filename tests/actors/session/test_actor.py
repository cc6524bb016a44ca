"""The Session: what a user is told, in which order, and what is asked of the Queue in the user's name."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.account.messages import Perform, Progressed
from actors.queue.messages import (
    PLACES_TOLD_MAX,
    AskPlaces,
    Cancel,
    CancelHeard,
    Enqueue,
    JobAccepted,
    JobMoved,
    JobRefused,
    JobSettled,
    Place,
    Places,
)
from actors.scheduler import Token
from actors.session.actor import (
    PLACES_TOLD_OFTEN,
    POLLED_S,
    REST_AFTER_S,
    SILENT_S,
    Session,
)
from actors.session.lines import HELD_EVENTS_MAX, Line, LineOverrun
from actors.session.messages import Attach, Detach, Hang, Heard, Resting, Say
from actors.session.rules import banned_word, check_order, folded, unknown_flag
from actors.session.views import PLACES_EACH_S, PLACES_EXACT_EACH_S, Live, first_view, is_news, job_view, pause_s
from actors.store_messages import LookedUp, Lookup
from core.ids import new_id
from core.job import State
from core.quota import day_of, resets_at
from protocol.api import CancelJob, JobShown, JobsShown, MeShown, PlaceJob, Refusal, ShowJob, ShowJobs, ShowMe
from protocol.client import (
    MSGPACK,
    Accepted,
    Act,
    ClientMistake,
    Done,
    Draw,
    Error,
    Jobs,
    JobsPage,
    Notice,
    Progress,
    Queued,
    Reset,
    Resume,
    Resumed,
    Started,
    Welcome,
    encode,
    rfc3339,
)
from protocol.client import Cancel as CancelFrame
from storage.operations import (
    EventRecord,
    EventRecords,
    JobFound,
    JobRecord,
    JobRecords,
    ListJobs,
    Nothing,
    Offer,
    ReadEvents,
    ReadJob,
    ReadUser,
    Unfinished,
    UserRecord,
)
from tests.actors.stage import Recorder, play

DRAW = Draw("r1", "a fox")


def a_job(number=1, state="queued", **changes):
    """A job of u1's."""
    values = dict.fromkeys(JobRecord.__struct_fields__)
    values |= {"id": f"j{number}", "user": "u1", "plan": "free", "ref": f"r{number}", "state": state}
    values |= {"kind": "imagine", "prompt": "a fox", "mode": "fast", "images_in": (), "attempt": 1, "offers": ()}
    values |= {"charged": True, "created_at": 1_000.0, "images": (), "history": ()}
    return JobRecord(**(values | changes))


class Shelf(Recorder):
    """A store with one user, some jobs and events; it answers at once, or when told to (`open`)."""

    def __init__(self):
        super().__init__()
        self.user = UserRecord("u1", "ada", "free", False, 0, 0)
        self.jobs, self.events, self.open, self.late = {}, [], True, []

    def receiveMessage(self, message, sender):
        if isinstance(message, Lookup):
            self.late.append((message, self.find(message.read)))
            if self.open:
                self.answer()
        super().receiveMessage(message, sender)

    def answer(self):
        late, self.late = self.late, []
        for lookup, found in late:
            self.tell(lookup.reply_to, LookedUp(lookup.lookup_id, found))

    def find(self, read):
        jobs = tuple(self.jobs.values())
        match read:
            case ReadUser():
                return self.user or Nothing()
            case Unfinished():
                return JobRecords(tuple(job for job in jobs if job.finished_at is None), None)
            case ListJobs():
                return JobRecords(jobs[: read.limit], None)
            case ReadJob(job=job):
                return JobFound(self.jobs[job]) if job in self.jobs else Nothing()
            case ReadEvents(after=after, limit=limit):
                events = [event for event in self.events if event.seq > after][:limit]
                newest = self.events[-1].seq if self.events else 0
                oldest = self.events[0].seq if self.events else newest + 1
                return EventRecords(tuple(events), oldest, newest)

    def store(self, frame):
        """An event that happened."""
        self.events.append(EventRecord(frame.seq, frame.job, encode(frame, MSGPACK)))
        if self.user:
            self.user = UserRecord("u1", "ada", "free", False, frame.seq, self.user.used)


def set_up(stage):
    for name in ("gate", "queue", "lobby", "account/fox"):
        stage.cast(name)
    return stage.cast("store", Shelf)


async def present(stage, *sockets):
    """A session with these sockets, greeted."""
    stage.cast("session/u1", Session)
    for socket in sockets:
        stage.tell("session/u1", Attach("u1", socket))
    await stage.heard("gate")


async def said(stage, socket="s1"):
    """What the socket was told since last asked."""
    return [say.words for say in await stage.heard("gate", Say) if say.socket == socket]


def accepted(job, seq, request="other", **changes):
    values = {"position": 1, "eta_s": 2.0, "replayed": False} | changes
    return JobAccepted("u1", request, job, seq, **values)


def test_welcome_is_the_first_word_and_tells_the_quota_of_the_plans_day():
    async def scene(stage):
        set_up(stage).user = UserRecord("u1", "ada", "free", False, 7, 2)
        stage.cast("session/u1", Session)
        stage.tell("session/u1", Attach("u1", "s1"))
        (welcome,) = await said(stage)
        assert isinstance(welcome, Welcome)
        assert (welcome.user, welcome.seq, welcome.quota.daily, welcome.quota.used) == ("ada", 7, 5, 2)

    play(scene)


def test_the_quota_is_of_the_day_in_the_plans_time_zone():
    async def scene(stage):
        set_up(stage)
        await present(stage, "s1")
        reads = [lookup.read.day for lookup in await stage.heard("store", Lookup) if isinstance(lookup.read, ReadUser)]
        assert len(reads) == 1

    play(scene)


def test_after_the_clock_is_set_back_over_midnight_the_quota_is_of_the_day_that_is_charged():
    async def scene(stage):
        midnight = resets_at(stage.base.wall(), "UTC")
        stage.base.wall = lambda: midnight - 60.0
        latest = new_id("j", midnight + 60.0, random.Random(1))
        set_up(stage).user = UserRecord("u1", "ada", "free", False, 7, 5, latest)
        stage.cast("session/u1", Session)
        stage.tell("session/u1", Attach("u1", "s1"), Heard("u1", "h1", ShowMe()))
        (welcome,) = await said(stage)
        stage.tell("session/u1", Heard("u1", "h2", ShowMe()))
        (shown,) = await said(stage, "h2")
        reads = [look.read.day for look in await stage.heard("store", Lookup) if isinstance(look.read, ReadUser)]
        assert reads[-1] == day_of(midnight, "UTC") != day_of(midnight - 60.0, "UTC")
        tomorrow = rfc3339(midnight + 86_400.0)
        assert [welcome.quota.resets_at, shown.me.quota.resets_at] == [tomorrow, tomorrow]

    play(scene)


def test_a_user_who_is_gone_is_told_and_closed_4401():
    async def scene(stage):
        set_up(stage).user = None
        stage.cast("session/u1", Session)
        stage.tell("session/u1", Attach("u1", "s1"), Heard("u1", "q1", ShowMe()), Heard("u1", "q2", PlaceJob(DRAW)))
        told = await stage.heard("gate")
        assert [say.words.code for say in told if isinstance(say, Say)] == ["unauthenticated"] * 3
        assert [hang.code for hang in told if isinstance(hang, Hang)] == [4401]

    play(scene)


def test_what_comes_while_a_session_loads_waits_in_order():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.open = False
        stage.cast("session/u1", Session)
        stage.tell("session/u1", Attach("u1", "s1"), accepted(a_job(), 1), Token("u1", "j9", 1, "l", "fox", 1))
        assert await stage.heard("gate") == []
        assert await stage.heard("account/fox") == [Perform("u1", "j9", 1, "l", "fox", 1)]  # a lease does not wait
        shelf.open = True
        shelf.answer()
        words = await said(stage)
        assert [type(word) for word in words] == [Welcome, Accepted]

    play(scene)


def test_an_event_between_reading_the_user_and_welcome_is_told_after_it_and_an_older_one_not_at_all():
    async def scene(stage):
        shelf = set_up(stage)
        stage.cast("session/u1", Session)
        await stage.quiet()
        shelf.open, shelf.user = False, UserRecord("u1", "ada", "free", False, 3, 0)
        stage.tell("session/u1", Attach("u1", "s1"))
        await stage.quiet()
        stage.tell("session/u1", accepted(a_job(1), 3), accepted(a_job(2), 4))
        shelf.open = True
        await stage.quiet()
        shelf.answer()
        words = await said(stage)
        assert [(type(word), word.seq) for word in words] == [(Welcome, 3), (Accepted, 4)]

    play(scene)


def test_an_order_is_passed_on_with_its_plan_and_its_acceptance_told_to_all():
    async def scene(stage):
        set_up(stage)
        await present(stage, "s1", "s2")
        stage.tell("session/u1", Heard("u1", "s1", DRAW))
        wish = await stage.one("queue", Enqueue)
        assert (wish.user, wish.plan, wish.ref, wish.kind, wish.prompt) == ("u1", "free", "r1", "imagine", "a fox")
        stage.tell("session/u1", accepted(a_job(), 1, wish.request_id))
        told = await stage.heard("gate", Say)
        assert {say.socket for say in told} == {"s1", "s2"}
        assert {say.words for say in told} == {Accepted(1, "r1", "j1", 1, 2.0)}

    play(scene)


def test_an_act_names_its_parent_and_button_and_is_drawn_in_its_parents_mode():
    async def scene(stage):
        set_up(stage).jobs["j1"] = a_job(state="done", mode="relax", finished_at=1_001.0)
        await present(stage, "s1")
        stage.tell("session/u1", Heard("u1", "s1", Act("r2", "j1", "upscale", 2)))
        wish = await stage.one("queue", Enqueue)
        assert (wish.kind, wish.parent, wish.action, wish.index, wish.mode) == ("act", "j1", "upscale", 2, "relax")

    play(scene)


def test_a_refusal_of_the_queue_goes_to_who_asked_only():
    async def scene(stage):
        set_up(stage)
        await present(stage, "s1", "s2")
        stage.tell("session/u1", Heard("u1", "s1", DRAW), Heard("u1", "q1", PlaceJob(DRAW)))
        for wish in await stage.heard("queue", Enqueue):
            stage.tell("session/u1", JobRefused("u1", wish.request_id, "queue_full", "Full.", 60.0))
        assert {(say.socket, say.words) for say in await stage.heard("gate", Say)} == {
            ("s1", Error("queue_full", "Full.", "r1")),
            ("q1", Refusal("queue_full", "Full.", 60.0)),
        }

    play(scene)


def test_the_same_order_again_is_answered_with_the_first_answer_and_to_who_asked_only():
    async def scene(stage):
        shelf = set_up(stage)
        first = Accepted(1, "r1", "j1", 9, 99.0)
        shelf.store(first)
        await present(stage, "s1", "s2")
        stage.tell("session/u1", Heard("u1", "s1", DRAW), Heard("u1", "q1", PlaceJob(DRAW)))
        done = a_job(state="done", finished_at=1_005.0)
        for wish in await stage.heard("queue", Enqueue):
            stage.tell("session/u1", accepted(done, 1, wish.request_id, position=None, eta_s=None, replayed=True))
        told = {say.socket: say.words for say in await stage.heard("gate", Say)}
        assert told == {"s1": first, "q1": JobShown(first_view(done, 9, 99.0), replayed=True)}

    play(scene)


def test_progress_never_goes_back_and_ends_with_the_job():
    async def scene(stage):
        set_up(stage)
        await present(stage, "s1")
        stage.tell("session/u1", JobMoved("u1", a_job(state="drawing"), 1))
        for percent in (10, 40, 25, 40, 60):
            stage.tell("session/u1", Progressed("u1", "j1", percent, None))
        stage.tell("session/u1", JobSettled("u1", a_job(state="done", finished_at=1_009.0, submitted_at=1_002.0), 2))
        stage.tell("session/u1", Progressed("u1", "j1", 99, None))
        words = await said(stage)
        assert [type(word) for word in words] == [Started, Progress, Progress, Progress, Done]
        assert [word.percent for word in words[1:4]] == [10, 40, 60]
        assert [word.seq for word in words] == [1, 1, 1, 1, 2]
        assert words[4].seconds == 7.0

    play(scene)


def test_places_are_asked_for_each_two_seconds_while_somebody_waits_and_told_when_they_change():
    async def scene(stage):
        set_up(stage)
        await present(stage, "s1")
        stage.tell("session/u1", accepted(a_job(), 1, position=5, eta_s=30.0))
        await said(stage)
        asked = []
        for position in (5, 4, 4, 3):
            await asyncio.sleep(PLACES_EACH_S)
            asked += await stage.heard("queue", AskPlaces)
            stage.tell("session/u1", Places("u1", (Place("j1", position, 30.0), Place("unknown", 1, 1.0))))
        words = [word for word in await said(stage) if isinstance(word, Queued)]
        assert [(word.job, word.position, word.seq) for word in words] == [("j1", 4, 1), ("j1", 3, 1)]
        assert 3 <= len(asked) <= 4
        stage.tell("session/u1", JobMoved("u1", a_job(state="submitting"), None))
        await asyncio.sleep(PLACES_EACH_S * 2)
        await stage.heard("queue", AskPlaces)
        await asyncio.sleep(PLACES_EACH_S * 5)
        assert await stage.heard("queue", AskPlaces) == []

    play(scene)


def test_nobody_asks_for_places_when_nobody_listens():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs["j1"] = a_job()
        await present(stage)
        await asyncio.sleep(20)
        assert await stage.heard("queue", AskPlaces) == []
        stage.tell("session/u1", Heard("u1", "q1", ShowJob("j1")))
        asked = 0
        for _ in range(30):
            await asyncio.sleep(POLLED_S / 15)
            asked += len(await stage.heard("queue", AskPlaces))
            stage.tell("session/u1", Places("u1", (Place("j1", 3, 9.0),)))
        assert 10 <= asked <= 16

    play(scene)


def test_a_replay_is_in_order_over_pages_and_live_events_follow_it_once():
    async def scene(stage):
        shelf = set_up(stage)
        for seq in range(1, 451):
            shelf.store(Started(seq, f"j{seq}"))
        await present(stage, "s1")
        shelf.open = False
        stage.tell("session/u1", Heard("u1", "s1", Resume(3)))
        for round_number in range(3):
            await stage.quiet()
            seq = 451 + round_number
            shelf.store(Started(seq, f"j{seq}"))
            stage.tell("session/u1", JobMoved("u1", a_job(seq, "drawing"), seq))
            await stage.quiet()
            shelf.answer()
        shelf.open = True
        shelf.answer()
        words = await said(stage)
        seqs = [word.seq for word in words if isinstance(word, Started)]
        assert seqs == list(range(4, 454))
        assert sum(isinstance(word, Resumed) for word in words) == 1

    play(scene)


def test_what_is_too_old_or_in_the_future_cannot_be_resumed():
    async def scene(stage):
        shelf = set_up(stage)
        for seq in range(5, 9):
            shelf.store(Started(seq, f"j{seq}"))
        await present(stage, "s1")
        for after, kind in ((3, Reset), (9, Reset), (8, Resumed), (4, Resumed)):
            stage.tell("session/u1", Heard("u1", "s1", Resume(after)))
            last = (await said(stage))[-1]
            assert (type(last), last.seq) == (kind, 8)

    play(scene)


def test_an_event_that_was_lost_on_its_way_is_told_before_the_next_one():
    async def scene(stage):
        shelf = set_up(stage)
        await present(stage, "s1")
        for seq in (1, 2, 3):
            shelf.store(Started(seq, f"j{seq}"))
        stage.tell("session/u1", JobMoved("u1", a_job(1, "drawing"), 1), JobMoved("u1", a_job(3, "drawing"), 3))
        assert [word.seq for word in await said(stage)] == [1, 2, 3]

    play(scene)


def test_an_end_that_nobody_told_is_found_in_the_store():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs["j1"] = a_job(state="drawing")
        await present(stage, "s1")
        shelf.jobs["j1"] = a_job(state="done", finished_at=1_009.0)
        shelf.store(Started(1, "j1"))
        await asyncio.sleep(SILENT_S * 1.1)
        assert await said(stage) == [Started(1, "j1")]
        stage.tell("session/u1", Detach("u1", "s1"))
        await asyncio.sleep(REST_AFTER_S * 1.1)
        assert len(await stage.heard("lobby", Resting)) == 1

    play(scene)


def test_the_store_is_asked_for_ends_only_when_nothing_was_heard_of_a_job_for_long():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs |= {"j1": a_job(state="drawing"), "j2": a_job(2)}
        await present(stage, "s1")
        await stage.heard("store", Lookup)
        for percent in range(1, 11):
            await asyncio.sleep(SILENT_S / 4)
            stage.tell("session/u1", Progressed("u1", "j1", percent, None), Places("u1", (Place("j2", 7, 9.0),)))
        assert await stage.heard("store", Lookup) == []
        await asyncio.sleep(SILENT_S * 1.1)
        assert {type(lookup.read) for lookup in await stage.heard("store", Lookup)} == {Unfinished, ReadUser}

    play(scene)


def test_the_places_of_many_jobs_are_asked_for_in_full_each_half_minute():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs["j1"] = a_job()
        await present(stage, "s1")
        asked = []
        while len(asked) < PLACES_EXACT_EACH_S:
            await asyncio.sleep(PLACES_EACH_S)
            asked += [ask.most for ask in await stage.heard("queue", AskPlaces)]
            stage.tell("session/u1", Places("u1", (Place("j1", 3, 9.0),)))
        in_full = [number for number, most in enumerate(asked) if most == PLACES_TOLD_MAX]
        often = round(PLACES_EXACT_EACH_S / PLACES_EACH_S)
        assert set(asked) == {PLACES_TOLD_MAX, PLACES_TOLD_OFTEN}
        assert in_full[0] == 0
        assert often - 1 <= in_full[1] <= often

    play(scene)


def test_a_second_resume_waits_for_the_end_of_the_first():
    async def scene(stage):
        shelf = set_up(stage)
        await present(stage, "s1")
        shelf.open = False
        stage.tell("session/u1", Heard("u1", "s1", Resume(0)), Heard("u1", "s1", Resume(0)))
        (error,) = await said(stage)
        assert error.code == "bad_frame"
        shelf.answer()
        assert await said(stage) == [Resumed(0)]

    play(scene)


def test_a_cancel_is_passed_on_and_its_refusal_told():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs["j1"] = a_job(state="cancelled", finished_at=1_001.0)
        await present(stage, "s1")
        stage.tell("session/u1", Heard("u1", "s1", CancelFrame("j1")), Heard("u1", "q1", CancelJob("j1")))
        first, second = await stage.heard("queue", Cancel)
        assert (first.user, first.job) == ("u1", "j1")
        stage.tell("session/u1", CancelHeard("u1", first.request_id, a_job(), "not_cancellable"))
        stage.tell("session/u1", CancelHeard("u1", second.request_id, a_job(), None))
        told = {say.socket: say.words for say in await stage.heard("gate", Say)}
        assert (told["s1"].code, told["s1"].job) == ("not_cancellable", "j1")
        assert told["q1"].job.status == "cancelled"

    play(scene)


def test_jobs_are_shown_with_what_is_known_live():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs = {"j1": a_job(1), "j2": a_job(2, "drawing")}
        await present(stage, "s1")
        stage.tell("session/u1", Places("u1", (Place("j1", 4, 40.0),)), Progressed("u1", "j2", 33, None))
        stage.tell("session/u1", Heard("u1", "s1", Jobs()), Heard("u1", "q1", ShowJobs(None, 50, None)))
        stage.tell("session/u1", Heard("u1", "q2", ShowJob("j2")), Heard("u1", "q3", ShowJob("j3")))
        stage.tell("session/u1", Heard("u1", "q4", ShowMe()))
        told = {say.socket: say.words for say in await stage.heard("gate", Say)}
        assert isinstance(told["s1"], JobsPage)
        assert isinstance(told["q1"], JobsShown)
        assert told["s1"].jobs == told["q1"].jobs
        first, second = told["q1"].jobs
        assert (first.position, first.eta_s, first.percent) == (4, 40.0, None)
        assert (second.position, second.percent, told["q2"].job) == (None, 33, second)
        assert told["q3"].code == "not_found"
        assert isinstance(told["q4"], MeShown)

    play(scene)


def test_a_session_asks_to_rest_only_when_it_has_neither_sockets_nor_jobs():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs["j1"] = a_job()
        await present(stage, "s1")
        stage.tell("session/u1", Detach("u1", "s1"))
        await asyncio.sleep(REST_AFTER_S * 3)
        assert await stage.heard("lobby", Resting) == []
        stage.tell("session/u1", JobSettled("u1", a_job(state="failed", finished_at=1_001.0, charged=False), 1))
        await asyncio.sleep(REST_AFTER_S + 1)
        assert await stage.heard("lobby", Resting) == [Resting("u1", 3)]

    play(scene)


# --- the pure parts -----------------------------------------------------------------------------------------------


@given(st.integers(0, 30), st.lists(st.integers(1, 40), max_size=40), st.integers(0, 40))
def test_a_line_tells_every_event_after_its_welcome_once_and_in_order(welcome, events, cut):
    line, told = Line("s1"), []
    events = sorted(set(events))
    for seq in events[:cut]:
        assert not line.takes(seq, Notice(str(seq), ""))
    told += [int(frame.kind) for frame in line.release(welcome)]
    told += [seq for seq in events[cut:] if line.takes(seq, Notice(str(seq), ""))]
    assert told == [seq for seq in events if seq > welcome]


def test_a_line_holds_only_so_much():
    line = Line("s1")
    for seq in range(HELD_EVENTS_MAX):
        line.takes(seq, Notice("", ""))
    with pytest.raises(LineOverrun):
        line.takes(HELD_EVENTS_MAX, Notice("", ""))


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("So much GORE, here", "gore"),
        ("gorgeous", None),
        ("ｇｏｒｅ in wide letters", "gore"),
        ("a dark\n alley", "dark alley"),
        ("血腥的画", "血腥"),
        ("кровавый кот", None),
    ],
)
def test_banned_words_are_whole_words_in_any_guise(prompt, word):
    words = ("dark alley", "gore", "кров", "血腥")
    assert banned_word(prompt, words) == word


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert folded(folded(text)) == folded(text)


def test_only_allowed_flags_pass():
    assert unknown_flag("a fox --ar 2:3 —no dogs", ("--ar", "no")) is None
    assert unknown_flag("a fox --AR 2:3 --chaos 5", ("ar",)) == "chaos"
    assert unknown_flag("well--known a - b -- c", ()) is None
    assert unknown_flag("a --any", None) is None


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Draw("r", "gore"), "banned_prompt"),
        (Draw("r", "more gore", kind="shorten"), "banned_prompt"),
        (Act("r", "j", "pan", prompt="gore"), "banned_prompt"),
    ],
)
def test_what_is_not_drawn_here_is_refused_with_its_ref(order, code):
    with pytest.raises(ClientMistake) as refused:
        check_order(order, ("gore",), None)
    assert (refused.value.code, refused.value.ref) == (code, "r")


@pytest.mark.parametrize("state", list(State))
def test_a_job_can_be_shown_in_every_state(state):
    ended = state in ("done", "failed", "cancelled")
    job = a_job(state=str(state), finished_at=1_002.5 if ended else None, offers=(Offer("vary", 1, "V1", "secret-id"),))
    shown = job_view(job, Live(3, 4.0, 50, None))
    assert shown.status == state
    assert shown.position == (3 if state == "queued" else None)
    assert bool(shown.actions) == (state == "done")
    assert "secret-id" not in repr(shown)
    assert shown.finished_at == ("1970-01-01T00:16:42.500Z" if ended else None)


def test_a_place_is_news_when_it_moved_and_an_eta_when_it_moved_much():
    told = Live(3, 60.0)
    assert not is_news(told, 3, 64.0)
    assert is_news(told, 2, 60.0)
    assert is_news(told, 3, 70.0)
    assert is_news(told, 3, None)
    assert not is_news(Live(3, None), 3, None)
    assert is_news(Live(), 3, None)


def test_places_far_back_are_asked_for_seldom_until_a_job_comes_that_is_near():
    async def scene(stage):
        shelf = set_up(stage)
        shelf.jobs |= {"j1": a_job(), "j2": a_job(2)}
        await present(stage, "s1")
        stage.tell("session/u1", accepted(a_job(), 1, position=5000, eta_s=3600.0))
        await asyncio.sleep(PLACES_EXACT_EACH_S * 1.01)
        assert len(await stage.heard("queue", AskPlaces)) == 1
        stage.tell("session/u1", Places("u1", (Place("j1", 4990, 3590.0),)))
        await asyncio.sleep(PLACES_EXACT_EACH_S * 4)
        assert 3 <= len(await stage.heard("queue", AskPlaces)) <= 4
        stage.tell("session/u1", accepted(a_job(2), 2, position=3, eta_s=10.0))
        await asyncio.sleep(PLACES_EACH_S * 1.01)
        assert len(await stage.heard("queue", AskPlaces)) == 1

    play(scene)


@given(position=st.integers(1, 400_000), eta_s=st.none() | st.floats(0, 1e6))
def test_no_place_that_moves_evenly_is_news_for_long_before_it_is_asked_for(position, eta_s):
    assert PLACES_EACH_S <= pause_s(position, eta_s) <= PLACES_EXACT_EACH_S
    if eta_s:  # at its own pace it moves a twentieth of the way in a twentieth of its time
        assert pause_s(position, eta_s) <= max(PLACES_EACH_S, eta_s / 20 + 1e-6)


def test_far_back_a_place_is_news_when_it_moved_by_what_shows_and_at_times_exactly():
    told = Live(1000, 600.0)
    assert not is_news(told, 951, 600.0)
    assert is_news(told, 949, 600.0)
    assert is_news(told, 999, 600.0, exactly=True)
    assert not is_news(told, 1000, 601.0, exactly=True)
