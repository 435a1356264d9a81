"""The mails about one dossier, and sending one of them again: to the person's address of today, and only while it concerns him.

A sent mail no longer holds its link. An ordinary link is made anew from the dossier; a secret one cannot be, so a supervisor
gets a reminder with a fresh link instead, and other mails with a secret link are not sent again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select

from app import mail
from app.accounts.models import Account, EmailChange
from app.assessment.models import Assessment, Assignment
from app.config import Settings
from app.dossiers import invitations
from app.dossiers.models import Dossier, Statement
from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import session
from app.mail import Mail
from app.texts import both

MOST_SHOWN = 100
STATEMENT_KEYS = ("statement", "statement_reminder")
INVITATIONS = ("supervisor_invitation", "supervisor_reminder", "supervisor_again", "client_invitation", "client_reminder")
PLACES = {"submission_receipt": "/ontvangst", "dossier_handed_over": "/ontvangst", "evidence_refused": "/bewijs"}
TO_ASSESSORS = ("assignment", "assignment_withdrawn", "assignment_ended")


def of_dossier(dossier: Dossier) -> Sequence[Mail]:
    """What was mailed about it, newest first; to its supervisors too, whose mails are known by their statement's key."""
    statements = session.scalars(select(Statement.id).where(Statement.dossier_id == dossier.id)).all()
    keys = [Mail.key.startswith(f"{kind}:{one}:", autoescape=True) for one in statements for kind in STATEMENT_KEYS]
    return session.scalars(
        select(Mail)
        .where(
            or_(
                Mail.data["dossier"].as_string() == dossier.reference,
                *keys,
            )
        )
        .order_by(Mail.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def can_go_again(dossier: Dossier, known: Sequence[Mail]) -> frozenset[int]:
    """Of these mails about it, the ids of those that make sense once more: not while one waits, not when its link was a
    secret that we no longer have, and not to whom the dossier no longer concerns.
    """
    statements = session.scalars(select(Statement).where(Statement.dossier_id == dossier.id)).all()
    people, assessors = _people(known), _assessors(dossier)
    return frozenset(one.id for one in known if _makes_sense(one, dossier, statements, people.get(one.id), assessors))


def send_again(dossier: Dossier, mail_id: int, *, times: int, settings: Settings) -> str:
    """Sends a mail once more and gives the address. ``times``: how often it went again when the page was made, so that
    the second click of two sends nothing. Raises ``Conflict`` when it cannot go (now).
    """
    letter = session.get(Mail, mail_id)
    about = of_dossier(dossier)
    if letter is None or letter.id not in {one.id for one in about}:
        raise NotFound(both("Deze e-mail hoort niet bij dit dossier."))
    if mail_id not in can_go_again(dossier, about):
        raise Conflict(both("Deze e-mail kan nu niet opnieuw worden verstuurd. Ververs de pagina."))
    if times_again(about)[mail_id] != times:
        raise Conflict(both("Deze e-mail is zojuist al opnieuw verstuurd."))
    if letter.template in INVITATIONS:
        statement = session.get_one(Statement, _statement_id(letter))
        invitations.remind(statement, settings)
        return statement.email
    person = _people([letter])[letter.id]
    data = {**letter.data, "name": person.name}
    if "link" in mail.TEMPLATES[letter.template]:
        data["link"] = "/beoordelen" if letter.template in TO_ASSESSORS else _link(dossier, letter.template)
    if set(data) != mail.TEMPLATES[letter.template]:
        raise InvalidInput(both("Deze e-mail is te oud om opnieuw te versturen."))
    key = f"again:{mail_id}:{times + 1}"
    mail.put(to=person.email, template=letter.template, language=person.language, data=data, key=key)
    return person.email


def times_again(known: Sequence[Mail]) -> dict[int, int]:
    """How often each of these mails of one dossier went again; of an invitation, how many went to that supervisor."""
    if not known:
        return {}
    keys = session.scalars(select(Mail.key).where(or_(*(Mail.key.startswith(f"again:{one.id}:") for one in known))))
    again = Counter(int((key or "").split(":")[1]) for key in keys)
    invited = Counter(_statement_id(one) for one in known if one.template in INVITATIONS)
    return {one.id: invited[_statement_id(one)] if one.template in INVITATIONS else again[one.id] for one in known}


def _link(dossier: Dossier, template: str) -> str:
    return f"/dossier/{dossier.reference}{PLACES.get(template, '')}"


def _makes_sense(
    letter: Mail, dossier: Dossier, statements: Sequence[Statement], person: Account | None, assessors: frozenset[int]
) -> bool:
    if letter.stage == "queued":
        return False
    if letter.template in INVITATIONS:
        return any(one.id == _statement_id(letter) and one.stage == "invited" for one in statements)
    if letter.template in mail.WITH_SECRET_LINK or person is None or person.disabled_at is not None:
        return False
    if letter.template == "assignment":
        return person.id in assessors
    if letter.template == "conflict_declared":
        return "office" in person.roles
    return letter.template in TO_ASSESSORS or person.id == dossier.owner_id


def _statement_id(letter: Mail) -> int:
    """Of a mail to a supervisor."""
    return int((letter.key or "").split(":")[1])


def _assessors(dossier: Dossier) -> frozenset[int]:
    running = (
        select(Assignment.assessor_id)
        .join(Assessment, Assignment.assessment_id == Assessment.id)
        .where(Assessment.dossier_id == dossier.id, Assignment.ended_at.is_(None))
    )
    return frozenset(session.scalars(running))


def _people(known: Sequence[Mail]) -> Mapping[int, Account]:
    """To whom each mail went, by its id: also who uses another address since."""
    addresses = {one.to for one in known}
    owners = {one.email: one for one in session.scalars(select(Account).where(Account.email.in_(addresses)))}
    moved = session.scalars(
        select(EmailChange)
        .where(
            EmailChange.old_email.in_(addresses),
            EmailChange.old_agreed_at.is_not(None),
            EmailChange.new_agreed_at.is_not(None),
        )
        .order_by(EmailChange.ended_at)
    ).all()
    found = {}
    for letter in known:
        later = (
            one.account for one in moved if one.old_email == letter.to and one.ended_at and one.ended_at >= letter.created_at
        )
        person = next(later, owners.get(letter.to))
        if person is not None:
            found[letter.id] = person
    return found
