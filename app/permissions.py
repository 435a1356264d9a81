"""Who may do what: one table of role × action × stage × predicate. What is not listed is refused.

An actor is an ``Account`` (with its roles) or, for a supervisor, the ``Statement`` that his link opened. A thing is the
record that the action is about; actions without a thing are about what is one's own by nature (a list, an account).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from app.accounts.models import ROLES, Account
from app.assessment import assignment
from app.assessment.assignment import OPEN_FOR_JUDGING
from app.assessment.conflicts import conflict_of
from app.assessment.models import Assessment
from app.development.models import LogEntry, LogFile
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import DOSSIER_STAGES, STATEMENT_STAGES, Dossier, Evidence, Mentorship, Statement
from app.texts import both

Actor = Account | Statement
Predicate = Callable[[Actor, object], bool]


def anyone(actor: Actor, thing: object) -> bool:
    return True


def owns(actor: Actor, thing: object) -> bool:
    dossier = dossier_of(thing)
    return isinstance(actor, Account) and dossier is not None and dossier.owner_id == actor.id


def is_impartial(actor: Actor, thing: object) -> bool:
    """Nobody of the office handles his own dossier, or that of somebody whom he supervised or mentored. Asks the database:
    for one thing at a time, not for the rows of a list.
    """
    dossier = dossier_of(thing)
    return isinstance(actor, Account) and dossier is not None and conflict_of(actor, dossier) is None


def is_assigned(actor: Actor, thing: object) -> bool:
    """Assigned now, and still without a conflict of interest: an assessor may be asked as supervisor later on."""
    return (
        isinstance(actor, Account)
        and isinstance(thing, Assessment)
        and assignment.current(thing, actor) is not None
        and assignment.conflict_of(actor, thing.dossier) is None
    )


def has_declared(actor: Actor, thing: object) -> bool:
    """Assigned now, and he declared having no conflict of interest."""
    if not (isinstance(actor, Account) and isinstance(thing, Assessment) and is_assigned(actor, thing)):
        return False
    current = assignment.current(thing, actor)
    return current is not None and current.declared_at is not None


def is_mentor(actor: Actor, thing: object) -> bool:
    return was_mentor(actor, thing) and isinstance(thing, Mentorship) and thing.ended_at is None


def was_mentor(actor: Actor, thing: object) -> bool:
    """He accepted; since then it may have ended."""
    return isinstance(actor, Account) and isinstance(thing, Mentorship) and thing.mentor_id == actor.id


def may_become_mentor(actor: Actor, thing: object) -> bool:
    """Whoever has the mailed link of an open invitation, but not the candidate himself. Who accepted may do so again."""
    return (
        isinstance(actor, Account)
        and isinstance(thing, Mentorship)
        and thing.mentor_id in (None, actor.id)
        and thing.ended_at is None
        and thing.dossier.owner_id != actor.id
    )


def is_own_log(actor: Actor, thing: object) -> bool:
    """A development log is its owner's: nobody else sees it until a dossier takes it over."""
    return isinstance(actor, Account) and isinstance(thing, LogEntry | LogFile) and thing.owner_id == actor.id


def is_own_statement(actor: Actor, thing: object) -> bool:
    return isinstance(actor, Statement) and isinstance(thing, Statement) and actor.id == thing.id


@dataclass(frozen=True)
class Rule:
    """``kind`` is the class of the thing, ``None`` without one; ``stages`` are the thing's (or its dossier's);
    none where it has no stages.
    """

    action: str
    role: str
    kind: type | None = None
    stages: tuple[str, ...] = ()
    when: Predicate = anyone


