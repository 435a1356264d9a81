"""The supervisor's way: a mailed link, reading, a form, a signature; and every way in which it can go wrong."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from small_world import pdf, png
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import jobs
from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers import invitations, starting, statements, submission
from app.dossiers.answers import save_section
from app.dossiers.models import Dossier, Evidence, Statement, StatementEvent
from app.extensions import now, session, transaction
from app.files import store
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
        invitations.invite(
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
    data = {
        **FORM,
        "version": str(version),
        "action": "sign",
        "signed_name": "Marieke Jansen",
        "signed_agree": "yes",
        "signed_independent": "yes",
        **changes,
    }
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
    assert "U opende deze link later ook ergens anders; daar gaat u verder." in first.get("/verklaren").get_data(as_text=True)
    first.set_cookie("statement", "zomaarwat")
    assert "U bent hier niet (meer) aangemeld." in first.get("/verklaren").get_data(as_text=True)


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
        invitations.revoke(session.scalars(select(Statement)).one())
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
    again = client.post("/verklaren/niet", data={"reason": "Ik ken deze kandidaat niet."})
    assert (again.status_code, again.headers["Location"]) == (302, "/verklaren/klaar")
    other = client.post("/verklaren/niet", data={"reason": "Ik ken deze kandidaat een beetje."})
    assert other.status_code == 403
    assert "Ik ken deze kandidaat een beetje." in other.get_data(as_text=True)


def test_signing_twice_is_signing_once(client: FlaskClient, token: str) -> None:
    enter(client, token)
    add_sessions(client)
    assert sign(client) == 302
    assert sign(client) == 302
    assert kinds().count("signed") == 1
    assert session.scalars(select(AuditEntry.action)).all().count("statement.signed") == 1
    assert sign(client, judgement="anders " * 80) == 403  # with what was typed, to be copied


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


# --- too late, documents, copies, and who may see what ---------------------------------------------------------------


def test_after_withdrawal_the_words_say_so_and_what_was_typed_is_given_back(
    client: FlaskClient, token: str, dossier: Dossier
) -> None:
    enter(client, token)
    with transaction():
        session.get_one(Dossier, dossier.id).stage = "submitted"
    answer = client.post("/verklaren", data={**FORM, "version": "0", "judgement": "Dit mag niet verloren gaan."})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 410
    assert "Dit dossier is al ingediend of ingetrokken." in page
    assert "Dit mag niet verloren gaan." in page
    row = {"sessions.topic": "Casus die blijft", "version": "0"}
    assert "Casus die blijft" in client.post("/verklaren/regel/sessions", data=row).get_data(as_text=True)
    session.rollback()
    assert session.scalars(select(Statement.data)).one() == {}


def test_in_another_tab_after_signing_what_was_typed_is_given_back(client: FlaskClient, token: str) -> None:
    enter(client, token)
    add_sessions(client)
    assert sign(client) == 302
    answer = client.post("/verklaren", data={**FORM, "version": "9", "judgement": "Nog een zin."})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "Deze verklaring is al ondertekend." in page
    assert "Nog een zin." in page


def test_a_revoked_supervisor_still_sees_what_he_typed_but_nothing_of_the_dossier(client: FlaskClient, token: str) -> None:
    enter(client, token)
    with transaction():
        invitations.revoke(session.scalars(select(Statement)).one())
    page = client.post("/verklaren", data={**FORM, "version": "0", "judgement": "Mijn <b>zin</b>."}).get_data(as_text=True)
    assert "Mijn &lt;b&gt;zin&lt;/b&gt;." in page
    assert "Dit schreef ik over mijn ontwikkeling." not in page


def test_signing_needs_the_declaration_of_independence(client: FlaskClient, token: str) -> None:
    enter(client, token)
    add_sessions(client)
    assert sign(client, signed_independent="") == 422
    assert sign(client, signed_name="sanne DE vries") == 422
    assert sign(client) == 302
    session.rollback()
    independence = session.scalars(select(Statement.independence)).one()
    assert independence is not None
    assert "Sanne de Vries" in independence["nl"]


def test_the_candidate_in_his_own_browser_is_refused(
    token: str, dossier: Dossier, login: Callable[[Account], FlaskClient]
) -> None:
    candidate = login(session.get_one(Dossier, dossier.id).owner)
    answer = candidate.post(f"/verklaring/{token}/verder")
    assert answer.status_code == 403
    assert "In deze browser is Sanne de Vries ingelogd." in answer.get_data(as_text=True)
    assert kinds() == ["sent"]


def upload(client: FlaskClient, data: bytes, name: str) -> TestResponse:
    version = session.scalars(select(Statement.version)).one()
    session.rollback()
    form = {**FORM, "version": str(version), "action": "upload", "documents": (io.BytesIO(data), name)}
    return client.post("/verklaren", data=form, content_type="multipart/form-data")


def test_documents_are_added_refused_by_name_and_taken_away(client: FlaskClient, token: str, installation: Installation) -> None:
    enter(client, token)
    assert upload(client, png(), "verklaring.png").headers["Location"] == "/verklaren#documents"
    refused = upload(client, b"geen plaatje", "vals.png")
    assert (refused.status_code, "vals.png" in refused.get_data(as_text=True)) == (422, True)
    page = client.get("/verklaren").get_data(as_text=True)
    assert "Wordt gecontroleerd" in page
    assert 'data-poll="/verklaren"' in page
    assert sign(client) == 422
    jobs.drain(installation)
    page = client.get("/verklaren").get_data(as_text=True)
    assert "Wordt gecontroleerd" not in page
    document = session.scalars(select(Evidence)).one()
    assert document.statement_id is not None
    assert dossier_contents.read(document.dossier).evidence == {}
    number = document.id
    session.rollback()
    version = str(session.scalars(select(Statement.version)).one())
    session.rollback()
    data = {**FORM, "version": version, "remove": f"documents:{number}"}
    assert client.post("/verklaren", data=data).status_code == 302
    session.rollback()
    assert session.scalars(select(Evidence.removed_at)).one() is not None


def test_with_a_document_the_questions_may_stay_empty(client: FlaskClient, token: str, installation: Installation) -> None:
    enter(client, token)
    upload(client, png(), "verklaring.png")
    jobs.drain(installation)
    assert sign(client, **dict.fromkeys(FORM, "")) == 302
    session.rollback()
    assert session.scalars(select(Statement.stage)).one() == "signed"


def test_evidence_opens_only_when_the_sections_he_reads_refer_to_it(
    client: FlaskClient, token: str, dossier: Dossier, installation: Installation
) -> None:
    ids = []
    for name in ("gelezen.pdf", "ongelezen.pdf"):
        blob = store.put_bytes(installation.settings.blobs, pdf(len(ids) + 1))
        with transaction():
            own = session.get_one(Dossier, dossier.id)
            item = folder.receive(own, blob, name, "pdf", installation.settings)
            folder.accept(item, folder.Examined(blob, "pdf", blob, 1, False, False, [], []))
            ids.append(item.id)
    with transaction():
        own = session.get_one(Dossier, dossier.id)
        section, question = first_evidence_question(own)
        folder.attach(dossier_contents.read(own), section, question, ids[:1])
    enter(client, token)
    assert f"/verklaren/bewijs/{ids[0]}" in client.get("/verklaren/lezen").get_data(as_text=True)
    assert [client.get(f"/verklaren/bewijs/{one}").status_code for one in ids] == [200, 404]
    session.rollback()
    looked = session.scalars(select(AuditEntry).where(AuditEntry.action == "evidence.downloaded")).one()
    assert (looked.actor.split(":")[0], looked.thing) == ("statement", f"evidence:{ids[0]}")


def first_evidence_question(dossier: Dossier) -> tuple[str, str]:
    contents = dossier_contents.read(dossier)
    _, asked = statements.statement_question(dossier, SECTION, QUESTION)
    return next(
        (section, one.id) for section in asked.settings["reads"] for one in contents.visible[section] if one.type == "evidence"
    )


def test_the_copy_shows_what_was_signed_and_changes_nothing(
    client: FlaskClient, token: str, app: Flask, dossier: Dossier
) -> None:
    enter(client, token)
    add_sessions(client)
    assert sign(client) == 302
    session.rollback()
    link = session.scalars(select(Mail).where(Mail.template == "supervisor_thanks")).one().data["link"]
    before = session.scalars(select(Statement)).one().copy_sha256
    reader = app.test_client()
    answer = reader.get(str(link))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    statement = session.scalars(select(Statement)).one()
    assert statement.copy_sha256 == before
    for words in ("Marieke Jansen", "Supervisor, registratie 12345", "Casus 1", str(statement.content_sha256)):
        assert words in page
    assert "Dit schreef ik over mijn ontwikkeling." not in page
    assert "is gewijzigd wat u las" not in page
    with transaction():
        save_section(session.get_one(Dossier, dossier.id), "development_report", {"goals": "Nu anders."}, 1)
    assert "Na uw handtekening is gewijzigd wat u las" in reader.get(str(link)).get_data(as_text=True)
    assert reader.get("/verklaring/kopie/zomaarwat").status_code == 410


def test_with_a_document_no_least_number_stands_in_the_way(client: FlaskClient, token: str, installation: Installation) -> None:
    enter(client, token)
    row = {"sessions.date.day": "1", "sessions.date.month": "4", "sessions.date.year": "2025"}
    assert client.post("/verklaren/regel/sessions", data={**row, "sessions.duration": "1,5", "sessions.topic": "Casus",
                                                          "version": "0"}).status_code == 302  # fmt: skip
    session.rollback()
    assert sign(client, **{**dict.fromkeys(FORM, ""), "goals": "Kort."}) == 422
    upload(client, png(), "verklaring.png")
    jobs.drain(installation)
    assert sign(client, **{**dict.fromkeys(FORM, ""), "goals": "Kort."}) == 302
    session.rollback()
    assert session.scalars(select(Statement.stage)).one() == "signed"


def test_the_copy_gives_ones_own_document_and_nobody_elses(
    client: FlaskClient, token: str, app: Flask, installation: Installation
) -> None:
    enter(client, token)
    upload(client, png(), "verklaring.png")
    jobs.drain(installation)
    assert sign(client, **dict.fromkeys(FORM, "")) == 302
    session.rollback()
    link = str(session.scalars(select(Mail).where(Mail.template == "supervisor_thanks")).one().data["link"])
    own = session.scalars(select(Evidence.id)).one()
    session.rollback()
    reader = app.test_client()
    assert f'href="{link}/bestand/{own}"' in reader.get(link).get_data(as_text=True)
    answer = reader.get(f"{link}/bestand/{own}")
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert reader.get(f"{link}/bestand/{own + 1}").status_code == 404
    assert reader.get(f"/verklaring/kopie/zomaarwat/bestand/{own}").status_code == 410
    session.rollback()
    looked = session.scalars(select(AuditEntry).where(AuditEntry.action == "evidence.downloaded")).one()
    assert (looked.actor.split(":")[0], looked.thing) == ("statement", f"evidence:{own}")


def test_the_link_to_confirm_again_says_what_was_signed_when(
    client: FlaskClient, token: str, dossier: Dossier, installation: Installation
) -> None:
    assert "Wilt u een verklaring geven over" in client.get(f"/verklaring/{token}").get_data(as_text=True)
    enter(client, token)
    add_sessions(client)
    assert sign(client) == 302
    with transaction():
        own = session.get_one(Dossier, dossier.id)
        save_section(own, "development_report", {"goals": "Nu anders."}, 1)
        invitations.renew(session.scalars(select(Statement)).one(), dossier_contents.read(own), installation.settings)
    link = str(session.scalars(select(Mail).where(Mail.template == "supervisor_again")).one().data["link"])
    session.rollback()
    page = client.get(link).get_data(as_text=True)
    assert "opnieuw bevestigen?" in page
    assert "U ondertekende uw verklaring op " in page
    assert "Wilt u een verklaring geven over" not in page
