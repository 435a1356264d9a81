"""The records of the register. They are only ever added to: a correction is a new entry that replaces an earlier one."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Connection, ForeignKey, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.dossiers.models import one_of
from app.extensions import Base, now

KINDS = ("certificate", "specialisation")
LEVELS = ("A", "B", "C")


class RegisterEntry(Base):
    """One line of the register, as it was recorded. ``number`` is the person's number in the register.

    ``scope``: the scheme by which the certificate was got, or the plugin of the specialisation. ``valid_until`` is the last
    day on which it counts. ``former_level``: A, B or C on a certificate of before there was one level, as history only; else
    empty. ``replaces_id``: the entry that this one corrects, which no longer counts; ``reason`` says why. ``is_void``: nothing
    comes in its place, it should not have been there. ``recorded_by_id`` is empty for what came from a file.
    """

    __tablename__ = "register_entry"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("former_level", ("", *LEVELS)),
        CheckConstraint("valid_until >= valid_from", name="until_not_before_from"),
        CheckConstraint("replaces_id IS NULL OR reason <> ''", name="correction_has_reason"),
        CheckConstraint("NOT is_void OR replaces_id IS NOT NULL", name="void_replaces"),
        CheckConstraint("replaces_id <> id", name="replaces_another"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    number: Mapped[str] = mapped_column(String(20), index=True)
    kind: Mapped[str] = mapped_column(String(14))
    scope: Mapped[str] = mapped_column(String(40))
    valid_from: Mapped[date]
    valid_until: Mapped[date] = mapped_column(index=True)
    former_level: Mapped[str] = mapped_column(String(1), default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("register_entry.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    is_void: Mapped[bool] = mapped_column(default=False)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    recorded_at: Mapped[datetime] = mapped_column(default=now)

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    recorded_by: Mapped[Account | None] = relationship(foreign_keys=[recorded_by_id])


# The database refuses changes too, whatever program asks. The migration makes the same triggers.
SQLITE_TRIGGERS = """
CREATE TRIGGER register_entry_no_update BEFORE UPDATE ON register_entry
BEGIN SELECT RAISE(ABORT, 'register_entry is append-only'); END
--
CREATE TRIGGER register_entry_no_delete BEFORE DELETE ON register_entry
BEGIN SELECT RAISE(ABORT, 'register_entry is append-only'); END
--
CREATE TRIGGER register_entry_no_replace BEFORE INSERT ON register_entry
WHEN EXISTS (SELECT 1 FROM register_entry WHERE id = NEW.id OR replaces_id = NEW.replaces_id)
BEGIN SELECT RAISE(ABORT, 'register_entry is append-only'); END
"""
POSTGRESQL_TRIGGER = """
CREATE OR REPLACE FUNCTION register_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'register_entry is append-only'; END $$
--
CREATE TRIGGER register_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON register_entry
FOR EACH STATEMENT EXECUTE FUNCTION register_entry_append_only()
"""


@event.listens_for(RegisterEntry.__table__, "after_create")
def _refuse_changes(_table: object, connection: Connection, **_options: object) -> None:
    statements = SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else POSTGRESQL_TRIGGER
    for statement in statements.split("--"):
        connection.exec_driver_sql(statement.strip())
