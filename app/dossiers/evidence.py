"""The evidence folder of a dossier: taking files in, having them checked, using, naming, ordering, replacing, taking out.

A file's way: ``receive`` (row, stage received) → ``examine`` (slow, outside any transaction) → ``accept`` or ``refuse``. One that
replaces another (``receive_instead``) goes the same way and takes its place when accepted, under the same id: answers that refer
to it, its title and its place stay. A refused one leaves everything as it was.
"""

import tempfile
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import case, func, select

from app.config import Settings
from app.dossiers import answers
from app.dossiers.contents import Contents, evidence_in, evidence_used
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import CheckedFile, Dossier, Evidence
from app.errors import Conflict, FileRefused, Forbidden, InvalidInput, NotFound, TooLarge
from app.extensions import now, session
from app.files import normalise, sandbox, scan, sniff, store
from app.files.store import Blob
from app.texts import LANGUAGES, both

MAX_TITLE = 120
MOST_CHECKS = 10
"""So often is a refused file looked at again when the candidate asks for it."""
OF_THE_FILE = ("name", "kind", "stage", "original_sha256", "original_size", "cleaned_sha256", "cleaned_kind", "pages_sha256",
               "thumbnail_sha256", "pages", "rasterised", "signed", "signatures", "notes", "refusal")  # fmt: skip
"""What goes along when a file takes another's place; id, title, place and the answers' references stay."""
PICTURES = (".jpg", ".png")
Place = tuple[str, str]
REPORT_LIMITS = {"wall_seconds": 30, "memory_mb": 1024, "cpu_seconds": 30, "file_mb": 1}


@dataclass(frozen=True)
class Examined:
    """What checking a file gave: blobs are stored, nothing is written to the database yet."""

    cleaned: Blob
    cleaned_kind: str
    pages: Blob | None
    page_count: int
    rasterised: bool
    signed: bool
    signatures: list[dict[str, Any]]
    notes: list[dict[str, str]]
    thumbnail: Blob | None = None


def check_room(dossier: Dossier, settings: Settings, size: int = 0, *, instead: bool = False) -> int:
    """Refuses a further file (of ``size`` bytes, where that is known) when the dossier is not open or its folder is full.
    ``instead``: it replaces another, so only its bytes count, until it has. Gives the bytes for which there is room.
    """
    _check_open(dossier)
    count, taken = _in_use(dossier)
    if count >= settings.max_evidence and not instead:
        raise TooLarge(
            both("Uw bewijsmap is vol: er staan al %(n)s bestanden in. Verwijder eerst een bestand.", n=settings.max_evidence)
        )
    if taken + size > settings.max_dossier_mb * 1_000_000:
        raise TooLarge(
            both(
                "Uw bewijsmap is vol: samen mogen de bestanden %(n)s MB zijn. Verwijder eerst een bestand.",
                n=settings.max_dossier_mb,
            )
        )
    return settings.max_dossier_mb * 1_000_000 - taken


def _in_use(dossier: Dossier) -> tuple[int, int]:
    """How many files are in the folder, and their bytes together with those of what is to replace them."""
    count, taken = session.execute(
        select(func.count(case((Evidence.replaces_id.is_(None), 1))), func.coalesce(func.sum(Evidence.original_size), 0)).where(
            Evidence.dossier_id == dossier.id, Evidence.removed_at.is_(None), Evidence.statement_id.is_(None)
        )
    ).one()
    return count, int(taken)


def receive(dossier: Dossier, blob: Blob, name: str, kind: str, settings: Settings) -> Evidence:
    """Adds a stored file to the folder; it will be checked. The same file under the same name is not taken in twice."""
    _check_open(dossier)
    same = session.scalar(
        select(Evidence).where(
            Evidence.dossier_id == dossier.id,
            Evidence.original_sha256 == blob.sha256,
            Evidence.name == name,
            Evidence.removed_at.is_(None),
            Evidence.statement_id.is_(None),
            Evidence.replaces_id.is_(None),
            Evidence.stage != "refused",
        )
    )
    if same is not None:
        return same
    check_room(dossier, settings, blob.size)
    last = session.scalar(select(func.max(Evidence.place)).where(Evidence.dossier_id == dossier.id))
    evidence = Evidence(
        dossier_id=dossier.id,
        name=name,
        kind=kind,
        original_sha256=blob.sha256,
        original_size=blob.size,
        place=(last or 0) + 1,
    )
    session.add(evidence)
    session.flush()
    return evidence


