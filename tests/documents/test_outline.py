import dataclasses

import pytest
import sample_dossier
from hypothesis import given
from hypothesis import strategies as st

from app.documents import glyphs
from app.documents.content import block_texts, column_shares, is_kept_whole, label_share, plain, totals_cells
from app.documents.outline import Outline, Part, outline
from app.errors import SealingFailed
from app.plugin_api import (
    Declaration,
    EvidenceReference,
    Facts,
    Heading,
    ListBlock,
    Paragraph,
    QuestionType,
    Run,
    Signature,
    Table,
)
from app.schemes import question_types


def part(document: Outline, title: str) -> Part:
    return next(part for chapter in document.chapters for part in chapter.parts if part.title == title)


def all_texts(document: Outline) -> list[str]:
    blocks = [block for chapter in document.chapters for block in chapter.blocks]
    blocks += [block for chapter in document.chapters for one in chapter.parts for block in one.blocks]
    return [text for block in blocks for text in block_texts(block)]


def test_outline_of_the_same_snapshot_is_the_same() -> None:
    assert outline(sample_dossier.snapshot()) == outline(sample_dossier.snapshot())


def test_outline_has_the_chapters_in_order_without_empty_groups() -> None:
    document = outline(sample_dossier.snapshot())
    assert [(chapter.number, chapter.title, len(chapter.parts)) for chapter in document.chapters] == [
        (1, "Over dit dossier", 0),
        (2, "Uw gegevens en ontwikkeling", 2),
        (3, "Competentiegebieden", 6),
        (4, "Afronding", 1),
        (5, "Verklaringen van anderen", 1),
        (6, "Ondertekening door de kandidaat", 0),
        (7, "Verantwoording", 3),
        (8, "Bijlagen", 0),
    ]
    assert [one.number for one in document.chapters[2].parts] == ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6"]


def test_outline_puts_short_answers_together_and_says_what_was_not_filled_in() -> None:
    practice = part(outline(sample_dossier.snapshot()), "Uw praktijk")
    assert practice.blocks[:5] == (
        Facts(
            (
                ("Naam van uw praktijk", (Run("De Vries & Müller Loopbaanbegeleiding “Łódź”"),)),
                ("Hoe werkt u?", (Run("Als zelfstandige"),)),
                ("Hoeveel uren per week begeleidt u cliënten?", (Run("24,5 uur"),)),
                ("Sinds wanneer doet u dit werk?", (Run("1 februari 2011"),)),
                ("Over welke periode gaat dit dossier?", (Run("1 januari 2023 – 21 november 2026"),)),
            )
        ),
        Paragraph((Run("Voor welke groepen werkt u?"),), look="label"),
        ListBlock(((Run("Werkenden die iets anders willen"),), (Run("Mensen die hun werk verliezen"),))),
        Facts((("Website", (Run("Niet ingevuld", italic=True),)),)),
        Paragraph((Run("Wilt u iets toelichten?"),), look="label"),
    )
    assert practice.blocks[5] == Paragraph((Run("Niet ingevuld", italic=True),))


def test_outline_leaves_hidden_questions_out_and_shows_shown_ones_without_answer() -> None:
    snapshot = sample_dossier.snapshot()
    assert "Naam van uw werkgever" not in all_texts(outline(snapshot))
    snapshot["answers"]["praktijk"]["vorm"] = "loondienst"
    facts = part(outline(snapshot), "Uw praktijk").blocks[0]
    assert isinstance(facts, Facts)
    assert facts.rows[4] == ("Naam van uw werkgever", (Run("Niet ingevuld", italic=True),))


