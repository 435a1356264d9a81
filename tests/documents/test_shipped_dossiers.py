"""Full dossiers of what we ship, from snapshot to checked documents."""

from pathlib import Path

import assembled
import pypdfium2
import pytest
import shipped_dossiers
from PIL import Image

from app.documents import product_check

SHIPPED = [
    ("initial",),
    ("recertification", "second_track"),
    ("recertification", "outplacement"),
    ("specialisation", "outplacement"),
]


@pytest.mark.parametrize("parts", SHIPPED, ids="-".join)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_documents_of_every_question_bank_are_whole(parts: tuple[str, ...], language: str, tmp_path: Path) -> None:
    content = shipped_dossiers.snapshot(*parts, language=language)
    files = shipped_dossiers.evidence_files(tmp_path, content)
    products = assembled.assemble(content, files, tmp_path / "products")
    assert product_check.check_pdf(products.pdf, products.outline) == products.pages
    product_check.check_docx(products.docx, products.outline)


SCREENS = Path(__file__).resolve().parents[2] / "docs" / "screens"
PICTURES = {
    "document-cover": "cover",
    "document-area": "onderdeel-intake",
}


def test_pages_that_the_documentation_shows(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The cover and an area; with ``--screens`` (of tests/browser) as pictures."""
    content = shipped_dossiers.snapshot("initial")
    products = assembled.assemble(content, shipped_dossiers.evidence_files(tmp_path, content), tmp_path / "products")
    chapters = {chapter.id: f"{chapter.number} {chapter.title}" for chapter in products.outline.chapters}
    parts = {part.anchor: f"{part.number} {part.title}" for chapter in products.outline.chapters for part in chapter.parts}
    titles = {**chapters, **parts, **{item.anchor: item.heading for item in products.outline.evidence}}
    with pypdfium2.PdfDocument(products.pdf) as document:
        bookmarks = {
            " ".join(mark.get_title().split()): mark.get_dest().get_index()
            for mark in document.get_toc(max_depth=3)
            if mark.get_dest()
        }
        pages = {name: 0 if anchor == "cover" else bookmarks[titles[anchor]] for name, anchor in PICTURES.items()}
        assert len(set(pages.values())) == len(PICTURES)
        if pytestconfig.getoption("screens", False):
            for name, index in pages.items():
                picture = document[index].render(scale=1).to_pil().convert("RGB").quantize(48, dither=Image.Dither.NONE)
                picture.save(SCREENS / f"{name}.png", optimize=True)
