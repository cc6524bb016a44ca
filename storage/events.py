"""Stored events: what a user's clients hear of and can have replayed, each with the user's next seq (CONTRACT §3)."""

from __future__ import annotations

from collections.abc import Callable

from protocol.client import MSGPACK, Accepted, Action, Cancelled, Done, Failed, Picture, Started, encode
from storage.operations import ImageRecord, JobRecord
from storage.statements import Statement, insertion
from storage.tables import events
from storage.writing import Writing

StoredFrame = Accepted | Started | Done | Failed | Cancelled

_INSERT = Statement(insertion(events))


def store_event(writing: Writing, user: str, job: str, frame_of: Callable[[int], StoredFrame]) -> int:
    """Takes the user's next seq and stores the frame made with it, in the transaction of what it tells. The seq."""
    seq = writing.next_seq(user)
    frame = frame_of(seq)
    kind, body = str(frame.__struct_config__.tag), encode(frame, MSGPACK)
    writing.later(_INSERT, user=user, seq=seq, job=job, type=kind, frame=body)
    return seq


def terminal_frame(job: JobRecord, seq: int) -> Done | Failed | Cancelled:
    """The last event of a job that has just ended; `job` holds its images.

    `seconds` of a drawing count from its submission: the wait before it is the queue's, not the drawing's.
    """
    if job.state == "done":
        finished = job.finished_at or job.created_at
        return Done(
            seq=seq,
            job=job.id,
            images=tuple(picture_of(image) for image in job.images),
            actions=tuple(Action(offer.action, offer.index, offer.label) for offer in job.offers),
            seconds=max(0.0, finished - (job.submitted_at or job.created_at)),
            text=job.text,
        )
    if job.state == "cancelled":
        return Cancelled(seq, job.id, job.code or "cancelled", job.message or "The job was cancelled.", job.charged)
    return Failed(seq, job.id, job.code or "internal", job.message or "Something broke on our side.", job.charged)


def picture_of(image: ImageRecord) -> Picture:
    """A kept picture as users see it (CONTRACT §4)."""
    url = f"/images/{image.id}"
    return Picture(image.id, url, f"{url}/thumb", image.width, image.height, image.bytes)
