"""How an account comes to be, changes and is closed. A candidate registers; the office's commands make the others."""

import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from app import audit, mail
from app.accounts import attempts, links, login, messages
from app.accounts.models import ROLES, Account, AccountRole
from app.config import Settings
from app.errors import InvalidInput
from app.extensions import now, session
from app.texts import LANGUAGES, both

NAME_LENGTH = 120
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and marks that show nothing
MAILS_PER_HOUR = 5  # of one kind, to one address


def find(email: str) -> Account | None:
    """The account with this address (as ``mail.address`` gives it)."""
    return session.scalar(select(Account).where(Account.email == email))


def create(
    *, email: str, name: str, password_hash: str, language: str = "nl", roles: Iterable[str] = (), confirmed: bool = False
) -> Account:
    """A new account. Raises ``InvalidInput`` for a wrong address or name; the address must not be in use."""
    account = Account(
        email=mail.address(email),
        name=person_name(name),
        password_hash=password_hash,
        language=language,
        email_confirmed_at=now() if confirmed else None,
    )
    session.add(account)
    session.flush()
    audit.write("account.created", actor=account, thing=account)
    for role in roles:
        grant(account, role, by="system")
    return account


def grant(account: Account, role: str, *, by: Account | str) -> None:
    """Gives a role; giving it again changes nothing."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is not one of {ROLES}")
    if session.get(AccountRole, (account.id, role)) is None:
        session.add(AccountRole(account_id=account.id, role=role))
        audit.write("role.granted", actor=by, thing=account, role=role)
        session.expire(account)


def person_name(text: str) -> str:
    """A name in the form that is kept: one line, NFC, nothing invisible. Refuses an empty or too long one, and control
    characters.
    """
    if any(unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp") for mark in text):
        raise InvalidInput(both("Uw naam bevat een teken dat niet kan. Typ de naam opnieuw."))
    name = " ".join(unicodedata.normalize("NFC", visible(text)).split())
    if not name:
        raise InvalidInput(both("Vul uw naam in."))
    if len(name) > NAME_LENGTH:
        raise InvalidInput(both("Uw naam is te lang. Gebruik hoogstens %(n)s tekens.", n=NAME_LENGTH))
    return name


def visible(text: str) -> str:
    """``text`` without the characters that show nothing or turn the line around: they make two names look alike."""
    return "".join(mark for mark in text if unicodedata.category(mark) != "Cf" and mark not in BLANKS)


def register(*, email: str, name: str, password_hash: str, language: str, settings: Settings) -> None:
    """A candidate registers. For an address in use nothing changes and its owner gets a mail; the answer is alike."""
    email, name = mail.address(email), person_name(name)
    attempts.count("mail", email, limit=MAILS_PER_HOUR, window=timedelta(hours=1))
    account = find(email)
    if account is None:
        account = create(email=email, name=name, password_hash=password_hash, language=language, roles=["candidate"])
        _mail_confirmation(account, settings)
    else:
        messages.tell(account, "already_registered", {"link": "/inloggen"})


def resend_confirmation(email: str, settings: Settings) -> None:
    """Mails a new confirmation link, when the address has an account that waits for it; otherwise silently nothing."""
    attempts.count("mail", email, limit=MAILS_PER_HOUR, window=timedelta(hours=1))
    account = find(email)
    if account is not None and account.email_confirmed_at is None and account.disabled_at is None:
        _mail_confirmation(account, settings)


def confirm(token: str) -> Account:
    """Confirms the address that the link was mailed to. Raises ``LinkUnusable``."""
    account = links.spend(token, "confirm_email")
    account.email_confirmed_at = account.email_confirmed_at or now()
    audit.write("account.confirmed", actor=account, thing=account)
    return account


def change_details(account: Account, *, name: str, language: str) -> None:
    """The person's own name and language."""
    account.name = person_name(name)
    speak(account, language)
    audit.write("account.changed", actor=account, thing=account)


def speak(account: Account, language: str) -> None:
    """The language of this person's pages and mail."""
    if language not in LANGUAGES:
        raise InvalidInput(both("Kies een taal uit de lijst."))
    account.language = language


def disable(account: Account, *, by: Account | str) -> None:
    """Closes an account: it cannot log in, its sessions end and its links stop working."""
    account.disabled_at = account.disabled_at or now()
    login.end_all(account)
    links.withdraw(account, "confirm_email")
    links.withdraw(account, "reset_password")
    audit.write("account.disabled", actor=by, thing=account)


def _mail_confirmation(account: Account, settings: Settings) -> None:
    link = links.make(account, "confirm_email", works=timedelta(hours=settings.confirmation_hours))
    mail.put(
        to=account.email,
        template="confirm_email",
        language=account.language,
        data={"link": link, "hours": settings.confirmation_hours},
    )
