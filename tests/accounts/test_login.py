"""Logging in: counted for all processes, alike for known and unknown people, and ended when it must end."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from account_helpers import PASSWORD
from sqlalchemy import func, select, update

from app.accounts import attempts, login, passwords, registration
from app.accounts.models import Account, Attempt, LoginSession, MailedLink
from app.config import ROOT, Settings
from app.errors import Forbidden, InvalidInput, TooManyRequests
from app.extensions import now, session, transaction

EMAIL = "sanne@example.org"
WRONG = "niet het goede woord"


def enter(account_id: int) -> str:
    with transaction():
        return login.enter(account_id, address="192.0.2.7", user_agent="Firefox")


def try_login(email: str = EMAIL, password: str = WRONG, address: str = "192.0.2.7") -> int:
    with transaction():
        login.begin(email, address)
    account_id = login.verify(email, password)
    with transaction():
        login.succeeded(email, address)
    return account_id


def test_login_opens_a_session_that_is_kept_as_a_hash_only(account: Account, settings: Settings) -> None:
    key = enter(try_login(password=PASSWORD))
    entry = login.find(key, settings)
    assert entry is not None
    assert entry.account.id == account.id
    assert entry.token_sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert len(key) >= 43  # 256 bits
    assert (entry.address, entry.user_agent) == ("192.0.2.7", "Firefox")
    assert key.encode() not in settings.instance.joinpath("loopbaandossier.sqlite-wal").read_bytes()


def test_login_r6_wrong_password_and_unknown_address_are_refused_alike(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed_with: list[str | None] = []
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda kept, typed: hashed_with.append(kept) or real(kept, typed))
    with pytest.raises(InvalidInput) as known:
        try_login()
    with pytest.raises(InvalidInput) as unknown:
        try_login("niemand@example.org")
    assert known.value.text == unknown.value.text
    assert hashed_with == [account.password_hash, None]  # the hash is computed in both cases


def test_login_r4_sixth_attempt_in_fifteen_minutes_is_refused_from_whatever_address(account: Account) -> None:
    for number in range(5):
        with pytest.raises(InvalidInput):
            try_login(address=f"192.0.2.{number}")
    with pytest.raises(TooManyRequests) as caught:
        try_login(password=PASSWORD, address="192.0.2.99")
    assert 14 * 60 < caught.value.details["retry_after"] <= 15 * 60
    assert caught.value.text["nl"] == "U hebt dit te vaak geprobeerd. Wacht 15 minuten en probeer het dan opnieuw."
    with transaction():
        session.execute(update(Attempt).values(at=now() - timedelta(minutes=15, seconds=1)))
    assert try_login(password=PASSWORD) == account.id


def test_login_r4_unknown_address_is_counted_like_a_known_one(database: None) -> None:
    for _ in range(5):
        with pytest.raises(InvalidInput):
            try_login("niemand@example.org")
    with pytest.raises(TooManyRequests):
        try_login("niemand@example.org")


def test_login_r4_one_network_address_cannot_try_many_accounts(database: None) -> None:
    for number in range(login.PER_ADDRESS):
        with transaction():
            login.begin(f"persoon{number}@example.org", "192.0.2.7")
    with pytest.raises(TooManyRequests), transaction():
        login.begin("nog.een@example.org", "192.0.2.7")
    with transaction():
        login.begin("nog.een@example.org", "192.0.2.8")


def test_login_r4_success_clears_the_account_but_only_its_own_try_of_the_address(account: Account) -> None:
    for _ in range(3):
        with pytest.raises(InvalidInput):
            try_login()
    enter(try_login(password=PASSWORD))
    assert session.scalar(select(func.count()).select_from(Attempt)) == 3
    for _ in range(5):
        with pytest.raises(InvalidInput):
            try_login()


def test_login_r4_is_counted_for_all_processes_together(account: Account, settings: Settings) -> None:
    script = (
        "import sys\n"
        "from app.accounts import login\n"
        "from app.errors import TooManyRequests\n"
        "from app.extensions import connect, transaction\n"
        "connect(sys.argv[1])\n"
        "let_in = 0\n"
        "for _ in range(5):\n"
        "    try:\n"
        "        with transaction(): login.begin('sanne@example.org', '192.0.2.7')\n"
        "        let_in += 1\n"
        "    except TooManyRequests: pass\n"
        "print(let_in)\n"
    )
    session.remove()
    started = [Popen([_python(), "-c", script, settings.database], cwd=ROOT, stdout=PIPE, text=True) for _ in range(4)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in started) == login.PER_ACCOUNT


def _python() -> Path:
    import sys

    return Path(sys.executable)


@pytest.mark.parametrize(
    ("column", "age"),
    [("last_seen_at", timedelta(minutes=121)), ("created_at", timedelta(hours=12, minutes=1)), ("ended_at", timedelta(0))],
)
def test_session_r3_ends_when_idle_old_or_logged_out(account: Account, settings: Settings, column: str, age: timedelta) -> None:
    key = enter(account.id)
    with transaction():
        session.execute(update(LoginSession).values({column: now() - age}))
    assert login.find(key, settings) is None


def test_session_stays_while_it_is_used(account: Account, settings: Settings) -> None:
    key = enter(account.id)
    with transaction():
        session.execute(update(LoginSession).values(last_seen_at=now() - timedelta(minutes=119)))
    entry = login.find(key, settings)
    assert entry is not None
    assert login.is_stale(entry)
    with transaction():
        login.seen(key)
    entry = login.find(key, settings)
    assert entry is not None
    assert not login.is_stale(entry)


def test_session_r2_logout_ends_this_login_only(account: Account, settings: Settings) -> None:
    laptop, phone = enter(account.id), enter(account.id)
    with transaction():
        login.end(laptop)
    assert login.find(laptop, settings) is None
    assert login.find(phone, settings) is not None


def test_session_r2_disabling_ends_all_and_refuses_new_logins(account: Account, settings: Settings) -> None:
    keys = [enter(account.id), enter(account.id)]
    with transaction():
        registration.disable(account, by="system")
    assert [login.find(key, settings) for key in keys] == [None, None]
    with pytest.raises(Forbidden) as caught:
        enter(try_login(password=PASSWORD))
    assert caught.value.details == {"reason": "disabled"}


def test_login_of_unconfirmed_address_is_refused_and_says_so(account: Account) -> None:
    with transaction():
        account.email_confirmed_at = None
    with pytest.raises(Forbidden) as caught:
        enter(try_login(password=PASSWORD))
    assert caught.value.details == {"reason": "unconfirmed"}


def test_login_r4_tries_of_strangers_never_lock_out_a_known_device_and_it_has_a_limit_of_its_own(account: Account) -> None:
    for number in range(5):
        with pytest.raises(InvalidInput):
            try_login(address=f"192.0.2.{number}")
    with pytest.raises(TooManyRequests), transaction():
        login.begin(EMAIL, "192.0.2.7")
    for _ in range(5):
        with transaction():
            login.begin(EMAIL, "192.0.2.7", "laptop")
    with pytest.raises(TooManyRequests), transaction():
        login.begin(EMAIL, "192.0.2.7", "laptop")
    with transaction():
        login.succeeded(EMAIL, "192.0.2.7", "laptop")
        login.begin(EMAIL, "192.0.2.7", "laptop")
    with pytest.raises(TooManyRequests), transaction():
        login.begin(EMAIL, "192.0.2.7")  # the owner's login gives strangers no new tries


def test_session_key_of_nobody_finds_nothing(account: Account, settings: Settings) -> None:
    enter(account.id)
    for key in ("", "x", "' OR 1=1 --", "\x00"):
        assert login.find(key, settings) is None


def test_old_sessions_links_and_attempts_are_forgotten(account: Account, settings: Settings) -> None:
    enter(account.id)
    with transaction():
        attempts.count("login", EMAIL, limit=5)
        registration.links.make(account, "confirm_email", works=timedelta(hours=1))
        long_ago = now() - timedelta(days=31)
        session.execute(update(LoginSession).values(last_seen_at=long_ago))
        session.execute(update(Attempt).values(at=long_ago))
        session.execute(update(MailedLink).values(created_at=long_ago, expires_at=long_ago + timedelta(hours=1)))
    fresh = enter(account.id)
    with transaction():
        login.forget_old()
    remaining: Callable[[type], int] = lambda kind: session.scalar(select(func.count()).select_from(kind)) or 0  # noqa: E731
    assert [remaining(kind) for kind in (LoginSession, Attempt, MailedLink)] == [1, 0, 0]
    assert login.find(fresh, settings) is not None
