"""Secret: a string that does not show itself."""

from __future__ import annotations


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
