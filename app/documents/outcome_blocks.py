"""The outcome of anonymous statements as blocks: a compact table of the scales, what was chosen, and remarks without names."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from app.documents.content import block_texts
from app.dossiers import outcomes
from app.errors import Text
from app.plugin_api import Block, Facts, ListBlock, Paragraph, Run, Runs, Table
from app.schemes import markup, question_types
from app.schemes.model import Question
from app.texts import both, both_n, pick

SHORT = 2
"""So many letters of a level's id fit above a narrow column; longer ones get the level's words."""


def outcome_blocks(outcome: Mapping[str, Any], question: Question, language: str) -> Iterator[Block]:
    """``outcome``: as ``outcomes.of`` makes it; ``question``: the statement question that was answered."""
    form = outcome.get("asked") or question.settings["questions"]  # as it was when people answered
    asked = {one["id"]: question_types.question(one) for one in form}
    people = both_n("%(n)s persoon antwoordde", "%(n)s personen antwoordden", outcome["count"])
    about = both(
        "%(people)s via een persoonlijke link, %(when)s. Wie wat antwoordde, is voor niemand te zien.",
        people=people,
        when=_when(outcome["months"]),
    )
    yield Paragraph(_runs(about[language]), look="lead")
    counted = [(asked[one["id"]], one["counts"]) for one in outcome["questions"] if one["id"] in asked]
    for is_scale, group in groupby(counted, key=lambda pair: _levels(pair[0])):
        pairs = list(group)
        if is_scale:
            yield from _scales(pairs, language)
        else:
            yield Facts(tuple((pick(one.label, language), _runs(_chosen(one, counts, language))) for one, counts in pairs))
    for remark in outcome["remarks"]:
        if remark["id"] in asked:
            yield from _remarks(remark, asked[remark["id"]], language)


def _when(months: Sequence[str]) -> Text:
    """``in november 2026``, ``van september 2026 tot en met november 2026``."""
    first, last = (
        {language: format_date(date.fromisoformat(f"{month}-01"), "MMMM y", locale=language) for language in ("nl", "en")}
        for month in months
    )
    if first == last:
        return both("in %(month)s", month=first)
    return both("van %(first)s tot en met %(last)s", first=first, last=last)


def _levels(question: Question) -> tuple[tuple[str, str, str], ...]:
    """The levels of a scale, to tell whether two scales are the same; nothing for another type of question."""
    if question.type != "scale":
        return ()
    return tuple((str(one["id"]), one["label"].get("nl", ""), one["label"].get("en", "")) for one in question.settings["levels"])


def _scales(pairs: Sequence[tuple[Question, Sequence[Sequence[Any]]]], language: str) -> Iterator[Block]:
    """Scales with the same levels: a row for each, with how many chose each level, the average and the number of answers."""
    levels = [(str(one["id"]), pick(one["label"], language)) for one in pairs[0][0].settings["levels"]]
    short = all(len(level) <= SHORT for level, _ in levels)
    heads = [level if short else label for level, label in levels]
    rows = tuple(
        (
            _runs(pick(one.label, language)),
            *(_runs(str(n) if n else "–") for _, n in counts),
            _runs(_number(outcomes.average(counts), language), bold=True),
            _runs(str(sum(n for _, n in counts))),
        )
        for one, counts in pairs
    )
    header = (both("Vraag")[language], *heads, both("Gemiddeld")[language], both("Aantal")[language])
    yield Table("", header, rows, numeric=tuple(range(1, len(header))))
    if short:
        meanings = "; ".join(f"{level} = {label[:1].lower()}{label[1:]}" for level, label in levels)
        text = both("Onder elk cijfer staat hoe vaak het is gekozen. %(meanings)s.", meanings=meanings)
        yield Paragraph(_runs(text[language]), look="hint")


def _chosen(question: Question, counts: Sequence[Sequence[Any]], language: str) -> str:
    labels = {
        str(one["id"]): pick(one.get("label") or {"nl": one.get("name", "")}, language) for one in question.settings["options"]
    }
    return "\n".join(f"{labels.get(option, option)}: {n}" for option, n in counts)


def _remarks(remark: Mapping[str, Any], question: Question, language: str) -> Iterator[Block]:
    yield Paragraph(_runs(pick(question.label, language)), look="label")
    if remark["texts"]:
        yield ListBlock(tuple(_runs(f"“{_plain(text)}”") for text in remark["texts"]))
    elif not remark["withheld"]:
        yield Paragraph((Run(both("Hier schreef niemand iets bij.")[language], italic=True),))
    if remark["withheld"]:
        text = both_n(
            "%(n)s opmerking mag niet letterlijk in het dossier.",
            "%(n)s opmerkingen mogen niet letterlijk in het dossier.",
            remark["withheld"],
        )
        yield Paragraph(_runs(text[language]), look="hint")


def _plain(text: str) -> str:
    """A remark on one line, without the marks of its markup."""
    return " ".join(" ".join(words for block in markup.parse(text) for words in block_texts(block)).split())


def _number(value: Decimal | None, language: str) -> str:
    return "–" if value is None else str(format_decimal(value, "0.0", locale=language))


def _runs(text: str, *, bold: bool = False) -> Runs:
    return (Run(text, bold=bold),)
