"""Routes: how the REST routes of several files become one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from sim.errors import Refusal, invalid_form, missing_access, unknown
from sim.identity import Account, People

Call = Callable[[web.Request, Account], Awaitable[web.Response]]
T = TypeVar("T")


class Route(msgspec.Struct, frozen=True):
    """One route under /api.

    bucket    names its rate limit
    call      what answers, given the request and whose it is
    by_token  the path holds an interaction's token, which is all the authorization it asks for (IN)
    """

    method: str
    path: str
    bucket: str
    call: Call
    by_token: bool = False


def number_in(request: web.Request, name: str, default: int | None = None) -> int | None:
    """A whole number in the query; Refusal 50035 when it is none."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise invalid_form(name, code="NUMBER_TYPE_COERCE", message=f'Value "{text[:30]}" is not int.')
    return int(text)


def flag_in(request: web.Request, name: str) -> bool:
    """A boolean in the query, as clients write them."""
    return request.query.get(name, "").lower() in ("1", "true")


def found(thing: T | None, otherwise: Refusal) -> T:
    """The thing; raises `otherwise` when there is none."""
    if thing is None:
        raise otherwise
    return thing


def channel_in(request: web.Request, people: People, account: Account) -> str:
    """The id of the channel in the path. Raises Refusal: it is not there, or not for this account."""
    channel_id = request.match_info["channel"]
    if not people.channel_exists(channel_id):
        raise unknown("Channel")
    if not people.sees(account, channel_id):
        raise missing_access()
    return channel_id
