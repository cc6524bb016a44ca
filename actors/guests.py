"""Guests: what the Gate remembers of sockets and keys. Plain values and small tables; the Gate decides with them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from protocol.api import CancelJob, Instruct, KeepUpload, LogInOperator, PlaceJob, Question, ShowOperator
from protocol.client import Act, Cancel, ClientFrame, Draw
from storage.operations import KeyHolder

KNOWN_KEYS_MAX = 4096
#: How long a key is believed without asking again: a revoked one works at most this much longer.
KNOWN_KEY_S = 5.0

BANNED = "This user may do nothing here any more; ask the operator."
ROLE_READS, ROLE_ADMIN = "viewer", "admin"
READING_VERBS = frozenset({"list", "show"})


class Standing(Enum):
    """How far a socket has come."""

    KEYLESS = "keyless"  # open, and the first frame must be `auth`
    CHECKING = "checking"  # its key is being looked up
    KNOWN = "known"  # it speaks for a user
    LEAVING = "leaving"  # told to go; what it still says is not heard


@dataclass(slots=True)
class Guest:
    """One WebSocket."""

    socket: str
    standing: Standing = Standing.KEYLESS
    digest: bytes = b""  # of its key; as text it would be twice as long
    user: str = ""
    role: str = ""
    welcomed: bool = False


@dataclass(slots=True)
class Caller:
    """One HTTP request whose key is being looked up."""

    socket: str
    remote: str
    digest: str
    question: Question


class KeyCache:
    """Holders of keys by digest, each for KNOWN_KEY_S, at most KNOWN_KEYS_MAX. Digests only: no key is kept."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[KeyHolder, float]] = OrderedDict()

    def get(self, digest: str, now: float) -> KeyHolder | None:
        """The holder, if asked for recently enough."""
        holder, until = self._known.get(digest, (None, 0.0))
        return holder if now < until else None

    def put(self, digest: str, holder: KeyHolder, now: float) -> None:
        """Believe this for a while; the oldest entry makes room."""
        self._known[digest] = (holder, now + KNOWN_KEY_S)
        self._known.move_to_end(digest)
        if len(self._known) > KNOWN_KEYS_MAX:
            self._known.popitem(last=False)

    def drop(self, digest: str) -> None:
        """Ask again next time."""
        self._known.pop(digest, None)

    def drop_user(self, user: str) -> None:
        """Ask again for all keys of this user."""
        for digest in [digest for digest, (holder, _) in self._known.items() if holder.user == user]:
            del self._known[digest]


def digest_of(key: str) -> str:
    """What a key is stored and looked up as: keys are random and long, so a plain SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def may_do(role: str, wish: ClientFrame | Question) -> bool:
    """Whether a key of this role may ask for this: a viewer only reads, and instructions are for viewers and admins."""
    if isinstance(wish, Instruct):
        return role == ROLE_ADMIN or (role == ROLE_READS and wish.verb in READING_VERBS)
    if isinstance(wish, LogInOperator | ShowOperator):
        return role in (ROLE_ADMIN, ROLE_READS)
    if isinstance(wish, Draw | Act | Cancel | PlaceJob | CancelJob | KeepUpload):
        return role != ROLE_READS
    return True
