"""Words that look like a client's are pointed out on finishing and before submitting; nothing is stopped, and no means no."""

import re

import filling
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.dossiers import answers
from app.dossiers.models import Dossier, NotOfClient
from app.extensions import session, transaction
from app.pipeline import Installation

TITLE = "Kijk nog even naar deze woorden"
STORY = "Ik begeleidde mevrouw Pietersen. Later belde ik MEVROUW PIETERSEN op 06-12345678, met Hugo de Groot."


@pytest.fixture
def dossier(make_account, installation: Installation) -> Dossier:
    dossier = filling.start(make_account("Sanne de Vries", "candidate"), installation)
    filling.fill(dossier, installation)
    with transaction():
        answers.save_section(dossier, "field", {}, 0, finished=False)
        answers.put_answer(dossier, "field", "contribution", STORY + " woord" * 300)
    return dossier


@pytest.fixture
def client(dossier: Dossier, login) -> FlaskClient:
    return login(dossier.owner)


def page(client: FlaskClient, dossier: Dossier, path: str) -> str:
    return client.get(f"/dossier/{dossier.reference}{path}").get_data(as_text=True)


def save(client: FlaskClient, dossier: Dossier, action: str, finished: str = "yes"):
    shown = page(client, dossier, "/onderdeel/field")
    version = shown.split('name="version" value="')[1].split('"')[0]
    row = session.get(answers.SectionAnswers, (dossier.id, "field"))
    assert row is not None
    sent = {name: answer for name, answer in row.data.items() if name in ("ways", "contribution")}
    return client.post(
        f"/dossier/{dossier.reference}/onderdeel/field", data={**sent, "version": version, "finished": finished, "action": action}
    )


def keys(shown: str) -> list[str]:
    return re.findall(r'value="(not-client:[0-9a-f]{64})"', shown)


def test_finishing_points_words_out_once_and_stops_nothing(client: FlaskClient, dossier: Dossier) -> None:
    assert TITLE not in page(client, dossier, "/onderdeel/field")  # not while writing
    saved = save(client, dossier, "continue")
    assert saved.status_code == 302
    assert saved.location == f"/dossier/{dossier.reference}/onderdeel/field?afgerond=1#client-data"
    shown = client.get(saved.location).get_data(as_text=True)
    assert "“Ik begeleidde <mark>mevrouw Pietersen</mark>. Later belde ik" in shown
    assert "<mark>06-12345678</mark>" in shown
    assert len(keys(shown)) == 2  # the name twice, whatever its capitals, is one
    assert (
        f'<a class="govuk-link" href="/dossier/{dossier.reference}/onderdeel/development_plan">Laat het zo en ga door</a>'
        in shown
    )
    assert 'name="finished" value="yes" checked' in re.sub(r'id="[^"]*" |type="radio" ', "", shown)
    assert save(client, dossier, "continue").location == f"/dossier/{dossier.reference}/onderdeel/development_plan"


def test_the_page_that_checks_answers_names_them_and_lets_submit(client: FlaskClient, dossier: Dossier) -> None:
    save(client, dossier, "continue")
    shown = page(client, dossier, "/controleren")
    assert f'href="/dossier/{dossier.reference}/onderdeel/field?controle=1#contribution"' in shown
    assert "<mark>mevrouw Pietersen</mark>, <mark>06-12345678</mark>" in shown
    assert "Ga verder naar indienen" in shown


def test_what_is_no_clients_does_not_come_back(client: FlaskClient, dossier: Dossier) -> None:
    save(client, dossier, "continue")
    name, phone = keys(page(client, dossier, "/onderdeel/field"))
    answer = save(client, dossier, name)
    assert answer.location == f"/dossier/{dossier.reference}/onderdeel/field?controle=1"
    assert "Wij wijzen u in dit dossier niet meer op deze woorden." in client.get(answer.location).get_data(as_text=True)
    assert keys(page(client, dossier, "/onderdeel/field")) == [phone]
    save(client, dossier, phone)
    save(client, dossier, phone)  # an old page
    assert TITLE not in page(client, dossier, "/onderdeel/field") + page(client, dossier, "/controleren")
    session.rollback()  # what the page wrote
    kept = session.scalars(select(NotOfClient).where(NotOfClient.dossier_id == dossier.id)).all()
    assert len(kept) == 2
    assert len({one.salt for one in kept}) == 1
    assert not {name, phone} & {f"not-client:{one.sha256}" for one in kept}  # salted


def test_rows_of_tables_are_looked_at_and_lead_to_the_row(client: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        rows = [{"row": "r1", "goal": "Rustig", "reason": "Door mijn gesprek met dhr. Prins"}]
        answers.put_answer(dossier, "development_plan", "plan", rows)
    shown = page(client, dossier, "/onderdeel/development_plan")
    assert "<mark>dhr. Prins</mark>" in shown
    assert f'href="/dossier/{dossier.reference}/onderdeel/development_plan/plan/r1#plan-reason"' in shown


def test_names_of_the_people_concerned_are_left_alone(client: FlaskClient, dossier: Dossier) -> None:
    people = "Mevrouw De Vries (sanne.de.vries@voorbeeld.nl) en het secretariaat, secretariaat@voorbeeld.nl"
    with transaction():
        answers.put_answer(dossier, "field", "contribution", people)
    assert TITLE not in page(client, dossier, "/onderdeel/field?controle=1")
