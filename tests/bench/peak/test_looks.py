"""What a picture says of itself."""

from __future__ import annotations

import asyncio

import pytest

from bench.peak.looks import texts_of
from sim.studio import Recipe, Studio


async def picture_of(prompt: str) -> bytes:
    studio = Studio(canned=True)
    try:
        return (await studio.picture(Recipe(prompt, "n1", "seed"))).data
    finally:
        studio.close()


@pytest.mark.parametrize("prompt", ["a red fox, number 7 --fast", "ein Fuchs im Schnee, größer", "雪の中の狐"])
def test_a_picture_of_the_simulator_tells_its_prompt_and_nonce(prompt):
    assert dict(texts_of(asyncio.run(picture_of(prompt)))) == {"limner:prompt": prompt, "limner:nonce": "n1"}


def test_what_is_no_picture_tells_nothing():
    assert dict(texts_of(b"")) == {}
    assert dict(texts_of(b"<html>404</html>")) == {}
