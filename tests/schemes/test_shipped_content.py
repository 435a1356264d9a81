"""The forms that come with the project: what the loader cannot know about them."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from app import config
from app.schemes import loader
from app.schemes.model import CRITERION_GROUPS, DossierTemplate
from app.schemes.question_types import BUILT_IN


@pytest.fixture(scope="module")
def catalogue() -> loader.Catalogue:
    return loader.load_all(config.load({}))


@pytest.fixture(scope="module")
def template(catalogue: loader.Catalogue) -> DossierTemplate:
    return loader.compose(catalogue, "recertification", "2026.1", ["outplacement"])


def test_shipped_schemes_and_plugins_have_no_faults(catalogue: loader.Catalogue) -> None:
    assert loader.faults(catalogue) == []


def test_outplacement_stands_behind_the_areas_of_recertification(template: DossierTemplate) -> None:
    assert {group.id: len(template.of_group(group.id)) for group in template.groups} == {
        "prepare": 2,
        "look_back": 4,
        "areas": 5,
        "outplacement": 3,
        "learning": 4,
        "confirm": 2,
    }
    assert [group.id for group in template.groups] == ["prepare", "look_back", "areas", "outplacement", "learning", "confirm"]


def test_every_area_judges_each_of_the_four_groups_and_asks_for_evidence(template: DossierTemplate) -> None:
    assert {area.id: tuple(criterion.group for criterion in area.criteria) for area in template.areas} == {
        area.id: CRITERION_GROUPS for area in template.areas
    }
    assert [area.id for area in template.areas if not any(question.type == "evidence" for question in area.questions)] == []


def test_every_question_type_has_a_place_in_the_form(template: DossierTemplate) -> None:
    assert Counter(question.type for _, question in template.questions()).keys() == BUILT_IN.keys()


def test_the_points_table_counts_75_points_with_caps_for_kinds_that_say_so(template: DossierTemplate) -> None:
    section = template.section("education")
    assert section is not None
    table = section.question("activities")
    assert table is not None
    kinds = next(field for field in table.settings["fields"] if field["id"] == "kind")["options"]
    caps = {cap["value"]: cap["max"] for cap in table.settings["caps"]}
    assert [total["min"] for total in table.settings["totals"]] == [75]
    assert caps == {"conference": 30, "teaching": 20, "committee": 15, "reading": 10}
    for kind in kinds:
        hint = kind.get("hint", {"nl": "", "en": ""})
        if kind["id"] in caps:
            assert f"hoogstens {caps[kind['id']]} punten" in hint["nl"]
            assert f"no more than {caps[kind['id']]} points" in hint["en"]
        else:
            assert "punten" not in hint["nl"]


def test_texts_use_typographic_quotes_and_the_polite_form(template: DossierTemplate) -> None:
    texts = [text for section in template.sections for text in _texts(vars(section))]
    assert len(texts) > 400
    assert [text["nl"] for text in texts if "'" in text["nl"] or '"' in text["nl"]] == []
    assert [text["en"] for text in texts if "'" in text["en"] or '"' in text["en"]] == []
    asked = [question.label["nl"] for _, question in template.questions()]
    assert [label for label in asked if {"je", "jij", "jouw", "jullie"} & set(label.lower().split())] == []


def test_the_hook_looks_at_questions_that_are_there(template: DossierTemplate, catalogue: loader.Catalogue) -> None:
    section = template.section("outplacement_triangle")
    assert section is not None
    types = {question.id: question.type for question in section.questions}
    assert {name: types[name] for name in ("trajectories", "completed", "to_work")} == {
        "trajectories": "table",
        "completed": "number",
        "to_work": "number",
    }
    table = section.question("trajectories")
    assert table is not None
    outcomes = next(field for field in table.settings["fields"] if field["id"] == "outcome")["options"]
    namespace = vars(sys.modules[catalogue.plugins["outplacement"].hooks["check_dossier"].__module__])
    assert {option["id"] for option in outcomes} == {"running", "stopped", *namespace["FINISHED"]}


def _texts(value: Any) -> Iterator[Mapping[str, str]]:
    if isinstance(value, Mapping):
        if value.keys() == {"nl", "en"}:
            yield value
        else:
            for inner in value.values():
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif hasattr(value, "__dataclass_fields__"):
        yield from _texts(vars(value))
