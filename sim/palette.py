"""Palette: what the words of a prompt mean for a picture: its moods (colours) and its motifs."""

from __future__ import annotations

import colorsys
import random
import re

import msgspec

Color = tuple[int, int, int]
WORD = re.compile(r"[\u3040-\u9fff]|[^\W_\u3040-\u9fff]+")
SUBJECTS = ("mountain", "sea", "forest", "city", "flower", "fox", "lighthouse", "river", "desert", "snowfield")


class Palette(msgspec.Struct, frozen=True):
    """Colours of a place at an hour: sky from the zenith down to the horizon, land from far to near."""

    sky: tuple[str, ...]
    far: str
    near: str
    light: str  # sun, moon, windows
    bloom: str  # what grows and calls for attention
    night: bool = False
    snow: bool = False


PALETTES = {
    "dawn": (
        Palette(("#5d7599", "#a3a9c2", "#e8c4bd", "#fbe3c8"), "#a9a3bd", "#3d4263", "#fff3d6", "#e4737a"),
        Palette(("#8fb8c9", "#c9d9d3", "#f4e3c9", "#f9d2b0"), "#b6bfc0", "#38586a", "#fffbe6", "#d9655b"),
    ),
    "day": (
        Palette(("#4d8fbf", "#8fc0da", "#d4e8ea", "#f4f2e3"), "#9dbdc9", "#2f5f5c", "#fffdf0", "#e8893a"),
        Palette(("#6aa7a8", "#a9cfc4", "#e3ead0", "#f7f1da"), "#a8c4b4", "#3b5d43", "#fffceb", "#e0604c"),
    ),
    "dusk": (
        Palette(("#2b2d5b", "#6a4377", "#c8607a", "#f6a26b"), "#8a5478", "#231b38", "#ffe0a3", "#ff8f6b"),
        Palette(("#243b5a", "#56617f", "#c58b78", "#f3c685"), "#7f7280", "#1f2b3d", "#fff0c4", "#e86f52"),
        Palette(("#3a2145", "#813a5b", "#d8655a", "#f9b564"), "#8f4a5c", "#2a1730", "#ffe7ad", "#ffb35c"),
    ),
    "night": (
        Palette(("#070d22", "#101d40", "#20386a", "#41628f"), "#2a4470", "#070c1c", "#f5efcf", "#8fb7e6", True),
        Palette(("#0b1020", "#172238", "#25424f", "#3e7372"), "#24464f", "#060c12", "#e9f3da", "#7fd1b2", True),
        Palette(("#120d2b", "#2a1b52", "#4d2f78", "#8a5a9e"), "#4a356f", "#0d0a1c", "#ffeccf", "#e08bc0", True),
    ),
    "snow": (
        Palette(("#8aa6bd", "#b5c9d6", "#dde6ea", "#f5efe8"), "#b9cbd8", "#6f8ea6", "#fffaf0", "#c9583c", False, True),
        Palette(("#6f87a8", "#a9b4cc", "#e0cfd4", "#f8e2d2"), "#b3bcd2", "#6a7fa4", "#fff2dd", "#cf5f3d", False, True),
    ),
    "autumn": (
        Palette(("#7f97a1", "#bcc3b8", "#ead9b4", "#f2c98a"), "#b59a7c", "#5a2f23", "#fff1cf", "#d9622b"),
        Palette(("#9aa9a5", "#d3cdb5", "#efd5a2", "#e8aa6a"), "#a88f74", "#46302c", "#fff4d8", "#c8432b"),
    ),
    "desert": (
        Palette(("#5fa0b5", "#a9c9c5", "#f0dcb8", "#f6c28e"), "#e0a878", "#8c3f2c", "#fff6dd", "#d9663f"),
        Palette(("#40507c", "#9a7690", "#e39a7d", "#f7cf98"), "#c98468", "#59292f", "#ffecc2", "#f08a4b"),
    ),
    "storm": (
        Palette(("#2c3640", "#4e5c66", "#86929a", "#c2c6c2"), "#74828a", "#1c2429", "#eef0e6", "#b9564a"),
        Palette(("#3b4450", "#6a7480", "#a3a6a6", "#d9cfbd"), "#858a90", "#262c33", "#f6edd9", "#c9784f"),
    ),
    "spring": (
        Palette(("#7fb2c9", "#b9d6d2", "#ecebd3", "#fbe3da"), "#a9c7b2", "#3f6b4a", "#fffbe9", "#e57f9d"),
        Palette(("#93a9d1", "#c6cde3", "#f0dfe6", "#fdeadb"), "#b7c0cf", "#4b6a5d", "#fff8ea", "#d9628a"),
    ),
}

