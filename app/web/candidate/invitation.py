"""The candidate's side of a supervisor's statement: inviting, reminding, withdrawing, and how it stands."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import audit, mail
from app.accounts import registration
from app.dossiers import contents as dossier_contents
from app.dossiers import statements
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Statement
from app.errors import Conflict, DomainError, InvalidInput, NotFound, TooManyRequests
from app.extensions import now, session, transaction
from app.schemes import question_types
from app.schemes.model import Question
from app.texts import LANGUAGES, both, pick
from app.web import forms
from app.web.auth import Form, Refusal, Typed, read, say
from app.web.candidate import blueprint
from app.web.dates import day
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, ring_due


def _known_language(text: str) -> str:
    if text not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal uw supervisor de e-mail krijgt."))
    return text


class InvitationForm(Form):
    name = Typed(registration.person_name)
    email = Typed(mail.address)
    language = Typed(_known_language)


def statement_of(reference: str, statement_id: int) -> Statement:
    """A statement of the dossier that an address names."""
    found = session.scalar(
        select(Statement)
        .join(Dossier, Statement.dossier_id == Dossier.id)
        .where(Statement.id == statement_id, Dossier.reference == reference)
    )
    if found is None:
        raise NotFound(both("Deze pagina bestaat niet, of u mag hem niet zien."))
    return found


@blueprint.get("/dossier/<reference>/verklaring/<section_id>/<question_id>")
@guard("dossier.read", dossier_of)
def supervisor(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    return supervisor_page(dossier, section_id, question_id)


@blueprint.post("/dossier/<reference>/verklaring/<section_id>/<question_id>")
@guard("dossier.edit", dossier_of)
def invite(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """Mails the supervisor a link. A second click shows that the invitation is there."""
    try:
        typed = read(InvitationForm())
        with transaction():
            statement = statements.invite(
                dossier_contents.read(dossier), section_id, question_id, **typed, settings=installation().settings
            )
            audit.write("statement.invited", actor=me(), thing=statement)
    except Refusal as refusal:
        return supervisor_page(dossier, section_id, question_id, refusal.words), 422
    except InvalidInput as refusal:
        words = {"email": pick(refusal.text, current_language())}
        return supervisor_page(dossier, section_id, question_id, words), 422
    except (Conflict, TooManyRequests) as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("De uitnodiging voor %(name)s is verstuurd.", name=typed["name"]))
    return redirect(url_for("candidate.supervisor", reference=dossier.reference, section_id=section_id, question_id=question_id))


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/herinneren")
@guard("statement.manage", statement_of)
def remind(statement: Statement) -> ResponseReturnValue:
    address = _address(statement)
    try:
        with transaction():
            statements.remind(statement, installation().settings)
            audit.write("statement.reminded", actor=me(), thing=statement)
            name = statement.name
    except DomainError as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("%(name)s krijgt een herinnering met een nieuwe link.", name=name))
    return redirect(url_for("candidate.supervisor", **address))


@blueprint.get("/dossier/<reference>/verklaringen/<int:statement_id>/intrekken")
@guard("statement.manage", statement_of)
def ask_revoke(statement: Statement) -> ResponseReturnValue:
    return render_template("candidate/revoke.html", dossier=statement.dossier, statement=statement, address=_address(statement))


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/intrekken")
@guard("statement.manage", statement_of)
def revoke(statement: Statement) -> ResponseReturnValue:
    address = _address(statement)
    try:
        with transaction():
            statements.revoke(statement)
            audit.write("statement.revoked", actor=me(), thing=statement)
            name = statement.name
    except Conflict as conflict:
        say("warn", conflict.text)
    else:
        say("ok", both("De uitnodiging van %(name)s is ingetrokken. De link werkt niet meer.", name=name))
    return redirect(url_for("candidate.supervisor", **address))


def supervisor_page(dossier: Dossier, section_id: str, question_id: str, wrong: Mapping[str, str] | None = None) -> str:
    """Inviting, or how it stands with the one who was invited; his words, once he signed."""
    section, question = statements.statement_question(dossier, section_id, question_id)
    contents, language = dossier_contents.read(dossier), current_language()
    statement = contents.statement(section_id, question_id)
    reads = [one for one in contents.template.sections if one.id in question.settings.get("reads", ())]
    return render_template(
        "candidate/supervisor.html",
        dossier=dossier,
        section=section,
        section_title=pick(section.title, language),
        title=pick(question.label, language),
        hint=pick(question.hint, language),
        role=pick(question.settings.get("role"), language),
        reads=[pick(one.title, language) for one in reads],
        statement=statement,
        state=statement_card(contents, section_id, question),
        may_invite=dossier.stage in OPEN_STAGES and (statement is None or statement.stage == "declined"),
        open=dossier.stage in OPEN_STAGES,
        given=_given(statement, question) if statement and statement.stage == "signed" else [],
        days=installation().settings.invitation_days,
        typed=request.form,
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def statement_card(contents: Contents, section_id: str, question: Question) -> dict[str, Any]:
    """How a statement stands: {state, kind, finished, lines, href, action}, and ``remind`` where a reminder makes sense."""
    language = current_language()
    statement = contents.statement(section_id, question.id)
    address: dict[str, Any] = {
        "reference": contents.dossier.reference,
        "section_id": section_id,
        "question_id": question.id,
    }
    card: dict[str, Any] = {"finished": False, "kind": "", "href": url_for("candidate.supervisor", **address), "remind": ""}
    if statement is None:
        state, lines = (
            both("Nog niemand uitgenodigd"),
            [both("Uw supervisor krijgt een e-mail met een link en heeft geen account nodig.")],
        )
        return card | _words(state, lines, both("Nodig uw supervisor uit"), language)
    lines = [
        both(
            "%(name)s kreeg op %(day)s een uitnodiging op %(email)s.",
            name=statement.name,
            day=day(statement.invited_at),
            email=statement.email,
        )
    ]
    action = both("Bekijk de uitnodiging")
    if statement.stage == "signed":
        state, action = both("Ondertekend"), both("Bekijk de verklaring")
        lines.append(both("Ondertekend op %(day)s.", day=day(statement.signed_at or statement.invited_at)))
        if statements.is_stale(statement, contents):
            state, card["kind"] = both("Niet meer geldig"), "red"
            lines.append(both("Daarna hebt u gewijzigd wat uw supervisor las. Trek de verklaring in en vraag een nieuwe."))
        else:
            card["finished"] = True
    elif statement.stage == "declined":
        state, card["kind"], action = both("Geeft geen verklaring"), "red", both("Nodig iemand anders uit")
        if statement.declined_reason:
            lines.append(both("Toelichting: %(reason)s", reason=statement.declined_reason))
    else:
        state, card["kind"] = both("Wacht op supervisor"), "yellow"
        if statement.token_expires_at < now():
            lines.append(both("De link is verlopen. Stuur een herinnering met een nieuwe link."))
        else:
            lines.append(both("De link werkt tot en met %(day)s.", day=day(statement.token_expires_at)))
        card["remind"] = url_for("candidate.remind", reference=contents.dossier.reference, statement_id=statement.id)
    return card | _words(state, lines, action, language)


def _words(
    state: Mapping[str, str], lines: Sequence[Mapping[str, str]], action: Mapping[str, str], language: str
) -> dict[str, Any]:
    return {"state": state[language], "lines": [line[language] for line in lines], "action": action[language]}


def statement_line(statement: Statement) -> str:
    words = {
        "invited": both("Uitnodiging verstuurd op %(day)s", day=day(statement.invited_at)),
        "signed": both("Ondertekend op %(day)s", day=day(statement.signed_at or statement.invited_at)),
        "declined": both("%(name)s geeft geen verklaring", name=statement.name),
    }
    return pick(words.get(statement.stage), current_language())


def _given(statement: Statement, question: Question) -> list[dict[str, Any]]:
    """What the supervisor answered, for reading."""
    asked = [question_types.question(one) for one in question.settings["questions"]]
    language = current_language()
    return [
        {"key": pick(one.label, language), "value": forms.render_answer(one, statement.data.get(one.id), language)}
        for one in asked
    ]


def _address(statement: Statement) -> dict[str, Any]:
    return {
        "reference": statement.dossier.reference,
        "section_id": statement.section_id,
        "question_id": statement.question_id,
    }
