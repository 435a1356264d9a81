"""Who stands behind the dossier: statements of others, signatures, what was recorded of them, and the appendices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.documents.answer_blocks import criteria_by_group, question_blocks
from app.documents.content import EvidenceItem, Part, Rows, outcome_anchor
from app.documents.outcome_blocks import outcome_blocks
from app.documents.source import Source, title_of, words
from app.errors import Text
from app.plugin_api import Block, Declaration, Facts, Paragraph, Signature, Table
from app.schemes import question_types
from app.texts import both, both_n

MAX_PLACES = 12
"""So many places that use an appendix are listed on its divider page; the rest is counted."""

EVENTS = {
    "created": lambda: both("Begonnen"),
    "submitted": lambda: both("Ingediend"),
    "returned": lambda: both("Teruggestuurd om aan te vullen"),
    "withdrawn": lambda: both("Ingetrokken"),
    "sent": lambda: both("Link verstuurd"),
    "reminded": lambda: both("Herinnering verstuurd"),
    "opened": lambda: both("Geopend"),
    "read": lambda: both("Gelezen"),
    "saved": lambda: both("Opgeslagen"),
    "signed": lambda: both("Ondertekend"),
    "declined": lambda: both("Geweigerd"),
}


def fact_rows(source: Source, rows: Sequence[tuple[Text, str]]) -> Rows:
    """Rows with a value; what is not known is left out."""
    return tuple((source.say(label), words(value)) for label, value in rows if value)


# --- statements and signatures -------------------------------------------------------------------------------------


def statement_part(source: Source, statement: Mapping[str, Any]) -> Part:
    """A supervisor's statement: who, about what, the form's answers, the consent and the signature."""
    section = source.template.section(statement["section"])
    question = section.question(statement["question"]) if section else None
    if section is None or question is None:
        raise ValueError(f"statement {statement['id']}: the template has no such question")
    supervisor = statement["supervisor"]
    read = [source.template.section(one) for one in question.settings.get("reads", ())]
    rows = [
        (both("Gegeven door"), supervisor["name"]),
        (both("Rol"), supervisor["role"]),
        (both("E-mailadres"), supervisor["email"]),
        (both("Bij onderdeel"), source.say(section.title)),
        (both("Gelezen onderdelen"), "; ".join(source.say(one.title) for one in read if one)),
    ]
    form = statement.get("asked") or question.settings["questions"]  # as it was when he answered
    asked = [question_types.question(one) for one in form]
    blocks: list[Block] = [
        Facts(fact_rows(source, rows)),
        *question_blocks(source, asked, statement["answers"], section),
    ]
    if statement["evidence"]:
        blocks.append(Paragraph(words(source.say(both("Bij deze verklaring"))), look="label"))
        blocks += [source.evidence_reference(one, source.say(question.label)) for one in statement["evidence"]]
    blocks += _statement_signature(source, statement)
    title = f"{source.say(question.label)}: {supervisor['name']}"
    return Part("", title, f"verklaring-{statement['id']}", tuple(blocks))


def outcome_part(source: Source, outcome: Mapping[str, Any]) -> Part:
    """What people answered anonymously, added up. A snapshot from before there was such a thing has none."""
    section = source.template.section(outcome["section"])
    question = section.question(outcome["question"]) if section else None
    if section is None or question is None:
        raise ValueError(f"outcome of {outcome['section']}.{outcome['question']}: the template has no such question")
    blocks = tuple(outcome_blocks(outcome, question, source.language))
    title = f"{source.say(section.title)}: {source.say(question.label)[:1].lower()}{source.say(question.label)[1:]}"
    return Part("", title, outcome_anchor(outcome["section"], outcome["question"]), blocks)


def _statement_signature(source: Source, statement: Mapping[str, Any]) -> Iterator[Block]:
    if statement["stage"] != "signed":
        yield Paragraph(words(source.say(both("Deze verklaring is niet ondertekend.")), bold=True))
        return
    if statement.get("independence"):  # a snapshot from before this declaration has none
        yield Declaration(statement["independence"], agreed=True)
    yield Declaration(statement["consent"], agreed=True)
    lines = (
        both("Ondertekend met getypte naam op %(moment)s", moment=source.moment(statement["signed_at"])),
        both("Via een persoonlijke link die naar %(email)s is gestuurd", email=statement["supervisor"]["email"]),
    )
    yield Signature(statement["signed_name"], tuple(map(source.say, lines)))


def signing_blocks(source: Source) -> Iterator[Block]:
    """What the candidate declared and how the candidate signed."""
    signature = source.snapshot["signature"]
    if source.snapshot["declarations"]:
        yield Paragraph(words(source.say(both("De kandidaat verklaart:"))), look="lead")
    for declaration in source.snapshot["declarations"]:
        yield Declaration(declaration["text"], agreed=bool(signature))
    if not signature:
        yield Paragraph(words(source.say(both("Dit dossier is nog niet ondertekend.")), bold=True))
        return
    lines = (
        both("Ondertekend met getypte naam op %(moment)s", moment=source.moment(signature["at"])),
        both("Ingelogd met het bevestigde e-mailadres %(email)s", email=source.snapshot["candidate"]["email"]),
    )
    yield Signature(signature["name"], tuple(map(source.say, lines)))


# --- what was recorded ---------------------------------------------------------------------------------------------


def audit_parts(source: Source) -> Iterator[Part]:
    """What was submitted, by whom and when, with the hashes that bind it; then signature by signature what was recorded."""
    yield _submitted_audit(source)
    yield _candidate_audit(source)
    for statement in source.snapshot["statements"]:
        yield _statement_audit(source, statement)


def _submitted_audit(source: Source) -> Part:
    snapshot = source.snapshot
    about = both(
        "Een SHA-256-waarde is een vingerafdruk van een bestand: verandert er één teken, dan verandert de waarde. "
        "Wat hieronder staat, is te vergelijken met de bestanden in de bundel."
    )
    answered = sum(
        not source.types[question.type].is_empty(source.answers(section).get(question.id))
        for section in source.template.sections
        for question in source.visible[section.id]
        if question.type != "statement"
    )
    outcomes = snapshot.get("outcomes", ())
    facts = [
        (both("Dossier"), source.reference),
        (both("Ingediend door"), f"{source.name} ({snapshot['candidate']['email']})"),
        (both("Ingediend op"), source.moment(snapshot["submitted_at"]) if snapshot["submitted_at"] else ""),
        (both("Antwoorden"), str(answered)),
        (both("Verklaringen van anderen"), str(len(snapshot["statements"]) + sum(one["count"] for one in outcomes))),
        (both("Daarvan zonder naam"), str(sum(one["count"] for one in outcomes)) if outcomes else ""),
        (both("Bijlagen"), appendix_count(source)),
        (both("Ingediende gegevens (SHA-256)"), source.sha256),
        (both("Formulier (SHA-256)"), snapshot["template_sha256"]),
        (both("Huisstijl (SHA-256)"), snapshot["house_style_sha256"]),
    ]
    blocks: list[Block] = [Paragraph(words(source.say(about)), look="lead"), Facts(fact_rows(source, facts))]
    if snapshot["evidence"]:
        rows = tuple(
            (words(str(item["number"])), words(source.moment(item["uploaded_at"])), words(item["cleaned_sha256"] or "–"))
            for item in snapshot["evidence"]
        )
        titles = (both("Bijlage"), both("Toegevoegd op"), both("SHA-256 van het bestand in de bundel"))
        caption = source.say(both("Vingerafdruk van elke bijlage"))
        blocks.append(Table(caption, tuple(map(source.say, titles)), rows, numeric=(0,)))
    return Part("", source.say(both("Wat is ingediend")), "spoor-ingediend", tuple(blocks))


def _candidate_audit(source: Source) -> Part:
    snapshot = source.snapshot
    explanation = both(
        "Personen tekenen met hun getypte naam, hun uitdrukkelijke instemming en een bevestigd e-mailadres: een gewone "
        "elektronische handtekening. %(organisation)s verzegelt het hele document. Hieronder staat wat daarvan is "
        "vastgelegd. Tijden gelden in Nederland.",
        organisation=snapshot["organisation"],
    )
    blocks: list[Block] = [Paragraph(words(source.say(explanation)), look="lead")]
    if signature := snapshot["signature"]:
        facts = [
            (both("Getypte naam"), signature["name"]),
            (both("Ondertekend op"), source.moment(signature["at"])),
            (both("IP-adres"), signature["address"]),
            (both("Browser"), signature["user_agent"]),
        ]
        blocks.append(Facts(fact_rows(source, facts)))
    if snapshot["events"]:
        rows = tuple((words(source.moment(event["at"])), words(_event(source, event["kind"]))) for event in snapshot["events"])
        header = (source.say(both("Wanneer")), source.say(both("Gebeurtenis")))
        blocks.append(Table(source.say(both("Wat er met het dossier gebeurde")), header, rows))
    return Part("", source.say(both("Kandidaat: %(name)s", name=source.name)), "spoor-kandidaat", tuple(blocks))


def _statement_audit(source: Source, statement: Mapping[str, Any]) -> Part:
    facts = [
        (both("Getypte naam"), statement["signed_name"] or ""),
        (both("E-mailadres"), statement["supervisor"]["email"]),
        (both("Gelezen (SHA-256)"), statement["read_sha256"] or ""),
        (both("Ondertekend (SHA-256)"), statement["content_sha256"] or ""),
    ]
    blocks: list[Block] = [Facts(fact_rows(source, facts))]
    if statement["events"]:
        rows = tuple(
            (
                words(source.moment(event["at"])),
                words(_event(source, event["kind"])),
                words("\n".join(part for part in (event["address"], event["user_agent"]) if part) or "–"),
                words(event["sha256"] or "–"),
            )
            for event in statement["events"]
        )
        titles = (both("Wanneer"), both("Gebeurtenis"), both("IP-adres en browser"), both("SHA-256"))
        blocks.append(Table(source.say(both("Wat er met de verklaring gebeurde")), tuple(map(source.say, titles)), rows))
    title = both("Verklaring van %(name)s", name=statement["supervisor"]["name"])
    return Part("", source.say(title), f"spoor-verklaring-{statement['id']}", tuple(blocks))


def _event(source: Source, kind: str) -> str:
    return source.say(EVENTS[kind]()) if kind in EVENTS else kind


# --- appendices ----------------------------------------------------------------------------------------------------


def appendix_table(source: Source) -> Table:
    """The list of appendices: number, title, kind, the parts that use it, and pages."""
    rows = tuple(
        (
            words(str(item["number"])),
            words(title_of(item), bold=True),
            words(item["kind"].upper()),
            words("\n".join(_used_in(source, item))),
            words(str(item["pages"]) if item["pages"] else source.say(both("bestand"))),
        )
        for item in source.snapshot["evidence"]
    )
    titles = (both("Nr."), both("Bijlage"), both("Soort"), both("Hoort bij"), both("Pagina’s"))
    return Table("", tuple(map(source.say, titles)), rows, numeric=(0, 4))


def _used_in(source: Source, item: Mapping[str, Any]) -> list[str]:
    """Titles of the parts whose answers use an appendix, each once."""
    sections = dict.fromkeys(section for section, _ in item["used_by"])
    return [source.say(found.title) if (found := source.template.section(one)) else one for one in sections]


def _judged_on(source: Source, item: Mapping[str, Any]) -> Iterator[str]:
    """The criteria of the areas that use an appendix, a line each; with several areas their names too."""
    used = {section for section, _ in item["used_by"]}
    areas = [area for area in source.template.areas if area.id in used]
    for area in areas:
        if len(areas) > 1:
            yield f"{source.say(area.title)}:"
        for name, titles in criteria_by_group(source, area):
            yield from (f"{name} – {title}" for title in titles)


def appendix_count(source: Source) -> str:
    """``5 bestanden, 9 pagina's``."""
    items = source.snapshot["evidence"]
    if not items:
        return source.say(both("Geen"))
    files = both_n("%(n)s bestand", "%(n)s bestanden", len(items))
    pages = both_n("%(n)s pagina", "%(n)s pagina’s", sum(item["pages"] for item in items))
    return f"{source.say(files)}, {source.say(pages)}"


