"""Resolve: the options of another bot's command, checked by its registration, and the things that they name (IN)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.commands import bad_options
from sim.messages import Attachment
from sim.parts import Parts
from sim.welcome import Greeter, everyone_role, member_object

GROUPS = (1, 2)  # SUB_COMMAND, SUB_COMMAND_GROUP
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
VALUES: dict[int, tuple[type, ...]] = {
    STRING: (str,),
    INTEGER: (int,),
    BOOLEAN: (bool,),
    NUMBER: (int, float),
}
MESSAGE_MENU = 3


def typed_options(
    command: dict[str, Any], given: Any, uploads: dict[str, Attachment], *, partial: bool
) -> list[dict[str, Any]]:
    """The options as the bot hears of them. `partial`: some are still to be typed (autocomplete).

    Raises Refusal 50035: unknown, missing, or of another type.
    """
    if not isinstance(given, list) or not all(isinstance(option, dict) for option in given):
        raise bad_options("LIST_TYPE_CONVERT", "Only iterables may be used in a list")
    known = {option["name"]: option for option in command.get("options") or []}
    typed = []
    for option in given:
        match = known.get(str(option.get("name")))
        if match is None or option.get("type") != match["type"]:
            raise bad_options("APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "Unknown option or wrong type")
        shown = {"name": match["name"], "type": match["type"]}
        if match["type"] in GROUPS:
            shown["options"] = typed_options(match, option.get("options") or [], uploads, partial=partial)
        else:
            shown["value"] = value_of(match, option.get("value"), uploads, partial=partial)
        if partial and option.get("focused"):
            shown["focused"] = True
        typed.append(shown)
    missing = [name for name, option in known.items() if option.get("required") and name not in names(typed)]
    if missing and not partial:
        raise bad_options("APPLICATION_COMMAND_OPTIONS_REQUIRED_MISSING", f"Option {missing[0]} is required")
    return typed


def names(options: list[dict[str, Any]]) -> set[str]:
    return {option["name"] for option in options}


def value_of(match: dict[str, Any], value: Any, uploads: dict[str, Attachment], *, partial: bool) -> Any:
    kind = match["type"]
    if kind == ATTACHMENT:
        if str(value) not in uploads:
            raise bad_options("ATTACHMENT_NOT_FOUND", "No such attachment")
        return uploads[str(value)].id
    if kind not in VALUES or partial:
        return str(value) if not isinstance(value, bool | int | float) else value
    fits = isinstance(value, VALUES[kind]) and (kind == BOOLEAN or not isinstance(value, bool))
    choices = [choice["value"] for choice in match.get("choices") or []]
    if not fits or (choices and value not in choices):
        raise bad_options("APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "Value is of another type, or no choice")
    return value


def resolved(
    parts: Parts, greeter: Greeter, data: dict[str, Any], uploads: dict[str, Attachment], channel_id: str
) -> dict[str, Any]:
    """`resolved`: the objects that the options, or the target of a context menu, name by id."""
    found: dict[str, Any] = {}
    for kind, value in named(data):
        place, things = look_up(parts, greeter, kind, value, uploads, channel_id)
        if things is None:
            raise bad_options("APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "There is no such thing")
        found.setdefault(place, {})[value] = things
        if place == "users":
            member = member_object(parts.people.by_id[value])
            hidden = ("user", "deaf", "mute")
            shown = {key: value for key, value in member.items() if key not in hidden}
            found.setdefault("members", {})[value] = shown | {"permissions": str((1 << 50) - 1)}
    return found


def named(data: dict[str, Any]) -> Iterator[tuple[int | str, str]]:
    """What is named: the type of the option, and the id."""
    if "target_id" in data:
        yield ("message" if data["type"] == MESSAGE_MENU else USER), data["target_id"]
    waiting = list(data.get("options") or [])
    while waiting:
        option = waiting.pop()
        waiting += option.get("options") or []
        if option["type"] in (USER, CHANNEL, ROLE, MENTIONABLE, ATTACHMENT):
            yield option["type"], str(option["value"])


def look_up(
    parts: Parts, greeter: Greeter, kind: int | str, value: str, uploads: dict[str, Attachment], channel_id: str
) -> tuple[str, dict[str, Any] | None]:
    """Where in `resolved` it belongs, and the object; None when there is none."""
    if kind == "message":
        message = parts.channels.get(channel_id, value)
        return "messages", parts.renderer.message(message) if message is not None else None
    if kind == CHANNEL:
        known = parts.people.channel_exists(value)
        return "channels", greeter.channel(value) | {"permissions": "0"} if known else None
    if kind == ATTACHMENT:
        attachment = next(one for one in uploads.values() if one.id == value)
        return "attachments", parts.renderer.attachment(attachment)
    if kind == ROLE or (kind == MENTIONABLE and value == parts.identity.guild_id):
        role = everyone_role(parts.identity.guild_id)
        return "roles", role if value == parts.identity.guild_id else None
    return "users", dict(parts.people.shown[value]) if value in parts.people.by_id else None
