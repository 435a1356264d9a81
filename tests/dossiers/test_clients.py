"""Clients who answer anonymously: asking several, counting, and nothing by which anybody can be told apart."""

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_world import World, pdf
from sqlalchemy import select

from app.accounts.models import Message
from app.assessment import assignment
from app.config import Settings
from app.documents.content import block_texts
from app.documents.outcome_blocks import outcome_blocks
from app.dossiers import client_data, completeness, invitations, outcomes, starting, statements, submission
from app.dossiers.invitations import Person
from app.dossiers.models import Dossier, DossierEvent, SectionAnswers, Statement, StatementEvent
from app.errors import Conflict, InvalidInput, LinkUnusable
from app.extensions import session, transaction
from app.mail import Mail
from app.schemes import loader, question_types, statement_settings
from app.schemes.loader import Catalogue
from app.schemes.model import Question

PLACE = ("satisfaction", "clients")
CALLER = {"address": "192.0.2.77", "user_agent": "ClientPhone/9"}
NAMES = ("Zeger Wildschut", "Anna Boterbloem", "Mo Quispel", "Xaviera Prins", "Ids Okkema")
PEOPLE = [Person(name, f"{name.split()[0].lower()}@klant.example", "nl", f"-{n}") for n, name in enumerate(NAMES)]
SCALES = ("clear_agreements", "felt_safe", "own_choices", "expertise", "would_recommend")


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return loader.load_all(Settings())


@pytest.fixture
def dossier(world: World, shipped: Catalogue) -> Dossier:
    world.catalogue = shipped
    owner = world.account()
    with transaction():
        return starting.start(owner, "recertification", "2026.1", [], "nl", catalogue=shipped, settings=world.settings)


def question(dossier: Dossier) -> Question:
    return statements.statement_question(dossier, *PLACE)[1]


def ask(world: World, dossier: Dossier, people: list[Person]) -> list[Statement]:
    with transaction():
        return invitations.invite_all(world.contents(dossier), *PLACE, people, world.settings)


def answers(score: str = "4", **more: str) -> dict[str, str]:
    return {"relation": "client", **dict.fromkeys(SCALES, score), "may_quote": "yes", **more}


def answer(world: World, statement: Statement, **data: str) -> None:
    with transaction():
        statements.save(statement, data or answers(), statement.version)
        statements.sign(statement, world.contents(statement.dossier), typed_name="", **CALLER)


def said(world: World, dossier: Dossier) -> list[str]:
    found = completeness.check(world.contents(dossier), world.catalogue, submission.today())
    return [one.text["nl"] for one in found if (one.section, one.question) == PLACE]


def tally(world: World, dossier: Dossier) -> outcomes.Tally:
    return outcomes.tally(world.contents(dossier), "satisfaction", question(dossier))


def add_on_paper(world: World, dossier: Dossier, count: int) -> None:
    rows = [paper_row(world, dossier, n) for n in range(count)]
    put_rows(dossier, rows)


def paper_row(world: World, dossier: Dossier, number: int, file: bytes = b"") -> dict[str, Any]:
    file = file or pdf().replace(b"%%EOF", b"%%%%EOF %d" % number)
    proof = world.checked(dossier, file, f"verklaring {number}.pdf")
    given = {
        "description": f"Verklaring {number}",
        "given_by": "client",
        "date": {"day": "4", "month": "3", "year": "2025"},
        "mark": "",
    }
    return {"row": f"r{number}", **given, "statement_file": [proof.id]}


def put_rows(dossier: Dossier, rows: list[dict[str, Any]]) -> None:
    with transaction():
        row = session.get(SectionAnswers, (dossier.id, "satisfaction"))
        assert row is not None
        row.data, row.version = {**row.data, "statements": rows}, row.version + 1


# --- asking --------------------------------------------------------------------------------------------------------


