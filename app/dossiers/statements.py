"""A supervisor's statement, asked for by ``invitations``: opened by link, filled, signed by name, bound to what was read."""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import select, update

from app import mail
from app.accounts import messages, registration
from app.dossiers import another_person, former, lifecycle, log, outcomes
from app.dossiers.answers import MAX_SECTION_BYTES, checked, fitting
from app.dossiers.contents import Answers, Contents, evidence_in
from app.dossiers.models import Dossier, Evidence, Statement, StatementEvent
from app.errors import Conflict, InvalidInput, LinkUnusable, NotFound, Text
from app.extensions import now, session
from app.plugin_api import Problem, QuestionType
from app.schemes import markup, question_types, statement_settings
from app.schemes import models as stored_templates
from app.schemes.model import Question, Section
from app.schemes.question_types import nothing
from app.schemes.statement_settings import StatementSettings
from app.texts import both, fill, pick

TOKEN_BYTES = 32
MAX_NAME = 120
SESSION_HOURS = 12
COPY_DAYS = 30


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


def was_asked_before(dossier: Dossier, section_id: str, question_id: str) -> bool:
    """Whether only former forms of the dossier ask for this statement."""

    def asks(sha256: str) -> bool:
        section = stored_templates.get(sha256).section(section_id)
        question = section.question(question_id) if section else None
        return question is not None and question.type == "statement"

    return not asks(dossier.template_sha256) and any(map(asks, former.templates(dossier)))


def question_of(statement: Statement) -> Question:
    """The question that a statement answers, with the form as it was asked; when it is not asked any more, as it was last."""
    if statement.former and statement.asked is not None:
        return question_types.question(statement.asked)
    dossier = statement.dossier
    for sha256 in chain([dossier.template_sha256], _former_templates(dossier)):
        section = stored_templates.get(sha256).section(statement.section_id)
        question = section.question(statement.question_id) if section else None
        if question is not None and question.type == "statement":
            return statement_settings.as_asked(question, statement.asked)
    raise NotFound(both("Deze verklaring bestaat niet in uw dossier."))


def _former_templates(dossier: Dossier) -> Iterator[str]:
    """Only asked for when it has to be: most dossiers never had another one."""
    yield from former.templates(dossier)


def is_asked(statement: Statement, contents: Contents) -> bool:
    """Whether the dossier still asks for this statement."""
    if statement.former:
        return False
    section = contents.template.section(statement.section_id)
    question = section.question(statement.question_id) if section else None
    if question is None or question.type != "statement":
        return False
    settings = statement_settings.of(question)
    return settings.anonymous or statement.place < settings.count


def by_link(token: str) -> Statement:
    """The statement that a mailed link belongs to. Changes nothing. Raises ``LinkUnusable`` when the link no longer works."""
    statement = session.scalar(select(Statement).where(Statement.token_sha256 == sha256(token)))
    if statement is None:
        raise LinkUnusable(
            both(
                "Deze link werkt niet (meer). Misschien is er een nieuwere e-mail met een nieuwe link, of is de uitnodiging "
                "ingetrokken. Vraag om een nieuwe e-mail aan wie u om uw antwoord vroeg."
            )
        )
    check_open(statement)
    if statement.token_expires_at < now():
        raise _dead(
            statement,
            both("Deze link is verlopen. Vraag de kandidaat om een nieuwe uitnodiging."),
            both(
                "Deze link is verlopen. Wilt u nog antwoorden? Vraag %(name)s om een nieuwe e-mail.", name=_candidate(statement)
            ),
        )
    return statement


def _dead(statement: Statement, to_supervisor: Text, to_client: Text) -> LinkUnusable:
    """Why a link does not work, in the words for who has it: a client never heard of a candidate or a statement."""
    client = settings_of(statement).kind == "client"
    return LinkUnusable(to_client if client else to_supervisor, statement=statement.id)


def _candidate(statement: Statement) -> str:
    return statement.dossier.owner.name


def open_session(statement: Statement, account_id: int | None = None, /, *, address: str, user_agent: str) -> str:
    """Starts the working session behind "Ga verder" and ends an older one. Gives the secret for the cookie.

    ``account_id``: who is logged in in this browser. Raises ``Forbidden`` when it seems to be the candidate himself.
    """
    another_person.check_present(statement, account_id)
    secret = secrets.token_urlsafe(TOKEN_BYTES)
    statement.session_sha256 = sha256(secret)
    statement.session_expires_at = min(now() + timedelta(hours=SESSION_HOURS), statement.token_expires_at)
    note_event(statement, "opened", address, user_agent, statement.session_sha256)
    return secret


