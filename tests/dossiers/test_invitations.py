"""Asking for a statement: corrected addresses, reminders by themselves, asking again, several supervisors, documents."""

import hashlib
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from small_world import AREA, SCHEME, SUPERVISOR, World, pdf, png, write_scheme
from sqlalchemy import select, update

from app import pipeline
from app.documents.models import Bundle
from app.dossiers import completeness, invitations, lifecycle, papers, statement_changes, statements, submission
from app.dossiers.models import Dossier, Evidence, Statement
from app.errors import Conflict, Forbidden, InvalidInput, LinkUnusable, TooLarge
from app.extensions import now, session, transaction
from app.files import store
from app.mail import Mail
from app.schemes import loader

CALLER = {"address": "192.0.2.9", "user_agent": "Safari"}


@pytest.fixture
def dossier(world: World) -> Dossier:
    dossier = world.dossier()
    world.save(dossier, "practice", name="Sanne", form="job", story="Een verhaal van mij.")
    return dossier


def asking(world: World, tmp_path: Path, **settings: str) -> World:
    """The same world, where the statement question has these settings too."""
    more = "".join(f"        {key}: {value}\n" for key, value in settings.items())
    folder = write_scheme(tmp_path / "other")
    home = folder / "small" / "1"
    (home / "scheme.yaml").write_text(SCHEME.replace("        reads: [practice]\n", f"        reads: [practice]\n{more}"))
    (home / "areas" / "10-skill.yaml").write_text(AREA)
    catalogue = loader.load_all(replace(world.settings, templates_dir=folder))
    assert loader.faults(catalogue) == []
    world.catalogue = catalogue
    return world


def passes(statement: Statement, days: float) -> None:
    """So many days go by since the invitation and everything after it."""
    with transaction():
        session.execute(
            update(Statement)
            .where(Statement.id == statement.id)
            .values(invited_at=Statement.invited_at, token_expires_at=now() + timedelta(days=20))
        )
        one = session.get_one(Statement, statement.id, populate_existing=True)
        one.invited_at -= timedelta(days=days)
        for event in statements.events([statement.id])[statement.id]:
            event.at -= timedelta(days=days)


def remind_all(world: World) -> int:
    return pipeline.remind_supervisors(world.installation)


def reminders() -> list[str | None]:
    return list(session.scalars(select(Mail.key).where(Mail.template == "supervisor_reminder").order_by(Mail.id)))


# --- a corrected address -------------------------------------------------------------------------------------------


def correct(world: World, statement: Statement, name: str = "Els Bosch", email: str = "els.bosch@praktijk.example") -> Statement:
    with transaction():
        return invitations.correct(statement, name=name, email=email, settings=world.settings)


def test_correct_sends_a_new_invitation_and_what_was_typed_stays_behind(world: World, dossier: Dossier) -> None:
    first, token = world.invite(dossier)
    with transaction():
        secret = statements.open_session(first, **CALLER)
        statements.save(first, {"opinion": "van de vorige"}, 0)
    second = correct(world, first)
    assert (first.stage, second.stage, second.data, second.place) == ("revoked", "invited", {}, 0)
    assert (second.name, second.email, second.language) == ("Els Bosch", "els.bosch@praktijk.example", "nl")
    assert statements.by_link(world.token()) is second
    for dead in (lambda: statements.by_link(token), lambda: statements.by_session(secret)):
        with pytest.raises(LinkUnusable):
            dead()
    with pytest.raises(Conflict):
        correct(world, first)  # the second click of two


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [("Els Bos", SUPERVISOR, "email"), ("", "els@x.example", "name"), ("Els Bos", "sanne.de.vries+els@voorbeeld.nl", "email"),
     ("de Vries, SANNE", "els@x.example", "name")],
)  # fmt: skip
def test_correct_refuses_no_change_and_the_candidate(world: World, dossier: Dossier, name: str, email: str, field: str) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(InvalidInput) as refusal:
        correct(world, statement, name, email)
    assert refusal.value.details["field"] == field
    assert statement.stage == "invited"


