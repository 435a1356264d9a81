"""Statements of clients and supervisors when their dossier goes to other forms: nothing is lost, nobody becomes known."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from small_world import World, pdf
from sqlalchemy import select

from app.config import Settings
from app.documents.content import block_texts
from app.documents.outcome_blocks import outcome_blocks
from app.dossiers import completeness, former, invitations, outcomes, rebasing, starting, statements, submission
from app.dossiers.invitations import Person
from app.dossiers.models import Dossier, SectionAnswers, Statement
from app.errors import InvalidInput, LinkUnusable
from app.extensions import session, transaction
from app.mail import Mail
from app.schemes import loader
from app.schemes import models as stored_templates
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate, Question

PLACE = ("satisfaction", "clients")
SUPERVISION = ("supervisor", "statement")
CALLER = {"address": "192.0.2.77", "user_agent": "ClientPhone/9"}
NAMES = ("Zeger Wildschut", "Anna Boterbloem", "Mo Quispel", "Xaviera Prins", "Ids Okkema", "Fen Lubbers")
PEOPLE = [Person(name, f"{name.split()[0].lower()}@klant.example", "nl", f"-{n}") for n, name in enumerate(NAMES)]
SCALES = ("clear_agreements", "felt_safe", "own_choices", "expertise", "would_recommend")
Change = Callable[[DossierTemplate], DossierTemplate]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return loader.load_all(Settings())


@pytest.fixture
def dossier(world: World, shipped: Catalogue) -> Dossier:
    world.catalogue = shipped
    owner = world.account()
    with transaction():
        return starting.start(owner, "recertification", "2026.1", [], "nl", catalogue=shipped, settings=world.settings)


# --- other forms ---------------------------------------------------------------------------------------------------


def without(place: tuple[str, str]) -> Change:
    def change(template: DossierTemplate) -> DossierTemplate:
        return edited(template, place, lambda question: None)

    return change


def with_settings(place: tuple[str, str] = PLACE, **settings: Any) -> Change:
    """The question with other settings; one that is ``None`` is left out."""

    def change(template: DossierTemplate) -> DossierTemplate:
        def other(question: Question) -> Question:
            kept = {key: value for key, value in {**question.settings, **settings}.items() if value is not None}
            return replace(question, settings=kept)

        return edited(template, place, other)

    return change


def moved_to(section_id: str) -> Change:
    def change(template: DossierTemplate) -> DossierTemplate:
        question = asked(template)
        emptied = edited(template, PLACE, lambda _: None)
        settings = {key: value for key, value in question.settings.items() if key != "together_with"}
        return replace(
            emptied,
            sections=tuple(
                replace(one, questions=(*one.questions, replace(question, settings=settings))) if one.id == section_id else one
                for one in emptied.sections
            ),
        )

    return change


def edited(template: DossierTemplate, place: tuple[str, str], other: Callable[[Question], Question | None]) -> DossierTemplate:
    sections = []
    for section in template.sections:
        questions: Iterable[Question | None] = section.questions
        if section.id == place[0]:
            questions = [other(one) if one.id == place[1] else one for one in section.questions]
        sections.append(replace(section, questions=tuple(one for one in questions if one is not None)))
    return replace(template, sections=tuple(sections))


def asked(template: DossierTemplate, place: tuple[str, str] = PLACE) -> Question:
    section = template.section(place[0])
    question = section.question(place[1]) if section else None
    assert question is not None
    return question


def reworded(template: DossierTemplate) -> DossierTemplate:
    """Another question, one gone, and another wording of a third."""
    form = [dict(one) for one in asked(template).settings["questions"] if one["id"] != "felt_safe"]
    for one in form:
        if one["id"] == "own_choices":
            one["label"] = {"nl": "Heel iets anders", "en": "Something else altogether"}
    return with_settings(questions=form)(template)


def go(dossier: Dossier, change: Change) -> None:
    with transaction():
        now = stored_templates.get(dossier.template_sha256)
        rebasing.move(dossier, change(now), seen=dossier.template_sha256, by=dossier.owner)


def go_back(dossier: Dossier) -> None:
    with transaction():
        made = former.moves(dossier)[0]
        to = stored_templates.get(made.from_sha256)
        rebasing.move(dossier, to, seen=dossier.template_sha256, by=dossier.owner, back_of=made)


# --- people --------------------------------------------------------------------------------------------------------


def ask(world: World, dossier: Dossier, people: list[Person], place: tuple[str, str] = PLACE) -> list[Statement]:
    with transaction():
        return invitations.invite_all(world.contents(dossier), *place, people, world.settings)


def answers(score: str = "4", **more: str) -> dict[str, str]:
    return {"relation": "client", **dict.fromkeys(SCALES, score), "may_quote": "yes", **more}


def answer(world: World, statement: Statement, **data: str) -> None:
    with transaction():
        statements.save(statement, data or answers(), statement.version)
        statements.sign(statement, world.contents(statement.dossier), typed_name="", **CALLER)


def question(dossier: Dossier, place: tuple[str, str] = PLACE) -> Question:
    return statements.statement_question(dossier, *place)[1]


def tally(world: World, dossier: Dossier, place: tuple[str, str] = PLACE) -> outcomes.Tally:
    return outcomes.tally(world.contents(dossier), place[0], question(dossier, place))


def outcome(world: World, dossier: Dossier, place: tuple[str, str] = PLACE) -> dict[str, Any] | None:
    return outcomes.of(world.contents(dossier), place[0], question(dossier, place))


def said(world: World, dossier: Dossier, place: tuple[str, str] = PLACE) -> list[str]:
    found = completeness.check(world.contents(dossier), world.catalogue, submission.today())
    return [one.text["nl"] for one in found if (one.section, one.question) == place]


def stages(dossier: Dossier) -> dict[str, str]:
    session.expire_all()
    return {one.name: one.stage for one in session.scalars(select(Statement).where(Statement.dossier_id == dossier.id))}


def mails(template: str) -> list[str]:
    return list(session.scalars(select(Mail.to).where(Mail.template == template).order_by(Mail.id)))


def words(found: Mapping[str, Any], of: Question) -> str:
    return "\n".join(text for block in outcome_blocks(found, of, "nl") for text in block_texts(block))


# --- a question that goes elsewhere --------------------------------------------------------------------------------


def test_clients_go_with_their_question_to_another_section(world: World, dossier: Dossier) -> None:
    people = ask(world, dossier, PEOPLE[:5])
    token = world.token("client_invitation")
    for one in people[:4]:
        answer(world, one)
    go(dossier, moved_to("supervisor"))
    place = ("supervisor", "clients")
    assert tally(world, dossier, place).given == 4
    assert statements.by_link(token).id == people[4].id
    answer(world, people[4])
    found = outcome(world, dossier, place)
    assert found is not None
    assert (found["count"], "asked" in found) == (5, False)
    assert said(world, dossier, place) == []


def test_what_was_on_paper_does_not_lock_a_dossier_in_whose_forms_lost_the_table(world: World, dossier: Dossier) -> None:
    people = ask(world, dossier, PEOPLE[:3])
    letters = [world.checked(dossier, pdf() + bytes([n]), f"verklaring {n}.pdf") for n in range(2)]
    with transaction():
        row = session.get(SectionAnswers, (dossier.id, "satisfaction")) or SectionAnswers(
            dossier_id=dossier.id, section_id="satisfaction", data={}, version=0
        )
        session.add(row)
        given = {"given_by": "client", "date": {"day": "4", "month": "3", "year": "2025"}}
        row.data = {
            **row.data,
            "statements": [
                {"row": f"r{n}", "description": f"Verklaring {n}", **given, "statement_file": [letter.id]}
                for n, letter in enumerate(letters)
            ],
        }
    for one in people:
        answer(world, one)
    before = outcome(world, dossier)
    go(dossier, moved_to("supervisor"))
    place = ("supervisor", "clients")
    assert (tally(world, dossier, place).total, tally(world, dossier, place).complete) == (3, True)
    assert said(world, dossier, place) == []
    assert outcome(world, dossier, place) == {**(before or {}), "section": "supervisor"}


# --- another form --------------------------------------------------------------------------------------------------


def test_an_outcome_that_was_made_stays_in_the_words_that_were_answered(world: World, dossier: Dossier) -> None:
    for one in ask(world, dossier, PEOPLE[:5]):
        answer(world, one, **answers(good="Goed werk."))
    before = outcome(world, dossier)
    shown = words(before or {}, question(dossier))
    form = question(dossier).settings["questions"]
    go(dossier, reworded)
    found = outcome(world, dossier)
    assert found == {**(before or {}), "asked": form}
    assert words(found or {}, question(dossier)) == shown
    assert submission.draft_content(world.contents(dossier), world.settings)["outcomes"] == [found]
    assert (said(world, dossier), tally(world, dossier).free) == ([], ())
    go_back(dossier)
    assert outcome(world, dossier) == before


def test_who_is_asked_after_the_first_answer_gets_the_form_of_the_first(world: World, dossier: Dossier) -> None:
    first, second = ask(world, dossier, PEOPLE[:2])
    answer(world, first)
    form = question(dossier).settings["questions"]
    go(dossier, reworded)
    (third,) = ask(world, dossier, PEOPLE[2:3])
    assert [statements.question_of(one).settings["questions"] for one in (first, second, third)] == [form] * 3
    others = ask(world, dossier, PEOPLE[3:5])
    for one in (second, third, *others):
        answer(world, one)
    found = outcome(world, dossier)
    assert found is not None
    assert found["asked"] == form
    assert [row["counts"][3] for row in found["questions"][1:]] == [["4", 5]] * 5


def test_before_the_first_answer_everybody_gets_the_newer_form(world: World, dossier: Dossier) -> None:
    (one,) = ask(world, dossier, PEOPLE[:1])
    go(dossier, reworded)
    assert statements.question_of(one) == question(dossier)
    assert "felt_safe" not in {asked_now.id for asked_now in statements.nested_questions(one)}
    assert one.asked is None


def test_a_remark_is_shown_only_by_the_permission_that_was_asked_for(world: World, dossier: Dossier) -> None:
    people = ask(world, dossier, PEOPLE[:5])
    for number, one in enumerate(people):
        answer(world, one, **answers(good=f"Opmerking {number}.", may_quote="yes" if number else "no", relation="client"))
    form = [dict(one) for one in question(dossier).settings["questions"]]
    for one in form:
        if one["id"] == "may_quote":
            one["id"] = "may_show"
    go(dossier, with_settings(quote_if="may_show", questions=form))
    found = outcome(world, dossier)
    assert found is not None
    assert (sorted(found["remarks"][0]["texts"]), found["remarks"][0]["withheld"]) == (
        [f"Opmerking {n}." for n in range(1, 5)], 1,
    )  # fmt: skip


def test_the_least_that_people_were_promised_holds(world: World, dossier: Dossier) -> None:
    people = ask(world, dossier, PEOPLE[:2])
    for one in people:
        answer(world, one)
    go(dossier, with_settings(least=2, count=2))
    assert (tally(world, dossier).least, tally(world, dossier).can_close) == (3, False)
    go_back(dossier)
    assert [one.asked for one in people] == [None, None]


def test_fewer_are_needed_and_who_is_too_many_is_told(world: World, dossier: Dossier) -> None:
    people = ask(world, dossier, PEOPLE[:5])
    answer(world, people[4])
    go(dossier, with_settings(count=3))
    assert stages(dossier) == dict(zip(NAMES[:5], ["invited"] * 3 + ["revoked", "signed"], strict=True))
    assert mails("client_withdrawn") == [PEOPLE[3].email]
    assert (tally(world, dossier).given, tally(world, dossier).waiting) == (1, 3)


# --- other people, or by name --------------------------------------------------------------------------------------

OTHERWISE: Mapping[str, Change] = {
    "gone": without(PLACE),
    "by name": with_settings(anonymous=None, together_with=None, least=None),
    "supervisors": with_settings(kind="supervisor", anonymous=None, together_with=None, least=None),
}


@pytest.mark.parametrize("change", OTHERWISE.values(), ids=OTHERWISE)
def test_what_was_given_anonymously_is_never_shown_by_name(world: World, dossier: Dossier, change: Change) -> None:
    people = ask(world, dossier, PEOPLE[:4])
    token = world.token("client_invitation")
    for one in people[:3]:
        answer(world, one, **answers(good="Een geheim."))
    go(dossier, change)
    contents = world.contents(dossier)
    assert stages(dossier) == dict(zip(NAMES[:4], ["signed"] * 3 + ["revoked"], strict=True))
    assert mails("client_withdrawn") == [PEOPLE[3].email]
    with pytest.raises(LinkUnusable) as refusal:
        statements.by_link(token)
    assert refusal.value.text["nl"].startswith("Deze vragen worden niet meer gesteld.")
    assert all(statements.is_anonymous(one) and not statements.is_asked(one, contents) for one in people)
    assert contents.statement(*PLACE) is None
    assert completeness.hook_data(contents, submission.today())["statements"] == []
    content = submission.draft_content(contents, world.settings)
    assert (content["statements"], content["outcomes"]) == ([], [])
    (kept,) = outcomes.former(contents)
    assert (kept.count, kept.outcome, kept.question.label) == (3, None, people[0].asked["label"] if people[0].asked else "")
    copy = session.scalars(select(Mail).where(Mail.template == "client_thanks")).first()
    assert copy is not None
    assert statements.by_copy_link(str(copy.data["link"]).rpartition("/")[2]) is people[0]
    go_back(dossier)
    assert (tally(world, dossier).given, outcomes.former(world.contents(dossier))) == (3, [])


@pytest.mark.parametrize("change", OTHERWISE.values(), ids=OTHERWISE)
def test_a_made_outcome_that_is_not_asked_any_more_stays_to_be_read(world: World, dossier: Dossier, change: Change) -> None:
    for one in ask(world, dossier, PEOPLE[:5]):
        answer(world, one)
    before, of = outcome(world, dossier), question(dossier)
    go(dossier, change)
    (kept,) = outcomes.former(world.contents(dossier))
    assert {"section": PLACE[0], "question": PLACE[1], **(kept.outcome or {})} == before
    assert words(kept.outcome or {}, kept.question) == words(before or {}, of)
    go_back(dossier)
    assert outcome(world, dossier) == before


def test_nobody_answers_by_name_what_he_answered_anonymously_and_the_reverse(world: World, dossier: Dossier) -> None:
    for one in ask(world, dossier, PEOPLE[:5]):
        answer(world, one)
    go(dossier, OTHERWISE["by name"])
    with pytest.raises(InvalidInput) as refusal, transaction():
        invitations.invite(
            world.contents(dossier), *PLACE, name=NAMES[0], email=PEOPLE[0].email, language="nl", settings=world.settings
        )
    assert refusal.value.details["field"] == "email"
    with transaction():
        other = invitations.invite(
            world.contents(dossier), *PLACE, name=NAMES[5], email=PEOPLE[5].email, language="nl", settings=world.settings
        )
    answer_by_name(world, other)
    assert [one["supervisor"]["name"] for one in content(world, dossier)] == [NAMES[5]]
    go_back(dossier)
    assert tally(world, dossier).given == 5
    assert content(world, dossier) == []
    assert not statements.is_anonymous(other)


def answer_by_name(world: World, statement: Statement) -> None:
    with transaction():
        statements.save(statement, answers(), statement.version)
        statements.sign(statement, world.contents(statement.dossier), typed_name=statement.name, **CALLER)


def content(world: World, dossier: Dossier) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = submission.draft_content(world.contents(dossier), world.settings)["statements"]
    return found


def test_a_second_outcome_never_counts_somebody_of_the_first(world: World, dossier: Dossier) -> None:
    before = stored_templates.get(dossier.template_sha256)
    for one in ask(world, dossier, PEOPLE[:5]):
        answer(world, one)
    go(dossier, without(PLACE))
    fresh = replace(asked(before), label={"nl": "Wat vonden zij?", "en": "What did they think?"})
    settings = {key: value for key, value in fresh.settings.items() if key != "together_with"}

    def elsewhere(template: DossierTemplate) -> DossierTemplate:
        sections = [
            replace(one, questions=(*one.questions, replace(fresh, settings=settings))) if one.id == "supervisor" else one
            for one in template.sections
        ]
        return replace(template, sections=tuple(sections))

    go(dossier, elsewhere)
    place = ("supervisor", "clients")
    assert (tally(world, dossier, place).given, len(outcomes.former(world.contents(dossier)))) == (0, 1)
    with pytest.raises(InvalidInput):
        ask(world, dossier, [PEOPLE[5], PEOPLE[0]], place)
    assert len(ask(world, dossier, [PEOPLE[5]], place)) == 1


# --- supervisors ---------------------------------------------------------------------------------------------------


def test_what_a_supervisor_signed_keeps_the_words_that_he_answered(world: World) -> None:
    dossier = world.dossier()
    world.fill(dossier)
    form = statements.statement_question(dossier, "closing", "supervisor")[1].settings["questions"]
    other = [{**form[0], "label": {"nl": "Bezwaren", "en": "Objections"}}]
    go(dossier, with_settings(("closing", "supervisor"), questions=other))
    statement = session.scalars(select(Statement)).one()
    assert [one.label["nl"] for one in statements.nested_questions(statement)] == ["Oordeel", "Uren"]
    assert content(world, dossier)[0]["asked"] == form
    go_back(dossier)
    assert "asked" not in content(world, dossier)[0]


def test_a_supervisor_signs_only_what_the_form_asks_and_can_read_the_rest(world: World) -> None:
    dossier = world.dossier()
    statement, _ = world.invite(dossier)
    with transaction():
        statements.save(statement, {"opinion": "Goed werk.", "hours": "7"}, statement.version)
    form = statements.statement_question(dossier, "closing", "supervisor")[1].settings["questions"]
    go(dossier, with_settings(("closing", "supervisor"), questions=[form[0]]))
    left = [(one.label["nl"], answer) for one, answer in statements.no_longer_asked(statement)]
    assert (left, statements.given(statement)) == ([("Uren", "7")], {"opinion": "Goed werk."})
    with transaction():
        statements.note_read(statement, world.contents(dossier), **CALLER)
        statements.sign(statement, world.contents(dossier), typed_name="Els Bos", **CALLER)
    consent, independence = statements.declarations(statement)
    signed = {"answers": {"opinion": "Goed werk."}, "consent": consent, "documents": [], "independence": independence}
    assert statement.content_sha256 == statements.sha256(statements.canonical({**signed, "name": "Els Bos"}))
    assert content(world, dossier)[0]["answers"] == {"opinion": "Goed werk."}


def test_a_supervisors_invitation_for_a_question_that_went_is_withdrawn_and_he_is_told(world: World) -> None:
    dossier = world.dossier()
    _, token = world.invite(dossier)
    go(dossier, without(("closing", "supervisor")))
    assert mails("supervisor_withdrawn") == ["els@praktijk.example"]
    with pytest.raises(LinkUnusable) as refusal:
        statements.by_link(token)
    assert refusal.value.text["nl"] == (
        "Deze verklaring wordt niet meer gevraagd: de formulieren zijn veranderd. U hoeft niets te doen. Dank u wel."
    )
    assert invitations.waiting() == []


def test_a_supervisor_may_be_asked_again_for_a_question_with_another_name(world: World) -> None:
    dossier = world.dossier()
    world.fill(dossier)
    go(dossier, without(("closing", "supervisor")))
    now = stored_templates.get(dossier.template_sha256)
    assert statements.was_asked_before(dossier, "closing", "supervisor")
    first = asked(stored_templates.get(former.moves(dossier)[0].from_sha256), ("closing", "supervisor"))
    renamed = replace(first, id="supervision", label={"nl": "Supervisie", "en": "Supervision"})
    sections = tuple(replace(one, questions=(*one.questions, renamed)) if one.id == "closing" else one for one in now.sections)
    go(dossier, lambda template: replace(template, sections=sections))
    with transaction():
        again = invitations.invite(
            world.contents(dossier), "closing", "supervision",
            name="Els Bos", email="els@praktijk.example", language="nl", settings=world.settings,
        )  # fmt: skip
    assert again.stage == "invited"
