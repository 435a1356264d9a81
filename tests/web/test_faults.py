"""What goes wrong around the program: no room, a busy database, a plugin that is gone, a wrong passphrase, dead links."""

import io
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from small_world import pdf, write_plugin
from sqlalchemy import select
from whole_site import PASSWORD, REFERENCE, Site, whole_site

from app import extensions
from app.accounts import registration
from app.accounts.models import Account, LoginSession
from app.config import Settings
from app.documents import signing
from app.dossiers import invitations
from app.dossiers.models import Dossier, Evidence, SectionAnswers, Snapshot, Statement
from app.extensions import now, session, transaction
from app.schemes import loader

SECTION = f"/dossier/{REFERENCE}/onderdeel/practice"
ANSWERS = {"name": "Sanne", "form": "job"}
MEBI = 1 << 20


@pytest.fixture
def site(tmp_path: Path, empty_database: Path, password_hash: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(extensions, "BUSY_TIMEOUT_MS", 300)
    with whole_site(tmp_path, empty_database, password_hash) as made:
        made.reset()
        yield made


def story(site: Site) -> tuple[int, str]:
    """What is stored: the version of the section and its long text."""
    session.remove()
    row = session.scalars(select(SectionAnswers).where(SectionAnswers.section_id == "practice")).first()
    assert row is not None
    return row.version, str(row.data["story"])


def save(site: Site, text: str) -> Any:
    return site.clients["owner"].post(SECTION, data={**ANSWERS, "version": str(story(site)[0]), "story": text})


# --- no room -------------------------------------------------------------------------------------------------------


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file system of its own to fill up")
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, timeout=120)


@pytest.fixture
def small_disk(tmp_path: Path, empty_database: Path, password_hash: str) -> Iterator[Site]:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=8m", "none"), whole_site(disk, empty_database, password_hash) as made:
        made.reset()
        yield made


def fill_up(folder: Path) -> Path:
    """Takes all that is left, to the last byte."""
    stuffing = folder / "stuffing"
    with stuffing.open("wb", buffering=0) as target:
        for size in (MEBI, 4096, 1):
            try:
                while target.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return stuffing