AFTER_SUBMISSION = ("submitted", "in_assessment", "decided")
UNDECIDED = ("draft", "submitted", "in_assessment", "returned")
RULES: tuple[Rule, ...] = (
    *(Rule("account.edit", role) for role in ROLES),
    *(Rule("messages.read", role) for role in ROLES),
    # the candidate
    Rule("dossier.list", "candidate"),
    Rule("dossier.start", "candidate"),
    Rule("dossier.read", "candidate", Dossier, DOSSIER_STAGES, owns),
    Rule("dossier.edit", "candidate", Dossier, OPEN_STAGES, owns),
    Rule("dossier.submit", "candidate", Dossier, OPEN_STAGES, owns),
    Rule("dossier.receipt", "candidate", Dossier, AFTER_SUBMISSION, owns),
    Rule("dossier.withdraw", "candidate", Dossier, UNDECIDED, owns),
    Rule("log.list", "candidate"),
    Rule("log.edit", "candidate", LogEntry, (), is_own_log),
    Rule("log.file", "candidate", LogFile, (), is_own_log),
    Rule("evidence.read", "candidate", Evidence, DOSSIER_STAGES, owns),
    Rule("statement.manage", "candidate", Statement, OPEN_STAGES, owns),
    Rule("mentorship.manage", "candidate", Mentorship, OPEN_STAGES, owns),
    # the supervisor, and the mentor
    Rule("statement.fill", "supervisor", Statement, ("invited",), is_own_statement),
    Rule("statement.read", "supervisor", Statement, ("invited", "signed", "declined"), is_own_statement),
    *(Rule("mentorship.accept", role, Mentorship, OPEN_STAGES, may_become_mentor) for role in ROLES),
    Rule("mentorship.list", "mentor"),
    Rule("mentorship.read", "mentor", Mentorship, DOSSIER_STAGES, was_mentor),  # that it is, and how it stands: no content
    Rule("mentorship.comment", "mentor", Mentorship, OPEN_STAGES, is_mentor),
    # the assessor
    Rule("assessment.list", "assessor"),
    Rule("assessment.declare", "assessor", Assessment, OPEN_FOR_JUDGING, is_assigned),
    Rule("assessment.read", "assessor", Assessment, OPEN_FOR_JUDGING, has_declared),
    Rule("assessment.judge", "assessor", Assessment, ("in_assessment",), has_declared),
    # the office
    Rule("office.home", "office"),
    Rule("office.dossiers", "office"),
    Rule("office.dossier", "office", Dossier, DOSSIER_STAGES, is_impartial),
    Rule("office.documents", "office", Dossier, (*AFTER_SUBMISSION, "returned"), is_impartial),
    Rule("office.note", "office", Dossier, DOSSIER_STAGES, is_impartial),
    Rule("office.fee", "office", Dossier, DOSSIER_STAGES, is_impartial),
    Rule("office.admit", "office", Dossier, ("submitted",), is_impartial),
    Rule("office.extend", "office", Dossier, OPEN_STAGES, is_impartial),
    Rule("office.resend", "office", Dossier, DOSSIER_STAGES, is_impartial),
    Rule("office.withdraw", "office", Dossier, UNDECIDED, is_impartial),
    Rule("assessment.assign", "office", Assessment, OPEN_FOR_JUDGING, is_impartial),
    Rule("office.stuck", "office"),
    Rule("office.mails", "office"),
    Rule("office.people", "office"),
    Rule("office.register", "office"),
    Rule("office.plugins", "office"),
    Rule("audit.read", "office"),
    # who only looks
    Rule("audit.read", "auditor"),
)
ACTIONS = tuple(dict.fromkeys(rule.action for rule in RULES))
LEAVE_IT = both("U hebt een band met deze kandidaat, of het is uw eigen dossier: een collega behandelt het.")
OFFICE_ACTIONS = frozenset(rule.action for rule in RULES if rule.when is is_impartial)


def dossier_of(thing: object) -> Dossier | None:
    """The dossier that a thing belongs to."""
    if isinstance(thing, Evidence | Statement | Mentorship | Assessment):
        return thing.dossier
    return thing if isinstance(thing, Dossier) else None


def roles_of(actor: Actor) -> frozenset[str]:
    return frozenset({"supervisor"}) if isinstance(actor, Statement) else actor.roles


def stage_of(action: str, thing: object) -> str:
    """The stage that counts for an action: of the statement where its supervisor acts, of the dossier elsewhere."""
    if isinstance(thing, Statement) and action in ("statement.fill", "statement.read"):
        return thing.stage
    dossier = dossier_of(thing)
    return dossier.stage if dossier is not None else ""


def may(actor: Actor | None, action: str, thing: object = None) -> bool:
    """Whether this actor may do this to this thing now."""
    return bool(may_each(actor, (action,), thing))


def may_each(
    actor: Actor | None, actions: Collection[str], thing: object = None, *, knowing: Collection[Predicate] = ()
) -> frozenset[str]:
    """Which of these actions this actor may do to this thing now. Each predicate is asked once, and not at all when the guard of
    the page found it true already (``knowing``): it may ask the database.
    """
    if actor is None:
        return frozenset()
    roles, found = roles_of(actor), dict.fromkeys(knowing, True)
    allowed = set()
    for rule in RULES:
        if (
            rule.action in actions
            and rule.role in roles
            and (thing is None if rule.kind is None else isinstance(thing, rule.kind))
            and (not rule.stages or stage_of(rule.action, thing) in rule.stages)
        ):
            if rule.when not in found:
                found[rule.when] = rule.when(actor, thing)
            if found[rule.when]:
                allowed.add(rule.action)
    return frozenset(allowed)


def may_know(actor: Actor | None, thing: object) -> bool:
    """Whether this actor may do anything at all with this thing at some stage: else it does not exist for him."""
    if actor is None:
        return False
    roles = roles_of(actor)
    return any(
        rule.role in roles and rule.kind is not None and isinstance(thing, rule.kind) and rule.when(actor, thing)
        for rule in RULES
    )


def is_partial_office(actor: Actor | None, thing: object) -> bool:
    """Somebody of the office who sees in his lists that this dossier is there, and has to leave it to a colleague."""
    if not isinstance(actor, Account) or "office" not in actor.roles or not isinstance(thing, Dossier | Assessment):
        return False
    return not is_impartial(actor, thing)


def stages_of(kind: type) -> tuple[str, ...]:
    """All stages that a kind of thing can be in, for the generated tests."""
    return STATEMENT_STAGES if kind is Statement else DOSSIER_STAGES
