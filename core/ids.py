"""Ids: text that sorts by time, and nonces in Discord's form. The dice are an argument; nothing here is a secret."""

from __future__ import annotations

import random

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look alike
_DIGITS = frozenset(ALPHABET)
#: Milliseconds from Unix time to Discord's epoch (its reference, "Snowflakes").
DISCORD_EPOCH_MS = 1_420_070_400_000


TIME_CHARS, CHANCE_CHARS = 9, 10
NONCE_CHANCE_BITS = 22
#: How far the next nonce of a millisecond may be from the latest: a thousand of them move its time by a tenth of one.
NONCE_STEP_BITS = 10


def new_id(prefix: str, wall: float, rng: random.Random, after: str = "") -> str:
    """`prefix`, 9 characters of time (milliseconds) and 10 of chance: later ids sort after earlier ones.

    `after`: the latest id of this kind, which the new one sorts after whatever the clock says: in the same millisecond,
    and when the clock was set back. The time in it is then a little more than the latest one's.
    """
    chance = _digits(rng.getrandbits(50), CHANCE_CHARS)
    made = prefix + _digits(int(wall * 1000), TIME_CHARS) + chance
    if made > after or (latest_ms := _ms_in(after)) is None:
        return made
    return prefix + _digits(latest_ms + 1, TIME_CHARS) + chance


def first_id(prefix: str, wall: float) -> str:
    """What sorts before every id made at `wall` (Unix seconds) or later, and after all that were made before."""
    return prefix + _digits(int(wall * 1000), TIME_CHARS)


def time_of(made: str) -> float:
    """The time (Unix seconds) in an id of `new_id`; 0 when it is not of its making."""
    return (_ms_in(made) or 0) / 1000


def new_nonce(wall: float, rng: random.Random, after: str = "") -> str:
    """A snowflake as a client makes it (19 of at most 25 digits): time in the high bits, chance in the low 22.

    `after`: the latest nonce of this maker, which the new one is greater than, by two at least (the one between is for
    the answer to a form). For 22 bits are few where many are made in a millisecond: thirty at a time, as the Queue does
    when a group of leases was stored, gave one nonce twice in 240,000.
    """
    made = ((int(wall * 1000) - DISCORD_EPOCH_MS) << NONCE_CHANCE_BITS) | rng.getrandbits(NONCE_CHANCE_BITS)
    if after and made < int(after) + 2:
        made = int(after) + 2 + rng.getrandbits(NONCE_STEP_BITS)
    return str(made)


def _ms_in(made: str) -> int | None:
    digits = made[-(TIME_CHARS + CHANCE_CHARS) :]
    if len(digits) < TIME_CHARS + CHANCE_CHARS or not set(digits) <= _DIGITS:
        return None
    number = 0
    for digit in digits[:TIME_CHARS]:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    return number


def _digits(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, 32)
        found = ALPHABET[digit] + found
    return found
