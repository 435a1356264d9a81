"""What pages weigh and ask of the database: styles and scripts stay small and are kept by browsers, queries do not grow."""

import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import event, select
from web.whole_site import REFERENCE, REQUESTS, Site, whole_site

from app.dossiers import answers
from app.dossiers.models import Dossier
from app.extensions import session, transaction
from app.web import static_files

ROOM = 30_000  # bytes of style sheets and scripts together, gzipped
WIZARD = {
    "owner": (
        "candidate.start", "candidate.tasks", "candidate.check", "candidate.supervisor", "candidate.mentor",
        "section.show", "section.add_row", "section.edit_row", "section.ask_remove_row", "section.choose", "evidence.home",
    ),
    "supervisor": ("supervisor.read", "supervisor.form", "supervisor.row", "supervisor.declining"),
}  # fmt: skip
KEEP = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Path, password_hash: str) -> Iterator[Site]:
    with whole_site(tmp_path_factory.mktemp("speed"), empty_database, password_hash) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(site: Site) -> Iterator[None]:
    site.reset()
    yield
    session.remove()


# --- what a page brings along -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("person", "endpoint"), [(person, one) for person, pages in WIZARD.items() for one in pages])
def test_page_on_which_people_write_brings_at_most_30_kb_of_styles_and_scripts(site: Site, person: str, endpoint: str) -> None:
    client = site.clients[person]
    answer = site.ask(client, endpoint, REQUESTS[endpoint][0])
    assert answer.status_code == 200
    brought = brought_along(client, answer.get_data(as_text=True))
    assert {Path(address).suffix for address in brought} == {".css", ".js"}
    weight = {Path(address).name: size for address, size in brought.items()}
    assert sum(weight.values()) <= ROOM, weight


def brought_along(client: FlaskClient, html: str) -> dict[str, int]:
    """Bytes sent of the style sheets and scripts that a page names, and of those that they name in turn, by address.

    What a script fetches only when it is used (``import(…)``: pasting, sending files) does not count.
    """
    page = BeautifulSoup(html, "html.parser")
    waiting = [str(one["href"]) for one in page.find_all("link", rel=["stylesheet", "modulepreload"])]
    waiting += [str(one["src"]) for one in page.find_all("script")]
    found: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, KEEP), address
        found[address] = len(answer.get_data())
        words = gzip.decompress(answer.get_data()).decode()
        named = re.findall(r"""(?:\bfrom|\bimport|@import(?: url\()?)\s*["']\./?([^"']+)["']""", words)
        waiting += [f"{address.rpartition('/')[0]}/{name}" for name in named]
    return found


def test_all_that_pages_and_style_sheets_name_is_kept_by_browsers(site: Site) -> None:
    client = site.clients["owner"]
    html = site.ask(client, "section.show", REQUESTS["section.show"][0]).get_data(as_text=True)
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    sheets = [one for one in named if one.endswith("app.css")]
    assert len(sheets) == 1
    css = client.get(sheets[0]).get_data(as_text=True)
    named += [f"{sheets[0].rpartition('/')[0]}/{font}" for font in re.findall(r'url\("([^"]+)"\)', css)]
    assert len([one for one in named if one.endswith(".woff2")]) == 5  # four, and one that the page asks for at once
    for address in named:
        assert client.get(address).headers["Cache-Control"] == KEEP, address
        again = client.get(address, headers={"If-None-Match": client.get(address).headers["ETag"]})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, KEEP), address


def test_style_sheets_say_the_same_when_they_are_packed() -> None:
    css = "@layer app { .table :is(th, td) { color: red } .text ::selection { color: red } .a > :not(.b):hover { color: red } }"
    packed = "@layer app{.table *:is(th,td){color:red}.text *::selection{color:red}.a>:not(.b):hover{color:red}}"
    assert static_files.minified(css) == packed


def test_files_that_pack_well_are_sent_packed_to_who_can_unpack_them(site: Site) -> None:
    client = site.clients["anonymous"]
    with site.app.test_request_context():
        script, font = (url_for("static", filename=name) for name in ("app.js", "fonts/source-sans-3-latin-wght-normal.woff2"))
    plain, packed = (client.get(script, headers=headers) for headers in ({}, {"Accept-Encoding": "br, gzip"}))
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert (packed.mimetype, packed.content_encoding) == (plain.mimetype, "gzip")
    for answer in (plain, packed):
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "Set-Cookie" not in answer.headers
    assert packed.headers["ETag"] != plain.headers["ETag"]
    with site.app.test_request_context():
        style = client.get(url_for("static", filename="app.css"), headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(style.get_data()).decode() == static_files.minified((static_files.FOLDER / "app.css").read_text())
    assert "Content-Encoding" not in client.get(script, headers={"Accept-Encoding": "gzip;q=0"}).headers
    assert "Content-Encoding" not in client.get(font, headers={"Accept-Encoding": "gzip"}).headers


def test_changed_file_gives_every_file_another_address(tmp_path: Path) -> None:
    before = shutil.copytree(static_files.FOLDER, tmp_path / "before")
    after = shutil.copytree(static_files.FOLDER, tmp_path / "after")
    assert static_files.version(before) == static_files.version(static_files.FOLDER)
    with (after / "dom.js").open("a") as script:
        script.write("// changed")
    apps = [Flask(name, static_folder=None) for name in ("old", "new")]
    for app, folder in zip(apps, (before, after), strict=True):
        static_files.install(app, folder)
        app.config["SERVER_NAME"] = "localhost"
    with apps[0].app_context():
        old = url_for("static", filename="app.js")
    with apps[1].app_context():
        new = url_for("static", filename="app.js")
    assert old != new
    late = apps[1].test_client().get(old)  # of a page that was open during the upgrade
    assert (late.status_code, late.headers["Cache-Control"]) == (200, "no-cache, max-age=0")


# --- what a page asks of the database -----------------------------------------------------------------------------


QUERIES = {
    "candidate.start": 5,
    "candidate.tasks": 10,
    "candidate.check": 8,
    "candidate.supervisor": 8,
    "candidate.mentor": 6,
    "section.show": 8,
    "section.add_row": 7,
    "section.edit_row": 7,
    "section.ask_remove_row": 7,
    "section.choose": 7,
    "evidence.home": 8,
}


def test_queries_of_a_page_do_not_grow_with_the_dossier(site: Site) -> None:
    small = {endpoint: queries(site, endpoint) for endpoint in WIZARD["owner"]}
    fill(site)
    large = {endpoint: queries(site, endpoint) for endpoint in WIZARD["owner"]}
    assert small == QUERIES
    assert large == QUERIES


def fill(site: Site) -> None:
    """Thirty files, and thirty rows with one of them each."""
    dossier = session.scalars(select(Dossier).where(Dossier.reference == REFERENCE)).one()
    files = [site.world.checked(dossier, name=f"stuk-{number}.pdf") for number in range(30)]
    rows: list[dict[str, Any]] = [
        {"row": f"r{number}", "name": "Cursus", "points": "3", "paper": [item.id]} for number, item in enumerate(files, 1)
    ]
    with transaction():
        answers.put_answer(dossier, "learning", "courses", rows)
    session.remove()


def queries(site: Site, endpoint: str) -> int:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("PRAGMA"):
            asked.append(statement)

    engine = site.app.extensions["engine"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert site.ask(site.clients["owner"], endpoint, REQUESTS[endpoint][0]).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)
