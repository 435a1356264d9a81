"""The authored part as PDF: the Outline becomes plain data, Typst sets it by the house style's template.

``compile_pdf`` runs in a child process of its own for every document (``files.sandbox``): the typesetter keeps what it
has set in memory for the life of its process.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf

from app.config import ROOT
from app.documents.content import (
    Outline,
    Part,
    Rows,
    column_shares,
    evidence_anchor,
    is_kept_whole,
    is_tall,
    label_share,
    totals_cells,
)
from app.files import sandbox
from app.plugin_api import Block, Declaration, EvidenceReference, Facts, Heading, ListBlock, Paragraph, Runs, Signature, Table

if TYPE_CHECKING:
    import typst

HOUSE_STYLE = ROOT / "dossier_templates" / "house_style"
LIMITS = {"wall_seconds": 120, "memory_mb": 2500, "cpu_seconds": 120, "file_mb": 600}
DRAFT_LIMITS = {"wall_seconds": 20, "memory_mb": 1500, "cpu_seconds": 20, "file_mb": 100}
PART_LIMITS = {"wall_seconds": 5, "memory_mb": 1000, "cpu_seconds": 5, "file_mb": 1}
MOST_PAGES = 30
MOST_SVG = 4_000_000
"""So much of a part is drawn: nobody looks further beside a form. A page is some 250 kB, one of odd signs 800 kB."""

LONG_WORD = re.compile(r"\S{18,}")
LONGEST_REAL_WORD = 40
PUNCTUATION = frozenset("-.,;:!?()'\"‘’“”")
STEP = 8
BREAK = "\u200b"
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Drawing:
    """A part as SVG pages, at most ``MOST_PAGES`` and ``MOST_SVG`` bytes of the ``count`` that it has.

    ``places``: for each question id the page where it starts (from 1) and how far down (0 is the top, 1 the bottom).
    """

    pages: tuple[str, ...]
    count: int
    places: Mapping[str, tuple[int, float]]


def typeset(outline: Outline, folder: Path, limits: Mapping[str, Any] = LIMITS) -> Path:
    """Sets the authored part in ``folder`` (existing, private) and gives the path of the PDF (A-3a and UA-1).

    The page counter leaves room for the pages of each appendix behind its divider page; they are not in this file. The
    same outline gives the same bytes. Raises ``SandboxFailure`` when the typesetter stops.
    """
    target = folder / "authored.pdf"
    (folder / "data.json").write_text(json.dumps(document_data(outline), ensure_ascii=False), encoding="utf-8")
    shutil.copyfile(HOUSE_STYLE / "dossier.typ", folder / "dossier.typ")
    payload = {"folder": str(folder), "target": str(target), "timestamp": int(outline.submitted_at.timestamp())}
    sandbox.run("app.documents.typesetting:compile_pdf", payload, **limits)
    return target


def compile_pdf(folder: str, target: str, timestamp: int) -> dict[str, Any]:
    """In the child: ``dossier.typ`` in ``folder`` to the PDF ``target``. Gives the number of pages."""
    import typst  # only ever loaded in children

    compiler = typst.Compiler(root=folder, font_paths=_fonts())
    compiler.compile(
        str(Path(folder) / "dossier.typ"),
        output=f"{target}.raw",
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        timestamp=timestamp,
    )
    with pikepdf.open(f"{target}.raw") as pdf:
        _mark_row_headers(pdf)
        pages = len(pdf.pages)
        pdf.save(target, deterministic_id=True, linearize=False)
    Path(f"{target}.raw").unlink()
    return {"pages": pages}


def draw_part(outline: Outline, anchor: str) -> Drawing:
    """One part as pictures, set by the same template as the whole, in a tenth of the time. Writes nothing to disk.

    Pages break as in the whole where the part starts a page there. Raises ``SandboxFailure`` when the typesetter stops,
    ``KeyError`` when there is no such part.
    """
    payload = {"data": json.dumps(part_data(outline, anchor), ensure_ascii=False)}
    drawn = sandbox.run("app.documents.typesetting:compile_part", payload, **PART_LIMITS).value
    return Drawing(tuple(drawn["pages"]), drawn["count"], {one["id"]: (one["page"], one["at"]) for one in drawn["places"]})


def compile_part(data: str) -> dict[str, Any]:
    """In the child: the first pages as SVG, the number of all, and on which page (from 1) and how far down (from 0 to 1)
    each question starts.
    """
    import typst

    os.nice(5)  # pages that people wait for come first
    compiler = typst.Compiler(root=str(HOUSE_STYLE), font_paths=_fonts(), sys_inputs={"data": data})
    made = compiler.compile(str(HOUSE_STYLE / "dossier.typ"), format="svg")
    pages = made if isinstance(made, list) else [made or b""]
    places = json.loads(compiler.query("<place>", field="value"))
    sizes = accumulate(len(page) for page in pages)
    sent = [page.decode() for page, size in zip(pages, sizes, strict=True) if size <= MOST_SVG or page is pages[0]]
    return {"pages": sent[:MOST_PAGES], "count": len(pages), "places": places}


def _fonts() -> "typst.Fonts":
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HOUSE_STYLE / "fonts")])


def _mark_row_headers(pdf: pikepdf.Pdf) -> None:
    """In tables without header cells (facts) the first cell of each row is the header; Typst cannot say so yet."""
    for table in _elements(pdf.Root.StructTreeRoot, "/Table"):
        if any(True for _ in _elements(table, "/TH")):
            continue
        for row in _elements(table, "/TR"):
            cell = next(_elements(row, "/TD"), None)
            if cell is not None:
                cell.S = pikepdf.Name.TH
                cell.A = pikepdf.Dictionary(O=pikepdf.Name.Table, Scope=pikepdf.Name.Row)


def _elements(element: pikepdf.Object, role: str) -> Iterator[pikepdf.Object]:
    """The structure elements with this role below ``element``, in reading order; not inside one that matches."""
    children: Any = element.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if not isinstance(child, pikepdf.Dictionary) or "/S" not in child:
            continue
        if str(child.S) == role:
            yield child
        else:
            yield from _elements(child, role)


# --- data for the template -----------------------------------------------------------------------------------------


def document_data(outline: Outline) -> dict[str, Any]:
    """What the template reads as ``data.json``: strings, numbers and flags, nothing to evaluate."""
    return {
        "language": outline.language,
        "region": "NL" if outline.language == "nl" else "GB",
        "title": outline.document_title,
        "description": f"{outline.organisation} · {outline.reference}",
        "cover-title": _breakable(outline.title),
        "subtitles": [_breakable(text) for text in outline.subtitles],
        "reference": outline.reference,
        "organisation": _breakable(outline.organisation),
        "author": outline.candidate,
        "candidate": _breakable(outline.candidate),
        "running-head": _breakable(outline.running_head),
        "mark": outline.mark,
        "watermark": outline.watermark,
        "alone": False,
        "words": {
            "contents": outline.words.contents,
            "page": outline.words.page,
            "of": outline.words.of,
            "appendix": outline.words.appendix,
            "criterion": outline.words.criterion,
            "refused": outline.words.refused,
        },
        "cover-facts": [{"label": label, "value": [_plain(value)]} for label, value in outline.cover_facts],
        "chapters": [
            {
                "number": str(chapter.number),
                "title": _breakable(chapter.title),
                "anchor": chapter.id,
                "new-page": chapter.starts_page,
                "blocks": [_block(block) for block in chapter.blocks],
                "parts": [_part(part) for part in chapter.parts],
            }
            for chapter in outline.chapters
        ],
        "evidence": [
            {
                "number": item.number,
                "heading": _breakable(item.heading),
                "title": _breakable(item.title),
                "anchor": item.anchor,
                "pages": item.pages,
                "facts": _fact_rows(item.facts),
                "notes": list(item.notes),
            }
            for item in outline.evidence
        ],
        "pages-after-last": outline.evidence[-1].pages if outline.evidence else 0,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "number": part.number,
        "title": _breakable(part.title),
        "anchor": part.anchor,
        "kicker": part.kicker,
        "criteria": _fact_rows(part.criteria),
        "size": part.size,
        "blocks": [
            {**_block(block), "opens": list(opens)} for block, opens in zip(part.blocks, part.opens or repeat(()), strict=False)
        ],
    }


def part_data(outline: Outline, anchor: str) -> dict[str, Any]:
    """The same data with only this part in it, and what stands above it when it is the first of its chapter."""
    data = document_data(outline)
    for chapter in data["chapters"]:
        for number, part in enumerate(chapter["parts"]):
            if part["anchor"] == anchor:
                first = chapter if number == 0 else {**chapter, "title": "", "blocks": []}
                return {**data, "alone": True, "chapters": [{**first, "parts": [part]}], "evidence": []}
    raise KeyError(anchor)


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading(text=text, level=level):
            return {"kind": "heading", "text": _breakable(text), "level": level}
        case Paragraph(runs=runs, look=look):
            return {"kind": "paragraph", "runs": _runs(runs), "look": look}
        case ListBlock(items=items, ordered=ordered):
            return {"kind": "list", "items": [{"runs": _runs(item)} for item in items], "ordered": ordered}
        case Facts(rows=rows):
            return {"kind": "facts", "rows": _fact_rows(rows), "label-share": label_share(rows)}
        case Table():
            return _table(block)
        case Declaration(text=text, agreed=agreed):
            return {"kind": "declaration", "text": _breakable(text), "agreed": agreed}
        case EvidenceReference(number=number, title=title):
            return {"kind": "evidence", "number": number, "title": _breakable(title), "anchor": evidence_anchor(number)}
        case Signature(name=name, lines=lines):
            return {"kind": "signature", "name": _breakable(name), "lines": [_breakable(line) for line in lines]}


def _table(table: Table) -> dict[str, Any]:
    columns = [
        {"title": _breakable(title), "share": share, "numeric": index in table.numeric}
        for index, (title, share) in enumerate(zip(table.header, column_shares(table), strict=True))
    ]
    return {
        "kind": "table",
        "caption": _breakable(table.caption),
        "columns": columns,
        "rows": [{"cells": [{"runs": _runs(cell)} for cell in row], "breakable": is_tall(row)} for row in table.rows],
        "totals": [{"runs": _runs(cell), "columns": columns} for cell, columns in totals_cells(table)],
        "whole": is_kept_whole(table),
    }


def _fact_rows(rows: Rows) -> list[dict[str, Any]]:
    return [{"label": _breakable(label), "value": _runs(runs), "breakable": is_tall((runs,))} for label, runs in rows]


def _runs(runs: Runs) -> list[dict[str, Any]]:
    return [
        {**_plain(run.text), "bold": run.bold, "italic": run.italic, "link": run.link if is_web_address(run.link) else ""}
        for run in runs
    ]


def _plain(text: str) -> dict[str, Any]:
    return {"text": _breakable(text), "hash": bool(HASH.fullmatch(text)), "bold": False, "italic": False, "link": ""}


def is_web_address(link: str) -> bool:
    return link.startswith(("http://", "https://", "mailto:"))


def _breakable(text: str) -> str:
    """Addresses, hashes and endless words may be broken every eight characters (the template knows the sign for that)."""
    return LONG_WORD.sub(_with_breaks, text)


def _with_breaks(found: re.Match[str]) -> str:
    word = found[0]
    if len(word) < LONGEST_REAL_WORD and all(one.isalpha() or one in PUNCTUATION for one in word):
        return word
    return BREAK.join(word[at : at + STEP] for at in range(0, len(word), STEP))
