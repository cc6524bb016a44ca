"""Deeds: what an operator can do to a thing (docs/ADMIN.md, "What can be changed"), and what is asked before. Pure.

Each question names what will happen, so that "yes" is an answer to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.tui.link import named
from console.tui.words import plural

SLOTS_MAX = 1000
TRACE_S = 300
LEVELS = ("debug", "info", "warning", "error")
ENDED = frozenset({"done", "failed", "cancelled"})


class Unfit(ValueError):
    """What was typed into a field cannot be meant; says what can."""


@dataclass(frozen=True)
class Field:
    """A value that is asked for. `kind`: `text`, `count` (from `least`), or `level`. Optional ones may be empty."""

    name: str
    label: str
    kind: str = "text"
    initial: str = ""
    optional: bool = True
    least: int = 0

    def read(self, text: str) -> str | int | None:
        """The value; None when it is left out. Raises Unfit."""
        text = text.strip()
        if not text:
            if self.optional:
                return None
            raise Unfit(f"{self.label}: needed")
        if self.kind == "count":
            if not text.isascii() or not text.isdigit() or int(text) < self.least:
                raise Unfit(f"{self.label}: a whole number from {self.least}")
            return int(text)
        if self.kind == "level" and text.lower() not in LEVELS:
            raise Unfit(f"{self.label}: one of {', '.join(LEVELS)}")
        return text.lower() if self.kind == "level" else text


@dataclass(frozen=True)
class Deed:
    """A verb for one thing: the key that begins it, the question, and the fields that go with it.

    `noun`, `of` and `verb` make the route; `of` is empty where there is only one.
    """

    key: str
    label: str
    noun: str
    of: str
    verb: str
    question: str
    fields: tuple[Field, ...] = ()
    #: The fields make sense only when one of them is filled.
    needs_one: bool = False

    @property
    def path(self) -> str:
        """The route below /admin/v1."""
        return named(self.noun, self.of, self.verb)

    def body(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The arguments as they are sent. Raises Unfit."""
        read = {field.name: field.read(texts.get(field.name, "")) for field in self.fields}
        kept = {name: value for name, value in read.items() if value is not None}
        if self.needs_one and not kept:
            raise Unfit("fill in what is to change")
        return kept


REASON = Field("reason", "reason")


def of_account(account: Mapping[str, Any]) -> tuple[Deed, ...]:
    """Deeds for an account."""
    name = str(account.get("name", ""))
    busy = account.get("busy") or 0
    goes_on = f"The {plural(busy, 'drawing')} it has go on." if busy != 1 else "The drawing it has goes on."
    if not busy:
        goes_on = "It draws nothing just now."

    def deed(key: str, verb: str, question: str, *fields: Field) -> Deed:
        return Deed(key, verb, "accounts", name, verb, question, fields)

    slots = Field("slots", "slots", "count", str(account.get("slots") or ""), optional=False, least=1)
    return (
        deed("s", "suspend", f"Suspend account {name}? It gets no new work until it is resumed. {goes_on}", REASON),
        deed("r", "resume", f"Resume account {name}? It gets work again; a notice must have been answered in Discord."),
        deed("d", "drain", f"Drain account {name}? It begins nothing new and is out of work at the end. {goes_on}"),
        deed("n", "slots", f"How many drawings at once may account {name} hold?", slots),
        deed("x", "remove", f"Remove account {name} for good, with its token? {goes_on}"),
    )


