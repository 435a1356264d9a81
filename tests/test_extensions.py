"""The session and ``transaction()``: the one place that commits, and what SQLite is told."""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from databases import only_sqlite
from hypothesis import given
from hypothesis import strategies as st
from small_world import World
from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError
from together import together

from app import audit, extensions
from app.accounts.models import Account, AccountRole
from app.audit import AuditEntry
from app.extensions import UTCDateTime, session, transaction


def write(page: int) -> None:
    audit.write("page.seen", actor="system", thing="page", page=page)


def pages() -> list[int]:
    session.rollback()
    return [entry.details["page"] for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_transaction_commits_once_at_its_end(world: World) -> None:
    with transaction():
        write(1)
        with world.engine.connect() as other:
            assert other.scalar(text("SELECT count(*) FROM audit_entry")) == 0
    assert pages() == [1]


def test_transaction_keeps_nothing_when_anything_fails_also_an_interrupt(world: World) -> None:
    def stopped(error: type[BaseException]) -> None:
        write(1)
        raise error

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), transaction():
            stopped(error)
        assert pages() == []
    with transaction():
        write(2)
    assert pages() == [2]


def test_transaction_inside_transaction_is_refused_and_the_outer_one_fails_whole(world: World) -> None:
    def nested() -> None:
        write(1)
        with transaction():
            write(2)

    with pytest.raises(RuntimeError, match=r"transaction\(\) inside transaction\(\)"), transaction():
        nested()
    assert pages() == []
    with transaction():
        write(3)
    assert pages() == [3]


def test_transaction_forgets_what_was_read_before(world: World) -> None:
    account = world.account()
    assert account.name == "Sanne de Vries"
    with world.engine.begin() as other:
        other.execute(text("UPDATE account SET name = 'Nieuw'"))
    with transaction():
        assert account.name == "Nieuw"


def test_transaction_drops_what_was_changed_outside_it(world: World) -> None:
    account = world.account()
    account.name = "Niet bedoeld"
    with transaction():
        write(1)
    assert account.name == "Sanne de Vries"


def test_transaction_waits_for_another_writer_and_loses_nothing(world: World) -> None:
    entered = threading.Event()

    def slow() -> None:
        with transaction():
            write(1)
            entered.set()
            time.sleep(0.3)

    def waits() -> None:
        assert entered.wait(20)
        with transaction():  # BEGIN IMMEDIATE: waits here, not in the middle of the work
            write(2)

    together(slow, waits)
    assert pages() == [1, 2]


def test_reading_does_not_wait_for_a_writer(world: World) -> None:
    with transaction():
        write(1)
        with world.engine.connect() as other:
            started = time.monotonic()
            assert other.scalar(select(func.count(AuditEntry.id))) == 0
            assert time.monotonic() - started < 1


def test_reading_after_a_transaction_takes_no_write_lock(world: World) -> None:
    with transaction():
        write(1)
    assert pages() == [1]  # the read goes on
    with world.engine.connect() as other:
        if world.engine.dialect.name == "sqlite":
            other.exec_driver_sql("PRAGMA busy_timeout=50")
            other.rollback()
        other.execution_options(**{extensions.WRITE: True})
        with other.begin():
            other.execute(text("DELETE FROM attempt"))


def test_second_writer_gives_up_after_a_while_with_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "BUSY_TIMEOUT_MS", 50)
    engine = extensions.connect(world.settings.database)
    with world.engine.connect().execution_options(**{extensions.WRITE: True}) as other, other.begin():
        with pytest.raises(OperationalError, match=r"locked|lock timeout"), transaction():
            write(1)
        other.rollback()
    with transaction():
        write(2)
    assert pages() == [2]
    engine.dispose()


@only_sqlite
def test_r32_sqlite_is_told_to_be_safe(world: World) -> None:
    def pragma(name: str) -> object:
        with world.engine.connect() as connection:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    assert {name: pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")} == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 15_000,
    }


def test_foreign_keys_hold(world: World) -> None:
    with pytest.raises(IntegrityError), transaction():
        session.add(AccountRole(account_id=99, role="office"))


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(-720, 840),
)
def test_times_come_back_as_the_same_moment_in_utc(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    kind = UTCDateTime()
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        stored = kind.process_bind_param(aware, dialect)
        back = kind.process_result_value(stored, dialect)
        assert back == aware
        assert back is not None
        assert back.tzinfo is UTC
        assert (stored.tzinfo is None) is (dialect.name == "sqlite") if stored else False
    assert kind.process_bind_param(None, sqlite.dialect()) is None
    assert kind.process_result_value(None, sqlite.dialect()) is None


@only_sqlite
def test_times_are_stored_in_utc(world: World) -> None:
    account = world.account()
    with transaction():
        account.created_at = datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    with world.engine.connect() as connection:
        assert connection.scalar(text("SELECT created_at FROM account")) == "2026-07-01 12:30:00.000000"
    assert session.scalars(select(Account.created_at)).one() == datetime(2026, 7, 1, 12, 30, tzinfo=UTC)


def test_connect_again_points_the_session_elsewhere(world: World, tmp_path: Path) -> None:
    world.account()
    engine = extensions.connect(f"sqlite:///{tmp_path / 'other.sqlite'}")
    extensions.Base.metadata.create_all(engine)
    assert session.scalars(select(Account)).all() == []
    engine.dispose()
