"""Everything that stands in a dossier, read in four queries into plain frozen data for the rules and pages."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.dossiers.models import Dossier, Evidence, SectionAnswers, Statement
from app.extensions import session
from app.schemes import conditions, question_types, statement_settings
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate, Question, Section

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Contents:
    """``evidence`` holds what is in the candidate's folder, by id, in his order; ``replacements`` the new file that waits to take
    the place of one of those, or was refused, by the same id. ``statements``: those not revoked, oldest first, and
    ``documents``: what came with each of those, by its id.

    ``visible`` maps each section to the questions that its conditions show now.
    """

    dossier: Dossier
    template: DossierTemplate
    answers: Answers
    versions: Mapping[str, int]
    saved_at: Mapping[str, datetime]
    finished: frozenset[str]
    evidence: Mapping[int, Evidence]
    replacements: Mapping[int, Evidence]
    statements: tuple[Statement, ...]
    documents: Mapping[int, tuple[Evidence, ...]]
    visible: Mapping[str, tuple[Question, ...]]

    def answer(self, section: str, question: str) -> Any:
        return self.answers.get(section, {}).get(question)

    def settings(self, question: Question, today: date) -> Mapping[str, Any]:
        """A question's settings with what its answer is weighed against."""
        return question_types.in_dossier(question, self.answers, today)

    def statement(self, section: str, question: str, place: int = 0) -> Statement | None:
        """The newest statement for a question (and one of its supervisors) that was not revoked and is asked now."""
        wanted = (section, question, place, False)
        found = (one for one in reversed(self.statements) if (one.section_id, one.question_id, one.place, one.former) == wanted)
        return next(found, None)

    def asked(self, section: str, question: Question) -> list[Statement | None]:
        """The statement at each place of a statement question: as many as the template asks for."""
        return [self.statement(section, question.id, place) for place in range(statement_settings.of(question).count)]

    def shown(self) -> Iterator[tuple[Section, Question]]:
        """Every question that is shown now, in order."""
        for section in self.template.sections:
            for question in self.visible[section.id]:
                yield section, question


def read(dossier: Dossier) -> Contents:
    template = stored_templates.get(dossier.template_sha256)
    rows = session.scalars(select(SectionAnswers).where(SectionAnswers.dossier_id == dossier.id)).all()
    evidence = session.scalars(
        select(Evidence)
        .where(Evidence.dossier_id == dossier.id, Evidence.removed_at.is_(None))
        .order_by(Evidence.place, Evidence.id)
    ).all()
    statements = session.scalars(
        select(Statement).where(Statement.dossier_id == dossier.id, Statement.stage != "revoked").order_by(Statement.id)
    ).all()
    answers = {row.section_id: row.data for row in rows}
    documents: dict[int, tuple[Evidence, ...]] = {}
    for item in evidence:
        if item.statement_id is not None:
            documents[item.statement_id] = (*documents.get(item.statement_id, ()), item)
    return Contents(
        dossier=dossier,
        template=template,
        answers=answers,
        versions={row.section_id: row.version for row in rows},
        saved_at={row.section_id: row.saved_at for row in rows},
        finished=frozenset(row.section_id for row in rows if row.finished),
        evidence={item.id: item for item in evidence if item.statement_id is None and item.replaces_id is None},
        replacements={item.replaces_id: item for item in evidence if item.replaces_id is not None},
        statements=tuple(statements),
        documents=documents,
        visible=conditions.visible(template, answers),
    )


def evidence_in(question: Question, answer: Any) -> list[int]:
    """The ids of the evidence that an answer refers to, in order: of an evidence question, or of evidence fields in a table."""
    if question.type == "evidence":
        return list(answer or [])
    if question.type == "table":
        fields = [field["id"] for field in question.settings["fields"] if field["type"] == "evidence"]
        return [item for row in answer or [] for field in fields for item in row.get(field) or []]
    return []


def evidence_used(contents: Contents) -> dict[int, list[tuple[str, str]]]:
    """For each evidence id that a shown answer refers to: the (section, question) pairs, in order of first reference."""
    used: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for section, question in contents.shown():
        for item in evidence_in(question, contents.answer(section.id, question.id)):
            place = (section.id, question.id)
            if place not in used[item]:
                used[item].append(place)
    return dict(used)


def appendix_numbers(contents: Contents) -> dict[int, int]:
    """The number that each file in use has as an appendix: in the order in which the answers name them first."""
    used = (item for item in evidence_used(contents) if item in contents.evidence)
    return {item: number for number, item in enumerate(used, start=1)}
