"""What every instruction uses: arguments, answers and refusals, the store, and waiting for other actors' words.

An instruction is a function of the desk and of what was asked; its file joins it under (noun, verb) to a table
`INSTRUCTIONS`, and `actors/console/actor.py` joins the tables. It answers once: at once, or from a continuation; of
what it answers to a verb that changes something the audit trail is written here (`trail.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from actors.console.arguments import whole
from actors.console.messages import AnswerDue, AskConsole, Stranger
from actors.console.trail import Trail
from actors.guests import READING_VERBS, may_do
from actors.session.messages import Say
from actors.store_client import StoreAsker, StoreClient
from protocol.api import Instruct, Instructed
from protocol.client import ClientMistake, problem
from system.loop_base import LoopBase
from system.message import Message
from system.version import own_version, understands

NAME_CHARS_MAX, QUERY_CHARS_MAX, REASON_CHARS_MAX = 64, 128, 200
#: Of a list without a `limit`, and with the greatest.
PAGE_LENGTH, PAGE_LENGTH_MAX = 100, 1000
CHANGED, UNCHANGED = {"ok": True, "changed": True}, {"ok": True, "changed": False}
VERSION_CHARS_MAX = 40
NOT_ALLOWED = (
    "This key's role does not allow it: looking takes a key of role viewer or admin, changing one of role admin."
)


@dataclass(slots=True)
class Expected:
    """What is waited for: `heard` is called with each message that bears the ask, `overdue` when time is up."""

    heard: Callable[[Any], None]
    overdue: Callable[[], None]


class Desk(StoreAsker):
    """Base of the Console. Holds who waits for what."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (AskConsole, Stranger, AnswerDue)
    INSTRUCTIONS: ClassVar[Mapping[tuple[str, str], Callable[[Any, AskConsole], None]]]

    def __init__(self) -> None:
        super().__init__()
        self._asks = 0
        self._expected: dict[str, Expected] = {}
        self.trail = Trail(self)
        #: What instructions keep for the next ones of this life, by what it is.
        self.kept: dict[str, Any] = {}

    def on_start(self) -> None:
        self.store = StoreClient(self, first=True)

    @property
    def base(self) -> LoopBase:
        """The actor system, for what it tells about actors."""
        return self._myRef.base  # type: ignore[no-any-return]

    def receiveMsg_AskConsole(self, asked: AskConsole, sender: Any) -> None:
        instruct = asked.instruct
        handler = self.INSTRUCTIONS.get((instruct.noun, instruct.verb))
        try:
            if not may_do(asked.role, instruct):
                raise ClientMistake("forbidden", NOT_ALLOWED)
            if instruct.id is not None and not instruct.id.strip():
                raise ClientMistake("bad_frame", f"Say which of the {instruct.noun} is meant: its name is empty here.")
            if handler is None:
                raise ClientMistake("not_found", self._no_such(instruct))
            self._check_version(instruct)
            handler(self, asked)
        except ClientMistake as mistake:
            self.refuse(asked, mistake.code, mistake.message)

    def receiveMsg_Stranger(self, stranger: Stranger, sender: Any) -> None:
        outcome = "forbidden" if stranger.by else "unauthenticated"
        asked = AskConsole(stranger.by, stranger.role, "", stranger.instruct)
        self.trail.note(asked, outcome, refused=True, words=f"from {stranger.remote}" if stranger.remote else "")

    def _check_version(self, instruct: Instruct) -> None:
        """Another Limner may read here, and change nothing that it may mean otherwise. Raises ClientMistake."""
        ours, theirs = own_version(), instruct.version
        if theirs is not None and instruct.verb not in READING_VERBS and not understands(ours, theirs):
            told = theirs[:VERSION_CHARS_MAX] if theirs.isprintable() else "?"
            raise ClientMistake("forbidden", f"This is Limner {ours}, and you speak as {told}: update one of them.")

    def _no_such(self, instruct: Instruct) -> str:
        """What there is instead of an instruction that is not known."""
        verbs = [verb for noun, verb in self.INSTRUCTIONS if noun == instruct.noun]
        if verbs:
            return f"{instruct.noun} cannot be asked to {instruct.verb}; there is {', '.join(verbs)}."
        nouns = dict.fromkeys(noun for noun, _ in self.INSTRUCTIONS)
        return f"Nothing here is called {instruct.noun}; there is {', '.join(nouns)}."

    # --- others' words ---------------------------------------------------------------------------------------

    def expect(self, wait_s: float, heard: Callable[[Any], None], overdue: Callable[[], None]) -> str:
        """An id to ask others under. Their answers go to `heard` until `settled`; after `wait_s` it is `overdue`."""
        self._asks += 1
        ask = f"{self.life}:{self._asks}"
        self._expected[ask] = Expected(heard, overdue)
        self.after(wait_s, AnswerDue(ask))
        return ask

    def settled(self, ask: str) -> None:
        """Nothing more is waited for under this id."""
        self._expected.pop(ask, None)

    def _hear(self, words: Message, sender: Any) -> None:
        """What bears an ask's id; one that nobody waits for any more is ignored."""
        expected = self._expected.get(words.ask)  # type: ignore[attr-defined]
        if expected is not None:
            expected.heard(words)

    def _hear_request(self, words: Message, sender: Any) -> None:
        """The same, of what bears it as `request_id`."""
        expected = self._expected.get(words.request_id)  # type: ignore[attr-defined]
        if expected is not None:
            expected.heard(words)

    def receiveMsg_AnswerDue(self, due: AnswerDue, sender: Any) -> None:
        expected = self._expected.pop(due.ask, None)
        if expected is not None:
            expected.overdue()

    def check_not_suspended(self, name: str) -> None:
        """What a suspended actor is told is done much later than its operator thinks. Raises ClientMistake."""
        record = self.base.names.get(name)
        if record is not None and record.suspended:
            words = f"The actor {name} is suspended; `limner admin actor resume {name}` first."
            raise ClientMistake("draining", words)

    # --- arguments and answers -------------------------------------------------------------------------------

    def text(self, asked: AskConsole, argument: str, chars_max: int = NAME_CHARS_MAX) -> str:
        """An argument that is shown on terminals, and part of paths. Raises ClientMistake."""
        value = asked.instruct.arguments.get(argument)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= chars_max:
            raise ClientMistake("bad_frame", f"Give {argument}, 1 to {chars_max} characters.")
        if not value.strip().isprintable() or "/" in value:
            raise ClientMistake("bad_frame", f"Give {argument} without slashes and control characters.")
        return value.strip()

    def reason(self, asked: AskConsole) -> str | None:
        """Why, in somebody's own words; None without it. Raises ClientMistake."""
        value = asked.instruct.arguments.get("reason")
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > REASON_CHARS_MAX or not value.isprintable():
            raise ClientMistake("bad_frame", f"reason is one line of at most {REASON_CHARS_MAX} characters.")
        return value.strip() or None

    def query(self, asked: AskConsole, argument: str) -> str | None:
        """An argument of a list; None without it. Raises ClientMistake."""
        value = asked.instruct.arguments.get(argument)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > QUERY_CHARS_MAX or not value.isprintable():
            raise ClientMistake("bad_frame", f"{argument} is a text of at most {QUERY_CHARS_MAX} characters.")
        return value

    def limit(self, asked: AskConsole) -> int:
        """How long a list may be. Raises ClientMistake."""
        return whole(asked, "limit", PAGE_LENGTH, 1, PAGE_LENGTH_MAX)

    def answer(self, asked: AskConsole, body: object, status: int = 200, note: str = "") -> None:
        """What was asked for. Of a verb that changes something: that it is so now, or (UNCHANGED) that it was so;
        `note`: what the trail says of it besides."""
        if asked.instruct.verb not in READING_VERBS:
            unchanged = isinstance(body, dict) and body.get("changed") is False
            self.trail.note(asked, "unchanged" if unchanged else "changed", refused=False, words=note)
        self._say(asked, body, status)

    def changed(self, asked: AskConsole, body: object = CHANGED, status: int = 200, note: str = "") -> None:
        """It has been done, and is stored if it is of what is stored."""
        self.answer(asked, body, status, note)

    def unchanged(self, asked: AskConsole, note: str = "") -> None:
        """It was so before."""
        self.answer(asked, UNCHANGED, note=note)

    def refuse(self, asked: AskConsole, code: str, message: str) -> None:
        """Nothing was done."""
        if asked.instruct.verb not in READING_VERBS or code == "forbidden":
            self.trail.note(asked, code, refused=True, words=message)
        shown = problem(code, message)
        self._say(asked, shown.body, shown.status)

    def _say(self, asked: AskConsole, body: object, status: int) -> None:
        tell = self.tell_first if asked.instruct.verb in READING_VERBS else self.tell
        tell("gate", Say(asked.socket, Instructed(status, msgspec.json.encode(body).decode())))

    def unread(self, asked: AskConsole) -> Callable[[str], None]:
        """For `store.lookup`: what is said when the store cannot be read."""
        return lambda why: self.refuse(asked, "draining", "The store cannot be read just now; try again in a moment.")

    def unstored(self, asked: AskConsole) -> Callable[[str], None]:
        """For `store.commit`: what is said when the store takes nothing."""
        return lambda why: self.refuse(asked, "draining", "The store cannot take it just now; try again in a moment.")
