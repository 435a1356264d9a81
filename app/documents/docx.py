"""The Word document of an Outline: the styles of ``reference.docx``, the same content as the PDF, appendices by name and hash.

python-docx keeps the package, styles, header and footer; the body's elements are built as XML and appended straight,
because its own calls are slow on long tables (14 s against 0.2 s for 200 pages).
"""

import io
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx
from docx.oxml.ns import nsmap, qn
from lxml import etree
from lxml.builder import ElementMaker

from app.documents.content import (
    Chapter,
    EvidenceItem,
    Outline,
    Part,
    Rows,
    column_shares,
    evidence_anchor,
    is_kept_whole,
    is_tall,
    label_share,
    plain,
    totals_cells,
)
from app.documents.typesetting import HASH, HOUSE_STYLE, is_web_address
from app.plugin_api import (
    Block,
    Declaration,
    EvidenceReference,
    Facts,
    Heading,
    ListBlock,
    Paragraph,
    Run,
    Runs,
    Signature,
    Table,
)

Element = etree._Element
W = ElementMaker(namespace=nsmap["w"], nsmap={"w": nsmap["w"]})
TEXT_WIDTH = 9072
"""Twentieths of a point between the margins of A4 (160 mm)."""
PAGE_WIDTH = 11906
BLEED = 60  # past both edges of the page, so that no white is left there
SIDE_MARGIN = 1417
LOOKS = {"body": "", "lead": "Lead", "hint": "Hint", "label": "Label", "step": "Step"}
LOOSE = frozenset(("", "Lead", "Hint", "EvidenceReference", "Declaration", "ListBullet", "ListNumber", "SignatureName", "Notice"))
"""Styles (by id) that need some white above them behind a table; the others bring their own."""
SHORT_FACTS = 9
RIGHT_TO_LEFT = re.compile(r"([\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc][\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\s]*)")
FIRST_OWN_NUMBERING = 100


def write(outline: Outline, target: Path) -> None:
    """Writes the DOCX. The same outline gives the same bytes."""
    document = docx.Document(str(HOUSE_STYLE / "reference.docx"))
    body = document.element.body
    for child in list(body):
        if child.tag != qn("w:sectPr"):
            body.remove(child)
    section = body[-1]
    numbering = document.part.numbering_part.element
    for element in _spaced(_Writer(outline, numbering).elements()):
        section.addprevious(element)
    _running_texts(document, outline)
    _language(document, outline)
    _properties(document, outline)
    buffer = io.BytesIO()
    document.save(buffer)
    _rewrite(buffer, target)


