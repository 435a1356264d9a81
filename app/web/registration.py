"""A person's entries in the register in words: for the person and for the office."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from flask import url_for

from app.accounts.models import Account
from app.dossiers import starting, submission
from app.register import entries, renewals
from app.register.models import RegisterEntry
from app.schemes import versions
from app.schemes.model import DossierTemplate
from app.texts import both, pick
from app.web.dates import day, stamp
from app.web.language import current_language
from app.web.parts import installation

STATES = {
    "now": (both("Geldig"), "green"),
    "later": (both("Gaat nog in"), "blue"),
    "over": (both("Verlopen"), ""),
    "replaced": (both("Verbeterd"), ""),
    "void": (both("Telt niet"), ""),
}


def title_of(entry: RegisterEntry, language: str) -> str:
    """What an entry is for; its code when that scheme or plugin is gone."""
    scope = entries.scopes(installation().catalogue).get(entry.scope)
    return pick(scope.title, language) if scope else entry.scope


def entry_words(entry: RegisterEntry, language: str, *, replaced: bool = False) -> dict[str, Any]:
    """One entry for a page: ``title``, ``number``, ``period``, ``level``, ``state`` (words) with its ``kind``."""
    today = submission.today()
    if replaced:
        state = "replaced"
    elif entry.is_void:
        state = "void"
    elif entry.valid_from > today:
        state = "later"
    else:
        state = "now" if today <= entry.valid_until else "over"
    words, kind = STATES[state]
    return {
        "entry": entry,
        "title": title_of(entry, language),
        "number": entry.number,
        "period": period_words(entry.valid_from, entry.valid_until, language),
        "accredited": accredited_words(entry, language),
        "level": both("Vroeger niveau %(level)s", level=entry.former_level)[language] if entry.former_level else "",
        "state": pick(words, language),
        "kind": kind,
    }


def period_words(start: date, until: date, language: str) -> str:
    """``2 maart 2023 tot en met 1 maart 2027``."""
    return both("%(start)s tot en met %(until)s", start=day(start), until=day(until))[language]


def accredited_words(entry: RegisterEntry, language: str) -> str:
    """``Geaccrediteerd door … van … tot en met …``; nothing for a certificate that never was."""
    days = entries.accredited_days(entry, installation().catalogue)
    if days is None:
        return ""
    first, last, body = days
    return both("Geaccrediteerd door %(body)s: %(start)s tot en met %(until)s", body=body, start=day(first), until=day(last))[
        language
    ]


def history_words(account: Account) -> list[dict[str, Any]]:
    """Everything that was recorded of a person, for the office: what stands first, each with who recorded it, and why."""
    language = current_language()
    everything = entries.history(account)
    replaced = {one.replaces_id for one in everything}
    found = []
    for one in sorted(everything, key=lambda one: (one.is_void or one.id in replaced, -one.valid_until.toordinal(), one.kind)):
        by = both("%(when)s door %(name)s", when=stamp(one.recorded_at), name=one.recorded_by.name if one.recorded_by else "")
        from_file = both("%(when)s uit een bestand", when=stamp(one.recorded_at))
        found.append(
            {
                **entry_words(one, language, replaced=one.id in replaced),
                "recorded": pick(by if one.recorded_by else from_file, language),
                "stands": not one.is_void and one.id not in replaced,
            }
        )
    return found


def own(account: Account) -> dict[str, Any] | None:
    """One's own place in the register for a page; ``None`` without any entry."""
    standing: Sequence[RegisterEntry] = entries.of(account)
    last = entries.last_certificate(standing)
    if last is None:
        return None
    language, today = current_language(), submission.today()
    shown = entries.certificate(standing, today) or last
    beside = [
        one
        for one in standing
        if one.kind == "specialisation" and shown.valid_from <= one.valid_from and one.valid_until <= shown.valid_until
    ]
    return {
        "certificate": entry_words(shown, language),
        "specialisations": [entry_words(one, language) for one in beside],
        "next": entry_words(last, language) if last.id != shown.id else None,
        "deeds": [deed_words(account, standing, scheme, last) for scheme in _for_holders(last)],
    }


