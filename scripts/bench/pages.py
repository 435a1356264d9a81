"""Opens each kind of page of a demo instance, at its fullest, and prints queries, size and time, the slowest last.

Works on a copy of the instance's database, in this process, without a network. Milliseconds are wall time from request to
answer, median and 95th percentile; the first row (health) is the floor that figures of different machines can be compared by.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.exceptions import HTTPException

from app import config, create_app
from app.demo.people import PEOPLE

FLOOR = "public.health"


class Links(HTMLParser):
    """The addresses on this site that a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith("/"):
            self.found.append(urldefrag(href)[0])


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that the database was asked meanwhile."""
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("PRAGMA"):
            asked.append(statement)

    event.listen(app.extensions["engine"], "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(app.extensions["engine"], "before_cursor_execute", note)


def pages_of(app: Flask, client: FlaskClient, start: str) -> dict[str, str]:
    """One address for each kind of page that links lead to from ``start``, by endpoint."""
    addresses = app.url_map.bind("localhost")
    waiting, seen, found = [start], set(), {}
    while waiting:
        path = waiting.pop(0)
        try:
            endpoint = addresses.match(urlsplit(path).path, method="GET")[0]
        except HTTPException:
            continue
        if path in seen or endpoint in found or endpoint == "static":
            continue
        seen.add(path)
        with client.get(path, follow_redirects=True) as answer:
            if answer.request.path != urlsplit(path).path:
                waiting.append(answer.request.path)
                continue
            if answer.status_code != 200 or answer.mimetype != "text/html" or "Content-Disposition" in answer.headers:
                continue
            found[endpoint] = path
            links = Links()
            links.feed(answer.get_data(as_text=True))
        waiting += links.found
    return found


def measure(app: Flask, client: FlaskClient, path: str, rounds: int) -> tuple[int, int, list[float]]:
    """Queries and bytes of one answer, and the milliseconds of each of ``rounds``."""
    with counted(app) as asked, client.get(path) as answer:
        size = len(answer.get_data())
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        with client.get(path) as answer:
            answer.get_data()
        times.append((time.perf_counter() - started) * 1000)
    return len(asked), size, times


def main(rounds: int) -> None:
    settings = config.load()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "instance"
        shutil.copytree(settings.instance, copy)
        app = create_app(replace(settings, instance=copy, database_url=""))
        app.config["WTF_CSRF_ENABLED"] = False
        fullest: dict[str, tuple[int, str, FlaskClient, str]] = {}  # by endpoint: bytes, who, and the address
        for person in PEOPLE:
            client = app.test_client()
            client.post("/inloggen", data={"email": person.email, "password": person.password})
            found = {FLOOR: "/healthz", **pages_of(app, client, "/")}
            for endpoint, path in found.items():
                with client.get(path) as answer:
                    size = len(answer.get_data())
                if endpoint not in fullest or size > fullest[endpoint][0]:
                    fullest[endpoint] = (size, person.email.partition("@")[0], client, path)
        rows = [(who, endpoint, *measure(app, client, path, rounds)) for endpoint, (_, who, client, path) in fullest.items()]
        app.extensions["engine"].dispose()
    print(f"{'who':10}{'page':32}{'queries':>8}{'kB':>7}{'median ms':>11}{'p95 ms':>9}")
    for who, endpoint, queries, size, times in sorted(rows, key=lambda row: (row[1] != FLOOR, statistics.median(row[4]))):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{who:10}{endpoint:32}{queries:8}{size / 1000:7.1f}{statistics.median(times):11.1f}{p95:9.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
