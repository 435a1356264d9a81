"""A supervisor's statement: invited by mail, opened without an account, filled, signed by typed name, bound to what was read."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from app import mail
from app.accounts import attempts
from app.config import Settings
from app.dossiers import lifecycle, log
from app.dossiers.answers import MAX_SECTION_BYTES, checked
from app.dossiers.contents import Contents, evidence_in
from app.dossiers.models import Dossier, Statement, StatementEvent
from app.errors import Conflict, Forbidden, InvalidInput, LinkUnusable, NotFound
from app.extensions import now, session
from app.plugin_api import Problem, QuestionType
from app.schemes import markup, question_types
from app.schemes import models as stored_templates
from app.schemes.model import Question, Section
from app.schemes.question_types import nothing
from app.texts import LANGUAGES, both, fill

TOKEN_BYTES = 32
MAILS_TO_ONE_ADDRESS = 5  # an hour: the form must not become a way to pester somebody
MAX_NAME = 120
SESSION_HOURS = 12


class NotRead(Conflict):
    """The supervisor has not read the sections as they stand now."""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def statement_question(dossier: Dossier, section_id: str, question_id: str) -> tuple[Section, Question]:
    section = stored_templates.get(dossier.template_sha256).section(section_id)
    question = section.question(question_id) if section else None
    if section is None or question is None or question.type != "statement":
        raise NotFound(both("Deze verklaring bestaat niet in uw dossier."))
    return section, question


def invite(
    contents: Contents, section_id: str, question_id: str, *, name: str, email: str, language: str, settings: Settings
) -> Statement:
    """Asks a supervisor for a statement; the link goes into the outbox.

    Refused: what is no name or not one address, the candidate himself, a second open invitation for the same question, a
    dossier that is not open.
    """
    dossier = contents.dossier
    statement_question(dossier, section_id, question_id)
    if dossier.stage not in lifecycle.OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt geen supervisor meer uitnodigen."))
    name, email = _name(name), mail.address(email)
    if len(name) < 2:
        raise InvalidInput(both("Vul de naam van uw supervisor in."), field="name")
    if language not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal uw supervisor de e-mail krijgt."), field="language")
    if email == dossier.owner.email:
        raise InvalidInput(both("Dit is uw eigen e-mailadres. Een verklaring moet van iemand anders komen."))
    current = session.scalar(
        select(Statement.id).where(
            Statement.dossier_id == dossier.id,
            Statement.section_id == section_id,
            Statement.question_id == question_id,
            Statement.stage.in_(("invited", "signed")),
        )
    )
    if current is not None:
        raise Conflict(both("Voor deze verklaring is al iemand uitgenodigd. Trek die uitnodiging eerst in."))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    statement = Statement(
        dossier_id=dossier.id,
        section_id=section_id,
        question_id=question_id,
        name=name,
        email=email,
        language=language,
        token_sha256=sha256(token),
        token_expires_at=now() + timedelta(days=settings.invitation_days),
    )
    session.add(statement)
    session.flush()
    _send_link(statement, token)
    return statement


def remind(statement: Statement, settings: Settings) -> None:
    """Mails a fresh link; the former link stops working. An open working session goes on."""
    if statement.stage != "invited":
        raise Conflict(both("Deze verklaring is al gegeven of ingetrokken. Een herinnering is niet nodig."))
    if statement.dossier.stage not in lifecycle.OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend of ingetrokken. Een herinnering is niet nodig."))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    statement.token_sha256 = sha256(token)
    statement.token_expires_at = now() + timedelta(days=settings.invitation_days)
    _send_link(statement, token)


def revoke(statement: Statement) -> None:
    """Withdraws the invitation or the statement; the link and the working session stop at once."""
    lifecycle.advance(statement, "revoked", session_sha256=None)
    _event(statement, "revoked")


def by_link(token: str) -> Statement:
    """The statement that a mailed link belongs to. Changes nothing. Raises ``LinkUnusable`` when the link no longer works."""
    statement = session.scalar(select(Statement).where(Statement.token_sha256 == sha256(token)))
    if statement is None:
        raise LinkUnusable(
            both(
                "Deze link werkt niet (meer). Misschien is er een nieuwere e-mail met een nieuwe link, of is de uitnodiging "
                "ingetrokken. Vraag de kandidaat om een nieuwe uitnodiging."
            )
        )
    _still_open(statement)
    if statement.token_expires_at < now():
        raise LinkUnusable(both("Deze link is verlopen. Vraag de kandidaat om een nieuwe uitnodiging."))
    return statement


def open_session(statement: Statement, *, address: str, user_agent: str) -> str:
    """Starts the working session behind "Ga verder" and ends an older one. Gives the secret for the cookie."""
    secret = secrets.token_urlsafe(TOKEN_BYTES)
    statement.session_sha256 = sha256(secret)
    statement.session_expires_at = min(now() + timedelta(hours=SESSION_HOURS), statement.token_expires_at)
    _event(statement, "opened", address, user_agent)
    return secret


def by_session(secret: str) -> Statement:
    """The statement of a working session, also after signing (to show the thank-you page). Raises ``LinkUnusable``."""
    statement = session.scalar(select(Statement).where(Statement.session_sha256 == sha256(secret))) if secret else None
    if statement is None or statement.session_expires_at is None or statement.session_expires_at < now():
        raise LinkUnusable(
            both("U bent hier niet (meer) aangemeld. Open de link in de e-mail opnieuw; wat u hebt opgeslagen, staat er nog.")
        )
    if statement.stage == "invited":
        _check_dossier_open(statement)
    return statement


def save(statement: Statement, data: Mapping[str, Any], version: int) -> Statement:
    """Keeps the form as typed, unfinished or not. A stale ``version`` with other content raises ``Conflict``."""
    _still_open(statement)
    _, question = statement_question(statement.dossier, statement.section_id, statement.question_id)
    known = {field["id"] for field in question.settings["questions"]}
    if set(data) - known:
        raise InvalidInput(both("Dit formulier hoort niet bij deze verklaring. Open de link opnieuw."))
    typed = {**statement.data, **{key: checked(value) for key, value in data.items()}}
    if typed == statement.data:
        return statement
    if len(canonical(typed).encode()) > MAX_SECTION_BYTES:
        raise InvalidInput(both("De verklaring is te groot geworden om op te slaan. Kort een van uw teksten in."))
    changed = session.execute(
        update(Statement)
        .where(Statement.id == statement.id, Statement.version == version, Statement.stage == "invited")
        .values(data=typed, version=version + 1)
        .execution_options(synchronize_session=False)
    )
    session.refresh(statement)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, as every UPDATE gives
        raise Conflict(
            both("Deze verklaring is intussen in een ander venster gewijzigd. Wat u hier typte, staat nog op deze pagina."),
            theirs=statement.data,
            version=statement.version,
        )
    return statement


def problems(statement: Statement, types: Mapping[str, QuestionType], today: date) -> list[tuple[str, Problem]]:
    """What still stands in the way of signing: (question id, problem) pairs, in the order of the form."""
    found = []
    for asked in nested_questions(statement):
        answer = statement.data.get(asked.id)
        kind = types[asked.type]
        if kind.is_empty(answer):
            if asked.required:
                found.append((asked.id, Problem(text=both("Vul in: %(label)s", label=asked.label))))
            continue
        found += [(asked.id, problem) for problem in kind.check(answer, {**asked.settings, "today": today.isoformat()})]
    return found


def nested_questions(statement: Statement) -> list[Question]:
    """The questions of the statement's form."""
    _, question = statement_question(statement.dossier, statement.section_id, statement.question_id)
    return [question_types.question(asked) for asked in question.settings["questions"]]


