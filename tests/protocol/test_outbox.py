"""The outgoing queue: bounded, coalesced, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocol.frames import Done, Progress, Queued, ServerFrame, Started
from protocol.outbox import Outbox


def test_a_terminal_frame_drops_what_was_only_provisional() -> None:
    outbox = Outbox()
    done = Done(2, "j", (), (), 1.0)
    for frame, data in ((Queued(1, "j", 3, None), b"q"), (Progress(1, "j", 5), b"p"), (done, b"done")):
        assert outbox.put(frame, data)
    assert outbox.take() == [b"done"]


def test_what_does_not_fit_is_dropped_if_provisional_and_refused_if_not() -> None:
    outbox = Outbox(bytes_max=4)
    assert outbox.put(Started(1, "j"), b"1234")
    assert outbox.put(Progress(1, "j", 5), b"x")
    assert not outbox.put(Started(2, "k"), b"x")
    assert outbox.take() == [b"1234"]
    assert outbox.size_bytes == 0


FRAMES = st.builds(
    lambda kind, job, number: (
        Progress(number, job, number)
        if kind == "progress"
        else Queued(number, job, number, None)
        if kind == "queued"
        else Started(number, job)
    ),
    st.sampled_from(["progress", "queued", "started"]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 9),
)


@given(st.lists(FRAMES, max_size=60))
def test_nothing_stored_is_lost_or_reordered_and_the_newest_provisional_stays(frames: list[ServerFrame]) -> None:
    outbox = Outbox()
    for number, frame in enumerate(frames):
        assert outbox.put(frame, str(number).encode())
        assert outbox.size_bytes <= 2 * len(frames)
    taken = [int(data) for data in outbox.take()]
    assert taken == sorted(taken)
    newest = {(type(frame), frame.job): number for number, frame in enumerate(frames)}  # type: ignore[union-attr]
    stored = {number for number, frame in enumerate(frames) if isinstance(frame, Started)}
    provisional = {number for (kind, _), number in newest.items() if kind is not Started}
    assert set(taken) == stored | provisional
