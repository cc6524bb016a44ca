"""REST bodies hold to Discord's own schemas, on every route, and so do the objects within gateway events."""

from __future__ import annotations

from typing import Any

import pytest

from sim.app import PREFIXES, Simulator
from sim.parts import Options
from tests.sim.oracle import PREFIX, check, judge, operation, witnessed
from tests.sim.player import Player, World, play
from tests.sim.shop import COMMANDS, Shop, served

# What users' own clients call is in no schema of Discord's; observed (facts: the drawing bot's wire).
UNDOCUMENTED = {
    ("POST", "/interactions"),
    ("POST", "/channels/{channel}/attachments"),
    ("POST", "/channels/{channel}/messages/{message}/ack"),
    ("GET", "/guilds/{guild}/application-command-index"),
}
BUTTON = {"type": 1, "components": [{"type": 2, "style": 1, "label": "B", "custom_id": "b"}]}
MEDIA = {"media": {"url": "attachment://in.png"}}
LAYOUT = {
    "type": 17,
    "components": [
        {"type": 10, "content": "# Title"},
        {"type": 14},
        {"type": 9, "components": [{"type": 10, "content": "a"}], "accessory": {"type": 11} | MEDIA},
        {"type": 12, "items": [MEDIA]},
        {"type": 13, "file": MEDIA["media"]},
        {"type": 1, "components": [{"type": 3, "custom_id": "s", "options": [{"label": "A", "value": "a"}]}]},
    ],
}
EMBED = {
    "title": "t",
    "description": "d",
    "url": "https://example.com",
    "color": 1,
    "timestamp": "2026-01-01T00:00:00.000Z",
    "footer": {"text": "f"},
    "author": {"name": "a"},
    "fields": [{"name": "n", "value": "v", "inline": True}],
    "image": {"url": "attachment://in.png"},
}


def routes() -> set[tuple[str, str]]:
    """Every REST route of the simulator, without the prefixes under which it is served."""
    app = Simulator(Options()).application()
    found = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.method not in ("*", "HEAD") and route.resource is not None
    }
    return {(method, PREFIX.sub("", path)) for method, path in found if path.startswith(PREFIXES[-1] + "/")}


def test_every_route_is_in_the_schema_or_known_to_be_in_none() -> None:
    unknown = {
        (method, path) for method, path in routes() if operation(method, path.replace("{", "").replace("}", "")) is None
    }
    assert unknown == UNDOCUMENTED


# -- a walk along every route ------------------------------------------------------------------------------------------


async def walk(shop: Shop) -> None:
    """Ask for everything that there is, successfully."""
    for look in (look_around, write_messages, keep_commands, answer_interactions):
        await look(shop)


async def look_around(shop: Shop) -> None:
    where, user = shop.world.where, shop.user.ready["user"]["id"]
    guild, channel = f"/guilds/{where['guild_id']}", f"/channels/{where['channel_id']}"
    for path in ("/gateway", "/gateway/bot", "/users/@me", "/users/@me/guilds", f"/users/{user}", channel, guild):
        await done(shop.bot, "GET", path)
    for path in ("/oauth2/applications/@me", "/applications/@me", f"{guild}/channels", f"{guild}/roles"):
        await done(shop.bot, "GET", path)
    await done(shop.bot, "GET", f"{guild}/members?limit=10")
    await done(shop.bot, "GET", f"{guild}/members/{user}")
    await done(shop.user, "GET", f"{guild}/application-command-index")
    direct = await done(shop.bot, "POST", "/users/@me/channels", {"recipient_id": user})
    await done(shop.bot, "GET", f"/channels/{direct['id']}")
    await done(shop.bot, "POST", f"/channels/{direct['id']}/messages", {"content": f"for you, <@{user}>"})


