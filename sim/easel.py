"""Easel: the few strokes every picture is made of. Coordinates and lengths are shares of the side, y grows downward.

No stroke takes a number of dice that depends on the size: the same dice paint the same picture small and large.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw

from sim.palette import Color

Point = tuple[float, float]
FINER = 2  # masks are drawn so many times larger, then reduced: smooth edges
RIDGE_LEVELS = 8


class Easel:
    """A square picture under way."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.image = Image.new("RGB", (size, size))

    def wash(self, stops: Sequence[Color], top: float = 0.0, bottom: float = 1.0) -> Image.Image:
        """A vertical gradient through the stops between `top` and `bottom`, the ends going on above and below."""
        column = Image.new("RGB", (1, len(stops)))
        column.putdata(list(stops))
        height = max(2, round((bottom - top) * self.size))
        band = column.resize((1, height), Image.Resampling.BICUBIC if len(stops) > 2 else Image.Resampling.BILINEAR)
        whole = Image.new("RGB", (1, self.size), stops[-1])
        start = round(top * self.size)
        whole.paste(stops[0], (0, 0, 1, max(0, start)))
        whole.paste(band, (0, start))
        return whole.resize((self.size, self.size))

    def cover(self, paint: Image.Image | Color, mask: Image.Image, strength: float = 1.0) -> None:
        """Lay paint on where the mask is white."""
        if strength < 1:
            mask = mask.point(lambda v: int(v * strength))
        self.image.paste(paint, (0, 0, self.size, self.size) if isinstance(paint, tuple) else (0, 0), mask)

    def mask(self, *polygons: Sequence[Point], holes: Sequence[Sequence[Point]] = ()) -> Image.Image:
        side = self.size * FINER
        sheet = Image.new("L", (side, side))
        draw = ImageDraw.Draw(sheet)
        for shade, shapes in ((255, polygons), (0, holes)):
            for polygon in shapes:
                draw.polygon([(x * side, y * side) for x, y in polygon], fill=shade)
        return sheet.reduce(FINER)

    def shape(self, color: Color, *polygons: Sequence[Point], strength: float = 1.0) -> None:
        """Filled polygons of one colour; only their surroundings are worked on."""
        points = [point for polygon in polygons for point in polygon]
        left, top = (max(0, math.floor(min(p[axis] for p in points) * self.size) - 1) for axis in (0, 1))
        right, bottom = (min(self.size, math.ceil(max(p[axis] for p in points) * self.size) + 1) for axis in (0, 1))
        if left >= right or top >= bottom:
            return
        sheet = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
        draw = ImageDraw.Draw(sheet)
        for polygon in polygons:
            draw.polygon(
                [((x * self.size - left) * FINER, (y * self.size - top) * FINER) for x, y in polygon], fill=255
            )
        mask = sheet.reduce(FINER)
        if strength < 1:
            mask = mask.point(lambda v: int(v * strength))
        self.image.paste(color, (left, top, right, bottom), mask)

    def glow(self, center: Point, radius: float, color: Color, strength: float = 1.0) -> None:
        """Light added around a point, fading to nothing at `radius`."""
        side = max(2, round(radius * 2 * self.size))
        disc = ImageChops.invert(Image.radial_gradient("L")).resize((side, side))
        disc = disc.point(lambda v: int(255 * strength * (max(0.0, (v - 75) / 180)) ** 2))
        place = round(center[0] * self.size - side / 2), round(center[1] * self.size - side / 2)
        mask = Image.new("L", self.image.size)
        mask.paste(disc, place)
        light = Image.merge("RGB", [mask.point(lambda v, c=part: v * c // 255) for part in color])
        self.image = ImageChops.screen(self.image, light)

    def noise(self, rng: random.Random, across: int, down: int, octaves: int = 3) -> Image.Image:
        """Cloudy greys: random cells, drawn large and soft, finer ones over coarser ones."""
        result: Image.Image | None = None
        for octave in range(octaves):
            columns, rows = across << octave, down << octave
            cells = Image.frombytes("L", (columns, rows), rng.randbytes(columns * rows))
            layer = cells.resize(self.image.size, Image.Resampling.BICUBIC)
            result = layer if result is None else Image.blend(result, layer, 0.5 / (1 << (octave - 1)) * 0.66)
        assert result is not None
        return result

    def finish(self, rng: random.Random, grain: float = 0.09) -> Image.Image:
        """Darker corners, and a grain like paper's."""
        corners = Image.radial_gradient("L").resize(self.image.size)
        self.cover((12, 10, 24), corners.point(lambda v: int(max(0, v - 120) * 0.42)))
        tooth = Image.frombytes("L", (256, 256), rng.randbytes(1 << 16))
        sheet = Image.new("L", self.image.size)
        for x in range(0, self.size, 256):
            for y in range(0, self.size, 256):
                sheet.paste(tooth, (x, y))
        return Image.blend(self.image, ImageChops.soft_light(self.image, Image.merge("RGB", [sheet] * 3)), grain)


# -- lines and shapes --------------------------------------------------------------------------------------------------


def ridge(rng: random.Random, height: float, rough: float, decay: float = 0.52) -> list[Point]:
    """A skyline from left to right around y = `height`, by midpoint displacement; small `decay` is smooth."""
    ys = [height + rng.uniform(-rough, rough) for _ in range(3)]
    swing = rough
    for _ in range(RIDGE_LEVELS - 1):
        swing *= decay
        middles = [(a + b) / 2 + rng.uniform(-swing, swing) for a, b in pairwise(ys)]
        ys = [y for pair in zip(ys, [*middles, 0.0], strict=True) for y in pair][:-1]
    step = 1 / (len(ys) - 1)
    return [(place * step, y) for place, y in enumerate(ys)]


def waves(rng: random.Random, height: float, swing: float, bends: float) -> list[Point]:
    """A smooth line of a few sine waves."""
    parts = [
        (bends * factor * rng.uniform(0.7, 1.3), rng.uniform(0, math.tau), swing / factor) for factor in (1, 2.1, 4.3)
    ]
    line = []
    for place in range(129):
        x = place / 128
        line.append((x, height + sum(size * math.sin(turns * x * math.tau + shift) for turns, shift, size in parts)))
    return line


def below(line: Sequence[Point]) -> list[Point]:
    """The polygon of everything under a line from side to side."""
    return [(-0.01, line[0][1]), *line, (1.01, line[-1][1]), (1.01, 1.01), (-0.01, 1.01)]


def height_at(line: Sequence[Point], x: float) -> float:
    place = min(len(line) - 1, max(0, round(x * (len(line) - 1))))
    return line[place][1]


def ellipse(center: Point, across: float, down: float, tilt: float = 0.0, points: int = 40) -> list[Point]:
    """`across` and `down` are half axes; `tilt` in radians."""
    cos, sin = math.cos(tilt), math.sin(tilt)
    outline = []
    for number in range(points):
        angle = math.tau * number / points
        x, y = across * math.cos(angle), down * math.sin(angle)
        outline.append((center[0] + x * cos - y * sin, center[1] + x * sin + y * cos))
    return outline


def crescent(center: Point, radius: float) -> list[Point]:
    """A waxing moon: the outer half circle, and back along a flatter one."""
    outer = [math.radians(angle) for angle in range(60, 301, 6)]
    inner = reversed(outer)
    hollow = center[0] + radius * 0.42
    there = [(center[0] + radius * math.cos(a), center[1] - radius * math.sin(a)) for a in outer]
    reach = math.hypot(there[0][0] - hollow, there[0][1] - center[1])
    back = [(hollow + reach * math.cos(narrowed(a)), center[1] - reach * math.sin(narrowed(a))) for a in inner]
    return [*there, *back]


def narrowed(angle: float) -> float:
    """The angle of the inner circle that goes with one of the outer, so that the tips meet."""
    return math.pi + (angle - math.pi) * 0.706


def curve(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """A closed smooth outline through the points (Catmull-Rom)."""
    outline = []
    count = len(points)
    for number in range(count):
        a, b, c, d = (points[(number + shift) % count] for shift in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            outline.append((blend(a[0], b[0], c[0], d[0], t), blend(a[1], b[1], c[1], d[1], t)))
    return outline


def blend(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def placed(points: Sequence[Point], at: Point, scale: float, mirrored: bool = False) -> list[Point]:
    """Points of a drawing around (0, 0), y upward, put at a place."""
    side = -1 if mirrored else 1
    return [(at[0] + side * x * scale, at[1] - y * scale) for x, y in points]
