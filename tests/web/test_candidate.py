"""A candidate's way: starting, the task list, the supervisor, checking, submitting, the receipt and the documents."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from babel.dates import format_date
from filling import fill, start
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select, event, func, select, update
from together import together

from app.accounts.models import Account
from app.assessment.models import Admission, Assessment, Assignment
from app.assessment.overview import STATES
from app.audit import AuditEntry
from app.dossiers import answers, lifecycle, starting, submission
from app.dossiers.models import Dossier, Snapshot, Statement
from app.errors import Conflict, InvalidInput
from app.extensions import now, session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.schemes import loader
from app.schemes.loader import Catalogue
from app.texts import pick
from app.web.candidate import course


@pytest.fixture
def sanne(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(sanne: Account, installation: Installation) -> Dossier:
    return start(sanne, installation)


@pytest.fixture
def full(sanne: Account, installation: Installation) -> Dossier:
    made = start(sanne, installation)
    fill(made, installation)
    return made


@pytest.fixture
def browser(sanne: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(sanne)


def page(browser: FlaskClient, address: str, status: int = 200) -> str:
    reply = browser.get(address)
    assert reply.status_code == status, (reply.location, reply.get_data(as_text=True)[-1500:])
    return reply.get_data(as_text=True)


def rows(statement: Select[Any]) -> list[Any]:
    """What the database holds now; the test's own session may still look at an earlier moment."""
    session.rollback()
    return list(session.scalars(statement))


# --- starting ------------------------------------------------------------------------------------------------------

CHOICE = {"scheme": "recertification", "language": "nl"}


def test_without_a_dossier_the_list_says_how_to_begin(browser: FlaskClient) -> None:
    assert "Start een dossier" in page(browser, "/dossiers")
    shown = page(browser, "/dossiers/nieuw")
    assert "Welk dossier wilt u beginnen?" in shown
    assert [title for title in ("Eerste certificering", "Hercertificering") if title not in shown] == []
    shown = page(browser, "/dossiers/nieuw?schema=recertification")
    assert "Ongeveer 24 uur werk" in shown
    assert "180 dagen de tijd" in shown
    assert "Specialisatie outplacement" in shown
    assert (
        "Reken op ongeveer acht uur extra.<br>Nodig: minstens drie outplacementtrajecten sinds uw vorige certificering" in shown
    )


def test_starting_makes_a_dossier_and_one_dossier_is_opened_at_once(browser: FlaskClient) -> None:
    year = submission.today().year
    reply = browser.post("/dossiers/nieuw", data=CHOICE | {"plugins": ["outplacement"]})
    assert reply.location == f"/dossier/HC-{year}-0001"
    assert browser.get("/dossiers").location == reply.location
    made = rows(select(Dossier))[0]
    template = starting.stored_templates.get(made.template_sha256)
    assert [plugin.id for plugin in template.plugins] == ["outplacement"]
    assert made.submit_before == submission.today() + timedelta(days=180)
    assert rows(select(AuditEntry.action).order_by(AuditEntry.id))[-1] == "dossier.started"


def test_a_second_dossier_of_the_same_scheme_leads_to_the_first(browser: FlaskClient, dossier: Dossier) -> None:
    assert "U hebt al een dossier van deze soort" in page(browser, "/dossiers/nieuw?schema=recertification")
    reply = browser.post("/dossiers/nieuw", data=CHOICE)
    assert reply.location == f"/dossier/{dossier.reference}"
    assert "U hebt al een dossier van deze soort" in page(browser, reply.location)
    assert rows(select(func.count()).select_from(Dossier)) == [1]


