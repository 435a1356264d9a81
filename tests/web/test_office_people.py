"""The office's pages of people: each deed as a page, what was typed stays, refusals in words, and never twice."""

from collections.abc import Callable

import pytest
from filling import start
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.accounts.models import Account
from app.assessment.models import Assessment, Assignment
from app.audit import AuditEntry
from app.dossiers.models import Dossier
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]
PEOPLE = "/secretariaat/mensen"
NEW = "paraplu onder een groene bank"


@pytest.fixture
def office(make_account: MakeAccount) -> Account:
    return make_account("Ilse Smit", "office")


@pytest.fixture
def desk(office: Account, login: Login) -> FlaskClient:
    return login(office)


def text(answer: object) -> str:
    return answer.get_data(as_text=True)  # type: ignore[attr-defined, no-any-return]


def test_an_invited_assessor_chooses_a_password_and_comes_in(desk: FlaskClient, client: FlaskClient) -> None:
    form = {"name": "Els Bos", "email": "Els@Voorbeeld.NL", "roles": ["assessor"], "language": "nl"}
    page = text(desk.post(f"{PEOPLE}/uitnodigen", data=form, follow_redirects=True))
    assert "Wij hebben Els Bos een uitnodiging gestuurd." in page
    assert "Stuur de uitnodiging opnieuw" in page
    session.rollback()
    link = session.scalars(select(Mail).where(Mail.template == "account_invitation")).one().data["link"]
    assert "Welkom, Els Bos" in text(client.get(link))
    assert "Minstens 12 tekens" in text(client.post(link, data={"password": "kort"}))
    assert "Uw account staat klaar" in text(client.post(link, data={"password": NEW}, follow_redirects=True))
    assert client.get(link).status_code == 410
    answer = client.post("/inloggen", data={"email": "els@voorbeeld.nl", "password": NEW})
    assert answer.headers["Location"] == "/beoordelen"


def test_what_was_typed_stays_beside_the_errors(desk: FlaskClient) -> None:
    answer = desk.post(f"{PEOPLE}/uitnodigen", data={"name": "Els Bos", "email": "geen adres", "language": "en"})
    page = text(answer)
    assert answer.status_code == 422
    assert 'value="Els Bos"' in page
    assert 'value="geen adres"' in page
    assert page.count("Kies minstens één rol.") == 2
    session.rollback()
    assert session.scalars(select(Account.name)).all() == ["Ilse Smit"]


def test_roles_are_changed_and_a_stale_tab_is_told(desk: FlaskClient, make_account: MakeAccount, office: Account) -> None:
    els = make_account("Els Bos", "candidate")
    path = f"{PEOPLE}/{els.id}/rollen"
    form = {"roles": ["candidate", "assessor"], "shown": "candidate"}
    assert "De rollen van Els Bos zijn gewijzigd." in text(desk.post(path, data=form, follow_redirects=True))
    assert "Dit was al zo." in text(desk.post(path, data=form, follow_redirects=True))
    stale = {"roles": ["candidate", "mentor"], "shown": "candidate"}
    assert "Een collega heeft de rollen intussen gewijzigd" in text(desk.post(path, data=stale, follow_redirects=True))
    own = {"roles": ["candidate"], "shown": "office"}
    answer = desk.post(f"{PEOPLE}/{office.id}/rollen", data=own, follow_redirects=True)
    assert "U kunt uw eigen rol bij het secretariaat niet weghalen" in text(answer)
    session.rollback()
    assert session.get_one(Account, els.id).roles == {"candidate", "assessor"}


def test_a_role_taken_away_in_the_middle_of_a_page_counts_at_once(
    desk: FlaskClient, make_account: MakeAccount, login: Login
) -> None:
    colleague = make_account("Fatima Bouzid", "office", "candidate")
    theirs = login(colleague)
    assert theirs.get(PEOPLE).status_code == 200
    desk.post(f"{PEOPLE}/{colleague.id}/rollen", data={"roles": ["candidate"], "shown": "candidate office"})
    assert theirs.get(PEOPLE).status_code == 403
    assert theirs.post(f"{PEOPLE}/{colleague.id}/rollen", data={"roles": ["office"], "shown": "candidate"}).status_code == 403


