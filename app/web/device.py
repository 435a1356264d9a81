"""The device somebody uses: known from before by a signed cookie, and named in words.

The cookie gives a known device a counter of its own for wrong passwords (``app.accounts.login``). It opens nothing.
"""

import secrets

from flask import after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.accounts.models import Account
from app.extensions import session
from app.texts import both
from app.web.parts import installation

A_YEAR = 365 * 24 * 3600
MOST_PEOPLE = 8  # on one shared device; who came first is forgotten first
# First match counts: every browser also says the names of those it descends from.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def known_for(email: str) -> str:
    """The name of this device when the owner of this address logged in on it before, else ""."""
    name, people = _read()
    account_id = session.scalar(select(Account.id).where(Account.email == email))
    return name if account_id in people else ""


def remember(account_id: int) -> None:
    """From now on this device is known to be this person's too."""
    name, people = _read()
    people = [*(one for one in people if one != account_id), account_id][-MOST_PEOPLE:]
    kept = _serializer().dumps([name or secrets.token_urlsafe(12), people])

    @after_this_request
    def keep(response: Response) -> Response:
        secure = installation().settings.secure_cookies
        response.set_cookie(_cookie(), kept, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
        return response


def words(user_agent: str) -> dict[str, str]:
    """ "Firefox op Windows" for what a browser says of itself."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return both("%(browser)s op %(system)s", browser=browser, system=system)
    return both("Onbekend apparaat") if not browser + system else {"nl": browser or system, "en": browser or system}


def _read() -> tuple[str, list[int]]:
    try:
        name, people = _serializer().loads(request.cookies.get(_cookie(), ""))
    except BadSignature:
        return "", []
    return name, people


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="device")


def _cookie() -> str:
    return "__Host-device" if installation().settings.secure_cookies else "device"
