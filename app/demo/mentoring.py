"""The demo's mentor: he accepted the candidate's invitation and wrote comments, one of which she dealt with."""

from sqlalchemy import select

from app import audit
from app.accounts.models import Account
from app.config import Settings
from app.demo.people import MENTOR
from app.dossiers import mentors
from app.dossiers.models import Dossier
from app.extensions import session, transaction

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
        mentor = session.scalars(select(Account).where(Account.email == MENTOR.email)).one()
        mentorship = mentors.invite(dossier, name=MENTOR.name, email=MENTOR.email, language="nl", settings=settings)
        audit.write("mentorship.invited", actor=dossier.owner, thing=dossier, mentorship=mentorship.id)
        mentors.accept(mentorship, mentor)
        audit.write("mentorship.accepted", actor=mentor, thing=dossier, mentorship=mentorship.id)
        for place, (section_id, text) in enumerate(COMMENTS):
            audit.write(mentors.VIEWED, actor=mentor, thing=dossier, mentorship=mentorship.id, section=section_id)
            comment = mentors.comment(mentorship, section_id, text)
            mentors.mark(comment, done=place == DONE)
