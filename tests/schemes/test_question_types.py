from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import NotFound
from app.plugin_api import Declaration, Facts, Heading, ListBlock, Paragraph, Run, Table
from app.schemes import question_types, spans
from app.schemes.model import Question
from app.schemes.question_types import BUILT_IN, as_date, as_number, as_period, shown_number


def text(nl: str, en: str = "") -> dict[str, str]:
    return {"nl": nl, "en": en or nl}


def problems(kind: str, answer: Any, **settings: Any) -> list[str]:
    """What the check says, in Dutch."""
    return [problem.text["nl"] for problem in BUILT_IN[kind].check(answer, settings)]


def a_date(day: object, month: object, year: object) -> dict[str, str]:
    return {"day": str(day), "month": str(month), "year": str(year)}


# --- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        *(("12", "12"), (" 12 ", "12"), ("12,5", "12.5"), ("12.5", "12.5"), ("-3", "-3"), ("−3", "-3"), ("+3", "3")),
        *(("1.234", "1234"), ("1,234", "1234"), ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1 234,5", "1234.5")),
        *(("1.234.567", "1234567"), ("1'234", "1234"), ("0.125", "0.125"), ("0,125", "0.125"), ("007", "7"), ("-0", "0")),
        *(("1234,5678", "1234.5678"), ("1\u00a0234", "1234")),
    ],
)
def test_as_number_reads_dutch_and_english(typed: str, number: str) -> None:
    assert as_number(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ca. 12",
        "12 uur",
        "1,2,3",
        "1.234.5",
        "1,234,5",
        "1.234.567.89",
        "12,",
        ",5",
        "1e3",
        "١٢",
        "½",
        "NaN",
        "--3",
        "9" * 31,
        None,
        12,
        ["1"],
    ],
)
def test_as_number_gives_none_for_what_is_no_number(typed: Any) -> None:
    assert as_number(typed) is None


@given(st.decimals(min_value=-9_999_999, max_value=9_999_999, places=2), st.sampled_from(["nl", "en"]))
def test_as_number_reads_back_what_is_shown(number: Decimal, language: str) -> None:
    assert as_number(shown_number(number, language)) == number


@given(st.text(alphabet="0123456789.,' -+", max_size=40))
def test_as_number_never_fails(typed: str) -> None:
    as_number(typed)


@pytest.mark.parametrize(
    ("answer", "settings", "problem"),
    [
        ("ca. 12", {}, "Vul alleen een getal in, bijvoorbeeld 12 of 12,5. U vulde in: ca. 12."),
        ("100%(n)s", {}, "Vul alleen een getal in, bijvoorbeeld 12 of 12,5. U vulde in: 100%(n)s."),
        ("12,5", {}, "Vul een heel getal in, zonder cijfers achter de komma."),
        ("12,0", {}, None),
        ("12,55", {"decimals": 1}, "Gebruik hoogstens 1 cijfer achter de komma."),
        ("12,5", {"decimals": 1, "min": 0.5, "max": 40}, None),
        ("0", {"min": 1}, "Vul een getal in van 1 of meer."),
        ("0,2", {"min": 0.5, "decimals": 1}, "Vul een getal in van 0,5 of meer."),
        ("1500", {"max": 1200}, "Vul een getal in van 1.200 of minder."),
        ("1.500", {"max": 5000}, None),
        ("1.500", {"max": 60}, "1.500 lezen wij als 1500. Vul een getal in van 60 of minder."),
        (
            "1.500",
            {"max": 40, "decimals": 1},
            "1.500 lezen wij als 1500. Bedoelt u 1,5? Vul dat dan in. Er kan hoogstens 40 staan.",
        ),
        ("1,525", {"max": 40, "decimals": 1}, "1,525 lezen wij als 1525. Vul een getal in van 40 of minder."),
        ("2.000", {"max": 40}, "2.000 lezen wij als 2000. Bedoelt u 2? Vul dat dan in. Er kan hoogstens 40 staan."),
        ("1.500.000", {"max": 40}, "Vul een getal in van 40 of minder."),
    ],
)
def test_number_says_what_to_change(answer: str, settings: Mapping[str, Any], problem: str | None) -> None:
    assert problems("number", answer, **settings) == ([problem] if problem else [])


def test_number_shows_itself_with_its_unit_in_each_language() -> None:
    settings = {"unit": text("uur", "hours")}
    assert [BUILT_IN["number"].summary("1234.5", settings, language) for language in ("nl", "en")] == [
        "1.234,5 uur",
        "1,234.5 hours",
    ]
    assert BUILT_IN["number"].blocks("ca. 12", settings, "nl") == (Paragraph((Run("ca. 12"),)),)


# --- dates and periods ---------------------------------------------------------------------------------------------


@given(st.dates())
def test_as_date_reads_every_day(day: date) -> None:
    assert as_date(a_date(day.day, day.month, f"{day.year:04}")) == day


@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["day", "month", "year", "from", "to"]), inner),
    )
)
def test_no_type_fails_on_an_answer_of_another_shape(answer: Any) -> None:
    settings = {**TABLE, "options": [], "levels": [], "text": text("x"), "words": {"min": 1}, "files": {"min": 1, "max": 2}}
    for of_type in BUILT_IN.values():
        assert isinstance(of_type.is_empty(answer), bool)
        of_type.check(answer, settings)
        of_type.summary(answer, settings, "nl")
        of_type.blocks(answer, settings, "en")


