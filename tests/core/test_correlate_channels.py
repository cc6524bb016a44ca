"""Replies in thousands of seeded bad channels, by bots that repeat, forget, reorder and are asked the same twice."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import correlate as c
from core.correlate import Correlator
from core.signs import Drawing, Ended, Finding, Late, Moved, Sign, Stage


class Channel(msgspec.Struct, frozen=True):
    """How bad a channel is: chances of 0-1, and switches."""

    metadata: float
    final_nonce: float
    previews: float
    success: float
    deletes: float
    duplicates: float
    closes: float
    refusals: float
    shuffle: bool
    hashes: bool
    forms: float = 0.0
    regions: float = 0.0


def press_of(name: str, channel: Channel) -> str:
    """How a drawing is begun, the same for whoever asks: plainly, by a form that its press opens, or by a page."""
    share = random.Random(f"{name} {channel}").random()
    return "form" if share < channel.forms else "region" if share < channel.forms + channel.regions else "plain"


def drawing_of(name: str, channel: Channel) -> Drawing:
    """As an account would open it: a region's own nonce is seen nowhere."""
    return {
        "plain": Drawing(f"job{name}", 1, f"n{name}"),
        "form": Drawing(f"job{name}", 1, f"n{name}", form_nonce=f"f{name}"),
        "region": Drawing(f"job{name}", 1, f"unseen{name}"),
    }[press_of(name, channel)]


def prelude(name: str, channel: Channel, correlator: Correlator, now: float) -> tuple[Finding, ...]:
    """What happens between the press and the drawing."""
    match press_of(name, channel):
        case "form":
            found = correlator.observe(Sign(Stage.TRACED, nonce=f"n{name}", interaction_id=f"p{name}"), now)
            correlator.reopen(f"job{name}", 1)
            return found
        case "region":
            return correlator.link(f"job{name}", 1, f"i{name}", now)
    return ()


def story(name: str, channel: Channel, rng: random.Random) -> list[Sign | None]:
    """What the bot does for one drawing, in order; None stands for our closing it."""

    def maybe(chance: float, value: str) -> str | None:
        return value if rng.random() < chance else None

    interaction = f"i{name}"
    press = press_of(name, channel)
    nonce = f"f{name}" if press == "form" else f"n{name}" if press == "plain" else None
    signs: list[Sign | None] = []
    if press == "form":  # the press is told once more: no evidence of its answer
        signs.append(Sign(Stage.TRACED, nonce=f"n{name}", interaction_id=f"p{name}"))
    if nonce is not None and rng.random() < channel.success:
        signs.append(Sign(Stage.TRACED, nonce=nonce, interaction_id=interaction))
    metadata = maybe(channel.metadata, interaction)
    signs.append(Sign(Stage.WAITING, f"a{name}", nonce, metadata))
    for percent in (15, 46, 93):
        preview = maybe(channel.previews, f"h{name}")
        signs.append(Sign(Stage.PROGRESS, f"a{name}", None, metadata, preview, percent=percent, parcel=name))
    if rng.random() < channel.closes:
        signs.append(None)
    if rng.random() < channel.refusals:
        return [*signs, Sign(Stage.REFUSED, message_id=f"a{name}", parcel=name)]
    signs.append(
        Sign(
            Stage.FINISHED,
            message_id=f"b{name}",
            parcel=name,
            nonce=None if nonce is None else maybe(channel.final_nonce, nonce),
            interaction_id=metadata,
            hash=f"h{name}" if channel.hashes else None,
        )
    )
    if rng.random() < channel.deletes:
        signs.append(Sign(Stage.DELETED, message_id=f"a{name}"))
    return signs


def play(channel: Channel, seed: int, drawing_count: int) -> tuple[set[str], set[str]]:
    """Runs a channel; asserts that nothing was swapped or given twice. Returns (jobs ended, jobs closed by us)."""
    rng = random.Random(seed)
    correlator = Correlator()
    schedule: list[tuple[float, str, Sign | None]] = []
    opens: list[tuple[float, str]] = []
    for number in range(drawing_count):
        name, at = str(number), rng.uniform(0, 100)
        opens.append((at, name))
        for step, sign in enumerate(story(name, channel, rng), start=1):
            when = at + (rng.uniform(0.01, 90) if channel.shuffle else step * rng.uniform(5, 6))
            schedule.append((when, name, sign))
            if sign is not None and rng.random() < channel.duplicates:
                schedule.append((when + rng.uniform(0, 60), name, sign))
    moments: list[tuple[float, str, Sign | None, bool]] = [(at, name, None, True) for at, name in opens]
    moments += [(at, name, sign, False) for at, name, sign in schedule]
    findings: list[Finding] = []
    closed: set[str] = set()
    now = 0.0
    for now, name, sign, is_open in sorted(moments, key=lambda moment: moment[0]):
        if is_open:
            correlator.open(drawing_of(name, channel))
            findings += prelude(name, channel, correlator, now)
        elif sign is None:
            closed.add(f"job{name}")
            findings += correlator.close(f"job{name}", 1, now)
        else:
            findings += correlator.observe(sign, now)
        findings += correlator.sweep(now)
    findings += correlator.sweep(now + c.SETTLE_S)
    findings += correlator.sweep(now + c.HELD_S_MAX + c.SETTLE_S)
    outcomes = [found for found in findings if isinstance(found, Ended | Late | Moved)]
    swaps = [found for found in outcomes if found.job_id != f"job{found.sign.parcel}"]
    assert swaps == []
    ended = [found.job_id for found in findings if isinstance(found, Ended)]
    assert len(ended) == len(set(ended))
    return set(ended), closed


