"""What the office does to one dossier on a page of its own: record the fee, give more time, withdraw."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.assessment import fees, withdrawing
from app.assessment.fees import Entry
from app.dossiers import deadlines, submission
from app.dossiers.answers import checked
from app.dossiers.models import Dossier
from app.errors import Conflict, InvalidInput
from app.extensions import transaction
from app.texts import both, pick
from app.web import unsaved
from app.web.auth import say
from app.web.dates import day
from app.web.errors import status_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, fields
from app.web.office.words import FEE_WORDS
from app.web.parts import dossier_of, me, only_fields, ring_due

FIRST_FIELD = {"fee": "state", "extend": "until", "withdraw": "reason"}


def page(dossier: Dossier, name: str, refusal: InvalidInput | Conflict | None = None, **values: Any) -> ResponseReturnValue:
    """One form; after a refusal with what was typed and what is wrong at its field."""
    wrong: Mapping[str, str] = {}
    if refusal is not None:
        wrong = {refusal.details.get("field", FIRST_FIELD[name]): pick(refusal.text, current_language())}
    html = render_template(
        f"office/{name}.html",
        dossier=dossier,
        wrong=wrong,
        errors=[{"text": text, "href": f"#{place}"} for place, text in wrong.items()],
        **values,
    )
    return html, status_of(refusal) if refusal is not None else 200


def happened(dossier: Dossier) -> ResponseReturnValue:
    """To the second of two clicks of the same person."""
    say("info", both("Dit was al gebeurd. Er is niets veranderd."))
    return redirect(url_for("office.dossier", reference=dossier.reference))


def too_late(dossier: Dossier, refusal: InvalidInput | Conflict) -> ResponseReturnValue:
    """Somebody else was first: to how it stands now, or to a page that gives back what was typed."""
    if unsaved.texts():
        raise refusal
    say("warn", refusal.text)
    return redirect(url_for("office.dossier", reference=dossier.reference))


# --- the fee -------------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>/kosten")
@guard("office.fee", dossier_of)
def fee(dossier: Dossier) -> ResponseReturnValue:
    return fee_page(dossier)


def fee_page(dossier: Dossier, refusal: InvalidInput | Conflict | None = None) -> ResponseReturnValue:
    """After a refusal what was typed; after a crossing also what the colleague recorded, and its version, to go on from."""
    stored = fees.of_dossier(dossier)
    language = current_language()
    typed = {name: fields.text(name) for name in ("state", "amount", "invoice", "note")}
    if refusal is None:
        typed = {
            "state": stored.state if stored else "",
            "amount": fields.amount(stored.amount_cents) if stored else "",
            "invoice": stored.invoice if stored else "",
            "note": stored.note if stored else "",
        }
    theirs = None
    if isinstance(refusal, Conflict) and stored is not None:
        theirs = " · ".join([pick(FEE_WORDS[stored.state], language), *fees.lines(stored, language)])
    return page(
        dossier,
        "fee",
        refusal,
        typed=typed,
        on=fields.typed_day("on") if refusal else fields.parts_of((stored.on if stored else None) or submission.today()),
        version=stored.version if stored and (refusal is None or theirs) else fields.text("version") or 0,
        theirs=theirs,
        states=[(state, pick(words, language)) for state, words in FEE_WORDS.items()],
    )


@blueprint.post("/dossiers/<reference>/kosten")
@guard("office.fee", dossier_of)
def record_fee(dossier: Dossier) -> ResponseReturnValue:
    only_fields("state", "amount", "invoice", "note", "on", "version")
    version = fields.number("version")
    try:
        entry = Entry(
            state=fields.text("state"),
            on=fields.day("on"),
            amount_cents=fields.cents("amount"),
            invoice=fields.text("invoice"),
            note=fields.text("note"),
        )
        with transaction():
            if fees.record(dossier, entry, version=version, by=me()):
                audit.write("fee.recorded", actor=me(), thing=dossier, state=entry.state)
    except (InvalidInput, Conflict) as refusal:
        return fee_page(dossier, refusal)
    say("ok", both("De vergoeding is vastgelegd."))
    return redirect(url_for("office.dossier", reference=dossier.reference))


# --- more time -----------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>/uitstel")
@guard("office.extend", dossier_of)
def extension(dossier: Dossier) -> ResponseReturnValue:
    return extend_page(dossier)


def extend_page(dossier: Dossier, refusal: InvalidInput | Conflict | None = None) -> ResponseReturnValue:
    return page(
        dossier,
        "extend",
        refusal,
        now=day(dossier.submit_before),
        before=dossier.submit_before.isoformat(),
        until=fields.typed_day("until"),
        reason=fields.text("reason"),
        extensions=deadlines.extensions_of(dossier),
    )


def extended_already(dossier: Dossier) -> bool:
    """Whether this person gave exactly this time last: the second of two clicks."""
    given = deadlines.extensions_of(dossier)
    typed = (fields.iso_day("before"), fields.day("until"), checked(fields.text("reason")).strip(), me().id)
    return bool(given) and (given[-1].before, given[-1].submit_before, given[-1].reason, given[-1].by_id) == typed


@blueprint.post("/dossiers/<reference>/uitstel")
@guard("office.extend", dossier_of)
def extend(dossier: Dossier) -> ResponseReturnValue:
    only_fields("until", "reason", "before")
    before = fields.iso_day("before")
    try:
        until = fields.day("until")
        with transaction():
            made = deadlines.extend(dossier, until, fields.text("reason"), before=before, by=me())
            audit.write("dossier.extended", actor=me(), thing=dossier, extension=made.id, until=until.isoformat())
    except (InvalidInput, Conflict) as refusal:
        if isinstance(refusal, Conflict) and extended_already(dossier):
            return happened(dossier)
        return extend_page(dossier, refusal)
    ring_due("mail")
    say("ok", both("%(name)s heeft tijd tot en met %(day)s en krijgt bericht.", name=dossier.owner.name, day=day(until)))
    return redirect(url_for("office.dossier", reference=dossier.reference))


# --- withdrawing ---------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>/intrekken")
@guard("office.withdraw", dossier_of)
def ask_withdraw(dossier: Dossier) -> ResponseReturnValue:
    return page(dossier, "withdraw", reason="")


def withdrawn_already(dossier: Dossier) -> ResponseReturnValue | None:
    same = checked(fields.text("reason")).strip() == dossier.withdrawn_reason
    return happened(dossier) if same and audit.was_done("dossier.withdrawn", actor=me(), thing=dossier) else None


@blueprint.post("/dossiers/<reference>/intrekken")
@guard("office.withdraw", dossier_of, already=withdrawn_already)
def withdraw(dossier: Dossier) -> ResponseReturnValue:
    only_fields("reason")
    try:
        with transaction():
            ended = withdrawing.withdraw(dossier, fields.text("reason"), by=me())
            audit.write("dossier.withdrawn", actor=me(), thing=dossier, assignments=len(ended))
    except (InvalidInput, Conflict) as refusal:
        if dossier.stage == "withdrawn":
            return withdrawn_already(dossier) or too_late(dossier, refusal)
        return page(dossier, "withdraw", refusal, reason=request.form.get("reason", ""))
    ring_due("mail")
    say("ok", both("Dossier %(reference)s is ingetrokken. Wie het aangaat, krijgt bericht.", reference=dossier.reference))
    return redirect(url_for("office.dossier", reference=dossier.reference))
