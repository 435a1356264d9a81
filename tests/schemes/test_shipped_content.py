"""The forms that come with the project: what the loader cannot know about them."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from app import config
from app.schemes import conditions, counting, loader
from app.schemes.model import CRITERION_GROUPS, DossierTemplate
from app.schemes.question_types import BUILT_IN

SPECIALISATIONS = ("career_coaching", "career_guidance", "outplacement", "second_track")
PLUGINS: dict[str, tuple[str, ...]] = {"initial": (), "recertification": SPECIALISATIONS, "specialisation": SPECIALISATIONS}


@pytest.fixture(scope="module")
def catalogue() -> loader.Catalogue:
    return loader.load_all(config.load({}))


@pytest.fixture(scope="module")
def template(catalogue: loader.Catalogue) -> DossierTemplate:
    """Recertification with every specialisation at once, so that each rule below holds for all of them."""
    return loader.compose(catalogue, "recertification", "2026.1", PLUGINS["recertification"])


@pytest.fixture(scope="module")
def initial(catalogue: loader.Catalogue) -> DossierTemplate:
    return loader.compose(catalogue, "initial", "2026.1", PLUGINS["initial"])


@pytest.fixture(scope="module", params=PLUGINS)
def each(catalogue: loader.Catalogue, request: pytest.FixtureRequest) -> DossierTemplate:
    """Every scheme that comes with the project, one by one."""
    return loader.compose(catalogue, request.param, "2026.1", PLUGINS[request.param])


# --- every scheme --------------------------------------------------------------------------------------------------


def test_shipped_schemes_and_plugins_have_no_faults(catalogue: loader.Catalogue) -> None:
    assert loader.faults(catalogue) == []
    assert {scheme for scheme, _ in catalogue.schemes} == PLUGINS.keys()


def test_every_area_judges_each_of_the_four_groups_and_asks_for_evidence(each: DossierTemplate) -> None:
    assert {area.id: tuple(criterion.group for criterion in area.criteria) for area in each.areas} == {
        area.id: CRITERION_GROUPS for area in each.areas
    }
    assert [area.id for area in each.areas if not any(question.type == "evidence" for question in area.questions)] == []


def test_every_criterion_is_served_by_an_answer_that_everybody_gives(each: DossierTemplate) -> None:
    asked_of_all = {
        (area.id, criterion)
        for area in each.areas
        for question in area.questions
        if question.required and not question.shown_if and question.type != "evidence"
        for criterion in question.serves
    }
    assert asked_of_all == {(area.id, criterion.id) for area in each.areas for criterion in area.criteria}


def test_every_text_and_piece_of_evidence_of_an_area_serves_a_criterion(each: DossierTemplate) -> None:
    idle = [
        f"{area.id}.{question.id}"
        for area in each.areas
        for question in area.questions
        if question.type in ("long_text", "table", "evidence") and not question.serves
    ]
    papers = [
        (f"{area.id}.{question.id}", field.get("serves"))
        for area in each.areas
        for question in area.questions
        for field in question.settings.get("fields", ())
        if field["type"] == "evidence"
    ]
    assert idle == []
    assert papers in ([], [("second_track_privacy.consents", ["free_permission"])])
    everything = [
        area.id
        for area in each.areas
        for question in area.questions
        if question.type == "evidence" and len(question.serves) == len(area.criteria)
    ]
    assert everything == []  # evidence of everything would tell a candidate nothing


def test_every_area_shows_a_good_answer_and_a_weak_one_with_why(each: DossierTemplate) -> None:
    helps = {area.id: area.guidance for area in each.areas}
    assert [area for area, one in helps.items() if not (one.example and one.weak_example and one.weak_because)] == []
    for one in helps.values():
        assert one.example
        assert one.weak_example
        for language in ("nl", "en"):  # what is not enough says less than what is
            assert 15 <= len(one.weak_example[language].split()) < len(one.example[language].split()) / 2


def test_both_languages_say_about_as_much_and_nothing_is_left_untranslated(catalogue: loader.Catalogue) -> None:
    rows = counting.count(catalogue)
    assert [one.name for one in rows] == ["initial 2026.1", "recertification 2026.1", "specialisation 2026.1", *SPECIALISATIONS]
    assert [one.name for one in rows if not counting.UNLIKE[0] <= one.ratio <= counting.UNLIKE[1]] == []
    assert [one.areas for one in rows] == [9, 5, 0, 3, 3, 3, 4]
    assert [one.criteria for one in rows] == [4 * one.areas for one in rows]
    assert counting.same_in_both(catalogue) == []


def test_texts_use_typographic_quotes_and_the_polite_form(each: DossierTemplate) -> None:
    texts = [text for section in each.sections for text in _texts(vars(section))]
    assert len(texts) > 400
    assert [text["nl"] for text in texts if "'" in text["nl"] or '"' in text["nl"]] == []
    assert [text["en"] for text in texts if "'" in text["en"] or '"' in text["en"]] == []
    asked = [question.label["nl"] for _, question in each.questions()]
    assert [label for label in asked if {"je", "jij", "jouw", "jullie"} & set(label.lower().split())] == []


# --- recertification -----------------------------------------------------------------------------------------------


def test_the_specialisations_stand_behind_the_areas_of_recertification(template: DossierTemplate) -> None:
    assert {group.id: len(template.of_group(group.id)) for group in template.groups} == {
        "prepare": 2,
        "look_back": 4,
        "areas": 5,
        "career_coaching": 3,
        "career_guidance": 3,
        "outplacement": 3,
        "second_track": 4,
        "learning": 4,
        "confirm": 2,
        "oral": 1,
    }
    groups = [group.id for group in template.groups]
    assert groups[:3] == ["prepare", "look_back", "areas"]
    assert sorted(groups[3:7]) == list(SPECIALISATIONS)
    assert groups[7:] == ["learning", "confirm", "oral"]


@pytest.mark.parametrize("plugin", SPECIALISATIONS)
def test_a_specialisation_says_what_is_needed_and_works_alone(catalogue: loader.Catalogue, plugin: str) -> None:
    manifest = catalogue.plugins[plugin].manifest
    assert manifest is not None
    assert "mondelinge toetsing" in manifest.data["description"]["nl"]
    assert "oral session" in manifest.data["description"]["en"]
    assert manifest.data["entry"].keys() == {"nl", "en"}
    alone = loader.compose(catalogue, "recertification", "2026.1", [plugin])
    areas = alone.of_group(plugin)
    assert 2 <= len(areas) <= 4
    assert [area.id for area in areas if not area.guidance or not area.guidance.starr or not area.guidance.example] == []
    assert [area.id for area in areas if area.guidance is None or len(area.guidance.look_for) < 3] == []
    cases = [area.question("situation") for area in areas]
    assert [case.settings["words"]["max"] for case in cases if case is not None] in ([600] * len(areas), [600] * 3 + [500])
    evidence = [question for area in areas for question in area.questions if question.id == "evidence"]
    assert [question.settings["files"]["min"] for question in evidence] == [1] * len(areas)
    assert [question.id for question in evidence if not question.hint or not question.settings["refused"]] == []


@pytest.mark.parametrize("plugin", SPECIALISATIONS)
def test_a_specialisation_asks_for_an_overview_of_assignments(catalogue: loader.Catalogue, plugin: str) -> None:
    alone = loader.compose(catalogue, "recertification", "2026.1", [plugin])
    tables = [question for area in alone.of_group(plugin) for question in area.questions if question.id == "trajectories"]
    (table,) = tables
    fields = {field["id"] for field in table.settings["fields"]}
    assert {"description", "started", "ended", "outcome"} <= fields
    assert {total["field"] for total in table.settings["totals"]} & {"hours", "sessions"}


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


# --- first certification -------------------------------------------------------------------------------------------

BUREAUS = (
    "gitp",
    "berenschot",
    "ltp",
    "meurs",
    "shl",
    "noa",
    "derks",
    "cubiks",
    "beteor",
    "pi_company",
    "geldergroep",
    "human_company",
    "schouten_nelissen",
)


def asked(template: DossierTemplate, section_id: str, **answers: str) -> list[str]:
    """The ids of the questions that a candidate with these answers gets on one page."""
    return [question.id for question in conditions.visible(template, {section_id: answers})[section_id]]


def test_first_certification_has_nine_areas_and_an_oral_session(initial: DossierTemplate) -> None:
    assert (initial.route, initial.assessors) == ("oral", 2)
    assert {group.id: [section.id for section in initial.of_group(group.id)] for group in initial.groups} == {
        "prepare": ["personal", "profile", "practice", "cases"],
        "entry": ["education", "experience", "mentor", "code_of_conduct", "agreement"],
        "areas": [
            "intake",
            "plan_and_method",
            "methodical_guidance",
            "closing",
            "career_theory",
            "labour_market",
            "commissioning",
            "ethics",
            "reflection_development",
        ],
        "oral": ["hearing"],
    }
    assert len(initial.areas) == 9


def test_every_area_of_first_certification_has_help_and_a_case_of_its_own(initial: DossierTemplate) -> None:
    assert [area.id for area in initial.areas if not (area.guidance.starr and area.guidance.example)] == []
    labels = [area.question("situation").label["nl"] for area in initial.areas]  # type: ignore[union-attr]
    assert len(set(labels)) == 9
    levels = [text["nl"] for area in initial.areas for criterion in area.criteria for text in criterion.levels.values()]
    assert [text for text, times in Counter(levels).items() if times > 1] == []
    evidence = [question for area in initial.areas for question in area.questions if question.type == "evidence"]
    assert [question.label["nl"] for question in evidence if not question.settings.get("refused")] == []


def test_each_background_has_questions_of_its_own(initial: DossierTemplate) -> None:
    section = initial.section("profile")
    assert section is not None
    background = section.question("background")
    assert background is not None
    everybody = {"background", "path", "guidance_training"}
    own = {
        option["id"]: [name for name in asked(initial, "profile", background=option["id"]) if name not in everybody]
        for option in background.settings["options"]
    }
    assert {option: len(names) for option, names in own.items()} == {
        "adviser": 2,
        "hr": 3,
        "coach": 3,
        "consultant": 3,
        "education": 3,
        "care": 3,
        "switcher": 3,
        "graduate": 4,
    }
    assert [name for option, names in own.items() for name in names if not name.startswith(f"{option}_")] == []


PROFILES: dict[str, tuple[dict[str, str], dict[str, list[str]]]] = {
    "higher professional education, adviser from the start, trained": (
        {"profile.background": "adviser", "profile.guidance_training": "yes", "education.diploma": "hbo"},
        {
            "personal": [],
            "profile": ["adviser_growth", "adviser_outside_view", "guidance_courses"],
            "education": ["programme", "institution", "graduated_on", "name_differs", "diploma_file"],
        },
    ),
    "former certificate at level B, university, from HR": (
        {
            "personal.earlier_certified": "yes",
            "personal.earlier_level": "b",
            "profile.background": "hr",
            "profile.guidance_training": "no",
            "education.diploma": "university",
        },
        {
            "personal": ["earlier_certificate", "earlier_level"],
            "profile": ["hr_share", "hr_two_roles", "hr_unlearned", "self_taught"],
            "education": ["programme", "institution", "graduated_on", "name_differs", "diploma_file"],
        },
    ),
    "equivalence by an assessment, job consultant": (
        {
            "profile.background": "consultant",
            "profile.guidance_training": "no",
            "education.diploma": "none",
            "education.bureau": "gitp",
        },
        {
            "personal": [],
            "profile": ["consultant_employer", "consultant_obligation", "consultant_beyond_placement", "self_taught"],
            "education": [
                "bureau",
                "assessed_on",
                "level_sentence",
                "level_page",
                "psychologist_name",
                "psychologist_registration",
                "signed_on",
                "report_file",
            ],
        },
    ),
    "degree from abroad under another name, from education": (
        {
            "profile.background": "education",
            "profile.guidance_training": "yes",
            "education.diploma": "foreign",
            "education.name_differs": "yes",
        },
        {
            "personal": [],
            "profile": ["education_where", "education_working_people", "education_employers", "guidance_courses"],
            "education": [
                "programme",
                "institution",
                "graduated_on",
                "name_differs",
                "name_on_diploma",
                "diploma_file",
                "valuation_file",
            ],
        },
    ),
    "career switcher without a degree, assessed by another bureau": (
        {
            "profile.background": "switcher",
            "profile.guidance_training": "no",
            "education.diploma": "none",
            "education.bureau": "other",
        },
        {
            "personal": [],
            "profile": ["switcher_occupation", "switcher_brings", "switcher_own_story", "self_taught"],
            "education": [
                "bureau",
                "other_bureau",
                "other_method",
                "approved_by",
                "approved_on",
                "approval_reason",
                "approval_file",
                "assessed_on",
                "level_sentence",
                "level_page",
                "psychologist_name",
                "psychologist_registration",
                "signed_on",
                "report_file",
            ],
        },
    ),
}


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_is_asked_its_own_entry_questions_and_no_others(initial: DossierTemplate, profile: str) -> None:
    typed, expected = PROFILES[profile]
    answers: dict[str, dict[str, str]] = {}
    for name, answer in typed.items():
        section, _, question = name.partition(".")
        answers.setdefault(section, {})[question] = answer
    shown = conditions.visible(initial, answers)
    own = {
        section.id: [question.id for question in shown[section.id] if question.shown_if]
        for section in (*initial.of_group("prepare"), *initial.of_group("entry"))
    }
    nothing_more: dict[str, list[str]] = {"practice": [], "cases": [], "experience": [], "mentor": [], "code_of_conduct": []}
    assert own == {**nothing_more, "agreement": [], **expected}


def test_the_equivalence_route_is_asked_only_without_a_diploma(initial: DossierTemplate) -> None:
    by_diploma = ["programme", "institution", "graduated_on", "name_differs", "diploma_file"]
    by_assessment = [
        "bureau",
        "assessed_on",
        "level_sentence",
        "level_page",
        "psychologist_name",
        "psychologist_registration",
        "signed_on",
        "report_file",
    ]
    exception = ["other_bureau", "other_method", "approved_by", "approved_on", "approval_reason", "approval_file"]
    assert asked(initial, "education", diploma="hbo") == ["diploma", *by_diploma]
    assert asked(initial, "education", diploma="foreign", bureau="other") == ["diploma", *by_diploma, "valuation_file"]
    assert asked(initial, "education", diploma="none", bureau="gitp") == ["diploma", *by_assessment]
    assert asked(initial, "education", diploma="none", bureau="other") == ["diploma", "bureau", *exception, *by_assessment[1:]]


def test_work_experience_is_counted_from_the_periods_and_only_a_gap_asks_for_more(initial: DossierTemplate) -> None:
    section = initial.section("experience")
    assert section is not None
    table = section.question("periods")
    assert table is not None
    assert (table.settings["span"]["field"], table.settings["span"]["min_years"]) == ("worked", 3)

    def year(number: int) -> dict[str, str]:
        return {"day": "1", "month": "1", "year": str(number)}

    ended, within_a_year, later = year(2020), year(2021), year(2021) | {"day": "2"}
    for began, questions in ((within_a_year, 3), (later, 4)):
        rows = [{"row": "a", "worked": {"from": year(2018), "to": ended}}, {"row": "b", "worked": {"from": began, "to": {}}}]
        shown = conditions.visible(initial, {"experience": {"periods": rows}})["experience"]
        assert len(shown) == questions
        assert ("back_up_to_date" in {one.id for one in shown}) is (began == later)


def test_every_bureau_of_the_list_has_an_indicative_fee(initial: DossierTemplate) -> None:
    section = initial.section("education")
    assert section is not None
    bureau = section.question("bureau")
    assert bureau is not None
    *listed, other = bureau.settings["options"]
    assert tuple(option["id"] for option in listed) == BUREAUS
    assert [option["id"] for option in listed if "€" not in option["hint"]["nl"] or "€" not in option["hint"]["en"]] == []
    assert other["id"] == "other"


def test_the_office_sees_the_sentence_of_the_report_beside_the_check(initial: DossierTemplate) -> None:
    shown = {one.id: one.shows for one in initial.entry_requirements}
    assert {"education.level_sentence", "education.psychologist_name", "education.signed_on"} <= set(shown["assessment_level"])
    assert {"education.approved_by", "education.approval_reason"} <= set(shown["assessment_exception"])
    section = initial.section("education")
    assert section is not None
    seen = {name for names in shown.values() for name in names}
    assert [one.id for one in section.questions if f"education.{one.id}" not in seen] == ["name_differs"]
    assert "experience.periods" in shown["experience"]


def test_the_office_sees_the_answers_beside_each_check_that_has_any_and_is_not_spoken_to_as_the_candidate(
    catalogue: loader.Catalogue,
) -> None:
    every = [plugin for plugin, one in catalogue.plugins.items() if one.kind == "specialisation"]
    without = {}
    for scheme, plugins in (("initial", []), ("recertification", every), ("specialisation", every)):
        requirements = loader.compose(catalogue, scheme, "2026.1", plugins).entry_requirements
        without[scheme] = [one.id for one in requirements if not one.shows]
        words = [one.explanation["nl"] for one in requirements if one.explanation is not None]
        assert [text for text in words if re.search(r"\b[Uu]w\b", text)] == []
    assert without == {"initial": [], "recertification": ["client_data", "statement"], "specialisation": ["client_data"]}


def test_the_former_levels_are_history_only(initial: DossierTemplate) -> None:
    section = initial.section("personal")
    assert section is not None
    level = section.question("earlier_level")
    assert level is not None
    assert [option["id"] for option in level.settings["options"]] == ["a", "b", "c", "none"]


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


# --- the oral session ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "plugins", "way"),
    [
        ("initial", (), "oral"),
        ("recertification", (), "written"),
        ("recertification", ("outplacement",), "both"),
        ("recertification", SPECIALISATIONS, "both"),
        ("specialisation", ("second_track",), "oral"),
    ],
)
def test_whoever_has_an_oral_session_prepares_it_on_one_page(
    catalogue: loader.Catalogue, scheme: str, plugins: tuple[str, ...], way: str
) -> None:
    template = loader.compose(catalogue, scheme, "2026.1", plugins)
    assert template.way == way
    pages = [section for section in template.sections if section.group == "oral"]
    assert [section.id for section in pages] == ([] if way == "written" else ["hearing"])
    for page in pages:
        asked = [question.id for question in page.questions]
        assert asked[-3:] == ["days", "language", "needs"]
        assert asked[0] == "starting_case"
    assert catalogue.schemes[scheme, "2026.1"].route == ("both" if scheme == "recertification" else "oral")
