import dataclasses
from pathlib import Path
from typing import Any

import assembled
import pikepdf
import pypdf
import pypdfium2
import pytest
import sample_dossier
from PIL import Image, ImageChops, ImageStat

from app.documents import merging, typesetting
from app.documents.merging import EvidencePages
from app.documents.outline import Outline, outline
from app.errors import SealingFailed


def only_appendix(pages: int) -> Outline:
    """A dossier with one appendix, number 5, of so many pages."""
    snapshot = sample_dossier.snapshot(trainings=0)
    snapshot["evidence"] = [{**item, "pages": pages} for item in snapshot["evidence"] if item["id"] == 15]
    for answers in snapshot["answers"].values():
        answers.update({name: [] for name in ("bewijs", "cv") if name in answers})
    return outline(snapshot)


def merged(folder: Path, document: Outline, source: Path) -> Path:
    (folder / "typeset").mkdir()
    authored = typesetting.typeset(document, folder / "typeset")
    item = document.evidence[0]
    merging.merge(authored, [EvidencePages(5, item.title, source, item.pages)], folder / "merged.pdf", outline=document)
    return folder / "merged.pdf"


def rendered(pdf: Path, scale: float = 2) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=scale).to_pil().convert("RGB") for page in document]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference in shade, 0 to 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def test_merge_puts_each_appendix_behind_its_divider_page() -> None:
    texts = [page.extract_text() for page in pypdf.PdfReader(assembled.sample().pdf).pages]
    dividers = [index for index, text in enumerate(texts) if "Bestandsnaam" in text and "Hoort bij" in text]
    assert [later - first for first, later in zip(dividers, [*dividers[1:], len(texts)], strict=True)] == [1, 3, 2, 6, 2]
    assert "Bijlage 4 · blad 5 van 5" in texts[dividers[3] + 5]
    assert f"DEMO – geen geldig document · HC-2026-0001 · pagina {len(texts)} van {len(texts)}" in texts[-1]
    assert "Bewijs blad 5" in texts[dividers[3] + 5]


def test_merge_gives_the_same_bytes_again(tmp_path: Path) -> None:
    again = assembled.assemble(sample_dossier.snapshot(), sample_dossier.evidence_files(tmp_path), tmp_path / "products")
    assert again.pdf.read_bytes() == assembled.sample().pdf.read_bytes()


def test_merge_stamps_upright_in_the_visible_corner_of_every_kind_of_page(tmp_path: Path) -> None:
    """On a page that is turned or cropped the corners with the stamps look as on a plain one; the rest looks as before."""
    kinds: list[dict[str, Any]] = [
        {},
        {"rotate": 90},
        {"rotate": 180},
        {"rotate": 270},
        {"crop": [40, 60, 500, 700]},
        {"crop": [40, 60, 500, 700], "rotate": 90},
        {"crop": [40, 60, 500, 700], "rotate": 270},
        {"width": 842, "height": 595},
        {"width": 500, "height": 792, "rotate": -90},
    ]
    source = sample_dossier.evidence_pdf(tmp_path / "kinds.pdf", kinds)
    pages = rendered(merged(tmp_path, only_appendix(len(kinds)), source))[-len(kinds) :]
    plain = rendered(source)
    corners = []
    for before, after in zip(plain, pages, strict=True):
        width, height = after.size
        corners.append(after.crop((width - 84, 26, width - 26, 46)))  # "van 9", inside its frame
        middle = (0, 60, width, height - 60)
        assert difference(before.crop(middle), after.crop(middle)) == 0
        bottom = (width - 430, height - 52, width - 20, height - 20)
        assert difference(before.crop(bottom), after.crop(bottom)) > 20
    assert difference(corners[0], corners[0].rotate(180)) > 50
    for corner in corners[1:]:
        assert difference(corners[0], corner) < 12


