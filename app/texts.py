"""Every text in both languages. Dutch is the source; English comes from ``app/web/translations/en/LC_MESSAGES/messages.po``.

A text that must outlive a request (an error, a finding, a mail, a line in a document) is a mapping
``{"nl": …, "en": …}``, the same shape as in the YAML of the schemes, so that it can be stored and shown in either language.
"""

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from app.errors import Text

LANGUAGES = ("nl", "en")
DEFAULT_LANGUAGE = "nl"
TRANSLATIONS = Path(__file__).parent / "web" / "translations"


@cache
def catalogue(language: str) -> Translations:
    """The translations of one language, read from its .po file (no compiled file to keep in step); Dutch has none."""
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Translations()
    with path.open("rb") as source:
        messages = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def both(dutch: str, **values: object) -> dict[str, str]:
    """``dutch`` (with ``%(name)s`` places) in each language, filled in. Found by ``pybabel extract -k both``.

    A value may be a text itself: each language then gets its own words.
    """
    return {language: _filled(catalogue(language).ugettext(dutch), values, language) for language in LANGUAGES}


def both_n(dutch_one: str, dutch_many: str, n: int, **values: object) -> dict[str, str]:
    """As ``both``, with the singular or plural that ``n`` asks for; ``%(n)s`` is filled in."""
    values["n"] = n
    return {
        language: _filled(catalogue(language).ungettext(dutch_one, dutch_many, n), values, language) for language in LANGUAGES
    }


def pick(text: Text | None, language: str) -> str:
    """One language of a text; the other one when this one is missing; nothing for no text."""
    if not text:
        return ""
    return text.get(language) or text.get(DEFAULT_LANGUAGE) or next(iter(text.values()), "")


def fill(text: Text, **values: object) -> dict[str, str]:
    """``%(name)s`` places of a text from YAML, filled in in each language."""
    return {language: _filled(words, values, language) for language, words in text.items()}


def clock_pattern(pattern: str, language: str) -> str:
    """A pattern of Babel with ``HH.mm`` in it: the Dutch write 14.32, the English 14:32."""
    return pattern if language == "nl" else pattern.replace("HH.mm", "HH:mm").replace("mm.ss", "mm:ss")


def _filled(words: str, values: Mapping[str, object], language: str) -> str:
    if not values:
        return words
    return words % {name: pick(value, language) if isinstance(value, Mapping) else value for name, value in values.items()}
