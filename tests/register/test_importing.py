"""The existing register comes in from a file: wholly or not at all, each problem with its line and column, and never twice."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app.accounts.models import Account
from app.extensions import session
from app.register import entries

HEAD = "email,number,scope,valid_from,valid_until,former_level\n"
GOOD = (
    "hanna@voorbeeld.nl,RL-1,outplacement,2024-06-01,2027-03-01,\n"
    "hanna@voorbeeld.nl,RL-1,initial,2023-03-02,1-3-2027,b\n"
    "BO@voorbeeld.nl,RL-2,recertification,2022-01-01,2025-12-31,\n"
)


@pytest.fixture
def people(make_account: Callable[..., Account]) -> list[Account]:
    return [make_account(name, "candidate", email=f"{name.lower()}@voorbeeld.nl") for name in ("Hanna", "Bo")]


@pytest.fixture
def run(app: Flask, people: list[Account], tmp_path: Path) -> Callable[..., Result]:
    """``run(text, "--dry-run")``: the command on a file with this text (or these bytes)."""

    def command(content: str | bytes, *options: str) -> Result:
        path = tmp_path / "register.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return app.test_cli_runner().invoke(args=["register", "import", str(path), *options])

    return command


Run = Callable[..., Result]


def recorded(people: list[Account]) -> list[tuple[str, str, date, date, str]]:
    session.rollback()
    found = [one for account in people for one in entries.of(account)]
    return [(one.number, one.scope, one.valid_from, one.valid_until, one.former_level) for one in found]


ALL = [
    ("RL-1", "initial", date(2023, 3, 2), date(2027, 3, 1), "B"),
    ("RL-1", "outplacement", date(2024, 6, 1), date(2027, 3, 1), ""),
    ("RL-2", "recertification", date(2022, 1, 1), date(2025, 12, 31), ""),
]


def test_a_good_file_is_recorded_in_any_order_and_once(run: Run, people: list[Account]) -> None:
    first = run(HEAD + GOOD)
    assert (first.exit_code, first.output) == (0, "3 recorded, 0 were there already.\n")
    assert recorded(people) == ALL
    again = run(HEAD + GOOD)
    assert (again.exit_code, again.output) == (0, "0 recorded, 3 were there already.\n")
    assert recorded(people) == ALL


def test_a_file_from_a_dutch_spreadsheet_is_read(run: Run, people: list[Account]) -> None:
    assert run(("﻿" + HEAD + GOOD).replace(",", ";").replace("\n", "\r\n")).exit_code == 0
    assert recorded(people) == ALL


def test_a_dry_run_records_nothing(run: Run, people: list[Account]) -> None:
    tried = run(HEAD + GOOD, "--dry-run")
    assert (tried.exit_code, tried.output) == (0, "3 would be recorded, 0 were there already.\n")
    assert recorded(people) == []


def test_each_problem_is_named_by_line_and_column_and_nothing_is_recorded(run: Run, people: list[Account]) -> None:
    wrong = (
        "nobody@voorbeeld.nl,RL-3,initial,2023-03-02,2027-03-01,\n"
        "\n"
        'bo@voorbeeld.nl,"RL\n3",initial,2026-31-01,2027-03-01,\n'
        "bo@voorbeeld.nl,RL-2,juggling,2023-03-02,2027-03-01,\n"
        "bo@voorbeeld.nl,RL-2,recertification,2025-01-01,2028-12-31,\n"
        "bo@voorbeeld.nl,RL-2\n"
    )
    answer = run(HEAD + GOOD + wrong)
    assert answer.exit_code == 1
    lines = [line.partition("register.csv: ")[2] for line in answer.output.splitlines()]
    assert lines == [
        "line 5, email: there is no account with the address 'nobody@voorbeeld.nl'; invite this person first",
        "line 7, valid_from: found '2026-31-01'; needed is a day such as 2027-03-01",
        "line 9, scope: Choose a scheme or specialisation from the list.",
        (
            "line 10, valid_from: This period coincides with an entry that is there already: from 1 January 2022 until "
            "31 December 2025. Correct that entry, or choose another period."
        ),
        "line 11: found 2 cells; needed are 6",
        "",
    ]
    assert answer.output.splitlines()[-1] == "Error: 5 problems; nothing is recorded."
    assert recorded(people) == []


def test_the_year_one_is_a_problem(run: Run, people: list[Account]) -> None:
    answer = run(HEAD + "hanna@voorbeeld.nl,RL-1,initial,0001-01-01,0004-12-31,\n")
    assert answer.exit_code == 1
    assert "line 2, valid_from: The year 1 is most likely wrong. Check the year.\n" in answer.output
    assert recorded(people) == []


def test_a_second_number_of_one_person_is_recorded_and_pointed_out(run: Run, people: list[Account]) -> None:
    answer = run(HEAD + GOOD + "bo@voorbeeld.nl,RL-3,initial,2016-01-01,2018-12-31,\n")
    assert answer.exit_code == 0
    assert [line.partition("register.csv: ")[2] for line in answer.output.splitlines()[:-1]] == [
        "look at line 4, number: The register number is RL-2, although other entries of this person have RL-3"
    ]
    assert answer.output.splitlines()[-1] == "4 recorded, 0 were there already."
    assert len(recorded(people)) == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 1: these columns are missing: email, number, scope, valid_from, valid_until"),
        (HEAD.replace("scope", "what"), "line 1: these columns are missing: scope"),
        (HEAD.replace("scope", "what"), "line 1: unknown columns: 'what'; allowed are email, number, scope"),
        (HEAD.replace("former_level", "email"), "line 1: these columns are there twice: email"),
        (HEAD.encode() + b"hanna,\xff,initial,,,\n", "line 2: the file is not in UTF-8; save it as CSV UTF-8"),
        (HEAD + 'hanna@voorbeeld.nl,"RL-1" x,initial,2023-03-02,2027-03-01,\n', "line 2: this is no CSV"),
    ],
)
def test_a_file_that_is_no_register_says_so(run: Run, people: list[Account], content: str | bytes, problem: str) -> None:
    answer = run(content)
    assert answer.exit_code == 1
    assert problem in answer.output
    assert recorded(people) == []
