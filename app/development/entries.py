"""Noting, changing, removing and finding entries of somebody's development log, and what is wrong with one.

An entry is kept when it can count: a known kind, a day that is over, a title, and hours that the scheme's table takes. What the
table asks besides (a provider, evidence) may follow later; ``lacking`` names it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from app.accounts.models import Account
from app.development.models import LogEntry, LogFile, LogPeriod
from app.dossiers import starting, submission
from app.dossiers.answers import checked
from app.errors import Conflict, InvalidInput, NotFound, Text
from app.extensions import now, session
from app.plugin_api import Problem
from app.schemes import question_types
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate, LogKind, Question
from app.texts import both, pick

MOST_ENTRIES = 1000
MAX_NOTE = 4000
LENGTHS = {"title": 200, "provider": 200, "hours": 30}


@dataclass(frozen=True)
class Draft:
    """An entry as typed. ``date`` has ``day``, ``month`` and ``year``."""

    kind: str = ""
    option: str = ""
    date: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    hours: str = ""
    provider: str = ""
    note: str = ""


class Clash(Conflict):
    """What was typed and what stands differ. ``draft``: what was typed, with what only changed elsewhere; ``parts``: what stands
    of what changed in both places.
    """

    def __init__(self, text: Text, draft: Draft, parts: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.draft, self.parts = draft, parts or {}


@dataclass(frozen=True)
class Rules:
    """What counts for somebody now: the kinds of entries, and the version of the scheme whose tables they go to."""

    template: DossierTemplate

    @property
    def kinds(self) -> tuple[LogKind, ...]:
        return self.template.development_log

    def kind(self, kind_id: str) -> LogKind | None:
        return next((one for one in self.kinds if one.id == kind_id), None)

    def table(self, kind: LogKind) -> Question:
        return question_of(self.template, kind.table)

    def column(self, kind: LogKind, key: str) -> Mapping[str, Any] | None:
        """The field of the table for ``date``, ``title``, ``hours``, ``kind``, ``provider`` or ``evidence``, if there is one."""
        name = getattr(kind, key)
        return next((one for one in self.table(kind).settings["fields"] if name and one["id"] == name), None)

    def options(self, kind: LogKind) -> Sequence[Mapping[str, Any]]:
        """How a kind is divided: the options of the table's choice, with ``id``, ``label`` and perhaps ``hint``."""
        column = self.column(kind, "kind")
        return column["options"] if column else ()

    def label(self, kind_id: str, option: str) -> Text:
        """What an entry's kind is called; one that the rules do not know (any more) by its code."""
        kind = self.kind(kind_id)
        if kind is None:
            return dict.fromkeys(("nl", "en"), kind_id)
        return next((one["label"] for one in self.options(kind) if one["id"] == option), kind.label)

    def evidence_settings(self, kind: LogKind) -> Mapping[str, Any] | None:
        """The settings of the field or question that takes the files, if there is one."""
        if "." in kind.evidence:
            return question_of(self.template, kind.evidence).settings
        return self.column(kind, "evidence")


def question_of(template: DossierTemplate, name: str) -> Question:
    """The question of ``section.question``, which the loader saw to be there."""
    section_id, _, question_id = name.partition(".")
    section = template.section(section_id)
    question = section.question(question_id) if section else None
    if question is None:
        raise NotFound(both("Deze tabel bestaat niet in dit dossier."))
    return question


def rules_for(owner: Account, catalogue: Catalogue) -> Rules | None:
    """The rules that count for this person today: of the first scheme that knows a log. None when there is none."""
    today = submission.today()
    for scheme in sorted({name for name, _ in catalogue.schemes}):
        if not any(one.development_log for one in catalogue.templates(scheme)):
            continue
        try:
            version = starting.version_for(owner, scheme, today, catalogue)
        except NotFound:
            continue
        template = catalogue.schemes[scheme, version].template
        if template.development_log:
            return Rules(template)
    return None


# --- what is wrong with an entry -----------------------------------------------------------------------------------


