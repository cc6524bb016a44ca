"""Which daemon is meant, which key goes there, and how its refusals end a command."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from console.endings import FAILED, NO_CONNECTION, REFUSED, USAGE, Quit
from console.reach import Daemon, call, find_daemon, no_connection


@pytest.fixture
def demo(tmp_path):
    found = {"url": "http://127.0.0.1:8123", "key": "demo-key", "admin_key": "demo-admin", "sim": "http://127.0.0.1:1"}
    (tmp_path / "demo.json").write_text(json.dumps(found))
    return tmp_path


def test_the_demo_of_the_folder_is_found(demo):
    assert find_daemon(None, None, demo) == Daemon("http://127.0.0.1:8123", "demo-key")
    assert find_daemon(None, None, demo, "admin_key") == Daemon("http://127.0.0.1:8123", "demo-admin")


def test_what_is_given_wins(demo):
    assert find_daemon("https://draw.example/", "mine", demo) == Daemon("https://draw.example", "mine")
    assert find_daemon(None, "mine", demo) == Daemon("http://127.0.0.1:8123", "mine")


def test_the_demos_key_is_sent_nowhere_else(demo):
    with pytest.raises(Quit, match=r"no key for https://draw\.example") as quitting:
        find_daemon("https://draw.example", None, demo)
    assert quitting.value.code == USAGE


@pytest.mark.parametrize("url", ["http://localhost:8123", "http://[::1]:8123", "http://127.0.0.1:9"])
def test_the_demos_key_goes_to_any_address_of_this_machine(demo, url):
    """People write localhost; and where nobody listens, "no connection" says more than "no key"."""
    assert find_daemon(url, None, demo) == Daemon(url, "demo-key")


def test_without_a_demo_and_a_key_it_says_how_to_get_one(tmp_path):
    (tmp_path / "demo.json").write_text("not JSON")
    with pytest.raises(Quit, match="give --key"):
        find_daemon(None, None, tmp_path)


def test_a_key_does_not_show():
    assert "secret" not in repr(Daemon("http://127.0.0.1:8080", "secret"))


@pytest.fixture
def answering():
    """An HTTP server that answers everything as it is told to."""
    told: dict = {"status": 200, "body": b"{}"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told["authorization"] = self.headers["Authorization"]
            self.send_response(told["status"])
            self.send_header("Content-Length", str(len(told["body"])))
            self.end_headers()
            self.wfile.write(told["body"])

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told["daemon"] = Daemon(f"http://127.0.0.1:{server.server_port}", "k")
        yield told
        server.shutdown()
        thread.join()


def test_an_answer_is_its_json_and_the_key_is_shown_there(answering):
    answering["body"] = b'{"jobs": {"done": 2}}'
    assert call(answering["daemon"], "GET", "/admin/v1/status") == {"jobs": {"done": 2}}
    assert answering["authorization"] == "Bearer k"


@pytest.mark.parametrize(
    ("status", "code"), [(400, USAGE), (401, REFUSED), (403, REFUSED), (404, REFUSED), (409, REFUSED), (429, REFUSED),
                         (503, REFUSED), (500, FAILED)],
)  # fmt: skip
def test_a_refusal_ends_with_the_contracts_exit_code_and_its_words(answering, status, code):
    answering.update(status=status, body=b'{"code": "some_code", "title": "T", "detail": "Do this."}')
    with pytest.raises(Quit) as quitting:
        call(answering["daemon"], "GET", "/x")
    assert (quitting.value.code, quitting.value.message) == (code, "some_code: Do this.")


def test_an_answer_that_is_no_problem_document_is_told_by_its_status(answering):
    answering.update(status=502, body=b"<html>")
    with pytest.raises(Quit, match="502"):
        call(answering["daemon"], "GET", "/x")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (TimeoutError(), "TimeoutError"),
        ("timed out", "timed out"),
    ],
)
def test_why_there_is_no_connection_is_said_in_plain_words(why, words):
    assert no_connection(Daemon("http://127.0.0.1:9", "k"), why).message.startswith(
        f"no connection to http://127.0.0.1:9: {words}; is it running?"
    )


def test_tls_to_who_speaks_none_is_told_as_that():
    why = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    told = no_connection(Daemon("https://127.0.0.1:9", "k"), why).message
    assert "WRONG_VERSION_NUMBER" in told
    assert told.endswith("does it speak TLS? If not, --url http://…")


def test_nobody_there_is_no_connection():
    with pytest.raises(Quit, match=r"no connection to http://127\.0\.0\.1:9: .*is it running") as quitting:
        call(Daemon("http://127.0.0.1:9", "k"), "GET", "/x")
    assert quitting.value.code == NO_CONNECTION
