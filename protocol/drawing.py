"""What is said to the drawing bot: interaction bodies, with command ids and versions learnt from Discord.

The grammar of what comes back is `protocol.drawing_text` (tables) and `protocol.drawing_events` (observations). A body
carries the nonce that was stored before it is sent; the nonce is the only name a drawing has until its first message.
The one that carries none is a painted region's (`region`): it is no interaction, and named by the press before it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from protocol import rest
from protocol.drawing_events import CanvasAsked, Observation, Observer
from protocol.drawing_text import SEED_EMOJI, Offer

__all__ = ["Command", "MissingCommand", "Observation", "Observer", "Offer", "Place", "Upload"]

MIDJOURNEY_APPLICATION_ID = "936929561302675456"
NIJI_APPLICATION_ID = "1022952195194359889"
COMMAND, COMPONENT, MODAL = 2, 3, 5
STRING, ATTACHMENT = 3, 11
BLEND_IMAGE_COUNT_MAX = 5
# A user's own mode flag would draw in a mode that was not granted. Phones make one long dash of two short ones.
_MODE_FLAG = re.compile(r"(?<!\S)(?:--|—|–)(?:fast|relax|turbo)(?!\S)", re.I)
_ASPECT_FLAG = re.compile(r"(?<!\S)(?:--|—|–)(?:ar|aspect)\s+(\d+:\d+)(?!\S)", re.I)
#: Where the bot's own page, on which a region is painted, sends what was painted; on the application's own host.
REGION_PATH = "/inpaint/api/submit-job"
_CANVAS_PREFIX = "MJ::iframe::"


class Place(msgspec.Struct, frozen=True):
    """Where an interaction is made. `session_id` is the gateway session's."""

    application_id: str
    guild_id: str
    channel_id: str
    session_id: str

    def __repr__(self) -> str:
        return f"Place(channel_id={self.channel_id!r})"


class Command(msgspec.Struct, frozen=True):
    """A slash command as the guild knows it now; a body with another version is refused (code 50035)."""

    id: str
    version: str
    name: str
    application_id: str


class Upload(msgspec.Struct, frozen=True):
    """A picture that was put into an upload slot."""

    filename: str
    uploaded_filename: str


class MissingCommand(Exception):
    """The guild's command index does not hold the command: the bot is not there, or renamed it."""