def take_over(dossier: Dossier, source: CheckedFile, title: str, settings: Settings) -> Evidence:
    """A file from elsewhere, with what its check made of it: the same blobs. One that is in the folder already is not added."""
    _check_open(dossier)
    same = session.scalar(
        select(Evidence)
        .where(
            Evidence.dossier_id == dossier.id,
            Evidence.original_sha256 == source.original_sha256,
            Evidence.removed_at.is_(None),
            Evidence.statement_id.is_(None),
            Evidence.replaces_id.is_(None),
            Evidence.stage != "refused",
        )
        .limit(1)
    )
    if same is not None:
        return same
    check_room(dossier, settings, source.original_size)
    last = session.scalar(select(func.max(Evidence.place)).where(Evidence.dossier_id == dossier.id))
    values = {one: getattr(source, one) for one in OF_THE_FILE}
    evidence = Evidence(dossier_id=dossier.id, title=title[:MAX_TITLE], place=(last or 0) + 1, **values)
    session.add(evidence)
    session.flush()
    return evidence


def receive_instead(contents: Contents, evidence_id: int, blob: Blob, name: str, kind: str, settings: Settings) -> Evidence:
    """Adds a stored file that takes the place of another once it is checked; it comes instead of one that still waits to."""
    current = _in_folder(contents, evidence_id)
    if current.stage != "refused" and blob.sha256 == current.original_sha256:
        raise InvalidInput(both("Dit is hetzelfde bestand als het bestand dat er al staat."))
    waiting = contents.replacements.get(evidence_id)
    if waiting is not None:
        if waiting.stage == "received" and waiting.original_sha256 == blob.sha256 and waiting.name == name:
            return waiting
        _drop(waiting)
        session.flush()
    check_room(contents.dossier, settings, blob.size, instead=True)
    new = Evidence(
        dossier_id=contents.dossier.id,
        replaces_id=evidence_id,
        name=name,
        kind=kind,
        original_sha256=blob.sha256,
        original_size=blob.size,
    )
    session.add(new)
    session.flush()
    return new


def earlier_files(dossier: Dossier) -> dict[int, Evidence]:
    """For each file that took another's place: the one that stood there before it."""
    kept = session.scalars(
        select(Evidence)
        .where(Evidence.dossier_id == dossier.id, Evidence.replaces_id.is_not(None), Evidence.removed_at.is_not(None))
        .order_by(Evidence.removed_at, Evidence.id)
    )
    return {item.replaces_id: item for item in kept if item.replaces_id is not None}


def earlier(evidence: Evidence) -> Evidence | None:
    """The file that stood in this one's place before."""
    return earlier_files(evidence.dossier).get(evidence.id)


def put_back(contents: Contents, evidence_id: int, seen: int) -> None:
    """Lets the file that was there before take its place again; the present one is kept in its turn. ``seen``: the id of the
    earlier file that the page offered. A replacement that waits is dropped.
    """
    current = _in_folder(contents, evidence_id)
    before = earlier(current)
    if before is None or before.id != seen:
        raise Conflict(both("Dit bestand is intussen al veranderd. Bekijk uw bewijsmap opnieuw."))
    if waiting := contents.replacements.get(evidence_id):
        _drop(waiting)
    kept = Evidence(dossier_id=current.dossier_id, replaces_id=current.id, attempts=current.attempts)
    _exchange(current, kept, before)
    session.add(kept)


def _exchange(current: Evidence, kept: Evidence, new: Evidence) -> None:
    """``current`` gets the file of ``new``, and ``kept`` (which may be the same row) what was in ``current`` until now."""
    moment = now()
    old = {one: getattr(current, one) for one in OF_THE_FILE}
    since = current.uploaded_at
    current.title = current.title or _stem(current.name)
    for one in OF_THE_FILE:
        setattr(current, one, getattr(new, one))
    for one, value in old.items():
        setattr(kept, one, value)
    current.uploaded_at, kept.uploaded_at, kept.removed_at = moment, since, moment
    current.next_attempt_at = current.claimed_until = kept.next_attempt_at = kept.claimed_until = None


def _drop(waiting: Evidence) -> None:
    """A file that never came in another's place: no longer tied to it."""
    waiting.removed_at, waiting.replaces_id = now(), None


def drop_replacement(contents: Contents, evidence_id: int) -> None:
    """Leaves a new file that waits, or was refused, for what it is; the present one stays."""
    _in_folder(contents, evidence_id)
    if waiting := contents.replacements.get(evidence_id):
        _drop(waiting)


def rename(contents: Contents, evidence_id: int, title: str) -> None:
    """What the candidate calls it, on one line; empty: the file's own name again."""
    evidence = _in_folder(contents, evidence_id)
    visible = (one if not unicodedata.category(one).startswith("C") else " " for one in unicodedata.normalize("NFC", title))
    words = " ".join("".join(visible).split())
    if len(words) > MAX_TITLE:
        raise InvalidInput(both("De naam mag hoogstens %(n)s tekens hebben.", n=MAX_TITLE))
    evidence.title = "" if words in (evidence.name, _stem(evidence.name)) else words


