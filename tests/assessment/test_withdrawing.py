"""Withdrawing ends whatever waited for the dossier, tells whom it concerns, and happens once."""

import pytest
from small_world import World
from sqlalchemy import select

from app import pipeline
from app.accounts.models import Message
from app.assessment import withdrawing
from app.dossiers import mentors, statements
from app.dossiers.models import DossierEvent
from app.errors import Conflict, InvalidInput, LinkUnusable
from app.extensions import session, transaction
from app.mail import Mail


def test_withdrawn_by_its_candidate_without_a_reason(world: World) -> None:
    dossier = world.dossier()
    statement, token = world.invite(dossier)
    with transaction():
        assert withdrawing.withdraw(dossier, "", by=dossier.owner) == []
    assert (dossier.stage, dossier.withdrawn_reason, statement.stage) == ("withdrawn", "", "revoked")
    assert dossier.withdrawn_at is not None
    with pytest.raises(LinkUnusable) as refusal:
        statements.by_link(token)
    assert refusal.value.text["nl"].startswith("Dit dossier is ingetrokken.")
    with pytest.raises(Conflict), transaction():
        withdrawing.withdraw(dossier, "", by=dossier.owner)
    assert session.scalars(select(Mail.to).where(Mail.template == "dossier_withdrawn")).all() == [dossier.owner.email]
    assert session.scalars(select(DossierEvent.kind)).all() == ["created", "withdrawn"]
    world.dossier(dossier.owner)  # and a new one may begin


def test_office_says_why(world: World) -> None:
    dossier, office = world.dossier(), world.account("Of Fice", "office")
    with pytest.raises(InvalidInput), transaction():
        withdrawing.withdraw(dossier, " ", by=office)
    assert dossier.stage == "draft"
    with transaction():
        withdrawing.withdraw(dossier, "Overleden", by=office)
    assert dossier.withdrawn_reason == "Overleden"


def test_what_was_being_sealed_is_left_alone(world: World) -> None:
    dossier = world.dossier()
    world.fill(dossier)
    snapshot = world.submit(dossier)
    with transaction():
        withdrawing.withdraw(dossier, "", by=dossier.owner)
    assert ("snapshot", snapshot.id) not in pipeline.due()
    pipeline.run_snapshot(world.installation, snapshot.id)
    assert world.fresh(snapshot).stage == "submitted"


def test_supervisors_and_mentors_who_wait_for_it_are_told(world: World) -> None:
    office = world.account("Of Fice", "office")
    asked, read = world.dossier(), world.dossier(world.account("Kan Didaat", "candidate"))
    statement, _ = world.invite(asked)
    with transaction():
        mentors.invite(asked, name="Men Tor", email="men@praktijk.example", language="en", settings=world.settings)
    token = session.scalars(select(Mail).where(Mail.template == "mentor_invitation")).one().data["link"].rpartition("/")[2]
    mentor = world.account("Me Lezer", "mentor")
    world.mentor(read, mentor)
    with transaction():
        withdrawing.withdraw(asked, "Op verzoek", by=office)
        withdrawing.withdraw(read, "Op verzoek", by=office)
    told = select(Mail.template, Mail.to, Mail.language).where(Mail.template.regexp_match("^(supervisor|mentor).*withdrawn$"))
    assert session.execute(told.order_by(Mail.id)).all() == [
        ("supervisor_withdrawn", statement.email, "nl"),
        ("mentor_invitation_withdrawn", "men@praktijk.example", "en"),
        ("mentor_withdrawn", mentor.email, "nl"),
    ]
    assert session.scalars(select(Message.template).where(Message.account_id == mentor.id)).all() == ["mentor_withdrawn"]
    with pytest.raises(LinkUnusable) as refusal:
        mentors.by_link(token)
    assert refusal.value.text["nl"].startswith("Dit dossier is ingetrokken.")
