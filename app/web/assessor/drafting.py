"""What an assessor does in one area: keeping a draft (also by itself), giving and withdrawing his verdict, going back."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.assessment import assignment, drafts, verdicts
from app.assessment.drafts import StaleDraft
from app.assessment.models import Assessment, Assignment
from app.assessment.verdicts import Incomplete
from app.errors import InvalidInput, NotFound
from app.extensions import transaction
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate, Section
from app.texts import both, pick
from app.web import forms
from app.web.assessor import blueprint
from app.web.assessor.judging import first_open, judging_page
from app.web.assessor.typed import as_sent, in_form, keeps_typed, number, read_form
from app.web.auth import say
from app.web.dates import clock, when
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import assessment_of, me, only_fields

WHOLE_ADDRESS = "-"  # no area is called so


@blueprint.post("/<int:assessment_id>/gebied/<area_id>/concept")
@keeps_typed
@guard("assessment.judge", assessment_of)
def autosave(assessment: Assessment, area_id: str) -> ResponseReturnValue:
    """For the page's script. 409: the script then sends the whole form, whose answer shows both texts."""
    area = area_of(assessment, area_id)
    typed, wrong = read_form(area)
    try:
        with transaction():
            row = verdicts.save_draft(his(assessment), area.id if area else drafts.WHOLE, typed, number("version"))
            kept = {"version": row.version, "time": clock(row.saved_at)}
    except StaleDraft as stale:
        return jsonify(error=pick(stale.text, current_language()), version=stale.version), 409
    if wrong:
        raise InvalidInput(next(iter(wrong.values())))
    return jsonify(kept)


@blueprint.post("/<int:assessment_id>/gebied/<area_id>")
@keeps_typed
@guard("assessment.judge", assessment_of)
def save(assessment: Assessment, area_id: str) -> ResponseReturnValue:
    """Keeps the draft; with the button for it, also gives or withdraws the verdict."""
    area = area_of(assessment, area_id)
    typed, wrong = read_form(area)
    action, assessment_id = request.form.get("action", "save"), assessment.id
    try:
        with transaction():
            verdicts.save_draft(his(assessment), area.id if area else drafts.WHOLE, typed, number("version"))
    except StaleDraft as stale:
        return conflict_page(assessment, area, stale)
    if area is None:
        say("ok", both("Uw concept is bewaard."))
        return redirect(url_for("assessor.finish", assessment_id=assessment_id))
    if wrong:
        return judging_page(assessment, area.id, wrong, as_sent()), 422
    if action == "withdraw":
        withdraw(assessment, area)
    elif action == "verdict":
        try:
            if give(assessment, area):
                say("ok", both("Uw oordeel over “%(title)s” is vastgelegd.", title=area.title))
        except Incomplete as refusal:
            return judging_page(assessment, area.id, dict(refusal.missing), as_sent()), 422
        following = first_open(verdicts.open_judging(assignment.current_or_gone(assessment, me())))
        return redirect(url_for("assessor.read", assessment_id=assessment_id, gebied=following or area.id, _anchor="beoordeling"))
    else:
        say("ok", both("Uw concept is bewaard."))
    return redirect(url_for("assessor.read", assessment_id=assessment_id, gebied=area.id, _anchor="beoordeling"))


def give(assessment: Assessment, area: Section) -> bool:
    with transaction():
        verdict, changed = verdicts.give_verdict(his(assessment), area.id, number("snapshot"))
        if changed:
            audit.write("verdict.given", actor=me(), thing=verdict, assessment=assessment.id, area=area.id)
        return changed


def withdraw(assessment: Assessment, area: Section) -> None:
    with transaction():
        if verdicts.withdraw_verdict(his(assessment), area.id):
            audit.write("verdict.withdrawn", actor=me(), thing=assessment, area=area.id)
    say("ok", both("Uw oordeel over “%(title)s” is ingetrokken. Uw concept staat er nog.", title=area.title))


# --- two texts -----------------------------------------------------------------------------------------------------


def conflict_page(assessment: Assessment, area: Section | None, stale: StaleDraft) -> ResponseReturnValue:
    """Both texts of each field that was changed in two places. Nothing is written until a choice is made."""
    language = current_language()
    labels = field_labels(area)
    template = template_of(assessment)
    compared = []
    for name, value in stale.mine.items():
        mine, theirs = (shown(template, name, one) for one in (value, stale.theirs.get(name)))
        pieces = forms.difference(mine, theirs)
        compared.append({"name": name, "label": labels[name], "mine": in_form(name, value), "pieces": pieces})
    page = render_template(
        "assessor/conflict.html",
        assessment=assessment,
        area_id=area.id if area else WHOLE_ADDRESS,
        title=pick(area.title, language) if area else both("Samenvatting")[language],
        compared=compared,
        hidden=[(name, in_form(name, value)) for name, value in stale.merged.items()],
        version=stale.version,
        theirs_at=when(stale.saved_at),
        snapshot=request.form.get("snapshot", ""),
        back=back_to(assessment, area),
    )
    return page, 409


