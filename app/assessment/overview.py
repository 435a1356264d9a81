"""All dossiers as the office sees them: a row each, with how it stands, since when and what it waits for. Reads only.

``state`` is finer than the dossier's stage: it also looks at the newest snapshot, its admission, the assessors and what they
signed. One query gives the rows, however many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, or_, select
from sqlalchemy.orm import aliased

from app import names
from app.accounts.models import Account
from app.assessment.models import Admission, Assessment, Assignment, Fee, SignOff
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Snapshot
from app.dossiers.submission import ZONE, today
from app.errors import Text
from app.extensions import session
from app.schemes import models as stored_templates
from app.schemes.models import StoredTemplate

# In the order in which a dossier meets them.
STATES = (
    "draft",
    "returned",
    "assembling",
    "stuck",
    "to_admit",
    "to_assign",
    "judging",
    "judged",
    "decided",
    "withdrawn",
)
IN_HAND = ("assembling", "stuck", "to_admit", "to_assign", "judging", "judged")
ORDERS = ("waiting", "newest", "reference", "candidate", "deadline")


@dataclass(frozen=True)
class Row:
    """One dossier. ``since``: from when it is in this state; ``assessors`` of the ``needed`` ones are on it now."""

    id: int
    reference: str
    owner_id: int
    candidate: str
    template_sha256: str
    scheme: str
    version: str
    stage: str
    state: str
    since: datetime
    submit_before: date
    submitted_at: datetime | None
    assessment_id: int | None
    assessors: int
    needed: int
    fee: str | None

    @property
    def title(self) -> Text:
        """What its scheme is called."""
        return stored_templates.get(self.template_sha256).full_title

    @property
    def age(self) -> int:
        return days_since(self.since)

    @property
    def days_left(self) -> int | None:
        """Days until it must be submitted, negative when it is late; ``None`` when it need not be submitted (any more)."""
        return (self.submit_before - today()).days if self.stage in OPEN_STAGES else None


@dataclass(frozen=True)
class Filter:
    """Which dossiers, in which order; what is empty does not narrow. ``state`` may be "in_hand" or "unfinished" too."""

    state: str = ""
    scheme: str = ""
    text: str = ""
    overdue: bool = False
    order: str = "waiting"


def days_since(moment: datetime) -> int:
    """Calendar days in Amsterdam from a moment until today."""
    return (today() - moment.astimezone(ZONE).date()).days


def dossiers(wanted: Filter, *, limit: int | None = None, offset: int = 0) -> list[Row]:
    """The dossiers that the filter leaves, in its order."""
    rows = _rows()
    query = _narrowed(select(rows), rows, wanted).order_by(*_order(rows, wanted.order)).limit(limit).offset(offset)
    return [Row(**row._mapping) for row in session.execute(query)]


def count(wanted: Filter) -> int:
    rows = _rows()
    return session.scalar(_narrowed(select(func.count()).select_from(rows), rows, wanted)) or 0


def states() -> dict[str, int]:
    """How many dossiers are in each state."""
    rows = _rows()
    found = session.execute(select(rows.c.state, func.count()).group_by(rows.c.state))
    numbers = {row.state: row[1] for row in found}
    return {state: numbers.get(state, 0) for state in STATES}


def versions() -> dict[tuple[str, str], tuple[int, int]]:
    """Scheme and version → how many of its dossiers are not finished, and how many there are in all."""
    unfinished = case((Dossier.stage.in_(("decided", "withdrawn")), 0), else_=1)
    found = session.execute(
        select(StoredTemplate.scheme, StoredTemplate.version, func.sum(unfinished), func.count())
        .join(Dossier, Dossier.template_sha256 == StoredTemplate.sha256)
        .group_by(StoredTemplate.scheme, StoredTemplate.version)
    )
    return {(scheme, version): (open_, every) for scheme, version, open_, every in found}


def schemes() -> dict[str, Text]:
    """The schemes of which there are dossiers: id → title of the newest template."""
    found = session.execute(
        select(StoredTemplate.scheme, StoredTemplate.sha256)
        .where(StoredTemplate.sha256.in_(select(Dossier.template_sha256)))
        .order_by(StoredTemplate.created_at)
    )
    return {scheme: stored_templates.get(sha256).title for scheme, sha256 in found}


# --- the query -----------------------------------------------------------------------------------------------------


def _rows() -> Subquery:
    other = aliased(Snapshot)
    newest = select(func.max(other.revision)).where(other.dossier_id == Dossier.id).correlate(Dossier).scalar_subquery()
    on_it = _count_of(Assignment.id, Assignment.ended_at.is_(None))
    signed = _count_of(
        Assignment.id,
        Assignment.ended_at.is_(None),
        select(SignOff.id).where(SignOff.assignment_id == Assignment.id).correlate(Assignment).exists(),
    )
    needed = _needed()
    return (
        select(
            Dossier.id,
            Dossier.reference,
            Dossier.owner_id,
            Account.name.label("candidate"),
            Dossier.template_sha256,
            StoredTemplate.scheme,
            StoredTemplate.version,
            Dossier.stage,
            _state(on_it, signed, needed).label("state"),
            _since().label("since"),
            Dossier.submit_before,
            Dossier.submitted_at,
            Assessment.id.label("assessment_id"),
            on_it.label("assessors"),
            needed.label("needed"),
            Fee.state.label("fee"),
        )
        .join(Account, Account.id == Dossier.owner_id)
        .join(StoredTemplate, StoredTemplate.sha256 == Dossier.template_sha256)
        .outerjoin(Snapshot, and_(Snapshot.dossier_id == Dossier.id, Snapshot.revision == newest))
        .outerjoin(Admission, Admission.snapshot_id == Snapshot.id)
        .outerjoin(Assessment, Assessment.dossier_id == Dossier.id)
        .outerjoin(Fee, Fee.dossier_id == Dossier.id)
        .subquery()
    )


def _count_of(column: Any, *wanted: ColumnElement[bool]) -> ColumnElement[int]:
    return (
        select(func.count(column))
        .where(Assignment.assessment_id == Assessment.id, *wanted)
        .correlate(Assessment)
        .scalar_subquery()
    )


def _needed() -> ColumnElement[int]:
    """How many assessors each dossier's template asks; the templates in use are few, and remembered."""
    used = session.scalars(select(Dossier.template_sha256).distinct()).all()
    numbers = {sha256: stored_templates.get(sha256).assessors for sha256 in used}
    return case(numbers, value=Dossier.template_sha256, else_=2) if numbers else literal(2)