def test_several_are_asked_at_once_and_a_decline_leaves_its_place_to_another(world: World, dossier: Dossier) -> None:
    assert said(world, dossier) == ["Er is nog geen van de 5 tevredenheidsverklaringen binnen. Vraag nog 5 personen."]
    asked = ask(world, dossier, PEOPLE)
    mails = session.scalars(select(Mail).order_by(Mail.id)).all()
    assert [(one.to, one.template) for one in mails] == [(one.email, "client_invitation") for one in PEOPLE]
    assert {one.data["role"] for one in mails} == {"cliënt of opdrachtgever"}
    assert {(one.token_expires_at - one.invited_at).days for one in asked} <= {29, 30}
    for one in asked[:3]:
        answer(world, one)
    with transaction():
        statements.decline(asked[3], "Liever niet", **CALLER)
    assert said(world, dossier) == ["Er zijn 3 van de 5 tevredenheidsverklaringen binnen. Vraag nog 1 persoon."]
    with pytest.raises(InvalidInput) as refusal:
        ask(world, dossier, [PEOPLE[3]])
    assert refusal.value.details["field"] == "email-3"
    (other,) = ask(world, dossier, [Person("Piet Saman", "piet@klant.example", "en")])
    assert (other.place, tally(world, dossier).free) == (3, ())
    assert session.scalars(select(DossierEvent.kind)).all() == ["created"]


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (Person("Sanne de Vries", "x@klant.example", "nl", "-1"), "name-1"),
        (Person("Iemand Anders", "Sanne.de.Vries+x@voorbeeld.nl", "nl", "-1"), "email-1"),
        (Person("Iemand Anders", "zeger+twee@klant.example", "nl", "-1"), "email-1"),
        (Person("Iemand Anders", "els+x@praktijk.example", "nl", "-1"), "email-1"),
    ],
)
def test_one_wrong_row_asks_nobody(world: World, dossier: Dossier, person: Person, field: str) -> None:
    with transaction():
        invitations.invite(
            world.contents(dossier), "supervisor", "statement",
            name="Els Bos", email="els@praktijk.example", language="nl", settings=world.settings,
        )  # fmt: skip
    with pytest.raises(InvalidInput) as refusal:
        ask(world, dossier, [PEOPLE[0], person])
    assert refusal.value.details["field"] == field
    session.expire_all()
    assert len(session.scalars(select(Statement)).all()) == 1
    ask(world, dossier, [PEOPLE[0]])
    with pytest.raises(InvalidInput), transaction():
        invitations.correct(
            session.scalars(select(Statement)).first(), name="Els", email=PEOPLE[0].email, settings=world.settings
        )


# --- counting ------------------------------------------------------------------------------------------------------


def test_the_outcome_is_there_at_once_when_all_are_in_and_never_before(world: World, dossier: Dossier) -> None:
    asked = ask(world, dossier, PEOPLE)
    for one in asked:
        assert outcomes.of(world.contents(dossier), "satisfaction", question(dossier)) is None
        with pytest.raises(Conflict), transaction():
            invitations.close(world.contents(dossier), *PLACE)
        answer(world, one)
    assert tally(world, dossier).complete
    assert said(world, dossier) == []
    with pytest.raises(Conflict), transaction():
        invitations.revoke(asked[0])
    assert session.get_one(Statement, asked[0].id).stage == "signed"
    told = session.scalars(select(Message).order_by(Message.id)).all()
    assert [(one.template, one.data["n"], one.data["total"]) for one in told] == [("client_answered", n, 5) for n in range(1, 6)]


