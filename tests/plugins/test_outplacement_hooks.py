"""The specialisation's own check, fed with answers as they are typed."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from app.plugin_api import Finding

HOOKS = Path(__file__).parents[2] / "plugins" / "outplacement" / "hooks.py"

_spec = importlib.util.spec_from_file_location("outplacement_hooks", HOOKS)
assert _spec is not None
assert _spec.loader is not None
hooks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hooks)


def a_date(text: str) -> dict[str, str]:
    year, month, day = text.split("-") if text else ("", "", "")
    return {"day": day, "month": month, "year": year}


def a_row(row: str, outcome: str, started: str, ended: str) -> dict[str, Any]:
    return {"row": row, "description": "planner", "started": a_date(started), "ended": a_date(ended), "outcome": outcome}


def good_answers() -> dict[str, Any]:
    return {
        "trajectories": [
            a_row("r1", "new_job", "2025-02-01", "2025-08-01"),
            a_row("r2", "no_work", "2023-02-01", "2023-08-01"),
            a_row("r3", "running", "2026-05-01", ""),
        ],
        "completed": "12",
        "to_work": "9",
    }


def findings(answers: dict[str, Any], today: str = "2026-11-21") -> list[Finding]:
    return list(hooks.check_dossier({"answers": {"outplacement_triangle": answers}, "today": today}))


def places(answers: dict[str, Any], today: str = "2026-11-21") -> list[tuple[str, str]]:
    return [(finding.question, finding.row) for finding in findings(answers, today)]


def test_an_overview_that_agrees_gives_no_findings() -> None:
    assert findings(good_answers()) == []


def test_a_dossier_without_the_specialisation_gives_no_findings() -> None:
    assert list(hooks.check_dossier({"answers": {}, "today": "2026-11-21"})) == []


def test_an_end_before_the_start_is_found_at_its_row() -> None:
    answers = good_answers()
    answers["trajectories"][0]["ended"] = a_date("2025-01-31")
    assert findings(answers) == [
        Finding(
            section="outplacement_triangle",
            question="trajectories",
            row="r1",
            text={
                "nl": "Dit traject eindigde vóór de dag waarop het begon. Controleer beide datums.",
                "en": "This assignment ended before the day on which it started. Check both dates.",
            },
        )
    ]


@pytest.mark.parametrize(
    ("row", "change"),
    [
        (2, {"ended": a_date("2026-10-01")}),  # an end date, yet still running
        (1, {"ended": a_date("")}),  # finished, but when?
        (1, {"ended": a_date(""), "outcome": "stopped"}),
    ],
)
def test_an_outcome_that_contradicts_the_end_date_is_found_at_its_row(row: int, change: dict[str, Any]) -> None:
    answers = good_answers()
    answers["trajectories"][row].update(change)
    assert places(answers) == [("trajectories", f"r{row + 1}")]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2027-08-01", []),  # exactly two years after the last one
        ("2027-08-02", [("trajectories", "")]),
    ],
)
def test_an_assignment_must_have_been_finished_within_two_years(today: str, expected: list[tuple[str, str]]) -> None:
    assert places(good_answers(), today) == expected


def test_two_years_before_a_leap_day_is_28_february() -> None:
    answers = good_answers()
    answers["trajectories"][0]["ended"] = a_date("2026-02-28")
    assert places(answers, "2028-02-29") == []


def test_one_that_stopped_early_does_not_count_as_finished() -> None:
    answers = good_answers()
    answers["trajectories"][0]["outcome"] = "stopped"
    assert places(answers) == [("trajectories", "")]


@pytest.mark.parametrize(
    ("completed", "to_work", "expected"),
    [
        ("2", "1", []),
        ("1", "1", ["completed"]),  # two finished rows
        ("12", "0", ["to_work"]),  # one row ended in work
        ("5", "6", ["to_work"]),  # more to work than completed
        ("1", "0", ["completed", "to_work"]),
    ],
)
def test_totals_that_contradict_the_overview_or_each_other_are_found(completed: str, to_work: str, expected: list[str]) -> None:
    answers = good_answers() | {"completed": completed, "to_work": to_work}
    assert [question for question, _ in places(answers)] == expected


@pytest.mark.parametrize("typed", ["", "ca. 12", "9" * 5000, None, [], "1.5"])
def test_totals_that_are_no_numbers_are_left_to_the_form(typed: Any) -> None:
    assert findings(good_answers() | {"completed": typed, "to_work": typed}) == []


@pytest.mark.parametrize("typed", [None, "", "1 mei", {}, {"day": "31", "month": "2", "year": "2026"}, {"year": "9" * 5000}])
def test_dates_that_cannot_be_read_break_nothing(typed: Any) -> None:
    answers = good_answers()
    answers["trajectories"][2] |= {"started": typed, "ended": typed}
    assert findings(answers) == []


def test_rows_with_nothing_in_them_break_nothing() -> None:
    assert places({"trajectories": [{"row": "r1"}]}) == [("trajectories", "")]
    assert findings({"trajectories": []}) == []
