"""The records of a dossier. Two lives: the dossier's stage and, once submitted, each snapshot's stage (see lifecycle)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.extensions import Base, now
from app.schemes.models import StoredTemplate

DOSSIER_STAGES = ("draft", "submitted", "in_assessment", "decided", "returned", "withdrawn")
SNAPSHOT_STAGES = ("submitted", "sealed", "handed_over")
EVIDENCE_STAGES = ("received", "checked", "refused")
STATEMENT_STAGES = ("invited", "signed", "declined", "revoked")
STATEMENT_OPEN = "stage IN ('invited', 'signed')"


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that ``column`` holds one of ``values``."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Dossier(Base):
    """One candidate's way through one template version. ``reference`` is what people call it."""

    __tablename__ = "dossier"
    __table_args__ = (one_of("stage", DOSSIER_STAGES), one_of("language", ("nl", "en")))

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    template_sha256: Mapped[str] = mapped_column(ForeignKey("template.sha256"))
    language: Mapped[str] = mapped_column(String(2))
    stage: Mapped[str] = mapped_column(String(20), default="draft", index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    submit_before: Mapped[date]
    submitted_at: Mapped[datetime | None]

    owner: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
    stored_template: Mapped[StoredTemplate] = relationship(lazy="select")


class SectionAnswers(Base):
    """The answers of one section as they stand; ``version`` goes up with every change."""

    __tablename__ = "section_answers"

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    section_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    finished: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(default=now)


class SectionVersion(Base):
    """What the answers of a section were at each version: to compare with when two tabs disagree, and to go back to."""

    __tablename__ = "section_version"

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    section_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime] = mapped_column(default=now)


class Evidence(Base):
    """A file in the dossier's evidence folder. Blobs are named by SHA-256; ``refusal`` and ``notes`` are texts in both languages.

    ``received`` (the check runs or waits) → ``checked`` or ``refused``. ``removed_at``: taken out of the folder by the candidate.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        one_of("stage", EVIDENCE_STAGES),
        CheckConstraint("(stage = 'checked') = (cleaned_sha256 IS NOT NULL)", name="checked_has_copy"),
        CheckConstraint("(stage = 'refused') = (refusal IS NOT NULL)", name="refused_has_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(10), default="received", index=True)
    original_sha256: Mapped[str] = mapped_column(String(64))
    original_size: Mapped[int]
    cleaned_sha256: Mapped[str | None] = mapped_column(String(64))
    cleaned_kind: Mapped[str | None] = mapped_column(String(10))
    pages_sha256: Mapped[str | None] = mapped_column(String(64))
    pages: Mapped[int] = mapped_column(default=0)
    rasterised: Mapped[bool] = mapped_column(default=False)
    signed: Mapped[bool] = mapped_column(default=False)
    signatures: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    notes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    refusal: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    uploaded_at: Mapped[datetime] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]

    dossier: Mapped[Dossier] = relationship()


class Statement(Base):
    """A supervisor's statement: asked by a mailed link, filled, signed by typed name.

    ``token_sha256`` is the mailed link's, ``session_sha256`` that of the working session that "Ga verder" opened.
    ``read_sha256`` is the hash of the sections as they stood when signing: other content makes the statement stale.
    """

    __tablename__ = "statement"
    __table_args__ = (
        one_of("stage", STATEMENT_STAGES),
        one_of("language", ("nl", "en")),
        # a revoked statement keeps what was signed: whoever signed it was this candidate's supervisor
        CheckConstraint("stage = 'revoked' OR (stage = 'signed') = (signed_at IS NOT NULL)", name="signed_has_date"),
        Index(  # one statement at a time is asked for or given; a declined or revoked one may be followed by another
            "ux_statement_open",
            "dossier_id",
            "section_id",
            "question_id",
            unique=True,
            sqlite_where=text(STATEMENT_OPEN),
            postgresql_where=text(STATEMENT_OPEN),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    section_id: Mapped[str] = mapped_column(String(40))
    question_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    stage: Mapped[str] = mapped_column(String(10), default="invited")
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime]
    session_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    session_expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    consent: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    signed_name: Mapped[str | None] = mapped_column(String(120))
    signed_at: Mapped[datetime | None]
    read_sha256: Mapped[str | None] = mapped_column(String(64))
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    declined_reason: Mapped[str | None] = mapped_column(Text)
    invited_at: Mapped[datetime] = mapped_column(default=now)

    dossier: Mapped[Dossier] = relationship()


class StatementEvent(Base):
    """What happened to a statement, for the audit page: sent, opened, read, saved, signed, declined, revoked."""

    __tablename__ = "statement_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(default=now)
    address: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")


class Snapshot(Base):
    """What was submitted: frozen canonical JSON and its SHA-256. ``step``, ``percent`` and ``error`` tell how assembling goes."""

    __tablename__ = "snapshot"
    __table_args__ = (
        UniqueConstraint("dossier_id", "revision"),
        one_of("stage", SNAPSHOT_STAGES),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"))
    revision: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    content: Mapped[str] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(default=now)
    stage: Mapped[str] = mapped_column(String(12), default="submitted", index=True)
    step: Mapped[str] = mapped_column(String(20), default="")
    percent: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]

    dossier: Mapped[Dossier] = relationship()


class DossierEvent(Base):
    """One line of a dossier's timeline, for the people who may see it. ``kind`` is a code that the page puts into words."""

    __tablename__ = "dossier_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(default=now)
