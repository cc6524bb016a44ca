"""The reference of bench/sockets.py: an echo server by the websockets library's own asyncio server. Prints its port."""

from __future__ import annotations

import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, serve

from bench.files import raise_file_limit


async def echo(connection: ServerConnection) -> None:
    """Says what it hears."""
    async for message in connection:
        await connection.send(message)


async def main() -> None:
    """Serves until it is killed."""
    async with serve(echo, "127.0.0.1", 0, compression=None, backlog=4096) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
