"""Troubles: what is wrong, in words, the gravest first, and where each can be put right. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.tui.place import HOME as HERE
from console.tui.place import Place
from console.tui.words import line, moment, plural, tone_of

ACCOUNT = "account/"
#: Alarms whose cure is an actor's, also where the actor is an account's.
OF_ACTORS = "actor_"
#: An actor that was started again within this time is worth a look.
RESTARTED_S = 600.0
#: What an actor dies of when an operator restarts it: no trouble, but what was wanted.
KILLED = "Killed:"
#: What a node says when it takes nothing new, and why it is not ready: an operator's wish, told as such.
DRAINING = "draining"
#: Messages waiting for one actor.
MAILBOX_LONG = 1000

Thing = Mapping[str, Any]


@dataclass(frozen=True)
class Trouble:
    """`tone`: yellow needs a look, red a hand. `did`: what was done about it. `since`: Unix time, s."""

    tone: str
    words: str
    place: Place
    did: str = ""
    since: float | None = None

    @property
    def key(self) -> str:
        """Tells it from others, and the same of the next look from none."""
        return f"{self.place.kind} {self.place.of} {self.words.partition(':')[0]}"


def troubles_of(status: Thing, accounts: Iterable[Thing], actors: Iterable[Thing], now: float) -> list[Trouble]:
    """Everything that is wrong as far as these tell. What an alarm says of an account is not said twice."""
    known = {str(each.get("name")) for each in accounts}
    alarms = [_alarm(each, known) for each in status.get("alarms") or []]
    told = {trouble.place for trouble in alarms}
    told |= {Place("account", place.of.removeprefix(ACCOUNT)) for place in told if place.of.startswith(ACCOUNT)}
    found = [*_service(status, alarms), *alarms]
    found += [each for each in map(_account, accounts) if each is not None and each.place not in told]
    found += [each for each in (_actor(actor, now) for actor in actors) if each is not None and each.place not in told]
    return sorted(found, key=lambda each: each.tone != "red")


def _service(status: Thing, alarms: Sequence[Trouble]) -> list[Trouble]:
    """The service as a whole."""
    found = []
    reasons = [each for each in status.get("reasons") or [] if each != DRAINING]
    if status.get("ready") is False and reasons and not alarms:
        found.append(Trouble("red", f"not ready: {line(reasons)}", Place("events", needle=_first(reasons))))
    intake = status.get("intake") or "open"
    if intake == "paused":
        words = "the queue is paused by an operator: orders are taken, no drawing begins"
        found.append(Trouble("yellow", words, HERE, "r on this screen resumes it"))
    elif intake == DRAINING:
        node = line(status.get("node") or "")
        words = f"node {node} drains: new drawings are refused, those that wait are drawn"
        found.append(Trouble("yellow", words, Place("nodes"), "resume there takes new ones again"))
    return found


def _alarm(alarm: Thing, accounts: set[str]) -> Trouble:
    words = line(alarm.get("words") or alarm.get("code"))
    is_actors = str(alarm.get("code") or "").startswith(OF_ACTORS)
    place = _about(alarm.get("about"), accounts, is_actors) or Place("events", needle=str(alarm.get("code") or ""))
    tone = "red" if alarm.get("level") == "red" else "yellow"
    return Trouble(tone, words, place, line(alarm.get("did") or ""), moment(alarm.get("since")))


def _about(about: Any, accounts: set[str], is_actors: bool) -> Place | None:
    """Where an alarm's actor or account can be put right."""
    if not isinstance(about, str) or not about:
        return None
    if is_actors:
        return Place("actor", about)
    name = about.removeprefix(ACCOUNT)
    return Place("account", name) if about.startswith(ACCOUNT) or name in accounts else Place("actor", about)


def _account(account: Thing) -> Trouble | None:
    state, tone = str(account.get("state") or ""), tone_of(account)
    if not tone or state == "up":
        return None
    name = str(account.get("name"))
    why = line(account.get("reason") or account.get("cause") or "no reason given")
    ends = f"ends it: {line(account.get('ends'))}" if account.get("ends") else ""
    return Trouble(tone, f"account {name} {state}: {why}", Place("account", name), ends, moment(account.get("since")))


def _actor(actor: Thing, now: float) -> Trouble | None:
    name = actor.get("name")
    if not name:
        return None
    place = Place("actor", str(name))
    if actor.get("suspended"):
        words = f"actor {name} suspended: {plural(actor.get('depth') or 0, 'message')} waiting for it"
        return Trouble("yellow", words, place, "resume lets it work them off")
    uptime_s = actor.get("uptime_s")
    wanted = str(actor.get("last_error") or "").startswith(KILLED)
    if actor.get("restarts") and not wanted and isinstance(uptime_s, int | float) and uptime_s < RESTARTED_S:
        times = plural(actor["restarts"], "time")
        words = f"actor {name} restarted, {times} by now: {line(actor.get('last_error') or 'no reason given')}"
        return Trouble("yellow", words, place, "started again by its supervisor", now - uptime_s)
    depth = actor.get("depth")
    if isinstance(depth, int) and depth >= MAILBOX_LONG:
        return Trouble("yellow", f"actor {name} is behind: {plural(depth, 'message')} waiting for it", place)
    return None


def _first(reasons: Any) -> str:
    return str(reasons[0]) if isinstance(reasons, list) and reasons else ""
