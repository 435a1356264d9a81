"""Who judges what. Nobody judges himself or a person whom he supervised."""

from sqlalchemy import func, or_, select

from app import mail
from app.accounts.models import Account
from app.assessment.models import Assessment, Assignment
from app.dossiers import lifecycle, log
from app.dossiers.models import Dossier, Statement
from app.errors import Conflict, InvalidInput
from app.extensions import now, session
from app.texts import both

OPEN_FOR_JUDGING = ("submitted", "in_assessment")


def conflict_of(assessor: Account, dossier: Dossier) -> dict[str, str] | None:
    """Why this person may not judge this dossier, or ``None``. A supervisor is known by his address, in any dossier.

    Whoever signed counts for ever; an invitation that was withdrawn unsigned (a slip in the address) does not.
    """
    if assessor.id == dossier.owner_id:
        return both("Niemand beoordeelt zijn eigen dossier.")
    supervised = session.scalar(
        select(func.count(Statement.id))
        .join(Dossier, Statement.dossier_id == Dossier.id)
        .where(
            Dossier.owner_id == dossier.owner_id,
            Statement.email == assessor.email,
            or_(Statement.stage != "revoked", Statement.signed_at.is_not(None)),
        )
    )
    if supervised:
        return both("%(name)s is of was supervisor van deze kandidaat en kan het dossier niet beoordelen.", name=assessor.name)
    return None


def assign(assessment: Assessment, assessor: Account, *, by: Account | None) -> Assignment:
    """Puts an assessor on an assessment and tells him by mail. Raises ``InvalidInput`` for a conflict of interest or a
    missing role, ``Conflict`` when he is on it already or the dossier is not there to be judged.
    """
    if assessment.dossier.stage not in OPEN_FOR_JUDGING:
        raise Conflict(both("Dit dossier wordt nu niet beoordeeld. U kunt er niemand aan toewijzen."))
    if "assessor" not in assessor.roles or assessor.disabled_at is not None:
        raise InvalidInput(both("%(name)s is geen beoordelaar.", name=assessor.name))
    conflict = conflict_of(assessor, assessment.dossier)
    if conflict:
        raise InvalidInput(conflict)
    if current(assessment, assessor) is not None:
        raise Conflict(both("%(name)s beoordeelt dit dossier al.", name=assessor.name))
    assignment = Assignment(
        assessment_id=assessment.id, assessor_id=assessor.id, assigned_by_id=by.id if by is not None else None
    )
    session.add(assignment)
    session.flush()
    dossier = assessment.dossier
    if dossier.stage == "submitted":
        lifecycle.advance(dossier, "in_assessment")
        log.note(dossier, "in_assessment")
    mail.put(
        to=assessor.email,
        template="assignment",
        language=assessor.language,
        data={
            "name": assessor.name,
            "dossier": dossier.reference,
            "link": f"/beoordelen/{assessment.id}",
        },
        key=f"assignment:{assignment.id}",
    )
    return assignment


def end(assignment: Assignment) -> None:
    """Takes the assessor off; he sees the dossier no longer."""
    if assignment.ended_at is None:
        assignment.ended_at = now()


def current(assessment: Assessment, assessor: Account) -> Assignment | None:
    """The open assignment of this assessor on this assessment, if any."""
    return session.scalar(
        select(Assignment).where(
            Assignment.assessment_id == assessment.id,
            Assignment.assessor_id == assessor.id,
            Assignment.ended_at.is_(None),
        )
    )
