"""Coming in and going out: registering, confirming, logging in, another password. Also what all pages with such forms share.

The second step of logging in is in ``second_step``, one's own account page in ``account``: same blueprint, same manner.
"""

import logging
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

import flask
from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from marshmallow import RAISE, Schema, ValidationError, fields
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from werkzeug.wrappers import Response

from app import mail
from app.accounts import links, login, passwords, recovery, registration, second_factor
from app.accounts.models import Account
from app.errors import Forbidden, InvalidInput, LinkUnusable
from app.extensions import login_manager, transaction
from app.texts import both, pick
from app.web import device, messages
from app.web.errors import answer
from app.web.guard import public
from app.web.language import COOKIE, current_language
from app.web.navigation import office_menu
from app.web.parts import caller, installation, me, ring

log = logging.getLogger(__name__)
blueprint = Blueprint("auth", __name__)

START_PAGES = {
    "candidate": "candidate.home",
    "mentor": "mentor.home",
    "assessor": "assessor.home",
    "office": "office.home",
    "auditor": "audit_log.home",
}
PARTS_OF = {"section": "candidate", "evidence": "candidate"}  # pages that belong to a menu item of another blueprint
WAITING_ADDRESS = "address that waits for a mail"  # key in the cookie, so that "send again" needs no typing
WAITING_LOGIN = "login that waits for its second step"
BACK = "where to go after the second step"
BACK_AFTER_REGISTERING = "where to go after confirming and logging in"
SECRET_FIELDS = ("password", "current", "code", "csrf_token")  # how their names begin
LONGEST_FIELD = 1000
A_YEAR = 365 * 24 * 3600


# --- who is there --------------------------------------------------------------------------------------------------


def account_of(key: str) -> Account | None:
    """The account whose login session has this key, while that session counts.

    Not for who must have a second factor and has none, such as somebody who was just given a role: he logs in again first.
    """
    settings = installation().settings
    entry = login.find(key, settings)
    if entry is None:
        return None
    if second_factor.is_required(entry.account, settings) and second_factor.next_step(entry.account, settings) == "setup":
        return None
    g.login_is_stale = login.is_stale(entry)
    entry.account.session_key = key
    return entry.account


login_manager.user_loader(account_of)


@blueprint.before_app_request
def keep_login_alive() -> None:
    """A login that is used does not become idle. On a full disk or a busy database people can still read."""
    if request.endpoint != "static" and current_user.is_authenticated and g.get("login_is_stale"):
        try:
            with transaction():
                login.seen(current_user.session_key)
        except OperationalError:
            log.warning("could not note that a login is in use", exc_info=True)


@blueprint.app_context_processor
def people_and_places() -> dict[str, object]:
    """The header's account and menu. Nothing when the database is away: the page that says so needs them least."""
    try:
        if not current_user.is_authenticated:
            return {}
        return {
            "account": {"name": current_user.name, "href": url_for("auth.account"), "logout": url_for("auth.logout")},
            "nav": [
                *(item for role in START_PAGES if role in current_user.roles for item in _menu_items(role)),
                messages.menu_item(current_user),
            ],
            "office_menu": office_menu(current_user),
        }
    except SQLAlchemyError:
        return {}


def _menu_items(role: str) -> list[dict[str, object]]:
    """A candidate also has a log of what he does between two dossiers."""
    if role != "candidate":
        return [_menu_item(role)]
    words = pick(both("Ontwikkeling"), current_language())
    log = {"href": url_for("development.home"), "text": words, "current": request.blueprint == "development"}
    return [_menu_item(role), log]


def _menu_item(role: str) -> dict[str, object]:
    words = {
        "candidate": both("Mijn dossiers"),
        "mentor": both("Meelezen"),
        "assessor": both("Mijn beoordelingen"),
        "office": both("Secretariaat"),
        "auditor": both("Logboek"),
    }
    endpoint = START_PAGES[role]
    current = PARTS_OF.get(request.blueprint or "", request.blueprint) == endpoint.partition(".")[0]
    return {"href": url_for(endpoint), "text": pick(words[role], current_language()), "current": current}


