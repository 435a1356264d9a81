"""What somebody was told, to read again: the same words as in the mails, in the language of today."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import mail
from app.accounts import messages
from app.accounts.models import Account, Message
from app.extensions import transaction
from app.texts import both, both_n, pick
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import LARGEST_ID, installation, me, only_fields

blueprint = Blueprint("messages", __name__, url_prefix="/berichten")


@blueprint.get("")
@guard("messages.read")
def home() -> ResponseReturnValue:
    """The messages, newest first. Looking marks nothing as read: opening one does, and the button for all."""
    page = page_asked()
    found, last = messages.page_of(me(), page)
    return render_template(
        "messages/home.html",
        rows=[shown(message) for message in found],
        unread=messages.unread(me()),
        pages={
            "previous_href": url_for("messages.home", pagina=min(page - 1, last)) if page > 1 else "",
            "next_href": url_for("messages.home", pagina=page + 1) if page < last else "",
            "words": pick(both("Pagina %(n)s van %(last)s", n=page, last=last), current_language()) if last > 1 else "",
        },
    )


@blueprint.post("/<int:message_id>/openen")
@guard("messages.read")
def open_message(message_id: int) -> ResponseReturnValue:
    """Marks a message as read and goes where it leads; to the list when there is no such message of this person."""
    only_fields()
    message = messages.find(me(), message_id)
    link = message.data.get("link", "") if message else ""
    with transaction():
        messages.mark_read(me(), message_id)
    return redirect(link or url_for("messages.home"))


@blueprint.post("/gelezen")
@guard("messages.read")
def mark_all() -> ResponseReturnValue:
    only_fields()
    with transaction():
        number = messages.mark_read(me())
    if number:
        words = both_n("Het bericht is gemarkeerd als gelezen.", "%(n)s berichten zijn gemarkeerd als gelezen.", number)
        flash(pick(words, current_language()), "ok")
    return redirect(url_for("messages.home"))


def menu_item(account: Account) -> dict[str, Any]:
    """The messages in the menu, with how many are new."""
    return {
        "href": url_for("messages.home"),
        "text": pick(both("Berichten"), current_language()),
        "current": request.blueprint == "messages",
        "count": messages.unread(account),
    }


def shown(message: Message) -> dict[str, Any]:
    """What the page shows of a message."""
    return {
        "id": message.id,
        "at": message.at,
        "unread": message.read_at is None,
        "words": mail.words(message.template, current_language(), message.data, installation().settings),
    }


def page_asked() -> int:
    """The page's number in the address; 1 for what is no number."""
    text = request.args.get("pagina", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return min(max(number, 1), LARGEST_ID // messages.PAGE)
