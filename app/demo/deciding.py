"""What happens to a dossier of the demo after it was filled: submitted, sealed, admitted or returned, assigned, withdrawn."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from app import audit, pipeline
from app.accounts.models import Account
from app.assessment import admission, assignment, withdrawing
from app.assessment.models import Assessment
from app.config import Settings
from app.demo.people import ASSESSORS, OFFICE, Person
from app.documents import sealing
from app.documents.models import Bundle, Product
from app.dossiers import contents, submission
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Snapshot
from app.errors import SealingFailed
from app.extensions import now, session, transaction
from app.files import store
from app.pipeline import Installation
from app.texts import both

FROM = {"address": "127.0.0.1", "user_agent": "Demo"}
STEPS = len(sealing.STEPS) + 1  # of one snapshot, each told to ``tick``
RETURNED_WITHIN = timedelta(days=21)
FINDINGS = (
    admission.Finding(
        "In uw verslag van het bezoek aan een werkplaats staat de plaats, met “de enige in het dorp” erbij. Zo is te "
        "herkennen bij wie uw cliënt was. Haal dat weg en voeg het verslag opnieuw toe.",
        requirement="client_data",
        section="guidance_learning",
    ),
    admission.Finding(
        "U begeleidt ongeveer dertig mensen per jaar. In uw overzicht staan vijf trajecten. Vul het aan, of schrijf waarom u "
        "deze vijf koos.",
        requirement="practice",
        section="guidance_choice",
    ),
)
REASON = "Ik ga met pensioen en begeleid vanaf de zomer niemand meer. Mijn certificaat laat ik aflopen."


def account(person: Person) -> Account:
    return session.scalars(select(Account).where(Account.email == person.email)).one()


def submit(installation: Installation, dossier_id: int, say: Callable[[str], None]) -> int:
    """Submits the dossier as its candidate would and gives the snapshot's id."""
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        if dossier.stage not in OPEN_STAGES or admission.newest_snapshot(dossier) is not None:
            return session.scalars(select(Snapshot.id).where(Snapshot.dossier_id == dossier_id)).one()
        read = contents.read(dossier)
        agreed = frozenset(one.id for one in read.template.declarations)
        try:
            return submission.submit(
                read,
                submission.Consent(dossier.owner.name, agreed, **FROM),
                catalogue=installation.catalogue,
                house_style_sha256=sealing.house_style_sha256(),
                settings=installation.settings,
            ).id
        except submission.NotReady as refusal:
            for finding in refusal.findings:
                say(f"    {dossier.reference} {finding.section}.{finding.question}: {finding.text['nl']}")
            raise


def to_be_sealed(snapshot_id: int) -> bool:
    """Frees it from the claim of a process that died: we are the only one."""
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        if snapshot.delivered_at is not None:
            return False
        snapshot.claimed_until = None
        return True


def seal(installation: Installation, snapshot_id: int, tick: Callable[[], None], say: Callable[[str], None]) -> None:
    pipeline.run_snapshot(installation, snapshot_id, report=lambda step, percent: tick())
    snapshot = session.get_one(Snapshot, snapshot_id, populate_existing=True)
    if snapshot.delivered_at is None:
        raise SealingFailed(
            snapshot.error or both("Het samenstellen is niet afgemaakt. Probeer het opnieuw."), step=snapshot.step_name
        )
    reference = snapshot.dossier.reference
    made = session.execute(
        select(Product.step, Product.seconds, Product.peak_mib).where(Product.snapshot_id == snapshot_id).order_by(Product.id)
    )
    say(f"    {reference}: " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds, _ in made))
    session.rollback()


def admit(installation: Installation, dossier_id: int) -> None:
    """As the office does: every entry requirement checked and met."""
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        snapshot = admission.newest_snapshot(dossier)
        if snapshot is None or admission.of_snapshot(snapshot) is not None:
            return
        office, catalogue = account(OFFICE), installation.catalogue
        checks = {one.id: ("met", "") for one in admission.requirements_of(dossier, catalogue)}
        admission.record_checks(snapshot, checks, seen={}, by=office, catalogue=catalogue)
        admission.admit(snapshot, by=office, catalogue=catalogue)
        audit.write("dossier.admitted", actor=office, thing=dossier, revision=snapshot.revision)


def assign(dossier_id: int) -> None:
    """To the first assessor; the second is left for whoever tries the office's page."""
    with transaction():
        assessment = session.scalars(select(Assessment).where(Assessment.dossier_id == dossier_id)).one()
        assessor = account(ASSESSORS[0])
        if assignment.current(assessment, assessor) is None:
            assignment.assign(assessment, assessor, by=account(OFFICE)).declared_at = now()


def return_with_findings(installation: Installation, dossier_id: int) -> None:
    """While its documents still wait to be made, so that they never are: nobody will judge this revision."""
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        snapshot = admission.newest_snapshot(dossier)
        if snapshot is None or admission.of_snapshot(snapshot) is not None:
            return
        office, until = account(OFFICE), submission.today() + RETURNED_WITHIN
        admission.return_to_candidate(snapshot, FINDINGS, by=office, until=until, catalogue=installation.catalogue)
        audit.write("dossier.returned", actor=office, thing=dossier, revision=snapshot.revision, findings=len(FINDINGS))


def withdraw(dossier_id: int) -> None:
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        if dossier.stage not in OPEN_STAGES:
            return
        ended = withdrawing.withdraw(dossier, REASON, by=dossier.owner)
        audit.write("dossier.withdrawn", actor=dossier.owner, thing=dossier, assignments=len(ended))


def copy_bundle(settings: Settings, snapshot_id: int) -> Path:
    """A copy of the bundle under a name for people, whole or not there."""
    bundle = session.scalars(select(Bundle).where(Bundle.snapshot_id == snapshot_id)).one()
    source = store.path(settings.blobs, bundle.zip_sha256)
    target = settings.instance / "demo-bundle" / f"Dossier-{bundle.snapshot.dossier.reference}.zip"
    session.rollback()
    target.parent.mkdir(exist_ok=True, mode=0o700)
    unfinished = target.with_suffix(f".{os.getpid()}")
    shutil.copyfile(source, unfinished)
    unfinished.replace(target)
    return target
