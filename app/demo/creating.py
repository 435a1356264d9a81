"""Fills an empty installation with invented people and dossiers, by the verbs that people's clicks lead to.

Every step looks first whether it was done, and does its work in one transaction: killed at any moment and called again,
it goes on where it was. The last step leaves a line in the audit record, so that the next call sees at once that all is there.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select, update

from app import audit, jobs, mail, pipeline
from app.accounts import passwords, registration
from app.accounts.models import Account
from app.assessment import admission, assignment
from app.assessment.models import Assessment
from app.audit import AuditEntry
from app.config import DEMO_MARK, Settings
from app.demo import files, mentoring, telling
from app.demo.people import ASSESSORS, HALFWAY, OFFICE, PEOPLE, SHOWCASE, SUPERVISOR, Person
from app.documents import sealing
from app.documents.models import Bundle, Product
from app.dossiers import answers, contents, evidence, invitations, starting, statements, submission
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Evidence, Snapshot, Statement
from app.errors import Forbidden, InvalidInput, SealingFailed
from app.extensions import now, session, transaction
from app.files import sniff, store
from app.mail import Mail
from app.pipeline import Installation
from app.texts import both

SCHEME, VERSION, SPECIALISATION = "recertification", "2026.1", "outplacement"  # what the data files are written for
STATEMENT = ("supervisor", "statement")
CLIENTS = ("satisfaction", "clients")
FROM = {"address": "127.0.0.1", "user_agent": "Demo"}
FILLED = "demo"  # the ``thing`` of the line in the audit record
CHECKS_AT_ONCE = 2


class Progress(Protocol):
    def update(self, n_steps: int) -> None: ...


Say = Callable[[str], None]
Bar = Callable[[str, int], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Story:
    """One dossier: whose, the data file with its answers, files that no answer uses yet, which sections are finished."""

    person: Person
    answers: str
    loose_files: Mapping[tuple[str, str], Sequence[str]]
    finished: Sequence[str] | None


SHOWCASE_STORY = Story(SHOWCASE, "answers", {}, None)
HALFWAY_STORY = Story(HALFWAY, "draft", {("outplacement_intake", "evidence"): ["draft_locked"]}, ("personal", "practice"))


def create(installation: Installation, *, say: Say, bar: Bar) -> Path | None:
    """Makes the demo data and gives the path of the showcase's bundle; ``None`` when it was all there already.

    Raises ``Forbidden`` outside demo mode, ``Conflict`` when another process works on this instance folder, and what
    the verbs raise.
    """
    settings = installation.settings
    if not settings.demo:
        raise Forbidden(both("Voorbeeldgegevens worden alleen in de demo gemaakt."))
    mark = settings.instance / DEMO_MARK
    if not mark.exists():
        mark.write_text("Demo data with well-known passwords: production settings refuse this folder.\n")
    if _is_filled():
        return None
    started = time.monotonic()
    say("Filling the demo: people, dossiers, and one dossier all the way to the assessment queue.")
    with jobs.alone(settings):
        with _timed(say, "people"):
            _people()
        dossiers = [_dossier(story.person, installation) for story in (SHOWCASE_STORY, HALFWAY_STORY)]
        with _timed(say, "evidence files made"):
            for story, dossier_id in zip((SHOWCASE_STORY, HALFWAY_STORY), dossiers, strict=True):
                _upload(story, dossier_id, settings)
        with _timed(say, "evidence checked"):
            _check_evidence(installation, dossiers, bar)
        with _timed(say, "answers and statements"):
            for story, dossier_id in zip((SHOWCASE_STORY, HALFWAY_STORY), dossiers, strict=True):
                _answer(story, dossier_id)
                _invite(dossier_id, settings)
            _give_statement(installation, dossiers[0])
            _ask_clients(installation, dossiers[0])
            mentoring.read_along(dossiers[1], settings)
        with _timed(say, "submitted, sealed and handed over"):
            snapshot_id = _submit(installation, dossiers[0], say)
            _seal(installation, snapshot_id, say, bar)
        _assign(installation, dossiers[0])
        path = _copy_bundle(settings, snapshot_id)
        with _timed(say, "mail"):
            for mail_id in _due_mail():
                pipeline.run_mail(installation, mail_id)
        with transaction():
            audit.write("demo.created", actor="system", thing=FILLED)
    say(f"The demo is ready: {time.monotonic() - started:.1f} s")
    return path


def _is_filled() -> bool:
    found = session.scalar(select(AuditEntry.id).where(AuditEntry.thing == FILLED).limit(1))
    session.rollback()
    return found is not None


@contextmanager
def _timed(say: Say, what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    say(f"  {what}: {time.monotonic() - started:.1f} s")


# --- people and their dossiers -------------------------------------------------------------------------------------


def _people() -> None:
    for person in PEOPLE:
        if registration.find(person.email) is not None:
            continue
        password_hash = passwords.hashed(person.password)
        with transaction():
            registration.create(
                email=person.email, name=person.name, password_hash=password_hash, roles=[person.role], confirmed=True
            )


def _account(person: Person) -> Account:
    return session.scalars(select(Account).where(Account.email == person.email)).one()


def _dossier(person: Person, installation: Installation) -> int:
    with transaction():
        owner = _account(person)
        dossier = starting.unfinished(owner, SCHEME) or starting.start(
            owner,
            SCHEME,
            VERSION,
            [SPECIALISATION],
            "nl",
            catalogue=installation.catalogue,
            settings=installation.settings,
        )
        return dossier.id


def _first_day(dossier: Dossier) -> date:
    return dossier.created_at.astimezone(submission.ZONE).date()


# --- evidence ------------------------------------------------------------------------------------------------------


def _files_of(story: Story) -> dict[str, Mapping[str, Any]]:
    """The entries of evidence.yaml that this dossier uses, by key."""
    keys = telling.files_in(telling.read(story.answers)) + [key for keys in story.loose_files.values() for key in keys]
    entries = telling.read("evidence")
    return {key: entries[key] for key in keys}


def _ids_by_name(dossier_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Evidence.name, Evidence.id).where(Evidence.dossier_id == dossier_id, Evidence.removed_at.is_(None))
    )
    return {row.name: row.id for row in rows}


def _upload(story: Story, dossier_id: int, settings: Settings) -> None:
    """Makes the files and takes them in as an upload does. A file that is there under its name is not taken in again."""
    entries = _files_of(story)
    known = _ids_by_name(dossier_id)
    start = _first_day(session.get_one(Dossier, dossier_id))
    session.rollback()
    if all(entry["file"] in known for entry in entries.values()):
        return
    settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.work, prefix="demo-") as folder:
        made = files.make(telling.in_words(entries, start), Path(folder))
        for key, entry in entries.items():
            name = sniff.clean_name(entry["file"])
            if name in known:
                continue
            with made[key].open("rb") as stream:
                blob = store.put_stream(settings.blobs, stream, limit=settings.max_file_bytes)
            kind = sniff.kind_of(store.path(settings.blobs, blob.sha256), name)
            with transaction():
                evidence.receive(session.get_one(Dossier, dossier_id), blob, name, kind, settings)


def _check_evidence(installation: Installation, dossiers: Sequence[int], bar: Bar) -> None:
    """Runs the checks, two at a time. One that failed for a passing reason is tried again until it is accepted or refused."""
    while waiting := _waiting_evidence(dossiers):
        with bar("Checking evidence", len(waiting)) as progress, ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
            running = [pool.submit(jobs.run, installation, "evidence", evidence_id) for evidence_id in waiting]
            try:
                for done in as_completed(running):
                    done.result()
                    progress.update(1)
            finally:
                pool.shutdown(cancel_futures=True)


def _waiting_evidence(dossiers: Sequence[int]) -> Sequence[int]:
    """What is not checked yet, freed from the claim of a process that died."""
    own = (Evidence.dossier_id.in_(dossiers), Evidence.stage == "received", Evidence.removed_at.is_(None))
    with transaction():
        session.execute(update(Evidence).where(*own).values(claimed_until=None, next_attempt_at=None))
        return session.scalars(select(Evidence.id).where(*own)).all()


# --- answers and statements ----------------------------------------------------------------------------------------


def _answer(story: Story, dossier_id: int) -> None:
    """Fills the sections, each in one transaction."""
    for section_id, told in telling.read(story.answers).items():
        with transaction():
            dossier = session.get_one(Dossier, dossier_id)
            read = contents.read(dossier)
            if dossier.stage not in OPEN_STAGES or read.versions.get(section_id, 0) > 0:
                continue
            known = _ids_by_name(dossier_id)
            ids = {key: known[entry["file"]] for key, entry in _files_of(story).items()}
            _fill(read, section_id, telling.as_typed(told, _first_day(dossier), ids))
            for (section, question), keys in story.loose_files.items():
                if section == section_id:
                    evidence.attach(read, section, question, [ids[key] for key in keys])
            finished = story.finished is None or section_id in story.finished
            answers.save_section(dossier, section_id, {}, answers.stored(dossier, section_id).version, finished=finished)


def _fill(read: Contents, section_id: str, typed: Mapping[str, Any]) -> None:
    section = read.template.section(section_id)
    types = {question.id: question.type for question in section.questions} if section else {}
    page = {question: answer for question, answer in typed.items() if types[question] not in answers.NOT_TYPED}
    answers.save_section(read.dossier, section_id, page, 0)
    for question, answer in typed.items():
        if types[question] == "evidence":
            evidence.attach(read, section_id, question, answer)
        elif types[question] == "table":
            for number, row in enumerate(answer, start=1):
                answers.save_row(read.dossier, section_id, question, f"row{number}", row, before="")


def _invite(dossier_id: int, settings: Settings) -> None:
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        if read.statement(*STATEMENT) is None:
            invitations.invite(read, *STATEMENT, name=SUPERVISOR.name, email=SUPERVISOR.email, language="nl", settings=settings)


def _give_statement(installation: Installation, dossier_id: int) -> None:
    """The supervisor opens the mailed link, reads, fills the form in and signs."""
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        statement = read.statement(*STATEMENT)
        if statement is None or statement.stage != "invited":
            return
        opened = statements.by_link(_mailed_token(statement, installation.settings))
        secret = statements.open_session(opened, **FROM)
        statements.note_read(opened, read, **FROM)
    with transaction():
        statement = statements.by_session(secret)
        typed = telling.as_typed(telling.read("statement"), _first_day(statement.dossier))
        typed["sessions"] = [{**row, "row": f"row{number}"} for number, row in enumerate(typed["sessions"], start=1)]
        statements.save(statement, typed, statement.version)
    with transaction():
        statement = statements.by_session(secret)
        faults = statements.problems(statement, installation.catalogue.types, submission.today())
        if faults:
            raise InvalidInput(faults[0][1].text, question=faults[0][0])
        statements.sign(statement, contents.read(statement.dossier), typed_name=SUPERVISOR.name, **FROM)


def _ask_clients(installation: Installation, dossier_id: int) -> None:
    """Five clients are asked at once; each opens the mailed link, answers and sends."""
    told = telling.read("clients")["clients"]
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        if read.dossier.stage not in OPEN_STAGES:
            return
        if read.statement(*CLIENTS) is None:
            people = [invitations.Person(one["name"], one["email"], "nl") for one in told]
            invitations.invite_all(read, *CLIENTS, people, installation.settings)
    for one in told:
        _answer_as_client(installation, dossier_id, one)


def _answer_as_client(installation: Installation, dossier_id: int, told: Mapping[str, Any]) -> None:
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        asked = next((one for one in read.statements if one.email == told["email"] and one.stage == "invited"), None)
        if asked is None:
            return
        opened = statements.by_link(_mailed_token(asked, installation.settings))
        secret = statements.open_session(opened, **FROM)
    with transaction():
        statement = statements.by_session(secret)
        typed = {**told["answers"], "good": told["good"], "better": told["better"]}
        statements.save(statement, typed, statement.version)
        faults = statements.problems(statement, installation.catalogue.types, submission.today())
        if faults:
            raise InvalidInput(faults[0][1].text, question=faults[0][0])
        statements.sign(statement, contents.read(statement.dossier), typed_name="", **FROM)


def _mailed_token(statement: Statement, settings: Settings) -> str:
    """What stands in the newest link that was mailed; a sent mail no longer holds it, so then a new one goes out."""
    link = _newest_link(statement)
    if not link:
        invitations.remind(statement, settings)
        link = _newest_link(statement)
    return link.rpartition("/")[2]


def _newest_link(statement: Statement) -> str:
    letters = session.scalars(
        select(Mail)
        .where(
            Mail.to == statement.email,
            Mail.template.in_([statements.letter(statement, kind) for kind in ("invitation", "reminder")]),
        )
        .order_by(Mail.id.desc())
    )
    own = next((letter for letter in letters if letter.data["candidate"] == statement.dossier.owner.name), None)
    return str(own.data.get("link", "")) if own else ""


# --- from submitting to the queue ----------------------------------------------------------------------------------


def _submit(installation: Installation, dossier_id: int, say: Say) -> int:
    """Submits the dossier as its candidate would and gives the snapshot's id."""
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        if dossier.stage not in OPEN_STAGES:
            return session.scalars(select(Snapshot.id).where(Snapshot.dossier_id == dossier_id)).one()
        read = contents.read(dossier)
        agreed = frozenset(one.id for one in read.template.declarations)
        try:
            return submission.submit(
                read,
                submission.Consent(dossier.owner.name, agreed, **FROM),
                catalogue=installation.catalogue,
                house_style_sha256=sealing.house_style_sha256(),
                settings=installation.settings,
            ).id
        except submission.NotReady as refusal:
            for finding in refusal.findings:
                say(f"    {finding.section}.{finding.question}: {finding.text['nl']}")
            raise


