"""The candidate's side of a mentor: asking one, reminding, ending, and dealing with the comments."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import audit, mail
from app.accounts import registration
from app.assessment import conflicts
from app.dossiers import former, mentors
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, MentorComment, Mentorship
from app.errors import Conflict, DomainError, InvalidInput, NotFound, TooManyRequests
from app.extensions import now, session, transaction
from app.schemes import models as stored_templates
from app.texts import LANGUAGES, both, pick
from app.web.auth import Form, Refusal, Typed, read, refuse_strange_fields, say
from app.web.candidate import blueprint
from app.web.dates import day
from app.web.errors import NOT_HERE
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, only_fields, ring_due
from app.web.remarks import remark_dicts

TICK = re.compile(r"(done|again):([0-9]{1,9})")


def _known_language(text: str) -> str:
    if text not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal uw mentor de e-mail krijgt."))
    return text


class MentorForm(Form):
    name = Typed(registration.person_name)
    email = Typed(mail.address)
    language = Typed(_known_language)


def mentorship_of(reference: str, mentorship_id: int) -> Mentorship:
    """A mentorship of the dossier that an address names."""
    found = session.scalar(
        select(Mentorship)
        .join(Dossier, Mentorship.dossier_id == Dossier.id)
        .where(Mentorship.id == mentorship_id, Dossier.reference == reference)
    )
    if found is None:
        raise NotFound(NOT_HERE)
    return found


@blueprint.get("/dossier/<reference>/mentor")
@guard("dossier.read", dossier_of)
def mentor(dossier: Dossier) -> ResponseReturnValue:
    return mentor_page(dossier)


@blueprint.post("/dossier/<reference>/mentor")
@guard("dossier.edit", dossier_of)
def invite_mentor(dossier: Dossier) -> ResponseReturnValue:
    """Mails the link. A second click shows that the invitation is there."""
    form = MentorForm()
    refuse_strange_fields(form)
    try:
        typed = read(form)
        with transaction():
            conflicts.refuse_judge(dossier, email=typed["email"])
            made = mentors.invite(dossier, **typed, settings=installation().settings)
            audit.write("mentorship.invited", actor=me(), thing=dossier, mentorship=made.id)
    except (Refusal, InvalidInput) as refusal:
        wrong = refusal.words if isinstance(refusal, Refusal) else {"email": pick(refusal.text, current_language())}
        if mentors.open_one(dossier) is None:
            return mentor_page(dossier, wrong), 422
        say("warn", mentors.ALREADY_ASKED)  # in another window: there is no form any more to mend
    except (Conflict, TooManyRequests) as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("De uitnodiging voor %(name)s is verstuurd.", name=typed["name"]))
    return redirect(url_for("candidate.mentor", reference=dossier.reference))


@blueprint.post("/dossier/<reference>/mentor/<int:mentorship_id>/herinneren")
@guard("mentorship.manage", mentorship_of)
def remind_mentor(mentorship: Mentorship) -> ResponseReturnValue:
    only_fields()
    reference = mentorship.dossier.reference
    try:
        with transaction():
            mentors.remind(mentorship, installation().settings)
            audit.write("mentorship.reminded", actor=me(), thing=mentorship.dossier, mentorship=mentorship.id)
            name = mentorship.name
    except DomainError as refusal:
        say("warn", refusal.text)
    else:
        ring_due("mail")
        say("ok", both("%(name)s krijgt een herinnering met een nieuwe link.", name=name))
    return redirect(url_for("candidate.mentor", reference=reference))


@blueprint.get("/dossier/<reference>/mentor/<int:mentorship_id>/stoppen")
@guard("mentorship.manage", mentorship_of)
def ask_end_mentor(mentorship: Mentorship) -> ResponseReturnValue:
    return render_template(
        "candidate/end_mentor.html", dossier=mentorship.dossier, mentorship=mentorship, name=mentors.mentor_name(mentorship)
    )


@blueprint.post("/dossier/<reference>/mentor/<int:mentorship_id>/stoppen")
@guard("mentorship.manage", mentorship_of)
def end_mentor(mentorship: Mentorship) -> ResponseReturnValue:
    only_fields()
    with transaction():
        name, reference = mentors.mentor_name(mentorship), mentorship.dossier.reference
        if mentors.end(mentorship, by=me()):
            audit.write("mentorship.ended", actor=me(), thing=mentorship.dossier, mentorship=mentorship.id)
    ring_due("mail")
    say("ok", both("%(name)s kan uw dossier niet meer lezen. De opmerkingen blijven voor u staan.", name=name))
    return redirect(url_for("candidate.mentor", reference=reference))


@blueprint.post("/dossier/<reference>/mentor/opmerkingen")
@guard("dossier.edit", dossier_of)
def mark_comment(dossier: Dossier) -> ResponseReturnValue:
    """ "Afgehandeld", or not after all, from the page with all comments."""
    only_fields("action")
    marked = tick(dossier)
    return redirect(url_for("candidate.mentor", reference=dossier.reference) + (f"#opmerking-{marked}" if marked else ""))


def tick(dossier: Dossier) -> int | None:
    """What the button "Afgehandeld" of a comment asks (``done:12``, ``again:12``); the comment's id, when one was marked."""
    asked = TICK.fullmatch(request.form.get("action", ""))
    if asked is None:
        return None
    with transaction():
        comment = mentors.comment_of(dossier, int(asked[2]))
        if comment is None:
            say("warn", both("Deze opmerking heeft uw mentor intussen verwijderd."))
            return None
        mentors.mark(comment, done=asked[1] == "done")
        audit.write("mentorship.comment_marked", actor=me(), thing=dossier, comment=comment.id, done=asked[1])
        return comment.id