async def write_messages(shop: Shop) -> None:
    channel = f"/channels/{shop.world.where['channel_id']}"
    place = await done(shop.bot, "POST", f"{channel}/attachments", {"files": [{"filename": "in.png", "file_size": 5}]})
    upload = place["attachments"][0]
    async with shop.world.http.put(upload["upload_url"], data=b"bytes") as answer:
        assert answer.status == 200
    given = {"id": "0", "filename": "in.png", "uploaded_filename": upload["upload_filename"], "description": "bytes"}
    body = {"content": "said", "attachments": [given], "embeds": [EMBED], "components": [BUTTON], "nonce": "n"}
    said = await done(shop.bot, "POST", f"{channel}/messages", body)
    one = f"{channel}/messages/{said['id']}"
    body = {"flags": 1 << 15, "components": [LAYOUT], "attachments": [given]}
    await done(shop.bot, "POST", f"{channel}/messages", body)
    reply = {"content": "and more", "message_reference": {"message_id": said["id"]}}
    await done(shop.bot, "POST", f"{channel}/messages", reply)
    await done(shop.bot, "POST", f"{channel}/typing")
    await done(shop.bot, "PUT", f"{one}/reactions/%F0%9F%91%8D/@me")
    await done(shop.bot, "GET", f"{channel}/messages")
    await done(shop.bot, "DELETE", f"{one}/reactions/%F0%9F%91%8D/@me")
    await done(shop.user, "POST", f"{one}/ack", {"token": None})
    await done(shop.bot, "PATCH", one, {"content": "said better", "attachments": []})
    await done(shop.bot, "GET", one)
    await done(shop.bot, "DELETE", one)


async def keep_commands(shop: Shop) -> None:
    application = f"/applications/{shop.id}"
    for base in (f"{application}/guilds/{shop.world.where['guild_id']}/commands", f"{application}/commands"):
        await done(shop.bot, "PUT", base, COMMANDS)
        made = await done(shop.bot, "POST", base, {"name": "quote", "type": 3})
        await done(shop.bot, "GET", base)
        await done(shop.bot, "GET", f"{base}/{made['id']}")
        await done(shop.bot, "PATCH", f"{base}/{made['id']}", {"name": "Quote it"})
        await done(shop.bot, "DELETE", f"{base}/{made['id']}")
    shop.commands = await done(shop.bot, "PUT", f"{application}/commands", COMMANDS)


async def answer_interactions(shop: Shop) -> None:
    for kind, with_response in ((4, "true"), (5, "true"), (4, "false")):
        asked = await shop.use("ping")
        path = f"/interactions/{asked['id']}/{asked['token']}/callback?with_response={with_response}"
        data = {"content": "pong", "embeds": [EMBED], "components": [BUTTON]}
        await done(shop.bot, "POST", path, {"type": kind, "data": data if kind == 4 else {}})
    webhook = f"/webhooks/{shop.id}/{asked['token']}"
    await done(shop.bot, "GET", f"{webhook}/messages/@original")
    await done(shop.bot, "PATCH", f"{webhook}/messages/@original", {"content": "pong pong"})
    more = await done(shop.bot, "POST", webhook, {"content": "more", "flags": 64})
    for method in ("GET", "DELETE"):
        await done(shop.bot, method, f"{webhook}/messages/{more['id']}")
    await done(shop.bot, "DELETE", f"{webhook}/messages/@original")


async def done(who: Player, method: str, path: str, body: Any = None) -> Any:
    status, answer = await who.call(method, path, body)
    assert status in (200, 201, 204), (method, path, answer)
    return answer


def test_every_route_is_walked_and_every_answer_is_valid() -> None:
    with witnessed() as witness:
        served(walk)
    succeeded = {route for route, statuses in witness.seen.items() if any(status < 300 for status in statuses)}
    assert routes() - succeeded == set()


# -- refusals ----------------------------------------------------------------------------------------------------------


