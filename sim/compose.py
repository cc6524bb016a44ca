"""Compose: what a bot or a user may put into a message, read from a request and checked (ME in facts/discord.md).

One place for all ways of saying something: a channel message, its edit, an interaction's answer, a follow-up.
"""

from __future__ import annotations

import io
import itertools
import re
import time
from typing import Any

import msgspec
from aiohttp import web
from PIL import Image, UnidentifiedImageError

from sim.cdn import UPLOAD_BYTES_MAX
from sim.errors import Refusal, invalid_form
from sim.messages import EPHEMERAL, MENTION, Attachment, Message, media_type
from sim.parts import Parts

CONTENT_LENGTH_MAX = 2000
EMBEDS_MAX = 10
EMBED_TEXT_MAX = 6000  # characters of all texts of all embeds together
ATTACHMENTS_MAX = 10
ROWS_MAX, BUTTONS_MAX = 5, 5
LABEL_LENGTH_MAX, CUSTOM_ID_LENGTH_MAX = 80, 100
SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS, COMPONENTS_V2 = 1 << 2, 1 << 12, 1 << 15
FLAGS_ALLOWED = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
ROW, BUTTON = 1, 2
PICTURE: dict[str, Any] = {"description": None, "spoiler": False}
# What a component has when its maker says nothing of it: selects, thumbnails, files, separators, containers.
BLANKS: dict[int, dict[str, Any]] = {
    **{kind: {"min_values": 1, "max_values": 1} for kind in (3, 5, 6, 7, 8)},
    11: PICTURE,
    13: {"spoiler": False},
    14: {"divider": True, "spacing": 1},
    17: {"accent_color": None, "spoiler": False},
}
FILE_FIELD = re.compile(r"files?(?:\[(\d+)\])?")
FOREIGN_TO_NAMES = re.compile(r"[^\w.\-]+", re.ASCII)


class File(msgspec.Struct, frozen=True):
    """A file of a multipart request: its number n of `files[n]`, name and bytes."""

    number: str
    name: str
    data: bytes


class Draft(msgspec.Struct):
    """What a request says of a message. None: it says nothing of it, so that an edit leaves it as it is."""

    content: str | None = None
    embeds: list[dict[str, Any]] | None = None
    components: list[dict[str, Any]] | None = None
    attachments: list[Attachment] | None = None
    flags: int | None = None
    mentioned: list[str] | None = None
    reply_to: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.content or self.embeds or self.components or self.attachments)

    def apply(self, message: Message) -> None:
        """Put what is said into the message."""
        for name in ("content", "embeds", "components", "attachments", "mentioned", "reply_to"):
            value = getattr(self, name)
            if value is not None:
                setattr(message, name, value)
        if self.flags is not None:
            message.flags = message.flags & EPHEMERAL | self.flags


async def read_request(request: web.Request) -> tuple[Any, list[File]]:
    """The JSON value and the files: a JSON body, or a form with `payload_json` and `files[n]`.

    Raises Refusal 50109 for what is no JSON, 40005 for what is too large.
    """
    files: list[File] = []
    raw: Any
    if request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        form = await request.post()
        field = form.get("payload_json", "{}")
        raw = field.file.read() if isinstance(field, web.FileField) else field
        for name, value in form.items():
            found = FILE_FIELD.fullmatch(name)
            if found and isinstance(value, web.FileField):
                files.append(File(found[1] or "0", value.filename, value.file.read()))
    else:
        raw = await request.read()
    if any(len(file.data) > UPLOAD_BYTES_MAX for file in files):
        raise Refusal(413, 40005, "Request entity too large")
    try:
        return msgspec.json.decode(raw), files
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal(400, 50109, "The request body contains invalid JSON.") from None


def map_of(body: Any) -> dict[str, Any]:
    """The body when it is a map; Refusal else."""
    if not isinstance(body, dict):
        raise invalid_form(code="DICT_TYPE_CONVERT", message="Only dictionaries may be used in a DictType")
    return body


