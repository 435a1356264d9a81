"""What happens by itself: checking evidence, assembling a submitted snapshot step by step, delivering, sending mail.

Each ``run_…`` claims its record with a conditional UPDATE, computes outside any transaction, and writes the outcome in a
short one. Killed at any moment, it leaves the last good stage; the sweep takes it up again.
"""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from app import audit, mail
from app.accounts import login
from app.assessment import queue
from app.config import Settings
from app.documents import sealing
from app.documents.models import Bundle, Delivery, Product
from app.dossiers import evidence as folder
from app.dossiers import lifecycle, log, submission
from app.dossiers.models import Evidence, Snapshot
from app.errors import Conflict, DomainError, FileRefused, StorageFailure, Text
from app.extensions import now, session, transaction
from app.files import store
from app.files.scan import ScannerUnavailable
from app.plugin_api import BundleInfo, Receipt
from app.plugin_loader import Plugin, PluginFailed
from app.schemes import schemas
from app.schemes.loader import Catalogue
from app.texts import both, pick

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)  # longer than any one step may take; released at once when the worker starts again
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(hours=1)
EVIDENCE_ATTEMPTS = 5
Report = Callable[[str, int], None]


@dataclass(frozen=True)
class Installation:
    """What a running server has at hand."""

    settings: Settings
    catalogue: Catalogue


def silent(step: str, percent: int) -> None:
    """For callers that do not watch the progress."""


# --- evidence ------------------------------------------------------------------------------------------------------


def run_evidence(installation: Installation, evidence_id: int) -> None:
    """Checks one received file. One that cannot be checked now is tried again later: a few times, or as long as it takes
    when it is the scanner or the disk that does not work.
    """
    if not _claim(Evidence, evidence_id, and_(Evidence.stage == "received", Evidence.removed_at.is_(None))):
        return
    item = session.get_one(Evidence, evidence_id)
    name = item.name
    session.expunge(item)
    session.rollback()
    examined, refusal, held = None, None, False
    try:
        examined = folder.examine(item, installation.settings, report_signatures="app.documents.verification:report_in_child")
    except FileRefused as error:
        refusal = error
    except Exception as error:
        logger.exception("evidence %s could not be checked", evidence_id)
        held = isinstance(error, StorageFailure | ScannerUnavailable | OSError)
    with transaction():
        item = session.get_one(Evidence, evidence_id)
        item.claimed_until = None
        if examined is not None:
            folder.accept(item, examined)
        elif refusal is None and not held and item.attempts >= EVIDENCE_ATTEMPTS:
            refusal = FileRefused(
                both(
                    "%(name)s kon na meer pogingen niet worden gecontroleerd. Sla het opnieuw op als pdf en voeg het weer toe.",
                    name=name,
                )
            )
        elif refusal is None:
            item.claimed_until = now() + _wait(item.attempts)
        if refusal is not None:
            folder.refuse(item, refusal)
        if item.stage == "refused" and item.removed_at is None:
            owner = item.dossier.owner
            mail.put(
                to=owner.email,
                template="evidence_refused",
                language=item.dossier.language,
                data={
                    "name": owner.name,
                    "title": item.name,
                    "reason": pick(item.refusal, item.dossier.language),
                    "dossier": item.dossier.reference,
                    "link": f"/dossier/{item.dossier.reference}/bewijs",
                },
                key=f"evidence_refused:{item.id}",
            )
        audit.write("evidence." + item.stage, actor="system", thing=item)


# --- from snapshot to queue ----------------------------------------------------------------------------------------


def run_snapshot(installation: Installation, snapshot_id: int, report: Report = silent) -> None:
    """Seals, hands over and delivers one snapshot, from wherever it is. Failure is written down and tried again later."""
    unfinished = or_(Snapshot.stage != "handed_over", Snapshot.delivered_at.is_(None))
    if not _claim(Snapshot, snapshot_id, unfinished):
        return
    try:
        while not _step(installation, snapshot_id, report):
            pass
    except Conflict:
        logger.info("snapshot %s: another worker was first", snapshot_id)
    except Exception as error:
        logger.exception("snapshot %s stopped", snapshot_id)
        _note_failure(snapshot_id, error)


def _step(installation: Installation, snapshot_id: int, report: Report) -> bool:
    """Does what the snapshot's stage says comes next. True when nothing is left."""
    snapshot = session.get_one(Snapshot, snapshot_id, populate_existing=True)
    if snapshot.stage == "submitted":
        _seal(installation, snapshot, report)
        return False
    if snapshot.stage == "sealed":
        _hand_over(snapshot_id)
        return False
    if snapshot.delivered_at is None:
        _deliver(installation, snapshot)
    with transaction():
        session.get_one(Snapshot, snapshot_id).claimed_until = None
    shutil.rmtree(sealing.folder_of(installation.settings, snapshot_id), ignore_errors=True)
    return True


