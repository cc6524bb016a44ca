"""What is said to the Store and by it (the actor is in store.py)."""

from __future__ import annotations

from storage.operations import Found, Read, Write, Written
from system.message import Message


class Commit(Message, frozen=True):
    """Apply this write once; answered by Committed after the transaction is on disk. `again`: it may have been done."""

    op_id: str
    reply_to: str
    write: Write
    again: bool = False


class Committed(Message, frozen=True):
    """The write is durable (or was refused or stale, durably so)."""

    op_id: str
    outcome: Written


class NotCommitted(Message, frozen=True):
    """The database would not take it now (locked, full, gone). Nothing changed; send it again after a while.

    Also said of a Lookup (`op_id` is its id) that the database did not answer.
    """

    op_id: str
    why: str


class Lookup(Message, frozen=True):
    """Read something; answered by LookedUp, or by NotCommitted when the database cannot be read. `first`: before what
    others read (Shell.tell_first)."""

    lookup_id: str
    reply_to: str
    read: Read
    first: bool = False


class LookedUp(Message, frozen=True):
    """What was found."""

    lookup_id: str
    found: Found


class StoreTroubled(Message, frozen=True):
    """To the monitor: the database refuses since now. `code` is one of storage.database.StoreTrouble's."""

    code: str
    message: str


class StoreWell(Message, frozen=True):
    """To the monitor: the database takes writes (again)."""
