"""ImagesAccount: an account at an image API of OpenAI's kind (protocol/openai.py). This is the driver `openai-images`.

Takes   Perform (session);  Go, NoGo, Acknowledged, Holdings, Stop (queue);  Announce (scheduler);  FreshPicture
        (gallery);  Suspend, Reinstate, SetSlots, AskStanding (console);  TellHealth, SetPace (monitor);  Committed,
        NotCommitted, LookedUp (store);  Looked, Answered, Tick, ResendDue (itself)
Sends   Begin, Returned, Doubtful, Sighted, Drawn, Failed, AskHoldings, AccountShut -> queue;  AccountUp, AccountDown,
        SlotFree, Renew -> scheduler;  PictureAt -> gallery;  Observed -> monitor;  Obeyed, Standing -> console;
        Commit, Lookup -> store
Crash   restarted by Accounts; of the drawings of an earlier life those are told whose picture it had kept

One request draws one picture, and its answer is the only word about it that there ever is. So a picture that comes as
bytes is kept before anybody is told of it; and when an answer is lost, no evidence can come: the drawing is undecided
for good, which fails it at once, refunded. It is never asked for again. What every driver has is in account/desk.py.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, ClassVar

from actors.account.desk import AccountDesk
from actors.account.messages import KEPT, FreshPicture, PictureAt
from actors.account.work import Step, Work, returned
from actors.monitor.messages import Observed
from actors.queue.messages import Doubtful, Drawn, Failed, Returned, Sighted
from actors.thumbnails import EXTENSIONS, media_type_of, picture_path
from core.account_config import DRIVERS
from core.health import Cause, Health
from protocol import openai
from storage.operations import JobRecord
from storage.pictures import PictureTrouble
from system.links import LinkBroken, Response
from system.message import Message

#: A request that is not refused for so long is being drawn. Longer than a connection takes that is never made.
TAKEN_S = 5.0
#: The connection is held for longer than the drawing is waited for: which of both is over first is no matter of chance.
PATIENCE_S = 10.0
LOOK_S_MAX = 10.0
LOOK_BYTES_MAX = 4 << 20
LOOK_AGAIN_S_MAX = 30.0
KEEP_AGAIN_S = 5.0
#: What an answer holds besides a picture.
AROUND_BYTES_MAX = 1 << 16
LOST_TEXT = "The image API's answer was lost, and with it whether this was drawn; so it was not sent again."
FRESH_TEXT = "an image API shows a picture once"
#: A refusal of these kinds (openai.Refused) is a matter of the account's: another one may draw it.
CAUSES = {"credits": Cause.CREDITS, "token": Cause.TOKEN, "rights": Cause.REFUSED, "setup": Cause.SETUP}
#: What becomes of a drawing that is refused for its own sake: our code, and whether its user is charged.
CODES = {"prompt": ("banned_prompt", True), "input": ("bad_prompt", False)}
REJECTED = ("upstream_rejected", False)
#: What users read where the API's own words are the operator's matter.
BUSY_TEXT = "It was not drawn: the image API has too much to do. You can send it again."
HELD_UP_TEXT = "It was not drawn: the account at the image API needs a person first. You can send it again."
UNREACHED_TEXT = "It was not drawn: the image API could not be reached. You can send it again."


class Looked(Message, frozen=True):
    """The API was asked whether it is there: its status, or None and why it cannot be told yet."""

    status: int | None
    why: str


class Answered(Message, frozen=True):
    """What became of the one request of an attempt.

    `outcome`: drawn (`where` is what Drawn calls picture_url), refused (`kind` as of openai.Refused), doubtful, or
    unsent (no byte left us).
    """

    job: str
    attempt: int
    outcome: str
    where: str = ""
    kind: str = ""
    why: str = ""
    after_s: float = 0.0


class ImagesAccount(AccountDesk):
    """See the module's docstring."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Looked, Answered)
    UPSTREAM = "the image API"

    def __init__(self) -> None:
        super().__init__()
        #: Why it cannot be spoken with; None when it can.
        self.unreachable: str | None = "the image API was not asked yet"
        self.looking = False
        #: Requests under way, by job; one whose picture has come is not among them any more.
        self.requests: dict[str, asyncio.Task[Any]] = {}

    # --- whether it is there ---------------------------------------------------------------------------------

    def on_start(self) -> None:
        super().on_start()
        self._look_there()

    def on_resumed(self) -> None:
        self._look_there()

    def _look_there(self) -> None:
        if not self.looking:
            self.looking = True
            self.work(self._ask(), "look")

    async def _ask(self) -> Looked:
        """Ask until it answers; say in between why it does not."""
        call, wait_s = openai.get_models(self.account.url, self.account.token.reveal()), 1.0
        while True:
            try:
                answer = await self._call(call, "GET /models", LOOK_BYTES_MAX, LOOK_S_MAX)
            except LinkBroken as broken:
                why = broken.why
            else:
                if answer.status != 429 and answer.status < 500:
                    return Looked(answer.status, "")
                why = f"HTTP {answer.status}"
            self.post(Looked(None, why))
            await asyncio.sleep(self.dice.uniform(0.5, 1.0) * wait_s)
            wait_s = min(wait_s * 2, LOOK_AGAIN_S_MAX)

    def receiveMsg_Looked(self, news: Looked, sender: Any) -> None:
        if news.status is None:
            self.unreachable = f"{self.UPSTREAM} does not answer ({news.why})"
        else:
            self.looking, self.unreachable = False, None
            if news.status in (401, 403):  # any other status says no more than that somebody is there
                self.strike(
                    Cause.TOKEN if news.status == 401 else Cause.REFUSED, f"{self.UPSTREAM}: HTTP {news.status}"
                )
        self.report()

    def look(self, health: Health) -> Health:
        health = super().look(health)
        if self.unreachable is None:
            return health.healed(Cause.CONNECTION)
        return health.struck(Cause.CONNECTION, self.unreachable, self.wall())

    # --- a drawing -------------------------------------------------------------------------------------------

    def why_not_submit(self, job: JobRecord) -> str | None:
        if not DRIVERS[self.account.driver].draws(job.kind, bool(job.images_in)):
            return f"an image API draws no {job.kind} like this"
        return super().why_not_submit(job)

    def submit(self, work: Work, job: JobRecord) -> None:
        self.requests[job.id] = self.work(self._draw(job), "draw")

    async def _draw(self, job: JobRecord) -> Answered:
        account, told = self.account, partial(Answered, job.id, job.attempt)
        call = openai.post_generation(
            *(account.url, account.token.reveal(), account.model, job.prompt, account.size), job.nonce or ""
        )
        limit_bytes = self.process.config.images.max_bytes * 4 // 3 + AROUND_BYTES_MAX
        try:
            answer = await self._call(
                call, "POST /images/generations", limit_bytes, self.process.config.limits.drawing_s + PATIENCE_S
            )
        except LinkBroken as broken:
            return told("unsent" if broken.sent is False else "doubtful", why=broken.why)
        match openai.outcome(answer.status, answer.headers, answer.body):
            case openai.Painted(data=bytes() as data):
                return await self._keep(job, data)
            case openai.Painted(url=str() as url):
                return told("drawn", where=url)
            case openai.Refused(kind=kind, message=message, after_s=after_s):
                return told("refused", kind=kind, why=message, after_s=after_s)
            case openai.Doubtful(why=why):
                return told("doubtful", why=why)
        raise AssertionError("an outcome is one of these")

    async def _keep(self, job: JobRecord, data: bytes) -> Answered:
        """Put the picture where the gallery would, however long the image store refuses: there is no other copy."""
        self.requests.pop(job.id, None)
        media_type = media_type_of(data)
        if media_type is None:
            return Answered(job.id, job.attempt, "refused", kind="other", why="what came is no PNG, JPEG or WebP")
        path = picture_path(job.id, job.attempt, media_type)
        while True:
            try:
                await self.process.pictures.put(path, data)
            except PictureTrouble as trouble:
                self.log.error("a picture cannot be kept yet", job=job.id, why=str(trouble))
                await asyncio.sleep(KEEP_AGAIN_S)
            else:
                return Answered(job.id, job.attempt, "drawn", where=KEPT + path)

    async def _call(self, call: openai.Call, route: str, limit_bytes: int, timeout_s: float) -> Response:
        """One request, counted. Raises LinkBroken."""
        status = "broken"
        try:
            answer = await self.process.links.call(call, limit_bytes, timeout_s)
            status = str(answer.status)
            return answer
        finally:
            self.tell("monitor", Observed("limner_rest_requests_total", 1.0, (route, status), self.subject))

    def receiveMsg_Answered(self, news: Answered, sender: Any) -> None:
        self.requests.pop(news.job, None)
        work = self.work_of(news.job, news.attempt)
        asked_at = self.now() if work is None else work.go_at
        if news.outcome == "unsent":
            self.unreachable = f"{self.UPSTREAM} does not answer ({news.why})"
            self._look_there()
        elif news.kind in CAUSES:
            self.strike(CAUSES[news.kind], f"{self.UPSTREAM} refuses: {news.why}")
        elif news.kind == "busy":
            self.limited(news.after_s, asked_at)
        elif news.outcome == "drawn":
            self.patience.taken(asked_at)
        if work is not None:
            self._follow(work, news)
        elif news.outcome == "drawn":  # too late: kept on record for the operator, and changes nothing
            self.outbox.put(self._drawn(news), None)
        self.report()

    def _follow(self, work: Work, news: Answered) -> None:
        match news.outcome:
            case "drawn":
                self._sight(work)
                self.end(work, self._drawn(news))
            case "doubtful":
                self.log.warning("an answer is lost", job=work.job_id, attempt=work.attempt, why=news.why)
                self._lose(work)
            case _:
                self.end(work, self._after_refusal(work, news))

    def _after_refusal(self, work: Work, news: Answered) -> Returned | Failed:
        is_busy = news.kind == "busy"
        is_ours = news.outcome == "unsent" or news.kind in CAUSES or is_busy
        if is_busy and not work.sighted:
            return Returned(self.subject, work.job_id, work.attempt, news.why)
        if is_ours and not work.sighted and (back := returned(self.subject, work, news.why)) is not None:
            return back
        code, charged = CODES.get(news.kind, REJECTED)
        words = f"The image API did not draw it: {news.why}"
        if is_ours:
            words = BUSY_TEXT if is_busy else HELD_UP_TEXT if news.kind in CAUSES else UNREACHED_TEXT
        return Failed(self.subject, work.job_id, work.attempt, "failed", code, words, charged)

    def _drawn(self, news: Answered) -> Drawn:
        return Drawn(self.subject, news.job, news.attempt, f"{news.job}-{news.attempt}", news.where, None, (), None)

    def _sight(self, work: Work) -> None:
        if not work.sighted:
            work.sighted, work.step = True, Step.WITH_BOT
            self.outbox.put(Sighted(self.subject, work.job_id, work.attempt, None, None, None), None)

    def _lose(self, work: Work) -> None:
        """Nobody will ever know what became of it."""
        if not work.sighted:
            self.outbox.put(Doubtful(self.subject, work.job_id, work.attempt), None)
        self.end(work, Failed(self.subject, work.job_id, work.attempt, "failed", "undecided", LOST_TEXT, charged=False))

    # --- its course ------------------------------------------------------------------------------------------

    def look_after(self, work: Work, now: float) -> None:
        if now >= work.due_at:
            self._cut(work)
            self.end(work, self.overdue(work))
        elif work.step is Step.SUBMITTING and now - work.go_at >= TAKEN_S:
            self._sight(work)

    def stop(self, work: Work) -> None:
        """Cut the connection, whatever is drawn at its other end; a picture that has come is not stopped any more."""
        if self._cut(work):
            self.end(work, self.cancelled(work, charged=True))

    def _cut(self, work: Work) -> bool:
        request = self.requests.pop(work.job_id, None)
        return request is not None and request.cancel()

    def take_up(self, work: Work, job: JobRecord) -> None:
        self.work(self._recover(job), "recover")

    async def _recover(self, job: JobRecord) -> Answered:
        """Whether an earlier life had kept the picture: the one trace that a lost answer can have left."""
        paths = [picture_path(job.id, job.attempt, media_type) for media_type in EXTENSIONS]
        while True:
            try:
                for path in paths:
                    if await self.process.pictures.has(path):
                        return Answered(job.id, job.attempt, "drawn", where=KEPT + path)
                return Answered(job.id, job.attempt, "doubtful", why="an earlier life had asked for it")
            except PictureTrouble as trouble:
                self.log.error("the image store cannot be read yet", why=str(trouble))
                await asyncio.sleep(KEEP_AGAIN_S)

    def receiveMsg_FreshPicture(self, wish: FreshPicture, sender: Any) -> None:
        self.tell("gallery", PictureAt(wish.job, wish.message_id, None, FRESH_TEXT))
