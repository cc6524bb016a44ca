"""Errands: what an account does over REST: learn the bot's commands, submit, press buttons, read the channel.

Coroutines, run as tasks of the account, which hears of each by one message. Only reads are tried again; a submission
is one POST, and what became of it is told as it is known: taken, refused, doubtful, or never sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import msgspec

from actors.account.readings import FORM_ACTIONS, form_nonce, nonce_of
from actors.account.rest import HeldBack, Rest
from actors.account.uploads import BadInput, Uploads
from actors.shell import Shell
from core.config import AccountConfig
from core.ids import DISCORD_EPOCH_MS, new_nonce
from protocol import drawing, rest
from protocol.answers import commands_in, message_ids, messages_in, picture_urls_in, user_id_in
from protocol.drawing import MIDJOURNEY_APPLICATION_ID, Command, MissingCommand, Place
from protocol.drawing_events import CanvasAsked, ModalAsked
from storage.operations import JobRecord
from system.links import LinkBroken, Response
from system.message import Message

#: The POST must begin within this time of the Queue's Go, or the job goes back.
GO_FRESH_S = 5.0
HISTORY_PAGES_MAX = 20
HISTORY_PAGE_LENGTH = 100
#: Clocks differ, and a message may be older than the submission it belongs to seems.
HISTORY_MARGIN_S = 60.0
PREPARE_AGAIN_S_MAX = 30.0
#: What Discord means by answering who asks about itself and its guild, for good.
REFUSALS = {
    401: "Discord refuses its token",
    403: "Discord does not let it into the guild",
    404: "Discord knows no such guild",
}


class Prepared(Message, frozen=True):
    """Who the account is and what commands the bot has. `problem`: Discord refuses the account, for people; for its
    token, or for what else the config says of it."""

    user_id: str | None
    commands: tuple[Command, ...]
    problem: str | None
    wrong_token: bool = False


class Posted(Message, frozen=True):
    """What became of a submission.

    `outcome`: taken, refused, doubtful, unsent (no byte left us), or pressed (a form is to come, which is the drawing).
    Of a refusal or an unsent one, `again`: another attempt may go better; `kind` is that of rest.Refused, or `input`
    for pictures of the user's that cannot be used; `after_s`: how long to hold back. `answered`: see rest.Doubtful.
    """

    job: str
    attempt: int
    outcome: str
    why: str
    again: bool = False
    kind: str = ""
    after_s: float = 0.0
    answered: bool = False


class HistoryCame(Message, frozen=True):
    """A page of the channel's history, as JSON, newest first; `last` says that no more will come."""

    page: bytes
    last: bool

    def __repr__(self) -> str:
        return f"HistoryCame(length={len(self.page)}, last={self.last})"


