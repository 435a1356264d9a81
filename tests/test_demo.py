"""The demo is filled once for all tests here, interrupted twice on the way, because it takes seconds."""

import email
import email.policy
import fcntl
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import select
from tampering import unlock

from app import demo, extensions
from app.accounts import passwords
from app.accounts.models import Account
from app.assessment import overview
from app.assessment.models import Assignment
from app.audit import AuditEntry
from app.config import DEMO_MARK, Settings
from app.demo import files, telling
from app.demo.people import ASSESSORS, HALFWAY, INES, ORLA, PEOPLE, SHOWCASE, SUPERVISOR
from app.demo.stories import SEALED, STORIES, Story
from app.development import counting
from app.development import entries as log
from app.development.models import LogEntry, LogFile
from app.documents import signing, verification
from app.dossiers import completeness, contents, statements, submission
from app.dossiers.models import Dossier, Evidence, Snapshot, Statement
from app.errors import Conflict, Forbidden
from app.extensions import Base, session
from app.files import store
from app.mail import Mail
from app.pipeline import Installation
from app.register import entries
from app.register.models import RegisterEntry
from app.schemes import loader

TODAY = date(2026, 11, 21)
EVIDENCE = Path(telling.__file__).parent / "evidence"


class PowerCut(BaseException):
    """Nothing in the program catches this, as nothing catches a kill."""


class Terminal:
    """Collects what is said; stops everything at the given step of the bar with the given label."""

    def __init__(self, label: str = "", at: int = 0) -> None:
        self.lines: list[str] = []
        self.steps: Counter[str] = Counter()
        self.label, self.at = label, at

    @contextmanager
    def bar(self, label: str, length: int) -> Iterator["Terminal"]:
        self.current, self.length = label, length
        yield self

    def update(self, n_steps: int) -> None:
        self.steps[self.current] += n_steps
        if self.current == self.label and self.steps[self.current] == self.at:
            raise PowerCut


@dataclass(frozen=True)
class Filled:
    installation: Installation
    bundle: Path
    first: Terminal
    second: Terminal
    last: Terminal

    def create(self) -> Path | None:
        terminal = Terminal()
        return demo.create(self.installation, say=terminal.lines.append, bar=terminal.bar)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Filled]:
    instance = tmp_path_factory.mktemp("demo") / "instance"
    settings = Settings(instance=instance)
    for folder in (settings.blobs, settings.work, settings.keys):
        folder.mkdir(parents=True)
    (instance / "loopbaandossier.sqlite").write_bytes(empty_database.read_bytes())
    engine = extensions.connect(settings.database)
    installation = Installation(settings, loader.load_all(settings))
    first, second, last = Terminal("Checking evidence", 7), Terminal("Making the documents", 4), Terminal()
    for terminal in (first, second):
        with pytest.raises(PowerCut):
            demo.create(installation, say=terminal.lines.append, bar=terminal.bar)
        session.remove()
    bundle = demo.create(installation, say=last.lines.append, bar=last.bar)
    assert bundle is not None
    yield Filled(installation, bundle, first, second, last)
    session.remove()
    engine.dispose()


def dossier_of(person: demo.Person) -> Dossier:
    return session.scalars(select(Dossier).join(Account).where(Account.email == person.email)).one()


def evidence_of(person: demo.Person) -> dict[str, Evidence]:
    rows = session.scalars(select(Evidence).where(Evidence.dossier_id == dossier_of(person).id))
    return {row.name: row for row in rows}


def original(filled: Filled, name: str) -> Path:
    return store.path(filled.installation.settings.blobs, evidence_of(SHOWCASE)[name].original_sha256)


# --- the way -------------------------------------------------------------------------------------------------------


def test_demo_goes_on_where_it_was_interrupted(filled: Filled) -> None:
    files_in_all = len(session.scalars(select(Evidence)).all()) + len(session.scalars(select(LogFile)).all())
    assert filled.first.steps == {"Checking evidence": 7}
    assert filled.second.steps["Checking evidence"] <= files_in_all - 7
    assert filled.second.steps["Making the documents"] == 4
    assert filled.last.steps == {"Making the documents": filled.last.length}
    assert (filled.installation.settings.instance / DEMO_MARK).exists()


