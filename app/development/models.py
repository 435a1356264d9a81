"""The records of a development log. They belong to a person, not to a dossier: nobody else sees them."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.dossiers.models import CheckedFile, Dossier
from app.extensions import Base, now


class LogPeriod(Base):
    """Since when somebody's log counts, as he says himself while the register does not tell."""

    __tablename__ = "log_period"

    owner_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    since: Mapped[date]


class LogEntry(Base):
    """One thing that somebody did. ``kind`` is the id of a ``LogKind`` and ``option`` how it is divided ("" when it is not).

    ``date`` is the (last) day, ``hours`` a number as typed, ``key`` the form that it came from: sent twice, it is here once.
    """

    __tablename__ = "log_entry"
    __table_args__ = (UniqueConstraint("owner_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    key: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
    option: Mapped[str] = mapped_column(String(40))
    date: Mapped[date]
    title: Mapped[str] = mapped_column(String(200))
    hours: Mapped[str] = mapped_column(String(30))
    provider: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]

    owner: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class LogFile(CheckedFile, Base):
    """A file of evidence with an entry. ``entry_id`` is None while the form that it was sent with is not saved."""

    __tablename__ = "log_file"

    owner_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("log_entry.id"), index=True)

    owner: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
    entry: Mapped[LogEntry | None] = relationship()


class TakenOver(Base):
    """An entry that was taken over into a dossier: once for each dossier, whatever happens to the row there."""

    __tablename__ = "log_taken_over"
    __table_args__ = (Index("ix_log_taken_over_dossier_id", "dossier_id"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("log_entry.id"), primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)

    dossier: Mapped[Dossier] = relationship(lazy="joined", innerjoin=True)
