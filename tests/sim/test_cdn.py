"""Links are signed and expire; nothing else opens a picture."""

from __future__ import annotations

import asyncio
import io
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sim.cdn import LINK_TTL_S, Signer
from sim.studio import Recipe, Studio, with_texts
from tests.sim.player import World, play


def query_of(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_a_link_holds_until_it_expires_and_only_for_its_path() -> None:
    signer = Signer("00" * 32)
    query = query_of(signer.sign("/attachments/1/2/x.png", now=1000.0))
    assert signer.holds("/attachments/1/2/x.png", query, now=999.0 + LINK_TTL_S)
    assert not signer.holds("/attachments/1/2/x.png", query, now=1001.0 + LINK_TTL_S)
    assert not signer.holds("/attachments/1/3/x.png", query, now=1000.0)
    assert not Signer("01" * 32).holds("/attachments/1/2/x.png", query, now=1000.0)


@given(st.dictionaries(st.sampled_from(["ex", "is", "hm", "other"]), st.text(max_size=80)))
def test_no_made_up_query_holds(query: dict[str, str]) -> None:
    assert not Signer("00" * 32).holds("/attachments/1/2/x.png", query, now=0.0)


@pytest.mark.parametrize("forge", ["?", "?ex=7fffffff&is=0&hm=00&", "{query}0", "later"])
def test_a_forged_link_is_404(forge: str) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            url = (await player.drawing("p"))["attachments"][0]["url"]
            base, _, query = url.partition("?")
            longer = (
                url.replace("ex=", "ex=f") if forge == "later" else base + forge.format(query=f"?{query}".rstrip("&"))
            )
            assert (await player.fetch(url))[0] == 200
            assert (await player.fetch(longer))[0] == 404
            headers = {"Authorization": player.account["token"]}
            async with world.http.get(base, headers=headers) as answer:
                assert answer.status == 404

    play(scenario)


def test_a_message_asked_for_again_has_a_fresh_link() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            final = await player.drawing("p")
            _, again = await player.call("GET", f"/channels/{final['channel_id']}/messages/{final['id']}")
            assert again["attachments"][0]["url"].startswith(world.where["cdn"])
            assert (await player.fetch(again["attachments"][0]["url"]))[0] == 200

    play(scenario)


def test_previews_are_webp_of_the_size_that_was_told() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.imagine("p")
            while not (update := await player.event("MESSAGE_UPDATE"))["attachments"]:
                pass
            attachment = update["attachments"][0]
            status, body = await player.fetch(attachment["url"])
            assert (status, len(body)) == (200, attachment["size"])
            with Image.open(io.BytesIO(body)) as image:
                assert (image.format, image.size) == ("WEBP", (attachment["width"], attachment["height"]))

    play(scenario, pictures="painted")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
def test_texts_survive_in_the_png(prompt: str) -> None:
    sink = io.BytesIO()
    Image.new("RGB", (2, 2)).save(sink, "PNG")
    with Image.open(io.BytesIO(with_texts(sink.getvalue(), {"limner:prompt": prompt}))) as image:
        image.load()
        assert image.text == {"limner:prompt": prompt}  # type: ignore[attr-defined]


def test_a_canned_picture_is_small_and_carries_its_texts() -> None:
    picture = asyncio.run(Studio(canned=True).picture(Recipe("p", "n", "s")))
    assert len(picture.data) < 20_000
    with Image.open(io.BytesIO(picture.data)) as image:
        image.load()
        assert image.text == {"limner:prompt": "p", "limner:nonce": "n"}  # type: ignore[attr-defined]
