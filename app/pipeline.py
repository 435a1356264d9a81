"""What happens by itself: checking evidence, assembling a submitted snapshot step by step, delivering, sending mail.

Each ``run_…`` claims its record with a conditional UPDATE, computes outside any transaction, and writes the outcome in a
short one. Killed at any moment, it leaves the last good stage; the sweep takes it up again.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, case, delete, or_, select, update
from sqlalchemy.exc import OperationalError

from app import audit, mail, plugin_faults, plugin_loader
from app.accounts import login, messages
from app.assessment import queue
from app.config import Settings
from app.development import files as log_files
from app.development.models import LogFile
from app.documents import sealing
from app.documents.models import Bundle, Delivery, Product
from app.dossiers import evidence as folder
from app.dossiers import invitations, lifecycle, log, submission, versions
from app.dossiers.models import Evidence, Snapshot, Statement
from app.errors import Conflict, DomainError, FileRefused, StorageFailure, Text
from app.extensions import now, session, transaction
from app.files import parts, store
from app.files.scan import ScannerUnavailable
from app.plugin_api import BundleInfo, Receipt
from app.plugin_loader import Plugin, PluginFailed
from app.register import renewals
from app.register.models import RegisterEntry
from app.schemes import schemas
from app.schemes.loader import Catalogue
from app.texts import both

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)  # longer than any one step may take; released at once when the worker starts again
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(hours=1)
EVIDENCE_ATTEMPTS = 5
THUMBNAILS = 20  # of files from before there were any, in one sweep: people's own work goes first
DELIVER_S = 120  # much less than the lease
_hanging: dict[str, Thread] = {}
Report = Callable[[str, int], None]
Received = TypeVar("Received", Evidence, LogFile)
Claimed = type[Evidence] | type[LogFile] | type[Snapshot]
_post = threading.Lock()


@dataclass(frozen=True)
class Installation:
    """What a running server has at hand."""

    settings: Settings
    catalogue: Catalogue


def silent(step: str, percent: int) -> None:
    """For callers that do not watch the progress."""


# --- evidence ------------------------------------------------------------------------------------------------------


def run_evidence(installation: Installation, evidence_id: int) -> None:
    """Checks one received file of a dossier."""

    def settle(item: Evidence, examined: folder.Examined | None) -> None:
        if examined is not None:
            replaced = folder.accept(item, examined)
            audit.write("evidence.checked", actor="system", thing=item)
            if replaced is not None:
                audit.write("evidence.replaced", actor="system", thing=replaced, file=item.id)
            return
        if item.stage == "refused" and item.removed_at is None and item.statement_id is None:
            owner = item.dossier.owner
            messages.tell(
                owner,
                "evidence_refused",
                {
                    "name": owner.name,
                    "title": item.name,
                    "reason": item.refusal or "",
                    "dossier": item.dossier.reference,
                    "link": f"/dossier/{item.dossier.reference}/bewijs",
                },
                key=f"evidence_refused:{item.id}",
            )
        audit.write("evidence." + item.stage, actor="system", thing=item)

    _run_check(installation, Evidence, evidence_id, settle)


def run_log_file(installation: Installation, file_id: int) -> None:
    """Checks one received file of a development log."""

    def settle(item: LogFile, examined: folder.Examined | None) -> None:
        if examined is not None:
            folder.note_examined(item, examined)
        elif item.stage == "refused" and item.removed_at is None:
            messages.tell(
                item.owner,
                "log_file_refused",
                {
                    "name": item.owner.name,
                    "title": item.name,
                    "reason": item.refusal or "",
                    "link": f"/ontwikkeling/{item.entry_id}" if item.entry_id else "/ontwikkeling",
                },
                key=f"log_file_refused:{item.id}",
            )
        audit.write("log_file." + item.stage, actor="system", thing=item)

    _run_check(installation, LogFile, file_id, settle)


def _run_check(
    installation: Installation, kind: type[Received], record_id: int, settle: Callable[[Received, folder.Examined | None], None]
) -> None:
    """Has one received file examined and ``settle`` write what came of it, in the transaction that ends the check. One that
    cannot be checked now is tried again later: a few times, or as long as it takes when it is the scanner or the disk that
    does not work.
    """
    if not _claim(kind, record_id, _unchecked(kind, now())):
        return
    item = session.get_one(kind, record_id)
    name, sha256 = item.name, item.original_sha256
    session.expunge(item)
    session.rollback()
    examined, refusal, held = None, None, False
    try:
        examined = folder.examine(item, installation.settings, report_signatures="app.documents.verification:report_in_child")
    except FileRefused as error:
        refusal = error
    except Exception as error:
        logger.exception("%s %s could not be checked", kind.__tablename__, record_id)
        held = isinstance(error, StorageFailure | ScannerUnavailable | OSError)
    with transaction():
        item = session.get_one(kind, record_id)
        item.claimed_until = None
        if item.original_sha256 != sha256:  # replaced meanwhile
            return
        if examined is None and refusal is None and not held and item.attempts >= EVIDENCE_ATTEMPTS:
            refusal = FileRefused(
                both(
                    "%(name)s kon na meer pogingen niet worden gecontroleerd. Sla het opnieuw op als pdf en voeg het weer toe.",
                    name=name,
                )
            )
        elif examined is None and refusal is None:
            item.next_attempt_at = now() + _wait(item.attempts)
        if refusal is not None:
            folder.refuse(item, refusal)
        settle(item, examined)


def run_thumbnail(installation: Installation, evidence_id: int) -> None:
    """Makes the small picture of a file that was checked before there were any."""
    item = session.scalar(select(Evidence).where(Evidence.id == evidence_id, _without_thumbnail()))
    if item is None:
        return
    session.expunge(item)
    session.rollback()
    made = folder.make_thumbnail(item, installation.settings)
    with transaction():
        session.execute(
            update(Evidence)
            .where(Evidence.id == evidence_id, Evidence.pages_sha256 == item.pages_sha256, _without_thumbnail())
            .values(thumbnail_sha256=made.sha256 if made else "")
            .execution_options(synchronize_session=False)
        )


# --- from snapshot to queue ----------------------------------------------------------------------------------------


def run_snapshot(installation: Installation, snapshot_id: int, report: Report = silent) -> None:
    """Seals, hands over and delivers one snapshot, from wherever it is. Failure is written down and tried again later."""
    if not _claim(Snapshot, snapshot_id, unfinished()):
        return
    try:
        while not _step(installation, snapshot_id, report):
            pass
    except Conflict:
        logger.info("snapshot %s: another worker was first, or nobody waits for it any more", snapshot_id)
        if session.get_one(Snapshot, snapshot_id, populate_existing=True).abandoned_at is not None:
            _leave(installation, snapshot_id)
    except Exception as error:
        logger.exception("snapshot %s stopped", snapshot_id)
        _note_failure(snapshot_id, error)


def unfinished() -> ColumnElement[bool]:
    """Which snapshots are still to be sealed, handed over or delivered: never one that was abandoned."""
    return and_(Snapshot.abandoned_at.is_(None), or_(Snapshot.stage != "handed_over", Snapshot.delivered_at.is_(None)))


def _leave(installation: Installation, snapshot_id: int) -> None:
    """Gives the claim back and clears the room for unfinished work."""
    with transaction():
        session.get_one(Snapshot, snapshot_id).claimed_until = None
    shutil.rmtree(sealing.folder_of(installation.settings, snapshot_id), ignore_errors=True)


def _step(installation: Installation, snapshot_id: int, report: Report) -> bool:
    """Does what the snapshot's stage says comes next. True when nothing is left."""
    snapshot = session.get_one(Snapshot, snapshot_id, populate_existing=True)
    if snapshot.abandoned_at is not None:
        _leave(installation, snapshot_id)
        return True
    if snapshot.stage == "submitted":
        _seal(installation, snapshot, report)
        return False
    if snapshot.stage == "sealed":
        _hand_over(snapshot_id)
        return False
    if snapshot.delivered_at is None:
        _deliver(installation, snapshot)
    _leave(installation, snapshot_id)
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
    for step, (before, after) in zip(sealing.STEPS, sealing.percentages(work), strict=True):
        _note_progress(snapshot_id, step.name, before)
        report(step.name, before)
        if all(name in work.products for name in step.makes):
            continue
        work.part = _part_teller(snapshot_id, step.name, before, after)
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
        messages.tell(
            dossier.owner,
            "dossier_handed_over",
            {"name": dossier.owner.name, "dossier": dossier.reference, "link": f"/dossier/{dossier.reference}/ontvangst"},
            key=f"dossier_handed_over:{snapshot_id}",
        )
        audit.write("snapshot.handed_over", actor="system", thing=bundle.snapshot, assessment=assessment.id)