def learn_commands(index: Any, application_id: str) -> dict[str, Command]:
    """The bot's commands by name, from the answer to `rest.get_command_index`; what is malformed is left out."""
    found: dict[str, Command] = {}
    entries = index.get("application_commands") if isinstance(index, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        try:
            command = msgspec.convert(entry, Command)
        except msgspec.ValidationError:
            continue
        if command.application_id == application_id:
            found[command.name] = command
    return found


def imagine_prompt(prompt: str, mode: str, image_urls: tuple[str, ...] = ()) -> str:
    """The prompt as sent: pictures first, then the words on one line, then the mode that was granted."""
    words = " ".join(_MODE_FLAG.sub(" ", prompt).split())
    return " ".join((*image_urls, words, f"--{mode}"))


def imagine(place: Place, commands: Mapping[str, Command], nonce: str, prompt: str) -> dict[str, Any]:
    """`/imagine prompt`. Raises `MissingCommand`, as the other commands do."""
    return _command(place, commands, nonce, "imagine", [_string("prompt", prompt)])


def shorten(place: Place, commands: Mapping[str, Command], nonce: str, prompt: str) -> dict[str, Any]:
    return _command(place, commands, nonce, "shorten", [_string("prompt", prompt)])


def describe(place: Place, commands: Mapping[str, Command], nonce: str, upload: Upload) -> dict[str, Any]:
    return _command(place, commands, nonce, "describe", [_attachment("image", 0)], (upload,))


def blend(
    place: Place, commands: Mapping[str, Command], nonce: str, uploads: tuple[Upload, ...], prompt: str = ""
) -> dict[str, Any]:
    """`/blend` of two to five uploads. It takes no prompt, but dimensions, which the prompt may tell: `--ar 2:3`."""
    assert 2 <= len(uploads) <= BLEND_IMAGE_COUNT_MAX, "blend takes two to five pictures"
    options = [_attachment(f"image{number + 1}", number) for number in range(len(uploads))]
    if (aspect := _ASPECT_FLAG.search(prompt)) is not None:
        options.append(_string("dimensions", f"--ar {aspect[1]}"))
    return _command(place, commands, nonce, "blend", options, uploads)


def show(place: Place, commands: Mapping[str, Command], nonce: str, job_hash: str) -> dict[str, Any]:
    """`/show job_id`: the result of the account's own job once more, under a message of its own."""
    return _command(place, commands, nonce, "show", [_string("job_id", job_hash)])


def press(place: Place, nonce: str, message_id: str, custom_id: str, flags: int = 0) -> dict[str, Any]:
    """A press of a button: upscale, variation, reroll, cancel. `flags` are those of the message."""
    data = {"component_type": 2, "custom_id": custom_id}
    return _body(place, COMPONENT, nonce, data) | {"message_id": message_id, "message_flags": flags}


def modal(place: Place, nonce: str, modal_id: str, custom_id: str, field_id: str, value: str) -> dict[str, Any]:
    """The answer to a `ModalAsked`: its one field filled with `value`."""
    row = {"type": 1, "components": [{"type": 4, "custom_id": field_id, "value": value}]}
    return _body(place, MODAL, nonce, {"id": modal_id, "custom_id": custom_id, "components": [row]})


def region(canvas: CanvasAsked, mask: bytes, prompt: str) -> dict[str, Any]:
    """What the page of a `CanvasAsked` sends to REGION_PATH: `mask` is a picture, white where to draw anew.

    It goes to the bot's application, not to Discord: it holds no token, and the page's custom id is all that names it.
    """
    return {
        "customId": canvas.custom_id.removeprefix(_CANVAS_PREFIX),
        "mask": base64.b64encode(mask).decode(),
        "prompt": prompt,
        "full_prompt": None,
        "userId": "0",
        "username": "0",
    }


def ask_seed(channel_id: str, message_id: str) -> rest.Request:
    """The reaction to a result that the bot answers with its seed. One that is there already asks nothing anew."""
    return _reaction("PUT", channel_id, message_id)


def unask_seed(channel_id: str, message_id: str) -> rest.Request:
    """Takes the reaction back; 404 where there is none."""
    return _reaction("DELETE", channel_id, message_id)


def _reaction(method: str, channel_id: str, message_id: str) -> rest.Request:
    path = f"/channels/{channel_id}/messages/{message_id}/reactions/{quote(SEED_EMOJI)}/@me"
    return rest.Request(method, path, f"{method} /channels/{{channel}}/messages/{{message}}/reactions", channel_id)


def _command(
    place: Place,
    commands: Mapping[str, Command],
    nonce: str,
    name: str,
    options: list[dict[str, Any]],
    uploads: tuple[Upload, ...] = (),
) -> dict[str, Any]:
    command = commands.get(name)
    if command is None:
        raise MissingCommand(name)
    data = {
        "version": command.version,
        "id": command.id,
        "name": command.name,
        "type": 1,
        "options": options,
        "attachments": [
            {"id": str(number), "filename": upload.filename, "uploaded_filename": upload.uploaded_filename}
            for number, upload in enumerate(uploads)
        ],
    }
    return _body(place, COMMAND, nonce, data)


def _body(place: Place, kind: int, nonce: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "application_id": place.application_id,
        "guild_id": place.guild_id,
        "channel_id": place.channel_id,
        "session_id": place.session_id,
        "nonce": nonce,
        "data": data,
    }


def _string(name: str, value: str) -> dict[str, Any]:
    return {"type": STRING, "name": name, "value": value}


def _attachment(name: str, number: int) -> dict[str, Any]:
    return {"type": ATTACHMENT, "name": name, "value": number}
