"""The Grafana dashboard, made from a table: `python deploy/dashboard.py > deploy/grafana-dashboard.json`.

A row is a question that somebody has at 3 a.m., in the order in which they have them. What a panel shows is one
expression a line; what to do about it stands in docs/METRICS.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, STAT_HEIGHT, HEIGHT = 24, 4, 8
GREEN, YELLOW, RED = "green", "yellow", "red"
#: Colours by value, from the least on; the first one has no least. The value stands beside: no colour says it alone.
Steps = tuple[tuple[float | None, str], ...]
NO_STEPS: Steps = ((None, GREEN),)


@dataclass(frozen=True)
class Panel:
    """One panel. `lines`: (legend, expression); `width` of 24."""

    title: str
    says: str
    lines: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    steps: Steps = NO_STEPS
    stacked: bool = False
    most: float | None = None


def stat(title: str, says: str, expression: str, unit: str = "short", steps: Steps = NO_STEPS) -> Panel:
    """One number, with its course behind it."""
    return Panel(title, says, (("", expression),), unit, "stat", 3, steps)


def quantiles(histogram: str, *shares: float) -> tuple[tuple[str, str], ...]:
    """Lines of a histogram's quantiles over the last five minutes."""
    return tuple(
        (f"p{share * 100:g}", f"histogram_quantile({share:g}, sum by (le) (rate({histogram}_bucket[5m])))")
        for share in shares
    )


FAULTS = 'outcome!~"done|cancelled|upstream_rejected"'
CHOSEN = 'account=~"$account"'

ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Is it well?",
        (
            stat("Up", "Whether Prometheus reaches it", 'min(up{job="limner"})', steps=((None, RED), (1, GREEN))),
            stat("Intake", "1: new jobs are taken", "min(limner_intake_open)", steps=((None, RED), (1, GREEN))),
            stat("Red alarms", "These need a hand", 'sum(limner_alarms{level="red"})', steps=((None, GREEN), (1, RED))),
            stat(
                "Yellow alarms",
                "These need a look",
                'sum(limner_alarms{level="yellow"})',
                steps=((None, GREEN), (1, YELLOW)),
            ),
            stat(
                "Accounts down",
                "Those that draw nothing new",
                "count(limner_account_up == 0) or vector(0)",
                steps=((None, GREEN), (1, YELLOW)),
            ),
            stat("Waiting", "Jobs that wait for a place", "sum(limner_queue_depth)"),
            stat("Drawn a second", "Over five minutes", 'sum(rate(limner_jobs_total{outcome="done"}[5m]))', "ops"),
            stat(
                "Failed by us",
                "Share of the last fifteen minutes' ends that is no fault of users",
                f"sum(increase(limner_jobs_total{{{FAULTS}}}[15m]))"
                " / clamp_min(sum(increase(limner_jobs_total[15m])), 1)",
                "percentunit",
                ((None, GREEN), (0.02, YELLOW), (0.1, RED)),
            ),
        ),
    ),
    (
        "Drawings",
        (
            Panel(
                "Ends a second, by outcome",
                "done, cancelled, or the code of the failure",
                (("{{outcome}}", "sum by (outcome) (rate(limner_jobs_total[5m]))"),),
                "ops",
                width=12,
                stacked=True,
            ),
            Panel(
                "From acceptance to the end",
                "Waiting and drawing together",
                quantiles("limner_job_seconds", 0.5, 0.9, 0.99),
                "s",
                width=12,
            ),
        ),
    ),
    (
        "Waits and fairness",
        (
            Panel("Waiting", "Jobs that wait for a place", (("waiting", "sum(limner_queue_depth)"),), width=6),
            Panel(
                "Wait for a place",
                "From acceptance to submission",
                quantiles("limner_queue_wait_seconds", 0.5, 0.9, 0.99),
                "s",
                width=6,
            ),
            Panel(
                "Fairness",
                "Jain's index of users with waiting work: 1 is fair, 1/n is one user having it all",
                (("Jain", "min(limner_fairness_jain)"),),
                width=6,
                most=1,
            ),
            Panel(
                "Users present and sockets",
                "",
                (("users", "sum(limner_sessions)"), ("sockets and requests", "sum(limner_sockets)")),
                width=6,
            ),
        ),
    ),
    (
        "Accounts",
        (
            Panel("Up", "1: it draws", (("{{account}}", f"limner_account_up{{{CHOSEN}}}"),), width=6, most=1),
            Panel(
                "Places",
                "free: no job has it; granted: a job has it and has not begun; begun: it is drawn",
                (("{{state}}", f"sum by (state) (limner_tokens{{{CHOSEN}}})"),),
                width=6,
                stacked=True,
            ),
            Panel(
                "Share of places that draw",
                "Of each account",
                (
                    (
                        "{{account}}",
                        f'sum by (account) (limner_tokens{{{CHOSEN},state="begun"}})'
                        f" / clamp_min(sum by (account) (limner_tokens{{{CHOSEN}}}), 1)",
                    ),
                ),
                "percentunit",
                width=6,
                most=1,
            ),
            Panel(
                "Heartbeat",
                "From a heartbeat to its acknowledgement",
                (("{{account}}", f"limner_gateway_round_trip_seconds{{{CHOSEN}}}"),),
                "s",
                width=6,
            ),
        ),
    ),
    (
        "Discord: REST and gateway",
        (
            Panel(
                "Requests a second, by status",
                "broken: no answer came",
                (("{{status}}", "sum by (status) (rate(limner_rest_requests_total[5m]))"),),
                "reqps",
                width=6,
                stacked=True,
            ),
            Panel(
                "Refused and broken, by route",
                "429, other 4xx, 5xx, no answer",
                (
                    (
                        "{{route}} {{status}}",
                        'sum by (route, status) (rate(limner_rest_requests_total{status!~"2.."}[5m])) > 0',
                    ),
                ),
                "reqps",
                width=6,
            ),
            Panel(
                "Gateway events a second",
                "",
                (("{{account}}", f"rate(limner_gateway_events_total{{{CHOSEN}}}[5m])"),),
                "ops",
                width=6,
            ),
            Panel(
                "Reconnects in an hour",
                "resume keeps the session; identify begins a new one, of which a day has few",
                (("{{account}} {{how}}", f"increase(limner_gateway_reconnects_total{{{CHOSEN}}}[1h]) > 0"),),
                width=6,
            ),
            Panel(
                "Oddities in an hour",
                "What Discord or the bot said that nobody here knows",
                (("{{account}}", f"increase(limner_oddities_total{{{CHOSEN}}}[1h]) > 0"),),
                width=6,
            ),
        ),
    ),
    (
        "Store, loop and machine",
        (
            Panel(
                "Group commit",
                "Written and on the disk",
                quantiles("limner_store_commit_seconds", 0.5, 0.99),
                "s",
                width=6,
            ),
            Panel(
                "Loop lag",
                "How late the event loop was, at worst",
                (("lag", "max(limner_loop_lag_seconds)"),),
                "s",
                width=6,
            ),
            Panel(
                "Deepest mailboxes",
                "Messages that wait",
                (("{{actor}}", "topk(10, limner_mailbox_depth > 0)"),),
                width=6,
            ),
            Panel(
                "Restarts in an hour",
                "Actors that died and were started again",
                (("{{actor}}", "increase(limner_actor_restarts_total[1h]) > 0"),),
                width=6,
            ),
            Panel(
                "Pace",
                "Share of new wishes that is let in",
                (("pace", "min(limner_pace)"),),
                "percentunit",
                width=6,
                most=1,
            ),
            Panel(
                "CPU",
                "Of one core",
                (("CPU", 'rate(process_cpu_seconds_total{job="limner"}[5m])'),),
                "percentunit",
                width=6,
            ),
            Panel(
                "Memory", "Resident", (("resident", 'process_resident_memory_bytes{job="limner"}'),), "bytes", width=6
            ),
            Panel(
                "Disk",
                "Free on the fullest disk that is written to",
                (("free", "min(limner_disk_free_bytes)"),),
                "bytes",
                width=6,
            ),
        ),
    ),
)


