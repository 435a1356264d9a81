"""A newer version of the forms: telling of it, what differs, going over and back, and pages that stood open meanwhile."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from small_world import SCHEME
from sqlalchemy import select
from two_versions import with_second
from web.whole_site import REFERENCE, STATEMENT_TABLE, Site, whole_site

from app.dossiers import answers, former, mentors
from app.dossiers.models import Dossier, Mentorship, SectionAnswers
from app.extensions import session, transaction
from app.pipeline import Installation
from app.schemes import models as stored_templates

HOURS = "          - {id: hours, type: number, required: false, label: {nl: Uren, en: Hours}}\n"
HOME = f"/dossier/{REFERENCE}"
ONWARD = f"{HOME}/formulieren/overstappen"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Path, password_hash: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("newer")
    with whole_site(folder, empty_database, password_hash) as made:
        installation = made.app.extensions["installation"]
        assert isinstance(installation, Installation)
        catalogue = with_second(installation.catalogue, folder / "second", SCHEME.replace(HOURS, STATEMENT_TABLE))
        made.app.extensions["installation"] = replace(installation, catalogue=catalogue)
        with transaction():  # a story, a choice that goes, a row with a column that goes
            mine = dossier()
            mine.stage = "draft"
            row = answers.stored(mine, "practice")
            answers.save_section(mine, "practice", {"name": "Sanne", "form": "job", "story": "Een verhaal."}, row.version)
            row = answers.stored(mine, "skill")
            answers.save_section(mine, "skill", {"case": "Casus **één**."}, row.version)
        made.keep()
        yield made


@pytest.fixture(autouse=True)
def fresh(site: Site) -> Iterator[None]:
    site.reset()
    yield
    session.remove()


def dossier() -> Dossier:
    return session.scalars(select(Dossier).where(Dossier.reference == REFERENCE)).one()


def page(site: Site, address: str, person: str = "owner", status: int = 200) -> BeautifulSoup:
    answer = site.clients[person].get(address)
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def words(found: Any) -> str:
    return " ".join(found.get_text(" ").split())


def form(site: Site, back: bool = False) -> dict[str, str]:
    asked = page(site, ONWARD + ("?terug=1" if back else "")).select("main form input")
    return {str(one["name"]): str(one["value"]) for one in asked if one["name"] != "csrf_token"}


def go_over(site: Site, back: bool = False) -> None:
    answer = site.clients["owner"].post(ONWARD, data=form(site, back))
    assert answer.headers["Location"] == f"{HOME}/formulieren/klaar"


def live(section: str) -> dict[str, Any]:
    session.rollback()
    return dict(session.get_one(SectionAnswers, (dossier().id, section)).data)


# --- the walk ------------------------------------------------------------------------------------------------------


def test_task_list_tells_of_the_newer_version_and_nothing_happens_by_itself(site: Site) -> None:
    note = page(site, HOME).select_one("#newer-forms")
    assert note is not None
    assert "Er is een nieuwere versie van de formulieren (2). U hoeft niets te doen." in words(note)
    assert [str(link["href"]) for link in note.select("a")] == [f"{HOME}/formulieren"]
    assert stored_templates.get(dossier().template_sha256).version == "1"


def test_comparison_tells_each_change_by_section_and_what_it_means_for_the_answer(site: Site) -> None:
    main = page(site, f"{HOME}/formulieren").select_one("main")
    assert main is not None
    told = {str(one.select_one("h2").get_text()): one for one in main.select("section.card")}  # type: ignore[union-attr]
    assert list(told) == ["Praktijk", "Leren", "Adviseren", "Slot", "Kunnen"]
    questions = {words(li.select_one("h3")): words(li) for li in told["Praktijk"].select("li")}
    assert set(questions) == {"Sinds", "Vorm", "Uw verhaal", "Drijfveer"}
    assert "Niet meer te kiezen: In dienst." in questions["Vorm"]
    assert "Uw antwoord wordt niet meer gevraagd" in questions["Vorm"]
    assert "Aantal woorden: 4 tot en met 9 (was 2 tot en met 9)." in questions["Uw verhaal"]
    assert questions["Uw verhaal"].endswith("Uw antwoord blijft.")
    assert "Nieuw" in questions["Drijfveer"]
    assert [words(one) for one in told["Praktijk"].select("ins, del")] == ["Uw verhaal", "Verhaal"]
    assert "Staat op een andere plaats" in words(told["Slot"])
    assert "Dit onderdeel vervalt" in words(told["Kunnen"])
    short = words(main.select_one("#in-short"))
    assert "Uw bewijsmap en de opmerkingen van uw mentor blijven zoals zij zijn." in short


def test_whole_walk_over_and_back(site: Site) -> None:
    assert "Wilt u overstappen op versie 2?" in words(page(site, ONWARD).select_one("h1"))
    go_over(site)
    assert stored_templates.get(dossier().template_sha256).version == "2"
    done = page(site, f"{HOME}/formulieren/klaar").select_one("main")
    assert "U werkt nu met versie 2" in words(done)
    assert "Praktijk" in words(done)
    assert page(site, HOME).select_one("#newer-forms") is None
    kept = page(site, f"{HOME}/niet-meer-gevraagd").select_one("main")
    assert kept is not None
    assert "Casus één" in words(kept)
    assert "In dienst" in words(kept)
    copies = [str(one["data-copy"]) for one in kept.select("[data-copy]")]
    assert "Casus **één**." in copies
    for address in (HOME, f"{HOME}/controleren"):
        links = [str(one["href"]) for one in page(site, address).select("main a[href]")]
        assert f"{HOME}/niet-meer-gevraagd" in links
    assert "Casus één" not in words(page(site, f"{HOME}/controleren").select_one("main"))
    back = words(page(site, f"{HOME}/formulieren?terug=1").select_one("main"))
    assert "Uw antwoord van toen komt terug." in back
    go_over(site, back=True)
    assert stored_templates.get(dossier().template_sha256).version == "1"
    assert live("practice")["form"] == "job"
    assert "Alles wat u schreef, wordt nog gevraagd" in words(page(site, f"{HOME}/niet-meer-gevraagd").select_one("main"))
    assert page(site, HOME).select_one("#newer-forms") is not None


def test_every_page_of_the_walk_is_there_in_english(site: Site) -> None:
    client = site.clients["owner"]
    client.set_cookie("language", "en")
    try:
        assert "There is a newer version of the forms (2)." in words(page(site, HOME).select_one("#newer-forms"))
        assert "Number of words: 4 to 9 (it was 2 to 9)." in words(page(site, f"{HOME}/formulieren").select_one("main"))
        go_over(site)
        assert "You now work with version 2" in words(page(site, f"{HOME}/formulieren/klaar").select_one("main"))
        assert "Employed" in words(page(site, f"{HOME}/niet-meer-gevraagd").select_one("main"))
    finally:
        client.delete_cookie("language")


def test_second_click_leads_to_the_same_page_and_a_form_of_another_version_changes_nothing(site: Site) -> None:
    sent = form(site)
    wrong = site.clients["owner"].post(ONWARD, data={**sent, "after": "0" * 64})
    assert wrong.headers["Location"] == f"{HOME}/formulieren"
    assert "Er is niets gebeurd" in words(page(site, f"{HOME}/formulieren"))
    assert stored_templates.get(dossier().template_sha256).version == "1"
    places = [site.clients["owner"].post(ONWARD, data=sent).headers["Location"] for _ in range(2)]
    assert places == [f"{HOME}/formulieren/klaar"] * 2
    assert len(former.moves(dossier())) == 1


@pytest.mark.parametrize("stage", ["submitted", "in_assessment", "decided", "withdrawn"])
def test_dossier_that_is_not_open_is_not_moved_and_its_former_answers_stay_readable(site: Site, stage: str) -> None:
    sent = form(site)
    site.put_stage("", stage)
    assert site.clients["owner"].post(ONWARD, data=sent).status_code == 403
    assert site.clients["owner"].get(f"{HOME}/formulieren").headers["Location"] == HOME
    page(site, f"{HOME}/niet-meer-gevraagd")


def test_nobody_else_moves_it(site: Site) -> None:
    sent = form(site)
    for person in ("other candidate", "office", "mentor"):
        assert site.clients[person].post(ONWARD, data=sent).status_code in (403, 404)
        assert site.clients[person].get(f"{HOME}/niet-meer-gevraagd").status_code in (403, 404)
    assert stored_templates.get(dossier().template_sha256).version == "1"


# --- a page that stood open ----------------------------------------------------------------------------------------


def opened(site: Site, address: str) -> dict[str, str]:
    """What a page's form holds, as a browser would send it."""
    found = page(site, address).select_one("main form")
    assert found is not None
    sent = {str(one["name"]): str(one.get("value", "")) for one in found.select("input[type=hidden]")}
    for one in found.select("input[type=text], textarea"):
        sent[str(one["name"])] = str(one.get("value", "")) if one.name == "input" else one.get_text().removeprefix("\n")
    for one in found.select("input[checked]"):
        sent[str(one["name"])] = str(one["value"])
    return {name: value for name, value in sent.items() if name != "csrf_token"}


