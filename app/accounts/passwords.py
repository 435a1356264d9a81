"""Passwords: the rule for a new one, and argon2id hashes. Nothing here touches the database.

Hashing costs memory on purpose, so at most ``AT_ONCE`` run in one process: many logins at a time wait instead of filling
the machine. Call it outside any transaction.
"""

import unicodedata
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import InvalidInput
from app.texts import both

SHORTEST, LONGEST = 12, 200
DEMO = "demo-dossier-2026"  # of every demo person; demo data never meets production settings (app.config)
AT_ONCE = 2
FEWEST_DIFFERENT = 5  # "aaaabbbbcccc" is long and still a first guess
COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())  # of at least 12 characters

# 46 MiB, one pass, one lane: the first choice of OWASP's password storage guide (2024).
_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_room = BoundedSemaphore(AT_ONCE)


def check(password: str, *, email: str = "", name: str = "") -> None:
    """Refuses (``InvalidInput``) a new password that is too short or easy to guess. Any character may stand in it."""
    password = _normal(password)
    if len(password) < SHORTEST:
        raise InvalidInput(both("Uw wachtwoord is te kort. Kies minstens %(n)s tekens, bijvoorbeeld vier woorden.", n=SHORTEST))
    if len(password) > LONGEST:
        raise InvalidInput(both("Uw wachtwoord is te lang. Kies hoogstens %(n)s tekens.", n=LONGEST))
    guess = _bare(password)
    own = {_bare(email), _bare(email.partition("@")[0]), _bare(name)} - {""}
    if guess in own or guess.rstrip("0123456789!?.-_*#@") in own:
        raise InvalidInput(both("Uw wachtwoord lijkt te veel op uw naam of e-mailadres. Kies iets wat niemand kan raden."))
    if guess in COMMON or len(set(guess)) < FEWEST_DIFFERENT:
        raise InvalidInput(
            both("Dit wachtwoord is makkelijk te raden. Kies bijvoorbeeld vier woorden die niets met elkaar hebben.")
        )


def hashed(password: str) -> str:
    """The argon2id hash to keep. The same password typed on another keyboard (NFC or NFD) gives the same login."""
    with _room:
        return _hasher.hash(_normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether ``password`` belongs to the hash. Takes as long for ``None`` (no such account) as for a wrong password."""
    try:
        with _room:
            return _hasher.verify(password_hash or _NOBODY, _normal(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).casefold().split())


_NOBODY = _hasher.hash("nobody has this password")
