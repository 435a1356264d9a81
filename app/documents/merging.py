"""The evidence behind its divider pages: authored part + appendices -> one PDF.

``merge`` runs the work in a limited child process: the pages come from foreign files. The merged file no longer claims
PDF/A or PDF/UA, because nobody can promise that for other people's pages.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from lxml import etree
from pikepdf import Array, Dictionary, Name, OutlineItem, Page, Pdf, String

from app.documents.content import Outline
from app.documents.glyphs import FONTS
from app.errors import SealingFailed
from app.files import sandbox
from app.texts import both

LIMITS = {"wall_seconds": 300, "memory_mb": 3000, "cpu_seconds": 300, "file_mb": 1500}
CLAIMS = re.compile(r"\{http://www\.aiim\.org/pdf(a|ua)/")
"""Names in the metadata that claim PDF/A or PDF/UA, or explain such claims."""
XPACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
XPACKET_END = '<?xpacket end="w"?>'
STAMP_FONT = FONTS / "SourceSans3_600SemiBold.ttf"
STAMP_SIZE = 8.5
STAMP_MARGIN = 12.0
"""Points between a stamp and the visible edge of the page; size and margin are those on A4 and grow with larger pages."""


@dataclass(frozen=True)
class EvidencePages:
    """One appendix with pages: its number and title as in the document, and a PDF of exactly ``pages`` pages."""

    number: int
    title: str
    pages_pdf: Path
    pages: int


def merge(
    authored: Path,
    evidence: Sequence[EvidencePages],
    target: Path,
    outline: Outline,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> sandbox.Outcome:
    """Writes ``target``: the authored part with each appendix behind its divider page. The value holds its number of ``pages``.

    Every page of an appendix is stamped "Bijlage N" and with its page number; bookmarks, links and form fields are
    kept. The same files give the same bytes. Raises ``SealingFailed`` (step ``merge``) when an appendix has another
    number of pages than was counted, and ``SandboxFailure`` when the work did not end. ``progress`` hears how many of the
    appendices are done.
    """
    counted = target.with_suffix(".count")
    counted.write_text("0")

    def tick() -> None:
        if done := counted.read_text():  # empty while it is being written
            progress(int(done), len(evidence))

    payload = {
        "counted": str(counted),
        "authored": str(authored),
        "evidence": [{**asdict(item), "pages_pdf": str(item.pages_pdf)} for item in evidence],
        "dividers": [item.number for item in outline.evidence],
        "target": str(target),
        "words": {
            "appendix": outline.words.appendix,
            "sheet": outline.words.sheet,
            "page": outline.words.page,
            "of": outline.words.of,
            "mark": outline.mark,
            "reference": outline.reference,
        },
    }
    try:
        with sandbox.ticking(tick):
            return sandbox.run("app.documents.merging:merge_files", payload, **LIMITS)
    finally:
        counted.unlink(missing_ok=True)


def merge_files(
    authored: str, evidence: list[dict[str, Any]], dividers: list[int], target: str, words: dict[str, str], counted: str
) -> dict[str, Any]:
    """In the child; arguments as ``merge`` sends them. ``dividers`` are the numbers of all appendices, in order; in the file
    ``counted`` stands how many are done.
    """
    with pikepdf.open(authored) as pdf:
        authored_pages = len(pdf.pages)
        appendices = {item["number"]: _Appendix(item, _append(pdf, item)) for item in evidence}
        places = _reorder(pdf, authored_pages, dividers, appendices)
        for done in _stamp_all(pdf, appendices.values(), words, places):
            Path(counted).write_text(str(done))
        _tag(pdf, appendices.values(), words)
        _bookmark(pdf, appendices, places)
        _finish(pdf)
        pdf.save(target, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return {"pages": len(places)}


Places = dict[Any, int]
"""The index (from 0) of each page in the merged file, by its object number and generation."""


@dataclass
class _Appendix:
    """``item`` is an EvidencePages as plain data; ``pages`` are its page objects in the merged file."""

    item: dict[str, Any]
    pages: list[Page]


def _append(pdf: Pdf, item: dict[str, Any]) -> list[Page]:
    before = len(pdf.pages)
    with pikepdf.open(item["pages_pdf"]) as source:
        if len(source.pages) != item["pages"]:
            text = both(
                "Bijlage %(number)s heeft nu een ander aantal pagina’s dan toen het dossier werd ingediend. "
                "Neem contact op met het secretariaat.",
                number=item["number"],
            )
            raise SealingFailed(text, step="merge", number=item["number"], expected=item["pages"], found=len(source.pages))
        pdf.add_pages_from(source)
    return list(pdf.pages)[before:]


def _reorder(pdf: Pdf, authored_pages: int, dividers: list[int], appendices: dict[int, _Appendix]) -> Places:
    """Puts each appendix before the next divider page, by writing the page tree anew as one flat list.

    Dividers are the last pages of the authored part; each is the target of a bookmark, so a divider that runs over two
    pages is no problem. Gives each page's place; ``pdf.pages`` shows the old order until the file is read again.
    """
    authored: list[Any] = [page.obj for page in pdf.pages][:authored_pages]
    if dividers:
        starts = _divider_pages(pdf, dividers)
        order = authored[: starts[0]]
        for number, start, end in zip(dividers, starts, [*starts[1:], authored_pages], strict=True):
            order += authored[start:end]
            if number in appendices:
                order += [page.obj for page in appendices[number].pages]
    else:
        order = authored
    root = pdf.Root.Pages
    for page in order:
        for key in ("/MediaBox", "/CropBox", "/Rotate", "/Resources"):
            inherited = _inherited(page, key)
            if inherited is not None:
                page[key] = inherited
    for page in order:
        page.Parent = root
    root.Kids = Array(order)
    root.Count = len(order)
    return {page.objgen: index for index, page in enumerate(order)}


def _inherited(page: pikepdf.Object, key: str) -> Any:
    node = page
    for _ in range(50):
        if key in node:
            return node[key]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    return None


def _divider_pages(pdf: Pdf, numbers: list[int]) -> list[int]:
    """Page indexes (from 0) of the divider pages: where the last bookmarks of the authored part point to."""
    positions = {page.obj.objgen: index for index, page in enumerate(pdf.pages)}
    with pdf.open_outline() as contents:
        items = list(_walk(contents.root))[-len(numbers) :]
    return [positions[_target(item).objgen] for item in items]


def _walk(items: Sequence[OutlineItem]) -> Iterator[OutlineItem]:
    for item in items:
        yield item
        yield from _walk(item.children)


def _target(item: OutlineItem) -> Any:
    destination: Any = item.destination
    if destination is None and item.action is not None:
        destination = item.action.get(Name.D)
    return destination[0] if isinstance(destination, Array) else None


# --- stamps ---------------------------------------------------------------------------------------------------------


def _stamp_all(pdf: Pdf, appendices: Any, words: dict[str, str], places: Places) -> Iterator[int]:
    """Wraps each evidence page's own content as one form (so that nothing in it can disturb or hide the stamps) and stamps.
    Gives the number of appendices done, after each.
    """
    total = len(places)
    font = _StampFont(pdf, _stamp_characters(appendices, words))
    for done, appendix in enumerate(appendices, 1):
        number, count = appendix.item["number"], len(appendix.pages)
        for sheet, page in enumerate(appendix.pages, 1):
            top = f"{words['appendix']} {number} · {words['sheet']} {sheet} {words['of']} {count}"
            bottom = f"{words['reference']} · {words['page']} {places[page.obj.objgen] + 1} {words['of']} {total}"
            if words["mark"]:
                bottom = f"{words['mark']} · {bottom}"
            _wrap(pdf, page, font, top, bottom)
        yield done


def _stamp_characters(appendices: Any, words: dict[str, str]) -> str:
    return "0123456789 ·" + "".join(words.values())


def _wrap(pdf: Pdf, page: Page, font: "_StampFont", top: str, bottom: str) -> None:
    content = _as_form(pdf, page)
    placed, width, height = _upright(page)
    scale = max(1.0, min(width, height) / 595)
    placed += f" cm {scale:.4f} 0 0 {scale:.4f} 0 0".encode()
    width, height = width / scale, height / scale
    stamps = _label(font, top, width, height - STAMP_MARGIN) + _label(font, bottom, width, STAMP_MARGIN + STAMP_SIZE + 5)
    stream = b"/Figure <</MCID 0>> BDC q /Evidence Do Q EMC\n/Artifact BMC q " + placed + b" cm\n" + stamps + b"Q EMC\n"
    page.obj.Contents = pdf.make_stream(stream)
    page.obj.Resources = Dictionary(
        XObject=Dictionary(Evidence=content), Font=Dictionary(Stamp=font.object), ExtGState=Dictionary(Solid=font.solid)
    )
    _drop(page.obj, "/StructParents")
    for annotation in page.obj.get("/Annots", []):
        if isinstance(annotation, Dictionary):
            _drop(annotation, "/StructParent")


def _as_form(pdf: Pdf, page: Page) -> pikepdf.Object:
    """The page's content as a form of its own. Its marked content keeps numbers that mean nothing outside the form."""
    if isinstance(page.obj.get("/Contents"), Array):
        page.contents_coalesce()
    contents: Any = page.obj.get("/Contents")
    form = pdf.make_stream(b"")
    if isinstance(contents, pikepdf.Stream):
        encoding: Any = contents.get("/Filter")
        parameters: Any = contents.get("/DecodeParms")
        form.write(contents.read_raw_bytes(), filter=encoding, decode_parms=parameters)
    form.Type, form.Subtype = Name.XObject, Name.Form
    form.BBox = page.mediabox
    form.Resources = page.obj.get("/Resources", Dictionary())
    if "/Group" in page.obj:
        form.Group = page.obj.Group
    return form


