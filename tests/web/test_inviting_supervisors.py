"""The candidate's page of a supervisor's statement: correcting, asking again, a new copy; and twice is once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.accounts.models import Account
from app.dossiers import contents as dossier_contents
from app.dossiers import invitations, starting, statements
from app.dossiers.answers import save_section
from app.dossiers.models import Dossier, Statement
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation

CALLER = {"address": "192.0.2.9", "user_agent": "Safari"}
PAGE = "verklaring/supervisor/statement"


@pytest.fixture
def owner(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def reference(owner: Account, installation: Installation) -> str:
    with transaction():
        made = starting.start(
            owner, "recertification", "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings
        )
        save_section(made, "development_report", {"goals": "Dit schreef ik."}, 0)
        invitations.invite(
            dossier_contents.read(made), "supervisor", "statement",
            name="Marieke Jansen", email="m.jansen@voorbeeld.nl", language="nl", settings=installation.settings,
        )  # fmt: skip
        return made.reference


@pytest.fixture
def candidate(owner: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(owner)


def newest() -> Statement:
    session.rollback()
    return session.scalars(select(Statement).order_by(Statement.id.desc())).first()  # type: ignore[return-value]


def sign() -> None:
    number = newest().id
    with transaction():
        statement = session.get_one(Statement, number)
        contents = dossier_contents.read(statement.dossier)
        statements.note_read(statement, contents, **CALLER)
        statements.sign(statement, contents, typed_name="Marieke Jansen", **CALLER)


def change(reference: str) -> None:
    with transaction():
        dossier = session.scalars(select(Dossier).where(Dossier.reference == reference)).one()
        save_section(dossier, "development_report", {"goals": "Nu anders."}, 1)


def deed(candidate: FlaskClient, reference: str, number: int, name: str, /, **form: str) -> str:
    address = f"/dossier/{reference}/verklaringen/{number}/{name}"
    return candidate.post(address, data=form, follow_redirects=True).get_data(as_text=True)


def test_a_corrected_address_gets_a_new_invitation_once(candidate: FlaskClient, reference: str) -> None:
    first = newest().id
    page = candidate.get(f"/dossier/{reference}/verklaringen/{first}/corrigeren").get_data(as_text=True)
    assert 'value="m.jansen@voorbeeld.nl"' in page
    wrong = deed(candidate, reference, first, "corrigeren", name="Marieke Jansen", email="sanne.de.vries+x@voorbeeld.nl")
    assert "Dit is uw eigen e-mailadres." in wrong
    right = {"name": "Marieke Jansen", "email": "marieke@voorbeeld.nl"}
    assert "De uitnodiging is verstuurd naar marieke@voorbeeld.nl." in deed(candidate, reference, first, "corrigeren", **right)
    second = newest()
    assert (second.email, second.stage, second.id != first) == ("marieke@voorbeeld.nl", "invited", True)
    assert "al gegeven of ingetrokken" in deed(candidate, reference, first, "corrigeren", **right)
    assert [one.email for one in session.scalars(select(Statement).order_by(Statement.id))] == [
        "m.jansen@voorbeeld.nl",
        "marieke@voorbeeld.nl",
    ]


def test_a_stale_statement_is_asked_again_with_one_click_and_a_second_does_nothing(
    candidate: FlaskClient, reference: str
) -> None:
    sign()
    first = newest().id
    session.rollback()
    assert "Vraag opnieuw te bevestigen" not in candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    change(reference)
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    assert "Vraag opnieuw te bevestigen" in page
    assert "Gewijzigd na de handtekening: Ontwikkelingsverslag." in " ".join(page.split())
    assert "Niet meer geldig" in candidate.get(f"/dossier/{reference}").get_data(as_text=True)
    assert "krijgt een e-mail om de verklaring opnieuw te bevestigen" in deed(candidate, reference, first, "opnieuw")
    assert "U hoeft niets te doen." in deed(candidate, reference, first, "opnieuw")
    assert (newest().renews_id, newest().stage) == (first, "invited")
    assert len(session.scalars(select(Mail).where(Mail.template == "supervisor_again")).all()) == 1


def test_a_new_link_to_the_copy_is_sent_only_when_it_is_signed(candidate: FlaskClient, reference: str) -> None:
    number = newest().id
    session.rollback()
    assert "Er is geen kopie." in deed(candidate, reference, number, "kopie")
    sign()
    assert "een nieuwe link naar de kopie" in deed(candidate, reference, number, "kopie")
    assert session.scalars(select(Mail.template).order_by(Mail.id.desc())).first() == "supervisor_copy"


def test_reminders_that_were_sent_are_shown(candidate: FlaskClient, reference: str) -> None:
    number = newest().id
    session.rollback()
    assert "Herinnering verstuurd op" not in candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    assert "Herinnering verstuurd op" in deed(candidate, reference, number, "herinneren")


@contextmanager
def counted(installation: Installation) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*told: object) -> None:
        seen.append(str(told[2]))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_the_page_asks_as_many_queries_with_one_reminder_as_with_four(
    candidate: FlaskClient, reference: str, installation: Installation
) -> None:
    number = newest().id
    session.rollback()
    counts = []
    for times in (1, 3):
        for _ in range(times):
            with transaction():
                statements.note_event(session.get_one(Statement, number), "reminded")
        candidate.get(f"/dossier/{reference}/{PAGE}")
        with counted(installation) as seen:
            candidate.get(f"/dossier/{reference}/{PAGE}")
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("form", [{"name": "", "email": "geen adres", "language": "nl"}, {"name": "Anna Bos"}, {}])
def test_an_invitation_with_faults_while_one_stands_shows_the_page_as_it_is(
    candidate: FlaskClient, reference: str, form: dict[str, str]
) -> None:
    answer = candidate.post(f"/dossier/{reference}/{PAGE}", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/dossier/{reference}/{PAGE}")
    page = candidate.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Voor deze verklaring hebt u al iemand uitgenodigd." in page
    assert "Marieke Jansen" in page
    assert not any(f'href="#{name}"' in page for name in ("name", "email", "language"))
