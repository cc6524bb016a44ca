"""What is not kept for ever: pictures of jobs that ended long ago, later these jobs, uploads of long ago, and all their
files, which wait to be deleted."""

from __future__ import annotations

from msgspec import Struct


class Forget(Struct, frozen=True, tag=True):
    """Forget jobs that ended before a moment (Unix s), with their history, attempts, refs, events and pictures.

    `limit` jobs are looked at, the oldest first (by acceptance), after job `after` (empty: from the first). One that
    another goes on from is kept as long as that one. A user's events are kept from one seq on: with a job's last event
    all go that are older. What is written of a user's quota goes when it is older still. Answers Forgotten.
    """

    ended_before: float
    after: str
    limit: int
    at: float


class ForgetPictures(Struct, frozen=True, tag=True):
    """Forget the pictures of jobs that ended before a moment (Unix s); the jobs stay.

    `limit` and `after` as in Forget, of jobs that have pictures yet. Answers Forgotten, which counts the jobs.
    """

    ended_before: float
    after: str
    limit: int
    at: float


class AddUpload(Struct, frozen=True, tag=True):
    """A user's picture is about to be kept under this path: noted first, so that no file is without a note.

    Answers Applied. The id tells when it was made.
    """

    upload: str
    user: str
    path: str
    at: float


class ForgetUploads(Struct, frozen=True, tag=True):
    """Forget uploads that were made before a moment (Unix s), save those that a job which has not ended is drawn from.

    `limit` and `after` as in Forget. Answers Forgotten.
    """

    made_before: float
    after: str
    limit: int
    at: float


class Forgotten(Struct, frozen=True, tag=True):
    """So many are gone; `next` is the `after` of the next slice, None when no other is old enough.

    Their files are discards now, until DropDiscards.
    """

    count: int
    next: str | None


class ReadDiscards(Struct, frozen=True, tag=True):
    """Files in the image store that are nobody's any more. Answers Discards."""

    limit: int


class Discards(Struct, frozen=True, tag=True):
    """Their paths."""

    paths: tuple[str, ...]


class DropDiscards(Struct, frozen=True, tag=True):
    """These files are deleted. Answers Applied, also a second time."""

    paths: tuple[str, ...]
    at: float


ForgettingWrite = AddUpload | ForgetUploads | Forget | ForgetPictures | DropDiscards
