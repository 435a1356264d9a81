"""A candidate's dossiers: the list, starting one, and what there is to do or how far it is."""

from collections.abc import Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy import select

from app.dossiers import completeness, log, starting, submission
from app.dossiers import contents as dossier_contents
from app.dossiers.completeness import Progress
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Snapshot
from app.dossiers.starting import AlreadyStarted
from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import session, transaction
from app.plugin_api import Finding
from app.plugin_loader import Plugin
from app.schemes import loader, question_types
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate, Question
from app.texts import LANGUAGES, both, both_n, pick
from app.web.auth import say
from app.web.candidate import blueprint
from app.web.candidate.invitation import statement_card, statement_line
from app.web.candidate.submitting import document_sets, snapshots_of
from app.web.dates import day, stamp
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me

SEGMENTS = {"done": "done", "busy": "busy", "todo": "open", "waiting": "busy", "problem": "busy"}
STAGE_WORDS = {
    "draft": both("In bewerking"),
    "returned": both("Teruggestuurd om aan te vullen"),
    "submitted": both("Ingediend"),
    "in_assessment": both("In beoordeling"),
    "decided": both("Besluit genomen"),
    "withdrawn": both("Ingetrokken"),
}
EVENT_WORDS = {
    "created": both("Dossier begonnen"),
    "statement_signed": both("Verklaring van de supervisor ondertekend"),
    "statement_declined": both("Verklaring van de supervisor geweigerd"),
    "submitted": both("Ingediend"),
    "sealed": both("Documenten gemaakt en verzegeld"),
    "handed_over": both("Overgedragen aan de beoordelaars"),
    "assigned": both("Beoordelaar toegewezen"),
    "decided": both("Besluit genomen"),
    "returned": both("Teruggestuurd om aan te vullen"),
    "withdrawn": both("Ingetrokken"),
}
DAYS_TO_WARN = 14


# --- my dossiers ---------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers")
@guard("dossier.list")
def home() -> ResponseReturnValue:
    """All my dossiers; with only one, that is still busy, straight to it."""
    mine = session.scalars(select(Dossier).where(Dossier.owner_id == me().id).order_by(Dossier.id.desc())).all()
    if len(mine) == 1 and mine[0].stage not in starting.FINISHED_STAGES:
        return redirect(url_for("candidate.tasks", reference=mine[0].reference))
    return render_template("candidate/home.html", dossiers=[_line(dossier) for dossier in mine])


def _line(dossier: Dossier) -> dict[str, Any]:
    language = current_language()
    open_ = dossier.stage in OPEN_STAGES
    steps = {
        "submitted": both("Wij stellen uw documenten samen."),
        "in_assessment": both("De beoordelaars lezen uw dossier. U hoeft nu niets te doen."),
    }
    before = both("Vul uw dossier aan en dien het in vóór %(day)s.", day=day(dossier.submit_before))
    return {
        "reference": dossier.reference,
        "title": pick(_template(dossier).title, language),
        "stage": pick(STAGE_WORDS[dossier.stage], language),
        "kind": "blue" if open_ else "",
        "next": pick(before if open_ else steps.get(dossier.stage), language),
    }


def _template(dossier: Dossier) -> DossierTemplate:
    return stored_templates.get(dossier.template_sha256)


# --- starting ------------------------------------------------------------------------------------------------------


class StartForm(Schema):
    class Meta:
        unknown = RAISE

    scheme = fields.String(required=True)
    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))
    plugins = fields.List(fields.String(), load_default=list)


@blueprint.route("/dossiers/nieuw", methods=["GET", "POST"])
@guard("dossier.start")
def start() -> ResponseReturnValue:
    if request.method != "POST":
        return start_page(request.args.get("schema", ""))
    try:
        chosen = StartForm().load(
            {
                "scheme": request.form.get("scheme", ""),
                "language": request.form.get("language", ""),
                "plugins": request.form.getlist("plugins"),
            }
            | {name: "" for name in request.form if name not in ("scheme", "language", "plugins", "csrf_token")}
        )
    except ValidationError:
        words = pick(both("Kies een soort dossier en de taal waarin u schrijft."), current_language())
        return start_page(request.form.get("scheme", ""), words), 422
    catalogue, settings = installation().catalogue, installation().settings
    version = loader.current(catalogue, chosen["scheme"], submission.today())
    try:
        with transaction():
            dossier = starting.start(
                me(),
                chosen["scheme"],
                version,
                chosen["plugins"],
                chosen["language"],
                catalogue=catalogue,
                settings=settings,
            )
            reference = dossier.reference
    except AlreadyStarted as refusal:
        say("warn", refusal.text)
        return redirect(url_for("candidate.tasks", reference=refusal.reference))
    except (Conflict, InvalidInput) as refusal:
        return start_page(chosen["scheme"], pick(refusal.text, current_language())), 422
    return redirect(url_for("candidate.tasks", reference=reference))


