"""Which characters the documents can show: those that the fonts of the house style have.

A typesetter that makes PDF/A stops at the first character without a glyph, so every text passes here first.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from app.config import ROOT

FONTS = ROOT / "dossier_templates" / "house_style" / "fonts"
REPLACEMENT = "□"
MAX_MARKS = 4
"""Combining marks on one character; more are cut (a million of them kept a typesetter busy for 82 s)."""

# Nothing to see and nothing lost: byte order mark, soft hyphen, zero-width space, word joiner.
DROPPED = frozenset("\ufeff\u00ad\u200b\u2060")
# No glyph of their own, but they shape their neighbours: joiners and the two presentation selectors.
JOINING = frozenset("\u200c\u200d\ufe0e\ufe0f")


def printable(text: str) -> tuple[str, frozenset[str]]:
    """The text as the documents will show it, and the characters that had to be replaced by ``□`` or were cut.

    Composes accents (NFC), turns tabs and carriage returns into spaces and line ends, and keeps at most four combining
    marks on a character. Characters that change the direction of the text around them are replaced, never obeyed.
    """
    if text.isascii() and text.isprintable():
        return text, frozenset()
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    replaced: set[str] = set()
    return "".join(_shown(text, replaced)), frozenset(replaced)


def _shown(text: str, replaced: set[str]) -> Iterator[str]:
    known = _coverage()
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if character == "\n" or character in JOINING:
            yield character
        elif character in DROPPED:
            continue
        elif marks > MAX_MARKS:
            replaced.add(character)
        elif character in known:
            yield character
        else:
            replaced.add(character)
            yield REPLACEMENT


@cache
def _coverage() -> frozenset[str]:
    """Characters that at least one font has, without controls, private use and changes of direction."""
    points: set[int] = set()
    for path in fonts():
        with TTFont(path, lazy=True) as font:
            points.update(font.getBestCmap())
    shown = {chr(point) for point in points}
    return frozenset(one for one in shown if unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cs", "Cn"))


def fonts() -> list[Path]:
    return sorted(FONTS.glob("*.ttf"))