def test_after_a_withdrawn_dossier_another_may_be_started(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        lifecycle.advance(dossier, "withdrawn")
    assert browser.post("/dossiers/nieuw", data=CHOICE).status_code == 302
    shown = page(browser, "/dossiers")
    assert "Ingetrokken" in shown
    assert "In bewerking" in shown


@pytest.mark.parametrize(
    "form",
    [
        {},
        CHOICE | {"language": "fy"},
        CHOICE | {"plugins": ["bestaat_niet"]},
        CHOICE | {"owner": "1"},
    ],
)
def test_a_start_that_cannot_be_is_refused_in_words(browser: FlaskClient, form: dict[str, object]) -> None:
    reply = browser.post("/dossiers/nieuw", data=form)
    assert reply.status_code == 422
    assert "Er is een probleem" in reply.get_data(as_text=True)
    assert rows(select(func.count()).select_from(Dossier)) == [0]


def test_an_unknown_scheme_is_not_found(browser: FlaskClient) -> None:
    assert browser.post("/dossiers/nieuw", data=CHOICE | {"scheme": "onzin"}).status_code == 404


def test_references_stay_unique_when_many_start_at_once(
    app: Flask, installation: Installation, make_account: Callable[..., Account]
) -> None:
    owners = [make_account(f"Persoon {number}", "candidate").id for number in range(6)]
    session.remove()

    def begin(owner_id: int) -> str:
        with app.app_context(), transaction():
            return start_one(session.get_one(Account, owner_id), installation).reference

    made = together(*[partial(begin, owner) for owner in owners])
    year = submission.today().year
    assert sorted(made) == [f"HC-{year}-{number:04d}" for number in range(1, 7)]


def start_one(owner: Account, installation: Installation, language: str = "nl") -> Dossier:
    return starting.start(
        owner, "recertification", "2026.1", [], language, catalogue=installation.catalogue, settings=installation.settings
    )


def test_a_number_above_four_digits_counts_on(dossier: Dossier, installation: Installation) -> None:
    year = submission.today().year
    with transaction():
        session.get_one(Dossier, dossier.id).reference = f"HC-{year}-9999"
        session.get_one(Dossier, dossier.id).stage = "withdrawn"
    with transaction():
        assert start_one(dossier.owner, installation).reference == f"HC-{year}-10000"
    with pytest.raises(Conflict), transaction():
        start_one(dossier.owner, installation)
    with pytest.raises(InvalidInput), transaction():
        start_one(dossier.owner, installation, language="fy")


# --- the task list -------------------------------------------------------------------------------------------------


def test_an_empty_dossier_has_nothing_to_check_or_submit_yet(browser: FlaskClient, dossier: Dossier) -> None:
    shown = page(browser, f"/dossier/{dossier.reference}")
    assert "0 van 17 onderdelen afgerond" in shown
    assert shown.count("Kan nog niet beginnen") == 2
    assert "Nog 180 dagen" in shown
    assert "Nog niets ingevuld" in shown


def test_the_task_list_shows_how_far_each_section_is(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        answers.put_answer(dossier, "methodical_guidance", "situation", "drie woorden samen")
        answers.put_answer(dossier, "education", "activities", [{"row": "a", "title": "Cursus", "points": "12"}])
    shown = page(browser, f"/dossier/{dossier.reference}")
    assert "0 van 3 vragen klaar · 3 van minstens 400 woorden · 0 van minstens 1 bewijsstuk" in shown
    assert shown.count("4 vragen · minstens 400 woorden · minstens 1 bewijsstuk") == 4, "each other area tells what is asked"
    assert "12 van 75 punten · 1 regel" in shown
    assert shown.count("In bewerking") == 2
    assert shown.count("Kan nog niet beginnen") == 1, "what was filled in can be checked"
    assert "Vandaag om" in shown


def test_a_full_dossier_is_ready(browser: FlaskClient, full: Dossier) -> None:
    shown = page(browser, f"/dossier/{full.reference}")
    assert "17 van 17 onderdelen afgerond" in shown
    assert "Klaar om in te dienen" in shown
    assert "Kan nog niet beginnen" not in shown


def test_a_deadline_that_has_passed_is_said(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        session.get_one(Dossier, dossier.id).submit_before = submission.today() - timedelta(days=1)
    assert "Deze datum is voorbij" in page(browser, f"/dossier/{dossier.reference}")


def test_the_task_list_asks_a_handful_of_queries(app: Flask, browser: FlaskClient, full: Dossier) -> None:
    asked: list[str] = []
    listen = lambda connection, cursor, statement, *rest: asked.append(statement)  # noqa: E731
    event.listen(app.extensions["engine"], "before_cursor_execute", listen)
    page(browser, f"/dossier/{full.reference}")
    event.remove(app.extensions["engine"], "before_cursor_execute", listen)
    assert len([one for one in asked if one.startswith("SELECT")]) <= 10


def test_pages_are_there_in_english_too(browser: FlaskClient, dossier: Dossier) -> None:
    browser.set_cookie("language", "en")
    assert "Labour market" in page(browser, f"/dossier/{dossier.reference}")


# --- the supervisor ------------------------------------------------------------------------------------------------

INVITATION = {"name": "Marieke Jansen", "email": "M.Jansen@Praktijk.example", "language": "nl"}


def invitation(dossier: Dossier) -> str:
    return f"/dossier/{dossier.reference}/verklaring/supervisor/statement"


def test_inviting_mails_a_link_once(browser: FlaskClient, dossier: Dossier) -> None:
    assert "Ontwikkelingsverslag" in page(browser, invitation(dossier)), "what the supervisor will read is named"
    assert browser.post(invitation(dossier), data=INVITATION).location == invitation(dossier)
    assert browser.post(invitation(dossier), data=INVITATION).location == invitation(dossier)
    shown = page(browser, invitation(dossier))
    assert "Voor deze verklaring hebt u al iemand uitgenodigd." in shown
    assert "Wacht op supervisor" in shown
    mails = rows(select(Mail).where(Mail.template == "supervisor_invitation"))
    assert [mail.to for mail in mails] == ["m.jansen@praktijk.example"]
    assert "Marieke Jansen kreeg op" in page(browser, f"/dossier/{dossier.reference}")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "a@b.nl, c@d.nl"}, "email"),
        ({"email": "geen adres"}, "email"),
        ({"email": "sanne.de.vries@voorbeeld.nl"}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "Els\r\nBcc: x@y.nl"}, "name"),
        ({"language": "fy"}, "language"),
    ],
)
def test_a_wrong_invitation_is_refused_beside_its_field(
    browser: FlaskClient, dossier: Dossier, wrong: dict[str, str], field: str
) -> None:
    reply = browser.post(invitation(dossier), data=INVITATION | wrong)
    assert reply.status_code == 422
    assert f'href="#{field}"' in reply.get_data(as_text=True)
    assert rows(select(func.count()).select_from(Statement)) == [0]