def start_page(account: Account) -> str:
    """Where this person's work begins."""
    return url_for(next((page for role, page in START_PAGES.items() if role in account.roles), "auth.account"))


def local_path(address: str | None) -> str | None:
    """``address`` when it is a path on this site and nothing else: a link may not send people elsewhere after login."""
    if not address or not address.isprintable() or "\\" in address or not address.startswith("/"):
        return None
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc or address.startswith("//") else address


# --- forms ---------------------------------------------------------------------------------------------------------


class Typed(fields.Field[str]):
    """A text field whose content a verb brings in the form that is kept, or refuses in words."""

    def __init__(self, clean: Callable[[str], str] = str) -> None:
        super().__init__()
        self.clean = clean

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> str:
        if len(str(value)) > LONGEST_FIELD:
            raise ValidationError(pick(both("Dit is te lang. Gebruik minder tekens."), current_language()))
        try:
            return self.clean(str(value))
        except InvalidInput as refusal:
            raise ValidationError(pick(refusal.text, current_language())) from refusal


def new_password(text: str) -> str:
    passwords.check(text)
    return text


class Form(Schema):
    """What a page may send: any other field is refused."""

    class Meta:
        unknown = RAISE


class RegistrationForm(Form):
    name = Typed(registration.person_name)
    email = Typed(mail.address)
    password = Typed(new_password)
    next = Typed()


class AddressForm(Form):
    email = Typed(mail.address)


class LoginForm(Form):
    email = Typed(mail.address)
    password = Typed()
    next = Typed()


class PasswordForm(Form):
    password = Typed(new_password)


class Refusal(Exception):
    """The page is shown again with these words beside the fields (field name -> words)."""

    def __init__(self, words: Mapping[str, str], status: int = 422) -> None:
        super().__init__(", ".join(words))
        self.words, self.status = dict(words), status


def read(form: Form) -> dict[str, str]:
    """The form as sent, cleaned. Raises ``Refusal`` for what can be mended, ``InvalidInput`` for fields that are not ours."""
    refuse_strange_fields(form)
    try:
        return dict(form.load({name: request.form.get(name, "") for name in form.fields}))
    except ValidationError as refusal:
        raise Refusal({name: str(words[0]) for name, words in cast(dict[str, list[str]], refusal.messages).items()}) from refusal


def refuse_strange_fields(form: Form) -> None:
    """Raises ``InvalidInput`` for fields that are not ours."""
    if set(request.form) - {*form.fields, "csrf_token"}:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))


def beside(field: str, verb: Callable[[], object]) -> None:
    """Does ``verb``; what it refuses is said beside ``field``."""
    try:
        verb()
    except InvalidInput as refusal:
        raise Refusal({field: pick(refusal.text, current_language())}) from refusal


def page(template: str, refusal: Refusal | None = None, **values: object) -> ResponseReturnValue:
    """A page with a form: what was typed stays (never a password or code), and each error stands above and beside its field."""
    words = refusal.words if refusal else {}
    typed = {name: value for name, value in request.form.items() if not name.startswith(SECRET_FIELDS)}
    errors = [{"text": text, "href": f"#{field}"} for field, text in words.items()]
    html = render_template(f"auth/{template}.html", typed=typed, wrong=words, errors=errors, **values)
    return html, refusal.status if refusal else 200


def say(kind: str, text: Mapping[str, str]) -> None:
    """A message at the top of the next page; ``kind`` is ok, info, warn or error."""
    flash(pick(text, current_language()), kind)