def _upright(page: Page) -> tuple[bytes, float, float]:
    """The matrix from a space whose origin is the visible page's lower left corner as read, and its width and height."""
    x0, y0, x1, y1 = _visible_box(page)
    wide, high = x1 - x0, y1 - y0
    turn = int(_inherited(page.obj, "/Rotate") or 0) % 360
    matrix, width, height = {
        90: ((0, 1, -1, 0, x1, y0), high, wide),
        180: ((-1, 0, 0, -1, x1, y1), wide, high),
        270: ((0, -1, 1, 0, x0, y1), high, wide),
    }.get(turn, ((1, 0, 0, 1, x0, y0), wide, high))
    unit = 1 / float(page.obj.get("/UserUnit", 1))
    a, b, c, d, e, f = matrix
    scaled = (a * unit, b * unit, c * unit, d * unit, e, f)
    return " ".join(f"{value:.5f}" for value in scaled).encode(), width / unit, height / unit


def _visible_box(page: Page) -> tuple[float, float, float, float]:
    """The crop box inside the media box, both put the right way round."""
    crop, media = _box(page.cropbox), _box(page.mediabox)
    box = (max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3]))
    return box if box[0] < box[2] and box[1] < box[3] else media


def _box(array: Any) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in array)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _label(font: "_StampFont", text: str, page_width: float, top: float) -> bytes:
    """A white label with petrol letters at the right edge; made smaller on a page that is too narrow for it."""
    room = page_width - 2 * STAMP_MARGIN - 10
    size = min(STAMP_SIZE, STAMP_SIZE * max(room, 20) / font.width(text, STAMP_SIZE))
    width = font.width(text, size) + 10
    left, height = page_width - STAMP_MARGIN - width, size + 5
    return (
        (
            f"/Solid gs 1 1 1 rg 0.06 0.3 0.36 RG 0.6 w {left:.2f} {top - height:.2f} {width:.2f} {height:.2f} re B\n"
            f"0.06 0.3 0.36 rg BT 0 Tr 0 Tc 0 Tw 100 Tz 0 Ts /Stamp {size:.2f} Tf {left + 5:.2f} {top - height + 4:.2f} Td "
        ).encode()
        + font.shown(text)
        + b" Tj ET\n"
    )


