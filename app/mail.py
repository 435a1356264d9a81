"""The outbox: a mail is a row, written in the transaction of the deed that causes it, and sent later by a job.

A mail never carries a dossier, only a link. ``put`` writes the row. A job then does, each in this order::

    with transaction(): letter = mail.claim(mail_id)      # nobody else sends it meanwhile
    problem = mail.deliver(letter, settings)              # the network, outside any transaction
    with transaction(): mail.record(letter, problem)      # sent, again later, or given up

``due`` names the rows whose time has come, oldest first: also those of a worker that died half-way, which are sent once
more with the same Message-ID. While the mail server is away everything waits together, in order, and one mail a minute
tries whether it is back; nothing is given up for that. An address that is refused for good is given up at once.

The words are in ``mail_templates/<name>.<language>.txt``: the subject, a greeting, paragraphs, the closing. ``link`` is a
path on this site ("/bevestigen/…"); one that is a secret leaves the row as soon as the mail is sent or given up.
"""

import html
import logging
import os
import re
import smtplib
import ssl
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import utils
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal

import jinja2
from babel.dates import format_date
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import JSON, CheckConstraint, Index, String, Text, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.config import Settings
from app.errors import Conflict, InvalidInput
from app.extensions import Base, now, session
from app.texts import both, pick

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
        # what changed in an account's security; ``email_changed`` to both addresses, ``address`` is the new one
        "email_changed": "name address",
        "second_factor_set_up": "name link",
        "second_factor_removed": "name link",
        # to a supervisor; ``candidate`` is the candidate's name, ``until`` an ISO date ("2026-11-21")
        "supervisor_invitation": "name candidate link until",
        "supervisor_reminder": "name candidate link until",
        "supervisor_again": "name candidate link until",  # what was read has changed: read and confirm again
        "supervisor_thanks": "name candidate link until",  # here and below, ``link`` leads to his own copy
        "supervisor_copy": "name candidate link until",
        "supervisor_withdrawn": "name candidate",  # the dossier is withdrawn, or its forms do not ask it any more
        # to a client who is asked what the guidance was like; ``role`` as the scheme calls him, in the mail's language
        "client_invitation": "name candidate role link until",
        "client_reminder": "name candidate role link until",
        "client_thanks": "name candidate role link until",
        "client_copy": "name candidate role link until",
        "client_withdrawn": "name candidate role",  # as above, or enough people answered
        # to a candidate; ``dossier`` is the reference, ``submitted_on`` an ISO date, ``reason`` in the mail's language
        "statement_signed": "name supervisor dossier link",
        "statement_declined": "name supervisor dossier link",
        "client_declined": "name supervisor dossier link",
        "client_answered": "name n total dossier link",  # ``n`` of ``total`` are in; never whose came last
        "submission_receipt": "name dossier revision submitted_on sha256 link",
        "dossier_handed_over": "name dossier link",
        "dossier_admitted": "name dossier link",
        "dossier_returned": "name dossier until link",  # ``until``: an ISO date
        "dossier_extended": "name dossier until link",
        "dossier_withdrawn": "name dossier link",
        "evidence_refused": "name title reason dossier link",
        "log_file_refused": "name title reason link",
        "renewal_prompt": "name until submit_by dossier link",  # ``dossier``: that he began already, else empty
        # between a candidate and a mentor; ``other`` is the one who ended it, ``address`` that of the account that accepted
        "mentor_invitation": "name candidate link until",
        "mentor_accepted": "name mentor address dossier link",
        "mentor_declined": "name other link",
        "mentor_comment": "name mentor dossier link",
        "mentorship_ended": "name other link",
        "mentor_withdrawn": "name candidate dossier link",
        "mentor_invitation_withdrawn": "name candidate dossier",  # to who has not answered, so maybe without an account
        # to an assessor
        "assignment": "name dossier link",
        "assignment_withdrawn": "name dossier link",
        "assignment_ended": "name dossier link",
        # to whom the office made or changed an account; ``roles`` is a text in both languages
        "account_invitation": "name link until",
        "roles_changed": "name roles link",
        "account_disabled": "name",
        "account_enabled": "name link",
        "logins_ended": "name link",
        # to the office
        "conflict_declared": "name assessor dossier link",
    }.items()
}
# Their link is a secret, so they go by mail alone: nothing else may keep it.
WITH_SECRET_LINK = frozenset(
    {
        "account_invitation",
        "confirm_email",
        "reset_password",
        "email_change_allow",
        "email_change_confirm",
        "supervisor_invitation",
        "mentor_invitation",
        "supervisor_reminder",
        "supervisor_again",
        "supervisor_thanks",
        "supervisor_copy",
        "client_invitation",
        "client_reminder",
        "client_thanks",
        "client_copy",
    }
)
SECRET = re.compile(r"/[\w-]{32,}(/|$)")  # a part of a path that can only be a token
FOLDER = Path(__file__).parent / "mail_templates"
STAGES = ("queued", "sent", "failed")
LEASE = timedelta(minutes=10)  # longer than one delivery can take: each of its steps waits at most SMTP_TIMEOUT_S
SMTP_TIMEOUT_S = 30
LINE = 76  # characters in a line of the plain text
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they make the rest of a line read backwards
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=5)  # after a failure of one mail; shorter than a lease
SERVER_WAIT = timedelta(minutes=1)  # between two tries of a server that is away
GIVE_UP_AFTER = timedelta(days=5)  # a mail that fails while others go