def test_reminding_and_revoking(browser: FlaskClient, dossier: Dossier) -> None:
    browser.post(invitation(dossier), data=INVITATION)
    statement = rows(select(Statement))[0]
    way = f"/dossier/{dossier.reference}/verklaringen/{statement.id}"
    old = statement.token_sha256
    assert browser.post(f"{way}/herinneren").location == invitation(dossier)
    assert rows(select(Statement.token_sha256)) != [old]
    assert browser.get(f"{way}/intrekken").status_code == 200
    assert rows(select(Statement.stage)) == ["invited"], "opening the page revokes nothing"
    browser.post(f"{way}/intrekken")
    browser.post(f"{way}/intrekken")
    assert rows(select(Statement.stage)) == ["revoked"]
    assert "Verstuur de uitnodiging" in page(browser, invitation(dossier))


def test_a_signed_statement_is_shown_and_goes_stale_visibly(browser: FlaskClient, full: Dossier) -> None:
    assert "Wij spraken over haar doelen." in page(browser, invitation(full))
    with transaction():
        answers.put_answer(full, "development_report", "goals", "andere woorden " * 60)
    assert "Niet meer geldig" in page(browser, invitation(full))
    assert "Er is een probleem" in page(browser, f"/dossier/{full.reference}")


def test_a_statement_is_managed_by_its_candidate_only(
    browser: FlaskClient, dossier: Dossier, make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    browser.post(invitation(dossier), data=INVITATION)
    statement = rows(select(Statement))[0]
    other = login(make_account("Iemand Anders", "candidate"))
    assert other.get(invitation(dossier)).status_code == 404
    for deed in ("herinneren", "intrekken"):
        assert other.post(f"/dossier/{dossier.reference}/verklaringen/{statement.id}/{deed}").status_code == 404


# --- checking and submitting ---------------------------------------------------------------------------------------


def agreed(dossier: Dossier) -> dict[str, object]:
    template = starting.stored_templates.get(dossier.template_sha256)
    return {"declarations": [one.id for one in template.declarations], "name": "Sanne de Vries"}


def test_checking_names_what_lacks_with_a_link(browser: FlaskClient, full: Dossier) -> None:
    with transaction():
        answers.put_answer(full, "personal", "phone", "")
    shown = page(browser, f"/dossier/{full.reference}/controleren")
    assert "Er is nog 1 punt open" in shown
    assert f'href="/dossier/{full.reference}/onderdeel/personal?controle=1#phone"' in shown
    assert "Vul in: Telefoonnummer" in page(browser, f"/dossier/{full.reference}/onderdeel/personal?controle=1")
    assert browser.get(f"/dossier/{full.reference}/indienen").location == f"/dossier/{full.reference}/controleren"


def test_checking_names_the_row_and_the_field_and_a_title_once(browser: FlaskClient, full: Dossier) -> None:
    row = {"row": "r1", "title": "Rouw", "points": "-2", "kind": "course", "provider": "Hogeschool"}
    with transaction():
        answers.put_answer(full, "education", "activities", [row, {**row, "row": "r2", "title": ""}])
        session.execute(update(Statement).values(stage="revoked"))
    shown = page(browser, f"/dossier/{full.reference}/controleren")
    found = [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<li>([^<]*: <a[^>]*>[^<]*</a>)</li>", shown)]
    assert [one for one in found if "Vul een getal in" in one] == [
        "Scholing en punten: Rouw: Punten: Vul een getal in van 0,5 of meer.",
        "Scholing en punten: Regel 2: Punten: Vul een getal in van 0,5 of meer.",
    ]
    statement = [one for one in found if one.startswith("Verklaring van uw supervisor")]
    assert statement == ["Verklaring van uw supervisor: Nodig uw supervisor uit voor een verklaring."]


def test_an_incomplete_dossier_cannot_be_sent(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(f"/dossier/{dossier.reference}/indienen", data=agreed(dossier))
    assert reply.location == f"/dossier/{dossier.reference}/controleren"
    session.rollback()
    assert session.get_one(Dossier, dossier.id).stage == "draft"


@pytest.mark.parametrize(
    ("change", "field"),
    [({"declarations": ["own_work"]}, "declarations"), ({"name": ""}, "name"), ({"name": "\x00\x01\x02"}, "name")],
)
def test_sending_needs_every_agreement_and_a_name(
    browser: FlaskClient, full: Dossier, change: dict[str, object], field: str
) -> None:
    reply = browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full) | change)
    assert reply.status_code == 422
    assert f'href="#{field}"' in reply.get_data(as_text=True)
    session.rollback()
    assert session.get_one(Dossier, full.id).stage == "draft"


def test_fields_that_are_not_asked_are_refused(browser: FlaskClient, full: Dossier) -> None:
    assert browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full) | {"stage": "decided"}).status_code == 422
    session.rollback()
    assert session.get_one(Dossier, full.id).stage == "draft"


