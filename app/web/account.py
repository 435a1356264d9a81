"""One's own account: details, password, another address, the devices where one is logged in, the second factor."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import mail
from app.accounts import email_change, login, passwords, recovery, registration, second_factor
from app.accounts.models import STAFF
from app.errors import InvalidInput, LinkUnusable
from app.extensions import transaction
from app.texts import LANGUAGES, both, pick
from app.web import device
from app.web import registration as registered
from app.web.auth import (
    Form,
    Refusal,
    Typed,
    beside,
    blueprint,
    check_password,
    dead_link,
    new_password,
    open_session,
    page,
    read,
    remember_language,
    say,
    send_mail,
)
from app.web.guard import guard, public
from app.web.language import current_language
from app.web.parts import installation, me, only_fields
from app.web.second_step import set_up_page, show_recovery_codes

Result = TypeVar("Result")


def _known_language(text: str) -> str:
    return text if text in LANGUAGES else ""


class DetailsForm(Form):
    name = Typed(registration.person_name)
    language = Typed(_known_language)


class PasswordChangeForm(Form):
    current = Typed()
    password = Typed(new_password)


class EmailForm(Form):
    email = Typed(mail.address)
    password_now = Typed()


class SessionForm(Form):
    session = Typed()


class SecondFactorForm(Form):
    password_here = Typed()
    code = Typed()
    action = Typed()


class LinkForm(Form):
    action = Typed()


def account_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    """The page with all its forms; ``refusal`` belongs to one of them."""
    person, settings = me(), installation().settings
    logins = [
        {
            "id": entry.id,
            "device": pick(device.words(entry.user_agent), current_language()),
            "address": entry.address,
            "since": entry.created_at,
            "seen": entry.last_seen_at,
            "here": login.is_key_of(entry, person.session_key),
        }
        for entry in login.open_of(person, settings)
    ]
    return page(
        "account",
        refusal,
        person=person,
        registered=registered.own(person),
        logins=logins,
        change=email_change.pending(person),
        staff=bool(person.roles & STAFF),
        has_second_factor=second_factor.next_step(person, settings) == "code",
        second_factor_required=second_factor.is_required(person, settings),
        codes_left=second_factor.recovery_codes_left(person),
    )


@blueprint.route("/account", methods=["GET", "POST"])
@guard("account.edit")
def account() -> ResponseReturnValue:
    """Name and language."""
    if request.method != "POST":
        return account_page()
    try:
        typed = read(DetailsForm())
        beside("language", lambda: _save_details(typed))
    except Refusal as refusal:
        return account_page(refusal)
    response = redirect(url_for("auth.account"))
    remember_language(response, typed["language"])
    flash(pick(both("Uw gegevens zijn opgeslagen."), typed["language"]), "ok")
    return response


def _save_details(typed: Mapping[str, str]) -> None:
    with transaction():
        registration.change_details(me(), name=typed["name"], language=typed["language"])


@blueprint.route("/account/wachtwoord", methods=["POST"])
@guard("account.edit")
def change_password() -> ResponseReturnValue:
    """Asks for the current password: a forgotten open laptop must not be enough. Ends all logins but this one."""
    person = me()
    try:
        typed = read(PasswordChangeForm())
        _check_own(typed["current"], "current")
        beside("password", lambda: passwords.check(typed["password"], email=person.email, name=person.name))
    except Refusal as refusal:
        return account_page(refusal)
    password_hash = passwords.hashed(typed["password"])
    with transaction():
        recovery.change(person, password_hash)
    open_session(person.id)
    send_mail()
    say("ok", both("Uw wachtwoord is gewijzigd. Op andere apparaten bent u nu uitgelogd."))
    return redirect(url_for("auth.account"))


def _check_own(password: str, field: str) -> None:
    """One's own password, counted like a login, so that it cannot be used to guess."""
    try:
        check_password(me().email, password)
    except InvalidInput as refusal:
        raise Refusal({field: pick(both("Uw huidige wachtwoord klopt niet."), current_language())}) from refusal


# --- another address -----------------------------------------------------------------------------------------------


@blueprint.route("/account/e-mail", methods=["POST"])
@guard("account.edit")
def change_email() -> ResponseReturnValue:
    """Nothing changes yet: both addresses get a link first."""
    try:
        typed = read(EmailForm())
        _check_own(typed["password_now"], "password_now")
        beside("email", lambda: _ask_change(typed["email"]))
    except Refusal as refusal:
        return account_page(refusal)
    send_mail()
    say("ok", both("Wij hebben uw oude en uw nieuwe adres een e-mail gestuurd. Open de link in allebei."))
    return redirect(url_for("auth.account"))