# --- earlier versions ----------------------------------------------------------------------------------------------


@blueprint.get("/<int:assessment_id>/gebied/<area_id>/versies")
@guard("assessment.read", assessment_of)
def versions(assessment: Assessment, area_id: str) -> ResponseReturnValue:
    area = area_of(assessment, area_id)
    labels, template = field_labels(area), template_of(assessment)
    kept = drafts.versions(his(assessment), area.id if area else drafts.WHOLE)
    return render_template(
        "assessor/versions.html",
        assessment=assessment,
        area_id=area_id,
        title=pick(area.title, current_language()) if area else both("Samenvatting")[current_language()],
        back=back_to(assessment, area),
        versions=[
            {"version": one.version, "at": when(one.saved_at), "rows": rows_of(template, labels, drafts.flat(one.data))}
            for one in kept
        ],
    )


@blueprint.post("/<int:assessment_id>/gebied/<area_id>/terugzetten")
@keeps_typed
@guard("assessment.judge", assessment_of)
def restore(assessment: Assessment, area_id: str) -> ResponseReturnValue:
    """Makes an earlier version the draft again, as a new version: nothing is lost by it."""
    only_fields("version")
    area = area_of(assessment, area_id)
    wanted, address = number("version"), back_to(assessment, area)
    with transaction():
        mine = his(assessment)
        kept = drafts.versions(mine, area.id if area else drafts.WHOLE)
        chosen = next((one for one in kept if one.version == wanted), None)
        if chosen is None:
            raise InvalidInput(both("Deze versie is er niet."))
        old = drafts.flat(chosen.data)
        typed = {name: old.get(name) for name in drafts.fields_of(area)}
        verdicts.save_draft(mine, area.id if area else drafts.WHOLE, typed, kept[0].version)
    say("ok", both("De eerdere versie staat er weer."))
    return redirect(address)


# --- for this module -----------------------------------------------------------------------------------------------


def his(assessment: Assessment) -> Assignment:
    return assignment.current_or_gone(assessment, me())


def template_of(assessment: Assessment) -> DossierTemplate:
    return stored_templates.get(assessment.dossier.template_sha256)


def area_of(assessment: Assessment, area_id: str) -> Section | None:
    """The area of an address, or ``None`` for the whole."""
    if area_id == WHOLE_ADDRESS:
        return None
    area = template_of(assessment).section(area_id)
    if area is None or not area.is_area:
        raise NotFound(both("Dit gebied bestaat niet in dit dossier."))
    return area


def back_to(assessment: Assessment, area: Section | None) -> str:
    if area is None:
        return url_for("assessor.finish", assessment_id=assessment.id)
    return url_for("assessor.read", assessment_id=assessment.id, gebied=area.id, _anchor="beoordeling")


def field_labels(area: Section | None) -> Mapping[str, str]:
    language = current_language()
    texts = {
        "sufficient": both("Oordeel over dit gebied"),
        "rationale": both("Toelichting op het oordeel"),
        "notes": both("Eigen notities"),
        "summary": both("Samenvatting"),
    }
    for criterion in area.criteria if area else ():
        texts[f"score.{criterion.id}"] = both("Score: %(title)s", title=criterion.title)
        texts[f"why.{criterion.id}"] = both("Onderbouwing: %(title)s", title=criterion.title)
        texts[f"pages.{criterion.id}"] = both("Pagina’s: %(title)s", title=criterion.title)
    return {name: pick(text, language) for name, text in texts.items()}


def shown(template: DossierTemplate, name: str, value: Any) -> str:
    """A field's value in words."""
    language = current_language()
    if name.startswith("score."):
        return next((f"{one.value} {pick(one.label, language)}" for one in template.scale if one.value == value), "")
    if isinstance(value, bool):
        return (both("Voldoende") if value else both("Onvoldoende"))[language]
    return in_form(name, value)


def rows_of(template: DossierTemplate, labels: Mapping[str, str], values: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    return [{"key": label, "value": shown(template, name, values[name])} for name, label in labels.items() if name in values]
