"""What the document says, before anybody decides how it looks: one Snapshot in, one Outline out.

Both renderers (``typesetting`` and ``docx``) read only the Outline, so the PDF and the DOCX cannot differ in content.
Pure: the same snapshot gives the same outline. Every text is in the dossier's language and holds only characters that
the fonts of the house style have (``glyphs.printable``).
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from app.documents import provenance
from app.documents.answer_blocks import section_part, word_count
from app.documents.content import Chapter, EvidenceItem, Outline, Part, Words
from app.documents.glyphs import printable
from app.documents.source import Source, words
from app.errors import SealingFailed, Text
from app.plugin_api import Block, Facts, Heading, Paragraph, QuestionType, Table
from app.schemes import question_types
from app.schemes.model import Section
from app.texts import both

__all__ = ["Chapter", "EvidenceItem", "Outline", "Part", "outline"]


def outline(
    snapshot: Mapping[str, Any],
    *,
    extra: Sequence[tuple[str, Sequence[Block]]] = (),
    types: Mapping[str, QuestionType] | None = None,
    snapshot_sha256: str = "",
) -> Outline:
    """The document of one snapshot, or of a draft of one (shape: ``dossiers.submission``).

    ``extra``: a title and blocks for each plugin that brings content of its own; each becomes a chapter.
    ``types``: ``question_types.types(plugins)``; without plugins it may be left out. ``snapshot_sha256`` is printed
    among the hashes.
    Raises ``SealingFailed`` (step ``outline``) when an answer cannot be shown or refers to evidence that is not there.
    """
    source = Source(snapshot, question_types.types() if types is None else types, snapshot_sha256)
    written = Outline(
        language=source.language,
        reference=snapshot["reference"],
        title=source.say(source.template.title),
        subtitles=tuple(source.say(plugin.title) for plugin in source.template.plugins),
        organisation=snapshot["organisation"],
        candidate=source.name,
        cover_facts=tuple(_cover_facts(source)),
        submitted_at=source.submitted_at,
        demo=bool(snapshot["demo"]),
        mark=_mark(source),
        chapters=_numbered(_chapters(source, extra)),
        evidence=tuple(provenance.evidence_item(source, item) for item in snapshot["evidence"]),
        words=_words(source),
    )
    clean: Outline = _printable(written)
    return clean


def _words(source: Source) -> Words:
    return Words(
        contents=source.say(both("Inhoud")),
        page=source.say(both("pagina")),
        of=source.say(both("van")),
        appendix=source.say(both("Bijlage")),
        sheet=source.say(both("blad")),
        criterion=source.say(both("Waarop wordt beoordeeld")),
        refused=source.say(both("niet akkoord")),
    )


def _mark(source: Source) -> str:
    if not source.snapshot["signature"]:
        return source.say(both("CONCEPT – nog niet ingediend"))
    return source.say(both("DEMO – geen geldig document")) if source.snapshot["demo"] else ""


def _cover_facts(source: Source) -> Iterator[tuple[str, str]]:
    template = source.template
    rows: list[tuple[Text, str]] = [
        (both("Kandidaat"), source.name),
        (both("Kenmerk"), source.reference),
        (both("Schema"), source.version(template.title, template.version)),
        (both("Specialisaties en uitbreidingen"), ", ".join(source.say(plugin.title) for plugin in template.plugins)),
        (both("Ingediend op"), source.moment(source.snapshot["submitted_at"]) if source.snapshot["submitted_at"] else ""),
        (both("Bijlagen"), provenance.appendix_count(source)),
    ]
    yield from ((source.say(label), value) for label, value in rows if value)


# --- chapters ------------------------------------------------------------------------------------------------------


def _chapters(source: Source, extra: Sequence[tuple[str, Sequence[Block]]]) -> Iterator[Chapter]:
    """In order, still without numbers."""
    snapshot, template = source.snapshot, source.template
    yield Chapter("dossier", 0, source.say(both("Over dit dossier")), tuple(_about(source)))
    for group in template.groups:
        sections = template.of_group(group.id)
        if sections:
            parts = tuple(section_part(source, section) for section in sections)
            yield Chapter(f"groep-{group.id}", 0, source.say(group.title), tuple(_area_overview(source, sections)), parts)
    for index, (title, blocks) in enumerate(extra, 1):
        yield Chapter(f"extra-{index}", 0, title, tuple(blocks))
    if snapshot["statements"]:
        parts = tuple(provenance.statement_part(source, statement) for statement in snapshot["statements"])
        yield Chapter("verklaringen", 0, source.say(both("Verklaringen van anderen")), (), parts)
    yield Chapter(
        "ondertekening", 0, source.say(both("Ondertekening door de kandidaat")), tuple(provenance.signing_blocks(source))
    )
    audit = tuple(provenance.audit_parts(source))
    yield Chapter("verantwoording", 0, source.say(both("Verantwoording van de ondertekening")), (), audit)
    if snapshot["evidence"]:
        yield Chapter("bijlagen", 0, source.say(both("Bijlagen")), (provenance.appendix_table(source),))


def _about(source: Source) -> Iterator[Block]:
    snapshot, template = source.snapshot, source.template
    introduction = both(
        "Dit document bevat alles wat %(name)s heeft ingediend: de antwoorden, de verklaringen van anderen, de "
        "ondertekening en alle bijlagen. Het is gemaakt uit de ingediende gegevens; er is niets aan toegevoegd of uit "
        "weggelaten.",
        name=source.name,
    )
    yield Paragraph(words(source.say(introduction)), look="lead")
    rows: list[tuple[Text, str]] = [
        (both("Kandidaat"), source.name),
        (both("E-mailadres"), snapshot["candidate"]["email"]),
        (both("Kenmerk"), source.reference),
        (both("Certificerende instelling"), snapshot["organisation"]),
        (both("Schema"), source.version(template.title, template.version)),
        (both("Toetsing"), source.say(both("Schriftelijk") if template.route == "written" else both("Mondeling"))),
        *((both("Aangevuld met"), source.version(plugin.title, plugin.version)) for plugin in template.plugins),
        (both("Ingediend op"), source.moment(snapshot["submitted_at"]) if snapshot["submitted_at"] else ""),
        (both("Taal"), source.say(both("Nederlands") if source.language == "nl" else both("Engels"))),
        (both("Bijlagen"), provenance.appendix_count(source)),
    ]
    yield Facts(provenance.fact_rows(source, rows))
    if snapshot["demo"]:
        warning = both(
            "Dit is een voorbeelddossier. Personen, antwoorden en bijlagen zijn verzonnen; aan dit document kan niemand "
            "rechten ontlenen."
        )
        yield Paragraph(words(source.say(warning)), look="hint")


def _area_overview(source: Source, sections: Sequence[Section]) -> Iterator[Block]:
    """A table of the areas of a chapter, so that a reader sees the size of each before starting."""
    areas = [section for section in sections if section.is_area]
    if len(areas) < 2:
        return
    rows = tuple(
        (
            words(source.say(area.title)),
            words(str(word_count(source, area))),
            words(", ".join(map(str, source.evidence_numbers(area))) or "–"),
        )
        for area in areas
    )
    titles = (both("Competentiegebied"), both("Woorden"), both("Bijlagen"))
    yield Table(source.say(both("De gebieden in dit hoofdstuk")), tuple(map(source.say, titles)), rows, numeric=(1,))


# --- the whole, put in order ---------------------------------------------------------------------------------------


def _numbered(chapters: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """Chapters 1, 2, … and their parts 1.1, 1.2, …"""
    return tuple(
        dataclasses.replace(
            chapter,
            number=number,
            blocks=_levelled(chapter.blocks, 1),
            parts=tuple(
                dataclasses.replace(part, number=f"{number}.{index}", blocks=_levelled(part.blocks, 2))
                for index, part in enumerate(chapter.parts, 1)
            ),
        )
        for number, chapter in enumerate(chapters, 1)
    )


def _levelled(blocks: Sequence[Block], parent: Literal[1, 2]) -> tuple[Block, ...]:
    """Headings one below their parent or deeper, never skipping a level (readers and PDF/UA rely on that)."""
    result: list[Block] = []
    previous: int = parent
    for block in blocks:
        if isinstance(block, Heading):
            previous = min(max(block.level, parent + 1), previous + 1, 4)
            block = dataclasses.replace(block, level=previous)
        if isinstance(block, Table):
            _check_table(block)
        result.append(block)
    return tuple(result)


def _check_table(table: Table) -> None:
    """Refuses a table whose rows do not fit its header: content would be lost, in one document or in both."""
    rows = (*table.rows, table.totals) if table.totals else table.rows
    if not table.header or any(len(row) != len(table.header) for row in rows):
        text = both(
            "De tabel “%(caption)s” heeft rijen die niet bij de kolommen passen. Waarschuw de maker van de uitbreiding.",
            caption=table.caption or ", ".join(table.header),
        )
        raise SealingFailed(text, step="outline")


def _printable(value: Any) -> Any:
    """The same value with every text in it made printable; walks dataclasses and tuples."""
    if isinstance(value, str):
        return printable(value)[0]
    if isinstance(value, tuple):
        return tuple(_printable(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: _printable(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    return value
