"""The whole chain on the sample dossier, once for all tests that only read its products."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import sample_dossier

from app.documents import docx, merging, typesetting
from app.documents.merging import EvidencePages
from app.documents.outline import Outline, outline


@dataclass(frozen=True)
class Products:
    outline: Outline
    folder: Path
    authored: Path
    pdf: Path
    docx: Path
    pages: int


def assemble(snapshot: dict[str, Any], files: dict[int, Path], folder: Path) -> Products:
    document = outline(snapshot, snapshot_sha256=sample_dossier.sha("snapshot"))
    bench = folder / "typeset"
    bench.mkdir(parents=True)
    authored = typesetting.typeset(document, bench)
    evidence = [
        EvidencePages(item.number, item.title, files[item.number], item.pages) for item in document.evidence if item.pages
    ]
    made = merging.merge(authored, evidence, folder / "dossier.pdf", outline=document)
    docx.write(document, folder / "dossier.docx")
    return Products(document, folder, authored, folder / "dossier.pdf", folder / "dossier.docx", made.value["pages"])


@cache
def sample() -> Products:
    folder = Path(mkdtemp(prefix="sample-dossier-"))
    return assemble(sample_dossier.snapshot(), sample_dossier.evidence_files(folder), folder / "products")
