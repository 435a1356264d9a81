"""A mentor's pages: the mailed link, whom he reads along with, the draft to read and comment on.

Opening the link changes nothing (mail scanners open links too) and shows nothing of the dossier. The draft is shown as long as
it is one; afterwards, and after ending, there is a page that says so.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from app import audit, permissions
from app.assessment import conflicts
from app.dossiers import contents as dossier_contents
from app.dossiers import mentors, submission
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import MentorComment, Mentorship
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, Text
from app.extensions import session, transaction
from app.files import store
from app.schemes import models as stored_templates
from app.schemes.model import Question, Section
from app.texts import both, both_n, pick
from app.web import forms, unsaved
from app.web.auth import say
from app.web.candidate.tasks import STAGE_WORDS
from app.web.dates import day
from app.web.errors import NOT_HERE, refused
from app.web.evidence import MIMETYPES, SANDBOX
from app.web.guard import guard, public, signed_in
from app.web.language import current_language
from app.web.parts import installation, me, only_fields, ring_due
from app.web.remarks import remark_dicts

blueprint = Blueprint("mentor", __name__)


def mentorship_of(mentorship_id: int) -> Mentorship:
    """The mentorship that an address names."""
    found = session.get(Mentorship, mentorship_id)
    if found is None:
        raise NotFound(NOT_HERE)
    return found


def invitation_of(token: str) -> Mentorship:
    """The mentorship that a mailed link belongs to. The page speaks the language of the invitation."""
    mentorship = mentors.by_link(token)
    g.invited_in = mentorship.language
    return mentorship


# --- the mailed link -----------------------------------------------------------------------------------------------


@blueprint.get(mentors.PATH)
@public
def invitation(token: str) -> ResponseReturnValue:
    """Who asks, what a mentor sees, and what it means. For who is not logged in: the ways to an account, and back here."""
    mentorship = invitation_of(token)
    account = me() if current_user.is_authenticated else None
    if mentorship.mentor_id is not None:
        if account is not None and account.id == mentorship.mentor_id:
            return redirect(url_for("mentor.dossier", mentorship_id=mentorship.id))
        text = both("Deze uitnodiging is al aangenomen. Was u dat? Log dan in met hetzelfde account.")
        return closed_page(text, 410)
    return invitation_page(mentorship, token, _refusal(mentorship) if account else None)


def invitation_page(mentorship: Mentorship, token: str, refusal: Text | None) -> str:
    return render_template(
        "mentor/invitation.html",
        mentorship=mentorship,
        candidate=mentorship.dossier.owner.name,
        token=token,
        person=me() if current_user.is_authenticated else None,
        back=url_for("mentor.invitation", token=token),
        refusal=pick(refusal, current_language()),
    )


def _refusal(mentorship: Mentorship) -> Text | None:
    """Why whoever is logged in cannot be this mentor."""
    try:
        mentors.check_may_accept(mentorship, me())
        conflicts.refuse_judge(mentorship.dossier, email=me().email, account=me())
    except InvalidInput as refusal:
        return refusal.text
    return None


@blueprint.post(f"{mentors.PATH}/aannemen")
@guard("mentorship.accept", invitation_of)
def accept(mentorship: Mentorship) -> ResponseReturnValue:
    """ "Ik doe mee". A second click finds it done."""
    only_fields()
    try:
        with transaction():
            conflicts.refuse_judge(mentorship.dossier, email=me().email, account=me())
            if mentors.accept(mentorship, me()):
                audit.write("mentorship.accepted", actor=me(), thing=mentorship.dossier, mentorship=mentorship.id)
            mentorship_id, name = mentorship.id, mentorship.dossier.owner.name
    except (InvalidInput, Conflict) as refusal:
        return closed_page(refusal.text, 409 if isinstance(refusal, Conflict) else 422)
    ring_due("mail")
    say("ok", both("U leest nu mee met %(name)s.", name=name))
    return redirect(url_for("mentor.dossier", mentorship_id=mentorship_id))


@blueprint.route(f"{mentors.PATH}/niet", methods=["GET", "POST"])
@public
def decline(token: str) -> ResponseReturnValue:
    """ "Nee, of: dit ben ik niet". Whoever has the link may say so, without an account."""
    mentorship = invitation_of(token)
    if mentorship.mentor_id is not None:
        return closed_page(both("Deze uitnodiging is al aangenomen. Log in als u wilt stoppen met meelezen."), 410)
    candidate = mentorship.dossier.owner.name
    if request.method != "POST":
        return render_template("mentor/decline.html", mentorship=mentorship, candidate=candidate, token=token)
    only_fields()
    try:
        with transaction():
            mentors.decline(mentorship)
            audit.write("mentorship.declined", actor="invited", thing=mentorship.dossier, mentorship=mentorship.id)
    except Conflict as refusal:
        return closed_page(refusal.text, 409)
    ring_due("mail")
    return render_template("mentor/declined.html", candidate=candidate)


def closed_page(text: Text, status: int = 200) -> ResponseReturnValue:
    """Nothing to read here (any more), and why."""
    return render_template("mentor/closed.html", text=pick(text, current_language())), status


# --- whom I read along with ----------------------------------------------------------------------------------------


@blueprint.get("/meelezen")
@guard("mentorship.list")
def home() -> ResponseReturnValue:
    """The people, and where there is text that this mentor did not see yet."""
    mine = mentors.mentorships_of(me())
    open_ones = [one for one in mine if is_open(one)]
    new = mentors.new_sections(me(), [one.dossier for one in open_ones])
    waiting = mentors.open_comments(open_ones)
    return render_template(
        "mentor/home.html",
        people=[_person(one, len(new.get(one.dossier_id, ())), waiting.get(one.id, 0)) for one in open_ones],
        former=[
            {
                "name": one.dossier.owner.name,
                "reference": one.dossier.reference,
                "why": pick(why_closed(one), current_language()),
            }
            for one in mine
            if not is_open(one)
        ],
    )


def _person(mentorship: Mentorship, new: int, waiting: int) -> dict[str, Any]:
    language, dossier = current_language(), mentorship.dossier
    facts = []
    if new:
        facts.append(both_n("%(n)s onderdeel met tekst die u nog niet las", "%(n)s onderdelen met tekst die u nog niet las", new))
    if waiting:
        facts.append(both_n("%(n)s opmerking is nog niet afgehandeld", "%(n)s opmerkingen zijn nog niet afgehandeld", waiting))
    return {
        "name": dossier.owner.name,
        "href": url_for("mentor.dossier", mentorship_id=mentorship.id),
        "title": pick(stored_templates.get(dossier.template_sha256).title, language),
        "reference": dossier.reference,
        "stage": pick(STAGE_WORDS[dossier.stage], language),
        "new": new,
        "facts": [pick(fact, language) for fact in facts],
    }


def is_open(mentorship: Mentorship) -> bool:
    """Whether there is a draft to read."""
    return mentorship.ended_at is None and mentorship.dossier.stage in OPEN_STAGES


def not_reading(mentorship: Mentorship, status: int = 200) -> ResponseReturnValue:
    """What a mentor sees when there is no draft (any more): with whom, why, and the way back."""
    name = mentorship.dossier.owner.name
    return closed_page(both("U leest niet mee met %(name)s. %(why)s", name=name, why=why_closed(mentorship)), status)


def why_closed(mentorship: Mentorship) -> Text:
    if mentorship.ended_at is not None:
        return both("Het meelezen is beëindigd.")
    if mentorship.dossier.stage == "withdrawn":
        return both("Het dossier is ingetrokken.")
    sent = mentorship.dossier.submitted_at
    submitted = both("Het dossier is op %(day)s ingediend.", day=day(sent)) if sent else both("Het dossier is ingediend.")
    if mentorship.dossier.stage == "in_assessment":
        return both("%(submitted)s De beoordelaars lezen het nu.", submitted=submitted)
    if mentorship.dossier.stage == "decided":
        return both("%(submitted)s Er is een besluit genomen.", submitted=submitted)
    return both("%(submitted)s Wordt het teruggestuurd om aan te vullen, dan kunt u weer meelezen.", submitted=submitted)


@blueprint.get("/meelezen/<int:mentorship_id>")
@guard("mentorship.read", mentorship_of)
def dossier(mentorship: Mentorship) -> ResponseReturnValue:
    """The sections, with what is new and where comments stand; after submitting or ending only that."""
    if not permissions.may(me(), "mentorship.comment", mentorship):
        return not_reading(mentorship)
    contents, language = dossier_contents.read(mentorship.dossier), current_language()
    new = mentors.new_sections(me(), [mentorship.dossier]).get(mentorship.dossier_id, frozenset())
    comments = mentors.own_comments(mentorship)
    groups = []
    for group in contents.template.groups:
        tasks = [
            _task(mentorship, contents, section, section.id in new, len(comments.get(section.id, ())))
            for section in contents.template.of_group(group.id)
        ]
        if tasks:
            groups.append({"id": group.id, "title": pick(group.title, language), "tasks": tasks})
    return render_template(
        "mentor/dossier.html",
        mentorship=mentorship,
        dossier=mentorship.dossier,
        candidate=mentorship.dossier.owner.name,
        title=pick(contents.template.title, language),
        groups=groups,
        new=len(new),
    )


def _task(mentorship: Mentorship, contents: Contents, section: Section, new: bool, comments: int) -> dict[str, Any]:
    language = current_language()
    if new:
        status, words = "busy", both("Nieuwe tekst")
    elif contents.versions.get(section.id):
        status, words = "finished", both("Gelezen")
    else:
        status, words = "todo", both("Nog leeg")
    return {
        "title": pick(section.title, language),
        "href": url_for("mentor.read", mentorship_id=mentorship.id, section_id=section.id),
        "hint": both_n("%(n)s opmerking van u", "%(n)s opmerkingen van u", comments)[language] if comments else "",
        "status": status,
        "status_text": pick(words, language),
    }


def stopped_already(mentorship: Mentorship) -> ResponseReturnValue | None:
    """The second of two clicks, or the candidate was first: either way it has ended."""
    if mentorship.ended_at is None:
        return None
    say("info", both("U leest niet meer mee met %(name)s. Dit was al gebeurd.", name=mentorship.dossier.owner.name))
    return redirect(url_for("mentor.home"))


@blueprint.post("/meelezen/<int:mentorship_id>/stoppen")
@guard("mentorship.comment", mentorship_of, already=stopped_already)
def stop(mentorship: Mentorship) -> ResponseReturnValue:
    only_fields()
    with transaction():
        name = mentorship.dossier.owner.name
        if mentors.end(mentorship, by=me()):
            audit.write("mentorship.ended", actor=me(), thing=mentorship.dossier, mentorship=mentorship.id)
    ring_due("mail")
    say("ok", both("U leest niet meer mee met %(name)s. %(name)s krijgt daar bericht van.", name=name))
    return redirect(url_for("mentor.home"))


@blueprint.get("/meelezen/<int:mentorship_id>/stoppen")
@guard("mentorship.comment", mentorship_of)
def ask_stop(mentorship: Mentorship) -> ResponseReturnValue:
    return render_template("mentor/stop.html", mentorship=mentorship, candidate=mentorship.dossier.owner.name)


# --- reading and commenting ----------------------------------------------------------------------------------------


@blueprint.get("/meelezen/<int:mentorship_id>/onderdeel/<section_id>")
@guard("mentorship.comment", mentorship_of)
def read(mentorship: Mentorship, section_id: str) -> ResponseReturnValue:
    section_of(mentorship, section_id)
    with transaction():
        audit.write(mentors.VIEWED, actor=me(), thing=mentorship.dossier, mentorship=mentorship.id, section=section_id)
    return section_page(mentorship, section_id)


@blueprint.post("/meelezen/<int:mentorship_id>/onderdeel/<section_id>")
@guard("mentorship.comment", mentorship_of)
def comment(mentorship: Mentorship, section_id: str) -> ResponseReturnValue:
    only_fields("text")
    section_of(mentorship, section_id)
    try:
        with transaction():
            made = mentors.comment(mentorship, section_id, request.form.get("text", ""))
            place = made.id
    except InvalidInput as refusal:
        return section_page(mentorship, section_id, pick(refusal.text, current_language())), 422
    ring_due("mail")
    return redirect(f"{url_for('mentor.read', mentorship_id=mentorship.id, section_id=section_id)}#opmerking-{place}")


def section_page(mentorship: Mentorship, section_id: str, wrong: str = "") -> str:
    contents, language = dossier_contents.read(mentorship.dossier), current_language()
    section = section_of(mentorship, section_id)
    sections = contents.template.sections
    place = sections.index(section)
    own = mentors.own_comments(mentorship).get(section_id, [])
    return render_template(
        "mentor/section.html",
        mentorship=mentorship,
        candidate=mentorship.dossier.owner.name,
        section_id=section_id,
        title=pick(section.title, language),
        place=both("Onderdeel %(number)s van %(all)s", number=place + 1, all=len(sections))[language],
        answers=[_answered(mentorship, contents, section, question) for question in contents.visible[section_id]],
        before=_neighbour(mentorship, sections[place - 1]) if place else None,
        after=_neighbour(mentorship, sections[place + 1]) if place + 1 < len(sections) else None,
        remarks=remark_dicts(own, named=False),
        typed=request.form.get("text", ""),
        wrong=wrong,
        errors=[{"text": wrong, "href": "#text"}] if wrong else [],
    )


def section_of(mentorship: Mentorship, section_id: str) -> Section:
    section = stored_templates.get(mentorship.dossier.template_sha256).section(section_id)
    if section is None:
        raise NotFound(both("Dit onderdeel bestaat niet in het dossier."))
    return section


def _neighbour(mentorship: Mentorship, section: Section) -> dict[str, str]:
    return {
        "text": pick(section.title, current_language()),
        "href": url_for("mentor.read", mentorship_id=mentorship.id, section_id=section.id),
    }


def _answered(mentorship: Mentorship, contents: Contents, section: Section, question: Question) -> dict[str, Any]:
    """A question with its answer and files. A supervisor's statement is for the candidate and the assessors only."""
    language = current_language()
    answer = contents.answer(section.id, question.id)
    files = [contents.evidence[item] for item in dossier_contents.evidence_in(question, answer) if item in contents.evidence]
    shown: dict[str, Any] = {"label": pick(question.label, language), "answer": "", "note": ""}
    if question.type == "statement":
        shown["note"] = pick(both("De verklaring van de supervisor ziet u niet."), language)
    elif question.type != "evidence":
        shown["answer"] = forms.render_answer(
            question,
            answer,
            language,
            types=installation().catalogue.types,
            written_in=contents.dossier.language,
            settings=contents.settings(question, submission.today()),
            evidence_titles={item.id: item.shown_title for item in files},
        )
    elif not files:
        shown["note"] = pick(both("Nog geen bewijsstuk."), language)
    shown["files"] = [
        {
            "title": item.shown_title,
            "href": url_for("mentor.evidence", mentorship_id=mentorship.id, evidence_id=item.id) if item.cleaned_sha256 else "",
        }
        for item in dict.fromkeys(files)
    ]
    return shown