def _seal(installation: Installation, snapshot_id: int, say: Say, bar: Bar) -> None:
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        if snapshot.delivered_at is not None:
            return
        snapshot.claimed_until = None  # of a process that died: we are the only one
    with bar("Making the documents", len(sealing.STEPS) + 1) as progress:
        pipeline.run_snapshot(installation, snapshot_id, report=lambda step, percent: progress.update(1))
    snapshot = session.get_one(Snapshot, snapshot_id, populate_existing=True)
    if snapshot.delivered_at is None:
        raise SealingFailed(
            snapshot.error or both("Het samenstellen is niet afgemaakt. Probeer het opnieuw."), step=snapshot.step_name
        )
    made = session.execute(
        select(Product.step, Product.seconds, Product.peak_mib).where(Product.snapshot_id == snapshot_id).order_by(Product.id)
    )
    for step, seconds, peak in made:
        say(f"    {step}: {seconds:.1f} s, {peak:.0f} MiB")
    session.rollback()


def _assign(installation: Installation, dossier_id: int) -> None:
    """To the first assessor; the second is left for whoever tries the office's page."""
    with transaction():
        assessment = session.scalars(select(Assessment).where(Assessment.dossier_id == dossier_id)).one()
        _admit(assessment, installation)
        assessor = _account(ASSESSORS[0])
        if assignment.current(assessment, assessor) is None:
            assignment.assign(assessment, assessor, by=_account(OFFICE)).declared_at = now()


