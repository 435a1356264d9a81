"""Who may do what: one table of role × action × stage × predicate. What is not listed is refused.

An actor is an ``Account`` (with its roles) or, for a supervisor, the ``Statement`` that his link opened. A thing is the
record that the action is about; actions without a thing are about what is one's own by nature (a list, an account).
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.accounts.models import Account
from app.assessment import assignment
from app.assessment.assignment import OPEN_FOR_JUDGING
from app.assessment.models import Assessment
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import DOSSIER_STAGES, STATEMENT_STAGES, Dossier, Evidence, Statement

Actor = Account | Statement
Predicate = Callable[[Actor, object], bool]


def anyone(actor: Actor, thing: object) -> bool:
    return True


def owns(actor: Actor, thing: object) -> bool:
    dossier = thing.dossier if isinstance(thing, Evidence | Statement) else thing
    return isinstance(actor, Account) and isinstance(dossier, Dossier) and dossier.owner_id == actor.id


def is_assigned(actor: Actor, thing: object) -> bool:
    """Assigned now, and still without a conflict of interest: an assessor may be asked as supervisor later on."""
    return (
        isinstance(actor, Account)
        and isinstance(thing, Assessment)
        and assignment.current(thing, actor) is not None
        and assignment.conflict_of(actor, thing.dossier) is None
    )


def is_own_statement(actor: Actor, thing: object) -> bool:
    return isinstance(actor, Statement) and isinstance(thing, Statement) and actor.id == thing.id


@dataclass(frozen=True)
class Rule:
    """``kind`` is the class of the thing, ``None`` without one; ``stages`` are the thing's (or its dossier's)."""

    action: str
    role: str
    kind: type | None = None
    stages: tuple[str, ...] = ()
    when: Predicate = anyone


AFTER_SUBMISSION = ("submitted", "in_assessment", "decided")
RULES: tuple[Rule, ...] = (
    Rule("account.edit", "candidate"),
    Rule("account.edit", "assessor"),
    Rule("account.edit", "office"),
    Rule("account.edit", "auditor"),
    Rule("dossier.list", "candidate"),
    Rule("dossier.start", "candidate"),
    Rule("dossier.read", "candidate", Dossier, DOSSIER_STAGES, owns),
    Rule("dossier.edit", "candidate", Dossier, OPEN_STAGES, owns),
    Rule("dossier.submit", "candidate", Dossier, OPEN_STAGES, owns),
    Rule("dossier.receipt", "candidate", Dossier, AFTER_SUBMISSION, owns),
    Rule("evidence.read", "candidate", Evidence, DOSSIER_STAGES, owns),
    Rule("statement.manage", "candidate", Statement, OPEN_STAGES, owns),
    Rule("statement.fill", "supervisor", Statement, ("invited",), is_own_statement),
    Rule("statement.read", "supervisor", Statement, ("invited", "signed", "declined"), is_own_statement),
    Rule("assessment.list", "assessor"),
    Rule("assessment.read", "assessor", Assessment, OPEN_FOR_JUDGING, is_assigned),
    Rule("audit.read", "office"),
    Rule("audit.read", "auditor"),
    Rule("office.queue", "office"),
    Rule("office.plugins", "office"),
    Rule("assessment.assign", "office", Assessment, OPEN_FOR_JUDGING),
)
ACTIONS = tuple(dict.fromkeys(rule.action for rule in RULES))


def roles_of(actor: Actor) -> frozenset[str]:
    return frozenset({"supervisor"}) if isinstance(actor, Statement) else actor.roles


def stage_of(action: str, thing: object) -> str:
    """The stage that counts for an action: of the statement where its supervisor acts, of the dossier elsewhere."""
    if isinstance(thing, Statement) and action in ("statement.fill", "statement.read"):
        return thing.stage
    if isinstance(thing, Dossier):
        return thing.stage
    if isinstance(thing, Evidence | Statement | Assessment):
        return thing.dossier.stage
    return ""


def may(actor: Actor | None, action: str, thing: object = None) -> bool:
    """Whether this actor may do this to this thing now."""
    if actor is None:
        return False
    roles = roles_of(actor)
    return any(
        rule.action == action
        and rule.role in roles
        and (thing is None if rule.kind is None else isinstance(thing, rule.kind))
        and (rule.kind is None or stage_of(action, thing) in rule.stages)
        and rule.when(actor, thing)
        for rule in RULES
    )


def may_know(actor: Actor | None, thing: object) -> bool:
    """Whether this actor may do anything at all with this thing at some stage: else it does not exist for him."""
    if actor is None:
        return False
    roles = roles_of(actor)
    return any(
        rule.role in roles and rule.kind is not None and isinstance(thing, rule.kind) and rule.when(actor, thing)
        for rule in RULES
    )


def stages_of(kind: type) -> tuple[str, ...]:
    """All stages that a kind of thing can be in, for the generated tests."""
    return STATEMENT_STAGES if kind is Statement else DOSSIER_STAGES