@pytest.mark.parametrize(
    ("answer", "settings", "problem"),
    [
        (a_date(31, 1, 2026), {}, None),
        (a_date("", 2, 2026), {}, "Vul ook de dag in."),
        (a_date(1, "", 2026), {}, "Vul ook de maand in."),
        (a_date(1, 2, ""), {}, "Vul ook het jaar in."),
        (a_date(1, "", ""), {}, "Vul dag, maand en jaar in, bijvoorbeeld 31 3 2026."),
        (a_date(1, "mei", 2026), {}, "Vul dag, maand en jaar in cijfers in, bijvoorbeeld 31 3 2026."),
        (a_date(1, 5, 26), {}, "Vul het jaar in met vier cijfers, bijvoorbeeld 2026."),
        (a_date(1, 13, 2026), {}, "Maand 13 bestaat niet. Vul een maand in van 1 tot en met 12."),
        (a_date(32, 1, 2026), {}, "Dag 32 bestaat niet. Vul een dag in van 1 tot en met 31."),
        (a_date(31, 2, 2026), {}, "31 februari 2026 bestaat niet. Controleer de dag en de maand."),
        (a_date(29, 2, 2026), {}, "29 februari 2026 bestaat niet. Controleer de dag en de maand."),
        (a_date(1, 1, "0000"), {}, "1 januari 0000 bestaat niet. Controleer de dag en de maand."),
        (a_date(1, 1, "0020"), {}, "Het jaar 0020 klopt vast niet. Controleer het jaar."),
        (a_date(31, 12, 1899), {}, "Het jaar 1899 klopt vast niet. Controleer het jaar."),
        (a_date(1, 1, 1900), {}, None),
        (a_date(1, 1, 3000), {"max": "today", "today": "2026-11-21"}, "Het jaar 3000 klopt vast niet. Controleer het jaar."),
        (a_date(1, 1, 2026), {"min": "2026-01-02"}, "Vul een datum in op of na 2 januari 2026."),
        (
            a_date(22, 11, 2026),
            {"max": "today", "today": "2026-11-21"},
            "22 november 2026 ligt in de toekomst. Vul een datum in tot en met vandaag.",
        ),
        (a_date(21, 11, 2026), {"max": "today", "today": date(2026, 11, 21)}, None),
        (a_date(22, 11, 2026), {"max": "today"}, None),
    ],
)
def test_date_says_what_to_change(answer: Any, settings: Mapping[str, Any], problem: str | None) -> None:
    assert problems("date", answer, **settings) == ([problem] if problem else [])


def test_date_and_period_show_themselves_in_each_language() -> None:
    day, other = a_date(1, 2, 2026), a_date(31, 2, 2026)
    assert [BUILT_IN["date"].summary(day, {}, language) for language in ("nl", "en")] == ["1 februari 2026", "1 February 2026"]
    assert BUILT_IN["period"].summary({"from": day, "to": other}, {}, "nl") == "1 februari 2026 – 31-2-2026"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"from": a_date(1, 1, 2026), "to": a_date(1, 1, 2026)}, None),
        ({"from": a_date(2, 1, 2026), "to": a_date(1, 1, 2026)}, "De einddatum ligt voor de begindatum. Controleer beide data."),
        (
            {"from": a_date(31, 2, 2026), "to": a_date(1, 1, 2026)},
            "Begindatum: 31 februari 2026 bestaat niet. Controleer de dag en de maand.",
        ),
        ({"from": a_date(1, 1, 2026), "to": a_date("", "", "")}, "Einddatum: Vul dag, maand en jaar in, bijvoorbeeld 31 3 2026."),
    ],
)
def test_period_says_what_to_change(answer: Any, problem: str | None) -> None:
    assert problems("period", answer) == ([problem] if problem else [])
    assert (as_period(answer) is None) == (problem is not None)


# --- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "problem"),
    [
        (9, "Schrijf nog 1 woord. Het zijn er nu 9 en er zijn er minstens 10 nodig."),
        (3, "Schrijf nog 7 woorden. Het zijn er nu 3 en er zijn er minstens 10 nodig."),
        (10, None),
        (20, None),
        (21, "Schrap nog 1 woord. Het zijn er nu 21 en het mogen er hoogstens 20 zijn."),
        (57, "Schrap nog 37 woorden. Het zijn er nu 57 en het mogen er hoogstens 20 zijn."),
    ],
)
def test_long_text_counts_words(count: int, problem: str | None) -> None:
    assert problems("long_text", " woord\n" * count, words={"min": 10, "max": 20}) == ([problem] if problem else [])


def test_long_text_shows_its_markup_and_one_line() -> None:
    answer = "Een **vet** woord.\n\n- punt\n- " + "lang " * 50
    assert BUILT_IN["long_text"].blocks(answer, {}, "nl") == (
        Paragraph((Run("Een "), Run("vet", bold=True), Run(" woord."))),
        ListBlock(((Run("punt"),), (Run(("lang " * 50).strip()),))),
    )
    summary = BUILT_IN["long_text"].summary(answer, {}, "nl")
    assert summary.startswith("Een vet woord. • punt • lang lang")
    assert len(summary) <= question_types.SUMMARY_LENGTH
    assert summary.endswith("…")


def test_short_text_is_one_clean_line_of_limited_length() -> None:
    assert BUILT_IN["short_text"].read({"s.q": ["a\r\nb\u00a0c"]}, "s.q", {}) == "a b c"
    assert problems("short_text", "x" * 203, max_length=200) == ["Maak de tekst 3 tekens korter."]
    assert problems("short_text", "x" * 201) == ["Maak de tekst 1 teken korter."]


