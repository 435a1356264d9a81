"""What our own checks accept and refuse: every way to tamper that we know of, and hostile input."""

import hashlib
import json
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from seal_helpers import MADE_AT, changed, demo_key, issue, made_key, sealed_pdf, small_pdf

from app.config import ROOT
from app.documents.bundle import BundleFile, manifest_text, pack
from app.documents.signing import SealKey, _signer, sign_detached
from app.documents.verification import _covers, check_bundle, check_sealed_pdf, report_signatures
from app.errors import SealingFailed

CORPUS = ROOT.parent / "shared" / "corpus"


# The seal on the PDF


def pdf_refusal(path: Path, key: SealKey | None = None) -> str:
    with pytest.raises(SealingFailed) as caught:
        check_sealed_pdf(path, fingerprints=frozenset({(key or demo_key()).fingerprint}))
    assert caught.value.details == {"step": "check_pdf"}
    assert set(caught.value.text) == {"nl", "en"}
    return caught.value.text["nl"]


def test_check_sealed_pdf_accepts_and_reports(tmp_path):
    report = check_sealed_pdf(sealed_pdf(tmp_path), fingerprints=frozenset({"0" * 64, demo_key().fingerprint}))
    assert (report.fingerprint, report.subject, report.timestamped) == (demo_key().fingerprint, demo_key().subject, False)
    assert report.signed_at is not None
    assert abs(report.signed_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_check_sealed_pdf_accepts_a_seal_of_a_certificate_that_expired_since(tmp_path):
    key = issue(start=timedelta(days=-9), end=timedelta(days=-2))
    assert check_sealed_pdf(sealed_pdf(tmp_path, key), fingerprints={key.fingerprint}).fingerprint == key.fingerprint


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Path:
    return sealed_pdf(tmp_path_factory.mktemp("verzegeld"))


def test_check_sealed_pdf_refuses_a_flipped_byte_anywhere_but_in_the_seal_itself(sealed, tmp_path):
    """A sample of all places. The seal holds unsigned parts (padding, the root's certificate), so there it may pass."""
    data = sealed.read_bytes()
    start, length, resume, rest = map(int, re.search(rb"/ByteRange \[ ?(\d+) (\d+) (\d+) (\d+)", data).groups())
    assert (start, resume + rest) == (0, len(data))
    target = tmp_path / "veranderd.pdf"
    for place in {*range(0, len(data), len(data) // 120), length - 1, length, resume - 1, resume, len(data) - 1}:
        flipped = bytearray(data)
        flipped[place] ^= 1
        target.write_bytes(flipped)
        if length < place < resume - 1:
            with suppress(SealingFailed):
                check_sealed_pdf(target, fingerprints={demo_key().fingerprint})
        else:
            assert pdf_refusal(target), place


def test_check_sealed_pdf_refuses_an_unsealed_or_broken_pdf(sealed, tmp_path):
    assert "niet verzegeld" in pdf_refusal(small_pdf(tmp_path / "kaal.pdf"))
    assert "niet te lezen" in pdf_refusal(
        changed(sealed, tmp_path / "kort.pdf", lambda data: data.__delitem__(slice(-400, None)))
    )
    assert "niet te lezen" in pdf_refusal(tmp_path / "absent.pdf")


def test_check_sealed_pdf_refuses_stripped_signatures_and_a_cut_off_revision(sealed, tmp_path):
    original = (sealed.parent / "dossier.pdf").read_bytes()
    (tmp_path / "gekapt.pdf").write_bytes(sealed.read_bytes()[: len(original)])
    assert "niet verzegeld" in pdf_refusal(tmp_path / "gekapt.pdf")
    with pikepdf.open(sealed) as pdf:
        del pdf.Root.AcroForm, pdf.pages[0].Annots
        pdf.save(tmp_path / "gestript.pdf")
    assert "niet verzegeld" in pdf_refusal(tmp_path / "gestript.pdf")


def test_check_sealed_pdf_refuses_an_appended_revision(sealed, tmp_path):
    target = tmp_path / "aangevuld.pdf"
    with sealed.open("rb") as source, target.open("wb+") as output:
        writer = IncrementalPdfFileWriter(source)
        page = writer.root["/Pages"]["/Kids"][0].get_object()
        page["/Rotate"] = NumberObject(90)
        writer.update_container(page)
        writer.write(output)
    assert "toegevoegd" in pdf_refusal(target)
    assert pdf_refusal(changed(sealed, tmp_path / "staart.pdf", lambda data: data.extend(b"\n%%EOF\n")))


def test_check_sealed_pdf_refuses_another_certificate(sealed):
    assert "ander certificaat" in pdf_refusal(sealed, made_key("ec"))


@pytest.mark.parametrize(
    ("byte_range", "size", "covers"),
    [
        ([0, 10, 30, 5], 35, True),
        ([0, 10, 30, 5], 36, False),  # a byte after the end
        ([1, 9, 30, 5], 35, False),  # a byte before the start
        ([0, 10, 31, 5], 36, False),  # a byte beside the signature
        ([0, 10, 20, 5], 35, False),  # the lengths add up, but the last ten bytes are nobody's
    ],
)
def test_a_seal_covers_all_bytes_but_its_own(byte_range, size, covers):
    assert _covers(SimpleNamespace(byte_range=byte_range, pkcs7_content=b"123456789"), size) is covers


def foreign_seal(source: Path, target: Path, key: SealKey, **options) -> Path:
    metadata = {"field_name": "Organisatiezegel", "subfilter": SigSeedSubFilter.PADES, **options}
    with source.open("rb") as stream, target.open("wb+") as output:
        signer = signers.PdfSigner(signers.PdfSignatureMetadata(**metadata), _signer(key))
        signer.sign_pdf(IncrementalPdfFileWriter(stream), output=output)
    return target


def test_check_sealed_pdf_refuses_a_later_signature_by_another(tmp_path):
    first = foreign_seal(small_pdf(tmp_path / "a.pdf"), tmp_path / "b.pdf", demo_key())
    second = foreign_seal(first, tmp_path / "c.pdf", made_key("ec"), field_name="Ander")
    assert "niet het zegel" in pdf_refusal(second)
    third = foreign_seal(first, tmp_path / "d.pdf", demo_key(), field_name="Ander")
    assert "niet het zegel" in pdf_refusal(third)


def test_check_sealed_pdf_refuses_a_seal_that_allows_changes(tmp_path):
    source = small_pdf(tmp_path / "a.pdf")
    loose = foreign_seal(source, tmp_path / "b.pdf", demo_key())
    assert "staat wijzigingen toe" in pdf_refusal(loose)
    filling = foreign_seal(source, tmp_path / "c.pdf", demo_key(), certify=True, docmdp_permissions=MDPPerm.FILL_FORMS)
    assert "staat wijzigingen toe" in pdf_refusal(filling)


# Signatures of others

FACTS = ("field", "kind", "signer", "intact", "valid", "trusted", "revoked", "coverage", "modification", "error")


def facts(path: Path, **options) -> list[tuple]:
    return [tuple(entry[name] for name in FACTS) for entry in report_signatures(path, **options)]


def test_report_signatures_tells_of_each_what_holds(tmp_path):
    key, other = made_key("ec"), made_key("rsa")
    first = foreign_seal(small_pdf(tmp_path / "a.pdf"), tmp_path / "b.pdf", key, field_name="Supervisor")
    both = foreign_seal(first, tmp_path / "c.pdf", other, field_name="Ander")
    name = "Testzegel, Test"
    assert facts(tmp_path / "a.pdf") == []
    assert facts(first) == [("Supervisor", "signature", name, True, True, False, False, "entire_file", "none", "")]
    assert facts(both, trust_roots=[key.root_pem]) == [
        ("Supervisor", "signature", name, True, True, True, False, "entire_revision", "form_filling", ""),
        ("Ander", "signature", name, True, True, False, False, "entire_file", "none", ""),
    ]
    moment = datetime.fromisoformat(report_signatures(first)[0]["signed_at"])
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=1)
    json.dumps(report_signatures(both))


def test_report_signatures_tells_of_changed_content(tmp_path):
    path = foreign_seal(small_pdf(tmp_path / "a.pdf"), tmp_path / "b.pdf", made_key("ec"))

    def change(data: bytearray) -> None:
        data[data.index(b"Bladzijde 1")] ^= 1

    (entry,) = report_signatures(changed(path, tmp_path / "c.pdf", change))
    assert (entry["intact"], entry["valid"], entry["error"]) == (False, True, "")
    with path.open("rb") as source, (tmp_path / "d.pdf").open("wb+") as output:
        writer = IncrementalPdfFileWriter(source)
        page = writer.root["/Pages"]["/Kids"][0].get_object()
        page["/Rotate"] = NumberObject(90)
        writer.update_container(page)
        writer.write(output)
    (entry,) = report_signatures(tmp_path / "d.pdf")
    assert (entry["intact"], entry["coverage"], entry["modification"]) == (True, "entire_revision", "other")


def test_report_signatures_fetches_nothing(tmp_path, monkeypatch):
    """The demo certificate names addresses; a report must not ask them, and neither must a check."""
    path = sealed_pdf(tmp_path)

    def refuse(*_arguments, **_options):
        raise AssertionError("an address was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert report_signatures(path)[0]["intact"]
    assert check_sealed_pdf(path, fingerprints={demo_key().fingerprint}).subject


def test_report_signatures_makes_names_of_others_harmless(tmp_path):
    path = foreign_seal(small_pdf(tmp_path / "a.pdf"), tmp_path / "b.pdf", made_key("ec"), field_name="a\u202e\r\n" + "x" * 300)
    assert report_signatures(path)[0]["field"] == "a" + "x" * 199


@pytest.mark.parametrize("data", [b"", b"geen pdf", b"%PDF-1.7\n" + b"[" * 100_000, b"%PDF-1.7\nstartxref\n9\n%%EOF"])
def test_report_signatures_of_an_unreadable_file_is_one_error(tmp_path, data):
    (tmp_path / "x.pdf").write_bytes(data)
    for path in (tmp_path / "x.pdf", tmp_path / "absent.pdf"):
        (entry,) = report_signatures(path)
        assert entry["error"]
        assert not entry["intact"]


def test_report_signatures_never_raises_on_broken_signatures(tmp_path):
    path = foreign_seal(small_pdf(tmp_path / "a.pdf"), tmp_path / "b.pdf", made_key("ec"))
    data = path.read_bytes()
    broken = {
        "contents": re.sub(rb"/Contents <[0-9a-fA-F]{400}", lambda found: found[0][:-400] + b"f" * 400, data),
        "range": re.sub(rb"/ByteRange \[\s*0 ", lambda found: found[0][:-2] + b"9 ", data),
        "subfilter": data.replace(b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detachet"),
        "type": data.replace(b"/Type /Sig\n", b"/Type /Sog\n"),
    }
    for name, changed_data in broken.items():
        assert changed_data != data, name
        path.write_bytes(changed_data)
        assert [entry["intact"] and entry["valid"] for entry in report_signatures(path)] == [False], name


def test_report_signatures_on_odd_public_files_never_raises():
    if not CORPUS.is_dir():
        pytest.skip("the collection of odd public files is not here")
    for path in sorted(CORPUS.rglob("*.pdf"))[:120]:
        for entry in report_signatures(path):
            assert set(entry) >= set(FACTS)


# The bundle

FILES = {"data/dossier.pdf": b"%PDF-1.7", "data/evidence/01-cv.pdf": b"cv" * 4000, "data/snapshot.json": b"{}"}
TOP = "LD-1"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundel")
    files = []
    for number, (name, data) in enumerate(FILES.items()):
        (folder / str(number)).write_bytes(data)
        files.append(BundleFile(name, folder / str(number)))
    pack(folder / f"{TOP}.zip", files, info={"External-Identifier": TOP}, key=demo_key(), made_at=MADE_AT)
    return folder / f"{TOP}.zip"


def bundle_refusal(path: Path, key: SealKey | None = None) -> str:
    with pytest.raises(SealingFailed) as caught:
        check_bundle(path, fingerprints=frozenset({(key or demo_key()).fingerprint}))
    assert caught.value.details == {"step": "check_bundle"}
    assert set(caught.value.text) == {"nl", "en"}
    return caught.value.text["nl"]


def repacked(source: Path, target: Path, change: Callable[[dict[str, bytes]], object], method: int = zipfile.ZIP_STORED) -> Path:
    """The bundle with changed members; names are relative to the top folder, unless they start with ``/``."""
    with zipfile.ZipFile(source) as archive:
        members = {name.removeprefix(f"{TOP}/"): archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name[1:] if name.startswith("/") else f"{TOP}/{name}", data)
    return target


def test_check_bundle_accepts_and_reports(bundle):
    report = check_bundle(bundle, fingerprints=frozenset({demo_key().fingerprint}))
    assert (report.name, report.payload_bytes) == (TOP, 8010)
    assert report.digests == {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    assert report.info == {
        "External-Identifier": TOP,
        "Bagging-Date": "2026-11-21",
        "Bag-Software-Agent": "Loopbaandossier",
        "Payload-Oxum": "8010.3",
    }
    assert (report.seal.fingerprint, report.seal.timestamped) == (demo_key().fingerprint, False)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_check_bundle_refuses_any_flipped_byte_of_any_file(bundle, tmp_path_factory, data):
    """All but the signature itself, which holds unsigned certificates; there the seal stays ours or is refused."""
    with zipfile.ZipFile(bundle) as archive:
        names = [name for name in archive.namelist() if not name.endswith(".p7s")]
    target = tmp_path_factory.getbasetemp() / "geknoeid.zip"

    def change(members: dict[str, bytes]) -> None:
        name = data.draw(st.sampled_from(names)).removeprefix(f"{TOP}/")
        changed_data = bytearray(members[name])
        changed_data[data.draw(st.integers(0, len(changed_data) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        members[name] = bytes(changed_data)

    assert bundle_refusal(repacked(bundle, target, change))


def test_check_bundle_refuses_or_stays_the_same_when_the_zip_itself_is_damaged(bundle, tmp_path):
    data = bundle.read_bytes()
    whole = check_bundle(bundle, fingerprints={demo_key().fingerprint})
    for place in range(0, len(data), 97):
        path = changed(bundle, tmp_path / "stuk.zip", lambda found, place=place: found.__setitem__(place, found[place] ^ 0x55))
        with suppress(SealingFailed):
            assert check_bundle(path, fingerprints={demo_key().fingerprint}).digests == whole.digests
    for part in (data[:-30], data[: len(data) // 2], b""):
        (tmp_path / "stuk.zip").write_bytes(part)
        assert "beschadigd" in bundle_refusal(tmp_path / "stuk.zip")


def forge(members: dict[str, bytes]) -> None:
    """Changes a file and makes all manifests right again, as anyone can; only the signature cannot be made."""
    members["data/snapshot.json"] = b'{"verdict": "voldoende"}'
    payload = {name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name.startswith("data/")}
    members["manifest-sha256.txt"] = manifest_text(payload)
    size = sum(len(data) for name, data in members.items() if name.startswith("data/"))
    members["bag-info.txt"] = re.sub(rb"Oxum: \S+", f"Oxum: {size}.{len(payload)}".encode(), members["bag-info.txt"])
    tags = ("bagit.txt", "bag-info.txt", "signatures/chain.pem", "manifest-sha256.txt")
    members["tagmanifest-sha256.txt"] = manifest_text({name: hashlib.sha256(members[name]).hexdigest() for name in tags})


def test_check_bundle_refuses_recomputed_manifests_that_bagit_accepts(bundle, tmp_path):
    forged = repacked(bundle, tmp_path / "b.zip", forge)
    with zipfile.ZipFile(forged) as archive:
        archive.extractall(tmp_path)
    assert (
        subprocess.run([sys.executable, "-m", "bagit", "--validate", tmp_path / TOP], capture_output=True, timeout=120).returncode
        == 0
    )
    assert "zegel op de bundel klopt niet" in bundle_refusal(forged)


def test_check_bundle_refuses_a_signature_by_somebody_else(bundle, tmp_path):
    def sign_anew(members: dict[str, bytes]) -> None:
        forge(members)
        name = "tagmanifest-sha256.txt"
        members[f"signatures/{name}.p7s"] = sign_detached(members[name], made_key("rsa"))

    assert "ander certificaat" in bundle_refusal(repacked(bundle, tmp_path / "b.zip", sign_anew))
    assert "ander certificaat" in bundle_refusal(bundle, made_key("ec"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data/snapshot.json", "ontbreekt data/snapshot.json"),
        ("manifest-sha256.txt", "ontbreekt manifest-sha256.txt"),
        ("tagmanifest-sha256.txt", "ontbreekt tagmanifest-sha256.txt"),
        ("signatures/tagmanifest-sha256.txt.p7s", "ontbreekt signatures/tagmanifest-sha256.txt.p7s"),
        ("bag-info.txt", "ontbreekt bag-info.txt"),
        ("signatures/chain.pem", "ontbreekt signatures/chain.pem"),
    ],
)
def test_check_bundle_names_what_is_missing(bundle, tmp_path, name, text):
    assert text in bundle_refusal(repacked(bundle, tmp_path / "b.zip", lambda members: members.pop(name)))


@pytest.mark.parametrize(
    "name", ["data/extra.txt", "extra.txt", "signatures/x", "data/../x", "/elders/x", "data/DOSSIER.pdf", "leeg/"]
)
def test_check_bundle_refuses_what_is_added(bundle, tmp_path, name):
    assert "te veel" in bundle_refusal(repacked(bundle, tmp_path / "b.zip", lambda members: members.update({name: b""})))


def test_check_bundle_refuses_a_doubled_file_and_a_compressed_one(bundle, tmp_path):
    double = changed(bundle, tmp_path / "dubbel.zip", lambda data: None)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(double, "a") as archive:
        archive.writestr(f"{TOP}/data/snapshot.json", b"{}")
    assert "te veel" in bundle_refusal(double)
    assert "gecomprimeerd" in bundle_refusal(repacked(bundle, tmp_path / "b.zip", lambda members: None, zipfile.ZIP_DEFLATED))


def test_check_bundle_refuses_other_things(tmp_path):
    (tmp_path / "tekst").write_bytes(b"geen zip")
    with zipfile.ZipFile(tmp_path / "leeg", "w"):
        pass
    for name in ("tekst", "leeg", "absent"):
        assert "beschadigd" in bundle_refusal(tmp_path / name)
