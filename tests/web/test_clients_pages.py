"""The pages around anonymous statements: the candidate asks several, each client answers, and names stay away from answers."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import Account
from app.dossiers import starting
from app.dossiers.models import Statement
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation

PAGE = "verklaring/satisfaction/clients"
NAMES = ("Zeger Wildschut", "Anna Boterbloem", "Mo Quispel", "Xaviera Prins", "Ids Okkema")
SCALES = ("clear_agreements", "felt_safe", "own_choices", "expertise", "would_recommend")


def address_of(name: str) -> str:
    return f"{name.split()[0].lower()}@klant.example"


@pytest.fixture
def owner(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def reference(owner: Account, installation: Installation) -> str:
    with transaction():
        return starting.start(
            owner, "recertification", "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings
        ).reference


@pytest.fixture
def candidate(owner: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(owner)


def rows(*names: str, language: str = "nl") -> dict[str, str]:
    form: dict[str, str] = {}
    for number, name in enumerate(names):
        form |= {f"name-{number}": name, f"email-{number}": address_of(name), f"language-{number}": language}
    return form


def ask(candidate: FlaskClient, reference: str, **form: str) -> str:
    return candidate.post(f"/dossier/{reference}/{PAGE}", data=form, follow_redirects=True).get_data(as_text=True)


def link_of(name: str) -> str:
    session.rollback()
    mails = select(Mail).where(Mail.to == address_of(name), Mail.template.in_(("client_invitation", "client_reminder")))
    return str(session.scalars(mails.order_by(Mail.id.desc())).first().data["link"])  # type: ignore[union-attr]


def open_form(app: Flask, name: str) -> tuple[FlaskClient, str]:
    client = app.test_client()
    assert client.get(link_of(name)).status_code == 200
    page = client.post(f"{link_of(name)}/verder", follow_redirects=True).get_data(as_text=True)
    return client, page


def version_in(page: str) -> str:
    return re.search(r'name="version" value="(\d+)"', page)[1]  # type: ignore[index]


def answer(app: Flask, name: str, score: str, remark: str = "") -> str:
    client, page = open_form(app, name)
    form = {"version": version_in(page), "action": "sign", "relation": "client", "may_quote": "yes", "good": remark}
    form |= {"better": "", "signed_agree": "yes", **dict.fromkeys(SCALES, score)}
    return client.post("/verklaren", data=form, follow_redirects=True).get_data(as_text=True)


def test_five_are_asked_on_one_page_and_answer_without_being_seen(app: Flask, candidate: FlaskClient, reference: str) -> None:
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    assert page.count("<fieldset") >= 5
    assert "Er is nog geen van de 5 tevredenheidsverklaringen binnen." in page
    assert "Er zijn 5 uitnodigingen verstuurd." in ask(candidate, reference, **rows(*NAMES))
    for number, name in enumerate(NAMES):
        page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
        assert ("De uitkomst</h2>" in page, page.count("Nog niet ingevuld")) == (False, 5 - number)
        assert "Dank u wel voor uw antwoorden" in answer(app, name, str(1 + number % 5), f"Goed was {'abcde'[number]}{number}")
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    outcome = page[page.index("De uitkomst</h2>") : page.index("Wie u vroeg")]
    assert ("5 personen antwoordden" in outcome, outcome.count("Goed was"), "3,0" in outcome) == (True, 5, True)
    assert [name for name in NAMES if any(part in outcome for part in (*name.split(), address_of(name)))] == []
    assert [name for name in sorted(NAMES) if name in page[len(page[: page.index("Wie u vroeg")]) :]] == sorted(NAMES)
    first = session.scalars(select(Statement.id)).first()
    said = candidate.post(f"/dossier/{reference}/verklaringen/{first}/intrekken", follow_redirects=True).get_data(as_text=True)
    assert "kan niemand meer weghalen" in said
    assert "5 van 5 binnen" in candidate.get(f"/dossier/{reference}").get_data(as_text=True)


def test_a_wrong_row_is_said_beside_it_and_nobody_is_asked(candidate: FlaskClient, reference: str) -> None:
    wrong = rows("Zeger Wildschut", "Mo Quispel") | {"email-1": "geen adres"}
    response = candidate.post(f"/dossier/{reference}/{PAGE}", data=wrong)
    page = response.get_data(as_text=True)
    assert (response.status_code, "Persoon 2: " in page, 'value="Zeger Wildschut"' in page) == (422, True, True)
    response = candidate.post(f"/dossier/{reference}/{PAGE}", data={})
    assert (response.status_code, "Vul van minstens één persoon" in response.get_data(as_text=True)) == (422, True)
    assert session.scalars(select(Statement)).all() == []


def test_the_mail_and_pages_for_a_client_never_say_supervisor(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    ask(candidate, reference, **rows("Anna Boterbloem", language="en"))
    for name, words in (
        ("Zeger Wildschut", "Wat vond u van de begeleiding"),
        ("Anna Boterbloem", "What did you think of the guidance"),
    ):
        before = app.test_client().get(link_of(name)).get_data(as_text=True)
        client, form = open_form(app, name)
        pages = [
            before,
            form,
            *(client.get(path).get_data(as_text=True) for path in ("/verklaren/niet", "/verklaren/niet?wie=anders")),
        ]
        assert words in form
        main = [page[page.index("<main") : page.index("</main")] for page in pages]
        assert [page for page in main if "upervis" in page or "dossier onderdelen" in page] == []
        assert client.get("/verklaren/lezen").headers["Location"].endswith("/verklaren")


def test_saving_declining_and_what_lacks(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    client, page = open_form(app, "Zeger Wildschut")
    lacking = client.post("/verklaren", data={"version": version_in(page), "action": "sign", "good": "Groeten, Zeger"})
    text = lacking.get_data(as_text=True)
    assert (lacking.status_code, "Zet een vinkje." in text, "Hierin staat uw eigen naam" in text) == (422, True, True)
    client.post("/verklaren/niet", data={"reason": "Geheime reden"})
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    assert ("Doet niet mee" in page, "Geheime reden" in page) == (True, False)
    assert "liet weten geen verklaring te geven" in ask(candidate, reference, **rows("Zeger Wildschut"))
