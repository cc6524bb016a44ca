"""Paint: a prompt becomes a composition, a composition a picture.

Two dice make a tile. The first decide what it is (colours, horizon, where the sun and the things stand), the second
how it is carried out (the run of ridges, clouds, trees). A variation keeps the first, and sways the second a little.
"""

from __future__ import annotations

import random

from PIL import Image, ImageFilter

from sim import motifs
from sim.easel import Easel, Point, below, crescent, curve, ellipse, height_at, ridge, waves
from sim.palette import MOTIF_WORDS, Color, choose_palette, matches, mix, rgb, turn, words_of

WHITE: Color = (255, 255, 255)
GROUNDS = ("mountain", "sea", "forest", "city", "flower", "dunes", "shapes")
SUBTLE_SWAY, STRONG_SWAY = 0.1, 0.24
FIGURES = ("fox", "lighthouse", "boat", "bird")


class Hand(random.Random):
    """Dice whose every throw is swayed a little by other dice: what they make is alike but different."""

    def __init__(self, seed: str, other: str, sway: float) -> None:
        super().__init__(seed)
        self.other = random.Random(other)
        self.sway = sway

    def random(self) -> float:
        throw = super().random()
        if self.sway == 0.0:
            return throw
        return min(0.999_999, max(0.0, throw + self.sway * self.other.uniform(-1, 1)))


def sway_of(twist: str) -> float:
    return 0.0 if not twist else SUBTLE_SWAY if "Subtle" in twist else STRONG_SWAY


class Composition:
    """What a tile shows; from the first dice."""

    def __init__(self, prompt: str, dice: random.Random) -> None:
        words = words_of(prompt)
        named = matches(MOTIF_WORDS, words)
        self.palette = palette = choose_palette(words, dice)
        self.ground = next(
            (g for g in ("city", "sea", "shapes", "dunes", "forest", "flower", "mountain") if g in named), ""
        )
        self.grounds = {name for name in named if name in GROUNDS}
        self.figures = [name for name in FIGURES if name in named]
        if not self.ground:
            liked = (
                ("forest", "mountain") if "fox" in named else ("sea",) if {"lighthouse", "boat"} & {*named} else None
            )
            self.ground = dice.choice(liked or ("mountain", "sea", "forest", "shapes", "shapes", "flower"))
        self.horizon = dice.uniform(0.5, 0.66)
        self.sun: Point = (dice.uniform(0.16, 0.84), dice.uniform(0.14, 0.36))
        self.sun_size = dice.uniform(0.035, 0.085)
        self.figure_x = dice.choice((dice.uniform(0.22, 0.38), dice.uniform(0.6, 0.76)))
        self.hue = dice.uniform(-0.025, 0.025)
        self.layers = dice.randrange(4, 6)
        self.cloudy = dice.random()
        self.near = turn(rgb(palette.near), self.hue, 1.0)
        self.far = turn(rgb(palette.far), self.hue, 1.0)
        self.sky = [turn(rgb(color), self.hue, 1.0) for color in palette.sky]


def paint_tile(prompt: str, seed: str, twist: str, tile: int, size: int) -> Image.Image:
    """One picture. Without a twist each tile is a composition of its own; with one all four are the same, varied."""
    first = seed if twist else f"{seed}\0{tile}"
    composition = Composition(prompt, random.Random(first))
    dice = Hand(f"{first}\0hand", f"{twist}\0{tile}", sway_of(twist))
    easel = Easel(size)
    if composition.ground == "shapes":
        paint_shapes(easel, composition, dice)
    else:
        paint_place(easel, composition, dice)
    return easel.finish(dice)


def paint_single(prompt: str, seed: str, twist: str, tile: int, size: int) -> Image.Image:
    return paint_tile(prompt, seed, twist, tile, size)


