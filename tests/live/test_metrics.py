"""On a real daemon: what /metrics says is what happened, and each drawing's trace reaches a collector."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.trace import trace_id
from tests.actors.monitor.test_metrics import CONTRACT
from tests.live.daemon import Daemon, ask, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

DRAWN = 3


class Collector(ThreadingHTTPServer):
    """Takes spans and keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Taker)


class Taker(BaseHTTPRequestHandler):
    """Answers every export with 200."""

    server: Collector

    def do_POST(self) -> None:
        """An export."""
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """An OpenTelemetry collector, as far as the daemon can see."""
    server = Collector()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Daemon]:
    """A demo that exports traces."""
    folder: Path = tmp_path_factory.mktemp("metrics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_address[1]}")
        patch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        daemon = Daemon(folder).start()
    yield daemon
    daemon.stop()


class Metrics:
    """One reading of /metrics."""

    def __init__(self, daemon: Daemon) -> None:
        status, text = ask(f"{daemon.url}/metrics")
        assert status == 200
        self.families = {family.name: family for family in text_string_to_metric_families(text.decode())}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name with these labels."""
        return sum(
            sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def values(self, name: str, label: str) -> set[str]:
        """All that a label says."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}


def settled(daemon: Daemon) -> Metrics | None:
    """The metrics, once those that are told each few seconds have caught up with a service at rest."""
    found = Metrics(daemon)
    free, all_places = found.total("limner_tokens", state="free"), found.total("limner_tokens")
    return found if found.total("limner_queue_depth") == 0 and free == all_places > 0 else None


@pytest.fixture(scope="module")
def jobs(daemon: Daemon) -> list[str]:
    """Three pictures of two users, drawn, and one cancelled; the gallery restarted, a gateway connection cut."""
    ana = daemon.add_user("ana")
    wishes = [daemon.submit("a red fox"), daemon.submit("a grey owl", ana), daemon.submit("a hare", ana)]
    for job, key in zip(wishes, (None, ana, ana), strict=True):
        daemon.await_status(job, "done", key=key)
    names = sorted(Metrics(daemon).values("limner_account_up", "account"))
    status, _ = ask(f"{daemon.sim}/_sim/faults", body={"fault": "reconnect", "account": names[0], "count": 1})
    assert status == 200
    assert ask(f"{daemon.url}/admin/v1/actors/gallery/restart", daemon.admin_key, {})[0] == 200
    return wishes


def test_everything_is_there_from_the_start_for_each_account(daemon: Daemon) -> None:
    found = Metrics(daemon)
    assert {name.removesuffix("_total") for name in CONTRACT} <= found.families.keys()
    _, listed = ask(f"{daemon.url}/admin/v1/accounts", daemon.admin_key)
    names = {account["name"] for account in listed["accounts"]}
    assert found.values("limner_account_up", "account") == names
    eventually(lambda: Metrics(daemon).total("limner_account_up") == len(names), "each account is connected")
    assert found.values("limner_gateway_reconnects_total", "how") == {"resume", "identify"}
    assert found.values("limner_tokens", "state") == {"free", "granted", "begun"}
    assert found.total("limner_jobs_total") == 0


def test_the_figures_are_what_happened(daemon: Daemon, jobs: list[str]) -> None:
    found = eventually(lambda: settled(daemon), "all places are free and nothing waits")
    taken = [row for row in daemon.ledger() if row["outcome"] == "done"]
    assert len(taken) == len(jobs) == DRAWN
    assert found.total("limner_jobs_total", outcome="done") == found.total("limner_jobs_total") == DRAWN
    assert found.total("limner_job_seconds_count") == found.total("limner_queue_wait_seconds_count") == DRAWN
    seconds, wait_s = found.total("limner_job_seconds_sum"), found.total("limner_queue_wait_seconds_sum")
    assert DRAWN * 1.0 < seconds < DRAWN * 60.0
    assert wait_s < seconds
    assert found.total("limner_rest_requests_total", route="POST /interactions", status="204") == DRAWN
    assert found.total("limner_gateway_events_total") >= 2 * DRAWN
    assert found.total("limner_store_commit_seconds_count") >= 3 * DRAWN
    assert 0 < found.total("limner_store_commit_seconds_sum") < 60
    assert found.total("limner_sockets") >= 1  # this request
    assert found.total("limner_pace") == 1.0
    assert 0 < found.total("limner_fairness_jain") <= 1.0
    assert 0 <= found.total("limner_loop_lag_seconds") < 60
    assert found.total("limner_intake_open") == 1.0
    assert "queue" in found.values("limner_mailbox_depth", "actor")


def test_what_was_restarted_and_cut_off_is_counted_once(daemon: Daemon, jobs: list[str]) -> None:
    def counted() -> Metrics | None:
        found = Metrics(daemon)
        return found if found.total("limner_gateway_reconnects_total", how="resume") else None

    found = eventually(counted, "the connection that was cut is resumed")
    assert found.total("limner_gateway_reconnects_total") == 1
    assert found.total("limner_actor_restarts_total", actor="gallery") == 1
    assert found.total("limner_actor_restarts_total") == 1


def test_while_it_draws_its_user_is_present_and_its_place_is_taken(daemon: Daemon, jobs: list[str]) -> None:
    assert ask(f"{daemon.sim}/_sim/config", body={"seconds": 7.0})[0] == 200  # places are told each 5 s
    drawing = daemon.submit("a badger, drawn while somebody looks")
    assert eventually(lambda: Metrics(daemon).total("limner_sessions"), "its user is present") >= 1
    eventually(lambda: Metrics(daemon).total("limner_tokens", state="begun") == 1, "its place is taken")
    daemon.await_status(drawing, "done")
    eventually(lambda: Metrics(daemon).total("limner_tokens", state="begun") == 0, "its place is free")


def test_no_label_holds_an_id(daemon: Daemon, jobs: list[str]) -> None:
    found = Metrics(daemon)
    values = {value for sample in found.samples for value in sample.labels.values()}
    assert not [value for value in values if re.search(r"\d{15,}|\bj[0-9a-z]{19}\b|session/", value)]
    assert len(found.samples) < 400


def test_each_drawings_trace_reached_the_collector(daemon: Daemon, collector: Collector, jobs: list[str]) -> None:
    def all_there() -> bool:
        told = b"".join(collector.bodies)
        return all(bytes.fromhex(trace_id(job)) in told for job in jobs)

    eventually(all_there, "the traces of all jobs are exported")
    told = b"".join(collector.bodies)
    assert b"limner.account" in told
    assert b"a red fox" not in told


def test_no_prompt_is_logged(daemon: Daemon, jobs: list[str]) -> None:
    assert "starting it again" in daemon.log()
    assert "a red fox" not in daemon.log()
