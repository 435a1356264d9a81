"""What assembling a snapshot produced: the products of each step, the bundle, and where it was delivered."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.dossiers.models import Snapshot
from app.extensions import Base, now


class Product(Base):
    """A blob that a step made, kept so that an interrupted assembly goes on where it was. Times and memory are of its step."""

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("snapshot_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"))
    step: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    seconds: Mapped[float]
    peak_mib: Mapped[float]
    made_at: Mapped[datetime] = mapped_column(default=now)


class Bundle(Base):
    """The sealed whole of one snapshot. ``seal_sha256`` is the fingerprint of the certificate that sealed it."""

    __tablename__ = "bundle"

    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), unique=True)
    zip_sha256: Mapped[str] = mapped_column(String(64))
    zip_size: Mapped[int]
    pdf_sha256: Mapped[str] = mapped_column(String(64))
    docx_sha256: Mapped[str] = mapped_column(String(64))
    pages: Mapped[int]
    seal_sha256: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(default=now)

    snapshot: Mapped[Snapshot] = relationship(lazy="joined", innerjoin=True)


class Delivery(Base):
    """A receipt of another body's queue, once for each plugin that delivers."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("snapshot_id", "plugin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"))
    plugin: Mapped[str] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(500), default="")
    delivered_at: Mapped[datetime] = mapped_column(default=now)
