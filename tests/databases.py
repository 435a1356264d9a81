"""A database of its own for each test: SQLite in the instance folder, or PostgreSQL on the server of ``LOOPBAAN_TEST_DATABASE``.

``LOOPBAAN_TEST_DATABASE=postgresql+psycopg://postgres@127.0.0.1/postgres`` is a database on that server from which others may be
made; each test gets a new one, which is dropped afterwards. The tests that look into SQLite itself say so (``only_sqlite``).
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from app import extensions
from app.config import Settings
from app.extensions import Base

SERVER = os.environ.get("LOOPBAAN_TEST_DATABASE", "")
only_sqlite = pytest.mark.skipif(bool(SERVER), reason="about SQLite itself")

_template = ""
_of_instance: dict[Path, str] = {}


def url_of(name: str, server: str = SERVER) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def administration(server: str = SERVER) -> Iterator[Engine]:
    """The server itself: to make databases and drop them."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        engine.dispose()


def made(template: str = "template0", server: str = SERVER) -> str:
    """A new database on the server, like ``template``; gives its name."""
    name = f"loopbaan_test_{secrets.token_hex(6)}"
    with administration(server) as engine, engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def drop(*names: str, server: str = SERVER) -> None:
    with administration(server) as engine, engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def make_empty(path: Path) -> None:
    """The tables, once for all tests: in the file, and on the server when there is one."""
    global _template
    _make_tables(f"sqlite:///{path}")
    if SERVER:
        _template = made()
        _make_tables(url_of(_template))


def _make_tables(url: str) -> None:
    engine = extensions.connect(url)
    Base.metadata.create_all(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def drop_empty() -> None:
    if _template:
        drop(_template)


def placed(settings: Settings, empty: Path) -> Settings:
    """Puts a database with all tables where these settings want it, unless it is there already."""
    path = settings.instance / "loopbaandossier.sqlite"
    if not SERVER or settings.database_url:
        if not path.exists():
            shutil.copyfile(empty, path)
        return settings
    if settings.instance not in _of_instance:
        _of_instance[settings.instance] = made(_template)
    return replace(settings, database_url=url_of(_of_instance[settings.instance]))


def forget(instance: Path) -> None:
    if name := _of_instance.pop(instance, ""):
        drop(name)
