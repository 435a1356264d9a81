"""The draft beside the form: it follows each save to the place being written, on a wide screen, and never stands in the way."""

import io

import pypdf
import pytest
from playwright.sync_api import expect

from browser.conftest import PASSWORD
from browser.running import until

pytestmark = pytest.mark.browser

CANDIDATE = "merel@voorbeeld.example"
WIDE = {"width": 1600, "height": 900}
STORY = "Een lasser van vijftig wilde weten wat hij nog meer kon. " * 60
NOTE = "Een beeld van wat is opgeslagen. Het is nog niet ingediend."


def test_the_draft_follows_each_save_to_the_place_being_written(visitors, server, looks):
    server.flask("accounts", "create", CANDIDATE, "Merel Oosterhuis", "--role", "candidate", "--password", PASSWORD)
    page = visitors.arrive(viewport=WIDE)
    visitors.log_in(page, CANDIDATE)
    page.goto("/dossiers/nieuw?schema=recertification")
    page.get_by_role("button", name="Start dit dossier").click()
    page.wait_for_url("**/dossier/*")
    own = page.url
    page.goto(f"{own}/onderdeel/methodical_guidance")

    panel = page.get_by_role("region", name="Zo komt het in uw dossier Concept")
    pictures = panel.get_by_role("img")
    expect(pictures).to_have_count(1)
    expect(pictures).to_have_accessible_name(
        "Concept, pagina 1 van 1 van dit onderdeel. De tekst leest u in het formulier en in de concept-pdf."
    )
    before = pictures.get_attribute("src")
    field = page.locator("textarea").first
    field.fill(STORY)
    expect(pictures).to_have_count(2)
    assert pictures.first.get_attribute("src") != before
    until(lambda: pictures.last.evaluate("one => one.complete && one.naturalWidth > 0"), "the second page to be drawn")

    # at the cursor: at the end of a long text the panel has moved down, and it says where
    pages = panel.get_by_role("group", name="Concept van dit onderdeel")
    until(lambda: pages.evaluate("one => one.scrollTop") > 300, "the panel scrolls to the cursor")
    expect(panel.locator("i")).to_be_visible()
    kept = pictures.last.get_attribute("src")
    field.press("End")
    page.keyboard.type(" Nog een zin.")
    expect(pictures.last).not_to_have_attribute("src", kept)
    read = page.request.get(f"{own}/concept.pdf")
    words = " ".join(" ".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(read.body())).pages).split())
    assert "nog meer kon. Nog een zin." in words
    looks.at(page, "section-with-draft")

    # without the typesetter, saving goes on
    page.route("**/concept?*", lambda route: route.abort())
    page.keyboard.type(" En nog een.")
    expect(panel.get_by_text("Het concept kan nu niet worden getoond. Wat u schrijft, wordt wel opgeslagen.")).to_be_visible()
    expect(page.locator("[data-save-status][data-state=saved]")).to_be_visible()
    page.unroute("**/concept?*")
    page.keyboard.type(" Klaar.")
    expect(panel.get_by_text(NOTE)).to_be_visible()

    # away with it, also next time; and back
    page.get_by_role("button", name="Verberg het concept").click()
    expect(panel).to_be_hidden()
    expect(page.locator("[data-save-status][data-state=saved]")).to_be_visible()
    page.reload()
    show = page.get_by_role("button", name="Toon het concept naast het formulier")
    expect(show).to_have_attribute("aria-expanded", "false")
    show.click()
    expect(pictures).to_have_count(2)


def test_on_a_narrower_screen_a_link_leads_to_the_place_in_the_whole_draft(visitors):
    page = visitors.arrive()
    visitors.log_in(page, CANDIDATE)
    page.wait_for_url("**/dossier/*")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/concept" in request.url else None)
    page.goto(f"{page.url}/onderdeel/methodical_guidance")
    link = page.get_by_role("link", name="Zie dit onderdeel in uw concept-pdf (nieuw tabblad)")
    expect(link).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert asked == []
    read = page.request.get(link.get_attribute("href").partition("#")[0])
    assert "onderdeel-methodical_guidance" in pypdf.PdfReader(io.BytesIO(read.body())).named_destinations
