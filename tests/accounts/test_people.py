"""What the office does with accounts: every deed once, told to the person, and somebody of the office always stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import links, login, passwords, people, recovery
from app.accounts.models import Account, LoginSession, MailedLink, RecoveryCode, SecondFactor
from app.accounts.people import Filter
from app.audit import AuditEntry
from app.config import Settings
from app.errors import Conflict, Forbidden, InvalidInput, LinkUnusable
from app.extensions import now, session, transaction
from app.mail import Mail

MakeAccount = Callable[..., Account]


@pytest.fixture
def office(make_account: MakeAccount) -> Account:
    return make_account("Ilse Smit", "office")


def mails() -> list[tuple[str, str]]:
    session.rollback()
    return [(one.to, one.template) for one in session.scalars(select(Mail).order_by(Mail.id))]


def audited() -> list[str]:
    session.rollback()
    return [one.action for one in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def invite(office: Account, email: str = "els@voorbeeld.nl", *roles: str) -> tuple[Account, bool]:
    with transaction():
        return people.invite(email=email, name="Els Bos", roles=roles or ("assessor",), language="nl", by=office)


def token() -> str:
    session.rollback()
    letter = session.scalars(select(Mail).where(Mail.template == "account_invitation").order_by(Mail.id.desc())).first()
    assert letter is not None
    return str(letter.data["link"]).rpartition("/")[2]


def test_the_invited_person_opens_the_account_with_an_own_password_once(office: Account, password_hash: str) -> None:
    account, is_new = invite(office)
    assert is_new
    assert (people.state_of(account), account.roles) == ("invited", {"assessor"})
    assert not passwords.matches(account.password_hash, people.NO_PASSWORD)
    secret = token()
    with transaction():
        people.accept(secret, password_hash)
    session.rollback()
    assert people.state_of(session.get_one(Account, account.id)) == "active"
    with pytest.raises(LinkUnusable), transaction():
        people.accept(secret, password_hash)
    assert mails() == [("els@voorbeeld.nl", "account_invitation"), ("els@voorbeeld.nl", "password_changed")]
    assert [one for one in audited() if one.startswith("invitation")] == ["invitation.sent", "invitation.accepted"]


def test_a_new_link_stops_the_one_before(office: Account, password_hash: str) -> None:
    account, _ = invite(office)
    first = token()
    with transaction():
        people.invite_again(account, by=office)
    with pytest.raises(LinkUnusable), transaction():
        people.accept(first, password_hash)
    with transaction():
        people.accept(token(), password_hash)
    with pytest.raises(Conflict), transaction():
        people.invite_again(session.get_one(Account, account.id), by=office)


@pytest.fixture
def squatter(make_account: MakeAccount) -> Account:
    """Somebody registered with an address that is not his, and never confirmed it."""
    account = make_account("De Kraker", "candidate", email="els@voorbeeld.nl")
    with transaction():
        account.email_confirmed_at = None
        links.make(account, "confirm_email", works=timedelta(hours=1))
        links.make(account, "reset_password", works=timedelta(hours=1))
        session.add(SecondFactor(account_id=account.id, secret_encrypted="x", last_counter=1))
        session.add(RecoveryCode(account_id=account.id, code_sha256="x"))
        session.add(LoginSession(account_id=account.id, token_sha256="x"))
    return account


def test_the_password_of_who_never_confirmed_the_address_is_worth_nothing_after_an_invitation(
    office: Account, squatter: Account, password_hash: str
) -> None:
    confirming = squatter_link("confirm_email")
    account, is_new = invite(office)
    assert (account.id, is_new, account.name, account.roles) == (squatter.id, True, "Els Bos", {"candidate", "assessor"})
    assert account.password_hash == people.NO_PASSWORD
    assert [one.purpose for one in session.scalars(select(MailedLink).where(MailedLink.used_at.is_(None)))] == ["invitation"]
    assert session.scalars(select(SecondFactor)).all() == session.scalars(select(RecoveryCode)).all() == []
    assert session.scalars(select(LoginSession.ended_at)).one() is not None
    assert confirming.used_at is not None
    invite(office)  # a second click: the mailed link goes on working
    assert [template for _, template in mails()].count("account_invitation") == 1
    with transaction():
        people.accept(token(), password_hash)
    session.rollback()
    account = session.get_one(Account, squatter.id)
    assert (people.state_of(account), account.password_hash) == ("active", password_hash)


def squatter_link(purpose: links.Purpose) -> MailedLink:
    return session.scalars(select(MailedLink).where(MailedLink.purpose == purpose)).one()


def test_who_never_confirmed_the_address_gets_no_roles_without_an_invitation(
    office: Account, squatter: Account, password_hash: str
) -> None:
    with pytest.raises(Conflict), transaction():
        people.change_roles(squatter, ["candidate", "office"], shown=["candidate"], by=office)
    with transaction():
        people.invite_again(squatter, by=office)
    assert squatter.password_hash == people.NO_PASSWORD
    with transaction():
        assert people.change_roles(squatter, ["candidate", "office"], shown=["candidate"], by=office)


def test_another_password_stops_an_open_invitation(office: Account, settings: Settings, password_hash: str) -> None:
    account, _ = invite(office)
    invitation = token()
    with transaction():
        recovery.ask_reset(account.email, settings)
        reset = links.make(account, "reset_password", works=timedelta(hours=1)).rpartition("/")[2]
    with transaction():
        recovery.reset(reset, password_hash)
    with pytest.raises(LinkUnusable), transaction():
        people.accept(invitation, "another")
    with transaction():  # a link of an older program, that stayed open
        left = links.make(session.get_one(Account, account.id), "invitation", works=timedelta(hours=1)).rpartition("/")[2]
    with pytest.raises(LinkUnusable), transaction():
        people.accept(left, "another")
    session.rollback()
    assert session.get_one(Account, account.id).password_hash == password_hash


def test_an_old_link_no_longer_works(office: Account, password_hash: str) -> None:
    invite(office)
    secret = token()
    with transaction():
        link = session.scalars(select(MailedLink)).one()
        link.created_at, link.expires_at = now() - people.INVITATION_WORKS * 2, now() - people.INVITATION_WORKS
    with pytest.raises(LinkUnusable), transaction():
        people.accept(secret, password_hash)


def test_who_has_an_account_gets_the_roles_instead_and_is_told(office: Account, make_account: MakeAccount) -> None:
    els = make_account("Els Bos", "candidate", email="els@voorbeeld.nl")
    account, is_new = invite(office)
    assert (account.id, is_new, account.roles) == (els.id, False, {"candidate", "assessor"})
    invite(office)
    assert mails() == [("els@voorbeeld.nl", "roles_changed")]
    with transaction():
        people.disable(els, by=office)
    with pytest.raises(Conflict):
        invite(office)


def test_roles_are_changed_from_what_the_page_showed(office: Account, make_account: MakeAccount) -> None:
    els = make_account("Els Bos", "candidate")
    with transaction():
        assert people.change_roles(els, ["assessor"], shown=["candidate"], by=office)
    with transaction():  # a second click
        assert not people.change_roles(els, ["assessor"], shown=["candidate"], by=office)
    with pytest.raises(Conflict), transaction():  # another tab, that still shows the old roles
        people.change_roles(els, ["candidate", "mentor"], shown=["candidate"], by=office)
    with pytest.raises(InvalidInput), transaction():
        people.change_roles(els, [], shown=["assessor"], by=office)
    with pytest.raises(InvalidInput), transaction():
        people.change_roles(els, ["king"], shown=["assessor"], by=office)
    session.rollback()
    assert session.get_one(Account, els.id).roles == {"assessor"}
    assert mails() == [(els.email, "roles_changed")]
    assert [one for one in audited() if one.startswith("role.")][-2:] == ["role.granted", "role.revoked"]


def test_somebody_of_the_office_always_stays(office: Account, make_account: MakeAccount) -> None:
    with pytest.raises(Forbidden), transaction():
        people.change_roles(office, ["candidate"], shown=["office"], by=office)
    with pytest.raises(Forbidden), transaction():
        people.disable(office, by=office)
    colleague = make_account("Fatima Bouzid", "office")
    with transaction():
        people.disable(colleague, by=office)
    with pytest.raises(Conflict), transaction():  # the colleague's page was still open
        people.disable(office, by=colleague)
    with pytest.raises(Conflict), transaction():
        people.change_roles(office, ["candidate"], shown=["office"], by=colleague)


def test_closing_ends_every_login_once_and_opening_brings_the_roles_back(office: Account, make_account: MakeAccount) -> None:
    els = make_account("Els Bos", "assessor")
    with transaction():
        login.enter(els.id, address="192.0.2.1", user_agent="Firefox")
    with transaction():
        assert people.disable(els, by=office)
    with transaction():
        assert not people.disable(els, by=office)
    session.rollback()
    assert session.scalars(select(LoginSession.ended_at)).one() is not None
    with transaction():
        assert people.enable(els, by=office)
    with transaction():
        assert not people.enable(els, by=office)
    session.rollback()
    assert (people.state_of(session.get_one(Account, els.id)), els.roles) == ("active", {"assessor"})
    assert mails() == [(els.email, "account_disabled"), (els.email, "account_enabled")]
    assert audited().count("account.disabled") == audited().count("account.enabled") == 1


def test_people_are_found_by_text_role_and_state(office: Account, make_account: MakeAccount) -> None:
    els = make_account("Els Bos", "assessor", "candidate")
    invite(office, "nieuw@voorbeeld.nl")

    def names(**wanted: str) -> list[str]:
        return [account.email for account, _ in people.find(Filter(**wanted))]

    assert names() == [els.email, "nieuw@voorbeeld.nl", office.email]
    assert names(role="assessor") == [els.email, "nieuw@voorbeeld.nl"]
    assert names(state="invited") == ["nieuw@voorbeeld.nl"]
    assert names(text="SMIT") == [office.email]
    assert names(text=els.number.lower()) == [els.email]
    assert people.count(Filter(state="active")) == 2
