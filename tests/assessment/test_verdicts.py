"""What an assessor finds: drafts that two tabs cannot spoil, verdicts that follow the scale, a signature that stands."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import World
from sqlalchemy import func, select, update
from test_queue_and_assignment import assign, hand_over, sealed
from together import together

from app.accounts.models import Account
from app.assessment import assignment, drafts, taking_off, verdicts
from app.assessment.models import AreaDraftVersion, Assessment, Assignment, Score, SignOff, Verdict
from app.dossiers.models import Dossier, OfficeNote
from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import session, transaction
from app.mail import Mail
from app.schemes.model import Criterion, Level, Section

GOOD = {"score.craft": 2, "sufficient": True}
WEAK = {"score.craft": 1, "why.craft": "Te mager.", "sufficient": False}
TEXT = {"nl": "x", "en": "x"}


@pytest.fixture
def given_to(world: World) -> Assignment:
    """An assessor who declared himself, on a dossier with one area ("skill") and one criterion ("craft")."""
    made = assign(hand_over(sealed(world, world.dossier())), world.account("As Sessor", "assessor"))
    with transaction():
        assert assignment.declare(made)
    return made


def locked(made: Assignment) -> Assignment:
    return assignment.current_or_gone(made.assessment, made.assessor)


def save(made: Assignment, typed: Mapping[str, Any], version: int = 0, area: str = "skill") -> int:
    with transaction():
        return verdicts.save_draft(locked(made), area, typed, version).version


def judge(made: Assignment, typed: Mapping[str, Any] | None = None) -> bool:
    if typed is not None:
        save(made, typed, state(made).area("skill").version)
    with transaction():
        return verdicts.give_verdict(locked(made), "skill", state(made).snapshot.id)[1]


def state(made: Assignment) -> verdicts.Judging:
    return verdicts.open_judging(made)


def sign(made: Assignment, summary: str = "Een goed dossier.", name: str = "As Sessor", snapshot_id: int = 0) -> SignOff:
    with transaction():
        wanted = snapshot_id or state(made).snapshot.id
        return verdicts.sign_off(locked(made), summary=summary, name=name, snapshot_id=wanted)[0]


def count(kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


# --- declaring -----------------------------------------------------------------------------------------------------


def test_a_conflict_of_interest_ends_the_assignment_and_tells_each_office_account_once(world: World) -> None:
    dossier = world.dossier()
    world.account("Of Fice", "office")
    made = assign(hand_over(sealed(world, dossier)), world.account("As Sessor", "assessor"))
    with transaction():
        assert assignment.declare_conflict(made, " Zij is mijn nicht. ")
        assert not assignment.declare_conflict(made, "Nog eens")
    assert made.ended_at is not None
    assert made.conflict_reason == "Zij is mijn nicht."
    mails = session.scalars(select(Mail).where(Mail.template == "conflict_declared")).all()
    assert sorted((one.to, "nicht" in str(one.data)) for one in mails) == [
        ("balie@voorbeeld.nl", False),  # who admitted the dossier
        ("of.fice@voorbeeld.nl", False),
    ]
    assert assignment.conflict_of(made.assessor, dossier) is not None
    with pytest.raises(InvalidInput):
        assign(made.assessment, made.assessor)


def test_a_conflict_of_interest_needs_a_reason(given_to: Assignment) -> None:
    for reason in ("", "  ", "x" * 2001):
        with pytest.raises(InvalidInput), transaction():
            assignment.declare_conflict(given_to, reason)
    assert given_to.ended_at is None


def test_declaring_twice_keeps_the_first_time(given_to: Assignment) -> None:
    before = given_to.declared_at
    with transaction():
        assert not assignment.declare(given_to)
    assert given_to.declared_at == before


# --- drafts --------------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_in_the_shape_of_the_table_with_every_version(given_to: Assignment) -> None:
    assert save(given_to, {"score.craft": 2, "pages.craft": [14, 2, 2], "notes": "Alleen ik."}) == 1
    assert save(given_to, {"notes": "Alleen ik."}, 1) == 1
    assert save(given_to, {"why.craft": "Helder.", "notes": ""}, 1) == 2
    kept = [(one.version, one.data) for one in drafts.versions(given_to, "skill")]
    assert kept == [
        (2, {"scores": {"craft": {"value": 2, "rationale": "Helder.", "pages": [2, 14]}}}),
        (1, {"scores": {"craft": {"value": 2, "pages": [2, 14]}}, "notes": "Alleen ik."}),
    ]
    assert state(given_to).area("skill").status == "busy"


def test_r34_two_tabs_on_different_fields_come_together(given_to: Assignment) -> None:
    save(given_to, {"score.craft": 2, "notes": "Eerst."})
    save(given_to, {"score.craft": 1, "notes": "Eerst."}, 1)
    save(given_to, {"score.craft": 2, "notes": "Later."}, 1)
    assert state(given_to).area("skill").draft == {"score.craft": 1, "notes": "Later."}


def test_r34_two_tabs_on_the_same_field_write_nothing_and_give_both_texts(given_to: Assignment) -> None:
    save(given_to, {"why.craft": "Eerst."})
    save(given_to, {"why.craft": "Tab een.", "notes": "N"}, 1)
    with pytest.raises(drafts.StaleDraft) as refusal:
        save(given_to, {"why.craft": "Tab twee.", "score.craft": 2}, 1)
    stale = refusal.value
    assert (stale.mine, stale.theirs, stale.version) == ({"why.craft": "Tab twee."}, {"why.craft": "Tab een."}, 2)
    assert stale.merged == {"why.craft": "Tab een.", "notes": "N", "score.craft": 2}
    assert state(given_to).area("skill").draft == {"why.craft": "Tab een.", "notes": "N"}


@pytest.mark.parametrize(
    "typed",
    [{"score.craft": 3}, {"score.craft": True}, {"score.craft": "2"}, {"score.other": 1}, {"pages.craft": [0]},
     {"pages.craft": "2"}, {"pages.craft": list(range(1, 60))}, {"sufficient": "yes"}, {"summary": "x"}, {"notes": ["x"]},
     {"notes": "x" * 20_001}, {"notes": "a\x00b"}],
)  # fmt: skip
def test_a_draft_refuses_what_the_form_cannot_hold(given_to: Assignment, typed: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        save(given_to, typed)
    assert count(AreaDraftVersion) == 0


@given(
    st.dictionaries(st.sampled_from(["score.a", "why.a", "pages.b", "notes", "sufficient"]), st.sampled_from([1, "x", [2], None]))
)
def test_flat_and_nested_are_each_others_way_back(fields: dict[str, Any]) -> None:
    assert drafts.flat(drafts.nested(fields)) == {name: value for name, value in fields.items() if value is not None}


# --- verdicts ------------------------------------------------------------------------------------------------------

SCALE = tuple(Level(value=value, label=TEXT, sufficient=value > 2) for value in (1, 2, 3, 4))
AREA = Section(
    id="a", group="g", title=TEXT,
    criteria=tuple(Criterion(id=one, group="kunde", title={"nl": one, "en": one}, levels={}) for one in "pq"),
)  # fmt: skip
SCORE, WHY = st.sampled_from([None, 1, 2, 3, 4]), st.sampled_from(["", "  ", "Daarom."])
DRAFT = st.fixed_dictionaries(
    {
        "score.p": SCORE,
        "score.q": SCORE,
        "why.p": WHY,
        "why.q": WHY,
        "sufficient": st.sampled_from([None, True, False]),
        "rationale": WHY,
    }
)


@given(DRAFT)
def test_lacks_names_exactly_what_a_verdict_needs(draft: dict[str, Any]) -> None:
    missing = {name for name, _ in verdicts.lacks(AREA, SCALE, draft)}
    expected = set()
    for one in "pq":
        value = draft[f"score.{one}"]
        if value is None:
            expected.add(f"score.{one}")
        elif value <= 2 and not draft[f"why.{one}"].strip():
            expected.add(f"why.{one}")
    if draft["sufficient"] is None:
        expected.add("sufficient")
    by_scores = all((draft[f"score.{one}"] or 0) > 2 for one in "pq")
    if not expected and draft["sufficient"] != by_scores and not draft["rationale"].strip():
        expected.add("rationale")
    assert missing == expected


def test_a_verdict_is_made_of_the_draft_without_the_notes(given_to: Assignment) -> None:
    assert judge(given_to, {**WEAK, "pages.craft": [2], "notes": "Geheim."})
    assert not judge(given_to)
    (verdict,), (score,) = session.scalars(select(Verdict)).all(), session.scalars(select(Score)).all()
    assert (verdict.round, verdict.sufficient, verdict.rationale, verdict.area_id) == (1, False, "", "skill")
    assert (score.criterion_id, score.value, score.rationale, score.pages) == ("craft", 1, "Te mager.", [2])
    assert state(given_to).area("skill").status == "given"
    save(given_to, {"notes": "Iets anders."}, 1)
    assert state(given_to).area("skill").status == "given"


def test_a_verdict_may_be_given_anew_and_withdrawn_until_signing(given_to: Assignment) -> None:
    judge(given_to, WEAK)
    save(given_to, GOOD, 1)
    assert state(given_to).area("skill").status == "changed"
    assert judge(given_to)
    assert [(one.value, one.rationale) for one in session.scalars(select(Score))] == [(2, "Te mager.")]
    with transaction():
        assert verdicts.withdraw_verdict(locked(given_to), "skill")
        assert not verdicts.withdraw_verdict(locked(given_to), "skill")
    assert (count(Verdict), count(Score), state(given_to).area("skill").status) == (0, 0, "busy")


def test_an_incomplete_verdict_is_refused_and_the_draft_stays(given_to: Assignment) -> None:
    with pytest.raises(verdicts.Incomplete) as refusal:
        judge(given_to, {"score.craft": 1})
    assert [name for name, _ in refusal.value.missing] == ["why.craft", "sufficient"]
    assert state(given_to).area("skill").draft == {"score.craft": 1}
    with pytest.raises(NotFound), transaction():
        verdicts.give_verdict(locked(given_to), "other", state(given_to).snapshot.id)


# --- signing -------------------------------------------------------------------------------------------------------


def test_signing_closes_everything_and_a_second_click_signs_nothing_more(given_to: Assignment) -> None:
    judge(given_to, GOOD)
    first = sign(given_to)
    assert (first.sufficient, first.round, first.assignment_id, len(first.content_sha256)) == (True, 1, given_to.id, 64)
    assert first.content_sha256 == verdicts.fingerprint(state(given_to), first)
    assert sign(given_to).id == first.id
    for late in (
        lambda: sign(given_to, "Toch anders."),
        lambda: save(given_to, {"notes": "Nog iets."}, 1),
        lambda: judge(given_to),
    ):
        with pytest.raises(Conflict):
            late()
    with pytest.raises(Conflict), transaction():
        verdicts.withdraw_verdict(locked(given_to), "skill")
    assert (count(SignOff), count(Verdict)) == (1, 1)


def test_one_insufficient_area_makes_the_whole_insufficient(given_to: Assignment) -> None:
    judge(given_to, WEAK)
    assert not sign(given_to).sufficient


def test_the_fingerprint_changes_with_what_was_found(given_to: Assignment) -> None:
    judge(given_to, GOOD)
    signed = sign(given_to)
    session.execute(update(Score).values(value=1))
    session.expire_all()
    assert verdicts.fingerprint(state(given_to), signed) != signed.content_sha256


def test_signing_names_everything_that_lacks(given_to: Assignment) -> None:
    with pytest.raises(verdicts.Incomplete) as refusal:
        sign(given_to, " ", "x")
    assert [name for name, _ in refusal.value.missing] == ["area.skill", "summary", "name"]
    judge(given_to, GOOD)
    save(given_to, {"score.craft": 1}, 1)
    with pytest.raises(verdicts.Incomplete) as refusal:
        sign(given_to)
    assert [name for name, _ in refusal.value.missing] == ["area.skill"]
    assert count(SignOff) == 0


# --- others act at once ----------------------------------------------------------------------------------------------


def test_an_assignment_taken_away_refuses_everything_and_comes_back_with_the_draft(given_to: Assignment) -> None:
    save(given_to, {"why.craft": "Begonnen."})
    with transaction():
        assignment.end(given_to)
    for late in (lambda: save(given_to, {"notes": "x"}, 1), lambda: judge(given_to), lambda: sign(given_to)):
        with pytest.raises(NotFound):
            late()
    again = assign(given_to.assessment, given_to.assessor)
    with transaction():
        assignment.declare(again)
    area = state(again).area("skill")
    assert (area.draft, area.version) == ({"why.craft": "Begonnen."}, 0)
    assert save(again, {**area.draft, **GOOD}, 0) == 1


def test_a_dossier_that_is_no_longer_judged_takes_nothing(given_to: Assignment) -> None:
    with transaction():
        session.execute(update(Dossier).values(stage="returned"))
    with pytest.raises(Conflict):
        save(given_to, GOOD)


def test_a_later_revision_asks_for_each_verdict_anew_and_shows_the_former(world: World, given_to: Assignment) -> None:
    judge(given_to, WEAK)
    old = state(given_to).snapshot.id
    sign(given_to, "Nog niet.")
    hand_over(sealed(world, given_to.assessment.dossier, 2))
    with transaction():
        session.execute(update(Dossier).values(stage="in_assessment"))
    judging = state(given_to)
    area = judging.area("skill")
    assert (judging.round, judging.signed, judging.given, area.status) == (2, None, 0, "busy")
    assert area.former is not None
    assert not area.former.sufficient
    for late in (lambda: verdicts.give_verdict(locked(given_to), "skill", old),):
        with pytest.raises(Conflict), transaction():
            late()
    save(given_to, GOOD, 1)
    judge(given_to)
    with pytest.raises(Conflict):
        sign(given_to, "Nu wel.", snapshot_id=old)
    assert sign(given_to, "Nu wel.").round == 2
    assert (count(SignOff), count(Verdict)) == (2, 2)


def test_two_assessors_never_meet_each_others_work(world: World, given_to: Assignment) -> None:
    judge(given_to, {**WEAK, "notes": "Van mij."})
    sign(given_to, "Mijn oordeel.")
    other = assign(given_to.assessment, world.account("An Der", "assessor"))
    with transaction():
        assignment.declare(other)
    seen = state(other)
    assert (seen.given, seen.signed, seen.whole, seen.areas[0].draft, seen.areas[0].former) == (0, None, {}, {}, None)
    assert drafts.versions(other, "skill") == []
    assert judge(other, GOOD)
    assert count(Verdict) == 2


def progress_of(assessor: Account, *made: Assignment) -> list[tuple[int, int, bool]]:
    found = verdicts.progress(assessor, made)
    return [(one.given, one.areas, one.signed_at is not None) for one in found.values()]


def test_progress_counts_ones_own_verdicts_of_this_round(world: World, given_to: Assignment) -> None:
    assert progress_of(given_to.assessor, given_to) == [(0, 1, False)]
    judge(given_to, GOOD)
    assert progress_of(given_to.assessor, given_to) == [(1, 1, False)]
    sign(given_to)
    assert progress_of(given_to.assessor, given_to) == [(1, 1, True)]
    hand_over(sealed(world, given_to.assessment.dossier, 2))
    assert progress_of(given_to.assessor, given_to) == [(0, 1, False)]


def test_r35_verdict_and_signature_from_four_threads_are_there_once(given_to: Assignment) -> None:
    save(given_to, GOOD)
    ids, snapshot_id = (given_to.assessment_id, given_to.assessor_id), state(given_to).snapshot.id
    session.rollback()

    def run() -> None:
        try:
            with transaction():
                mine = assignment.current_or_gone(session.get_one(Assessment, ids[0]), session.get_one(Account, ids[1]))
                verdicts.give_verdict(mine, "skill", snapshot_id)
                verdicts.sign_off(mine, summary="Goed.", name="As Sessor", snapshot_id=snapshot_id)
        except Conflict:
            pass  # somebody else of the four signed first

    together(*[run] * 4)
    assert (count(Verdict), count(Score), count(SignOff)) == (1, 1, 1)


# --- the office takes an assessor off ------------------------------------------------------------------------------


def take_off(made: Assignment, reason: str = "", *, shown_signed: bool = False) -> bool:
    office = session.scalars(select(Account).where(Account.name == "De Balie")).one()
    with transaction():
        given = taking_off.find(made.assessment, made.id, locked=True)
        return taking_off.take_off(given, reason, shown_signed=shown_signed, by=office)


def notes() -> list[str]:
    return list(session.scalars(select(OfficeNote.text).order_by(OfficeNote.id)))


def test_taking_off_needs_no_reason_before_there_is_a_verdict_and_happens_once(given_to: Assignment) -> None:
    save(given_to, GOOD)
    assert (take_off(given_to), take_off(given_to), notes()) == (True, False, [])
    assert assign(given_to.assessment, given_to.assessor).id != given_to.id


def test_taking_off_after_a_verdict_needs_a_reason_that_is_kept_as_a_note(given_to: Assignment) -> None:
    judge(given_to, GOOD)
    with pytest.raises(InvalidInput):
        take_off(given_to, " ")
    assert given_to.ended_at is None
    assert take_off(given_to, " Te lang ziek. ")
    assert notes() == ["Beoordelaar As Sessor van het dossier gehaald: Te lang ziek."]


def test_taking_off_is_refused_when_he_signed_after_the_page_was_made(given_to: Assignment) -> None:
    judge(given_to, GOOD)
    sign(given_to)
    with pytest.raises(Conflict):
        take_off(given_to, "Ziek")
    assert (given_to.ended_at, notes()) == (None, [])
    assert take_off(given_to, "Ziek", shown_signed=True)


def test_who_signed_and_was_taken_off_is_not_assigned_to_that_version_again(world: World, given_to: Assignment) -> None:
    judge(given_to, GOOD)
    sign(given_to)
    take_off(given_to, "Belangen", shown_signed=True)
    assessor, assessment = given_to.assessor, given_to.assessment
    other = world.account("An Der", "assessor")
    assert list(assignment.refusals([assessor, other], assessment)) == [assessor.id]
    with pytest.raises(Conflict) as refusal:
        assign(assessment, assessor)
    assert refusal.value.text["nl"].startswith("As Sessor ondertekende al een oordeel over dit dossier")
    hand_over(sealed(world, assessment.dossier, 2))
    again = assign(assessment, assessor)
    assert (state(again).signed, count(SignOff)) == (None, 1)
