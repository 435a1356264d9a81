"""What a document consists of: the frozen classes that both renderers read, and little helpers on them."""

from collections.abc import Iterator, Sequence
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

LABEL_SHARES = (0.32, 0.6)
LETTERS_ON_A_LINE = ((4, 92), (6, 104), (1000, 118))
"""By number of columns: letters are smaller in a table of many."""
LONG_CELL = 60
SMALL_TABLE = 5
PADDING = 3
LONGEST_DATE = 17
KEPT_WHOLE = (24, LONGEST_DATE, 12, 8)
"""Letters of a table's cell that should stand on one line: ``30 september 2026, 10.15``, the date alone, or less if need be."""


@dataclass(frozen=True)
class Part:
    """A section of the form inside a chapter.

    A competency area has a ``kicker`` (the small line above its title), its ``criteria`` by group, and a line on its ``size``.
    ``opens`` says for each block which questions start there, by id: one for a label, one for each row of facts.
    """

    number: str
    title: str
    anchor: str
    blocks: tuple[Block, ...]
    kicker: str = ""
    criteria: Rows = ()
    size: str = ""
    opens: tuple[tuple[str, ...], ...] = ()

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
    after_areas: bool = False

    @property
    def starts_page(self) -> bool:
        """Short chapters of the form follow each other; areas, what follows them and what the office looks up do not."""
        kept_apart = ("dossier", "verklaringen", "verantwoording", "bijlagen")
        return self.after_areas or self.id in kept_apart or any(part.is_area for part in self.parts)


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

    ``mark`` stands on every page of what is no valid document (a demo, a draft), else it is empty; ``watermark`` lies
    behind every page of a draft. ``submitted_at`` (aware) is the document's only date, also in its metadata.
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
    watermark: str
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


def outcome_anchor(section_id: str, question_id: str) -> str:
    return f"uitkomst-{section_id}-{question_id}"


def section_anchor(section_id: str) -> str:
    return f"onderdeel-{section_id}"


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


def totals_cells(table: Table) -> tuple[tuple[Runs, int], ...]:
    """The cells of the last row, each with how many columns it takes: a label runs on over the empty cells behind it."""
    cells: list[tuple[Runs, int]] = []
    for column, runs in enumerate(table.totals):
        if not runs and column not in table.numeric and cells and cells[-1][0] and column - cells[-1][1] == 0:
            cells[-1] = (cells[-1][0], cells[-1][1] + 1)
        else:
            cells.append((runs, 1))
    return tuple(cells)


def column_shares(table: Table) -> tuple[float, ...]:
    """How much of a table's width each column deserves (sum 1): first what keeps words, dates and numbers whole, the rest by
    the text in it."""
    spread = totals_cells(table)[0][1] > 1 if table.totals else False
    last = ((), *table.totals[1:]) if spread else table.totals
    texts = [
        [line for row in (*table.rows, last) if column < len(row) for line in plain(row[column]).split("\n")]
        for column in range(len(table.header))
    ]
    letters = next(letters for columns, letters in LETTERS_ON_A_LINE if len(table.header) <= columns)
    longest = [max(map(len, (title, *lines))) for title, lines in zip(table.header, texts, strict=True)]
    reserved = letters * 0.3 if max(longest) > LONG_CELL else 0
    for most in KEPT_WHOLE:
        needed = _kept_whole(table.header, texts, most)
        if sum(needed) + reserved <= letters:
            break
    wanted = [max(min(most, 900) - least, 0) ** 0.6 + 0.3 for most, least in zip(longest, needed, strict=True)]
    room = max(letters - sum(needed), 0)
    widths = [least + room * more / sum(wanted) for least, more in zip(needed, wanted, strict=True)]
    return tuple(width / sum(widths) for width in widths)


def _kept_whole(header: Sequence[str], texts: Sequence[Sequence[str]], most: int) -> list[float]:
    """For each column the letters that its words, and its lines of at most ``most`` letters, need to stand on one line."""
    needed = []
    for title, lines in zip(header, texts, strict=True):
        words = [min(len(word), LONGEST_DATE) for line in lines for word in line.split()]
        whole = [len(line) for line in lines if len(line) <= most] + words
        needed.append(PADDING + min(max([1.0, *whole, *(1.2 * len(word) for word in title.split())]), most))  # a header is bold
    return needed


def label_share(rows: Rows) -> float:
    """How much of the width the labels of facts deserve: a third, or more where questions are long and answers short."""

    def lines(share: float) -> int:
        return sum(max(-(-len(label) // int(85 * share)), -(-len(plain(runs)) // int(90 * (1 - share)))) for label, runs in rows)

    return min(LABEL_SHARES, key=lines)


def is_kept_whole(table: Table) -> bool:
    """Whether a table is so small that a page should not cut it."""
    return len(table.rows) <= SMALL_TABLE and not any(map(is_tall, table.rows))


def is_tall(row: tuple[Runs, ...]) -> bool:
    """Whether a table's row may need so much room that it should be allowed to run on over the next page."""
    return max((len(plain(cell)) for cell in row), default=0) > 400
