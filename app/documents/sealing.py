"""From a snapshot to a sealed bundle, in steps that each eat only the products of earlier ones.

A step computes and stores blobs; it writes no rows. ``pipeline`` runs the steps, records their products in between, and
goes on from there after a crash. The unsigned products are the same bytes for the same snapshot and house style.
"""

import hashlib
import json
import re
import resource
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from app.config import Settings
from app.documents import bundle, docx, merging, ooxml_signature, product_check, signing, typesetting, verification
from app.documents.bundle import BundleFile
from app.documents.merging import EvidencePages
from app.documents.outline import Outline, with_plugins
from app.documents.signing import SealKey
from app.errors import SealingFailed, Text
from app.extensions import now
from app.files import sandbox, store
from app.files.store import Blob
from app.plugin_loader import Plugin
from app.texts import both, pick

WITHOUT_MARK = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ı": "i", "ß": "ss", "æ": "ae", "Æ": "AE"}
)
"""Letters that Unicode does not take apart into a letter and its mark."""


@dataclass
class Work:
    """One snapshot on the bench: what it says, where to work, and the blobs made so far (name -> SHA-256)."""

    content: Mapping[str, Any]
    sha256: str
    plugins: Sequence[Plugin]
    settings: Settings
    folder: Path
    products: dict[str, str] = field(default_factory=dict)
    part: Callable[[int, int], None] = lambda done, total: None  # a step that goes by parts tells how many are done

    def product(self, name: str) -> Path:
        return store.path(self.settings.blobs, self.products[name])

    def blob(self, sha256: str) -> Path:
        return store.path(self.settings.blobs, sha256)

    @cached_property
    def key(self) -> SealKey:
        return signing.load_seal_key(self.settings)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        return frozenset({self.key.fingerprint})

    @cached_property
    def outline(self) -> Outline:
        return with_plugins(self.content, self.plugins, sha256=self.sha256)


@dataclass(frozen=True)
class Step:
    """``makes`` names the products; ``text`` says to the candidate what happens now.

    ``seconds`` is what it took on two cores with a text of forty pages, ``per_page`` the seconds for each page of evidence
    on top (measured with 1, 100 and 900 pages): the percentage of progress is that of this work, not of the number of steps.
    """

    name: str
    makes: tuple[str, ...]
    text: Callable[[], Text]
    do: Callable[[Work], Mapping[str, Path]]
    seconds: float
    per_page: float = 0.0


@dataclass(frozen=True)
class Made:
    """What a step gave: blobs by name, wall seconds, and MiB: the most that this process ever held, plus its largest child."""

    blobs: Mapping[str, Blob]
    seconds: float
    peak_mib: float


