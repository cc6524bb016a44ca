"""A picture that its account had kept is taken from where this job's pictures are, and from nowhere else."""

from __future__ import annotations

import pytest
from msgspec import structs

from actors.account.messages import KEPT
from actors.gallery import Gallery
from actors.queue.messages import Keep, Kept, NotKept
from actors.thumbnails import picture_path
from storage.operations import JobRecord
from storage.pictures import MemoryPictures
from tests.actors.account.test_work import JOB
from tests.actors.easel import png
from tests.actors.stage import Stage, play

MINE = picture_path("j1", 1, "image/png")


async def opened(stage: Stage, **kept: bytes) -> None:
    for name in ("queue", "monitor", "store", "gate"):
        stage.cast(name)
    process = stage.instance("queue").process
    process.pictures = MemoryPictures()
    for path, data in kept.items():
        await process.pictures.put(path, data)
    stage.cast("gallery", Gallery)


def job(path: str) -> JobRecord:
    return structs.replace(JOB, state="keeping", picture_url=KEPT + path)


def test_it_is_checked_and_becomes_the_jobs_picture_without_a_second_copy() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage, **{MINE: png(3)})
        stage.tell("gallery", Keep(job(MINE)))
        kept = await stage.one("queue", Kept)
        assert [(image.path, image.bytes) for image in kept.images] == [(MINE, len(png(3)))]

    play(scene)


@pytest.mark.parametrize("path", ["uploads/u-2/secret", "j2/1-1.png", "j1/2-1.png", "../limner.db", "", MINE])
def test_what_is_elsewhere_or_not_there_or_no_picture_is_not_to_be_had(path: str) -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage, **{"uploads/u-2/secret": png(1), "j2/1-1.png": png(2), "j1/2-1.png": png(2)})
        stage.tell("gallery", Keep(job(path)))
        lost = await stage.one("queue", NotKept)
        assert (lost.job, lost.attempt) == ("j1", 1)

    play(scene)