@blueprint.get("/meelezen/<int:mentorship_id>/bewijs/<int:evidence_id>")
@guard("mentorship.comment", mentorship_of)
def evidence(mentorship: Mentorship, evidence_id: int) -> ResponseReturnValue:
    """The cleaned copy of a file that an answer uses; nothing else of the folder."""
    contents = dossier_contents.read(mentorship.dossier)
    item = contents.evidence.get(evidence_id)
    if item is None or item.cleaned_sha256 is None or item.cleaned_kind is None or not _is_used(contents, evidence_id):
        raise NotFound(both("Dit bewijsstuk is er niet, of het is nog niet gecontroleerd."))
    path = store.path(installation().settings.blobs, item.cleaned_sha256)
    name, kind, sha256 = f"{item.name.rsplit('.', 1)[0]}.{item.cleaned_kind}", item.cleaned_kind, item.cleaned_sha256
    with transaction():
        audit.write("evidence.downloaded", actor=me(), thing=item, mentorship=mentorship.id)
    response = make_response(
        send_file(path, mimetype=MIMETYPES[kind], as_attachment=True, download_name=name, etag=sha256, max_age=0)
    )
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _is_used(contents: Contents, evidence_id: int) -> bool:
    return evidence_id in dossier_contents.evidence_used(contents) and contents.evidence[evidence_id].statement_id is None