def sign(
    statement: Statement,
    contents: Contents,
    *,
    typed_name: str,
    address: str,
    user_agent: str,
) -> Statement:
    """Signs by typed name: spends the link, binds the statement to the sections as they stand now, tells the candidate.

    The caller has checked the form's answers and the consent. Raises ``Conflict`` when it was signed or withdrawn already,
    ``NotRead`` when the supervisor has not read the sections as they stand now.
    """
    _, question = statement_question(statement.dossier, statement.section_id, statement.question_id)
    _check_dossier_open(statement)
    name = _name(typed_name)
    if len(name) < 2:
        raise InvalidInput(both("Typ uw volledige naam om te ondertekenen."))
    read = read_hash(contents, question)
    digests = _digests_read(statement)
    if not digests:
        raise NotRead(both("Lees eerst de onderdelen waar uw verklaring over gaat. Wat u invulde, is opgeslagen."))
    if read not in digests:
        raise NotRead(
            both(
                "De kandidaat heeft gewijzigd wat u las. Wat u invulde, is opgeslagen. Lees de onderdelen opnieuw en onderteken "
                "daarna."
            )
        )
    consent = fill(question.settings["consent"], candidate=statement.dossier.owner.name)
    content = canonical({"answers": statement.data, "consent": consent, "name": name})
    lifecycle.advance(
        statement,
        "signed",
        signed_name=name,
        signed_at=now(),
        consent=consent,
        read_sha256=read,
        content_sha256=sha256(content),
    )
    _event(statement, "signed", address, user_agent, statement.content_sha256 or "")
    log.note(statement.dossier, "statement_signed")
    dossier = statement.dossier
    mail.put(
        to=dossier.owner.email,
        template="statement_signed",
        language=dossier.language,
        data=_told(statement),
    )
    mail.put(
        to=statement.email,
        template="supervisor_thanks",
        language=statement.language,
        data={"name": statement.name, "candidate": dossier.owner.name},
    )
    return statement


