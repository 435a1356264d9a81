"""The stages of dossiers and snapshots, and the one way to move between them."""

from typing import TypeVar

from sqlalchemy import CursorResult, or_, update

from app.dossiers.models import Dossier, Snapshot, Statement
from app.errors import Conflict, Forbidden
from app.extensions import now, session
from app.texts import both

TRANSITIONS: dict[type, dict[str, frozenset[str]]] = {
    Dossier: {
        "draft": frozenset({"submitted", "withdrawn"}),
        "submitted": frozenset({"in_assessment", "returned", "withdrawn"}),
        "in_assessment": frozenset({"decided", "withdrawn"}),
        "returned": frozenset({"submitted", "withdrawn"}),
        "decided": frozenset(),
        "withdrawn": frozenset(),
    },
    Snapshot: {"submitted": frozenset({"sealed"}), "sealed": frozenset({"handed_over"}), "handed_over": frozenset()},
    Statement: {
        "invited": frozenset({"signed", "declined", "revoked"}),
        "signed": frozenset({"revoked"}),
        "declined": frozenset(),
        "revoked": frozenset(),
    },
}
OPEN_STAGES = ("draft", "returned")

Record = TypeVar("Record", Dossier, Snapshot, Statement)


def advance(record: Record, to: str, **changes: object) -> Record:
    """Moves ``record`` to stage ``to`` with a conditional UPDATE, writing ``changes`` with it.

    Raises ``Conflict`` when the record is elsewhere by now, so that double clicks, retries and resumes do no harm.
    """
    kind = type(record)
    stages = [stage for stage, reachable in TRANSITIONS[kind].items() if to in reachable]
    still_wanted = [Snapshot.abandoned_at.is_(None)] if kind is Snapshot else []
    session.flush()
    moved = session.execute(
        update(kind)
        .where(kind.id == record.id, kind.stage.in_(stages), *still_wanted)
        .values(stage=to, **changes)
        .execution_options(synchronize_session=False)
    )
    session.refresh(record)
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        raise Conflict(
            both("Dit is intussen al gebeurd of veranderd. Ververs de pagina om te zien hoe het nu staat."),
            stage=record.stage,
            wanted=to,
        )
    return record


def change_language(dossier: Dossier, language: str) -> None:
    """The language of its documents, only while it is open. Raises ``Forbidden`` once submitted."""
    session.flush()
    changed = session.execute(
        update(Dossier)
        .where(Dossier.id == dossier.id, Dossier.stage.in_(OPEN_STAGES))
        .values(language=language)
        .execution_options(synchronize_session=False)
    )
    session.refresh(dossier)
    if not isinstance(changed, CursorResult) or changed.rowcount != 1:
        raise Forbidden(both("Dit dossier is ingediend. U kunt het niet meer wijzigen."))


def abandon_snapshots(dossier: Dossier) -> None:
    """Nobody waits any more for what was not handed over or not delivered elsewhere: a worker that is busy with it stops at
    its next stage, and no bundle goes to another body after its dossier was withdrawn or returned.
    """
    session.flush()
    undone = or_(Snapshot.stage != "handed_over", Snapshot.delivered_at.is_(None))
    session.execute(
        update(Snapshot)
        .where(Snapshot.dossier_id == dossier.id, undone, Snapshot.abandoned_at.is_(None))
        .values(abandoned_at=now(), error=None, next_attempt_at=None)
        .execution_options(synchronize_session="fetch")
    )
