"""Twelve main screens of the demo, each held against its picture in docs/screens.

A date, a digit or a line that reads otherwise does not matter; a missing panel, a broken style sheet or other colours do.
``pytest tests/browser/test_screens.py --screens`` renews the pictures: look at each before it is committed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, Page, expect

from app.config import ROOT
from app.demo.people import ASSESSORS, HALFWAY, OFFICE, SHOWCASE, SUPERVISOR, Person
from browser.conftest import Visitors
from browser.looking import LAPTOP, PHONE
from browser.running import Server
from browser.test_every_page import log_in
from browser.test_live_draft import WIDE

pytestmark = pytest.mark.browser

PICTURES = ROOT / "docs" / "screens"
RENEW = "renew: pytest tests/browser/test_screens.py --screens"
SUBMITTED, BEGUN = "HC-2026-0001", "HC-2026-0002"
WIDTH = 160  # pixels that a picture is shrunk to: letters become grey, panels stay
BLOCK = 16  # pixels of that: a tenth of the width
BLOCK_DIFFERS = 7  # of 255, between the means of two blocks
BLOCKS_AT_MOST = 0.08  # of all blocks may differ
ALWAYS_WRONG = 45  # of 255: no text makes so much difference, a bar or a button does

AS_PERSON: dict[str, tuple[Person, str]] = {
    "task-list": (HALFWAY, f"/dossier/{BEGUN}"),
    "section": (HALFWAY, f"/dossier/{BEGUN}/onderdeel/practice"),
    "evidence-folder": (SHOWCASE, f"/dossier/{SUBMITTED}/bewijs"),
    "check-answers": (HALFWAY, f"/dossier/{BEGUN}/controleren"),
    "receipt": (SHOWCASE, f"/dossier/{SUBMITTED}/ontvangst"),
    "assessor-list": (ASSESSORS[0], "/beoordelen"),
    "assessor": (ASSESSORS[0], "/beoordelen/1"),
    "office-today": (OFFICE, "/secretariaat"),
    "office-dossiers": (OFFICE, "/secretariaat/dossiers"),
    "office-dossier": (OFFICE, f"/secretariaat/dossiers/{SUBMITTED}"),
    "live-draft": (HALFWAY, f"/dossier/{BEGUN}/onderdeel/personal"),
}
READY = {"assessor": "[data-reader][data-ready=yes]", "live-draft": ".draft__pages img"}


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("screens"), smtp_host="")  # mail goes to the post of the demo
    server.flask("database", "upgrade")
    server.flask("demo", "create")
    with server:
        yield server


@pytest.fixture
def show(demo: Server, visitors: Visitors) -> Callable[[str], Page]:
    """``show("section")``: the screen of this name, at its size, ready to be looked at."""

    def open_it(name: str) -> Page:
        person, path = AS_PERSON[name]
        page = visitors.arrive(base_url=demo.url, viewport=WIDE if name == "live-draft" else LAPTOP)
        log_in(page, person.email)
        page.goto(path)
        expect(page.locator(READY.get(name, "h1")).first).to_be_visible(timeout=30_000)
        page.wait_for_load_state("networkidle")
        return page

    return open_it


@pytest.mark.parametrize("name", AS_PERSON)
def test_a_screen_looks_as_in_its_picture(show, pytestconfig: pytest.Config, tmp_path: Path, name: str) -> None:
    held_against_its_picture(show(name), name, pytestconfig, tmp_path)


def test_the_statement_on_a_phone_looks_as_in_its_picture(demo, visitors, pytestconfig, tmp_path) -> None:
    page = visitors.arrive(base_url=demo.url, viewport=PHONE)
    page.goto("/demo/post")
    page.get_by_role("row").filter(has_text=SUPERVISOR.email).filter(has_text=HALFWAY.name).get_by_role("link").first.click()
    page.locator("main a[href*='/verklar']").click()
    page.get_by_role("button", name="Ga verder").click()
    page.get_by_role("button", name="Ik heb dit gelezen").click()
    expect(page.get_by_label("Typ uw volledige naam")).to_be_visible()
    held_against_its_picture(page, "supervisor-phone", pytestconfig, tmp_path)


def test_the_comparison_sees_what_is_broken_and_not_what_reads_otherwise(show, tmp_path: Path) -> None:
    page = show("section")
    before = picture(page, tmp_path / "before.png")
    page.evaluate(OTHER_WORDS)
    assert differences(picture(page, tmp_path / "words.png"), before) == []
    page.locator(".side").evaluate_all("sides => sides.forEach(one => one.style.visibility = 'hidden')")
    assert differences(picture(page, tmp_path / "side.png"), before) != []
    page.reload()
    page.evaluate("document.querySelector('header').remove()")
    assert differences(picture(page, tmp_path / "header.png"), before) != []
    page.reload()
    page.evaluate("document.querySelectorAll('link[rel=stylesheet]').forEach(one => one.remove())")
    assert differences(picture(page, tmp_path / "unstyled.png"), before) != []
    page.reload()
    page.evaluate("document.documentElement.style.filter = 'hue-rotate(120deg)'")
    assert differences(picture(page, tmp_path / "colours.png"), before) != []


OTHER_WORDS = r"""() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/\d/g, (digit) => 9 - digit);
    document.querySelector("main .govuk-label, main legend").firstChild.data = "Een heel andere regel tekst";
}"""


# --- pictures ------------------------------------------------------------------------------------------------------


def held_against_its_picture(page: Page, name: str, config: pytest.Config, folder: Path) -> None:
    kept = PICTURES / f"{name}.png"
    if config.getoption("screens", False):
        picture(page, kept)
    fresh = folder / f"{name}.png"
    found = differences(picture(page, fresh), kept)
    assert found == [], f"{name} does not look as in {kept}; fresh: {fresh}; {RENEW}"


def picture(page: Page, path: Path) -> Path:
    """What the window shows from its top, as a small PNG."""
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=path, animations="disabled", caret="hide")
    with Image.open(path) as shot:
        shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def differences(fresh: Path, kept: Path) -> list[str]:
    """Where two pictures look otherwise, in pixels of the screen; nothing when they look alike."""
    with Image.open(fresh) as one, Image.open(kept) as other:
        if one.size != other.size:
            return [f"{one.size} instead of {other.size}"]
        scale = one.width / WIDTH
        small = (WIDTH, round(one.height / scale))
        blocks = (WIDTH // BLOCK, round(small[1] / BLOCK))
        both = [each.convert("RGB").resize(small).filter(ImageFilter.GaussianBlur(3)) for each in (one, other)]
    means = [each.resize(blocks, Image.Resampling.BOX) for each in both]
    changed = ImageChops.difference(*means)
    found = []
    for row in range(blocks[1]):
        for column in range(blocks[0]):
            amount = max(changed.getpixel((column, row)))
            if amount > BLOCK_DIFFERS:
                found.append((amount, f"{amount} at {round(column * BLOCK * scale)}, {round(row * BLOCK * scale)}"))
    tolerable = len(found) <= BLOCKS_AT_MOST * blocks[0] * blocks[1] and all(amount < ALWAYS_WRONG for amount, _ in found)
    return [] if tolerable else [words for _, words in sorted(found, reverse=True)]
