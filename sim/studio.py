"""Studio: from a recipe to the bytes of a picture, off the event loop, kept for a while.

A recipe says everything a picture depends on, so pictures need not be stored: the same recipe gives the same bytes.
"""

from __future__ import annotations

import asyncio
import io
import zlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
from PIL import Image, ImageFilter

from sim.paint import paint_grid, paint_single

GRID_PX = 1024
SINGLE_PX = 1024
PREVIEW_PX = 512
KEPT_BYTES_MAX = 128 << 20
PAINTERS = 2  # threads; Pillow lets go of the interpreter's lock while it works
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = len(SIGNATURE) + 25  # signature and IHDR


class Recipe(msgspec.Struct, frozen=True):
    """What a picture depends on.

    prompt, nonce   of the interaction that asked for it; written into the file
    seed            the composition: an upscale and a variation have their parent's
    twist           what differs from the parent; "" when nothing does
    tile            0 for a grid of four, else the tile 1–4 alone
    """

    prompt: str
    nonce: str
    seed: str
    twist: str = ""
    tile: int = 0


class Picture(msgspec.Struct, frozen=True):
    """An encoded picture; sizes in pixels."""

    data: bytes
    width: int
    height: int


class Studio:
    """Painted, or canned: one tiny picture with the texts of the recipe, for load."""

    def __init__(self, canned: bool) -> None:
        self.canned = canned
        self.pool = ThreadPoolExecutor(PAINTERS, "painter")
        self.kept: OrderedDict[tuple[Recipe, int | None], asyncio.Future[Picture]] = OrderedDict()
        self.kept_bytes = 0
        if canned:
            self.tiny = encode_png(paint_grid("canned", "canned", "", 64), {})
            self.tiny_preview = encode_preview(self.tiny, 50)

    async def picture(self, recipe: Recipe) -> Picture:
        """The finished PNG with the chunks `limner:prompt` and `limner:nonce`."""
        if self.canned:
            return Picture(with_texts(self.tiny, texts_of(recipe)), 64, 64)
        return await self.once((recipe, None), partial(paint, recipe))

    async def preview(self, recipe: Recipe, percent: int) -> Picture:
        """The same picture as it looks at `percent`: small, and the blurrier the earlier; WebP."""
        if self.canned:
            return self.tiny_preview
        finished = await self.picture(recipe)
        return await self.once((recipe, percent), partial(encode_preview, finished.data, percent))

    async def once(self, key: tuple[Recipe, int | None], work: Callable[[], Picture | bytes]) -> Picture:
        """Do `work` in a thread unless it was done, or is being done, already."""
        future = self.kept.get(key)
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self.pool, work)  # type: ignore[arg-type]
            self.kept[key] = future
            future.add_done_callback(partial(self.account_for, key))
        else:
            self.kept.move_to_end(key)
        return await asyncio.shield(future)

    def account_for(self, key: tuple[Recipe, int | None], future: asyncio.Future[Picture]) -> None:
        """Keep what came out within KEPT_BYTES_MAX; forget a failure so that it is tried again."""
        if future.cancelled() or future.exception() is not None:
            self.kept.pop(key, None)
            return
        self.kept_bytes += len(future.result().data)
        while self.kept_bytes > KEPT_BYTES_MAX:
            oldest = next((k for k, f in self.kept.items() if f.done()), None)
            if oldest is None:
                return
            self.kept_bytes -= len(self.kept.pop(oldest).result().data)

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)


def texts_of(recipe: Recipe) -> dict[str, str]:
    return {"limner:prompt": recipe.prompt, "limner:nonce": recipe.nonce}


def paint(recipe: Recipe) -> Picture:
    if recipe.tile:
        image = paint_single(recipe.prompt, recipe.seed, recipe.twist, recipe.tile, SINGLE_PX)
    else:
        image = paint_grid(recipe.prompt, recipe.seed, recipe.twist, GRID_PX)
    return Picture(encode_png(image, texts_of(recipe)), image.width, image.height)


def encode_png(image: Image.Image, texts: dict[str, str]) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "PNG", compress_level=2)
    return with_texts(sink.getvalue(), texts)


def encode_preview(png: bytes, percent: int) -> Picture:
    with Image.open(io.BytesIO(png)) as opened:
        small = opened.convert("RGB").resize((min(PREVIEW_PX, opened.width),) * 2, Image.Resampling.BOX, reducing_gap=2)
    coarse = small.filter(ImageFilter.GaussianBlur((100 - percent) / 100 * small.width / 18))
    sink = io.BytesIO()
    coarse.save(sink, "WEBP", quality=70, method=1)
    return Picture(sink.getvalue(), coarse.width, coarse.height)


def with_texts(png: bytes, texts: dict[str, str]) -> bytes:
    """The PNG with text chunks put behind its header: tEXt, or iTXt where Latin-1 is not enough (PNG, 11.3.3)."""
    chunks = b"".join(text_chunk(keyword, text) for keyword, text in texts.items())
    return png[:HEADER_END] + chunks + png[HEADER_END:]


def text_chunk(keyword: str, text: str) -> bytes:
    try:
        name, body = b"tEXt", keyword.encode() + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        name, body = b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text.encode()
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
