"""Names in other scripts, endless words, long tables, no appendices and forty: nothing may fall out of the documents."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from zipfile import ZipFile

import assembled
import docx as python_docx
import odd_dossier
import pypdf
import pypdfium2
import pytest
import shipped_dossiers
from assembled import Products
from docx.oxml.ns import qn

from app.documents import glyphs, product_check

MARGIN = 595 - 69  # points: 25 mm, and the frame of a page mark


@cache
def odd(evidence: int = odd_dossier.APPENDICES) -> Products:
    folder = Path(mkdtemp(prefix="odd-dossier-"))
    content = odd_dossier.snapshot(evidence=evidence)
    return assembled.assemble(content, shipped_dossiers.evidence_files(folder, content), folder / "products")


@pytest.mark.parametrize("evidence", [0, 40])
def test_odd_documents_hold_all_that_was_submitted(evidence: int) -> None:
    products = odd(evidence)
    assert product_check.check_pdf(products.pdf, products.outline) == products.pages
    product_check.check_docx(products.docx, products.outline)


def test_names_of_every_script_are_read_back_in_their_own_order(tmp_path: Path) -> None:
    """By poppler, which knows about directions of writing; only what no font has became a box, and that is told."""
    subprocess.run(["pdftotext", "-l", "30", odd().pdf, tmp_path / "text"], check=True, timeout=120)
    text = " ".join((tmp_path / "text").read_text().translate(dict.fromkeys(map(ord, "\u202a\u202b\u202c"))).split())
    for name in (odd_dossier.NAME, *odd_dossier.NAMES.values()):
        shown, replaced = glyphs.printable(name)
        assert replaced == frozenset(name if name == odd_dossier.NAMES["no glyph"] else "")
        assert all(word in text for word in shown.replace("(", " ").replace(")", " ").split() if not _stacked(word)), name


def _stacked(word: str) -> bool:
    """Readers put a space behind accents that no single character has."""
    return any(glyphs.unicodedata.combining(one) for one in glyphs.unicodedata.normalize("NFKC", word))


def test_nothing_runs_off_the_page() -> None:
    with pypdfium2.PdfDocument(odd().pdf) as document:
        for index in range(1, 29):
            picture = document[index].render(scale=0.5).to_pil().convert("L").point(lambda shade: 255 if shade < 200 else 0)
            assert picture.getbbox()[2] * 2 <= MARGIN, index + 1


def test_a_long_table_repeats_its_header_on_every_page() -> None:
    pages = [page.extract_text() for page in pypdf.PdfReader(odd().pdf).pages[2:12]]
    rows = [text.count("maart 2026") for text in pages]
    assert sum(rows) == odd_dossier.LONG_TABLE
    assert all("Activiteit" in text for text, count in zip(pages, rows, strict=True) if count)
    assert sum(count > 0 for count in rows) >= 3


def test_no_page_holds_a_title_alone() -> None:
    """Every page of the authored part has at least a few lines; the last page of a chapter may be short."""
    reader = pypdf.PdfReader(odd(0).pdf)
    lines = [len(page.extract_text().splitlines()) for page in reader.pages[1:]]
    assert min(lines) >= 6  # head and foot are two of them


def test_contents_list_names_every_appendix_once_with_its_page() -> None:
    reader = pypdf.PdfReader(odd().pdf)
    found = [
        reader.get_destination_page_number(item) + 1
        for item in product_check._flat(reader.outline)
        if item.title.startswith("Bijlage ")
    ]
    assert len(found) == odd_dossier.APPENDICES
    contents = reader.pages[1].extract_text().split("8 Bijlagen")[1]
    assert all(f" {page}" in contents or contents.endswith(str(page)) for page in found)


def test_docx_separates_by_white_and_not_by_empty_paragraphs() -> None:
    """An empty paragraph stands only between two tables, which would else become one, and behind the last."""
    body = python_docx.Document(str(odd().docx)).element.body
    elements = list(body)
    for before, element, after in zip(elements, elements[1:], elements[2:], strict=False):
        if element.tag == qn("w:p") and not "".join(element.itertext()).strip():
            assert before.tag == qn("w:tbl")
            assert after.tag in (qn("w:tbl"), qn("w:sectPr"))
    with ZipFile(odd().docx) as package:
        assert b"updateFields" not in package.read("word/settings.xml")
