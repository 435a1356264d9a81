import json
from dataclasses import replace
from pathlib import Path

import pytest
from scheme_files import AREA, PLUGINS, SCHEME, replaced, write_scheme

from app.config import Settings
from app.errors import Conflict, InvalidInput, NotFound
from app.plugin_loader import PluginFailed
from app.schemes import conditions, loader, schemas
from app.schemes.model import PluginRef
from app.schemes.question_types import BUILT_IN

ID = "an id: a lower-case letter, then 1 to 39 lower-case letters, digits or underscores"
FIELD_ID = f"{ID}; not action, before, csrf_token, finished, remove, row, signed_agree, signed_name, version"
TEXT = "a text, in quotes when it looks like a number"
TYPES = ", ".join(BUILT_IN)
KEYS_OF_TEXT = "id, type, label, hint, required, serves, shown_if, max_length, autocomplete"


def faults_of(folder: Path, scheme: str = SCHEME, area: str = AREA) -> list[str]:
    """The faults of a scheme, without the folder; a scheme with faults is left out."""
    catalogue = loader.load_all(write_scheme(folder, scheme, area))
    assert catalogue.schemes == {}
    return [fault.removeprefix(f"{folder}/small/1/") for fault in loader.faults(catalogue)]


def test_load_all_gives_a_scheme_with_its_parts_in_order(tmp_path: Path) -> None:
    catalogue = loader.load_all(write_scheme(tmp_path))
    assert loader.faults(catalogue) == []
    template = loader.compose(catalogue, "small", "1", [])
    assert [(section.group, section.id) for section in template.sections] == [
        ("first", "practice"),
        ("first", "skill"),
        ("last", "closing"),
    ]
    assert [area.id for area in template.areas] == ["skill"]
    assert (template.assessors, template.effective_until, template.plugins) == (2, "", ())
    assert template.areas[0].criteria[0].levels == {1: {"nl": "Zwak", "en": "Weak"}, 2: {"nl": "Goed", "en": "Good"}}
    company = template.sections[0].questions[1]
    assert (company.required, company.shown_if, company.settings) == (True, "form == 'own'", {"max_length": 200})
    points = template.sections[0].questions[2].settings["fields"][2]
    assert points == {
        "id": "points",
        "type": "number",
        "label": {"nl": "Punten", "en": "Points"},
        "required": True,
        "decimals": 1,
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "problem"),
    [
        ("scheme: small\n", "scheme: tiny\n", 1, "scheme", "found 'tiny'; needed is the name of the folder, 'small'"),
        ('version: "1"\n', "version: 1\n", 2, "version", 'found 1; needed is a text in quotes, such as "2026.1"'),
        ("nl: Klein, en: Small", "nl: Klein", 3, "title.en", f"is missing; needed is {TEXT}"),
        ("en: Small}", "en: ' '}", 3, "title.en", f"found ' '; needed is {TEXT}"),
        ("title: {nl: Klein, en: Small}", "title: Klein", 3, "title", "found 'Klein'; needed is a text {nl: …, en: …}"),
        ("route: written", "route: post", 4, "route", "found 'post'; needed is one of written, oral"),
        ("2026-01-01", "1 januari", 5, "effective_from", "found '1 januari'; needed is a date such as 2026-01-31"),
        ("2026-01-01", "2026-02-30", 5, "effective_from", "found '2026-02-30'; needed is a date such as 2026-01-31"),
        (
            "2026-01-01",
            "2026-01-01\neffective_until: 2025-01-01",
            6,
            "effective_until",
            "found '2025-01-01'; needed is a date on or after effective_from",
        ),
        ("validity_years: 3", "validity_years: '3'", 6, "validity_years", "found '3'; needed is a whole number of 1 or more"),
        ("validity_years: 3", "validity_years: 0", 6, "validity_years", "found 0; needed is a whole number of 1 or more"),
        ("validity_years: 3", "validity_years: 51", 6, "validity_years", "found 51; needed is a whole number of 50 or less"),
        ("  - id: closing", "  - id: [closing]", 20, "sections[0].id", f"found a list of 1; needed is {ID}"),
        ("id: opinion", "id: {a: 1}", 31, "sections[0].questions[0].questions[0].id", f"found a mapping; needed is {FIELD_ID}"),
        (
            "- {id: name,",
            "- {id: [name],",
            51,
            "sections[1].questions[2].fields[0].id",
            f"found a list of 1; needed is {FIELD_ID}",
        ),
        ("hours_expected: 2\n", "", 1, "hours_expected", "is missing; needed is a whole number of 1 or more"),
        ("hours_expected: 2", "hours_expected: ~", 8, "hours_expected", "found nothing; needed is a whole number of 1 or more"),
        ("KL", "kl", 7, "reference_prefix", "found 'kl'; needed is 1 to 6 capital letters"),
        ("[extension]", "[magic]", 10, "accepts_plugins[0]", "found 'magic'; needed is one of specialisation, extension"),
        ("sufficient: true", "sufficient: yes", 16, "scale[1].sufficient", "found 'yes'; needed is true or false"),
        ("- {value: 2,", "- {value: 1,", 16, "scale[1].value", "found 1 twice; the first is on line 15"),
        ("id: last, title", "id: first, title", 13, "groups[1].id", "found 'first' twice; the first is on line 12"),
        ("group: last", "group: end", 21, "sections[0].group", "found 'end'; needed is a group of the scheme: first, last"),
        ("  - id: closing", "  - id: Closing", 20, "sections[0].id", f"found 'Closing'; needed is {ID}"),
        ("  - id: closing", "  - id: skill", 20, "sections[0].id", "found 'skill'; HOME/areas/10-skill.yaml:1 has this id"),
        (
            "reads: [practice, skill]",
            "reads: [practise, skill]",
            28,
            "sections[0].questions[0].reads[0]",
            "found 'practise'; there is no section with this id",
        ),
        (
            "opinion, type: long_text",
            "opinion, type: evidence",
            31,
            "sections[0].questions[0].questions[0].type",
            f"found 'evidence'; needed is one of {TYPES.removesuffix(', evidence, statement')}",
        ),
        (
            "        row_title: name",
            "        within: {field: points, period: practice.form}",
            49,
            "sections[1].questions[2].within.field",
            "found 'points'; needed is a date field of this table: there is none",
        ),
        (
            "        shown_if: form == 'own'\n",
            (
                "      - {id: on, type: date, label: {nl: Op, en: On}, "
                "among: {table: practice.form, field: day, otherwise: {nl: A, en: B}}}\n"
            ),
            45,
            "sections[1].questions[2].among.table",
            "found 'practice.form'; needed is a table",
        ),
        (
            "        shown_if: form == 'own'\n",
            (
                "      - {id: on, type: date, label: {nl: Op, en: On}, "
                "among: {table: practice.courses, field: day, otherwise: {nl: A, en: B}}}\n"
            ),
            45,
            "sections[1].questions[2].among.field",
            "found 'day'; needed is a date field of practice.courses: there is none",
        ),
        (
            "id: name, type: short_text,",
            "id: name, type: date, among: {table: practice.courses, field: day, otherwise: {nl: A, en: B}},",
            51,
            "sections[1].questions[2].fields[0].among",
            "only a question by itself can be weighed against a table",
        ),
        (
            "        row_title: name",
            "        distinct: [[name, day]]",
            49,
            "sections[1].questions[2].distinct[0][1]",
            "found 'day'; needed is a field of this table: name, kind, points",
        ),
        (
            "        fields:\n          - {id: name,",
            (
                "        within: {field: day, period: practice.form}\n"
                "        fields:\n          - {id: day, type: date, label: {nl: Dag, en: Day}}\n          - {id: name,"
            ),
            50,
            "sections[1].questions[2].within.period",
            "found 'practice.form'; needed is a question of type period",
        ),
        (
            "        row_title: name",
            "        span: {field: name, label: {nl: Duur, en: Length}, min_years: 3}",
            49,
            "sections[1].questions[2].span.field",
            "found 'name'; needed is a period field of this table: there is none",
        ),
        (
            "        row_title: name",
            "        span: {field: name, label: {nl: Duur, en: Length}, min_years: 3, within_years: 2}",
            49,
            "sections[1].questions[2].span.within_years",
            "found 2; needed is no less than min_years",
        ),
        (
            "        fields:\n          - {id: name,",
            (
                "        fields:\n"
                "          - {id: day, type: date, label: {nl: Dag, en: Day},\n"
                "             not_before: {question: practice.form, because: {nl: Zo, en: So}}}\n          - {id: name,"
            ),
            52,
            "sections[1].questions[2].fields[0].not_before",
            "a question within a question cannot have this",
        ),
        (
            "type: short_text\n",
            "type: date\n        not_before: {question: practice.form, because: {nl: Zo, en: So}}\n",
            44,
            "sections[1].questions[1].not_before.question",
            "found 'practice.form'; needed is a question of type date",
        ),
        (
            "        row_title: name",
            "        span: {field: name, label: {nl: Duur, en: Length}, min_years: 3, max_years: 2}",
            49,
            "sections[1].questions[2].span.max_years",
            "found 2; needed is no less than min_years",
        ),
        (
            "      - id: company",
            "      - id: form",
            42,
            "sections[1].questions[1].id",
            "found 'form' twice; the first is on line 36",
        ),
        ("type: short_text\n", "type: short\n", 43, "sections[1].questions[1].type", f"found 'short'; needed is one of {TYPES}"),
        (
            "type: short_text\n",
            "type: short_text\n        words: {min: 1}\n",
            44,
            "sections[1].questions[1].words",
            f"unknown key; allowed are {KEYS_OF_TEXT}",
        ),
        (
            "- {id: job,",
            "- {id: own,",
            41,
            "sections[1].questions[0].options[1].id",
            "found 'own' twice; the first is on line 40",
        ),
        (
            "form == 'own'",
            "form = 'own'",
            45,
            "sections[1].questions[1].shown_if",
            "found = 'own'; expected a name, a text in quotes, a number or a sign",
        ),
        ("form == 'own'", "shape == 'own'", 45, "sections[1].questions[1].shown_if", "there is no question practice.shape"),
        (
            "form == 'own'",
            "form == 'mine'",
            45,
            "sections[1].questions[1].shown_if",
            "found 'mine'; practice.form has the options own, job",
        ),
        (
            "form == 'own'",
            "company is empty",
            45,
            "sections[1].questions[1].shown_if",
            "these wait for each other: practice.company -> practice.company",
        ),
        (
            "row_title: name",
            "row_title: title",
            49,
            "sections[1].questions[2].row_title",
            "found 'title'; needed is a field of this table: name, kind, points",
        ),
        (
            "- {id: name, type: short_text",
            "- {id: name, type: table",
            51,
            "sections[1].questions[2].fields[0].type",
            "found 'table'; needed is one of short_text, long_text, number, date, period, choice, evidence",
        ),
        (
            "totals: [{field: points",
            "totals: [{field: name",
            57,
            "sections[1].questions[2].totals[0].field",
            "found 'name'; needed is a number field of this table: points",
        ),
        (
            "value: book, max",
            "value: film, max",
            58,
            "sections[1].questions[2].caps[0].value",
            "found 'film'; needed is an option of kind: course, book",
        ),
        (
            "by: kind, value",
            "by: name, value",
            58,
            "sections[1].questions[2].caps[0].by",
            "found 'name'; needed is a choice field of this table: kind",
        ),
        (
            "Total}, min: 10",
            "Total}, min: 10, max: 5",
            57,
            "sections[1].questions[2].totals[0].min",
            "found 10; needed is no more than max",
        ),
        (
            "Total}, min: 10",
            "Total}, min: -10",
            57,
            "sections[1].questions[2].totals[0].min",
            "found -10; needed is a number of 0 or more",
        ),
        (
            "book, max: 4",
            "book, max: -4",
            58,
            "sections[1].questions[2].caps[0].max",
            "found -4; needed is a number of 0 or more",
        ),
        (
            "caps: [{",
            "caps: [{field: points, by: kind, value: book, max: 9}, {",
            58,
            "sections[1].questions[2].caps[1].value",
            "found 'book' twice; the first is on line 58",
        ),
        (
            "        row_title: name",
            "        rows: {min: -1}",
            49,
            "sections[1].questions[2].rows.min",
            "found -1; needed is a whole number of 0 or more",
        ),
        (
            "        row_title: name",
            "        chronological: [[name, points]]",
            49,
            "sections[1].questions[2].chronological[0][0]",
            "found 'name'; needed is a date field of this table: there is none",
        ),
        (
            "        row_title: name",
            "        chronological: [[name]]",
            49,
            "sections[1].questions[2].chronological[0]",
            "found a list of 1; needed is a list of 2 or more",
        ),
        (
            "        row_title: name",
            "        distinct: [name]",
            49,
            "sections[1].questions[2].distinct[0]",
            "found 'name'; needed is a list of 1 or more",
        ),
        (
            "decimals: 1}",
            "decimals: -1}",
            56,
            "sections[1].questions[2].fields[2].decimals",
            "found -1; needed is a whole number of 0 or more",
        ),
        ("title: {nl: Klein, en: Small}", "title: {en: Small}", 3, "title.nl", f"is missing; needed is {TEXT}"),
        (
            "{nl: Naam, en: Name}",
            "{nl: 1, en: Name}",
            51,
            "sections[1].questions[2].fields[0].label.nl",
            f"found 1; needed is {TEXT}",
        ),
        (
            "form == 'own'",
            "form > 3",
            45,
            "sections[1].questions[1].shown_if",
            "found > on practice.form, a question of type choice; compare it with one of its options",
        ),
        ("form == 'own'", "nowhere.form == 'own'", 45, "sections[1].questions[1].shown_if", "there is no question nowhere.form"),
        ("decimals: 1}", "min: 9, max: 2}", 56, "sections[1].questions[2].fields[2].min", "found 9; needed is no more than max"),
        ("decimals: 1}", "min: '1'}", 56, "sections[1].questions[2].fields[2].min", "found '1'; needed is a number"),
    ],
)
def test_load_all_names_a_fault_of_a_scheme(tmp_path: Path, old: str, new: str, line: int, key: str, problem: str) -> None:
    assert faults_of(tmp_path, replaced(SCHEME, old, new))[0] == f"scheme.yaml:{line}: {key}: {problem}".replace(
        "HOME", f"{tmp_path}/small/1"
    )


