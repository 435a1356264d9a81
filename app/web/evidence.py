"""The evidence folder: what is in it, putting files in, naming, ordering, replacing and taking them out, taking copies along."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from app import audit
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import CheckedFile, Dossier, Evidence
from app.errors import Conflict, FileRefused, InvalidInput, NotFound, StorageFailure, Text, TooLarge
from app.extensions import transaction
from app.files import sniff, store
from app.files.store import Blob
from app.schemes.question_types import EVIDENCE_KINDS
from app.texts import both, both_n, pick
from app.web.auth import say
from app.web.completeness import criteria_words
from app.web.dates import clock
from app.web.errors import status_of
from app.web.forms import element_id
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, evidence_of, installation, me, only_fields, ring

blueprint = Blueprint("evidence", __name__)

FORM_ROOM = 4_000_000  # bytes of a request besides the files themselves
KINDS_IN_WORDS = {"pdf": "pdf", "jpg": "jpg", "png": "png", "heic": "heic", "docx": "Word (docx)"}
MIMETYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
DEEDS = {"rename": "renamed", "put_back": "put_back", "keep": "kept", "check": "checked_again"}
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
    if endpoint in ("evidence.upload", "evidence.change"):
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
    return cleaned_copy(item, me())


@blueprint.get("/dossier/<reference>/bewijs/<int:evidence_id>/origineel")
@guard("evidence.read", evidence_of)
def original(item: Evidence) -> ResponseReturnValue:
    """Exactly what the candidate sent in, for himself, once it was checked: as bytes to keep, not to be opened on our site."""
    if item.statement_id is not None or item.stage != "checked":
        raise NotFound(both("Dit bestand is nog niet gecontroleerd of is geweigerd. U kunt het daarom niet openen."))
    path, name, sha256 = store.path(installation().settings.blobs, item.original_sha256), item.name, item.original_sha256
    with transaction():
        audit.write("evidence.downloaded", actor=me(), thing=item, form="original")
    return _attachment(path, "application/octet-stream", name, sha256)


@blueprint.get("/dossier/<reference>/bewijs/<int:evidence_id>/voorbeeld")
@guard("evidence.read", evidence_of)
def thumbnail(item: Evidence) -> ResponseReturnValue:
    """The first page, small. Its address carries its hash, so a browser may keep it."""
    return small_picture(item)


def small_picture(item: CheckedFile) -> Response:
    if not item.thumbnail_sha256:
        raise NotFound(both("Van dit bestand is geen voorbeeld."))
    path = store.path(installation().settings.blobs, item.thumbnail_sha256)
    response = make_response(send_file(path, mimetype="image/webp", etag=item.thumbnail_sha256))
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


@blueprint.post("/dossier/<reference>/bewijs/<int:evidence_id>/wijzigen")
@guard("dossier.edit", dossier_of)
def change(dossier: Dossier, evidence_id: int) -> ResponseReturnValue:
    """The buttons of one file: another name, another file in its place, the earlier one back, a check once more."""
    only_fields("title", "file", "seen", "action")
    action = request.form.get("action", "rename")
    try:
        if action == "replace":
            sent = request.files.get("file")
            if sent is None or not sent.filename:
                raise InvalidInput(both("Kies eerst het bestand dat ervoor in de plaats komt."))
            taken = take_each([sent], lambda one, name: _take_instead(dossier, evidence_id, one, name))
            if taken.refusals:
                raise FileRefused(taken.refusals[0])
            say("info", both("Het nieuwe bestand wordt gecontroleerd. Tot dan staat het vorige er nog."))
        else:
            _change(dossier, evidence_id, action)
    except (InvalidInput, FileRefused, TooLarge, Conflict) as refusal:
        return folder_page(dossier, [refusal.text], at=evidence_id), status_of(refusal)
    return redirect(f"{url_for('evidence.home', reference=dossier.reference)}#file-{evidence_id}")


def _change(dossier: Dossier, evidence_id: int, action: str) -> None:
    retried: Evidence | None = None
    with transaction():
        contents = dossier_contents.read(dossier)
        if action == "rename":
            folder.rename(contents, evidence_id, request.form.get("title", ""))
        elif action == "put_back":
            seen = request.form.get("seen", "")
            before = folder.earlier(contents.evidence[evidence_id]) if evidence_id in contents.evidence else None
            if before is not None and before.kind not in kinds_of_all_uses(contents, evidence_id):
                raise Conflict(both("Het eerdere bestand past niet bij een vraag die dit bewijsstuk nu gebruikt."))
            folder.put_back(contents, evidence_id, int(seen) if re.fullmatch("[0-9]{1,9}", seen) else 0)
        elif action == "keep":
            folder.drop_replacement(contents, evidence_id)
        elif action == "check":
            retried = folder.check_again(contents, evidence_id)
        else:
            raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
        audit.write(f"evidence.{DEEDS[action]}", actor=me(), thing=contents.evidence[evidence_id])
    if retried is not None or action == "put_back":
        ring("evidence", evidence_id)


def _take_instead(dossier: Dossier, evidence_id: int, sent: FileStorage, name: str) -> int:
    folder.check_room(dossier, installation().settings, instead=True)
    blob, kind = stored(sent, name, kinds_of_all_uses(dossier_contents.read(dossier), evidence_id))
    return keep_instead(dossier, evidence_id, blob, name, kind)


def keep_instead(dossier: Dossier, evidence_id: int, blob: Blob, name: str, kind: str) -> int:
    """A stored file, to take the place of another once it is checked; gives its own id."""
    with transaction():
        new = folder.receive_instead(dossier_contents.read(dossier), evidence_id, blob, name, kind, installation().settings)
        audit.write("evidence.received", actor=me(), thing=new, replaces=evidence_id)
        return new.id


@blueprint.post("/dossier/<reference>/bewijs/volgorde")
@guard("dossier.edit", dossier_of)
def put_in_order(dossier: Dossier) -> ResponseReturnValue:
    """``move``: ``<id>:up`` or ``:down``, of a button; ``order``: all ids, of the page's script."""
    only_fields("move", "order")
    evidence_id, _, way = request.form.get("move", "").partition(":")
    order = [int(one) for one in request.form.get("order", "").split(",") if re.fullmatch("[0-9]{1,9}", one)]
    home = url_for("evidence.home", reference=dossier.reference)
    if "move" in request.form and not (re.fullmatch("[0-9]{1,9}", evidence_id) and way in ("up", "down")):
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    with transaction():
        contents = dossier_contents.read(dossier)
        if "move" not in request.form:
            folder.put_in_order(contents, order)
            return redirect(home)
        folder.move(contents, int(evidence_id), up=way == "up")
    place = list(contents.evidence).index(int(evidence_id)) + (-1 if way == "up" else 1)
    at_end = not 0 < place < len(contents.evidence) - 1  # where this button leads nowhere: on to the other
    way = ("down" if place <= 0 else "up") if at_end else way
    return redirect(f"{home}#{way}-{evidence_id}")