class Mail(Base):
    """One mail to one address. ``key`` names what is sent once only ("reminder:12:30-days"); ``error`` is the last failure.

    ``held_since``: it waits for a mail server that is away, since then.
    """

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
    held_since: Mapped[datetime | None]
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


@dataclass(frozen=True)
class Problem:
    """Why a mail did not go: the server is away (all mail waits), this letter (tried again), or its address (never goes)."""

    words: str
    about: Literal["server", "letter", "address"]


@dataclass(frozen=True)
class Words:
    """What a mail says, without greeting and closing. ``link`` is a path on this site, "" for none."""

    subject: str
    paragraphs: tuple[str, ...]
    link: str


def address(text: str) -> str:
    """One mail address in the form that is kept: casefolded, with an ASCII domain. Refuses anything else, also two addresses."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False, allow_display_name=False)
    except EmailNotValidError:
        raise InvalidInput(both("Vul een geldig e-mailadres in, zoals naam@voorbeeld.nl.")) from None
    return (found.ascii_email or found.normalized).casefold()


def put(*, to: str, template: str, language: str, data: Mapping[str, Any], key: str | None = None) -> Mail | None:
    """Writes one mail into the outbox, inside the caller's transaction. ``None``: ``key`` was used before, nothing is sent.

    ``data`` has exactly the keys that ``TEMPLATES`` names; a value may be a text in both languages. Raises
    ``InvalidInput`` when ``to`` is not one mail address.
    """
    if set(data) != TEMPLATES[template]:
        raise ValueError(f"mail {template!r} needs {sorted(TEMPLATES[template])}, got {sorted(data)}")
    link = data.get("link", "/")
    if not link.startswith("/") or link.startswith("//"):
        raise ValueError(f"mail {template!r}: link must be a path on this site")
    if key is not None and was_put(key):
        return None
    mail = Mail(to=address(to), template=template, language=language, data=dict(data), key=key)
    session.add(mail)
    session.flush()
    return mail


def was_put(*keys: str) -> bool:
    """Whether the ledger has one of these keys: its mail was put into the outbox before."""
    return session.scalar(select(Mail.id).where(Mail.key.in_(keys)).limit(1)) is not None


def due() -> Sequence[int]:
    """Ids of the mails whose time has come, oldest first. Nobody passes those that wait for a server that is away."""
    moment = now()
    away = select(Mail.id).where(
        Mail.stage == "queued",
        Mail.held_since.is_not(None),
        Mail.next_attempt_at > moment,
        Mail.next_attempt_at <= moment + SERVER_WAIT,
    )
    if session.scalar(away.limit(1)) is not None:
        return []
    waiting = select(Mail.id).where(Mail.stage == "queued", Mail.next_attempt_at <= moment).order_by(Mail.id)
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


def deliver(letter: Letter, settings: Settings) -> Problem | None:
    """Sends one mail, or puts it in the outbox folder when there is no mail server."""
    about: Literal["server", "letter"] = "letter"
    try:
        message = compose(letter, settings)
        about = "server"
        if settings.smtp_host:
            server = _open(settings)
            about = "letter"  # from here on it may be this letter that the server stumbles over, and others must not wait
            with closing(server):
                server.send_message(message)
                with suppress(Exception):  # it is sent, whatever the server says to a good-bye
                    server.quit()
        else:
            _to_folder(message, letter, settings.outbox)
    except Exception as fault:  # whatever it is, it must not stop other mail, nor bring this one back for ever
        problem = _problem(fault, about)
        log.warning("mail %s (%s) was not sent: %s (%s)", letter.id, letter.template, type(fault).__name__, problem.about)
        return problem
    return None


def record(letter: Letter, problem: Problem | None) -> None:
    """Writes down how ``deliver`` went: sent, to be tried again after a while, or given up."""
    mail = session.get_one(Mail, letter.id)
    if mail.stage != "queued":  # this worker took longer than its lease, and another one was quicker
        return
    mail.error = problem.words if problem else ""
    if problem is not None and problem.about == "server":
        mail.held_since, mail.next_attempt_at = mail.held_since or now(), now() + SERVER_WAIT
        _let_all_wait(now())
        return
    mail.held_since = None
    if problem is None:
        mail.stage, mail.sent_at = "sent", now()
    elif problem.about == "address" or now() - mail.created_at > GIVE_UP_AFTER:
        mail.stage = "failed"
        log.error("mail %s (%s) is given up after %s attempts", mail.id, mail.template, mail.attempts)
    else:
        mail.next_attempt_at = now() + min(FIRST_WAIT * 2 ** min(mail.attempts - 1, 10), LONGEST_WAIT)
    if mail.stage != "queued" and is_secret(mail.template, mail.data.get("link", "")):
        mail.data = {name: value for name, value in mail.data.items() if name != "link"}
    _let_all_go(now())


def is_secret(template: str, link: str) -> bool:
    """Whether who has this link can do something with it, without logging in."""
    return template in WITH_SECRET_LINK or SECRET.search(link) is not None


def is_whole(mail: Mail) -> bool:
    """Whether the row still has all that the mail says: a secret link is forgotten when a mail is given up."""
    return frozenset(mail.data) == TEMPLATES.get(mail.template)


def try_now(mail: Mail) -> None:
    """Has one mail tried at once: a waiting one, with all that wait for the same server, or one that was given up.

    Twice is as once. Raises ``Conflict`` for one that can never go again: its link was a secret, and is forgotten.
    """
    if mail.stage == "failed":
        if not is_whole(mail):
            raise Conflict(
                both("Deze e-mail kan niet nog een keer: de persoonlijke link erin bewaren wij niet. Stuur een nieuwe.")
            )
        mail.stage, mail.next_attempt_at = "queued", now()
    elif mail.stage == "queued" and mail.held_since is not None:
        _let_all_go(now(), held_since=Mail.held_since)
    elif mail.stage == "queued" and mail.next_attempt_at <= now() + LONGEST_WAIT:  # later than that it is being sent
        mail.next_attempt_at = now()


def try_all_now() -> None:
    """Has everything that waits for the mail server tried at once."""
    _let_all_go(now(), held_since=Mail.held_since)


def server_away() -> tuple[datetime, int] | None:
    """Since when the mail server has not answered, and how many mails wait; ``None`` when all is well."""
    waiting = select(func.min(Mail.held_since), func.count(Mail.id)).where(Mail.stage == "queued")
    since, number = session.execute(waiting).one()
    return (since, number) if since is not None else None


def _let_all_wait(moment: datetime) -> None:
    """All that would go within a minute waits together, so that it goes in order afterwards. What is being sent goes on."""
    session.execute(
        update(Mail)
        .where(Mail.stage == "queued", Mail.next_attempt_at <= moment + SERVER_WAIT)
        .values(held_since=func.coalesce(Mail.held_since, moment), next_attempt_at=moment + SERVER_WAIT)
        .execution_options(synchronize_session=False)
    )


def _let_all_go(moment: datetime, *, held_since: object = None) -> None:
    """The server answered, or somebody wants to know: what waited for it goes now."""
    held = (Mail.stage == "queued") & Mail.held_since.is_not(None)
    session.execute(
        update(Mail)
        .where(held, Mail.next_attempt_at <= moment + SERVER_WAIT)
        .values(held_since=held_since, next_attempt_at=moment)
        .execution_options(synchronize_session=False)
    )


def _problem(fault: Exception, about: Literal["server", "letter"]) -> Problem:
    """What a failure is about: a sender who is refused is so for every letter, an address that is refused is so for ever."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(fault.recipients.values()))
        return Problem(_one_line(f"{code} {answer.decode(errors='replace')}")[:500], "letter" if code < 500 else "address")
    words = _one_line(f"{type(fault).__name__}: {fault}")[:500]
    return Problem(words, "server" if isinstance(fault, smtplib.SMTPSenderRefused) else about)