def test_a_file_that_cannot_be_read_is_named_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    files = {"scheme.yaml": SCHEME, "areas/10-skill.yaml": AREA, "lists/bureaus.yaml": LIST}
    cases: list[tuple[bytes, str]] = [
        (b"", "1: the file is empty; needed are keys and values, such as title: {nl: …, en: …}"),
        (b"- a\n- b\n", "1: found a list of 2; needed is a mapping"),
        (b"hallo\n", "1: found 'hallo'; needed is a mapping"),
        (b"a:\n\tb: 1\n", "2: found a tab in the indentation; use spaces"),
        ("a: 1\nb: café\n".encode("latin-1"), "2: found byte 0xe9; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "1: found byte 0xff; save the file as UTF-8"),
        (b"a: 1\na: 2\n", "2: a: this key stands twice; the first is on line 1"),
        (
            b"a: 1\nb: {nl: 'Foto's, en: x}\n",
            (
                "2: no valid YAML: while parsing a flow mapping did not find expected ',' or '}'; a text with : # { } [ ] , or an "  # noqa: E501
                "apostrophe in it needs double quotes"
            ),
        ),
        (
            b"a: {nl: x, en: y\nb: 1\nc: 2\n",
            (
                "2: no valid YAML: while parsing a flow mapping did not find expected ',' or '}'; what it belongs to begins on line 1; a "  # noqa: E501
                "text with : # { } [ ] , or an apostrophe in it needs double quotes"
            ),
        ),
    ]
    for number, (content, problem) in enumerate(cases):
        for wrong in files:
            home = tmp_path / f"{number}-{wrong.replace('/', '-')}"
            settings = write_scheme(home)
            (home / "small/1/lists").mkdir()
            (home / "small/1/lists/bureaus.yaml").write_text(LIST)
            (home / "small/1" / wrong).write_bytes(content)
            catalogue = loader.load_all(settings)
            assert catalogue.schemes == {}
            assert loader.faults(catalogue)[0] == f"{home}/small/1/{wrong}:{problem}"


def test_a_version_without_its_file_is_named(tmp_path: Path) -> None:
    settings = write_scheme(tmp_path)
    (tmp_path / "small/1/scheme.yaml").unlink()
    assert loader.faults(loader.load_all(settings)) == [
        f"{tmp_path}/small/1/scheme.yaml: the file cannot be read: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "problem"),
    [
        (
            "group: kunde",
            "group: moed",
            6,
            "criteria[0].group",
            "found 'moed'; needed is one of kennis, kunde, vaardigheden, ethiek",
        ),
        ("      2: {nl: Goed, en: Good}\n", "", 8, "criteria[0].levels", "found levels 1; needed are those of the scale: 1, 2"),
        (
            "      2: {nl: Goed, en: Good}\n",
            "      2: Goed\n",
            10,
            "criteria[0].levels[2]",
            "found 'Goed'; needed is a text {nl: …, en: …}",
        ),
        (
            "      1: {nl: Zwak",
            "      one: {nl: Zwak",
            8,
            "criteria[0].levels",
            "found a mapping; needed is {1: {nl: …, en: …}, 2: …}",
        ),
        ("min: 2, max: 9", "min: 9, max: 2", 12, "questions[0].words.min", "found 9; needed is no more than max"),
        ("group: first\n", "", 1, "group", f"is missing; needed is {ID}"),
        ("group: first\n", "group: third\n", 2, "group", "found 'third'; needed is a group of the scheme: first, last"),
        ("id: skill\n", "id: skill\nid: skill\n", 2, "id", "this key stands twice; the first is on line 1"),
        (
            "type: long_text,",
            "type: long_text, serves: [craft, skill],",
            12,
            "questions[0].serves[1]",
            "found 'skill'; needed is a criterion of this area: craft",
        ),
        ("type: long_text,", "type: long_text, serves: [craft, craft],", 12, "questions[0].serves[1]", "found 'craft' twice"),
        (
            "type: long_text,",
            "type: long_text, serves: craft,",
            12,
            "questions[0].serves",
            "found 'craft'; needed is a list of 1 or more",
        ),
        (
            "type: long_text,",
            "type: long_text, serves: [],",
            12,
            "questions[0].serves",
            "found a list of 0; needed is a list of 1 or more",
        ),
        (
            "long_text, label: {nl: Verhaal, en: Story}, words: {min: 2, max: 9}",
            "table, label: {nl: A, en: B}, fields: [{id: qq, type: evidence, files: {}, label: {nl: A, en: B}, serves: [xx]}]",
            12,
            "questions[0].fields[0].serves[0]",
            "found 'xx'; needed is a criterion of this area: craft",
        ),
        (
            "type: long_text, label: {nl: Verhaal, en: Story}, words: {min: 2, max: 9}",
            "type: table, label: {nl: V, en: S}, fields: [{id: name, type: short_text, label: {nl: A, en: B}, serves: [craft]}]",
            12,
            "questions[0].fields[0].serves",
            "a part of a question serves no criterion by itself, unless it is evidence in a table; put serves at the question",
        ),
    ],
)
def test_load_all_names_a_fault_of_an_area(tmp_path: Path, old: str, new: str, line: int, key: str, problem: str) -> None:
    assert faults_of(tmp_path, area=replaced(AREA, old, new)) == [f"areas/10-skill.yaml:{line}: {key}: {problem}"]


def test_a_section_that_is_no_area_serves_no_criterion(tmp_path: Path) -> None:
    scheme = replaced(
        SCHEME,
        "type: short_text\n        label: {nl: Bedrijf",
        "type: short_text\n        serves: [craft]\n        label: {nl: Bedrijf",
    )
    assert faults_of(tmp_path, scheme) == [
        "scheme.yaml:44: sections[1].questions[1].serves[0]: found 'craft'; needed is a criterion of this area: there is none"
    ]


def test_what_an_answer_serves_survives_the_way_through_canonical_json(tmp_path: Path) -> None:
    area = replaced(AREA, "type: long_text,", "type: long_text, serves: [craft],")
    template = loader.load_all(write_scheme(tmp_path, area=area)).schemes["small", "1"].template
    assert {question.id: question.serves for _, question in template.questions() if question.serves} == {"story": ("craft",)}
    assert schemas.load(json.loads(schemas.canonical(template))) == template
    stored = json.loads(schemas.canonical(template))
    for section in stored["sections"]:
        for question in section["questions"]:
            del question["serves"]  # as templates were stored before the key was there
    assert {question.serves for _, question in schemas.load(stored).questions()} == {()}


def test_load_all_names_all_faults_of_all_files_at_once(tmp_path: Path) -> None:
    scheme = replaced(replaced(SCHEME, "route: written", "route: post"), "type: short_text\n", "type: short\n")
    area = replaced(replaced(AREA, "kunde", "moed"), "story, type: long_text", "story, type: long")
    assert faults_of(tmp_path, scheme, area) == [
        "scheme.yaml:4: route: found 'post'; needed is one of written, oral",
        f"scheme.yaml:43: sections[1].questions[1].type: found 'short'; needed is one of {TYPES}",
        "areas/10-skill.yaml:6: criteria[0].group: found 'moed'; needed is one of kennis, kunde, vaardigheden, ethiek",
        f"areas/10-skill.yaml:12: questions[0].type: found 'long'; needed is one of {TYPES}",
    ]


@pytest.mark.parametrize(
    "content", ["7", "[]", "a", "{a: 1}", "sections: 3", "sections: [3]", "sections: [{questions: [3, {type: [x]}]}]"]
)
def test_load_all_survives_any_shape(tmp_path: Path, content: str) -> None:
    assert faults_of(tmp_path, content, content)


def test_load_all_leaves_out_a_faulty_scheme_and_keeps_the_others(tmp_path: Path) -> None:
    write_scheme(tmp_path)
    settings = write_scheme(tmp_path, "scheme: small", version="2")
    catalogue = loader.load_all(settings)
    assert list(catalogue.schemes) == [("small", "1")]
    assert catalogue.faults


# --- plugins -------------------------------------------------------------------------------------------------------


@pytest.fixture
def catalogue(tmp_path: Path) -> loader.Catalogue:
    return loader.load_all(write_scheme(tmp_path, plugins=PLUGINS))


def test_compose_puts_a_plugins_group_and_areas_behind_the_group_it_names(catalogue: loader.Catalogue) -> None:
    template = loader.compose(catalogue, "small", "1", ["good"])
    assert [group.id for group in template.groups] == ["first", "good_group", "last"]
    assert [(section.id, section.plugin) for section in template.sections] == [
        ("practice", ""),
        ("skill", ""),
        ("good_area", "good"),
        ("closing", ""),
    ]
    good = catalogue.plugins["good"]
    assert template.plugins == (
        PluginRef(id="good", version="1.0", title=good.title, hooks_sha256=good.hooks_sha256, kind="extension"),
    )
    assert catalogue.plugins_of(template) == (good,)
    assert template.section("good_area").questions[1].settings["palette"][0]["id"] == "red"  # type: ignore[union-attr]


def test_load_all_disables_plugins_with_faulty_areas_and_names_them(catalogue: loader.Catalogue) -> None:
    file = "tests/plugins/broken_area/areas/10-broken.yaml"
    assert catalogue.plugins["broken_area"].faults == (
        f"{file}:6: criteria[0].group: found 'wijsheid'; needed is one of kennis, kunde, vaardigheden, ethiek",
        f"{file}:15: questions[0].words.min: found 9; needed is no more than max",
    )
    with pytest.raises(Conflict) as caught:
        loader.compose(catalogue, "small", "1", ["broken_area"])
    assert caught.value.text["nl"].startswith("De uitbreiding “Proef broken_area” werkt nu niet.")


def test_load_all_names_what_does_not_fit_together_and_compose_refuses_it(catalogue: loader.Catalogue) -> None:
    taken = "tests/plugins/good/areas/10-good.yaml:1 has this id"
    fault = f"tests/plugins/same_section/areas/10-same.yaml:1: id: found 'good_area'; {taken}"
    assert [str(one) for one in catalogue.faults] == [fault]
    with pytest.raises(Conflict) as caught:
        loader.compose(catalogue, "small", "1", ["same_section", "good"])
    assert caught.value.details == {"faults": [fault]}
    assert loader.compose(catalogue, "small", "1", ["same_section"]).plugins[0].id == "same_section"


def test_choices_are_the_working_plugins_that_fit(catalogue: loader.Catalogue) -> None:
    assert [plugin.id for plugin in loader.choices(catalogue, "small", "1")] == ["good", "same_section"]


def test_compose_gives_one_template_whatever_the_order(catalogue: loader.Catalogue) -> None:
    once = loader.compose(catalogue, "small", "1", ["good"])
    assert loader.compose(catalogue, "small", "1", ["good", "good"]) == once


def test_compose_refuses_what_is_not_there_or_does_not_belong(tmp_path: Path) -> None:
    scheme = replaced(SCHEME, "accepts_plugins: [extension]", "accepts_plugins: []")
    catalogue = loader.load_all(write_scheme(tmp_path, scheme, plugins=PLUGINS))
    with pytest.raises(NotFound):
        loader.compose(catalogue, "small", "2", [])
    with pytest.raises(Conflict):
        loader.compose(catalogue, "small", "1", ["nobody"])
    with pytest.raises(InvalidInput):
        loader.compose(catalogue, "small", "1", ["good"])


def test_load_all_refuses_a_plugin_that_extends_nothing_there(tmp_path: Path) -> None:
    catalogue = loader.load_all(Settings(templates_dir=tmp_path / "none", plugins_dir=PLUGINS))
    assert catalogue.plugins["good"].faults == (
        "tests/plugins/good/plugin.yaml:7: extends: found small; needed is at least one scheme that is there: ",
    )


def test_plugins_of_passes_over_plugins_without_code(catalogue: loader.Catalogue) -> None:
    assert catalogue.plugins_of(loader.compose(catalogue, "small", "1", ["same_section"])) == ()


def test_plugins_of_stands_in_for_one_that_is_gone(catalogue: loader.Catalogue, tmp_path: Path) -> None:
    template = loader.compose(catalogue, "small", "1", ["good"])
    without = loader.load_all(write_scheme(tmp_path))
    (gone,) = without.plugins_of(template)
    assert (gone.id, gone.enabled, gone.title) == ("good", False, {"nl": "Proef good", "en": "Trial good"})


def test_a_plugins_question_type_that_raises_disables_its_plugin(catalogue: loader.Catalogue) -> None:
    colour, good = catalogue.types["colour"], catalogue.plugins["good"]
    settings = {"palette": [{"id": "red"}]}
    assert [problem.text["en"] for problem in colour.check("green", settings)] == ["Choose a colour."]
    with pytest.raises(PluginFailed):
        colour.check("boom", settings)
    assert good.faults[0].startswith("colour: _check raised RuntimeError\nhooks.py:")


# --- versions ------------------------------------------------------------------------------------------------------


def two_versions(tmp_path: Path, more: str = "", *, until: str = "2026-12-31", begins: str = "2027-01-01") -> loader.Catalogue:
    """Version 1 from 2026-01-01 on, and version 2 with ``more`` keys."""
    write_scheme(tmp_path, replaced(SCHEME, "2026-01-01", f"2026-01-01\neffective_until: {until}"))
    second = replaced(replaced(SCHEME, 'version: "1"', 'version: "2"'), "2026-01-01", f"{begins}{more}")
    return loader.load_all(write_scheme(tmp_path, second, version="2"))


def test_versions_stand_in_the_order_of_their_days(tmp_path: Path) -> None:
    catalogue = two_versions(tmp_path, '\ntransition: {from: "1", until: 2027-06-30, for: started_before}')
    assert loader.faults(catalogue) == []
    assert catalogue.versions("small") == ("1", "2")
    assert catalogue.schemes["small", "2"].template.transition == {"from": "1", "until": "2027-06-30", "for": "started_before"}


@pytest.mark.parametrize(
    ("until", "begins", "more", "line", "key", "problem"),
    [
        ("2027-01-01", "2027-01-01", "", 5, "effective_from", "version 1 is in effect up to and including 2027-01-01"),
        (
            "2026-12-30",
            "2027-01-01",
            "",
            5,
            "effective_from",
            "version 1 ends on 2026-12-30, so there are days without a version",
        ),
        ("2026-12-31", "2026-01-01", "", 5, "effective_from", "version 1 takes effect on the same day"),
        (
            "2026-12-31",
            "2027-01-01",
            '\ntransition: {from: "3", until: 2027-06-30, for: started_before}',
            6,
            "transition.from",
            "found '3'; needed is an earlier version: 1",
        ),
        (
            "2026-12-31",
            "2027-01-01",
            '\ntransition: {from: "1", until: 2026-06-30, for: started_before}',
            6,
            "transition.until",
            "found '2026-06-30'; needed is a day on or after effective_from",
        ),
    ],
)
def test_days_with_two_versions_or_none_are_named(
    tmp_path: Path, until: str, begins: str, more: str, line: int, key: str, problem: str
) -> None:
    (fault,) = loader.faults(two_versions(tmp_path, more, until=until, begins=begins))
    assert f"scheme.yaml:{line}: {key}: " in fault
    assert problem in fault


LIST = """\
list: bureaus
version: "1"
checked_on: 2026-01-01
items:
  - {id: gitp, name: GITP, fee: 200}
  - {id: other_one, label: {nl: Ander, en: Other}}
title: {nl: Bureaus, en: Bureaus}
"""
FROM_LIST = replaced(
    SCHEME,
    "        label: {nl: Vorm, en: Form}\n",
    "        label: {nl: Vorm, en: Form}\n        options_from: bureaus\n",
)


def with_list(tmp_path: Path, text: str, scheme: str = FROM_LIST) -> loader.Catalogue:
    settings = write_scheme(tmp_path, scheme)
    (tmp_path / "small" / "1" / "lists").mkdir()
    (tmp_path / "small" / "1" / "lists" / "bureaus.yaml").write_text(text)
    return loader.load_all(settings)


def test_the_items_of_a_list_stand_before_a_questions_own_options(tmp_path: Path) -> None:
    catalogue = with_list(tmp_path, LIST)
    assert loader.faults(catalogue) == []
    section = catalogue.schemes["small", "1"].template.section("practice")
    assert section is not None
    settings = section.questions[0].settings
    assert settings == {
        "options": [
            {
                "id": "gitp",
                "label": {"nl": "GITP", "en": "GITP"},
                "hint": {"nl": "Richtprijs rond € 200.", "en": "Indicative fee around € 200."},
            },
            {"id": "other_one", "label": {"nl": "Ander", "en": "Other"}},
            {"id": "own", "label": {"nl": "Zelfstandig", "en": "Self-employed"}},
            {"id": "job", "label": {"nl": "In dienst", "en": "Employed"}},
        ],
        "list": {"nl": "Bureaus", "en": "Bureaus"},
    }


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        (
            "list: bureaus",
            "list: bureau",
            "lists/bureaus.yaml:1: list",
            "found 'bureau'; needed is the name of the file, 'bureaus'",
        ),
        (
            'version: "1"',
            'version: "0"',
            "lists/bureaus.yaml:2: version",
            "found '0'; needed is the version of the scheme, '1': check the list anew for it",
        ),
        ("other_one", "gitp", "lists/bureaus.yaml:6: items[1].id", "found 'gitp' twice; the first is on line 5"),
        (
            "title: {nl: Bureaus, en: Bureaus}",
            "title: Bureaus",
            "lists/bureaus.yaml:7: title",
            "found 'Bureaus'; needed is a text {nl: …, en: …}",
        ),
        ("2026-01-01", "1 mei", "lists/bureaus.yaml:3: checked_on", "found '1 mei'; needed is a date such as 2026-01-31"),
        ("fee: 200", "fee: free", "lists/bureaus.yaml:5: items[0].fee", "found 'free'; needed is a whole number of 1 or more"),
        (
            "fee: 200",
            "until: soon",
            "lists/bureaus.yaml:5: items[0].until",
            "found 'soon'; needed is a date such as 2026-01-31",
        ),
        ("name: GITP, ", "", "lists/bureaus.yaml:5: items[0].name", "is missing; needed is either name or label, not both"),
        (
            "fee: 200",
            "price: 200",
            "lists/bureaus.yaml:5: items[0].price",
            "unknown key; allowed are id, label, name, fee, until",
        ),
        (
            "id: gitp",
            "id: GITP Nederland",
            "lists/bureaus.yaml:5: items[0].id",
            "found 'GITP Nederland'; needed is an id of 1 to 40 lower-case letters, digits and underscores, in quotes when it is a number",  # noqa: E501
        ),
        (
            "id: gitp",
            "id: own",
            "scheme.yaml:41: sections[1].questions[0].options[0].id",
            "found 'own'; the list bureaus has this id",
        ),
    ],
)
def test_a_wrong_list_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, place: str, problem: str) -> None:
    faults = loader.faults(with_list(tmp_path, replaced(LIST, old, new)))
    assert faults[0] == f"{tmp_path}/small/1/{place}: {problem}"


