"""Recording in the register, and asking it: who holds what on which day. A correction adds an entry; nothing is changed.

An entry stands as long as no later one replaces it and it is not void itself. Only what stands counts.

A correction never leaves others behind: specialisations that outlive their certificate are shortened or made void along with it,
once that is confirmed, and a certificate that still has to begin after it is to be made void first. What is confirmed is a
key of ``Doubt``: it names exactly what was shown, so that nobody agrees to something else.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from app import audit
from app.accounts.models import Account
from app.accounts.registration import visible
from app.dossiers.answers import checked
from app.dossiers.submission import today
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, Text
from app.extensions import session
from app.register.models import LEVELS, RegisterEntry
from app.schemes import spans, versions
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate, EarlierVersion
from app.texts import LANGUAGES, both

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,19}")
MOST_YEARS = 10  # a longer one is a slip of the pen
FIRST_DAY = date(1980, 1, 1)  # an earlier one too
MAX_REASON = 2000


@dataclass(frozen=True)
class Scope:
    """What an entry can be for: ``kind`` is "certificate" (a scheme) or "specialisation" (a plugin)."""

    kind: str
    title: Text


@dataclass(frozen=True)
class Line:
    """What is to be recorded of one person; ``valid_until`` is the last day."""

    number: str
    scope: str
    valid_from: date
    valid_until: date
    former_level: str = ""


@dataclass(frozen=True)
class Doubt:
    """Something that may be meant, but is only done once it is confirmed: by its ``key``."""

    key: str
    text: Text


# --- asking --------------------------------------------------------------------------------------------------------


def of(account: Account) -> Sequence[RegisterEntry]:
    """The entries of a person that stand, the one that ends last first."""
    return session.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.account_id == account.id, stands())
        .order_by(RegisterEntry.valid_until.desc(), RegisterEntry.kind, RegisterEntry.scope)
    ).all()


def history(account: Account) -> Sequence[RegisterEntry]:
    """Everything that was ever recorded of a person, the newest first: also what was replaced since."""
    return session.scalars(
        select(RegisterEntry).where(RegisterEntry.account_id == account.id).order_by(RegisterEntry.id.desc())
    ).all()


def current(account: Account, on: date) -> RegisterEntry | None:
    """The certificate that a person holds on this day."""
    return certificate(of(account), on)


def specialisations(account: Account, on: date) -> list[RegisterEntry]:
    """The specialisations that a person holds on this day; none without a certificate."""
    return held_beside(of(account), on)


def certificate(entries: Iterable[RegisterEntry], on: date) -> RegisterEntry | None:
    """Of the entries of one person (``of``) the certificate that is in force on this day."""
    return next((one for one in entries if one.kind == "certificate" and one.valid_from <= on <= one.valid_until), None)


def held_beside(entries: Sequence[RegisterEntry], on: date) -> list[RegisterEntry]:
    """Of the entries of one person the specialisations that are in force on this day."""
    if certificate(entries, on) is None:
        return []
    return [one for one in entries if one.kind == "specialisation" and one.valid_from <= on <= one.valid_until]


def last_certificate(entries: Iterable[RegisterEntry]) -> RegisterEntry | None:
    """Of the entries of one person (``of``) the certificate that ends last: in force, over, or still to begin."""
    return next((one for one in entries if one.kind == "certificate"), None)


def stands() -> ColumnElement[bool]:
    """The condition that an entry was not replaced and is not void."""
    later = aliased(RegisterEntry)
    return ~RegisterEntry.is_void & ~select(later.id).where(later.replaces_id == RegisterEntry.id).exists()


def scopes(catalogue: Catalogue) -> dict[str, Scope]:
    """What can be recorded: the schemes, then the specialisations, by id, under the title of the newest version.

    A scheme in which one has to choose a plugin gives what the plugin is for, and no certificate of its own.
    """
    names = dict.fromkeys(scheme for scheme, _ in catalogue.schemes)
    newest = {name: catalogue.schemes[name, catalogue.versions(name)[-1]].template for name in names}
    newest = {name: template for name, template in newest.items() if not template.plugin_choice.get("min")}
    plugins = [one for one in catalogue.plugins.values() if one.kind == "specialisation"]
    return {name: Scope("certificate", template.title) for name, template in newest.items()} | {
        plugin.id: Scope("specialisation", plugin.title) for plugin in plugins if plugin.id not in newest
    }


def version_of(scope: str, on: date, catalogue: Catalogue) -> DossierTemplate | EarlierVersion | None:
    """The version of a scheme that a certificate from this day on follows; ``None`` for a specialisation, or before the first."""
    return versions.in_effect(catalogue.ever(scope), on)


def accredited_days(entry: RegisterEntry, catalogue: Catalogue) -> tuple[date, date, str] | None:
    """From when until when a certificate is accredited, and by whom; ``None`` for one that never is."""
    version = version_of(entry.scope, entry.valid_from, catalogue) if entry.kind == "certificate" else None
    days = versions.accredited_days(version, entry.valid_from, entry.valid_until) if version else None
    return (*days, version.accreditation["body"]) if version and days else None


def proposed_until(account: Account, scope: str, start: date, catalogue: Catalogue) -> date | None:
    """The last day of what begins on a day: by the version that applied then, or with the certificate that it stands beside."""
    around = certificate(of(account), start)
    version = version_of(scope, start, catalogue)
    if scopes(catalogue)[scope].kind == "specialisation":
        return around.valid_until if around else None
    return spans.months_after(start, 12 * version.validity_years) - timedelta(days=1) if version else None


# --- recording -----------------------------------------------------------------------------------------------------


def record(
    account: Account, line: Line, *, catalogue: Catalogue, by: Account | None, confirmed: Collection[str] = ()
) -> RegisterEntry | None:
    """A new entry; ``None`` when exactly this stands there already. ``by`` is empty for what comes from a file.

    Raises ``InvalidInput`` (``details['field']``; ``details['doubt']`` is a ``Doubt`` that can be confirmed) for what cannot be
    and ``Forbidden`` for one's own entry.
    """
    return _add(account, line, catalogue=catalogue, by=by, confirmed=confirmed)


def correct(
    entry: RegisterEntry, line: Line, reason: str, *, catalogue: Catalogue, by: Account | None, confirmed: Collection[str] = ()
) -> RegisterEntry | None:
    """A new entry in the place of ``entry``, with why; ``None`` when it says the same. Raises as ``record``, and ``Conflict``
    when ``entry`` was replaced already.
    """
    return _add(entry.account, line, catalogue=catalogue, by=by, confirmed=confirmed, replaces=entry, reason=_reason(reason))


def void(
    entry: RegisterEntry, reason: str, *, catalogue: Catalogue, by: Account, confirmed: Collection[str] = ()
) -> RegisterEntry:
    """Nothing comes in the place of ``entry``: it should not have been there. Raises ``Conflict``, ``Forbidden`` and
    ``InvalidInput`` as ``record``.
    """
    _lock(entry.account, by)
    _still_stands(entry)
    reason = _reason(reason)
    standing = of(entry.account)
    along = _along(standing, [one for one in standing if one.id != entry.id], None, catalogue, confirmed)
    made = _void(entry, reason, by)
    _do_along(along, reason, by)
    return made


def _void(entry: RegisterEntry, reason: str, by: Account | None) -> RegisterEntry:
    made = _in_place_of(entry, reason, by, is_void=True)
    audit.write("register.voided", actor=by or "system", thing=entry.account, entry=entry.id)
    return made


def _in_place_of(entry: RegisterEntry, reason: str, by: Account | None, **changes: Any) -> RegisterEntry:
    same = ("account_id", "number", "kind", "scope", "valid_from", "valid_until", "former_level")
    made = RegisterEntry(
        **{**{name: getattr(entry, name) for name in same}, "is_void": False, **changes},
        replaces_id=entry.id,
        reason=reason,
        recorded_by_id=by.id if by else None,
    )
    session.add(made)
    session.flush()
    return made


def find(account: Account, entry_id: int) -> RegisterEntry:
    """An entry of this person. Raises ``NotFound``."""
    entry = session.get(RegisterEntry, entry_id)
    if entry is None or entry.account_id != account.id:
        raise NotFound(both("Deze regel van het register is er niet."))
    return entry


def _add(
    account: Account,
    line: Line,
    *,
    catalogue: Catalogue,
    by: Account | None,
    confirmed: Collection[str],
    replaces: RegisterEntry | None = None,
    reason: str = "",
) -> RegisterEntry | None:
    _lock(account, by)
    if replaces is not None:
        _still_stands(replaces)
    standing = of(account)
    number = read_number(line.number)
    same = next((one for one in standing if _says(one, line, number)), None)
    if same is not None and (replaces is None or same.id == replaces.id):
        return None
    scope = scopes(catalogue).get(line.scope)
    if scope is None:
        raise InvalidInput(both("Kies een schema of specialisatie uit de lijst."), field="scope")
    others = [one for one in standing if replaces is None or one.id != replaces.id]
    _check(account, line, number, scope, others)
    _ask_number(number, replaces, others, confirmed)
    said = RegisterEntry(kind=scope.kind, scope=line.scope, valid_from=line.valid_from, valid_until=line.valid_until)
    along = _along(standing, [*others, said], said, catalogue, confirmed) if replaces is not None else []
    made = RegisterEntry(
        account_id=account.id,
        number=number,
        kind=scope.kind,
        scope=line.scope,
        valid_from=line.valid_from,
        valid_until=line.valid_until,
        former_level=line.former_level,
        replaces_id=replaces.id if replaces else None,
        reason=reason,
        is_void=False,
        recorded_by_id=by.id if by else None,
    )
    session.add(made)
    session.flush()
    if replaces is not None:
        audit.write("register.corrected", actor=by or "system", thing=account, entry=made.id, replaced=replaces.id)
        _do_along(along, reason, by)
    else:
        audit.write("register.recorded", actor=by or "system", thing=account, entry=made.id)
    return made


def _lock(account: Account, by: Account | None) -> None:
    """One at a time for one person, so that two at once cannot record what overlaps; nobody for himself."""
    if by is not None and by.id == account.id:
        raise Forbidden(both("Dit is uw eigen inschrijving. Een collega legt haar vast."))
    session.execute(select(Account.id).where(Account.id == account.id).with_for_update())


def _still_stands(entry: RegisterEntry) -> None:
    replaced = select(RegisterEntry.id).where(RegisterEntry.replaces_id == entry.id)
    if entry.is_void or session.scalar(replaced) is not None:
        raise Conflict(both("Deze regel is intussen al verbeterd. Hieronder staat hoe het nu is."))


def _says(entry: RegisterEntry, line: Line, number: str) -> bool:
    said = (entry.number, entry.scope, entry.valid_from, entry.valid_until, entry.former_level)
    return said == (number, line.scope, line.valid_from, line.valid_until, line.former_level)


def read_number(typed: str) -> str:
    """A register number as it is kept. Raises ``InvalidInput``."""
    number = " ".join(visible(typed).split())
    if not number:
        raise InvalidInput(both("Vul het registernummer in."), field="number")
    if not NUMBER.fullmatch(number):
        raise InvalidInput(
            both(
                "Een registernummer heeft hoogstens 20 letters, cijfers, punten, streepjes, schuine strepen of spaties, zoals "
                "RL-1234."
            ),
            field="number",
        )
    return number


def _reason(typed: str) -> str:
    reason = str(checked(typed)).strip()
    if not reason:
        raise InvalidInput(both("Schrijf waarom u deze regel verbetert."), field="reason")
    if len(reason) > MAX_REASON:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_REASON), field="reason")
    return reason


def _check(account: Account, line: Line, number: str, scope: Scope, others: Sequence[RegisterEntry]) -> None:
    if line.former_level not in ("", *LEVELS):
        raise InvalidInput(both("Kies een niveau uit de lijst."), field="former_level")
    if line.former_level and scope.kind != "certificate":
        raise InvalidInput(both("Alleen een certificaat kan een vroeger niveau hebben."), field="former_level")
    if line.valid_until < line.valid_from:
        raise InvalidInput(both("De einddatum ligt vóór de begindatum."), field="valid_until")
    if line.valid_until.year - line.valid_from.year > MOST_YEARS:
        raise InvalidInput(both("Dit is langer dan %(n)s jaar. Kijk beide datums na.", n=MOST_YEARS), field="valid_until")
    if line.valid_from < FIRST_DAY:
        raise InvalidInput(
            both("Het jaar %(year)s klopt vast niet. Controleer het jaar.", year=line.valid_from.year), field="valid_from"
        )
    _check_number(account, number)
    if scope.kind == "certificate":
        _check_certificate(line, [one for one in others if one.kind == "certificate"])
    else:
        _check_specialisation(line, others)


def same_number(number: str) -> str:
    """What is the same in RL-9, rl 9 and RL9; between two digits a sign stays, as 1-11 is not 11-1."""
    return re.sub(r"[^a-z0-9]+", lambda sign: "-" if _between_digits(sign) else "", number.lower())


def _between_digits(sign: re.Match[str]) -> bool:
    return sign.string[: sign.start()][-1:].isdigit() and sign.string[sign.end() :][:1].isdigit()


def _check_number(account: Account, number: str) -> None:
    """Nobody else has this number, however it is written."""
    bare: ColumnElement[str] = func.lower(RegisterEntry.number)
    for sign in " ./-":
        bare = func.replace(bare, sign, "")
    alike = (
        select(Account, RegisterEntry.number)
        .join(RegisterEntry, RegisterEntry.account_id == Account.id)
        .where(bare == re.sub(r"[^a-z0-9]", "", number.lower()), RegisterEntry.account_id != account.id, stands())
    )
    for holder, known in session.execute(alike):
        if same_number(known) == same_number(number):
            raise InvalidInput(
                both("%(name)s (%(number)s) heeft dit registernummer al.", name=holder.name, number=holder.number),
                field="number",
            )


def _ask_number(number: str, replaces: RegisterEntry | None, others: Sequence[RegisterEntry], confirmed: Collection[str]) -> None:
    """A person has one number: another one, or the same one written differently, is asked about."""
    known = sorted({one.number for one in others if one.number != number})
    if not known or (replaces is not None and replaces.number == number):
        return
    listed = ", ".join(known)
    text = both(
        "Het registernummer is %(number)s, al staat bij andere regels van deze persoon %(known)s", number=number, known=listed
    )
    _ask(
        Doubt(f"number {number}", text),
        both(
            "Bij andere regels van deze persoon staat het registernummer %(known)s. Schrijf het net zo, of bevestig hieronder "
            "dat %(number)s klopt.",
            known=listed,
            number=number,
        ),
        confirmed,
    )


def _ask(doubt: Doubt, text: Text, confirmed: Collection[str]) -> None:
    if doubt.key not in confirmed:
        raise InvalidInput(text, field="confirmed", doubt=doubt)


# --- what hangs on a certificate -----------------------------------------------------------------------------------


def _is_held(one: RegisterEntry, among: Iterable[RegisterEntry]) -> bool:
    """Whether a specialisation has a certificate around it, and a certificate that still has to begin follows one."""
    certificates = [other for other in among if other.kind == "certificate" and other is not one]
    if one.kind == "specialisation":
        return any(other.valid_from <= one.valid_from and one.valid_until <= other.valid_until for other in certificates)
    return one.valid_from <= today() or any((one.valid_from - other.valid_until).days == 1 for other in certificates)


def _along(
    before: Sequence[RegisterEntry],
    after: Sequence[RegisterEntry],
    said: RegisterEntry | None,
    catalogue: Catalogue,
    confirmed: Collection[str],
) -> list[tuple[RegisterEntry, date | None, date | None]]:
    """What has to be done along with a deed that makes ``after`` of what stands: each entry with its new first and last day, or
    with none for one that no longer counts. ``said`` is what comes in the place of the certificate.

    Raises ``InvalidInput`` for a certificate that follows nothing any more, and until the rest is confirmed.
    """
    left = [one for one in after if one is not said and _is_held(one, before) and not _is_held(one, after)]
    for one in left:
        if one.kind == "certificate":
            raise InvalidInput(
                both(
                    "Het certificaat van %(start)s tot en met %(until)s gaat nog in en volgt dan nergens meer op. Laat eerst dat "
                    "certificaat niet meer tellen. Daarna kunt u het zo nodig opnieuw vastleggen.",
                    start=day_words(one.valid_from),
                    until=day_words(one.valid_until),
                ),
                field="valid_until" if said is not None else "void_reason",
            )
    along: list[tuple[RegisterEntry, date | None, date | None]] = []
    for one in left:
        first = last = None
        if said is not None and said.kind == "certificate":
            first, last = max(one.valid_from, said.valid_from), min(one.valid_until, said.valid_until)
        along.append((one, first, last) if first and last and first <= last else (one, None, None))
    if along:
        named = scopes(catalogue)
        words = [_along_words(named, *each) for each in along]
        listed = {language: "; ".join(text[language] for text in words) for language in LANGUAGES}
        key = "along " + ",".join(f"{one.id}:{first or '-'}:{last or '-'}" for one, first, last in along)
        text = both("Pas ook deze specialisaties aan, met dezelfde reden: %(listed)s", listed=listed)
        shown = both(
            "Bij dit certificaat staan specialisaties die dan niet meer passen: %(listed)s. Bevestig hieronder dat zij mee "
            "veranderen, of verbeter eerst die regels.",
            listed=listed,
        )
        _ask(Doubt(key, text), shown, confirmed)
    return along


def _along_words(named: Mapping[str, Scope], one: RegisterEntry, first: date | None, last: date | None) -> Text:
    title = named[one.scope].title if one.scope in named else one.scope
    if first is None or last is None:
        return both("%(title)s telt niet meer", title=title)
    return both("%(title)s wordt %(start)s tot en met %(until)s", title=title, start=day_words(first), until=day_words(last))


def _do_along(along: Iterable[tuple[RegisterEntry, date | None, date | None]], reason: str, by: Account | None) -> None:
    for one, first, last in along:
        if first is None or last is None:
            _void(one, reason, by)
        else:
            made = _in_place_of(one, reason, by, valid_from=first, valid_until=last)
            audit.write("register.corrected", actor=by or "system", thing=one.account, entry=made.id, replaced=one.id)


# --- what cannot be ------------------------------------------------------------------------------------------------


def _check_certificate(line: Line, others: Iterable[RegisterEntry]) -> None:
    _no_overlap(line, others)
    follows = any((line.valid_from - one.valid_until).days == 1 for one in others)
    if line.valid_from > today() and not follows:
        raise InvalidInput(
            both(
                "De begindatum ligt in de toekomst. Dat kan alleen als dit certificaat meteen volgt op een ander dat in het "
                "register staat."
            ),
            field="valid_from",
        )


def _check_specialisation(line: Line, others: Sequence[RegisterEntry]) -> None:
    around = certificate(others, line.valid_from)
    if around is None:
        raise InvalidInput(
            both("Op de begindatum staat er geen certificaat in het register. Leg eerst het certificaat vast."),
            field="valid_from",
        )
    if line.valid_until > around.valid_until:
        raise InvalidInput(
            both(
                "Een specialisatie loopt niet langer dan het certificaat. Dat loopt tot en met %(until)s.",
                until=day_words(around.valid_until),
            ),
            field="valid_until",
        )
    _no_overlap(line, [one for one in others if one.scope == line.scope])


def _no_overlap(line: Line, others: Iterable[RegisterEntry]) -> None:
    for one in others:
        if line.valid_from <= one.valid_until and one.valid_from <= line.valid_until:
            raise InvalidInput(
                both(
                    "Deze periode valt samen met een regel die er al staat: van %(start)s tot en met %(until)s. Verbeter die "
                    "regel, of kies een andere periode.",
                    start=day_words(one.valid_from),
                    until=day_words(one.valid_until),
                ),
                field="valid_from",
            )


def day_words(day: date) -> Mapping[str, str]:
    """A day in words, in each language."""
    return {language: str(format_date(day, "d MMMM y", locale=language)) for language in LANGUAGES}
