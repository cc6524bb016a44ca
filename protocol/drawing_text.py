"""The drawing bot's grammar as data: contents, titles, custom ids and file names.

Nobody documents it; it was read from public projects that drive the bot and from what they recorded. All of it is
here, so that a change of the bot is a change of a table. Prompts come back rewritten: they are never an identity.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec

# Both cases are spelled out: re.I takes three times as long.
_HEX = "[0-9a-fA-F]"
_UUID = re.compile(rf"(?<!{_HEX}){_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}(?!{_HEX})")
# Twice what Discord lets anyone write. Beyond it is no message of the bot's, and some patterns take the square of it.
CONTENT_CHARS_MAX = 8_192
# Of what stands in parentheses after the mention, so much is remembered at most.
NOTES_COUNT_MAX, NOTES_CHARS_MAX = 1_024, 64
# A prompt may hold `** - ` itself: the last one ends it.
_CONTENT = re.compile(r"\s*\*\*(?P<prompt>.*)\*\*\s+-\s+(?P<tail>.*)", re.S)
# A blend may have no prompt at all; then its message begins with what was done, or with the mention.
_DONE = r"Image #\d|[A-Z][a-z]+(?: [A-Z][a-z]+)?(?: \([^()]*\))? by"
_NO_PROMPT = re.compile(rf"\s*(?P<tail>(?:(?:{_DONE})\s*)?<@!?\d+>\s*(?:\(.*)?)", re.S)
_MENTION = re.compile(r"<@!?(?P<user>\d+)>")
_FOOTER = re.compile(r"\n-# .*", re.S)
_LINK = re.compile(r"\[[^\[\]]*\]\(<?[^)]{0,2000}\)")
_PARENTHESIS = re.compile(r"\(([^()]*)\)")
_IMAGE_NUMBER = re.compile(r"Image #(\d)\b")
_PERCENT = re.compile(r"(\d{1,3})%")
_MODES = {"fast": "fast", "relaxed": "relax", "relax": "relax", "turbo": "turbo"}

FAILED_CONTENT = "failed to process your command"
RED = 16_711_680
WARNING = frozenset({16_776_960, 16_239_475})


Stage: TypeAlias = Literal["waiting", "progress", "stopped", "final"]


class Content(msgspec.Struct, frozen=True, gc=False):
    """What a message says: `stage` of its drawing, and whose it is.

    `head` is what was done where it was no plain prompt (`Image #2`, `Variations (Strong) by`); `percent` is 0-100.
    """

    prompt: str
    stage: Stage
    user_id: str | None
    head: str = ""
    image_number: int | None = None
    percent: int | None = None
    mode: str | None = None


def read_content(content: str) -> Content | None:
    """The meaning of a bot message's text; None if it is not one about a drawing."""
    if len(content) > CONTENT_CHARS_MAX:
        return None
    match = _CONTENT.fullmatch(content)
    if match is not None:
        prompt, tail = match.groups()
    elif (match := _NO_PROMPT.fullmatch(content)) is not None:
        prompt, tail = "", match["tail"]
    else:
        return None
    if "\n-# " in tail:
        tail = _FOOTER.sub("", tail)
    if "](" in tail:
        tail = _LINK.sub("", tail)
    mention = _MENTION.search(tail)
    head, rest = (tail[: mention.start()], tail[mention.end() :]) if mention else ("", tail)
    named = head or tail
    number = _IMAGE_NUMBER.search(named) if "#" in named else None
    read_notes = _read_notes if len(rest) <= NOTES_CHARS_MAX else _read_notes.__wrapped__
    stage, percent, mode = read_notes(rest)
    return Content(
        prompt=prompt,
        stage=stage,
        user_id=mention["user"] if mention else None,
        head=head.strip() if head else "",
        image_number=int(number[1]) if number else None,
        percent=percent,
        mode=mode,
    )


