"""What a question of type ``statement`` asks for, with what holds when its author leaves a key out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.errors import Text
from app.schemes.model import Question
from app.texts import both

KINDS = ("supervisor", "client")
COUNT = 1
UPLOAD = True
REMINDERS = (7, 14)
LEAST = 3
COUNTED = ("scale", "choice", "choices")
"""The types of question whose answers can be added up, so that nobody's own answer is seen."""
REMARKS = ("short_text", "long_text")
FORM = ("questions", "quote_if", "consent", "independence")
"""The settings that make the form: an answer belongs to these as they were when it was given."""


@dataclass(frozen=True)
class StatementSettings:
    """``kind``: who gives it, a supervisor or a client (in ``role``'s words); ``many``: what several of these are called.
    ``count``: how many people; ``upload``: a document may take the place of the form; ``reminders``: days after the
    invitation; ``days``: how long a link works, ``None`` for as long as elsewhere; ``independence``: what is declared about ties
    with ``%(candidate)s``, ``None`` for nothing.

    ``anonymous``: nobody sees who answered what. The answers are shown added up, once ``least`` or more are in and nobody else
    is asked (``dossiers.outcomes``). A remark is shown where the answer to ``quote_if`` is yes. ``together_with``: the
    table of the same section whose rows are statements too, or "".
    """

    kind: str
    role: Text
    many: Text
    count: int
    upload: bool
    reminders: tuple[int, ...]
    days: int | None
    independence: Text | None
    anonymous: bool
    least: int
    quote_if: str
    together_with: str


def of(question: Question) -> StatementSettings:
    """The settings of one statement question."""
    settings = question.settings
    kind, anonymous = settings.get("kind", KINDS[0]), settings.get("anonymous", False)
    return StatementSettings(
        kind=kind,
        role=settings.get("role") or {"nl": "supervisor", "en": "supervisor"},
        many=settings.get("many") or both("verklaringen"),
        count=settings.get("count", COUNT),
        upload=settings.get("upload", UPLOAD and not anonymous),
        reminders=tuple(sorted(set(settings.get("reminders", REMINDERS)))),
        days=settings.get("days"),
        independence=settings.get("independence") or (usual_independence() if kind == KINDS[0] else None),
        anonymous=anonymous,
        least=settings.get("least", LEAST),
        quote_if=settings.get("quote_if", ""),
        together_with=settings.get("together_with", ""),
    )


def as_asked(question: Question, asked: Mapping[str, Any] | None) -> Question:
    """The question of now with the form of ``asked``, which is the question as it was asked (``None``: as it is now)."""
    if asked is None:
        return question
    others = {key: value for key, value in question.settings.items() if key not in FORM}
    return replace(question, settings=others | {key: asked[key] for key in FORM if key in asked})


def usual_independence() -> Text:
    """The declaration of a supervisor's statement whose template has none of its own."""
    return both(
        "Ik ben niet %(candidate)s zelf. Ik heb met %(candidate)s geen familieband en geen dienstverband, en geen financiële "
        "band buiten de gewone vergoeding voor de supervisie."
    )


def misfits(settings: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """What keys of one statement question do not go together: (place within the question, what is wrong) pairs."""
    asked = {one["id"]: one for one in settings.get("questions", ())}
    found: list[tuple[tuple[str | int, ...], str]] = []
    name = settings.get("quote_if")
    if name is not None and not _says_yes(asked.get(name)):
        found.append((("quote_if",), f"found {name!r}; needed is a declaration, or a choice with an option yes, of this form"))
    if not settings.get("anonymous"):
        return found
    least = settings.get("least", LEAST)
    if settings.get("kind") != "client":
        found.append((("anonymous",), "only a statement of kind client can be anonymous"))
    if settings.get("reads"):
        found.append((("reads",), "who answers anonymously reads nothing: needed is []"))
    if settings.get("upload"):
        found.append((("upload",), "a document would show who gave it: needed is false"))
    if least < 2 or settings.get("count", COUNT) < least:
        found.append((("anonymous",), f"needed is a count of {max(least, 2)} or more, or nobody would be anonymous"))
    for index, one in enumerate(settings.get("questions", ())):
        if one["type"] not in (*COUNTED, *REMARKS, "declaration"):
            found.append((("questions", index, "type"), f"an answer of type {one['type']} would show who gave it"))
    if any(one["type"] in REMARKS for one in asked.values()) and name is None:
        found.append((("anonymous",), "a form with remarks needs quote_if: may a remark be shown word for word"))
    return found


def _says_yes(question: Mapping[str, Any] | None) -> bool:
    if question is None:
        return False
    if question["type"] == "declaration":
        return True
    return question["type"] == "choice" and "yes" in [option["id"] for option in question.get("options", ())]
