"""What the entries of a log count for, by the rules of the scheme that a dossier is checked with. Pure.

Entries are weighed as rows of the table that their kind leads to: ``question_types.totals`` and ``caps`` say the same of a log
as of a dossier that holds the same rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.development.entries import Rules, as_row, row_id
from app.development.models import LogEntry
from app.errors import Text
from app.schemes import question_types
from app.schemes.model import LogKind
from app.schemes.question_types import Cap, Total


@dataclass(frozen=True)
class Period:
    """The days that count; ``None`` for an end that is not known. ``certain``: the register says so."""

    first: date | None = None
    last: date | None = None
    certain: bool = False

    def holds(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Capped:
    """A kind of which a part does not count: ``entered`` of which at most ``max``."""

    label: Text
    entered: Decimal
    max: Decimal
    unit: Text | None


@dataclass(frozen=True)
class Tally:
    """What the entries of one kind make together. ``counted``: the entries that count; ``outside``: those outside the period;
    ``doubles``: those that are the same as one before them.

    ``least`` and ``most``: how many rows the dossier's table asks and takes.
    """

    kind: LogKind
    counted: tuple[LogEntry, ...]
    outside: tuple[LogEntry, ...]
    doubles: tuple[LogEntry, ...]
    totals: tuple[Total, ...]
    capped: tuple[Capped, ...]
    least: int | None
    most: int | None

    @property
    def measured(self) -> Total | None:
        """The total that the dossier asks a minimum of, if any."""
        return next((one for one in self.totals if one.min is not None), None)

    @property
    def have(self) -> Decimal:
        """How much counts: points or hours where those have a minimum, else entries."""
        return self.measured.counted if self.measured else Decimal(len(self.counted))

    @property
    def needed(self) -> Decimal | None:
        """How much the dossier asks."""
        return self.measured.min if self.measured else None if self.least is None else Decimal(self.least)

    @property
    def short(self) -> Decimal:
        """How much is still needed; 0 when it is enough."""
        return max((self.needed or Decimal(0)) - self.have, Decimal(0))


def hours(typed: str) -> Decimal:
    """The number of hours of an entry."""
    return question_types.as_number(typed) or Decimal(0)


def tallies(entries: Sequence[LogEntry], rules: Rules, period: Period) -> list[Tally]:
    """One for each kind of the rules, in their order."""
    return [_tally(kind, [one for one in entries if one.kind == kind.id], rules, period) for kind in rules.kinds]


def _tally(kind: LogKind, entries: Sequence[LogEntry], rules: Rules, period: Period) -> Tally:
    settings = rules.table(kind).settings
    inside = [one for one in sorted(entries, key=lambda one: (one.date, one.id)) if period.holds(one.date)]  # as taken over
    rows = [as_row(one, kind) for one in inside]
    counting = {row["row"] for row in question_types.counting(rows, settings)}
    totals = question_types.totals(rows, settings)
    units = {total.field: total.unit for total in totals}
    limits = settings.get("rows") or {}
    return Tally(
        kind=kind,
        counted=tuple(one for one in inside if row_id(one) in counting),
        outside=tuple(one for one in entries if not period.holds(one.date)),
        doubles=tuple(one for one in inside if row_id(one) not in counting),
        totals=totals,
        capped=tuple(
            Capped(rules.label(kind.id, cap.value), cap.entered, cap.max, units.get(cap.field))
            for cap in question_types.caps(rows, settings)
            if _bites(cap, kind)
        ),
        least=limits.get("min"),
        most=limits.get("max"),
    )


def _bites(cap: Cap, kind: LogKind) -> bool:
    return cap.excess > 0 and cap.by == kind.kind
