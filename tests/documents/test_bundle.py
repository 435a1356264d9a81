"""The bundle, judged by the stock BagIt verifier, unzip and openssl, and by our own check."""

import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from seal_helpers import MADE_AT, demo_key, made_key
from verifiers import need

from app.config import ROOT
from app.documents.bundle import BundleFile, pack, unfit
from app.documents.verification import check_bundle
from app.errors import SealingFailed

INFO = {"Source-Organization": "Register Loopbaanprofessionals", "External-Identifier": "LD-2026-0001"}
PAYLOAD = {
    "data/dossier.pdf": b"%PDF-1.7 \xff\x00",
    "data/evidence/01-简历 & Zoë's cv.pdf": b"cv" * 3_000_000,
    "data/evidence/02-leeg.txt": b"",
    "data/statements/supervisor.json": b"{}",
}


def files_in(folder: Path, payload: dict[str, bytes] | None = None) -> list[BundleFile]:
    files = []
    for number, (path, data) in enumerate((PAYLOAD if payload is None else payload).items()):
        source = folder / f"bron-{number}"
        source.write_bytes(data)
        files.append(BundleFile(path, source))
    return files


def packed(folder: Path, payload: dict[str, bytes] | None = None, **options) -> Path:
    target = folder / "LD-2026-0001.zip"
    arguments = {"info": INFO, "key": demo_key(), "made_at": MADE_AT, **options}
    pack(target, files_in(folder, payload), **arguments)
    return target


def unpacked(path: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.parent / "uit")
    return path.parent / "uit" / "LD-2026-0001"


def test_pack_convinces_bagit_and_openssl(tmp_path):
    bag = unpacked(packed(tmp_path))
    done = subprocess.run([sys.executable, "-m", "bagit", "--validate", bag], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.splitlines()[-1].endswith("is valid")) == (0, True)
    need("openssl")
    verify = "openssl cms -verify -binary -inform DER -purpose any -out /dev/null -CAfile signatures/chain.pem"
    name = "tagmanifest-sha256.txt"
    command = [*verify.split(), "-in", f"signatures/{name}.p7s", "-content", name]
    assert subprocess.run(command, cwd=bag, capture_output=True, timeout=120).returncode == 0
    with (bag / "tagmanifest-sha256.txt").open("ab") as manifest:
        manifest.write(b"\n")
    assert subprocess.run(command, cwd=bag, capture_output=True, timeout=120).returncode != 0


def test_bagit_sees_a_flipped_byte(tmp_path):
    bag = unpacked(packed(tmp_path))
    (bag / "data/statements/supervisor.json").write_bytes(b"{]")
    assert subprocess.run([sys.executable, "-m", "bagit", "--validate", bag], capture_output=True, timeout=120).returncode == 1


def test_pack_writes_a_fixed_order_and_fixed_times_uncompressed(tmp_path):
    with zipfile.ZipFile(packed(tmp_path)) as archive:
        assert archive.testzip() is None
        entries = archive.infolist()
        assert [entry.filename for entry in entries] == [
            f"LD-2026-0001/{name}"
            for name in (
                "bagit.txt",
                "bag-info.txt",
                "signatures/chain.pem",
                *PAYLOAD,
                "manifest-sha256.txt",
                "tagmanifest-sha256.txt",
                "signatures/tagmanifest-sha256.txt.p7s",
            )
        ]
        assert {(entry.date_time, entry.compress_type, entry.external_attr >> 16) for entry in entries} == {
            ((2026, 11, 21, 13, 37, 2), zipfile.ZIP_STORED, 0o644)
        }
        assert archive.read("LD-2026-0001/bag-info.txt").decode().splitlines() == [
            "Source-Organization: Register Loopbaanprofessionals",
            "External-Identifier: LD-2026-0001",
            "Bagging-Date: 2026-11-21",
            "Bag-Software-Agent: Loopbaandossier",
            "Payload-Oxum: 6000013.4",
        ]
        assert archive.read("LD-2026-0001/signatures/chain.pem") == demo_key().chain_pem


def test_pack_gives_the_same_bytes_but_for_the_signature(tmp_path):
    made = []
    for name in ("een", "twee"):
        (tmp_path / name).mkdir()
        moment = MADE_AT if name == "een" else MADE_AT.astimezone(timezone(timedelta(hours=1)))
        with zipfile.ZipFile(packed(tmp_path / name, made_at=moment)) as archive:
            made.append([(entry.filename, entry.date_time, archive.read(entry)) for entry in archive.infolist()][:-1])
    assert made[0] == made[1]


def test_pack_tells_its_progress_and_takes_a_name(tmp_path):
    told = []
    path = packed(tmp_path, name="Bundel van Zoë", progress=lambda done, total: told.append((done, total)))
    assert told == [(11, 6000013), (6000011, 6000013), (6000011, 6000013), (6000013, 6000013)]
    assert check_bundle(path, fingerprints={demo_key().fingerprint}).name == "Bundel van Zoë"


