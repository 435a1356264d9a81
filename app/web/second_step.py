"""The second step of logging in, and setting it up: nobody is logged in yet here, only the password was right."""

from collections.abc import Callable, Sequence
from typing import Any

import flask
import qrcode
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import login, second_factor
from app.accounts.models import Account
from app.errors import InvalidInput
from app.extensions import transaction
from app.texts import both, pick
from app.web import device
from app.web.auth import (
    BACK,
    WAITING_LOGIN,
    Form,
    Refusal,
    Typed,
    blueprint,
    local_path,
    open_session,
    page,
    read,
    say,
    start_page,
)
from app.web.guard import public
from app.web.language import current_language
from app.web.parts import installation, only_fields

NEW_SECRET = "secret that is not set up yet"  # key in the cookie of the one person to whom it is shown  # noqa: S105


class CodeForm(Form):
    code = Typed()


@blueprint.route("/inloggen/code", methods=["GET", "POST"])
@public
def second_step() -> ResponseReturnValue:
    """Asks for the code of the app, or a recovery code."""
    person = _waiting("code")
    if person is None:
        return _again()
    if request.method != "POST":
        return page("code")
    known = device.known_for(person.email)
    try:
        code = read(CodeForm())["code"]
        with transaction():
            second_factor.count(person.id, known)
        _check(person, code, known)
    except Refusal as refusal:
        return page("code", refusal)
    back, left = local_path(flask.session.get(BACK)), second_factor.recovery_codes_left(person)
    account = open_session(person.id)
    if left < 3:
        say("warn", both("U hebt bijna geen herstelcodes meer. Maak nieuwe op de pagina van uw account."))
    return redirect(back or start_page(account))


def _check(person: Account, code: str, known: str) -> None:
    try:
        with transaction():
            second_factor.check(person, code, installation().settings, known)
    except InvalidInput as refusal:
        raise Refusal({"code": pick(refusal.text, current_language())}) from refusal


@blueprint.route("/inloggen/tweede-stap", methods=["GET", "POST"])
@public
def first_set_up() -> ResponseReturnValue:
    """For who must have a second factor and has none: the only page that the password opens."""
    person = _waiting("setup")
    if person is None:
        return _again()

    def enter(codes: Sequence[str]) -> ResponseReturnValue:
        back = local_path(flask.session.get(BACK))
        account = open_session(person.id)
        return show_recovery_codes(codes, back or start_page(account))

    return set_up_page(person, url_for("auth.first_set_up"), enter)


def set_up_page(person: Account, here: str, finish: Callable[[Sequence[str]], ResponseReturnValue]) -> ResponseReturnValue:
    """Shows a new secret until the app gives the right code for it; ``finish`` then gets the recovery codes."""
    settings = installation().settings
    secret: str = flask.session.setdefault(NEW_SECRET, second_factor.new_secret())
    shown: dict[str, Any] = {
        "here": here,
        "required": second_factor.is_required(person, settings),
        "qr": qr_path(second_factor.address(person, secret, settings)),
        "key": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    }
    if request.method != "POST":
        return page("set_up", **shown)
    try:
        code = read(CodeForm())["code"]
        known = device.known_for(person.email)
        with transaction():
            second_factor.count(person.id, known)
        with transaction():
            codes = second_factor.set_up(person, secret, code, settings, known)
    except Refusal as refusal:
        return page("set_up", refusal, **shown)
    except InvalidInput as refusal:
        return page("set_up", Refusal({"code": pick(refusal.text, current_language())}), **shown)
    flask.session.pop(NEW_SECRET)
    return finish(codes)


def show_recovery_codes(codes: Sequence[str], onward: str) -> ResponseReturnValue:
    """The one time that they are shown: the answer to the form itself, so that they are kept nowhere."""
    return page("recovery_codes", codes=codes, onward=onward)


def qr_path(words: str) -> tuple[int, str]:
    """A QR code as the number of squares on a side and the path of an SVG in which each dark square is 1 by 1."""
    drawing = qrcode.QRCode(border=4)
    drawing.add_data(words)
    drawing.make(fit=True)
    rows = drawing.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return len(rows), "".join(dark)


def _waiting(step: str) -> Account | None:
    """Whose login in this browser waits for this step."""
    only_fields("code")
    entry = login.find_waiting(str(flask.session.get(WAITING_LOGIN, "")), step)
    return entry.account if entry else None


def _again() -> ResponseReturnValue:
    say("info", both("Log eerst in met uw wachtwoord. Dat moet opnieuw als het te lang geleden is."))
    return redirect(url_for("auth.login"))