def panel_json(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    """The panel as Grafana reads it."""
    steps = [{"color": colour, "value": least} for least, colour in panel.steps]
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 40} if panel.stacked else {"fillOpacity": 5}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": STAT_HEIGHT if panel.kind == "stat" else HEIGHT},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                **({"max": panel.most} if panel.most is not None else {}),
                "thresholds": {"mode": "absolute", "steps": steps},
                **({"custom": custom} if panel.kind == "timeseries" else {}),
            },
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": expression, "legendFormat": legend or "__auto"}
            for at, (legend, expression) in enumerate(panel.lines)
        ],
    }


def laid_out() -> list[dict[str, Any]]:
    """All rows and panels in their places, left to right and downward."""
    found: list[dict[str, Any]] = []
    y = 0
    for title, panels in ROWS:
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        found.append({"id": len(found) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": place})
        x, y, below = 0, y + 1, y + 1
        for panel in panels:
            if x + panel.width > WIDTH:
                x, y = 0, below
            found.append(panel_json(panel, len(found) + 1, x, y))
            x += panel.width
            below = y + found[-1]["gridPos"]["h"]
        y = below
    return found


def dashboard() -> dict[str, Any]:
    """The whole, to be imported in Grafana (10 or later)."""
    accounts = {"query": "label_values(limner_account_up, account)", "refId": "accounts"}
    return {
        "title": "Limner",
        "uid": "limner",
        "tags": ["limner"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                {
                    "name": "account",
                    "label": "Account",
                    "type": "query",
                    "datasource": SOURCE,
                    "query": accounts,
                    "refresh": 2,
                    "sort": 1,
                    "multi": True,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": laid_out(),
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=1, ensure_ascii=False))
