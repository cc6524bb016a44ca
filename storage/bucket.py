"""Bucket: pictures kept in S3 and the like, by way of obstore; imported only where there is a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import from_url

from storage.pictures import Missing, Pictures, PictureTrouble, trouble

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class BucketPictures(Pictures):
    """In a bucket, under a prefix."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, path: str, data: bytes) -> None:
        """As Pictures.put."""
        try:
            await obstore.put_async(self._store, path, data)
        except (BaseError, OSError) as error:
            raise trouble("kept", error) from error

    async def get(self, path: str) -> bytes:
        """As Pictures.get."""
        try:
            found = await obstore.get_async(self._store, path)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise Missing(path) from None
        except (BaseError, OSError) as error:
            raise trouble("read", error) from error

    async def has(self, path: str) -> bool:
        """As Pictures.has."""
        try:
            await obstore.head_async(self._store, path)
        except (NotFoundError, FileNotFoundError):
            return False
        except (BaseError, OSError) as error:
            raise trouble("read", error) from error
        return True

    async def delete(self, path: str) -> None:
        """As Pictures.delete."""
        try:
            await obstore.delete_async(self._store, path)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise trouble("deleted", error) from error


def open_bucket(url: str) -> BucketPictures:
    """The bucket at `s3://BUCKET/PREFIX`, which is not asked whether it is there. Raises PictureTrouble."""
    try:
        return BucketPictures(from_url(url))
    except (BaseError, ValueError, OSError):
        # What these errors say repeats the URL, which may hold credentials.
        raise PictureTrouble("images.url must be like file:///FOLDER or s3://BUCKET/PREFIX") from None