def prepare(
    content: Mapping[str, Any],
    sha256: str,
    plugins: Sequence[Plugin],
    settings: Settings,
    products: Mapping[str, str],
    snapshot_id: int,
) -> Work:
    """Lays a snapshot on the bench. Raises ``SealingFailed`` when a file that it refers to is missing or damaged."""
    folder = folder_of(settings, snapshot_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = Work(content, sha256, plugins, settings, folder, dict(products))
    check_evidence(work)
    if "dossier.pdf" in work.products and not _sealed_with_this_key(work):
        for name in SEALED:
            work.products.pop(name, None)
    return work


def run(step: Step, work: Work) -> Made:
    """Does one step and stores what it made."""
    started = time.monotonic()
    with sandbox.measured() as peaks:
        made = step.do(work)
    blobs = {name: store.put_file(work.settings.blobs, path) for name, path in made.items()}
    work.products.update({name: blob.sha256 for name, blob in blobs.items()})
    for path in made.values():
        path.unlink(missing_ok=True)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Made(blobs, time.monotonic() - started, own + max(peaks, default=0.0))


def percentages(work: Work) -> list[tuple[int, int]]:
    """Of each step, how many percent of the work are done before and after it. The last few are for handing over."""
    pages = sum(item["pages"] for item in work.content["evidence"])
    costs = [step.seconds + step.per_page * pages for step in STEPS]
    ends = [int(SEALED_AT * sum(costs[: place + 1]) / sum(costs)) for place in range(len(costs))]
    return list(zip([0, *ends], ends, strict=False))


def outcome(work: Work) -> dict[str, Any]:
    """The columns of the Bundle row, once every step is done."""
    return {
        "zip_sha256": work.products["bundle.zip"],
        "zip_size": work.product("bundle.zip").stat().st_size,
        "pdf_sha256": work.products["dossier.pdf"],
        "docx_sha256": work.products["dossier.docx"],
        "pages": json.loads(work.product("check.json").read_text())["pages"],
        "seal_sha256": work.key.fingerprint,
    }


def folder_of(settings: Settings, snapshot_id: int) -> Path:
    """Where a snapshot's unfinished work stands."""
    return settings.work / f"snapshot-{snapshot_id}"


@cache
def house_style_sha256() -> str:
    """The hash of everything that decides the looks: the files of the house style, by name."""
    digest = hashlib.sha256()
    for path in sorted(typesetting.HOUSE_STYLE.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(typesetting.HOUSE_STYLE)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


# --- the steps -----------------------------------------------------------------------------------------------------


def _typeset(work: Work) -> Mapping[str, Path]:
    folder = work.folder / "typeset"
    folder.mkdir(exist_ok=True)
    return {"authored.pdf": typesetting.typeset(work.outline, folder)}


def _write_docx(work: Work) -> Mapping[str, Path]:
    target = work.folder / "unsigned.docx"
    docx.write(work.outline, target)
    return {"unsigned.docx": target}


def _merge(work: Work) -> Mapping[str, Path]:
    target = work.folder / "unsigned.pdf"
    pages = [
        EvidencePages(item.number, item.title, work.blob(item.pages_sha256), item.pages)
        for item in work.outline.evidence
        if item.pages
    ]
    merging.merge(work.product("authored.pdf"), pages, target, outline=work.outline, progress=work.part)
    return {"unsigned.pdf": target}


def _check(work: Work) -> Mapping[str, Path]:
    pages = product_check.check_pdf(work.product("unsigned.pdf"), work.outline)
    product_check.check_docx(work.product("unsigned.docx"), work.outline)
    target = work.folder / "check.json"
    target.write_text(json.dumps({"pages": pages}))
    return {"check.json": target}


def _seal_pdf(work: Work) -> Mapping[str, Path]:
    target = work.folder / "dossier.pdf"
    reason = both("Verzegeling van dossier %(reference)s", reference=work.content["reference"])
    signing.seal_pdf(
        work.product("unsigned.pdf"),
        target,
        work.key,
        reason=pick(reason, work.content["language"]),
        location=work.settings.organisation,
        contact=work.settings.contact_email,
        timestamp_url=work.settings.timestamp_url,
    )
    verification.check_sealed_pdf(target, fingerprints=work.fingerprints)
    return {"dossier.pdf": target}


def _sign_docx(work: Work) -> Mapping[str, Path]:
    target = work.folder / "dossier.docx"
    ooxml_signature.sign_docx(work.product("unsigned.docx"), target, work.key, signed_at=now())
    ooxml_signature.check_docx_signature(target, fingerprints=work.fingerprints)
    return {"dossier.docx": target}


def _bind(work: Work) -> Mapping[str, Path]:
    content = work.content
    name = f"{content['reference']}-{content['revision']}"
    target = work.folder / f"{name}.zip"
    bundle.pack(
        target,
        _payload(work),
        info={
            "Source-Organization": content["organisation"],
            "Contact-Email": work.settings.contact_email,
            "External-Identifier": content["reference"],
            "External-Description": f"Dossier {content['reference']}, revision {content['revision']}"
            + (" (DEMO)" if content["demo"] else ""),
            "Snapshot-SHA256": work.sha256,
            "Seal-Certificate-SHA256": work.key.fingerprint,
        },
        key=work.key,
        made_at=datetime.fromisoformat(content["submitted_at"]),
        name=name,
        timestamp_url=work.settings.timestamp_url,
        progress=lambda done, total: work.part(done // MB, total // MB),
    )
    verification.check_bundle(target, fingerprints=work.fingerprints)
    return {"bundle.zip": target}


STEPS: tuple[Step, ...] = (
    Step("typeset", ("authored.pdf",), lambda: both("Uw antwoorden worden opgemaakt als pdf"), _typeset, 0.5),
    Step("docx", ("unsigned.docx",), lambda: both("Het Word-document wordt gemaakt"), _write_docx, 0.2),
    Step("merge", ("unsigned.pdf",), lambda: both("Uw bewijsstukken worden als bijlagen toegevoegd"), _merge, 0.4, 0.0004),
    Step("check", ("check.json",), lambda: both("Wij controleren of alles erin staat"), _check, 0.8, 0.0014),
    Step("seal_pdf", ("dossier.pdf",), lambda: both("De pdf wordt verzegeld"), _seal_pdf, 0.6, 0.0004),
    Step("sign_docx", ("dossier.docx",), lambda: both("Het Word-document wordt ondertekend"), _sign_docx, 0.1),
    Step("bind", ("bundle.zip",), lambda: both("Alles wordt gebundeld en nog eens nagelezen"), _bind, 0.3),
)
SEALED_AT = 98  # percent
MB = 1_000_000
SEALED = ("dossier.pdf", "dossier.docx", "bundle.zip")


def check_evidence(work: Work) -> None:
    """Every file that the snapshot refers to is there and unharmed, or sealing stops and names it."""
    for item in work.content["evidence"]:
        wanted = [item["cleaned_sha256"], item["pages_sha256"]] if item["pages"] else [item["cleaned_sha256"]]
        if item["signed"]:
            wanted.append(item["original_sha256"])
        for sha256 in wanted:
            if not sha256 or not store.intact(work.settings.blobs, sha256):
                raise SealingFailed(
                    both(
                        "Bijlage %(number)s (%(name)s) ontbreekt in de opslag of is beschadigd. Zet het bestand terug uit de "
                        "reservekopie en probeer het opnieuw.",
                        number=item["number"],
                        name=item["name"],
                    ),
                    step="evidence",
                )


def _sealed_with_this_key(work: Work) -> bool:
    """False when the organisation changed its key while a snapshot was half sealed: one bundle has one seal."""
    try:
        verification.check_sealed_pdf(work.product("dossier.pdf"), fingerprints=work.fingerprints)
    except SealingFailed:
        return False
    return True


def _payload(work: Work) -> list[BundleFile]:
    content = work.content
    files = [
        BundleFile("data/dossier.pdf", work.product("dossier.pdf")),
        BundleFile("data/dossier.docx", work.product("dossier.docx")),
        BundleFile("data/snapshot.json", _text_file(work, "snapshot.json", canonical(content))),
    ]
    listed = []
    for item in content["evidence"]:
        name = f"{item['number']:02d}-{safe_name(item['name'])}"
        copy = f"data/evidence/{name}.{item['cleaned_kind']}"
        files.append(BundleFile(copy, work.blob(item["cleaned_sha256"])))
        entry = {
            "number": item["number"],
            "file": copy,
            "sha256": item["cleaned_sha256"],
            "original_name": item["name"],
            "original_sha256": item["original_sha256"],
            "original_size": item["original_size"],
            "pages": item["pages"],
        }
        if item["signed"]:
            entry["original_file"] = f"data/originals/{name}-niet-opgeschoond.{item['kind']}"
            entry["signatures"] = item["signatures"]
            files.append(BundleFile(entry["original_file"], work.blob(item["original_sha256"])))
        listed.append(entry)
    files.append(
        BundleFile(
            "data/evidence.json", _text_file(work, "evidence.json", json.dumps(listed, ensure_ascii=False, indent=2) + "\n")
        )
    )
    for number, statement in enumerate(content["statements"], start=1):
        name = f"{number:02d}-{safe_name(statement['supervisor']['name'])}.json"
        text = json.dumps(statement, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        files.append(BundleFile(f"data/statements/{name}", _text_file(work, f"statement-{number}.json", text)))
    for number, outcome in enumerate(content.get("outcomes", ()), start=1):
        name = f"outcome-{number:02d}-{safe_name(outcome['section'])}.json"
        text = json.dumps(outcome, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        files.append(BundleFile(f"data/statements/{name}", _text_file(work, name, text)))
    return files


def _text_file(work: Work, name: str, text: str) -> Path:
    path = work.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def canonical(content: Mapping[str, Any]) -> str:
    """The text whose SHA-256 is the snapshot's."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def safe_name(name: str) -> str:
    """A file's or person's name as letters, digits and dashes that every system can unpack; at most 60."""
    spelt = name.rsplit(".", 1)[0].translate(WITHOUT_MARK)
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:60].lower() or "bestand"
