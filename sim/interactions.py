"""Interactions: `POST /interactions` as a user's client sends it: checked, written down, handed to the bot."""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec
from aiohttp import web

from sim import grammar
from sim.bot import Bot
from sim.commands import CommandBook
from sim.compose import map_of, read_request
from sim.desk import Desk
from sim.embeds import AT_ONCE, CHALLENGE_TITLE
from sim.errors import Refusal, invalid_form, missing_access, unknown
from sim.grammar import LOOKS, Press
from sim.identity import DRAWING_BOT_ID, Account
from sim.job import TELLING_SHARE, Job
from sim.ledger import DONE, FAILED, REFUSED, Row
from sim.messages import COMMAND, COMPONENT, EPHEMERAL, MODAL, Attachment, Message, Origin, media_type
from sim.parts import Parts
from sim.posts import NONCE_LENGTH_MAX
from sim.routes import Route
from sim.studio import Recipe

PROMPT_LENGTH_MAX = 6000
MODAL_OF = {"custom_zoom": ("MJ::OutpaintCustomZoomModal::", "Zoom Out")}


class Asked(msgspec.Struct):
    """A checked interaction: what is wanted of the bot."""

    kind: str
    prompt: str
    type: int
    index: int = 1
    tone: str = ""
    name: str | None = None
    message: Message | None = None
    parent: Job | None = None
    images: list[str] = []


class Interactions:
    """Turns bodies into jobs."""

    def __init__(self, parts: Parts, bot: Bot, book: CommandBook, desk: Desk) -> None:
        self.parts = parts
        self.desk = desk
        self.bot = bot
        self.book = book
        self.modes: dict[str, str] = {}  # account id → the mode chosen by /fast, /relax, /turbo

    def routes(self) -> list[Route]:
        return [Route("POST", "/interactions", "interactions", self.post)]

    async def post(self, request: web.Request, account: Account) -> web.Response:
        """204 and an empty body when taken; Refusal else. Every one is on the ledger, whichever way it goes."""
        value, _ = await read_request(request)
        body, parts = map_of(value), self.parts
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
        if parts.faults.take("lost_response", account) and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)

    def take(self, asked: Asked, body: dict[str, Any], account: Account, row: Row) -> None:
        """Write it down, tell the user's client that it exists, hand it to the bot."""
        row.kind, row.prompt, row.interaction_id = asked.kind, asked.prompt, self.parts.snowflakes.next()
        job = self.job(asked, body, account, row, self.parts.ledger.add(row))
        created = {"id": row.interaction_id, "nonce": row.nonce}
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
        checks = {COMMAND: self.check_command, COMPONENT: self.check_component, MODAL: self.check_modal}
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
        return Asked(command.name, prompt, COMMAND, name=command.name, images=self.images_of(data, values, channel_id))

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
        components = message.buttons.components() if message.buttons is not None else []
        if not isinstance(custom_id, str) or not grammar.has_button(components, custom_id):
            raise invalid_form(
                "data", "custom_id", code="COMPONENT_VALIDATION_FAILED", message="Component validation failed"
            )
        press = grammar.read_custom_id(custom_id) or Press("pick", "")
        parent = self.bot.jobs.get(press.hash)
        prompt = parent.prompt if parent is not None else ""
        return Asked(press.kind, prompt, COMPONENT, press.index, press.tone, message=message, parent=parent)

    def check_modal(self, body: dict[str, Any], data: dict[str, Any], channel_id: str) -> Asked:
        custom_id = str(data.get("custom_id", ""))
        prefix, _, hashed = custom_id.rpartition("::")
        parent = self.bot.jobs.get(hashed)
        if f"{prefix}::" != MODAL_OF["custom_zoom"][0] or parent is None:
            raise invalid_form("data", "custom_id", code="MODAL_NOT_FOUND", message="Unknown modal")
        prompt = typed_text(data.get("components"))
        message = self.parts.channels.get(channel_id, parent.final_id)
        return Asked("zoom", prompt or parent.prompt, MODAL, 1, "2x", message=message, parent=parent)

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
            mode=grammar.mode_of(asked.prompt, self.modes.get(account.id, "fast")),
            recipe=recipe_for(asked, row.nonce or row.interaction_id or ""),
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
        if asked.kind in AT_HAND:
            self.bot.acknowledge(job)
            AT_HAND[asked.kind](self, asked, job)
            self.parts.ledger.settle(job.row, DONE)
            return
        fault = next((name for name in AT_ONCE if self.parts.faults.take(name, account)), None)
        flag = grammar.unknown_flag(asked.prompt)
        if fault is not None:
            self.bot.decline(job, fault)
        elif asked.kind == "imagine" and not asked.prompt.strip():
            self.bot.decline(job, "invalid_prompt")
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

    def open_modal(self, asked: Asked, job: Job) -> None:
        prefix, name = MODAL_OF["custom_zoom"]
        hashed = asked.parent.hash if asked.parent is not None else ""
        field = {
            "type": 4,
            "style": 2,
            "custom_id": f"{prefix}prompt",
            "label": "prompt",
            "value": f"{job.prompt} --zoom 2",
        }
        data = {
            "id": job.origin.id,
            "nonce": job.nonce,
            "title": name,
            "custom_id": prefix + hashed,
            "channel_id": job.channel_id,
            "application": {"id": DRAWING_BOT_ID},
            "components": [grammar.row(field)],
        }
        self.bot.voice.privately("INTERACTION_MODAL_CREATE", job.account_id, data, job)

    def open_iframe(self, asked: Asked, job: Job) -> None:
        data = {
            "id": job.origin.id,
            "nonce": job.nonce,
            "title": "Editor",
            "custom_id": f"MJ::iframe::{job.hash}",
            "channel_id": job.channel_id,
            "application": {"id": DRAWING_BOT_ID},
            "iframe_path": "/inpaint",
        }
        self.bot.voice.privately("INTERACTION_IFRAME_MODAL_CREATE", job.account_id, data, job)

    def show(self, asked: Asked, job: Job) -> None:
        """`/show`: the result of a job once more, in answer to this interaction, so with its nonce."""
        shown = self.bot.jobs.get(asked.prompt)
        found = self.parts.channels.get(shown.channel_id, shown.final_id) if shown is not None else None
        if found is None or shown is None or shown.account_id != job.account_id:
            self.bot.notify(job, "invalid_prompt", "No such job.")
            return
        message = self.bot.message(job, content=found.content, attachments=found.attachments, buttons=found.buttons)
        self.bot.voice.create(job, message, nonce=job.nonce)

    def choose_mode(self, asked: Asked, job: Job) -> None:
        self.modes[job.account_id] = {"relax": "relaxed"}.get(asked.kind, asked.kind)
        self.say(job, f"Done! Your jobs are {self.modes[job.account_id]} from now on.")

    def say(self, job: Job, text: str) -> None:
        self.bot.voice.create(job, self.bot.message(job, content=text, flags=EPHEMERAL), nonce=job.nonce)

    def nothing(self, asked: Asked, job: Job) -> None:
        """A bookmark, or a number under a description: acknowledged, with nothing to see."""


