"""The janitor: what ended long ago is forgotten, its files are deleted, and nothing else ever is."""

from __future__ import annotations

import io
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PIL import Image

from actors.account.uploads import upload_path
from actors.janitor import CLOCK_BELIEVED_S, LOOK_EACH_S, ROUND_EACH_S, Janitor
from actors.queue.messages import JobSettled, Kept
from actors.session.actor import Session
from actors.session.messages import Attach, Heard, Say
from actors.session.views import FORGOTTEN_TEXT, job_view
from actors.shell import Kill
from actors.store_messages import Commit, LookedUp, Lookup, NotCommitted
from protocol.api import KeepUpload, UploadKept
from protocol.client import Reset, Resume, Resumed, Welcome
from storage.forgetting import Discards, ForgetPictures, ReadDiscards
from storage.operations import ImageRecord, JobFound, JobRecord, ReadJob
from storage.overseeing import AddAudit, AuditRows, PruneAudit, ReadAudit
from storage.pictures import MemoryPictures, PictureTrouble
from tests.actors.queue.test_actor import accepted, drawn, set_up, submitted
from tests.actors.stage import CONFIG, Recorder, Stage, play

KEEP_A_DAY = CONFIG + "\n[images]\nkeep_days = 1\n[store]\nkeep_days = 1\n"
KEEP_JOBS_LONGER = CONFIG + "\n[images]\nkeep_days = 1\n[store]\nkeep_days = 2\n"
KEEP_FOR_EVER = CONFIG + "\n[images]\nkeep_days = 0\n[store]\nkeep_days = 0\n"
HOUR_S, DAY_S = 3600.0, 86_400.0
#: The latest that something old is forgotten.
SOON_S = ROUND_EACH_S + 2 * LOOK_EACH_S + CLOCK_BELIEVED_S

Scene = Callable[[Stage, MemoryPictures], Coroutine[Any, Any, None]]


class Refusing(MemoryPictures):
    """Deletes nothing while it is `broken`; `deleted` counts what it does."""

    def __init__(self) -> None:
        super().__init__()
        self.broken, self.deleted = False, 0

    async def delete(self, path: str) -> None:
        """As Pictures.delete."""
        if self.broken:
            raise PictureTrouble("a picture could not be deleted: Read-only file system", "unwritable")
        self.deleted += 1
        await super().delete(path)


def with_a_janitor(scene: Scene, config: str = KEEP_A_DAY) -> None:
    async def whole(stage: Stage) -> None:
        pictures = Refusing()
        stage.base.process.pictures = pictures
        await set_up(stage)
        stage.cast("janitor", Janitor)
        await scene(stage, pictures)

    play(whole, config=config)


async def forgets(stage: Stage) -> list[type]:
    """What the store was asked to forget; of the audit trail it is asked by itself."""
    asked = [type(commit.write) for commit in await stage.heard("store", Commit)]
    return [write for write in asked if write is not PruneAudit]


async def a_picture(stage: Stage, lease: str = "l1") -> str:
    """A job that is done, with its files in the image store."""
    await accepted(stage)
    go = await submitted(stage, lease)
    job = go.job.id
    image = ImageRecord(f"i{job}", job, "ana", 1, f"{job}/1.png", f"{job}/1.webp", 9, 9, 9, "00", "image/png")
    for path in (image.path, image.thumb_path):
        await stage.base.process.pictures.put(path, b"bytes")
    stage.tell("queue", drawn(go), Kept(job, 1, (image,)))
    await stage.one("lobby", JobSettled)
    return job


async def is_known(stage: Stage, job: str) -> bool:
    stage.tell("store", Lookup(f"look-{job}", "monitor", ReadJob(job, None)))
    return isinstance((await stage.one("monitor", LookedUp)).found, JobFound)


async def found(stage: Stage, job: str) -> JobRecord:
    stage.tell("store", Lookup(f"find-{job}", "monitor", ReadJob(job, None)))
    answer = (await stage.one("monitor", LookedUp)).found
    assert isinstance(answer, JobFound)
    return answer.job


