"""Logging in: counted, checked, and kept as a login session on the server that can be ended at any moment.

A login is three steps, because checking a password takes long and holds no transaction::

    with transaction(): login.begin(email, address)           # counted; the 6th in 15 minutes is refused
    account_id = login.verify(email, password)                # argon2
    with transaction(): key = login.enter(account_id, ...)    # a new session; ``key`` goes into the cookie
"""

import secrets
from datetime import timedelta

from sqlalchemy import delete, or_, select, update

from app import audit
from app.accounts import attempts, passwords
from app.accounts.links import digest
from app.accounts.models import Account, Attempt, LoginSession, MailedLink
from app.config import Settings
from app.errors import Forbidden, InvalidInput
from app.extensions import now, session
from app.texts import both

PER_ACCOUNT = 5
PER_ADDRESS = 20  # a whole office or training group can share one address
SEEN_EVERY = timedelta(minutes=1)  # how precisely ``last_seen_at`` is kept: not every page costs a write
KEPT = timedelta(days=30)


def begin(email: str, address: str) -> None:
    """Counts this attempt for the account and for the network address. Raises ``TooManyRequests``."""
    attempts.count("login", email, limit=PER_ACCOUNT)
    attempts.count("login from", address, limit=PER_ADDRESS)


def verify(email: str, password: str) -> int:
    """The id of the account. A wrong password and an unknown address are refused alike, and take as long."""
    found = session.execute(select(Account.id, Account.password_hash).where(Account.email == email)).one_or_none()
    account_id, password_hash = found or (0, None)
    if not passwords.matches(password_hash, password):
        raise InvalidInput(
            both("Het e-mailadres of het wachtwoord klopt niet. Probeer het opnieuw, of kies een nieuw wachtwoord.")
        )
    return account_id


def enter(account_id: int, *, address: str, user_agent: str) -> str:
    """Opens a login session and gives its key. Raises ``Forbidden``; ``details["reason"]`` is "unconfirmed" or "disabled"."""
    account = session.get_one(Account, account_id)
    attempts.forget("login", account.email)
    attempts.take_back("login from", address)
    if account.disabled_at is not None:
        raise Forbidden(both("Dit account is gesloten. Neem contact op met het secretariaat."), reason="disabled")
    if account.email_confirmed_at is None:
        raise Forbidden(
            both("Bevestig eerst uw e-mailadres, met de link in de e-mail die u van ons kreeg."), reason="unconfirmed"
        )
    key = secrets.token_urlsafe(32)
    entry = LoginSession(account_id=account.id, token_sha256=digest(key), address=address[:45], user_agent=user_agent[:200])
    session.add(entry)
    audit.write("login", actor=account, thing=account)
    return key


def find(key: str, settings: Settings) -> LoginSession | None:
    """The login session with this key, while it counts: not ended, not idle too long, not too old, account not disabled."""
    moment = now()
    return session.scalar(
        select(LoginSession)
        .join(LoginSession.account)
        .where(
            LoginSession.token_sha256 == digest(key),
            LoginSession.ended_at.is_(None),
            LoginSession.last_seen_at > moment - timedelta(minutes=settings.session_idle_minutes),
            LoginSession.created_at > moment - timedelta(hours=settings.session_hours),
            Account.disabled_at.is_(None),
        )
    )


def is_stale(entry: LoginSession) -> bool:
    """Whether ``seen`` has something to write."""
    return entry.last_seen_at < now() - SEEN_EVERY


def seen(key: str) -> None:
    """Notes that the session is in use."""
    session.execute(update(LoginSession).where(LoginSession.token_sha256 == digest(key)).values(last_seen_at=now()))


def end(key: str) -> None:
    """Ends one login session: logging out."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.token_sha256 == digest(key), LoginSession.ended_at.is_(None))
        .values(ended_at=now())
    )


def end_all(account: Account) -> None:
    """Ends every login session of this account, on all devices."""
    session.execute(
        update(LoginSession).where(LoginSession.account_id == account.id, LoginSession.ended_at.is_(None)).values(ended_at=now())
    )


def forget_old() -> None:
    """Removes sessions, links and counted attempts that nobody needs any more, with the addresses in them."""
    old = now() - KEPT
    session.execute(delete(Attempt).where(Attempt.at < now() - timedelta(days=1)))
    session.execute(delete(MailedLink).where(MailedLink.expires_at < old))
    session.execute(delete(LoginSession).where(or_(LoginSession.ended_at < old, LoginSession.last_seen_at < old)))
