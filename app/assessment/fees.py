"""The fee of a dossier as the office records it: invoiced, paid or waived. Money itself goes elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Account
from app.assessment.models import FEE_STATES, Fee
from app.dossiers.answers import checked
from app.dossiers.models import Dossier
from app.errors import Conflict, InvalidInput
from app.extensions import now, session
from app.texts import both

MAX_AMOUNT_CENTS = 10_000_000
MAX_INVOICE, MAX_NOTE = 60, 2000


@dataclass(frozen=True)
class Entry:
    """What is recorded. ``on``: the day on which it was invoiced, paid or waived."""

    state: str
    on: date
    amount_cents: int | None = None
    invoice: str = ""
    note: str = ""


def of_dossier(dossier: Dossier) -> Fee | None:
    return session.get(Fee, dossier.id)


def in_euros(cents: int | None, language: str) -> str:
    """1.250,00 in Dutch, 1,250.00 in English."""
    return "" if cents is None else str(format_decimal(cents / 100, "#,##0.00", locale=language))


def lines(fee: Fee, language: str) -> list[str]:
    """Amount, invoice and day on one line, then the note: what is there."""
    amount = f"€ {in_euros(fee.amount_cents, language)}" if fee.amount_cents is not None else ""
    invoice = both("factuur %(number)s", number=fee.invoice)[language] if fee.invoice else ""
    on = str(format_date(fee.on, "d MMMM y", locale=language)) if fee.on else ""
    first = " · ".join(part for part in (amount, invoice, on) if part)
    return [line for line in (first, fee.note) if line]


def record(dossier: Dossier, entry: Entry, *, version: int, by: Account) -> bool:
    """Keeps how the fee stands. ``version`` is that of the form (0: nothing was there yet). ``False``: exactly this stood
    there already, as after the second of two clicks.

    Raises ``Conflict`` when something else was recorded meanwhile, ``InvalidInput`` for what cannot be.
    """
    content = {
        "state": entry.state,
        "on": entry.on,
        "amount_cents": entry.amount_cents,
        "invoice": checked(entry.invoice).strip(),
        "note": checked(entry.note).strip(),
    }
    values = {**content, "by_id": by.id, "at": now()}
    _check(entry, values["invoice"], values["note"])
    if _stands_there(dossier, content):
        return False
    if version == 0:
        try:
            with session.begin_nested():
                session.add(Fee(dossier_id=dossier.id, version=1, **values))
        except IntegrityError:
            return _crossed(dossier, content, by)
        return True
    changed = session.execute(
        update(Fee)
        .where(Fee.dossier_id == dossier.id, Fee.version == version)
        .values(version=version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, as every UPDATE gives
        return _crossed(dossier, content, by)
    session.get_one(Fee, dossier.id, populate_existing=True)
    return True


def _stands_there(dossier: Dossier, content: Mapping[str, Any]) -> bool:
    stored = session.get(Fee, dossier.id, populate_existing=True)
    return stored is not None and all(getattr(stored, name) == value for name, value in content.items())


def _crossed(dossier: Dossier, content: Mapping[str, Any], by: Account) -> bool:
    """``False`` when the other one recorded the same. Raises ``Conflict`` that says who it was."""
    if _stands_there(dossier, content):
        return False
    stored = session.get(Fee, dossier.id)
    if stored is not None and stored.by_id == by.id:
        raise Conflict(
            both("U wijzigde de vergoeding intussen in een ander venster. Uw tekst staat er nog. Vergelijk en sla opnieuw op.")
        )
    name = stored.by.name if stored is not None else ""
    raise Conflict(
        both("%(name)s heeft de vergoeding intussen gewijzigd. Uw tekst staat er nog. Vergelijk en sla opnieuw op.", name=name)
    )


def _check(entry: Entry, invoice: str, note: str) -> None:
    if entry.state not in FEE_STATES:
        raise InvalidInput(both("Kies hoe het met de vergoeding staat."), field="state")
    if entry.amount_cents is not None and not 0 <= entry.amount_cents <= MAX_AMOUNT_CENTS:
        raise InvalidInput(both("Vul een bedrag in van 0 tot en met 100.000 euro."), field="amount")
    if entry.state == "invoiced" and entry.amount_cents is None:
        raise InvalidInput(both("Vul het bedrag in dat u in rekening brengt."), field="amount")
    if len(invoice) > MAX_INVOICE:
        raise InvalidInput(both("Een factuurnummer heeft hoogstens %(n)s tekens.", n=MAX_INVOICE), field="invoice")
    if entry.state == "waived" and not note:
        raise InvalidInput(both("Schrijf waarom de kandidaat niet hoeft te betalen."), field="note")
    if len(note) > MAX_NOTE:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_NOTE), field="note")
