"""A supervisor's statement from invitation to signature: the link, the working session, what it is bound to."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from databases import only_sqlite
from small_world import SUPERVISOR, World
from sqlalchemy import select, text, update

from app.dossiers import invitations, lifecycle, statements
from app.dossiers.models import Dossier, DossierEvent, Statement, StatementEvent
from app.errors import Conflict, Forbidden, InvalidInput, LinkUnusable, NotFound, TooManyRequests
from app.extensions import now, session, transaction
from app.mail import Mail
from app.plugin_api import Problem
from app.texts import both

CALLER = {"address": "192.0.2.9", "user_agent": "Safari"}


@pytest.fixture
def dossier(world: World) -> Dossier:
    dossier = world.dossier()
    world.save(dossier, "practice", name="Sanne", form="job", story="Een verhaal van mij.")
    return dossier


def events(statement: Statement) -> list[str]:
    return [event.kind for event in statements.events([statement.id])[statement.id]]


def open_session(statement: Statement) -> str:
    with transaction():
        return statements.open_session(statement, **CALLER)


def is_stale(world: World, statement: Statement) -> bool:
    return statements.is_stale(statement, world.contents(statement.dossier))


def age(statement: Statement, **columns: timedelta) -> None:
    with transaction():
        session.execute(update(Statement).where(Statement.id == statement.id).values({k: now() - v for k, v in columns.items()}))


# --- inviting ------------------------------------------------------------------------------------------------------


def test_invite_mails_a_link_that_is_kept_as_a_hash_only(world: World, dossier: Dossier) -> None:
    statement, token = world.invite(dossier)
    mail = session.scalars(select(Mail)).one()
    assert (mail.to, mail.template, mail.language) == (SUPERVISOR, "supervisor_invitation", "nl")
    assert mail.data == {
        "name": "Els Bos",
        "candidate": "Sanne de Vries",
        "until": (now() + timedelta(days=60)).date().isoformat(),
        "link": f"/verklaring/{token}",
    }
    assert len(token) >= 43  # 256 bits
    assert statement.token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert (statement.stage, statement.version, statement.data, events(statement)) == ("invited", 0, {}, ["sent"])


@only_sqlite
def test_r15_token_is_nowhere_in_the_database_once_the_mail_is_sent(world: World, dossier: Dossier) -> None:
    _, token = world.invite(dossier)
    world.work()
    assert session.scalars(select(Mail)).one().stage == "sent"
    session.rollback()
    with world.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    for path in world.settings.instance.glob("loopbaandossier.sqlite*"):
        assert token.encode() not in path.read_bytes()
    (letter,) = world.settings.outbox.glob("*.eml")
    assert f"/verklaring/{token}".encode() in letter.read_bytes().replace(b"=\r\n", b"")


@pytest.mark.parametrize("email", ["sanne.de.vries@voorbeeld.nl", " Sanne.de.Vries@VOORBEELD.nl "])
def test_invite_refuses_the_candidate_himself(world: World, dossier: Dossier, email: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        world.invite(dossier, email)
    assert refusal.value.text["nl"] == "Dit is uw eigen e-mailadres. Een verklaring moet van iemand anders komen."


def test_invite_keeps_the_address_in_the_form_of_accounts(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier, " Els.Bos@Münchener-Büro.example ")
    assert statement.email == "els.bos@xn--mnchener-bro-dlbj.example"


@pytest.mark.parametrize(
    ("email", "name"),
    [("els", "Els Bos"), ("a@x.nl, b@x.nl", "Els Bos"), ("a@x.nl\r\nBcc: b@x.nl", "Els Bos"), (SUPERVISOR, " "),
     (SUPERVISOR, "E"), (SUPERVISOR, "x" * 121), (SUPERVISOR, "Els\x00"), ("", "Els Bos")],
)  # fmt: skip
def test_r17_invite_refuses_what_is_not_one_person(world: World, dossier: Dossier, email: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        world.invite(dossier, email, name)
    assert session.scalars(select(Statement)).all() == []
    assert session.scalars(select(Mail)).all() == []


def test_invite_puts_a_name_on_one_line(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier, name=" Els\r\n  Bos\t(coach) ")
    assert statement.name == "Els Bos (coach)"


def test_invite_refuses_a_language_that_we_do_not_have(world: World, dossier: Dossier) -> None:
    with pytest.raises(InvalidInput), transaction():
        invitations.invite(
            world.contents(dossier), "closing", "supervisor",
            name="Els Bos", email=SUPERVISOR, language="fr", settings=world.settings,
        )  # fmt: skip


def test_invite_refuses_a_second_one_while_the_first_is_open_or_given(world: World, dossier: Dossier) -> None:
    stale = world.contents(dossier)
    statement, _ = world.invite(dossier)
    for _ in range(2):
        with pytest.raises(Conflict), transaction():
            invitations.invite(
                stale, "closing", "supervisor",
                name="Jan", email="jan@x.example", language="nl", settings=world.settings,
            )  # fmt: skip
        if statement.stage == "invited":
            world.sign(statement)


def test_invite_again_after_declining_or_revoking(world: World, dossier: Dossier) -> None:
    first, _ = world.invite(dossier)
    with transaction():
        statements.decline(first, "", **CALLER)
    second, _ = world.invite(dossier, "jan@x.example", "Jan Smit")
    with transaction():
        invitations.revoke(second)
    third, _ = world.invite(dossier)
    assert [one.stage for one in (first, second, third)] == ["declined", "revoked", "invited"]
    assert world.contents(dossier).statement("closing", "supervisor") is third


def test_invite_refuses_other_questions_and_a_dossier_that_is_not_open(world: World, dossier: Dossier) -> None:
    for section, question in (("closing", "code"), ("practice", "supervisor"), ("nowhere", "supervisor")):
        with pytest.raises(NotFound), transaction():
            invitations.invite(
                world.contents(dossier), section, question,
                name="Els Bos", email=SUPERVISOR, language="nl", settings=world.settings,
            )  # fmt: skip
    with transaction():
        lifecycle.advance(dossier, "withdrawn")
    with pytest.raises(Forbidden):
        world.invite(dossier)


# --- the link and the working session ------------------------------------------------------------------------------


def test_by_link_finds_the_statement_and_changes_nothing(world: World, dossier: Dossier) -> None:
    statement, token = world.invite(dossier)
    assert statements.by_link(token) is statement
    assert not session.dirty
    assert events(statement) == ["sent"]


@pytest.mark.parametrize("token", ["", "x", "\ufffd", "0" * 64])
def test_by_link_refuses_an_unknown_token(world: World, dossier: Dossier, token: str) -> None:
    world.invite(dossier)
    with pytest.raises(LinkUnusable):
        statements.by_link(token)
    with pytest.raises(LinkUnusable):
        statements.by_session(token)


def test_r15_by_link_refuses_the_hash_itself(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(LinkUnusable):
        statements.by_link(statement.token_sha256)


def test_by_link_says_when_it_has_expired(world: World, dossier: Dossier) -> None:
    statement, token = world.invite(dossier)
    age(statement, token_expires_at=timedelta(seconds=1))
    with pytest.raises(LinkUnusable) as refusal:
        statements.by_link(token)
    assert refusal.value.text["nl"] == "Deze link is verlopen. Vraag de kandidaat om een nieuwe uitnodiging."


def test_by_link_is_spent_by_signing_declining_and_revoking_and_says_which(world: World, dossier: Dossier) -> None:
    said = []
    for end in ("sign", "decline", "revoke"):
        statement, token = world.invite(dossier)
        if end == "sign":
            world.sign(statement)
        elif end == "decline":
            with transaction():
                statements.decline(statement, "ken ik niet", **CALLER)
        else:
            with transaction():
                invitations.revoke(statement)
        with pytest.raises(LinkUnusable) as refusal:
            statements.by_link(token)
        said.append(refusal.value.text["nl"])
        if end == "sign":
            with transaction():
                invitations.revoke(statement)
    assert said == [
        "Deze verklaring is al ondertekend. Dank u wel; u hoeft niets meer te doen.",
        "U hebt aangegeven dat u deze verklaring niet geeft. De kandidaat heeft daar bericht van.",
        "Deze uitnodiging is ingetrokken. Vraag de kandidaat om een nieuwe uitnodiging.",
    ]


def test_link_and_session_stop_when_the_dossier_is_withdrawn(world: World, dossier: Dossier) -> None:
    statement, token = world.invite(dossier)
    open_session(statement)
    with transaction():
        lifecycle.advance(dossier, "withdrawn")
    for deed in (
        lambda: statements.by_link(token),
        lambda: statements.save(statement, {"opinion": "x"}, 0),
        lambda: statements.sign(statement, world.contents(dossier), typed_name="Els Bos", **CALLER),
        lambda: statements.decline(statement, "", **CALLER),
    ):
        with pytest.raises(LinkUnusable), transaction():
            deed()
    with pytest.raises(Forbidden), transaction():
        invitations.remind(statement, world.settings)
    assert (statement.stage, statement.data) == ("invited", {})


def test_session_ends_when_a_newer_one_is_opened(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    first, second = open_session(statement), open_session(statement)
    assert statements.by_session(second) is statement
    with pytest.raises(LinkUnusable):
        statements.by_session(first)
    assert statement.session_sha256 == hashlib.sha256(second.encode()).hexdigest()
    assert events(statement) == ["sent", "opened", "opened"]


def test_session_ends_by_time_and_with_the_link(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    secret = open_session(statement)
    assert timedelta(hours=11) < statement.session_expires_at - now() <= timedelta(hours=12)  # type: ignore[operator]
    age(statement, session_expires_at=timedelta(seconds=1))
    with pytest.raises(LinkUnusable):
        statements.by_session(secret)
    with transaction():
        statement.token_expires_at = now() + timedelta(minutes=5)
    open_session(statement)
    assert statement.session_expires_at == statement.token_expires_at


def test_remind_sends_a_fresh_link_and_leaves_the_session(world: World, dossier: Dossier) -> None:
    statement, old = world.invite(dossier)
    secret = open_session(statement)
    age(statement, token_expires_at=timedelta(days=1))
    with transaction():
        invitations.remind(statement, world.settings)
    assert statements.by_link(world.token()) is statement
    with pytest.raises(LinkUnusable):
        statements.by_link(old)
    assert statements.by_session(secret) is statement
    assert events(statement) == ["sent", "opened", "reminded"]


def test_remind_refuses_when_there_is_nothing_to_wait_for(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    world.sign(statement)
    with pytest.raises(Conflict), transaction():
        invitations.remind(statement, world.settings)


def test_revoke_stops_the_session_and_keeps_what_was_signed(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    secret = open_session(statement)
    world.sign(statement)
    with transaction():
        invitations.revoke(statement)
    assert (statement.stage, statement.signed_name) == ("revoked", "Els Bos")
    assert statement.signed_at is not None
    with pytest.raises(LinkUnusable):
        statements.by_session(secret)
    with pytest.raises(Conflict), transaction():
        invitations.revoke(statement)
    assert events(statement) == ["sent", "opened", "read", "signed", "revoked"]


# --- filling and signing -------------------------------------------------------------------------------------------


def save(statement: Statement, version: int, **data: Any) -> int:
    with transaction():
        return statements.save(statement, data, version).version


def test_save_keeps_as_typed_and_counts_versions(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    assert save(statement, 0, opinion="goed", hours="ca. 12") == 1
    assert save(statement, 0, opinion="goed", hours="ca. 12") == 1  # the same again
    assert save(statement, 1, hours="") == 2
    assert statement.data == {"opinion": "goed", "hours": ""}


def test_save_of_a_stale_version_gives_what_is_stored_and_overwrites_nothing(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    save(statement, 0, opinion="een")
    with pytest.raises(Conflict) as conflict:
        save(statement, 0, opinion="twee")
    assert conflict.value.details == {"theirs": {"opinion": "een"}, "version": 1}
    assert statement.data == {"opinion": "een"}


@pytest.mark.parametrize(
    "data", [{"unknown": "x"}, {"opinion": "\x00"}, {"opinion": "\ud800"}, {"opinion": 1.5}, {"hours": {"\ud800": 1}}]
)
def test_save_refuses_unknown_keys_and_what_cannot_be_kept(world: World, dossier: Dossier, data: dict[str, Any]) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(InvalidInput):
        save(statement, 0, **data)
    assert (statement.data, statement.version) == ({}, 0)


def test_save_refuses_a_statement_that_grows_too_large(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(InvalidInput):
        save(statement, 0, opinion=["x" * 99_999] * 11)


def test_save_after_signing_is_refused(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    world.sign(statement)
    with pytest.raises(LinkUnusable):
        save(statement, 1, opinion="anders")
    assert statement.data == {"opinion": "Sanne werkt goed."}


def test_problems_are_named_in_the_order_of_the_form(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    today = now().date()
    missing = Problem(text=both("Vul in: %(label)s", label={"nl": "Oordeel", "en": "Opinion"}))
    assert statements.problems(statement, world.catalogue.types, today) == [("opinion", missing)]
    save(statement, 0, hours="veel")
    assert [one for one, _ in statements.problems(statement, world.catalogue.types, today)] == ["opinion", "hours"]
    save(statement, 1, opinion="goed", hours="3")
    assert statements.problems(statement, world.catalogue.types, today) == []


def test_sign_binds_to_what_was_read_and_tells_both(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with transaction():
        statements.note_read(statement, world.contents(dossier), **CALLER)
        statements.note_read(statement, world.contents(dossier), **CALLER)
    world.sign(statement)
    _, question = statements.statement_question(dossier, "closing", "supervisor")
    consent = {"nl": "Ik ken Sanne de Vries", "en": "I know Sanne de Vries"}
    independence = {
        "nl": "Ik ben niet Sanne de Vries zelf. Ik heb met Sanne de Vries geen familieband en geen dienstverband, en geen "
        "financiële band buiten de gewone vergoeding voor de supervisie.",
        "en": "I am not Sanne de Vries. I have no family tie and no employment relationship with Sanne de Vries, and no "
        "financial tie other than the usual fee for the supervision.",
    }
    signed = {
        "answers": {"opinion": "Sanne werkt goed."},
        "consent": consent,
        "documents": [],
        "independence": independence,
        "name": "Els Bos",
    }
    assert statement.independence == independence
    assert (statement.stage, statement.signed_name, statement.consent) == ("signed", "Els Bos", consent)
    assert statement.content_sha256 == statements.sha256(statements.canonical(signed))
    assert statement.read_sha256 == statements.read_hash(world.contents(dossier), question)
    found = statements.events([statement.id])[statement.id]
    assert [(event.kind, event.address, event.user_agent, event.sha256) for event in found] == [
        ("sent", "", "", ""),
        ("read", "192.0.2.9", "Safari", statement.read_sha256),
        ("signed", "192.0.2.9", "Safari", statement.content_sha256),
    ]
    mails = session.scalars(select(Mail).order_by(Mail.id)).all()
    assert [(mail.to, mail.template) for mail in mails[1:]] == [
        ("sanne.de.vries@voorbeeld.nl", "statement_signed"),
        (SUPERVISOR, "supervisor_thanks"),
    ]
    assert session.scalars(select(DossierEvent.kind)).all() == ["created", "statement_signed"]


def test_sign_twice_is_one_signature(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    world.sign(statement)
    first = (statement.signed_at, statement.content_sha256)
    with pytest.raises(Conflict), transaction():
        statements.sign(statement, world.contents(dossier), typed_name="Iemand Anders", **CALLER)
    assert (statement.signed_at, statement.content_sha256, statement.signed_name) == (*first, "Els Bos")
    assert events(statement).count("signed") == 1
    assert len(session.scalars(select(Mail).where(Mail.template == "statement_signed")).all()) == 1


@pytest.mark.parametrize("name", ["", " ", "E", "\x00\x00", "x" * 121])
def test_sign_needs_a_name(world: World, dossier: Dossier, name: str) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(InvalidInput), transaction():
        statements.sign(statement, world.contents(dossier), typed_name=name, **CALLER)
    assert statement.stage == "invited"


def test_sign_is_refused_when_the_sections_are_not_as_they_were_read(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with transaction():
        statements.note_read(statement, world.contents(dossier), **CALLER)
    world.save(dossier, "practice", story="Heel iets anders.")
    with pytest.raises(statements.NotRead) as refusal, transaction():
        statements.sign(statement, world.contents(dossier), typed_name="Els Bos", **CALLER)
    assert refusal.value.text["nl"].startswith("De kandidaat heeft gewijzigd wat u las.")
    world.sign(statement)
    assert not is_stale(world, statement)
    assert events(statement) == ["sent", "read", "read", "signed"]


def test_sign_is_refused_when_nothing_was_read(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(statements.NotRead) as refusal, transaction():
        statements.sign(statement, world.contents(dossier), typed_name="Els Bos", **CALLER)
    assert refusal.value.text["nl"] == "Lees eerst de onderdelen waar uw verklaring over gaat. Wat u invulde, is opgeslagen."
    assert (statement.stage, events(statement)) == ("invited", ["sent"])


def test_mails_to_one_supervisor_are_limited(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    for _ in range(invitations.MAILS_TO_ONE_ADDRESS - 1):
        with transaction():
            invitations.remind(statement, world.settings)
    with pytest.raises(TooManyRequests), transaction():
        invitations.remind(statement, world.settings)
    assert events(statement) == ["sent"] + ["reminded"] * (invitations.MAILS_TO_ONE_ADDRESS - 1)


def test_decline_tells_the_candidate(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with transaction():
        statements.decline(statement, " Ik ken deze persoon niet. ", **CALLER)
    assert (statement.stage, statement.declined_reason, events(statement)) == (
        "declined",
        "Ik ken deze persoon niet.",
        ["sent", "declined"],
    )
    assert session.scalars(select(Mail.template).order_by(Mail.id)).all() == ["supervisor_invitation", "statement_declined"]
    with pytest.raises(Conflict), transaction():
        statements.decline(statement, "nog eens", **CALLER)


# --- stale ---------------------------------------------------------------------------------------------------------


def test_stale_after_the_read_section_changes_and_not_after_another(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    world.sign(statement)
    assert not is_stale(world, statement)
    world.save(dossier, "skill", case="Andere casus")
    world.finish(dossier, "practice")
    assert not is_stale(world, statement)
    world.save(dossier, "practice", story="Ander verhaal nu.")
    assert is_stale(world, statement)
    world.save(dossier, "practice", story="Een verhaal van mij.")
    assert not is_stale(world, statement)  # what was signed stands there again


def test_not_stale_when_the_page_is_saved_without_a_change(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    world.sign(statement)
    world.save(dossier, "practice", since={"day": "", "month": "", "year": ""}, company="")
    assert not is_stale(world, statement)


def test_stale_after_the_evidence_of_the_read_section_changes(world: World, dossier: Dossier) -> None:
    item, other = world.checked(dossier), world.checked(dossier, name="ander.pdf", data=b"%PDF-other")
    world.attach(dossier, "practice", "proof", item)
    statement, _ = world.invite(dossier)
    world.sign(statement)
    assert not is_stale(world, statement)
    world.attach(dossier, "practice", "proof", other)
    assert is_stale(world, statement)


def test_stale_after_another_answer_shows_a_question_of_the_read_section(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", company="Bos bv")  # hidden so far
    statement, _ = world.invite(dossier)
    world.sign(statement)
    world.save(dossier, "practice", form="own")
    assert is_stale(world, statement)


def test_events_of_several_statements_are_kept_apart(world: World, dossier: Dossier) -> None:
    first, _ = world.invite(dossier)
    with transaction():
        invitations.revoke(first)
    second, _ = world.invite(dossier)
    found = statements.events([first.id, second.id])
    assert {key: [event.kind for event in value] for key, value in found.items()} == {
        first.id: ["sent", "revoked"],
        second.id: ["sent"],
    }
    assert session.scalars(select(StatementEvent.user_agent).distinct()).all() == [""]
