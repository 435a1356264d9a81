"""A mentor reads a candidate's draft and comments on it per section, until it is submitted; the comments never go along.

Asked by a mailed link, which is bound to the address only for sending: whoever accepts does so with an account of his own, of
any address, and the candidate sees whose. Who may not be asked because he judges the candidate: ``assessment.conflicts``.
"""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from app import audit, mail
from app.accounts import attempts, messages, registration
from app.accounts.links import digest
from app.accounts.models import Account
from app.accounts.same_person import is_same_person
from app.audit import AuditEntry, name_of
from app.config import Settings
from app.dossiers import submission
from app.dossiers.answers import checked
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, MentorComment, Mentorship, SectionAnswers
from app.errors import Conflict, InvalidInput, LinkUnusable, NotFound
from app.extensions import now, session
from app.schemes import models as stored_templates
from app.texts import LANGUAGES, both

TOKEN_BYTES = 32
MAILS_TO_ONE_ADDRESS = 5  # an hour: the form must not become a way to pester somebody
MAX_COMMENT = 5_000
ALREADY_ASKED = both("U hebt al een mentor uitgenodigd. Beëindig dat eerst; er kan één mentor tegelijk meelezen.")
PATH = "/meelezen/uitnodiging/<token>"
VIEWED = "mentorship.viewed"  # the record of deeds also knows what a mentor saw last


# --- asking --------------------------------------------------------------------------------------------------------


def invite(dossier: Dossier, *, name: str, email: str, language: str, settings: Settings) -> Mentorship:
    """Asks somebody to read along; the link goes into the outbox.

    Refused: what is no name or not one address, the candidate himself, a second mentor at the same time, a dossier that is
    not open.
    """
    _check_open(dossier)
    name, email = registration.person_name(checked(name)), mail.address(email)
    if language not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal uw mentor de e-mail krijgt."), field="language")
    if is_same_person(dossier.owner, email=email, name=name):
        raise InvalidInput(both("Dit bent u zelf. Een mentor is iemand anders."))
    if open_one(dossier) is not None:
        raise Conflict(ALREADY_ASKED)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    mentorship = Mentorship(
        dossier_id=dossier.id,
        name=name,
        email=email,
        language=language,
        token_sha256=digest(token),
        token_expires_at=now() + timedelta(days=settings.invitation_days),
    )
    try:
        with session.begin_nested():
            session.add(mentorship)
    except IntegrityError:
        raise Conflict(ALREADY_ASKED) from None
    _send_link(mentorship, token)
    return mentorship


def remind(mentorship: Mentorship, settings: Settings) -> None:
    """Mails a fresh link; the former link stops working."""
    _check_open(mentorship.dossier)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    changed = _change(
        mentorship,
        Mentorship.mentor_id.is_(None),
        token_sha256=digest(token),
        token_expires_at=now() + timedelta(days=settings.invitation_days),
    )
    if not changed:
        raise Conflict(both("Deze uitnodiging is al aangenomen of beëindigd. Een herinnering is niet nodig."))
    _send_link(mentorship, token)


def open_one(dossier: Dossier) -> Mentorship | None:
    """The mentor of now, invited or accepted."""
    return session.scalar(
        select(Mentorship)
        .where(Mentorship.dossier_id == dossier.id, Mentorship.ended_at.is_(None))
        .options(joinedload(Mentorship.mentor))
    )


def all_of(dossier: Dossier) -> Sequence[Mentorship]:
    """Every mentorship of this dossier, newest first."""
    return session.scalars(
        select(Mentorship)
        .where(Mentorship.dossier_id == dossier.id)
        .order_by(Mentorship.id.desc())
        .options(joinedload(Mentorship.mentor))
    ).all()


# --- answering -----------------------------------------------------------------------------------------------------


