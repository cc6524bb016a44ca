"""Folder: pictures kept on a disk, in groups, as the database commits: what comes while a group is written is the next.

A flush costs the disk about the same for one file as for many. So the files of a group are written beside their places,
flushed, moved to their places, and the folders flushed; only then are their puts done.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from storage.pictures import Missing, Pictures, trouble

#: Files of a group, at most. How many bytes wait is bounded by who puts them (gallery, uploads).
GROUP_LENGTH_MAX = 64
#: From so many files on, the whole file system is flushed at once; fewer do not wait for what other programs wrote.
FLUSH_ALL_MIN = 4

#: syncfs(2), where the system has it: it flushes the file system that a descriptor is on, 0 if all went well.
_syncfs: Callable[[int], int] | None = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


@dataclass(slots=True, eq=False)
class Parcel:
    """One file on its way: written `beside` its `place`, then moved there. `error`: what went wrong."""

    place: Path
    beside: Path
    data: bytes
    done: asyncio.Future[None]
    error: OSError | None = None


class FolderPictures(Pictures):
    """In a folder; the disk is waited for in threads, one of them writing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        token = secrets.token_hex(4)
        self._beside = (f"{token}-{number}" for number in itertools.count())
        self._waiting: list[Parcel] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, path: str, data: bytes) -> None:
        """As Pictures.put."""
        place = self._place(path)
        beside = place.with_name(f".{place.name}.{next(self._beside)}")
        parcel = Parcel(place, beside, data, asyncio.get_running_loop().create_future())
        self._waiting.append(parcel)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="pictures")
        await parcel.done
        if parcel.error is not None:
            raise trouble("kept", parcel.error) from parcel.error

    async def get(self, path: str) -> bytes:
        """As Pictures.get."""
        place = self._place(path)
        try:
            return await asyncio.to_thread(place.read_bytes)
        except FileNotFoundError:
            raise Missing(path) from None
        except OSError as error:
            raise trouble("read", error) from error

    async def has(self, path: str) -> bool:
        """As Pictures.has."""
        place = self._place(path)
        try:
            return await asyncio.to_thread(_is_file, place)
        except OSError as error:
            raise trouble("read", error) from error

    async def delete(self, path: str) -> None:
        """As Pictures.delete. A folder below ours that is empty then goes with it."""
        place = self._place(path)
        try:
            await asyncio.to_thread(_unlink, self._folder, place)
        except OSError as error:
            raise trouble("deleted", error) from error

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP_LENGTH_MAX], self._waiting[GROUP_LENGTH_MAX:]
            (mistake,) = await asyncio.gather(asyncio.to_thread(keep, self._folder, group), return_exceptions=True)
            for parcel in group:
                if parcel.done.done():
                    continue  # who put it has died meanwhile
                if mistake is None:
                    parcel.done.set_result(None)
                else:
                    parcel.done.set_exception(mistake)

    def _place(self, path: str) -> Path:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError("a path of a picture leads out of its folder")
        return self._folder / parts


def _unlink(root: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    if place.parent != root:
        with suppress(OSError):  # it is not empty, or not there
            place.parent.rmdir()


def _is_file(place: Path) -> bool:
    """Whether it is one. Raises OSError where that cannot be said."""
    try:
        return S_ISREG(place.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def keep(root: Path, group: Sequence[Parcel]) -> None:
    """Each is on disk when this returns, or has its `error` and has left nothing behind."""
    _each(group, _write_beside)
    _flush(root, group, lambda parcel: (parcel.beside,))
    _each(group, lambda parcel: parcel.beside.replace(parcel.place))
    _flush(root, group, lambda parcel: _folders(root, parcel.place))
    for parcel in group:
        if parcel.error is not None:
            with suppress(OSError):  # there is no folder any more, say; what is wrong is known already
                parcel.beside.unlink(missing_ok=True)


def _each(group: Sequence[Parcel], step: Callable[[Parcel], object]) -> None:
    """Takes the step with all to whom nothing has happened yet."""
    for parcel in group:
        if parcel.error is None:
            try:
                step(parcel)
            except OSError as error:
                parcel.error = error


def _write_beside(parcel: Parcel) -> None:
    parcel.beside.parent.mkdir(parents=True, exist_ok=True)
    parcel.beside.write_bytes(parcel.data)


def _flush(root: Path, group: Sequence[Parcel], paths_of: Callable[[Parcel], Iterable[Path]]) -> None:
    if len(group) < FLUSH_ALL_MIN or _syncfs is None:
        _each(group, lambda parcel: [_on(path, os.fsync) for path in paths_of(parcel)])
        return
    number = ctypes.get_errno() if _on(root, _syncfs) else 0
    for parcel in group if number else ():
        parcel.error = parcel.error or OSError(number, os.strerror(number))


def _on(path: Path, call: Callable[[int], int | None]) -> int | None:
    """What the call answers for a descriptor of the path."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return call(descriptor)
    finally:
        os.close(descriptor)


def _folders(root: Path, place: Path) -> Iterable[Path]:
    """The folders from the place's up to the root: any of them may be new."""
    for folder in place.parents:
        yield folder
        if folder == root:
            return
