"""Saves a longer and longer answer in every section of the full demo dossier, asks for its draft, and prints how long that took.

Works on a copy of the instance, in this process, without a network; the typesetter runs in its own process as always.
Milliseconds are wall time: of the save, and from the start of the save until the renewed pictures have been received. The last
rows are the whole draft as PDF, to compare with. The machine's load is printed, as it stretches all of them.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from sqlalchemy import select

from app import config, create_app
from app.demo.people import PEOPLE
from app.dossiers import contents as dossier_contents
from app.dossiers.models import Dossier, Snapshot
from app.extensions import session, transaction


def row(name: str, seconds: list[float], note: str = "") -> None:
    median, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    print(f"{name:34}{median * 1000:11.0f}{p95 * 1000:9.0f}{max(seconds) * 1000:9.0f}  {note}")


def main(rounds: int) -> None:
    settings = config.load()
    saved, shown, sizes, whole = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "instance"
        shutil.copytree(settings.instance, copy)
        app = create_app(replace(settings, instance=copy, database_url=""))
        app.config["WTF_CSRF_ENABLED"] = False
        with transaction():
            dossier = session.scalars(select(Dossier).join(Snapshot).order_by(Snapshot.id.desc()).limit(1)).one()
            dossier.stage = "returned"  # open again, with everything in it
        contents = dossier_contents.read(dossier)
        owner = next(person for person in PEOPLE if person.email == dossier.owner.email)
        sections = [
            (section.id, question.id, contents.versions[section.id], contents.answer(section.id, question.id))
            for section in contents.template.sections
            for question in [next((one for one in contents.visible[section.id] if one.type == "long_text"), None)]
            if question is not None and contents.answer(section.id, question.id)
        ]
        start = f"/dossier/{dossier.reference}"
        session.remove()
        client = app.test_client()
        client.post("/inloggen", data={"email": owner.email, "password": owner.password})
        client.get(f"{start}/onderdeel/{sections[0][0]}/concept")  # the sandbox has started
        for section, question, version, text in sections:
            address, have = f"{start}/onderdeel/{section}", ""
            for number in range(rounds):
                began = time.perf_counter()
                text += f" Nog een zin, de {number}e."
                reply = client.post(f"{address}/autosave", data={"version": version, question: text})
                saved.append(time.perf_counter() - began)
                version = reply.json["version"]
                reply = client.get(f"{address}/concept", query_string={"have": have}, headers={"Accept-Encoding": "gzip"})
                shown.append(time.perf_counter() - began)
                sizes.append(len(reply.data))
                assert reply.status_code == 200, reply.data
        for _ in range(max(rounds, 3)):
            began = time.perf_counter()
            pdf = client.get(f"{start}/concept.pdf")
            whole.append(time.perf_counter() - began)
            assert pdf.status_code == 200, pdf.data
        app.extensions["engine"].dispose()
    print(f"{len(sections)} sections, {rounds} saves each; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"{'':34}{'median ms':>11}{'p95 ms':>9}{'max ms':>9}")
    row("save", saved)
    row("save and renewed pictures", shown, f"{statistics.median(sizes) / 1000:.0f} kB packed")
    row("the whole draft as PDF", whole, f"{statistics.median(whole) / statistics.median(shown):.1f} × save and pictures")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
