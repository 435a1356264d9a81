"""The seal key and the seal on the PDF, judged by poppler's pdfsig, openssl and a real timestamp authority."""

import dataclasses
import os
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives import serialization
from seal_helpers import SEAL_TEXTS, demo_key, issue, made_key, p12, sealed_pdf, small_pdf
from together import together
from verifiers import need, pdfsig

from app.config import ROOT, Settings
from app.documents.signing import load_seal_key, new_file, pem, seal_pdf, sign_detached
from app.documents.verification import check_sealed_pdf
from app.errors import SealingFailed, StorageFailure

CLOSED_PORT = "http://127.0.0.1:9/"


def configured(folder: Path, data: bytes, passphrase: str = "geheim\n") -> Settings:  # noqa: S107
    (folder / "zegel.p12").write_bytes(data)
    (folder / "wachtzin").write_text(passphrase)
    return Settings(instance=folder, seal_key_file=folder / "zegel.p12", seal_passphrase_file=folder / "wachtzin")


def refusal(settings: Settings) -> SealingFailed:
    with pytest.raises(SealingFailed) as caught:
        load_seal_key(settings)
    assert caught.value.details == {"step": "seal_key"}
    assert set(caught.value.text) == {"nl", "en"}
    return caught.value


@pytest.mark.parametrize("kind", ["rsa", "ec", "p521"])
def test_load_seal_key_reads_the_configured_key(tmp_path, kind):
    made = issue(kind, chain_length=3)
    key = load_seal_key(configured(tmp_path, p12(made)))
    assert (key.fingerprint, key.chain, key.demo) == (made.fingerprint, made.chain, False)
    assert key.subject == "Testzegel, Test"
    assert key.root_pem == pem(made.chain[-1])
    assert key.chain_pem == b"".join(map(pem, (made.certificate, *made.chain)))


def test_load_seal_key_refuses_a_wrong_passphrase(tmp_path):
    settings = configured(tmp_path, p12(made_key()), "mis")
    assert "LOOPBAAN_SEAL_PASSPHRASE_FILE" in refusal(settings).text["nl"]
    assert "LOOPBAAN_SEAL_PASSPHRASE_FILE" in refusal(settings).text["en"]


@pytest.mark.parametrize("data", [b"", b"geen sleutel", p12(made_key())[:-40]], ids=["empty", "other", "cut"])
def test_load_seal_key_refuses_a_damaged_file(tmp_path, data):
    text = refusal(configured(tmp_path, data)).text["nl"]
    assert "beschadigd" in text
    assert "LOOPBAAN_SEAL_KEY_FILE" in text


def test_load_seal_key_refuses_missing_files(tmp_path):
    settings = configured(tmp_path, p12(made_key()))
    (tmp_path / "wachtzin").unlink()
    assert "LOOPBAAN_SEAL_PASSPHRASE_FILE" in refusal(settings).text["nl"]
    (tmp_path / "zegel.p12").unlink()
    (tmp_path / "wachtzin").write_text("geheim")
    assert "LOOPBAAN_SEAL_KEY_FILE" in refusal(settings).text["nl"]
    assert "LOOPBAAN_SEAL_KEY_FILE" in refusal(Settings(mode="production", instance=tmp_path)).text["nl"]


def test_load_seal_key_refuses_an_expired_certificate(tmp_path):
    key = issue(start=timedelta(days=-9), end=timedelta(days=-2))
    text = refusal(configured(tmp_path, p12(key))).text["nl"]
    assert f"verlopen op {key.certificate.not_valid_after_utc:%d-%m-%Y}" in text


def test_load_seal_key_refuses_a_certificate_that_is_not_valid_yet(tmp_path):
    key = issue(start=timedelta(days=2), end=timedelta(days=9))
    text = refusal(configured(tmp_path, p12(key))).text["nl"]
    assert f"pas geldig vanaf {key.certificate.not_valid_before_utc:%d-%m-%Y}" in text


def test_load_seal_key_refuses_keys_that_are_too_weak_or_may_not_sign(tmp_path):
    assert "2048" in refusal(configured(tmp_path, p12(issue("short")))).text["nl"]
    assert "ondertekenen" in refusal(configured(tmp_path, p12(issue(purpose="ca")))).text["nl"]