def _ask_change(email: str) -> None:
    with transaction():
        email_change.ask(me(), email, installation().settings)


@blueprint.route("/account/e-mail/stoppen", methods=["POST"])
@guard("account.edit")
def stop_email_change() -> ResponseReturnValue:
    only_fields()
    with transaction():
        email_change.stop(me())
    say("ok", both("De wijziging is gestopt. Uw e-mailadres blijft zoals het was."))
    return redirect(url_for("auth.account"))


@blueprint.route(email_change.PATH, methods=["GET", "POST"])
@public
def agree_to_email(token: str) -> ResponseReturnValue:
    """Where both links lead. Opening one changes nothing (mail scanners do that too); the buttons do."""
    try:
        change, by_old = email_change.find(token)
        if request.method != "POST":
            return page("email_change", change=change, by_old=by_old)
        stops = read(LinkForm())["action"] == "stop"
        with transaction():
            done = not stops and email_change.agree(token)
            if stops:
                email_change.refuse(token)
    except Refusal as refusal:
        return page("email_change", refusal, change=change, by_old=by_old)
    except LinkUnusable as refusal:
        return dead_link(refusal, url_for("auth.account"))
    if stops:
        words = both("De wijziging is gestopt. Was u dit niet zelf? Kies dan ook een nieuw wachtwoord.")
    elif done:
        words = both("Uw e-mailadres is gewijzigd. Log voortaan in met het nieuwe adres.")
    else:
        words = both("Dank u. Zodra ook de link in de andere e-mail is gebruikt, verandert het adres.")
    say("ok", words)
    return redirect(url_for("auth.login"))


# --- where one is logged in ----------------------------------------------------------------------------------------


@blueprint.route("/account/sessies", methods=["POST"])
@guard("account.edit")
def end_logins() -> ResponseReturnValue:
    """Ends one login by its number, or all others; one that ended already is ended."""
    person = me()
    try:
        which = read(SessionForm())["session"]
    except Refusal as refusal:
        return account_page(refusal)
    with transaction():
        if which == "others":
            login.end_others(person, person.session_key)
        elif which.isascii() and which.isdecimal() and len(which) < 10:
            login.end_one(person, int(which))
    say("ok", both("U bent daar nu uitgelogd."))
    return redirect(url_for("auth.account"))


# --- the second factor ---------------------------------------------------------------------------------------------


@blueprint.route("/account/tweede-stap", methods=["GET", "POST"])
@guard("account.edit")
def set_up() -> ResponseReturnValue:
    """Setting it up by choice, where it is not required."""
    person = me()
    if second_factor.next_step(person, installation().settings) == "code":
        return redirect(url_for("auth.account"))
    return set_up_page(person, url_for("auth.set_up"), lambda codes: show_recovery_codes(codes, url_for("auth.account")))


@blueprint.route("/account/tweede-stap/wijzigen", methods=["POST"])
@guard("account.edit")
def change_second_factor() -> ResponseReturnValue:
    """New recovery codes, or another phone. Asks for both steps again: a forgotten open laptop must not be enough."""
    person = me()
    try:
        typed = read(SecondFactorForm())
        _check_own(typed["password_here"], "password_here")
        with transaction():
            second_factor.count(person.id, device.known_for(person.email))
        return _changed(typed)
    except Refusal as refusal:
        return account_page(refusal)


def _changed(typed: Mapping[str, str]) -> ResponseReturnValue:
    person = me()
    if typed["action"] == "codes":
        codes = _with_code(typed["code"], lambda: second_factor.renew_recovery_codes(person))
        return show_recovery_codes(codes, url_for("auth.account"))
    _with_code(typed["code"], lambda: second_factor.remove(person, by=person))
    say("ok", both("De code is niet meer nodig. Log opnieuw in en koppel zo nodig uw andere telefoon."))
    return redirect(url_for("auth.login"))


def _with_code(code: str, deed: Callable[[], Result]) -> Result:
    """Uses the code up and does the deed, in one transaction."""
    person = me()
    try:
        with transaction():
            second_factor.check(person, code, installation().settings, device.known_for(person.email))
            return deed()
    except InvalidInput as refusal:
        raise Refusal({"code": pick(refusal.text, current_language())}) from refusal
