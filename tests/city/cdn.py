"""The CDN of the city: tiny pictures that say whose they are, under addresses that expire."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from system.links import Fetched, LinkBroken

if TYPE_CHECKING:
    from tests.city.bot import Piece
    from tests.city.discord import Discord

ADDRESS = "https://cdn.city"
#: Where users have pictures of their own, under a label each.
WORLD = "https://pictures.city/"
GOOD_FOR_S = 60.0
FETCH_S = (0.01, 0.2)
SLOW_S_MAX = 20.0
SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: A zlib stream of four bytes that are stored as they are: making a compressor anew for each takes ten times as long.
STORED = b"\x78\x01\x01\x04\x00\xfb\xff"


@lru_cache(maxsize=1024)
def picture(prompt: str, nonce: str) -> bytes:
    """A PNG of one pixel that carries the prompt and nonce it was drawn for."""
    header = (1).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    pixel = b"\0" + zlib.crc32(nonce.encode()).to_bytes(4, "big")[:3]
    chunks = (
        (b"IHDR", header),
        (b"tEXt", b"limner:prompt\0" + prompt.encode()),
        (b"tEXt", b"limner:nonce\0" + nonce.encode()),
        (b"IDAT", STORED + pixel + zlib.adler32(pixel).to_bytes(4, "big")),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )


def nonce_in(png: bytes) -> str:
    """The nonce that a picture of ours carries."""
    keyword = b"limner:nonce\0"
    at = png.index(keyword)
    length = int.from_bytes(png[at - 8 : at - 4], "big")
    return png[at + len(keyword) : at + length].decode()


class Cdn:
    """Attachments by path."""

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.pictures: dict[str, tuple[str, str]] = {}

    def attach(self, channel: str, filename: str, piece: Piece) -> dict[str, Any]:
        """A new attachment, as a message shows it."""
        shown = self.keep(channel, filename, piece.prompt, piece.row.nonce)
        piece.paths.append(_path_of(shown["url"]))
        return shown

    def keep(self, channel: str, filename: str, prompt: str, label: str) -> dict[str, Any]:
        """A picture that says `label`, as an attachment."""
        number = self.discord.snowflake()
        path = f"/attachments/{channel}/{number}/{filename}"
        self.pictures[path] = (prompt, label)
        shown = {"id": number, "filename": filename, "size": 100, "width": 1, "height": 1}
        return shown | {"content_type": "image/png", "url": self.address(path)}

    def forget(self, paths: Iterable[str]) -> None:
        """These are no more."""
        for path in paths:
            self.pictures.pop(path, None)

    def address(self, path: str) -> str:
        """Good for a while from now."""
        return f"{ADDRESS}{path}?ex={int(self.discord.loop.time() + GOOD_FOR_S):x}"

    def refreshed(self, attachment: dict[str, Any]) -> dict[str, Any]:
        """The attachment with a fresh address."""
        return attachment | {"url": self.address(_path_of(attachment["url"]))}

    def label_of(self, url: str) -> str:
        """What the picture at this address says; the bot fetches it where it is led."""
        return url.removeprefix(WORLD) if url.startswith(WORLD) else self.pictures[_path_of(url)][1]

    async def fetch(self, url: str) -> Fetched:
        """A picture's bytes. Raises LinkBroken."""
        weather = self.discord.weather
        slow = weather.strikes("picture_slow")
        await asyncio.sleep(self.discord.dice.uniform(0.0, SLOW_S_MAX) if slow else self.discord.dice.uniform(*FETCH_S))
        path, _, expires = url.removeprefix(ADDRESS).partition("?ex=")
        if weather.strikes("picture_lost"):
            raise LinkBroken("ServerDisconnectedError", None)
        if url.startswith(WORLD):
            return Fetched(200, picture("a picture of a user's", url.removeprefix(WORLD)), "image/png")
        if path not in self.pictures or int(expires, 16) < self.discord.loop.time() or weather.strikes("picture_404"):
            return Fetched(404, b"", "text/plain")
        data = picture(*self.pictures[path])
        return Fetched(200, data[:-20] if weather.strikes("picture_cut") else data, "image/png")


def _path_of(url: str) -> str:
    return url.removeprefix(ADDRESS).partition("?")[0]
