"""Reads the finished PDF and DOCX back, with other libraries than made them, and holds them against the outline.

What must be there: every chapter, answer and appendix, in order; every page of every appendix behind its own divider
page; page numbers, bookmarks and links that are right. Reading happens in a limited child (the pages are foreign),
judging here.
"""

import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from app.documents.content import Outline, Part, Rows, block_texts, is_tall, plain
from app.errors import SealingFailed
from app.files import sandbox
from app.plugin_api import Block, EvidenceReference, Facts, ListBlock, Paragraph, Table
from app.texts import both

LIMITS: dict[str, Any] = {"wall_seconds": 300, "memory_mb": 3000, "cpu_seconds": 300, "file_mb": 1}
WORD_NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MAX_GAP = 600
SHORTEST_PIECE = 2  # letters of a hyphenated word that stand alone
"""Letters that may stand between two words of one text: a running head and foot and a table's repeated header."""


@dataclass(frozen=True)
class Expected:
    """A text that must stand in the product; ``place`` says where, in words for people.

    ``beside``: in the same row of a table as the text before, so that it may be read before the end of that one, when the
    row runs on over the next page.
    """

    place: str
    text: str
    beside: bool = False


def check_pdf(pdf: Path, outline: Outline) -> int:
    """Checks the merged PDF and gives its number of pages. Raises ``SealingFailed`` (step ``check``), naming what is wrong."""
    appendices = [{"heading": _squeezed(item.heading), "pages": item.pages} for item in outline.evidence]
    read = sandbox.run("app.documents.product_check:read_pdf", {"pdf": str(pdf), "appendices": appendices}, **LIMITS).value
    faults: list[str] = []
    _check_bookmarks(outline, read, faults)
    if faults:  # without these nobody knows which page is which
        raise _failed(faults)
    _check_appendices(outline, read, faults)
    if faults:
        raise _failed(faults)
    _check_links(outline, read, faults)
    _check_page_numbers(outline, read, faults)
    authored = [text for text, sheet in zip(read["texts"], read["sheets"], strict=True) if not sheet]
    _check_order(outline, _without_running_texts(authored, outline), faults)
    _check_signs(outline, "".join(authored), faults)
    if faults:
        raise _failed(faults)
    return len(read["texts"])


def check_docx(docx: Path, outline: Outline) -> None:
    """Checks the DOCX: every text in order, and a bookmark for each link. Raises ``SealingFailed`` (step ``check``)."""
    faults: list[str] = []
    with zipfile.ZipFile(docx) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))  # noqa: S314 - our own product
    words = "".join(element.text or "" for element in body.iter(f"{WORD_NAMESPACE}t"))
    _check_order(outline, _squeezed(words), faults)
    _check_signs(outline, words, faults)
    names = {element.get(f"{WORD_NAMESPACE}name") for element in body.iter(f"{WORD_NAMESPACE}bookmarkStart")}
    for link in body.iter(f"{WORD_NAMESPACE}hyperlink"):
        anchor = link.get(f"{WORD_NAMESPACE}anchor")
        if anchor not in names:
            faults.append(f"link to {anchor}")
    if faults:
        raise _failed(faults)


def expected_texts(outline: Outline) -> Iterator[Expected]:
    """Everything that both documents must say, in the order of both."""
    for text in (outline.organisation, outline.title, *outline.subtitles, outline.candidate):
        yield Expected(outline.title, text)
    for label, value in outline.cover_facts:
        yield Expected(outline.title, label)
        yield Expected(outline.title, value)
    for chapter in outline.chapters:
        title = f"{chapter.number} {chapter.title}"
        yield Expected(title, f"{chapter.number}{chapter.title}")
        yield from _block_texts(title, chapter.blocks)
        for part in chapter.parts:
            yield from _part_texts(part)
    for item in outline.evidence:
        yield Expected(item.heading, item.heading)
        yield from _row_texts(item.heading, item.facts)
        yield from (Expected(item.heading, note) for note in item.notes)


