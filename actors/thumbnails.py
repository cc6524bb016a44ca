"""Is it a whole picture, and how does it look small? CPU work for the process pool: light to import, and pure."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

THUMB_PX = 512
THUMB_QUALITY = 82
#: A picture of a thumbnail's size and of no more bytes is its own, and checked sooner than sent to another process.
SMALL_BYTES_MAX = 16_384
#: A picture of the drawing bot has at most 4 × 2048² pixels; more is a decompression bomb.
PIXELS_MAX = 80_000_000
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
#: The whole last chunk of a PNG, which the decoder would not miss; some writers leave a few bytes behind it.
PNG_END, PNG_END_WITHIN = b"\0\0\0\0IEND\xaeB`\x82", 64
#: The first bytes of those formats, for previews, which are passed on without being decoded.
MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


def picture_path(job: str, attempt: int, media_type: str) -> str:
    """Where in the image store the picture of an attempt is kept. The name says whose it is: twice is harmless."""
    return f"{job}/{attempt}-1.{EXTENSIONS[media_type]}"


class BadPicture(ValueError):
    """No picture, a broken one, or one that is too large. Says which."""


class Checked(msgspec.Struct, frozen=True):
    """A whole picture: its size in pixels, its type by content, its digest, and its thumbnail as WebP.

    `thumb` None: a small picture, which is its own thumbnail.
    """

    width: int
    height: int
    media_type: str
    sha256: str
    thumb: bytes | None


def check(data: bytes) -> Checked:
    """Whether all of the picture is there and unharmed, and its thumbnail, if it needs one. Raises BadPicture."""
    with _opened(data) as picture:
        return _check(data, picture)


def check_small(data: bytes) -> Checked | None:
    """As `check` if that takes microseconds; None, having read no more than its head, if not. Raises BadPicture."""
    if len(data) > SMALL_BYTES_MAX:
        return None
    with _opened(data) as picture:
        return _check(data, picture) if _is_small(data, picture) else None


def _is_small(data: bytes, picture: ImageFile) -> bool:
    return len(data) <= SMALL_BYTES_MAX and max(picture.size) <= THUMB_PX


def _check(data: bytes, picture: ImageFile) -> Checked:
    if picture.width * picture.height > PIXELS_MAX:
        raise BadPicture(f"it has {picture.width}x{picture.height} pixels")
    if picture.format == "PNG" and PNG_END not in data[-PNG_END_WITHIN:]:
        raise BadPicture("its end is missing")
    small = _is_small(data, picture)
    if small and picture.format == "PNG":
        picture.verify()  # checksums over all of it: a tenth of what decoding takes, and nothing here needs pixels
    else:
        picture.load()
    width, height, media_type = picture.width, picture.height, MEDIA_TYPES[picture.format or ""]
    return Checked(
        width, height, media_type, hashlib.sha256(data).hexdigest(), None if small else _thumbnail_of(picture)
    )


def _thumbnail_of(picture: ImageFile) -> bytes:
    from PIL import Image  # 2 MB that a process needs only once it has a picture to check

    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    sink = io.BytesIO()
    small.save(sink, "WEBP", quality=THUMB_QUALITY)
    return sink.getvalue()


@contextmanager
def _opened(data: bytes) -> Iterator[ImageFile]:
    """The picture, its head read. Whatever goes wrong with it in the block is a BadPicture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=tuple(MEDIA_TYPES)) as picture:
                yield picture
    except BadPicture:
        raise
    except UnidentifiedImageError:
        raise BadPicture("it is no PNG, JPEG or WebP") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture(f"it cannot be decoded: {error}") from None


def media_type_of(data: bytes) -> str | None:
    """The type that the first bytes tell, of those that we show; else None."""
    found = next((media_type for magic, media_type in MAGIC if data.startswith(magic)), None)
    return None if found == "image/webp" and data[8:12] != b"WEBP" else found
