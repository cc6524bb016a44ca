"""The HTTP API of CONTRACT §4 and §6: a request becomes one question for the Gate, its answer one response."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.tracer import AskedFor
from core.job import State
from protocol.api import (
    Argument,
    CancelJob,
    Instruct,
    Instructed,
    JobShown,
    JobsShown,
    KeepUpload,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    MeShown,
    MetricsShown,
    PlaceJob,
    ReadyShown,
    ShowJob,
    ShowJobs,
    ShowMe,
    ShowMetrics,
    ShowReady,
    UploadKept,
)
from protocol.client import ClientMistake, decode_order, to_map
from protocol.frames import ID_CHARS_MAX, JOBS_PAGE_LENGTH, JOBS_PAGE_LENGTH_MAX
from system.version import HEADER as VERSION_HEADER
from web.requests import body_of, caller_in, changer, desk_of, idempotency_key, read_json, reader, remote_address
from web.visitor import COOKIE, OPERATOR_COOKIE, is_at_this_machine

STATES = frozenset(str(state) for state in State)
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class LogInBody(Struct, frozen=True):
    """The body of a login."""

    key: Annotated[str, Meta(min_length=1, max_length=512)]


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The value as JSON that nobody keeps: every answer of the API is somebody's own, and of this moment."""
    kept = {"Cache-Control": "no-store"} | (headers or {})
    return Response(msgspec.json.encode(value), status, kept, "application/json")


# --- jobs ---------------------------------------------------------------------------------------------------------


async def place_job(request: Request) -> Response:
    """POST /api/v1/jobs: 202 once the job is durably stored, also for the same request again."""
    desk, credential = desk_of(request), changer(request)
    limits = desk.process.config.limits
    body = await body_of(request, limits.frame_bytes)
    ref = idempotency_key(request) or secrets.token_hex(16)
    order, webhook = decode_order(body, ref, prompt_chars=limits.prompt_chars, frame_bytes=limits.frame_bytes)
    if webhook is not None:
        raise ClientMistake("bad_frame", "`webhook` is not served here; follow the job by its events.", ref)
    shown = await desk.ask_for(JobShown, remote_address(request), credential.key, PlaceJob(order))
    headers = {"Location": f"/api/v1/jobs/{shown.job.job}"}
    if shown.replayed:
        headers["Idempotent-Replay"] = "true"
    elif desk.process.traces is not None and (caller := caller_in(request)) is not None:
        desk.tell("tracer", AskedFor(shown.job.job, caller))
    return json_response(shown.job, 202, headers)


async def show_job(request: Request) -> Response:
    """GET /api/v1/jobs/{id}."""
    question = ShowJob(request.path_params["job"])
    shown = await desk_of(request).ask_for(JobShown, remote_address(request), reader(request).key, question)
    return json_response(shown.job)


async def cancel_job(request: Request) -> Response:
    """DELETE /api/v1/jobs/{id}: 202, and the job's terminal state tells what came of it."""
    question = CancelJob(request.path_params["job"])
    shown = await desk_of(request).ask_for(JobShown, remote_address(request), changer(request).key, question)
    return json_response(shown.job, 202)


async def show_jobs(request: Request) -> Response:
    """GET /api/v1/jobs?limit&before&state: newest first."""
    query = request.query_params
    limit = query.get("limit", str(JOBS_PAGE_LENGTH))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= JOBS_PAGE_LENGTH_MAX):
        raise ClientMistake("bad_frame", f"`limit` is a number from 1 to {JOBS_PAGE_LENGTH_MAX}.")
    state, before = query.get("state") or None, query.get("before") or None
    if state is not None and state not in STATES:
        raise ClientMistake("bad_frame", f"`state` is one of {', '.join(sorted(STATES))}.")
    if before is not None and (len(before) > ID_CHARS_MAX or not before.isprintable()):
        raise ClientMistake("bad_frame", "`before` is the `next` of the page before.")
    question = ShowJobs(before, int(limit), state)
    page = await desk_of(request).ask_for(JobsShown, remote_address(request), reader(request).key, question)
    return json_response({"jobs": page.jobs, "next": page.next})


async def show_me(request: Request) -> Response:
    """GET /api/v1/me: `welcome` without seq."""
    shown = await desk_of(request).ask_for(MeShown, remote_address(request), reader(request).key, ShowMe())
    return json_response({name: value for name, value in to_map(shown.me).items() if name not in ("type", "seq")})


async def upload(request: Request) -> Response:
    """POST /api/v1/uploads: the body is the picture; 201 {id}."""
    desk, credential = desk_of(request), changer(request)
    if credential.key is None:
        raise ClientMistake("unauthenticated", "Show a key before the picture.")
    data = await body_of(request, desk.process.config.limits.upload_bytes)
    kept = await desk.ask_for(UploadKept, remote_address(request), credential.key, KeepUpload(data))
    return json_response({"id": kept.id}, 201)


# --- the page's login ---------------------------------------------------------------------------------------------


