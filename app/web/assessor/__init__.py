"""The assessor's pages: what is assigned to him, his declaration, reading, judging and signing. They stand on one blueprint."""

from flask import Blueprint

blueprint = Blueprint("assessor", __name__, url_prefix="/beoordelen")

from app.web.assessor import documents, drafting, judging, listing, signing  # noqa: E402, F401  they put their pages on it
