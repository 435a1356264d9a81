"""What somebody typed in a form that was refused: given back on the page that says so, to be copied. It is stored nowhere."""

from flask import current_app, request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

LEAST = 20  # what is shorter is typed again in a moment
SECRET = ("password", "current", "code", "token", "csrf_token")  # how the names of fields begin that are never shown
NOT_TYPED = (
    "action",
    "before",
    "next",
    "seen",
    "shown",
    "version",
    "conflict-id",
    "made-for",
)  # what stood in the form as it came


def texts() -> list[str]:
    """The longer texts of a form that was sent to a page behind a guard, as they were typed.

    None for a form from another site: its words would look like ours.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method != "POST" or not getattr(view, "guarded_action", ""):
        return []
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return []
    try:
        sent = [(name, value.replace("\r\n", "\n")) for name, value in request.form.items(multi=True)]
    except (HTTPException, OSError):  # too much was sent, or there is no room for it
        return []
    return list(dict.fromkeys(value for name, value in sent if _is_typed(name) and _is_long(value)))


def _is_typed(name: str) -> bool:
    return not name.startswith(SECRET) and name not in NOT_TYPED and not name.startswith("seen-")


def _is_long(value: str) -> bool:
    return len(value.strip()) > LEAST or "\n" in value.strip()


def form_page() -> str:
    """Where the form stood, as near as its address tells: browsers do not say from which page they come."""
    address = request.path
    while address != "/" and not request_ctx.url_adapter.test(address, "GET"):  # type: ignore[union-attr]
        address = address.rpartition("/")[0] or "/"
    return address
