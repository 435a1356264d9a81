"""When a certificate can be renewed, what somebody can do now, and the prompts before it expires. Dates are pure."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from app import mail
from app.accounts import messages
from app.accounts.models import Account
from app.dossiers import answers, starting, submission
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier
from app.errors import Conflict, Text
from app.extensions import session
from app.register import entries
from app.register.models import RegisterEntry
from app.schemes import models as stored_templates
from app.schemes import versions
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate
from app.texts import both

SAME_END = 31
"""So many days a last day may move and still be the end that its holder was told of."""


@dataclass(frozen=True)
class Window:
    """When a certificate can be renewed. ``until`` is its last day, ``closes`` the last day to start."""

    opens: date
    until: date
    closes: date

    def state(self, on: date) -> str:
        """ "early", "open", "grace" (expired, but one may still start) or "expired"."""
        if on < self.opens:
            return "early"
        if on <= self.until:
            return "open"
        return "grace" if on <= self.closes else "expired"


# --- dates ---------------------------------------------------------------------------------------------------------


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last of that month: one month before 31 March is 28 or 29 February."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def window(until: date, scheme: DossierTemplate) -> Window:
    """Of a certificate that ends on ``until``, by a scheme for holders; without ``renewal`` it is open all the time."""
    rule = scheme.renewal
    opens = months_before(until, rule["opens_months"]) if rule else date.min
    return Window(opens, until, until + timedelta(days=rule.get("grace_days", 0)))


def submit_by(entry: RegisterEntry | None, scheme: DossierTemplate, term: date) -> date:
    """The last day to submit what one starts as a holder: that of the term, or of the certificate if it ends earlier."""
    return term if entry is None else min(term, window(entry.valid_until, scheme).closes)


def prompt_due(until: date, remind_months: Sequence[int], on: date) -> int | None:
    """The prompt that is due on a day, as its number of months: the last one whose day has come; ``None`` before the first and
    after the certificate's last day. Those before it are not caught up on.
    """
    if on > until:
        return None
    return min((months for months in remind_months if months_before(until, months) <= on), default=None)


# --- what somebody can do ------------------------------------------------------------------------------------------


def held(account: Account, scheme: DossierTemplate, on: date) -> RegisterEntry | None:
    """The certificate of this person that a scheme for holders is about: the one in force, else the last one.

    One that still has to begin is not held.
    """
    return held_of(entries.of(account), scheme, on)


def held_of(standing: Sequence[RegisterEntry], scheme: DossierTemplate, on: date) -> RegisterEntry | None:
    begun = [one for one in standing if one.kind == "certificate" and one.valid_from <= on]
    fitting = [one for one in begun if one.scope in scheme.holder.get("of", ())]
    return entries.certificate(fitting, on) or entries.last_certificate(fitting)


def renewers(entry: RegisterEntry, on: date, catalogue: Catalogue) -> Iterator[DossierTemplate]:
    """The schemes in effect on a day by which a certificate can be renewed."""
    for name in sorted({name for name, _ in catalogue.schemes}):
        scheme = versions.in_effect(catalogue.templates(name), on)
        if scheme is not None and scheme.renewal and entry.scope in scheme.holder["of"]:
            yield scheme


def check_start(account: Account, scheme: DossierTemplate, plugin_ids: Sequence[str], on: date) -> RegisterEntry | None:
    """The certificate with which this person starts; ``None`` when the register has none, which stops nobody.

    Raises ``Conflict`` for one that has expired, and for a specialisation that is held already where one adds another.
    """
    standing = entries.of(account) if scheme.holder else ()
    entry = held_of(standing, scheme, on)
    if entry is not None and window(entry.valid_until, scheme).state(on) == "expired":
        raise Conflict(expired_words(entry))
    if entry is not None and not scheme.renewal:
        for one in entries.held_beside(standing, on):
            if one.scope in plugin_ids:
                until = entries.day_words(one.valid_until)
                raise Conflict(both("U hebt deze specialisatie al, tot en met %(until)s. Kies een andere.", until=until))
    return entry


def expired_words(entry: RegisterEntry) -> Text:
    return both(
        "Uw certificaat liep tot en met %(until)s en is verlopen. Met dit dossier kunt u het niet meer verlengen.",
        until=entries.day_words(entry.valid_until),
    )


def prefill(dossier: Dossier, scheme: DossierTemplate, entry: RegisterEntry) -> None:
    """Puts what the register says in the questions that the scheme names; they stay the candidate's to change."""
    period = {"from": _parts(entry.valid_from), "to": _parts(entry.valid_until)}
    for key, answer in (("number", entry.number), ("period", period)):
        section_id, _, question_id = scheme.holder.get(key, "").partition(".")
        if section_id:
            answers.put_answer(dossier, section_id, question_id, answer)


