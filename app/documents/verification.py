"""Checks of what was sealed, and reports on signatures that others made.

Our own seals are accepted by the fingerprint of the certificate, not by a chain: the caller knows which certificates
the organisation used, also those that expired since. ``check_…`` refuses; ``report_signatures`` only tells.
"""

import asyncio
import hashlib
import logging
import unicodedata
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    StandardCMSSignatureStatus,
    async_validate_detached_cms,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko_certvalidator import ValidationContext

from app.documents import bundle
from app.documents.signing import FIELD_NAME, subject_of
from app.errors import SealingFailed, Text
from app.texts import both

MAX_TAG_FILE_BYTES = 20_000_000
MAX_SIGNATURES = 20

# What pyHanko logs stands in the results too, and names of persons from certificates do not belong in a log.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class SealReport:
    """A seal that was accepted. ``signed_at`` comes from the timestamp authority, or from the signer's own clock."""

    fingerprint: str
    subject: str
    signed_at: datetime | None
    timestamped: bool


@dataclass(frozen=True)
class BundleReport:
    """A bundle that was accepted. ``digests``: the SHA-256 of each payload file by its path in the bag."""

    name: str
    info: Mapping[str, str]
    digests: Mapping[str, str]
    payload_bytes: int
    seal: SealReport


# The seal on a PDF


def check_sealed_pdf(path: Path, *, fingerprints: Collection[str]) -> SealReport:
    """Accepts a PDF only when its last signature is our seal, by one of the certificates, over the whole file as it is.

    A timestamp must be intact; whether its authority is trusted is not judged. Raises ``SealingFailed`` otherwise.
    """
    try:
        with path.open("rb") as stream:
            return _checked_seal(PdfFileReader(stream, strict=True), path.stat().st_size, fingerprints)
    except SealingFailed:
        raise
    except Exception as fault:  # pyHanko raises many kinds on broken input
        raise _refused("check_pdf", both("De verzegelde pdf is beschadigd: het zegel is niet te lezen.")) from fault


def _checked_seal(reader: PdfFileReader, size: int, fingerprints: Collection[str]) -> SealReport:
    signatures = reader.embedded_signatures
    if not signatures:
        raise _refused("check_pdf", both("De pdf is niet verzegeld."))
    seal: EmbeddedPdfSignature = signatures[-1]
    if seal.field_name != FIELD_NAME:
        raise _refused("check_pdf", both("De laatste handtekening op de pdf is niet het zegel van de organisatie."))
    if not _covers(seal, size):
        raise _refused("check_pdf", both("Aan de pdf is na het verzegelen iets toegevoegd."))
    status = asyncio.run(async_validate_pdf_signature(seal, signer_validation_context=_trusting()))
    report = _accepted(status, fingerprints, step="check_pdf", what=both("pdf"))
    if seal.docmdp_level != MDPPerm.NO_CHANGES or not status.docmdp_ok:
        raise _refused("check_pdf", both("Het zegel op de pdf staat wijzigingen toe; dat mag niet."))
    return report


def _covers(seal: EmbeddedPdfSignature, size: int) -> bool:
    """Whether a signature covers all bytes but its own. pyHanko compares lengths only, not where the ranges lie."""
    start, length, resume, rest = (int(number) for number in seal.byte_range)
    hole = 2 * len(seal.pkcs7_content) + 2  # hexadecimal between < and >
    return start == 0 and resume - length == hole and resume + rest == size


def _accepted(status: StandardCMSSignatureStatus, fingerprints: Collection[str], *, step: str, what: Text) -> SealReport:
    """The report on a signature that is intact, by one of the certificates, and whose timestamp, if any, is intact."""
    certificate = x509.load_der_x509_certificate(status.signing_cert.dump())
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    if fingerprint not in fingerprints:
        raise _refused(
            step,
            both("Het zegel op de %(what)s is gezet met een ander certificaat dan dat van de organisatie.", what=what),
        )
    if not (status.intact and status.valid):
        raise _refused(step, both("Het zegel op de %(what)s klopt niet: de inhoud is veranderd.", what=what))
    timestamp = status.timestamp_validity
    if timestamp is not None and not (timestamp.intact and timestamp.valid):
        raise _refused(step, both("Het tijdstempel op de %(what)s klopt niet.", what=what))
    signed_at = status.signer_reported_dt if timestamp is None else timestamp.timestamp
    return SealReport(fingerprint, subject_of(certificate), signed_at, timestamp is not None)


def _trusting(roots: Sequence[bytes] = ()) -> ValidationContext:
    """Without fetching: a certificate that somebody made must not decide which addresses this server asks."""
    certificates = [certificate for root in roots for certificate in load_certs_from_pemder_data(root)]
    return ValidationContext(trust_roots=certificates, allow_fetching=False)


