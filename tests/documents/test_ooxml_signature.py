"""The signature on the DOCX, judged by xmlsec1, LibreOffice and our own check."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from lxml import etree
from seal_helpers import MADE_AT, OFFICE_RELATIONSHIPS, WORD, changed, demo_key, made_key, small_docx
from verifiers import need, xmlsec1

from app.documents.ooxml_signature import SIGNATURE, check_docx_signature, sign_docx
from app.errors import SealingFailed

Parts = dict[str, bytes]


def signed_docx(folder: Path, key=None, **options) -> Path:
    target = folder / "ondertekend.docx"
    sign_docx(small_docx(folder / "dossier.docx", **options), target, key or demo_key(), signed_at=MADE_AT)
    return target


def parts_of(path: Path) -> Parts:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def rewritten(path: Path, change: Callable[[Parts], None]) -> Path:
    parts = parts_of(path)
    change(parts)
    target = path.with_name("veranderd.docx")
    with zipfile.ZipFile(target, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return target


def replaced(part: str, old: bytes, new: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        assert parts[part].count(old) >= 1
        parts[part] = parts[part].replace(old, new, 1)

    return change


def refusal(path: Path, key=None) -> str:
    with pytest.raises(SealingFailed) as caught:
        check_docx_signature(path, fingerprints={(key or demo_key()).fingerprint})
    assert caught.value.details == {"step": "sign_docx"}
    return caught.value.text["nl"]


@pytest.mark.parametrize("kind", ["rsa", "ec", "p521"])
def test_sign_docx_convinces_xmlsec1(tmp_path, kind):
    key = made_key(kind)
    path = signed_docx(tmp_path, key)
    count = len(parts_of(path)) - 4  # all but the list of content types and the three parts of the signature
    assert xmlsec1(path, key.root_pem) == (True, f"{count}/{count}")
    report = check_docx_signature(path, fingerprints={key.fingerprint})
    assert (report.fingerprint, report.subject, report.signed_at) == (key.fingerprint, "Testzegel, Test", MADE_AT)


def test_xmlsec1_sees_a_changed_part(tmp_path):
    path = rewritten(signed_docx(tmp_path), replaced("word/document.xml", b"Dossier", b"dossier"))
    assert xmlsec1(path, demo_key().root_pem) == (False, "18/19")


LIBREOFFICE = """
import subprocess, sys, time
import uno
from com.sun.star.beans import PropertyValue

