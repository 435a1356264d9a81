"""Files that arrive in parts, so that a lost connection costs one part: the bytes so far, each file in one of its own.

``room`` is the folder of one dossier (``Settings.uploads`` / its id). A file is known by what its sender says of it, so that
whoever chooses the same file again goes on where it stopped. How far it is, is the size of the file here and nothing else: what
was half written when the power went is simply there, and the sender is told where to go on.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import Conflict, InvalidInput, NotFound, TooLarge
from app.files.store import disk_troubles
from app.texts import both

PART = 1 << 20
"""Bytes in one part, at most."""
MOST = 10
"""Files of one dossier on their way at the same time; starting another forgets the one that was quiet longest."""
KEPT_SECONDS = 24 * 3600
QUIET_SECONDS = 300
"""A file of which nothing was heard for so long makes place for another."""


@dataclass(frozen=True)
class Coming:
    """A file as its sender describes it: ``size`` in bytes, ``modified`` in milliseconds, ``use``: where it is to go."""

    name: str
    size: int
    modified: int
    use: str = ""

    @property
    def id(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


class WrongPlace(Conflict):
    """The part does not join on to what is here. ``details['at']`` is where the sender should go on."""


def start(room: Path, coming: Coming, *, most: int | None = None) -> int:
    """Makes a place for the file, or finds it; gives the number of bytes that are here.

    ``most``: bytes that the files on their way may be together. What was quiet for a while makes place; raises ``TooLarge`` when
    the others are still being sent.
    """
    with disk_troubles():
        room.mkdir(parents=True, exist_ok=True, mode=0o700)
        if most is not None:
            _make_place(room, coming, most)
        if not _about(room, coming.id).exists():
            for old in sorted(room.glob("*.json"), key=_age)[: -MOST + 1]:
                forget(room, old.stem)
            _bytes(room, coming.id).touch(mode=0o600)
            _write(room, coming.id, {"coming": asdict(coming)})
        _bytes(room, coming.id).touch(mode=0o600)  # also if only this one got lost; and it is in use now
    return _bytes(room, coming.id).stat().st_size


def _make_place(room: Path, coming: Coming, most: int) -> None:
    on_their_way = {
        path.stem: path for path in room.glob("*.json") if path.stem != coming.id and _bytes(room, path.stem).exists()
    }
    sizes = {upload_id: find(room, upload_id).size for upload_id in on_their_way}
    for upload_id, about in sorted(on_their_way.items(), key=lambda one: _age(one[1])):
        if coming.size + sum(sizes.values()) <= most:
            return
        if _age(about) < time.time() - QUIET_SECONDS:
            forget(room, upload_id)
            del sizes[upload_id]
    if coming.size + sum(sizes.values()) > most:
        raise TooLarge(both("Met de bestanden die nu onderweg zijn, is uw bewijsmap vol. Wacht tot die er zijn."))


def find(room: Path, upload_id: str) -> Coming:
    """What was said of the file when it was started. Raises ``NotFound`` for one that is not (any more) on its way."""
    return Coming(**_read(room, upload_id)["coming"])


def add(room: Path, upload_id: str, at: int, data: bytes) -> int:
    """Puts a part behind the ``at`` bytes that are here and gives how many there are then.

    Raises ``WrongPlace`` when there are more or fewer (the same part sent twice, or another window was faster), ``InvalidInput``
    for a part that is empty, too large, or goes past the size that was said.
    """
    coming = find(room, upload_id)
    if not 0 < len(data) <= PART or at + len(data) > coming.size:
        raise InvalidInput(both("Dit deel van het bestand past niet. Kies het bestand opnieuw."))
    if not _bytes(room, upload_id).exists():  # it was finished
        raise _not_here()
    with disk_troubles(), _bytes(room, upload_id).open("r+b") as target:
        fcntl.flock(target, fcntl.LOCK_EX)
        here = target.seek(0, os.SEEK_END)
        if here != at:
            raise WrongPlace(both("Een deel van het bestand was er al. Wij gaan verder waar het stopte."), at=here)
        target.write(data)
    return at + len(data)


def whole(room: Path, upload_id: str, sha256: str = "") -> Path:
    """The file, once all of it is here and it is what the sender has (``sha256``, where he could tell).

    Otherwise it is thrown away, to be sent again. Raises ``WrongPlace`` when more is to come.
    """
    coming, path = find(room, upload_id), _bytes(room, upload_id)
    here = path.stat().st_size if path.exists() else 0
    if here != coming.size:
        raise WrongPlace(both("Het bestand is nog niet helemaal aangekomen."), at=here)
    if sha256:
        with path.open("rb") as stream:
            arrived = hashlib.file_digest(stream, "sha256").hexdigest()
        if arrived != sha256:
            forget(room, upload_id)
            raise InvalidInput(
                both("“%(name)s” is onderweg beschadigd of intussen gewijzigd. Kies het bestand opnieuw.", name=coming.name)
            )
    return path


def note_done(room: Path, upload_id: str, record: int) -> None:
    """Remembers what became of the file, in case the sender did not hear it; its bytes are not needed any more."""
    with disk_troubles():
        _write(room, upload_id, {"coming": asdict(find(room, upload_id)), "record": record})
        _bytes(room, upload_id).unlink(missing_ok=True)


def done(room: Path, upload_id: str) -> int | None:
    """What ``note_done`` remembered."""
    try:
        record: int | None = _read(room, upload_id).get("record")
    except NotFound:
        return None
    return record


def forget(room: Path, upload_id: str) -> None:
    with disk_troubles():
        _about(room, upload_id).unlink(missing_ok=True)
        _bytes(room, upload_id).unlink(missing_ok=True)


def forget_old(root: Path, *, older_than_seconds: float = KEPT_SECONDS) -> int:
    """Throws away, in the rooms of all dossiers, what nobody went on with; gives the number of files."""
    before = time.time() - older_than_seconds
    gone = {path.with_suffix(".json") for path in root.glob("*/*.*") if _age(path.with_suffix(".json")) < before}
    for about in gone:
        for path in about.parent.glob(f"{about.stem}.*"):
            path.unlink(missing_ok=True)
    return len(gone)


def _age(about: Path) -> float:
    """When something was last heard of this file."""
    return max((path.stat().st_mtime for path in about.parent.glob(f"{about.stem}.*")), default=0.0)


def _about(room: Path, upload_id: str) -> Path:
    return _checked(room, upload_id).with_suffix(".json")


def _bytes(room: Path, upload_id: str) -> Path:
    return _checked(room, upload_id).with_suffix(".part")


def _checked(room: Path, upload_id: str) -> Path:
    if not re.fullmatch("[0-9a-f]{32}", upload_id):
        raise _not_here()
    return room / upload_id


def _read(room: Path, upload_id: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(_about(room, upload_id).read_text())
    except (FileNotFoundError, ValueError):
        raise _not_here() from None
    return found


def _write(room: Path, upload_id: str, about: dict[str, Any]) -> None:
    path = _about(room, upload_id)
    aside = path.with_suffix(f".{secrets.token_hex(8)}")
    aside.write_text(json.dumps(about))
    aside.replace(path)


def _not_here() -> NotFound:
    return NotFound(both("Dit bestand is niet (meer) onderweg. Kies het opnieuw."))