def evidence_item(source: Source, item: Mapping[str, Any]) -> EvidenceItem:
    """One appendix with what stands on its divider page."""
    used_by = tuple(_place(source, section, question) for section, question in item["used_by"])
    shown_places = list(used_by[:MAX_PLACES])
    if (more := len(used_by) - MAX_PLACES) > 0:
        shown_places.append(source.say(both_n("en nog %(n)s plaats", "en nog %(n)s plaatsen", more)))
    facts = [
        (both("Bestandsnaam"), item["name"]),
        (both("Soort"), f"{item['kind'].upper()}, {_size(item['original_size'], source.language)}"),
        (both("Pagina’s"), str(item["pages"] or source.say(both("geen")))),
        (both("Toegevoegd op"), source.moment(item["uploaded_at"])),
        (both("Hoort bij"), "\n".join(shown_places)),
        (both("Criteria van het gebied"), "\n".join(_judged_on(source, item))),
        (both("SHA-256 van het origineel"), item["original_sha256"]),
        (both("SHA-256 van het bestand in de bundel"), item["cleaned_sha256"]),
        (both("SHA-256 van de pagina’s in dit document"), item["pages_sha256"] if item["pages"] else ""),
        (both("Handtekeningen in het origineel"), "\n".join(_signature(source, one) for one in item["signatures"] or ())),
    ]
    return EvidenceItem(
        number=item["number"],
        heading=source.say(both("Bijlage %(number)s: %(title)s", number=item["number"], title=title_of(item))),
        title=title_of(item),
        name=item["name"],
        kind=item["kind"],
        pages=item["pages"],
        pages_sha256=item["pages_sha256"],
        original_sha256=item["original_sha256"],
        size=item["original_size"],
        notes=tuple(map(source.say, _notes(item))),
        used_by=used_by,
        facts=fact_rows(source, facts),
    )


