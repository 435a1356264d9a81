"""One small site with everything in it, for tests that walk all addresses: people of every kind, a dossier with files, rows,
a statement, a bundle in the queue. ``Site.reset`` puts its database back, so that a module needs only one."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from small_world import SCHEME, World, pdf, write_scheme
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_app
from app.accounts import registration
from app.accounts.models import Account
from app.assessment import assignment, queue
from app.assessment.models import Assessment
from app.config import Settings
from app.development import entries as log
from app.development import files as log_files
from app.documents.models import Bundle
from app.dossiers import answers, lifecycle, mentors, statements
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.models import Dossier, Mentorship, Snapshot, Statement
from app.extensions import now, session, transaction
from app.files import parts, store
from app.register import entries
from app.register.entries import Line
from app.schemes import loader

PASSWORD = "een heel lang wachtwoord"
REFERENCE, OTHER_REFERENCE = "KL-EIGEN", "KL-ANDER"
STATEMENT_TABLE = """\
          - {id: hours, type: number, required: false, label: {nl: Uren, en: Hours}}
          - id: meetings
            type: table
            label: {nl: Gesprekken, en: Meetings}
            required: false
            fields:
              - {id: subject, type: short_text, label: {nl: Onderwerp, en: Subject}}
"""
ROLES: Mapping[str, tuple[str, ...]] = {
    "owner": ("candidate",),
    "other candidate": ("candidate",),
    "mentor": ("mentor",),
    "assigned assessor": ("assessor",),
    "other assessor": ("assessor",),
    "office": ("office",),
    "auditor": ("auditor",),
    "candidate and office": ("candidate", "office"),
    "assessor and candidate": ("assessor", "candidate"),
}
SUPERVISORS = {"supervisor": REFERENCE, "other supervisor": OTHER_REFERENCE}
PEOPLE = ("anonymous", *ROLES, *SUPERVISORS)


@dataclass(frozen=True)
class Request:
    """How an address is asked for so that, once let in, the page has what it needs: it never answers 403, 404 or 410 then."""

    method: str
    values: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)


def get(**values: Any) -> Request:
    return Request("GET", values)


def post(form: dict[str, Any] | None = None, **values: Any) -> Request:
    return Request("POST", values, form or {})


PROOF = {"question_id": "proof"}
COURSES = {"section_id": "learning", "question_id": "courses"}
CLOSING = {"section_id": "closing", "question_id": "supervisor"}
MEETINGS = {"question_id": "meetings"}
STORY = {"question_id": "story"}
NOTED = {
    "kind": "course",
    "title": "Studiedag",
    "hours": "2",
    "date.day": "1",
    "date.month": "2",
    "date.year": "2026",
    "provider": "",
    "note": "",
}
SEEN = json.dumps({"kind": "course", "date": "2026-02-01", "title": "Training", "hours": "6", "provider": "", "note": ""})
DATED = "          - {id: day, type: date, required: false, label: {nl: Dag, en: Day}}\n"
LOG = """\
development_log:
  - {id: course, label: {nl: Cursus, en: Course}, table: learning.courses, date: day, title: name, hours: points, evidence: paper}