class _Writer:
    """Builds the body; holds the counters that a document has: bookmarks and restarted lists."""

    def __init__(self, outline: Outline, numbering: Element) -> None:
        self.outline = outline
        self.numbering = numbering
        self.bookmarks = count(1)
        self.lists = count(FIRST_OWN_NUMBERING)

    def elements(self) -> Iterator[Element]:
        yield from self.cover()
        yield from self.contents()
        for chapter in self.outline.chapters:
            yield from self.chapter(chapter)
        for item in self.outline.evidence:
            yield from self.appendix(item)

    # --- cover and contents ---------------------------------------------------------------------------------------

    def cover(self) -> Iterator[Element]:
        outline = self.outline
        band = [_paragraph("Cover Organisation", _text(outline.organisation)), _paragraph("Title", _text(outline.title))]
        band += [_paragraph("Subtitle", _text(subtitle)) for subtitle in outline.subtitles]
        cell = W.tc(
            W.tcPr(
                W.tcW(_w("w", PAGE_WIDTH + 2 * BLEED), _w("type", "dxa")),
                W.tcBorders(W.bottom(_w("val", "single"), _w("sz", 36), _w("space", 0), _w("color", "E9B44C"))),
                W.shd(_w("val", "clear"), _w("color", "auto"), _w("fill", "0F4C5C")),
                W.tcMar(
                    *(
                        getattr(W, side)(_w("w", size), _w("type", "dxa"))
                        for side, size in (("top", 1360), ("left", SIDE_MARGIN), ("bottom", 700), ("right", SIDE_MARGIN))
                    )
                ),
                W.vAlign(_w("val", "bottom")),
            ),
            *band,
        )
        row = W.tr(W.trPr(W.trHeight(_w("val", 7200), _w("hRule", "atLeast"))), cell)
        about = (
            W.tblW(_w("w", PAGE_WIDTH + 2 * BLEED), _w("type", "dxa")),
            W.tblInd(_w("w", -SIDE_MARGIN - BLEED), _w("type", "dxa")),
            W.tblLayout(_w("type", "fixed")),
        )
        yield W.tbl(W.tblPr(*about), W.tblGrid(W.gridCol(_w("w", PAGE_WIDTH + 2 * BLEED))), row)
        yield _paragraph("Cover Candidate", _text(outline.candidate))
        yield self.facts(tuple((label, (Run(value),)) for label, value in outline.cover_facts))
        yield _paragraph("Notice" if outline.mark else "Table End", _text(outline.mark), self._cover_section())

    def _cover_section(self) -> Element:
        """Ends the cover's own section: without a margin at the top, running texts or anything else that repeats."""
        sizes = {"top": 0, "right": SIDE_MARGIN, "bottom": 850, "left": SIDE_MARGIN, "header": 0, "footer": 0, "gutter": 0}
        margins = W.pgMar()
        for name, size in sizes.items():
            margins.set(qn(f"w:{name}"), str(size))
        return W.sectPr(W.type(_w("val", "nextPage")), W.pgSz(_w("w", PAGE_WIDTH), _w("h", 16838)), margins)

    def contents(self) -> Iterator[Element]:
        """A contents list to click on, without page numbers (nobody but Word can know them), also when Word makes it anew."""
        entries = list(self._entries())
        yield _paragraph("TOC Heading", _text(self.outline.words.contents))
        for index, (level, title, anchor) in enumerate(entries):
            link = W.hyperlink(_w("anchor", anchor), _w("history", "1"), *_text(title))
            parts: list[Element] = [link]
            if index == 0:
                parts = [_field_mark("begin"), _instruction(' TOC \\o "1-2" \\n \\h \\z '), _field_mark("separate"), link]
            if index == len(entries) - 1:
                parts.append(_field_mark("end"))
            yield _paragraph(f"TOC {level}", parts)

    def _entries(self) -> Iterator[tuple[int, str, str]]:
        for chapter in self.outline.chapters:
            yield 1, _chapter_title(chapter), _bookmark_name(chapter.id)
            for part in chapter.parts:
                yield 2, _part_title(part), _bookmark_name(part.anchor)
        for item in self.outline.evidence:
            yield 2, item.heading, _bookmark_name(item.anchor)

    # --- chapters -------------------------------------------------------------------------------------------------

    def chapter(self, chapter: Chapter) -> Iterator[Element]:
        new_page = [W.pageBreakBefore()] if chapter.starts_page else []
        yield self.heading(1, _chapter_title(chapter), chapter.id, *new_page)
        yield from self.blocks(chapter.blocks)
        for index, part in enumerate(chapter.parts):
            yield from self.part(part, new_page=part.is_area and index > 0)

    def part(self, part: Part, *, new_page: bool) -> Iterator[Element]:
        if part.is_area:
            yield _paragraph("Kicker", _text(part.kicker), *([W.pageBreakBefore()] if new_page else []))
        panel = [_side_line(), _shade("EEF4F5"), W.spacing(_w("before", 0), _w("after", 0)), _aside()] if part.is_area else []
        yield self.heading(2, _part_title(part), part.anchor, *panel)
        if part.is_area:
            yield _paragraph("Area Size", _text(part.size))
            yield _paragraph("Caption", _text(self.outline.words.criterion))
            yield self.facts(part.criteria, style="Small Cell")
        yield from self.blocks(part.blocks)

    def appendix(self, item: EvidenceItem) -> Iterator[Element]:
        yield self.heading(2, item.heading, item.anchor)
        yield self.facts(item.facts, style="Small Cell")
        for note in item.notes:
            yield _paragraph("Notice", _text(note))

    def heading(self, level: int, title: str, anchor: str = "", *properties: Element) -> Element:
        content = _text(title)
        if anchor:
            number = str(next(self.bookmarks))
            start = W.bookmarkStart(_w("id", number), _w("name", _bookmark_name(anchor)))
            content = [start, *content, W.bookmarkEnd(_w("id", number))]
        return _paragraph(f"Heading {level}", content, *properties)

    # --- blocks ---------------------------------------------------------------------------------------------------

    def blocks(self, blocks: tuple[Block, ...]) -> Iterator[Element]:
        for block in blocks:
            yield from self.block(block)

    def block(self, block: Block) -> Iterator[Element]:
        match block:
            case Heading(text=text, level=level, anchor=anchor):
                yield self.heading(level, text, anchor)
            case Paragraph(runs=runs, look=look):
                yield _paragraph(LOOKS[look], _runs(runs))
            case ListBlock(items=items, ordered=ordered):
                yield from self.list(items, ordered)
            case Facts(rows=rows):
                yield self.facts(rows)
            case Table():
                yield from self.table(block)
            case Declaration(text=text, agreed=agreed):
                refused = "" if agreed else f" ({self.outline.words.refused})"
                yield _paragraph("Declaration", _text(f"{'☑' if agreed else '☐'}\t{text}{refused}"))
            case EvidenceReference(number=number, title=title):
                anchor = _bookmark_name(evidence_anchor(number))
                words = (Run(f"{self.outline.words.appendix} {number}", bold=True), Run(f"  {title}"))
                yield _paragraph("Evidence Reference", [W.hyperlink(_w("anchor", anchor), _w("history", "1"), *_runs(words))])
            case Signature(name=name, lines=lines):
                yield _paragraph("Signature Name", _text(name))
                for line in lines:
                    yield _paragraph("Signature Line", _text(line))

    def list(self, items: tuple[Runs, ...], ordered: bool) -> Iterator[Element]:
        """A numbered list gets a numbering of its own, so that it starts at 1."""
        properties = []
        if ordered:
            number = next(self.lists)
            restart = W.lvlOverride(_w("ilvl", 0), W.startOverride(_w("val", 1)))
            self.numbering.append(W.num(_w("numId", number), W.abstractNumId(_w("val", 1)), restart))
            properties = [W.numPr(W.ilvl(_w("val", 0)), W.numId(_w("val", number)))]
        for item in items:
            yield _paragraph("List Number" if ordered else "List Bullet", _runs(item), *(_copy(one) for one in properties))

    def facts(self, rows: Rows, style: str = "Cell") -> Element:
        """A few facts stay together on a page; many may run on over the next."""
        widths = [label_share(rows), 1 - label_share(rows)]
        table = _table("FactsTable", widths, first_column=True)
        for number, (label, runs) in enumerate(rows, 1):
            looks = "Hash Cell" if HASH.fullmatch(plain(runs)) else style
            together = [W.keepNext()] if number < len(rows) <= SHORT_FACTS else []
            cells = [
                _cell(widths[0], _paragraph("Row Header", _text(label), *map(_copy, together))),
                _cell(widths[1], _paragraph(looks, _runs(runs), *map(_copy, together))),
            ]
            table.append(W.tr(W.trPr(W.cantSplit()), *cells))
        return table

    def table(self, table: Table) -> Iterator[Element]:
        if table.caption:
            yield _paragraph("Caption", _text(table.caption))
        widths = list(column_shares(table))
        style = "Small Cell" if len(widths) > 4 else "Cell"
        element = _table("DossierTable", widths, first_row=True, last_row=bool(table.totals))
        whole, last = is_kept_whole(table), None if table.totals or not table.rows else table.rows[-1]
        header = [
            _cell(width, _paragraph("Header Cell", _text(title), *_aligned(index in table.numeric), *_kept(whole)))
            for index, (width, title) in enumerate(zip(widths, table.header, strict=True))
        ]
        element.append(W.tr(W.trPr(W.cantSplit(), W.tblHeader()), *header))
        for row in table.rows:
            cells = [
                _cell(
                    width,
                    _paragraph(
                        "Hash Cell" if HASH.fullmatch(plain(cell)) else style,
                        _runs(cell),
                        *_aligned(index in table.numeric),
                        *_kept(whole and row is not last),
                    ),
                )
                for index, (width, cell) in enumerate(zip(widths, row, strict=True))
            ]
            element.append(W.tr(*([] if is_tall(row) else [W.trPr(W.cantSplit())]), *cells))
        if table.totals:
            element.append(W.tr(W.trPr(W.cantSplit()), *_totals(table, widths, style)))
        yield element


