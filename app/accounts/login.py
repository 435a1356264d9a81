"""Logging in: counted, checked, and kept as a login session on the server that can be ended at any moment.

A login is three steps, because checking a password takes long and holds no transaction::

    with transaction(): login.begin(email, address, device)   # counted; the 6th in 15 minutes is refused
    account_id = login.verify(email, password)                # argon2
    with transaction(): key = login.enter(account_id, ...)    # a new session; ``key`` goes into the cookie

Who must show a code too enters with ``waits_for``: such a login opens nothing but the page that asks the code (``find_waiting``).

``device`` names a device on which this person logged in before (a signed cookie proves it), else "". It has a counter of its
own, so that tries of strangers never lock somebody out on his own device, not even from the same network.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update

from app import audit
from app.accounts import attempts, passwords
from app.accounts.links import digest
from app.accounts.models import Account, Attempt, EmailChange, LoginSession, MailedLink
from app.config import Settings
from app.errors import Forbidden, InvalidInput
from app.extensions import now, session
from app.texts import both

PER_ACCOUNT = 5
PER_ADDRESS = 20  # a whole office or training group can share one address
SEEN_EVERY = timedelta(minutes=1)  # how precisely ``last_seen_at`` is kept: not every page costs a write
STEP_WORKS = timedelta(minutes=15)  # to fetch the phone and, the first time, an app
KEPT = timedelta(days=30)


def begin(email: str, address: str, device: str = "") -> None:
    """Counts this attempt: for the known device, or else for the account and the network address. Raises ``TooManyRequests``."""
    if device:
        attempts.count("login on", f"{device} {email}", limit=PER_ACCOUNT)
    else:
        attempts.count("login", email, limit=PER_ACCOUNT)
        attempts.count("login from", address, limit=PER_ADDRESS)


def succeeded(email: str, address: str, device: str = "") -> None:
    """Forgets the tries before a right password, on this device or among those of strangers."""
    if device:
        attempts.forget("login on", f"{device} {email}")
    else:
        attempts.forget("login", email)
        attempts.take_back("login from", address)


def verify(email: str, password: str) -> int:
    """The id of the account. A wrong password and an unknown address are refused alike, and take as long."""
    found = session.execute(select(Account.id, Account.password_hash).where(Account.email == email)).one_or_none()
    account_id, password_hash = found or (0, None)
    if not passwords.matches(password_hash, password):
        raise InvalidInput(
            both("Het e-mailadres of het wachtwoord klopt niet. Probeer het opnieuw, of kies een nieuw wachtwoord.")
        )
    return account_id


def enter(account_id: int, *, address: str, user_agent: str, waits_for: str = "") -> str:
    """Opens a login session, or one that ``waits_for`` a second step, and gives its key.

    Raises ``Forbidden``; ``details["reason"]`` is "unconfirmed" or "disabled".
    """
    account = session.get_one(Account, account_id)
    if account.disabled_at is not None:
        raise Forbidden(both("Dit account is gesloten. Neem contact op met het secretariaat."), reason="disabled")
    if account.email_confirmed_at is None:
        raise Forbidden(
            both("Bevestig eerst uw e-mailadres, met de link in de e-mail die u van ons kreeg."), reason="unconfirmed"
        )
    key = secrets.token_urlsafe(32)
    entry = LoginSession(
        account_id=account.id, token_sha256=digest(key), address=address[:45], user_agent=user_agent[:200], waits_for=waits_for
    )
    session.add(entry)
    audit.write("login.password" if waits_for else "login", actor=account, thing=account)
    return key


def find(key: str, settings: Settings) -> LoginSession | None:
    """The login session with this key, while it counts: whole, not ended, idle or old, and the account not disabled."""
    return session.scalar(
        select(LoginSession)
        .join(LoginSession.account)
        .where(LoginSession.token_sha256 == digest(key), Account.disabled_at.is_(None), *_counts(settings))
    )


def _counts(settings: Settings) -> tuple[ColumnElement[bool], ...]:
    moment = now()
    return (
        LoginSession.waits_for == "",
        LoginSession.ended_at.is_(None),
        LoginSession.last_seen_at > moment - timedelta(minutes=settings.session_idle_minutes),
        LoginSession.created_at > moment - timedelta(hours=settings.session_hours),
    )


def find_waiting(key: str, step: str) -> LoginSession | None:
    """The login with this key that waits for this step ("code" or "setup"); for ``STEP_WORKS`` after the password."""
    return session.scalar(
        select(LoginSession)
        .join(LoginSession.account)
        .where(
            LoginSession.token_sha256 == digest(key),
            LoginSession.waits_for == step,
            LoginSession.ended_at.is_(None),
            LoginSession.created_at > now() - STEP_WORKS,
            Account.disabled_at.is_(None),
        )
    )


def open_of(account: Account, settings: Settings) -> Sequence[LoginSession]:
    """The logins of this account that count, last used first."""
    return session.scalars(
        select(LoginSession)
        .where(LoginSession.account_id == account.id, *_counts(settings))
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
    ).all()


def end_one(account: Account, session_id: int) -> None:
    """Ends one login of this account; nothing when it ended already or is somebody else's."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.account_id == account.id, LoginSession.ended_at.is_(None))
        .values(ended_at=now())
    )
    audit.write("login.ended", actor=account, thing=account)


def end_others(account: Account, key: str) -> None:
    """Ends every login of this account but the one with this key."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.account_id == account.id, LoginSession.token_sha256 != digest(key), LoginSession.ended_at.is_(None))
        .values(ended_at=now())
    )
    audit.write("login.others_ended", actor=account, thing=account)


def is_key_of(entry: LoginSession, key: str) -> bool:
    return entry.token_sha256 == digest(key)


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
    session.execute(delete(EmailChange).where(EmailChange.expires_at < old))
    session.execute(delete(LoginSession).where(or_(LoginSession.ended_at < old, LoginSession.last_seen_at < old)))
