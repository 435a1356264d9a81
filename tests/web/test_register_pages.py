"""The office records and corrects on its pages of people; the person sees where he stands. Refusals in words, nothing twice."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from babel.dates import format_date
from bs4 import BeautifulSoup
from filling import fill
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers import contents as dossier_contents
from app.dossiers.models import Dossier
from app.dossiers.submission import Consent, submit, today
from app.extensions import session, transaction
from app.pipeline import Installation
from app.register import entries
from app.register.entries import Line
from app.register.models import RegisterEntry
from app.schemes.loader import Catalogue

MakeAccount = Callable[..., Account]
Login = Callable[[Account], FlaskClient]


@pytest.fixture
def office(make_account: MakeAccount) -> Account:
    return make_account("Ilse Smit", "office")


@pytest.fixture
def desk(office: Account, login: Login) -> FlaskClient:
    return login(office)


@pytest.fixture
def holder(make_account: MakeAccount) -> Account:
    return make_account("Hanna Visser", "candidate")


def form(**changes: str) -> dict[str, str]:
    return {
        "scope": "initial",
        "number": "RL-1234",
        "valid_from.day": "2",
        "valid_from.month": "3",
        "valid_from.year": "2023",
        "valid_until.day": "1",
        "valid_until.month": "3",
        "valid_until.year": "2027",
        "former_level": "",
        **changes,
    }


def page_of(person: Account) -> str:
    return f"/secretariaat/mensen/{person.id}"


def text(answer: object) -> str:
    return unescape(answer.get_data(as_text=True))  # type: ignore[attr-defined]


def standing(person: Account) -> list[tuple[str, str, date, date, str]]:
    session.rollback()
    return [(one.number, one.scope, one.valid_from, one.valid_until, one.former_level) for one in entries.of(person)]


def recorded(person: Account, catalogue: Catalogue, office: Account, **changes: object) -> int:
    line = {"number": "RL-1234", "scope": "initial", "valid_from": date(2023, 3, 2), "valid_until": date(2027, 3, 1)} | changes
    with transaction():
        made = entries.record(person, Line(**line), catalogue=catalogue, by=office)  # type: ignore[arg-type]
    assert made is not None
    return made.id


def test_the_office_records_an_entry_once_and_reads_who_did(desk: FlaskClient, holder: Account, office: Account) -> None:
    assert "Van deze persoon staat er nu niets in het register." in text(desk.get(page_of(holder)))
    sent = form(former_level="B")
    page = text(desk.post(f"{page_of(holder)}/inschrijving", data=sent, follow_redirects=True))
    assert "De inschrijving is vastgelegd." in page
    assert "RL-1234 · 2 maart 2023 tot en met 1 maart 2027 · Vroeger niveau B" in page
    assert "door Ilse Smit" in page
    assert standing(holder) == [("RL-1234", "initial", date(2023, 3, 2), date(2027, 3, 1), "B")]
    again = desk.post(f"{page_of(holder)}/inschrijving", data=sent, follow_redirects=True)
    assert "Dit stond er al." in text(again)
    assert len(standing(holder)) == 1
    entry = entries.of(holder)[0]
    audited = session.scalars(select(AuditEntry).where(AuditEntry.action == "register.recorded")).one()
    assert (audited.actor, audited.thing, audited.details) == (
        f"account:{office.id}",
        f"account:{holder.id}",
        {"entry": entry.id},
    )


def test_each_fault_stands_beside_its_field_and_what_was_typed_stays(desk: FlaskClient, holder: Account) -> None:
    answer = desk.post(f"{page_of(holder)}/inschrijving", data=form(scope="", number="", **{"valid_from.day": "32"}))
    page = text(answer)
    assert answer.status_code == 422
    for words in ("Kies een schema of specialisatie uit de lijst.", "Vul het registernummer in.", "Vul in vanaf welke dag"):
        assert page.count(words) == 2, words
    assert 'value="2023"' in page
    assert standing(holder) == []


def test_what_cannot_be_is_said_at_its_field(desk: FlaskClient, holder: Account, catalogue: Catalogue, office: Account) -> None:
    recorded(holder, catalogue, office)
    page = text(desk.post(f"{page_of(holder)}/inschrijving", data=form(scope="recertification", **{"valid_from.year": "2024"})))
    assert page.count("Deze periode valt samen met een regel die er al staat: van 2 maart 2023 tot en met 1 maart 2027.") == 2
    assert len(standing(holder)) == 1


def test_a_correction_keeps_the_old_line_and_says_why(
    desk: FlaskClient, holder: Account, catalogue: Catalogue, office: Account
) -> None:
    entry_id = recorded(holder, catalogue, office)
    address = f"{page_of(holder)}/inschrijving/{entry_id}"
    shown = text(desk.get(address))
    assert 'value="RL-1234"' in shown
    assert "2 maart 2023 tot en met 1 maart 2027" in shown
    changed = form(**{"valid_until.year": "2026"})
    assert "Schrijf waarom u deze regel verbetert." in text(desk.post(address, data=changed | {"reason": " "}))
    page = text(desk.post(address, data=changed | {"reason": "Typefout in het jaar."}, follow_redirects=True))
    assert "1 regel die niet meer telt" in page
    assert "Typefout in het jaar." in page
    assert standing(holder) == [("RL-1234", "initial", date(2023, 3, 2), date(2026, 3, 1), "")]
    late = text(desk.post(address, data=changed | {"reason": "Nog eens."}, follow_redirects=True))
    assert "Deze regel is intussen al verbeterd." in late
    assert len(entries.history(holder)) == 2


def test_a_line_that_does_not_belong_no_longer_counts(
    desk: FlaskClient, holder: Account, catalogue: Catalogue, office: Account
) -> None:
    address = f"{page_of(holder)}/inschrijving/{recorded(holder, catalogue, office)}"
    refused = desk.post(f"{address}/vervallen", data={"void_reason": ""})
    assert refused.status_code == 422
    assert 'value="RL-1234"' in text(refused)
    page = text(desk.post(f"{address}/vervallen", data={"void_reason": "Hoort bij een ander."}, follow_redirects=True))
    assert "De inschrijving telt niet meer." in page
    assert standing(holder) == []


def test_what_goes_along_is_confirmed_on_the_page(
    desk: FlaskClient, holder: Account, catalogue: Catalogue, office: Account
) -> None:
    address = f"{page_of(holder)}/inschrijving/{recorded(holder, catalogue, office)}"
    recorded(holder, catalogue, office, scope="outplacement", valid_from=date(2023, 6, 1))
    sent = form(**{"valid_until.year": "2024", "reason": "Ingetrokken.", "number": "RL-1234"})
    asked = desk.post(address, data=sent)
    page = text(asked)
    assert asked.status_code == 422
    assert "Pas ook deze specialisaties aan, met dezelfde reden: Specialisatie outplacement wordt 1 juni 2023" in page
    key = "along 2:2023-06-01:2024-03-01"
    assert f'value="{key}"' in page
    assert len(entries.history(holder)) == 2
    asked = desk.post(f"{address}/vervallen", data={"void_reason": "Bij een ander."})
    assert (asked.status_code, 'value="along 2:-:-"' in text(asked)) == (422, True)
    assert "Bij een ander.</textarea>" in text(asked)
    page = text(desk.post(address, data=sent | {"confirmed": key}, follow_redirects=True))
    assert "2 regels die niet meer tellen" in page
    assert standing(holder) == [
        ("RL-1234", "initial", date(2023, 3, 2), date(2024, 3, 1), ""),
        ("RL-1234", "outplacement", date(2023, 6, 1), date(2024, 3, 1), ""),
    ]


def test_two_questions_are_asked_one_after_the_other(
    desk: FlaskClient, holder: Account, catalogue: Catalogue, office: Account
) -> None:
    address = f"{page_of(holder)}/inschrijving/{recorded(holder, catalogue, office)}"
    recorded(holder, catalogue, office, scope="outplacement", valid_from=date(2023, 6, 1))
    sent = form(**{"valid_until.year": "2024", "reason": "Ingetrokken.", "number": "RL-9"})
    assert 'value="number RL-9"' in text(desk.post(address, data=sent))
    page = text(desk.post(address, data=sent | {"confirmed": "number RL-9"}))
    assert '<input type="hidden" name="confirmed" value="number RL-9">' in page
    assert 'value="along 2:2023-06-01:2024-03-01"' in page


@pytest.mark.parametrize(
    ("changes", "year"),
    [
        ({"valid_from.year": "2018"}, "2021"),
        ({"valid_from.year": "2023"}, "2027"),
        ({"valid_from.year": "2021", "scope": "recertification"}, "2025"),
    ],
)
def test_an_empty_last_day_is_proposed_by_the_rules_of_the_first(
    desk: FlaskClient, holder: Account, changes: dict[str, str], year: str
) -> None:
    empty = {f"valid_until.{part}": "" for part in ("day", "month", "year")}
    answer = desk.post(f"{page_of(holder)}/inschrijving", data=form(**empty, **changes))
    assert answer.status_code == 422
    page = text(answer)
    assert "Dit is een voorstel, naar de regels die op de begindatum golden." in page
    for part, value in (("day", "1"), ("month", "3"), ("year", year)):
        assert re.search(rf'name="valid_until\.{part}"[^>]* value="{value}"', page), part
    assert standing(holder) == []


def test_an_old_certificate_shows_its_level_and_when_it_was_accredited(
    desk: FlaskClient, holder: Account, catalogue: Catalogue, office: Account, login: Login
) -> None:
    days = {"valid_from": date(2017, 3, 1), "valid_until": date(2020, 2, 29)}
    recorded(holder, catalogue, office, **days, former_level="B")
    claim = "Geaccrediteerd door Raad voor Accreditatie: 1 maart 2017 tot en met 31 december 2018"
    for page in (text(desk.get(page_of(holder))), text(login(holder).get("/account"))):
        assert "Vroeger niveau B" in page
        assert claim in page
    recorded(holder, catalogue, office, valid_from=date(2021, 3, 1), valid_until=date(2025, 2, 28))
    assert text(desk.get(page_of(holder))).count("Geaccrediteerd") == 1


def test_nobody_records_his_own(desk: FlaskClient, office: Account) -> None:
    page = text(desk.get(page_of(office)))
    assert "Uw eigen inschrijving legt een collega vast." in page
    assert "/inschrijving" not in page
    assert desk.post(f"{page_of(office)}/inschrijving", data=form()).status_code == 403
    assert standing(office) == []


def test_an_entry_of_somebody_else_is_not_found(
    desk: FlaskClient, holder: Account, office: Account, catalogue: Catalogue, make_account: MakeAccount
) -> None:
    entry_id = recorded(holder, catalogue, office)
    other = make_account("Bo de Wit", "candidate")
    assert desk.get(f"{page_of(other)}/inschrijving/{entry_id}").status_code == 404
    assert desk.post(f"{page_of(other)}/inschrijving/{entry_id}/vervallen", data={"void_reason": "x"}).status_code == 404


def test_the_holder_sees_where_he_stands(holder: Account, office: Account, catalogue: Catalogue, login: Login) -> None:
    mine = login(holder)
    for address in ("/account", "/dossiers"):
        assert "Mijn inschrijving in het register" not in text(mine.get(address))
    start, until = today() - timedelta(days=400), today() + timedelta(days=700)
    recorded(holder, catalogue, office, valid_from=start, valid_until=until, former_level="A")
    recorded(holder, catalogue, office, scope="outplacement", valid_from=today(), valid_until=until)
    for address in ("/account", "/dossiers"):
        page = text(mine.get(address))
        assert "Mijn inschrijving in het register" in page
        assert "RL-1234" in page
        assert "Vroeger niveau A" in page
        assert "outplacement" in page.lower()
        assert '<strong class="govuk-tag govuk-tag--green">Geldig</strong>' in page


def test_an_entry_whose_scheme_is_gone_shows_its_code(desk: FlaskClient, holder: Account) -> None:
    with transaction():
        session.add(
            RegisterEntry(
                account_id=holder.id,
                number="RL-9",
                kind="certificate",
                scope="bygone",
                valid_from=date(2012, 1, 1),
                valid_until=date(2015, 1, 1),
            )
        )
    page = text(desk.get(page_of(holder)))
    assert "<strong>bygone</strong>" in page
    assert "Verlopen" in page


# --- starting, and what one can do now -----------------------------------------------------------------------------


def ends_in(days: int, holder: Account, catalogue: Catalogue, office: Account) -> date:
    until = today() + timedelta(days=days)
    recorded(holder, catalogue, office, valid_from=today() - timedelta(days=900), valid_until=until)
    return until


START = "/dossiers/nieuw?schema="


@pytest.mark.parametrize(
    ("days", "title", "may_start"),
    [
        (300, "hercertificeren", True),
        (60, "U kunt nu hercertificeren", True),
        (-1, "Uw certificaat is verlopen", False),
        (None, "Uw certificaat staat nog niet in ons register", True),
    ],
)
def test_the_start_page_says_whether_it_is_time(
    holder: Account, office: Account, catalogue: Catalogue, login: Login, days: int | None, title: str, may_start: bool
) -> None:
    if days is not None:
        ends_in(days, holder, catalogue, office)
    mine = login(holder)
    page = text(mine.get(START + "recertification"))
    assert title in page
    assert (title in text(mine.get("/account"))) is (days is not None)
    assert ("Start dit dossier" in page) is may_start
    answer = mine.post("/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"})
    assert answer.status_code == (302 if may_start else 422)
    if not may_start:
        assert "/dossiers/nieuw?schema=initial" in page
        assert "Met dit dossier kunt u het niet meer verlengen." in text(answer)


def test_the_form_of_recertification_begins_with_what_the_register_says(
    holder: Account, office: Account, catalogue: Catalogue, login: Login
) -> None:
    until = ends_in(60, holder, catalogue, office)
    mine = login(holder)
    address = mine.post("/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"}).headers["Location"]
    page = text(mine.get(f"{address}/onderdeel/personal"))
    assert 'value="RL-1234"' in page
    assert f'value="{until.year}"' in page
    shown = text(mine.get("/account"))
    assert "u bent ermee bezig in dossier HC-" in shown


@pytest.mark.parametrize(("days", "last"), [(60, 60), (180, 180), (181, 180), (1, 1), (0, 0)])
def test_a_holder_submits_before_the_certificate_ends(
    holder: Account, office: Account, catalogue: Catalogue, login: Login, days: int, last: int
) -> None:
    until = ends_in(days, holder, catalogue, office)
    wanted = format_date(today() + timedelta(days=last), "d MMMM y", locale="nl")
    mine = login(holder)
    page = text(mine.get(START + "recertification"))
    ends = " Dat is de laatste dag van uw certificaat." if last < 180 else ""
    assert f"Dien uw dossier in tot en met {wanted}.{ends}</p>" in page
    assert {0: "Vandaag is de laatste dag", 1: "1 dag de tijd"}.get(last, f"{last} dagen de tijd") in page
    address = mine.post("/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"}).headers["Location"]
    assert f'<p class="big">{wanted}</p>' in text(mine.get(address))
    session.rollback()
    assert session.scalars(select(Dossier)).one().submit_before == min(until, today() + timedelta(days=180))


def test_a_specialisation_is_added_in_between(holder: Account, office: Account, catalogue: Catalogue, login: Login) -> None:
    until = ends_in(400, holder, catalogue, office)
    recorded(holder, catalogue, office, scope="outplacement", valid_from=today(), valid_until=until)
    mine = login(holder)
    page = text(mine.get(START + "specialisation"))
    assert "Welke specialisatie voegt u toe?" in page
    assert "U hebt deze specialisatie al, tot en met" in page
    assert "Wat u nu toevoegt, loopt tot dezelfde dag." in page
    sent = {"scheme": "specialisation", "language": "nl"}
    refused = mine.post("/dossiers/nieuw", data=sent)
    assert refused.status_code == 422
    assert text(refused).count("Kies minstens 1 specialisatie.") == 2
    held = mine.post("/dossiers/nieuw", data=sent | {"plugins": "outplacement"})
    assert "U hebt deze specialisatie al" in text(held)
    answer = mine.post("/dossiers/nieuw", data=sent | {"plugins": "second_track"})
    assert answer.status_code == 302
    tasks = text(mine.get(answer.headers["Location"]))
    assert "Specialisatie re-integratie tweede spoor" in tasks
    assert "Wat u in dit vak doet" in tasks


# --- what the register says beside a check of admission ------------------------------------------------------------


def said(desk: FlaskClient, reference: str) -> list[str]:
    """Below the two answers that the register gives too: what it says now."""
    page = BeautifulSoup(text(desk.get(f"/secretariaat/dossiers/{reference}/toelating")), "html.parser")
    keys = [key for key in page.select("main dt") if key.get_text(strip=True) == "Volgens het register"]
    return [" ".join(key.find_next_sibling("dd").get_text(" ").split()) for key in keys]  # type: ignore[union-attr]


def test_beside_the_check_stands_what_the_register_says_now(
    desk: FlaskClient, holder: Account, office: Account, catalogue: Catalogue, login: Login, installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    until = ends_in(60, holder, catalogue, office)
    reference = login(holder).post(
        "/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"}
    ).headers["Location"].rpartition("/")[2]  # fmt: skip
    session.rollback()
    dossier = session.scalars(select(Dossier)).one()
    fill(dossier, installation)
    with transaction():
        contents = dossier_contents.read(dossier)
        declared = frozenset(one.id for one in contents.template.declarations)
        consent = Consent(name="Hanna Visser", declarations=declared, address="192.0.2.1", user_agent="Firefox")
        submit(contents, consent, catalogue=installation.catalogue, house_style_sha256="0" * 64, settings=installation.settings)
    (entry,) = entries.of(holder)
    period = "{} tot en met {}"
    first = entries.day_words(entry.valid_from)["nl"]
    assert said(desk, reference) == ["RL-1234", period.format(first, entries.day_words(until)["nl"])]
    later = until + timedelta(days=10)
    with transaction():
        line = Line("RL-4321", "initial", entry.valid_from, later)
        mended = entries.correct(entry, line, "Verkeerd overgenomen", catalogue=catalogue, by=office)
        assert mended is not None
    assert said(desk, reference) == ["RL-4321", period.format(first, entries.day_words(later)["nl"])]
    with monkeypatch.context() as expired:
        expired.setattr("app.dossiers.submission.today", lambda: later + timedelta(days=200))
        after = said(desk, reference)
    assert after == ["RL-4321", period.format(first, entries.day_words(later)["nl"])], "expired meanwhile: still this one"
    with transaction():
        entries.void(mended, "Van iemand anders", catalogue=catalogue, by=office)
    assert said(desk, reference) == ["Niets over deze persoon"] * 2
