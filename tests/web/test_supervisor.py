"""The supervisor's way: a mailed link, reading, a form, a signature; and every way in which it can go wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import Account
from app.dossiers import contents as dossier_contents
from app.dossiers import starting, statements, submission
from app.dossiers.answers import save_section
from app.dossiers.models import Dossier, Statement, StatementEvent
from app.extensions import now, session, transaction
from app.mail import Mail
from app.pipeline import Installation

SECTION, QUESTION = "supervisor", "statement"
FORM = {
    "qualification": "Supervisor, registratie 12345",
    "supervised_period.from.day": "1",
    "supervised_period.from.month": "3",
    "supervised_period.from.year": "2024",
    "supervised_period.to.day": "1",
    "supervised_period.to.month": "3",
    "supervised_period.to.year": "2026",
    "goals": "woord " * 40,
    "report_true": "3",
    "looks_at_self": "4",
    "uses_feedback": "3",
    "discusses_dilemmas": "4",
    "judgement": "woord " * 80,
    "independence": "yes",
}


@pytest.fixture
def dossier(installation: Installation, make_account: Callable[..., Account]) -> Dossier:
    owner = make_account("Sanne de Vries", "candidate")
    with transaction():
        made = starting.start(
            owner, "recertification", "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings
        )
        save_section(made, "development_report", {"goals": "Dit schreef ik over mijn ontwikkeling."}, 0)
    return made


@pytest.fixture
def token(dossier: Dossier, installation: Installation) -> str:
    with transaction():
        statements.invite(
            dossier_contents.read(dossier),
            SECTION,
            QUESTION,
            name="Marieke Jansen",
            email="m.jansen@voorbeeld.nl",
            language="nl",
            settings=installation.settings,
        )
    link = session.scalars(select(Mail).where(Mail.template == "supervisor_invitation")).one().data["link"]
    return str(link).rsplit("/", 1)[1]


def enter(client: FlaskClient, token: str, *, reading: bool = True) -> None:
    answer = client.post(f"/verklaring/{token}/verder")
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/verklaren/lezen")
    if reading:
        assert client.get("/verklaren/lezen").status_code == 200


def add_sessions(client: FlaskClient) -> None:
    for day in ("1", "2"):
        version = session.scalars(select(Statement.version)).one()
        session.rollback()
        row = {"sessions.date.day": day, "sessions.date.month": "4", "sessions.date.year": "2025"}
        row |= {"sessions.duration": "1,5", "sessions.topic": f"Casus {day}", "version": str(version)}
        assert client.post("/verklaren/regel/sessions", data=row).status_code == 302


def sign(client: FlaskClient, **changes: str) -> int:
    version = session.scalars(select(Statement.version)).one()
    session.rollback()
    data = {**FORM, "version": str(version), "action": "sign", "signed_name": "Marieke Jansen", "signed_agree": "yes", **changes}
    return client.post("/verklaren", data=data).status_code


def kinds() -> list[str]:
    session.rollback()
    return list(session.scalars(select(StatementEvent.kind).order_by(StatementEvent.id)))


def test_opening_the_link_changes_nothing_r11(client: FlaskClient, token: str) -> None:
    for _scanner in range(3):
        assert client.get(f"/verklaring/{token}").status_code == 200
        assert client.head(f"/verklaring/{token}").status_code == 200
    statement = session.scalars(select(Statement)).one()
    assert (statement.stage, statement.session_sha256, statement.version, kinds()) == ("invited", None, 0, ["sent"])


def test_the_whole_way_ends_in_a_signed_statement(client: FlaskClient, token: str, dossier: Dossier) -> None:
    enter(client, token)
    page = client.get("/verklaren/lezen").get_data(as_text=True)
    assert "Dit schreef ik over mijn ontwikkeling." in page
    add_sessions(client)
    assert sign(client) == 302
    assert "Dank u wel voor uw verklaring" in client.get("/verklaren/klaar").get_data(as_text=True)
    session.rollback()
    statement = session.scalars(select(Statement)).one()
    assert (statement.stage, statement.signed_name, len(statement.data["sessions"])) == ("signed", "Marieke Jansen", 2)
    assert kinds() == ["sent", "opened", "read", "signed"]
    assert sorted(session.scalars(select(Mail.template))) == ["statement_signed", "supervisor_invitation", "supervisor_thanks"]
    assert not statements.is_stale(statement, dossier_contents.read(dossier))


def test_only_the_named_sections_are_shown(client: FlaskClient, token: str, dossier: Dossier) -> None:
    with transaction():
        save_section(session.get_one(Dossier, dossier.id), "field", {"contribution": "Dit is niet voor de supervisor."}, 0)
    enter(client, token)
    assert "Dit is niet voor de supervisor." not in client.get("/verklaren/lezen").get_data(as_text=True)


def test_an_unfinished_form_is_kept_and_not_signed(client: FlaskClient, token: str) -> None:
    enter(client, token)
    assert sign(client, judgement="te kort") == 422
    session.rollback()
    statement = session.scalars(select(Statement)).one()
    assert (statement.stage, statement.data["judgement"]) == ("invited", "te kort")
    assert sign(client, signed_name="") == 422
    assert sign(client, signed_agree="") == 422


def test_a_newer_session_ends_the_older(app: Flask, token: str) -> None:
    first, second = app.test_client(), app.test_client()
    enter(first, token)
    assert first.get("/verklaren").status_code == 200
    enter(second, token)
    assert (first.get("/verklaren").status_code, second.get("/verklaren").status_code) == (410, 200)


def test_signing_spends_the_link_r15(client: FlaskClient, token: str) -> None:
    enter(client, token)
    add_sessions(client)
    assert sign(client) == 302
    assert client.get(f"/verklaring/{token}").status_code == 410
    assert client.post(f"/verklaring/{token}/verder").status_code == 410
    assert client.post("/verklaren", data={**FORM, "version": "9"}).status_code == 403


def test_an_expired_revoked_or_unknown_link_says_what_to_do_r15(client: FlaskClient, token: str) -> None:
    with transaction():
        session.scalars(select(Statement)).one().token_expires_at = now() - timedelta(seconds=1)
    answer = client.get(f"/verklaring/{token}")
    assert answer.status_code == 410
    assert "Deze link is verlopen. Vraag de kandidaat om een nieuwe uitnodiging." in answer.get_data(as_text=True)
    with transaction():
        statements.revoke(session.scalars(select(Statement)).one())
    assert client.get(f"/verklaring/{token}").status_code == 410
    assert client.get("/verklaring/zomaarwat").status_code == 410


def test_without_a_session_the_form_is_closed(client: FlaskClient, token: str) -> None:
    for path in ("/verklaren", "/verklaren/lezen", "/verklaren/klaar", "/verklaren/niet", "/verklaren/regel/sessions"):
        assert client.get(path).status_code == 410, path


def test_declining_tells_the_candidate_and_spends_the_link(client: FlaskClient, token: str) -> None:
    enter(client, token)
    assert client.post("/verklaren/niet", data={"reason": "Ik ken deze kandidaat niet."}).status_code == 302
    session.rollback()
    statement = session.scalars(select(Statement)).one()
    assert (statement.stage, statement.declined_reason) == ("declined", "Ik ken deze kandidaat niet.")
    assert "statement_declined" in list(session.scalars(select(Mail.template)))
    assert client.get(f"/verklaring/{token}").status_code == 410
    assert "U geeft geen verklaring" in client.get("/verklaren/klaar").get_data(as_text=True)


def test_two_windows_conflict_with_both_texts_kept_r34(client: FlaskClient, token: str) -> None:
    enter(client, token)
    assert client.post("/verklaren", data={**FORM, "version": "0", "judgement": "eerste venster"}).status_code == 302
    answer = client.post("/verklaren", data={**FORM, "version": "0", "judgement": "tweede venster"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "<ins>tweede </ins>" in page
    assert "<del>eerste </del>" in page
    json = {"X-Requested-With": "autosave"}
    assert client.post("/verklaren", data={**FORM, "version": "0", "judgement": "x"}, headers=json).status_code == 409


def test_a_submitted_dossier_needs_no_statement_any_more(client: FlaskClient, token: str, dossier: Dossier) -> None:
    with transaction():
        session.get_one(Dossier, dossier.id).stage = "withdrawn"
    assert client.get(f"/verklaring/{token}").status_code == 410


def test_what_the_form_lacks_is_named_in_its_order(client: FlaskClient, token: str, installation: Installation) -> None:
    statement = session.scalars(select(Statement)).one()
    found = statements.problems(statement, installation.catalogue.types, submission.today())
    assert [question for question, _ in found] == [one.id for one in statements.nested_questions(statement)]


def test_leaving_the_form_for_a_row_saves_what_was_typed(client: FlaskClient, token: str) -> None:
    enter(client, token)
    data = {**FORM, "version": "0", "judgement": "half af", "action": "go:/verklaren/regel/sessions"}
    answer = client.post("/verklaren", data=data)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/verklaren/regel/sessions")
    session.rollback()
    assert session.scalars(select(Statement)).one().data["judgement"] == "half af"
    elsewhere = client.post("/verklaren", data={**data, "version": "1", "action": "go:https://example.org/"})
    assert elsewhere.headers["Location"] == "/verklaren"


def test_signing_needs_reading_first(client: FlaskClient, token: str) -> None:
    enter(client, token, reading=False)
    add_sessions(client)
    assert sign(client) == 302
    page = client.get("/verklaren/lezen").get_data(as_text=True)
    assert "Lees eerst de onderdelen waar uw verklaring over gaat. Wat u invulde, is opgeslagen." in page
    session.rollback()
    assert session.scalars(select(Statement.stage)).one() == "invited"
    session.rollback()
    assert sign(client) == 302
    session.rollback()
    assert session.scalars(select(Statement.stage)).one() == "signed"
