"""A stage for strangers: `limner sim` as a process, and a guest, who is the user that presses and types."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.daemon import LIMNER, ROOT, environment
from tests.sim.player import Player, World

PATIENCE_S = 15.0  # for one thing to happen on a busy machine


@contextmanager
def limner_sim(*options: str) -> Iterator[dict[str, Any]]:
    """A real simulator on a free port; what its one line says."""
    command = [*LIMNER, "sim", "--pictures", "canned", "--seconds", "1", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class Stage:
    """One event loop, on which strangers live over several tests; it stands still between them."""

    def __init__(self, where: dict[str, Any]) -> None:
        self.where = where
        self.runner = asyncio.Runner()

    def play(self, scene: Callable[[World, Player], Awaitable[None]]) -> None:
        """Run a scene with a guest: the first account of the simulator, freshly connected."""

        async def whole() -> None:
            async with World.of(self.where) as world, world.player() as guest:
                await scene(world, guest)

        self.runner.run(asyncio.wait_for(whole(), 60))


def command_of(index: dict[str, Any], application_id: str, name: str) -> dict[str, Any]:
    """A bot's command in the command index, as a user's client finds it."""
    return next(
        command
        for command in index["application_commands"]
        if (command["application_id"], command["name"]) == (application_id, name)
    )


async def use(guest: Player, application_id: str, name: str, *options: dict[str, Any], **more: Any) -> str:
    """The guest uses a bot's slash command in the common channel; the nonce."""
    _, index = await guest.call("GET", f"/guilds/{guest.world.where['guild_id']}/application-command-index")
    command = command_of(index, application_id, name)
    data = {"id": command["id"], "name": name, "version": command["version"], "type": command["type"]}
    return await ask(guest, application_id, 2, data | {"options": list(options)} | more)


async def ask(guest: Player, application_id: str, kind: int, data: dict[str, Any], **more: Any) -> str:
    """The guest's client sends an interaction to a bot; the nonce."""
    place = {"application_id": application_id, "channel_id": guest.world.where["channel_id"]}
    status, body, nonce = await guest.interact({"type": kind, "data": data} | place | more)
    assert (status, body) == (204, None)
    return nonce


async def press(guest: Player, message: dict[str, Any], custom_id: str, **more: Any) -> str:
    """The guest presses a component under a bot's message; the nonce."""
    data = {"component_type": 2, "custom_id": custom_id} | more
    flags = {"message_id": message["id"], "message_flags": message["flags"]}
    return await ask(guest, message["author"]["id"], 3, data, **flags)