class _StampFont:
    """A small embedded font with just the characters of the stamps, addressed by glyph number."""

    def __init__(self, pdf: Pdf, characters: str) -> None:
        with TTFont(STAMP_FONT, recalcTimestamp=False) as font:
            self._names = font.getBestCmap()
            self._known = {one for one in characters if ord(one) in self._names}
            options = subset.Options(notdef_outline=True, layout_features=[], name_IDs=[], drop_tables=["GPOS", "GSUB", "GDEF"])
            cutter = subset.Subsetter(options)
            cutter.populate(unicodes=[ord(one) for one in self._known | {"?"}])
            cutter.subset(font)
            self._glyphs = {one: font.getGlyphID(self._names[ord(one)]) for one in sorted(self._known | {"?"})}
            scale = 1000 / font["head"].unitsPerEm
            self._widths = {one: round(font["hmtx"][self._names[ord(one)]][0] * scale) for one in self._glyphs}
            data = _font_bytes(font)
            box = [round(font["head"].xMin * scale), round(font["head"].yMin * scale)]
            box += [round(font["head"].xMax * scale), round(font["head"].yMax * scale)]
            ascent, descent = round(font["hhea"].ascent * scale), round(font["hhea"].descent * scale)
        name = Name("/STAMPS+SourceSans3-SemiBold")
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=Array(box),
            ItalicAngle=0,
            Ascent=ascent,
            Descent=descent,
            CapHeight=660,
            StemV=110,
            FontFile2=pdf.make_stream(data, Length1=len(data)),
        )
        widths = Array([part for one, glyph in self._glyphs.items() for part in (glyph, Array([self._widths[one]]))])
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=name,
            CIDToGIDMap=Name.Identity,
            DW=0,
            W=widths,
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
            FontDescriptor=pdf.make_indirect(descriptor),
        )
        self.object = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=name,
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([pdf.make_indirect(descendant)]),
                ToUnicode=pdf.make_stream(self._to_unicode()),
            )
        )
        self.solid = pdf.make_indirect(Dictionary(Type=Name.ExtGState, ca=1, CA=1, BM=Name.Normal, SMask=Name("/None")))

    def width(self, text: str, size: float) -> float:
        thousandths: int = sum(self._widths[one] for one in self._safe(text))
        return thousandths * size / 1000

    def shown(self, text: str) -> bytes:
        return b"<" + "".join(f"{self._glyphs[one]:04x}" for one in self._safe(text)).encode() + b">"

    def _safe(self, text: str) -> str:
        return "".join(one if one in self._glyphs else "?" for one in text)

    def _to_unicode(self) -> bytes:
        pairs = "\n".join(f"<{glyph:04x}> <{ord(one):04x}>" for one, glyph in self._glyphs.items())
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Stamp def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
            f"{len(self._glyphs)} beginbfchar\n{pairs}\nendbfchar\n"
            "endcmap CMapName currentdict /CMap defineresource pop end end"
        ).encode()


