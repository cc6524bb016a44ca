"""Oracle: Discord's own schemas (an extract of discord/discord-api-spec under data/), and who holds replies to them."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from sim.app import Simulator

SCHEMAS = Path(__file__).parent / "data" / "discord-schemas.json"
PREFIX = re.compile(r"^/api(?:/v\d+)?(?=/)")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@cache
def document() -> dict[str, Any]:
    """The extract, put right in the two places where the documents say otherwise, and decide."""
    found: dict[str, Any] = json.loads(SCHEMAS.read_text())
    schemas = found["components"]["schemas"]
    # The codes of single complaints are words (RF, Error Messages); the schema takes them for the numbers of answers.
    complaint = {"type": "object", "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}
    complaint["required"] = ["code", "message"]
    schemas["InnerErrors"]["properties"]["_errors"]["items"] = complaint
    # A 429 may lack `code` (RL, Rate Limit Response Structure).
    limited = schemas["RatelimitedResponse"]["allOf"]
    limited[0] = {"type": "object", "properties": schemas["Error"]["properties"], "required": ["message"]}
    return found


def complaints(schema: dict[str, Any], body: Any) -> list[str]:
    """What is wrong with the body, and where; nothing when it is valid."""
    validator = Draft202012Validator(schema | {"components": document()["components"]})
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(body)]


def check(name: str, body: Any) -> None:
    """Assert that the body is valid by the named schema, saying where it is not."""
    found = complaints({"$ref": f"#/components/schemas/{name}"}, body)
    assert not found, f"{name}: {found}"


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The responses that the schema has for a request, by status; None when it does not know the route.

    A path whose parts are the words themselves is preferred to one with placeholders (`@me`, `@original`).
    """
    fitting = [known for known in document()["paths"] if fits(known, path)]
    fitting.sort(key=lambda known: known.count("{"))
    responses = [document()["paths"][known].get(method.lower()) for known in fitting]
    return next((found for found in responses if found is not None), None)


def fits(known: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known))
    return re.fullmatch(pattern, path) is not None


def judge(method: str, path: str, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer: its status, or its body."""
    responses = operation(method, path)
    if responses is None:
        responses = {f"{status // 100}XX": None if status < 400 else {"$ref": "#/components/schemas/ErrorResponse"}}
    known = responses.get(str(status), responses.get(f"{status // 100}XX", "unknown"))
    if known == "unknown":
        return [f"the schema has no {status} for {method} {path}"]
    if known is None:
        return [] if status < 300 and (not body or operation(method, path) is None) else [f"{status} has a body"]
    return complaints(known, msgspec.json.decode(body))


class Witness:
    """What was asked and answered: each route with its statuses."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], set[int]] = {}
        self.wrong: list[str] = []

    def hear(self, request: web.Request, answer: web.StreamResponse) -> None:
        path = PREFIX.sub("", request.path)
        resource = request.match_info.route.resource
        is_json = answer.status != 502 and answer.content_type != "text/html"  # a proxy's pages are not Discord's
        if path == request.path or resource is None or not isinstance(answer, web.Response):
            return
        self.seen.setdefault((request.method, PREFIX.sub("", resource.canonical)), set()).add(answer.status)
        body = answer.body if isinstance(answer.body, bytes) else b""
        if is_json:
            found = judge(request.method, path, answer.status, body)
            self.wrong += [f"{request.method} {path} {answer.status}: {one}" for one in found]

    def statuses(self) -> set[int]:
        return set().union(*self.seen.values())


@contextmanager
def witnessed() -> Iterator[Witness]:
    """Every simulator that is started within is watched; at the end no answer may have been wrong."""
    witness = Witness()
    plain = Simulator.application

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        witness.hear(request, answer)
        return answer

    def application(simulator: Simulator) -> web.Application:
        app = plain(simulator)
        app.middlewares.append(watch)
        return app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulator, "application", application)
        yield witness
    assert not witness.wrong, "\n".join(witness.wrong)
