"""From a submitted snapshot to the queue on real documents: whole, after dying at any step, and after every kind of failure."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from databases import only_sqlite
from hypothesis import given
from hypothesis import strategies as st
from small_world import World, open_world, pdf, png, write_plugin
from sqlalchemy import delete, func, select, update
from together import together

from app import audit, jobs, pipeline
from app.assessment import queue, stuck, withdrawing
from app.assessment.models import Assessment, HandOver
from app.config import ROOT, Settings
from app.documents import rebuilding, sealing, signing, verification
from app.documents.models import Bundle, Delivery, Product
from app.documents.sealing import Work
from app.dossiers.models import Dossier, DossierEvent, Evidence, Snapshot
from app.errors import Conflict, SealingFailed
from app.extensions import now, session, transaction
from app.files import sandbox, store
from app.mail import Mail
from app.schemes import loader
from app.schemes.loader import Catalogue

pytestmark = only_sqlite  # each test begins with a copy of an instance folder, and the database must be in it
STEPS = [step.name for step in sealing.STEPS]


class Killed(BaseException):
    """What no handler may swallow: the process is gone."""


@pytest.fixture(scope="module")
def submitted_folder(
    tmp_path_factory: pytest.TempPathFactory, small_scheme: Settings, small_catalogue: Catalogue, empty_database: Path
) -> Path:
    """An installation with one submitted dossier with three checked files, one of them with a signature of its own."""
    own = replace(small_scheme, instance=tmp_path_factory.mktemp("submitted") / "instance")
    for world in open_world(own, small_catalogue, empty_database):
        dossier = world.dossier()
        items = [
            world.receive(dossier, pdf(2), "diploma.pdf", "pdf"),
            world.receive(dossier, signed_pdf(world), "getekend.pdf", "pdf"),
            world.receive(dossier, png(), "foto.png", "png"),
        ]
        world.work()
        items = [world.fresh(item) for item in items]
        dossier = world.fresh(dossier)
        world.save(dossier, "practice", form="own", company="Bos bv")
        world.attach(dossier, "practice", "proof", items[0], items[1])
        world.attach(dossier, "practice", "more", items[2])
        world.save(dossier, "practice", name="Sanne", story="Een *verhaal* van mij.")
        world.save(dossier, "skill", case="Casus **één**.")
        world.save(dossier, "closing", code="yes")
        statement, _ = world.invite(dossier)
        world.sign(statement)
        world.finish(dossier, "practice", "skill", "learning", "closing")
        world.submit(dossier)
        for job, mail_id in pipeline.due():
            if job == "mail":
                pipeline.run_mail(world.installation, mail_id)
    return own.instance


@pytest.fixture(scope="module")
def sealed_folder(submitted_folder: Path, small_scheme: Settings, small_catalogue: Catalogue, empty_database: Path) -> Path:
    """The same, sealed and handed over."""
    own = replace(small_scheme, instance=submitted_folder.parent / "sealed")
    shutil.copytree(submitted_folder, own.instance)
    for world in open_world(own, small_catalogue, empty_database):
        world.work()
    return own.instance


@pytest.fixture
def submitted(
    submitted_folder: Path, tmp_path: Path, small_scheme: Settings, small_catalogue: Catalogue, empty_database: Path
) -> Iterator[World]:
    shutil.copytree(submitted_folder, tmp_path / "instance")
    yield from open_world(replace(small_scheme, instance=tmp_path / "instance"), small_catalogue, empty_database)


@pytest.fixture
def sealed(
    sealed_folder: Path, tmp_path: Path, small_scheme: Settings, small_catalogue: Catalogue, empty_database: Path
) -> Iterator[World]:
    shutil.copytree(sealed_folder, tmp_path / "instance")
    yield from open_world(replace(small_scheme, instance=tmp_path / "instance"), small_catalogue, empty_database)


def signed_pdf(world: World) -> bytes:
    """A PDF with somebody's digital signature in it (made with the demo key, which serves as anybody's here)."""
    source, target = world.settings.work / "unsigned.pdf", world.settings.work / "signed.pdf"
    source.write_bytes(pdf(1, "Getekend"))
    signing.seal_pdf(source, target, signing.load_seal_key(world.settings), reason="", location="", contact="")
    data = target.read_bytes()
    source.unlink()
    target.unlink()
    return data


def snapshot() -> Snapshot:
    session.rollback()
    return session.scalars(select(Snapshot)).one()


def count(kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def products() -> dict[str, str]:
    session.rollback()
    return {row.name: row.sha256 for row in session.scalars(select(Product))}


def unsigned_of(folder: Path, world: World) -> dict[str, str]:
    """The hashes of the unsigned products in another installation."""
    import sqlite3

    with sqlite3.connect(folder / "loopbaandossier.sqlite") as database:
        rows = database.execute("SELECT name, sha256 FROM product").fetchall()
    return {name: sha256 for name, sha256 in rows if name in rebuilding.REPRODUCIBLE}


def run(world: World) -> Snapshot:
    """One attempt now, whatever the waiting time."""
    with transaction():
        session.execute(update(Snapshot).values(next_attempt_at=None, claimed_until=None))
    pipeline.run_snapshot(world.installation, snapshot().id)
    return snapshot()


def assert_done_once(world: World) -> None:
    done = snapshot()
    assert (done.stage, done.error, done.percent, done.step, done.claimed_until) == ("handed_over", None, 100, "", None)
    assert done.delivered_at is not None
    assert (count(Bundle), count(HandOver), count(Assessment)) == (1, 1, 1)
    assert sorted(products()) == sorted(name for step in sealing.STEPS for name in step.makes)
    kinds = session.scalars(select(DossierEvent.kind).order_by(DossierEvent.id)).all()
    assert kinds == ["created", "statement_signed", "submitted", "sealed", "handed_over"]
    assert len(session.scalars(select(Mail).where(Mail.template == "dossier_handed_over")).all()) == 1
    assert audit.verify() is None
    assert_bundle_is_good(world)


def assert_bundle_is_good(world: World) -> zipfile.ZipFile:
    bundle = session.scalars(select(Bundle)).one()
    path = store.path(world.settings.blobs, bundle.zip_sha256)
    assert store.intact(world.settings.blobs, bundle.zip_sha256)
    verification.check_bundle(path, fingerprints={bundle.seal_sha256})
    return zipfile.ZipFile(path)


# --- the whole -----------------------------------------------------------------------------------------------------


def test_whole_run_ends_in_the_queue_with_a_bundle_that_is_accepted(sealed: World) -> None:
    assert_done_once(sealed)
    bundle, content = session.scalars(select(Bundle)).one(), json.loads(snapshot().content)
    evidence = {item["number"]: item for item in content["evidence"]}
    assert [(item["name"], item["pages"], item["signed"]) for item in evidence.values()] == [
        ("diploma.pdf", 2, False),
        ("getekend.pdf", 1, True),
        ("foto.png", 1, False),
    ]
    assert evidence[2]["signatures"] != []
    archive = assert_bundle_is_good(sealed)
    names = {name.partition("/")[2] for name in archive.namelist()}
    assert names == {
        "bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt",
        "signatures/tagmanifest-sha256.txt.p7s", "signatures/chain.pem",
        "data/dossier.pdf", "data/dossier.docx", "data/snapshot.json", "data/evidence.json",
        "data/evidence/01-diploma.pdf", "data/evidence/02-getekend.pdf", "data/evidence/03-foto.png",
        "data/originals/02-getekend-niet-opgeschoond.pdf", "data/statements/01-els-bos.json",
    }  # fmt: skip
    folder = archive.namelist()[0].partition("/")[0]
    assert archive.read(f"{folder}/data/snapshot.json").decode() == snapshot().content
    pages = len(pikepdf.open(io.BytesIO(archive.read(f"{folder}/data/dossier.pdf"))).pages)
    assert bundle.pages == pages
    assert list(sealed.settings.work.iterdir()) == []
    actions = session.scalars(select(audit.AuditEntry.action).order_by(audit.AuditEntry.id)).all()
    assert [action for action in actions if action.startswith("snapshot")] == ["snapshot.sealed", "snapshot.handed_over"]


def test_progress_is_reported_and_written_step_by_step(submitted: World) -> None:
    seen: list[tuple[str, int]] = []

    def report(step: str, percent: int) -> None:
        seen.append((step, percent))
        assert (snapshot().step, snapshot().percent) == (step, percent) or percent == 99

    pipeline.run_snapshot(submitted.installation, snapshot().id, report)
    assert [step for step, _ in seen] == [*STEPS, "bind"]
    percents = [percent for _, percent in seen]
    assert (percents, percents[0], percents[-1]) == (sorted(percents), 0, 99)
    rows = session.scalars(select(Product)).all()
    assert all(row.seconds > 0 and row.peak_mib > 1 and row.size > 1 for row in rows)


def test_percentages_follow_the_work_of_each_step(submitted: World) -> None:
    def share(pages: int, step: str) -> int:
        before, after = sealing.percentages(Work({"evidence": [{"pages": pages}]}, "", (), submitted.settings, Path()))[
            STEPS.index(step)
        ]
        return after - before

    assert share(1, "typeset") > share(900, "typeset")  # it takes as long, of a longer whole
    assert share(900, "check") > share(1, "check")
    assert share(1, "sign_docx") < 5


def test_progress_within_a_step_counts_real_parts(submitted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "TICK_SECONDS", 0.0005)
    seen: list[tuple[str, int]] = []
    real = pipeline._note_progress

    def note(snapshot_id: int, step: str, percent: int) -> None:
        real(snapshot_id, step, percent)
        seen.append((snapshot().step, snapshot().percent))

    monkeypatch.setattr(pipeline, "_note_progress", note)
    pipeline.run_snapshot(submitted.installation, snapshot().id)
    parts = [step for step, _ in seen if step.startswith("merge ")]
    assert parts
    assert set(parts) <= {f"merge {done}/3" for done in (1, 2, 3)}
    assert parts == sorted(parts)
    percents = [percent for _, percent in seen]
    assert percents == sorted(percents)
    assert max(percents) < 99
    assert (snapshot().percent, snapshot().step) == (100, "")


def test_progress_never_goes_back_after_a_crash(submitted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction():
        session.execute(update(Snapshot).values(percent=60, step="check"))
    seen: list[int] = []
    pipeline.run_snapshot(submitted.installation, snapshot().id, lambda step, percent: seen.append(snapshot().percent))
    assert (seen[0], seen == sorted(seen), snapshot().percent) == (60, True, 100)


def test_dossier_without_evidence_is_sealed_too(world: World) -> None:
    dossier = world.dossier()
    world.fill(dossier)
    world.submit(dossier)
    world.work()
    assert_done_once(world)


def test_whole_run_again_changes_nothing(sealed: World) -> None:
    before = (products(), session.scalars(select(Bundle.zip_sha256)).all())
    assert pipeline.due() == []
    run(sealed)
    assert (products(), session.scalars(select(Bundle.zip_sha256)).all()) == before
    assert_done_once(sealed)


def test_r35_two_workers_at_one_snapshot_give_one_bundle(submitted: World) -> None:
    snapshot_id = snapshot().id
    session.rollback()
    together(*[lambda: jobs.run(submitted.installation, "snapshot", snapshot_id)] * 2)
    assert snapshot().attempts == 1
    assert_done_once(submitted)


def test_worker_that_was_overtaken_after_its_lease_does_no_harm(submitted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker sleeps so long at the end that a second one does everything; then it goes on."""
    outcome, overtaken = sealing.outcome, []

    def slow(work: sealing.Work) -> dict[str, Any]:
        if not overtaken:
            overtaken.append(True)
            run(submitted)
        return outcome(work)

    monkeypatch.setattr(sealing, "outcome", slow)
    pipeline.run_snapshot(submitted.installation, snapshot().id)
    assert overtaken == [True]
    assert_done_once(submitted)