def _parts(day: date) -> dict[str, str]:
    return {"day": str(day.day), "month": str(day.month), "year": str(day.year)}


# --- prompts -------------------------------------------------------------------------------------------------------


def waiting(on: date, catalogue: Catalogue) -> list[int]:
    """The certificates that end in the time in which any scheme prompts, by id: their holders may have to be told now."""
    schemes = [one.template for one in catalogue.schemes.values()]
    longest = max((months for one in schemes for months in one.renewal.get("remind_months", ())), default=0)
    found = select(RegisterEntry.id).where(
        RegisterEntry.kind == "certificate",
        RegisterEntry.valid_until >= on,
        RegisterEntry.valid_until <= on + timedelta(days=31 * longest),
        entries.stands(),
    )
    return list(session.scalars(found.order_by(RegisterEntry.id)))


def prompt(entry: RegisterEntry, on: date, catalogue: Catalogue) -> bool:
    """Tells the holder that the certificate is about to end, once for each number of months that a scheme names.

    Once too when its last day is corrected: only a day that is more than a month off is another end to be told of.
    Not to who submitted already, has a following certificate, or whose account is closed. Tells whether it was told.
    """
    account = entry.account
    last = entries.last_certificate(entries.of(account))
    if not account.is_active or last is None or last.id != entry.id:
        return False
    told = False
    for scheme in renewers(entry, on, catalogue):
        steps = scheme.renewal["remind_months"]
        months = prompt_due(entry.valid_until, steps, on)
        if months is None or mail.was_put(*_told_keys(entry, scheme, [one for one in steps if one <= months])):
            continue
        busy = starting.unfinished(account, scheme.scheme)
        if busy is not None and busy.stage not in OPEN_STAGES:
            continue
        data = {
            "name": account.name,
            "until": entry.valid_until.isoformat(),
            "submit_by": (busy.submit_before if busy else window(entry.valid_until, scheme).closes).isoformat(),
            "dossier": busy.reference if busy else "",
            "link": f"/dossier/{busy.reference}" if busy else f"/dossiers/nieuw?schema={scheme.scheme}",
        }
        key = _prompt_key(account, entry.valid_until, scheme, months)
        told = messages.tell(account, "renewal_prompt", data, key=key) is not None or told
    return told


def _prompt_key(account: Account, until: date, scheme: DossierTemplate, months: int) -> str:
    return f"renewal:{account.id}:{until}:{scheme.scheme}:{months}"


def _told_keys(entry: RegisterEntry, scheme: DossierTemplate, steps: Sequence[int]) -> list[str]:
    """The keys of prompts that told of this end already, at one of these steps: with this last day or one close to it."""
    days = [entry.valid_until + timedelta(days=off) for off in range(-SAME_END, SAME_END + 1)]
    return [_prompt_key(entry.account, until, scheme, months) for until in days for months in steps]


def beside(dossier: Dossier) -> dict[str, Text]:
    """What the register says now about the questions of a dossier that it answers: ``section.question`` -> words."""
    scheme = stored_templates.get(dossier.template_sha256)
    entry = held(dossier.owner, scheme, submission.today()) if scheme.holder else None
    if entry is None:
        nothing = both("Niets over deze persoon")
        return {scheme.holder[key]: nothing for key in ("number", "period") if scheme.holder.get(key)}
    start, until = entries.day_words(entry.valid_from), entries.day_words(entry.valid_until)
    said = {
        "number": dict.fromkeys(("nl", "en"), entry.number),
        "period": both("%(start)s tot en met %(until)s", start=start, until=until),
    }
    return {scheme.holder[key]: words for key, words in said.items() if scheme.holder.get(key)}
