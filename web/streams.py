"""Streams: a job's events as Server-Sent Events (CONTRACT §4), for clients without a WebSocket.

A stream is one more door: it comes in through the Gate like a WebSocket that says nothing but `resume`, and of all the
user's events lets those of one job through. With `Last-Event-ID` the missed ones come first; without it the job as it
is now comes first, as an event `job` without an id. The stream ends with the job.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from actors.gate import Arrived, Left, Spoken
from core.job import TERMINAL
from protocol.api import Answer, JobShown, ShowJob
from protocol.client import (
    TERMINAL_FRAMES,
    ClientMistake,
    Error,
    Notice,
    Reset,
    Resume,
    Resumed,
    ServerFrame,
    Welcome,
    to_map,
)
from web.exchange import Desk
from web.requests import desk_of, reader, remote_address

STREAM_TYPE = "text/event-stream"
#: Frames that wait for one reader; a slower one is ended, and comes back with Last-Event-ID.
WAITING_FRAMES_MAX = 500
#: A remark this often keeps proxies from ending a quiet stream, and shows us that the reader is gone.
REMARK_EACH_S = 15.0
SEQ_DIGITS_MAX = 18
#: What takes no seq is not replayed, so it carries no id: a client that comes back must not skip what does.
PASSING = frozenset({"queued", "progress", "notice", "reset"})


class Stream:
    """A Door (actors/process.py) that lets one job's frames through."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.frames: asyncio.Queue[ServerFrame | None] = asyncio.Queue(WAITING_FRAMES_MAX + 1)

    def send(self, words: ServerFrame | Answer) -> None:
        """Lets it through if it is of this job, or for everybody."""
        if getattr(words, "job", None) == self.job or isinstance(words, Welcome | Notice | Reset | Resumed | Error):
            if self.frames.qsize() >= WAITING_FRAMES_MAX:
                self.close(0, "too slow")
            else:
                self.frames.put_nowait(words)  # type: ignore[arg-type]  # a stream asks no questions

    def close(self, code: int, reason: str) -> None:
        """The end, after what waits."""
        if not self.frames.full():
            self.frames.put_nowait(None)

    async def next(self, limit_s: float) -> ServerFrame | None:
        """The next frame; None at the end. Raises TimeoutError after `limit_s`."""
        async with asyncio.timeout(limit_s):
            return await self.frames.get()


async def job_events(request: Request) -> Response:
    """GET /api/v1/jobs/{id}/events."""
    desk, key, remote = desk_of(request), reader(request).key, remote_address(request)
    job = request.path_params["job"]
    await desk.ask_for(JobShown, remote, key, ShowJob(job))  # refuses strangers, and jobs of others
    last = request.headers.get("last-event-id", "")
    if last and not (last.isascii() and last.isdigit() and len(last) <= SEQ_DIGITS_MAX):
        raise ClientMistake("bad_frame", "`Last-Event-ID` is the id of an event of this stream.")
    socket, stream = desk.new_socket(), Stream(job)
    desk.process.sockets[socket] = stream
    desk.tell("gate", Arrived(socket, remote, key))
    body = _told(desk, socket, stream, int(last) if last else None, remote, key)
    return StreamingResponse(body, headers={"Cache-Control": "no-store"}, media_type=STREAM_TYPE)


async def _told(
    desk: Desk, socket: str, stream: Stream, after: int | None, remote: str, key: str | None
) -> AsyncIterator[bytes]:
    """The stream's bytes; when it ends, in whatever way, its socket is gone."""
    try:
        welcome = await stream.next(desk.answer_s)
        if not isinstance(welcome, Welcome):
            return  # not let in after all: too many connections, or the key was revoked meanwhile
        if after is not None:
            desk.tell("gate", Spoken(socket, Resume(after)))
        ended = False
        if after is None or after >= welcome.seq:
            now = (await desk.ask_for(JobShown, remote, key, ShowJob(stream.job))).job
            ended = now.status in TERMINAL
            yield event_bytes("job", None, now)
        async for data in _frames(stream, ended):
            yield data
    except (TimeoutError, ClientMistake):
        return  # the client sees the end, and comes back with the last id
    finally:
        desk.process.sockets.pop(socket, None)
        desk.tell("gate", Left(socket))


async def _frames(stream: Stream, ended: bool) -> AsyncIterator[bytes]:
    while not ended:
        try:
            frame = await stream.next(REMARK_EACH_S)
        except TimeoutError:
            yield b": still here\n\n"
            continue
        if frame is None or isinstance(frame, Error):
            return
        if isinstance(frame, Resumed):
            continue
        ended = isinstance(frame, TERMINAL_FRAMES)
        kind = str(frame.__struct_config__.tag)
        yield event_bytes(kind, None if kind in PASSING else getattr(frame, "seq", None), frame)


def event_bytes(kind: str, seq: int | None, value: msgspec.Struct) -> bytes:
    """One event as the stream's text; JSON has no line break in it."""
    head = f"id: {seq}\n" if seq is not None else ""
    return f"{head}event: {kind}\ndata: ".encode() + msgspec.json.encode(to_map(value)) + b"\n\n"  # type: ignore[arg-type]


ROUTES = (Route("/api/v1/jobs/{job}/events", job_events, methods=["GET"]),)
