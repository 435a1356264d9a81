"""Rule 7: nobody judges himself, or a person whom he supervised or mentored; and the reverse, when somebody is asked for that."""

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, exists, or_, select

from app.accounts.models import Account
from app.accounts.same_person import is_named_in, mailbox, mailboxes, mailboxes_in, plain_name
from app.assessment.models import Assessment, Assignment
from app.dossiers.models import Dossier, Mentorship, SectionVersion, Statement, StatementEvent
from app.errors import InvalidInput
from app.extensions import session
from app.schemes import models as stored_templates
from app.texts import both


def conflict_of(assessor: Account, dossier: Dossier) -> dict[str, str] | None:
    """Why this person may not judge this dossier, or ``None``."""
    return conflicts_of([assessor], dossier).get(assessor.id)


def conflicts_of(assessors: Iterable[Account], dossier: Dossier) -> dict[int, dict[str, str]]:
    """Why each of these people may not judge this dossier, by account id; who may is left out. As many queries for any number.

    What counts, in any dossier of the candidate: whoever signed a statement or accepted to be mentor, for ever; whom the
    candidate's answers name as mentor, or named; a supervisor who was asked or who declined, but not an invitation that was
    withdrawn unopened (a slip in the address). People are known by their account, by every address that they have or had, and
    a signature and a mentor also by name. Whoever declared a conflict of interest when he was assigned is not asked again.
    """
    people = list(assessors)
    supervisors = session.execute(
        select(Statement.email, Statement.name, Statement.signed_name, Statement.signed_at)
        .join(Dossier, Statement.dossier_id == Dossier.id)
        .where(Dossier.owner_id == dossier.owner_id, was_asked())
    ).all()
    mentors = session.execute(
        select(Mentorship.mentor_id, Mentorship.email, Mentorship.name)
        .join(Dossier, Mentorship.dossier_id == Dossier.id)
        .where(Dossier.owner_id == dossier.owner_id, Mentorship.accepted_at.is_not(None))
    ).all()
    declared = set(
        session.scalars(
            select(Assignment.assessor_id)
            .join(Assessment, Assignment.assessment_id == Assessment.id)
            .join(Dossier, Assessment.dossier_id == Dossier.id)
            .where(Dossier.owner_id == dossier.owner_id, Assignment.conflict_reason != "")
        )
    )
    supervised_at = {mailbox(one.email) for one in supervisors}
    signed_by = {plain_name(name) for one in supervisors if one.signed_at for name in (one.name, one.signed_name or one.name)}
    mentor_ids = {one.mentor_id for one in mentors}
    named = {text for texts in named_mentors(dossier.owner_id).values() for text in texts}
    mentored_at = {mailbox(one.email) for one in mentors} | {box for text in named for box in mailboxes_in(text)}
    named |= {one.name for one in mentors}
    reached_at = mailboxes(people)
    found = {}
    for person in people:
        if person.id == dossier.owner_id:
            found[person.id] = both("Niemand beoordeelt zijn eigen dossier.")
        elif reached_at[person.id] & supervised_at:
            found[person.id] = both(
                "%(name)s is gevraagd om een verklaring over deze kandidaat en kan het dossier niet beoordelen.", name=person.name
            )
        elif person.id in mentor_ids or reached_at[person.id] & mentored_at:
            found[person.id] = both(
                "%(name)s is of was mentor van deze kandidaat en kan het dossier niet beoordelen.", name=person.name
            )
        elif person.id in declared:
            found[person.id] = both("%(name)s heeft gemeld bij deze kandidaat een belang te hebben.", name=person.name)
        elif plain_name(person.name) in signed_by:
            found[person.id] = both(
                "Iemand met de naam %(name)s gaf een verklaring over deze kandidaat. %(name)s kan het dossier daarom niet "
                "beoordelen.",
                name=person.name,
            )
        elif any(is_named_in(text, person.name) for text in named):
            found[person.id] = both(
                "De kandidaat noemt als mentor iemand met de naam %(name)s. %(name)s kan het dossier daarom niet beoordelen.",
                name=person.name,
            )
    return found


def named_mentors(owner_id: int) -> dict[int, list[str]]:
    """Whom a candidate names or named as mentor in the answers of each dossier, as typed; what stands there now comes last.

    A template says by ``mentor`` in which question. Every version that is kept counts: who was a mentor stays one.
    """
    dossiers = session.execute(select(Dossier.id, Dossier.template_sha256).where(Dossier.owner_id == owner_id))
    asked = {one: stored_templates.get(sha256).mentor.partition(".") for one, sha256 in dossiers}
    sections = {section for section, _, question in asked.values() if question}
    if not sections:
        return {}
    rows = session.execute(
        select(SectionVersion.dossier_id, SectionVersion.section_id, SectionVersion.data)
        .where(SectionVersion.dossier_id.in_(asked), SectionVersion.section_id.in_(sections))
        .order_by(SectionVersion.version)
    )
    found: dict[int, list[str]] = {}
    for dossier_id, section_id, data in rows:
        section, _, question = asked[dossier_id]
        text = data.get(question)
        if section_id == section and isinstance(text, str):
            found.setdefault(dossier_id, []).append(text.strip())
    return {one: [text for number, text in enumerate(texts, 1) if text or number == len(texts)] for one, texts in found.items()}


def was_asked() -> ColumnElement[bool]:
    """Which statements make their supervisor known to the candidate: all but those withdrawn before anybody opened them."""
    opened = exists().where(StatementEvent.statement_id == Statement.id, StatementEvent.kind.in_(("opened", "read", "saved")))
    return or_(Statement.stage != "revoked", Statement.signed_at.is_not(None), opened)


def refuse_judge(dossier: Dossier, *, email: str = "", account: Account | None = None) -> None:
    """Raises ``InvalidInput`` when this address or account is of somebody who judges this candidate now.

    For who is asked as supervisor or mentor: the rule holds from both sides.
    """
    judging = session.scalars(
        select(Account)
        .join(Assignment, Assignment.assessor_id == Account.id)
        .join(Assessment, Assignment.assessment_id == Assessment.id)
        .join(Dossier, Assessment.dossier_id == Dossier.id)
        .where(Dossier.owner_id == dossier.owner_id, Assignment.ended_at.is_(None))
    ).all()
    if (account is not None and account.id in {one.id for one in judging}) or (
        email and mailbox(email) in _all_of(mailboxes(judging))
    ):
        raise InvalidInput(
            both(
                "Deze persoon is aangewezen om een dossier van de kandidaat te beoordelen. Wie beoordeelt, kan niet ook "
                "begeleiden of een verklaring geven. Vraag iemand anders."
            )
        )


def _all_of(boxes: Mapping[int, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*boxes.values())
