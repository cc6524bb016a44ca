"""House: the daemon's web stack and its actors without Discord, over a database with as many users as a load needs.

`python -m bench.house DATABASE_URL [discord]` serves it until killed, and prints its port. With `discord` it holds the
links that a daemon with accounts has, though nobody uses them. The database was migrated by who filled it, as at every
start of a daemon but its first.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from actors.gate import Gate
from actors.guests import digest_of
from actors.lobby import Lobby
from actors.monitor.actor import Monitor
from actors.process import Process
from actors.queue.actor import Queue
from actors.scheduler import Scheduler
from actors.shell import Start
from actors.store import Store
from actors.supervisor import Child, Supervisor
from bench.files import raise_file_limit
from core.config import Config, Limits
from storage.database import migrate, open_database
from storage.groups import Operation, commit_group
from storage.operations import AddKey, AddUser
from storage.pictures import MemoryPictures
from system.links import Links
from system.loop_base import run_on
from web.app import make_server

GROUP = 500
NOBODY_COUNTS = 1_000_000_000


class Landlord(Supervisor):
    """Everything between a socket and the store."""

    CHILDREN = (
        Child("monitor", Monitor),
        Child("store", Store),
        Child("queue", Queue),
        Child("scheduler", Scheduler),
        Child("lobby", Lobby),
        Child("gate", Gate),
    )


async def open_house(database: str, ready: Callable[[int], None], links: Links | None = None) -> None:
    """Serves for ever on a port that `ready` is told once everybody is at work."""
    limits = Limits(sockets_per_ip=NOBODY_COUNTS, frames_per_min=NOBODY_COUNTS)
    process = Process(
        config=Config(limits=limits),
        data=Path(),
        links=links,  # type: ignore[arg-type]  # nobody here speaks to Discord
        pictures=MemoryPictures(),
        pool=ThreadPoolExecutor(1),
        database=database,
    )
    base = run_on(asyncio.get_running_loop(), process=process)
    base.tell(base.create(Landlord), Start("root"))
    server = make_server(process, base.tell)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    asyncio.get_running_loop().call_later(1.0, ready, listener.getsockname()[1])
    await server.carry(listener)


def key_of_user(number: int) -> str:
    """Every user has one key."""
    return f"key-of-user-{number}"


def populate(url: str, users: int) -> None:
    """Stores the users and their keys, in groups."""
    database = open_database(url)
    try:
        migrate(database)
        now = time.time()
        writes: list[AddUser | AddKey] = []
        for number in range(users):
            writes.append(AddUser(f"u{number}", f"user-{number}", "free", False, now))
            digest = digest_of(key_of_user(number))
            writes.append(AddKey(f"k{number}", f"u{number}", digest, "user", False, None, now))
        operations = [Operation(f"populate-{number}", write) for number, write in enumerate(writes)]
        for begin in range(0, len(operations), GROUP):
            commit_group(database, operations[begin : begin + GROUP], now)
    finally:
        database.close()


def real_links() -> Links:
    """Ready to speak to Discord."""
    from system.discord_links import DiscordLinks  # 9 MB, which the house without them does not have

    return DiscordLinks(Config().discord.api)


def told(port: int) -> None:
    """The child's one word to its parent."""
    gc.collect()
    print(port, flush=True)


if __name__ == "__main__":
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(open_house(sys.argv[1], told, real_links() if "discord" in sys.argv[2:] else None))