# --- pieces of WordprocessingML ------------------------------------------------------------------------------------


def _w(name: str, value: Any) -> dict[str, str]:
    return {qn(f"w:{name}"): str(value)}


def _style_id(name: str) -> str:
    return name.replace(" ", "")


PROPERTY_ORDER = [
    qn(f"w:{name}") for name in ("keepNext", "pageBreakBefore", "numPr", "pBdr", "shd", "spacing", "ind", "jc", "sectPr")
]


def _paragraph(style: str, content: list[Element], *properties: Element) -> Element:
    """``style`` by name, empty for the default; ``properties`` in any order."""
    about = [W.pStyle(_w("val", _style_id(style)))] if style else []
    about += sorted(properties, key=lambda one: PROPERTY_ORDER.index(str(one.tag)))
    return W.p(*([W.pPr(*about)] if about else []), *content)


def _spaced(elements: Iterator[Element]) -> Iterator[Element]:
    """White behind tables, which have none of their own; an empty paragraph only where two tables would become one."""
    previous: Element | None = None
    for element in elements:
        if previous is not None and previous.tag == qn("w:tbl"):
            if element.tag == qn("w:tbl"):
                yield _paragraph("Table End", [])
            else:
                _give_room(element)
        yield element
        previous = element
    if previous is not None and previous.tag == qn("w:tbl"):
        yield _paragraph("Table End", [])


