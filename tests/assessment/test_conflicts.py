"""Rule 7 from both sides: who may not judge whom, and who may not be asked to help whom whom he judges."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from small_world import World, open_world, write_scheme
from sqlalchemy import event, update

from app.accounts.models import Account, EmailChange
from app.accounts.same_person import mailbox, plain_name
from app.assessment import assignment, conflicts
from app.assessment.models import Assessment
from app.config import Settings
from app.dossiers import answers, contents, invitations, statements
from app.dossiers.models import DOSSIER_STAGES, Dossier, Mentorship, Statement
from app.errors import InvalidInput
from app.extensions import now, session, transaction
from app.schemes import loader


@pytest.fixture
def world(tmp_path: Path, small_scheme: Settings, empty_database: Path) -> Iterator[World]:
    """The scheme asks for a mentor's name in its first question."""
    scheme = write_scheme(tmp_path / "templates") / "small" / "1" / "scheme.yaml"
    scheme.write_text(scheme.read_text().replace("validity_years", "mentor: practice.name\nvalidity_years", 1))
    settings = replace(small_scheme, templates_dir=tmp_path / "templates", instance=tmp_path / "instance")
    yield from open_world(settings, loader.load_all(settings), empty_database)


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


@pytest.fixture
def assessor(world: World) -> Account:
    return world.account("As Sessor", "assessor")


def mentor(
    dossier: Dossier, *, email: str, account: Account | None = None, ended: bool = False, name: str = "Men Tor"
) -> Mentorship:
    """A mentorship as it may stand in the database; accepted when there is an account."""
    with transaction():
        made = Mentorship(
            dossier_id=dossier.id,
            name=name,
            email=email,
            language="nl",
            mentor_id=account.id if account else None,
            accepted_at=now() if account else None,
            ended_at=now() if ended else None,
            token_sha256=f"{dossier.id}{email}"[:64].ljust(64),
            token_expires_at=now(),
        )
        session.add(made)
    return made


def moved(account: Account, old: str, new: str, *, agreed: bool = True) -> None:
    """The account's wish to leave one address for another, done when both agreed."""
    with transaction():
        moment = now()
        session.add(
            EmailChange(
                account_id=account.id,
                old_email=old,
                new_email=new,
                old_sha256=f"{old}{new}"[:64],
                new_sha256=f"{new}{old}"[:64],
                old_agreed_at=moment if agreed else None,
                new_agreed_at=moment if agreed else None,
                created_at=moment,
                expires_at=moment + timedelta(hours=1),
                ended_at=moment if agreed else None,
            )
        )
        if agreed:
            session.execute(update(Account).where(Account.id == account.id).values(email=new))


def sign(world: World, statement: Statement) -> None:
    world.sign(statement)


# --- who may not judge ---------------------------------------------------------------------------------------------

SUPERVISOR = "is gevraagd om een verklaring over deze kandidaat"
MENTOR = "is of was mentor van deze kandidaat"
SIGNED = "Iemand met de naam As Sessor gaf een verklaring over deze kandidaat"
MENTOR_NAMED = "De kandidaat noemt als mentor iemand met de naam As Sessor"
ANSWERS = {
    "named in the answers": ["As  SÉssor "],
    "named in the answers among other words": ["Mevr. drs. As Sessor, RL (praktijk Wijs)"],
    "named in the answers until he was replaced": ["As Sessor", "Iemand Anders", ""],
    "named in the answers by his address": ["A.S. <As.Sessor+mentor@voorbeeld.nl>"],
    "named in the answers as part of another name": ["Kas Sessora", "As", "Sessor"],
}
RELATIONS: dict[str, str] = {
    "stranger": "",
    "invited as supervisor": SUPERVISOR,
    "signed as supervisor": SUPERVISOR,
    "declined as supervisor": SUPERVISOR,
    "revoked after signing": SUPERVISOR,
    "revoked unopened": "",
    "revoked after opening": SUPERVISOR,
    "revoked after reading": SUPERVISOR,
    "supervisor under a tagged address": SUPERVISOR,
    "supervisor under a former address": SUPERVISOR,
    "supervisor under a new address": SUPERVISOR,
    "supervisor under an address never confirmed": "",
    "signed under his name from elsewhere": SIGNED,
    "invited under his name from elsewhere": "",
    "invited as mentor": "",
    "declined as mentor": "",
    "mentor": MENTOR,
    "mentor that ended": MENTOR,
    "mentor from another account": MENTOR,
    "mentor under a former address": MENTOR,
    "mentor of his name from elsewhere": MENTOR_NAMED,
    "named in the answers": MENTOR_NAMED,
    "named in the answers among other words": MENTOR_NAMED,
    "named in the answers until he was replaced": MENTOR_NAMED,
    "named in the answers by his address": MENTOR,
    "named in the answers as part of another name": "",
}


