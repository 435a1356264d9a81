"""A candidate's dossiers: the list, starting one, its task list, the supervisor, checking, submitting and what follows."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy import select

from app import audit, mail
from app.accounts import registration
from app.documents import sealing
from app.documents.models import Bundle
from app.dossiers import completeness, log, starting, statements, submission
from app.dossiers import contents as dossier_contents
from app.dossiers.completeness import Progress
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Snapshot, Statement
from app.dossiers.starting import AlreadyStarted
from app.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound
from app.extensions import now, session, transaction
from app.files import store
from app.plugin_api import Finding
from app.schemes import loader, question_types
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate, Question, Section
from app.texts import LANGUAGES, both, both_n, pick
from app.web import forms
from app.web.auth import Form, Refusal, Typed, read, say
from app.web.dates import day, when
from app.web.errors import refused
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import caller, dossier_of, form_lists, installation, me, ring, ring_due

blueprint = Blueprint("candidate", __name__)

STATUSES = {"done": "finished", "busy": "busy", "todo": "todo", "waiting": "waiting", "problem": "problem"}
SEGMENTS = {"done": "done", "busy": "busy", "todo": "open", "waiting": "busy", "problem": "busy"}
STAGE_WORDS = {
    "draft": both("In bewerking"),
    "returned": both("Terug om aan te vullen"),
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
DOCUMENTS = {
    "pdf": ("pdf_sha256", "application/pdf"),
    "docx": ("docx_sha256", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "zip": ("zip_sha256", "application/zip"),
}
SANDBOX = "sandbox; default-src 'none'"
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
    if request.method == "GET":
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
                "hint": {"text": pick(plugin.manifest.data.get("description"), language) if plugin.manifest else ""},
            }
            for plugin in plugins
        ],
        picked=request.form.getlist("plugins"),
        days=settings.submission_days,
        running=running,
        errors=[{"text": refusal, "href": "#main-content"}] if refusal else [],
    )


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
        saved_at=when(max(saved)) if saved else "",
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
        "status": STATUSES[progress.status],
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
            parts.append(_statement_line(statement))
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
    snapshots = _snapshots(dossier)
    return render_template(
        "candidate/status.html",
        dossier=dossier,
        title=pick(_template(dossier).title, current_language()),
        stage=pick(STAGE_WORDS[dossier.stage], current_language()),
        timeline=timeline(dossier, snapshots[0][0] if snapshots else None),
        sets=_document_sets(dossier, snapshots),
    )


def timeline(dossier: Dossier, newest: Snapshot | None) -> list[dict[str, str]]:
    """What happened, and what happens now."""
    language = current_language()
    items = [
        {"title": pick(EVENT_WORDS[event.kind], language), "time": when(event.at), "text": "", "state": "done"}
        for event in log.timeline(dossier)
        if event.kind in EVENT_WORDS
    ]
    if newest is not None and newest.stage != "handed_over":
        words = both("Wij maken uw documenten en dragen ze over aan de beoordelaars")
        items.append({"title": words[language], "time": "", "text": "", "state": "now"})
    elif dossier.stage in ("submitted", "in_assessment"):
        words = both("Beoordelaars lezen uw dossier, los van elkaar")
        items.append({"title": words[language], "time": "", "text": "", "state": "now"})
    if dossier.stage in ("submitted", "in_assessment"):
        items.append({"title": both("Besluit")[language], "time": "", "text": "", "state": ""})
    return items


# --- the supervisor ------------------------------------------------------------------------------------------------


def _known_language(text: str) -> str:
    if text not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal uw supervisor de mail krijgt."))
    return text


class InvitationForm(Form):
    name = Typed(registration.person_name)
    email = Typed(mail.address)
    language = Typed(_known_language)


def statement_of(reference: str, statement_id: int) -> Statement:
    """A statement of the dossier that an address names."""
    found = session.scalar(
        select(Statement)
        .join(Dossier, Statement.dossier_id == Dossier.id)
        .where(Statement.id == statement_id, Dossier.reference == reference)
    )
    if found is None:
        raise NotFound(both("Deze pagina bestaat niet, of u mag hem niet zien."))
    return found


@blueprint.get("/dossier/<reference>/verklaring/<section_id>/<question_id>")
@guard("dossier.read", dossier_of)
def supervisor(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    return supervisor_page(dossier, section_id, question_id)


@blueprint.post("/dossier/<reference>/verklaring/<section_id>/<question_id>")
@guard("dossier.edit", dossier_of)
def invite(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """Mails the supervisor a link. A second click shows that the invitation is there."""
    try:
        typed = read(InvitationForm())
        with transaction():
            statement = statements.invite(
                dossier_contents.read(dossier), section_id, question_id, **typed, settings=installation().settings
            )
            audit.write("statement.invited", actor=me(), thing=statement)
    except Refusal as refusal:
        return supervisor_page(dossier, section_id, question_id, refusal.words), 422
    except InvalidInput as refusal:
        words = {"email": pick(refusal.text, current_language())}
        return supervisor_page(dossier, section_id, question_id, words), 422
    except Conflict as conflict:
        say("warn", conflict.text)
    else:
        ring_due("mail")
        say("ok", both("De uitnodiging voor %(name)s is verstuurd.", name=typed["name"]))
    return redirect(url_for("candidate.supervisor", reference=dossier.reference, section_id=section_id, question_id=question_id))


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/herinneren")
@guard("statement.manage", statement_of)
def remind(statement: Statement) -> ResponseReturnValue:
    address = _address(statement)
    try:
        with transaction():
            statements.remind(statement, installation().settings)
            audit.write("statement.reminded", actor=me(), thing=statement)
            name = statement.name
    except DomainError as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("%(name)s krijgt een herinnering met een nieuwe link.", name=name))
    return redirect(url_for("candidate.supervisor", **address))


@blueprint.get("/dossier/<reference>/verklaringen/<int:statement_id>/intrekken")
@guard("statement.manage", statement_of)
def ask_revoke(statement: Statement) -> ResponseReturnValue:
    return render_template("candidate/revoke.html", dossier=statement.dossier, statement=statement, address=_address(statement))


@blueprint.post("/dossier/<reference>/verklaringen/<int:statement_id>/intrekken")
@guard("statement.manage", statement_of)
def revoke(statement: Statement) -> ResponseReturnValue:
    address = _address(statement)
    try:
        with transaction():
            statements.revoke(statement)
            audit.write("statement.revoked", actor=me(), thing=statement)
            name = statement.name
    except Conflict as conflict:
        say("warn", conflict.text)
    else:
        say("ok", both("De uitnodiging van %(name)s is ingetrokken. De link werkt niet meer.", name=name))
    return redirect(url_for("candidate.supervisor", **address))


def supervisor_page(dossier: Dossier, section_id: str, question_id: str, wrong: Mapping[str, str] | None = None) -> str:
    """Inviting, or how it stands with the one who was invited; his words, once he signed."""
    section, question = statements.statement_question(dossier, section_id, question_id)
    contents, language = dossier_contents.read(dossier), current_language()
    statement = contents.statement(section_id, question_id)
    reads = [one for one in contents.template.sections if one.id in question.settings.get("reads", ())]
    return render_template(
        "candidate/supervisor.html",
        dossier=dossier,
        section=section,
        section_title=pick(section.title, language),
        title=pick(question.label, language),
        hint=pick(question.hint, language),
        role=pick(question.settings.get("role"), language),
        reads=[pick(one.title, language) for one in reads],
        statement=statement,
        card=statement_card(contents, section_id, question),
        may_invite=dossier.stage in OPEN_STAGES and (statement is None or statement.stage == "declined"),
        open=dossier.stage in OPEN_STAGES,
        given=_given(statement, question) if statement and statement.stage == "signed" else [],
        days=installation().settings.invitation_days,
        typed=request.form,
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def statement_card(contents: Contents, section_id: str, question: Question) -> dict[str, Any]:
    """How a statement stands: {state, kind, finished, lines, href, action}, and ``remind`` where a reminder makes sense."""
    language = current_language()
    statement = contents.statement(section_id, question.id)
    address: dict[str, Any] = {
        "reference": contents.dossier.reference,
        "section_id": section_id,
        "question_id": question.id,
    }
    card: dict[str, Any] = {"finished": False, "kind": "", "href": url_for("candidate.supervisor", **address), "remind": ""}
    if statement is None:
        state, lines = (
            both("Nog niemand uitgenodigd"),
            [both("Uw supervisor krijgt een mail met een link en heeft geen account nodig.")],
        )
        return card | _words(state, lines, both("Nodig uw supervisor uit"), language)
    lines = [both("%(name)s (%(email)s)", name=statement.name, email=statement.email)]
    action = both("Bekijk de uitnodiging")
    if statement.stage == "signed":
        state, action = both("Ondertekend"), both("Bekijk de verklaring")
        lines.append(both("Ondertekend op %(day)s.", day=day(statement.signed_at or statement.invited_at)))
        if statements.is_stale(statement, contents):
            state, card["kind"] = both("Niet meer geldig"), "red"
            lines.append(both("Daarna hebt u gewijzigd wat uw supervisor las. Trek de verklaring in en vraag een nieuwe."))
        else:
            card["finished"] = True
    elif statement.stage == "declined":
        state, card["kind"], action = both("Geeft geen verklaring"), "red", both("Nodig iemand anders uit")
        if statement.declined_reason:
            lines.append(both("Toelichting: %(reason)s", reason=statement.declined_reason))
    else:
        state, card["kind"] = both("Wacht op supervisor"), "yellow"
        lines.append(both("Uitgenodigd op %(day)s.", day=day(statement.invited_at)))
        if statement.token_expires_at < now():
            lines.append(both("De link is verlopen. Stuur een herinnering met een nieuwe link."))
        else:
            lines.append(both("De link werkt tot en met %(day)s.", day=day(statement.token_expires_at)))
        card["remind"] = url_for("candidate.remind", reference=contents.dossier.reference, statement_id=statement.id)
    return card | _words(state, lines, action, language)


def _words(
    state: Mapping[str, str], lines: Sequence[Mapping[str, str]], action: Mapping[str, str], language: str
) -> dict[str, Any]:
    return {"state": state[language], "lines": [line[language] for line in lines], "action": action[language]}


def _statement_line(statement: Statement) -> str:
    words = {
        "invited": both("Uitnodiging verstuurd op %(day)s", day=day(statement.invited_at)),
        "signed": both("Ondertekend op %(day)s", day=day(statement.signed_at or statement.invited_at)),
        "declined": both("%(name)s geeft geen verklaring", name=statement.name),
    }
    return pick(words.get(statement.stage), current_language())


def _given(statement: Statement, question: Question) -> list[dict[str, Any]]:
    """What the supervisor answered, for reading."""
    asked = [question_types.question(one) for one in question.settings["questions"]]
    language = current_language()
    return [
        {"key": pick(one.label, language), "value": forms.render_answer(one, statement.data.get(one.id), language)}
        for one in asked
    ]


def _address(statement: Statement) -> dict[str, Any]:
    return {
        "reference": statement.dossier.reference,
        "section_id": statement.section_id,
        "question_id": statement.question_id,
    }


# --- checking and submitting ---------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/controleren")
@guard("dossier.read", dossier_of)
def check(dossier: Dossier) -> ResponseReturnValue:
    if dossier.stage not in OPEN_STAGES:
        return redirect(url_for("candidate.tasks", reference=dossier.reference))
    contents, language = dossier_contents.read(dossier), current_language()
    findings = completeness.check(contents, installation().catalogue, submission.today())
    progress = {one.section.id: one for one in completeness.progress(contents, findings)}
    types = question_types.types(installation().catalogue.plugins_of(contents.template))
    sections = []
    for section in contents.template.sections:
        own = progress[section.id].findings
        sections.append(
            {
                "id": section.id,
                "title": pick(section.title, language),
                "finished": progress[section.id].status == "done",
                "rows": [_row(contents, section, question, types, own) for question in contents.visible[section.id]],
                "findings": [_finding(contents, one) for one in own],
            }
        )
    return render_template(
        "candidate/check.html",
        dossier=dossier,
        sections=sections,
        others=[pick(one.text, language) for one in findings if one.section not in progress],
        count=len(findings),
    )


def _row(
    contents: Contents, section: Section, question: Question, types: question_types.Types, findings: Sequence[Finding]
) -> dict[str, Any]:
    """One line of the summary; what lacks stands with it."""
    language = current_language()
    answer = contents.answer(section.id, question.id)
    href = url_for("section.show", reference=contents.dossier.reference, section_id=section.id, controle=1)
    key = pick(question.label, language)
    lacking = [pick(one.text, language) for one in findings if one.question == question.id]
    value: Markup | str
    if question.type == "evidence":
        names = [contents.evidence[one].name for one in answer or [] if one in contents.evidence]
        value = ", ".join(names)
    elif question.type == "statement":
        card = statement_card(contents, section.id, question)
        value, href = " · ".join([card["state"], *card["lines"][:1]]), card["href"]
    elif question.type not in types or types[question.type].is_empty(answer):
        value = ""
    else:
        value = types[question.type].summary(answer, question.settings, language)
        if question.type == "long_text":
            words = both_n("%(n)s woord", "%(n)s woorden", question_types.count_words(answer))[language]
            key = f"{key} ({words})"
    return {
        "key": key,
        "value": value,
        "lacking": lacking,
        "href": href if question.type == "statement" else f"{href}#{forms.element_id(question.id)}",
        "about": pick(question.label, language),
    }


def _finding(contents: Contents, finding: Finding) -> dict[str, str]:
    address = url_for("section.show", reference=contents.dossier.reference, section_id=finding.section, controle=1)
    anchor = forms.element_id(finding.question) if finding.question else "main-content"
    return {"text": pick(finding.text, current_language()), "href": f"{address}#{anchor}"}


class SubmitForm(Schema):
    class Meta:
        unknown = RAISE

    name = fields.String(required=True, validate=validate.Length(max=1000))
    declarations = fields.List(fields.String(validate=validate.Length(max=100)), load_default=list)


@blueprint.get("/dossier/<reference>/indienen")
@guard("dossier.submit", dossier_of)
def submit(dossier: Dossier) -> ResponseReturnValue:
    contents = dossier_contents.read(dossier)
    if completeness.check(contents, installation().catalogue, submission.today()):
        say("warn", both("U kunt nog niet indienen. Op deze pagina staat wat er nog nodig is."))
        return redirect(url_for("candidate.check", reference=dossier.reference))
    return submit_page(contents)


@blueprint.post("/dossier/<reference>/indienen")
@guard("dossier.submit", dossier_of)
def send(dossier: Dossier) -> ResponseReturnValue:
    """Submits, once."""
    settings = installation().settings
    receipt_page = redirect(url_for("candidate.receipt", reference=dossier.reference))
    consent = read_consent()
    try:
        with transaction():
            contents = dossier_contents.read(dossier)
            snapshot = submission.submit(
                contents,
                consent,
                catalogue=installation().catalogue,
                house_style_sha256=sealing.house_style_sha256(),
                settings=settings,
            )
            audit.write("dossier.submitted", actor=me(), thing=dossier, revision=snapshot.revision)
            snapshot_id = snapshot.id
    except submission.NotReady as refusal:
        say("warn", refusal.text)
        return redirect(url_for("candidate.check", reference=dossier.reference))
    except Conflict:
        return receipt_page
    except InvalidInput as refusal:
        error = {"text": pick(refusal.text, current_language()), "href": f"#{refusal.details.get('field', 'name')}"}
        return submit_page(dossier_contents.read(dossier), [error]), 422
    ring("snapshot", snapshot_id)
    ring_due("mail")
    return receipt_page


@blueprint.errorhandler(Forbidden)
def submitted_already(error: Forbidden) -> ResponseReturnValue:
    """The second click of two, or an old page for submitting, leads to the receipt."""
    if request.endpoint in ("candidate.submit", "candidate.send"):
        return redirect(url_for("candidate.receipt", **(request.view_args or {})))
    return refused(error)


def read_consent() -> submission.Consent:
    form = form_lists()
    sent = {"name": request.form.get("name", ""), "declarations": list(form.get("declarations", ()))}
    sent |= {name: "" for name in form if name not in ("name", "declarations", "csrf_token")}
    try:
        typed = SubmitForm().load(sent)
    except ValidationError:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw.")) from None
    return submission.Consent(name=typed["name"], declarations=frozenset(typed["declarations"]), **caller())


def submit_page(contents: Contents, errors: Sequence[Mapping[str, str]] = ()) -> str:
    language = current_language()
    return render_template(
        "candidate/submit.html",
        dossier=contents.dossier,
        title=pick(contents.template.title, language),
        declarations=[{"value": one.id, "text": pick(one.text, language)} for one in contents.template.declarations],
        agreed=request.form.getlist("declarations"),
        name=request.form.get("name", ""),
        wrong={error["href"].removeprefix("#"): error["text"] for error in errors},
        today=day(submission.today()),
        errors=list(errors),
    )


# --- the receipt and the documents ---------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/ontvangst")
@guard("dossier.receipt", dossier_of)
def receipt(dossier: Dossier) -> ResponseReturnValue:
    """That it arrived, what happens next, and how far assembling is; the page's script refreshes that part from here."""
    snapshots = _snapshots(dossier)
    if not snapshots:
        raise NotFound(both("Van dit dossier is er geen ontvangstbewijs."))
    snapshot, bundle = snapshots[0]
    language = current_language()
    return render_template(
        "candidate/receipt.html",
        dossier=dossier,
        snapshot=snapshot,
        submitted=when(snapshot.submitted_at),
        busy=bundle is None,
        failed=bundle is None and snapshot.error is not None,
        percent=snapshot.percent,
        words=pick(_step_words(snapshot), language),
        sets=_document_sets(dossier, snapshots[:1]),
        email=dossier.owner.email,
    )


