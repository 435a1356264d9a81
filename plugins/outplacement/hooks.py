"""Checks on the overview of outplacement assignments that the form alone cannot make: they look across rows and answers.

Answers arrive as typed. What is empty or unreadable is pointed out by the form itself, so it is passed over here.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from app.plugin_api import Finding

AREA = "outplacement_triangle"
FINISHED_WITHIN_YEARS = 2
TO_WORK = ("new_job", "own_business")
FINISHED = (*TO_WORK, "study", "no_work")

Row = Mapping[str, Any]


def check_dossier(snapshot_data: Mapping[str, Any]) -> Sequence[Finding]:
    """Whether each assignment's dates fit its outcome, one was finished recently, and the totals agree with the overview."""
    answers = snapshot_data["answers"].get(AREA, {})
    rows: list[Row] = answers.get("trajectories") or []
    today = date.fromisoformat(snapshot_data["today"])
    findings = [finding for row in rows for finding in _row_findings(row)]
    if rows and not any(_finished_recently(row, today) for row in rows):
        findings.append(_nothing_recent())
    findings.extend(_total_findings(answers, rows))
    return findings


def _row_findings(row: Row) -> Iterator[Finding]:
    started, ended, outcome = _date(row.get("started")), _date(row.get("ended")), row.get("outcome")
    if started and ended and ended < started:
        yield _about_row(
            row,
            "Dit traject eindigde vóór de dag waarop het begon. Controleer beide datums.",
            "This assignment ended before the day on which it started. Check both dates.",
        )
    if ended and outcome == "running":
        yield _about_row(
            row,
            "Dit traject loopt nog, maar er staat een einddatum bij. Haal de datum weg of kies hoe het is geëindigd.",
            "This assignment is still running, yet it has an end date. Remove the date or choose how the assignment ended.",
        )
    if outcome in (*FINISHED, "stopped") and _is_empty(row.get("ended")):
        yield _about_row(
            row,
            "Vul in wanneer dit traject eindigde, of kies “Het traject loopt nog”.",
            "Enter when this assignment ended, or choose “The assignment is still running”.",
        )


def _total_findings(answers: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[Finding]:
    completed, to_work = _whole_number(answers.get("completed")), _whole_number(answers.get("to_work"))
    listed = sum(row.get("outcome") in FINISHED for row in rows)
    listed_to_work = sum(row.get("outcome") in TO_WORK for row in rows)
    if completed is not None and completed < listed:
        yield _about(
            "completed",
            f"In uw overzicht staan meer afgeronde trajecten ({listed}) dan het totaal dat u invulde ({completed}). "
            "Verbeter het totaal of het overzicht.",
            f"Your overview has more completed assignments ({listed}) than the total you entered ({completed}). "
            "Correct the total or the overview.",
        )
    if to_work is not None and to_work < listed_to_work:
        yield _about(
            "to_work",
            f"In uw overzicht eindigden meer trajecten met nieuw werk of een eigen bedrijf ({listed_to_work}) dan u hier invulde "
            f"({to_work}). Verbeter het aantal of het overzicht.",
            f"In your overview, more assignments ended in new work or self-employment ({listed_to_work}) than you entered here "
            f"({to_work}). Correct the number or the overview.",
        )
    if completed is not None and to_work is not None and to_work > completed:
        yield _about(
            "to_work",
            f"U noemt meer trajecten die eindigden met werk ({to_work}) dan trajecten die u in totaal afrondde ({completed}). "
            "Controleer beide aantallen.",
            f"You mention more assignments that ended in work ({to_work}) than you completed altogether ({completed}). "
            "Check both numbers.",
        )


def _finished_recently(row: Row, today: date) -> bool:
    ended = _date(row.get("ended"))
    return ended is not None and row.get("outcome") in FINISHED and ended >= _years_before(today, FINISHED_WITHIN_YEARS)


def _nothing_recent() -> Finding:
    return _about(
        "trajectories",
        f"In uw overzicht staat geen traject dat u in de laatste {FINISHED_WITHIN_YEARS} jaar hebt afgerond. "
        "Voeg er een toe. Hebt u er geen? Neem dan contact op met het secretariaat.",
        f"Your overview has no assignment that you completed in the past {FINISHED_WITHIN_YEARS} years. "
        "Please add one. If you have none, contact the office.",
    )


def _about(question: str, nl: str, en: str) -> Finding:
    return Finding(section=AREA, question=question, text={"nl": nl, "en": en})


def _about_row(row: Row, nl: str, en: str) -> Finding:
    return Finding(section=AREA, question="trajectories", row=str(row.get("row", "")), text={"nl": nl, "en": en})


def _date(answer: Any) -> date | None:
    """A date as typed, or nothing when it is empty or no date."""
    try:
        return date(int(answer["year"]), int(answer["month"]), int(answer["day"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _is_empty(answer: Any) -> bool:
    return not isinstance(answer, Mapping) or not any(str(part).strip() for part in answer.values())


def _whole_number(answer: Any) -> int | None:
    """A number as typed, or nothing when it is empty or no whole number."""
    try:
        return int(answer)
    except (TypeError, ValueError):
        return None


def _years_before(day: date, years: int) -> date:
    """The same day, ``years`` earlier; 28 February for a leap day."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