def move(contents: Contents, evidence_id: int, *, up: bool) -> None:
    """One place up or down in the folder; at the end nothing happens."""
    _in_folder(contents, evidence_id)
    order = list(contents.evidence)
    here = order.index(evidence_id)
    there = max(0, here - 1) if up else min(len(order) - 1, here + 1)
    order[here], order[there] = order[there], order[here]
    put_in_order(contents, order)


def put_in_order(contents: Contents, order: Collection[int]) -> None:
    """The folder in this order; files that are not named come after, as they stood. Unknown ids are left out."""
    if contents.dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt de bewijsmap niet meer wijzigen."))
    named = [one for one in dict.fromkeys(order) if one in contents.evidence]
    for place, one in enumerate([*named, *(one for one in contents.evidence if one not in named)], start=1):
        contents.evidence[one].place = place


def check_again(contents: Contents, evidence_id: int) -> Evidence:
    """Has a refused file looked at once more: the fault may have been ours."""
    evidence = _in_folder(contents, evidence_id)
    if evidence.stage != "refused":
        raise Conflict(both("Dit bestand is intussen al gecontroleerd. Bekijk uw bewijsmap opnieuw."))
    if evidence.attempts >= MOST_CHECKS:
        raise TooLarge(both("Dit bestand is al vaak gecontroleerd. Vervang het door een ander bestand."))
    evidence.stage, evidence.refusal, evidence.next_attempt_at = "received", None, None
    return evidence


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0][:MAX_TITLE]


def _in_folder(contents: Contents, evidence_id: int) -> Evidence:
    if contents.dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt de bewijsmap niet meer wijzigen."))
    evidence = contents.evidence.get(evidence_id)
    if evidence is None:
        raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
    return evidence


def _check_open(dossier: Dossier) -> None:
    if dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt geen bestanden meer toevoegen."))


def attach(contents: Contents, section_id: str, question_id: str, evidence_ids: list[int]) -> None:
    """Lets an evidence question refer to these files as well, each once."""
    question, current = _evidence_question(contents, section_id, question_id)
    unknown = [item for item in evidence_ids if item not in contents.evidence]
    if unknown:
        raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
    wanted = current + [item for item in dict.fromkeys(evidence_ids) if item not in current]
    most = question.settings.get("files", {}).get("max")
    if most is not None and len(wanted) > most:
        raise InvalidInput(both("Bij deze vraag kunt u hoogstens %(n)s bewijsstukken gebruiken. Haal er eerst een weg.", n=most))
    answers.put_answer(contents.dossier, section_id, question_id, wanted)


def detach(contents: Contents, section_id: str, question_id: str, evidence_id: int) -> None:
    """Lets the question no longer refer to the file; the file stays in the folder."""
    _, current = _evidence_question(contents, section_id, question_id)
    answers.put_answer(contents.dossier, section_id, question_id, [item for item in current if item != evidence_id])


def remove(contents: Contents, evidence_id: int, told: Collection[Place] = ()) -> None:
    """Takes a file out of the folder and out of the answers that use it. ``told``: the (section, question) pairs that the
    candidate was shown; refused, naming where, while another answer uses it. A refused file is of no use anywhere.
    """
    evidence = contents.evidence.get(evidence_id)
    if evidence is None:
        raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
    if contents.dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt geen bestanden meer verwijderen."))
    places = evidence_used(contents).get(evidence_id, [])
    if evidence.stage != "refused" and (untold := [place for place in places if place not in told]):
        titles = {section.id: section.title for section in contents.template.sections}
        used = [titles[section] for section in dict.fromkeys(section for section, _ in untold)]
        raise InvalidInput(
            both(
                "Dit bewijsstuk wordt nog gebruikt bij: %(used)s. Haal het daar eerst weg.",
                used={language: ", ".join(title[language] for title in used) for language in LANGUAGES},
            )
        )
    for section_id, question_id in places:
        section = contents.template.section(section_id)
        question = section.question(question_id) if section else None
        if question and question.type == "evidence":
            detach(contents, section_id, question_id, evidence_id)
        elif question:
            _drop_from_rows(contents, section_id, question_id, evidence_id)
    evidence.removed_at = now()
    if waiting := contents.replacements.get(evidence_id):
        _drop(waiting)


