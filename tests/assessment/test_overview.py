"""Where every dossier stands, in one query however many there are."""

from datetime import timedelta

import pytest
from small_world import World
from sqlalchemy import event, select

from app.assessment import overview
from app.assessment.models import Admission, Assessment, Assignment
from app.assessment.overview import Filter
from app.dossiers.models import Dossier, Snapshot
from app.dossiers.submission import today
from app.extensions import now, session, transaction


def submitted(world: World, name: str) -> Dossier:
    """A dossier whose snapshot was submitted; nothing assembled it yet."""
    dossier = world.dossier(world.account(name))
    world.fill(dossier)
    world.submit(dossier)
    return dossier


def in_queue(dossier: Dossier, **admission: object) -> int:
    """Puts a submitted dossier in the queue, without documents. Gives the assessment's id."""
    with transaction():
        snapshot = session.scalars(select(Snapshot).where(Snapshot.dossier_id == dossier.id)).one()
        snapshot.stage, snapshot.error = "handed_over", None
        assessment = Assessment(dossier_id=dossier.id)
        session.add(assessment)
        if admission:
            session.add(Admission(snapshot_id=snapshot.id, by_id=dossier.owner_id, **admission))
        session.flush()
        return assessment.id


def states(wanted: Filter = Filter()) -> list[tuple[str, str]]:  # noqa: B008
    session.rollback()
    return [(row.candidate, row.state) for row in overview.dossiers(wanted)]


def test_state_follows_a_dossier_through_its_life(world: World) -> None:
    dossier = world.dossier(world.account("Sanne de Vries"))
    assert states() == [("Sanne de Vries", "draft")]
    world.fill(dossier)
    world.submit(dossier)
    assert states() == [("Sanne de Vries", "assembling")]
    with transaction():
        session.scalars(select(Snapshot)).one().error = {"nl": "Stuk", "en": "Broken"}
    assert states() == [("Sanne de Vries", "stuck")]
    assessment_id = in_queue(dossier)
    assert states() == [("Sanne de Vries", "to_admit")]
    first, second = world.account("Eerste Lezer", "assessor"), world.account("Tweede Lezer", "assessor")
    with transaction():
        snapshot = session.scalars(select(Snapshot)).one()
        session.add(Admission(snapshot_id=snapshot.id, outcome="admitted", by_id=first.id))
    assert states() == [("Sanne de Vries", "to_assign")]
    for assessor in (first, second):
        with transaction():
            session.add(Assignment(assessment_id=assessment_id, assessor_id=assessor.id))
    assert states() == [("Sanne de Vries", "judging")]
    with transaction():
        session.get_one(Dossier, dossier.id).stage = "withdrawn"
    assert states() == [("Sanne de Vries", "withdrawn")]


def test_filters_narrow_and_states_count(world: World) -> None:
    late, early = world.dossier(world.account("Anna Laat")), world.dossier(world.account("Bert Vroeg"))
    with transaction():
        session.get_one(Dossier, late.id).submit_before = today() - timedelta(days=1)
    in_queue(submitted(world, "Clara Klaar"))
    assert overview.states()["draft"] == 2
    assert overview.states()["to_admit"] == 1
    assert states(Filter(state="to_admit")) == [("Clara Klaar", "to_admit")]
    assert states(Filter(state="in_hand")) == [("Clara Klaar", "to_admit")]
    assert states(Filter(overdue=True)) == [("Anna Laat", "draft")]
    assert states(Filter(text="bert")) == [("Bert Vroeg", "draft")]
    assert states(Filter(text=early.reference.lower())) == [("Bert Vroeg", "draft")]
    assert states(Filter(text="%")) == []
    assert states(Filter(scheme="other")) == []
    assert [name for name, _ in states(Filter(order="candidate"))] == ["Anna Laat", "Bert Vroeg", "Clara Klaar"]
    assert states(Filter(order="deadline"))[0] == ("Anna Laat", "draft")
    assert overview.count(Filter(scheme="small")) == 3
    assert overview.schemes() == {"small": {"nl": "Klein", "en": "Small"}}


def test_age_counts_days_in_amsterdam(world: World) -> None:
    dossier = world.dossier()
    with transaction():
        session.get_one(Dossier, dossier.id).created_at = now() - timedelta(days=12)
    (row,) = overview.dossiers(Filter())
    assert (row.age, row.needed, row.assessors, row.fee) == (12, 2, 0, None)


@pytest.mark.parametrize("number", [1, 5])
def test_the_list_takes_the_same_queries_for_one_and_for_many(world: World, number: int) -> None:
    for one in range(number):
        world.dossier(world.account(f"Persoon {one}"))
    [row.title for row in overview.dossiers(Filter())]  # remembers the templates
    session.rollback()
    asked: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert len([row.title for row in overview.dossiers(Filter())]) == number
    assert len([one for one in asked if one.startswith("SELECT")]) == 2
