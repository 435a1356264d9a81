"""The completeness of a competency area in words, for the section's page and the task list."""

from decimal import Decimal
from typing import Any

from app.dossiers import served
from app.dossiers.served import Count, Meter, Served
from app.errors import Text
from app.schemes import question_types
from app.schemes.model import GROUP_WORDS, Question, Section
from app.texts import LANGUAGES, both, both_n, pick
from app.web import forms
from app.web.language import current_language


def line(meter: Meter) -> str:
    """``6 van 8 vragen klaar · 1.200 van minstens 1.500 woorden · 2 van minstens 3 bewijsstukken``; before anything is
    there, just what is asked.
    """
    counts = (meter.questions, meter.words, meter.evidence)
    parts = (
        _asked(*counts)
        if not any(one.got for one in counts)
        else [_questions(meter.questions), _words(meter.words), _evidence(meter.evidence)]
    )
    return " · ".join(pick(one, current_language()) for one in parts if one is not None)


def view(section: Section, meter: Meter) -> dict[str, Any]:
    """What ``parts/completeness.html`` shows: {line, missing [{text, href}], no_evidence, criteria}."""
    language = current_language()
    titles = [pick(one.criterion.title, language) for one in meter.criteria if one.lacks_evidence]
    return {
        "line": line(meter),
        "missing": forms.error_list(section, meter.missing, language),
        "no_evidence": titles,
        "criteria": [_criterion(one) for one in meter.criteria] if any(one.sources for one in meter.criteria) else [],
    }


def criteria_words(section: Section, question: Question) -> list[str]:
    """The titles of the criteria that the files of a question show something of."""
    return [pick(one.title, current_language()) for one in served.criteria_of(section, question)]


def _criterion(one: Served) -> dict[str, Any]:
    language, filled = current_language(), [source for source in one.sources if source.filled]
    if not filled:
        state = both("nog niets ingevuld")
    elif one.lacks_evidence:
        state = both("nog geen bewijs")
    else:
        state = both("alles ingevuld") if len(filled) == len(one.sources) else both("deels ingevuld")
    return {
        "group": pick(GROUP_WORDS[one.criterion.group], language),
        "title": pick(one.criterion.title, language),
        "state": pick(state, language),
        "done": bool(filled) and len(filled) == len(one.sources),
        "sources": [
            {
                "text": ": ".join(pick(text, language) for text in (source.question.label, source.field) if text),
                "href": f"#{forms.element_id(source.question.id)}",
                "state": pick(_source_words(source), language),
            }
            for source in one.sources
        ],
    }


def _source_words(source: served.Source) -> Text:
    if source.is_evidence:
        return both("toegevoegd") if source.filled else both("nog geen bewijs")
    return both("ingevuld") if source.filled else both("nog leeg")


def _asked(questions: Count, words: Count, evidence: Count) -> list[Text | None]:
    return [
        both_n("%(n)s vraag", "%(n)s vragen", questions.needed) if questions.needed else None,
        both("minstens %(needed)s woorden", needed=_number(words.needed)) if words.needed else None,
        both_n("minstens %(n)s bewijsstuk", "minstens %(n)s bewijsstukken", evidence.needed) if evidence.needed else None,
    ]


def _questions(count: Count) -> Text | None:
    values = {"got": count.got, "needed": count.needed}
    text = both_n("%(got)s van %(needed)s vraag klaar", "%(got)s van %(needed)s vragen klaar", count.needed, **values)
    return text if count.needed else None


def _words(count: Count) -> Text | None:
    got, needed = _number(count.got), _number(count.needed)
    if count.got < count.needed:
        return both("%(got)s van minstens %(needed)s woorden", got=got, needed=needed)
    if count.short:
        return both_n(
            "%(got)s woorden, bij %(n)s vraag nog te weinig",
            "%(got)s woorden, bij %(n)s vragen nog te weinig",
            count.short,
            got=got,
        )
    if not count.got:
        return None
    if not count.needed:
        return both_n("%(n)s woord", "%(n)s woorden", count.got)
    return both("%(got)s woorden (minstens %(needed)s nodig)", got=got, needed=needed)


def _evidence(count: Count) -> Text | None:
    if count.got < count.needed:
        return both_n(
            "%(got)s van minstens %(needed)s bewijsstuk",
            "%(got)s van minstens %(needed)s bewijsstukken",
            count.needed,
            got=count.got,
            needed=count.needed,
        )
    if count.short:
        return both_n(
            "%(got)s bewijsstukken, op %(n)s plaats nog te weinig",
            "%(got)s bewijsstukken, op %(n)s plaatsen nog te weinig",
            count.short,
            got=count.got,
        )
    return both_n("%(n)s bewijsstuk", "%(n)s bewijsstukken", count.got) if count.got else None


def _number(value: int) -> Text:
    return {language: question_types.shown_number(Decimal(value), language) for language in LANGUAGES}