def test_closing_logs_out_at_once_and_opening_lets_in_again(desk: FlaskClient, make_account: MakeAccount, login: Login) -> None:
    els = make_account("Els Bos", "assessor")
    theirs = login(els)
    assert theirs.get("/beoordelen").status_code == 200
    assert "wordt meteen overal uitgelogd" in text(desk.get(f"{PEOPLE}/{els.id}/sluiten"))
    assert theirs.get("/beoordelen").status_code == 200
    for words in ("Het account van Els Bos is gesloten.", "Dit was al zo."):
        assert words in text(desk.post(f"{PEOPLE}/{els.id}/sluiten", follow_redirects=True))
    assert theirs.get("/beoordelen").headers["Location"].startswith("/inloggen")
    assert "weer open" in text(desk.post(f"{PEOPLE}/{els.id}/openen", follow_redirects=True))
    assert login(els).get("/beoordelen").status_code == 200


def test_ending_logins_and_the_list_as_a_file(
    desk: FlaskClient, make_account: MakeAccount, login: Login, office: Account
) -> None:
    els = make_account("Els Bos", "assessor")
    theirs = login(els)
    assert "is overal uitgelogd" in text(desk.post(f"{PEOPLE}/{els.id}/uitloggen", follow_redirects=True))
    assert theirs.get("/beoordelen").status_code == 302
    lines = text(desk.get(f"{PEOPLE}.csv?rol=assessor")).splitlines()
    assert len(lines) == 2
    assert '"Els Bos","els.bos@voorbeeld.nl","Beoordelaar","Actief"' in lines[1]
    session.rollback()
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.action, last.thing, last.details["rows"]) == ("list.exported", "list:mensen", 1)


def test_the_list_costs_the_same_for_one_and_for_many(desk: FlaskClient, make_account: MakeAccount) -> None:
    asked: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *call: asked.append(call[2]))

    def queries() -> int:
        asked.clear()
        assert desk.get(PEOPLE).status_code == 200
        return len(asked)

    queries()
    few = queries()
    for number in range(5):
        make_account(f"Persoon {number}", "candidate", "assessor")
    assert queries() == few
    assert "Niemand gevonden" in text(desk.get(f"{PEOPLE}?q=zzz"))
    assert desk.get(f"{PEOPLE}/9999").status_code == 404


def test_closing_an_assessors_account_can_end_the_open_assignments(
    desk: FlaskClient, make_account: MakeAccount, installation: Installation
) -> None:
    els = make_account("Els Bos", "assessor")
    dossier = start(make_account("Sanne de Vries", "candidate"), installation)
    with transaction():
        session.get_one(Dossier, dossier.id).stage = "in_assessment"
        assessment = Assessment(dossier_id=dossier.id)
        session.add(assessment)
        session.flush()
        session.add(Assignment(assessment_id=assessment.id, assessor_id=els.id))
    roles = {"roles": ["candidate"], "shown": "assessor"}
    page = text(desk.post(f"{PEOPLE}/{els.id}/rollen", data=roles, follow_redirects=True))
    assert "Els Bos heeft nog dossiers te beoordelen." in page
    page = text(desk.get(f"{PEOPLE}/{els.id}/sluiten"))
    assert dossier.reference in page
    desk.post(f"{PEOPLE}/{els.id}/sluiten", data={"assignments": "end"})
    session.rollback()
    assert session.scalars(select(Assignment.ended_at)).one() is not None
    assert session.scalars(select(AuditEntry.action).where(AuditEntry.action == "assessment.unassigned")).all() != []
