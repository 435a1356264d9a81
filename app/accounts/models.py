"""Who may come in: accounts with their roles, login sessions, counted attempts and mailed links.

Secrets (session keys, links) are kept as SHA-256 only. A role is an act of the office, so it is a row of its own.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from app.extensions import Base, now

ROLES = ("candidate", "mentor", "assessor", "office", "auditor")
STAFF = frozenset({"assessor", "office", "auditor"})  # they see other people's dossiers; a mentor sees only who asked him
FIRST_NUMBER = 100_000


class AccountRole(Base):
    """One role that one account has."""

    __tablename__ = "account_role"
    __table_args__ = (CheckConstraint("role IN ('candidate', 'mentor', 'assessor', 'office', 'auditor')", name="role_known"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(12), primary_key=True)


class Account(Base):
    """One person. ``email`` is kept casefolded, with an ASCII domain (``mail.address``).

    Flask-Login reads ``is_active``, ``is_authenticated``, ``is_anonymous`` and ``get_id()``, which gives the key of the
    login session that brought this person in; ``session_key`` is not stored and is empty outside a request.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("language IN ('nl', 'en')", name="language_known"),
        CheckConstraint("email = lower(email) AND email LIKE '%_@_%'", name="email_casefolded"),
        {"sqlite_autoincrement": True},  # a number is never given to somebody else
    )
    is_authenticated = True
    is_anonymous = False
    session_key = ""

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2), default="nl")
    email_confirmed_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    # The roles come along in the account's own SELECT: no query per account, and no relationship from parent to child.
    _roles: Mapped[str | None] = column_property(
        select(func.aggregate_strings(AccountRole.role, " "))
        .where(AccountRole.account_id == id)
        .correlate_except(AccountRole)
        .scalar_subquery()
    )

    @hybrid_property
    def number(self) -> str:
        """The public id, such as "LP-100001": made from ``id``, so it is unique and never changes."""
        return f"LP-{FIRST_NUMBER + self.id}"

    @number.inplace.expression
    @classmethod
    def _number_expression(cls) -> ColumnElement[str]:
        return literal("LP-") + cast(cls.id + FIRST_NUMBER, String)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset((self._roles or "").split())

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None and self.email_confirmed_at is not None

    def get_id(self) -> str:
        return self.session_key


class LoginSession(Base):
    """One login on one device. It counts while it is not ended, not idle too long and not too old (``login.find``).

    ``waits_for`` is "" for a whole login; "code" or "setup" after the password alone, which opens nothing.
    """

    __tablename__ = "login_session"
    __table_args__ = (CheckConstraint("waits_for IN ('', 'code', 'setup')", name="waits_for_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    waits_for: Mapped[str] = mapped_column(String(5), default="", server_default="")

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class Attempt(Base):
    """One counted try (a login, a request for mail). ``key`` is the hash of whom or where it was counted for."""

    __tablename__ = "attempt"
    __table_args__ = (Index(None, "key", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now, index=True)


class MailedLink(Base):
    """A link mailed to ``sent_to``: works once, until ``expires_at``."""

    __tablename__ = "mailed_link"
    __table_args__ = (
        CheckConstraint("purpose IN ('confirm_email', 'reset_password', 'invitation')", name="purpose_known"),
        CheckConstraint("expires_at > created_at", name="expires_later"),
        UniqueConstraint("token_sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    token_sha256: Mapped[str] = mapped_column(String(64))
    sent_to: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class Message(Base):
    """What an account was told, on its page of messages and by mail: one of ``mail.TEMPLATES`` with its data (no secret links).

    ``read_at``: when the page with it was opened.
    """

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    template: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]


class SecondFactor(Base):
    """The app on somebody's phone that makes codes. ``last_counter`` is the time step of the last code that was used (r5)."""

    __tablename__ = "second_factor"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    secret_encrypted: Mapped[str] = mapped_column(String(200))
    last_counter: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class RecoveryCode(Base):
    """A code on paper for who lost the phone: works once."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("account_id", "code_sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    code_sha256: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class EmailChange(Base):
    """A wish to use another address: done once both addresses agreed, over when stopped, done (``ended_at``) or too old."""

    __tablename__ = "email_change"
    __table_args__ = (
        CheckConstraint("expires_at > created_at", name="expires_later"),
        UniqueConstraint("old_sha256"),
        UniqueConstraint("new_sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    old_email: Mapped[str] = mapped_column(String(254))
    new_email: Mapped[str] = mapped_column(String(254))
    old_sha256: Mapped[str] = mapped_column(String(64))
    new_sha256: Mapped[str] = mapped_column(String(64))
    old_agreed_at: Mapped[datetime | None]
    new_agreed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
