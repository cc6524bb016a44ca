"""Runs a share of Thespian's own test suite on the loop base: `python -m tests.system.thespian_suite SHARE OF`.

Prints one line of JSON, {"passed": n, "failed": n, "skipped": n}. Most of the suite's minutes are sleeps, so several
shares run side by side. Left out, by name, are the tests of several systems, of conventions, of the director, and of
one process an actor, which are no business of a base within one process."""

import json
import pathlib
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import thespian.test as suite

from system.loop_base import start

LEFT_OUT = (
    "director", "HAConvention", "load", "runcommand", "actorSystemRestart", "multipleActorSystems", "manyActorSystems",
    "bigmessages", "preRegistration", "actorSignals", "stats", "threadedExternal",
)  # fmt: skip
CAPABILITIES = {"Foo Allowed": True, "Cows Allowed": True, "Dogs Allowed": True, "dog": "food"}


@pytest.fixture
def asys() -> Iterator[Any]:
    system = start(CAPABILITIES)
    system.base_name, system.port_num, system.txonly = "simpleSystemBase", None, False
    yield system
    system.shutdown()


class Tally:
    """A pytest plugin that counts outcomes, and gives this process its share of the tests."""

    def __init__(self, share: int, of: int) -> None:
        self.share, self.of = share, of
        self.outcomes: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = items[self.share :: self.of]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1


def main(share: int, of: int) -> int:
    suite.asys = asys
    folder = pathlib.Path(suite.__file__).parent
    left_out = {f"test_{name}" for name in LEFT_OUT}
    files = [str(path) for path in sorted(folder.glob("test_*.py")) if path.stem not in left_out]
    options = ["-q", "-p", "no:cacheprovider", "--timeout=40", "-W", "ignore", "--no-header", "-o", "addopts="]
    tally = Tally(share, of)
    code = pytest.main([*options, "--tb=short", f"--rootdir={folder}", *files], plugins=[tally])
    print(json.dumps({outcome: tally.outcomes[outcome] for outcome in ("passed", "failed", "skipped")}))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