class Errands:
    """One an account."""

    def __init__(self, owner: Shell, account: AccountConfig, calls: Rest) -> None:
        self._owner = owner
        self._account = account
        self._rest = calls
        self._uploads = Uploads(owner, account, calls)

    async def prepare(self) -> Prepared:
        """Ask Discord who we are and what the drawing bot offers, until it answers."""
        wait_s = 1.0
        while True:
            try:
                me = await self._rest.read(rest.get_me())
                index = await self._rest.read(rest.get_command_index(self._account.guild_id))
            except LinkBroken:
                pass  # counted and logged by Rest; tried again below
            else:
                for answer in (me, index):
                    if answer.status in REFUSALS:
                        words = f"{REFUSALS[answer.status]} (HTTP {answer.status})"
                        return Prepared(None, (), words, wrong_token=answer.status == 401)
                user_id = user_id_in(me.body)
                if me.status == index.status == 200 and user_id is not None:
                    commands = commands_in(index.body, MIDJOURNEY_APPLICATION_ID)
                    problem = None if "imagine" in commands else "the drawing bot is not in the guild"
                    return Prepared(user_id, tuple(commands.values()), problem)
            await asyncio.sleep(self._owner.dice.uniform(0.5, 1.0) * wait_s)
            wait_s = min(wait_s * 2, PREPARE_AGAIN_S_MAX)

    async def submit(self, job: JobRecord, session_id: str, commands: dict[str, Command], go_at: float) -> Posted:
        """The one POST of an attempt. Never repeated here."""
        posted = partial(Posted, job.id, job.attempt)
        place = self._place(session_id)
        try:
            request = rest.post_interaction(await self._body(place, job, commands))
        except MissingCommand as missing:
            return posted("unsent", f"the drawing bot has no command {missing}", again=True, kind="stale_version")
        except BadInput as bad:
            return posted("unsent", str(bad), kind="input")
        except LinkBroken as broken:
            return posted("unsent", broken.why, again=True)
        found = await self._submit(request, go_at + GO_FRESH_S)
        if job.action in FORM_ACTIONS and isinstance(found, rest.Taken | rest.Doubtful):
            return posted("pressed", "the form is awaited")
        return self._posted(job, found)

    async def fill_form(self, job: JobRecord, session_id: str, form: ModalAsked, deadline: float) -> Posted:
        """Answer the form that a press opened: the one POST of an attempt whose action has one."""
        value = job.prompt or form.value
        body = drawing.modal(
            self._place(session_id), form_nonce(job), form.modal_id, form.custom_id, form.field_id, value
        )
        return self._posted(job, await self._submit(rest.post_interaction(body), deadline))

    async def _submit(self, request: rest.Request, deadline: float) -> rest.Outcome:
        try:
            answer = await self._rest.send(request, deadline)
        except HeldBack as held:
            return rest.Refused(None, held.why, retry=True, after_s=held.wait_s, kind="not_sent")
        except LinkBroken as broken:
            return rest.outcome(None, {}, b"", broken.why, never_sent=broken.sent is False)
        return rest.outcome(answer.status, answer.headers, answer.body)

    def _posted(self, job: JobRecord, found: rest.Outcome) -> Posted:
        posted = partial(Posted, job.id, job.attempt)
        match found:
            case rest.Taken():
                return posted("taken", "")
            case rest.Doubtful(why=why, answered=answered):
                return posted("doubtful", why, answered=answered)
            case rest.Refused(kind="not_sent", after_s=after_s):
                kind = "rate_limited" if after_s > 0 else ""
                return posted("unsent", found.message, again=True, kind=kind, after_s=after_s)
            case _:
                words = f"{found.message} (code {found.code})" if found.code else found.message
                return posted("refused", words, again=found.retry, kind=found.kind, after_s=found.after_s)

    async def paint(self, job: JobRecord, canvas: CanvasAsked, deadline: float) -> Posted:
        """Send a region to the bot's application: the one submission of an attempt that has one. Never repeated."""
        posted = partial(Posted, job.id, job.attempt)
        base = self._owner.process.config.discord.apps.format(application_id=MIDJOURNEY_APPLICATION_ID)
        try:
            body = drawing.region(canvas, await self._uploads.mask(job), job.prompt)
        except BadInput as bad:
            return posted("unsent", str(bad), kind="input")
        if self._owner.now() > deadline:
            return posted("unsent", "it is too late to begin", again=True)
        try:
            status = await self._owner.process.links.submit(base + drawing.REGION_PATH, body)
        except LinkBroken as broken:
            return posted("doubtful" if broken.sent is None else "unsent", broken.why, again=broken.sent is False)
        if 200 <= status < 300:
            return posted("taken", "")
        if status >= 500 or status == 408:
            return posted("doubtful", f"HTTP {status}")
        # Only a page that has expired in the meantime may be opened anew.
        return posted("refused", f"the drawing bot did not take the region (HTTP {status})", again=status in (404, 410))

    async def ask_seed(self, job: JobRecord) -> Posted:
        """React to a result, anew if need be; the answer comes in a direct message."""
        posted = partial(Posted, job.id, job.attempt)
        place = (self._account.channel_id, job.press_message_id or "")
        try:
            await self._rest.read(drawing.unask_seed(*place))
            answer = await self._rest.read(drawing.ask_seed(*place))
        except LinkBroken as broken:
            return posted("unsent", broken.why, again=True)
        return posted("taken", "") if answer.status == 204 else posted("refused", f"HTTP {answer.status}")

    async def show(self, job: str, session_id: str, nonce: str, job_hash: str, commands: dict[str, Command]) -> None:
        """Ask for a drawing's result once more. What comes of it is told by the bot."""
        try:
            body = drawing.show(self._place(session_id), commands, nonce, job_hash)
            await self._rest.send(rest.post_interaction(body), self._owner.now() + GO_FRESH_S)
        except (LinkBroken, MissingCommand) as trouble:
            self._owner.log.warning("a silent drawing could not be asked for", job=job, why=str(trouble))

    def hold_s(self) -> float:
        """How long the limits make a submission wait now."""
        return self._rest.delay_s(rest.post_interaction({"channel_id": self._account.channel_id}))

    async def cancel(self, job: str, session_id: str, message_id: str, custom_id: str) -> None:
        """Press a drawing's cancel button. What comes of it is told by the bot; a press that fails is pressed again."""
        nonce = new_nonce(self._owner.wall(), self._owner.dice)
        body = drawing.press(self._place(session_id), nonce, message_id, custom_id)
        try:
            await self._rest.send(rest.post_interaction(body), self._owner.now() + GO_FRESH_S)
        except LinkBroken as broken:
            self._owner.log.warning("a cancel was not pressed", job=job, why=broken.why)

    async def history(self, since: float) -> HistoryCame:
        """The channel's messages since a moment (Unix s), page by page; the last page is the result."""
        before: str | None = None
        oldest_id = 0
        for number in range(HISTORY_PAGES_MAX):
            answer = await self._history_page(before)
            oldest_id = oldest_id if answer is None else self._oldest_id(since, answer)
            ids = message_ids(messages_in(answer.body)) if answer is not None and answer.status == 200 else []
            last = len(ids) < HISTORY_PAGE_LENGTH or min(ids) < oldest_id or number + 1 == HISTORY_PAGES_MAX
            came = HistoryCame(answer.body if ids and answer is not None else b"[]", last)
            if last:
                return came
            self._owner.post(came)
            before = str(min(ids))
        raise AssertionError("the last page is the last")

    def _oldest_id(self, since: float, answer: Response) -> int:
        """From which id on the channel is to be read: by Discord's clock, as far as it says what that shows."""
        wall = self._owner.wall()
        if since > wall + HISTORY_MARGIN_S:
            return 0  # our clock has been set back since: how long ago that was, nobody knows
        stamp = next((value for name, value in answer.headers.items() if name.lower() == "date"), None)
        try:
            ahead_s = 0.0 if stamp is None else max(0.0, wall - parsedate_to_datetime(stamp).timestamp())
        except (ValueError, OverflowError):
            ahead_s = 0.0
        return (int((since - HISTORY_MARGIN_S - ahead_s) * 1000) - DISCORD_EPOCH_MS) << 22

    async def _history_page(self, before: str | None) -> Response | None:
        try:
            return await self._rest.read(
                rest.get_messages(self._account.channel_id, before=before, limit=HISTORY_PAGE_LENGTH)
            )
        except LinkBroken:
            return None  # what comes live is not missed; the next reconnect reads again

    async def picture_url(self, message_id: str) -> tuple[str | None, str | None]:
        """(the picture's URL now, None), or (None, why not)."""
        try:
            answer = await self._rest.read(rest.get_message(self._account.channel_id, message_id))
        except LinkBroken as broken:
            return None, broken.why
        if answer.status != 200:
            return None, f"HTTP {answer.status}"
        urls = picture_urls_in(answer.body)
        return (urls[0], None) if urls else (None, "the message has no picture any more")

    def _place(self, session_id: str) -> Place:
        return Place(MIDJOURNEY_APPLICATION_ID, self._account.guild_id, self._account.channel_id, session_id)

    async def _body(self, place: Place, job: JobRecord, commands: dict[str, Command]) -> dict[str, Any]:
        nonce = nonce_of(job)
        if job.press_custom_id is not None and job.press_message_id is not None:
            return drawing.press(place, nonce, job.press_message_id, job.press_custom_id)
        if job.kind == "shorten":
            return drawing.shorten(place, commands, nonce, job.prompt)
        if job.kind == "describe":
            (upload,) = await self._uploads.slots(job)
            return drawing.describe(place, commands, nonce, upload)
        if job.kind == "blend":
            return drawing.blend(place, commands, nonce, await self._uploads.slots(job), job.prompt)
        prompt = drawing.imagine_prompt(job.prompt, job.mode, await self._uploads.addresses(job))
        return drawing.imagine(place, commands, nonce, prompt)


def messages_of(page: bytes) -> Iterator[msgspec.Raw]:
    """A history page's messages, oldest first, each as JSON: what Observer takes."""
    return reversed(messages_in(page))
