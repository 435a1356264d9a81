"""Somebody of the office who is a candidate too, or was a candidate's supervisor: what he does not see, and cannot do."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from test_office_dossier import REQUIREMENTS, Desk
from test_office_dossier import desk as desk

from app.accounts.models import Account, AccountRole
from app.assessment.models import Admission, Assessment, Assignment
from app.audit import AuditEntry
from app.dossiers import mentors
from app.dossiers.models import Dossier
from app.extensions import session, transaction
from app.mail import Mail

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]


@pytest.fixture
def assessor_id(desk: Desk, make_account: MakeAccount, login: Login) -> int:
    """Assesses the dossier of a candidate who works at the office; another declared a conflict of interest."""
    with transaction():
        session.add(AccountRole(account_id=desk.dossier.owner_id, role="office"))
    desk.check("admit")
    people = [make_account(name, "assessor") for name in ("Ad Rem", "Bo Ek")]
    ids = [one.id for one in people]
    assessment_id = session.scalars(select(Assessment.id)).one()
    session.rollback()
    for one in ids:
        desk.office.post(f"/secretariaat/beoordelingen/{assessment_id}/toewijzen", data={"assessor": one})
    login(people[0]).post(f"/beoordelen/{assessment_id}/verklaring", data={"interest": "none"})
    login(people[1]).post(f"/beoordelen/{assessment_id}/verklaring", data={"interest": "some", "reason": "Mijn nicht"})
    session.rollback()
    return ids[0]


def test_candidate_of_the_office_sees_nowhere_who_assesses_him(desk: Desk, assessor_id: int) -> None:
    own = desk.candidate
    places = {
        "/secretariaat": ("Ad Rem", "Bo Ek"),
        "/secretariaat/dossiers.csv": ("Ad Rem", "Bo Ek"),
        "/secretariaat/post": ("ad.rem", "bo.ek", desk.reference),
        f"/secretariaat/mensen/{assessor_id}": (desk.reference,),
        f"/secretariaat/mensen/{assessor_id}/sluiten": (desk.reference,),
        "/logboek": (desk.reference,),
        f"/logboek?wat={desk.reference}": ("Ad Rem", "Bo Ek"),
        "/logboek?wie=Ad+Rem": (desk.reference,),
        "/logboek/logboek.csv": (desk.reference, "verdict", "conflict"),
        "/secretariaat/vastgelopen": ("ad.rem", "bo.ek"),
        "/secretariaat/mensen.xlsx": (),
        "/logboek/beoordelingen": ("Ad Rem", "Bo Ek", desk.reference),
    }
    for place, secrets in places.items():
        answer = own.get(place)
        assert answer.status_code == 200, place
        html = answer.data.decode(errors="replace")
        assert [one for one in secrets if one in html] == [], place
    for place in ("/secretariaat/post", f"/secretariaat/mensen/{assessor_id}", "/logboek", "/logboek/beoordelingen"):
        assert "een collega kan die zien" in own.get(place).get_data(as_text=True), place
    assert "Een beoordelaar is niet onafhankelijk" in own.get("/secretariaat").get_data(as_text=True)
    colleague = desk.office.get("/logboek/beoordelingen").get_data(as_text=True)
    assert ("Ad Rem" in colleague, "een collega kan die zien" in colleague) == (True, False)


def test_candidate_of_the_office_cannot_shut_his_assessor_out_nor_learn_who_it_is(
    desk: Desk, assessor_id: int, make_account: MakeAccount
) -> None:
    stranger = make_account("Ster Vreemd", "assessor").id
    place = f"/secretariaat/mensen/{assessor_id}"
    for path, form in (
        ("/sluiten", {"assignments": "end"}),
        ("/rollen", {"roles": "mentor", "shown": "assessor"}),
    ):
        said = []
        for person in (assessor_id, stranger):
            answer = desk.candidate.post(f"/secretariaat/mensen/{person}{path}", data=form, follow_redirects=True)
            (words,) = re.findall(r"Zolang uw eigen dossier [^<]+", answer.get_data(as_text=True))
            said.append(words)
        assert said[0] == said[1], path
    session.rollback()
    account = session.get_one(Account, assessor_id)
    ended = session.scalar(select(Assignment.ended_at).where(Assignment.assessor_id == assessor_id))
    assert (account.disabled_at, sorted(account.roles), ended) == (None, ["assessor"], None)
    session.rollback()
    desk.office.post(place + "/sluiten", data={"assignments": "end"})
    session.rollback()
    assert session.get_one(Account, assessor_id).disabled_at is not None
    told = session.scalars(select(Mail.template).where(Mail.to == "ad.rem@voorbeeld.nl").order_by(Mail.id)).all()
    assert told[-2:] == ["account_disabled", "assignment_ended"]


def test_mails_about_ones_own_dossier_are_for_a_colleague_also_without_its_reference(desk: Desk, assessor_id: int) -> None:
    with transaction():
        dossier = session.get_one(Dossier, desk.dossier_id)
        dossier.stage = "returned"
        mentors.invite(dossier, name="Men Tor", email="men.tor@elders.nl", language="nl", settings=desk.installation.settings)
        dossier.stage = "in_assessment"
    page = desk.candidate.get("/secretariaat/post").get_data(as_text=True)
    assert [one for one in ("m.jansen@", "men.tor@", desk.reference) if one in page] == []
    colleague = desk.office.get("/secretariaat/post").get_data(as_text=True)
    assert "men.tor@elders.nl" in colleague
    session.rollback()
    ids = session.scalars(select(Mail.id).where(Mail.to.in_(["men.tor@elders.nl", "m.jansen@example.org"]))).all()
    assert len(ids) > 1
    for one in ids:
        assert desk.candidate.post(f"/secretariaat/post/{one}/opnieuw").status_code == 404
    session.rollback()
    assert "mail.retried" not in session.scalars(select(AuditEntry.action)).all()


def test_supervisor_at_the_office_leaves_the_dossier_to_a_colleague(desk: Desk, make_account: MakeAccount, login: Login) -> None:
    office = login(make_account("Marieke Jansen", "office", email="m.jansen@example.org"))
    form = {f"state-{one}": "met" for one in REQUIREMENTS} | {"revision": "1", "action": "admit"}
    answer = office.post(desk.path + "/toelating", data=form)
    assert (answer.status_code, "een collega behandelt het" in answer.get_data(as_text=True)) == (403, True)
    assert [office.get(desk.path + path).status_code for path in ("", "/documenten/1/pdf")] == [403, 403]
    session.rollback()
    assert session.scalars(select(Admission)).all() == []
    assert office.get("/secretariaat").status_code == 200


def test_nobody_assigns_himself(desk: Desk, make_account: MakeAccount, login: Login) -> None:
    desk.check("admit")
    kees = make_account("Kees Kantoor", "office", "assessor")
    assessment_id, kees_id = session.scalars(select(Assessment.id)).one(), kees.id
    session.rollback()
    answer = login(kees).post(
        f"/secretariaat/beoordelingen/{assessment_id}/toewijzen", data={"assessor": kees_id}, follow_redirects=True
    )
    assert "Niemand wijst zichzelf aan" in answer.get_data(as_text=True)
    session.rollback()
    assert session.scalars(select(Assignment)).all() == []
