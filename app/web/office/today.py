"""The office's first page: four figures, two charts and what asks for attention, with one next action a row."""

from dataclasses import replace
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date

from app.assessment import attention, overview
from app.assessment.attention import Figures, Item
from app.assessment.overview import IN_HAND, STATES
from app.dossiers.submission import today
from app.errors import Text
from app.texts import both, both_n, pick
from app.web.dates import day
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, charts
from app.web.office.words import STATE_WORDS, days
from app.web.parts import installation, me

MOST = 40  # rows on the page; the list of dossiers has them all
SHOWN_STATES = ("draft", "returned", *IN_HAND)
KINDS = {
    "stuck": "red",
    "plugin": "red",
    "conflict": "red",
    "disabled_assessor": "red",
    "to_admit": "yellow",
    "to_assign": "yellow",
    "undeclared": "yellow",
    "overdue": "yellow",
    "deadline": "blue",
    "returned": "blue",
}


@blueprint.get("")
@guard("office.home")
def home() -> ResponseReturnValue:
    rows = attention.rows()
    found = attention.items(rows, list(installation().catalogue.plugins.values()))
    months = attention.months()
    numbers = overview.states()
    most = max(numbers[state] for state in SHOWN_STATES)
    return render_template(
        "office/today.html",
        day=day(today()),
        figures=figures_of(attention.figures(rows)),
        months=[(str(format_date(first, "LLLL y")), submitted, admitted) for first, submitted, admitted in months],
        chart=charts.columns([(str(format_date(first, "LLL")).strip("."), one, two) for first, one, two in months]),
        states=[
            (
                pick(STATE_WORDS[state], current_language()),
                numbers[state],
                charts.share(numbers[state], most),
                url_for("office.dossiers", fase=state),
            )
            for state in STATES
            if state in SHOWN_STATES and (numbers[state] or state in ("to_admit", "to_assign", "judging"))
        ],
        items=[in_words(one) for one in found[:MOST]],
        more=len(found) - MOST,
    )


def figures_of(found: Figures) -> list[dict[str, Any]]:
    """The four figures of the page's head."""
    language = current_language()

    def oldest(age: int | None) -> str:
        return "" if age is None else pick(both("oudste: %(age)s", age=days(age)), language)

    median = found.median_days
    return [
        {
            "number": found.in_hand,
            "label": pick(both("dossiers in behandeling"), language),
            "detail": "" if median is None else pick(both("mediaan: %(age)s sinds indienen", age=days(median)), language),
            "href": url_for("office.dossiers", fase="in_hand"),
        },
        {
            "number": found.to_admit,
            "label": pick(both("wachten op toelating"), language),
            "detail": oldest(found.oldest_to_admit),
            "warn": found.to_admit > 0,
            "href": url_for("office.dossiers", fase="to_admit"),
        },
        {
            "number": found.to_assign,
            "label": pick(both("wachten op toewijzing"), language),
            "detail": oldest(found.oldest_to_assign),
            "warn": found.to_assign > 0,
            "href": url_for("office.dossiers", fase="to_assign"),
        },
        {
            "number": found.stuck,
            "label": pick(both("vastgelopen"), language),
            "detail": pick(both("documenten, bestanden en e-mail"), language),
            "warn": found.stuck > 0,
            "href": url_for("office.stuck"),
        },
    ]


def in_words(item: Item) -> dict[str, Any]:
    """One row: what it is about, what is the matter, how long, and the one next action. None on one's own dossier."""
    language, row = current_language(), item.row
    mine = row is not None and row.owner_id == me().id
    if mine and item.who:  # who assesses him is not for the candidate to know
        item = replace(item, who=pick(both("Een beoordelaar"), language))
    status, action = _words(item)
    if item.kind == "deadline":
        wait = pick(both("nog %(age)s", age=days(item.days)), language) if item.days else days(0)
    elif item.kind == "stuck":
        wait = ""
    else:
        wait = days(item.days)
    return {
        "reference": row.reference if row else "",
        "candidate": row.candidate if row else "",
        "status": pick(status, language),
        "kind": KINDS[item.kind],
        "wait": wait,
        "href": "" if mine else page_of(item),
        "action": pick(action, language),
        "mine": mine,
    }


def page_of(item: Item) -> str:
    """Where the next action is done."""
    row = item.row
    if row is None:
        return url_for("office.stuck")
    if item.kind == "to_admit":
        return url_for("office.admission", reference=row.reference)
    if item.kind in ("to_assign", "conflict", "disabled_assessor") and row.assessment_id is not None:
        return url_for("office.assessors_page", assessment_id=row.assessment_id)
    if item.kind == "overdue":
        return url_for("office.extension", reference=row.reference)
    return url_for("office.dossier", reference=row.reference)


def _words(item: Item) -> tuple[Text, Text]:
    """What is the matter, and the next action."""
    row = item.row
    assigned, needed = (row.assessors, row.needed) if row else (0, 0)
    match item.kind:
        case "stuck":
            return both_n("%(n)s stap vastgelopen", "%(n)s stappen vastgelopen", item.number), both("Bekijk en probeer opnieuw")
        case "plugin":
            return both_n("%(n)s plugin met een fout", "%(n)s plugins met een fout", item.number), both("Bekijk de fout")
        case "conflict":
            return both("%(name)s is niet onafhankelijk", name=item.who), both("Wijs een ander toe")
        case "disabled_assessor":
            return both("Account van %(name)s is gesloten", name=item.who), both("Wijs een ander toe")
        case "to_admit":
            return STATE_WORDS["to_admit"], both("Controleer de toelating")
        case "to_assign":
            return both("%(n)s van %(all)s beoordelaars", n=assigned, all=needed), both("Wijs een beoordelaar toe")
        case "undeclared":
            return both("%(name)s begon nog niet", name=item.who), both("Vraag hoe het staat")
        case "overdue":
            return both("Uiterste datum voorbij"), both("Geef uitstel")
        case "deadline":
            return both("Uiterste datum nadert"), both("Bekijk het dossier")
        case _:
            return STATE_WORDS["returned"], both("Vraag hoe het staat")
