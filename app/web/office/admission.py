"""Admission: the entry requirements one by one, then admitted, or returned to the candidate with findings."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from app import audit
from app.assessment import admission as admitting
from app.assessment.admission import Finding
from app.assessment.models import CHECK_STATES
from app.dossiers import submission
from app.dossiers.answers import checked
from app.dossiers.contents import evidence_in
from app.dossiers.models import Dossier, Snapshot
from app.errors import Conflict, DomainError, InvalidInput, Text
from app.extensions import transaction
from app.register import renewals
from app.schemes import conditions, question_types, schemas
from app.schemes import models as stored_templates
from app.schemes.model import EntryRequirement
from app.texts import both, pick
from app.web import forms
from app.web.auth import say
from app.web.dates import day, when
from app.web.errors import status_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, fields
from app.web.office.deeds import happened, too_late
from app.web.parts import dossier_of, installation, me, only_fields, ring_due

DAYS_TO_COMPLETE = 28  # proposed; whoever returns a dossier chooses
FREE = "other"  # the finding that is about no requirement
UNTOUCHED = ("open", "")


def newest(dossier: Dossier) -> Snapshot:
    """What is to be checked; a dossier that is submitted has one."""
    found = admitting.newest_snapshot(dossier)
    if found is None:
        raise Conflict(both("Dit dossier ligt niet meer bij het secretariaat ter controle. Ververs de pagina."))
    return found


def requirements_of(dossier: Dossier) -> Sequence[EntryRequirement]:
    return admitting.requirements_of(dossier, installation().catalogue)


def decided_already(dossier: Dossier) -> ResponseReturnValue | None:
    """The second of two clicks: this person decided exactly what the form says, so there is nothing to do or to copy."""
    snapshot = newest(dossier)
    decided = admitting.of_snapshot(snapshot)
    if decided is None or decided.by_id != me().id or snapshot.revision != fields.number("revision"):
        return None
    if decided.outcome == "returned":
        told = [{"requirement": one.requirement, "section": one.section, "text": one.text} for one in _findings(dossier)]
        same = request.endpoint == "office.send_back" and told == decided.findings
    else:
        stored = {key: (row.state, row.note) for key, row in admitting.checks_of(snapshot).items()}
        typed = _typed(requirements_of(dossier)) if request.endpoint == "office.check" else {}
        unchanged = all(stored.get(key, UNTOUCHED) == value for key, value in typed.items())
        same = request.form.get("action") == "admit" and unchanged and checked(fields.text("note")).strip() == decided.note
    return happened(dossier) if same else None


# --- checking ------------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>/toelating")
@guard("office.admit", dossier_of)
def admission(dossier: Dossier) -> ResponseReturnValue:
    return check_page(dossier), 200


@blueprint.post("/dossiers/<reference>/toelating")
@guard("office.admit", dossier_of, already=decided_already)
def check(dossier: Dossier) -> ResponseReturnValue:
    """Keeps the checks; then stays, admits, or goes on to the page for returning."""
    requirements = requirements_of(dossier)
    typed, seen = _typed(requirements), _seen(requirements)
    only_fields("action", "revision", "note", *(f"{kind}-{one.id}" for one in requirements for kind in ("state", "note", "seen")))
    action = request.form.get("action", "save")
    try:
        with transaction():
            snapshot = _of_form(dossier)
            admitting.record_checks(snapshot, typed, seen=seen, by=me(), catalogue=installation().catalogue)
            audit.write("dossier.checked", actor=me(), thing=dossier, revision=snapshot.revision)
        if action == "admit":
            with transaction():
                snapshot = _of_form(dossier)
                admitting.admit(snapshot, by=me(), catalogue=installation().catalogue, note=fields.text("note"))
                audit.write("dossier.admitted", actor=me(), thing=dossier, revision=snapshot.revision)
    except (Conflict, InvalidInput) as refusal:
        if dossier.stage != "submitted" or admitting.of_snapshot(newest(dossier)) is not None:
            return decided_already(dossier) or too_late(dossier, refusal)
        return check_page(dossier, typed, refusal), status_of(refusal)
    if action == "admit":
        say("ok", both("Dossier %(reference)s is toegelaten. Wijs nu beoordelaars toe.", reference=dossier.reference))
        return redirect(url_for("office.dossier", reference=dossier.reference))
    if action == "return":
        return redirect(url_for("office.give_back", reference=dossier.reference))
    say("ok", both("Uw controle is bewaard."))
    return redirect(url_for("office.admission", reference=dossier.reference))


def check_page(
    dossier: Dossier,
    typed: Mapping[str, tuple[str, str]] | None = None,
    refusal: DomainError | None = None,
) -> str:
    """The form; after a refusal with what was typed, and beside it what a colleague noted meanwhile."""
    language, snapshot = current_language(), newest(dossier)
    stored = admitting.checks_of(snapshot)
    template = stored_templates.get(dossier.template_sha256)
    named: Sequence[str] = refusal.details.get("requirements", ()) if refusal is not None else ()
    place = refusal.details.get("field", "checks") if refusal is not None else ""
    text = pick(refusal.text, language) if refusal is not None else ""
    items = []
    content = submission.content_of(snapshot)
    in_register = renewals.beside(dossier)
    for one in requirements_of(dossier):
        row = stored.get(one.id)
        now_stored = (row.state, row.note) if row is not None else UNTOUCHED
        state, note = (typed or {}).get(one.id, now_stored)
        items.append(
            {
                "id": one.id,
                "title": pick(one.title, language),
                "explanation": pick(one.explanation, language),
                "sections": [pick(found.title, language) for found in map(template.section, one.sections) if found],
                **_facts(content, one, in_register),
                "state": state,
                "note": note,
                "seen": seal(*now_stored),
                "by": pick(both("%(name)s, %(when)s", name=row.by.name, when=when(row.at)), language) if row else "",
                "theirs": now_stored if one.id in named and isinstance(refusal, Conflict) else None,
                "error": text if one.id in named else "",
            }
        )
    return render_template(
        "office/admission.html",
        dossier=dossier,
        snapshot=snapshot,
        submitted=when(snapshot.submitted_at),
        items=items,
        ready=snapshot.stage == "handed_over",
        note_typed=fields.text("note"),
        wrong={place: text} if text else {},
        words={state: pick(words, language) for state, words in state_words().items()},
        errors=[{"text": f"{one['title']}: {text}", "href": f"#state-{one['id']}"} for one in items if one["error"]]
        or ([{"text": text, "href": f"#{place}"}] if text else []),
    )


LONG = ("long_text", "table")


def _facts(
    content: Mapping[str, Any], requirement: EntryRequirement, in_register: Mapping[str, Text]
) -> dict[str, list[tuple[str, Markup]]]:
    """The submitted answers that the scheme wants to be seen beside a check, short ones and long ones apart; one that was not
    asked is left out. Below one that the register answers stands what it says now."""
    found: dict[str, list[tuple[str, Markup]]] = {"facts": [], "quotes": []}
    template, answers, language = schemas.load(content["template"]), content["answers"], current_language()
    files = [
        {"id": one["id"], "title": both("Bijlage %(n)s: %(title)s", n=one["number"], title=one["title"])[language]}
        for one in content["evidence"]
    ]
    shown = conditions.visible(template, answers)
    for name in requirement.shows:
        section_id, _, question_id = name.partition(".")
        question = next((one for one in shown.get(section_id, ()) if one.id == question_id), None)
        if question is None or question.type not in installation().catalogue.types:
            continue
        answer = answers.get(section_id, {}).get(question_id)
        used = evidence_in(question, answer) if answer else []
        value = forms.render_answer(
            question,
            answer,
            language,
            types=installation().catalogue.types,
            settings=question_types.in_dossier(question, answers, content["today"]),
            files=[one for one in files if one["id"] in used],
            evidence_titles={one["id"]: one["title"] for one in files},
        )
        found["quotes" if question.type in LONG else "facts"].append((pick(question.label, language), value))
        if told := question_types.advice(answer, question.settings):
            found["facts"].append((both("Let op")[language], escape(pick(told, language))))
        if name in in_register:
            label = both("Volgens het register")[language]
            found["facts"].append((label, escape(pick(in_register[name], language))))
    return found


def state_words() -> Mapping[str, Mapping[str, str]]:
    return {"met": both("In orde"), "not_met": both("Niet in orde"), "open": both("Nog niet bekeken")}


def seal(state: str, note: str) -> str:
    """What the form was opened with, to be sent back with it."""
    return f"{state} {note}"


def _typed(requirements: Sequence[EntryRequirement]) -> dict[str, tuple[str, str]]:
    typed = {}
    for one in requirements:
        state = request.form.get(f"state-{one.id}", "open")
        typed[one.id] = (state, checked(request.form.get(f"note-{one.id}", "")).strip())
        if state not in CHECK_STATES:
            raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    return typed


def _seen(requirements: Sequence[EntryRequirement]) -> dict[str, tuple[str, str]]:
    found = {}
    for one in requirements:
        state, _, note = request.form.get(f"seen-{one.id}", seal(*UNTOUCHED)).replace("\r\n", "\n").partition(" ")
        found[one.id] = (state, note)
    return found


def _of_form(dossier: Dossier) -> Snapshot:
    """The revision that the form is about: a newer one is checked anew."""
    snapshot = newest(dossier)
    if snapshot.revision != fields.number("revision"):
        raise Conflict(both("De kandidaat heeft intussen opnieuw ingediend. Ververs de pagina."))
    return snapshot


# --- returning -----------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>/terugsturen")
@guard("office.admit", dossier_of)
def give_back(dossier: Dossier) -> ResponseReturnValue:
    return return_page(dossier), 200


@blueprint.post("/dossiers/<reference>/terugsturen")
@guard("office.admit", dossier_of, already=decided_already)
def send_back(dossier: Dossier) -> ResponseReturnValue:
    keys = [one.id for one in requirements_of(dossier)] + [FREE]
    only_fields("revision", "until", *(f"{kind}-{key}" for key in keys for kind in ("finding", "section")))
    findings = _findings(dossier)
    try:
        until = fields.day("until")
        with transaction():
            snapshot = _of_form(dossier)
            admitting.return_to_candidate(snapshot, findings, by=me(), until=until, catalogue=installation().catalogue)
            audit.write("dossier.returned", actor=me(), thing=dossier, revision=snapshot.revision, findings=len(findings))
    except (Conflict, InvalidInput) as refusal:
        if dossier.stage != "submitted":
            return decided_already(dossier) or too_late(dossier, refusal)
        return return_page(dossier, refusal), status_of(refusal)
    ring_due("mail")
    say("ok", both("Het dossier is terug bij %(name)s, met uw bevindingen.", name=dossier.owner.name))
    return redirect(url_for("office.dossier", reference=dossier.reference))


def _findings(dossier: Dossier) -> list[Finding]:
    """What was typed, as it is kept."""
    keys = [*(one.id for one in requirements_of(dossier)), FREE]
    typed = {key: checked(request.form.get(f"finding-{key}", "")).strip() for key in keys}
    return [
        Finding(text=text, requirement="" if key == FREE else key, section=request.form.get(f"section-{key}", ""))
        for key, text in typed.items()
        if text
    ]


def return_page(dossier: Dossier, refusal: DomainError | None = None) -> str:
    """What does not meet a requirement stands there already, in the words of its note."""
    language, snapshot = current_language(), newest(dossier)
    template, stored = stored_templates.get(dossier.template_sha256), admitting.checks_of(snapshot)
    sections = [(section.id, pick(section.title, language)) for section in template.sections]
    items: list[dict[str, Any]] = []
    for one in requirements_of(dossier):
        row = stored.get(one.id)
        if row is None or row.state != "not_met":
            continue
        items.append(_finding(one.id, pick(one.title, language), row.note, one.sections[0] if one.sections else ""))
    items.append(_finding(FREE, pick(both("Iets anders"), language), "", ""))
    place = refusal.details.get("field", "findings") if refusal is not None else ""
    text = pick(refusal.text, language) if refusal is not None else ""
    proposed: date = max(dossier.submit_before, submission.today() + timedelta(days=DAYS_TO_COMPLETE))
    return render_template(
        "office/return.html",
        dossier=dossier,
        snapshot=snapshot,
        items=items,
        sections=sections,
        until=fields.typed_day("until") if refusal is not None else fields.parts_of(proposed),
        deadline=day(dossier.submit_before),
        wrong={place: text} if text else {},
        errors=[{"text": text, "href": f"#{'finding-' + items[0]['id'] if place == 'findings' else place}"}] if text else [],
    )


def _finding(key: str, title: str, text: str, section: str) -> dict[str, Any]:
    return {
        "id": key,
        "title": title,
        "text": request.form.get(f"finding-{key}", text),
        "section": request.form.get(f"section-{key}", section),
    }
