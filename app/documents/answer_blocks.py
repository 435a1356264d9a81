"""The form's sections and answers as blocks: each shown question with its answer, nothing left out, nothing added."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.documents.content import Part, Rows, section_anchor
from app.documents.source import Source, words
from app.errors import DomainError, SealingFailed
from app.plugin_api import Block, EvidenceReference, Facts, Paragraph, Run, Runs, Table
from app.schemes.model import CRITERION_GROUPS, GROUP_WORDS, Question, Section
from app.schemes.question_types import count_words, in_dossier
from app.texts import both, both_n

STEPS = frozenset(("situatie", "taak", "actie", "resultaat", "reflectie", "situation", "task", "action", "result", "reflection"))
"""Words of STARR: in bold at the start of a paragraph they become the heading of a step."""

# Answers that fit beside their question, as long as they are one short paragraph.
SHORT_TYPES = frozenset({"short_text", "number", "date", "period", "choice", "scale"})


def section_part(source: Source, section: Section) -> Part:
    """A section with all its shown questions; an area also with what is judged and how much there is to read."""
    placed = tuple(_placed_blocks(source, source.visible[section.id], source.answers(section), section))
    if not placed:
        placed = ((Paragraph(words(source.say(both("Niet van toepassing")), italic=True)), ()),)
    blocks, opens = tuple(block for block, _ in placed), tuple(ids for _, ids in placed)
    part = Part("", source.say(section.title), section_anchor(section.id), blocks, opens=opens)
    if not section.is_area:
        return part
    areas = [area.id for area in source.template.areas]
    kicker = both("Competentiegebied %(n)s van %(total)s", n=areas.index(section.id) + 1, total=len(areas))
    numbers = source.evidence_numbers(section)
    size = [
        source.say(both_n("%(n)s woord", "%(n)s woorden", word_count(source, section))),
        source.appendix_words(numbers) if numbers else source.say(both("geen bijlagen")),
    ]
    return dataclasses.replace(part, kicker=source.say(kicker), criteria=_criteria(source, section), size=" · ".join(size))


def question_blocks(
    source: Source, questions: Sequence[Question], answers: Mapping[str, Any], section: Section
) -> Iterator[Block]:
    """Label and answer of each question; short answers in a row come as one table of facts."""
    yield from (block for block, _ in _placed_blocks(source, questions, answers, section))


def _placed_blocks(
    source: Source, questions: Sequence[Question], answers: Mapping[str, Any], section: Section
) -> Iterator[tuple[Block, tuple[str, ...]]]:
    """The blocks, each with the ids of the questions that start there."""
    short: list[tuple[str, tuple[str, Runs]]] = []
    for question in questions:
        label = source.say(question.label)
        blocks = tuple(_answer(source, question, answers.get(question.id), section, label))
        match blocks:
            case (Paragraph(runs=runs),) if question.type in SHORT_TYPES:
                short.append((question.id, (label, runs)))
                continue
        if short:
            yield _facts(short)
            short = []
        yield Paragraph(words(label), look="label"), (question.id,)
        yield from ((block, ()) for block in blocks)
    if short:
        yield _facts(short)


def _facts(rows: Sequence[tuple[str, tuple[str, Runs]]]) -> tuple[Facts, tuple[str, ...]]:
    return Facts(tuple(row for _, row in rows)), tuple(question_id for question_id, _ in rows)


def word_count(source: Source, section: Section) -> int:
    """Words in the section's long texts."""
    answers = source.answers(section)
    texts = (answers.get(question.id) for question in source.visible[section.id] if question.type == "long_text")
    return sum(count_words(text) for text in texts if text)


def criteria_by_group(source: Source, section: Section) -> list[tuple[str, list[str]]]:
    """What an area is judged on: each group that it has, with the titles of its criteria."""
    groups = [
        (
            source.say(GROUP_WORDS[group]),
            [source.say(criterion.title) for criterion in section.criteria if criterion.group == group],
        )
        for group in CRITERION_GROUPS
    ]
    return [(name, titles) for name, titles in groups if titles]


def _criteria(source: Source, section: Section) -> Rows:
    return tuple((name, words(" · ".join(titles))) for name, titles in criteria_by_group(source, section))


def _answer(source: Source, question: Question, answer: Any, section: Section, label: str) -> Iterator[Block]:
    if question.type == "statement":
        yield _where_statement_stands(source, section, question)
        return
    kind = source.types[question.type]
    if kind.is_empty(answer):
        yield Paragraph(words(source.say(both("Niet ingevuld")), italic=True))
        return
    if question.type == "evidence":
        yield from (source.evidence_reference(evidence_id, label) for evidence_id in answer)
        return
    mentioned = _mentioned(question.settings, answer) if question.type == "table" else []
    references: list[EvidenceReference] = [source.evidence_reference(evidence_id, label) for evidence_id in mentioned]
    appendix = source.say(both("Bijlage"))
    names = {evidence_id: f"{appendix} {item['number']}" for evidence_id, item in source.evidence.items()}
    try:
        settings = in_dossier(question, source.snapshot["answers"], source.snapshot["today"])
        blocks = tuple(kind.blocks(answer, {**settings, "evidence": names}, source.language))
    except DomainError:
        raise
    except Exception as fault:  # the question type may be a plugin's
        text = both(
            "Het antwoord op “%(label)s” kan niet in het document worden gezet. Neem contact op met het secretariaat.",
            label=label,
        )
        raise SealingFailed(text, step="outline", cause=repr(fault)) from fault
    if section.guidance.starr and question.type == "long_text":
        blocks = tuple(_with_steps(blocks))
    for block in blocks:
        yield dataclasses.replace(block, caption="") if isinstance(block, Table) and block.caption == label else block
    yield from references


def _with_steps(blocks: Sequence[Block]) -> Iterator[Block]:
    """Paragraphs that begin with a word of STARR in bold: that word as the heading of its step, then the rest."""
    for block in blocks:
        match block:
            case Paragraph(runs=(Run(text=text, bold=True), *rest), look="body") if (
                step := text.strip(" .:–-")
            ).lower() in STEPS:
                yield Paragraph(words(step), look="step")
                if rest:
                    first = dataclasses.replace(rest[0], text=rest[0].text.lstrip(" .:–-\n"))
                    yield Paragraph((first, *rest[1:]))
            case _:
                yield block


def _mentioned(settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The evidence ids in a table's cells, each once, in order."""
    names = [field["id"] for field in settings["fields"] if field["type"] == "evidence"]
    return list(dict.fromkeys(one for row in rows for name in names for one in row.get(name) or ()))


def _where_statement_stands(source: Source, section: Section, question: Question) -> Paragraph:
    place = (section.id, question.id)
    given = [one for one in source.snapshot["statements"] if (one["section"], one["question"]) == place]
    for outcome in source.snapshot.get("outcomes", ()):
        if (outcome["section"], outcome["question"]) == place:
            text = both(
                "Wat %(n)s personen antwoordden, staat zonder namen in het hoofdstuk “Verklaringen van anderen”.",
                n=outcome["count"],
            )
            return Paragraph(words(source.say(text)))
    if not given:
        return Paragraph(words(source.say(both("Er is geen verklaring gegeven.")), italic=True))
    names = ", ".join(one["signed_name"] or one["supervisor"]["name"] for one in given)
    text = both("De verklaring van %(names)s staat in het hoofdstuk “Verklaringen van anderen”.", names=names)
    return Paragraph(words(source.say(text)))