def test_an_item_of_a_list_keeps_its_last_day(tmp_path: Path) -> None:
    catalogue = with_list(tmp_path, replaced(LIST, "fee: 200", 'until: "2026-06-30"'))
    section = catalogue.schemes["small", "1"].template.section("practice")
    assert section is not None
    assert section.questions[0].settings["options"][0] == {
        "id": "gitp",
        "label": {"nl": "GITP", "en": "GITP"},
        "until": "2026-06-30",
    }


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    (fault,) = loader.faults(loader.load_all(write_scheme(tmp_path, FROM_LIST)))
    assert "options_from: found 'bureaus'; needed is a list of this scheme version: there is none" in fault


def test_an_entry_requirement_shows_questions_that_are_there(tmp_path: Path) -> None:
    requirement = (
        "entry_requirements: [{id: rule, title: {nl: Eis, en: Rule}, shows: [practice.form, practice.shape]}]\nsections:\n"
    )
    (fault,) = loader.faults(loader.load_all(write_scheme(tmp_path, replaced(SCHEME, "sections:\n", requirement))))
    assert "entry_requirements[0].shows[1]: found 'practice.shape'; there is no question with this name" in fault


LOG = "{id: course, label: {nl: Cursus, en: Course}, table: learning.courses, date: on, title: name, hours: points}"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("learning.courses", "practice.form", "table: found 'practice.form'; there is no table with this name"),
        ("date: on", "date: name", "date: found 'name'; needed is a field of learning.courses of type date: on"),
        (
            "title: name",
            "title: of",
            "title: found 'of'; needed is a field of learning.courses of type short_text or long_text: name",
        ),
        (
            "hours: points",
            "hours: points, kind: name",
            "kind: found 'name'; needed is a field of learning.courses of type choice: there is none",
        ),
        ("hours: points", "hours: points, evidence: practice.form",
         "evidence: found 'practice.form'; there is no evidence question with this name"),
        ("date: on, ", "", "date: is missing; needed is an id"),
        ("id: course", "id: course, meters: 3", "meters: unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_kind_of_the_development_log_is_named_with_its_key(tmp_path: Path, old: str, new: str, problem: str) -> None:
    section = (
        "sections:\n  - {id: learning, group: first, title: {nl: Leren, en: Learning}, questions: [{id: courses, type: table, "
        "label: {nl: A, en: A}, fields: [{id: name, type: short_text, label: {nl: A, en: A}}, {id: on, type: date, label: "
        "{nl: A, en: A}}, {id: points, type: number, label: {nl: A, en: A}}]}]}\n"
    )
    good = replaced(SCHEME, "sections:\n", f"development_log:\n  - {LOG}\n{section}")
    assert loader.faults(loader.load_all(write_scheme(tmp_path / "good", good))) == []
    (fault, *_) = loader.faults(loader.load_all(write_scheme(tmp_path / "bad", good.replace(LOG, replaced(LOG, old, new)))))
    assert f"development_log[0].{problem}" in fault


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        ("id: course", "id: 3", 20,
         "[0].id: found 3; needed is an id: a lower-case letter, then 1 to 39 lower-case letters, digits or underscores"),
        ("{nl: Cursus, en: Course}", "Cursus", 20, "[0].label: found 'Cursus'; needed is a text {nl: …, en: …}"),
        ("learning.courses", "courses", 20, "[0].table: found 'courses'; needed is a table, such as education.activities"),
        ("hours: points", "hours: points, provider: points", 20,
         "[0].provider: found 'points'; needed is a field of learning.courses of type short_text: name"),
        ("hours: points", "hours: points, evidence: proof", 20,
         "[0].evidence: found 'proof'; needed is a field of learning.courses of type evidence: there is none"),
        ("hours: points", "hours: points, evidence: a.b.c", 20,
         "[0].evidence: found 'a.b.c'; needed is a field of the table, or a question such as reflection_meetings.confirmation"),
        (LOG, f"{LOG}\n  - {LOG}", 21, "[1].id: found 'course' twice; the first is on line 20"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_the_development_log_is_a_whole_message(
    tmp_path: Path, old: str, new: str, line: int, fault: str
) -> None:
    section = (
        "sections:\n  - {id: learning, group: first, title: {nl: Leren, en: Learning}, questions: [{id: courses, type: table, "
        "label: {nl: A, en: A}, fields: [{id: name, type: short_text, label: {nl: A, en: A}}, {id: on, type: date, label: "
        "{nl: A, en: A}}, {id: points, type: number, label: {nl: A, en: A}}]}]}\n"
    )
    wrong = replaced(SCHEME, "sections:\n", f"development_log:\n  - {replaced(LOG, old, new)}\n{section}")
    assert loader.faults(loader.load_all(write_scheme(tmp_path, wrong))) == [
        f"{tmp_path}/small/1/scheme.yaml:{line}: development_log{fault}"
    ]


# --- holders, renewals and how many plugins ------------------------------------------------------------------------

OF = "holder: {of: [small]}\n"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("holder: yes\n", "7: holder: found 'yes'; needed is a mapping"),
        ("holder: {}\n", "7: holder.of: is missing; needed is a list of 1 or more"),
        ("holder: {of: []}\n", "7: holder.of: found a list of 0; needed is a list of 1 or more"),
        ("holder: {of: [other]}\n", "7: holder.of[0]: found 'other'; needed is a scheme: small"),
        ("holder: {of: [small], number: register}\n",
         "7: holder.number: found 'register'; needed is a question of type short_text"),
        ("holder: {of: [small], number: practice.form}\n",
         "7: holder.number: found 'practice.form'; needed is a question of type short_text"),
        ("holder: {of: [small], period: practice.company}\n",
         "7: holder.period: found 'practice.company'; needed is a question of type period"),
        ("mentor: register\n", "7: mentor: found 'register'; needed is a question of type short_text"),
        ("mentor: practice.form\n", "7: mentor: found 'practice.form'; needed is a question of type short_text"),
        ("mentor: 3\n", "7: mentor: found 3; needed is a question, such as mentor.name"),
        ("holder: {of: [small], after_expiry: other}\n", "7: holder.after_expiry: found 'other'; needed is a scheme: small"),
        ("holder: {of: [small], until: 3}\n",
         "7: holder.until: unknown key; allowed are of, number, period, after_expiry"),
        ("renewal: {opens_months: 4, remind_months: [4, 2]}\n",
         "7: renewal: found a mapping; needed is holder too: whose certificates are renewed"),
        (OF + "renewal: {remind_months: [4]}\n", "8: renewal.opens_months: is missing; needed is a whole number of 1 or more"),
        (OF + "renewal: {opens_months: 0, remind_months: [4]}\n",
         "8: renewal.opens_months: found 0; needed is a whole number of 1 or more"),
        (OF + "renewal: {opens_months: 4, remind_months: [soon]}\n",
         "8: renewal.remind_months[0]: found 'soon'; needed is a whole number of 1 or more"),
        (OF + "renewal: {opens_months: 4, remind_months: [2, 4]}\n",
         "8: renewal.remind_months: found a list of 2; needed are numbers that go down, each once"),
        (OF + "renewal: {opens_months: 4, remind_months: [6]}\n",
         "8: renewal.remind_months: found a list of 1; needed are no more months than opens_months"),
        (OF + "renewal: {opens_months: 4, remind_months: [4], grace_days: -1}\n",
         "8: renewal.grace_days: found -1; needed is a whole number of 0 or more"),
        ("plugins: 2\n", "7: plugins: found 2; needed is a mapping"),
        ("plugins: {min: -1}\n", "7: plugins.min: found -1; needed is a whole number of 0 or more"),
        ("plugins: {max: 0}\n", "7: plugins.max: found 0; needed is a whole number of 1 or more"),
        ("plugins: {min: 3, max: 1}\n", "7: plugins.min: found 3; needed is no more than max"),
        ("plugins: {least: 1}\n", "7: plugins.least: unknown key; allowed are min, max"),
    ],
)  # fmt: skip
def test_a_wrong_holder_renewal_or_number_of_plugins_is_named(tmp_path: Path, more: str, fault: str) -> None:
    years = "validity_years: 3\n"
    assert loader.faults(loader.load_all(write_scheme(tmp_path, replaced(SCHEME, years, years + more)))) == [
        f"{tmp_path}/small/1/scheme.yaml:{fault}"
    ]