@blueprint.errorhandler(Forbidden)
def closed_meanwhile(error: Forbidden) -> ResponseReturnValue:
    """Says why there is nothing to read or to comment on (any more); what was typed stands on the page."""
    mentorship = session.get(Mentorship, (request.view_args or {}).get("mentorship_id", 0))
    if mentorship is None or is_open(mentorship) or not permissions.may(signed_in(), "mentorship.read", mentorship):
        return refused(error)
    why = why_closed(mentorship)
    if unsaved.texts():
        return refused(Forbidden(both("Uw opmerking is niet bewaard. %(why)s", why=why)))
    return not_reading(mentorship, 403)


# --- my own comments -----------------------------------------------------------------------------------------------


def comment_of(mentorship: Mentorship, comment_id: int) -> MentorComment:
    """A comment of this mentorship that stands there."""
    found = session.scalar(
        select(MentorComment).where(
            MentorComment.id == comment_id,
            MentorComment.mentorship_id == mentorship.id,
            MentorComment.removed_at.is_(None),
        )
    )
    if found is None:
        raise NotFound(both("Deze opmerking is er niet (meer)."))
    return found


@blueprint.get("/meelezen/<int:mentorship_id>/opmerkingen/<int:comment_id>")
@guard("mentorship.comment", mentorship_of)
def edit(mentorship: Mentorship, comment_id: int) -> ResponseReturnValue:
    remark = comment_of(mentorship, comment_id)
    return comment_page(mentorship, remark, remark.text)


