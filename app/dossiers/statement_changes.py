"""What changed in the sections that a supervisor read, since he signed: found back in the versions that answers keep."""

from sqlalchemy import func, or_, select

from app.dossiers import former, statements
from app.dossiers.contents import Answers, Contents, evidence_in
from app.dossiers.models import Evidence, SectionVersion, Statement
from app.extensions import session
from app.schemes import conditions
from app.schemes.model import DossierTemplate, Question
from app.schemes.question_types import nothing


def since_signed(statement: Statement, contents: Contents) -> dict[str, list[str]]:
    """The sections that changed, in the order in which they are read, each with the ids of its questions that changed.

    Where it cannot be told any more what was read, every section counts as changed, without questions.
    """
    asked, template, answers = statements.question_of(statement), contents.template, _answers_then(statement)
    if statement.signed_at is not None:
        template = former.template_at(contents.dossier, statement.signed_at)
    visible = conditions.visible(template, answers)
    evidence = _evidence_then(statement)
    then = statements.state_read(_asked_then(statement, template) or asked, visible, answers, evidence)
    if statements.sha256(statements.canonical(then)) != statement.read_sha256:
        return {section_id: [] for section_id in asked.settings.get("reads", ())}
    replaced = _replaced(contents, evidence)
    now = statements.state_read(asked, contents.visible, contents.answers, contents.evidence)
    return {
        section_id: _questions(
            visible.get(section_id, ()), contents.visible.get(section_id, ()), answers, contents.answers, section_id, replaced
        )
        for section_id in {**now, **then}
        if now.get(section_id) != then.get(section_id)
    }


def _asked_then(statement: Statement, template: DossierTemplate) -> Question | None:
    section = template.section(statement.section_id)
    return section.question(statement.question_id) if section else None


def _questions(
    before: tuple[Question, ...], after: tuple[Question, ...], then: Answers, now: Answers, section_id: str, replaced: set[int]
) -> list[str]:
    """Ids of the questions of one section that were answered otherwise, were not shown, or have evidence that was replaced, in
    the order of the page.
    """
    shown_then, shown_now = {one.id for one in before}, {one.id for one in after}
    changed = []
    for question in (*after, *(one for one in before if one.id not in shown_now)):
        old = then.get(section_id, {}).get(question.id) if question.id in shown_then else None
        new = now.get(section_id, {}).get(question.id) if question.id in shown_now else None
        if (old != new and not (nothing(old) and nothing(new))) or replaced.intersection(evidence_in(question, new)):
            changed.append(question.id)
    return changed


def _replaced(contents: Contents, then: dict[int, Evidence]) -> set[int]:
    """The evidence that has another file now."""
    now = contents.evidence
    return {one for one, item in then.items() if one in now and now[one].original_sha256 != item.original_sha256}


def _answers_then(statement: Statement) -> Answers:
    newest = (
        select(SectionVersion.section_id, func.max(SectionVersion.version).label("version"))
        .where(SectionVersion.dossier_id == statement.dossier_id, SectionVersion.saved_at <= statement.signed_at)
        .group_by(SectionVersion.section_id)
        .subquery()
    )
    rows = session.execute(
        select(SectionVersion.section_id, SectionVersion.data)
        .join(newest, (newest.c.section_id == SectionVersion.section_id) & (newest.c.version == SectionVersion.version))
        .where(SectionVersion.dossier_id == statement.dossier_id)
    )
    return {row.section_id: row.data for row in rows}


def _evidence_then(statement: Statement) -> dict[int, Evidence]:
    """What was in the candidate's folder at the moment of signing; a file that was replaced since, under the id that it had."""
    rows = session.scalars(
        select(Evidence).where(
            Evidence.dossier_id == statement.dossier_id,
            Evidence.statement_id.is_(None),
            or_(Evidence.replaces_id.is_(None), Evidence.removed_at.is_not(None)),  # not one that waits to take a place
            Evidence.uploaded_at <= statement.signed_at,
            or_(Evidence.removed_at.is_(None), Evidence.removed_at > statement.signed_at),
        )
    )
    return {item.replaces_id or item.id: item for item in rows}
