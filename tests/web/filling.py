"""Fills a dossier of any scheme with answers that fit, for tests of what comes after filling."""

from collections.abc import Mapping
from typing import Any

from small_world import pdf

from app.accounts.models import Account
from app.dossiers import answers, invitations, starting, statements
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.models import Dossier, Evidence, Statement
from app.extensions import session, transaction
from app.files import store
from app.pipeline import Installation
from app.schemes import models as stored_templates
from app.schemes.model import Question

TODAY = {"day": "1", "month": "11", "year": "2026"}
PDF = pdf(2)


def start(owner: Account, installation: Installation, *plugins: str) -> Dossier:
    with transaction():
        return starting.start(
            owner, "recertification", "2026.1", plugins, "nl", catalogue=installation.catalogue, settings=installation.settings
        )


def checked_file(dossier: Dossier, installation: Installation, name: str = "certificaat.pdf") -> int:
    """A file in the folder that was received and found good, without the work of checking it."""
    blobs = installation.settings.blobs
    blob = store.put_bytes(blobs, PDF + name.encode())
    with transaction():
        item = folder.receive(dossier, blob, name, "pdf", installation.settings)
        folder.accept(
            item,
            folder.Examined(
                cleaned=store.put_bytes(blobs, PDF + b"cleaned " + name.encode()),
                cleaned_kind="pdf",
                pages=blob,
                page_count=2,
                rasterised=False,
                signed=False,
                signatures=[],
                notes=[],
            ),
        )
        return item.id


def fill(dossier: Dossier, installation: Installation) -> None:
    """Answers everything, has the supervisor sign, and marks every section as finished. What clients said is on paper."""
    proof = checked_file(dossier, installation)
    template = stored_templates.get(dossier.template_sha256)
    for section in template.sections:
        on_paper = {one.settings["together_with"]: one.settings["count"] for one in section.questions if is_of_clients(one)}
        letters = [checked_file(dossier, installation, f"verklaring {n}.pdf") for n in range(sum(on_paper.values()))]
        with transaction():
            for question in section.questions:
                if question.id in on_paper:
                    given = rows(question.settings, proof, on_paper[question.id])
                    papers = iter(letters)
                    for row in given:
                        row.update({name: [next(papers)] for name in row if row[name] == [proof]})
                    answers.put_answer(dossier, section.id, question.id, given)
                elif question.type != "statement":
                    answers.put_answer(dossier, section.id, question.id, answer(question.type, question.settings, proof))
            answers.save_section(dossier, section.id, {}, 0, finished=True)
    for section, question in template.questions():
        if question.type == "statement" and not is_of_clients(question):
            sign(dossier, installation, section.id, question)


def is_of_clients(question: Question) -> bool:
    return question.type == "statement" and "together_with" in question.settings


def sign(dossier: Dossier, installation: Installation, section_id: str, question: Question) -> Statement:
    with transaction():
        statement = invitations.invite(
            dossier_contents.read(dossier),
            section_id,
            question.id,
            name="Marieke Jansen",
            email="m.jansen@example.org",
            language="nl",
            settings=installation.settings,
        )
        statements.save(statement, {"goals": "Wij spraken over haar doelen."}, 0)
        contents, caller = dossier_contents.read(dossier), {"address": "192.0.2.1", "user_agent": "telefoon"}
        statements.note_read(statement, contents, **caller)
        statements.sign(statement, contents, typed_name="Marieke Jansen", **caller)
        return statement


def answer(kind: str, settings: Mapping[str, Any], proof: int) -> Any:
    if kind == "long_text":
        return "woord " * ((settings.get("words") or {}).get("min") or 1)
    if kind == "number":
        return str(settings.get("min", 1)).replace(".", ",")
    if kind == "date":
        return {**TODAY, "year": "2027"} if settings.get("min") == "today" else {**TODAY, "year": "2025"}
    if kind == "period":
        return {"from": {**TODAY, "year": "2023"}, "to": {**TODAY, "year": "2025"}}
    if kind in ("choice", "scale"):
        return (settings.get("options") or settings["levels"])[-1]["id"]
    if kind == "choices":
        return [settings["options"][0]["id"]]
    if kind == "declaration":
        return "yes"
    if kind == "evidence":
        return [proof]
    return rows(settings, proof) if kind == "table" else "Een antwoord"


def rows(settings: Mapping[str, Any], proof: int, least: int = 1) -> list[dict[str, Any]]:
    """As many as are needed, or ``least``; a number with a total is as high as it may be."""
    summed = {total["field"] for total in settings.get("totals", ())}
    made = []
    for number in range(max(least, (settings.get("rows") or {}).get("min", 1))):
        row: dict[str, Any] = {"row": f"r{number}"}
        for field in settings["fields"]:
            row[field["id"]] = answer(field["type"], field, proof)
            if field["id"] == (settings.get("span") or {}).get("field"):
                row[field["id"]] = {"from": {**TODAY, "year": "2019"}, "to": {**TODAY, "year": "2025"}}
            if field["id"] in summed:
                row[field["id"]] = str(field["max"])
            if field["type"] == "short_text" and number:
                row[field["id"]] += f" {number}"
            if field["type"] == "choice":
                row[field["id"]] = field["options"][0]["id"]
        made.append(row)
    return made


def evidence(evidence_id: int) -> Evidence:
    return session.get_one(Evidence, evidence_id)
