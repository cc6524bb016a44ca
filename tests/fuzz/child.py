"""One target under atheris: `python -m tests.fuzz.child TARGET [libFuzzer's options] CORPUS`. Ends with the process."""

from __future__ import annotations

import json
import random
import sys

import atheris

from tests.fuzz.changes import NASTY, paths, replaced
from tests.fuzz.seeds import words

#: Of all changes, these are made where a JSON document has a field, the others anywhere in the bytes.
FIELDS_SHARE = 0.5
MARK = "here"


def main() -> None:
    """What is instrumented leads the search: our own decoding, and what it hands texts of others to."""
    with atheris.instrument_imports(include=["protocol", "core", "urllib.parse"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target, custom_mutator=mutated)
    atheris.Fuzz()


def mutated(data: bytes, size_max: int, seed: int) -> bytes:
    """Another field of another document, or whatever libFuzzer thinks of."""
    dice = random.Random(seed)
    lines = data.split(b"\n")
    place = dice.randrange(len(lines))
    if dice.random() < FIELDS_SHARE and (changed := changed_document(lines[place], dice)) is not None:
        lines[place] = changed
        return b"\n".join(lines)[:size_max]
    return bytes(atheris.Mutate(data, size_max))


def changed_document(line: bytes, dice: random.Random) -> bytes | None:
    """The document with one of its parts replaced; None for what is no document with parts."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    ways = list(paths(document))
    if not ways:
        return None
    text = json.dumps("".join(dice.choices(words(), k=dice.randint(1, 3)))).encode()
    way, nasty = dice.choice(ways), dice.choice([text, *NASTY])
    # JSON may spell characters that UTF-8 has no bytes for.
    return json.dumps(replaced(document, way, MARK)).encode().replace(json.dumps(MARK).encode(), nasty)


if __name__ == "__main__":
    main()
