"""Interactions: `POST /interactions` as a user's client sends it: checked, written down, handed to the bot."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import Any

from aiohttp import web

from sim import grammar
from sim.asked import Asked, recipe_for
from sim.bot import Bot
from sim.commands import CommandBook, whole_name
from sim.compose import map_of, read_request
from sim.desk import Desk
from sim.embeds import AT_ONCE, CHALLENGE_TITLE
from sim.errors import Refusal, invalid_form, missing_access, unknown
from sim.faults import LATE_S
from sim.forms import REGION, Forms, form_for
from sim.grammar import LOOKS, MODES, Buttons, Press
from sim.identity import DRAWING_BOT_ID, Account
from sim.job import TELLING_SHARE, Job
from sim.ledger import DONE, FAILED, REFUSED, Row
from sim.messages import COMMAND, COMPONENT, EPHEMERAL, MODAL, Attachment, Origin, media_type
from sim.parts import Parts
from sim.posts import NONCE_LENGTH_MAX
from sim.routes import Route

PROMPT_LENGTH_MAX = 6000
# No answer of the bot comes with the 204: clients that note the interaction down only then would miss it.
REACTION_S = 0.05


class Interactions:
    """Turns bodies into jobs."""

    def __init__(self, parts: Parts, bot: Bot, book: CommandBook, desk: Desk) -> None:
        self.parts = parts
        self.desk = desk
        self.bot = bot
        self.book = book
        self.forms = Forms(parts, bot)

    def routes(self) -> list[Route]:
        return [Route("POST", "/interactions", "interactions", self.post)]

    async def post(self, request: web.Request, account: Account) -> web.Response:
        """204 and an empty body when taken; Refusal else. Every one is on the ledger, whichever way it goes."""
        value, _ = await read_request(request)
        body = map_of(value)
        late = self.parts.faults.find("late_response", account)
        if late is not None and request.transport is not None:
            request.transport.abort()
            delay_s = LATE_S if late.seconds is None else late.seconds
            asyncio.get_running_loop().call_later(delay_s, self.accept_late, body, account)
            return web.Response(status=204)
        self.accept(body, account)
        if self.parts.faults.take("lost_response", account) and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)

    def accept_late(self, body: dict[str, Any], account: Account) -> None:
        """What was on its way inside arrives; nobody is there any more to be told of a refusal."""
        with contextlib.suppress(Refusal):
            self.accept(body, account)

    def accept(self, body: dict[str, Any], account: Account) -> None:
        """Check it, and hand it to the bot; raises Refusal. It is on the ledger either way."""
        parts = self.parts
        parts.counts.interactions += 1
        row = Row(nonce_of(body), account.name, "unknown", None, time.time())
        try:
            data = self.check_place(body, account)
            with parts.store:
                if str(body["application_id"]) == DRAWING_BOT_ID:
                    self.take(self.check(body, data), body, account, row)
                else:
                    self.desk.take(self.desk.check(body, data, account, row.nonce), row)
        except Refusal:
            row.outcome = REFUSED
            parts.ledger.add(row)
            raise

    def take(self, asked: Asked, body: dict[str, Any], account: Account, row: Row) -> None:
        """Write it down, tell the user's client that it exists, hand it to the bot."""
        if asked.type == COMPONENT:
            asked.form = form_for(asked.kind, self.parts.preferences.of(account.id).remix)
        row.kind, row.prompt, row.interaction_id = asked.kind, asked.prompt, self.parts.snowflakes.next()
        job = self.job(asked, body, account, row, self.parts.ledger.add(row))
        created = {"id": row.interaction_id, "nonce": row.nonce}
        with self.parts.hub.later(REACTION_S):
            self.bot.voice.privately("INTERACTION_CREATE", account.id, created)
            self.pass_on(asked, job)
            if job.hash not in self.bot.jobs:  # answered at once: nothing more will come that could free a held event
                self.bot.voice.flush(job)

    # -- checking --------------------------------------------------------------------------------------------------

    def check_place(self, body: dict[str, Any], account: Account) -> dict[str, Any]:
        """Who asks which application for something, and where. The body's `data`."""
        if account.bot:
            raise Refusal(403, 20001, "Bots cannot use this endpoint")
        if nonce_of(body) is None and body.get("nonce") is not None:
            raise invalid_form("nonce", code="BASE_TYPE_BAD_LENGTH", message="Must be 25 or fewer in length.")
        application_id, channel_id = str(body.get("application_id")), str(body.get("channel_id"))
        if application_id != DRAWING_BOT_ID and application_id not in self.parts.people.applications:
            raise unknown("Application")
        if not self.parts.people.channel_exists(channel_id):
            raise unknown("Channel")
        if not self.parts.people.sees(account, channel_id):
            raise missing_access()
        if body.get("guild_id") is not None and str(body["guild_id"]) != self.parts.identity.guild_id:
            raise unknown("Guild")
        if not isinstance(body.get("session_id"), str):
            raise invalid_form("session_id", code="BASE_TYPE_REQUIRED", message="This field is required")
        data = body.get("data")
        if not isinstance(data, dict):
            raise invalid_form("data", code="BASE_TYPE_REQUIRED", message="This field is required")
        return data

    def check(self, body: dict[str, Any], data: dict[str, Any]) -> Asked:
        """What is wanted of the drawing bot."""
        checks = {COMMAND: self.check_command, COMPONENT: self.check_component, MODAL: self.forms.check_modal}
        kind = body.get("type")
        check = checks.get(kind) if isinstance(kind, int) else None
        if check is None:
            raise invalid_form("type", code="BASE_TYPE_CHOICES", message="Value must be one of {2, 3, 5}.")
        return check(body, data, str(body["channel_id"]))

    def check_command(self, body: dict[str, Any], data: dict[str, Any], channel_id: str) -> Asked:
        if self.parts.faults.take("stale_version", self.parts.people.owner_of.get(channel_id)):
            self.book.renew()
        command, values = self.book.check(data)
        prompt = values.get("prompt", "")
        if len(prompt) > PROMPT_LENGTH_MAX:
            raise invalid_form(
                "data", "options", code="BASE_TYPE_BAD_LENGTH", message="Must be 6000 or fewer in length."
            )
        if command.name == "show":
            prompt = values["job_id"]
        name = whole_name(command, values)
        return Asked(name, prompt, COMMAND, name=name, images=self.images_of(data, values, channel_id))

    def images_of(self, data: dict[str, Any], values: dict[str, Any], channel_id: str) -> list[str]:
        """Links of the uploads that the options name by their place among `data.attachments`."""
        listed = data.get("attachments")
        given = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        uploaded = {str(entry.get("id")): str(entry.get("uploaded_filename", "")) for entry in given}
        links = [str(value) for name, value in values.items() if name == "link"]
        for value in (value for name, value in values.items() if name.startswith("image")):
            key, _, filename = uploaded.get(str(value), "").partition("/")
            body = self.parts.shelf.upload(key)
            if body is None:
                raise invalid_form("data", "attachments", code="ATTACHMENT_NOT_FOUND", message="No such attachment")
            attachment = Attachment(key, channel_id, filename, media_type(filename), len(body))
            self.parts.shelf.keep(attachment)
            links.append(self.parts.renderer.sign(attachment.path))
        return links

    def check_component(self, body: dict[str, Any], data: dict[str, Any], channel_id: str) -> Asked:
        message = self.parts.channels.get(channel_id, str(body.get("message_id")))
        if message is None:
            raise unknown("Message")
        custom_id = data.get("custom_id")
        buttons = message.buttons
        if buttons is None or not isinstance(custom_id, str) or not grammar.has_button(buttons.components(), custom_id):
            raise invalid_form(
                "data", "custom_id", code="COMPONENT_VALIDATION_FAILED", message="Component validation failed"
            )
        press = grammar.read_custom_id(custom_id) or Press("pick", "")
        parent = self.bot.jobs.get(press.hash or buttons.job)
        prompt = parent.prompt if parent is not None else ""
        if press.kind in ("read", "analyze"):
            prompt = line_of(message.embeds, press.index)
        return Asked(press.kind, prompt, COMPONENT, press.index, press.tone, message=message, parent=parent)

    # -- making a job ----------------------------------------------------------------------------------------------

    def job(self, asked: Asked, body: dict[str, Any], account: Account, row: Row, number: int) -> Job:
        parts, settings = self.parts, self.parts.settings
        pressed = asked.message.id if asked.message is not None else None
        share = LOOKS[asked.kind].share if asked.kind in LOOKS else TELLING_SHARE
        swing = 1 + settings.jitter * parts.dice.uniform(-1, 1)
        return Job(
            hash=str(uuid.UUID(bytes=parts.dice.randbytes(16), version=4)),
            account_id=account.id,
            channel_id=str(body["channel_id"]),
            nonce=row.nonce,
            origin=Origin(
                row.interaction_id or "", account.id, asked.type, asked.name, pressed, trigger_id=trigger_of(body)
            ),
            kind=asked.kind,
            prompt=asked.prompt,
            shown=grammar.shown_prompt(asked.prompt, settings.rewrite_prompts, parts.dice),
            mode=grammar.mode_of(asked.prompt, parts.preferences.of(account.id).mode),
            recipe=recipe_for(
                *(asked.kind, asked.prompt, asked.index, asked.tone),
                asked.parent,
                row.nonce or row.interaction_id or "",
            ),
            row=number,
            seconds=settings.seconds * share * swing,
            index=asked.index,
            tone=asked.tone,
            reply_to=pressed if asked.type == COMPONENT else None,
            images=asked.images,
        )

    def pass_on(self, asked: Asked, job: Job) -> None:
        """What the bot does first: refuse, answer at once, or draw."""
        account = self.parts.people.by_id[job.account_id]
        if asked.form:
            self.bot.acknowledge(job)
            self.forms.open(asked, job)
            if asked.form != REGION:  # that press is the drawing, as soon as the region is painted
                self.parts.ledger.settle(job.row, DONE)
            return
        if asked.kind in AT_HAND:
            self.bot.acknowledge(job)
            AT_HAND[asked.kind](self, asked, job)
            self.parts.ledger.settle(job.row, DONE)
            return
        fault = next((name for name in AT_ONCE if self.parts.faults.take(name, account)), None)
        flag = grammar.unknown_flag(asked.prompt)
        notice = fault or self.parts.settings.notice or self.missing(asked)
        if notice:
            self.bot.decline(job, notice)
        elif flag is not None:
            self.bot.decline(job, "invalid_parameter", f"Unrecognized parameter(s): `--{flag}`")
        elif self.parts.faults.take("captcha", account):
            self.challenge(job)
        else:
            job.stuck = self.parts.faults.take("never_finishes", account)
            if self.parts.faults.take("moderated", account):
                job.ends_in = "moderated"
            elif self.parts.dice.random() < self.parts.settings.fail_rate:
                job.ends_in = "broken"
            self.bot.take(job)

    def missing(self, asked: Asked) -> str:
        """The notice that says what is wrong with an order; "" when nothing is."""
        if asked.kind == "imagine" and not asked.prompt.strip():
            return "invalid_prompt"
        if asked.kind == "describe" and not asked.images:
            return "invalid_link"
        bodies = (
            [self.parts.shelf.upload(link.split("/")[-2]) for link in asked.images] if asked.kind == "blend" else []
        )
        return "duplicate_images" if len(set(bodies)) < len(bodies) else ""

    def challenge(self, job: Job) -> None:
        self.bot.acknowledge(job)
        data = {
            "id": job.origin.id,
            "nonce": job.nonce,
            "title": CHALLENGE_TITLE,
            "custom_id": f"MJ::Challenge::{job.hash}",
            "channel_id": job.channel_id,
            "application": {"id": DRAWING_BOT_ID},
            "iframe_path": "/captcha",
        }
        self.bot.voice.privately("INTERACTION_IFRAME_MODAL_CREATE", job.account_id, data, job)
        self.parts.ledger.settle(job.row, FAILED)

    # -- answered at once ------------------------------------------------------------------------------------------

    def cancel(self, asked: Asked, job: Job) -> None:
        if asked.parent is not None:
            self.bot.cancel(asked.parent.hash)

    def show(self, asked: Asked, job: Job) -> None:
        """`/show`: the result of a job once more, in answer to this interaction, so with its nonce."""
        shown = self.bot.jobs.get(asked.prompt)
        if shown is None or shown.final_id is None or shown.account_id != job.account_id:
            self.bot.notify(job, "invalid_prompt", "No such job.")
        else:
            self.bot.show(job, shown)

    def choose_mode(self, asked: Asked, job: Job) -> None:
        mode = MODES[f"--{asked.kind}"]
        self.parts.preferences.choose_mode(job.account_id, mode)
        self.say(job, f"Done! Your jobs are {mode} from now on.")

    def press_setting(self, asked: Asked, job: Job) -> None:
        """A button of `/settings`, which shows at once what is chosen now."""
        self.parts.preferences.press(job.account_id, asked.tone)
        message = asked.message
        if message is not None and message.buttons is not None:
            message.buttons = Buttons(self.parts.preferences.of(job.account_id).layout, message.buttons.job)
            self.bot.voice.update(job, message)

    def say(self, job: Job, text: str) -> None:
        self.bot.voice.create(job, self.bot.message(job, content=text, flags=EPHEMERAL), nonce=job.nonce)

    def nothing(self, asked: Asked, job: Job) -> None:
        """A bookmark: acknowledged, with nothing to see."""


AT_HAND = {
    "cancel": Interactions.cancel,
    "show": Interactions.show,
    "fast": Interactions.choose_mode,
    "relax": Interactions.choose_mode,
    "turbo": Interactions.choose_mode,
    "setting": Interactions.press_setting,
    "bookmark": Interactions.nothing,
    "pick": Interactions.nothing,
}


def line_of(embeds: list[dict[str, Any]], number: int) -> str:
    """The numbered line of a description."""
    lines = str(embeds[0].get("description", "")).split("\n\n") if embeds else []
    return lines[number - 1].partition(" ")[2] if number <= len(lines) else ""


def nonce_of(body: dict[str, Any]) -> str | None:
    """The nonce as text; None when there is none or it is not one."""
    nonce = body.get("nonce")
    fits = isinstance(nonce, str | int) and len(str(nonce)) <= NONCE_LENGTH_MAX
    return str(nonce) if fits else None


def trigger_of(body: dict[str, Any]) -> str | None:
    """The interaction that opened the form whose sending this is, which is the form's id."""
    return str(body["data"].get("id", "")) or None if body.get("type") == MODAL else None
