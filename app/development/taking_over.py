"""Taking entries of the log over into a dossier: as rows of its tables, with their evidence, each entry once for each dossier
as long as its row stands there.

What does not fit is named and stays in the log. Nothing in the log changes; what is changed there later does not reach the row.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.config import Settings
from app.development import entries as log_entries
from app.development import files as log_files
from app.development.counting import Period
from app.development.entries import Rules, as_row, row_id
from app.development.models import LogEntry, LogFile, TakenOver
from app.dossiers import answers
from app.dossiers import evidence as folder
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Evidence, SectionAnswers
from app.errors import Forbidden, Text, TooLarge
from app.extensions import session
from app.schemes import models as stored_templates
from app.schemes import question_types
from app.schemes.model import DossierTemplate, LogKind
from app.texts import both


@dataclass(frozen=True)
class Candidate:
    """An entry that a dossier could take over. ``doubt``: why it is not proposed; it can be chosen all the same."""

    entry: LogEntry
    kind: LogKind
    doubt: Text | None = None


@dataclass
class Outcome:
    """``taken``: the entries that became rows; ``there``: those that were rows already; ``left``: those that did not fit, with
    why; ``notes``: about their files, and what stands elsewhere too.
    """

    there: list[LogEntry] = field(default_factory=list)
    taken: list[LogEntry] = field(default_factory=list)
    left: list[tuple[LogEntry, Text]] = field(default_factory=list)
    notes: list[tuple[LogEntry, Text]] = field(default_factory=list)


def also_elsewhere(template: DossierTemplate, given: Mapping[str, Mapping[str, Any]], table: str) -> dict[str, Text]:
    """Rows of a table that stand, with the same day and title, in the table of another kind of the log too: row id -> words."""
    found: dict[str, Text] = {}
    for own in template.development_log:
        for other in template.development_log:
            if own.table != table or other.table == table:
                continue
            listed = _rows_in(given, other.table)
            for row in _rows_in(given, table):
                typed = [row.get(own.date), row.get(own.title)]
                if question_types.nothing(typed[0]) or question_types.nothing(typed[1]):
                    continue
                if any(_alike(typed, [one.get(other.date), one.get(other.title)]) for one in listed):
                    found[str(row.get("row"))] = log_entries.twice_words(other.label)
    return found


def _rows_in(given: Mapping[str, Mapping[str, Any]], table: str) -> list[Mapping[str, Any]]:
    section_id, _, question_id = table.partition(".")
    return list(given.get(section_id, {}).get(question_id) or [])


def _alike(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(question_types.alike(*pair) for pair in zip(one, other, strict=True))


def rules_of(dossier: Dossier) -> Rules:
    """The kinds of the version that this dossier was started on."""
    return Rules(stored_templates.get(dossier.template_sha256))


def open_dossiers(owner_id: int) -> list[Dossier]:
    """The dossiers of this person that can still take entries over, the newest first."""
    mine = session.scalars(
        select(Dossier).where(Dossier.owner_id == owner_id, Dossier.stage.in_(OPEN_STAGES)).order_by(Dossier.id.desc())
    )
    return [one for one in mine if rules_of(one).kinds]


def taken_by(entries: Collection[LogEntry]) -> dict[int, list[str]]:
    """For each entry that dossiers took over: their references, oldest first."""
    found: dict[int, list[str]] = {}
    rows = session.execute(
        select(TakenOver.entry_id, Dossier.reference)
        .join(Dossier, TakenOver.dossier_id == Dossier.id)
        .where(TakenOver.entry_id.in_([one.id for one in entries]))
        .order_by(TakenOver.at, Dossier.id)
    )
    for entry_id, reference in rows:
        found.setdefault(entry_id, []).append(reference)
    return found


def candidates(dossier: Dossier, period: Period) -> list[Candidate]:
    """The owner's entries that this dossier has a table for and that are no row of it, oldest first."""
    rules, answered = rules_of(dossier), _rows_of(dossier)
    before = _taken_before(dossier)
    mine = log_entries.all_of(dossier.owner)
    two_kinds, places = log_entries.of_two_kinds(mine), [one.id for one in rules.kinds]
    found = []
    for entry in reversed(mine):
        kind = rules.kind(entry.kind)
        if kind is None or _stands(entry, answered[kind.table]):
            continue
        other = rules.kind(two_kinds[entry.id].kind) if entry.id in two_kinds else None
        elsewhere = _elsewhere(entry, kind, rules, answered)
        doubt: Text | None = None
        if not period.holds(entry.date):
            doubt = both("Valt buiten de looptijd van uw certificaat.")
        elif _is_there(entry, kind, answered[kind.table]):
            doubt = both("Staat al in uw dossier.")
        elif entry.id in before:
            doubt = both("U nam dit al eens over en haalde het daarna uit uw dossier.")
        elif elsewhere is not None:
            doubt = log_entries.twice_words(elsewhere.label)
        elif other is not None and places.index(other.id) < places.index(kind.id):  # one of the two is proposed
            doubt = log_entries.twice_words(other.label)
        found.append(Candidate(entry, kind, doubt))
    return found


def period_of(dossier: Dossier, fallback: Period) -> Period:
    """The period that the dossier itself names for the tables that weigh their rows by it; else ``fallback``."""
    template = stored_templates.get(dossier.template_sha256)
    for kind in template.development_log:
        within = log_entries.question_of(template, kind.table).settings.get("within")
        if within:
            section_id, _, name = within["period"].partition(".")
            typed = question_types.as_period(_data_of(dossier, section_id).get(name))
            if typed:
                return Period(*typed, certain=True)
    return fallback


