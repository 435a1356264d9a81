"""How far a competency area is: what is answered, written and added, and what shows something of each criterion. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.dossiers.contents import Contents
from app.errors import Text
from app.plugin_api import Finding, QuestionType
from app.schemes import question_types
from app.schemes.model import Criterion, Question, Section


@dataclass(frozen=True)
class Count:
    """``got`` where at least ``needed`` are asked; ``short``: in how many places too little, also when the sum is enough."""

    got: int
    needed: int
    short: int


@dataclass(frozen=True)
class Source:
    """A question that shows something of a criterion. ``field``: the label of a table's field of evidence, when that is meant."""

    question: Question
    field: Text | None
    is_evidence: bool
    filled: bool


@dataclass(frozen=True)
class Served:
    """A criterion with what shows something of it, in the order of the page."""

    criterion: Criterion
    sources: tuple[Source, ...]

    @property
    def lacks_evidence(self) -> bool:
        """Whether evidence is asked of it and none is there yet."""
        asked = [one for one in self.sources if one.is_evidence]
        return bool(asked) and not any(one.filled for one in asked)


@dataclass(frozen=True)
class Meter:
    """How far an area is. ``missing`` are its findings, without the mark that it is finished."""

    questions: Count
    words: Count
    evidence: Count
    criteria: tuple[Served, ...]
    missing: tuple[Finding, ...]


def measure(contents: Contents, area: Section, types: Mapping[str, QuestionType], findings: Sequence[Finding]) -> Meter:
    """The meter of an area. ``findings`` as ``completeness`` gives them; those of other sections are passed over."""
    missing = tuple(one for one in findings if one.section == area.id and one.question != "finished")
    wrong = {one.question for one in missing}
    shown = [question for question in contents.visible[area.id] if question.type in types]
    asked = [question for question in shown if question.required]
    ready = sum(question.id not in wrong and not _empty(contents, area, question, types) for question in asked)
    return Meter(
        questions=Count(ready, len(asked), len(asked) - ready),
        words=_words(contents, area, shown),
        evidence=_evidence(contents, area, shown),
        criteria=tuple(Served(one, tuple(_sources(contents, area, shown, one.id, types))) for one in area.criteria),
        missing=missing,
    )


def criteria_of(area: Section, question: Question) -> list[Criterion]:
    """The criteria that the files of a question show something of: those of its fields of evidence, if a table has them."""
    served = set(question.serves)
    if question.type == "table":
        served = {name for field in _papers(question) for name in field.get("serves", question.serves)}
    return [criterion for criterion in area.criteria if criterion.id in served]


def _empty(contents: Contents, area: Section, question: Question, types: Mapping[str, QuestionType]) -> bool:
    if question.type == "statement":
        return None in contents.asked(area.id, question)
    return types[question.type].is_empty(contents.answer(area.id, question.id))


def _words(contents: Contents, area: Section, shown: Sequence[Question]) -> Count:
    got = needed = short = 0
    for question in shown:
        answer = contents.answer(area.id, question.id)
        if question.type != "long_text":
            continue
        count = question_types.count_words(answer) if isinstance(answer, str) else 0
        least = (question.settings.get("words") or {}).get("min") or 0
        got += count
        if question.required or count:
            needed, short = needed + least, short + (count < least)
    return Count(got, needed, short)


def _evidence(contents: Contents, area: Section, shown: Sequence[Question]) -> Count:
    """Files that are there and were not refused; a file that serves two questions counts at each of them."""
    got = needed = short = 0
    for question in shown:
        answer = contents.answer(area.id, question.id)
        places: list[tuple[Any, int]] = []
        if question.type == "evidence" and (question.required or answer):
            places = [(answer, question.settings["files"].get("min") or 0)]
        elif question.type == "table":
            rows = list(answer) if isinstance(answer, list) else []
            least = (question.settings.get("rows") or {}).get("min", 1) if question.required or rows else 0
            rows += [{}] * (least - len(rows))
            for field in _papers(question):
                asked = max(field["files"].get("min") or 0, 1) if field.get("required", True) else 0
                places += [(row.get(field["id"]), asked) for row in rows]
        for files, asked in places:
            count = _there(contents, files)
            got, needed, short = got + count, needed + asked, short + (count < asked)
    return Count(got, needed, short)


def _there(contents: Contents, files: Any) -> int:
    """How many of these are in the folder and were not refused."""
    known = [contents.evidence.get(item) for item in set(files)] if isinstance(files, list) else []
    return sum(item is not None and item.stage != "refused" for item in known)


def _papers(table: Question) -> list[Mapping[str, Any]]:
    return [field for field in table.settings.get("fields", ()) if field["type"] == "evidence"]


def _sources(
    contents: Contents, area: Section, shown: Sequence[Question], criterion: str, types: Mapping[str, QuestionType]
) -> list[Source]:
    found = []
    for question in shown:
        answer = contents.answer(area.id, question.id)
        if criterion in question.serves:
            is_evidence = question.type == "evidence"
            filled = _there(contents, answer) > 0 if is_evidence else not _empty(contents, area, question, types)
            found.append(Source(question, None, is_evidence, filled))
        for field in _papers(question) if question.type == "table" else ():
            if criterion in field.get("serves", ()):
                filled = any(_there(contents, row.get(field["id"])) for row in answer or ())
                found.append(Source(question, field["label"], True, filled))
    return found
