"""The whole line without a line of JavaScript: each step by the ordinary forms, on a small scheme of a few questions."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from small_world import write_scheme

from browser.conftest import PASSWORD, Visitors
from browser.form_filling import send
from browser.looking import LAPTOP, PHONE
from browser.running import Server, until
from browser.test_the_line import EMAIL, NAME, SUPERVISOR, SUPERVISOR_EMAIL, admit, kept, register

pytestmark = pytest.mark.browser

OFFICE = ("margriet@voorbeeld.example", "Margriet Zuidervelt", "office")
ASSESSORS = (
    ("wouter@voorbeeld.example", "Wouter Sjöberg", "assessor"),
    ("aisha@voorbeeld.example", "Aïsha ter Braak", "assessor"),
)
CERTIFICATE = "Certificaat leergang.pdf"


@pytest.fixture(scope="module")
def small(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("small")
    (folder / "no_plugins").mkdir()
    with Server(folder, templates_dir=write_scheme(folder / "schemes"), plugins_dir=folder / "no_plugins") as server:
        for email, name, role in (OFFICE, *ASSESSORS):
            server.flask("accounts", "create", email, name, "--role", role, "--password", PASSWORD)
        yield server


@pytest.fixture
def arrive(visitors: Visitors, small: Server) -> Callable[..., Page]:
    """``arrive()``: a window that runs no scripts; with an address of mail also logged in."""

    def arrive_without_script(email: str = "", **options: object) -> Page:
        page = visitors.arrive(base_url=small.url, java_script_enabled=False, **{"viewport": LAPTOP, **options})
        if email:
            visitors.log_in(page, email)
        return page

    return arrive_without_script


def test_the_whole_line_without_script(arrive, small, evidence, looks, tmp_path):
    candidate = arrive()
    register(candidate, small.postbox)
    start(candidate)
    fill(candidate, evidence[CERTIFICATE])
    invite(candidate)
    give_statement(arrive(viewport=PHONE), small)
    submit(candidate, small, tmp_path)
    office = arrive(OFFICE[0])
    admit(office, NAME)
    assign(office)
    for email, name, _ in ASSESSORS:
        judge(arrive(email), name)
    office.get_by_role("link", name="Terug naar het dossier").click()
    for _, name, _ in ASSESSORS:
        expect(office.get_by_text(f"Oordeel ondertekend door {name}")).to_be_visible()
    for name in ("web", "worker"):
        assert "Traceback" not in small.log(name)
    assert looks.faults == []


def start(page: Page) -> None:
    page.get_by_role("button", name="Start een dossier").click()
    page.get_by_role("button", name="Start dit dossier").click()
    expect(page.locator(".segments__words")).to_have_text("0 van 4 onderdelen afgerond")


def fill(page: Page, certificate: Path) -> None:
    page.get_by_role("link", name="Praktijk").click()
    page.get_by_label("Naam", exact=True).fill(NAME)
    page.get_by_label("Zelfstandig").check()
    page.get_by_label("Verhaal").fill("Ik begeleid mensen.")
    send(page, "continue")
    expect(page.locator(".note").first).to_contain_text("op deze pagina iets bij")  # a question that the choice brings
    page.get_by_label("Bedrijf").fill("Van der Meer Loopbaan")
    page.locator("#proof").set_input_files(certificate)
    page.locator("button[name=action][value=upload]").first.click()
    files = page.locator("#proof-files")
    expect(files).to_contain_text(CERTIFICATE)
    expect(page.get_by_label("Bedrijf")).to_have_value("Van der Meer Loopbaan")
    again_until(page, files.filter(has_not_text="Wordt gecontroleerd"), "the checked file")
    finish(page, "Leren")

    page.get_by_role("button", name="Voeg een regel toe").click()
    page.get_by_label("Naam").fill("Leergang")
    page.get_by_label("Punten").fill("4")
    send(page, "save")
    expect(page.locator(".rows > li")).to_contain_text("Leergang")
    finish(page, "Kunnen")

    page.get_by_label("Casus").fill("Een lasser van vijftig wilde weten wat hij nog meer kon.")
    finish(page, "Slot")


def finish(page: Page, next_heading: str) -> None:
    page.locator("[name=finished][value=yes]").check()
    send(page, "continue")
    expect(page.get_by_role("heading", level=1)).to_have_text(next_heading)


def again_until(page: Page, wanted: Locator, what: str) -> None:
    """Loads the page anew until it shows this: without scripts no page does so by itself."""

    def there() -> bool:
        page.reload()
        return wanted.count() > 0

    until(there, what, 60)


def invite(page: Page) -> None:
    page.locator("[name=code]").first.check()
    page.get_by_role("button", name="Nodig uw supervisor uit").click()
    page.get_by_label("Naam van uw supervisor").fill(SUPERVISOR)
    page.get_by_label("E-mailadres van uw supervisor").fill(SUPERVISOR_EMAIL)
    page.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(page.get_by_text(f"De uitnodiging voor {SUPERVISOR} is verstuurd.")).to_be_visible()


def give_statement(page: Page, small: Server) -> None:
    page.goto(small.postbox.link(SUPERVISOR_EMAIL, "verklaring"))
    page.get_by_role("button", name="Ga verder").click()
    read = page.locator("main")
    expect(read).to_contain_text("Ik begeleid mensen.")
    expect(read).not_to_contain_text("lasser")
    page.get_by_role("button", name="Ik heb dit gelezen, naar de verklaring").click()
    page.get_by_label("Oordeel").fill("Zij werkt zorgvuldig.")
    page.get_by_label("Typ uw volledige naam").fill(SUPERVISOR)
    for box in page.get_by_role("checkbox").all():
        box.check()
    send(page, "sign")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dank u wel voor uw verklaring")


def submit(page: Page, small: Server, folder: Path) -> None:
    small.postbox.letter(EMAIL, "heeft de verklaring ondertekend")
    page.goto("/dossiers")
    page.get_by_role("link", name="Slot", exact=True).click()
    expect(page.get_by_text("Ondertekend op")).to_be_visible()
    finish(page, "Uw dossier")
    page.get_by_role("link", name="Uw antwoorden controleren").click()
    expect(page.get_by_text("Uw dossier is compleet")).to_be_visible()
    page.get_by_role("button", name="Ga verder naar indienen").click()
    page.locator("input[name=declarations]").check()
    page.get_by_label("Typ uw volledige naam").fill(NAME)
    page.get_by_role("button", name="Dien het dossier in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw dossier is ingediend")
    documents = page.locator("#assembling a[href*='/documenten/']")
    again_until(page, documents, "the sealed documents")
    expect(documents).to_have_count(3)
    with page.expect_download() as download:
        page.locator("#assembling a[href$='/pdf']").click()
    assert kept(download.value, folder / "dossier.pdf").read_bytes().startswith(b"%PDF-")


def assign(page: Page) -> None:
    page.get_by_role("button", name="Wijs beoordelaars toe").click()
    for number, (_, name, _) in enumerate(ASSESSORS, 1):
        page.get_by_role("row").filter(has_text=name).get_by_role("button", name="Wijs toe").click()
        expect(page.get_by_text(f"{name} beoordeelt dossier")).to_be_visible()
        expect(page.get_by_text(f"{number} van 2 toegewezen")).to_be_visible()


def judge(page: Page, name: str) -> None:
    page.get_by_role("row").filter(has_text=NAME).get_by_role("link").click()
    page.get_by_role("button", name="Ik heb geen belang").click()
    expect(page.get_by_role("link", name="Open het document")).to_be_visible()
    area = page.locator(".rubric__area[open]")
    area.locator("input[name^='score.'][value='2']").check()
    area.get_by_label("Onderbouwing").fill("Zij ziet wat iemand kan.")
    area.locator("input[name=sufficient][value=yes]").check()
    area.get_by_role("button", name="Geef uw oordeel").click()
    expect(page.get_by_text("Uw oordeel over “Kunnen” is vastgelegd.")).to_be_attached()
    page.get_by_role("link", name="Naar oordeel").click()
    page.get_by_label("Samenvatting van uw oordeel").fill("Een overtuigend dossier.")
    page.get_by_label("Typ uw volledige naam").fill(name)
    page.get_by_role("button", name="Onderteken mijn oordeel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U hebt uw oordeel ondertekend")
    page.get_by_role("link", name="Terug naar mijn beoordelingen").click()
    expect(page.get_by_role("row").filter(has_text=NAME)).to_contain_text(re.compile("Ondertekend"))