def test_outline_names_appendices_in_tables_and_refers_to_each_once() -> None:
    log = part(outline(sample_dossier.snapshot(trainings=2)), "Scholing en punten")
    label, table, *references = log.blocks[:4]
    assert label == Paragraph((Run("Wat hebt u gedaan om bij te blijven?"),), look="label")
    assert isinstance(table, Table)
    assert [plain(row[4]) for row in table.rows] == ["Bijlage 2", "Bijlage 2, Bijlage 3"]
    assert [plain(cell) for cell in table.totals] == ["Totaal (minstens 75 nodig)", "", "", "20,5", ""]
    assert table.caption == ""  # the question stands right above it
    assert references == [
        EvidenceReference(2, "Certificaat motiverende gespreksvoering"),
        EvidenceReference(3, "Deelnamebewijs Wet verbetering poortwachter"),
    ]


def test_outline_of_an_area_tells_what_is_judged_and_how_much_there_is() -> None:
    area = part(outline(sample_dossier.snapshot()), "Methodische begeleiding")
    assert area.kicker == "Competentiegebied 3 van 6"
    assert [label for label, _ in area.criteria] == ["Kennis", "Kunde", "Vaardigheden", "Ethiek"]
    assert area.size == "468 woorden · Bijlagen 2, 4"
    assert area.blocks[-2:] == (
        EvidenceReference(2, "Certificaat motiverende gespreksvoering"),
        EvidenceReference(4, "Casus مرحبا, verslag"),
    )


def test_outline_shows_a_statement_with_consent_and_signature() -> None:
    statement = part(outline(sample_dossier.snapshot()), "Verklaring van de supervisor: Marieke Jansen-van den Oetelaar")
    assert statement.blocks[-2:] == (
        Declaration("Ik heb de genoemde onderdelen gelezen en sta in voor wat ik verklaar over Sanne de Vries.", agreed=True),
        Signature(
            "M. Jansen-van den Oetelaar",
            (
                "Ondertekend met getypte naam op 18 november 2026, 20.05",
                "Via een persoonlijke link die naar marieke@example.org is gestuurd",
            ),
        ),
    )
    facts = statement.blocks[0]
    assert isinstance(facts, Facts)
    assert facts.rows[-1] == ("Gelezen onderdelen", (Run("Reflectie en eigen ontwikkeling; Intake en verhelderen van de vraag"),))


def test_outline_describes_each_appendix() -> None:
    document = outline(sample_dossier.snapshot())
    cv, scan = document.evidence[0], document.evidence[2]
    assert (cv.heading, cv.pages, cv.used_by) == ("Bijlage 1: Curriculum vitae", 0, ("Uw praktijk – Uw curriculum vitae",))
    assert cv.notes == ("Dit bestand heeft geen pagina’s in dit document. Het bestand zelf zit in de bundel, bij de bijlagen.",)
    assert {label: plain(runs) for label, runs in scan.facts} == {
        "Bestandsnaam": "scan.jpg",
        "Soort": "JPG, 1,8 MB",
        "Pagina’s": "1",
        "Toegevoegd op": "12 november 2026, 10.15",
        "Hoort bij": "Scholing en punten – Wat hebt u gedaan om bij te blijven?",
        "SHA-256 van het origineel": sample_dossier.sha("original 3"),
        "SHA-256 van het bestand in de bundel": sample_dossier.sha("cleaned 3"),
        "SHA-256 van de pagina’s in dit document": sample_dossier.sha("pages 3"),
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "M. Jansen: onveranderd, de uitgever is niet gecontroleerd"),
        ({"trusted": True}, "M. Jansen: onveranderd, van een vertrouwde uitgever"),
        ({"trusted": True, "revoked": True}, "M. Jansen: het certificaat is ingetrokken"),
        ({"intact": False, "trusted": True}, "M. Jansen: klopt niet of kon niet worden gecontroleerd"),
        ({"signer": "", "error": "damaged"}, "Onbekend: klopt niet of kon niet worden gecontroleerd"),
    ],
)
def test_outline_says_whether_a_signature_in_an_upload_holds(found: dict[str, object], said: str) -> None:
    snapshot = sample_dossier.snapshot()
    snapshot["evidence"][3]["signatures"] = [{**sample_dossier.SIGNATURE, **found}]
    facts = dict(outline(snapshot).evidence[3].facts)
    assert plain(facts["Handtekeningen in het origineel"]) == said


