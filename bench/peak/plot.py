"""Plot: a run as one SVG: rates, jobs that wait, waits and memory over the same time. Pure.

Everything is grey but the line that matters, in the page's own colours, by the reader's dark or light. Lines are told
apart by dashes as well as by shade, and named at their ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from bench.peak.steps import Points

WIDTH, LEFT, RIGHT, TOP = 960, 72, 128, 72
PANEL, GAP, FOOT = 136, 48, 40
NAME_GAP = 14
GRID_LINES = 4
STYLE = """
svg { --paper: #fbfbfa; --ink: #1c1c1b; --soft: #64645f; --rule: #dfdfdb; --accent: #c23a1c; background: var(--paper) }
@media (prefers-color-scheme: dark) {
  svg { --paper: #141414; --ink: #ededea; --soft: #a3a39d; --rule: #333331; --accent: #ff7552 }
}
text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.title { font-size: 16px; font-weight: 600; fill: var(--ink) }
.head { font-weight: 600; fill: var(--ink) }
.rule { stroke: var(--rule); stroke-width: 1 }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round }
.a { stroke: var(--accent) } .b { stroke: var(--ink) } .c { stroke: var(--soft) }
text.a, text.b, text.c { stroke: none } text.a { fill: var(--accent) } text.b { fill: var(--ink) }
.dashed { stroke-dasharray: 4 3 }
"""
#: The first line of a panel is the one that matters.
LOOKS = ("a", "b", "c", "c dashed")


class Panel:
    """One picture of the four: lines over the seconds of the run."""

    def __init__(self, head: str, lines: Mapping[str, Points]) -> None:
        self.head, self.lines = head, lines

    @property
    def values(self) -> list[float]:
        """Every value that is one."""
        return [value for points in self.lines.values() for _, value in points if not math.isnan(value)]

    def svg(self, top: float, seconds: float) -> list[str]:
        """Its elements; `top` in pixels."""
        step = nice(max(self.values, default=1.0) / GRID_LINES)
        most = step * max(1, math.ceil(max(self.values, default=1.0) / step - 1e-9))
        right, bottom = WIDTH - RIGHT, top + PANEL
        found = [text(LEFT, top - 10, self.head, "head")]
        for number in range(round(most / step) + 1):
            y = bottom - PANEL * number * step / most
            found.append(f'<path class="rule" d="M{LEFT} {y:.1f}H{right}"/>')
            found.append(text(LEFT - 8, y + 4, f"{number * step:,g}", "", "end"))
        names: list[tuple[float, str, str]] = []
        for (name, points), look in zip(self.lines.items(), LOOKS, strict=False):
            placed = [
                (LEFT + (right - LEFT) * at / seconds, bottom - PANEL * value / most)
                for at, value in points
                if not math.isnan(value) and 0 <= at <= seconds
            ]
            if placed:
                found.append(f'<path class="line {look}" d="M{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>')
                names.append((placed[-1][1], name, look.partition(" ")[0]))
        return found + [text(right + 8, y + 4, name, look) for y, name, look in apart(names)]


def drawing(title: str, subtitle: str, seconds: float, panels: Sequence[Panel]) -> str:
    """The whole SVG document."""
    height = TOP + len(panels) * (PANEL + GAP) - GAP + FOOT + 24
    found = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="var(--paper)"/>',
        text(LEFT, 28, title, "title"), text(LEFT, 48, subtitle),
    ]  # fmt: skip
    top = float(TOP + 24)
    for panel in panels:
        found += panel.svg(top, seconds)
        top += PANEL + GAP
    foot, step = top - GAP + 20, nice(seconds / 8)
    for number in range(int(seconds / step) + 1):
        x = LEFT + (WIDTH - RIGHT - LEFT) * number * step / seconds
        found.append(text(x, foot, f"{number * step:,g}{' s' if number == 0 else ''}", "", "middle"))
    return "\n".join([*found, "</svg>"]) + "\n"


def text(x: float, y: float, words: str, look: str = "", anchor: str = "start") -> str:
    """One line of text."""
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def nice(rough: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough - 1e-12), 10 * power)


def apart(names: Sequence[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """The names with their places moved down until none covers another."""
    found: list[tuple[float, str, str]] = []
    for y, name, look in sorted(names):
        found.append((max(y, found[-1][0] + NAME_GAP) if found else y, name, look))
    return found
