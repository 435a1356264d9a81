"""What somebody of the office is not shown of his own dossiers: who assesses him, and what a colleague did with it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, exists, func, literal, not_, or_, select, union_all

from app.assessment.models import Assessment, Verdict
from app.audit import AuditEntry
from app.dossiers.models import Dossier, Evidence, Mentorship, Snapshot, Statement
from app.extensions import session
from app.mail import Mail
from app.web.parts import me

KINDS: dict[str, Any] = {
    "evidence": Evidence,
    "statement": Statement,
    "mentorship": Mentorship,
    "snapshot": Snapshot,
    "assessment": Assessment,
}
# How the keys of mails begin that are about one of these and name no dossier.
KEYS: dict[Any, tuple[str, ...]] = {
    Statement: ("statement:", "statement_reminder:"),
    Mentorship: ("mentor_invitation:", "mentor_declined:", "mentorship_ended:"),
}


def has_dossiers() -> bool:
    return bool(session.scalar(select(exists().where(Dossier.owner_id == me().id))))


def _references() -> Select[str]:
    return select(Dossier.reference).where(Dossier.owner_id == me().id)


def of_others() -> ColumnElement[bool]:
    """Entries of the record that are not about one's own dossiers or anything in them."""
    own = select(Dossier.id).where(Dossier.owner_id == me().id)
    judged = select(Assessment.id).where(Assessment.dossier_id.in_(own))
    things = [
        select(literal("dossier:") + cast(Dossier.id, String)).where(Dossier.owner_id == me().id),
        select(literal("verdict:") + cast(Verdict.id, String)).where(Verdict.assessment_id.in_(judged)),
        select(literal("mail:") + cast(Mail.id, String)).where(_is_about_own()),
        *(select(literal(f"{kind}:") + cast(model.id, String)).where(model.dossier_id.in_(own)) for kind, model in KINDS.items()),
    ]
    return AuditEntry.thing.not_in(union_all(*things))


def mail_of_others() -> ColumnElement[bool]:
    """Mails that are not about one's own dossiers: their addresses tell who assesses it."""
    return not_(_is_about_own())


def visible(mails: Iterable[Mail]) -> list[Mail]:
    """Those that are not about one's own dossiers."""
    found = list(mails)
    ids = set(session.scalars(select(Mail.id).where(Mail.id.in_([one.id for one in found]), mail_of_others())))
    return [one for one in found if one.id in ids]


def _is_about_own() -> ColumnElement[bool]:
    """By the reference in it; a mail to a supervisor or a mentor has none, and is known by its key."""
    keys = [
        select(model.id)
        .join(Dossier, model.dossier_id == Dossier.id)
        .where(
            Dossier.owner_id == me().id, or_(*(Mail.key.like(literal(kind) + cast(model.id, String) + end) for end in (":%", "")))
        )
        .exists()
        for model, kinds in KEYS.items()
        for kind in kinds
    ]
    return or_(func.coalesce(Mail.data["dossier"].as_string(), "").in_(_references()), *keys)
