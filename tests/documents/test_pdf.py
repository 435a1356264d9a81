from pathlib import Path

import assembled
import pikepdf
import pypdf
import pypdfium2
import sample_dossier

from app.documents import glyphs, typesetting
from app.documents.outline import outline
from app.plugin_api import Block, Declaration, Facts, Heading, Paragraph, Run, Table


def typeset(snapshot: dict[str, object], folder: Path, **more: object) -> Path:
    folder.mkdir()
    return typesetting.typeset(outline(snapshot, **more), folder)  # type: ignore[arg-type]


def text_of(pdf: Path) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages)


def test_typeset_gives_the_same_bytes_again(tmp_path: Path) -> None:
    first = typeset(sample_dossier.snapshot(), tmp_path / "1")
    second = typeset(sample_dossier.snapshot(), tmp_path / "2")
    assert first.read_bytes() == second.read_bytes()


def test_typeset_claims_the_archival_and_accessible_standards() -> None:
    with pikepdf.open(assembled.sample().authored) as pdf:
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
        assert str(pdf.Root.Lang) == "nl-NL"
        assert pdf.Root.MarkInfo.Marked
        title = "Hercertificering Register Loopbaanprofessional – Sanne de Vries – محمد (HC-2026-0001)"
        assert str(pdf.docinfo.Title) == metadata["dc:title"] == title
        assert str(pdf.docinfo.CreationDate) == "D:20261121143200Z"


def test_typeset_embeds_every_font() -> None:
    with pikepdf.open(assembled.sample().authored) as pdf:
        descriptors = [
            one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
        ]
        assert len(descriptors) >= 5
        assert all({"/FontFile2", "/FontFile3"} & set(one.keys()) for one in descriptors)


def test_typeset_marks_row_headers_of_facts() -> None:
    with pikepdf.open(assembled.sample().authored) as pdf:
        scopes = [
            str(one.A.Scope)
            for one in pdf.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/TH" and isinstance(one.get("/A"), pikepdf.Dictionary)
        ]
    assert scopes.count("/Row") > 50


def test_typeset_evaluates_nothing_in_an_answer() -> None:
    text = " ".join(text_of(assembled.sample().authored).split())
    assert "\u200b" not in text
    assert 'Letterlijk: #read("/etc/passwd") {{7*7}} <w:p/> $x^2$ @label \\ _ ~ `code` & "aanhalingstekens" -- klaar.' in text


def test_typeset_shows_every_character_that_counts_as_printable(tmp_path: Path) -> None:
    everything = " ".join(sorted(glyphs._coverage())) + " 👩🏽\u200d💻 ☎\ufe0e ❤\ufe0f e\u0323\u0304\u0300 ب\u0651\u064e"
    text, replaced = glyphs.printable(everything)
    assert replaced == frozenset()
    pieces = [text[at : at + 300] for at in range(0, len(text), 300)]
    blocks: list[Block] = [Heading(piece) for piece in pieces]
    blocks += [Paragraph((Run(piece, bold=bold, italic=not bold),)) for piece in pieces for bold in (True, False)]
    pdf = typeset(sample_dossier.snapshot(), tmp_path / "all", extra=[("Alles", blocks)])
    assert len(pypdf.PdfReader(pdf).pages) > 25


def test_typeset_keeps_long_words_and_wide_tables_on_the_page(tmp_path: Path) -> None:
    word = "hottentottententen" * 40
    wide = Table("Breed", tuple(f"Kolom {n}" for n in range(9)), tuple(((Run(word),),) * 9 for _ in range(2)), numeric=(3, 4))
    blocks = [Facts(((word, (Run(word),)),)), wide, Declaration(word, agreed=False), Heading(word)]
    pdf = typeset(sample_dossier.snapshot(), tmp_path / "wide", extra=[(word, blocks)])
    with pypdfium2.PdfDocument(pdf) as document:
        for page in list(document)[1:]:
            picture = page.render(scale=1).to_pil().convert("L").point(lambda shade: 255 if shade < 200 else 0)
            assert picture.getbbox()[2] <= 595 - 69  # 25 mm, and the frame of a page mark
    assert typesetting._breakable(word).replace("\u200b", "") == word


def test_typeset_numbers_pages_around_the_appendices() -> None:
    """The divider of appendix 3 comes two pages later than it stands in this file: appendix 2 has two pages."""
    pages = pypdf.PdfReader(assembled.sample().authored).pages
    foot = [page.extract_text().splitlines()[-1] for page in pages[-5:]]
    start, total = len(pages) - 4, assembled.sample().pages
    assert foot == [
        f"Register Loopbaanprofessionals 8 Bijlagen · pagina {number} van {total}"
        for number in (start, start + 1, start + 4, start + 6, start + 12)
    ]


def test_typeset_without_evidence_statements_or_answers(tmp_path: Path) -> None:
    snapshot = sample_dossier.snapshot(demo=False)
    snapshot.update(evidence=[], statements=[], answers={}, declarations=[])
    text = text_of(typeset(snapshot, tmp_path / "empty"))
    assert "Niet ingevuld" in text
    assert "DEMO" not in text
    assert "Bijlage 1" not in text


def test_typeset_reaches_no_file_outside_its_folder(tmp_path: Path) -> None:
    template = (typesetting.HOUSE_STYLE / "dossier.typ").read_text()
    assert "#import" not in template
    assert "@preview" not in template
    assert template.count("json(") == 1
