from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import NotFound
from app.schemes import versions
from app.schemes.model import DossierTemplate

TEXT = {"nl": "x", "en": "x"}
DAYS = st.dates(date(2018, 1, 1), date(2034, 12, 31))


def version(name: str, begins: date | str, until: date | str = "", **more: Any) -> DossierTemplate:
    return DossierTemplate(
        scheme="s",
        version=name,
        title=TEXT,
        route="written",
        effective_from=str(begins),
        effective_until=str(until),
        validity_years=more.pop("validity_years", 3),
        reference_prefix="S",
        hours_expected=1,
        introduction=TEXT,
        groups=(),
        sections=(),
        scale=(),
        declarations=(),
        **more,
    )


RULE = {"from": "2018.1", "until": "2020-12-31", "for": "started_before"}
OLD = version("2018.1", "2018-10-01", "2020-06-30")
NEW = version("2020.1", "2020-07-01", validity_years=4, transition=RULE)
BOTH = [NEW, OLD]


@pytest.mark.parametrize(
    ("on", "started", "expected"),
    [
        (date(2018, 10, 1), {}, "2018.1"),
        (date(2020, 6, 30), {}, "2018.1"),
        (date(2020, 7, 1), {}, "2020.1"),
        (date(2020, 7, 1), {"2018.1": date(2020, 6, 30)}, "2018.1"),
        (date(2020, 12, 31), {"2018.1": date(2019, 1, 1)}, "2018.1"),
        (date(2021, 1, 1), {"2018.1": date(2019, 1, 1)}, "2020.1"),
        (date(2020, 8, 1), {"2018.1": date(2020, 7, 1)}, "2020.1"),
        (date(2020, 8, 1), {"2020.1": date(2020, 7, 1)}, "2020.1"),
    ],
)
def test_a_person_starts_on_the_version_of_the_day_or_of_a_transition(
    on: date, started: Mapping[str, date], expected: str
) -> None:
    assert versions.for_person(BOTH, on, started).version == expected


def test_a_day_without_a_version_says_so() -> None:
    for on, among in ((date(2018, 9, 30), BOTH), (date(2020, 7, 1), [OLD]), (date(2020, 7, 1), [])):
        with pytest.raises(NotFound, match="not in use on this date"):
            versions.for_person(among, on, {})


def test_validity_belongs_to_the_version() -> None:
    assert [versions.for_person(BOTH, on, {}).validity_years for on in (date(2019, 1, 1), date(2021, 1, 1))] == [3, 4]


def test_an_accreditation_holds_from_its_first_day_up_to_and_including_its_last() -> None:
    claim = {"body": "RvA", "number": "C 999", "from": "2016-12-01"}
    ended = version("1", "2016-01-01", accreditation={**claim, "until": "2019-06-30"})
    days = [date(2016, 11, 30), date(2016, 12, 1), date(2019, 6, 30), date(2019, 7, 1)]
    assert [versions.accredited(ended, on) for on in days] == [False, True, True, False]
    assert versions.accredited(version("1", "2016-01-01", accreditation=claim), date(2030, 1, 1))
    assert not versions.accredited(OLD, date(2019, 1, 1))


@given(st.lists(DAYS, min_size=1, max_size=5, unique=True), DAYS, st.data())
def test_every_day_from_the_first_on_has_exactly_one_version(begins: list[date], on: date, data: st.DataObject) -> None:
    days = sorted(begins)
    untils = [day - timedelta(days=1) for day in days[1:]]
    named = [data.draw(st.booleans()) for _ in untils]  # an end that is left out is the day before the next beginning
    known = [
        version(f"v{index}", day, until if told else "")
        for index, (day, until, told) in enumerate(zip(days, [*untils, ""], [*named, False], strict=True))
    ]
    found = versions.in_effect(data.draw(st.permutations(known)), on)
    expected = [one for one in known if date.fromisoformat(one.effective_from) <= on]
    assert found == (expected[-1] if expected else None)


@given(DAYS, st.dictionaries(st.sampled_from(("2018.1", "2020.1", "2010.1")), DAYS))
def test_a_transition_gives_the_earlier_version_or_changes_nothing(on: date, started: dict[str, date]) -> None:
    usual = versions.in_effect(BOTH, on)
    if usual is None:
        return
    found = versions.for_person(BOTH, on, started)
    assert found in (usual, OLD)
    assert found == usual or (on <= date(2020, 12, 31) and started["2018.1"] < date(2020, 7, 1))
