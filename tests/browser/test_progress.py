"""The receipt while a real worker makes the documents: step and percentage move by themselves, and a reload loses nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, expect

from app.demo.people import SHOWCASE
from browser.looking import Looks
from browser.running import Server
from browser.test_every_page import log_in

pytestmark = pytest.mark.browser

UNDONE = (
    "area_draft_version", "area_draft", "assignment", "admission", "requirement_check", "hand_over", "assessment", "delivery",
    "bundle", "product",
)  # fmt: skip
OWN = f"SELECT d.id FROM dossier d JOIN account a ON a.id = d.owner_id WHERE a.email = '{SHOWCASE.email}'"  # noqa: S608
WATCH = """() => {
  window.seen = [];
  const note = () => { const bar = document.querySelector("#assembling progress"); if (bar) window.seen.push(bar.value); };
  new MutationObserver(note).observe(document.getElementById("assembling"), {childList: true, subtree: true});
  note();
}"""


def sql(server: Server, *statements: str) -> None:
    with closing(sqlite3.connect(server.folder / "instance" / "loopbaandossier.sqlite", isolation_level=None)) as database:
        for one in statements:
            database.execute(one)


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo, with its finished dossier as it was when it was just submitted; its turn has not come yet."""
    server = Server(tmp_path_factory.mktemp("progress"))
    server.flask("database", "upgrade")
    server.flask("demo", "create")
    sql(
        server,
        *(f"DELETE FROM {table}" for table in UNDONE),  # noqa: S608  our own names
        "DELETE FROM dossier_event WHERE kind IN ('sealed', 'handed_over', 'admitted', 'in_assessment')",
        "DELETE FROM mail WHERE key LIKE 'dossier_handed_over:%'",
        "UPDATE dossier SET stage = 'submitted' WHERE stage = 'in_assessment'",
        "UPDATE snapshot SET stage = 'submitted', step = '', percent = 0, delivered_at = NULL, claimed_until = NULL,"
        " next_attempt_at = '2099-01-01 00:00:00'",
        f"UPDATE snapshot SET abandoned_at = submitted_at WHERE dossier_id NOT IN ({OWN})",  # noqa: S608  the others stay out of it
    )
    with server:
        yield server


def test_progress_moves_by_itself_and_ends_with_the_documents(demo: Server, visitors, looks: Looks) -> None:
    page = visitors.arrive(base_url=demo.url)
    log_in(page, SHOWCASE.email)
    page.goto("/dossiers")
    page.get_by_role("link", name="Bekijk uw ontvangstbewijs").click()
    expect(page.get_by_text("Uw dossier staat klaar om samengesteld te worden")).to_be_visible()
    expect(page.get_by_text("Wij maken uw documenten")).to_be_visible()
    page.evaluate(WATCH)
    sql(demo, "UPDATE snapshot SET step = 'merge 3/14', percent = 27")
    expect(page.get_by_text("Bewijsstukken worden als bijlagen toegevoegd: 3 van 14")).to_be_visible()
    expect(page.locator("#assembling-status")).to_have_text("Uw bewijsstukken worden als bijlagen toegevoegd")
    looks.at(page, "assembling")
    page.reload()
    expect(page.get_by_text("27%")).to_be_visible()
    page.evaluate(WATCH)
    sql(demo, "UPDATE snapshot SET next_attempt_at = NULL")  # its turn: the worker’s sweep finds it
    links = page.locator("#assembling a[href*='/documenten/']")
    expect(links).to_have_count(3, timeout=120_000)
    expect(page.locator("#assembling-status")).to_have_text("Uw documenten zijn klaar.")
    expect(page.get_by_text("Het secretariaat controleert of uw dossier aan de eisen voor toelating voldoet")).to_be_visible()
    seen = page.evaluate("window.seen")
    assert (seen[0], seen == sorted(seen), max(seen) < 100) == (27, True, True)
    assert looks.faults == []
