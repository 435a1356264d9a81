"""Tables for spreadsheet programs, in which no cell can be a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def neutral(text: str) -> str:
    """``text`` with an apostrophe in front where a spreadsheet could take it for a formula, and without NUL."""
    shown = text.replace("\0", "")
    return f"'{shown}" if text.lstrip(" ").startswith(STARTS_A_FORMULA) else shown


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV (RFC 4180) in UTF-8 with a byte order mark, for Excel; every cell neutral and quoted."""
    target = io.StringIO(newline="")
    csv.writer(target, quoting=csv.QUOTE_ALL).writerows([neutral(cell) for cell in row] for row in rows)
    return target.getvalue().encode("utf-8-sig")