def dead_link(refusal: LinkUnusable, ask_again: str) -> ResponseReturnValue:
    """The page for a link that no longer works, with both ways on."""
    speaks = current_language()
    actions = [
        {"href": ask_again, "text": pick(both("Vraag een nieuwe link aan"), speaks)},
        {"href": url_for("auth.login"), "text": pick(both("Log in"), speaks)},
    ]
    return answer(410, refusal.text, actions=actions)


def send_mail() -> None:
    """Rings for the mail that was just put in the outbox."""
    for mail_id in mail.due():
        ring("mail", mail_id)


# --- registering ---------------------------------------------------------------------------------------------------


@blueprint.route("/registreren", methods=["GET", "POST"])
@public
def register() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(start_page(me()))
    back = local_path(request.values.get("next"))
    if request.method != "POST":
        return page("register", back=back)
    try:
        typed = read(RegistrationForm())
        beside("password", lambda: passwords.check(typed["password"], email=typed["email"], name=typed["name"]))
    except Refusal as refusal:
        return page("register", refusal, back=back)
    password_hash = passwords.hashed(typed["password"])  # also for an address in use: the answer takes as long
    with transaction():
        registration.register(
            email=typed["email"],
            name=typed["name"],
            password_hash=password_hash,
            language=current_language(),
            settings=installation().settings,
        )
    send_mail()
    flask.session[WAITING_ADDRESS], flask.session[BACK_AFTER_REGISTERING] = typed["email"], back
    return redirect(url_for("auth.mailed"))


@blueprint.route("/registreren/mail")
@public
def mailed() -> ResponseReturnValue:
    """Says where the mail went: the same words whether the address was known or not."""
    return page("mailed", address=flask.session.get(WAITING_ADDRESS, ""))


@blueprint.route("/bevestigen", methods=["GET", "POST"])
@public
def resend() -> ResponseReturnValue:
    """Asks for a new confirmation link."""
    if request.method != "POST":
        return page("resend", address=flask.session.get(WAITING_ADDRESS, ""))
    try:
        email = read(AddressForm())["email"]
    except Refusal as refusal:
        return page("resend", refusal, address="")
    with transaction():
        registration.resend_confirmation(email, installation().settings)
    send_mail()
    flask.session[WAITING_ADDRESS] = email
    say("ok", both("Wacht dit adres op bevestiging? Dan is er een nieuwe e-mail onderweg."))
    return redirect(url_for("auth.mailed"))


@blueprint.route(links.PATHS["confirm_email"], methods=["GET", "POST"])
@public
def confirm(token: str) -> ResponseReturnValue:
    """Opening the link changes nothing (mail scanners do that too); the button does."""
    try:
        if request.method != "POST":
            return page("confirm", address=links.find(token, "confirm_email").sent_to)
        with transaction():
            registration.confirm(token)
    except LinkUnusable as refusal:
        return dead_link(refusal, url_for("auth.resend"))
    flask.session.pop(WAITING_ADDRESS, None)
    say("ok", both("Uw e-mailadres is bevestigd. U kunt nu inloggen."))
    return redirect(url_for("auth.login", next=local_path(flask.session.pop(BACK_AFTER_REGISTERING, None))))


# --- logging in and out --------------------------------------------------------------------------------------------


@blueprint.route("/inloggen", methods=["GET", "POST"], endpoint="login")
@public
def log_in() -> ResponseReturnValue:
    back = local_path(request.values.get("next"))
    if request.method != "POST":
        return redirect(back or start_page(me())) if current_user.is_authenticated else page("login", back=back)
    try:
        typed = read(LoginForm())
        onward = _let_in(typed["email"], typed["password"], back)
    except Refusal as refusal:
        return page("login", refusal, back=back)
    except Forbidden as refusal:
        if refusal.details.get("reason") != "unconfirmed":
            return page("login", Refusal({"email": pick(refusal.text, current_language())}, 403), back=back)
        flask.session[WAITING_ADDRESS] = typed["email"]
        say("warn", refusal.text)
        return redirect(url_for("auth.resend"))
    return redirect(onward)


