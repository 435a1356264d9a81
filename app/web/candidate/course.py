"""The course of a submitted dossier for its candidate: what happened and when, what happens now, who is to act and by when.

Nobody's name: who assesses is not for the candidate to know.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.assessment import admission, fees, overview
from app.assessment.models import Assessment, SignOff
from app.assessment.overview import Filter, Row
from app.documents import sealing
from app.dossiers import deadlines, log
from app.dossiers.models import Dossier, DossierEvent, Snapshot
from app.dossiers.submission import ZONE, today
from app.errors import Text
from app.extensions import now, session
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate
from app.texts import both, pick
from app.web import ways
from app.web.dates import clock, day, is_today, stamp, when
from app.web.language import current_language
from app.web.parts import installation

EVENT_WORDS = {
    "created": both("Dossier begonnen"),
    "statement_signed": both("Verklaring van de supervisor ondertekend"),
    "statement_declined": both("Verklaring van de supervisor geweigerd"),
    "submitted": both("Ingediend"),
    "sealed": both("Documenten gemaakt en verzegeld"),
    "handed_over": both("Klaar voor de controle door het secretariaat"),
    "admitted": both("Toegelaten tot de beoordeling"),
    "in_assessment": both("De beoordeling is begonnen"),
    "decided": both("Besluit genomen"),
    "returned": both("Teruggestuurd om aan te vullen"),
    "extended": both("Uitstel gekregen"),
    "withdrawn": both("Ingetrokken"),
    "forms_changed": both("Overgestapt op een andere versie van de formulieren"),
}
FEE_WORDS = {
    "invoiced": both("De rekening is verstuurd"),
    "paid": both("De vergoeding is betaald"),
    "waived": both("U hoeft niet te betalen"),
}
UNUSUAL = timedelta(minutes=5)  # since submitting: most dossiers take seconds, the largest a minute or two


@dataclass(frozen=True)
class Now:
    """What happens now. ``by``: a day, when the scheme says so; ``you``: what the candidate can do."""

    title: Text
    who: Text
    by: date | None = None
    you: Text | None = None


def timeline(dossier: Dossier) -> list[dict[str, Any]]:
    """The lines for ``timeline`` of parts/layout: done ones, the one of now, and those to come."""
    language = current_language()
    done = [*_events(dossier), *_fee(dossier)]
    done.sort(key=lambda moment: moment[0])
    items: list[dict[str, Any]] = [
        {"title": pick(title, language), "time": stamp(at), "text": pick(text, language), "state": "done"}
        for at, title, text in done
    ]
    row = next((row for row in overview.dossiers(Filter(text=dossier.reference)) if row.id == dossier.id), None)
    if row is None:
        return items
    current = happens_now(dossier, row)
    if current is not None:
        items.append(_line(current))
    for title, text in to_come(row.state, stored_templates.get(dossier.template_sha256)):
        items.append({"title": pick(title, language), "text": pick(text, language), "state": "", "facts": []})
    return items


def happens_now(dossier: Dossier, row: Row) -> Now | None:
    """Who is to act, and until when. ``None`` when nothing is to happen any more."""
    template = stored_templates.get(dossier.template_sha256)
    nothing = both("U hoeft nu niets te doen. U krijgt een e-mail zodra er nieuws is.")
    if row.state == "returned":
        return Now(both("U vult uw dossier aan en dient het opnieuw in"), both("U"), dossier.submit_before)
    if row.state == "assembling":
        return Now(both("Wij maken uw documenten"), both("Dit gaat vanzelf, meestal binnen een minuut"), you=nothing)
    if row.state == "stuck":
        words = both("Dit gaat vanzelf opnieuw. Het secretariaat ziet dat het nog niet lukt")
        return Now(both("Het maken van uw documenten lukt nog niet"), words, you=nothing)
    if row.state == "to_admit":
        by = _within(row.since, template.admission_days)
        return Now(
            both("Het secretariaat controleert of uw dossier aan de eisen voor toelating voldoet"),
            both("Het secretariaat"),
            by,
            nothing,
        )
    decided = _admitted_at(dossier) or row.since
    if row.state == "to_assign" and not row.assessors:
        by = _within(decided, template.assessment_days)
        return Now(both("Het secretariaat wijst beoordelaars toe"), both("Het secretariaat"), by, nothing)
    if row.state == "to_assign":
        by = _within(decided, template.assessment_days)
        return Now(
            both("Een beoordelaar is bezig; er komt nog iemand bij"),
            both("Het secretariaat wijst de andere beoordelaar toe"),
            by,
            nothing,
        )
    if row.state == "judging":
        by = _within(decided, template.assessment_days)
        return Now(both("De beoordelaars lezen uw dossier, los van elkaar"), both("De beoordelaars"), by, nothing)
    if row.state == "judged" and template.way != "written":
        who = both("Het secretariaat spreekt een datum en plaats voor de mondelinge toetsing met u af")
        return Now(both("De mondelinge toetsing, en daarna het besluit over uw certificaat"), who, None, nothing)
    if row.state == "judged":
        by = _within(_judged_at(dossier) or row.since, template.decision_days)
        return Now(both("Het besluit over uw certificaat"), {"nl": _organisation(), "en": _organisation()}, by, nothing)
    return None


def to_come(state: str, template: DossierTemplate) -> Sequence[tuple[Text, Text | None]]:
    """What follows on the phase of now, with words about it."""
    admitting, assessing = (both("Controle van de toelating"), None), (both("Beoordeling"), None)
    last: list[tuple[Text, Text | None]] = [(both("Besluit"), None)]
    if (session_title := ways.oral_session(template)) is not None:
        when_told = both("Hebben de beoordelaars uw dossier gelezen, dan spreekt het secretariaat een datum en plaats met u af.")
        last.insert(0, (session_title, when_told))
    if state in ("returned", "assembling", "stuck"):
        return [admitting, assessing, *last]
    if state == "to_admit":
        return [assessing, *last]
    return last if state in ("to_assign", "judging") else []


def _line(current: Now) -> dict[str, Any]:
    language = current_language()
    facts = [(pick(both("Wie is aan zet"), language), pick(current.who, language))]
    if current.by is not None:
        words = day(current.by)
        if current.by < today():
            words = pick(both("%(day)s. Die dag is voorbij: vraag het secretariaat hoe het staat.", day=words), language)
        facts.append((pick(both("Uiterlijk"), language), words))
    if current.you is not None:
        facts.append((pick(both("Wat u kunt doen"), language), pick(current.you, language)))
    return {"title": pick(current.title, language), "state": "now", "facts": facts}


# --- what happened -------------------------------------------------------------------------------------------------

Moment = tuple[datetime, Text, Text | None]


def _events(dossier: Dossier) -> Iterator[Moment]:
    for event in log.timeline(dossier):
        if event.kind in EVENT_WORDS:
            yield event.at, EVENT_WORDS[event.kind], _about(dossier, event)


def _about(dossier: Dossier, event: DossierEvent) -> Text | None:
    if event.kind == "extended":
        given = min(deadlines.extensions_of(dossier), key=lambda one: abs(one.at - event.at), default=None)
        return both("Indienen kan tot en met %(day)s.", day=day(given.submit_before)) if given is not None else None
    return None


def _fee(dossier: Dossier) -> Iterator[Moment]:
    fee = fees.of_dossier(dossier)
    if fee is not None:
        yield fee.at, FEE_WORDS[fee.state], None


def _admitted_at(dossier: Dossier) -> datetime | None:
    snapshot = admission.newest_snapshot(dossier)
    decided = admission.of_snapshot(snapshot) if snapshot is not None else None
    return decided.at if decided is not None else None


def _judged_at(dossier: Dossier) -> datetime | None:
    signed = select(func.max(SignOff.signed_at)).join(Assessment, SignOff.assessment_id == Assessment.id)
    return session.scalar(signed.where(Assessment.dossier_id == dossier.id))


def _within(moment: datetime, days: int) -> date | None:
    """The last day of a term of so many days; ``None`` when the scheme names none."""
    return moment.astimezone(ZONE).date() + timedelta(days=days) if days else None


def _organisation() -> str:
    return installation().settings.organisation


# --- how far the documents are -------------------------------------------------------------------------------------


def assembling(snapshot: Snapshot) -> Mapping[str, Any]:
    """How far: percent, words of the step with how many parts are done, the words to be said aloud, and a note when it
    takes long or failed. ``busy``: somebody works at it, or will at once.
    """
    language, moment = current_language(), now()
    running = snapshot.claimed_until is not None and snapshot.claimed_until > moment
    failed = snapshot.error is not None
    next_try = snapshot.next_attempt_at
    said = _step_words(snapshot)
    if not failed:
        again = None
    elif running or next_try is None or next_try <= moment:
        again = both("Wij proberen het nu opnieuw.")
    else:
        words = clock(next_try) if is_today(next_try) else when(next_try)
        again = (
            both("Wij proberen het vanzelf opnieuw om %(time)s uur.", time=words)
            if is_today(next_try)
            else both("Wij proberen het vanzelf opnieuw, %(time)s.", time=words)
        )
    return {
        "percent": snapshot.percent,
        "words": pick(_part_words(snapshot) or said, language),
        "say": pick(said, language),
        "running": running or not failed,
        "again": pick(again, language),
        "slow": not failed and moment - snapshot.submitted_at > UNUSUAL,
    }


def _step_words(snapshot: Snapshot) -> Text:
    words = {step.name: step.text for step in sealing.STEPS}
    step = words.get(snapshot.step_name)
    return step() if step else both("Uw dossier staat klaar om samengesteld te worden")


def _part_words(snapshot: Snapshot) -> Text | None:
    part = snapshot.step_part
    if part is None:
        return None
    done, total = part
    if snapshot.step_name == "merge":
        return both("Bewijsstukken worden als bijlagen toegevoegd: %(n)s van %(all)s", n=done, all=total)
    return both("Alles wordt gebundeld en nog eens nagelezen: %(n)s van %(all)s MB", n=done, all=total)
