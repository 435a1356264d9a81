"""Texts in both languages: filled in, picked, and never stuck for a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import texts
from app.texts import LANGUAGES, both, both_n, fill, pick

UNKNOWN = "Zin die in geen catalogus staat"


def test_both_gives_every_language_and_falls_back_on_the_dutch() -> None:
    assert both(UNKNOWN) == {"nl": UNKNOWN, "en": UNKNOWN}


def test_both_gives_the_english_of_the_catalogue() -> None:
    assert both("Vul in: %(label)s", label={"nl": "Naam", "en": "Name"}) == {"nl": "Vul in: Naam", "en": "Fill in: Name"}


def test_both_fills_in_values_and_texts_in_their_own_language() -> None:
    filled = both(f"{UNKNOWN}: %(name)s, %(n)s", name={"nl": "Praktijk", "en": "Practice"}, n=3)
    assert filled == {"nl": f"{UNKNOWN}: Praktijk, 3", "en": f"{UNKNOWN}: Practice, 3"}


def test_both_without_values_leaves_percent_signs_alone() -> None:
    assert both("100 % %(niets)s")["nl"] == "100 % %(niets)s"


@given(st.text())
def test_both_puts_a_value_in_as_it_is(value: str) -> None:
    assert both("%(value)s", value=value) == dict.fromkeys(LANGUAGES, value)


@pytest.mark.parametrize(("n", "words"), [(0, "0 dingen"), (1, "1 ding"), (2, "2 dingen")])
def test_both_n_takes_the_number_that_is_asked(n: int, words: str) -> None:
    assert both_n("%(n)s ding", "%(n)s dingen", n) == {"nl": words, "en": words}


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ({"nl": "ja", "en": "yes"}, "en", "yes"),
        ({"nl": "ja"}, "en", "ja"),
        ({"nl": "ja", "en": ""}, "en", "ja"),
        ({"en": "yes"}, "nl", "yes"),
        ({"fr": "oui"}, "nl", "oui"),
        ({}, "nl", ""),
        (None, "nl", ""),
    ],
)
def test_pick_gives_the_language_or_another_one(text: dict[str, str] | None, language: str, words: str) -> None:
    assert pick(text, language) == words


def test_fill_keeps_the_languages_that_there_are() -> None:
    assert fill({"en": "Dear %(name)s"}, name="Els") == {"en": "Dear Els"}
    assert fill({"nl": "100%", "en": "100%"}) == {"nl": "100%", "en": "100%"}


def test_catalogue_of_dutch_is_the_source_itself() -> None:
    assert texts.catalogue("nl").ugettext("Naam") == "Naam"