AT_HAND = {
    "cancel": Interactions.cancel,
    "custom_zoom": Interactions.open_modal,
    "inpaint": Interactions.open_iframe,
    "show": Interactions.show,
    "fast": Interactions.choose_mode,
    "relax": Interactions.choose_mode,
    "turbo": Interactions.choose_mode,
    "bookmark": Interactions.nothing,
    "pick": Interactions.nothing,
}


def recipe_for(asked: Asked, nonce: str) -> Recipe:
    """What will be painted: a new composition, a parent's tile alone, or a parent's tile varied."""
    parent = asked.parent.recipe if asked.parent is not None else None
    if parent is None or asked.kind in ("imagine", "blend", "reroll"):
        return Recipe(asked.prompt, nonce, f"{asked.prompt}\0{nonce}")
    if asked.kind == "upscale":
        return Recipe(asked.prompt, nonce, parent.seed, parent.twist, asked.index)
    if asked.kind == "upscale2x":
        return Recipe(asked.prompt, nonce, parent.seed, parent.twist, parent.tile or 1)
    # A composition that was varied before is kept as it is, else it is that of the tile.
    seed = parent.seed if parent.twist else f"{parent.seed}\0{parent.tile or asked.index}"
    return Recipe(asked.prompt, nonce, seed, f"{asked.kind} {asked.tone} {nonce}")


def nonce_of(body: dict[str, Any]) -> str | None:
    """The nonce as text; None when there is none or it is not one."""
    nonce = body.get("nonce")
    fits = isinstance(nonce, str | int) and len(str(nonce)) <= NONCE_LENGTH_MAX
    return str(nonce) if fits else None


def trigger_of(body: dict[str, Any]) -> str | None:
    """The interaction that opened the form whose sending this is, which is the form's id."""
    return str(body["data"].get("id", "")) or None if body.get("type") == MODAL else None


def typed_text(components: Any) -> str:
    """What was typed into a modal: the value of its first text input; "" when it holds none."""
    lines = components if isinstance(components, list) else []
    for line in lines:
        parts = line.get("components") if isinstance(line, dict) else None
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and part.get("type") == 4:
                return str(part.get("value", ""))
    return ""