def _font_bytes(font: TTFont) -> bytes:
    buffer = BytesIO()
    font.save(buffer)
    return buffer.getvalue()


# --- structure, bookmarks, metadata ------------------------------------------------------------------------------


def _tag(pdf: Pdf, appendices: Any, words: dict[str, str]) -> None:
    """One Figure with alternative text for each evidence page, in a section for each appendix, behind the authored tags."""
    tree = pdf.Root.StructTreeRoot
    numbers = pikepdf.NumberTree(tree.ParentTree)
    key = max((int(number) for number in numbers), default=-1) + 1
    document = _document_element(tree)
    for appendix in appendices:
        number, title, count = appendix.item["number"], appendix.item["title"], len(appendix.pages)
        section = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Sect, P=document, K=Array([])))
        for sheet, page in enumerate(appendix.pages, 1):
            alternative = f"{words['appendix']} {number}, {words['sheet']} {sheet} {words['of']} {count}: {title}"
            figure = pdf.make_indirect(
                Dictionary(
                    Type=Name.StructElem,
                    S=Name.Figure,
                    P=section,
                    K=0,
                    Pg=page.obj,
                    Alt=String(alternative),
                    A=Dictionary(O=Name.Layout, Placement=Name.Block, BBox=Array(list(_visible_box(page)))),
                )
            )
            section.K.append(figure)
            page.obj.StructParents = key
            page.obj.Tabs = Name.S
            numbers[key] = Array([figure])
            key += 1
        _children(document).append(section)
    tree.ParentTreeNextKey = key


def _document_element(tree: pikepdf.Object) -> pikepdf.Object:
    kids = tree.K
    first: pikepdf.Object = kids[0] if isinstance(kids, Array) else kids
    return first


def _drop(dictionary: pikepdf.Object, key: str) -> None:
    if key in dictionary:
        del dictionary[key]


def _children(element: pikepdf.Object) -> pikepdf.Object:
    if not isinstance(element.get("/K"), Array):
        element.K = Array([element.K] if "/K" in element else [])
    return element.K


def _bookmark(pdf: Pdf, appendices: dict[int, _Appendix], places: Places) -> None:
    """The bookmarks of each appendix become children of its own bookmark, one by one: pikepdf does not copy them."""
    with pdf.open_outline() as contents:
        starts = {places[_target(item).objgen]: item for item in _walk(contents.root)}
        for appendix in appendices.values():
            first = places[appendix.pages[0].obj.objgen]
            divider = starts[max(start for start in starts if start < first)]
            with pikepdf.open(appendix.item["pages_pdf"]) as source, source.open_outline() as theirs:
                sheets = {page.obj.objgen: index for index, page in enumerate(source.pages)}
                divider.children.extend(_copied(theirs.root, sheets, appendix.pages))


def _copied(items: Sequence[OutlineItem], sheets: Places, pages: list[Page]) -> Iterator[OutlineItem]:
    """Copies of those that point to a page of their own file; children of others move up."""
    for item in items:
        children = list(_copied(item.children, sheets, pages))
        sheet = sheets.get(getattr(_target(item), "objgen", None))
        if sheet is None:
            yield from children
            continue
        copy = OutlineItem(item.title, Array([pages[sheet].obj, Name.Fit]))
        copy.children.extend(children)
        yield copy


def _finish(pdf: Pdf) -> None:
    """Takes away what is no longer true: the claims of PDF/A and PDF/UA, and page labels that skip the appendices."""
    metadata = etree.fromstring(pdf.Root.Metadata.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    for element in list(metadata.iter(etree.Element)):
        for name in [name for name in element.attrib if CLAIMS.match(str(name))]:
            del element.attrib[name]
        parent = element.getparent()
        if parent is not None and CLAIMS.match(str(element.tag)):
            parent.remove(element)
    etree.cleanup_namespaces(metadata)
    packet = (XPACKET_START, etree.tostring(metadata, encoding="unicode"), XPACKET_END)
    pdf.Root.Metadata = pdf.make_stream("\n".join(packet).encode(), Type=Name.Metadata, Subtype=Name.XML)
    _drop(pdf.Root, "/PageLabels")
    _drop(pdf.Root, "/OutputIntents")
