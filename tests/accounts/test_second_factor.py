"""Codes from a phone and from paper: each works once, near its time, and only for its owner."""

from functools import partial

import pyotp
import pytest
from sqlalchemy import select, update
from together import together

from app.accounts import login, registration, second_factor
from app.accounts.models import Account, Message, RecoveryCode, SecondFactor
from app.config import Settings
from app.errors import DomainError, InvalidInput, TooManyRequests
from app.extensions import now, session, transaction
from app.mail import Mail

STEP = second_factor.STEP_S


def code_of(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(now().timestamp()) // STEP + steps)


def set_up(account: Account, settings: Settings) -> tuple[str, list[str]]:
    """The secret and the recovery codes; the code of this moment was not used yet."""
    secret = second_factor.new_secret()
    with transaction():
        codes = second_factor.set_up(account, secret, code_of(secret, -1), settings)
    return secret, list(codes)


def works(account: Account, code: str, settings: Settings) -> bool:
    try:
        with transaction():
            second_factor.check(account, code, settings)
    except InvalidInput:
        return False
    return True


def test_owner_is_told_that_a_second_factor_was_set_up_and_removed(account: Account, settings: Settings) -> None:
    set_up(account, settings)
    with transaction():
        second_factor.remove(account, by="system")
    sent = session.execute(select(Mail.to, Mail.template).order_by(Mail.id)).all()
    assert [tuple(one) for one in sent] == [(account.email, "second_factor_set_up"), (account.email, "second_factor_removed")]
    assert session.scalars(select(Message.template).order_by(Message.id)).all() == [one.template for one in sent]


def test_a_code_r5_works_once_and_an_older_one_no_more(account: Account, settings: Settings) -> None:
    secret, _codes = set_up(account, settings)
    assert not works(account, code_of(secret, -1), settings)  # used to set it up
    assert works(account, code_of(secret), settings)
    assert not works(account, code_of(secret), settings)
    assert works(account, code_of(secret, 1), settings)  # a clock that is half a minute fast
    assert not works(account, code_of(secret), settings)


def test_a_code_r5_of_another_time_or_another_secret_is_refused(account: Account, settings: Settings) -> None:
    secret, _codes = set_up(account, settings)
    with transaction():
        session.execute(update(SecondFactor).values(last_counter=0))
    for wrong in (
        code_of(secret, -3),
        code_of(secret, 3),
        code_of(second_factor.new_secret()),
        "",
        "x" * 900,
        "１２３４５６",
        "\x00",
    ):
        assert not works(account, wrong, settings), wrong
    assert works(account, " ".join(code_of(secret)), settings)


def test_a_code_r5_that_two_requests_bring_at_once_lets_one_in(account: Account, settings: Settings) -> None:
    secret, codes = set_up(account, settings)
    account_id = account.id

    def bring(code: str) -> bool:
        try:
            with transaction() as current:
                second_factor.check(current.get_one(Account, account_id), code, settings)
        except InvalidInput:
            return False
        return True

    session.remove()
    for code in (code_of(secret), codes[0]):
        assert sum(together(*[partial(bring, code)] * 4)) == 1


def test_recovery_codes_are_kept_hashed_work_once_and_are_replaced(account: Account, settings: Settings) -> None:
    _secret, codes = set_up(account, settings)
    assert len(set(codes)) == 10
    kept = set(session.scalars(select(RecoveryCode.code_sha256)))
    assert not kept & {*codes, *(code.replace("-", "") for code in codes)}
    assert works(account, codes[0].upper().replace("-", " "), settings)
    assert not works(account, codes[0], settings)
    assert second_factor.recovery_codes_left(account) == 9
    with transaction():
        renewed = second_factor.renew_recovery_codes(account)
    assert (works(account, codes[1], settings), works(account, renewed[0], settings)) == (False, True)


def test_codes_of_one_person_are_nothing_to_another(account: Account, settings: Settings, password_hash: str) -> None:
    secret, codes = set_up(account, settings)
    with transaction():
        other = registration.create(email="wim@example.org", name="Wim", password_hash=password_hash, confirmed=True)
    assert not works(other, codes[0], settings)
    assert not works(other, code_of(secret), settings)


def test_secret_is_encrypted_and_with_another_key_only_recovery_codes_work(account: Account, settings: Settings) -> None:
    secret, codes = set_up(account, settings)
    assert secret not in session.scalars(select(SecondFactor.secret_encrypted)).one()
    (settings.keys / "secret_key").write_text("een heel andere sleutel van genoeg tekens")
    assert not works(account, code_of(secret), settings)
    assert works(account, codes[0], settings)


def test_a_set_up_factor_is_not_replaced_by_another(account: Account, settings: Settings) -> None:
    secret, _codes = set_up(account, settings)
    with pytest.raises(DomainError):
        set_up(account, settings)
    assert works(account, code_of(secret), settings)


def test_wrong_codes_are_counted_and_a_known_device_apart(account: Account, settings: Settings) -> None:
    for _ in range(5):
        with transaction():
            second_factor.count(account.id)
    with pytest.raises(TooManyRequests), transaction():
        second_factor.count(account.id)
    with transaction():
        second_factor.count(account.id, "laptop")


def test_remove_ends_every_login(account: Account, settings: Settings) -> None:
    _secret, codes = set_up(account, settings)
    with transaction():
        key = login.enter(account.id, address="", user_agent="")
    with transaction():
        second_factor.remove(account, by="system")
    assert login.find(key, settings) is None
    assert not works(account, codes[0], settings)
    assert second_factor.next_step(account, settings) == ""
