"""What every test may use: an installation of its own in a temporary folder, with a real database and real files."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app, extensions, jobs
from app.accounts import passwords, registration
from app.accounts.models import Account
from app.config import Settings
from app.extensions import Base, session, transaction
from app.pipeline import Installation
from app.schemes import loader
from app.schemes.loader import Catalogue

pytest_plugins = ("small_world",)  # a small scheme with its own light installation

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PASSWORD = "een heel lang wachtwoord"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-all", action="store_true", help="a test that is skipped is a failure")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.skipped and item.config.getoption("--require-all"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, while everything is required: {reason}"
    return report


class ApartClient(FlaskClient):
    """Each request in a thread of its own, as from a real server: no request sees another's ``g`` or database session."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(super().open, *args, **kwargs).result()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, to copy: much quicker than making the tables for every test."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite"
    engine = extensions.connect(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of ``PASSWORD``: hashing is slow on purpose, so it is done once."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(instance=tmp_path / "instance", base_url="http://localhost", contact_email="secretariaat@voorbeeld.nl")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The schemes and plugins of the repository, read once."""
    return loader.load_all(Settings())


@pytest.fixture
def make_app(settings: Settings, empty_database: Path, catalogue: Catalogue) -> Iterator[Callable[..., Flask]]:
    """``make_app(**changed_settings)``: the whole program on a fresh database."""
    made: list[Flask] = []

    def make(**changes: object) -> Flask:
        own = replace(settings, **changes)  # type: ignore[arg-type]
        own.instance.mkdir(parents=True, exist_ok=True)
        path = own.instance / "loopbaandossier.sqlite"
        if not path.exists():
            shutil.copyfile(empty_database, path)
        usual = (own.templates_dir, own.plugins_dir) == (settings.templates_dir, settings.plugins_dir)
        app = create_app(own, catalogue if usual else None)
        app.config["WTF_CSRF_ENABLED"] = False
        app.test_client_class = ApartClient
        made.append(app)
        return app

    yield make
    session.remove()
    for app in made:
        app.extensions["engine"].dispose()


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