def test_three_by_mail_and_two_on_paper_are_closed_by_the_candidate_once(world: World, dossier: Dossier) -> None:
    world.save(dossier, "satisfaction", lesson="Les.")
    asked = ask(world, dossier, PEOPLE[:4])
    for one in asked[:2]:
        answer(world, one)
    add_on_paper(world, dossier, 3)
    assert said(world, dossier) == [
        "Per e-mail zijn er minstens 3 nodig, anders is te zien wie wat antwoordde. Er zijn er 2 binnen."
    ]
    with pytest.raises(Conflict), transaction():
        invitations.close(world.contents(dossier), *PLACE)
    answer(world, asked[2])
    assert said(world, dossier) == [
        "Er zijn genoeg tevredenheidsverklaringen binnen. Sluit het vragen af; dan ziet u de uitkomst."
    ]
    with transaction():
        assert invitations.close(world.contents(dossier), *PLACE) == [asked[3]]
    assert (asked[3].stage, said(world, dossier)) == ("revoked", [])
    assert session.scalars(select(Mail.to).where(Mail.template == "client_withdrawn")).all() == [PEOPLE[3].email]
    with pytest.raises(Conflict), transaction():
        invitations.close(world.contents(dossier), *PLACE)
    add_on_paper(world, dossier, 1)
    assert "\n".join(said(world, dossier)) == (
        "Er zijn 4 van de 5 tevredenheidsverklaringen binnen. "
        "Het vragen per e-mail is afgesloten. Voeg er nog 1 toe op papier; vraag daar zo nodig nog iemand om."
    )
    with pytest.raises(Conflict):
        ask(world, dossier, [PEOPLE[4]])


def test_five_on_paper_are_enough_and_an_open_invitation_then_waits(world: World, dossier: Dossier) -> None:
    world.save(dossier, "satisfaction", lesson="Les.")
    add_on_paper(world, dossier, 5)
    assert said(world, dossier) == []
    (one,) = ask(world, dossier, PEOPLE[:1])
    assert said(world, dossier) == ["Er staat nog 1 uitnodiging open. Wacht op het antwoord of trek haar in."]
    with transaction():
        invitations.revoke(one)
    assert said(world, dossier) == []


@pytest.mark.parametrize("spoil", ["empty", "no file", "same file", "same content", "not checked", "later date"])
def test_a_row_on_paper_counts_only_whole_and_with_a_file_of_its_own(world: World, dossier: Dossier, spoil: str) -> None:
    world.save(dossier, "satisfaction", lesson="Les.")
    for one in ask(world, dossier, PEOPLE[:3]):
        answer(world, one)
    good = [paper_row(world, dossier, n) for n in range(2)]
    first, second = good
    if spoil == "empty":
        rows = [{"row": "r0", "description": ""}, {"row": "r1", "description": ""}]
    elif spoil == "no file":
        rows = [first | {"statement_file": []}, second | {"statement_file": []}]
    elif spoil == "same file":
        rows = [first, second | {"statement_file": first["statement_file"]}]
    elif spoil == "same content":
        again = pdf()
        rows = [paper_row(world, dossier, 7, again), paper_row(world, dossier, 8, again)]
    elif spoil == "not checked":
        rows = [first, second | {"statement_file": [world.receive(dossier, b"%PDF-1.7", "nieuw.pdf", "pdf").id]}]
    else:
        rows = [first, second | {"date": {"day": "4", "month": "3", "year": "2999"}}]
    put_rows(dossier, rows)
    whole = 0 if spoil in ("empty", "no file") else 1
    found = tally(world, dossier)
    assert (found.on_paper, found.unfinished, found.can_close) == (whole, 2 - whole, False)
    with pytest.raises(Conflict), transaction():
        invitations.close(world.contents(dossier), *PLACE)
    put_rows(dossier, good)
    assert (tally(world, dossier).on_paper, tally(world, dossier).unfinished) == (2, 0)
    with transaction():
        invitations.close(world.contents(dossier), *PLACE)
    assert said(world, dossier) == []


