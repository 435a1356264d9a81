"""Fills an empty installation with invented people and dossiers, by the verbs that people's clicks lead to.

Every step looks first whether it was done, and does its work in one transaction: killed at any moment and called again,
it goes on where it was. The last step leaves a line in the audit record, so that the next call sees at once that all is there.

``stories`` says which dossiers there are; who helps with one is in ``helping``, what becomes of it in ``deciding``, and who
holds a certificate in ``holding``.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select, update

from app import audit, jobs, mail, pipeline
from app.accounts import passwords, registration
from app.audit import AuditEntry
from app.config import DEMO_MARK, Settings
from app.demo import deciding, files, helping, holding, telling
from app.demo.holding import first_day
from app.demo.people import PEOPLE
from app.demo.stories import SEALED, STORIES, VERSION, Story
from app.dossiers import answers, contents, evidence, starting
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Evidence
from app.errors import Forbidden
from app.extensions import session, transaction
from app.files import sniff
from app.pipeline import Installation
from app.schemes import models as stored_templates
from app.texts import both

FILLED = "demo"  # the ``thing`` of the line in the audit record
CHECKS_AT_ONCE = 2


class Progress(Protocol):
    def update(self, n_steps: int) -> None: ...


Say = Callable[[str], None]
Bar = Callable[[str, int], AbstractContextManager[Progress]]


def create(installation: Installation, *, say: Say, bar: Bar) -> Path | None:
    """Makes the demo data and gives the path of the first story's bundle; ``None`` when it was all there already.

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
    say("Filling the demo: people, and dossiers in every route and stage.")
    with jobs.alone(settings):
        with _timed(say, "people"):
            _people()
            holding.record_certificates(installation)
        dossiers = [(story, _dossier(story, installation)) for story in STORIES]
        with _timed(say, "evidence files made"):
            for story, dossier_id in dossiers:
                _upload(story, dossier_id, settings)
            holding.keep_log(installation)
        with _timed(say, "evidence checked"):
            _check_evidence(installation, bar)
        with _timed(say, "answers and statements"):
            for story, dossier_id in dossiers:
                _answer(story, dossier_id)
                _be_helped(story, dossier_id, installation)
        with _timed(say, "submitted, sealed and handed over"):
            snapshots = _decide(dossiers, installation, say, bar)
        path = deciding.copy_bundle(settings, snapshots[0])
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


def _dossier(story: Story, installation: Installation) -> int:
    """The one that there is, also when its candidate has stopped with it since, or a new one."""
    with transaction():
        owner = deciding.account(story.person)
        for known in session.scalars(select(Dossier).where(Dossier.owner_id == owner.id)):
            if stored_templates.get(known.template_sha256).scheme == story.scheme:
                return known.id
        started = starting.start(
            owner,
            story.scheme,
            VERSION,
            story.plugins,
            story.language,
            catalogue=installation.catalogue,
            settings=installation.settings,
        )
        return started.id


# --- evidence ------------------------------------------------------------------------------------------------------


def _files_of(story: Story) -> dict[str, Mapping[str, Any]]:
    """The files that this dossier uses, by key."""
    keys = telling.files_in(_answers_of(story)) + [key for keys in story.loose_files.values() for key in keys]
    entries = telling.read(f"evidence/{story.name}") if keys else {}
    return {key: entries[key] for key in keys}


def _answers_of(story: Story) -> Mapping[str, Any]:
    return telling.read(f"dossiers/{story.name}")


def _ids_by_name(dossier_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Evidence.name, Evidence.id).where(Evidence.dossier_id == dossier_id, Evidence.removed_at.is_(None))
    )
    return {row.name: row.id for row in rows}


