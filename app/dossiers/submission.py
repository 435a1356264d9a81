"""From a filled dossier to a Snapshot: the hinge between rows that may change and records that never do."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.accounts import messages
from app.config import Settings
from app.dossiers import completeness, lifecycle, log, outcomes, statements
from app.dossiers.answers import checked
from app.dossiers.contents import Contents, evidence_used
from app.dossiers.models import Evidence, Snapshot, Statement, StatementEvent
from app.errors import InvalidInput, SealingFailed
from app.extensions import now, session
from app.plugin_api import Finding
from app.schemes import schemas, statement_settings
from app.schemes.loader import Catalogue
from app.schemes.model import Question
from app.texts import both, pick

FORMAT = 1
ZONE = ZoneInfo("Europe/Amsterdam")


class NotReady(InvalidInput):
    """Findings still stand in the way; ``findings`` lists them."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(both("Uw dossier is nog niet compleet. Hieronder staat wat er nog nodig is."))
        self.findings = findings


@dataclass(frozen=True)
class Consent:
    """How the candidate signed when submitting: typed name, the final declarations agreed to, and from where."""

    name: str
    declarations: frozenset[str]
    address: str
    user_agent: str


def today() -> date:
    """The date in Amsterdam, where deadlines count."""
    return now().astimezone(ZONE).date()


def submit(
    contents: Contents, consent: Consent, *, catalogue: Catalogue, house_style_sha256: str, settings: Settings
) -> Snapshot:
    """Freezes the dossier as it stands and moves it to ``submitted``; assembling follows by itself.

    ``contents`` must have been read in this transaction, so that nothing that was saved before is left out.
    Raises ``NotReady`` while findings remain, ``InvalidInput`` for a missing agreement or name, ``Conflict`` when it
    was submitted already (the second click of two).
    """
    dossier = contents.dossier
    name = checked(consent.name).strip()[:120]
    if any(one.id not in consent.declarations for one in contents.template.declarations):
        raise InvalidInput(both("Ga akkoord met alle verklaringen om uw dossier in te dienen."), field="declarations")
    if len(name) < 2:
        raise InvalidInput(both("Typ uw volledige naam om te ondertekenen."), field="name")
    moment = now()
    lifecycle.advance(dossier, "submitted", submitted_at=moment)
    findings = completeness.check(contents, catalogue, today())
    if findings:
        raise NotReady(findings)
    revision = (session.scalar(select(func.max(Snapshot.revision)).where(Snapshot.dossier_id == dossier.id)) or 0) + 1
    content = {
        **draft_content(contents, settings),
        "revision": revision,
        "submitted_at": moment.isoformat(),
        "house_style_sha256": house_style_sha256,
        "signature": {
            "name": name,
            "at": moment.isoformat(),
            "address": consent.address[:64],
            "user_agent": consent.user_agent[:255],
        },
        "events": [{"kind": "created", "at": dossier.created_at.isoformat()}, {"kind": "submitted", "at": moment.isoformat()}],
    }
    text = statements.canonical(content)
    snapshot = Snapshot(
        dossier_id=dossier.id,
        revision=revision,
        content=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        submitted_at=moment,
    )
    session.add(snapshot)
    log.note(dossier, "submitted")
    messages.tell(
        dossier.owner,
        "submission_receipt",
        {
            "name": dossier.owner.name,
            "dossier": dossier.reference,
            "revision": revision,
            "submitted_on": today().isoformat(),
            "sha256": snapshot.sha256,
            "link": f"/dossier/{dossier.reference}/ontvangst",
        },
        key=f"submission_receipt:{dossier.id}:{revision}",
    )
    session.flush()
    return snapshot


