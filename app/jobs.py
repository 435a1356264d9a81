"""The task queue's face. Huey only rings the bell: the stages in the database are the truth, and a sweep every half
minute rings for whatever they say is unfinished."""

import fcntl
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from huey import SqliteHuey

from app import pipeline
from app.config import Settings
from app.errors import Conflict
from app.extensions import session
from app.pipeline import Installation
from app.texts import both

log = logging.getLogger(__name__)

SWEEP_S = 30
AN_HOUR_S = 3600
A_DAY_S = 24 * 3600
JOBS: dict[str, Callable[[Installation, int], None]] = {
    "evidence": pipeline.run_evidence,
    "log_file": pipeline.run_log_file,
    "snapshot": pipeline.run_snapshot,
    "mail": pipeline.run_mail,
    "thumbnail": pipeline.run_thumbnail,
}
Ring = Callable[[str, int], None]


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Holds the lock of this instance's one worker; it goes with the process, also when that is killed.

    Who holds it knows that every claim in the database is a dead worker's. Raises ``Conflict`` when another has it.
    """
    with (settings.instance / "worker.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(both("Een ander proces werkt met deze map. Stop dat eerst.")) from None
        yield


def open_queue(installation: Installation) -> tuple[SqliteHuey, Ring]:
    """The queue on disk, and the bell: ``ring(job, record_id)`` asks the worker to look at a record now.

    Ring after the commit. A bell that could not be rung is made good by the sweep.
    """
    settings = installation.settings
    settings.queue.parent.mkdir(parents=True, exist_ok=True)
    queue = SqliteHuey("loopbaandossier", filename=str(settings.queue), results=False)
    task = queue.task(name="run")(lambda job, record_id: run(installation, job, record_id))

    def ring(job: str, record_id: int) -> None:
        try:
            task(job, record_id)
        except Exception:
            log.warning("the queue did not take %s %s; the sweep will", job, record_id, exc_info=True)

    return queue, ring


def run(installation: Installation, job: str, record_id: int) -> None:
    """Does one job in a worker thread, and leaves no database connection behind."""
    try:
        JOBS[job](installation, record_id)
    finally:
        pipeline.keep_plugin_faults(installation.catalogue)
        session.remove()


def sweep(ring: Ring) -> int:
    """Rings for everything that is due and gives their number."""
    waiting = pipeline.due()
    for job, record_id in waiting:
        ring(job, record_id)
    return len(waiting)


def drain(installation: Installation, *, report: Callable[[str, int], None] = lambda job, record_id: None) -> int:
    """Does everything that is due here and now, without a worker: for commands and tests. Gives the number of jobs done."""
    done = 0
    seen: set[tuple[str, int]] = set()
    while waiting := [one for one in pipeline.due() if one not in seen]:
        for job, record_id in waiting:
            seen.add((job, record_id))
            report(job, record_id)
            run(installation, job, record_id)
            done += 1
    return done


def keep_sweeping(installation: Installation, ring: Ring, stop: threading.Event) -> None:
    """The sweep's own thread: at once, then every ``SWEEP_S`` seconds until ``stop``; reminders go out once an hour, and once a
    day what is old is forgotten.
    """
    forgotten, reminded = -float(A_DAY_S), -float(AN_HOUR_S)
    while True:
        try:
            if time.monotonic() - reminded >= AN_HOUR_S:
                pipeline.remind_supervisors(installation)
                pipeline.prompt_renewals(installation)
                pipeline.forget_uploads(installation.settings)
                reminded = time.monotonic()
            sweep(ring)
            if time.monotonic() - forgotten >= A_DAY_S:
                pipeline.forget_old()
                forgotten = time.monotonic()
        except Exception:
            log.exception("sweep failed")
        finally:
            session.remove()
        if stop.wait(SWEEP_S):
            return
