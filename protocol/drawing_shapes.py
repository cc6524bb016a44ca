"""What is read of Discord's maps about drawings: the fields the grammar uses, and no others.

Absent, null and unfit are all None (`protocol.tolerant`). Ids and nonces are strings or numbers: `id_of` makes them
one. Discord API docs: resources/message.mdx, interactions; INTERACTION_* to user accounts are undocumented.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

Id: TypeAlias = str | int | None
#: Pixels, bytes, flags. What is told of them goes on as msgpack, which ends at 64 bits.
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)] | None
#: Snowflakes have 20 digits at most, nonces 25 characters.
ID_CHARS_MAX = 64


class Person(msgspec.Struct, frozen=True, gc=False):
    id: Id = None


class Origin(msgspec.Struct, frozen=True, gc=False):
    """The interaction a message answers."""

    id: Id = None
    user: Person | None = None


class Reference(msgspec.Struct, frozen=True, gc=False):
    message_id: Id = None


class Attachment(msgspec.Struct, frozen=True, gc=False):
    url: str | None = None
    filename: str | None = None
    width: Count = None
    height: Count = None
    size: Count = None


class Field(msgspec.Struct, frozen=True, gc=False):
    value: str | None = None


class Embed(msgspec.Struct, frozen=True, gc=False):
    #: Discord itself adds embeds for links in a prompt; those of the bot are "rich".
    type: str | None = "rich"
    title: str | None = None
    description: str | None = None
    color: int | float | None = None
    fields: list[Field] | None = None


class Component(msgspec.Struct, frozen=True, gc=False):
    """A button, or the text field of a form."""

    custom_id: str | None = None
    value: str | None = None


class Row(msgspec.Struct, frozen=True, gc=False):
    components: list[Component] | None = None


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message of a dispatch or of the channel's history; an update may be partial."""

    id: Id = None
    channel_id: Id = None
    guild_id: Id = None
    author: Person | None = None
    application_id: Id = None
    content: str | None = None
    nonce: Id = None
    flags: Count = None
    interaction_metadata: Origin | None = None
    interaction: Origin | None = None
    message_reference: Reference | None = None
    attachments: list[Attachment] | None = None
    embeds: list[Embed] | None = None
    components: list[Row] | None = None


class Interaction(msgspec.Struct, frozen=True, gc=False):
    """An INTERACTION_* event; `title`, `custom_id` and `components` are a form's."""

    id: Id = None
    nonce: Id = None
    title: str | None = None
    custom_id: str | None = None
    components: list[Row] | None = None


class Deletion(msgspec.Struct, frozen=True, gc=False):
    id: Id = None
    channel_id: Id = None


NOWHERE = Origin()


def origin_of(message: Message) -> Origin:
    """`interaction_metadata`, or the older `interaction`, of a message."""
    told = message.interaction_metadata
    return told if told is not None and told != NOWHERE else message.interaction or NOWHERE


def id_of(value: Id) -> str | None:
    """A snowflake or nonce as a string; None for what is too long to be one."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text if 0 < len(text) <= ID_CHARS_MAX else None
