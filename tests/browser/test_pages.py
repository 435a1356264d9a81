"""Single pages in a browser: two tabs, a lost connection, no script, only a keyboard, no barriers."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from browser.conftest import PASSWORD
from browser.evidence_files import NO_PDF
from browser.form_filling import button

pytestmark = pytest.mark.browser

NO_SCRIPT = {"java_script_enabled": False}


@pytest.fixture(scope="package")
def dossier(browser, server, make_account) -> dict[str, Any]:
    """Somebody with a dossier that was just started: ``storage_state`` (logged in) and the path of the dossier."""
    email = make_account("Renée Noordzij", "candidate")
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/inloggen?next=/dossiers/nieuw%3Fschema%3Drecertification")
    page.get_by_label("E-mailadres").fill(email)
    page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Start dit dossier").click()
    page.wait_for_url("**/dossier/*")
    found = {"state": context.storage_state(), "path": page.url.removeprefix(server.url), "email": email}
    context.close()
    return found


@pytest.fixture
def open_section(visitors, dossier) -> Callable[..., Page]:
    """``open_section("practice", **options)``: the page of a section, in a new window of the same person."""

    def open_it(section_id: str, **options: Any) -> Page:
        page = visitors.arrive(storage_state=dossier["state"], **options)
        page.goto(f"{dossier['path']}/onderdeel/{section_id}")
        return page

    return open_it


def saved(page: Page) -> Locator:
    return page.locator("[data-save-status][data-state=saved]")


def test_two_tabs_with_the_same_answer(open_section, looks):
    first, second = open_section("case_study"), open_section("case_study")
    first.get_by_label("Geef uw casus een titel").fill("Van chef naar examinator")
    expect(saved(first)).to_be_visible()
    second.get_by_label("Geef uw casus een titel").fill("Van filiaalchef naar examinator")
    heading = second.get_by_role("heading", level=1)
    expect(heading).to_have_text("U hebt dit ook ergens anders gewijzigd")
    texts = second.locator(".note").inner_text()
    assert "Van chef naar examinator" in texts
    assert "Van filiaalchef naar examinator" in texts
    looks.at(second, "conflict")
    second.locator("[name=keep-all][value=theirs]").click()
    expect(second.locator("#case_title")).to_have_value("Van chef naar examinator")
    assert looks.faults == []


def test_typing_on_while_an_autosave_is_under_way_is_no_conflict(open_section, looks):
    page = open_section("field")

    def slow(route: Route) -> None:
        reply = route.fetch()
        page.wait_for_timeout(1500)
        route.fulfill(response=reply)

    page.route("**/autosave", slow)
    field = page.locator("textarea").first
    field.fill("Eerste zin.")
    with page.expect_request("**/autosave"):
        pass
    field.fill("Eerste zin. Tweede zin.")
    button(page, "later").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw dossier")
    page.go_back()
    expect(page.locator("textarea").first).to_have_value("Eerste zin. Tweede zin.")
    assert looks.faults == []


def test_text_survives_a_login_that_was_lost_when_saving(open_section, visitors, dossier, looks):
    page = open_section("reflection_report")
    page.on("dialog", lambda dialog: dialog.accept())
    page.context.clear_cookies()
    page.locator("textarea").first.fill("Geschreven terwijl mijn login voorbij was.")
    button(page, "later").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dit lukte niet")
    visitors.log_in(page, dossier["email"])
    page.goto(f"{dossier['path']}/onderdeel/reflection_report")
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.locator("textarea").first).to_have_value("Geschreven terwijl mijn login voorbij was.")
    expect(saved(page)).to_be_visible()
    assert looks.faults == []


def test_text_survives_a_save_that_is_refused(open_section, looks):
    page = open_section("labour_market")
    page.on("dialog", lambda dialog: dialog.accept())
    text = "Met een teken dat niet kan: \x07 en met tekst die blijft."
    field = page.locator("textarea").first
    field.evaluate("(field, text) => { field.value = text; }", text)
    button(page, "later").click()
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    expect(field).to_have_value(text)
    field.press("End")  # Chromium asks nobody who did nothing on the page whether he wants to leave it
    page.reload()
    field.press("End")
    page.goto(page.url)
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(field).to_have_value(text)
    field.fill("Nu zonder dat teken, en met tekst die blijft.")
    button(page, "later").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw dossier")
    page.go_back()
    expect(field).to_have_value("Nu zonder dat teken, en met tekst die blijft.")
    assert looks.faults == []


def test_text_survives_leaving_the_page_with_both_texts(open_section, looks):
    first, second = open_section("ethics"), open_section("ethics")
    for page in (first, second):
        page.on("dialog", lambda dialog: dialog.accept())
    first.locator("textarea").first.fill("In het eerste venster.")
    expect(saved(first)).to_be_visible()
    second.locator("textarea").first.fill("In het tweede venster.")
    expect(second.get_by_role("heading", level=1)).to_have_text("U hebt dit ook ergens anders gewijzigd")
    second.goto(first.url)
    expect(second.locator("[data-restored]")).to_be_visible()
    expect(second.locator("textarea").first).to_have_value("In het eerste venster.")
    second.get_by_role("button", name="Zet mijn tekst terug").click()
    expect(second.locator("textarea").first).to_have_value("In het tweede venster.")
    expect(saved(second)).to_be_visible()
    assert looks.faults == []


def test_a_section_without_script(open_section, evidence, looks):
    page = open_section("practice", **NO_SCRIPT)
    page.locator("[name=form][value=employed]").check()
    page.get_by_label("Hoeveel uur per week").fill("ca. 24")
    button(page, "continue").click()
    expect(page.locator(".note").first).to_contain_text("op deze pagina iets bij")
    page.get_by_label("Naam van uw werkgever").fill("Hogeschool De Waterlijn")
    page.locator("[name=finished][value=yes]").check()
    button(page, "continue").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("getal")
    expect(page.get_by_label("Hoeveel uur per week")).to_have_value("ca. 24")
    expect(page.get_by_label("Naam van uw werkgever")).to_have_value("Hogeschool De Waterlijn")

    page.goto(page.url.replace("/practice", "/personal"))
    field = page.locator("#cv")
    field.set_input_files(evidence[NO_PDF])
    button(page, "upload").click()
    expect(page.locator("#cv-error")).to_contain_text(NO_PDF)
    field.set_input_files(evidence["Certificaat leergang.pdf"])
    button(page, "upload").click()
    expect(page.locator("#cv-files")).to_contain_text("Certificaat leergang.pdf")
    assert looks.faults == []


def test_the_supervisor_without_script(open_section, visitors, postbox, looks):
    page = open_section("supervisor", **NO_SCRIPT)
    page.get_by_role("button", name="Nodig uw supervisor uit").click()
    page.get_by_label("Naam van uw supervisor").fill("Jan Bakker")
    page.get_by_label("E-mailadres van uw supervisor").fill("jan@voorbeeld.example")
    page.get_by_role("button", name="Verstuur de uitnodiging").click()

    page = visitors.arrive(**NO_SCRIPT)
    page.goto(postbox.link("jan@voorbeeld.example", "verklaring"))
    page.get_by_role("button", name="Ga verder").click()
    page.get_by_role("button", name="Ik heb dit gelezen").click()
    page.get_by_label("Uw functie en registratie").fill("Supervisor, LVSC 1234")
    page.get_by_role("button", name="Voeg een regel toe").click()
    page.get_by_label("Onderwerp").fill("Kennismaking")
    button(page, "save").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("Datum")
    button(page, "keep").click()
    expect(page.locator(".rows")).to_contain_text("Kennismaking")
    expect(page.get_by_label("Uw functie en registratie")).to_have_value("Supervisor, LVSC 1234")
    button(page, "sign").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("Typ uw volledige naam")
    assert looks.faults == []


# --- only a keyboard -----------------------------------------------------------------------------------------------

FOCUS = """() => {
    const one = document.activeElement;
    const shows = (element, part) => {
        const style = getComputedStyle(element, part);
        return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 1) || style.boxShadow !== "none";
    };
    const label = one.labels?.[0];
    const seen = shows(one) || (label && (shows(label) || shows(label, "::before")));
    return [one.name || one.id || one.innerText?.trim().split("\\n")[0] || one.tagName, Boolean(seen)];
}"""


def tab_to(page: Page, name: str, at_most: int = 60) -> list[str]:
    """Presses Tab until the control of this name has the focus; gives the names on the way. Each must show that it has it."""
    passed: list[str] = []
    while len(passed) < at_most:
        page.keyboard.press("Tab")
        here, seen = page.evaluate(FOCUS)
        assert seen, f"one does not see that {here} has the focus"
        passed.append(here)
        if here == name:
            return passed
    raise AssertionError(f"Tab does not come to {name}: {passed}")


def test_login_and_a_section_with_only_a_keyboard(visitors, dossier, looks):
    page = visitors.arrive()
    page.goto("/inloggen")
    assert tab_to(page, "email")[0] == "Naar de hoofdinhoud"
    page.keyboard.type(dossier["email"])
    assert tab_to(page, "password") == ["password"]
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw dossier")
    page.wait_for_load_state()  # Tab goes no further than what has come
    tab_to(page, "Gedragscode")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gedragscode")
    page.wait_for_load_state()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link
    expect(page.locator(":focus")).to_have_id("main-content")
    order = tab_to(page, "finished")
    fields = [name for name in order if name.partition(".")[0] in ("read_on", "acceptance", "complaint", "finished")]
    assert fields == ["read_on.day", "read_on.month", "read_on.year", "acceptance", "complaint", "finished"]
    for _ in fields[1:]:
        page.keyboard.press("Shift+Tab")
    for part in ("3", "11", "2026"):
        page.keyboard.type(part)
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("value", "no")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    tab_to(page, "action", 2)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Verklaring van uw supervisor")
    page.go_back()
    expect(page.locator("[name='acceptance']")).to_be_checked()
    assert looks.faults == []


# --- no barriers ---------------------------------------------------------------------------------------------------


def test_public_pages_have_no_barriers(visitors, looks):
    page = visitors.arrive()
    for address in ("/", "/inloggen", "/wachtwoord-vergeten", "/bevestigen", "/demo", "/demo/post", "/bestaat-niet"):
        page.goto(address)
        looks.at(page, "front" if address == "/" else address.strip("/").replace("/", "-"))
    page.goto("/registreren")
    page.get_by_label("Kies een wachtwoord").fill("kort")
    page.get_by_role("button", name="Maak mijn account").click()
    expect(page).to_have_title(re.compile("^Fout:"))
    looks.at(page, "register-errors")
    assert looks.faults == []


def test_pages_of_the_candidate_have_no_barriers(open_section, dossier, looks):
    page = open_section("education")
    page.get_by_role("button", name="Voeg een regel toe").click()
    looks.at(page, "row")
    page.locator("main input[type=text]:visible").first.fill("Leergang")
    button(page, "save").click()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    looks.at(page, "row-errors")
    for address in ("/controleren", "/onderdeel/reflection_meetings", "/onderdeel/supervisor"):
        page.goto(dossier["path"] + address)
        looks.at(page, address.rpartition("/")[2])
    page.goto("/account")
    looks.at(page, "account")
    assert looks.faults == []