def test_submitting_twice_makes_one_snapshot_and_shows_the_receipt(browser: FlaskClient, full: Dossier) -> None:
    address = f"/dossier/{full.reference}/indienen"
    assert "Na het indienen kunt u niets meer wijzigen" in page(browser, address)
    receipt = f"/dossier/{full.reference}/ontvangst"
    assert browser.post(address, data=agreed(full)).location == receipt
    assert browser.post(address, data=agreed(full)).location == receipt
    assert browser.get(address).location == receipt
    assert rows(select(func.count()).select_from(Snapshot)) == [1]
    shown = page(browser, receipt)
    assert full.reference in shown
    assert f'data-poll="{receipt}"' in shown
    assert "Uw documenten worden gemaakt" in shown
    mails = rows(select(Mail.template).where(Mail.template == "submission_receipt"))
    assert mails == ["submission_receipt"]


def test_a_plugin_that_stopped_working_holds_up_submitting_in_words(
    app: Flask, browser: FlaskClient, sanne: Account, installation: Installation
) -> None:
    made = start(sanne, installation, "outplacement")
    fill(made, installation)
    plugins = {name: one for name, one in installation.catalogue.plugins.items() if name != "outplacement"}
    app.extensions["installation"] = replace(installation, catalogue=replace(installation.catalogue, plugins=plugins))
    assert "nu niet beschikbaar" in page(browser, f"/dossier/{made.reference}")
    reply = browser.post(f"/dossier/{made.reference}/indienen", data=agreed(made))
    assert reply.location == f"/dossier/{made.reference}/controleren"