def test_page_that_stood_open_loses_nothing(site: Site) -> None:
    client, address = site.clients["owner"], f"{HOME}/onderdeel/practice"
    sent, skill = opened(site, address), opened(site, f"{HOME}/onderdeel/skill")
    assert re.fullmatch("[0-9a-f]{16}", sent["made-for"])
    go_over(site)
    sent |= {"story": "Een veel langer verhaal.", "since.day": "7", "name": "Sanne V."}
    saved = client.post(f"{address}/autosave", data=sent, headers={"X-Requested-With": "autosave"})
    assert saved.status_code == 409
    assert "Location" not in saved.headers
    whole = client.post(address, data={**sent, "action": "later"})
    assert whole.headers["Location"] == f"{HOME}/niet-meer-gevraagd"
    assert live("practice")["story"] == "Een veel langer verhaal."
    assert live("closing")["name"] == "Sanne V."
    since = [one.answer for one in former.answers(dossier()) if one.question_id == "since"]
    assert [one["day"] for one in since] == ["7"]
    gone = client.post(f"{HOME}/onderdeel/skill", data={**skill, "case": "Casus **één**, en verder."})
    assert gone.headers["Location"] == f"{HOME}/niet-meer-gevraagd"
    assert "en verder" in words(page(site, f"{HOME}/niet-meer-gevraagd").select_one("main"))