def by_session(secret: str) -> Statement:
    """The statement of a working session, also after signing (to show the thank-you page). Raises ``LinkUnusable``."""
    statement = session.scalar(select(Statement).where(Statement.session_sha256 == sha256(secret))) if secret else None
    if statement is None and secret:
        _check_newer_session(sha256(secret))
    if statement is None or statement.session_expires_at is None or statement.session_expires_at < now():
        raise LinkUnusable(
            both("U bent hier niet (meer) aangemeld. Open de link in de e-mail opnieuw; wat u hebt opgeslagen, staat er nog.")
        )
    if statement.stage == "invited":
        check_dossier_open(statement)
    return statement


def _check_newer_session(secret_sha256: str) -> None:
    """Raises ``LinkUnusable`` in better words when this was a session that a newer one ended, or a withdrawal."""
    opened = select(StatementEvent.statement_id).where(StatementEvent.kind == "opened", StatementEvent.sha256 == secret_sha256)
    elsewhere = select(Statement.id).where(
        Statement.id.in_(opened), Statement.session_sha256.is_not(None), Statement.session_expires_at > now()
    )
    withdrawn = session.scalar(select(Statement).where(Statement.id.in_(opened), Statement.stage == "revoked"))
    if withdrawn is not None:
        check_open(withdrawn)
    if session.scalar(elsewhere) is not None:
        raise LinkUnusable(
            both("U opende deze link later ook ergens anders; daar gaat u verder. Wat u hebt opgeslagen, staat er nog.")
        )


def save(statement: Statement, data: Mapping[str, Any], version: int) -> Statement:
    """Keeps the form as typed, unfinished or not. A stale ``version`` with other content raises ``Conflict``."""
    check_open(statement)
    question = question_of(statement)
    known = {field["id"]: question_types.question(field) for field in question.settings["questions"]}
    if set(data) - set(known):
        raise InvalidInput(both("Dit formulier hoort niet bij deze link. Open de link opnieuw."))
    typed = {**statement.data, **{key: fitting(known[key], value, statement.data.get(key)) for key, value in data.items()}}
    if typed == statement.data:
        return statement
    if len(canonical(typed).encode()) > MAX_SECTION_BYTES:
        raise InvalidInput(both("Wat u invulde, is te groot geworden om op te slaan. Kort een van uw teksten in."))
    changed = session.execute(
        update(Statement)
        .where(Statement.id == statement.id, Statement.version == version, Statement.stage == "invited")
        .values(data=typed, version=version + 1)
        .execution_options(synchronize_session=False)
    )
    session.refresh(statement)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, as every UPDATE gives
        raise Conflict(
            both("Uw antwoorden zijn intussen in een ander venster gewijzigd. Wat u hier typte, staat nog op deze pagina."),
            theirs=statement.data,
            version=statement.version,
        )
    return statement


def problems(
    statement: Statement, types: Mapping[str, QuestionType], today: date, documents: Sequence[Evidence] = ()
) -> list[tuple[str, Problem]]:
    """What still stands in the way of signing: (question id, problem) pairs, in the order of the form.

    With a document that can be used, no question has to be answered, and not at a least length; what is answered must be
    right. A document that is still
    being checked, or was refused, stands under "documents".
    """
    found = [("documents", problem) for problem in map(_document_problem, documents) if problem is not None]
    for asked in nested_questions(statement):
        answer = statement.data.get(asked.id)
        kind = types[asked.type]
        if kind.is_empty(answer):
            if asked.required and not documents:
                found.append((asked.id, Problem(text=both("Vul in: %(label)s", label=asked.label))))
            continue
        settings = _without_least(asked.settings) if documents else asked.settings
        found += [(asked.id, problem) for problem in kind.check(answer, {**settings, "today": today.isoformat()})]
        if asked.type in statement_settings.REMARKS and is_anonymous(statement):
            if outcomes.tells_who(statement, str(answer)):
                words = both("Hierin staat uw eigen naam of adres. Haal die weg; dan blijft u anoniem.")
                found.append((asked.id, Problem(text=words)))
            elif told := outcomes.tells_of(statement, str(answer)):
                words = both("Hieraan bent u of een ander te herkennen: %(words)s. Haal dit weg.", words=", ".join(told))
                found.append((asked.id, Problem(text=words)))
    return found


