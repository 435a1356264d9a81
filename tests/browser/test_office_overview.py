"""The office's own pages in a browser: the day, the lists, the board; a colleague is invited, and his account closed again."""

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import PASSWORD

pytestmark = pytest.mark.browser

DESK, COLLEAGUE = "desk@voorbeeld.example", "fatima@voorbeeld.example"


@pytest.fixture
def desk(server, visitors):
    server.flask("accounts", "create", DESK, "Ilse Smit", "--role", "office", "--password", PASSWORD)
    page = visitors.arrive()
    visitors.log_in(page, DESK)
    return page


def test_the_office_finds_its_way_and_invites_a_colleague(desk, visitors, postbox, looks):
    expect(desk.get_by_role("heading", level=1)).to_have_text("Vandaag")
    desk.locator(".as-figures summary").click()
    expect(desk.get_by_role("cell").first).to_be_visible()
    looks.at(desk, "office-today")
    for name, heading in (
        ("Dossiers", "Dossiers"),
        ("Vastgelopen", "Vastgelopen"),
        ("Schema’s en plugins", "Schema’s en plugins"),
    ):
        desk.locator(".sub-nav").get_by_role("link", name=name, exact=True).click()
        expect(desk.get_by_role("heading", level=1)).to_have_text(heading)
        looks.at(desk, f"office-{heading}")

    desk.locator(".sub-nav").get_by_role("link", name="Mensen", exact=True).click()
    looks.at(desk, "office-people")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="XLSX").click()
    assert re.fullmatch(r"mensen-\d{4}-\d\d-\d\d\.xlsx", download.value.suggested_filename)
    desk.get_by_role("link", name="Nodig iemand uit").click()
    desk.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(desk.locator(".govuk-error-summary")).to_contain_text("Kies minstens één rol.")
    looks.at(desk, "office-invite")
    desk.get_by_label("Naam").fill("Fatima Bouzid")
    desk.get_by_label("E-mailadres").fill(COLLEAGUE)
    desk.get_by_label("Beoordelaar").check()
    desk.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Fatima Bouzid")
    looks.at(desk, "office-person")

    invited = visitors.arrive()
    invited.goto(postbox.link(COLLEAGUE, "Uw account bij"))
    invited.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
    looks.at(invited, "invited")
    invited.get_by_role("button", name="Open mijn account").click()
    visitors.log_in(invited, COLLEAGUE)
    expect(invited.get_by_role("heading", name="U hebt nu niets te beoordelen")).to_be_visible()

    desk.reload()
    desk.get_by_role("link", name="Sluit dit account").click()
    looks.at(desk, "office-disable")
    desk.get_by_role("button", name="Sluit dit account").click()
    expect(desk.locator(".note--ok")).to_contain_text("gesloten")
    invited.reload()
    expect(invited.get_by_role("heading", level=1)).to_have_text("Inloggen")
    assert looks.faults == []
