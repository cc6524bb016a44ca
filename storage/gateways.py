"""Where each account's Discord gateway session can be resumed from, who may begin one, and who is suspended."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import delete, select, update

from protocol.identifies import DAY_S, StartLimit, identify_wait_s
from storage.connection import Connection
from storage.operations import (
    Applied,
    ClaimIdentify,
    GatewayRecord,
    IdentifyClaim,
    Nothing,
    ReadGateway,
    ReadSuspension,
    SaveGateway,
    SaveSuspension,
    SuspensionRecord,
)
from storage.statements import Statement, given, insertion
from storage.tables import gateways, identifies, suspensions
from storage.writing import Writing

_READ = Statement(
    select(gateways.c.account, gateways.c.session_id, gateways.c.seq, gateways.c.resume_url).where(
        gateways.c.account == given("account")
    )
)
_UPDATE = Statement(
    update(gateways)
    .where(gateways.c.account == given("account"))
    .values(session_id=given("session_id"), seq=given("seq"), resume_url=given("resume_url"), at=given("at"))
    .returning(gateways.c.account)
)
_INSERT = Statement(insertion(gateways))
_DELETE = Statement(delete(gateways).where(gateways.c.account == given("account")))
_SUSPENSION = Statement(
    select(suspensions.c.account, suspensions.c.reason, suspensions.c.at, suspensions.c.cause).where(
        suspensions.c.account == given("account")
    )
)
_SUSPEND = Statement(insertion(suspensions))
_LIFT = Statement(delete(suspensions).where(suspensions.c.account == given("account")))
_IDENTIFIED = Statement(select(identifies.c.at).where(identifies.c.application == given("application")))
_IDENTIFY = Statement(insertion(identifies))
_FORGET = Statement(
    delete(identifies).where(identifies.c.application == given("application"), identifies.c.at < given("before"))
)


def save_gateway(writing: Writing, write: SaveGateway) -> Applied:
    """See SaveGateway. Raises ValueError for a session without its seq or URL: it could not be resumed."""
    if write.session_id is None:
        _DELETE.run(writing.connection, account=write.account)
        return Applied()
    if write.seq is None or write.resume_url is None:
        raise ValueError("a gateway session is saved with its seq and resume_url")
    saved = asdict(write)
    if _UPDATE.one(writing.connection, **saved) is None:
        _INSERT.run(writing.connection, **saved)
    return Applied()


def read_gateway(connection: Connection, read: ReadGateway) -> GatewayRecord | Nothing:
    """See ReadGateway."""
    row = _READ.one(connection, account=read.account)
    return GatewayRecord(*row) if row is not None else Nothing()


def claim_identify(writing: Writing, write: ClaimIdentify) -> IdentifyClaim:
    """See ClaimIdentify. The rule is protocol.identifies; what it counts outlives the process, and is all hosts'."""
    past = [at for (at,) in _IDENTIFIED.all(writing.connection, application=write.application)]
    told = write.remaining is not None and write.reset_after_s is not None
    limit = StartLimit(write.remaining or 0, write.reset_after_s or 0.0) if told else None
    wait_s = identify_wait_s(past, write.at, limit)
    if wait_s <= 0 and write.at not in past:
        _FORGET.run(writing.connection, application=write.application, before=write.at - DAY_S)
        _IDENTIFY.run(writing.connection, application=write.application, at=write.at)
    return IdentifyClaim(wait_s)


def save_suspension(writing: Writing, write: SaveSuspension) -> Applied:
    """See SaveSuspension."""
    _LIFT.run(writing.connection, account=write.account)
    if write.reason is not None:
        _SUSPEND.run(writing.connection, **asdict(write))
    return Applied()


def read_suspension(connection: Connection, read: ReadSuspension) -> SuspensionRecord | Nothing:
    """See ReadSuspension."""
    row = _SUSPENSION.one(connection, account=read.account)
    return SuspensionRecord(*row) if row is not None else Nothing()