def compose(letter: Letter, settings: Settings) -> EmailMessage:
    """The whole message, as text and as simple HTML made from that text. One row always gives one Message-ID."""
    subject, body = _rendered(letter.template, letter.language, letter.data, settings)
    if settings.demo:
        subject = f"[demo] {subject}"
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = Address(_one_line(settings.organisation), addr_spec=settings.mail_from)
    message["To"] = Address(addr_spec=letter.to)  # refuses two addresses, where plain text would take them
    message["Reply-To"] = Address(addr_spec=settings.contact_email)
    message["Date"] = utils.format_datetime(letter.created_at)
    message["Message-ID"] = f"<{letter.id}.{letter.created_at:%Y%m%d%H%M%S%f}@{settings.mail_from.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.language
    message.set_content(_wrapped(body))
    message.add_alternative(_as_html(subject, body, letter.language, settings.base_url, settings.organisation), subtype="html")
    return message


def words(template: str, language: str, data: Mapping[str, Any], settings: Settings) -> Words:
    """The words of one mail for a page: the same template, with its link apart."""
    subject, body = _rendered(template, language, data, settings)
    _greeting, *paragraphs, _closing = body.strip().split("\n\n")
    own_address = settings.base_url + data.get("link", "")
    return Words(subject, tuple(one for one in paragraphs if one != own_address), data.get("link", ""))