# --- choosing ------------------------------------------------------------------------------------------------------

OPTIONS = [{"id": name, "label": text(f"Keuze {name}", f"Choice {name}")} for name in "abc"]


def test_choice_and_scale_know_their_options() -> None:
    assert problems("choice", "d", options=OPTIONS) == ["“d” is hier geen mogelijkheid. Maak een andere keuze."]
    assert problems("choice", "d", options=OPTIONS, list=text("Bureaus")) == [
        (
            "“d” staat niet op de lijst Bureaus. Het secretariaat houdt die lijst bij. Maak een andere keuze, of vraag het "
            "secretariaat wat u het best kunt kiezen."
        )
    ]
    assert problems("choice", "a", options=OPTIONS) == []
    assert BUILT_IN["choice"].summary("a", {"options": OPTIONS}, "en") == "Choice a"
    levels = [{"id": "1", "label": text("Oneens")}, {"id": "2", "label": text("2: eens")}]
    assert problems("scale", "3", levels=levels) == ["Kies een van de scores."]
    assert [BUILT_IN["scale"].summary(level, {"levels": levels}, "nl") for level in "12"] == ["1 – Oneens", "2: eens"]


def test_choices_count_and_keep_the_order_of_the_options() -> None:
    settings = {"options": OPTIONS, "choose": {"min": 2, "max": 2}}
    assert problems("choices", ["a"], **settings) == ["Kies er nog 1."]
    assert problems("choices", ["a", "b", "c"], **settings) == ["Kies er 1 minder: hoogstens 2."]
    assert problems("choices", ["a", "x"], **settings) == ["“x” is hier geen mogelijkheid. Maak een andere keuze."]
    assert BUILT_IN["choices"].blocks(["c", "a"], settings, "nl") == (ListBlock(((Run("Keuze a"),), (Run("Keuze c"),))),)
    assert BUILT_IN["choices"].read({"q": ["c", "a", "c", ""]}, "q", settings) == ["c", "a"]


def test_declaration_stands_in_the_document_with_its_answer() -> None:
    of_type, settings = BUILT_IN["declaration"], {"text": text("Ik beloof het", "I promise")}
    assert [of_type.read({"q": values}, "q", settings) for values in ([], ["on"])] == ["", "yes"]
    assert of_type.blocks("yes", settings, "en") == (Declaration("I promise", agreed=True),)
    assert problems("declaration", "no", **settings) == ["Zet een vinkje als u het hiermee eens bent."]


# --- evidence and statement ----------------------------------------------------------------------------------------


def test_evidence_counts_files_and_reads_ids_only() -> None:
    settings = {"files": {"min": 2, "max": 3}}
    assert BUILT_IN["evidence"].read({"q": ["3", "x", "-1", "3", "9" * 20, "4"]}, "q", settings) == [3, 4]
    assert problems("evidence", [3], **settings) == ["Voeg nog 1 bewijsstuk toe."]
    assert problems("evidence", [1, 2, 3, 4, 5], **settings) == ["Haal 2 bewijsstukken weg: hoogstens 3."]
    assert BUILT_IN["evidence"].summary([3, 4], settings, "nl") == "2 bewijsstukken"
    assert BUILT_IN["evidence"].blocks([3, 4], settings, "nl") == ()


def test_statement_holds_no_answer() -> None:
    of_type = BUILT_IN["statement"]
    assert (of_type.read({"q": ["x"]}, "q", {}), of_type.is_empty("x"), of_type.check("x", {})) == (None, True, ())


# --- tables --------------------------------------------------------------------------------------------------------

TABLE: dict[str, Any] = {
    "label": text("Cursussen", "Courses"),
    "row_title": "name",
    "rows": {"min": 2, "max": 4},
    "fields": [
        {"id": "name", "type": "short_text", "label": text("Naam", "Name"), "required": True, "max_length": 20},
        {"id": "kind", "type": "choice", "label": text("Soort", "Kind"), "required": True, "options": OPTIONS},
        {"id": "points", "type": "number", "label": text("Punten", "Points"), "required": True, "decimals": 1},
        {"id": "note", "type": "long_text", "label": text("Notitie", "Note"), "required": False},
        {"id": "day", "type": "date", "label": text("Dag", "Day"), "required": False, "max": "today"},
        {
            "id": "proof",
            "type": "evidence",
            "label": text("Bewijs", "Evidence"),
            "required": False,
            "files": {"min": 1, "max": 2},
        },
    ],
    "totals": [{"field": "points", "label": text("Totaal", "Total"), "min": 20, "unit": text("punten", "points")}],
    "caps": [{"field": "points", "by": "kind", "value": "a", "max": 5}],
}


def row(row_id: str, kind: str, points: str, **more: Any) -> dict[str, Any]:
    return {"row": row_id, "name": f"cursus {row_id}", "kind": kind, "points": points, **more}


def test_read_row_reads_each_field_and_keeps_the_rows_id() -> None:
    form = {
        "q.name": ["Gesprek"],
        "q.points": ["2,5"],
        "q.note": ["a\r\nb"],
        "q.day.day": ["1"],
        "q.day.month": ["2"],
        "q.proof": ["7", "8"],
        "q.row": ["r1"],
    }
    assert question_types.read_row(form, "q", TABLE) == {
        "name": "Gesprek",
        "kind": "",
        "points": "2,5",
        "note": "a\nb",
        "day": {"day": "1", "month": "2", "year": ""},
        "proof": [7, 8],
        "row": "r1",
    }
    assert "row" not in question_types.read_row({}, "q", TABLE)


