"""Control: /_sim/*, by which tests look at the simulator and ask for trouble (CONTRACT §8)."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from sim.errors import json_response
from sim.faults import CLOSE, SUDDEN, Order, is_known, names
from sim.gateway import Connection, Gateway
from sim.ledger import PAGE_ROWS_MAX
from sim.parts import Parts
from sim.sessions import Line


class Control:
    """The four routes."""

    def __init__(self, parts: Parts, gateway: Gateway) -> None:
        self.parts = parts
        self.gateway = gateway

    async def ledger(self, request: web.Request) -> web.Response:
        after, limit = request.query.get("after", "0"), request.query.get("limit", "1000")
        if not after.isdecimal() or not limit.isdecimal():
            return json_response({"message": "after and limit are whole numbers"}, 400)
        return json_response(self.parts.ledger.page(int(after), min(int(limit), PAGE_ROWS_MAX)))

    async def stats(self, request: web.Request) -> web.Response:
        counts = self.parts.counts
        return json_response(
            {
                "sessions": len(self.parts.hub.lines),
                "connections": len(self.gateway.connections),
                "identifies": self.gateway.identifies,
                "resumes": self.gateway.resumes,
                "interactions": counts.interactions,
                "duplicates": self.parts.ledger.duplicates,
                "rate_limited": counts.rate_limited,
                "running": counts.running,
                "running_peak": counts.running_peak,
            }
        )

    async def pulse(self, request: web.Request) -> web.Response:
        """How clients came, and how late their heartbeats were, since the last time that was asked with `forget`."""
        pulse = self.gateway.pulse
        found = {"beats": pulse.beats, "late_s_max": pulse.late_s_max, "arrivals": list(pulse.arrivals)}
        if "forget" in request.query:
            pulse.forget()
        return json_response(found)

    async def config(self, request: web.Request) -> web.Response:
        """Change settings; answers all of them as they are now."""
        try:
            changed = self.parts.settings.changed(msgspec.json.decode(await request.read()))
        except msgspec.MsgspecError as error:
            return json_response({"message": str(error)}, 400)
        for name in changed.__struct_fields__:
            setattr(self.parts.settings, name, getattr(changed, name))
        return json_response(self.parts.settings)

    async def faults(self, request: web.Request) -> web.Response:
        """Arm or strike; answers {fault, struck} (how many live connections it struck at once)."""
        try:
            order = msgspec.json.decode(await request.read(), type=Order)
        except msgspec.MsgspecError as error:
            return json_response({"message": str(error), "faults": names()}, 400)
        if not is_known(order.fault):
            return json_response({"message": f"unknown fault {order.fault!r}", "faults": names()}, 400)
        account = self.parts.people.by_name.get(order.account or "")
        if order.account is not None and account is None:
            known = sorted(self.parts.people.by_name)
            return json_response({"message": f"unknown account {order.account!r}", "accounts": known}, 400)
        account_id = account.id if account is not None else None
        struck = 0
        if CLOSE.fullmatch(order.fault) or order.fault in SUDDEN:
            struck = self.strike(order.fault, account_id)
        if CLOSE.fullmatch(order.fault):
            self.arm_rest(order, account_id, struck)
        elif order.fault not in SUDDEN:
            self.parts.faults.arm(order, account_id)
        return json_response({"fault": order.fault, "struck": struck})

    def arm_rest(self, order: Order, account_id: str | None, struck: int) -> None:
        """What is left of a close_CODE's count waits for the next IDENTIFYs and RESUMEs."""
        left = (order.count or 1) - (1 if struck else 0)
        if left > 0 or order.seconds is not None:
            count = None if order.seconds is not None and order.count is None else left
            self.parts.faults.arm(msgspec.structs.replace(order, count=count), account_id)

    def strike(self, fault: str, account_id: str | None) -> int:
        connections = self.gateway.of_account(account_id)
        for connection in connections:
            if CLOSE.fullmatch(fault):
                connection.close(int(fault.removeprefix("close_")), "Fault asked for by a test.")
            else:
                STRIKES[fault](self, connection)
        return len(connections)

    def reconnect(self, connection: Connection) -> None:
        connection.ask_to_reconnect()

    def op1(self, connection: Connection) -> None:
        connection.put({"op": 1, "d": None})

    def invalid_true(self, connection: Connection) -> None:
        self.parts.hub.leave(*self.part(connection, resumable=True))

    def invalid_false(self, connection: Connection) -> None:
        self.parts.hub.end(self.part(connection, resumable=False)[0])

    def part(self, connection: Connection, *, resumable: bool) -> tuple[Line, Connection]:
        """Op 9: the connection has no session any more, and may resume or identify anew, as discord.js does on it."""
        line = connection.line
        assert line is not None  # it is struck only when it is identified
        connection.account = connection.line = None
        connection.put({"op": 9, "d": resumable})
        return line, connection

    def drop_all(self, connection: Connection) -> None:
        connection.cut()

    def unknown_events(self, connection: Connection) -> None:
        connection.put({"op": 99, "d": {"new": True}, "novel": [1]})
        if connection.line is not None:
            data: dict[str, Any] = {"of_a_kind": "that nobody knows", "nested": {"deep": [None]}}
            self.parts.hub.say(connection.line, "SOMETHING_NEW", data)


STRIKES = {
    "reconnect": Control.reconnect,
    "op1": Control.op1,
    "invalid_true": Control.invalid_true,
    "invalid_false": Control.invalid_false,
    "drop_all": Control.drop_all,
    "unknown_events": Control.unknown_events,
}
