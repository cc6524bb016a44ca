"""Store: the one door to the database, with group commit.

Takes   Commit, Lookup
Sends   Committed, NotCommitted, LookedUp -> whoever asked (reply_to)
Crash   nothing acknowledged is lost: what was not answered is sent again by its asker under the same op_id
"""

from __future__ import annotations

from storage.operations import Found, Read, Write, Written
from system.message import Message


class Commit(Message, frozen=True):
    """Apply this write once; answered by Committed after the transaction is on disk."""

    op_id: str
    reply_to: str
    write: Write


class Committed(Message, frozen=True):
    """The write is durable (or was refused or stale, durably so)."""

    op_id: str
    outcome: Written


class NotCommitted(Message, frozen=True):
    """The database would not take it now (locked, full, gone). Nothing changed; send it again after a while."""

    op_id: str
    why: str


class Lookup(Message, frozen=True):
    """Read something; answered by LookedUp."""

    lookup_id: str
    reply_to: str
    read: Read


class LookedUp(Message, frozen=True):
    """What was found."""

    lookup_id: str
    found: Found