def test_table_places_problems_by_row_and_field() -> None:
    rows = [row("r1", "a", "veel"), row("r2", "b", "", day=a_date(22, 11, 2026))]
    found = BUILT_IN["table"].check(rows, {**TABLE, "totals": [], "today": "2026-11-21"})
    assert [(problem.row, problem.field, problem.text["nl"]) for problem in found] == [
        ("r1", "points", "Vul alleen een getal in, bijvoorbeeld 12 of 12,5. U vulde in: veel."),
        ("r2", "points", "Vul in: Punten"),
        ("r2", "day", "22 november 2026 ligt in de toekomst. Vul een datum in tot en met vandaag."),
    ]


def test_table_has_periods_in_its_rows() -> None:
    during = {"id": "during", "type": "period", "label": text("Periode", "Period"), "max": "today"}
    settings: dict[str, Any] = {"label": text("Banen", "Jobs"), "fields": [during], "today": "2026-11-21"}
    form = {"q.during.from.day": ["3"], "q.during.to.year": ["2024"]}
    assert question_types.read_row(form, "q", settings) == {"during": {"from": a_date(3, "", ""), "to": a_date("", "", 2024)}}
    rows = [
        {"row": "r1", "during": {"from": a_date(3, 5, 2024), "to": a_date(2, 5, 2024)}},
        {"row": "r2", "during": {"from": a_date(3, 5, 2024), "to": a_date(22, 11, 2026)}},
        {"row": "r3"},
    ]
    assert [(problem.row, problem.text["nl"]) for problem in BUILT_IN["table"].check(rows, settings)] == [
        ("r1", "De einddatum ligt voor de begindatum. Controleer beide data."),
        ("r2", "Einddatum: 22 november 2026 ligt in de toekomst. Vul een datum in tot en met vandaag."),
        ("r3", "Vul in: Periode"),
    ]
    (table,) = BUILT_IN["table"].blocks(rows[1:2], settings, "en")
    assert table.rows == (((Run("3 May 2024 –\n22 November 2026"),),),)


def test_table_counts_rows_and_totals_with_caps() -> None:
    one = [row("r1", "a", "8")]
    assert problems("table", one, **TABLE) == [
        "Voeg nog 1 regel toe.",
        "Totaal: u komt nog 15 tekort. Het zijn er nu 5 en er zijn er minstens 20 nodig.",
    ]
    five = [row(f"r{number}", "b", "10,5") for number in range(5)]
    assert problems("table", five, **TABLE) == ["Haal 1 regel weg: hoogstens 4."]
    limited = {**TABLE, "totals": [{**TABLE["totals"][0], "max": 50}]}
    assert problems("table", five[:4] + one, **{**limited, "rows": {}}) == []
    assert problems("table", [*five, *one], **{**limited, "rows": {}}) == [
        "Totaal: er zijn er 7,5 te veel. Het zijn er nu 57,5 en het mogen er hoogstens 50 zijn."
    ]


def test_totals_tell_what_was_entered_and_what_counts() -> None:
    (total,) = question_types.totals([row("r1", "a", "8"), row("r2", "a", "x"), row("r3", "b", "1,5")], TABLE)
    assert (total.entered, total.counted, total.min, total.max) == (Decimal("9.5"), Decimal("6.5"), Decimal(20), None)
    assert question_types.shown_total(total, "nl") == "6,5 punten (9,5 ingevuld)"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=12))
def test_totals_never_count_more_than_the_cap(entries: list[tuple[str, int]]) -> None:
    rows = [row(str(number), kind, str(points)) for number, (kind, points) in enumerate(entries)]
    (total,) = question_types.totals(rows, TABLE)
    capped = sum(points for kind, points in entries if kind == "a")
    assert total.entered == sum(points for _, points in entries)
    assert total.counted == total.entered - max(0, capped - 5)


def test_table_becomes_a_document_table_with_totals() -> None:
    rows = [
        row("r1", "a", "8", note="Een **vet** woord\n- punt", day=a_date(1, 2, 2026), proof=[7, 8]),
        row("r2", "b", "ca. 3"),
    ]
    settings = {**TABLE, "evidence": {7: "Bijlage 1", 8: "Bijlage 2"}}
    table, _ = BUILT_IN["table"].blocks(rows, settings, "nl")
    assert table == Table(
        caption="Cursussen",
        header=("Naam", "Soort", "Punten", "Notitie", "Dag", "Bewijs"),
        rows=(
            (
                (Run("cursus r1"),),
                (Run("Keuze a"),),
                (Run("8"),),
                (Run("Een "), Run("vet", bold=True), Run(" woord"), Run(" • "), Run("punt")),
                (Run("1 februari 2026"),),
                (Run("Bijlage 1, Bijlage 2"),),
            ),
            ((Run("cursus r2"),), (Run("Keuze b"),), (Run("ca. 3"),), (), (), ()),
        ),
        totals=((Run("Totaal (8 ingevuld, minstens 20 nodig)", bold=True),), (), (Run("5", bold=True),), (), (), ()),
        numeric=(2,),
    )
    assert BUILT_IN["table"].summary(rows, TABLE, "en").startswith("2 ")


