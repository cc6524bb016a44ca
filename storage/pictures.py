"""Pictures: where bytes of images are kept, by path, behind three verbs. A folder, an S3 bucket, or memory for tests.

A put is atomic and on disk when it returns: a reader sees the old picture, the new one or none, never half of one, also
after a crash. Paths are relative, with `/`, and made by us: one with `..` in it is a mistake of ours and a ValueError.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What the system says when a file has no room (left) on a disk, in a quota or below a limit; or may not be written.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class PictureTrouble(Exception):
    """The image store cannot be used (now). One line with what is wrong; `code` (full, unwritable, unavailable)."""

    def __init__(self, message: str, code: str = "unavailable") -> None:
        super().__init__(message)
        self.code = code


class Missing(LookupError):
    """No picture is kept under this path."""


class Pictures(ABC):
    """An image store."""

    @abstractmethod
    async def put(self, path: str, data: bytes) -> None:
        """Keeps the bytes under the path, replacing what was there. Raises PictureTrouble."""

    @abstractmethod
    async def get(self, path: str) -> bytes:
        """The bytes under the path. Raises Missing, PictureTrouble."""

    @abstractmethod
    async def has(self, path: str) -> bool:
        """Whether something is kept under the path; its bytes are not read. Raises PictureTrouble."""

    @abstractmethod
    async def delete(self, path: str) -> None:
        """Forgets what is under the path; nothing there is fine. Raises PictureTrouble."""


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

    async def has(self, path: str) -> bool:
        """As Pictures.has."""
        return path in self._kept

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
            from storage.folder import FolderPictures  # it builds on this module

            return FolderPictures(Path(unquote(parts.path)))
    except OSError as error:
        raise PictureTrouble(f"images.url cannot be used: {error.strerror or type(error).__name__}") from error
    from storage.bucket import open_bucket  # its library is 4 MB that a folder does not need

    return open_bucket(url)


def trouble(verb: str, error: Exception) -> PictureTrouble:
    """The trouble behind an error, in one line."""
    line = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
    number = error.errno if isinstance(error, OSError) else None
    code = "full" if number in _FULL else "unwritable" if number in _UNWRITABLE else "unavailable"
    return PictureTrouble(f"a picture could not be {verb}: {line or type(error).__name__}", code)