# --- dying ---------------------------------------------------------------------------------------------------------


def test_r33_dying_before_and_after_each_step_gives_one_bundle_of_the_same_bytes(
    submitted: World, sealed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, died = sealing.run, []

    def dies_after(step: sealing.Step, work: sealing.Work) -> sealing.Made:
        made = real(step, work)
        if ("after", step.name) not in died:
            died.append(("after", step.name))
            raise Killed
        return made

    def dies_before(step: str, percent: int) -> None:
        if ("before", step) not in died and percent != 99:
            died.append(("before", step))
            raise Killed

    monkeypatch.setattr(sealing, "run", dies_after)
    snapshot_id = snapshot().id
    for _ in range(2 * len(STEPS)):
        with pytest.raises(Killed):
            pipeline.run_snapshot(submitted.installation, snapshot_id, dies_before)
        assert (snapshot().stage, count(Bundle), count(HandOver)) == ("submitted", 0, 0)
        pipeline.run_snapshot(submitted.installation, snapshot_id)  # its lease runs on: nobody else takes it
        assert snapshot().stage == "submitted"
        pipeline.release_claims()
        session.remove()
    assert died == [(when, name) for name in STEPS for when in ("before", "after")]
    pipeline.run_snapshot(submitted.installation, snapshot_id, dies_before)
    assert_done_once(submitted)
    made = products()
    assert {name: made[name] for name in rebuilding.REPRODUCIBLE} == unsigned_of(sealed_folder, submitted)


@pytest.mark.parametrize(("owner", "name"), [(queue, "hand_over"), (pipeline.mail, "put"), (pipeline, "_deliver")])
def test_r33_dying_while_handing_over_hands_over_once(
    sealed: World, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    with transaction():
        for kind in (HandOver, Assessment):
            session.execute(delete(kind))
        session.execute(delete(Mail).where(Mail.template == "dossier_handed_over"))
        session.execute(delete(DossierEvent).where(DossierEvent.kind == "handed_over"))
        session.execute(update(Snapshot).values(stage="sealed", percent=99, delivered_at=None))
    real = getattr(owner, name)

    def dies(*args: Any, **options: Any) -> Any:
        real(*args, **options)
        raise Killed

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(Killed):
        run(sealed)
    session.remove()
    monkeypatch.undo()
    run(sealed)
    assert_done_once(sealed)


def test_r33_kill_9_at_any_moment_gives_one_bundle_of_the_same_bytes(submitted: World, sealed_folder: Path) -> None:
    """A real process, ``flask pipeline run``, killed at random moments and started again."""
    settings, chance = submitted.settings, random.Random(20261121)
    environ = os.environ | {
        "LOOPBAAN_INSTANCE": str(settings.instance),
        "LOOPBAAN_TEMPLATES_DIR": str(settings.templates_dir),
        "LOOPBAAN_PLUGINS_DIR": str(settings.plugins_dir),
        "LOOPBAAN_CONTACT_EMAIL": settings.contact_email,
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "pipeline", "run"]
    session.remove()
    submitted.engine.dispose()
    for _ in range(3):
        child = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith(b"snapshot"):
                break
        time.sleep(chance.uniform(0, 2.5))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(20)
        child.stdout.close()
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_done_once(submitted)
    made = products()
    assert {name: made[name] for name in rebuilding.REPRODUCIBLE} == unsigned_of(sealed_folder, submitted)
    for blob in settings.blobs.glob("??/*"):
        assert store.intact(settings.blobs, blob.name)


# --- failing and going on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["cleaned_sha256", "pages_sha256", "original_sha256"])
def test_missing_or_damaged_evidence_stops_sealing_and_names_the_file(submitted: World, column: str) -> None:
    item = session.scalars(select(Evidence).where(Evidence.name == "getekend.pdf")).one()
    path = store.path(submitted.settings.blobs, getattr(item, column))
    data = path.read_bytes()
    for damage in ("gone", "changed"):
        path.unlink(missing_ok=True)
        if damage == "changed":
            path.write_bytes(data[:-1] + b"x")
        failed = run(submitted)
        assert failed.error == {
            "nl": "Bijlage 2 (getekend.pdf) ontbreekt in de opslag of is beschadigd. Zet het bestand terug uit de reservekopie "
            "en probeer het opnieuw.",
            "en": (failed.error or {})["en"],
        }
        assert "getekend.pdf" in (failed.error or {})["en"]
        assert (failed.stage, products(), count(Bundle)) == ("submitted", {}, 0)
    path.unlink()
    path.write_bytes(data)
    run(submitted)
    assert_done_once(submitted)


def test_failure_waits_longer_each_time_and_resume_starts_at_once(submitted: World) -> None:
    with transaction():
        content = snapshot().content
        session.execute(update(Snapshot).values(content=content + " "))
    waits = []
    for _ in range(4):
        before = now()
        failed = run(submitted)
        assert failed.next_attempt_at is not None
        assert failed.claimed_until is None
        waits.append(round((failed.next_attempt_at - before).total_seconds() / 10) * 10)
        assert [job for job, _ in pipeline.due()] == []
    assert waits == [20, 40, 80, 160]
    assert failed.error is not None
    assert failed.error["nl"] == "De inhoud van dit dossier is na het indienen veranderd. Zet het terug uit de reservekopie."
    with transaction():
        session.execute(update(Snapshot).values(content=content))
        pipeline.retry(session.scalars(select(Snapshot)).one())
    assert submitted.work() > 0
    assert_done_once(submitted)


@given(st.integers(min_value=0, max_value=10_000))
def test_wait_doubles_up_to_an_hour(attempts: int) -> None:
    wait, following = pipeline._wait(attempts), pipeline._wait(attempts + 1)
    assert pipeline.FIRST_WAIT <= wait <= following <= pipeline.LONGEST_WAIT
    assert attempts == 0 or following in (2 * wait, pipeline.LONGEST_WAIT)


def test_retry_of_what_is_done_is_a_conflict(sealed: World) -> None:
    with pytest.raises(Conflict), transaction():
        pipeline.retry(snapshot())


def test_wrong_passphrase_stops_at_the_seal_and_goes_on_when_it_is_right(submitted: World, tmp_path: Path) -> None:
    key = signing.load_seal_key(submitted.settings)
    keyfile, passphrase = tmp_path / "seal.p12", tmp_path / "passphrase"
    keyfile.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"seal", key.private_key, key.certificate, list(key.chain), serialization.BestAvailableEncryption(b"goed")
        )
    )
    passphrase.write_text("fout\n")
    submitted.settings = replace(submitted.settings, seal_key_file=keyfile, seal_passphrase_file=passphrase)
    failed = run(submitted)
    assert failed.error is not None
    assert "LOOPBAAN_SEAL_PASSPHRASE_FILE" in failed.error["nl"]
    assert "fout" not in failed.error["nl"]
    assert (failed.stage, failed.step, sorted(products())) == (
        "submitted",
        "seal_pdf",
        ["authored.pdf", "check.json", "unsigned.docx", "unsigned.pdf"],
    )
    made = products()
    passphrase.write_text("goed\n")
    run(submitted)
    assert_done_once(submitted)
    assert {name: products()[name] for name in made} == made  # nothing was made twice