def test_units_stand_in_the_head_of_a_column_and_numbers_alone_below_it() -> None:
    fields = [
        {"id": "hours", "type": "number", "label": text("Duur", "Duration"), "unit": text("uur", "hours")},
        {"id": "points", "type": "number", "label": text("Punten", "Points"), "unit": text("punten", "points"), "decimals": 1},
    ]
    settings = {"label": text("Lijst", "List"), "fields": fields}
    (table,) = BUILT_IN["table"].blocks([{"row": "r1", "hours": "2", "points": "1,5"}], settings, "nl")
    assert (table.header, table.rows) == (("Duur (uur)", "Punten"), (((Run("2"),), (Run("1,5"),)),))


def test_a_period_in_a_column_has_a_line_for_each_day() -> None:
    rows = [job(date(2020, 9, 1), date(2021, 12, 31))]
    table, *_ = BUILT_IN["table"].blocks(rows, JOBS, "nl")
    assert table.rows == (((Run("1 september 2020 –\n31 december 2021"),),),)


def test_rows_with_much_text_become_cards_that_name_every_field() -> None:
    long = "Ik begeleidde cliënten van begin tot eind. " * 5
    rows = [row("r1", "a", "8", note=long, day=a_date(1, 2, 2026), proof=[7]), row("r2", "b", "3")]
    found = BUILT_IN["table"].blocks(rows, {**TABLE, "evidence": {7: "Bijlage 1"}}, "nl")
    assert [type(block) for block in found] == [Heading, Facts, Heading, Facts, Facts, Table]
    assert found[0] == Heading("1. cursus r1", level=3)
    assert found[1] == Facts(
        (
            ("Soort", (Run("Keuze a"),)),
            ("Punten", (Run("8"),)),
            ("Notitie", (Run(long.strip()),)),
            ("Dag", (Run("1 februari 2026"),)),
            ("Bewijs", (Run("Bijlage 1"),)),
        )
    )
    empty = (Run("Niet ingevuld", italic=True),)
    assert found[3] == Facts(
        (("Soort", (Run("Keuze b"),)), ("Punten", (Run("3"),)), ("Notitie", empty), ("Dag", empty), ("Bewijs", empty))
    )
    assert found[4] == Facts((("Totaal", (Run("8 punten (11 ingevuld)", bold=True),)),))


def test_what_caps_take_off_is_shown_by_kind() -> None:
    _, kinds = BUILT_IN["table"].blocks([row("r1", "a", "8"), row("r2", "b", "3"), row("r3", "b", "1,5")], TABLE, "nl")
    assert kinds == Table(
        caption="Totaal, per soort",
        header=("Soort", "Ingevuld", "Hoogstens", "Telt mee"),
        rows=(
            ((Run("Keuze a"),), (Run("8"),), (Run("5"),), (Run("5"),)),
            ((Run("Keuze b"),), (Run("4,5"),), (Run("–"),), (Run("4,5"),)),
        ),
        totals=((Run("Samen", bold=True),), (Run("12,5", bold=True),), (), (Run("9,5", bold=True),)),
        numeric=(1, 2, 3),
    )


def test_types_without_their_plugin_are_refused_in_words() -> None:
    with pytest.raises(NotFound) as caught:
        question_types.types()["colour"]
    assert caught.value.details == {"question_type": "colour"}
    assert question_types.types().get("colour") is None


def test_question_makes_a_question_of_a_nested_one() -> None:
    field = TABLE["fields"][3]
    found = question_types.question(field)
    assert (found.id, found.type, found.required, found.settings) == ("note", "long_text", False, field)


def test_every_setting_of_a_built_in_type_is_of_a_kind_that_plugins_may_use() -> None:
    kinds = {"text", "int", "number", "bool", "str", "options", "fields", "range", "list", "date"}
    assert {kind for of_type in BUILT_IN.values() for kind in of_type.settings.values()} <= kinds


# --- how long the periods in a table are together ------------------------------------------------------------------

JOBS: dict[str, Any] = {
    "label": text("Banen", "Jobs"),
    "fields": [{"id": "during", "type": "period", "label": text("Periode", "Period"), "max": "today", "open": True}],
    "span": {"field": "during", "label": text("Werkervaring", "Experience"), "min_years": 3},
    "today": "2026-11-21",
}


def job(*ends: date | None) -> dict[str, Any]:
    first, last = (a_date(day.day, day.month, day.year) if day else a_date("", "", "") for day in ends)
    return {"row": f"r{ends[0]}", "during": {"from": first, "to": last}}


def test_span_that_is_short_says_how_much_lacks() -> None:
    rows = [job(date(2020, 1, 1), date(2021, 12, 31)), job(date(2021, 6, 1), date(2022, 11, 30))]
    assert problems("table", rows, **JOBS) == [
        "Werkervaring: u komt nog 1 maand tekort. Het is nu 2 jaar en 11 maanden en er is minstens 3 jaar nodig."
    ]
    assert problems("table", [job(date(2020, 1, 1), date(2022, 12, 31))], **JOBS) == []


def test_a_period_that_goes_on_counts_up_to_today() -> None:
    rows = [job(date(2024, 3, 1), None), job(date(2021, 1, 1), date(2023, 11, 30))]
    found = question_types.span(rows, JOBS)
    assert found is not None
    assert question_types.length_text(spans.length(found.stretches)) == text("5 jaar en 7 maanden", "5 years and 7 months")
    assert [note["nl"] for note in question_types.span_notes(found)] == [
        "Gerekend tot en met 21 november 2026.",
        "Niet ingevuld: 1 december 2023 – 29 februari 2024.",
    ]
    table, told, _ = BUILT_IN["table"].blocks(rows, JOBS, "nl")
    assert table.rows[0] == ((Run("1 maart 2024 –\nheden"),),)
    assert told == Paragraph(
        (
            Run("Werkervaring: ", bold=True),
            Run("5 jaar en 7 maanden (minstens 3 jaar nodig). Gerekend tot en met 21 november 2026."),
        )
    )
    assert BUILT_IN["table"].summary(rows, JOBS, "nl") == "2 regels, 5 jaar en 7 maanden"


