"""What does not go on by itself as it should: documents, deliveries, checks of files and mail. Reads only."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import contains_eager

from app.dossiers.models import Dossier, Evidence, Snapshot
from app.extensions import now, session
from app.mail import Mail

PATIENCE = timedelta(minutes=30)  # a file that waits longer than this for its check is stuck, however few the attempts
MOST = 100  # of each kind on one page


def snapshots() -> Sequence[Snapshot]:
    """Those whose last step failed and that somebody still waits for, the longest first."""
    found: Sequence[Snapshot] = session.scalars(
        _failed(select(Snapshot))
        .join(Snapshot.dossier)
        .options(contains_eager(Snapshot.dossier))
        .order_by(Snapshot.submitted_at, Snapshot.id)
        .limit(MOST)
    ).all()
    return found


def evidence() -> Sequence[tuple[Evidence, Dossier]]:
    """Files that could not be checked yet, the longest waiting first."""
    found = session.execute(
        _unchecked(select(Evidence, Dossier))
        .join(Dossier, Evidence.dossier_id == Dossier.id)
        .order_by(Evidence.uploaded_at, Evidence.id)
        .limit(MOST)
    )
    return [(item, dossier) for item, dossier in found]


def mails() -> Sequence[Mail]:
    """Mail that was given up, and mail that failed and is tried again, the oldest first."""
    found: Sequence[Mail] = session.scalars(_failing(select(Mail)).order_by(Mail.stage, Mail.id).limit(MOST)).all()
    return found


def number() -> int:
    """How many things are stuck: mail that is still tried does not count."""
    asked = (
        _failed(select(func.count(Snapshot.id))),
        _unchecked(select(func.count(Evidence.id))),
        select(func.count(Mail.id)).where(Mail.stage == "failed"),
    )
    return sum(session.scalar(query) or 0 for query in asked)


def _failed(query: Any) -> Any:
    unfinished = or_(Snapshot.stage != "handed_over", Snapshot.delivered_at.is_(None))
    return query.where(Snapshot.error.is_not(None), Snapshot.abandoned_at.is_(None), unfinished)


def _unchecked(query: Any) -> Any:
    late = or_(Evidence.attempts > 1, Evidence.uploaded_at < now() - PATIENCE)
    return query.where(Evidence.stage == "received", Evidence.removed_at.is_(None), late)


def _failing(query: Any) -> Any:
    return query.where(or_(Mail.stage == "failed", (Mail.stage == "queued") & (Mail.error != "")))