@blueprint.get("/dossier/<reference>/documenten/<int:revision>/<form>")
@guard("dossier.receipt", dossier_of)
def document(dossier: Dossier, revision: int, form: str) -> ResponseReturnValue:
    """The sealed PDF or DOCX, or the whole bundle."""
    bundle = session.scalar(select(Bundle).join(Snapshot).where(Snapshot.dossier_id == dossier.id, Snapshot.revision == revision))
    if bundle is None or form not in DOCUMENTS:
        raise NotFound(both("Dit document is er (nog) niet."))
    column, mimetype = DOCUMENTS[form]
    sha256: str = getattr(bundle, column)
    name = f"{dossier.reference}-{revision}.{form}"
    with transaction():
        audit.write("bundle.downloaded", actor=me(), thing=dossier, revision=revision, form=form)
    path = store.path(installation().settings.blobs, sha256)
    response = make_response(send_file(path, mimetype=mimetype, as_attachment=True, download_name=name, etag=sha256, max_age=0))
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _snapshots(dossier: Dossier) -> Sequence[tuple[Snapshot, Bundle | None]]:
    """What was submitted, newest first, each with its bundle once that is made."""
    rows = session.execute(
        select(Snapshot, Bundle)
        .outerjoin(Bundle, Bundle.snapshot_id == Snapshot.id)
        .where(Snapshot.dossier_id == dossier.id)
        .order_by(Snapshot.revision.desc())
    )
    return [(snapshot, bundle) for snapshot, bundle in rows]