def test_the_time_after_the_last_period_is_shown_up_to_today() -> None:
    rows = [job(date(2021, 1, 1), date(2024, 12, 31))]
    found = question_types.span(rows, JOBS)
    assert found is not None
    assert [note["nl"] for note in question_types.span_notes(found)] == ["Niet ingevuld: 1 januari 2025 – 21 november 2026."]
    _, _, counted = BUILT_IN["table"].blocks(rows, JOBS, "nl")
    assert counted.rows == (
        ((Run("1 januari 2021"),), (Run("31 december 2024"),), (Run("4 jaar"),)),
        ((Run("1 januari 2025"),), (Run("21 november 2026"),), (Run("telt niet mee", italic=True),)),
    )
    for last in (date(2026, 11, 20), date(2026, 11, 21)):
        until_now = question_types.span([job(date(2021, 1, 1), last)], JOBS)
        assert until_now is not None
        assert question_types.span_notes(until_now) == []


def test_a_span_longer_than_anybody_can_have_worked_is_a_wrong_year() -> None:
    bounded = {**JOBS, "span": {**JOBS["span"], "max_years": 50}}
    rows = [job(date(1951, 1, 1), date(1999, 12, 31)), job(date(2020, 1, 1), date(2021, 12, 31))]
    assert problems("table", rows, **bounded) == [
        "Werkervaring: 51 jaar is langer dan iemand dit werk doet. Controleer de jaren van elke periode."
    ]
    assert problems("table", [job(date(1951, 1, 1), date(2000, 12, 30))], **bounded) == []


def test_a_date_is_held_against_the_date_of_another_question() -> None:
    words = {"because": text("Daarom.", "That is why."), "question": "a.other"}
    asked = {"id": "day", "type": "date", "label": text("Dag", "Day")}
    for key, good, wrong, expected in (
        ("not_before", a_date(1, 1, 2026), a_date(31, 12, 2025), "Vul een datum in op of na 1 januari 2026. Daarom."),
        ("not_after", a_date(1, 1, 2026), a_date(2, 1, 2026), "Vul een datum in op of voor 1 januari 2026. Daarom."),
    ):
        question = question_types.question({**asked, key: words})
        settings = question_types.in_dossier(question, {"a": {"other": a_date(1, 1, 2026)}}, "2026-11-21")
        assert [one.text["nl"] for one in BUILT_IN["date"].check(wrong, settings)] == [expected]
        assert BUILT_IN["date"].check(good, settings) == ()
        for unknown in ({}, {"a": {"other": a_date(31, 2, 2026)}}):
            assert BUILT_IN["date"].check(wrong, question_types.in_dossier(question, unknown, "2026-11-21")) == ()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("Zij voldoet aan een HBO-denk- en werkniveau.", False),
        ("Meets the level of Higher Professional Education.", False),
        ("Zij heeft een mbo denk- en werkniveau.", True),
        ("De hbooptie bleef open.", True),
        (" ", False),
    ],
)
def test_a_text_that_does_not_mention_what_is_expected_gives_advice_and_no_problem(answer: str, told: bool) -> None:
    settings = {"mentions": {"words": ["hbo", "higher professional education"], "otherwise": text("Kijk na.", "Check.")}}
    assert question_types.advice(answer, settings) == (text("Kijk na.", "Check.") if told else None)
    assert BUILT_IN["long_text"].check(answer, settings) == ()


def test_periods_that_overlap_or_leave_a_gap_are_shown_as_they_were_counted() -> None:
    rows = [
        job(date(2024, 3, 1), None),
        job(date(2020, 1, 1), date(2021, 12, 31)),
        job(date(2021, 6, 1), date(2022, 11, 15)),
    ]
    _, told, counted = BUILT_IN["table"].blocks(rows, JOBS, "nl")
    assert told.runs[1].text == "5 jaar en 7 maanden (minstens 3 jaar nodig). Gerekend tot en met 21 november 2026."
    assert counted == Table(
        caption="Werkervaring: wat meetelt",
        header=("Van", "Tot en met", "Duur"),
        rows=(
            ((Run("1 januari 2020"),), (Run("15 november 2022"),), (Run("2 jaar, 10 maanden en 15 dagen"),)),
            ((Run("16 november 2022"),), (Run("29 februari 2024"),), (Run("telt niet mee", italic=True),)),
            ((Run("1 maart 2024"),), (Run("21 november 2026"),), (Run("2 jaar, 8 maanden en 21 dagen"),)),
        ),
        totals=((Run("Samen", bold=True),), (), (Run("5 jaar, 7 maanden en 5 dagen", bold=True),)),
        numeric=(2,),
    )


def test_wrong_periods_count_for_nothing_and_are_named() -> None:
    rows = [job(date(2027, 1, 1), None), job(date(2022, 1, 1), date(2027, 1, 1)), job(date(2022, 2, 1), date(2022, 1, 1))]
    future = "1 januari 2027 ligt in de toekomst. Vul een datum in tot en met vandaag."
    assert problems("table", rows, **JOBS) == [
        f"Begindatum: {future}",
        f"Einddatum: {future}",
        "De einddatum ligt voor de begindatum. Controleer beide data.",
        "Werkervaring: u komt nog 3 jaar tekort. Het is nu 0 dagen en er is minstens 3 jaar nodig.",
    ]