# Signatures in somebody else's PDF


def report_signatures(path: Path, *, trust_roots: Sequence[bytes] = ()) -> list[dict[str, Any]]:
    """What can be said of each signature in a PDF that somebody uploaded, oldest first; plain data, fit for JSON.

    Per signature: ``field``, ``kind`` (``signature`` or ``timestamp``), ``signer``, ``signed_at`` (ISO 8601 or
    None), ``timestamped``, ``intact``, ``valid``, ``trusted`` (its chain ends in one of ``trust_roots``, PEM),
    ``revoked``, ``coverage``, ``modification`` (what changed afterwards: ``none``, ``lta_updates``, ``form_filling``,
    ``annotations``, ``other`` or None) and ``error`` (empty, or why it could not be checked). An unreadable file gives one
    entry with an error; at most 20 are looked at. Never raises and never fetches; but foreign bytes belong in the
    sandbox, so call it there.
    """
    try:
        with path.open("rb") as stream:
            reader, size = PdfFileReader(stream, strict=True), path.stat().st_size
            found: list[tuple[str, EmbeddedPdfSignature | None]] = [(one.field_name, one) for one in reader.embedded_signatures]
            known = {name for name, _ in found}
            filled = [name for name, *_ in enumerate_sig_fields(reader, filled_status=True)]
            found += [(name, None) for name in filled if name not in known]  # pyHanko leaves out old kinds
            return [_reported(name, signature, size, trust_roots) for name, signature in found[:MAX_SIGNATURES]]
    except Exception as fault:  # hostile files raise ValueError, RecursionError and much else
        return [_entry(error=_why(fault))]


def report_in_child(path: str) -> dict[str, Any]:
    """``report_signatures`` as the sandbox runs it: on foreign bytes, in a limited child."""
    return {"signatures": report_signatures(Path(path))}


def _reported(name: str, signature: EmbeddedPdfSignature | None, size: int, trust_roots: Sequence[bytes]) -> dict[str, Any]:
    entry = _entry() | {"field": _plain(name)}
    if signature is None:
        return entry | {"error": "a kind of signature that cannot be checked"}
    try:
        entry["kind"] = "timestamp" if signature.sig_object_type == "/DocTimeStamp" else "signature"
        entry["signer"] = _plain(subject_of(x509.load_der_x509_certificate(signature.signer_cert.dump())))
        context = _trusting(trust_roots)
        if entry["kind"] == "timestamp":
            stamp = asyncio.run(async_validate_pdf_timestamp(signature, context))
            entry.update(_integrity(stamp), signed_at=stamp.timestamp.isoformat(), timestamped=True)
        else:
            status = asyncio.run(async_validate_pdf_signature(signature, context))
            timestamp = status.timestamp_validity
            moment = status.signer_reported_dt if timestamp is None else timestamp.timestamp
            entry.update(
                _integrity(status),
                signed_at=moment.isoformat() if moment else None,
                timestamped=timestamp is not None and timestamp.intact and timestamp.valid,
            )
        if entry["coverage"] == "entire_file" and not _covers(signature, size):
            entry.update(coverage="unclear", modification="other")
    except Exception as fault:
        return _entry(error=_why(fault)) | {part: entry[part] for part in ("field", "kind", "signer")}
    return entry


def _integrity(status: Any) -> dict[str, Any]:
    level = status.modification_level
    return {
        "intact": status.intact,
        "valid": status.valid,
        "trusted": status.trusted,
        "revoked": status.revoked,
        "coverage": status.coverage.name.lower() if status.coverage else None,
        "modification": level.name.lower() if level else None,
    }


def _entry(error: str = "") -> dict[str, Any]:
    return {
        "field": "",
        "kind": "signature",
        "signer": "",
        "signed_at": None,
        "timestamped": False,
        "intact": False,
        "valid": False,
        "trusted": False,
        "revoked": False,
        "coverage": None,
        "modification": None,
        "error": error,
    }


def _why(fault: Exception) -> str:
    return _plain(f"{type(fault).__name__}: {fault}")


def _plain(text: object) -> str:
    """Somebody else's text, harmless to store and to show: no control or direction characters, at most 200 long."""
    return "".join(c for c in str(text) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))[:200]


# The bundle


