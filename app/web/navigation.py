"""The way round the office: its pages, shown below the header on each of them."""

from typing import Any

from flask import request, url_for

from app.accounts.models import Account
from app.texts import both, pick
from app.web.language import current_language

# Page → its words and the other pages that belong to it.
PAGES = {
    "office.home": (both("Vandaag"), ()),
    "office.dossiers": (
        both("Dossiers"),
        tuple(
            f"office.{page}"
            for page in ("dossier", "admission", "give_back", "assessors_page", "fee", "extension", "ask_withdraw")
        ),
    ),
    "office.stuck": (both("Vastgelopen"), ()),
    "office.mails": (both("E-mail"), ()),
    "office.people": (both("Mensen"), ("office.person", "office.invite", "office.ask_disable")),
    "office.plugins": (both("Schema’s en plugins"), ()),
    "audit_log.home": (both("Logboek"), ("audit_log.assessments",)),
}


def office_menu(account: Account) -> list[dict[str, Any]]:
    """The office's pages as links, on its own pages and the log's."""
    if request.blueprint not in ("office", "audit_log") or "office" not in account.roles:
        return []
    return [
        {
            "href": url_for(page),
            "text": pick(words, current_language()),
            "current": request.endpoint == page or request.endpoint in others,
        }
        for page, (words, others) in PAGES.items()
    ]