async def log_in(request: Request) -> Response:
    """POST /api/v1/login {key}: a cookie that scripts cannot read and foreign pages cannot send."""
    changer(request)
    key = read_json(await body_of(request), LogInBody).key
    logged_in = await desk_of(request).ask_for(LoggedIn, remote_address(request), key, LogIn())
    return with_cookie(request, COOKIE, logged_in.token, logged_in.max_age_s)


async def log_out(request: Request) -> Response:
    """DELETE /api/v1/login: the login is worth nothing any more, here or elsewhere."""
    credential, desk = changer(request), desk_of(request)
    try:
        await desk.ask_for(LoggedOut, remote_address(request), credential.key, LogOut())
    except ClientMistake as mistake:
        if mistake.code != "unauthenticated":  # who is logged out already has what he wants
            raise
    return with_cookie(request, COOKIE, "", 0)


def with_cookie(request: Request, name: str, token: str, max_age_s: int, path: str = "/") -> Response:
    """204, and a login as a cookie: HttpOnly, SameSite=Strict, and Secure wherever we can know that TLS is spoken."""
    server = desk_of(request).process.config.server
    public = (server.public_url or "").lower().startswith("https://")
    secure = public or server.tls_cert is not None or request.url.scheme == "https"
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.set_cookie(name, token, max_age_s, path=path, secure=secure, httponly=True, samesite="strict")
    return response


async def show_demo(request: Request) -> Response:
    """GET /api/v1/demo: the demo user's key, for a person at this very machine only."""
    key = desk_of(request).process.demo_key
    peer = request.client.host if request.client else ""
    if key is None or not is_at_this_machine(peer, request.headers):
        raise ClientMistake("not_found", "There is no demo here.")
    return json_response({"key": key.reveal(), "note": "A demo: pictures come from a simulated Discord."})


# --- operations ---------------------------------------------------------------------------------------------------


async def healthz(request: Request) -> Response:
    """GET /healthz: this process answers."""
    return Response("ok\n", media_type="text/plain", headers={"Cache-Control": "no-store"})


async def readyz(request: Request) -> Response:
    """GET /readyz: whether drawings can be taken and drawn now."""
    try:
        shown = await desk_of(request).ask_for(ReadyShown, remote_address(request), None, ShowReady())
    except ClientMistake as mistake:
        return json_response({"ready": False, "reasons": [mistake.code]}, 503)
    return json_response({"ready": shown.ready, "reasons": shown.reasons}, 200 if shown.ready else 503)


async def metrics(request: Request) -> Response:
    """GET /metrics: Prometheus text."""
    shown = await desk_of(request).ask_for(MetricsShown, remote_address(request), None, ShowMetrics())
    return Response(shown.text, media_type=METRICS_TYPE, headers={"Cache-Control": "no-store"})


async def admin_read(request: Request) -> Response:
    """GET /admin/v1/NOUN[/ID]: Instruct `list` (the query as arguments) or `show`."""
    key = reader(request, OPERATOR_COOKIE).key
    noun, one = request.path_params["noun"], request.path_params.get("id")
    arguments: dict[str, Argument] = dict(request.query_params)
    return await _instruct(request, key, Instruct(noun, one, "list" if one is None else "show", arguments))


async def admin_change(request: Request) -> Response:
    """POST /admin/v1/NOUN (Instruct `add`), /NOUN/VERB (id null) or /NOUN/ID/VERB, the body as arguments."""
    credential = changer(request, OPERATOR_COOKIE)
    arguments = read_json(await body_of(request), dict[str, Argument])
    found, version = request.path_params, request.headers.get(VERSION_HEADER)
    instruct = Instruct(found["noun"], found.get("id"), found.get("verb", "add"), arguments, version)
    return await _instruct(request, credential.key, instruct)


async def _instruct(request: Request, key: str | None, instruct: Instruct) -> Response:
    answer = await desk_of(request).ask_for(Instructed, remote_address(request), key, instruct)
    kind = "application/json" if answer.status < 400 else "application/problem+json"
    return Response(answer.body, answer.status, {"Cache-Control": "no-store"}, kind)


ROUTES = (
    Route("/api/v1/jobs", place_job, methods=["POST"]),
    Route("/api/v1/jobs", show_jobs, methods=["GET"]),
    Route("/api/v1/jobs/{job}", show_job, methods=["GET"]),
    Route("/api/v1/jobs/{job}", cancel_job, methods=["DELETE"]),
    Route("/api/v1/me", show_me, methods=["GET"]),
    Route("/api/v1/uploads", upload, methods=["POST"]),
    Route("/api/v1/login", log_in, methods=["POST"]),
    Route("/api/v1/login", log_out, methods=["DELETE"]),
    Route("/api/v1/demo", show_demo, methods=["GET"]),
    Route("/healthz", healthz, methods=["GET"]),
    Route("/readyz", readyz, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
    Route("/admin/v1/{noun}", admin_read, methods=["GET"]),
    Route("/admin/v1/{noun}", admin_change, methods=["POST"]),
    Route("/admin/v1/{noun}/{id:path}", admin_read, methods=["GET"]),
    Route("/admin/v1/{noun}/{verb}", admin_change, methods=["POST"]),
    Route("/admin/v1/{noun}/{id:path}/{verb}", admin_change, methods=["POST"]),
)
