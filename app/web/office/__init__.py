"""The secretariat's pages. They stand together on one blueprint."""

from flask import Blueprint

blueprint = Blueprint("office", __name__, url_prefix="/secretariaat")

from app.web.office import (  # noqa: E402  they put their pages on it
    admission,  # noqa: F401
    assigning,  # noqa: F401
    deeds,  # noqa: F401
    dossier,  # noqa: F401
    dossiers,  # noqa: F401
    mails,  # noqa: F401
    people,  # noqa: F401
    plugins,  # noqa: F401
    register,  # noqa: F401
    stuck,  # noqa: F401
    today,  # noqa: F401
)
