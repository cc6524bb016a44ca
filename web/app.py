"""The web app: every route on one port, and the server that carries it on the running loop.

uvicorn and Starlette carry HTTP; WebSockets leave them at the upgrade, for the plain protocol of web/sockets.py.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from actors.process import Process
from protocol.frames import CLOSE_RESTARTING
from web import api, operators, pages, streams
from web.exchange import Desk, Tell
from web.problems import HANDLERS, broken
from web.sockets import Switchboard
from web.visitor import networks

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
KEEP_ALIVE_S = 30
GOODBYE_S = 3
BACKLOG = 4096
#: From a connection's opening, or a request's first byte, to the end of its headers.
HEAD_S_MAX = 15.0


class Manners:
    """Around every route: security headers on each answer, and a problem document instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as fault:  # a route's mistake must not end the connection without a word
            response = broken(scope["path"], scope["method"], fault)
            if not begun:
                await response(scope, receive, send_with_headers)


def make_app(process: Process, tell: Tell) -> Starlette:
    """The HTTP side; `tell(name, message)` reaches the actors. Raises ValueError on a wrong `trusted_proxies`."""
    app = Starlette(
        routes=[*operators.ROUTES, *api.ROUTES, *streams.ROUTES, *pages.ROUTES],
        middleware=[Middleware(Manners)],
        exception_handlers=dict(HANDLERS),
    )
    app.state.desk = Desk(process, tell)
    app.state.trusted = networks(process.config.server.trusted_proxies)
    app.state.static = pages.read_static()
    return app


class PromptHttp(HttpToolsProtocol):
    """uvicorn's, for peers that say their request promptly: who drips headers would hold a socket for ever."""

    head_s = HEAD_S_MAX

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        """A connection opens. Instead of uvicorn's own: that asks the transport for its socket, which uvloop then keeps
        with both of its names, 0.4 KB a connection that becomes a WebSocket."""
        self.connections.add(self)
        self.transport, self.flow = transport, FlowControl(transport)
        self.client, self.server = (endpoint(transport, name) for name in ("peername", "sockname"))
        self.scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._overdue = self.loop.call_later(self.head_s, transport.close)

    def on_message_begin(self) -> None:
        """A request begins, on a fresh connection or one kept alive."""
        self._overdue.cancel()
        self._overdue = self.loop.call_later(self.head_s, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers are here."""
        self._overdue.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._overdue.cancel()
        super().connection_lost(exc)


def endpoint(transport: asyncio.Transport, name: str) -> tuple[str, int] | None:
    """Host and port of one end; None where it has none (a Unix socket)."""
    address = transport.get_extra_info(name)
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None


class Server(uvicorn.Server):
    """uvicorn on a loop that is not its own: it handles no signals, and ends when `should_exit` is set."""

    def __init__(self, config: uvicorn.Config, switchboard: Switchboard) -> None:
        super().__init__(config)
        self.switchboard = switchboard

    async def carry(self, listener: socket.socket) -> None:
        """Serves until `should_exit`, then says goodbye within GOODBYE_S."""
        self.switchboard.start()
        try:
            await self._serve([listener])  # `serve` without its signal handlers, which are runtime's
        finally:
            self.switchboard.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """WebSockets first: uvicorn waits for connections to end, and these would not by themselves."""
        self.switchboard.close_all(CLOSE_RESTARTING, "the service is stopping")
        await super().shutdown(sockets)


def make_server(process: Process, tell: Tell) -> Server:
    """The server, not yet listening."""
    app = make_app(process, tell)
    desk: Desk = app.state.desk
    switchboard = Switchboard(desk, app.state.trusted)
    server = process.config.server
    settings: dict[str, Any] = {"ssl_certfile": server.tls_cert, "ssl_keyfile": server.tls_key}
    config = uvicorn.Config(
        app,
        http=PromptHttp,
        ws=switchboard.protocol_class(),
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GOODBYE_S,
        **(settings if server.tls_cert else {}),
    )
    return Server(config, switchboard)


async def serve(process: Process, tell: Tell, listener: socket.socket) -> None:
    """Serves on an already bound socket until cancelled; for a gentle end make_server and set `should_exit`."""
    await make_server(process, tell).carry(listener)