def _admit(assessment: Assessment, installation: Installation) -> None:
    """As the office does: every entry requirement checked and met."""
    snapshot = admission.newest_snapshot(assessment.dossier)
    if snapshot is None or admission.of_snapshot(snapshot) is not None:
        return
    office, catalogue = _account(OFFICE), installation.catalogue
    checks = {one.id: ("met", "") for one in admission.requirements_of(assessment.dossier, catalogue)}
    admission.record_checks(snapshot, checks, seen={}, by=office, catalogue=catalogue)
    admission.admit(snapshot, by=office, catalogue=catalogue)
    audit.write("dossier.admitted", actor=office, thing=assessment.dossier, revision=snapshot.revision)


def _copy_bundle(settings: Settings, snapshot_id: int) -> Path:
    """A copy of the bundle under a name for people, whole or not there."""
    bundle = session.scalars(select(Bundle).where(Bundle.snapshot_id == snapshot_id)).one()
    source = store.path(settings.blobs, bundle.zip_sha256)
    target = settings.instance / "demo-bundle" / f"Dossier-{bundle.snapshot.dossier.reference}.zip"
    session.rollback()
    target.parent.mkdir(exist_ok=True, mode=0o700)
    unfinished = target.with_suffix(f".{os.getpid()}")
    shutil.copyfile(source, unfinished)
    unfinished.replace(target)
    return target


def _due_mail() -> Sequence[int]:
    waiting = mail.due()
    session.rollback()
    return waiting
