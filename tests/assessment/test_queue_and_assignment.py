"""Bundles come into the queue once; nobody judges himself or a person whom he supervised."""

from datetime import timedelta

import pytest
from small_world import World
from sqlalchemy import func, select, update
from together import together

from app.accounts import registration
from app.accounts.models import Account, EmailChange
from app.assessment import admission, assignment, letters, overview, queue
from app.assessment.models import Admission, Assessment, Assignment, HandOver
from app.assessment.overview import Filter
from app.documents.models import Bundle
from app.dossiers import invitations, lifecycle, statements
from app.dossiers.models import Dossier, DossierEvent, Snapshot, Statement
from app.errors import Conflict, InvalidInput
from app.extensions import now, session, transaction
from app.mail import Mail


def sealed(world: World, dossier: Dossier, revision: int = 1) -> Bundle:
    """A bundle row, without the documents behind it."""
    with transaction():
        session.execute(update(Dossier).where(Dossier.id == dossier.id).values(stage="submitted"))
        snapshot = Snapshot(
            dossier_id=dossier.id, revision=revision, sha256=f"{dossier.id}{revision}" * 32, content="{}", stage="sealed"
        )
        session.add(snapshot)
        session.flush()
        bundle = Bundle(
            snapshot_id=snapshot.id, zip_sha256="0" * 64, zip_size=1, pdf_sha256="1" * 64, docx_sha256="2" * 64, pages=3,
            seal_sha256="3" * 64,
        )  # fmt: skip
        session.add(bundle)
    return bundle


def hand_over(bundle: Bundle) -> Assessment:
    """In the queue, and admitted."""
    with transaction():
        assessment = queue.hand_over(bundle)
        office = session.scalars(select(Account).where(Account.name == "De Balie")).one_or_none() or registration.create(
            email="balie@voorbeeld.nl", name="De Balie", password_hash="-", language="nl", roles=("office",), confirmed=True
        )
        if admission.of_snapshot(bundle.snapshot) is None:
            session.add(Admission(snapshot_id=bundle.snapshot_id, outcome="admitted", by_id=office.id))
        return assessment


