"""The supervisor's pages: from the mailed link to a signed statement, without an account.

Opening the link changes nothing (mail scanners open links too). "Ga verder" opens a working session, kept in a cookie of
its own, and ends an older one. Signing or declining spends the link.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_time
from markupsafe import Markup

from app import audit, permissions
from app.dossiers import contents as dossier_contents
from app.dossiers import statements, submission
from app.dossiers.contents import Contents
from app.dossiers.models import Statement
from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import now, transaction
from app.plugin_api import Finding, Problem
from app.schemes.model import Question, Section
from app.texts import both, fill, pick
from app.web import forms
from app.web.errors import wants_json
from app.web.guard import guard, public
from app.web.language import COOKIE, current_language
from app.web.parts import caller, form_lists, installation, only_fields, onward, ring_due

blueprint = Blueprint("supervisor", __name__)

NO_TABLES = ("table", "evidence", "statement")


# --- the mailed link -----------------------------------------------------------------------------------------------


@blueprint.get("/verklaring/<token>")
@public
def invitation(token: str) -> ResponseReturnValue:
    """Who asks what of whom. Changes nothing."""
    statement = spoken(statements.by_link(token))
    return render_template("supervisor/invitation.html", statement=statement, token=token, question=asked(statement))


@blueprint.post("/verklaring/<token>/verder")
@public
def enter(token: str) -> ResponseReturnValue:
    with transaction():
        statement = statements.by_link(token)
        secret = statements.open_session(statement, **caller())
        audit.write("statement.opened", actor=statement, thing=statement)
    answer = redirect(url_for("supervisor.read"))
    keep_session(answer, secret)
    if COOKIE not in request.cookies:  # also a page that no longer finds the statement then speaks this language
        answer.set_cookie(
            COOKIE, statement.language, secure=installation().settings.secure_cookies, httponly=True, samesite="Lax"
        )
    return answer


def cookie_name() -> str:
    return "__Host-statement" if installation().settings.secure_cookies else "statement"


def keep_session(answer: Any, secret: str) -> None:
    answer.set_cookie(
        cookie_name(),
        secret,
        max_age=timedelta(hours=statements.SESSION_HOURS),
        secure=installation().settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )


def supervisor() -> permissions.Actor | None:
    """The statement whose working session this browser has. Raises ``LinkUnusable`` in words when there is none."""
    if "statement" not in g:
        g.statement = spoken(statements.by_session(request.cookies.get(cookie_name(), "")))
    statement: Statement = g.statement
    return statement


def own_statement() -> Statement:
    supervisor()
    statement: Statement = g.statement
    return statement


def spoken(statement: Statement) -> Statement:
    """The page speaks the language of the invitation, unless the reader chose another."""
    g.invited_in = statement.language
    return statement


# --- reading -------------------------------------------------------------------------------------------------------


@blueprint.get("/verklaren/lezen")
@guard("statement.read", own_statement, who=supervisor)
def read(statement: Statement) -> ResponseReturnValue:
    """The sections that the statement is about, as they stand now."""
    if statement.stage != "invited":
        return redirect(url_for("supervisor.finished"))
    contents = dossier_contents.read(statement.dossier)
    with transaction():
        statements.note_read(statement, contents, **caller())
        audit.write("statement.read", actor=statement, thing=statement.dossier)
    contents = dossier_contents.read(statement.dossier)
    return render_template(
        "supervisor/read.html", statement=statement, question=asked(statement), sections=shown_sections(contents, statement)
    )


def shown_sections(contents: Contents, statement: Statement) -> list[dict[str, Any]]:
    """Title and answers of each section that the supervisor may read, and nothing else."""
    language = current_language()
    titles = {item.id: item.name for item in contents.evidence.values()}
    shown = []
    for section_id in asked(statement).settings.get("reads", []):
        section = contents.template.section(section_id)
        if section is None:
            continue
        rows = [
            (pick(one.label, language), answer_of(contents, section, one, titles))
            for one in contents.visible[section_id]
            if one.type != "statement"
        ]
        shown.append({"id": section.id, "title": pick(section.title, language), "rows": rows})
    return shown


def answer_of(contents: Contents, section: Section, question: Question, titles: Mapping[int, str]) -> Markup:
    answer = contents.answer(section.id, question.id)
    files = [{"title": titles[item]} for item in dossier_contents.evidence_in(question, answer) if item in titles]
    return forms.render_answer(
        question,
        answer,
        current_language(),
        types=installation().catalogue.types,
        files=files if question.type == "evidence" else [],
        evidence_titles=titles,
    )


# --- filling -------------------------------------------------------------------------------------------------------


@blueprint.get("/verklaren")
@guard("statement.read", own_statement, who=supervisor)
def form(statement: Statement) -> ResponseReturnValue:
    if statement.stage != "invited":
        return redirect(url_for("supervisor.finished"))
    return form_page(statement)


@blueprint.post("/verklaren")
@guard("statement.fill", own_statement, who=supervisor)
def save(statement: Statement) -> ResponseReturnValue:
    """Saves; with action "sign" also signs, when nothing stands in the way any more."""
    data, version = typed(statement), sent_version()
    try:
        with transaction():
            statements.save(statement, data, version)
    except Conflict as conflict:
        if wants_json() or "theirs" not in conflict.details:
            raise
        return conflict_page(statement, data, conflict)
    if wants_json():
        return jsonify(version=statement.version, time=format_time(now(), "H.mm"))
    if address := onward("/verklaren/regel"):
        return redirect(address)
    if request.form.get("action") != "sign":
        text = both("Opgeslagen. U kunt later verdergaan met de link in de e-mail.")
        flash(pick(text, current_language()), "ok")
        return redirect(url_for("supervisor.form"))
    return sign(statement)


def sign(statement: Statement) -> ResponseReturnValue:
    problems = statements.problems(statement, installation().catalogue.types, submission.today())
    signing = {}
    if len(request.form.get("signed_name", "").strip()) < 2:
        signing["signed_name"] = both("Typ uw volledige naam om te ondertekenen.")
    if request.form.get("signed_agree") != "yes":
        signing["signed_agree"] = both("Ga akkoord met de verklaring om te ondertekenen.")
    if problems or signing:
        return form_page(statement, problems, signing), 422
    try:
        with transaction():
            contents = dossier_contents.read(statement.dossier)
            statements.sign(statement, contents, typed_name=request.form["signed_name"], **caller())
            audit.write("statement.signed", actor=statement, thing=statement.dossier)
    except statements.NotRead as refusal:
        flash(pick(refusal.text, current_language()), "warn")
        return redirect(url_for("supervisor.read"))
    ring_due("mail")
    return redirect(url_for("supervisor.finished"))


def form_page(
    statement: Statement,
    problems: list[tuple[str, Problem]] | None = None,
    signing: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    language = current_language()
    section = form_section(statement)
    findings = [
        Finding(section=section.id, question=question_id, row=problem.row, text=problem.text)
        for question_id, problem in problems or []
    ]
    errors = forms.error_list(section, findings, language)
    errors += [forms.Error(text=pick(text, language), href=f"#{name}") for name, text in (signing or {}).items()]
    context: dict[str, Any] = {
        "types": installation().catalogue.types,
        "add_url": lambda question_id: url_for("supervisor.row", question_id=question_id),
        "edit_url": lambda question_id, row_id: url_for("supervisor.row", question_id=question_id, row_id=row_id),
        "remove_url": lambda question_id, row_id: url_for("supervisor.row", question_id=question_id, row_id=row_id, remove=1),
    }
    fields = [
        forms.render_question(section, one, statement.data.get(one.id), language, findings, **context)
        for one in section.questions
    ]
    consent = fill(asked(statement).settings["consent"], candidate=statement.dossier.owner.name)
    return render_template(
        "supervisor/form.html",
        statement=statement,
        fields=fields,
        errors=errors,
        consent=pick(consent, language),
        today=format_date(submission.today(), "d MMMM y"),
        signed_name=request.form.get("signed_name", ""),
        agreed=request.form.get("signed_agree") == "yes",
        saved=bool(statement.version),
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
        if name not in ("csrf_token", "version", "action")
        for value in values
    ]
    page = render_template(
        "supervisor/conflict.html", rows=rows, kept=kept, version=conflict.details["version"], text=pick(conflict.text, language)
    )
    return page, 409


# --- rows of a table in the form -----------------------------------------------------------------------------------


@blueprint.get("/verklaren/regel/<question_id>")
@guard("statement.fill", own_statement, who=supervisor)
def row(statement: Statement, question_id: str) -> ResponseReturnValue:
    table = table_of(statement, question_id)
    row_id = request.args.get("row_id", "")
    return row_page(statement, table, row_id, row_of(statement, table, row_id))


@blueprint.post("/verklaren/regel/<question_id>")
@guard("statement.fill", own_statement, who=supervisor)
def save_row(statement: Statement, question_id: str) -> ResponseReturnValue:
    table = table_of(statement, question_id)
    only_fields("version", "action", table.id)
    row_id = request.args.get("row_id", "")
    rows = list(statement.data.get(table.id) or [])
    if request.form.get("action") == "remove":
        rows = [one for one in rows if one["row"] != row_id]
    else:
        types, lists = installation().catalogue.types, form_lists()
        typed_row = {one.id: types[one.type].read(lists, f"{table.id}.{one.id}", one.settings) for one in forms.row_fields(table)}
        typed_row["row"] = row_id or secrets.token_hex(4)
        rows = [typed_row if one["row"] == row_id else one for one in rows] if row_id else [*rows, typed_row]
        problems = [
            problem
            for problem in types["table"].check(
                [typed_row], {**table.settings, "today": submission.today().isoformat(), "rows": {}, "totals": []}
            )
            if problem.field
        ]
        if problems and request.form.get("action") != "keep":
            return row_page(statement, table, row_id, typed_row, problems), 422
    with transaction():
        statements.save(statement, {table.id: rows}, sent_version())
    return redirect(url_for("supervisor.form") + f"#{forms.element_id(table.id)}")


def row_page(
    statement: Statement, table: Question, row_id: str, answers: Mapping[str, Any], problems: list[Problem] | None = None
) -> str:
    language = current_language()
    types = installation().catalogue.types
    return render_template(
        "supervisor/row.html",
        statement=statement,
        title=pick(table.label, language),
        fields=[
            forms.render_row_field(table, one, answers.get(one.id), language, problems or [], types=types)
            for one in forms.row_fields(table)
        ],
        errors=forms.row_error_list(table, problems or [], language),
        removing=bool(request.args.get("remove")),
        row_id=row_id,
    )


def table_of(statement: Statement, question_id: str) -> Question:
    found = next((one for one in statements.nested_questions(statement) if one.id == question_id and one.type == "table"), None)
    if found is None:
        raise NotFound(both("Deze tabel hoort niet bij deze verklaring."))
    return found


def row_of(statement: Statement, table: Question, row_id: str) -> Mapping[str, Any]:
    if not row_id:
        return {}
    found = next((one for one in statement.data.get(table.id) or [] if one["row"] == row_id), None)
    if found is None:
        raise NotFound(both("Deze regel bestaat niet meer. Ga terug naar de verklaring."))
    return dict(found)


# --- declining and the end -----------------------------------------------------------------------------------------


@blueprint.get("/verklaren/niet")
@guard("statement.fill", own_statement, who=supervisor)
def declining(statement: Statement) -> ResponseReturnValue:
    return render_template("supervisor/decline.html", statement=statement, not_me=request.args.get("wie") == "anders")


@blueprint.post("/verklaren/niet")
@guard("statement.fill", own_statement, who=supervisor)
def decline(statement: Statement) -> ResponseReturnValue:
    only_fields("reason")
    with transaction():
        statements.decline(statement, request.form.get("reason", ""), **caller())
        audit.write("statement.declined", actor=statement, thing=statement.dossier)
    ring_due("mail")
    return redirect(url_for("supervisor.finished"))


@blueprint.get("/verklaren/klaar")
@guard("statement.read", own_statement, who=supervisor)
def finished(statement: Statement) -> ResponseReturnValue:
    if statement.stage == "invited":
        return redirect(url_for("supervisor.form"))
    return render_template("supervisor/finished.html", statement=statement)


# --- what the pages share ------------------------------------------------------------------------------------------


def asked(statement: Statement) -> Question:
    """The question of the dossier that this statement answers."""
    return statements.statement_question(statement.dossier, statement.section_id, statement.question_id)[1]


def form_section(statement: Statement) -> Section:
    """The form as a section, for the macros that draw questions."""
    section, _ = statements.statement_question(statement.dossier, statement.section_id, statement.question_id)
    return Section(
        id=section.id, group=section.group, title=section.title, questions=tuple(statements.nested_questions(statement))
    )


def typed(statement: Statement) -> dict[str, Any]:
    """The form's answers as typed; tables have pages of their own."""
    types, lists = installation().catalogue.types, form_lists()
    questions = statements.nested_questions(statement)
    only_fields("version", "action", "signed_name", "signed_agree", *(one.id for one in questions))
    return {one.id: types[one.type].read(lists, one.id, one.settings) for one in questions if one.type not in NO_TABLES}


def sent_version() -> int:
    text = request.form.get("version", "")
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput(both("Deze pagina is niet volledig verstuurd. Ververs de pagina en probeer het opnieuw."))
    return int(text)
