"""What is assigned to an assessor, and his declaration of independence: the door of every dossier."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import audit, permissions
from app.assessment import assignment, queue, verdicts
from app.assessment.models import Assessment, Assignment
from app.dossiers.answers import checked
from app.errors import InvalidInput
from app.extensions import session, transaction
from app.schemes import models as stored_templates
from app.texts import both, pick
from app.web import ways
from app.web.assessor import blueprint
from app.web.auth import say
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import assessment_of, me, only_fields, ring_due


@blueprint.get("")
@guard("assessment.list")
def home() -> ResponseReturnValue:
    given = queue.assigned_to(me())
    progress = verdicts.progress(me(), given)
    language = current_language()
    rows = [
        {
            "assessment_id": one.assessment_id,
            "reference": one.assessment.dossier.reference,
            "candidate": one.assessment.dossier.owner.name,
            "scheme": pick(stored_templates.get(one.assessment.dossier.template_sha256).full_title, language),
            "since": one.assigned_at,
            "declared": one.declared_at is not None,
            "open": one.assessment.dossier.stage in assignment.OPEN_FOR_JUDGING,
            "progress": progress[one.assessment_id],
        }
        for one in given
    ]
    return render_template("assessor/home.html", rows=rows)


@blueprint.get("/<int:assessment_id>")
@guard("assessment.declare", assessment_of)
def door(assessment: Assessment) -> ResponseReturnValue:
    """The declaration for whoever has not given it yet; the dossier for whoever has."""
    if permissions.may(me(), "assessment.read", assessment):
        return redirect(url_for("assessor.read", assessment_id=assessment.id))
    return declaration_page(assessment)


def declared_already(assessment: Assessment) -> ResponseReturnValue | None:
    """The second of two clicks that said why he cannot judge it: he is off it since the first."""
    reason = checked(request.form.get("reason", "")).strip()
    told = select(Assignment.id).where(
        Assignment.assessment_id == assessment.id, Assignment.assessor_id == me().id, Assignment.conflict_reason == reason
    )
    if request.form.get("interest") == "none" or not reason or session.scalar(told.limit(1)) is None:
        return None
    say("info", both("U had dit al gemeld. U beoordeelt dit dossier niet."))
    return redirect(url_for("assessor.home"))


@blueprint.post("/<int:assessment_id>/verklaring")
@guard("assessment.declare", assessment_of, already=declared_already)
def declare(assessment: Assessment) -> ResponseReturnValue:
    only_fields("interest", "reason")
    if request.form.get("interest") == "none":
        with transaction():
            if assignment.declare(assignment.current_or_gone(assessment, me())):
                audit.write("assessment.declared", actor=me(), thing=assessment)
        return redirect(url_for("assessor.read", assessment_id=assessment.id))
    try:
        with transaction():
            if assignment.declare_conflict(assignment.current_or_gone(assessment, me()), request.form.get("reason", "")):
                audit.write("assessment.conflict_declared", actor=me(), thing=assessment)
    except InvalidInput as refusal:
        return declaration_page(assessment, refusal), 422
    ring_due("mail")
    say("ok", both("Dank u voor uw melding. U beoordeelt dit dossier niet; het secretariaat wijst iemand anders aan."))
    return redirect(url_for("assessor.home"))


def declaration_page(assessment: Assessment, refusal: InvalidInput | None = None) -> str:
    """Who is concerned, so that an assessor recognises a conflict of interest; nothing of what is in the dossier."""
    language = current_language()
    dossier = assessment.dossier
    template = stored_templates.get(dossier.template_sha256)
    words = pick(refusal.text, language) if refusal else ""
    return render_template(
        "assessor/declaration.html",
        assessment=assessment,
        dossier=dossier,
        scheme=pick(template.full_title, language),
        way=pick(ways.in_words(template), language),
        around=assignment.people_around(dossier),
        reason=request.form.get("reason", ""),
        wrong=words,
        errors=[{"text": words, "href": "#reason"}] if words else [],
    )
