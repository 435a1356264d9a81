"""Asking a supervisor or a client for a statement: inviting, correcting, reminding, asking again, withdrawing.

Every mailed link is fresh and ends the one before it, because only its hash is kept. Somebody who is at work has a session
of his own (``statements.open_session``), which goes on; a reminder that goes out by itself waits while such a session is open.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from app import mail
from app.accounts import attempts
from app.accounts.same_person import mailbox
from app.config import Settings
from app.dossiers import another_person, lifecycle, outcomes, statements
from app.dossiers.contents import Contents
from app.dossiers.models import Dossier, Evidence, Statement, StatementEvent
from app.errors import Conflict, Forbidden, InvalidInput
from app.extensions import now, session
from app.schemes import statement_settings
from app.schemes.model import Question
from app.schemes.statement_settings import StatementSettings
from app.texts import LANGUAGES, both, both_n

logger = logging.getLogger(__name__)

MAILS_TO_ONE_ADDRESS = 5  # an hour: the form must not become a way to pester somebody
ALREADY_ASKED = both(
    "Voor deze verklaring hebt u al iemand uitgenodigd. Op deze pagina staat hoe het ervoor staat. "
    "Wilt u iemand anders vragen? Trek de uitnodiging dan eerst in."
)
QUIET = timedelta(days=2)  # no reminder goes out by itself so soon after another mail with a link


def invite(
    contents: Contents,
    section_id: str,
    question_id: str,
    *,
    name: str,
    email: str,
    language: str,
    settings: Settings,
    place: int = 0,
) -> Statement:
    """Asks a supervisor for a statement; the link goes into the outbox. ``place``: which of the people asked for, from 0.

    Refused: what is no name or not one address, the candidate himself, somebody at another place of the same question or asked
    in another role, a second open invitation for the same place, a dossier that is not open, an outcome that was made.
    """
    dossier = contents.dossier
    _, question = statements.statement_question(dossier, section_id, question_id)
    of_question = statement_settings.of(question)
    if not 0 <= place < of_question.count:
        raise InvalidInput(both("Voor deze verklaring is geen %(role)s meer nodig.", role=of_question.role))
    if dossier.stage not in lifecycle.OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt geen %(role)s meer uitnodigen.", role=of_question.role))
    name, email = _person(dossier, question, name, email)
    if language not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal uw %(role)s de e-mail krijgt.", role=of_question.role), field="language")
    busy = _open_ones(dossier, section_id, question_id)
    if place in busy:
        raise Conflict(ALREADY_ASKED)
    _check_distinct(busy, email, of_question)
    if of_question.anonymous:
        _check_may_be_asked(contents, section_id, question, email)
    statement, token = _new(dossier, section_id, question_id, place, name=name, email=email, language=language, settings=settings)
    _send(statement, token, statements.letter(statement, "invitation"))
    return statement


@dataclass(frozen=True)
class Person:
    """Somebody to be asked, as typed. ``field`` tells which of the rows of a form it was."""

    name: str
    email: str
    language: str
    field: str = ""


def invite_all(
    contents: Contents, section_id: str, question_id: str, people: Sequence[Person], settings: Settings
) -> list[Statement]:
    """Asks several people at once for the free places of an anonymous question. All or nobody: a refusal names the field with
    the row's own mark behind it.
    """
    _, question = statements.statement_question(contents.dossier, section_id, question_id)
    free = outcomes.tally(contents, section_id, question).free
    if not people:
        raise InvalidInput(both("Vul van minstens één persoon de naam en het e-mailadres in."), field="name-0")
    if len(people) > len(free):
        raise Conflict(both_n("U kunt nu nog %(n)s persoon vragen.", "U kunt nu nog %(n)s personen vragen.", len(free)))
    asked = []
    for place, one in zip(free, people, strict=False):
        try:
            asked.append(
                invite(
                    contents, section_id, question_id,
                    name=one.name, email=one.email, language=one.language, settings=settings, place=place,
                )
            )  # fmt: skip
        except InvalidInput as refusal:
            raise InvalidInput(refusal.text, field=f"{refusal.details.get('field', 'email')}{one.field}") from refusal
    return asked


def close(contents: Contents, section_id: str, question_id: str) -> list[Statement]:
    """Enough people answered: makes the outcome and withdraws what is still open; whoever was asked is told. Gives those.

    Raises ``Conflict`` when there is an outcome or too few answered, ``Forbidden`` when the dossier is not open.
    """
    _, question = statements.statement_question(contents.dossier, section_id, question_id)
    if contents.dossier.stage not in lifecycle.OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend of ingetrokken. U kunt niets meer afsluiten."))
    tally = outcomes.tally(contents, section_id, question)
    if tally.counted:
        raise Conflict(both("De uitkomst is er al."))
    if not tally.can_close:
        raise Conflict(both("Er zijn nog te weinig verklaringen binnen om af te sluiten."))
    open_ones = [one for one in contents.asked(section_id, question) if one is not None and one.stage == "invited"]
    for statement in open_ones:
        revoke(statement)
        tell_withdrawn(statement)
    outcomes.count(contents, section_id, question)
    return open_ones


def tell_withdrawn(statement: Statement) -> None:
    """Tells somebody who was asked that his statement is no longer needed, so that he does not open the link in vain."""
    mail.put(
        to=statement.email,
        template=statements.letter(statement, "withdrawn"),
        language=statement.language,
        data=statements.letter_data(statement),
        key=f"statement:{statement.id}:withdrawn",
    )


def correct(statement: Statement, *, name: str, email: str, settings: Settings) -> Statement:
    """Sends the invitation to a corrected person or address, in one step. The former link and session stop at once.

    It is a new statement: nothing that was typed through the former link is shown to whoever opens the new one.
    """
    dossier = statement.dossier
    _check_waiting(statement)
    _, question = statements.statement_question(dossier, statement.section_id, statement.question_id)
    of_question = statement_settings.of(question)
    name, email = _person(dossier, question, name, email)
    if (name, email) == (statement.name, statement.email):
        raise InvalidInput(
            both("U hebt niets veranderd. Kreeg uw %(role)s geen e-mail? Stuur dan een herinnering.", role=of_question.role),
            field="email",
        )
    busy = _open_ones(dossier, statement.section_id, statement.question_id)
    _check_distinct({place: one for place, one in busy.items() if place != statement.place}, email, of_question)
    revoke(statement)
    corrected, token = _new(
        dossier,
        statement.section_id,
        statement.question_id,
        statement.place,
        name=name,
        email=email,
        language=statement.language,
        settings=settings,
    )
    _send(corrected, token, statements.letter(corrected, "invitation"))
    return corrected


def remind(statement: Statement, settings: Settings) -> None:
    """Mails a fresh link; the former link stops working. An open working session goes on."""
    _check_waiting(statement)
    token = _fresh_link(statement, settings)
    _send(statement, token, statements.letter(statement, "reminder"), "reminded")


def waiting() -> Sequence[int]:
    """Ids of the statements that may need a reminder."""
    asked = select(Statement.id).join(Dossier, Statement.dossier_id == Dossier.id)
    return session.scalars(
        asked.where(
            Statement.stage == "invited", Dossier.stage.in_(lifecycle.OPEN_STAGES), Statement.token_expires_at > now()
        ).order_by(Statement.id)
    ).all()


def remind_by_itself(statement: Statement, settings: Settings) -> bool:
    """Sends the reminder that the template wants by now, once; of several that were missed, only the last.

    Not while the supervisor is at work, nor just after another mail. Says whether a mail went out.
    """
    moment = now()
    if (
        statement.stage != "invited"
        or statement.dossier.stage not in lifecycle.OPEN_STAGES
        or statement.token_expires_at < moment
    ):
        return False
    question = statements.question_of(statement)
    passed = [days for days in statement_settings.of(question).reminders if statement.invited_at + timedelta(days=days) <= moment]
    if not passed or (statement.session_expires_at and statement.session_expires_at > moment):
        return False
    key = f"statement_reminder:{statement.id}:{passed[-1]}"
    if mail.was_put(key) or _last_mail(statement) + QUIET > moment:
        return False
    token = _fresh_link(statement, settings)
    _send(statement, token, statements.letter(statement, "reminder"), "reminded", key=key)
    return True


def renew(statement: Statement, contents: Contents, settings: Settings) -> Statement:
    """Asks the same supervisor to confirm again what he signed, after what he read has changed.

    The former statement is withdrawn. The new one starts with its answers and documents; reading, declaring and signing
    are done afresh.
    """
    dossier = statement.dossier
    if dossier.stage not in lifecycle.OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend of ingetrokken. Een nieuwe verklaring is niet nodig."))
    if not statements.is_stale(statement, contents):
        raise Conflict(both("Deze verklaring is geldig of er is al een nieuwe gevraagd. U hoeft niets te doen."))
    documents = contents.documents.get(statement.id, ())
    revoke(statement)
    renewed, token = _new(
        dossier,
        statement.section_id,
        statement.question_id,
        statement.place,
        name=statement.name,
        email=statement.email,
        language=statement.language,
        settings=settings,
        data=statement.data,
        renews_id=statement.id,
    )
    for document in documents:
        session.add(_copied(document, renewed))
    _send(renewed, token, "supervisor_again")
    return renewed


def revoke(statement: Statement) -> None:
    """Withdraws the invitation or the statement; the link and the working session stop at once.

    Raises ``Conflict`` for an anonymous one that was given: what is left of an outcome would tell what it said.
    """
    if statement.stage == "signed" and statements.is_anonymous(statement):
        raise Conflict(both("Deze verklaring is al gegeven. Wat anoniem is gegeven, kan niemand meer weghalen."))
    lifecycle.advance(statement, "revoked", session_sha256=None)
    statements.note_event(statement, "revoked")


def send_copy(statement: Statement) -> None:
    """Mails the supervisor a fresh link to his own copy of what he signed; the former one stops working."""
    if statement.stage != "signed":
        raise Conflict(both("Deze verklaring is niet (meer) ondertekend. Er is geen kopie."))
    _count_mail(statement.email)
    statements.mail_copy(statement, statements.letter(statement, "copy"))


def _new(
    dossier: Dossier, section_id: str, question_id: str, place: int, *, settings: Settings, **values: Any
) -> tuple[Statement, str]:
    token = secrets.token_urlsafe(statements.TOKEN_BYTES)
    statement = Statement(
        dossier_id=dossier.id,
        section_id=section_id,
        question_id=question_id,
        place=place,
        asked=_form_of_the_others(dossier, section_id, question_id),
        token_sha256=statements.sha256(token),
        token_expires_at=now() + _validity(dossier, section_id, question_id, settings),
        **values,
    )
    session.add(statement)
    session.flush()
    return statement, token


def _form_of_the_others(dossier: Dossier, section_id: str, question_id: str) -> dict[str, Any] | None:
    """Answers that are added up are answers to one form: the one that the first people had, also when there is a newer one."""
    if not statement_settings.of(statements.statement_question(dossier, section_id, question_id)[1]).anonymous:
        return None
    others = _open_ones(dossier, section_id, question_id).values()
    return next((one.asked for one in others if one.asked is not None), None)


def _fresh_link(statement: Statement, settings: Settings) -> str:
    token = secrets.token_urlsafe(statements.TOKEN_BYTES)
    statement.token_sha256 = statements.sha256(token)
    validity = _validity(statement.dossier, statement.section_id, statement.question_id, settings)
    statement.token_expires_at = now() + validity
    return token


def _validity(dossier: Dossier, section_id: str, question_id: str, settings: Settings) -> timedelta:
    """How long a mailed link works."""
    _, question = statements.statement_question(dossier, section_id, question_id)
    return timedelta(days=statement_settings.of(question).days or settings.invitation_days)


def _send(statement: Statement, token: str, template: str, event: str = "sent", *, key: str | None = None) -> None:
    _count_mail(statement.email)
    mail.put(
        to=statement.email,
        template=template,
        language=statement.language,
        data=statements.letter_data(statement, until=statement.token_expires_at.date().isoformat(), link=f"/verklaring/{token}"),
        key=key or statements.mail_key(statement, token),
    )
    statements.note_event(statement, event)


def _count_mail(email: str) -> None:
    attempts.count("statement mail", email, limit=MAILS_TO_ONE_ADDRESS, window=timedelta(hours=1))


def _last_mail(statement: Statement) -> Any:
    sent = select(StatementEvent.at).where(
        StatementEvent.statement_id == statement.id, StatementEvent.kind.in_(("sent", "reminded"))
    )
    return session.scalar(sent.order_by(StatementEvent.id.desc()).limit(1)) or statement.invited_at


def _person(dossier: Dossier, question: Question, name: str, email: str) -> tuple[str, str]:
    """Somebody's name and address, cleaned. Raises ``InvalidInput``, also for the candidate and for who is asked otherwise."""
    name = statements.person_name(name)
    if len(name) < 2:
        raise InvalidInput(both("Vul de naam van uw %(role)s in.", role=statement_settings.of(question).role), field="name")
    email = mail.address(email)
    another_person.check_invited(dossier, name, email, statement_settings.of(question).role)
    others = select(Statement).where(
        Statement.dossier_id == dossier.id,
        or_(Statement.question_id != question.id, Statement.former),
        Statement.stage.in_(("invited", "signed")),
    )
    for one in session.scalars(others):
        if one.former and statements.settings_of(one).kind == "supervisor":
            continue  # a supervisor may say it again; the words of one client beside a count that he is in would tell the others'
        if mailbox(one.email) == mailbox(email):
            role = statements.settings_of(one).role
            raise InvalidInput(
                both("Dit is het adres van uw %(role)s voor een andere verklaring. Vraag iemand anders.", role=role),
                field="email",
            )
    return name, email


