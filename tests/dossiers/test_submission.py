"""From filled dossier to Snapshot: all or nothing, once, and the same bytes for ever."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import CONSENT, World, pdf
from sqlalchemy import func, select, update
from together import together

from app.documents import sealing
from app.dossiers import contents as dossier_contents
from app.dossiers import invitations, lifecycle, statements, submission
from app.dossiers.models import Dossier, DossierEvent, Snapshot
from app.errors import Conflict, InvalidInput, SealingFailed
from app.extensions import session, transaction
from app.mail import Mail
from app.schemes import schemas, statement_settings
from app.texts import fill


@pytest.fixture
def dossier(world: World) -> Dossier:
    dossier = world.dossier()
    world.fill(dossier)
    return dossier


def count(kind: type) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(kind)) or 0


def submit(world: World, dossier: Dossier, **changes: Any) -> Snapshot:
    consent = submission.Consent(**{**CONSENT.__dict__, **changes})
    with transaction():
        return submission.submit(
            world.contents(dossier),
            consent,
            catalogue=world.catalogue,
            house_style_sha256=sealing.house_style_sha256(),
            settings=world.settings,
        )


# --- all or nothing ------------------------------------------------------------------------------------------------


def test_submit_freezes_moves_on_and_sends_a_receipt(world: World, dossier: Dossier) -> None:
    snapshot = world.submit(dossier)
    assert (dossier.stage, dossier.submitted_at) == ("submitted", snapshot.submitted_at)
    assert (snapshot.stage, snapshot.revision, snapshot.percent, snapshot.error) == ("submitted", 1, 0, None)
    assert session.scalars(select(DossierEvent.kind).order_by(DossierEvent.id)).all()[-1] == "submitted"
    mail = session.scalars(select(Mail).where(Mail.template == "submission_receipt")).one()
    assert mail.data == {
        "name": "Sanne de Vries",
        "dossier": dossier.reference,
        "revision": 1,
        "submitted_on": submission.today().isoformat(),
        "sha256": snapshot.sha256,
        "link": f"/dossier/{dossier.reference}/ontvangst",
    }


def test_not_ready_lists_the_findings_and_leaves_everything_as_it_was(world: World, dossier: Dossier) -> None:
    world.save(dossier, "skill", case="")
    mails, events = count(Mail), count(DossierEvent)
    with pytest.raises(submission.NotReady) as refusal:
        world.submit(dossier)
    assert [(one.section, one.question) for one in refusal.value.findings] == [("skill", "case")]
    assert (dossier.stage, dossier.submitted_at, count(Snapshot), count(Mail), count(DossierEvent)) == (
        "draft", None, 0, mails, events,
    )  # fmt: skip
    world.save(dossier, "skill", case="toch wel")
    assert world.submit(dossier).revision == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"declarations": frozenset()}, "declarations"),
        ({"declarations": frozenset({"other"})}, "declarations"),
        ({"name": " S "}, "name"),
    ],
)
def test_submit_needs_every_agreement_and_a_name(world: World, dossier: Dossier, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        submit(world, dossier, **changes)
    assert refusal.value.details == {"field": field}
    assert (dossier.stage, count(Snapshot)) == ("draft", 0)


def test_submit_refuses_a_name_that_no_document_can_hold(world: World, dossier: Dossier) -> None:
    for name in ("Sanne\x00", "Sanne\ud800"):
        with pytest.raises(InvalidInput):
            submit(world, dossier, name=name)
    assert dossier.stage == "draft"


def test_second_click_is_a_conflict(world: World, dossier: Dossier) -> None:
    world.submit(dossier)
    with pytest.raises(Conflict):
        world.submit(dossier)
    assert count(Snapshot) == 1


def test_r35_double_submit_from_two_threads_is_one_snapshot(world: World, dossier: Dossier) -> None:
    dossier_id = dossier.id
    session.rollback()

    def click() -> str:
        try:
            world.submit(session.get_one(Dossier, dossier_id))
        except Conflict:
            return "conflict"
        return "submitted"

    assert sorted(together(click, click)) == ["conflict", "submitted"]
    assert count(Snapshot) == 1
    assert len(session.scalars(select(Mail).where(Mail.template == "submission_receipt")).all()) == 1


def test_revision_goes_up_after_a_return_and_the_first_one_stays(world: World, dossier: Dossier) -> None:
    first = world.submit(dossier)
    content = first.content
    with transaction():
        lifecycle.advance(dossier, "returned")
    world.save(dossier, "skill", case="Nu beter.")
    second = world.submit(dossier)
    assert (second.revision, submission.content_of(second)["revision"]) == (2, 2)
    assert submission.content_of(second)["answers"]["skill"] == {"case": "Nu beter."}
    assert (first.revision, first.content) == (1, content)
    assert first.sha256 != second.sha256


# --- what a snapshot holds -----------------------------------------------------------------------------------------


def test_content_is_the_whole_dossier_in_one_shape(world: World, dossier: Dossier) -> None:
    with transaction():
        invitations.revoke(world.contents(dossier).statements[0])
    one, two = world.checked(dossier, name="een.v2.pdf"), world.checked(dossier, name="twee.pdf", data=pdf(2))
    world.checked(dossier, name="niet gebruikt.pdf", data=pdf(3))
    world.attach(dossier, "practice", "proof", two, one)
    world.save(dossier, "practice", company="verborgen")
    statement, _ = world.invite(dossier)
    world.sign(statement)
    snapshot = world.submit(dossier)
    moment = snapshot.submitted_at.isoformat()
    content = submission.content_of(snapshot)
    template = content.pop("template")
    assert template == schemas.dump(world.contents(dossier).template)
    assert content == {
        "format": 1,
        "reference": dossier.reference,
        "revision": 1,
        "language": "nl",
        "demo": True,
        "organisation": world.settings.organisation,
        "submitted_at": moment,
        "today": submission.today().isoformat(),
        "candidate": {"name": "Sanne de Vries", "email": "sanne.de.vries@voorbeeld.nl"},
        "template_sha256": dossier.template_sha256,
        "house_style_sha256": sealing.house_style_sha256(),
        "answers": {
            "practice": {"name": "Sanne", "form": "job", "story": "Een verhaal van mij.", "proof": [two.id, one.id]},
            "skill": {"case": "Casus **één**."},
            "closing": {"code": "yes"},
        },
        "evidence": [
            {
                "id": item.id,
                "number": number,
                "name": item.name,
                "title": title,
                "kind": "pdf",
                "original_sha256": item.original_sha256,
                "original_size": item.original_size,
                "cleaned_sha256": item.cleaned_sha256,
                "cleaned_kind": "pdf",
                "pages_sha256": item.pages_sha256,
                "pages": 1,
                "rasterised": False,
                "signed": False,
                "signatures": [],
                "uploaded_at": item.uploaded_at.isoformat(),
                "used_by": [["practice", "proof"]],
            }
            for number, item, title in ((1, two, "twee"), (2, one, "een.v2"))
        ],
        "outcomes": [],
        "statements": [
            {
                "id": statement.id,
                "section": "closing",
                "question": "supervisor",
                "stage": "signed",
                "supervisor": {"name": "Els Bos", "email": "els@praktijk.example", "role": "supervisor"},
                "answers": {"opinion": "Sanne werkt goed."},
                "signed_name": "Els Bos",
                "signed_at": statement.signed_at.isoformat() if statement.signed_at else "",
                "consent": "Ik ken Sanne de Vries",
                "independence": (statement.independence or {})["nl"],
                "read_sha256": statement.read_sha256,
                "content_sha256": statement.content_sha256,
                "evidence": [],
                "events": [
                    {
                        "kind": event.kind,
                        "at": event.at.isoformat(),
                        "address": event.address,
                        "user_agent": event.user_agent,
                        "sha256": event.sha256,
                    }
                    for event in statements.events([statement.id])[statement.id]
                ],
            }
        ],
        "declarations": [{"id": "truth", "text": "Dit is waar"}],
        "signature": {"name": "Sanne de Vries", "at": moment, "address": "192.0.2.7", "user_agent": "Firefox"},
        "events": [{"kind": "created", "at": dossier.created_at.isoformat()}, {"kind": "submitted", "at": moment}],
    }


def test_draft_content_has_the_same_keys_for_the_draft_document(world: World, dossier: Dossier) -> None:
    draft = submission.draft_content(world.contents(dossier), world.settings)
    assert (draft["revision"], draft["submitted_at"], draft["signature"], draft["events"]) == (0, "", None, [])
    assert set(draft) == set(submission.content_of(world.submit(dossier)))


def test_content_of_a_statement_can_be_derived_again(world: World, dossier: Dossier) -> None:
    (statement,) = submission.content_of(world.submit(dossier))["statements"]
    consent = {"nl": "Ik ken Sanne de Vries", "en": "I know Sanne de Vries"}
    independence = fill(statement_settings.usual_independence(), candidate="Sanne de Vries")
    agreed = {
        "answers": statement["answers"],
        "consent": consent,
        "documents": [],
        "independence": independence,
        "name": statement["signed_name"],
    }
    assert statements.sha256(statements.canonical(agreed)) == statement["content_sha256"]


def test_content_is_canonical_json_under_its_sha256(world: World, dossier: Dossier) -> None:
    snapshot = world.submit(dossier)
    data = json.loads(snapshot.content)
    assert hashlib.sha256(snapshot.content.encode()).hexdigest() == snapshot.sha256
    assert snapshot.content == statements.canonical(data) == sealing.canonical(data)
    shuffled = dict(reversed(data.items()))
    assert statements.canonical(shuffled) == snapshot.content


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_canonical_is_the_same_text_after_reading_it_back(data: Any) -> None:
    text = statements.canonical(data)
    assert statements.canonical(json.loads(text)) == text == sealing.canonical(data)


@pytest.mark.parametrize("change", [("Sanne", "Sanna"), ('"revision":1', '"revision":2'), ("}", "} ")])
def test_content_of_detects_tampering(world: World, dossier: Dossier, change: tuple[str, str]) -> None:
    snapshot = world.submit(dossier)
    with transaction():
        session.execute(update(Snapshot).values(content=snapshot.content.replace(*change)))
    with pytest.raises(SealingFailed) as refusal:
        submission.content_of(session.get_one(Snapshot, snapshot.id))
    assert refusal.value.details == {"step": "snapshot", "snapshot": snapshot.id}


def test_snapshot_does_not_change_with_the_dossier_and_its_people(world: World, dossier: Dossier) -> None:
    snapshot = world.submit(dossier)
    before = snapshot.content
    with transaction():
        dossier.owner.name = "Andere Naam"
        lifecycle.advance(dossier, "returned")
    world.save(dossier, "practice", name="Anders")
    assert session.get_one(Snapshot, snapshot.id).content == before
    assert dossier_contents.read(dossier).answers["practice"]["name"] == "Anders"
