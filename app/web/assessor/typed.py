"""The assessor's form, in and out: fields as sent to values as kept, and what he typed when it can no longer be kept."""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from app.assessment import drafts
from app.assessment.models import Assignment
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, Text
from app.extensions import session
from app.schemes.model import Section
from app.texts import both, pick
from app.web.errors import status_of, wants_json
from app.web.language import current_language
from app.web.parts import me

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
OWN = ("version", "snapshot", "action", "name", "conflict-id", "keep-all")
ANSWERS = {"yes": True, "no": False}


def read_form(area: Section | None) -> tuple[dict[str, Any], dict[str, Text]]:
    """The fields of an area (``None``: of the whole) as values, and by field why one cannot be read. What cannot, is left out."""
    names = drafts.fields_of(area)
    known = {*names, *OWN, *(f"{choice}.{name}" for choice in ("keep", "mine") for name in names)}
    if set(request.form) - known - {"csrf_token"} or request.files:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    typed: dict[str, Any] = {}
    wrong: dict[str, Text] = {}
    for name in names:
        try:
            typed[name] = _value(name, _chosen(name))
        except InvalidInput as refusal:
            wrong[name] = refusal.text
    return typed, wrong


def as_sent() -> dict[str, str]:
    """What stands in the form, to show it again."""
    return {name: value for name, value in request.form.items() if name not in (*OWN, "csrf_token")}


def number(name: str) -> int:
    value = request.form.get(name, "")
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise InvalidInput(both("Deze pagina is te oud of niet van ons. Ververs de pagina en probeer het opnieuw."))
    return int(value)


def in_form(name: str, value: Any) -> str:
    """A kept value as its field of the form holds it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _chosen(name: str) -> str:
    """The field as sent; on the page with two texts, the one that was chosen."""
    if name in request.form.getlist("conflict-id"):
        choice = request.form.get("keep-all") or request.form.get(f"keep.{name}")
        if choice not in ("mine", "theirs"):
            raise InvalidInput(both("Kies bij elke tekst welke u wilt houden."))
        if choice == "mine":
            return request.form.get(f"mine.{name}", "")
    return request.form.get(name, "")


def _value(name: str, sent: str) -> Any:
    part = name.partition(".")[0]
    if not sent.strip():
        return None
    if part == "score":
        return int(sent) if re.fullmatch(r"[0-9]{1,3}", sent) else -1
    if part == "sufficient":
        return ANSWERS.get(sent, sent)
    if part == "pages":
        found = re.split(r"[\s,;]+", sent.strip(" ,;"))
        if not all(re.fullmatch(r"[0-9]{1,6}", one) for one in found):
            raise InvalidInput(both("Schrijf bij pagina’s alleen nummers, met komma’s ertussen: 2, 14."))
        return sorted({int(one) for one in found})
    return sent


# --- when it can no longer be kept -----------------------------------------------------------------------------------


def keeps_typed(view: View) -> View:
    """Around ``@guard``: whoever may no longer judge what he was judging is told so, with what he typed to copy."""

    @wraps(view)
    def kept(**address: Any) -> ResponseReturnValue:
        try:
            return view(**address)
        except (NotFound, Forbidden, Conflict, InvalidInput) as refusal:
            session.rollback()
            if not current_user.is_authenticated or not _was_his(address.get("assessment_id", 0)):
                raise
            lost = isinstance(refusal, NotFound | Forbidden)
            text = _taken_away() if lost else refusal.text
            if wants_json():
                raise type(refusal)(text) from refusal
            page = render_template(
                "assessor/stopped.html",
                text=pick(text, current_language()),
                typed=[value for value in as_sent().values() if len(value) > 3],
                back="" if lost else address["assessment_id"],
            )
            return page, status_of(refusal)

    return kept  # type: ignore[return-value]


def _was_his(assessment_id: int) -> bool:
    """Whether he has or had this assessment: then he knows that it exists."""
    mine = select(Assignment.id).where(Assignment.assessment_id == assessment_id, Assignment.assessor_id == me().id)
    return session.scalar(mine.limit(1)) is not None


def _taken_away() -> Text:
    return both(
        "U kunt dit dossier niet meer beoordelen. Het secretariaat heeft uw toewijzing of uw rol beëindigd, of het dossier is "
        "teruggegeven aan de kandidaat. Wat al bewaard was, blijft bewaard."
    )


def error_list(area: Section | None, wrong: Mapping[str, Text]) -> list[dict[str, str]]:
    """For the summary above the h1: each with the place where it is mended."""
    language = current_language()
    return [{"text": pick(text, language), "href": f"#{field_id(area, name)}"} for name, text in wrong.items()]


def field_id(area: Section | None, name: str) -> str:
    """The id of a field's first control: areas share names, ids never."""
    return f"{area.id if area else 'whole'}-{name.replace('.', '-')}"