def start_page(scheme: str, refusal: str = "") -> str:
    """What can be started today. With one scheme there is nothing to choose; else its specialisations follow the choice."""
    catalogue, settings, language = installation().catalogue, installation().settings, current_language()
    offered = _offered()
    chosen = offered.get(scheme) or (next(iter(offered.values())) if len(offered) == 1 else None)
    plugins = loader.choices(catalogue, chosen.scheme, chosen.version) if chosen else ()
    running = starting.unfinished(me(), chosen.scheme) if chosen else None
    return render_template(
        "candidate/start.html",
        schemes=[{"value": one.scheme, "text": pick(one.title, language)} for one in offered.values()],
        chosen={
            "id": chosen.scheme,
            "title": pick(chosen.title, language),
            "introduction": pick(chosen.introduction, language),
            "hours": chosen.hours_expected,
            "sections": len(chosen.sections),
        }
        if chosen
        else None,
        plugins=[
            {
                "value": plugin.id,
                "text": pick(plugin.title, language),
                "hint": {"text": _about(plugin, language)},
            }
            for plugin in plugins
        ],
        picked=request.form.getlist("plugins"),
        days=settings.submission_days,
        running=running,
        errors=[{"text": refusal, "href": "#main-content"}] if refusal else [],
    )


def _about(plugin: Plugin, language: str) -> str:
    """What a plugin is, and what one needs before choosing it."""
    told = plugin.manifest.data if plugin.manifest else {}
    return " ".join(pick(told.get(key), language) for key in ("description", "entry") if told.get(key))


def _offered() -> dict[str, DossierTemplate]:
    """The schemes in effect today, each in its current version, by id."""
    catalogue = installation().catalogue
    offered = {}
    for scheme in sorted({scheme for scheme, _ in catalogue.schemes}):
        try:
            version = loader.current(catalogue, scheme, submission.today())
        except NotFound:
            continue
        offered[scheme] = catalogue.schemes[scheme, version].template
    return offered


# --- the task list -------------------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>")
@guard("dossier.read", dossier_of)
def tasks(dossier: Dossier) -> ResponseReturnValue:
    """While it is open: everything there is to do. Afterwards: how far the dossier is."""
    if dossier.stage not in OPEN_STAGES:
        return status_page(dossier)
    contents, language = dossier_contents.read(dossier), current_language()
    findings = completeness.check(contents, installation().catalogue, submission.today())
    progress = completeness.progress(contents, findings)
    done = sum(one.status == "done" for one in progress)
    saved = [contents.saved_at[section] for section, version in contents.versions.items() if version]
    known = {section.id for section in contents.template.sections}
    return render_template(
        "candidate/tasks.html",
        dossier=dossier,
        title=pick(contents.template.title, language),
        parts=[SEGMENTS[one.status] for one in progress],
        done=done,
        count=len(progress),
        groups=task_groups(contents, progress),
        last=last_group(contents, findings),
        deadline=deadline(dossier, contents.template),
        supervisors=[
            {"section": section.id, "title": pick(question.label, language), **statement_card(contents, section.id, question)}
            for section, question in contents.shown()
            if question.type == "statement"
        ],
        saved_at=stamp(max(saved)) if saved else "",
        notes=[pick(one.text, language) for one in findings if one.section not in known],
        evidence_count=len(contents.evidence),
    )


def task_groups(contents: Contents, progress: Sequence[Progress]) -> list[dict[str, Any]]:
    language = current_language()
    groups = []
    for group in contents.template.groups:
        members = [one for one in progress if one.section.group == group.id]
        if members:
            done = sum(one.status == "done" for one in members)
            groups.append(
                {
                    "id": group.id,
                    "title": pick(group.title, language),
                    "aside": both("%(done)s van %(all)s", done=done, all=len(members))[language],
                    "tasks": [_task(contents, one) for one in members],
                }
            )
    return groups


def _task(contents: Contents, progress: Progress) -> dict[str, Any]:
    section = progress.section
    return {
        "title": pick(section.title, current_language()),
        "href": url_for("section.show", reference=contents.dossier.reference, section_id=section.id),
        "hint": _hint(contents, progress),
        "status": "finished" if progress.status == "done" else progress.status,
    }