def test_demo_key_is_made_once_and_says_that_it_is_one(tmp_path):
    settings = Settings(
        instance=tmp_path, organisation="Een organisatie met een naam die veel langer is dan in een certificaat past"
    )
    first, second = load_seal_key(settings), load_seal_key(settings)
    assert first.fingerprint == second.fingerprint
    assert first.demo
    assert first.subject.startswith("DEMO organisatiezegel, DEMO Een organisatie")
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.keys.iterdir()}
    assert files == {"demo-seal.p12": 0o600, "demo-root.pem": 0o600}
    assert (settings.keys / "demo-root.pem").read_bytes() == first.root_pem


def test_demo_key_is_one_when_processes_make_it_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from app.config import Settings; "
        "from app.documents.signing import load_seal_key; sys.stdin.readline(); "
        "print(load_seal_key(Settings(instance=Path(sys.argv[1]))).fingerprint)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    answers = together(*[lambda process=process: process.communicate("\n", timeout=60)[0] for process in processes])
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(set(answers)) == 1
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["demo-root.pem", "demo-seal.p12"]


def test_seal_pdf_convinces_pdfsig(tmp_path):
    said = pdfsig(sealed_pdf(tmp_path), demo_key().root_pem)
    assert "Signature Field Name: Organisatiezegel" in said
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    assert "Signature Validation: Signature is Valid." in said
    assert "Certificate Validation: Certificate is Trusted." in said
    assert "Signature #2" not in said


def test_pdfsig_sees_a_flipped_byte(tmp_path):
    path = sealed_pdf(tmp_path)
    data = bytearray(path.read_bytes())
    data[data.index(b"Bladzijde 1")] ^= 1
    path.write_bytes(data)
    assert "Signature Validation: Digest Mismatch." in pdfsig(path, demo_key().root_pem)


@pytest.mark.parametrize("kind", ["rsa", "ec", "p521"])
def test_seal_pdf_keeps_what_was_there_and_allows_no_change(tmp_path, kind):
    key = made_key(kind)
    path = sealed_pdf(tmp_path, key)
    original = (tmp_path / "dossier.pdf").read_bytes()
    assert path.read_bytes().startswith(original)
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == 2
        seal = pdf.Root.Perms.DocMDP
        assert seal.Reference[0].TransformParams.P == 1
        assert (seal.Reason, seal.Location, seal.ContactInfo) == tuple(SEAL_TEXTS.values())
        assert str(seal.Name) == "Testzegel, Test"
    report = check_sealed_pdf(path, fingerprints={key.fingerprint})
    assert (report.fingerprint, report.subject, report.timestamped) == (key.fingerprint, "Testzegel, Test", False)


def test_seal_pdf_fails_when_the_timestamp_authority_is_down(tmp_path):
    with pytest.raises(SealingFailed, match="LOOPBAAN_TIMESTAMP_URL") as caught:
        sealed_pdf(tmp_path, timestamp_url=CLOSED_PORT)
    assert caught.value.details == {"step": "seal_pdf"}
    assert [path.name for path in tmp_path.iterdir()] == ["dossier.pdf"]
    with pytest.raises(SealingFailed, match="LOOPBAAN_TIMESTAMP_URL"):
        sign_detached(b"tekst", demo_key(), timestamp_url=CLOSED_PORT)


def test_seal_pdf_refuses_what_is_no_pdf_and_keeps_the_older_file(tmp_path):
    (tmp_path / "source").write_bytes(b"geen pdf")
    (tmp_path / "target").write_bytes(b"ouder")
    for source in (tmp_path / "source", tmp_path / "absent"):
        with pytest.raises(SealingFailed) as caught:
            seal_pdf(source, tmp_path / "target", demo_key(), **SEAL_TEXTS)
        assert caught.value.details == {"step": "seal_pdf"}
    assert (tmp_path / "target").read_bytes() == b"ouder"
    assert len(list(tmp_path.iterdir())) == 2


def test_seal_pdf_on_a_full_disk_is_a_storage_failure_and_leaves_nothing(tmp_path):
    script = (
        "import resource, signal, sys; from pathlib import Path; from seal_helpers import *; "
        "from app.errors import StorageFailure; from app.documents.signing import seal_pdf\n"
        "key, folder = made_key(), Path(sys.argv[1]); source = small_pdf(folder / 'a.pdf')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "try: seal_pdf(source, folder / 'b.pdf', key, **SEAL_TEXTS)\n"
        "except StorageFailure: print('refused')\n"
    )
    path = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "refused\n"
    assert [found.name for found in tmp_path.iterdir()] == ["a.pdf"]


