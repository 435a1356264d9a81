"""Seals the newest snapshot of an instance again in a temporary folder and prints a row per step.

Seconds are wall time. Memory is the highest sum of resident memory of this process and all its descendants, sampled every
10 ms, next to what the process held before the step. The last row compares with reading, hashing and writing the bundle's
bytes once, so that figures of different machines can be compared.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from sqlalchemy import select

from app import config, extensions
from app.documents import sealing
from app.dossiers import submission
from app.dossiers.models import Snapshot
from app.extensions import session
from app.files import store
from app.schemes import loader, schemas

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def resident_mib() -> float:
    """Resident memory of this process and its descendants, in MiB."""
    parents, resident = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            resident[int(folder.name)] = int((folder / "statm").read_text().split()[1]) * PAGE_KIB / 1024
        except (OSError, ValueError):
            continue
    family = {os.getpid()}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(resident.get(one, 0) for one in family)


class Peak:
    """Samples memory in a thread while a step runs."""

    def __enter__(self) -> "Peak":
        self.mib, self.going = resident_mib(), True
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.going = False
        self.thread.join()

    def _sample(self) -> None:
        while self.going:
            self.mib = max(self.mib, resident_mib())
            time.sleep(0.01)


def main(rounds: int) -> None:
    settings = config.load()
    extensions.connect(settings.database)
    catalogue = loader.load_all(settings)
    snapshot = session.scalars(select(Snapshot).order_by(Snapshot.id.desc()).limit(1)).one()
    content = submission.content_of(snapshot)
    plugins = catalogue.plugins_of(schemas.load(content["template"]))
    rows: dict[str, list[tuple[float, float]]] = {}
    size = pages = 0
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            own = replace(settings, instance=Path(folder))
            own.keys.symlink_to(settings.keys)
            for item in content["evidence"]:
                for name in ("cleaned_sha256", "pages_sha256", "original_sha256"):
                    if item[name] and not store.exists(own.blobs, item[name]):
                        store.put_file(own.blobs, store.path(settings.blobs, item[name]))
            work = sealing.prepare(content, snapshot.sha256, plugins, own, {}, snapshot.id)
            for step in sealing.STEPS:
                started = time.monotonic()
                with Peak() as peak:
                    sealing.run(step, work)
                rows.setdefault(step.name, []).append((time.monotonic() - started, peak.mib))
            outcome = sealing.outcome(work)
            size, pages = outcome["zip_size"], outcome["pages"]
            started = time.monotonic()
            data = work.product("bundle.zip").read_bytes()
            hashlib.sha256(data).digest()
            (Path(folder) / "copy").write_bytes(data)
            rows.setdefault("(read, hash, write once)", []).append((time.monotonic() - started, resident_mib()))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    floor = statistics.median(seconds for seconds, _ in rows["(read, hash, write once)"])
    print(f"{pages} pages, {len(content['evidence'])} evidence files, bundle {size / 1e6:.1f} MB; medians of {rounds}")
    print(f"{'step':26}{'seconds':>9}{'x floor':>9}{'peak MiB':>10}")
    total = 0.0
    for name, measured in rows.items():
        seconds = statistics.median(one for one, _ in measured)
        total += 0 if name.startswith("(") else seconds
        print(f"{name:26}{seconds:9.2f}{seconds / floor:9.1f}{max(mib for _, mib in measured):10.0f}")
    print(f"{'all steps':26}{total:9.2f}{total / floor:9.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
