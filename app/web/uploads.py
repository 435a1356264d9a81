"""Files that a page's script sends in parts, so that a lost connection costs one part and a big file shows how far it is.

Start (or ask how far it is), parts, finish: each a POST with the form's token in a header, each answered with JSON. What is taken
in at the end goes the way of every other file. Without the script the page's own form sends the files.
"""

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app import audit
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.contents import Contents
from app.dossiers.models import Dossier, Evidence
from app.errors import DomainError, InvalidInput, NotFound
from app.extensions import session, transaction
from app.files import parts, sniff, store
from app.files.parts import Coming, WrongPlace
from app.schemes.model import Question
from app.schemes.question_types import EVIDENCE_KINDS, question
from app.texts import both, pick
from app.web.evidence import keep_instead, kinds_of, kinds_of_all_uses, welcome_kind
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, only_fields, ring

blueprint = Blueprint("uploads", __name__)
REPLACE = "replace:"


@blueprint.post("/dossier/<reference>/bewijs/delen")
@guard("dossier.edit", dossier_of)
def start(dossier: Dossier) -> ResponseReturnValue:
    """``filename``, ``size``, ``modified`` and ``use`` (a question, a file to replace, or nothing) → id and where to go on."""
    only_fields("filename", "size", "modified", "use")
    coming, settings = announced(), installation().settings
    kinds = _kinds(dossier_contents.read(dossier), coming.use)

    def is_there(evidence_id: int) -> bool:
        item = session.get(Evidence, evidence_id)
        return item is not None and item.removed_at is None

    def check() -> int:
        return folder.check_room(dossier, settings, coming.size, instead=coming.use.startswith(REPLACE))

    return begin(_room(dossier), coming, kinds, is_there, check)


@blueprint.post("/dossier/<reference>/bewijs/delen/<upload_id>")
@guard("dossier.edit", dossier_of)
def add(dossier: Dossier, upload_id: str) -> ResponseReturnValue:
    """One part; ``?at=`` says where it begins. 409 with ``at``: go on from there. A file of a kind that is not welcome is refused
    at its first part.
    """
    return go_on_with(_room(dossier), upload_id, lambda coming: _kinds(dossier_contents.read(dossier), coming.use))


@blueprint.post("/dossier/<reference>/bewijs/delen/<upload_id>/klaar")
@guard("dossier.edit", dossier_of)
def finish(dossier: Dossier, upload_id: str) -> ResponseReturnValue:
    """All parts are here: into the folder, and used at its question. Asked twice, the same file is the answer twice."""
    only_fields("sha256")
    room = _room(dossier)
    try:
        evidence_id = complete(room, upload_id, lambda coming, path: _take_in(dossier, coming, path), "evidence")
    except WrongPlace as elsewhere:
        return not_whole(elsewhere)
    _use(dossier, parts.find(room, upload_id).use, evidence_id)
    return jsonify(id=evidence_id)


# --- the three steps, for any place that takes files in -------------------------------------------------------------


def announced() -> Coming:
    """What the page's script says of the file that it is going to send."""
    name = sniff.clean_name(request.form.get("filename", ""))
    return Coming(name, _number("size"), _number("modified"), request.form.get("use", ""))


def begin(
    room: Path, coming: Coming, kinds: Sequence[str], is_there: Callable[[int], bool], check: Callable[[], int]
) -> ResponseReturnValue:
    """``is_there``: whether what became of the same file earlier is still where it was put; ``check`` refuses when it is full and
    gives the bytes for which there is room.
    """
    settings = installation().settings
    if coming.size > settings.max_file_bytes:
        raise InvalidInput(_not_added(coming.name, store.too_large(settings.max_file_bytes)))
    if coming.size == 0:
        welcome_kind(io.BytesIO(), coming.name, kinds)
    if (known := parts.done(room, coming.id)) is not None:
        if is_there(known):
            return jsonify(id=coming.id, at=coming.size, part=parts.PART)
        parts.forget(room, coming.id)  # it was thrown away since, and is chosen again
    try:
        at = parts.start(room, coming, most=check())
    except DomainError as refusal:
        raise type(refusal)(_not_added(coming.name, refusal)) from refusal
    return jsonify(id=coming.id, at=at, part=parts.PART)


