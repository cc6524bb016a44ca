"""Supervisor: starts children, starts dead ones again, and gives up upward when they keep dying.

Takes   StartAgain, ShutdownOverdue (itself), Shutdown (its parent)
Sends   Start -> each child;  Shutdown -> each that is a supervisor;  Restarted -> monitor
Crash   its children die with it; its own supervisor starts it, and it starts them, afresh

OTP's rules are in core/restarts.py; here they meet actors. Children start in the table's order and stop in reverse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from thespian.actors import ActorAddress, ActorExitRequest, ChildActorExited

from actors.monitor.messages import Restarted
from actors.shell import Shell, Start
from core.restarts import Restart, Restarts, backoff_s, is_due, next_attempt
from system.message import Message

#: How long one child may take to stop in order before it is left behind.
STOP_S_MAX = 6.0


@dataclass(frozen=True, slots=True)
class Child:
    """A child's specification: the name others use, its class, and when it is started again."""

    name: str
    actor: type[Shell]
    restart: Restart = Restart.PERMANENT


@dataclass(slots=True)
class Employed:
    """A child as it is now; `address` is None while it waits for its restart."""

    child: Child
    address: ActorAddress | None
    started_at: float
    attempt: int = 0
    restarts: int = 0


class StartAgain(Message, frozen=True):
    """The backoff of a dead child is over; `restarts` tells a stale timer from this one."""

    name: str
    restarts: int


class Shutdown(Message, frozen=True):
    """Stop the children in reverse order, each after the one before has ended, then end."""


class ShutdownOverdue(Message, frozen=True):
    """A child did not stop in time."""

    name: str


class TooManyRestarts(RuntimeError):
    """The supervisor gives up: its children died more often than its intensity allows."""


class Supervisor(Shell):
    """Base of all supervisors. Subclasses set CHILDREN (or override `children`), INTENSITY and PERIOD_S."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (StartAgain, Shutdown, ShutdownOverdue)
    CHILDREN: ClassVar[tuple[Child, ...]] = ()
    INTENSITY: ClassVar[int] = 5
    PERIOD_S: ClassVar[float] = 60.0
    #: What is kept of a child, for subclasses that keep more.
    RECORD: ClassVar[type[Employed]] = Employed

    def __init__(self) -> None:
        super().__init__()
        self.employed: dict[str, Employed] = {}
        self.restarts = Restarts(self.INTENSITY, self.PERIOD_S)
        self.stopping = False

    def children(self) -> Iterable[Child]:
        """The children to start with, in order."""
        return self.CHILDREN

    def on_start(self) -> None:
        for child in self.children():
            self.employ(child)

    def employ(self, child: Child) -> None:
        """Start a child now and keep it running by its restart policy; one employed already is left alone."""
        if child.name in self.employed:
            return
        self.employed[child.name] = self.RECORD(child, None, self.now())
        self._start_child(self.employed[child.name])

    def dismiss(self, name: str) -> None:
        """End a child for good; `on_child_lost` tells when it is gone. Nobody of that name: nothing happens."""
        employed = self.employed.get(name)
        if employed is None:
            return
        employed.child = replace(employed.child, restart=Restart.TEMPORARY)
        if employed.address is not None:
            self._ask_to_end(employed)
        else:  # it waits for its restart
            del self.employed[name]
            self.on_child_lost(employed, None)

    def on_child_lost(self, employed: Employed, reason: str | None) -> None:
        """A child has died (`reason`) or ended (None), before it is or is not started again. For subclasses."""

    def on_child_exit(self, exited: ChildActorExited) -> None:
        lost = self.employed.get(getattr(exited, "name", None) or "")
        if lost is None or lost.address != exited.childAddress:
            return  # left behind at a stop, or told a second time
        lost.address = None
        reason: str | None = getattr(exited, "reason", "killed")
        if self.stopping:
            del self.employed[lost.child.name]
            self._stop_next()
            return
        if not is_due(lost.child.restart, normal=reason is None):
            del self.employed[lost.child.name]
            self.on_child_lost(lost, reason)
            return
        self._restart(lost, reason)

    def _restart(self, lost: Employed, reason: str | None) -> None:
        self.restarts = self.restarts.add(self.now())
        self.on_child_lost(lost, reason)
        if self.restarts.too_many:
            raise TooManyRestarts(f"{lost.child.name} died again: {reason}")
        lost.attempt = next_attempt(lost.attempt, self.now() - lost.started_at)
        lost.restarts += 1
        self._myRef.base.restarted(lost.child.name)
        self.tell("monitor", Restarted(lost.child.name))
        wait_s = backoff_s(lost.attempt - 1, self.dice)
        self.log.warning("child died, starting it again", child=lost.child.name, reason=reason, wait_s=round(wait_s, 3))
        self.after(wait_s, StartAgain(lost.child.name, lost.restarts))

    def receiveMsg_StartAgain(self, due: StartAgain, sender: Any) -> None:
        employed = self.employed.get(due.name)
        if self.stopping or employed is None or employed.address is not None or employed.restarts != due.restarts:
            return
        self._start_child(employed)

    def _start_child(self, employed: Employed) -> None:
        employed.started_at = self.now()
        employed.address = self._myRef.create(employed.child.actor, employed.child.name)
        self.send(employed.address, Start(employed.child.name))

    # --- orderly stop ----------------------------------------------------------------------------------------

    def receiveMsg_Shutdown(self, shutdown: Shutdown, sender: Any) -> None:
        if not self.stopping:
            self.stopping = True
            self._stop_next()

    def receiveMsg_ShutdownOverdue(self, overdue: ShutdownOverdue, sender: Any) -> None:
        if overdue.name in self.employed:
            self.log.error("child did not stop in time, leaving it behind", child=overdue.name, limit_s=STOP_S_MAX)
            del self.employed[overdue.name]
            self._stop_next()

    def _stop_next(self) -> None:
        while self.employed:
            name, last = next(reversed(self.employed.items()))
            if last.address is None:
                del self.employed[name]
                continue
            self._ask_to_end(last)
            self.after(STOP_S_MAX, ShutdownOverdue(name))
            return
        self.leave()

    def _ask_to_end(self, employed: Employed) -> None:
        self._myRef.base.resume(employed.child.name)  # who is suspended would not even hear of it
        self.send(employed.address, Shutdown() if issubclass(employed.child.actor, Supervisor) else ActorExitRequest())

    def summary(self) -> dict[str, Any]:
        return {
            "children": len(self.employed),
            "starting_again": sum(each.address is None for each in self.employed.values()),
            "restarts_lately": len(self.restarts.moments),
            "stopping": self.stopping,
        }
