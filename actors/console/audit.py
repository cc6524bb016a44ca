"""What operators ask of the audit trail."""

from __future__ import annotations

import msgspec

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from protocol.client import ClientMistake, rfc3339
from storage.operations import Found
from storage.overseeing import AuditRows, ReadAudit


def listed(desk: Desk, asked: AskConsole) -> None:
    """The trail, newest first, with all that was asked before this."""
    limit, before = desk.limit(asked), desk.query(asked, "before")
    if before is not None and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise ClientMistake("bad_frame", "before is the `next` of the page before.")

    def found(page: Found) -> None:
        if not isinstance(page, AuditRows):
            raise TypeError(f"the store answered {type(page).__name__} to ReadAudit")
        rows = [msgspec.to_builtins(row) | {"at": rfc3339(row.at)} for row in page.rows]
        desk.answer(asked, {"audit": rows, "next": page.next})

    read = ReadAudit(int(before) if before is not None else None, limit)
    desk.trail.when_written(lambda: desk.store.lookup(read, found, desk.unread(asked)))


INSTRUCTIONS = {("audit", "list"): listed}
