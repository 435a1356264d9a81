"""The statement's form: saving, documents beside it, signing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from werkzeug.datastructures import FileStorage

from app import audit
from app.dossiers import contents as dossier_contents
from app.dossiers import papers, statements, submission
from app.dossiers.answers import checked
from app.dossiers.models import Evidence, Statement
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, Text
from app.extensions import now, transaction
from app.plugin_api import Finding, Problem
from app.schemes import question_types, statement_settings
from app.schemes.model import Section
from app.texts import both, pick
from app.web import dates, forms
from app.web.errors import wants_json
from app.web.evidence import FORM_ROOM, TakenIn, stored, take_each
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import caller, form_lists, installation, only_fields, onward, ring_due
from app.web.supervisor import blueprint
from app.web.supervisor.opening import asked, is_client, is_there, own_statement, supervisor, who_is_logged_in

NO_TABLES = ("table", "evidence", "statement")
SIGNING = ("signed_name", "signed_agree", "signed_independent")


@blueprint.url_value_preprocessor
def prepare_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Lets a request be as big as documents are; only for somebody at work, and before the body is looked at."""
    if endpoint == "supervisor.save" and request.mimetype == "multipart/form-data" and is_there():
        request.max_content_length = installation().settings.max_dossier_mb * 1_000_000 + FORM_ROOM


@blueprint.get("/verklaren")
@guard("statement.read", own_statement, who=supervisor)
def form(statement: Statement) -> ResponseReturnValue:
    if statement.stage != "invited":
        return redirect(url_for("supervisor.finished"))
    return form_page(statement)


def signed_already(statement: Statement) -> ResponseReturnValue | None:
    """The second of two clicks on signing: exactly what was signed."""
    if statement.stage != "signed" or request.form.get("action") != "sign":
        return None
    if any(checked(answer) != statement.data.get(one) for one, answer in typed(statement).items()):
        return None
    return redirect(url_for("supervisor.finished"))


@blueprint.post("/verklaren")
@guard("statement.fill", own_statement, who=supervisor, already=signed_already)
def save(statement: Statement) -> ResponseReturnValue:
    """Saves; takes documents in or away; with action "sign" also signs, when nothing stands in the way any more."""
    data, version = typed(statement), sent_version()
    try:
        with transaction():
            statements.save(statement, data, version)
    except Conflict as conflict:
        if wants_json() or "theirs" not in conflict.details:
            raise
        return conflict_page(statement, data, conflict)
    if wants_json():
        return jsonify(version=statement.version, time=dates.clock(now()))
    if request.form.get("remove"):
        return remove_document(statement)
    taken = take_documents(statement, request.files.getlist("documents"))
    if taken.refusals:
        return form_page(statement, refusals=taken.refusals), taken.status
    if address := onward("/verklaren/regel"):
        return redirect(address)
    action = request.form.get("action")
    if action == "sign":
        return sign(statement)
    if action == "upload":
        if not taken.ids:
            return form_page(statement, refusals=[both("Kies eerst een of meer bestanden.")]), 422
        return redirect(url_for("supervisor.form") + "#documents")
    flash(pick(both("Opgeslagen. U kunt later verdergaan met de link in de e-mail."), current_language()), "ok")
    return redirect(url_for("supervisor.form"))


def sign(statement: Statement) -> ResponseReturnValue:
    problems = statements.problems(statement, installation().catalogue.types, submission.today(), papers.of(statement))
    signing: dict[str, Text] = {}
    by_name = not statements.is_anonymous(statement)
    if statements.settings_of(statement).independence and request.form.get("signed_independent") != "yes":
        signing["signed_independent"] = both("Bevestig dat u onafhankelijk bent om te ondertekenen.")
    if by_name and len(request.form.get("signed_name", "").strip()) < 2:
        signing["signed_name"] = both("Typ uw volledige naam om te ondertekenen.")
    if request.form.get("signed_agree") != "yes":
        signing["signed_agree"] = (
            both("Ga akkoord met de verklaring om te ondertekenen.")
            if by_name
            else both("Zet een vinkje. Daarna kunt u uw antwoorden versturen.")
        )
    if problems or signing:
        return form_page(statement, problems, signing), 422
    try:
        with transaction():
            contents = dossier_contents.read(statement.dossier)
            typed_name = request.form.get("signed_name", "")
            statements.sign(statement, contents, who_is_logged_in(), typed_name=typed_name, **caller())
            audit.write("statement.signed", actor=statement, thing=statement.dossier)
    except statements.NotRead as refusal:
        flash(pick(refusal.text, current_language()), "warn")
        return redirect(url_for("supervisor.read"))
    except (InvalidInput, Forbidden) as refusal:
        return form_page(statement, signing={"signed_name": refusal.text}), 422
    ring_due("mail")
    return redirect(url_for("supervisor.finished"))


# --- documents -----------------------------------------------------------------------------------------------------


def take_documents(statement: Statement, uploads: Sequence[FileStorage]) -> TakenIn:
    """Takes the good files in and names the others."""
    statement_id = statement.id

    def take(sent: FileStorage, name: str) -> int:
        papers.check_room(statement)
        blob, kind = stored(sent, name, papers.KINDS)
        with transaction():
            document = papers.receive(statement, blob, name, kind)
            audit.write("evidence.received", actor=statement, thing=document, statement=statement_id)
            return document.id

    return take_each(uploads, take)