def _for_holders(entry: RegisterEntry) -> Iterator[DossierTemplate]:
    """The schemes in effect today that are for holders of this certificate: to renew it, or to add to it."""
    catalogue, today = installation().catalogue, submission.today()
    for name in sorted({name for name, _ in catalogue.schemes}):
        scheme = versions.in_effect(catalogue.templates(name), today)
        if scheme is not None and entry.scope in scheme.holder.get("of", ()):
            yield scheme


def deed_words(
    account: Account, standing: Sequence[RegisterEntry], scheme: DossierTemplate, last: RegisterEntry
) -> dict[str, Any]:
    """What somebody can do now with a scheme for holders: ``text``, maybe ``title``, and ``href`` with ``label`` to go on."""
    language = current_language()
    busy = starting.unfinished(account, scheme.scheme)
    if busy is not None:
        href = url_for("candidate.tasks", reference=busy.reference)
        words = both("%(title)s: u bent ermee bezig in dossier %(reference)s.", title=scheme.title, reference=busy.reference)
        return {"text": words[language], "href": href, "label": both("Ga naar uw dossier")[language]}
    told = start_words(standing, scheme)
    if told is None:
        return {"text": pick(scheme.title, language), "href": "", "label": ""}
    if told["blocked"]:
        return {"title": told["title"], "text": told["text"], "href": told["href"], "label": told["label"]}
    href = url_for("candidate.start", schema=scheme.scheme)
    title = told["title"] if scheme.renewal else ""
    return {"title": title, "text": told["text"], "href": href, "label": pick(scheme.title, language)}


def start_words(standing: Sequence[RegisterEntry], scheme: DossierTemplate) -> dict[str, Any] | None:
    """What the register means for starting a dossier of this scheme: ``kind`` of note, ``title``, ``text``, ``blocked``, and
    ``href`` with ``label`` for what one can do instead. ``None`` for a scheme that is not for holders.
    """
    if not scheme.holder:
        return None
    language, today = current_language(), submission.today()
    entry = renewals.held_of(standing, scheme, today)
    told: dict[str, Any] = {"blocked": False, "href": "", "label": ""}
    if entry is None:
        text = both("U kunt gewoon beginnen. Uw registernummer en de looptijd van uw certificaat vult u zelf in.")
        title = both("Uw certificaat staat nog niet in ons register")
        return told | {"kind": "info", "title": title[language], "text": text[language]}
    window = renewals.window(entry.valid_until, scheme)
    state, until = window.state(today), day(entry.valid_until)
    if state == "expired":
        kind, title, text = "warn", both("Uw certificaat is verlopen"), dict(renewals.expired_words(entry))
        after = installation().catalogue.templates(scheme.holder.get("after_expiry", ""))
        instead = versions.in_effect(after, today)
        told["blocked"] = True
        if instead is not None:
            label = both("Begin met: %(title)s", title=instead.title)
            told |= {"href": url_for("candidate.start", schema=instead.scheme), "label": label[language]}
    elif not scheme.renewal:
        kind, title = "info", both("Uw certificaat loopt tot en met %(until)s", until=until)
        text = both("Wat u nu toevoegt, loopt tot dezelfde dag. Daarna gaat het mee in uw hercertificering.")
    elif state == "early":
        kind, title = "info", both("U kunt vanaf %(opens)s hercertificeren", opens=day(window.opens))
        text = both(
            "Uw certificaat loopt tot en met %(until)s. U mag nu al beginnen. Wat u in de laatste maanden van uw certificaat "
            "doet, staat er dan nog niet in.",
            until=until,
        )
    elif state == "open":
        kind, title = "ok", both("U kunt nu hercertificeren")
        text = both("Uw certificaat loopt tot en met %(until)s. Dien uw dossier uiterlijk die dag in.", until=until)
    else:
        kind, title = "warn", both("Uw certificaat is verlopen")
        text = both(
            "Het liep tot en met %(until)s. U kunt nog hercertificeren als u begint vóór of op %(closes)s.",
            until=until,
            closes=day(window.closes),
        )
    return told | {"kind": kind, "title": title[language], "text": text[language]}


def held_now(standing: Sequence[RegisterEntry]) -> dict[str, str]:
    """The specialisations that somebody holds today, each with its last day in words."""
    return {one.scope: day(one.valid_until) for one in entries.held_beside(standing, submission.today())}