async def be_refused(shop: Shop) -> None:
    """Every status with which Discord refuses."""
    channel = f"/channels/{shop.world.where['channel_id']}"
    other = shop.world.where["accounts"][1]["channel_id"]
    for who, method, path, body, status in (
        (shop.bot, "POST", f"{channel}/messages", {"content": "x" * 2001}, 400),
        (shop.bot, "POST", f"{channel}/messages", {}, 400),
        (shop.bot, "PUT", f"/applications/{shop.id}/commands", [{"name": "No Such Name", "description": "d"}], 400),
        (shop.user, "POST", "/interactions", {"type": 2}, 404),
        (shop.user, "GET", "/oauth2/applications/@me", None, 401),
        (shop.user, "GET", f"/channels/{other}/messages", None, 403),
        (shop.bot, "GET", "/applications/1/commands", None, 403),
        (shop.bot, "GET", "/channels/1", None, 404),
        (shop.bot, "GET", f"{channel}/messages/1", None, 404),
        (shop.bot, "GET", "/guilds/1", None, 404),
        (shop.bot, "GET", "/nowhere", None, 404),
        (shop.bot, "PATCH", f"/webhooks/{shop.id}/made-up/messages/@original", {"content": "x"}, 401),
        (shop.bot, "POST", "/interactions/1/made-up/callback", {"type": 4}, 404),
    ):
        assert (await who.call(method, path, body))[0] == status, (method, path)
    async with shop.world.http.get(shop.world.where["api"] + "/users/@me") as answer:
        assert answer.status == 401
    for fault in ("r429_user", "r429_shared", "r429_global"):
        await shop.world.sim("faults", {"fault": fault})
        assert (await shop.bot.call("GET", channel))[0] == 429


def test_refusals_are_valid() -> None:
    with witnessed() as witness:
        served(be_refused)
    assert witness.statuses() >= {400, 401, 403, 404, 429}


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (418, b"{}"), (404, b'{"message": "no code"}'), (204, b""), (429, b'{"message": "m"}')],
)
def test_the_oracle_finds_what_is_wrong(status: int, body: bytes) -> None:
    assert judge("GET", "/users/@me", status, body) != []


# -- what the drawing bot says, and what comes by the gateway ----------------------------------------------------------


def test_messages_of_every_kind_are_valid() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.press(await player.drawing("p"), "MJ::JOB::upsample::1")
            await player.final()
            for command in ("shorten", "info", "settings"):
                await player.command(command, **({"prompt": "a small fox"} if command == "shorten" else {}))
                await player.event("MESSAGE_UPDATE", flags=0)
            await world.sim("config", {"no_delete": True})
            await player.drawing("kept")
            _, history = await player.call("GET", f"/channels/{player.account['channel_id']}/messages")
            assert len(history) == 7

    with witnessed():
        play(scenario)


def test_objects_within_events_are_valid() -> None:
    async def scenario(shop: Shop) -> None:
        async with shop.world.connection(1) as newcomer:
            await newcomer.identify()
            check("UserResponse", newcomer.ready["user"])
            guild = await newcomer.event("GUILD_CREATE")
            check("GuildResponse", guild)
            for name, field in (("GuildMemberResponse", "members"), ("GuildChannelResponse", "channels")):
                assert guild[field]
                for one in guild[field]:
                    check(name, one)
        asked = await shop.use("ping")
        check("GuildMemberResponse", asked["member"])
        check("GuildChannelResponse", asked["channel"])
        await shop.answer(asked, 4, {"content": "pong", "components": [BUTTON], "embeds": [EMBED]})
        message = await shop.bot.event("MESSAGE_CREATE", content="pong")
        check("MessageResponse", message)
        place = {"application_id": shop.id, "channel_id": message["channel_id"], "message_id": message["id"]}
        await shop.user.interact({"type": 3, "data": {"component_type": 2, "custom_id": "b"}} | place)
        pressed = await shop.bot.event("INTERACTION_CREATE")
        check("MessageResponse", pressed["message"])
        await shop.answer(pressed, 7, {"content": "pressed"})
        check("MessageResponse", await shop.bot.event("MESSAGE_UPDATE", id=message["id"]))

    served(scenario)
