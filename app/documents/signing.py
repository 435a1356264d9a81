"""The organisation's seal: its key, the seal on the PDF (PAdES) and the detached signature on the bundle (CAdES).

Organisations seal, persons sign: a person's typed signature stands in the document, and this seal covers the document.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, SimpleSigner
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSignatureMetadata,
    PdfSigner,
    SigDSSPlacementPreference,
)
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from app.config import Settings
from app.errors import SealingFailed, StorageFailure
from app.extensions import now
from app.texts import both

FIELD_NAME = "Organisatiezegel"
DIGEST = "sha256"
TIMESTAMP_TIMEOUT_S = 30
DEMO_PASSPHRASE = b"demo"  # well known on purpose: the demo key proves nothing
DEMO_DAYS = 3650
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class SealKey:
    """The private key and certificates that seal. ``chain`` runs from the seal's issuer upwards, as far as it is known."""

    private_key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    demo: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in lower-case hexadecimal: what a verifier pins."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def subject(self) -> str:
        return subject_of(self.certificate)

    @property
    def root_pem(self) -> bytes:
        """The highest certificate that is known: what a receiver has to trust."""
        return pem(self.chain[-1] if self.chain else self.certificate)

    @property
    def chain_pem(self) -> bytes:
        """All certificates, from the seal's own upwards."""
        return b"".join(map(pem, (self.certificate, *self.chain)))


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def subject_of(certificate: x509.Certificate) -> str:
    """Who a certificate names, for people: common name and organisation."""
    found = (certificate.subject.get_attributes_for_oid(oid) for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME))
    return ", ".join(str(attribute.value) for attributes in found for attribute in attributes)


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name only when it is complete and on the disk; a failure leaves nothing and replaces nothing.

    Raises ``StorageFailure`` when the disk is full or not writable.
    """
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb+") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as fault:
        if fault.errno in DISK_ERRORS:
            raise StorageFailure(
                both("De schijf is vol of niet beschrijfbaar. Er is niets half opgeslagen. Waarschuw de beheerder.")
            ) from fault
        raise
    finally:
        temporary.unlink(missing_ok=True)


# The key


def load_seal_key(settings: Settings) -> SealKey:
    """The key of ``LOOPBAAN_SEAL_KEY_FILE``, or in demo mode without one the demo key, made at first use.

    Raises ``SealingFailed`` that names the setting: file or passphrase missing or wrong, no fit key or certificate in
    it, certificate expired or not valid yet.
    """
    if settings.seal_key_file is None:
        if not settings.demo:
            raise _key_fault(both("Er is geen zegelsleutel ingesteld. Stel LOOPBAAN_SEAL_KEY_FILE in."))
        return _demo_key(settings)
    return _read_key(settings.seal_key_file, _passphrase(settings.seal_passphrase_file), demo=False)


def _passphrase(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as fault:
        raise _key_fault(
            both(
                "Het bestand met de wachtzin van de zegelsleutel (%(path)s) is niet te lezen. "
                "Controleer LOOPBAAN_SEAL_PASSPHRASE_FILE.",
                path=path,
            )
        ) from fault


def _read_key(path: Path, passphrase: bytes | None, *, demo: bool) -> SealKey:
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise _key_fault(
            both("De zegelsleutel %(path)s is niet te lezen. Controleer LOOPBAAN_SEAL_KEY_FILE.", path=path)
        ) from fault
    try:
        private_key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase)
    except Exception as fault:  # the library raises ValueError, TypeError and its own errors
        raise _unreadable(path, fault) from fault
    if certificate is None or not _fit(private_key) or not _may_sign(certificate):
        raise _key_fault(
            both(
                "In de zegelsleutel %(path)s staat geen sleutel met certificaat waarmee verzegeld mag worden: RSA vanaf "
                "2048 bits of P-256, P-384 of P-521, met de toepassing ondertekenen. Controleer LOOPBAAN_SEAL_KEY_FILE.",
                path=path,
            )
        )
    assert isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)  # noqa: S101  _fit saw to it
    _check_dates(certificate, path)
    return SealKey(private_key, certificate, _issuers(certificate, others), demo)


def _unreadable(path: Path, fault: Exception) -> SealingFailed:
    """A wrong passphrase and a damaged file ask for different work; OpenSSL tells them apart by its text alone."""
    if "password" in str(fault).lower():
        return _key_fault(
            both(
                "De wachtzin (LOOPBAAN_SEAL_PASSPHRASE_FILE) past niet op de zegelsleutel %(path)s, "
                "of de inhoud van die sleutel is beschadigd. Controleer beide.",
                path=path,
            )
        )
    return _key_fault(
        both(
            "De zegelsleutel %(path)s is beschadigd of geen PKCS#12-bestand. Controleer LOOPBAAN_SEAL_KEY_FILE.",
            path=path,
        )
    )


def _fit(private_key: object) -> bool:
    if isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.key_size >= 2048
    curves = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
    return isinstance(private_key, ec.EllipticCurvePrivateKey) and isinstance(private_key.curve, curves)


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _check_dates(certificate: x509.Certificate, path: Path) -> None:
    start, end, today = certificate.not_valid_before_utc, certificate.not_valid_after_utc, now()
    if today > end:
        raise _key_fault(
            both(
                "Het certificaat van de zegelsleutel %(path)s is verlopen op %(date)s. "
                "Vraag een nieuw aan en stel LOOPBAAN_SEAL_KEY_FILE daarop in.",
                path=path,
                date=f"{end:%d-%m-%Y}",
            )
        )
    if today < start:
        raise _key_fault(
            both(
                "Het certificaat van de zegelsleutel %(path)s is pas geldig vanaf %(date)s. "
                "Controleer de klok van de computer en LOOPBAAN_SEAL_KEY_FILE.",
                path=path,
                date=f"{start:%d-%m-%Y}",
            )
        )


def _issuers(certificate: x509.Certificate, others: list[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """From ``others``, in any order: the issuer of the certificate, its issuer, and so on."""
    chain: list[x509.Certificate] = []
    current = certificate
    while current.issuer != current.subject:
        issuer = next((other for other in others if other not in chain and _issued(other, current)), None)
        if issuer is None:
            break
        chain.append(issuer)
        current = issuer
    return tuple(chain)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # other name, other kind of key, wrong signature: not the issuer
        return False
    return True


def _key_fault(text: dict[str, str]) -> SealingFailed:
    return SealingFailed(text, step="seal_key")


# The demo key


def _demo_key(settings: Settings) -> SealKey:
    path = settings.keys / "demo-seal.p12"
    if not path.exists():
        _publish_once(path, _make_demo_key(settings.organisation))
    key = _read_key(path, DEMO_PASSPHRASE, demo=True)
    root = settings.keys / "demo-root.pem"
    if not root.exists():
        _publish_once(root, key.root_pem)
    return key


def _publish_once(path: Path, data: bytes) -> None:
    """Writes a file of mode 0600, unless another process made it meanwhile: then that one stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
            output.write(data)
            output.flush()
            os.fsync(output.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_demo_key(organisation: str) -> bytes:
    """A PKCS#12 file with a seal key under an authority of its own, whose key is thrown away: it issues this one only."""
    owner = x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"DEMO {organisation}"[:64])
    root_name = x509.Name([owner, x509.NameAttribute(NameOID.COMMON_NAME, "DEMO root, without any value")])
    seal_name = x509.Name([owner, x509.NameAttribute(NameOID.COMMON_NAME, "DEMO organisatiezegel")])
    root_key, seal_key = (rsa.generate_private_key(public_exponent=65537, key_size=3072) for _ in range(2))
    start = now() - timedelta(days=1)  # clocks of receivers differ a little

    def certificate(name: x509.Name, public_key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(root_name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=DEMO_DAYS))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )

    root = (
        certificate(root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    # Without these extensions verifiers such as poppler's pdfsig call the certificate's state unknown.
    # The domain "invalid" never resolves, so nobody is asked anything.
    seal = (
        certificate(seal_name, seal_key.public_key())
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(
            x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)]),
            critical=False,
        )
        .add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([_address("http://demo.invalid/root.crl")], None, None, None)]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, _address("http://demo.invalid/root.crt"))]
            ),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(DEMO_PASSPHRASE)
    return pkcs12.serialize_key_and_certificates(b"DEMO", seal_key, seal, [root], encryption)


