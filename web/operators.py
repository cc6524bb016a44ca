"""The login of the admin page: a cookie that works for `/admin/v1` and nowhere else, for viewers' and admins' keys.

The key itself is read once and kept by nobody: not by the browser, and by the Gate as a digest (actors/logins.py).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from protocol.api import LoggedIn, LoggedOut, LogInOperator, LogOutOperator, OperatorShown, ShowOperator
from protocol.client import ClientMistake
from web.api import LogInBody, json_response, with_cookie
from web.requests import body_of, changer, desk_of, read_json, reader, remote_address
from web.visitor import OPERATOR_COOKIE

#: The browser shows the cookie to these paths only.
COOKIE_PATH = "/admin/v1"


async def log_in(request: Request) -> Response:
    """POST /admin/v1/login {key}: a cookie that scripts cannot read and foreign pages cannot send."""
    changer(request, OPERATOR_COOKIE)
    key = read_json(await body_of(request), LogInBody).key
    logged_in = await desk_of(request).ask_for(LoggedIn, remote_address(request), key, LogInOperator())
    return _answer(request, logged_in.token, logged_in.max_age_s)


async def log_out(request: Request) -> Response:
    """DELETE /admin/v1/login: the login is worth nothing any more."""
    key = changer(request, OPERATOR_COOKIE).key
    try:
        await desk_of(request).ask_for(LoggedOut, remote_address(request), key, LogOutOperator())
    except ClientMistake as mistake:
        if mistake.code != "unauthenticated":  # who shows nothing is logged out already
            raise
    return _answer(request, "", 0)


async def show(request: Request) -> Response:
    """GET /admin/v1/login: {name, role} of who gives instructions here."""
    key = reader(request, OPERATOR_COOKIE).key
    shown = await desk_of(request).ask_for(OperatorShown, remote_address(request), key, ShowOperator())
    return json_response({"name": shown.name, "role": shown.role})


def _answer(request: Request, token: str, max_age_s: int) -> Response:
    return with_cookie(request, OPERATOR_COOKIE, token, max_age_s, COOKIE_PATH)


ROUTES = (
    Route("/admin/v1/login", log_in, methods=["POST"]),
    Route("/admin/v1/login", log_out, methods=["DELETE"]),
    Route("/admin/v1/login", show, methods=["GET"]),
)
