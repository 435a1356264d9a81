"""The earlier texts of an answer: who may see them, what differed, and putting one back without losing the other."""

import html
import re
from collections.abc import Callable

import pytest
from filling import start
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.dossiers import answers, lifecycle, mentors
from app.dossiers import contents as dossier_contents
from app.dossiers.models import Dossier
from app.extensions import session, transaction
from app.pipeline import Installation

TEXTS = ("Mijn eerste zin.", "Mijn eerste zin. En een tweede.", "Mijn laatste <b>zin</b>. En een tweede.")
Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]


@pytest.fixture
def sanne(make_account: MakeAccount) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(sanne: Account, installation: Installation) -> Dossier:
    made = start(sanne, installation)
    for number, text in enumerate(TEXTS):
        with transaction():
            answers.save_section(made, "methodical_guidance", {"situation": text}, number, by_itself=True)
    return made


@pytest.fixture
def browser(sanne: Account, login: Login) -> FlaskClient:
    return login(sanne)


def section_of(dossier: Dossier) -> str:
    return f"/dossier/{dossier.reference}/onderdeel/methodical_guidance"


def address(dossier: Dossier) -> str:
    return section_of(dossier) + "/situation/eerder"


def stored(dossier: Dossier) -> object:
    session.rollback()
    return dossier_contents.read(dossier).answer("methodical_guidance", "situation")


def words_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_list_has_every_earlier_text_newest_first_and_the_field_leads_there(browser: FlaskClient, dossier: Dossier) -> None:
    page = browser.get(address(dossier)).get_data(as_text=True)
    assert re.findall(r"\?versie=(\d+)", page) == ["2", "1"]
    assert "6 woorden, evenveel als nu" in words_of(page)
    assert "3 woorden, 3 minder dan nu" in words_of(page)
    assert "Mijn eerste zin. En een tweede." in words_of(page)
    assert f'value="go:{address(dossier)}"' in browser.get(section_of(dossier)).get_data(as_text=True)
    reply = browser.post(
        section_of(dossier), data={"version": "3", "situation": "Net getypt", "action": f"go:{address(dossier)}"}
    )
    assert (reply.status_code, reply.location) == (302, address(dossier))
    assert stored(dossier) == "Net getypt"


def test_a_long_list_comes_in_pages(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        for number in range(3, 60):
            answers.save_section(dossier, "methodical_guidance", {"situation": "zin " * number}, number, by_itself=True)
    seen = []
    for number in ("1", "2", "3", "0", "x"):
        page = browser.get(f"{address(dossier)}?pagina={number}").get_data(as_text=True)
        seen.append(len(re.findall(r"\?versie=(\d+)", page)))
    assert seen == [40, 19, 19, 40, 40]


def test_a_text_stands_beside_that_of_now_with_what_differs(browser: FlaskClient, dossier: Dossier) -> None:
    page = browser.get(address(dossier) + "?versie=2").get_data(as_text=True)
    assert "<ins>eerste zin. </ins>" in page
    assert "<del>laatste &lt;b&gt;zin&lt;/b&gt;. </del>" in page
    assert "2 woorden erbij, 2 woorden weg" in words_of(page)


def test_putting_back_saves_a_new_version_and_loses_nothing(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(address(dossier), data={"versie": "1", "seen": "3"})
    assert (reply.status_code, reply.location) == (302, section_of(dossier) + "#situation")
    assert stored(dossier) == TEXTS[0]
    assert "staat er weer" in browser.get(section_of(dossier)).get_data(as_text=True)
    page = browser.get(address(dossier)).get_data(as_text=True)
    assert re.findall(r"\?versie=(\d+)", page) == ["3", "2", "1"]


def test_putting_back_beside_a_text_that_changed_meanwhile_asks_again(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        answers.save_section(dossier, "methodical_guidance", {"situation": "Uit een ander tabblad"}, 3)
    reply = browser.post(address(dossier), data={"versie": "1", "seen": "3"})
    page = reply.get_data(as_text=True)
    assert reply.status_code == 409
    assert "ergens anders gewijzigd" in page
    assert "<del>Uit een ander tabblad</del>" in page
    assert stored(dossier) == "Uit een ander tabblad"
    (seen,) = re.findall(r'name="seen" value="(\d+)"', page)
    assert browser.post(address(dossier), data={"versie": "1", "seen": seen}).status_code == 302
    assert stored(dossier) == TEXTS[0]


def test_putting_back_leaves_other_answers_that_changed_meanwhile(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        answers.save_section(dossier, "methodical_guidance", {"looking_back": "Elders"}, 3)
    assert browser.post(address(dossier), data={"versie": "1", "seen": "3"}).status_code == 302
    session.rollback()
    kept = dossier_contents.read(dossier).answers["methodical_guidance"]
    assert kept == {"situation": TEXTS[0], "looking_back": "Elders"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/situation/eerder?versie=9", 422),
        ("/situation/eerder?versie=99999999999999999999", 422),
        ("/situation/eerder?versie=x", 200),
        ("/onzin/eerder", 404),
        ("/evidence/eerder", 404),
    ],
)
def test_what_is_not_there_gets_words(browser: FlaskClient, dossier: Dossier, path: str, status: int) -> None:
    reply = browser.get(section_of(dossier) + path)
    assert (reply.status_code, "<h1>" in reply.get_data(as_text=True)) == (status, True)


def test_an_answer_without_earlier_texts_says_so(browser: FlaskClient, dossier: Dossier) -> None:
    page = browser.get(section_of(dossier) + "/looking_back/eerder").get_data(as_text=True)
    assert "Er zijn nog geen eerdere versies" in page


def test_after_submitting_one_may_look_and_put_nothing_back(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        lifecycle.advance(dossier, "submitted")
    page = browser.get(address(dossier) + "?versie=1")
    assert page.status_code == 200
    assert "Zet deze tekst terug" not in page.get_data(as_text=True)
    assert browser.post(address(dossier), data={"versie": "1", "seen": "3"}).status_code == 403
    assert stored(dossier) == TEXTS[2]


def test_nobody_else_may_see_or_put_back(
    dossier: Dossier, make_account: MakeAccount, login: Login, installation: Installation
) -> None:
    mentor = make_account("Men Tor", "mentor")
    with transaction():
        invited = mentors.invite(dossier, name="Men Tor", email="men@x.nl", language="nl", settings=installation.settings)
        mentors.accept(invited, mentor)
    for person in (mentor, make_account("Iemand Anders", "candidate"), make_account("Kees Kantoor", "office")):
        client = login(person)
        for path in ("", "?versie=1"):
            assert client.get(address(dossier) + path).status_code in (403, 404)
        assert client.post(address(dossier), data={"versie": "1", "seen": "3"}).status_code in (403, 404)
    assert stored(dossier) == TEXTS[2]
