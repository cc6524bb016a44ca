"""The fuzzer: `python -m tests.fuzz [--seconds 60] [TARGET…]`, as `make fuzz` runs it.

Each target of `tests.fuzz.targets` is searched by atheris for so many seconds in a process of its own, from the seeds
of `tests.fuzz.seeds`, within bounds of memory and of time an input. What breaks a target is kept in `.fuzz/`; then it
is to be mended, and its bytes put into tests/fuzz/found/TARGET/, where every run of the tests holds them. Exit code 1
if anything broke.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.seeds import seeds_of, words
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
MEMORY_MB_MAX = 512
INPUT_S_MAX = 5
INPUT_BYTES_MAX = 16_384
#: Beyond the search: the start of Python, and the last input.
GRACE_S = 60


def main() -> None:
    """Searches and prints a line a target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], default=[], help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    options = parser.parse_args()
    broken = [name for name in options.targets or TARGETS if not search(name, options.seconds)]
    if broken:
        raise SystemExit(f"broke: {', '.join(broken)}; what broke them is in {ROOT / '.fuzz'}")


def search(name: str, seconds: int) -> bool:
    """Whether the target stood. Inputs that reach something new are forgotten: the seeds find them again."""
    kept = ROOT / ".fuzz"
    kept.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus, dictionary = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, seed in enumerate(seeds_of(name)):
            (corpus / f"seed-{number}").write_bytes(seed)
        dictionary.write_text("\n".join(f'"{escaped(word)}"' for word in words()))
        bounds = (
            *(f"-max_total_time={seconds}", f"-timeout={INPUT_S_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}"),
            *(f"-max_len={INPUT_BYTES_MAX}", f"-dict={dictionary}", f"-artifact_prefix={kept}/{name}-"),
            *("-print_final_stats=1", "-verbosity=1"),
        )
        command = [sys.executable, "-m", "tests.fuzz.child", name, *bounds, str(corpus)]
        ended = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=seconds + GRACE_S
        )
        reached = sum(1 for _ in corpus.iterdir())
    tries, peak_mb = stat(ended.stderr, "number_of_executed_units"), stat(ended.stderr, "peak_rss_mb")
    if ended.returncode == 0:
        print(f"{name:8} stood {tries:>9} inputs, {reached} of them new; {peak_mb} MB at most", flush=True)
    else:
        last = [line for line in ended.stderr.splitlines() if not line.startswith(("INFO", "WARNING"))]
        print(f"{name:8} BROKE", ended.stdout[-4_000:], *last[-20:], sep="\n", flush=True)
    return ended.returncode == 0


def stat(told: str, name: str) -> str:
    """One of libFuzzer's last figures."""
    found = re.search(rf"stat::{name}:\s*(\d+)", told)
    return found[1] if found else "?"


def escaped(word: str) -> str:
    """As libFuzzer's dictionaries want it."""
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word.encode())


if __name__ == "__main__":
    main()
