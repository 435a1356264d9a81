"""Filling in a section: saving, saving by itself, two tabs, tables, files in place, and what is refused."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from filling import checked_file, start
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.accounts.models import Account
from app.dossiers import answers, lifecycle
from app.dossiers import contents as dossier_contents
from app.dossiers.models import Dossier, Evidence, SectionVersion
from app.extensions import session, transaction
from app.pipeline import Installation
from app.web.section import excerpt

PERSONAL = {"certificate_name": "Sanne de Vries", "phone": "030 123 45 67"}
TEXT = "Een verhaal met een komma, en een streepje."


@pytest.fixture
def sanne(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(sanne: Account, installation: Installation) -> Dossier:
    return start(sanne, installation)


@pytest.fixture
def browser(sanne: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(sanne)


def at(dossier: Dossier, section: str, *more: str) -> str:
    return "/".join((f"/dossier/{dossier.reference}/onderdeel/{section}", *more))


def stored(dossier: Dossier, section: str) -> dict[str, Any]:
    session.rollback()
    return dict(dossier_contents.read(dossier).answers.get(section, {}))


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


def file(name: str = "bewijs.pdf", data: bytes = b"%PDF-1.4 inhoud") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


# --- saving --------------------------------------------------------------------------------------------------------


def test_incomplete_answers_are_saved_as_typed(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(at(dossier, "personal"), data=PERSONAL | {"version": "0", "action": "later", "finished": "no"})
    assert (reply.status_code, reply.location) == (302, f"/dossier/{dossier.reference}")
    kept = stored(dossier, "personal")
    assert kept == PERSONAL
    assert dossier_contents.read(dossier).finished == frozenset()


def test_continue_leads_to_the_next_section_and_after_the_last_to_the_overview(browser: FlaskClient, dossier: Dossier) -> None:
    sections = dossier_contents.read(dossier).template.sections
    first, second, last = sections[0].id, sections[1].id, sections[-1].id
    reply = browser.post(at(dossier, first), data={"version": "0", "action": "continue"})
    assert reply.location == at(dossier, second)
    reply = browser.post(at(dossier, last), data={"version": "0", "action": "continue"})
    assert reply.location == f"/dossier/{dossier.reference}"


def test_yes_with_lacking_answers_saves_shows_what_lacks_and_does_not_mark(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(at(dossier, "personal"), data=PERSONAL | {"version": "0", "action": "continue", "finished": "yes"})
    page = reply.get_data(as_text=True)
    assert reply.status_code == 422
    assert "<title>Fout: " in page
    assert page.count("Vul in: Uw nummer in het register") == 2, "above and beside the field"
    assert 'href="#register_number"' in page
    assert stored(dossier, "personal")["phone"] == "030 123 45 67"
    assert dossier_contents.read(dossier).finished == frozenset()


def test_yes_marks_a_complete_section_and_no_takes_the_mark_away(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    proof = checked_file(dossier, installation)
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [proof])
    period = {
        f"certificate_period.{end}.{part}": value
        for end, year in (("from", "2023"), ("to", "2027"))
        for part, value in (("day", "1"), ("month", "2"), ("year", year))
    }
    form = PERSONAL | period | {"register_number": "LP-1", "version": "1", "action": "later"}
    assert browser.post(at(dossier, "personal"), data=form | {"finished": "yes"}).status_code == 302
    session.rollback()
    assert dossier_contents.read(dossier).finished == {"personal"}
    assert browser.post(at(dossier, "personal"), data={**form, "version": "2", "finished": "no"}).status_code == 302
    session.rollback()
    assert dossier_contents.read(dossier).finished == frozenset()


def test_questions_called_up_by_an_answer_come_first(browser: FlaskClient, dossier: Dossier) -> None:
    page = browser.get(at(dossier, "practice")).get_data(as_text=True)
    assert re.search(r'data-question="business" hidden', page)
    reply = browser.post(at(dossier, "practice"), data={"version": "0", "form": "zzp", "action": "continue"})
    assert reply.location == at(dossier, "practice")
    page = browser.get(reply.location).get_data(as_text=True)
    assert not re.search(r'data-question="business" hidden', page)
    assert "iets bijgekomen" in page
    reply = browser.post(at(dossier, "practice"), data={"version": version(page), "form": "zzp", "action": "continue"})
    assert reply.location == at(dossier, "development_report"), "the second time there is nothing new to show"


def test_control_characters_are_refused_beside_the_field_and_the_rest_is_kept(browser: FlaskClient, dossier: Dossier) -> None:
    form = {"version": "0", "certificate_name": "San\x00ne", "phone": "030 123 45 67", "action": "continue"}
    reply = browser.post(at(dossier, "personal"), data=form)
    assert reply.status_code == 422
    assert 'href="#certificate_name"' in reply.get_data(as_text=True)
    kept = stored(dossier, "personal")
    assert (kept.get("certificate_name"), kept["phone"]) == (None, "030 123 45 67")


def test_a_text_that_is_too_long_stays_in_the_page(browser: FlaskClient, dossier: Dossier) -> None:
    long = "woord " * 20_000
    reply = browser.post(at(dossier, "methodical_guidance"), data={"version": "0", "situation": long, "looking_back": TEXT})
    assert reply.status_code == 422
    assert long in reply.get_data(as_text=True)
    assert stored(dossier, "methodical_guidance") == {"looking_back": TEXT}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"version": "0", "owner_id": "1"}, 422),
        ({"version": "0", "cv.upload.x": "1", "elders.day": "1"}, 422),
        ({"version": "-1"}, 422),
        ({"version": "9" * 30}, 422),
        ({}, 422),
        ({"version": "0", "phone": "x" * 4_500_000}, 413),
        ({"version": "0", "phone": "x" * 3_500_000, "cv.upload": (io.BytesIO(b"%PDF-"), "cv.pdf")}, 413),
    ],
)
def test_strange_forms_get_words_and_change_nothing(
    browser: FlaskClient, dossier: Dossier, form: dict[str, Any], status: int
) -> None:
    reply = browser.post(at(dossier, "personal"), data=form)
    assert reply.status_code == status
    assert "<h1>" in reply.get_data(as_text=True)
    assert stored(dossier, "personal") == {}


def test_bytes_that_are_no_text_do_no_harm(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(
        at(dossier, "personal"),
        data=b"version=0&phone=%ED%A0%80%FF&certificate_name=Sanne",
        content_type="application/x-www-form-urlencoded",
    )
    assert reply.status_code in (302, 422)
    assert stored(dossier, "personal")["certificate_name"] == "Sanne"


def test_an_unknown_section_is_not_found(browser: FlaskClient, dossier: Dossier) -> None:
    assert browser.get(at(dossier, "onzin")).status_code == 404
    assert browser.post(at(dossier, "onzin"), data={"version": "0"}).status_code == 404


def test_somebody_elses_dossier_does_not_exist(
    dossier: Dossier, make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    other = login(make_account("Iemand Anders", "candidate"))
    assert other.get(at(dossier, "personal")).status_code == 404
    assert other.post(at(dossier, "personal"), data={"version": "0", "phone": "1"}).status_code == 404
    assert other.post(at(dossier, "personal", "autosave"), data={"version": "0", "phone": "1"}).status_code == 404


def test_after_submitting_nothing_can_be_saved(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        lifecycle.advance(dossier, "submitted")
    assert browser.get(at(dossier, "personal")).location == f"/dossier/{dossier.reference}"
    assert browser.post(at(dossier, "personal"), data={"version": "0", "phone": "1"}).status_code == 403
    assert stored(dossier, "personal") == {}


def test_a_form_without_its_token_is_refused(app: Flask, browser: FlaskClient, dossier: Dossier) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    reply = browser.post(at(dossier, "personal"), data={"version": "0", "phone": "1"})
    assert reply.status_code == 400
    assert stored(dossier, "personal") == {}


def test_a_section_page_asks_a_handful_of_queries(
    app: Flask, browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    files = [checked_file(dossier, installation, f"bewijs {number}.pdf") for number in range(5)]
    with transaction():
        answers.put_answer(dossier, "methodical_guidance", "evidence", files)
    asked: list[str] = []
    listen = lambda connection, cursor, statement, *rest: asked.append(statement)  # noqa: E731
    event.listen(app.extensions["engine"], "before_cursor_execute", listen)
    assert browser.get(at(dossier, "methodical_guidance")).status_code == 200
    event.remove(app.extensions["engine"], "before_cursor_execute", listen)
    assert len([one for one in asked if one.startswith("SELECT")]) <= 8


def test_the_way_to_the_invitation_keeps_what_was_typed(browser: FlaskClient, dossier: Dossier) -> None:
    page = browser.get(at(dossier, "supervisor")).get_data(as_text=True)
    (button,) = re.findall(rf'name="action" value="(go:/dossier/{dossier.reference}/verklaring/[^"]+)"', page)
    answer = browser.post(at(dossier, "personal"), data={"version": "0", **PERSONAL, "action": button})
    assert (answer.status_code, answer.location) == (302, button.removeprefix("go:"))
    assert stored(dossier, "personal")["phone"] == PERSONAL["phone"]
    elsewhere = browser.post(at(dossier, "personal"), data={"version": "1", **PERSONAL, "action": "go:/dossier/XX-1/verklaring"})
    assert elsewhere.location == at(dossier, "personal")


def test_saving_an_untouched_page_leaves_it_untouched(browser: FlaskClient, dossier: Dossier) -> None:
    empty = {f"meeting_date.{part}": "" for part in ("day", "month", "year")}
    form = empty | {"version": "0", "question": "", "report": " ", "action": "later", "finished": "no"}
    assert browser.post(at(dossier, "reflection_report"), data=form).status_code == 302
    assert stored(dossier, "reflection_report") == {}


# --- saving by itself ----------------------------------------------------------------------------------------------

HEADERS = {"X-Requested-With": "autosave"}


def test_autosave_gives_the_new_version_the_time_and_what_is_shown(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(at(dossier, "practice", "autosave"), data={"version": "0", "form": "employed"}, headers=HEADERS)
    said = reply.get_json()
    assert reply.status_code == 200
    assert said["version"] == 1
    assert re.fullmatch(r"\d\d\.\d\d", said["time"])
    assert {"employer", "job_title"} < set(said["shown"])
    assert "business" not in said["shown"]


def test_an_area_tells_what_is_still_needed_and_what_counts_towards_each_criterion(
    browser: FlaskClient, dossier: Dossier
) -> None:
    with transaction():
        answers.put_answer(dossier, "methodical_guidance", "situation", "woord " * 300)
    fold = BeautifulSoup(browser.get(at(dossier, "methodical_guidance")).get_data(as_text=True), "html.parser").select_one(
        "#completeness"
    )
    assert fold is not None
    assert [one.get_text() for one in fold.select(".completeness__line")] == [
        "1 van 3 vragen klaar · 300 van minstens 400 woorden · 0 van minstens 1 bewijsstuk"
    ]
    missing, *per_criterion = fold.select("ul")
    assert [(one.get_text(), one["href"]) for one in missing.select("a")] == [
        ("Vul in: Welke methode gebruikt u nu anders dan bij uw vorige certificering, en waarom?", "#looking_back"),
        ("Voeg een bewijsstuk toe: Bewijsstukken bij dit competentiegebied", "#evidence"),
    ]
    assert "Nog geen bewijs bij: Kent methoden en theorie en kiest daaruit met redenen; Werkt planmatig naar" in fold.get_text()
    groups = [one.get_text().partition(":")[0] for one in fold.select("h3")]
    assert groups == ["Kennis", "Kunde", "Vaardigheden", "Ethiek"]
    assert [" ".join(one.get_text().split()).rpartition("(")[2] for one in fold.select("h3")] == [
        "nog geen bewijs)",
        "nog geen bewijs)",
        "alles ingevuld)",
        "alles ingevuld)",
    ]
    assert [[one["href"] for one in list_.select("a")] for list_ in per_criterion] == [
        ["#situation", "#looking_back", "#evidence"],
        ["#situation", "#evidence"],
        ["#situation"],
        ["#situation"],
    ]


def test_a_section_that_is_no_area_has_no_meter_and_saving_an_area_renews_it(browser: FlaskClient, dossier: Dossier) -> None:
    assert 'id="completeness"' not in browser.get(at(dossier, "personal")).get_data(as_text=True)
    form = {"version": "0", "looking_back": "woord " * 120}
    reply = browser.post(at(dossier, "methodical_guidance", "autosave"), data=form, headers=HEADERS)
    renewed = BeautifulSoup(reply.get_json()["completeness"], "html.parser")
    assert [one.get_text() for one in renewed.select(".completeness__line")] == [
        "1 van 3 vragen klaar · 120 van minstens 400 woorden · 0 van minstens 1 bewijsstuk"
    ]
    assert [one["href"] for one in renewed.select("ul")[0].select("a")] == ["#situation", "#evidence"]


def test_autosave_keeps_what_it_can_and_says_what_it_cannot(browser: FlaskClient, dossier: Dossier) -> None:
    form = {"version": "0", "certificate_name": "\x01", "phone": "030"}
    reply = browser.post(at(dossier, "personal", "autosave"), data=form, headers=HEADERS)
    assert reply.status_code == 422
    assert "stuurteken" in reply.get_json()["error"]
    assert stored(dossier, "personal")["phone"] == "030"


def test_autosave_names_the_answer_that_is_too_long_and_keeps_the_others(browser: FlaskClient, dossier: Dossier) -> None:
    form = {"version": "0", "situation": "a" * (answers.MAX_LONG_TEXT + 1), "looking_back": TEXT}
    reply = browser.post(at(dossier, "methodical_guidance", "autosave"), data=form, headers=HEADERS)
    assert reply.status_code == 422
    assert "bijstelde: Uw tekst is langer dan 30.000 tekens en is niet opgeslagen. Kort de tekst in" in reply.get_json()["error"]
    assert stored(dossier, "methodical_guidance") == {"looking_back": TEXT}


def test_what_was_stored_longer_than_the_limit_keeps_nobody_from_saving(browser: FlaskClient, dossier: Dossier) -> None:
    long = "a" * (answers.MAX_LONG_TEXT + 1)
    with transaction():
        row = answers.stored(dossier, "methodical_guidance")
        row.data, row.version = {"situation": long}, 1
    form = {"version": "1", "situation": long, "looking_back": TEXT}
    reply = browser.post(at(dossier, "methodical_guidance", "autosave"), data=form, headers=HEADERS)
    assert reply.status_code == 200
    assert stored(dossier, "methodical_guidance") == {"situation": long, "looking_back": TEXT}


def test_autosave_of_a_stale_page_is_a_conflict_and_changes_nothing(browser: FlaskClient, dossier: Dossier) -> None:
    browser.post(at(dossier, "personal"), data={"version": "0", "phone": "eerst"})
    reply = browser.post(at(dossier, "personal", "autosave"), data={"version": "0", "phone": "later"}, headers=HEADERS)
    assert (reply.status_code, reply.get_json()["version"]) == (409, 1)
    assert stored(dossier, "personal")["phone"] == "eerst"


# --- two tabs ------------------------------------------------------------------------------------------------------


def hidden(page: str) -> dict[str, Any]:
    """The hidden fields of the page with both texts, as a browser would send them."""
    page = page[page.index("/vergelijken") :].partition("</form>")[0]
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        fields.setdefault(name, []).append(value)
    for name, value in re.findall(r'<textarea name="([^"]+)" hidden aria-hidden="true">\n(.*?)</textarea>', page, re.DOTALL):
        fields.setdefault(name, []).append(value)
    return fields


@pytest.fixture
def both_texts(browser: FlaskClient, dossier: Dossier) -> str:
    """The page after two tabs changed the same answer, and one of them another answer too."""
    first = {"version": "0", "situation": "Tekst uit tabblad een", "looking_back": "alleen in tabblad een"}
    assert browser.post(at(dossier, "methodical_guidance"), data=first).status_code == 302
    second = {"version": "0", "situation": "Tekst uit\ntabblad twee", "looking_back": "", "action": "continue"}
    reply = browser.post(at(dossier, "methodical_guidance"), data=second)
    assert reply.status_code == 409
    return reply.get_data(as_text=True)


def test_two_tabs_show_both_texts_and_overwrite_nothing(both_texts: str, dossier: Dossier) -> None:
    assert "<ins>twee</ins>" in both_texts
    assert "<del>een</del>" in both_texts
    assert stored(dossier, "methodical_guidance")["situation"] == "Tekst uit tabblad een"


def test_mine_is_kept_and_the_other_tabs_other_answer_too(browser: FlaskClient, dossier: Dossier, both_texts: str) -> None:
    reply = browser.post(at(dossier, "methodical_guidance", "vergelijken"), data=hidden(both_texts) | {"keep-all": "mine"})
    assert reply.location == at(dossier, "methodical_guidance")
    kept = stored(dossier, "methodical_guidance")
    assert kept == {"situation": "Tekst uit\ntabblad twee", "looking_back": "alleen in tabblad een"}
    old = session.scalars(select(SectionVersion.data).order_by(SectionVersion.version)).first()
    assert old is not None
    assert old["situation"] == "Tekst uit tabblad een", "the other text is still among the versions"


def test_theirs_is_kept(browser: FlaskClient, dossier: Dossier, both_texts: str) -> None:
    browser.post(at(dossier, "methodical_guidance", "vergelijken"), data=hidden(both_texts) | {"keep-all": "theirs"})
    assert stored(dossier, "methodical_guidance")["situation"] == "Tekst uit tabblad een"


def test_a_third_tab_meanwhile_asks_again(browser: FlaskClient, dossier: Dossier, both_texts: str) -> None:
    third = {"version": "1", "situation": "Tabblad drie", "looking_back": "alleen in tabblad een"}
    assert browser.post(at(dossier, "methodical_guidance"), data=third).status_code == 302
    reply = browser.post(at(dossier, "methodical_guidance", "vergelijken"), data=hidden(both_texts) | {"keep-all": "mine"})
    assert reply.status_code == 409
    assert stored(dossier, "methodical_guidance")["situation"] == "Tabblad drie"


def test_several_answers_are_chosen_one_by_one(browser: FlaskClient, dossier: Dossier) -> None:
    address = at(dossier, "methodical_guidance")
    browser.post(address, data={"version": "0", "situation": "A1", "looking_back": "B1"})
    page = browser.post(address, data={"version": "0", "situation": "A2", "looking_back": "B2"}).get_data(as_text=True)
    form = hidden(page) | {"keep-situation": "mine"}
    undecided = browser.post(f"{address}/vergelijken", data=form)
    assert undecided.status_code == 409
    again = undecided.get_data(as_text=True)
    assert 'href="#keep-looking_back"' in again
    assert re.search(r'value="mine" checked', again), "the choice that was made stays"
    browser.post(f"{address}/vergelijken", data=form | {"keep-looking_back": "theirs"})
    assert stored(dossier, "methodical_guidance") == {"situation": "A2", "looking_back": "B1"}


def test_an_excerpt_keeps_the_differences_and_cuts_what_is_the_same() -> None:
    same = "gelijk " * 100
    pieces = [("same", same), ("ins", "nieuw"), ("same", same)]
    short = excerpt(pieces)
    assert short[1] == ("ins", "nieuw")
    assert all(len(words) < 120 and "…" in words for kind, words in short if kind == "same")
    assert excerpt([("same", same)]) == [("same", same)]


# --- files in place ------------------------------------------------------------------------------------------------


def test_good_files_stay_when_another_is_refused_and_text_is_kept(browser: FlaskClient, dossier: Dossier) -> None:
    form = {
        "version": "0",
        "situation": TEXT,
        "action": "upload",
        "evidence.upload": [file("goed.pdf"), file("programma.exe", b"MZ"), file("leeg.pdf", b"")],
    }
    reply = browser.post(at(dossier, "methodical_guidance"), data=form)
    page = reply.get_data(as_text=True)
    assert reply.status_code == 422
    assert "programma.exe" in page
    assert "“leeg.pdf” is leeg" in page
    kept = stored(dossier, "methodical_guidance")
    assert kept["situation"] == TEXT
    names = session.scalars(select(Evidence.name).where(Evidence.id.in_(kept["evidence"]))).all()
    assert names == ["goed.pdf"]


def test_added_files_lead_back_to_their_question(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(
        at(dossier, "methodical_guidance"), data={"version": "0", "action": "upload", "evidence.upload": [file()]}
    )
    assert reply.location == at(dossier, "methodical_guidance") + "#evidence-title"
    page = browser.get(reply.location).get_data(as_text=True)
    assert "Wordt gecontroleerd" in page
    assert "data-poll=" in page


def test_a_file_of_a_kind_that_the_question_does_not_take_is_refused(browser: FlaskClient, dossier: Dossier) -> None:
    form = {"version": "0", "cv.upload": [file("foto.png", b"\x89PNG\r\n\x1a\n rest")]}
    reply = browser.post(at(dossier, "personal"), data=form)
    assert reply.status_code == 422
    assert "“foto.png” kan hier niet worden toegevoegd" in reply.get_data(as_text=True)
    assert "cv" not in stored(dossier, "personal")


def test_more_files_than_the_question_takes_stay_in_the_folder(browser: FlaskClient, dossier: Dossier) -> None:
    form = {"version": "0", "phone": "030", "cv.upload": [file("een.pdf"), file("twee.pdf", b"%PDF-1.4 twee")]}
    reply = browser.post(at(dossier, "personal"), data=form)
    assert reply.status_code == 422
    assert "staan wel in uw bewijsmap" in reply.get_data(as_text=True)
    assert stored(dossier, "personal")["phone"] == "030"
    assert len(dossier_contents.read(dossier).evidence) == 2


def test_verwijder_takes_the_file_from_the_question_not_from_the_folder(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    proof = checked_file(dossier, installation)
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [proof])
    reply = browser.post(at(dossier, "personal"), data={"version": "1", "phone": "030", "remove": f"cv:{proof}"})
    assert reply.location == at(dossier, "personal") + "#cv-title"
    kept = stored(dossier, "personal")
    assert (kept["cv"], kept["phone"]) == ([], "030")
    assert proof in dossier_contents.read(dossier).evidence


def test_a_file_is_chosen_from_the_folder(browser: FlaskClient, dossier: Dossier, installation: Installation) -> None:
    proof = checked_file(dossier, installation, "mijn cv.pdf")
    address = at(dossier, "personal", "cv", "bewijsmap")
    assert "mijn cv.pdf" in browser.get(address).get_data(as_text=True)
    assert browser.post(address, data={"files": [str(proof)]}).status_code == 302
    assert stored(dossier, "personal")["cv"] == [proof]
    assert browser.post(address, data={"files": ["999999"]}).status_code == 404
    second = checked_file(dossier, installation, "ander cv.pdf")
    reply = browser.post(address, data={"files": [str(second)]})
    assert reply.status_code == 422
    assert "hoogstens 1" in reply.get_data(as_text=True)


# --- rows of a table -----------------------------------------------------------------------------------------------

ROW = {
    "activities.date.day": "3",
    "activities.date.month": "4",
    "activities.date.year": "2025",
    "activities.kind": "course",
    "activities.title": "Oplossingsgericht werken",
    "activities.provider": "Hogeschool",
    "activities.points": "12,5",
}


def new_row(browser: FlaskClient, dossier: Dossier) -> str:
    """The address that the page for a new row sends to."""
    page = browser.get(at(dossier, "education", "activities", "nieuw")).get_data(as_text=True)
    found = re.search(r'action="([^"]+/activities/[^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_row_is_added_once_however_often_the_button_is_pressed(browser: FlaskClient, dossier: Dossier) -> None:
    address = new_row(browser, dossier)
    form = ROW | {"before": "", "activities.proof.upload": [file()]}
    assert browser.post(address, data=form).location.startswith(at(dossier, "education") + "#activities-row-")
    kept = stored(dossier, "education")["activities"]
    assert len(kept) == 1
    assert kept[0]["points"] == "12,5"
    assert len(kept[0]["proof"]) == 1
    again = ROW | {"before": "", "activities.proof": [str(one) for one in kept[0]["proof"]]}
    browser.post(address, data=again)
    assert len(stored(dossier, "education")["activities"]) == 1
    page = browser.get(at(dossier, "education")).get_data(as_text=True)
    assert "12,5 van 75 punten" in page


def test_an_incomplete_row_is_kept_and_says_what_lacks(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(new_row(browser, dossier), data={"before": "", "activities.title": "Congres"})
    page = reply.get_data(as_text=True)
    assert reply.status_code == 422
    assert "De regel is opgeslagen" in page
    assert 'href="#activities-points"' in page
    assert stored(dossier, "education")["activities"][0]["title"] == "Congres"


def test_an_empty_row_is_not_added(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(new_row(browser, dossier), data={"before": ""})
    assert reply.status_code == 422
    assert stored(dossier, "education") == {}


def test_a_row_that_changed_elsewhere_keeps_what_was_typed(browser: FlaskClient, dossier: Dossier) -> None:
    address = new_row(browser, dossier)
    browser.post(address, data=ROW | {"before": ""})
    before = answers.fingerprint(stored(dossier, "education")["activities"][0])
    browser.post(address, data=ROW | {"before": before, "activities.title": "In het andere tabblad"})
    reply = browser.post(address, data=ROW | {"before": before, "activities.title": "In dit tabblad"})
    page = reply.get_data(as_text=True)
    assert reply.status_code == 409
    assert 'value="In dit tabblad"' in page
    assert stored(dossier, "education")["activities"][0]["title"] == "In het andere tabblad"


def test_a_row_is_removed_after_asking(browser: FlaskClient, dossier: Dossier) -> None:
    address = new_row(browser, dossier)
    browser.post(address, data=ROW | {"before": ""})
    assert "Oplossingsgericht werken" in browser.get(f"{address}/verwijderen").get_data(as_text=True)
    assert stored(dossier, "education")["activities"] != [], "opening the page removes nothing"
    assert browser.post(f"{address}/verwijderen").status_code == 302
    assert stored(dossier, "education")["activities"] == []
    assert browser.get(address).status_code == 404


def test_a_row_takes_only_its_own_fields_and_own_files(browser: FlaskClient, dossier: Dossier) -> None:
    address = new_row(browser, dossier)
    assert browser.post(address, data=ROW | {"before": "", "activities.owner": "1"}).status_code == 422
    assert browser.post(address, data=ROW | {"before": "", "phone": "1"}).status_code == 422
    browser.post(address, data=ROW | {"before": "", "activities.proof": ["12345"]})
    assert stored(dossier, "education")["activities"][0]["proof"] == []
    strange = at(dossier, "education", "activities", "a b<c>")
    assert browser.post(strange, data=ROW | {"before": ""}).status_code == 404