def paint_grid(prompt: str, seed: str, twist: str, size: int) -> Image.Image:
    """Four tiles, two by two."""
    grid = Image.new("RGB", (size, size))
    half = size // 2
    for tile in range(1, 5):
        place = ((tile - 1) % 2 * half, (tile - 1) // 2 * half)
        grid.paste(paint_tile(prompt, seed, twist, tile, half), place)
    return grid


# -- places ------------------------------------------------------------------------------------------------------------


def paint_place(easel: Easel, scene: Composition, dice: random.Random) -> None:
    """Sky, then land from far to near, then who is there."""
    paint_sky(easel, scene, dice)
    ground = {
        "mountain": paint_mountains,
        "forest": paint_forest,
        "sea": paint_sea,
        "city": paint_city,
        "flower": paint_meadow,
        "dunes": paint_dunes,
    }[scene.ground](easel, scene, dice)
    if "bird" in scene.figures or dice.random() < 0.25:
        motifs.birds(easel, dice, scene.palette, (1 - scene.figure_x, scene.horizon - 0.22), 0.1)
    if "fox" in scene.figures:
        x = scene.figure_x
        motifs.fox(easel, dice, scene.palette, (x, min(0.92, height_at(ground, x) + 0.12)), 0.36)
    if scene.palette.snow:
        motifs.snowfall(easel, dice)


def paint_sky(easel: Easel, scene: Composition, dice: random.Random) -> None:
    palette = scene.palette
    easel.image = easel.wash(scene.sky, 0.0, scene.horizon + 0.06)
    if palette.night:
        motifs.stars(easel, dice, scene.horizon)
    light = rgb(palette.light)
    easel.glow(scene.sun, scene.sun_size * 7, mix(light, scene.sky[-1], 0.35), 0.55)
    disc = crescent(scene.sun, scene.sun_size) if palette.night and scene.cloudy < 0.5 else None
    easel.shape(light, disc or ellipse(scene.sun, scene.sun_size, scene.sun_size, points=72), strength=0.97)
    clouds = easel.noise(dice, 2, 7, 4)
    floor = 150 - scene.cloudy * 40
    veil = clouds.point(lambda v: int(min(255.0, max(0.0, v - floor) * 3.2)))
    fade = easel.wash([(0, 0, 0), (200, 200, 200), (255, 255, 255), (60, 60, 60)], 0.0, scene.horizon + 0.05).convert(
        "L"
    )
    veil = Image.composite(veil, Image.new("L", veil.size), fade)
    easel.cover(mix(scene.sky[-1], light, 0.5), veil, 0.5)


def layer(easel: Easel, scene: Composition, dice: random.Random, line: list[Point], depth: float) -> Color:
    """Land under a line: its colour by depth (0 far, 1 near), paler toward its foot as in haze, with a little tooth."""
    color = mix(scene.far, scene.near, depth**1.2)
    foot = mix(color, scene.sky[-1], 0.55 * (1 - depth) + 0.08)
    top = min(y for _, y in line)
    mask = easel.mask(below(line))
    easel.cover(easel.wash([color, foot], top, min(1.0, top + 0.34)), mask)
    tooth = easel.noise(dice, 7, 11, 4).point(lambda v: int(max(0, v - 138) * 1.9))
    grain = WHITE if scene.palette.snow else mix(color, scene.sky[-1], 0.6)
    easel.cover(grain, Image.composite(tooth, Image.new("L", tooth.size), mask), 0.2 if scene.palette.snow else 0.16)
    return color


def paint_mountains(easel: Easel, scene: Composition, dice: random.Random) -> list[Point]:
    line: list[Point] = []
    for number in range(scene.layers):
        depth = number / (scene.layers - 1)
        height = scene.horizon - 0.14 + depth * 0.38
        line = ridge(dice, height, 0.16 * (1 - 0.55 * depth), 0.5 + 0.03 * (1 - depth))
        color = layer(easel, scene, dice, line, depth)
        if depth < 0.5:
            paint_snowcaps(easel, scene, dice, line)
        elif depth < 0.9 or "forest" in scene.grounds:
            motifs.conifers(easel, dice, mix(color, motifs.INK, 0.22), line, 0.045 + 0.05 * depth, 46)
    return line


def paint_snowcaps(easel: Easel, scene: Composition, dice: random.Random, line: list[Point]) -> None:
    """Light on the upper flanks of far peaks: from the ridge down to a rougher line, wherever it rises high enough."""
    limit = sorted(y for _, y in line)[len(line) // 3]
    cap: list[tuple[Point, Point]] = []
    caps = [cap]
    for x, y in line:
        edge = y + (limit - y) * dice.uniform(0.25, 0.75)
        if y < limit:
            cap.append(((x, y), (x, edge)))
        elif cap:
            cap = []
            caps.append(cap)
    outlines = [[top for top, _ in cap] + [foot for _, foot in reversed(cap)] for cap in caps if len(cap) > 2]
    if outlines:
        easel.cover(mix(WHITE, scene.sky[-1], 0.35), easel.mask(*outlines), 0.75)


def paint_forest(easel: Easel, scene: Composition, dice: random.Random) -> list[Point]:
    line: list[Point] = []
    if "mountain" in scene.grounds or scene.cloudy > 0.4:
        far = ridge(dice, scene.horizon - 0.1, 0.12)
        layer(easel, scene, dice, far, 0.0)
        paint_snowcaps(easel, scene, dice, far)
    for number in range(1, 5):
        depth = number / 4
        line = waves(dice, scene.horizon - 0.05 + 0.09 * number, 0.025, 1.1)
        color = mix(mix(scene.far, scene.near, depth), motifs.INK, 0.12 * depth)
        if depth < 1 or "fox" not in scene.figures:
            motifs.conifers(easel, dice, mix(color, motifs.INK, 0.15), line, 0.1 + 0.15 * depth, 34 - 5 * number)
        layer(easel, scene, dice, line, depth)
    return line


def paint_sea(easel: Easel, scene: Composition, dice: random.Random) -> list[Point]:
    """Water mirrors what is above it; the light lies on it in short strokes."""
    if scene.grounds & {"mountain", "forest"} or scene.cloudy < 0.6:
        coast = ridge(dice, scene.horizon - 0.03, 0.07)
        color = layer(easel, scene, dice, coast, 0.25)
        if "forest" in scene.grounds:
            motifs.conifers(easel, dice, mix(color, motifs.INK, 0.25), coast, 0.06, 60)
    size = easel.size
    edge = round(scene.horizon * size)
    above = easel.image.crop((0, max(0, 2 * edge - size), size, edge)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirror = above.resize((size, size - edge)).filter(ImageFilter.GaussianBlur(size / 160))
    tint = Image.new("RGB", mirror.size, mix(scene.near, scene.sky[0], 0.5))
    easel.image.paste(Image.blend(mirror, tint, 0.36), (0, edge))
    strokes: list[tuple[Color, list[Point]]] = []
    light, dark = rgb(scene.palette.light), mix(scene.near, scene.sky[0], 0.25)
    for number in range(150):
        depth = dice.random() ** 1.6
        y = scene.horizon + 0.006 + depth * (1 - scene.horizon)
        under_sun = number % 2 == 0
        x = dice.gauss(scene.sun[0], 0.035 + 0.1 * depth) if under_sun else dice.random()
        long, thick = dice.uniform(0.012, 0.05) * (0.4 + depth), 0.0009 + 0.0032 * depth
        strokes.append((light if under_sun else dark, ellipse((x, y), long, thick, points=14)))
    for color, strength in ((dark, 0.3), (light, 0.62)):
        easel.cover(color, easel.mask(*(shape for which, shape in strokes if which == color)), strength)
    shore = waves(dice, 0.93, 0.02, 0.8)
    if "lighthouse" in scene.figures:
        motifs.lighthouse(easel, dice, scene.palette, (scene.figure_x, scene.horizon + 0.09), 0.4)
    if "boat" in scene.figures or ("lighthouse" not in scene.figures and scene.cloudy > 0.55):
        motifs.boat(easel, dice, scene.palette, (1 - scene.figure_x, scene.horizon + 0.1), 0.17)
    if "fox" in scene.figures or scene.cloudy < 0.3:
        layer(easel, scene, dice, shore, 1.0)
    return shore


def paint_city(easel: Easel, scene: Composition, dice: random.Random) -> list[Point]:
    base = scene.horizon + 0.12
    for number in range(3):
        motifs.skyline(easel, dice, scene.palette, base + number * 0.09, number / 2)
        haze = easel.wash([(0, 0, 0), (150, 150, 150)], base - 0.1, base + 0.25).convert("L")
        if number < 2:
            easel.cover(mix(scene.sky[-1], scene.far, 0.3), haze, 0.5)
    line = waves(dice, 0.93, 0.004, 0.5)
    layer(easel, scene, dice, line, 1.0)
    return line


def paint_meadow(easel: Easel, scene: Composition, dice: random.Random) -> list[Point]:
    line: list[Point] = []
    for number in range(3):
        line = waves(dice, scene.horizon + 0.04 + 0.11 * number, 0.035, 0.9)
        layer(easel, scene, dice, line, 0.15 + number * 0.35)
    for row, count in ((0, 26), (1, 12), (2, 5)):
        for number in range(count):
            x = (number + dice.uniform(0.15, 0.85)) / count
            y = scene.horizon + (0.2, 0.16, 0.02)[row] + dice.uniform(-0.05, 0.08)
            motifs.flower(easel, dice, scene.palette, (x, y), (0.014, 0.034, 0.085)[row] * dice.uniform(0.8, 1.25))
    return line


def paint_dunes(easel: Easel, scene: Composition, dice: random.Random) -> list[Point]:
    line: list[Point] = []
    for number in range(scene.layers):
        depth = number / (scene.layers - 1)
        line = waves(dice, scene.horizon + 0.3 * depth, 0.05, 0.6)
        color = layer(easel, scene, dice, line, depth)
        crest = [(x, y + 0.012 + 0.16 * max(0.0, 1 - abs(x - scene.sun[0]) * 1.4)) for x, y in line]
        easel.cover(mix(color, rgb(scene.palette.light), 0.45), easel.mask([*line, *reversed(crest)]), 0.38)
    return line


# -- shapes ------------------------------------------------------------------------------------------------------------


def paint_shapes(easel: Easel, scene: Composition, dice: random.Random) -> None:
    """Sheets of cut paper, each with a soft shadow on the one beneath; a sun; a few round stones."""
    colors = [*scene.sky, scene.far, rgb(scene.palette.bloom), scene.near, rgb(scene.palette.light)]
    easel.image = easel.wash([scene.sky[-1], rgb(scene.palette.light)])
    easel.shape(rgb(scene.palette.bloom), ellipse(scene.sun, 0.14, 0.14, points=90))
    for number in range(6):
        depth = number / 5
        line = waves(dice, 0.3 + 0.13 * number, 0.075, 0.75)
        sheet = easel.mask(below(line))
        shadow = sheet.filter(ImageFilter.GaussianBlur(easel.size / 45))
        easel.cover(mix(scene.near, motifs.INK, 0.5), shadow, 0.38)
        color = colors[(number * 3 + scene.layers) % len(colors)]
        color = mix(color, mix(scene.far, scene.near, depth), 0.35)
        easel.cover(
            easel.wash([mix(color, WHITE, 0.14), mix(color, scene.near, 0.3)], 0.25 + 0.13 * number, 1.0), sheet
        )
    for _ in range(dice.randrange(2, 5)):
        x, y, size = dice.uniform(0.12, 0.88), dice.uniform(0.55, 0.9), dice.uniform(0.03, 0.085)
        outline = [(x + size * px * dice.uniform(0.85, 1.2), y + size * py * 0.8) for px, py in PEBBLE]
        stone = easel.mask(curve(outline))
        easel.cover(motifs.INK, stone.filter(ImageFilter.GaussianBlur(easel.size / 60)), 0.35)
        easel.cover(easel.wash([mix(dice.choice(colors), WHITE, 0.2), scene.near], y - size, y + size), stone)


PEBBLE = ((-1.0, 0.05), (-0.6, -0.75), (0.1, -0.95), (0.8, -0.55), (1.0, 0.15), (0.5, 0.8), (-0.35, 0.9))
