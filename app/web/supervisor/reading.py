"""What the supervisor reads: the sections that the template names as they stand now, the evidence they refer to, nothing else."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app import audit
from app.dossiers import contents as dossier_contents
from app.dossiers import statement_changes, statements, submission
from app.dossiers.contents import Contents, evidence_in
from app.dossiers.models import Evidence, Statement
from app.errors import NotFound
from app.extensions import session, transaction
from app.schemes.model import Question, Section
from app.texts import pick
from app.web import forms
from app.web.errors import NOT_HERE
from app.web.evidence import cleaned_copy
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import caller, installation
from app.web.supervisor import blueprint
from app.web.supervisor.opening import asked, own_statement, supervisor


@blueprint.get("/verklaren/lezen")
@guard("statement.read", own_statement, who=supervisor)
def read(statement: Statement) -> ResponseReturnValue:
    """The sections that the statement is about, as they stand now."""
    if statement.stage != "invited":
        return redirect(url_for("supervisor.finished"))
    if not asked(statement).settings["reads"]:
        return redirect(url_for("supervisor.form"))
    with transaction():
        statements.note_read(statement, dossier_contents.read(statement.dossier), **caller())
        audit.write("statement.read", actor=statement, thing=statement.dossier)
    contents = dossier_contents.read(statement.dossier)
    sections = shown_sections(contents, statement)
    return render_template(
        "supervisor/read.html",
        statement=statement,
        question=asked(statement),
        sections=sections,
        renewed=statement.renews_id is not None,
        changed=[one for one in sections if one["changed"]],
    )


@blueprint.get("/verklaren/bewijs/<int:file_id>")
@guard("statement.fill", own_statement, who=supervisor)
def evidence(statement: Statement, file_id: int) -> ResponseReturnValue:
    """The cleaned copy of a file that the sections refer to; only while the statement still has to be given."""
    item = readable_evidence(dossier_contents.read(statement.dossier), statement).get(file_id)
    if item is None:
        raise NotFound(NOT_HERE)
    return cleaned_copy(item, statement)


def readable_evidence(contents: Contents, statement: Statement) -> Mapping[int, Evidence]:
    """The files that the sections refer to which this supervisor reads, and no others."""
    used: list[int] = []
    for section_id in asked(statement).settings.get("reads", []):
        for one in contents.visible.get(section_id, ()):
            used += evidence_in(one, contents.answer(section_id, one.id))
    return {item: contents.evidence[item] for item in used if item in contents.evidence}


def shown_sections(contents: Contents, statement: Statement) -> list[dict[str, Any]]:
    """Title, answers and files of each section that the supervisor may read, and nothing else; what changed since he signed."""
    language = current_language()
    files = readable_evidence(contents, statement)
    titles = {item.id: item.shown_title for item in files.values()}
    before = session.get(Statement, statement.renews_id) if statement.renews_id else None
    changes = statement_changes.since_signed(before, contents) if before is not None else {}
    shown = []
    for section_id in asked(statement).settings.get("reads", []):
        section = contents.template.section(section_id)
        if section is None:
            continue
        questions = [one for one in contents.visible[section_id] if one.type != "statement"]
        changed = changes.get(section_id)
        shown.append(
            {
                "id": section.id,
                "title": pick(section.title, language),
                "changed": changed is not None,
                "rows": [
                    {
                        "label": pick(one.label, language),
                        "answer": answer_of(contents, section, one, titles),
                        "files": _links(one, contents.answer(section_id, one.id), files),
                        "changed": one.id in (changed or ()),
                    }
                    for one in questions
                ],
            }
        )
    return shown


def answer_of(contents: Contents, section: Section, question: Question, titles: Mapping[int, str]) -> Markup | str:
    answer = contents.answer(section.id, question.id)
    if question.type == "evidence" and any(item in titles for item in evidence_in(question, answer)):
        return ""  # the links below say it
    return forms.render_answer(
        question,
        answer,
        current_language(),
        types=installation().catalogue.types,
        written_in=contents.dossier.language,
        settings=contents.settings(question, submission.today()),
        evidence_titles=titles,
    )


def _links(question: Question, answer: Any, files: Mapping[int, Evidence]) -> list[dict[str, Any]]:
    """The files of one answer; one that is not checked has no address."""
    return [
        {
            "title": files[item].shown_title,
            "kind": files[item].kind,
            "size": files[item].original_size,
            "pages": files[item].pages,
            "stage": files[item].stage,
            "href": url_for("supervisor.evidence", file_id=item) if files[item].stage == "checked" else "",
        }
        for item in dict.fromkeys(evidence_in(question, answer))
        if item in files
    ]
