"""`limner draw`: one drawing through a running daemon, by WebSocket, from the prompt to a file on disk.

A connection that dies is made again: the same `ref` finds the job that was asked for, `resume` what happened meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from console.endings import FAILED, INTERRUPTED, NO_CONNECTION, REFUSED, USAGE, Quit
from console.progress import Line
from console.reach import Daemon, call, fetch, no_connection
from console.show import as_json
from protocol.client import (
    JSON,
    MSGPACK,
    Accepted,
    Cancelled,
    ClientFrame,
    Done,
    Draw,
    Error,
    Failed,
    Notice,
    Picture,
    Progress,
    Queued,
    Reset,
    Resume,
    ServerFrame,
    Started,
    Welcome,
    decode_server,
    encode,
)
from protocol.frames import CLOSE_UNAUTHENTICATED

FRAME_BYTES_MAX = 16 << 20
CONNECT_S_MAX = 10.0
#: How long a daemon that was there may be away.
AWAY_S_MAX = 60.0
AGAIN_S_MIN, AGAIN_S_MAX = 0.25, 3.0
#: Refusals of a daemon that has just come back, or is about to go: it will take it later.
PASSING = frozenset({"draining", "rate_limited"})


class Away(Exception):
    """The daemon is there, but not for us just now."""


@dataclass
class Order:
    """What was asked for, and how far it is. `job` is known once accepted; `seq` is the last stored event heard."""

    draw: Draw
    job: str | None = None
    seq: int = 0
    connections: int = 0
    ended: Done | Failed | Cancelled | None = None


def draw(daemon: Daemon, prompt: str, mode: str, output: Path | None, to_json: bool) -> None:
    """Draws and saves; prints the path, or the job as one line. Raises Quit when it comes to anything else."""
    if not prompt.strip():
        raise Quit(USAGE, "the prompt is empty: say what to draw")
    check_output(output)
    order = Order(Draw(secrets.token_hex(16), prompt, mode))  # type: ignore[arg-type]  # the command checked the mode
    with Line(sys.stderr) as line:
        finished = asyncio.run(_watch(daemon, order, line))
    job_path = f"/api/v1/jobs/{quote(order.job or '', safe='')}"
    if not finished:
        raise Quit(INTERRUPTED, _cancel(daemon, job_path) if order.job else "interrupted; nothing was asked for yet")
    path = save(daemon, order.job or "", order.ended.images, output) if isinstance(order.ended, Done) else None
    if to_json:
        as_json(call(daemon, "GET", job_path))
    elif path is not None:
        print(path, flush=True)
    if isinstance(order.ended, Failed | Cancelled):
        code = FAILED if isinstance(order.ended, Failed) else REFUSED
        charged = "charged" if order.ended.charged else "not charged"
        raise Quit(code, f"{order.ended.code}: {order.ended.message} ({charged})")


def _cancel(daemon: Daemon, job_path: str) -> str:
    try:
        call(daemon, "DELETE", job_path)
    except Quit as why:
        return f"interrupted; it could not be cancelled: {why.message}"
    return "interrupted; asked to cancel the drawing"


# --- the file -----------------------------------------------------------------------------------------------------


def check_output(output: Path | None) -> None:
    """Before anything is charged: can the picture be saved there? Raises Quit."""
    folder = Path.cwd() if output is None else output if output.is_dir() else output.parent
    if not folder.is_dir():
        raise Quit(USAGE, f"there is no folder {folder}; make it, or choose another -o")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Quit(USAGE, f"cannot write to {folder}; choose another -o")


def save(daemon: Daemon, job: str, images: tuple[Picture, ...], output: Path | None) -> Path:
    """Fetches the picture and puts it into the file, all of it or nothing. Raises Quit."""
    if not images:
        raise Quit(FAILED, f"{job} is done, but has no picture")
    path = Path(f"limner-{job}.png") if output is None else output / f"limner-{job}.png" if output.is_dir() else output
    data = fetch(daemon, "GET", images[0].url)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Quit(USAGE, f"cannot save {path}: {error.strerror}; the picture is kept as {images[0].url}") from None
    return path


# --- the connection -----------------------------------------------------------------------------------------------


async def _watch(daemon: Daemon, order: Order, line: Line) -> bool:
    """Follows the drawing to its end; False after Ctrl-C. Raises Quit."""
    following = asyncio.ensure_future(_follow(daemon, order, line))
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, following.cancel)
    try:
        await following
    except asyncio.CancelledError:
        return False
    return True


async def _follow(daemon: Daemon, order: Order, line: Line) -> None:
    loop = asyncio.get_running_loop()
    away_since, wait_s = loop.time(), AGAIN_S_MIN
    while order.ended is None:
        connections = order.connections
        try:
            async with _connected(daemon) as wire:
                await _converse(wire, daemon, order, line)
        except InvalidStatus as refused:
            if connections == 0:
                raise _turned_away(daemon, refused.response.status_code) from None
        except (Away, ConnectionClosed, OSError, InvalidHandshake, EOFError) as broken:
            if isinstance(broken, ConnectionClosed) and broken.rcvd and broken.rcvd.code == CLOSE_UNAUTHENTICATED:
                raise Quit(REFUSED, f"unauthenticated: {broken.rcvd.reason or 'the key is not known'}") from None
            if order.connections == 0:
                raise no_connection(daemon, broken) from None
        if order.ended is not None:
            return
        if order.connections > connections:
            away_since, wait_s = loop.time(), AGAIN_S_MIN
        if loop.time() - away_since > AWAY_S_MAX:
            raise no_connection(daemon, "it went away; what it accepted goes on when it is back") from None
        line.say("reconnecting…")
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, AGAIN_S_MAX)


def _turned_away(daemon: Daemon, status: int) -> Quit:
    if status in (401, 403, 429, 503):
        return Quit(REFUSED, f"{daemon.url} refuses the connection (HTTP {status}); check --url and --key")
    return Quit(NO_CONNECTION, f"what answers at {daemon.url} is no limner (HTTP {status}); check --url")


@contextlib.asynccontextmanager
async def _connected(daemon: Daemon) -> AsyncIterator[ClientConnection]:
    url = daemon.url.replace("http", "ws", 1) + "/ws"
    async with connect(
        url,
        subprotocols=[MSGPACK],  # type: ignore[list-item]  # a NewType of str
        additional_headers={"Authorization": f"Bearer {daemon.key}"},
        open_timeout=CONNECT_S_MAX,
        max_size=FRAME_BYTES_MAX,
        proxy=None if daemon.is_near else True,
    ) as wire:
        yield wire


async def _converse(wire: ClientConnection, daemon: Daemon, order: Order, line: Line) -> None:
    """Says what we want, and hears until the drawing has ended. Raises ConnectionClosed, Quit."""
    async for data in wire:
        try:
            frame = decode_server(data, MSGPACK)
        except ValueError:
            continue  # a newer daemon's news
        for answer in _hear(frame, order, line):
            await _send(wire, answer)
        if isinstance(frame, Reset):
            _catch_up(await asyncio.to_thread(call, daemon, "GET", f"/api/v1/jobs/{quote(order.job or '')}"), order)
        if order.ended is not None:
            return
    raise Away("closed")


async def _send(wire: ClientConnection, frame: ClientFrame) -> None:
    await wire.send(encode(frame, MSGPACK))


def _hear(frame: ServerFrame, order: Order, line: Line) -> tuple[ClientFrame, ...]:
    """Takes a frame in; what to say to it. Raises Quit at a refusal."""
    match frame:
        case Welcome():
            order.connections += 1
            return (Resume(order.seq),) if order.job else (order.draw,)
        case Error(code=code, message=message):
            if code in PASSING and order.connections > 1:
                raise Away(message)
            raise Quit(FAILED if code == "internal" else REFUSED, f"{code}: {message}")
        case Accepted() if frame.ref == order.draw.ref:
            order.job, order.seq = frame.job, max(order.seq, frame.seq)
            line.wait(frame.position, frame.eta_s)
            # Accepted on an earlier connection that died before we heard it: more may have happened since.
            return (Resume(frame.seq),) if order.connections > 1 else ()
        case Queued() if frame.job == order.job:
            line.wait(frame.position, frame.eta_s)
        case Started() if frame.job == order.job:
            order.seq = max(order.seq, frame.seq)
            line.advance(0)
        case Progress() if frame.job == order.job:
            line.advance(frame.percent)
        case Done() | Failed() | Cancelled() if frame.job == order.job:
            order.ended = frame
        case Notice(kind="draining"):
            line.say("the service is stopping; the drawing goes on when it is back")
    return ()


def _catch_up(job: dict[str, object], order: Order) -> None:
    """The job as it is, in place of events that cannot be replayed any more."""
    found = {**job, "seq": order.seq, "seconds": 0.0, "type": job.get("status")}
    if job.get("status") in ("done", "failed", "cancelled"):
        ended = decode_server(json.dumps(found), JSON)
        if isinstance(ended, Done | Failed | Cancelled):
            order.ended = ended
