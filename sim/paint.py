"""Paint: first sketch."""

from __future__ import annotations

import random

from PIL import Image


def paint_tile(prompt: str, seed: str, twist: str, tile: int, size: int) -> Image.Image:
    rng = random.Random(f"{seed}\0{tile}\0{twist}")
    small = Image.new("RGB", (4, 4))
    small.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(16)])
    return small.resize((size, size), Image.Resampling.BICUBIC)


def paint_single(prompt: str, seed: str, twist: str, tile: int, size: int) -> Image.Image:
    return paint_tile(prompt, seed, twist, tile, size)


def paint_grid(prompt: str, seed: str, twist: str, size: int) -> Image.Image:
    grid = Image.new("RGB", (size, size))
    half = size // 2
    for tile in range(1, 5):
        place = ((tile - 1) % 2 * half, (tile - 1) // 2 * half)
        grid.paste(paint_tile(prompt, seed, twist, tile, half), place)
    return grid
