"""Only the listed moves between stages happen, each of them once, whoever tries at the same moment."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_world import World
from sqlalchemy import CheckConstraint, insert, select, update
from sqlalchemy.exc import IntegrityError
from together import together

from app.dossiers import lifecycle
from app.dossiers.lifecycle import TRANSITIONS
from app.dossiers.models import (
    DOSSIER_STAGES,
    SNAPSHOT_STAGES,
    STATEMENT_STAGES,
    Dossier,
    Snapshot,
    Statement,
)
from app.errors import Conflict
from app.extensions import now, session, transaction

STAGES: dict[type, tuple[str, ...]] = {Dossier: DOSSIER_STAGES, Snapshot: SNAPSHOT_STAGES, Statement: STATEMENT_STAGES}


@pytest.fixture
def records(world: World) -> dict[type, Dossier | Snapshot | Statement]:
    """One of each, to be put in any stage."""
    dossier = world.dossier()
    statement, _ = world.invite(dossier)
    with transaction():
        session.add(Snapshot(dossier_id=dossier.id, revision=1, sha256="0" * 64, content="{}"))
    return {Dossier: dossier, Statement: statement, Snapshot: session.scalars(select(Snapshot)).one()}


def put(record: Dossier | Snapshot | Statement, stage: str) -> None:
    signed = {"signed_at": now() if stage == "signed" else None} if isinstance(record, Statement) else {}
    with transaction():
        session.execute(update(type(record)).where(type(record).id == record.id).values(stage=stage, **signed))


def test_transitions_name_every_stage_and_nothing_else() -> None:
    for kind, moves in TRANSITIONS.items():
        assert tuple(sorted(moves)) == tuple(sorted(STAGES[kind]))
        assert {to for reachable in moves.values() for to in reachable} <= set(STAGES[kind])


@pytest.mark.parametrize("kind", list(STAGES), ids=lambda kind: kind.__name__)
def test_every_pair_of_stages_moves_as_the_table_says(kind: type, records: dict[type, Dossier | Snapshot | Statement]) -> None:
    record, happened = records[kind], set()
    for start in STAGES[kind]:
        for to in STAGES[kind]:
            put(record, start)
            changes = {"signed_at": now()} if to == "signed" else {"signed_at": None} if start == "signed" else {}
            try:
                with transaction():
                    lifecycle.advance(record, to, **changes)
                happened.add((start, to))
                assert record.stage == to
            except Conflict as conflict:
                assert conflict.details == {"stage": start, "wanted": to}  # noqa: PT017
                assert record.stage == start
    assert happened == {(start, to) for start, reachable in TRANSITIONS[kind].items() for to in reachable}


@given(wanted=st.lists(st.sampled_from(DOSSIER_STAGES), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_row_of_attempts_follows_the_table(world: World, wanted: list[str]) -> None:
    owner = session.scalar(select(Dossier.owner_id))
    dossier = world.dossier() if owner is None else session.scalars(select(Dossier)).one()
    put(dossier, "draft")
    stage = "draft"
    for to in wanted:
        try:
            with transaction():
                lifecycle.advance(dossier, to)
            assert to in TRANSITIONS[Dossier][stage]
            stage = to
        except Conflict:
            assert to not in TRANSITIONS[Dossier][stage]
        assert dossier.stage == stage


def test_advance_writes_its_changes_with_the_stage_or_not_at_all(world: World) -> None:
    dossier, moment = world.dossier(), now()
    with transaction():
        lifecycle.advance(dossier, "submitted", submitted_at=moment)
    with pytest.raises(Conflict), transaction():
        lifecycle.advance(dossier, "submitted", submitted_at=now())
    assert (dossier.stage, dossier.submitted_at) == ("submitted", moment)


def test_advance_from_two_threads_has_one_winner(world: World) -> None:
    dossier_id = world.dossier().id
    session.rollback()

    def submit() -> str:
        dossier = session.get_one(Dossier, dossier_id)
        try:
            with transaction():
                lifecycle.advance(dossier, "submitted")
        except Conflict:
            return "conflict"
        return "submitted"

    assert sorted(together(*[submit] * 4)) == ["conflict", "conflict", "conflict", "submitted"]


@pytest.mark.parametrize("kind", list(STAGES), ids=lambda kind: kind.__name__)
def test_database_itself_refuses_an_unknown_stage(kind: type, records: dict[type, Dossier | Snapshot | Statement]) -> None:
    with pytest.raises(IntegrityError):
        put(records[kind], "invented")


def test_database_itself_refuses_a_signed_statement_without_a_date(records: dict[type, Dossier | Snapshot | Statement]) -> None:
    with pytest.raises(IntegrityError), transaction():
        session.execute(update(Statement).values(stage="signed"))
    with pytest.raises(IntegrityError), transaction():
        session.execute(update(Statement).values(signed_at=now()))


def test_database_itself_refuses_a_second_open_statement(records: dict[type, Dossier | Snapshot | Statement]) -> None:
    first = records[Statement]
    assert isinstance(first, Statement)
    row = {column.name: getattr(first, column.name) for column in Statement.__table__.columns if column.name != "id"}
    with pytest.raises(IntegrityError), transaction():
        session.execute(insert(Statement).values({**row, "token_sha256": "1" * 64}))
    put(first, "declined")
    with transaction():
        session.execute(insert(Statement).values({**row, "token_sha256": "1" * 64}))


def test_every_stage_column_has_a_check() -> None:
    for kind in STAGES:
        checks = [one for one in kind.__table__.constraints if isinstance(one, CheckConstraint)]
        assert any("stage IN" in str(one.sqltext) for one in checks), kind