@lru_cache(NOTES_COUNT_MAX)
def _read_notes(rest: str) -> tuple[Stage, int | None, str | None]:
    """What the parentheses after the mention say: the stage, the percent (0-100) and the mode.

    Hardly more than a hundred percents in a few modes: the same few hundred texts come all day, and are remembered.
    """
    notes = _PARENTHESIS.findall(rest)
    stage: Stage = "final"
    percent = mode = None
    for note in map(str.lower, map(str.strip, notes)):
        if note == "waiting to start":
            stage = "waiting"
        elif note == "stopped":
            stage = "stopped" if stage == "final" else stage
        elif percent is None and note.endswith("%") and _PERCENT.fullmatch(note):
            percent = min(int(note[:-1]), 100)
        elif mode is None:
            mode = _MODES.get(note.partition(",")[0])
    if percent is not None and stage != "waiting":
        stage = "progress"
    return stage, percent, mode


def hash_in(text: str) -> str | None:
    """The job's hash (a uuid) in a file name, URL or custom id; None if there is none.

    A file is named after its prompt, which may hold a uuid too: the hash is the last one of the name, and only where
    the name has none (`/h/0_0.png`) the last of the path. The query holds signatures, never a hash.
    """
    path = text.partition("?")[0]
    found = _UUID.findall(path.rpartition("/")[2]) or _UUID.findall(path)
    return found[-1].lower() if found else None


# --- failures ---


class Verdict(msgspec.Struct, frozen=True):
    """What an embed's title means: our code (CONTRACT section 3), and what follows.

    `retry`: the bot surely did not draw it and may do so on another try. `pauses_account`: a human must look.
    """

    code: str
    fault_of_user: bool = False
    pauses_account: bool = False
    retry: bool = False


_USER = Verdict("upstream_rejected", fault_of_user=True)
_UNPAID = Verdict("upstream_blocked", pauses_account=True, retry=True)
# "You have been blocked from accessing Midjourney": that is of the account, and offers nothing that would draw it yet.
_BLOCKED = Verdict("upstream_blocked", pauses_account=True, retry=True)
# These offer buttons (Acknowledge, Resubmit, Appeal, a captcha's page), and public clients that press them wait on for
# the drawing: after a human has answered, the bot may draw what it held back. No second attempt.
_NOTICE = Verdict("upstream_blocked", pauses_account=True)
_BOT = Verdict("upstream_rejected")

# The beginnings of titles, in lower case, the first that fits counts.
TITLES: tuple[tuple[str, Verdict], ...] = (
    ("banned prompt", Verdict("banned_prompt", fault_of_user=True)),
    ("invalid prompt", _USER),
    ("invalid parameter", _USER),
    ("invalid link", _USER),
    ("duplicate images", _USER),
    ("queue full", Verdict("upstream_rejected", retry=True)),
    # The filter judged the picture, which the user could not foresee.
    ("request cancelled due to output filters", _BOT),
    ("credits exhausted", _UNPAID),
    ("subscription required", _UNPAID),
    ("subscription paused", _UNPAID),
    ("plan cancelled", _UNPAID),
    ("plan canceled", _UNPAID),
    ("blocked", _BLOCKED),
    ("pending mod message", _NOTICE),
    ("tos not accepted", _NOTICE),
    ("action needed to continue", _NOTICE),
    ("action required to continue", _NOTICE),
    ("sorry! could not complete the job", _BOT),
)
# Looks like a warning and is none: the bot will draw it when the account has a free slot.
POSTPONED_TITLES = ("job queued",)
UNKNOWN_FAILURE = _BOT


def verdict_on(title: str) -> Verdict | None:
    """What a title means; None for a title that is no known failure."""
    lowered = title.strip().lower()
    return next((verdict for beginning, verdict in TITLES if lowered.startswith(beginning)), None)


# --- buttons ---


class Offer(msgspec.Struct, frozen=True):
    """Something the bot can do next: our name of it, the picture's number, a label, and the button's custom id, which
    is never shown to users."""

    action: str
    index: int | None
    label: str
    custom_id: str


class _Button(msgspec.Struct, frozen=True):
    #: What the pattern begins with literally: most buttons are told apart by it, in a tenth of the time.
    prefix: str
    pattern: re.Pattern[str]
    action: str
    label: str
    numbered: bool = False


def _button(pattern: str, action: str, label: str, numbered: bool = False) -> _Button:
    prefix = re.split(r"[\\(.]", pattern, maxsplit=1)[0]
    return _Button(prefix, re.compile(pattern), action, label, numbered)


