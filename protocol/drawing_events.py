"""What the drawing bot's messages say, as typed observations.

`Observer.observe` takes a gateway dispatch (or a message from a channel's history, as MESSAGE_CREATE) and never
raises: what is of no interest is `Ignored`, what should have been understood and was not is `Odd`. Which job an
observation belongs to is decided in `core.correlate`, not here.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from protocol import drawing_text as text
from protocol.drawing_text import Offer

EPHEMERAL = 1 << 6
DESCRIPTION_CHARS_MAX = 4_000


class Traced(msgspec.Struct, frozen=True):
    """INTERACTION_CREATE or INTERACTION_SUCCESS: Discord has taken the interaction with this nonce."""

    nonce: str
    interaction_id: str | None


class Links(msgspec.Struct, frozen=True):
    """Everything in a message that can tie it to a job. Absent is None."""

    message_id: str | None = None
    nonce: str | None = None
    interaction_id: str | None = None
    hash: str | None = None
    reference_id: str | None = None
    image_number: int | None = None


class Waiting(msgspec.Struct, frozen=True):
    """The start message A. `cancel_id` is the custom id of its cancel button."""

    links: Links
    prompt: str
    cancel_id: str | None = None


class Progressed(msgspec.Struct, frozen=True):
    """`percent` is 0-100; `preview_url` expires."""

    links: Links
    percent: int
    preview_url: str | None
    cancel_id: str | None = None


class Postponed(msgspec.Struct, frozen=True):
    """Job queued: the bot has it and will draw it later. Not a failure."""

    links: Links


class Finished(msgspec.Struct, frozen=True):
    """A result: a picture at `url` (which expires), or a `text` (describe, shorten), and what can be done next.

    `flags` are the message's flags, wanted back when one of its buttons is pressed. Sizes in pixels and bytes.
    """

    links: Links
    prompt: str
    url: str | None
    width: int | None
    height: int | None
    bytes: int | None
    offers: tuple[Offer, ...]
    text: str | None = None
    mode: str | None = None
    flags: int = 0


class Stopped(msgspec.Struct, frozen=True):
    """The bot stopped drawing, as asked."""

    links: Links


class Refusal(msgspec.Struct, frozen=True):
    """The bot will not draw it. `code` is ours (CONTRACT section 3); see `drawing_text.Verdict` for the rest."""

    links: Links
    code: str
    title: str
    description: str
    fault_of_user: bool
    pauses_account: bool
    retry: bool


class ModalAsked(msgspec.Struct, frozen=True):
    """The bot wants a text before it goes on: answer with `drawing.modal`."""

    nonce: str | None
    modal_id: str
    custom_id: str
    field_id: str
    value: str


class Deleted(msgspec.Struct, frozen=True):
    message_id: str


class Ignored(msgspec.Struct, frozen=True):
    pass


class Odd(msgspec.Struct, frozen=True):
    """Something of the bot's that the grammar does not know; `why` holds no prompt."""

    why: str
    message_id: str | None = None


Observation: TypeAlias = (
    Traced | Waiting | Progressed | Postponed | Finished | Stopped | Refusal | ModalAsked | Deleted | Ignored | Odd
)
IGNORED = Ignored()