def by_link(token: str) -> Mentorship:
    """The mentorship that a mailed link belongs to, also when it was accepted. Changes nothing. Raises ``LinkUnusable``."""
    mentorship = session.scalar(select(Mentorship).where(Mentorship.token_sha256 == digest(token)))
    if mentorship is None:
        raise LinkUnusable(
            both("Deze link werkt niet (meer). Misschien is er een nieuwere e-mail met een nieuwe link. Vraag het de kandidaat.")
        )
    if mentorship.dossier.stage == "withdrawn":
        raise LinkUnusable(both("Dit dossier is ingetrokken. Meelezen is niet meer nodig. Dank u wel."))
    if mentorship.ended_at is not None:
        raise LinkUnusable(both("Deze uitnodiging is beëindigd. U hoeft niets meer te doen."))
    if mentorship.mentor_id is not None:
        return mentorship
    if mentorship.dossier.stage not in OPEN_STAGES:
        raise LinkUnusable(both("Dit dossier is al ingediend of ingetrokken. Meelezen kan nu niet."))
    if mentorship.token_expires_at < now():
        raise LinkUnusable(both("Deze link is verlopen. Vraag de kandidaat om een nieuwe uitnodiging."))
    return mentorship


def check_may_accept(mentorship: Mentorship, account: Account) -> None:
    """Raises ``InvalidInput`` for the candidate himself, also with another account."""
    owner = mentorship.dossier.owner
    if account.id == owner.id or is_same_person(owner, email=account.email, name=account.name):
        raise InvalidInput(both("Dit is een uitnodiging van uzelf. Een mentor is iemand anders: stuur de e-mail niet door."))


def accept(mentorship: Mentorship, account: Account) -> bool:
    """This account is the mentor from now on, and can never assess the candidate. ``False``: he was already.

    Raises ``Conflict`` when somebody else was first or it ended meanwhile.
    """
    check_may_accept(mentorship, account)
    _check_open(mentorship.dossier)
    if mentorship.mentor_id == account.id and mentorship.ended_at is None:
        return False
    if not _change(mentorship, Mentorship.mentor_id.is_(None), mentor_id=account.id, accepted_at=now()):
        raise Conflict(both("Deze uitnodiging is intussen door iemand anders aangenomen of beëindigd."))
    registration.grant(account, "mentor", by=account)
    messages.tell(
        mentorship.dossier.owner,
        "mentor_accepted",
        {**_told(mentorship), "mentor": account.name, "address": account.email},
        key=f"mentor_accepted:{mentorship.id}",
    )
    return True


def decline(mentorship: Mentorship) -> None:
    """Whoever has the link does not take part ("Dit ben ik niet", or no); the candidate is told. Twice is once."""
    if not _change(mentorship, Mentorship.mentor_id.is_(None), ended_at=now()):
        raise Conflict(both("Deze uitnodiging is intussen al aangenomen of beëindigd."))
    _tell_owner_it_ended(mentorship)


def end(mentorship: Mentorship, *, by: Account) -> bool:
    """The candidate or the mentor ends it, and the other is told. ``False``: it had ended already."""
    if not _change(mentorship, ended_at=now()):
        return False
    if by.id != mentorship.dossier.owner_id:
        _tell_owner_it_ended(mentorship)
    elif mentorship.mentor is not None:
        told = {"name": mentorship.mentor.name, "other": mentorship.dossier.owner.name, "link": "/meelezen"}
        messages.tell(mentorship.mentor, "mentorship_ended", told, key=f"mentorship_ended:{mentorship.id}")
    return True


# --- comments ------------------------------------------------------------------------------------------------------


def comment(mentorship: Mentorship, section_id: str, text: str) -> MentorComment:
    """Adds a comment; the same text once more (a double click) is the one that stands there. At most one mail a day."""
    _check_reads(mentorship)
    template = stored_templates.get(mentorship.dossier.template_sha256)
    if template.section(section_id) is None:
        raise NotFound(both("Dit onderdeel bestaat niet in het dossier."))
    text = _comment_text(text)
    session.get(Mentorship, mentorship.id, with_for_update=True)  # two clicks wait for each other
    last = session.scalars(_standing(mentorship, section_id).order_by(MentorComment.id.desc()).limit(1)).one_or_none()
    if last is not None and last.text == text:
        return last
    made = MentorComment(mentorship_id=mentorship.id, section_id=section_id, text=text)
    session.add(made)
    session.flush()
    audit.write("mentorship.commented", actor=mentorship.mentor or "system", thing=mentorship.dossier, comment=made.id)
    today = submission.today().isoformat()
    messages.tell(
        mentorship.dossier.owner,
        "mentor_comment",
        {**_told(mentorship), "mentor": mentor_name(mentorship)},
        key=f"mentor_comment:{mentorship.id}:{today}",
    )
    return made