def problems(draft: Draft, rules: Rules, today: date) -> list[Problem]:
    """Why this entry cannot be kept as typed, each with the field of ``Draft``."""
    kind = rules.kind(draft.kind)
    found = [Problem(text, field="kind") for text in _kind_problem(draft, rules)]
    if question_types.nothing(draft.date):
        found.append(Problem(both("Vul de datum in."), field="date"))
    else:
        wrong = question_types.BUILT_IN["date"].check(dict(draft.date), {"max": "today", "today": today})
        found += [Problem(one.text, field="date") for one in wrong]
    if question_types.nothing(draft.title):
        found.append(Problem(both("Vul in wat u deed."), field="title"))
    found += _hours_problem(draft.hours)
    for name, most in LENGTHS.items():
        if len(getattr(draft, name)) > most:
            found.append(Problem(both("Kort dit in tot hoogstens %(n)s tekens.", n=most), field=name))
    if len(draft.note) > MAX_NOTE:
        found.append(Problem(both("Kort dit in tot hoogstens %(n)s tekens.", n=MAX_NOTE), field="note"))
    named = {one.field for one in found}
    if kind is not None:
        typed = {"title": draft.title, "hours": draft.hours, "provider": draft.provider}
        for key, value in typed.items():
            column = rules.column(kind, key)
            if column is not None and key not in named and not question_types.nothing(value):
                wrong = question_types.BUILT_IN[column["type"]].check(value, column)
                found += [Problem(one.text, field=key) for one in wrong]
    return found


def _kind_problem(draft: Draft, rules: Rules) -> list[Text]:
    kind = rules.kind(draft.kind)
    options = {one["id"] for one in rules.options(kind)} if kind else set()
    if kind is None or (draft.option not in options if options else draft.option):
        return [both("Kies wat voor activiteit het was.")]
    return []


def _hours_problem(hours: str) -> list[Problem]:
    if question_types.nothing(hours):
        return [Problem(both("Vul in hoeveel uur het duurde."), field="hours")]
    number = question_types.as_number(hours)
    if number is None:
        text = both("Vul alleen een getal in, bijvoorbeeld 2 of 2,5. U vulde in: %(typed)s.", typed=hours.strip()[:40])
        return [Problem(text, field="hours")]
    if number <= 0:
        return [Problem(both("Het aantal uren moet meer zijn dan 0."), field="hours")]
    return []


def lacking(entry: LogEntry, rules: Rules, files: Sequence[LogFile]) -> list[Text]:
    """What a dossier asks of this entry besides: the labels of fields that are still empty."""
    kind = rules.kind(entry.kind)
    if kind is None:
        return []
    row = as_row(entry, kind, [one.id for one in files if one.stage != "refused"])
    return [
        column["label"]
        for column in rules.table(kind).settings["fields"]
        if column.get("required", True) and question_types.nothing(row.get(column["id"]))
    ]


def alike(draft: Draft, day: date | None, mine: Iterable[LogEntry], *, but: int = 0) -> list[LogEntry]:
    """Other entries of the same day and title, those of the same kind first: probably the same thing noted twice."""
    found = [one for one in mine if one.id != but and one.date == day and question_types.alike(one.title, draft.title)]
    return sorted(found, key=lambda one: one.kind != draft.kind)


def of_two_kinds(mine: Sequence[LogEntry]) -> dict[int, LogEntry]:
    """Entries of the same day and title as one of another kind: one event that would count as two things."""
    by_day: dict[date, list[LogEntry]] = {}
    for one in mine:
        by_day.setdefault(one.date, []).append(one)
    return {
        one.id: other
        for one in mine
        for other in by_day[one.date]
        if other.kind != one.kind and question_types.alike(one.title, other.title)
    }


def twice_words(label: Text) -> Text:
    """What to say of one event that stands as two kinds, ``label`` being the other one."""
    return both("Dit staat op dezelfde dag ook bij “%(label)s”. Eén activiteit telt één keer: kies waarvoor.", label=label)


# --- as rows of a dossier's table ----------------------------------------------------------------------------------


