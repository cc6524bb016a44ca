"""Ledger: every interaction received and what became of it; for tests, which ask it who drew what how often."""

from __future__ import annotations

from collections import Counter

import msgspec

from sim.messages import stamp
from sim.store import Store

PAGE_ROWS_MAX = 10_000
ACCEPTED, REFUSED, FAILED, DONE, CANCELLED = "accepted", "refused", "failed", "done", "cancelled"


class Row(msgspec.Struct):
    """One interaction. `account` is a name, `at` unix seconds here and RFC 3339 when shown."""

    nonce: str | None
    account: str
    kind: str
    prompt: str | None
    at: float
    outcome: str = ACCEPTED
    interaction_id: str | None = None
    message_id: str | None = None
    sha256: str | None = None

    def shown(self) -> dict[str, object]:
        moment = stamp(self.at).replace("+00:00", "Z")
        return msgspec.structs.asdict(self) | {"at": moment[:-4] + "Z" if "." in moment else moment}


class Ledger:
    """Rows numbered from 1 in the order of receipt."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rows = [row for _, row in store.load("ledger", Row)]
        self.seen: Counter[str] = Counter()
        self.duplicates = 0  # nonces seen more than once
        for row in self.rows:
            self.count(row)

    def add(self, row: Row) -> int:
        """Write a row down; its number."""
        self.rows.append(row)
        self.count(row)
        self.store.put("ledger", f"{len(self.rows):012d}", row)
        return len(self.rows)

    def count(self, row: Row) -> None:
        if row.nonce:
            self.seen[row.nonce] += 1
            self.duplicates += self.seen[row.nonce] == 2

    def settle(self, number: int, outcome: str, message_id: str | None = None, sha256: str | None = None) -> None:
        row = self.rows[number - 1]
        row.outcome = outcome
        row.message_id = message_id or row.message_id
        row.sha256 = sha256 or row.sha256
        self.store.put("ledger", f"{number:012d}", row)

    def page(self, after: int, limit: int) -> dict[str, object]:
        """Rows numbered higher than `after`; `next` is the `after` of the next page, null at the end."""
        rows = self.rows[after : after + limit]
        end = after + len(rows)
        return {"rows": [row.shown() for row in rows], "next": end if end < len(self.rows) else None}
