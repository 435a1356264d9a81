"""The timeline of a dossier: what happened and when, in codes that pages and documents put into words; and the office's notes."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from app.accounts.models import Account
from app.dossiers.answers import checked
from app.dossiers.models import Dossier, DossierEvent, OfficeNote
from app.errors import InvalidInput
from app.extensions import now, session
from app.texts import both

MAX_NOTE = 4000
DOUBLE_CLICK = timedelta(minutes=1)


def note(dossier: Dossier, kind: str) -> None:
    """Adds a line, such as "created", "submitted", "sealed", "handed_over", "assigned"."""
    session.add(DossierEvent(dossier_id=dossier.id, kind=kind))


def timeline(dossier: Dossier) -> Sequence[DossierEvent]:
    """All lines, oldest first."""
    return session.scalars(select(DossierEvent).where(DossierEvent.dossier_id == dossier.id).order_by(DossierEvent.id)).all()


def write_note(dossier: Dossier, text: str, *, by: Account) -> OfficeNote:
    """Keeps what somebody of the office wrote, for the office only. The second click of two gives the note of the first."""
    text = checked(text).strip()
    if not text:
        raise InvalidInput(both("Schrijf eerst iets op."), field="text")
    if len(text) > MAX_NOTE:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_NOTE), field="text")
    last = session.scalar(
        select(OfficeNote)
        .where(OfficeNote.dossier_id == dossier.id, OfficeNote.author_id == by.id)
        .order_by(OfficeNote.id.desc())
        .limit(1)
    )
    if last is not None and last.text == text and now() - last.at < DOUBLE_CLICK:
        return last
    made = OfficeNote(dossier_id=dossier.id, author_id=by.id, text=text)
    session.add(made)
    session.flush()
    return made


def notes(dossier: Dossier) -> Sequence[OfficeNote]:
    """The office's notes, newest first."""
    mine = select(OfficeNote).where(OfficeNote.dossier_id == dossier.id)
    return session.scalars(mine.order_by(OfficeNote.id.desc())).all()
