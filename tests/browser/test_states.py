"""Pages in the states that nobody walks into by following links: nothing there yet, refused, over, too late, read-only.

The pages come from the program itself, on the small site of ``whole_site``, straight into the browser: a state is a few lines.
Each is looked at as in ``Looks.at``; with ``--look FOLDER`` it is kept as pictures, also in English.
"""

import io
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect
from small_world import SCHEME
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from test_robustness import ALL_REQUESTS, person_for, prepare
from two_versions import with_second
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.test import TestResponse
from whole_site import ENTRY, REFERENCE, STATEMENT_TABLE, Site, whole_site

from app import errors
from app.accounts import links, people
from app.accounts.models import Account
from app.dossiers.models import Dossier, Statement
from app.extensions import session, transaction
from app.mail import Mail
from app.texts import both
from browser.looking import LAPTOP, Looks
from browser.showing import Window, check, hidden_fields

pytestmark = pytest.mark.browser

DOSSIER = f"/dossier/{REFERENCE}"
FIRST_DAY = (
    "office.home",
    "office.dossiers",
    "office.mails",
    "office.people",
    "office.stuck",
    "audit_log.home",
    "audit_log.assessments",
)
State = Callable[[Site], TestResponse]
STATES: dict[str, State] = {}


def state(one: State) -> State:
    STATES[one.__name__.replace("_", "-")] = one
    return one


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Any, password_hash: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("states")
    with whole_site(folder, empty_database, password_hash) as made:
        made.values["token"] = "geen-link"
        hours = next(line for line in SCHEME.splitlines(keepends=True) if "{id: hours" in line)
        made.values["newer"] = with_second(made.world.catalogue, folder / "second", SCHEME.replace(hours, STATEMENT_TABLE))
        yield made


@pytest.fixture(autouse=True)
def fresh(site: Site) -> Iterator[None]:
    site.reset()
    site.app.extensions["installation"] = replace(site.app.extensions["installation"], catalogue=site.world.catalogue)
    for client in site.clients.values():
        with client.session_transaction() as cookie:
            cookie.pop("_flashes", None)
    yield
    session.remove()


@pytest.fixture(scope="module")
def window(browser: Browser, site: Site) -> Iterator[Window]:
    context = browser.new_context(locale="nl-NL", viewport=LAPTOP)
    yield Window(context.new_page(), site.app.test_client())
    context.close()


# --- the states ----------------------------------------------------------------------------------------------------


@state
def candidate_without_dossier(site: Site) -> TestResponse:
    site.write("DELETE FROM mentor_comment")
    site.write("UPDATE dossier SET owner_id = ?", site.accounts["candidate and office"])
    return site.clients["other candidate"].get("/dossiers")


@state
def candidate_empty_folder(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].get("/dossier/KL-NIEUW/bewijs")


@state
def candidate_new_dossier(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].get("/dossier/KL-NIEUW")


@state
def candidate_no_mentor(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].get("/dossier/KL-NIEUW/mentor")


@state
def candidate_asking_nobody_as_mentor(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].post("/dossier/KL-NIEUW/mentor", data={"name": "", "email": "", "language": ""})


@state
def candidate_inviting_nobody(site: Site) -> TestResponse:
    new_dossier(site)
    sent = {"name": "", "email": "", "language": ""}
    return site.clients["other candidate"].post("/dossier/KL-NIEUW/verklaring/closing/supervisor", data=sent)


@state
def candidate_nothing_to_choose(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].get("/dossier/KL-NIEUW/onderdeel/practice/proof/bewijsmap")


@state
def candidate_several_dossiers(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].get("/dossiers")


@state
def section_conflict(site: Site) -> TestResponse:
    sent = {"version": "0", "name": "Sanne Anders", "story": "Een heel ander verhaal.", "form": "own", "action": "later"}
    return site.clients["owner"].post(f"{DOSSIER}/onderdeel/practice", data=sent)


@state
def section_read_only(site: Site) -> TestResponse:
    site.put_stage("", "in_assessment")
    return site.clients["owner"].get(f"{DOSSIER}/onderdeel/practice", follow_redirects=True)