def test_new_file_shows_nothing_before_the_end(tmp_path):
    target = tmp_path / "bestand"
    with new_file(target) as output:
        output.write(b"half")
        assert not target.exists()
    assert target.read_bytes() == b"half"
    with pytest.raises(StorageFailure), new_file(tmp_path) as output:  # a folder stands in the way
        raise PermissionError(13, "refused")
    assert [path.name for path in tmp_path.iterdir()] == ["bestand"]


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_sign_detached_convinces_openssl(tmp_path, kind):
    need("openssl")
    key = made_key(kind)
    files = {"p7s": sign_detached(b"tekst\r\n", key), "tekst": b"tekst\r\n", "ander": b"tekst\n", "root.pem": key.root_pem}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    def verify(content: str) -> int:
        command = "openssl cms -verify -cades -binary -inform DER -in p7s -CAfile root.pem -purpose any -out /dev/null -content"
        return subprocess.run([*command.split(), content], cwd=tmp_path, capture_output=True, timeout=120).returncode

    assert verify("tekst") == 0
    assert verify("ander") != 0


# A real timestamp authority: openssl behind a few lines of HTTP


@contextmanager
def timestamp_authority(folder: Path, status: int = 200):
    need("openssl")
    key = made_key("ec", "tsa")
    folder.mkdir()
    (folder / "cert.pem").write_bytes(pem(key.certificate))
    (folder / "chain.pem").write_bytes(key.root_pem)
    (folder / "key.pem").write_bytes(
        key.private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "serial").write_text("01")
    (folder / "tsa.cnf").write_text(
        "[tsa]\nserial=serial\nsigner_cert=cert.pem\ncerts=chain.pem\nsigner_key=key.pem\nsigner_digest=sha256\n"
        "default_policy=1.2.3.4\ndigests=sha256\nordering=no\ntsa_name=no\ness_cert_id_chain=no\n"
    )

    class Authority(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            command = "openssl ts -reply -config tsa.cnf -section tsa -queryfile query -out reply"
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True, timeout=120)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((folder / "reply").read_bytes())

        def log_message(self, *_arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Authority)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_seal_pdf_with_a_timestamp_is_verifiable_for_long_in_one_revision(tmp_path):
    key = made_key("rsa")
    with timestamp_authority(tmp_path / "tsa") as url:
        path = sealed_pdf(tmp_path, key, timestamp_url=url)
    report = check_sealed_pdf(path, fingerprints={key.fingerprint})
    assert report.timestamped
    with pikepdf.open(path) as pdf:
        stored = {bytes(stream.read_bytes()) for stream in pdf.Root.DSS.Certs}
    authority = made_key("ec", "tsa")
    wanted = (key.certificate, *key.chain, authority.certificate, *authority.chain)
    assert stored == {one.public_bytes(serialization.Encoding.DER) for one in wanted}
    assert path.read_bytes().count(b"startxref") == small_pdf(tmp_path / "plain.pdf").read_bytes().count(b"startxref") + 1
    said = pdfsig(path, key.root_pem)
    assert "Total document signed" in said
    assert "Signature is Valid." in said


def test_seal_pdf_with_a_timestamp_works_with_the_demo_key_although_its_addresses_do_not_exist(tmp_path):
    with timestamp_authority(tmp_path / "tsa") as url:
        path = sealed_pdf(tmp_path, timestamp_url=url)
    assert check_sealed_pdf(path, fingerprints={demo_key().fingerprint}).timestamped


def test_seal_pdf_for_long_fails_when_revocation_data_of_a_real_certificate_cannot_be_had(tmp_path):
    real = dataclasses.replace(demo_key(), demo=False)
    with timestamp_authority(tmp_path / "tsa") as url, pytest.raises(SealingFailed, match="could not be validated") as caught:
        sealed_pdf(tmp_path, real, timestamp_url=url)
    assert caught.value.details == {"step": "seal_pdf"}
    assert not (tmp_path / "verzegeld.pdf").exists()


def test_sign_detached_carries_the_timestamp(tmp_path):
    with timestamp_authority(tmp_path / "tsa") as url:
        plain, stamped = (sign_detached(b"tekst", made_key(), timestamp_url=place) for place in ("", url))
    token = made_key("ec", "tsa").certificate.public_bytes(serialization.Encoding.DER)
    assert token in stamped
    assert token not in plain


def test_seal_pdf_fails_when_the_timestamp_authority_answers_nonsense(tmp_path):
    with timestamp_authority(tmp_path / "tsa", status=503) as url, pytest.raises(SealingFailed):
        sealed_pdf(tmp_path, timestamp_url=url)
    assert not (tmp_path / "verzegeld.pdf").exists()