def content_of(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot's content as data, after checking its hash. Raises ``SealingFailed`` when the row was tampered with."""
    if hashlib.sha256(snapshot.content.encode()).hexdigest() != snapshot.sha256:
        raise SealingFailed(
            both("De inhoud van dit dossier is na het indienen veranderd. Zet het terug uit de reservekopie."),
            step="snapshot",
            snapshot=snapshot.id,
        )
    data: dict[str, Any] = json.loads(snapshot.content)
    return data


def draft_content(contents: Contents, settings: Settings) -> dict[str, Any]:
    """The content that a snapshot would have now, but for the signature and what only submitting gives."""
    dossier = contents.dossier
    return {
        "format": FORMAT,
        "reference": dossier.reference,
        "revision": 0,
        "language": dossier.language,
        "demo": settings.demo,
        "organisation": settings.organisation,
        "submitted_at": "",
        "today": today().isoformat(),
        "candidate": {"name": dossier.owner.name, "email": dossier.owner.email},
        "template_sha256": dossier.template_sha256,
        "template": schemas.dump(contents.template),
        "house_style_sha256": "",
        "answers": _answers(contents),
        "evidence": _evidence(contents),
        "statements": _statements(contents),
        "outcomes": _outcomes(contents),
        "declarations": [{"id": one.id, "text": pick(one.text, dossier.language)} for one in contents.template.declarations],
        "signature": None,
        "events": [],
    }


def _answers(contents: Contents) -> dict[str, dict[str, Any]]:
    answers: dict[str, dict[str, Any]] = {}
    for section, question in contents.shown():
        answer = contents.answer(section.id, question.id)
        if answer is not None and question.type != "statement":
            answers.setdefault(section.id, {})[question.id] = answer
    return answers


def _evidence(contents: Contents) -> list[dict[str, Any]]:
    """What the answers refer to, and behind that what came with the statements."""
    used = [(contents.evidence[item], places) for item, places in evidence_used(contents).items() if item in contents.evidence]
    for statement in _signed(contents):
        used += [(item, [(statement.section_id, statement.question_id)]) for item in contents.documents.get(statement.id, ())]
    return [_evidence_item(item, number, places) for number, (item, places) in enumerate(used, start=1)]


def _evidence_item(evidence: Evidence, number: int, places: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "id": evidence.id,
        "number": number,
        "name": evidence.name,
        "title": evidence.title or evidence.name.rsplit(".", 1)[0],
        "kind": evidence.kind,
        "original_sha256": evidence.original_sha256,
        "original_size": evidence.original_size,
        "cleaned_sha256": evidence.cleaned_sha256 or "",
        "cleaned_kind": evidence.cleaned_kind or "",
        "pages_sha256": evidence.pages_sha256 or "",
        "pages": evidence.pages,
        "rasterised": evidence.rasterised,
        "signed": evidence.signed,
        "signatures": evidence.signatures,
        "uploaded_at": evidence.uploaded_at.isoformat(),
        "used_by": [list(place) for place in places],
    }


def _statements(contents: Contents) -> list[dict[str, Any]]:
    signed = _signed(contents)
    events = statements.events([one.id for one in signed])
    return [_statement(contents, one, events[one.id]) for one in signed]


def _signed(contents: Contents) -> list[Statement]:
    """The statements by name that count: signed, for a question that is asked now; in the order of the dossier and the places."""
    asked = [(section.id, question.id) for section, question in contents.shown() if not _is_anonymous(question)]
    signed = [
        one
        for one in contents.statements
        if one.stage == "signed" and (one.section_id, one.question_id) in asked and statements.is_asked(one, contents)
    ]
    return sorted(signed, key=lambda one: (asked.index((one.section_id, one.question_id)), one.place))


def _is_anonymous(question: Question) -> bool:
    return question.type == "statement" and statement_settings.of(question).anonymous


def _outcomes(contents: Contents) -> list[dict[str, Any]]:
    """What people answered anonymously, added up."""
    asked = [(section, question) for section, question in contents.shown() if _is_anonymous(question)]
    return [found for section, question in asked if (found := outcomes.of(contents, section.id, question)) is not None]


def _statement(contents: Contents, statement: Statement, events: list[StatementEvent]) -> dict[str, Any]:
    dossier = contents.dossier
    question = statements.question_of(statement)
    return {
        "id": statement.id,
        "section": statement.section_id,
        "question": statement.question_id,
        "stage": statement.stage,
        "supervisor": {
            "name": statement.name,
            "email": statement.email,
            "role": pick(question.settings.get("role"), dossier.language),
        },
        "answers": statements.given(statement),
        **({"asked": statement.asked["questions"]} if statement.asked else {}),
        "signed_name": statement.signed_name,
        "signed_at": statement.signed_at.isoformat() if statement.signed_at else "",
        "consent": pick(statement.consent, dossier.language),
        "independence": pick(statement.independence, dossier.language),
        "read_sha256": statement.read_sha256,
        "content_sha256": statement.content_sha256,
        "evidence": [item.id for item in contents.documents.get(statement.id, ())],
        "events": [
            {
                "kind": event.kind,
                "at": event.at.isoformat(),
                "address": event.address,
                "user_agent": event.user_agent,
                "sha256": "" if event.kind == "opened" else event.sha256,  # a session's is for ourselves
            }
            for event in events
        ],
    }
