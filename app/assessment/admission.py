"""Admission: the office checks a submitted dossier against the entry requirements, then admits it or returns it with findings.

A return opens the dossier again; what is submitted then is a new revision, which is checked anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts import messages
from app.accounts.models import Account
from app.assessment.models import CHECK_STATES, Admission, RequirementCheck
from app.dossiers import deadlines, lifecycle, log, submission
from app.dossiers.answers import checked
from app.dossiers.models import Dossier, Snapshot
from app.errors import Conflict, DomainError, InvalidInput
from app.extensions import now, session
from app.schemes import conditions, loader
from app.schemes import models as stored_templates
from app.schemes.loader import Catalogue
from app.schemes.model import EntryRequirement
from app.texts import both, pick

MAX_TEXT = 4000
RETURN_REASON = both("Teruggestuurd om aan te vullen")


@dataclass(frozen=True)
class Finding:
    """What the candidate must do: about an entry requirement and a section, or about neither ("")."""

    text: str
    requirement: str = ""
    section: str = ""


def newest_snapshot(dossier: Dossier) -> Snapshot | None:
    """What was submitted last."""
    return session.scalar(select(Snapshot).where(Snapshot.dossier_id == dossier.id).order_by(Snapshot.revision.desc()).limit(1))


def of_snapshot(snapshot: Snapshot) -> Admission | None:
    """What the office decided about it, if it did."""
    return session.scalar(select(Admission).where(Admission.snapshot_id == snapshot.id))


def is_admitted(dossier: Dossier) -> bool:
    """Whether what was submitted last may be assessed."""
    snapshot = newest_snapshot(dossier)
    decided = of_snapshot(snapshot) if snapshot is not None else None
    return decided is not None and decided.outcome == "admitted"


def open_return(dossier: Dossier) -> Admission | None:
    """With which findings the dossier was returned, as long as the candidate has not submitted it again."""
    if dossier.stage != "returned":
        return None
    snapshot = newest_snapshot(dossier)
    decided = of_snapshot(snapshot) if snapshot is not None else None
    return decided if decided is not None and decided.outcome == "returned" else None


def requirements_of(dossier: Dossier, catalogue: Catalogue) -> tuple[EntryRequirement, ...]:
    """What its admission is checked against: not a requirement of which none of the answers to be shown was asked. A dossier
    that began before its scheme version had entry requirements gets those that it has now; () when there are none either.
    """
    template = stored_templates.get(dossier.template_sha256)
    if template.entry_requirements:
        snapshot = newest_snapshot(dossier)
        answers = submission.content_of(snapshot)["answers"] if snapshot is not None else {}
        visible = conditions.visible(template, answers)
        asked = {f"{section}.{question.id}" for section, questions in visible.items() for question in questions}
        return tuple(one for one in template.entry_requirements if not one.shows or asked.intersection(one.shows))
    for plugins in ([one.id for one in template.plugins], []):  # a plugin may be switched off by now
        try:
            return loader.compose(catalogue, template.scheme, template.version, plugins).entry_requirements
        except DomainError:
            continue
    return ()


# --- checking ------------------------------------------------------------------------------------------------------


def checks_of(snapshot: Snapshot) -> dict[str, RequirementCheck]:
    """What the office noted about each entry requirement, by its id."""
    rows = session.scalars(select(RequirementCheck).where(RequirementCheck.snapshot_id == snapshot.id))
    return {row.requirement_id: row for row in rows}


def record_checks(
    snapshot: Snapshot,
    typed: Mapping[str, tuple[str, str]],
    *,
    seen: Mapping[str, tuple[str, str]],
    by: Account,
    catalogue: Catalogue,
) -> None:
    """Keeps (state, note) by requirement. ``seen`` is what stood there when the form was opened.

    What was not changed in the form is left as it is. Raises ``Conflict`` when a colleague changed the same requirement
    otherwise meanwhile (``details["requirements"]`` names them), or when the dossier is past checking.
    """
    _to_be_checked(snapshot)
    known = {one.id for one in requirements_of(snapshot.dossier, catalogue)}
    if set(typed) - known or any(state not in CHECK_STATES for state, _ in typed.values()):
        raise InvalidInput(both("Dit formulier hoort niet bij dit dossier. Ververs de pagina."))
    rows = checks_of(snapshot)
    stored = {key: (row.state, row.note) for key, row in rows.items()}
    fresh = ("open", "")
    changed = {key: (state, _text(note)) for key, (state, note) in typed.items() if (state, _text(note)) != seen.get(key, fresh)}
    crossed = [
        key
        for key, value in changed.items()
        if stored.get(key, fresh) != seen.get(key, fresh) and stored.get(key, fresh) != value
    ]
    if crossed:
        raise Conflict(
            both("Een collega heeft intussen ook gecontroleerd. Uw tekst staat er nog. Vergelijk en sla opnieuw op."),
            requirements=crossed,
        )
    moment = now()
    for key, (state, note) in changed.items():
        row = rows.get(key)
        if row is None:
            row = RequirementCheck(snapshot_id=snapshot.id, requirement_id=key, by_id=by.id)
            session.add(row)
        row.state, row.note, row.by_id, row.at = state, note, by.id, moment
    session.flush()


# --- deciding ------------------------------------------------------------------------------------------------------


def admit(snapshot: Snapshot, *, by: Account, catalogue: Catalogue, note: str = "") -> Admission:
    """Lets the dossier be assessed. Raises ``Conflict`` when it is decided, not in the queue yet, or no longer the newest;
    ``InvalidInput`` while a requirement is not met or not checked. Without requirements the note says what was checked.
    """
    _to_be_checked(snapshot)
    if snapshot.stage != "handed_over":
        raise Conflict(both("De documenten van dit dossier zijn nog niet klaar. Laat het toe zodra ze in de wachtrij staan."))
    states = {key: row.state for key, row in checks_of(snapshot).items()}
    requirements = requirements_of(snapshot.dossier, catalogue)
    lacking = [one for one in requirements if states.get(one.id) != "met"]
    if lacking:
        raise InvalidInput(
            both("Nog niet alle toelatingseisen zijn in orde. Controleer eerst elke eis, of stuur het dossier terug."),
            requirements=[one.id for one in lacking],
        )
    if not requirements and not _text(note):
        raise InvalidInput(both("Dit schema heeft geen toelatingseisen. Schrijf wat u hebt gecontroleerd."), field="note")
    made = _decide(Admission(snapshot_id=snapshot.id, outcome="admitted", note=_text(note), by_id=by.id))
    dossier = snapshot.dossier
    log.note(dossier, "admitted")
    messages.tell(
        dossier.owner,
        "dossier_admitted",
        {"name": dossier.owner.name, "dossier": dossier.reference, "link": f"/dossier/{dossier.reference}"},
        key=f"dossier_admitted:{snapshot.id}",
    )
    return made


def return_to_candidate(
    snapshot: Snapshot, findings: Sequence[Finding], *, by: Account, until: date, catalogue: Catalogue, note: str = ""
) -> Admission:
    """Opens the dossier for the candidate again, with what to do and until when.

    Possible until somebody assesses it; also when its documents could not be made: then nobody waits for them any more.
    Raises ``InvalidInput`` without a finding or with a date that is past, ``Conflict`` when somebody was first.
    """
    dossier = snapshot.dossier
    wanted = [{"requirement": one.requirement, "section": one.section, "text": _text(one.text)} for one in findings]
    wanted = [one for one in wanted if one["text"]]
    _check_findings(dossier, wanted, catalogue)
    if until < submission.today():
        raise InvalidInput(both("Kies een datum die nog komt."), field="until")
    if _newest_revision(snapshot) is not snapshot:
        raise Conflict(both("De kandidaat heeft intussen opnieuw ingediend. Ververs de pagina."))
    lifecycle.advance(dossier, "returned")
    lifecycle.abandon_snapshots(dossier)
    earlier = of_snapshot(snapshot)
    if earlier is None:
        made = _decide(Admission(snapshot_id=snapshot.id, outcome="returned", findings=wanted, note=_text(note), by_id=by.id))
    else:  # it was admitted, but nobody has begun: the record of deeds keeps that
        made = earlier
        made.outcome, made.findings, made.note, made.by_id, made.at = "returned", wanted, _text(note), by.id, now()
    if until > dossier.submit_before:
        deadlines.postpone(dossier, until, pick(RETURN_REASON, dossier.language), by=by)
    log.note(dossier, "returned")
    messages.tell(
        dossier.owner,
        "dossier_returned",
        {
            "name": dossier.owner.name,
            "dossier": dossier.reference,
            "until": dossier.submit_before.isoformat(),
            "link": f"/dossier/{dossier.reference}",
        },
        key=f"dossier_returned:{snapshot.id}",
    )
    return made


def _to_be_checked(snapshot: Snapshot) -> None:
    if snapshot.dossier.stage != "submitted" or _newest_revision(snapshot) is not snapshot:
        raise Conflict(both("Dit dossier ligt niet meer bij het secretariaat ter controle. Ververs de pagina."))
    if of_snapshot(snapshot) is not None:
        raise Conflict(both("Over de toelating van dit dossier is al besloten. Ververs de pagina."))


def _newest_revision(snapshot: Snapshot) -> Snapshot | None:
    return newest_snapshot(snapshot.dossier)


def _decide(admission: Admission) -> Admission:
    """Stores the decision, once: the second of two at the same moment is told so."""
    try:
        with session.begin_nested():
            session.add(admission)
    except IntegrityError:
        raise Conflict(both("Over de toelating van dit dossier is al besloten. Ververs de pagina.")) from None
    return admission


def _check_findings(dossier: Dossier, findings: Sequence[Mapping[str, str]], catalogue: Catalogue) -> None:
    if not findings:
        raise InvalidInput(both("Schrijf minstens één bevinding: wat moet de kandidaat doen?"), field="findings")
    sections = {one.id for one in stored_templates.get(dossier.template_sha256).sections}
    requirements = {one.id for one in requirements_of(dossier, catalogue)}
    if any(one["requirement"] not in {"", *requirements} or one["section"] not in {"", *sections} for one in findings):
        raise InvalidInput(both("Dit formulier hoort niet bij dit dossier. Ververs de pagina."))


def _text(typed: str) -> str:
    text: str = checked(typed).strip()
    if len(text) > MAX_TEXT:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_TEXT))
    return text
