"""docs/CONFORMANCE.md and the tests tell the same: what the table names is there, and what is there it names."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "CONFORMANCE.md").read_text()
PURE = Path(__file__).parent / "test_machines.py"
LIVE = (Path(__file__).parent / "test_live.py", Path(__file__).parent / "test_live_account.py")
NUMBERS = re.compile(r"test_(\d\d)(?:_and_(\d\d))?_")
NAME = re.compile(r"`(test_\w+)`")
SCENARIOS = 20


def rows() -> dict[int, list[str]]:
    """The scenarios' cells, by number."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.splitlines()]
    return {int(cells[0]): cells for cells in found if len(cells) == 7 and cells[0].isdecimal()}


def defined(*files: Path) -> list[str]:
    return [name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)]


def test_each_scenario_has_its_rule_its_source_a_pure_test_and_a_live_one() -> None:
    assert sorted(rows()) == list(range(1, SCENARIOS + 1))
    for number, (_, does, must, source, pure, live, result) in rows().items():
        assert all((does, must, source)), number
        assert set(NAME.findall(pure)) & set(defined(PURE)), number
        assert set(NAME.findall(live)) & set(defined(*LIVE)), number
        assert result == "pass"


def test_every_test_that_the_table_names_exists() -> None:
    everywhere = {name for file in (ROOT / "tests").rglob("test_*.py") for name in defined(file)}
    assert set(NAME.findall(DOCUMENT)) <= everywhere


def test_every_scenario_s_test_is_in_its_row() -> None:
    for name in defined(PURE, *LIVE):
        numbered = NUMBERS.match(name)
        assert numbered, name
        for number in (int(digits) for digits in numbered.groups() if digits):
            assert name in NAME.findall(" ".join(rows()[number])), f"{name} is not in the row of {number}"


def test_every_file_that_the_document_names_exists() -> None:
    named = re.findall(r"`((?:actors|core|protocol|storage|system|tests)/[\w/]+\.py)`", DOCUMENT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
