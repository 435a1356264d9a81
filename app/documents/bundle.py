"""The bundle: one ZIP with a BagIt 1.0 bag and a detached signature on it.

The writer is our own: the library ``bagit`` makes bags of folders, in place, so that everything would be copied twice
and could not be streamed into a ZIP with fixed times. It is the stock verifier instead, in the tests.
"""

import hashlib
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.documents.signing import SealKey, new_file, sign_detached
from app.errors import SealingFailed, Text
from app.texts import both

CHUNK = 1 << 20
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
BAG_INFO = "bag-info.txt"
DECLARATION = "bagit.txt"
CHAIN = "signatures/chain.pem"
SIGNATURE = f"signatures/{TAG_MANIFEST}.p7s"
PAYLOAD = "data/"
DECLARATION_TEXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
OWN_INFO = {"payload-oxum", "bagging-date", "bag-software-agent"}

Progress = Callable[[int, int], None]
"""Called with the bytes of payload written so far, and in all."""


@dataclass(frozen=True)
class BundleFile:
    """One file of the payload: where it stands in the bag (``data/…``) and where its bytes are now."""

    path_in_bag: str
    source: Path


def pack(
    target: Path,
    files: Sequence[BundleFile],
    *,
    info: Mapping[str, str],
    key: SealKey,
    made_at: datetime,
    name: str = "",
    timestamp_url: str = "",
    progress: Progress | None = None,
) -> None:
    """Writes the bag ``name`` (default: the target's name without ending) with ``files``, in their order, to ``target``.

    ``info`` goes into ``bag-info.txt``. Nothing is compressed (evidence already is, and so the bytes do not depend on
    a compressor); memory does not grow with the files. Same input: same bytes, but for the signature.
    Raises ``SealingFailed`` for a path that may not be in a bag, a file that is missing or changes meanwhile, and a
    signature that fails; ``StorageFailure`` for the disk. Then ``target`` is untouched.
    """
    folder = name or target.stem
    _check_paths(folder, [file.path_in_bag for file in files])
    sizes = [_size(file) for file in files]
    tags = {DECLARATION: DECLARATION_TEXT, BAG_INFO: _bag_info(info, sizes, made_at), CHAIN: key.chain_pem}
    with new_file(target) as output, zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:

        def add(path: str, chunks: Iterable[bytes], size: int) -> str:
            return _add(archive, f"{folder}/{path}", chunks, size, made_at)

        def add_tag(path: str, data: bytes) -> str:
            return add(path, [data], len(data))

        digests = {path: add_tag(path, data) for path, data in tags.items()}
        total, done = sum(sizes), 0
        manifest = {}
        for file, size in zip(files, sizes, strict=True):
            manifest[file.path_in_bag] = add(file.path_in_bag, _chunks(file, size), size)
            done += size
            if progress is not None:
                progress(done, total)
        digests[MANIFEST] = add_tag(MANIFEST, manifest_text(manifest))
        tag_manifest = manifest_text(digests)
        add_tag(TAG_MANIFEST, tag_manifest)
        add_tag(SIGNATURE, sign_detached(tag_manifest, key, timestamp_url=timestamp_url))


def manifest_text(digests: Mapping[str, str]) -> bytes:
    """A manifest: per line the SHA-256 of a file and its path."""
    return "".join(f"{digest}  {path}\n" for path, digest in digests.items()).encode()


def unfit(path: str) -> bool:
    """Whether a path may not be in a bag: absolute, climbing, not plainly writable everywhere, or ambiguous in BagIt."""
    parts = path.split("/")
    return (
        any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in path)
        or any(part in ("", ".", "..") or part[0] == " " or part[-1] in " ." or len(part.encode()) > 255 for part in parts)
        # "%" is an escape in BagIt 1.0 that the stock verifier does not know; the others mean something on Windows
        or any(character in path for character in '%\\:*?"<>|')
    )


def same(path: str) -> str:
    """What two paths have in common when a disk that ignores case and composition would hold them to be one."""
    return unicodedata.normalize("NFC", path).casefold()


def _check_paths(folder: str, paths: Sequence[str]) -> None:
    if "/" in folder or unfit(folder):
        raise _failed(both("De bundel kan niet %(name)r heten.", name=folder))
    seen: set[str] = set()
    for path in paths:
        if not path.startswith(PAYLOAD) or unfit(path):
            raise _failed(both("Een bestand kan niet als %(path)r in de bundel: die naam mag niet.", path=path))
        if same(path) in seen:
            raise _failed(both("Twee bestanden in de bundel heten %(path)r.", path=path))
        seen.add(same(path))


def _size(file: BundleFile) -> int:
    try:
        return file.source.stat().st_size
    except OSError as fault:
        raise _unreadable(file) from fault


def _chunks(file: BundleFile, size: int) -> Iterator[bytes]:
    try:
        with file.source.open("rb") as source:
            while chunk := source.read(CHUNK):
                size -= len(chunk)
                yield chunk
    except OSError as fault:
        raise _unreadable(file) from fault
    if size != 0:
        raise _failed(both("Het bestand %(path)s veranderde tijdens het bundelen.", path=file.path_in_bag))


def _unreadable(file: BundleFile) -> SealingFailed:
    return _failed(both("Het bestand %(path)s ontbreekt of is niet te lezen.", path=file.path_in_bag))


def _bag_info(info: Mapping[str, str], sizes: Sequence[int], made_at: datetime) -> bytes:
    lines = {
        **info,
        "Bagging-Date": f"{made_at.astimezone(UTC):%Y-%m-%d}",
        "Bag-Software-Agent": "Loopbaandossier",
        "Payload-Oxum": f"{sum(sizes)}.{len(sizes)}",
    }
    for name, value in info.items():
        controls = any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name + value)
        if controls or not name or ":" in name or name.strip() != name or name.lower() in OWN_INFO:
            raise _failed(both("De gegevens over de bundel kloppen niet: %(name)r.", name=name))
    return "".join(f"{name}: {value}\n" for name, value in lines.items()).encode()


def _add(archive: zipfile.ZipFile, path: str, chunks: Iterable[bytes], size: int, made_at: datetime) -> str:
    entry = zipfile.ZipInfo(path, made_at.astimezone(UTC).timetuple()[:6])
    entry.create_system, entry.external_attr, entry.file_size = 3, 0o644 << 16, size
    digest = hashlib.sha256()
    with archive.open(entry, "w") as member:
        for chunk in chunks:
            digest.update(chunk)
            member.write(chunk)
    return digest.hexdigest()


def _failed(text: Text) -> SealingFailed:
    return SealingFailed(text, step="bundle")
