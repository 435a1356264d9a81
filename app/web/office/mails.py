"""The outbox as the office sees it: what waits, what went, what was given up and why. Never what a mail says inside."""

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app import audit, mail
from app.errors import DomainError, NotFound
from app.extensions import now, session, transaction
from app.mail import Mail
from app.texts import both, pick
from app.web import own
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint
from app.web.parts import LARGEST_ID, me, only_fields, ring_due

A_PAGE = 25
LONGEST = 254
STAGE_WORDS = {
    "queued": (both("Wacht"), "yellow"),
    "sent": (both("Verzonden"), "green"),
    "failed": (both("Mislukt"), "red"),
}


@blueprint.get("/post")
@guard("office.mails")
def mails() -> ResponseReturnValue:
    asked = Asked.of_request()
    found = session.scalars(asked.query(before=asked.before)).all()
    counted = session.execute(select(Mail.stage, func.count(Mail.id)).group_by(Mail.stage))
    numbers = {stage: number for stage, number in counted}  # noqa: C416
    language = current_language()
    return render_template(
        "office/mails.html",
        asked=asked,
        hides_own=own.has_dossiers(),
        rows=[shown(one) for one in found[:A_PAGE]],
        newest=asked.address() if asked.before else "",
        older=asked.address(voor=found[A_PAGE - 1].id) if len(found) > A_PAGE else "",
        stages=[(stage, f"{pick(words, language)} ({numbers.get(stage, 0)})") for stage, (words, _) in STAGE_WORDS.items()],
        templates=sorted(((one, mail.subject_of(one, language)) for one in mail.TEMPLATES), key=lambda one: one[1].lower()),
        away=mail.server_away(),
        error=last_error(),
    )


@blueprint.post("/post/<int:mail_id>/opnieuw")
@guard("office.mails")
def try_mail(mail_id: int) -> ResponseReturnValue:
    """One mail tried at once. Twice is as once: what was sent meanwhile stays sent."""
    only_fields()
    try:
        with transaction():
            letter = session.scalar(select(Mail).where(Mail.id == mail_id, own.mail_of_others()))
            if letter is None:
                raise NotFound(both("Deze e-mail bestaat niet."))
            if letter.stage != "sent":
                mail.try_now(letter)
                audit.write("mail.retried", actor=me(), thing=letter)
            words = (
                both("Deze e-mail is al verzonden.")
                if letter.stage == "sent"
                else both("Wij proberen de e-mail nu. Ververs deze pagina over een minuut.")
            )
    except NotFound:
        raise
    except DomainError as refusal:
        flash(pick(refusal.text, current_language()), "error")
    else:
        ring_due("mail")
        flash(pick(words, current_language()), "ok")
    return redirect(url_for("office.mails"))


@blueprint.post("/post/opnieuw")
@guard("office.mails")
def try_mails() -> ResponseReturnValue:
    """Everything that waits for the mail server, at once."""
    only_fields()
    with transaction():
        mail.try_all_now()
        audit.write("mail.retried", actor=me(), thing="mail")
    ring_due("mail")
    flash(pick(both("Wij proberen de mailserver nu. Ververs deze pagina over een minuut."), current_language()), "ok")
    return redirect(url_for("office.mails"))


@dataclass(frozen=True)
class Asked:
    """The filter that stands in the address; what it does not know is left out."""

    stage: str
    address_part: str
    template: str
    before: int

    @classmethod
    def of_request(cls) -> "Asked":
        stage, template, before = (request.args.get(name, "") for name in ("stand", "soort", "voor"))
        text = "".join(mark for mark in request.args.get("aan", "").strip()[:LONGEST] if mark.isprintable())
        is_place = before.isascii() and before.isdigit() and len(before) < 10
        return cls(
            stage if stage in STAGE_WORDS else "",
            text,
            template if template in mail.TEMPLATES else "",
            min(int(before), LARGEST_ID) if is_place else 0,
        )

    @property
    def narrows(self) -> bool:
        return bool(self.stage or self.address_part or self.template)

    def query(self, before: int) -> Any:
        """The rows of one page, newest first, and one more."""
        wanted = select(Mail).where(own.mail_of_others()).order_by(Mail.id.desc()).limit(A_PAGE + 1)
        if before:
            wanted = wanted.where(Mail.id < before)
        if self.stage:
            wanted = wanted.where(Mail.stage == self.stage)
        if self.template:
            wanted = wanted.where(Mail.template == self.template)
        if self.address_part:
            wanted = wanted.where(Mail.to.contains(self.address_part.casefold(), autoescape=True))
        return wanted

    def address(self, **place: int) -> str:
        filters = {"stand": self.stage, "aan": self.address_part, "soort": self.template}
        values: dict[str, Any] = {name: value for name, value in filters.items() if value}
        return url_for("office.mails", **(values | place))


def shown(one: Mail) -> dict[str, Any]:
    words, kind = STAGE_WORDS[one.stage]
    return {
        "id": one.id,
        "to": one.to,
        "subject": mail.subject_of(one.template, one.language, one.data),
        "language": one.language,
        "stage": pick(words, current_language()),
        "kind": kind,
        "at": one.sent_at or one.created_at,
        "attempts": one.attempts,
        "held": one.held_since is not None,
        "next": one.next_attempt_at if one.stage == "queued" and one.next_attempt_at > now() and one.attempts else None,
        "error": one.error if one.stage != "sent" else "",
        "may_try": one.stage == "queued" or (one.stage == "failed" and mail.is_whole(one)),
        "gone": one.stage == "failed" and not mail.is_whole(one),
    }


def last_error() -> str:
    """What went wrong at the mail server the last time."""
    held = select(Mail.error).where(Mail.stage == "queued", Mail.held_since.is_not(None), Mail.error != "")
    return session.scalar(held.order_by(Mail.next_attempt_at.desc(), Mail.id).limit(1)) or ""
