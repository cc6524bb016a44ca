"""Gate: where users come in. Knows who is behind each socket; live transports stay in the process's table.

Takes   Arrived, Spoken, Asked, Left (web);  Say, Hang (whoever answers);  HangUser, HangAll (lobby);
        TurnAway, AskPresence, Reconfigured (console);  Drain (runtime);  Committed, NotCommitted, LookedUp (store);
        Recheck, ResendDue (itself)
Sends   Attach, Detach, Heard -> lobby;  AskImage -> gallery;  AskMonitor -> monitor;  AskConsole, Presence -> console;
        Lookup, Commit -> store
Crash   sockets drop (a new gate closes those it does not know with 1012); clients resume from their seq

A door (web/sockets.py) lets nothing but `auth` in before its `welcome`, refuses who shows no key in time, answers
`ping` and what is no frame, and counts the frames of its socket and of its address: what reaches the gate is worth an
actor's while. The gate counts a user's, over all sockets, also those that are gone.
"""

from __future__ import annotations

import hmac
import secrets
import sys
from itertools import islice
from typing import Any

from actors.console.messages import AskConsole, AskPresence, Presence, Reconfigured, Stranger, TurnAway
from actors.gallery import AskImage
from actors.gate_messages import Arrived as Arrived
from actors.gate_messages import Asked as Asked
from actors.gate_messages import Left as Left
from actors.gate_messages import Spoken as Spoken
from actors.guests import BANNED, READING_VERBS, ROLE_ADMIN, Caller, Guest, KeyCache, Standing, digest_of, may_do
from actors.logins import OPERATOR_LOGIN_S, Logins
from actors.monitor.messages import AskMonitor
from actors.queue.messages import Drain
from actors.session.messages import Attach, Detach, Hang, HangAll, HangUser, Heard, Say
from actors.store_client import StoreAsker
from core.ids import new_id
from protocol.api import (
    Answer,
    Instruct,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogInOperator,
    LogOut,
    LogOutOperator,
    OperatorShown,
    PlaceJob,
    Refusal,
    ShowImage,
    ShowMetrics,
    ShowOperator,
    ShowReady,
)
from protocol.client import Act, Auth, ClientFrame, Draw, Error, Notice, ServerFrame, Welcome
from protocol.frame_rate import FrameRates
from protocol.frames import CLOSE_LATER, CLOSE_RESTARTING, CLOSE_UNAUTHENTICATED, about
from storage.operations import AddKey, DropKey, FindKey, FindKeys, Found, KeyHolder, KeyHolders, Refused, Written
from system.message import Message

LOGIN_S = 30 * 86_400
#: Every open socket's key is looked up again once in this time; a revoked key loses its sockets.
RECHECK_S = 900.0
RECHECK_TICK_S = 10.0
#: Instructions without a known key that the console is told of in a minute, for the audit trail.
STRANGERS_TOLD_PER_MIN = 30
#: The operator's key of the config file; it speaks for no user.
OPERATOR = KeyHolder("config", "", "operator", "", ROLE_ADMIN, False)
#: A login of an operator's, as the audit trail names it.
LOG_IN = Instruct("login", None, "add", {})

WRONG_KEY = "The key is not known, or no longer valid."
NO_KEY = "A key is needed: `Authorization: Bearer KEY`, the page's login, or a first frame `auth`."
DRAINING = "The service is stopping and takes no new drawings; queued ones go on after it is back."
UNREAD = "Your key cannot be looked up just now; try again in a moment."


class Recheck(Message, frozen=True):
    """Look up the next few keys again."""