def test_outline_without_evidence_statements_and_plugins() -> None:
    snapshot = sample_dossier.snapshot(demo=False)
    snapshot["evidence"], snapshot["statements"], snapshot["declarations"] = [], [], []
    snapshot["template"]["plugins"], snapshot["answers"], snapshot["revision"] = [], {}, 2
    document = outline(snapshot)
    assert [chapter.id for chapter in document.chapters][-2:] == ["ondertekening", "verantwoording"]
    assert document.mark == ""
    assert dict(document.cover_facts)["Kenmerk"] == "HC-2026-0001 (inzending 2)"
    assert dict(document.cover_facts)["Bijlagen"] == "Geen"
    assert "Er is geen verklaring gegeven." in all_texts(document)


@pytest.mark.parametrize(("until", "said"), [("2026-11-21", "Raad voor Accreditatie, C 999"), ("2026-11-20", None)])
def test_an_accreditation_stands_on_the_cover_only_while_it_holds(until: str, said: str | None) -> None:
    snapshot = sample_dossier.snapshot()
    claim = {"body": "Raad voor Accreditatie", "number": "C 999", "from": "2026-01-01", "until": until}
    snapshot["template"]["accreditation"] = claim
    assert dict(outline(snapshot).cover_facts).get("Geaccrediteerd door") == said


def test_outline_of_a_draft_is_marked_and_unsigned() -> None:
    snapshot = sample_dossier.snapshot()
    snapshot.update(signature=None, submitted_at="", revision=0, events=[])
    document = outline(snapshot)
    assert document.mark == "CONCEPT – nog niet ingediend"
    assert "Dit dossier is nog niet ondertekend." in all_texts(document)
    assert "Ingediend op" not in dict(document.cover_facts)


def test_outline_refuses_an_answer_whose_evidence_is_missing() -> None:
    snapshot = sample_dossier.snapshot()
    snapshot["evidence"] = [item for item in snapshot["evidence"] if item["id"] != 12]
    with pytest.raises(SealingFailed) as failure:
        outline(snapshot)
    assert failure.value.text["nl"].startswith("Bij “Wat hebt u gedaan om bij te blijven?” hoort een bijlage die niet in")
    assert failure.value.details == {"step": "outline", "evidence": 12}


def test_outline_refuses_an_answer_that_a_plugin_cannot_show() -> None:
    def explode(*_: object) -> list[Paragraph]:
        raise KeyError("plugin")

    known = question_types.types()
    broken: QuestionType = dataclasses.replace(known["number"], blocks=explode)
    with pytest.raises(SealingFailed) as failure:
        outline(sample_dossier.snapshot(), types={**known, "number": broken})
    assert failure.value.text["nl"].startswith("Het antwoord op “Hoeveel uren per week begeleidt u cliënten?” kan niet")


def test_outline_gives_plugins_a_chapter_and_never_skips_a_heading_level() -> None:
    blocks = [Heading("Diep", level=4), Paragraph((Run("tekst"),)), Heading("Dieper", level=4), Heading("Terug", level=2)]
    chapter = next(one for one in outline(sample_dossier.snapshot(), extra=[("Extra", blocks)]).chapters if one.title == "Extra")
    assert [block.level for block in chapter.blocks if isinstance(block, Heading)] == [2, 3, 2]


def test_outline_refuses_a_table_whose_rows_do_not_fit_its_header() -> None:
    table = Table("Uren", ("Week", "Uren"), (((Run("1"),),),))
    with pytest.raises(SealingFailed, match="Uren"):
        outline(sample_dossier.snapshot(), extra=[("Extra", [table])])


