"""Checking a dossier, submitting it, the receipt with how far assembling is, and the sealed documents to take along."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import lazyload

from app import audit
from app.documents import sealing
from app.documents.models import Bundle
from app.dossiers import completeness, submission
from app.dossiers import contents as dossier_contents
from app.dossiers.completeness import Progress
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Snapshot
from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.extensions import session, transaction
from app.files import store
from app.plugin_api import Finding
from app.schemes import question_types
from app.schemes.model import Question, Section
from app.texts import both, both_n, pick
from app.web import client_data, forms, unprintable
from app.web.auth import say
from app.web.candidate import blueprint, course
from app.web.candidate.invitation import statement_card
from app.web.candidate.newer_forms import former_note
from app.web.dates import day, stamp, when
from app.web.errors import refused
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import caller, dossier_of, form_lists, installation, me, ring, ring_due

DOCUMENTS = {
    "pdf": ("pdf_sha256", "application/pdf"),
    "docx": ("docx_sha256", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "zip": ("zip_sha256", "application/zip"),
}
SANDBOX = "sandbox; default-src 'none'"
LISTED_FINDINGS = 15  # with more, the page that checks answers names the sections instead


# --- checking and submitting ---------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/controleren")
@guard("dossier.read", dossier_of)
def check(dossier: Dossier) -> ResponseReturnValue:
    if dossier.stage not in OPEN_STAGES:
        return redirect(url_for("candidate.tasks", reference=dossier.reference))
    contents, language = dossier_contents.read(dossier), current_language()
    findings = completeness.check(contents, installation().catalogue, submission.today())
    progress = {one.section.id: one for one in completeness.progress(contents, findings)}
    types = question_types.types(installation().catalogue.plugins_of(contents.template))
    sections = [_summary(contents, progress[section.id], types) for section in contents.template.sections]
    return render_template(
        "candidate/check.html",
        dossier=dossier,
        sections=sections,
        others=[pick(one.text, language) for one in findings if one.section not in progress],
        unprintable=[*_unprintable_name(dossier)]
        + [
            {
                "title": f"{pick(section.title, language)}: {pick(question.label, language)}",
                "text": pick(words, language),
                "href": url_for("section.show", reference=dossier.reference, section_id=section.id)
                + f"#{forms.element_id(question.id)}",
            }
            for section in contents.template.sections
            for question, words in unprintable.in_section(contents, section)
        ],
        client_data=client_data.pointed_out(contents, contents.template.sections),
        former=former_note(contents),
        count=len(findings),
        short=len(findings) <= LISTED_FINDINGS,
    )


def _unprintable_name(dossier: Dossier) -> Iterator[dict[str, str]]:
    """The name on the cover, when it has characters that the documents cannot show."""
    words = unprintable.warning(dossier.owner.name)
    if words:
        yield {
            "title": pick(both("Uw naam"), current_language()),
            "text": pick(words, current_language()),
            "href": url_for("auth.account"),
        }


def _summary(contents: Contents, progress: Progress, types: question_types.Types) -> dict[str, Any]:
    """A section on the page that checks answers. ``general``: what lacks that is not about one of its questions."""
    section, own = progress.section, progress.findings
    questions = contents.visible[section.id]
    return {
        "id": section.id,
        "title": pick(section.title, current_language()),
        "status": progress.status,
        "href": url_for("section.show", reference=contents.dossier.reference, section_id=section.id),
        "rows": [_row(contents, section, question, types, own) for question in questions],
        "findings": [_finding(contents, section, one) for one in own],
        "general": [
            _finding(contents, section, one) for one in own if one.question not in {question.id for question in questions}
        ],
    }


def _row(
    contents: Contents, section: Section, question: Question, types: question_types.Types, findings: Sequence[Finding]
) -> dict[str, Any]:
    """One line of the summary; what lacks stands with it."""
    language = current_language()
    answer = contents.answer(section.id, question.id)
    href = url_for("section.show", reference=contents.dossier.reference, section_id=section.id, controle=1)
    key = pick(question.label, language)
    lacking = [pick(one.text, language) for one in findings if one.question == question.id]
    whole = None
    if question.type == "evidence":
        names = [contents.evidence[one].shown_title for one in answer or [] if one in contents.evidence]
        value = ", ".join(names)
    elif question.type == "statement":
        card = statement_card(contents, section.id, question)
        value, href = " · ".join([card["state"], *card["lines"][:1]]), card["href"]
    elif question.type not in types or types[question.type].is_empty(answer):
        value = ""
    else:
        value = types[question.type].summary(answer, contents.settings(question, submission.today()), language)
        if question.type == "long_text":
            words = both_n("%(n)s woord", "%(n)s woorden", question_types.count_words(answer))[language]
            key = f"{key} ({words})"
            whole = forms.render_answer(question, answer, language, types=types, written_in=contents.dossier.language)
    return {
        "key": key,
        "value": value,
        "whole": whole,
        "is_cut": value.endswith("…"),
        "lacking": lacking,
        "href": href if question.type == "statement" else f"{href}#{forms.element_id(question.id)}",
        "about": pick(question.label, language),
    }


def _finding(contents: Contents, section: Section, finding: Finding) -> dict[str, str]:
    address = url_for("section.show", reference=contents.dossier.reference, section_id=finding.section, controle=1)
    anchor = forms.element_id(finding.question) if finding.question else "main-content"
    language, question = current_language(), section.question(finding.question)
    text = forms.named(section, finding, language, contents.answers.get(section.id))
    if question is not None and question.label == section.title:  # the page names the section before it
        text = pick(finding.text, language)
    return {"text": text, "href": f"{address}#{anchor}"}


class SubmitForm(Schema):
    class Meta:
        unknown = RAISE

    name = fields.String(required=True, validate=validate.Length(max=1000))
    declarations = fields.List(fields.String(validate=validate.Length(max=100)), load_default=list)


@blueprint.get("/dossier/<reference>/indienen")
@guard("dossier.submit", dossier_of)
def submit(dossier: Dossier) -> ResponseReturnValue:
    contents = dossier_contents.read(dossier)
    if completeness.check(contents, installation().catalogue, submission.today()):
        say("warn", both("U kunt nog niet indienen. Op deze pagina staat wat er nog nodig is."))
        return redirect(url_for("candidate.check", reference=dossier.reference))
    return submit_page(contents)


@blueprint.post("/dossier/<reference>/indienen")
@guard("dossier.submit", dossier_of)
def send(dossier: Dossier) -> ResponseReturnValue:
    """Submits, once."""
    settings = installation().settings
    receipt_page = redirect(url_for("candidate.receipt", reference=dossier.reference))
    consent = read_consent()
    try:
        with transaction():
            contents = dossier_contents.read(dossier)
            snapshot = submission.submit(
                contents,
                consent,
                catalogue=installation().catalogue,
                house_style_sha256=sealing.house_style_sha256(),
                settings=settings,
            )
            audit.write("dossier.submitted", actor=me(), thing=dossier, revision=snapshot.revision)
            snapshot_id = snapshot.id
    except submission.NotReady as refusal:
        say("warn", refusal.text)
        return redirect(url_for("candidate.check", reference=dossier.reference))
    except Conflict:
        return receipt_page
    except InvalidInput as refusal:
        error = {"text": pick(refusal.text, current_language()), "href": f"#{refusal.details.get('field', 'name')}"}
        return submit_page(dossier_contents.read(dossier), [error]), 422
    ring("snapshot", snapshot_id)
    ring_due("mail")
    return receipt_page


@blueprint.errorhandler(Forbidden)
def submitted_already(error: Forbidden) -> ResponseReturnValue:
    """The second click of two, or an old page for submitting, leads to the receipt."""
    if request.endpoint in ("candidate.submit", "candidate.send"):
        return redirect(url_for("candidate.receipt", **(request.view_args or {})))
    return refused(error)


def read_consent() -> submission.Consent:
    form = form_lists()
    sent = {"name": request.form.get("name", ""), "declarations": list(form.get("declarations", ()))}
    sent |= {name: "" for name in form if name not in ("name", "declarations", "csrf_token")}
    try:
        typed = SubmitForm().load(sent)
    except ValidationError:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw.")) from None
    return submission.Consent(name=typed["name"], declarations=frozenset(typed["declarations"]), **caller())


def submit_page(contents: Contents, errors: Sequence[Mapping[str, str]] = ()) -> str:
    language = current_language()
    return render_template(
        "candidate/submit.html",
        dossier=contents.dossier,
        title=pick(contents.template.title, language),
        declarations=[{"value": one.id, "text": pick(one.text, language)} for one in contents.template.declarations],
        agreed=request.form.getlist("declarations"),
        name=request.form.get("name", ""),
        wrong={error["href"].removeprefix("#"): error["text"] for error in errors},
        today=day(submission.today()),
        errors=list(errors),
    )


# --- the receipt and the documents ---------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/ontvangst")
@guard("dossier.receipt", dossier_of)
def receipt(dossier: Dossier) -> ResponseReturnValue:
    """That it arrived, what happens next, and how far assembling is; the page's script refreshes that part from here."""
    snapshots = snapshots_of(dossier)
    if not snapshots:
        raise NotFound(both("Van dit dossier is er geen ontvangstbewijs."))
    snapshot, bundle = snapshots[0]
    return render_template(
        "candidate/receipt.html",
        dossier=dossier,
        snapshot=snapshot,
        submitted=stamp(snapshot.submitted_at),
        assembling=course.assembling(snapshot) if bundle is None else None,
        timeline=course.timeline(dossier),
        sets=document_sets(dossier, snapshots[:1]),
        email=dossier.owner.email,
    )


