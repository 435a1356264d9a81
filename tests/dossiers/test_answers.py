"""Saving as typed: what two windows do to each other, what is refused, and what rows of a table go through."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from small_world import World
from sqlalchemy import delete, select

from app.dossiers import answers, lifecycle
from app.dossiers.answers import MAX_LINE, MAX_LONG_TEXT, MAX_ROWS, MAX_TEXT, StaleAnswer
from app.dossiers.models import Dossier, SectionAnswers, SectionVersion
from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.extensions import session, transaction
from app.schemes.model import Question
from app.schemes.question_types import nothing

EMPTY_DATE = {"day": "", "month": "", "year": ""}


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


def stored(dossier: Dossier, section: str = "practice") -> dict[str, Any]:
    session.rollback()
    row = session.get(SectionAnswers, (dossier.id, section))
    return {} if row is None else dict(row.data)


def refused(world: World, dossier: Dossier, **data: object) -> InvalidInput:
    before = stored(dossier)
    with pytest.raises(InvalidInput) as refusal:
        world.save(dossier, "practice", **data)
    assert stored(dossier) == before
    return refusal.value


# --- versions ------------------------------------------------------------------------------------------------------


def test_save_counts_versions_and_keeps_each_one(world: World, dossier: Dossier) -> None:
    assert world.save(dossier, "practice", 0, name="Sanne", form="job") == 1
    assert world.save(dossier, "practice", 1, name="Sanne de Vries", form="job") == 2
    rows = session.scalars(select(SectionVersion).order_by(SectionVersion.version)).all()
    assert [(row.section_id, row.version, row.data) for row in rows] == [
        ("practice", 1, {"name": "Sanne", "form": "job"}),
        ("practice", 2, {"name": "Sanne de Vries", "form": "job"}),
    ]


def test_save_of_the_same_answers_makes_no_version(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", 0, name="Sanne")
    assert world.save(dossier, "practice", 1, name="Sanne") == 1
    assert world.save(dossier, "practice", 0, name="Sanne") == 1  # an older window with the same text


def test_save_of_an_empty_page_makes_no_version(world: World, dossier: Dossier) -> None:
    assert world.save(dossier, "practice", 0, name="", since=EMPTY_DATE, story="") == 0
    assert stored(dossier) == {}


def test_save_keeps_answers_that_the_page_did_not_send(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", 0, name="Sanne", company="Bos bv")
    world.save(dossier, "practice", 1, name="Sanne V.")
    assert stored(dossier) == {"name": "Sanne V.", "company": "Bos bv"}


def test_save_of_different_questions_in_two_windows_comes_together(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", 0, name="Sanne", story="", since=EMPTY_DATE)
    assert world.save(dossier, "practice", 0, name="", story="Verhaal", since={"day": "1", "month": "2", "year": "2020"}) == 2
    assert stored(dossier) == {"name": "Sanne", "story": "Verhaal", "since": {"day": "1", "month": "2", "year": "2020"}}


def test_save_of_the_same_question_in_two_windows_names_both_texts_and_writes_nothing(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", 0, name="Sanne", story="een")
    world.save(dossier, "practice", 1, name="Sanne", story="twee")
    with pytest.raises(StaleAnswer) as conflict:
        world.save(dossier, "practice", 1, name="Sanne V.", story="drie")
    assert (conflict.value.mine, conflict.value.theirs) == ({"story": "drie"}, {"story": "twee"})
    assert (conflict.value.version, conflict.value.section.id) == (2, "practice")
    assert stored(dossier) == {"name": "Sanne", "story": "twee"}


def test_save_may_clear_a_text_but_not_one_that_it_never_saw(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", 0, story="een")
    world.save(dossier, "practice", 1, story="")
    assert stored(dossier) == {"story": ""}
    world.save(dossier, "practice", 2, story="twee")
    with pytest.raises(StaleAnswer) as conflict:
        world.save(dossier, "practice", 1, story="")
    assert (conflict.value.mine, conflict.value.theirs) == ({"story": ""}, {"story": "twee"})


def test_save_from_a_version_that_never_was_overwrites_nothing(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", 0, story="een")
    for version in (7, -1):
        with pytest.raises(StaleAnswer):
            world.save(dossier, "practice", version, story="twee")
        with pytest.raises(StaleAnswer):
            world.save(dossier, "practice", version, story="")
    assert stored(dossier) == {"story": "een"}


class TwoTabs(RuleBasedStateMachine):
    """Two windows on one section. A text that was acknowledged is only ever replaced by a window that had shown it."""

    world: World
    dossier: Dossier

    def __init__(self) -> None:
        super().__init__()
        with transaction():
            session.execute(delete(SectionAnswers))
            session.execute(delete(SectionVersion))
        self.kept: dict[str, Any] = {}
        self.shown: list[dict[str, Any]] = [{}, {}]
        self.versions = [0, 0]

    @rule(tab=st.integers(0, 1))
    def reload(self, tab: int) -> None:
        row = session.get(SectionAnswers, (self.dossier.id, "practice"))
        self.shown[tab], self.versions[tab] = (dict(row.data), row.version) if row else ({}, 0)

    @rule(
        tab=st.integers(0, 1),
        typed=st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["", "a", "b", " "]),
                "story": st.sampled_from(["", "één\n- twee", "drie"]),
                "since": st.sampled_from([EMPTY_DATE, {"day": "1", "month": "", "year": "2020"}, {}]),
            },
        ),
    )
    def save(self, tab: int, typed: dict[str, Any]) -> None:
        page = {**self.shown[tab], **typed}
        changed = {one: answer for one, answer in page.items() if not same(answer, self.shown[tab].get(one))}
        try:
            version = self.world.save(self.dossier, "practice", self.versions[tab], **page)
        except StaleAnswer as conflict:
            self.check(conflict, page, self.shown[tab])
            return
        for one, answer in changed.items():
            assert same(self.kept.get(one), self.shown[tab].get(one)) or same(self.kept.get(one), answer)
            self.kept[one] = answer
        self.shown[tab], self.versions[tab] = stored(self.dossier), version

    def check(self, conflict: StaleAnswer, page: dict[str, Any], shown: dict[str, Any]) -> None:
        assert conflict.mine
        for one, mine in conflict.mine.items():
            assert mine == page[one]
            assert same(conflict.theirs[one], self.kept.get(one))
            assert not same(self.kept.get(one), shown.get(one))

    @invariant()
    def everything_acknowledged_is_there(self) -> None:
        now = stored(self.dossier)
        assert all(same(now.get(one), self.kept.get(one)) for one in {*now, *self.kept})


def same(one: Any, other: Any) -> bool:
    return one == other or (nothing(one) and nothing(other))


def test_two_tabs_never_lose_an_acknowledged_text(world: World, dossier: Dossier) -> None:
    machine = type("Tabs", (TwoTabs,), {"world": world, "dossier": dossier})
    quick = settings(
        max_examples=25,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],  # with a database behind it, shrinking takes minutes
    )
    run_state_machine_as_test(machine, settings=quick)


# --- what is refused -----------------------------------------------------------------------------------------------


def deep(levels: int) -> Any:
    answer: Any = "x"
    for _ in range(levels):
        answer = [answer]
    return answer


@pytest.mark.parametrize(
    "answer",
    [
        "a\x00b", "a\x1bb", "\ud800", "a\ufffeb", "x" * (MAX_TEXT + 1), float("nan"), float("inf"), 1.5, 2**53,
        deep(8), deep(100_000),
        {1: "x"}, {"\ud800": "x"}, {"a\x00": "x"}, {"k" * 201: "x"}, {"a": ["\udfff"]}, b"x", object(), {"a", "b"},
        [{"row": "1", "name": "\x07"}],
    ],
    ids=lambda answer: repr(type(answer).__name__),
)  # fmt: skip
def test_r14_save_refuses_what_no_document_can_hold(world: World, dossier: Dossier, answer: object) -> None:
    world.save(dossier, "practice", name="Sanne")
    refused(world, dossier, story=answer)


def test_a_text_longer_than_its_question_can_need_is_refused_and_the_longest_is_kept(world: World, dossier: Dossier) -> None:
    assert refused(world, dossier, story="x" * (MAX_LONG_TEXT + 1)).details["question"] == "story"
    assert refused(world, dossier, name="x" * (MAX_LINE + 1)).details["question"] == "name"
    longest = {"story": "x" * MAX_LONG_TEXT, "name": "x" * MAX_LINE}
    world.save(dossier, "practice", **longest)
    assert stored(dossier) == longest


@pytest.mark.parametrize(
    ("kind", "asked", "most"),
    [
        ("long_text", {}, 30_000),
        ("long_text", {"words": {"min": 75, "max": 700}}, 30_000),
        ("long_text", {"words": {"max": 5000}}, 100_000),
        ("short_text", {"max_length": 200}, 2_000),
        ("short_text", {"max_length": 1000}, 5_000),
        ("number", {}, 2_000),
        ("from_a_plugin", {}, MAX_TEXT),
    ],
)
def test_most_characters_is_several_times_what_the_question_asks(kind: str, asked: dict[str, Any], most: int) -> None:
    assert answers.most_characters(Question(id="q", type=kind, label={"nl": "V", "en": "Q"}, settings=asked)) == most


def test_a_row_refuses_a_field_that_is_too_long(world: World, dossier: Dossier) -> None:
    with pytest.raises(InvalidInput) as refusal, transaction():
        answers.save_row(dossier, "learning", "courses", "r1", {"name": "x" * (MAX_LINE + 1)}, "")
    assert refusal.value.details["field"] == "name"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(answer=json_values)
@settings(max_examples=200, deadline=None)
def test_checked_gives_what_json_and_utf8_can_hold_or_refuses(answer: Any) -> None:
    try:
        kept = answers.checked(answer)
    except InvalidInput:
        return
    assert json.loads(json.dumps(kept, allow_nan=False).encode("utf-8")) == kept
    json.dumps(kept, ensure_ascii=False).encode("utf-8")
    assert answers.checked(kept) == kept


def test_save_cleans_pasted_text_and_keeps_everything_else_as_typed(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", name="ca. 12\u00a0uur", story="regel\r\n\u2022\teen\u200b", since={"day": "31", "month": "2"})
    assert stored(dossier) == {"name": "ca. 12 uur", "story": "regel\n- een", "since": {"day": "31", "month": "2"}}


def test_save_refuses_a_section_that_grows_too_large(world: World, dossier: Dossier) -> None:
    with transaction():
        rows = [{"row": str(number), "name": "é" * 60_000} for number in range(8)]
        answers.put_answer(dossier, "learning", "courses", rows)
    with pytest.raises(InvalidInput) as refusal, transaction():
        answers.put_answer(dossier, "learning", "courses", [*rows, {"row": "9", "name": "é" * 60_000}])
    assert refusal.value.text["nl"] == "Dit onderdeel is te groot geworden om op te slaan. Kort een van uw teksten in."
    assert len(stored(dossier, "learning")["courses"]) == 8


@pytest.mark.parametrize("key", ["unknown", "proof", "row", ""])
def test_save_refuses_unknown_keys_and_those_that_have_verbs_of_their_own(world: World, dossier: Dossier, key: str) -> None:
    refused(world, dossier, **{"name": "Sanne", key: "x"})


def test_save_refuses_a_table_and_a_statement_as_typed_answers(world: World, dossier: Dossier) -> None:
    for section, question in (("learning", "courses"), ("closing", "supervisor")):
        with pytest.raises(InvalidInput):
            world.save(dossier, section, **{question: [{"row": "1"}]})


def test_save_refuses_an_unknown_section(world: World, dossier: Dossier) -> None:
    with pytest.raises(NotFound):
        world.save(dossier, "nowhere", name="x")


@pytest.mark.parametrize("stage", ["submitted", "withdrawn"])
def test_nothing_changes_after_submission(world: World, dossier: Dossier, stage: str) -> None:
    world.save(dossier, "practice", name="Sanne")
    with transaction():
        answers.save_row(dossier, "learning", "courses", "r1", {"name": "Cursus"}, "")
        lifecycle.advance(dossier, stage)
    row = {"row": "r1", "name": "Cursus"}
    for change in (
        lambda: answers.save_section(dossier, "practice", {"name": "Ander"}, 1),
        lambda: answers.save_section(dossier, "practice", {}, 0, finished=True),
        lambda: answers.put_answer(dossier, "practice", "proof", [1]),
        lambda: answers.save_row(dossier, "learning", "courses", "r1", {"name": "x"}, answers.fingerprint(row)),
        lambda: answers.remove_row(dossier, "learning", "courses", "r1"),
    ):
        with pytest.raises(Forbidden), transaction():
            change()
    assert stored(dossier) == {"name": "Sanne"}
    assert stored(dossier, "learning") == {"courses": [row]}


def test_finished_is_a_mark_of_its_own_that_makes_no_version(world: World, dossier: Dossier) -> None:
    assert world.save(dossier, "practice", name="Sanne") == 1
    world.finish(dossier, "practice")
    row = session.get_one(SectionAnswers, (dossier.id, "practice"))
    assert (row.finished, row.version, row.data) == (True, 1, {"name": "Sanne"})
    world.save(dossier, "practice", name="Sanne V.")
    assert row.finished is True


def test_last_saved_is_the_newest_and_nothing_at_first(world: World, dossier: Dossier) -> None:
    assert answers.last_saved(dossier) is None
    world.save(dossier, "practice", name="Sanne")
    world.save(dossier, "skill", case="x")
    assert answers.last_saved(dossier) == session.get_one(SectionAnswers, (dossier.id, "skill")).saved_at


# --- rows of a table -----------------------------------------------------------------------------------------------


def put(dossier: Dossier, row: str, before: str, /, **data: object) -> None:
    with transaction():
        answers.save_row(dossier, "learning", "courses", row, data, before)


def rows(dossier: Dossier) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stored(dossier, "learning").get("courses", [])
    return found


def test_rows_are_added_changed_and_removed(dossier: Dossier) -> None:
    put(dossier, "r1", "", name="Een", points="4")
    put(dossier, "r2", "", name="Twee")
    put(dossier, "r1", answers.fingerprint(rows(dossier)[0]), name="Eén", points="5")
    assert rows(dossier) == [{"row": "r1", "name": "Eén", "points": "5"}, {"row": "r2", "name": "Twee"}]
    with transaction():
        answers.remove_row(dossier, "learning", "courses", "r1")
        answers.remove_row(dossier, "learning", "courses", "gone")
    assert rows(dossier) == [{"row": "r2", "name": "Twee"}]


def test_row_added_twice_by_a_double_click_is_one_row(dossier: Dossier) -> None:
    put(dossier, "r1", "", name="Een")
    put(dossier, "r1", "", name="Een")
    assert rows(dossier) == [{"row": "r1", "name": "Een"}]


def test_row_that_changed_elsewhere_is_not_overwritten(dossier: Dossier) -> None:
    put(dossier, "r1", "", name="Een", points="1")
    before = answers.fingerprint(rows(dossier)[0])
    put(dossier, "r1", before, name="Een", points="2")
    with pytest.raises(Conflict):
        put(dossier, "r1", before, name="Een", points="3")
    put(dossier, "r1", before, name="Een", points="2")  # the same again does no harm
    assert rows(dossier) == [{"row": "r1", "name": "Een", "points": "2"}]


def test_row_that_was_removed_elsewhere_does_not_come_back(dossier: Dossier) -> None:
    put(dossier, "r1", "", name="Een")
    before = answers.fingerprint(rows(dossier)[0])
    with transaction():
        answers.remove_row(dossier, "learning", "courses", "r1")
    with pytest.raises(Conflict):
        put(dossier, "r1", before, name="Ander")
    assert rows(dossier) == []


def test_row_refuses_unknown_fields_and_its_own_id(dossier: Dossier) -> None:
    for data in ({"name": "x", "price": "1"}, {"row": "r9"}):
        with pytest.raises(InvalidInput):
            put(dossier, "r1", "", **data)
    assert rows(dossier) == []


def test_row_refuses_what_no_document_can_hold(dossier: Dossier) -> None:
    for row, name in (("r1", "\x00"), ("\ud800", "x"), ("r\x07", "x")):
        with pytest.raises(InvalidInput):
            put(dossier, row, "", name=name)
    assert rows(dossier) == []


def test_row_one_too_many_is_refused(dossier: Dossier) -> None:
    with transaction():
        answers.put_answer(dossier, "learning", "courses", [{"row": str(number)} for number in range(MAX_ROWS)])
    with pytest.raises(InvalidInput) as refusal:
        put(dossier, "one more", "", name="x")
    assert refusal.value.text["nl"] == f"Deze tabel heeft al {MAX_ROWS} regels. Meer is niet mogelijk."
    put(dossier, "7", answers.fingerprint({"row": "7"}), name="wel wijzigen")
    assert len(rows(dossier)) == MAX_ROWS


def test_rows_of_a_question_that_is_no_table_are_refused(dossier: Dossier) -> None:
    for section, question in (("practice", "name"), ("learning", "nothing"), ("nowhere", "courses")):
        with pytest.raises(NotFound), transaction():
            answers.save_row(dossier, section, question, "r1", {}, "")
        with pytest.raises(NotFound), transaction():
            answers.remove_row(dossier, section, question, "r1")
