"""The queue of assessors: bundles come in once each; each assessor sees what is assigned to him."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.accounts.models import Account
from app.assessment.models import Assessment, Assignment, HandOver
from app.documents.models import Bundle
from app.dossiers import lifecycle, log
from app.dossiers.models import Dossier, Snapshot
from app.extensions import session


def hand_over(bundle: Bundle) -> Assessment:
    """Puts a sealed bundle in the queue, once, and moves its snapshot on. The same snapshot again gives the same assessment."""
    snapshot = bundle.snapshot
    done = session.scalar(select(HandOver).where(HandOver.snapshot_sha256 == snapshot.sha256))
    if done is not None:
        return done.assessment
    assessment = session.scalar(select(Assessment).where(Assessment.dossier_id == snapshot.dossier_id))
    if assessment is None:
        assessment = Assessment(dossier_id=snapshot.dossier_id)
        session.add(assessment)
        session.flush()
    session.add(HandOver(assessment_id=assessment.id, bundle_id=bundle.id, snapshot_sha256=snapshot.sha256))
    lifecycle.advance(snapshot, "handed_over", percent=100, step="", error=None)
    log.note(snapshot.dossier, "handed_over")
    return assessment


def assigned_to(assessor: Account) -> Sequence[Assignment]:
    """What this assessor has to judge, the longest waiting first."""
    return session.scalars(
        select(Assignment)
        .where(Assignment.assessor_id == assessor.id, Assignment.ended_at.is_(None))
        .options(joinedload(Assignment.assessment).joinedload(Assessment.dossier).joinedload(Dossier.owner))
        .order_by(Assignment.assigned_at, Assignment.id)
    ).all()


def bundles(assessment: Assessment) -> Sequence[HandOver]:
    """The bundles of an assessment, newest revision first."""
    return session.scalars(
        select(HandOver)
        .join(Bundle, HandOver.bundle_id == Bundle.id)
        .join(Snapshot, Bundle.snapshot_id == Snapshot.id)
        .where(HandOver.assessment_id == assessment.id)
        .order_by(Snapshot.revision.desc())
    ).all()
