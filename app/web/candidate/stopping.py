"""What the office or the candidate can do to a dossier as a whole, on the candidate's side: findings of a return, withdrawing."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.assessment import admission, fees, withdrawing
from app.dossiers.answers import checked
from app.dossiers.models import Dossier
from app.errors import Conflict, InvalidInput
from app.extensions import transaction
from app.schemes import models as stored_templates
from app.texts import both, pick
from app.web.auth import say
from app.web.candidate import blueprint
from app.web.errors import status_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, me, only_fields, ring_due


def findings_of(dossier: Dossier, section_id: str | None = None) -> list[dict[str, Any]]:
    """What the office found, as long as the dossier is not submitted again: all of it, or what is about one section."""
    returned = admission.open_return(dossier)
    if returned is None:
        return []
    language, template = current_language(), stored_templates.get(dossier.template_sha256)
    titles = {section.id: pick(section.title, language) for section in template.sections}
    return [
        {
            "text": one["text"],
            "title": titles.get(one["section"], ""),
            "href": url_for("section.show", reference=dossier.reference, section_id=one["section"])
            if one["section"] in titles
            else "",
        }
        for one in returned.findings
        if section_id is None or one["section"] == section_id
    ]


def fee_state(dossier: Dossier) -> str:
    """A few words for the candidate; nothing while the office recorded nothing."""
    fee = fees.of_dossier(dossier)
    words = {
        "invoiced": both("De rekening is verstuurd."),
        "paid": both("Betaald. Dank u wel."),
        "waived": both("U hoeft niet te betalen."),
    }
    return pick(words[fee.state], current_language()) if fee is not None else ""


@blueprint.get("/dossier/<reference>/stoppen")
@guard("dossier.withdraw", dossier_of)
def ask_withdraw(dossier: Dossier) -> ResponseReturnValue:
    return withdraw_page(dossier)


def stopped_already(dossier: Dossier) -> ResponseReturnValue | None:
    """The second of two clicks."""
    same = checked(request.form.get("reason", "")).strip() == dossier.withdrawn_reason
    if not same or not audit.was_done("dossier.withdrawn", actor=me(), thing=dossier):
        return None
    say("info", both("U was al gestopt met dit dossier. Er is niets veranderd."))
    return redirect(url_for("candidate.tasks", reference=dossier.reference))


@blueprint.post("/dossier/<reference>/stoppen")
@guard("dossier.withdraw", dossier_of, already=stopped_already)
def withdraw(dossier: Dossier) -> ResponseReturnValue:
    """The candidate stops. The reason is his own business."""
    only_fields("reason")
    try:
        with transaction():
            ended = withdrawing.withdraw(dossier, request.form.get("reason", ""), by=me())
            audit.write("dossier.withdrawn", actor=me(), thing=dossier, assignments=len(ended))
    except (Conflict, InvalidInput) as refusal:
        if again := stopped_already(dossier):
            return again
        return withdraw_page(dossier, refusal)
    ring_due("mail")
    say("ok", both("U bent gestopt met dossier %(reference)s. U krijgt hierover een e-mail.", reference=dossier.reference))
    return redirect(url_for("candidate.tasks", reference=dossier.reference))


def withdraw_page(dossier: Dossier, refusal: Conflict | InvalidInput | None = None) -> ResponseReturnValue:
    text = pick(refusal.text, current_language()) if refusal is not None else ""
    html = render_template(
        "candidate/withdraw.html",
        dossier=dossier,
        reason=request.form.get("reason", ""),
        wrong=text,
        errors=[{"text": text, "href": "#reason"}] if text else [],
    )
    return html, status_of(refusal) if refusal is not None else 200
