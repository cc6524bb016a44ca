"""The links do one thing at a time, say what is known of a failure, and let no token out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from protocol import rest
from system.discord_links import DiscordLinks
from system.links import LinkBroken, TooLarge, WireClosed

TOKEN = {"Authorization": "secret-token"}


@asynccontextmanager
async def site(answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A web server on loopback; its base URL."""
    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def links_to(api: str) -> AsyncIterator[DiscordLinks]:
    links = DiscordLinks(api)
    try:
        yield links
    finally:
        await links.close()


def test_a_request_goes_below_the_api_with_its_token_and_the_whole_answer_comes_back() -> None:
    async def scene() -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            assert request.headers["Authorization"] == "secret-token"
            assert (request.method, request.path, await request.json()) == ("POST", "/api/v10/interactions", {"a": 1})
            return web.Response(status=429, text="later", headers={"Retry-After": "3"})

        async with site(answer) as url, links_to(f"{url}/api/v10/") as links:
            found = await links.request(rest.post_interaction({"a": 1}), TOKEN)
            assert (found.status, found.headers["retry-after"], found.body) == (429, "3", b"later")

    asyncio.run(scene())


def test_an_upload_slot_never_sees_the_token() -> None:
    async def scene() -> None:
        seen: list[bool] = []

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            seen.append("Authorization" in request.headers)
            return web.Response()

        async with site(answer) as url, links_to("http://127.0.0.1:9/api") as links:
            assert await links.put(f"{url}/slot", b"data", "image/png") == 200
            assert seen == [False]

    asyncio.run(scene())


def test_a_refused_connection_has_surely_sent_nothing_and_a_cut_one_may_have() -> None:
    async def scene() -> None:
        async def cut(request: web.BaseRequest) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        async with links_to("http://127.0.0.1:9/api") as links:
            with pytest.raises(LinkBroken) as refused:
                await links.request(rest.get_me(), TOKEN)
            assert refused.value.sent is False
        async with site(cut) as url, links_to(url) as links:
            with pytest.raises(LinkBroken) as lost:
                await links.request(rest.post_interaction({}), TOKEN)
            assert lost.value.sent is None
            assert "secret" not in str(lost.value)

    asyncio.run(scene())


def test_a_post_is_tried_once_also_on_a_connection_that_was_kept_alive() -> None:
    async def scene() -> None:
        posts: list[int] = []

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "POST":
                posts.append(1)
                assert request.transport is not None
                request.transport.abort()
            return web.Response()

        async with site(answer) as url, links_to(url) as links:
            await links.request(rest.get_me(), TOKEN)
            with pytest.raises(LinkBroken):
                await links.request(rest.post_interaction({}), TOKEN)
            assert posts == [1]

    asyncio.run(scene())


def test_a_body_that_ends_early_or_grows_too_large_is_no_picture() -> None:
    async def scene() -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            if request.path == "/short":
                response.content_length = 100
            await response.prepare(request)
            await response.write(bytes(50))
            if request.path == "/short":
                assert request.transport is not None
                request.transport.close()
            return response

        async with site(answer) as url, links_to(url) as links:
            with pytest.raises(LinkBroken):
                await links.fetch(f"{url}/short", 1000, 5.0)
            with pytest.raises(TooLarge):
                await links.fetch(f"{url}/long", 49, 5.0)
            assert len((await links.fetch(f"{url}/long", 50, 5.0)).data) == 50

    asyncio.run(scene())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]"])
def test_an_address_that_a_user_gives_does_not_lead_into_our_own_network(host: str) -> None:
    async def scene() -> None:
        async with links_to("http://127.0.0.1:9") as links:
            with pytest.raises(LinkBroken) as refused:
                await links.fetch(f"https://{host}/x.png", 1000, 5.0, public_only=True)
            assert refused.value.sent is False

    asyncio.run(scene())


def test_frames_come_in_order_large_ones_too_and_the_peers_close_code_at_the_end() -> None:
    async def scene() -> None:
        async def talk(connection: ServerConnection) -> None:
            await connection.send("x" * (3 << 20))
            await connection.send(b"two")
            await connection.close(4009)

        async with serve(talk, "127.0.0.1", 0) as server, links_to("http://127.0.0.1:9") as links:
            wire = await links.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            assert len(await wire.receive()) == 3 << 20
            assert await wire.receive() == b"two"
            with pytest.raises(WireClosed) as closed:
                await wire.receive()
            assert closed.value.code == 4009
            wire.drop()
            wire.drop()

    asyncio.run(scene())


def test_what_was_sent_before_a_close_arrives_before_it_and_a_drop_has_no_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene() -> None:
        heard: asyncio.Queue[object] = asyncio.Queue()

        async def listen(connection: ServerConnection) -> None:
            with contextlib.suppress(ConnectionClosed):
                async for frame in connection:
                    heard.put_nowait(frame)
            heard.put_nowait(connection.close_code)

        server = serve(listen, "127.0.0.1", 0, logger=logging.Logger("server"))
        async with server as served, links_to("http://127.0.0.1:9") as links:
            url = f"ws://127.0.0.1:{served.sockets[0].getsockname()[1]}/"
            first, second = await links.connect(url), await links.connect(url)
            for number in range(20):
                first.send(f"secret-token {number}")
            first.close(4000)
            assert [await heard.get() for _ in range(21)] == [f"secret-token {n}" for n in range(20)] + [4000]
            second.drop()
            assert await heard.get() == 1006
            with pytest.raises(WireClosed) as closed:
                await second.receive()
            assert closed.value.code is None

    asyncio.run(scene())
    assert "secret-token" not in caplog.text


def test_a_gateway_that_is_not_there_is_a_broken_link() -> None:
    async def scene() -> None:
        async with links_to("http://127.0.0.1:9") as links:
            with pytest.raises(LinkBroken):
                await links.connect("ws://127.0.0.1:9/")

    asyncio.run(scene())