def count(kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


@pytest.fixture
def assessor(world: World) -> Account:
    return world.account("As Sessor", "assessor")


def assign(assessment: Assessment, assessor: Account, by: Account | None = None) -> Assignment:
    with transaction():
        return assignment.assign(assessment, assessor, by=by)


# --- the queue -----------------------------------------------------------------------------------------------------


def test_r35_hand_over_ten_times_is_one_item(world: World, dossier: Dossier) -> None:
    bundle = sealed(world, dossier)
    assert len({hand_over(bundle).id for _ in range(10)}) == 1
    assert (count(Assessment), count(HandOver)) == (1, 1)
    snapshot = bundle.snapshot
    assert (snapshot.stage, snapshot.percent, snapshot.step) == ("handed_over", 100, "")
    assert session.scalars(select(DossierEvent.kind)).all() == ["created", "handed_over"]


def test_r35_hand_over_from_four_threads_is_one_item(world: World, dossier: Dossier) -> None:
    bundle_id = sealed(world, dossier).id
    session.rollback()

    def run() -> None:
        with transaction():
            queue.hand_over(session.get_one(Bundle, bundle_id))

    together(*[run] * 4)
    assert (count(Assessment), count(HandOver)) == (1, 1)


def test_later_revision_joins_the_same_assessment_newest_first(world: World, dossier: Dossier) -> None:
    first, second = sealed(world, dossier), sealed(world, dossier, 2)
    assert hand_over(first).id == hand_over(second).id
    assessment = session.scalars(select(Assessment)).one()
    assert [one.bundle.snapshot.revision for one in queue.bundles(assessment)] == [2, 1]


def test_an_assessor_has_what_is_assigned_to_him_now(world: World, dossier: Dossier, assessor: Account) -> None:
    one = hand_over(sealed(world, dossier))
    two = hand_over(sealed(world, world.dossier(world.account("Piet Post"))))
    ended = assign(one, assessor)
    assign(one, world.account("Twee Sessor", "assessor"))
    assign(two, assessor)
    with transaction():
        assignment.end(ended)
    assert sorted((row.assessment_id, row.assessors) for row in overview.dossiers(Filter())) == [(one.id, 1), (two.id, 1)]
    assert [one.assessment_id for one in queue.assigned_to(assessor)] == [two.id]


# --- assigning -----------------------------------------------------------------------------------------------------


def test_assign_moves_the_dossier_on_and_mails_once(world: World, dossier: Dossier, assessor: Account) -> None:
    assessment, office = hand_over(sealed(world, dossier)), world.account("Of Fice", "office")
    made = assign(assessment, assessor, office)
    assert (made.assessor_id, made.assigned_by_id, made.ended_at) == (assessor.id, office.id, None)
    assert dossier.stage == "in_assessment"
    with pytest.raises(Conflict) as refusal:
        assign(assessment, assessor, office)
    assert refusal.value.text["nl"] == "As Sessor beoordeelt dit dossier al."
    mail = session.scalars(select(Mail)).one()
    assert (mail.to, mail.template, mail.data) == (
        "as.sessor@voorbeeld.nl",
        "assignment",
        {"name": "As Sessor", "dossier": dossier.reference, "link": f"/beoordelen/{assessment.id}"},
    )


def test_taking_an_assessor_off_is_told_once(world: World, dossier: Dossier, assessor: Account) -> None:
    made = assign(hand_over(sealed(world, dossier)), assessor)
    for expected in (True, False, False):
        with transaction():
            assert assignment.take_off(made) is expected
    mail = session.scalars(select(Mail).where(Mail.template == "assignment_ended")).one()
    data = {"name": "As Sessor", "dossier": dossier.reference, "link": "/beoordelen"}
    assert (mail.to, mail.data) == ("as.sessor@voorbeeld.nl", data)


def test_assign_again_after_it_ended(world: World, dossier: Dossier, assessor: Account) -> None:
    assessment = hand_over(sealed(world, dossier))
    first = assign(assessment, assessor)
    with transaction():
        assignment.end(first)
    ended_at = first.ended_at
    with transaction():
        assignment.end(first)
    assert first.ended_at == ended_at
    assert assign(assessment, assessor).id != first.id
    assert len(session.scalars(select(Mail)).all()) == 2


def test_assign_refuses_who_is_no_assessor_or_is_disabled(world: World, dossier: Dossier, assessor: Account) -> None:
    assessment = hand_over(sealed(world, dossier))
    with transaction():
        assessor.disabled_at = now()
    for person in (world.account("Of Fice", "office"), world.account("Kan Didaat"), assessor):
        with pytest.raises(InvalidInput) as refusal:
            assign(assessment, person)
        assert refusal.value.text["nl"] == f"{person.name} is geen beoordelaar."
    assert (count(Assignment), dossier.stage) == (0, "submitted")


@pytest.mark.parametrize("stage", ["draft", "returned", "decided", "withdrawn"])
def test_assign_refuses_a_dossier_that_is_not_there_to_be_judged(
    world: World, dossier: Dossier, assessor: Account, stage: str
) -> None:
    assessment = hand_over(sealed(world, dossier))
    with transaction():
        session.execute(update(Dossier).values(stage=stage))
    with pytest.raises(Conflict):
        assign(assessment, assessor)
    assert count(Assignment) == 0


def test_nobody_judges_his_own_dossier(world: World) -> None:
    both = world.account("Twee Rollen", "candidate", "assessor")
    assessment = hand_over(sealed(world, world.dossier(both)))
    with pytest.raises(InvalidInput) as refusal:
        assign(assessment, both)
    assert refusal.value.text["nl"] == "Niemand beoordeelt zijn eigen dossier."


@pytest.mark.parametrize(
    ("happened", "conflict"),
    [("invited", True), ("signed", True), ("declined", True), ("signed and revoked", True), ("revoked unsigned", False)],
)
def test_nobody_judges_a_person_whom_he_supervised(
    world: World, dossier: Dossier, assessor: Account, happened: str, conflict: bool
) -> None:
    statement, _ = world.invite(dossier, assessor.email.upper())
    if happened.startswith("signed"):
        world.sign(statement)
    if "revoked" in happened:
        with transaction():
            invitations.revoke(statement)
    if happened == "declined":
        with transaction():
            statements.decline(statement, "", address="", user_agent="")
    other = world.account("An Der", "assessor")
    assert (assignment.conflict_of(assessor, dossier) is not None) is conflict
    assert assignment.conflict_of(other, dossier) is None
    assessment = hand_over(sealed(world, dossier))
    if conflict:
        with pytest.raises(InvalidInput) as refusal:
            assign(assessment, assessor)
        assert refusal.value.text["nl"] == (
            "As Sessor is gevraagd om een verklaring over deze kandidaat en kan het dossier niet beoordelen."
        )
    assign(assessment, other)


def test_supervision_counts_in_every_dossier_of_the_same_person(world: World, dossier: Dossier, assessor: Account) -> None:
    world.invite(dossier, assessor.email)
    with transaction():
        lifecycle.advance(dossier, "withdrawn")
    later = world.dossier(dossier.owner)
    of_another = world.dossier(world.account("Piet Post"))
    assert assignment.conflict_of(assessor, later) is not None
    assert assignment.conflict_of(assessor, of_another) is None


# --- mails that go again -------------------------------------------------------------------------------------------


def all_sent(dossier: Dossier) -> list[Mail]:
    with transaction():
        session.execute(update(Mail).values(stage="sent", sent_at=now()))
    return list(letters.of_dossier(dossier))


def test_mail_of_an_assignment_goes_again_to_the_address_of_today_until_it_ends(
    world: World, dossier: Dossier, assessor: Account
) -> None:
    given = assign(hand_over(sealed(world, dossier)), assessor)
    letter = next(one for one in all_sent(dossier) if one.template == "assignment")
    with transaction():
        session.add(
            EmailChange(
                account_id=assessor.id, old_email=assessor.email, new_email="nieuw@voorbeeld.nl", old_sha256="1" * 64,
                new_sha256="2" * 64, created_at=now(), expires_at=now() + timedelta(hours=1), old_agreed_at=now(),
                new_agreed_at=now(), ended_at=now(),
            )
        )  # fmt: skip
        assessor.email = "nieuw@voorbeeld.nl"
    assert world.account("As Sessor").email == letter.to  # somebody else has the old address now
    with transaction():
        assert letters.send_again(dossier, letter.id, times=0, settings=world.settings) == "nieuw@voorbeeld.nl"
    with transaction():
        assignment.end(given)
    with pytest.raises(Conflict), transaction():
        letters.send_again(dossier, letter.id, times=1, settings=world.settings)
    assert letter.id not in letters.can_go_again(dossier, all_sent(dossier))


def test_of_two_candidates_of_one_name_each_dossier_shows_its_own_invitations(world: World) -> None:
    dossiers = [world.dossier(world.account(name)) for name in ("Jan Jansen", "Een Ander")]
    with transaction():
        dossiers[1].owner.name = "Jan Jansen"
        for dossier in dossiers:
            statement = Statement(
                dossier_id=dossier.id, section_id="closing", question_id="supervisor", place=0, name="Su Per", language="nl",
                email="super@voorbeeld.nl", token_sha256=str(dossier.id) * 64, token_expires_at=now() + timedelta(days=9),
            )  # fmt: skip
            session.add(statement)
            session.flush()
            invitations.remind(statement, world.settings)
    first, second = (all_sent(dossier) for dossier in dossiers)
    assert (len(first), len(second)) == (1, 1)
    assert first[0].id != second[0].id
    assert letters.can_go_again(dossiers[0], first) == {first[0].id}
    with transaction():
        letters.send_again(dossiers[0], first[0].id, times=1, settings=world.settings)
    assert [len(letters.of_dossier(dossier)) for dossier in dossiers] == [2, 1]
