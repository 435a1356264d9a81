"""What asks for a deed of the office: each kind, in order of urgency, in a constant number of queries."""

from datetime import timedelta

import pytest
from small_world import World
from sqlalchemy import event, select
from test_overview import in_queue, submitted

from app.assessment import attention
from app.assessment.models import Assignment
from app.dossiers.models import Dossier, Snapshot
from app.dossiers.submission import today
from app.extensions import now, session, transaction


def found() -> list[tuple[str, str, int, str]]:
    session.rollback()
    return [(one.kind, one.row.candidate if one.row else "", one.days, one.who) for one in attention.items(attention.rows())]


def assign(assessment_id: int, assessor_id: int, **values: object) -> None:
    with transaction():
        session.add(Assignment(assessment_id=assessment_id, assessor_id=assessor_id, **values))


def test_a_quiet_office_has_nothing_to_do(world: World) -> None:
    world.dossier()
    assert found() == []


def test_each_kind_has_its_place(world: World) -> None:
    in_queue(submitted(world, "Toe Laten"))
    assigning = in_queue(submitted(world, "Wijs Toe"), outcome="admitted")
    conflict = in_queue(submitted(world, "Con Flict"), outcome="admitted")
    judged = in_queue(submitted(world, "In Beoordeling"), outcome="admitted")
    late, soon, far = (world.dossier(world.account(name)) for name in ("Te Laat", "Bijna Laat", "Ver Weg"))
    slow, gone, one = (world.account(name, "assessor") for name in ("Trage Lezer", "Weg Gegaan", "Goede Lezer"))
    assign(assigning, one.id, declared_at=now())
    assign(conflict, slow.id, conflict_reason="Mijn broer", ended_at=now() - timedelta(days=2))
    assign(judged, slow.id, assigned_at=now() - timedelta(days=9))
    assign(judged, gone.id, declared_at=now())
    with transaction():
        session.get_one(type(gone), gone.id).disabled_at = now() - timedelta(days=1)
        session.get_one(Dossier, late.id).submit_before = today() - timedelta(days=3)
        session.get_one(Dossier, soon.id).submit_before = today() + timedelta(days=14)
        session.get_one(Dossier, far.id).submit_before = today() + timedelta(days=15)
        stuck = submitted_snapshot(world)
        stuck.error = {"nl": "Stuk", "en": "Broken"}
    assert found() == [
        ("stuck", "", 0, ""),
        ("conflict", "Con Flict", 2, "Trage Lezer"),
        ("disabled_assessor", "In Beoordeling", 1, "Weg Gegaan"),
        ("to_admit", "Toe Laten", 0, ""),
        ("to_assign", "Wijs Toe", 0, ""),
        ("undeclared", "In Beoordeling", 9, "Trage Lezer"),
        ("overdue", "Te Laat", 3, ""),
        ("deadline", "Bijna Laat", 14, ""),
    ]


def submitted_snapshot(world: World) -> Snapshot:
    """Inside a transaction: a snapshot of a dossier that is no longer anybody's concern but the machine's."""
    dossier = session.scalars(select(Dossier).order_by(Dossier.id.desc())).first()
    assert dossier is not None
    snapshot = Snapshot(dossier_id=dossier.id, revision=1, sha256="f" * 64, content="{}")
    session.add(snapshot)
    return snapshot


def test_figures_and_months_count_what_is_there(world: World) -> None:
    first = submitted(world, "Toe Laten")
    in_queue(first)
    in_queue(submitted(world, "Wijs Toe"), outcome="admitted")
    with transaction():
        session.get_one(Dossier, first.id).submitted_at = now() - timedelta(days=10)
    figures = attention.figures(attention.rows())
    assert (figures.in_hand, figures.to_admit, figures.to_assign, figures.stuck) == (2, 1, 1, 0)
    assert (figures.median_days, figures.oldest_to_admit) == (5, 0)
    months = attention.months()
    assert len(months) == 6
    assert months[-1] == (today().replace(day=1), 2, 1)
    assert all(first.day == 1 for first, _, _ in months)
    assert [first for first, _, _ in months] == sorted(first for first, _, _ in months)


@pytest.mark.parametrize("number", [1, 4])
def test_today_takes_the_same_queries_for_one_and_for_many(world: World, number: int) -> None:
    assessor = world.account("Trage Lezer", "assessor")
    for one in range(number):
        assessment_id = in_queue(submitted(world, f"Persoon {one}"), outcome="admitted")
        assign(assessment_id, assessor.id, assigned_at=now() - timedelta(days=9))
    found()
    asked: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert len(attention.items(attention.rows())) == 2 * number
    assert len([one for one in asked if one.startswith("SELECT")]) == 6