def edit(remark: MentorComment, text: str, *, before: str) -> MentorComment:
    """Other words, for the candidate to look at anew. ``before``: what the page showed; ``Conflict`` when it changed since."""
    _check_reads(remark.mentorship)
    text = _comment_text(text)
    if text == remark.text and remark.removed_at is None:
        return remark
    changed = session.execute(
        update(MentorComment)
        .where(MentorComment.id == remark.id, MentorComment.text == before, MentorComment.removed_at.is_(None))
        .values(text=text, at=now(), done_at=None)
        .execution_options(synchronize_session=False)
    )
    session.refresh(remark)
    if not isinstance(changed, CursorResult) or changed.rowcount != 1:
        raise Conflict(both("Deze opmerking is intussen in een ander venster gewijzigd of verwijderd. Uw tekst staat hieronder."))
    return remark


def remove(remark: MentorComment) -> None:
    """Takes a comment back; nothing happens when it is gone already."""
    _check_reads(remark.mentorship)
    remark.removed_at = remark.removed_at or now()


def mark(remark: MentorComment, *, done: bool) -> None:
    """The candidate dealt with it, or not yet after all."""
    _check_open(remark.mentorship.dossier)
    remark.done_at = (remark.done_at or now()) if done else None


def comments_of(dossier: Dossier) -> dict[str, list[MentorComment]]:
    """For the candidate: what mentors wrote, by section, oldest first, also of a mentor who stopped."""
    rows = session.scalars(
        select(MentorComment)
        .join(Mentorship, MentorComment.mentorship_id == Mentorship.id)
        .where(Mentorship.dossier_id == dossier.id, MentorComment.removed_at.is_(None))
        .order_by(MentorComment.id)
        .options(joinedload(MentorComment.mentorship).joinedload(Mentorship.mentor))
    )
    return _by_section(rows.all())


def own_comments(mentorship: Mentorship) -> dict[str, list[MentorComment]]:
    """For the mentor: his own, by section, oldest first."""
    return _by_section(session.scalars(_standing(mentorship).order_by(MentorComment.id)).all())


def comment_of(dossier: Dossier, comment_id: int) -> MentorComment | None:
    """A comment of this dossier that stands there."""
    return session.scalar(
        select(MentorComment)
        .join(Mentorship, MentorComment.mentorship_id == Mentorship.id)
        .where(MentorComment.id == comment_id, Mentorship.dossier_id == dossier.id, MentorComment.removed_at.is_(None))
    )


# --- what is new ---------------------------------------------------------------------------------------------------


def mentorships_of(mentor: Account) -> Sequence[Mentorship]:
    """Whom this mentor reads along with, and whom he did, newest first."""
    return session.scalars(
        select(Mentorship)
        .where(Mentorship.mentor_id == mentor.id)
        .order_by(Mentorship.ended_at.is_not(None), Mentorship.id.desc())
        .options(joinedload(Mentorship.dossier))
    ).all()


def new_sections(mentor: Account, dossiers: Sequence[Dossier]) -> Mapping[int, frozenset[str]]:
    """The sections with text that was saved since this mentor looked at them, by dossier id. Two queries, for any number."""
    section = AuditEntry.details["section"].as_string()
    views = session.execute(
        select(AuditEntry.thing, section, func.max(AuditEntry.at))
        .where(
            AuditEntry.thing.in_([name_of(dossier) for dossier in dossiers]),
            AuditEntry.action == VIEWED,
            AuditEntry.actor == name_of(mentor),
        )
        .group_by(AuditEntry.thing, section)
    )
    seen: dict[tuple[str, str], datetime] = {(thing, section_id): at for thing, section_id, at in views}
    saved = session.execute(
        select(SectionAnswers.dossier_id, SectionAnswers.section_id, SectionAnswers.saved_at).where(
            SectionAnswers.dossier_id.in_([dossier.id for dossier in dossiers]), SectionAnswers.version > 0
        )
    )
    found: dict[int, set[str]] = defaultdict(set)
    for dossier_id, section_id, saved_at in saved:
        looked_at = seen.get((f"dossier:{dossier_id}", section_id))
        if looked_at is None or looked_at < saved_at:
            found[dossier_id].add(section_id)
    return {dossier_id: frozenset(sections) for dossier_id, sections in found.items()}


