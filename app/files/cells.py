"""Tables for spreadsheet programs, in which no cell can be a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

import xlsxwriter

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
Cell = str | int | date | None
LONGEST_CELL = 32_767  # of Excel


def neutral(text: str) -> str:
    """``text`` with an apostrophe in front where a spreadsheet could take it for a formula, and without NUL."""
    shown = text.replace("\0", "")
    return f"'{shown}" if text.lstrip(" ").startswith(STARTS_A_FORMULA) else shown


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows as CSV (RFC 4180) in UTF-8 with a byte order mark, for Excel; every cell neutral and quoted, dates as 2026-11-21."""
    target = io.StringIO(newline="")
    csv.writer(target, quoting=csv.QUOTE_ALL).writerows([_text(cell) for cell in row] for row in rows)
    return target.getvalue().encode("utf-8-sig")


def xlsx_bytes(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows as an Excel sheet with a fixed, bold head. Numbers and dates keep their kind; texts are texts, and neutral
    besides, because they may leave the sheet as CSV one day.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet, bold, day = book.add_worksheet(), book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        for column, title in enumerate(head):
            sheet.write_string(0, column, neutral(title), bold)
            sheet.set_column(column, column, max(12, min(40, len(title) + 4)))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                elif isinstance(cell, int):
                    sheet.write_number(number, column, cell)
                elif cell:
                    sheet.write_string(number, column, neutral(cell)[:LONGEST_CELL])
    return target.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell) if isinstance(cell, int) else neutral(cell)