def _deliver(installation: Installation, snapshot: Snapshot) -> None:
    """Calls the ``deliver`` hook of each plugin of this dossier that has one and has no receipt yet.

    One that fails does not keep the others waiting; it is tried again later. None is called any more once the snapshot is
    abandoned.
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
        if plugin.id in delivered or (plugin.hooks_are_known and "deliver" not in plugin.hooks):
            continue
        if _is_abandoned(snapshot_id):  # withdrawn or returned while another body's queue took its time
            return
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


def _is_abandoned(snapshot_id: int) -> bool:
    abandoned = session.scalar(select(Snapshot.abandoned_at.is_not(None)).where(Snapshot.id == snapshot_id))
    session.rollback()
    return bool(abandoned)


def _receipt(plugin: Plugin, info: BundleInfo) -> Receipt:
    """What ``deliver`` gives. Failing here does not disable the plugin: the other body's queue may be away for a while."""
    if not plugin.enabled:
        raise PluginFailed(_not_delivered(plugin), plugin=plugin.id)
    try:
        receipt = in_time(plugin.id, lambda: plugin.hooks["deliver"](info))
        return Receipt(str(receipt.reference), str(receipt.url))
    except Exception as error:
        logger.exception("plugin %s did not deliver %s", plugin.id, info.reference)
        plugin_loader.note_error(plugin, "hooks.py: deliver", error)
        raise PluginFailed(_not_delivered(plugin), plugin=plugin.id) from error


