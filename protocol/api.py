"""What an HTTP request asks and is answered, beyond the frames of the WebSocket (CONTRACT §4, §6).

The web app turns a request into one Question, which goes through the Gate like a frame; exactly one Answer comes back,
which may be a `Refusal` or an `Error` frame.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from protocol.client import Act, Draw, Error, Job, Welcome

#: A value in the body of an instruction, or a text of its query.
Argument: TypeAlias = str | int | float | bool | tuple[str, ...] | None


class PlaceJob(Struct, frozen=True, tag=True):
    """POST /api/v1/jobs: a draw or an act. Answered by JobShown."""

    order: Draw | Act


class ShowJob(Struct, frozen=True, tag=True):
    """GET /api/v1/jobs/{id}. Answered by JobShown."""

    job: str


class ShowJobs(Struct, frozen=True, tag=True):
    """GET /api/v1/jobs. Answered by JobsShown."""

    before: str | None
    limit: int
    state: str | None


class CancelJob(Struct, frozen=True, tag=True):
    """DELETE /api/v1/jobs/{id}. Answered by JobShown."""

    job: str


class ShowMe(Struct, frozen=True, tag=True):
    """GET /api/v1/me. Answered by MeShown."""


class ShowImage(Struct, frozen=True, tag=True):
    """GET /images/{id}[/thumb], or a job's newest preview. Answered by ImageShown."""

    image: str
    thumb: bool = False
    preview: bool = False


class KeepUpload(Struct, frozen=True, tag=True):
    """POST /api/v1/uploads: a picture to draw from. Answered by UploadKept."""

    data: bytes

    def __repr__(self) -> str:
        return f"KeepUpload({len(self.data)} bytes)"


class LogIn(Struct, frozen=True, tag=True):
    """POST /api/v1/login. Answered by LoggedIn; the key is the credential of the request."""


class LogOut(Struct, frozen=True, tag=True):
    """DELETE /api/v1/login. Answered by LoggedOut."""


class LogInOperator(Struct, frozen=True, tag=True):
    """POST /admin/v1/login. Answered by LoggedIn; its token is a key for Instruct and ShowOperator alone."""


class LogOutOperator(Struct, frozen=True, tag=True):
    """DELETE /admin/v1/login. Answered by LoggedOut, also where there is no such login."""


class ShowOperator(Struct, frozen=True, tag=True):
    """GET /admin/v1/login. Answered by OperatorShown."""


class ShowMetrics(Struct, frozen=True, tag=True):
    """GET /metrics; needs no key. Answered by MetricsShown."""


class ShowReady(Struct, frozen=True, tag=True):
    """GET /readyz; needs no key. Answered by ReadyShown."""


class Instruct(Struct, frozen=True, tag=True):
    """An admin's instruction (CONTRACT §6): noun, id, verb, arguments. Answered by Instructed.

    Needs an admin, or, to read, a viewer. `version` is that of the Limner it comes from, where that says so.
    """

    noun: str
    id: str | None
    verb: str
    arguments: dict[str, Argument]
    version: str | None = None

    def __repr__(self) -> str:
        return f"Instruct({self.noun!r}, {self.id!r}, {self.verb!r}, {sorted(self.arguments)})"


Question = (
    PlaceJob
    | ShowJob
    | ShowJobs
    | CancelJob
    | ShowMe
    | ShowImage
    | KeepUpload
    | LogIn
    | LogOut
    | LogInOperator
    | LogOutOperator
    | ShowOperator
    | ShowMetrics
    | ShowReady
    | Instruct
)


class JobShown(Struct, frozen=True, tag=True):
    """One job; `replayed`: an idempotent repetition."""

    job: Job
    replayed: bool = False


class JobsShown(Struct, frozen=True, tag=True):
    """A page of jobs, newest first; `next` is the `before` of the next one."""

    jobs: tuple[Job, ...]
    next: str | None


class MeShown(Struct, frozen=True, tag=True):
    """Who is asking; the HTTP answer leaves `seq` out."""

    me: Welcome


class ImageShown(Struct, frozen=True, tag=True):
    """A picture's bytes."""

    data: bytes
    media_type: str


class UploadKept(Struct, frozen=True, tag=True):
    """What `images` of a draw may name, by its owner."""

    id: str


class LoggedIn(Struct, frozen=True, tag=True):
    """The page's cookie value."""

    token: str
    max_age_s: int

    def __repr__(self) -> str:
        return f"LoggedIn(max_age_s={self.max_age_s})"


class LoggedOut(Struct, frozen=True, tag=True):
    """The cookie is worth nothing any more."""


class OperatorShown(Struct, frozen=True, tag=True):
    """Who gives instructions with this key, and whether they may change things (`admin`) or only read (`viewer`)."""

    name: str
    role: str


class MetricsShown(Struct, frozen=True, tag=True):
    """Prometheus text."""

    text: str


class ReadyShown(Struct, frozen=True, tag=True):
    """`reasons` is empty when ready."""

    ready: bool
    reasons: tuple[str, ...]


class Instructed(Struct, frozen=True, tag=True):
    """The answer as JSON text, with its HTTP status."""

    status: int
    body: str


class Refusal(Struct, frozen=True, tag=True):
    """Nothing was done; `code` of CONTRACT §3, and when asking again makes sense (`Retry-After`)."""

    code: str
    message: str
    retry_after_s: float | None = None


Answer = (
    JobShown
    | JobsShown
    | MeShown
    | ImageShown
    | UploadKept
    | LoggedIn
    | LoggedOut
    | OperatorShown
    | MetricsShown
    | ReadyShown
    | Instructed
    | Refusal
    | Error
)