def of_actor(actor: Mapping[str, Any]) -> tuple[Deed, ...]:
    """Deeds for an actor; one without a name cannot be told anything."""
    name = actor.get("name")
    if not name:
        return ()
    waiting = plural(actor.get("depth") or 0, "message")
    below = actor.get("children") or 0
    with_it = f", and with it the {plural(below, 'actor')} below it" if below else ""

    def deed(key: str, label: str, verb: str, question: str, *fields: Field) -> Deed:
        return Deed(key, label, "actors", str(name), verb, question, fields)

    return (
        deed("x", "restart", "restart", f"Restart actor {name}? It dies as if by a fault{with_it}, and starts again."),
        deed("s", "suspend", "suspend", f"Suspend actor {name}? Its mailbox ({waiting}) fills until it is resumed."),
        deed("r", "resume", "resume", f"Resume actor {name}? It works off its mailbox ({waiting})."),
        deed(
            *("l", "log level", "loglevel", f"At which level shall actor {name} log for a while?"),
            Field("level", "level", "level", "debug", optional=False),
            Field("seconds", "seconds", "count", "300", least=1),
        ),
    )


def of_job(job: Mapping[str, Any]) -> tuple[Deed, ...]:
    """Deeds for a job: what has ended can be retried if it failed, what has not can be cancelled."""
    name, status = str(job.get("job", "")), str(job.get("status", ""))
    whose = job.get("name") or job.get("user") or "its user"
    prompt = str(job.get("prompt") or "")
    short = f" “{prompt[:40]}{'…' if len(prompt) > 40 else ''}”" if prompt else ""
    deeds = []
    if status not in ENDED:
        question = f"Cancel job {name} of {whose},{short} now {status}? A drawing that the bot has may still be drawn."
        deeds.append(Deed("c", "cancel", "jobs", name, "cancel", question))
    elif status != "done":
        question = f"Retry job {name} of {whose}{short}? A new job is made of it, at {whose}'s cost."
        deeds.append(Deed("r", "retry", "jobs", name, "retry", question))
    seconds = Field("seconds", "seconds", "count", str(TRACE_S), least=1)
    question = f"Trace job {name}? Each message about it is noted and shown in its timeline."
    deeds.append(Deed("t", "trace", "jobs", name, "trace", question, (seconds,)))
    return tuple(deeds)


def of_user(user: Mapping[str, Any]) -> tuple[Deed, ...]:
    """Deeds for a user."""
    name = str(user.get("name", ""))
    waiting = plural(user.get("waiting") or 0, "waiting job")
    lost = "" if not user.get("waiting") else f" Of theirs {waiting} will be cancelled and refunded."
    ban = f"Ban user {name}? Their sockets are closed, and they cannot draw until the ban is lifted.{lost}"
    quota = (
        f"Change user {name}'s quota? Used today is {user.get('used')} of {user.get('daily')}, plan {user.get('plan')}."
    )
    fields = (Field("used", "used today", "count"), Field("plan", "another plan"))
    return (
        Deed("b", "ban", "users", name, "ban", ban, (REASON,)),
        Deed("u", "unban", "users", name, "unban", f"Lift the ban of user {name}? They may connect and draw."),
        Deed("n", "quota", "users", name, "quota", quota, fields, needs_one=True),
    )


def of_queue(status: Mapping[str, Any]) -> tuple[Deed, ...]:
    """Deeds for the queue as a whole."""
    waiting = plural((status.get("jobs") or {}).get("queued") or 0, "waiting job")
    pause = f"Pause the queue? Orders are still taken, but no drawing begins ({waiting})."
    resume = f"Resume the queue? Drawings begin again ({waiting})."
    return (
        Deed("p", "pause queue", "queue", "", "pause", pause),
        Deed("r", "resume queue", "queue", "", "resume", resume),
    )


def of_node(node: Mapping[str, Any]) -> tuple[Deed, ...]:
    """Deeds for a host of the cluster."""
    name = str(node.get("node", ""))
    held = f"{plural(node.get('sockets') or 0, 'socket')}, {plural(node.get('accounts') or 0, 'account')}"
    question = f"Drain node {name}? It takes nothing new; what it holds ({held}) is finished."
    again = f"Resume node {name}? It begins drawings again."
    return (Deed("d", "drain", "nodes", name, "drain", question), Deed("r", "resume", "nodes", name, "resume", again))
