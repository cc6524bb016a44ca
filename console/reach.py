"""Reach: how commands find a running daemon, and talk to it over HTTP."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from console.endings import FAILED, NO_CONNECTION, REFUSED, USAGE, Quit
from core.config import is_loopback
from system.version import HEADER as VERSION_HEADER
from system.version import own_version

DEFAULT_URL = "http://127.0.0.1:8080"
ANSWER_S_MAX = 30.0
#: HTTP statuses that are neither the service's fault nor ours to mend by another command line.
REFUSALS = frozenset({401, 403, 404, 409, 429, 503})


@dataclass(frozen=True)
class Daemon:
    """Where a daemon is (no slash at the end), and the key that it knows us by."""

    url: str
    key: str

    def __repr__(self) -> str:
        return f"Daemon(url={self.url!r})"

    @property
    def is_near(self) -> bool:
        """Whether it is on this machine: then no proxy of the environment stands between."""
        return is_loopback(self.url)


def find_daemon(url: str | None, key: str | None, data: Path, key_name: str = "key") -> Daemon:
    """The daemon meant: by option or environment, else the demo of this folder. Raises Quit.

    The demo's keys are for this machine: they are never sent anywhere else. `key_name`: `key` or `admin_key`.
    """
    demo = _demo_of(data)
    wanted = (url or demo.get("url") or DEFAULT_URL).rstrip("/")
    if urlsplit(wanted).scheme not in ("http", "https") or not urlsplit(wanted).hostname:
        raise Quit(USAGE, f"--url {wanted}: write one like {DEFAULT_URL}")
    if not key and (wanted == demo.get("url", "").rstrip("/") or is_loopback(wanted)):
        key = demo.get(key_name)
    if not key:
        raise Quit(USAGE, f"no key for {wanted}: give --key, set LIMNER_KEY, or start a demo here with limner serve")
    if not key.isascii() or not key.isprintable():
        raise Quit(REFUSED, "the key is not known, or no longer valid; a key is plain ASCII")
    return Daemon(wanted, key)


def _demo_of(data: Path) -> Mapping[str, str]:
    try:
        found = json.loads((data / "demo.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()) else {}


def call(
    daemon: Daemon, method: str, path: str, body: Mapping[str, Any] | None = None, wait_s: float = ANSWER_S_MAX
) -> Any:
    """The JSON answer. Raises Quit: refused, failed, or no connection."""
    try:
        return json.loads(fetch(daemon, method, path, body, wait_s) or b"null")
    except ValueError:
        raise Quit(FAILED, f"what answers at {daemon.url} is no limner; check --url") from None


def fetch(
    daemon: Daemon, method: str, path: str, body: Mapping[str, Any] | None = None, wait_s: float = ANSWER_S_MAX
) -> bytes:
    """The answer's body. `path` begins with a slash, or is a URL of the daemon's. Raises Quit as `call` does."""
    headers = {"Authorization": f"Bearer {daemon.key}", "Accept": "*/*", VERSION_HEADER: own_version()}
    data = None
    if body is not None:
        headers["Content-Type"], data = "application/json", json.dumps(body).encode()
    request = Request(daemon.url + path, data, headers, method=method)  # noqa: S310 (http or https: find_daemon)
    opener = build_opener(ProxyHandler({})) if daemon.is_near else build_opener()
    try:
        with opener.open(request, timeout=wait_s) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        raise _refusal(error) from None
    except (URLError, OSError, HTTPException) as error:
        raise no_connection(daemon, getattr(error, "reason", error)) from None


def no_connection(daemon: Daemon, why: object) -> Quit:
    """Nobody is there."""
    if isinstance(why, ssl.SSLError):  # its number is none of the system's
        told = getattr(why, "reason", None) or why
        words = f"no connection to {daemon.url}: {told}; does it speak TLS? If not, --url http://…"
        return Quit(NO_CONNECTION, words)
    number = getattr(why, "errno", None)  # its own words: asyncio's have the address in a tuple; getaddrinfo's are < 0
    told = os.strerror(number) if number and number > 0 else getattr(why, "strerror", None)
    words = told or str(why) or type(why).__name__
    return Quit(NO_CONNECTION, f"no connection to {daemon.url}: {words}; is it running? limner serve starts one")


def _refusal(error: HTTPError) -> Quit:
    """What a problem document (CONTRACT §4) says, as an ending."""
    try:
        found = json.loads(error.read())
    except (OSError, ValueError, HTTPException):
        found = {}
    found = found if isinstance(found, dict) else {}
    words = found.get("detail") or found.get("title") or error.reason
    code = USAGE if error.code == 400 else REFUSED if error.code in REFUSALS else FAILED
    return Quit(code, f"{found.get('code') or error.code}: {words}")
