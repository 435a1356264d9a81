"""What somebody with an account is told: one row on the page of messages and one mail, from the same words.

There is nothing to unsubscribe from: only what a person must know is told. A mail whose link is a secret does not come
here (``mail.WITH_SECRET_LINK``): a page would keep the secret, and somebody who reads along could use it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update

from app import mail
from app.accounts.models import Account, Message
from app.extensions import now, session

PAGE = 20


def tell(account: Account, template: str, data: Mapping[str, Any], *, key: str | None = None) -> Message | None:
    """Tells it here and by mail, in the account's language. ``None``: ``key`` was used before, so it was told already."""
    if mail.is_secret(template, data.get("link", "")):
        raise ValueError(f"{template!r} has a link that is a secret: put it in the mail alone")
    if mail.put(to=account.email, template=template, language=account.language, data=data, key=key) is None:
        return None
    message = Message(account_id=account.id, template=template, data=dict(data))
    session.add(message)
    session.flush()
    return message


def unread(account: Account) -> int:
    """How many messages wait to be opened."""
    waiting = select(func.count(Message.id)).where(Message.account_id == account.id, Message.read_at.is_(None))
    return session.scalar(waiting) or 0


def page_of(account: Account, number: int = 1) -> tuple[Sequence[Message], int]:
    """One page of messages, newest first, and the number of pages (at least one)."""
    mine = (Message.account_id == account.id) & Message.template.in_(mail.TEMPLATES)  # none of an older program
    total = session.scalar(select(func.count(Message.id)).where(mine)) or 0
    shown = select(Message).where(mine).order_by(Message.id.desc()).limit(PAGE).offset((number - 1) * PAGE)
    return session.scalars(shown).all(), max(1, -(-total // PAGE))


def find(account: Account, message_id: int) -> Message | None:
    """A message of this account; somebody else's is not found."""
    return session.scalar(select(Message).where(Message.id == message_id, Message.account_id == account.id))


def mark_read(account: Account, message_id: int | None = None) -> int:
    """Marks one message, or all of them, as read and gives how many were not yet."""
    waiting = update(Message).where(Message.account_id == account.id, Message.read_at.is_(None))
    if message_id is not None:
        waiting = waiting.where(Message.id == message_id)
    return len(session.scalars(waiting.values(read_at=now()).returning(Message.id)).all())