def test_outline_in_english_writes_dates_the_english_way() -> None:
    snapshot = sample_dossier.snapshot(language="en")
    document = outline(snapshot)
    assert (document.language, document.title) == ("en", "Recertification")
    assert "21 November 2026, 15:32" in [value for _, value in document.cover_facts]


def test_column_shares_keep_short_values_on_one_line() -> None:
    long = (Run("Een lange omschrijving van wat er op die dag allemaal is gedaan en geleerd"),)
    table = Table("", ("Datum", "Activiteit"), (((Run("12 september 2026"),), long),))
    date, activity = column_shares(table)
    assert date + activity == pytest.approx(1)
    assert 0.2 < date < 0.3


def test_printable_replaces_visibly_and_tells() -> None:
    assert glyphs.printable("Łukasz 简历 ✓") == ("Łukasz □□ ✓", frozenset("简历"))
    assert glyphs.printable("cafe\u0301") == ("café", frozenset())
    assert glyphs.printable("a\ufeffb\u00adc\td") == ("abc d", frozenset())
    assert glyphs.printable("x\u202egpj.exe") == ("x□gpj.exe", frozenset("\u202e"))
    assert glyphs.printable("regel 1\r\nregel 2\x07") == ("regel 1\nregel 2□", frozenset("\x07"))
    zalgo = "a" + "\u0316" * 50
    assert glyphs.printable(zalgo) == ("a" + "\u0316" * 4, frozenset("\u0316"))


@given(st.text(max_size=60))
def test_printable_text_is_printable_again(text: str) -> None:
    once, replaced = glyphs.printable(text)
    assert glyphs.printable(once) == (once, frozenset())
    assert replaced <= set(text) | set(glyphs.unicodedata.normalize("NFC", text))


def test_outline_shows_all_areas_at_a_glance() -> None:
    table = next(one for one in outline(sample_dossier.snapshot()).chapters[0].blocks if isinstance(one, Table))
    assert table.header == ("Competentiegebied", "Criteria", "Woorden", "Bewijs", "Bijlagen")
    assert [plain(cell) for cell in table.rows[2]] == [
        "Methodische begeleiding",
        "Kennis (2), Kunde, Vaardigheden, Ethiek",
        "468",
        "2",
        "2, 4",
    ]
    assert [plain(cell) for cell in table.totals] == ["Totaal", "", "2808", "3", ""]


def test_outline_makes_the_words_of_starr_headings_of_steps() -> None:
    snapshot = sample_dossier.snapshot()
    snapshot["answers"]["intake"]["situatie"] = (
        "**Situatie.** Een man van 52.\n\nHij zocht.\n\n**Taak**\n\n**Samen** begonnen wij."
    )
    assert part(outline(snapshot), "Intake en verhelderen van de vraag").blocks[1] == Paragraph(
        (Run("Situatie.", bold=True), Run(" Een man van 52."))
    )
    for section in snapshot["template"]["sections"]:
        section["guidance"]["starr"] = True
    assert part(outline(snapshot), "Intake en verhelderen van de vraag").blocks[1:6] == (
        Paragraph((Run("Situatie"),), look="step"),
        Paragraph((Run("Een man van 52."),)),
        Paragraph((Run("Hij zocht."),)),
        Paragraph((Run("Taak"),), look="step"),
        Paragraph((Run("Samen", bold=True), Run(" begonnen wij."))),
    )


def test_outline_says_of_a_part_without_questions_that_it_does_not_apply() -> None:
    snapshot = sample_dossier.snapshot()
    for question in snapshot["template"]["sections"][0]["questions"]:
        question["shown_if"] = "scholing.gedragscode == 'no'"
    snapshot["answers"]["praktijk"] = {}
    assert part(outline(snapshot), "Uw praktijk").blocks == (Paragraph((Run("Niet van toepassing", italic=True),)),)


