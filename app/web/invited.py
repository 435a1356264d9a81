"""Opening an account that the office prepared: the mailed link leads here, and its owner chooses a password."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import links, passwords, people
from app.errors import LinkUnusable
from app.extensions import transaction
from app.texts import both
from app.web.auth import PasswordForm, Refusal, beside, blueprint, dead_link, page, read, say
from app.web.guard import public


@blueprint.route(links.PATHS["invitation"], methods=["GET", "POST"])
@public
def invited(token: str) -> ResponseReturnValue:
    """Opening the link changes nothing (mail scanners do that too); the button does."""
    try:
        account = links.find(token, "invitation").account
        if request.method != "POST":
            return page("invited", name=account.name, address=account.email)
        try:
            password = read(PasswordForm())["password"]
            beside("password", lambda: passwords.check(password, email=account.email, name=account.name))
        except Refusal as refusal:
            return page("invited", refusal, name=account.name, address=account.email)
        password_hash = passwords.hashed(password)
        with transaction():
            people.accept(token, password_hash)
    except LinkUnusable as refusal:
        return dead_link(refusal, url_for("auth.forgot"))
    say("ok", both("Uw account staat klaar. Log in met uw e-mailadres en uw nieuwe wachtwoord."))
    return redirect(url_for("auth.login"))
