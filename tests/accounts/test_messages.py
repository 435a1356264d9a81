"""What an account is told: in the list and by mail, once, in words that are written once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import mail
from app.accounts import messages, registration
from app.accounts.models import Account, Message
from app.config import Settings
from app.extensions import now, session, transaction
from app.mail import Mail

pytestmark = pytest.mark.usefixtures("database")

DATA = {"name": "Sanne", "dossier": "LD-1", "link": "/dossier/LD-1/ontvangst"}


def person(email: str = "sanne@example.org", language: str = "nl") -> Account:
    with transaction():
        return registration.create(
            email=email, name="Sanne", password_hash="x", language=language, roles=["candidate"], confirmed=True
        )


def tell(account: Account, template: str = "dossier_handed_over", key: str | None = None, **changes: object) -> Message | None:
    with transaction():
        return messages.tell(account, template, DATA | changes, key=key)


def test_telling_writes_one_message_and_one_mail_in_the_language_of_the_account() -> None:
    account = person(language="en")
    assert tell(account, key="handed over:1") is not None
    assert tell(account, key="handed over:1") is None
    (message,) = session.scalars(select(Message)).all()
    (letter,) = session.scalars(select(Mail)).all()
    assert (message.account_id, message.template, message.data) == (account.id, "dossier_handed_over", DATA)
    assert message.read_at is None
    assert (letter.to, letter.language, letter.template, letter.data) == (account.email, "en", "dossier_handed_over", DATA)


@pytest.mark.parametrize("template", sorted(mail.WITH_SECRET_LINK))
def test_secret_link_r16_is_never_kept_in_a_message(template: str) -> None:
    account = person()
    with pytest.raises(ValueError, match="secret"):
        tell(account, template)
    assert session.scalars(select(Message)).all() == []


def test_link_r16_that_looks_like_a_secret_is_refused_whatever_the_template() -> None:
    account = person()
    with pytest.raises(ValueError, match="secret"):
        tell(account, link="/mentor/" + "x9_-" * 11)
    assert tell(account, link="/dossier/LD-2026-0007/ontvangst") is not None


def test_messages_are_unread_until_marked_and_only_ones_own() -> None:
    account, other = person(), person(email="ander@example.org")
    first, second, theirs = tell(account), tell(account), tell(other)
    assert first is not None
    assert second is not None
    assert theirs is not None
    assert messages.unread(account) == 2
    assert messages.find(account, theirs.id) is None
    with transaction():
        assert messages.mark_read(account, theirs.id) == 0
        assert messages.mark_read(account, first.id) == 1
        assert messages.mark_read(account, first.id) == 0
    assert messages.unread(account) == 1
    with transaction():
        assert messages.mark_read(account) == 1
    assert (messages.unread(account), messages.unread(other)) == (0, 1)
    session.rollback()
    read_at = session.get_one(Message, first.id).read_at
    assert read_at is not None
    assert now() - read_at < timedelta(minutes=1)


def test_messages_come_newest_first_in_pages() -> None:
    account = person()
    assert messages.page_of(account) == ([], 1)
    made = [message.id for _ in range(messages.PAGE + 1) if (message := tell(account))]
    first, pages = messages.page_of(account)
    second, _ = messages.page_of(account, 2)
    assert pages == 2
    assert [one.id for one in (*first, *second)] == made[::-1]


def test_words_of_a_message_are_those_of_the_mail_in_the_readers_language() -> None:
    settings = Settings(mode="production", base_url="https://dossier.example.org")
    words = mail.words("dossier_handed_over", "en", DATA, settings)
    assert words.subject == "Your dossier LD-1 has been received in full"
    assert words.link == "/dossier/LD-1/ontvangst"
    assert words.paragraphs
    assert not any("Hello" in one or "Kind regards" in one or "https://" in one for one in words.paragraphs)
    reason = {"nl": "Er zit een wachtwoord op.", "en": "It has a password."}
    data = DATA | {"title": "Diploma", "reason": reason}
    assert reason["en"] in mail.words("evidence_refused", "en", data, settings).paragraphs
    assert reason["nl"] in mail.words("evidence_refused", "nl", data, settings).paragraphs
