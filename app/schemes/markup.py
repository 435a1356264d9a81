"""The small markup of long answers, and the cleaning of what people paste from Word.

A line is a paragraph; blank lines between paragraphs change nothing. ``- item`` or ``• item`` makes a list, ``1. item``,
``2. item`` … a numbered list (from 1, counting on; any other number stays text). ``**bold**`` and ``*italic*`` work within
a line, at word edges, also together as ``***both***``. Whatever is unclear stands as it was typed: parsing never fails.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from app.plugin_api import ListBlock, Paragraph, Run, Runs

MAX_MARKS = 4

_BULLET = re.compile(r"[-•][ \t]+(?=\S)")
_NUMBER = re.compile(r"([1-9][0-9]{0,2})\.[ \t]+(?=\S)")
_STARS = re.compile(
    r"(?<![\w*])(?:"
    r"\*\*\*(?=\S)(?P<both>[^*]+)(?<=\S)\*\*\*"
    r"|\*\*(?=\S)(?P<bold>[^*]+)(?<=\S)\*\*"
    r"|\*(?=\S)(?P<italic>[^*]+)(?<=\S)\*"
    r")(?![\w*])"
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a symbol that leave their place empty
_UNSEEN = ("Z", "M", "Cc", "Cf")  # categories of Unicode
_EMOJI = r"[\u2190-\u2bff\U0001f000-\U0001faff]"
_LOOSE_JOINER = re.compile(  # U+200D is kept only where it joins two emoji into one
    rf"\u200d(?:(?<!{_EMOJI}\u200d)(?<!{_EMOJI}\ufe0f\u200d)(?<!{_EMOJI}[\U0001f3fb-\U0001f3ff]\u200d)|(?!{_EMOJI}))"
)
_WORD_BULLET = re.compile(r"^[ \t]*(?:[•·▪◦‣●○■□\uf0a7\uf0b7\uf0d8][ \t]+|[-–—o§ü]\t[ \t]*)", re.MULTILINE)
_WORD_NUMBER = re.compile(r"^[ \t]*([1-9][0-9]{0,2})(?:\.\t|\)\t)[ \t]*", re.MULTILINE)


def parse(text: str) -> tuple[Paragraph | ListBlock, ...]:
    """The document blocks of a long answer, in time linear in its length."""
    blocks: list[Paragraph | ListBlock] = []
    for (kind, _), lines in groupby(_lines(text), key=lambda line: line[:2]):
        items = tuple(runs(words) for _, _, words in lines)
        if kind == "paragraph":
            blocks.extend(Paragraph(item) for item in items)
        else:
            blocks.append(ListBlock(items, ordered=kind == "numbers"))
    return tuple(blocks)


def runs(line: str) -> Runs:
    """One line as runs of bold, italic and plain text."""
    parts: list[Run] = []
    end = 0
    for found in _STARS.finditer(line):
        parts.append(Run(line[end : found.start()]))
        look = found.lastgroup
        parts.append(Run(found[str(look)], bold=look in ("bold", "both"), italic=look in ("italic", "both")))
        end = found.end()
    parts.append(Run(line[end:]))
    return tuple(part for part in parts if part.text)


def clean(text: str) -> str:
    """Typed or pasted text as it is kept: one kind of line end, space and bullet, nothing invisible, NFC.

    Cleaning twice changes nothing more.
    """
    text = _SPACES.sub(" ", _LINE_ENDS.sub("\n", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
        text = _few_marks(unicodedata.normalize("NFC", _LOOSE_JOINER.sub("", text)))
    return _WORD_NUMBER.sub(r"\1. ", _WORD_BULLET.sub("- ", text))


def clean_line(text: str) -> str:
    """As ``clean``, for an answer of one line."""
    return re.sub(r"[\n\t]", " ", clean(text))


def is_blank(text: str) -> bool:
    """Whether nothing of ``text`` can be seen: white space, control and format characters, marks without a letter, fillers."""
    return all(character in _FILLERS or unicodedata.category(character).startswith(_UNSEEN) for character in text)


def has_control(text: str) -> bool:
    """Whether ``text`` holds what no document can: control characters but newline and tab, half surrogates, non-characters."""
    return _CONTROL.search(text) is not None


def _lines(text: str) -> Iterator[tuple[str, int, str]]:
    """Each line that is not blank: its kind, which numbered list it belongs to, and its words without the marker."""
    lists, expected = 0, 1
    for line in text.split("\n"):
        words = line.strip()
        if not words:
            continue
        number = _NUMBER.match(words)
        if number and int(number[1]) in (1, expected):
            lists += number[1] == "1"
            expected = int(number[1]) + 1
            yield "numbers", lists, words[number.end() :]
            continue
        expected = 1
        bullet = _BULLET.match(words)
        yield ("bullets", lists, words[bullet.end() :]) if bullet else ("paragraph", lists, words)


def _few_marks(text: str) -> str:
    """At most four combining marks a character: a million of them cost the typesetter minutes."""
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
