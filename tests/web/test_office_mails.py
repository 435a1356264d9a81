"""The office's outbox: what waits, went or failed, and a button that does no harm."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from app import mail
from app.accounts.models import Account
from app.audit import AuditEntry
from app.extensions import now, session, transaction
from app.mail import Mail, Problem

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]
DOWN = Problem("ConnectionRefusedError: [Errno 111] Connection refused", "server")


@pytest.fixture
def desk(make_account: MakeAccount, login: Login) -> FlaskClient:
    return login(make_account("Ilse Smit", "office"))


def put(to: str = "anna@voorbeeld.nl", template: str = "dossier_handed_over", **changes: object) -> int:
    data = {"dossier_handed_over": {"name": "Anna", "dossier": "LD-1", "link": "/dossier/LD-1"},
            "reset_password": {"link": "/wachtwoord/" + "geheim" * 8, "minutes": 60}}[template]  # fmt: skip
    with transaction():
        made = mail.put(to=to, template=template, language="nl", data={**data, **changes})
        assert made is not None
        return made.id


def tried(mail_id: int, problem: Problem | None) -> None:
    with transaction():
        letter = mail.claim(mail_id)
    assert letter is not None
    with transaction():
        mail.record(letter, problem)


def text(client: FlaskClient, query: str = "") -> str:
    answer = client.get(f"/secretariaat/post{query}")
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_outbox_says_how_each_mail_stands_and_never_what_is_in_it_r16(desk: FlaskClient) -> None:
    assert "Er is nog geen e-mail" in text(desk)
    sent, failed, waits = put(), put("weg@voorbeeld.nl"), put("berta@voorbeeld.nl", "reset_password")
    tried(sent, None)
    tried(failed, Problem("550 5.1.1 no such user", "address"))
    page = text(desk)
    for words in (
        "Verzonden",
        "Mislukt",
        "Wacht",
        "550 5.1.1 no such user",
        "Uw dossier LD-1 is compleet ontvangen",
        "Kies een nieuw wachtwoord",
    ):
        assert words in page
    assert "geheim" not in page
    assert "Goedendag" not in page
    assert f"/secretariaat/post/{sent}/opnieuw" not in page
    assert f"/secretariaat/post/{waits}/opnieuw" in page


def test_outbox_is_narrowed_by_stage_address_and_kind(desk: FlaskClient) -> None:
    tried(put("anna@voorbeeld.nl"), None)
    put("berta@voorbeeld.nl", "reset_password")
    for query, shown in {
        "?stand=sent": ["anna"], "?stand=queued": ["berta"], "?stand=failed": [], "?aan=BERTA": ["berta"], "?aan=%25": [],
        "?soort=reset_password": ["berta"], "?soort=bestaat_niet&stand=x&voor=y": ["anna", "berta"],
        "?aan=%00&voor=" + "9" * 40: ["anna", "berta"],
    }.items():  # fmt: skip
        page = text(desk, query)
        assert [name for name in ("anna", "berta") if f"{name}@voorbeeld.nl</th>" in page] == shown, query


def test_server_that_is_away_r37_is_said_with_since_when_and_how_many_wait(desk: FlaskClient) -> None:
    first = put()
    put()
    assert "antwoordt niet" not in text(desk)
    tried(first, DOWN)
    page = text(desk)
    assert "De mailserver antwoordt niet sinds" in page
    assert "2 e-mails wachten." in page
    assert "Connection refused" in page
    assert mail.due() == []
    for _ in range(2):
        page = desk.post("/secretariaat/post/opnieuw", follow_redirects=True).get_data(as_text=True)
    assert "Wij proberen de mailserver nu." in page
    assert "De mailserver antwoordt niet sinds" in page  # until one went
    session.rollback()
    assert len(mail.due()) == 2
    tried(first, None)
    assert "antwoordt niet" not in text(desk)


def test_mail_is_tried_again_by_hand_as_often_as_one_clicks_and_sent_mail_stays_sent(desk: FlaskClient) -> None:
    failed, sent, secret = put("weg@voorbeeld.nl"), put(), put("weg@voorbeeld.nl", "reset_password")
    tried(failed, Problem("550 no", "address"))
    tried(secret, Problem("550 no", "address"))
    tried(sent, None)
    for _ in range(2):
        page = desk.post(f"/secretariaat/post/{failed}/opnieuw", follow_redirects=True).get_data(as_text=True)
        assert "Wij proberen de e-mail nu." in page
    page = desk.post(f"/secretariaat/post/{sent}/opnieuw", follow_redirects=True).get_data(as_text=True)
    assert "Deze e-mail is al verzonden." in page
    page = desk.post(f"/secretariaat/post/{secret}/opnieuw", follow_redirects=True).get_data(as_text=True)
    assert "de persoonlijke link erin bewaren wij niet" in page
    assert desk.post("/secretariaat/post/99/opnieuw").status_code == 404
    session.rollback()
    assert {one.id: one.stage for one in session.scalars(select(Mail))} == {failed: "queued", sent: "sent", secret: "failed"}
    deeds = session.scalars(select(AuditEntry.thing).where(AuditEntry.action == "mail.retried")).all()
    assert deeds == [f"mail:{failed}"] * 2


def test_outbox_needs_as_many_queries_for_a_page_as_for_one_mail(app: Flask, desk: FlaskClient) -> None:
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    numbers = []
    event.listen(app.extensions["engine"], "before_cursor_execute", count)
    for more in (1, 30):
        for _ in range(more):
            put()
        asked.clear()
        page = text(desk)
        numbers.append(sum(statement.startswith("SELECT") for statement in asked))
    event.remove(app.extensions["engine"], "before_cursor_execute", count)
    assert numbers[0] == numbers[1]
    assert page.count("anna@voorbeeld.nl</th>") == 25
    assert "voor=7" in page
    assert text(desk, "?voor=7").count("anna@voorbeeld.nl</th>") == 6


def test_mail_of_an_older_program_does_not_break_the_page(desk: FlaskClient) -> None:
    mail_id = put()
    with transaction():
        session.execute(update(Mail).where(Mail.id == mail_id).values(template="gone", created_at=now() - timedelta(days=400)))
    assert re.search(r'<td data-label="Onderwerp"[^>]*>(<span[^>]*>)?gone<', text(desk))
