"""Posts: the REST routes of messages: history, saying, changing, taking away, reacting (ME in facts/discord.md)."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from sim.bot import Bot
from sim.compose import Composer, map_of, read_request
from sim.crier import Crier
from sim.errors import Refusal, invalid_form, json_response, unknown
from sim.identity import Account
from sim.messages import Message
from sim.parts import Parts
from sim.routes import Route, channel_in, number_in
from sim.welcome import Greeter, member_object

NONCE_LENGTH_MAX = 25
NONCE_KEPT_S = 300.0  # "past few minutes" of enforce_nonce (rule 26)
HISTORY_LIMIT_MAX = 100
ENVELOPE = "✉"


class Posts:
    """Every route under /channels, save uploads."""

    def __init__(self, parts: Parts, greeter: Greeter, crier: Crier, composer: Composer, bot: Bot) -> None:
        self.parts = parts
        self.greeter = greeter
        self.crier = crier
        self.composer = composer
        self.bot = bot
        self.said: dict[tuple[str, str], tuple[float, Message]] = {}  # (account, nonce) → what enforce_nonce returns

    def routes(self) -> list[Route]:
        channel, one = "/channels/{channel}", "/channels/{channel}/messages/{message}"
        return [
            Route("GET", channel, "channel", self.get_channel),
            Route("POST", f"{channel}/typing", "typing", self.post_typing),
            Route("GET", f"{channel}/messages", "messages.list", self.list_messages),
            Route("POST", f"{channel}/messages", "messages.post", self.post_message),
            Route("GET", one, "messages.get", self.get_message),
            Route("PATCH", one, "messages.edit", self.edit_message),
            Route("DELETE", one, "messages.delete", self.delete_message),
            Route("PUT", f"{one}/reactions/{{emoji}}/@me", "reactions", self.put_reaction),
            Route("DELETE", f"{one}/reactions/{{emoji}}/@me", "reactions", self.delete_reaction),
            Route("POST", f"{one}/ack", "ack", self.post_ack),
            Route("POST", "/users/@me/channels", "direct", self.post_direct),
        ]

    # -- channels --------------------------------------------------------------------------------------------------

    async def get_channel(self, request: web.Request, account: Account) -> web.Response:
        return json_response(self.greeter.channel(channel_in(request, self.parts.people, account)))

    async def post_typing(self, request: web.Request, account: Account) -> web.Response:
        channel_id = channel_in(request, self.parts.people, account)
        data = {"user_id": account.id, "timestamp": int(time.time()), "member": member_object(account)}
        self.crier.announce("TYPING_START", channel_id, data)
        return web.Response(status=204)

    async def post_direct(self, request: web.Request, account: Account) -> web.Response:
        """Open a direct channel; a bot hears of it by CHANNEL_CREATE before the first message in it."""
        body, _ = await read_request(request)
        recipient = str(map_of(body).get("recipient_id"))
        channel_id = self.parts.people.direct_with(account, recipient) if account.bot else None
        if channel_id is None:
            raise invalid_form("recipient_id", code="USER_INVALID", message="Cannot write to this user")
        channel = self.greeter.channel(channel_id)
        self.crier.privately("CHANNEL_CREATE", account, channel)
        return json_response(channel)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def list_messages(self, request: web.Request, account: Account) -> web.Response:
        """History: no nonce, no ephemeral message; newest first."""
        channel_id = channel_in(request, self.parts.people, account)
        limit = number_in(request, "limit", 50)
        if limit is None or not 1 <= limit <= HISTORY_LIMIT_MAX:
            raise invalid_form("limit", code="NUMBER_TYPE_MAX", message="int value should be between 1 and 100.")
        before, after = number_in(request, "before"), number_in(request, "after")
        around = number_in(request, "around")
        page = self.parts.channels.page(channel_id, limit, before, after)
        if around is not None:
            older = self.parts.channels.page(channel_id, limit // 2 + 1, around + 1, None)
            newer = self.parts.channels.page(channel_id, max(1, limit - len(older)), None, around)
            page = [*newer, *older][:limit]
        return json_response([self.crier.shown(message) for message in page])

    async def get_message(self, request: web.Request, account: Account) -> web.Response:
        return json_response(self.crier.shown(self.find_message(request, account)))

    def find_message(self, request: web.Request, account: Account) -> Message:
        channel_id = channel_in(request, self.parts.people, account)
        message = self.parts.channels.get(channel_id, request.match_info["message"])
        if message is None:
            raise unknown("Message")
        return message

    # -- writing ---------------------------------------------------------------------------------------------------

    async def post_message(self, request: web.Request, account: Account) -> web.Response:
        channel_id = channel_in(request, self.parts.people, account)
        value, files = await read_request(request)
        body = as_allowed(map_of(value), account)
        nonce = None if body.get("nonce") is None else str(body["nonce"])
        if nonce is not None and len(nonce) > NONCE_LENGTH_MAX:
            raise invalid_form("nonce", code="BASE_TYPE_BAD_LENGTH", message="Must be 25 or fewer in length.")
        said = self.said.get((account.id, nonce or ""))
        if nonce and body.get("enforce_nonce") and said is not None and said[0] > time.time() - NONCE_KEPT_S:
            return json_response(self.crier.shown(said[1]) | {"nonce": nonce})
        with self.parts.store:
            draft = self.composer.draft(body, files, channel_id)
            message = self.composer.message(draft, channel_id, account.id)
            self.crier.create(message, owner=account.id, nonce=nonce)
        if nonce:
            self.said = {key: old for key, old in self.said.items() if old[0] > time.time() - NONCE_KEPT_S}
            self.said[account.id, nonce] = (time.time(), message)
        if self.parts.faults.take("lost_message", account) and request.transport is not None:
            request.transport.abort()
        return json_response(self.crier.shown(message) | ({"nonce": nonce} if nonce else {}))

    async def edit_message(self, request: web.Request, account: Account) -> web.Response:
        message = self.find_message(request, account)
        if message.author_id != account.id:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        value, files = await read_request(request)
        with self.parts.store:
            draft = self.composer.draft(as_allowed(map_of(value), account), files, message.channel_id, message)
            draft.apply(message)
            self.crier.update(message)
        return json_response(self.crier.shown(message))

    async def delete_message(self, request: web.Request, account: Account) -> web.Response:
        message = self.find_message(request, account)
        if message.author_id != account.id:
            raise Refusal(403, 50013, "Missing Permissions")
        with self.parts.store:
            self.crier.delete(message)
        return web.Response(status=204)

    # -- reacting --------------------------------------------------------------------------------------------------

    async def put_reaction(self, request: web.Request, account: Account) -> web.Response:
        """✉️ on a result asks the drawing bot for its seed."""
        message, emoji = self.find_message(request, account), request.match_info["emoji"]
        people = message.reactions.get(emoji, [])
        if account.id not in people:  # the bot hears of new reactions only
            self.react(message, account, emoji, [*people, account.id], "MESSAGE_REACTION_ADD")
            if emoji.startswith(ENVELOPE):
                self.bot.tell_seed(message, account)
        return web.Response(status=204)

    async def delete_reaction(self, request: web.Request, account: Account) -> web.Response:
        message, emoji = self.find_message(request, account), request.match_info["emoji"]
        people = message.reactions.get(emoji, [])
        if account.id not in people:
            raise unknown("Emoji")
        left = [one for one in people if one != account.id]
        self.react(message, account, emoji, left, "MESSAGE_REACTION_REMOVE")
        return web.Response(status=204)

    def react(self, message: Message, account: Account, emoji: str, people: list[str], event: str) -> None:
        others = {name: ids for name, ids in message.reactions.items() if name != emoji}
        message.reactions = others | ({emoji: people} if people else {})
        data: dict[str, Any] = {
            "user_id": account.id,
            "message_id": message.id,
            "message_author_id": message.author_id,
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        if event == "MESSAGE_REACTION_ADD":
            data |= {"member": member_object(account), "burst_colors": []}
        with self.parts.store:
            self.parts.channels.keep(message)
            self.crier.announce(event, message.channel_id, data)

    async def post_ack(self, request: web.Request, account: Account) -> web.Response:
        self.find_message(request, account)
        return json_response({"token": None})


def as_allowed(body: dict[str, Any], account: Account) -> dict[str, Any]:
    """The body without what only bots may send."""
    if account.bot:
        return body
    return {name: value for name, value in body.items() if name not in ("embeds", "components")}
