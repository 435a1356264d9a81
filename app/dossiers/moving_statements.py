"""What becomes of statements when their dossier goes to other forms. See docs/decisions/clients.md.

A statement goes with its question as long as that asks the same kind of person in the same way: by name, or anonymously. What
was given keeps the form that was answered (``asked``). Otherwise it is ``former``: an invitation is withdrawn and its person
told; what was given is kept for reading and never counted with anything else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import select

from app.dossiers import invitations
from app.dossiers.models import Dossier, Statement
from app.extensions import session
from app.schemes import question_types, statement_settings
from app.schemes.changes import Comparison, Place, QuestionChange
from app.schemes.model import DossierTemplate, Question

OPEN = ("invited", "signed")


def move(dossier: Dossier, old: DossierTemplate, new: DossierTemplate, comparison: Comparison) -> None:
    """All statements of a dossier that goes from ``old`` to ``new``."""
    given = session.scalars(select(Statement).where(Statement.dossier_id == dossier.id).order_by(Statement.id)).all()
    by_place = changes_of(comparison)
    asked_as = {one.id: question for one in given if (question := as_it_is_asked(one, old)) is not None}
    staying: dict[Place, list[Statement]] = {}
    for one in given:
        if one.former or one.id not in asked_as:
            continue
        after = stays_at(asked_as[one.id], by_place.get((one.section_id, one.question_id)))
        if after is None:
            _let_go(one, asked_as[one.id])
        else:
            one.section_id, one.question_id = after
            staying.setdefault(after, []).append(one)
    session.flush()
    for place, group in _returning(given, new, staying):
        for one in group:
            one.former = False
        staying[place] = group
    for (section_id, question_id), group in staying.items():
        section = new.section(section_id)
        question = section.question(question_id) if section else None
        if question is not None:
            _settle(group, question, asked_as)
    session.flush()


def changes_of(comparison: Comparison) -> dict[Place, QuestionChange]:
    """What becomes of each statement question of the old forms."""
    return {one.was: one for one in comparison.questions if one.was and one.old and one.old.type == "statement"}


def as_it_is_asked(statement: Statement, template: DossierTemplate) -> Question | None:
    """The question of a statement in the forms that its dossier has, or had when it was asked."""
    section = template.section(statement.section_id)
    question = section.question(statement.question_id) if section else None
    if statement.former:
        return question_types.question(statement.asked) if statement.asked else None
    if question is None or question.type != "statement":
        return None
    return statement_settings.as_asked(question, statement.asked)


def stays_at(asked: Question, change: QuestionChange | None) -> Place | None:
    """Where a statement goes along to; ``None``: it is not asked any more, or of other people or otherwise."""
    if change is None or change.place is None or change.new is None or not _same_people(asked, change.new):
        return None
    return change.place


def keeps_form(signed: bool, asked: Question, new: Question) -> bool:
    """Whether people who were asked ``asked`` keep that form beside ``new``, and the promise of how many are added up."""
    before, after = statement_settings.of(asked), statement_settings.of(new)
    other = any(asked.settings.get(key) != new.settings.get(key) for key in statement_settings.FORM)
    return signed and (other or (before.anonymous and before.least > after.least))


def _same_people(asked: Question, new: Question) -> bool:
    if new.type != "statement":
        return False
    before, after = statement_settings.of(asked), statement_settings.of(new)
    return (before.kind, before.anonymous) == (after.kind, after.anonymous)


def _let_go(statement: Statement, asked: Question) -> None:
    statement.former, statement.asked = True, _dumped(asked)
    if statement.stage == "invited":
        invitations.revoke(statement)
        invitations.tell_withdrawn(statement)


def _returning(
    given: Sequence[Statement], new: DossierTemplate, staying: Mapping[Place, Sequence[Statement]]
) -> Iterator[tuple[Place, list[Statement]]]:
    """What was given for a question that is asked again, where nobody else was asked meanwhile: all of it or nothing."""
    groups: dict[Place, list[Statement]] = {}
    for one in given:
        if one.former and one.stage in ("signed", "declined"):
            groups.setdefault((one.section_id, one.question_id), []).append(one)
    for place, group in groups.items():
        section = new.section(place[0])
        question = section.question(place[1]) if section else None
        fitting = [one for one in group if question and one.asked and _same_people(question_types.question(one.asked), question)]
        taken = [one.place for one in fitting if one.stage == "signed"]
        if fitting and len(set(taken)) == len(taken) and not any(one.stage in OPEN for one in staying.get(place, ())):
            yield place, fitting


def _settle(group: Sequence[Statement], question: Question, asked_as: Mapping[int, Question]) -> None:
    """Gives those of one question the form that they have from now on, and withdraws who is not needed any more."""
    settings = statement_settings.of(question)
    signed = [one for one in group if one.stage == "signed"]
    for one in group:
        begun = bool(signed) if settings.anonymous else one.signed_at is not None
        first = asked_as[signed[0].id] if settings.anonymous and signed else asked_as[one.id]
        one.asked = _dumped(first) if keeps_form(begun, first, question) else None
    busy = {one.place for one in group if one.stage in OPEN}
    free = [place for place in range(settings.count) if place not in busy]
    for one in beyond(group, settings.count):
        if settings.anonymous and free:
            one.place = free.pop(0)
        else:
            _let_go(one, asked_as[one.id])


def beyond(group: Iterable[Statement], count: int) -> list[Statement]:
    """Those who were asked for a place that there is not any more."""
    return [one for one in group if one.stage == "invited" and one.place >= count]


def _dumped(question: Question) -> dict[str, object]:
    """A question as ``question_types.question`` takes it."""
    named = {"id": question.id, "type": question.type, "label": question.label, "hint": question.hint}
    return {**question.settings, **named}
