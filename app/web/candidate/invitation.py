"""The candidate's side of a supervisor's statement: inviting, reminding, withdrawing, and how it stands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from babel.lists import format_list
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import audit, mail
from app.accounts import registration
from app.assessment import conflicts
from app.dossiers import contents as dossier_contents
from app.dossiers import invitations, statement_changes, statements
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Statement, StatementEvent
from app.errors import Conflict, DomainError, InvalidInput, NotFound, Text, TooManyRequests
from app.extensions import now, session, transaction
from app.schemes import statement_settings
from app.schemes.model import Question
from app.texts import LANGUAGES, both, pick
from app.web.auth import Form, Refusal, Typed, read, refuse_strange_fields, say
from app.web.candidate import blueprint, clients
from app.web.dates import day
from app.web.errors import NOT_HERE
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, ring_due
from app.web.supervisor.ending import given
from app.web.supervisor.filling import document_dicts


def _known_language(text: str) -> str:
    if text not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal wij de e-mail schrijven."))
    return text


def _known_place(text: str) -> str:
    if not (text or "0").isdecimal() or len(text) > 2:
        raise InvalidInput(both("Deze pagina is niet volledig verstuurd. Ververs de pagina en probeer het opnieuw."))
    return text or "0"


class PersonForm(Form):
    name = Typed(registration.person_name)
    email = Typed(mail.address)


class InvitationForm(PersonForm):
    language = Typed(_known_language)
    place = Typed(_known_place)


def statement_of(reference: str, statement_id: int) -> Statement:
    """A statement of the dossier that an address names."""
    found = session.scalar(
        select(Statement)
        .join(Dossier, Statement.dossier_id == Dossier.id)
        .where(Statement.id == statement_id, Dossier.reference == reference)
    )
    if found is None:
        raise NotFound(NOT_HERE)
    return found


@blueprint.get("/dossier/<reference>/verklaring/<section_id>/<question_id>")
@guard("dossier.read", dossier_of)
def supervisor(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    if no_longer := clients.not_asked_any_more(dossier, section_id, question_id):
        return no_longer
    if _is_anonymous(dossier, section_id, question_id):
        return clients.clients_page(dossier, section_id, question_id)
    return supervisor_page(dossier, section_id, question_id)


def _is_anonymous(dossier: Dossier, section_id: str, question_id: str) -> bool:
    return statement_settings.of(statements.statement_question(dossier, section_id, question_id)[1]).anonymous


@blueprint.post("/dossier/<reference>/verklaring/<section_id>/<question_id>")
@guard("dossier.edit", dossier_of)
def invite(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """Mails the supervisor a link. A second click shows that the invitation is there."""
    if no_longer := clients.not_asked_any_more(dossier, section_id, question_id):
        return no_longer
    if _is_anonymous(dossier, section_id, question_id):
        return clients.invite_several(dossier, section_id, question_id)
    form = InvitationForm()
    refuse_strange_fields(form)
    try:
        typed = read(form)
        with transaction():
            conflicts.refuse_judge(dossier, email=typed["email"])
            statement = invitations.invite(
                dossier_contents.read(dossier),
                section_id,
                question_id,
                name=typed["name"],
                email=typed["email"],
                language=typed["language"],
                place=int(typed["place"]),
                settings=installation().settings,
            )
            audit.write("statement.invited", actor=me(), thing=statement)
    except (Refusal, InvalidInput) as refusal:
        wrong = refusal.words if isinstance(refusal, Refusal) else _beside(refusal)
        if _is_free(dossier, section_id, question_id):
            return supervisor_page(dossier, section_id, question_id, wrong), 422
        say("warn", invitations.ALREADY_ASKED)  # in another window: there is no form any more to mend
    except (Conflict, TooManyRequests) as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("De uitnodiging voor %(name)s is verstuurd.", name=typed["name"]))
    return redirect(url_for("candidate.supervisor", reference=dossier.reference, section_id=section_id, question_id=question_id))


def _is_free(dossier: Dossier, section_id: str, question_id: str) -> bool:
    """Whether anybody is still to be invited."""
    _, question = statements.statement_question(dossier, section_id, question_id)
    return bool(free_places(dossier_contents.read(dossier).asked(section_id, question)))


def free_places(asked: Sequence[Statement | None]) -> list[int]:
    return [place for place, one in enumerate(asked) if one is None or one.stage == "declined"]


# --- what one does with an invitation or a statement ---------------------------------------------------------------


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/herinneren")
@guard("statement.manage", statement_of)
def remind(statement: Statement) -> ResponseReturnValue:
    def deed() -> Text:
        invitations.remind(statement, installation().settings)
        audit.write("statement.reminded", actor=me(), thing=statement)
        return both("%(name)s krijgt een herinnering met een nieuwe link.", name=statement.name)

    return _done(statement, deed)


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/opnieuw")
@guard("statement.manage", statement_of)
def renew(statement: Statement) -> ResponseReturnValue:
    """Asks to confirm again what was signed before the candidate changed what was read."""

    def deed() -> Text:
        renewed = invitations.renew(statement, dossier_contents.read(statement.dossier), installation().settings)
        audit.write("statement.renewed", actor=me(), thing=renewed, former=statement.id)
        return both("%(name)s krijgt een e-mail om de verklaring opnieuw te bevestigen.", name=renewed.name)

    return _done(statement, deed)


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/kopie")
@guard("statement.manage", statement_of)
def send_copy(statement: Statement) -> ResponseReturnValue:
    def deed() -> Text:
        invitations.send_copy(statement)
        audit.write("statement.copy_sent", actor=me(), thing=statement)
        return both("%(name)s krijgt een e-mail met een nieuwe link naar de kopie.", name=statement.name)

    return _done(statement, deed)


@blueprint.get("/dossier/<reference>/verklaringen/<int:statement_id>/corrigeren")
@guard("statement.manage", statement_of)
def ask_correct(statement: Statement) -> ResponseReturnValue:
    if statement.stage != "invited":
        return redirect(url_for("candidate.supervisor", **_address(statement)))
    return correct_page(statement)


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/corrigeren")
@guard("statement.manage", statement_of)
def correct(statement: Statement) -> ResponseReturnValue:
    """The invitation goes to a corrected name or address; the former link stops at once."""
    address = _address(statement)
    try:
        typed = read(PersonForm())
        with transaction():
            conflicts.refuse_judge(statement.dossier, email=typed["email"])
            corrected = invitations.correct(statement, name=typed["name"], email=typed["email"], settings=installation().settings)
            audit.write("statement.corrected", actor=me(), thing=corrected, former=statement.id)
    except Refusal as refusal:
        return correct_page(statement, refusal.words), 422
    except InvalidInput as refusal:
        return correct_page(statement, _beside(refusal)), 422
    except (Conflict, TooManyRequests) as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        text = both("De uitnodiging is verstuurd naar %(email)s. De eerdere link werkt niet meer.", email=typed["email"])
        say("ok", text)
    return redirect(url_for("candidate.supervisor", **address))


@blueprint.get("/dossier/<reference>/verklaringen/<int:statement_id>/intrekken")
@guard("statement.manage", statement_of)
def ask_revoke(statement: Statement) -> ResponseReturnValue:
    if statement.stage == "signed" and statements.is_anonymous(statement):
        return redirect(url_for("candidate.supervisor", **_address(statement)))
    role = pick(statements.settings_of(statement).role, current_language())
    return render_template(
        "candidate/revoke.html", dossier=statement.dossier, statement=statement, role=role, address=_address(statement)
    )


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/intrekken")
@guard("statement.manage", statement_of)
def revoke(statement: Statement) -> ResponseReturnValue:
    def deed() -> Text:
        was_signed = statement.stage == "signed"
        invitations.revoke(statement)
        audit.write("statement.revoked", actor=me(), thing=statement)
        if was_signed:
            return both("De verklaring van %(name)s is ingetrokken.", name=statement.name)
        return both("De uitnodiging van %(name)s is ingetrokken. De link werkt niet meer.", name=statement.name)

    return _done(statement, deed)


def _done(statement: Statement, deed: Callable[[], Text]) -> ResponseReturnValue:
    """Does ``deed`` in a transaction and says how it went, on the page of the statement."""
    address = _address(statement)
    try:
        with transaction():
            words = deed()
    except DomainError as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", words)
    return redirect(url_for("candidate.supervisor", **address))


def _beside(refusal: InvalidInput) -> dict[str, str]:
    return {str(refusal.details.get("field", "email")): pick(refusal.text, current_language())}


# --- the page ------------------------------------------------------------------------------------------------------


def supervisor_page(dossier: Dossier, section_id: str, question_id: str, wrong: Mapping[str, str] | None = None) -> str:
    """Inviting, or how it stands with each who was invited; their words, once they signed."""
    section, question = statements.statement_question(dossier, section_id, question_id)
    contents, language = dossier_contents.read(dossier), current_language()
    of_question = statement_settings.of(question)
    asked = contents.asked(section_id, question)
    open_ = dossier.stage in OPEN_STAGES
    events = statements.events([one.id for one in asked if one is not None])
    people = [_person(contents, section_id, question, place, one, events) for place, one in enumerate(asked)]
    free = free_places(asked)
    reads = [one for one in contents.template.sections if one.id in question.settings.get("reads", ())]
    return render_template(
        "candidate/supervisor.html",
        dossier=dossier,
        section=section,
        section_title=pick(section.title, language),
        title=pick(question.label, language),
        hint=pick(question.hint, language),
        role=pick(of_question.role, language),
        reads=[pick(one.title, language) for one in reads],
        people=people,
        count=len(asked),
        invite_at=free[0] if open_ and free else None,
        open=open_,
        days=of_question.days or installation().settings.invitation_days,
        reminders=format_list([str(days) for days in of_question.reminders], locale=language),
        typed=request.form,
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def correct_page(statement: Statement, wrong: Mapping[str, str] | None = None) -> str:
    return render_template(
        "candidate/correct.html",
        role=pick(statements.settings_of(statement).role, current_language()),
        dossier=statement.dossier,
        statement=statement,
        address=_address(statement),
        typed=request.form or {"name": statement.name, "email": statement.email},
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def _person(
    contents: Contents,
    section_id: str,
    question: Question,
    place: int,
    statement: Statement | None,
    events: Mapping[int, Sequence[StatementEvent]],
) -> dict[str, Any]:
    """One supervisor as the page shows him."""
    state, of_question = _place_card(contents, section_id, question, statement), statement_settings.of(question)
    title = numbered(of_question.role, place + 1, of_question.count)[current_language()]
    if statement is None:
        return {"number": place + 1, "title": title, "statement": None, "state": state}
    language, signed = current_language(), statement.stage == "signed"
    reminded = [
        both("Herinnering verstuurd op %(day)s.", day=day(one.at)) for one in events[statement.id] if one.kind == "reminded"
    ]
    stale = signed and statements.is_stale(statement, contents)
    changed = statement_changes.since_signed(statement, contents) if stale else {}
    titles = {one.id: pick(one.title, language) for one in contents.template.sections}
    return {
        "number": place + 1,
        "title": title,
        "statement": statement,
        "state": state,
        "reminded": [pick(text, language) for text in reminded],
        "given": given(statement) if signed else [],
        "documents": _documents(contents, statement) if signed else [],
        "stale": stale,
        "changed": [titles[one] for one in changed if one in titles],
        "independence": pick(statement.independence, language) if signed else "",
    }


def _documents(contents: Contents, statement: Statement) -> list[dict[str, Any]]:
    reference = contents.dossier.reference
    return [
        {**one, "href": url_for("evidence.download", reference=reference, evidence_id=one["id"])}
        for one in document_dicts(contents.documents.get(statement.id, ()))
    ]


def statement_card(contents: Contents, section_id: str, question: Question) -> dict[str, Any]:
    """How a statement question stands, with all its supervisors: {state, kind, finished, lines, href, action}, and ``remind``
    where there is one supervisor and a reminder makes sense.
    """
    language, of_question = current_language(), statement_settings.of(question)
    if of_question.anonymous:
        return clients.tally_card(contents, section_id, question)
    asked = contents.asked(section_id, question)
    cards = [_place_card(contents, section_id, question, one) for one in asked]
    if len(cards) == 1:
        return cards[0]
    signed = sum(card["finished"] for card in cards)
    kinds = [card["kind"] for card in cards]
    names = [one.name if one else numbered(of_question.role, n, len(asked))[language] for n, one in enumerate(asked, start=1)]
    lines = [f"{name}: {card['state']}" for name, card in zip(names, cards, strict=True)]
    return {
        "state": both("%(n)s van %(total)s ondertekend", n=signed, total=len(cards))[language],
        "kind": "red" if "red" in kinds else "yellow" if "yellow" in kinds else "",
        "finished": signed == len(cards),
        "lines": lines,
        "href": cards[0]["href"],
        "action": pick(
            both("Nodig uw %(role)s uit", role=of_question.role) if None in asked else both("Bekijk de verklaringen"), language
        ),
        "remind": "",
    }


def numbered(role: Text, n: int, total: int) -> Text:
    """ "Supervisor 1 van 2" """
    capital = {language: words[:1].upper() + words[1:] for language, words in role.items()}
    return both("%(role)s %(n)s van %(total)s", role=capital, n=n, total=total)


def _place_card(contents: Contents, section_id: str, question: Question, statement: Statement | None) -> dict[str, Any]:
    """How it stands with one supervisor."""
    language, role = current_language(), statement_settings.of(question).role
    address: dict[str, Any] = {
        "reference": contents.dossier.reference,
        "section_id": section_id,
        "question_id": question.id,
    }
    card: dict[str, Any] = {"finished": False, "kind": "", "href": url_for("candidate.supervisor", **address), "remind": ""}
    if statement is None:
        state, lines = (
            both("Nog niemand uitgenodigd"),
            [both("Uw %(role)s krijgt een e-mail met een link en heeft geen account nodig.", role=role)],
        )
        return card | _words(state, lines, both("Nodig uw %(role)s uit", role=role), language)
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
            lines.append(
                both("Daarna hebt u gewijzigd wat uw %(role)s las. Vraag uw %(role)s om opnieuw te bevestigen.", role=role)
            )
        else:
            card["finished"] = True
    elif statement.stage == "declined":
        state, card["kind"], action = both("Geeft geen verklaring"), "red", both("Nodig iemand anders uit")
        if statement.declined_reason:
            lines.append(both("Toelichting: %(reason)s", reason=statement.declined_reason))
    else:
        state, card["kind"] = both("Wacht op %(role)s", role=role), "yellow"
        if statement.token_expires_at < now():
            lines.append(both("De link is verlopen. Stuur een herinnering met een nieuwe link."))
        else:
            lines.append(both("De link werkt tot en met %(day)s.", day=day(statement.token_expires_at)))
        if statement.renews_id:
            lines.append(both("U vroeg om een eerdere verklaring opnieuw te bevestigen."))
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


def _address(statement: Statement) -> dict[str, Any]:
    return {
        "reference": statement.dossier.reference,
        "section_id": statement.section_id,
        "question_id": statement.question_id,
    }