def test_demo_is_there_once_after_two_interruptions(filled: Filled) -> None:
    def count(kind: type[Base]) -> int:
        return len(session.scalars(select(kind)).all())

    assert {
        kind.__name__: count(kind) for kind in (Account, Dossier, Statement, Snapshot, Assignment, LogEntry, RegisterEntry)
    } == {
        "Account": len(PEOPLE),
        "Dossier": len(STORIES),
        "Statement": 2 + len(telling.read("dossiers/senay_clients")["clients"]),
        "Snapshot": sum(story.fate in (*SEALED, "returned") for story in STORIES),
        "Assignment": 1,
        "LogEntry": len(telling.read("log")["entries"]),
        "RegisterEntry": 8,
    }
    assert Counter(session.scalars(select(Mail.template))) == {
        "mentor_invitation": 1,
        "mentor_accepted": 1,
        "mentor_comment": 1,
        "evidence_refused": 1,
        "supervisor_invitation": 2,
        "statement_signed": 1,
        "supervisor_thanks": 1,
        "client_invitation": 5,
        "client_thanks": 5,
        "client_answered": 5,
        "submission_receipt": 4,
        "dossier_handed_over": 3,
        "dossier_admitted": 2,
        "assignment": 1,
        "dossier_withdrawn": 1,
        "dossier_returned": 1,
    }
    assert set(session.scalars(select(Mail.stage))) == {"sent"}
    names = Counter((file.dossier.owner.email.partition("@")[0], file.name) for file in session.scalars(select(Evidence)))
    names += Counter(("ines", file.name) for file in session.scalars(select(LogFile)))
    told = [
        (path.stem, entry["file"]) for path in EVIDENCE.glob("*.yaml") for entry in telling.read(f"evidence/{path.stem}").values()
    ]
    assert names == Counter(told)