@blueprint.get("/dossier/<reference>/bewijs/<int:evidence_id>/verwijderen")
@guard("dossier.edit", dossier_of)
def ask_remove(dossier: Dossier, evidence_id: int) -> ResponseReturnValue:
    contents = dossier_contents.read(dossier)
    files = file_dicts(contents, [evidence_id])
    if not files:
        raise NotFound(both("Dit bewijsstuk staat niet in uw bewijsmap."))
    return render_template("candidate/remove_file.html", dossier=dossier, file=files[0], uses=uses_of(contents, evidence_id))


@blueprint.post("/dossier/<reference>/bewijs/<int:evidence_id>/verwijderen")
@guard("dossier.edit", dossier_of)
def remove(dossier: Dossier, evidence_id: int) -> ResponseReturnValue:
    """Takes the file out of the folder and out of the answers that the page named; when another uses it too, it asks again."""
    only_fields("told")
    told = [(section, question) for section, _, question in (one.partition(".") for one in request.form.getlist("told"))]
    try:
        with transaction():
            contents = dossier_contents.read(dossier)
            folder.remove(contents, evidence_id, told)
            name = contents.evidence[evidence_id].shown_title
            audit.write("evidence.removed", actor=me(), thing=contents.evidence[evidence_id])
    except InvalidInput as refusal:
        say("error", refusal.text)
        return redirect(url_for("evidence.ask_remove", reference=dossier.reference, evidence_id=evidence_id))
    say("ok", both("%(name)s is uit uw bewijsmap verwijderd.", name=name))
    return redirect(url_for("evidence.home", reference=dossier.reference))