def in_time(name: str, deed: Callable[[], Any]) -> Any:
    """What ``deed`` gives, or ``TimeoutError`` after ``DELIVER_S``: a queue that hangs must not hang our worker.

    Python cannot stop a thread; the one that hangs is left, and while it does no other is started under this name.
    """
    if (hanging := _hanging.get(name)) is not None and hanging.is_alive():
        raise TimeoutError(f"{name} still hangs since an earlier try")
    outcome: Future[Any] = Future()

    def work() -> None:
        try:
            outcome.set_result(deed())
        except BaseException as error:
            outcome.set_exception(error)

    _hanging[name] = thread = Thread(target=work, name=f"deliver {name}", daemon=True)
    thread.start()
    return outcome.result(DELIVER_S)


def _not_delivered(plugin: Plugin) -> Text:
    return both("De uitbreiding “%(title)s” kon de bundel niet afleveren. Wij proberen het vanzelf opnieuw.", title=plugin.title)


def _note_progress(snapshot_id: int, step: str, percent: int) -> None:
    """The percentage never goes back, also when somebody takes it up again after a crash."""
    furthest = case((Snapshot.percent > percent, Snapshot.percent), else_=percent)
    with transaction():
        session.execute(
            update(Snapshot)
            .where(Snapshot.id == snapshot_id)
            .values(step=step, percent=furthest, claimed_until=now() + LEASE)
            .execution_options(synchronize_session=False)
        )


def _part_teller(snapshot_id: int, step: str, before: int, after: int) -> Callable[[int, int], None]:
    """Notes how many parts of a step are done, each number once."""
    last = 0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if last < done <= total:
            last = done
            with suppress(OperationalError):  # a busy database: the next number is as good
                _note_progress(snapshot_id, f"{step} {done}/{total}", before + (after - before) * done // total)

    return tell


def _note_failure(snapshot_id: int, error: Exception) -> None:
    with transaction():
        snapshot = session.get_one(Snapshot, snapshot_id)
        snapshot.claimed_until = None
        if snapshot.abandoned_at is not None:
            return
        step = snapshot.step_name
        snapshot.error = dict(_words(error, step))
        snapshot.next_attempt_at = now() + _wait(snapshot.attempts)
        if step == "check":  # a product is wrong: kept, it would be found wrong for ever
            session.execute(delete(Product).where(Product.snapshot_id == snapshot_id))
        audit.write("snapshot.failed", actor="system", thing=snapshot, step=step)


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
    """Sends the outbox up to where it is empty, oldest first. One thread at a time: a mail server that hangs must not keep
    the others from their work, and what is rung for meanwhile goes along, or with the next sweep."""
    if not _post.acquire(blocking=False):
        return
    try:
        while waiting := mail.due():
            session.rollback()
            for one in waiting:
                _send(installation, one)
    finally:
        _post.release()


def _send(installation: Installation, mail_id: int) -> None:
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
        for one in session.scalars(select(Evidence.id).where(_unchecked(Evidence, moment), _free(Evidence, moment)))
    ]
    waiting += [
        ("log_file", one)
        for one in session.scalars(select(LogFile.id).where(_unchecked(LogFile, moment), _free(LogFile, moment)))
    ]
    waiting += [
        ("snapshot", one)
        for one in session.scalars(
            select(Snapshot.id).where(
                unfinished(),
                _free(Snapshot, moment),
                or_(Snapshot.next_attempt_at.is_(None), Snapshot.next_attempt_at <= moment),
            )
        )
    ]
    waiting += [("mail", one) for one in mail.due()]
    waiting += [("thumbnail", one) for one in session.scalars(select(Evidence.id).where(_without_thumbnail()).limit(THUMBNAILS))]
    session.rollback()
    return waiting


def release_claims() -> None:
    """Frees what a worker that is no longer there had claimed, and files that wait. Only for a starting worker that knows it
    is alone.
    """
    with transaction():
        for files in (Evidence, LogFile):
            session.execute(update(files).where(files.next_attempt_at.is_not(None)).values(next_attempt_at=None))
        for kind in (Evidence, LogFile, Snapshot):
            session.execute(update(kind).where(kind.claimed_until.is_not(None)).values(claimed_until=None))