def test_demo_created_again_changes_nothing(filled: Filled) -> None:
    def state() -> tuple[object, ...]:
        rows = tuple(
            (table.name, tuple(map(tuple, session.execute(table.select().order_by(*table.primary_key)))))
            for table in Base.metadata.sorted_tables
        )
        session.rollback()
        instance = filled.installation.settings.instance
        kept = sorted(path for path in instance.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
        return rows, tuple((path, path.stat().st_mtime_ns) for path in kept)

    before = state()
    assert filled.create() is None
    assert state() == before


def test_demo_is_only_made_in_demo_mode(filled: Filled, tmp_path: Path) -> None:
    settings = replace(filled.installation.settings, mode="production", instance=tmp_path)
    with pytest.raises(Forbidden):
        demo.create(replace(filled.installation, settings=settings), say=print, bar=Terminal().bar)
    assert list(tmp_path.iterdir()) == []


def test_demo_waits_for_no_worker(filled: Filled) -> None:
    with extensions.transaction():
        done = session.scalars(select(AuditEntry).where(AuditEntry.thing == "demo")).one()
        unlock(session.connection())
        done.thing = "elsewhere"
    try:
        with (filled.installation.settings.instance / "worker.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(Conflict):
                filled.create()
    finally:
        with extensions.transaction():
            session.get_one(AuditEntry, done.id).thing = "demo"


# --- what is there -------------------------------------------------------------------------------------------------


def test_demo_dossier_has_no_findings_and_is_assigned(filled: Filled) -> None:
    dossier = dossier_of(SHOWCASE)
    catalogue = filled.installation.catalogue
    assert completeness.check(contents.read(dossier), catalogue, submission.today()) == ()
    assert dossier.stage == "in_assessment"
    snapshot = session.scalars(select(Snapshot).where(Snapshot.dossier_id == dossier.id)).one()
    assert (snapshot.stage, snapshot.error, snapshot.dossier_id) == ("handed_over", None, dossier.id)
    assigned = {one.assessor.email for one in session.scalars(select(Assignment))}
    assert assigned == {ASSESSORS[0].email}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_demo_dossier_has_come_as_far_as_its_story(filled: Filled, story: Story) -> None:
    dossier = dossier_of(story.person)
    states = {"open": "draft", "assigned": "to_assign"}  # it needs a second assessor
    (row,) = [one for one in overview.dossiers(overview.Filter()) if one.id == dossier.id]
    assert row.state == states.get(story.fate, story.fate)
    snapshots = session.scalars(select(Snapshot).where(Snapshot.dossier_id == dossier.id)).all()
    assert len(snapshots) == (story.fate in (*SEALED, "returned"))


def test_demo_complete_dossier_lacks_only_submitting(filled: Filled) -> None:
    read = contents.read(dossier_of(ORLA))
    assert completeness.check(read, filled.installation.catalogue, submission.today()) == ()
    assert read.dossier.language == "en"


def test_demo_holder_has_a_log_that_counts_and_no_dossier(filled: Filled) -> None:
    holder = session.scalars(select(Account).where(Account.email == INES.email)).one()
    assert session.scalars(select(Dossier).where(Dossier.owner_id == holder.id)).all() == []
    rules = log.rules_for(holder, filled.installation.catalogue)
    (certificate,) = entries.of(holder)
    assert rules is not None
    period = counting.Period(certificate.valid_from, certificate.valid_until)
    tallies = counting.tallies(log.all_of(holder), rules, period)
    assert [(one.kind.id, one.have, len(one.outside)) for one in tallies] == [("training", 55, 0), ("meeting", 3, 0)]
    files = session.scalars(select(LogFile).where(LogFile.owner_id == holder.id)).all()
    assert {(one.name, one.stage, one.entry_id is None) for one in files} == {
        (entry["file"], "checked", False) for entry in telling.read("evidence/ines").values()
    }


def test_demo_bundle_is_whole_and_holds_every_file(filled: Filled) -> None:
    key = signing.load_seal_key(filled.installation.settings)
    report = verification.check_bundle(filled.bundle, fingerprints={key.fingerprint})
    names = [name.removeprefix("data/") for name in report.digests]
    assert Counter(name.split("/")[0] for name in names if "/" in name) == {
        "evidence": len(evidence_of(SHOWCASE)),
        "originals": 1,
        "statements": 2,
    }
    with zipfile.ZipFile(filled.bundle) as archive:
        listed = json.loads(archive.read(f"{report.name}/data/evidence.json"))
        pdf = PdfReader(io.BytesIO(archive.read(f"{report.name}/data/dossier.pdf")))
        statement = json.loads(archive.read(f"{report.name}/data/statements/01-helene-kuiper-bak.json"))
    assert {one["original_name"] for one in listed} == set(evidence_of(SHOWCASE))
    assert statement["signed_name"] == SUPERVISOR.name
    assert [event["kind"] for event in statement["events"]] == ["sent", "opened", "read", "signed"]
    with zipfile.ZipFile(filled.bundle) as archive:
        outcome = json.loads(archive.read(f"{report.name}/data/statements/outcome-01-satisfaction.json"))
        texts = "".join(archive.read(f"{report.name}/data/{name}").decode() for name in names if name.endswith(".json"))
    assert (outcome["count"], [len(one["texts"]) for one in outcome["remarks"]]) == (5, [3, 2])
    assert [
        one["name"] for one in telling.read("dossiers/senay_clients")["clients"] if one["name"] in texts or one["email"] in texts
    ] == []
    assert len(pdf.pages) > 60
    assert SHOWCASE.name in pdf.pages[0].extract_text()


def test_demo_evidence_is_of_every_kind_and_accepted(filled: Filled) -> None:
    items = evidence_of(SHOWCASE).values()
    assert {item.kind for item in items} == {"pdf", "jpg", "png", "heic", "docx"}
    assert {item.stage for item in items} == {"checked"}
    assert not any(item.rasterised for item in items)
    signed = [item for item in items if item.signed]
    assert [(item.name, item.signatures[0]["intact"], item.signatures[0]["signer"]) for item in signed] == [
        ("Certificaat leergang oplossingsgericht werken.pdf", True, "DEMO Opleidingshuis De Steiger")
    ]


def test_demo_halfway_dossier_shows_what_can_go_wrong(filled: Filled) -> None:
    read = contents.read(dossier_of(HALFWAY))
    findings = completeness.check(read, filled.installation.catalogue, submission.today())
    status = {one.section.id: one.status for one in completeness.progress(read, findings)}
    assert read.dossier.stage == "draft"
    assert {section: status[section] for section in ("personal", "practice", "case_study")} == {
        "personal": "done",
        "practice": "done",
        "case_study": "todo",
    }
    assert (status["outplacement_intake"], status["supervisor"]) == ("problem", "waiting")
    assert {item.stage for item in read.evidence.values()} == {"checked", "refused"}
    waiting = read.statement("supervisor", "statement")
    assert waiting is not None
    letters = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default).get_body(("plain",)).get_content()
        for path in filled.installation.settings.outbox.glob("*-supervisor_invitation.eml")
    ]
    (link,) = [
        found[1]
        for letter in letters
        if HALFWAY.name in " ".join(letter.split()) and (found := re.search(r"/verklaring/(\S+)", letter))
    ]
    assert statements.by_link(link).id == waiting.id


