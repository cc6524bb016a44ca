"""Applications: the bots' own slash commands: registered over REST, shown to users in the command index (IN, RF).

A bot's application has the id of its bot user. Commands are global or a guild's; a bulk overwrite keeps the ids of
those whose name and type it names again, and a changed command has a new version.
"""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from sim.compose import map_of, read_request
from sim.errors import invalid_form, json_response, missing_access, unknown
from sim.identity import Account, user_object
from sim.parts import Parts
from sim.routes import Route, found

COMMANDS_MAX = 100  # of a kind and place
CHAT_INPUT, USER, MESSAGE = 1, 2, 3
NAME = re.compile(r"[-_'\w]{1,32}")
DESCRIPTION_LENGTH_MAX = 100
GLOBAL = ""
# What a command has when its maker says nothing of it.
BLANK: dict[str, Any] = {
    "type": CHAT_INPUT,
    "description": "",
    "name_localizations": None,
    "description_localizations": None,
    "default_member_permissions": None,
    "dm_permission": True,
    "contexts": None,
    "integration_types": [0],
    "nsfw": False,
}
GIVEN = (*BLANK, "name", "options", "handler")

Command = dict[str, Any]


class Applications:
    """All registered commands, by application and guild (GLOBAL: in every guild)."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.commands: dict[tuple[str, str], dict[str, Command]] = {}
        for _, command in parts.store.load("commands", dict[str, Any]):
            self.of(command["application_id"], command.get("guild_id", GLOBAL))[command["id"]] = command

    def routes(self) -> list[Route]:
        routes = []
        for base in ("/applications/{application}/commands", "/applications/{application}/guilds/{guild}/commands"):
            routes += [
                Route("GET", base, "commands", self.list_commands),
                Route("PUT", base, "commands", self.put_commands),
                Route("POST", base, "commands", self.post_command),
                Route("GET", base + "/{command}", "commands", self.get_command),
                Route("PATCH", base + "/{command}", "commands", self.patch_command),
                Route("DELETE", base + "/{command}", "commands", self.delete_command),
            ]
        return routes

    def of(self, application_id: str, guild_id: str) -> dict[str, Command]:
        return self.commands.setdefault((application_id, guild_id), {})

    def find(self, application_id: str, command_id: str) -> Command:
        """A command that can be used in the guild. Raises Refusal 10063."""
        for guild_id in (self.parts.identity.guild_id, GLOBAL):
            command = self.of(application_id, guild_id).get(command_id)
            if command is not None:
                return command
        raise unknown("Application Command")

    def index(self) -> tuple[list[dict[str, Any]], list[Command]]:
        """Applications that have commands, and these commands, as the command index lists them."""
        shown: list[dict[str, Any]] = []
        commands: list[Command] = []
        for (application_id, _), own in self.commands.items():
            bot = self.parts.people.applications.get(application_id)
            if bot is not None and own:
                commands += own.values()
                shown.append(listed(bot))
        return shown, commands

    # -- routes ----------------------------------------------------------------------------------------------------

    def place(self, request: web.Request, account: Account) -> dict[str, Command]:
        """The commands that the path speaks of. Raises Refusal for another's application, or an unknown guild."""
        guild_id = request.match_info.get("guild", GLOBAL)
        if request.match_info["application"] != account.id or not account.bot:
            raise missing_access()
        if guild_id not in (GLOBAL, self.parts.identity.guild_id):
            raise unknown("Guild")
        return self.of(account.id, guild_id)

    async def list_commands(self, request: web.Request, account: Account) -> web.Response:
        return json_response(list(self.place(request, account).values()))

    async def get_command(self, request: web.Request, account: Account) -> web.Response:
        own = self.place(request, account)
        return json_response(found(own.get(request.match_info["command"]), unknown("Application Command")))

    async def put_commands(self, request: web.Request, account: Account) -> web.Response:
        """Bulk overwrite."""
        own = self.place(request, account)
        body, _ = await read_request(request)
        if not isinstance(body, list) or len(body) > COMMANDS_MAX:
            raise invalid_form(code="BASE_TYPE_BAD_LENGTH", message="Must be between 0 and 100 in length.")
        wanted = [self.made(map_of(given), request, account, own) for given in body]
        with self.parts.store:
            for command_id in own.keys() - {command["id"] for command in wanted}:
                self.forget(own, command_id)
            for command in wanted:
                self.keep(own, command)
        return json_response(wanted)

    async def post_command(self, request: web.Request, account: Account) -> web.Response:
        """Add one; 201, or 200 when it takes the place of one of the same name."""
        own = self.place(request, account)
        body, _ = await read_request(request)
        command = self.made(map_of(body), request, account, own)
        status = 200 if command["id"] in own else 201
        self.keep(own, command)
        return json_response(command, status)

    async def patch_command(self, request: web.Request, account: Account) -> web.Response:
        own = self.place(request, account)
        old = found(own.get(request.match_info["command"]), unknown("Application Command"))
        body, _ = await read_request(request)
        changed = {key: value for key, value in map_of(body).items() if key in GIVEN}
        command = self.made(old | changed, request, account, {}) | {"id": old["id"]}
        self.keep(own, command)
        return json_response(command)

    async def delete_command(self, request: web.Request, account: Account) -> web.Response:
        own = self.place(request, account)
        command = found(own.get(request.match_info["command"]), unknown("Application Command"))
        self.forget(own, command["id"])
        return web.Response(status=204)

    # -- making ----------------------------------------------------------------------------------------------------

    def made(self, given: Command, request: web.Request, account: Account, own: dict[str, Command]) -> Command:
        """The whole command of what its maker says; the same as before when nothing is new."""
        command = BLANK | {key: given[key] for key in GIVEN if key in given}
        check(command)
        guild_id = request.match_info.get("guild")
        command |= {"application_id": account.id} | ({"guild_id": guild_id} if guild_id else {})
        same = (one for one in own.values() if (one["name"], one["type"]) == (command["name"], command["type"]))
        old = next(same, None)
        if old is not None and command | {"id": old["id"], "version": old["version"]} == old:
            return old
        command_id = old["id"] if old is not None else self.parts.snowflakes.next()
        return command | {"id": command_id, "version": self.parts.snowflakes.next()}

    def keep(self, own: dict[str, Command], command: Command) -> None:
        own[command["id"]] = command
        self.parts.store.put("commands", command["id"].zfill(20), command)

    def forget(self, own: dict[str, Command], command_id: str) -> None:
        del own[command_id]
        self.parts.store.drop("commands", command_id.zfill(20))