def _document_sets(dossier: Dossier, snapshots: Sequence[tuple[Snapshot, Bundle | None]]) -> list[dict[str, Any]]:
    """The documents to take along, a set for each revision that is sealed."""
    settings, language = installation().settings, current_language()
    titles = {
        "pdf": both("Uw dossier als pdf, verzegeld"),
        "docx": both("Uw dossier als Word-document, ondertekend"),
        "zip": both("De hele bundel (zip), met alle bewijsstukken"),
    }
    sets = []
    for snapshot, bundle in snapshots:
        if bundle is None:
            continue
        documents = []
        for form, (column, _) in DOCUMENTS.items():
            path = store.path(settings.blobs, getattr(bundle, column))
            documents.append(
                {
                    "kind": form,
                    "title": titles[form][language],
                    "href": url_for("candidate.document", reference=dossier.reference, revision=snapshot.revision, form=form),
                    "size": path.stat().st_size if path.exists() else 0,
                    "pages": bundle.pages if form == "pdf" else 0,
                }
            )
        sets.append({"revision": snapshot.revision, "sealed": when(bundle.sealed_at), "documents": documents})
    return sets


def _step_words(snapshot: Snapshot) -> Mapping[str, str]:
    words = {step.name: step.text for step in sealing.STEPS}
    step = words.get(snapshot.step)
    return step() if step else both("Uw dossier staat klaar om samengesteld te worden")
