"""Where a dossier's texts seem to hold personal data of clients, and what the candidate said is none: kept as a salted hash."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.dossiers import personal_data, statements
from app.dossiers.contents import Contents
from app.dossiers.models import Dossier, Mentorship, NotOfClient
from app.dossiers.personal_data import Found, Known
from app.extensions import session
from app.schemes import question_types
from app.schemes.model import Question, Section

TEXTS = ("short_text", "long_text")


@dataclass(frozen=True)
class Place:
    """A text that somebody typed: an answer, or with ``row`` and ``field`` one field of a table's row."""

    section: Section
    question: Question
    text: str
    row: str = ""
    field: Question | None = None


def pointed_out(contents: Contents, sections: Iterable[Section], office_email: str) -> list[tuple[Place, list[Found]]]:
    """The texts of ``sections`` with what looks like a client's personal data, each thing once; not what was set aside."""
    places = [one for section in sections for one in _places(contents, section) if personal_data.find(one.text)]
    if not places:  # most often: then nobody needs to be known
        return []
    known = _known(contents, office_email)
    aside = session.execute(
        select(NotOfClient.salt, NotOfClient.sha256).where(NotOfClient.dossier_id == contents.dossier.id)
    ).all()
    left = []
    for place in places:
        found = once(personal_data.find(place.text, known))
        fresh = [one for one in found if not any(_hash(salt, plain(one)) == digest for salt, digest in aside)]
        if fresh:
            left.append((place, fresh))
    return left


def set_aside(dossier: Dossier, found: Found) -> None:
    """The candidate says that this is no client's: these words are not pointed out again in this dossier."""
    salt = session.scalar(select(NotOfClient.salt).where(NotOfClient.dossier_id == dossier.id).limit(1)) or secrets.token_hex(16)
    digest = _hash(salt, plain(found))
    if session.get(NotOfClient, (dossier.id, digest)) is None:
        session.add(NotOfClient(dossier_id=dossier.id, sha256=digest, salt=salt))
        session.flush()


def once(found: Iterable[Found]) -> list[Found]:
    """What is said more than once, only where it stands first."""
    first: dict[str, Found] = {}
    for one in found:
        first.setdefault(plain(one), one)
    return list(first.values())


def plain(found: Found) -> str:
    """The words as they are compared: the same whatever the capitals and spaces."""
    return " ".join(found.excerpt.casefold().split())


def _hash(salt: str, words: str) -> str:
    return hashlib.sha256(f"{salt}:{words}".encode()).hexdigest()


def _places(contents: Contents, section: Section) -> Iterator[Place]:
    """A field that a browser fills in by itself asks for the candidate's own data."""
    for question in contents.visible[section.id]:
        answer = contents.answer(section.id, question.id)
        if question.type in TEXTS and isinstance(answer, str) and not question.settings.get("autocomplete"):
            yield Place(section, question, answer)
        elif question.type == "table" and isinstance(answer, list):
            fields = [question_types.question(one) for one in question.settings["fields"] if one["type"] in TEXTS]
            for row in answer:
                for field in fields:
                    if isinstance(row, Mapping) and isinstance(text := row.get(field.id), str):
                        yield Place(section, question, text, str(row["row"]), field)


def _known(contents: Contents, office_email: str) -> Known:
    """The candidate, the supervisors and mentors, the office."""
    owner = contents.dossier.owner
    asked = select(Mentorship).where(Mentorship.dossier_id == contents.dossier.id).options(joinedload(Mentorship.mentor))
    mentors = session.scalars(asked).all()
    accounts = [owner, *(one.mentor for one in mentors if one.mentor is not None)]
    filled: dict[str, list[str]] = {"name": [], "tel": []}
    for section, question in contents.shown():
        answer, kind = contents.answer(section.id, question.id), question.settings.get("autocomplete", "")
        if kind in filled and isinstance(answer, str):
            filled[kind].append(answer)
    supervisors = [one for one in contents.statements if statements.settings_of(one).kind == "supervisor"]
    people = [(one.name, one.email) for ones in (accounts, supervisors, mentors) for one in ones]
    return Known(
        names=[*filled["name"], *(name for name, _ in people)],
        emails=[office_email, *(email for _, email in people)],
        phones=filled["tel"],
    )