def _give_room(paragraph: Element) -> None:
    properties = paragraph.find(qn("w:pPr"))
    if properties is None:
        properties = W.pPr()
        paragraph.insert(0, properties)
    style = properties.find(qn("w:pStyle"))
    if properties.find(qn("w:spacing")) is None and (style.get(qn("w:val")) if style is not None else "") in LOOSE:
        properties.append(W.spacing(_w("before", 200)))
        properties[:] = sorted(properties, key=lambda one: [qn("w:pStyle"), *PROPERTY_ORDER].index(str(one.tag)))


def _side_line() -> Element:
    return W.pBdr(W.left(_w("val", "single"), _w("sz", 24), _w("space", 8), _w("color", "E9B44C")))


def _shade(colour: str) -> Element:
    return W.shd(_w("val", "clear"), _w("color", "auto"), _w("fill", colour))


def _aside() -> Element:
    return W.ind(_w("left", 180))


def _text(text: str) -> list[Element]:
    return _runs((Run(text),))


def _runs(runs: Runs) -> list[Element]:
    elements: list[Element] = []
    for run in runs:
        pieces = [_run(piece, run, index % 2 == 1) for index, piece in enumerate(RIGHT_TO_LEFT.split(run.text)) if piece]
        if is_web_address(run.link):
            # A field and not a relationship: signature checkers stumble over "&" in the target of a relationship.
            address = run.link.replace("\\", "%5C").replace('"', "%22")
            elements.append(W.fldSimple(_w("instr", f' HYPERLINK "{address}" '), *pieces))
        else:
            elements += pieces
    return elements


def _run(text: str, look: Run, right_to_left: bool) -> Element:
    properties: list[Element] = []
    if look.link:
        properties.append(W.rStyle(_w("val", "Hyperlink")))
    if look.bold:
        properties += [W.b(), W.bCs()]
    if look.italic:
        properties += [W.i(), W.iCs()]
    if right_to_left:
        properties.append(W.rtl())
    run = W.r(*([W.rPr(*properties)] if properties else []))
    for number, line in enumerate(text.split("\n")):
        if number:
            run.append(W.br())
        for place, piece in enumerate(line.split("\t")):
            if place:
                run.append(W.tab())
            if piece:
                element = W.t(piece)
                element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
                run.append(element)
    return run


def _table(
    style: str, widths: list[float], *, first_row: bool = False, last_row: bool = False, first_column: bool = False
) -> Element:
    look = W.tblLook(
        _w("val", "04A0"),
        _w("firstRow", int(first_row)),
        _w("lastRow", int(last_row)),
        _w("firstColumn", int(first_column)),
        _w("lastColumn", 0),
        _w("noHBand", 1),
        _w("noVBand", 1),
    )
    return W.tbl(
        W.tblPr(
            W.tblStyle(_w("val", style)),
            W.tblW(_w("w", TEXT_WIDTH), _w("type", "dxa")),
            W.tblLayout(_w("type", "fixed")),
            look,
        ),
        _grid(widths),
    )


