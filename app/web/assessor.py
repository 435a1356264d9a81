"""The assessor's pages: what is assigned to him, reading a dossier, taking its documents along. Every look is logged."""

from flask import Blueprint, render_template, send_file
from flask.typing import ResponseReturnValue

from app import audit
from app.assessment import queue
from app.assessment.models import Assessment, HandOver
from app.dossiers import submission
from app.errors import NotFound
from app.extensions import session, transaction
from app.files import store
from app.texts import both
from app.web.guard import guard
from app.web.parts import assessment_of, installation, me

blueprint = Blueprint("assessor", __name__, url_prefix="/beoordelen")

FORMS = {"pdf": "application/pdf", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}


@blueprint.get("")
@guard("assessment.list")
def home() -> ResponseReturnValue:
    return render_template("assessor/home.html", assignments=queue.assigned_to(me()))


@blueprint.get("/<int:assessment_id>")
@guard("assessment.read", assessment_of)
def read(assessment: Assessment) -> ResponseReturnValue:
    newest = newest_bundle(assessment)
    content = submission.content_of(newest.bundle.snapshot)
    note_look("assessment.viewed", assessment, newest)
    return render_template("assessor/read.html", assessment=assessment, bundle=newest.bundle, content=content)


@blueprint.get("/<int:assessment_id>/dossier.<form>")
@guard("assessment.read", assessment_of)
def document(assessment: Assessment, form: str) -> ResponseReturnValue:
    """The sealed PDF (shown in the page) or DOCX (as a download)."""
    if form not in FORMS:
        raise NotFound(both("Dit document bestaat niet."))
    newest = newest_bundle(assessment)
    note_look(f"assessment.{form}", assessment, newest)
    return sent(
        newest.bundle.pdf_sha256 if form == "pdf" else newest.bundle.docx_sha256,
        f"{file_stem(newest)}.{form}",
        FORMS[form],
        attachment=form != "pdf",
    )


@blueprint.get("/<int:assessment_id>/bundel.zip")
@guard("assessment.read", assessment_of)
def bundle(assessment: Assessment) -> ResponseReturnValue:
    newest = newest_bundle(assessment)
    note_look("assessment.bundle", assessment, newest)
    return sent(newest.bundle.zip_sha256, f"{file_stem(newest)}.zip", "application/zip", attachment=True)


def newest_bundle(assessment: Assessment) -> HandOver:
    """The hand-over of the newest revision; an assessment has at least one."""
    return queue.bundles(assessment)[0]


def note_look(action: str, assessment: Assessment, newest: HandOver) -> None:
    """Logs who looked, in a transaction of its own, before anything is sent."""
    with transaction():
        audit.write(action, actor=me(), thing=assessment, snapshot=newest.bundle.snapshot_id)


def file_stem(newest: HandOver) -> str:
    snapshot = newest.bundle.snapshot
    return f"{snapshot.dossier.reference}-{snapshot.revision}"


def sent(sha256: str, name: str, mimetype: str, *, attachment: bool) -> ResponseReturnValue:
    """A stored file as the answer; parts of it on request, so that a viewer can start reading at once."""
    path = store.path(installation().settings.blobs, sha256)
    session.rollback()
    return send_file(
        path, mimetype=mimetype, download_name=name, as_attachment=attachment, conditional=True, etag=sha256, max_age=0
    )