"""
ENTRY = {"scope": "small", "number": "KL-12"} | {
    f"valid_{end}.{part}": value
    for end, year in (("from", "2018"), ("until", "2021"))
    for part, value in (("day", "1"), ("month", "2"), ("year", year))
}
REQUESTS: dict[str, tuple[Request, ...]] = {
    "auth.account": (get(), post({"name": "Nieuwe naam", "language": "nl"})),
    "auth.change_email": (post({"email": "elders@voorbeeld.nl", "password_now": PASSWORD}),),
    "auth.change_second_factor": (post({"password_here": PASSWORD, "code": "000000", "action": "codes"}),),
    "auth.end_logins": (post({"session": "others"}),),
    "auth.set_up": (get(), post({"code": "000000"})),
    "auth.stop_email_change": (post(),),
    "auth.change_password": (post({"current": "verkeerd", "password": "een ander lang wachtwoord"}),),
    "assessor.autosave": (post({"version": "0", "notes": "Van mij"}, area_id="skill"), post({"version": "0"}, area_id="-")),
    "assessor.bundle": (get(),),
    "assessor.declare": (post({"interest": "none"}),),
    "assessor.door": (get(),),
    "assessor.evidence": (get(number=1),),
    "assessor.document": (get(form="pdf"), get(form="docx")),
    "assessor.finish": (get(),),
    "assessor.home": (get(),),
    "assessor.read": (get(),),
    "assessor.restore": (post({"version": "1"}, area_id="skill"),),
    "assessor.save": (post({"version": "0", "notes": "Van mij", "action": "save"}, area_id="skill"),),
    "assessor.sign": (post({"version": "0", "action": "save", "summary": "Goed"}),),
    "assessor.versions": (get(area_id="skill"),),
    "audit_log.assessments": (get(),),
    "audit_log.check": (post(),),
    "audit_log.export": (get(),),
    "audit_log.home": (get(),),
    "candidate.ask_end_mentor": (get(),),
    "candidate.ask_correct": (get(),),
    "candidate.ask_revoke": (get(),),
    "candidate.ask_language": (get(),),
    "candidate.ask_move": (get(),),
    "candidate.change_language": (post({"language": "en"}),),
    "candidate.check": (get(),),
    "candidate.correct": (post({"name": "Els Bosch", "email": "els.bosch@praktijk.example"}),),
    "candidate.draft": (get(),),
    "candidate.draft_part": (get(),),
    "candidate.document": (get(form="pdf"), get(form="docx"), get(form="zip")),
    "candidate.end_mentor": (post(),),
    "candidate.forms_version": (get(),),
    "candidate.home": (get(),),
    "candidate.invite": (post({"name": "Els Bos", "email": "els@praktijk.example", "language": "nl"}, **CLOSING),),
    "candidate.invite_mentor": (post({"name": "Men Tor", "email": "men@praktijk.example", "language": "nl"}),),
    "candidate.mark_comment": (post({"action": "done:1"}),),
    "candidate.mentor": (get(),),
    "candidate.move": (post({"before": "", "after": ""}),),
    "candidate.moved": (get(),),
    "candidate.no_longer_asked": (get(),),
    "candidate.receipt": (get(),),
    "candidate.remind": (post(),),
    "candidate.remind_mentor": (post(),),
    "candidate.close_statements": (post(**CLOSING),),
    "candidate.renew": (post(),),
    "candidate.revoke": (post(),),
    "candidate.send_copy": (post(),),
    "candidate.send": (post({"name": "Sanne de Vries", "declarations": "truth"}),),
    "candidate.start": (get(), post({"scheme": "small", "language": "nl"})),
    "candidate.submit": (get(),),
    "candidate.supervisor": (get(**CLOSING),),
    "candidate.tasks": (get(),),
    "development.add": (post(NOTED | {"key": "formulier-2"}),),
    "development.add_part": (post(),),
    "development.choose": (get(),),
    "development.download": (get(),),
    "development.edit": (get(),),
    "development.export": (get(),),
    "development.finish_file": (post({"sha256": ""}),),
    "development.home": (get(),),
    "development.new": (get(),),
    "development.put_back": (post(),),
    "development.remove": (post(),),
    "development.save": (post(NOTED | {"before": SEEN}),),
    "development.set_since": (post({"since.day": "1", "since.month": "2", "since.year": "2024"}),),
    "development.start_file": (post({"filename": "a.pdf", "size": "9", "modified": "1", "use": ""}),),
    "development.take": (post({"entries": "entry"}),),
    "development.thumbnail": (get(),),
    "earlier.put_back": (post({"versie": "1", "seen": "1"}, **STORY),),
    "earlier.show": (get(**STORY),),
    "evidence.ask_remove": (get(),),
    "evidence.change": (post({"title": "Mijn verslag", "action": "rename"}),),
    "evidence.download": (get(),),
    "evidence.home": (get(),),
    "evidence.original": (get(),),
    "evidence.put_in_order": (post({"order": ""}),),
    "evidence.remove": (post(),),
    "evidence.thumbnail": (get(),),
    "evidence.upload": (post(),),
    "mentor.accept": (post(),),
    "mentor.ask_stop": (get(),),
    "mentor.comment": (post({"text": "Wat een mooi verhaal."}),),
    "mentor.dossier": (get(),),
    "mentor.edit": (get(),),
    "mentor.evidence": (get(),),
    "mentor.home": (get(),),
    "mentor.read": (get(),),
    "mentor.save": (post({"text": "Iets anders", "before": "Vertel meer.", "action": "save"}),),
    "mentor.stop": (post(),),
    "messages.home": (get(),),
    "messages.mark_all": (post(),),
    "messages.open_message": (post(),),
    "candidate.ask_withdraw": (get(),),
    "candidate.withdraw": (post({"reason": "Ander werk"}),),
    "office.admission": (get(),),
    "office.ask_withdraw": (get(),),
    "office.assessors_page": (get(),),
    "office.check": (post({"revision": "1", "state-known": "met", "note-known": "Gezien"}),),
    "office.document": (get(form="pdf"), get(form="docx"), get(form="zip")),
    "office.dossier": (get(),),
    "office.evidence": (get(evidence_id=1),),
    "office.extend": (
        post({"before": "2026-01-01", "until.day": "1", "until.month": "2", "until.year": "2027", "reason": "Ziek"}),
    ),
    "office.extension": (get(),),
    "office.fee": (get(),),
    "office.give_back": (get(),),
    "office.record_fee": (post({"version": "0", "state": "paid", "on.day": "1", "on.month": "2", "on.year": "2026"}),),
    "office.resend": (post({"times": "0"}),),
    "office.send_back": (
        post({"revision": "1", "finding-known": "Vul aan", "until.day": "1", "until.month": "2", "until.year": "2027"}),
    ),
    "office.withdraw": (post({"reason": "Op verzoek"}),),
    "office.write_note": (post({"text": "Gebeld"}),),
    "office.assign": (post({"assessor": "assessor"}),),
    "office.dossiers": (get(),),
    "office.ask_end_assignment": (get(),),
    "office.end_assignment": (post({"reason": "Te druk"}),),
    "office.export_dossiers": (get(form="csv"), get(form="xlsx")),
    "office.home": (get(),),
    "office.mails": (get(),),
    "office.ask_disable": (get(),),
    "office.change_roles": (post({"roles": "assessor", "shown": "assessor"}),),
    "office.disable": (post(),),
    "office.enable": (post(),),
    "office.end_logins": (post(),),
    "office.export_people": (get(form="csv"), get(form="xlsx")),
    "office.invite": (get(), post({"name": "Els Bos", "email": "els.bos@voorbeeld.nl", "roles": "assessor", "language": "nl"})),
    "office.invite_again": (post(),),
    "office.people": (get(),),
    "office.person": (get(),),
    "office.plugins": (get(),),
    "office.clear_fault": (post(),),
    "office.new_entry": (get(),),
    "office.record_entry": (post(ENTRY),),
    "office.better_entry": (get(),),
    "office.correct_entry": (post(ENTRY | {"reason": "Typefout"}),),
    "office.void_entry": (post({"void_reason": "Hoort bij een ander"}),),
    "office.retry": (post(),),
    "office.retry_evidence": (post({"attempts": "1"}),),
    "office.stuck": (get(),),
    "office.try_mail": (post(),),
    "office.try_mails": (post(),),
    "section.add_row": (get(**COURSES),),
    "section.ask_remove_row": (get(**COURSES),),
    "section.autosave": (post({"version": "1", "name": "Anders"}),),
    "section.choose": (get(**PROOF),),
    "section.edit_row": (get(**COURSES),),
    "section.remove_row": (post(**COURSES),),
    "section.resolve": (post({"version": "1", "seen": "1", "name": "Anders"}),),
    "section.save": (post({"version": "1", "name": "Anders"}),),
    "section.save_row": (post({"before": "", "courses.name": "Nog een", "courses.points": "2"}, **{**COURSES, "row_id": "r2"}),),
    "section.show": (get(),),
    "section.use_chosen": (post({"files": "evidence"}, **PROOF),),
    "supervisor.decline": (post({"reason": "Ik ken haar niet."}),),
    "supervisor.declining": (get(),),
    "supervisor.evidence": (get(),),
    "supervisor.finished": (get(),),
    "supervisor.form": (get(),),
    "supervisor.read": (get(),),
    "supervisor.row": (get(**MEETINGS),),
    "supervisor.save": (post({"version": "1", "opinion": "Anders"}),),
    "uploads.add": (post(),),
    "uploads.finish": (post({"sha256": ""}),),
    "uploads.start": (post({"filename": "a.pdf", "size": "9", "modified": "1", "use": "practice.proof"}),),
    "supervisor.save_row": (post({"version": "1", "meetings.subject": "Plan"}, **MEETINGS),),
}


@dataclass
class Site:
    """``clients`` are logged in, ``accounts`` and ``statements`` hold ids by person; ``values`` fills the places of addresses."""

    app: Flask
    world: World
    kept: Path
    clients: dict[str, FlaskClient] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    own_values: dict[str, dict[str, Any]] = field(default_factory=dict)  # by person: what his addresses name instead

    @property
    def database(self) -> Path:
        return self.world.settings.instance / "loopbaandossier.sqlite"

    def keep(self) -> None:
        """What the database holds now is what ``reset`` goes back to."""
        session.remove()
        with closing(sqlite3.connect(self.database)) as live, closing(sqlite3.connect(self.kept)) as copy:
            live.backup(copy)

    def reset(self) -> None:
        session.remove()
        session.configure(bind=self.world.engine)  # another program may have been made since
        with closing(sqlite3.connect(self.kept)) as copy, closing(sqlite3.connect(self.database)) as live:
            copy.backup(live)

    def write(self, statement: str, *values: object) -> None:
        """Straight to the database, past every rule of the program."""
        session.remove()
        with closing(sqlite3.connect(self.database, isolation_level=None)) as live:
            live.execute(statement, values)

    def put_stage(self, action: str, stage: str) -> None:
        """Every thing that the action can be about, to this stage."""
        if action in ("statement.read", "statement.fill"):
            signed = "2026-11-01 10:00:00" if stage == "signed" else None
            self.write("UPDATE statement SET stage = ?, signed_at = ?", stage, signed)
        elif stage:
            self.write("UPDATE dossier SET stage = ?", stage)

    def ask(self, client: FlaskClient, endpoint: str, request: Request, **options: Any) -> TestResponse:
        (rule,) = (one.rule for one in self.app.url_map.iter_rules(endpoint))
        stand_ins = {
            "entry": self.values["entry_id"],
            "evidence": self.values["evidence_id"],
            "assessor": self.accounts["other assessor"],
        }
        form = {name: stand_ins.get(value, value) for name, value in request.form.items()}
        options = {"data": form if request.method == "POST" else None, **options}
        person = next((one for one, theirs in self.clients.items() if theirs is client), "")
        own = self.own_values.get(person, {})
        return client.open(self.address(rule, **{**own, **request.values}), method=request.method, **options)

    def address(self, rule: str, **values: object) -> str:
        """The address of a rule with the places filled in."""
        filled = {**self.values, **values}
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(filled[found[1]]), rule)


@contextmanager
def whole_site(folder: Path, empty_database: Path, password_hash: str, **changes: Any) -> Iterator[Site]:
    instance = folder / "instance"
    instance.mkdir(parents=True)
    shutil.copyfile(empty_database, instance / "loopbaandossier.sqlite")
    settings = Settings(
        instance=instance,
        base_url="http://localhost",
        contact_email="bureau@voorbeeld.nl",
        templates_dir=templates(folder),
        plugins_dir=folder / "no_plugins",
    )
    settings = replace(settings, **changes)
    catalogue = loader.load_all(settings)
    app = create_app(settings, catalogue)
    app.config["WTF_CSRF_ENABLED"] = False
    site = Site(app, World(settings, app.extensions["engine"], catalogue), folder / "kept.sqlite")
    try:
        furnish(site, password_hash)
        site.keep()
        yield site
    finally:
        session.remove()
        app.extensions["engine"].dispose()


def templates(folder: Path) -> Path:
    target = write_scheme(folder / "templates")
    hours = "          - {id: hours, type: number, required: false, label: {nl: Uren, en: Hours}}\n"
    (target / "small" / "1" / "scheme.yaml").write_text(with_log(SCHEME.replace(hours, STATEMENT_TABLE)))
    return target


def with_log(scheme: str) -> str:
    """The scheme with a development log that leads to its table of courses."""
    points = "          - {id: points, type: number"
    return scheme.replace(points, f"{DATED}{points}").replace("sections:\n", f"{LOG}sections:\n", 1)


def note(site: Site, owner_id: int, key: str) -> tuple[int, int]:
    """An entry in somebody's development log with a checked file: ids of both."""
    known = site.world.catalogue
    owner = session.get_one(Account, owner_id)
    rules = log.rules_for(owner, known)
    assert rules is not None
    blob = store.put_bytes(site.world.settings.blobs, pdf())
    with transaction():
        typed = log.Draft("course", "", {"day": "1", "month": "2", "year": "2026"}, "Training", "6")
        entry = log.add(owner, typed, key, rules)
        item = log_files.receive(owner, blob, "bewijs.pdf", "pdf", site.world.settings)
        log_files.attach(entry, [item.id])
        folder.note_examined(item, folder.Examined(blob, "pdf", blob, 1, False, False, [], [], blob))
    return entry.id, item.id


