"""Pictures: where bytes of images are kept, by path, behind three verbs. A folder, an S3 bucket, or memory for tests.

A put is atomic and on disk when it returns: a reader sees the old picture, the new one or none, never half of one, also
after a crash. Paths are relative, with `/`, and made by us: one with `..` in it is a mistake of ours and a ValueError.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, from_url

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class PictureTrouble(Exception):
    """The image store cannot be used (now). One line with what is wrong."""


class Missing(LookupError):
    """No picture is kept under this path."""


class Pictures:
    """An image store, over obstore."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, path: str, data: bytes) -> None:
        """Keeps the bytes under the path, replacing what was there. Raises PictureTrouble."""
        try:
            await obstore.put_async(self._store, path, data)
        except (BaseError, OSError) as error:
            raise _trouble("kept", error) from error

    async def get(self, path: str) -> bytes:
        """The bytes under the path. Raises Missing, PictureTrouble."""
        try:
            found = await obstore.get_async(self._store, path)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise Missing(path) from None
        except (BaseError, OSError) as error:
            raise _trouble("read", error) from error

    async def delete(self, path: str) -> None:
        """Forgets what is under the path; nothing there is fine. Raises PictureTrouble."""
        try:
            await obstore.delete_async(self._store, path)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _trouble("deleted", error) from error


class FolderPictures(Pictures):
    """In a folder. obstore renames a finished file into place but leaves it to the system when to write it to disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(LocalStore(folder))
        self._folder = folder

    async def put(self, path: str, data: bytes) -> None:
        """As Pictures.put."""
        await super().put(path, data)
        try:
            await asyncio.to_thread(_write_through, self._folder / path)
        except OSError as error:
            raise _trouble("kept", error) from error


class MemoryPictures(Pictures):
    """In a dict, without any thread, so that it also works on a virtual loop; gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, path: str, data: bytes) -> None:
        """As Pictures.put."""
        self._kept[path] = bytes(data)

    async def get(self, path: str) -> bytes:
        """As Pictures.get."""
        if path not in self._kept:
            raise Missing(path)
        return self._kept[path]

    async def delete(self, path: str) -> None:
        """As Pictures.delete."""
        self._kept.pop(path, None)


def open_pictures(url: str) -> Pictures:
    """The image store at `file:///FOLDER` (made if need be), `s3://BUCKET/PREFIX` or `memory://`.

    Raises PictureTrouble. A bucket is not asked whether it is there before its first use.
    """
    parts = urlsplit(url)
    try:
        if parts.scheme == "memory":
            return MemoryPictures()
        if parts.scheme == "file":
            return FolderPictures(Path(unquote(parts.path)))
        return Pictures(from_url(url))
    except OSError as error:
        raise PictureTrouble(f"images.url cannot be used: {_line(error)}") from error
    except (BaseError, ValueError):
        # What these errors say repeats the URL, which may hold credentials.
        raise PictureTrouble("images.url must be like file:///FOLDER or s3://BUCKET/PREFIX") from None


def _write_through(path: Path) -> None:
    """Returns when the file and its name in the folder are on disk."""
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _trouble(verb: str, error: Exception) -> PictureTrouble:
    return PictureTrouble(f"a picture could not be {verb}: {_line(error)}")


def _line(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return (str(error).splitlines() or [type(error).__name__])[0]
