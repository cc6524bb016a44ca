"""Where each account's Discord gateway session can be resumed from."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from storage.operations import Applied, GatewayRecord, Nothing, ReadGateway, SaveGateway
from storage.statements import given
from storage.tables import gateways

_READ = select(gateways.c.account, gateways.c.session_id, gateways.c.seq, gateways.c.resume_url).where(
    gateways.c.account == given("account")
)
_UPDATE = (
    update(gateways)
    .where(gateways.c.account == given("account"))
    .values(session_id=given("session_id"), seq=given("seq"), resume_url=given("resume_url"), at=given("at"))
    .returning(gateways.c.account)
)
_INSERT = insert(gateways)
_DELETE = delete(gateways).where(gateways.c.account == given("account"))


def save_gateway(connection: Connection, write: SaveGateway) -> Applied:
    """See SaveGateway. Raises ValueError for a session without its seq or URL: it could not be resumed."""
    if write.session_id is None:
        connection.execute(_DELETE, {"given_account": write.account})
        return Applied()
    if write.seq is None or write.resume_url is None:
        raise ValueError("a gateway session is saved with its seq and resume_url")
    row = {
        "account": write.account,
        "session_id": write.session_id,
        "seq": write.seq,
        "resume_url": write.resume_url,
        "at": write.at,
    }
    known = connection.execute(_UPDATE, {f"given_{name}": value for name, value in row.items()}).one_or_none()
    if known is None:
        connection.execute(_INSERT, row)
    return Applied()


def read_gateway(connection: Connection, read: ReadGateway) -> GatewayRecord | Nothing:
    """See ReadGateway."""
    row = connection.execute(_READ, {"given_account": read.account}).one_or_none()
    return GatewayRecord(*row) if row is not None else Nothing()
