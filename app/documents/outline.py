"""What the document says, before anybody decides how it looks: one Snapshot in, one Outline out.

Both renderers (``pdf`` and ``docx``) read only the Outline, so the PDF and the DOCX cannot differ in content. Pure: the
same snapshot gives the same outline. Every text is in the dossier's language and holds only characters that the fonts
of the house style have (``glyphs.printable``).
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app.documents.glyphs import printable
from app.errors import SealingFailed, Text
from app.plugin_api import (
    Block,
    Declaration,
    EvidenceReference,
    Facts,
    Heading,
    ListBlock,
    Paragraph,
    QuestionType,
    Run,
    Runs,
    Signature,
    Table,
)
from app.schemes import question_types
from app.schemes.model import CRITERION_GROUPS
from app.texts import both, both_n, pick

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

# Answers that fit beside their question, as long as they are one short paragraph.
SHORT_TYPES = frozenset({"short_text", "number", "date", "period", "choice", "scale"})


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
    criteria: tuple[tuple[str, Runs], ...] = ()
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
    """One appendix. ``pages`` is 0 when it has no pages of its own in the PDF; ``size`` is in bytes, of the file as uploaded."""

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
    facts: tuple[tuple[str, Runs], ...]

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
    demo: str
    criterion: str
    no: str


@dataclass(frozen=True)
class Outline:
    """Everything that stands in the document. ``submitted_at`` (aware) is the document's only date, also in its metadata."""

    language: str
    reference: str
    title: str
    subtitles: tuple[str, ...]
    organisation: str
    candidate: str
    cover_facts: tuple[tuple[str, str], ...]
    submitted_at: datetime
    demo: bool
    chapters: tuple[Chapter, ...]
    evidence: tuple[EvidenceItem, ...]
    words: Words

    @property
    def running_head(self) -> str:
        return f"{self.reference} · {self.candidate}"

    @property
    def document_title(self) -> str:
        return f"{self.title} – {self.candidate} ({self.reference})"


def outline(
    snapshot: Mapping[str, Any],
    *,
    extra: Sequence[tuple[str, Sequence[Block]]] = (),
    types: Mapping[str, QuestionType] | None = None,
    snapshot_sha256: str = "",
) -> Outline:
    """The document of one snapshot (shape: ``dossiers.submission``).

    ``extra``: a title and blocks for each plugin that brings content of its own; each becomes a chapter.
    ``types``: ``question_types.types(plugins)``; without plugins it may be left out. ``snapshot_sha256`` is printed
    among the hashes.
    Raises ``SealingFailed`` (step ``outline``) when an answer cannot be shown or refers to evidence that is not there.
    """
    return _Author(snapshot, types or question_types.types(), snapshot_sha256).write(extra)


def evidence_anchor(number: int) -> str:
    return f"bijlage-{number}"


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


def plain(runs: Runs) -> str:
    return "".join(run.text for run in runs)


def column_shares(table: Table) -> tuple[float, ...]:
    """How much of a table's width each column deserves (sum 1): short values on one line, the rest by the text in it."""
    wanted = []
    for column, title in enumerate(table.header):
        cells = [plain(row[column]) for row in (*table.rows, *([table.totals] if table.totals else [])) if column < len(row)]
        longest = max(len(line) for text in (title, *cells) for line in text.split("\n"))
        wanted.append(max(min(longest, 16) + 2, min(longest, 60) ** 0.9))
    return tuple(width / sum(wanted) for width in wanted)


def _runs(text: str, **looks: Any) -> Runs:
    return (Run(text, **looks),)


def _size(count: int, language: str) -> str:
    """Bytes for people: ``214 kB``, ``1,8 MB``."""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB"
    text = f"{count / 1_000_000:.1f}"
    return f"{text.replace('.', ',') if language == 'nl' else text} MB"


