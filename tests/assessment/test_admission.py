"""Admission: entry requirements checked one by one, admitted or returned with findings; a new revision is checked anew."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from small_world import World
from sqlalchemy import func, select
from together import together

from app import pipeline
from app.accounts.models import Account
from app.assessment import admission, assignment, queue
from app.assessment.admission import Finding
from app.assessment.models import Admission, Assessment, RequirementCheck
from app.documents.models import Bundle
from app.dossiers import deadlines, invitations, lifecycle, submission
from app.dossiers.models import Dossier, DossierEvent, Extension, Snapshot
from app.errors import Conflict, InvalidInput
from app.extensions import session, transaction
from app.mail import Mail
from app.schemes import models as stored_templates

MET = {"known": ("met", ""), "agreed": ("met", "")}
FINDING = Finding("Vul uw naam aan zoals die op uw certificaat staat.", "known", "practice")


@pytest.fixture
def dossier(world: World) -> Dossier:
    dossier = world.dossier()
    world.fill(dossier)
    return dossier


@pytest.fixture
def office(world: World) -> Account:
    return world.account("Of Fice", "office")


def seal(snapshot: Snapshot) -> Bundle:
    """What the pipeline does, without the documents."""
    with transaction():
        bundle = Bundle(
            snapshot_id=snapshot.id, zip_sha256="0" * 64, zip_size=1, pdf_sha256="1" * 64, docx_sha256="2" * 64, pages=3,
            seal_sha256="3" * 64,
        )  # fmt: skip
        session.add(bundle)
        lifecycle.advance(snapshot, "sealed")
    return bundle


def hand_over(snapshot: Snapshot) -> Assessment:
    bundle = seal(snapshot)
    with transaction():
        return queue.hand_over(bundle)


def give_back(world: World, snapshot: Snapshot, by: Account, *findings: Finding, days: int = 28) -> Admission:
    with transaction():
        until = submission.today() + timedelta(days=days)
        return admission.return_to_candidate(snapshot, findings or (FINDING,), by=by, until=until, catalogue=world.catalogue)


def count(kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


# --- checking ------------------------------------------------------------------------------------------------------


def test_checks_are_kept_one_by_one_with_who_and_when(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    with transaction():
        admission.record_checks(
            snapshot,
            {"known": ("not_met", " Geen nummer. "), "agreed": ("open", "")},
            seen={},
            by=office,
            catalogue=world.catalogue,
        )
    (row,) = session.scalars(select(RequirementCheck)).all()
    assert (row.requirement_id, row.state, row.note, row.by_id) == ("known", "not_met", "Geen nummer.", office.id)


def test_checks_of_two_colleagues_are_both_kept_and_a_crossing_is_told(world: World, dossier: Dossier, office: Account) -> None:
    snapshot, other = world.submit(dossier), world.account("Col Lega", "office")
    untouched = ("open", "")
    with transaction():
        admission.record_checks(
            snapshot, {"known": ("met", "Nummer 12"), "agreed": untouched}, seen={}, by=office, catalogue=world.catalogue
        )
    with transaction():  # another requirement, from a form that was opened before
        admission.record_checks(
            snapshot, {"known": untouched, "agreed": ("met", "")}, seen={}, by=other, catalogue=world.catalogue
        )
    assert {key: (row.state, row.note, row.by_id) for key, row in admission.checks_of(snapshot).items()} == {
        "known": ("met", "Nummer 12", office.id),
        "agreed": ("met", "", other.id),
    }
    with pytest.raises(Conflict) as refusal, transaction():
        admission.record_checks(snapshot, {"known": ("not_met", "Nummer 13")}, seen={}, by=other, catalogue=world.catalogue)
    assert refusal.value.details == {"requirements": ["known"]}
    assert admission.checks_of(snapshot)["known"].note == "Nummer 12"
    with transaction():  # having seen it, he may change it
        admission.record_checks(
            snapshot,
            {"known": ("not_met", "Nummer 13")},
            seen={"known": ("met", "Nummer 12")},
            by=other,
            catalogue=world.catalogue,
        )
    assert admission.checks_of(snapshot)["known"].note == "Nummer 13"


def test_checks_of_unknown_requirements_or_states_are_refused(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    for typed in ({"stranger": ("met", "")}, {"known": ("fine", "")}):
        with pytest.raises(InvalidInput), transaction():
            admission.record_checks(snapshot, typed, seen={}, by=office, catalogue=world.catalogue)
    assert count(RequirementCheck) == 0


# --- admitting -----------------------------------------------------------------------------------------------------


def test_admit_asks_for_every_requirement_and_for_the_documents(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    with transaction():
        admission.record_checks(
            snapshot, {"known": ("met", ""), "agreed": ("not_met", "")}, seen={}, by=office, catalogue=world.catalogue
        )
    with pytest.raises(Conflict), transaction():
        admission.admit(snapshot, by=office, catalogue=world.catalogue)
    hand_over(snapshot)
    with pytest.raises(InvalidInput) as refusal, transaction():
        admission.admit(snapshot, by=office, catalogue=world.catalogue)
    assert refusal.value.details == {"requirements": ["agreed"]}
    with transaction():
        admission.record_checks(
            snapshot, {"agreed": ("met", "")}, seen={"agreed": ("not_met", "")}, by=office, catalogue=world.catalogue
        )
        made = admission.admit(snapshot, by=office, note="In orde", catalogue=world.catalogue)
    assert (made.outcome, made.by_id, made.note, made.findings) == ("admitted", office.id, "In orde", [])
    assert admission.is_admitted(dossier)
    with pytest.raises(Conflict), transaction():
        admission.admit(snapshot, by=office, catalogue=world.catalogue)
    assert count(Admission) == 1


def test_nobody_is_assigned_before_the_dossier_is_admitted(world: World, dossier: Dossier, office: Account) -> None:
    snapshot, assessor = world.submit(dossier), world.account("As Sessor", "assessor")
    assessment = hand_over(snapshot)
    with pytest.raises(Conflict) as refusal, transaction():
        assignment.assign(assessment, assessor, by=office)
    assert refusal.value.text["nl"] == "Dit dossier is nog niet toegelaten. Controleer eerst de toelatingseisen."
    world.admit(snapshot, office)
    with transaction():
        assignment.assign(assessment, assessor, by=office)
    assert dossier.stage == "in_assessment"


# --- dossiers from before there were entry requirements --------------------------------------------------------------


def without_requirements(dossier: Dossier, **changes: str) -> None:
    """Gives it a template as it was stored before these existed."""
    template = stored_templates.get(dossier.template_sha256)
    with transaction():
        older = replace(template, entry_requirements=(), **changes)
        dossier.template_sha256 = stored_templates.store(older).sha256


def test_a_dossier_from_before_there_were_requirements_is_checked_against_those_of_its_scheme(
    world: World, dossier: Dossier, office: Account
) -> None:
    without_requirements(dossier)
    snapshot = world.submit(dossier)
    hand_over(snapshot)
    assert [one.id for one in admission.requirements_of(dossier, world.catalogue)] == ["known", "agreed"]
    with pytest.raises(InvalidInput) as refusal, transaction():
        admission.admit(snapshot, by=office, note="Gezien", catalogue=world.catalogue)
    assert refusal.value.details == {"requirements": ["known", "agreed"]}
    with transaction():
        admission.record_checks(snapshot, MET, seen={}, by=office, catalogue=world.catalogue)
        admission.admit(snapshot, by=office, catalogue=world.catalogue)
    assert admission.is_admitted(dossier)
    give_back(world, snapshot, office)  # its finding names a requirement
    assert dossier.stage == "returned"


def test_admitting_without_any_requirement_asks_for_a_note(world: World, dossier: Dossier, office: Account) -> None:
    without_requirements(dossier, version="0")  # a version that is in the catalogue no more
    snapshot = world.submit(dossier)
    hand_over(snapshot)
    assert admission.requirements_of(dossier, world.catalogue) == ()
    with pytest.raises(InvalidInput) as refusal, transaction():
        admission.admit(snapshot, by=office, note=" ", catalogue=world.catalogue)
    assert refusal.value.details == {"field": "note"}
    assert not admission.is_admitted(dossier)
    with transaction():
        made = admission.admit(snapshot, by=office, note="Certificaat 12 gezien.", catalogue=world.catalogue)
    assert (made.outcome, made.note) == ("admitted", "Certificaat 12 gezien.")


# --- returning -----------------------------------------------------------------------------------------------------


def test_return_opens_the_dossier_with_findings_and_tells_the_candidate(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    hand_over(snapshot)
    made = give_back(world, snapshot, office)
    assert (dossier.stage, made.outcome) == ("returned", "returned")
    assert made.findings == [
        {"requirement": "known", "section": "practice", "text": "Vul uw naam aan zoals die op uw certificaat staat."}
    ]
    assert admission.open_return(dossier) is made
    assert (snapshot.stage, snapshot.abandoned_at is None) == ("handed_over", False)  # it goes to no other body any more
    letter = session.scalars(select(Mail).where(Mail.template == "dossier_returned")).one()
    assert (letter.to, letter.data["until"]) == (dossier.owner.email, dossier.submit_before.isoformat())
    with pytest.raises(Conflict):
        give_back(world, snapshot, office)
    assert count(Admission) == 1


def test_a_return_gives_time_to_complete(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    with transaction():
        dossier.submit_before = submission.today() - timedelta(days=3)
    give_back(world, snapshot, office, days=14)
    assert dossier.submit_before == submission.today() + timedelta(days=14)
    (extension,) = deadlines.extensions_of(dossier)
    assert (extension.reason, extension.by_id) == ("Teruggestuurd om aan te vullen", office.id)


@pytest.mark.parametrize(
    ("findings", "days"),
    [
        ((Finding("  "),), 28),
        ((FINDING,), -1),
        ((Finding("Vul aan", requirement="stranger"),), 28),
        ((Finding("Vul aan", section="stranger"),), 28),
    ],
)
def test_return_refuses_what_the_candidate_cannot_act_on(
    world: World, dossier: Dossier, office: Account, findings: tuple[Finding, ...], days: int
) -> None:
    snapshot = world.submit(dossier)
    with pytest.raises(InvalidInput):
        give_back(world, snapshot, office, *findings, days=days)
    assert (dossier.stage, count(Admission), count(Extension)) == ("submitted", 0, 0)


def test_a_new_revision_follows_and_joins_the_same_assessment(world: World, dossier: Dossier, office: Account) -> None:
    first = world.submit(dossier)
    assessment = hand_over(first)
    give_back(world, first, office)
    world.save(dossier, "practice", name="Sanne de Vries")
    second = resubmit(world, dossier)
    assert (second.revision, dossier.stage, admission.open_return(dossier)) == (2, "submitted", None)
    assert not admission.is_admitted(dossier)
    assert hand_over(second).id == assessment.id
    assert [one.bundle.snapshot.revision for one in queue.bundles(assessment)] == [2, 1]
    world.admit(second, office)
    assert [one.outcome for one in session.scalars(select(Admission).order_by(Admission.id))] == ["returned", "admitted"]
    kinds = session.scalars(select(DossierEvent.kind).order_by(DossierEvent.id)).all()
    assert [kind for kind in kinds if kind != "statement_signed"] == [
        "created", "submitted", "handed_over", "returned", "submitted", "handed_over", "admitted",
    ]  # fmt: skip


def resubmit(world: World, dossier: Dossier) -> Snapshot:
    """The supervisor's statement, which went stale with the change, is given anew first."""
    statement = world.contents(dossier).statement("closing", "supervisor")
    assert statement is not None
    with transaction():
        invitations.revoke(statement)
    again, _ = world.invite(dossier)
    world.sign(again)
    return world.submit(dossier)