def keep_plugin_faults(catalogue: Catalogue) -> None:
    """Writes down what went wrong in this process's plugins, after a page or a job and outside its transaction."""
    if any(plugin.noted for plugin in catalogue.plugins.values()):
        with transaction():
            plugin_faults.keep(catalogue.plugins.values())


def remind_supervisors(installation: Installation) -> int:
    """Mails the reminders that are due, each statement in a transaction of its own, and gives their number."""
    asked = invitations.waiting()
    session.rollback()
    sent = 0
    for statement_id in asked:
        try:
            with transaction():
                statement = session.get_one(Statement, statement_id)
                if invitations.remind_by_itself(statement, installation.settings):
                    audit.write("statement.reminded", actor="system", thing=statement)
                    sent += 1
        except DomainError:
            logger.info("statement %s was not reminded now", statement_id, exc_info=True)
    return sent


def prompt_renewals(installation: Installation) -> int:
    """Tells holders whose certificate is about to end, each in a transaction of its own, and gives their number."""
    today = submission.today()
    ending = renewals.waiting(today, installation.catalogue)
    session.rollback()
    told = 0
    for entry_id in ending:
        try:
            with transaction():
                entry = session.get_one(RegisterEntry, entry_id)
                if renewals.prompt(entry, today, installation.catalogue):
                    audit.write("register.prompted", actor="system", thing=entry.account, entry=entry.id)
                    told += 1
        except DomainError:
            logger.info("the holder of entry %s was not told now", entry_id, exc_info=True)
    return told


def forget_old() -> None:
    """Removes what is kept for a while only: network addresses, ended logins, spent links, versions saved while typing, files of
    log entries that were never saved.
    """
    with transaction():
        login.forget_old()
        log_files.forget_loose()
    for dossier_id in versions.crowded():
        with transaction():
            versions.thin_out(dossier_id)


def forget_uploads(settings: Settings) -> int:
    """Throws away what arrived in part and was not gone on with, and gives the number of files."""
    return parts.forget_old(settings.uploads)


def clear_work(settings: Settings) -> None:
    """Empties the room for unfinished work, when a worker starts: what counts is stored elsewhere."""
    shutil.rmtree(settings.work, ignore_errors=True)
    settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)


def retry(snapshot: Snapshot) -> None:
    """Takes a failed snapshot up again at once."""
    if snapshot.abandoned_at is not None:
        raise Conflict(both("Dit dossier is teruggestuurd of ingetrokken. Er is niets om opnieuw te proberen."))
    if snapshot.stage == "handed_over" and snapshot.delivered_at is not None:
        raise Conflict(both("Dit dossier is al verwerkt. Er is niets om opnieuw te proberen."))
    snapshot.next_attempt_at = None


def retry_evidence(item: Evidence, attempts: int) -> bool:
    """Lets a file that waits be checked at once. ``attempts``: how many the page showed; after another one, and while somebody
    is checking it, nothing changes. Tells whether there was anything to do.
    """
    freed = session.scalar(
        update(Evidence)
        .where(
            Evidence.id == item.id,
            Evidence.stage == "received",
            Evidence.removed_at.is_(None),
            Evidence.attempts == attempts,
            Evidence.next_attempt_at.is_not(None),  # once: a second click finds it waiting for a worker already
            _free(Evidence, now()),
        )
        .values(next_attempt_at=None)
        .returning(Evidence.id)
        .execution_options(synchronize_session=False)
    )
    return freed is not None


def _claim(kind: Claimed, record_id: int, wanted: ColumnElement[bool]) -> bool:
    moment = now()
    with transaction():
        claimed: Any = session.execute(
            update(kind)
            .where(kind.id == record_id, wanted, _free(kind, moment))
            .values(claimed_until=moment + LEASE, attempts=kind.attempts + 1)
            .execution_options(synchronize_session=False)
        )
    return bool(claimed.rowcount == 1)


def _unchecked(kind: type[Evidence] | type[LogFile], moment: datetime) -> ColumnElement[bool]:
    """A file that waits for its check, and whose time has come."""
    return and_(
        kind.stage == "received",
        kind.removed_at.is_(None),
        or_(kind.next_attempt_at.is_(None), kind.next_attempt_at <= moment),
    )


def _without_thumbnail() -> ColumnElement[bool]:
    return and_(
        Evidence.stage == "checked",
        Evidence.removed_at.is_(None),
        Evidence.pages_sha256.is_not(None),
        Evidence.thumbnail_sha256.is_(None),
    )


def _free(kind: Claimed, moment: datetime) -> ColumnElement[bool]:
    return or_(kind.claimed_until.is_(None), kind.claimed_until <= moment)


def _wait(attempts: int) -> timedelta:
    doublings = max(0, min(attempts - 1, 10))
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))
