"""A bot of an application of its own, written from the documents, and a user who asks it."""

from __future__ import annotations

from typing import Any

from tests.sim.player import Player, World, play

COMMANDS = [
    {"name": "ping", "description": "d"},
    {
        "name": "take",
        "description": "d",
        "options": [
            {"type": 4, "name": "count", "description": "d", "required": True},
            {"type": 3, "name": "kind", "description": "d", "choices": [{"name": "A", "value": "a"}]},
        ],
    },
]


class Shop:
    """A bot that answers only when a test says so, and a user who asks it."""

    def __init__(self, world: World, user: Player) -> None:
        self.world = world
        self.user = user
        self.token = world.where["bot_tokens"][0]
        self.bot = Player(world, {"token": f"Bot {self.token}", "channel_id": world.where["channel_id"]}, "?v=10")

    async def open(self) -> None:
        await self.bot.connect()
        await self.bot.send(2, {"token": self.token, "intents": 1 << 9 | 1 << 15, "properties": {}})
        self.id = (await self.bot.event("READY"))["application"]["id"]
        _, self.commands = await self.bot.call("PUT", f"/applications/{self.id}/commands", COMMANDS)

    async def use(self, name: str, *options: dict[str, Any]) -> dict[str, Any]:
        """The interaction as the bot hears it."""
        assert (await self.ask(name, *options))[0] == 204
        return await self.bot.event("INTERACTION_CREATE")

    async def ask(self, name: str, *options: dict[str, Any]) -> tuple[int, Any]:
        command = next(command for command in self.commands if command["name"] == name)
        data = {key: command[key] for key in ("id", "name", "version")} | {"options": list(options)}
        place = {"application_id": self.id, "channel_id": self.world.where["channel_id"]}
        status, body, _ = await self.user.interact({"type": 2, "data": data} | place)
        return status, body

    async def answer(self, asked: dict[str, Any], kind: int, data: Any = None) -> tuple[int, Any]:
        path = f"/interactions/{asked['id']}/{asked['token']}/callback"
        return await self.bot.call("POST", path, {"type": kind, "data": data or {}})


def served(scenario: Any, **options: Any) -> None:
    async def whole(world: World) -> None:
        async with world.player() as user:
            shop = Shop(world, user)
            await shop.open()
            try:
                await scenario(shop)
            finally:
                await shop.bot.socket.close(code=4000)

    play(whole, **options)
