"""What the program answered, straight into the browser, and looked at: for pages in states that nobody walks into."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, Route, expect
from werkzeug.test import TestResponse

from browser.looking import Looks, keep


class Window:
    """Shows what the program answered, with its styles and scripts, as if it came from a server."""

    def __init__(self, page: Page, client: FlaskClient) -> None:
        self.page = page
        self._client = client
        self._static: dict[str, TestResponse] = {}
        self._answer: TestResponse | None = None
        page.route("**/*", self._reply)

    def show(self, answer: TestResponse) -> Page:
        self._answer = answer
        self.page.goto("about:blank")
        self.page.goto("http://localhost/shown")
        return self.page

    def _reply(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if route.request.is_navigation_request():
            answer = self._answer
        elif path.startswith("/static/"):
            answer = self._static.setdefault(path, self._client.get(path))
        else:  # what a page's script asks for: nothing comes
            return route.abort()
        assert answer is not None
        headers = {name: value for name, value in answer.headers.items() if name not in ("Content-Length", "Set-Cookie")}
        return route.fulfill(status=200, headers=headers, body=answer.get_data())


def check(page: Page, name: str, looks: Looks, request: pytest.FixtureRequest) -> None:
    """As ``Looks.at``. Faults in a form: the summary has the focus, each of its links leads to a field that it describes."""
    if page.locator(".govuk-error-summary").count():
        expect(page).to_have_title(re.compile("^(Fout|Error): "))
        expect(page.locator(".govuk-error-summary")).to_be_focused()
        looks.faults += page.evaluate(UNTOLD)
    looks.at(page, name)
    folder = request.config.getoption("look", None)
    if folder:
        keep(page, Path(folder), name)
    assert looks.faults == []


def hidden_fields(page: TestResponse) -> dict[str, str]:
    """What the form on a page sends along by itself."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.get_data(as_text=True))
    return {name: value for name, value in found if name not in ("csrf_token", "next")}


UNTOLD = """() => {
    const faults = [], told = new Set();
    for (const link of document.querySelectorAll(".govuk-error-summary a")) {
        const id = decodeURIComponent(link.getAttribute("href").slice(1));
        const field = document.getElementById(id);
        if (!field) { faults.push(`${link.innerText} leads to #${id}, which is not there`); continue; }
        if (!field.matches("input, select, textarea") && !field.querySelector("input, select, textarea")) continue;
        const holder = field.closest("fieldset[aria-describedby]") ?? field;
        const about = [field, holder].flatMap((one) => (one.getAttribute("aria-describedby") ?? "").split(" ")).filter(Boolean);
        const words = about.map((one) => document.getElementById(one)?.innerText ?? `#${one} is not there`).join(" ");
        const error = about.some((one) => document.getElementById(one)?.matches(".govuk-error-message"));
        if (!error) faults.push(`${link.innerText}: #${id} is described by “${words}”, which is no error message`);
        link.click();
        if (!field.contains(document.activeElement)) faults.push(`${link.innerText}: its link does not put the focus on #${id}`);
        if (told.has(link.innerText)) faults.push(`${link.innerText}: twice in the summary`);
        told.add(link.innerText);
    }
    return faults;
}"""
