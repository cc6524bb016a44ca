"""What the drawing bot's messages say, as typed observations.

`Observer.observe` takes a gateway dispatch (or a message from a channel's history, as MESSAGE_CREATE), as JSON, and
never raises: what is of no interest is `Ignored`, what should have been understood and was not is `Odd`. Which job an
observation belongs to is decided in `core.correlate`, not here.

A message costs by how far it gets: its kind alone, then whose it is, then its text, and last, of a final one, its
buttons.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from protocol import drawing_text as text
from protocol.drawing_shapes import Attachment, Deletion, Embed, Interaction, Message, Row, id_of, origin_of
from protocol.drawing_text import Offer
from protocol.tolerant import Reader

EPHEMERAL = 1 << 6
DESCRIPTION_CHARS_MAX = 4_000


class Traced(msgspec.Struct, frozen=True, gc=False):
    """INTERACTION_CREATE or INTERACTION_SUCCESS: Discord has taken the interaction with this nonce."""

    nonce: str
    interaction_id: str | None


class Links(msgspec.Struct, frozen=True, gc=False):
    """Everything in a message that can tie it to a job. Absent is None."""

    message_id: str | None = None
    nonce: str | None = None
    interaction_id: str | None = None
    hash: str | None = None
    reference_id: str | None = None
    image_number: int | None = None


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """The start message A. `cancel_id` is the custom id of its cancel button."""

    links: Links
    prompt: str
    cancel_id: str | None = None


class Progressed(msgspec.Struct, frozen=True, gc=False):
    """`percent` is 0-100; `preview_url` expires."""

    links: Links
    percent: int
    preview_url: str | None
    cancel_id: str | None = None


class Postponed(msgspec.Struct, frozen=True):
    """Job queued: the bot has it and will draw it later. Not a failure."""

    links: Links


class Finished(msgspec.Struct, frozen=True, gc=False):
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


class CanvasAsked(msgspec.Struct, frozen=True):
    """The bot opens a page of its own (Vary Region): answer with `drawing.region`. `custom_id` is the page's."""

    nonce: str | None
    interaction_id: str | None
    custom_id: str


class SeedTold(msgspec.Struct, frozen=True):
    """A direct message: the seed of the job with this hash."""

    hash: str
    seed: str


class Deleted(msgspec.Struct, frozen=True, gc=False):
    message_id: str


class Ignored(msgspec.Struct, frozen=True):
    pass


class Odd(msgspec.Struct, frozen=True):
    """Something of the bot's that the grammar does not know; `why` holds no prompt."""

    why: str
    message_id: str | None = None


Observation: TypeAlias = (
    Traced
    | Waiting
    | Progressed
    | Postponed
    | Finished
    | Stopped
    | Refusal
    | ModalAsked
    | CanvasAsked
    | SeedTold
    | Deleted
    | Ignored
    | Odd
)
IGNORED = Ignored()

MESSAGE, INTERACTION, DELETION = Reader(Message), Reader(Interaction), Reader(Deletion)
NO_PICTURE, NO_EMBED = Attachment(), Embed()


class Observer:
    """Reads one account's channel. Messages of other authors, channels and users are ignored.

    `user_id` is the account's own: accounts may share a channel, and the bot names the one it draws for.
    """

    def __init__(self, application_ids: frozenset[str], channel_id: str, user_id: str | None = None) -> None:
        self._application_ids = application_ids
        self._channel_id = channel_id
        self._user_id = user_id

    def observe(self, kind: str, data: bytes | msgspec.Raw) -> Observation:
        """The meaning of one dispatch of type `kind`; `data` is its JSON."""
        if kind in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            message = MESSAGE.read(data)
            if message is None:
                return Odd(f"{kind} is no map")
            return self._message(message) if self._is_ours(message) else self._whisper(message)
        if kind == "MESSAGE_DELETE":
            deletion = DELETION.read(data)
            return Odd(f"{kind} is no map") if deletion is None else self._deletion(deletion)
        if kind.startswith("INTERACTION_"):
            interaction = INTERACTION.read(data)
            return Odd(f"{kind} is no map") if interaction is None else _interaction(kind, interaction)
        return IGNORED

    def _is_ours(self, message: Message) -> bool:
        if id_of(message.channel_id) != self._channel_id:
            return False
        author = None if message.author is None else id_of(message.author.id)
        if author is not None:
            by_bot = author in self._application_ids
        else:
            # A partial update may name neither; its message id says enough.
            application = id_of(message.application_id)
            by_bot = application is None or application in self._application_ids
        if not by_bot or self._user_id is None:
            return by_bot
        user = origin_of(message).user
        return user is None or id_of(user.id) in (None, self._user_id)

    def _whisper(self, message: Message) -> Observation:
        """What the bot says in no guild: a seed."""
        author = None if message.author is None else id_of(message.author.id)
        if message.guild_id is not None or author not in self._application_ids or not message.content:
            return IGNORED
        told = text.seed_in(message.content)
        return IGNORED if told is None else SeedTold(*told)

    def _deletion(self, deletion: Deletion) -> Observation:
        message_id = id_of(deletion.id)
        if message_id is None or id_of(deletion.channel_id) != self._channel_id:
            return IGNORED
        return Deleted(message_id)

    def _message(self, message: Message) -> Observation:
        message_id = id_of(message.id)
        if message_id is None:
            return Odd("message without id")
        written = message.content or ""
        content = text.read_content(written)
        if content is not None and self._user_id is not None and content.user_id not in (None, self._user_id):
            return IGNORED
        reference = message.message_reference
        links = Links(
            message_id=message_id,
            nonce=id_of(message.nonce),
            interaction_id=id_of(origin_of(message).id),
            hash=_hash(message),
            reference_id=None if reference is None else id_of(reference.message_id),
            image_number=None if content is None else content.image_number,
        )
        embed = message.embeds[0] if message.embeds else NO_EMBED
        judged = _judge(links, written, embed) if message.embeds or content is None else None
        if judged is not None:
            return judged
        if content is not None:
            return _drawn(links, content, message)
        if embed.type != "rich":
            return IGNORED
        if embed.description or embed.fields:
            return _told(links, embed, message)
        if embed.title:
            return Odd("embed of unknown title", message_id)
        if links.nonce is not None and not written:
            # Describe and shorten begin with an empty message that is edited to the result.
            return Waiting(links, "")
        return IGNORED if not written else Odd("content of unknown shape", message_id)