class Observer:
    """Reads one account's channel. Messages of other authors, channels and users are ignored.

    `user_id` is the account's own: accounts may share a channel, and the bot names the one it draws for.
    """

    def __init__(self, application_ids: frozenset[str], channel_id: str, user_id: str | None = None) -> None:
        self._application_ids = application_ids
        self._channel_id = channel_id
        self._user_id = user_id

    def observe(self, kind: str, data: Any) -> Observation:
        """The meaning of one dispatch of type `kind`."""
        if not isinstance(data, dict):
            return Odd(f"{kind} is no map")
        if kind in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            return self._message(data) if self._is_ours(data) else IGNORED
        if kind == "MESSAGE_DELETE":
            message_id = _id(data.get("id"))
            ours = message_id is not None and _id(data.get("channel_id")) == self._channel_id
            return Deleted(message_id) if ours and message_id is not None else IGNORED
        if kind in ("INTERACTION_CREATE", "INTERACTION_SUCCESS"):
            nonce = _id(data.get("nonce"))
            return IGNORED if nonce is None else Traced(nonce, _id(data.get("id")))
        if kind == "INTERACTION_FAILURE":
            links = Links(nonce=_id(data.get("nonce")), interaction_id=_id(data.get("id")))
            return _refusal(links, text.UNKNOWN_FAILURE, "Interaction failed", "The drawing bot did not answer.")
        if kind == "INTERACTION_MODAL_CREATE":
            return _modal(data)
        if kind == "INTERACTION_IFRAME_MODAL_CREATE":
            title = _text(data.get("title"))
            links = Links(nonce=_id(data.get("nonce")), interaction_id=_id(data.get("id")))
            verdict = text.verdict_on(title)
            return Odd("iframe modal") if verdict is None else _refusal(links, verdict, title, "")
        return IGNORED

    def _is_ours(self, message: dict[str, Any]) -> bool:
        author = _id(_map(message.get("author")).get("id"))
        application = _id(message.get("application_id"))
        # A partial update may name neither; its message id says enough.
        by_bot = (
            author in self._application_ids if author is not None else application in (*self._application_ids, None)
        )
        if not by_bot or _id(message.get("channel_id")) != self._channel_id:
            return False
        user = _id(_map(_metadata(message).get("user")).get("id"))
        return self._user_id is None or user in (None, self._user_id)

    def _message(self, message: dict[str, Any]) -> Observation:
        message_id = _id(message.get("id"))
        if message_id is None:
            return Odd("message without id")
        written = _text(message.get("content"))
        content = text.read_content(written)
        if content is not None and self._user_id is not None and content.user_id not in (None, self._user_id):
            return IGNORED
        picture = _picture(message)
        custom_ids = _custom_ids(message)
        links = Links(
            message_id=message_id,
            nonce=_id(message.get("nonce")),
            interaction_id=_id(_metadata(message).get("id")),
            hash=_hash(picture, custom_ids),
            reference_id=_id(_map(message.get("message_reference")).get("message_id")),
            image_number=None if content is None else content.image_number,
        )
        embed = _first_map(message.get("embeds"))
        judged = _judge(links, written, embed)
        if judged is not None:
            return judged
        if content is not None:
            return _drawn(links, content, picture, custom_ids, message)
        # Discord itself adds embeds for links in a prompt; those of the bot are "rich".
        if embed.get("type", "rich") != "rich":
            return IGNORED
        if _text(embed.get("description")) or embed.get("fields"):
            return _told(links, embed, custom_ids, message)
        if embed and _text(embed.get("title")):
            return Odd("embed of unknown title", message_id)
        if links.nonce is not None and not written:
            # Describe and shorten begin with an empty message that is edited to the result.
            return Waiting(links, "")
        return IGNORED if not written else Odd("content of unknown shape", message_id)


def _judge(links: Links, written: str, embed: dict[str, Any]) -> Observation | None:
    """A refusal or postponement by title, colour or text; None if the message is neither."""
    title, description = _text(embed.get("title")), _text(embed.get("description"))[:DESCRIPTION_CHARS_MAX]
    if title.strip().lower().startswith(text.POSTPONED_TITLES):
        return Postponed(links)
    verdict = text.verdict_on(title)
    if verdict is None and embed.get("color") == text.RED:
        verdict = text.UNKNOWN_FAILURE
    if verdict is None and embed.get("color") in text.WARNING:
        return Odd("warning of unknown title", links.message_id)
    if verdict is None and written.strip().lower().startswith(text.FAILED_CONTENT):
        verdict, description = text.UNKNOWN_FAILURE, written[:DESCRIPTION_CHARS_MAX]
    return None if verdict is None else _refusal(links, verdict, title, description)


