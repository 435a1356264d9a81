"""The evidence folder: what is in it, putting files in, taking a cleaned copy along, taking files out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from app import audit
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Evidence
from app.errors import FileRefused, InvalidInput, NotFound, StorageFailure, Text, TooLarge
from app.extensions import transaction
from app.files import sniff, store
from app.schemes.question_types import EVIDENCE_KINDS
from app.texts import both, both_n, pick
from app.web.auth import say
from app.web.errors import status_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, evidence_of, installation, me, ring

blueprint = Blueprint("evidence", __name__)

FORM_ROOM = 4_000_000  # bytes of a request besides the files themselves
KINDS_IN_WORDS = {"pdf": "pdf", "jpg": "jpg", "png": "png", "heic": "heic", "docx": "Word (docx)"}
MIMETYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
SANDBOX = "sandbox; default-src 'none'"


@dataclass
class TakenIn:
    """What came of an upload: the files that are in the folder now, and why others are not (``status`` of the answer)."""

    ids: list[int] = field(default_factory=list)
    refusals: list[Text] = field(default_factory=list)
    status: int = 422


def allow_files() -> None:
    """Lets this request be as big as a full evidence folder; only for somebody who is logged in.

    Runs before the body is looked at: as a ``url_value_preprocessor``, ahead of the check of the form's token.
    """
    if request.method == "POST" and request.mimetype == "multipart/form-data" and current_user.is_authenticated:
        request.max_content_length = installation().settings.max_dossier_mb * 1_000_000 + FORM_ROOM


@blueprint.url_value_preprocessor
def prepare_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if endpoint == "evidence.upload":
        allow_files()


# --- pages ---------------------------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/bewijs")
@guard("dossier.read", dossier_of)
def home(dossier: Dossier) -> ResponseReturnValue:
    return folder_page(dossier)


@blueprint.post("/dossier/<reference>/bewijs")
@guard("dossier.edit", dossier_of)
def upload(dossier: Dossier) -> ResponseReturnValue:
    """Takes the good files in and names the others, each with its reason."""
    taken = take_in(dossier, request.files.getlist("files"), EVIDENCE_KINDS)
    if taken.refusals:
        return folder_page(dossier, taken.refusals), taken.status
    if not taken.ids:
        return folder_page(dossier, [both("Kies eerst een of meer bestanden.")]), 422
    say("ok", both_n("%(n)s bestand is toegevoegd.", "%(n)s bestanden zijn toegevoegd.", len(taken.ids)))
    return redirect(url_for("evidence.home", reference=dossier.reference))


@blueprint.get("/dossier/<reference>/bewijs/<int:evidence_id>")
@guard("evidence.read", evidence_of)
def download(item: Evidence) -> ResponseReturnValue:
    """The cleaned copy. What was sent in stays in quarantine."""
    if item.cleaned_sha256 is None or item.cleaned_kind is None:
        raise NotFound(both("Dit bestand is nog niet gecontroleerd of is geweigerd. U kunt het daarom niet openen."))
    path = store.path(installation().settings.blobs, item.cleaned_sha256)
    name = f"{item.name.rsplit('.', 1)[0]}.{item.cleaned_kind}"
    kind, sha256 = item.cleaned_kind, item.cleaned_sha256
    with transaction():
        audit.write("evidence.downloaded", actor=me(), thing=item)
    response = make_response(
        send_file(path, mimetype=MIMETYPES[kind], as_attachment=True, download_name=name, etag=sha256, max_age=0)
    )
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


@blueprint.get("/dossier/<reference>/bewijs/<int:evidence_id>/verwijderen")
@guard("dossier.edit", dossier_of)
def ask_remove(dossier: Dossier, evidence_id: int) -> ResponseReturnValue:
    files = file_dicts(dossier_contents.read(dossier), [evidence_id])
    if not files:
        raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
    return render_template("candidate/remove_file.html", dossier=dossier, file=files[0])


@blueprint.post("/dossier/<reference>/bewijs/<int:evidence_id>/verwijderen")
@guard("dossier.edit", dossier_of)
def remove(dossier: Dossier, evidence_id: int) -> ResponseReturnValue:
    """Takes the file out of the folder, unless an answer uses it."""
    try:
        with transaction():
            contents = dossier_contents.read(dossier)
            folder.remove(contents, evidence_id)
            name = contents.evidence[evidence_id].name
            audit.write("evidence.removed", actor=me(), thing=contents.evidence[evidence_id])
    except InvalidInput as refusal:
        say("error", refusal.text)
    else:
        say("ok", both("%(name)s is uit uw bewijsmap verwijderd.", name=name))
    return redirect(url_for("evidence.home", reference=dossier.reference))


def folder_page(dossier: Dossier, refusals: Sequence[Text] = ()) -> str:
    contents = dossier_contents.read(dossier)
    language = current_language()
    files = file_dicts(contents, contents.evidence)
    settings = installation().settings
    return render_template(
        "candidate/folder.html",
        dossier=dossier,
        files=files,
        size=sum(item.original_size for item in contents.evidence.values()),
        kinds=EVIDENCE_KINDS,
        errors=[{"text": pick(text, language), "href": "#files"} for text in refusals],
        open=dossier.stage in OPEN_STAGES,
        checking=any(file["stage"] == "received" for file in files),
        settings=settings,
    )


# --- for this module and the section pages -------------------------------------------------------------------------


def take_in(dossier: Dossier, uploads: Iterable[FileStorage], kinds: Collection[str]) -> TakenIn:
    """Puts files in the folder, one short transaction each, and has them checked. ``kinds``: those that are welcome here."""
    taken = TakenIn()
    dossier_id = dossier.id
    for sent in uploads:
        if not sent.filename:
            continue
        name = sniff.clean_name(sent.filename)
        try:
            evidence_id = _take_one(dossier_id, dossier, sent, name, kinds)
        except FileRefused as refusal:
            taken.refusals.append(refusal.text)
        except (TooLarge, StorageFailure) as refusal:
            if isinstance(refusal, StorageFailure):
                taken.status = status_of(refusal)
            taken.refusals.append(both("“%(name)s” is niet toegevoegd. %(reason)s", name=name, reason=refusal.text))
        else:
            taken.ids.append(evidence_id)
            ring("evidence", evidence_id)
    return taken


def _take_one(dossier_id: int, dossier: Dossier, sent: FileStorage, name: str, kinds: Collection[str]) -> int:
    settings = installation().settings
    folder.check_room(dossier, settings)
    kind = sniff.kind_of_stream(sent.stream, name).value  # before storing: what is refused leaves nothing behind
    if kind not in kinds:
        allowed = ", ".join(KINDS_IN_WORDS[one] for one in kinds)
        raise FileRefused(
            both(
                "“%(name)s” kan hier niet worden toegevoegd. Bij deze vraag kunt u kiezen uit: %(kinds)s.",
                name=name,
                kinds=allowed,
            )
        )
    blob = store.put_stream(settings.blobs, sent.stream, limit=settings.max_file_bytes)
    with transaction():
        evidence = folder.receive(dossier, blob, name, kind, settings)
        audit.write("evidence.received", actor=me(), thing=evidence, dossier=dossier_id)
        return evidence.id


def file_dicts(contents: Contents, ids: Iterable[int], section_id: str = "") -> list[dict[str, Any]]:
    """Files as ``parts/evidence.html`` shows them; ``used_in`` leaves out the section that asks."""
    used = dossier_contents.evidence_used(contents)
    titles = {section.id: pick(section.title, current_language()) for section in contents.template.sections}
    return [
        _file_dict(
            contents,
            contents.evidence[one],
            [titles[place] for place in dict.fromkeys(place for place, _ in used.get(one, ())) if place != section_id],
        )
        for one in ids
        if one in contents.evidence
    ]


def _file_dict(contents: Contents, item: Evidence, used_in: Sequence[str]) -> dict[str, Any]:
    language = current_language()
    address: Mapping[str, Any] = {"reference": contents.dossier.reference, "evidence_id": item.id}
    return {
        "id": item.id,
        "title": item.name,
        "kind": item.kind,
        "size": item.original_size,
        "added": str(format_date(item.uploaded_at, "d MMMM y")),
        "stage": item.stage,
        "reason": pick(item.refusal, language),
        "notes": [pick(note, language) for note in item.notes],
        "pages": item.pages,
        "used_in": list(used_in),
        "href": url_for("evidence.download", **address) if item.stage == "checked" else "",
        "remove_href": url_for("evidence.ask_remove", **address),
    }