def _address(url: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(url)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


# Sealing


def seal_pdf(
    source: Path, target: Path, key: SealKey, *, reason: str, location: str, contact: str, timestamp_url: str = ""
) -> None:
    """Writes ``source`` with the seal to ``target``: PAdES B-B, or B-LT where a timestamp authority is given.

    One revision that covers the whole file and allows no change; the bytes of ``source`` stay an identical prefix.
    Raises ``SealingFailed`` (also when the timestamp authority does not answer: never falls back to this computer's
    clock) or ``StorageFailure``; then ``target`` is untouched.
    """
    with new_file(target) as output, _failing_as("seal_pdf"), source.open("rb") as stream:
        asyncio.run(
            _write_seal(stream, output, key, reason=reason, location=location, contact=contact, timestamp_url=timestamp_url)
        )


async def _write_seal(
    source: BinaryIO, output: BinaryIO, key: SealKey, *, reason: str, location: str, contact: str, timestamp_url: str
) -> None:
    timestamper = context = None
    if timestamp_url:
        timestamper = HTTPTimeStamper(timestamp_url, timeout=TIMESTAMP_TIMEOUT_S)
        context = await _long_term_context(key, timestamper)
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAME,
        md_algorithm=DIGEST,
        reason=reason,
        location=location,
        contact_info=contact,
        name=key.subject,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
        embed_validation_info=context is not None,
        validation_context=context,
        signer_key_usage=set(),  # checked when the key was loaded; either of two usages will do
        # The default adds the validation data in a revision after the seal, which then no longer covers the whole file.
        dss_settings=DSSContentSettings(include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE),
    )
    signer = PdfSigner(metadata, _signer(key), timestamper=timestamper)
    try:
        await signer.async_sign_pdf(IncrementalPdfFileWriter(source), output=output)
    finally:
        if context is not None:
            await context.aclose()  # type: ignore[no-untyped-call]


