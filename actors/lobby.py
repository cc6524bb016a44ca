"""Lobby: finds or makes the session of a user, and supervises sessions.

Takes   Attach, Detach, Heard (gate);  JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled (queue);
        Token (scheduler);  Progressed (account, gallery);  PlanChanged, AskProgress (console);  Resting
        (sessions), and what supervisor.py takes
Sends   what is for a user -> session/USER;  Start, Rest -> session/USER;  HangUser, HangAll -> gate;
        Restarted -> monitor
Crash   its sessions die with it; sockets are closed 1013 and resume; tokens time out

A session is made when somebody needs one. An event for a user who has none here is dropped: it is stored, and replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actors.account.messages import Progressed
from actors.console.messages import AskProgress
from actors.monitor.messages import Restarted
from actors.queue.messages import CancelHeard, JobAccepted, JobMoved, JobRefused, JobSettled, Places
from actors.queue.orders import PlanChanged
from actors.scheduler import Token
from actors.session.actor import Session
from actors.session.messages import Attach, Detach, HangAll, HangUser, Heard, Rest, Resting
from actors.supervisor import Child, Employed, Supervisor
from core.restarts import Restart
from protocol.frames import CLOSE_LATER

PREFIX = "session/"
#: What a session is made for. Nothing else needs one that is not there.
WAKING = (Attach, Heard, Token)

FromQueue = JobAccepted | JobRefused | CancelHeard | Places | JobMoved | JobSettled
Routed = Attach | Detach | Heard | Token | Progressed | PlanChanged | AskProgress | FromQueue


@dataclass(slots=True)
class Present(Employed):
    """A user's session here; `heard` counts what was routed to it.

    `waiting`, once the session was let go: what came for the user before its end was heard of. It is for the next one.
    """

    heard: int = 0
    waiting: list[Routed] | None = None


class Lobby(Supervisor):
    """Routes by user. A session that dies is not restarted but made anew when something is routed to its user."""

    ACCEPTS = (
        *(Attach, Detach, Heard, Token, Progressed, PlanChanged, AskProgress, Resting),
        *(JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled),
    )

    RECORD = Present
    employed: dict[str, Present]  # type: ignore[assignment]  # by the sessions' names; nothing else is employed here

    def on_start(self) -> None:
        super().on_start()
        # Whoever is connected was connected to sessions that died with the lobby before this one.
        self.tell("gate", HangAll(CLOSE_LATER, "sessions started again"))

    def _route(self, message: Routed, sender: Any) -> None:
        user = message.user
        if user is None:
            return
        name = PREFIX + user
        present = self.employed.get(name)
        if present is None:
            if not isinstance(message, WAKING) or self.stopping:
                return
            # Temporary: made again by the next message, not by a timer; whose session always dies harms no other.
            self.employ(Child(name, Session, Restart.TEMPORARY))
            present = self.employed[name]
        if present.waiting is not None:
            present.waiting.append(message)
            return
        present.heard += 1
        self.send(present.address, message)

    receiveMsg_Attach = receiveMsg_Detach = receiveMsg_Heard = _route  # noqa: N815
    receiveMsg_Token = receiveMsg_Progressed = receiveMsg_PlanChanged = receiveMsg_AskProgress = _route  # noqa: N815
    receiveMsg_JobAccepted = receiveMsg_JobRefused = receiveMsg_CancelHeard = _route  # noqa: N815
    receiveMsg_Places = receiveMsg_JobMoved = receiveMsg_JobSettled = _route  # noqa: N815

    def receiveMsg_Resting(self, resting: Resting, sender: Any) -> None:
        """It may go if it has heard everything that was routed to it; else it will ask again when it has."""
        present = self.employed.get(PREFIX + resting.user)
        if present is not None and present.heard == resting.heard:
            present.waiting = []
            self.send(present.address, Rest(resting.user))

    def on_child_lost(self, employed: Employed, reason: str | None) -> None:
        """A session has ended. If it crashed, its sockets are closed, and their clients resume with a fresh one."""
        assert isinstance(employed, Present)
        if reason is not None:
            self.log.warning("a session died", user=employed.child.name.removeprefix(PREFIX), reason=reason)
            self.tell("monitor", Restarted(employed.child.name))
            self.tell("gate", HangUser(employed.child.name.removeprefix(PREFIX), CLOSE_LATER, "session died"))
        for message in employed.waiting or ():
            self._route(message, self.myAddress)