def _hint(contents: Contents, progress: Progress) -> str:
    """What is in it: ``438 woorden · 3 bewijsstukken``, ``46 van 75 punten``; what is wrong, when something is."""
    language, section = current_language(), progress.section
    if progress.status == "problem":
        return pick(progress.findings[0].text, language)
    parts: list[str] = []
    if progress.words:
        parts.append(both_n("%(n)s woord", "%(n)s woorden", progress.words)[language])
    for question in contents.visible[section.id]:
        if question.type == "table" and contents.answer(section.id, question.id):
            parts += _table_hints(contents.answer(section.id, question.id), question)
        if question.type == "statement" and (statement := contents.statement(section.id, question.id)):
            parts.append(statement_line(statement))
    if progress.evidence:
        parts.append(both_n("%(n)s bewijsstuk", "%(n)s bewijsstukken", progress.evidence)[language])
    return " · ".join(parts)


def _table_hints(rows: Sequence[Any], question: Question) -> list[str]:
    language = current_language()
    hints = []
    for total in question_types.totals(rows, question.settings):
        amount = question_types.shown_total(total, language)
        if total.min is None:
            hints.append(amount)
        else:
            least = question_types.shown_number(total.min, language)
            counted = question_types.shown_number(total.counted, language)
            unit = pick(total.unit, language)
            text = both("%(counted)s van %(least)s %(unit)s", counted=counted, least=least, unit=unit)
            hints.append(text[language].strip())
    return [*hints, both_n("%(n)s regel", "%(n)s regels", len(rows))[language]]


def last_group(contents: Contents, findings: Sequence[Finding]) -> dict[str, Any]:
    """Checking and submitting: possible once there is something to check, and once nothing lacks."""
    language, reference = current_language(), contents.dossier.reference
    begun = any(contents.versions.values())
    check: dict[str, Any] = {"title": both("Uw antwoorden controleren")[language], "status": "locked"}
    submit: dict[str, Any] = {"title": both("Dossier indienen")[language], "status": "locked"}
    if begun:
        check |= {"href": url_for("candidate.check", reference=reference), "status": "finished" if not findings else "busy"}
        if findings:
            check["hint"] = both_n("Er is nog %(n)s punt open", "Er zijn nog %(n)s punten open", len(findings))[language]
            check["status_text"] = both("Nog niet compleet")[language]
        else:
            check["status_text"] = both("Compleet")[language]
    if not findings:
        submit |= {"href": url_for("candidate.submit", reference=reference), "status": "todo"}
        submit["status_text"] = both("Klaar om in te dienen")[language]
    return {
        "id": "submit-group",
        "title": both("Indienen")[language],
        "aside": both("%(done)s van %(all)s", done=int(not findings), all=2)[language],
        "tasks": [check, submit],
    }


def deadline(dossier: Dossier, template: DossierTemplate) -> dict[str, Any]:
    left = (dossier.submit_before - submission.today()).days
    language = current_language()
    if left < 0:
        words = both("Deze datum is voorbij. Neem contact op met het secretariaat.")
    elif left == 0:
        words = both("Dat is vandaag.")
    else:
        words = both_n("Nog %(n)s dag.", "Nog %(n)s dagen.", left)
    return {
        "day": day(dossier.submit_before),
        "words": pick(words, language),
        "hours": both("Reken op ongeveer %(n)s uur werk, verdeeld over enkele weken.", n=template.hours_expected)[language],
        "kind": "error" if left < 0 else "warn" if left <= DAYS_TO_WARN else "",
    }


def status_page(dossier: Dossier) -> str:
    """After submitting: the timeline, and the documents once they are there."""
    snapshots = snapshots_of(dossier)
    return render_template(
        "candidate/status.html",
        dossier=dossier,
        title=pick(_template(dossier).title, current_language()),
        stage=pick(STAGE_WORDS[dossier.stage], current_language()),
        timeline=timeline(dossier, snapshots[0][0] if snapshots else None),
        sets=document_sets(dossier, snapshots),
    )


def timeline(dossier: Dossier, newest: Snapshot | None) -> list[dict[str, str]]:
    """What happened, and what happens now."""
    language = current_language()
    items = [
        {"title": pick(EVENT_WORDS[event.kind], language), "time": stamp(event.at), "text": "", "state": "done"}
        for event in log.timeline(dossier)
        if event.kind in EVENT_WORDS
    ]
    if newest is not None and newest.stage != "handed_over":
        words = both("Wij maken uw documenten en dragen ze over aan de beoordelaars")
        items.append({"title": words[language], "time": "", "text": "", "state": "now"})
    elif dossier.stage == "submitted":
        words = both("Het secretariaat wijst beoordelaars toe")
        items.append({"title": words[language], "time": "", "text": "", "state": "now"})
    elif dossier.stage == "in_assessment":
        words = both("Beoordelaars lezen uw dossier, los van elkaar")
        items.append({"title": words[language], "time": "", "text": "", "state": "now"})
    if dossier.stage in ("submitted", "in_assessment"):
        items.append({"title": both("Besluit")[language], "time": "", "text": "", "state": ""})
    return items