def test_plugins_that_are_asked_for_but_not_accepted_are_named(tmp_path: Path) -> None:
    scheme = replaced(SCHEME, "accepts_plugins: [extension]\n", "plugins: {min: 1}\n")
    assert loader.faults(loader.load_all(write_scheme(tmp_path, scheme))) == [
        f"{tmp_path}/small/1/scheme.yaml:10: plugins: found a mapping; needed is accepts_plugins too: which kinds one can choose"
    ]


# --- a section for whoever chose a plugin --------------------------------------------------------------------------

CLOSING = "    title: {nl: Slot, en: Closing}\n"


def test_a_section_with_plugins_is_there_only_where_one_was_chosen(tmp_path: Path) -> None:
    settings = write_scheme(tmp_path, replaced(SCHEME, CLOSING, f"{CLOSING}    with_plugins: true\n"))
    catalogue = loader.load_all(replace(settings, plugins_dir=PLUGINS))
    found = {
        plugins: [section.id for section in loader.compose(catalogue, "small", "1", plugins).sections]
        for plugins in ((), ("good",))
    }
    assert found == {(): ["practice", "skill"], ("good",): ["practice", "skill", "good_area", "closing"]}
    assert [one.id for one in catalogue.schemes["small", "1"].template.sections] == ["practice", "skill"]