def open_comments(mentorships: Sequence[Mentorship]) -> Mapping[int, int]:
    """How many comments the candidate did not deal with yet, by mentorship id."""
    rows = session.execute(
        select(MentorComment.mentorship_id, func.count(MentorComment.id))
        .where(
            MentorComment.mentorship_id.in_([one.id for one in mentorships]),
            MentorComment.removed_at.is_(None),
            MentorComment.done_at.is_(None),
        )
        .group_by(MentorComment.mentorship_id)
    )
    return {row.mentorship_id: row[1] for row in rows}


def mentor_name(mentorship: Mentorship) -> str:
    """Who it really is, once somebody accepted."""
    return mentorship.mentor.name if mentorship.mentor is not None else mentorship.name


def _change(mentorship: Mentorship, *where: object, **values: object) -> bool:
    """A conditional UPDATE of a mentorship that has not ended: of two at the same moment one wins."""
    session.flush()
    done = session.execute(
        update(Mentorship)
        .where(Mentorship.id == mentorship.id, Mentorship.ended_at.is_(None), *where)  # type: ignore[arg-type]
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(mentorship)
    return isinstance(done, CursorResult) and done.rowcount == 1


def _standing(mentorship: Mentorship, section_id: str = "") -> Select[MentorComment]:
    found = select(MentorComment).where(MentorComment.mentorship_id == mentorship.id, MentorComment.removed_at.is_(None))
    return found.where(MentorComment.section_id == section_id) if section_id else found


def _by_section(rows: Sequence[MentorComment]) -> dict[str, list[MentorComment]]:
    found: dict[str, list[MentorComment]] = defaultdict(list)
    for row in rows:
        found[row.section_id].append(row)
    return dict(found)


def _comment_text(text: str) -> str:
    text = str(checked(text.replace("\r\n", "\n"))).strip()
    if not text:
        raise InvalidInput(both("Schrijf eerst uw opmerking."))
    if len(text) > MAX_COMMENT:
        raise InvalidInput(both("Uw opmerking is langer dan %(n)s tekens. Kort hem in of maak er twee van.", n=MAX_COMMENT))
    return text


def _check_open(dossier: Dossier) -> None:
    if dossier.stage not in OPEN_STAGES:
        raise Conflict(both("Dit dossier is ingediend of ingetrokken. Meelezen en opmerkingen maken kan nu niet."))


def _check_reads(mentorship: Mentorship) -> None:
    _check_open(mentorship.dossier)
    if mentorship.mentor_id is None or mentorship.ended_at is not None:
        raise Conflict(both("Het meelezen is beëindigd. Opmerkingen maken kan niet meer."))


def _send_link(mentorship: Mentorship, token: str) -> None:
    attempts.count("mentor mail", mentorship.email, limit=MAILS_TO_ONE_ADDRESS, window=timedelta(hours=1))
    mail.put(
        to=mentorship.email,
        template="mentor_invitation",
        language=mentorship.language,
        data={
            "name": mentorship.name,
            "candidate": mentorship.dossier.owner.name,
            "until": mentorship.token_expires_at.date().isoformat(),
            "link": PATH.replace("<token>", token),
        },
        key=f"mentor_invitation:{mentorship.id}:{digest(token)[:16]}",
    )


def _tell_owner_it_ended(mentorship: Mentorship) -> None:
    owner = mentorship.dossier.owner
    template = "mentorship_ended" if mentorship.mentor_id is not None else "mentor_declined"
    told = {"name": owner.name, "other": mentor_name(mentorship), "link": f"/dossier/{mentorship.dossier.reference}/mentor"}
    messages.tell(owner, template, told, key=f"{template}:{mentorship.id}")


def _told(mentorship: Mentorship) -> dict[str, str]:
    dossier = mentorship.dossier
    return {"name": dossier.owner.name, "dossier": dossier.reference, "link": f"/dossier/{dossier.reference}/mentor"}
