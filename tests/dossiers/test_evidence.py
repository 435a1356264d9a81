"""The evidence folder: taking in, room, use at questions, checking on real files, taking out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_world import World, pdf, png
from sqlalchemy import select

from app import pipeline
from app.dossiers import answers, lifecycle
from app.dossiers import evidence as folder
from app.dossiers.models import Dossier, Evidence, SectionAnswers
from app.errors import FileRefused, Forbidden, InvalidInput, NotFound, TooLarge
from app.extensions import session, transaction
from app.files import store
from app.mail import Mail


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


def answer(dossier: Dossier, section: str = "practice", question: str = "proof") -> Any:
    session.rollback()
    return session.get_one(SectionAnswers, (dossier.id, section)).data.get(question)


def in_folder(world: World, dossier: Dossier) -> list[str]:
    return [item.name for item in world.contents(dossier).evidence.values()]


# --- taking in -----------------------------------------------------------------------------------------------------


def test_receive_makes_a_row_that_waits_for_its_check(world: World, dossier: Dossier) -> None:
    data = pdf()
    item = world.receive(dossier, data, "diploma.pdf", "pdf")
    assert (item.stage, item.name, item.kind, item.original_size) == ("received", "diploma.pdf", "pdf", len(data))
    assert store.path(world.settings.blobs, item.original_sha256).read_bytes() == data
    assert ("evidence", item.id) in pipeline.due()


def test_receive_of_the_same_file_twice_is_one_row_also_in_a_full_folder(world: World, dossier: Dossier) -> None:
    world.settings = replace(world.settings, max_evidence=1)
    first = world.receive(dossier, pdf(), "a.pdf", "pdf")
    assert world.receive(dossier, pdf(), "a.pdf", "pdf") is first
    with pytest.raises(TooLarge):
        world.receive(dossier, pdf(), "b.pdf", "pdf")  # another name is another thing to the candidate


def test_receive_takes_a_file_again_after_it_was_removed_or_refused(world: World, dossier: Dossier) -> None:
    first = world.receive(dossier, pdf(), "a.pdf", "pdf")
    with transaction():
        folder.remove(world.contents(dossier), first.id)
    second = world.receive(dossier, pdf(), "a.pdf", "pdf")
    with transaction():
        folder.refuse(second, FileRefused({"nl": "Nee", "en": "No"}))
    third = world.receive(dossier, pdf(), "a.pdf", "pdf")
    assert len({first.id, second.id, third.id}) == 3


def test_r27_room_is_counted_in_files_and_in_bytes_with_the_new_file(world: World, dossier: Dossier) -> None:
    world.settings = replace(world.settings, max_dossier_mb=1, max_evidence=3)
    kept = world.receive(dossier, b"x" * 600_000, "a.pdf", "pdf")
    with pytest.raises(TooLarge) as refusal:
        world.receive(dossier, b"y" * 400_001, "b.pdf", "pdf")
    assert refusal.value.text["nl"] == "Uw bewijsmap is vol: samen mogen de bestanden 1 MB zijn. Verwijder eerst een bestand."
    world.receive(dossier, b"y" * 400_000, "b.pdf", "pdf")
    with transaction():
        folder.remove(world.contents(dossier), kept.id)
    for number in range(2):
        world.receive(dossier, bytes([number]), f"{number}.pdf", "pdf")
    with pytest.raises(TooLarge) as refusal:
        world.receive(dossier, b"z", "z.pdf", "pdf")
    assert refusal.value.text["nl"] == "Uw bewijsmap is vol: er staan al 3 bestanden in. Verwijder eerst een bestand."


def test_nothing_comes_in_or_goes_out_after_submission(world: World, dossier: Dossier) -> None:
    item = world.receive(dossier, pdf(), "a.pdf", "pdf")
    with transaction():
        lifecycle.advance(dossier, "submitted")
    for deed in (
        lambda: folder.check_room(dossier, world.settings),
        lambda: folder.receive(dossier, store.Blob("0" * 64, 1), "b.pdf", "pdf", world.settings),
        lambda: folder.receive(dossier, store.Blob(item.original_sha256, 1), "a.pdf", "pdf", world.settings),
        lambda: folder.attach(world.contents(dossier), "practice", "proof", [item.id]),
        lambda: folder.detach(world.contents(dossier), "practice", "proof", item.id),
        lambda: folder.remove(world.contents(dossier), item.id),
    ):
        with pytest.raises(Forbidden), transaction():
            deed()
    assert in_folder(world, dossier) == ["a.pdf"]


# --- using ---------------------------------------------------------------------------------------------------------


def test_attach_adds_each_file_once_and_keeps_the_order(world: World, dossier: Dossier) -> None:
    one, two = world.checked(dossier), world.checked(dossier, name="twee.pdf")
    world.attach(dossier, "practice", "proof", two)
    world.attach(dossier, "practice", "proof", one, two, one)
    assert answer(dossier) == [two.id, one.id]


def test_attach_refuses_more_than_the_question_takes(world: World, dossier: Dossier) -> None:
    items = [world.checked(dossier, name=f"{number}.pdf") for number in range(3)]
    with pytest.raises(InvalidInput) as refusal:
        world.attach(dossier, "practice", "proof", *items)
    assert refusal.value.text["nl"] == "Bij deze vraag kunt u hoogstens 2 bewijsstukken gebruiken. Haal er eerst een weg."


def test_attach_with_old_contents_keeps_what_another_window_attached(world: World, dossier: Dossier) -> None:
    one, two = world.checked(dossier), world.checked(dossier, name="twee.pdf")
    old = world.contents(dossier)
    world.attach(dossier, "practice", "proof", one)
    with transaction():
        folder.attach(old, "practice", "proof", [two.id])
    assert answer(dossier) == [one.id, two.id]


def test_attach_refuses_files_of_others_removed_files_and_other_questions(world: World, dossier: Dossier) -> None:
    other = world.checked(world.dossier(world.account("Piet Post")))
    gone = world.checked(dossier)
    with transaction():
        folder.remove(world.contents(dossier), gone.id)
    mine = world.checked(dossier, name="mijn.pdf")
    for section, question, item in (
        ("practice", "proof", other), ("practice", "proof", gone), ("practice", "name", mine), ("nowhere", "proof", mine),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            world.attach(dossier, section, question, item)


def test_detach_leaves_the_file_in_the_folder(world: World, dossier: Dossier) -> None:
    one, two = world.checked(dossier), world.checked(dossier, name="twee.pdf")
    world.attach(dossier, "practice", "proof", one, two)
    for _ in range(2):
        with transaction():
            folder.detach(world.contents(dossier), "practice", "proof", one.id)
    assert answer(dossier) == [two.id]
    assert in_folder(world, dossier) == ["certificaat.pdf", "twee.pdf"]


def test_remove_is_refused_while_an_answer_uses_the_file_and_says_where(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    world.attach(dossier, "practice", "proof", item)
    with transaction():
        answers.save_row(dossier, "learning", "courses", "r1", {"name": "x", "paper": [item.id]}, "")
    with pytest.raises(InvalidInput) as refusal, transaction():
        folder.remove(world.contents(dossier), item.id)
    assert refusal.value.text == {
        "nl": "Dit bewijsstuk wordt nog gebruikt bij: Praktijk, Leren. Haal het daar eerst weg.",
        "en": refusal.value.text["en"],
    }
    assert "Practice, Learning" in refusal.value.text["en"]
    assert in_folder(world, dossier) == ["certificaat.pdf"]


def test_remove_of_a_file_that_only_a_hidden_answer_uses(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    world.save(dossier, "practice", form="own")
    world.attach(dossier, "practice", "more", item)
    world.save(dossier, "practice", form="job")
    with transaction():
        folder.remove(world.contents(dossier), item.id)
    assert in_folder(world, dossier) == []


def test_remove_of_a_refused_file_drops_every_reference(world: World, dossier: Dossier) -> None:
    good, bad = world.checked(dossier), world.receive(dossier, b"%PDF-broken", "stuk.pdf", "pdf")
    world.save(dossier, "practice", form="own")
    world.attach(dossier, "practice", "proof", good, bad)
    world.attach(dossier, "practice", "more", bad)
    with transaction():
        answers.save_row(dossier, "learning", "courses", "r1", {"name": "x", "paper": [bad.id, good.id]}, "")
        folder.refuse(bad, FileRefused({"nl": "Stuk", "en": "Broken"}))
    with transaction():
        folder.remove(world.contents(dossier), bad.id)
    assert (answer(dossier), answer(dossier, question="more")) == ([good.id], [])
    assert answer(dossier, "learning", "courses") == [{"row": "r1", "name": "x", "paper": [good.id]}]
    assert in_folder(world, dossier) == ["certificaat.pdf"]


def test_remove_twice_or_of_another_dossier_is_not_found(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    with transaction():
        folder.remove(world.contents(dossier), item.id)
    other = world.checked(world.dossier(world.account("Piet Post")))
    for one in (item, other):
        with pytest.raises(NotFound), transaction():
            folder.remove(world.contents(dossier), one.id)


# --- checking ------------------------------------------------------------------------------------------------------


def test_run_evidence_checks_real_files(world: World, dossier: Dossier) -> None:
    document = world.receive(dossier, pdf(3), "diploma.pdf", "pdf")
    picture = world.receive(dossier, png(), "foto.png", "png")
    assert world.work() == 2
    document, picture = world.fresh(document), world.fresh(picture)
    assert [(item.stage, item.cleaned_kind, item.pages, item.rasterised, item.signed) for item in (document, picture)] == [
        ("checked", "pdf", 3, False, False),
        ("checked", "png", 1, False, False),
    ]
    for item in (document, picture):
        assert store.intact(world.settings.blobs, item.cleaned_sha256 or "")
        assert store.intact(world.settings.blobs, item.pages_sha256 or "")
        assert item.claimed_until is None
    assert list(world.settings.work.iterdir()) == []


def test_run_evidence_refuses_a_broken_file_and_tells_the_candidate_once(world: World, dossier: Dossier) -> None:
    item = world.receive(dossier, b"%PDF-1.7\nthis is no document", "stuk.pdf", "pdf")
    world.work()
    item = world.fresh(item)
    assert (item.stage, item.cleaned_sha256) == ("refused", None)
    assert item.refusal is not None
    assert item.refusal["nl"].startswith("“stuk.pdf” is beschadigd")
    mail = session.scalars(select(Mail)).one()
    assert (mail.template, mail.to, mail.data["title"], mail.data["reason"]) == (
        "evidence_refused", "sanne.de.vries@voorbeeld.nl", "stuk.pdf", item.refusal["nl"],
    )  # fmt: skip
    pipeline.run_evidence(world.installation, item.id)
    assert len(session.scalars(select(Mail)).all()) == 1


def test_accept_and_refuse_change_nothing_the_second_time(world: World, dossier: Dossier) -> None:
    checked, received = world.checked(dossier), world.receive(dossier, b"x", "x.pdf", "pdf")
    other = folder.Examined(store.Blob("1" * 64, 1), "jpg", None, 9, True, True, [], [])
    with transaction():
        folder.accept(checked, other)
        folder.refuse(checked, FileRefused({"nl": "Nee", "en": "No"}))
        folder.refuse(received, FileRefused({"nl": "Nee", "en": "No"}))
        folder.refuse(received, FileRefused({"nl": "Anders", "en": "Other"}))
        folder.accept(received, other)
    assert (checked.stage, checked.cleaned_kind, checked.pages) == ("checked", "pdf", 1)
    assert (received.stage, received.refusal, received.cleaned_sha256) == ("refused", {"nl": "Nee", "en": "No"}, None)


def test_r28_scanner_that_is_away_holds_a_file_as_long_as_it_takes(world: World, dossier: Dossier, tmp_path: Path) -> None:
    world.settings = replace(world.settings, clamd_socket=tmp_path / "nobody.sock")
    item = world.receive(dossier, pdf(), "a.pdf", "pdf")
    for attempt in range(1, 9):
        pipeline.run_evidence(world.installation, item.id)
        item = world.fresh(item)
        assert (item.stage, item.attempts, item.claimed_until is not None) == ("received", attempt, True)
        pipeline.run_evidence(world.installation, item.id)  # not before its time
        item = world.fresh(item)
        assert item.attempts == attempt
        pipeline.release_claims()
    world.settings = replace(world.settings, clamd_socket=None)
    world.work()
    assert world.fresh(item).stage == "checked"


def test_original_that_is_gone_is_waited_for(world: World, dossier: Dossier) -> None:
    item = world.receive(dossier, pdf(), "a.pdf", "pdf")
    path = store.path(world.settings.blobs, item.original_sha256)
    data = path.read_bytes()
    path.unlink()
    item_id = item.id
    for _ in range(pipeline.EVIDENCE_ATTEMPTS + 1):
        pipeline.run_evidence(world.installation, item_id)
        pipeline.release_claims()
    assert world.fresh(item).stage == "received"
    store.put_bytes(world.settings.blobs, data)
    world.work()
    assert world.fresh(item).stage == "checked"


def test_file_that_cannot_be_checked_for_an_unknown_reason_is_refused_in_the_end(
    world: World, dossier: Dossier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(folder, "examine", broken)
    item = world.receive(dossier, pdf(), "a.pdf", "pdf")
    stages = []
    item_id = item.id
    for _ in range(pipeline.EVIDENCE_ATTEMPTS):
        pipeline.run_evidence(world.installation, item_id)
        pipeline.release_claims()
        stages.append(world.fresh(item).stage)
    assert stages == ["received"] * (pipeline.EVIDENCE_ATTEMPTS - 1) + ["refused"]


def test_file_that_was_removed_is_checked_no_more(world: World, dossier: Dossier) -> None:
    item = world.receive(dossier, b"%PDF-broken", "stuk.pdf", "pdf")
    with transaction():
        folder.remove(world.contents(dossier), item.id)
    pipeline.run_evidence(world.installation, item.id)
    item = world.fresh(item)
    assert (item.stage, item.attempts) == ("received", 0)
    assert session.scalars(select(Mail)).all() == []
    assert session.scalars(select(Evidence.id)).all() == [item.id]