@pytest.mark.parametrize("step", ["seal_pdf", "sign_docx", "bind"])
def test_key_that_changes_half_way_gives_a_bundle_with_one_seal(
    submitted: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = sealing.run

    def dies(one: sealing.Step, work: sealing.Work) -> sealing.Made:
        if STEPS.index(one.name) == STEPS.index(step) + 1:
            raise Killed
        return real(one, work)

    def dies_at_the_end(work: sealing.Work) -> None:
        raise Killed

    monkeypatch.setattr(sealing, "run", dies)
    monkeypatch.setattr(sealing, "outcome", dies_at_the_end)
    with pytest.raises(Killed):
        run(submitted)
    session.remove()
    monkeypatch.undo()
    made = products()
    submitted.settings.keys.rename(tmp_path / "old keys")
    run(submitted)
    assert_done_once(submitted)
    assert session.scalars(select(Bundle.seal_sha256)).all() == [signing.load_seal_key(submitted.settings).fingerprint]
    assert {name: products()[name] for name in rebuilding.REPRODUCIBLE} == {name: made[name] for name in rebuilding.REPRODUCIBLE}


@pytest.mark.parametrize("errno", [28, 30])  # ENOSPC, EROFS
def test_r36_disk_that_takes_nothing_is_said_so_and_nothing_is_half(
    submitted: World, monkeypatch: pytest.MonkeyPatch, errno: int
) -> None:
    blobs = sorted(submitted.settings.blobs.rglob("*"))

    def full(descriptor: int) -> None:
        raise OSError(errno, os.strerror(errno))

    monkeypatch.setattr(os, "fsync", full)
    failed = run(submitted)
    assert failed.error == store.storage_failure().text
    assert (failed.stage, products()) == ("submitted", {})
    assert sorted(submitted.settings.blobs.rglob("*")) == blobs
    monkeypatch.undo()
    run(submitted)
    assert_done_once(submitted)


def test_unexpected_error_shows_no_inner_words(submitted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("Sanne de Vries, /srv/secret")

    monkeypatch.setattr(sealing.bundle, "pack", broken)
    failed = run(submitted)
    assert failed.error is not None
    assert failed.error["nl"] == (
        "Het maken van de documenten stopte onverwacht (bind: RuntimeError). Wij proberen het vanzelf opnieuw."
    )
    actions = session.scalars(select(audit.AuditEntry.action)).all()
    assert actions.count("snapshot.failed") == 1


# --- delivering ----------------------------------------------------------------------------------------------------

DELIVERS = """\
from pathlib import Path
from app.plugin_api import Receipt

def deliver(bundle_info):
    here = Path(__file__).parent
    if (here / "away").exists():
        raise ConnectionError("the other queue is away")
    with (here / "calls").open("a") as calls:
        calls.write(bundle_info.snapshot_sha256 + "\\n")
    assert Path(bundle_info.path).stat().st_size > 1000
    return Receipt(reference=f"R-{bundle_info.reference}-{bundle_info.revision}", url="https://queue.example/1")
"""


@pytest.fixture
def delivering(tmp_path: Path, small_scheme: Settings, empty_database: Path) -> Iterator[World]:
    """A submitted dossier with two plugins that deliver it elsewhere."""
    for name in ("east", "west"):
        write_plugin(tmp_path / "plugins", name, DELIVERS)
    own = replace(small_scheme, instance=tmp_path / "instance", plugins_dir=tmp_path / "plugins")
    for world in open_world(own, loader.load_all(own), empty_database):
        world.plugins = ["east", "west"]
        dossier = world.dossier()
        world.fill(dossier)
        for name in world.plugins:
            world.save(dossier, f"{name}_area", **{f"{name}_case": "Casus."})
        world.finish(dossier, "east_area", "west_area")
        world.submit(dossier)
        yield world


def receipts() -> list[tuple[str, str, str]]:
    session.rollback()
    return [(row.plugin, row.reference, row.url) for row in session.scalars(select(Delivery).order_by(Delivery.plugin))]


def test_r37_delivery_that_fails_is_tried_again_and_the_others_are_kept(delivering: World, tmp_path: Path) -> None:
    away = tmp_path / "plugins" / "east" / "away"
    away.touch()
    sha256, reference = snapshot().sha256, snapshot().dossier.reference
    for _ in range(3):
        failed = run(delivering)
        assert (failed.stage, failed.delivered_at) == ("handed_over", None)
        assert failed.error == {
            "nl": "De uitbreiding “east” kon de bundel niet afleveren. Wij proberen het vanzelf opnieuw.",
            "en": (failed.error or {})["en"],
        }
        assert receipts() == [("west", f"R-{reference}-1", "https://queue.example/1")]
    assert delivering.catalogue.plugins["east"].enabled  # candidates go on filling its forms
    away.unlink()
    run(delivering)
    assert_done_once(delivering)
    assert receipts() == [
        ("east", f"R-{reference}-1", "https://queue.example/1"),
        ("west", f"R-{reference}-1", "https://queue.example/1"),
    ]
    for name in ("east", "west"):
        assert (tmp_path / "plugins" / name / "calls").read_text() == f"{sha256}\n"


def test_delivery_by_a_plugin_that_is_gone_is_not_forgotten(delivering: World, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "east" / "away").touch()
    run(delivering)
    here = delivering.catalogue
    delivering.catalogue = replace(here, plugins={"west": here.plugins["west"]})
    failed = run(delivering)
    assert (failed.delivered_at, [row[0] for row in receipts()]) == (None, ["west"])
    (tmp_path / "plugins" / "east" / "away").unlink()
    delivering.catalogue = here
    run(delivering)
    assert [row[0] for row in receipts()] == ["east", "west"]


def withdraw(dossier_id: int) -> None:
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        withdrawing.withdraw(dossier, "", by=dossier.owner)


def test_withdrawn_dossier_is_not_delivered_any_more_nor_stuck(delivering: World, tmp_path: Path) -> None:
    away = [tmp_path / "plugins" / name / "away" for name in ("east", "west")]
    for one in away:
        one.touch()
    waiting = run(delivering)
    assert (waiting.stage, waiting.delivered_at, stuck.number()) == ("handed_over", None, 1)
    withdraw(waiting.dossier_id)
    for one in away:
        one.unlink()
    assert ("snapshot", snapshot().id) not in pipeline.due()
    left = run(delivering)
    assert (left.delivered_at, left.abandoned_at is None, receipts(), stuck.number()) == (None, False, [], 0)
    with pytest.raises(Conflict), transaction():
        pipeline.retry(snapshot())


def test_dossier_withdrawn_between_two_deliveries_goes_no_further(delivering: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier_id, real = snapshot().dossier_id, pipeline._receipt

    def withdrawn_meanwhile(*given: Any) -> Any:
        receipt = real(*given)
        withdraw(dossier_id)
        return receipt

    monkeypatch.setattr(pipeline, "_receipt", withdrawn_meanwhile)
    left = run(delivering)
    assert (left.delivered_at, left.claimed_until, [row[0] for row in receipts()]) == (None, None, ["east"])


# --- claims, the sweep and making again ----------------------------------------------------------------------------


def test_claim_keeps_others_out_until_its_lease_ends(submitted: World) -> None:
    snapshot_id = snapshot().id
    assert pipeline._claim(Snapshot, snapshot_id, Snapshot.stage == "submitted")
    assert not pipeline._claim(Snapshot, snapshot_id, Snapshot.stage == "submitted")
    assert pipeline.due() == []
    with transaction():
        session.execute(update(Snapshot).values(claimed_until=now() - timedelta(seconds=1)))
    assert pipeline.due() == [("snapshot", snapshot_id)]
    assert pipeline._claim(Snapshot, snapshot_id, Snapshot.stage == "submitted")
    assert snapshot().attempts == 2


def test_sweep_rings_for_everything_that_is_due(submitted: World) -> None:
    rung: list[tuple[str, int]] = []
    assert jobs.sweep(lambda job, record_id: rung.append((job, record_id))) == 1
    assert rung == [("snapshot", snapshot().id)]


def test_queue_on_disk_takes_what_was_rung(submitted: World) -> None:
    waiting, ring = jobs.open_queue(submitted.installation)
    ring("snapshot", snapshot().id)
    task = waiting.dequeue()
    assert task is not None
    waiting.execute(task)
    assert_done_once(submitted)


def test_ring_that_fails_is_left_to_the_sweep(submitted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, ring = jobs.open_queue(submitted.installation)

    def broken(*args: object, **options: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(waiting.storage, "enqueue", broken)
    ring("snapshot", 1)
    assert pipeline.due() == [("snapshot", snapshot().id)]


def test_clear_work_empties_the_room_for_unfinished_work(submitted: World) -> None:
    (submitted.settings.work / "old").mkdir()
    pipeline.clear_work(submitted.settings)
    assert list(submitted.settings.work.iterdir()) == []


def test_rebuilding_gives_identical_documents(sealed: World) -> None:
    assert rebuilding.compare(snapshot(), sealed.settings, sealed.catalogue) == dict.fromkeys(rebuilding.REPRODUCIBLE, True)
    assert list(sealed.settings.work.iterdir()) == []


def test_rebuilding_tells_which_document_differs(sealed: World) -> None:
    with transaction():
        session.execute(update(Product).where(Product.name == "unsigned.docx").values(sha256="0" * 64))
        session.execute(delete(Product).where(Product.name == "authored.pdf"))
    same = rebuilding.compare(snapshot(), sealed.settings, sealed.catalogue)
    assert same == {"authored.pdf": False, "unsigned.docx": False, "unsigned.pdf": True}


def test_rebuilding_without_the_evidence_names_the_file(sealed: World) -> None:
    item = session.scalars(select(Evidence).where(Evidence.name == "foto.png")).one()
    store.path(sealed.settings.blobs, item.pages_sha256 or "").unlink()
    with pytest.raises(SealingFailed) as refusal:
        rebuilding.compare(snapshot(), sealed.settings, sealed.catalogue)
    assert "Bijlage 3 (foto.png)" in refusal.value.text["nl"]


def test_r37_a_queue_that_hangs_is_left_alone_and_blocks_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    released, started = threading.Event(), []
    monkeypatch.setattr(pipeline, "DELIVER_S", 0.05)

    def hang() -> None:
        started.append(1)
        released.wait(10)

    try:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                pipeline.in_time("east", hang)
        assert started == [1]
        assert pipeline.in_time("west", lambda: 7) == 7
    finally:
        released.set()
    pipeline._hanging["east"].join(5)
    assert pipeline.in_time("east", lambda: 7) == 7
    with pytest.raises(LookupError):
        pipeline.in_time("west", lambda: {}["nothing"])
