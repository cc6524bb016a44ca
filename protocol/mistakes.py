"""Whose fault it is, as data: the error codes users see, their HTTP statuses, and the problem document.

The codes and statuses are CONTRACT section 3. A `ClientMistake` is what a refused request becomes: on a WebSocket it
is answered with an `error` frame, over HTTP with `application/problem+json`; nothing was stored in either case.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S_DEFAULT = 5.0


class Code(msgspec.Struct, frozen=True):
    """One error code: its HTTP status, a title for people, and whether its answer carries `Retry-After`.

    `in_job` codes are outcomes of an accepted job. Their status is used only by the compatible routes, which
    must answer a failed drawing with an HTTP status; the jobs API answers 200 and the code inside the job.
    """

    status: int
    title: str
    retry_after: bool = False
    in_job: bool = False


CODES: dict[str, Code] = {
    "bad_frame": Code(400, "The request could not be read"),
    "bad_prompt": Code(400, "The prompt cannot be drawn as it stands"),
    "unauthenticated": Code(401, "A valid key is needed"),
    "forbidden": Code(403, "Not allowed"),
    "banned_prompt": Code(403, "The prompt contains something that is not drawn here"),
    "not_found": Code(404, "No such thing"),
    "not_cancellable": Code(409, "It can no longer be cancelled"),
    "ref_conflict": Code(409, "Taken already by something else"),
    "quota_exceeded": Code(429, "The quota is used up", retry_after=True),
    "too_many_jobs": Code(429, "Too many unfinished jobs", retry_after=True),
    "rate_limited": Code(429, "Too many requests", retry_after=True),
    "queue_full": Code(503, "The queue is full", retry_after=True),
    "draining": Code(503, "The service takes no new work for the moment", retry_after=True),
    "no_account": Code(503, "No drawing account is available", retry_after=True),
    "upstream_rejected": Code(422, "The drawing bot refused the drawing", in_job=True),
    "upstream_blocked": Code(503, "The drawing account is blocked for the moment", in_job=True),
    "upstream_timeout": Code(504, "The drawing bot did not finish in time", in_job=True),
    "undecided": Code(504, "It could not be found out whether the drawing was begun", in_job=True),
    "cancelled": Code(409, "The job was cancelled", in_job=True),
    "internal": Code(500, "Something broke on our side"),
}


class ClientMistake(Exception):
    """The user's request is refused: `code` of CODES, a `message` that says what to do, the request's `ref` if known,
    and the `job` if it was to cancel one.

    `retry_after_s` says when trying again makes sense, for the codes that carry `Retry-After`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        ref: str | None = None,
        job: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        assert code in CODES, f"unknown error code {code!r}"
        super().__init__(code, message, ref, job, retry_after_s)
        self.code = code
        self.message = message
        self.ref = ref
        self.job = job
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Problem(msgspec.Struct, frozen=True):
    """An HTTP error answer: status, the problem+json map, and the headers that go with it."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def problem(code: str, detail: str, retry_after_s: float | None = None) -> Problem:
    """The RFC 9457 document of an error: `{type, title, status, code, detail}`.

    `Retry-After` is in whole seconds, rounded up, at least 1, and present exactly for the codes that carry it.
    """
    known = CODES[code]
    headers = {"Content-Type": PROBLEM_TYPE}
    if known.retry_after:
        wait_s = RETRY_AFTER_S_DEFAULT if retry_after_s is None else retry_after_s
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    if known.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {
        "type": f"urn:limner:error:{code}",
        "title": known.title,
        "status": known.status,
        "code": code,
        "detail": detail,
    }
    return Problem(known.status, body, headers)