def check_bundle(path: Path, *, fingerprints: Collection[str]) -> BundleReport:
    """Reads a bundle again, whole: the signature on it, both manifests, the sizes, and that nothing is added or missing.

    Raises ``SealingFailed`` that names what is wrong.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _checked_bundle(archive, fingerprints)
    except SealingFailed:
        raise
    except Exception as fault:  # zipfile raises six kinds of errors on broken input
        raise _refused("check_bundle", both("De bundel is beschadigd: het is geen leesbaar zip-bestand.")) from fault


def _checked_bundle(archive: zipfile.ZipFile, fingerprints: Collection[str]) -> BundleReport:
    folder, entries = _bag_entries(archive)
    tag_manifest = _tag_file(archive, entries, bundle.TAG_MANIFEST)
    seal = _checked_cms(tag_manifest, _tag_file(archive, entries, bundle.SIGNATURE), fingerprints)
    tag_digests = _manifest(tag_manifest)
    unlisted = {bundle.TAG_MANIFEST, bundle.SIGNATURE}
    _check_files(archive, {n: e for n, e in entries.items() if not _payload(n) and n not in unlisted}, tag_digests)
    if _tag_file(archive, entries, bundle.DECLARATION) != bundle.DECLARATION_TEXT:
        raise _refused("check_bundle", both("De bundel is geen BagIt-bundel van versie 1.0."))
    payload = {name: entry for name, entry in entries.items() if _payload(name)}
    digests = _manifest(_tag_file(archive, entries, bundle.MANIFEST))
    _check_files(archive, payload, digests)
    info = dict(line.split(": ", 1) for line in _tag_file(archive, entries, bundle.BAG_INFO).decode().splitlines() if line)
    size = sum(entry.file_size for entry in payload.values())
    if info.get("Payload-Oxum") != f"{size}.{len(payload)}":
        raise _refused("check_bundle", both("De bundel bevat meer of minder dan er in de lijst (Payload-Oxum) staat."))
    return BundleReport(folder, info, digests, size, seal)


def _payload(name: str) -> bool:
    return name.startswith(bundle.PAYLOAD)


def _bag_entries(archive: zipfile.ZipFile) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The top folder, and the files below it by their path in the bag."""
    folder = archive.namelist()[0].partition("/")[0]
    entries: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for entry in archive.infolist():
        top, _, name = entry.filename.partition("/")
        if top != folder or bundle.unfit(entry.filename) or bundle.same(name) in seen:
            raise _refused("check_bundle", both("In de bundel staat een bestand te veel: %(path)r.", path=name or top))
        if entry.compress_type != zipfile.ZIP_STORED:  # ours never are, so nothing can unpack to a surprising size
            raise _refused("check_bundle", both("In de bundel is %(path)s gecomprimeerd; dat hoort niet.", path=name))
        entries[name] = entry
        seen.add(bundle.same(name))
    return folder, entries


def _tag_file(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], name: str) -> bytes:
    if name not in entries or entries[name].file_size > MAX_TAG_FILE_BYTES:
        raise _refused("check_bundle", both("In de bundel ontbreekt %(path)s.", path=name))
    return archive.read(entries[name])


def _checked_cms(data: bytes, signature: bytes, fingerprints: Collection[str]) -> SealReport:
    try:
        signed = cms.ContentInfo.load(signature)["content"]
        status = asyncio.run(async_validate_detached_cms(data, signed, signer_validation_context=_trusting()))
    except Exception as fault:  # as for the PDF
        raise _refused("check_bundle", both("De handtekening op de bundel is niet te lezen.")) from fault
    return _accepted(status, fingerprints, step="check_bundle", what=both("bundel"))


def _manifest(data: bytes) -> dict[str, str]:
    digests = {}
    for line in data.decode().splitlines():
        digest, _, name = line.partition("  ")
        digests[name] = digest
    return digests


def _check_files(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], digests: Mapping[str, str]) -> None:
    for name in sorted(digests.keys() - entries.keys()):
        raise _refused("check_bundle", both("In de bundel ontbreekt %(path)s.", path=name))
    for name in sorted(entries.keys() - digests.keys()):
        raise _refused("check_bundle", both("In de bundel staat een bestand te veel: %(path)r.", path=name))
    for name, entry in entries.items():
        digest = hashlib.sha256()
        try:
            with archive.open(entry) as member:
                while chunk := member.read(bundle.CHUNK):
                    digest.update(chunk)
        except Exception as fault:  # a wrong checksum of the ZIP itself, or a damaged header
            raise _changed(name) from fault
        if digest.hexdigest() != digests[name]:
            raise _changed(name)


def _changed(name: str) -> SealingFailed:
    return _refused("check_bundle", both("In de bundel is %(path)s veranderd of beschadigd.", path=name))


def _refused(step: str, text: Text) -> SealingFailed:
    return SealingFailed(text, step=step)
