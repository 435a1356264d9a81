"""One dossier as the office sees it: how it stands, what happened, who are in it, its documents, mails and notes."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import audit, permissions
from app.assessment import fees, letters, overview
from app.assessment.models import Assessment, Assignment, SignOff
from app.assessment.overview import Filter, Row
from app.documents.models import Bundle
from app.dossiers import deadlines, log, submission
from app.dossiers import statements as of_statements
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Mentorship, Snapshot, Statement
from app.errors import DomainError, InvalidInput, NotFound
from app.extensions import session, transaction
from app.files import store
from app.schemes import models as stored_templates
from app.texts import both, both_n, pick
from app.web import ways
from app.web.auth import say
from app.web.candidate.submitting import DOCUMENTS, SANDBOX, snapshots_of
from app.web.dates import day, stamp, when
from app.web.evidence import MIMETYPES
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, fields
from app.web.office.chronicle import chronicle
from app.web.office.words import FEE_WORDS, STATE_KINDS, days, state_of
from app.web.parts import dossier_of, installation, me, only_fields, ring_due

MAIL_WORDS = {"queued": both("Wacht op verzending"), "sent": both("Verzonden"), "failed": both("Niet aangekomen")}
MAIL_KINDS = {"queued": "yellow", "sent": "green", "failed": "red"}
STATEMENT_WORDS = {
    "invited": (both("Uitgenodigd"), "yellow"),
    "signed": (both("Ondertekend"), "green"),
    "declined": (both("Geeft geen verklaring"), "red"),
    "revoked": (both("Ingetrokken"), ""),
}
PAGE_ACTIONS = ("office.documents", "office.admit", "office.extend", "office.withdraw")


# --- the page ------------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>")
@guard("office.dossier", dossier_of)
def dossier(dossier: Dossier) -> ResponseReturnValue:
    with transaction():
        audit.write("dossier.viewed", actor=me(), thing=dossier)
    return dossier_page(dossier)


def dossier_page(dossier: Dossier, wrong: Mapping[str, str] | None = None) -> str:
    language, template = current_language(), stored_templates.get(dossier.template_sha256)
    row = row_of(dossier)
    snapshots = snapshots_of(dossier)
    statements = session.scalars(select(Statement).where(Statement.dossier_id == dossier.id).order_by(Statement.id)).all()
    allowed = permissions.may_each(me(), PAGE_ACTIONS, dossier, knowing=[permissions.is_impartial])  # as the guard found
    shows_documents = "office.documents" in allowed
    return render_template(
        "office/dossier.html",
        dossier=dossier,
        row=row,
        title=pick(template.title, language),
        way=pick(ways.in_words(template), language),
        plugins=[pick(one.title, language) for one in template.plugins],
        forms={"version": template.version, "sha256": dossier.template_sha256[:12]},
        state=state_of(row),
        state_kind=STATE_KINDS.get(row.state, ""),
        age=days(row.age),
        next=next_step(dossier, row, snapshots[0][0] if snapshots else None),
        timeline=chronicle(dossier),
        supervisors=[_supervisor(one) for one in statements],
        mentors=session.scalars(
            select(Mentorship).where(Mentorship.dossier_id == dossier.id).order_by(Mentorship.id.desc())
        ).all(),
        assessors=assessors_of(dossier),
        needed=template.assessors,
        sets=_documents(dossier, snapshots) if shows_documents else [],
        files=_files(dossier, snapshots) if shows_documents and snapshots else [],
        mails=_mails(dossier),
        notes=log.notes(dossier),
        fee=fee_words(dossier),
        deadline=day(dossier.submit_before),
        late=dossier.stage in OPEN_STAGES and dossier.submit_before < submission.today(),
        extensions=deadlines.extensions_of(dossier),
        may={action: f"office.{action}" in allowed for action in ("admit", "extend", "withdraw")},
        audit_href=url_for("audit_log.home", wat=dossier.reference),
        typed=request.form.get("text", "") if wrong else "",
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def row_of(dossier: Dossier) -> Row:
    """How it stands, in the words of the list of all dossiers."""
    found = overview.dossiers(Filter(text=dossier.reference))
    return next(row for row in found if row.id == dossier.id)


def next_step(dossier: Dossier, row: Row, newest: Snapshot | None) -> dict[str, str]:
    """The one thing to do now: {text, and href with action, or retry (a POST)}."""
    language = current_language()
    found: dict[str, str] = {"href": "", "action": "", "retry": ""}
    if row.state == "draft":
        text = both("De kandidaat werkt eraan. U hoeft nu niets te doen.")
    elif row.state == "returned":
        text = both("De kandidaat vult het dossier aan. U hoeft nu niets te doen.")
    elif row.state == "assembling":
        text = both("De documenten worden gemaakt. Dat duurt meestal een paar minuten.")
    elif row.state == "stuck" and newest is not None:
        text = newest.error or both("Er ging iets mis bij het maken van de documenten.")
        found["retry"] = url_for("office.retry", snapshot_id=newest.id)
    elif row.state == "to_admit":
        text = both("Controleer de toelatingseisen. Laat het dossier toe, of stuur het terug met wat er ontbreekt.")
        found["href"] = url_for("office.admission", reference=dossier.reference)
        found["action"] = both("Controleer de toelatingseisen")[language]
    elif row.state == "to_assign":
        text = both("Toegelaten. Wijs beoordelaars toe: %(n)s van %(all)s toegewezen.", n=row.assessors, all=row.needed)
        if row.assessors:
            text = both(
                "Toegewezen: %(n)s van %(all)s. Wie is toegewezen, kan al beoordelen. Wijs nog iemand toe.",
                n=row.assessors,
                all=row.needed,
            )
        found |= {"href": _assign_href(row), "action": both("Wijs beoordelaars toe")[language]}
    elif row.state == "judging":
        text = both("De beoordelaars lezen het dossier, los van elkaar.")
    elif row.state == "judged":
        text = both("De oordelen zijn ondertekend. Nu volgt het besluit.")
        if stored_templates.get(dossier.template_sha256).way != "written":
            text = both(
                "De oordelen zijn ondertekend. Nu volgt de mondelinge toetsing: spreek een datum en plaats af met de kandidaat "
                "en de commissie. Daarna volgt het besluit."
            )
    else:
        text = both("Dit dossier is afgerond. U hoeft niets meer te doen.")
    return {**found, "text": pick(text, language)}


def _assign_href(row: Row) -> str:
    return url_for("office.assessors_page", assessment_id=row.assessment_id) if row.assessment_id is not None else ""


def assessors_of(dossier: Dossier) -> dict[str, Any]:
    """Who judges it, and how far each is; never a score."""
    assessment = session.scalar(select(Assessment).where(Assessment.dossier_id == dossier.id))
    if assessment is None:
        return {"href": "", "people": [], "now": 0}
    signed = set(session.scalars(select(SignOff.assignment_id).where(SignOff.assessment_id == assessment.id)))
    given = session.scalars(select(Assignment).where(Assignment.assessment_id == assessment.id).order_by(Assignment.id)).all()
    may_assign = permissions.may_each(me(), ["assessment.assign"], assessment, knowing=[permissions.is_impartial])
    return {
        "href": url_for("office.assessors_page", assessment_id=assessment.id) if may_assign else "",
        "people": [_assessor(one, one.id in signed) for one in given],
        "now": sum(one.ended_at is None for one in given),
    }


def _assessor(one: Assignment, signed: bool) -> dict[str, Any]:
    if one.ended_at is not None:
        words, kind = (both("Belangenconflict"), "red") if one.conflict_reason else (both("Gestopt"), "")
    elif signed:
        words, kind = both("Ondertekend"), "green"
    elif one.declared_at is not None:
        words, kind = both("Beoordeelt"), "blue"
    else:
        words, kind = both("Nog niet begonnen"), "yellow"
    return {
        "name": one.assessor.name,
        "email": one.assessor.email,
        "state": pick(words, current_language()),
        "kind": kind,
        "line": one.conflict_reason,
        "since": day(one.assigned_at),
        "ended": one.ended_at is not None,
    }


def role_of(statement: Statement) -> str:
    """As what somebody was asked for a statement. A question that the form no longer has, has no role."""
    try:
        return pick(of_statements.settings_of(statement).role, current_language())
    except NotFound:
        return both("verklaring gevraagd")[current_language()]


def _is_of_client(statement: Statement) -> bool:
    try:
        return of_statements.settings_of(statement).kind == "client"
    except NotFound:
        return False


def _supervisor(statement: Statement) -> dict[str, Any]:
    words, kind = STATEMENT_WORDS[statement.stage]
    if statement.stage == "signed" and _is_of_client(statement):
        words = both("Ingevuld")
    moment = statement.signed_at or statement.invited_at
    return {
        "name": statement.name,
        "role": role_of(statement),
        "email": statement.email,
        "state": pick(words, current_language()),
        "kind": kind,
        "since": day(moment),
        "line": statement.declined_reason or "",
    }


def _documents(dossier: Dossier, snapshots: Sequence[tuple[Snapshot, Bundle | None]]) -> list[dict[str, Any]]:
    """Each revision, newest first, with what can be downloaded of it."""
    language = current_language()
    titles = {"pdf": both("Dossier als pdf"), "docx": both("Word"), "zip": both("Bundel (zip)")}
    sets = []
    for snapshot, bundle in snapshots:
        if bundle is not None:
            state = both("Verzegeld %(when)s", when=when(bundle.sealed_at))
        elif snapshot.abandoned_at is not None:
            state = both("Niet gemaakt: het dossier was al teruggestuurd of ingetrokken.")
        else:
            state = snapshot.error or both("Wordt gemaakt")
        sets.append(
            {
                "revision": snapshot.revision,
                "submitted": when(snapshot.submitted_at),
                "state": pick(state, language),
                "links": [
                    {
                        "text": pick(titles[form], language),
                        "href": url_for("office.document", reference=dossier.reference, revision=snapshot.revision, form=form),
                    }
                    for form in (DOCUMENTS if bundle is not None else ())
                ],
            }
        )
    return sets


def _files(dossier: Dossier, snapshots: Sequence[tuple[Snapshot, Bundle | None]]) -> list[dict[str, Any]]:
    """The evidence of the newest revision, as it was submitted."""
    content = submission.content_of(snapshots[0][0])
    return [
        {
            "text": f"{item['number']}. {item['title']}",
            "pages": pick(both_n("%(n)s bladzijde", "%(n)s bladzijden", item["pages"]), current_language()),
            "href": url_for("office.evidence", reference=dossier.reference, evidence_id=item["id"]),
        }
        for item in content["evidence"]
    ]


def _mails(dossier: Dossier) -> list[dict[str, Any]]:
    language = current_language()
    subjects = mail_subjects()
    found = letters.of_dossier(dossier)
    again, possible = letters.times_again(found), letters.can_go_again(dossier, found)
    return [
        {
            "id": one.id,
            "to": one.to,
            "subject": pick(subjects.get(one.template), language) or one.template,
            "at": stamp(one.sent_at or one.created_at),
            "state": pick(MAIL_WORDS[one.stage], language),
            "kind": MAIL_KINDS[one.stage],
            "again": one.id in possible,
            "times": again[one.id],
        }
        for one in found
    ]


def mail_subjects() -> Mapping[str, Mapping[str, str]]:
    """What each mail about a dossier is called at the office."""
    return {
        "submission_receipt": both("Ontvangstbevestiging"),
        "dossier_handed_over": both("Documenten zijn gemaakt"),
        "dossier_admitted": both("Toegelaten tot de beoordeling"),
        "dossier_returned": both("Dossier teruggestuurd"),
        "dossier_extended": both("Uitstel gegeven"),
        "dossier_withdrawn": both("Dossier ingetrokken"),
        "renewal_prompt": both("Certificaat loopt af"),
        "evidence_refused": both("Bewijsstuk geweigerd"),
        "statement_signed": both("Supervisor heeft ondertekend"),
        "statement_declined": both("Supervisor geeft geen verklaring"),
        "client_answered": both("Een verklaring binnen"),
        "client_declined": both("Iemand doet niet mee"),
        "client_invitation": both("Vragen aan cliënt"),
        "client_reminder": both("Herinnering aan cliënt"),
        "client_thanks": both("Dank aan cliënt"),
        "client_copy": both("Cliënt: link naar de eigen antwoorden"),
        "client_withdrawn": both("Cliënt: antwoord niet meer nodig"),
        "supervisor_invitation": both("Uitnodiging aan supervisor"),
        "supervisor_reminder": both("Herinnering aan supervisor"),
        "supervisor_again": both("Supervisor gevraagd opnieuw te bevestigen"),
        "supervisor_copy": both("Kopie van de verklaring"),
        "mentor_accepted": both("Mentor doet mee"),
        "mentor_comment": both("Mentor gaf commentaar"),
        "conflict_declared": both("Belangenconflict gemeld"),
        "supervisor_thanks": both("Dank aan supervisor"),
        "supervisor_withdrawn": both("Supervisor: verklaring niet meer nodig"),
        "mentor_withdrawn": both("Mentor: dossier ingetrokken"),
        "mentor_invitation_withdrawn": both("Uitgenodigde mentor: dossier ingetrokken"),
        "assignment": both("Dossier om te beoordelen"),
        "assignment_withdrawn": both("Dossier hoeft niet meer beoordeeld te worden"),
        "assignment_ended": both("Dossier niet meer toegewezen"),
    }


def fee_words(dossier: Dossier) -> dict[str, Any]:
    """How the fee stands: {state, kind, lines}."""
    fee, language = fees.of_dossier(dossier), current_language()
    if fee is None:
        return {"state": pick(both("Nog niets vastgelegd"), language), "kind": "yellow", "lines": []}
    kinds = {"invoiced": "blue", "paid": "green", "waived": ""}
    return {
        "state": pick(FEE_WORDS[fee.state], language),
        "kind": kinds[fee.state],
        "lines": fees.lines(fee, language),
    }


# --- deeds on the page ---------------------------------------------------------------------------------------------


@blueprint.post("/dossiers/<reference>/notities")
@guard("office.note", dossier_of)
def write_note(dossier: Dossier) -> ResponseReturnValue:
    only_fields("text")
    try:
        with transaction():
            made = log.write_note(dossier, fields.text("text"), by=me())
            audit.write("dossier.noted", actor=me(), thing=dossier, note=made.id)
    except InvalidInput as refusal:
        return dossier_page(dossier, {"text": pick(refusal.text, current_language())}), 422
    say("ok", both("Uw notitie is bewaard."))
    return redirect(url_for("office.dossier", reference=dossier.reference, _anchor="notes"))


@blueprint.post("/dossiers/<reference>/berichten/<int:mail_id>/opnieuw")
@guard("office.resend", dossier_of)
def resend(dossier: Dossier, mail_id: int) -> ResponseReturnValue:
    only_fields("times")
    try:
        with transaction():
            to = letters.send_again(dossier, mail_id, times=fields.number("times"), settings=installation().settings)
            audit.write("mail.resent", actor=me(), thing=dossier, mail=mail_id)
    except NotFound:
        raise
    except DomainError as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("De e-mail gaat opnieuw naar %(address)s.", address=to))
    return redirect(url_for("office.dossier", reference=dossier.reference, _anchor="mails"))


# --- downloads -----------------------------------------------------------------------------------------------------


@blueprint.get("/dossiers/<reference>/documenten/<int:revision>/<form>")
@guard("office.documents", dossier_of)
def document(dossier: Dossier, revision: int, form: str) -> ResponseReturnValue:
    """The sealed PDF or DOCX of a revision, or the whole bundle."""
    bundle = session.scalar(select(Bundle).join(Snapshot).where(Snapshot.dossier_id == dossier.id, Snapshot.revision == revision))
    if bundle is None or form not in DOCUMENTS:
        raise NotFound(both("Dit document is er (nog) niet."))
    column, mimetype = DOCUMENTS[form]
    sha256: str = getattr(bundle, column)
    return _sent(dossier, sha256, f"{dossier.reference}-{revision}.{form}", mimetype, revision=revision, form=form)


@blueprint.get("/dossiers/<reference>/bewijs/<int:evidence_id>")
@guard("office.documents", dossier_of)
def evidence(dossier: Dossier, evidence_id: int) -> ResponseReturnValue:
    """The cleaned copy of a file that was submitted; what is still in the candidate's folder only, is not for the office."""
    submitted = (one for snapshot, _ in snapshots_of(dossier) for one in submission.content_of(snapshot)["evidence"])
    item = next((one for one in submitted if one["id"] == evidence_id and one["cleaned_sha256"]), None)  # of the newest revision
    if item is None:
        raise NotFound(both("Dit document is er (nog) niet."))
    name = f"{item['name'].rsplit('.', 1)[0]}.{item['cleaned_kind']}"
    return _sent(dossier, item["cleaned_sha256"], name, MIMETYPES[item["cleaned_kind"]], evidence=item["id"])


def _sent(dossier: Dossier, sha256: str, name: str, mimetype: str, **details: int | str) -> ResponseReturnValue:
    """Logged in a transaction of its own, then sent."""
    with transaction():
        audit.write("dossier.document", actor=me(), thing=dossier, **details)
    path = store.path(installation().settings.blobs, sha256)
    session.rollback()
    response = make_response(send_file(path, mimetype=mimetype, as_attachment=True, download_name=name, etag=sha256, max_age=0))
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
