"""The registry: what is there from the start, what is counted, what is forgotten, and that it stays small."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from actors.monitor.metrics import DEEPEST, METRICS, OUTCOMES, SERIES_MAX, Metrics
from core.account_config import AccountConfig
from core.alarms import Alarms, Finding
from core.pacing import Verdict

#: CONTRACT §10, word for word.
CONTRACT = {
    "limner_jobs_total": {"outcome"},
    "limner_queue_depth": set(),
    "limner_queue_wait_seconds": set(),
    "limner_job_seconds": set(),
    "limner_tokens": {"account", "state"},
    "limner_account_up": {"account"},
    "limner_gateway_events_total": {"account"},
    "limner_gateway_reconnects_total": {"account", "how"},
    "limner_rest_requests_total": {"route", "status"},
    "limner_sessions": set(),
    "limner_sockets": set(),
    "limner_actor_restarts_total": {"actor"},
    "limner_mailbox_depth": {"actor"},
    "limner_loop_lag_seconds": set(),
    "limner_store_commit_seconds": set(),
    "limner_fairness_jain": set(),
    "limner_pace": set(),
}
FOX = AccountConfig("fox")
PAINTER = AccountConfig("painter", driver="openai-images")


def series(metrics: Metrics) -> dict[tuple[str, frozenset[str]], float]:
    """Every sample, by its name and the values of its labels."""
    families = text_string_to_metric_families(metrics.text())
    return {(one.name, frozenset(one.labels.values())): one.value for family in families for one in family.samples}


def of(metrics: Metrics, name: str, *labels: str) -> float | None:
    return series(metrics).get((name, frozenset(labels)))


def base(waiting: dict[str, int] | None = None, sessions: int = 0, lag_s: float = 0.0) -> SimpleNamespace:
    """As much of a loop base as is looked at."""
    return SimpleNamespace(
        kinds=Counter(session=sessions), loop_lag_s=lambda: lag_s, waiting=lambda: Counter(waiting or {})
    )


def test_the_table_holds_what_the_contract_promises() -> None:
    told = {name: set(labels) for name, _, labels, _ in METRICS}
    assert CONTRACT.items() <= told.items()


def test_from_the_start_everything_is_there_and_what_has_known_labels_has_series() -> None:
    metrics = Metrics()
    metrics.expect((FOX, PAINTER))
    metrics.look(base(), 0)
    families = {family.name for family in text_string_to_metric_families(metrics.text())}
    assert {name.removesuffix("_total") for name in CONTRACT} <= families
    told = series(metrics)
    for outcome in OUTCOMES:
        assert told["limner_jobs_total", frozenset({outcome})] == 0.0
    for name in ("fox", "painter"):
        assert told["limner_account_up", frozenset({name})] == 0.0
        assert told["limner_tokens", frozenset({name, "free"})] == 0.0
        assert told["limner_actor_restarts_total", frozenset({f"account/{name}"})] == 0.0
    assert told["limner_gateway_reconnects_total", frozenset({"fox", "resume"})] == 0.0
    assert ("limner_gateway_reconnects_total", frozenset({"painter", "resume"})) not in told
    assert told["limner_mailbox_depth", frozenset({"queue"})] == 0.0
    assert told["limner_pace", frozenset()] == told["limner_fairness_jain", frozenset()] == 1.0


def test_counters_add_gauges_are_set_and_histograms_observe() -> None:
    metrics = Metrics()
    for amount in (1.0, 2.0):
        metrics.tell("limner_jobs_total", amount, ("done",))
        metrics.tell("limner_queue_depth", amount)
        metrics.tell("limner_job_seconds", amount)
    assert of(metrics, "limner_jobs_total", "done") == 3.0
    assert of(metrics, "limner_queue_depth") == 2.0
    assert (of(metrics, "limner_job_seconds_count"), of(metrics, "limner_job_seconds_sum")) == (2.0, 3.0)


def test_a_clock_that_was_set_back_makes_no_time_less_than_none() -> None:
    metrics = Metrics()
    metrics.tell("limner_queue_wait_seconds", -3600.0)
    assert of(metrics, "limner_queue_wait_seconds_sum") == 0.0


def test_an_unknown_metric_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Metrics().tell("limner_nonsense")


def test_a_survey_says_all_that_there_is() -> None:
    metrics = Metrics()
    metrics.tell_all("limner_tokens", ((("fox", "free"), 3), (("owl", "free"), 1)))
    metrics.tell_all("limner_tokens", ((("owl", "free"), 2),))
    assert of(metrics, "limner_tokens", "fox", "free") is None
    assert of(metrics, "limner_tokens", "owl", "free") == 2.0
    metrics.tell_all("limner_tokens", ((("fox", "free"), 4),))
    assert of(metrics, "limner_tokens", "fox", "free") == 4.0


def test_an_account_that_is_gone_leaves_no_series_and_the_others_keep_theirs() -> None:
    metrics = Metrics()
    metrics.expect((FOX, AccountConfig("fox-2")))
    metrics.tell("limner_rest_requests_total", 1.0, ("GET /gateway/bot", "200"))
    metrics.tell("limner_oddities_total", 1.0, ("fox",))
    before = {name for name, labels in series(metrics) if not labels & {"fox", "account/fox"}}
    metrics.forget("fox")
    after = series(metrics)
    assert not [name for name, labels in after if labels & {"fox", "account/fox"}]
    assert before <= {name for name, _ in after}
    assert after["limner_account_up", frozenset({"fox-2"})] == 0.0


def test_the_deepest_mailboxes_are_told_and_ten_thousand_sessions_are_one_series() -> None:
    metrics = Metrics()
    sessions = {f"session/u{number}": number for number in range(1000)}
    accounts = {f"account/a{number}": 1 + number for number in range(100)}
    metrics.look(base({**sessions, **accounts, "queue": 7}, sessions=1000, lag_s=0.25), 12)
    depths = {labels: value for (name, labels), value in series(metrics).items() if name == "limner_mailbox_depth"}
    assert depths[frozenset({"session"})] == 999.0
    assert depths[frozenset({"queue"})] == 7.0
    assert depths[frozenset({"account/a99"})] == 100.0
    assert frozenset({"account/a0"}) not in depths
    assert (of(metrics, "limner_sessions"), of(metrics, "limner_sockets")) == (1000.0, 12.0)
    assert of(metrics, "limner_loop_lag_seconds") == 0.25
    metrics.look(base(), 0)
    assert of(metrics, "limner_mailbox_depth", "account/a99") is None
    assert of(metrics, "limner_mailbox_depth", "queue") == 0.0


def test_a_look_says_how_many_messages_wait_for_whom() -> None:
    assert Metrics().look(base({"session/u1": 3, "queue": 7}), 0) == {"session/u1": 3, "queue": 7}


def test_alarms_are_told_by_code_and_level_also_those_that_are_not_on() -> None:
    metrics, alarms = Metrics(), Alarms()
    alarms.look((Finding("disk_full", None, Verdict.BAD, "x"), Finding("account_paused", "fox", Verdict.BAD, "y")), 1.0)
    metrics.decided(0.5, alarms, 12_345)
    assert of(metrics, "limner_alarms", "disk_full", "red") == 1.0
    assert of(metrics, "limner_alarms", "loop_late", "yellow") == 0.0
    assert (of(metrics, "limner_pace"), of(metrics, "limner_intake_open")) == (0.5, 0.0)
    assert of(metrics, "limner_disk_free_bytes") == 12_345.0
    metrics.decided(1.0, Alarms(), None)
    assert of(metrics, "limner_alarms", "disk_full", "red") == 0.0
    assert of(metrics, "limner_intake_open") == 1.0


def test_the_restarts_of_all_sessions_are_one_series() -> None:
    metrics = Metrics()
    for actor in ("session/u1", "session/u2", "queue"):
        metrics.restarted(actor)
    assert of(metrics, "limner_actor_restarts_total", "session") == 2.0
    assert of(metrics, "limner_actor_restarts_total", "queue") == 1.0


def test_whatever_is_told_a_metric_has_a_bounded_number_of_series() -> None:
    metrics = Metrics()
    for number in range(SERIES_MAX + 100):
        metrics.tell("limner_rest_requests_total", 1.0, (f"GET /{number}", "200"))
    told = [labels for name, labels in series(metrics) if name == "limner_rest_requests_total"]
    assert len(told) == SERIES_MAX + 1
    assert of(metrics, "limner_rest_requests_total", "other") == 100.0


def test_mailboxes_that_are_told_are_few() -> None:
    metrics = Metrics()
    metrics.look(base({f"account/a{number}": 1 for number in range(5000)}), 0)
    told = [labels for name, labels in series(metrics) if name == "limner_mailbox_depth"]
    assert len(told) <= DEEPEST + 10


def test_what_is_written_is_what_prometheus_client_would_write() -> None:
    metrics = Metrics()
    metrics.expect((FOX, PAINTER))
    metrics.tell("limner_jobs_total", 12_345_678.0, ('a "name"\\of\ntwo lines',))
    metrics.tell("limner_job_seconds", 3.5)
    metrics.tell("limner_queue_depth", 7.0)
    metrics.tell_all("limner_mailbox_depth", ((("queue",), 3.0), (("gate",), 1e9)))
    metrics.tell_all("limner_mailbox_depth", ((("queue",), 4.0),))
    metrics.forget("painter")

    def lines(text: str) -> list[str]:
        return sorted(line for line in text.splitlines() if "process_" not in line)  # these change all the time

    assert lines(metrics.text()) == lines(generate_latest(metrics.registry).decode())