async def _long_term_context(key: SealKey, timestamper: HTTPTimeStamper) -> ValidationContext:
    """Fetches what makes the seal verifiable for long: chains and revocation data of the seal and of the timestamps.

    The timestamp authority was chosen in the settings, so the top of the chain that it sends is taken as its root. A
    demo certificate names addresses that do not exist; for a real one revocation data must be had.
    """
    await timestamper.async_dummy_response(DIGEST)
    own = list(load_certs_from_pemder_data(key.chain_pem))
    sent = list(timestamper.cert_registry)
    tops = [one for one in sent if one.self_issued or not any(one.issuer == other.subject for other in sent)]
    return ValidationContext(
        trust_roots=[own[-1], *tops],
        other_certs=own,
        allow_fetching=True,
        revocation_mode="soft-fail" if key.demo else "hard-fail",
    )


def sign_detached(data: bytes, key: SealKey, *, timestamp_url: str = "") -> bytes:
    """A CAdES signature on ``data``, apart from it, as DER. With a timestamp where an authority is given."""
    timestamper = HTTPTimeStamper(timestamp_url, timeout=TIMESTAMP_TIMEOUT_S) if timestamp_url else None
    with _failing_as("sign_bundle"):
        signed = asyncio.run(
            _signer(key).async_sign_general_data(
                data,
                DIGEST,
                use_cades=True,
                timestamper=timestamper,
                signed_attr_settings=PdfCMSSignedAttributes(signing_time=now()),
            )
        )
        return bytes(signed.dump())


def _signer(key: SealKey) -> SimpleSigner:
    private_key = key.private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate, *chain = load_certs_from_pemder_data(key.chain_pem)
    return SimpleSigner(
        signing_cert=certificate,
        signing_key=load_private_key_from_pemder_data(private_key, None),
        cert_registry=SimpleCertificateStore.from_certs(chain),  # type: ignore[no-untyped-call]
    )


@contextmanager
def _failing_as(step: str) -> Iterator[None]:
    """pyHanko raises many kinds of errors; the caller gets one. Errors of the disk go on to ``new_file``."""
    try:
        yield
    except TimestampRequestError as fault:
        raise SealingFailed(
            both(
                "De tijdstempeldienst (LOOPBAAN_TIMESTAMP_URL) gaf geen goed antwoord. "
                "Er is niets verzegeld. Probeer het later opnieuw."
            ),
            step=step,
        ) from fault
    except Exception as fault:
        if isinstance(fault, OSError) and fault.errno in DISK_ERRORS:
            raise
        raise SealingFailed(
            both("Verzegelen is niet gelukt (%(fault)s). Er is niets verzegeld.", fault=f"{type(fault).__name__}: {fault}"),
            step=step,
        ) from fault
