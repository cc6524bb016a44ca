"""REST: the routes of who and where: users, guilds, applications; and of uploads (RF in facts/discord.md)."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from sim.applications import Applications
from sim.cdn import UPLOAD_BYTES_MAX
from sim.commands import CommandBook
from sim.compose import map_of, read_request
from sim.errors import Refusal, invalid_form, json_response, not_found, unauthorized, unknown
from sim.faults import STARTS_S
from sim.gateway import Gateway
from sim.identity import DRAWING_BOT, DRAWING_BOT_ID, Account, user_object
from sim.parts import Parts
from sim.routes import Route, channel_in, found, number_in
from sim.welcome import APPLICATION_FLAGS, Greeter, everyone_role, member_object

UPLOADS_MAX = 10  # of one request
MEMBERS_LIMIT_MAX = 1000
DAY_S = 86_400.0


class Rest:
    """Everything that is neither a message nor an interaction."""

    def __init__(
        self, parts: Parts, greeter: Greeter, gateway: Gateway, book: CommandBook, applications: Applications
    ) -> None:
        self.parts = parts
        self.greeter = greeter
        self.gateway = gateway
        self.book = book
        self.applications = applications

    def routes(self) -> list[Route]:
        guild = "/guilds/{guild}"
        return [
            Route("GET", "/gateway/bot", "gateway.bot", self.get_gateway_bot),
            Route("GET", "/users/@me", "me", self.get_me),
            Route("GET", "/users/@me/guilds", "guilds", self.get_guilds),
            Route("GET", "/users/{user}", "users", self.get_user),
            Route("GET", "/oauth2/applications/@me", "application", self.get_application),
            Route("GET", "/applications/@me", "application", self.get_application),
            Route("GET", guild, "guild", self.get_guild),
            Route("GET", f"{guild}/channels", "guild.channels", self.get_guild_channels),
            Route("GET", f"{guild}/roles", "guild.roles", self.get_roles),
            Route("GET", f"{guild}/members", "guild.members", self.get_members),
            Route("GET", f"{guild}/members/{{user}}", "guild.member", self.get_member),
            Route("GET", f"{guild}/application-command-index", "command-index", self.get_command_index),
            Route("POST", "/channels/{channel}/attachments", "attachments", self.post_attachments),
        ]

    def last_route(self) -> Route:
        """What is asked at any other address; after all others."""
        return Route("*", "/{rest:.*}", "nowhere", self.nowhere)

    # -- who and where ---------------------------------------------------------------------------------------------

    async def get_gateway_bot(self, request: web.Request, account: Account) -> web.Response:
        remaining, reset_after_s = self.gateway.gates.remaining(account, time.time()), DAY_S
        spent = self.parts.faults.find("no_starts_left", account)
        if spent is not None:
            remaining, reset_after_s = 0, STARTS_S if spent.seconds is None else spent.seconds
        reset_after = int(reset_after_s * 1000)
        limit = {"total": 1000, "remaining": remaining, "reset_after": reset_after, "max_concurrency": 1}
        url = self.greeter.bases(request).gateway
        return json_response({"url": url, "shards": 1, "session_start_limit": limit})

    async def get_me(self, request: web.Request, account: Account) -> web.Response:
        return json_response(user_object(account) | {"verified": True, "mfa_enabled": False, "locale": "en-US"})

    async def get_application(self, request: web.Request, account: Account) -> web.Response:
        if not account.bot:
            raise unauthorized()
        owner = next(iter(self.parts.identity.accounts), account)
        return json_response(application_object(account, owner))

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
        index = self.book.index()
        shown, commands = self.applications.index()
        index["applications"] += shown
        index["application_commands"] += commands
        return json_response(index)

    async def get_user(self, request: web.Request, account: Account) -> web.Response:
        user_id = request.match_info["user"]
        user = DRAWING_BOT if user_id == DRAWING_BOT_ID else self.parts.people.by_id.get(user_id)
        return json_response(user_object(found(user, unknown("User"))))

    async def get_roles(self, request: web.Request, account: Account) -> web.Response:
        self.check_guild(request)
        return json_response([everyone_role(self.parts.identity.guild_id)])

    async def get_members(self, request: web.Request, account: Account) -> web.Response:
        """In order of their ids, after `after`."""
        self.check_guild(request)
        limit, after = number_in(request, "limit", 1), number_in(request, "after", 0)
        if limit is None or after is None or not 1 <= limit <= MEMBERS_LIMIT_MAX:
            raise invalid_form("limit", code="NUMBER_TYPE_MAX", message="int value should be between 1 and 1000.")
        everyone = sorted([*self.parts.people.by_id.values(), DRAWING_BOT], key=lambda one: int(one.id))
        return json_response([member_object(one) for one in everyone if int(one.id) > after][:limit])

    async def get_member(self, request: web.Request, account: Account) -> web.Response:
        self.check_guild(request)
        user_id = request.match_info["user"]
        user = DRAWING_BOT if user_id == DRAWING_BOT_ID else self.parts.people.by_id.get(user_id)
        return json_response(member_object(found(user, unknown("Member"))))

    def check_guild(self, request: web.Request) -> None:
        if request.match_info["guild"] != self.parts.identity.guild_id:
            raise unknown("Guild")

    # -- uploads ---------------------------------------------------------------------------------------------------

    async def post_attachments(self, request: web.Request, account: Account) -> web.Response:
        """Places to PUT files to: {attachments: [{id, upload_url, upload_filename}]}."""
        channel_in(request, self.parts.people, account)
        body, _ = await read_request(request)
        files = map_of(body).get("files")
        if (
            not isinstance(files, list)
            or not 1 <= len(files) <= UPLOADS_MAX
            or not all(isinstance(f, dict) for f in files)
        ):
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

    async def nowhere(self, request: web.Request, account: Account) -> web.Response:
        raise not_found()


def application_object(account: Account, owner: Account) -> dict[str, Any]:
    """An application object with every field that strict parsers ask for."""
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
        "owner": user_object(owner),
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