@state
def section_refused_file(site: Site) -> TestResponse:
    sent = {"version": "1", "name": "Sanne", "action": "upload:proof", "proof.upload": (io.BytesIO(b"MZ nothing"), "virus.exe")}
    return site.clients["owner"].post(f"{DOSSIER}/onderdeel/practice", data=sent)


@state
def section_just_finished_with_words_to_look_at(site: Site) -> TestResponse:
    story = "Mevrouw Pietersen, geboren op 12 maart 1980, belde 06-12345678."
    site.write(
        "UPDATE section_answers SET finished = 1, data = json_set(data, '$.story', ?) WHERE section_id = 'practice'", story
    )
    return site.clients["owner"].get(f"{DOSSIER}/onderdeel/practice?afgerond=1")


@state
def check_answers_with_words_to_look_at(site: Site) -> TestResponse:
    section_just_finished_with_words_to_look_at(site)
    return site.clients["owner"].get(f"{DOSSIER}/controleren")


@state
def section_closed_when_saving(site: Site) -> TestResponse:
    site.put_stage("", "in_assessment")
    sent = {"version": "1", "story": "Dit lange verhaal is niet meer aangenomen,\nen staat nergens anders.", "action": "later"}
    return site.clients["owner"].post(f"{DOSSIER}/onderdeel/practice", data=sent)


@state
def dossier_submitted(site: Site) -> TestResponse:
    site.put_stage("", "submitted")
    return site.clients["owner"].get(DOSSIER)


@state
def dossier_submitted_folder(site: Site) -> TestResponse:
    site.put_stage("", "submitted")
    return site.clients["owner"].get(f"{DOSSIER}/bewijs")


@state
def dossier_assembling(site: Site) -> TestResponse:
    site.put_stage("", "submitted")
    site.write("DELETE FROM hand_over")
    site.write("DELETE FROM area_draft")
    site.write("DELETE FROM bundle")
    site.write("UPDATE snapshot SET stage = 'submitted'")
    return site.clients["owner"].get(f"{DOSSIER}/ontvangst")


@state
def dossier_decided(site: Site) -> TestResponse:
    site.put_stage("", "decided")
    return site.clients["owner"].get(DOSSIER)


@state
def dossier_withdrawn(site: Site) -> TestResponse:
    site.put_stage("", "withdrawn")
    site.write("UPDATE dossier SET withdrawn_at = '2026-11-20 10:00:00'")
    return site.clients["owner"].get(DOSSIER)


@state
def dossier_returned(site: Site) -> TestResponse:
    give_back(site)
    return site.clients["owner"].get(DOSSIER)


@state
def dossier_returned_at_the_office(site: Site) -> TestResponse:
    give_back(site)
    return site.clients["office"].get(f"/secretariaat/dossiers/{REFERENCE}")


@state
def submitting_too_early(site: Site) -> TestResponse:
    new_dossier(site)
    return site.clients["other candidate"].post("/dossier/KL-NIEUW/indienen", data={"name": "Sanne de Vries"})


@state
def link_to_confirm(site: Site) -> TestResponse:
    return site.clients["anonymous"].get(mailed(site, "confirm_email"))


@state
def link_to_reset(site: Site) -> TestResponse:
    return site.clients["anonymous"].get(mailed(site, "reset_password"))


@state
def link_of_account_invitation(site: Site) -> TestResponse:
    with transaction():
        office = session.get_one(Account, site.accounts["office"])
        people.invite(email="nieuw@voorbeeld.nl", name="Nel Nieuw", roles=("assessor",), language="nl", by=office)
    return site.clients["anonymous"].get(last_link(site))


@state
def link_to_reset_with_a_bad_password(site: Site) -> TestResponse:
    return site.clients["anonymous"].post(mailed(site, "reset_password"), data={"password": "kort"})


@state
def section_not_ready(site: Site) -> TestResponse:
    new_dossier(site)
    sent = {"version": "0", "finished": "yes", "action": "continue"}
    return site.clients["other candidate"].post("/dossier/KL-NIEUW/onderdeel/practice", data=sent)


