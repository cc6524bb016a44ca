"""Looks: pictures fetched as their owners would, and what the simulator wrote into them held against what was asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import aiohttp

from bench.house import key_of_user
from bench.peak.book import Book
from bench.peak.plan import number_of

AT_ONCE = 8
SIGNATURE = b"\x89PNG\r\n\x1a\n"


async def look_at_all(base: str, book: Book) -> dict[str, int]:
    """Fetches `book.looks`; how many were as asked, swapped, or not to be had."""
    found: Counter[str] = Counter({"as asked": 0, "swapped": 0})
    turns = asyncio.Semaphore(AT_ONCE)

    async def look(http: aiohttp.ClientSession, number: int, path: str) -> None:
        headers = {"Authorization": f"Bearer {key_of_user(book.senders[number])}"}
        async with turns, http.get(base + path, headers=headers) as answer:
            data = await answer.read()
            if answer.status != 200:
                found[f"HTTP {answer.status}"] += 1
                return
        shown = dict(texts_of(data)).get("limner:prompt")
        found["as asked" if number_of(shown) == number else "swapped"] += 1

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(look(http, number, path) for number, path in book.looks))
    return dict(found)


def texts_of(png: bytes) -> Iterator[tuple[str, str]]:
    """Keyword and text of each tEXt and plain iTXt chunk (PNG, 11.3.3); nothing when it is no PNG."""
    at = len(SIGNATURE) if png.startswith(SIGNATURE) else len(png)
    while at + 8 <= len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        keyword, _, text = body.partition(b"\0")
        if kind == b"tEXt":
            yield keyword.decode("latin-1"), text.decode("latin-1")
        elif kind == b"iTXt":
            yield keyword.decode("latin-1"), text.split(b"\0", 4)[-1].decode()
        at += length + 12