# --- nobody can be told apart --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_outcome_is_the_same_in_whatever_order_people_answered(shipped: Catalogue, data: st.DataObject) -> None:
    asked = loader.compose(shipped, "recertification", "2026.1", []).section("satisfaction").question("clients")  # type: ignore[union-attr]
    assert asked is not None
    one = st.fixed_dictionaries(
        {name: st.sampled_from("12345") for name in SCALES},
        optional={
            "relation": st.sampled_from(["client", "commissioner"]),
            "good": st.text(max_size=20),
            "better": st.sampled_from(["Tempo", "", "  "]),
            "may_quote": st.sampled_from(["yes", "no", ""]),
        },
    )
    people = data.draw(st.lists(one, min_size=3, max_size=5))
    other = data.draw(st.permutations(people))
    outcome = outcomes.added_up(asked, people, seed="LR-1")
    assert outcomes.added_up(asked, other, seed="LR-1") == outcome
    assert [sum(n for _, n in row["counts"]) for row in outcome["questions"]][1:] == [len(people)] * len(SCALES)
    allowed = sorted(
        str(who["good"]).strip()
        for who in people
        if who.get("may_quote") == "yes" and not question_types.nothing(who.get("good"))
    )
    assert sorted(outcome["remarks"][0]["texts"]) == allowed


def texts_of(world: World, dossier: Dossier) -> str:
    content = submission.draft_content(world.contents(dossier), world.settings)
    found = content["outcomes"][0]
    shown = [
        text
        for language in ("nl", "en")
        for block in outcome_blocks(found, question(dossier), language)
        for text in block_texts(block)
    ]
    return json.dumps(content["outcomes"]) + json.dumps(content["statements"]) + "\n".join(shown)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 2, 0, 3, 1), (3, 4, 1, 2, 0)])
