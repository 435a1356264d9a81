import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.plugin_api import ListBlock, Paragraph, Run
from app.schemes import markup

TRICKY = st.text(alphabet="ab1.*-•o·§ \t\n\r\v\u00a0\u00ad\u200b\u200d\u2028\ufe0f\u0301\u0338←〈👩🏽🎓é", max_size=60)


def test_parse_gives_paragraphs_lists_bold_and_italic() -> None:
    text = "Eerste **vet** en *schuin*.\n\n- een\n- ***twee***\n• drie\n\n1. a\n2. b\nSlot"
    assert markup.parse(text) == (
        Paragraph((Run("Eerste "), Run("vet", bold=True), Run(" en "), Run("schuin", italic=True), Run("."))),
        ListBlock(((Run("een"),), (Run("twee", bold=True, italic=True),), (Run("drie"),))),
        ListBlock(((Run("a"),), (Run("b"),)), ordered=True),
        Paragraph((Run("Slot"),)),
    )


@pytest.mark.parametrize(
    "line",
    [
        "2 * 3 * 4",
        "2*3*4",
        "** los **",
        "**open",
        "*open",
        "****",
        "-zonder spatie",
        "-",
        "3. niet bij één begonnen",
        "1.geen spatie",
        '#read("x")',
        "{{7*7}}",
        "<w:p/>",
    ],
)
def test_parse_leaves_what_is_unclear_as_typed(line: str) -> None:
    assert markup.parse(line) == (Paragraph((Run(line),)),)


def test_parse_starts_a_new_numbered_list_at_one() -> None:
    assert markup.parse("1. a\n\n2. b\n1. c\n4. d") == (
        ListBlock(((Run("a"),), (Run("b"),)), ordered=True),
        ListBlock(((Run("c"),),), ordered=True),
        Paragraph((Run("4. d"),)),
    )


@given(st.one_of(st.text(), TRICKY))
def test_parse_keeps_every_word(text: str) -> None:
    parts: list[str] = []
    for block in markup.parse(text):
        for line in block.items if isinstance(block, ListBlock) else (block.runs,):
            parts.append("".join(run.text for run in line))

    def words(of: str) -> list[str]:
        return re.sub(r"[\-•]|\b[0-9]+\.|\s", " ", of.replace("*", "")).split()

    assert words("\n".join(parts)) == words(text)


@pytest.mark.parametrize(
    "text",
    [
        "*a " * 60_000,
        "**a" * 60_000,
        "*" * 200_000,
        "- " * 90_000,
        "1. " * 60_000,
        " \t" * 90_000,
        "·\t" * 90_000,
        "👩\u200d" * 60_000,
    ],
)
def test_parse_and_clean_are_quick_on_hostile_text(text: str) -> None:
    start = time.perf_counter()
    markup.parse(markup.clean(text))
    assert time.perf_counter() - start < 2


def test_clean_makes_pasted_word_text_plain() -> None:
    pasted = (
        "Kop\r\n·\u00a0\u00a0\tpunt\r\n\uf0b7\tnog een\ro\tsub\v1.\tgenummerd\u2028loop\u00adbaan\u200b \u201cquote\u201d e\u0301"
    )
    assert markup.clean(pasted) == "Kop\n- punt\n- nog een\n- sub\n1. genummerd\nloopbaan “quote” é"


def test_clean_keeps_emoji_and_limits_marks() -> None:
    assert (
        markup.clean("👩🏽\u200d🎓 👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 a\u200db")
        == "👩🏽\u200d🎓 👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 ab"
    )
    assert markup.clean("x" + "\u0316" * 9 + "y") == "x" + "\u0316" * 4 + "y"


@given(st.one_of(st.text(), TRICKY))
def test_clean_twice_is_clean_once(text: str) -> None:
    once = markup.clean(text)
    assert markup.clean(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_clean_line_makes_one_line() -> None:
    assert markup.clean_line("a\r\nb\tc\u00a0d") == "a b c d"


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\r", "\x1b", "\x7f", "\x85", "\ud800", "\ufffe"])
def test_has_control_finds_what_no_document_can_hold(character: str) -> None:
    assert markup.has_control(f"a{character}b")


def test_has_control_lets_ordinary_text_through() -> None:
    assert not markup.has_control("regel\n\tingesprongen é 👩🏽\u200d🎓 简历")
