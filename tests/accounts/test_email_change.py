"""Another address needs a yes from both; each link works once, for a while, and for what it was mailed for."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.accounts import email_change, recovery, registration
from app.accounts.models import Account, EmailChange
from app.config import Settings
from app.errors import DomainError, InvalidInput, LinkUnusable, TooManyRequests
from app.extensions import session, transaction
from app.mail import Mail

NEW = "sanne.nieuw@example.org"


def ask(account: Account, settings: Settings, address: str = NEW) -> tuple[str, str]:
    """The tokens mailed to the old and to the new address."""
    with transaction():
        email_change.ask(account, address, settings)
    sent = session.scalars(select(Mail).order_by(Mail.id.desc()).limit(2)).all()
    token = {mail.to: mail.data["link"].rpartition("/")[2] for mail in sent}
    assert set(token) == {account.email, address}
    return token[account.email], token[address]


def agree(token: str) -> bool:
    with transaction():
        return email_change.agree(token)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_address_changes_after_both_agreed_in_either_order(account: Account, settings: Settings, order: tuple[int, int]) -> None:
    tokens = ask(account, settings)
    assert agree(tokens[order[0]]) is False
    assert account.email == "sanne@example.org"
    with pytest.raises(LinkUnusable):
        agree(tokens[order[0]])
    assert account.email == "sanne@example.org"
    assert agree(tokens[order[1]]) is True
    assert account.email == NEW
    told = session.scalars(select(Mail).where(Mail.template == "email_changed").order_by(Mail.id)).all()
    assert [(one.to, one.data["address"]) for one in told] == [("sanne@example.org", NEW), (NEW, NEW)]
    for token in tokens:
        with pytest.raises(LinkUnusable):
            agree(token)


def test_the_old_address_can_stop_it_and_the_new_one_cannot(account: Account, settings: Settings) -> None:
    old, new = ask(account, settings)
    with pytest.raises(LinkUnusable), transaction():
        email_change.refuse(new)
    agree(new)
    with transaction():
        email_change.refuse(old)
    with pytest.raises(LinkUnusable):
        agree(old)
    assert (account.email, email_change.pending(account)) == ("sanne@example.org", None)


def test_links_stop_by_age_a_newer_wish_another_password_and_a_closed_account(
    account: Account, settings: Settings, password_hash: str
) -> None:
    def age() -> None:
        past = EmailChange.created_at, EmailChange.expires_at
        session.execute(update(EmailChange).values({past[0]: account.created_at - timedelta(9), past[1]: account.created_at}))

    for deed in (
        age,
        lambda: email_change.ask(account, "nog.een@example.org", settings),
        lambda: recovery.change(account, password_hash),
        lambda: registration.disable(account, by="system"),
    ):
        tokens = ask(account, settings)
        with transaction():
            session.expire_all()
            deed()
        for token in tokens:
            with pytest.raises(LinkUnusable):
                agree(token)
    assert account.email == "sanne@example.org"


def test_links_are_kept_as_hashes(account: Account, settings: Settings) -> None:
    tokens = ask(account, settings)
    wish = session.scalars(select(EmailChange)).one()
    assert not {wish.old_sha256, wish.new_sha256} & set(tokens)
    for kept in (wish.old_sha256, wish.new_sha256):
        with pytest.raises(LinkUnusable):
            email_change.find(kept)


def test_an_address_in_use_is_not_told_and_never_taken(account: Account, settings: Settings, password_hash: str) -> None:
    with transaction():
        registration.create(email=NEW, name="Wim", password_hash=password_hash, confirmed=True)
        email_change.ask(account, NEW, settings)
    assert [(mail.to, mail.template) for mail in session.scalars(select(Mail).order_by(Mail.id))] == [
        ("sanne@example.org", "email_change_allow"),
        (NEW, "already_registered"),
    ]


def test_an_address_that_somebody_registered_meanwhile_is_not_taken(
    account: Account, settings: Settings, password_hash: str
) -> None:
    old, new = ask(account, settings)
    agree(old)
    with transaction():
        registration.create(email=NEW, name="Wim", password_hash=password_hash, confirmed=True)
    with pytest.raises(LinkUnusable):
        agree(new)
    assert account.email == "sanne@example.org"


def test_ask_refuses_ones_own_address_and_too_many_mails(account: Account, settings: Settings) -> None:
    with pytest.raises(InvalidInput), transaction():
        email_change.ask(account, "Sanne@Example.org", settings)
    for number in range(5):
        ask(account, settings, f"nieuw{number}@example.org")
    with pytest.raises(TooManyRequests), transaction():
        email_change.ask(account, NEW, settings)
    with pytest.raises(DomainError), transaction():
        email_change.ask(account, "jan@x.org, piet@x.org", settings)
