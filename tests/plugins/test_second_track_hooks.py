"""The check on health data and consent: what it finds, what it leaves alone, and that a mistaken finding never stops anyone."""

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app import config
from app.plugin_api import Finding, Heading, ListBlock, Paragraph, Run
from app.schemes import loader, schemas
from app.schemes.model import DossierTemplate

HOOKS = Path(__file__).parents[2] / "plugins" / "second_track" / "hooks.py"

_spec = importlib.util.spec_from_file_location("second_track_hooks", HOOKS)
assert _spec is not None
assert _spec.loader is not None
hooks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hooks)


@pytest.fixture(scope="module")
def template() -> DossierTemplate:
    return loader.compose(loader.load_all(config.load({})), "recertification", "2026.1", ["second_track"])


@pytest.fixture(scope="module")
def form(template: DossierTemplate) -> dict[str, Any]:
    return schemas.dump(template)


def consent(place: str, row: str = "r1") -> dict[str, Any]:
    return {"row": row, "client": "cliënt A", "place": place, "form": "signed", "given_on": {}, "copy": [7]}


def good_answers() -> dict[str, dict[str, Any]]:
    return {
        "second_track_file": {"situation": "Zij kon twee uur per dag werken, zonder tijdsdruk.", "evidence": [3]},
        "second_track_work": {
            "situation": "Hij wilde naar het magazijn.",
            "trajectories": [{"row": "t1", "description": "planner"}],
        },
        "second_track_partners": {"situation": "De bedrijfsarts gaf geen diagnose, en daar vroeg ik ook niet naar."},
        "second_track_privacy": {"situation": "Ik kreeg een brief die ik niet mocht lezen.", "consents": [consent("all_areas")]},
        "case_study": {"approach": "Zij zocht ander werk in de zorg.", "case_evidence": [4]},
        "methodical_guidance": {"situation": "Een leerkracht vroeg om een test."},
    }


EVIDENCE = [
    {"id": 3, "title": "Trajectplan", "kind": "pdf", "pages": 2},
    {"id": 4, "title": "Eindverslag", "kind": "pdf", "pages": 1},
]


def data(answers: Mapping[str, Any], form: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"answers": answers, "evidence": EVIDENCE, "template": form, "language": "nl", "today": "2026-11-21"} | more


