"""Whether two addresses or names are one person's, as far as one can tell: for rules about who may not judge whom."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from app.accounts.models import Account, EmailChange
from app.extensions import session


def mailbox(address: str) -> str:
    """Where mail to this address arrives: "els+cmi@praktijk.example" is the mailbox of "els@praktijk.example"."""
    local, _, domain = address.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def plain_name(name: str) -> str:
    """A name as it is compared: without case, accents, full stops and doubled spaces."""
    letters = unicodedata.normalize("NFKD", name).casefold().replace(".", " ")
    return " ".join("".join(mark for mark in letters if not unicodedata.combining(mark)).split())


def is_named_in(text: str, name: str) -> bool:
    """Whether what somebody typed is this name, or holds it whole among other words: "drs. Karin van Dam (RL)"."""
    typed, whole = _words(text), _words(name)
    return typed == whole or (" " in whole and f" {whole} " in f" {typed} ")


def mailboxes_in(text: str) -> frozenset[str]:
    """The mailboxes of the addresses that stand in what somebody typed."""
    return frozenset(mailbox(found) for found in re.findall(r"[^\s<>(),;:]+@[^\s<>(),;:]+", text))


def _words(text: str) -> str:
    return plain_name(re.sub(r"[^\w\s'’-]", " ", text))


def mailboxes(accounts: Iterable[Account]) -> Mapping[int, frozenset[str]]:
    """Every mailbox that each account has or had, by account id. One query, however many accounts.

    An address that was asked for but never confirmed is not his.
    """
    found: dict[int, set[str]] = defaultdict(set)
    for account in accounts:
        found[account.id].add(mailbox(account.email))
    changes = select(EmailChange.account_id, EmailChange.old_email, EmailChange.new_email, EmailChange.new_agreed_at).where(
        EmailChange.account_id.in_(found)
    )
    for account_id, old, new, agreed_at in session.execute(changes):
        found[account_id].add(mailbox(old))
        if agreed_at is not None:
            found[account_id].add(mailbox(new))
    return {account_id: frozenset(boxes) for account_id, boxes in found.items()}


def is_same_person(account: Account, *, email: str, name: str) -> bool:
    """Whether this address, now or formerly, or this name is that of the account's owner."""
    return mailbox(email) in mailboxes([account])[account.id] or plain_name(name) == plain_name(account.name)
