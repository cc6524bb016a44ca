"""One target under atheris: `python -m tests.fuzz.child TARGET [libFuzzer's options] CORPUS`. Ends with the process."""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    """Only our own decoding is instrumented: what libraries do inside leads nowhere."""
    with atheris.instrument_imports(include=["protocol", "core"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
