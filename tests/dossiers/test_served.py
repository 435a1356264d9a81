"""The completeness of an area: counted over real dossiers of a small scheme whose area has every kind of thing to count."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from small_world import SCHEME, World, open_world

from app.config import Settings
from app.dossiers import answers, completeness, served, submission
from app.dossiers.models import Dossier
from app.dossiers.served import Count, Meter
from app.extensions import transaction
from app.schemes import loader

AREA = """\
id: skill
group: first
title: {nl: Kunnen, en: Skill}
criteria:
  - {id: knows, group: kennis, title: {nl: Weet, en: Knows}, levels: {1: {nl: Zwak, en: Weak}, 2: {nl: Goed, en: Good}}}
  - {id: does, group: kunde, title: {nl: Doet, en: Does}, levels: {1: {nl: Zwak, en: Weak}, 2: {nl: Goed, en: Good}}}
questions:
  - {id: case, type: long_text, serves: [knows, does], label: {nl: Casus, en: Case}, words: {min: 3}}
  - {id: extra, type: long_text, required: false, serves: [knows], label: {nl: Meer, en: More}, words: {min: 4}}
  - {id: paper, type: evidence, serves: [does], label: {nl: Bewijs, en: Proof}, files: {min: 2, max: 4}}
  - id: list
    type: table
    label: {nl: Lijst, en: List}
    required: false
    fields:
      - {id: name, type: short_text, label: {nl: Naam, en: Name}}
      - {id: copy, type: evidence, serves: [knows], label: {nl: Kopie, en: Copy}, files: {min: 1, max: 1}}
"""


@pytest.fixture(scope="module")
def measured_scheme(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("measured")
    home = folder / "small" / "1"
    (home / "areas").mkdir(parents=True)
    (home / "scheme.yaml").write_text(SCHEME)
    (home / "areas" / "10-skill.yaml").write_text(AREA)
    return Settings(templates_dir=folder, plugins_dir=folder / "no_plugins")


@pytest.fixture
def world(tmp_path: Path, measured_scheme: Settings, empty_database: Path) -> Iterator[World]:
    catalogue = loader.load_all(measured_scheme)
    assert loader.faults(catalogue) == []
    yield from open_world(replace(measured_scheme, instance=tmp_path / "instance"), catalogue, empty_database)


def meter_of(world: World, dossier: Dossier) -> Meter:
    contents, types = world.contents(dossier), world.catalogue.types
    area = contents.template.areas[0]
    findings = completeness.section_findings(contents, area, types, submission.today(), also_waiting=False)
    return served.measure(contents, area, types, findings)


def sources(meter: Meter) -> dict[str, list[tuple[str, str, bool, bool]]]:
    return {
        one.criterion.id: [
            (source.question.id, (source.field or {}).get("nl", ""), source.is_evidence, source.filled) for source in one.sources
        ]
        for one in meter.criteria
    }


def test_the_meter_of_an_empty_area_tells_what_is_asked(world: World) -> None:
    meter = meter_of(world, world.dossier())
    assert (meter.questions, meter.words, meter.evidence) == (Count(0, 2, 2), Count(0, 3, 1), Count(0, 2, 1))
    assert [one.question for one in meter.missing] == ["case", "paper"]
    assert sources(meter) == {
        "knows": [("case", "", False, False), ("extra", "", False, False), ("list", "Kopie", True, False)],
        "does": [("case", "", False, False), ("paper", "", True, False)],
    }
    assert [one.lacks_evidence for one in meter.criteria] == [True, True]


def test_the_meter_counts_what_is_there_and_where_it_is_too_little(world: World) -> None:
    dossier = world.dossier()
    world.save(dossier, "skill", case="Een hele lange casus van mij", extra="Te kort")
    one, two, three = (
        world.checked(dossier, name="a.pdf"),
        world.checked(dossier, name="b.pdf"),
        world.checked(dossier, name="c.pdf"),
    )
    world.attach(dossier, "skill", "paper", one)
    row = {"row": "r1", "name": "Cursus", "copy": [two.id]}
    with transaction():
        answers.put_answer(dossier, "skill", "list", [row, {"row": "r2", "name": "Boek", "copy": []}])
    meter = meter_of(world, dossier)
    assert (meter.questions, meter.words, meter.evidence) == (Count(1, 2, 1), Count(8, 7, 1), Count(2, 4, 2))
    assert sources(meter) == {
        "knows": [("case", "", False, True), ("extra", "", False, True), ("list", "Kopie", True, True)],
        "does": [("case", "", False, True), ("paper", "", True, True)],
    }
    world.save(dossier, "skill", extra="")
    with transaction():
        answers.put_answer(dossier, "skill", "list", [row])
    world.attach(dossier, "skill", "paper", three)
    meter = meter_of(world, dossier)
    assert (meter.questions, meter.words, meter.evidence) == (Count(2, 2, 0), Count(6, 3, 0), Count(3, 3, 0))
    assert meter.missing == ()


def test_the_files_of_a_table_serve_what_its_field_says(world: World) -> None:
    area = world.contents(world.dossier()).template.areas[0]
    assert {one.id: [criterion.id for criterion in served.criteria_of(area, one)] for one in area.questions} == {
        "case": ["knows", "does"],
        "extra": ["knows"],
        "paper": ["does"],
        "list": ["knows"],
    }
