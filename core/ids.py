"""Ids: text that sorts by time, and nonces in Discord's form. The dice are an argument; nothing here is a secret."""

from __future__ import annotations

import random

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look alike
#: Milliseconds from Unix time to Discord's epoch (its reference, "Snowflakes").
DISCORD_EPOCH_MS = 1_420_070_400_000


def new_id(prefix: str, wall: float, rng: random.Random) -> str:
    """`prefix`, 9 characters of time (milliseconds) and 10 of chance: later ids sort after earlier ones."""
    return prefix + _digits(int(wall * 1000), 9) + _digits(rng.getrandbits(50), 10)


def new_nonce(wall: float, rng: random.Random) -> str:
    """A snowflake as a client makes it (19 of at most 25 digits): time in the high bits, chance in the low 22."""
    return str(((int(wall * 1000) - DISCORD_EPOCH_MS) << 22) | rng.getrandbits(22))


def _digits(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, 32)
        found = ALPHABET[digit] + found
    return found