def _refusal(links: Links, verdict: text.Verdict, title: str, description: str) -> Refusal:
    return Refusal(
        links, verdict.code, title, description, verdict.fault_of_user, verdict.pauses_account, verdict.retry
    )


def _drawn(
    links: Links,
    content: text.Content,
    picture: dict[str, Any],
    custom_ids: tuple[str, ...],
    message: dict[str, Any],
) -> Observation:
    """A message about a drawing, at any stage of it."""
    cancel_id = next((custom_id for custom_id in custom_ids if text.is_cancel(custom_id)), None)
    if content.stage == "waiting":
        return Waiting(links, content.prompt, cancel_id)
    if content.stage == "progress":
        return Progressed(links, content.percent or 0, _text(picture.get("url")) or None, cancel_id)
    if content.stage == "stopped":
        return Stopped(links)
    if not _text(picture.get("url")):
        return Odd("final without a picture", links.message_id)
    return Finished(
        links=links,
        prompt=content.prompt,
        url=_text(picture.get("url")),
        width=_count(picture.get("width")),
        height=_count(picture.get("height")),
        bytes=_count(picture.get("size")),
        offers=_offers(custom_ids),
        mode=content.mode,
        flags=_count(message.get("flags")) or 0,
    )


def _told(links: Links, embed: dict[str, Any], custom_ids: tuple[str, ...], message: dict[str, Any]) -> Finished:
    """The text result of describe or shorten: the embed's description and fields."""
    fields = embed.get("fields")
    lines = [_text(embed.get("description"))]
    lines += [_text(_map(field).get("value")) for field in fields] if isinstance(fields, list) else []
    told = "\n".join(line for line in lines if line)[:DESCRIPTION_CHARS_MAX]
    flags = _count(message.get("flags")) or 0
    return Finished(links, "", None, None, None, None, _offers(custom_ids), text=told, flags=flags)


def _modal(data: dict[str, Any]) -> Observation:
    modal_id, custom_id = _id(data.get("id")), _text(data.get("custom_id"))
    field = _first_map(_first_map(data.get("components")).get("components"))
    field_id = _text(field.get("custom_id"))
    if modal_id is None or not custom_id or not field_id:
        return Odd("modal without a field")
    return ModalAsked(_id(data.get("nonce")), modal_id, custom_id, field_id, _text(field.get("value")))


def _offers(custom_ids: tuple[str, ...]) -> tuple[Offer, ...]:
    return tuple(offer for custom_id in custom_ids if (offer := text.offer_of(custom_id)) is not None)


def _custom_ids(message: dict[str, Any]) -> tuple[str, ...]:
    """The custom ids of all buttons, row by row."""
    rows = message.get("components")
    found: list[str] = []
    for row in rows if isinstance(rows, list) else []:
        buttons = _map(row).get("components")
        found += [_text(_map(button).get("custom_id")) for button in buttons] if isinstance(buttons, list) else []
    return tuple(custom_id for custom_id in found if custom_id)


def _picture(message: dict[str, Any]) -> dict[str, Any]:
    return _first_map(message.get("attachments"))


def _hash(picture: dict[str, Any], custom_ids: tuple[str, ...]) -> str | None:
    """The hash a message shows: that of its picture, else that of its buttons."""
    shown = (_text(picture.get("url")), _text(picture.get("filename")), *custom_ids)
    return next((found for name in shown if (found := text.hash_in(name)) is not None), None)


def _metadata(message: dict[str, Any]) -> dict[str, Any]:
    """`interaction_metadata`, or the older `interaction`, of a message."""
    return _map(message.get("interaction_metadata")) or _map(message.get("interaction"))


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_map(value: Any) -> dict[str, Any]:
    return _map(value[0]) if isinstance(value, list) and value else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _id(value: Any) -> str | None:
    """A snowflake or nonce as a string; Discord gives nonces as numbers too."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value) or None
