"""A small installation for tests of the rooms below the web: a scheme of four sections, people, files, a real database."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import databases
import pikepdf
import pytest
from PIL import Image
from sqlalchemy import Engine, inspect, select

from app import extensions, jobs
from app.accounts import registration
from app.accounts.models import Account
from app.assessment import admission
from app.config import Settings
from app.documents import sealing
from app.dossiers import answers, invitations, mentors, starting, statements, submission
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.contents import Contents
from app.dossiers.models import Dossier, Evidence, Mentorship, Snapshot, Statement
from app.extensions import Base, session, transaction
from app.files import store
from app.mail import Mail
from app.pipeline import Installation
from app.schemes import loader
from app.schemes.loader import Catalogue

SCHEME = """\
scheme: small
version: "1"
title: {nl: Klein, en: Small}
route: written
effective_from: 2026-01-01
validity_years: 3
reference_prefix: KL
hours_expected: 2
introduction: {nl: Welkom, en: Welcome}
accepts_plugins: [extension]
groups:
  - {id: first, title: {nl: Eerst, en: First}}
  - {id: last, title: {nl: Laatst, en: Last}}
scale:
  - {value: 1, label: {nl: Onvoldoende, en: Insufficient}, sufficient: false}
  - {value: 2, label: {nl: Voldoende, en: Sufficient}, sufficient: true}
declarations:
  - {id: truth, text: {nl: Dit is waar, en: This is true}}
entry_requirements:
  - {id: known, title: {nl: Bekend, en: Known}, explanation: {nl: Kijk naar de naam, en: Look at the name}, sections: [practice]}
  - {id: agreed, title: {nl: Akkoord, en: Agreed}, sections: [closing]}
sections:
  - id: practice
    group: first
    title: {nl: Praktijk, en: Practice}
    questions:
      - {id: name, type: short_text, label: {nl: Naam, en: Name}}
      - {id: since, type: date, required: false, label: {nl: Sinds, en: Since}}
      - id: form
        type: choice
        label: {nl: Vorm, en: Form}
        options:
          - {id: own, label: {nl: Zelfstandig, en: Self-employed}}
          - {id: job, label: {nl: In dienst, en: Employed}}
      - {id: company, type: short_text, label: {nl: Bedrijf, en: Company}, shown_if: form == 'own'}
      - {id: story, type: long_text, label: {nl: Verhaal, en: Story}, words: {min: 2, max: 9}}
      - {id: proof, type: evidence, required: false, label: {nl: Bewijs, en: Proof}, files: {max: 2}}
      - {id: more, type: evidence, required: false, label: {nl: Meer, en: More}, files: {max: 5}, shown_if: form == 'own'}
  - id: learning
    group: first
    title: {nl: Leren, en: Learning}
    questions:
      - id: courses
        type: table
        label: {nl: Cursussen, en: Courses}
        row_title: name
        required: false
        fields:
          - {id: name, type: short_text, label: {nl: Naam, en: Name}}
          - {id: points, type: number, label: {nl: Punten, en: Points}}
          - {id: paper, type: evidence, required: false, label: {nl: Diploma, en: Diploma}, files: {max: 3}}
  - id: closing
    group: last
    title: {nl: Slot, en: Closing}
    questions:
      - {id: code, type: declaration, label: {nl: Code, en: Code}, text: {nl: Akkoord, en: Agreed}}
      - id: supervisor
        type: statement
        label: {nl: Verklaring, en: Statement}
        role: {nl: supervisor, en: supervisor}
        reads: [practice]
        consent: {nl: "Ik ken %(candidate)s", en: "I know %(candidate)s"}
        questions:
          - {id: opinion, type: long_text, label: {nl: Oordeel, en: Opinion}}
          - {id: hours, type: number, required: false, label: {nl: Uren, en: Hours}}
"""
AREA = """\
id: skill
group: first
title: {nl: Kunnen, en: Skill}
criteria:
  - id: craft
    group: kunde
    title: {nl: Vak, en: Craft}
    levels: {1: {nl: Zwak, en: Weak}, 2: {nl: Goed, en: Good}}
questions:
  - {id: case, type: long_text, label: {nl: Casus, en: Case}}
