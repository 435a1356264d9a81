"""The evidence folder of a dossier: taking files in, having them checked, using them at answers, taking them out.

A file's way: ``receive`` (row, stage received) → ``examine`` (slow, outside any transaction) → ``accept`` or ``refuse``.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.config import Settings
from app.dossiers import answers
from app.dossiers.contents import Contents, evidence_in, evidence_used
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Evidence
from app.errors import FileRefused, Forbidden, InvalidInput, NotFound, TooLarge
from app.extensions import now, session
from app.files import normalise, sandbox, scan, sniff, store
from app.files.store import Blob
from app.texts import LANGUAGES, both

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


def check_room(dossier: Dossier, settings: Settings, size: int = 0) -> None:
    """Refuses a further file (of ``size`` bytes, where that is known) when the dossier is not open or its folder is full."""
    _check_open(dossier)
    count, taken = session.execute(
        select(func.count(), func.coalesce(func.sum(Evidence.original_size), 0)).where(
            Evidence.dossier_id == dossier.id, Evidence.removed_at.is_(None)
        )
    ).one()
    if count >= settings.max_evidence:
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


def receive(dossier: Dossier, blob: Blob, name: str, kind: str, settings: Settings) -> Evidence:
    """Adds a stored file to the folder; it will be checked. The same file under the same name is not taken in twice."""
    _check_open(dossier)
    same = session.scalar(
        select(Evidence).where(
            Evidence.dossier_id == dossier.id,
            Evidence.original_sha256 == blob.sha256,
            Evidence.name == name,
            Evidence.removed_at.is_(None),
            Evidence.stage != "refused",
        )
    )
    if same is not None:
        return same
    check_room(dossier, settings, blob.size)
    evidence = Evidence(dossier_id=dossier.id, name=name, kind=kind, original_sha256=blob.sha256, original_size=blob.size)
    session.add(evidence)
    session.flush()
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


def remove(contents: Contents, evidence_id: int) -> None:
    """Takes a file out of the folder. Refused while an answer uses it, naming where."""
    evidence = contents.evidence.get(evidence_id)
    if evidence is None:
        raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
    if contents.dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt geen bestanden meer verwijderen."))
    places = evidence_used(contents).get(evidence_id, [])
    if places and evidence.stage != "refused":
        titles = {section.id: section.title for section in contents.template.sections}
        used = [titles[section] for section in dict.fromkeys(section for section, _ in places)]
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


def examine(evidence: Evidence, settings: Settings, report_signatures: str) -> Examined:
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
        return Examined(
            cleaned=cleaned,
            cleaned_kind=result.cleaned.suffix.removeprefix("."),
            pages=store.put_file(settings.blobs, result.pages) if result.pages else None,
            page_count=result.page_count,
            rasterised=result.rasterised,
            signed=result.signed,
            signatures=_signatures(original, report_signatures) if result.signed and kind is sniff.Kind.PDF else [],
            notes=[dict(note) for note in result.notes],
        )


def _signatures(original: Path, function: str) -> list[dict[str, Any]]:
    reported: list[dict[str, Any]] = sandbox.run(function, {"path": str(original)}, **REPORT_LIMITS).value["signatures"]
    return reported


def accept(evidence: Evidence, examined: Examined) -> None:
    """Writes the outcome of ``examine``: the file may be used."""
    if evidence.stage != "received":
        return
    evidence.stage = "checked"
    evidence.cleaned_sha256 = examined.cleaned.sha256
    evidence.cleaned_kind = examined.cleaned_kind
    evidence.pages_sha256 = examined.pages.sha256 if examined.pages else None
    evidence.pages = examined.page_count
    evidence.rasterised = examined.rasterised
    evidence.signed = examined.signed
    evidence.signatures = examined.signatures
    evidence.notes = examined.notes


def refuse(evidence: Evidence, reason: FileRefused) -> None:
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
