"""What everybody may open: the front page, the language switch and the sign of life."""

import logging

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import registration
from app.errors import InvalidInput
from app.extensions import session, transaction
from app.texts import LANGUAGES, both
from app.web.auth import local_path, remember_language, start_page
from app.web.guard import public
from app.web.parts import me, only_fields

log = logging.getLogger(__name__)
blueprint = Blueprint("public", __name__)


@blueprint.route("/")
@public
def home() -> ResponseReturnValue:
    """What this is and for whom; somebody who is logged in goes straight to the work."""
    if current_user.is_authenticated:
        return redirect(start_page(me()))
    return render_template("public/home.html")


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
