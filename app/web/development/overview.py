"""The whole log: what it counts for, since when, and as a list to take along."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.development import counting, taking_over
from app.development import entries as log
from app.development import files as log_files
from app.development.counting import Period, Tally
from app.development.entries import Rules
from app.development.models import LogEntry, LogFile
from app.dossiers.submission import today
from app.errors import Conflict, InvalidInput, Text
from app.extensions import transaction
from app.files import cells
from app.files.cells import Cell
from app.register import entries as register
from app.schemes.question_types import shown_number
from app.texts import both, both_n, pick
from app.web.auth import say
from app.web.dates import day
from app.web.development import blueprint
from app.web.development.parts import hours_words, period_of, rules, shown_file
from app.web.guard import guard
from app.web.language import current_language
from app.web.office.fields import parts_of, typed_day
from app.web.parts import me, only_fields


@blueprint.get("")
@guard("log.list")
def home() -> ResponseReturnValue:
    return home_page()


def home_page(wrong: Text | None = None, typed: Mapping[str, str] | None = None) -> str:
    """``wrong``: why the day that was ``typed`` as the beginning is not kept."""
    known, period, language = rules(), period_of(me()), current_language()
    mine, removed = log.all_of(me()), log.all_of(me(), removed=True)
    files = log_files.of_entries(mine)
    taken = taking_over.taken_by(mine)
    two_kinds = log.of_two_kinds(mine)
    rows = [
        _row(entry, known, files.get(entry.id, ()), taken.get(entry.id, ()), period, two_kinds.get(entry.id)) for entry in mine
    ]
    waiting = any(one.stage == "received" for of_entry in files.values() for one in of_entry)
    return render_template(
        "development/home.html",
        known=known is not None,
        tallies=[_tally(one) for one in counting.tallies(mine, known, period)] if known else [],
        years=[(year, list(group)) for year, group in groupby(rows, key=lambda row: row["year"])],
        count=len(mine),
        removed=[{"id": one.id, "title": one.title, "day": day(one.date)} for one in removed],
        period={
            "first": day(period.first) if period.first else "",
            "last": day(period.last) if period.last else "",
            "certain": period.certain,
        },
        since=typed or parts_of(period.first),
        wrong=pick(wrong, language) if wrong else "",
        errors=[{"text": pick(wrong, language), "href": "#since"}] if wrong else [],
        dossiers=[
            {"reference": one.reference, "count": len(taking_over.candidates(one, period))}
            for one in taking_over.open_dossiers(me().id)
        ],
        checking=waiting,
    )


def _row(
    entry: LogEntry,
    known: Rules | None,
    files: Sequence[LogFile],
    taken: Sequence[str],
    period: Period,
    other: LogEntry | None,
) -> dict[str, Any]:
    """``other``: the same event as an entry of another kind."""
    language = current_language()
    lacks = log.lacking(entry, known, files) if known else []
    return {
        "id": entry.id,
        "year": entry.date.year,
        "day": day(entry.date),
        "title": entry.title,
        "kind": pick(known.label(entry.kind, entry.option), language) if known else entry.kind,
        "hours": hours_words(entry.hours),
        "provider": entry.provider,
        "note": entry.note,
        "files": [shown_file(one) for one in files],
        "lacks": [pick(label, language) for label in lacks],
        "taken": taken,
        "other": pick(log.twice_words(known.label(other.kind, other.option)), language) if known and other else "",
        "outside": not period.holds(entry.date),
        "unknown": known is not None and known.kind(entry.kind) is None,
    }


def _tally(one: Tally) -> dict[str, Any]:
    """What counts, what does not and why, and how much is still needed, in words."""
    language = current_language()
    unit = pick(one.measured.unit, language) if one.measured else both("keer")[language]
    have = shown_number(one.have, language)
    if one.needed is None:
        words, left = f"{have} {unit}", ""
    else:
        needed = shown_number(one.needed, language)
        words = both("%(have)s van de %(needed)s %(unit)s", have=have, needed=needed, unit=unit)[language]
        left = (
            both("Nog %(short)s %(unit)s nodig.", short=shown_number(one.short, language), unit=unit)
            if one.short
            else both("U hebt genoeg.")
        )[language]
    why = [
        both(
            "%(label)s telt voor hoogstens %(most)s %(unit)s mee. U noteerde er %(entered)s.",
            label=cap.label,
            most=_amount(cap.max),
            entered=_amount(cap.entered),
            unit=cap.unit or "",
        )[language]
        for cap in one.capped
    ]
    if one.outside:
        why.append(
            both_n(
                "%(n)s regel valt buiten de looptijd van uw certificaat en telt niet mee.",
                "%(n)s regels vallen buiten de looptijd van uw certificaat en tellen niet mee.",
                len(one.outside),
            )[language]
        )
    if one.doubles:
        why.append(
            both_n(
                "%(n)s regel staat er twee keer in. Alles telt één keer.",
                "%(n)s regels staan er vaker in. Alles telt één keer.",
                len(one.doubles),
            )[language]
        )
    more = [
        f"{pick(total.label, language)}: {shown_number(total.counted, language)} {pick(total.unit, language)}".strip()
        for total in one.totals
        if total is not one.measured and total.counted
    ]
    return {
        "label": pick(one.kind.label, language),
        "words": words,
        "left": left,
        "enough": one.needed is not None and not one.short,
        "value": float(min(one.have, one.needed)) if one.needed else 0,
        "max": float(one.needed) if one.needed else 0,
        "why": why,
        "more": more,
    }


def _amount(number: Any) -> dict[str, str]:
    return {language: shown_number(number, language) for language in ("nl", "en")}


@blueprint.post("/sinds")
@guard("log.list")
def set_since() -> ResponseReturnValue:
    only_fields("since")
    typed = typed_day("since")
    if register.current(me(), today()) is not None:
        raise Conflict(both("Het register zegt sinds wanneer uw certificaat loopt. U hoeft dat niet zelf in te vullen."))
    try:
        with transaction():
            log.set_since(me(), typed)
            audit.write("log.since_set", actor=me(), thing=me())
    except InvalidInput as refusal:
        return home_page(refusal.text, typed), 422
    say("ok", both("Opgeslagen. Uw logboek telt vanaf deze dag."))
    return redirect(url_for("development.home"))


@blueprint.get("/ontwikkellogboek.csv")
@guard("log.list")
def export() -> ResponseReturnValue:
    """The whole log to take along; no cell can be a formula."""
    known, language, mine = rules(), current_language(), log.all_of(me())
    files, taken = log_files.of_entries(mine), taking_over.taken_by(mine)
    head = [
        pick(words, language)
        for words in (
            both("Datum"),
            both("Soort"),
            both("Wat u deed"),
            both("Uren"),
            both("Aanbieder of met wie"),
            both("Wat u leerde"),
            both("Bestanden"),
            both("Overgenomen in"),
        )
    ]
    lines: list[list[Cell]] = [
        [
            one.date,
            pick(known.label(one.kind, one.option), language) if known else one.kind,
            one.title,
            one.hours,
            one.provider,
            one.note,
            ", ".join(item.name for item in files.get(one.id, ())),
            ", ".join(taken.get(one.id, ())),
        ]
        for one in mine
    ]
    content = cells.csv_bytes([head, *lines])
    with transaction():
        audit.write("log.exported", actor=me(), thing=me(), rows=len(lines))
    answer = make_response(content)
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="ontwikkellogboek-{today().isoformat()}.csv"'
    return answer
