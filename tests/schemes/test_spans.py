from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes import spans
from app.schemes.spans import Length, Stretch, days, gaps, joined, length, months_after, short_of

DAY = timedelta(days=1)
MOMENTS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
PERIODS = st.tuples(MOMENTS, MOMENTS).map(lambda pair: (min(pair), max(pair)))
LISTS = st.lists(PERIODS, max_size=8)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2021-01-01", "2023-12-31", Length(3, 0, 0)),
        ("2020-01-01", "2022-12-31", Length(3, 0, 0)),
        ("2021-03-01", "2024-02-29", Length(3, 0, 0)),
        ("2021-03-01", "2024-02-28", Length(2, 11, 28)),
        ("2020-02-29", "2023-02-28", Length(3, 0, 0)),
        ("2020-02-29", "2023-02-27", Length(2, 11, 30)),
        ("2022-01-31", "2022-02-28", Length(0, 1, 0)),
        ("2019-03-03", "2023-05-06", Length(4, 2, 4)),
        ("2026-11-22", "2026-11-22", Length(0, 0, 1)),
    ],
)
def test_one_period_is_told_in_calendar_years_months_and_days(first: str, last: str, expected: Length) -> None:
    assert length(joined([(date.fromisoformat(first), date.fromisoformat(last))])) == expected


def test_overlap_counts_once_and_gaps_are_found() -> None:
    stretches = joined(
        [
            (date(2019, 6, 2), date(2021, 6, 1)),
            (date(2018, 3, 3), date(2019, 3, 2)),
            (date(2020, 1, 1), date(2020, 12, 31)),
        ]
    )
    assert stretches == (Stretch(date(2018, 3, 3), date(2019, 3, 2)), Stretch(date(2019, 6, 2), date(2021, 6, 1)))
    assert gaps(stretches) == (Stretch(date(2019, 3, 3), date(2019, 6, 1)),)
    assert (length(stretches), short_of(stretches, 3), short_of(stretches, 4)) == (Length(3, 0, 0), None, Length(1, 0, 0))


def test_separate_stretches_add_up_as_by_hand() -> None:
    year, rest = (date(2018, 2, 1), date(2019, 1, 31)), (date(2020, 6, 1), date(2022, 4, 30))
    assert length(joined([year, rest])) == Length(2, 11, 0)
    assert short_of(joined([year, rest]), 3) == Length(0, 1, 0)
    assert length(joined([year, rest, (date(2023, 2, 1), date(2023, 2, 28))])) == Length(3, 0, 0)
    assert length(joined([(date(2020, 1, 1), date(2020, 1, 20)), (date(2021, 1, 1), date(2021, 1, 15))])) == Length(0, 1, 4)


def test_one_day_short_of_three_years_is_short() -> None:
    stretches = joined([(date(2021, 1, 1), date(2023, 12, 30))])
    assert short_of(stretches, 3) == Length(0, 0, 1)
    assert short_of((), 3) == Length(3, 0, 0)


def test_only_what_lies_within_the_limits_counts() -> None:
    assert joined([(date(2010, 1, 1), date(2020, 5, 31))], date(2020, 1, 1), date(2020, 3, 31)) == (
        Stretch(date(2020, 1, 1), date(2020, 3, 31)),
    )
    assert joined([(date(1, 1, 1), date(9999, 12, 31))]) == (Stretch(spans.EARLIEST, spans.LATEST),)


@given(st.permutations(range(6)), st.lists(PERIODS, min_size=6, max_size=6))
def test_the_order_of_periods_does_not_matter(order: list[int], periods: list[tuple[date, date]]) -> None:
    assert joined([periods[index] for index in order]) == joined(periods)


@given(LISTS, PERIODS, st.data())
def test_splitting_a_period_in_two_adjoining_ones_does_not_matter(
    others: list[tuple[date, date]], period: tuple[date, date], data: st.DataObject
) -> None:
    first, last = period
    middle = data.draw(st.dates(first, last))
    halves = [(first, middle), (middle + DAY, last)] if middle < last else [period]
    assert joined([*others, *halves]) == joined([*others, period])


@given(LISTS)
def test_every_day_counts_once(periods: list[tuple[date, date]]) -> None:
    covered = {first.toordinal() + index for first, last in periods for index in range((last - first).days + 1)}
    assert days(joined(periods)) == len(covered)
    assert joined([*periods, *periods]) == joined(periods)


@given(st.lists(PERIODS, min_size=1, max_size=8))
def test_stretches_and_gaps_make_the_whole(periods: list[tuple[date, date]]) -> None:
    stretches = joined(periods)
    between = gaps(stretches)
    whole = Stretch(min(first for first, _ in periods), max(last for _, last in periods))
    assert days(stretches) + days(between) == whole.days
    assert joined([(one.first, one.last) for one in (*stretches, *between)]) == (whole,)
    assert all(gap.days > 0 for gap in between)


@given(PERIODS, st.integers(1, 400), st.integers(1, 6))
def test_working_on_is_never_less(period: tuple[date, date], more: int, years: int) -> None:
    first, last = period
    if short_of(joined([period]), years) is None:
        assert short_of(joined([(first, last + more * DAY)]), years) is None


@given(LISTS, st.integers(1, 6))
def test_length_and_shortage_agree(periods: list[tuple[date, date]], years: int) -> None:
    stretches = joined(periods)
    assert (short_of(stretches, years) is None) == (length(stretches).years >= years)


@given(MOMENTS, st.integers(0, 240))
def test_whole_months_from_a_day_are_told_as_such(first: date, months: int) -> None:
    last = months_after(first, months) - DAY
    if months:
        told = length((Stretch(first, last),))
        assert (told.years * 12 + told.months, told.days) == (months, 0) or months_after(first, months + 1) == last + DAY
