"""Telling: the answers in words, of `describe`, `shorten` and `info`: an embed and its buttons."""

from __future__ import annotations

import random
from typing import Any

from sim.grammar import NUMBERS, Buttons
from sim.job import Job
from sim.palette import SUBJECTS, words_of

STYLES = ("oil on linen", "a quiet gouache", "soft morning light", "in the manner of a woodcut", "wide and calm")
BLUE = 3447003
FILLER_WORDS = "a an the of in on at and with very really please some to for by is are"
FILLERS = frozenset(FILLER_WORDS.split())


def answer(job: Job, running: int) -> tuple[list[dict[str, Any]], Buttons | None]:
    """Embeds and buttons; `running` is how many drawings the account has under way."""
    if job.kind == "info":
        facts = {"Subscription": "Studio (Active)", "Job Mode": job.mode.capitalize(), "Running Jobs": str(running)}
        text = "\n".join(f"**{name}**: {value}" for name, value in facts.items())
        return [{"type": "rich", "title": "Your info", "description": text, "color": BLUE}], None
    kind, images = job.kind, job.images
    lines = shortened(job.prompt) if kind == "shorten" else described(images)
    embed: dict[str, Any] = {
        "type": "rich",
        "title": "Shortened prompts" if kind == "shorten" else "",
        "description": "\n\n".join(f"{number} {line}" for number, line in zip(NUMBERS, lines, strict=False)),
        "color": BLUE,
    }
    if images:
        embed["image"] = {"url": images[0], "width": 1024, "height": 1024}
    layout = "analysis" if kind == "shorten" else "reading"
    return [embed], Buttons(f"{layout} {len(lines)}", job.hash) if lines else None


def described(images: list[str]) -> list[str]:
    rng = random.Random("".join(images).partition("?")[0])
    return [f"a {rng.choice(SUBJECTS)}, {rng.choice(STYLES)} --ar 1:1" for _ in NUMBERS]


def shortened(prompt: str) -> list[str]:
    telling = [word for word in words_of(prompt) if word not in FILLERS] or words_of(prompt)
    return [" ".join(telling[:keep]) for keep in range(len(telling), max(0, len(telling) - len(NUMBERS)), -1)]
