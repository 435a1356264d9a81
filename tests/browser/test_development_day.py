"""The development log on a telephone: noting a training with a photo of its certificate, what it adds up to, taking it over."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.dossiers.submission import today
from browser.conftest import PASSWORD
from browser.looking import PHONE

pytestmark = pytest.mark.browser

NAME, EMAIL = "Ties Lindeboom", "ties@voorbeeld.example"
PHOTO = "Telefoonfoto.heic"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_training_is_noted_with_a_photo_and_taken_over(visitors, server, evidence, looks, script: bool) -> None:
    email = f"{script}.{EMAIL}".lower()
    server.flask("accounts", "create", email, NAME, "--role", "candidate", "--password", PASSWORD)
    phone = visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=script)
    visitors.log_in(phone, email)
    phone.get_by_role("link", name="Ontwikkeling").tap()
    expect(phone.get_by_role("heading", name="Er staat nog niets in uw logboek")).to_be_visible()

    phone.get_by_role("button", name="Noteer iets").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Wat hebt u gedaan?")
    phone.get_by_role("button", name="Opslaan", exact=True).tap()
    expect(phone).to_have_title(re.compile("^Fout: "))
    note(phone, "Opleiding of training", "Oplossingsgericht werken", "6")
    phone.locator("#files").set_input_files(evidence[PHOTO])
    if script:
        expect(phone.locator(".upload .files")).to_contain_text(PHOTO)
        expect(phone.locator(".upload [name=files]")).to_have_count(1)  # it arrived, and goes along with the form
    phone.get_by_role("button", name="Opslaan en nog een noteren").tap()
    expect(phone.get_by_text("U kunt meteen de volgende noteren.")).to_be_visible()
    note(phone, "Supervisie", "Een vraag over grenzen", "1,5")
    phone.get_by_role("button", name="Opslaan", exact=True).tap()

    expect(phone.get_by_text("Opgeslagen in uw ontwikkellogboek.")).to_be_visible()
    expect(phone.locator(".log-tallies")).to_contain_text("6 van de 75 punten")
    expect(phone.locator(".log-tallies")).to_contain_text("1 van de 4 keer")
    checked(phone, script)
    if script:
        looks.at(phone, "development-log")

    phone.goto("/dossiers/nieuw?schema=recertification")
    phone.get_by_role("button", name="Start dit dossier").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("U hebt 2 regels in uw ontwikkellogboek. Overnemen?")
    phone.get_by_role("button", name="Neem over").tap()
    expect(phone.get_by_text("2 regels uit uw ontwikkellogboek staan nu in uw dossier.")).to_be_visible()
    phone.get_by_role("link", name="Scholing en punten").tap()
    expect(phone.locator("main")).to_contain_text("Totaal aantal punten")
    expect(phone.locator("main")).to_contain_text("6 van 75 punten")
    expect(phone.locator("main")).to_contain_text("Oplossingsgericht werken")
    phone.goto("/ontwikkeling")
    expect(phone.locator(".log").get_by_text(re.compile("^Overgenomen in HC-"))).to_have_count(2)
    assert looks.faults == []


def note(phone: Page, kind: str, title: str, hours: str) -> None:
    """The quick entry, on the day that stands there already: today."""
    phone.get_by_label("Soort").select_option(label=kind)
    phone.get_by_label("Wat was het?").fill(title)
    expect(phone.get_by_label("Jaar")).to_have_value(str(today().year))
    phone.get_by_label("Hoe lang duurde het?").fill(hours)


def checked(phone: Page, script: bool) -> None:
    """The photo is there once the worker has checked it; without script one looks again."""
    photo = phone.locator(".log").get_by_role("link", name=PHOTO)
    if not script:
        for _ in range(30):
            phone.reload()
            if photo.count():
                break
            phone.wait_for_timeout(500)
    expect(photo).to_be_visible(timeout=60_000)
