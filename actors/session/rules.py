"""Rules: which orders a session refuses before anybody is troubled with them. Pure, save for reading the words once.

Length and shape were checked by protocol.client; here are the operator's own rules (CONTRACT §2 `[prompts]`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from protocol.client import Act, Draw
from protocol.mistakes import ClientMistake

#: `--ar`, `--no`, also with the long dashes that phones make of two short ones.
FLAG = re.compile(r"(?:^|\s)(?:--|—|–)([A-Za-z][A-Za-z0-9_]*)")
WORD = re.compile(r"\w+")


def check_order(order: Draw | Act, words: tuple[str, ...], flags: tuple[str, ...] | None) -> None:
    """Raises ClientMistake `banned_prompt` or `bad_prompt` for what the operator does not want drawn.

    `words` are folded (`folded`) words or phrases; `flags` are the names allowed after `--`, None: all.
    """
    prompt = order.prompt or ""
    if words and banned_word(prompt, words) is not None:
        raise ClientMistake("banned_prompt", "The prompt holds a word that is not drawn here.", order.ref)
    unknown = unknown_flag(prompt, flags)
    if unknown is not None:
        raise ClientMistake("bad_prompt", f"--{unknown} is not allowed here; leave it out.", order.ref)


def banned_word(prompt: str, words: tuple[str, ...]) -> str | None:
    """The first of the folded words or phrases that stands in the prompt as whole words, else None.

    In a script without spaces between words (Chinese, Japanese, Thai…) a part of the text counts too.
    """
    text = f" {folded(prompt)} "
    for word in words:
        if f" {word} " in text or (word in text and not word.isascii() and not _has_spaces_between_words(word)):
            return word
    return None


def unknown_flag(prompt: str, flags: tuple[str, ...] | None) -> str | None:
    """The first flag that is not among the allowed ones; None when all are."""
    if flags is None:
        return None
    allowed = {flag.lstrip("-").lower() for flag in flags}
    return next((found for found in FLAG.findall(prompt) if found.lower() not in allowed), None)


def folded(text: str) -> str:
    """The words of a text, in one case and one width, single spaces between: tricks with letters do not help."""
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def banned_words(path: str | None) -> tuple[str, ...]:
    """The folded words of the operator's file, a word or phrase a line, `#` for remarks; read again when it changed."""
    return () if path is None else _read_words(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_words(path: str, changed_at: int) -> tuple[str, ...]:
    lines = (line.partition("#")[0] for line in Path(path).read_text(encoding="utf-8").splitlines())
    return tuple(sorted({word for line in lines if (word := folded(line))}))


def _has_spaces_between_words(word: str) -> bool:
    """Whether the word's script separates words: Latin, Cyrillic, Greek, Arabic, Hebrew… do."""
    return unicodedata.name(word[0], "").split(" ")[0] in {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "ARMENIAN"}
