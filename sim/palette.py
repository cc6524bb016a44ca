"""Palette: what the words of a prompt mean for a picture."""

from __future__ import annotations

import re

WORD = re.compile(r"[\w']+")
SUBJECTS = ("mountain", "sea", "forest", "city", "flower", "fox", "lighthouse", "river", "desert", "snowfield")


def words_of(prompt: str) -> list[str]:
    return WORD.findall(prompt.lower())