def _let_in(email: str, password: str, back: str | None) -> str:
    """The whole login, in its three steps (see ``app.accounts.login``); gives where to go next."""
    try:
        account_id = check_password(email, password)
    except InvalidInput as refusal:
        raise Refusal({"email": pick(refusal.text, current_language())}) from refusal
    with transaction() as current:
        step = second_factor.next_step(current.get_one(Account, account_id), installation().settings)
        login.end(_old_key())
        key = login.enter(account_id, **caller(), waits_for=step)
    if not step:
        account = _keep_open(key)
        return back or start_page(account)
    logout_user()
    flask.session.clear()
    flask.session[WAITING_LOGIN] = key
    flask.session[BACK] = back
    return url_for("auth.second_step" if step == "code" else "auth.first_set_up")


def check_password(email: str, password: str) -> int:
    """Counts this try and checks it; gives the account's id. Raises ``InvalidInput`` and ``TooManyRequests``."""
    address, known = request.remote_addr or "", device.known_for(email)
    with transaction():
        login.begin(email, address, known)
    account_id = login.verify(email, password)
    with transaction():
        login.succeeded(email, address, known)
    return account_id


def open_session(account_id: int) -> Account:
    """A whole new login session on the server, in place of the one that waited or was there."""
    with transaction():
        login.end(_old_key())
        login.end(flask.session.get(WAITING_LOGIN, ""))
        key = login.enter(account_id, **caller())
    return _keep_open(key)


def _old_key() -> str:
    return current_user.session_key if current_user.is_authenticated else ""


def _keep_open(key: str) -> Account:
    """A cookie that holds the key and nothing of the old one; from now on this device is known to be this person's."""
    flask.session.clear()
    account = account_of(key)
    if account is None:
        raise RuntimeError("a login session that was just opened does not count")
    login_user(account)
    device.remember(account.id)
    return account


@blueprint.route("/uitloggen", methods=["POST"])
@public
def logout() -> ResponseReturnValue:
    if current_user.is_authenticated:
        with transaction():
            login.end(current_user.session_key)
    logout_user()
    flask.session.clear()
    say("ok", both("U bent uitgelogd."))
    return redirect(url_for("public.home"))


# --- another password ----------------------------------------------------------------------------------------------


@blueprint.route("/wachtwoord-vergeten", methods=["GET", "POST"])
@public
def forgot() -> ResponseReturnValue:
    if request.method != "POST":
        return page("forgot", sent_to="")
    try:
        email = read(AddressForm())["email"]
    except Refusal as refusal:
        return page("forgot", refusal, sent_to="")
    with transaction():
        recovery.ask_reset(email, installation().settings)
    send_mail()
    return page("forgot", sent_to=email)


@blueprint.route(links.PATHS["reset_password"], methods=["GET", "POST"])
@public
def reset(token: str) -> ResponseReturnValue:
    try:
        return _reset(token)
    except LinkUnusable as refusal:
        return dead_link(refusal, url_for("auth.forgot"))


def _reset(token: str) -> ResponseReturnValue:
    owner = links.find(token, "reset_password").account
    if request.method != "POST":
        return page("reset", address=owner.email)
    try:
        password = read(PasswordForm())["password"]
        beside("password", lambda: passwords.check(password, email=owner.email, name=owner.name))
    except Refusal as refusal:
        return page("reset", refusal, address=owner.email)
    password_hash = passwords.hashed(password)
    with transaction():
        recovery.reset(token, password_hash)
    send_mail()
    say("ok", both("Uw nieuwe wachtwoord is opgeslagen. Log er nu mee in."))
    return redirect(url_for("auth.login"))


def remember_language(response: Response, language: str) -> None:
    """Keeps the choice in this browser, also for whoever is not logged in."""
    secure = installation().settings.secure_cookies
    response.set_cookie(COOKIE, language, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
