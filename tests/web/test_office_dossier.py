"""One dossier’s page at the office, and its deeds: check, return, admit, assign, extend, record the fee, withdraw."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

import pytest
from filling import checked_file, fill, start
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from app.accounts.models import Account, AccountRole
from app.assessment import admission, queue
from app.assessment.models import Admission, Assessment, Assignment, Fee, RequirementCheck
from app.audit import AuditEntry
from app.documents.models import Bundle
from app.dossiers import contents as dossier_contents
from app.dossiers import lifecycle, starting, submission
from app.dossiers.answers import put_answer
from app.dossiers.models import Dossier, Extension, OfficeNote, Snapshot, Statement
from app.dossiers.submission import Consent
from app.extensions import now, session, transaction
from app.files import store
from app.mail import Mail
from app.pipeline import Installation
from app.schemes import models as stored_templates

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]
REQUIREMENTS = ("certificate", "practice", "evidence", "client_data", "conduct", "statement")


@dataclass
class Desk:
    """Somebody of the office before one submitted dossier, and its candidate."""

    office: FlaskClient
    candidate: FlaskClient
    reference: str
    dossier_id: int
    installation: Installation

    @property
    def path(self) -> str:
        return f"/secretariaat/dossiers/{self.reference}"

    @property
    def dossier(self) -> Dossier:
        session.rollback()
        return session.get_one(Dossier, self.dossier_id)

    @property
    def snapshot(self) -> Snapshot:
        session.rollback()
        newest = select(Snapshot).where(Snapshot.dossier_id == self.dossier_id).order_by(Snapshot.revision.desc()).limit(1)
        return session.scalars(newest).one()

    def page(self, path: str = "", status: int = 200) -> str:
        answer = self.office.get(self.path + path)
        assert answer.status_code == status, answer.status
        return answer.get_data(as_text=True)

    def post(self, path: str, status: int = 302, **form: str) -> str:
        answer = self.office.post(self.path + path, data=form)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def check(self, action: str = "save", status: int = 302, **states: str) -> str:
        form = {f"state-{one}": states.get(one, "met") for one in REQUIREMENTS} | {"revision": "1", "action": action}
        form |= {f"note-{one}": "Dit ontbreekt." for one in REQUIREMENTS if form[f"state-{one}"] == "not_met"}
        return self.post("/toelating", status, **form)


def submit(dossier: Dossier, installation: Installation) -> int:
    with transaction():
        contents = dossier_contents.read(dossier)
        consent = Consent("Sanne de Vries", frozenset(one.id for one in contents.template.declarations), "127.0.0.1", "test")
        return submission.submit(
            contents, consent, catalogue=installation.catalogue, house_style_sha256="0" * 64, settings=installation.settings
        ).id


def hand_over(snapshot_id: int, installation: Installation) -> int:
    """In the queue, with stand-ins for the documents."""
    blobs = installation.settings.blobs
    zipped, sealed, signed = (store.put_bytes(blobs, data) for data in (b"PK bundle", b"%PDF-1.7", b"PK document"))
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        bundle = Bundle(
            snapshot_id=snapshot_id, zip_sha256=zipped.sha256, zip_size=9, pdf_sha256=sealed.sha256,
            docx_sha256=signed.sha256, pages=1, seal_sha256="0" * 64,
        )  # fmt: skip
        session.add(bundle)
        lifecycle.advance(snapshot, "sealed")
        session.flush()
        snapshot.delivered_at = now()
        return queue.hand_over(bundle).id


@pytest.fixture
def desk(installation: Installation, make_account: MakeAccount, login: Login) -> Desk:
    candidate = make_account("Sanne de Vries", "candidate")
    dossier = start(candidate, installation)
    fill(dossier, installation)
    hand_over(submit(dossier, installation), installation)
    return Desk(login(make_account("Ilse Smit", "office")), login(candidate), dossier.reference, dossier.id, installation)


def actions(reference: str) -> list[str]:
    session.rollback()
    mine = select(AuditEntry.action).join(Dossier, AuditEntry.thing == "dossier:" + Dossier.id.cast(AuditEntry.thing.type))
    return list(session.scalars(mine.where(Dossier.reference == reference).order_by(AuditEntry.id)))


# --- the page ------------------------------------------------------------------------------------------------------


def test_dossiers_page_names_the_next_step_the_people_and_the_documents_and_is_logged(desk: Desk) -> None:
    page = desk.page()
    for words in ("Sanne de Vries", "Wacht op toelating", "Controleer de toelatingseisen", "Ondertekend", "Revisie 1"):
        assert words in page
    assert f'href="{desk.path}/toelating"' in page
    for form, content in (("pdf", b"%PDF-1.7"), ("docx", b"PK document"), ("zip", b"PK bundle")):
        assert desk.office.get(f"{desk.path}/documenten/1/{form}").data == content
    assert desk.office.get(f"{desk.path}/documenten/2/pdf").status_code == 404
    evidence = re.findall(rf'href="({desk.path}/bewijs/\d+)"', page)
    assert evidence
    assert desk.office.get(evidence[0]).status_code == 200
    assert desk.office.get(f"{desk.path}/bewijs/9999").status_code == 404
    assert actions(desk.reference)[-5:] == ["dossier.viewed", *["dossier.document"] * 4]


def test_queries_of_the_dossiers_page_do_not_grow_with_what_is_in_it(desk: Desk, make_account: MakeAccount, login: Login) -> None:
    def queries() -> int:
        counted: list[str] = []
        engine = session.get_bind()

        def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            counted.append(statement)

        event.listen(engine, "before_cursor_execute", count)
        try:
            desk.page()
        finally:
            event.remove(engine, "before_cursor_execute", count)
        return len(counted)

    def add(number: int) -> None:
        for one in range(number):
            desk.post("/notities", text=f"Notitie {number} {one}")
            with transaction():
                dossier = session.get_one(Dossier, desk.dossier_id)
                office = session.scalars(select(Account).where(Account.name == "Ilse Smit")).one()
                session.add(
                    Extension(
                        dossier_id=dossier.id, before=dossier.submit_before, by_id=office.id, reason="Ziek",
                        submit_before=dossier.submit_before + timedelta(days=one + 1),
                    )
                )  # fmt: skip
                assessor = make_account_inside(f"Beoordelaar {number} {one}")
                assessment = session.scalars(select(Assessment)).one()
                session.add(Assignment(assessment_id=assessment.id, assessor_id=assessor.id, assigned_by_id=office.id))

    def make_account_inside(name: str) -> Account:
        account = Account(
            email=name.lower().replace(" ", ".") + "@voorbeeld.nl",
            name=name,
            password_hash="-",
            language="nl",
            email_confirmed_at=now(),
        )
        session.add(account)
        session.flush()
        return account

    add(1)
    desk.page()
    one = queries()
    add(4)
    assert queries() == one


def test_nobody_handles_his_own_dossier(desk: Desk) -> None:
    with transaction():
        session.add(AccountRole(account_id=desk.dossier.owner_id, role="office"))
    assert desk.candidate.get(desk.path).status_code == 403
    for path in ("/toelating", "/terugsturen", "/kosten", "/intrekken", "/notities"):
        assert desk.candidate.post(desk.path + path, data={"reason": "x", "text": "x"}).status_code == 403
    assert desk.dossier.stage == "submitted"


def test_role_that_is_taken_away_ends_the_work_at_once(desk: Desk) -> None:
    desk.page("/toelating")
    with transaction():
        office = session.scalars(select(Account).where(Account.name == "Ilse Smit")).one()
        for role in session.scalars(select(AccountRole).where(AccountRole.account_id == office.id)):
            session.delete(role)
    assert desk.office.post(desk.path + "/toelating", data={"revision": "1"}).status_code == 404
    assert session.scalars(select(RequirementCheck)).all() == []


def test_notes_are_for_the_office_and_a_double_click_is_one(desk: Desk) -> None:
    for _ in range(2):
        desk.post("/notities", text="Gebeld: het komt morgen.")
    assert "Schrijf eerst iets op." in desk.post("/notities", 422, text="  ")
    session.rollback()
    assert session.scalars(select(OfficeNote.text)).all() == ["Gebeld: het komt morgen."]
    assert "Gebeld: het komt morgen." in desk.page()
    assert "Gebeld" not in desk.candidate.get(f"/dossier/{desk.reference}").get_data(as_text=True)


# --- admission -----------------------------------------------------------------------------------------------------


def test_office_checks_admits_and_assigns_two(desk: Desk, make_account: MakeAccount) -> None:
    people = [make_account(name, "assessor") for name in ("Joost Bakker", "Aisha Demir", "Wouter Post")]
    page = desk.page("/toelating")
    assert "Het certificaat is nog geldig" in page
    desk.check("save", certificate="open")
    assert "Nog niet alle toelatingseisen" in desk.check("admit", 422, certificate="open")
    desk.check("admit")
    assert session.scalars(select(Admission.outcome)).all() == ["admitted"]
    assert "0 van 2 toegewezen" in desk.page()
    assessment = session.scalars(select(Assessment.id)).one()
    address = f"/secretariaat/beoordelingen/{assessment}"
    for number, person in enumerate(people[:2], start=1):
        desk.office.post(f"{address}/toewijzen", data={"assessor": person.id})
        assert f"{number} van 2 toegewezen" in desk.office.get(address).get_data(as_text=True)
        for page in (desk.page(), desk.office.get("/secretariaat/dossiers").get_data(as_text=True)):
            assert ("In beoordeling, nog 1 beoordelaar nodig" in page) is (number == 1)
    third = desk.office.post(f"{address}/toewijzen", data={"assessor": people[2].id}, follow_redirects=True)
    assert "Dit dossier heeft al 2 beoordelaars." in third.get_data(as_text=True)
    session.rollback()
    assert len(session.scalars(select(Assignment)).all()) == 2
    assert desk.dossier.stage == "in_assessment"
    assert desk.office.get(desk.path + "/toelating").status_code == 403


@pytest.mark.parametrize("level", ["hbo", "mbo"])
def test_office_sees_the_sentence_of_the_report_beside_the_check(
    installation: Installation, make_account: MakeAccount, login: Login, level: str
) -> None:
    sanne, ilse = make_account("Sanne de Vries", "candidate"), make_account("Ilse Smit", "office")
    with transaction():
        dossier = starting.start(
            sanne,
            *("initial", "2026.1", [], "nl"),
            catalogue=installation.catalogue,
            settings=installation.settings,
        )
    fill(dossier, installation)
    files = [checked_file(dossier, installation, name) for name in ("evaluatie.pdf", "afsluiting.pdf")]
    with transaction():
        put_answer(dossier, "closing", "evidence", files)
        put_answer(dossier, "education", "level_sentence", f"Zij voldoet aan een <{level}-denk- en werkniveau>.")
    hand_over(submit(dossier, installation), installation)
    page = login(ilse).get(f"/secretariaat/dossiers/{dossier.reference}/toelating").get_data(as_text=True)
    assert f'<blockquote class="quoted"><p>Zij voldoet aan een &lt;{level}-denk- en werkniveau&gt;.</p>' in page
    assert ("<dt>Let op</dt><dd>In deze zin staat niets over hbo-niveau." in page) is (level == "mbo")
    assert "<dt>Naam van de psycholoog die het rapport ondertekende</dt><dd><p>Een antwoord</p>" in page
    assert "Uw werkervaring: </strong>6 jaar en 1 dag (minstens 3 jaar nodig)." in page
    assert "<dt>Welk diploma hebt u?</dt><dd><p>Geen van deze</p>" in page
    assert "Naam van de opleiding" not in page, "not asked of somebody without a degree"
    assert re.findall(r'<h2 id="title-(\w+)">', page)[1:4] == ["assessment_bureau", "assessment_level", "assessment_exception"]


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ({"diploma": "hbo"}, ["education"]),
        ({"diploma": "none", "bureau": "gitp"}, ["education", "assessment_bureau", "assessment_level"]),
        (
            {"diploma": "none", "bureau": "other"},
            ["education", "assessment_bureau", "assessment_level", "assessment_exception"],
        ),
        ({"diploma": "hbo", "bureau": "other"}, ["education"]),
    ],
)
def test_each_part_of_the_way_without_a_degree_is_checked_by_itself_where_it_was_chosen(
    installation: Installation, make_account: MakeAccount, answers: dict[str, str], asked: list[str]
) -> None:
    sanne = make_account("Sanne de Vries", "candidate")
    with transaction():
        dossier = starting.start(
            sanne,
            *("initial", "2026.1", [], "nl"),
            catalogue=installation.catalogue,
            settings=installation.settings,
        )
        content = json.dumps({"answers": {"education": answers}})
        session.add(Snapshot(dossier_id=dossier.id, revision=1, sha256=sha256(content.encode()).hexdigest(), content=content))
    always = ["experience", "code", "agreement", "mentor"]
    assert [one.id for one in admission.requirements_of(dossier, installation.catalogue)] == [*asked, *always]


def test_colleague_in_another_tab_is_told_what_stands_there_and_loses_nothing(
    desk: Desk, make_account: MakeAccount, login: Login
) -> None:
    colleague = login(make_account("Bob Balie", "office", email="bob@voorbeeld.nl"))
    stale = {"revision": "1", "state-certificate": "not_met", "note-certificate": "Nummer onbekend", "seen-certificate": "open "}
    desk.check("save")
    answer = colleague.post(desk.path + "/toelating", data=stale)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Dit noteerde een collega intussen" in page
    assert "Nummer onbekend" in page
    session.rollback()
    assert session.get_one(RequirementCheck, (desk.snapshot.id, "certificate")).state == "met"
    desk.check("admit")
    late = colleague.post(desk.path + "/toelating", data=stale, follow_redirects=True)
    assert "Over de toelating van dit dossier is al besloten" in late.get_data(as_text=True)
    told = {**stale, "note-certificate": "Dit nummer staat niet in het register."}
    late = colleague.post(desk.path + "/toelating", data=told)
    assert late.status_code == 409
    assert "Dit nummer staat niet in het register." in late.get_data(as_text=True)  # to be copied


def test_admitting_twice_is_admitting_once(desk: Desk) -> None:
    desk.check("admit")
    done = actions(desk.reference)
    desk.check("admit")
    assert "Dit was al gebeurd. Er is niets veranderd." in desk.page()
    assert actions(desk.reference) == [*done, "dossier.viewed"]
    desk.check("admit", certificate="open")  # other content: somebody decided meanwhile
    assert "Over de toelating van dit dossier is al besloten" in desk.page()
    assert session.scalars(select(Admission.outcome)).all() == ["admitted"]


def test_dossier_from_before_there_were_requirements_is_admitted_with_a_note(desk: Desk) -> None:
    with transaction():
        dossier = session.get_one(Dossier, desk.dossier_id)
        older = replace(stored_templates.get(dossier.template_sha256), entry_requirements=(), version="2019.1")
        dossier.template_sha256 = stored_templates.store(older).sha256
    assert "Dit schema heeft geen toelatingseisen" in desk.page("/toelating")
    form = {"revision": "1", "action": "admit"}
    assert "Schrijf wat u hebt gecontroleerd." in desk.post("/toelating", 422, **form, note=" ")
    for _ in range(2):
        desk.post("/toelating", **form, note="Certificaat 12 gezien en gebeld.")
    page = desk.page()
    assert "Dit was al gebeurd." in page
    assert "Certificaat 12 gezien en gebeld." in page  # the chronicle has it
    assert session.scalars(select(Admission.note)).all() == ["Certificaat 12 gezien en gebeld."]


def test_returned_dossier_shows_its_findings_until_it_is_submitted_again(desk: Desk) -> None:
    desk.check("return", statement="not_met")
    page = desk.page("/terugsturen")
    assert "Dit ontbreekt." in page
    assert "Schrijf minstens één bevinding" in desk.post(
        "/terugsturen", 422, revision="1", **{"until.day": "1", "until.month": "3", "until.year": str(now().year + 1)}
    )
    until = submission.today() + timedelta(days=20)
    form = {
        "revision": "1",
        "finding-statement": "Vraag uw supervisor om een volledige verklaring.",
        "section-statement": "supervisor",
        "until.day": str(until.day),
        "until.month": str(until.month),
        "until.year": str(until.year),
    }
    desk.post("/terugsturen", **form)
    assert desk.dossier.stage == "returned"
    tasks = desk.candidate.get(f"/dossier/{desk.reference}").get_data(as_text=True)
    assert "Vraag uw supervisor om een volledige verklaring." in tasks
    section = desk.candidate.get(f"/dossier/{desk.reference}/onderdeel/supervisor").get_data(as_text=True)
    assert "Het secretariaat vraagt u dit onderdeel aan te vullen" in section
    done = actions(desk.reference)
    desk.post("/terugsturen", **form)
    assert "Dit was al gebeurd. Er is niets veranderd." in desk.page()
    other = desk.office.post(desk.path + "/terugsturen", data={**form, "finding-statement": "Er ontbreekt nog heel iets anders."})
    assert other.status_code == 403
    assert "Er ontbreekt nog heel iets anders." in other.get_data(as_text=True)  # to be copied
    assert actions(desk.reference) == [*done, "dossier.viewed"]
    session.rollback()
    assert session.scalars(select(Mail.template).where(Mail.template == "dossier_returned")).all() == ["dossier_returned"]
    second = submit(desk.dossier, desk.installation)
    assert desk.snapshot.revision == 2
    assert "Vraag uw supervisor" not in desk.candidate.get(f"/dossier/{desk.reference}").get_data(as_text=True)
    old_tab = desk.office.post(desk.path + "/toelating", data={"revision": "1", "action": "admit"})
    assert old_tab.status_code == 409
    hand_over(second, desk.installation)
    assert len(session.scalars(select(Assessment)).all()) == 1
    assert "Vraag uw supervisor" in desk.page()  # the chronicle keeps it


# --- deadline ------------------------------------------------------------------------------------------------------


def test_candidate_is_refused_after_the_date_until_the_office_extends_it(desk: Desk) -> None:
    desk.check("return", statement="not_met")
    with transaction():
        session.execute(update(Dossier).values(stage="returned", submit_before=submission.today() - timedelta(days=1)))
    check = desk.candidate.get(f"/dossier/{desk.reference}/controleren").get_data(as_text=True)
    assert "De datum om in te dienen is voorbij. Vraag het secretariaat om uitstel" in check
    until, before = submission.today() + timedelta(days=30), desk.dossier.submit_before.isoformat()
    day = {"until.day": str(until.day), "until.month": str(until.month), "until.year": str(until.year), "before": before}
    assert "Schrijf waarom u uitstel geeft." in desk.post("/uitstel", 422, **day, reason="")
    assert "Vul een datum in" in desk.post("/uitstel", 422, before=before, reason="Ziek")
    desk.post("/uitstel", **day, reason="Ziek geweest")
    desk.post("/uitstel", **day, reason="Ziek geweest")
    assert "Dit was al gebeurd. Er is niets veranderd." in desk.page()
    assert "De datum is intussen al gewijzigd" in desk.post("/uitstel", 409, **day, reason="Nog steeds ziek")
    session.rollback()
    (extension,) = session.scalars(select(Extension)).all()
    assert (extension.submit_before, extension.reason) == (until, "Ziek geweest")
    assert desk.dossier.submit_before == until
    assert "voorbij" not in desk.candidate.get(f"/dossier/{desk.reference}/controleren").get_data(as_text=True)
    assert session.scalars(select(Mail.to).where(Mail.template == "dossier_extended")).all() == [desk.dossier.owner.email]


# --- fee -----------------------------------------------------------------------------------------------------------


def test_fee_is_recorded_and_a_stale_tab_sees_what_the_colleague_recorded(desk: Desk) -> None:
    day = {"on.day": "1", "on.month": "11", "on.year": "2026"}
    assert "Vul het bedrag in" in desk.post("/kosten", 422, version="0", state="invoiced", **day)
    for _ in range(2):
        desk.post("/kosten", version="0", state="invoiced", amount="1.250,50", invoice="F-12", **day)
    assert actions(desk.reference).count("fee.recorded") == 1
    stale = desk.post("/kosten", 409, version="0", state="waived", note="Regeling", **day)
    assert "U wijzigde de vergoeding intussen in een ander venster." in stale
    assert "1.250,50" in stale
    assert "Regeling" in stale
    desk.post("/kosten", version="1", state="paid", amount="1250,50", invoice="F-12", **day)
    session.rollback()
    fee = session.scalars(select(Fee)).one()
    assert (fee.state, fee.amount_cents, fee.invoice, fee.version) == ("paid", 125_050, "F-12", 2)
    assert "Betaald. Dank u wel." in desk.candidate.get(f"/dossier/{desk.reference}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("475", 47_500), ("€ 475,-", 47_500), ("1.250,50", 125_050), ("1,250.50", 125_050), ("1250.50", 125_050), ("1.500", 150_000),
     ("1,5", 150), ("0,05", 5), ("12,345.6789", None), ("0.005", None), ("-5", None), ("veel", None), ("9" * 13, None)],
)  # fmt: skip
@pytest.mark.parametrize("language", ["nl", "en"])
def test_an_amount_is_understood_the_dutch_and_the_english_way(desk: Desk, typed: str, cents: int | None, language: str) -> None:
    day = {"on.day": "1", "on.month": "11", "on.year": "2026"}
    desk.office.set_cookie("language", language)
    page = desk.post("/kosten", 422 if cents is None else 302, version="0", state="invoiced", amount=typed, **day)
    session.rollback()
    fee = session.scalars(select(Fee)).one_or_none()
    if cents is None:
        assert fee is None
        assert {"nl": "zoals 475 of 1.250,50", "en": "such as 475 or 1,250.50"}[language] in page
        assert f'value="{typed}"' in page
    else:
        assert fee is not None
        assert fee.amount_cents == cents


# --- withdrawing ---------------------------------------------------------------------------------------------------


def test_office_withdraws_with_a_reason_and_assessors_are_told(desk: Desk, make_account: MakeAccount, login: Login) -> None:
    joost = make_account("Joost Bakker", "assessor")
    desk.check("admit")
    assessment = session.scalars(select(Assessment.id)).one()
    desk.office.post(f"/secretariaat/beoordelingen/{assessment}/toewijzen", data={"assessor": joost.id})
    reader = login(joost)
    assert "Schrijf waarom u dit dossier intrekt." in desk.post("/intrekken", 422, reason="")
    desk.post("/intrekken", reason="Op verzoek van de kandidaat")
    desk.post("/intrekken", reason="Op verzoek van de kandidaat")
    assert "Dit was al gebeurd. Er is niets veranderd." in desk.page()
    assert desk.office.post(desk.path + "/intrekken", data={"reason": "nog eens"}).status_code == 403
    assert actions(desk.reference).count("dossier.withdrawn") == 1
    dossier = desk.dossier
    assert (dossier.stage, dossier.withdrawn_reason) == ("withdrawn", "Op verzoek van de kandidaat")
    assert session.scalars(select(Assignment.ended_at)).one() is not None
    assert reader.get(f"/beoordelen/{assessment}").status_code in (403, 404)
    assert set(session.scalars(select(Mail.template).where(Mail.template.endswith("withdrawn")))) == {
        "dossier_withdrawn",
        "assignment_withdrawn",
    }
    assert "Op verzoek van de kandidaat" in desk.page()


def test_candidate_withdraws_his_own_and_the_supervisor_is_told_so(
    installation: Installation, make_account: MakeAccount, login: Login
) -> None:
    owner = make_account("Piet Post", "candidate")
    dossier = start(owner, installation)
    fill(dossier, installation)
    client = login(owner)
    with transaction():
        session.execute(update(Statement).values(stage="invited", signed_at=None))
    assert "Wilt u stoppen" in client.get(f"/dossier/{dossier.reference}/stoppen").get_data(as_text=True)
    for _ in range(2):
        assert client.post(f"/dossier/{dossier.reference}/stoppen", data={"reason": ""}).status_code == 302
    assert "U was al gestopt met dit dossier." in client.get(f"/dossier/{dossier.reference}").get_data(as_text=True)
    assert client.post(f"/dossier/{dossier.reference}/stoppen", data={"reason": "Toch anders"}).status_code == 403
    session.rollback()
    assert session.scalars(select(Dossier.stage)).one() == "withdrawn"
    assert session.scalars(select(Statement.stage)).one() == "revoked"
    assert "Ingetrokken" in client.get(f"/dossier/{dossier.reference}").get_data(as_text=True)
    start(owner, installation)  # and may begin anew


# --- mails ---------------------------------------------------------------------------------------------------------


def test_mail_goes_again_once_with_its_link_made_anew(desk: Desk) -> None:
    with transaction():
        letter = session.scalars(select(Mail).where(Mail.template == "submission_receipt")).one()
        letter.stage, letter.sent_at = "sent", now()
        letter.data = {name: value for name, value in letter.data.items() if name != "link"}
        letter_id = letter.id
    assert "Verzonden" in desk.page()
    for _ in range(2):
        desk.post(f"/berichten/{letter_id}/opnieuw", times="0")
    session.rollback()
    again = session.scalars(select(Mail).where(Mail.key.startswith("again:"))).all()
    assert [(one.to, one.data["link"]) for one in again] == [(desk.dossier.owner.email, f"/dossier/{desk.reference}/ontvangst")]
    assert desk.office.post(f"{desk.path}/berichten/99999/opnieuw", data={"times": "0"}).status_code == 404
