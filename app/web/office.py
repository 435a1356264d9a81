"""The secretariat's pages, as far as the queue needs them: who judges what, what is stuck, which plugins work."""

from collections import defaultdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy import or_, select

from app import audit, pipeline
from app.accounts.models import Account, AccountRole
from app.assessment import assignment, queue
from app.assessment.models import Assessment, Assignment
from app.dossiers.models import Snapshot
from app.errors import DomainError, NotFound
from app.extensions import session, transaction
from app.texts import both, pick
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import LARGEST_ID, assessment_of, installation, me, ring, ring_due

blueprint = Blueprint("office", __name__, url_prefix="/secretariaat")


class AssignForm(Schema):
    class Meta:
        unknown = RAISE

    assessor = fields.Integer(required=True, validate=validate.Range(max=LARGEST_ID))


@blueprint.get("")
@guard("office.queue")
def home() -> ResponseReturnValue:
    """The queue with its assessors, and what did not go well by itself."""
    assessments = queue.waiting()
    assigned: dict[int, list[Assignment]] = defaultdict(list)
    for one in session.scalars(select(Assignment).where(Assignment.ended_at.is_(None)).order_by(Assignment.id)):
        assigned[one.assessment_id].append(one)
    stuck = session.scalars(
        select(Snapshot)
        .where(Snapshot.error.is_not(None), or_(Snapshot.stage != "handed_over", Snapshot.delivered_at.is_(None)))
        .order_by(Snapshot.id)
    ).all()
    return render_template("office/home.html", assessments=assessments, assigned=assigned, assessors=assessors(), stuck=stuck)


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
    return redirect(url_for("office.home"))


@blueprint.post("/beoordelingen/<int:assessment_id>/intrekken/<int:assignment_id>")
@guard("assessment.assign", assessment_of)
def end_assignment(assessment: Assessment, assignment_id: int) -> ResponseReturnValue:
    with transaction():
        given = session.get(Assignment, assignment_id)
        if given is None or given.assessment_id != assessment.id:
            raise NotFound(both("Deze toewijzing bestaat niet."))
        assignment.end(given)
        audit.write("assessment.unassigned", actor=me(), thing=assessment, assessor=given.assessor_id)
        name = given.assessor.name
    flash(pick(both("%(name)s ziet dit dossier niet meer.", name=name), current_language()), "ok")
    return redirect(url_for("office.home"))


@blueprint.post("/vastgelopen/<int:snapshot_id>/opnieuw")
@guard("office.queue")
def retry(snapshot_id: int) -> ResponseReturnValue:
    with transaction():
        snapshot = session.get(Snapshot, snapshot_id)
        if snapshot is None:
            raise NotFound(both("Deze stap bestaat niet."))
        pipeline.retry(snapshot)
        audit.write("snapshot.retried", actor=me(), thing=snapshot)
    ring("snapshot", snapshot_id)
    flash(pick(both("Wij proberen het nu opnieuw. Ververs deze pagina over een minuut."), current_language()), "ok")
    return redirect(url_for("office.home"))


@blueprint.get("/plugins")
@guard("office.plugins")
def plugins() -> ResponseReturnValue:
    return render_template("office/plugins.html", catalogue=installation().catalogue)


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
            .order_by(Account.name)
        )
    )