def places(answers: Mapping[str, Any], form: Mapping[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    return [(one.section, one.question, one.row) for one in hooks.check_dossier(data(answers, form, **more))]


def test_a_dossier_without_health_data_and_with_consent_gives_no_findings(form: dict[str, Any]) -> None:
    assert places(good_answers(), form) == []
    assert list(hooks.document_blocks(data(good_answers(), form))) == []


def test_an_empty_dossier_gives_no_findings(form: dict[str, Any]) -> None:
    assert places({}, form) == []


# --- health data ------------------------------------------------------------------------------------------------------


def test_a_finding_names_the_question_the_words_and_both_ways_out(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_work"]["too_much"] = "Zij had een **burn-out** en slikte oxazepam. Door die Burn-out ging het langzaam."
    assert list(hooks.check_dossier(data(answers, form))) == [
        Finding(
            section="second_track_work",
            question="too_much",
            text={
                "nl": "Bij “Hoe merkt u dat een stap voor een cliënt te groot of te klein is, en wat doet u dan?” staat "
                "“burn-out”, “oxazepam”. Dat lijkt te gaan over de gezondheid van een cliënt. Haal het weg en "
                "schrijf wat uw cliënt kan. "
                "Vergist de controle zich? Zet dan een vinkje bij “Woorden die de controle noemt” in het onderdeel Privacy en "
                "gezondheidsgegevens.",
                "en": "“How do you notice that a step is too big or too small for a client, and what do you do then?” contains "
                "“burn-out”, “oxazepam”. This seems to be about a client’s health. Remove it and write what your client can do. "
                "Is the check mistaken? Then tick “Words that the check mentions” in the section Privacy and health data.",
            },
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Zij viel uit met een burn-out.",
        "na haar burnout",
        "burn\u2011out",
        "Hij was overspannen geraakt.",
        "zij kreeg een depressie",
        "Hij was depressief.",
        "depressieve klachten",
        "She was depressed and stayed at home.",
        "after a depression",
        "PTSS na een ongeval",
        "diagnosed with ADHD",
        "een angststoornis",
        "panic attacks",
        "borstkanker",
        "She survived cancer.",
        "een hernia",
        "rugklachten",
        "knieoperatie",
        "back pain",
        "hersenletsel",
        "He had a stroke in March.",
        "Long-covid",
        "ziekte van Parkinson",
        "Crohn’s disease",
        "zij kreeg de diagnose te horen",
        "onder behandeling bij een specialist",
        "slikte zware medicijnen",
        "she was on heavy medication",
        "sertraline",
        "antidepressants",
        "chemo",
        "burn-outklachten",
        "burnoutklachten",
        "depressieklachten",
        "kankerpatiënt",
        "kankerbehandeling",
        "na een chemokuur",
        "een hartaanval",
        "een hersentumor",
        "whiplashklachten",
        "long-covidklachten",
        "longcovid",
        "migraineaanvallen",
        "een diabetespatiënt",
        "hij heeft suikerziekte",
        "Alzheimer",
        "een nekhernia",
        "een autist",
        "Zij heeft MS",
        "MS-patiënt",
        "zwanger",
        "een dwarslaesie",
    ],
)
def test_likely_health_data_is_found(text: str, form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_file"]["weak_file"] = text
    assert places(answers, form) == [("second_track_file", "weak_file", "")]


@pytest.mark.parametrize(
    "text",
    [
        "een depressieve markt",
        "a depressed labour market",
        "depressed wages",
        "de economische depressie",
        "the Great Depression",
        "een overspannen arbeidsmarkt",
        "overspannen verwachtingen",
        "training burn-outpreventie",
        "a stroke of luck",
        "Het was hoofdpijndossier nummer één.",
        "kankerverwekkende stoffen in het magazijn",
        "Zij werkte in de dementiezorg.",
        "Ik vraag nooit naar een diagnose, een behandeling of medicijnen.",
        "Hij gebruikt geen medicijnen, zei hij; ik schreef het niet op.",
        "I never ask about a diagnosis or medication.",
        "the assessment is on no medication at all",
        "De bedrijfsarts beschreef beperkingen in tillen en lopen.",
        "belastbaarheid, functionele mogelijkheden, ziekteverzuim",
        "back problems on to the employer",
        "In behandeling bij het UWV",
        "Parkinson schreef over de groei van kantoren.",
        "hard werken, hartelijk ontvangen, een handige oplossing",
        "add, ms, ik",
        "met MS Word werken",
        "burn-outpreventie en dementiebeleid",
    ],
)
def test_words_that_only_look_like_it_are_left_alone(text: str, form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_file"]["weak_file"] = text
    assert places(answers, form) == []


def test_the_forms_own_texts_hold_no_such_word(form: dict[str, Any]) -> None:
    assert [text for text in _strings(form) if hooks._words([text])] == []


def test_words_in_a_row_are_found_at_the_row(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_work"]["trajectories"].append({"row": "t2", "description": "planner met artrose"})
    assert places(answers, form) == [("second_track_work", "trajectories", "t2")]


def test_words_in_the_name_of_a_file_are_found_where_it_is_used(form: dict[str, Any]) -> None:
    evidence = [
        {"id": 3, "title": "plan_burn-out_v2", "kind": "pdf", "pages": 2},
        {"id": 9, "title": "hernia", "kind": "pdf", "pages": 1},
    ]
    (finding,) = hooks.check_dossier(data(good_answers(), form, evidence=evidence))
    assert (finding.section, finding.question) == ("second_track_file", "evidence")
    assert "Geef het bestand een andere naam" in finding.text["nl"]
    assert "Give the file another name" in finding.text["en"]


def test_more_words_than_anyone_reads_are_cut_short(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_file"]["weak_file"] = "migraine, astma, reuma, copd, hiv, ptss, adhd, emdr, artrose"
    (finding,) = hooks.check_dossier(data(answers, form))
    assert "staat “migraine”, “astma”, “reuma”, “copd”, “hiv”, “ptss”, “adhd”, “emdr” …. Dat" in finding.text["nl"]


def test_other_sections_are_read_only_when_they_speak_of_second_track(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["reflection_development"] = {"still_difficult": "Sinds mijn eigen burn-out plan ik rust in."}
    assert places(answers, form) == []
    answers["reflection_development"]["situation"] = "In een traject tweede spoor ontdekte ik dit."
    answers["second_track_privacy"]["consents"].append(consent("other"))
    assert places(answers, form) == [("reflection_development", "still_difficult", "")]


def test_a_declaration_sets_the_words_aside_and_the_document_tells_the_assessors(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_file"]["weak_file"] = "De cursist werkte bij een stichting voor mensen met epilepsie en diabetes."
    answers["second_track_privacy"]["words_checked"] = "yes"
    assert places(answers, form) == []
    assert list(hooks.document_blocks(data(answers, form))) == [
        Heading("Woorden die de controle noemt"),
        Paragraph(
            (
                Run(
                    "Een controle op gezondheidsgegevens noemde deze woorden. "
                    "De kandidaat verklaart dat ze niet over een cliënt gaan."
                ),
            )
        ),
        ListBlock(
            (
                (
                    Run(
                        "Wet en poortwachterdossier, “Wat doet u als het dossier waarmee u moet beginnen niet compleet "
                        "of niet actueel is?”: "
                        "epilepsie, diabetes"
                    ),
                ),
            )
        ),
    ]
    assert hooks.document_blocks(data(answers, form, language="en"))[0] == Heading("Words that the check mentions")


# --- consent ------------------------------------------------------------------------------------------------------------


def test_every_case_of_the_specialisation_needs_a_consent(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_privacy"]["consents"] = [consent("second_track_work"), consent("second_track_privacy", "r2")]
    findings = list(hooks.check_dossier(data(answers, form)))
    assert [(one.section, one.question) for one in findings] == [("second_track_privacy", "consents")] * 2
    assert findings[0].text == {
        "nl": "Er staat nog geen toestemming in dit overzicht voor de casus in Wet en poortwachterdossier (“Beschrijf een "
        "traject waarin regels of termijnen bepaalden wat u deed, en hoe het toch van uw cliënt bleef”). Voeg "
        "een regel toe. Geeft uw "
        "cliënt geen toestemming? Kies dan een andere casus.",
        "en": "This overview has no permission yet for the case in The law and the gatekeeper file (“Describe "
        "an assignment in which "
        "rules or deadlines determined what you did, and how it remained your client’s”). Add a row. If your "
        "client does not give "
        "permission, choose another case.",
    }
    assert "Samenwerken rond de cliënt" in findings[1].text["nl"]


def test_a_case_that_is_not_written_yet_needs_none(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["second_track_privacy"]["consents"] = [consent("second_track_work"), consent("second_track_privacy", "r2")]
    answers["second_track_file"]["situation"] = " "
    del answers["second_track_partners"]
    assert places(answers, form) == []


@pytest.mark.parametrize("text", ["een traject 2e spoor", "de Wet verbetering poortwachter", "second-track client", "Spoor twee"])
@pytest.mark.parametrize(
    ("section", "question", "place"),
    [("case_study", "approach", "case_study"), ("methodical_guidance", "situation", "other")],
)
def test_a_case_elsewhere_that_speaks_of_second_track_needs_one_too(
    section: str, question: str, place: str, text: str, form: dict[str, Any]
) -> None:
    answers = good_answers()
    answers[section][question] = text
    assert places(answers, form) == [("second_track_privacy", "consents", "")]
    answers["second_track_privacy"]["consents"].append(consent(place, "r2"))
    assert places(answers, form) == []


def test_a_declaration_sets_cases_elsewhere_aside_but_not_those_of_the_specialisation(form: dict[str, Any]) -> None:
    answers = good_answers()
    answers["case_study"]["approach"] = "Ik verwees hem naar een collega in het tweede spoor."
    answers["second_track_privacy"]["elsewhere_checked"] = "yes"
    assert places(answers, form) == []
    assert hooks.document_blocks(data(answers, form))[-1] == ListBlock(((Run("Casus, “Wat hebt u gedaan, en waarom?”"),),))
    answers["second_track_privacy"]["consents"] = []
    assert len(places(answers, form)) == 4


@pytest.mark.parametrize("typed", [None, "", [], {}, "ja", 3, [None], [{}], {"day": "1"}, [["x"]]])
def test_answers_of_another_shape_break_nothing(typed: Any, form: dict[str, Any]) -> None:
    answers = {section: dict.fromkeys(("situation", "consents", "evidence", "moments"), typed) for section in hooks.OWN}
    hooks.check_dossier(data(answers, form))
    hooks.document_blocks(data(answers, form))
    hooks.check_dossier(data({"second_track_file": typed}, form))


# --- the form that the hooks know -----------------------------------------------------------------------------------------


def test_the_hooks_look_at_questions_that_are_there(template: DossierTemplate) -> None:
    sections = {section.id: {question.id: question for question in section.questions} for section in template.sections}
    assert [section for section in hooks.OWN if "situation" not in sections[section]] == []
    assert set(hooks.CASES) <= sections["case_study"].keys() | {"situation"}
    privacy = sections[hooks.PRIVACY]
    assert [privacy[name].type for name in ("consents", "words_checked", "elsewhere_checked")] == [
        "table",
        "declaration",
        "declaration",
    ]
    assert not privacy["words_checked"].required
    assert not privacy["elsewhere_checked"].required
    options = next(field for field in privacy["consents"].settings["fields"] if field["id"] == "place")["options"]
    assert {option["id"] for option in options} == {*hooks.OWN, "all_areas", "case_study", "other"}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(inner)
