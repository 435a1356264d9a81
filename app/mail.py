"""The outbox: a mail is a row, written in the transaction of the deed that causes it, and sent later by a job.

A mail never carries a dossier, only a link. ``put`` writes the row. A job then does, each in this order::

    with transaction(): letter = mail.claim(mail_id)      # nobody else sends it meanwhile
    problem = mail.deliver(letter, settings)              # the network, outside any transaction
    with transaction(): mail.record(letter, problem)      # sent, or again later

``due`` names the rows whose time has come: also those of a worker that died half-way, which are sent once more with
the same Message-ID.

The words are in ``mail_templates/<name>.<language>.txt``; the first line is the subject. ``link`` is a path on this
site ("/bevestigen/…"); it may hold a secret, so it leaves the row as soon as the mail is sent or given up.
"""

import html
import logging
import os
import re
import smtplib
import ssl
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import utils
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import jinja2
from babel.dates import format_date
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import JSON, CheckConstraint, Index, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.config import Settings
from app.errors import InvalidInput
from app.extensions import Base, now, session
from app.texts import both

log = logging.getLogger(__name__)

# Each mail and the data that it needs; ``put`` holds callers to it and a test holds the templates to it.
TEMPLATES: Mapping[str, frozenset[str]] = {
    name: frozenset(keys.split())
    for name, keys in {
        # to whoever says that the address is theirs, so without a name: nobody can send words of their own through us
        "confirm_email": "link hours",
        "already_registered": "link",
        "reset_password": "link minutes",
        "password_changed": "name link",
        "email_change_allow": "name address link hours",  # to the old address; ``address`` is the new one
        "email_change_confirm": "link hours",
        # to a supervisor; ``candidate`` is the candidate's name, ``until`` an ISO date ("2026-11-21")
        "supervisor_invitation": "name candidate link until",
        "supervisor_thanks": "name candidate",
        # to a candidate; ``dossier`` is the reference, ``submitted_on`` an ISO date, ``reason`` in the mail's language
        "statement_signed": "name supervisor dossier link",
        "statement_declined": "name supervisor dossier link",
        "submission_receipt": "name dossier revision submitted_on sha256 link",
        "dossier_handed_over": "name dossier link",
        "evidence_refused": "name title reason dossier link",
        # to an assessor
        "assignment": "name dossier link",
    }.items()
}
FOLDER = Path(__file__).parent / "mail_templates"
STAGES = ("queued", "sent", "failed")
ATTEMPTS = 10
LEASE = timedelta(minutes=10)  # longer than one delivery can take: each of its steps waits at most SMTP_TIMEOUT_S
SMTP_TIMEOUT_S = 30
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they make the rest of a line read backwards
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


