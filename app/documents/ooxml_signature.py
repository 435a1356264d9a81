"""The signature on the DOCX: a package signature of ECMA-376 part 2 (XML-DSig with XAdES-EPES), made and checked.

No library on PyPI signs such packages. Every part and every relationship is signed; what the standard itself leaves
open (the list of content types, what is added beside the signed parts) is caught by ``check_docx_signature``.
"""

import base64
import hashlib
import re
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from lxml import etree

from app.documents.signing import SealKey, new_file, subject_of
from app.errors import SealingFailed, Text
from app.texts import both

DSIG = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MDSSI = f"{PACKAGE}/digital-signature"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
RELATIONSHIP_TRANSFORM = f"{PACKAGE}/RelationshipTransform"

CONTENT_TYPES = "[Content_Types].xml"
PACKAGE_RELATIONSHIPS = "_rels/.rels"
MEDIA = "application/vnd.openxmlformats-package"
ORIGIN_TYPE = f"{PACKAGE}/relationships/digital-signature/origin"
SIGNATURE_TYPE = f"{PACKAGE}/relationships/digital-signature/signature"
SIGNATURE_FOLDER = "_xmlsignatures/"
ORIGIN = f"{SIGNATURE_FOLDER}origin.sigs"
ORIGIN_RELATIONSHIPS = f"{SIGNATURE_FOLDER}_rels/origin.sigs.rels"
SIGNATURE = f"{SIGNATURE_FOLDER}sig1.xml"
HYPERLINK_TYPE = f"{OFFICE_RELATIONSHIPS}/hyperlink"

AWKWARD = set('&<>"')
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
MAX_PACKAGE_BYTES = 500_000_000
NAMES = {"d": DSIG, "m": MDSSI, "x": XADES, "r": f"{PACKAGE}/relationships", "t": f"{PACKAGE}/content-types"}

Parts = dict[str, bytes]
"""The bytes of a package's parts by their name in the ZIP, in the order of the ZIP."""


@dataclass(frozen=True)
class DocxSignature:
    """What a checked DOCX says of itself; ``signed_at`` is the signer's own clock."""

    fingerprint: str
    subject: str
    signed_at: datetime


# Signing


def sign_docx(source: Path, target: Path, key: SealKey, *, signed_at: datetime) -> None:
    """Writes ``source`` with a package signature to ``target``. Same input, key (RSA) and time: same bytes.

    Raises ``SealingFailed`` when ``source`` is no DOCX or is signed already; then ``target`` is untouched.
    """
    parts = _read_package(source)
    if any(name.startswith(SIGNATURE_FOLDER) for name in parts):
        raise _failed(both("Het Word-document is al ondertekend. Onderteken het oorspronkelijke document."))
    try:
        _awkward_links_to_fields(parts)
        _add_signature_parts(parts)
        parts[SIGNATURE] = _signature_xml(parts, key, signed_at)
    except (etree.XMLSyntaxError, KeyError) as fault:
        raise _failed(both("Het Word-document is beschadigd en kan niet ondertekend worden.")) from fault
    with new_file(target) as output, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            package.writestr(entry, data)


def _awkward_links_to_fields(parts: Parts) -> None:
    """Makes a field of every hyperlink with ``&`` and such in its address.

    xmlsec1, and LibreOffice with it, forget to escape these in signed relationships and then call the signature
    wrong. A field keeps the address in the text itself, where it is signed as well.
    """
    for name in [name for name in parts if name.endswith(".rels")]:
        relationships = _xml(parts[name])
        addresses = {one.get("Id", ""): one for one in relationships if AWKWARD & set(one.get("Target", ""))}
        if not addresses:
            continue
        if any(one.get("Type") != HYPERLINK_TYPE for one in addresses.values()):
            raise _failed(both("Het Word-document verwijst naar een bestand met een teken als & in de naam."))
        owner = _owner(name)
        body = _xml(parts[owner])
        for link in list(body.iter(f"{{{WORD}}}hyperlink")):
            relationship = addresses.get(link.get(f"{{{OFFICE_RELATIONSHIPS}}}id", ""))
            if relationship is not None:
                anchor = link.get(f"{{{WORD}}}anchor")
                address = relationship.get("Target", "").replace('"', "%22").replace("\\", "%5C")
                link.tag = f"{{{WORD}}}fldSimple"
                link.attrib.clear()
                link.set(f"{{{WORD}}}instr", f'HYPERLINK "{address}"' + (f' \\l "{anchor}"' if anchor else ""))
        for one in addresses.values():
            relationships.remove(one)
        parts[owner], parts[name] = _bytes(body), _bytes(relationships)


