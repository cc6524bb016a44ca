"""The audit trail, and the switches that operators set."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import delete, select

from storage.connection import Connection
from storage.operations import Applied, Stale
from storage.overseeing import (
    AddAudit,
    AuditRow,
    AuditRows,
    PruneAudit,
    ReadAudit,
    ReadSwitch,
    SaveSwitch,
    SwitchFound,
)
from storage.rows import LIMIT
from storage.statements import Statement, given, insertion
from storage.tables import audit, switches
from storage.writing import Writing

#: An id that no trail reaches.
EVER = 2**62

_INSERT = Statement(
    insertion(audit, *(column.name for column in audit.columns if column.name != "id")),
)
_PAGE = Statement(
    select(*(audit.c[name] for name in AuditRow.__struct_fields__))
    .where(audit.c.id < given("before"))
    .order_by(audit.c.id.desc())
    .limit(LIMIT)
)
#: The entry after the last one that is kept.
_FIRST_TO_GO = (
    select(audit.c.id)
    .where(audit.c.refused == given("refused"))
    .order_by(audit.c.id.desc())
    .offset(given("kept"))
    .limit(1)
)
_TOO_MANY = Statement(
    delete(audit).where(
        audit.c.id.in_(
            select(audit.c.id)
            .where(audit.c.refused == given("refused"), audit.c.id <= _FIRST_TO_GO.scalar_subquery())
            .order_by(audit.c.id)
            .limit(LIMIT)
        )
    )
)
_IS_ON = Statement(select(switches.c.switch).where(switches.c.switch == given("switch")))
_SET = Statement(insertion(switches))
_UNSET = Statement(delete(switches).where(switches.c.switch == given("switch")))


def add_audit(writing: Writing, write: AddAudit) -> Applied:
    """See AddAudit."""
    _INSERT.run(writing.connection, **asdict(write))
    return Applied()


def prune_audit(writing: Writing, write: PruneAudit) -> Applied | Stale:
    """See PruneAudit."""
    gone = sum(
        _TOO_MANY.run(writing.connection, refused=refused, kept=kept, limit=write.limit)
        for refused, kept in ((False, write.changes), (True, write.refusals))
    )
    return Applied() if gone else Stale()


def read_audit(connection: Connection, read: ReadAudit) -> AuditRows:
    """See ReadAudit; one more is read to know whether there is a next page."""
    before = EVER if read.before is None else read.before
    rows = [AuditRow(*row) for row in _PAGE.all(connection, before=before, limit=read.limit + 1)]
    page = tuple(rows[: read.limit])
    return AuditRows(page, page[-1].id if len(rows) > read.limit else None)


def save_switch(writing: Writing, write: SaveSwitch) -> Applied | Stale:
    """See SaveSwitch. A switch that is on has a row."""
    is_on = _IS_ON.one(writing.connection, switch=write.switch) is not None
    if is_on == write.on:
        return Stale()
    if write.on:
        _SET.run(writing.connection, switch=write.switch, at=write.at)
    else:
        _UNSET.run(writing.connection, switch=write.switch)
    return Applied()


def read_switch(connection: Connection, read: ReadSwitch) -> SwitchFound:
    """See ReadSwitch."""
    return SwitchFound(_IS_ON.one(connection, switch=read.switch) is not None)
