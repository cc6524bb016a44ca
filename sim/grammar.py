"""Grammar: how the drawing bot writes (facts/midjourney.md, "Content shapes", "custom_ids"), as data in one place."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import msgspec

PERCENTS = (0, 15, 31, 46, 62, 78, 93)
MODES = {"--fast": "fast", "--relax": "relaxed", "--turbo": "turbo"}
MODE_OF_BUTTON = {"Fast": "fast", "Relax": "relaxed", "Turbo": "turbo"}
FLAG_NAMES = """
    ar aspect v version s stylize c chaos seed sameseed q quality no iw niji style tile weird w raw relax fast turbo
    sref cref sw sv cw p profile r repeat stop video draft hd oref ow exp stealth public motion loop zoom
"""
KNOWN_FLAGS = frozenset(FLAG_NAMES.split())
NUMBERS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣")
LINK = re.compile(r"https?://\S+")
FLAG = re.compile(r"(?:^|\s)--([A-Za-z]\w*)")


class Look(msgspec.Struct, frozen=True):
    """How a kind of drawing is written: words before the mention while it runs and when it is done, and whether a
    grid of four comes out of it. `share` of the configured seconds is what it takes."""

    running: str = ""
    done: str = ""
    grid: bool = True
    share: float = 1.0
    tells_mode: bool = True


# {index} is the tile 1–4, {tone} the word in brackets.
LOOKS = {
    "imagine": Look(),
    "blend": Look(),
    "reroll": Look(),
    "variation": Look("Variations ({tone}) by ", "Variations ({tone}) by "),
    "remix": Look("Remix ({tone}) by ", "Remix ({tone}) by "),
    "upscale": Look("", "Image #{index} ", grid=False, share=0.4, tells_mode=False),
    "upscale2x": Look("Upscaling ({tone}) by ", "Upscaled ({tone}) by ", grid=False, share=0.8),
    "pan": Look("Pan {tone} by ", "Pan {tone} by "),
    "zoom": Look("Zoom Out by ", "Zoom Out by "),
}


class Press(msgspec.Struct, frozen=True):
    """A pressed button: what for, on which job (hash), which tile, with what word."""

    kind: str
    hash: str
    index: int = 1
    tone: str = ""


# custom_id pattern (h: job hash, n: number, t: tone) → kind. The order is of no account: they exclude each other.
H = r"(?P<h>[0-9a-f-]{36})"
BUTTONS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (rf"MJ::JOB::upsample::(?P<n>[1-4])::{H}", "upscale"),
        (rf"MJ::JOB::variation::(?P<n>[1-4])::{H}", "variation"),
        (rf"MJ::JOB::reroll::0::{H}::SOLO", "reroll"),
        (rf"MJ::JOB::(?P<t>low|high)_variation::1::{H}::SOLO", "variation"),
        (rf"MJ::JOB::upsample_v6r1_2x_(?P<t>subtle|creative)::1::{H}::SOLO", "upscale2x"),
        (rf"MJ::JOB::pan_(?P<t>left|right|up|down)::1::{H}::SOLO", "pan"),
        (rf"MJ::Outpaint::(?P<t>50|75)::1::{H}::SOLO", "zoom"),
        (rf"MJ::CustomZoom::{H}", "custom_zoom"),
        (rf"MJ::Inpaint::1::{H}::SOLO", "inpaint"),
        (rf"MJ::CancelJob::ByJobid::{H}", "cancel"),
        (rf"MJ::BOOKMARK::{H}", "bookmark"),
        (r"MJ::Settings::(?P<t>Fast|Relax|Turbo|Remix|Reset)", "setting"),
        (r"MJ::Job::PicReader::(?P<n>[1-4])", "read"),
        (r"MJ::Job::PromptAnalyzer::(?P<n>[1-5])", "analyze"),
    )
)
TONES = {
    "": "Strong",
    "low": "Subtle",
    "high": "Strong",
    "subtle": "Subtle",
    "creative": "Creative",
    "left": "Left",
    "right": "Right",
    "up": "Up",
    "down": "Down",
    "50": "2x",
    "75": "1.5x",
}


def read_custom_id(custom_id: str) -> Press | None:
    for pattern, kind in BUTTONS:
        found = pattern.fullmatch(custom_id)
        if found:
            parts = found.groupdict()
            return Press(kind, parts.get("h") or "", int(parts.get("n") or 1), tone_of(parts.get("t") or ""))
    return None


def tone_of(word: str) -> str:
    return TONES.get(word, word)


# -- content -----------------------------------------------------------------------------------------------------------


def title(prompt: str, words: str, user_id: str, index: int, tone: str) -> str:
    bold = f"**{prompt}** - " if prompt else ""
    return f"{bold}{words.format(index=index, tone=tone)}<@{user_id}>"


def running_content(kind: str, prompt: str, user_id: str, index: int, tone: str, state: str, mode: str = "") -> str:
    """A message of a drawing that is not done: `state` is `Waiting to start`, `31%` or `Stopped`."""
    text = f"{title(prompt, LOOKS[kind].running, user_id, index, tone)} ({state})"
    return f"{text} ({mode})" if mode else text


def final_content(kind: str, prompt: str, user_id: str, index: int, tone: str, mode: str) -> str:
    text = title(prompt, LOOKS[kind].done, user_id, index, tone)
    return f"{text} ({mode})" if LOOKS[kind].tells_mode else text


def mode_of(prompt: str, default: str) -> str:
    words = prompt.split()
    return next((mode for flag, mode in MODES.items() if flag in words), default)


def unknown_flag(prompt: str) -> str | None:
    """The first `--flag` that the bot does not know."""
    return next((name for name in FLAG.findall(prompt) if name not in KNOWN_FLAGS), None)


def shown_prompt(prompt: str, rewrite: bool, rng: random.Random) -> str:
    """The prompt as the bot repeats it: without mode flags; rewritten as facts say when asked to."""
    kept = " ".join(word for word in prompt.split(" ") if word not in MODES)
    if not rewrite:
        return kept
    links = LINK.sub(lambda _: f"<https://s.mj.run/{rng.randbytes(8).hex()[:11]}>", kept)
    return "  ".join(links.split()) + " --v 7.0"


# -- components --------------------------------------------------------------------------------------------------------


def row(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(buttons)}


def button(custom_id: str, label: str | None = None, emoji: str | None = None, style: int = 2) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": 2, "style": style, "custom_id": custom_id}
    if label:
        shown["label"] = label
    if emoji:
        shown["emoji"] = {"name": emoji}
    return shown


def cancel_components(job: str) -> list[dict[str, Any]]:
    return [row(button(f"MJ::CancelJob::ByJobid::{job}", "Cancel Job", style=4))]


def grid_components(job: str) -> list[dict[str, Any]]:
    up = [button(f"MJ::JOB::upsample::{n}::{job}", f"U{n}") for n in range(1, 5)]
    vary = [button(f"MJ::JOB::variation::{n}::{job}", f"V{n}") for n in range(1, 5)]
    return [row(*up, button(f"MJ::JOB::reroll::0::{job}::SOLO", emoji="🔄")), row(*vary)]


def single_components(job: str) -> list[dict[str, Any]]:
    def solo(name: str) -> str:
        return f"MJ::{name}::1::{job}::SOLO"

    return [
        row(
            button(solo("JOB::upsample_v6r1_2x_subtle"), "Upscale (Subtle)", "🔼"),
            button(solo("JOB::upsample_v6r1_2x_creative"), "Upscale (Creative)", "🔼"),
        ),
        row(
            button(solo("JOB::low_variation"), "Vary (Subtle)", "🪄"),
            button(solo("JOB::high_variation"), "Vary (Strong)", "🪄"),
            button(solo("Inpaint"), "Vary (Region)", "🖌️"),
        ),
        row(
            button(solo("Outpaint::50"), "Zoom Out 2x", "🔍"),
            button(solo("Outpaint::75"), "Zoom Out 1.5x", "🔍"),
            button(f"MJ::CustomZoom::{job}", "Custom Zoom", "🔍"),
        ),
        row(
            *(
                button(solo(f"JOB::pan_{way}"), emoji=arrow)
                for way, arrow in (("left", "⬅️"), ("right", "➡️"), ("up", "⬆️"), ("down", "⬇️"))
            ),
            button(f"MJ::BOOKMARK::{job}", emoji="❤️"),
        ),
        row({"type": 2, "style": 5, "label": "Web", "url": f"https://www.midjourney.com/jobs/{job}"}),
    ]


def reading_components(lines: int, job: str) -> list[dict[str, Any]]:
    """A number for each line of a description; the bot does not say there whose job it was."""
    return [row(*(button(f"MJ::Job::PicReader::{n}", emoji=NUMBERS[n - 1]) for n in range(1, lines + 1)))]


def analysis_components(lines: int, job: str) -> list[dict[str, Any]]:
    """The same under shortened prompts."""
    return [row(*(button(f"MJ::Job::PromptAnalyzer::{n}", emoji=NUMBERS[n - 1]) for n in range(1, lines + 1)))]


def settings_components(mode: str, remix: bool, job: str) -> list[dict[str, Any]]:
    """What `/settings` shows: what is chosen is green."""

    def setting(word: str, label: str, chosen: bool) -> dict[str, Any]:
        return button(f"MJ::Settings::{word}", label, style=3 if chosen else 2)

    modes = [setting(word, f"{word} mode", mode == name) for word, name in MODE_OF_BUTTON.items()]
    reset = button("MJ::Settings::Reset", "Reset Settings", style=4)
    return [row(*modes), row(setting("Remix", "Remix mode", remix), reset)]


def result_components(kind: str, job: str) -> list[dict[str, Any]]:
    return grid_components(job) if LOOKS[kind].grid else single_components(job)


class Buttons(msgspec.Struct, frozen=True):
    """The components under a message: how they are laid out, and the hash of the job they speak of.

    A message keeps these two words, not dozens of maps, and is shown with its layout's text, made once.
    """

    layout: str
    job: str

    def components(self) -> list[dict[str, Any]]:
        return LAYOUTS[self.layout](self.job)

    def shown(self) -> msgspec.Raw:
        """The components as Discord sends them, JSON."""
        return msgspec.Raw(text_of(self.layout).replace(HASH_HERE.encode(), self.job.encode()))


def result_buttons(kind: str, job: str) -> Buttons:
    return Buttons("grid" if LOOKS[kind].grid else "single", job)


HASH_HERE = "hash-goes-here"
LAYOUTS: dict[str, Callable[[str], list[dict[str, Any]]]] = {
    "cancel": cancel_components,
    "grid": grid_components,
    "single": single_components,
    **{f"reading {lines}": partial(reading_components, lines) for lines in range(1, len(NUMBERS) + 1)},
    **{
        f"settings {mode} {word}": partial(settings_components, mode, word == "remix")
        for mode in MODE_OF_BUTTON.values()
        for word in ("plain", "remix")
    },
    **{f"analysis {lines}": partial(analysis_components, lines) for lines in range(1, len(NUMBERS) + 1)},
}


@cache
def text_of(layout: str) -> bytes:
    return msgspec.json.encode(numbered(LAYOUTS[layout](HASH_HERE)))


def numbered(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows and their parts with the `id` that Discord gives each, from 1 in order of reading."""
    ids = itertools.count(1)
    return [
        {"id": next(ids), **line, "components": [{"id": next(ids), **part} for part in line["components"]]}
        for line in components
    ]


def result_filename(user_name: str, prompt: str, job: str) -> str:
    """`name_words_of_the_prompt_HASH.png`: the hash stands after the last underscore."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", prompt).strip("_")[:60].strip("_")
    return "_".join(part for part in (user_name.replace("-", ""), words, job) if part) + ".png"


def has_button(components: list[dict[str, Any]], custom_id: str) -> bool:
    return any(part.get("custom_id") == custom_id for line in components for part in line["components"])
