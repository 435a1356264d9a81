"""A candidate's dossiers: the task list, the supervisor, submitting. Their pages stand together on one blueprint."""

from flask import Blueprint

blueprint = Blueprint("candidate", __name__)

from app.web.candidate import clients, document_language, drafts, invitation, mentor, newer_forms, stopping, submitting, tasks  # noqa: E402, F401  they put their pages on it
