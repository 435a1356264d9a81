"""Characters that people typed and the documents cannot show: said early and by name, never in the way of saving."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.documents import glyphs
from app.dossiers.contents import Contents, evidence_in
from app.errors import Text
from app.schemes.model import Question, Section
from app.texts import both_n

MOST = 5  # characters named in one sentence


def in_section(contents: Contents, section: Section) -> list[tuple[Question, Text]]:
    """The questions of a section whose stored answer, or a file in it, has such characters, each with words that name them."""
    found = []
    for question in contents.visible[section.id]:
        answer = contents.answer(section.id, question.id)
        files = [contents.evidence[one].name for one in evidence_in(question, answer) if one in contents.evidence]
        words = warning([answer, *files])
        if words:
            found.append((question, words))
    return found


def warning(answer: Any) -> Text | None:
    """What to say of an answer with characters that no font of the documents has; ``None`` when it has none."""
    replaced: set[str] = set()
    for text in _texts(answer):
        replaced |= glyphs.printable(text)[1]
    if not replaced:
        return None
    marks = [_shown(mark) for mark in sorted(replaced)]
    named = ", ".join(marks[:MOST]) + (" …" if len(marks) > MOST else "")
    return both_n(
        "Dit teken kan niet in uw documenten staan: %(marks)s. Daar komt %(box)s te staan. Kies een ander teken of een woord.",
        "Deze tekens kunnen niet in uw documenten staan: %(marks)s. Daar komt %(box)s te staan. Kies andere tekens of woorden.",
        len(marks),
        marks=named,
        box=glyphs.REPLACEMENT,
    )


def _shown(mark: str) -> str:
    """The character itself, when it can be seen, with its number to look it up by."""
    number = f"U+{ord(mark):04X}"
    return f"“{mark}” ({number})" if mark.isprintable() and not mark.isspace() else number


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, Mapping):
        yield from _all(answer.values())
    elif isinstance(answer, list):
        yield from _all(answer)


def _all(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        yield from _texts(part)