@pytest.mark.parametrize(
    "path",
    [
        "dossier.pdf",
        "data/../bagit.txt",
        "/data/x",
        "data//x",
        "data/",
        "data/./x",
        "data/a\nb",
        "data/a\x7fb",
        "data/\u202egnp.exe",
        "data/\ud800",
        "data\\x",
        "data/a%0Ab",
        "data/c:x",
        "data/x ",
        "data/x.",
        "data/" + "é" * 128,
    ],
)
def test_pack_refuses_a_path_that_may_not_be_in_a_bag(tmp_path, path):
    with pytest.raises(SealingFailed) as caught:
        packed(tmp_path, {path: b""})
    assert caught.value.details == {"step": "bundle"}
    assert not (tmp_path / "LD-2026-0001.zip").exists()


@pytest.mark.parametrize("second", ["data/é.pdf", "data/É.PDF", "data/e\u0301.pdf"])
def test_pack_refuses_two_files_that_a_disk_may_take_for_one(tmp_path, second):
    first, other = files_in(tmp_path, {"data/é.pdf": b"1", "data/x": b"2"})
    with pytest.raises(SealingFailed, match="Two files"):
        pack(tmp_path / "b.zip", [first, BundleFile(second, other.source)], info=INFO, key=demo_key(), made_at=MADE_AT)


@pytest.mark.parametrize("info", [{"A": "b\nPayload-Oxum: 0.0"}, {"A:b": "c"}, {"payload-oxum": "0.0"}, {"": "x"}])
def test_pack_refuses_info_that_would_forge_a_line(tmp_path, info):
    with pytest.raises(SealingFailed, match="details about the bundle"):
        packed(tmp_path, info=info)


@pytest.mark.parametrize("name", ["a/b", "..", "a\nb"])
def test_pack_refuses_a_name_that_is_no_folder(tmp_path, name):
    with pytest.raises(SealingFailed, match="cannot be"):
        packed(tmp_path, name=name)


def test_pack_names_the_file_that_is_missing_or_changes_and_keeps_the_older_bundle(tmp_path):
    target = tmp_path / "b.zip"
    target.write_bytes(b"ouder")
    files = files_in(tmp_path)
    grown = files[1].source
    arguments = {"info": INFO, "key": demo_key(), "made_at": MADE_AT}
    with pytest.raises(SealingFailed, match=r"简历.*changed"):
        pack(target, files, **arguments, progress=lambda *_: grown.write_bytes(b"anders"))
    files[3].source.unlink()
    with pytest.raises(SealingFailed, match=r"supervisor\.json is missing"):
        pack(target, files, **arguments)
    assert target.read_bytes() == b"ouder"
    assert {path.name for path in tmp_path.iterdir()} == {"b.zip", "bron-0", "bron-1", "bron-2"}


def test_pack_does_not_hold_the_files_in_memory(tmp_path):
    """300 MB of payload (sparse, so that the disk need not hold it twice) within 40 MB on top of the imports."""
    script = (
        "import resource, sys; from pathlib import Path; from seal_helpers import *\n"
        "from app.documents.bundle import BundleFile, pack\nfrom app.documents.verification import check_bundle\n"
        "folder, key = Path(sys.argv[1]), made_key()\n"
        "with (folder / 'groot').open('wb') as big: big.truncate(300_000_000)\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = used()\n"
        "pack(folder / 'b.zip', [BundleFile('data/groot', folder / 'groot')], info={}, key=key, made_at=MADE_AT)\n"
        "assert check_bundle(folder / 'b.zip', fingerprints={key.fingerprint}).payload_bytes == 300_000_000\n"
        "print(used() - before)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(Path(__file__).parent)))}
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    (tmp_path / "b.zip").unlink()
    assert int(done.stdout) < 40


@given(st.text(min_size=1, max_size=40).map("data/{}".format))
@example("data/..")
@example("data/a/../../b")
def test_a_fit_path_stays_inside_the_folder_and_on_one_line(path):
    if not unfit(path):
        assert Path("/bag", path).resolve().is_relative_to("/bag/data")
        assert len(f"digest  {path}".splitlines()) == 1
        assert path.encode()


def test_a_bundle_made_with_another_key_or_at_another_time_is_checked_with_that_key(tmp_path):
    key = made_key("ec")
    path = packed(tmp_path, key=key, made_at=datetime(2031, 1, 1, tzinfo=UTC))
    report = check_bundle(path, fingerprints={demo_key().fingerprint, key.fingerprint})
    assert (report.seal.fingerprint, report.info["Bagging-Date"]) == (key.fingerprint, "2031-01-01")