# --- the receipt and the documents ---------------------------------------------------------------------------------


def test_the_receipt_says_that_a_failure_is_tried_again(browser: FlaskClient, full: Dossier) -> None:
    browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full))
    with transaction():
        snapshot = session.scalars(select(Snapshot)).one()
        snapshot.error = {"nl": "Bijlage 3 ontbreekt", "en": "Attachment 3 is missing"}
        snapshot.next_attempt_at = now() + timedelta(minutes=10)
    shown = page(browser, f"/dossier/{full.reference}/ontvangst")
    assert "Wij proberen het vanzelf opnieuw" in shown
    assert "Niets is verloren" in shown
    assert "u krijgt een e-mail zodra uw documenten klaar zijn" in shown
    assert "Bijlage 3" not in shown, "the cause is for the office"
    assert "data-poll=" in shown
    assert "<progress" not in shown, "nothing moves now"


def test_the_receipt_tells_the_step_and_how_far_it_is(browser: FlaskClient, full: Dossier) -> None:
    browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full))
    with transaction():
        snapshot = session.scalars(select(Snapshot)).one()
        snapshot.step, snapshot.percent, snapshot.claimed_until = "merge 3/12", 41, now() + timedelta(minutes=9)
    shown = page(browser, f"/dossier/{full.reference}/ontvangst")
    assert "Bewijsstukken worden als bijlagen toegevoegd: 3 van 12" in shown
    assert 'value="41" max="100"' in shown
    assert ">41%</p>" in shown
    assert 'data-say="Uw bewijsstukken worden als bijlagen toegevoegd"' in shown, "not every number is said aloud"
    assert "Dit duurt langer dan gewoonlijk" not in shown
    with transaction():
        session.execute(update(Snapshot).values(submitted_at=now() - timedelta(minutes=6)))
    assert "Dit duurt langer dan gewoonlijk" in page(browser, f"/dossier/{full.reference}/ontvangst")


def course_now(html: str) -> list[str]:
    """The title and the facts of what happens now."""
    item = re.search(r'<li class="now".*?</li>', html, re.DOTALL)
    return (
        [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<(?:p class=\"timeline__title\"|dd)>(.*?)<", item[0])]
        if item
        else []
    )


