"""A supervisor's day on a telephone: asked by mail, reading, saving, a photo, signing, a copy, confirming again."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from browser.conftest import PASSWORD
from browser.form_filling import button
from browser.looking import PHONE
from browser.running import until

pytestmark = pytest.mark.browser

CANDIDATE, CANDIDATE_EMAIL = "Noor Łukasiewicz", "noor@voorbeeld.example"
SUPERVISOR, SUPERVISOR_EMAIL = "Gerda van Aken", "gerda@voorbeeld.example"
WRONG_EMAIL = "gerard@voorbeeld.example"
STORY = "Dit schreef ik over mijn doelen, met wat ik leerde van de bijeenkomsten."


def test_supervisors_day(visitors, server, postbox, looks, tmp_path):
    server.flask("accounts", "create", CANDIDATE_EMAIL, CANDIDATE, "--role", "candidate", "--password", PASSWORD)
    candidate = visitors.arrive()
    visitors.log_in(candidate, CANDIDATE_EMAIL)
    dossier = start(candidate)
    write(candidate, dossier, STORY)
    invite(candidate, dossier, looks)

    wrong = visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True)
    wrong.goto(postbox.link(WRONG_EMAIL, "verklaring"))
    correct(candidate, looks)
    wrong.reload()
    expect(wrong.locator("main")).to_contain_text("ingetrokken")

    phone = visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True)
    link = postbox.link(SUPERVISOR_EMAIL, "verklaring")
    open_and_save(phone, link, looks)
    later = visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True)
    open_form(later, link)
    expect(later.locator("#qualification")).to_have_value("Supervisor, registratie 12345")
    phone.reload()
    expect(phone.locator("main")).to_contain_text("daar gaat u verder")
    upload(later, photo(tmp_path), looks)
    sign(later)
    looks.at(later, "supervisor-signed")
    copy = visitors.arrive(viewport=PHONE)
    copy.goto(postbox.link(SUPERVISOR_EMAIL, "is ontvangen"))
    expect(copy.locator("main")).to_contain_text("Supervisor, registratie 12345")
    looks.at(copy, "supervisor-copy")

    candidate.goto(f"{dossier}/verklaring/supervisor/statement")
    expect(candidate.locator("main")).to_contain_text("verklaring.png")
    looks.at(candidate, "statement-given")
    write(candidate, dossier, STORY + " En nog iets.")
    copy.reload()
    expect(copy.get_by_text("Na uw handtekening is gewijzigd wat u las")).to_be_visible()
    ask_again(candidate, dossier, looks)
    later.goto(postbox.link(SUPERVISOR_EMAIL, "opnieuw te bevestigen"))
    later.get_by_role("button", name="Ga verder").tap()
    expect(later.locator("#changed")).to_contain_text("Dit is gewijzigd sinds u ondertekende")
    looks.at(later, "supervisor-changed")
    later.get_by_role("button", name="Ik heb dit gelezen").tap()
    expect(later.locator("#qualification")).to_have_value("Supervisor, registratie 12345")
    expect(later.locator("#signed_independent")).not_to_be_checked()
    sign(later)
    candidate.reload()
    expect(candidate.locator("main")).to_contain_text("Ondertekend")
    assert looks.faults == []


def start(page: Page) -> str:
    page.goto("/dossiers/nieuw?schema=recertification")
    page.get_by_role("button", name="Start dit dossier").click()
    expect(page.locator(".segments__words")).to_be_visible()
    return re.search(r"/dossier/[^/?#]+", page.url).group(0)


def write(page: Page, dossier: str, words: str) -> None:
    page.goto(f"{dossier}/onderdeel/development_report")
    page.locator("#goals").fill(words)
    button(page, "later").click()
    expect(page.locator(".segments__words")).to_be_visible()


def invite(page: Page, dossier: str, looks) -> None:
    page.goto(f"{dossier}/verklaring/supervisor/statement")
    page.get_by_label("Naam van uw supervisor").fill(SUPERVISOR)
    page.get_by_label("E-mailadres van uw supervisor").fill(WRONG_EMAIL)
    page.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(page.get_by_text(f"De uitnodiging voor {SUPERVISOR} is verstuurd.")).to_be_visible()
    looks.at(page, "supervisor-invited")


def correct(page: Page, looks) -> None:
    page.get_by_role("link", name="Verbeter de naam of het adres").click()
    page.get_by_label("E-mailadres van uw supervisor").fill(SUPERVISOR_EMAIL)
    looks.at(page, "supervisor-corrected")
    page.get_by_role("button", name="Verstuur opnieuw").click()
    expect(page.get_by_text(f"De uitnodiging is verstuurd naar {SUPERVISOR_EMAIL}.")).to_be_visible()


def open_form(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Ga verder").tap()
    expect(page.locator("main")).to_contain_text(STORY)
    page.get_by_role("button", name="Ik heb dit gelezen").tap()


def open_and_save(page: Page, link: str, looks) -> None:
    open_form(page, link)
    page.locator("#qualification").fill("Supervisor, registratie 12345")
    button(page, "later").tap()
    expect(page.get_by_text("U kunt later verdergaan")).to_be_visible()
    looks.at(page, "supervisor-form")
    button(page, "sign").tap()
    expect(page).to_have_title(re.compile("^Fout:"))
    looks.at(page, "supervisor-errors")


def photo(folder: Path) -> Path:
    path = folder / "verklaring.png"
    Image.new("RGB", (600, 800), "beige").save(path)
    return path


def upload(page: Page, path: Path, looks) -> None:
    page.locator("#documents").set_input_files(path)
    button(page, "upload").tap()
    files = page.locator("#documents-files")
    expect(files).to_contain_text("verklaring.png")
    until(lambda: "gecontroleerd" not in files.inner_text(), "the photo to be checked", 40)
    looks.at(page, "supervisor-document")


def sign(page: Page) -> None:
    page.locator("#signed_independent").check()
    page.get_by_label("Typ uw volledige naam").fill(SUPERVISOR)
    page.locator("#signed_agree").check()
    button(page, "sign").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dank u wel voor uw verklaring")


def ask_again(page: Page, dossier: str, looks) -> None:
    page.goto(dossier)
    expect(page.locator("main")).to_contain_text("Niet meer geldig")
    page.goto(f"{dossier}/verklaring/supervisor/statement")
    looks.at(page, "statement-stale")
    page.get_by_role("button", name="Vraag opnieuw te bevestigen").click()
    expect(page.get_by_text(f"{SUPERVISOR} krijgt een e-mail om de verklaring opnieuw te bevestigen.")).to_be_visible()
