"""Pictures are a function of their recipe, differ where recipes differ, and are quickly made."""

from __future__ import annotations

import time

import pytest
from PIL import Image, ImageChops, ImageStat

from sim.paint import paint_grid, paint_single

PROMPTS = (
    "a red fox in snow",
    "a lighthouse at dusk",
    "city at night",
    "mountains at dawn",
    "flowers in a meadow",
    "desert dunes",
    "the sea in a storm, a boat",
    "a forest with birds",
    "the idea of music",
    "",
)


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures, 0–255, by their large forms."""
    small = [image.resize((32, 32), Image.Resampling.BOX) for image in (one, other)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_kind_of_prompt_gives_a_rich_picture(prompt: str) -> None:
    picture = paint_grid(prompt, f"{prompt} 1", "", 256)
    assert picture.size == (256, 256)
    assert max(ImageStat.Stat(picture).stddev) > 15
    assert len(picture.getcolors(1 << 24) or ()) > 2000


def test_the_same_recipe_gives_the_same_picture_and_another_nonce_another() -> None:
    one = paint_grid("a fox", "a fox 1", "", 128)
    assert one.tobytes() == paint_grid("a fox", "a fox 1", "", 128).tobytes()
    assert distance(one, paint_grid("a fox", "a fox 2", "", 128)) > 3


def test_an_upscale_is_its_tile_painted_larger() -> None:
    grid = paint_grid("mountains", "s", "", 512)
    for tile, corner in ((1, (0, 0)), (2, (256, 0)), (3, (0, 256)), (4, (256, 256))):
        small = grid.crop((*corner, corner[0] + 256, corner[1] + 256))
        assert distance(small, paint_single("mountains", "s", "", tile, 512)) < 4


def test_a_variation_is_alike_but_different() -> None:
    parent = paint_single("mountains at dusk", "s", "", 2, 256)
    varied = paint_single("mountains at dusk", "s\x002", "variation 77", 1, 256)
    stranger = paint_single("mountains at dusk", "other", "", 2, 256)
    assert 0.5 < distance(parent, varied) < distance(parent, stranger) / 2


def test_a_grid_takes_a_third_of_a_second_of_cpu_at_most() -> None:
    spent = []
    for number in range(3):
        begun = time.thread_time()
        paint_grid("a red fox in snow", str(number), "", 1024)
        spent.append(time.thread_time() - begun)
    assert min(spent) < 0.5, "0.2 s where this was written; the rest is for slower machines"