def _grid(widths: list[float]) -> Element:
    return W.tblGrid(*(W.gridCol(_w("w", round(width * TEXT_WIDTH))) for width in widths))


def _cell(width: float, *paragraphs: Element, columns: int = 1) -> Element:
    span = [W.gridSpan(_w("val", columns))] if columns > 1 else []
    return W.tc(W.tcPr(W.tcW(_w("w", round(width * TEXT_WIDTH)), _w("type", "dxa")), *span), *paragraphs)


def _totals(table: Table, widths: list[float], style: str) -> Iterator[Element]:
    column = 0
    for runs, columns in totals_cells(table):
        paragraph = _paragraph(style, _runs(runs), *_aligned(column in table.numeric))
        yield _cell(sum(widths[column : column + columns]), paragraph, columns=columns)
        column += columns


def _kept(with_the_next: bool) -> list[Element]:
    return [W.keepNext()] if with_the_next else []


def _aligned(to_the_right: bool) -> list[Element]:
    return [W.jc(_w("val", "right"))] if to_the_right else []


def _copy(element: Element) -> Element:
    return etree.fromstring(etree.tostring(element))


def _field_mark(kind: str) -> Element:
    return W.r(W.fldChar(_w("fldCharType", kind)))


def _instruction(words: str) -> Element:
    element = W.instrText(words)
    element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return W.r(element)


def _field(words: str) -> list[Element]:
    return [_field_mark("begin"), _instruction(words), _field_mark("separate"), *_text("1"), _field_mark("end")]


def _bookmark_name(anchor: str) -> str:
    """Word allows 40 letters, digits and underscores; what starts with ``_Toc`` a contents field may link to."""
    return f"_Toc_{re.sub(r'[^A-Za-z0-9]', '_', anchor)}"[:40]


def _chapter_title(chapter: Chapter) -> str:
    return f"{chapter.number}  {chapter.title}"


def _part_title(part: Part) -> str:
    return f"{part.number}  {part.title}"


# --- package -------------------------------------------------------------------------------------------------------


def _running_texts(document: Any, outline: Outline) -> None:
    """Header and footer as in the PDF; the cover, a section of its own, has neither."""
    section = document.sections[-1]
    words = outline.words
    mark = [*_text("\t"), *_runs((Run(outline.mark, bold=True),))] if outline.mark else []
    pages = [*_text(f"\t{words.page} "), *_field(" PAGE "), *_text(f" {words.of} "), *_field(" NUMPAGES ")]
    for place, style, content in (
        (section.header, "Header", [*_text(outline.running_head), *mark]),
        (section.footer, "Footer", [*_text(outline.organisation), *pages]),
    ):
        place.is_linked_to_previous = False
        for old in list(place._element):
            place._element.remove(old)
        place._element.append(_paragraph(style, content))


def _language(document: Any, outline: Outline) -> None:
    code = "nl-NL" if outline.language == "nl" else "en-GB"
    defaults = document.styles.element.find(".//" + qn("w:rPrDefault") + "/" + qn("w:rPr"))
    for old in defaults.findall(qn("w:lang")):
        defaults.remove(old)
    defaults.append(W.lang(_w("val", code), _w("eastAsia", code), _w("bidi", "ar-SA")))


def _properties(document: Any, outline: Outline) -> None:
    about = document.core_properties
    moment = outline.submitted_at.replace(tzinfo=None)
    about.title, about.author, about.subject = outline.document_title[:255], outline.candidate[:255], outline.reference[:255]
    about.last_modified_by, about.language = outline.organisation[:255], outline.language
    about.created = about.modified = moment
    about.revision = 1


def _rewrite(source: io.BytesIO, target: Path) -> None:
    """The same package with entries in a fixed order and with fixed times."""
    with ZipFile(source) as archive, ZipFile(target, "w", ZIP_DEFLATED) as result:
        for name in sorted(archive.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            result.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), archive.read(name), ZIP_DEFLATED)
