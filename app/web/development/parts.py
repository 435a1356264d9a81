"""What the pages of the development log share."""

import re
from typing import Any

from flask import request, url_for

from app.accounts.models import Account
from app.development import counting
from app.development import entries as log
from app.development.counting import Period
from app.development.entries import Rules
from app.development.models import LogEntry, LogFile
from app.dossiers.submission import today
from app.errors import Conflict, NotFound
from app.extensions import session
from app.register import entries as register
from app.schemes.question_types import shown_number
from app.texts import both, pick
from app.web.dates import clock
from app.web.language import current_language
from app.web.parts import installation, me


def entry_of(entry_id: int) -> LogEntry:
    """The entry that an address names."""
    return log.of_address(entry_id)


def file_of(log_file_id: int) -> LogFile:
    """The file of a log that an address names."""
    found = session.get(LogFile, log_file_id)
    if found is None or found.removed_at is not None:
        raise NotFound(both("Dit bestand staat niet (meer) in uw logboek."))
    return found


def rules() -> Rules | None:
    return log.rules_for(me(), installation().catalogue)


def needed_rules() -> Rules:
    found = rules()
    if found is None:
        raise Conflict(both("Er is nu geen hercertificering waarvoor een ontwikkellogboek telt. Vraag het secretariaat."))
    return found


def period_of(account: Account) -> Period:
    """The certificate that the register knows; else since the day that the holder named himself."""
    held = register.current(account, today())
    return Period(held.valid_from, held.valid_until, certain=True) if held else Period(log.since(account))


def hours_words(typed: str) -> str:
    number = counting.hours(typed)
    return both("%(amount)s uur", amount=shown_number(number, current_language()))[current_language()]


def shown_file(item: LogFile) -> dict[str, Any]:
    """As ``parts/evidence.html`` shows it."""
    return {
        "id": item.id,
        "title": item.name,
        "thumbnail": url_for("development.thumbnail", log_file_id=item.id, v=item.thumbnail_sha256[:16])
        if item.thumbnail_sha256
        else "",
        "kind": item.kind,
        "size": item.original_size,
        "added": "",
        "stage": item.stage,
        "reason": pick(item.refusal, current_language()),
        "pages": item.pages,
        "used_in": [],
        "href": url_for("development.download", log_file_id=item.id) if item.stage == "checked" else "",
        "retry_at": clock(item.next_attempt_at) if item.stage == "received" and item.next_attempt_at else "",
    }


def numbers(name: str) -> list[int]:
    listed = (one.rpartition(":")[2] for one in request.form.getlist(name))
    return [int(one) for one in listed if re.fullmatch("[0-9]{1,9}", one)]
