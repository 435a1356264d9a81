"""What the document says, before anybody decides how it looks: one Snapshot in, one Outline out.

Both renderers (``typesetting`` and ``docx``) read only the Outline, so the PDF and the DOCX cannot differ in content.
Pure: the same snapshot gives the same outline. Every text is in the dossier's language and holds only characters that
the fonts of the house style have (``glyphs.printable``).
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from app import plugin_loader
from app.documents import provenance
from app.documents.answer_blocks import criteria_by_group, section_part, word_count
from app.documents.content import Chapter, EvidenceItem, Outline, Part, Words
from app.documents.glyphs import printable
from app.documents.source import Source, words
from app.errors import SealingFailed, Text
from app.plugin_api import Block, Facts, Heading, Paragraph, QuestionType, Table
from app.plugin_loader import Plugin
from app.schemes import question_types, versions
from app.texts import both, pick

__all__ = ["Chapter", "EvidenceItem", "Outline", "Part", "outline", "with_plugins"]


WAYS = {
    "written": lambda: both("Schriftelijk"),
    "oral": lambda: both("Mondeling"),
    "both": lambda: both("Schriftelijk, en over de specialisatie ook mondeling"),
}


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
        watermark="" if snapshot["signature"] else source.say(both("CONCEPT")),
        chapters=_numbered(_chapters(source, extra)),
        evidence=tuple(provenance.evidence_item(source, item) for item in snapshot["evidence"]),
        words=_words(source),
    )
    clean: Outline = _printable(written)
    return clean


def with_plugins(content: Mapping[str, Any], plugins: Sequence[Plugin], *, sha256: str = "") -> Outline:
    """The outline with the chapters that plugins add: what is sealed, and what a candidate sees of it beforehand.

    Raises ``PluginFailed`` when a plugin does not work, and what ``outline`` raises.
    """
    titles = {one["id"]: pick(one["title"], content["language"]) for one in content["template"].get("plugins", [])}
    extra = [
        (titles.get(plugin.id, plugin.id), blocks)
        for plugin in plugins
        if (blocks := plugin_loader.call_hook(plugin, "document_blocks", content))
    ]
    return outline(content, extra=extra, types=question_types.types(plugins), snapshot_sha256=sha256)


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
        (both("Geaccrediteerd door"), _accreditation(source)),
        (both("Bijlagen"), provenance.appendix_count(source)),
    ]
    yield from ((source.say(label), value) for label, value in rows if value)


def _accreditation(source: Source) -> str:
    """By whom, under which number; only when that held on the day of submitting."""
    claim = source.template.accreditation
    if not versions.accredited(source.template, date.fromisoformat(source.snapshot["today"])):
        return ""
    return ", ".join(part for part in (claim["body"], claim.get("number", "")) if part)


# --- chapters ------------------------------------------------------------------------------------------------------


def _chapters(source: Source, extra: Sequence[tuple[str, Sequence[Block]]]) -> Iterator[Chapter]:
    """In order, still without numbers."""
    snapshot, template = source.snapshot, source.template
    yield Chapter("dossier", 0, source.say(both("Over dit dossier")), tuple(_about(source)))
    for group in template.groups:
        sections = template.of_group(group.id)
        if sections:
            parts = tuple(section_part(source, section) for section in sections)
            yield Chapter(f"groep-{group.id}", 0, source.say(group.title), (), parts)
    for index, (title, blocks) in enumerate(extra, 1):
        yield Chapter(f"extra-{index}", 0, title, tuple(blocks))
    parts = tuple(provenance.statement_part(source, statement) for statement in snapshot["statements"])
    parts += tuple(provenance.outcome_part(source, outcome) for outcome in snapshot.get("outcomes", ()))
    if parts:
        yield Chapter("verklaringen", 0, source.say(both("Verklaringen van anderen")), (), parts)
    yield Chapter(
        "ondertekening", 0, source.say(both("Ondertekening door de kandidaat")), tuple(provenance.signing_blocks(source))
    )
    audit = tuple(provenance.audit_parts(source))
    yield Chapter("verantwoording", 0, source.say(both("Verantwoording")), (), audit)
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
    if not snapshot["signature"]:
        introduction = both(
            "Dit is het concept van het dossier van %(name)s, zoals het er nu uitziet. Het is nog niet ingediend en niet "
            "ondertekend. Van de bijlagen staan hier alleen de voorbladen; hun pagina’s komen erbij als het dossier wordt "
            "ingediend.",
            name=source.name,
        )
    yield Paragraph(words(source.say(introduction)), look="lead")
    rows: list[tuple[Text, str]] = [
        (both("Kandidaat"), source.name),
        (both("E-mailadres"), snapshot["candidate"]["email"]),
        (both("Kenmerk"), source.reference),
        (both("Certificerende instelling"), snapshot["organisation"]),
        (both("Schema"), source.version(template.title, template.version)),
        (both("Toetsing"), source.say(WAYS[template.way]())),
        *((both("Aangevuld met"), source.version(plugin.title, plugin.version)) for plugin in template.plugins),
        (both("Ingediend op"), source.moment(snapshot["submitted_at"]) if snapshot["submitted_at"] else ""),
        (both("Taal"), source.say(both("Nederlands") if source.language == "nl" else both("Engels"))),
        (both("Bijlagen"), provenance.appendix_count(source)),
    ]
    yield Facts(provenance.fact_rows(source, rows))
    yield from _areas_at_a_glance(source)
    if snapshot["demo"]:
        warning = both(
            "Dit is een voorbeelddossier. Personen, antwoorden en bijlagen zijn verzonnen; aan dit document kan niemand "
            "rechten ontlenen."
        )
        yield Paragraph(words(source.say(warning)), look="hint")


def _areas_at_a_glance(source: Source) -> Iterator[Block]:
    """A table of all areas: what each is judged on, how much there is to read, and how much evidence."""
    areas = source.template.areas
    if not areas:
        return
    rows, total = [], 0
    used: set[int] = set()
    for area in areas:
        count, numbers = word_count(source, area), source.evidence_numbers(area)
        total, used = total + count, used | set(numbers)
        criteria = (f"{name} ({len(titles)})" if len(titles) > 1 else name for name, titles in criteria_by_group(source, area))
        listed = ", ".join(map(str, numbers)) or "–"
        rows.append(tuple(map(words, (source.say(area.title), ", ".join(criteria), str(count), str(len(numbers)), listed))))
    titles = (both("Competentiegebied"), both("Criteria"), both("Woorden"), both("Bewijs"), both("Bijlagen"))
    totals = tuple(map(words, (source.say(both("Totaal")), "", str(total), str(len(used)), "")))
    caption = source.say(both("De competentiegebieden in het kort"))
    yield Table(caption, tuple(map(source.say, titles)), tuple(rows), totals, numeric=(2, 3))


# --- the whole, put in order ---------------------------------------------------------------------------------------


def _numbered(chapters: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """Chapters 1, 2, … and their parts 1.1, 1.2, …"""
    listed = list(chapters)
    return tuple(
        dataclasses.replace(
            chapter,
            number=number,
            after_areas=any(part.is_area for part in before.parts),
            blocks=_levelled(chapter.blocks, 1),
            parts=tuple(
                dataclasses.replace(part, number=f"{number}.{index}", blocks=_levelled(part.blocks, 2))
                for index, part in enumerate(chapter.parts, 1)
            ),
        )
        for number, (before, chapter) in enumerate(zip([listed[0], *listed], listed, strict=False), 1)
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
