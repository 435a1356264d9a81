"""The candidate changes the language of the documents while the dossier is open, and nothing else changes with it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import audit
from app.accounts.models import Account
from app.dossiers import contents as dossier_contents
from app.dossiers import invitations, lifecycle, starting, submission
from app.dossiers.models import Dossier, SectionAnswers, Statement
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation


@pytest.fixture
def owner(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(owner: Account, installation: Installation) -> Dossier:
    with transaction():
        made = starting.start(
            owner, "recertification", "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings
        )
        session.add(SectionAnswers(dossier_id=made.id, section_id="development_report", version=1, data={"goals": "Mijn tekst."}))
        session.flush()
        invitations.invite(
            dossier_contents.read(made), "supervisor", "statement",
            name="Els Bos", email="els@praktijk.example", language="nl", settings=installation.settings,
        )  # fmt: skip
    return made


@pytest.fixture
def candidate(owner: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(owner)


def lines() -> list[tuple[str, dict[str, str]]]:
    session.rollback()
    found = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.action == "dossier.language_changed"))
    return [(one.actor, {key: one.details[key] for key in ("before", "after")}) for one in found]


def test_the_documents_change_their_language_and_what_was_mailed_and_written_stays(
    candidate: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    home, address = f"/dossier/{dossier.reference}", f"/dossier/{dossier.reference}/documenttaal"
    assert f'href="{address}"' in candidate.get(home).get_data(as_text=True)
    assert 'value="nl" checked' in " ".join(candidate.get(address).get_data(as_text=True).split())
    mailed = [(one.language, one.template) for one in session.scalars(select(Mail))]
    for _ in range(2):  # the second click changes nothing and says the same
        page = candidate.post(address, data={"language": "en"}, follow_redirects=True).get_data(as_text=True)
        assert "Uw documenten komen in het Engels." in page
    session.rollback()
    contents = dossier_contents.read(dossier)
    content = submission.draft_content(contents, installation.settings)
    assert (content["language"], content["answers"]["development_report"]) == ("en", {"goals": "Mijn tekst."})
    assert [(one.language, one.template) for one in session.scalars(select(Mail))] == mailed
    assert [one.language for one in session.scalars(select(Statement))] == ["nl"]
    assert [details for _, details in lines()] == [{"before": "nl", "after": "en"}]
    section = candidate.get(f"{home}/onderdeel/development_report").get_data(as_text=True)
    assert 'lang="en"' in section[section.index("<main") :]


@pytest.mark.parametrize("sent", [{}, {"language": ""}, {"language": "fr"}])
def test_no_language_or_an_unknown_one_is_said_beside_the_choice(
    candidate: FlaskClient, dossier: Dossier, sent: dict[str, str]
) -> None:
    answer = candidate.post(f"/dossier/{dossier.reference}/documenttaal", data=sent)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, page.count("Kies in welke taal u uw dossier schrijft.")) == (422, 2)
    assert lines() == []


@pytest.mark.parametrize("stage", ["submitted", "in_assessment", "decided", "withdrawn"])
def test_after_submitting_the_language_is_fixed(app: Flask, candidate: FlaskClient, dossier: Dossier, stage: str) -> None:
    with transaction():
        session.get_one(Dossier, dossier.id).stage = stage
    answer = candidate.post(f"/dossier/{dossier.reference}/documenttaal", data={"language": "en"})
    session.rollback()
    assert (answer.status_code, session.get_one(Dossier, dossier.id).language, lines()) == (403, "nl", [])


def test_a_dossier_that_was_returned_may_change_its_language(dossier: Dossier) -> None:
    with transaction():
        lifecycle.advance(dossier, "submitted")
        lifecycle.advance(dossier, "returned")
        lifecycle.change_language(dossier, "en")
    assert dossier.language == "en"
