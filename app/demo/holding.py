"""Who holds a certificate: the entries of the register, and the development log of somebody whose certificate is about to end."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select, update

from app import audit
from app.accounts.models import Account
from app.config import Settings
from app.demo import files, telling
from app.demo.deciding import account
from app.demo.people import OFFICE
from app.demo.stories import HOLDER, STORIES
from app.development import entries as log
from app.development import files as log_files
from app.development.models import LogEntry, LogFile
from app.dossiers import submission
from app.dossiers.models import Dossier
from app.errors import InvalidInput
from app.extensions import session, transaction
from app.pipeline import Installation
from app.register import entries
from app.schemes import question_types
from app.texts import both

CERTIFICATE = "initial"  # what the certificates were got by


def first_day(record: Dossier | Account) -> date:
    return record.created_at.astimezone(submission.ZONE).date()


def record_certificates(installation: Installation) -> None:
    """What the candidates' own answers say of their certificates, and the holder's, each once."""
    told = [(story.person, telling.read(f"dossiers/{story.name}")["personal"]) for story in STORIES]
    for person, personal in [*told, (HOLDER, telling.read("log")["certificate"])]:
        if "register_number" not in personal:
            continue
        with transaction():
            holder = account(person)
            if not entries.of(holder):
                line = _line(personal, first_day(holder))
                entries.record(holder, line, catalogue=installation.catalogue, by=account(OFFICE))


def _line(personal: Mapping[str, Any], start: date) -> entries.Line:
    period = telling.as_typed(personal["certificate_period"], start)
    valid_from, valid_until = (question_types.as_date(period[end]) for end in ("from", "to"))
    if valid_from is None or valid_until is None:
        raise InvalidInput(both("Vul de datum in."))
    return entries.Line(personal["register_number"], CERTIFICATE, valid_from, valid_until)


def keep_log(installation: Installation) -> None:
    """The holder notes what she did, each entry with its files."""
    told, settings = telling.read("log")["entries"], installation.settings
    with transaction():
        holder = account(HOLDER)
        start, known = first_day(holder), set(session.scalars(select(LogEntry.key).where(LogEntry.owner_id == holder.id)))
    keys = {f"demo-log-{number:04d}": one for number, one in enumerate(told) if f"demo-log-{number:04d}" not in known}
    wanted = [name for one in keys.values() for name in one.get("files", ())]
    papers = {name: entry for name, entry in telling.read("evidence/ines").items() if name in wanted}
    with files.made(telling.in_words(papers, start), settings) as made:
        for key, one in keys.items():
            blobs = [files.stored(made[name], papers[name]["file"], settings) for name in one.get("files", ())]
            with transaction():
                _note(installation, key, telling.as_typed(one, start), blobs, settings)


def _note(installation: Installation, key: str, told: Mapping[str, Any], blobs: list[files.Stored], settings: Settings) -> None:
    holder = account(HOLDER)
    rules = log.rules_for(holder, installation.catalogue)
    if rules is None:
        raise InvalidInput(both("Kies wat voor activiteit het was."))
    ids = []
    for one in blobs:
        item = log_files.receive(holder, one.blob, one.name, one.kind, settings)
        audit.write("log_file.received", actor=holder, thing=item)
        ids.append(item.id)
    draft = log.Draft(**{name: value for name, value in told.items() if name != "files"})
    entry = log.add(holder, draft, key, rules)
    log_files.attach(entry, ids)
    audit.write("log_entry.added", actor=holder, thing=entry)


def waiting_files() -> list[int]:
    """What is not checked yet, freed from the claim of a process that died."""
    own = (LogFile.stage == "received", LogFile.removed_at.is_(None))
    with transaction():
        session.execute(update(LogFile).where(*own).values(claimed_until=None, next_attempt_at=None))
        return list(session.scalars(select(LogFile.id).where(*own)))
