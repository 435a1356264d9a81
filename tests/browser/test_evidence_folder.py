"""The evidence folder in a browser: several files dropped at once over a bad line, order by keyboard, a phone, no script."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import PASSWORD
from browser.evidence_files import NO_PDF, WELCOME
from browser.looking import PHONE

pytestmark = pytest.mark.browser

DROP = """([box, names, size]) => {
  const files = new DataTransfer();
  for (const name of names) files.items.add(new File(["%PDF-1.7 ", name, new Uint8Array(size)], name, { lastModified: 1 }));
  box.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def dossier(browser, server) -> dict[str, Any]:
    """Somebody with a dossier that was just started: ``state`` (logged in) and the path of the dossier."""
    server.flask("accounts", "create", "map@voorbeeld.example", "Noor Map", "--role", "candidate", "--password", PASSWORD)
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/inloggen?next=/dossiers/nieuw%3Fschema%3Drecertification")
    page.get_by_label("E-mailadres").fill("map@voorbeeld.example")
    page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Start dit dossier").click()
    page.wait_for_url("**/dossier/*")
    found = {"state": context.storage_state(), "path": page.url.removeprefix(server.url)}
    context.close()
    return found


@pytest.fixture
def open_folder(visitors, dossier) -> Callable[..., Page]:
    def open_it(place: str = "bewijs", **options: Any) -> Page:
        page = visitors.arrive(storage_state=dossier["state"], **options)
        page.goto(f"{dossier['path']}/{place}")
        return page

    return open_it


def titles(page: Page) -> list[str]:
    return page.locator(".folder .files__title").all_inner_texts()


def test_real_files_are_sent_over_a_broken_line_and_get_a_small_picture(
    open_folder: Callable[..., Page], evidence: dict[str, Path], looks: Any
) -> None:
    page = open_folder()
    expect(page.get_by_text("Uw bewijsmap is nog leeg")).to_be_visible()
    cuts = iter((False, True, False, True))

    def cut(route: Route) -> None:
        if next(cuts, False):
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(re.compile(r"/delen/\w+\?at="), cut)
    page.locator("#files").set_input_files([*(evidence[name] for name in WELCOME), evidence[NO_PDF]])
    rows = page.locator(".upload .files > li")
    expect(rows.filter(has_text=NO_PDF).locator(".files__reason")).to_contain_text("geen pdf-bestand", timeout=30_000)
    expect(page.locator(".folder > li")).to_have_count(len(WELCOME))
    expect(rows).to_have_count(1)  # what failed stays to be read
    expect(page.locator(".folder img.file-kind")).to_have_count(len(WELCOME), timeout=60_000)
    assert [name.split(" downloaden")[0].strip() for name in titles(page)] == list(WELCOME)
    looks.at(page, "evidence folder")
    assert looks.faults == []


def test_a_big_file_goes_on_after_a_reload_when_it_is_chosen_again(open_folder: Callable[..., Page], looks: Any) -> None:
    page = open_folder()
    places: list[str] = []
    online = {"is": False}

    def line(route: Route) -> None:
        at = route.request.url.partition("at=")[2]
        if len(places) >= 2 and not online["is"]:
            return route.abort("connectionreset")
        places.append(at)
        return route.continue_()

    page.route(re.compile(r"/delen/\w+\?at="), line)
    card = page.locator("form.card")
    card.evaluate(f"box => ({DROP})([box, ['groot.pdf'], 3500000])")
    row = page.locator(".upload .files > li").first
    expect(row).to_contain_text("Geen verbinding", timeout=20_000)
    assert places == ["0", "1048576"]
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    online["is"] = True
    card.evaluate(f"box => ({DROP})([box, ['groot.pdf'], 3500000])")
    expect(page.locator(".folder")).to_contain_text("groot.pdf", timeout=30_000)
    assert places == ["0", "1048576", "2097152", "3145728"]
    assert looks.faults == []


def test_order_and_name_by_keyboard(open_folder: Callable[..., Page], looks: Any) -> None:
    page = open_folder()
    expect(page.locator(".folder > li").nth(2)).to_be_visible()
    before = titles(page)
    third = page.locator(".folder > li").nth(2)
    number = third.get_attribute("data-file")
    third.locator("button[id^=up-]").focus()
    with page.expect_event("domcontentloaded"):
        page.keyboard.press("Enter")
    expect(page.locator(f"#up-{number}")).to_be_focused()
    with page.expect_event("domcontentloaded"):
        page.keyboard.press("Enter")
    expect(page.locator(f"#down-{number}")).to_be_focused()
    assert titles(page) == [before[2], before[0], before[1], *before[3:]]
    page.locator(f"#file-{number} summary").focus()
    page.keyboard.press("Enter")
    field = page.locator(f"#title-{number}")
    field.fill("Bewijs van deelname")
    with page.expect_event("domcontentloaded"):
        field.press("Enter")
    assert "Bewijs van deelname" in titles(page)[0]
    assert looks.faults == []


def test_a_file_is_dragged_to_another_place(open_folder: Callable[..., Page], looks: Any) -> None:
    page = open_folder()
    before = titles(page)
    rows = page.locator(".folder > li")
    with page.expect_event("domcontentloaded"):
        rows.nth(2).locator("img.file-kind, .file-kind").first.drag_to(rows.nth(0), target_position={"x": 20, "y": 4})
    after = [before[2], before[0], before[1], *before[3:]]
    assert titles(page) == after
    page.reload()
    assert titles(page) == after
    assert looks.faults == []


def test_the_field_for_files_has_our_own_words_in_the_language_of_the_page(
    open_folder: Callable[..., Page], evidence: dict[str, Path], looks: Any
) -> None:
    page = open_folder()
    zone = page.locator(".drop-zone").first
    expect(zone.locator(".drop-zone__button")).to_have_text("Kies bestanden")
    expect(page.locator("#files")).to_have_css("opacity", "0")
    page.locator("#files").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#files")).to_be_focused()
    expect(zone.locator(".drop-zone__face")).to_have_css("outline-style", "solid")
    details = page.locator(".folder__change").first
    details.locator("summary").click()
    new = details.locator("input[type=file]")
    new.set_input_files(evidence["Schema.png"])
    expect(details.locator("[data-chosen]")).to_have_text("Schema.png")
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")  # as long as a slow line takes
    details.get_by_role("button", name="Vervang").click()
    expect(details.locator(".meter")).to_contain_text("Bezig met versturen van 1 bestand(en)")
    expect(details.locator(".meter progress")).to_be_visible()
    assert looks.faults == []


@pytest.mark.parametrize("script", [True, False])
def test_a_phone_is_not_told_to_drag(open_folder: Callable[..., Page], script: bool) -> None:
    phone = open_folder(viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=script)
    hint = phone.locator("#files-upload-hint")
    expect(hint).to_contain_text("Hoogstens")
    assert "sleep" not in hint.inner_text()
    assert "sleep" in open_folder(java_script_enabled=script).locator("#files-upload-hint").inner_text()


def test_in_forced_colours_the_folder_is_told_apart(open_folder: Callable[..., Page], looks: Any) -> None:
    page = open_folder(forced_colors="active")
    face = page.locator(".drop-zone__face").first
    assert face.evaluate("one => getComputedStyle(one).borderTopStyle") == "dashed"
    assert all(tag.evaluate("one => getComputedStyle(one).outlineStyle") == "solid" for tag in page.locator(".govuk-tag").all())
    up = page.locator("button[id^=up-]").nth(1)
    assert up.evaluate("one => getComputedStyle(one).borderTopStyle") == "solid"
    assert looks.faults == []


def test_a_phone_offers_its_camera_and_the_page_fits(open_folder: Callable[..., Page], looks: Any) -> None:
    page = open_folder(viewport=PHONE, has_touch=True, is_mobile=True)
    camera = page.locator("#files-camera")
    assert (camera.get_attribute("capture"), camera.get_attribute("accept")) == ("environment", "image/jpeg")
    page.locator(".folder__change summary").first.click()
    looks.at(page, "evidence folder on a phone")
    assert looks.faults == []


def test_dropped_on_a_question_it_is_used_there_and_named_in_the_folder(
    open_folder: Callable[..., Page], evidence: dict[str, Path], looks: Any
) -> None:
    page = open_folder("onderdeel/personal")
    page.locator("#cv").set_input_files(evidence["Certificaat leergang.pdf"])
    expect(page.locator("#cv-list")).to_contain_text("Certificaat leergang.pdf", timeout=20_000)
    looks.at(page, "evidence at a question")
    page.goto(page.url.replace("/onderdeel/personal", "/bewijs"))
    expect(page.locator(".folder__uses")).to_contain_text("Bijlage 1")
    assert looks.faults == []


def test_without_script_several_files_go_with_the_form(open_folder: Callable[..., Page], evidence: dict[str, Path]) -> None:
    page = open_folder(java_script_enabled=False)
    count = page.locator(".folder > li").count()
    page.locator("#files").set_input_files([evidence["Schema.png"], evidence[NO_PDF]])  # the first is there already
    page.get_by_role("button", name="Voeg toe").click()
    expect(page.locator("#files-error")).to_contain_text(NO_PDF)
    expect(page.locator(".folder > li")).to_have_count(count)
    page.locator(".folder > li").last.locator("button[id^=up-]").click()
    expect(page.locator(".folder > li")).to_have_count(count)