class Mail(Base):
    """One mail to one address. ``key`` names what is sent once only ("reminder:12:30-days"); ``error`` is the last failure."""

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint("stage IN ('queued', 'sent', 'failed')", name="stage_known"),
        CheckConstraint("(stage = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        CheckConstraint("language IN ('nl', 'en')", name="language_known"),
        Index(None, "stage", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    template: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    key: Mapped[str | None] = mapped_column(String(120), unique=True)
    stage: Mapped[str] = mapped_column(String(8), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    error: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True)
class Letter:
    """A claimed mail as plain data, so that sending it needs no database."""

    id: int
    to: str
    language: str
    template: str
    data: Mapping[str, Any]
    created_at: datetime


def address(text: str) -> str:
    """One mail address in the form that is kept: casefolded, with an ASCII domain. Refuses anything else, also two addresses."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False, allow_display_name=False)
    except EmailNotValidError:
        raise InvalidInput(both("Vul een geldig e-mailadres in, zoals naam@voorbeeld.nl.")) from None
    return (found.ascii_email or found.normalized).casefold()


def put(*, to: str, template: str, language: str, data: Mapping[str, Any], key: str | None = None) -> Mail | None:
    """Writes one mail into the outbox, inside the caller's transaction. ``None``: ``key`` was used before, nothing is sent.

    ``data`` has exactly the keys that ``TEMPLATES`` names. Raises ``InvalidInput`` when ``to`` is not one mail address.
    """
    if set(data) != TEMPLATES[template]:
        raise ValueError(f"mail {template!r} needs {sorted(TEMPLATES[template])}, got {sorted(data)}")
    link = data.get("link", "/")
    if not link.startswith("/") or link.startswith("//"):
        raise ValueError(f"mail {template!r}: link must be a path on this site")
    if key is not None and session.scalar(select(Mail.id).where(Mail.key == key)) is not None:
        return None
    mail = Mail(to=address(to), template=template, language=language, data=dict(data), key=key)
    session.add(mail)
    session.flush()
    return mail


def due() -> Sequence[int]:
    """Ids of the mails whose time has come, oldest first."""
    waiting = select(Mail.id).where(Mail.stage == "queued", Mail.next_attempt_at <= now()).order_by(Mail.id)
    return session.scalars(waiting).all()


def claim(mail_id: int) -> Letter | None:
    """Takes a due mail for ``LEASE``; ``None`` when it was sent, given up, or is with another worker."""
    moment = now()
    row = session.execute(
        update(Mail)
        .where(Mail.id == mail_id, Mail.stage == "queued", Mail.next_attempt_at <= moment)
        .values(attempts=Mail.attempts + 1, next_attempt_at=moment + LEASE)
        .returning(Mail.id, Mail.to, Mail.language, Mail.template, Mail.data, Mail.created_at)
    ).one_or_none()
    return Letter(*row) if row else None


def deliver(letter: Letter, settings: Settings) -> str:
    """Sends one mail, or puts it in the outbox folder when there is no mail server. Gives "" or what went wrong, in one line."""
    try:
        message = compose(letter, settings)
        if settings.smtp_host:
            _by_smtp(message, settings)
        else:
            _to_folder(message, letter, settings.outbox)
    except Exception as problem:  # whatever it is, it must not stop other mail, nor bring this one back for ever
        log.warning("mail %s (%s) was not sent: %s", letter.id, letter.template, type(problem).__name__)
        return f"{type(problem).__name__}: {problem}"[:500]
    return ""


def record(letter: Letter, problem: str) -> None:
    """Writes down how ``deliver`` went: sent, to be tried again after a growing wait, or given up."""
    mail = session.get_one(Mail, letter.id)
    if mail.stage != "queued":  # this worker took longer than its lease, and another one was quicker
        return
    mail.error = problem
    if not problem:
        mail.stage, mail.sent_at = "sent", now()
    elif mail.attempts >= ATTEMPTS:
        mail.stage = "failed"
        log.error("mail %s (%s) is given up after %s attempts", mail.id, mail.template, mail.attempts)
    else:
        mail.next_attempt_at = now() + min(FIRST_WAIT * 2 ** (mail.attempts - 1), LONGEST_WAIT)
    if mail.stage != "queued":
        mail.data = {name: value for name, value in mail.data.items() if name != "link"}


def compose(letter: Letter, settings: Settings) -> EmailMessage:
    """The whole message, as text and as simple HTML made from that text. One row always gives one Message-ID."""
    subject, body = _words(letter, settings)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = Address(_one_line(settings.organisation), addr_spec=settings.mail_from)
    message["To"] = Address(addr_spec=letter.to)  # refuses two addresses, where plain text would take them
    message["Reply-To"] = Address(addr_spec=settings.contact_email)
    message["Date"] = utils.format_datetime(letter.created_at)
    message["Message-ID"] = f"<{letter.id}.{letter.created_at:%Y%m%d%H%M%S%f}@{settings.mail_from.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.language
    message.set_content(body)
    message.add_alternative(_as_html(subject, body, letter.language, settings.base_url), subtype="html")
    return message


def _words(letter: Letter, settings: Settings) -> tuple[str, str]:
    """Subject and body in the mail's language."""
    values = {name: _one_line(value) if isinstance(value, str) else value for name, value in letter.data.items()}
    if "link" in values:
        values["link"] = settings.base_url + letter.data["link"]
    values |= {"organisation": settings.organisation, "contact": settings.contact_email, "language": letter.language}
    text = _templates().get_template(f"{letter.template}.{letter.language}.txt").render(values)
    subject, _, body = text.strip().partition("\n")
    if settings.demo:
        subject = f"[demo] {subject}"
    return _one_line(subject), body.strip() + "\n"


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(  # plain text: the HTML part is escaped when it is made from it
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    environment.filters["day"] = _day
    return environment


def _day(iso_date: str, language: str) -> str:
    return format_date(date.fromisoformat(iso_date), "d MMMM y", locale=language)


def _one_line(text: str) -> str:
    """``text`` without line ends, control characters and turns of direction, so that it can stand in a header or a sentence."""
    printable = "".join(" " if unicodedata.category(mark) in ("Cc", "Zl", "Zp") else mark for mark in text if mark not in TURNS)
    return " ".join(printable.split())


def _as_html(subject: str, body: str, language: str, base_url: str) -> str:
    """The same words as a web page; addresses on our own site become links, and nothing else does."""
    own_address = re.compile(re.escape(html.escape(base_url)) + r"[^\s<>]*")
    paragraphs = []
    for paragraph in body.strip().split("\n\n"):
        words = own_address.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', html.escape(paragraph))
        paragraphs.append("<p>" + words.replace("\n", "<br>\n") + "</p>")
    return _templates().get_template("layout.html").render(subject=html.escape(subject), language=language, paragraphs=paragraphs)


def _by_smtp(message: EmailMessage, settings: Settings) -> None:
    trusted = ssl.create_default_context()
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=SMTP_TIMEOUT_S, context=trusted)
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=SMTP_TIMEOUT_S)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=trusted)
        if settings.smtp_user and settings.smtp_password_file:
            server.login(settings.smtp_user, settings.smtp_password_file.read_text().strip())
        server.send_message(message)


def _to_folder(message: EmailMessage, letter: Letter, folder: Path) -> None:
    """Writes an .eml file whose name follows from the row, so that a retry replaces it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f"{letter.id:08d}.part"
    unfinished.touch(mode=0o600)
    with unfinished.open("wb") as target:
        target.write(message.as_bytes())
        target.flush()
        os.fsync(target.fileno())
    unfinished.rename(folder / f"{letter.id:08d}-{letter.template}.eml")
