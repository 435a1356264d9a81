"""The parts that the whole program shares: the database session, ``transaction()``, login, CSRF and languages."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import flask_babel
from babel.support import Translations
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker
from sqlalchemy.types import TypeDecorator

from app import names, texts

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
WRITE = "loopbaan_write"
WRITE_LOCK = 7_204_551
"""PostgreSQL's advisory lock of whoever writes."""
BUSY_TIMEOUT_MS = 15_000


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UTCDateTime()}  # noqa: RUF012  SQLAlchemy reads it as a plain class attribute


session: scoped_session[Session] = scoped_session(sessionmaker(autoflush=True))
login_manager = LoginManager()
csrf = CSRFProtect()


def now() -> datetime:
    """This moment, aware, in UTC: the one clock of the program."""
    return datetime.now(UTC)


def connect(url: str) -> Engine:
    """Makes the engine for ``url`` and points the shared session at it."""
    session.remove()
    engine = create_engine(url, hide_parameters=True)  # errors go to the log, and answers must not
    if engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _begin_postgresql)
    else:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    session.configure(bind=engine)
    return engine


@contextmanager
def transaction() -> Iterator[Session]:
    """The only place that commits. What was read before is forgotten first, so the work inside sees the newest state.

    Keep it for milliseconds: every other writer waits meanwhile. Not to be nested.
    """
    current = session()
    if current.info.get(WRITE):
        raise RuntimeError("transaction() inside transaction(): open it once, at the edge")
    current.rollback()
    current.info[WRITE] = True
    try:
        current.connection(execution_options={WRITE: True})
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.pop(WRITE, None)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below decides, not the driver's
    names.teach(connection)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _use_wal(cursor)
    for pragma in (
        "synchronous=FULL",  # an acknowledged save survives a power cut
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """SQLite does not wait for others when a new file is put in WAL mode: at the same moment, all but one are refused."""
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITE) else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    """One writer at a time, as with SQLite: what the rooms read inside ``transaction()`` cannot change before they write."""
    if connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


class CatalogueDomain(flask_babel.Domain):  # type: ignore[misc]  # flask_babel has no types
    """The translations of ``app.texts`` for pages, so that pages and documents read one catalogue."""

    def get_translations(self) -> Translations:
        locale = flask_babel.get_locale()
        return texts.catalogue(locale.language if locale else texts.DEFAULT_LANGUAGE)


class CatalogueBabel(flask_babel.Babel):  # type: ignore[misc]
    @property
    def domain_instance(self) -> CatalogueDomain:
        return CatalogueDomain()


babel = CatalogueBabel()