def test_snapshot_and_pages_hold_no_name_address_day_or_order(world: World, dossier: Dossier, order: tuple[int, ...]) -> None:
    asked = ask(world, dossier, PEOPLE)
    for moment, number in enumerate(order):
        answer(world, asked[number], **answers(str(1 + number), good=f"Dit vond ik goed: {'abcde'[number]}."))
        with transaction():
            asked[number].signed_at = datetime(2026, 9 + moment // 3, 3 + moment, 14, 31, 7, tzinfo=UTC)
    whole = texts_of(world, dossier)
    for one, statement in zip(PEOPLE, asked, strict=True):
        for secret in (*one.name.split(), one.email, statement.content_sha256, CALLER["address"], "ClientPhone"):
            assert str(secret) not in whole
    assert not any(f"2026-{month:02d}-" in whole or f"-{day:02d}T" in whole for month in (9, 10) for day in range(1, 9))
    outcome = submission.draft_content(world.contents(dossier), world.settings)["outcomes"][0]
    assert outcome["months"] == ["2026-09", "2026-10"]
    assert outcome["questions"][1] == {"id": "clear_agreements", "counts": [[str(n), 1] for n in range(1, 6)]}
    letters = [text[-2] for text in outcome["remarks"][0]["texts"]]
    assert sorted(letters) == list("abcde")
    assert letters == _letters_of_another_order(dossier)
    kept = session.execute(select(StatementEvent.address, StatementEvent.user_agent)).all()
    assert {tuple(row) for row in kept} == {("", "")}


def _letters_of_another_order(dossier: Dossier) -> list[str]:
    """In which order the remarks come when the people answered in each other order: always one and the same."""
    people = [answers(good=f"Dit vond ik goed: {letter}.") for letter in "abcde"]
    found = {
        tuple(text[-2] for text in outcomes.added_up(question(dossier), order, seed=dossier.reference)["remarks"][0]["texts"])
        for order in itertools.permutations(people)
    }
    (one,) = found
    return list(one)


@pytest.mark.parametrize(
    ("remark", "tells"),
    [
        ("Ik, Zeger, vond het goed.", True),
        ("Groeten, Wildschut!", True),
        ("Mail gerust: zeger@klant.example.", True),
        ("Dit zegt zeger wildschut", True),
        ("Heel slecht. zeger", True),
        ("Bel mij gerust op 06-87654321, ik ben directeur.", True),
        ("Mijn BSN is 111222333.", True),
        ("Mevrouw De Vries luisterde goed.", False),
        ("Hij vroeg door en gaf mij de tijd.", False),
    ],
)
def test_a_remark_with_ones_own_name_is_pointed_out_before_sending(
    world: World, dossier: Dossier, remark: str, tells: bool
) -> None:
    (one,) = ask(world, dossier, PEOPLE[:1])
    with transaction():
        statements.save(one, answers(good=remark), 0)
    found = statements.problems(one, world.catalogue.types, submission.today())
    assert [name for name, _ in found] == (["good"] if tells else [])


def test_a_remark_that_still_tells_who_it_is_is_never_quoted(world: World, dossier: Dossier) -> None:
    asked = ask(world, dossier, PEOPLE)
    for one, remark in zip(asked, ("Bel 06-87654321.", "Slecht. anna", "Goed.", "", "Heel goed."), strict=True):
        answer(world, one, **answers(good=remark, better="Niets."))
    outcome = outcomes.of(world.contents(dossier), "satisfaction", question(dossier))
    assert outcome is not None
    good, better = outcome["remarks"]
    assert (sorted(good["texts"]), good["withheld"]) == (["Goed.", "Heel goed."], 2)
    assert (better["texts"], better["withheld"]) == (["Niets."] * 3, 2)


def test_a_short_name_that_is_a_word_too_is_seen_with_a_capital_only(world: World, dossier: Dossier) -> None:
    (one,) = ask(world, dossier, [Person("Wil Bakkers", "w@klant.example", "nl")])
    found = {text: outcomes.tells_who(one, text) for text in ("Ik wil meer.", "Groet, Wil", "groet, bakkers")}
    assert found == {"Ik wil meer.": False, "Groet, Wil": True, "groet, bakkers": True}


def test_assessors_and_the_helper_for_personal_data_never_learn_the_names(world: World, dossier: Dossier) -> None:
    asked = ask(world, dossier, PEOPLE)
    answer(world, asked[0])
    assert assignment.people_around(dossier) == {"supervisors": [], "mentors": []}
    known = client_data._known(world.contents(dossier), "bureau@voorbeeld.nl")
    assert not any(known.has_email(one.email) or known.has_name(one.name) for one in PEOPLE)


def test_nothing_goes_stale_and_the_link_is_spent(world: World, dossier: Dossier) -> None:
    (one,) = ask(world, dossier, PEOPLE[:1])
    token = world.token("client_invitation")
    answer(world, one)
    world.save(dossier, "development_report", goals="Heel iets anders.")
    assert not statements.is_stale(one, world.contents(dossier))
    with pytest.raises(LinkUnusable):
        statements.by_link(token)
    copy = session.scalars(select(Mail).where(Mail.template == "client_thanks")).one()
    assert statements.by_copy_link(str(copy.data["link"]).rpartition("/")[2]) is one


# --- the settings --------------------------------------------------------------------------------------------------

GOOD: Mapping[str, Any] = {
    "kind": "client", "anonymous": True, "count": 5, "reads": [], "quote_if": "may",
    "questions": [
        {"id": "score", "type": "scale"}, {"id": "remark", "type": "long_text"}, {"id": "may", "type": "declaration"}
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({}, None),
        ({"kind": "supervisor"}, ("anonymous",)),
        ({"reads": ["practice"]}, ("reads",)),
        ({"upload": True}, ("upload",)),
        ({"count": 2}, ("anonymous",)),
        ({"quote_if": "score"}, ("quote_if",)),
        ({"quote_if": None}, ("anonymous",)),
        ({"questions": [{"id": "may", "type": "declaration"}, {"id": "when", "type": "date"}]}, ("questions", 1, "type")),
    ],
)
def test_settings_that_would_show_who_answered_are_faults(change: Mapping[str, Any], place: tuple[object, ...] | None) -> None:
    found = [where for where, _ in statement_settings.misfits({**GOOD, **change})]
    assert found == ([place] if place else [])


def test_an_average_is_rounded_to_one_decimal_and_counts_who_answered() -> None:
    assert str(outcomes.average([["1", 1], ["2", 0], ["3", 0], ["4", 1], ["5", 2]])) == "3.8"
    assert str(outcomes.average([["low", 1], ["high", 1]])) == "1.5"
    assert outcomes.average([["1", 0], ["2", 0]]) is None
