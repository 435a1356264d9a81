"""The end of an assessor's work: his summary of the whole, his signature, and the receipt of it."""

from collections.abc import Mapping

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.assessment import assignment, drafts, verdicts
from app.assessment.drafts import StaleDraft
from app.assessment.models import Assessment
from app.assessment.verdicts import Incomplete
from app.dossiers.submission import today
from app.errors import Text
from app.extensions import transaction
from app.texts import both, pick
from app.web import ways
from app.web.assessor import blueprint
from app.web.assessor.documents import newest_bundle, note_look
from app.web.assessor.drafting import conflict_page, his
from app.web.assessor.judging import chip, kept_at
from app.web.assessor.typed import field_id, keeps_typed, number, read_form
from app.web.auth import say
from app.web.dates import day, when
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import assessment_of, me


@blueprint.get("/<int:assessment_id>/afronden")
@guard("assessment.read", assessment_of)
def finish(assessment: Assessment) -> ResponseReturnValue:
    note_look("assessment.viewed", assessment, newest_bundle(assessment))
    return finish_page(assessment)


@blueprint.post("/<int:assessment_id>/afronden")
@keeps_typed
@guard("assessment.judge", assessment_of)
def sign(assessment: Assessment) -> ResponseReturnValue:
    """Keeps what was typed first, so that a refusal loses nothing; then signs."""
    typed, _ = read_form(None)
    assessment_id = assessment.id
    address = url_for("assessor.finish", assessment_id=assessment_id)
    if request.form.get("action") != "sign" or not signed_already(assessment):
        try:
            with transaction():
                verdicts.save_draft(his(assessment), drafts.WHOLE, typed, number("version"))
        except StaleDraft as stale:
            return conflict_page(assessment, None, stale)
    if request.form.get("action") != "sign":
        say("ok", both("Uw concept is bewaard."))
        return redirect(address)
    try:
        with transaction():
            signed, first = verdicts.sign_off(
                his(assessment),
                summary=str(typed.get("summary") or ""),
                name=request.form.get("name", ""),
                snapshot_id=number("snapshot"),
            )
            if first:
                audit.write("assessment.signed_off", actor=me(), thing=assessment, sign_off=signed.id)
    except Incomplete as refusal:
        return finish_page(assessment, dict(refusal.missing), request.form.get("name", "")), 422
    return redirect(address)


def signed_already(assessment: Assessment) -> bool:
    return verdicts.open_judging(his(assessment)).signed is not None


def finish_page(assessment: Assessment, wrong: Mapping[str, Text] | None = None, name: str = "") -> str:
    language = current_language()
    judging = verdicts.open_judging(assignment.current_or_gone(assessment, me()))
    wrong = wrong or {}
    areas = [
        {
            "number": position,
            "title": pick(one.area.title, language),
            "chip": chip(judging, one),
            "id": one.area.id,
            "href": url_for("assessor.read", assessment_id=assessment.id, gebied=one.area.id, _anchor="beoordeling"),
            "rationale": one.verdict.rationale if one.verdict else "",
        }
        for position, one in enumerate(judging.areas, 1)
    ]
    signed = judging.signed
    return render_template(
        "assessor/finish.html",
        assessment=assessment,
        judging=judging,
        areas=areas,
        summary=signed.summary if signed else judging.whole.get("summary", ""),
        notes=judging.whole.get("notes", ""),
        name=name,
        today=day(today()),
        session=pick(ways.oral_session(judging.template), language),
        signed_at=when(signed.signed_at) if signed else "",
        saved=kept_at(judging),
        wrong={one: pick(text, language) for one, text in wrong.items()},
        errors=[
            {
                "text": pick(text, language),
                "href": f"#{one.replace('.', '-')}" if one.startswith("area.") else f"#{field_id(None, one)}",
            }
            for one, text in wrong.items()
        ],
    )