def _add_signature_parts(parts: Parts) -> None:
    types = _xml(parts[CONTENT_TYPES])
    namespace = f"{{{NAMES['t']}}}"
    etree.SubElement(types, f"{namespace}Default", Extension="sigs", ContentType=f"{MEDIA}.digital-signature-origin")
    etree.SubElement(
        types,
        f"{namespace}Override",
        PartName=f"/{SIGNATURE}",
        ContentType=f"{MEDIA}.digital-signature-xmlsignature+xml",
    )
    parts[CONTENT_TYPES] = _bytes(types)
    relationships = _xml(parts[PACKAGE_RELATIONSHIPS])
    etree.SubElement(relationships, f"{{{NAMES['r']}}}Relationship", Id="rIdSignatureOrigin", Type=ORIGIN_TYPE, Target=ORIGIN)
    parts[PACKAGE_RELATIONSHIPS] = _bytes(relationships)
    parts[ORIGIN] = b""
    parts[ORIGIN_RELATIONSHIPS] = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<Relationships xmlns="{NAMES["r"]}"><Relationship Id="rId1" Type="{SIGNATURE_TYPE}" Target="sig1.xml"/>'
        "</Relationships>"
    ).encode()


def _signature_xml(parts: Parts, key: SealKey, signed_at: datetime) -> bytes:
    """The whole ``sig1.xml``. The parts are written as text, then parsed, so that each is canonicalised in its place."""
    certificate = key.certificate.public_bytes(serialization.Encoding.DER)
    time = f"{signed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    package = (
        f'<Object Id="idPackageObject"><Manifest>{"".join(_references(parts))}</Manifest><SignatureProperties>'
        '<SignatureProperty Id="idSignatureTime" Target="#idPackageSignature">'
        f'<mdssi:SignatureTime xmlns:mdssi="{MDSSI}"><mdssi:Format>YYYY-MM-DDThh:mm:ssTZD</mdssi:Format>'
        f"<mdssi:Value>{time}</mdssi:Value></mdssi:SignatureTime></SignatureProperty></SignatureProperties></Object>"
    )
    # Word wants these fields; they tell nothing of the machine that signed.
    office = (
        '<Object Id="idOfficeObject"><SignatureProperties>'
        '<SignatureProperty Id="idOfficeV1Details" Target="#idPackageSignature">'
        '<SignatureInfoV1 xmlns="http://schemas.microsoft.com/office/2006/digsig"><SetupID/><SignatureText/>'
        "<SignatureImage/><SignatureComments/><WindowsVersion>10.0</WindowsVersion><OfficeVersion>16.0</OfficeVersion>"
        "<ApplicationVersion>16.0</ApplicationVersion><Monitors>1</Monitors>"
        "<HorizontalResolution>1920</HorizontalResolution><VerticalResolution>1080</VerticalResolution>"
        "<ColorDepth>32</ColorDepth><SignatureProviderId>{00000000-0000-0000-0000-000000000000}</SignatureProviderId>"
        "<SignatureProviderUrl/><SignatureProviderDetails>9</SignatureProviderDetails><SignatureType>1</SignatureType>"
        "</SignatureInfoV1></SignatureProperty></SignatureProperties></Object>"
    )
    properties = (
        f'<Object><xd:QualifyingProperties xmlns:xd="{XADES}" Target="#idPackageSignature">'
        '<xd:SignedProperties Id="idSignedProperties"><xd:SignedSignatureProperties>'
        f"<xd:SigningTime>{time}</xd:SigningTime><xd:SigningCertificate><xd:Cert><xd:CertDigest>"
        f'<DigestMethod Algorithm="{SHA256}"/><DigestValue>{_digest(certificate)}</DigestValue></xd:CertDigest>'
        f"<xd:IssuerSerial><X509IssuerName>{escape(key.certificate.issuer.rfc4514_string())}</X509IssuerName>"
        f"<X509SerialNumber>{key.certificate.serial_number}</X509SerialNumber></xd:IssuerSerial></xd:Cert>"
        "</xd:SigningCertificate><xd:SignaturePolicyIdentifier><xd:SignaturePolicyImplied/>"
        "</xd:SignaturePolicyIdentifier></xd:SignedSignatureProperties></xd:SignedProperties>"
        "</xd:QualifyingProperties></Object>"
    )

    def signature(signed_info: str, value: str) -> etree._Element:
        return _xml(
            f'<Signature xmlns="{DSIG}" Id="idPackageSignature">{signed_info}<SignatureValue>{value}</SignatureValue>'
            f"<KeyInfo><X509Data><X509Certificate>{_base64(certificate)}</X509Certificate></X509Data></KeyInfo>"
            f"{package}{office}{properties}</Signature>".encode()
        )

    unsigned = signature("", "")
    method = RSA_SHA256 if isinstance(key.private_key, rsa.RSAPrivateKey) else ECDSA_SHA256
    transform = f'<Transforms><Transform Algorithm="{C14N}"/></Transforms>'
    references = (
        _reference("#idPackageObject", _canonical(_by_id(unsigned, "idPackageObject")), f"{DSIG}Object"),
        _reference("#idOfficeObject", _canonical(_by_id(unsigned, "idOfficeObject")), f"{DSIG}Object"),
        _reference(
            "#idSignedProperties",
            _canonical(_by_id(unsigned, "idSignedProperties")),
            "http://uri.etsi.org/01903#SignedProperties",
            transform,
        ),
    )
    signed_info = (
        f'<SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/><SignatureMethod Algorithm="{method}"/>'
        f"{''.join(references)}</SignedInfo>"
    )
    in_place = signature(signed_info, "").find("d:SignedInfo", NAMES)
    assert in_place is not None  # noqa: S101  it was written three lines up
    value = _base64(_sign(key, _canonical(in_place)))
    return _bytes(signature(signed_info, value))