def crash(before: Correlator, ended: list[Ended], closed: dict[str, Drawing], knows: bool) -> Correlator:
    """A new process: what was stored is restored, and the results given so far are known, or are not."""
    after = Correlator(born=0.0)
    for drawing in before.drawings():
        assert after.restore(drawing, 0.0) == ()
    if knows:
        for drawing in closed.values():
            assert after.restore(drawing, 0.0, closed_at=0.0) == ()
        after.recall(found.sign.message_id or "" for found in ended)
    return after


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("block", range(5))
def test_a_restart_and_a_look_at_the_history_swap_nothing(block: int, knows: bool) -> None:
    for seed in range(block * 100, (block + 1) * 100):
        rng = random.Random(seed)
        channel = msgspec.structs.replace(bad_channel(rng), closes=0.2)
        correlator = Correlator(())
        events: list[tuple[float, str, Sign | None, bool]] = []
        for number in range(rng.randint(2, 7)):
            name, at = str(number), rng.uniform(0, 100)
            events.append((at, name, None, True))
            for step, sign in enumerate(story(name, channel, rng), start=1):
                events.append((at + step * rng.uniform(5, 6), name, sign, False))
        crash_at, posted = rng.uniform(10, 140), []
        findings: list[Finding] = []
        closed: dict[str, Drawing] = {}
        for now, name, sign, is_open in sorted(events, key=lambda event: event[0]):
            if now >= crash_at:
                ended = [found for found in findings if isinstance(found, Ended)]
                correlator, crash_at = crash(correlator, ended, closed, knows), float("inf")
                for shown in posted:
                    # History shows no nonce, and shows what was given out before.
                    findings += correlator.observe(msgspec.structs.replace(shown, nonce=None), now)
                findings += correlator.sweep(now + c.SETTLE_S)
            if is_open:
                correlator.open(drawing_of(name, channel))
                findings += prelude(name, channel, correlator, now)
            elif sign is None:
                closed |= {found.nonce: found for found in correlator.drawings() if found.job_id == f"job{name}"}
                findings += correlator.close(f"job{name}", 1, now)
            else:
                posted += [sign] if sign.stage is Stage.FINISHED else []
                findings += correlator.observe(sign, now)
            findings += correlator.sweep(now)
        findings += correlator.sweep(1_000.0)
        given = [found for found in findings if isinstance(found, Ended)]
        assert [found for found in given if found.job_id != f"job{found.sign.parcel}"] == []


def bad_channel(rng: random.Random) -> Channel:
    chances = [rng.choice((0.0, 0.3, 0.7, 1.0)) for _ in range(6)]
    closes, refusals = rng.choice((0.0, 0.2)), rng.choice((0.0, 0.2))
    acts = {"forms": rng.choice((0.0, 0.3)), "regions": rng.choice((0.0, 0.3))}
    shuffle, hashes = rng.random() < 0.6, rng.random() < 0.8
    return Channel(*chances, closes=closes, refusals=refusals, shuffle=shuffle, hashes=hashes, **acts)


@pytest.mark.parametrize("block", range(20))
def test_equal_prompts_are_never_swapped_in_any_bad_channel(block: int) -> None:
    for seed in range(block * 150, (block + 1) * 150):
        rng = random.Random(seed)
        play(bad_channel(rng), seed, drawing_count=rng.randint(2, 9))


@pytest.mark.parametrize("block", range(5))
def test_with_metadata_every_drawing_ends_however_bad_the_order(block: int) -> None:
    for seed in range(block * 60, (block + 1) * 60):
        rng = random.Random(seed)
        bad = bad_channel(rng)
        channel = msgspec.structs.replace(bad, metadata=1.0, closes=0.0)
        count = rng.randint(2, 9)
        ended, _ = play(channel, seed, count)
        assert ended == {f"job{number}" for number in range(count)}


CHANCE = st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0])


@settings(max_examples=200, deadline=None)
@given(
    channel=st.builds(
        Channel,
        metadata=CHANCE,
        final_nonce=CHANCE,
        previews=CHANCE,
        success=CHANCE,
        deletes=CHANCE,
        duplicates=CHANCE,
        closes=CHANCE,
        refusals=CHANCE,
        shuffle=st.booleans(),
        hashes=st.booleans(),
        forms=st.sampled_from([0.0, 0.5]),
        regions=st.sampled_from([0.0, 0.5]),
    ),
    seed=st.integers(0, 2**32),
    drawing_count=st.integers(1, 7),
)
def test_no_channel_swaps_pictures(channel: Channel, seed: int, drawing_count: int) -> None:
    ended, closed = play(channel, seed, drawing_count)
    assert len(ended | closed) <= drawing_count