def test_a_full_disk_r36_refuses_to_save_in_words_and_everything_stays_readable(small_disk: Site) -> None:
    site, owner = small_disk, small_disk.clients["owner"]
    before = story(site)
    stuffing = fill_up(site.kept.parent)
    refused = save(site, "Deze tekst past er " + "niet meer bij. " * 1900)
    assert refused.status_code == 507
    assert "Er is niets half" in refused.get_data(as_text=True)
    quietly = owner.post(f"{SECTION}/autosave", data={**ANSWERS, "version": str(before[0]), "story": "x " * 14_000},
                         headers={"X-Requested-With": "autosave"})  # fmt: skip
    assert quietly.status_code == 507
    assert "Er is niets half" in quietly.json["error"]
    for path in (
        "/dossiers",
        f"/dossier/{REFERENCE}",
        SECTION,
        f"/dossier/{REFERENCE}/bewijs",
        f"/dossier/{REFERENCE}/controleren",
    ):
        assert owner.get(path).status_code in (200, 302), path
    assert story(site) == before
    stuffing.unlink()
    assert save(site, "Nu is er weer ruimte.").status_code == 302
    assert story(site) == (before[0] + 1, "Nu is er weer ruimte.")
    with closing(sqlite3.connect(site.database)) as live:
        assert live.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_full_disk_r36_does_not_lock_people_out(small_disk: Site) -> None:
    """That a login is in use is noted once a minute; where that cannot be written, pages are shown all the same."""
    small_disk.write("UPDATE login_session SET last_seen_at = ?", (now() - timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S"))
    fill_up(small_disk.kept.parent)
    assert small_disk.clients["owner"].get(SECTION).status_code == 200


def test_a_full_disk_r36_takes_no_half_file(small_disk: Site) -> None:
    site = small_disk
    blobs = site.world.settings.blobs
    before, rows = {path for path in blobs.rglob("*") if path.is_file()}, len(session.scalars(select(Evidence)).all())
    stuffing = fill_up(site.kept.parent)
    answer = site.clients["owner"].post(f"/dossier/{REFERENCE}/bewijs", data={"files": (io.BytesIO(pdf(3)), "cv.pdf")})
    assert answer.status_code == 507
    assert "“cv.pdf” is niet toegevoegd" in answer.get_data(as_text=True)
    assert {path for path in blobs.rglob("*") if path.is_file()} == before
    session.remove()
    assert len(session.scalars(select(Evidence)).all()) == rows
    stuffing.unlink()
    again = site.clients["owner"].post(f"/dossier/{REFERENCE}/bewijs", data={"files": (io.BytesIO(pdf(3)), "cv.pdf")})
    assert again.status_code == 302


def test_a_file_store_that_cannot_be_written_takes_no_file_and_says_so(site: Site) -> None:
    blobs = site.world.settings.blobs
    with mounted(blobs, "--bind", str(blobs)):
        subprocess.run(["mount", "-o", "remount,ro,bind", blobs], check=True, timeout=120)
        answer = site.clients["owner"].post(f"/dossier/{REFERENCE}/bewijs", data={"files": (io.BytesIO(pdf(3)), "cv.pdf")})
        assert answer.status_code == 507
        assert "“cv.pdf” is niet toegevoegd" in answer.get_data(as_text=True)
        assert save(site, "Tekst kan nog wel worden bewaard.").status_code == 302


# --- a busy database -----------------------------------------------------------------------------------------------


@contextmanager
def other_writer(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_database_that_is_busy_too_long_answers_503_in_words_and_can_be_read(site: Site) -> None:
    before = story(site)
    with other_writer(site.database):
        answer = save(site, "Dit komt te laat.")
        assert answer.status_code == 503
        assert "probeer het over een minuut opnieuw" in answer.get_data(as_text=True)
        assert int(answer.headers["Retry-After"]) > 0
        assert site.clients["owner"].get(SECTION).status_code == 200
        refused = site.clients["anonymous"].post("/inloggen", data={"email": "owner@voorbeeld.nl", "password": PASSWORD})
        assert refused.status_code == 503
    assert story(site) == before
    assert save(site, "Nu wel.").status_code == 302


def test_a_database_that_is_busy_for_a_moment_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "BUSY_TIMEOUT_MS", 10_000)
    site.world.engine.dispose()
    taken = threading.Event()

    def keep_busy() -> None:
        with other_writer(site.database):
            taken.set()
            time.sleep(0.4)

    thread = threading.Thread(target=keep_busy)
    thread.start()
    assert taken.wait(5)
    assert save(site, "Even gewacht.").status_code == 302
    thread.join(20)


# --- a plugin that is gone -----------------------------------------------------------------------------------------


def test_a_dossier_whose_plugin_is_gone_stays_readable_and_cannot_be_submitted(
    site: Site,
) -> None:
    """Started with a plugin; the server comes back without its folder."""
    with_plugin = replace(site.world.settings, plugins_dir=site.kept.parent / "plugins")
    write_plugin(with_plugin.plugins_dir, "extra")
    site.world.catalogue = loader.load_all(with_plugin)
    assert loader.faults(site.world.catalogue) == []
    site.write("UPDATE dossier SET stage = 'withdrawn'")
    site.world.plugins = ["extra"]
    dossier = site.world.dossier(session.get_one(Account, site.accounts["owner"]))
    reference = dossier.reference
    site.world.fill(dossier)
    site.world.save(dossier, "extra_area", extra_case="Een casus.")
    session.remove()
    owner = site.clients["owner"]  # of the program without plugins
    for path in ("", "/controleren", "/onderdeel/extra_area", "/onderdeel/practice", "/bewijs"):
        assert owner.get(f"/dossier/{reference}{path}").status_code == 200, path
    shown = owner.get(f"/dossier/{reference}/controleren").get_data(as_text=True)
    assert "is nu niet beschikbaar" in shown
    assert owner.get(f"/dossier/{reference}/onderdeel/extra_area").get_data(as_text=True).count("Een casus.") == 1
    sent = owner.post(f"/dossier/{reference}/indienen", data={"name": "Sanne de Vries", "declarations": "truth"})
    assert (sent.status_code, sent.headers["Location"]) == (302, f"/dossier/{reference}/controleren")
    session.remove()
    assert session.scalars(select(Dossier.stage).where(Dossier.reference == reference)).one() == "draft"


# --- a wrong passphrase --------------------------------------------------------------------------------------------


def production_key(folder: Path, passphrase: bytes) -> Path:
    """A seal key under a passphrase of its own."""
    demo = signing.load_seal_key(Settings(instance=folder))
    path = folder / "zegel.p12"
    data = pkcs12.serialize_key_and_certificates(
        b"zegel", demo.private_key, demo.certificate, list(demo.chain), BestAvailableEncryption(passphrase)
    )
    path.write_bytes(data)
    return path


def test_a_wrong_passphrase_keeps_the_dossier_safe_tells_the_office_and_is_mended_without_a_restart(
    tmp_path: Path, empty_database: Path, password_hash: str
) -> None:
    (tmp_path / "wachtzin").write_text("fout")
    key = {"seal_key_file": production_key(tmp_path, b"goed"), "seal_passphrase_file": tmp_path / "wachtzin"}
    with whole_site(tmp_path / "site", empty_database, password_hash, **key) as site:
        site.reset()
        site.write("DELETE FROM assignment")
        site.write("UPDATE dossier SET stage = 'withdrawn'")
        dossier = site.world.dossier(session.get_one(Account, site.accounts["owner"]))
        reference = dossier.reference
        site.world.fill(dossier)
        session.remove()
        owner, office = site.clients["owner"], site.clients["office"]
        sent = owner.post(f"/dossier/{reference}/indienen", data={"name": "Sanne de Vries", "declarations": "truth"})
        assert sent.headers["Location"] == f"/dossier/{reference}/ontvangst"
        site.world.work()
        receipt = owner.get(f"/dossier/{reference}/ontvangst").get_data(as_text=True)
        assert "Wij proberen het vanzelf opnieuw" in receipt
        assert "wachtzin" not in receipt
        stuck = office.get("/secretariaat/vastgelopen").get_data(as_text=True)
        assert reference in stuck
        assert "LOOPBAAN_SEAL_PASSPHRASE_FILE" in stuck

        (tmp_path / "wachtzin").write_text("goed\n")
        snapshot_id = session.scalars(select(Snapshot.id).order_by(Snapshot.id.desc())).first()
        session.remove()
        assert office.post(f"/secretariaat/vastgelopen/{snapshot_id}/opnieuw").status_code == 302
        site.world.work()
        assert reference not in office.get("/secretariaat/vastgelopen").get_data(as_text=True)
        sealed = owner.get(f"/dossier/{reference}/documenten/1/pdf")
        assert (sealed.status_code, sealed.data[:5]) == (200, b"%PDF-")


# --- links and logins ----------------------------------------------------------------------------------------------


def test_dead_links_say_what_happened_and_what_to_do(site: Site) -> None:
    statement = session.get_one(Statement, site.statements["supervisor"])
    with transaction():
        invitations.remind(session.get_one(Statement, statement.id), site.world.settings)
    token = site.world.token()
    session.remove()
    anonymous = site.clients["anonymous"]
    link = f"/verklaring/{token}"
    assert anonymous.get(link).status_code == 200
    for change, words in (
        ("UPDATE statement SET token_expires_at = '2020-01-01 00:00:00'", "Deze link is verlopen"),
        ("UPDATE statement SET stage = 'signed', signed_at = '2026-11-01 10:00:00'", "al ondertekend"),
        ("UPDATE statement SET stage = 'declined', signed_at = NULL", "deze verklaring niet geeft"),
        ("UPDATE statement SET stage = 'revoked'", "uitnodiging is ingetrokken"),
        ("UPDATE statement SET token_sha256 = id", "Deze link werkt niet"),
    ):
        site.write(change)
        for answer in (anonymous.get(link), anonymous.post(f"{link}/verder")):
            assert answer.status_code == 410
            assert words in answer.get_data(as_text=True)
    for path in ("/bevestigen/geen", "/wachtwoord/geen"):
        page = anonymous.get(path)
        assert page.status_code == 410
        assert "Vraag een nieuwe link aan" in page.get_data(as_text=True)


def test_too_many_logins_are_told_how_long_to_wait(site: Site) -> None:
    stranger = site.app.test_client()
    for _ in range(5):
        stranger.post("/inloggen", data={"email": "owner@voorbeeld.nl", "password": "verkeerd"})
    answer = stranger.post("/inloggen", data={"email": "owner@voorbeeld.nl", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Wacht 15 minuten" in answer.get_data(as_text=True)
    assert "Even wachten" in answer.get_data(as_text=True)
    assert site.clients["owner"].get(SECTION).status_code == 200  # who is in stays in


def test_an_account_that_is_closed_is_out_at_the_next_click_and_loses_nothing(site: Site) -> None:
    assert save(site, "Eerste zin.").status_code == 302
    version = story(site)[0]
    with transaction():
        registration.disable(session.get_one(Account, site.accounts["owner"]), by="system")
    answer = site.clients["owner"].post(SECTION, data={**ANSWERS, "version": str(version), "story": "Tweede zin."})
    assert answer.headers["Location"] == "/inloggen"
    assert story(site) == (version, "Eerste zin.")
    session.remove()
    owner_id = site.accounts["owner"]
    assert all(session.scalars(select(LoginSession.ended_at).where(LoginSession.account_id == owner_id)))


def test_a_database_that_is_gone_answers_in_words(site: Site) -> None:
    site.world.engine.dispose()
    session.remove()
    hidden = site.database.with_name("elsewhere")
    for path in site.database.parent.glob("loopbaandossier.sqlite*"):
        path.rename(hidden.with_name("elsewhere" + path.name.removeprefix("loopbaandossier.sqlite")))
    site.database.mkdir()
    for path in ("/dossiers", SECTION, "/"):
        answer = site.clients["owner"].get(path)
        assert answer.status_code == 503
        assert "Probeer het over een paar minuten opnieuw" in answer.get_data(as_text=True)
    assert site.clients["anonymous"].get("/healthz").status_code == 503
    site.database.rmdir()
    hidden.rename(site.database)
    assert site.clients["owner"].get(SECTION).status_code == 200


def test_a_fault_of_the_database_r16_r39_leaves_no_answers_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.write("ALTER TABLE section_version RENAME TO elsewhere")
    answer = save(site, "Een heel persoonlijk verhaal.")
    assert answer.status_code == 500
    assert "section_version" in caplog.text
    assert "persoonlijk" not in caplog.text
    assert REFERENCE not in caplog.text
