"""What is stored of a job, as frozen values. Times are Unix seconds (float); all ids are strings."""

from __future__ import annotations

from msgspec import Struct

from protocol.drawing_text import Offer as Offer


class ImageRecord(Struct, frozen=True):
    """One kept picture."""

    id: str
    job: str
    user: str
    index: int
    path: str
    thumb_path: str
    width: int
    height: int
    bytes: int
    sha256: str
    media_type: str


class Moment(Struct, frozen=True):
    """One entry of a job's history."""

    state: str
    at: float


class JobRecord(Struct, frozen=True):
    """One job as stored. `attempt` counts grants; what the bot told us is of the latest attempt.

    An act has `affinity` (the account that drew its parent, where it must be drawn too) and the button it presses:
    `press_custom_id` on message `press_message_id`. `plan` is the user's plan at acceptance. `undecided_at`: since when
    nobody knows whether the latest attempt was taken; `cut_off`: when its POST had certainly been cut off, by a clock
    that cannot be set (core.reconcile.stamp); `cancel_asked_at`: when the user asked the bot to stop.
    """

    id: str
    user: str
    plan: str
    ref: str | None
    state: str
    kind: str
    prompt: str
    mode: str
    images_in: tuple[str, ...]
    action: str | None
    index: int | None
    parent: str | None
    affinity: str | None
    press_message_id: str | None
    press_custom_id: str | None
    attempt: int
    account: str | None
    nonce: str | None
    lease: str | None
    gateway_session: str | None
    interaction_id: str | None
    start_message_id: str | None
    message_id: str | None
    job_hash: str | None
    picture_url: str | None
    offers: tuple[Offer, ...]
    code: str | None
    message: str | None
    text: str | None
    charged: bool
    created_at: float
    submitted_at: float | None
    started_at: float | None
    finished_at: float | None
    undecided_at: float | None = None
    cut_off: str | None = None
    cancel_asked_at: float | None = None
    images: tuple[ImageRecord, ...] = ()
    history: tuple[Moment, ...] = ()

    @property
    def has_images(self) -> bool:
        """Whether pictures are given."""
        return bool(self.images_in)
