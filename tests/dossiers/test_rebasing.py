"""A dossier goes to another version of its forms: nothing that was written is lost, and only when its candidate asks."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import World, png
from sqlalchemy import func, select
from two_versions import with_second

from app import audit
from app.dossiers import answers, completeness, former, lifecycle, rebasing, statement_changes, statements, submission
from app.dossiers.models import Dossier, DossierEvent, FormerAnswer, SectionAnswers, SectionVersion, TemplateMove
from app.errors import Conflict, Forbidden, NotFound
from app.extensions import session, transaction
from app.plugin_api import Finding
from app.schemes import loader, schemas
from app.schemes import models as stored_templates
from app.schemes.changes import compare
from app.schemes.model import DossierTemplate, Question, Section
from app.schemes.question_types import nothing

ROWS: list[dict[str, Any]] = [
    {"row": "r1", "name": "Gesprekken", "points": "4", "paper": []},
    {"row": "r2", "name": "Loopbaan", "points": "", "paper": []},
]


@pytest.fixture
def newer_world(world: World, tmp_path: Path) -> World:
    world.catalogue = with_second(world.catalogue, tmp_path / "second")
    return world


def template(world: World, version: str = "2") -> DossierTemplate:
    return loader.compose(world.catalogue, "small", version, world.plugins)


def move(world: World, dossier: Dossier, version: str = "2", back_of: TemplateMove | None = None) -> TemplateMove:
    with transaction():
        to = stored_templates.get(back_of.from_sha256) if back_of else template(world, version)
        return rebasing.move(dossier, to, seen=dossier.template_sha256, by=dossier.owner, back_of=back_of)


def filled(world: World) -> Dossier:
    dossier = world.dossier()
    world.save(
        dossier, "practice", name="Sanne", form="job", story="Een verhaal.", since={"day": "1", "month": "2", "year": "2020"}
    )
    world.save(dossier, "skill", case="Casus **één**.")
    world.save(dossier, "closing", code="yes")
    with transaction():
        answers.put_answer(dossier, "learning", "courses", ROWS)
    world.finish(dossier, "practice", "skill", "learning", "closing")
    return dossier


def live(dossier: Dossier) -> dict[str, dict[str, Any]]:
    session.rollback()
    rows = session.scalars(select(SectionAnswers).where(SectionAnswers.dossier_id == dossier.id))
    return {row.section_id: dict(row.data) for row in rows if row.data}


def gone(dossier: Dossier) -> dict[tuple[str, str], Any]:
    return {(one.section_id, one.question_id): one.answer for one in former.answers(dossier)}


# --- which version -------------------------------------------------------------------------------------------------


def test_newer_is_the_version_in_effect_and_nothing_once_one_is_on_it(newer_world: World) -> None:
    today = submission.today()
    first, second = template(newer_world, "1"), template(newer_world)
    assert rebasing.newer(first, newer_world.catalogue, today) == second
    assert rebasing.newer(second, newer_world.catalogue, today) is None
    assert rebasing.newer(first, newer_world.catalogue, today.replace(year=2026, month=1, day=2)) is None


def test_newer_is_the_same_version_when_the_institute_corrected_it(world: World) -> None:
    base = world.catalogue.schemes["small", "1"]
    today, stored = submission.today(), base.template
    corrected = replace(stored, introduction={"nl": "Welkom!", "en": "Welcome!"})
    for changed, offered in ((corrected, True), (stored, False), (replace(stored, effective_until="2099-01-01"), False)):
        catalogue = replace(world.catalogue, schemes={("small", "1"): replace(base, template=changed, placed=base.placed)})
        assert (rebasing.newer(stored, catalogue, today) is not None) is offered
    assert rebasing.newer(stored, replace(world.catalogue, schemes={}), today) is None


# --- what becomes of answers ---------------------------------------------------------------------------------------


def test_moving_keeps_what_is_still_asked_and_sets_the_rest_apart(newer_world: World) -> None:
    dossier = filled(newer_world)
    before = dossier.template_sha256
    made = move(newer_world, dossier)
    assert live(dossier) == {
        "practice": {"form": "", "story": "Een verhaal."},
        "learning": {
            "courses": [{"row": "r1", "name": "Gesprekken", "paper": []}, {"row": "r2", "name": "Loopbaan", "paper": []}]
        },
        "closing": {"name": "Sanne", "code": ""},
    }
    assert gone(dossier) == {
        ("practice", "form"): "job",
        ("practice", "since"): {"day": "1", "month": "2", "year": "2020"},
        ("learning", "courses"): [{"row": "r1", "name": "Gesprekken", "points": "4"}],
        ("skill", "case"): "Casus **één**.",
        ("closing", "code"): "yes",
    }
    assert {one.template_sha256 for one in former.answers(dossier)} == {before}
    assert {(one.question_id, one.part) for one in former.answers(dossier)} == {
        ("form", False), ("since", False), ("courses", True), ("case", False), ("code", False),
    }  # fmt: skip
    assert stored_templates.get(dossier.template_sha256).version == "2"
    assert stored_templates.get(before).version == "1"
    assert newer_world.contents(dossier).finished == {"skill"}  # a section that is not there any more
    steps = {"before": 1, "after": 2, "finished": True}
    assert made.sections == dict.fromkeys(("practice", "learning", "closing", "skill"), steps)
    assert session.scalars(select(DossierEvent.kind).order_by(DossierEvent.id)).all()[-1] == "forms_changed"
    entry = session.scalars(select(audit.AuditEntry).order_by(audit.AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.details) == (
        "dossier.rebased", {"before": before, "after": dossier.template_sha256, "former_answers": 5},
    )  # fmt: skip


def test_moving_keeps_the_versions_of_answers_and_adds_one(newer_world: World) -> None:
    dossier = filled(newer_world)
    move(newer_world, dossier)
    wanted = select(SectionVersion.section_id, SectionVersion.version, SectionVersion.data)
    wanted = wanted.where(SectionVersion.section_id.in_(("skill", "practice")))
    versions = session.execute(wanted.order_by(SectionVersion.section_id, SectionVersion.version)).all()
    assert [(section, version, data.get("case", data.get("name"))) for section, version, data in versions] == [
        ("practice", 1, "Sanne"), ("practice", 2, None), ("skill", 1, "Casus **één**."), ("skill", 2, None),
    ]  # fmt: skip


def test_going_back_gives_exactly_what_was_there(newer_world: World) -> None:
    dossier = filled(newer_world)
    before, was = live(dossier), dossier.template_sha256
    made = move(newer_world, dossier)
    assert rebasing.way_back(dossier, former.moves(dossier)) == made
    back = move(newer_world, dossier, back_of=made)
    assert (live(dossier), gone(dossier), dossier.template_sha256) == (before, {}, was)
    assert newer_world.contents(dossier).finished == {"practice", "learning", "skill", "closing"}
    assert rebasing.way_back(dossier, former.moves(dossier)) is None
    assert back.back_of_id == made.id
    assert rebasing.newer(template(newer_world, "1"), newer_world.catalogue, submission.today()) is not None


def test_going_back_leaves_what_was_written_meanwhile(newer_world: World) -> None:
    dossier = filled(newer_world)
    made = move(newer_world, dossier)
    newer_world.save(dossier, "practice", form="own", motive="Mensen verder helpen.")
    rows = [{"row": "r2", "name": "Loopbaan", "place": "Delft", "paper": []}]
    with transaction():
        answers.put_answer(dossier, "learning", "courses", rows)
    move(newer_world, dossier, back_of=made)
    assert live(dossier)["practice"] == {
        "form": "own", "story": "Een verhaal.", "name": "Sanne", "since": {"day": "1", "month": "2", "year": "2020"},
    }  # fmt: skip
    assert live(dossier)["learning"] == {"courses": [{"row": "r2", "name": "Loopbaan", "paper": []}]}
    assert gone(dossier)[("practice", "form")] == "job"
    kept = [(one.question_id, one.answer) for one in former.answers(dossier)]
    assert kept == [
        ("form", "job"),
        ("courses", [{"row": "r1", "name": "Gesprekken", "points": "4"}]),
        ("motive", "Mensen verder helpen."),
        ("courses", [{"row": "r2", "name": "Loopbaan", "place": "Delft"}]),
    ]
    assert "practice" not in newer_world.contents(dossier).finished


def test_nobody_goes_back_once_something_was_submitted(newer_world: World) -> None:
    dossier = newer_world.dossier()
    newer_world.fill(dossier)
    made = move(newer_world, dossier)
    back = move(newer_world, dossier, back_of=made)
    again = move(newer_world, dossier)
    assert (rebasing.way_back(dossier, [back]), rebasing.way_back(dossier, [again])) == (None, again)
    move(newer_world, dossier, back_of=again)
    newer_world.finish(dossier, "practice", "skill", "learning", "closing")
    newer_world.submit(dossier)
    with transaction():
        lifecycle.advance(dossier, "returned")
    assert rebasing.way_back(dossier, [again]) is None


# --- one at a time, and only while it is open ----------------------------------------------------------------------


def test_second_of_two_clicks_is_a_conflict_and_changes_nothing(newer_world: World) -> None:
    dossier = filled(newer_world)
    seen = dossier.template_sha256
    move(newer_world, dossier)
    before = (live(dossier), gone(dossier))
    with pytest.raises(Conflict), transaction():
        rebasing.move(dossier, template(newer_world), seen=seen, by=dossier.owner)
    assert (live(dossier), gone(dossier)) == before
    assert session.scalar(select(func.count(TemplateMove.id))) == 1


@pytest.mark.parametrize("stage", ["submitted", "withdrawn"])
def test_dossier_that_is_not_open_does_not_move(newer_world: World, stage: str) -> None:
    dossier = filled(newer_world)
    before = dossier.template_sha256
    with transaction():
        lifecycle.advance(dossier, stage)
    with pytest.raises(Forbidden):
        move(newer_world, dossier)
    session.refresh(dossier)
    assert (dossier.template_sha256, gone(dossier)) == (before, {})


def test_of_many_who_move_at_once_one_does(newer_world: World) -> None:
    dossier = filled(newer_world)
    dossier_id, seen, to = dossier.id, dossier.template_sha256, template(newer_world)
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def run() -> None:
        try:
            barrier.wait(timeout=20)
            with transaction():
                mine = session.get_one(Dossier, dossier_id)
                rebasing.move(mine, to, seen=seen, by=mine.owner)
            outcomes.append("moved")
        except Conflict:
            outcomes.append("conflict")
        finally:
            session.remove()

    session.rollback()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "moved"]
    assert session.scalar(select(func.count(FormerAnswer.id))) == 5


def test_move_works_from_the_stored_template_alone(newer_world: World) -> None:
    dossier = filled(newer_world)
    schemes = {key: one for key, one in newer_world.catalogue.schemes.items() if key[1] == "2"}
    newer_world.catalogue = replace(newer_world.catalogue, schemes=schemes)
    found = rebasing.newer(stored_templates.get(dossier.template_sha256), newer_world.catalogue, submission.today())
    assert found == template(newer_world)
    move(newer_world, dossier)
    assert gone(dossier)[("practice", "form")] == "job"


# --- evidence, findings, documents ---------------------------------------------------------------------------------


def test_files_stay_in_the_folder_and_former_answers_are_in_no_document(newer_world: World) -> None:
    dossier = filled(newer_world)
    item = newer_world.checked(dossier)
    newer_world.attach(dossier, "practice", "proof", item)
    newer_world.attach(dossier, "practice", "proof", newer_world.checked(dossier, png(), "foto.png"))
    move(newer_world, dossier)
    contents = newer_world.contents(dossier)
    assert list(contents.evidence) == [1, 2]
    assert live(dossier)["practice"]["proof"] == [1, 2]
    content = submission.draft_content(contents, newer_world.settings)
    assert content["answers"] == {
        "practice": {"form": "", "story": "Een verhaal.", "proof": [1, 2]},
        "learning": {"courses": live(dossier)["learning"]["courses"]},
        "closing": {"name": "Sanne", "code": ""},
    }
    assert "Casus" not in statements.canonical(content["answers"])
    found = completeness.check(contents, newer_world.catalogue, submission.today())
    wanted = ["form", "story", "motive", "finished", "finished", "case", "finished", "code", "supervisor", "finished"]
    assert sorted(one.question for one in found) == sorted(wanted)
    assert all(isinstance(one, Finding) for one in found)


# --- statements ----------------------------------------------------------------------------------------------------


def test_statement_goes_stale_when_something_that_was_read_is_gone_and_names_it(newer_world: World) -> None:
    dossier = filled(newer_world)
    statement, _ = newer_world.invite(dossier)
    newer_world.sign(statement)
    made = move(newer_world, dossier)
    contents = newer_world.contents(dossier)
    assert statements.is_stale(statement, contents)
    changed = statement_changes.since_signed(statement, contents)
    assert {section: set(questions) for section, questions in changed.items()} == {"practice": {"name", "since", "form"}}
    move(newer_world, dossier, back_of=made)
    assert not statements.is_stale(statement, newer_world.contents(dossier))


def without_statement(world: World, dossier: Dossier) -> DossierTemplate:
    now = stored_templates.get(dossier.template_sha256)
    sections = tuple(replace(one, questions=tuple(q for q in one.questions if q.type != "statement")) for one in now.sections)
    return replace(now, sections=sections)


def test_statement_that_is_not_asked_any_more_stays_readable_and_out_of_the_documents(world: World) -> None:
    dossier = filled(world)
    statement, _token = world.invite(dossier)
    world.sign(statement)
    with transaction():
        rebasing.move(dossier, without_statement(world, dossier), seen=dossier.template_sha256, by=dossier.owner)
    contents = world.contents(dossier)
    assert (statement.stage, statements.question_of(statement).id) == ("signed", "supervisor")
    assert not statements.is_asked(statement, contents)
    assert statements.by_copy_link(world.token("supervisor_thanks")) == statement
    assert submission.draft_content(contents, world.settings)["statements"] == []
    with pytest.raises(NotFound):
        statements.statement_question(dossier, "closing", "supervisor")


def test_invitation_for_a_statement_that_is_not_asked_any_more_is_withdrawn(world: World) -> None:
    dossier = filled(world)
    statement, token = world.invite(dossier)
    with transaction():
        rebasing.move(dossier, without_statement(world, dossier), seen=dossier.template_sha256, by=dossier.owner)
    session.refresh(statement)
    assert statement.stage == "revoked"
    with pytest.raises(statements.LinkUnusable):
        statements.by_link(token)


# --- a page that was open meanwhile --------------------------------------------------------------------------------


def late(dossier: Dossier, sha256: str, version: int, section: str = "practice", **typed: Any) -> bool:
    with transaction():
        return rebasing.keep_late(dossier, sha256, section, typed, version)


def test_text_from_a_page_that_was_open_meanwhile_becomes_the_answer_or_a_former_answer(newer_world: World) -> None:
    dossier = filled(newer_world)
    sha256 = dossier.template_sha256
    move(newer_world, dossier)
    page = {"name": "Sanne", "form": "job", "since": {"day": "1", "month": "2", "year": "2020"}}
    before = (live(dossier), gone(dossier))
    assert not late(dossier, sha256, 1, **page, story="Een verhaal.")
    assert (live(dossier), gone(dossier)) == before
    assert not late(dossier, sha256, 1, **page, story="Een langer verhaal.")
    assert live(dossier)["practice"]["story"] == "Een langer verhaal."
    assert not late(dossier, sha256, 1, **{**page, "name": "Sanne V."}, story="Een langer verhaal.")
    assert live(dossier)["closing"]["name"] == "Sanne V."  # it was moved there
    assert late(dossier, sha256, 1, "skill", case="Casus **één** en meer.")
    assert gone(dossier)[("skill", "case")] == "Casus **één** en meer."
    assert late(dossier, sha256, 1, "skill", case="Casus **één** en meer.")  # sent twice: kept once
    assert len(former.answers(dossier)) == 5


def test_late_text_beside_something_newer_is_kept_apart(newer_world: World) -> None:
    dossier = filled(newer_world)
    sha256 = dossier.template_sha256
    move(newer_world, dossier)
    newer_world.save(dossier, "practice", story="Op een ander scherm.")
    assert late(dossier, sha256, 1, story="Op de oude pagina.", name="Sanne", form="job")
    assert live(dossier)["practice"]["story"] == "Op een ander scherm."
    assert gone(dossier)[("practice", "story")] == "Op de oude pagina."


def test_late_row_is_kept_whole(newer_world: World) -> None:
    dossier = filled(newer_world)
    sha256 = dossier.template_sha256
    move(newer_world, dossier)
    with transaction():
        same = rebasing.keep_late_row(dossier, sha256, "learning", "courses", ROWS[0], answers.fingerprint(ROWS[0]))
        changed = {**ROWS[0], "points": "6"}
        kept = rebasing.keep_late_row(dossier, sha256, "learning", "courses", changed, answers.fingerprint(ROWS[0]))
    assert (same, kept) == (False, True)
    assert [one.answer for one in former.answers(dossier)][-1] == [changed]


def test_late_text_after_submitting_is_refused(newer_world: World) -> None:
    dossier = filled(newer_world)
    sha256 = dossier.template_sha256
    move(newer_world, dossier)
    with transaction():
        lifecycle.advance(dossier, "submitted")
    with pytest.raises(Forbidden):
        late(dossier, sha256, 1, story="Te laat.")


# --- for any two questions -----------------------------------------------------------------------------------------

OPTION_IDS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)
FIELD_TYPES = st.sampled_from(["short_text", "number", "choice"])
FIELDS = st.dictionaries(st.sampled_from(["x", "y", "z"]), FIELD_TYPES, min_size=1)


def options(ids: list[str]) -> list[dict[str, Any]]:
    return [{"id": one, "label": {"nl": one, "en": one}} for one in ids]


@st.composite
def asked(draw: st.DrawFn) -> Question:
    kind = draw(st.sampled_from(["long_text", "choice", "choices", "declaration", "table"]))
    held: dict[str, Any] = {
        "choice": lambda: {"options": options(draw(OPTION_IDS))},
        "choices": lambda: {"options": options(draw(OPTION_IDS))},
        "declaration": lambda: {"text": {"nl": draw(st.sampled_from("pq")), "en": "-"}},
        "table": lambda: {
            "fields": [
                {"id": name, "type": of, "label": {"nl": name, "en": name}}
                | ({"options": options(draw(OPTION_IDS))} if of == "choice" else {})
                for name, of in draw(FIELDS).items()
            ],
            "row_title": "x",
        },
        "long_text": dict,
    }[kind]()
    return Question(id="q", type=kind, label={"nl": "-", "en": "-"}, settings=held)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Question, Any]:
    question = draw(asked())
    if question.type == "long_text":
        return question, draw(st.sampled_from(["", "tekst"]))
    if question.type == "declaration":
        return question, draw(st.sampled_from(["", "yes"]))
    if question.type == "table":
        rows = []
        for number in range(draw(st.integers(0, 3))):
            row: dict[str, Any] = {"row": f"r{number}"}
            for field in question.settings["fields"]:
                ids = [one["id"] for one in field.get("options", ())] or ["1", "2"]
                row[field["id"]] = draw(st.sampled_from(["", *ids]))
            rows.append(row)
        return question, rows
    ids = [one["id"] for one in question.settings["options"]]
    if question.type == "choice":
        return question, draw(st.sampled_from(["", *ids]))
    return question, draw(st.lists(st.sampled_from(ids), unique=True))


def pieces(question: Question, answer: Any) -> set[tuple[str, str, str]]:
    """Everything in an answer that somebody filled in: (row, column, what)."""
    if nothing(answer):
        return set()
    if question.type == "table":
        return {(row["row"], name, value) for row in answer for name, value in row.items() if name != "row" and value}
    return {("", "", one) for one in (answer if isinstance(answer, list) else [answer])}


@settings(deadline=None, max_examples=300)
@given(answered(), st.none() | asked())
def test_nothing_of_an_answer_is_lost_and_going_back_gives_all_of_it(given_: tuple[Question, Any], new: Question | None) -> None:
    old, answer = given_
    stays, goes = rebasing.split(old, new, answer)
    both_parts = (pieces(old, stays) if new is not None and new.type == old.type else set()) | pieces(old, goes)
    assert both_parts >= pieces(old, answer)
    assert both_parts <= pieces(old, answer)
    if new is None or new.type != old.type:
        live_again: Any = None
    else:
        live_again, lost = rebasing.split(new, old, stays)
        assert lost is None
    if goes is None:
        assert pieces(old, live_again) == pieces(old, answer)
        return
    back, left = rebasing.put_back(old, old, goes, live_again, part=not nothing(stays))
    assert pieces(old, back) == pieces(old, answer)
    assert left is None
    if old.type == "table" and isinstance(back, list):
        assert [row["row"] for row in back] == [row["row"] for row in answer]


def test_carrying_a_dossier_puts_each_answer_in_one_place_or_two() -> None:
    texts = {"nl": "-", "en": "-"}
    one, two = (Question(id=name, type="short_text", label=texts) for name in ("one", "two"))
    section = Section(id="s", group="g", title=texts, questions=(one, two))
    base = DossierTemplate(
        scheme="d", version="1", title=texts, route="written", effective_from="2026-01-01", validity_years=1,
        reference_prefix="D", hours_expected=1, introduction=texts, groups=(), sections=(section,), scale=(), declarations=(),
    )  # fmt: skip
    new = replace(base, sections=(replace(section, questions=(two,)),))
    found = rebasing.carried(compare(base, new), {"s": {"one": "1", "two": "2"}})
    assert (found.live, found.gone) == ({"s": {"two": "2"}}, [(("s", "one"), "1", False)])
    assert schemas.canonical(base) != schemas.canonical(new)
