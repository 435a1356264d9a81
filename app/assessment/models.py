"""The records of judging: admission by the office, one assessment a dossier, its bundles, who is assigned, what they find."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.documents.models import Bundle
from app.dossiers.models import Dossier, Snapshot, one_of
from app.extensions import Base, now

OPEN = "ended_at IS NULL"
ADMISSION_OUTCOMES = ("admitted", "returned")
CHECK_STATES = ("met", "not_met", "open")
FEE_STATES = ("invoiced", "paid", "waived")


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
    """An assessor on an assessment, from ``assigned_at`` until ``ended_at``.

    ``declared_at``: he declared having no conflict of interest, which opens the first page. ``conflict_reason``: he has one.
    """

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
    declared_at: Mapped[datetime | None]
    conflict_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    ended_at: Mapped[datetime | None]

    assessment: Mapped[Assessment] = relationship(lazy="joined", innerjoin=True)
    assessor: Mapped[Account] = relationship(foreign_keys=[assessor_id], lazy="joined", innerjoin=True)


class RequirementCheck(Base):
    """The office's judgement of one entry requirement of one snapshot."""

    __tablename__ = "requirement_check"
    __table_args__ = (one_of("state", CHECK_STATES),)

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    requirement_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="open")
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(default=now)

    by: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class Admission(Base):
    """What the office decided about one snapshot: admitted to assessment, or returned to the candidate with findings.

    ``findings``: [{"requirement": id or "", "section": id or "", "text": what the candidate must do}].
    """

    __tablename__ = "admission"
    __table_args__ = (one_of("outcome", ADMISSION_OUTCOMES),)

    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), unique=True)
    outcome: Mapped[str] = mapped_column(String(10))
    findings: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(default=now)

    snapshot: Mapped[Snapshot] = relationship()
    by: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class Fee(Base):
    """What the office recorded about the fee of a dossier; money itself goes elsewhere. ``version`` guards against two tabs."""

    __tablename__ = "fee"
    __table_args__ = (one_of("state", FEE_STATES), CheckConstraint("amount_cents >= 0", name="amount_range"))

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    amount_cents: Mapped[int | None]
    invoice: Mapped[str] = mapped_column(String(60), default="")
    on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(default=now)

    by: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class AreaDraft(Base):
    """One assessor's unfinished judgement of one area; ``area_id`` "" is that of the whole (summary and advice).

    ``data`` of an area: {"scores": {criterion: {"value": 3, "rationale": "…", "pages": [12]}}, "notes": "…", "rationale": "…",
    "sufficient": true or null}; of the whole: {"summary": "…", "advice": "", "notes": "…"}. Notes are the assessor's alone.
    """

    __tablename__ = "area_draft"

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), primary_key=True)
    area_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    saved_at: Mapped[datetime] = mapped_column(default=now)


class AreaDraftVersion(Base):
    """What a draft was at each version: to compare with when two tabs disagree, and to go back to."""

    __tablename__ = "area_draft_version"

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), primary_key=True)
    area_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime] = mapped_column(default=now)


class Verdict(Base):
    """One assessor's judgement of one area, about one snapshot. ``round`` goes up when a later revision is judged anew."""

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("assessment_id", "assessor_id", "area_id", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id"))
    assessor_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"))
    area_id: Mapped[str] = mapped_column(String(40))
    round: Mapped[int] = mapped_column(default=1)
    sufficient: Mapped[bool]
    rationale: Mapped[str] = mapped_column(Text, default="")
    given_at: Mapped[datetime] = mapped_column(default=now)


class Score(Base):
    """One assessor, one criterion: the level given, why, and the pages of the PDF that show it."""

    __tablename__ = "score"

    verdict_id: Mapped[int] = mapped_column(ForeignKey("verdict.id"), primary_key=True)
    criterion_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]
    rationale: Mapped[str] = mapped_column(Text, default="")
    pages: Mapped[list[int]] = mapped_column(JSON, default=list)

    verdict: Mapped[Verdict] = relationship()


class SignOff(Base):
    """An assessor's signature under all his verdicts of one round: from then on they no longer change.

    ``content_sha256`` is over the verdicts, scores and summary in canonical JSON; the verdicts name their snapshot.
    """

    __tablename__ = "sign_off"
    __table_args__ = (UniqueConstraint("assessment_id", "assessor_id", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id"))
    assessor_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    round: Mapped[int] = mapped_column(default=1)
    sufficient: Mapped[bool]
    summary: Mapped[str] = mapped_column(Text)
    signed_name: Mapped[str] = mapped_column(String(120))
    signed_at: Mapped[datetime] = mapped_column(default=now)
    content_sha256: Mapped[str] = mapped_column(String(64))