def _references(parts: Parts) -> list[str]:
    types = _content_types(parts)
    references = []
    for name in _signable(parts):
        uri = f"/{name}?ContentType={types(name)}"
        if name.endswith(".rels"):
            ids = _signable_ids(parts[name])
            chosen = "".join(f'<mdssi:RelationshipReference xmlns:mdssi="{MDSSI}" SourceId={quoteattr(i)}/>' for i in ids)
            transforms = (
                f'<Transforms><Transform Algorithm="{RELATIONSHIP_TRANSFORM}">{chosen}</Transform>'
                f'<Transform Algorithm="{C14N}"/></Transforms>'
            )
            references.append(_reference(uri, _transformed(parts[name], ids), transforms=transforms))
        else:
            references.append(_reference(uri, parts[name]))
    return references


def _reference(uri: str, data: bytes, kind: str = "", transforms: str = "") -> str:
    return (
        f"<Reference{f' Type={quoteattr(kind)}' if kind else ''} URI={quoteattr(uri)}>{transforms}"
        f'<DigestMethod Algorithm="{SHA256}"/><DigestValue>{_digest(data)}</DigestValue></Reference>'
    )


def _sign(key: SealKey, data: bytes) -> bytes:
    if isinstance(key.private_key, rsa.RSAPrivateKey):
        return key.private_key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    size = (key.private_key.key_size + 7) // 8
    r, s = decode_dss_signature(key.private_key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(size) + s.to_bytes(size)  # XML-DSig wants the two numbers side by side, not in DER


# Checking


def check_docx_signature(path: Path, *, fingerprints: Collection[str]) -> DocxSignature:
    """Accepts a DOCX only with one intact signature by a certificate of ``fingerprints`` over every part of it.

    Stricter than the standard: a part, relationship or content type that is not signed is refused too.
    Raises ``SealingFailed`` that names what is wrong.
    """
    parts = _read_package(path)
    if SIGNATURE not in parts:
        raise _failed(both("Het Word-document is niet ondertekend."))
    try:
        return _checked(parts, fingerprints)
    except SealingFailed:
        raise
    except Exception as fault:  # hostile XML and certificates raise many kinds
        raise _failed(both("De handtekening in het Word-document is niet te lezen.")) from fault


def _checked(parts: Parts, fingerprints: Collection[str]) -> DocxSignature:
    signature = _xml(parts[SIGNATURE])
    certificate = x509.load_der_x509_certificate(base64.b64decode(_text(signature, "d:KeyInfo/d:X509Data/d:X509Certificate")))
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    if fingerprint not in fingerprints:
        raise _failed(both("Het Word-document is ondertekend met een ander certificaat dan dat van de organisatie."))
    (signed_info,) = signature.findall("d:SignedInfo", NAMES)
    _verify(certificate, signed_info, base64.b64decode(_text(signature, "d:SignatureValue")))
    signed = {}
    for reference in signed_info.findall("d:Reference", NAMES):
        element = _by_id(signature, reference.get("URI", "").removeprefix("#"))
        _compare(reference, _canonical(element), reference.get("URI", ""))
        signed[reference.get("URI")] = element
    package, properties = signed["#idPackageObject"], signed["#idSignedProperties"]
    if _text(properties, ".//x:CertDigest/d:DigestValue") != _digest(certificate.public_bytes(serialization.Encoding.DER)):
        raise _failed(both("De handtekening in het Word-document hoort bij een ander certificaat."))
    _check_parts(parts, package)
    signed_at = datetime.fromisoformat(_text(properties, ".//x:SigningTime"))
    return DocxSignature(fingerprint, subject_of(certificate), signed_at)


def _check_parts(parts: Parts, package: etree._Element) -> None:
    """Every part stands in the manifest with its digest and content type, and every relationship is among the signed."""
    types = _content_types(parts)
    references = {}
    for reference in package.findall("d:Manifest/d:Reference", NAMES):
        uri, _, kind = reference.get("URI", "").partition("?ContentType=")
        references[uri.removeprefix("/")] = (reference, kind)
    for name in sorted(references.keys() ^ set(_signable(parts))):
        raise _failed(both("In het Word-document is %(part)s toegevoegd of weggelaten.", part=name))
    for name, (reference, kind) in references.items():
        if types(name) != kind:
            raise _failed(both("In het Word-document is de soort van %(part)s veranderd.", part=name))
        data = parts[name]
        if name.endswith(".rels"):
            ids = [one.get("SourceId", "") for one in reference.iterfind(".//m:RelationshipReference", NAMES)]
            if sorted(ids) != sorted(_signable_ids(data)):
                raise _failed(both("In het Word-document is een verwijzing in %(part)s veranderd.", part=name))
            data = _transformed(data, ids)
        _compare(reference, data, name)
    for name in parts:
        if name.startswith(SIGNATURE_FOLDER) and name not in (ORIGIN, ORIGIN_RELATIONSHIPS, SIGNATURE):
            raise _failed(both("In het Word-document is %(part)s toegevoegd of weggelaten.", part=name))


def _verify(certificate: x509.Certificate, signed_info: etree._Element, value: bytes) -> None:
    methods = [one.get("Algorithm") for one in signed_info[:2]]
    data, public_key = _canonical(signed_info), certificate.public_key()
    try:
        if isinstance(public_key, rsa.RSAPublicKey) and methods == [C14N, RSA_SHA256]:
            public_key.verify(value, data, padding.PKCS1v15(), hashes.SHA256())
            return
        if isinstance(public_key, ec.EllipticCurvePublicKey) and methods == [C14N, ECDSA_SHA256]:
            r, s = (int.from_bytes(half) for half in (value[: len(value) // 2], value[len(value) // 2 :]))
            public_key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
            return
    except InvalidSignature as fault:
        raise _failed(both("De handtekening in het Word-document klopt niet.")) from fault
    raise _failed(both("De handtekening in het Word-document is van een soort die hier niet gemaakt wordt."))


def _compare(reference: etree._Element, data: bytes, name: str) -> None:
    method = reference.find("d:DigestMethod", NAMES)
    if method is None or method.get("Algorithm") != SHA256 or _text(reference, "d:DigestValue") != _digest(data):
        raise _failed(both("In het Word-document is %(part)s na het ondertekenen veranderd.", part=name))


# Packages and XML


def _read_package(path: Path) -> Parts:
    try:
        with zipfile.ZipFile(path) as package:
            entries = [entry for entry in package.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MAX_PACKAGE_BYTES:
                raise _failed(both("Het Word-document is uitgepakt te groot."))
            parts = {entry.filename: package.read(entry) for entry in entries}
    except SealingFailed:
        raise
    except Exception as fault:  # zipfile raises six kinds of errors on broken input
        raise _failed(both("Het Word-document is beschadigd: het is geen leesbaar docx-bestand.")) from fault
    if len(parts) != len(entries) or not {CONTENT_TYPES, PACKAGE_RELATIONSHIPS} <= parts.keys():
        raise _failed(both("Het Word-document is beschadigd: onderdelen ontbreken of staan er dubbel in."))
    return parts


def _signable(parts: Parts) -> list[str]:
    return [name for name in parts if name != CONTENT_TYPES and not name.startswith(SIGNATURE_FOLDER)]


def _signable_ids(relationships: bytes) -> list[str]:
    """The relationships that can be signed: all but the one that leads to the signature itself."""
    return [one.get("Id", "") for one in _xml(relationships) if one.get("Type") != ORIGIN_TYPE]


def _transformed(relationships: bytes, ids: Collection[str]) -> bytes:
    """The relationship transform of ECMA-376 part 2, 13.2.4.24, followed by canonicalisation."""
    root = _xml(relationships)
    chosen = sorted((one for one in root if one.get("Id") in ids), key=lambda one: one.get("Id", ""))
    lines = "".join(
        f"<Relationship {' '.join(f'{name}={quoteattr(str(value))}' for name, value in attributes)}/>"
        for attributes in (sorted({"TargetMode": "Internal", **one.attrib}.items()) for one in chosen)
    )
    return _canonical(_xml(f'<Relationships xmlns="{NAMES["r"]}">{lines}</Relationships>'.encode()))


def _content_types(parts: Mapping[str, bytes]) -> Callable[[str], str]:
    root = _xml(parts[CONTENT_TYPES])
    defaults = {one.get("Extension", "").lower(): one.get("ContentType", "") for one in root.iterfind("t:Default", NAMES)}
    overrides = {one.get("PartName", "").lower(): one.get("ContentType", "") for one in root.iterfind("t:Override", NAMES)}

    def content_type(name: str) -> str:
        return overrides.get(f"/{name}".lower()) or defaults[name.rpartition(".")[2].lower()]

    return content_type


def _owner(relationships: str) -> str:
    """The part whose relationships these are: ``word/_rels/document.xml.rels`` belongs to ``word/document.xml``."""
    return relationships.replace("_rels/", "").removesuffix(".rels")


def _xml(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.doctype:
        raise etree.XMLSyntaxError("a document type is not allowed", 0, 0, 0)
    return root


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _by_id(root: etree._Element, name: str) -> etree._Element:
    (element,) = (one for one in root.iter(etree.Element) if one.get("Id") == name)  # a second one is an attack
    return element


def _canonical(element: etree._Element) -> bytes:
    """Inclusive C14N 1.0. Parsed again first: for an element inside a document lxml writes a bogus ``xmlns=""``."""
    return etree.tostring(_xml(etree.tostring(element, with_tail=False)), method="c14n")


def _text(element: etree._Element, path: str) -> str:
    (found,) = element.findall(path, NAMES)
    return re.sub(r"\s", "", found.text or "")


def _digest(data: bytes) -> str:
    return _base64(hashlib.sha256(data).digest())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _failed(text: Text) -> SealingFailed:
    return SealingFailed(text, step="sign_docx")
