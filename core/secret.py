"""Secret: a string that does not show itself."""

from __future__ import annotations

import base64

KEY_BYTES_MIN = 32


class Secret(str):
    """A string that does not show itself: use `reveal()` at the wire, and nowhere else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return format("…", spec)

    def reveal(self) -> str:
        """The secret itself, as a plain string."""
        return "".join(self)


def key_bytes(key: Secret) -> bytes:
    """The bytes of a key of the config: base64, the plain kind or the URL's. Raises ValueError, saying what to do."""
    text = key.reveal().strip().translate(str.maketrans("-_", "+/"))
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        found = b""
    if len(found) < KEY_BYTES_MIN:
        raise ValueError(
            f"write {KEY_BYTES_MIN} random bytes in base64, as `openssl rand -base64 {KEY_BYTES_MIN}` makes"
        )
    return found
