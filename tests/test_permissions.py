"""The one table of rights, as a test for every cell: what is listed is allowed, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from small_world import World
from sqlalchemy import delete, update

from app import permissions
from app.accounts.models import ROLES, Account, AccountRole
from app.assessment import assignment
from app.assessment.models import Assessment
from app.dossiers import statements
from app.dossiers.models import DOSSIER_STAGES, STATEMENT_STAGES, Dossier, Evidence, Statement
from app.extensions import now, session, transaction
from app.permissions import ACTIONS, RULES, may, may_know

DOSSIER = ("draft", "submitted", "in_assessment", "decided", "returned", "withdrawn")
OPEN = ("draft", "returned")
JUDGED = ("submitted", "in_assessment")
# The table once more, by hand: action -> (role, kind of thing, stages, whose). A change of the rights is a change here.
TABLE: dict[str, list[tuple[str, type | None, tuple[str, ...], str]]] = {
    "account.edit": [(role, None, (), "") for role in ("candidate", "assessor", "office", "auditor")],
    "dossier.list": [("candidate", None, (), "")],
    "dossier.start": [("candidate", None, (), "")],
    "dossier.read": [("candidate", Dossier, DOSSIER, "own")],
    "dossier.edit": [("candidate", Dossier, OPEN, "own")],
    "dossier.submit": [("candidate", Dossier, OPEN, "own")],
    "dossier.receipt": [("candidate", Dossier, ("submitted", "in_assessment", "decided"), "own")],
    "evidence.read": [("candidate", Evidence, DOSSIER, "own")],
    "statement.manage": [("candidate", Statement, OPEN, "own")],
    "statement.fill": [("supervisor", Statement, ("invited",), "own")],
    "statement.read": [("supervisor", Statement, ("invited", "signed", "declined"), "own")],
    "assessment.list": [("assessor", None, (), "")],
    "assessment.read": [("assessor", Assessment, JUDGED, "own")],
    "audit.read": [("office", None, (), ""), ("auditor", None, (), "")],
    "office.queue": [("office", None, (), "")],
    "office.plugins": [("office", None, (), "")],
    "assessment.assign": [("office", Assessment, JUDGED, "any")],
}
KINDS = (None, Dossier, Evidence, Statement, Assessment)


@dataclass
class Cast:
    """Two sets of everything; each actor has the first as his own and the second as another's."""

    actors: dict[str, Account | Statement]
    things: dict[type, tuple[Any, Any]]
    dossiers: tuple[Dossier, Dossier]


@pytest.fixture
def cast(world: World) -> Cast:
    sanne, piet = world.account("Sanne de Vries"), world.account("Piet Post")
    assessor, office, auditor = (
        world.account("As Sessor", "assessor"),
        world.account("Of Fice", "office"),
        world.account("Au Ditor", "auditor"),
    )
    sets = []
    for owner in (sanne, piet):
        dossier = world.dossier(owner)
        evidence = world.checked(dossier)
        statement, _ = world.invite(dossier)
        with transaction():
            session.add(Assessment(dossier_id=dossier.id))
            session.execute(update(Dossier).where(Dossier.id == dossier.id).values(stage="submitted"))
        sets.append((dossier, evidence, statement, session.query(Assessment).filter_by(dossier_id=dossier.id).one()))
    with transaction():
        assignment.assign(sets[0][3], assessor, by=office)
    kinds = (Dossier, Evidence, Statement, Assessment)
    return Cast(
        actors={"candidate": sanne, "assessor": assessor, "office": office, "auditor": auditor, "supervisor": sets[0][2]},
        things={kind: (sets[0][place], sets[1][place]) for place, kind in enumerate(kinds)},
        dossiers=(sets[0][0], sets[1][0]),
    )


def put(dossiers: tuple[Dossier, ...], stage: str) -> None:
    with transaction():
        session.execute(update(Dossier).values(stage=stage))


def cells(cast: Cast, kind: type | None) -> Iterator[tuple[Any, str]]:
    """Every thing of a kind with whose it is; no thing at all where the action needs none."""
    if kind is None:
        yield None, ""
    else:
        yield cast.things[kind][0], "own"
        yield cast.things[kind][1], "other"


def allowed(action: str, role: str, kind: type | None, stage: str, whose: str) -> bool:
    return any(
        (role, kind) == (rule_role, rule_kind) and (kind is None or stage in stages) and rule_whose in ("", "any", whose)
        for rule_role, rule_kind, stages, rule_whose in TABLE[action]
    )


def test_r7_table_in_the_code_is_the_table_here() -> None:
    assert set(ACTIONS) == set(TABLE)
    assert {rule.role for rule in RULES} <= {*ROLES, "supervisor"}
    for rule in RULES:
        assert (rule.role, rule.kind, tuple(rule.stages)) in [row[:3] for row in TABLE[rule.action]], rule


@pytest.mark.parametrize("stage", DOSSIER_STAGES)
def test_r7_every_cell_by_stage_of_the_dossier(cast: Cast, stage: str) -> None:
    put(cast.dossiers, stage)
    wrong = []
    for action, (role, actor), kind in product(TABLE, cast.actors.items(), KINDS):
        if action in ("statement.fill", "statement.read"):
            continue  # they go by the stage of the statement, below
        for thing, whose in cells(cast, kind):
            if may(actor, action, thing) != allowed(action, role, kind, stage, whose):
                wrong.append((role, action, kind, whose))
    assert wrong == []


@pytest.mark.parametrize("stage", STATEMENT_STAGES)
def test_r7_every_cell_by_stage_of_the_statement(cast: Cast, stage: str) -> None:
    with transaction():
        session.execute(update(Statement).values(stage=stage, signed_at=now() if stage == "signed" else None))
    wrong = []
    for action, (role, actor), kind in product(("statement.fill", "statement.read"), cast.actors.items(), KINDS):
        for thing, whose in cells(cast, kind):
            if may(actor, action, thing) != allowed(action, role, kind, stage, whose):
                wrong.append((role, action, kind, whose))
    assert wrong == []


def test_r7_nobody_and_unknown_actions_are_refused(cast: Cast) -> None:
    for action, kind in product([*TABLE, "dossier.destroy", ""], KINDS):
        for thing, _ in cells(cast, kind):
            assert not may(None, action, thing)
    for actor, thing in product(cast.actors.values(), [None, *cast.dossiers]):
        assert not may(actor, "dossier.destroy", thing)


def test_account_without_a_role_may_nothing(world: World, cast: Cast) -> None:
    nobody = world.account("Nie Mand")
    with transaction():
        session.execute(delete(AccountRole).where(AccountRole.account_id == nobody.id))
    assert [
        action for action, kind in product(TABLE, KINDS) for thing, _ in cells(cast, kind) if may(nobody, action, thing)
    ] == []


def test_person_with_two_roles_has_the_rights_of_both_and_no_more(world: World, cast: Cast) -> None:
    both = world.account("Twee Rollen", "candidate", "assessor")
    own = world.dossier(both)
    assert may(both, "dossier.edit", own)
    assert may(both, "assessment.list")
    assert not may(both, "assessment.read", cast.things[Assessment][0])
    with transaction():
        assignment.assign(cast.things[Assessment][0], both, by=None)
    assert may(both, "assessment.read", cast.things[Assessment][0])
    assert not may(both, "dossier.read", cast.dossiers[0])
    assert not may(both, "office.queue")


def test_r9_assignment_that_ended_is_refused_at_once(cast: Cast) -> None:
    assessor, (assessment, _) = cast.actors["assessor"], cast.things[Assessment]
    assert isinstance(assessor, Account)
    assert may(assessor, "assessment.read", assessment)
    current = assignment.current(assessment, assessor)
    assert current is not None
    with transaction():
        assignment.end(current)
    assert not may(assessor, "assessment.read", assessment)
    assert not may_know(assessor, assessment)


def test_assessor_who_becomes_supervisor_of_the_candidate_is_refused_at_once(world: World, cast: Cast) -> None:
    assessor, (assessment, _) = cast.actors["assessor"], cast.things[Assessment]
    assert isinstance(assessor, Account)
    put(cast.dossiers, "returned")
    with transaction():
        statements.revoke(cast.things[Statement][0])
    world.invite(cast.dossiers[0], assessor.email)
    put(cast.dossiers, "submitted")
    assert not may(assessor, "assessment.read", assessment)


@pytest.mark.parametrize("stage", DOSSIER_STAGES)
def test_may_know_is_about_whose_thing_it_is_and_not_about_its_stage(cast: Cast, stage: str) -> None:
    put(cast.dossiers, stage)
    known: dict[str, Callable[[type], set[str]]] = {
        "candidate": lambda kind: {"own"} if kind in (Dossier, Evidence, Statement) else set(),
        "supervisor": lambda kind: {"own"} if kind is Statement else set(),
        "assessor": lambda kind: {"own"} if kind is Assessment else set(),
        "office": lambda kind: {"own", "other"} if kind is Assessment else set(),
        "auditor": lambda kind: set(),
    }
    for (role, actor), kind in product(cast.actors.items(), (Dossier, Evidence, Statement, Assessment)):
        assert {whose for thing, whose in cells(cast, kind) if may_know(actor, thing)} == known[role](kind), (role, kind)
        assert not any(may_know(None, thing) for thing, _ in cells(cast, kind))


def test_stages_of_each_kind() -> None:
    assert permissions.stages_of(Statement) == STATEMENT_STAGES
    assert permissions.stages_of(Dossier) == permissions.stages_of(Evidence) == DOSSIER_STAGES