def check(command: Command) -> None:
    """Raises Refusal 50035 for a name, description or type that Discord does not take."""
    name, description, kind = command.get("name"), command["description"], command["type"]
    if kind not in (CHAT_INPUT, USER, MESSAGE):
        raise invalid_form("type", code="BASE_TYPE_CHOICES", message="Value must be one of {1, 2, 3}.")
    if not isinstance(name, str) or not 1 <= len(name) <= 32:
        raise invalid_form("name", code="BASE_TYPE_BAD_LENGTH", message="Must be between 1 and 32 in length.")
    if kind == CHAT_INPUT and (not NAME.fullmatch(name) or name != name.lower()):
        raise invalid_form("name", code="APPLICATION_COMMAND_INVALID_NAME", message="Command name is invalid")
    lowest = 1 if kind == CHAT_INPUT else 0
    if not isinstance(description, str) or not lowest <= len(description) <= DESCRIPTION_LENGTH_MAX:
        raise invalid_form("description", code="BASE_TYPE_BAD_LENGTH", message="Must be between 1 and 100 in length.")


def listed(bot: Account) -> dict[str, Any]:
    """An application as the command index shows it."""
    return {
        "id": bot.id,
        "name": bot.name,
        "icon": None,
        "description": "",
        "bot_id": bot.id,
        "bot": user_object(bot),
        "flags": 0,
    }
