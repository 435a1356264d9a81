"""The files of the log: opening, sending in parts, taking in with a form."""

from pathlib import Path

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from app import audit
from app.development import files as log_files
from app.development.models import LogEntry, LogFile
from app.errors import NotFound
from app.extensions import transaction
from app.files.parts import Coming, WrongPlace
from app.files.store import put_stream
from app.schemes.question_types import EVIDENCE_KINDS
from app.texts import both
from app.web import evidence, uploads
from app.web.development import blueprint
from app.web.development.parts import file_of
from app.web.evidence import TakenIn, clean_attachment, small_picture, stored, welcome_kind
from app.web.guard import guard
from app.web.parts import installation, me, only_fields


@blueprint.get("/bestand/<int:log_file_id>")
@guard("log.file", file_of)
def download(item: LogFile) -> ResponseReturnValue:
    """The cleaned copy. Nothing that was not checked is ever sent."""
    if item.stage != "checked":
        raise NotFound(both("Dit bestand is nog niet gecontroleerd of is geweigerd. U kunt het daarom niet openen."))
    with transaction():
        audit.write("log_file.downloaded", actor=me(), thing=item)
    return clean_attachment(item)


@blueprint.get("/bestand/<int:log_file_id>/voorbeeld")
@guard("log.file", file_of)
def thumbnail(item: LogFile) -> ResponseReturnValue:
    return small_picture(item)


@blueprint.post("/delen")
@guard("log.list")
def start_file() -> ResponseReturnValue:
    """A file that the page's script sends in parts, as ``app.web.uploads`` does for a dossier."""
    only_fields("filename", "size", "modified", "use")
    coming, settings, owner = uploads.announced(), installation().settings, me()

    def is_there(file_id: int) -> bool:
        return bool(log_files.loose(owner, [file_id]))

    return uploads.begin(_room(), coming, EVIDENCE_KINDS, is_there, lambda: log_files.check_room(owner, settings, coming.size))


@blueprint.post("/delen/<upload_id>")
@guard("log.list")
def add_part(upload_id: str) -> ResponseReturnValue:
    return uploads.go_on_with(_room(), upload_id, lambda coming: EVIDENCE_KINDS)


@blueprint.post("/delen/<upload_id>/klaar")
@guard("log.list")
def finish_file(upload_id: str) -> ResponseReturnValue:
    only_fields("sha256")
    try:
        return jsonify(id=uploads.complete(_room(), upload_id, _take_whole, "log_file"))
    except WrongPlace as elsewhere:
        return uploads.not_whole(elsewhere)


def _take_whole(coming: Coming, path: Path) -> int:
    settings = installation().settings
    with path.open("rb") as stream:
        kind = welcome_kind(stream, coming.name, EVIDENCE_KINDS)
        blob = put_stream(settings.blobs, stream, limit=settings.max_file_bytes)
    with transaction():
        item = log_files.receive(me(), blob, coming.name, kind, settings)
        audit.write("log_file.received", actor=me(), thing=item)
        return item.id


def take_in() -> TakenIn:
    """The files that came with the form itself: without the page's script."""

    def take(sent: FileStorage, name: str) -> int:
        settings = installation().settings
        log_files.check_room(me(), settings)
        blob, kind = stored(sent, name, EVIDENCE_KINDS)
        with transaction():
            item = log_files.receive(me(), blob, name, kind, settings)
            audit.write("log_file.received", actor=me(), thing=item)
            return item.id

    return evidence.take_each(request.files.getlist("upload"), take, "log_file")


def remove_file(entry: LogEntry | None, file_id: int) -> None:
    """Takes a file out of the form's entry, or away before it had one; nothing happens when it is gone already."""
    with transaction():
        try:
            item = log_files.find(me(), file_id)
        except NotFound:
            return
        if item.entry_id not in (None, entry.id if entry else None):
            return
        log_files.remove(item)
        audit.write("log_file.removed", actor=me(), thing=item)


def _room() -> Path:
    return installation().settings.uploads / f"log-{me().id}"
