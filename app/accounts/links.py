"""Links that are mailed: 256 random bits, kept as SHA-256, working once and not for long."""

import hashlib
import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy import select, update

from app.accounts.models import Account, MailedLink
from app.errors import LinkUnusable
from app.extensions import now, session
from app.texts import both

Purpose = Literal["confirm_email", "reset_password", "invitation"]
# Where each link leads; the web serves these paths.
PATHS: dict[Purpose, str] = {
    "confirm_email": "/bevestigen/<token>",
    "reset_password": "/wachtwoord/<token>",
    "invitation": "/welkom/<token>",
}


def digest(token: str) -> str:
    """What is kept of a secret: enough to recognise it, not to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def make(account: Account, purpose: Purpose, *, works: timedelta) -> str:
    """A new link for this account, as a path on this site. Only the mail knows it."""
    token = secrets.token_urlsafe(32)
    moment = now()
    session.add(
        MailedLink(
            account_id=account.id,
            purpose=purpose,
            token_sha256=digest(token),
            sent_to=account.email,
            created_at=moment,
            expires_at=moment + works,
        )
    )
    session.flush()
    return PATHS[purpose].replace("<token>", token)


def find(token: str, purpose: Purpose) -> MailedLink:
    """The link, unspent. Changes nothing, because scanners of mail open links too. Raises ``LinkUnusable``."""
    link = session.scalar(
        select(MailedLink).where(
            MailedLink.token_sha256 == digest(token),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.expires_at > now(),
        )
    )
    if link is None or link.account.disabled_at is not None or link.sent_to != link.account.email:
        raise unusable()
    return link


def spend(token: str, purpose: Purpose) -> Account:
    """Uses the link up; of two at the same moment one wins. Other links for the same purpose stop working too."""
    link = find(token, purpose)
    moment = now()
    won = session.execute(
        update(MailedLink)
        .where(MailedLink.id == link.id, MailedLink.used_at.is_(None))
        .values(used_at=moment)
        .returning(MailedLink.id)
    ).one_or_none()
    if won is None:
        raise unusable()
    withdraw(link.account, purpose)
    return link.account


def is_open(account: Account, purpose: Purpose) -> bool:
    """Whether a link for this purpose still works."""
    works = select(MailedLink.id).where(
        MailedLink.account_id == account.id,
        MailedLink.purpose == purpose,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > now(),
        MailedLink.sent_to == account.email,
    )
    return session.scalar(works.limit(1)) is not None


def withdraw(account: Account, *purposes: Purpose) -> None:
    """Stops every unused link of this account for these purposes."""
    session.execute(
        update(MailedLink)
        .where(MailedLink.account_id == account.id, MailedLink.purpose.in_(purposes), MailedLink.used_at.is_(None))
        .values(used_at=now())
    )


def unusable() -> LinkUnusable:
    return LinkUnusable(both("De link is al gebruikt of te oud. Vraag een nieuwe link aan, of log in."))
