"""What cannot be right comes back in the candidate's own words, with what was typed still in the form. On the shipped schemes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from filling import checked_file
from flask.testing import FlaskClient

from app import plugin_loader
from app.accounts.models import Account
from app.dossiers import answers, completeness, starting, submission
from app.dossiers import contents as dossier_contents
from app.dossiers.models import Dossier, SectionAnswers
from app.extensions import session, transaction
from app.pipeline import Installation
from app.schemes import loader, question_types
from app.schemes.model import Question
from app.web.candidate import tasks

PARTS = ("day", "month", "year")


@pytest.fixture
def sanne(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def browser(sanne: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(sanne)


@pytest.fixture
def started(sanne: Account, installation: Installation) -> Callable[[str], Dossier]:
    def start(scheme: str) -> Dossier:
        with transaction():
            return starting.start(
                sanne, scheme, "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings
            )

    return start


def day(name: str, typed: str) -> dict[str, str]:
    """``31-3-2026`` as the three fields of a date; nothing for an empty one."""
    return {f"{name}.{part}": word for part, word in zip(PARTS, typed.split("-") if typed else ("", "", ""), strict=True)}


def read(reply: Any) -> tuple[BeautifulSoup, str]:
    soup = BeautifulSoup(reply.get_data(as_text=True), "html.parser")
    assert soup.main is not None
    return soup, " ".join(soup.main.get_text(" ").split())


def in_english(browser: FlaskClient, address: str) -> str:
    browser.set_cookie("language", "en")
    text = read(browser.get(address))[1]
    browser.delete_cookie("language")
    return text


def beside(soup: BeautifulSoup, name: str) -> list[str]:
    """What is said beside the question, without the word for screen readers."""
    (question,) = soup.select(f'[data-question="{name}"]')
    for hidden in question.select(".govuk-error-message .govuk-visually-hidden"):
        hidden.decompose()
    return [" ".join(found.get_text(" ").split()) for found in question.select(".govuk-error-message")]


def typed(soup: BeautifulSoup, names: Mapping[str, str]) -> dict[str, str]:
    """What these fields of the form hold now."""
    found = {}
    for name in names:
        (field,) = soup.select(
            f'input[name="{name}"]:not([type=radio]), input[name="{name}"][checked], select[name="{name}"] option[selected]'
        )
        found[name] = str(field.get("value", ""))
    return found


def send_row(browser: FlaskClient, dossier: Dossier, place: str, form: Mapping[str, str], **headers: Any) -> BeautifulSoup:
    """The page that comes back when a row of the table at ``<section>/<table>`` is saved; what was sent still stands in it."""
    reply = browser.post(f"/dossier/{dossier.reference}/onderdeel/{place}/r1", data={"before": "", **form}, **headers)
    assert reply.status_code == 422
    soup, _ = read(reply)
    assert typed(soup, form) == dict(form)
    return soup


FUTURE = "1 januari 2099 ligt in de toekomst. Vul een datum in tot en met vandaag."


@pytest.mark.parametrize(
    ("first", "last", "words", "english"),
    [
        (
            "1-2-2020",
            "1-1-2019",
            "De einddatum ligt voor de begindatum. Controleer beide data.",
            "The end date is before the start date. Check both dates.",
        ),
        ("1-1-2020", "1-1-2099", f"Einddatum: {FUTURE}", None),
        ("1-1-1901", "1-1-1999", "Begindatum: Vul een datum in op of na 1 januari 1950.", None),
        ("1-1-2099", "", f"Begindatum: {FUTURE}", None),
        (
            "",
            "1-1-2020",
            "Begindatum: Vul dag, maand en jaar in, bijvoorbeeld 31 3 2026.",
            None,
        ),
        ("31-2-2020", "1-1-2021", "Begindatum: 31 februari 2020 bestaat niet. Controleer de dag en de maand.", None),
        (
            "1-1-0020",
            "1-1-2021",
            "Begindatum: Het jaar 0020 klopt vast niet. Controleer het jaar.",
            "Start date: The year 0020 is most likely wrong. Check the year.",
        ),
    ],
)
def test_a_period_that_cannot_be(
    browser: FlaskClient, started: Callable[[str], Dossier], first: str, last: str, words: str, english: str | None
) -> None:
    dossier = started("initial")
    form = {"periods.position": "Coach", **day("periods.worked.from", first), **day("periods.worked.to", last)}
    assert beside(send_row(browser, dossier, "experience/periods", form), "worked") == [words]
    _, text = read(browser.get(f"/dossier/{dossier.reference}/onderdeel/experience"))
    assert words in text, "the row says so in the list too"
    assert "0 dagen van 3 jaar" in text, "what cannot be counts for nothing"
    if english:
        text = in_english(browser, f"/dossier/{dossier.reference}/onderdeel/experience")
        assert english in text


def test_periods_that_overlap_count_once_and_the_gap_is_named(browser: FlaskClient, started: Callable[[str], Dossier]) -> None:
    dossier = started("initial")
    for row, (first, last) in enumerate((("1-1-2018", "31-12-2019"), ("1-7-2019", "30-6-2020"), ("1-10-2020", "31-12-2020"))):
        form = {"before": "", **day("periods.worked.from", first), **day("periods.worked.to", last)}
        browser.post(f"/dossier/{dossier.reference}/onderdeel/experience/periods/r{row}", data=form)
    _, text = read(browser.get(f"/dossier/{dossier.reference}/onderdeel/experience?controle=1"))
    assert "2 jaar en 9 maanden van 3 jaar" in text
    until = question_types.shown_date(submission.today(), "nl")
    assert f"Niet ingevuld: 1 juli 2020 – 30 september 2020; 1 januari 2021 – {until}." in text
    assert "u komt nog 3 maanden tekort. Het is nu 2 jaar en 9 maanden en er is minstens 3 jaar nodig." in text


def test_dates_of_the_equivalence_route_that_contradict_each_other(
    browser: FlaskClient, started: Callable[[str], Dossier]
) -> None:
    dossier = started("initial")
    address = f"/dossier/{dossier.reference}/onderdeel/education"
    filled_in = {"diploma": "none", "bureau": "other", "level_sentence": "Deze kandidaat heeft een mbo denk- en werkniveau."}
    days = {"assessed_on": "1-1-2024", "signed_on": "29-2-2020", "approved_on": "20-11-2024"}
    split = {name: dict(zip(PARTS, typed.split("-"), strict=True)) for name, typed in days.items()}
    with transaction():
        for name, answer in {**filled_in, **split}.items():
            answers.put_answer(dossier, "education", name, answer)
    soup, _ = read(browser.get(f"{address}?controle=1"))
    assert beside(soup, "signed_on") == [
        (
            "Vul een datum in op of na 1 januari 2024. De psycholoog ondertekent na het assessment, en dat was volgens u op die "
            "dag. Controleer beide datums."
        )
    ]
    (approved,) = beside(soup, "approved_on")
    assert approved.endswith(
        "Het secretariaat stemt vooraf in, en het assessment was volgens u op die dag. Controleer beide datums."
    )
    (sentence,) = soup.select('[data-question="level_sentence"]')
    assert "Let op: In deze zin staat niets over hbo-niveau." in " ".join(sentence.get_text(" ").split())
    assert beside(soup, "level_sentence") == []
    assert "The psychologist signs after the assessment" in in_english(browser, f"{address}?controle=1")


WHOLE = "Vul een heel getal in, zonder cijfers achter de komma."


@pytest.mark.parametrize(
    ("number", "hours", "points", "english"),
    [
        ("-2", "Vul een getal in van 1 of meer.", "Vul een getal in van 0,5 of meer.", "Enter a number of 0.5 or more."),
        ("0", "Vul een getal in van 1 of meer.", "Vul een getal in van 0,5 of meer.", None),
        ("1,5", WHOLE, "", None),
        ("1.5", WHOLE, "", None),
        ("1,25", WHOLE, "Gebruik hoogstens 1 cijfer achter de komma.", None),
        (
            "1.500",
            "1.500 lezen wij als 1500. Vul een getal in van 60 of minder.",
            "1.500 lezen wij als 1500. Bedoelt u 1,5? Vul dat dan in. Er kan hoogstens 40 staan.",
            "We read 1.500 as 1500. Do you mean 1.5? Then enter that. The most it can be is 40.",
        ),
        (
            "1,500",
            "1,500 lezen wij als 1500. Vul een getal in van 60 of minder.",
            "1,500 lezen wij als 1500. Bedoelt u 1,5? Vul dat dan in. Er kan hoogstens 40 staan.",
            "We read 1,500 as 1500. Do you mean 1.5? Then enter that. The most it can be is 40.",
        ),
        (
            "8 uur",
            "Vul alleen een getal in, bijvoorbeeld 12 of 12,5. U vulde in: 8 uur.",
            "Vul alleen een getal in, bijvoorbeeld 12 of 12,5. U vulde in: 8 uur.",
            None,
        ),
    ],
)
def test_hours_and_points_that_cannot_be(
    browser: FlaskClient, started: Callable[[str], Dossier], number: str, hours: str, points: str, english: str | None
) -> None:
    soup = send_row(browser, started("initial"), "experience/periods", {"periods.hours": number})
    assert beside(soup, "hours") == [hours]
    dossier = started("recertification")
    soup = send_row(browser, dossier, "education/activities", {"activities.title": "Cursus", "activities.points": number})
    assert beside(soup, "points") == ([points] if points else [])
    text = in_english(browser, f"/dossier/{dossier.reference}/onderdeel/education")
    assert f"Total number of points {'0' if points else '1.5'} of 75 points" in text, "what cannot be counts for nothing"
    assert english is None or english in text


def test_a_number_outside_a_table_stays_in_the_form(browser: FlaskClient, started: Callable[[str], Dossier]) -> None:
    address = f"/dossier/{started('recertification').reference}/onderdeel/practice"
    reply = browser.post(address, data={"version": "0", "hours": "-2", "clients": "1.500", "finished": "yes"})
    soup, text = read(reply)
    assert (reply.status_code, typed(soup, {"hours": "", "clients": ""})) == (422, {"hours": "-2", "clients": "1.500"})
    assert (beside(soup, "hours"), beside(soup, "clients")) == (["Vul een getal in van 1 of meer."], [])
    assert "Hoeveel uur per week werkt u gemiddeld als loopbaanprofessional? Vul een getal in van 1 of meer." in text


def test_a_date_in_the_future_or_outside_the_certificate(browser: FlaskClient, started: Callable[[str], Dossier]) -> None:
    dossier = started("recertification")
    soup = send_row(
        browser, dossier, "education/activities", {"activities.title": "Cursus", **day("activities.date", "1-1-2099")}
    )
    assert beside(soup, "date") == [FUTURE]
    put(dossier, "personal", "certificate_period", {"from": moment(1, 1, 2023), "to": moment(31, 12, 2026)})
    put(dossier, "education", "activities", [{"row": "a", "title": "Te vroeg", "date": moment(31, 12, 2022), "points": "8"}])
    _, text = read(browser.get(f"/dossier/{dossier.reference}/onderdeel/education"))
    assert (
        "Deze datum valt buiten de periode die telt: 1 januari 2023 – 31 december 2026. Pas de datum aan of haal de regel weg."
        in text
    )
    assert "Totaal aantal punten 0 van 75 punten" in text


def put(dossier: Dossier, section: str, question: str, answer: Any) -> None:
    with transaction():
        answers.put_answer(dossier, section, question, answer)


def moment(*parts: int) -> dict[str, str]:
    return dict(zip(PARTS, map(str, parts), strict=True))


def test_the_same_certificate_twice_is_a_question_that_keeps_nobody_waiting(
    browser: FlaskClient, started: Callable[[str], Dossier], installation: Installation
) -> None:
    dossier = started("recertification")
    proof = checked_file(dossier, installation, "certificaat.pdf")
    row = {"kind": "course", "provider": "Hogeschool", "points": "8", "proof": [proof]}
    first = {"row": "a", "title": "Rouw", "date": moment(1, 6, 2024), **row}
    second = {"row": "b", "title": "Verlies", "date": moment(2, 6, 2024), **row}
    third = {"row": "c", "title": "rouw ", "date": moment(1, 6, 2024), **row}
    put(dossier, "education", "activities", [first, second])
    address = f"/dossier/{dossier.reference}/onderdeel/education"
    soup, text = read(browser.get(f"{address}?controle=1"))
    asked = "“certificaat.pdf” staat ook bij regel 1: Rouw. Klopt dat? Dan hoeft u niets te doen."
    assert text.count(asked) == 1
    assert soup.select(".rows__wrong") == [], "it is asked, not refused"
    assert "Totaal aantal punten 16 van 75 punten" in text
    text = in_english(browser, address)
    assert "“certificaat.pdf” is with row 1 too: Rouw. Is that right? Then there is nothing you need to do." in text
    put(dossier, "education", "activities", [first, third])
    soup, text = read(browser.get(address))
    assert "Dit lijkt op een andere regel: Rouw. Alles telt één keer. Hoort het bij elkaar? Maak er dan één regel van." in text, (
        "title and date the same: that is the same activity"
    )
    assert [one["id"] for one in soup.select(".rows__wrong")] == ["activities-row-c"]


@pytest.mark.parametrize(
    ("section", "form", "name", "value", "title", "english"),
    [
        ("education", {"diploma": "none"}, "bureau", "acme", "Assessmentbureaus", "Assessment bureaus"),
        ("personal", {"earlier_certified": "yes"}, "earlier_level", "d", "Vroegere niveaus", "Former levels"),
    ],
)
def test_what_is_not_on_a_maintained_list_says_which_and_who_keeps_it(
    browser: FlaskClient,
    started: Callable[[str], Dossier],
    section: str,
    form: dict[str, str],
    name: str,
    value: str,
    title: str,
    english: str,
) -> None:
    dossier = started("initial")
    address = f"/dossier/{dossier.reference}/onderdeel/{section}"
    reply = browser.post(address, data={"version": "0", **form, name: value, "finished": "yes"})
    soup, text = read(reply)
    words = (
        f"“{value}” staat niet op de lijst {title}. Het secretariaat houdt die lijst bij. Maak een andere keuze, of vraag het "
        "secretariaat wat u het best kunt kiezen."
    )
    assert (reply.status_code, beside(soup, name)) == (422, [words])
    assert typed(soup, {**form, name: ""}) == {**form, name: value}, "it stays until another choice is made"
    assert f"{value} Deze keuze staat er niet (meer) bij." in text.replace(" – ", " "), "in a list, and beside a radio button"
    text = in_english(browser, f"{address}?controle=1")
    assert (
        f"“{value}” is not on the list {english}. The office maintains that list. Make another choice, or ask the "
        "office what you can best choose."
    ) in text
    session.rollback()
    assert dossier_contents.read(dossier).answer(section, name) == value


def test_an_option_that_is_not_there(browser: FlaskClient, started: Callable[[str], Dossier]) -> None:
    form = {"activities.title": "Cursus", "activities.kind": "film"}
    soup = send_row(browser, started("recertification"), "education/activities", form)
    assert beside(soup, "kind") == ["“film” is hier geen mogelijkheid. Maak een andere keuze."]


# --- starting ------------------------------------------------------------------------------------------------------


def test_a_scheme_without_a_version_for_today(browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "today", lambda: date(2020, 1, 1))
    _, text = read(browser.get("/dossiers/nieuw"))
    assert "Er is nu geen dossier dat u kunt beginnen Neem contact op met het secretariaat: secretariaat@voorbeeld.nl" in text
    words = "“Eerste certificering loopbaanprofessional” kunt u beginnen vanaf 1 januari 2026."
    for reply in (
        browser.get("/dossiers/nieuw?schema=initial"),
        browser.post("/dossiers/nieuw", data={"scheme": "initial", "language": "nl"}),
    ):
        soup, text = read(reply)
        assert (reply.status_code, words in text) == (422 if reply.request.method == "POST" else 200, True)
        assert [link.get_text(strip=True) for link in soup.select("main .context a, nav a") if "dossiers" in link["href"]]
    text = in_english(browser, "/dossiers/nieuw?schema=initial")
    assert "You can start “First certification of career professionals” from 1 January 2026." in text


def test_a_scheme_that_ended_leaves_the_other_to_choose(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, installation: Installation
) -> None:
    usual, usual_schemes = tasks._offered, {scheme for scheme, _ in installation.catalogue.schemes}
    monkeypatch.setattr(tasks, "_offered", lambda: {name: one for name, one in usual().items() if name != "initial"})
    soup, text = read(browser.get("/dossiers/nieuw?schema=initial"))
    assert (
        "“Eerste certificering loopbaanprofessional” kunt u op dit moment niet beginnen. Vraag het secretariaat "
        "wanneer het weer kan." in text
    )
    others = sorted(set(usual_schemes) - {"initial"})
    assert others
    assert [field["value"] for field in soup.select("input[name=schema]")] == others


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ("outplacement", "De uitbreiding “Specialisatie outplacement” hoort niet bij dit schema. Kies een andere."),
        ("nobody", "De uitbreiding “nobody” werkt nu niet. Kies haar niet, of neem contact op met het secretariaat."),
    ],
)
def test_a_plugin_that_does_not_fit_the_scheme(browser: FlaskClient, plugin: str, words: str) -> None:
    reply = browser.post("/dossiers/nieuw", data={"scheme": "initial", "language": "en", "plugins": plugin})
    soup, text = read(reply)
    assert (reply.status_code, words in text) == (422, True)
    assert [field["value"] for field in soup.select("input[name=language][checked]")] == ["en"]
    assert "Eerste certificering loopbaanprofessional" in text, "the page of the scheme itself, to start without"


# --- every question of every shipped scheme and plugin -------------------------------------------------------------

SPECIALISATIONS = ("career_coaching", "career_guidance", "outplacement", "second_track")
PLUGINS = {"initial": (), "recertification": SPECIALISATIONS, "specialisation": SPECIALISATIONS}
YEARS = {"past": "2020", "later": "2021", "future": "2099"}
PLANNED = {"reflection_development.goals.ready", "development_plan.plan.ready"}  # these are for what is still to be done
TO_COME = {"personal.certificate_period"}  # a certificate ends later


def on(year: str) -> dict[str, str]:
    return {"day": "1", "month": "2", "year": YEARS[year]}


def bad_answers(name: str, question: Question) -> dict[str, Any]:
    """What cannot be right for a question of this type: kind -> answer."""
    if question.type == "date":
        return {} if name in PLANNED else {"future": on("future")}
    if question.type == "period":
        until = {} if name in TO_COME else {"until the future": {"from": on("past"), "to": on("future")}}
        contradicting = {"from": on("later"), "to": on("past")}
        return {**until, "contradicting": contradicting, "to begin": {"from": on("future"), "to": on("future")}}
    if question.type == "number":
        return {"negative": "-1"}
    if question.type == "choice":
        return {"unknown": "bureau_that_stopped"}
    if question.type == "choices":
        return {"unknown": ["bureau_that_stopped"]}
    return {}


@pytest.mark.parametrize("scheme", PLUGINS)
def test_no_question_of_a_shipped_scheme_or_plugin_lets_through_what_cannot_be(
    sanne: Account, installation: Installation, scheme: str
) -> None:
    """Every bad kind in every question and column, all at once; each is found at its own place."""
    catalogue = installation.catalogue
    with transaction():
        dossier = starting.start(
            sanne, scheme, "2026.1", PLUGINS[scheme], "nl", catalogue=catalogue, settings=installation.settings
        )
    template = dossier_contents.read(dossier).template
    missed, tried = [], 0
    for section in template.sections:
        for question in section.questions:
            name = f"{section.id}.{question.id}"
            kinds = [(name, bad) for bad in bad_answers(name, question).values()]
            if question.type == "table":
                kinds = [
                    (f"{name}.{field['id']}", [{"row": "r1", field["id"]: bad}])
                    for field in question.settings["fields"]
                    for bad in bad_answers(f"{name}.{field['id']}", question_types.question(field)).values()
                ]
            for place, bad in kinds:
                tried += 1
                put_any(dossier, section.id, question.id, bad)
                contents = dossier_contents.read(dossier)
                contents = replace(contents, visible={**contents.visible, section.id: section.questions})
                found = completeness.section_findings(contents, section, catalogue.types, submission.today())
                said = [one.text["nl"] for one in found if one.question == question.id]
                empty = put_any(dossier, section.id, question.id, [{"row": "r1"}] if question.type == "table" else "")
                usual = completeness.section_findings(
                    replace(dossier_contents.read(empty), visible=contents.visible), section, catalogue.types, submission.today()
                )
                new = [text for text in said if text not in {one.text["nl"] for one in usual if one.question == question.id}]
                if not new:
                    missed.append(place)
    assert (missed, tried >= 15) == ([], True)


@pytest.mark.parametrize("scheme", PLUGINS)
def test_columns_that_say_when_something_began_and_ended_cannot_contradict(installation: Installation, scheme: str) -> None:
    template = loader.compose(installation.catalogue, scheme, "2026.1", PLUGINS[scheme])
    tables = [
        (section, question)
        for section, question in template.questions()
        if question.type == "table" and {"started", "ended"} <= {field["id"] for field in question.settings["fields"]}
    ]
    assert len(tables) == len(PLUGINS[scheme])
    row = {"row": "r1", "started": on("later"), "ended": on("past")}
    for section, question in tables:
        said = [one.text["nl"] for one in question_types.BUILT_IN["table"].check([row], dict(question.settings))]
        if section.plugin == "outplacement":  # its hook says it in its own words
            data = {"answers": {section.id: {question.id: [row]}}, "today": submission.today().isoformat()}
            hook = installation.catalogue.plugins["outplacement"]
            said = [one.text["nl"] for one in plugin_loader.call_hook(hook, "check_dossier", data)]
        assert any("Controleer beide dat" in one for one in said), (section.id, said)


@pytest.mark.parametrize(
    ("scheme", "place", "row"),
    [
        ("initial", "profile.guidance_courses", {"course": "Basis", "completed_on": on("past")}),
        ("recertification", "education.activities", {"title": "Basis", "date": on("past")}),
        ("specialisation", "specialisation_work.learning", {"title": "Basis", "completed": on("past")}),
    ],
)
def test_the_same_training_twice_counts_once_in_every_scheme(
    installation: Installation, scheme: str, place: str, row: dict[str, Any]
) -> None:
    section_id, _, question_id = place.partition(".")
    template = loader.compose(installation.catalogue, scheme, "2026.1", PLUGINS[scheme][:1])
    section = template.section(section_id)
    question = section.question(question_id) if section else None
    assert question is not None
    twice = [{"row": "a", **row}, {"row": "b", **row}]
    said = [one.text["nl"] for one in question_types.BUILT_IN["table"].check(twice, dict(question.settings)) if one.row == "b"]
    assert any("Dit lijkt op een andere regel: Basis. Alles telt één keer." in one for one in said)


def put_any(dossier: Dossier, section: str, question: str, answer: Any) -> Dossier:
    """An answer as it stands in the database, whatever the form would have let through."""
    with transaction():
        row = session.get(SectionAnswers, (dossier.id, section))
        if row is None:
            row = SectionAnswers(dossier_id=dossier.id, section_id=section, version=1, data={})
            session.add(row)
        row.data = {question: answer}
    return dossier
