"""What an assessor takes along: the sealed documents and the single pieces of evidence. Every look is logged."""

from flask import make_response, send_file
from flask.typing import ResponseReturnValue

from app import audit
from app.assessment import queue
from app.assessment.models import Assessment, HandOver
from app.dossiers import submission
from app.errors import NotFound
from app.extensions import session, transaction
from app.files import sniff, store
from app.texts import both
from app.web.assessor import blueprint
from app.web.evidence import MIMETYPES, SANDBOX
from app.web.guard import guard
from app.web.parts import assessment_of, installation, me

FORMS = {"pdf": "application/pdf", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}


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


@blueprint.get("/<int:assessment_id>/bijlage/<int:number>")
@guard("assessment.read", assessment_of)
def evidence(assessment: Assessment, number: int) -> ResponseReturnValue:
    """The cleaned copy of one piece of evidence, as it stands in the newest bundle."""
    newest = newest_bundle(assessment)
    pieces = submission.content_of(newest.bundle.snapshot)["evidence"]
    piece = next((one for one in pieces if one["number"] == number and one["cleaned_sha256"]), None)
    if piece is None:
        raise NotFound(both("Dit bewijsstuk staat niet in het dossier."))
    note_look("assessment.evidence", assessment, newest, evidence=piece["id"])
    name = sniff.clean_name(f"{number:02d} {piece['title']}.{piece['cleaned_kind']}")
    response = make_response(sent(piece["cleaned_sha256"], name, MIMETYPES[piece["cleaned_kind"]], attachment=True))
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def newest_bundle(assessment: Assessment) -> HandOver:
    """The hand-over of the newest revision; an assessment has at least one."""
    return queue.bundles(assessment)[0]


def note_look(action: str, assessment: Assessment, newest: HandOver, **details: int) -> None:
    """Logs who looked, in a transaction of its own, before anything is sent."""
    with transaction():
        audit.write(action, actor=me(), thing=assessment, snapshot=newest.bundle.snapshot_id, **details)


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