class Gate(StoreAsker):
    """Authenticates sockets and requests, and passes what they say to whoever answers it."""

    ACCEPTS = (
        *(Arrived, Spoken, Asked, Left, Say, Hang, HangUser, HangAll, Drain, TurnAway, AskPresence, Reconfigured),
        Recheck,
    )

    def __init__(self) -> None:
        super().__init__()
        self.guests: dict[str, Guest] = {}
        self.sockets_of: dict[str, tuple[str, ...]] = {}
        self.known = KeyCache()
        self.logins = Logins()
        self.checks: dict[str, list[Guest | Caller]] = {}
        #: Of these keys what is being looked up may be of yesterday: look once more.
        self.outdated: set[str] = set()
        self.draining = False

    def on_start(self) -> None:
        super().on_start()
        admin_key = self.process.config.admin.key
        self.rates = FrameRates(self.process.config.limits.frames_per_min)
        self.strangers = FrameRates(STRANGERS_TOLD_PER_MIN)
        self.operator_digest = digest_of(admin_key.reveal()) if admin_key else ""
        for door in list(self.process.sockets.values()):
            door.close(CLOSE_RESTARTING, "restarting")
        self.after(RECHECK_TICK_S, Recheck())

    def summary(self) -> dict[str, Any]:
        return {
            "sockets": len(self.guests),
            "users": len(self.sockets_of),
            "keys_looked_up": len(self.checks),
            "draining": self.draining,
        }

    # --- sockets ---------------------------------------------------------------------------------------------

    def receiveMsg_Arrived(self, arrived: Arrived, sender: Any) -> None:
        guest = self.guests[arrived.socket] = Guest(arrived.socket)
        if arrived.key is not None:
            self._check(guest, arrived.key)

    def receiveMsg_Spoken(self, spoken: Spoken, sender: Any) -> None:
        guest = self.guests.get(spoken.socket)
        if guest is None or guest.standing is Standing.LEAVING:
            return
        if guest.standing is Standing.KNOWN:
            self._hear(guest, spoken.frame)
        elif guest.standing is Standing.KEYLESS and isinstance(spoken.frame, Auth):
            self._check(guest, spoken.frame.key)
        else:
            self._turn_away(guest, "unauthenticated", NO_KEY, CLOSE_UNAUTHENTICATED)

    def receiveMsg_Left(self, left: Left, sender: Any) -> None:
        guest = self.guests.pop(left.socket, None)
        if guest is None or not guest.user:
            return
        self.sockets_of[guest.user] = tuple(each for each in self.sockets_of[guest.user] if each != guest.socket)
        if not self.sockets_of[guest.user]:
            del self.sockets_of[guest.user]
        self.tell("lobby", Detach(guest.user, guest.socket))

    def _hear(self, guest: Guest, frame: ClientFrame) -> None:
        if not self.rates.takes(guest.user, self.now()):
            limit = f"{self.rates.per_min} frames a minute are allowed, over all your connections."
            self._say(guest.socket, Error("rate_limited", limit, *about(frame)))
        elif not may_do(guest.role, frame):
            self._say(guest.socket, Error("forbidden", "This key may only read.", *about(frame)))
        elif self.draining and isinstance(frame, Draw | Act):
            self._say(guest.socket, Error("draining", DRAINING, frame.ref))
        else:
            self.tell("lobby", Heard(guest.user, guest.socket, frame))

    def _turn_away(self, guest: Guest, code: str, message: str, close: int) -> None:
        guest.standing = Standing.LEAVING
        self._say(guest.socket, Error(code, message))
        self._hang(guest.socket, close, code)

    # --- keys ------------------------------------------------------------------------------------------------

    def _check(self, guest: Guest, key: str) -> None:
        guest.standing = Standing.CHECKING
        digest = digest_of(key)
        guest.digest = bytes.fromhex(digest)
        self._find(digest, guest)

    def _find(self, digest: str, who: Guest | Caller) -> None:
        """Learns whose key this is: from the config, from memory, or from the store."""
        if self.operator_digest and hmac.compare_digest(digest, self.operator_digest):
            self._found(who, OPERATOR)
        elif (holder := self.known.get(digest, self.now())) is not None:
            self._found(who, holder)
        elif digest in self.checks:
            self.checks[digest].append(who)
        else:
            self.checks[digest] = [who]
            self.store.lookup(
                FindKey(digest, self.wall()),
                lambda found: self._looked_up(digest, found),
                lambda why: self._not_looked_up(digest),
            )

    def _looked_up(self, digest: str, found: Found) -> None:
        holder = found if isinstance(found, KeyHolder) else None
        waiting = self.checks.pop(digest)
        if digest in self.outdated:
            self.outdated.discard(digest)
            for who in waiting:
                self._find(digest, who)
            return
        if holder is None:
            self.known.drop(digest)
        elif any(isinstance(who, Caller) for who in waiting):  # requests come in bursts; a socket asks once
            self.known.put(digest, holder, self.now())
        for who in waiting:
            self._found(who, holder)

    def _not_looked_up(self, digest: str) -> None:
        """The database cannot be read now: who was known is still, the others come again."""
        self.outdated.discard(digest)
        for who in self.checks.pop(digest):
            if isinstance(who, Caller):
                self._say(who.socket, Refusal("draining", UNREAD))
            elif who.standing is Standing.CHECKING:
                who.standing = Standing.LEAVING
                self._hang(who.socket, CLOSE_LATER, "draining")

    def _found(self, who: Guest | Caller, holder: KeyHolder | None) -> None:
        if isinstance(who, Caller):
            self._answer_caller(who, holder)
        elif who.socket not in self.guests or who.standing is Standing.LEAVING:
            return
        elif holder is None:
            self._turn_away(who, "unauthenticated", WRONG_KEY, CLOSE_UNAUTHENTICATED)
        elif holder.banned:
            self._turn_away(who, "forbidden", BANNED, CLOSE_UNAUTHENTICATED)
        elif holder is OPERATOR:
            self._turn_away(who, "forbidden", "The operator's key draws nothing; add a user.", CLOSE_UNAUTHENTICATED)
        elif who.standing is Standing.KNOWN:
            who.role = holder.role  # looked up again, and still good
        else:
            self._admit(who, holder)

    def _admit(self, guest: Guest, holder: KeyHolder) -> None:
        sockets = self.sockets_of.get(holder.user, ())
        if len(sockets) >= self.process.config.limits.sockets_per_user:
            self._turn_away(guest, "rate_limited", "Too many connections of this user; close one.", CLOSE_LATER)
            return
        self.sockets_of[holder.user] = (*sockets, guest.socket)
        guest.standing, guest.user, guest.role = Standing.KNOWN, holder.user, sys.intern(holder.role)
        self.tell("lobby", Attach(guest.user, guest.socket))

    def receiveMsg_Recheck(self, recheck: Recheck, sender: Any) -> None:
        """The guests are a ring: those at its front are looked up again, in one read, and go to its back."""
        self.after(RECHECK_TICK_S, Recheck())
        due = -(-len(self.guests) * RECHECK_TICK_S // RECHECK_S)
        guests = []
        for socket in list(islice(self.guests, int(due))):
            guest = self.guests[socket] = self.guests.pop(socket)
            if guest.standing is Standing.KNOWN:
                guests.append(guest)
        if guests:
            digests = tuple(guest.digest.hex() for guest in guests)
            self.store.lookup(
                FindKeys(digests, self.wall()),
                lambda found: self._checked_again(guests, found),
                lambda why: None,  # who was known is still, and comes round again
            )

    def _checked_again(self, guests: list[Guest], found: Found) -> None:
        if not isinstance(found, KeyHolders):
            raise TypeError(f"the store answered {type(found).__name__} to FindKeys")
        for guest, holder in zip(guests, found.holders, strict=True):
            if holder is None:
                self.known.drop(guest.digest.hex())
            self._found(guest, holder)

    # --- requests --------------------------------------------------------------------------------------------

    def receiveMsg_Asked(self, asked: Asked, sender: Any) -> None:
        if isinstance(asked.question, ShowMetrics | ShowReady):
            self.tell("monitor", AskMonitor(asked.socket, asked.question))
        elif asked.key is None:
            self._refuse_unknown(Caller(asked.socket, asked.remote, "", asked.question), NO_KEY)
        else:
            self._identify(Caller(asked.socket, asked.remote, digest_of(asked.key), asked.question))

    def _identify(self, caller: Caller) -> None:
        """Learns who asks; what instructs may be an operator's login instead of a key."""
        if isinstance(caller.question, LogOutOperator):
            self.logins.end(caller.digest)
            self._say(caller.socket, LoggedOut())
            return
        if isinstance(caller.question, Instruct | ShowOperator):
            caller.digest = self.logins.key_of(caller.digest, self.now())
        self._find(caller.digest, caller)

    def _answer_caller(self, caller: Caller, holder: KeyHolder | None) -> None:
        question, socket = caller.question, caller.socket
        if holder is None:
            self._refuse_unknown(caller, WRONG_KEY)
        elif holder.banned:
            self._say(socket, Refusal("forbidden", BANNED))
        elif isinstance(question, Instruct):  # the console refuses what is not allowed, and writes it down
            tell = self.tell_first if question.verb in READING_VERBS else self.tell
            tell("console", AskConsole(holder.name, holder.role, socket, question))
        elif not may_do(holder.role, question):
            if isinstance(question, LogInOperator):
                self.tell("console", Stranger(LOG_IN, caller.remote, holder.name, holder.role))
            self._say(socket, Refusal("forbidden", "This key's role does not allow it."))
        elif isinstance(question, LogInOperator):
            token = secrets.token_urlsafe(32)
            self.logins.begin(digest_of(token), caller.digest, self.now())
            self._say(socket, LoggedIn(token, OPERATOR_LOGIN_S))
        elif isinstance(question, ShowOperator):
            self._say(socket, OperatorShown(holder.name, holder.role))
        elif holder is OPERATOR:
            self._say(socket, Refusal("forbidden", "The operator's key speaks for no user; add one."))
        elif isinstance(question, LogIn):
            self._log_in(caller, holder)
        elif isinstance(question, LogOut):
            self._log_out(caller, holder)
        elif isinstance(question, ShowImage):
            self.tell("gallery", AskImage(holder.user, socket, question))
        elif self.draining and isinstance(question, PlaceJob):
            self._say(socket, Refusal("draining", DRAINING))
        else:
            self.tell("lobby", Heard(holder.user, socket, question))

    def _refuse_unknown(self, caller: Caller, words: str) -> None:
        """Who asks as an operator without a key of ours is on the audit trail: nobody is to try keys unseen."""
        wish = LOG_IN if isinstance(caller.question, LogInOperator) else caller.question
        if isinstance(wish, Instruct) and self.strangers.takes("", self.now()):
            self.tell("console", Stranger(wish, caller.remote))
        self._say(caller.socket, Refusal("unauthenticated", words))

    def _log_in(self, caller: Caller, holder: KeyHolder) -> None:
        token = secrets.token_urlsafe(32)  # a secret: never from the actor's seeded dice
        expires_at = self.wall() + LOGIN_S
        key_id = new_id("k", self.wall(), self.dice)
        write = AddKey(key_id, holder.user, digest_of(token), holder.role, True, expires_at, self.wall())
        self._write(write, caller.socket, LoggedIn(token, LOGIN_S))

    def _log_out(self, caller: Caller, holder: KeyHolder) -> None:
        self.known.drop(caller.digest)
        if not holder.login:
            self._say(caller.socket, LoggedOut())  # a key shown by itself is no login: nothing to end
            return
        self._write(DropKey(caller.digest, self.wall()), caller.socket, LoggedOut())
        for socket in self.sockets_of.get(holder.user, ()):
            if self.guests[socket].digest.hex() == caller.digest:
                self._turn_away(self.guests[socket], "unauthenticated", "Logged out.", CLOSE_UNAUTHENTICATED)

    def _write(self, write: AddKey | DropKey, socket: str, answer: LoggedIn | LoggedOut) -> None:
        def written(outcome: Written) -> None:
            self._say(socket, Refusal(outcome.code, outcome.message) if isinstance(outcome, Refused) else answer)

        def refused(why: str) -> None:
            self._say(socket, Refusal("draining", "It could not be stored now; try again."))

        self.store.commit(write, written, refused)

    # --- what operators have changed -------------------------------------------------------------------------

    def receiveMsg_TurnAway(self, away: TurnAway, sender: Any) -> None:
        self.known.drop_user(away.user)
        self.outdated.update(self.checks)
        for socket in self.sockets_of.get(away.user, ()) if away.code is not None else ():
            guest = self.guests[socket]
            if guest.standing is Standing.KNOWN and away.digest in (None, guest.digest.hex()):
                self._turn_away(guest, away.code or "", away.message, CLOSE_UNAUTHENTICATED)

    def receiveMsg_Reconfigured(self, changed: Reconfigured, sender: Any) -> None:
        self.rates = FrameRates(self.process.config.limits.frames_per_min)

    def receiveMsg_AskPresence(self, asked: AskPresence, sender: Any) -> None:
        self.tell_first("console", Presence(asked.ask, len(self.sockets_of.get(asked.user, ()))))

    # --- what others say through us --------------------------------------------------------------------------

    def receiveMsg_Say(self, say: Say, sender: Any) -> None:
        if isinstance(say.words, Welcome) and (guest := self.guests.get(say.socket)) is not None:
            guest.welcomed = True
        self._say(say.socket, say.words)

    def receiveMsg_Hang(self, hang: Hang, sender: Any) -> None:
        if (guest := self.guests.get(hang.socket)) is not None:
            guest.standing = Standing.LEAVING
        self._hang(hang.socket, hang.code, hang.reason)

    def receiveMsg_HangUser(self, hang: HangUser, sender: Any) -> None:
        for socket in self.sockets_of.get(hang.user, ()):
            self.receiveMsg_Hang(Hang(socket, hang.code, hang.reason), sender)

    def receiveMsg_HangAll(self, hang: HangAll, sender: Any) -> None:
        for guest in self.guests.values():
            if guest.standing is Standing.KNOWN:
                guest.standing = Standing.LEAVING
                self._hang(guest.socket, hang.code, hang.reason)

    def receiveMsg_Drain(self, drain: Drain, sender: Any) -> None:
        self.draining = True
        for guest in self.guests.values():
            if guest.standing is Standing.KNOWN and guest.welcomed:
                self._say(guest.socket, Notice("draining", DRAINING))

    def _say(self, socket: str, words: ServerFrame | Answer) -> None:
        if (door := self.process.sockets.get(socket)) is not None:
            door.send(words)

    def _hang(self, socket: str, code: int, reason: str) -> None:
        if (door := self.process.sockets.get(socket)) is not None:
            door.close(code, reason)
