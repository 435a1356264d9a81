"""Append-only record of who did what and who looked at what: ids only, no personal data, each row bound to the one before.

``write`` belongs in the transaction of the deed; a view or download writes in a transaction of its own, so that it
stays when the page fails afterwards.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, String, event, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, now, session

FIRST = "0" * 64


class AuditEntry(Base):
    """One deed. ``actor`` is "account:7", "statement:3", "system" …; ``thing`` is "dossier:12", "evidence:4" …"""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(40), index=True)
    action: Mapped[str] = mapped_column(String(60), index=True)
    thing: Mapped[str] = mapped_column(String(60), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)

    def digest(self) -> str:
        """SHA-256 over the row's content and the row before it."""
        content = [self.at.isoformat(), self.actor, self.action, self.thing, self.details, self.previous_sha256]
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


# The database refuses changes too, whatever program asks. Who may take a trigger away can still change a row; then the chain
# shows it. The migration makes the same triggers.
SQLITE_TRIGGERS = """
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END
--
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END
--
CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry
WHEN EXISTS (SELECT 1 FROM audit_entry
  WHERE id = NEW.id OR sha256 = NEW.sha256 OR previous_sha256 = NEW.previous_sha256)
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END
"""
POSTGRESQL_TRIGGER = """
CREATE OR REPLACE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit_entry is append-only'; END $$
--
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()
"""


@event.listens_for(AuditEntry.__table__, "after_create")
def _refuse_changes(_table: object, connection: Connection, **_options: object) -> None:
    statements = SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else POSTGRESQL_TRIGGER
    for statement in statements.split("--"):
        connection.exec_driver_sql(statement.strip())


def write(action: str, *, actor: object, thing: object, **details: int | str | None) -> AuditEntry:
    """Adds one row in the caller's transaction. ``actor`` and ``thing`` are records (or "system"); details are ids or codes."""
    session.flush()  # gives new records their id, and earlier entries of this transaction their place
    previous = session.scalar(select(AuditEntry.sha256).order_by(AuditEntry.id.desc()).limit(1))
    entry = AuditEntry(
        at=now(),
        actor=name_of(actor),
        action=action,
        thing=name_of(thing),
        details=details,
        previous_sha256=previous or FIRST,
    )
    entry.sha256 = entry.digest()
    session.add(entry)
    session.flush()
    return entry


def was_done(action: str, *, actor: object, thing: object) -> bool:
    """Whether this was done to ``thing``, the last time by ``actor``."""
    newest = select(AuditEntry.actor).where(AuditEntry.action == action, AuditEntry.thing == name_of(thing))
    return session.scalar(newest.order_by(AuditEntry.id.desc()).limit(1)) == name_of(actor)


def verify() -> int | None:
    """The id of the first entry that was changed, or that does not follow on the one before it; ``None`` when all is well.

    What was cut off at the end leaves no trace here: compare the last entry's hash with one that was kept elsewhere.
    """
    previous = FIRST
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=500)):
        if entry.previous_sha256 != previous or entry.sha256 != entry.digest():
            return entry.id
        previous = entry.sha256
    return None


def head() -> tuple[int, str]:
    """How many entries there are and the hash of the last one: to be kept outside the database."""
    last = session.scalar(select(AuditEntry.sha256).order_by(AuditEntry.id.desc()).limit(1))
    return session.scalar(select(func.count(AuditEntry.id))) or 0, last or FIRST


def name_of(record: object) -> str:
    """ "dossier:12" for a record, the text itself for a text such as "system"."""
    if isinstance(record, str):
        return record
    return f"{type(record).__name__.lower()}:{getattr(record, 'id', '')}"
