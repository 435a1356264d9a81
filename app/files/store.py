"""Files kept under the SHA-256 of their contents. Nothing is ever half there: written aside, synced, then renamed.

``root`` is the folder of the store (``Settings.blobs``). The same contents stored twice are one file, and two writers
at the same moment do not disturb each other.
"""

import errno
import hashlib
import io
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.errors import StorageFailure, TooLarge
from app.texts import both

CHUNK = 1 << 20
UNFINISHED = "unfinished"
FULL_OR_READ_ONLY = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})


@dataclass(frozen=True)
class Blob:
    """Stored contents: ``size`` in bytes."""

    sha256: str
    size: int


def put_stream(root: Path, stream: IO[bytes], *, limit: int | None = None) -> Blob:
    """Stores what ``stream`` still holds. Raises ``TooLarge`` past ``limit`` bytes, ``StorageFailure`` for the disk."""
    digest, size = hashlib.sha256(), 0
    with _new_file(root) as (temporary, target):
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if limit is not None and size > limit:
                raise too_large(limit)
            digest.update(chunk)
            target.write(chunk)
        _publish(root, temporary, target, digest.hexdigest())
    return Blob(digest.hexdigest(), size)


def put_file(root: Path, source: Path) -> Blob:
    """Stores a copy of ``source``."""
    with source.open("rb") as stream:
        return put_stream(root, stream)


def put_bytes(root: Path, data: bytes) -> Blob:
    return put_stream(root, io.BytesIO(data))


def path(root: Path, sha256: str) -> Path:
    """Where these contents stand, or would stand. Raises ``ValueError`` for anything but 64 lower-case hex digits."""
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError("a SHA-256 has 64 hexadecimal digits")
    return root / sha256[:2] / sha256


def exists(root: Path, sha256: str) -> bool:
    return path(root, sha256).is_file()


def intact(root: Path, sha256: str) -> bool:
    """Whether the contents are there and still give this hash; reads the whole file."""
    try:
        with path(root, sha256).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def remove(root: Path, sha256: str) -> None:
    """Takes the contents away, for good once this returns. Nothing happens when they are not there."""
    blob = path(root, sha256)
    with disk_troubles():
        blob.unlink(missing_ok=True)
        if blob.parent.is_dir():
            _sync_folder(blob.parent)


def remove_unfinished(root: Path, *, older_than_seconds: float = 86_400) -> int:
    """Takes away what writers that were killed left behind, and says how many files that were."""
    before = time.time() - older_than_seconds
    old = [entry for entry in (root / UNFINISHED).glob("*") if entry.stat().st_mtime < before]
    with disk_troubles():
        for entry in old:
            entry.unlink(missing_ok=True)
    return len(old)


def storage_failure() -> StorageFailure:
    """The one wording for a disk that takes nothing more."""
    return StorageFailure(
        both(
            "Het opslaan is niet gelukt, doordat de opslag vol is of niet beschikbaar is. Er is niets half opgeslagen. "
            "Probeer het later opnieuw. Lukt het dan nog niet, neem dan contact op met het secretariaat."
        )
    )


@contextmanager
def _new_file(root: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file to write to, in the same filesystem; gone afterwards unless it was renamed."""
    temporary = root / UNFINISHED / secrets.token_hex(16)
    with disk_troubles():
        temporary.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        try:
            with temporary.open("xb") as target:
                yield temporary, target
        finally:
            temporary.unlink(missing_ok=True)


def _publish(root: Path, temporary: Path, target: IO[bytes], sha256: str) -> None:
    target.flush()
    os.fchmod(target.fileno(), 0o440)
    os.fsync(target.fileno())
    blob = path(root, sha256)
    if not blob.parent.is_dir():
        blob.parent.mkdir(exist_ok=True, mode=0o750)
        _sync_folder(root)
    temporary.replace(blob)
    _sync_folder(blob.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_troubles() -> Iterator[None]:
    """Turns a disk that takes nothing more into ``StorageFailure``."""
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL_OR_READ_ONLY:
            raise storage_failure() from problem
        raise


def too_large(limit: int) -> TooLarge:
    """For a file of more than ``limit`` bytes."""
    return TooLarge(
        both(
            "Dit bestand is groter dan %(limit)s MB. Maak het kleiner, bijvoorbeeld door het in delen op te slaan of "
            "met een lagere kwaliteit te scannen, en voeg het opnieuw toe.",
            limit=limit // 1_000_000,
        )
    )
