"""What an answer was earlier, and which of the versions that were saved while somebody typed are thinned out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import World
from sqlalchemy import select, update

from app import pipeline
from app.dossiers import answers, statement_changes, versions
from app.dossiers import contents as dossier_contents
from app.dossiers.models import Dossier, SectionVersion, Statement
from app.dossiers.versions import Saved, superfluous
from app.extensions import now, session, transaction

NOW = datetime(2026, 11, 22, 15, 4, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def kept(saved: list[Saved], moments: list[datetime] | None = None, at: datetime = NOW) -> list[int]:
    gone = superfluous(saved, moments or [], at)
    return [one.version for one in saved if one.version not in gone]


def by_itself(*times: datetime) -> list[Saved]:
    return [Saved(number, at, True) for number, at in enumerate(times, 1)]


# --- thinning out --------------------------------------------------------------------------------------------------


def test_superfluous_keeps_all_of_the_last_hour() -> None:
    saved = by_itself(*(ago(minutes=59, seconds=-number) for number in range(50)))
    assert superfluous(saved, [], NOW) == []


def test_superfluous_keeps_the_last_of_each_quarter_of_an_hour_for_a_day() -> None:
    quarter = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    saved = by_itself(*(quarter + timedelta(minutes=minute) for minute in (0, 3, 14.9, 15, 29, 31)))
    assert kept(saved) == [3, 5, 6]


def test_superfluous_keeps_the_last_of_each_day_after_that() -> None:
    saved = by_itself(ago(days=9, hours=3), ago(days=9, hours=2), ago(days=8), ago(days=7, hours=9), ago(days=7, hours=8))
    assert kept(saved) == [2, 3, 5]


def test_superfluous_keeps_what_somebody_saved_himself_and_what_stood_at_each_moment() -> None:
    times = [ago(days=9) + timedelta(seconds=number) for number in range(8)]
    saved = [Saved(number, at, number != 3) for number, at in enumerate(times, 1)]
    assert kept(saved) == [3, 8]
    assert kept(saved, [times[4] + timedelta(milliseconds=5), times[0], ago(days=30)]) == [1, 3, 5, 8]


def test_superfluous_of_nothing_is_nothing() -> None:
    assert superfluous([], [NOW], NOW) == []


MOMENTS = st.integers(0, 3 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))


@given(
    times=st.lists(st.tuples(MOMENTS, st.booleans()), max_size=40),
    moments=st.lists(MOMENTS, max_size=3),
    runs=st.lists(st.integers(0, 3 * 24 * 60), max_size=4),
)
def test_superfluous_often_gives_the_same_as_once_and_never_what_counts(
    times: list[tuple[datetime, bool]], moments: list[datetime], runs: list[int]
) -> None:
    saved = [Saved(number, at, auto) for number, (at, auto) in enumerate(sorted(times), 1)]
    once = kept(saved, moments)
    left = saved
    for minutes in sorted(runs) or [0]:
        gone = superfluous(left, moments, NOW + timedelta(minutes=minutes))
        left = [one for one in left if one.version not in gone]
    final = NOW + timedelta(minutes=max(runs, default=0))
    assert [one.version for one in left] == kept(saved, moments, final)
    assert set(kept(saved, moments, final)) <= set(once)
    assert {one.version for one in saved if not one.by_itself or NOW - one.saved_at < timedelta(hours=1)} <= set(once)
    for moment in moments:
        stood = [one.version for one in saved if one.saved_at <= moment][-1:]
        assert set(stood) <= set(once)
    quarters = {one.saved_at.timestamp() // 900 for one in saved if NOW - one.saved_at < timedelta(days=1)}
    assert quarters <= {one.saved_at.timestamp() // 900 for one in saved if one.version in once}
    assert {one.saved_at.date() for one in saved} == {one.saved_at.date() for one in saved if one.version in once}


@pytest.fixture
def type_on(world: World) -> Callable[..., Dossier]:
    """``type_on("a", "a b", minutes=…)``: a dossier with these texts, saved by themselves, that long ago and a second apart."""

    def typed(*texts: str, **time: float) -> Dossier:
        dossier = world.dossier()
        for number, text in enumerate(texts):
            with transaction():
                row = answers.save_section(dossier, "practice", {"story": text}, number, by_itself=True)
            with transaction():
                at = now() - timedelta(**time) + timedelta(seconds=number)
                session.execute(update(SectionVersion).where(SectionVersion.version == row.version).values(saved_at=at))
        return dossier

    return typed


def numbers() -> list[int]:
    session.rollback()
    return list(session.scalars(select(SectionVersion.version).order_by(SectionVersion.version)))


def test_forgetting_thins_out_what_was_saved_by_itself(type_on: Callable[..., Dossier]) -> None:
    type_on(*"abcdef", days=3)
    assert len(numbers()) == 6
    pipeline.forget_old()
    assert numbers() == [6]


def test_forgetting_keeps_what_was_saved_with_the_button_also_when_it_changed_nothing(
    world: World, type_on: Callable[..., Dossier]
) -> None:
    dossier = type_on("a", "a b", "a b c", days=3)
    world.save(dossier, "practice", 3, story="a b c")
    world.save(dossier, "practice", 3, story="a b c d")
    with transaction():
        for number, text in enumerate(("e", "f"), 4):
            answers.save_section(dossier, "practice", {"story": text}, number, by_itself=True)
    with transaction():
        session.execute(update(SectionVersion).values(saved_at=now() - timedelta(days=3)))
    pipeline.forget_old()
    assert numbers() == [3, 4, 6]


def test_forgetting_leaves_what_a_supervisor_signed_under_to_be_compared_with(
    world: World, type_on: Callable[..., Dossier]
) -> None:
    dossier = type_on("een twee", days=3)
    statement, _ = world.invite(dossier)
    world.sign(statement)
    with transaction():
        for number, text in enumerate(("drie", "drie vier"), 1):
            answers.save_section(dossier, "practice", {"story": text}, number, by_itself=True)
        session.execute(update(SectionVersion).values(saved_at=now() - timedelta(days=3)))
        session.execute(
            update(SectionVersion).where(SectionVersion.version == 1).values(saved_at=now() - timedelta(days=3, seconds=9))
        )
        session.get_one(Statement, statement.id).signed_at = now() - timedelta(days=3, seconds=5)
    pipeline.forget_old()
    assert numbers() == [1, 3]
    signed = session.get_one(Statement, statement.id)
    assert statement_changes.since_signed(signed, dossier_contents.read(dossier)) == {"practice": ["story"]}


# --- texts ---------------------------------------------------------------------------------------------------------


def test_texts_of_are_those_that_differ_newest_first(world: World) -> None:
    dossier = world.dossier()
    for number, (name, story) in enumerate(
        [("", "Een"), ("Sanne", "Een"), ("Sanne", "Een twee"), ("Sanne", ""), ("Sanne", "Een")]
    ):
        world.save(dossier, "practice", number, name=name, story=story)
    session.rollback()
    found = versions.texts_of(dossier, "practice", "story")
    assert [(one.version, one.text) for one in found] == [(5, "Een"), (3, "Een twee"), (2, "Een")]
    first = session.scalars(select(SectionVersion.saved_at).where(SectionVersion.version == 1)).one()
    assert found[-1].saved_at == first
    assert [one.text for one in versions.texts_of(dossier, "practice", "name")] == ["Sanne"]
    assert versions.texts_of(dossier, "learning", "courses") == []
