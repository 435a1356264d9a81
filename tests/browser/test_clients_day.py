"""A client's visit on a telephone: asked by mail, saving, answering, thanks; and another who does not take part."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import PASSWORD
from browser.form_filling import button
from browser.looking import PHONE

pytestmark = pytest.mark.browser

CANDIDATE, CANDIDATE_EMAIL = "Lena Kraaijeveld", "lena@voorbeeld.example"
CLIENT, CLIENT_EMAIL = "Zeger Wildschut", "zeger@klant.example"
OTHER, OTHER_EMAIL = "Anna Boterbloem", "anna@klant.example"
SCALES = ("clear_agreements", "felt_safe", "own_choices", "expertise", "would_recommend")


def test_clients_day(visitors, server, postbox, looks):
    server.flask("accounts", "create", CANDIDATE_EMAIL, CANDIDATE, "--role", "candidate", "--password", PASSWORD)
    candidate = visitors.arrive()
    visitors.log_in(candidate, CANDIDATE_EMAIL)
    dossier = start(candidate)
    ask(candidate, dossier, looks)

    phone = visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True)
    phone.goto(postbox.link(CLIENT_EMAIL, "begeleiding"))
    looks.at(phone, "client-invitation")
    phone.get_by_role("button", name="Ga verder").tap()
    expect(phone.locator("#good")).to_be_visible()
    expect(phone.locator("main")).not_to_contain_text(re.compile("supervisor", re.IGNORECASE))
    phone.locator("#good").fill("Er werd goed geluisterd.")
    button(phone, "later").tap()
    expect(phone.get_by_text("U kunt later verdergaan")).to_be_visible()
    button(phone, "sign").tap()
    expect(phone).to_have_title(re.compile("^Fout:"))
    looks.at(phone, "client-errors")
    phone.locator("input[name=relation][value=client]").check()
    for scale in SCALES:
        phone.locator(f"input[name={scale}][value='4']").check()
    phone.locator("input[name=may_quote][value=yes]").check()
    phone.locator("#signed_agree").check()
    looks.at(phone, "client-form")
    button(phone, "sign").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Dank u wel voor uw antwoorden")
    looks.at(phone, "client-thanks")

    other = visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True)
    other.goto(postbox.link(OTHER_EMAIL, "guidance"))
    other.get_by_role("button", name="Continue").tap()
    other.get_by_role("link", name="This is not me").tap()
    expect(other.get_by_role("heading", level=1)).to_have_text(f"Are you not {OTHER}?")
    looks.at(other, "client-declining")
    other.get_by_role("button", name="I am not taking part").tap()
    expect(other.get_by_role("heading", level=1)).to_have_text("You are not taking part")

    candidate.goto(f"{dossier}/verklaring/satisfaction/clients")
    expect(candidate.locator("main")).to_contain_text("Er is 1 van de 5 tevredenheidsverklaringen binnen.")
    expect(candidate.locator("main")).not_to_contain_text("geluisterd")
    looks.at(candidate, "clients-asked")
    assert looks.faults == []


def start(page: Page) -> str:
    page.goto("/dossiers/nieuw?schema=recertification")
    page.get_by_role("button", name="Start dit dossier").click()
    expect(page.locator(".segments__words")).to_be_visible()
    return re.search(r"/dossier/[^/?#]+", page.url).group(0)


def ask(page: Page, dossier: str, looks) -> None:
    page.goto(f"{dossier}/verklaring/satisfaction/clients")
    for row, name, email, language in ((0, CLIENT, CLIENT_EMAIL, "nl"), (1, OTHER, OTHER_EMAIL, "en")):
        page.locator(f"#name-{row}").fill(name)
        page.locator(f"#email-{row}").fill(email)
        page.locator(f"input[name=language-{row}][value={language}]").check()
    looks.at(page, "clients-asking")
    page.get_by_role("button", name="Verstuur de uitnodigingen").click()
    expect(page.get_by_text("Er zijn 2 uitnodigingen verstuurd.")).to_be_visible()
