"""What an answer was earlier: its texts with their times, and which versions of a section need not be kept."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select

from app.dossiers.models import Dossier, SectionVersion, Snapshot, Statement
from app.extensions import now, session

ALL_FOR = timedelta(hours=1)
QUARTERS_FOR = timedelta(days=1)  # longer than a login lasts: a page that stands open finds the version it was made from
QUARTER_S = 900


@dataclass(frozen=True)
class Earlier:
    """A text that an answer was. ``version``: the last one with this text; ``saved_at``: when it was first saved."""

    version: int
    text: str
    saved_at: datetime


class Saved(NamedTuple):
    """A version of a section, without its answers."""

    version: int
    saved_at: datetime
    by_itself: bool


def texts_of(dossier: Dossier, section_id: str, question_id: str) -> list[Earlier]:
    """Every text that a text question had, the one that stands now first. Earlier times at which it was empty are left out."""
    rows = session.execute(
        select(SectionVersion.version, SectionVersion.saved_at, SectionVersion.data[question_id].as_string())
        .where(SectionVersion.dossier_id == dossier.id, SectionVersion.section_id == section_id)
        .order_by(SectionVersion.version)
    )
    found: list[Earlier] = []
    for version, saved_at, text in rows:
        if found and found[-1].text == (text or ""):
            found[-1] = Earlier(version, found[-1].text, found[-1].saved_at)
        else:
            found.append(Earlier(version, text or "", saved_at))
    return [one for number, one in enumerate(reversed(found)) if one.text.strip() or number == 0]


def superfluous(versions: Sequence[Saved], moments: Iterable[datetime], at: datetime) -> list[int]:
    """The versions of one section, oldest first, that need not be kept any more.

    Kept are the newest; every one that somebody saved himself; what stood at each of the ``moments`` (a statement signed, a
    dossier submitted); and of those saved by themselves all of the last hour, then the last of each quarter of an hour for a
    day, then the last of each day. Thinning out more often gives the same as thinning out once.
    """
    keep = {one.version for one in versions[-1:]}
    for moment in moments:
        keep |= {one.version for one in [one for one in versions if one.saved_at <= moment][-1:]}
    last_of: dict[object, int] = {}
    for one in versions:
        age = at - one.saved_at
        if not one.by_itself or age < ALL_FOR:
            keep.add(one.version)
        last_of[one.saved_at.date() if age >= QUARTERS_FOR else one.saved_at.timestamp() // QUARTER_S] = one.version
    keep.update(last_of.values())
    return [one.version for one in versions if one.version not in keep]


def crowded() -> Collection[int]:
    """The ids of dossiers with a section that was saved by itself more than once."""
    counted = (
        select(SectionVersion.dossier_id)
        .where(SectionVersion.by_itself)
        .group_by(SectionVersion.dossier_id, SectionVersion.section_id)
        .having(func.count() > 1)
    )
    return sorted(set(session.scalars(counted)))


def thin_out(dossier_id: int) -> None:
    """Removes the versions of a dossier that are superfluous now."""
    signed = session.scalars(select(Statement.signed_at).where(Statement.dossier_id == dossier_id))
    submitted = session.scalars(select(Snapshot.submitted_at).where(Snapshot.dossier_id == dossier_id))
    moments = [moment for moment in (*signed, *submitted) if moment is not None]
    rows = session.execute(
        select(SectionVersion.section_id, SectionVersion.version, SectionVersion.saved_at, SectionVersion.by_itself)
        .where(SectionVersion.dossier_id == dossier_id)
        .order_by(SectionVersion.section_id, SectionVersion.version)
    )
    sections: dict[str, list[Saved]] = {}
    for section_id, version, saved_at, by_itself in rows:
        sections.setdefault(section_id, []).append(Saved(version, saved_at, by_itself))
    for section_id, versions in sections.items():
        if gone := superfluous(versions, moments, now()):
            session.execute(
                delete(SectionVersion).where(
                    SectionVersion.dossier_id == dossier_id,
                    SectionVersion.section_id == section_id,
                    SectionVersion.version.in_(gone),
                )
            )