def test_row_that_stood_open_is_kept(site: Site) -> None:
    client, address = site.clients["owner"], f"{HOME}/onderdeel/learning/courses/r1"
    sent = opened(site, address)
    go_over(site)
    answer = client.post(address, data={**sent, "courses.points": "7", "courses.name": "Rouw"})
    assert answer.headers["Location"] == f"{HOME}/niet-meer-gevraagd"
    assert "Rouw" in words(page(site, f"{HOME}/niet-meer-gevraagd").select_one("main"))


def test_page_of_now_saves_as_ever(site: Site) -> None:
    go_over(site)
    address = f"{HOME}/onderdeel/practice"
    sent = opened(site, address)
    answer = site.clients["owner"].post(address, data={**sent, "motive": "Mensen verder helpen.", "action": "later"})
    assert answer.headers["Location"] == HOME
    assert live("practice")["motive"] == "Mensen verder helpen."


# --- what others see -----------------------------------------------------------------------------------------------


def test_office_sees_the_version_and_the_move(site: Site) -> None:
    address = f"/secretariaat/dossiers/{REFERENCE}"
    before = words(page(site, address, "office"))
    assert "Versie 1" in before
    go_over(site)
    after = words(page(site, address, "office"))
    assert "Versie 2" in after
    assert "Overgestapt van versie 1 naar versie 2 van de formulieren" in after
    assert "Casus" not in after
    log = words(page(site, f"/logboek?wat={REFERENCE}", "office"))
    assert "Dossier overgezet op een andere versie van de formulieren" in log


def test_remark_about_a_section_that_is_gone_stays_readable(site: Site) -> None:
    with transaction():
        mentorship = session.scalars(select(Mentorship).where(Mentorship.dossier_id == dossier().id)).one()
        mentors.comment(mentorship, "skill", "Vertel meer over uw vak.")
    go_over(site)
    main = words(page(site, f"{HOME}/mentor").select_one("main"))
    assert "Kunnen (niet meer gevraagd)" in main
    assert "Vertel meer over uw vak." in main
