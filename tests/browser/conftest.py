"""A browser, a server and a mail server for the tests in this folder."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser import evidence_files
from browser.looking import LAPTOP, Looks
from browser.running import Postbox, Server

PATIENCE_MS = 15_000
"""Of pages and of what is expected on them, for a machine that does more at the same time."""
expect.set_options(timeout=PATIENCE_MS)
PASSWORD = "paraplu onder een groene bank"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screens", action="store_true", help="renew the pictures in docs/screens")
    parser.addoption("--look", metavar="FOLDER", help="keep a picture of each page of the demo (test_every_page.py)")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian package chromium), so no page can be walked in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="package")
def postbox(server: Server) -> Postbox:
    return server.postbox


@pytest.fixture(scope="package")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return evidence_files.make(tmp_path_factory.mktemp("evidence") / "files")


@pytest.fixture
def looks() -> Looks:
    return Looks()


@dataclass
class Visitors:
    """Opens windows for people who know nothing of each other, each with cookies of his own."""

    browser: Browser
    server: Server
    looks: Looks

    def arrive(self, **options: Any) -> Page:
        options = {"base_url": self.server.url, "locale": "nl-NL", "viewport": LAPTOP, **options}
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(PATIENCE_MS)
        self.looks.watch(page)
        return page

    def log_in(self, page: Page, email: str) -> None:
        page.goto("/inloggen")
        page.get_by_label("E-mailadres").fill(email)
        page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()


@pytest.fixture
def visitors(
    browser: Browser, server: Server, looks: Looks, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Visitors]:
    failed_before = request.session.testsfailed
    yield Visitors(browser, server, looks)
    if request.session.testsfailed > failed_before:
        print("\n".join(looks.faults))
        for number, page in enumerate(page for context in browser.contexts for page in context.pages):
            page.screenshot(path=tmp_path / f"window-{number}.png", full_page=True)
            print(f"{page.url} as it was: {tmp_path / f'window-{number}.png'}")
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="package")
def make_account(server: Server) -> Callable[..., str]:
    """``make_account("Wouter Sjöberg", "assessor")``: an account with ``PASSWORD``, made by the command; gives the address."""

    def make(name: str, role: str) -> str:
        email = f"{role}@voorbeeld.example"
        server.flask("accounts", "create", email, name, "--role", role, "--password", PASSWORD)
        return email

    return make
