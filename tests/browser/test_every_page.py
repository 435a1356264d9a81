"""Walks the whole demo as each of its people: every page that a link leads to, at three widths.

No barrier that axe-core sees, nothing wider than the window at 320 pixels, nothing lost at 200%, nothing that moves for who asked
for less motion, every control reached and seen with Tab alone, a page that can be printed, no link or anchor that leads nowhere,
one h1, a title of its own. With ``--look FOLDER`` every page is kept as a picture at 1280 and 390 pixels, to look at.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import APIResponse, Browser, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from app import create_app
from app.config import Settings
from app.demo.people import BRAM, LOIS, MAURITS, ORLA, PEOPLE
from browser.looking import LAPTOP, Looks, keep, keyboard_faults, motion_faults, print_faults, zoom_faults
from browser.running import Server

pytestmark = pytest.mark.browser

OF_ONE_KIND = 2  # pages behind one kind of address (all sections look alike) that each person opens
ANONYMOUS = "anonymous"
ALIKE = (BRAM, LOIS, MAURITS, ORLA)
"""Candidates whose pages are of the same kinds, in the same stages, as those of another."""


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("demo"))
    server.flask("database", "upgrade")
    server.flask("demo", "create")
    with server:
        yield server


@pytest.fixture(scope="module")
def addresses(catalogue) -> MapAdapter:
    """What knows which endpoint an address belongs to."""
    settings = Settings(base_url="http://localhost", contact_email="x@voorbeeld.nl")
    return create_app(settings, catalogue).url_map.bind("localhost")


@pytest.mark.parametrize("email", [ANONYMOUS, *(person.email for person in PEOPLE if person not in ALIKE)])
def test_every_page_that_a_link_leads_to(
    demo: Server, browser: Browser, addresses: MapAdapter, looks: Looks, request: pytest.FixtureRequest, email: str
) -> None:
    folder = request.config.getoption("look", None)
    context = browser.new_context(base_url=demo.url, locale="nl-NL", viewport=LAPTOP)
    page = context.new_page()
    looks.watch(page)
    waiting, seen, kinds = ["/"], set(), Counter()
    if email != ANONYMOUS:
        log_in(page, email)
        waiting.append(page.url.removeprefix(demo.url))
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        endpoint = endpoint_of(addresses, path)
        if endpoint is None:
            looks.faults.append(f"{email}: a link to {path}, which is no page")
            continue
        answer = context.request.fetch(path, method="HEAD")
        if answer.status != 200:
            looks.faults.append(f"{email}: {path} answers {answer.status}")
        if answer.status != 200 or not is_page(answer) or kinds[endpoint] >= OF_ONE_KIND:
            continue
        kinds[endpoint] += 1
        page.goto(path)
        looks.at(page, f"{email} {path}")
        faults = faults_of(page)
        if kinds[endpoint] == 1:
            faults += motion_faults(page) + zoom_faults(page) + print_faults(page) + keyboard_faults(page)
        looks.faults += [f"{email} {path}: {fault}" for fault in faults]
        if folder:
            keep(page, Path(folder), f"{email.partition('@')[0]}-{endpoint}-{kinds[endpoint]}")
        waiting += links_of(page, demo.url)
    context.close()
    print(f"{email}: {sum(kinds.values())} pages of {len(kinds)} kinds, {len(seen)} addresses", *looks.faults, sep="\n")
    assert looks.faults == []


def log_in(page: Page, email: str) -> None:
    page.goto("/demo/")
    page.locator(f"form:has(input[value='{email}']) button").click()
    page.wait_for_load_state()


def is_page(answer: APIResponse) -> bool:
    return answer.headers["content-type"].startswith("text/html") and "attachment" not in answer.headers.get(
        "content-disposition", ""
    )


def endpoint_of(addresses: MapAdapter, path: str) -> str | None:
    try:
        return str(addresses.match(urlsplit(path).path, method="GET")[0])
    except HTTPException:
        return None


def links_of(page: Page, base: str) -> list[str]:
    """The addresses on our site that the page links to, without the place in the page."""
    found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    return [urldefrag(one)[0].removeprefix(base) or "/" for one in found if one.startswith(base) and "/static/" not in one]


def faults_of(page: Page) -> list[str]:
    return page.evaluate(
        """() => {
            const faults = [];
            const headings = document.querySelectorAll("h1").length;
            if (headings !== 1) faults.push(`${headings} headings of level 1`);
            if (/^\\s*–/.test(document.title)) faults.push("no title of its own");
            for (const link of document.querySelectorAll('a[href^="#"]')) {
                const target = decodeURIComponent(link.getAttribute("href").slice(1));
                if (!target || !document.getElementById(target)) faults.push(`a link to #${target}, which is not there`);
            }
            return faults;
        }"""
    )
