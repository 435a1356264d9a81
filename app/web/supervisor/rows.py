"""A row of a table in the statement's form, on a page of its own."""

import secrets
from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dossiers import statements, submission
from app.dossiers.models import Statement
from app.errors import NotFound
from app.extensions import transaction
from app.plugin_api import Problem
from app.schemes.model import Question
from app.texts import both, pick
from app.web import forms
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import form_lists, installation, only_fields
from app.web.supervisor import blueprint
from app.web.supervisor.filling import sent_version
from app.web.supervisor.opening import own_statement, supervisor


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