async def noted(stage: Stage) -> tuple[str, ...]:
    stage.tell("store", Lookup("look", "monitor", ReadDiscards(100)))
    found = (await stage.one("monitor", LookedUp)).found
    assert isinstance(found, Discards)
    return found.paths


async def has_files(stage: Stage, job: str) -> list[bool]:
    return [await stage.base.process.pictures.has(f"{job}/1.{kind}") for kind in ("png", "webp")]


async def again(stage: Stage) -> None:
    """The janitor dies, and another one begins."""
    stage.tell("janitor", Kill("test"))
    await stage.base.idle()
    stage.cast("janitor", Janitor)


def test_a_job_is_forgotten_with_its_files_when_it_ended_keep_days_ago_and_no_sooner() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        old = await a_picture(stage)
        await stage.quiet(12 * HOUR_S)
        young = await a_picture(stage, "l2")
        await stage.quiet(DAY_S - 12 * HOUR_S - LOOK_EACH_S)
        assert await is_known(stage, old)
        assert await has_files(stage, old) == [True, True]
        await stage.quiet(LOOK_EACH_S + SOON_S)
        assert not await is_known(stage, old)
        assert await has_files(stage, old) == [False, False]
        assert await noted(stage) == ()
        assert await is_known(stage, young)
        assert await has_files(stage, young) == [True, True]

    with_a_janitor(scene)


def test_pictures_go_first_and_the_job_stays_and_says_so_until_its_own_time_has_come() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        job = await a_picture(stage)
        assert job_view(await found(stage, job)).message is None
        await stage.quiet(DAY_S + SOON_S)
        assert await has_files(stage, job) == [False, False]
        assert await noted(stage) == ()
        view = job_view(await found(stage, job))
        assert (view.status, view.images, view.message, view.charged) == ("done", (), FORGOTTEN_TEXT, True)
        assert [moment.state for moment in view.history][-1] == "done"
        await stage.quiet(DAY_S + LOOK_EACH_S)
        assert not await is_known(stage, job)

    with_a_janitor(scene, KEEP_JOBS_LONGER)


def test_who_resumes_from_before_what_is_kept_is_told_to_reset_and_who_is_up_to_date_is_not() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        await a_picture(stage)
        await stage.quiet(DAY_S + SOON_S)
        stage.cast("gate")
        stage.cast("session/ana", Session)
        stage.tell("session/ana", Attach("ana", "s1"))
        (welcome,) = [say.words for say in await stage.heard("gate", Say)]
        assert isinstance(welcome, Welcome)
        for after, answer in ((welcome.seq - 1, Reset), (0, Reset), (welcome.seq, Resumed)):
            stage.tell("session/ana", Heard("ana", "s1", Resume(after)))
            (words,) = [say.words for say in await stage.heard("gate", Say)]
            assert (type(words), words.seq) == (answer, welcome.seq)

    with_a_janitor(scene)


def test_an_upload_is_forgotten_with_its_file_keep_days_after_it_was_made() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        stage.cast("gate")
        stage.cast("session/ana", Session)
        sink = io.BytesIO()
        Image.new("RGB", (8, 8)).save(sink, "PNG")
        stage.tell("session/ana", Heard("ana", "q1", KeepUpload(sink.getvalue())))
        kept = (await stage.one("gate", Say)).words
        assert isinstance(kept, UploadKept)
        path = upload_path("ana", kept.id)
        await stage.quiet(DAY_S - LOOK_EACH_S)
        assert await pictures.has(path)
        await stage.quiet(LOOK_EACH_S + SOON_S)
        assert not await pictures.has(path)
        assert await noted(stage) == ()

    with_a_janitor(scene)


def test_keep_days_0_keeps_for_ever() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        job = await a_picture(stage)
        await stage.quiet(1.5 * DAY_S)
        assert await is_known(stage, job)

    with_a_janitor(scene, KEEP_FOR_EVER)


