"""A mentor's pages and the candidate's side of them: the link, the draft as long as it is one, comments beside the form."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import filling
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from app.accounts.models import Account
from app.assessment.models import Assessment, Assignment
from app.audit import AuditEntry
from app.dossiers import answers, mentors
from app.dossiers.models import DOSSIER_STAGES, Dossier, MentorComment, Mentorship
from app.extensions import now, session, transaction
from app.mail import Mail
from app.pipeline import Installation

SECRET = "Mijn leidinggevende wilde er niet van horen."
Login = Callable[[Account], FlaskClient]
Make = Callable[..., Account]


@pytest.fixture
def owner(make_account: Make) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(owner: Account, installation: Installation) -> Dossier:
    made = filling.start(owner, installation)
    proof = filling.checked_file(made, installation, "bewijs.pdf")
    filling.checked_file(made, installation, "nergens-gebruikt.pdf")
    with transaction():
        answers.put_answer(made, "development_report", "goals", SECRET)
        answers.put_answer(made, "personal", "cv", [proof])
    return made


@pytest.fixture
def candidate(owner: Account, dossier: Dossier, login: Login) -> FlaskClient:
    return login(owner)


@pytest.fixture
def person(make_account: Make) -> Account:
    return make_account("Men Tor", "candidate", email="men.tor@elders.nl")


def invite(candidate: FlaskClient, dossier: Dossier, **changes: str) -> Any:
    asked = {"name": "M. Tor", "email": "men@praktijk.example", "language": "nl"} | changes
    return candidate.post(f"/dossier/{dossier.reference}/mentor", data=asked)


def link() -> str:
    session.rollback()
    mail = session.scalars(select(Mail).where(Mail.template == "mentor_invitation").order_by(Mail.id.desc()).limit(1)).one()
    return str(mail.data["link"])


@pytest.fixture
def reader(candidate: FlaskClient, dossier: Dossier, person: Account, login: Login) -> FlaskClient:
    """The mentor, logged in, who accepted."""
    invite(candidate, dossier)
    client = login(person)
    answer = client.post(f"{link()}/aannemen")
    assert answer.headers["Location"] == f"/meelezen/{mentorship().id}"
    return client


def mentorship() -> Mentorship:
    session.rollback()
    return session.scalars(select(Mentorship).order_by(Mentorship.id.desc()).limit(1)).one()


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


# --- the link ------------------------------------------------------------------------------------------------------


def test_the_link_shows_who_asks_and_what_it_means_and_changes_nothing(
    candidate: FlaskClient, dossier: Dossier, client: FlaskClient
) -> None:
    invite(candidate, dossier)
    address = link()
    page = text(client.get(address))
    for words in ("meelezen met Sanne de Vries", "U kunt Sanne de Vries daarna nooit beoordelen", f"next={address}"):
        assert words in page
    for secret in (SECRET, dossier.reference, "bewijs.pdf"):
        assert secret not in page
    assert "Ik doe mee" not in page
    assert (mentorship().mentor_id, mentorship().ended_at) == (None, None)
    assert client.post(f"{address}/aannemen").headers["Location"].startswith("/inloggen")


def test_who_registers_for_it_comes_back_to_it(candidate: FlaskClient, dossier: Dossier, client: FlaskClient) -> None:
    invite(candidate, dossier)
    address = link()
    assert f'name="next" value="{address}"' in text(client.get(f"/registreren?next={address}"))
    typed = {"name": "Nieuw Mens", "email": "nieuw@elders.nl", "password": "paarden eten graag wortels", "next": address}
    assert client.post("/registreren", data=typed).status_code == 302
    session.rollback()
    confirm = session.scalars(select(Mail).where(Mail.template == "confirm_email")).one().data["link"]
    login_page = client.post(confirm).headers["Location"]
    assert login_page == f"/inloggen?next={address}"
    sent = {"email": "nieuw@elders.nl", "password": "paarden eten graag wortels", "next": address}
    assert client.post("/inloggen", data=sent).headers["Location"] == address
    assert "Ik doe mee" in text(client.get(address))


def test_accepting_twice_is_once_and_the_candidate_sees_whose_account_it_is(
    reader: FlaskClient, candidate: FlaskClient, dossier: Dossier
) -> None:
    address = link()
    assert reader.post(f"{address}/aannemen").status_code == 302
    assert reader.get(address).headers["Location"] == f"/meelezen/{mentorship().id}"
    page = text(candidate.get(f"/dossier/{dossier.reference}/mentor"))
    assert "men.tor@elders.nl" in page
    assert "U stuurde de uitnodiging aan M. Tor, men@praktijk.example." in page
    session.rollback()
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "mentorship.accepted")).all()) == 1


def test_declining_needs_no_account_and_ends_it(candidate: FlaskClient, dossier: Dossier, client: FlaskClient) -> None:
    invite(candidate, dossier)
    address = link()
    assert "Ik lees niet mee" in text(client.get(f"{address}/niet"))
    assert mentorship().ended_at is None
    assert "U leest niet mee" in text(client.post(f"{address}/niet"))
    assert mentorship().ended_at is not None
    assert client.post(f"{address}/niet").status_code == 410
    assert client.get(address).status_code == 410


def test_the_candidate_cannot_take_the_invitation_himself(candidate: FlaskClient, dossier: Dossier) -> None:
    invite(candidate, dossier)
    page = text(candidate.get(link()))
    assert "Dit is een uitnodiging van uzelf." in page
    assert "Ik doe mee" not in page
    assert candidate.post(f"{link()}/aannemen").status_code in (403, 404)
    assert mentorship().mentor_id is None


def appoint(dossier: Dossier, assessor: Account) -> None:
    with transaction():
        assessment = Assessment(dossier_id=dossier.id)
        session.add(assessment)
        session.flush()
        session.add(Assignment(assessment_id=assessment.id, assessor_id=assessor.id))


def test_who_judges_the_candidate_cannot_be_asked_nor_accept(
    candidate: FlaskClient, dossier: Dossier, make_account: Make, login: Login
) -> None:
    assessor = make_account("As Sessor", "assessor")
    appoint(dossier, assessor)
    refused = invite(candidate, dossier, email="as.sessor+x@voorbeeld.nl")
    assert refused.status_code == 422
    assert "Deze persoon is aangewezen om een dossier van de kandidaat te beoordelen." in text(refused)
    assert "as.sessor+x@voorbeeld.nl" in text(refused)  # what was typed stays
    invite(candidate, dossier)
    client = login(assessor)
    assert "Ik doe mee" not in text(client.get(link()))
    assert client.post(f"{link()}/aannemen").status_code == 422
    assert mentorship().mentor_id is None


def test_inviting_twice_is_once(candidate: FlaskClient, dossier: Dossier) -> None:
    assert [invite(candidate, dossier).status_code for _ in range(2)] == [302, 302]
    session.rollback()
    assert len(session.scalars(select(Mail).where(Mail.template == "mentor_invitation")).all()) == 1


# --- reading -------------------------------------------------------------------------------------------------------


def test_the_mentor_reads_answers_and_opens_only_files_that_are_used(reader: FlaskClient, dossier: Dossier) -> None:
    base = f"/meelezen/{mentorship().id}"
    page = text(reader.get(f"{base}/onderdeel/development_report"))
    assert SECRET in page
    used, unused = (session.scalars(select(filling.Evidence.id).where(filling.Evidence.name == name)).one()
                    for name in ("bewijs.pdf", "nergens-gebruikt.pdf"))  # fmt: skip
    assert f"{base}/bewijs/{used}" in text(reader.get(f"{base}/onderdeel/personal"))
    answer = reader.get(f"{base}/bewijs/{used}")
    assert (answer.status_code, answer.data) == (200, filling.PDF + b"cleaned bewijs.pdf")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert reader.get(f"{base}/bewijs/{unused}").status_code == 404
    session.rollback()
    seen = session.execute(
        select(AuditEntry.action, AuditEntry.thing)
        .where(AuditEntry.action.in_(["mentorship.viewed", "evidence.downloaded"]))
        .order_by(AuditEntry.id)
    )
    assert [tuple(one) for one in seen] == [
        ("mentorship.viewed", f"dossier:{dossier.id}"), ("mentorship.viewed", f"dossier:{dossier.id}"),
        ("evidence.downloaded", f"evidence:{used}"),
    ]  # fmt: skip


@pytest.mark.parametrize("closed", [*(stage for stage in DOSSIER_STAGES if stage not in ("draft", "returned")), "ended"])
def test_nothing_of_the_dossier_is_left_once_it_is_no_draft_or_it_ended(
    reader: FlaskClient, candidate: FlaskClient, dossier: Dossier, closed: str
) -> None:
    base = f"/meelezen/{mentorship().id}"
    with transaction():
        if closed == "ended":
            session.execute(update(Mentorship).values(ended_at=now()))
        else:
            session.execute(update(Dossier).values(stage=closed))
    page = reader.get(base)
    assert (page.status_code, "Hier is nu niets te lezen" in text(page), "Ontwikkelingsverslag" in text(page)) == (
        200,
        True,
        False,
    )
    item = session.scalars(select(filling.Evidence.id).where(filling.Evidence.name == "bewijs.pdf")).one()
    session.rollback()
    why = {"ended": "Het meelezen is beëindigd.", "withdrawn": "Het dossier is ingetrokken."}.get(closed, "is ingediend")
    for path in ("/onderdeel/development_report", f"/bewijs/{item}", "/stoppen"):
        answer = reader.get(base + path)
        assert (answer.status_code, why in text(answer)) == (403, True)
        assert SECRET not in text(answer)
        assert "U leest niet mee met Sanne de Vries." in text(answer)
        assert '<a class="govuk-link" href="/meelezen">Met wie u meeleest</a>' in text(answer)
    refused = reader.post(f"{base}/onderdeel/personal", data={"text": "Nog iets over uw casus"})
    assert (refused.status_code, "Nog iets over uw casus" in text(refused)) == (403, True)
    assert f"Uw opmerking is niet bewaard. {why if closed == 'ended' else 'Het dossier is'}" in text(refused)
    again = reader.post(f"{base}/stoppen")
    assert (again.status_code, again.headers.get("Location")) == ((302, "/meelezen") if closed == "ended" else (403, None))
    home = text(reader.get("/meelezen"))
    assert "U leest nu met niemand mee" in home
    assert "Met wie u meelas, kunt u nooit beoordelen." in home
    if closed == "submitted":
        with transaction():
            session.execute(update(Dossier).values(stage="returned"))
        assert SECRET in text(reader.get(f"{base}/onderdeel/development_report"))


@contextmanager
def counted(client: FlaskClient) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    engine = client.application.extensions["engine"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_the_mentors_list_takes_as_many_queries_for_five_people_as_for_one(
    reader: FlaskClient, person: Account, make_account: Make, installation: Installation
) -> None:
    taken = []
    for number in range(2):
        with counted(reader) as asked:
            page = text(reader.get("/meelezen"))
        taken.append(len(asked))
        if not number:
            assert "2 onderdelen met tekst die u nog niet las" in page
            for one in "abcd":
                made = filling.start(make_account(f"Kandidaat {one}", "candidate"), installation)
                with transaction():
                    own = mentors.invite(made, name="M", email="m@x.nl", language="nl", settings=installation.settings)
                    mentors.accept(own, session.get_one(Account, person.id))
    assert taken[0] == taken[1]
    assert page.count('id="person-') == 5


# --- comments ------------------------------------------------------------------------------------------------------


def test_a_comment_stands_beside_the_form_and_is_ticked_off_with_what_was_typed(
    reader: FlaskClient, candidate: FlaskClient, dossier: Dossier
) -> None:
    section = f"/meelezen/{mentorship().id}/onderdeel/development_report"
    for _ in range(2):  # a double click
        assert reader.post(section, data={"text": "Hoe weet u dat? <b>Vertel</b>"}).status_code == 302
    session.rollback()
    remark = session.scalars(select(MentorComment)).one()
    own = f"/dossier/{dossier.reference}"
    assert "1 opmerking van uw mentor" in text(candidate.get(own))
    page = text(candidate.get(f"{own}/onderdeel/development_report"))
    assert "Hoe weet u dat? &lt;b&gt;Vertel&lt;/b&gt;" in page
    version = page.split('name="version" value="')[1].split('"')[0]
    typed = {"version": version, "goals": "Nieuwe tekst", "action": f"done:{remark.id}", "finished": "yes"}
    answer = candidate.post(f"{own}/onderdeel/development_report", data=typed)
    assert answer.headers["Location"] == f"{own}/onderdeel/development_report#opmerking-{remark.id}"
    page = text(candidate.get(f"{own}/onderdeel/development_report"))
    assert "Nieuwe tekst</textarea>" in page
    session.rollback()
    assert session.get_one(MentorComment, remark.id).done_at is not None
    assert "opmerking van uw mentor" not in text(candidate.get(own))
    assert candidate.post(f"{own}/mentor/opmerkingen", data={"action": f"again:{remark.id}"}).status_code == 302
    session.rollback()
    assert session.get_one(MentorComment, remark.id, populate_existing=True).done_at is None


def test_a_comment_of_another_dossier_cannot_be_ticked_or_edited(
    reader: FlaskClient, dossier: Dossier, make_account: Make, installation: Installation, login: Login
) -> None:
    section = f"/meelezen/{mentorship().id}/onderdeel/personal"
    reader.post(section, data={"text": "Vertel meer."})
    session.rollback()
    remark = session.scalars(select(MentorComment.id)).one()
    other = make_account("Piet Post", "candidate")
    theirs = filling.start(other, installation)
    stranger = login(other)
    assert stranger.post(f"/dossier/{theirs.reference}/mentor/opmerkingen", data={"action": f"done:{remark}"}).status_code == 302
    session.rollback()
    assert session.get_one(MentorComment, remark).done_at is None
    with transaction():
        own = mentors.invite(theirs, name="M", email="m@x.nl", language="nl", settings=installation.settings)
        mentors.accept(own, session.scalars(select(Account).where(Account.email == "men.tor@elders.nl")).one())
        elsewhere = own.id
    assert reader.get(f"/meelezen/{elsewhere}/opmerkingen/{remark}").status_code == 404


def test_a_stale_window_keeps_what_was_typed_in_it(reader: FlaskClient) -> None:
    base = f"/meelezen/{mentorship().id}"
    reader.post(f"{base}/onderdeel/personal", data={"text": "Eerste."})
    session.rollback()
    path = f"{base}/opmerkingen/{session.scalars(select(MentorComment.id)).one()}"
    assert reader.post(path, data={"text": "Tweede.", "before": "Eerste.", "action": "save"}).status_code == 302
    answer = reader.post(path, data={"text": "Derde.", "before": "Eerste.", "action": "save"})
    assert answer.status_code == 409
    assert "Derde." in text(answer)
    assert "Zo staat de opmerking er nu" in text(answer)
    assert reader.post(path, data={"text": "", "before": "", "action": "remove"}).status_code == 302
    assert reader.get(path).status_code == 404


def test_the_candidates_own_words_keep_their_language_on_an_english_page(
    reader: FlaskClient, candidate: FlaskClient, dossier: Dossier
) -> None:
    address = f"/meelezen/{mentorship().id}/onderdeel/development_report"
    assert '<div lang="nl">' not in text(reader.get(address))
    reader.set_cookie("language", "en")
    assert '<div lang="nl">' in text(reader.get(address))
    own = f"/dossier/{dossier.reference}/onderdeel/development_report"
    assert 'spellcheck="true" lang="nl"' not in text(candidate.get(own))
    candidate.set_cookie("language", "en")
    assert 'spellcheck="true" lang="nl"' in text(candidate.get(own))


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("submitted", "Het dossier is op 3 november 2026 ingediend. Wordt het teruggestuurd om aan te vullen"),
        ("in_assessment", "Het dossier is op 3 november 2026 ingediend. De beoordelaars lezen het nu."),
        ("decided", "Het dossier is op 3 november 2026 ingediend. Er is een besluit genomen."),
    ],
)
def test_a_section_after_submission_says_when_it_was_submitted(reader: FlaskClient, stage: str, words: str) -> None:
    with transaction():
        session.execute(update(Dossier).values(stage=stage, submitted_at=datetime(2026, 11, 3, 9, tzinfo=UTC)))
    answer = reader.get(f"/meelezen/{mentorship().id}/onderdeel/development_report")
    assert (answer.status_code, words in text(answer)) == (403, True)


def test_an_invitation_with_faults_while_one_stands_shows_the_page_as_it_is(candidate: FlaskClient, dossier: Dossier) -> None:
    invite(candidate, dossier)
    answer = invite(candidate, dossier, name="", email="geen adres")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/dossier/{dossier.reference}/mentor")
    page = text(candidate.get(answer.headers["Location"]))
    assert "U hebt al een mentor uitgenodigd." in page
    assert 'href="#email"' not in page


def test_an_empty_comment_is_refused_beside_its_field(reader: FlaskClient) -> None:
    answer = reader.post(f"/meelezen/{mentorship().id}/onderdeel/personal", data={"text": "  "})
    assert answer.status_code == 422
    assert text(answer).count("Schrijf eerst uw opmerking.") == 2


def test_ending_by_the_candidate_closes_the_door_at_once(reader: FlaskClient, candidate: FlaskClient, dossier: Dossier) -> None:
    made = mentorship().id
    path = f"/dossier/{dossier.reference}/mentor/{made}/stoppen"
    assert "Wilt u het meelezen beëindigen?" in text(candidate.get(path))
    assert [candidate.post(path).status_code for _ in range(2)] == [302, 302]
    assert reader.get(f"/meelezen/{made}/onderdeel/personal").status_code == 403
    assert invite(candidate, dossier, email="ander@praktijk.example").status_code == 302
    assert mentorship().id != made
