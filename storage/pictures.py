"""Pictures: where bytes of images are kept, by path, behind four verbs. A folder, an S3 bucket, or memory for tests.

A put is atomic: a reader sees the old picture, the new one or none, never half of one, also after a crash.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url


class PictureTrouble(Exception):  # noqa: N818  the image store's trouble, not an error of ours
    """The image store cannot be used (now). One line with what to do."""


class Missing(LookupError):
    """No picture is kept under this path."""


class Pictures:
    """The image store. Paths are relative, with `/`, made by us (never from what a user sent)."""

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
        except (NotFoundError, FileNotFoundError) as error:
            raise Missing(path) from error
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


def open_pictures(url: str) -> Pictures:
    """The image store at `file:///FOLDER` (made if need be), `s3://BUCKET/PREFIX` or `memory://`. Raises PictureTrouble."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "memory":
            return Pictures(MemoryStore())
        if parts.scheme == "file":
            folder = Path(unquote(parts.path))
            folder.mkdir(parents=True, exist_ok=True)
            return Pictures(LocalStore(folder))
        return Pictures(from_url(url))
    except (BaseError, OSError, ValueError) as error:
        raise PictureTrouble(f"images.url {parts.scheme}://… cannot be used: {_first_line(error)}") from error


def _trouble(verb: str, error: Exception) -> PictureTrouble:
    return PictureTrouble(f"a picture could not be {verb}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
