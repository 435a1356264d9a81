"""What happened to one dossier, from every record that knows a part of it, in words and newest first."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts.models import Account
from app.assessment.models import Admission, Assessment, Assignment, SignOff
from app.dossiers import deadlines, former, log
from app.dossiers.models import Dossier, Mentorship, Snapshot, Statement, StatementEvent
from app.extensions import session
from app.schemes import models as stored_templates
from app.texts import both, pick
from app.web.candidate.course import EVENT_WORDS
from app.web.dates import day, stamp
from app.web.language import current_language

TOLD_BY_OTHERS = ("admitted", "returned", "extended", "in_assessment", "statement_signed", "statement_declined", "forms_changed")
Moment = tuple[datetime, Mapping[str, str], str]


def chronicle(dossier: Dossier) -> list[dict[str, str]]:
    """The lines for ``timeline`` of parts/layout."""
    moments = [
        *_own(dossier),
        *_admissions(dossier),
        *_extensions(dossier),
        *_assignments(dossier),
        *_statements(dossier),
        *_moves(dossier),
    ]
    moments.sort(key=lambda moment: moment[0], reverse=True)
    language = current_language()
    return [{"title": pick(title, language), "time": stamp(at), "text": text, "state": "done"} for at, title, text in moments]


def _own(dossier: Dossier) -> Iterator[Moment]:
    for event in log.timeline(dossier):
        if event.kind in EVENT_WORDS and event.kind not in TOLD_BY_OTHERS:
            yield event.at, EVENT_WORDS[event.kind], dossier.withdrawn_reason if event.kind == "withdrawn" else ""
    for mentorship in session.scalars(select(Mentorship).where(Mentorship.dossier_id == dossier.id)):
        yield mentorship.invited_at, both("Mentor uitgenodigd: %(name)s", name=mentorship.name), ""
        if mentorship.accepted_at is not None:
            yield mentorship.accepted_at, both("Mentor doet mee: %(name)s", name=mentorship.name), ""
        if mentorship.ended_at is not None:
            yield mentorship.ended_at, both("Mentor kijkt niet meer mee: %(name)s", name=mentorship.name), ""


def _admissions(dossier: Dossier) -> Iterator[Moment]:
    rows = session.execute(
        select(Admission, Snapshot.revision)
        .join(Snapshot, Admission.snapshot_id == Snapshot.id)
        .where(Snapshot.dossier_id == dossier.id)
    )
    for one, revision in rows:
        words: dict[str, Any] = {"n": revision, "name": one.by.name}
        if one.outcome == "admitted":
            yield one.at, both("Revisie %(n)s toegelaten door %(name)s", **words), one.note
        else:
            yield (
                one.at,
                both("Revisie %(n)s teruggestuurd door %(name)s", **words),
                " · ".join(finding["text"] for finding in one.findings),
            )


def _extensions(dossier: Dossier) -> Iterator[Moment]:
    for one in deadlines.extensions_of(dossier):
        yield one.at, both("Uitstel tot en met %(day)s door %(name)s", day=day(one.submit_before), name=one.by.name), one.reason


def _assignments(dossier: Dossier) -> Iterator[Moment]:
    """Who was on it and when; never what was found."""
    of_dossier = select(Assessment.id).where(Assessment.dossier_id == dossier.id).scalar_subquery()
    for one in session.scalars(select(Assignment).where(Assignment.assessment_id == of_dossier)):
        name = one.assessor.name
        yield one.assigned_at, both("Toegewezen aan %(name)s", name=name), ""
        if one.declared_at is not None:
            yield one.declared_at, both("%(name)s heeft geen belangenconflict", name=name), ""
        if one.ended_at is not None:
            yield one.ended_at, both("Toewijzing van %(name)s beëindigd", name=name), one.conflict_reason
    signed = select(SignOff.signed_at, Account.name).join(Account, SignOff.assessor_id == Account.id)
    for at, name in session.execute(signed.where(SignOff.assessment_id == of_dossier)):
        yield at, both("Oordeel ondertekend door %(name)s", name=name), ""


def _moves(dossier: Dossier) -> Iterator[Moment]:
    """From which version of the forms to which."""
    for one in former.moves(dossier):
        before, after = (stored_templates.get(sha256) for sha256 in (one.from_sha256, one.to_sha256))
        words = {"before": before.version, "after": after.version}
        if before.version == after.version:
            text = both("Overgestapt op de verbeterde versie %(after)s van de formulieren", after=after.version)
        elif one.back_of_id is not None:
            text = both("Terug van versie %(before)s naar versie %(after)s van de formulieren", **words)
        else:
            text = both("Overgestapt van versie %(before)s naar versie %(after)s van de formulieren", **words)
        yield one.at, text, ""


def _statements(dossier: Dossier) -> Iterator[Moment]:
    words = {
        "sent": lambda name: both("Aan %(name)s gevraagd om een verklaring", name=name),
        "opened": lambda name: both("%(name)s opende de uitnodiging", name=name),
        "signed": lambda name: both("%(name)s gaf de verklaring", name=name),
        "declined": lambda name: both("%(name)s geeft geen verklaring", name=name),
        "revoked": lambda name: both("Verklaring van %(name)s ingetrokken", name=name),
    }
    rows = session.execute(
        select(StatementEvent.kind, StatementEvent.at, Statement.name)
        .join(Statement, StatementEvent.statement_id == Statement.id)
        .where(Statement.dossier_id == dossier.id, StatementEvent.kind.in_(words))
    )
    for kind, at, name in rows:
        yield at, words[kind](name), ""
