"""What asks for a deed of the office now, most urgent first. Reads only, in a constant number of queries."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import or_, select

from app import plugin_faults
from app.accounts.models import Account
from app.assessment import overview, stuck
from app.assessment.models import Admission, Assessment, Assignment
from app.assessment.overview import IN_HAND, Filter, Row, days_since
from app.dossiers.models import Snapshot
from app.dossiers.submission import ZONE, today
from app.extensions import now, session
from app.plugin_loader import Plugin

DECLARED_WITHIN = 5  # days in which an assessor is expected to say whether he has a conflict of interest
RETURNED_WITHIN = 21  # days in which a candidate is expected to hand in again
DEADLINE_SOON = 14
MONTHS = 6
# Most urgent first: what harms others while it waits, then what waits for the office, then what is only late elsewhere.
KINDS = (
    "stuck",
    "plugin",
    "conflict",
    "disabled_assessor",
    "to_admit",
    "to_assign",
    "undeclared",
    "overdue",
    "deadline",
    "returned",
)


@dataclass(frozen=True)
class Item:
    """One thing to do. ``row`` is the dossier concerned, if any; ``who`` the assessor; ``days`` how long it waits already,
    or, for a deadline, how long it has still to go.
    """

    kind: str
    days: int
    row: Row | None = None
    who: str = ""
    number: int = 0


@dataclass(frozen=True)
class Figures:
    """``median_days``: since submitting, of the dossiers in hand. The oldest of those that wait, in days."""

    in_hand: int
    median_days: int | None
    to_admit: int
    oldest_to_admit: int | None
    to_assign: int
    oldest_to_assign: int | None
    stuck: int


def items(rows: Sequence[Row], plugins: Sequence[Plugin] = ()) -> list[Item]:
    """Everything that asks for attention among these dossiers (as ``rows`` gives them), in assignments and plugins."""
    found = [*_stuck(), *_plugins(plugins), *_assignments(rows), *_dossiers(rows)]
    taken = {one.row.id for one in found if one.row and one.kind == "conflict"}  # its next assessor is asked there already
    found = [one for one in found if not (one.kind == "to_assign" and one.row and one.row.id in taken)]
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.days if one.kind == "deadline" else -one.days))


def rows() -> list[Row]:
    """The dossiers that are not finished: in hand, with the candidate, or a draft."""
    return overview.dossiers(Filter(state="unfinished"))


def figures(rows: Sequence[Row]) -> Figures:
    in_hand = [row for row in rows if row.state in IN_HAND]
    ages = [days_since(row.submitted_at) for row in in_hand if row.submitted_at]
    waiting = {state: [row.age for row in rows if row.state == state] for state in ("to_admit", "to_assign")}
    return Figures(
        in_hand=len(in_hand),
        median_days=round(median(ages)) if ages else None,
        to_admit=len(waiting["to_admit"]),
        oldest_to_admit=max(waiting["to_admit"], default=None),
        to_assign=len(waiting["to_assign"]),
        oldest_to_assign=max(waiting["to_assign"], default=None),
        stuck=stuck.number(),
    )


def months() -> list[tuple[date, int, int]]:
    """For this month and the ones before it: first day, how many dossiers were submitted (for the first time) and admitted."""
    first = today().replace(day=1)
    days = [first]
    while len(days) < MONTHS:
        days.append((days[-1] - timedelta(days=1)).replace(day=1))
    since = datetime.combine(days[-1], datetime.min.time(), ZONE)
    submitted = session.scalars(select(Snapshot.submitted_at).where(Snapshot.revision == 1, Snapshot.submitted_at >= since))
    admitted = session.scalars(select(Admission.at).where(Admission.outcome == "admitted", Admission.at >= since))
    numbers = [Counter(moment.astimezone(ZONE).date().replace(day=1) for moment in found) for found in (submitted, admitted)]
    return [(day, numbers[0][day], numbers[1][day]) for day in reversed(days)]


# --- what to do ----------------------------------------------------------------------------------------------------


def _stuck() -> Iterator[Item]:
    number = stuck.number()
    if number:
        yield Item("stuck", 0, number=number)


def _plugins(plugins: Sequence[Plugin]) -> Iterator[Item]:
    faults = plugin_faults.known(plugins) if plugins else ()
    broken = {plugin.id for plugin in plugins if not plugin.enabled} | {fault.plugin for fault in faults}
    if broken:
        yield Item("plugin", max((days_since(fault.first_at) for fault in faults), default=0), number=len(broken))


def _dossiers(rows: Sequence[Row]) -> Iterator[Item]:
    for row in rows:
        left = row.days_left
        if row.state in ("to_admit", "to_assign"):
            yield Item(row.state, row.age, row)
        elif left is not None and left < 0:
            yield Item("overdue", -left, row)
        elif left is not None and left <= DEADLINE_SOON:
            yield Item("deadline", left, row)
        elif row.state == "returned" and row.age >= RETURNED_WITHIN:
            yield Item("returned", row.age, row)


def _assignments(rows: Sequence[Row]) -> Iterator[Item]:
    """Assessors who cannot judge, or did not say yet whether they can."""
    of_assessment = {row.assessment_id: row for row in rows if row.state in ("to_assign", "judging")}
    found = session.execute(
        select(Assignment, Account)
        .join(Assessment, Assessment.id == Assignment.assessment_id)
        .join(Account, Account.id == Assignment.assessor_id)
        .where(or_(Assignment.ended_at.is_(None), Assignment.conflict_reason != ""))
        .order_by(Assignment.id)
    ).unique()
    late = now() - timedelta(days=DECLARED_WITHIN)
    for assignment, assessor in found:
        row = of_assessment.get(assignment.assessment_id)
        if row is None:
            continue
        if assignment.conflict_reason:
            if assignment.ended_at is None or row.state == "to_assign":
                yield Item("conflict", days_since(assignment.ended_at or assignment.assigned_at), row, assessor.name)
        elif assessor.disabled_at is not None:
            yield Item("disabled_assessor", days_since(assessor.disabled_at), row, assessor.name)
        elif assignment.declared_at is None and assignment.assigned_at < late:
            yield Item("undeclared", days_since(assignment.assigned_at), row, assessor.name)