def take_over(dossier: Dossier, ids: Collection[int], settings: Settings) -> Outcome:
    """Makes rows of the owner's entries with these ids, unless they are rows already: asked twice, it is done once.

    Raises ``Forbidden`` once submitted.
    """
    if dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt het niet meer wijzigen."))
    rules, outcome, rows = rules_of(dossier), Outcome(), _rows_of(dossier)
    before = _taken_before(dossier)
    chosen = [one for one in reversed(log_entries.all_of(dossier.owner)) if one.id in ids]
    files = log_files.of_entries(chosen)
    for entry in chosen:
        kind = rules.kind(entry.kind)
        if kind is not None and _stands(entry, rows[kind.table]):
            outcome.there.append(entry)
        elif kind is None:
            outcome.left.append((entry, both("Dit dossier heeft geen plaats voor deze soort.")))
        elif why := _no_room(rows[kind.table], _most_rows(rules, kind)):
            outcome.left.append((entry, why))
        else:
            attached = _take_files(dossier, entry, kind, rules, files.get(entry.id, ()), settings, outcome)
            rows[kind.table].append(_fitting(as_row(entry, kind, attached), kind, rules))
            if entry.id not in before:
                session.add(TakenOver(entry_id=entry.id, dossier_id=dossier.id))
            outcome.taken.append(entry)
            if elsewhere := _elsewhere(entry, kind, rules, rows):
                outcome.notes.append((entry, log_entries.twice_words(elsewhere.label)))
    for table, listed in rows.items():
        section_id, _, question_id = table.partition(".")
        answers.put_answer(dossier, section_id, question_id, listed)
    return outcome


def _rows_of(dossier: Dossier) -> dict[str, list[dict[str, Any]]]:
    """The rows that each table of the log's kinds has now."""
    found = {}
    for kind in rules_of(dossier).kinds:
        section_id, _, question_id = kind.table.partition(".")
        found[kind.table] = list(_data_of(dossier, section_id).get(question_id) or [])
    return found


def _data_of(dossier: Dossier, section_id: str) -> Mapping[str, Any]:
    found = session.get(SectionAnswers, (dossier.id, section_id))
    return found.data if found else {}


def _taken_before(dossier: Dossier) -> set[int]:
    """The entries that this dossier took over once, whatever became of their rows."""
    return set(session.scalars(select(TakenOver.entry_id).where(TakenOver.dossier_id == dossier.id)))


def _stands(entry: LogEntry, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an entry's own row is among these."""
    return any(row.get("row") == row_id(entry) for row in rows)


def _elsewhere(entry: LogEntry, kind: LogKind, rules: Rules, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> LogKind | None:
    """The other kind whose table has a row of that day and title already."""
    others = (one for one in rules.kinds if one.table != kind.table)
    return next((one for one in others if _is_there(entry, one, rows[one.table])), None)


def _is_there(entry: LogEntry, kind: LogKind, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row of that day and title was typed in already."""
    own = as_row(entry, kind)
    return any(question_types.alike(own[kind.date], row.get(kind.date)) and _same_title(own, row, kind) for row in rows)


def _same_title(own: Mapping[str, Any], row: Mapping[str, Any], kind: LogKind) -> bool:
    return isinstance(row.get(kind.title), str) and question_types.alike(own[kind.title], row[kind.title])


def _most_rows(rules: Rules, kind: LogKind) -> int:
    most = (rules.table(kind).settings.get("rows") or {}).get("max")
    return answers.MAX_ROWS if most is None else min(most, answers.MAX_ROWS)


def _no_room(rows: Sequence[Any], most: int) -> Text | None:
    if len(rows) < most:
        return None
    return both("Er passen hoogstens %(n)s regels in deze tabel.", n=most)


def _fitting(row: dict[str, Any], kind: LogKind, rules: Rules) -> dict[str, Any]:
    """The row with an option only if the dossier's own version knows it: else the candidate chooses one there."""
    if kind.kind and row[kind.kind] not in {one["id"] for one in rules.options(kind)}:
        row[kind.kind] = ""
    return row


def _take_files(
    dossier: Dossier,
    entry: LogEntry,
    kind: LogKind,
    rules: Rules,
    files: Sequence[LogFile],
    settings: Settings,
    outcome: Outcome,
) -> list[int]:
    """Puts the entry's files in the dossier's folder and gives the ids for its row; those of a question are put there."""
    asked = rules.evidence_settings(kind)
    taken: list[Evidence] = []
    for one in files:
        if one.stage == "refused":
            continue
        try:
            taken.append(folder.take_over(dossier, one, entry.title, settings))
        except TooLarge as full:
            outcome.notes.append((entry, both("“%(name)s” ging niet mee. %(reason)s", name=one.name, reason=full.text)))
    if asked is None:
        return []
    kinds, most = asked.get("kinds"), (asked.get("files") or {}).get("max")
    fitting = [one.id for one in taken if not kinds or one.kind in kinds]
    there: list[int] = []
    section_id, _, question_id = kind.evidence.partition(".")
    if question_id:
        there = list(_data_of(dossier, section_id).get(question_id) or [])
    room = len(fitting) if most is None else max(most - len(there), 0)
    new = [one for one in fitting if one not in there]
    used = new[:room]
    if len(used) < len(new) or len(fitting) < len(taken):
        outcome.notes.append((entry, both("Niet elk bestand past bij de vraag. De andere staan in uw bewijsmap.")))
    if question_id and used:
        answers.put_answer(dossier, section_id, question_id, [*there, *used])
    return [] if question_id else used
