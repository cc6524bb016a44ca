"""Messages: a channel's history and how Discord shows a message (ME in facts/discord.md).

Links are made when a message is shown, on CDN_HERE instead of a host: what is stored may outlive the port.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from sim.grammar import Buttons
from sim.identity import DRAWING_BOT_ID, People
from sim.store import Store
from sim.studio import Recipe

HISTORY_LENGTH_MAX = 1000  # of about 1 KiB each
MENTION = re.compile(r"<@(\d+)>")
EPHEMERAL = 1 << 6
LOADING = 1 << 7
REPLY, CHAT_INPUT_COMMAND, CONTEXT_MENU_COMMAND = 19, 20, 23
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5  # types of interaction
IN_EMBEDS = "attachment://"
UNFURLED = ("id", "url", "proxy_url", "width", "height", "content_type")


class Attachment(msgspec.Struct):
    """A file of a message: a picture by `recipe` (a preview of it at `percent`), or an uploaded file (no recipe)."""

    id: str
    channel_id: str
    filename: str
    content_type: str
    size: int
    width: int | None = None
    height: int | None = None
    recipe: Recipe | None = None
    percent: int | None = None
    description: str | None = None

    @property
    def path(self) -> str:
        return f"/attachments/{self.channel_id}/{self.id}/{self.filename}"


class Origin(msgspec.Struct):
    """The interaction a message answers.

    message_id    the message whose button was pressed
    response_id   the first answer, of which this message is a follow-up
    trigger_id    the interaction that opened the form whose sending this is
    """

    id: str
    user_id: str
    type: int
    name: str | None = None
    message_id: str | None = None
    response_id: str | None = None
    command_type: int = 1
    trigger_id: str | None = None


class Message(msgspec.Struct):
    """One message. `at` and `edited_at` are unix seconds; `reply_to` a message of the same channel.

    buttons     the drawing bot's components;  components  those that another bot sent
    mentioned   who is told so; None: everyone whom the content mentions
    reactions   by emoji, who reacted with it
    """

    id: str
    channel_id: str
    author_id: str
    at: float
    content: str = ""
    edited_at: float | None = None
    flags: int = 0
    attachments: list[Attachment] = []
    buttons: Buttons | None = None
    embeds: list[dict[str, Any]] = []
    origin: Origin | None = None
    reply_to: str | None = None
    components: list[dict[str, Any]] = []
    mentioned: list[str] | None = None
    reactions: dict[str, list[str]] = {}

    @property
    def type(self) -> int:
        """Discord's: 20 answers a slash command, 23 a command of a context menu, 19 replies, 0 is any other."""
        origin = self.origin
        if origin is not None and origin.type == COMMAND and origin.response_id is None:
            return CHAT_INPUT_COMMAND if origin.command_type == 1 else CONTEXT_MENU_COMMAND
        return REPLY if self.reply_to else 0


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def media_type(filename: str) -> str:
    known = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"}
    return known.get(filename.rpartition(".")[2].lower(), "application/octet-stream")


class Channels:
    """Every channel's newest HISTORY_LENGTH_MAX messages, in order of their ids."""

    def __init__(self, store: Store, forget: Callable[[Message], None]) -> None:
        self.store = store
        self.forget = forget
        self.messages: dict[str, dict[str, Message]] = {}
        for _, message in store.load("messages", Message):
            self.messages.setdefault(message.channel_id, {})[message.id] = message

    def keep(self, message: Message) -> None:
        """Add or replace; an ephemeral message is nobody's history."""
        if message.flags & EPHEMERAL:
            return
        channel = self.messages.setdefault(message.channel_id, {})
        channel[message.id] = message
        self.store.put("messages", message.id.zfill(20), message)
        if len(channel) > HISTORY_LENGTH_MAX:
            oldest = channel[next(iter(channel))]
            self.remove(oldest)
            self.forget(oldest)

    def remove(self, message: Message) -> None:
        self.messages.get(message.channel_id, {}).pop(message.id, None)
        self.store.drop("messages", message.id.zfill(20))

    def get(self, channel_id: str, message_id: str | None) -> Message | None:
        return self.messages.get(channel_id, {}).get(message_id or "")

    def page(self, channel_id: str, limit: int, before: int | None, after: int | None) -> list[Message]:
        """Newest first, as Discord lists them; with `after`, the `limit` oldest of those, still newest first."""
        newest_first = reversed(self.messages.get(channel_id, {}).values())
        found = (message for message in newest_first if before is None or int(message.id) < before)
        if after is None:
            return list(itertools.islice(found, limit))
        return list(itertools.takewhile(lambda message: int(message.id) > after, found))[-limit:]


