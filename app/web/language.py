"""Which language a page speaks: the person's choice, else Dutch."""

from flask import g, has_request_context, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from app.texts import DEFAULT_LANGUAGE, LANGUAGES

COOKIE = "language"


def current_language() -> str:
    """ "nl" or "en": the choice of the language switch, else the language of the person or of the mailed link, else Dutch."""
    if not has_request_context():
        return DEFAULT_LANGUAGE
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    if "invited_in" in g:
        return str(g.invited_in)
    try:
        return str(current_user.language) if current_user and current_user.is_authenticated else DEFAULT_LANGUAGE
    except SQLAlchemyError:  # the page that says so must not need the database
        return DEFAULT_LANGUAGE
