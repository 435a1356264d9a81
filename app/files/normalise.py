"""Turns an uploaded file into a copy that can do no harm, and into pages for the dossier. The way of a foreign file.

All reading of foreign bytes happens in the sandbox; here it is decided what to do with what came out of it.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import FileRefused, Text
from app.files import sandbox
from app.files.sandbox import SandboxFailure
from app.files.sniff import Kind, clean_name
from app.files.store import storage_failure
from app.texts import both

LEAST_FREE_BYTES = 100_000_000
"""With less room than this in the work folder a failure is blamed on the disk, not on the file."""

CLEANING = {"wall_seconds": 120, "memory_mb": 1024, "cpu_seconds": 60, "file_mb": 500}
# 50 million pixels are 200 MB, several times over while they are worked on.
PICTURE = {"wall_seconds": 120, "memory_mb": 2048, "cpu_seconds": 90, "file_mb": 500}
# 20 seconds of work; more on the clock, because other jobs may be busy on the same processors.
RENDERING = {"wall_seconds": 60, "memory_mb": 1024, "cpu_seconds": 20, "file_mb": 1}
RASTERISING = {"wall_seconds": 300, "memory_mb": 1024, "cpu_seconds": 150, "file_mb": 500}
THUMBNAIL = {"wall_seconds": 30, "memory_mb": 1024, "cpu_seconds": 10, "file_mb": 1}
CONVERTING = {"wall_seconds": 60, "memory_mb": 4096, "cpu_seconds": 60, "file_mb": 500}


log = logging.getLogger(__name__)


class _Failed(Exception):
    """A step did not manage with this file; ``cause`` is a ``SandboxFailure.kind``."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Normalised:
    """``cleaned`` goes in the bundle; its suffix is its kind (HEIC becomes .jpg). ``pages`` is the PDF that the dossier shows,
    with ``page_count`` pages; for a DOCX it is None, with 0 pages, when it could not be converted. ``notes`` are for the
    candidate. ``signed``: the upload carries a digital signature, so the untouched original must travel along.
    """

    cleaned: Path
    pages: Path | None
    page_count: int
    rasterised: bool
    notes: tuple[Text, ...]
    signed: bool


def normalise(source: Path, kind: Kind, name: str, workdir: Path, *, libreoffice: str) -> Normalised:
    """Cleans ``source``, uploaded as ``name``, into files in ``workdir`` (existing, empty). Same file in: same bytes out.

    ``libreoffice`` is the command that converts DOCX. Raises ``FileRefused`` with words for the candidate;
    ``StorageFailure`` or ``SandboxFailure`` (of kind ``killed``) when it says nothing about the file: try again later.
    """
    shown = clean_name(name)
    match kind:
        case Kind.PDF:
            return _normalise_pdf(source, shown, workdir)
        case Kind.DOCX:
            return _normalise_docx(source, shown, workdir, libreoffice)
        case Kind.JPG | Kind.PNG | Kind.HEIC:
            return _normalise_image(source, kind, shown, workdir)


def thumbnail(source: Path, workdir: Path) -> Path | None:
    """A small picture of a cleaned picture, or of the first page of a cleaned PDF, in ``workdir``.

    None when it could not be made: nobody has to wait for that.
    """
    target = workdir / "thumbnail.webp"
    try:
        _in_sandbox("image_cleaning:thumbnail", THUMBNAIL, workdir, source=source, target=target)
    except (_Failed, SandboxFailure):
        return None
    return target


def _normalise_pdf(source: Path, shown: str, workdir: Path) -> Normalised:
    cleaned = workdir / "cleaned.pdf"
    notes: list[Text] = []
    try:
        found = _in_sandbox("pdf_cleaning:clean", CLEANING, workdir, source=source, target=cleaned, name=shown)
    except _Failed:
        found = {"pages": None, "signed": False, "attachments": False, "rasterise": True}
    if found["rasterise"]:
        notes.append(
            both(
                "“%(name)s” kon niet veilig worden overgenomen zoals het is. Daarom staan de pagina’s als afbeelding in "
                "uw dossier. Kijk of alles goed leesbaar is.",
                name=shown,
            )
        )
        found["pages"] = _rasterise(source, cleaned, shown, workdir)
    if found["attachments"]:
        notes.append(
            both(
                "In “%(name)s” zitten andere bestanden. Die gaan niet mee in uw dossier. Voeg ze apart toe als ze nodig zijn.",
                name=shown,
            )
        )
    _check_that_it_renders(cleaned, found["pages"], shown, workdir)
    return Normalised(cleaned, cleaned, found["pages"], found["rasterise"], tuple(notes), found["signed"])