def remove_document(statement: Statement) -> ResponseReturnValue:
    number = request.form["remove"].partition(":")[2]
    try:
        with transaction():
            document = papers.remove(statement, int(number) if number.isdecimal() and len(number) < 10 else 0)
            audit.write("evidence.removed", actor=statement, thing=document)
            words: Text = both("%(name)s is verwijderd.", name=document.name)
    except NotFound as refusal:
        words = refusal.text
    flash(pick(words, current_language()), "info")
    return redirect(url_for("supervisor.form") + "#documents")


def document_dicts(documents: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Documents as ``parts/evidence.html`` shows files."""
    return [
        {
            "id": one.id,
            "title": one.name,
            "kind": one.kind,
            "size": one.original_size,
            "pages": one.pages,
            "stage": one.stage,
            "reason": pick(one.refusal, current_language()),
        }
        for one in documents
    ]


# --- the page ------------------------------------------------------------------------------------------------------


def form_page(
    statement: Statement,
    problems: Sequence[tuple[str, Problem]] = (),
    signing: Mapping[str, Text] | None = None,
    refusals: Sequence[Text] = (),
) -> str:
    """The form; with what stands in the way of signing, or the documents that were refused just now."""
    language = current_language()
    section = form_section(statement)
    findings = [
        Finding(section=section.id, question=question_id, row=problem.row, text=problem.text) for question_id, problem in problems
    ]
    errors = [forms.Error(text=pick(text, language), href="#documents") for text in refusals]
    errors += forms.error_list(section, findings, language)
    errors += [forms.Error(text=pick(text, language), href=f"#{name}") for name, text in (signing or {}).items()]
    context: dict[str, Any] = {
        "types": installation().catalogue.types,
        "plain": is_client(statement),
        "add_url": lambda question_id: url_for("supervisor.row", question_id=question_id),
        "edit_url": lambda question_id, row_id: url_for("supervisor.row", question_id=question_id, row_id=row_id),
        "remove_url": lambda question_id, row_id: url_for("supervisor.row", question_id=question_id, row_id=row_id, remove=1),
    }
    documents = papers.of(statement)
    asked_now = [replace(one, required=False) if documents else one for one in section.questions]
    fields = [
        forms.render_question(
            section,
            one,
            statement.data.get(one.id),
            language,
            findings,
            settings=question_types.in_dossier(one, {}, submission.today()),
            **context,
        )
        for one in asked_now
    ]
    consent, independence = statements.declarations(statement)
    return render_template(
        "supervisor/client_form.html" if is_client(statement) else "supervisor/form.html",
        statement=statement,
        anonymous=statements.is_anonymous(statement),
        role=pick(statements.settings_of(statement).role, language),
        fields=fields,
        left=[
            (pick(one.label, language), forms.render_answer(one, answer, language, types=context["types"]))
            for one, answer in statements.no_longer_asked(statement)
            if one.type in context["types"]
        ],
        errors=errors,
        consent=pick(consent, language),
        independence=pick(independence, language),
        today=format_date(submission.today(), "d MMMM y"),
        signed={name: request.form.get(name, "") for name in SIGNING},
        upload_kinds=papers.KINDS if statement_settings.of(asked(statement)).upload else (),
        documents=document_dicts(documents),
        checking=any(one.stage == "received" for one in documents),
        max_mb=installation().settings.max_file_mb,
    )


def conflict_page(statement: Statement, mine: Mapping[str, Any], conflict: Conflict) -> ResponseReturnValue:
    """Both versions of the form; whichever is chosen is sent again with the newest version."""
    language = current_language()
    types = installation().catalogue.types
    rows = []
    for one in statements.nested_questions(statement):
        here, there = mine.get(one.id), statement.data.get(one.id)
        if one.id in mine and here != there:
            texts = [
                ""
                if types[one.type].is_empty(answer)
                else str(types[one.type].summary(answer, one.settings, language))
                if one.type != "long_text"
                else str(answer)
                for answer in (here, there)
            ]
            rows.append((pick(one.label, language), *forms.difference(*texts)))
    kept = [
        (name, value)
        for name, values in form_lists().items()
        if name not in ("csrf_token", "version", "action", "remove", "documents")
        for value in values
    ]
    page = render_template(
        "supervisor/conflict.html", rows=rows, kept=kept, version=conflict.details["version"], text=pick(conflict.text, language)
    )
    return page, 409


# --- what was sent -------------------------------------------------------------------------------------------------


def form_section(statement: Statement) -> Section:
    """The form as a section, for the macros that draw questions."""
    title = statements.question_of(statement).label
    return Section(id=statement.section_id, group="", title=title, questions=tuple(statements.nested_questions(statement)))


def typed(statement: Statement) -> dict[str, Any]:
    """The form's answers as typed; tables have pages of their own."""
    types, lists = installation().catalogue.types, form_lists()
    questions = statements.nested_questions(statement)
    only_fields("version", "action", "remove", "documents", *SIGNING, *(one.id for one in questions))
    return {one.id: types[one.type].read(lists, one.id, one.settings) for one in questions if one.type not in NO_TABLES}


def sent_version() -> int:
    text = request.form.get("version", "")
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput(both("Deze pagina is niet volledig verstuurd. Ververs de pagina en probeer het opnieuw."))
    return int(text)