def _state(on_it: ColumnElement[int], signed: ColumnElement[int], needed: ColumnElement[int]) -> ColumnElement[str]:
    admitted = or_(Dossier.stage == "in_assessment", Admission.outcome == "admitted")
    return case(
        (Dossier.stage.in_(("draft", "returned", "decided", "withdrawn")), Dossier.stage),
        (and_(admitted, on_it < needed), "to_assign"),
        (and_(admitted, signed >= needed), "judged"),
        (admitted, "judging"),
        (Snapshot.stage == "handed_over", "to_admit"),
        (Snapshot.error.is_not(None), "stuck"),
        else_="assembling",
    )


def _since() -> ColumnElement[datetime]:
    return case(
        (Dossier.stage == "draft", Dossier.created_at),
        (Dossier.stage == "withdrawn", func.coalesce(Dossier.withdrawn_at, Dossier.created_at)),
        else_=func.coalesce(Admission.at, Snapshot.submitted_at, Dossier.submitted_at, Dossier.created_at),
    )


def _narrowed(query: Select[Any], rows: Subquery, wanted: Filter) -> Select[Any]:
    if wanted.state == "in_hand":
        query = query.where(rows.c.state.in_(IN_HAND))
    elif wanted.state == "unfinished":
        query = query.where(rows.c.state.not_in(("decided", "withdrawn")))
    elif wanted.state:
        query = query.where(rows.c.state == wanted.state)
    if wanted.scheme:
        query = query.where(rows.c.scheme == wanted.scheme)
    if wanted.overdue:
        query = query.where(rows.c.stage.in_(OPEN_STAGES), rows.c.submit_before < today())
    if wanted.text:
        query = query.where(
            or_(rows.c.reference.icontains(wanted.text, autoescape=True), names.has(rows.c.candidate, wanted.text))
        )
    return query


def _order(rows: Subquery, order: str) -> Sequence[ColumnElement[Any]]:
    still_open = case((rows.c.stage.in_(OPEN_STAGES), 0), else_=1)  # a deadline that was met interests nobody
    first: dict[str, tuple[ColumnElement[Any], ...]] = {
        "newest": (rows.c.since.desc(),),
        "reference": (rows.c.reference,),
        "candidate": (names.by(rows.c.candidate),),
        "deadline": (still_open, rows.c.submit_before),
    }
    return (*first.get(order, (rows.c.since,)), rows.c.id)