def furnish(site: Site, password_hash: str) -> None:
    world = site.world
    for person, roles in ROLES.items():
        with transaction():
            account = registration.create(
                email=person.replace(" ", ".") + "@voorbeeld.nl",
                name=f"De {person}",
                password_hash=password_hash,
                roles=roles,
                confirmed=True,
            )
            site.accounts[person] = account.id
    own, other = (world.dossier(session.get_one(Account, site.accounts[one])) for one in ("owner", "other candidate"))
    world.attach(own, "practice", "proof", world.checked(own, name="verslag.pdf"))
    world.fill(own)
    item = world.checked(own)
    of_other = world.checked(other, name="van-een-ander.pdf")
    with transaction():
        answers.put_answer(own, "learning", "courses", [{"row": "r1", "name": "Cursus", "points": "3", "paper": []}])
    world.submit(own)
    assessment_id, snapshot_id = hand_over(world, own)
    office = session.get_one(Account, site.accounts["office"])
    world.admit(session.get_one(Snapshot, snapshot_id), office)
    with transaction():
        assessor = session.get_one(Account, site.accounts["assigned assessor"])
        given = assignment.assign(session.get_one(Assessment, assessment_id), assessor, by=None)
        given.declared_at = now()
        own.reference, other.reference = REFERENCE, OTHER_REFERENCE
    secrets = open_statements(site, own, other)
    with transaction():
        own.stage = "draft"
        folder.attach(dossier_contents.read(own), "practice", "proof", [item.id])
    coming = parts.Coming("diploma.pdf", 5, 1)
    parts.start(world.settings.uploads / str(own.id), coming)
    upload_id = coming.id
    for account_id in site.accounts.values():
        parts.start(world.settings.uploads / f"log-{account_id}", coming)
    entry_id, log_file_id = note(site, site.accounts["owner"], "formulier-1")
    mentorship_id, comment_id, token = read_along(site, own, other)
    world.attach(other, "practice", "proof", of_other)
    site.own_values["other supervisor"] = {"file_id": of_other.id}
    site.values |= {
        "line_id": registered(site, office),
        "mentorship_id": mentorship_id,
        "comment_id": comment_id,
        "token": token,
        "file_id": item.id,
        "reference": REFERENCE,
        "section_id": "practice",
        "evidence_id": item.id,
        "entry_id": entry_id,
        "log_file_id": log_file_id,
        "revision": 1,
        "page": "hulp",
        "form": "pdf",
        "assessment_id": assessment_id,
        "area_id": "skill",
        "number": 1,
        "assignment_id": given.id,
        "snapshot_id": snapshot_id,
        "fault_id": 1,
        "message_id": 1,
        "upload_id": upload_id,
        "mail_id": 1,
        "account_id": site.accounts["other assessor"],
        "statement_id": site.statements["supervisor"],
        "row_id": "r1",
    }
    session.remove()
    for person in PEOPLE:
        site.clients[person] = client = site.app.test_client()
        if person in ROLES:
            sent = client.post("/inloggen", data={"email": person.replace(" ", ".") + "@voorbeeld.nl", "password": PASSWORD})
            assert sent.status_code == 302, sent.get_data(as_text=True)
        if person in SUPERVISORS:
            client.set_cookie("statement", secrets[person])