def _part_texts(part: Part) -> Iterator[Expected]:
    title = f"{part.number} {part.title}"
    if part.kicker:
        yield Expected(title, part.kicker)
    yield Expected(title, f"{part.number}{part.title}")
    if part.is_area:
        yield Expected(title, part.size)
        yield from _row_texts(title, part.criteria)
    yield from _block_texts(title, part.blocks)


def _row_texts(place: str, rows: Rows) -> Iterator[Expected]:
    for label, runs in rows:
        yield Expected(f"{place} – {label}", label)
        yield Expected(f"{place} – {label}", plain(runs))


def _block_texts(place: str, blocks: Sequence[Block]) -> Iterator[Expected]:
    where = place
    for block in blocks:
        if isinstance(block, Paragraph) and block.look == "label":
            where = f"{place} – {plain(block.runs)}"
        if isinstance(block, Facts):
            yield from _row_texts(place, block.rows)
        elif isinstance(block, Table):
            yield from (Expected(where, text) for text in (block.caption, *block.header))
            for row in (*block.rows, block.totals):
                tall = is_tall(row)
                yield from (Expected(where, plain(cell), beside=tall and index > 0) for index, cell in enumerate(row))
        else:
            yield from (Expected(where, text) for text in block_texts(block))


# --- reading, in the child -----------------------------------------------------------------------------------------


def read_pdf(pdf: str, appendices: list[dict[str, Any]]) -> dict[str, Any]:
    """What an independent reader finds in the PDF, by page (from 0).

    ``texts``: text of authored pages, stamps of appendix pages. ``sheets``: 0 for authored pages, else the number of
    the sheet within its appendix. ``bookmarks``: [title, page]. ``links``: [page, page that it leads to or address].
    """
    import pypdf

    with Path(pdf).open("rb") as stream:
        reader = pypdf.PdfReader(stream, strict=False)
        pages = list(reader.pages)
        numbers = {page.indirect_reference.idnum: index for index, page in enumerate(pages) if page.indirect_reference}
        bookmarks = [[item.title, reader.get_destination_page_number(item)] for item in _flat(reader.outline)]
        sheets = _sheets(bookmarks, appendices, len(pages))
        destinations = reader.named_destinations
        links = [[index, target] for index, page in enumerate(pages) for target in _targets(page, numbers, destinations, reader)]
        texts = []
        for page, sheet in zip(pages, sheets, strict=True):
            if sheet:
                _leave_out_evidence(page)
            texts.append(page.extract_text())
    return {"texts": texts, "sheets": sheets, "bookmarks": bookmarks, "links": links}


def _leave_out_evidence(page: Any) -> None:
    """Only the stamps are read on a page of an appendix: an empty form takes the place of its content."""
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    nothing = DecodedStreamObject()
    nothing[NameObject("/Type")], nothing[NameObject("/Subtype")] = NameObject("/XObject"), NameObject("/Form")
    page["/Resources"][NameObject("/XObject")] = DictionaryObject({NameObject("/Evidence"): nothing})


def _flat(items: Any) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _sheets(bookmarks: list[list[Any]], appendices: list[dict[str, Any]], total: int) -> list[int]:
    """The sheet number of each page of an appendix: the last pages before the next divider page. 0 for all others."""
    found = {_squeezed(title): page for title, page in bookmarks}
    starts = [found.get(item["heading"], -1) for item in appendices]
    sheets = [0] * total
    for item, end in zip(appendices, [*starts, total][1:], strict=True):
        for sheet in range(1, item["pages"] + 1):
            page = end - item["pages"] + sheet - 1
            if 0 <= page < total:
                sheets[page] = sheet
    return sheets


def _targets(page: Any, numbers: dict[int, int], destinations: Any, reader: Any) -> Iterator[int | str]:
    for annotation in page.get("/Annots") or []:
        about = annotation.get_object()
        if about.get("/Subtype") != "/Link":
            continue
        action = about.get("/A", {}).get_object() if "/A" in about else {}
        if "/URI" in action:
            yield str(action["/URI"])
            continue
        target = about.get("/Dest", action.get("/D"))
        if isinstance(target, str):
            named = destinations.get(str(target))
            page_number = reader.get_destination_page_number(named) if named is not None else None
            if page_number is not None:
                yield int(page_number)
        elif target is not None:
            yield numbers.get(getattr(target[0], "idnum", -1), -1)