def decline(statement: Statement, reason: str, *, address: str, user_agent: str) -> None:
    """The supervisor does not give the statement ("Dit ben ik niet", or another reason); the candidate is told."""
    reason = checked(reason).strip()[:2000]
    _check_dossier_open(statement)
    lifecycle.advance(statement, "declined", declined_reason=reason)
    _event(statement, "declined", address, user_agent)
    dossier = statement.dossier
    log.note(dossier, "statement_declined")
    mail.put(
        to=dossier.owner.email,
        template="statement_declined",
        language=dossier.language,
        data=_told(statement),
    )


def note_read(statement: Statement, contents: Contents, *, address: str, user_agent: str) -> None:
    """Records that the supervisor saw the sections as they stand now (once for each state of them)."""
    _, question = statement_question(statement.dossier, statement.section_id, statement.question_id)
    digest = read_hash(contents, question)
    if digest not in _digests_read(statement):
        _event(statement, "read", address, user_agent, digest)


def _digests_read(statement: Statement) -> set[str]:
    """What the supervisor read, as hashes."""
    read = select(StatementEvent.sha256).where(StatementEvent.statement_id == statement.id, StatementEvent.kind == "read")
    return set(session.scalars(read))


def read_hash(contents: Contents, question: Question) -> str:
    """SHA-256 of the sections that the supervisor reads, with the content of the evidence they refer to."""
    sections = {}
    for section_id in question.settings.get("reads", []):
        shown = contents.visible.get(section_id, ())
        answers = {one.id: contents.answer(section_id, one.id) for one in shown if one.type != "statement"}
        files = [item for one in shown for item in evidence_in(one, answers.get(one.id))]
        evidence = [contents.evidence[item].original_sha256 for item in files if item in contents.evidence]
        sections[section_id] = {
            "answers": {key: value for key, value in answers.items() if not nothing(value)},
            "evidence": evidence,
        }
    return sha256(canonical(sections))


def is_stale(statement: Statement, contents: Contents) -> bool:
    """Whether what the supervisor read has changed since the statement was signed."""
    _, question = statement_question(contents.dossier, statement.section_id, statement.question_id)
    return statement.stage == "signed" and statement.read_sha256 != read_hash(contents, question)


def events(statement_ids: list[int]) -> dict[int, list[StatementEvent]]:
    """The events of several statements, oldest first, by statement id."""
    found: dict[int, list[StatementEvent]] = {statement_id: [] for statement_id in statement_ids}
    rows = session.scalars(
        select(StatementEvent).where(StatementEvent.statement_id.in_(statement_ids)).order_by(StatementEvent.id)
    )
    for row in rows:
        found[row.statement_id].append(row)
    return found


def canonical(data: Any) -> str:
    """The one JSON text of some data: sorted keys, no spaces."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _send_link(statement: Statement, token: str) -> None:
    attempts.count("statement mail", statement.email, limit=MAILS_TO_ONE_ADDRESS, window=timedelta(hours=1))
    mail.put(
        to=statement.email,
        template="supervisor_invitation",
        language=statement.language,
        data={
            "name": statement.name,
            "candidate": statement.dossier.owner.name,
            "until": statement.token_expires_at.date().isoformat(),
            "link": f"/verklaring/{token}",
        },
    )
    _event(statement, "sent")


def _told(statement: Statement) -> dict[str, str]:
    dossier = statement.dossier
    return {
        "name": dossier.owner.name,
        "supervisor": statement.name,
        "dossier": dossier.reference,
        "link": f"/dossier/{dossier.reference}",
    }


def _still_open(statement: Statement) -> None:
    if statement.stage == "signed":
        raise LinkUnusable(both("Deze verklaring is al ondertekend. Dank u wel; u hoeft niets meer te doen."))
    if statement.stage == "declined":
        raise LinkUnusable(both("U hebt aangegeven dat u deze verklaring niet geeft. De kandidaat heeft daar bericht van."))
    if statement.stage == "revoked":
        raise LinkUnusable(both("Deze uitnodiging is ingetrokken. Vraag de kandidaat om een nieuwe uitnodiging."))
    _check_dossier_open(statement)


def _check_dossier_open(statement: Statement) -> None:
    if statement.dossier.stage not in lifecycle.OPEN_STAGES:
        raise LinkUnusable(both("Dit dossier is al ingediend of ingetrokken. Een verklaring is niet meer nodig."))


def _name(typed: str) -> str:
    """A person's name on one line. Raises ``InvalidInput``."""
    name: str = " ".join(markup.clean_line(checked(typed)).split())
    if len(name) > MAX_NAME:
        raise InvalidInput(both("Deze naam is langer dan %(n)s tekens. Kort hem in.", n=MAX_NAME), field="name")
    return name


def _event(statement: Statement, kind: str, address: str = "", user_agent: str = "", digest: str = "") -> None:
    session.add(
        StatementEvent(statement_id=statement.id, kind=kind, address=address[:64], user_agent=user_agent[:255], sha256=digest)
    )