def _signature(source: Source, report: Mapping[str, Any]) -> str:
    """A signature inside an upload (shape: ``verification.report_signatures``): whose, and whether it holds."""
    if report["error"] or not (report["intact"] and report["valid"]):
        state = both("klopt niet of kon niet worden gecontroleerd")
    elif report["revoked"]:
        state = both("het certificaat is ingetrokken")
    elif report["trusted"]:
        state = both("onveranderd, van een vertrouwde uitgever")
    else:
        state = both("onveranderd, de uitgever is niet gecontroleerd")
    signer = report["signer"] or source.say(both("Onbekend"))
    return f"{signer}: {source.say(state)}"


def _notes(item: Mapping[str, Any]) -> Iterator[Text]:
    if not item["pages"]:
        yield both("Dit bestand heeft geen pagina’s in dit document. Het bestand zelf zit in de bundel, bij de bijlagen.")
    if item["rasterised"]:
        yield both("De pagina’s zijn als afbeelding opgenomen, omdat het bestand anders niet veilig te tonen is.")
    if item["signed"]:
        yield both(
            "Het bestand draagt een digitale handtekening. Die geldt alleen voor het origineel, dat ongewijzigd in de bundel zit."
        )


def _place(source: Source, section_id: str, question_id: str) -> str:
    section = source.template.section(section_id)
    question = section.question(question_id) if section else None
    if section is None or question is None:
        return section_id
    return f"{source.say(section.title)} – {source.say(question.label)}"


def _size(count: int, language: str) -> str:
    """Bytes for people: ``214 kB``, ``1,8 MB``."""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB"
    text = f"{count / 1_000_000:.1f} MB"
    return text.replace(".", ",") if language == "nl" else text
