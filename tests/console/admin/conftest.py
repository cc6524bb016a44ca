"""A daemon that answers as it is told to, and `limner admin` before it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

import runtime

KEY = "operators-key"


class Fake:
    """What it was asked, and what it answers: a body, or (status, body), or a function that makes one."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.url = ""

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        found = self.answers.get(f"{method} {path.partition('?')[0]}", (404, {"code": "not_found", "detail": "None."}))
        if callable(found):
            found = found()
        status, body = found if isinstance(found, tuple) else (200, found)
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def fake() -> Iterator[Fake]:
    told = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == f"Bearer {KEY}"
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(self.path).removeprefix("/admin/v1/")
            told.asked.append((self.command, path, json.loads(body) if body else None))
            status, answer = told.answer(self.command, path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *line: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()


class Terminal(io.StringIO):
    """Somebody is there."""

    def isatty(self) -> bool:
        return True


Admin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def admin(fake: Fake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Admin:
    """`limner admin …` before the fake daemon: its exit code, what it printed, and what it said on stderr."""

    def run(*arguments: str, stdin: io.StringIO | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", stdin or io.StringIO())
        code = runtime.main(["admin", "--url", fake.url, "--key", KEY, *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run
