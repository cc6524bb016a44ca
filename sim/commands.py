"""Commands: the drawing bot's slash commands with their ids and versions, and the checking of their use."""

from __future__ import annotations

from typing import Any

import msgspec

from sim.errors import Refusal, invalid_form, unknown
from sim.identity import DRAWING_BOT, DRAWING_BOT_ID, user_object

SUB_COMMAND, TEXT, ATTACHMENT = 1, 3, 11
FIRST_VERSION = 1_237_876_415_471_554_600


class Option(msgspec.Struct, frozen=True):
    name: str
    type: int = TEXT
    required: bool = False


class Command(msgspec.Struct, frozen=True):
    id: str
    name: str
    description: str
    options: tuple[Option, ...] = ()


IMAGES = tuple(Option(f"image{n}", ATTACHMENT, required=n <= 2) for n in range(1, 6))
COMMANDS = {
    command.id: command
    for command in (
        Command("938956540159881230", "imagine", "Create images with Midjourney", (Option("prompt", required=True),)),
        Command(
            "1092492867185950852",
            "describe",
            "Writes a prompt based on your image.",
            (Option("image", ATTACHMENT), Option("link")),
        ),
        Command("1062880104792997970", "blend", "Blend images together seamlessly!", (*IMAGES, Option("dimensions"))),
        Command(
            "1121575372539039774", "shorten", "Analyzes and shortens a prompt.", (Option("prompt", required=True),)
        ),
        Command(
            "1169435442328911902", "show", "Shows the job view based on job id.", (Option("job_id", required=True),)
        ),
        Command("972289487818334209", "info", "View information about your profile."),
        Command("972289487818334212", "fast", "Switch to fast mode"),
        Command("972289487818334213", "relax", "Switch to relax mode"),
        Command("1124132684143271996", "turbo", "Switch to turbo mode"),
        Command("1000850743479255081", "settings", "View and adjust your personal settings."),
        Command("984273800587776053", "prefer", "Change your preferences", (Option("remix", SUB_COMMAND),)),
    )
}


class CommandBook:
    """Knows the current versions; `renew` makes every client's knowledge of them stale."""

    def __init__(self) -> None:
        self.edition = 0

    def renew(self) -> None:
        self.edition += 1

    def version(self, command: Command) -> str:
        place = list(COMMANDS).index(command.id)
        return str(FIRST_VERSION + place + 100 * self.edition)

    def index(self) -> dict[str, Any]:
        """The body of `GET /guilds/{id}/application-command-index`."""
        return {
            "applications": [
                {
                    "id": DRAWING_BOT_ID,
                    "name": DRAWING_BOT.name,
                    "icon": None,
                    "description": "",
                    "bot_id": DRAWING_BOT_ID,
                    "bot": user_object(DRAWING_BOT),
                    "flags": 0,
                }
            ],
            "application_commands": [self.shown(command) for command in COMMANDS.values()],
            "version": self.version(next(iter(COMMANDS.values()))),
        }

    def shown(self, command: Command) -> dict[str, Any]:
        return {
            "id": command.id,
            "type": 1,
            "application_id": DRAWING_BOT_ID,
            "version": self.version(command),
            "name": command.name,
            "description": command.description,
            "dm_permission": True,
            "contexts": [0, 1, 2],
            "integration_types": [0, 1],
            "options": [
                {"type": option.type, "name": option.name, "description": option.name, "required": option.required}
                for option in command.options
            ],
        }

    def check(self, data: dict[str, Any]) -> tuple[Command, dict[str, Any]]:
        """The command that `data` of an interaction names, and its option values by name.

        Raises Refusal: unknown id, stale version (50035, INTERACTION_APPLICATION_COMMAND_INVALID_VERSION),
        options that are missing, unknown or of another type.
        """
        command = COMMANDS.get(str(data.get("id")))
        if command is None:
            raise unknown("Application Command")
        if str(data.get("version")) != self.version(command) or data.get("name") != command.name:
            raise invalid_form(
                "data",
                code="INTERACTION_APPLICATION_COMMAND_INVALID_VERSION",
                message="This command is outdated, please try again in a few minutes",
            )
        return command, self.read_options(command, data.get("options", []))

    def read_options(self, command: Command, given: Any) -> dict[str, Any]:
        if not isinstance(given, list) or not all(isinstance(option, dict) for option in given):
            raise bad_options("LIST_TYPE_CONVERT", "Only iterables may be used in a list")
        known = {option.name: option for option in command.options}
        values = {str(option.get("name")): option.get("value") for option in given}
        for option in given:
            match = known.get(str(option.get("name")))
            if match is None or option.get("type") != match.type:
                raise bad_options("APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "Unknown option or wrong type")
            if match.type == TEXT and not isinstance(option.get("value"), str):
                raise bad_options("APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "Value must be a string")
        if any(option.type == SUB_COMMAND for option in known.values()) and len(values) != 1:
            raise bad_options("APPLICATION_COMMAND_OPTIONS_REQUIRED_MISSING", "A sub-command is required")
        for name, option in known.items():
            if option.required and name not in values:
                raise bad_options("APPLICATION_COMMAND_OPTIONS_REQUIRED_MISSING", f"Option {name} is required")
        return values


def whole_name(command: Command, values: dict[str, Any]) -> str:
    """The command's name with that of the sub-command that was used."""
    used = [option.name for option in command.options if option.type == SUB_COMMAND and option.name in values]
    return " ".join((command.name, *used))


def bad_options(code: str, message: str) -> Refusal:
    return invalid_form("data", "options", code=code, message=message)
