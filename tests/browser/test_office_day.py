"""The office's day with one dossier of the demo: check it, admit it, look for assessors, think again, return it, give time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo.people import OFFICE, SHOWCASE
from app.dossiers import submission
from browser.looking import Looks
from browser.running import Server
from browser.test_every_page import log_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo, with its finished dossier as it was when it came in."""
    server = Server(tmp_path_factory.mktemp("office"))
    server.flask("database", "upgrade")
    server.flask("demo", "create")
    with closing(sqlite3.connect(server.folder / "instance" / "loopbaandossier.sqlite", isolation_level=None)) as database:
        for table in ("area_draft_version", "area_draft", "assignment", "admission", "requirement_check"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608  our own names
        database.execute("UPDATE dossier SET stage = 'submitted' WHERE stage = 'in_assessment'")
    with server:
        yield server


def test_the_office_and_one_dossier(demo: Server, visitors, looks: Looks) -> None:
    page = visitors.arrive(base_url=demo.url)
    log_in(page, OFFICE.email)
    page.goto("/secretariaat/dossiers")
    page.get_by_role("row").filter(has_text=SHOWCASE.name).get_by_role("link").click()
    reference = page.url.rpartition("/")[2]
    looks.at(page, "office-dossier")
    note(page)
    fee(page, looks)
    admit(page, looks)
    page.get_by_role("button", name="Wijs beoordelaars toe").click()
    expect(page.get_by_text("0 van 2 toegewezen")).to_be_visible()
    looks.at(page, "office-assessors")
    page.get_by_role("link", name="Terug naar het dossier").click()
    give_back(page, looks)

    candidate = visitors.arrive(base_url=demo.url)
    log_in(candidate, SHOWCASE.email)
    candidate.goto(f"/dossier/{reference}")
    expect(candidate.get_by_text("Laat uw supervisor de datums aanvullen.")).to_be_visible()
    looks.at(candidate, "returned-tasks")
    candidate.get_by_role("link", name="Ga naar “").first.click()
    expect(candidate.get_by_text("Het secretariaat vraagt u dit onderdeel aan te vullen")).to_be_visible()
    looks.at(candidate, "returned-section")

    extend(page, looks)
    page.get_by_role("link", name="Trek dit dossier in").click()
    looks.at(page, "office-withdraw")
    candidate.goto(f"/dossier/{reference}/stoppen")
    looks.at(candidate, "candidate-withdraw")
    for name in ("web", "worker"):
        assert "Traceback" not in demo.log(name)
    assert looks.faults == []


def note(page: Page) -> None:
    page.get_by_label("Nieuwe notitie").fill("Gebeld: het certificaat is nog geldig.")
    page.get_by_role("button", name="Bewaar notitie").click()
    expect(page.get_by_text("Uw notitie is bewaard.")).to_be_visible()


def fee(page: Page, looks: Looks) -> None:
    page.get_by_role("link", name="Leg vast").click()
    page.get_by_role("button", name="Leg vast").click()
    expect(page.get_by_role("link", name="Kies hoe het met de vergoeding staat.")).to_be_visible()
    looks.at(page, "office-fee")
    page.get_by_label("Betaald").check()
    page.get_by_label("Bedrag").fill("475")
    page.get_by_role("button", name="Leg vast").click()
    expect(page.get_by_text("De vergoeding is vastgelegd.")).to_be_visible()


def admit(page: Page, looks: Looks) -> None:
    page.get_by_role("button", name="Controleer de toelatingseisen").click()
    looks.at(page, "office-admission")
    page.get_by_role("button", name="Bewaar en laat toe").click()
    expect(page.get_by_role("link", name="Nog niet alle toelatingseisen").first).to_be_visible()
    looks.at(page, "office-admission-refused")
    for answer in page.get_by_role("radio", name="In orde", exact=True).all():
        answer.check()
    page.get_by_role("button", name="Bewaar en laat toe").click()
    expect(page.get_by_text("is toegelaten. Wijs nu beoordelaars toe.")).to_be_visible()


def give_back(page: Page, looks: Looks) -> None:
    page.get_by_role("link", name="Of stuur het dossier terug").click()
    page.get_by_label("Wat moet de kandidaat doen?").last.fill("Laat uw supervisor de datums aanvullen.")
    page.get_by_label("In welk onderdeel?").last.select_option("supervisor")
    looks.at(page, "office-return")
    page.get_by_role("button", name="Stuur terug").click()
    expect(page.get_by_text(f"Het dossier is terug bij {SHOWCASE.name}")).to_be_visible()


def extend(page: Page, looks: Looks) -> None:
    page.get_by_role("link", name="Geef uitstel").click()
    until = submission.today() + timedelta(days=200)
    for label, number in (("Dag", until.day), ("Maand", until.month), ("Jaar", until.year)):
        page.get_by_label(label).fill(str(number))
    looks.at(page, "office-extend")
    page.get_by_label("Waarom?").fill("De supervisor is met verlof.")
    page.get_by_role("button", name="Geef uitstel").click()
    expect(page.get_by_text("en krijgt bericht.")).to_be_visible()
    looks.at(page, "office-dossier-returned")