class Composer:
    """Reads a Draft from a body."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def draft(self, body: dict[str, Any], files: list[File], channel_id: str, old: Message | None = None) -> Draft:
        """What the body says; `old` is the message that is edited. Raises Refusal 50035 saying where it is wrong."""
        draft = Draft(
            content=content_of(body),
            embeds=embeds_of(body),
            components=components_of(body),
            flags=flags_of(body),
            attachments=self.attachments_of(body, files, channel_id, old),
            reply_to=self.reply_of(body, channel_id),
        )
        if (draft.flags or 0) & COMPONENTS_V2 and (draft.content or draft.embeds):
            text = "The 'content' and 'embeds' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            raise invalid_form("content", code="MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message=text)
        if draft.content is not None:
            draft.mentioned = mentioned_in(draft.content, body.get("allowed_mentions"))
        return draft

    def reply_of(self, body: dict[str, Any], channel_id: str) -> str | None:
        reference = body.get("message_reference")
        if not isinstance(reference, dict):
            return None
        message_id = str(reference.get("message_id"))
        if self.parts.channels.get(channel_id, message_id) is not None:
            return message_id
        if reference.get("fail_if_not_exists") is False:
            return None
        raise invalid_form("message_reference", code="REPLIES_UNKNOWN_MESSAGE", message="Unknown message")

    def attachments_of(
        self, body: dict[str, Any], files: list[File], channel_id: str, old: Message | None
    ) -> list[Attachment] | None:
        """New files, files that were uploaded before, and of an edited message those that the body still lists."""
        listed = body.get("attachments")
        if listed is None and not files:
            return None
        if listed is not None and not (isinstance(listed, list) and all(isinstance(one, dict) for one in listed)):
            raise invalid_form("attachments", code="LIST_TYPE_CONVERT", message="Only iterables may be used in a list")
        present = {attachment.id: attachment for attachment in old.attachments} if old is not None else {}
        by_number = {file.number: file for file in files}
        kept = list(present.values()) if listed is None else []
        for given in listed or []:
            key = str(given.get("id"))
            if key in present:
                kept.append(present[key])
            elif key in by_number:
                kept.append(self.stored(by_number.pop(key), channel_id, given))
            else:
                kept.append(self.uploaded(given, channel_id))
        kept += [self.stored(file, channel_id, {}) for file in by_number.values()]
        if len(kept) > ATTACHMENTS_MAX:
            raise invalid_form("attachments", code="BASE_TYPE_MAX_LENGTH", message="Must be 10 or fewer in length.")
        return kept

    def stored(self, file: File, channel_id: str, given: dict[str, Any]) -> Attachment:
        """A file of this request, put on the shelf."""
        key = self.parts.snowflakes.next()
        self.parts.shelf.keep_upload(key, file.data)
        return self.shelved(key, str(given.get("filename") or file.name), channel_id, file.data, given)

    def uploaded(self, given: dict[str, Any], channel_id: str) -> Attachment:
        """A file that was PUT before, by its `uploaded_filename`."""
        key, _, filename = str(given.get("uploaded_filename", "")).partition("/")
        data = self.parts.shelf.upload(key)
        if data is None:
            raise invalid_form("attachments", code="ATTACHMENT_NOT_FOUND", message="No such upload")
        return self.shelved(key, str(given.get("filename") or filename), channel_id, data, given)

    def shelved(self, key: str, name: str, channel_id: str, data: bytes, given: dict[str, Any]) -> Attachment:
        filename = FOREIGN_TO_NAMES.sub("_", name).strip("_") or "unknown"
        attachment = Attachment(key, channel_id, filename, media_type(filename), len(data), *size_of(data))
        attachment.description = str(given["description"]) if given.get("description") else None
        self.parts.shelf.keep(attachment)
        return attachment

    def message(self, draft: Draft, channel_id: str, author_id: str, **more: Any) -> Message:
        """A new message with what the draft says. Raises Refusal 50006 when that is nothing."""
        if draft.is_empty:
            raise Refusal(400, 50006, "Cannot send an empty message")
        message = Message(self.parts.snowflakes.next(), channel_id, author_id, time.time(), **more)
        draft.apply(message)
        return message


# -- fields ------------------------------------------------------------------------------------------------------------


def content_of(body: dict[str, Any]) -> str | None:
    if "content" not in body:
        return None
    content = body["content"] or ""
    if not isinstance(content, str) or len(content) > CONTENT_LENGTH_MAX:
        raise invalid_form("content", code="BASE_TYPE_MAX_LENGTH", message="Must be 2000 or fewer in length.")
    return content


def flags_of(body: dict[str, Any]) -> int | None:
    flags = body.get("flags")
    if flags is None:
        return None
    if not isinstance(flags, int):
        raise invalid_form("flags", code="NUMBER_TYPE_COERCE", message="Value is not int.")
    return flags & FLAGS_ALLOWED


def embeds_of(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    embeds = body.get("embeds")
    if embeds is None:
        return None
    if not isinstance(embeds, list) or len(embeds) > EMBEDS_MAX or not all(isinstance(one, dict) for one in embeds):
        raise invalid_form("embeds", code="BASE_TYPE_MAX_LENGTH", message="Must be 10 or fewer in length.")
    if sum(map(text_length, embeds)) > EMBED_TEXT_MAX:
        raise invalid_form("embeds", code="MAX_EMBED_SIZE_EXCEEDED", message="Embed size exceeds maximum size of 6000")
    return [one | {"type": "rich"} for one in embeds]


def text_length(embed: dict[str, Any]) -> int:
    """Characters of an embed's texts, which share one limit."""
    footer, author, fields = embed.get("footer"), embed.get("author"), embed.get("fields")
    texts = [embed.get("title"), embed.get("description")]
    texts += [footer.get("text")] if isinstance(footer, dict) else []
    texts += [author.get("name")] if isinstance(author, dict) else []
    for field in fields if isinstance(fields, list) else []:
        texts += [field.get("name"), field.get("value")] if isinstance(field, dict) else []
    return sum(len(text) for text in texts if isinstance(text, str))


