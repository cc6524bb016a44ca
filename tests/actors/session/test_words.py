"""What a session answers while the database cannot be read or written: at once, and that it may be asked again."""

from __future__ import annotations

from typing import Any

import pytest

from actors.queue.messages import Cancel, CancelHeard, JobAccepted
from actors.session.actor import Session
from actors.session.messages import Attach, Heard, Say
from actors.store_messages import Lookup, NotCommitted
from protocol.api import CancelJob, MeShown, PlaceJob, Question, Refusal, ShowJob, ShowJobs, ShowMe
from protocol.client import Act, Draw, Error, Jobs, JobsPage
from protocol.client import Cancel as CancelFrame
from tests.actors.session.test_actor import Shelf, a_job, said
from tests.actors.stage import Stage, play


class Damaged(Shelf):
    """A store that reads nothing while `unread`."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = False

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, Lookup) and self.unread:
            self.tell(message.reply_to, NotCommitted(message.lookup_id, "corrupt: the database is damaged"))
        else:
            super().receiveMessage(message, sender)


async def set_up(stage: Stage) -> Damaged:
    """A greeted session on socket s1, whose store reads nothing any more; the store."""
    for name in ("gate", "queue", "lobby"):
        stage.cast(name)
    store: Damaged = stage.cast("store", Damaged)
    stage.cast("session/u1", Session)
    stage.tell("session/u1", Attach("u1", "s1"))
    await said(stage)
    store.unread = True
    return store


@pytest.mark.parametrize(
    "question",
    [ShowMe(), ShowJob("j1"), ShowJobs(None, 10, None), PlaceJob(Act("r2", "j1", "upscale", 1))],
)
def test_a_request_that_needs_an_unreadable_database_is_refused_at_once(question: Question) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("session/u1", Heard("u1", "q1", question))
        (answer,) = await said(stage, "q1")
        assert isinstance(answer, Refusal)
        assert answer.code == "draining"

    play(scene)


def test_an_order_whose_plan_cannot_be_read_is_refused_at_once_and_so_is_a_list_on_a_socket() -> None:
    async def scene(stage: Stage) -> None:
        store = await set_up(stage)
        await stage.quiet(60.0)  # the plan that was read is old
        stage.tell("session/u1", Heard("u1", "s1", Draw("r1", "a fox")), Heard("u1", "s1", Jobs()))
        draw, listing = await said(stage)
        assert (draw.code, draw.ref) == ("draining", "r1")
        assert (type(listing), listing.code) == (Error, "draining")
        store.unread = False
        stage.tell("session/u1", Heard("u1", "s1", Jobs()), Heard("u1", "q1", ShowMe()))
        words = [say.words for say in await stage.heard("gate", Say)]
        assert [type(each) for each in words] == [JobsPage, MeShown]

    play(scene)


def test_the_same_order_again_whose_first_answer_cannot_be_read_is_refused_at_once() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("session/u1", Heard("u1", "q1", PlaceJob(Draw("r1", "a fox"))))
        request = (await stage.heard("queue"))[-1].request_id  # type: ignore[attr-defined]
        stage.tell("session/u1", JobAccepted("u1", request, a_job(), 1, 1, 2.0, replayed=True))
        assert [answer.code for answer in await said(stage, "q1")] == ["draining"]

    play(scene)


@pytest.mark.parametrize(("code", "words"), [("draining", "nothing was done"), ("internal", "try again later")])
def test_a_cancel_that_could_not_be_stored_is_told_as_that_by_http_and_on_a_socket(code: str, words: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("session/u1", Heard("u1", "q1", CancelJob("j1")), Heard("u1", "s1", CancelFrame("j1")))
        for asked in await stage.heard("queue", Cancel):
            stage.tell("session/u1", CancelHeard("u1", asked.request_id, None, code))
        told = await stage.heard("gate", Say)
        assert [(say.socket, type(say.words)) for say in told] == [("q1", Refusal), ("s1", Error)]
        assert all(say.words.code == code and words in say.words.message for say in told)  # type: ignore[union-attr]

    play(scene)
