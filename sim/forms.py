"""Forms: what the drawing bot opens before it draws: a modal with one field, or the page on which a region is painted.

Facts/midjourney.md, "custom_ids" and "The wire". A form is opened by a press and answered once: a modal by a second
interaction with a nonce of its own, the page by its own request to the bot's application, which names the page only
and bears no token; what is drawn then says by its metadata which press it came from. An open form outlives a restart.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import msgspec
from aiohttp import web
from PIL import Image, UnidentifiedImageError

from sim import grammar
from sim.asked import Asked, recipe_for
from sim.bot import Bot
from sim.errors import invalid_form, json_response
from sim.identity import DRAWING_BOT_ID
from sim.job import Job
from sim.messages import MODAL
from sim.parts import Parts

OPENED_MAX = 1_000
PAGE_PREFIX = "MJ::iframe::"
REGION = "inpaint"
REGION_TONE = "Region"


class Form(msgspec.Struct, frozen=True):
    """A modal: templates of its custom id and of what its field holds at first; `kind` is what it draws ("": as what
    was pressed)."""

    custom_id: str
    field: str
    title: str
    value: str = "{prompt}"
    kind: str = ""
    tone: str = ""


FORMS = {
    "custom_zoom": Form(
        "MJ::OutpaintCustomZoomModal::{hash}",
        "MJ::OutpaintCustomZoomModal::prompt",
        "Zoom Out",
        "{prompt} --zoom 2",
        "zoom",
        "2x",
    ),
    "read": Form("MJ::Picreader::Modal::{index}", "MJ::Picreader::Modal::PromptField", "Imagine this!", kind="imagine"),
    "analyze": Form("MJ::ImagineModal::{message}", "MJ::ImagineModal::new_prompt", "Imagine this!", kind="imagine"),
    "remix": Form("MJ::RemixModal::{hash}::{index}::1", "MJ::RemixModal::new_prompt", "Remix Prompt"),
}
# What a press on these opens when the account remixes, and what its variations are called then.
REMIXED = {"variation": "remix", "reroll": "reroll", "pan": "pan", "zoom": "zoom"}


class Opened(msgspec.Struct):
    """A form that waits for its answer. `press` is the interaction that opened it; the rest is of what it will draw."""

    press: Job
    form: str
    custom_id: str
    kind: str
    index: int
    tone: str
    prompt: str
    message_id: str | None
    parent: str | None


def form_for(kind: str, remix: bool) -> str:
    """The form that a press of this kind opens; "" for none."""
    if kind in FORMS or kind == REGION:
        return kind
    return "remix" if remix and kind in REMIXED else ""


class Forms:
    """One a simulator."""

    def __init__(self, parts: Parts, bot: Bot) -> None:
        self.parts = parts
        self.bot = bot
        self.opened = dict(parts.store.load("forms", Opened))

    def open(self, asked: Asked, press: Job) -> None:
        """Show the form to who pressed."""
        form = FORMS.get(asked.form)
        hashed, message_id = asked.parent.hash if asked.parent else "", asked.message.id if asked.message else ""
        if form is None:
            custom_id, kind, tone, value = f"{PAGE_PREFIX}{press.hash}", "variation", REGION_TONE, asked.prompt
        else:
            custom_id = form.custom_id.format(hash=hashed, index=asked.index, message=message_id)
            kind, tone = form.kind or REMIXED[asked.kind], form.tone or asked.tone
            value = form.value.format(prompt=asked.prompt)
        press.state = "over"
        opened = Opened(press, asked.form, custom_id, kind, asked.index, tone, value, message_id, hashed)
        self.keep(opened)
        data: dict[str, Any] = {
            "id": press.origin.id,
            "nonce": press.nonce,
            "title": form.title if form is not None else "Editor",
            "custom_id": custom_id,
            "channel_id": press.channel_id,
            "application": {"id": DRAWING_BOT_ID},
        }
        if form is None:
            name, data = "INTERACTION_IFRAME_MODAL_CREATE", data | {"iframe_path": "/inpaint"}
        else:
            field = {"type": 4, "style": 2, "custom_id": form.field, "label": "prompt", "value": value}
            name, data = "INTERACTION_MODAL_CREATE", data | {"components": [grammar.row(field)]}
        self.bot.voice.privately(name, press.account_id, data, press)

    def keep(self, opened: Opened) -> None:
        self.opened[opened.press.origin.id] = opened
        self.parts.store.put("forms", opened.press.origin.id, opened)
        if len(self.opened) > OPENED_MAX:
            self.drop(next(iter(self.opened.values())))

    def drop(self, opened: Opened) -> None:
        del self.opened[opened.press.origin.id]
        self.parts.store.drop("forms", opened.press.origin.id)

    def check_modal(self, body: dict[str, Any], data: dict[str, Any], channel_id: str) -> Asked:
        """What a filled-in modal asks for. Raises Refusal when there is no such modal (any more)."""
        custom_id = data.get("custom_id")
        alike = [o for o in self.opened.values() if (o.custom_id, o.press.channel_id) == (custom_id, channel_id)]
        opened = self.opened.get(str(data.get("id")), alike[-1] if alike else None)
        if opened is None or opened not in alike or opened.form == REGION:
            raise invalid_form("data", "custom_id", code="MODAL_NOT_FOUND", message="Unknown modal")
        self.drop(opened)
        message = self.parts.channels.get(channel_id, opened.message_id)
        prompt = typed_text(data.get("components")) or opened.prompt
        parent = self.bot.jobs.get(opened.parent or "")
        return Asked(opened.kind, prompt, MODAL, opened.index, opened.tone, message=message, parent=parent)

    async def submit_region(self, request: web.Request) -> web.Response:
        """`POST …/inpaint/api/submit-job`: what was painted on the page. 200, or 4xx with the reason."""
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
            mask = base64.b64decode(str(body.get("mask", "")), validate=True)
            Image.open(io.BytesIO(mask)).verify()
        except (msgspec.DecodeError, binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError):
            return json_response({"error": "the mask is no picture"}, 400)
        custom_id = f"{PAGE_PREFIX}{body.get('customId')}"
        opened = next((each for each in self.opened.values() if each.custom_id == custom_id), None)
        if opened is None:
            return json_response({"error": "the page has expired"}, 404)
        with self.parts.store:
            self.drop(opened)
            self.bot.take(self.region(opened, str(body.get("prompt") or opened.prompt)))
        return json_response({"status": "success"})

    def region(self, opened: Opened, prompt: str) -> Job:
        """The drawing that goes on from the press: it is acknowledged already, and A bears no nonce."""
        job, settings = opened.press, self.parts.settings
        parent = self.bot.jobs.get(opened.parent or "")
        return msgspec.structs.replace(
            job,
            kind=opened.kind,
            tone=opened.tone,
            prompt=prompt,
            shown=grammar.shown_prompt(prompt, settings.rewrite_prompts, self.parts.dice),
            recipe=recipe_for(opened.kind, prompt, opened.index, opened.tone, parent, job.nonce or job.origin.id),
            seconds=settings.seconds,
            state="waiting",
            stage=1,
            follow_up=True,
            stuck=self.parts.faults.take("never_finishes", self.parts.people.by_id[job.account_id]),
        )


def typed_text(components: Any) -> str:
    """What was typed into a modal: the value of its first text input; "" when it holds none."""
    lines = components if isinstance(components, list) else []
    for line in lines:
        parts = line.get("components") if isinstance(line, dict) else None
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and part.get("type") == 4:
                return str(part.get("value", ""))
    return ""