def components_of(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The components with the `id` that Discord gives to those without; checked as rule 28 says."""
    lines = body.get("components")
    if lines is None:
        return None
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise invalid_form("components", code="LIST_TYPE_CONVERT", message="Only iterables may be used in a list")
    legacy = not (flags_of(body) or 0) & COMPONENTS_V2
    if legacy and (len(lines) > ROWS_MAX or any(line.get("type") != ROW for line in lines)):
        raise invalid_form("components", code="BASE_TYPE_BAD_LENGTH", message="Must be between 1 and 5 action rows.")
    seen: set[str] = set()
    numbers = itertools.count(1)
    return [checked_component(line, seen, numbers) for line in lines]


def checked_component(component: dict[str, Any], seen: set[str], numbers: itertools.count[int]) -> dict[str, Any]:
    """The component and all below it, numbered; `seen` are the custom_ids of the message so far."""
    kind, custom_id, label = component.get("type"), component.get("custom_id"), component.get("label")
    if custom_id is not None:
        if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= CUSTOM_ID_LENGTH_MAX:
            raise bad_component("BASE_TYPE_BAD_LENGTH", "custom_id must be between 1 and 100 in length.")
        if custom_id in seen:
            raise bad_component("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        seen.add(custom_id)
    if isinstance(label, str) and kind == BUTTON and len(label) > LABEL_LENGTH_MAX:
        raise bad_component("BASE_TYPE_MAX_LENGTH", "label must be 80 or fewer in length.")
    blank = BLANKS.get(kind, {}) if isinstance(kind, int) else {}
    numbered = {**blank, **component, "id": component.get("id") or next(numbers)}
    if isinstance(component.get("accessory"), dict):
        numbered["accessory"] = checked_component(component["accessory"], seen, numbers)
    if isinstance(component.get("items"), list):
        numbered["items"] = [PICTURE | item for item in component["items"] if isinstance(item, dict)]
    below = component.get("components")
    if isinstance(below, list):
        if kind == ROW and not 1 <= len(below) <= BUTTONS_MAX:
            raise bad_component("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        numbered["components"] = [checked_component(one, seen, numbers) for one in below if isinstance(one, dict)]
    return numbered


def bad_component(code: str, message: str) -> Refusal:
    return invalid_form("components", code=code, message=message)


def mentioned_in(content: str, allowed: Any) -> list[str]:
    """Ids of the users that are mentioned and told so: all of them, or those that `allowed_mentions` lets be."""
    found = list(dict.fromkeys(MENTION.findall(content)))
    if not isinstance(allowed, dict) or "users" in (allowed.get("parse") or []):
        return found
    return [user_id for user_id in found if user_id in map(str, allowed.get("users") or [])]


def size_of(data: bytes) -> tuple[int, int] | tuple[None, None]:
    """Width and height in pixels of a picture; nothing of any other file."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None, None
