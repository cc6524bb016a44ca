"""Problems: errors as `application/problem+json` (RFC 9457; CONTRACT §4), and never a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match

from protocol.client import ClientMistake, problem
from protocol.mistakes import PROBLEM_TYPE
from system.plain_structlog import structlog

log = structlog.get_logger("web")


class TooLarge(ClientMistake):
    """The body is over its cap; the connection is not worth reading on."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__("bad_frame", f"The body is larger than {limit_bytes} bytes; send less.")


async def on_mistake(request: Request, mistake: ClientMistake) -> Response:
    """A refusal, by its code of CONTRACT §3."""
    found = problem(mistake.code, mistake.message, mistake.retry_after_s)
    if isinstance(mistake, TooLarge):
        return _problem(413, found.body | {"status": 413}, {"Connection": "close"})
    return _problem(found.status, found.body, found.headers)


async def on_http_exception(request: Request, fault: HTTPException) -> Response:
    """What the router refuses: an unknown path, or a method the path does not have. A person gets a line of text."""
    headers = dict(fault.headers or {})
    if fault.status_code == 405:  # Starlette names the methods of the first route of that path only
        fitting = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
        headers["Allow"] = ", ".join(sorted({method for route in fitting for method in route.methods}))
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(f"{HTTPStatus(fault.status_code).phrase}\n", fault.status_code, headers)
    found = problem("not_found" if fault.status_code == 404 else "bad_frame", f"{request.method} {request.url.path}")
    title = HTTPStatus(fault.status_code).phrase
    return _problem(fault.status_code, found.body | {"status": fault.status_code, "title": title}, headers)


def broken(path: str, method: str, fault: Exception) -> Response:
    """Our own mistake: logged whole, told without any of it."""
    log.error("a request broke", path=path, method=method, exc_info=fault)
    found = problem("internal", "Something broke on our side; the log of the service knows more.")
    return _problem(found.status, found.body, found.headers)


def _problem(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    kept = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    return Response(msgspec.json.encode(body), status, kept, PROBLEM_TYPE)


HANDLERS: dict[type[Exception], Callable[..., Awaitable[Response]]] = {
    ClientMistake: on_mistake,
    HTTPException: on_http_exception,
}
