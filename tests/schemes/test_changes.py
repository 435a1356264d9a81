"""What differs between two templates: every question once, in words, and nothing where nothing differs."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config import Settings
from app.schemes import loader, schemas
from app.schemes.changes import Comparison, compare
from app.schemes.loader import Catalogue
from app.schemes.model import Criterion, DossierTemplate, PluginRef, Question, Section


def words(text: str) -> dict[str, str]:
    return {"nl": text, "en": text}


def question(name: str = "story", kind: str = "long_text", label: str = "", **changes: Any) -> Question:
    general = {key: changes.pop(key) for key in ("hint", "required", "shown_if") if key in changes}
    return Question(id=name, type=kind, label=words(label or name), settings=changes, **general)


def section(name: str, *questions: Question, title: str = "") -> Section:
    return Section(id=name, group="all", title=words(title or name), questions=questions)


@pytest.fixture(scope="module")
def base(small_catalogue: Catalogue) -> DossierTemplate:
    return loader.compose(small_catalogue, "small", "1", [])


def told(old: Question, new: Question, base: DossierTemplate) -> list[tuple[str, str]]:
    """Weight and Dutch words of what differs between two questions."""
    before, after = (replace(base, sections=(section("one", one),)) for one in (old, new))
    changed = compare(before, after).questions
    assert len(changed) == 1
    return [(one.weight, one.text["nl"]) for one in changed[0].details]


def kinds(old: DossierTemplate, new: DossierTemplate) -> dict[tuple[str, str], str]:
    found = compare(old, new).questions
    return {one.place or one.was or ("", ""): one.kind for one in found}


# --- each question once --------------------------------------------------------------------------------------------

SECTIONS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.lists(
            st.tuples(st.sampled_from("abcd"), st.sampled_from(["short_text", "long_text", "date"]), st.booleans()),
            max_size=4,
            unique_by=lambda one: one[0],
        ),
    ),
    max_size=3,
    unique_by=lambda one: one[0],
)


def template(drawn: list[tuple[str, list[tuple[str, str, bool]]]]) -> DossierTemplate:
    made = [section(name, *(question(one, kind, required=need) for one, kind, need in asked)) for name, asked in drawn]
    return DossierTemplate(
        scheme="drawn", version="1", title=words("Proef"), route="written", effective_from="2026-01-01", validity_years=3,
        reference_prefix="P", hours_expected=1, introduction=words("-"), groups=(), scale=(), declarations=(),
        sections=tuple(made),
    )  # fmt: skip


@settings(deadline=None)
@given(SECTIONS, SECTIONS)
def test_every_question_of_both_is_told_exactly_once(one: list[tuple[str, Any]], other: list[tuple[str, Any]]) -> None:
    old, new = template(one), template(other)
    found = compare(old, new)
    assert sorted(one.was for one in found.questions if one.was) == sorted((s.id, q.id) for s, q in old.questions())
    assert sorted(one.place for one in found.questions if one.place) == sorted((s.id, q.id) for s, q in new.questions())
    assert {one.id for one in found.sections} == {one.id for one in (*old.sections, *new.sections)}
    assert compare(old, old).is_empty
    assert compare(new, new).is_empty
    assert found.is_empty == (_by_id(old) == _by_id(new))
    back = {(one.place, one.was) for one in compare(new, old).questions}
    assert back == {(one.was, one.place) for one in found.questions}


def _by_id(template: DossierTemplate) -> dict[str, dict[str, Question]]:
    return {one.id: {asked.id: asked for asked in one.questions} for one in template.sections}


def test_shipped_scheme_compared_with_itself_after_storage_gives_nothing() -> None:
    catalogue = loader.load_all(Settings())
    assert catalogue.schemes
    for scheme, version in catalogue.schemes:
        plugins = [plugin.id for plugin in loader.choices(catalogue, scheme, version)]
        made = loader.compose(catalogue, scheme, version, plugins)
        stored = schemas.load(json.loads(schemas.canonical(made)))
        found = compare(stored, made)
        assert found == Comparison((), found.sections)
        assert found.is_empty


def test_versions_of_one_scheme_that_differ_in_dates_only_do_not_matter(base: DossierTemplate) -> None:
    rule = {"from": "1", "until": "2027-12-31", "for": "started_before"}
    newer = replace(base, version="2", effective_from="2027-01-01", transition=rule, accreditation={"number": "7"})
    assert compare(base, newer).is_empty


# --- where a question went -----------------------------------------------------------------------------------------


def test_question_that_went_to_another_page_is_moved(base: DossierTemplate) -> None:
    old = replace(base, sections=(section("one", question("a"), question("b")), section("two", question("c"))))
    new = replace(base, sections=(section("one", question("a")), section("two", question("c"), question("b"))))
    assert kinds(old, new) == {("one", "a"): "same", ("two", "b"): "moved", ("two", "c"): "same"}
    assert [one.asks_more for one in compare(old, new).sections] == [False, True]


def test_question_of_an_area_that_went_is_not_the_one_of_an_area_that_came(base: DossierTemplate) -> None:
    old = replace(base, sections=(section("coaching", question("case"), title="Coachen"),))
    new = replace(base, sections=(section("advising", question("case"), title="Adviseren"),))
    assert kinds(old, new) == {("advising", "case"): "added", ("coaching", "case"): "removed"}
    renamed = replace(base, sections=(section("coach", question("case"), title="Coachen"),))
    assert kinds(old, renamed) == {("coach", "case"): "moved"}


def test_question_with_other_words_or_of_another_type_elsewhere_is_not_moved(base: DossierTemplate) -> None:
    old = replace(base, sections=(section("one", question("a", label="Waarom?")), section("two")))
    for changed in (question("a", label="Hoe?"), question("a", "short_text", "Waarom?")):
        new = replace(base, sections=(section("one"), section("two", changed)))
        assert kinds(old, new) == {("two", "a"): "added", ("one", "a"): "removed"}


def test_question_that_could_have_gone_to_two_pages_is_moved_to_neither(base: DossierTemplate) -> None:
    old = replace(base, sections=(section("one", question("a")), section("two"), section("three")))
    new = replace(base, sections=(section("one"), section("two", question("a")), section("three", question("a"))))
    assert kinds(old, new) == {("two", "a"): "added", ("three", "a"): "added", ("one", "a"): "removed"}


def test_question_of_another_type_keeps_no_answer(base: DossierTemplate) -> None:
    old, new = (replace(base, sections=(section("one", question("a", kind)),)) for kind in ("short_text", "date"))
    assert kinds(old, new) == {("one", "a"): "retyped"}
    assert compare(old, new).sections[0].asks_more


# --- what a question asks ------------------------------------------------------------------------------------------

OWN, JOB = ({"id": name, "label": words(name.title())} for name in ("own", "job"))
NAME = {"id": "name", "type": "short_text", "label": words("Naam")}
POINTS = {"id": "points", "type": "number", "label": words("Punten")}
SPAN = {"field": "name", "label": words("Ervaring"), "min_years": 3}
TOTAL = {"field": "points", "label": words("Punten"), "min": 40}


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("long_text", {"words": {"max": 500}}, {"words": {"min": 100, "max": 500}},
         [("more", "Aantal woorden: 100 tot en met 500 (was hoogstens 500).")]),
        ("long_text", {"words": {"min": 100}}, {"words": {"min": 50}},
         [("less", "Aantal woorden: minstens 50 (was minstens 100).")]),
        ("long_text", {"words": {"max": 500}}, {"words": {"max": 400}},
         [("more", "Aantal woorden: hoogstens 400 (was hoogstens 500).")]),
        ("long_text", {"words": {"min": 1}}, {}, [("less", "Aantal woorden: geen grens (was minstens 1).")]),
        ("long_text", {"required": False}, {}, [("more", "Dit moet u nu invullen.")]),
        ("long_text", {}, {"required": False}, [("less", "Dit hoeft niet meer.")]),
        ("long_text", {"shown_if": "a == 'b'"}, {}, [("more", "Dit wordt nu altijd gevraagd.")]),
        ("long_text", {}, {"hint": words("Kort")}, [("words", "De uitleg bij de vraag")]),
        ("short_text", {}, {"max_length": 80}, [("more", "Aantal tekens: hoogstens 80 (was hoogstens 200).")]),
        ("short_text", {"autocomplete": "name"}, {}, []),
        ("date", {"max": "2027-01-01"}, {"max": "today"},
         [("more", "Grenzen: tot en met vandaag (was tot en met 1 januari 2027).")]),
        ("date", {"min": "2024-01-01"}, {"min": "2023-01-01"},
         [("less", "Grenzen: vanaf 1 januari 2023 (was vanaf 1 januari 2024).")]),
        ("number", {"min": 1.5}, {"min": 2, "max": 9}, [("more", "Grenzen: 2 tot en met 9 (was minstens 1,5).")]),
        ("period", {"open": True}, {}, [("more", "De einddatum moet u nu invullen.")]),
        ("choice", {"options": [OWN, JOB]}, {"options": [OWN]}, [("more", "Niet meer te kiezen: Job.")]),
        ("choice", {"options": [OWN]}, {"options": [OWN, JOB]}, [("less", "Nieuw om te kiezen: Job.")]),
        ("choice", {"options": [OWN]}, {"options": [{**OWN, "label": words("Zelf")}]}, [("words", "Een keuze")]),
        ("declaration", {"text": words("Ja")}, {"text": words("Jazeker")},
         [("more", "De verklaring waarmee u akkoord gaat")]),
        ("evidence", {"files": {"max": 3}, "kinds": ["pdf", "jpg"]}, {"files": {"min": 1, "max": 3}, "kinds": ["pdf"]},
         [("more", "Aantal bewijsstukken: 1 tot en met 3 (was hoogstens 3)."),
          ("more", "Deze soorten bestanden mogen niet meer: jpg.")]),
        ("evidence", {"refused": []}, {"refused": [words("Geen foto’s")]},
         [("more", "Wat niet meetelt als bewijs, nieuw: Geen foto’s")]),
        ("table", {"fields": [NAME]}, {"fields": [POINTS]},
         [("more", "Nieuw gevraagd: Punten"), ("less", "Niet meer gevraagd: Naam")]),
        ("table", {"fields": [NAME]}, {"fields": [{**NAME, "required": False}]}, [("less", "Naam – Dit hoeft niet meer.")]),
        ("table", {"fields": [POINTS], "totals": [TOTAL]}, {"fields": [POINTS], "totals": [{**TOTAL, "min": 60}]},
         [("more", "Totaal “Punten”: minstens 60 (was minstens 40).")]),
        ("table", {"fields": [POINTS]}, {"fields": [POINTS], "caps": [{"field": "points", "by": "k", "value": "v", "max": 5}]},
         [("more", "Wat hoogstens meetelt voor “v”: hoogstens 5 (was geen grens).")]),
        ("table", {"fields": [NAME], "distinct": []}, {"fields": [NAME], "distinct": [["name"]]},
         [("more", "Er wordt op meer punten gekeken of regels niet hetzelfde zijn.")]),
        ("date", {}, {"among": {"table": "a.b"}},
         [("more", "De datum moet een van de data uit een tabel zijn; dat is veranderd.")]),
        ("date", {"among": {"table": "a.b"}}, {},
         [("less", "De datum hoeft niet meer een van de data uit een tabel te zijn.")]),
        ("table", {"fields": [NAME], "span": SPAN}, {"fields": [NAME], "span": {**SPAN, "max_years": 50}},
         [("more", "Langer dan iemand dit werk doet: hoogstens 50 (was geen grens).")]),
        ("date", {}, {"not_before": {"question": "a.b", "because": words("Zo")}},
         [("more", "Er wordt gekeken of deze datum voor of na een andere ligt.")]),
        ("date", {"not_after": {"question": "a.b", "because": words("Zo")}}, {},
         [("less", "Deze datum hoeft niet meer voor of na een andere te liggen.")]),
        ("long_text", {}, {"mentions": {"words": ["hbo"], "otherwise": words("Kijk na")}}, []),
        ("statement", {"reads": ["a"], "count": 1}, {"reads": ["a", "b"], "count": 2},
         [("other", "Uw supervisor leest andere onderdelen dan eerst."), ("more", "Aantal personen: 2 (was 1).")]),
        ("table", {"fields": [NAME]}, {"fields": [NAME], "chronological": [["a", "b"]]},
         [("more", "Er wordt nu op gekeken of de data van een regel na elkaar komen.")]),
        ("period", {}, {"begun": True}, [("more", "De begindatum mag niet meer in de toekomst liggen.")]),
        ("statement", {}, {"anonymous": True},
         [("more", "Wie antwoordt, doet dat nu zonder naam. Wie al antwoordde, telt niet meer mee.")]),
        ("statement", {"anonymous": True}, {},
         [("more", "Wie antwoordt, doet dat nu met naam. Wie al antwoordde, telt niet meer mee en blijft onbekend.")]),
        ("statement", {"least": 4}, {},
         [("less", "Aantal personen dat minstens per e-mail antwoordt: minstens 3 (was minstens 4).")]),
        ("statement", {"quote_if": "a"}, {"quote_if": "b"},
         [("other", "Wanneer een opmerking letterlijk in uw dossier mag, wordt anders gevraagd.")]),
        ("statement", {"together_with": "a"}, {}, [("more", "Wat u op papier hebt, telt niet meer mee.")]),
        ("statement", {}, {"together_with": "a"}, [("less", "Wat u al op papier hebt, telt nu mee.")]),
        ("statement", {"together_with": "a"}, {"together_with": "b"},
         [("more", "Wat u op papier hebt, staat nu in een andere tabel.")]),
        ("statement", {"days": 30}, {}, [("other", "Een link in een e-mail werkt een ander aantal dagen dan eerst.")]),
        ("statement", {"many": words("verslagen")}, {"many": words("brieven")}, [("words", "Hoe deze verklaringen samen heten")]),
        ("table", {"fields": [{**NAME, "serves": ["a"]}]}, {"fields": [NAME]}, []),
        ("meter_of_a_plugin", {"depth": 3}, {"depth": 4}, [("more", "De regels voor het antwoord zijn veranderd.")]),
    ],
)  # fmt: skip
def test_what_a_question_asks_more_or_less_is_told(
    base: DossierTemplate, kind: str, before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert told(question("a", kind, **before), question("a", kind, **after), base) == expected


def test_other_words_come_with_the_old_and_the_new(base: DossierTemplate) -> None:
    old, new = (replace(base, sections=(section("one", question("a", label=label)),)) for label in ("Waarom?", "Waarom toch?"))
    detail = compare(old, new).questions[0].details[0]
    assert (detail.weight, detail.before, detail.after) == ("words", words("Waarom?"), words("Waarom toch?"))
    assert not compare(old, new).sections[0].asks_more


# --- the dossier as a whole ----------------------------------------------------------------------------------------


def test_declarations_requirements_rubric_and_terms_are_told(base: DossierTemplate) -> None:
    skill = next(one for one in base.sections if one.id == "skill")
    criterion = replace(skill.criteria[0], title=words("Vakwerk"))
    new = replace(
        base,
        declarations=(replace(base.declarations[0], text=words("Echt waar")),),
        entry_requirements=base.entry_requirements[:1],
        assessors=3,
        sections=tuple(replace(one, criteria=(criterion,)) if one.id == "skill" else one for one in base.sections),
    )
    found = compare(base, new)
    assert [(one.weight, one.text["nl"]) for one in found.whole] == [
        ("words", "Slotverklaring bij het indienen"),
        ("less", "Deze eis voor toelating vervalt: Akkoord"),
        ("other", "Aantal beoordelaars: 3 (was 2)."),
    ]
    changed = [(one.id, [detail.text["nl"] for detail in one.details], one.asks_more) for one in found.sections if one.changed]
    assert changed == [("skill", ["Waarop wordt beoordeeld"], False)]


def test_plugins_that_are_newer_or_gone_are_told(base: DossierTemplate) -> None:
    ref = PluginRef(id="extra", version="1.0", title=words("Extra"))
    old = replace(base, plugins=(ref,))
    newer = compare(old, replace(base, plugins=(replace(ref, version="1.1"),)))
    assert (newer.is_empty, newer.matters, [one.version for one in newer.newer_plugins]) == (False, False, ["1.1"])
    gone = compare(old, base)
    assert (gone.matters, gone.gone_plugins) == (True, (ref,))


def test_what_an_answer_shows_something_of_is_told_and_asks_nothing_more(base: DossierTemplate) -> None:
    criteria = tuple(Criterion(id=name, group="kunde", title=words(name.title()), levels={}) for name in ("craft", "care", "law"))
    paper = {"id": "paper", "type": "evidence", "label": words("Papier"), "serves": ["law"]}
    old = replace(question("a", "table", fields=[paper]), serves=("craft",))
    new = replace(question("a", "table", fields=[{**paper, "serves": ["craft"]}]), serves=("care",))
    before, after = (replace(base, sections=(replace(section("one", asked), criteria=criteria),)) for asked in (old, new))
    found = compare(before, after)
    assert [(one.weight, one.text["nl"]) for one in found.questions[0].details] == [
        ("other", "Uw antwoord laat nu ook iets zien van: Care."),
        ("other", "Uw antwoord telt niet meer mee voor: Law."),
    ]
    assert (found.matters, found.sections[0].asks_more) == (True, False)
    assert compare(before, before).is_empty


def test_a_statement_of_somebody_else_is_told(base: DossierTemplate) -> None:
    old = question("a", "statement")
    assert told(old, replace(old, settings={"kind": "client"}), base) == [
        ("more", "Iemand anders geeft deze verklaring dan eerst. Wie er al een gaf, telt niet meer mee.")
    ]
    assert told(old, replace(old, settings={"kind": "supervisor"}), base) == []