def folder_page(dossier: Dossier, refusals: Sequence[Text] = (), at: int = 0) -> str:
    """``at``: the file that was refused a change; 0 when it is about new files."""
    contents = dossier_contents.read(dossier)
    language, settings = current_language(), installation().settings
    numbers, is_open = dossier_contents.appendix_numbers(contents), dossier.stage in OPEN_STAGES
    earlier = folder.earlier_files(dossier) if is_open else {}
    files = [
        {
            **file,
            "number": numbers.get(file["id"]),
            "uses": uses_of(contents, file["id"]),
            "replacement": _replacement(contents, file["id"]),
            "earlier": earlier.get(file["id"]),
            "problems": [pick(text, language) for text in refusals] if file["id"] == at else [],
        }
        for file in file_dicts(contents, contents.evidence)
    ]
    waiting = [file for file in files if file["stage"] == "received" or (file["replacement"] or {}).get("stage") == "received"]
    at_file = any(file["id"] == at for file in files)
    return render_template(
        "candidate/folder.html",
        dossier=dossier,
        files=files,
        unused=[file["title"] for file in files if not file["uses"] and file["stage"] != "refused"],
        size=sum(item.original_size for item in (*contents.evidence.values(), *contents.replacements.values())),
        kinds=EVIDENCE_KINDS,
        errors=[{"text": pick(text, language), "href": f"#title-{at}" if at_file else "#files"} for text in refusals],
        at_file=at_file,
        open=is_open,
        checking=bool(waiting),
        settings=settings,
    )


def uses_of(contents: Contents, evidence_id: int) -> list[dict[str, str]]:
    """Where the file is used: ``text`` in words, ``href`` to the question, ``told`` for the form that takes it away there, and
    the criteria that it ``serves`` there, in words.
    """
    language, reference = current_language(), contents.dossier.reference
    uses = []
    for section_id, question_id in dossier_contents.evidence_used(contents).get(evidence_id, ()):
        section = contents.template.section(section_id)
        question = section.question(question_id) if section else None
        if section is not None and question is not None:
            href = url_for("section.show", reference=reference, section_id=section_id)
            uses.append(
                {
                    "text": f"{pick(section.title, language)}: {pick(question.label, language)}",
                    "href": f"{href}#{element_id(question_id)}-title",
                    "told": f"{section_id}.{question_id}",
                    "serves": "; ".join(criteria_words(section, question)),
                }
            )
    return uses


def _replacement(contents: Contents, evidence_id: int) -> dict[str, str] | None:
    new = contents.replacements.get(evidence_id)
    return {"name": new.name, "stage": new.stage, "reason": pick(new.refusal, current_language())} if new else None


# --- for this module and the section pages -------------------------------------------------------------------------


def cleaned_copy(item: Evidence, actor: object) -> Response:
    """A file to take along; the view is written down. Raises ``NotFound`` while there is no cleaned copy."""
    if item.cleaned_sha256 is None or item.cleaned_kind is None:
        raise NotFound(both("Dit bestand is nog niet gecontroleerd of is geweigerd. U kunt het daarom niet openen."))
    with transaction():
        audit.write("evidence.downloaded", actor=actor, thing=item)
    return clean_attachment(item, item.title)


def clean_attachment(item: CheckedFile, title: str = "") -> Response:
    """The cleaned copy of a file that was checked, named after its title or the name that it came with."""
    path = store.path(installation().settings.blobs, item.cleaned_sha256 or "")
    name = sniff.clean_name(f"{title or item.name.rsplit('.', 1)[0]}.{item.cleaned_kind}")
    return _attachment(path, MIMETYPES[item.cleaned_kind or ""], name, item.cleaned_sha256 or "")


def _attachment(path: Path, mimetype: str, name: str, sha256: str) -> Response:
    """A file to keep; opened all the same, it can do nothing."""
    response = make_response(send_file(path, mimetype=mimetype, as_attachment=True, download_name=name, etag=sha256, max_age=0))
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def take_in(dossier: Dossier, uploads: Iterable[FileStorage], kinds: Collection[str]) -> TakenIn:
    """Puts files in the folder and has them checked. ``kinds``: those that are welcome here."""
    dossier_id = dossier.id
    return take_each(uploads, lambda sent, name: _take_one(dossier_id, dossier, sent, name, kinds))