@state
def candidate_check_answers(site: Site) -> TestResponse:
    return site.clients["owner"].get(f"{DOSSIER}/controleren")


@state
def supervisor_signing_too_early(site: Site) -> TestResponse:
    client = site.clients["supervisor"]
    client.get("/verklaren/lezen")
    return client.post("/verklaren", data={**hidden_fields(client.get("/verklaren")), "opinion": "", "action": "sign"})


@state
def link_spent(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/wachtwoord/geen-link")


@state
def link_to_confirm_spent(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/bevestigen/geen-link")


@state
def link_of_email_change_spent(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/email-wijzigen/geen-link")


@state
def registered(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/registreren/mail")


@state
def password_forgotten_and_mailed(site: Site) -> TestResponse:
    return site.clients["anonymous"].post("/wachtwoord-vergeten", data={"email": "jan@voorbeeld.nl"}, follow_redirects=True)


@state
def account_with_messages(site: Site) -> TestResponse:
    return site.clients["owner"].post("/account", data={"name": "Sanne de Vries", "language": "nl"}, follow_redirects=True)


@state
def mentor_invitation(site: Site) -> TestResponse:
    return site.clients["anonymous"].get(mentor_link(site))


@state
def mentor_declining(site: Site) -> TestResponse:
    return site.clients["anonymous"].get(mentor_link(site) + "/niet")


@state
def mentor_declined(site: Site) -> TestResponse:
    return site.clients["anonymous"].post(mentor_link(site) + "/niet")


@state
def mentor_link_spent(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/meelezen/uitnodiging/geen-link")


@state
def mentor_with_nobody(site: Site) -> TestResponse:
    site.write("DELETE FROM mentor_comment")
    site.write("DELETE FROM mentorship")
    return site.clients["mentor"].get("/meelezen")


@state
def mentor_after_submission(site: Site) -> TestResponse:
    site.put_stage("", "submitted")
    return site.clients["mentor"].get(f"/meelezen/{site.values['mentorship_id']}/onderdeel/practice")


@state
def mentor_dossier_after_submission(site: Site) -> TestResponse:
    site.put_stage("", "submitted")
    return site.clients["mentor"].get(f"/meelezen/{site.values['mentorship_id']}")


@state
def mentor_comment_too_late(site: Site) -> TestResponse:
    site.put_stage("", "submitted")
    sent = {"text": "Een lange opmerking, die te laat kwam."}
    return site.clients["mentor"].post(f"/meelezen/{site.values['mentorship_id']}/onderdeel/practice", data=sent)


@state
def supervisor_invitation(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/verklaring/" + supervisor_token(site))


@state
def supervisor_invitation_expired(site: Site) -> TestResponse:
    token = supervisor_token(site)
    site.write("UPDATE statement SET token_expires_at = '2026-01-01 00:00:00'")
    return site.clients["anonymous"].get("/verklaring/" + token)


@state
def supervisor_invitation_revoked(site: Site) -> TestResponse:
    token = supervisor_token(site)
    site.write("UPDATE statement SET stage = 'revoked'")
    return site.clients["anonymous"].get("/verklaring/" + token)


@state
def supervisor_without_link(site: Site) -> TestResponse:
    return site.clients["anonymous"].get("/verklaren")


@state
def supervisor_reading(site: Site) -> TestResponse:
    return site.clients["supervisor"].get("/verklaren/lezen")


@state
def supervisor_form(site: Site) -> TestResponse:
    return site.clients["supervisor"].get("/verklaren")


@state
def supervisor_row(site: Site) -> TestResponse:
    return site.clients["supervisor"].get("/verklaren/regel/meetings")


@state
def supervisor_signing_after_a_change(site: Site) -> TestResponse:
    client = site.clients["supervisor"]
    client.get("/verklaren/lezen")
    sent = hidden_fields(client.get("/verklaren"))
    site.world.save(session.get_one(Dossier, 1), "practice", story="Een gewijzigd verhaal.")
    return client.post("/verklaren", data={**sent, "opinion": "Goed.", "signed_name": "Els Bos", "action": "sign"})


@state
def supervisor_conflict(site: Site) -> TestResponse:
    client = site.clients["supervisor"]
    sent = hidden_fields(client.get("/verklaren"))
    client.post("/verklaren", data={**sent, "opinion": "De ene tekst.", "action": "later"}, follow_redirects=True)
    return client.post("/verklaren", data={**sent, "opinion": "De andere tekst.", "action": "later"})


@state
def supervisor_declining(site: Site) -> TestResponse:
    return site.clients["supervisor"].get("/verklaren/niet")


@state
def supervisor_not_me(site: Site) -> TestResponse:
    return site.clients["supervisor"].get("/verklaren/niet?wie=anders")


@state
def supervisor_declined(site: Site) -> TestResponse:
    return site.clients["supervisor"].post("/verklaren/niet", data={"reason": "Ik ken haar niet."}, follow_redirects=True)


@state
def supervisor_thanks(site: Site) -> TestResponse:
    sign(site)
    return site.clients["supervisor"].get("/verklaren/klaar")


@state
def supervisor_closed(site: Site) -> TestResponse:
    site.put_stage("", "withdrawn")
    sent = {"version": "1", "opinion": "Een lang oordeel, dat te laat kwam en hier wordt teruggegeven.", "action": "later"}
    return site.clients["supervisor"].post("/verklaren", data=sent)


@state
def supervisor_own_copy(site: Site) -> TestResponse:
    sign(site)
    return site.clients["anonymous"].get(last_link(site))


@state
def candidate_statement_declined(site: Site) -> TestResponse:
    site.clients["supervisor"].post("/verklaren/niet", data={"reason": "Ik ken haar niet."})
    return site.clients["owner"].get(f"{DOSSIER}/verklaring/closing/supervisor")


@state
def candidate_statement_signed(site: Site) -> TestResponse:
    sign(site)
    return site.clients["owner"].get(f"{DOSSIER}/verklaring/closing/supervisor")


@state
def candidate_statement_stale(site: Site) -> TestResponse:
    sign(site)
    site.world.save(session.get_one(Dossier, 1), "practice", story="Een gewijzigd verhaal.")
    return site.clients["owner"].get(f"{DOSSIER}/verklaring/closing/supervisor")


@state
def candidate_statement_expired(site: Site) -> TestResponse:
    site.write("UPDATE statement SET token_expires_at = '2026-01-01 00:00:00'")
    return site.clients["owner"].get(f"{DOSSIER}/verklaring/closing/supervisor")


@state
def assessor_with_nothing(site: Site) -> TestResponse:
    return site.clients["other assessor"].get("/beoordelen")


@state
def assessor_declaration(site: Site) -> TestResponse:
    site.put_stage("", "in_assessment")
    site.write("UPDATE assignment SET declared_at = NULL")
    return site.clients["assigned assessor"].get(f"/beoordelen/{site.values['assessment_id']}")


@state
def assessor_reports_an_interest(site: Site) -> TestResponse:
    site.put_stage("", "in_assessment")
    site.write("UPDATE assignment SET declared_at = NULL")
    sent = {"interest": "mine", "reason": "Zij is mijn oud-collega."}
    return site.clients["assigned assessor"].post(
        f"/beoordelen/{site.values['assessment_id']}/verklaring", data=sent, follow_redirects=True
    )


@state
def assessor_after_withdrawal(site: Site) -> TestResponse:
    site.clients["office"].post(f"/secretariaat/dossiers/{REFERENCE}/intrekken", data={"reason": "Op verzoek"})
    sent = {"version": "0", "notes": "Een lange notitie, die te laat kwam.", "action": "save"}
    return site.clients["assigned assessor"].post(f"/beoordelen/{site.values['assessment_id']}/gebied/skill", data=sent)


@state
def assessor_signing_too_early(site: Site) -> TestResponse:
    site.put_stage("", "in_assessment")
    address, client = f"/beoordelen/{site.values['assessment_id']}/afronden", site.clients["assigned assessor"]
    return client.post(address, data={**hidden_fields(client.get(address)), "action": "sign", "summary": "", "name": ""})


@state
def assessor_conflict(site: Site) -> TestResponse:
    site.put_stage("", "in_assessment")
    address = f"/beoordelen/{site.values['assessment_id']}/gebied/skill"
    for words in ("De ene notitie.", "De andere notitie."):
        answer = site.clients["assigned assessor"].post(address, data={"version": "0", "notes": words, "action": "save"})
    return answer


@state
def assessor_earlier_versions(site: Site) -> TestResponse:
    assessor_conflict(site)
    return site.clients["assigned assessor"].get(f"/beoordelen/{site.values['assessment_id']}/gebied/skill/versies")


@state
def office_admission(site: Site) -> TestResponse:
    to_be_admitted(site)
    return site.clients["office"].get(f"/secretariaat/dossiers/{REFERENCE}/toelating")


@state
def office_admission_incomplete(site: Site) -> TestResponse:
    to_be_admitted(site)
    sent = {"revision": "1", "action": "admit"}
    return site.clients["office"].post(f"/secretariaat/dossiers/{REFERENCE}/toelating", data=sent)


@state
def office_returning(site: Site) -> TestResponse:
    to_be_admitted(site)
    return site.clients["office"].get(f"/secretariaat/dossiers/{REFERENCE}/terugsturen")


@state
def office_nothing_found(site: Site) -> TestResponse:
    return site.clients["office"].get("/secretariaat/dossiers?q=bestaatniet")


@state
def office_nobody_found(site: Site) -> TestResponse:
    return site.clients["office"].get("/secretariaat/mensen?q=bestaatniet")


@state
def office_person_invited(site: Site) -> TestResponse:
    sent = {"name": "Els Bos", "email": "els.bos@voorbeeld.nl", "roles": "assessor", "language": "nl"}
    return site.clients["office"].post("/secretariaat/mensen/uitnodigen", data=sent, follow_redirects=True)


@state
def office_account_closed(site: Site) -> TestResponse:
    address = f"/secretariaat/mensen/{site.accounts['other assessor']}"
    site.clients["office"].post(f"{address}/sluiten")
    return site.clients["office"].get(address)


@state
def office_something_stuck(site: Site) -> TestResponse:
    site.write(
        "UPDATE snapshot SET stage = 'submitted', attempts = 9, error = ?", '{"nl": "Er ging iets mis.", "en": "It failed."}'
    )
    return site.clients["office"].get("/secretariaat/vastgelopen")


@state
def office_dossier_withdrawn(site: Site) -> TestResponse:
    address = f"/secretariaat/dossiers/{REFERENCE}"
    return site.clients["office"].post(f"{address}/intrekken", data={"reason": "Op verzoek"}, follow_redirects=True)


@state
def log_checked(site: Site) -> TestResponse:
    return site.clients["auditor"].post("/logboek/controleren", follow_redirects=True)


@state
def log_nothing_found(site: Site) -> TestResponse:
    return site.clients["auditor"].get("/logboek?wie=bestaatniet")


# --- the register of the office ------------------------------------------------------------------------------------


@state
def register_entry_corrected(site: Site) -> TestResponse:
    address = f"{holder(site)}/inschrijving/{site.values['line_id']}"
    return site.clients["office"].post(address, data={**ENTRY, "reason": "Typefout in het jaar."}, follow_redirects=True)


@state
def register_entry_that_counts_no_longer(site: Site) -> TestResponse:
    address = f"{holder(site)}/inschrijving/{site.values['line_id']}/vervallen"
    return site.clients["office"].post(address, data={"void_reason": "Hoort bij een ander."}, follow_redirects=True)


@state
def register_person_with_several_entries(site: Site) -> TestResponse:
    sent = {**ENTRY, "former_level": "B"}
    return site.clients["office"].post(f"{holder(site)}/inschrijving", data=sent, follow_redirects=True)


@state
def register_person_with_nothing(site: Site) -> TestResponse:
    return site.clients["office"].get(f"/secretariaat/mensen/{site.accounts['owner']}")


@state
def register_recording(site: Site) -> TestResponse:
    return site.clients["office"].get(f"{holder(site)}/inschrijving")


@state
def register_correcting(site: Site) -> TestResponse:
    return site.clients["office"].get(f"{holder(site)}/inschrijving/{site.values['line_id']}")


@state
def register_recording_what_cannot_be(site: Site) -> TestResponse:
    sent = {**ENTRY, "valid_from.year": "2024", "valid_until.year": "2025"}
    return site.clients["office"].post(f"{holder(site)}/inschrijving", data=sent)


@state
def register_own_page_of_the_office(site: Site) -> TestResponse:
    return site.clients["office"].get(f"/secretariaat/mensen/{site.accounts['office']}")


@state
def register_seen_by_the_holder(site: Site) -> TestResponse:
    return site.clients["other assessor"].get("/account")


# --- a newer version of the forms ----------------------------------------------------------------------------------


@state
def forms_told_of(site: Site) -> TestResponse:
    newer_forms(site)
    return site.clients["owner"].get(DOSSIER)


@state
def forms_compared(site: Site) -> TestResponse:
    newer_forms(site)
    return site.clients["owner"].get(f"{DOSSIER}/formulieren")


@state
def forms_asking_to_go_over(site: Site) -> TestResponse:
    newer_forms(site)
    return site.clients["owner"].get(f"{DOSSIER}/formulieren/overstappen")


@state
def forms_gone_over(site: Site) -> TestResponse:
    return go_over(site)


@state
def forms_gone_over_task_list(site: Site) -> TestResponse:
    go_over(site)
    return site.clients["owner"].get(DOSSIER)


@state
def forms_gone_over_check_answers(site: Site) -> TestResponse:
    go_over(site)
    return site.clients["owner"].get(f"{DOSSIER}/controleren")


@state
def forms_no_longer_asked(site: Site) -> TestResponse:
    go_over(site)
    return site.clients["owner"].get(f"{DOSSIER}/niet-meer-gevraagd")


@state
def forms_nothing_no_longer_asked(site: Site) -> TestResponse:
    return site.clients["owner"].get(f"{DOSSIER}/niet-meer-gevraagd")


@state
def forms_way_back(site: Site) -> TestResponse:
    go_over(site)
    return site.clients["owner"].get(f"{DOSSIER}/formulieren?terug=1")


@state
def forms_asking_to_go_back(site: Site) -> TestResponse:
    go_over(site)
    return site.clients["owner"].get(f"{DOSSIER}/formulieren/overstappen?terug=1")


@state
def forms_gone_back(site: Site) -> TestResponse:
    go_over(site)
    return go_over(site, back=True)


@state
def forms_no_newer_version(site: Site) -> TestResponse:
    return site.clients["owner"].get(f"{DOSSIER}/formulieren")


@state
def forms_changed_while_asking(site: Site) -> TestResponse:
    newer_forms(site)
    sent = {"before": "0" * 64, "after": "1" * 64}
    return site.clients["owner"].post(f"{DOSSIER}/formulieren/overstappen", data=sent, follow_redirects=True)


@state
def forms_section_that_came_late(site: Site) -> TestResponse:
    newer_forms(site)
    client, address = site.clients["owner"], f"{DOSSIER}/onderdeel/practice"
    sent = hidden_fields(client.get(address))
    go_over(site)
    sent |= {"name": "Sanne", "story": "Een verhaal dat te laat kwam.", "since.day": "7", "action": "later"}
    return client.post(address, data=sent, follow_redirects=True)


@state
def forms_moved_seen_by_the_office(site: Site) -> TestResponse:
    go_over(site)
    return site.clients["office"].get(f"/secretariaat/dossiers/{REFERENCE}")


# --- nothing there yet ---------------------------------------------------------------------------------------------


def first_day(endpoint: str) -> State:
    def shown(site: Site) -> TestResponse:
        for table in ("dossier", "snapshot", "assessment", "assignment", "mail"):
            site.write(f"DELETE FROM {table}")  # noqa: S608  our own names
        return site.ask(site.clients["office"], endpoint, ALL_REQUESTS[endpoint][0])

    return shown


STATES |= {f"first-day-{endpoint}": first_day(endpoint) for endpoint in FIRST_DAY}


def holder(site: Site) -> str:
    """The office's page of the person who stands in the register."""
    return f"/secretariaat/mensen/{site.accounts['other assessor']}"


def newer_forms(site: Site) -> None:
    """Version 2 is in effect; in a choice, a story and a date of version 1 stands something."""
    installation = site.app.extensions["installation"]
    site.app.extensions["installation"] = replace(installation, catalogue=site.values["newer"])
    since = {"day": "3", "month": "2", "year": "2019"}
    site.world.save(session.get_one(Dossier, 1), "practice", story="Een verhaal van mij.", form="job", since=since)


def go_over(site: Site, back: bool = False) -> TestResponse:
    if not back:
        newer_forms(site)
    address = f"{DOSSIER}/formulieren/overstappen" + ("?terug=1" if back else "")
    sent = hidden_fields(site.clients["owner"].get(address))
    return site.clients["owner"].post(f"{DOSSIER}/formulieren/overstappen", data=sent, follow_redirects=True)


def new_dossier(site: Site) -> None:
    """Of the other candidate, who stopped with the first: with nothing in it."""
    site.write("UPDATE dossier SET stage = 'withdrawn', withdrawn_at = '2026-11-20 10:00:00' WHERE reference = 'KL-ANDER'")
    dossier = site.world.dossier(session.get_one(Account, site.accounts["other candidate"]))
    site.write("UPDATE dossier SET reference = 'KL-NIEUW' WHERE id = ?", dossier.id)


def mailed(site: Site, purpose: links.Purpose) -> str:
    with transaction():
        account = session.get_one(Account, site.accounts["other candidate"])
        account.email_confirmed_at = None if purpose == "confirm_email" else account.email_confirmed_at
        return links.make(account, purpose, works=timedelta(hours=1))


def last_link(site: Site) -> str:
    """The path of the link in the newest mail that has one."""
    links_in = (str(mail.data.get("link", "")) for mail in session.scalars(select(Mail).order_by(Mail.id.desc())))
    return next(urlsplit(link).path for link in links_in if link)


def mentor_link(site: Site) -> str:
    return "/meelezen/uitnodiging/" + site.world.token("mentor_invitation")


def supervisor_token(site: Site) -> str:
    """Of the invitation for the other dossier, which was the last."""
    return site.world.token()


def sign(site: Site) -> None:
    site.world.sign(session.get_one(Statement, site.statements["supervisor"]))


def to_be_admitted(site: Site) -> None:
    site.put_stage("", "submitted")
    for table in ("assignment", "requirement_check", "admission"):
        site.write(f"DELETE FROM {table}")  # noqa: S608  our own names


def give_back(site: Site) -> None:
    to_be_admitted(site)
    sent = {"revision": "1", "finding-known": "De naam klopt niet: vul de achternaam aan.", "until.day": "1", "until.month": "2",
            "until.year": "2027"}  # fmt: skip
    answer = site.clients["office"].post(f"/secretariaat/dossiers/{REFERENCE}/terugsturen", data=sent)
    assert answer.status_code == 302, answer.get_data(as_text=True)


@pytest.mark.parametrize("name", STATES)
def test_a_state(site: Site, window: Window, looks: Looks, request: pytest.FixtureRequest, name: str) -> None:
    answer = STATES[name](site)
    assert answer.content_type.startswith("text/html")
    assert not answer.location
    check(window.show(answer), name, looks, request)


def test_a_long_name_leaves_the_header_on_one_line(site: Site, window: Window) -> None:
    site.write("UPDATE account SET name = 'Şenay Łukasiewicz-de Vries' WHERE id = ?", site.accounts["owner"])
    page = window.show(site.clients["owner"].get("/account"))
    parts = [page.locator(f".site-header {one}").bounding_box() for one in (".brand", ".main-nav", ".account", ".language")]
    middles = [round(one["y"] + one["height"] / 2) for one in parts if one]
    assert len(middles) == 4
    assert max(middles) - min(middles) <= 1


# --- what was refused ----------------------------------------------------------------------------------------------


def busy() -> Exception:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("UPDATE", {}, locked)


WORDS = both("Dat kan nu niet. Vraag het aan het secretariaat.")
REFUSALS: dict[int, Exception] = {
    400: BadRequest(),
    403: errors.Forbidden(WORDS),
    404: NotFound(),
    405: MethodNotAllowed(),
    409: errors.Conflict(WORDS),
    410: errors.LinkUnusable(WORDS),
    413: RequestEntityTooLarge(),
    422: errors.InvalidInput(WORDS),
    429: errors.TooManyRequests(WORDS),
    500: RuntimeError("hunter2"),
    503: busy(),
    507: errors.StorageFailure(WORDS),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_an_error_page_says_what_to_do_and_carries_a_reference(
    site: Site,
    window: Window,
    looks: Looks,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    def refuse() -> None:
        raise REFUSALS[status]

    monkeypatch.setitem(site.app.view_functions, "public.home", refuse)
    client = site.app.test_client()
    for language, called in (("nl", "kenmerk"), ("en", "reference")):
        client.set_cookie("language", language)
        answer = client.get("/")
        assert answer.status_code == status
        page = window.show(answer)
        (reference,) = re.findall(rf"{called}\xa0?\s?([0-9a-f]{{8}})", page.locator("main").inner_text())
        assert f"refused with {status}, reference {reference}, on GET /" in caplog.text
        assert len(page.locator(".lead").inner_text()) > 40
        assert page.locator("main .button-row a").count() >= 1
        assert page.locator("main a[href^='mailto:']").count() == 1
        check(page, f"error-{status}-{language}", looks, request)


# --- forms that are sent empty -------------------------------------------------------------------------------------

BUTTONS = {  # where nothing needs to be filled in, or nothing comes back but an error page
    "assessor.autosave", "assessor.restore", "assessor.save", "assessor.sign", "audit_log.check",
    "auth.agree_to_email", "auth.change_second_factor", "auth.confirm", "auth.end_logins", "auth.first_set_up", "auth.invited",
    "auth.logout", "auth.reset", "auth.second_step", "auth.stop_email_change",
    "candidate.close_statements",
    "candidate.end_mentor", "candidate.invite", "candidate.invite_mentor", "candidate.mark_comment", "candidate.move",
    "candidate.remind",
    "candidate.remind_mentor", "candidate.renew", "candidate.revoke", "candidate.send_copy", "candidate.start",
    "candidate.withdraw",
    "development.add_part", "development.finish_file", "development.put_back", "development.remove", "development.start_file",
    "earlier.put_back", "evidence.change", "evidence.put_in_order", "evidence.remove",
    "mentor.accept", "mentor.decline", "mentor.stop",
    "messages.mark_all", "messages.open_message",
    "office.assign", "office.change_roles", "office.check", "office.clear_fault", "office.disable", "office.enable",
    "office.end_assignment", "office.end_logins", "office.invite_again", "office.resend", "office.retry", "office.retry_evidence",
    "office.try_mail", "office.try_mails", "public.language",
    "section.autosave", "section.remove_row", "section.resolve", "section.save", "section.use_chosen",
    "supervisor.decline", "supervisor.enter", "supervisor.save",
    "uploads.add", "uploads.finish", "uploads.start",
}  # fmt: skip
FORMS = [
    endpoint
    for endpoint, requests in ALL_REQUESTS.items()
    if endpoint not in BUTTONS and any(one.method == "POST" for one in requests)
]


@pytest.mark.parametrize("endpoint", FORMS)
def test_a_form_that_is_sent_empty_names_each_fault_where_it_is(
    site: Site, window: Window, looks: Looks, request: pytest.FixtureRequest, endpoint: str
) -> None:
    prepare(site, endpoint)
    asked = next(one for one in ALL_REQUESTS[endpoint] if one.method == "POST")
    empty = {
        name: value if name in ("version", "revision", "before", "shown", "action", "key") else ""
        for name, value in asked.form.items()
    }
    answer = site.ask(person_for(site, endpoint), endpoint, replace(asked, form=empty))
    assert answer.status_code == 422
    page = window.show(answer)
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    check(page, f"empty-{endpoint}", looks, request)