def test_outline_records_what_was_submitted_by_whom_and_when() -> None:
    record = part(outline(sample_dossier.snapshot(), snapshot_sha256=sample_dossier.sha("snapshot")), "Wat is ingediend")
    facts, table = record.blocks[1:]
    assert isinstance(facts, Facts)
    assert isinstance(table, Table)
    assert {label: plain(runs) for label, runs in facts.rows} == {
        "Dossier": "HC-2026-0001",
        "Ingediend door": "Sanne de Vries – محمد (sanne@example.org)",
        "Ingediend op": "21 november 2026, 15.32",
        "Antwoorden": "31",
        "Verklaringen van anderen": "1",
        "Bijlagen": "5 bestanden, 9 pagina’s",
        "Ingediende gegevens (SHA-256)": sample_dossier.sha("snapshot"),
        "Formulier (SHA-256)": sample_dossier.sha("template"),
        "Huisstijl (SHA-256)": sample_dossier.sha("house style"),
    }
    assert [plain(cell) for cell in table.rows[1]] == ["2", "12 november 2026, 10.15", sample_dossier.sha("cleaned 2")]


def test_outline_names_the_criteria_that_an_appendix_serves() -> None:
    facts = dict(outline(sample_dossier.snapshot()).evidence[4].facts)
    assert plain(facts["Criteria van het gebied"]).split("\n")[:2] == [
        "Kennis – Gebruikt actuele en betrouwbare bronnen over de arbeidsmarkt",
        "Kennis – Kent de theorie achter de gekozen werkwijze en kan haar uitleggen",
    ]
    assert "Criteria van het gebied" not in dict(outline(sample_dossier.snapshot()).evidence[0].facts)


def test_label_share_gives_long_questions_more_room() -> None:
    question = ("Hoeveel cliënten hebt u ongeveer begeleid sinds uw vorige certificering?", (Run("96 cliënten"),))
    name = ("Naam", (Run("De Andere Oever, loopbaan en outplacement, gevestigd te Groningen en Emmen"),))
    assert (label_share((question,)), label_share((name,)), label_share(())) == (0.6, 0.32, 0.32)


def test_only_small_tables_are_kept_whole() -> None:
    row = ((Run("kort"),),)
    assert is_kept_whole(Table("", ("Kop",), (row,) * 5))
    assert not is_kept_whole(Table("", ("Kop",), (row,) * 6))
    assert not is_kept_whole(Table("", ("Kop",), (((Run("lang " * 100),),),)))


def test_the_label_of_totals_runs_on_up_to_the_first_number() -> None:
    bold = tuple(words for words in ((Run("Totaal aantal punten (minstens 75 nodig)"),), (), (), (Run("72,5"),), ()))
    header = ("Datum", "Soort", "Naam", "Punten", "Bewijs")
    table = Table("", header, (((Run("1 mei 2026"),),) * 5,), totals=bold, numeric=(3,))
    assert totals_cells(table) == ((bold[0], 3), (bold[3], 1), ((), 1))
    assert totals_cells(dataclasses.replace(table, totals=())) == ()
    assert column_shares(table)[0] == column_shares(table)[1]  # the label asks for no width of its own


def test_column_shares_leave_room_for_a_long_text_among_many_short_columns() -> None:
    short, long = (Run("Samen een besluit voorbereid"),), (Run("U vult per baan of opdracht een periode in. " * 6),)
    table = Table("", tuple("ABCDEFG"), ((short,) * 5 + (long, short),))
    shares = column_shares(table)
    assert shares[5] > 1.9 * shares[0]


def test_a_chapter_behind_the_areas_starts_on_a_page_of_its_own() -> None:
    starting = {chapter.title: chapter.starts_page for chapter in outline(sample_dossier.snapshot()).chapters}
    assert (starting["Uw gegevens en ontwikkeling"], starting["Competentiegebieden"], starting["Afronding"]) == (
        False,
        True,
        True,
    )
