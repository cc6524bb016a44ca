"""Nodes: the hosts of the service; and the audit trail: who changed what, and whether it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.tui.columns import Column, Row
from console.tui.deeds import Deed, of_node
from console.tui.link import Answer, route
from console.tui.place import Place
from console.tui.view import View, rows_of
from console.tui.words import age, joined, line, matches, number, signed

UP = frozenset({"up", "ready", "leader"})
#: What an operator's noun is about, and the screen that shows it.
ABOUT = {"accounts": "account", "users": "user", "jobs": "job", "actors": "actor"}
DONE = frozenset({"done", "changed", "unchanged", "ok"})


class Nodes(View):
    """The hosts."""

    COLUMNS = (
        Column("node", 16, worth=99, grows=True),
        Column("state", 12, worth=98),
        Column("since", 8, right=True, worth=4),
        Column("actors", 8, right=True, worth=7),
        Column("sockets", 8, right=True, worth=6),
        Column("accounts", 9, right=True, worth=5),
        Column("roles", 20, worth=3),
        Column("version", 9, worth=2),
    )
    EMPTY = "no nodes"
    CAN_FILTER = False

    @property
    def heading(self) -> str:
        return f"Nodes  {self.shown()}"

    def asks(self) -> dict[str, str]:
        return {"nodes": "nodes"}

    def show(self, answers: Mapping[str, Answer]) -> None:
        if "nodes" in answers:
            self.fill(rows_of(answers, "nodes"), "node", self._row)

    def _row(self, node: Mapping[str, Any]) -> Row:
        state = str(node.get("state") or "")
        tone = "" if state in UP else "yellow"
        cells = (
            *(line(node.get("node")), signed(tone, state), age(node.get("since"), self.now())),
            *(number(node.get("actors")), number(node.get("sockets")), _accounts(node.get("accounts"))),
            *(line(node.get("roles")), line(node.get("version"))),
        )
        return Row(str(node.get("node")), cells, tone)

    def deeds(self) -> tuple[Deed, ...]:
        return of_node(self.thing) if self.thing is not None else ()


def _accounts(accounts: Any) -> str:
    return number(len(accounts)) if isinstance(accounts, list) else number(accounts)


class Audit(View):
    """The audit trail, newest first; filtered here."""

    COLUMNS = (
        Column("ago", 8, right=True, worth=9),
        Column("by", 12, worth=8),
        Column("role", 7, worth=2),
        Column("what", 26, worth=7, grows=True),
        Column("outcome", 12, worth=6),
        Column("detail", 12, worth=4, grows=True),
    )
    EMPTY = "nobody has changed anything"
    rows: tuple[Mapping[str, Any], ...] = ()
    goes_on: Any = None

    @property
    def _shown(self) -> str:
        return self.shown(len(self.rows)) if self.needle else self.shown()

    @property
    def heading(self) -> str:
        return f"Audit  {self._shown}  newest first"

    def asks(self) -> dict[str, str]:
        return {"audit": route("audit", limit=self.limit, before=self.before)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        if "audit" in answers:
            self.rows, self.goes_on = tuple(rows_of(answers, "audit")), answers["audit"].get("next")
        self.refilter()

    def refilter(self) -> None:
        kept = [each for each in self.rows if matches(self.needle, *each.values())]
        self.fill(kept, "id", self._entry, next=self.goes_on)
        self.post_message(self.Changed())

    def _entry(self, entry: Mapping[str, Any]) -> Row:
        outcome = str(entry.get("outcome") or "")
        tone = "" if outcome in DONE else "yellow"
        what = joined((line(entry.get(name) or "") for name in ("noun", "of", "verb")), " ")
        cells = (
            *(age(entry.get("at"), self.now()), line(entry.get("by")), line(entry.get("role")), what),
            *(signed(tone, outcome), line(entry.get("detail") or "")),
        )
        return Row(str(entry.get("id")), cells, tone)

    def words_of(self, key: str) -> str:
        entry = self.things.get(key, {})
        return joined((line(entry.get("at")), line(entry.get("outcome")), line(entry.get("detail") or "")))

    def leads_to(self, key: str) -> Place | None:
        entry = self.things.get(key, {})
        kind = ABOUT.get(str(entry.get("noun")))
        return Place(kind, str(entry["of"])) if kind and entry.get("of") else None