def as_row(entry: LogEntry, kind: LogKind, files: Sequence[int] = ()) -> dict[str, Any]:
    """The entry as a row of the table that its kind leads to; ``files`` are ids for the row's evidence field."""
    row: dict[str, Any] = {
        "row": row_id(entry),
        kind.date: {"day": str(entry.date.day), "month": str(entry.date.month), "year": str(entry.date.year)},
        kind.title: entry.title,
        kind.hours: entry.hours,
    }
    if kind.kind:
        row[kind.kind] = entry.option
    if kind.provider:
        row[kind.provider] = entry.provider
    if kind.evidence and "." not in kind.evidence:
        row[kind.evidence] = list(files)
    return row


def row_id(entry: LogEntry) -> str:
    return f"log-{entry.id}"


# --- two windows ---------------------------------------------------------------------------------------------------


def draft_of(entry: LogEntry) -> Draft:
    """The entry as its form shows it."""
    return Draft(
        kind=entry.kind,
        option=entry.option,
        date={"day": str(entry.date.day), "month": str(entry.date.month), "year": str(entry.date.year)},
        title=entry.title,
        hours=entry.hours,
        provider=entry.provider,
        note=entry.note,
    )


def fingerprint(entry: LogEntry) -> str:
    """What an entry says now, for its form to send back: so it can be seen later what was changed here and what elsewhere."""
    return json.dumps(_said(draft_of(entry)), sort_keys=True, ensure_ascii=False)


def _said(draft: Draft) -> dict[str, str]:
    """Each part of a draft as it would be kept."""
    day = question_types.as_date(dict(draft.date))
    texts = {name: _kept(getattr(draft, name)) for name in ("title", "provider", "note")}
    kind = f"{draft.kind}.{draft.option}" if draft.option else draft.kind
    return {**texts, "kind": kind, "date": day.isoformat() if day else "", "hours": draft.hours.strip()}


def merged(entry: LogEntry, draft: Draft, before: str) -> Draft:
    """What was typed, with the parts that only changed elsewhere since ``before``, a ``fingerprint``.

    Raises ``Clash`` when a part was changed to something else in both places.
    """
    newer = draft_of(entry)
    base, stands, typed = _read(before), _said(newer), _said(draft)
    clashing: dict[str, str] = {}
    for part, mine in typed.items():
        if mine == stands[part] or stands[part] == base.get(part):
            continue
        if mine == base.get(part):
            names = ("kind", "option") if part == "kind" else (part,)
            draft = replace(draft, **{name: getattr(newer, name) for name in names})
        else:
            clashing[part] = stands[part]
    if clashing:
        words = both(
            "U hebt deze regel ook ergens anders gewijzigd. Er is niets verloren. Bij elk veld waar het om gaat ziet u wat er nu "
            "staat. Pas aan wat u wilt en sla het opnieuw op."
        )
        raise Clash(words, draft, clashing)
    return draft


def _read(before: str) -> dict[str, str]:
    """What a form sent back; nothing when it is no fingerprint."""
    try:
        found = json.loads(before)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# --- the deeds -----------------------------------------------------------------------------------------------------


def add(owner: Account, draft: Draft, key: str, rules: Rules) -> LogEntry:
    """Keeps a new entry. ``key`` is the form's: the same sent twice is kept once.

    Raises ``InvalidInput``, and ``Clash`` for a form that was kept already with other words, or whose entry was removed.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{8,40}", key):
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    session.get(Account, owner.id, with_for_update=True)  # two windows of one person wait for each other
    known = session.scalar(select(LogEntry).where(LogEntry.owner_id == owner.id, LogEntry.key == key))
    if known is not None:
        _check_same(known, draft)
        return known
    if len(mine := all_of(owner)) >= MOST_ENTRIES:
        raise InvalidInput(both("Uw logboek heeft al %(n)s regels. Verwijder eerst wat u niet meer nodig hebt.", n=len(mine)))
    entry = LogEntry(owner_id=owner.id, key=key)
    _write(entry, draft, rules)
    session.add(entry)
    session.flush()
    return entry


def _check_same(known: LogEntry, draft: Draft) -> None:
    """Refuses a form that was kept already, unless it says what its entry says."""
    if known.removed_at is not None:
        raise Clash(
            both(
                "Dit formulier was al opgeslagen, en die regel hebt u daarna verwijderd. Wat u typte staat hieronder. Sla het "
                "opnieuw op als u het toch wilt bewaren."
            ),
            draft,
        )
    if _said(draft_of(known)) != _said(draft):
        words = both(
            "Dit formulier is al opgeslagen, als “%(title)s”. Wat u nu typte staat hieronder en is nog niet opgeslagen. Is het "
            "iets anders? Sla het dan op: "
            "het wordt een nieuwe regel. Wilde u die regel verbeteren? Wijzig hem dan in uw logboek.",
            title=known.title,
        )
        raise Clash(words, draft)


def change(entry: LogEntry, draft: Draft, rules: Rules, before: str) -> None:
    """Changes what an entry says; ``before`` as for ``merged``. What a dossier took over of it stays as it is there."""
    check_present(entry)
    draft = merged(entry, draft, before)
    _write(entry, draft, rules)
    entry.changed_at = now()


def remove(entry: LogEntry) -> None:
    """Takes an entry out of the log; ``put_back`` is the way back."""
    entry.removed_at = entry.removed_at or now()


def put_back(entry: LogEntry) -> None:
    entry.removed_at = None


def _write(entry: LogEntry, draft: Draft, rules: Rules) -> None:
    wrong = problems(draft, rules, submission.today())
    day = question_types.as_date(dict(draft.date))
    if wrong or day is None:
        raise InvalidInput(wrong[0].text if wrong else both("Vul de datum in."))
    entry.kind, entry.option, entry.date = draft.kind, draft.option, day
    entry.title, entry.hours = _kept(draft.title), draft.hours.strip()
    entry.provider, entry.note = _kept(draft.provider), _kept(draft.note)


def _kept(text: str) -> str:
    return str(checked(text)).strip()


def all_of(owner: Account, *, removed: bool = False) -> list[LogEntry]:
    """The entries of somebody's log, the newest day first; ``removed``: those that he took out."""
    wanted = LogEntry.removed_at.is_not(None) if removed else LogEntry.removed_at.is_(None)
    mine = select(LogEntry).where(LogEntry.owner_id == owner.id, wanted)
    return list(session.scalars(mine.order_by(LogEntry.date.desc(), LogEntry.id.desc())))


def since(owner: Account) -> date | None:
    """The day that somebody named himself as the start of his certificate."""
    found = session.get(LogPeriod, owner.id)
    return found.since if found else None


def set_since(owner: Account, typed: Mapping[str, str]) -> date:
    """Keeps that day. Raises ``InvalidInput`` for none, or one in the future."""
    today = submission.today()
    wrong = question_types.BUILT_IN["date"].check(dict(typed), {"max": "today", "today": today, "min": "1990-01-01"})
    day = question_types.as_date(dict(typed))
    if wrong or day is None:
        raise InvalidInput(wrong[0].text if wrong else both("Vul de datum in."), field="since")
    found = session.get(LogPeriod, owner.id)
    if found is None:
        session.add(LogPeriod(owner_id=owner.id, since=day))
    else:
        found.since = day
    return day


def of_address(entry_id: int) -> LogEntry:
    """The entry that an address names, also one that was removed."""
    entry = session.get(LogEntry, entry_id)
    if entry is None:
        raise NotFound(both("Deze regel is er niet (meer)."))
    return entry


def check_present(entry: LogEntry) -> None:
    """Refuses a change to an entry that was removed in another window."""
    if entry.removed_at is not None:
        raise Conflict(both("Deze regel is uit uw logboek verwijderd. Zet hem eerst terug."))


def shown_title(entry: LogEntry, language: str, rules: Rules | None) -> str:
    """Its title with its kind, for lists and messages."""
    kind = pick(rules.label(entry.kind, entry.option), language) if rules else entry.kind
    return f"{entry.title} ({kind})"
