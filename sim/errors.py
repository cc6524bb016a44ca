"""Errors: how Discord says no over REST: a status and {code, message, errors?} (OP, RF in facts/discord.md)."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

JSON = {"Content-Type": "application/json"}  # exactly: discord.py fails on a charset behind it


def json_response(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, headers=JSON)


class Refusal(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "code": code}
        if errors is not None:
            self.body["errors"] = errors

    def response(self) -> web.Response:
        return json_response(self.body, self.status)


def unauthorized() -> Refusal:
    return Refusal(401, 0, "401: Unauthorized")


def not_found() -> Refusal:
    return Refusal(404, 0, "404: Not Found")


def unknown(what: str) -> Refusal:
    """404 for a thing with a code of its own: Guild, Channel, Message, Application, ..."""
    return Refusal(404, UNKNOWN[what], f"Unknown {what}")


UNKNOWN = {
    "Application": 10002,
    "Channel": 10003,
    "Guild": 10004,
    "Message": 10008,
    "Member": 10007,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "Interaction": 10062,
    "Application Command": 10063,
}


def missing_access() -> Refusal:
    return Refusal(403, 50001, "Missing Access")


def invalid_form(*path: str, code: str, message: str) -> Refusal:
    """400, code 50035, the complaint at `path` within `errors`; without a path it is about the whole body."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(path):
        errors = {name: errors}
    return Refusal(400, 50035, "Invalid Form Body", errors)