profile, *paths = sys.argv[1:]
accept = f"pipe,name=loopbaan{abs(hash(profile))};urp;"
office = subprocess.Popen(["soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation=file://{profile}",
                           f"--accept={accept}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for attempt in range(150):
    try:
        context = resolver.resolve(f"uno:{accept}StarOffice.ComponentContext")
        break
    except Exception:
        time.sleep(0.2)
make = context.ServiceManager.createInstanceWithContext
desktop = make("com.sun.star.frame.Desktop", context)
try:
    judge = context.ServiceManager.createInstanceWithArgumentsAndContext(
        "com.sun.star.security.DocumentDigitalSignatures", ("1.2", True), context)
    for path in paths:
        stream = make("com.sun.star.ucb.SimpleFileAccess", context).openFileRead(f"file://{path}")
        form = uno.Any("[]com.sun.star.beans.PropertyValue", (PropertyValue("StorageFormat", 0, "ZipFormat", 0),))
        storage = uno.invoke(make("com.sun.star.embed.StorageFactory", context), "createInstanceWithArguments",
                             ((stream, 1, form),))
        for found in judge.verifyDocumentContentSignatures(storage, None):
            print("signature", found.SignatureIsValid, found.CertificateStatus, found.Signer.SubjectName)
        document = desktop.loadComponentFromURL(f"file://{path}", "_blank", 0, (PropertyValue("Hidden", 0, True, 0),))
        for paragraph in document.Text:
            if hasattr(paragraph, "createEnumeration"):
                for portion in paragraph:
                    if portion.HyperLinkURL:
                        print("link", portion.HyperLinkURL)
        document.close(True)
finally:
    try:
        desktop.terminate()
    except Exception:
        pass
    office.wait(30)
"""


def libreoffice(folder: Path, root: bytes, *paths: Path) -> list[str]:
    """What LibreOffice says, asked through UNO by the system's Python (the only one that has it)."""
    need("soffice")
    need("certutil")
    python = "/usr/bin/python3"
    if not Path(python).exists() or subprocess.run([python, "-c", "import uno"], capture_output=True, timeout=120).returncode:
        pytest.skip("python3-uno is not installed, so LibreOffice cannot be asked")
    (folder / "nss").mkdir()
    (folder / "root.pem").write_bytes(root)
    (folder / "vraag.py").write_text(LIBREOFFICE)
    store = f"sql:{folder / 'nss'}"
    subprocess.run(["certutil", "-N", "-d", store, "--empty-password"], check=True, timeout=120)
    subprocess.run(["certutil", "-A", "-d", store, "-n", "r", "-t", "CT,C,C", "-i", folder / "root.pem"], check=True, timeout=120)
    environment = {"MOZILLA_CERTIFICATE_FOLDER": store, "HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [python, folder / "vraag.py", folder / "profiel", *paths],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()


def test_sign_docx_convinces_libreoffice_and_keeps_the_links(tmp_path):
    good = signed_docx(tmp_path)
    bad = rewritten(good, replaced("word/document.xml", b"Dossier", b"dossier"))
    said = libreoffice(tmp_path, demo_key().root_pem, good, bad)
    links = ["link https://example.org/?a=1&b=2", "link https://example.org/gewoon"]
    name = "CN=DEMO organisatiezegel,O=DEMO Register Loopbaanprofessionals"
    assert said == [f"signature True 0 {name}", *links, f"signature False 0 {name}", *links]


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_sign_docx_convinces_libreoffice_whatever_the_key(tmp_path, kind):
    key = made_key(kind)
    said = libreoffice(tmp_path, key.root_pem, signed_docx(tmp_path, key))
    assert said[0] == "signature True 0 CN=Testzegel,O=Test"


def test_sign_docx_gives_the_same_bytes_again(tmp_path):
    source = small_docx(tmp_path / "a.docx")
    for name in ("b", "c"):
        sign_docx(source, tmp_path / name, demo_key(), signed_at=MADE_AT)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    with zipfile.ZipFile(tmp_path / "b") as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_sign_docx_changes_nothing_but_awkward_links(tmp_path):
    path = signed_docx(tmp_path, links=("https://example.org/gewoon",))
    before, after = parts_of(tmp_path / "dossier.docx"), parts_of(path)
    ours = {"[Content_Types].xml", "_rels/.rels"}
    assert {name: data for name, data in after.items() if not name.startswith("_xmlsignatures/") and name not in ours} == {
        name: data for name, data in before.items() if name not in ours
    }
    assert [paragraph.text for paragraph in docx.Document(path).paragraphs][:2] == ["Dossier", "één"]


@pytest.mark.parametrize("link", ["https://example.org/?a=1&b=2", 'https://example.org/"x"', "https://example.org/<x>"])
def test_sign_docx_makes_fields_of_awkward_links(tmp_path, link):
    path = signed_docx(tmp_path, links=(link,))
    assert xmlsec1(path, demo_key().root_pem)[0]
    for part in ("word/document.xml", "word/header1.xml"):
        root = etree.fromstring(parts_of(path)[part])
        (field,) = root.iter(f"{{{WORD}}}fldSimple")
        assert field.get(f"{{{WORD}}}instr") == f'HYPERLINK "{link.replace(chr(34), "%22")}"'
        assert "".join(field.itertext()) == "hier"
        assert not [one for one in root.iter(f"{{{WORD}}}hyperlink") if one.get(f"{{{OFFICE_RELATIONSHIPS}}}id")]


def test_sign_docx_refuses_what_is_no_docx_or_is_signed_already(tmp_path):
    (tmp_path / "tekst").write_bytes(b"geen zip")
    with zipfile.ZipFile(tmp_path / "zip", "w") as package:
        package.writestr("los", b"")
    for source in (tmp_path / "tekst", tmp_path / "zip", tmp_path / "absent", signed_docx(tmp_path)):
        with pytest.raises(SealingFailed) as caught:
            sign_docx(source, tmp_path / "uit.docx", demo_key(), signed_at=MADE_AT)
        assert caught.value.details == {"step": "sign_docx"}
        assert not (tmp_path / "uit.docx").exists()


# Tampering


def test_check_refuses_an_unsigned_document_and_a_stripped_signature(tmp_path):
    assert "niet ondertekend" in refusal(small_docx(tmp_path / "a.docx"))

    def strip(parts: Parts) -> None:
        for name in [name for name in parts if name.startswith("_xmlsignatures/")]:
            del parts[name]

    assert "niet ondertekend" in refusal(rewritten(signed_docx(tmp_path), strip))


def test_check_refuses_another_certificate(tmp_path):
    assert "ander certificaat" in refusal(signed_docx(tmp_path), made_key("ec"))


@pytest.mark.parametrize(
    "part",
    [
        "word/document.xml",
        "word/styles.xml",
        "word/header1.xml",
        "word/media/image1.png",
        "docProps/core.xml",
        "word/_rels/document.xml.rels",
        "_rels/.rels",
    ],
)
def test_check_refuses_a_changed_or_removed_part(tmp_path, part):
    path = signed_docx(tmp_path)

    def change(parts: Parts) -> None:
        parts[part] = parts[part].replace(b"officeDocument", b"officeDocumenT").replace(b"E", b"e") + b"\n"

    assert part in refusal(rewritten(path, change))
    if part != "_rels/.rels":
        assert part in refusal(rewritten(path, lambda parts: parts.pop(part)))
    else:
        assert "beschadigd" in refusal(rewritten(path, lambda parts: parts.pop(part)))


def added(name: str) -> Callable[[Parts], None]:
    return lambda parts: parts.update({name: b"<x/>"})


@pytest.mark.parametrize("name", ["word/extra.xml", "_xmlsignatures/sig2.xml", "customXml/item9.xml"])
def test_check_refuses_an_added_part(tmp_path, name):
    assert name in refusal(rewritten(signed_docx(tmp_path), added(name)))


def test_check_refuses_what_the_standard_leaves_open(tmp_path):
    """An added external relationship and a changed content type pass xmlsec1; not here."""
    path = signed_docx(tmp_path)
    relation = b'<Relationship Id="rId99" Type="x/attachedTemplate" Target="http://evil.invalid/x.dotm" TargetMode="External"/>'
    end = b"</Relationships>"
    linked = rewritten(path, replaced("word/_rels/document.xml.rels", end, relation + end))
    assert xmlsec1(linked, demo_key().root_pem)[0]
    assert "verwijzing in word/_rels/document.xml.rels" in refusal(linked)
    plain, macro = b"wordprocessingml.document.main+xml", b"wordprocessingml.template.main+xml"
    assert "soort van word/document.xml" in refusal(rewritten(path, replaced("[Content_Types].xml", plain, macro)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<SignatureValue>", b"<SignatureValue>AAAA"),
        (b"idSignatureTime", b"idSignaturetime"),
        (b"<xd:SigningTime>2026", b"<xd:SigningTime>2025"),
        (b"rsa-sha256", b"rsa-sha1"),
        (b'<Object Id="idOfficeObject">', b'<Object Id="idPackageObject"/><Object Id="idOfficeObject">'),
        (b"</SignedInfo>", b"</SignedInfo><SignedInfo/>"),
        (b"<X509Certificate>", b"<X509Certificate>AAAA"),
        (b"<Signature ", b"<!DOCTYPE x [<!ENTITY y 'z'>]><Signature "),
    ],
)
def test_check_refuses_a_changed_signature(tmp_path, old, new):
    assert refusal(rewritten(signed_docx(tmp_path), replaced(SIGNATURE, old, new)))


def test_check_refuses_a_document_signed_anew_by_somebody_else(tmp_path):
    """The attacker's key with our certificate beside it, so that the fingerprint is ours."""
    ours, theirs = made_key("rsa"), made_key("ec")
    forged = signed_docx(tmp_path, type(ours)(theirs.private_key, ours.certificate, ours.chain, demo=False))
    assert "soort" in refusal(forged, ours)
    assert "klopt niet" in refusal(rewritten(forged, replaced(SIGNATURE, b"ecdsa-sha256", b"rsa-sha256")), ours)


def test_check_refuses_a_damaged_zip(tmp_path):
    path = signed_docx(tmp_path)
    assert "beschadigd" in refusal(changed(path, tmp_path / "kort.docx", lambda data: data.__delitem__(slice(900, None))))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as package:
        package.writestr("word/document.xml", b"<x/>")
    assert "beschadigd" in refusal(path)