def test_the_course_says_what_happens_who_acts_and_by_when(
    browser: FlaskClient, full: Dossier, make_account: Callable[..., Account]
) -> None:
    browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full))
    address, nothing = f"/dossier/{full.reference}", "U hoeft nu niets te doen. U krijgt een e-mail zodra er nieuws is."
    assert course_now(page(browser, address)) == [
        "Wij maken uw documenten",
        "Dit gaat vanzelf, meestal binnen een minuut",
        nothing,
    ]
    with transaction():
        snapshot = session.scalars(select(Snapshot)).one()
        snapshot.stage = "handed_over"
        assessment = Assessment(dossier_id=full.id)
        session.add(assessment)
    by = str(format_date(submission.today() + timedelta(days=14), "d MMMM y", locale="nl"))
    title = "Het secretariaat controleert of uw dossier aan de eisen voor toelating voldoet"
    assert course_now(page(browser, address)) == [title, "Het secretariaat", by, nothing]
    office, assessor = make_account("Ilse Smit", "office"), make_account("Joost Bakker", "assessor")
    with transaction():
        session.add(Admission(snapshot_id=snapshot.id, outcome="admitted", by_id=office.id))
    by = str(format_date(submission.today() + timedelta(days=42), "d MMMM y", locale="nl"))
    assert course_now(page(browser, address)) == ["Het secretariaat wijst beoordelaars toe", "Het secretariaat", by, nothing]
    with transaction():
        session.get_one(Dossier, full.id).stage = "in_assessment"
        session.add(Assignment(assessment_id=assessment.id, assessor_id=assessor.id))
    shown = page(browser, address)
    office = "Het secretariaat wijst de andere beoordelaar toe"
    assert course_now(shown) == ["Een beoordelaar is bezig; er komt nog iemand bij", office, by, nothing]
    assert "Joost Bakker" not in shown
    second = make_account("Fatima Bouzid", "assessor")
    with transaction():
        session.add(Assignment(assessment_id=assessment.id, assessor_id=second.id))
    shown = page(browser, address)
    assert course_now(shown) == ["De beoordelaars lezen uw dossier, los van elkaar", "De beoordelaars", by, nothing]
    assert "Joost Bakker" not in shown
    assert "Fatima Bouzid" not in shown
    with transaction():
        session.execute(update(Admission).values(at=now() - timedelta(days=50)))
    assert "Die dag is voorbij: vraag het secretariaat hoe het staat." in page(browser, address)
    with transaction():
        session.get_one(Dossier, full.id).stage = "withdrawn"
    assert course_now(page(browser, address)) == []


@pytest.mark.parametrize(
    ("scheme", "plugins", "session_title"),
    [
        ("initial", [], "Mondelinge toetsing over het dossier"),
        ("recertification", [], ""),
        ("recertification", ["outplacement"], "Mondelinge toetsing: Specialisatie outplacement"),
        ("specialisation", ["outplacement"], "Mondelinge toetsing: Specialisatie outplacement"),
    ],
)
def test_the_course_has_the_oral_session_where_there_is_one(
    catalogue: Catalogue, scheme: str, plugins: list[str], session_title: str
) -> None:
    template = loader.compose(catalogue, scheme, "2026.1", plugins)
    titles = [template.title, *(one.title for one in template.plugins)]
    assert template.full_title == {language: " · ".join(one[language] for one in titles) for language in ("nl", "en")}
    agreed = "Hebben de beoordelaars uw dossier gelezen, dan spreekt het secretariaat een datum en plaats met u af."
    oral = [(session_title, agreed)] if session_title else []
    come = {state: [(one["nl"], pick(text, "nl")) for one, text in course.to_come(state, template)] for state in STATES}
    first, second, last = ("Controle van de toelating", ""), ("Beoordeling", ""), ("Besluit", "")
    assert come["returned"] == come["assembling"] == come["stuck"] == [first, second, *oral, last]
    assert come["to_admit"] == [second, *oral, last]
    assert come["to_assign"] == come["judging"] == [*oral, last]
    assert come["judged"] == come["decided"] == come["withdrawn"] == []


