"""Only in demo mode: who one can log in as, and the mail that would have been sent."""

import email
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from pathlib import Path
from typing import Protocol

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.accounts.models import Account
from app.errors import NotFound, Text
from app.extensions import session
from app.texts import both, pick
from app.web import dates
from app.web.guard import public
from app.web.language import current_language
from app.web.parts import installation

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

NAME = re.compile(r"\d{8}-[a-z_]+\.eml")
NEWEST = 200
ROLE_WORDS = {
    "candidate": both("kandidaat"),
    "mentor": both("mentor"),
    "assessor": both("beoordelaar"),
    "office": both("secretariaat"),
    "auditor": both("auditor"),
}
Piece = tuple[str, str]


class Person(Protocol):
    """One of the demo's people."""

    name: str
    email: str
    role: str
    story: Text
    password: str


@dataclass(frozen=True)
class Letter:
    """A mail as the demo shows it. A paragraph is a list of ("text" | "link" | "break", words)."""

    name: str
    subject: str
    language: str
    to: str
    time: str
    paragraphs: list[list[Piece]]


@blueprint.route("/")
@public
def home() -> ResponseReturnValue:
    """Who one can be: the demo's people (given by the wiring), as far as they were made."""
    everybody: Sequence[Person] = current_app.extensions["demo_people"]
    made = set(session.scalars(select(Account.email).where(Account.email.in_([one.email for one in everybody]))))
    speaks = current_language()
    people = [
        {
            "name": one.name,
            "email": one.email,
            "password": one.password,
            "role": pick(ROLE_WORDS[one.role], speaks),
            "story": pick(one.story, speaks),
        }
        for one in everybody
        if one.email in made
    ]
    return render_template("demo/home.html", people=people)


@blueprint.route("/post")
@public
def post() -> ResponseReturnValue:
    files = sorted(_folder().glob("*.eml"), reverse=True)[:NEWEST]
    return render_template("demo/post.html", letters=[_read(path) for path in files])


@blueprint.route("/post/<name>")
@public
def letter(name: str) -> ResponseReturnValue:
    path = _folder() / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise NotFound(both("Deze e-mail is er niet (meer)."))
    return render_template("demo/letter.html", letter=_read(path))


def _folder() -> Path:
    return installation().settings.outbox


def _read(path: Path) -> Letter:
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return Letter(
        name=path.name,
        subject=message["Subject"],
        language=message["Content-Language"] or "nl",
        to=message["To"],
        time=dates.at(message["Date"].datetime, "d MMMM y, HH.mm"),
        paragraphs=[_pieces(paragraph) for paragraph in (body.get_content() if body else "").strip().split("\n\n")],
    )


def _pieces(paragraph: str) -> list[Piece]:
    """A paragraph in pieces, so that our own addresses become links and everything else stays text."""
    own_address = re.compile("(" + re.escape(installation().settings.base_url) + r"[^\s<>]*|\n)")
    kinds = {"\n": "break"}
    return [
        (kinds.get(piece, "link") if own_address.fullmatch(piece) else "text", piece)
        for piece in own_address.split(paragraph)
        if piece
    ]
