"""What Discord's answers to our REST calls hold, as far as it is read.

A body that is not as documented holds nothing: none of these raises, whatever the bytes. Shapes: discord-api-docs,
resources/user.mdx and resources/message.mdx; the command index is undocumented.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from protocol.drawing import Command, learn_commands
from protocol.drawing_shapes import Message, Person, id_of
from protocol.tolerant import UNREADABLE, Reader

PERSON, MESSAGE = Reader(Person), Reader(Message)
#: A snowflake has 64 bits.
ID_DIGITS_MAX = 20


def user_id_in(body: bytes) -> str | None:
    """Whose `GET /users/@me` it answers."""
    person = PERSON.read(body)
    return None if person is None else id_of(person.id)


def commands_in(body: bytes, application_id: str) -> dict[str, Command]:
    """An application's commands by name, of a guild's command index."""
    try:
        return learn_commands(msgspec.json.decode(body), application_id)
    except (*UNREADABLE, ValueError):  # the last for a number of thousands of digits
        return {}


def messages_in(body: bytes) -> list[msgspec.Raw]:
    """A history page's messages, newest first, each as JSON: what `Observer` takes."""
    try:
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except UNREADABLE:
        return []


def message_ids(messages: Iterable[msgspec.Raw]) -> list[int]:
    """The ids of those that have one, as the numbers that grow with time."""
    found = [id_of(person.id) for message in messages if (person := PERSON.read(message)) is not None]
    return [int(text) for text in found if text is not None and text.isdecimal() and len(text) <= ID_DIGITS_MAX]


def picture_urls_in(body: bytes) -> list[str]:
    """The addresses of a message's attachments, in order."""
    message = MESSAGE.read(body)
    return [] if message is None else [attached.url for attached in message.attachments or () if attached.url]
