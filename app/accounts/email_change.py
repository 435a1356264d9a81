"""Another e-mail address: used only after the old address allowed it and the new one confirmed it, each by a mailed link."""

import secrets
from datetime import timedelta

from sqlalchemy import or_, select, update

from app import audit, mail
from app.accounts import attempts, links, messages, registration
from app.accounts.links import digest
from app.accounts.models import Account, EmailChange
from app.config import Settings
from app.errors import InvalidInput, LinkUnusable
from app.extensions import now, session
from app.texts import both

PATH = "/email-wijzigen/<token>"


def ask(account: Account, new_email: str, settings: Settings) -> None:
    """Mails both addresses; an earlier wish is over. For an address in use the answer is alike, and it can never be confirmed."""
    new_email = mail.address(new_email)
    if new_email == account.email:
        raise InvalidInput(both("Dit is uw adres al. Vul een ander adres in."))
    for address in (account.email, new_email):
        attempts.count("mail", address, limit=registration.MAILS_PER_HOUR, window=timedelta(hours=1))
    stop(account)
    old_token, new_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    moment = now()
    session.add(
        EmailChange(
            account_id=account.id,
            old_email=account.email,
            new_email=new_email,
            old_sha256=digest(old_token),
            new_sha256=digest(new_token),
            created_at=moment,
            expires_at=moment + timedelta(hours=settings.confirmation_hours),
        )
    )
    audit.write("email_change.asked", actor=account, thing=account)
    hours = settings.confirmation_hours
    data = {"name": account.name, "address": new_email, "link": PATH.replace("<token>", old_token), "hours": hours}
    mail.put(to=account.email, template="email_change_allow", language=account.language, data=data)
    known = registration.find(new_email)
    if known is not None:
        messages.tell(known, "already_registered", {"link": "/inloggen"})
    else:
        data = {"link": PATH.replace("<token>", new_token), "hours": hours}
        mail.put(to=new_email, template="email_change_confirm", language=account.language, data=data)


def pending(account: Account) -> EmailChange | None:
    """The wish that waits for one or both addresses."""
    return session.scalar(
        select(EmailChange).where(
            EmailChange.account_id == account.id, EmailChange.ended_at.is_(None), EmailChange.expires_at > now()
        )
    )


def find(token: str) -> tuple[EmailChange, bool]:
    """The wish, and whether this link was mailed to the old address. Changes nothing. Raises ``LinkUnusable``."""
    key = digest(token)
    change = session.scalar(
        select(EmailChange).where(
            or_(
                (EmailChange.old_sha256 == key) & EmailChange.old_agreed_at.is_(None),
                (EmailChange.new_sha256 == key) & EmailChange.new_agreed_at.is_(None),
            ),
            EmailChange.ended_at.is_(None),
            EmailChange.expires_at > now(),
        )
    )
    if change is None or change.account.disabled_at is not None or change.account.email != change.old_email:
        raise _unusable()
    return change, change.old_sha256 == key


def agree(token: str) -> bool:
    """Spends the link; gives whether both agreed, so that the address was changed. Raises ``LinkUnusable``."""
    change, by_old = find(token)
    if by_old:
        change.old_agreed_at = now()
    else:
        change.new_agreed_at = now()
    if change.old_agreed_at is None or change.new_agreed_at is None:
        return False
    account = change.account
    if registration.find(change.new_email) is not None:  # somebody registered with it meanwhile
        raise _unusable()
    links.withdraw(account, "reset_password")
    change.ended_at = now()
    account.email = change.new_email
    data = {"name": account.name, "address": change.new_email}
    mail.put(to=change.old_email, template="email_changed", language=account.language, data=data)
    messages.tell(account, "email_changed", data)
    audit.write("email_change.done", actor=account, thing=account)
    return True


def refuse(token: str) -> None:
    """The old address says no: the wish is over. Raises ``LinkUnusable``, also for the link of the new address."""
    change, by_old = find(token)
    if not by_old:
        raise _unusable()
    stop(change.account)


def stop(account: Account) -> None:
    """Ends what waits."""
    session.execute(
        update(EmailChange).where(EmailChange.account_id == account.id, EmailChange.ended_at.is_(None)).values(ended_at=now())
    )


def _unusable() -> LinkUnusable:
    return LinkUnusable(both("De link is al gebruikt, gestopt of te oud. Log in en vraag de wijziging zo nodig opnieuw aan."))
