"""Where the bars of the office's charts stand: numbers in, coordinates out. ``parts/charts.html`` draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 220
LEFT, TOP, BASE = 28, 14, 194
STEPS = 4  # lines behind the bars


@dataclass(frozen=True)
class Bar:
    """``x``, ``y``, ``width`` and ``height`` of a bar, with the number on top of it at ``middle``."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    number: int


@dataclass(frozen=True)
class Columns:
    """A chart of two bars a month: the pairs with their label, and the lines with their number."""

    pairs: tuple[tuple[str, float, Bar, Bar], ...]
    lines: tuple[tuple[float, int], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = BASE


def columns(months: Sequence[tuple[str, int, int]]) -> Columns:
    """``months``: label and the two numbers of each."""
    top = _round_up(max((number for _, *both in months for number in both), default=0))
    room = (WIDTH - LEFT) / max(1, len(months))
    bar = min(30.0, room * 0.34)
    pairs = []
    for place, (label, first, second) in enumerate(months):
        middle = LEFT + room * (place + 0.5)
        pairs.append((label, middle, _bar(middle - bar - 1.5, bar, first, top), _bar(middle + 1.5, bar, second, top)))
    lines = tuple((BASE - (BASE - TOP) * step / STEPS, top * step // STEPS) for step in range(STEPS + 1))
    return Columns(tuple(pairs), lines)


def _bar(x: float, width: float, number: int, top: int) -> Bar:
    height = (BASE - TOP) * number / top
    return Bar(round(x, 1), round(BASE - height, 1), round(width, 1), round(height, 1), round(x + width / 2, 1), number)


def _round_up(number: int) -> int:
    """The end of the scale: a multiple of ``STEPS``, so that every line has a whole number."""
    return max(STEPS, -(-number // STEPS) * STEPS)


def share(number: int, most: int, width: int = 360) -> int:
    """The length of a horizontal bar."""
    return round(width * number / most) if most else 0
