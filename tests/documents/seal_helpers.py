"""Keys, small documents and other people's verifiers for the tests of seal, signature, bundle and verification."""

import io
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import docx
import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from PIL import Image

from app.config import Settings
from app.documents.signing import SealKey, load_seal_key, seal_pdf

MADE_AT = datetime(2026, 11, 21, 13, 37, 2, tzinfo=UTC)
SEAL_TEXTS = {"reason": "Dossier verzegeld", "location": "Nederland", "contact": "secretariaat@example.org"}
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@cache
def demo_key() -> SealKey:
    with tempfile.TemporaryDirectory() as folder:
        return load_seal_key(Settings(instance=Path(folder)))


@cache
def made_key(kind: str = "ec", purpose: str = "seal") -> SealKey:
    """A key that is nobody's demo key; ``purpose`` ``tsa`` makes one for a timestamp authority."""
    return issue(kind, purpose)


def issue(
    kind: str = "ec",
    purpose: str = "seal",
    start: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=1),
    chain_length: int = 1,
) -> SealKey:
    """A seal key under ``chain_length`` authorities, valid from ``start`` to ``end`` counted from now."""
    issuer_key, issuer = None, None
    chain: list[x509.Certificate] = []
    for depth in range(chain_length):
        authority_key = ec.generate_private_key(ec.SECP256R1())
        issuer = certificate(f"Testautoriteit {depth}", authority_key, issuer, issuer_key, start, end, purpose="ca")
        issuer_key = authority_key
        chain.insert(0, issuer)
    sizes = {"ec": ec.SECP256R1(), "p521": ec.SECP521R1()}
    if kind == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif kind == "short":
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  to be refused
    else:
        key = ec.generate_private_key(sizes[kind])
    return SealKey(key, certificate("Testzegel", key, issuer, issuer_key, start, end, purpose), tuple(chain), demo=False)


def certificate(name, key, issuer, issuer_key, start, end, purpose) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    authority = purpose == "ca"
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if purpose == "tsa":
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer_key or key, hashes.SHA256())


def p12(key: SealKey, passphrase: bytes = b"geheim") -> bytes:
    """The key as a PKCS#12 file, with its chain in the wrong order, as files from authorities often have it."""
    encryption = serialization.BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(b"zegel", key.private_key, key.certificate, list(key.chain)[::-1], encryption)


def small_pdf(path: Path, pages: int = 2) -> Path:
    pdf = pikepdf.new()
    for number in range(pages):
        pdf.add_blank_page()
        pdf.pages[-1].Contents = pdf.make_stream(f"BT /F1 12 Tf 72 720 Td (Bladzijde {number}) Tj ET".encode())
    pdf.save(path, compress_streams=False)
    return path


def sealed_pdf(folder: Path, key: SealKey | None = None, **options) -> Path:
    target = folder / "verzegeld.pdf"
    seal_pdf(small_pdf(folder / "dossier.pdf"), target, key or demo_key(), **SEAL_TEXTS, **options)
    return target


def small_docx(path: Path, links: tuple[str, ...] = ("https://example.org/?a=1&b=2", "https://example.org/gewoon")) -> Path:
    """Headings, a list, a table, a header, a picture and hyperlinks in body and header: every kind of relationship we use."""
    document = docx.Document()
    document.core_properties.author = "Zoë Ångström"
    document.add_heading("Dossier", 1)
    document.add_paragraph("één", style="List Bullet")
    document.add_table(2, 2).cell(0, 0).text = "cel"
    picture = io.BytesIO()
    Image.new("RGB", (20, 20), "teal").save(picture, "PNG")
    picture.seek(0)
    document.add_picture(picture)
    for paragraph in (document.add_paragraph("zie "), document.sections[0].header.paragraphs[0]):
        for link in links:
            relation = paragraph.part.relate_to(link, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            paragraph._p.append(
                parse_xml(
                    f'<w:hyperlink xmlns:w="{WORD}" xmlns:r="{OFFICE_RELATIONSHIPS}" r:id="{relation}">'
                    "<w:r><w:t>hier</w:t></w:r></w:hyperlink>"
                )
            )
    document.save(path)
    return path


def changed(path: Path, target: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    target.write_bytes(data)
    return target
