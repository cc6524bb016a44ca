"""REST: the routes under /api that a user's client or a bot calls, save interactions (ME, RF in facts/discord.md)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from sim.cdn import UPLOAD_BYTES_MAX
from sim.commands import CommandBook
from sim.errors import Refusal, invalid_form, json_response, missing_access, not_found, unauthorized, unknown
from sim.faults import SLOW_S
from sim.gateway import Gateway
from sim.identity import DRAWING_BOT, DRAWING_BOT_ID, Account, user_object
from sim.interactions import NONCE_LENGTH_MAX, Interactions, read_body
from sim.limits import Limits, html_429, too_many
from sim.messages import Attachment, Message, media_type
from sim.parts import Parts
from sim.sessions import CDN_HERE
from sim.welcome import APPLICATION_FLAGS, Greeter

CONTENT_LENGTH_MAX = 2000
NONCE_KEPT_S = 300.0  # "past few minutes" of enforce_nonce (rule 26)
HISTORY_LIMIT_MAX = 100
ENVELOPE = "✉"

Call = Callable[["Rest", web.Request, Account], Awaitable[web.Response]]


class Rest:
    """Every route's function, called with the account whose Authorization header it was."""

    def __init__(
        self, parts: Parts, greeter: Greeter, gateway: Gateway, interactions: Interactions, book: CommandBook
    ) -> None:
        self.parts = parts
        self.greeter = greeter
        self.gateway = gateway
        self.interactions = interactions
        self.book = book
        self.limits = Limits()
        self.said: dict[tuple[str, str], tuple[float, Message]] = {}  # (account, nonce) → what enforce_nonce returns

    def guard(self, name: str, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The aiohttp handler of a route: who asks, faults, rate limits, and errors as Discord words them."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                account = self.parts.people.of_header(request.headers.get("Authorization", ""))
                if account is None:
                    raise unauthorized()
                trouble = await self.trouble(account)
                if trouble is not None:
                    return trouble
                major = next((request.match_info.get(key, "") for key in ("channel", "guild")), "")
                headers, refused = self.limits.spend(account, name, major, time.time())
                if refused is not None:
                    self.parts.counts.rate_limited += 1
                answer = refused or await call(self, request, account)
                answer.headers.update(headers)
                return self.here(request, answer)
            except Refusal as refusal:
                return refusal.response()

        return handle

    def here(self, request: web.Request, answer: web.Response) -> web.Response:
        """Put the address the client came by into links, whose host is left open until they are sent."""
        if isinstance(answer.body, bytes) and CDN_HERE.encode() in answer.body:
            answer.body = answer.body.replace(CDN_HERE.encode(), self.greeter.bases(request).cdn.encode())
        return answer

    async def trouble(self, account: Account) -> web.Response | None:
        """The answer of an armed fault, if one strikes."""
        faults = self.parts.faults
        slow = faults.find("slow", account)
        if slow is not None:
            await asyncio.sleep(SLOW_S if slow.seconds is None else slow.seconds)
        for scope in ("user", "shared", "global"):
            if faults.take(f"r429_{scope}", account):
                self.parts.counts.rate_limited += 1
                return too_many(2.0, scope)
        if faults.take("r429_html", account):
            self.parts.counts.rate_limited += 1
            return html_429()
        if faults.take("bad_gateway", account):
            return web.Response(text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html", status=502)
        return None

    # -- who and where ---------------------------------------------------------------------------------------------

    async def get_gateway_bot(self, request: web.Request, account: Account) -> web.Response:
        remaining = self.gateway.gates.remaining(account, time.time())
        limit = {"total": 1000, "remaining": remaining, "reset_after": 86_400_000, "max_concurrency": 1}
        url = self.greeter.bases(request).gateway
        return json_response({"url": url, "shards": 1, "session_start_limit": limit})

    async def get_me(self, request: web.Request, account: Account) -> web.Response:
        return json_response(user_object(account) | {"verified": True, "mfa_enabled": False, "locale": "en-US"})

    async def get_application(self, request: web.Request, account: Account) -> web.Response:
        if not account.bot:
            raise unauthorized()
        return json_response(application_object(account))

    async def get_guilds(self, request: web.Request, account: Account) -> web.Response:
        guild = self.greeter.guild()
        brief = {key: guild[key] for key in ("id", "name", "icon", "banner", "features")}
        return json_response([brief | {"owner": False, "permissions": str((1 << 50) - 1)}])

    async def get_guild(self, request: web.Request, account: Account) -> web.Response:
        self.check_guild(request)
        return json_response(self.greeter.guild())

    async def get_guild_channels(self, request: web.Request, account: Account) -> web.Response:
        self.check_guild(request)
        return json_response([self.greeter.channel(channel) for channel in self.greeter.channel_ids(account)])

    async def get_command_index(self, request: web.Request, account: Account) -> web.Response:
        self.check_guild(request)
        return json_response(self.book.index())

    async def get_channel(self, request: web.Request, account: Account) -> web.Response:
        return json_response(self.greeter.channel(self.check_channel(request, account)))

    async def get_user(self, request: web.Request, account: Account) -> web.Response:
        user_id = request.match_info["user"]
        found = DRAWING_BOT if user_id == DRAWING_BOT_ID else self.parts.people.by_id.get(user_id)
        if found is None:
            raise unknown("User")
        return json_response(user_object(found))

    async def post_interaction(self, request: web.Request, account: Account) -> web.Response:
        return await self.interactions.post(request, account)

    def check_guild(self, request: web.Request) -> None:
        if request.match_info["guild"] != self.parts.identity.guild_id:
            raise unknown("Guild")

    def check_channel(self, request: web.Request, account: Account) -> str:
        channel_id = request.match_info["channel"]
        if not self.parts.people.channel_exists(channel_id):
            raise unknown("Channel")
        if not self.parts.people.sees(account, channel_id):
            raise missing_access()
        return channel_id

    # -- messages --------------------------------------------------------------------------------------------------

    async def list_messages(self, request: web.Request, account: Account) -> web.Response:
        """History: no nonce, no ephemeral message; newest first."""
        channel_id = self.check_channel(request, account)
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
        return json_response([self.shown(message) for message in page])

    async def get_message(self, request: web.Request, account: Account) -> web.Response:
        return json_response(self.shown(self.find_message(request, account)))

    def find_message(self, request: web.Request, account: Account) -> Message:
        channel_id = self.check_channel(request, account)
        message = self.parts.channels.get(channel_id, request.match_info["message"])
        if message is None:
            raise unknown("Message")
        return message

    def shown(self, message: Message) -> Any:
        """The message with fresh links; `here` puts their host in."""
        return self.parts.renderer.message(message, metadata=not self.parts.settings.drop_metadata)

    async def post_message(self, request: web.Request, account: Account) -> web.Response:
        channel_id = self.check_channel(request, account)
        body = await read_body(request)
        nonce = None if body.get("nonce") is None else str(body["nonce"])
        content = body.get("content") or ""
        if not isinstance(content, str) or len(content) > CONTENT_LENGTH_MAX:
            raise invalid_form("content", code="BASE_TYPE_MAX_LENGTH", message="Must be 2000 or fewer in length.")
        if nonce is not None and len(nonce) > NONCE_LENGTH_MAX:
            raise invalid_form("nonce", code="BASE_TYPE_BAD_LENGTH", message="Must be 25 or fewer in length.")
        said = self.said.get((account.id, nonce or ""))
        if nonce and body.get("enforce_nonce") and said is not None and said[0] > time.time() - NONCE_KEPT_S:
            return json_response(self.shown(said[1]) | {"nonce": nonce})
        parts = self.parts
        message = Message(parts.snowflakes.next(), channel_id, account.id, time.time(), content)
        message.attachments = self.attachments_of(body, channel_id)
        message.embeds = body["embeds"] if account.bot and isinstance(body.get("embeds"), list) else []
        if not content and not message.attachments and not message.embeds:
            raise Refusal(400, 50006, "Cannot send an empty message")
        with parts.store:
            parts.channels.keep(message)
            shown = self.shown(message)
            viewers = [viewer.id for viewer in parts.people.viewers(channel_id)]
            data = shown | {"guild_id": parts.identity.guild_id}
            parts.hub.publish("MESSAGE_CREATE", data, viewers, owner=account.id, nonce=nonce)
        if nonce:
            self.said = {key: old for key, old in self.said.items() if old[0] > time.time() - NONCE_KEPT_S}
            self.said[account.id, nonce] = (time.time(), message)
        return json_response(shown | ({"nonce": nonce} if nonce else {}))

    def attachments_of(self, body: dict[str, Any], channel_id: str) -> list[Attachment]:
        """Attachments of a message from files that were uploaded before, by their `uploaded_filename`."""
        listed = body.get("attachments") or []
        if not isinstance(listed, list) or not all(isinstance(given, dict) for given in listed):
            raise invalid_form("attachments", code="LIST_TYPE_CONVERT", message="Only iterables may be used in a list")
        kept = []
        for given in listed:
            key, _, filename = str(given.get("uploaded_filename", "")).partition("/")
            data = self.parts.shelf.upload(key)
            if data is None:
                raise invalid_form("attachments", code="ATTACHMENT_NOT_FOUND", message="No such upload")
            kept.append(
                Attachment(key, channel_id, str(given.get("filename") or filename), media_type(filename), len(data))
            )
            self.parts.shelf.keep(kept[-1])
        return kept

    async def delete_message(self, request: web.Request, account: Account) -> web.Response:
        message = self.find_message(request, account)
        if message.author_id != account.id:
            raise Refusal(403, 50013, "Missing Permissions")
        parts = self.parts
        data = {"id": message.id, "channel_id": message.channel_id, "guild_id": parts.identity.guild_id}
        with parts.store:
            parts.channels.remove(message)
            parts.hub.publish("MESSAGE_DELETE", data, [v.id for v in parts.people.viewers(message.channel_id)])
        return web.Response(status=204)

    async def put_reaction(self, request: web.Request, account: Account) -> web.Response:
        """✉️ on a result asks the drawing bot for its seed."""
        message = self.find_message(request, account)
        if request.match_info["emoji"].startswith(ENVELOPE):
            self.interactions.bot.tell_seed(message, account)
        return web.Response(status=204)

    async def post_ack(self, request: web.Request, account: Account) -> web.Response:
        self.find_message(request, account)
        return json_response({"token": None})

    # -- uploads ---------------------------------------------------------------------------------------------------

    async def post_attachments(self, request: web.Request, account: Account) -> web.Response:
        """Places to PUT files to: {attachments: [{id, upload_url, upload_filename}]}."""
        self.check_channel(request, account)
        files = (await read_body(request)).get("files")
        if not isinstance(files, list) or not 1 <= len(files) <= 10 or not all(isinstance(f, dict) for f in files):
            raise invalid_form("files", code="BASE_TYPE_BAD_LENGTH", message="Must be between 1 and 10 in length.")
        places = []
        for number, file in enumerate(files):
            size = file.get("file_size")
            if not isinstance(size, int) or size > UPLOAD_BYTES_MAX:
                raise Refusal(400, 40005, "Request entity too large")
            key, name = self.parts.snowflakes.next(), str(file.get("filename", "file")).replace("/", "_")
            path = f"/upload/{key}"
            url = self.parts.signer.sign(path, time.time())
            places.append({"id": file.get("id", number), "upload_url": url, "upload_filename": f"{key}/{name}"})
        return json_response({"attachments": places})

    # -- a bot's own commands (Limner's /draw) -----------------------------------------------------------------------

    async def put_commands(self, request: web.Request, account: Account) -> web.Response:
        """Bulk overwrite: answered with what was sent, ids and versions added."""
        if request.match_info["application"] != account.id:
            raise missing_access()
        try:
            commands = msgspec.json.decode(await request.read(), type=list[dict[str, Any]])
        except msgspec.DecodeError:
            raise Refusal(400, 50109, "The request body contains invalid JSON.") from None
        numbers = {"application_id": account.id, "default_member_permissions": None}
        return json_response(
            [{"type": 1, **c, **numbers, "id": self.parts.snowflakes.next(), "version": "1"} for c in commands]
        )

    async def nowhere(self, request: web.Request, account: Account) -> web.Response:
        raise not_found()


def number_in(request: web.Request, name: str, default: int | None = None) -> int | None:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise invalid_form(name, code="NUMBER_TYPE_COERCE", message=f'Value "{text[:30]}" is not int.')
    return int(text)


def application_object(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "type": None,
        "flags": APPLICATION_FLAGS,
        "flags_new": str(APPLICATION_FLAGS),
        "team": None,
        "hook": True,
        "owner": user_object(account),
        "bot": user_object(account),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "redirect_uris": [],
        "tags": [],
    }
