"""Messages survive encode and decode, and nothing else gets through."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.message import Message, UndecodableMessage, UnencodableMessage, decode, encode


class Circle(msgspec.Struct, frozen=True, tag=True):
    radius: float


class Label(msgspec.Struct, frozen=True, tag=True):
    text: str


class Sheet(Message, frozen=True):
    number: int
    shapes: tuple[Circle | Label, ...] = ()
    raw: bytes = b""
    owner: str | None = None
    prices: dict[str, float] = msgspec.field(default_factory=dict)
    is_done: bool = False


shapes = st.one_of(
    st.builds(Circle, radius=st.floats(allow_nan=False)),
    st.builds(Label, text=st.text()),
)
sheets = st.builds(
    Sheet,
    number=st.integers(-(2**63), 2**64 - 1),
    shapes=st.lists(shapes, max_size=4).map(tuple),
    raw=st.binary(max_size=40),
    owner=st.none() | st.text(),
    prices=st.dictionaries(st.text(), st.floats(allow_nan=False), max_size=4),
    is_done=st.booleans(),
)


@given(sheets)
def test_a_message_comes_back_equal_from_its_bytes(sheet: Sheet) -> None:
    assert decode(encode(sheet)) == sheet


@given(sheets)
def test_a_decoded_message_has_the_very_types_it_had(sheet: Sheet) -> None:
    returned = decode(encode(sheet))
    assert isinstance(returned, Sheet)
    assert isinstance(returned.shapes, tuple)
    assert [type(shape) for shape in returned.shapes] == [type(shape) for shape in sheet.shapes]


@given(st.binary(max_size=200))
def test_foreign_bytes_are_undecodable_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(UndecodableMessage):
        decode(data)


@given(sheets, st.integers(min_value=0))
def test_a_message_cut_short_is_undecodable(sheet: Sheet, cut: int) -> None:
    data = encode(sheet)
    with pytest.raises(UndecodableMessage):
        decode(data[: cut % len(data)])


def test_deeply_nested_bytes_are_undecodable() -> None:
    with pytest.raises(UndecodableMessage):
        decode(b"\x92\xa5Sheet" + b"\x91" * 100_000)


def test_a_class_that_nobody_defined_is_undecodable() -> None:
    with pytest.raises(UndecodableMessage, match="no message class named 'Nonsense'"):
        decode(msgspec.msgpack.encode(("Nonsense", {})))


def test_a_field_of_a_wrong_type_is_undecodable() -> None:
    with pytest.raises(UndecodableMessage, match="number"):
        decode(encode(Sheet(number="three")))


@pytest.mark.parametrize("live", [object(), print, lambda: None])
def test_a_live_object_in_a_message_cannot_be_encoded(live: object) -> None:
    with pytest.raises(UnencodableMessage, match="Sheet"):
        encode(Sheet(number=1, raw=live))


def test_two_message_classes_may_not_share_a_name() -> None:
    with pytest.raises(TypeError, match="two message classes named Sheet"):
        msgspec.defstruct("Sheet", [("number", int)], bases=(Message,), frozen=True, module="elsewhere")
    assert isinstance(decode(encode(Sheet(number=1))), Sheet)


def test_a_class_defined_anew_takes_its_own_place() -> None:
    def define() -> type[Message]:
        class Ticket(Message, frozen=True):
            number: int

        return Ticket

    define()
    again = define()
    assert type(decode(encode(again(number=7)))) is again


def test_messages_are_frozen_and_equal_by_value() -> None:
    sheet = Sheet(number=1)
    with pytest.raises(AttributeError):
        sheet.number = 2
    assert sheet == Sheet(number=1)
