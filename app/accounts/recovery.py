"""Another password: by a mailed link when it is forgotten, or from one's own account page."""

from datetime import timedelta

from app import audit, mail
from app.accounts import attempts, email_change, links, login, messages
from app.accounts.models import Account
from app.accounts.registration import MAILS_PER_HOUR, find
from app.config import Settings
from app.extensions import now


def ask_reset(email: str, settings: Settings) -> None:
    """Mails a link to choose a new password, when the address has an account; the answer is alike when it has none."""
    attempts.count("mail", email, limit=MAILS_PER_HOUR, window=timedelta(hours=1))
    account = find(email)
    if account is not None and account.disabled_at is None:
        mail.put(
            to=account.email,
            template="reset_password",
            language=account.language,
            data={
                "link": links.make(account, "reset_password", works=timedelta(minutes=settings.reset_minutes)),
                "minutes": settings.reset_minutes,
            },
        )


def reset(token: str, password_hash: str) -> Account:
    """Sets the new password and spends the link. The mail proved the address too. Raises ``LinkUnusable``."""
    account = links.spend(token, "reset_password")
    account.email_confirmed_at = account.email_confirmed_at or now()
    attempts.forget("login", account.email)
    change(account, password_hash)
    return account


def change(account: Account, password_hash: str) -> None:
    """Sets the new password, ends every login session and a wish for another address, stops every mailed link that sets a
    password, and tells the owner.
    """
    account.password_hash = password_hash
    login.end_all(account)
    email_change.stop(account)
    links.withdraw(account, *links.PATHS)
    audit.write("password.changed", actor=account, thing=account)
    messages.tell(account, "password_changed", {"name": account.name, "link": "/wachtwoord-vergeten"})
