"""What a document consists of: the frozen classes that both renderers read, and little helpers on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.plugin_api import (
    Block,
    Declaration,
    EvidenceReference,
    Facts,
    Heading,
    ListBlock,
    Paragraph,
    Runs,
    Signature,
    Table,
)

Rows = tuple[tuple[str, Runs], ...]
"""Pairs of a label and its value, as in ``Facts``."""


@dataclass(frozen=True)
class Part:
    """A section of the form inside a chapter.

    A competency area has a ``kicker`` (the small line above its title), its ``criteria`` by group, and a line on its ``size``.
    """

    number: str
    title: str
    anchor: str
    blocks: tuple[Block, ...]
    kicker: str = ""
    criteria: Rows = ()
    size: str = ""

    @property
    def is_area(self) -> bool:
        return bool(self.kicker)


@dataclass(frozen=True)
class Chapter:
    """``id`` is unique in the document and serves as anchor; ``blocks`` stand before the parts."""

    id: str
    number: int
    title: str
    blocks: tuple[Block, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def starts_page(self) -> bool:
        """Short chapters of the form follow each other; areas and what the office looks up start on a page of their own."""
        kept_apart = ("dossier", "verklaringen", "verantwoording", "bijlagen")
        return self.id in kept_apart or any(part.is_area for part in self.parts)


@dataclass(frozen=True)
class EvidenceItem:
    """One appendix. ``pages`` is 0 when it has no pages of its own in the PDF; ``size`` is in bytes, of the file as uploaded.

    ``facts`` and ``notes`` say all of this in words, for its divider page.
    """

    number: int
    heading: str
    title: str
    name: str
    kind: str
    pages: int
    pages_sha256: str
    original_sha256: str
    size: int
    notes: tuple[str, ...]
    used_by: tuple[str, ...]
    facts: Rows

    @property
    def anchor(self) -> str:
        return evidence_anchor(self.number)


@dataclass(frozen=True)
class Words:
    """The fixed words that a renderer puts around the content, in the document's language."""

    contents: str
    page: str
    of: str
    appendix: str
    sheet: str
    criterion: str
    refused: str


@dataclass(frozen=True)
class Outline:
    """Everything that stands in the document.

    ``mark`` stands on every page of what is no valid document (a demo, a draft), else it is empty. ``submitted_at``
    (aware) is the document's only date, also in its metadata.
    """

    language: str
    reference: str
    title: str
    subtitles: tuple[str, ...]
    organisation: str
    candidate: str
    cover_facts: tuple[tuple[str, str], ...]
    submitted_at: datetime
    demo: bool
    mark: str
    chapters: tuple[Chapter, ...]
    evidence: tuple[EvidenceItem, ...]
    words: Words

    @property
    def running_head(self) -> str:
        return f"{self.reference} · {self.candidate}"

    @property
    def document_title(self) -> str:
        return f"{self.title} – {self.candidate} ({self.reference})"


def evidence_anchor(number: int) -> str:
    return f"bijlage-{number}"


def plain(runs: Runs) -> str:
    return "".join(run.text for run in runs)


def block_texts(block: Block) -> Iterator[str]:
    """The texts of a block in reading order, for whoever compares products with the outline."""
    match block:
        case Heading(text=text):
            yield text
        case Paragraph(runs=runs):
            yield plain(runs)
        case ListBlock(items=items):
            yield from map(plain, items)
        case Facts(rows=rows):
            for label, runs in rows:
                yield label
                yield plain(runs)
        case Table():
            yield block.caption
            yield from block.header
            for row in (*block.rows, block.totals):
                yield from map(plain, row)
        case Declaration(text=text):
            yield text
        case EvidenceReference(title=title):
            yield title
        case Signature(name=name, lines=lines):
            yield name
            yield from lines


def column_shares(table: Table) -> tuple[float, ...]:
    """How much of a table's width each column deserves (sum 1): short values on one line, the rest by the text in it."""
    wanted = []
    for column, title in enumerate(table.header):
        cells = [plain(row[column]) for row in (*table.rows, table.totals) if column < len(row)]
        longest = max(len(line) for text in (title, *cells) for line in text.split("\n"))
        wanted.append(max(min(longest, 16) + 4, min(longest, 60) ** 0.9))
    return tuple(width / sum(wanted) for width in wanted)


def is_tall(row: tuple[Runs, ...]) -> bool:
    """Whether a table's row may need so much room that it should be allowed to run on over the next page."""
    return max((len(plain(cell)) for cell in row), default=0) > 400
