"""The second step of logging in: a code from an app on one's phone (TOTP, RFC 6238), or a recovery code from paper.

Who sees other people's dossiers must have one (``next_step``). A code works once, also for two requests at the same moment:
its time step must be later than the last one used (r5). The secret is encrypted with a key made from the secret key, so
that a copy of the database alone makes no codes; recovery codes have 80 bits and are kept as SHA-256.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, func, select, update

from app import audit, config
from app.accounts import attempts, login, messages
from app.accounts.links import digest
from app.accounts.models import STAFF, Account, RecoveryCode, SecondFactor
from app.config import Settings
from app.errors import InvalidInput
from app.extensions import now, session
from app.texts import both

STEP_S = 30
WINDOW = 1  # steps that a phone's clock may be off, either way
TRIES = 5
RECOVERY_CODES = 10


def next_step(account: Account, settings: Settings) -> str:
    """What this person does after the password: "code", "setup" or "" (nothing). The demo asks nobody to set one up."""
    if session.scalar(select(SecondFactor.account_id).where(SecondFactor.account_id == account.id)) is not None:
        return "code"
    return "setup" if is_required(account, settings) else ""


def is_required(account: Account, settings: Settings) -> bool:
    return not settings.demo and bool(account.roles & STAFF)


def new_secret() -> str:
    """160 bits in base32, as apps take them."""
    return pyotp.random_base32()


def address(account: Account, secret: str, settings: Settings) -> str:
    """The otpauth:// address that a QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=settings.organisation)


def set_up(account: Account, secret: str, code: str, settings: Settings, device: str = "") -> Sequence[str]:
    """Keeps the secret once the app shows the right code; gives the recovery codes, to be shown once. Raises ``InvalidInput``."""
    counter = _counter_of(secret, code)
    if counter is None or next_step(account, settings) == "code":
        raise _wrong()
    encrypted = _cipher(settings).encrypt(secret.encode()).decode()
    session.add(SecondFactor(account_id=account.id, secret_encrypted=encrypted, last_counter=counter))
    attempts.forget("code", f"{account.id} {device}")
    audit.write("second_factor.set_up", actor=account, thing=account)
    messages.tell(account, "second_factor_set_up", {"name": account.name, "link": "/account"})
    return renew_recovery_codes(account)


def count(account_id: int, device: str = "") -> None:
    """Counts one try, in a transaction of its own before ``check``. Raises ``TooManyRequests``."""
    attempts.count("code", f"{account_id} {device}", limit=TRIES)


def check(account: Account, code: str, settings: Settings, device: str = "") -> None:
    """Uses up a code of the app or a recovery code. Raises ``InvalidInput``."""
    typed = "".join(code.split()).replace("-", "").casefold()
    if not (_use_code(account, typed, settings) or _use_recovery_code(account, typed)):
        raise _wrong()
    attempts.forget("code", f"{account.id} {device}")


def renew_recovery_codes(account: Account) -> Sequence[str]:
    """New recovery codes; the old ones stop working."""
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.add_all(RecoveryCode(account_id=account.id, code_sha256=digest(code)) for code in codes)
    audit.write("second_factor.codes_renewed", actor=account, thing=account)
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def recovery_codes_left(account: Account) -> int:
    unused = select(func.count(RecoveryCode.id)).where(RecoveryCode.account_id == account.id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def remove(account: Account, *, by: Account | str) -> None:
    """Takes the second factor away and ends every login: who needs one sets it up again at the next login."""
    for kind in (SecondFactor, RecoveryCode):
        session.execute(delete(kind).where(kind.account_id == account.id))
    login.end_all(account)
    audit.write("second_factor.removed", actor=by, thing=account)
    messages.tell(account, "second_factor_removed", {"name": account.name, "link": "/account"})


def _use_code(account: Account, code: str, settings: Settings) -> bool:
    encrypted = session.scalar(select(SecondFactor.secret_encrypted).where(SecondFactor.account_id == account.id))
    if encrypted is None:
        return False
    try:
        secret = _cipher(settings).decrypt(encrypted).decode()
    except InvalidToken:  # the secret key was replaced: a recovery code still works
        return False
    counter = _counter_of(secret, code)
    if counter is None:
        return False
    won = session.execute(
        update(SecondFactor)
        .where(SecondFactor.account_id == account.id, SecondFactor.last_counter < counter)
        .values(last_counter=counter)
        .returning(SecondFactor.account_id)
    ).one_or_none()
    return won is not None


def _use_recovery_code(account: Account, code: str) -> bool:
    won = session.execute(
        update(RecoveryCode)
        .where(RecoveryCode.account_id == account.id, RecoveryCode.code_sha256 == digest(code), RecoveryCode.used_at.is_(None))
        .values(used_at=now())
        .returning(RecoveryCode.id)
    ).one_or_none()
    if won is not None:
        audit.write("second_factor.recovery_code_used", actor=account, thing=account)
    return won is not None


def _counter_of(secret: str, code: str) -> int | None:
    """The time step of which this is the code, when it is near enough to now."""
    totp, current = pyotp.TOTP(secret, interval=STEP_S), int(now().timestamp()) // STEP_S
    typed = "".join(code.split()).encode()
    steps = range(current - WINDOW, current + WINDOW + 1)
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), typed)), None)


def _cipher(settings: Settings) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"second factor").derive(config.secret_key(settings).encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _wrong() -> InvalidInput:
    return InvalidInput(both("Deze code klopt niet of is al gebruikt. Wacht op de volgende code en probeer het opnieuw."))
