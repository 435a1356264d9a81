"""The mailed link and the working session behind it."""

from datetime import timedelta
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import audit, permissions
from app.dossiers import statements
from app.dossiers.models import Statement
from app.errors import LinkUnusable
from app.extensions import session, transaction
from app.schemes.model import Question
from app.texts import pick
from app.web.guard import public
from app.web.language import COOKIE, current_language
from app.web.parts import caller, installation
from app.web.supervisor import blueprint


@blueprint.get("/verklaring/<token>")
@public
def invitation(token: str) -> ResponseReturnValue:
    """Who asks what of whom. Changes nothing."""
    statement = spoken(statements.by_link(token))
    former = session.get(Statement, statement.renews_id) if statement.renews_id is not None else None
    return render_template(
        "supervisor/client_invitation.html" if is_client(statement) else "supervisor/invitation.html",
        statement=statement,
        reads=asked(statement).settings["reads"],
        anonymous=statements.is_anonymous(statement),
        role=pick(statements.settings_of(statement).role, current_language()),
        token=token,
        question=asked(statement),
        signed_before=former.signed_at if former is not None else None,
    )


@blueprint.post("/verklaring/<token>/verder")
@public
def enter(token: str) -> ResponseReturnValue:
    with transaction():
        statement = spoken(statements.by_link(token))
        secret = statements.open_session(statement, who_is_logged_in(), **caller())
        audit.write("statement.opened", actor=statement, thing=statement)
    answer = redirect(url_for("supervisor.read" if asked(statement).settings["reads"] else "supervisor.form"))
    keep_session(answer, secret)
    if COOKIE not in request.cookies:  # also a page that no longer finds the statement then speaks this language
        answer.set_cookie(
            COOKIE, statement.language, secure=installation().settings.secure_cookies, httponly=True, samesite="Lax"
        )
    return answer


def cookie_name() -> str:
    return "__Host-statement" if installation().settings.secure_cookies else "statement"


def keep_session(answer: Any, secret: str) -> None:
    answer.set_cookie(
        cookie_name(),
        secret,
        max_age=timedelta(hours=statements.SESSION_HOURS),
        secure=installation().settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )


def supervisor() -> permissions.Actor | None:
    """The statement whose working session this browser has. Raises ``LinkUnusable`` in words when there is none."""
    if "statement" not in g:
        g.statement = spoken(statements.by_session(request.cookies.get(cookie_name(), "")))
    statement: Statement = g.statement
    return statement


def own_statement() -> Statement:
    supervisor()
    statement: Statement = g.statement
    return statement


def is_there() -> bool:
    """Whether this browser has a working session."""
    try:
        return supervisor() is not None
    except LinkUnusable:
        return False


def spoken(statement: Statement) -> Statement:
    """The page speaks the language of the invitation, unless the reader chose another."""
    g.invited_in = statement.language
    return statement


def who_is_logged_in() -> int | None:
    """The account of this browser, if any: a candidate does not give his own statement."""
    return int(current_user.id) if current_user.is_authenticated else None


def is_client(statement: Statement) -> bool:
    """Whether the pages speak a client's words."""
    return statements.settings_of(statement).kind == "client"


def asked(statement: Statement) -> Question:
    """The question of the dossier that this statement answers."""
    return statements.question_of(statement)
