"""Keeping pictures, by path."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from storage import folder
from storage.pictures import Missing, Pictures, PictureTrouble, open_pictures


@pytest.fixture(params=["memory", "folder"])
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Pictures:
    return open_pictures("memory://" if request.param == "memory" else f"file://{tmp_path}/a folder/images")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_what_was_put_is_there_until_it_is_deleted(pictures: Pictures) -> None:
    async def story() -> None:
        await pictures.put("ab/P1.png", b"first")
        await pictures.put("ab/P1.png", b"second")
        assert await pictures.get("ab/P1.png") == b"second"
        await pictures.delete("ab/P1.png")
        with pytest.raises(Missing):
            await pictures.get("ab/P1.png")
        await pictures.delete("ab/P1.png")

    run(story())


def test_what_was_never_put_is_missing(pictures: Pictures) -> None:
    with pytest.raises(Missing):
        run(pictures.get("none.png"))


def test_a_folder_keeps_pictures_over_a_restart_and_nothing_else(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/images"
    run(open_pictures(url).put("ab/P1.png", b"bytes"))
    assert run(open_pictures(url).get("ab/P1.png")) == b"bytes"
    assert [path.name for path in (tmp_path / "images").rglob("*") if path.is_file()] == ["P1.png"]


def test_a_percent_sign_in_the_folders_url_is_read_as_a_url(tmp_path: Path) -> None:
    run(open_pictures(f"file://{tmp_path}/my%20images").put("P1.png", b"bytes"))
    assert (tmp_path / "my images/P1.png").read_bytes() == b"bytes"


def test_a_path_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    pictures = open_pictures(f"file://{tmp_path}/images")
    with pytest.raises(ValueError, match="path"):
        run(pictures.get("../secret"))


def test_a_folder_in_the_way_of_a_picture_is_trouble(tmp_path: Path) -> None:
    pictures = open_pictures(f"file://{tmp_path}/images")
    (tmp_path / "images/P1.png").mkdir()
    with pytest.raises(PictureTrouble):
        run(pictures.put("P1.png", b"bytes"))


def test_a_file_in_the_place_of_the_folder_is_trouble_too(tmp_path: Path) -> None:
    pictures = open_pictures(f"file://{tmp_path}/images")
    (tmp_path / "images").rmdir()
    (tmp_path / "images").write_bytes(b"")
    with pytest.raises(PictureTrouble):
        run(pictures.put("j1/P1.png", b"bytes"))


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "full"), (errno.EROFS, "unwritable"), (errno.EIO, "unavailable")]
)
def test_a_picture_that_is_refused_leaves_nothing_behind_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    pictures = open_pictures(f"file://{tmp_path}/images")

    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(PictureTrouble) as trouble:
        run(pictures.put("P1.png", b"bytes"))
    assert trouble.value.code == code
    assert list((tmp_path / "images").iterdir()) == []


def test_many_pictures_at_once_are_all_kept_and_one_that_is_refused_spoils_no_other(tmp_path: Path) -> None:
    pictures = open_pictures(f"file://{tmp_path}/images")
    (tmp_path / "images/j7/P.png").mkdir(parents=True)  # in the way of one of them

    async def story() -> list[BaseException | None]:
        puts = (pictures.put(f"j{number}/P.png", b"%d" % number) for number in range(200))
        return await asyncio.gather(*puts, return_exceptions=True)

    refused = [number for number, outcome in enumerate(run(story())) if outcome is not None]
    assert refused == [7]
    files = {path.parent.name: path.read_bytes() for path in (tmp_path / "images").rglob("*") if path.is_file()}
    assert files == {f"j{number}": b"%d" % number for number in range(200) if number != 7}


def test_a_flush_of_everything_that_fails_fails_all_that_waited_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> int:
        ctypes.set_errno(errno.ENOSPC)
        return -1

    monkeypatch.setattr(folder, "_syncfs", refuse)
    pictures = open_pictures(f"file://{tmp_path}/images")

    async def story() -> list[BaseException | None]:
        puts = (pictures.put(f"P{number}.png", b"bytes") for number in range(1 + folder.FLUSH_ALL_MIN))
        return await asyncio.gather(*puts, return_exceptions=True)

    outcomes = run(story())
    assert [getattr(outcome, "code", None) for outcome in outcomes] == ["full"] * len(outcomes)
    assert list((tmp_path / "images").iterdir()) == []


@pytest.mark.parametrize("url", ["", "nonsense", "gopher://x/y", "file:///dev/null/images"])
def test_an_image_store_that_cannot_be_opened_is_trouble(url: str) -> None:
    with pytest.raises(PictureTrouble, match=r"images\.url"):
        open_pictures(url)


def test_credentials_in_the_url_are_never_told() -> None:
    with pytest.raises(PictureTrouble) as trouble:
        open_pictures("gopher://user:hunter2@host/x")
    assert "hunter2" not in str(trouble.value)


def test_a_bucket_is_opened_by_its_url() -> None:
    assert isinstance(open_pictures("s3://bucket/prefix"), Pictures)


def test_whether_a_picture_is_there_is_known_without_reading_it(pictures: Pictures) -> None:
    async def story() -> None:
        await pictures.put("ab/P1.png", b"bytes")
        known = [await pictures.has(path) for path in ("ab/P1.png", "ab/P2.png", "ab", "ab/P1.png/P3")]
        assert known == [True, False, False, False]
        await pictures.delete("ab/P1.png")
        assert not await pictures.has("ab/P1.png")

    run(story())