def test_merge_enlarges_the_stamps_on_a_large_page(tmp_path: Path) -> None:
    source = sample_dossier.evidence_pdf(tmp_path / "plan.pdf", [{"width": 2384, "height": 3370}])
    page = rendered(merged(tmp_path, only_appendix(1), source), scale=0.5)[-1]
    corner = page.crop((page.width - 220, 20, page.width - 20, 60))
    assert ImageStat.Stat(corner.convert("L")).stddev[0] > 30


def test_merge_keeps_links_form_fields_and_bookmarks() -> None:
    reader = pypdf.PdfReader(assembled.sample().pdf)
    addresses = [
        annotation.get_object()["/A"]["/URI"]
        for page in reader.pages
        for annotation in page.get("/Annots", [])
        if "/URI" in annotation.get_object().get("/A", {})
    ]
    assert addresses == [f"https://example.org/blad/{sheet}" for pages in (2, 1, 5, 1) for sheet in range(1, pages + 1)]
    fields = reader.get_form_text_fields()
    assert fields == {"opmerking": "ingevuld"}
    with pikepdf.open(assembled.sample().pdf) as pdf, pdf.open_outline() as contents:
        appendices = contents.root[-1]
        second = appendices.children[1]
        assert second.title == "Bijlage 2: Certificaat motiverende gespreksvoering"
        assert [(one.title, [sub.title for sub in one.children]) for one in second.children] == [("Deel één", ["Laatste blad"])]
        pages = {page.obj.objgen: page.index for page in pdf.pages}
        start = pages[merging._target(second).objgen]
        assert pages[merging._target(second.children[0].children[0]).objgen] == start + 2


def test_merge_takes_back_the_claims_and_keeps_the_structure_sound() -> None:
    with pikepdf.open(assembled.sample().pdf) as pdf:
        assert not [key for key in pdf.open_metadata() if "pdfa" in key or "pdfua" in key]
        assert b"pdfuaid" not in pdf.Root.Metadata.read_bytes()
        assert "/PageLabels" not in pdf.Root
        parents = pikepdf.NumberTree(pdf.Root.StructTreeRoot.ParentTree)
        numbers = [int(page.obj.StructParents) for page in pdf.pages if "/StructParents" in page.obj]
        assert len(numbers) == len(set(numbers)) == len(pdf.pages)
        assert all(number in parents for number in numbers)
        figure = parents[int(pdf.pages[-1].obj.StructParents)][0]
        assert str(figure.Alt) == "Bijlage 5, blad 1 van 1: Plattegrond op liggend papier"
        assert figure.Pg.objgen == pdf.pages[-1].obj.objgen
        assert int(pdf.Root.Pages.Count) == len(pdf.pages) == assembled.sample().pages


def test_merge_without_appendices_that_have_pages(tmp_path: Path) -> None:
    document = only_appendix(0)
    (tmp_path / "typeset").mkdir()
    authored = typesetting.typeset(document, tmp_path / "typeset")
    made = merging.merge(authored, [], tmp_path / "merged.pdf", outline=document)
    with pikepdf.open(authored) as before, pikepdf.open(tmp_path / "merged.pdf") as after:
        assert made.value["pages"] == len(after.pages) == len(before.pages)


def test_merge_refuses_an_appendix_with_another_number_of_pages(tmp_path: Path) -> None:
    source = sample_dossier.evidence_pdf(tmp_path / "two.pdf", [{}, {}])
    document = only_appendix(3)
    with pytest.raises(SealingFailed) as failure:
        merged(tmp_path, document, source)
    assert failure.value.details == {"step": "merge", "number": 5, "expected": 3, "found": 2}


def test_merge_says_other_signs_in_the_reference_as_question_marks(tmp_path: Path) -> None:
    document = dataclasses.replace(only_appendix(1), reference="HC-מ-1")
    merged(tmp_path, document, sample_dossier.evidence_pdf(tmp_path / "one.pdf", [{}]))
    assert "HC-?-1 · pagina" in pypdf.PdfReader(tmp_path / "merged.pdf").pages[-1].extract_text()
