"""Who waits for a database that cannot be read is told so in a bounded time, and is served again when it can."""

from __future__ import annotations

from typing import Any

import pytest

from actors.queue.messages import JobRefused, JobSettled
from actors.session.actor import Session
from actors.session.messages import Attach, Detach, Hang, Heard, Say
from actors.store_client import READ_S_MAX, RESEND_EACH_S
from actors.store_messages import Lookup, NotCommitted
from protocol.api import MeShown, PlaceJob, Refusal, ShowJob, ShowMe
from protocol.client import Done, Draw, Error, Reset, Resume, Resumed, Started, Welcome
from protocol.frames import CLOSE_LATER
from storage.operations import ReadEvents, ReadUser, Unfinished
from tests.actors.queue.test_no_account import a_picture, act
from tests.actors.session.test_actor import Shelf, a_job, said
from tests.actors.stage import Stage, play

#: The longest that anybody waits: two looks may just miss it.
WAIT_S_MAX = READ_S_MAX + 2 * RESEND_EACH_S


class Trying(Shelf):
    """A store whose reads of some kinds are refused, or never answered."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: tuple[type, ...] = ()
        self.dropped: tuple[type, ...] = ()

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, Lookup) and isinstance(message.read, self.refused):
            self.tell(message.reply_to, NotCommitted(message.lookup_id, "io_error: the disk refuses"))
        elif not (isinstance(message, Lookup) and isinstance(message.read, self.dropped)):
            super().receiveMessage(message, sender)


async def set_up(stage: Stage, *sockets: str) -> Trying:
    for name in ("gate", "queue", "lobby"):
        stage.cast(name)
    store: Trying = stage.cast("store", Trying)
    stage.cast("session/u1", Session)
    for socket in sockets:
        stage.tell("session/u1", Attach("u1", socket))
    await stage.heard("gate")
    return store


def trouble(store: Trying, silent: bool, *kinds: type) -> None:
    """From now on reads of these kinds are of no use."""
    store.dropped, store.refused = (kinds, ()) if silent else ((), kinds)


def told(message: Any) -> tuple[str, Any]:
    """In short: to whom, and the code of a refusal or of a close."""
    if isinstance(message, Hang):
        return message.socket, message.code
    return message.socket, getattr(message.words, "code", type(message.words))


@pytest.mark.parametrize("silent", [True, False])
def test_a_resume_that_cannot_be_read_is_refused_in_time_and_works_after_coming_back(silent: bool) -> None:
    async def scene(stage: Stage) -> None:
        store = await set_up(stage, "s1", "s2")
        store.store(Started(1, "j1"))
        trouble(store, silent, ReadEvents)
        stage.tell("session/u1", Heard("u1", "s1", Resume(0)))
        assert await stage.heard("gate") == []
        await stage.quiet(WAIT_S_MAX)
        assert [told(each) for each in await stage.heard("gate")] == [("s1", "draining"), ("s1", CLOSE_LATER)]
        trouble(store, silent)
        stage.tell("session/u1", Detach("u1", "s1"), Attach("u1", "s3"))
        assert [type(words) for words in await said(stage, "s3")] == [Welcome]
        stage.tell("session/u1", Heard("u1", "s3", Resume(0)))
        assert [type(words) for words in await said(stage, "s3")] == [Started, Resumed]

    play(scene)


def test_a_resume_survives_a_short_trouble_without_a_word_of_it_and_what_comes_meanwhile_follows_it() -> None:
    async def scene(stage: Stage) -> None:
        store = await set_up(stage, "s1")
        store.store(Started(1, "j1"))
        trouble(store, False, ReadEvents)
        stage.tell("session/u1", Heard("u1", "s1", Resume(0)))
        await stage.quiet(READ_S_MAX / 2)
        done = a_job(1, "done", message="m")
        stage.tell("session/u1", JobSettled("u1", done, 2))
        trouble(store, False)
        await stage.quiet(2 * RESEND_EACH_S)
        assert [(type(words), words.seq) for words in await said(stage)] == [(Started, 1), (Resumed, 1), (Done, 2)]

    play(scene)


@pytest.mark.parametrize("silent", [True, False])
def test_who_waits_for_a_session_that_cannot_load_is_refused_in_time_and_served_when_it_can(silent: bool) -> None:
    async def scene(stage: Stage) -> None:
        for name in ("gate", "queue", "lobby"):
            stage.cast(name)
        store: Trying = stage.cast("store", Trying)
        trouble(store, silent, Unfinished)
        stage.cast("session/u1", Session)
        stage.tell("session/u1", Attach("u1", "s1"), Heard("u1", "s1", Draw("r1", "a fox")))
        stage.tell("session/u1", Heard("u1", "q1", ShowMe()), Attach("u1", "s2"), Detach("u1", "s2"))
        stage.tell("session/u1", Heard("u1", "q2", PlaceJob(Draw("r2", "a fox"))))
        await stage.quiet(WAIT_S_MAX)
        expected = [("s1", "draining"), ("s1", CLOSE_LATER), ("s1", "draining"), ("q1", "draining")]
        expected += [("s2", "draining"), ("s2", CLOSE_LATER), ("q2", "draining")]
        heard = await stage.heard("gate")
        assert [told(each) for each in heard] == expected
        assert [each.words.ref for each in heard if isinstance(each, Say) and isinstance(each.words, Error)] == [
            *(None, "r1", None)
        ]
        assert await stage.heard("queue") == []
        stage.tell("session/u1", Heard("u1", "q3", ShowJob("j1")))
        await stage.quiet(WAIT_S_MAX)
        assert [told(each) for each in await stage.heard("gate")] == [("q3", "draining")]
        trouble(store, silent)
        stage.tell("session/u1", Attach("u1", "s4"), Heard("u1", "q4", ShowMe()))
        await stage.quiet(WAIT_S_MAX)
        answers = {say.socket: type(say.words) for say in await stage.heard("gate", Say)}
        assert answers == {"s4": Welcome, "q4": MeShown}

    play(scene)


def test_what_others_tell_a_session_that_cannot_load_is_not_lost() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("gate", "queue", "lobby"):
            stage.cast(name)
        store: Trying = stage.cast("store", Trying)
        trouble(store, False, Unfinished)
        store.jobs["j1"] = a_job(1, "drawing")
        session = stage.cast("session/u1", Session)
        stage.tell("session/u1", JobSettled("u1", a_job(1, "done", message="m"), 1))
        await stage.quiet(2 * WAIT_S_MAX)
        trouble(store, False)
        await stage.quiet(WAIT_S_MAX)
        assert (session.jobs, session.seq) == ({}, 1)

    play(scene)


@pytest.mark.parametrize("silent", [True, False])
def test_a_welcome_that_cannot_be_read_closes_its_socket_in_time(silent: bool) -> None:
    async def scene(stage: Stage) -> None:
        store = await set_up(stage, "s1")
        trouble(store, silent, ReadUser)
        stage.tell("session/u1", Attach("u1", "s2"))
        await stage.quiet(WAIT_S_MAX)
        assert [told(each) for each in await stage.heard("gate")] == [("s2", "draining"), ("s2", CLOSE_LATER)]

    play(scene)


def test_a_request_that_the_store_never_answers_is_refused_in_time() -> None:
    async def scene(stage: Stage) -> None:
        store = await set_up(stage, "s1")
        trouble(store, True, ReadUser)
        stage.tell("session/u1", Heard("u1", "q1", ShowMe()))
        await stage.quiet(WAIT_S_MAX)
        (answer,) = await said(stage, "q1")
        assert (type(answer), answer.code) == (Refusal, "draining")

    play(scene)


def test_an_event_that_shows_a_gap_which_cannot_be_read_closes_the_socket_and_no_event_is_told_out_of_order() -> None:
    async def scene(stage: Stage) -> None:
        store = await set_up(stage, "s1")
        store.store(Started(1, "j1"))
        trouble(store, True, ReadEvents)
        stage.tell("session/u1", JobSettled("u1", a_job(1, "done", message="m"), 2))
        await stage.quiet(WAIT_S_MAX)
        assert [told(each) for each in await stage.heard("gate")] == [("s1", "draining"), ("s1", CLOSE_LATER)]

    play(scene)


def test_a_resume_of_too_long_ago_is_still_a_reset() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, "s1")
        stage.tell("session/u1", Heard("u1", "s1", Resume(9)))
        assert [type(words) for words in await said(stage)] == [Reset]

    play(scene)


def test_an_act_whose_parent_the_queue_cannot_read_is_refused_in_time() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        store = stage.instance("store")
        store._handlers = {**store._handlers, Lookup: lambda *ignored: None}
        stage.tell("queue", act(parent))
        await stage.quiet(WAIT_S_MAX)
        assert (await stage.one("lobby", JobRefused)).code == "draining"

    play(scene)