def registered(site: Site, office: Account) -> int:
    """The entry of the other assessor in the register."""
    holder = session.get_one(Account, site.accounts["other assessor"])
    with transaction():
        line = Line("KL-12", "small", date(2022, 3, 1), date(2026, 2, 28))
        made = entries.record(holder, line, catalogue=site.world.catalogue, by=office)
    assert made is not None
    return made.id


def hand_over(world: World, dossier: Dossier) -> tuple[int, int]:
    """A bundle of stand-in documents in the queue: these tests are about who gets them."""
    blobs = world.settings.blobs
    zipped, sealed, signed = (store.put_bytes(blobs, data) for data in (b"PK bundle", pdf(2), b"PK document"))
    with transaction():
        snapshot = session.scalars(select(Snapshot).where(Snapshot.dossier_id == dossier.id)).one()
        bundle = Bundle(
            snapshot_id=snapshot.id,
            zip_sha256=zipped.sha256,
            zip_size=zipped.size,
            pdf_sha256=sealed.sha256,
            docx_sha256=signed.sha256,
            pages=2,
            seal_sha256="0" * 64,
        )
        session.add(bundle)
        lifecycle.advance(snapshot, "sealed")
        session.flush()
        return queue.hand_over(bundle).id, snapshot.id


def read_along(site: Site, own: Dossier, other: Dossier) -> tuple[int, int, str]:
    """A mentor with a comment for the one dossier, an open invitation for the other: ids and the token of its link."""
    invited: list[Mentorship] = []
    for dossier in (own, other):
        with transaction():
            asked = {"name": "Men Tor", "email": "men@praktijk.example", "language": "nl"}
            invited.append(mentors.invite(dossier, **asked, settings=site.world.settings))
    with transaction():
        mentors.accept(invited[0], session.get_one(Account, site.accounts["mentor"]))
        comment = mentors.comment(invited[0], "practice", "Vertel meer.")
    return invited[0].id, comment.id, site.world.token("mentor_invitation")


def open_statements(site: Site, own: Dossier, other: Dossier) -> dict[str, str]:
    """A supervisor at work for either dossier; gives the secrets of their cookies."""
    site.world.invite(other, email="iemand.anders@praktijk.example")
    secrets = {}
    with transaction():
        for person, dossier in (("supervisor", own), ("other supervisor", other)):
            statement = session.scalars(select(Statement).where(Statement.dossier_id == dossier.id)).one()
            statement.stage, statement.signed_at = "invited", None
            secrets[person] = statements.open_session(statement, address="192.0.2.9", user_agent="Safari")
            site.statements[person] = statement.id
    return secrets
