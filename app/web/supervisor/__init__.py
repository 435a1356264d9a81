"""The supervisor's pages: from the mailed link to a signed statement and his own copy, without an account.

Opening the link changes nothing (mail scanners open links too). "Ga verder" opens a working session, kept in a cookie of
its own, and ends an older one. Signing or declining spends the link.
"""

from flask import Blueprint

blueprint = Blueprint("supervisor", __name__)

from app.web.supervisor import ending, filling, opening, reading, rows  # noqa: E402, F401  they put their pages on it