def _open_ones(dossier: Dossier, section_id: str, question_id: str) -> dict[int, Statement]:
    """Who is asked, or has signed, for one question: by place."""
    asked = select(Statement).where(
        Statement.dossier_id == dossier.id,
        Statement.section_id == section_id,
        Statement.question_id == question_id,
        Statement.stage.in_(("invited", "signed")),
        Statement.former.is_(False),
    )
    return {one.place: one for one in session.scalars(asked)}


def _check_distinct(others: Mapping[int, Statement], email: str, of_question: StatementSettings) -> None:
    if mailbox(email) in {mailbox(one.email) for one in others.values()}:
        raise InvalidInput(
            both("Dit adres is van een %(role)s die u al hebt uitgenodigd. Nodig iemand anders uit.", role=of_question.role),
            field="email",
        )


def _check_may_be_asked(contents: Contents, section_id: str, question: Question, email: str) -> None:
    """Not after the outcome, which one more person would give away, and not who said no already."""
    if outcomes.tally(contents, section_id, question).counted:
        raise Conflict(both("De uitkomst is er al. U kunt niemand meer vragen."))
    declined = [
        one
        for one in contents.statements
        if (one.section_id, one.question_id, one.stage, one.former) == (section_id, question.id, "declined", False)
    ]
    if mailbox(email) in {mailbox(one.email) for one in declined}:
        raise InvalidInput(both("Wie dit adres heeft, liet weten geen verklaring te geven. Vraag iemand anders."), field="email")


def _check_waiting(statement: Statement) -> None:
    if statement.stage != "invited":
        raise Conflict(both("Deze verklaring is al gegeven of ingetrokken. Een herinnering is niet nodig."))
    if statement.dossier.stage not in lifecycle.OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend of ingetrokken. Een herinnering is niet nodig."))


def _copied(document: Evidence, statement: Statement) -> Evidence:
    """The same file, with another statement: its blobs are shared."""
    own = {"id", "statement_id", "uploaded_at", "next_attempt_at", "claimed_until", "attempts"}
    values = {column.key: getattr(document, column.key) for column in Evidence.__mapper__.columns if column.key not in own}
    return Evidence(**values, statement_id=statement.id, uploaded_at=document.uploaded_at)
