"""The audit trail: what operators asked for and what came of it, a row each, written once it is known.

A row is on its way to the store before the operator is answered, and is sent again until it is stored. Told of an
instruction are the arguments that are known to hold no secret, and of keys their ids. Refusals of who may not give
instructions are written at an even pace, so that no key that is given away to users can fill the trail; each is logged.
Who showed no key that is known is nobody (`by` and `role` are empty), and all of them share one such pace.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.guests import ROLE_ADMIN
from protocol.api import Instruct
from protocol.frame_rate import FrameRates
from storage.operations import Fence
from storage.overseeing import AddAudit

if TYPE_CHECKING:
    from actors.console.desk import Desk
    from actors.console.messages import AskConsole

#: Arguments that are written down. A token or a key stands under none of these, nor does what is misspelt.
TOLD = (
    *("name", "reason", "plan", "used", "role", "slots", "weight", "modes", "kind", "driver", "guild_id", "channel_id"),
    *("level", "seconds", "file"),
)
#: A key of ours: its id, and what is secret of it.
KEY = re.compile(r"limner_([\w-]+)\.[\w-]+")
VALUE_CHARS_MAX, DETAIL_CHARS_MAX, NAME_CHARS_MAX = 200, 1000, 100
#: Refusals of who is no admin that are written in a minute, of each.
REFUSALS_PER_MIN = 30
#: Rows on their way to a store that takes nothing now; beyond it they are logged only.
ROWS_WAITING_MAX = 1000


class Trail:
    """See the module's docstring."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rates = FrameRates(REFUSALS_PER_MIN)
        self._waiting = 0

    def note(self, asked: AskConsole, outcome: str, *, refused: bool, words: str = "") -> None:
        """Write down what came of an instruction: `changed`, `unchanged`, or the code of its refusal with its words."""
        instruct, desk = asked.instruct, self._desk
        told = [f"{name}={instruct.arguments[name]}"[:VALUE_CHARS_MAX] for name in TOLD if name in instruct.arguments]
        row = AddAudit(
            by=asked.user,
            role=asked.role,
            noun=_plain(instruct.noun),
            of=_of(instruct),
            verb=_plain(instruct.verb),
            outcome=outcome,
            refused=refused,
            detail=_plain(": ".join(part for part in (" ".join(told), words) if part), DETAIL_CHARS_MAX),
            at=desk.wall(),
        )
        desk.log.info("audit", by=row.by, noun=row.noun, verb=row.verb, of=row.of, outcome=outcome)
        paced = asked.role == ROLE_ADMIN or self._rates.takes(asked.user, desk.now())
        if paced and self._waiting < ROWS_WAITING_MAX:
            self._waiting += 1
            desk.store.commit(row, lambda outcome: self._written())
        elif paced:
            desk.log.error("the store takes nothing: an instruction is only logged")

    def _written(self) -> None:
        self._waiting -= 1

    def when_written(self, then: Callable[[], None]) -> None:
        """Call once what is on its way is in the trail, or at once when the store takes nothing now."""
        if self._waiting:
            self._desk.store.commit(Fence(self._desk.wall()), lambda outcome: then(), lambda why: then())
        else:
            then()


def _of(instruct: Instruct) -> str | None:
    """Of what it is: the id in its path, or of what is made, its name."""
    made = (instruct.arguments.get(name) for name in ("name", "file"))
    of = next((each for each in (instruct.id, *made) if isinstance(each, str)), None)
    return _plain(of) if of is not None else None


def keys_as_ids(text: str) -> str:
    """The text with the id of each key that somebody put there in its place."""
    return KEY.sub(r"\1", text)


def _plain(text: str, chars_max: int = NAME_CHARS_MAX) -> str:
    """One line that a terminal shows as it is, without keys."""
    return "".join(letter if letter.isprintable() else "?" for letter in keys_as_ids(text)[:chars_max])
