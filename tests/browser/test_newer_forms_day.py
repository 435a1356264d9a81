"""A dossier that goes over to a newer version of its forms and back, while a page of it stands open in another tab."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from small_world import write_scheme
from two_versions import add_second

from browser.conftest import PASSWORD, Visitors
from browser.form_filling import button
from browser.looking import LAPTOP, PHONE, Looks
from browser.running import Server

pytestmark = pytest.mark.browser

PEOPLE: dict[str, dict[str, Any]] = {
    "laptop": {"viewport": LAPTOP},
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "lost connection": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "without script": {"viewport": LAPTOP, "java_script_enabled": False},
}


@dataclass
class Desk:
    """Somebody with a dossier on version 1, in which something is written, at a server that has version 2 by now."""

    page: Page
    dossier: str

    def another_tab(self) -> Page:
        return self.page.context.new_page()


@pytest.fixture(scope="module")
def dossiers(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, tuple[dict, str]]]]:
    """The server, and for each of ``PEOPLE`` his login and the path of his dossier."""
    folder = tmp_path_factory.mktemp("newer")
    (folder / "no_plugins").mkdir()
    templates = write_scheme(folder / "schemes")
    with Server(folder, templates_dir=templates, plugins_dir=folder / "no_plugins") as server:
        made = {}
        for number, who in enumerate(PEOPLE):
            email = f"kandidaat{number}@voorbeeld.example"
            server.flask("accounts", "create", email, "Sanne de Vries", "--role", "candidate", "--password", PASSWORD)
            made[who] = begun(browser, server, email)
        add_second(templates)
        server.renew()
        yield server, made


def begun(browser: Browser, server: Server, email: str) -> tuple[dict, str]:
    context = browser.new_context(base_url=server.url, locale="nl-NL")
    page = context.new_page()
    page.goto("/inloggen")
    page.get_by_label("E-mailadres").fill(email)
    page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Uitloggen")).to_be_visible()
    page.goto("/dossiers/nieuw")
    page.get_by_role("button", name="Start dit dossier").click()
    expect(page.locator(".segments__words")).to_be_visible()
    (path,) = re.findall(r"/dossier/[^/?#]+", page.url)
    page.goto(f"{path}/onderdeel/practice")
    page.get_by_label("Naam").fill("Sanne")
    page.get_by_label("Dag", exact=True).fill("3")
    page.get_by_label("Maand", exact=True).fill("2")
    page.get_by_label("Jaar", exact=True).fill("2019")
    page.get_by_label("In dienst").check()
    story(page).fill("Een verhaal.")
    button(page, "later").click()
    expect(page.locator(".segments__words")).to_be_visible()
    login = context.storage_state()
    context.close()
    return login, path


@pytest.fixture
def sit_down(visitors: Visitors, dossiers) -> Callable[[str], Desk]:
    def opened(who: str) -> Desk:
        server, made = dossiers
        login, path = made[who]
        return Desk(visitors.arrive(base_url=server.url, storage_state=login, **PEOPLE[who]), path)

    return opened


def story(page: Page) -> Locator:
    return page.locator("textarea[name=story]")


def go_over(page: Page, dossier: str, looks: Looks | None = None) -> None:
    """From what the task list tells, by every page in between."""
    page.goto(dossier)
    page.locator("#newer-forms").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Versie 2 van de formulieren")
    if looks:
        looks.at(page, "comparison")
    page.get_by_role("button", name="Ik wil overstappen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wilt u overstappen op versie 2?")
    if looks:
        looks.at(page, "going-over")
    page.get_by_role("button", name="Ja, stap over op versie 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U werkt nu met versie 2")
    if looks:
        looks.at(page, "gone-over")


def go_back(page: Page) -> None:
    page.get_by_role("link", name="Bekijk wat er gebeurt als u teruggaat").click()
    page.get_by_role("button", name="Ik wil terug").click()
    page.get_by_role("button", name="Ja, ga terug naar versie 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U werkt nu met versie 1")


def no_longer_asked(page: Page) -> Locator:
    expect(page.get_by_role("heading", level=1)).to_have_text("Niet meer gevraagd")
    return page.locator("main")


@pytest.mark.parametrize("who", ["laptop", "phone"])
def test_a_tab_that_stood_open_loses_nothing_and_the_way_back_is_there(sit_down, looks: Looks, who: str) -> None:
    desk = sit_down(who)
    open_tab, page = desk.another_tab(), desk.page
    looks.watch(open_tab)
    open_tab.goto(f"{desk.dossier}/onderdeel/practice")
    expect(story(open_tab)).to_have_value("Een verhaal.")
    go_over(page, desk.dossier, looks)

    story(open_tab).fill("Een langer verhaal dan eerst.")
    open_tab.get_by_label("Jaar", exact=True).fill("2018")  # saving by itself leads on
    kept = no_longer_asked(open_tab)
    expect(kept).to_contain_text("Alles wat u typte, is bewaard.")
    expect(kept).to_contain_text("3 februari 2018")
    expect(kept).to_contain_text("In dienst")
    looks.at(open_tab, "no-longer-asked")
    open_tab.goto(f"{desk.dossier}/onderdeel/practice")
    expect(story(open_tab)).to_have_value("Een langer verhaal dan eerst.")

    go_back(page)
    page.goto(f"{desk.dossier}/onderdeel/practice")
    expect(story(page)).to_have_value("Een langer verhaal dan eerst.")
    expect(page.get_by_label("Jaar", exact=True)).to_have_value("2018")
    expect(page.get_by_label("In dienst")).to_be_checked()
    expect(page.get_by_label("Naam")).to_have_value("Sanne")
    assert looks.faults == []


def test_text_that_only_the_browser_had_is_kept_when_it_comes_back_to_other_forms(sit_down, looks: Looks) -> None:
    desk = sit_down("lost connection")
    address = f"{desk.dossier}/onderdeel/practice"
    lost, page = desk.another_tab(), desk.page
    lost.on("dialog", lambda dialog: dialog.accept())
    lost.goto(address)
    lost.route("**/autosave", lambda route: route.abort())
    story(lost).fill("Getypt zonder verbinding.")
    lost.get_by_label("Jaar", exact=True).fill("2017")
    expect(lost.locator("[data-save-status]")).to_have_attribute("data-state", "failed")
    go_over(page, desk.dossier)

    lost.unroute("**/autosave")
    lost.goto(address)
    kept = no_longer_asked(lost)
    expect(kept).to_contain_text("3 februari 2017")
    lost.goto(address)
    expect(story(lost)).to_have_value("Getypt zonder verbinding.")
    expect(lost.locator("[data-restored]")).to_be_hidden()
    assert looks.faults == []


def test_the_same_without_script(sit_down, looks: Looks) -> None:
    desk = sit_down("without script")
    open_tab, page = desk.another_tab(), desk.page
    open_tab.goto(f"{desk.dossier}/onderdeel/practice")
    story(open_tab).fill("Een langer verhaal dan eerst.")
    open_tab.get_by_label("Jaar", exact=True).fill("2018")
    go_over(page, desk.dossier)
    button(open_tab, "later").click()
    expect(no_longer_asked(open_tab)).to_contain_text("3 februari 2018")
    open_tab.goto(f"{desk.dossier}/onderdeel/practice")
    expect(story(open_tab)).to_have_value("Een langer verhaal dan eerst.")
    go_back(page)
    page.goto(f"{desk.dossier}/onderdeel/practice")
    expect(story(page)).to_have_value("Een langer verhaal dan eerst.")
    expect(page.get_by_label("Jaar", exact=True)).to_have_value("2018")
    assert looks.faults == []
