"""A service as the admin page sees it, without one: the page's own files from the disk, and /admin/v1 from memory.

For what a real daemon shows rarely, or late: alarms that come and go, refusals, thousands of rows, a silent service.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from playwright.sync_api import BrowserContext, Route

STATIC = Path(__file__).parents[2] / "web" / "static"
TYPES = {".js": "text/javascript", ".html": "text/html", ".css": "text/css", ".png": "image/png"}
URL = "http://limner.test"
KEY, VIEWER_KEY = "an-admins-key", "a-viewers-key"


def before(**ago: float) -> str:
    """A moment so long ago."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def account(name: str, state: str = "up", **other: Any) -> dict[str, Any]:
    """An account as `GET accounts` shows it."""
    plain = {"cause": None, "reason": None, "ends": None, "since": None, "slots": 3, "busy": 2, "pace": 3}
    hour = {"draining": False, "done": 143, "failed": 1, "reconnects": 0, "limited": 0, "seconds": 41.5}
    return {"name": name, "state": state} | plain | hour | other


def alarm(code: str, level: str, about: str | None, words: str, did: str = "") -> dict[str, Any]:
    """An alarm as `GET status` shows it."""
    return {"code": code, "level": level, "about": about, "words": words, "since": before(minutes=4), "did": did}


class Operated:
    """`alarms`, `accounts`, `jobs`, `users`, `events`, … are what is answered; `changes` what was asked for."""

    def __init__(self) -> None:
        self.role: str | None = None
        self.silent = False
        self.paused = False
        self.asked: Counter[str] = Counter()
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.refusals: dict[str, tuple[int, str]] = {}
        self.alarms: list[dict[str, Any]] = []
        self.accounts = [account("fox-07"), account("hare-02", busy=1), account("owl-11", slots=12, busy=12, pace=12)]
        self.jobs: list[dict[str, Any]] = []
        self.users: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.actors: dict[str, dict[str, Any]] = {}
        self.queued = 1204

    def serve(self, context: BrowserContext) -> None:
        """Answers everything that this context's pages ask for."""
        context.route(f"{URL}/**", self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if path == "/admin":
            self._file(route, "admin.html")
        elif path.startswith("/static/"):
            self._file(route, path.removeprefix("/static/"))
        elif self.silent:
            route.abort()
        else:
            query = {name: value for name, (value,) in parse_qs(urlsplit(request.url).query).items()}
            body = request.post_data_json if request.post_data else {}
            status, answer = self._say(request.method, unquote(path).removeprefix("/admin/v1/"), query, body)
            kind = "application/json" if status < 400 else "application/problem+json"
            route.fulfill(status=status, body=json.dumps(answer) if status != 204 else "", content_type=kind)

    def _file(self, route: Route, name: str) -> None:
        file = STATIC / name
        route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])

    def _say(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        self.asked[path] += 1
        if path == "login":
            return self._login(method, body)
        if self.role is None:
            return problem(401, "A key is needed.")
        if path in self.refusals:
            return problem(*self.refusals[path])
        return self._change(path, body) if method == "POST" else self._read(path, query)

    def _login(self, method: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "POST":
            self.role = {KEY: "admin", VIEWER_KEY: "viewer"}.get(body["key"])
        if method == "DELETE":
            self.role = None
            return 204, None
        if self.role is None:
            return problem(401, "The key is not known, or no longer valid.")
        return (204, None) if method == "POST" else (200, {"name": "operator", "role": self.role})

    def _change(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.changes.append((path, body))
        noun, *names, verb = path.split("/")
        if noun == "queue":
            self.paused = verb == "pause"
        if noun == "accounts":
            (found,) = [each for each in self.accounts if each["name"] == "/".join(names)]
            found |= {
                "suspend": {"state": "suspended", "cause": "operator", "reason": body.get("reason"), "busy": 0},
                "resume": {"state": "up", "cause": None, "reason": None, "draining": False},
                "drain": {"state": "suspended", "cause": "drain", "reason": "drained by operator", "draining": True},
                "slots": {"slots": body.get("slots")},
            }[verb]
        if noun == "users":
            (found,) = [each for each in self.users if each["name"] == names[0]]
            found["banned"] = verb == "ban"
        if noun == "jobs" and verb == "retry":
            (old,) = [each for each in self.jobs if each["job"] == names[0]]
            self.jobs.insert(0, old | {"job": "j-again", "status": "queued", "code": None})
        return 200, {"ok": True, "changed": True, "job": "j-again"}

    def _read(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        noun, _, name = path.partition("/")
        if noun == "status":
            return 200, self._status()
        if noun == "queue":
            waiting = [each for each in self.users if each["waiting"]]
            return 200, self._status()["wait"] | {
                "depth": self.queued, "paused": self.paused, "intake": "open", "lanes": {"fast": 1000, "relax": 204},
                "users": [each | {"weight": 1.0} for each in waiting], "wait_p50_s": 38.0, "wait_p99_s": 126.0,
            }  # fmt: skip
        if noun == "actors":
            return (200, self.actors[name]) if name in self.actors else problem(404, f"There is no actor {name}.")
        rows = getattr(self, noun)
        if name:
            found = [each for each in rows if name in (each.get("job", each["name"]), each["name"])]
            return (200, found[0]) if found else problem(404, f"There is no {noun[:-1]} {name}.")
        return 200, {noun: self._page(noun, rows, query), "next": None}

    def _page(self, noun: str, rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        if noun == "events":
            return [each for each in rows if each["id"] > int(query.get("after", 0))]
        if noun == "jobs":
            rows = [each for each in rows if query.get("user") in (None, each["name"])]
            return [each for each in rows if query.get("state") in (None, each["status"])]
        return [each for each in rows if query.get("filter", "") in each["name"]]

    def _status(self) -> dict[str, Any]:
        states = Counter(each["state"] for each in self.accounts)
        slots, busy = (sum(each[what] for each in self.accounts) for what in ("slots", "busy"))
        return {
            "version": "0.1.0", "node": "one", "up_s": 187_200, "ready": True, "reasons": [], "pace": 1.0,
            "intake": "paused" if self.paused else "open", "alarms": self.alarms,
            "jobs": {"queued": self.queued, "drawing": busy, "done_today": 31_207, "failed_today": 4, "per_s": 10.4},
            "wait": {"p50_s": 38.2, "p99_s": 126.0}, "tokens": {"slots": slots, "busy": busy, "free": slots - busy},
            "accounts": {state: states[state] for state in ("up", "degraded", "paused", "exhausted", "suspended")},
            "users": 10_000, "sessions": 1000, "sockets": 10_112, "images": 812_000, "actors": 1244, "messages": 9_000,
            "dead_letters": 0, "crashes": 0, "restarts": 3, "loop_lag_s": 0.004, "commit_s": 0.006,
            "memory_bytes": 912_000_000, "disk_free_bytes": 412_000_000_000,
        }  # fmt: skip


def problem(status: int, detail: str) -> tuple[int, dict[str, Any]]:
    """A refusal."""
    return status, {"type": "about:blank", "title": "Refused", "status": status, "code": "refused", "detail": detail}