def test_only_the_last_years_count_where_a_scheme_says_so() -> None:
    recent = {**JOBS, "span": {**JOBS["span"], "within_years": 4}}
    rows = [job(date(2010, 1, 1), date(2024, 11, 20))]
    assert problems("table", rows, **recent) == [
        "Werkervaring: u komt nog 1 jaar tekort. Het is nu 2 jaar en er is minstens 3 jaar nodig."
    ]


@given(
    st.recursive(
        st.none() | st.text(max_size=4) | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(("row", "during", "from", "to", "day", "month", "year")), inner)
        ),
    )
)
def test_a_span_of_answers_of_any_shape_never_fails(answer: Any) -> None:
    assert question_types.span(answer, JOBS) is not None


# --- what counts in a ledger of points -----------------------------------------------------------------------------

PERIOD = {"from": a_date(1, 1, 2023), "to": a_date(31, 12, 2026)}
LEDGER = Question(
    id="ledger",
    type="table",
    label=text("Punten"),
    settings={
        "row_title": "name",
        "fields": [
            {"id": "name", "type": "short_text", "label": text("Naam"), "required": False},
            {"id": "day", "type": "date", "label": text("Dag"), "required": False},
            {"id": "kind", "type": "choice", "label": text("Soort"), "required": False, "options": OPTIONS},
            {"id": "points", "type": "number", "label": text("Punten"), "required": False},
            {"id": "proof", "type": "evidence", "label": text("Bewijs"), "required": False, "files": {"max": 3}},
        ],
        "totals": [{"field": "points", "label": text("Totaal")}],
        "caps": [{"field": "points", "by": "kind", "value": "a", "max": 10}],
        "within": {"field": "day", "period": "personal.certificate"},
        "distinct": [["name", "day"], ["proof"]],
    },
)


def activity(row_id: str, **cells: Any) -> dict[str, Any]:
    return {"row": row_id, "name": f"Activiteit {row_id}", "day": a_date(1, 6, 2024), "points": "5", **cells}


def in_ledger(period: Any) -> Mapping[str, Any]:
    return question_types.in_dossier(LEDGER, {"personal": {"certificate": period}}, date(2026, 11, 21))


def counted(rows: list[dict[str, Any]], period: Any = None) -> Decimal:
    (total,) = question_types.totals(rows, in_ledger(period))
    return total.counted


def test_rows_outside_the_period_count_for_nothing_and_are_named() -> None:
    rows = [
        activity("r1", day=a_date(31, 12, 2022)),
        activity("r2", day=a_date(1, 1, 2023)),
        activity("r3", day=a_date(1, 1, 2027)),
    ]
    found = BUILT_IN["table"].check(rows, in_ledger(PERIOD))
    words = (
        "Deze datum valt buiten de periode die telt: 1 januari 2023 – 31 december 2026. Pas de datum aan of haal de regel weg."
    )
    assert [(problem.row, problem.field, problem.text["nl"]) for problem in found] == [
        ("r1", "day", words),
        ("r3", "day", words),
    ]
    assert (counted(rows, PERIOD), counted(rows), counted(rows, {"from": "x"})) == (5, 15, 15)


def test_a_date_that_has_to_be_one_of_a_table() -> None:
    otherwise = text("Die dag staat er niet.")
    among = {"table": "meetings.list", "field": "day", "otherwise": otherwise}
    day = Question(id="day", type="date", label=text("Dag"), settings={"max": "today", "among": among})
    rows = [{"row": "a", "day": a_date(3, 5, 2026)}, {"row": "b", "day": {}}, {"row": "c", "day": a_date(4, 6, 2026)}]

    def found(answer: Any, listed: Any) -> list[Mapping[str, str]]:
        settings = question_types.in_dossier(day, {"meetings": {"list": listed}}, date(2026, 11, 21))
        return [problem.text for problem in BUILT_IN["date"].check(answer, settings)]

    assert found(a_date(4, 6, 2026), rows) == []
    assert found(a_date(5, 6, 2026), rows) == [otherwise]
    assert found(a_date(5, 6, 2026), rows[1:2]) == found(a_date(5, 6, 2026), None) == []
    assert found(a_date(1, 1, 2027), rows) != [otherwise], "one thing wrong at a time"


def test_the_same_activity_or_certificate_twice_is_named() -> None:
    rows = [
        activity("r1", name="Training  Rouw", proof=[3]),
        activity("r2", name="training rouw", proof=[4]),
        activity("r3", proof=[5, 3]),
        activity("r4", name="Training Rouw", day=a_date(2, 6, 2024)),
        activity("r5", name=""),
        activity("r6", name=""),
    ]
    found = BUILT_IN["table"].check(rows, in_ledger(PERIOD))
    words = "Dit lijkt op een andere regel: Training  Rouw. Alles telt één keer. Hoort het bij elkaar? Maak er dan één regel van."
    assert [(problem.row, problem.field, problem.text["nl"]) for problem in found] == [
        ("r2", "name", words),
        ("r3", "proof", words),
    ]
    assert counted(rows, PERIOD) == 20
    assert BUILT_IN["table"].summary(rows, in_ledger(PERIOD), "nl") == "6 regels, 20"