@blueprint.get("/dossier/<reference>/documenten/<int:revision>/<form>")
@guard("dossier.receipt", dossier_of)
def document(dossier: Dossier, revision: int, form: str) -> ResponseReturnValue:
    """The sealed PDF or DOCX, or the whole bundle."""
    bundle = session.scalar(select(Bundle).join(Snapshot).where(Snapshot.dossier_id == dossier.id, Snapshot.revision == revision))
    if bundle is None or form not in DOCUMENTS:
        raise NotFound(both("Dit document is er (nog) niet."))
    column, mimetype = DOCUMENTS[form]
    sha256: str = getattr(bundle, column)
    name = f"{dossier.reference}-{revision}.{form}"
    with transaction():
        audit.write("bundle.downloaded", actor=me(), thing=dossier, revision=revision, form=form)
    path = store.path(installation().settings.blobs, sha256)
    response = make_response(send_file(path, mimetype=mimetype, as_attachment=True, download_name=name, etag=sha256, max_age=0))
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def snapshots_of(dossier: Dossier) -> Sequence[tuple[Snapshot, Bundle | None]]:
    """What was submitted, newest first, each with its bundle once that is made."""
    rows = session.execute(
        select(Snapshot, Bundle)
        .outerjoin(Bundle, Bundle.snapshot_id == Snapshot.id)
        .options(lazyload(Bundle.snapshot))  # joined eagerly it would leave out snapshots without a bundle
        .where(Snapshot.dossier_id == dossier.id)
        .order_by(Snapshot.revision.desc())
    )
    return [(snapshot, bundle) for snapshot, bundle in rows]


def document_sets(dossier: Dossier, snapshots: Sequence[tuple[Snapshot, Bundle | None]]) -> list[dict[str, Any]]:
    """The documents to take along, a set for each revision that is sealed."""
    settings, language = installation().settings, current_language()
    titles = {
        "pdf": both("Uw dossier als pdf, verzegeld"),
        "docx": both("Uw dossier als Word-document, ondertekend"),
        "zip": both("De hele bundel (zip), met alle bewijsstukken"),
    }
    sets = []
    for snapshot, bundle in snapshots:
        if bundle is None:
            continue
        documents = []
        for form, (column, _) in DOCUMENTS.items():
            path = store.path(settings.blobs, getattr(bundle, column))
            documents.append(
                {
                    "kind": form,
                    "title": titles[form][language],
                    "href": url_for("candidate.document", reference=dossier.reference, revision=snapshot.revision, form=form),
                    "size": path.stat().st_size if path.exists() else 0,
                    "pages": bundle.pages if form == "pdf" else 0,
                }
            )
        sets.append({"revision": snapshot.revision, "sealed": when(bundle.sealed_at), "documents": documents})
    return sets