def _upload(story: Story, dossier_id: int, settings: Settings) -> None:
    """Makes the files and takes them in as an upload does. A file that is there under its name is not taken in again."""
    known = _ids_by_name(dossier_id)
    entries = {key: entry for key, entry in _files_of(story).items() if sniff.clean_name(entry["file"]) not in known}
    start = first_day(session.get_one(Dossier, dossier_id))
    session.rollback()
    if not entries:
        return
    with files.made(telling.in_words(entries, start, story.language), settings) as made:
        for key, entry in entries.items():
            item = files.stored(made[key], entry["file"], settings)
            with transaction():
                evidence.receive(session.get_one(Dossier, dossier_id), item.blob, item.name, item.kind, settings)


def _check_evidence(installation: Installation, bar: Bar) -> None:
    """Runs the checks, two at a time. One that failed for a passing reason is tried again until it is accepted or refused."""
    while waiting := [("evidence", one) for one in _waiting_evidence()] + [("log_file", one) for one in holding.waiting_files()]:
        with bar("Checking evidence", len(waiting)) as progress, ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
            running = [pool.submit(jobs.run, installation, job, record_id) for job, record_id in waiting]
            try:
                for done in as_completed(running):
                    done.result()
                    progress.update(1)
            finally:
                pool.shutdown(cancel_futures=True)


def _waiting_evidence() -> Sequence[int]:
    """What is not checked yet, freed from the claim of a process that died."""
    own = (Evidence.stage == "received", Evidence.removed_at.is_(None))
    with transaction():
        session.execute(update(Evidence).where(*own).values(claimed_until=None, next_attempt_at=None))
        return session.scalars(select(Evidence.id).where(*own)).all()


# --- answers -------------------------------------------------------------------------------------------------------


def _answer(story: Story, dossier_id: int) -> None:
    """Fills the sections, each in one transaction."""
    for section_id, told in _answers_of(story).items():
        with transaction():
            dossier = session.get_one(Dossier, dossier_id)
            read = contents.read(dossier)
            if dossier.stage not in OPEN_STAGES or read.versions.get(section_id, 0) > 0:
                continue
            known = _ids_by_name(dossier_id)
            ids = {key: known[sniff.clean_name(entry["file"])] for key, entry in _files_of(story).items()}
            _fill(read, section_id, telling.as_typed(told, first_day(dossier), ids))
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


def _be_helped(story: Story, dossier_id: int, installation: Installation) -> None:
    if story.supervisor:
        helping.invite_supervisor(dossier_id, installation.settings)
    if story.supervisor == "signed":
        helping.give_statement(installation, dossier_id)
    if story.clients:
        helping.ask_clients(installation, dossier_id)
    if story.mentored:
        helping.read_along(dossier_id, installation.settings)


# --- what becomes of them ------------------------------------------------------------------------------------------


def _decide(dossiers: Sequence[tuple[Story, int]], installation: Installation, say: Say, bar: Bar) -> list[int]:
    """Takes each as far as its story goes. Gives the ids of the snapshots of which documents were made."""
    for story, dossier_id in dossiers:
        if story.fate == "withdrawn":
            deciding.withdraw(dossier_id)
        elif story.fate == "returned":
            deciding.submit(installation, dossier_id, say)
            deciding.return_with_findings(installation, dossier_id)
    going_on = [(story, dossier_id) for story, dossier_id in dossiers if story.fate in SEALED]
    snapshots = [deciding.submit(installation, dossier_id, say) for _, dossier_id in going_on]
    waiting = [one for one in snapshots if deciding.to_be_sealed(one)]
    if waiting:
        with bar("Making the documents", len(waiting) * deciding.STEPS) as progress:
            for one in waiting:
                deciding.seal(installation, one, lambda: progress.update(1), say)
    for story, dossier_id in going_on:
        if story.fate != "to_admit":
            deciding.admit(installation, dossier_id)
        if story.fate == "assigned":
            deciding.assign(dossier_id)
    return snapshots


def _due_mail() -> Sequence[int]:
    waiting = mail.due()
    session.rollback()
    return waiting
