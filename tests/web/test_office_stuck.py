"""The board of what is stuck: every kind with its error, and retries that may be pressed twice."""

from collections.abc import Callable

import pytest
from filling import start
from flask.testing import FlaskClient
from sqlalchemy import select

from app import jobs, pipeline
from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers.models import Dossier, Evidence, Snapshot
from app.extensions import now, session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.plugin_faults import PluginFault

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]
BOARD = "/secretariaat/vastgelopen"


def text(client: FlaskClient, path: str = BOARD) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def snapshot_of(dossier: Dossier, **values: object) -> int:
    with transaction():
        snapshot = Snapshot(dossier_id=dossier.id, revision=1, sha256=f"{dossier.id:064}", content="{}", **values)
        session.add(snapshot)
        session.get_one(Dossier, dossier.id).stage = "submitted"
        session.flush()
        return snapshot.id


@pytest.fixture
def dossier(installation: Installation, make_account: MakeAccount) -> Dossier:
    return start(make_account("Sanne de Vries", "candidate"), installation)


@pytest.fixture
def desk(make_account: MakeAccount, login: Login) -> FlaskClient:
    return login(make_account("Ilse Smit", "office"))


def deeds(action: str) -> int:
    session.rollback()
    return len(session.scalars(select(AuditEntry.id).where(AuditEntry.action == action)).all())


def test_nothing_stuck_says_so(desk: FlaskClient) -> None:
    assert "Er is niets vastgelopen" in text(desk)


def test_a_snapshot_is_retried_and_one_that_was_abandoned_is_not_shown(
    dossier: Dossier, desk: FlaskClient, make_account: MakeAccount, installation: Installation
) -> None:
    other = start(make_account("Bert Vroeg", "candidate"), installation)
    error = {"nl": "De schijf is vol.", "en": "The disk is full."}
    wait = now().replace(year=2099)
    snapshot_id = snapshot_of(dossier, error=error, attempts=3, step="typeset", next_attempt_at=wait)
    snapshot_of(other, error=error, abandoned_at=now())
    page = text(desk)
    assert dossier.reference in page
    assert "De schijf is vol." in page
    assert "3 pogingen" in page
    assert other.reference not in page
    for _ in range(2):
        answer = desk.post(f"{BOARD}/{snapshot_id}/opnieuw")
        assert answer.status_code == 302
    session.rollback()
    assert session.get_one(Snapshot, snapshot_id).next_attempt_at is None
    with transaction():
        session.get_one(Snapshot, snapshot_id).error = None
    before = deeds("snapshot.retried")
    page = desk.post(f"{BOARD}/{snapshot_id}/opnieuw", follow_redirects=True).get_data(as_text=True)
    assert "Er hoeft niets meer te gebeuren" in page
    assert deeds("snapshot.retried") == before


def test_a_file_is_retried_once_for_what_the_page_showed(dossier: Dossier, desk: FlaskClient) -> None:
    with transaction():
        item = Evidence(
            dossier_id=dossier.id, name="geheim.pdf", kind="pdf", original_sha256="0" * 64, original_size=1, attempts=4,
            next_attempt_at=now().replace(year=2099),
        )  # fmt: skip
        session.add(item)
        session.flush()
        evidence_id = item.id
    page = text(desk)
    assert "4 pogingen" in page
    assert "geheim" not in page
    for _ in range(2):  # a second click, before a worker took it
        desk.post(f"{BOARD}/bewijs/{evidence_id}/opnieuw", data={"attempts": "4"})
    session.rollback()
    assert session.get_one(Evidence, evidence_id).next_attempt_at is None
    with transaction():  # a worker takes it
        item = session.get_one(Evidence, evidence_id)
        item.claimed_until, item.attempts = now().replace(year=2098), 5
    for seen in ("4", "5"):  # an old page, and one of this moment
        desk.post(f"{BOARD}/bewijs/{evidence_id}/opnieuw", data={"attempts": seen})
    session.rollback()
    assert session.get_one(Evidence, evidence_id).claimed_until is not None
    assert deeds("evidence.retried") == 1


def test_mail_and_plugins_that_fail_are_shown_and_a_plugins_fault_is_cleared(
    desk: FlaskClient, installation: Installation
) -> None:
    plugin = installation.catalogue.plugins["outplacement"]
    with transaction():
        session.add(
            Mail(
                to="weg@voorbeeld.nl",
                language="nl",
                template="assignment",
                data={},
                stage="failed",
                error="SMTPError",
                attempts=10,
            )
        )
        fault = PluginFault(
            plugin=plugin.id, hooks_sha256=plugin.hooks_sha256, hook="hooks.py: deliver", kind="OSError", place="", count=2
        )
        session.add(fault)
        session.flush()
        fault_id = fault.id
    page = text(desk)
    assert "weg@voorbeeld.nl" in page
    assert "Opgegeven" in page
    assert "hooks.py: deliver" in page
    for _ in range(2):
        desk.post(f"{BOARD}/plugins/{fault_id}/weghalen")
    assert "hooks.py: deliver" not in text(desk)
    assert deeds("plugin_fault.cleared") == 1


def test_nobody_retries_his_own_dossier(installation: Installation, make_account: MakeAccount, login: Login) -> None:
    both = make_account("Ilse Smit", "office", "candidate")
    snapshot_id = snapshot_of(start(both, installation), error={"nl": "Stuk.", "en": "Broken."})
    desk = login(both)
    assert "Uw eigen dossier: een collega behandelt het." in text(desk)
    assert desk.post(f"{BOARD}/{snapshot_id}/opnieuw").status_code == 403
    assert deeds("snapshot.retried") == 0


def test_retrying_really_starts_the_work(dossier: Dossier, desk: FlaskClient, installation: Installation) -> None:
    snapshot_id = snapshot_of(dossier, error={"nl": "Stuk.", "en": "Broken."}, next_attempt_at=now().replace(year=2099))
    assert jobs.drain(installation) == 0
    desk.post(f"{BOARD}/{snapshot_id}/opnieuw")
    session.rollback()
    assert ("snapshot", snapshot_id) in pipeline.due()


def test_schemes_and_plugins_stand_with_their_dossiers_and_faults(
    dossier: Dossier, desk: FlaskClient, installation: Installation
) -> None:
    page = text(desk, "/secretariaat/plugins")
    template = next(iter(installation.catalogue.schemes.values())).template
    assert template.title["nl"] in page
    assert "Van kracht" in page
    assert "1 van 1" in page
    assert installation.catalogue.plugins["outplacement"].hooks_sha256 in page
