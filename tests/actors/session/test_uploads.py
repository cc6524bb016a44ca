"""An order from uploads is refused at once when one of them is not there, or is somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from actors.account.uploads import upload_path
from actors.queue.messages import Enqueue
from actors.session.actor import REST_AFTER_S, Session
from actors.session.messages import Attach, Heard, Resting, Say
from actors.session.uploads import UPLOADS_MAX
from actors.store_messages import Commit, NotCommitted
from protocol.api import KeepUpload, PlaceJob, Refusal
from protocol.client import Draw, Error
from storage.forgetting import AddUpload
from storage.pictures import MemoryPictures, Missing, PictureTrouble
from tests.actors.session.test_actor import Shelf, said
from tests.actors.stage import Stage, play

MINE, THEIRS = "p1mine", "p2theirs"
WORLD = "https://example.org/a.png"


class Refusing(MemoryPictures):
    """Nothing can be looked at."""

    async def has(self, path: str) -> bool:
        """Never known."""
        raise PictureTrouble("a picture could not be read: Input/output error")


async def set_up(stage: Stage, pictures: MemoryPictures | None = None) -> None:
    """A greeted session on socket s1, of a user who has uploaded one picture, as another has."""
    for name in ("gate", "queue", "lobby"):
        stage.cast(name)
    stage.cast("store", Shelf)
    kept = pictures or MemoryPictures()
    await kept.put(upload_path("u1", MINE), b"picture")
    await kept.put(upload_path("u2", THEIRS), b"picture")
    stage.cast("session/u1", Session).process.pictures = kept
    stage.tell("session/u1", Attach("u1", "s1"))
    await said(stage)


def a_draw(*images: str, ref: str = "r1") -> Draw:
    return Draw(ref, "a fox", "fast", "imagine", images)


@pytest.mark.parametrize("image", ["p9never", THEIRS, f"../u2/{THEIRS}", "../../limner.db", "p" * 2000, "http"])
def test_an_order_from_an_upload_that_is_not_ones_own_is_refused_and_nothing_is_asked_of_the_queue(image: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        order = a_draw(MINE, WORLD, image)
        stage.tell("session/u1", Heard("u1", "s1", order), Heard("u1", "q1", PlaceJob(order)))
        told: dict[str, Any] = {say.socket: say.words for say in await stage.heard("gate", Say)}
        assert (type(told["s1"]), told["s1"].code, told["s1"].ref) == (Error, "not_found", "r1")
        assert (type(told["q1"]), told["q1"].code) == (Refusal, "not_found")
        assert all("Image 3" in words.message and image not in words.message for words in told.values())
        assert await stage.heard("queue", Enqueue) == []

    play(scene)


def test_an_order_from_ones_own_uploads_and_from_addresses_goes_to_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("session/u1", Heard("u1", "s1", a_draw(MINE, WORLD)), Heard("u1", "s1", a_draw(WORLD, ref="r2")))
        asked = await stage.heard("queue", Enqueue)
        assert {(each.ref, each.images) for each in asked} == {("r1", (MINE, WORLD)), ("r2", (WORLD,))}

    play(scene)


def test_an_order_from_uploads_that_cannot_be_looked_at_now_may_be_tried_again() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, Refusing())
        stage.tell("session/u1", Heard("u1", "q1", PlaceJob(a_draw(MINE))))
        assert [answer.code for answer in await said(stage, "q1")] == ["draining"]

    play(scene)


def test_a_session_does_not_rest_while_it_looks_for_uploads() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        session = stage.instance("session/u1")
        session.lines = ()
        session.looking = 1
        await stage.quiet(2 * REST_AFTER_S)
        assert await stage.heard("lobby", Resting) == []

    play(scene)


def test_an_upload_that_cannot_be_noted_is_refused_and_leaves_no_file() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for number in range(2 * UPLOADS_MAX):  # none of them counts as under way any more
            stage.tell("session/u1", Heard("u1", f"q{number}", KeepUpload(b"picture")))
            (note,) = await stage.heard("store", Commit)
            assert isinstance(note.write, AddUpload)
            stage.tell("session/u1", NotCommitted(note.op_id, "full: not now"))
            (refusal,) = await said(stage, f"q{number}")
            assert (type(refusal), refusal.code) == (Refusal, "draining")
            assert not await stage.base.process.pictures.has(note.write.path)

    play(scene)


@pytest.mark.parametrize("upload", ["", "..", "a/b", "a.png", "p1\n"])
def test_what_is_no_id_of_an_upload_has_no_path(upload: str) -> None:
    with pytest.raises(Missing):
        upload_path("u1", upload)
