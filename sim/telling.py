"""Telling: the answers in words, of `describe`, `shorten`, `info`, `settings`: embeds, buttons, or plain words."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from sim.grammar import NUMBERS, Buttons
from sim.job import Job
from sim.palette import SUBJECTS, words_of
from sim.preferences import Preference

STYLES = ("oil on linen", "a quiet gouache", "soft morning light", "in the manner of a woodcut", "wide and calm")
BLUE = 3447003
FILLER_WORDS = "a an the of in on at and with very really please some to for by is are"
FILLERS = frozenset(FILLER_WORDS.split())


class Told(msgspec.Struct, frozen=True):
    """What an answer shows."""

    content: str = ""
    embeds: list[dict[str, Any]] = []
    buttons: Buttons | None = None


def answer(job: Job, running: int, chosen: Preference) -> Told:
    """`running` is how many drawings the account has under way, `chosen` what it has set."""
    if job.kind == "info":
        return Told(
            embeds=[{"type": "rich", "title": "Your info", "description": info(running, chosen), "color": BLUE}]
        )
    if job.kind == "settings":
        return Told("Adjust your settings here.", buttons=Buttons(chosen.layout, job.hash))
    if job.kind == "prefer remix":
        state = "on! Click a variation to remix its prompt" if chosen.remix else "off"
        return Told(f"Remix mode turned {state}.")
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
    return Told(embeds=[embed], buttons=Buttons(f"{layout} {len(lines)}", job.hash) if lines else None)


def info(running: int, chosen: Preference) -> str:
    facts = {
        "Subscription": "Studio (Active)",
        "Job Mode": chosen.mode.capitalize(),
        "Visibility Mode": "Public",
        "Fast Time Remaining": "14.90/15.0 hours (99.33%)",
        "Lifetime Usage": "12 images (0.20 hours)",
        "Relaxed Usage": "0 images (0.00 hours)",
        "Queued Jobs (fast)": "0",
        "Queued Jobs (relax)": "0",
        "Running Jobs": str(running) if running else "None",
    }
    return "\n".join(f"**{name}**: {value}" for name, value in facts.items())


def described(images: list[str]) -> list[str]:
    rng = random.Random("".join(images).partition("?")[0])
    return [f"a {rng.choice(SUBJECTS)}, {rng.choice(STYLES)} --ar 1:1" for _ in NUMBERS]


def shortened(prompt: str) -> list[str]:
    telling = [word for word in words_of(prompt) if word not in FILLERS] or words_of(prompt)
    return [" ".join(telling[:keep]) for keep in range(len(telling), max(0, len(telling) - len(NUMBERS)), -1)]