def _interaction(kind: str, interaction: Interaction) -> Observation:
    """What Discord says of an interaction of the account's own."""
    nonce, interaction_id = id_of(interaction.nonce), id_of(interaction.id)
    links = Links(nonce=nonce, interaction_id=interaction_id)
    match kind:
        case "INTERACTION_CREATE" | "INTERACTION_SUCCESS":
            return IGNORED if nonce is None else Traced(nonce, interaction_id)
        case "INTERACTION_FAILURE":
            return _refusal(links, text.UNKNOWN_FAILURE, "Interaction failed", "The drawing bot did not answer.")
        case "INTERACTION_MODAL_CREATE":
            return _modal(interaction)
        case "INTERACTION_IFRAME_MODAL_CREATE":
            title = interaction.title or ""
            verdict = text.verdict_on(title)
            if verdict is not None:
                return _refusal(links, verdict, title, "")
            if not interaction.custom_id:
                return Odd("iframe modal without a custom id")
            return CanvasAsked(nonce, interaction_id, interaction.custom_id)
    return IGNORED


def _judge(links: Links, written: str, embed: Embed) -> Observation | None:
    """A refusal or postponement by title, colour or text; None if the message is neither."""
    title, description = embed.title or "", (embed.description or "")[:DESCRIPTION_CHARS_MAX]
    if title.strip().lower().startswith(text.POSTPONED_TITLES):
        return Postponed(links)
    verdict = text.verdict_on(title)
    if verdict is None and embed.color == text.RED:
        verdict = text.UNKNOWN_FAILURE
    if verdict is None and embed.color in text.WARNING:
        return Odd("warning of unknown title", links.message_id)
    if verdict is None and written.strip().lower().startswith(text.FAILED_CONTENT):
        verdict, description = text.UNKNOWN_FAILURE, written[:DESCRIPTION_CHARS_MAX]
    return None if verdict is None else _refusal(links, verdict, title, description)


def _refusal(links: Links, verdict: text.Verdict, title: str, description: str) -> Refusal:
    return Refusal(
        links, verdict.code, title, description, verdict.fault_of_user, verdict.pauses_account, verdict.retry
    )


def _drawn(links: Links, content: text.Content, message: Message) -> Observation:
    """A message about a drawing, at any stage of it."""
    picture = _picture(message)
    match content.stage:
        case "waiting":
            return Waiting(links, content.prompt, _cancel_id(message))
        case "progress":
            return Progressed(links, content.percent or 0, picture.url or None, _cancel_id(message))
        case "stopped":
            return Stopped(links)
    if not picture.url:
        return Odd("final without a picture", links.message_id)
    return Finished(
        links=links,
        prompt=content.prompt,
        url=picture.url,
        width=picture.width,
        height=picture.height,
        bytes=picture.size,
        offers=_offers(message),
        mode=content.mode,
        flags=message.flags or 0,
    )


def _told(links: Links, embed: Embed, message: Message) -> Finished:
    """The text result of describe or shorten: the embed's description and fields."""
    lines = [embed.description, *(field.value for field in embed.fields or ())]
    told = "\n".join(line for line in lines if line)[:DESCRIPTION_CHARS_MAX]
    return Finished(links, "", None, None, None, None, _offers(message), text=told, flags=message.flags or 0)


def _modal(form: Interaction) -> Observation:
    modal_id = id_of(form.id)
    row = form.components[0] if form.components else Row()
    field = row.components[0] if row.components else None
    if modal_id is None or not form.custom_id or field is None or not field.custom_id:
        return Odd("modal without a field")
    return ModalAsked(id_of(form.nonce), modal_id, form.custom_id, field.custom_id, field.value or "")


def _offers(message: Message) -> tuple[Offer, ...]:
    return tuple(offer for custom_id in _custom_ids(message) if (offer := text.offer_of(custom_id)) is not None)


def _cancel_id(message: Message) -> str | None:
    for custom_id in _custom_ids(message):
        if text.is_cancel(custom_id):
            return custom_id
    return None


def _custom_ids(message: Message) -> Iterator[str]:
    """The custom ids of all buttons, row by row."""
    for row in message.components or ():
        for button in row.components or ():
            if button.custom_id:
                yield button.custom_id


def _picture(message: Message) -> Attachment:
    return message.attachments[0] if message.attachments else NO_PICTURE


def _hash(message: Message) -> str | None:
    """The hash a message shows: that of its picture, else that of its buttons."""
    picture = _picture(message)
    for name in (picture.url, picture.filename):
        if name and (found := text.hash_in(name)) is not None:
            return found
    return next((found for name in _custom_ids(message) if (found := text.hash_in(name)) is not None), None)
