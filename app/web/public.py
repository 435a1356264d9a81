"""What everybody may open: the front page, the language switch and the sign of life."""

import logging
from collections.abc import Mapping
from datetime import date

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import login, registration
from app.dossiers import submission
from app.errors import InvalidInput, NotFound, Text
from app.extensions import session, transaction
from app.schemes import versions
from app.texts import LANGUAGES, both, pick
from app.web import dates
from app.web.auth import local_path, remember_language, start_page
from app.web.guard import public
from app.web.language import current_language
from app.web.parts import installation, me, only_fields

log = logging.getLogger(__name__)
blueprint = Blueprint("public", __name__)

NAMES = {
    "hulp": "help",
    "privacy": "privacy",
    "toegankelijkheid": "accessibility",
    "reglement": "regulations",
    "gedragscode": "conduct",
    "overeenkomst": "agreement",
}


@blueprint.route("/")
@public
def home() -> ResponseReturnValue:
    """What this is and for whom; somebody who is logged in goes straight to the work."""
    if current_user.is_authenticated:
        return redirect(start_page(me()))
    return render_template("public/home.html")


@blueprint.route("/over/<page>")
@public
def about(page: str) -> ResponseReturnValue:
    """A page about the service. The regulations are made from the schemes' own data."""
    titles = about_titles()
    if page not in titles:
        raise NotFound(both("Deze pagina bestaat niet."))
    speaks = current_language()
    return render_template(
        f"public/about/{NAMES[page]}.{speaks}.html",
        title=pick(titles[page], speaks),
        login_days=login.KEPT.days,
        day=lambda iso: dates.day(date.fromisoformat(iso)),
        accredited=lambda template: versions.accredited(template, submission.today()),
        earlier=installation().catalogue.earlier,
        schemes=sorted(installation().catalogue.schemes.values(), key=lambda one: one.template.effective_from),
    )


def about_titles() -> Mapping[str, Text]:
    """What the pages about the service are called, by the word in their address."""
    return {
        "hulp": both("Hulp en veelgestelde vragen"),
        "privacy": both("Uw privacy"),
        "toegankelijkheid": both("Toegankelijkheid"),
        "reglement": both("Reglement"),
        "gedragscode": both("Gedragscode"),
        "overeenkomst": both("Overeenkomst"),
    }


@blueprint.app_context_processor
def footer() -> dict[str, object]:
    speaks = current_language()
    return {
        "footer_links": [
            {"href": url_for("public.about", page=page), "text": pick(title, speaks)} for page, title in about_titles().items()
        ]
    }


@blueprint.route("/taal", methods=["POST"])
@public
def language() -> ResponseReturnValue:
    only_fields("language", "next")
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise InvalidInput(both("Kies een taal uit de lijst."))
    if current_user.is_authenticated:
        with transaction():
            registration.speak(me(), chosen)
    response = redirect(local_path(request.form.get("next")) or url_for("public.home"))
    remember_language(response, chosen)
    return response


@blueprint.route("/healthz")
@public
def health() -> ResponseReturnValue:
    """For whoever watches the server: 200 while pages can be made, 503 while the database does not answer."""
    try:
        session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        log.exception("the database does not answer")
        return jsonify(status="database"), 503
    return jsonify(status="ok")
