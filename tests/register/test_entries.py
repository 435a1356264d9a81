"""The register is only ever added to; it says who holds what on which day; what cannot be is refused in words."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app import audit
from app.accounts.models import Account
from app.dossiers.submission import today
from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.extensions import session, transaction
from app.register import entries
from app.register.entries import Line
from app.register.models import RegisterEntry
from app.schemes.loader import Catalogue

MakeAccount = Callable[..., Account]
FROM, UNTIL = date(2023, 3, 2), date(2027, 3, 1)


@pytest.fixture
def office(make_account: MakeAccount) -> Account:
    return make_account("Ilse Smit", "office")


@pytest.fixture
def holder(make_account: MakeAccount) -> Account:
    return make_account("Hanna Visser", "candidate")


@pytest.fixture
def record(office: Account, holder: Account, catalogue: Catalogue) -> Callable[..., RegisterEntry | None]:
    """``record(number=…, …)``: an entry of the holder by the office, an initial certificate unless said otherwise."""

    def add(account: Account | None = None, by: Account | None = office, **changes: object) -> RegisterEntry | None:
        line = Line(**{"number": "RL-1234", "scope": "initial", "valid_from": FROM, "valid_until": UNTIL, **changes})  # type: ignore[arg-type]
        with transaction():
            return entries.record(account or holder, line, catalogue=catalogue, by=by)

    return add


Record = Callable[..., RegisterEntry | None]


def audited() -> list[tuple[str, str]]:
    session.rollback()
    found = session.execute(text("SELECT action, actor FROM audit_entry WHERE action LIKE 'register.%' ORDER BY id"))
    return [(action, actor) for action, actor in found]


def test_current_is_the_certificate_from_its_first_to_its_last_day(record: Record, holder: Account) -> None:
    entry = record(former_level="B")
    assert entry is not None
    day = timedelta(days=1)
    assert [entries.current(holder, on) is not None for on in (FROM - day, FROM, UNTIL, UNTIL + day)] == [
        False,
        True,
        True,
        False,
    ]
    assert (entry.kind, entry.number, entry.former_level, entry.is_void, entry.replaces_id) == (
        "certificate",
        "RL-1234",
        "B",
        False,
        None,
    )


def test_of_gives_what_stands_and_history_everything(
    record: Record, office: Account, holder: Account, catalogue: Catalogue
) -> None:
    first = record()
    assert first is not None
    with transaction():
        second = entries.correct(
            first, Line("RL-1234", "initial", FROM, date(2026, 12, 31)), "Verkeerde einddatum.", catalogue=catalogue, by=office
        )
    assert second is not None
    assert [one.id for one in entries.of(holder)] == [second.id]
    assert [one.id for one in entries.history(holder)] == [second.id, first.id]
    assert entries.current(holder, date(2027, 1, 1)) is None
    with transaction():
        entries.void(second, "Stond bij de verkeerde persoon.", by=office)
    assert list(entries.of(holder)) == []
    assert [(one.is_void, one.replaces_id) for one in entries.history(holder)] == [
        (True, second.id),
        (False, first.id),
        (False, None),
    ]
    by = f"account:{office.id}"
    assert audited() == [("register.recorded", by), ("register.corrected", by), ("register.voided", by)]
    assert audit.verify() is None


def test_an_entry_is_corrected_once(record: Record, office: Account, catalogue: Catalogue) -> None:
    first = record()
    assert first is not None
    with transaction():
        entries.correct(first, Line("RL-1235", "initial", FROM, UNTIL), "Typefout.", catalogue=catalogue, by=office)
    for late in (
        lambda: entries.correct(first, Line("RL-9", "initial", FROM, UNTIL), "Nog eens.", catalogue=catalogue, by=office),
        lambda: entries.void(first, "Nog eens.", by=office),
    ):
        with pytest.raises(Conflict), transaction():
            late()


def test_recording_the_same_twice_adds_nothing(record: Record, holder: Account) -> None:
    assert record() is not None
    assert record() is None
    assert record(number=" RL-1234 ") is None
    assert len(entries.history(holder)) == 1


def test_a_correction_that_says_the_same_adds_nothing(
    record: Record, office: Account, catalogue: Catalogue, holder: Account
) -> None:
    first = record()
    assert first is not None
    with transaction():
        assert entries.correct(first, Line("RL-1234", "initial", FROM, UNTIL), "Niets.", catalogue=catalogue, by=office) is None
    assert len(entries.history(holder)) == 1


SPECIALISATION = {"scope": "outplacement", "valid_from": date(2024, 6, 1)}


def test_specialisations_stand_beside_a_certificate(
    record: Record, office: Account, holder: Account, catalogue: Catalogue
) -> None:
    certificate = record()
    added = record(**SPECIALISATION)
    assert certificate is not None
    assert added is not None
    assert (added.kind, added.scope) == ("specialisation", "outplacement")
    assert [one.id for one in entries.specialisations(holder, date(2024, 6, 1))] == [added.id]
    assert entries.specialisations(holder, date(2024, 5, 31)) == []
    with transaction():
        entries.correct(
            certificate, Line("RL-1234", "initial", FROM, date(2025, 1, 1)), "Ingetrokken.", catalogue=catalogue, by=office
        )
    assert entries.specialisations(holder, date(2025, 1, 2)) == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"number": ""}, "number", "Vul het registernummer in."),
        ({"number": "=1+1"}, "number", "Een registernummer heeft hoogstens 20 letters"),
        ({"number": "R" * 21}, "number", "Een registernummer heeft hoogstens 20 letters"),
        ({"scope": "juggling"}, "scope", "Kies een schema of specialisatie uit de lijst."),
        ({"valid_until": FROM - timedelta(days=1)}, "valid_until", "De einddatum ligt vóór de begindatum."),
        ({"valid_until": date(2043, 3, 1)}, "valid_until", "Dit is langer dan 10 jaar."),
        ({"former_level": "D"}, "former_level", "Kies een niveau uit de lijst."),
        (SPECIALISATION, "valid_from", "Leg eerst het certificaat vast."),
        ({"scope": "outplacement", "former_level": "A"}, "former_level", "Alleen een certificaat"),
        ({"valid_from": date(2090, 1, 1), "valid_until": date(2094, 1, 1)}, "valid_from", "De begindatum ligt in de toekomst."),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    record: Record, holder: Account, changes: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        record(**changes)
    assert refusal.value.details["field"] == field
    assert words in refusal.value.text["nl"]
    assert list(entries.history(holder)) == []


def test_certificates_do_not_overlap_and_the_next_may_begin_later(record: Record) -> None:
    record(valid_until=today() + timedelta(days=100), valid_from=today() - timedelta(days=900))
    with pytest.raises(InvalidInput, match="coincides"):
        record(scope="recertification", valid_from=today(), valid_until=today() + timedelta(days=900))
    with pytest.raises(InvalidInput, match="future"):
        record(scope="recertification", valid_from=today() + timedelta(days=102), valid_until=today() + timedelta(days=900))
    assert record(scope="recertification", valid_from=today() + timedelta(days=101), valid_until=today() + timedelta(days=900))


def test_a_specialisation_ends_with_its_certificate_and_stands_once(record: Record) -> None:
    record()
    with pytest.raises(InvalidInput, match="1 March 2027"):
        record(**{**SPECIALISATION, "valid_until": UNTIL + timedelta(days=1)})
    assert record(**SPECIALISATION)
    with pytest.raises(InvalidInput, match="coincides"):
        record(scope="outplacement", valid_from=date(2025, 1, 1))
    assert record(scope="second_track", valid_from=date(2025, 1, 1))


def test_a_number_belongs_to_one_person(record: Record, make_account: MakeAccount) -> None:
    record()
    other = make_account("Bo de Wit", "candidate")
    for number in ("RL-1234", "rl-1234"):
        with pytest.raises(InvalidInput, match="Hanna Visser"):
            record(other, number=number)
    assert record(other, number="RL-1235")


def test_nobody_records_for_himself(record: Record, office: Account) -> None:
    with pytest.raises(Forbidden):
        record(office)
    assert list(entries.history(office)) == []


def test_find_gives_only_entries_of_this_person(record: Record, holder: Account, office: Account) -> None:
    entry = record()
    assert entry is not None
    assert entries.find(holder, entry.id).id == entry.id
    for account, entry_id in ((office, entry.id), (holder, entry.id + 1)):
        with pytest.raises(NotFound):
            entries.find(account, entry_id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE register_entry SET valid_until = '2099-01-01'",
        "DELETE FROM register_entry",
        """INSERT OR REPLACE INTO register_entry SELECT id, account_id, 'RL-9', kind, scope, valid_from, valid_until,
        former_level, replaces_id, reason, is_void, recorded_by_id, recorded_at FROM register_entry""",
    ],
)
def test_the_database_refuses_to_change_an_entry(record: Record, holder: Account, statement: str) -> None:
    record()
    with pytest.raises(DatabaseError, match="append-only"), transaction():
        session.execute(text(statement))
    session.rollback()
    assert [(one.number, one.valid_until) for one in entries.of(holder)] == [("RL-1234", UNTIL)]


def test_the_list_on_the_command_line_shows_what_stands(app: Flask, record: Record) -> None:
    record(former_level="A")
    shown = app.test_cli_runner().invoke(args=["register", "list"]).output
    assert shown.split() == ["RL-1234", "hanna.visser@voorbeeld.nl", "initial", "2023-03-02", "2027-03-01", "A"]
