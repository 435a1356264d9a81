"""Who judges what: everybody who can be chosen, with how much he has to do, and why somebody cannot."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import RAISE, Schema, ValidationError, validate
from marshmallow import fields as typed
from sqlalchemy import func, select

from app import audit, names
from app.accounts.models import Account, AccountRole
from app.assessment import assignment, fees, taking_off
from app.assessment.models import Assessment, Assignment
from app.errors import Conflict, DomainError, InvalidInput, NotFound
from app.extensions import session, transaction
from app.schemes import models as stored_templates
from app.texts import both, both_n, pick
from app.web.dates import day
from app.web.errors import status_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, fields
from app.web.parts import LARGEST_ID, assessment_of, me, only_fields, ring_due


class AssignForm(Schema):
    class Meta:
        unknown = RAISE

    assessor = typed.Integer(required=True, validate=validate.Range(max=LARGEST_ID))


@blueprint.get("/beoordelingen/<int:assessment_id>")
@guard("assessment.assign", assessment_of)
def assessors_page(assessment: Assessment) -> ResponseReturnValue:
    """Who is on it and who can be; the number of queries does not grow with the people."""
    language, dossier = current_language(), assessment.dossier
    given = session.scalars(
        select(Assignment).where(Assignment.assessment_id == assessment.id, Assignment.ended_at.is_(None)).order_by(Assignment.id)
    ).all()
    needed = stored_templates.get(dossier.template_sha256).assessors
    taken = {one.assessor_id for one in given}
    free = [one for one in assessors() if one.id not in taken]
    oneself = {me().id: both("Niemand wijst zichzelf aan als beoordelaar. Vraag een collega om dat te doen.")}
    reasons, load = {**oneself, **assignment.refusals(free, assessment)}, loads()
    fee = fees.of_dossier(dossier)
    return render_template(
        "office/assessors.html",
        assessment=assessment,
        dossier=dossier,
        given=[{"id": one.id, "name": one.assessor.name, "since": day(one.assigned_at)} for one in given],
        free=[
            {
                "id": one.id,
                "name": one.name,
                "load": pick(both_n("%(n)s dossier", "%(n)s dossiers", load.get(one.id, 0)), language),
                "reason": pick(reasons.get(one.id), language),
            }
            for one in sorted(free, key=lambda one: (one.id in reasons, load.get(one.id, 0), names.key(one.name)))
        ],
        around=assignment.people_around(dossier),
        words=pick(both("%(n)s van %(all)s toegewezen", n=len(given), all=needed), language),
        full=len(given) >= needed,
        admitted=assignment.is_ready(assessment),
        unpaid=fee is None or fee.state == "invoiced",
    )


@blueprint.post("/beoordelingen/<int:assessment_id>/toewijzen")
@guard("assessment.assign", assessment_of)
def assign(assessment: Assessment) -> ResponseReturnValue:
    assessor = session.get(Account, chosen_assessor())
    if assessor is None:
        raise NotFound(both("Deze beoordelaar bestaat niet."))
    try:
        with transaction():
            assignment.assign(assessment, assessor, by=me())
            audit.write("assessment.assigned", actor=me(), thing=assessment, assessor=assessor.id)
    except DomainError as refusal:
        flash(pick(refusal.text, current_language()), "error")
    else:
        ring_due("mail")
        text = both("%(name)s beoordeelt dossier %(reference)s.", name=assessor.name, reference=assessment.dossier.reference)
        flash(pick(text, current_language()), "ok")
    return redirect(url_for("office.assessors_page", assessment_id=assessment.id))


@blueprint.get("/beoordelingen/<int:assessment_id>/intrekken/<int:assignment_id>")
@guard("assessment.assign", assessment_of)
def ask_end_assignment(assessment: Assessment, assignment_id: int) -> ResponseReturnValue:
    """Says what goes with it, and asks why."""
    given = taking_off.find(assessment, assignment_id)
    if given.ended_at is not None:
        return was_off(given)
    return end_page(given)


@blueprint.post("/beoordelingen/<int:assessment_id>/intrekken/<int:assignment_id>")
@guard("assessment.assign", assessment_of)
def end_assignment(assessment: Assessment, assignment_id: int) -> ResponseReturnValue:
    only_fields("reason", "signed")
    given = taking_off.find(assessment, assignment_id)
    try:
        with transaction():
            given = taking_off.find(assessment, assignment_id, locked=True)
            shown_signed = request.form.get("signed") == "yes"
            if ended := taking_off.take_off(given, fields.text("reason"), shown_signed=shown_signed, by=me()):
                audit.write("assessment.unassigned", actor=me(), thing=assessment, assessor=given.assessor_id)
    except (InvalidInput, Conflict) as refusal:
        return end_page(given, refusal)
    if not ended:
        return was_off(given)
    ring_due("mail")
    flash(pick(both("%(name)s ziet dit dossier niet meer.", name=given.assessor.name), current_language()), "ok")
    return redirect(url_for("office.assessors_page", assessment_id=assessment.id))


def was_off(given: Assignment) -> ResponseReturnValue:
    flash(pick(both("%(name)s was al van dit dossier gehaald.", name=given.assessor.name), current_language()), "info")
    return redirect(url_for("office.assessors_page", assessment_id=given.assessment_id))


def end_page(given: Assignment, refusal: InvalidInput | Conflict | None = None) -> ResponseReturnValue:
    """What goes with it; after a refusal with what was typed."""
    wrong = pick(refusal.text, current_language()) if refusal is not None else ""
    html = render_template(
        "office/end_assignment.html",
        given=given,
        dossier=given.assessment.dossier,
        goes=taking_off.what_goes(given),
        reason=fields.text("reason"),
        wrong=wrong,
        errors=[{"text": wrong, "href": "#reason"}] if wrong else [],
    )
    return html, status_of(refusal) if refusal is not None else 200


def chosen_assessor() -> int:
    try:
        form: dict[str, int] = AssignForm().load({key: value for key, value in request.form.items() if key != "csrf_token"})
    except ValidationError:
        raise NotFound(both("Kies een beoordelaar uit de lijst.")) from None
    return form["assessor"]


def assessors() -> list[Account]:
    """Everybody who can be assigned, by name."""
    return list(
        session.scalars(
            select(Account)
            .join(AccountRole, AccountRole.account_id == Account.id)
            .where(AccountRole.role == "assessor", Account.disabled_at.is_(None))
            .order_by(names.by(Account.name), Account.id)
        )
    )


def loads() -> Mapping[int, int]:
    """How many dossiers each assessor has on his hands now, by account id."""
    rows: Any = session.execute(
        select(Assignment.assessor_id, func.count()).where(Assignment.ended_at.is_(None)).group_by(Assignment.assessor_id)
    )
    return dict(rows.all())