# --- somebody else than the candidate ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Sanne de Vries", "SANNE  de VRÏES", "Vries, Sanne de"])
def test_the_candidate_by_name_is_refused_at_the_invitation_and_the_signature(world: World, dossier: Dossier, name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        world.invite(dossier, name=name)
    assert refusal.value.details["field"] == "name"
    statement, _ = world.invite(dossier)
    with transaction():
        statements.note_read(statement, world.contents(dossier), **CALLER)
    with pytest.raises(InvalidInput) as refusal, transaction():
        statements.sign(statement, world.contents(dossier), typed_name=name, **CALLER)
    assert "secretariaat" in refusal.value.text["nl"]
    assert statement.stage == "invited"


def test_the_candidate_who_is_logged_in_cannot_open_or_sign(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(Forbidden), transaction():
        statements.open_session(statement, dossier.owner_id, **CALLER)
    with pytest.raises(Forbidden), transaction():
        statements.sign(statement, world.contents(dossier), dossier.owner_id, typed_name="Els Bos", **CALLER)
    assert (statement.stage, statement.session_sha256) == ("invited", None)


def test_a_candidate_who_later_takes_the_supervisors_name_cannot_open_it(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with transaction():
        dossier.owner.name = "Els Bos"
    with pytest.raises(Forbidden), transaction():
        statements.open_session(statement, **CALLER)


# --- reminders by themselves ---------------------------------------------------------------------------------------


def test_reminders_go_out_after_7_and_14_days_each_once(world: World, dossier: Dossier) -> None:
    statement, old = world.invite(dossier)
    sent = []
    for days in (6, 1, 0, 6, 1, 30):
        passes(statement, days)
        sent.append(remind_all(world))
    assert sent == [0, 1, 0, 0, 1, 0]
    assert reminders() == [f"statement_reminder:{statement.id}:{days}" for days in (7, 14)]
    assert statements.by_link(world.token()).id == statement.id
    with pytest.raises(LinkUnusable):
        statements.by_link(old)
    assert [event.kind for event in statements.events([statement.id])[statement.id]] == ["sent", "reminded", "reminded"]


def test_of_missed_reminders_only_the_last_goes_out(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    passes(statement, 15)
    assert (remind_all(world), remind_all(world)) == (1, 0)
    assert reminders() == [f"statement_reminder:{statement.id}:14"]


def test_a_reminder_waits_while_somebody_is_at_work_and_after_another_mail(world: World, dossier: Dossier) -> None:
    statement, token = world.invite(dossier)
    passes(statement, 8)
    with transaction():
        secret = statements.open_session(statement, **CALLER)
    assert remind_all(world) == 0
    assert statements.by_link(token).id == statement.id
    with transaction():
        session.get_one(Statement, statement.id).session_expires_at = now() - timedelta(seconds=1)
        invitations.remind(session.get_one(Statement, statement.id), world.settings)
    assert remind_all(world) == 0
    passes(statement, 2.5)
    assert remind_all(world) == 1
    with pytest.raises(LinkUnusable):
        statements.by_session(secret)


@pytest.mark.parametrize("end", ["sign", "decline", "revoke", "submit", "withdraw", "expire"])
def test_no_reminder_when_nothing_is_waited_for(world: World, dossier: Dossier, end: str) -> None:
    statement, _ = world.invite(dossier)
    if end == "sign":
        world.sign(statement)
    passes(statement, 8)
    with transaction():
        statement = session.get_one(Statement, statement.id)
        if end == "decline":
            statements.decline(statement, "", **CALLER)
        elif end == "revoke":
            invitations.revoke(statement)
        elif end == "expire":
            statement.token_expires_at = now() - timedelta(seconds=1)
        elif end in ("submit", "withdraw"):
            lifecycle.advance(statement.dossier, "submitted" if end == "submit" else "withdrawn")
    assert remind_all(world) == 0


def test_a_template_says_when_to_remind(world: World, tmp_path: Path) -> None:
    dossier = asking(world, tmp_path, reminders="[]").dossier()
    statement, _ = world.invite(dossier)
    passes(statement, 15)
    assert remind_all(world) == 0


# --- asking again --------------------------------------------------------------------------------------------------


def renew(world: World, statement: Statement) -> Statement:
    with transaction():
        return invitations.renew(statement, world.contents(statement.dossier), world.settings)


def test_renew_asks_the_same_person_again_with_what_he_wrote(world: World, dossier: Dossier) -> None:
    first, _ = world.invite(dossier)
    world.sign(first)
    with pytest.raises(Conflict):
        renew(world, first)  # nothing has changed
    world.save(dossier, "practice", story="Ander verhaal nu.")
    second = renew(world, first)
    assert (first.stage, first.signed_name) == ("revoked", "Els Bos")
    assert (second.stage, second.name, second.email, second.renews_id) == ("invited", "Els Bos", SUPERVISOR, first.id)
    assert (second.data, second.independence, second.consent) == ({"opinion": "Sanne werkt goed."}, None, None)
    assert session.scalars(select(Mail.template).order_by(Mail.id.desc())).first() == "supervisor_again"
    with pytest.raises(Conflict):
        renew(world, first)
    with pytest.raises(statements.NotRead), transaction():
        statements.sign(second, world.contents(dossier), typed_name="Els Bos", **CALLER)
    world.sign(second)
    assert not statements.is_stale(second, world.contents(dossier))


def test_changes_name_the_sections_and_questions(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    statement, _ = world.invite(dossier)
    world.sign(statement)
    assert statement_changes.since_signed(statement, world.contents(dossier)) == {}
    world.save(dossier, "practice", story="Ander verhaal nu.", form="own", company="Bos bv")
    world.attach(dossier, "practice", "proof", item)
    changed = statement_changes.since_signed(statement, world.contents(dossier))
    assert changed == {"practice": ["form", "company", "story", "proof"]}


def test_changes_that_cannot_be_told_count_for_every_section(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    world.sign(statement)
    with transaction():
        statement.read_sha256 = "0" * 64
    assert statement_changes.since_signed(statement, world.contents(dossier)) == {"practice": []}


# --- several supervisors -------------------------------------------------------------------------------------------


def invite_at(world: World, dossier: Dossier, place: int, email: str, name: str = "Els Bos") -> Statement:
    with transaction():
        return invitations.invite(
            world.contents(dossier), "closing", "supervisor",
            name=name, email=email, language="nl", settings=world.settings, place=place,
        )  # fmt: skip


def said(world: World, dossier: Dossier) -> list[str]:
    found = completeness.check(world.contents(dossier), world.catalogue, submission.today())
    return [one.text["nl"] for one in found if one.question == "supervisor"]


def test_two_supervisors_are_two_people_and_each_that_lacks_is_found(world: World, tmp_path: Path) -> None:
    dossier = asking(world, tmp_path, count="2").dossier()
    assert said(world, dossier) == [f"Nodig supervisor {n} van 2 uit voor een verklaring." for n in (1, 2)]
    first = invite_at(world, dossier, 0, SUPERVISOR)
    for place, email, error in ((0, "jan@x.example", Conflict), (1, "els+2@praktijk.example", InvalidInput),
                                (2, "jan@x.example", InvalidInput), (-1, "jan@x.example", InvalidInput)):  # fmt: skip
        with pytest.raises(error):
            invite_at(world, dossier, place, email)
    second = invite_at(world, dossier, 1, "jan@x.example", "Jan Smit")
    world.sign(first)
    assert said(world, dossier) == ["Jan Smit heeft de verklaring nog niet ondertekend."]
    world.sign(second)
    assert said(world, dossier) == []
    content = submission.draft_content(world.contents(dossier), world.settings)
    assert [one["supervisor"]["name"] for one in content["statements"]] == ["Els Bos", "Jan Smit"]


# --- documents -----------------------------------------------------------------------------------------------------


def give(world: World, statement: Statement, data: bytes, name: str, kind: str) -> Evidence:
    blob = store.put_bytes(world.settings.blobs, data)
    with transaction():
        return papers.receive(statement, blob, name, kind)


def test_a_document_takes_the_place_of_the_form_and_goes_into_the_snapshot(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    document = give(world, statement, png(), "verklaring.png", "png")
    assert give(world, statement, png(), "nog eens.png", "png") is document
    contents = world.contents(dossier)
    assert (dict(contents.evidence), contents.documents) == ({}, {statement.id: (document,)})
    waiting = statements.problems(statement, world.catalogue.types, submission.today(), papers.of(statement))
    assert [question for question, _ in waiting] == ["documents"]
    with pytest.raises(Conflict), transaction():
        statements.sign(statement, world.contents(dossier), typed_name="Els Bos", **CALLER)
    world.work()
    statement, document = world.fresh(statement), world.fresh(document)
    assert document.stage == "checked"
    assert statements.problems(statement, world.catalogue.types, submission.today(), papers.of(statement)) == []
    world.sign(statement, opinion="")
    content = submission.draft_content(world.contents(statement.dossier), world.settings)
    (item,) = content["evidence"]
    assert (item["id"], item["number"], item["name"], item["used_by"]) == (
        document.id, 1, "verklaring.png", [["closing", "supervisor"]],
    )  # fmt: skip
    assert content["statements"][0]["evidence"] == [document.id]
    with pytest.raises(LinkUnusable), transaction():
        papers.remove(statement, document.id)


def test_documents_are_limited_can_be_taken_away_and_are_not_in_the_candidates_folder(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    given = [give(world, statement, pdf(number + 1), f"{number}.pdf", "pdf") for number in range(papers.MOST)]
    with pytest.raises(TooLarge):
        give(world, statement, png(), "te veel.png", "png")
    with transaction():
        papers.remove(statement, given[0].id)
    assert give(world, statement, png(), "nu wel.png", "png").stage == "received"
    own = world.receive(dossier, pdf(1), "0.pdf", "pdf")
    assert list(world.contents(dossier).evidence) == [own.id]


def test_a_template_may_want_no_documents(world: World, tmp_path: Path) -> None:
    dossier = asking(world, tmp_path, upload="false").dossier()
    statement, _ = world.invite(dossier)
    with pytest.raises(Forbidden):
        give(world, statement, png(), "verklaring.png", "png")


def test_renewing_takes_the_documents_along(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    give(world, statement, png(), "verklaring.png", "png")
    world.work()
    statement = world.fresh(statement)
    world.sign(statement, opinion="")
    world.save(statement.dossier, "practice", story="Ander verhaal nu.")
    renewed = renew(world, statement)
    (copied,) = papers.of(renewed)
    assert (copied.name, copied.stage, copied.statement_id) == ("verklaring.png", "checked", renewed.id)


# --- the supervisor's own copy -------------------------------------------------------------------------------------


def copy_token() -> str:
    copies = select(Mail).where(Mail.template.in_(("supervisor_thanks", "supervisor_copy"))).order_by(Mail.id.desc())
    link: Any = session.scalars(copies).first()
    return str(link.data["link"]).rpartition("/")[2]


def test_a_copy_link_is_kept_as_a_hash_expires_and_is_replaced(world: World, dossier: Dossier) -> None:
    statement, _ = world.invite(dossier)
    with pytest.raises(Conflict), transaction():
        invitations.send_copy(statement)
    world.sign(statement)
    first = copy_token()
    assert statement.copy_sha256 == statements.sha256(first)
    assert statements.by_copy_link(first) is statement
    with transaction():
        invitations.send_copy(statement)
    with pytest.raises(LinkUnusable):
        statements.by_copy_link(first)
    assert statements.by_copy_link(copy_token()) is statement
    with transaction():
        statement.copy_expires_at = now() - timedelta(seconds=1)
    with pytest.raises(LinkUnusable):
        statements.by_copy_link(copy_token())


# --- in the sealed bundle ------------------------------------------------------------------------------------------


def test_a_document_is_in_the_sealed_bundle_and_both_declarations_stand_in_the_pdf(world: World) -> None:
    dossier = world.dossier()
    world.save(dossier, "practice", name="Sanne", form="job", story="Een verhaal van mij.")
    world.save(dossier, "skill", case="Casus **één**.")
    world.save(dossier, "closing", code="yes")
    statement, _ = world.invite(dossier)
    document = give(world, statement, pdf(2, "Brief van Els"), "brief van els.pdf", "pdf")
    world.work()
    statement, document = world.fresh(statement), world.fresh(document)
    original, cleaned = document.original_sha256, document.cleaned_sha256
    world.sign(statement, opinion="")
    dossier = statement.dossier
    world.finish(dossier, "practice", "skill", "learning", "closing")
    snapshot = world.submit(dossier)
    world.work()
    assert world.fresh(snapshot).stage in ("sealed", "handed_over")
    bundle = session.scalars(select(Bundle)).one()
    with zipfile.ZipFile(store.path(world.settings.blobs, bundle.zip_sha256)) as package:
        (listing,) = (name for name in package.namelist() if name.endswith("data/evidence.json"))
        (listed,) = json.loads(package.read(listing))
        copies = [name for name in package.namelist() if "/data/evidence/" in name]
        kept = [hashlib.sha256(package.read(name)).hexdigest() for name in copies]
    assert listed["original_sha256"] == original
    assert kept == [cleaned]
    pages = pypdf.PdfReader(store.path(world.settings.blobs, bundle.pdf_sha256)).pages
    text = " ".join(" ".join(page.extract_text().split()) for page in pages)
    for words in ("Brief van Els 2", "Bij deze verklaring", "Ik ken Sanne de Vries", "geen familieband"):
        assert words in text
