"""Which Limner this is, and whether another one may give it instructions."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

#: The header in which `limner admin` and `limner console` say of which version they are.
HEADER = "Limner-Version"
UNKNOWN = "0"


@cache
def own_version() -> str:
    """Of this installation; UNKNOWN when it is none."""
    try:
        return version("limner")
    except PackageNotFoundError:
        return UNKNOWN


def understands(ours: str, theirs: str) -> bool:
    """Whether both mean the same by an instruction: versions that differ in no more than their third number do."""
    return ours.split(".")[:2] == theirs.split(".")[:2]
