"""A made-up service behind docs/ADMIN.md's routes: 10,000 actors, 24 accounts, users, jobs, events; the same each time.

`House.answer` is pure but for what POSTs change. `InProcess` gives it to the console without a network; run as a
program it is a daemon to look at the console with: `python -m tests.console.tui.house PORT`.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from console.tui.history import SAMPLES_MAX, STEP_S, History
from console.tui.link import Answer, Lost, Refused

SESSIONS, ACCOUNTS, USERS, JOBS = 9_960, 24, 60, 240
#: Tuesday, 2026-11-24 14:03:07 UTC.
NOON = datetime(2026, 11, 24, 14, 3, 7, tzinfo=UTC).timestamp()
ANIMALS = ("fox", "owl", "elk", "bee", "hen", "yak", "eel", "ant")
PEOPLE = ("ana", "bo", "chi", "dora", "emil", "fay", "gus", "hana", "ivo", "jun")
PROMPTS = (
    "a lighthouse at dusk, oil on linen", "a red fox in snow", "the same fox, running", "an owl made of copper wire",
    "harbour in fog, 35 mm", "a cat asleep in a bookshop, ink", "glass mountains under two moons", "雪の中の赤い狐",
)  # fmt: skip
STATES = ("queued", "drawing", "done", "failed", "cancelled")


def rfc3339(at: float) -> str:
    """As the daemon writes times."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class House:
    """`now`: Unix time, s. `role` of the key that asks."""

    def __init__(self, now: Callable[[], float] = lambda: NOON, role: str = "admin", version: str = "0.1.0") -> None:
        self.now, self.role, self.version = now, role, version
        self.began = now()
        self.paused = False
        dice = random.Random(7)
        self.accounts = [self._account(number, dice) for number in range(ACCOUNTS)]
        self.actors = self._actors(dice)
        self.users = [self._user(number, dice) for number in range(USERS)]
        self.jobs = [self._job(number, dice) for number in range(JOBS)]
        self.audit: list[dict[str, Any]] = []
        #: What was asked, for tests: (method, path).
        self.asked: list[tuple[str, str]] = []

    # --- what there is -------------------------------------------------------------------------------------------

    def _account(self, number: int, dice: random.Random) -> dict[str, Any]:
        busy = dice.randint(0, 3)
        account = {
            "name": f"{ANIMALS[number % len(ANIMALS)]}-{number:02}", "state": "up", "cause": None, "reason": None,
            "ends": None, "since": rfc3339(self.began - 90_000), "slots": 3, "busy": busy, "pace": 3, "draining": False,
            "done": dice.randint(80, 260), "failed": dice.randint(0, 3), "reconnects": dice.randint(0, 2), "limited": 0,
            "seconds": round(dice.uniform(28, 46), 1),
        }  # fmt: skip
        match number:
            case 7:
                account |= {
                    "state": "paused", "cause": "moderation", "reason": "moderation notice, 4 drawings moved",
                    "busy": 0,
                    "ends": "a person answers it in Discord, then resume", "since": rfc3339(self.began - 742),
                }  # fmt: skip
            case 12:
                account |= {
                    "state": "degraded", "cause": "rate_limit", "reason": "Discord asked for a pause", "limited": 37,
                    "ends": "itself, in 12 s", "since": rfc3339(self.began - 41), "pace": 1,
                }  # fmt: skip
            case 17:
                account["seconds"] = 171.4
        return account

    def _actor(
        self, name: str, kind: str, parent: str | None, dice: random.Random, children: int = 0
    ) -> dict[str, Any]:
        handled = dice.randint(10, 90_000)
        return {
            "name": name, "address": f"limner:{name}", "kind": kind, "parent": parent, "depth": 0, "handled": handled,
            "rate": round(dice.uniform(0, 2), 2), "busy_s": round(handled / 4000, 2), "uptime_s": 187_200.0, "tasks": 0,
            "children": children, "restarts": 0, "suspended": False, "last_error": None,
        }  # fmt: skip

    def _actors(self, dice: random.Random) -> list[dict[str, Any]]:
        top = ("monitor", "store", "queue", "scheduler", "gallery", "janitor", "accounts", "lobby", "console", "gate")
        actors = [self._actor("root", "Root", None, dice, len(top))]
        children = {"accounts": ACCOUNTS, "lobby": SESSIONS}
        actors += [self._actor(name, name.capitalize(), "root", dice, children.get(name, 0)) for name in top]
        actors += [self._actor(f"account/{each['name']}", "Account", "accounts", dice) for each in self.accounts]
        actors += [self._actor(f"session/u{number:05}", "Session", "lobby", dice) for number in range(SESSIONS)]
        for name, more in (
            ("queue", {"depth": 14, "rate": 212.4}),
            ("store", {"depth": 3, "rate": 96.1}),
            ("account/fox-16", {"restarts": 3, "uptime_s": 41.0, "last_error": "close 4009, resumed", "depth": 2}),
            ("session/u00042", {"restarts": 1, "uptime_s": 5_400.0, "last_error": "KeyError: 'ref'"}),
        ):
            next(each for each in actors if each["name"] == name).update(more)
        return actors

    def _user(self, number: int, dice: random.Random) -> dict[str, Any]:
        name = PEOPLE[number % len(PEOPLE)] + ("" if number < len(PEOPLE) else str(number // len(PEOPLE)))
        return {
            "user": f"u-{number:04}", "name": name, "plan": "free" if number % 5 else "studio", "banned": number == 4,
            "used": max(0, 97 - number * 2), "daily": 100 if number % 5 else 1000, "waiting": number % 4,
            "drawing": number % 3, "jobs": dice.randint(1, 4000), "created_at": rfc3339(self.began - number * 86_400),
        }  # fmt: skip

    def _job(self, number: int, dice: random.Random) -> dict[str, Any]:
        user = self.users[number * 7 % 20]
        state = "queued" if number < 6 else "drawing" if number < 30 else "failed" if number % 17 == 0 else "done"
        began = self.began - number * 9.0 - 4
        account = self.accounts[17 if number in (8, 9, 10) else number % ACCOUNTS]["name"]
        return {
            "job": f"j1v7z{JOBS - number:04}xq3c", "user": user["user"], "name": user["name"], "kind": "imagine",
            "mode": "fast", "status": state, "prompt": PROMPTS[number % len(PROMPTS)],
            "account": None if state == "queued" else account, "attempt": 0 if state == "queued" else 1,
            "position": number + 1 if state == "queued" else None,
            "percent": dice.randint(5, 95) if state == "drawing" else 100 if state == "done" else None,
            "code": "upstream_failed" if state == "failed" else None, "created_at": rfc3339(began),
            "finished_at": rfc3339(began + 41.5) if state in ("done", "failed") else None,
        }  # fmt: skip

    # --- what it answers -------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of a route below /admin/v1."""
        path, _, text = target.partition("?")
        self.asked.append((method, target))
        noun, _, rest = path.partition("/")
        query = dict(parse_qsl(text))
        if method == "POST":
            return self._change(noun, unquote(rest), body)
        if rest:
            return self._one(noun, unquote(rest))
        found = getattr(self, f"_list_{noun}", None)
        return (200, found(query)) if found else problem(404, "not_found", f"Nothing here is called {noun}.")

    def _list_login(self, query: Mapping[str, str]) -> dict[str, Any]:
        return {"name": "operator" if self.role == "admin" else "vera", "role": self.role}

    def _list_status(self, query: Mapping[str, str]) -> dict[str, Any]:
        states = [each["state"] for each in self.accounts]
        busy, slots = (sum(each[name] for each in self.accounts) for name in ("busy", "slots"))
        beat = int(self.now() - self.began)
        alarm = {
            "code": "account_paused", "level": "red", "about": f"account/{self.accounts[7]['name']}",
            "words": f"account {self.accounts[7]['name']} paused: moderation notice, 4 drawings moved",
            "since": rfc3339(self.began - 742), "did": "others draw what it had",
        }  # fmt: skip
        return {
            "version": self.version, "node": "main", "up_s": 187_200.0 + beat, "ready": True, "reasons": [],
            "intake": "paused" if self.paused else "open", "pace": 1.0,
            "alarms": [alarm] if states[7] == "paused" else [],
            "jobs": {"queued": 1204 + beat % 9, "drawing": busy, "done_today": 81_204, "failed_today": 37,
                     "per_s": round(10.4 + 2 * ((beat * 7) % 5 - 2) / 5, 1)},
            "wait": {"p50_s": 38.2, "p99_s": 126.0}, "tokens": {"slots": slots, "busy": busy, "free": slots - busy},
            "accounts": {name: states.count(name) for name in ("up", "degraded", "paused", "exhausted", "suspended")},
            "users": 10_412, "sessions": SESSIONS, "sockets": 9_988, "images": 402_113, "actors": len(self.actors),
            "messages": 918_220, "dead_letters": 3, "crashes": 4, "restarts": 4, "loop_lag_s": 0.0021,
            "commit_s": 0.0043, "memory_bytes": 1_172_000_000, "disk_free_bytes": 225_000_000_000,
        }  # fmt: skip

    def _list_tree(self, query: Mapping[str, str]) -> dict[str, Any]:
        under, needle = query.get("under"), query.get("filter", "")
        found = [each for each in self.actors if (not under or each["parent"] == under) and needle in each["name"]]
        field = {"uptime": "uptime_s", "busy": "busy_s"}.get(query.get("sort", ""), query.get("sort", ""))
        if field == "name":
            found.sort(key=lambda each: each["name"])
        elif field:
            found.sort(key=lambda each: -each[field])
        return {"actors": found[: int(query.get("limit", len(found)))], "total": len(found)}

    def _list_accounts(self, query: Mapping[str, str]) -> dict[str, Any]:
        return {"accounts": self.accounts}

    def _list_jobs(self, query: Mapping[str, str]) -> dict[str, Any]:
        names = {each["user"]: each["name"] for each in self.users}
        found = [
            each for each in self.jobs
            if query.get("state") in (None, each["status"]) and query.get("account") in (None, each["account"])
            and query.get("user") in (None, each["user"], names[each["user"]])
        ]  # fmt: skip
        if "before" in query:
            found = found[[each["job"] for each in found].index(query["before"]) + 1 :]
        limit = int(query.get("limit", 100))
        return {"jobs": found[:limit], "next": found[limit - 1]["job"] if len(found) > limit else None}

    def _list_users(self, query: Mapping[str, str]) -> dict[str, Any]:
        found = [each for each in self.users if query.get("filter", "") in each["name"]]
        by = query.get("sort", "name")
        found.sort(key=lambda each: each[by] if by == "name" else -each[by])
        return {"users": found[: int(query.get("limit", 100))], "next": None}

    def _list_nodes(self, query: Mapping[str, str]) -> dict[str, Any]:
        node = {
            "node": "main", "roles": ["core", "edge", "accounts"], "state": "up",
            "since": rfc3339(self.began - 187_200),
            "actors": len(self.actors), "sockets": 9_988, "accounts": ACCOUNTS, "version": self.version,
        }  # fmt: skip
        return {"nodes": [node, node | {"node": "edge-2", "roles": ["edge"], "state": "draining", "actors": 412}]}

    def _list_events(self, query: Mapping[str, str]) -> dict[str, Any]:
        grave = ("debug", "info", "warning", "error")
        said = (
            ("info", "gate", "socket opened", {"user": "ana"}),
            ("info", "account/fox-16", "resumed", {"seq": 4711}),
            ("warning", "account/yak-13", "account is out of work", {"account": "yak-13", "cause": "rate_limit"}),
            ("info", "queue", "job ended", {"job": "j1v7z0200xq3c", "status": "done"}),
            ("error", "session/u00042", "died", {"reason": "KeyError: 'ref'"}),
            ("debug", "scheduler", "granted", {"lease": "l-1"}),
        )
        newest = int(self.now() - self.began) + 40
        found = []
        for number in range(max(0, newest - 2000), newest):
            level, actor, event, fields = said[number * number % 11 % len(said)]
            at = rfc3339(self.began - 40 + number)
            found.append({"id": number, "at": at, "level": level, "actor": actor, "event": event, "fields": fields})
        least, needle = grave.index(query.get("level", "info")), query.get("filter", "")
        kept = [
            each for each in found
            if each["id"] > int(query.get("after", -1)) and grave.index(each["level"]) >= least and needle in str(each)
        ]  # fmt: skip
        return {"events": kept[-int(query.get("limit", 100)) :], "next": newest - 1}

    def _list_audit(self, query: Mapping[str, str]) -> dict[str, Any]:
        rows = [
            {"id": 2, "at": rfc3339(self.began - 300), "by": "ana", "role": "viewer", "noun": "accounts",
             "of": "owl-01",
             "verb": "drain", "outcome": "refused", "detail": "forbidden"},
            {"id": 1, "at": rfc3339(self.began - 900), "by": "operator", "role": "admin", "noun": "users", "of": "emil",
             "verb": "ban", "outcome": "changed", "detail": "reason: 400 jobs a minute"},
        ]  # fmt: skip
        return {"audit": [*reversed(self.audit), *rows], "next": None}

    def _one(self, noun: str, of: str) -> tuple[int, dict[str, Any]]:
        by = {"accounts": "name", "actors": "name", "jobs": "job", "users": "name"}.get(noun)
        found = next((each for each in getattr(self, noun, ()) if by and each[by] == of), None)
        if found is None:
            return problem(404, "not_found", f"There is no {noun.removesuffix('s')} {of}.")
        return 200, found | self._more(noun, found)

    def _more(self, noun: str, found: Mapping[str, Any]) -> dict[str, Any]:
        if noun == "accounts":
            held = [
                each["job"] for each in self.jobs if each["account"] == found["name"] and each["status"] == "drawing"
            ]
            return {"holding": held, "modes": ["fast", "relax"], "weight": 1.0, "driver": "midjourney", "kind": "user"}
        if noun == "actors":
            return {"state": {"waiting": 1204, "lanes": {"fast": 1100, "relax": 104}, "leases": 41}}
        if noun == "users":
            keys = [
                {"key": f"k-{found['name']}", "role": "user", "login": False, "created_at": None, "revoked_at": None}
            ]
            return {"keys": keys, "sockets": 2}
        began = datetime.fromisoformat(str(found["created_at"])).timestamp()
        steps = [
            (0.0, "accepted", "queue", f"of {found['name']}"), (3.1, "granted", "scheduler", f"to {found['account']}"),
            (3.2, "submitting", f"account/{found['account']}", "nonce 1309948213"),
            (4.0, "drawing", f"account/{found['account']}", "seen by nonce"), (12.4, "progress", "queue", "31 %"),
            (41.5, str(found["status"]), "gallery", "kept, 1.4 MiB"),
        ]  # fmt: skip
        timeline = [
            {"at": rfc3339(began + after), "what": what, "by": by, "detail": told} for after, what, by, told in steps
        ]
        attempt = {
            "attempt": 1, "account": found["account"], "nonce": "1309948213", "interaction_id": "88",
            "message_id": "1309948777",
            "outcome": found["status"] if found["status"] in ("done", "failed") else None, "at": timeline[2]["at"],
        }  # fmt: skip
        shown = timeline[: 1 if found["status"] == "queued" else 5 if found["status"] == "drawing" else 6]
        return {"history": [], "attempts": [attempt] if found["attempt"] else [], "timeline": shown, "late": []}

    # --- what it does ------------------------------------------------------------------------------------------------

    def _change(self, noun: str, rest: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        of, _, verb = rest.rpartition("/")
        if self.role != "admin":
            return problem(403, "forbidden", "A viewer's key reads, and changes nothing.")
        changed = True
        if noun == "queue":
            changed, self.paused = self.paused != (verb == "pause"), verb == "pause"
        elif noun in ("accounts", "users", "jobs", "actors"):
            by = "job" if noun == "jobs" else "name"
            found = next((each for each in getattr(self, noun) if each[by] == of), None)
            if found is None:
                return problem(404, "not_found", f"There is no {noun.removesuffix('s')} {of}.")
            before = dict(found)
            found.update(self._done(verb, found, body))
            changed = before != found
        entry = {"id": 3 + len(self.audit), "at": rfc3339(self.now()), "by": "operator", "role": "admin", "noun": noun}
        self.audit.append(entry | {"of": of, "verb": verb, "outcome": "changed", "detail": str(dict(body) or "")})
        return 200, {"ok": True, "changed": changed}

    def _done(self, verb: str, found: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        match verb:
            case "suspend" if "state" in found:
                return {"state": "suspended", "cause": "operator", "reason": "suspended by operator", "ends": "resume"}
            case "resume" if "state" in found:
                return {"state": "up", "cause": None, "reason": None, "ends": None, "draining": False}
            case "suspend" | "resume":
                return {"suspended": verb == "suspend"}
            case "drain":
                return {"draining": True}
            case "restart":
                return {
                    "restarts": found["restarts"] + 1,
                    "uptime_s": 0.4,
                    "last_error": "Killed: restarted by operator",
                }
            case "ban" | "unban":
                return {"banned": verb == "ban"}
            case "cancel":
                return {"status": "cancelled"}
        return {name: value for name, value in body.items() if name in found}


def remembered(now: float) -> History:
    """Ten minutes until now as they may have been: waves, a peak, and half a minute without a daemon."""
    history = History()
    for step in range(SAMPLES_MAX):
        if 30 <= SAMPLES_MAX - step < 45:
            continue
        wave = 1 + math.sin(step / 9) * 0.4
        jobs = {"per_s": round(9 * wave, 1), "queued": int(900 * wave + (400 if step > 270 else 0))}
        status = {"jobs": jobs, "wait": {"p50_s": 30 * wave}, "loop_lag_s": 0.002 * wave}
        history.add(status, now - STEP_S * (SAMPLES_MAX - step))
    return history


def problem(status: int, code: str, detail: str) -> tuple[int, dict[str, Any]]:
    """A refusal."""
    return status, {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}


class InProcess:
    """The console's Source without a network. `away`: nobody answers."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.away = ""
        self.never_heard = False
        self.key_is_valid = True

    async def get(self, path: str) -> Answer:
        return self._ask("GET", path, {})

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._ask("POST", path, body)

    async def close(self) -> None:
        self.away = "closed"

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        if self.away or self.never_heard:
            raise Lost(self.away or "Connection refused", may_be_done=not self.never_heard)
        if not self.key_is_valid:
            raise Refused(401, "unauthenticated", "The key is not known, or no longer valid.")
        status, answer = self.house.answer(method, path, body)
        if status >= 400:
            raise Refused(status, answer["code"], answer["detail"])
        return answer


def main(port: int) -> None:
    """Serves the house on loopback; its key is `admin`."""
    from aiohttp import web

    house = House(time.time)

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer admin":
            status, told = problem(401, "unauthenticated", "The key is not known, or no longer valid.")
        else:
            target = request.raw_path.removeprefix("/admin/v1/")
            status, told = house.answer(request.method, target, await request.json() if request.can_read_body else {})
        return web.json_response(told, status=status)

    app = web.Application()
    app.router.add_route("*", "/admin/v1/{rest:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda *words: None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