def test_files_that_were_not_deleted_before_a_crash_are_deleted_after_it() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        assert isinstance(pictures, Refusing)
        job = await a_picture(stage)
        pictures.broken = True
        await stage.quiet(DAY_S + SOON_S)
        assert not await is_known(stage, job)
        assert await has_files(stage, job) == [True, True]
        assert len(await noted(stage)) == 2
        pictures.broken = False
        await again(stage)
        await stage.quiet()
        assert await has_files(stage, job) == [False, False]
        assert await noted(stage) == ()

    with_a_janitor(scene)


def test_an_image_store_that_refuses_is_tried_again_in_the_next_round() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        assert isinstance(pictures, Refusing)
        job = await a_picture(stage)
        pictures.broken = True
        await stage.quiet(DAY_S + SOON_S)
        pictures.broken = False
        await stage.quiet(ROUND_EACH_S + 2 * LOOK_EACH_S)
        assert await has_files(stage, job) == [False, False]
        assert (await noted(stage), pictures.deleted) == ((), 2)

    with_a_janitor(scene)


@pytest.mark.parametrize("restarted", [True, False])
def test_a_clock_that_is_a_month_ahead_for_a_while_costs_nobody_a_picture(restarted: bool) -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        job, right = await a_picture(stage), stage.base.wall
        await stage.quiet(2 * HOUR_S)
        stage.base.wall = lambda: right() + 30 * DAY_S
        if restarted:
            await again(stage)
        await stage.quiet(0.9 * CLOCK_BELIEVED_S)
        stage.base.wall = right
        await stage.quiet(2 * HOUR_S)
        assert await is_known(stage, job)
        assert await has_files(stage, job) == [True, True]

    with_a_janitor(scene)


class Full(Recorder):
    """A store that takes and gives nothing, and says so."""

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, Commit | Lookup):
            ask = message.op_id if isinstance(message, Commit) else message.lookup_id
            self.tell(message.reply_to, NotCommitted(ask, "full: not now"))
        super().receiveMessage(message, sender)


def test_a_store_that_takes_nothing_is_asked_again_in_the_next_round() -> None:
    async def scene(stage: Stage) -> None:
        stage.base.process.pictures = MemoryPictures()
        stage.cast("store", Full)
        stage.cast("janitor", Janitor)
        await stage.quiet(CLOCK_BELIEVED_S + LOOK_EACH_S)
        assert await forgets(stage) == [ForgetPictures]
        await stage.quiet(ROUND_EACH_S - 2 * LOOK_EACH_S)
        assert await forgets(stage) == []
        await stage.quiet(2 * LOOK_EACH_S)
        assert await forgets(stage) == [ForgetPictures]

    play(scene, config=KEEP_A_DAY)


def test_many_jobs_are_forgotten_in_slices_with_pauses() -> None:
    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        jobs = [await a_picture(stage, f"l{number}") for number in range(5)]
        await stage.quiet(DAY_S + SOON_S)
        assert [await is_known(stage, job) for job in jobs] == [False] * 5
        assert await noted(stage) == ()

    with pytest.MonkeyPatch.context() as patch:
        for limit in ("SLICE_COUNT", "FILES_AT_ONCE"):
            patch.setattr(f"actors.janitor.{limit}", 2)
        with_a_janitor(scene)


def test_the_audit_trail_is_kept_to_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.janitor.AUDIT_CHANGES_MAX", 3)
    monkeypatch.setattr("actors.janitor.AUDIT_SLICE_COUNT", 2)

    async def scene(stage: Stage, pictures: MemoryPictures) -> None:
        stage.cast("console")
        for number in range(8):
            row = AddAudit("op", "admin", "queue", None, "pause", "changed", False, str(number), 1.0)
            stage.tell("store", Commit(f"op{number}", "console", row))
        await stage.quiet(ROUND_EACH_S + LOOK_EACH_S)
        stage.tell("store", Lookup("look", "console", ReadAudit(None, 100)))
        (looked,) = await stage.heard("console", LookedUp)
        assert isinstance(looked.found, AuditRows)
        assert [row.detail for row in looked.found.rows] == ["7", "6", "5"]

    with_a_janitor(scene)
