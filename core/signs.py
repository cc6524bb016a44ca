"""What the correlator (core/correlate.py) takes and gives, as values: signs, drawings, findings."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

import msgspec


class Stage(Enum):
    """What a message says of a drawing."""

    TRACED = "traced"  # the interaction was taken; no message yet
    WAITING = "waiting"
    PROGRESS = "progress"
    FINISHED = "finished"
    REFUSED = "refused"
    STOPPED = "stopped"
    DELETED = "deleted"


ENDINGS = frozenset({Stage.FINISHED, Stage.REFUSED, Stage.STOPPED})


class Kind(Enum):
    """What a drawing's result looks like: a picture, a numbered one out of a grid, or a text."""

    PICTURE = "picture"
    NUMBERED = "numbered"
    TEXT = "text"


class Sign(msgspec.Struct, frozen=True):
    """One observation: the links it shows (absent is None), and `parcel`, which is handed back untouched.

    `posted_at` is unix seconds of the message; `percent` 0-100; `is_text` marks a result without a picture.
    """

    stage: Stage
    message_id: str | None = None
    nonce: str | None = None
    interaction_id: str | None = None
    hash: str | None = None
    reference_id: str | None = None
    image_number: int | None = None
    percent: int | None = None
    is_text: bool = False
    posted_at: float | None = None
    parcel: Any = None


class Drawing(msgspec.Struct, frozen=True):
    """An attempt under way and the links known of it; its nonce is unique.

    `submitted_at` is unix seconds, by Discord's clock as soon as an id of its tells; `taken` means there is evidence
    that Discord has it; `doubtful` that there may never be any (the POST went unanswered, or we restarted meanwhile).
    `form_nonce` is of the answer to a form that its press may open, which then is the drawing.
    """

    job_id: str
    attempt: int
    nonce: str
    kind: Kind = Kind.PICTURE
    parent_message_id: str | None = None
    parent_index: int | None = None
    message_id: str | None = None
    interaction_id: str | None = None
    hash: str | None = None
    submitted_at: float | None = None
    taken: bool = False
    doubtful: bool = False
    gone: bool = False
    percent: int = -1
    form_nonce: str | None = None


class Took(msgspec.Struct, frozen=True):
    """First evidence that Discord took the interaction; once a drawing."""

    job_id: str
    attempt: int
    interaction_id: str | None


class Began(msgspec.Struct, frozen=True):
    """The start message is known; once a drawing."""

    job_id: str
    attempt: int
    message_id: str
    interaction_id: str | None


class Moved(msgspec.Struct, frozen=True):
    """It went on: `percent` grew, or its hash became known."""

    job_id: str
    attempt: int
    percent: int
    hash: str | None
    sign: Sign


class Ended(msgspec.Struct, frozen=True):
    """A result, a refusal or a stop that is certainly this drawing's; once, and the drawing is no longer open."""

    job_id: str
    attempt: int
    sign: Sign


class Late(msgspec.Struct, frozen=True):
    """A result of a drawing that was closed or had ended: for the record only."""

    job_id: str
    attempt: int
    sign: Sign


class Held(msgspec.Struct, frozen=True):
    """A result that may be any of `candidates` (job ids): it waits for evidence."""

    sign: Sign
    candidates: tuple[str, ...]


class Unclaimed(msgspec.Struct, frozen=True):
    """A result or refusal that is no drawing's of ours, or whose evidence never came."""

    sign: Sign


Finding: TypeAlias = Took | Began | Moved | Ended | Late | Held | Unclaimed