def _without_least(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A question's settings that ask for no least number of words, rows, choices or files, nor a least total."""
    ranges = {name: {**settings[name], "min": None} for name in ("words", "rows", "choose", "files") if settings.get(name)}
    totals = {"totals": [{**total, "min": None} for total in settings["totals"]]} if settings.get("totals") else {}
    return {**settings, **ranges, **totals}


def _document_problem(document: Evidence) -> Problem | None:
    if document.stage == "received":
        words = both("%(name)s wordt nog gecontroleerd. Wacht een paar seconden en onderteken dan.", name=document.name)
    elif document.stage == "refused":
        words = both("%(name)s is niet bruikbaar. Verwijder dit bestand.", name=document.name)
    else:
        return None
    return Problem(text=words)


def nested_questions(statement: Statement) -> list[Question]:
    """The questions of the statement's form."""
    question = question_of(statement)
    return [question_types.question(asked) for asked in question.settings["questions"]]


def given(statement: Statement) -> dict[str, Any]:
    """The answers to what the form asks. What only former forms asked is kept beside it, and never signed."""
    return {one.id: statement.data[one.id] for one in nested_questions(statement) if one.id in statement.data}


def no_longer_asked(statement: Statement) -> list[tuple[Question, Any]]:
    """What he answered to questions that only former forms of the dossier have."""
    asked = given(statement)
    left = {key: answer for key, answer in statement.data.items() if key not in asked and not nothing(answer)}
    found: dict[str, Question] = {}
    for sha256 in _former_templates(statement.dossier) if left else ():
        section = stored_templates.get(sha256).section(statement.section_id)
        question = section.question(statement.question_id) if section else None
        for one in question.settings.get("questions", ()) if question else ():
            if one["id"] in left:
                found.setdefault(one["id"], question_types.question(one))
    return [(question, left[name]) for name, question in found.items()]


def sign(
    statement: Statement,
    contents: Contents,
    account_id: int | None = None,
    /,
    *,
    typed_name: str,
    address: str,
    user_agent: str,
) -> Statement:
    """Signs by typed name: spends the link, binds the statement to the sections as they stand now, tells the candidate.

    Who answers anonymously types no name. The caller has checked the form's answers, the consent and the independence. Raises
    ``Conflict`` when it was signed or withdrawn already, ``NotRead`` when the supervisor has not read the sections as they stand
    now, ``Forbidden`` or ``InvalidInput`` when it seems to be the candidate himself who signs.
    """
    question = question_of(statement)
    check_dossier_open(statement)
    another_person.check_present(statement, account_id)
    name = None if is_anonymous(statement) else _signers_name(statement, typed_name)
    documents = contents.documents.get(statement.id, ())
    if any(one.stage != "checked" for one in documents):
        raise Conflict(both("Een bestand bij uw verklaring wordt nog gecontroleerd. Wacht even en onderteken dan."))
    read = read_hash(contents, question)
    digests = _digests_read(statement) if question.settings["reads"] else {read}
    if not digests:
        raise NotRead(both("Lees eerst de onderdelen waar uw verklaring over gaat. Wat u invulde, is opgeslagen."))
    if read not in digests:
        raise NotRead(
            both(
                "De kandidaat heeft gewijzigd wat u las. Wat u invulde, is opgeslagen. Lees de onderdelen opnieuw en onderteken "
                "daarna."
            )
        )
    consent, independence = declarations(statement)
    content = canonical(
        {
            "answers": given(statement),
            "consent": consent,
            "documents": [one.original_sha256 for one in documents],
            "independence": independence,
            "name": name,
        }
    )
    lifecycle.advance(
        statement,
        "signed",
        signed_name=name,
        signed_at=now(),
        consent=consent,
        independence=independence,
        read_sha256=read,
        content_sha256=sha256(content),
    )
    note_event(statement, "signed", address, user_agent, statement.content_sha256 or "")
    if is_anonymous(statement):
        _add_up(statement, contents, question)
    else:
        log.note(statement.dossier, "statement_signed")
        messages.tell(statement.dossier.owner, "statement_signed", _told(statement), key=f"statement_signed:{statement.id}")
    mail_copy(statement, letter(statement, "thanks"))
    return statement


def _signers_name(statement: Statement, typed: str) -> str:
    name = person_name(typed)
    if len(name) < 2:
        raise InvalidInput(both("Typ uw volledige naam om te ondertekenen."), field="signed_name")
    another_person.check_signer(statement, name)
    return name


def _add_up(statement: Statement, contents: Contents, question: Question) -> None:
    """Makes the outcome when this was the last one that was waited for; tells the candidate how many are in, and of whom not."""
    tally = outcomes.tally(contents, statement.section_id, question)
    if tally.can_close and not tally.waiting:
        outcomes.count(contents, statement.section_id, question)
    told = {
        "name": statement.dossier.owner.name,
        "n": tally.total,
        "total": tally.needed,
        "dossier": statement.dossier.reference,
        "link": f"/dossier/{statement.dossier.reference}",
    }
    messages.tell(statement.dossier.owner, "client_answered", told, key=f"statement_signed:{statement.id}")


def settings_of(statement: Statement) -> StatementSettings:
    """What the question asks for that this statement answers."""
    return statement_settings.of(question_of(statement))


def is_anonymous(statement: Statement) -> bool:
    """Whether nobody may see what this person answered."""
    return settings_of(statement).anonymous


def letter(statement: Statement, name: str) -> str:
    """The mail of this name in the words for who gives the statement: ``supervisor_thanks``, ``client_thanks``."""
    return f"{settings_of(statement).kind}_{name}"


def letter_data(statement: Statement, **more: str) -> dict[str, str]:
    """What stands in each mail about a statement; a client is told as whom he is asked."""
    settings = settings_of(statement)
    data = {"name": statement.name, "candidate": statement.dossier.owner.name, **more}
    return data if settings.kind == "supervisor" else {**data, "role": pick(settings.role, statement.language)}


def declarations(statement: Statement) -> tuple[Text, Text | None]:
    """What somebody agrees to when signing: the consent, and what is declared about ties, if anything is."""
    question = question_of(statement)
    candidate = statement.dossier.owner.name
    independence = statement_settings.of(question).independence
    consent = fill(question.settings["consent"], candidate=candidate)
    return consent, fill(independence, candidate=candidate) if independence else None


def mail_copy(statement: Statement, template: str) -> None:
    """Mails the supervisor a link to his own copy; a former one stops working."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    statement.copy_sha256 = sha256(token)
    statement.copy_expires_at = now() + timedelta(days=COPY_DAYS)
    mail.put(
        to=statement.email,
        template=template,
        language=statement.language,
        data=letter_data(statement, until=statement.copy_expires_at.date().isoformat(), link=f"/verklaring/kopie/{token}"),
        key=mail_key(statement, token),
    )


def by_copy_link(token: str) -> Statement:
    """The signed statement that a supervisor's link to his own copy belongs to, also when it was withdrawn since.

    Changes nothing. Raises ``LinkUnusable``.
    """
    statement = session.scalar(select(Statement).where(Statement.copy_sha256 == sha256(token)))
    if statement is None or statement.copy_expires_at is None:
        raise LinkUnusable(
            both(
                "De link naar deze kopie werkt niet (meer). Misschien is er een nieuwere e-mail met een nieuwe link. Anders "
                "helpt het secretariaat u."
            )
        )
    if statement.copy_expires_at < now():
        raise _dead(
            statement,
            both("De link naar deze kopie is verlopen. Vraag de kandidaat of het secretariaat om een nieuwe link."),
            both("De link naar uw antwoorden is verlopen. Zij zijn bewaard en tellen mee. U hoeft niets te doen."),
        )
    return statement


def decline(statement: Statement, reason: str, *, address: str, user_agent: str) -> None:
    """The supervisor does not give the statement ("Dit ben ik niet", or another reason); the candidate is told."""
    reason = checked(reason).strip()[:2000]
    check_dossier_open(statement)
    lifecycle.advance(statement, "declined", declined_reason=reason)
    note_event(statement, "declined", address, user_agent)
    template = "statement_declined"
    if settings_of(statement).kind == "client":
        template = "client_declined"
    else:
        log.note(statement.dossier, "statement_declined")
    messages.tell(statement.dossier.owner, template, _told(statement), key=f"statement_declined:{statement.id}")


def note_read(statement: Statement, contents: Contents, *, address: str, user_agent: str) -> None:
    """Records that the supervisor saw the sections as they stand now (once for each state of them)."""
    question = question_of(statement)
    digest = read_hash(contents, question)
    if digest not in _digests_read(statement):
        note_event(statement, "read", address, user_agent, digest)


def _digests_read(statement: Statement) -> set[str]:
    """What the supervisor read, as hashes."""
    read = select(StatementEvent.sha256).where(StatementEvent.statement_id == statement.id, StatementEvent.kind == "read")
    return set(session.scalars(read))


def read_hash(contents: Contents, question: Question) -> str:
    """SHA-256 of the sections that the supervisor reads, with the content of the evidence they refer to."""
    return sha256(canonical(state_read(question, contents.visible, contents.answers, contents.evidence)))


def state_read(
    question: Question, visible: Mapping[str, Sequence[Question]], answers: Answers, evidence: Mapping[int, Evidence]
) -> dict[str, Any]:
    """What the supervisor reads, as plain data: of each section the answers and the hashes of its evidence."""
    sections = {}
    for section_id in question.settings.get("reads", []):
        shown = [one for one in visible.get(section_id, ()) if one.type != "statement"]
        given = {one.id: answers.get(section_id, {}).get(one.id) for one in shown}
        files = [item for one in shown for item in evidence_in(one, given[one.id])]
        sections[section_id] = {
            "answers": {key: value for key, value in given.items() if not nothing(value)},
            "evidence": [evidence[item].original_sha256 for item in files if item in evidence],
        }
    return sections


def is_stale(statement: Statement, contents: Contents) -> bool:
    """Whether what the supervisor read has changed since the statement was signed."""
    question = question_of(statement)
    return statement.stage == "signed" and not statement.former and statement.read_sha256 != read_hash(contents, question)


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


def _told(statement: Statement) -> dict[str, str]:
    dossier = statement.dossier
    return {
        "name": dossier.owner.name,
        "supervisor": statement.name,
        "dossier": dossier.reference,
        "link": f"/dossier/{dossier.reference}",
    }


def check_open(statement: Statement) -> None:
    if statement.stage == "signed":
        raise _dead(
            statement,
            both("Deze verklaring is al ondertekend. Dank u wel; u hoeft niets meer te doen."),
            both("U hebt al geantwoord. Dank u wel; u hoeft niets meer te doen."),
        )
    if statement.stage == "declined":
        raise _dead(
            statement,
            both("U hebt aangegeven dat u deze verklaring niet geeft. De kandidaat heeft daar bericht van."),
            both("U liet weten dat u niet meedoet. Dat is goed; u hoeft niets meer te doen."),
        )
    if statement.stage == "revoked" and statement.dossier.stage == "withdrawn":
        raise _dead(
            statement,
            both("Dit dossier is ingetrokken. Een verklaring is niet meer nodig. Dank u wel."),
            both("Uw antwoord is niet meer nodig. U hoeft niets te doen. Dank u wel."),
        )
    if statement.stage == "revoked" and statement.former:
        raise _dead(
            statement,
            both("Deze verklaring wordt niet meer gevraagd: de formulieren zijn veranderd. U hoeft niets te doen. Dank u wel."),
            both("Deze vragen worden niet meer gesteld. U hoeft niets te doen. Dank u wel."),
        )
    if statement.stage == "revoked":
        raise _dead(
            statement,
            both("Deze uitnodiging is ingetrokken. Vraag de kandidaat om een nieuwe uitnodiging."),
            both(
                "Deze uitnodiging is ingetrokken. Kreeg u daarna nog een e-mail van ons? Gebruik dan de link daarin. Anders "
                "hoeft u niets te doen."
            ),
        )
    check_dossier_open(statement)


def check_dossier_open(statement: Statement) -> None:
    if statement.dossier.stage not in lifecycle.OPEN_STAGES:
        raise _dead(
            statement,
            both("Dit dossier is al ingediend of ingetrokken. Een verklaring is niet meer nodig."),
            both("Uw antwoord is niet meer nodig. U hoeft niets te doen. Dank u wel."),
        )


def person_name(typed: str) -> str:
    """A person's name on one line. Raises ``InvalidInput``."""
    name: str = " ".join(registration.visible(markup.clean_line(checked(typed))).split())
    if len(name) > MAX_NAME:
        raise InvalidInput(both("Deze naam is langer dan %(n)s tekens. Kort hem in.", n=MAX_NAME), field="name")
    return name


def mail_key(statement: Statement, token: str) -> str:
    """Tells which statement a mail is about; each fresh link is another mail."""
    return f"statement:{statement.id}:{sha256(token)[:16]}"


def note_event(statement: Statement, kind: str, address: str = "", user_agent: str = "", digest: str = "") -> None:
    if (address or user_agent) and is_anonymous(statement):
        address = user_agent = ""  # where somebody was says who he is
    session.add(
        StatementEvent(statement_id=statement.id, kind=kind, address=address[:64], user_agent=user_agent[:255], sha256=digest)
    )