# `{}` in a label is the picture's number. Buttons that are not here (bookmark, links) are not offered.
BUTTONS: tuple[_Button, ...] = (
    _button(r"MJ::JOB::upsample::(?P<n>[1-4])::.+", "upscale", "U{}", numbered=True),
    _button(r"MJ::JOB::variation::(?P<n>[1-4])::.+", "variation", "V{}", numbered=True),
    _button(r"MJ::JOB::reroll::0::.+", "reroll", "Draw again"),
    _button(r"MJ::JOB::low_variation::\d::.+", "vary_subtle", "Vary (Subtle)"),
    _button(r"MJ::JOB::high_variation::\d::.+", "vary_strong", "Vary (Strong)"),
    _button(r"MJ::JOB::upsample_\w+_subtle::\d::.+", "upscale_subtle", "Upscale (Subtle)"),
    _button(r"MJ::JOB::upsample_\w+_creative::\d::.+", "upscale_creative", "Upscale (Creative)"),
    _button(r"MJ::JOB::upsample_\w+_2x::\d::.+", "upscale_2x", "Upscale (2x)"),
    _button(r"MJ::JOB::upsample_\w+_4x::\d::.+", "upscale_4x", "Upscale (4x)"),
    _button(r"MJ::JOB::pan_left::\d::.+", "pan_left", "Pan left"),
    _button(r"MJ::JOB::pan_right::\d::.+", "pan_right", "Pan right"),
    _button(r"MJ::JOB::pan_up::\d::.+", "pan_up", "Pan up"),
    _button(r"MJ::JOB::pan_down::\d::.+", "pan_down", "Pan down"),
    _button(r"MJ::Outpaint::50::\d::.+", "zoom_out_2x", "Zoom out 2x"),
    _button(r"MJ::Outpaint::75::\d::.+", "zoom_out_1_5x", "Zoom out 1.5x"),
    _button(r"MJ::Outpaint::100::\d::.+", "make_square", "Make square"),
    _button(r"MJ::CustomZoom::.+", "custom_zoom", "Custom zoom"),
    _button(r"MJ::Inpaint::\d::.+", "vary_region", "Vary (Region)"),
    _button(r"MJ::Job::PicReader::(?P<n>[1-4])(?:::.*)?", "draw_description", "Draw {}", numbered=True),
    _button(r"MJ::Job::PromptAnalyzer::(?P<n>[1-5])(?:::.*)?", "draw_shortened", "Draw {}", numbered=True),
)
# By how they begin, so that a button is held against the few that it may be.
_BEGINNING = min(len(button.prefix) for button in BUTTONS)
_ALIKE: dict[str, list[_Button]] = {}
for _known in BUTTONS:
    _ALIKE.setdefault(_known.prefix[:_BEGINNING], []).append(_known)
_CANCEL_PREFIX = "MJ::CancelJob::ByJobid::"


def offer_of(custom_id: str) -> Offer | None:
    """What a button offers; None for a button we do not offer."""
    for button in _ALIKE.get(custom_id[:_BEGINNING], ()):
        if custom_id.startswith(button.prefix) and (match := button.pattern.fullmatch(custom_id)):
            index = int(match["n"]) if button.numbered else None
            return Offer(button.action, index, button.label.format(index), custom_id)
    return None


def is_cancel(custom_id: str) -> bool:
    return custom_id.startswith(_CANCEL_PREFIX) and len(custom_id) > len(_CANCEL_PREFIX)


# --- seeds: asked for by a reaction to the result, told in a direct message ---

SEED_EMOJI = "✉️"
_SEED = re.compile(rf"Job ID\W*({_UUID.pattern})\W+seed\W*(\d+)", re.I)


def seed_offer(job_hash: str) -> Offer:
    """What stands for asking the seed of a result: no button, so its "custom id" is ours (`is_seed`)."""
    return Offer("seed", None, "Seed", f"{SEED_EMOJI}::{job_hash}")


def is_seed(custom_id: str) -> bool:
    return custom_id.startswith(SEED_EMOJI)


def seed_in(content: str) -> tuple[str, str] | None:
    """(hash, seed) of a direct message that tells one; a prompt before it may pretend to be it, so the last counts."""
    found = _SEED.findall(content)
    return (found[-1][0].lower(), found[-1][1]) if found else None