def _rasterise(source: Path, target: Path, shown: str, workdir: Path) -> int:
    try:
        found = _in_sandbox("pdf_cleaning:rasterise", RASTERISING, workdir, source=source, target=target, name=shown)
    except _Failed as problem:
        raise _damaged_pdf(shown, problem) from problem
    pages: int = found["pages"]
    return pages


def _check_that_it_renders(pdf: Path, pages: int, shown: str, workdir: Path) -> None:
    """The gate: cleaning does not defuse bombs, and whoever opens the dossier must be able to see each page."""
    try:
        found = _in_sandbox("pdf_cleaning:render_all", RENDERING, workdir, source=pdf)
    except _Failed as problem:
        if problem.cause in ("timeout", "memory"):
            raise FileRefused(
                both(
                    "“%(name)s” is te zwaar om te tonen. Verdeel het over meer bestanden of scan het met een lagere "
                    "kwaliteit, en voeg het opnieuw toe.",
                    name=shown,
                ),
                cause=problem.cause,
            ) from problem
        raise _damaged_pdf(shown, problem) from problem
    if found["pages"] != pages:
        raise _damaged_pdf(shown, None)


def _normalise_image(source: Path, kind: Kind, shown: str, workdir: Path) -> Normalised:
    cleaned = workdir / ("cleaned.png" if kind is Kind.PNG else "cleaned.jpg")
    pages = workdir / "pages.pdf"
    try:
        _in_sandbox("image_cleaning:clean", PICTURE, workdir, source=source, target=cleaned, pages=pages, kind=kind, name=shown)
    except _Failed as problem:
        raise FileRefused(
            both(
                "“%(name)s” is beschadigd of niet volledig. Open de afbeelding op uw computer, sla haar opnieuw op als "
                "jpg en voeg dat bestand toe.",
                name=shown,
            ),
            cause=problem.cause,
        ) from problem
    return Normalised(cleaned, pages, 1, rasterised=False, notes=(), signed=False)


def _normalise_docx(source: Path, shown: str, workdir: Path, libreoffice: str) -> Normalised:
    cleaned = workdir / "cleaned.docx"
    try:
        found = _in_sandbox("docx_cleaning:clean", CLEANING, workdir, source=source, target=cleaned, name=shown)
    except _Failed as problem:
        raise FileRefused(
            both(
                "“%(name)s” is beschadigd of geen gewoon Word-document. Open het in Word, sla het op als pdf en voeg "
                "dat bestand toe.",
                name=shown,
            ),
            cause=problem.cause,
        ) from problem
    made = _converted(cleaned, shown, workdir, libreoffice)
    if made is None:
        note = both(
            "Van “%(name)s” konden geen pagina’s worden gemaakt. Het bestand zelf gaat wel mee in uw dossier. Wilt u de "
            "inhoud ook als pagina’s in het dossier, sla het dan op als pdf en voeg die toe.",
            name=shown,
        )
        return Normalised(cleaned, None, 0, rasterised=False, notes=(note,), signed=found["signed"])
    return Normalised(cleaned, made.pages, made.page_count, rasterised=made.rasterised, notes=made.notes, signed=found["signed"])


def _converted(docx: Path, shown: str, workdir: Path, libreoffice: str) -> Normalised | None:
    """The pages of a cleaned DOCX, cleaned in their turn; None where there is no LibreOffice or it does not manage."""
    command = shutil.which(libreoffice)
    if command is None:
        return None
    folder = workdir / "converted"
    folder.mkdir()
    try:
        found = _in_sandbox("docx_cleaning:convert", CONVERTING, workdir, source=docx, folder=folder, libreoffice=command)
        return _normalise_pdf(Path(found["pdf"]), shown, workdir)
    except (_Failed, FileRefused):
        return None


def _in_sandbox(function: str, limits: Mapping[str, Any], workdir: Path, **payload: Path | str) -> dict[str, Any]:
    """Runs a function of this room in the sandbox. Raises ``_Failed`` only for what the file itself is to blame for."""
    texts = {key: str(value) for key, value in payload.items()}
    try:
        return sandbox.run(f"app.files.{function}", texts, **limits).value
    except SandboxFailure as problem:
        if problem.kind == "killed":
            raise
        if shutil.disk_usage(workdir).free < LEAST_FREE_BYTES:
            raise storage_failure() from problem
        log.info("%s failed: %s", function, problem)
        raise _Failed(problem.kind) from problem


def _damaged_pdf(shown: str, problem: _Failed | None) -> FileRefused:
    return FileRefused(
        both(
            "“%(name)s” is beschadigd of geen gewone pdf. Open het op uw computer, kies Afdrukken en dan Opslaan als PDF, "
            "en voeg dat nieuwe bestand toe.",
            name=shown,
        ),
        cause=problem.cause if problem else "pages",
    )
