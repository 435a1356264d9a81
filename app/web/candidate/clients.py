"""The candidate's side of statements that people give anonymously: asking several at once, how many are in, and the outcome."""

from collections.abc import Mapping
from typing import Any

from babel.lists import format_list
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit, mail
from app.accounts import registration
from app.assessment import conflicts
from app.documents.outcome_blocks import outcome_blocks
from app.dossiers import completeness, invitations, outcomes, statements
from app.dossiers import contents as dossier_contents
from app.dossiers.contents import Contents
from app.dossiers.invitations import Person
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Statement
from app.errors import Conflict, DomainError, InvalidInput, TooManyRequests
from app.extensions import now, transaction
from app.schemes import statement_settings
from app.schemes.model import Question
from app.texts import LANGUAGES, both, both_n, pick
from app.web import forms
from app.web.auth import say
from app.web.candidate import blueprint
from app.web.dates import day
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, only_fields, ring_due

PARTS = ("name", "email", "language")


def invite_several(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """Mails everybody whose row was filled in; nobody when one of the rows is wrong."""
    rows = range(_count(dossier, section_id, question_id))
    only_fields(*(f"{part}-{row}" for row in rows for part in PARTS))
    people, wrong = typed_people(len(rows))
    if not wrong:
        try:
            with transaction():
                for one in people:
                    _refuse_judge(dossier, one)
                contents = dossier_contents.read(dossier)
                asked = invitations.invite_all(contents, section_id, question_id, people, installation().settings)
                for statement in asked:
                    audit.write("statement.invited", actor=me(), thing=statement)
        except InvalidInput as refusal:
            wrong = {str(refusal.details.get("field", "email-0")): pick(refusal.text, current_language())}
        except (Conflict, TooManyRequests) as refusal:
            say("warn", refusal.text)
        else:
            ring_due("mail")
            say("ok", both_n("Er is %(n)s uitnodiging verstuurd.", "Er zijn %(n)s uitnodigingen verstuurd.", len(asked)))
    if wrong:
        return clients_page(dossier, section_id, question_id, wrong), 422
    return _back(dossier, section_id, question_id)


@blueprint.post("/dossier/<reference>/verklaring/<section_id>/<question_id>/afsluiten")
@guard("dossier.edit", dossier_of)
def close_statements(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """Enough people answered: the outcome is made, and nobody else is waited for."""
    only_fields()
    if no_longer := not_asked_any_more(dossier, section_id, question_id):
        return no_longer
    statements.statement_question(dossier, section_id, question_id)
    try:
        with transaction():
            withdrawn = invitations.close(dossier_contents.read(dossier), section_id, question_id)
            for one in withdrawn:
                audit.write("statement.revoked", actor=me(), thing=one)
            audit.write("statement.counted", actor=me(), thing=dossier)
    except DomainError as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("Het vragen is afgesloten. Hieronder staat de uitkomst."))
    return _back(dossier, section_id, question_id)


def not_asked_any_more(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue | None:
    """For an address of a question that former forms had: says so, where one reads what they asked."""
    if statements.was_asked_before(dossier, section_id, question_id):
        say("info", both("Deze verklaring wordt niet meer gevraagd: de formulieren van uw dossier zijn veranderd."))
        return redirect(url_for("candidate.no_longer_asked", reference=dossier.reference))
    return None


def typed_people(count: int) -> tuple[list[Person], dict[str, str]]:
    """The rows in which something was typed, and what is wrong with them: field -> words."""
    people: list[Person] = []
    wrong: dict[str, str] = {}
    for row in range(count):
        name, email, language = (request.form.get(f"{part}-{row}", "").strip() for part in PARTS)
        if not name and not email:
            continue
        try:
            name = registration.person_name(name)
        except InvalidInput as refusal:
            wrong[f"name-{row}"] = pick(refusal.text, current_language())
        try:
            email = mail.address(email)
        except InvalidInput as refusal:
            wrong[f"email-{row}"] = pick(refusal.text, current_language())
        if language not in LANGUAGES:
            wrong[f"language-{row}"] = both("Kies in welke taal wij de e-mail schrijven.")[current_language()]
        people.append(Person(name, email, language, f"-{row}"))
    return people, wrong


def _refuse_judge(dossier: Dossier, one: Person) -> None:
    try:
        conflicts.refuse_judge(dossier, email=one.email)
    except InvalidInput as refusal:
        raise InvalidInput(refusal.text, field=f"email{one.field}") from refusal


def _count(dossier: Dossier, section_id: str, question_id: str) -> int:
    return statement_settings.of(statements.statement_question(dossier, section_id, question_id)[1]).count


def _back(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    return redirect(url_for("candidate.supervisor", reference=dossier.reference, section_id=section_id, question_id=question_id))


# --- the page ------------------------------------------------------------------------------------------------------


def clients_page(dossier: Dossier, section_id: str, question_id: str, wrong: Mapping[str, str] | None = None) -> str:
    """Who was asked and whether they answered; never what. The outcome once it is there."""
    section, question = statements.statement_question(dossier, section_id, question_id)
    contents, language, settings = dossier_contents.read(dossier), current_language(), statement_settings.of(question)
    tally, outcome = outcomes.tally(contents, section_id, question), outcomes.of(contents, section_id, question)
    asked = [one for one in contents.asked(section_id, question) if one is not None]
    asked += [one for one in outcomes.signed(contents, section_id, question) if one not in asked]  # at places that went
    open_ = dossier.stage in OPEN_STAGES
    return render_template(
        "candidate/clients.html",
        dossier=dossier,
        section=section,
        question=question,
        section_title=pick(section.title, language),
        title=pick(question.label, language),
        hint=pick(question.hint, language),
        progress=completeness.progress_words(tally, settings.many)[language],
        tally=tally,
        unfinished=completeness.unfinished_words(tally)[language] if tally.unfinished else "",
        people=sorted((_person(one) for one in asked), key=lambda one: one["name"].casefold()),
        open=open_,
        rows=range(len(tally.free)) if open_ else (),
        days=settings.days or installation().settings.invitation_days,
        reminders=format_list([str(days) for days in settings.reminders], locale=language),
        outcome=forms.render_blocks(list(outcome_blocks(outcome, question, language))) if outcome else "",
        typed=request.form,
        wrong=wrong or {},
        errors=[{"text": _which_row(name, text), "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def _which_row(name: str, text: str) -> str:
    """The same words may stand beside several rows."""
    row = int(name.rpartition("-")[2]) + 1
    return both("Persoon %(n)s: %(text)s", n=row, text=text)[current_language()]


def _person(statement: Statement) -> dict[str, Any]:
    """Somebody who was asked, by name: in no order that tells who answered when."""
    language, lines = current_language(), []
    if statement.stage == "signed":
        state, kind = both("Ingevuld"), "green"
    elif statement.stage == "declined":
        state, kind = both("Doet niet mee"), ""
        lines.append(both("U kunt in de plaats iemand anders vragen."))
    elif statement.token_expires_at < now():
        state, kind = both("Link verlopen"), "red"
        lines.append(both("Stuur een herinnering met een nieuwe link, of vraag iemand anders."))
    else:
        state, kind = both("Nog niet ingevuld"), "yellow"
        lines.append(both("De link werkt tot en met %(day)s.", day=day(statement.token_expires_at)))
    return {
        "statement": statement,
        "name": statement.name,
        "email": statement.email,
        "state": state[language],
        "kind": kind,
        "lines": [line[language] for line in lines],
    }


def tally_card(contents: Contents, section_id: str, question: Question) -> dict[str, Any]:
    """How an anonymous statement question stands, as ``statement_card`` tells it."""
    language, settings = current_language(), statement_settings.of(question)
    tally = outcomes.tally(contents, section_id, question)
    address: dict[str, Any] = {"reference": contents.dossier.reference, "section_id": section_id, "question_id": question.id}
    lines = []
    if tally.waiting:
        lines.append(
            both_n("%(n)s persoon heeft nog niet geantwoord.", "%(n)s personen hebben nog niet geantwoord.", tally.waiting)
        )
    if tally.on_paper:
        lines.append(both_n("%(n)s daarvan is op papier.", "%(n)s daarvan zijn op papier.", tally.on_paper))
    if tally.unfinished:
        lines.append(completeness.unfinished_words(tally))
    if tally.can_close:
        lines.append(both("Er zijn er genoeg. Sluit het vragen af; dan ziet u de uitkomst."))
    action = both("Vraag mensen om een verklaring")
    if tally.counted:
        action = both("Bekijk de uitkomst")
    elif tally.given or tally.waiting:
        action = both("Bekijk hoe het staat")
    return {
        "of": pick(question.label, language),
        "state": both("%(n)s van %(total)s binnen", n=tally.total, total=tally.needed)[language],
        "kind": "red" if tally.expired else "yellow" if tally.waiting else "",
        "finished": tally.complete,
        "lines": [line[language] for line in lines],
        "href": url_for("candidate.supervisor", **address),
        "action": pick(action, language),
        "remind": "",
        "about": pick(settings.many, language),
    }