@pytest.mark.parametrize(
    ("scheme", "plugins", "hours", "mentor", "statement"),
    [
        ("initial", [], 40, "Een mentor hoort bij deze certificering.", False),
        ("recertification", [], 24, "Het hoeft niet.", True),
        ("recertification", ["outplacement"], 32, "Het hoeft niet.", True),
        ("specialisation", ["outplacement", "second_track"], 21, "Het hoeft niet.", False),
    ],
)
def test_the_task_list_says_the_hours_of_all_its_parts_and_what_a_mentor_is_in_this_scheme(
    browser: FlaskClient, scheme: str, plugins: list[str], hours: int, mentor: str, statement: bool
) -> None:
    address = browser.post("/dossiers/nieuw", data={"scheme": scheme, "plugins": plugins, "language": "nl"}).location
    assert address is not None
    shown = page(browser, address)
    assert f"Reken in totaal op ongeveer {hours} uur werk." in shown
    assert mentor in shown
    assert ("Niet: de verklaring van uw supervisor" in page(browser, f"{address}/mentor")) is statement


def test_before_submitting_there_is_no_receipt(browser: FlaskClient, dossier: Dossier) -> None:
    assert browser.get(f"/dossier/{dossier.reference}/ontvangst").status_code == 403
    assert browser.get(f"/dossier/{dossier.reference}/documenten/1/pdf").status_code == 403


def test_sealed_documents_are_taken_along_and_logged(browser: FlaskClient, full: Dossier, installation: Installation) -> None:
    from app.documents.models import Bundle
    from app.files import store

    browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full))
    blobs = {form: store.put_bytes(installation.settings.blobs, form.encode() * 9) for form in ("pdf", "docx", "zip")}
    with transaction():
        snapshot = session.scalars(select(Snapshot)).one()
        hashes = {f"{form}_sha256": blob.sha256 for form, blob in blobs.items()}
        session.add(Bundle(snapshot_id=snapshot.id, zip_size=27, pages=40, seal_sha256="0" * 64, **hashes))
        lifecycle.advance(snapshot, "sealed")
    shown = page(browser, f"/dossier/{full.reference}/ontvangst")
    assert "data-poll=" not in shown
    assert "40 pagina’s" in shown
    for form in blobs:
        reply = browser.get(f"/dossier/{full.reference}/documenten/1/{form}")
        assert reply.data == form.encode() * 9
        assert reply.headers["Content-Disposition"] == f"attachment; filename={full.reference}-1.{form}"
        assert reply.headers["Content-Security-Policy"].startswith("sandbox")
    assert browser.get(f"/dossier/{full.reference}/documenten/1/exe").status_code == 404
    assert browser.get(f"/dossier/{full.reference}/documenten/2/pdf").status_code == 404
    logged = rows(select(AuditEntry.details).where(AuditEntry.action == "bundle.downloaded"))
    assert [one["form"] for one in logged] == ["pdf", "docx", "zip"]
    status = page(browser, f"/dossier/{full.reference}")
    assert "Overgedragen" not in status
    assert f"/dossier/{full.reference}/documenten/1/pdf" in status


def test_documents_are_for_the_candidate_only(
    browser: FlaskClient, full: Dossier, make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full))
    for somebody in (make_account("Iemand Anders", "candidate"), make_account("Een Beoordelaar", "assessor")):
        other = login(somebody)
        for address in ("", "/ontvangst", "/documenten/1/pdf", "/controleren"):
            assert other.get(f"/dossier/{full.reference}{address}").status_code == 404


def test_a_returned_dossier_is_open_again(browser: FlaskClient, full: Dossier) -> None:
    browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full))
    with transaction():
        lifecycle.advance(session.get_one(Dossier, full.id), "returned")
    assert "teruggestuurd om aan te vullen" in page(browser, f"/dossier/{full.reference}")
    assert browser.post(f"/dossier/{full.reference}/indienen", data=agreed(full)).status_code == 302
    assert rows(select(Snapshot.revision).order_by(Snapshot.revision)) == [1, 2]