def test_demo_people_can_log_in_with_the_password_that_is_shown(filled: Filled) -> None:
    for person in PEOPLE:
        account = session.scalars(select(Account).where(Account.email == person.email)).one()
        passwords.check(person.password, email=person.email, name=person.name)
        assert passwords.matches(account.password_hash, person.password)
        assert account.email_confirmed_at is not None
        assert account.roles == {person.role}
        assert re.search(rf"{re.escape(person.email)} +{re.escape(person.password)}", demo.logins())
    assert session.scalar(select(Account).where(Account.email == SUPERVISOR.email)) is None


# --- the files -----------------------------------------------------------------------------------------------------


def test_demo_form_is_a_real_filled_form(filled: Filled) -> None:
    fields = PdfReader(original(filled, "Evaluatieformulier B.pdf")).get_fields() or {}
    assert fields["Cijfer"]["/V"] == "6,5"
    assert fields["Het tempo paste bij mij 2"]["/V"] == "/Yes"
    assert fields["Het tempo paste bij mij 3"]["/V"] == "/Off"
    cleaned = store.path(filled.installation.settings.blobs, str(evidence_of(SHOWCASE)["Evaluatieformulier B.pdf"].pages_sha256))
    assert "Ik kreeg elke keer drie opdrachten mee." in PdfReader(cleaned).pages[0].extract_text()


def test_demo_scan_is_a_picture_and_a_page_lies_on_its_side(filled: Filled) -> None:
    scan = PdfReader(original(filled, "Scan presentielijst intervisie en supervisie.pdf"))
    assert [page.extract_text() for page in scan.pages] == [""]
    with pikepdf.open(original(filled, "Deelnamebewijzen studiedagen.pdf")) as pdf:
        assert [int(page.get("/Rotate", 0)) for page in pdf.pages] == [0, 90, 0]
    with pikepdf.open(original(filled, "Certificaat leergang oplossingsgericht werken.pdf")) as pdf:
        assert pdf.pages[0].mediabox[2] > pdf.pages[0].mediabox[3]


def test_demo_photo_says_where_it_was_taken_until_it_is_cleaned(filled: Filled) -> None:
    name = "IMG_1987 netwerkkaart.jpg"
    cleaned = store.path(filled.installation.settings.blobs, str(evidence_of(SHOWCASE)[name].cleaned_sha256))
    with Image.open(original(filled, name)) as photo, Image.open(cleaned) as clean:
        assert photo.getexif().get_ifd(0x8825) != {}
        assert dict(clean.getexif()) == {}


def test_demo_files_are_the_same_each_time(tmp_path: Path) -> None:
    keys = ("plan", "evaluation_a", "study_days", "market_chart", "network_photo", "reflection_letter", "attendance_scan")
    entries = {key: telling.in_words(telling.read("evidence/senay")[key], TODAY) for key in keys}
    contents_of = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        contents_of.append({key: path.read_bytes() for key, path in files.make(entries, folder).items()})
    assert contents_of[0] == contents_of[1]


# --- dates ---------------------------------------------------------------------------------------------------------


def test_dates_are_told_from_the_first_day() -> None:
    told = {"on": {"ago": 36, "day": 24}, "by": [{"ahead": 3, "day": 31}], "proof": {"files": ["plan"]}, "as": "typed"}
    assert telling.as_typed(told, TODAY, {"plan": 7}) == {
        "on": {"day": "24", "month": "11", "year": "2023"},
        "by": [{"day": "26", "month": "2", "year": "2027"}],  # there is no 31 February, and the 28th is a Sunday
        "proof": [7],
        "as": "typed",
    }
    assert telling.in_words({"ago": 36, "day": 24}, TODAY) == "24 november 2023"


@given(st.dates(date(2026, 1, 1), date(2060, 12, 31)), st.integers(1, 60), st.integers(1, 31))
def test_dates_ago_are_working_days_before_the_first_day(start: date, months: int, day: int) -> None:
    told = telling.as_typed({"ago": months, "day": day}, start)
    found = date(int(told["year"]), int(told["month"]), int(told["day"]))
    assert found < start
    assert found.weekday() < 5
