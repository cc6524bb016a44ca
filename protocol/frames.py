"""The frames between a user and Limner, as types: CONTRACT section 3, and the job of section 4.

A frame is one map with `type`. Ids are strings, times RFC 3339 UTC with milliseconds, durations float seconds;
an absent value is null. `protocol.client` turns these into bytes and back.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from core.job import Kind, Mode, State

JOBS_PAGE_LENGTH, JOBS_PAGE_LENGTH_MAX = 50, 200
ID_CHARS_MAX = 128
# Blend takes two to five pictures, describe one; an imagine prompt may be led by a few.
IMAGE_COUNT_MAX = 5

# Control characters in names would reach logs and, as NUL, a PostgreSQL text column that refuses them.
_PLAIN = r"^[^\x00-\x1f\x7f]+\Z"
Ref: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=ID_CHARS_MAX, pattern=_PLAIN)]
ImageRef: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048, pattern=_PLAIN)]
Index: TypeAlias = Annotated[int, Meta(ge=1, le=4)]
Seq: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
PageLength: TypeAlias = Annotated[int, Meta(ge=1, le=JOBS_PAGE_LENGTH_MAX)]


# --- what a client sends ---


class Auth(msgspec.Struct, frozen=True, tag_field="type", tag="auth"):
    """The first frame of a connection that showed no key in its headers."""

    key: Annotated[str, Meta(min_length=1, max_length=512)]

    def __repr__(self) -> str:
        return "Auth(key=...)"


class Draw(msgspec.Struct, frozen=True, tag_field="type", tag="draw"):
    """Draw a prompt. The same `ref` with the same body is the same job (CONTRACT section 3)."""

    ref: Ref
    prompt: str = ""
    mode: Mode = "fast"
    kind: Kind = "imagine"
    images: Annotated[tuple[ImageRef, ...], Meta(max_length=IMAGE_COUNT_MAX)] = ()


class Act(msgspec.Struct, frozen=True, tag_field="type", tag="act"):
    """Do one of a finished job's `actions`: `index` is the picture's number in a grid.

    `images` holds the mask of `vary_region`, white where to draw anew; no other action takes one.
    """

    ref: Ref
    job: Id
    action: Id
    index: Index | None = None
    prompt: str | None = None
    images: Annotated[tuple[ImageRef, ...], Meta(max_length=IMAGE_COUNT_MAX)] = ()


class Cancel(msgspec.Struct, frozen=True, tag_field="type", tag="cancel"):
    """Cancels a queued job, or asks the bot to stop one that draws."""

    job: Id


class Jobs(msgspec.Struct, frozen=True, tag_field="type", tag="jobs"):
    """Asks for a page of the user's jobs, newest first; `before` is the `next` of the page before."""

    before: Id | None = None
    limit: PageLength = JOBS_PAGE_LENGTH


class Resume(msgspec.Struct, frozen=True, tag_field="type", tag="resume"):
    """Asks for the stored events after seq `after`."""

    after: Seq


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Answered by `pong`."""


ClientFrame: TypeAlias = Auth | Draw | Act | Cancel | Jobs | Resume | Ping
CLIENT_FRAMES: dict[str, type[ClientFrame]] = {
    "auth": Auth,
    "draw": Draw,
    "act": Act,
    "cancel": Cancel,
    "jobs": Jobs,
    "resume": Resume,
    "ping": Ping,
}


def about(frame: ClientFrame) -> tuple[str | None, str | None]:
    """(ref, job) of a refusal of this frame: what its client can tell it by."""
    return getattr(frame, "ref", None), frame.job if isinstance(frame, Cancel) else None


# --- values inside frames ---


class Quota(msgspec.Struct, frozen=True):
    """The day's quota: pictures allowed, pictures used, and when the day ends for this plan."""

    daily: int
    used: int
    resets_at: str


class Picture(msgspec.Struct, frozen=True):
    """A kept picture; `url` and `thumb` are paths or URLs on Limner, sizes in pixels and bytes."""

    id: str
    url: str
    thumb: str
    width: int
    height: int
    bytes: int


class Action(msgspec.Struct, frozen=True):
    """What can be done with a finished job; `index` is null for what concerns the whole of it."""

    action: str
    index: int | None
    label: str


