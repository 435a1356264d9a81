"""A candidate's dossiers: the list, starting one, and what there is to do or how far it is."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy import select

from app import permissions
from app.config import Settings
from app.dossiers import completeness, mentors, served, starting, submission
from app.dossiers import contents as dossier_contents
from app.dossiers.completeness import Progress
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier
from app.dossiers.starting import AlreadyStarted
from app.errors import Conflict, InvalidInput, NotFound, Text
from app.extensions import session, transaction
from app.plugin_api import Finding
from app.plugin_loader import Plugin
from app.register import entries, renewals
from app.register.models import RegisterEntry
from app.schemes import loader, question_types, spans, statement_settings
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate, Section
from app.schemes.schemas import Scheme
from app.texts import LANGUAGES, both, both_n, pick
from app.web import completeness as completeness_words
from app.web import forms, registration
from app.web.auth import say
from app.web.candidate import blueprint, course
from app.web.candidate.invitation import statement_card, statement_line
from app.web.candidate.mentor import mentor_card, waiting
from app.web.candidate.newer_forms import former_note, newer_version
from app.web.candidate.stopping import fee_state, findings_of
from app.web.candidate.submitting import document_sets, snapshots_of
from app.web.dates import day, stamp
from app.web.development.into_dossier import after_starting
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
DAYS_TO_WARN = 14


# --- my dossiers ---------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers")
@guard("dossier.list")
def home() -> ResponseReturnValue:
    """All my dossiers; with only one, that is still busy, straight to it."""
    mine = session.scalars(select(Dossier).where(Dossier.owner_id == me().id).order_by(Dossier.id.desc())).all()
    if len(mine) == 1 and mine[0].stage not in starting.FINISHED_STAGES:
        return redirect(url_for("candidate.tasks", reference=mine[0].reference))
    return render_template(
        "candidate/home.html", dossiers=[_line(dossier) for dossier in mine], registered=registration.own(me())
    )


def _line(dossier: Dossier) -> dict[str, Any]:
    language = current_language()
    open_ = dossier.stage in OPEN_STAGES
    steps = {
        "submitted": both("Het secretariaat controleert uw dossier. U hoeft nu niets te doen."),
        "in_assessment": both("De beoordelaars lezen uw dossier. U hoeft nu niets te doen."),
    }
    before = both("Vul uw dossier aan en dien het in, uiterlijk op %(day)s.", day=day(dossier.submit_before))
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
    if not catalogue.versions(chosen["scheme"]):
        raise NotFound(both("Dit schema is er niet. Neem contact op met het secretariaat."))
    try:
        version = starting.version_for(me(), chosen["scheme"], submission.today(), catalogue)
        with transaction():
            scheme = catalogue.schemes[chosen["scheme"], version].template
            entry = renewals.check_start(me(), scheme, chosen["plugins"], submission.today())
            dossier = starting.start(
                me(),
                chosen["scheme"],
                version,
                chosen["plugins"],
                chosen["language"],
                catalogue=catalogue,
                settings=settings,
                submit_by=renewals.submit_by(entry, scheme, starting.term(submission.today(), settings)),
            )
            if entry is not None:
                renewals.prefill(dossier, scheme, entry)
            reference = dossier.reference
    except AlreadyStarted as refusal:
        say("warn", refusal.text)
        return redirect(url_for("candidate.tasks", reference=refusal.reference))
    except NotFound:  # its last day passed while the page was open
        return start_page(chosen["scheme"]), 422
    except (Conflict, InvalidInput) as refusal:
        of_plugins = refusal.details.get("field") == "plugins"
        return start_page(chosen["scheme"], pick(refusal.text, current_language()), of_plugins=of_plugins), 422
    return redirect(after_starting(reference))


def start_page(scheme: str, refusal: str = "", *, of_plugins: bool = False) -> str:
    """What can be started today. With one scheme there is nothing to choose; else its specialisations follow the choice.

    ``of_plugins``: the refusal is about the specialisations.
    """
    catalogue, settings, language = installation().catalogue, installation().settings, current_language()
    offered = _offered()
    known = catalogue.templates(scheme)
    if closed := bool(known) and scheme not in offered:
        refusal = pick(_not_now(known), language)
    chosen = offered.get(scheme) or (next(iter(offered.values())) if len(offered) == 1 and not closed else None)
    plugins = loader.choices(catalogue, chosen.scheme, chosen.version) if chosen else ()
    running = starting.unfinished(me(), chosen.scheme) if chosen else None
    standing = entries.of(me()) if chosen and chosen.holder else ()
    held = registration.held_now(standing) if chosen and not chosen.renewal else {}
    return render_template(
        "candidate/start.html",
        schemes=[
            {
                "value": one.scheme,
                "text": pick(one.title, language),
                "hint": {"text": pick(_in_short(catalogue.schemes[one.scheme, one.version]), language)},
            }
            for one in offered.values()
        ],
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
                "hint": {"html": _about(plugin, language, held.get(plugin.id, ""))},
                "disabled": plugin.id in held,
            }
            for plugin in plugins
        ],
        least=chosen.plugin_choice.get("min", 0) if chosen else 0,
        told=registration.start_words(standing, chosen) if chosen else None,
        plugins_refused=refusal if of_plugins else "",
        picked=request.form.getlist("plugins"),
        submit_by=_submit_by(standing, chosen, settings) if chosen else None,
        running=running,
        errors=[{"text": refusal, "href": "#plugins" if of_plugins else "#main-content"}] if refusal else [],
    )


def _submit_by(standing: Sequence[RegisterEntry], scheme: DossierTemplate, settings: Settings) -> dict[str, Any]:
    """The last day to submit what one starts today, with how many days that leaves and whether the certificate decides it."""
    today, language = submission.today(), current_language()
    entry = renewals.held_of(standing, scheme, today) if scheme.holder else None
    term = starting.term(today, settings)
    last = renewals.submit_by(entry, scheme, term)
    words = both("Dien uw dossier in tot en met %(day)s.", day=day(last))
    if entry is not None and last < term:
        words = (
            both("Dien uw dossier in tot en met %(day)s. Dat is de laatste dag van uw certificaat.", day=day(last))
            if last == entry.valid_until
            else both(
                "Dien uw dossier in tot en met %(day)s. Uw certificaat loopt tot en met %(until)s.",
                day=day(last),
                until=day(entry.valid_until),
            )
        )
    left = (last - today).days
    title = both_n("%(n)s dag de tijd", "%(n)s dagen de tijd", left) if left else both("Vandaag is de laatste dag")
    return {"title": pick(title, language), "words": pick(words, language)}


def _not_now(versions: Sequence[DossierTemplate]) -> Text:
    """Why a scheme cannot be begun today, and when it can, as far as that is known."""
    today, title = submission.today().isoformat(), max(versions, key=lambda one: one.effective_from).title
    if coming := sorted(one.effective_from for one in versions if one.effective_from > today):
        return both("“%(title)s” kunt u beginnen vanaf %(day)s.", title=title, day=day(date.fromisoformat(coming[0])))
    return both("“%(title)s” kunt u op dit moment niet beginnen. Vraag het secretariaat wanneer het weer kan.", title=title)


def _in_short(scheme: Scheme) -> Text:
    """What sets a scheme apart for whoever has to choose one."""
    hours = scheme.template.hours_expected
    if scheme.route == "both":
        return both(
            "Ongeveer %(hours)s uur werk. Uw dossier wordt schriftelijk beoordeeld; over een specialisatie die u erbij kiest, "
            "komt een mondelinge toetsing.",
            hours=hours,
        )
    if scheme.route == "written":
        return both("Ongeveer %(hours)s uur werk. Uw dossier wordt schriftelijk beoordeeld.", hours=hours)
    return both("Ongeveer %(hours)s uur werk. Met een mondelinge toetsing over uw dossier.", hours=hours)


def _about(plugin: Plugin, language: str, held_until: str = "") -> Markup:
    """What a plugin is and, on a line of its own, what one needs before choosing it; or that one has it already."""
    if held_until:
        return escape(both("U hebt deze specialisatie al, tot en met %(until)s.", until=held_until)[language])
    told = plugin.manifest.data if plugin.manifest else {}
    return Markup("<br>").join(pick(told.get(key), language) for key in ("description", "entry") if told.get(key))


def _offered() -> dict[str, DossierTemplate]:
    """The schemes in effect today, each in the version that applies to this person, by id."""
    catalogue = installation().catalogue
    offered = {}
    for scheme in sorted({scheme for scheme, _ in catalogue.schemes}):
        try:
            version = starting.version_for(me(), scheme, submission.today(), catalogue)
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
    remarks = waiting(mentors.comments_of(dossier))
    return render_template(
        "candidate/tasks.html",
        dossier=dossier,
        title=pick(contents.template.title, language),
        parts=[SEGMENTS[one.status] for one in progress],
        done=done,
        count=len(progress),
        groups=task_groups(contents, progress, remarks),
        last=last_group(contents, findings),
        deadline=deadline(dossier, contents.template),
        supervisors=[
            {"section": section.id, "title": pick(question.label, language), **statement_card(contents, section.id, question)}
            for section, question in contents.shown()
            if question.type == "statement"
        ],
        mentor=mentor_card(dossier, mentors.open_one(dossier)),
        remarks=sum(remarks.values()),
        saved_at=stamp(max(saved)) if saved else "",
        notes=[pick(one.text, language) for one in findings if one.section not in known],
        version=contents.template.version,
        newer=newer_version(contents.template),
        former=former_note(contents),
        evidence_count=len(contents.evidence),
        returned=findings_of(dossier),
        timeline=course.timeline(dossier) if dossier.stage == "returned" else [],
    )


def task_groups(contents: Contents, progress: Sequence[Progress], remarks: Mapping[str, int]) -> list[dict[str, Any]]:
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
                    "tasks": [_task(contents, one, remarks.get(one.section.id, 0)) for one in members],
                }
            )
    return groups


def _task(contents: Contents, progress: Progress, remarks: int) -> dict[str, Any]:
    section, hint = progress.section, _hint(contents, progress)
    if remarks:
        words = both_n("%(n)s opmerking van uw mentor", "%(n)s opmerkingen van uw mentor", remarks)
        hint = " · ".join(filter(None, [hint, words[current_language()]]))
    return {
        "title": pick(section.title, current_language()),
        "href": url_for("section.show", reference=contents.dossier.reference, section_id=section.id),
        "hint": hint,
        "status": "finished" if progress.status == "done" else progress.status,
        "status_text": _waits_for(contents, section) if progress.status == "waiting" else "",
    }


def _waits_for(contents: Contents, section: Section) -> str:
    """Whose statements are waited for, where that is not the supervisor."""
    asked = [statement_settings.of(one) for one in contents.visible[section.id] if one.type == "statement"]
    if not any(one.kind == "client" for one in asked):
        return ""
    return both("Wacht op verklaringen")[current_language()]


def _hint(contents: Contents, progress: Progress) -> str:
    """What is in it: ``438 woorden · 3 bewijsstukken``, ``46 van 75 punten``; of an area also what is needed; what is wrong,
    when something is.
    """
    language, section = current_language(), progress.section
    if progress.status == "problem":
        return forms.named(section, progress.findings[0], language, contents.answers.get(section.id))
    if section.is_area:
        return completeness_words.line(served.measure(contents, section, installation().catalogue.types, progress.findings))
    parts: list[str] = []
    if progress.words:
        parts.append(both_n("%(n)s woord", "%(n)s woorden", progress.words)[language])
    for question in contents.visible[section.id]:
        if question.type == "table" and contents.answer(section.id, question.id):
            parts += _table_hints(contents.answer(section.id, question.id), contents.settings(question, submission.today()))
        if question.type == "statement" and statement_settings.of(question).anonymous:
            parts.append(statement_card(contents, section.id, question)["state"])
        elif question.type == "statement":
            parts += [statement_line(one) for one in contents.asked(section.id, question) if one is not None]
    if progress.evidence:
        parts.append(both_n("%(n)s bewijsstuk", "%(n)s bewijsstukken", progress.evidence)[language])
    return " · ".join(parts)


def _table_hints(rows: Sequence[Any], settings: Mapping[str, Any]) -> list[str]:
    language = current_language()
    hints = []
    for total in question_types.totals(rows, settings):
        amount = question_types.shown_total(total, language)
        if total.min is None:
            hints.append(amount)
        else:
            least = question_types.shown_number(total.min, language)
            counted = question_types.shown_number(total.counted, language)
            unit = pick(total.unit, language)
            text = both("%(counted)s van %(least)s %(unit)s", counted=counted, least=least, unit=unit)
            hints.append(text[language].strip())
    if span := question_types.span(rows, settings):
        hints.append(question_types.length_text(spans.length(span.stretches))[language])
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
        "hours": both("Reken in totaal op ongeveer %(n)s uur werk.", n=template.hours_expected)[language],
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
        timeline=course.timeline(dossier),
        sets=document_sets(dossier, snapshots),
        fee=fee_state(dossier),
        may_withdraw=permissions.may(me(), "dossier.withdraw", dossier),
    )
