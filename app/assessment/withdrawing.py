"""Withdrawing a dossier: by its candidate, or by the office. Whatever was waiting for it ends; nothing that was written goes."""

from sqlalchemy import select

from app import mail
from app.accounts import messages
from app.accounts.models import Account
from app.assessment import assignment
from app.assessment.models import Assessment, Assignment
from app.dossiers import invitations, lifecycle, log
from app.dossiers.answers import checked
from app.dossiers.models import Dossier, Mentorship, Statement
from app.errors import InvalidInput
from app.extensions import now, session
from app.texts import both

MAX_REASON = 2000


def withdraw(dossier: Dossier, reason: str, *, by: Account) -> list[Assignment]:
    """Ends the dossier for good and tells whom it concerns. Gives the assignments that ended with it.

    The office has to say why. Raises ``Conflict`` when it was withdrawn or decided already.
    """
    reason = checked(reason).strip()
    if len(reason) > MAX_REASON:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_REASON), field="reason")
    if not reason and by.id != dossier.owner_id:
        raise InvalidInput(both("Schrijf waarom u dit dossier intrekt."), field="reason")
    lifecycle.advance(dossier, "withdrawn", withdrawn_at=now(), withdrawn_reason=reason)
    lifecycle.abandon_snapshots(dossier)
    _end_invitations(dossier)
    ended = _end_assignments(dossier)
    log.note(dossier, "withdrawn")
    for person, link in [(dossier.owner, f"/dossier/{dossier.reference}"), *((one.assessor, "/beoordelen") for one in ended)]:
        messages.tell(
            person,
            "dossier_withdrawn" if person.id == dossier.owner_id else "assignment_withdrawn",
            {"name": person.name, "dossier": dossier.reference, "link": link},
            key=f"dossier_withdrawn:{dossier.id}:{person.id}",
        )
    return ended


def _end_assignments(dossier: Dossier) -> list[Assignment]:
    running = session.scalars(
        select(Assignment)
        .join(Assessment, Assignment.assessment_id == Assessment.id)
        .where(Assessment.dossier_id == dossier.id, Assignment.ended_at.is_(None))
    ).all()
    for one in running:
        assignment.end(one)
    return list(running)


def _end_invitations(dossier: Dossier) -> None:
    """Of supervisors who have not answered, and of the mentor; each is told, so that nobody opens a link in vain."""
    candidate = dossier.owner.name
    invited = select(Statement).where(Statement.dossier_id == dossier.id, Statement.stage == "invited")
    for statement in session.scalars(invited).all():
        invitations.revoke(statement)
        invitations.tell_withdrawn(statement)
    running = select(Mentorship).where(Mentorship.dossier_id == dossier.id, Mentorship.ended_at.is_(None))
    for mentorship in session.scalars(running).all():
        mentorship.ended_at = now()
        key = f"mentor_withdrawn:{mentorship.id}"
        if mentorship.mentor is not None:
            told = {"name": mentorship.mentor.name, "candidate": candidate, "dossier": dossier.reference, "link": "/meelezen"}
            messages.tell(mentorship.mentor, "mentor_withdrawn", told, key=key)
        else:
            mail.put(
                to=mentorship.email,
                template="mentor_invitation_withdrawn",
                language=mentorship.language,
                data={"name": mentorship.name, "candidate": candidate, "dossier": dossier.reference},
                key=key,
            )
