"""What every test may use: an installation of its own in a temporary folder, with a real database and real files."""

import faulthandler
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import databases
import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from app import jobs, wiring  # wiring: every room, and so every table
from app.accounts import registration
from app.accounts.models import Account
from app.config import Settings
from app.extensions import session, transaction
from app.pipeline import Installation
from app.schemes import loader
from app.schemes.loader import Catalogue

# An example that takes long on a busy machine is no fault: time is measured in scripts/bench.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

pytest_plugins = ("small_world",)  # a small scheme with its own light installation

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "een heel lang wachtwoord"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-all", action="store_true", help="a test that is skipped is a failure")
    parser.addoption("--limit", type=int, default=600, metavar="SECONDS", help="a test that takes longer hangs, and is ended")
    parser.addoption(
        "--failures", type=Path, metavar="FILE", help="file that gets the names of the tests that failed, a line each"
    )


STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STDERR] = os.dup(2)  # the real one: pytest gives each test another


def _limit(item: pytest.Item) -> None:
    """From now on ``--limit`` seconds: then the stacks of all threads are printed and this process ends.

    Nothing milder ends every hang: not an exception in the main thread (playwright's loop then turns for ever), not a timer in
    Python (it needs the lock that a loop in C keeps). pytest-xdist names the test and goes on with another process.
    """
    if not item.config.getoption("usepdb"):
        faulthandler.dump_traceback_later(item.config.getoption("limit"), exit=True, file=item.config.stash[STDERR])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _limit(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    _limit(item)  # anew: pytest itself takes the first one away when a test fails


def pytest_runtest_logfinish() -> None:
    faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.skipped and item.config.getoption("--require-all"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, while everything is required: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    path: Path | None = terminalreporter.config.getoption("--failures")
    if path is not None:
        reports = [*terminalreporter.stats.get("failed", []), *terminalreporter.stats.get("error", [])]
        path.write_text("".join(f"{name}\n" for name in dict.fromkeys(report.nodeid for report in reports)), encoding="utf-8")


class ApartClient(FlaskClient):
    """Each request in a thread of its own, as from a real server: no request sees another's ``g`` or database session."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(super().open, *args, **kwargs).result()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database file with all tables, to copy: much quicker than making the tables for every test."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite"
    databases.make_empty(path)
    yield path
    databases.drop_empty()


@pytest.fixture(scope="session")
def password_hash() -> str:
    """A hash of ``PASSWORD`` that is checked in no time: a hash says itself how costly it is, and a real one is so on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(instance=tmp_path / "instance", base_url="http://localhost", contact_email="secretariaat@voorbeeld.nl")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The schemes and plugins of the repository, read once."""
    return loader.load_all(Settings())


class KeptTemplates(BytecodeCache):
    """Each program compiles its templates anew; the code of a template is the same for all, so it is made once."""

    def __init__(self) -> None:
        self.codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.codes:
            bucket.bytecode_from_string(self.codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.bytecode_to_string()


KEPT_TEMPLATES = KeptTemplates()


@pytest.fixture
def make_app(settings: Settings, empty_database: Path, catalogue: Catalogue) -> Iterator[Callable[..., Flask]]:
    """``make_app(**changed_settings)``: the whole program on a fresh database."""
    made: list[Flask] = []

    def make(**changes: object) -> Flask:
        own = replace(settings, **changes)  # type: ignore[arg-type]
        own.instance.mkdir(parents=True, exist_ok=True)
        own = databases.placed(own, empty_database)
        usual = (own.templates_dir, own.plugins_dir) == (settings.templates_dir, settings.plugins_dir)
        app = wiring.create_app(own, catalogue if usual else None)
        app.config["WTF_CSRF_ENABLED"] = False
        app.test_client_class = ApartClient
        app.jinja_env.bytecode_cache = KEPT_TEMPLATES
        made.append(app)
        return app

    yield make
    session.remove()
    for app in made:
        app.extensions["engine"].dispose()
        databases.forget(app.extensions["installation"].settings.instance)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    app = make_app()
    with app.app_context():
        yield app


@pytest.fixture
def installation(app: Flask) -> Installation:
    return app.extensions["installation"]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def make_account(app: Flask, password_hash: str) -> Callable[..., Account]:
    """``make_account("Sanne de Vries", "candidate", …)``: a confirmed account with these roles, password ``PASSWORD``."""

    def make(name: str, *roles: str, email: str = "", language: str = "nl") -> Account:
        address = email or name.lower().replace(" ", ".") + "@voorbeeld.nl"
        with transaction():
            return registration.create(
                email=address, name=name, password_hash=password_hash, language=language, roles=roles, confirmed=True
            )

    return make


@pytest.fixture
def login(app: Flask) -> Callable[[Account], FlaskClient]:
    """``login(account)``: a client of its own in which this person is logged in, by the login page."""

    def enter(account: Account) -> FlaskClient:
        own = app.test_client()
        answer = own.post("/inloggen", data={"email": account.email, "password": PASSWORD})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return own

    return enter


@pytest.fixture
def work(installation: Installation) -> Callable[[], int]:
    """``work()``: does everything that is due, as the worker would, and gives the number of jobs."""
    return lambda: jobs.drain(installation)
