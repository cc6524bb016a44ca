"""Reading JSON whose shapes others decide: into typed Structs, and nothing lost for one field that is not as known.

msgspec decodes only the fields a Struct names, which is quick, and all or nothing. Where it refuses, the map is taken
apart and whatever fits is kept: a field of a wrong type is as good as absent, at any depth.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Raw

S = TypeVar("S", bound=msgspec.Struct)

#: What msgspec raises at bytes that are no JSON, or no UTF-8, or of another shape, or nested without end.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Reader(Generic[S]):
    """Reads maps of one shape: a Struct all of whose fields have defaults."""

    def __init__(self, shape: type[S]) -> None:
        self._shape = shape
        self._decoder = msgspec.json.Decoder(shape)

    def read(self, data: bytes | Raw) -> S | None:
        """The map, without what does not fit; None for what is no map. Never raises."""
        try:
            return self._decoder.decode(data)
        except UNREADABLE:
            return _salvaged(self._shape, data)


def _salvaged(shape: type[S], data: bytes | Raw) -> S | None:
    """As much of a map as fits the shape."""
    try:
        found = msgspec.json.decode(data, type=dict[str, Raw])
    except UNREADABLE:
        return None
    fields = [field for field in msgspec.structs.fields(shape) if field.encode_name in found]
    parts = {field.name: _part(field.type, found[field.encode_name]) for field in fields}
    return shape(**{name: part for name, part in parts.items() if part is not None})


def _part(kind: Any, data: bytes | Raw) -> Any:
    """As much of a field's value as fits its type; None if nothing does. Items of a list keep their places."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE:
        # A map or a list is taken apart as far as its own parts fit.
        inner = next((_salvaged(choice, data) for choice in get_args(kind) if _is_shape(choice)), None)
        return inner or next((_items(get_args(choice)[0], data) for choice in get_args(kind) if get_args(choice)), None)


def _items(shape: Any, data: bytes | Raw) -> list[Any] | None:
    try:
        found = msgspec.json.decode(data, type=list[Raw])
    except UNREADABLE:
        return None
    return [_salvaged(shape, item) or shape() for item in found] if _is_shape(shape) else None


def _is_shape(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