# --- judging -------------------------------------------------------------------------------------------------------


def _check_bookmarks(outline: Outline, read: dict[str, Any], faults: list[str]) -> None:
    """A bookmark for each chapter, part and appendix, in order, to a page that has the title on it."""
    titles = [outline.words.contents]
    for chapter in outline.chapters:
        titles.append(f"{chapter.number}{chapter.title}")
        titles += [f"{part.number}{part.title}" for part in chapter.parts]
    titles += [item.heading for item in outline.evidence]
    marks = iter(read["bookmarks"])
    for title in titles:
        page = next((page for mark, page in marks if _squeezed(mark) == _squeezed(title)), None)
        if page is None:
            faults.append(f"bookmark: {title}")
            return
        if _squeezed(title) not in _squeezed(read["texts"][page]) and not _in_pieces(title, read["texts"][page]):
            faults.append(f"page of bookmark: {title}")


def _check_page_numbers(outline: Outline, read: dict[str, Any], faults: list[str]) -> None:
    """On every page but the cover its number and their total; on every page the mark of what is not valid."""
    total = len(read["texts"])
    places = [f"{outline.words.page} {number} {outline.words.of} {total}" for number in range(1, total + 1)]
    wrong: list[str] = []
    for place, text in zip(places, map(_squeezed, read["texts"]), strict=True):
        if place != places[0] and _squeezed(place) not in text:
            wrong.append(place)
        if _squeezed(outline.mark) not in text:
            wrong.append(f"{outline.mark}: {place}")
    faults += wrong[:3]


def _check_appendices(outline: Outline, read: dict[str, Any], faults: list[str]) -> None:
    starts = {_squeezed(title): page for title, page in read["bookmarks"]}
    ends = [*(starts[_squeezed(item.heading)] for item in outline.evidence), len(read["texts"])][1:]
    for item, end in zip(outline.evidence, ends, strict=True):
        start = starts[_squeezed(item.heading)]
        if end - start <= item.pages or read["sheets"][start]:
            faults.append(f"{item.heading}: {item.pages} {outline.words.page}")
            continue
        for sheet, text in enumerate(read["texts"][end - item.pages : end], start=1):
            stamp = f"{outline.words.appendix} {item.number} · {outline.words.sheet} {sheet} {outline.words.of} {item.pages}"
            if _squeezed(stamp) not in _squeezed(text):
                faults.append(f"{item.heading}: {outline.words.sheet} {sheet}")


def _check_links(outline: Outline, read: dict[str, Any], faults: list[str]) -> None:
    """Each reference to an appendix leads to its divider page, and so does its line in the contents list."""
    starts = {_squeezed(title): page for title, page in read["bookmarks"]}
    references = Counter(block.number for block in _blocks(outline) if isinstance(block, EvidenceReference))
    leading = Counter(target for _, target in read["links"])
    for item in outline.evidence:
        if leading[starts[_squeezed(item.heading)]] < references[item.number] + 1:
            faults.append(f"link: {item.heading}")
    addresses = {target for _, target in read["links"] if isinstance(target, str)}
    for address in _addresses(outline):
        if address not in addresses:
            faults.append(f"link: {address}")


def _blocks(outline: Outline) -> Iterator[Block]:
    for chapter in outline.chapters:
        yield from chapter.blocks
        for part in chapter.parts:
            yield from part.blocks


def _addresses(outline: Outline) -> Iterator[str]:
    for block in _blocks(outline):
        match block:
            case Paragraph(runs=runs):
                texts = [runs]
            case ListBlock(items=items):
                texts = list(items)
            case Facts(rows=rows):
                texts = [runs for _, runs in rows]
            case Table(rows=cells):
                texts = [cell for row in cells for cell in row]
            case _:
                continue
        yield from (run.link for runs in texts for run in runs if run.link)


