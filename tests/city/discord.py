"""Discord in memory, behind `system.links.Links`: REST, CDN, gateway and the drawing bot, in whatever weather.

It outlives every process of Limner. A request that is cut off may still arrive, and is then on its way for at most
IN_FLIGHT_S_MAX; what it did is on the ledger, whoever heard of it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.ids import DISCORD_EPOCH_MS
from protocol.rest import Request
from sim import grammar
from sim.grammar import Press
from system.links import Fetched, LinkBroken, Reserve, Response, Wire
from tests.city.bot import BOT_ID, TRACES, Bot, Piece, hash_of
from tests.city.cdn import Cdn
from tests.city.clock import CityLoop
from tests.city.gateway import INVALID_TOKEN, Gateway
from tests.city.uploads import Uploads
from tests.city.weather import Weather

GUILD = "900"
REQUEST_S = (0.01, 0.15)
#: How long a request that was cut off is on its way at most; with the latest an event can be, what Limner is told.
IN_FLIGHT_S_MAX = 10.0
IN_FLIGHT_S = 15.0
ANSWER_S_MAX = 20.0
COMMAND, COMPONENT, MODAL = 2, 3, 5
MODAL_PREFIX = "MJ::OutpaintCustomZoomModal::"
COMMANDS = {"imagine": "101", "shorten": "102", "describe": "103", "blend": "104"}
NOTHING = (204, None)


@dataclass(eq=False)
class Resident:
    """A Discord account."""

    name: str
    token: str
    user_id: str
    channel: str


@dataclass(eq=False)
class Channel:
    """Its messages by id, and who sees it."""

    id: str
    residents: list[Resident] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(eq=False)
class Row:
    """One interaction that Discord took. `outcome` begins as "accepted"; `inputs`: whose pictures came with it."""

    nonce: str
    account: str
    kind: str
    prompt: str
    interaction_id: str
    outcome: str = "accepted"
    inputs: tuple[str, ...] = ()
    message_id: str | None = None


class Refusal(Exception):
    """A 4xx answer."""

    def __init__(self, status: int, code: int, message: str, errors: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message} | ({"errors": errors} if errors else {})


class Discord:
    """See the module's docstring. `on_taken(row, piece)` is called for each interaction that draws or tells."""

    def __init__(
        self,
        loop: CityLoop,
        weather: Weather,
        dice: random.Random,
        residents: list[Resident],
        note: Callable[[str], None],
        on_taken: Callable[[Row], None],
    ) -> None:
        self.loop, self.weather, self.dice, self.note, self.on_taken = loop, weather, dice, note, on_taken
        self.residents = residents
        self.by_token = {resident.token: resident for resident in residents}
        self.channels: dict[str, Channel] = {}
        for resident in residents:
            channel = self.channels.setdefault(resident.channel, Channel(resident.channel))
            channel.residents.append(resident)
        self.drops_metadata = weather.strikes("metadata_dropped")
        self.rewrites = weather.strikes("prompt_rewritten")
        self.version = 1
        self.ledger: list[Row] = []
        self._snowflakes = 0
        self.gateway = Gateway(self)
        self.cdn = Cdn(self)
        self.uploads = Uploads(self)
        self.bot = Bot(self)

    def snowflake(self) -> str:
        """A new id; its time is Discord's."""
        self._snowflakes += 1
        return str((int(self.loop.true_wall() * 1000) - DISCORD_EPOCH_MS) << 22 | self._snowflakes & 0x3FFFFF)

    def account_of(self, token: str) -> Resident | None:
        return self.by_token.get(token)

    # --- Links ---

    async def request(self, request: Request, authorization: Mapping[str, str]) -> Response:
        """One REST call, which arrives even if nobody waits for it any more."""
        resident = self.account_of(authorization["Authorization"])
        assert resident is not None, "an account shows its token"
        submits = request.route == "POST /interactions"
        answered: asyncio.Future[Response | None] = self.loop.create_future()
        strikes = self.weather.strikes
        if strikes("post_unsent"):
            await asyncio.sleep(self.dice.uniform(*REQUEST_S))
            raise LinkBroken("ClientConnectorError", False)
        slow = strikes("slow_request")
        way_s = self.dice.uniform(0.0, IN_FLIGHT_S_MAX) if slow else self.dice.uniform(*REQUEST_S)
        if not (submits and strikes("post_lost")):
            self.loop.call_later(way_s, self._arrive, resident, request, answered)
        patience = self.loop.call_later(self.dice.uniform(1.0, ANSWER_S_MAX), _answer, answered, None)
        try:
            answer = await answered
        finally:
            patience.cancel()
        if answer is None:
            raise LinkBroken("TimeoutError", None)
        return answer

    def _arrive(self, resident: Resident, request: Request, answered: asyncio.Future[Response | None]) -> None:
        strikes = self.weather.strikes
        submits = request.route == "POST /interactions"
        if strikes("rate_limited"):
            wait_s = self.dice.uniform(0.2, 3.0)
            status, body = 429, {"message": "rate limited", "retry_after": wait_s, "global": False}
        elif strikes("refused_5xx") or (not submits and strikes("read_fails")):
            status, body = 502, None
        else:
            try:
                status, body = self._serve(resident, request)
            except Refusal as refusal:
                status, body = refusal.status, refusal.body
            if submits and strikes("answer_5xx"):
                status, body = 502, None
        self.note(f"{request.route} of {resident.name}: {status}")
        if submits and strikes("answer_lost"):
            return
        data = b"" if body is None else msgspec.json.encode(body)
        self.loop.call_later(self.dice.uniform(*REQUEST_S), _answer, answered, Response(status, {}, data))

    async def fetch(
        self, url: str, limit_bytes: int, timeout_s: float, public_only: bool = False, reserve: Reserve | None = None
    ) -> Fetched:
        return await self.cdn.fetch(url)

    async def put(self, url: str, data: bytes, media_type: str) -> int:
        await asyncio.sleep(self.dice.uniform(*REQUEST_S))
        return self.uploads.put(url, data)

    async def connect(self, url: str) -> Wire:
        return await self.gateway.connect(url)

    # --- REST ---

    def _serve(self, resident: Resident, request: Request) -> tuple[int, Any]:
        if self.gateway.locked.get(resident.name) == INVALID_TOKEN:
            raise Refusal(401, 0, "401: Unauthorized")
        match request.route:
            case "GET /users/@me":
                return 200, {"id": resident.user_id, "username": resident.name}
            case "GET /guilds/{guild}/application-command-index":
                return 200, {"application_commands": [self._command(name) for name in COMMANDS]}
            case "POST /interactions":
                return self._interact(resident, request.json)
            case "POST /channels/{channel}/attachments":
                return 200, self.uploads.offer()
            case "POST /channels/{channel}/messages":
                return 200, self.uploads.post(resident, self.channels[request.major], request.json or {})
            case "GET /channels/{channel}/messages":
                return 200, self._history(request)
            case "GET /channels/{channel}/messages/{message}":
                message = self.channels[request.major].messages.get(request.path.rpartition("/")[2])
                if message is None:
                    raise Refusal(404, 10008, "Unknown Message")
                return 200, self._shown(message)
            case "PUT /channels/{channel}/messages/{message}/reactions":
                self._react(resident, request)
                return NOTHING
            case "DELETE /channels/{channel}/messages/{message}/reactions":
                self._message_of(request)["reactions"] = []
                return NOTHING
        raise Refusal(404, 0, f"404: {request.route}")

    def _message_of(self, request: Request) -> dict[str, Any]:
        """The message whose reactions a request is about."""
        message = self.channels[request.major].messages.get(request.path.split("/")[4])
        if message is None:
            raise Refusal(404, 10008, "Unknown Message")
        return message

    def _react(self, resident: Resident, request: Request) -> None:
        message = self._message_of(request)
        if not message.get("reactions"):
            message["reactions"] = [resident.user_id]
            self.bot.tell_seed(resident, message["id"])

    def _command(self, name: str) -> dict[str, str]:
        return {"id": COMMANDS[name], "version": str(self.version), "name": name, "application_id": BOT_ID}

    def _history(self, request: Request) -> list[dict[str, Any]]:
        query = dict(part.split("=") for part in request.path.partition("?")[2].split("&"))
        before = int(query.get("before", 1 << 63))
        messages = sorted(self.channels[request.major].messages.values(), key=lambda each: -int(each["id"]))
        found = [each for each in messages if int(each["id"]) < before and not each["flags"] & 64]
        return [self._shown(each) for each in found[: int(query["limit"])]]

    def _shown(self, message: dict[str, Any]) -> dict[str, Any]:
        return message | {"attachments": [self.cdn.refreshed(each) for each in message["attachments"]]}

    # --- interactions ---

    def _interact(self, resident: Resident, body: dict[str, Any]) -> tuple[int, None]:
        channel = self.channels.get(body["channel_id"])
        if channel is None or resident not in channel.residents:
            raise Refusal(403, 50001, "Missing Access")
        data, row = body["data"], Row(body["nonce"], resident.name, "", "", self.snowflake())
        metadata: dict[str, Any] = {"id": row.interaction_id, "type": body["type"], "user": {"id": resident.user_id}}
        if body["type"] == COMMAND:
            if data["version"] != str(self.version):
                stale = {"_errors": [{"code": "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION"}]}
                raise Refusal(400, 50035, "Invalid Form Body", {"data": stale})
            row.kind, told = data["name"], data["options"][0]["value"]
            if row.kind in ("imagine", "shorten"):
                row.prompt = told
                row.inputs = tuple(self.cdn.label_of(url) for url in leading_addresses(told))
            else:
                row.inputs = self.uploads.given(data["attachments"])
            self._take(resident, channel, row, metadata, Press(row.kind, ""))
        elif body["type"] == COMPONENT:
            self._press(resident, channel, row, metadata, body)
        else:
            parent = self.bot.pieces[data["custom_id"].removeprefix(MODAL_PREFIX)]
            row.kind, row.prompt = "zoom", data["components"][0]["components"][0]["value"]
            self._take(resident, channel, row, metadata, Press("zoom", parent.hash, tone="2x"))
        return NOTHING

    def _press(
        self, resident: Resident, channel: Channel, row: Row, metadata: dict[str, Any], body: dict[str, Any]
    ) -> None:
        message = channel.messages.get(body["message_id"])
        custom_id = body["data"]["custom_id"]
        if message is None:
            raise Refusal(404, 10008, "Unknown Message")
        components = msgspec.json.decode(msgspec.json.encode(message["components"]))
        if not grammar.has_button(components, custom_id):
            raise Refusal(400, 50035, "Invalid Form Body", {"data": {"custom_id": "COMPONENT_VALIDATION_FAILED"}})
        press = grammar.read_custom_id(custom_id) or Press("pick", "")
        row.kind = press.kind
        if press.kind == "cancel":
            self.ledger.append(row)
            self.bot.cancel(press.hash)
        elif press.kind == "custom_zoom":
            self.ledger.append(row)
            self._open_form(resident, row, press.hash)
        else:
            row.prompt = self.bot.pieces[press.hash].prompt
            self._take(resident, channel, row, metadata, press, reply_to=message["id"])

    def _open_form(self, resident: Resident, row: Row, hashed: str) -> None:
        made = {"id": row.interaction_id, "nonce": row.nonce}
        self.gateway.publish(resident.name, "INTERACTION_CREATE", made)
        self.gateway.publish(resident.name, "INTERACTION_SUCCESS", made)
        if self.weather.strikes("event_lost"):
            return
        line = {"type": 1, "components": [{"type": 4, "custom_id": f"{MODAL_PREFIX}prompt", "value": "more of it"}]}
        form = {"custom_id": MODAL_PREFIX + hashed, "title": "Zoom Out", "components": [line]}
        self.gateway.publish(resident.name, "INTERACTION_MODAL_CREATE", made | form)

    def _take(
        self,
        resident: Resident,
        channel: Channel,
        row: Row,
        metadata: dict[str, Any],
        press: Press,
        reply_to: str | None = None,
    ) -> None:
        self.ledger.append(row)
        self.note(f"took {row.kind} {row.nonce} of {row.account}")
        self.on_taken(row)
        self.bot.take(
            Piece(
                resident=resident,
                channel=channel,
                row=row,
                interaction=metadata,
                kind=row.kind,
                prompt=row.prompt,
                shown=grammar.shown_prompt(row.prompt, self.rewrites, self.dice),
                hash=hash_of(self.dice),
                trace=self.dice.choice(TRACES),
                index=press.index,
                tone=press.tone,
                mode=grammar.mode_of(row.prompt, "fast"),
                reply_to=reply_to,
            )
        )

    def at_the_bot(self, account: str) -> list[Row]:
        """What the bot has taken from this account and not ended."""
        return [piece.row for piece in self.bot.busy[account]]


def leading_addresses(prompt: str) -> list[str]:
    """The pictures that a prompt begins with."""
    return list(itertools.takewhile(lambda word: word.startswith("https://"), prompt.split()))


def _answer(answered: asyncio.Future[Response | None], response: Response | None) -> None:
    if not answered.done():
        answered.set_result(response)
