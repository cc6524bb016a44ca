"""Asked: what an interaction wants of the drawing bot, checked, and what will be painted for it."""

from __future__ import annotations

import msgspec

from sim.job import Job
from sim.messages import Message
from sim.studio import Recipe


class Asked(msgspec.Struct):
    """A checked interaction. `form`: it opens this form (sim.forms) before anything is drawn."""

    kind: str
    prompt: str
    type: int
    index: int = 1
    tone: str = ""
    name: str | None = None
    message: Message | None = None
    parent: Job | None = None
    images: list[str] = []
    form: str = ""


def recipe_for(kind: str, prompt: str, index: int, tone: str, parent: Job | None, nonce: str) -> Recipe:
    """What will be painted: a new composition, a parent's tile alone, or a parent's tile varied."""
    source = parent.recipe if parent is not None and parent.is_drawing else None
    if source is None or kind in ("imagine", "blend", "reroll"):
        return Recipe(prompt, nonce, f"{prompt}\0{nonce}")
    if kind == "upscale":
        return Recipe(prompt, nonce, source.seed, source.twist, index)
    if kind == "upscale2x":
        return Recipe(prompt, nonce, source.seed, source.twist, source.tile or 1)
    # A composition that was varied before is kept as it is, else it is that of the tile.
    seed = source.seed if source.twist else f"{source.seed}\0{source.tile or index}"
    return Recipe(prompt, nonce, seed, f"{kind} {tone} {nonce}")
