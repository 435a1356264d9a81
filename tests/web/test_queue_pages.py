"""The pages of assessor and office on a real sealed bundle; every look is logged, and only the assigned may look."""

import io
import zipfile
from collections.abc import Callable

import pytest
from filling import fill, start
from flask.testing import FlaskClient
from small_world import World
from sqlalchemy import select

from app import jobs
from app.accounts.models import Account
from app.assessment.models import Assessment, Assignment
from app.audit import AuditEntry
from app.documents.models import Bundle
from app.dossiers import contents as dossier_contents
from app.dossiers import submission
from app.dossiers.models import OfficeNote, Snapshot
from app.dossiers.submission import Consent
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation

Login = Callable[[Account], FlaskClient]


@pytest.fixture
def assessment_id(installation: Installation, make_account: Callable[..., Account]) -> int:
    """A dossier that went all the way to the queue."""
    dossier = start(make_account("Sanne de Vries", "candidate"), installation)
    fill(dossier, installation)
    with transaction():
        contents = dossier_contents.read(dossier)
        consent = Consent("Sanne de Vries", frozenset(one.id for one in contents.template.declarations), "127.0.0.1", "test")
        submission.submit(
            contents, consent, catalogue=installation.catalogue, house_style_sha256="0" * 64, settings=installation.settings
        )
    jobs.drain(installation)
    world = World(installation.settings, session.get_bind(), installation.catalogue)
    world.admit(session.scalars(select(Snapshot)).one(), make_account("De Balie", "office", email="balie@voorbeeld.nl"))
    found = session.scalars(select(Assessment.id)).one()
    session.rollback()
    return found


def actions() -> list[tuple[str, str]]:
    session.rollback()
    return [
        (actor, action) for actor, action in session.execute(select(AuditEntry.actor, AuditEntry.action).order_by(AuditEntry.id))
    ]


def test_office_assigns_and_the_assessor_reads_and_downloads(
    assessment_id: int, make_account: Callable[..., Account], login: Login
) -> None:
    assessor, office = make_account("Joost Bakker", "assessor"), make_account("Ilse Smit", "office")
    desk, reader = login(office), login(assessor)
    assert "U hebt nu niets te beoordelen" in reader.get("/beoordelen").get_data(as_text=True)
    assert reader.get(f"/beoordelen/{assessment_id}").status_code == 404
    answer = desk.post(f"/secretariaat/beoordelingen/{assessment_id}/toewijzen", data={"assessor": assessor.id})
    assert answer.status_code == 302
    assert "Joost Bakker" in desk.get("/secretariaat").get_data(as_text=True)
    assert f'href="/beoordelen/{assessment_id}"' in reader.get("/beoordelen").get_data(as_text=True)
    asked = reader.get(f"/beoordelen/{assessment_id}").get_data(as_text=True)
    assert "Sanne de Vries" in asked
    assert "Marieke Jansen" in asked
    assert reader.get(f"/beoordelen/{assessment_id}/dossier").status_code == 403
    assert reader.get(f"/beoordelen/{assessment_id}/dossier.pdf").status_code == 403
    assert reader.post(f"/beoordelen/{assessment_id}/verklaring", data={"interest": "none"}).status_code == 302
    assert reader.get(f"/beoordelen/{assessment_id}", follow_redirects=True).status_code == 200

    bundle = session.scalars(select(Bundle)).one()
    pdf = reader.get(f"/beoordelen/{assessment_id}/dossier.pdf", headers={"Range": "bytes=0-4"})
    assert (pdf.status_code, pdf.data) == (206, b"%PDF-")
    archive = reader.get(f"/beoordelen/{assessment_id}/bundel.zip")
    assert (archive.status_code, len(archive.data)) == (200, bundle.zip_size)
    assert zipfile.ZipFile(io.BytesIO(archive.data)).testzip() is None
    assert reader.get(f"/beoordelen/{assessment_id}/dossier.docx").status_code == 200
    assert reader.get(f"/beoordelen/{assessment_id}/dossier.exe").status_code == 404
    me = f"account:{assessor.id}"
    assert [action for actor, action in actions() if actor == me and action.startswith("assessment.")] == [
        "assessment.declared",
        "assessment.viewed",
        "assessment.pdf",
        "assessment.bundle",
        "assessment.docx",
    ]
    assert session.scalars(select(Mail.to).where(Mail.template == "assignment")).all() == [assessor.email]


def test_taking_an_assignment_away_closes_the_dossier_at_once(
    assessment_id: int, make_account: Callable[..., Account], login: Login
) -> None:
    assessor, office = make_account("Joost Bakker", "assessor"), make_account("Ilse Smit", "office")
    desk, reader = login(office), login(assessor)
    desk.post(f"/secretariaat/beoordelingen/{assessment_id}/toewijzen", data={"assessor": assessor.id})
    reader.post(f"/beoordelen/{assessment_id}/verklaring", data={"interest": "none"})
    assert reader.get(f"/beoordelen/{assessment_id}/dossier").status_code == 200
    session.rollback()
    given = session.scalars(select(Assignment.id)).one()
    way = f"/secretariaat/beoordelingen/{assessment_id}/intrekken/{given}"
    assert f'href="{way}"' in desk.get(f"/secretariaat/beoordelingen/{assessment_id}").get_data(as_text=True)
    assert "Joost Bakker van dit dossier halen?" in desk.get(way).get_data(as_text=True)
    assert reader.get(f"/beoordelen/{assessment_id}/dossier").status_code == 200
    for words in ("Joost Bakker ziet dit dossier niet meer.", "Joost Bakker was al van dit dossier gehaald."):
        answer = desk.post(way, data={"reason": "Te druk"}, follow_redirects=True)
        assert words in answer.get_data(as_text=True)
    assert [action for _, action in actions()].count("assessment.unassigned") == 1
    assert desk.get(way).status_code == 302
    assert session.scalars(select(OfficeNote.text)).all() == ["Beoordelaar Joost Bakker van het dossier gehaald: Te druk"]
    for path in ("", "/dossier", "/dossier.pdf", "/dossier.docx", "/bundel.zip", "/bijlage/1"):
        assert reader.get(f"/beoordelen/{assessment_id}{path}").status_code == 404


def test_office_is_told_why_somebody_cannot_be_assigned(
    assessment_id: int, make_account: Callable[..., Account], login: Login
) -> None:
    supervisor = make_account("Marieke Jansen", "assessor", email="m.jansen@example.org")
    desk = login(make_account("Ilse Smit", "office"))
    answer = desk.post(
        f"/secretariaat/beoordelingen/{assessment_id}/toewijzen", data={"assessor": supervisor.id}, follow_redirects=True
    )
    assert "Marieke Jansen is gevraagd om een verklaring over deze kandidaat" in answer.get_data(as_text=True)
    session.rollback()
    assert session.scalars(select(Assignment)).all() == []
    assert desk.post(f"/secretariaat/beoordelingen/{assessment_id}/toewijzen", data={"assessor": "x"}).status_code == 404
    assert desk.post("/secretariaat/beoordelingen/999/toewijzen", data={"assessor": supervisor.id}).status_code == 404


def test_office_sees_plugins_and_the_empty_queue(make_account: Callable[..., Account], login: Login) -> None:
    desk = login(make_account("Ilse Smit", "office"))
    assert "Er is nu niets dat op u wacht." in desk.get("/secretariaat").get_data(as_text=True)
    page = desk.get("/secretariaat/plugins").get_data(as_text=True)
    assert "outplacement 1.2" in page
    assert "In gebruik" in page
