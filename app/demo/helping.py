"""Who helps with a dossier of the demo: the supervisor, the clients and the mentor, each as a mailed link leads them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app import audit
from app.config import Settings
from app.demo import telling
from app.demo.deciding import FROM, account
from app.demo.holding import first_day
from app.demo.people import MENTOR, SUPERVISOR
from app.dossiers import contents, invitations, mentors, statements, submission
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, Statement
from app.errors import InvalidInput
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation

STATEMENT = ("supervisor", "statement")
CLIENTS = ("satisfaction", "clients")
COMMENTS = (
    (
        "practice",
        "Mooi hoe u uitlegt dat het wennen was. Noem ook één voorbeeld van wat u nu anders doet dan bij het uitzendbureau.",
    ),
    (
        "development_report",
        "U schrijft wat uw doelen waren. Hoe weet u dat u ze hebt bereikt?\nGeef één voorbeeld van zo’n gesprek.",
    ),
    ("development_report", "In de eerste alinea staat twee keer “steviger”."),
)
DONE = 2  # the place of the comment that was dealt with


def read_along(dossier_id: int, settings: Settings) -> None:
    """Nothing happens when he was asked already."""
    with transaction():
        dossier = session.get_one(Dossier, dossier_id)
        if mentors.all_of(dossier):
            return
        mentor = account(MENTOR)
        mentorship = mentors.invite(dossier, name=MENTOR.name, email=MENTOR.email, language="nl", settings=settings)
        audit.write("mentorship.invited", actor=dossier.owner, thing=dossier, mentorship=mentorship.id)
        mentors.accept(mentorship, mentor)
        audit.write("mentorship.accepted", actor=mentor, thing=dossier, mentorship=mentorship.id)
        for place, (section_id, text) in enumerate(COMMENTS):
            audit.write(mentors.VIEWED, actor=mentor, thing=dossier, mentorship=mentorship.id, section=section_id)
            comment = mentors.comment(mentorship, section_id, text)
            mentors.mark(comment, done=place == DONE)


def invite_supervisor(dossier_id: int, settings: Settings) -> None:
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        if read.statement(*STATEMENT) is None:
            invitations.invite(read, *STATEMENT, name=SUPERVISOR.name, email=SUPERVISOR.email, language="nl", settings=settings)


def give_statement(installation: Installation, dossier_id: int) -> None:
    """The supervisor opens the mailed link, reads, fills the form in and signs."""
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        statement = read.statement(*STATEMENT)
        if statement is None or statement.stage != "invited":
            return
        opened = statements.by_link(_mailed_token(statement, installation.settings))
        secret = statements.open_session(opened, **FROM)
        statements.note_read(opened, read, **FROM)
    with transaction():
        statement = statements.by_session(secret)
        typed = telling.as_typed(telling.read("dossiers/senay_statement"), first_day(statement.dossier))
        typed["sessions"] = [{**row, "row": f"row{number}"} for number, row in enumerate(typed["sessions"], start=1)]
        statements.save(statement, typed, statement.version)
    with transaction():
        statement = statements.by_session(secret)
        faults = statements.problems(statement, installation.catalogue.types, submission.today())
        if faults:
            raise InvalidInput(faults[0][1].text, question=faults[0][0])
        statements.sign(statement, contents.read(statement.dossier), typed_name=SUPERVISOR.name, **FROM)


def ask_clients(installation: Installation, dossier_id: int) -> None:
    """Five clients are asked at once; each opens the mailed link, answers and sends."""
    told = telling.read("dossiers/senay_clients")["clients"]
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        if read.dossier.stage not in OPEN_STAGES:
            return
        if read.statement(*CLIENTS) is None:
            people = [invitations.Person(one["name"], one["email"], "nl") for one in told]
            invitations.invite_all(read, *CLIENTS, people, installation.settings)
    for one in told:
        _answer_as_client(installation, dossier_id, one)


def _answer_as_client(installation: Installation, dossier_id: int, told: Mapping[str, Any]) -> None:
    with transaction():
        read = contents.read(session.get_one(Dossier, dossier_id))
        asked = next((one for one in read.statements if one.email == told["email"] and one.stage == "invited"), None)
        if asked is None:
            return
        opened = statements.by_link(_mailed_token(asked, installation.settings))
        secret = statements.open_session(opened, **FROM)
    with transaction():
        statement = statements.by_session(secret)
        typed = {**told["answers"], "good": told["good"], "better": told["better"]}
        statements.save(statement, typed, statement.version)
        faults = statements.problems(statement, installation.catalogue.types, submission.today())
        if faults:
            raise InvalidInput(faults[0][1].text, question=faults[0][0])
        statements.sign(statement, contents.read(statement.dossier), typed_name="", **FROM)


def _mailed_token(statement: Statement, settings: Settings) -> str:
    """What stands in the newest link that was mailed; a sent mail no longer holds it, so then a new one goes out."""
    link = _newest_link(statement)
    if not link:
        invitations.remind(statement, settings)
        link = _newest_link(statement)
    return link.rpartition("/")[2]


def _newest_link(statement: Statement) -> str:
    letters = session.scalars(
        select(Mail)
        .where(
            Mail.to == statement.email,
            Mail.template.in_([statements.letter(statement, kind) for kind in ("invitation", "reminder")]),
        )
        .order_by(Mail.id.desc())
    )
    own = next((letter for letter in letters if letter.data["candidate"] == statement.dossier.owner.name), None)
    return str(own.data.get("link", "")) if own else ""
