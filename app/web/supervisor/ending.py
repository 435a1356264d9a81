"""Declining, thanks, the supervisor's own copy, and what is said when it is too late: never without what was typed."""

from collections.abc import Iterator
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app import audit
from app.dossiers import contents as dossier_contents
from app.dossiers import statements
from app.dossiers.answers import checked
from app.dossiers.models import Statement
from app.errors import DomainError, Forbidden, LinkUnusable, NotFound
from app.extensions import session, transaction
from app.texts import both, pick
from app.web import forms
from app.web.errors import NOT_HERE, refused, status_of, wants_json
from app.web.evidence import cleaned_copy
from app.web.guard import guard, public
from app.web.language import current_language
from app.web.parts import caller, form_lists, installation, only_fields, ring_due
from app.web.supervisor import blueprint
from app.web.supervisor.filling import document_dicts
from app.web.supervisor.opening import asked, is_client, own_statement, spoken, supervisor

STAGE_WORDS = {
    "draft": both(
        "De kandidaat maakt het dossier af en dient het in. Verandert daarbij wat u las? Dan kan de kandidaat u vragen om "
        "opnieuw te bevestigen."
    ),
    "returned": both(
        "De kandidaat vult het dossier aan en dient het opnieuw in. Verandert daarbij wat u las? Dan kan de kandidaat u vragen "
        "om opnieuw te bevestigen."
    ),
    "submitted": both("Het dossier is ingediend. Het secretariaat controleert of het aan de eisen voor toelating voldoet."),
    "in_assessment": both("Het dossier is ingediend en toegelaten. De beoordelaars lezen het."),
    "decided": both("Over het dossier is een besluit genomen."),
    "withdrawn": both("Het dossier is ingetrokken."),
}
TYPED_AT = ("supervisor.save", "supervisor.save_row", "supervisor.decline")
NOT_TYPED = frozenset({"csrf_token", "version", "action", "remove", "documents", "signed_agree", "signed_independent"})


@blueprint.get("/verklaren/niet")
@guard("statement.fill", own_statement, who=supervisor)
def declining(statement: Statement) -> ResponseReturnValue:
    return render_template(
        "supervisor/client_decline.html" if is_client(statement) else "supervisor/decline.html",
        statement=statement,
        not_me=request.args.get("wie") == "anders",
    )


def declined_already(statement: Statement) -> ResponseReturnValue | None:
    """The second of two clicks."""
    reason = checked(request.form.get("reason", "")).strip()
    if statement.stage != "declined" or reason != statement.declined_reason:
        return None
    return redirect(url_for("supervisor.finished"))


@blueprint.post("/verklaren/niet")
@guard("statement.fill", own_statement, who=supervisor, already=declined_already)
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
    return render_template(
        "supervisor/client_finished.html" if is_client(statement) else "supervisor/finished.html",
        statement=statement,
        days=statements.COPY_DAYS,
        stage=pick(STAGE_WORDS.get(statement.dossier.stage), current_language()),
    )


@blueprint.get("/verklaring/kopie/<token>")
@public
def copy(token: str) -> ResponseReturnValue:
    """What the supervisor signed, for himself, by the link in the mail that thanked him. Only the look itself is noted."""
    statement = spoken(statements.by_copy_link(token))
    with transaction():
        audit.write("statement.copy_viewed", actor=statement, thing=statement)
    language = current_language()
    contents = dossier_contents.read(statement.dossier)
    question = asked(statement)
    sections = [contents.template.section(one) for one in question.settings.get("reads", [])]
    return render_template(
        "supervisor/client_copy.html" if statements.is_anonymous(statement) else "supervisor/copy.html",
        statement=statement,
        role=pick(question.settings["role"], language),
        rows=given(statement),
        sections=[pick(one.title, language) for one in sections if one],
        documents=[
            {**one, "href": url_for("supervisor.copy_file", token=token, file_id=one["id"]) if one["stage"] == "checked" else ""}
            for one in document_dicts(contents.documents.get(statement.id, ()))
        ],
        stale=statements.is_stale(statement, contents),
        consent=pick(statement.consent, language),
        independence=pick(statement.independence, language),
    )


@blueprint.get("/verklaring/kopie/<token>/bestand/<int:file_id>")
@public
def copy_file(token: str, file_id: int) -> ResponseReturnValue:
    """The cleaned copy of a file that he gave with his statement; nobody else's. The look is noted."""
    statement = spoken(statements.by_copy_link(token))
    own = dossier_contents.read(statement.dossier).documents.get(statement.id, ())
    item = next((one for one in own if one.id == file_id), None)
    if item is None:
        raise NotFound(NOT_HERE)
    return cleaned_copy(item, statement)


def given(statement: Statement) -> list[dict[str, Any]]:
    """The answers of a statement, for reading. A document may have taken the place of some, so what is empty is left out."""
    language = current_language()
    types = installation().catalogue.types
    return [
        {
            "key": pick(one.label, language),
            "value": forms.render_answer(one, statement.data.get(one.id), language, types=types),
        }
        for one in statements.nested_questions(statement)
        if not types[one.type].is_empty(statement.data.get(one.id))
    ]


# --- too late ------------------------------------------------------------------------------------------------------


@blueprint.errorhandler(LinkUnusable)
@blueprint.errorhandler(Forbidden)
def too_late(error: DomainError) -> ResponseReturnValue:
    """The dossier, the link or the session was closed meanwhile: says so, and gives back what was typed."""
    statement = g.get("statement") or session.get(Statement, error.details.get("statement", 0))
    if statement is not None:
        spoken(statement)
    if request.method != "POST" or request.endpoint not in TYPED_AT:
        return refused(error)
    if statement is not None:
        try:
            statements.check_open(statement)
        except LinkUnusable as clearer:
            error = type(error)(clearer.text)
    kept = list(typed_texts(statement))
    if wants_json() or not kept:
        return refused(error)
    page = render_template("supervisor/closed.html", text=pick(error.text, current_language()), kept=kept)
    return page, status_of(error)


def typed_texts(statement: Statement | None) -> Iterator[tuple[str, Markup | str]]:
    """What stands in the form that was sent, with the words of its questions where these are known."""
    language, lists = current_language(), form_lists()
    read = set(NOT_TYPED)
    questions = []
    if statement is not None:
        for one in statements.nested_questions(statement):
            fields = forms.row_fields(one) if one.type == "table" else []
            questions += [(one.id, one)] + [(f"{one.id}.{field.id}", field) for field in fields]
    types = installation().catalogue.types
    for name, question in questions:
        parts = {sent for sent in lists if sent == name or sent.startswith(f"{name}.")}
        if not parts or question.type in ("table", "evidence"):
            continue
        read |= parts
        answer = types[question.type].read(lists, name, question.settings)
        if not types[question.type].is_empty(answer):
            yield pick(question.label, language), forms.render_answer(question, answer, language, types=types)
    unknown: dict[str, list[str]] = {}
    for name, values in lists.items():
        if name not in read:
            unknown.setdefault(name.partition(".")[0], []).extend(one for one in values if one.strip())
    yield from (("", " ".join(values)) for values in unknown.values() if values)
