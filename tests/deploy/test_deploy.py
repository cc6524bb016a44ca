"""What is shipped for Prometheus and Grafana names metrics that exist, all of them, and can be read."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.monitor.metrics import METRICS, Metrics
from core.account_config import AccountConfig
from deploy.dashboard import WIDTH, dashboard
from tests.actors.monitor.test_metrics import CONTRACT, base

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCS = DEPLOY.parent / "docs" / "METRICS.md"
NAME = re.compile(r"\b(?:limner|process)_[a-z_]+\b")
#: What a histogram's samples are called beside its name.
SUFFIXES = ("_bucket", "_sum", "_count")
LABELS = re.compile(r"\b((?:limner|process)_[a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r"""([a-z_]+)\s*(?:=~|!~|!=|=)\s*"[^"]*"\s*(?:,|$)""")


@cache
def known() -> set[str]:
    """Names of all samples and families that the daemon tells."""
    metrics = Metrics()
    metrics.expect((AccountConfig("fox"),))
    metrics.look(base(), 0)
    families = list(text_string_to_metric_families(metrics.text()))
    samples = {sample.name for family in families for sample in family.samples}
    return samples | {name for name, *_ in METRICS}


def read_rules(text: str) -> list[dict[str, Any]]:
    """The rules of alerts.yml, which keeps to maps, one list of rules, and plain one-line values."""
    rules: list[dict[str, Any]] = []
    inner: dict[str, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or number <= 4:
            continue
        found = re.fullmatch(r"( +)(- )?([a-z]+):(?: (.*))?", line)
        assert found, f"line {number}: {line}"
        indent, dash, key, value = len(found[1]) + len(found[2] or ""), found[2], found[3], found[4]
        if value is not None:
            assert not re.search(r": | #|^[\[{\"'&*!|>%@`-]|\s$", value), f"line {number} is no plain value: {value}"
        if dash:
            rules.append({key: value})
            inner = None
        elif indent == 8 and value is None:
            inner = rules[-1][key] = {}
        elif indent == 8:
            rules[-1][key] = value
        else:
            assert indent == 10, f"line {number} is indented by {indent}"
            assert inner is not None, f"line {number} belongs to nothing"
            inner[key] = value
    return rules


RULES = read_rules((DEPLOY / "alerts.yml").read_text())
PANELS = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
EXPRESSIONS = [
    *((rule["alert"], rule["expr"]) for rule in RULES),
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
]


def test_the_dashboard_is_what_its_table_makes() -> None:
    assert json.loads((DEPLOY / "grafana-dashboard.json").read_text()) == dashboard()


def test_rules_have_all_that_a_rule_needs_and_names_of_their_own() -> None:
    assert (DEPLOY / "alerts.yml").read_text().splitlines()[1:4] == ["groups:", "  - name: limner", "    rules:"]
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 20
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "do"}
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_every_metric_and_label_that_is_asked_for_is_told(title: str, expression: str) -> None:
    names = set(NAME.findall(expression))
    assert names <= known()
    assert names or expression.startswith(("up{", "min(up{"))
    labels = {name: set(of) for name, _, of, _ in METRICS}
    for name, matchers in LABELS.findall(expression):
        plain = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
        asked = set(MATCHER.findall(matchers))
        assert asked <= labels.get(plain, set()) | {"job"}, (name, asked)


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_every_expression_is_balanced(title: str, expression: str) -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing), expression
    assert expression.count('"') % 2 == 0


@pytest.mark.parametrize("metric", [*CONTRACT, *(name for name, *_ in METRICS if name not in CONTRACT)])
def test_every_metric_is_on_the_dashboard_and_in_the_docs(metric: str) -> None:
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    assert re.search(rf"\b{metric}(_bucket)?\b", shown)
    assert f"`{metric}`" in DOCS.read_text()


def test_panels_lie_side_by_side_and_not_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])


def test_the_scrape_example_reads_the_alert_rules() -> None:
    text = (DEPLOY / "prometheus.yml").read_text()
    assert "  - alerts.yml" in text
    assert "job_name: limner" in text
