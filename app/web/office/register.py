"""What the office records of one person in the register: a new entry, a better one in its place, or nothing in its place."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.models import Account
from app.errors import Conflict, InvalidInput
from app.extensions import transaction
from app.register import entries
from app.register.entries import Doubt, Line
from app.register.models import LEVELS, RegisterEntry
from app.texts import both, pick
from app.web import registration
from app.web.auth import Refusal, say
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, fields
from app.web.office.people import account_of
from app.web.parts import installation, me, only_fields

FIELDS = ("scope", "number", "valid_from", "valid_until", "former_level")
DAYS = {
    "valid_from": both("Vul in vanaf welke dag de inschrijving geldt, zoals 21 11 2026."),
    "valid_until": both("Vul in tot en met welke dag de inschrijving geldt, zoals 21 11 2026."),
}


@blueprint.get("/mensen/<int:account_id>/inschrijving")
@guard("office.register")
def new_entry(account_id: int) -> ResponseReturnValue:
    return entry_page(account_of(account_id), None)


@blueprint.post("/mensen/<int:account_id>/inschrijving")
@guard("office.register")
def record_entry(account_id: int) -> ResponseReturnValue:
    only_fields(*FIELDS, "confirmed")
    account = account_of(account_id)
    try:
        line = read_line(account)
        with transaction():
            made = entries.record(
                account_of(account_id), line, catalogue=installation().catalogue, by=me(), confirmed=confirmed()
            )
    except (InvalidInput, Refusal) as refusal:
        return entry_page(account, None, words_of(refusal), doubt_of(refusal))
    return recorded(account_id, made, both("De inschrijving is vastgelegd."))


@blueprint.get("/mensen/<int:account_id>/inschrijving/<int:line_id>")
@guard("office.register")
def better_entry(account_id: int, line_id: int) -> ResponseReturnValue:
    account = account_of(account_id)
    return entry_page(account, entries.find(account, line_id))


@blueprint.post("/mensen/<int:account_id>/inschrijving/<int:line_id>")
@guard("office.register")
def correct_entry(account_id: int, line_id: int) -> ResponseReturnValue:
    only_fields(*FIELDS, "reason", "confirmed")
    account = account_of(account_id)
    entry = entries.find(account, line_id)
    try:
        line = read_line(account, "reason")
        with transaction():
            entry = entries.find(account_of(account_id), line_id)
            made = entries.correct(
                entry, line, fields.text("reason"), catalogue=installation().catalogue, by=me(), confirmed=confirmed()
            )
    except Conflict as refusal:
        return too_late(account_id, refusal)
    except (InvalidInput, Refusal) as refusal:
        return entry_page(account, entry, words_of(refusal), doubt_of(refusal))
    return recorded(account_id, made, both("De inschrijving is verbeterd. De oude regel blijft in de geschiedenis staan."))


@blueprint.post("/mensen/<int:account_id>/inschrijving/<int:line_id>/vervallen")
@guard("office.register")
def void_entry(account_id: int, line_id: int) -> ResponseReturnValue:
    only_fields("void_reason", "confirmed")
    account = account_of(account_id)
    entry = entries.find(account, line_id)
    try:
        with transaction():
            entry = entries.find(account_of(account_id), line_id)
            made: RegisterEntry | None = entries.void(
                entry, fields.text("void_reason"), catalogue=installation().catalogue, by=me(), confirmed=confirmed()
            )
    except Conflict as refusal:
        return too_late(account_id, refusal)
    except InvalidInput as refusal:
        field = "confirmed" if "doubt" in refusal.details else "void_reason"
        return entry_page(account, entry, {field: pick(refusal.text, current_language())}, doubt_of(refusal))
    return recorded(account_id, made, both("De inschrijving telt niet meer. De regel blijft in de geschiedenis staan."))


def read_line(account: Account, *also: str) -> Line:
    """The form's line; what cannot be read is said beside each field. ``also``: other fields that may not be empty."""
    wrong: dict[str, str] = {}
    days: dict[str, date] = {}
    if not fields.text("scope"):
        wrong["scope"] = pick(both("Kies een schema of specialisatie uit de lijst."), current_language())
    try:
        entries.read_number(fields.text("number"))
    except InvalidInput as refusal:
        wrong["number"] = pick(refusal.text, current_language())
    for name, words in DAYS.items():
        try:
            days[name] = fields.day(name)
        except InvalidInput:
            wrong[name] = pick(words, current_language())
    if proposal(account):
        wrong["valid_until"] = pick(
            both("Dit is een voorstel, naar de regels die op de begindatum golden. Kijk het na en leg het dan vast."),
            current_language(),
        )
    if "reason" in also and not fields.text("reason").strip():
        wrong["reason"] = pick(both("Schrijf waarom u deze regel verbetert."), current_language())
    if wrong:
        raise Refusal(wrong)
    return Line(fields.text("number"), fields.text("scope"), **days, former_level=fields.text("former_level"))