def _seal(installation: Installation, snapshot: Snapshot, report: Report) -> None:
    """Runs the steps that are not done yet; each step's products are stored before its rows are."""
    content = submission.content_of(snapshot)
    snapshot_id, sha256 = snapshot.id, snapshot.sha256
    blobs = installation.settings.blobs
    products = {
        row.name: row.sha256
        for row in session.scalars(select(Product).where(Product.snapshot_id == snapshot_id))
        if store.exists(blobs, row.sha256)
    }
    session.rollback()
    plugins = installation.catalogue.plugins_of(schemas.load(content["template"]))
    work = sealing.prepare(content, sha256, plugins, installation.settings, products, snapshot_id)
    for number, step in enumerate(sealing.STEPS):
        percent = round(100 * number / len(sealing.STEPS))
        _note_progress(snapshot_id, step.name, percent)
        report(step.name, percent)
        if all(name in work.products for name in step.makes):
            continue
        made = sealing.run(step, work)
        with transaction():
            for name, blob in made.blobs.items():
                session.merge(_product(snapshot_id, step.name, name, blob, made))
    sealed = sealing.outcome(work)
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        lifecycle.advance(snapshot, "sealed", error=None, percent=99)
        session.add(Bundle(snapshot_id=snapshot_id, **sealed))
        log.note(snapshot.dossier, "sealed")
        audit.write("snapshot.sealed", actor="system", thing=snapshot)
    report("bind", 99)


def _product(snapshot_id: int, step: str, name: str, blob: Any, made: sealing.Made) -> Product:
    known = session.scalar(select(Product.id).where(Product.snapshot_id == snapshot_id, Product.name == name))
    product = Product(
        snapshot_id=snapshot_id,
        step=step,
        name=name,
        sha256=blob.sha256,
        size=blob.size,
        seconds=made.seconds,
        peak_mib=made.peak_mib,
    )
    if known is not None:
        product.id = known
    return product


def _hand_over(snapshot_id: int) -> None:
    with transaction():
        bundle = session.scalars(select(Bundle).where(Bundle.snapshot_id == snapshot_id)).one()
        assessment = queue.hand_over(bundle)
        dossier = bundle.snapshot.dossier
        mail.put(
            to=dossier.owner.email,
            template="dossier_handed_over",
            language=dossier.language,
            data={"name": dossier.owner.name, "dossier": dossier.reference, "link": f"/dossier/{dossier.reference}/ontvangst"},
            key=f"dossier_handed_over:{snapshot_id}",
        )
        audit.write("snapshot.handed_over", actor="system", thing=bundle.snapshot, assessment=assessment.id)


def _deliver(installation: Installation, snapshot: Snapshot) -> None:
    """Calls the ``deliver`` hook of each plugin of this dossier that has one and has no receipt yet.

    One that fails does not keep the others waiting; it is tried again later.
    """
    snapshot_id = snapshot.id
    bundle = session.scalars(select(Bundle).where(Bundle.snapshot_id == snapshot_id)).one()
    content = submission.content_of(snapshot)
    delivered = set(session.scalars(select(Delivery.plugin).where(Delivery.snapshot_id == snapshot_id)))
    info = BundleInfo(
        path=str(store.path(installation.settings.blobs, bundle.zip_sha256)),
        sha256=bundle.zip_sha256,
        snapshot_sha256=snapshot.sha256,
        reference=content["reference"],
        revision=snapshot.revision,
        scheme=content["template"]["scheme"],
    )
    session.rollback()
    failures: list[PluginFailed] = []
    for plugin in installation.catalogue.plugins_of(schemas.load(content["template"])):
        is_known = plugin.enabled or bool(plugin.hooks)
        if plugin.id in delivered or (is_known and "deliver" not in plugin.hooks):
            continue
        try:
            receipt = _receipt(plugin, info)
        except PluginFailed as failure:
            failures.append(failure)
            continue
        with transaction():
            session.add(
                Delivery(snapshot_id=snapshot_id, plugin=plugin.id, reference=receipt.reference[:200], url=receipt.url[:500])
            )
            audit.write("bundle.delivered", actor="system", thing=f"snapshot:{snapshot_id}", plugin=plugin.id)
    if failures:
        raise failures[0]
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        snapshot.delivered_at, snapshot.error, snapshot.next_attempt_at = now(), None, None


def _receipt(plugin: Plugin, info: BundleInfo) -> Receipt:
    """What ``deliver`` gives. Failing here does not disable the plugin: the other body's queue may be away for a while."""
    if not plugin.enabled:
        raise PluginFailed(_not_delivered(plugin), plugin=plugin.id)
    try:
        receipt = plugin.hooks["deliver"](info)
        return Receipt(str(receipt.reference), str(receipt.url))
    except Exception as error:
        logger.exception("plugin %s did not deliver %s", plugin.id, info.reference)
        raise PluginFailed(_not_delivered(plugin), plugin=plugin.id) from error


