"""What the office does with accounts: inviting, giving and taking roles, closing and opening, ending logins.

Every deed tells the person by mail. Nobody takes his own office role or closes himself, and the last of the office stays.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from app import audit, mail, names
from app.accounts import attempts, email_change, links, login, messages, recovery, registration, second_factor
from app.accounts.models import ROLES, Account, AccountRole, LoginSession, SecondFactor
from app.accounts.registration import MAILS_PER_HOUR
from app.errors import Conflict, Forbidden, InvalidInput
from app.extensions import now, session
from app.texts import both

ZONE = ZoneInfo("Europe/Amsterdam")
INVITATION_WORKS = timedelta(days=14)
NO_PASSWORD = "!"  # no hash at all, so that no password fits  # noqa: S105
STATES = ("active", "invited", "disabled")
ROLE_NAMES = {
    "candidate": both("Kandidaat"),
    "mentor": both("Mentor"),
    "assessor": both("Beoordelaar"),
    "office": both("Secretariaat"),
    "auditor": both("Auditor"),
}


@dataclass(frozen=True)
class Filter:
    text: str = ""
    role: str = ""
    state: str = ""


def find(wanted: Filter, *, limit: int | None = None, offset: int = 0) -> Sequence[tuple[Account, datetime | None]]:
    """The accounts that the filter leaves, by name, each with when it was last seen."""
    seen = (
        select(func.max(LoginSession.last_seen_at))
        .where(LoginSession.account_id == Account.id, LoginSession.waits_for == "")
        .correlate(Account)
        .scalar_subquery()
    )
    query = _narrowed(select(Account, seen), wanted).order_by(names.by(Account.name), Account.id).limit(limit).offset(offset)
    return [(account, moment) for account, moment in session.execute(query)]


def count(wanted: Filter) -> int:
    return session.scalar(_narrowed(select(func.count(Account.id)), wanted)) or 0


def state_of(account: Account) -> str:
    """ "active", "invited" (did not confirm the address yet) or "disabled"."""
    if account.disabled_at is not None:
        return "disabled"
    return "active" if account.email_confirmed_at is not None else "invited"


def invite(*, email: str, name: str, roles: Collection[str], language: str, by: Account) -> tuple[Account, bool]:
    """A new account that its owner opens with a mailed link; who has an account already gets the roles (then the second is
    ``False``). An account whose address nobody confirmed can be a stranger's: it is made new. Raises ``InvalidInput`` and
    ``Conflict``.
    """
    _known(roles)
    account = registration.find(mail.address(email))
    if account is not None:
        if account.disabled_at is not None:
            raise Conflict(both("Dit account is gesloten. Zoek het op en open het eerst."))
        if state_of(account) == "active" or _is_invited(account):
            _change(account, account.roles | set(roles), by=by)
            return account, False
        account.name, account.language = registration.person_name(name), language
    else:
        account = registration.create(email=email, name=name, password_hash=NO_PASSWORD, language=language)
    for role in roles:
        registration.grant(account, role, by=by)
    _send_invitation(account, by=by)
    return account, True


def invite_again(account: Account, *, by: Account) -> None:
    """Another link for who did not open the account yet; the ones before stop working."""
    if state_of(account) != "invited":
        raise Conflict(both("%(name)s heeft het account al geopend.", name=account.name))
    attempts.count("mail", account.email, limit=MAILS_PER_HOUR, window=timedelta(hours=1))
    _send_invitation(account, by=by)


def accept(token: str, password_hash: str) -> Account:
    """The invited person chose a password; the link proved the address. Raises ``LinkUnusable``."""
    account = links.spend(token, "invitation")
    if account.password_hash != NO_PASSWORD:  # somebody uses it already
        raise links.unusable()
    account.email_confirmed_at = account.email_confirmed_at or now()
    recovery.change(account, password_hash)
    audit.write("invitation.accepted", actor=account, thing=account)
    return account


def change_roles(account: Account, roles: Collection[str], *, shown: Collection[str], by: Account) -> bool:
    """Gives exactly these roles. ``shown`` are those that the page showed: somebody else may have changed them meanwhile.

    Tells whether anything changed. Raises ``Conflict``, ``Forbidden`` and ``InvalidInput``.
    """
    _known(roles)
    if account.roles == set(roles):
        return False
    if account.roles != set(shown):
        raise Conflict(both("Een collega heeft de rollen intussen gewijzigd. Hieronder staat hoe het nu is."))
    if not set(roles) <= account.roles and state_of(account) == "invited" and account.password_hash != NO_PASSWORD:
        raise Conflict(both("%(name)s heeft het e-mailadres nog niet bevestigd. Stuur eerst een uitnodiging.", name=account.name))
    if "office" in account.roles and "office" not in roles:
        if account.id == by.id:
            raise Forbidden(both("U kunt uw eigen rol bij het secretariaat niet weghalen. Vraag het een collega."))
        _keep_somebody(account)
    _change(account, set(roles), by=by)
    return True


def disable(account: Account, *, by: Account) -> bool:
    """Closes an account: out at once, everywhere. Tells whether it was open. Raises ``Conflict`` and ``Forbidden``."""
    if account.id == by.id:
        raise Forbidden(both("U kunt uw eigen account niet sluiten. Vraag het een collega."))
    if "office" in account.roles:
        _keep_somebody(account)
    won = session.scalar(
        update(Account)
        .where(Account.id == account.id, Account.disabled_at.is_(None))
        .values(disabled_at=now())
        .returning(Account.id)
    )
    if won is None:
        return False
    session.refresh(account)
    registration.disable(account, by=by)
    links.withdraw(account, "invitation")
    messages.tell(account, "account_disabled", {"name": account.name})
    return True


def enable(account: Account, *, by: Account) -> bool:
    """Opens a closed account again, with the roles that it had. Tells whether it was closed."""
    won = session.scalar(
        update(Account)
        .where(Account.id == account.id, Account.disabled_at.is_not(None))
        .values(disabled_at=None)
        .returning(Account.id)
    )
    if won is None:
        return False
    session.refresh(account)
    audit.write("account.enabled", actor=by, thing=account)
    messages.tell(account, "account_enabled", {"name": account.name, "link": "/inloggen"})
    return True


def end_logins(account: Account, *, by: Account) -> None:
    """Logs somebody out on every device."""
    login.end_all(account)
    audit.write("login.all_ended", actor=by, thing=account)
    messages.tell(account, "logins_ended", {"name": account.name, "link": "/inloggen"})


# --- parts ---------------------------------------------------------------------------------------------------------


def _known(roles: Collection[str]) -> None:
    if not roles or not set(roles) <= set(ROLES):
        raise InvalidInput(both("Kies minstens één rol."))


def _change(account: Account, roles: set[str] | frozenset[str], *, by: Account) -> None:
    before = account.roles
    for role in sorted(roles - before):
        registration.grant(account, role, by=by)
    for role in sorted(before - roles):
        session.execute(delete(AccountRole).where(AccountRole.account_id == account.id, AccountRole.role == role))
        audit.write("role.revoked", actor=by, thing=account, role=role)
    session.expire(account)
    if roles != before:
        names = [ROLE_NAMES[role] for role in ROLES if role in roles]
        together = {language: ", ".join(one[language].lower() for one in names) for language in ("nl", "en")}
        messages.tell(account, "roles_changed", {"name": account.name, "roles": together, "link": "/inloggen"})


def _keep_somebody(leaving: Account) -> None:
    """Refuses when nobody of the office would be left; two at once that take each other's place are told apart by the lock."""
    staying = session.scalars(
        select(AccountRole)
        .join(Account, Account.id == AccountRole.account_id)
        .where(
            AccountRole.role == "office",
            Account.id != leaving.id,
            Account.disabled_at.is_(None),
            Account.email_confirmed_at.is_not(None),
        )
        .with_for_update()
    ).all()
    if not staying:
        raise Conflict(both("Er moet iemand van het secretariaat overblijven. Nodig eerst een ander uit."))


