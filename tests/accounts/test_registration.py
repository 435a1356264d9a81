"""From a typed address to a confirmed account, and back in when the password is forgotten."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import links, login, passwords, recovery, registration
from app.accounts.models import Account, MailedLink
from app.audit import AuditEntry
from app.config import Settings
from app.errors import InvalidInput, LinkUnusable, TooManyRequests
from app.extensions import now, session, transaction
from app.mail import Mail

NEW = "vijf heel andere woorden"


def register(settings: Settings, password_hash: str, email: str = "Jan@Example.org", name: str = "Jan  Łukasz") -> None:
    with transaction():
        registration.register(email=email, name=name, password_hash=password_hash, language="en", settings=settings)


def mails() -> list[tuple[str, str]]:
    return [(mail.to, mail.template) for mail in session.scalars(select(Mail).order_by(Mail.id))]


def mailed_token(template: str) -> str:
    mail = session.scalars(select(Mail).where(Mail.template == template).order_by(Mail.id.desc())).first()
    assert mail is not None
    return mail.data["link"].rpartition("/")[2]


def only_account() -> Account:
    return session.scalars(select(Account)).one()


def test_registration_makes_an_unconfirmed_candidate_and_mails_a_link(
    database: None, settings: Settings, password_hash: str
) -> None:
    register(settings, password_hash)
    jan = only_account()
    assert (jan.email, jan.name, jan.language, jan.roles, jan.is_active) == (
        "jan@example.org", "Jan Łukasz", "en", frozenset({"candidate"}), False,
    )  # fmt: skip
    assert re.fullmatch(r"LP-1\d{5}", jan.number)
    assert session.scalars(select(Account).where(Account.number == jan.number)).one() is jan
    assert mails() == [("jan@example.org", "confirm_email")]
    with transaction():
        registration.confirm(mailed_token("confirm_email"))
    assert only_account().is_active


def test_registration_r6_of_an_address_in_use_changes_nothing_and_mails_its_owner(account: Account, settings: Settings) -> None:
    before = account.password_hash
    register(settings, passwords.hashed(NEW), email="SANNE@example.org", name="Indringer")
    assert (only_account().name, only_account().password_hash) == ("Sanne de Vries", before)
    assert mails() == [("sanne@example.org", "already_registered")]


def test_link_r15_has_256_bits_is_stored_hashed_and_works_once(account: Account) -> None:
    with transaction():
        account.email_confirmed_at = None
        path = links.make(account, "confirm_email", works=timedelta(hours=1))
    token = path.removeprefix("/bevestigen/")
    assert len(token) >= 43
    assert session.scalars(select(MailedLink)).one().token_sha256 == links.digest(token) != token
    assert links.find(token, "confirm_email").account is account  # looking changes nothing
    assert account.email_confirmed_at is None
    with transaction():
        registration.confirm(token)
    with pytest.raises(LinkUnusable), transaction():
        registration.confirm(token)


def test_link_r15_is_bound_to_purpose_time_address_and_open_account(account: Account) -> None:
    def fresh() -> str:
        with transaction():
            return links.make(account, "reset_password", works=timedelta(hours=1)).rpartition("/")[2]

    def unusable(token: str, purpose: links.Purpose = "reset_password") -> None:
        with pytest.raises(LinkUnusable):
            links.find(token, purpose)

    unusable(fresh(), "confirm_email")
    unusable("x" * 43)
    token = fresh()
    with transaction():
        session.execute(update(MailedLink).values(created_at=now() - timedelta(hours=2), expires_at=now() - timedelta(hours=1)))
    unusable(token)
    token = fresh()
    with transaction():
        account.email = "sanne.nieuw@example.org"
    unusable(token)
    token = fresh()
    with transaction():
        registration.disable(account, by="system")
    unusable(token)


def test_link_spent_withdraws_the_others_for_the_same_purpose(account: Account) -> None:
    with transaction():
        first, second = (links.make(account, "reset_password", works=timedelta(hours=1)).rpartition("/")[2] for _ in range(2))
    with transaction():
        links.spend(first, "reset_password")
    with pytest.raises(LinkUnusable):
        links.find(second, "reset_password")


def test_reset_r2_sets_the_password_ends_all_sessions_and_tells_the_owner(account: Account, settings: Settings) -> None:
    with transaction():
        key = login.enter(account.id, address="", user_agent="")
        recovery.ask_reset("sanne@example.org", settings)
    with transaction():
        recovery.reset(mailed_token("reset_password"), passwords.hashed(NEW))
    assert login.find(key, settings) is None
    assert login.verify("sanne@example.org", NEW) == account.id
    assert mails() == [("sanne@example.org", "reset_password"), ("sanne@example.org", "password_changed")]


def test_reset_r6_of_an_unknown_address_is_silent(database: None, settings: Settings) -> None:
    with transaction():
        recovery.ask_reset("niemand@example.org", settings)
        registration.resend_confirmation("niemand@example.org", settings)
    assert mails() == []


def test_resend_mails_a_new_link_only_while_unconfirmed(account: Account, settings: Settings) -> None:
    with transaction():
        registration.resend_confirmation(account.email, settings)
    assert mails() == []
    with transaction():
        account.email_confirmed_at = None
        registration.resend_confirmation(account.email, settings)
    assert mails() == [("sanne@example.org", "confirm_email")]


def test_asking_for_mail_too_often_is_refused_alike_for_known_and_unknown(account: Account, settings: Settings) -> None:
    for email in (account.email, "niemand@example.org"):
        for _ in range(registration.MAILS_PER_HOUR):
            with transaction():
                recovery.ask_reset(email, settings)
        with pytest.raises(TooManyRequests), transaction():
            recovery.ask_reset(email, settings)


@pytest.mark.parametrize("hidden", ["\u202e", "\u2067", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u3164", "\U000e0041"])
def test_a_name_keeps_nothing_that_shows_nothing_or_turns_the_line(account: Account, hidden: str) -> None:
    assert registration.person_name(f"San{hidden}ne {hidden} de Vries{hidden}") == "Sanne de Vries"
    with transaction():
        registration.change_details(account, name=f"{hidden}Sanne", language="nl")
    assert account.name == "Sanne"
    with pytest.raises(InvalidInput):
        registration.person_name(hidden * 3)


@pytest.mark.parametrize("name", ["Jan\r\nBcc: x@example.org", "Jan\x00", "Jan\u2028Piet", "   ", "x" * 121, "\ud800"])
def test_registration_r17_name_with_line_ends_or_control_characters_is_refused(
    database: None, settings: Settings, name: str
) -> None:
    with pytest.raises(InvalidInput):
        register(settings, "hash", name=name)
    assert session.scalars(select(Account)).all() == []


def test_account_email_is_unique_and_casefolded_in_the_database_itself(account: Account) -> None:
    for email in ("sanne@example.org", "JAN@example.org", "geen adres"):
        with pytest.raises(IntegrityError), transaction():
            session.add(Account(email=email, name="X", password_hash="x"))


def test_roles_come_with_the_account_and_are_given_once(account: Account) -> None:
    with transaction():
        registration.grant(account, "assessor", by="system")
        registration.grant(account, "assessor", by="system")
        assert account.roles == {"candidate", "assessor"}
    with pytest.raises(ValueError, match="director"), transaction():
        registration.grant(account, "director", by="system")


def test_deeds_are_in_the_audit_log_without_personal_data_or_secrets_r16(account: Account, settings: Settings) -> None:
    with transaction():
        login.enter(account.id, address="192.0.2.7", user_agent="")
        recovery.ask_reset(account.email, settings)
    token = mailed_token("reset_password")
    with transaction():
        recovery.reset(token, passwords.hashed(NEW))
        registration.change_details(account, name="Sanne Smit", language="en")
        registration.disable(account, by="system")
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.actor, entry.details) for entry in entries] == [
        ("account.created", "account:1", {}),
        ("role.granted", "system", {"role": "candidate"}),
        ("login", "account:1", {}),
        ("password.changed", "account:1", {}),
        ("account.changed", "account:1", {}),
        ("account.disabled", "system", {}),
    ]