"""
MANIFEST = """\
id: {id}
title: {{nl: {id}, en: {id}}}
description: {{nl: Proef, en: Trial}}
version: "1.0"
api: 1
kind: extension
extends: [small]
"""
R = TypeVar("R", bound=Base)
SUPERVISOR = "els@praktijk.example"
LINK_MAILS = ("supervisor_invitation", "supervisor_reminder", "supervisor_again")
CONSENT = submission.Consent(name="Sanne de Vries", declarations=frozenset({"truth"}), address="192.0.2.7", user_agent="Firefox")


@dataclass
class World:
    """An installation with its database, and the short ways to people and dossiers that tests need."""

    settings: Settings
    engine: Engine
    catalogue: Catalogue
    plugins: list[str] = field(default_factory=list)

    @property
    def installation(self) -> Installation:
        return Installation(self.settings, self.catalogue)

    def account(self, name: str = "Sanne de Vries", *roles: str) -> Account:
        with transaction():
            return registration.create(
                email=name.lower().replace(" ", ".") + "@voorbeeld.nl",
                name=name,
                password_hash="-",
                language="nl",
                roles=roles or ("candidate",),
                confirmed=True,
            )

    def dossier(self, owner: Account | None = None) -> Dossier:
        owner = owner or self.account()
        with transaction():
            return starting.start(owner, "small", "1", self.plugins, "nl", catalogue=self.catalogue, settings=self.settings)

    def contents(self, dossier: Dossier) -> Contents:
        return dossier_contents.read(dossier)

    def save(self, dossier: Dossier, section: str, version: int | None = None, **data: object) -> int:
        with transaction():
            row = answers.stored(dossier, section)
            return answers.save_section(dossier, section, data, row.version if version is None else version).version

    def finish(self, dossier: Dossier, *sections: str) -> None:
        with transaction():
            for section in sections:
                answers.save_section(dossier, section, {}, 0, finished=True)

    def receive(self, dossier: Dossier, data: bytes, name: str, kind: str) -> Evidence:
        blob = store.put_bytes(self.settings.blobs, data)
        with transaction():
            return folder.receive(dossier, blob, name, kind, self.settings)

    def checked(self, dossier: Dossier, data: bytes | None = None, name: str = "certificaat.pdf") -> Evidence:
        """A file in the folder that counts as checked, without the way of a foreign file."""
        item = self.receive(dossier, data or pdf(), name, "pdf")
        with transaction():
            blob = store.put_bytes(self.settings.blobs, data or pdf())
            folder.accept(item, folder.Examined(blob, "pdf", blob, 1, False, False, [], [], blob))
        return item

    def attach(self, dossier: Dossier, section: str, question: str, *items: Evidence) -> None:
        ids = [item.id for item in items]
        with transaction():
            folder.attach(dossier_contents.read(dossier), section, question, ids)

    def invite(self, dossier: Dossier, email: str = SUPERVISOR, name: str = "Els Bos") -> tuple[Statement, str]:
        """The statement and the token of the mailed link."""
        with transaction():
            statement = invitations.invite(
                dossier_contents.read(dossier), "closing", "supervisor",
                name=name, email=email, language="nl", settings=self.settings,
            )  # fmt: skip
        return statement, self.token()

    def token(self, template: str = "supervisor_invitation") -> str:
        """The token in the newest mailed link."""
        wanted = LINK_MAILS if template == "supervisor_invitation" else (template,)
        mail = session.scalars(select(Mail).where(Mail.template.in_(wanted)).order_by(Mail.id.desc()).limit(1)).one()
        return str(mail.data["link"]).rpartition("/")[2]

    def sign(self, statement: Statement, **data: object) -> None:
        with transaction():
            statements.save(statement, data or {"opinion": "Sanne werkt goed."}, statement.version)
            contents = dossier_contents.read(statement.dossier)
            statements.note_read(statement, contents, address="192.0.2.9", user_agent="Safari")
            statements.sign(
                statement, contents,
                typed_name="Els Bos", address="192.0.2.9", user_agent="Safari",
            )  # fmt: skip

    def mentor(self, dossier: Dossier, account: Account | None = None, email: str = "men@praktijk.example") -> Mentorship:
        """Somebody who was asked to read along; he accepted when there is an account."""
        with transaction():
            made = mentors.invite(dossier, name="Men Tor", email=email, language="nl", settings=self.settings)
            if account is not None:
                mentors.accept(made, account)
        return made

    def fill(self, dossier: Dossier) -> None:
        """Everything that ``submit`` asks for."""
        self.save(dossier, "practice", name="Sanne", form="job", story="Een verhaal van mij.")
        self.save(dossier, "skill", case="Casus **één**.")
        self.save(dossier, "closing", code="yes")
        statement, _ = self.invite(dossier)
        self.sign(statement)
        self.finish(dossier, "practice", "skill", "learning", "closing")

    def submit(self, dossier: Dossier) -> Snapshot:
        with transaction():
            return submission.submit(
                dossier_contents.read(dossier),
                CONSENT,
                catalogue=self.catalogue,
                house_style_sha256=sealing.house_style_sha256(),
                settings=self.settings,
            )

    def admit(self, snapshot: Snapshot, by: Account) -> None:
        """Every entry requirement checked and met, by somebody of the office."""
        with transaction():
            known = admission.requirements_of(snapshot.dossier, self.catalogue)
            typed = {one.id: ("met", "") for one in known}
            admission.record_checks(snapshot, typed, seen={}, by=by, catalogue=self.catalogue)
            admission.admit(snapshot, by=by, catalogue=self.catalogue)

    def fresh(self, record: R) -> R:
        """The record as it stands now: jobs leave the session, and what it held, behind them."""
        session.rollback()
        return session.get_one(type(record), inspect(record).identity, populate_existing=True)

    def work(self) -> int:
        return jobs.drain(self.installation)


def pdf(pages: int = 1, text: str = "Certificaat") -> bytes:
    """A real PDF of A4 pages with one line of text each."""
    document = pikepdf.new()
    font = document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    for number in range(pages):
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = document.make_stream(f"BT /F1 24 Tf 72 700 Td ({text} {number + 1}) Tj ET".encode())
    target = io.BytesIO()
    document.save(target, deterministic_id=True)
    return target.getvalue()


def png(colour: str = "navy") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(target, "PNG")
    return target.getvalue()


def write_scheme(target: Path) -> Path:
    home = target / "small" / "1"
    (home / "areas").mkdir(parents=True)
    (home / "scheme.yaml").write_text(SCHEME)
    (home / "areas" / "10-skill.yaml").write_text(AREA)
    return target


def write_plugin(target: Path, name: str, hooks: str = "", area: str = "") -> None:
    """A plugin for the small scheme; ``area`` is the YAML of a section of its own."""
    (target / name / "areas").mkdir(parents=True)
    (target / name / "plugin.yaml").write_text(MANIFEST.format(id=name))
    (target / name / "hooks.py").write_text(hooks)
    own = area or AREA.replace("id: skill", f"id: {name}_area").replace("id: case", f"id: {name}_case")
    (target / name / "areas" / "10.yaml").write_text(own)


@pytest.fixture(scope="session")
def small_scheme(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that find the small scheme, and no plugins."""
    target = tmp_path_factory.mktemp("templates")
    (target / "no_plugins").mkdir()
    return Settings(templates_dir=write_scheme(target), plugins_dir=target / "no_plugins", contact_email="bureau@voorbeeld.nl")


@pytest.fixture(scope="session")
def small_catalogue(small_scheme: Settings) -> Catalogue:
    catalogue = loader.load_all(small_scheme)
    if faults := loader.faults(catalogue):
        raise ValueError(faults)
    return catalogue


@pytest.fixture
def world(tmp_path: Path, small_scheme: Settings, small_catalogue: Catalogue, empty_database: Path) -> Iterator[World]:
    yield from open_world(replace(small_scheme, instance=tmp_path / "instance"), small_catalogue, empty_database)


def open_world(settings: Settings, catalogue: Catalogue, empty_database: Path) -> Iterator[World]:
    """A new installation in the instance folder of ``settings``, or the one that stands there."""
    if not settings.instance.exists():
        settings.blobs.mkdir(parents=True)
        settings.work.mkdir()
    settings = databases.placed(settings, empty_database)
    engine = extensions.connect(settings.database)
    yield World(settings, engine, catalogue)
    session.remove()
    engine.dispose()
    databases.forget(settings.instance)