def _is_invited(account: Account) -> bool:
    """Whether a mailed invitation waits for this person, and nobody chose a password."""
    return account.password_hash == NO_PASSWORD and links.is_open(account, "invitation")


def _send_invitation(account: Account, *, by: Account) -> None:
    """Whatever somebody set before he proved that the address is his, stops working: the link is the only way in."""
    account.password_hash = NO_PASSWORD
    login.end_all(account)
    email_change.stop(account)
    if session.get(SecondFactor, account.id) is not None:
        second_factor.remove(account, by=by)
    links.withdraw(account, *links.PATHS)
    link = links.make(account, "invitation", works=INVITATION_WORKS)
    until = (now() + INVITATION_WORKS).astimezone(ZONE).date().isoformat()
    mail.put(
        to=account.email,
        template="account_invitation",
        language=account.language,
        data={"name": account.name, "link": link, "until": until},
    )
    audit.write("invitation.sent", actor=by, thing=account)


def _narrowed(query: Any, wanted: Filter) -> Any:
    states: dict[str, ColumnElement[bool]] = {
        "disabled": Account.disabled_at.is_not(None),
        "invited": Account.disabled_at.is_(None) & Account.email_confirmed_at.is_(None),
        "active": Account.disabled_at.is_(None) & Account.email_confirmed_at.is_not(None),
    }
    if wanted.state:
        query = query.where(states[wanted.state])
    if wanted.role:
        query = query.where(Account.id.in_(select(AccountRole.account_id).where(AccountRole.role == wanted.role)))
    if wanted.text:
        query = query.where(
            or_(
                names.has(Account.name, wanted.text),
                Account.email.icontains(wanted.text, autoescape=True),
                Account.number == wanted.text.upper(),
            )
        )
    return query
