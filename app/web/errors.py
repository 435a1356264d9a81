"""Every refusal as a page (or as JSON for the page's own script): what happened, what to do, and a reference for the office."""

import errno
import logging
import secrets
import sqlite3
from collections.abc import Mapping, Sequence

from flask import Flask, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from app import errors
from app.errors import DomainError, Text
from app.extensions import session
from app.files import store
from app.texts import both, pick
from app.web import unsaved
from app.web.language import current_language

log = logging.getLogger(__name__)

NOT_HERE = both("Deze pagina bestaat niet, of u mag hem niet zien. Controleer het adres of ga naar het begin.")
STATUS: dict[type[DomainError], int] = {
    errors.InvalidInput: 422,
    errors.FileRefused: 422,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    errors.LinkUnusable: 410,
    errors.StorageFailure: 507,
    errors.SealingFailed: 500,
}
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
RETRY_AFTER_S = 30


def install(app: Flask) -> None:
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(CSRFError, expired_form)
    app.register_error_handler(SecurityError, foreign_host)
    app.register_error_handler(OperationalError, database_trouble)
    app.register_error_handler(OSError, disk_trouble)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, broken)


def status_of(error: DomainError) -> int:
    """The HTTP status of a refusal: of its class or the nearest parent."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)


def wants_json() -> bool:
    """Whether the page's own script asks (it sends this header), so that words come back instead of a page."""
    return request.headers.get("X-Requested-With") in ("autosave", "upload")


def refused(error: DomainError) -> ResponseReturnValue:
    status = status_of(error)
    response = answer(status, error.text, error=error if status >= 500 else None)
    if status == 429 and "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    return response


def expired_form(error: CSRFError) -> ResponseReturnValue:
    if unsaved.texts() and not wants_json():
        return log_in_again(
            400,
            both("Dit lukte niet"),
            both("Deze pagina is te lang open geweest, of u bent intussen uitgelogd. Wat u verstuurde, is niet opgeslagen."),
        )
    return answer(
        400,
        both(
            "Deze pagina is te lang open geweest of komt niet van onze site. Ga terug, ververs de pagina en probeer het opnieuw. "
            "Wat u typte staat er dan nog."
        ),
    )


def logged_out() -> Response:
    """Somebody sent texts and is not logged in (any more): a redirect would lose them."""
    return log_in_again(
        403,
        both("U bent uitgelogd"),
        both("U bent niet (meer) ingelogd. Daarom is niet opgeslagen wat u verstuurde. Log opnieuw in en vul het nog eens in."),
    )


def log_in_again(status: int, title: Text, text: Text) -> Response:
    words = pick(both("Log opnieuw in"), current_language())
    actions = [{"href": url_for("auth.login", next=unsaved.form_page()), "text": words}]
    return answer(status, text, title=title, actions=actions)


def foreign_host(error: SecurityError) -> ResponseReturnValue:
    """Asked under a name that is not ours. No page: its links would have no address to stand on."""
    text = both("Deze site heeft een ander adres. Controleer het adres in uw browser.")
    return f"{text['nl']}\n{text['en']}\n", 400, {"Content-Type": "text/plain; charset=utf-8"}


def http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    words = {
        400: both("Wij konden dit verzoek niet lezen. Ga terug, ververs de pagina en probeer het opnieuw."),
        404: NOT_HERE,
        405: both("Deze pagina kan zo niet worden geopend. Ga terug en gebruik de knop op de pagina."),
        413: both("Wat u verstuurt is te groot. Kies kleinere bestanden of minder tegelijk."),
        429: both("U doet dit te vaak achter elkaar. Wacht een paar minuten en probeer het opnieuw."),
    }
    return answer(error.code, words.get(error.code, words[400] if error.code < 500 else trouble()))


def database_trouble(error: OperationalError) -> ResponseReturnValue:
    """Nothing was written: somebody else wrote for too long, the disk takes nothing more, or the database is away."""
    session.rollback()
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in NO_ROOM:
        return refused(store.storage_failure())
    if code in BUSY:
        text: Text = both(
            "Wij kunnen dit nu even niet opslaan, doordat het druk is. Ga terug en probeer het over een minuut opnieuw."
        )
    elif code == sqlite3.SQLITE_CANTOPEN or error.connection_invalidated:
        text = trouble()
    else:
        return broken(error)
    log.warning("the database was busy or away on %s %s", request.method, request.url_rule)
    response = answer(503, text)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def disk_trouble(error: OSError) -> ResponseReturnValue:
    """A file that is sent in waits in a temporary folder first, which may be full too."""
    return refused(store.storage_failure()) if error.errno in DISK_FULL else broken(error)


def broken(error: Exception) -> ResponseReturnValue:
    session.rollback()
    return answer(500, trouble(), error=error)


def trouble() -> Text:
    return both("Er ging bij ons iets mis. Probeer het over een paar minuten opnieuw. Wat al was opgeslagen, staat er nog.")


def answer(
    status: int,
    text: Text,
    *,
    title: Text | None = None,
    actions: Sequence[Mapping[str, str]] = (),
    error: Exception | None = None,
) -> Response:
    """The page (or JSON) for ``status``, with what was typed and the reference under which the log has it, with ``error``."""
    language = current_language()
    reference = secrets.token_hex(4)
    level = logging.ERROR if status >= 500 and status != 503 else logging.WARNING
    where = (request.method, request.url_rule)  # no path: it may be a link
    log.log(level, "refused with %s, reference %s, on %s %s", status, reference, *where, exc_info=error)
    if wants_json():
        response = jsonify(error=pick(text, language), reference=reference)
    else:
        title = title or {
            403: both("Dit mag u nu niet doen"),
            404: both("Deze pagina is er niet"),
            409: both("Er is intussen iets veranderd"),
            410: both("Deze link werkt niet meer"),
            413: both("Dit is te groot"),
            422: both("Dit kunnen wij zo niet aannemen"),
            429: both("Even wachten"),
            503: both("Even geduld"),
            507: both("Er is geen ruimte om iets op te slaan"),
        }.get(status, both("Er ging iets mis") if status >= 500 else both("Dit lukte niet"))
        typed = unsaved.texts()
        response = make_response(
            render_template(
                "error.html",
                title=pick(title, language),
                text=pick(text, language),
                status=status,
                reference=reference,
                actions=actions or ([] if typed else ways_on(status)),
                typed=typed,
            )
        )
    response.status_code = status
    return response


def ways_on(status: int) -> list[dict[str, str]]:
    """Links for somebody who is stuck here: the same page again, where that may help, and the start."""
    language = current_language()
    links = [{"href": url_for("public.home"), "text": pick(both("Naar het begin"), language)}]
    if request.method == "GET" and (status == 429 or status >= 500):
        links.insert(0, {"href": request.full_path.rstrip("?"), "text": pick(both("Probeer het opnieuw"), language)})
    return links