def relate(world: World, relation: str, assessor: Account, dossier: Dossier) -> None:
    own, other = assessor.email, "elders@voorbeeld.nl"
    if relation.endswith("supervisor"):
        statement, _ = world.invite(dossier, own)
        if relation.startswith("signed"):
            sign(world, statement)
        if relation.startswith("declined"):
            with transaction():
                statements.decline(statement, "", address="", user_agent="")
    elif relation.startswith("revoked"):
        statement, _ = world.invite(dossier, own)
        if relation == "revoked after signing":
            sign(world, statement)
        with transaction():
            if relation == "revoked after opening":
                statements.open_session(statement, address="", user_agent="")
            if relation == "revoked after reading":
                statements.note_read(statement, contents.read(statement.dossier), address="", user_agent="")
            invitations.revoke(statement)
    elif relation == "supervisor under a tagged address":
        world.invite(dossier, own.replace("@", "+cmi@"))
    elif relation == "supervisor under a former address":
        moved(assessor, own, other)
        world.invite(dossier, own)
    elif relation == "supervisor under a new address":
        world.invite(dossier, other)
        moved(assessor, own, other)
    elif relation == "supervisor under an address never confirmed":
        moved(assessor, own, other, agreed=False)
        world.invite(dossier, other)
    elif relation.endswith("under his name from elsewhere"):
        statement, _ = world.invite(dossier, other, name="As  SÉssor")
        if relation.startswith("signed"):
            sign(world, statement)
    elif relation in ("invited as mentor", "declined as mentor"):
        mentor(dossier, email=own, ended=relation.startswith("declined"))
    elif relation in ("mentor", "mentor that ended"):
        mentor(dossier, email=other, account=assessor, ended=relation.endswith("ended"))
    elif relation == "mentor from another account":
        mentor(dossier, email=own, account=world.account("Men Tor", "mentor"))
    elif relation == "mentor of his name from elsewhere":
        mentor(dossier, email=other, account=world.account("Men Tor", "mentor"), name="As Sessor")
    elif relation in ANSWERS:
        for version, text in enumerate(ANSWERS[relation]):
            with transaction():
                answers.save_section(dossier, "practice", {"name": text}, version)
    elif relation == "mentor under a former address":
        mentor(dossier, email=own, account=world.account("Men Tor", "mentor"))
        moved(assessor, own, other)


@pytest.mark.parametrize("relation", RELATIONS)
def test_r7_who_helped_a_candidate_never_judges_him_whatever_the_stage(
    world: World, dossier: Dossier, assessor: Account, relation: str
) -> None:
    relate(world, relation, assessor, dossier)
    with transaction():
        session.execute(update(Dossier).values(stage="withdrawn"))
    later, stranger = world.dossier(dossier.owner), world.dossier(world.account("Piet Post"))
    expected = RELATIONS[relation]
    for stage, judged in product(DOSSIER_STAGES, (dossier, later)):
        with transaction():
            session.execute(update(Dossier).values(stage=stage))
        found = conflicts.conflict_of(assessor, judged)
        assert (expected in found["nl"] if found else "") == bool(expected) if expected else found is None, (stage, found)
        assert conflicts.conflict_of(assessor, stranger) is None
    assert found is None or found["en"] != found["nl"]


def test_r7_nobody_judges_his_own_dossier_also_when_he_is_asked_with_others(world: World, dossier: Dossier) -> None:
    assert conflicts.conflicts_of([dossier.owner], dossier)[dossier.owner_id]["nl"] == "Niemand beoordeelt zijn eigen dossier."


