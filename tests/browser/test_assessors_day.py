"""An assessor's day on the demo: declaring, reading and judging side by side, signing; also on a phone without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.accounts import passwords
from browser.looking import LAPTOP, PHONE, Looks
from browser.running import Server, until

pytestmark = pytest.mark.browser

REFERENCE = "HC-2026-0001"
WOUTER, AISHA = "wouter@voorbeeld.example", "aisha@voorbeeld.example"
SUMMARY = "Een overtuigend dossier, met goede voorbeelden."


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("assessors"))
    server.flask("database", "upgrade")
    server.flask("demo", "create")
    server.flask("assessments", "assign", REFERENCE, AISHA)
    with server:
        yield server


def arrive(browser: Browser, demo: Server, looks: Looks, email: str, **options: object) -> Page:
    page = browser.new_context(base_url=demo.url, locale="nl-NL", **options).new_page()
    page.set_default_timeout(15_000)
    looks.watch(page)
    page.goto("/inloggen")
    page.get_by_label("E-mailadres").fill(email)
    page.get_by_label("Wachtwoord", exact=True).fill(passwords.DEMO)
    page.get_by_role("button", name="Log in").click()
    return page


def test_reading_and_judging_side_by_side(browser: Browser, demo: Server, looks: Looks, tmp_path: Path) -> None:
    page = arrive(browser, demo, looks, WOUTER, viewport=LAPTOP)
    looks.at(page, "assessor-list")
    page.get_by_role("link", name=REFERENCE).click()
    ready(page)
    looks.at(page, "assessor-judging")
    assert number(page) == 1  # also after having been narrow and hidden
    to_the_area(page)
    refer_to_the_page(page)
    kept_by_itself(page)
    search(page)
    take_along(page, tmp_path)
    on_a_phone(page, looks)
    count = page.locator(".rubric__area").count()
    for _ in range(count):
        judge(page)
    page.get_by_role("link", name="Naar oordeel").click()
    page.get_by_role("button", name="Onderteken mijn oordeel").click()
    expect(page).to_have_title(re.compile("^Fout:"))
    looks.at(page, "assessor-signing-errors")
    sign(page, "Wouter Sjöberg")
    looks.at(page, "assessor-receipt")
    page.get_by_role("link", name="Terug naar het dossier").click()
    ready(page)
    expect(page.locator("form[data-autosave]")).to_have_count(0)
    page.get_by_role("link", name="Mijn beoordelingen").click()
    expect(page.get_by_role("row").filter(has_text=REFERENCE)).to_contain_text("Ondertekend")
    assert looks.faults == []


def test_the_same_on_a_phone_without_scripts(browser: Browser, demo: Server, looks: Looks) -> None:
    page = arrive(browser, demo, looks, AISHA, viewport=PHONE, java_script_enabled=False)
    page.get_by_role("link", name=REFERENCE).click()
    expect(page.locator("main")).not_to_contain_text("Competentiegebieden")
    page.get_by_role("button", name="Ik heb geen belang").click()
    expect(page.get_by_role("link", name="Open het document")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Download ?: CV"))).to_be_visible()
    area = page.locator(".rubric__area[open]")
    expect(area.get_by_role("link", name="Lees dit gebied in het dossier")).to_have_attribute(
        "href", re.compile(r"dossier\.pdf#nameddest=onderdeel-\w+$")
    )
    area.get_by_label("Pagina’s").first.fill("11, 12")
    area.get_by_role("button", name="Bewaar concept").click()
    expect(page.get_by_text("Uw concept is bewaard.")).to_be_visible()
    expect(page.get_by_role("link", name="Zie pagina 12")).to_have_attribute("href", re.compile(r"dossier\.pdf#page=12$"))
    expect(page.locator("main")).not_to_contain_text(SUMMARY)
    for _ in range(page.locator(".rubric__area").count()):
        judge(page)
    page.get_by_role("link", name="Naar oordeel").click()
    sign(page, "Aïsha ter Braak")
    assert looks.faults == []


def ready(page: Page) -> None:
    expect(page.locator("[data-reader][data-ready=yes]")).to_be_visible(timeout=30_000)


def number(page: Page) -> int:
    return int(page.locator(".reader__number").input_value())


def steady(page: Page) -> bool:
    """Whether the document stopped scrolling."""
    before = number(page)
    page.wait_for_timeout(500)
    return number(page) == before


def to_the_area(page: Page) -> None:
    page.locator(".rubric__area[open]").get_by_role("link", name="Lees dit gebied").click()
    until(lambda: number(page) > 5 and steady(page), "the page of the area")


def refer_to_the_page(page: Page) -> None:
    area, here = page.locator(".rubric__area[open]"), number(page)
    area.get_by_role("button", name="Verwijs naar deze pagina").first.click()
    expect(area.get_by_label("Pagina’s").first).to_have_value(str(here))
    page.locator(".reader__number").fill("1")
    page.locator(".reader__number").press("Enter")
    until(lambda: number(page) == 1, "the first page")
    area.get_by_role("link", name=f"Zie pagina {here}").click()
    until(lambda: number(page) == here, "the page that was referred to")


def kept_by_itself(page: Page) -> None:
    area = page.locator(".rubric__area[open]")
    area.get_by_label("Onderbouwing").first.fill("Noemt twee methoden.")
    area.locator("input[value='3'][name^='score.']").first.check()
    status = page.locator("[data-save-status]")
    expect(status).to_have_attribute("data-state", "saved")
    expect(status).to_have_text(re.compile(r"^Concept bewaard \d\d\.\d\d$"))
    until(lambda: area.locator("[name=version]").input_value() != "0", "the draft")
    page.reload()
    ready(page)
    expect(area.get_by_label("Onderbouwing").first).to_have_value("Noemt twee methoden.")
    expect(area.locator(".chip")).to_have_text(re.compile(r"^1 van \d$"))
    area.get_by_role("link", name="Eerdere versies").click()
    expect(page.locator("main")).to_contain_text("Noemt twee methoden.")
    page.get_by_role("link", name="Terug", exact=True).click()
    ready(page)


def search(page: Page) -> None:
    page.locator(".reader__search summary").click()
    page.get_by_label("Zoek in het document").fill("gedragscode")
    page.get_by_role("button", name="Volgende").click()
    expect(page.locator(".reader__search [role=status]")).to_have_text(re.compile(r"^\d+ van \d+, pagina \d+$"))
    expect(page.locator(".reader__hit").first).to_be_attached()
    page.keyboard.press("Escape")


def take_along(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="Bewijsstukken (").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download ?: CV")).click()
    download.value.save_as(folder / "cv.pdf")
    assert (folder / "cv.pdf").read_bytes().startswith(b"%PDF-")
    page.get_by_role("link", name=re.compile("Bekijk in het dossier ?: CV")).click()
    expect(page.locator("#stuk-dossier")).to_be_visible()
    until(lambda: number(page) > 20, "the first appendix")


def on_a_phone(page: Page, looks: Looks) -> None:
    page.set_viewport_size(PHONE)
    expect(page.locator("#beoordeling")).to_be_hidden()
    assert page.locator(".reader__view").bounding_box()["height"] < PHONE["height"]  # it scrolls, so it draws few pages
    page.get_by_role("link", name="Beoordeling (").click()
    expect(page.locator("#beoordeling")).to_be_visible()
    expect(page.locator("#lezen")).to_be_hidden()
    looks.at(page, "assessor-rubric")
    page.set_viewport_size(LAPTOP)


def judge(page: Page) -> None:
    """Gives the verdict of the area that stands open; the next one opens by itself."""
    area = page.locator(".rubric__area[open]")
    title = area.locator(".rubric__title").inner_text()
    for best in area.locator("input[name^='score.'][value='4']").all():
        best.check()
    area.locator("input[name=sufficient][value=yes]").check()
    area.get_by_role("button", name="Geef uw oordeel").click()
    expect(page.get_by_text(f"Uw oordeel over “{title.partition('. ')[2]}” is vastgelegd.")).to_be_attached()


def sign(page: Page, name: str) -> None:
    page.get_by_label("Samenvatting van uw oordeel").fill(SUMMARY)
    page.get_by_label("Typ uw volledige naam").fill(name)
    page.get_by_role("button", name="Onderteken mijn oordeel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U hebt uw oordeel ondertekend")
    expect(page.locator("main")).to_contain_text(SUMMARY)
