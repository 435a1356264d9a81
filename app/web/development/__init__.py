"""The development log of a holder or candidate. Its pages stand together on one blueprint."""

from typing import Any

from flask import Blueprint

from app.web.evidence import allow_files

blueprint = Blueprint("development", __name__, url_prefix="/ontwikkeling")


@blueprint.url_value_preprocessor
def prepare_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if endpoint in ("development.add", "development.save"):
        allow_files()


from app.web.development import files, into_dossier, noting, overview  # noqa: E402, F401  they put their pages on it
