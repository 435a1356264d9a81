"""Who judges what. Who may not judge whom stands in ``conflicts``."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select, update

from app.accounts import messages
from app.accounts.models import Account, AccountRole
from app.accounts.same_person import is_named_in
from app.assessment import admission
from app.assessment.conflicts import conflict_of as conflict_of
from app.assessment.conflicts import conflicts_of as conflicts_of
from app.assessment.conflicts import named_mentors, was_asked
from app.assessment.models import Assessment, Assignment, HandOver, SignOff
from app.dossiers import lifecycle, log, mentors, statements
from app.dossiers.answers import checked
from app.dossiers.models import Dossier, Mentorship, Statement
from app.errors import Conflict, InvalidInput, NotFound, Text
from app.extensions import now, session
from app.schemes import models as stored_templates
from app.texts import both

OPEN_FOR_JUDGING = ("submitted", "in_assessment")
LONGEST_REASON = 2000


def assign(assessment: Assessment, assessor: Account, *, by: Account | None) -> Assignment:
    """Puts an assessor on an assessment and tells him by mail. Raises ``InvalidInput`` for a conflict of interest or a
    missing role, ``Conflict`` when he is on it already, was taken off after he signed, or the dossier is not there to be
    judged.
    """
    if assessment.dossier.stage not in OPEN_FOR_JUDGING:
        raise Conflict(both("Dit dossier wordt nu niet beoordeeld. U kunt er niemand aan toewijzen."))
    if not is_ready(assessment):
        raise Conflict(both("Dit dossier is nog niet toegelaten. Controleer eerst de toelatingseisen."))
    if "assessor" not in assessor.roles or assessor.disabled_at is not None:
        raise InvalidInput(both("%(name)s is geen beoordelaar.", name=assessor.name))
    if by is not None and by.id == assessor.id:
        raise InvalidInput(both("Niemand wijst zichzelf aan als beoordelaar. Vraag een collega om dat te doen."))
    conflict = conflict_of(assessor, assessment.dossier)
    if conflict:
        raise InvalidInput(conflict)
    if current(assessment, assessor) is not None:
        raise Conflict(both("%(name)s beoordeelt dit dossier al.", name=assessor.name))
    if assessor.id in signed_and_left(assessment):
        raise Conflict(_signed_and_left(assessor))
    needed = stored_templates.get(assessment.dossier.template_sha256).assessors
    if _number_of(assessment) >= needed:
        raise Conflict(
            both("Dit dossier heeft al %(n)s beoordelaars. Trek eerst een toewijzing in als u iemand anders wilt.", n=needed)
        )
    assignment = Assignment(
        assessment_id=assessment.id, assessor_id=assessor.id, assigned_by_id=by.id if by is not None else None
    )
    session.add(assignment)
    session.flush()
    dossier = assessment.dossier
    if dossier.stage == "submitted":
        lifecycle.advance(dossier, "in_assessment")
        log.note(dossier, "in_assessment")
    messages.tell(
        assessor,
        "assignment",
        {"name": assessor.name, "dossier": dossier.reference, "link": f"/beoordelen/{assessment.id}"},
        key=f"assignment:{assignment.id}",
    )
    return assignment


def refusals(assessors: Sequence[Account], assessment: Assessment) -> Mapping[int, Text]:
    """Why each of these people cannot be assigned, by account id; a fixed number of queries."""
    left = signed_and_left(assessment)
    signed = {one.id: _signed_and_left(one) for one in assessors if one.id in left}
    return {**signed, **conflicts_of(assessors, assessment.dossier)}


def signed_and_left(assessment: Assessment) -> frozenset[int]:
    """Accounts that signed the version of now and are off the dossier. A signature is given once and stays on record as of
    the former assignment: it must not come to count again because somebody is assigned anew.
    """
    bundles = select(func.count(HandOver.id)).where(HandOver.assessment_id == assessment.id).scalar_subquery()
    former = (
        select(SignOff.assessor_id)
        .join(Assignment, SignOff.assignment_id == Assignment.id)
        .where(SignOff.assessment_id == assessment.id, SignOff.round == bundles, Assignment.ended_at.is_not(None))
    )
    return frozenset(session.scalars(former))


def _signed_and_left(assessor: Account) -> Text:
    return both(
        "%(name)s ondertekende al een oordeel over dit dossier en is er daarna van afgehaald. Kies iemand anders.",
        name=assessor.name,
    )


def is_ready(assessment: Assessment) -> bool:
    """Whether it may be given to assessors: what was submitted last is admitted, or they are busy with it already."""
    return assessment.dossier.stage != "submitted" or admission.is_admitted(assessment.dossier)


def _number_of(assessment: Assessment) -> int:
    """How many are on it. The assessment's row is locked first, so that two who assign at once see each other's."""
    session.get(Assessment, assessment.id, with_for_update={"of": Assessment})
    running = select(func.count(Assignment.id)).where(Assignment.assessment_id == assessment.id, Assignment.ended_at.is_(None))
    return session.scalar(running) or 0


def declare(assignment: Assignment) -> bool:
    """He declares having no conflict of interest, which opens the dossier. ``False`` when he did so before."""
    if assignment.declared_at is not None:
        return False
    assignment.declared_at = now()
    return True


def declare_conflict(assignment: Assignment, reason: str) -> bool:
    """He declares having a conflict of interest: the assignment ends, he is never asked for this candidate again, and the
    office is told (not why: the reason stands in the assignment). ``False`` when he did so before.
    """
    if assignment.conflict_reason:
        return False
    words = checked(reason).strip()
    if not words:
        raise InvalidInput(both("Schrijf in een paar woorden welk belang u hebt."))
    if len(words) > LONGEST_REASON:
        raise InvalidInput(both("Uw uitleg is te lang. Gebruik hoogstens %(n)s tekens.", n=LONGEST_REASON))
    assignment.conflict_reason = words
    session.flush()
    end(assignment)
    dossier = assignment.assessment.dossier
    office = select(Account).join(AccountRole, AccountRole.account_id == Account.id).where(AccountRole.role == "office")
    for account in session.scalars(office.where(Account.disabled_at.is_(None), Account.id != dossier.owner_id)):
        messages.tell(
            account,
            "conflict_declared",
            {
                "name": account.name,
                "assessor": assignment.assessor.name,
                "dossier": dossier.reference,
                "link": "/secretariaat",
            },
            key=f"conflict_declared:{assignment.id}:{account.id}",
        )
    return True


def people_around(dossier: Dossier) -> Mapping[str, list[str]]:
    """Names by which an assessor recognises a conflict of interest: the supervisors and mentors of this candidate, those who
    accepted and those whom the answers name.

    Never who was asked to answer anonymously.
    """
    supervisors = (
        select(Statement)
        .join(Dossier, Statement.dossier_id == Dossier.id)
        .where(Dossier.owner_id == dossier.owner_id, was_asked())
    )
    accepted = (
        select(Mentorship)
        .join(Dossier, Mentorship.dossier_id == Dossier.id)
        .where(Dossier.owner_id == dossier.owner_id, Mentorship.accepted_at.is_not(None))
    )
    return {
        "supervisors": sorted({one.name for one in session.scalars(supervisors) if _is_by_name(one)}),
        "mentors": sorted(_mentor_names(dossier, session.scalars(accepted))),
    }


def _mentor_names(dossier: Dossier, accepted: Iterable[Mentorship]) -> set[str]:
    """Each mentor once: who is named in an answer and accepted with an account is one person, by the shortest name."""
    answered = {texts[-1] for texts in named_mentors(dossier.owner_id).values() if texts[-1]}
    names = {name for one in accepted for name in (one.name, mentors.mentor_name(one))} | answered
    shown: set[str] = set()
    for name in sorted(names, key=lambda one: (len(one), one)):
        if not any(is_named_in(name, other) for other in shown):
            shown.add(name)
    return shown


def _is_by_name(statement: Statement) -> bool:
    try:
        return not statements.is_anonymous(statement)
    except NotFound:  # its question is asked no longer
        return False


def end(assignment: Assignment) -> bool:
    """Takes the assessor off; he sees the dossier no longer. ``False``: it had ended already."""
    won = session.scalar(
        update(Assignment)
        .where(Assignment.id == assignment.id, Assignment.ended_at.is_(None))
        .values(ended_at=now())
        .returning(Assignment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(assignment, ["ended_at"])
    return won is not None


def take_off(assignment: Assignment) -> bool:
    """Ends it and tells the assessor so. ``False``: it had ended already."""
    if not end(assignment):
        return False
    assessor, dossier = assignment.assessor, assignment.assessment.dossier
    messages.tell(
        assessor,
        "assignment_ended",
        {"name": assessor.name, "dossier": dossier.reference, "link": "/beoordelen"},
        key=f"assignment_ended:{assignment.id}",
    )
    return True


def current(assessment: Assessment, assessor: Account) -> Assignment | None:
    """The open assignment of this assessor on this assessment, if any."""
    return session.scalar(
        select(Assignment).where(
            Assignment.assessment_id == assessment.id,
            Assignment.assessor_id == assessor.id,
            Assignment.ended_at.is_(None),
        )
    )


def current_or_gone(assessment: Assessment, assessor: Account) -> Assignment:
    """The open assignment, locked until the transaction ends. Raises ``NotFound`` when the office took it away meanwhile."""
    found = session.scalar(
        select(Assignment)
        .where(
            Assignment.assessment_id == assessment.id,
            Assignment.assessor_id == assessor.id,
            Assignment.ended_at.is_(None),
        )
        .with_for_update(of=Assignment)
    )
    if found is None:
        raise NotFound(both("Dit dossier is niet meer aan u toegewezen. Vraag het secretariaat als dat niet klopt."))
    return found
