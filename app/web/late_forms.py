"""A page that stood open while its dossier went to another version of the forms: what was typed there is kept all the same."""

import re
from collections.abc import Mapping
from typing import Any

from flask import jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.dossiers import former, rebasing
from app.dossiers.models import Dossier
from app.errors import InvalidInput
from app.extensions import transaction
from app.schemes import models as stored_templates
from app.schemes import question_types
from app.schemes.model import Section
from app.schemes.question_types import Types
from app.texts import both, pick
from app.web.auth import say
from app.web.evidence import kinds_of, take_in
from app.web.language import current_language
from app.web.parts import form_lists, installation

FIELD = "made-for"  # the template that a form was made from; with a hyphen it is no question's name
LENGTH = 16
NOT_TYPED = frozenset({"evidence", "table", "statement"})


def mark(dossier: Dossier) -> str:
    """What the field ``FIELD`` of a form holds."""
    return dossier.template_sha256[:LENGTH]


def made_for(dossier: Dossier, section_id: str) -> tuple[str, Section] | None:
    """The former template that the form which was sent was made from, with the section in it."""
    sent = request.form.get(FIELD, "")
    if len(sent) != LENGTH or dossier.template_sha256.startswith(sent):
        return None
    sha256 = next((one for one in former.templates(dossier) if one.startswith(sent)), None)
    section = stored_templates.get(sha256).section(section_id) if sha256 else None
    return (sha256, section) if sha256 and section else None


def keep(dossier: Dossier, section_id: str, *, by_itself: bool = False) -> ResponseReturnValue | None:
    """Keeps what a page of a former version sends, and leads to the page of now. ``None``: the form is of now.

    ``by_itself``: the page's script saved; it then sends the whole form, which leads on.
    """
    found = made_for(dossier, section_id)
    if found is None:
        return None
    sha256, section = found
    types = _types(sha256)
    form = form_lists()
    typed = {
        one.id: types[one.type].read(form, one.id, one.settings)
        for one in section.questions
        if one.type in types and one.type not in NOT_TYPED
    }
    with transaction():
        kept = rebasing.keep_late(dossier, sha256, section_id, typed, _version())
    if by_itself:
        words = both("De formulieren zijn intussen vernieuwd. Wat u typte, is bewaard.")
        return jsonify(error=pick(words, current_language()), late=True), 409
    for question in section.questions:
        if question.type == "evidence":
            for text in take_in(dossier, request.files.getlist(f"{question.id}.upload"), kinds_of(question.settings)).refusals:
                say("warn", text)
    return _onward(dossier, section_id, kept)


def keep_row(dossier: Dossier, section_id: str, question_id: str, row_id: str) -> ResponseReturnValue | None:
    """As ``keep``, for the row of a table, which becomes readable beside the table as it is now."""
    found = made_for(dossier, section_id)
    table = found[1].question(question_id) if found else None
    if found is None or table is None or table.type != "table" or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", row_id):
        return None
    row = {**question_types.read_row(form_lists(), question_id, table.settings), "row": row_id}
    with transaction():
        kept = rebasing.keep_late_row(dossier, found[0], section_id, question_id, row, request.form.get("before", ""))
    return _onward(dossier, section_id, kept)


def _types(sha256: str) -> Types:
    return question_types.types(installation().catalogue.plugins_of(stored_templates.get(sha256)))


def _version() -> int:
    sent = request.form.get("version", "")
    if not re.fullmatch(r"[0-9]{1,9}", sent):
        raise InvalidInput(both("Deze pagina is te oud of niet van ons. Ververs de pagina en probeer het opnieuw."))
    return int(sent)


def _onward(dossier: Dossier, section_id: str, kept: bool) -> ResponseReturnValue:
    address: Mapping[str, Any] = {"reference": dossier.reference}
    if kept:
        words = both(
            "De formulieren zijn vernieuwd terwijl deze pagina openstond. Alles wat u typte, is bewaard. Wat niet meer wordt "
            "gevraagd of intussen ergens anders is gewijzigd, staat hieronder."
        )
        say("info", words)
        return redirect(url_for("candidate.no_longer_asked", **address))
    say("ok", both("De formulieren zijn vernieuwd terwijl deze pagina openstond. Wat u typte, is opgeslagen."))
    if stored_templates.get(dossier.template_sha256).section(section_id) is None:
        return redirect(url_for("candidate.tasks", **address))
    return redirect(url_for("section.show", section_id=section_id, **address))