class _Author:
    """Writes one document; holds what every paragraph needs: the snapshot, its language and its evidence."""

    def __init__(self, snapshot: Mapping[str, Any], types: Mapping[str, QuestionType], snapshot_sha256: str) -> None:
        self.snapshot = snapshot
        self.types = types
        self.snapshot_sha256 = snapshot_sha256
        self.language: str = snapshot["language"]
        self.template: Mapping[str, Any] = snapshot["template"]
        self.evidence: Mapping[int, Mapping[str, Any]] = {item["id"]: item for item in snapshot["evidence"]}
        self.evidence_names = {item["id"]: f"{self.say(both('Bijlage'))} {item['number']}" for item in snapshot["evidence"]}
        self.sections: Mapping[str, Mapping[str, Any]] = {section["id"]: section for section in self.template["sections"]}
        self.areas = [section["id"] for section in self.template["sections"] if section.get("criteria")]

    def say(self, text: Text | None) -> str:
        return pick(text, self.language)

    def write(self, extra: Sequence[tuple[str, Sequence[Block]]]) -> Outline:
        snapshot, template = self.snapshot, self.template
        candidate: str = snapshot["candidate"]["name"]
        specialisations = [self.say(plugin["title"]) for plugin in template.get("plugins", ())]
        submitted_at = datetime.fromisoformat(snapshot["submitted_at"])
        cover_facts = [
            (self.say(both("Kandidaat")), candidate),
            (self.say(both("Kenmerk")), self._reference()),
            (self.say(both("Schema")), f"{self.say(template['title'])}, {self.say(both('versie'))} {template['version']}"),
            *(((self.say(both("Specialisaties en uitbreidingen")), ", ".join(specialisations)),) if specialisations else ()),
            (self.say(both("Ingediend op")), self.moment(snapshot["submitted_at"])),
            (self.say(both("Bijlagen")), self._appendix_count()),
        ]
        draft = Outline(
            language=self.language,
            reference=snapshot["reference"],
            title=self.say(template["title"]),
            subtitles=tuple(specialisations),
            organisation=snapshot["organisation"],
            candidate=candidate,
            cover_facts=tuple(cover_facts),
            submitted_at=submitted_at,
            demo=bool(snapshot["demo"]),
            chapters=tuple(self._numbered(self._chapters(extra))),
            evidence=tuple(self._evidence_item(item) for item in snapshot["evidence"]),
            words=self._words(),
        )
        clean: Outline = _printable(draft)
        return clean

    def _words(self) -> Words:
        return Words(
            contents=self.say(both("Inhoud")),
            page=self.say(both("pagina")),
            of=self.say(both("van")),
            appendix=self.say(both("Bijlage")),
            sheet=self.say(both("blad")),
            demo=self.say(both("DEMO – geen geldig document")),
            criterion=self.say(both("Waarop wordt beoordeeld")),
            no=self.say(both("niet akkoord")),
        )

    def _reference(self) -> str:
        revision = self.snapshot["revision"]
        if revision == 1:
            return str(self.snapshot["reference"])
        return f"{self.snapshot['reference']} ({self.say(both('inzending %(revision)s', revision=revision))})"

    def _appendix_count(self) -> str:
        items = self.snapshot["evidence"]
        if not items:
            return self.say(both("Geen"))
        pages = sum(item["pages"] for item in items)
        files = both_n("%(n)s bestand", "%(n)s bestanden", len(items))
        return f"{self.say(files)}, {self.say(both_n('%(n)s pagina', '%(n)s pagina’s', pages))}"

    # --- chapters -------------------------------------------------------------------------------------------------

    def _chapters(self, extra: Sequence[tuple[str, Sequence[Block]]]) -> Iterator[Chapter]:
        yield Chapter("dossier", 0, self.say(both("Over dit dossier")), tuple(self._about()))
        for group in self.template["groups"]:
            sections = [section for section in self.template["sections"] if section["group"] == group["id"]]
            if not sections:
                continue
            parts = tuple(self._section(section) for section in sections)
            yield Chapter(f"groep-{group['id']}", 0, self.say(group["title"]), tuple(self._area_overview(sections)), parts)
        for index, (title, blocks) in enumerate(extra, 1):
            yield Chapter(f"extra-{index}", 0, title, tuple(blocks))
        if self.snapshot["statements"]:
            parts = tuple(self._statement(statement) for statement in self.snapshot["statements"])
            yield Chapter("verklaringen", 0, self.say(both("Verklaringen van anderen")), (), parts)
        yield Chapter("ondertekening", 0, self.say(both("Ondertekening door de kandidaat")), tuple(self._signing()))
        yield Chapter("verantwoording", 0, self.say(both("Verantwoording van de ondertekening")), (), tuple(self._audit()))
        if self.snapshot["evidence"]:
            yield Chapter("bijlagen", 0, self.say(both("Bijlagen")), tuple(self._appendices()))

    @staticmethod
    def _numbered(chapters: Iterator[Chapter]) -> Iterator[Chapter]:
        for number, chapter in enumerate(chapters, 1):
            parts = tuple(
                dataclasses.replace(part, number=f"{number}.{index}", blocks=_level_headings(part.blocks, 2))
                for index, part in enumerate(chapter.parts, 1)
            )
            yield dataclasses.replace(chapter, number=number, parts=parts, blocks=_level_headings(chapter.blocks, 1))

    def _about(self) -> Iterator[Block]:
        template, candidate = self.template, self.snapshot["candidate"]
        yield Paragraph(
            _runs(
                self.say(
                    both(
                        "Dit document bevat alles wat %(name)s heeft ingediend: de antwoorden, de verklaringen van anderen, "
                        "de ondertekening en alle bijlagen. Het is gemaakt uit de ingediende gegevens; er is niets "
                        "aan toegevoegd of uit weggelaten.",
                        name=candidate["name"],
                    )
                )
            ),
            look="lead",
        )
        route = both("Schriftelijk") if template["route"] == "written" else both("Mondeling")
        rows: list[tuple[Text, str]] = [
            (both("Kandidaat"), candidate["name"]),
            (both("E-mailadres"), candidate["email"]),
            (both("Kenmerk"), self._reference()),
            (both("Certificerende instelling"), self.snapshot["organisation"]),
            (both("Schema"), f"{self.say(template['title'])}, {self.say(both('versie'))} {template['version']}"),
            (both("Toetsing"), self.say(route)),
            *((both("Aangevuld met"), self._plugin(plugin)) for plugin in template.get("plugins", ())),
            (both("Ingediend op"), self.moment(self.snapshot["submitted_at"])),
            (both("Taal"), self.say(both("Nederlands") if self.language == "nl" else both("Engels"))),
            (both("Bijlagen"), self._appendix_count()),
        ]
        yield Facts(tuple((self.say(label), _runs(value)) for label, value in rows))
        if self.snapshot["demo"]:
            yield Paragraph(
                _runs(
                    self.say(
                        both(
                            "Dit is een voorbeelddossier. Personen, antwoorden en bijlagen zijn verzonnen; aan dit document "
                            "kan niemand rechten ontlenen."
                        )
                    )
                ),
                look="hint",
            )

    def _plugin(self, plugin: Mapping[str, Any]) -> str:
        return f"{self.say(plugin['title'])}, {self.say(both('versie'))} {plugin['version']}"

    def _area_overview(self, sections: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
        """A table of the areas of a chapter, so that a reader sees the size of each before starting."""
        areas = [section for section in sections if section.get("criteria")]
        if len(areas) < 2:
            return
        rows = tuple(
            (
                _runs(self.say(area["title"])),
                _runs(str(self._word_count(area))),
                _runs(", ".join(str(number) for number in self._evidence_numbers(area["id"])) or "–"),
            )
            for area in areas
        )
        header = (self.say(both("Competentiegebied")), self.say(both("Woorden")), self.say(both("Bijlagen")))
        yield Table(self.say(both("De gebieden in dit hoofdstuk")), header, rows, numeric=(1,))

    # --- sections and answers -------------------------------------------------------------------------------------

    def _section(self, section: Mapping[str, Any]) -> Part:
        answers = self.snapshot["answers"].get(section["id"], {})
        blocks = tuple(self._questions(section["questions"], answers, section))
        part = Part("", self.say(section["title"]), f"onderdeel-{section['id']}", blocks)
        if not section.get("criteria"):
            return part
        kicker = both("Competentiegebied %(n)s van %(total)s", n=self.areas.index(section["id"]) + 1, total=len(self.areas))
        return dataclasses.replace(
            part, kicker=self.say(kicker), criteria=tuple(self._criteria(section)), size=self._area_size(section)
        )

    def _criteria(self, section: Mapping[str, Any]) -> Iterator[tuple[str, Runs]]:
        names = {"kennis": both("Kennis"), "kunde": both("Kunde"), "vaardigheden": both("Vaardigheden"), "ethiek": both("Ethiek")}
        for group in CRITERION_GROUPS:
            titles = [self.say(criterion["title"]) for criterion in section["criteria"] if criterion["group"] == group]
            if titles:
                yield self.say(names[group]), _runs(" · ".join(titles))

    def _area_size(self, section: Mapping[str, Any]) -> str:
        words = self.say(both_n("%(n)s woord", "%(n)s woorden", self._word_count(section)))
        numbers = self._evidence_numbers(section["id"])
        return f"{words} · {self._appendix_words(numbers) if numbers else self.say(both('geen bijlagen'))}"

    def _word_count(self, section: Mapping[str, Any]) -> int:
        answers = self.snapshot["answers"].get(section["id"], {})
        texts = (answers.get(question["id"]) for question in section["questions"] if question["type"] == "long_text")
        return sum(len(re.findall(r"\w[\w’'\-]*", text)) for text in texts if text)

    def _evidence_numbers(self, section_id: str) -> list[int]:
        return [item["number"] for item in self.snapshot["evidence"] if any(use[0] == section_id for use in item["used_by"])]

    def _questions(
        self, questions: Sequence[Mapping[str, Any]], answers: Mapping[str, Any], section: Mapping[str, Any]
    ) -> Iterator[Block]:
        """Label and answer of each question; short answers in a row come as one table of facts."""
        short: list[tuple[str, Runs]] = []
        for question in questions:
            if question.get("shown_if") and question["id"] not in answers and question["type"] != "statement":
                continue
            label = self.say(question["label"])
            blocks = tuple(self._answer(question, answers.get(question["id"]), section, label))
            match blocks:
                case (Paragraph(runs=runs),) if question["type"] in SHORT_TYPES:
                    short.append((label, runs))
                    continue
            if short:
                yield Facts(tuple(short))
                short = []
            yield Paragraph(_runs(label), look="label")
            yield from blocks
        if short:
            yield Facts(tuple(short))

    def _answer(self, question: Mapping[str, Any], answer: Any, section: Mapping[str, Any], label: str) -> Iterator[Block]:
        if question["type"] == "statement":
            yield self._statement_pointer(section["id"], question["id"])
            return
        kind = self.types[question["type"]]
        if kind.is_empty(answer):
            yield Paragraph(_runs(self.say(both("Niet ingevuld")), italic=True))
            return
        if question["type"] == "evidence":
            yield from self._references(answer, label)
            return
        settings = {**question.get("settings", question), "evidence": self.evidence_names}
        mentioned = self._mentioned(settings, answer) if question["type"] == "table" else []
        references = tuple(self._references(mentioned, label))
        try:
            blocks = tuple(kind.blocks(answer, settings, self.language))
        except Exception as error:
            raise _unshowable(label, repr(error)) from error
        for block in blocks:
            yield dataclasses.replace(block, caption="") if isinstance(block, Table) and block.caption == label else block
        yield from references

    def _references(self, evidence_ids: Sequence[int], label: str) -> Iterator[EvidenceReference]:
        for evidence_id in evidence_ids:
            item = self._item(evidence_id, label)
            yield EvidenceReference(item["number"], item["title"] or item["name"])

    def _item(self, evidence_id: int, label: str) -> Mapping[str, Any]:
        item = self.evidence.get(evidence_id)
        if item is None:
            text = both(
                "Bij ‘%(label)s’ hoort een bijlage die niet in het dossier zit. Neem contact op met het secretariaat.",
                label=label,
            )
            raise SealingFailed(text, step="outline", evidence=evidence_id)
        return item

    def _mentioned(self, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """The evidence ids in a table's cells, each once, in order."""
        names = [field["id"] for field in settings.get("fields", ()) if field["type"] == "evidence"]
        return list(dict.fromkeys(one for row in rows for name in names for one in row.get(name) or ()))

    def _appendix_words(self, numbers: Sequence[int]) -> str:
        return f"{self.say(both_n('Bijlage', 'Bijlagen', len(numbers)))} {', '.join(map(str, sorted(numbers)))}"

    def _statement_pointer(self, section_id: str, question_id: str) -> Paragraph:
        """Says where the statement asked for by this question stands."""
        given = [one for one in self.snapshot["statements"] if (one["section"], one["question"]) == (section_id, question_id)]
        if not given:
            return Paragraph(_runs(self.say(both("Er is geen verklaring gegeven.")), italic=True))
        names = ", ".join(one["signed_name"] or one["supervisor"]["name"] for one in given)
        text = both("De verklaring van %(names)s staat in het hoofdstuk ‘Verklaringen van anderen’.", names=names)
        return Paragraph(_runs(self.say(text)))

    # --- statements, signatures -----------------------------------------------------------------------------------

    def _statement(self, statement: Mapping[str, Any]) -> Part:
        supervisor = statement["supervisor"]
        section = self.sections[statement["section"]]
        question = next(one for one in section["questions"] if one["id"] == statement["question"])
        read = [self.sections[one] for one in question.get("settings", {}).get("reads", ()) if one in self.sections]
        rows = [
            (self.say(both("Gegeven door")), _runs(supervisor["name"])),
            *(((self.say(both("Functie")), _runs(supervisor["role"])),) if supervisor.get("role") else ()),
            (self.say(both("E-mailadres")), _runs(supervisor["email"])),
            (self.say(both("Bij onderdeel")), _runs(self.say(section["title"]))),
            *(
                ((self.say(both("Gelezen onderdelen")), _runs("; ".join(self.say(one["title"]) for one in read))),)
                if read
                else ()
            ),
        ]
        blocks: list[Block] = [Facts(tuple(rows))]
        blocks.extend(self._questions(question.get("settings", {}).get("questions", ()), statement["answers"], section))
        attached = statement.get("evidence", ())
        if attached:
            blocks.append(Paragraph(_runs(self.say(both("Bij deze verklaring"))), look="label"))
            blocks.extend(self._references(attached, self.say(question["label"])))
        if statement["stage"] == "signed":
            blocks.append(Declaration(statement["consent"], agreed=True))
            lines = [
                self.say(both("Ondertekend met getypte naam op %(moment)s", moment=self.moment(statement["signed_at"]))),
                self.say(both("Via een persoonlijke link die naar %(email)s is gestuurd", email=supervisor["email"])),
            ]
            blocks.append(Signature(statement["signed_name"], tuple(lines)))
        else:
            blocks.append(Paragraph(_runs(self.say(both("Deze verklaring is niet ondertekend.")), bold=True)))
        return Part("", f"{self.say(question['label'])}: {supervisor['name']}", f"verklaring-{statement['id']}", tuple(blocks))

    def _signing(self) -> Iterator[Block]:
        signature = self.snapshot["signature"]
        if self.snapshot["declarations"]:
            yield Paragraph(_runs(self.say(both("De kandidaat verklaart:"))), look="lead")
        for declaration in self.snapshot["declarations"]:
            yield Declaration(declaration["text"], agreed=True)
        lines = [
            self.say(both("Ondertekend met getypte naam op %(moment)s", moment=self.moment(signature["at"]))),
            self.say(both("Ingelogd met het bevestigde e-mailadres %(email)s", email=self.snapshot["candidate"]["email"])),
        ]
        yield Signature(signature["name"], tuple(lines))

    def _audit(self) -> Iterator[Part]:
        snapshot, signature = self.snapshot, self.snapshot["signature"]
        explanation = both(
            "Personen tekenen met hun getypte naam, hun uitdrukkelijke instemming en een bevestigd e-mailadres: een gewone "
            "elektronische handtekening. %(organisation)s verzegelt het hele document. Hieronder staat wat daarvan is "
            "vastgelegd. Tijden gelden in Nederland.",
            organisation=snapshot["organisation"],
        )
        facts = [
            (both("Getypte naam"), signature["name"]),
            (both("Ondertekend op"), self.moment(signature["at"])),
            (both("IP-adres"), signature["address"]),
            (both("Browser"), signature["user_agent"]),
        ]
        blocks: list[Block] = [Paragraph(_runs(self.say(explanation)), look="lead"), self._facts(facts)]
        if snapshot["events"]:
            rows = tuple((_runs(self.moment(event["at"])), _runs(self._event(event["kind"]))) for event in snapshot["events"])
            header = (self.say(both("Wanneer")), self.say(both("Gebeurtenis")))
            blocks.append(Table(self.say(both("Wat er met het dossier gebeurde")), header, rows))
        yield Part(
            "", self.say(both("Kandidaat: %(name)s", name=snapshot["candidate"]["name"])), "spoor-kandidaat", tuple(blocks)
        )
        for statement in snapshot["statements"]:
            yield self._statement_audit(statement)
        hashes = [
            (both("Ingediende gegevens"), self.snapshot_sha256),
            (both("Formulier"), snapshot["template_sha256"]),
            (both("Huisstijl"), snapshot["house_style_sha256"]),
        ]
        about = both(
            "Een SHA-256-waarde is een vingerafdruk van een bestand: verandert er één teken, dan verandert de waarde. "
            "Die van elke bijlage staat op haar eigen voorblad."
        )
        blocks = [Paragraph(_runs(self.say(about))), self._facts(hashes)]
        yield Part("", self.say(both("Vingerafdrukken (SHA-256)")), "spoor-vingerafdrukken", tuple(blocks))

    def _statement_audit(self, statement: Mapping[str, Any]) -> Part:
        facts = [
            (both("Getypte naam"), statement.get("signed_name") or ""),
            (both("E-mailadres"), statement["supervisor"]["email"]),
            (both("Gelezen (SHA-256)"), statement.get("read_sha256") or ""),
            (both("Ondertekend (SHA-256)"), statement.get("content_sha256") or ""),
        ]
        blocks: list[Block] = [self._facts(facts)]
        if statement["events"]:
            rows = tuple(
                (
                    _runs(self.moment(event["at"])),
                    _runs(self._event(event["kind"])),
                    _runs("\n".join(part for part in (event.get("address"), event.get("user_agent")) if part) or "–"),
                    _runs(event.get("sha256") or "–"),
                )
                for event in statement["events"]
            )
            titles = (both("Wanneer"), both("Gebeurtenis"), both("IP-adres en browser"), both("SHA-256"))
            blocks.append(Table(self.say(both("Wat er met de verklaring gebeurde")), tuple(map(self.say, titles)), rows))
        title = both("Verklaring van %(name)s", name=statement["supervisor"]["name"])
        return Part("", self.say(title), f"spoor-verklaring-{statement['id']}", tuple(blocks))

    def _event(self, kind: str) -> str:
        known = {
            "created": both("Begonnen"),
            "submitted": both("Ingediend"),
            "returned": both("Teruggegeven om aan te vullen"),
            "withdrawn": both("Ingetrokken"),
            "sent": both("Link verstuurd"),
            "opened": both("Geopend"),
            "read": both("Gelezen"),
            "saved": both("Opgeslagen"),
            "signed": both("Ondertekend"),
            "declined": both("Geweigerd"),
            "reminded": both("Herinnering verstuurd"),
        }
        return self.say(known[kind]) if kind in known else kind

    # --- evidence -------------------------------------------------------------------------------------------------

    def _appendices(self) -> Iterator[Block]:
        rows = tuple(
            (
                _runs(str(item["number"])),
                (Run(item["title"] or item["name"], bold=True), Run(f"\n{item['name']}")),
                _runs(str(item["pages"]) if item["pages"] else self.say(both("bestand"))),
                _runs(item["cleaned_sha256"]),
            )
            for item in self.snapshot["evidence"]
        )
        titles = (both("Nr."), both("Bijlage en bestandsnaam"), both("Pagina’s"), both("SHA-256 van het bestand in de bundel"))
        yield Table("", tuple(map(self.say, titles)), rows, numeric=(0, 2))

    def _evidence_item(self, item: Mapping[str, Any]) -> EvidenceItem:
        notes = tuple(map(self.say, self._notes(item)))
        used_by = tuple(self._place(section, question) for section, question in item["used_by"])
        title = item["title"] or item["name"]
        facts = [
            (both("Bestandsnaam"), item["name"]),
            (both("Soort"), f"{item['kind'].upper()}, {_size(item['original_size'], self.language)}"),
            (both("Pagina’s"), str(item["pages"] or self.say(both("geen")))),
            (both("Toegevoegd op"), self.moment(item["uploaded_at"])),
            (both("Hoort bij"), "\n".join(_at_most(used_by, 12, self.language))),
            (both("SHA-256 van het origineel"), item["original_sha256"]),
            (both("SHA-256 van het bestand in de bundel"), item["cleaned_sha256"]),
            (both("SHA-256 van de pagina’s in dit document"), item["pages_sha256"] if item["pages"] else ""),
            (both("Handtekeningen in het bestand"), self._signatures(item)),
        ]
        return EvidenceItem(
            number=item["number"],
            heading=f"{self.say(both('Bijlage'))} {item['number']}: {title}",
            title=title,
            name=item["name"],
            kind=item["kind"],
            pages=item["pages"],
            pages_sha256=item["pages_sha256"],
            original_sha256=item["original_sha256"],
            size=item["original_size"],
            notes=notes,
            used_by=used_by,
            facts=self._facts(facts).rows,
        )

    def _notes(self, item: Mapping[str, Any]) -> Iterator[Text]:
        if not item["pages"]:
            yield both("Dit bestand heeft geen pagina’s in dit document. Het bestand zelf zit in de bundel, bij de bijlagen.")
        if item["rasterised"]:
            yield both("De pagina’s zijn als afbeelding opgenomen, omdat het bestand anders niet veilig te tonen is.")
        if item["signed"]:
            yield both(
                "Het bestand draagt een digitale handtekening. Die geldt alleen voor het origineel, dat ongewijzigd in de "
                "bundel zit."
            )

    def _signatures(self, item: Mapping[str, Any]) -> str:
        names = [str(report.get("signer") or report.get("name") or "") for report in item.get("signatures", ())]
        return ", ".join(name for name in names if name)

    def _place(self, section_id: str, question_id: str) -> str:
        section = self.sections.get(section_id)
        if section is None:
            return section_id
        label = next((self.say(one["label"]) for one in section["questions"] if one["id"] == question_id), question_id)
        return f"{self.say(section['title'])} – {label}"

    # --- small things ---------------------------------------------------------------------------------------------

    def _facts(self, rows: Sequence[tuple[Text, str]]) -> Facts:
        """Rows with a value; what is not known is left out."""
        return Facts(tuple((self.say(label), _runs(value)) for label, value in rows if value))

    def moment(self, iso: str) -> str:
        """``21 november 2026, 15.32`` in Dutch time."""
        moment = datetime.fromisoformat(iso).astimezone(AMSTERDAM)
        return f"{self.day(moment.date())}, {moment:%H.%M}"

    def day(self, day: date) -> str:
        return format_date(day, "d MMMM y", locale=self.language)


def _level_headings(blocks: Sequence[Block], parent: Literal[1, 2]) -> tuple[Block, ...]:
    """Headings one below their parent or deeper, never skipping a level (readers and PDF/UA rely on that)."""
    result: list[Block] = []
    previous: int = parent
    for block in blocks:
        if isinstance(block, Heading):
            previous = min(max(block.level, parent + 1), previous + 1, 4)
            block = dataclasses.replace(block, level=previous)
        result.append(block)
    return tuple(result)


def _at_most(texts: Sequence[str], limit: int, language: str) -> Sequence[str]:
    if len(texts) <= limit:
        return texts
    return [*texts[:limit], pick(both("en nog %(n)s plaatsen", n=len(texts) - limit), language)]


def _unshowable(label: str, cause: str) -> SealingFailed:
    text = both(
        "Het antwoord op ‘%(label)s’ kan niet in het document worden gezet. Neem contact op met het secretariaat.", label=label
    )
    return SealingFailed(text, step="outline", cause=cause)


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
