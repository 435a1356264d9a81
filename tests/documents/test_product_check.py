import dataclasses
import shutil
from pathlib import Path
from zipfile import ZipFile

import assembled
import pikepdf
import pytest
from pikepdf import Name

from app.documents import product_check
from app.documents.outline import Outline
from app.errors import SealingFailed
from app.plugin_api import Paragraph, Run


def refused(pdf: Path, document: Outline | None = None) -> str:
    with pytest.raises(SealingFailed) as failure:
        product_check.check_pdf(pdf, document or assembled.sample().outline)
    assert failure.value.details["step"] == "check"
    return failure.value.text["nl"]


def with_changed_part(document: Outline, title: str, text: str) -> Outline:
    """The outline with one more sentence in a part, which the product then lacks."""
    chapters = tuple(
        dataclasses.replace(
            chapter,
            parts=tuple(
                dataclasses.replace(part, blocks=(*part.blocks, Paragraph((Run(text),)))) if part.title == title else part
                for part in chapter.parts
            ),
        )
        for chapter in document.chapters
    )
    return dataclasses.replace(document, chapters=chapters)


def test_check_pdf_passes_the_whole_product_and_counts_its_pages() -> None:
    products = assembled.sample()
    assert product_check.check_pdf(products.pdf, products.outline) == products.pages


def test_check_pdf_misses_a_sentence(tmp_path: Path) -> None:
    products = assembled.sample()
    changed = with_changed_part(products.outline, "Plan en keuze van werkwijze", "Deze zin staat er niet in.")
    assert "3.2 Plan en keuze van werkwijze – Bewijsstukken bij deze casus" in refused(products.pdf, changed)


def test_check_pdf_misses_a_sign() -> None:
    products = assembled.sample()
    changed = with_changed_part(products.outline, "Plan en keuze van werkwijze", "♞")
    assert "verkeerd: ♞." in refused(products.pdf, changed)


def test_check_pdf_misses_a_page_of_an_appendix(tmp_path: Path) -> None:
    with pikepdf.open(assembled.sample().pdf) as pdf:
        del pdf.pages[-4]
        pdf.save(tmp_path / "short.pdf")
    assert "verkeerd: Bijlage 4: Casus مرحبا, verslag: 5 pagina." in refused(tmp_path / "short.pdf")


def test_check_pdf_sees_pages_of_appendices_in_the_wrong_order(tmp_path: Path) -> None:
    with pikepdf.open(assembled.sample().pdf) as pdf:
        kids = list(pdf.Root.Pages.Kids)
        kids[-3], kids[-4] = kids[-4], kids[-3]
        pdf.Root.Pages.Kids = pikepdf.Array(kids)
        pdf.save(tmp_path / "swapped.pdf")
    assert "Bijlage 4: Casus مرحبا, verslag: blad 4; Bijlage 4: Casus مرحبا, verslag: blad 5" in refused(tmp_path / "swapped.pdf")


def test_check_pdf_misses_a_page_with_answers(tmp_path: Path) -> None:
    with pikepdf.open(assembled.sample().pdf) as pdf:
        del pdf.pages[10]
        pdf.save(tmp_path / "gap.pdf")
    assert "pagina" in refused(tmp_path / "gap.pdf")


def test_check_pdf_misses_bookmarks(tmp_path: Path) -> None:
    with pikepdf.open(assembled.sample().pdf) as pdf:
        with pdf.open_outline() as contents:
            del contents.root[-1].children[2]
        pdf.save(tmp_path / "bookmarks.pdf")
    assert "bookmark: Bijlage 3: Deelnamebewijs Wet verbetering poortwachter" in refused(tmp_path / "bookmarks.pdf")


def test_check_pdf_misses_links(tmp_path: Path) -> None:
    with pikepdf.open(assembled.sample().pdf) as pdf:
        for page in pdf.pages:
            if Name.Annots in page.obj:
                del page.obj.Annots
        pdf.save(tmp_path / "links.pdf")
    assert "link: Bijlage 1: Curriculum vitae; link: Bijlage 2" in refused(tmp_path / "links.pdf")


def test_check_pdf_misses_the_mark_of_a_demo() -> None:
    products = assembled.sample()
    assert "GEHEIM: pagina 1" in refused(products.pdf, dataclasses.replace(products.outline, mark="GEHEIM"))


def test_check_docx_passes_the_whole_product() -> None:
    products = assembled.sample()
    product_check.check_docx(products.docx, products.outline)


def test_check_docx_misses_an_answer_and_a_bookmark(tmp_path: Path) -> None:
    products = assembled.sample()
    shutil.copyfile(products.docx, tmp_path / "whole.docx")
    with ZipFile(tmp_path / "whole.docx") as package, ZipFile(tmp_path / "less.docx", "w") as less:
        for name in package.namelist():
            data = package.read(name)
            if name == "word/document.xml":
                data = data.replace(b"24,5 uur", b"").replace(b'w:name="_Toc_bijlage_2"', b'w:name="elsewhere"')
            less.writestr(name, data)
    with pytest.raises(SealingFailed) as failure:
        product_check.check_docx(tmp_path / "less.docx", products.outline)
    assert "2.1 Uw praktijk – Hoeveel uren per week begeleidt u cliënten?; link to _Toc_bijlage_2" in failure.value.text["nl"]


def test_a_word_that_a_page_cuts_in_two_is_found() -> None:
    """A label of a table row that runs on: the value stands between the two pieces of the word."""
    read = "actsinaccor" + "1Disagree" + "dancewiththecode"
    assert product_check._found("acts in accordance with the code", read, 0) == len(read)
    assert product_check._found("acts in agreement with the code", read, 0) is None