@pytest.mark.parametrize(
    ("more", "without", "fault"),
    [
        ("with_plugins: maybe", "", "23: sections[0].with_plugins: found 'maybe'; needed is true or false"),
        ("with_plugins: true", "accepts_plugins: [extension]\n",
         "22: sections[0].with_plugins: found True; needed is accepts_plugins too: which kinds one can choose"),
    ],
)  # fmt: skip
def test_a_wrong_section_with_plugins_is_named(tmp_path: Path, more: str, without: str, fault: str) -> None:
    scheme = replaced(SCHEME.replace(without, "", 1) if without else SCHEME, CLOSING, f"{CLOSING}    {more}\n")
    assert loader.faults(loader.load_all(write_scheme(tmp_path, scheme))) == [f"{tmp_path}/small/1/scheme.yaml:{fault}"]


# --- what is shipped -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> loader.Catalogue:
    return loader.load_all(Settings())


def test_shipped_content_has_no_faults(shipped: loader.Catalogue) -> None:
    assert loader.faults(shipped) == []
    assert [plugin.id for plugin in loader.choices(shipped, "recertification", "2026.1")] == [
        "career_coaching",
        "career_guidance",
        "outplacement",
        "second_track",
    ]


def test_shipped_content_uses_every_built_in_type(shipped: loader.Catalogue) -> None:
    template = loader.compose(shipped, "recertification", "2026.1", ["outplacement"])
    assert {question.type for _, question in template.questions()} == set(BUILT_IN)
    assert {section.id for section in template.sections} == set(conditions.visible(template, {}))


def test_shipped_content_survives_the_way_through_canonical_json(shipped: loader.Catalogue) -> None:
    template = loader.compose(shipped, "recertification", "2026.1", ["outplacement"])
    content = schemas.canonical(template)
    assert schemas.load(json.loads(content)) == template
    assert schemas.canonical(schemas.load(json.loads(content))) == content
    assert json.dumps(json.loads(content), sort_keys=True, ensure_ascii=False, separators=(",", ":")) == content