def _not_delivered(plugin: Plugin) -> Text:
    return both("De uitbreiding “%(title)s” kon de bundel niet afleveren. Wij proberen het vanzelf opnieuw.", title=plugin.title)


def _note_progress(snapshot_id: int, step: str, percent: int) -> None:
    with transaction():
        session.execute(
            update(Snapshot)
            .where(Snapshot.id == snapshot_id)
            .values(step=step, percent=percent, claimed_until=now() + LEASE)
            .execution_options(synchronize_session=False)
        )


def _note_failure(snapshot_id: int, error: Exception) -> None:
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        snapshot.error = dict(_words(error, snapshot.step))
        snapshot.next_attempt_at = now() + _wait(snapshot.attempts)
        snapshot.claimed_until = None
        if snapshot.step == "check":  # a product is wrong: kept, it would be found wrong for ever
            session.execute(delete(Product).where(Product.snapshot_id == snapshot_id))
        audit.write("snapshot.failed", actor="system", thing=snapshot, step=snapshot.step)


def _words(error: Exception, step: str) -> Text:
    """What went wrong, for the candidate and the office. Only the log has an unexpected error's own words."""
    if isinstance(error, DomainError):
        return error.text
    if isinstance(error, OSError) and error.errno in store.FULL_OR_READ_ONLY:
        return store.storage_failure().text
    return both(
        "Het maken van de documenten stopte onverwacht (%(step)s: %(kind)s). Wij proberen het vanzelf opnieuw.",
        step=step,
        kind=type(error).__name__,
    )


# --- mail ----------------------------------------------------------------------------------------------------------


def run_mail(installation: Installation, mail_id: int) -> None:
    """Sends one mail of the outbox."""
    with transaction():
        letter = mail.claim(mail_id)
    if letter is None:
        return
    problem = mail.deliver(letter, installation.settings)
    with transaction():
        mail.record(letter, problem)


# --- what is due ---------------------------------------------------------------------------------------------------


def due() -> list[tuple[str, int]]:
    """Everything that waits now, as (job, id): what the sweep rings for."""
    moment = now()
    waiting: list[tuple[str, int]] = [
        ("evidence", one)
        for one in session.scalars(
            select(Evidence.id).where(Evidence.stage == "received", Evidence.removed_at.is_(None), _free(Evidence, moment))
        )
    ]
    waiting += [
        ("snapshot", one)
        for one in session.scalars(
            select(Snapshot.id).where(
                or_(Snapshot.stage != "handed_over", Snapshot.delivered_at.is_(None)),
                _free(Snapshot, moment),
                or_(Snapshot.next_attempt_at.is_(None), Snapshot.next_attempt_at <= moment),
            )
        )
    ]
    waiting += [("mail", one) for one in mail.due()]
    session.rollback()
    return waiting


def release_claims() -> None:
    """Frees what a worker that is no longer there had claimed. Only for a starting worker that knows it is alone."""
    with transaction():
        for kind in (Evidence, Snapshot):
            session.execute(update(kind).where(kind.claimed_until.is_not(None)).values(claimed_until=None))


def forget_old() -> None:
    """Removes what is kept for a while only: network addresses, ended logins, spent links."""
    with transaction():
        login.forget_old()


def clear_work(settings: Settings) -> None:
    """Empties the room for unfinished work, when a worker starts: what counts is stored elsewhere."""
    shutil.rmtree(settings.work, ignore_errors=True)
    settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)


def retry(snapshot: Snapshot) -> None:
    """Takes a failed snapshot up again at once."""
    if snapshot.stage == "handed_over" and snapshot.delivered_at is not None:
        raise Conflict(both("Dit dossier is al verwerkt. Er is niets om opnieuw te proberen."))
    snapshot.next_attempt_at = None


def _claim(kind: type[Evidence] | type[Snapshot], record_id: int, wanted: ColumnElement[bool]) -> bool:
    moment = now()
    with transaction():
        claimed: Any = session.execute(
            update(kind)
            .where(kind.id == record_id, wanted, _free(kind, moment))
            .values(claimed_until=moment + LEASE, attempts=kind.attempts + 1)
            .execution_options(synchronize_session=False)
        )
    return bool(claimed.rowcount == 1)


def _free(kind: type[Evidence] | type[Snapshot], moment: datetime) -> ColumnElement[bool]:
    return or_(kind.claimed_until.is_(None), kind.claimed_until <= moment)


def _wait(attempts: int) -> timedelta:
    doublings = max(0, min(attempts - 1, 10))
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))