def test_return_after_admission_is_possible_until_somebody_is_assigned(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    assessment = hand_over(snapshot)
    world.admit(snapshot, office)
    give_back(world, snapshot, office)
    assert (count(Admission), admission.is_admitted(dossier)) == (1, False)
    assessor = world.account("As Sessor", "assessor")
    with pytest.raises(Conflict), transaction():
        assignment.assign(assessment, assessor, by=office)


def test_return_is_too_late_once_somebody_assesses(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    assessment = hand_over(snapshot)
    world.admit(snapshot, office)
    assessor = world.account("As Sessor", "assessor")
    with transaction():
        assignment.assign(assessment, assessor, by=office)
    with pytest.raises(Conflict):
        give_back(world, snapshot, office)
    assert dossier.stage == "in_assessment"


def test_admitting_and_returning_at_the_same_moment_gives_one_outcome(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    hand_over(snapshot)
    with transaction():
        admission.record_checks(snapshot, MET, seen={}, by=office, catalogue=world.catalogue)
    snapshot_id, office_id = snapshot.id, office.id
    session.rollback()
    refused: list[str] = []

    def run(deed: str) -> None:
        try:
            with transaction():
                mine, me = session.get_one(Snapshot, snapshot_id), session.get_one(Account, office_id)
                if deed == "admit":
                    admission.admit(mine, by=me, catalogue=world.catalogue)
                else:
                    admission.return_to_candidate(
                        mine, [FINDING], by=me, until=submission.today() + timedelta(days=9), catalogue=world.catalogue
                    )
        except Conflict:
            refused.append(deed)

    together(*[partial(run, deed) for deed in ("admit", "return", "admit", "return")])
    assert count(Admission) == 1
    decided = session.scalars(select(Admission)).one()
    stage = session.scalars(select(Dossier.stage)).one()
    assert (decided.outcome, stage) == ("returned", "returned")  # a return may follow on an admission, not the other way round
    assert refused.count("return") == 1
    assert session.scalar(select(func.count(Mail.id)).where(Mail.template == "dossier_returned")) == 1


# --- snapshots that nobody waits for -------------------------------------------------------------------------------


def test_return_of_what_could_not_be_sealed_leaves_the_snapshot_alone(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    with transaction():
        snapshot.error = {"nl": "Mislukt", "en": "Failed"}
    give_back(world, snapshot, office)
    assert snapshot.abandoned_at is not None
    assert ("snapshot", snapshot.id) not in pipeline.due()
    pipeline.run_snapshot(world.installation, snapshot.id)
    assert world.fresh(snapshot).stage == "submitted"
    with pytest.raises(Conflict):
        pipeline.retry(world.fresh(snapshot))


def test_seal_that_ends_after_the_return_hands_nothing_over(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    give_back(world, snapshot, office)
    with pytest.raises(Conflict):
        seal(snapshot)
    assert (count(Bundle), count(Assessment), world.fresh(snapshot).stage) == (0, 0, "submitted")


def test_worker_in_the_middle_of_it_stops_and_gives_its_claim_back(world: World, dossier: Dossier, office: Account) -> None:
    snapshot = world.submit(dossier)
    snapshot_id, office_id = snapshot.id, office.id
    happened: list[str] = []

    def return_it(step: str, percent: int) -> None:
        if not happened:
            happened.append(step)
            give_back(world, session.get_one(Snapshot, snapshot_id), session.get_one(Account, office_id))

    pipeline.run_snapshot(world.installation, snapshot_id, report=return_it)
    left = world.fresh(snapshot)
    assert happened
    assert (left.stage, left.claimed_until, left.error) == ("submitted", None, None)
    assert (count(Bundle), count(Assessment)) == (0, 0)
    assert left.abandoned_at is not None
