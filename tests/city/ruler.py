"""What a peak is held against: a witness that looks at the database each second, the image store, and the verdict.

The city's witness looks after each commit; at a million commits it looks at what is new once a virtual second instead,
and whatever it is asked about an attempt, it looks first. Capacity is judged by the bot itself, at every interaction:
what it has under way of an account is never more than the account's places.
"""

from __future__ import annotations

from collections.abc import Callable

from core.job import State
from storage.database import Database
from storage.pictures import MemoryPictures
from tests.city.cdn import nonce_in
from tests.city.discord import Row
from tests.city.witness import Attempt, Witness


class PeakWitness(Witness):
    """See the module's docstring. `look` is called each virtual second, and once at the end."""

    def __init__(self, database: Database, slots: dict[str, int], broken: Callable[[str], None]) -> None:
        super().__init__(database, slots, broken)
        self.busiest = 0

    def attempt_of(self, nonce: str) -> Attempt | None:
        """As Witness.attempt_of, of what is on disk now."""
        if nonce not in self.attempts:
            self.look_at_attempts()
        return super().attempt_of(nonce)

    def _capacity(self, new: Row) -> None:
        assert self.discord is not None
        busy = self.discord.at_the_bot(new.account)
        if len(busy) >= self.slots[new.account]:
            self.broken(f"{new.account} is oversold: {new.nonce} beside {busy}")

    def verdict(self, accepted: int) -> None:
        """At the end: what is in the database, at the bot and with the users is one and the same."""
        self.look()
        self.quota()
        states = dict(self.query("SELECT state, count(*) FROM jobs GROUP BY 1"))
        self.claim(states == {State.DONE.value: accepted}, f"accepted are {accepted}, stored are {states}")
        (strange,) = self.query(
            "SELECT count(*) FROM jobs WHERE (SELECT count(*) FROM images WHERE images.job = jobs.id"
            ' AND images."user" = jobs."user") <> 1'
        )[0]
        self.claim(strange == 0, f"{strange} jobs have not one picture of their user's")
        ended = list(self.ends.values())
        self.claim(ended.count("done") == len(ended) == accepted, f"{len(ended)} ends were told of {accepted} jobs")
        drawn = [row.nonce for rows in self.drawn.values() for row in rows if row.outcome == "done"]
        self.claim(len(drawn) == len(set(drawn)) == accepted, f"{len(drawn)} pictures were drawn for {accepted} jobs")


class PeakPictures(MemoryPictures):
    """An image store that knows what each picture was drawn for: image id → nonce. Kept twice, it is the same."""

    def __init__(self, broken: Callable[[str], None]) -> None:
        super().__init__()
        self.broken = broken
        self.nonces: dict[str, str] = {}

    async def put(self, path: str, data: bytes) -> None:
        """As Pictures.put."""
        job, _, name = path.partition("/")
        image, _, kind = name.partition(".")
        if kind == "png":
            nonce = nonce_in(data)
            if (before := self.nonces.setdefault(f"i{job}-{image}", nonce)) != nonce:
                self.broken(f"the picture of {job} was drawn for {before} and is now that of {nonce}")
