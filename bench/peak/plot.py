"""Plot."""

from __future__ import annotations


def draw(path, plan, book, samples) -> None:
    path.write_text("<svg/>")
