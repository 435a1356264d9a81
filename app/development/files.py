"""The files of evidence with entries of the log. Each goes the way of every foreign file: received, checked, cleaned.

What is cleaned can be opened by its owner only, and comes in a dossier by being taken over (``taking_over``).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from sqlalchemy import func, select, update

from app.accounts.models import Account
from app.config import Settings
from app.development.models import LogEntry, LogFile
from app.errors import InvalidInput, NotFound, TooLarge
from app.extensions import now, session
from app.files.store import Blob
from app.texts import both

MOST_OF_ENTRY = 3
LOOSE_KEPT = timedelta(days=2)
"""So long a file is kept that was sent with a form that was never saved."""


def check_room(owner: Account, settings: Settings, size: int = 0) -> int:
    """Refuses a further file (of ``size`` bytes, where that is known) when the log is full, by the measure of a dossier.
    Gives the bytes for which there is room.
    """
    count, taken = session.execute(
        select(func.count(), func.coalesce(func.sum(LogFile.original_size), 0)).where(
            LogFile.owner_id == owner.id, LogFile.removed_at.is_(None)
        )
    ).one()
    if count >= settings.max_evidence or taken + size > settings.max_dossier_mb * 1_000_000:
        raise TooLarge(
            both(
                "Uw logboek is vol: er passen %(n)s bestanden in, samen %(size)s MB. Verwijder eerst een bestand.",
                n=settings.max_evidence,
                size=settings.max_dossier_mb,
            )
        )
    return settings.max_dossier_mb * 1_000_000 - taken


def receive(owner: Account, blob: Blob, name: str, kind: str, settings: Settings) -> LogFile:
    """Takes a stored file in, not with any entry yet; it will be checked. One that waits for its entry is not taken in twice."""
    same = session.scalar(
        select(LogFile).where(
            LogFile.owner_id == owner.id,
            LogFile.entry_id.is_(None),
            LogFile.original_sha256 == blob.sha256,
            LogFile.name == name,
            LogFile.removed_at.is_(None),
            LogFile.stage != "refused",
        )
    )
    if same is not None:
        return same
    check_room(owner, settings, blob.size)
    made = LogFile(owner_id=owner.id, name=name, kind=kind, original_sha256=blob.sha256, original_size=blob.size)
    session.add(made)
    session.flush()
    return made


def attach(entry: LogEntry, ids: Collection[int]) -> None:
    """Puts files of the same person that wait for an entry with this one; one that is there already is not put there twice.
    Raises ``InvalidInput`` when it gets too many.
    """
    present = [one for one in of_entries([entry]).get(entry.id, ()) if one.stage != "refused"]
    known = {one.original_sha256 for one in present}
    waiting = []
    for one in loose(entry.owner, ids):
        if one.original_sha256 in known:
            remove(one)
        else:
            waiting.append(one)
            known.add(one.original_sha256)
    if len(present) + len(waiting) > MOST_OF_ENTRY:
        raise InvalidInput(
            both("Bij een regel passen hoogstens %(n)s bestanden. Haal er eerst een weg.", n=MOST_OF_ENTRY), field="files"
        )
    for one in waiting:
        one.entry_id = entry.id


def loose(owner: Account, ids: Collection[int]) -> list[LogFile]:
    """Those of the ids that are this person's files without an entry."""
    mine = select(LogFile).where(LogFile.owner_id == owner.id, LogFile.entry_id.is_(None), LogFile.removed_at.is_(None))
    return list(session.scalars(mine.where(LogFile.id.in_(ids)).order_by(LogFile.id))) if ids else []


def remove(item: LogFile) -> None:
    item.removed_at = item.removed_at or now()


def find(owner: Account, file_id: int) -> LogFile:
    """This person's file. Raises ``NotFound``."""
    item = session.get(LogFile, file_id)
    if item is None or item.owner_id != owner.id or item.removed_at is not None:
        raise NotFound(both("Dit bestand staat niet (meer) in uw logboek."))
    return item


def of_entries(entries: Iterable[LogEntry]) -> dict[int, list[LogFile]]:
    """The files of each entry, by its id, oldest first."""
    ids = [one.id for one in entries]
    found: dict[int, list[LogFile]] = defaultdict(list)
    if ids:
        wanted = select(LogFile).where(LogFile.entry_id.in_(ids), LogFile.removed_at.is_(None))
        for one in session.scalars(wanted.order_by(LogFile.id)):
            if one.entry_id is not None:
                found[one.entry_id].append(one)
    return found


def twins(owner: Account, files: Sequence[LogFile]) -> list[LogEntry]:
    """Other entries of this person that have one of these files too, whatever it is called: the same certificate twice."""
    hashes, own = {one.original_sha256 for one in files}, {one.entry_id for one in files}
    found = session.scalars(
        select(LogEntry)
        .join(LogFile, LogFile.entry_id == LogEntry.id)
        .where(
            LogEntry.owner_id == owner.id,
            LogEntry.removed_at.is_(None),
            LogFile.removed_at.is_(None),
            LogFile.original_sha256.in_(hashes),
        )
        .order_by(LogEntry.id)
    ).unique()
    return [one for one in found if one.id not in own]


def forget_loose() -> int:
    """Takes out files whose form was never saved, and gives their number."""
    gone = session.execute(
        update(LogFile)
        .where(LogFile.entry_id.is_(None), LogFile.removed_at.is_(None), LogFile.uploaded_at < now() - LOOSE_KEPT)
        .values(removed_at=now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(gone, "rowcount", 0))
