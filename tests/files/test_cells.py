"""Cells that a spreadsheet cannot take for formulas."""

import csv
import io
import re
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.files.cells import csv_bytes, neutral, xlsx_bytes


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_neutral_r18_puts_an_apostrophe_before_what_could_be_a_formula(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"
    assert neutral(f"  {start}1") == f"'  {start}1"


def test_neutral_r18_leaves_nul_out_and_other_text_as_it_is() -> None:
    assert neutral("\0=1") == "'=1"
    assert [neutral(text) for text in ("", "Sanne de Vries", "a=b", "3-4", "’t Hart")] == [
        "",
        "Sanne de Vries",
        "a=b",
        "3-4",
        "’t Hart",
    ]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2), max_size=4))
def test_csv_r18_reads_back_as_the_same_cells_and_none_is_a_formula(rows: list[list[str]]) -> None:
    text = csv_bytes(rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [[neutral(cell) for cell in row] for row in rows]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0")) for row in read for cell in row)


def test_xlsx_has_texts_as_texts_and_numbers_and_dates_as_such() -> None:
    data = xlsx_bytes(["Naam", "=Dagen"], [["=HYPERLINK(1)", 12], [None, date(2026, 11, 21)]])
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet, words = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert re.findall(r"<t>(.*?)</t>", words) == ["Naam", "'=Dagen", "'=HYPERLINK(1)"]
    assert re.findall(r'r="B2"><v>(.*?)<', sheet) == ["12"]
    assert re.findall(r'r="B3" s="2"><v>(.*?)<', sheet) == ["46347"]


def test_csv_writes_numbers_and_dates_plainly() -> None:
    assert csv_bytes([["-1", -1, None, date(2026, 11, 21)]]).decode("utf-8-sig") == '"\'-1","-1","","2026-11-21"\r\n'