def proposal(account: Account) -> date | None:
    """The last day when none is typed: what the rules of the first day make of it."""
    if any(fields.typed_day("valid_until").values()) or fields.text("scope") not in entries.scopes(installation().catalogue):
        return None
    try:
        return entries.proposed_until(account, fields.text("scope"), fields.day("valid_from"), installation().catalogue)
    except InvalidInput:
        return None


def words_of(refusal: InvalidInput | Refusal) -> Mapping[str, str]:
    """What is wrong, by field."""
    if isinstance(refusal, Refusal):
        return refusal.words
    return {refusal.details.get("field", "scope"): pick(refusal.text, current_language())}


def confirmed() -> list[str]:
    """What the office agreed to, by the keys that the page gave."""
    return request.form.getlist("confirmed")


def doubt_of(refusal: InvalidInput | Refusal) -> Doubt | None:
    """What the office may agree to, so that it is done after all."""
    return refusal.details.get("doubt") if isinstance(refusal, InvalidInput) else None


def recorded(account_id: int, made: RegisterEntry | None, words: dict[str, str]) -> ResponseReturnValue:
    if made is None:
        say("info", both("Dit stond er al. Er is niets veranderd."))
    else:
        say("ok", words)
    return redirect(url_for("office.person", account_id=account_id, _anchor="register"))


def too_late(account_id: int, refusal: Conflict) -> ResponseReturnValue:
    """A colleague, or one's own second click, was first: to how it stands now."""
    say("warn", refusal.text)
    return redirect(url_for("office.person", account_id=account_id, _anchor="register"))


def entry_page(
    account: Account, entry: RegisterEntry | None, wrong: Mapping[str, str] | None = None, doubt: Doubt | None = None
) -> ResponseReturnValue:
    """The form for a new entry or, with ``entry``, for a better one in its place; after a refusal with what was typed, and with
    ``doubt`` what can be confirmed.
    """
    language = current_language()
    if wrong and "void_reason" not in request.form:
        typed = {name: fields.text(name) for name in ("scope", "number", "former_level", "reason")}
        days = {name: fields.typed_day(name) for name in ("valid_from", "valid_until")}
        if until := proposal(account):
            days["valid_until"] = fields.parts_of(until)
    else:
        known = entry or entries.last_certificate(entries.of(account))
        typed = {
            "scope": entry.scope if entry else "",
            "number": known.number if known else "",
            "former_level": entry.former_level if entry else "",
            "void_reason": fields.text("void_reason"),
        }
        days = {name: fields.parts_of(getattr(entry, name, None)) for name in ("valid_from", "valid_until")}
    html = render_template(
        "office/register_entry.html",
        person=account,
        entry=entry,
        line=registration.entry_words(entry, language) if entry else None,
        typed=typed,
        days=days,
        wrong=wrong or {},
        doubt={"key": doubt.key, "text": pick(doubt.text, language)} if doubt else None,
        agreed=confirmed() if doubt else [],
        voiding="void_reason" in request.form,
        errors=[{"text": text, "href": f"#{field}"} for field, text in (wrong or {}).items()],
        scopes=scope_items(),
        levels=LEVELS,
    )
    return html, 422 if wrong else 200


def scope_items() -> list[dict[str, Any]]:
    """Certificates, then specialisations, to choose from."""
    language = current_language()
    found = []
    for name, scope in entries.scopes(installation().catalogue).items():
        title = pick(scope.title, language)
        if scope.kind == "certificate":
            title = both("Certificaat: %(title)s", title=title)[language]
        found.append({"value": name, "text": title})
    return found
