"""Thespian's own tests are the contract of the loop base."""

import json
import subprocess
import sys
from collections import Counter

import pytest

SHARES = 8
PASSED_MIN = 346
SUITE_S_MAX = 240


@pytest.mark.timeout(SUITE_S_MAX + 20)
def test_thespians_own_suite_passes_on_the_loop_base() -> None:
    command = [sys.executable, "-m", "tests.system.thespian_suite"]
    children = [
        subprocess.Popen(
            [*command, str(share), str(SHARES)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for share in range(SHARES)
    ]
    total: Counter[str] = Counter()
    reports = []
    try:
        for child in children:
            report, _ = child.communicate(timeout=SUITE_S_MAX)
            reports.append(report)
            total.update(json.loads(report.splitlines()[-1]))
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert total["failed"] == 0, "\n".join(reports)
    assert total["passed"] >= PASSED_MIN