def go_on_with(room: Path, upload_id: str, kinds: Callable[[Coming], Sequence[str]]) -> ResponseReturnValue:
    """Takes one part in; ``kinds``: those that are welcome where this file goes."""
    at = request.args.get("at", "")
    if not re.fullmatch("[0-9]{1,12}", at):
        raise InvalidInput(both("Dit deel van het bestand past niet. Kies het bestand opnieuw."))
    data, coming = request.get_data(), parts.find(room, upload_id)
    if at == "0":
        welcome_kind(io.BytesIO(data), coming.name, kinds(coming))
    try:
        return jsonify(at=parts.add(room, upload_id, int(at), data))
    except WrongPlace as elsewhere:
        return not_whole(elsewhere)


def complete(room: Path, upload_id: str, take: Callable[[Coming, Path], int], job: str) -> int:
    """Has ``take`` keep the whole file and rings for ``job``; gives the id of the record that it became, also the second time.
    Raises ``WrongPlace`` when more is to come.
    """
    coming, record_id = parts.find(room, upload_id), parts.done(room, upload_id)
    if record_id is not None:
        return record_id
    sha256 = request.form.get("sha256", "")
    path = parts.whole(room, upload_id, sha256 if re.fullmatch("[0-9a-f]{64}", sha256) else "")
    try:
        record_id = take(coming, path)
    except DomainError:
        parts.forget(room, upload_id)
        raise
    except FileNotFoundError:  # asked twice at once, and the other was faster
        record_id = parts.done(room, upload_id)
        if record_id is None:
            raise
        return record_id
    parts.note_done(room, upload_id, record_id)
    ring(job, record_id)
    return record_id


# --- of a dossier ---------------------------------------------------------------------------------------------------


def _take_in(dossier: Dossier, coming: Coming, path: Path) -> int:
    settings, dossier_id = installation().settings, dossier.id
    with path.open("rb") as stream:
        kind = welcome_kind(stream, coming.name, _kinds(dossier_contents.read(dossier), coming.use))
        blob = store.put_stream(settings.blobs, stream, limit=settings.max_file_bytes)
    if coming.use.startswith(REPLACE):
        return keep_instead(dossier, _replaced(coming.use), blob, coming.name, kind)
    with transaction():
        evidence = folder.receive(dossier, blob, coming.name, kind, settings)
        audit.write("evidence.received", actor=me(), thing=evidence, dossier=dossier_id)
        return evidence.id


def _use(dossier: Dossier, use: str, evidence_id: int) -> None:
    """At the question where it was chosen. A row of a table is sent with its own form."""
    found = _question(dossier_contents.read(dossier), use)
    if found is None or found.type != "evidence" or use.count(".") != 1:
        return
    try:
        with transaction():
            folder.attach(dossier_contents.read(dossier), use.partition(".")[0], found.id, [evidence_id])
    except InvalidInput as refusal:
        text = both("%(reason)s Uw nieuwe bestand staat wel in uw bewijsmap.", reason=refusal.text)
        raise InvalidInput(text) from refusal


def _kinds(contents: Contents, use: str) -> Sequence[str]:
    """The kinds of file that are welcome there. Raises ``NotFound`` for a place that this dossier does not have."""
    if use == "":
        return EVIDENCE_KINDS
    if use.startswith(REPLACE):
        replaced = _replaced(use)
        if replaced not in contents.evidence:
            raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
        return kinds_of_all_uses(contents, replaced)
    found = _question(contents, use)
    if found is None or found.type != "evidence":
        raise NotFound(both("Deze vraag bestaat niet in uw dossier."))
    return kinds_of(found.settings)


def _question(contents: Contents, use: str) -> Question | None:
    """``<section>.<question>``, or with ``.<field>`` a field of a table's rows as a question."""
    section_id, _, rest = use.partition(".")
    question_id, _, field_id = rest.partition(".")
    section = contents.template.section(section_id)
    found = section.question(question_id) if section else None
    if found is None or not field_id:
        return found
    fields = found.settings.get("fields", ()) if found.type == "table" else ()
    return next((question(field) for field in fields if field["id"] == field_id), None)


def _replaced(use: str) -> int:
    number = use.removeprefix(REPLACE)
    return int(number) if re.fullmatch("[0-9]{1,9}", number) else 0


def _room(dossier: Dossier) -> Path:
    return installation().settings.uploads / str(dossier.id)


def _number(name: str) -> int:
    sent = request.form.get(name, "")
    if not re.fullmatch("[0-9]{1,15}", sent):
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    return int(sent)


def not_whole(elsewhere: WrongPlace) -> ResponseReturnValue:
    return jsonify(error=pick(elsewhere.text, current_language()), at=elsewhere.details["at"]), 409


def _not_added(name: str, refusal: DomainError) -> dict[str, str]:
    return dict(both("“%(name)s” is niet toegevoegd. %(reason)s", name=name, reason=refusal.text))
