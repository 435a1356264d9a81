"""The door of every page: who is there, and may he do this? An endpoint without a guard fails the tests.

``@guard("dossier.edit", dossier_by_reference)`` loads the thing from the address, asks ``permissions.may`` and gives the
thing to the view instead of the address's parts. ``@public`` marks the few pages that everybody may open.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import permissions
from app.errors import DomainError, Forbidden, NotFound
from app.texts import both
from app.web import unsaved
from app.web.errors import NOT_HERE, logged_out, wants_json

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Load = Callable[..., object]
WhoIsThere = Callable[[], permissions.Actor | None]
Already = Callable[..., ResponseReturnValue | None]


def signed_in() -> permissions.Actor | None:
    """The account that is logged in, if any."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def public(view: View) -> View:
    """Everybody may open this page."""
    view.guarded_action = ""  # type: ignore[attr-defined]
    return view


def guard(
    action: str, load: Load | None = None, *, who: WhoIsThere = signed_in, already: Already | None = None
) -> Callable[[View], View]:
    """Lets only those in who may do ``action``. ``load`` finds the thing from the address or raises ``NotFound``.

    ``already`` answers the second of two clicks: it looks whether this person just did what the form says, and gives
    ``None`` when not.

    Not logged in: to the login page, and back afterwards; when texts were sent, a page that gives them back first.
    A thing that is not his: 404. His, but not now or not this: 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**address: Any) -> ResponseReturnValue:
            actor = who()
            if actor is None:
                return _to_login()
            used, rest = _shared_out(load, address)
            thing = load(**used) if load else None
            if permissions.may(actor, action, thing):
                return view(thing, **rest) if load else view(**rest)
            if already is not None and request.method == "POST" and (answer := _second_click(already, thing, rest)):
                return answer
            if permissions.is_partial_office(actor, thing) and action in permissions.OFFICE_ACTIONS:
                raise Forbidden(permissions.LEAVE_IT)
            if thing is not None and not permissions.may_know(actor, thing):
                raise NotFound(NOT_HERE)
            raise Forbidden(both("U kunt dit nu niet doen: uw rol of de fase van het dossier laat het niet toe."))

        guarded.guarded_action = action  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def _second_click(already: Already, thing: object, rest: dict[str, Any]) -> ResponseReturnValue | None:
    try:
        return already(thing, **rest)
    except DomainError:  # what cannot be read was never done
        return None


def _shared_out(load: Load | None, address: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of the address that the loader takes, and the rest, which is for the view."""
    code = load.__code__ if load else None
    taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
    used = {name: value for name, value in address.items() if name in taken}
    return used, {name: value for name, value in address.items() if name not in taken}


def _to_login() -> ResponseReturnValue:
    if not wants_json() and unsaved.texts():
        return logged_out()
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=back))
