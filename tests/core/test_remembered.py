"""Claims about the table of drawings that messages may be about."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.remembered import DRAWING_MEMORY_COUNT_MAX, LINKS, Entry, Remembered, Standing
from core.signs import Drawing

NAMES = st.sampled_from(("a", "b", "c"))
DRAWINGS = st.builds(
    Drawing,
    job_id=st.sampled_from(("j1", "j2")),
    attempt=st.integers(1, 2),
    nonce=st.sampled_from(("1", "2", "3", "4")),
    message_id=st.none() | NAMES,
    interaction_id=st.none() | NAMES,
    hash=st.none() | NAMES,
)
STEPS = st.lists(st.tuples(st.sampled_from(("put", "learn", "haunt", "settle")), DRAWINGS), max_size=30)


@settings(max_examples=500, deadline=None)
@given(steps=STEPS)
def test_every_question_is_answered_as_a_look_at_all_drawings_would(steps: list[tuple[str, Drawing]]) -> None:
    table, plain = Remembered(), dict[str, Entry]()
    for step, drawing in steps:
        entry = plain.get(drawing.nonce)
        if step == "put" or entry is None:
            entry = plain[drawing.nonce] = Entry(drawing, 0)
            table.put(entry)
        elif step == "learn":
            table.learn(entry, drawing)
        elif step == "haunt" and entry.standing is Standing.OPEN:
            table.haunt(entry, 1.0)
        elif step == "settle" and entry.standing is not Standing.SETTLED:
            table.settle(entry)
        assert {id(each) for each in table.live()} == {
            id(each) for each in plain.values() if each.standing is not Standing.SETTLED
        }
        for nonce in ("1", "2", "3", "4"):
            assert table.of_nonce(nonce) is plain.get(nonce)
        for link in LINKS:
            for value in ("a", "b", "c"):
                named = [each for each in plain.values() if getattr(each.drawing, link) == value]
                assert table.of_link(link, value) is (named[0] if len(named) == 1 else None)


def test_the_oldest_settled_drawings_make_room_and_live_ones_never_do() -> None:
    table = Remembered()
    first = Entry(Drawing("j", 1, "first", message_id="m"), 0)
    table.put(first)
    for number in range(2 * DRAWING_MEMORY_COUNT_MAX):
        entry = Entry(Drawing(f"j{number}", 1, str(number)), 0)
        table.put(entry)
        table.settle(entry)
    assert table.of_nonce("first") is first
    assert table.of_nonce("0") is None
    assert table.of_nonce(str(2 * DRAWING_MEMORY_COUNT_MAX - 1)) is not None
    table.settle(first)
    last = Entry(Drawing("last", 1, "last"), 0)
    table.put(last)
    assert table.of_nonce("first") is None
    assert table.of_link("message_id", "m") is None


def test_a_drawing_that_goes_on_under_another_nonce_is_found_by_that_one_only() -> None:
    remembered = Remembered()
    entry = Entry(Drawing("job1", 1, "n1", form_nonce="f1", message_id="a1"), 1)
    remembered.put(entry)
    assert remembered.of_nonce("n1") is remembered.of_nonce("f1") is entry
    remembered.rename(entry, Drawing("job1", 1, "f1", message_id="a1"))
    assert (remembered.of_nonce("n1"), remembered.of_nonce("f1")) == (None, entry)
    assert remembered.of_link("message_id", "a1") is entry
    assert list(remembered.live()) == [entry]