def _check_order(outline: Outline, letters: str, faults: list[str]) -> None:
    """Every expected text stands in the product (``letters``: squeezed), each after the one before."""
    position = row = 0
    for expected in expected_texts(outline):
        if not expected.beside:
            row = position
        end = _found(expected.text, letters, row)
        if end is None:
            faults.append(expected.place)
        else:
            position = max(position, end)


def _check_signs(outline: Outline, product: str, faults: list[str]) -> None:
    """No sign, emoji or right-to-left letter stands in the product less often than in the outline."""
    wanted = Counter(_signs("".join(expected.text for expected in expected_texts(outline))))
    if missing := wanted - Counter(_signs(product)):
        faults.append(" ".join(sorted(missing)))


def _found(text: str, haystack: str, position: int) -> int | None:
    """Where ``text`` ends, looking from ``position``; a page break may come between its words, or inside one of them."""
    needle = _squeezed(text)
    at = haystack.find(needle, position)
    if at >= 0:
        return at + len(needle)
    start = position
    for word in map(_squeezed, _legible(text)):
        end = _word_found(word, haystack, start, None if start == position else MAX_GAP)
        if end is None:
            return None
        start = end
    return start


def _legible(text: str) -> list[str]:
    """The words, but for those with accents that no single character has (``ẹ̀``): readers repeat or split such letters."""
    words = unicodedata.normalize("NFKC", text).split()
    return [word for word in words if not any(unicodedata.combining(one) for one in word)]


def _word_found(word: str, haystack: str, start: int, gap: int | None) -> int | None:
    """Where a word ends that begins at most ``gap`` letters after ``start``: whole, or cut in two where a page ends."""
    whole = haystack.find(word, start)
    if whole >= 0 and (gap is None or whole - start <= gap):
        return whole + len(word)
    for cut in range(len(word) - SHORTEST_PIECE, SHORTEST_PIECE - 1, -1):
        first = haystack.find(word[:cut], start)
        if first < 0 or (gap is not None and first - start > gap):
            continue
        rest = haystack.find(word[cut:], first + cut, first + cut + MAX_GAP + len(word))
        if rest >= 0:
            return rest + len(word) - cut
    return None


def _in_pieces(title: str, text: str) -> bool:
    return _found(title, _squeezed(text), 0) is not None


def _without_running_texts(pages: Sequence[str], outline: Outline) -> str:
    """The pages' letters in one, without the running head and foot, which may cut a text in two."""
    head = _squeezed(outline.running_head) + _squeezed(outline.mark)
    chapters = "|".join(re.escape(_squeezed(f"{chapter.number}{chapter.title}")) for chapter in outline.chapters)
    organisation, page, of = map(_squeezed, (outline.organisation, outline.words.page, outline.words.of))
    foot = re.compile(rf"{re.escape(organisation)}(?:{chapters})?{page}\d+{of}\d+$")
    return "".join(foot.sub("", _squeezed(text).removeprefix(head)) for text in pages)


# Readers give the letters of right-to-left words in their own order, and marks before or after their letter.
_LEFT_TO_RIGHT = ("L", "EN", "AN", "")


def _squeezed(text: str) -> str:
    """The letters and digits of left-to-right scripts, without anything between: what every reader gives alike."""
    composed = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return "".join(
        one for one in composed if one.isalnum() and (one.isascii() or unicodedata.bidirectional(one) in _LEFT_TO_RIGHT)
    )


def _signs(text: str) -> str:
    """Everything else that shows: signs, emoji, letters of right-to-left scripts."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(
        one
        for one in composed
        if not one.isascii() and not one.isspace() and unicodedata.category(one) not in ("Cf", "Mn", "Me") and not _squeezed(one)
    )


def _failed(faults: list[str]) -> SealingFailed:
    listed = "; ".join(dict.fromkeys(faults))
    text = both(
        "Het gemaakte document klopt niet met wat is ingediend. Dit ontbreekt of staat verkeerd: %(missing)s. Probeer het "
        "opnieuw; blijft het zo, waarschuw dan de beheerder.",
        missing=listed[:2000],
    )
    return SealingFailed(text, step="check", faults=len(faults))