def subject_of(template: str, language: str, data: Mapping[str, Any] | None = None) -> str:
    """The subject alone, also of a mail whose link is forgotten; without data "…" stands for what differs from mail to mail."""
    path = FOLDER / f"{template}.{language}.txt"
    if not path.is_file():  # a mail of an older program
        return template
    line = path.read_text().partition("\n")[0]
    if data is None:
        return re.sub(r"{{.*?}}", "…", line)
    return _one_line(_templates().from_string(line).render(_values(language, data)))


def _values(language: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data in one language, each value in one line."""
    picked = {name: pick(value, language) if isinstance(value, Mapping) else value for name, value in data.items()}
    flat = {name: _one_line(value) if isinstance(value, str) else value for name, value in picked.items()}
    return flat | {"language": language}


def _rendered(template: str, language: str, data: Mapping[str, Any], settings: Settings) -> tuple[str, str]:
    """Subject and body in one language."""
    values = _values(language, data) | {"organisation": settings.organisation, "contact": settings.contact_email}
    if "link" in data:
        values["link"] = settings.base_url + data["link"]
    text = _templates().get_template(f"{template}.{language}.txt").render(values)
    subject, _, body = text.strip().partition("\n")
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


def _wrapped(body: str) -> str:
    """Lines that are not too long to read in any mail program; an address is never broken."""
    lines = (textwrap.wrap(line, LINE, break_long_words=False, break_on_hyphens=False) or [""] for line in body.split("\n"))
    return "\n".join(one for wrapped in lines for one in wrapped)


def _as_html(subject: str, body: str, language: str, base_url: str, organisation: str) -> str:
    """The same words as a web page; addresses on our own site become links, and nothing else does."""
    own_address = re.compile(re.escape(html.escape(base_url)) + r"[^\s<>]*")
    paragraphs = []
    for paragraph in body.strip().split("\n\n"):
        words = own_address.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', html.escape(paragraph))
        paragraphs.append("<p>" + words.replace("\n", "<br>\n") + "</p>")
    return (
        _templates()
        .get_template("layout.html")
        .render(subject=html.escape(subject), organisation=html.escape(organisation), language=language, paragraphs=paragraphs)
    )


def _open(settings: Settings) -> smtplib.SMTP:
    """A connection to the mail server, as safe as the settings ask, and logged in."""
    trusted = ssl.create_default_context()
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=SMTP_TIMEOUT_S, context=trusted)
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=SMTP_TIMEOUT_S)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=trusted)
        server.ehlo_or_helo_if_needed()
        if settings.smtp_user and settings.smtp_password_file:
            server.login(settings.smtp_user, settings.smtp_password_file.read_text().strip())
    except BaseException:
        server.close()
        raise
    return server


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
