"""Motifs: the things a prompt can name, each a small drawing. All take the easel, dice, a palette and a place."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageFilter

from sim.easel import Easel, Point, curve, ellipse, height_at, placed
from sim.palette import Color, Palette, mix, rgb

WHITE: Color = (250, 246, 240)
INK: Color = (28, 24, 32)


def fox(easel: Easel, rng: random.Random, palette: Palette, at: Point, scale: float) -> None:
    """A fox that sits and looks about; `at` is where it sits, `scale` its height."""
    mirrored = rng.random() < 0.5
    coat = mix((214, 94, 40), rgb(palette.sky[-1]), 0.38 if palette.night else 0.1)
    shade, light = mix(coat, INK, 0.32), mix(WHITE, rgb(palette.sky[-1]), 0.25)

    def put(color: Color, points: Sequence[Point]) -> None:
        easel.shape(color, placed(points, at, scale, mirrored))

    easel.shape(mix(rgb(palette.near), INK, 0.35), ellipse((at[0], at[1]), scale * 0.52, scale * 0.045), strength=0.45)
    tail = [(0.1, 0.02), (0.36, 0.0), (0.6, 0.1), (0.68, 0.3), (0.58, 0.47), (0.5, 0.42), (0.47, 0.26), (0.28, 0.2)]
    put(shade, curve(tail))
    put(light, curve([(0.68, 0.3), (0.58, 0.47), (0.5, 0.42), (0.535, 0.35), (0.6, 0.34)]))
    back = [
        (-0.2, 0.0),
        (-0.19, 0.3),
        (-0.14, 0.55),
        (-0.02, 0.66),
        (0.1, 0.58),
        (0.22, 0.36),
        (0.28, 0.14),
        (0.22, 0.0),
    ]
    put(coat, curve(back))
    put(shade, curve([(0.06, 0.0), (0.05, 0.16), (0.14, 0.27), (0.25, 0.2), (0.25, 0.03)]))
    put(light, curve([(-0.19, 0.24), (-0.15, 0.52), (-0.06, 0.56), (-0.03, 0.36), (-0.09, 0.2)]))
    for x in (-0.17, -0.08):
        put(mix(coat, INK, 0.15), curve([(x - 0.035, 0.3), (x + 0.04, 0.3), (x + 0.03, 0.06), (x - 0.03, 0.06)]))
        put(INK, curve([(x - 0.045, 0.0), (x - 0.03, 0.12), (x + 0.03, 0.12), (x + 0.025, 0.0)]))
    for tip, inner in ((-0.2, -0.02), (0.12, 0.0)):
        put(shade, [(tip - 0.07, 0.77), (tip + inner, 1.02), (tip + 0.1, 0.78)])
        put(INK, [(tip + inner - 0.022, 0.945), (tip + inner, 1.02), (tip + inner + 0.028, 0.94)])
    head = [(-0.3, 0.7), (-0.26, 0.8), (-0.15, 0.87), (-0.02, 0.88), (0.12, 0.83), (0.2, 0.7), (0.09, 0.6)]
    put(coat, curve([*head, (-0.06, 0.53), (-0.19, 0.55)]))
    put(light, curve([(0.19, 0.69), (0.08, 0.61), (-0.06, 0.53), (-0.12, 0.6), (-0.03, 0.66), (0.08, 0.68)]))
    put(light, curve([(-0.29, 0.7), (-0.22, 0.6), (-0.14, 0.55), (-0.14, 0.61), (-0.2, 0.67)]))
    put(INK, ellipse((-0.135, 0.575), 0.03, 0.024))
    for x in (-0.2, 0.0):
        put(INK, ellipse((x, 0.715), 0.02, 0.026))
        put(WHITE, ellipse((x - 0.006, 0.724), 0.006, 0.006))


def lighthouse(easel: Easel, rng: random.Random, palette: Palette, at: Point, scale: float) -> None:
    """A striped tower on a rock, its beam when it is dark."""
    wall = mix(WHITE, rgb(palette.sky[1]), 0.5 if palette.night else 0.2)
    stripe = mix((178, 52, 48), rgb(palette.sky[0]), 0.3 if palette.night else 0.12)
    rock = mix(rgb(palette.near), INK, 0.35)
    lamp = (at[0], at[1] - 0.9 * scale)
    side = rng.choice((-1, 1))
    beam = easel.mask([lamp, (lamp[0] + side * 1.4, lamp[1] - 0.16), (lamp[0] + side * 1.4, lamp[1] + 0.1)])
    fade = Image.linear_gradient("L").rotate(90 if side < 0 else -90).resize(beam.size)
    easel.cover(
        rgb(palette.light), ImageChops.multiply(beam, fade).filter(ImageFilter.GaussianBlur(easel.size / 90)), 0.5
    )
    cliff = [(-0.62, -0.34), (-0.5, -0.16), (-0.36, -0.1), (-0.26, 0.02), (0.0, 0.06), (0.22, 0.03), (0.34, -0.12)]
    easel.shape(rock, placed([*cliff, (0.5, -0.17), (0.62, -0.27), (0.86, -0.31), (1.0, -0.36)], at, scale, side > 0))
    sunny = [(-0.26, 0.02), (0.0, 0.06), (0.22, 0.03), (0.1, -0.04), (-0.08, -0.02), (-0.2, -0.12)]
    easel.shape(mix(rock, rgb(palette.sky[-1]), 0.22), placed(sunny, at, scale, side > 0))

    def half(y: float) -> float:
        return 0.12 - 0.05 * y

    easel.glow(lamp, 0.35 * scale + 0.1, rgb(palette.light), 0.9)
    easel.shape(wall, placed([(-half(0), 0), (-half(0.8), 0.8), (half(0.8), 0.8), (half(0), 0)], at, scale))
    for low in (0.12, 0.42):
        band = [(-half(low), low), (-half(low + 0.16), low + 0.16), (half(low + 0.16), low + 0.16), (half(low), low)]
        easel.shape(stripe, placed(band, at, scale))
    easel.shape(INK, placed([(0.02, 0), (half(0.8), 0.8), (half(0), 0)], at, scale), strength=0.22)
    easel.shape(rock, placed([(-0.13, 0.8), (-0.13, 0.83), (0.13, 0.83), (0.13, 0.8)], at, scale))
    easel.shape(rgb(palette.light), placed([(-0.06, 0.83), (-0.06, 0.95), (0.06, 0.95), (0.06, 0.83)], at, scale))
    easel.shape(stripe, placed([(-0.09, 0.95), (0, 1.06), (0.09, 0.95)], at, scale))


def boat(easel: Easel, rng: random.Random, palette: Palette, at: Point, scale: float) -> None:
    """A sailing boat, with its reflection."""
    hull, sail = mix(rgb(palette.near), INK, 0.4), mix(WHITE, rgb(palette.light), 0.5)
    mirrored = rng.random() < 0.5
    easel.shape(sail, placed([(0.02, 0.1), (0.02, 1.0), (0.42, 0.14)], at, scale, mirrored), strength=0.96)
    easel.shape(
        mix(sail, rgb(palette.bloom), 0.45), placed([(-0.03, 0.12), (-0.01, 0.9), (-0.3, 0.16)], at, scale, mirrored)
    )
    easel.shape(hull, curve(placed([(-0.42, 0.09), (0.5, 0.1), (0.36, -0.04), (-0.3, -0.04)], at, scale, mirrored)))
    easel.shape(sail, placed([(0.02, -0.08), (0.06, -0.55), (0.36, -0.08)], at, scale, mirrored), strength=0.22)


def birds(easel: Easel, rng: random.Random, palette: Palette, at: Point, scale: float) -> None:
    """A flock, far away."""
    ink = mix(rgb(palette.near), rgb(palette.sky[1]), 0.25)
    for _ in range(rng.randrange(5, 10)):
        x, y = at[0] + rng.gauss(0, scale), at[1] + rng.gauss(0, scale * 0.4)
        span, lift = scale * rng.uniform(0.1, 0.2), rng.uniform(0.3, 0.75)
        wing = [
            (-1, lift),
            (-0.5, lift * 0.8),
            (0, 0),
            (0.5, lift * 0.8),
            (1, lift),
            (0.45, lift * 0.5),
            (0, -0.18),
            (-0.45, lift * 0.5),
        ]
        easel.shape(ink, placed(wing, (x, y), span))


def conifers(easel: Easel, rng: random.Random, color: Color, line: Sequence[Point], height: float, count: int) -> None:
    """A row of firs standing on a line."""
    trees = []
    for number in range(count):
        x = (number + rng.uniform(0.1, 0.9)) / count * 1.04 - 0.02
        tall = height * rng.uniform(0.55, 1.2)
        foot = height_at(line, x) + 0.01
        half = tall * rng.uniform(0.15, 0.2)
        outline = [(x, foot - tall)]
        for tier in range(1, 6):
            y, wide = foot - tall * (1 - tier / 5.4), half * tier / 5
            outline += [(x + wide, y), (x + wide * 0.55, y - tall * 0.012)]
        left = [(2 * x - px, py) for px, py in reversed(outline[1:])]
        trees.append([*outline, (x + half * 0.12, foot), (x - half * 0.12, foot), *left])
    easel.shape(color, *trees)


def skyline(easel: Easel, rng: random.Random, palette: Palette, base: float, depth: float) -> None:
    """A row of houses; `depth` 0 is far and pale, 1 near, dark and lit."""
    color = mix(rgb(palette.far), mix(rgb(palette.near), INK, 0.3), depth)
    lit = mix(rgb(palette.light), (255, 190, 90), 0.35)
    chance = (0.5 if palette.night else 0.22) * depth
    x, towers, windows = -0.03, [], []
    while x < 1.0:
        wide = rng.uniform(0.035, 0.09) * (0.7 + depth * 0.6)
        tall = rng.uniform(0.08, 0.34) * (1.25 - depth * 0.45) * (1.5 if rng.random() < 0.12 else 1)
        top = base - tall
        towers.append([(x, base + 0.6), (x, top), (x + wide, top), (x + wide, base + 0.6)])
        if rng.random() < 0.3:
            towers.append([(x + wide * 0.42, top), (x + wide * 0.5, top - tall * 0.3), (x + wide * 0.58, top)])
        step = 0.017
        for column in range(1, int(wide / step)):
            for floor in range(1, int((1.0 - top) / step / 1.3)):
                if rng.random() < chance:
                    wx, wy = x + column * step, top + floor * step * 1.3
                    windows.append([(wx, wy), (wx, wy + 0.01), (wx + 0.007, wy + 0.01), (wx + 0.007, wy)])
        x += wide + rng.choice((0.0, 0.0, 0.01))
    mask = easel.mask(*towers)
    easel.cover(easel.wash([color, mix(color, rgb(palette.sky[-1]), 0.45)], base - 0.3, 1.0), mask)
    if windows:
        easel.cover(lit, easel.mask(*windows), 0.85)


def flower(easel: Easel, rng: random.Random, palette: Palette, at: Point, scale: float) -> None:
    """One bloom on a stem that comes from below; `at` is its heart, `scale` its radius."""
    bloom = mix(rgb(palette.bloom), rng.choice((WHITE, rgb(palette.light), rgb(palette.bloom))), rng.uniform(0, 0.55))
    green = mix(rgb(palette.near), (40, 88, 50), 0.4)
    bend = rng.uniform(-0.08, 0.08)
    right, left = [], []
    for step in range(13):
        t = step / 12
        x, y = at[0] + bend * t * t, at[1] + (1.05 - at[1]) * t
        half = scale * (0.045 + 0.03 * t)
        right.append((x + half, y))
        left.append((x - half, y))
    easel.shape(green, [*right, *reversed(left)])
    leaf = (at[0] + bend * 0.3, at[1] + (1.05 - at[1]) * 0.55)
    side = rng.choice((-1, 1))
    easel.shape(
        mix(green, WHITE, 0.12),
        ellipse((leaf[0] + side * scale * 0.5, leaf[1]), scale * 0.6, scale * 0.13, -side * 0.6),
    )
    petals, turn, squash = rng.randrange(6, 10), rng.uniform(0, 1), rng.uniform(0.7, 0.95)
    for ring, (reach, tint) in enumerate(((1.0, 0.0), (0.66, 0.28))):
        for number in range(petals):
            angle = math.tau * (number + turn + ring / 2) / petals
            x, y = at[0] + math.cos(angle) * scale * 0.5 * reach, at[1] + math.sin(angle) * scale * 0.5 * reach * squash
            shade = mix(mix(bloom, WHITE, tint), INK, 0.1 + 0.13 * math.sin(angle))
            easel.shape(
                shade, ellipse((x, y), scale * 0.55 * reach, scale * 0.24 * reach, math.atan2(y - at[1], x - at[0]))
            )
    heart = mix(rgb(palette.light), (226, 160, 50), 0.6)
    easel.shape(mix(heart, INK, 0.3), ellipse(at, scale * 0.24, scale * 0.24 * squash))
    easel.shape(heart, ellipse((at[0] - scale * 0.03, at[1] - scale * 0.04), scale * 0.17, scale * 0.16 * squash))


def stars(easel: Easel, rng: random.Random, down_to: float) -> None:
    for _ in range(110):
        x, y, size = rng.random(), rng.random() ** 1.4 * down_to, rng.choice((0.0011, 0.0014, 0.0018, 0.0028))
        easel.shape((255, 250, 235), ellipse((x, y), size, size, points=8), strength=rng.uniform(0.35, 1.0))


def snowfall(easel: Easel, rng: random.Random) -> None:
    """Flakes, the near ones large and blurred."""
    for count, size, strength, blur in ((90, 0.0022, 0.75, 0.0), (34, 0.005, 0.6, 0.0016), (9, 0.011, 0.38, 0.004)):
        flakes = [
            ellipse((rng.random(), rng.random()), size * rng.uniform(0.6, 1.2), size, points=12) for _ in range(count)
        ]
        mask = easel.mask(*flakes)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * easel.size))
        easel.cover(WHITE, mask, strength)
