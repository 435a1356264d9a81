"""The timeline of a dossier: what happened and when, in codes that pages and documents put into words."""

from collections.abc import Sequence

from sqlalchemy import select

from app.dossiers.models import Dossier, DossierEvent
from app.extensions import session


def note(dossier: Dossier, kind: str) -> None:
    """Adds a line, such as "created", "submitted", "sealed", "handed_over", "assigned"."""
    session.add(DossierEvent(dossier_id=dossier.id, kind=kind))


def timeline(dossier: Dossier) -> Sequence[DossierEvent]:
    """All lines, oldest first."""
    return session.scalars(select(DossierEvent).where(DossierEvent.dossier_id == dossier.id).order_by(DossierEvent.id)).all()