# --- what the pages show -------------------------------------------------------------------------------------------


def mentor_page(dossier: Dossier, wrong: Mapping[str, str] | None = None) -> str:
    language = current_language()
    current = mentors.open_one(dossier)
    comments = mentors.comments_of(dossier)
    template = stored_templates.get(dossier.template_sha256)
    return render_template(
        "candidate/mentor.html",
        dossier=dossier,
        open=dossier.stage in OPEN_STAGES,
        mentorship=current,
        card=mentor_card(dossier, current),
        has_statements=any(question.type == "statement" for _, question in template.questions()),
        sections=[
            {
                "title": pick(section.title, language),
                "href": url_for("section.show", reference=dossier.reference, section_id=section.id),
                "remarks": remark_dicts(comments[section.id]),
            }
            for section in template.sections
            if section.id in comments
        ]
        + [
            {"title": pick(title, language), "href": "", "remarks": remark_dicts(comments[section_id])}
            for section_id, title in _former_sections(dossier, [one for one in comments if template.section(one) is None])
        ],
        days=installation().settings.invitation_days,
        typed=request.form,
        wrong=wrong or {},
        errors=[{"text": text, "href": f"#{name}"} for name, text in (wrong or {}).items()],
    )


def _former_sections(dossier: Dossier, section_ids: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
    """Sections that the forms do not have any more, with what they were called."""
    found: list[tuple[str, Mapping[str, str]]] = []
    for section_id in section_ids:
        had = [stored_templates.get(sha256).section(section_id) for sha256 in former.templates(dossier)]
        title = next((one.title for one in had if one is not None), {"nl": section_id, "en": section_id})
        found.append((section_id, both("%(title)s (niet meer gevraagd)", title=title)))
    return found


def mentor_card(dossier: Dossier, mentorship: Mentorship | None) -> dict[str, Any]:
    """How it stands: {name, line, state, kind, lines}."""
    template = stored_templates.get(dossier.template_sha256)
    if mentorship is None:
        state, kind, lines = (
            both("Nog niemand uitgenodigd"),
            "",
            [
                both("Iemand uit het vak kan uw dossier meelezen en u opmerkingen geven. Het hoeft niet.")
                if not template.mentor
                else both("Een mentor hoort bij deze certificering. Uw mentor kan hier meelezen en u opmerkingen geven.")
            ],
        )
    elif mentorship.mentor is not None and mentorship.accepted_at is not None:
        state, kind = both("Leest mee"), "green"
        lines = [both("Sinds %(day)s.", day=day(mentorship.accepted_at))]
    else:
        state, kind = both("Wacht op antwoord"), "yellow"
        lines = [both("Uitgenodigd op %(day)s.", day=day(mentorship.invited_at))]
        if mentorship.token_expires_at < now():
            lines.append(both("De link is verlopen. Stuur een herinnering met een nieuwe link."))
        else:
            lines.append(both("De link werkt tot en met %(day)s.", day=day(mentorship.token_expires_at)))
    language = current_language()
    return {
        "name": mentors.mentor_name(mentorship) if mentorship else "",
        "email": (mentorship.mentor.email if mentorship.mentor else mentorship.email) if mentorship else "",
        "accepted": mentorship is not None and mentorship.mentor is not None,
        "state": state[language],
        "kind": kind,
        "lines": [line[language] for line in lines],
    }


def waiting(comments: Mapping[str, list[MentorComment]]) -> dict[str, int]:
    """How many comments are not dealt with yet, by section."""
    counts = {section_id: sum(one.done_at is None for one in found) for section_id, found in comments.items()}
    return {section_id: count for section_id, count in counts.items() if count}
