"""An existing register from a CSV file: all of it or, while anything in it is wrong, nothing. Twice is as once.

The first line names the columns, in any order: ``email`` (of an account that is there), ``number``, ``scope``, ``valid_from``,
``valid_until`` and, if there were levels, ``former_level``. Days are written 2027-03-01 or 1-3-2027.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from app.accounts import registration
from app.accounts.models import Account
from app.errors import DomainError, InvalidInput
from app.register import entries
from app.register.entries import Doubt, Line
from app.register.models import RegisterEntry
from app.schemes.loader import Catalogue

NEEDED = ("email", "number", "scope", "valid_from", "valid_until")
COLUMNS = (*NEEDED, "former_level")
MOST_BYTES = 20_000_000
DUTCH_DAY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")


@dataclass(frozen=True)
class Problem:
    """What is wrong, for whoever runs the command, in English. ``line`` counts as in an editor; ``column`` is its name."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.text}" if self.column else f"line {self.line}: {self.text}"


@dataclass
class Outcome:
    """``added`` entries were new, ``known`` stood there already. ``remarks`` stop nothing, ``problems`` everything."""

    added: int = 0
    known: int = 0
    remarks: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Row:
    line: int
    account: Account
    entry: Line


def run(path: Path, catalogue: Catalogue) -> Outcome:
    """Records what the file says in the caller's transaction, which is to be rolled back when there are problems."""
    outcome = Outcome()
    rows = _read(path, outcome.problems)
    known = entries.scopes(catalogue)

    def order(row: _Row) -> tuple[bool, date]:
        """Certificates before the specialisations that need one, and each after the one it follows."""
        scope = known.get(row.entry.scope)
        return (scope is not None and scope.kind == "specialisation", row.entry.valid_from)

    for row in sorted(rows, key=order):
        try:
            made = _record(row, catalogue, outcome.remarks)
        except DomainError as refusal:
            outcome.problems.append(Problem(row.line, refusal.details.get("field", ""), refusal.text["en"]))
        else:
            outcome.added += made is not None
            outcome.known += made is None
    outcome.problems.sort(key=lambda one: one.line)
    outcome.remarks.sort(key=lambda one: one.line)
    return outcome


def _record(row: _Row, catalogue: Catalogue, remarks: list[Problem]) -> RegisterEntry | None:
    """What the office would have to confirm is recorded as the file has it, and told."""
    try:
        return entries.record(row.account, row.entry, catalogue=catalogue, by=None)
    except InvalidInput as refusal:
        doubt: Doubt | None = refusal.details.get("doubt")
        if doubt is None:
            raise
        remarks.append(Problem(row.line, "number", doubt.text["en"]))
        return entries.record(row.account, row.entry, catalogue=catalogue, by=None, confirmed=[doubt.key])


def _read(path: Path, problems: list[Problem]) -> list[_Row]:
    """The rows that can be read; what is wrong with the others goes to ``problems``."""
    data = path.read_bytes()[: MOST_BYTES + 1]
    if len(data) > MOST_BYTES:
        problems.append(Problem(1, "", f"the file is larger than {MOST_BYTES} bytes"))
        return []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(Problem(data[: error.start].count(b"\n") + 1, "", "the file is not in UTF-8; save it as CSV UTF-8"))
        return []
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
    rows: list[_Row] = []
    try:
        head = [name.strip().lower() for name in next(lines, [])]
        if not _is_head(head, problems):
            return []
        before = lines.line_num
        for cells in lines:
            line, before = before + 1, lines.line_num
            if any(cell.strip() for cell in cells):
                row = _row(line, head, cells, problems)
                rows += [row] if row else []
    except csv.Error as error:
        problems.append(Problem(lines.line_num, "", f"this is no CSV: {error}"))
    return rows


def _is_head(head: Sequence[str], problems: list[Problem]) -> bool:
    missing = [name for name in NEEDED if name not in head]
    strange = [name for name in head if name not in COLUMNS]
    twice = sorted({name for name in head if head.count(name) > 1})
    if missing:
        problems.append(Problem(1, "", f"these columns are missing: {', '.join(missing)}"))
    if strange:
        problems.append(Problem(1, "", f"unknown columns: {', '.join(map(repr, strange))}; allowed are {', '.join(COLUMNS)}"))
    if twice:
        problems.append(Problem(1, "", f"these columns are there twice: {', '.join(twice)}"))
    return not (missing or strange or twice)


def _row(line: int, head: Sequence[str], cells: Sequence[str], problems: list[Problem]) -> _Row | None:
    if len(cells) != len(head):
        problems.append(Problem(line, "", f"found {len(cells)} cells; needed are {len(head)}"))
        return None
    found = {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
    days = {name: _day(found[name]) for name in ("valid_from", "valid_until")}
    account = registration.find(found["email"].casefold())
    for name, day in days.items():
        if day is None:
            problems.append(Problem(line, name, f"found {found[name]!r}; needed is a day such as 2027-03-01"))
    if account is None:
        problems.append(
            Problem(line, "email", f"there is no account with the address {found['email']!r}; invite this person first")
        )
    start, until = days["valid_from"], days["valid_until"]
    if account is None or start is None or until is None:
        return None
    entry = Line(found["number"], found["scope"], start, until, found.get("former_level", "").upper())
    return _Row(line, account, entry)


def _day(text: str) -> date | None:
    try:
        if dutch := DUTCH_DAY.fullmatch(text):
            return date(int(dutch[3]), int(dutch[2]), int(dutch[1]))
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
