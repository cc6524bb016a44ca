"""Wishes: what citizens want: drawings from words and pictures, acts on what came of them, cancels; once or oftener."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from core.job import TERMINAL, State
from protocol.api import (
    CancelJob,
    ImageShown,
    JobShown,
    KeepUpload,
    PlaceJob,
    Refusal,
    ShowImage,
    ShowJobs,
    ShowMe,
    UploadKept,
)
from protocol.client import MASKED_ACTION, Act, Cancel, Cancelled, Done, Draw
from tests.city.cdn import WORLD, picture

if TYPE_CHECKING:
    from tests.city.citizens import Citizen

#: Few, so that equal prompts meet.
PROMPTS = ("a red fox", "a red fox in snow", "the sea", "the sea --relax", "two owls  and a moon https://a.test/x.png")
#: How often each kind is wanted.
KINDS = {"imagine": 7, "imagine from pictures": 2, "blend": 1, "describe": 1, "shorten": 1}
PICTURES = {"imagine": (0, 0), "imagine from pictures": (1, 2), "blend": (2, 3), "describe": (1, 1), "shorten": (0, 0)}
#: Every how many seconds something is wanted, on average.
EACH_S = 4.0
ANSWER_S_MAX = 15.0
AGAIN_S = (0.2, 4.0)
LATER_S = (2.0, 12.0)
REPEAT_S = (0.0, 40.0)
CANCEL_S = (0.0, 10.0)
#: How long is waited for a job to come into the state in which it is to be cancelled.
STATE_S_MAX = 40.0
STATES = tuple(state for state in State if state not in TERMINAL)


@dataclass(eq=False)
class Wish:
    """A draw or an act, as long as it was not answered.

    `by_http`: it is asked again by HTTP. `conflicts`: another body was said under its ref. `said_at`: first (loop s).
    """

    order: Draw | Act
    by_http: bool
    job: str | None = None
    refused: str | None = None
    conflicts: bool = False
    said_at: float = float("inf")
    accepted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_open(self) -> bool:
        """Whether there was no answer yet."""
        return self.job is None and self.refused is None

    def said(self, now: float) -> None:
        """It is said now."""
        self.said_at = min(self.said_at, now)


class Wishes:
    """One a citizen."""

    def __init__(self, citizen: Citizen) -> None:
        self.citizen, self.dice, self.house = citizen, citizen.dice, citizen.house
        self.uploads = 0

    async def want(self) -> None:
        """This and that, as long as there are wishes and the storm lasts."""
        citizen, dice = self.citizen, self.dice
        for number in range(citizen.wants):
            await asyncio.sleep(dice.expovariate(1 / EACH_S))
            if self.house.over:
                return
            order = self._act(number) if citizen.ends and dice.random() < 0.35 else None
            wish = Wish(order or await self._draw(number), by_http=dice.random() < 0.25)
            if self.house.over:
                return  # its pictures took so long
            citizen.wishes[wish.order.ref] = wish
            citizen.begin(self._order(wish))
            if dice.random() < 0.15:
                citizen.begin(self._order(wish, twice=True))
            if dice.random() < 0.25:
                citizen.begin(self._repeat(wish))
            if dice.random() < 0.1:
                citizen.begin(self._cancel_something())
            if dice.random() < 0.15:
                citizen.begin(self._cancel_in(wish, dice.choice(STATES)))
            if dice.random() < 0.2:
                citizen.begin(self._look_around())

    # --- what ---

    async def _draw(self, number: int) -> Draw:
        dice = self.dice
        wanted = dice.choices(list(KINDS), list(KINDS.values()))[0]
        images = [await self._a_picture() for _ in range(dice.randint(*PICTURES[wanted]))]
        kind: Any = wanted.split()[0]
        prompt = dice.choice(PROMPTS) if kind in ("imagine", "shorten") else ""
        return Draw(f"{self.citizen.name}/{number}", prompt, dice.choice(self.citizen.modes), kind, tuple(images))

    async def _a_picture(self) -> str:
        """One of the citizen's own, uploaded or out in the world; now and then somebody else's upload."""
        name, labels = self.citizen.name, self.house.auditor.labels
        strangers = [image for image, (owner, _) in labels.items() if owner != name and not image.startswith(WORLD)]
        if strangers and self.dice.random() < 0.05:
            return self.dice.choice(strangers)
        self.uploads += 1
        label = f"{name}-{self.uploads}"
        if self.dice.random() < 0.3:
            labels[WORLD + label] = (name, label)
            return WORLD + label
        while True:
            answer = await self.citizen.ask(KeepUpload(picture("a picture of a user's", label)))
            if isinstance(answer, UploadKept):
                labels[answer.id] = (name, label)
                return answer.id
            code = getattr(answer, "code", None)
            self.citizen.claim(code in (None, "draining", "rate_limited"), f"an upload is refused: {answer}")
            await asyncio.sleep(self.dice.uniform(*AGAIN_S))

    def _act(self, number: int) -> Act | None:
        done = [frame for frame in self.citizen.ends.values() if isinstance(frame, Done) and frame.actions]
        if not done:
            return None
        frame = self.dice.choice(done)
        # Regions are painted on a page that this Discord does not have.
        chosen = self.dice.choice([offer for offer in frame.actions if offer.action != MASKED_ACTION])
        prompt = "wider" if chosen.action == "custom_zoom" else None
        return Act(f"{self.citizen.name}/{number}", frame.job, chosen.action, chosen.index, prompt)

    # --- saying it ---

    async def _order(self, wish: Wish, twice: bool = False) -> None:
        """Until it is answered; `twice`: beside another that says the same, and the other way."""
        citizen = self.citizen
        while wish.is_open:
            if wish.by_http == twice:
                if citizen.live:
                    wish.said(self.house.loop.time())
                    citizen.say(wish.order)  # else it is said after the next `resumed`
                await asyncio.sleep(ANSWER_S_MAX)
                continue
            wish.said(self.house.loop.time())
            if not self._heard(wish, await citizen.ask(PlaceJob(wish.order))):
                await asyncio.sleep(self.dice.uniform(*LATER_S))

    def _heard(self, wish: Wish, answer: Any) -> bool:
        if isinstance(answer, JobShown):
            self.citizen.accepted(wish.order.ref, answer.job.job)
        elif isinstance(answer, Refusal):
            self.citizen.refused(wish.order.ref, answer.code, answer.message)
        return isinstance(answer, JobShown)

    async def _repeat(self, wish: Wish) -> None:
        """After it was accepted, the same again: the same job; and something else under the same ref: a conflict."""
        await asyncio.sleep(self.dice.uniform(*REPEAT_S))
        citizen, order = self.citizen, wish.order
        if wish.job is None:
            return
        other = replace(order, prompt=f"{order.prompt or ''} and more")
        if self.dice.random() < 0.5:
            if citizen.live:
                citizen.say(order)
            answer = await citizen.ask(PlaceJob(order))
            if isinstance(answer, JobShown):
                citizen.claim(answer.replayed, f"{order.ref} was accepted anew: {answer.job.job}, it is {wish.job}")
                self.house.visited("replayed")
            self._heard(wish, answer)
            return
        wish.conflicts = True
        if citizen.live:
            citizen.say(other)
        answer = await citizen.ask(PlaceJob(other))
        citizen.claim(not isinstance(answer, JobShown), f"{order.ref} names {wish.job} and {answer}")
        if isinstance(answer, Refusal):
            citizen.refused(order.ref, answer.code, answer.message)

    # --- cancels ---

    async def _cancel_something(self) -> None:
        await asyncio.sleep(self.dice.uniform(*CANCEL_S))
        citizen = self.citizen
        jobs = [wish.job for wish in citizen.wishes.values() if wish.job is not None and wish.job not in citizen.ends]
        if jobs:
            await self._cancel(self.dice.choice(jobs))

    async def _cancel_in(self, wish: Wish, state: State) -> None:
        """The moment it comes into this state."""
        try:
            async with asyncio.timeout(STATE_S_MAX):
                await wish.accepted.wait()
        except TimeoutError:
            return
        assert wish.job is not None, "it was accepted"
        if self.house.witness.states.get(wish.job) != state:
            await asyncio.wait({self.house.auditor.watch(wish.job, state)}, timeout=STATE_S_MAX)
        await asyncio.sleep(self.dice.choice((0.0, 0.01, 0.1, 0.5)))
        await self._cancel(wish.job)

    async def _cancel(self, job: str) -> None:
        citizen, state = self.citizen, self.house.witness.states.get(job, "unseen")
        self.house.visited(f"cancel while {state}")
        if citizen.live and self.dice.random() < 0.4:
            citizen.say(Cancel(job))
            return
        answer = await citizen.ask(CancelJob(job))
        fair = isinstance(answer, JobShown) or getattr(answer, "code", None) in ("not_cancellable", "draining")
        citizen.claim(answer is None or fair, f"cancel of {job}: {answer}")
        if isinstance(answer, JobShown) and answer.job.status == State.CANCELLED:
            citizen.cancelled.add(job)

    # --- looking ---

    async def _look_around(self) -> None:
        """Questions that change nothing."""
        citizen, house = self.citizen, self.house
        page = await citizen.ask(ShowJobs(None, 50, None))
        for job in getattr(page, "jobs", ()):
            citizen.claim(house.owners.setdefault(job.job, citizen.name) == citizen.name, f"{job.job} is shown to all")
        await citizen.ask(ShowMe())
        strangers = [job for job, owner in house.owners.items() if owner != citizen.name]
        if strangers:
            answer = await citizen.ask(ShowImage(f"i{self.dice.choice(strangers)}-1-1"))
            citizen.claim(not isinstance(answer, ImageShown), "a picture was shown to a stranger")

    # --- at the end ---

    def judge(self) -> None:
        """Every answer was kept."""
        citizen, auditor = self.citizen, self.house.auditor
        for wish in citizen.wishes.values():
            citizen.claim(not wish.is_open, f"{wish.order.ref} was never answered")
            if wish.job is None:
                continue
            kind, prompt, mode, images, parent, action = auditor.order(citizen.name, wish.job)
            order = wish.order
            if isinstance(order, Draw):
                asked: tuple[Any, ...] = (order.kind, order.prompt, order.mode, order.images)
                citizen.claim((kind, prompt, mode, images) == asked, f"{wish.job} is {kind} {prompt} {images}: {order}")
            else:
                citizen.claim((kind, parent, action) == ("act", order.job, order.action), f"{wish.job}: {order}")
        for job in citizen.cancelled:
            citizen.claim(isinstance(citizen.ends.get(job), Cancelled), f"{job} was cancelled, and is not")