@contextmanager
def counted() -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_conflicts_of_many_takes_as_many_queries_as_of_one(world: World, dossier: Dossier, assessor: Account) -> None:
    people = [assessor, *(world.account(f"An Der {number}", "assessor") for number in "abcde")]
    world.invite(dossier, people[1].email)
    mentor(dossier, email="x@voorbeeld.nl", account=people[2])
    assert dossier.owner_id
    assert [one.id for one in people]
    taken = []
    for asked in (people[:1], people):
        with counted() as statements_sent:
            found = conflicts.conflicts_of(asked, dossier)
        taken.append(len(statements_sent))
    assert taken == [6, 6]
    assert sorted(found) == sorted([people[1].id, people[2].id])
    assert {one.id: conflicts.conflict_of(one, dossier) for one in people if conflicts.conflict_of(one, dossier)} == found


def test_an_assessor_and_the_office_read_who_mentored_a_candidate_each_once(world: World, dossier: Dossier) -> None:
    with transaction():
        answers.save_section(dossier, "practice", {"name": "drs. men tor (RL)"}, 0)
        session.execute(update(Dossier).values(stage="withdrawn"))
    later = world.dossier(dossier.owner)
    with transaction():
        answers.save_section(later, "practice", {"name": "Karin van Dam"}, 0)
        answers.save_section(later, "practice", {"name": "Karin van Dam, Utrecht"}, 1)
    mentor(dossier, email="x@voorbeeld.nl", account=world.account("Men Tor", "mentor"))
    assert assignment.people_around(dossier) == {"supervisors": [], "mentors": ["Karin van Dam, Utrecht", "Men Tor"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Els+cmi@Praktijk.example", "els@praktijk.example"), ("els@praktijk.example", "els@praktijk.example"),
     ("+els@praktijk.example", "+els@praktijk.example")],
)  # fmt: skip
def test_one_mailbox_has_many_addresses(one: str, other: str) -> None:
    assert mailbox(one) == mailbox(other)


def test_names_are_compared_without_accents_case_and_full_stops() -> None:
    assert plain_name(" Şenay  Ł. de Vriés") == plain_name("senay ł de vries")
    assert plain_name("Jan Bos") != plain_name("Jan Bosch")


# --- who may not help ----------------------------------------------------------------------------------------------


def assigned(world: World, dossier: Dossier, assessor: Account) -> int:
    with transaction():
        session.execute(update(Dossier).where(Dossier.id == dossier.id).values(stage="in_assessment"))
        assessment = Assessment(dossier_id=dossier.id)
        session.add(assessment)
        session.flush()
        made = assignment.assign(assessment, assessor, by=None).id
        session.execute(update(Dossier).where(Dossier.id == dossier.id).values(stage="returned"))
    return made


@pytest.mark.parametrize("known_by", ["address", "tagged address", "former address", "account"])
def test_r7_who_judges_a_candidate_now_cannot_be_asked_to_help_him(
    world: World, dossier: Dossier, assessor: Account, known_by: str
) -> None:
    assigned(world, dossier, assessor)
    email = assessor.email
    if known_by == "former address":
        moved(assessor, email, "elders@voorbeeld.nl")
    if known_by == "tagged address":
        email = email.replace("@", "+x@")
    asked: dict[str, Any] = {"account": assessor} if known_by == "account" else {"email": email}
    with pytest.raises(InvalidInput) as refusal:
        conflicts.refuse_judge(dossier, **asked)
    assert refusal.value.text["nl"].startswith("Deze persoon is aangewezen om een dossier van de kandidaat te beoordelen.")
    conflicts.refuse_judge(dossier, email="els@praktijk.example")
    conflicts.refuse_judge(world.dossier(world.account("Piet Post")), **asked)


def test_who_judged_and_stopped_may_be_asked(world: World, dossier: Dossier, assessor: Account) -> None:
    made = assigned(world, dossier, assessor)
    with transaction():
        assignment.end(session.get_one(assignment.Assignment, made))
    conflicts.refuse_judge(dossier, email=assessor.email, account=assessor)