def examine(evidence: CheckedFile, settings: Settings, report_signatures: str) -> Examined:
    """Scans, cleans and turns into pages. Slow: call it outside a transaction.

    Raises ``FileRefused`` with the words for the candidate; any other exception means "try again later".
    ``report_signatures`` names the function that reports on a PDF's own signatures, run in the sandbox (its room is above).
    """
    if not store.intact(settings.blobs, evidence.original_sha256):
        raise store.storage_failure()  # our fault, so the file is not blamed for it
    original = store.path(settings.blobs, evidence.original_sha256)
    if settings.clamd_socket is not None:
        scan.check(original, evidence.name, settings.clamd_socket)
    kind = sniff.Kind(evidence.kind)
    settings.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.work, prefix="evidence-") as folder:
        result = normalise.normalise(original, kind, evidence.name, Path(folder), libreoffice=settings.libreoffice)
        cleaned = store.put_file(settings.blobs, result.cleaned)
        best = result.pages if result.cleaned.suffix not in PICTURES else result.cleaned
        small = normalise.thumbnail(best, Path(folder)) if best else None
        return Examined(
            cleaned=cleaned,
            cleaned_kind=result.cleaned.suffix.removeprefix("."),
            pages=store.put_file(settings.blobs, result.pages) if result.pages else None,
            page_count=result.page_count,
            rasterised=result.rasterised,
            signed=result.signed,
            signatures=_signatures(original, report_signatures) if result.signed and kind is sniff.Kind.PDF else [],
            notes=[dict(note) for note in result.notes],
            thumbnail=store.put_file(settings.blobs, small) if small else None,
        )


def make_thumbnail(evidence: CheckedFile, settings: Settings) -> Blob | None:
    """The small picture of a file that was checked before there were any. Slow: call it outside a transaction."""
    settings.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.work, prefix="thumbnail-") as folder:
        sha256 = evidence.cleaned_sha256 if f".{evidence.cleaned_kind}" in PICTURES else evidence.pages_sha256
        if not sha256 or not store.exists(settings.blobs, sha256):
            return None
        small = normalise.thumbnail(store.path(settings.blobs, sha256), Path(folder))
        return store.put_file(settings.blobs, small) if small else None


def _signatures(original: Path, function: str) -> list[dict[str, Any]]:
    reported: list[dict[str, Any]] = sandbox.run(function, {"path": str(original)}, **REPORT_LIMITS).value["signatures"]
    return reported


def note_examined(item: CheckedFile, examined: Examined) -> bool:
    """Writes the outcome of ``examine``: the file may be used. False when it was decided on before."""
    if item.stage != "received":
        return False
    item.stage = "checked"
    item.cleaned_sha256 = examined.cleaned.sha256
    item.cleaned_kind = examined.cleaned_kind
    item.pages_sha256 = examined.pages.sha256 if examined.pages else None
    item.pages = examined.page_count
    item.rasterised = examined.rasterised
    item.signed = examined.signed
    item.signatures = examined.signatures
    item.notes = examined.notes
    item.thumbnail_sha256 = examined.thumbnail.sha256 if examined.thumbnail else ""
    return True


def accept(evidence: Evidence, examined: Examined) -> Evidence | None:
    """Writes the outcome of ``examine``. Gives the row whose place it took, if it did."""
    if not note_examined(evidence, examined):
        return None
    if evidence.replaces_id is None or evidence.removed_at is not None:
        return None
    current = session.get_one(Evidence, evidence.replaces_id)
    if current.removed_at is not None or evidence.dossier.stage not in OPEN_STAGES:
        _drop(evidence)
        return None
    _exchange(current, evidence, evidence)
    return current


def refuse(evidence: CheckedFile, reason: FileRefused) -> None:
    """Writes that the file was refused and why; the row stays, so that the candidate sees it."""
    if evidence.stage == "received":
        evidence.stage = "refused"
        evidence.refusal = dict(reason.text)


def _evidence_question(contents: Contents, section_id: str, question_id: str) -> tuple[Any, list[int]]:
    section = contents.template.section(section_id)
    question = section.question(question_id) if section else None
    if question is None or question.type != "evidence":
        raise NotFound(both("Deze vraag bestaat niet in uw dossier."))
    stored = answers.stored(contents.dossier, section_id)  # not the contents, which may be older than another window's file
    return question, evidence_in(question, stored.data.get(question_id))


def _drop_from_rows(contents: Contents, section_id: str, question_id: str, evidence_id: int) -> None:
    rows: list[Mapping[str, Any]] = contents.answer(section_id, question_id) or []
    answers.put_answer(
        contents.dossier,
        section_id,
        question_id,
        [
            {
                key: [one for one in value if one != evidence_id] if isinstance(value, list) else value
                for key, value in row.items()
            }
            for row in rows
        ],
    )
