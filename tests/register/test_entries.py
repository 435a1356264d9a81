"""The register is only ever added to; it says who holds what on which day; what cannot be is refused in words."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from databases import only_sqlite
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
        entries.void(second, "Stond bij de verkeerde persoon.", catalogue=catalogue, by=office)
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
        lambda: entries.void(first, "Nog eens.", catalogue=catalogue, by=office),
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
    assert entries.specialisations(holder, UNTIL + timedelta(days=1)) == []


END = date(2024, 1, 1)


@pytest.fixture
def shorten(office: Account, holder: Account, catalogue: Catalogue) -> Callable[..., RegisterEntry | None]:
    """``shorten(*confirmed)``: the holder's certificate that began first ends on ``END``."""

    def correct(*confirmed: str) -> RegisterEntry | None:
        first = next(one for one in reversed(entries.of(holder)) if one.kind == "certificate")
        line = Line(first.number, first.scope, first.valid_from, END)
        with transaction():
            return entries.correct(first, line, "Ingetrokken.", catalogue=catalogue, by=office, confirmed=confirmed)

    return correct


Shorten = Callable[..., RegisterEntry | None]


def standing(holder: Account) -> list[tuple[str, date, date, str]]:
    return sorted((one.scope, one.valid_from, one.valid_until, one.reason) for one in entries.of(holder))


def test_specialisations_go_along_with_their_certificate_once_that_is_confirmed(
    record: Record, holder: Account, shorten: Shorten
) -> None:
    record()
    record(**SPECIALISATION)
    record(scope="second_track", valid_from=date(2023, 6, 1))
    before = standing(holder)
    with pytest.raises(InvalidInput) as refusal:
        shorten()
    assert refusal.value.details["field"] == "confirmed"
    assert refusal.value.text["nl"] == (
        "Bij dit certificaat staan specialisaties die dan niet meer passen: Specialisatie outplacement telt niet meer; "
        "Specialisatie re-integratie tweede spoor wordt 1 juni 2023 tot en met 1 januari 2024. Bevestig hieronder dat zij mee "
        "veranderen, of verbeter eerst die regels."
    )
    with pytest.raises(InvalidInput):
        shorten("along 1:-:-")  # confirmed was something else
    assert standing(holder) == before
    shorten(refusal.value.details["doubt"].key)
    assert standing(holder) == [
        ("initial", FROM, END, "Ingetrokken."),
        ("second_track", date(2023, 6, 1), END, "Ingetrokken."),
    ]
    assert [action for action, _ in audited()[3:]] == ["register.corrected", "register.voided", "register.corrected"]
    assert entries.specialisations(holder, END + timedelta(days=1)) == []


def test_a_certificate_that_does_not_count_takes_its_specialisations_along(
    record: Record, holder: Account, office: Account, catalogue: Catalogue
) -> None:
    certificate = record()
    record(**SPECIALISATION)
    assert certificate is not None
    with pytest.raises(InvalidInput, match="outplacement no longer counts") as refusal, transaction():
        entries.void(certificate, "Bij een ander.", catalogue=catalogue, by=office)
    with transaction():
        entries.void(
            certificate, "Bij een ander.", catalogue=catalogue, by=office, confirmed=[refusal.value.details["doubt"].key]
        )
    assert standing(holder) == []


def test_a_certificate_that_still_has_to_begin_is_made_void_before_the_one_it_follows(
    record: Record, holder: Account, office: Account, catalogue: Catalogue, shorten: Shorten
) -> None:
    until = today() + timedelta(days=100)
    record(valid_until=until)
    following = record(scope="recertification", valid_from=until + timedelta(days=1), valid_until=until + timedelta(days=1000))
    assert following is not None
    with pytest.raises(InvalidInput, match="then no longer follows any") as refusal:
        shorten()
    assert refusal.value.details["field"] == "valid_until"
    with pytest.raises(InvalidInput, match="then no longer follows any") as refusal, transaction():
        entries.void(entries.of(holder)[1], "Nee.", catalogue=catalogue, by=office)
    assert refusal.value.details["field"] == "void_reason"
    with transaction():
        entries.void(following, "Ingetrokken.", catalogue=catalogue, by=office)
    assert shorten()


def test_what_was_left_behind_before_does_not_stand_in_the_way(
    record: Record, holder: Account, office: Account, shorten: Shorten
) -> None:
    record()
    with transaction():  # recorded before corrections looked at specialisations
        session.add(
            RegisterEntry(
                account_id=holder.id,
                number="RL-1234",
                kind="specialisation",
                scope="outplacement",
                valid_from=FROM,
                valid_until=UNTIL + timedelta(days=1),
            )
        )
    assert shorten()


def test_a_second_number_of_one_person_is_asked_about(record: Record, office: Account, catalogue: Catalogue) -> None:
    first = record(number="RL-9", valid_until=date(2024, 1, 1))
    assert first is not None
    for number in ("RL-10", "RL9"):
        with pytest.raises(InvalidInput, match="has the register number RL-9") as refusal:
            record(number=number, valid_from=date(2024, 1, 2))
        assert refusal.value.details["doubt"].key == f"number {number}"
    assert record(number="RL-9", valid_from=date(2024, 1, 2))
    line = Line("RL-10", "initial", FROM, date(2024, 1, 1))
    with pytest.raises(InvalidInput, match="RL-9"), transaction():
        entries.correct(first, line, "Nieuw nummer.", catalogue=catalogue, by=office)
    with transaction():
        assert entries.correct(first, line, "Nieuw nummer.", catalogue=catalogue, by=office, confirmed=["number RL-10"])


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"number": ""}, "number", "Vul het registernummer in."),
        ({"number": "=1+1"}, "number", "Een registernummer heeft hoogstens 20 letters"),
        ({"number": "R" * 21}, "number", "Een registernummer heeft hoogstens 20 letters"),
        ({"scope": "juggling"}, "scope", "Kies een schema of specialisatie uit de lijst."),
        ({"valid_until": FROM - timedelta(days=1)}, "valid_until", "De einddatum ligt vóór de begindatum."),
        ({"valid_from": date(1, 1, 1), "valid_until": date(4, 1, 1)}, "valid_from", "Het jaar 1 klopt vast niet."),
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
    for number in ("RL-1234", "rl-1234", "RL1234", "RL 1234", "rl.1234"):
        with pytest.raises(InvalidInput, match="Hanna Visser"):
            record(other, number=number)
    assert record(other, number="RL-1235")


def test_a_sign_between_two_digits_makes_another_number(record: Record, make_account: MakeAccount) -> None:
    assert record(number="1-11")
    assert record(make_account("Bo de Wit", "candidate"), number="11-1")
    with pytest.raises(InvalidInput, match="Hanna Visser"):
        record(make_account("Cas Bos", "candidate"), number="1/11")


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
        pytest.param(
            """INSERT OR REPLACE INTO register_entry SELECT id, account_id, 'RL-9', kind, scope, valid_from, valid_until,
        former_level, replaces_id, reason, is_void, recorded_by_id, recorded_at FROM register_entry""",
            marks=only_sqlite,
        ),
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
