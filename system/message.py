"""Messages between actors: frozen typed values that survive a journey to another host.

Every message is a `Message`: a frozen msgspec Struct of plain values (numbers, text, bytes, None, tuples, dicts with
text keys, nested Structs, unions of tagged Structs). A live object, a callable or a future cannot be encoded, so it
cannot be sent. On the wire a message is msgpack of the pair (class name, fields); the class name is looked up in a
registry that every subclass enters when it is defined, never imported or unpickled: what no one here defined cannot
be made here.

The types of the fields are checked when a message is decoded, not when it is made (msgspec's rule), so the strict
mode of the loop base, which passes each message through `encode` and `decode`, is also a check of types.
"""

from typing import Any

import msgspec


class UnencodableMessage(TypeError):
    """The message holds something that is not a plain value; the sender's mistake."""


class UndecodableMessage(ValueError):
    """The bytes are no message of ours: malformed, of an unknown class, or with fields of wrong types."""


class Message(msgspec.Struct, frozen=True):
    """Base of all messages between actors. A subclass is registered under its bare class name, which must be unique.

    Defining a second class of the same name raises TypeError, save when it is the same class anew (a module reloaded, a
    function that defines it called again).
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        known = _classes.get(cls.__name__)
        if known is not None and _origin(known) != _origin(cls):
            raise TypeError(f"two message classes named {cls.__name__}: {_origin(known)} and {_origin(cls)}")
        _classes[cls.__name__] = cls
        _decoders.pop(cls.__name__, None)


_classes: dict[str, type[Message]] = {}
_decoders: dict[str, msgspec.msgpack.Decoder[Message]] = {}
_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])


def encode(message: Message) -> bytes:
    """The message as msgpack of (class name, fields). Raises UnencodableMessage when it holds a live object."""
    try:
        return _encoder.encode((type(message).__name__, message))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnencodableMessage(f"{type(message).__name__}: {error}") from error


def decode(data: bytes) -> Message:
    """The message that `encode` made these bytes from. Raises UndecodableMessage, whatever the bytes are."""
    try:
        name, fields = _envelope_decoder.decode(data)
        decoder = _decoders.get(name) or _make_decoder(name)
        return decoder.decode(fields)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        # The text of msgspec's errors names fields and types (and at most an unknown tag): it may be logged.
        raise UndecodableMessage(str(error)) from error


def _make_decoder(name: str) -> msgspec.msgpack.Decoder[Message]:
    known = _classes.get(name)
    if known is None:
        raise UndecodableMessage(f"no message class named {name[:80]!r}")
    decoder = msgspec.msgpack.Decoder(known)
    _decoders[name] = decoder
    return decoder


def _origin(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