class Renderer:
    """Message → the map Discord sends."""

    def __init__(self, people: People, channels: Channels, sign: Callable[[str], str]) -> None:
        self.people = people
        self.channels = channels
        self.sign = sign

    def message(self, message: Message, *, metadata: bool = True, quoted: bool = False) -> dict[str, Any]:
        """`metadata` false leaves out every trace of the interaction (setting drop_metadata); `quoted` is how a
        message is shown within the one that replies to it: without the one that it replies to."""
        shown: dict[str, Any] = {
            "id": message.id,
            "type": message.type,
            "channel_id": message.channel_id,
            "author": self.author(message.author_id),
            "content": message.content,
            "timestamp": stamp(message.at),
            "edited_timestamp": stamp(message.edited_at) if message.edited_at else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": list(self.mentions(message)),
            "mention_roles": [],
            "attachments": [self.attachment(attachment) for attachment in message.attachments],
            "embeds": [self.embed(embed, message) for embed in message.embeds],
            "components": self.components(message),
            "pinned": False,
            "flags": message.flags,
        }
        if message.origin is not None or message.author_id == DRAWING_BOT_ID:
            shown |= {"application_id": message.author_id, "webhook_id": message.author_id}
        if message.reply_to:
            shown["message_reference"] = self.reference(message.channel_id, message.reply_to)
        if message.type == REPLY and not quoted:
            parent = self.channels.get(message.channel_id, message.reply_to)
            shown["referenced_message"] = parent and self.message(parent, metadata=metadata, quoted=True)
        if message.reactions:
            shown["reactions"] = [reaction(emoji, people) for emoji, people in message.reactions.items()]
        if message.origin is not None and metadata:
            shown |= self.origin(message.origin)
        return shown

    def reference(self, channel_id: str, message_id: str) -> dict[str, Any]:
        place = {"channel_id": channel_id, "message_id": message_id}
        in_guild = channel_id not in self.people.direct
        return {"type": 0, **place} | ({"guild_id": self.people.identity.guild_id} if in_guild else {})

    def author(self, user_id: str) -> dict[str, object]:
        return self.people.shown.get(user_id) or self.people.shown[DRAWING_BOT_ID]

    def mentions(self, message: Message) -> Iterator[dict[str, object]]:
        told = message.mentioned if message.mentioned is not None else MENTION.findall(message.content)
        for user_id in dict.fromkeys(told):
            if user_id in self.people.by_id:
                yield self.people.shown[user_id]

    def embed(self, embed: dict[str, Any], message: Message) -> dict[str, Any]:
        """The embed with links to the message's own files in the place of `attachment://NAME`."""
        links = {IN_EMBEDS + attachment.filename: attachment for attachment in message.attachments}
        shown = embed
        for name in ("image", "thumbnail"):
            picture = embed.get(name)
            attachment = links.get(str(picture.get("url"))) if isinstance(picture, dict) else None
            if attachment is not None:
                url = self.sign(attachment.path)
                size = {"width": attachment.width, "height": attachment.height} if attachment.width else {}
                shown = shown | {name: {"url": url, "proxy_url": url, **size}}
        return shown

    def components(self, message: Message) -> Any:
        """The drawing bot's as they were laid out once; another bot's with links in the place of file names."""
        if message.buttons is not None:
            return message.buttons.shown()
        files = {IN_EMBEDS + attachment.filename: attachment for attachment in message.attachments}
        return [self.component(component, files) for component in message.components]

    def component(self, component: dict[str, Any], files: dict[str, Attachment]) -> dict[str, Any]:
        shown = dict(component)
        for name in ("components", "items"):
            if isinstance(component.get(name), list):
                shown[name] = [self.component(one, files) for one in component[name] if isinstance(one, dict)]
        if isinstance(component.get("accessory"), dict):
            shown["accessory"] = self.component(component["accessory"], files)
        for name in ("media", "file"):
            if isinstance(component.get(name), dict):
                url = str(component[name].get("url"))
                shown[name] = self.media(url, files.get(url))
                if name == "file" and url in files:
                    shown |= {"name": files[url].filename, "size": files[url].size}
        return shown

    def media(self, url: str, attachment: Attachment | None) -> dict[str, Any]:
        """An unfurled media item: a file of the message, or a link elsewhere."""
        if attachment is None:
            return {"id": "0", "url": url, "proxy_url": url}
        shown = {name: value for name, value in self.attachment(attachment).items() if name in UNFURLED}
        return shown | {"attachment_id": attachment.id}

    def attachment(self, attachment: Attachment) -> dict[str, Any]:
        url = self.sign(attachment.path)
        shown: dict[str, Any] = {
            "id": attachment.id,
            "filename": attachment.filename,
            "size": attachment.size,
            "url": url,
            "proxy_url": url,
            "content_type": attachment.content_type,
        }
        if attachment.width:
            shown |= {"width": attachment.width, "height": attachment.height}
        if attachment.description:
            shown["description"] = attachment.description
        return shown

    def origin(self, origin: Origin) -> dict[str, Any]:
        """`interaction_metadata`, and for a command its deprecated twin `interaction` that old clients read."""
        user = self.author(origin.user_id)
        metadata: dict[str, Any] = {
            "id": origin.id,
            "type": origin.type,
            "user": user,
            "authorizing_integration_owners": {"0": self.people.identity.guild_id},
        }
        if origin.response_id is not None:
            metadata["original_response_message_id"] = origin.response_id
        if origin.type == COMPONENT:
            return {"interaction_metadata": metadata | {"interacted_message_id": origin.message_id}}
        if origin.type == MODAL:
            trigger = metadata | {"id": origin.trigger_id or origin.id, "type": COMMAND}
            if origin.message_id is not None:
                trigger |= {"type": COMPONENT, "interacted_message_id": origin.message_id}
            return {"interaction_metadata": metadata | {"triggering_interaction_metadata": trigger}}
        metadata |= {"name": origin.name, "command_type": origin.command_type}
        twin = {"id": origin.id, "type": COMMAND, "name": origin.name, "user": user}
        return {"interaction_metadata": metadata, "interaction": twin}


def reaction(emoji: str, people: list[str]) -> dict[str, Any]:
    """A reaction as it stands under a message. Who asks is not known here, so it is never said to be theirs."""
    return {
        "emoji": {"id": None, "name": emoji},
        "count": len(people),
        "count_details": {"burst": 0, "normal": len(people)},
        "burst_colors": [],
        "me": False,
        "me_burst": False,
    }
