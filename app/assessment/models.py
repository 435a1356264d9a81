"""The records of judging: one assessment a dossier, the bundles handed over to it, and who is assigned."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.documents.models import Bundle
from app.dossiers.models import Dossier
from app.extensions import Base, now

OPEN = "ended_at IS NULL"


class Assessment(Base):
    """The judging of one dossier. Made by the first bundle; the bundles of later revisions attach to it."""

    __tablename__ = "assessment"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    dossier: Mapped[Dossier] = relationship(lazy="joined", innerjoin=True)


class HandOver(Base):
    """A bundle in the queue, once: the snapshot's SHA-256 is the key (sealing twice gives other bytes)."""

    __tablename__ = "hand_over"

    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id"), index=True)
    bundle_id: Mapped[int] = mapped_column(ForeignKey("bundle.id"), unique=True)
    snapshot_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime] = mapped_column(default=now)

    assessment: Mapped[Assessment] = relationship(lazy="joined", innerjoin=True)
    bundle: Mapped[Bundle] = relationship(lazy="joined", innerjoin=True)


class Assignment(Base):
    """An assessor on an assessment, from ``assigned_at`` until ``ended_at``."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index(
            "ux_assignment_open",
            "assessment_id",
            "assessor_id",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id"), index=True)
    assessor_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    assigned_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    assigned_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]

    assessment: Mapped[Assessment] = relationship(lazy="joined", innerjoin=True)
    assessor: Mapped[Account] = relationship(foreign_keys=[assessor_id], lazy="joined", innerjoin=True)
