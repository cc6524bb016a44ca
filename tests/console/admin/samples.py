"""Answers of a daemon, as docs/ADMIN.md says they are."""

from __future__ import annotations

from typing import Any

AT = "2026-11-24T12:00:00.000Z"

STATUS = {
    **{"version": "0.1.0", "node": "vm", "up_s": 5400.0, "ready": True, "reasons": [], "intake": "open", "pace": 1.0},
    "alarms": [
        {
            **{"code": "account_paused", "level": "red", "about": "fox-07", "since": AT, "did": "4 drawings moved"},
            "words": "account fox-07 paused: moderation notice",
        }
    ],
    "jobs": {"queued": 3, "drawing": 2, "done_today": 100, "failed_today": 1, "per_s": 0.5},
    "wait": {"p50_s": 4.0, "p99_s": 31.0},
    "tokens": {"slots": 6, "busy": 2, "free": 4},
    "accounts": {"up": 1, "degraded": 0, "paused": 1, "exhausted": 0, "suspended": 0},
    **{"users": 2, "sessions": 2, "sockets": 3, "images": 100, "actors": 14, "messages": 12345, "dead_letters": 0},
    **{"crashes": 0, "restarts": 0, "loop_lag_s": 0.002, "commit_s": 0.004, "memory_bytes": 96_000_000},
    "disk_free_bytes": 74_000_000_000,
}


def an_actor(name: str, parent: str | None, **stats: Any) -> dict[str, Any]:
    row = {"name": name, "address": "/0", "kind": "Account", "parent": parent, "depth": 0, "handled": 20, "rate": 2.0}
    row |= {"busy_s": 0.01, "uptime_s": 10.0, "tasks": 0, "children": 0, "restarts": 0, "suspended": False}
    return row | {"last_error": None} | stats


FOX = an_actor("account/fox-07", "accounts", restarts=7, last_error="Killed: restarted by ada", depth=3)
TREE = {"actors": [an_actor("root", None), an_actor("accounts", "root"), an_actor("gate", "root"), FOX], "total": 4}


def an_account(name: str, **more: Any) -> dict[str, Any]:
    row = {"name": name, "state": "up", "cause": None, "reason": None, "ends": None, "since": None, "slots": 3}
    row |= {"busy": 1, "pace": 3, "draining": False, "done": 7, "failed": 0, "reconnects": 0, "limited": 0}
    return row | {"seconds": 41.5} | more


PAUSED = {"state": "paused", "cause": "moderation", "reason": "Pending mod message", "since": AT}
ACCOUNTS = {
    "accounts": [an_account("fox-07", **PAUSED, ends="a person answers, then account resume"), an_account("heron-02")]
}

QUEUE = {
    **{"depth": 3, "paused": False, "intake": "open", "lanes": {"fast": 2, "relax": 1}},
    "users": [{"user": "u1", "name": "ana", "waiting": 3, "drawing": 1, "weight": 1.0}],
    **{"next": None, "wait_p50_s": 3.0, "wait_p99_s": 90.0},
}


def a_job(job: str, **more: Any) -> dict[str, Any]:
    row = {"job": job, "user": "u1", "name": "ana", "kind": "imagine", "mode": "fast", "status": "queued"}
    row |= {"prompt": "a very long prompt about a fox in deep snow under a pale moon", "account": None, "attempt": 1}
    return row | {"position": 2, "percent": None, "code": None, "created_at": AT, "finished_at": None} | more


JOBS = {"jobs": [a_job("J2"), a_job("J1", status="drawing", account="fox-07", percent=40, position=None)], "next": "J1"}
TIMELINE = [
    {"at": AT, "what": "queued", "by": "queue", "detail": None},
    {"at": "2026-11-24T12:00:01.000Z", "what": "Token", "by": "session/u1", "detail": "from lobby"},
]
JOB = {
    **a_job("J1", status="done"),
    "history": [{"state": "queued", "at": AT}, {"state": "done", "at": AT}],
    "attempts": [
        {"attempt": 1, "account": "fox-07", "nonce": "123", "interaction_id": "9", "outcome": "done", "at": AT}
    ],
    "timeline": TIMELINE,
    "late": [],
}

USER = {
    "user": "u1",
    "name": "ana",
    "plan": "free",
    "banned": True,
    "used": 3,
    "daily": 100,
    "waiting": 3,
    "drawing": 1,
}
USER |= {"jobs": 12, "created_at": AT}
USERS = {"users": [USER], "next": None}
NODES = {
    "nodes": [
        {"node": "vm", "roles": ["core", "edge"], "state": "up", "since": AT}
        | {"actors": 14, "sockets": 3, "accounts": 2, "version": "0.1.0"}
    ]
}
EVENT = {
    "id": 7,
    "at": AT,
    "level": "warning",
    "actor": "queue",
    "event": "a move was refused",
    "fields": {"job": "J1"},
}
AUDIT = {
    "audit": [
        {"id": 1, "at": AT, "by": "op", "role": "admin", "noun": "accounts", "of": "fox-07", "verb": "suspend"}
        | {"outcome": "changed", "detail": "reason=holiday"}
    ],
    "next": None,
}
CONFIG = {"server": {"host": "127.0.0.1", "port": 8080}, "accounts": [{"name": "fox-07", "token": "…"}]}
CHANGED = {"ok": True, "changed": True}

READS = {
    "status": STATUS,
    "tree": TREE,
    "accounts": ACCOUNTS,
    "queue": QUEUE,
    "jobs": JOBS,
    "users": USERS,
    "nodes": NODES,
    "events": {"events": [EVENT], "next": 7},
    "audit": AUDIT,
    "config": CONFIG,
}
