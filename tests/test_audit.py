"""The record of who did what: a chain in which every change shows, and which many writers extend together."""

from collections.abc import Callable

import pytest
from databases import only_sqlite
from small_world import World
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from tampering import unlock
from together import together

from app import audit
from app.audit import FIRST, AuditEntry
from app.extensions import session, transaction


def write(number: int) -> list[int]:
    ids = []
    for one in range(number):
        with transaction():
            ids.append(audit.write("dossier.opened", actor="account:7", thing=f"dossier:{one}", page=one).id)
    return ids


def test_write_keeps_ids_only_and_binds_to_the_entry_before(world: World) -> None:
    dossier = world.dossier()
    with transaction():
        unlock(session.connection())
        session.execute(delete(AuditEntry))
    with transaction():
        audit.write("dossier.read", actor=dossier.owner, thing=dossier)
        audit.write("dossier.exported", actor="system", thing=dossier, revision=2)
    first, second = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert (first.actor, first.action, first.thing, first.details) == ("account:1", "dossier.read", "dossier:1", {})
    assert (second.actor, second.action, second.thing, second.details) == (
        "system",
        "dossier.exported",
        "dossier:1",
        {"revision": 2},
    )
    assert (first.previous_sha256, second.previous_sha256) == (FIRST, first.sha256)


def test_write_names_a_record_that_is_new_in_this_transaction(world: World) -> None:
    dossier = world.dossier()
    thing = session.scalars(select(AuditEntry.thing).where(AuditEntry.action == "dossier.started")).one()
    assert thing == f"dossier:{dossier.id}"


def test_entry_disappears_with_the_deed_that_failed(world: World) -> None:
    def deed() -> None:
        audit.write("dossier.read", actor="system", thing="dossier:1")
        raise RuntimeError

    with pytest.raises(RuntimeError), transaction():
        deed()
    assert audit.head() == (0, FIRST)


def test_verify_finds_nothing_wrong_in_an_untouched_chain(world: World) -> None:
    assert audit.verify() is None
    write(5)
    assert audit.verify() is None
    assert audit.head() == (5, session.scalars(select(AuditEntry.sha256).order_by(AuditEntry.id.desc()).limit(1)).one())


EDITS = {
    "actor": "UPDATE audit_entry SET actor = 'account:8' WHERE id = 3",
    "action": "UPDATE audit_entry SET action = 'nothing' WHERE id = 3",
    "thing": "UPDATE audit_entry SET thing = 'dossier:9' WHERE id = 3",
    "details": "UPDATE audit_entry SET details = '{\"page\": 9}' WHERE id = 3",
    "time": "UPDATE audit_entry SET at = '2020-01-01 00:00:00.000000' WHERE id = 3",
    "hash": "UPDATE audit_entry SET sha256 = 'aaaa' WHERE id = 3",
    "previous": "UPDATE audit_entry SET previous_sha256 = 'aaaa' WHERE id = 3",
    "swap": "UPDATE audit_entry SET id = CASE id WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE id IN (3, 4)",
}


@pytest.mark.parametrize("edit", EDITS)
def test_r29_verify_names_the_entry_that_was_edited(world: World, edit: str) -> None:
    write(6)
    with transaction():
        unlock(session.connection())
        session.execute(text(EDITS[edit]))
        session.execute(text("UPDATE audit_entry SET id = -id WHERE id < 0"))
    assert audit.verify() == 3


@pytest.mark.parametrize(("gone", "broken"), [(1, 2), (3, 4), (5, 6)])
def test_r29_verify_names_the_entry_after_one_that_was_deleted(world: World, gone: int, broken: int) -> None:
    write(6)
    with transaction():
        unlock(session.connection())
        session.execute(delete(AuditEntry).where(AuditEntry.id == gone))
    assert audit.verify() == broken


def test_r29_verify_names_an_edit_that_was_given_a_fitting_hash(world: World) -> None:
    write(4)
    with transaction():
        unlock(session.connection())
        entry = session.get_one(AuditEntry, 2)
        entry.actor = "account:8"
        entry.sha256 = entry.digest()
    assert audit.verify() == 3


def test_r29_head_shows_what_was_cut_off_at_the_end(world: World) -> None:
    write(4)
    before = audit.head()
    with transaction():
        unlock(session.connection())
        session.execute(delete(AuditEntry).where(AuditEntry.id > 2))
    assert audit.verify() is None
    assert audit.head() != before


def test_r38_order_is_that_of_the_chain_also_when_the_clock_goes_back(world: World) -> None:
    write(2)
    with transaction():
        unlock(session.connection())
        session.execute(update(AuditEntry).values(at=AuditEntry.at))  # nothing changed
    assert audit.verify() is None
    write(1)
    ids = session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).all()
    assert list(ids) == [1, 2, 3]


REPLACE = (
    "INSERT OR REPLACE INTO audit_entry SELECT id, at, 'x', action, thing, details, previous_sha256, sha256 FROM audit_entry"
)


@pytest.mark.parametrize(
    "change",
    [*EDITS.values(), "DELETE FROM audit_entry WHERE id = 2", "DELETE FROM audit_entry",
     pytest.param(REPLACE, marks=only_sqlite)],
)  # fmt: skip
def test_r29_database_itself_refuses_to_change_or_delete_an_entry(world: World, change: str) -> None:
    write(6)
    before = audit.head()
    with pytest.raises(DBAPIError, match="append-only"), transaction():
        session.execute(text(change))
    assert (audit.verify(), audit.head()) == (None, before)


def test_concurrent_writers_keep_one_chain(world: World) -> None:
    together(*[lambda: write(8)] * 4)
    assert audit.verify() is None
    assert audit.head()[0] == 32


def test_database_itself_refuses_a_fork_of_the_chain(world: World) -> None:
    write(2)
    with pytest.raises(IntegrityError), transaction():
        session.add(
            AuditEntry(
                at=session.get_one(AuditEntry, 1).at, actor="system", action="x", thing="y", details={},
                previous_sha256=FIRST, sha256="b" * 64,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("record", "name"),
    [("system", "system"), (AuditEntry(id=3), "auditentry:3"), (AuditEntry(), "auditentry:None")],
)
def test_name_of_a_record_and_of_a_text(record: object, name: str) -> None:
    assert audit.name_of(record) == name


def test_cli_audit_verify_says_how_it_stands(make_app: Callable[..., object]) -> None:
    app = make_app()
    run = app.test_cli_runner()  # type: ignore[attr-defined]
    with app.app_context():  # type: ignore[attr-defined]
        write(3)
        head = audit.head()[1]
    whole = run.invoke(args=["audit", "verify"])
    assert (whole.exit_code, whole.output) == (0, f"3 entries, all in order. The last one is {head}.\n")
    with app.app_context():  # type: ignore[attr-defined]
        with transaction():
            unlock(session.connection())
            session.execute(delete(AuditEntry).where(AuditEntry.id == 2))
        session.remove()
    broken = run.invoke(args=["audit", "verify"])
    assert (broken.exit_code, broken.output) == (
        1,
        "Error: The record was changed: entry 3 does not fit the one before it, or its own hash.\n",
    )
