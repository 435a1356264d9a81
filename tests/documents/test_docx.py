import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import assembled
import docx as python_docx
import pypdf
import sample_dossier
from docx.oxml.ns import qn
from lxml import etree

from app.documents import docx
from app.documents.outline import outline
from app.documents.product_check import _squeezed, expected_texts
from app.plugin_api import ListBlock, Paragraph, Run, Table


def paragraphs(path: Path) -> list[tuple[str, str]]:
    """Style and text of each paragraph, those in tables included, in order."""
    document = python_docx.Document(str(path))
    return [
        (str(one.style.name), one.text)
        for one in (python_docx.text.paragraph.Paragraph(p, document) for p in document.element.body.iter(qn("w:p")))
    ]


def test_docx_gives_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("1.docx", "2.docx"):
        docx.write(assembled.sample().outline, tmp_path / name)
    assert (tmp_path / "1.docx").read_bytes() == (tmp_path / "2.docx").read_bytes()
    with ZipFile(tmp_path / "1.docx") as package:
        assert {item.date_time for item in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [name for name in package.namelist() if "thumbnail" in name or "customXml" in name]


def test_docx_uses_real_styles() -> None:
    found = paragraphs(assembled.sample().docx)
    assert ("Heading 1", "3  Competentiegebieden") in found
    assert ("Heading 2", "3.1  Intake en verhelderen van de vraag") in found
    assert ("Kicker", "Competentiegebied 1 van 6") in found
    assert ("Label", "Welke gesprekken hebt u gevoerd?") in found
    assert ("List Number", "een oud-collega in de zorg;") in found
    assert ("Declaration", "☑\tAlles wat ik heb ingevuld is waar en volledig.") in found
    assert {style for style, _ in found} >= {
        "Title",
        "Subtitle",
        "TOC 1",
        "TOC 2",
        "Cell",
        "Row Header",
        "Signature Name",
        "Notice",
    }


def test_docx_has_a_filled_contents_field_whose_links_lead_somewhere() -> None:
    document = python_docx.Document(str(assembled.sample().docx))
    body = document.element.body
    instructions = [element.text.strip() for element in body.iter(qn("w:instrText"))]
    assert instructions == ['TOC \\o "1-2" \\n \\h \\z']  # no page numbers, also not when Word makes the list anew
    entries = [text for style, text in paragraphs(assembled.sample().docx) if style.startswith("TOC ") and style[-1].isdigit()]
    assert entries[:3] == ["1  Over dit dossier", "2  Uw gegevens en ontwikkeling", "2.1  Uw praktijk"]
    assert entries[-1] == "Bijlage 5: Plattegrond op liggend papier"
    names = [element.get(qn("w:name")) for element in body.iter(qn("w:bookmarkStart"))]
    assert len(names) == len(set(names))
    assert {element.get(qn("w:anchor")) for element in body.iter(qn("w:hyperlink"))} <= set(names)
    with ZipFile(assembled.sample().docx) as package:
        assert b"updateFields" not in package.read("word/settings.xml")  # it would make Word ask a question


def test_docx_numbers_each_list_from_one() -> None:
    document = python_docx.Document(str(assembled.sample().docx))
    used = [element.get(qn("w:val")) for element in document.element.body.iter(qn("w:numId"))]
    lists = list(dict.fromkeys(used))
    assert len(lists) == 12  # two cases in each of six areas
    numbering = document.part.numbering_part.element
    restarts = {
        one.get(qn("w:numId")) for one in numbering if one.find(f"{qn('w:lvlOverride')}/{qn('w:startOverride')}") is not None
    }
    assert set(lists) == restarts


def test_docx_repeats_table_headers_and_says_who_made_it() -> None:
    document = python_docx.Document(str(assembled.sample().docx))
    assert len(list(document.element.body.iter(qn("w:tblHeader")))) == 6
    about = document.core_properties
    assert (about.author, about.title, about.created.isoformat(), about.language) == (
        "Sanne de Vries – محمد",
        "Hercertificering Register Loopbaanprofessional – Sanne de Vries – محمد (HC-2026-0001)",
        "2026-11-21T14:32:00+00:00",
        "nl",
    )
    cover, section = document.sections
    assert (cover.top_margin, cover.header.paragraphs[0].text) == (0, "")
    assert section.header.paragraphs[0].text == "HC-2026-0001 · Sanne de Vries – محمد\tDEMO – geen geldig document"
    assert section.footer.paragraphs[0].text == "Register Loopbaanprofessionals\tpagina 1 van 1"


def test_docx_evaluates_nothing_in_an_answer() -> None:
    texts = [text for _, text in paragraphs(assembled.sample().docx)]
    assert 'Letterlijk: #read("/etc/passwd") {{7*7}} <w:p/> $x^2$ @label \\ _ ~ `code` & "aanhalingstekens" -- klaar.' in texts


def test_docx_links_without_relationships(tmp_path: Path) -> None:
    """An ``&`` in the target of a relationship makes checkers of signatures stumble, so addresses are fields."""
    address = 'https://example.org/?a=1&b="2"\\'
    blocks = [Paragraph((Run("site", link=address), Run("kwaad", link="javascript:alert(1)"))), ListBlock(((Run("x"),),))]
    docx.write(outline(sample_dossier.snapshot(), extra=[("Extra", blocks)]), tmp_path / "links.docx")
    with ZipFile(tmp_path / "links.docx") as package:
        body = etree.fromstring(package.read("word/document.xml"))
        fields = [element.get(qn("w:instr")) for element in body.iter(qn("w:fldSimple"))]
        assert fields == [' HYPERLINK "https://example.org/?a=1&b=%222%22%5C" ']
        assert b"example.org" not in package.read("word/_rels/document.xml.rels")
        assert b"javascript" not in package.read("word/document.xml")


def test_docx_sets_right_to_left_words_as_such() -> None:
    body = python_docx.Document(str(assembled.sample().docx)).element.body
    turned = {run.text.strip() for run in body.iter(qn("w:r")) if run.find(f"{qn('w:rPr')}/{qn('w:rtl')}") is not None}
    assert turned == {"محمد", "مرحبا بالعالم", "שלום", "مرحبا"}


def test_pdf_and_docx_say_the_same_answer_by_answer() -> None:
    """Between two labels both documents hold the same letters, but for page numbers and what repeats on every page."""
    products = assembled.sample()
    pages = [page.extract_text() for page in pypdf.PdfReader(products.pdf).pages]
    running = re.compile(r"^(HC-2026-0001 · Sanne.*|Register Loopbaanprofessionals (.* · )?pagina \d+ van \d+)$", re.MULTILINE)
    pdf = _squeezed(re.sub(r"pagina \d+$", "", running.sub("", "\n".join(pages[2:])), flags=re.MULTILINE))
    word = _squeezed("\n".join(_with_numbers(paragraphs(products.docx))))
    labels = [
        _squeezed(one.text)
        for one in expected_texts(products.outline)
        if one.text.startswith(("Situatie:", "Actie:", "Resultaat"))
    ]
    assert len(labels) == 18
    in_pdf, in_word = _between(pdf, labels), _between(word, labels)
    assert len(in_pdf) == 18
    for label, one, other in zip(labels, in_pdf, in_word, strict=True):
        if label != labels[-1]:  # what follows the last answer ends with the appendices, that only the PDF has
            assert one == other, label


def _with_numbers(found: list[tuple[str, str]]) -> Iterator[str]:
    """The texts without the contents list, and with the numbers that Word gives to a numbered list."""
    number = 0
    for style, text in found:
        number = number + 1 if style == "List Number" else 0
        if not style.startswith("TOC"):
            yield f"{number}. {text}" if number else text


def _between(text: str, labels: list[str]) -> list[str]:
    """The stretch of ``text`` after each label up to the next label."""
    starts, position = [], 0
    for label in labels:
        position = text.index(label, position) + len(label)
        starts.append((position - len(label), position))
    return [text[end:begin] for (_, end), (begin, _) in zip(starts, [*starts[1:], (len(text), 0)], strict=True)]


def test_word_opens_it_as_a_document_of_today() -> None:
    """Not in compatibility mode, in which tables also hang out over the left margin."""
    with ZipFile(assembled.sample().docx) as package:
        settings = etree.fromstring(package.read("word/settings.xml"))
    modes = [one.get(qn("w:val")) for one in settings.iter(qn("w:compatSetting")) if one.get(qn("w:name")) == "compatibilityMode"]
    assert modes == ["15"]


def test_rows_of_a_small_table_stay_on_one_page(tmp_path: Path) -> None:
    rows = tuple(((Run(f"regel {number}"),),) for number in range(3))
    for table in (Table("", ("Kop",), rows), Table("", ("Kop",), rows[:2], totals=rows[2])):
        whole = assembled.sample().outline
        chapters = (dataclasses.replace(whole.chapters[0], blocks=(table,)), *whole.chapters[1:])
        docx.write(dataclasses.replace(whole, chapters=chapters), tmp_path / "small.docx")
        document = python_docx.Document(str(tmp_path / "small.docx"))
        (body,) = [one for one in document.element.body.iter(qn("w:tbl")) if "regel 2" in "".join(one.itertext())]
        assert [row.find(f".//{qn('w:keepNext')}") is not None for row in body.iter(qn("w:tr"))] == [True, True, True, False]


def test_the_label_of_totals_takes_the_columns_before_the_first_number() -> None:
    (row,) = [
        row
        for row in python_docx.Document(str(assembled.sample().docx)).element.body.iter(qn("w:tr"))
        if "minstens 75 nodig" in "".join(row.itertext())
    ]
    spans = [span.get(qn("w:val")) for cell in row.iter(qn("w:tc")) for span in cell.iter(qn("w:gridSpan"))]
    assert (spans, len(list(row.iter(qn("w:tc"))))) == (["3"], 3)