class HistoryEntry(msgspec.Struct, frozen=True):
    """A state the job was in, and since when."""

    state: str
    at: str


class Job(msgspec.Struct, frozen=True):
    """A job as users see it (CONTRACT section 4)."""

    job: str
    ref: str | None
    status: State
    kind: str
    prompt: str | None
    mode: str
    position: int | None = None
    eta_s: float | None = None
    percent: int | None = None
    images: tuple[Picture, ...] = ()
    actions: tuple[Action, ...] = ()
    code: str | None = None
    message: str | None = None
    charged: bool = False
    created_at: str | None = None
    finished_at: str | None = None
    parent: str | None = None
    history: tuple[HistoryEntry, ...] = ()


# --- what the server sends ---


class Welcome(msgspec.Struct, frozen=True, tag_field="type", tag="welcome"):
    """The first frame after authentication; `seq` is the user's latest stored event."""

    user: str
    plan: str
    quota: Quota
    seq: int
    server: str


class Accepted(msgspec.Struct, frozen=True, tag_field="type", tag="accepted"):
    """The job is durably stored."""

    seq: int
    ref: str | None
    job: str
    position: int | None
    eta_s: float | None


class Queued(msgspec.Struct, frozen=True, tag_field="type", tag="queued"):
    """The job's place changed; `seq` repeats the latest, it is not replayed."""

    seq: int
    job: str
    position: int
    eta_s: float | None


class Started(msgspec.Struct, frozen=True, tag_field="type", tag="started"):
    """The drawing bot has taken the job."""

    seq: int
    job: str


class Progress(msgspec.Struct, frozen=True, tag_field="type", tag="progress"):
    """How far the drawing is; `preview` is the URL of a rough picture. Not replayed, may be coalesced."""

    seq: int
    job: str
    percent: int
    preview: str | None = None


class Done(msgspec.Struct, frozen=True, tag_field="type", tag="done"):
    """The pictures are kept; `seconds` since the job was submitted, `text` for describe and shorten."""

    seq: int
    job: str
    images: tuple[Picture, ...]
    actions: tuple[Action, ...]
    seconds: float
    text: str | None = None


class Failed(msgspec.Struct, frozen=True, tag_field="type", tag="failed"):
    """The job ended without a picture; `charged` says whether it still counts."""

    seq: int
    job: str
    code: str
    message: str
    charged: bool


class Cancelled(msgspec.Struct, frozen=True, tag_field="type", tag="cancelled"):
    """The job was cancelled; `charged` says whether it still counts."""

    seq: int
    job: str
    code: str
    message: str
    charged: bool


class Error(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """A refusal: nothing was stored. `ref` names the order that it refuses, `job` the job of a refused `cancel`."""

    code: str
    message: str
    ref: str | None = None
    job: str | None = None


class Notice(msgspec.Struct, frozen=True, tag_field="type", tag="notice"):
    """Something every client should hear: `draining`, `quota_reset`, ..."""

    kind: str
    message: str


class JobsPage(msgspec.Struct, frozen=True, tag_field="type", tag="jobs"):
    """A page of jobs; `next` is the `before` of the next page, null at the end."""

    jobs: tuple[Job, ...]
    next: str | None = None


class Resumed(msgspec.Struct, frozen=True, tag_field="type", tag="resumed"):
    """All missed stored events up to `seq` were sent."""

    seq: int


class Reset(msgspec.Struct, frozen=True, tag_field="type", tag="reset"):
    """The missed events cannot be replayed: ask for `jobs`, go on from `seq`."""

    seq: int


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to `ping`."""


ServerFrame: TypeAlias = (
    Welcome
    | Accepted
    | Queued
    | Started
    | Progress
    | Done
    | Failed
    | Cancelled
    | Error
    | Notice
    | JobsPage
    | Resumed
    | Reset
    | Pong
)
TERMINAL_FRAMES = (Done, Failed, Cancelled)

# --- why a connection ends: the codes of its close frame (4000 and up are ours, the others of RFC 6455) ---

CLOSE_ABNORMAL = 1006  # never sent: it ended without a close frame
CLOSE_RESTARTING = 1012
CLOSE_LATER = 1013
CLOSE_BAD_FRAMES = 4400
CLOSE_UNAUTHENTICATED = 4401