def test_a_double_counts_for_no_total_cap_or_number_of_rows() -> None:
    rows = [activity(f"r{number}", name="Studiedag", kind="a", points="8") for number in range(4)]
    settings = {**in_ledger(PERIOD), "rows": {"min": 4}}
    (total,) = question_types.totals(rows, settings)
    assert (total.entered, total.counted) == (8, 8)
    assert [cap.entered for cap in question_types.caps(rows, settings)] == [8]
    found = [problem.text["nl"] for problem in BUILT_IN["table"].check(rows, settings)]
    assert found[0] == "Voeg nog 3 regels toe."
    assert len(found) == 4
    blocks = BUILT_IN["table"].blocks(rows, settings, "nl")
    assert [block.totals[-1] for block in blocks if isinstance(block, Table)] == [(), (Run("8", bold=True),)]


def test_a_row_outside_the_period_is_not_one_of_those_that_are_needed() -> None:
    rows = [activity("r1"), activity("r2", day=a_date(1, 1, 2001))]
    found = [problem.text["nl"] for problem in BUILT_IN["table"].check(rows, {**in_ledger(PERIOD), "rows": {"min": 2}})]
    assert found[0] == "Voeg nog 1 regel toe."


@pytest.mark.parametrize("typed", ["", " \n", "\u200b", "\u2800\u3164", "\ufe0f\u034f", "\u00a0\u2060\ufeff"])
def test_text_in_which_nothing_can_be_seen_is_no_answer(typed: str) -> None:
    assert question_types.nothing(typed)
    assert question_types.nothing({"day": typed, "row": "r1"})
    assert not question_types.nothing(f"{typed}a")


def test_the_same_evidence_at_two_rows_is_a_question_and_nothing_wrong() -> None:
    free = {key: value for key, value in LEDGER.settings.items() if key != "distinct"}
    rows = [
        activity("r1", proof=[3, 4]),
        activity("r2", proof=[]),
        activity("r3", proof=[5, 4, 3, 4]),
        activity("r4", proof="3"),
        activity("r5", proof=[5]),
    ]
    assert list(question_types.shared_evidence(rows, free)) == [("r3", 4, 1), ("r3", 3, 1), ("r5", 5, 3)]
    assert list(question_types.shared_evidence(rows, LEDGER.settings)) == [], "there it is refused already"
    assert [problem.row for problem in BUILT_IN["table"].check(rows[:3], free)] == []


def test_points_that_are_wrong_count_for_nothing() -> None:
    field = {"id": "points", "type": "number", "label": text("Punten"), "min": 0.5, "max": 40, "decimals": 1}
    settings = {"fields": [field], "totals": [{"field": "points", "label": text("Totaal")}]}
    for typed, counts in (("-5", 0), ("0", 0), ("1.500", 0), ("1,25", 0), ("acht", 0), ("", 0), (7, 0), ("1,5", 1.5), ("40", 40)):
        (total,) = question_types.totals([{"row": "a", "points": "2"}, {"row": "b", "points": typed}], settings)
        assert (total.entered, total.counted) == (2 + counts, 2 + counts), typed


ROWS = st.lists(
    st.builds(
        lambda index, kind, points, year: activity(f"r{index}", kind=kind, points=str(points), day=a_date(1, 6, year)),
        st.integers(0, 99),
        st.sampled_from("abc"),
        st.integers(0, 40),
        st.integers(2021, 2028),
    ),
    max_size=12,
    unique_by=lambda row: row["row"],  # of doubles the first counts
)


@given(ROWS, st.randoms())
def test_points_do_not_depend_on_the_order_and_never_pass_what_was_entered(rows: list[dict[str, Any]], random: Any) -> None:
    mixed = random.sample(rows, len(rows))
    within = [row for row in rows if 2023 <= int(row["day"]["year"]) <= 2026]
    capped = sum(int(row["points"]) for row in within if row["kind"] == "a")
    free = sum(int(row["points"]) for row in within if row["kind"] != "a")
    assert counted(mixed, PERIOD) == counted(rows, PERIOD) == free + min(capped, 10)
    assert 0 <= counted(rows, PERIOD) <= counted(rows) <= sum(int(row["points"]) for row in rows)


@given(ROWS)
def test_another_activity_never_takes_points_away(rows: list[dict[str, Any]]) -> None:
    steps = [counted(rows[:count], PERIOD) for count in range(len(rows) + 1)]
    assert steps == sorted(steps)


def test_a_choice_that_left_the_list_is_pointed_out_after_its_last_day() -> None:
    options = [
        {"id": "old", "label": {"nl": "Oud Bureau", "en": "Old Bureau"}, "until": "2026-03-31"},
        {"id": "new", "label": {"nl": "Nieuw", "en": "New"}},
    ]
    check = question_types.BUILT_IN["choice"].check
    assert list(check("old", {"options": options, "today": "2026-03-31"})) == []
    assert list(check("new", {"options": options, "today": "2026-04-01"})) == []
    assert list(check("old", {"options": options})) == [], "which day it is, only a dossier knows"
    (problem,) = check("old", {"options": options, "today": "2026-04-01"})
    assert problem.text == {
        "nl": "Oud Bureau staat na 31 maart 2026 niet meer op de lijst. Maak een andere keuze, of vraag het secretariaat of deze "
        "nog mag.",
        "en": "Old Bureau is not on the list after 31 March 2026. Make another choice, or ask the office whether this one "
        "is still allowed.",
    }