def take_each(uploads: Iterable[FileStorage], take: Callable[[FileStorage, str], int], job: str = "evidence") -> TakenIn:
    """Has ``take`` put each file in its place, one short transaction each, and has it checked by ``job``."""
    taken = TakenIn()
    for sent in uploads:
        if not sent.filename:
            continue
        name = sniff.clean_name(sent.filename)
        try:
            evidence_id = take(sent, name)
        except FileRefused as refusal:
            taken.refusals.append(refusal.text)
        except (TooLarge, StorageFailure) as refusal:
            if isinstance(refusal, StorageFailure):
                taken.status = status_of(refusal)
            taken.refusals.append(both("“%(name)s” is niet toegevoegd. %(reason)s", name=name, reason=refusal.text))
        else:
            taken.ids.append(evidence_id)
            ring(job, evidence_id)
    return taken


def _take_one(dossier_id: int, dossier: Dossier, sent: FileStorage, name: str, kinds: Collection[str]) -> int:
    settings = installation().settings
    folder.check_room(dossier, settings)
    blob, kind = stored(sent, name, kinds)
    with transaction():
        evidence = folder.receive(dossier, blob, name, kind, settings)
        audit.write("evidence.received", actor=me(), thing=evidence, dossier=dossier_id)
        return evidence.id


def stored(sent: FileStorage, name: str, kinds: Collection[str]) -> tuple[Blob, str]:
    """Puts a file of a kind that is welcome here in the store. Raises ``FileRefused`` or ``TooLarge``."""
    kind = welcome_kind(sent.stream, name, kinds)  # before storing: what is refused leaves nothing behind
    settings = installation().settings
    return store.put_stream(settings.blobs, sent.stream, limit=settings.max_file_bytes), kind


def welcome_kind(stream: IO[bytes], name: str, kinds: Collection[str]) -> str:
    """The kind of a file, by its name and first bytes. Raises ``FileRefused`` for one that is not welcome here."""
    kind = sniff.kind_of_stream(stream, name).value
    if kind not in kinds:
        allowed = ", ".join(KINDS_IN_WORDS[one] for one in kinds)
        raise FileRefused(
            both(
                "“%(name)s” kan hier niet worden toegevoegd. Bij deze vraag kunt u kiezen uit: %(kinds)s.",
                name=name,
                kinds=allowed,
            )
        )
    return kind


def kinds_of(settings: Mapping[str, Any]) -> Sequence[str]:
    """The kinds that an evidence question or field takes."""
    return settings.get("kinds") or EVIDENCE_KINDS


def kinds_of_all_uses(contents: Contents, evidence_id: int) -> list[str]:
    """The kinds that every question takes that uses this file: a replacement has to fit them all."""
    kinds = list(EVIDENCE_KINDS)
    for section_id, question_id in dossier_contents.evidence_used(contents).get(evidence_id, ()):
        section = contents.template.section(section_id)
        question = section.question(question_id) if section else None
        for settings in [question.settings, *question.settings.get("fields", ())] if question else []:
            kinds = [one for one in kinds if one in kinds_of(settings)]
    return kinds


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
        "title": item.shown_title,
        "name": item.name if item.title else "",
        "own_title": item.title,
        "thumbnail": url_for("evidence.thumbnail", **address, v=item.thumbnail_sha256[:16]) if item.thumbnail_sha256 else "",
        "kind": item.kind,
        "size": item.original_size,
        "added": str(format_date(item.uploaded_at, "d MMMM y")),
        "stage": item.stage,
        "reason": pick(item.refusal, language),
        "notes": [pick(note, language) for note in item.notes],
        "pages": item.pages,
        "used_in": list(used_in),
        "href": url_for("evidence.download", **address) if item.stage == "checked" else "",
        "original_href": url_for("evidence.original", **address) if item.stage == "checked" else "",
        "remove_href": url_for("evidence.ask_remove", **address),
        "change_href": url_for("evidence.change", **address),
        "retry_at": clock(item.next_attempt_at) if item.stage == "received" and item.next_attempt_at else "",
        "may_check": item.stage == "refused" and item.attempts < folder.MOST_CHECKS,
    }
