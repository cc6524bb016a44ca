"""Replies: the routes by which a bot answers an interaction: the callback, then its webhook (rules 22 and 23).

They ask for no Authorization: the token in the path is it.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from sim.compose import Composer, Draft, File, map_of, read_request
from sim.desk import Desk, Invocation
from sim.errors import Refusal, invalid_form, json_response, unknown
from sim.identity import Account
from sim.messages import AUTOCOMPLETE, COMMAND, COMPONENT, EPHEMERAL, LOADING, MODAL, Message
from sim.routes import Route, flag_in

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
CHOICES_MAX = 25
# Which callbacks fit which interaction (IN, Interaction Callback Type).
FITTING = {
    MESSAGE: (COMMAND, COMPONENT, MODAL),
    DEFERRED: (COMMAND, COMPONENT, MODAL),
    DEFERRED_UPDATE: (COMPONENT, MODAL),
    UPDATE: (COMPONENT, MODAL),
    CHOICES: (AUTOCOMPLETE,),
    FORM: (COMMAND, COMPONENT),
}
ORIGINAL = "@original"


class Replies:
    """The callback and the webhook routes of interactions."""

    def __init__(self, desk: Desk, composer: Composer) -> None:
        self.parts = desk.parts
        self.desk = desk
        self.composer = composer

    def routes(self) -> list[Route]:
        webhook = "/webhooks/{application}/{token}"
        one = f"{webhook}/messages/{{message}}"
        return [
            Route("POST", "/interactions/{interaction}/{token}/callback", "callback", self.post_callback, True),
            Route("POST", webhook, "webhook", self.post_follow_up, True),
            Route("GET", one, "webhook", self.get_message, True),
            Route("PATCH", one, "webhook", self.patch_message, True),
            Route("DELETE", one, "webhook", self.delete_message, True),
        ]

    def bot_of(self, request: web.Request) -> Account:
        """Whose token it is. Raises Refusal: nobody's."""
        invocation = self.desk.by_token.get(request.match_info["token"])
        if invocation is not None:
            return self.parts.people.by_id[invocation.application_id]
        if "interaction" in request.match_info:
            raise unknown("Interaction")
        if request.match_info["application"] not in self.parts.people.applications:
            raise unknown("Webhook")
        raise Refusal(401, 50027, "Invalid Webhook Token")

    # -- the callback ----------------------------------------------------------------------------------------------

    async def post_callback(self, request: web.Request, account: Account) -> web.Response:
        """204, or 200 with what became of it when `with_response` asks for it."""
        info = request.match_info
        value, files = await read_request(request)
        invocation = self.desk.called_back(info["interaction"], info["token"])
        body = map_of(value)
        kind = body.get("type")
        if not isinstance(kind, int) or invocation.type not in FITTING.get(kind, ()):
            raise invalid_form("type", code="BASE_TYPE_CHOICES", message="This type does not fit the interaction.")
        data = map_of(body.get("data") or {})
        with self.parts.store:
            ANSWERS[kind](self, invocation, data, files)
        if not flag_in(request, "with_response"):
            return web.Response(status=204)
        return json_response(self.outcome(invocation, kind))

    def answer(self, invocation: Invocation, data: dict[str, Any], files: list[File]) -> None:
        message = self.composed(invocation, data, files)
        self.desk.acknowledge(invocation, MESSAGE)
        self.desk.say(invocation, message)

    def defer(self, invocation: Invocation, data: dict[str, Any], files: list[File]) -> None:
        """A promise: "Bot is thinking…". Of its flags only EPHEMERAL counts, and holds for what comes."""
        self.desk.acknowledge(invocation, DEFERRED)
        message = Message(self.parts.snowflakes.next(), invocation.channel_id, invocation.application_id, time.time())
        message.flags = LOADING | hidden(data)
        message.origin, message.reply_to = invocation.origin(), self.parent_of(invocation)
        self.desk.say(invocation, message)

    def defer_update(self, invocation: Invocation, data: dict[str, Any], files: list[File]) -> None:
        self.desk.acknowledge(invocation, DEFERRED_UPDATE)
        if invocation.source is not None:
            self.desk.remember(invocation, invocation.source)

    def update(self, invocation: Invocation, data: dict[str, Any], files: list[File]) -> None:
        """Change the message whose button was pressed."""
        source = invocation.source
        if source is None:
            raise invalid_form("type", code="BASE_TYPE_CHOICES", message="There is no message to update.")
        draft = self.composer.draft(data, files, invocation.channel_id, source)
        self.desk.acknowledge(invocation, UPDATE)
        draft.apply(source)
        self.desk.remember(invocation, source)
        self.desk.change(invocation, source)

    def choices(self, invocation: Invocation, data: dict[str, Any], files: list[File]) -> None:
        given = data.get("choices")
        if not isinstance(given, list) or len(given) > CHOICES_MAX:
            raise invalid_form("data", "choices", code="BASE_TYPE_MAX_LENGTH", message="Must be 25 or fewer in length.")
        self.desk.acknowledge(invocation, CHOICES)
        user, _ = self.desk.people(invocation)
        told = {"choices": given, "nonce": invocation.nonce}
        self.desk.crier.privately("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE", user, told)

    def form(self, invocation: Invocation, data: dict[str, Any], files: list[File]) -> None:
        """Open a modal in the user's client."""
        title, custom_id = data.get("title"), data.get("custom_id")
        if not isinstance(custom_id, str) or not isinstance(title, str) or not data.get("components"):
            raise invalid_form("data", code="BASE_TYPE_REQUIRED", message="This field is required")
        self.desk.acknowledge(invocation, FORM)
        self.desk.open_form(invocation)
        user, bot = self.desk.people(invocation)
        told = self.desk.marks(invocation) | {
            "title": title,
            "custom_id": custom_id,
            "components": data["components"],
            "channel_id": invocation.channel_id,
            "application": {"id": bot.id, "name": bot.name},
        }
        self.desk.crier.privately("INTERACTION_MODAL_CREATE", user, told)

    def outcome(self, invocation: Invocation, kind: int) -> dict[str, Any]:
        """The body of an answered callback (InteractionCallbackResponse)."""
        told: dict[str, Any] = {"id": invocation.id, "type": invocation.type}
        outcome: dict[str, Any] = {"interaction": told}
        message = invocation.original
        if message is not None:
            told |= {
                "response_message_id": message.id,
                "response_message_loading": bool(message.flags & LOADING),
                "response_message_ephemeral": bool(message.flags & EPHEMERAL),
                "channel_id": message.channel_id,
            }
            if "guild_id" in self.desk.crier.place(message.channel_id):
                told["guild_id"] = self.parts.identity.guild_id
        if message is not None and kind in (MESSAGE, UPDATE):  # a promise is not a resource yet
            outcome["resource"] = {"type": kind, "message": self.desk.crier.shown(message)}
        return outcome

    # -- the webhook -----------------------------------------------------------------------------------------------

    def addressed(self, request: web.Request) -> tuple[Invocation, Message]:
        """The interaction, and which of its messages. Raises Refusal 10008."""
        info = request.match_info
        invocation = self.desk.followed_up(info["application"], info["token"])
        original = invocation.original.id if invocation.original is not None else None
        wanted = original if info["message"] == ORIGINAL else info["message"]
        message = invocation.said.get(wanted or "")
        if message is None:
            raise unknown("Message")
        return invocation, message

    async def post_follow_up(self, request: web.Request, account: Account) -> web.Response:
        """Another message. The first after a deferral takes its place, and is as hidden as it said."""
        value, files = await read_request(request)
        invocation = self.desk.followed_up(request.match_info["application"], request.match_info["token"])
        body, original = map_of(value), invocation.original
        with self.parts.store:
            if original is not None and original.flags & LOADING:
                message = original
                self.draft(body, files, invocation.channel_id, original).apply(original)
                self.desk.change(invocation, original)
            else:
                message = self.composed(invocation, body, files)
                self.desk.say(invocation, message)
        # Executing any other webhook is silent without `wait`; of an interaction's, the documents say it always waits.
        return json_response(self.desk.crier.shown(message))

    async def get_message(self, request: web.Request, account: Account) -> web.Response:
        return json_response(self.desk.crier.shown(self.addressed(request)[1]))

    async def patch_message(self, request: web.Request, account: Account) -> web.Response:
        value, files = await read_request(request)
        invocation, message = self.addressed(request)
        with self.parts.store:
            self.draft(map_of(value), files, invocation.channel_id, message).apply(message)
            self.desk.change(invocation, message)
        return json_response(self.desk.crier.shown(message))

    async def delete_message(self, request: web.Request, account: Account) -> web.Response:
        invocation, message = self.addressed(request)
        with self.parts.store:
            self.desk.drop(invocation, message)
        return web.Response(status=204)

    # -- making ----------------------------------------------------------------------------------------------------

    def draft(self, body: dict[str, Any], files: list[File], channel_id: str, old: Message | None) -> Draft:
        """Of users alone may an answer tell that they are mentioned, unless it says otherwise (rule 29)."""
        return self.composer.draft({"allowed_mentions": {"parse": ["users"]}} | body, files, channel_id, old)

    def composed(self, invocation: Invocation, body: dict[str, Any], files: list[File]) -> Message:
        draft = self.draft(body, files, invocation.channel_id, None)
        message = self.composer.message(draft, invocation.channel_id, invocation.application_id)
        message.flags |= hidden(body)
        message.origin, message.reply_to = invocation.origin(), self.parent_of(invocation)
        return message

    def parent_of(self, invocation: Invocation) -> str | None:
        """What an answer replies to: the first answer, or the message whose button was pressed."""
        parent = invocation.original or invocation.source
        return parent.id if parent is not None else None


def hidden(body: dict[str, Any]) -> int:
    flags = body.get("flags")
    return flags & EPHEMERAL if isinstance(flags, int) else 0


ANSWERS = {
    MESSAGE: Replies.answer,
    DEFERRED: Replies.defer,
    DEFERRED_UPDATE: Replies.defer_update,
    UPDATE: Replies.update,
    CHOICES: Replies.choices,
    FORM: Replies.form,
}