@blueprint.post("/meelezen/<int:mentorship_id>/opmerkingen/<int:comment_id>")
@guard("mentorship.comment", mentorship_of)
def save(mentorship: Mentorship, comment_id: int) -> ResponseReturnValue:
    """Other words, or (action "remove") none."""
    comment_of(mentorship, comment_id)
    only_fields("text", "before", "action")
    typed, before = request.form.get("text", ""), request.form.get("before", "").replace("\r\n", "\n")
    removing = request.form.get("action") == "remove"
    try:
        with transaction():
            remark = comment_of(mentorship, comment_id)
            if removing:
                mentors.remove(remark)
            else:
                mentors.edit(remark, typed, before=before)
            deed = "mentorship.comment_removed" if removing else "mentorship.comment_edited"
            audit.write(deed, actor=me(), thing=mentorship.dossier, comment=remark.id)
            section_id = remark.section_id
    except InvalidInput as refusal:
        words = {"text": pick(refusal.text, current_language())}
        return comment_page(mentorship, comment_of(mentorship, comment_id), typed, words), 422
    except Conflict as refusal:
        words = {"text": pick(refusal.text, current_language())}
        return comment_page(mentorship, comment_of(mentorship, comment_id), typed, words), 409
    say("ok", both("De opmerking is verwijderd.") if removing else both("De opmerking is gewijzigd."))
    place = "" if removing else f"#opmerking-{comment_id}"
    return redirect(url_for("mentor.read", mentorship_id=mentorship.id, section_id=section_id) + place)


def comment_page(mentorship: Mentorship, remark: MentorComment, typed: str, wrong: Mapping[str, str] | None = None) -> str:
    return render_template(
        "mentor/comment.html",
        mentorship=mentorship,
        candidate=mentorship.dossier.owner.name,
        title=pick(section_of(mentorship, remark.section_id).title, current_language()),
        remark=remark,
        typed=typed,
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )
