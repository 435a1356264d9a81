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
from app.development.models import LogEntry, LogFile
from app.dossiers import invitations
from app.dossiers.models import DOSSIER_STAGES, STATEMENT_STAGES, Dossier, Evidence, Mentorship, Statement
from app.extensions import now, session, transaction
from app.permissions import ACTIONS, RULES, may, may_know

DOSSIER = ("draft", "submitted", "in_assessment", "decided", "returned", "withdrawn")
OPEN = ("draft", "returned")
JUDGED = ("submitted", "in_assessment")
UNDECIDED = ("draft", "submitted", "in_assessment", "returned")
EVERYBODY = ("candidate", "mentor", "assessor", "office", "auditor")
# The table once more, by hand: action -> (role, kind of thing, stages, whose). A change of the rights is a change here.
TABLE: dict[str, list[tuple[str, type | None, tuple[str, ...], str]]] = {
    "account.edit": [(role, None, (), "") for role in EVERYBODY],
    "messages.read": [(role, None, (), "") for role in EVERYBODY],
    "dossier.list": [("candidate", None, (), "")],
    "dossier.start": [("candidate", None, (), "")],
    "dossier.read": [("candidate", Dossier, DOSSIER, "own")],
    "dossier.edit": [("candidate", Dossier, OPEN, "own")],
    "dossier.submit": [("candidate", Dossier, OPEN, "own")],
    "dossier.receipt": [("candidate", Dossier, ("submitted", "in_assessment", "decided"), "own")],
    "dossier.withdraw": [("candidate", Dossier, UNDECIDED, "own")],
    "mentorship.manage": [("candidate", Mentorship, OPEN, "own")],
    "mentorship.accept": [*((role, Mentorship, OPEN, "other") for role in EVERYBODY), ("mentor", Mentorship, OPEN, "own")],
    "mentorship.list": [("mentor", None, (), "")],
    "mentorship.read": [("mentor", Mentorship, DOSSIER, "own")],
    "mentorship.comment": [("mentor", Mentorship, OPEN, "own")],
    "log.list": [("candidate", None, (), "")],
    "log.edit": [("candidate", LogEntry, (), "own")],
    "log.file": [("candidate", LogFile, (), "own")],
    "evidence.read": [("candidate", Evidence, DOSSIER, "own")],
    "statement.manage": [("candidate", Statement, OPEN, "own")],
    "statement.fill": [("supervisor", Statement, ("invited",), "own")],
    "statement.read": [("supervisor", Statement, ("invited", "signed", "declined"), "own")],
    "assessment.list": [("assessor", None, (), "")],
    "assessment.read": [("assessor", Assessment, JUDGED, "own")],
    "audit.read": [("office", None, (), ""), ("auditor", None, (), "")],
    "assessment.declare": [("assessor", Assessment, JUDGED, "own")],
    "assessment.judge": [("assessor", Assessment, ("in_assessment",), "own")],
    "office.home": [("office", None, (), "")],
    "office.dossiers": [("office", None, (), "")],
    "office.dossier": [("office", Dossier, DOSSIER, "any")],
    "office.documents": [("office", Dossier, ("submitted", "in_assessment", "decided", "returned"), "any")],
    "office.note": [("office", Dossier, DOSSIER, "any")],
    "office.fee": [("office", Dossier, DOSSIER, "any")],
    "office.admit": [("office", Dossier, ("submitted",), "any")],
    "office.extend": [("office", Dossier, OPEN, "any")],
    "office.resend": [("office", Dossier, DOSSIER, "any")],
    "office.withdraw": [("office", Dossier, UNDECIDED, "any")],
    "office.stuck": [("office", None, (), "")],
    "office.mails": [("office", None, (), "")],
    "office.people": [("office", None, (), "")],
    "office.register": [("office", None, (), "")],
    "office.plugins": [("office", None, (), "")],
    "assessment.assign": [("office", Assessment, JUDGED, "any")],
}
KINDS = (None, Dossier, Evidence, Statement, Mentorship, Assessment, LogEntry, LogFile)


@dataclass
class Cast:
    """Two sets of everything; each actor has the first as his own and the second as another's. The
    other mentorship is one that nobody accepted yet."""

    actors: dict[str, Account | Statement]
    things: dict[type, tuple[Any, Any]]
    dossiers: tuple[Dossier, Dossier]


@pytest.fixture
def cast(world: World) -> Cast:
    sanne, piet = world.account("Sanne de Vries"), world.account("Piet Post")
    mentor, assessor, office, auditor = (
        world.account("Men Tor", "mentor"),
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
            session.execute(update(Dossier).where(Dossier.id == dossier.id).values(stage="in_assessment"))
        mentorship = invited_mentor(dossier, mentor if owner is sanne else None)
        assessment = session.query(Assessment).filter_by(dossier_id=dossier.id).one()
        sets.append((dossier, evidence, statement, mentorship, assessment, *noted(owner)))
    with transaction():
        assignment.assign(sets[0][4], assessor, by=office).declared_at = now()
    kinds = (Dossier, Evidence, Statement, Mentorship, Assessment, LogEntry, LogFile)
    return Cast(
        actors={
            "candidate": sanne,
            "mentor": mentor,
            "assessor": assessor,
            "office": office,
            "auditor": auditor,
            "supervisor": sets[0][2],
        },
        things={kind: (sets[0][place], sets[1][place]) for place, kind in enumerate(kinds)},
        dossiers=(sets[0][0], sets[1][0]),
    )


def noted(owner: Account) -> tuple[LogEntry, LogFile]:
    """An entry of somebody's development log with a file."""
    with transaction():
        entry = LogEntry(owner_id=owner.id, key="formulier", kind="a", option="", date=now().date(), title="Training", hours="2")
        session.add(entry)
        session.flush()
        item = LogFile(owner_id=owner.id, entry_id=entry.id, name="a.pdf", kind="pdf", original_sha256="0" * 64, original_size=1)
        session.add(item)
    return entry, item


def invited_mentor(dossier: Dossier, mentor: Account | None) -> Mentorship:
    """A mentorship that was accepted, or nobody's yet."""
    with transaction():
        mentorship = Mentorship(
            dossier_id=dossier.id,
            name="Men Tor",
            email="men.tor@voorbeeld.nl",
            language="nl",
            mentor_id=mentor.id if mentor else None,
            accepted_at=now() if mentor else None,
            token_sha256=f"{dossier.id:064d}",
            token_expires_at=now(),
        )
        session.add(mentorship)
    return mentorship


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
        (role, kind) == (rule_role, rule_kind) and (not stages or stage in stages) and rule_whose in ("", "any", whose)
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
        assignment.assign(cast.things[Assessment][0], both, by=None).declared_at = now()
    assert may(both, "assessment.read", cast.things[Assessment][0])
    assert not may(both, "dossier.read", cast.dossiers[0])
    assert not may(both, "office.home")


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
        invitations.revoke(cast.things[Statement][0])
    world.invite(cast.dossiers[0], assessor.email)
    put(cast.dossiers, "submitted")
    assert not may(assessor, "assessment.read", assessment)


def test_r7_somebody_of_the_office_with_a_tie_to_the_candidate_leaves_everything_to_a_colleague(world: World, cast: Cast) -> None:
    office, own = world.account("Of Tied", "office"), cast.things
    put(cast.dossiers, "returned")
    with transaction():
        invitations.revoke(cast.things[Statement][1])
    world.invite(cast.dossiers[1], office.email, name="Of Tied")
    for stage in DOSSIER_STAGES:
        put(cast.dossiers, stage)
        for action, kind in product(TABLE, (Dossier, Assessment)):
            assert may(office, action, own[kind][0]) == allowed(action, "office", kind, stage, "any"), (action, stage)
            assert not may(office, action, own[kind][1]), (action, stage)


@pytest.mark.parametrize("stage", DOSSIER_STAGES)
def test_may_know_is_about_whose_thing_it_is_and_not_about_its_stage(cast: Cast, stage: str) -> None:
    put(cast.dossiers, stage)
    known: dict[str, Callable[[type], set[str]]] = {
        "candidate": lambda kind: {"own"} if kind is not Assessment else set(),
        "supervisor": lambda kind: {"own"} if kind is Statement else set(),
        "mentor": lambda kind: {"own"} if kind is Mentorship else set(),
        "assessor": lambda kind: {"own"} if kind is Assessment else set(),
        "office": lambda kind: {"own", "other"} if kind in (Dossier, Assessment) else set(),
        "auditor": lambda kind: set(),
    }
    for (role, actor), kind in product(cast.actors.items(), KINDS[1:]):
        asked = {"other"} if kind is Mentorship and isinstance(actor, Account) else set()
        assert {whose for thing, whose in cells(cast, kind) if may_know(actor, thing)} == known[role](kind) | asked, (
            role,
            kind,
        )
        assert not any(may_know(None, thing) for thing, _ in cells(cast, kind))


def test_stages_of_each_kind() -> None:
    assert permissions.stages_of(Statement) == STATEMENT_STAGES
    assert permissions.stages_of(Dossier) == permissions.stages_of(Evidence) == DOSSIER_STAGES
