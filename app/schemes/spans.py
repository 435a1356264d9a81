"""How long somebody did something, from the periods that were entered. Pure: only days and what they add up to.

A day that two periods share counts once. Of each stretch without a day between, whole calendar months are counted and the days
beside those; all are added up, and 31 days beside make a month. So three calendar years are three years, whatever leap days are
in them, and one day less is less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
"""What is typed outside these days counts as far as it lies within them."""
MONTH = 31


@dataclass(frozen=True, order=True)
class Stretch:
    """From ``first`` up to and including ``last``."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Length:
    """Whole calendar years, months beside those and days beside these."""

    years: int
    months: int
    days: int


def joined(periods: Iterable[tuple[date, date]], first: date = EARLIEST, last: date = LATEST) -> tuple[Stretch, ...]:
    """The stretches without a day between that the periods cover from ``first`` up to and including ``last``, in order."""
    stretches: list[Stretch] = []
    for start, end in sorted(periods):
        start, end = max(start, first, EARLIEST), min(end, last, LATEST)
        if start > end:
            continue
        if stretches and start <= stretches[-1].last + timedelta(days=1):
            stretches[-1] = Stretch(stretches[-1].first, max(stretches[-1].last, end))
        else:
            stretches.append(Stretch(start, end))
    return tuple(stretches)


def gaps(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """What lies between stretches as ``joined`` gives them."""
    day = timedelta(days=1)
    return tuple(Stretch(one.last + day, other.first - day) for one, other in pairwise(stretches))


def days(stretches: Iterable[Stretch]) -> int:
    return sum(stretch.days for stretch in stretches)


def length(stretches: Iterable[Stretch]) -> Length:
    """What the stretches make together, as one adds it up by hand."""
    months, left = divmod(_units(stretches), MONTH)
    return Length(*divmod(months, 12), left)


def short_of(stretches: Iterable[Stretch], years: int) -> Length | None:
    """What lacks to make ``years`` together; None when it is enough."""
    missing = years * 12 * MONTH - _units(stretches)
    if missing <= 0:
        return None
    months, left = divmod(missing, MONTH)
    return Length(*divmod(months, 12), left)


def months_after(day: date, months: int) -> date:
    """So many months later or earlier; where that day does not exist, the first of the next month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:  # 29, 30 or 31 in a shorter month, so never of December
        return date(year, month + 2, 1)


def _units(stretches: Iterable[Stretch]) -> int:
    """The whole calendar months of each stretch and the days beside those, in days of months of 31."""
    units = 0
    for one in stretches:
        after = one.last + timedelta(days=1)
        months = (after.year - one.first.year) * 12 + after.month - one.first.month
        while months and months_after(one.first, months) > after:
            months -= 1
        units += months * MONTH + (after - months_after(one.first, months)).days
    return units
