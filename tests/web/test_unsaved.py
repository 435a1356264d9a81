"""What somebody typed is on the page that refuses it, whole, and nowhere else."""

import html
import re
from collections.abc import Callable

import pytest
from filling import start
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from test_office_dossier import Desk, desk  # noqa: F401  (a fixture)
from werkzeug.test import TestResponse

from app.accounts.models import Account, AccountRole
from app.assessment.models import Assessment
from app.dossiers import mentors
from app.dossiers.models import Dossier, MentorComment, OfficeNote
from app.extensions import now, session, transaction
from app.pipeline import Installation

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]
LONG = "Een lange bevinding, <b>een half uur</b> werk & met een “citaat”.\n\n\tEn een tweede alinea."


def given_back(answer: TestResponse) -> list[str]:
    """The texts on the page, as a browser reads them: it drops the line end right after the tag."""
    found = re.findall(r"<textarea[^>]* readonly>\n(.*?)</textarea>", answer.get_data(as_text=True), re.S)
    copied = re.findall(r'data-copy="(.*?)"', answer.get_data(as_text=True), re.S)
    assert found == copied
    assert answer.headers["Cache-Control"] == "no-store"
    return [html.unescape(one) for one in found]


def heading(answer: TestResponse) -> str:
    (found,) = re.findall(r"<h1>(.*?)</h1>", answer.get_data(as_text=True))
    return html.unescape(found)


@pytest.fixture
def kees(make_account: MakeAccount, login: Login) -> FlaskClient:
    return login(make_account("Kees Kantoor", "office"))


def test_findings_notes_and_reasons_that_came_too_late_are_given_back(
    desk: Desk,  # noqa: F811
    kees: FlaskClient,
    make_account: MakeAccount,
) -> None:
    desk.check("admit")
    session.rollback()
    assessor, assessment = make_account("Ad Rem", "assessor").id, session.scalars(select(Assessment.id)).one()
    desk.office.post(f"/secretariaat/beoordelingen/{assessment}/toewijzen", data={"assessor": str(assessor)})
    until = {"until.day": "1", "until.month": "2", "until.year": "2027"}
    for path, form in (
        ("/terugsturen", {"revision": "1", "finding-other": LONG, **until}),
        (
            "/toelating",
            {"revision": "1", "state-certificate": "not_met", "note-certificate": LONG, "seen-certificate": "open " * 9},
        ),
        ("/uitstel", {"before": "2026-01-01", "reason": LONG, **until}),
    ):
        answer = kees.post(desk.path + path, data={name: value.replace("\n", "\r\n") for name, value in form.items()})
        assert (answer.status_code, heading(answer), given_back(answer)) == (403, "Dit mag u nu niet doen", [LONG]), path
    assert given_back(kees.get(desk.path + "/terugsturen")) == []


def test_note_of_who_lost_his_role_is_given_back(desk: Desk, kees: FlaskClient) -> None:  # noqa: F811
    with transaction():
        person = session.scalars(select(Account.id).where(Account.name == "Kees Kantoor")).one()
        session.execute(delete(AccountRole).where(AccountRole.account_id == person))
        session.add(AccountRole(account_id=person, role="candidate"))
    answer = kees.post(desk.path + "/notities", data={"text": LONG})
    assert (answer.status_code, heading(answer), given_back(answer)) == (404, "Deze pagina is er niet", [LONG])


def test_note_of_who_was_logged_out_meanwhile_is_given_back_with_the_way_to_log_in(
    desk: Desk,  # noqa: F811
    kees: FlaskClient,
) -> None:
    person = session.scalars(select(Account.id).where(Account.name == "Kees Kantoor")).one()
    assert desk.office.post(f"/secretariaat/mensen/{person}/uitloggen").status_code == 302
    answer = kees.post(desk.path + "/notities", data={"text": LONG})
    assert (answer.status_code, heading(answer), given_back(answer)) == (403, "U bent uitgelogd", [LONG])
    assert f'class="govuk-button" href="/inloggen?next={desk.path}"' in answer.get_data(as_text=True)
    reason = kees.post(desk.path + "/intrekken", data={"reason": LONG})
    assert f'href="/inloggen?next={desk.path}/intrekken"' in reason.get_data(as_text=True)
    assert kees.post(desk.path + "/intrekken", data={"reason": "kort"}).headers["Location"] == "/inloggen"
    session.rollback()
    assert session.scalars(select(OfficeNote)).all() == []


def test_note_whose_cookie_is_gone_is_given_back_with_the_way_to_log_in(desk: Desk, kees: FlaskClient, app: Flask) -> None:  # noqa: F811
    app.config["WTF_CSRF_ENABLED"] = True
    stranger = app.test_client()
    answer = stranger.post(desk.path + "/notities", data={"text": LONG, "csrf_token": "van een eerder bezoek, lang"})
    assert (answer.status_code, heading(answer), given_back(answer)) == (400, "Dit lukte niet", [LONG])
    assert f'href="/inloggen?next={desk.path}"' in answer.get_data(as_text=True)
    script = stranger.post(desk.path + "/notities", data={"text": LONG}, headers={"X-Requested-With": "autosave"})
    assert script.is_json
    assert "error" in script.json


def test_comment_of_a_mentor_after_submitting_is_given_back(
    make_account: MakeAccount, login: Login, installation: Installation
) -> None:
    candidate, mentor = make_account("Piet Puk", "candidate"), make_account("Men Tor", "mentor")
    dossier = start(candidate, installation)
    with transaction():
        made = mentors.invite(dossier, name="Men Tor", email="men@x.nl", language="nl", settings=installation.settings)
        mentors.accept(made, mentor)
        number, dossier_id = made.id, dossier.id
    reader = login(mentor)
    (section, *_) = re.findall(
        rf"/meelezen/{number}/onderdeel/([a-z_]+)", reader.get(f"/meelezen/{number}").get_data(as_text=True)
    )
    with transaction():
        session.execute(update(Dossier).where(Dossier.id == dossier_id).values(stage="submitted", submitted_at=now()))
    answer = reader.post(f"/meelezen/{number}/onderdeel/{section}", data={"text": LONG})
    assert (answer.status_code, given_back(answer)) == (403, [LONG])
    session.rollback()
    assert session.scalars(select(MentorComment)).all() == []


def test_secrets_and_words_from_another_site_are_never_shown(desk: Desk, client: FlaskClient) -> None:  # noqa: F811
    secret = {"password": LONG, "password_here": LONG, "current": LONG, "code": LONG, "csrf_token": LONG, "next": LONG}
    answer = client.post("/account/wachtwoord", data=secret)
    assert "half uur" not in answer.get_data(as_text=True)
    answer = client.post(desk.path + "/notities", data=secret | {"text": LONG})
    assert given_back(answer) == [LONG]
    for site in ("cross-site", "same-site"):
        foreign = client.post(desk.path + "/notities", data={"text": LONG}, headers={"Sec-Fetch-Site": site})
        assert "half uur" not in foreign.get_data(as_text=True)
    assert "half uur" not in client.post("/inloggen/code", data={"text": LONG}).get_data(as_text=True)  # behind no guard