MOOD_WORDS = {
    "dawn": "晨 曦 dawn sunrise morning mist misty fog foggy soft pastel",
    "day": "晴 day noon sunny bright summer clear blue",
    "dusk": "暮 夕 黄 dusk sunset evening twilight golden ember",
    "night": "夜 月 星 night midnight moon moonlight moonlit star stars starry dark galaxy space aurora neon cosmic",
    "snow": "雪 冬 冰 snow snowy winter ice frozen frost arctic white glacier blizzard",
    "autumn": "秋 autumn fall leaf leaves october harvest amber",
    "desert": "沙 desert dune dunes sand sahara canyon mesa mars",
    "storm": "雨 storm stormy rain rainy thunder grey gray noir monochrome gloomy",
    "spring": "春 spring blossom cherry garden pink meadow flower flowers bloom",
}
MOTIF_WORDS = {
    "mountain": "山 mountain mountains alps peak peaks hill hills valley cliff landscape himalaya fuji",
    "sea": "海 湖 河 江 sea ocean lake water river coast beach shore bay harbor harbour island wave waves fjord",
    "forest": "林 森 树 forest wood woods pine pines tree trees jungle grove taiga",
    "city": "城 city town skyline street tokyo york paris london cyberpunk building buildings towers metropolis",
    "flower": "花 flower flowers rose roses tulip tulips poppy poppies bloom blossom garden bouquet meadow lotus",
    "fox": "狐 fox foxes vixen wolf dog cat kitten kit",
    "bird": "鸟 bird birds heron crane geese gull gulls raven crow owl swallow swan",
    "lighthouse": "灯 lighthouse beacon",
    "boat": "船 帆 boat boats ship sail sails sailing sailboat regatta",
    "dunes": "沙 desert dune dunes sand sahara mars",
    "shapes": "梦 abstract shapes pattern geometric fluid organic dream dreams music idea minimal logo surreal texture",
}


def words_of(prompt: str) -> list[str]:
    """The words of a prompt, without its `--flags` and their values; where words are not spaced, each sign is one."""
    return WORD.findall(prompt.split(" --")[0].lower())


def matches(table: dict[str, str], words: list[str]) -> list[str]:
    """Names of the table's rows that hold one of the words, in the table's order."""
    return [name for name, listed in table.items() if not set(words).isdisjoint(listed.split())]


def choose_palette(words: list[str], rng: random.Random) -> Palette:
    """One that fits a mood the words name; snow by night is night's, with snow."""
    moods = matches(MOOD_WORDS, words) or [rng.choice([mood for mood in PALETTES if mood not in ("storm", "snow")])]
    hour = next((mood for mood in ("night", "dusk", "dawn") if mood in moods), None)
    mood: str = hour or rng.choice(moods)
    palette = rng.choice(PALETTES[mood])
    if "snow" in moods and not palette.snow:
        land = mix(rgb(palette.sky[-1]), (255, 255, 255), 0.25), mix(rgb(palette.sky[0]), (255, 255, 255), 0.35)
        return msgspec.structs.replace(palette, far=hexed(land[0]), near=hexed(land[1]), snow=True)
    return palette


# -- colours -----------------------------------------------------------------------------------------------------------


def rgb(code: str) -> Color:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def hexed(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def mix(one: Color, other: Color, share: float) -> Color:
    """`share` 0 is the one, 1 the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def turn(color: Color, hue: float, value: float) -> Color:
    """The colour with its hue turned (share of the circle) and its brightness multiplied."""
    h, s, v = colorsys.rgb_to_hsv(*(part / 255 for part in color))
    red, green, blue = (round(part * 255) for part in colorsys.hsv_to_rgb((h + hue) % 1, s, min(1.0, v * value)))
    return red, green, blue
