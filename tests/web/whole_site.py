"""One small site with everything in it, for tests that walk all addresses: people of every kind, a dossier with files, rows,
a statement, a bundle in the queue. ``Site.reset`` puts its database back, so that a module needs only one."""

import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
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
from app.documents.models import Bundle
from app.dossiers import answers, lifecycle, statements
from app.dossiers.models import Dossier, Snapshot, Statement
from app.extensions import session, transaction
from app.files import store
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
REQUESTS: dict[str, tuple[Request, ...]] = {
    "auth.account": (get(), post({"name": "Nieuwe naam", "language": "nl"})),
    "auth.change_email": (post({"email": "elders@voorbeeld.nl", "password_now": PASSWORD}),),
    "auth.change_second_factor": (post({"password_here": PASSWORD, "code": "000000", "action": "codes"}),),
    "auth.end_logins": (post({"session": "others"}),),
    "auth.set_up": (get(), post({"code": "000000"})),
    "auth.stop_email_change": (post(),),
    "auth.change_password": (post({"current": "verkeerd", "password": "een ander lang wachtwoord"}),),
    "assessor.bundle": (get(),),
    "assessor.document": (get(form="pdf"), get(form="docx")),
    "assessor.home": (get(),),
    "assessor.read": (get(),),
    "audit_log.assessments": (get(),),
    "audit_log.check": (post(),),
    "audit_log.export": (get(),),
    "audit_log.home": (get(),),
    "candidate.ask_revoke": (get(),),
    "candidate.check": (get(),),
    "candidate.document": (get(form="pdf"), get(form="docx"), get(form="zip")),
    "candidate.home": (get(),),
    "candidate.invite": (post({"name": "Els Bos", "email": "els@praktijk.example", "language": "nl"}, **CLOSING),),
    "candidate.receipt": (get(),),
    "candidate.remind": (post(),),
    "candidate.revoke": (post(),),
    "candidate.send": (post({"name": "Sanne de Vries", "declarations": "truth"}),),
    "candidate.start": (get(), post({"scheme": "small", "language": "nl"})),
    "candidate.submit": (get(),),
    "candidate.supervisor": (get(**CLOSING),),
    "candidate.tasks": (get(),),
    "evidence.ask_remove": (get(),),
    "evidence.download": (get(),),
    "evidence.home": (get(),),
    "evidence.remove": (post(),),
    "evidence.upload": (post(),),
    "office.assign": (post({"assessor": "assessor"}),),
    "office.end_assignment": (post(),),
    "office.home": (get(),),
    "office.plugins": (get(),),
    "office.retry": (post(),),
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
    "supervisor.finished": (get(),),
    "supervisor.form": (get(),),
    "supervisor.read": (get(),),
    "supervisor.row": (get(**MEETINGS),),
    "supervisor.save": (post({"version": "1", "opinion": "Anders"}),),
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
        stand_ins = {"evidence": self.values["evidence_id"], "assessor": self.accounts["other assessor"]}
        form = {name: stand_ins.get(value, value) for name, value in request.form.items()}
        options = {"data": form if request.method == "POST" else None, **options}
        return client.open(self.address(rule, **request.values), method=request.method, **options)

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
    (target / "small" / "1" / "scheme.yaml").write_text(SCHEME.replace(hours, STATEMENT_TABLE))
    return target


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
    world.fill(own)
    item = world.checked(own)
    world.checked(other, name="van-een-ander.pdf")
    with transaction():
        answers.put_answer(own, "learning", "courses", [{"row": "r1", "name": "Cursus", "points": "3", "paper": []}])
    world.submit(own)
    assessment_id, snapshot_id = hand_over(world, own)
    with transaction():
        assessor = session.get_one(Account, site.accounts["assigned assessor"])
        given = assignment.assign(session.get_one(Assessment, assessment_id), assessor, by=None)
        own.reference, other.reference = REFERENCE, OTHER_REFERENCE
    secrets = open_statements(site, own, other)
    with transaction():
        own.stage = "draft"
    site.values |= {
        "reference": REFERENCE,
        "section_id": "practice",
        "evidence_id": item.id,
        "revision": 1,
        "form": "pdf",
        "assessment_id": assessment_id,
        "assignment_id": given.id,
        "snapshot_id": snapshot_id,
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
