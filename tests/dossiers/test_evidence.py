"""The evidence folder: taking in, room, use at questions, checking on real files, taking out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_world import World, pdf, png
from sqlalchemy import select

from app import pipeline
from app.config import ROOT
from app.dossiers import answers, completeness, lifecycle, statement_changes, statements, submission
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.models import Dossier, Evidence, SectionAnswers
from app.errors import Conflict, FileRefused, Forbidden, InvalidInput, NotFound, TooLarge
from app.extensions import session, transaction
from app.files import store
from app.mail import Mail
from app.schemes import question_types


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
        "evidence_refused", "sanne.de.vries@voorbeeld.nl", "stuk.pdf", item.refusal,
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
        assert (item.stage, item.attempts, item.claimed_until, item.next_attempt_at is not None) == (
            "received", attempt, None, True,
        )  # fmt: skip
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


# --- names, order, another file in its place -----------------------------------------------------------------------


def instead(world: World, dossier: Dossier, item: Evidence, data: bytes, name: str = "nieuw.pdf") -> Evidence:
    blob = store.put_bytes(world.settings.blobs, data)
    with transaction():
        return folder.receive_instead(world.contents(dossier), item.id, blob, name, "pdf", world.settings)


def test_another_file_takes_the_place_and_title_place_uses_and_number_stay(world: World, dossier: Dossier) -> None:
    first, item = world.checked(dossier, name="een.pdf"), world.checked(dossier, name="twee.pdf")
    world.attach(dossier, "practice", "proof", item)
    with transaction():
        folder.move(world.contents(dossier), item.id, up=True)
    new_id = instead(world, dossier, item, pdf(2)).id
    before = world.contents(dossier)
    assert (list(before.evidence), before.replacements[item.id].id) == ([item.id, first.id], new_id)
    assert before.evidence[item.id].name == "twee.pdf"
    world.work()
    dossier, first, item = world.fresh(dossier), world.fresh(first), world.fresh(item)
    after = world.contents(dossier)
    item = after.evidence[item.id]
    assert (list(after.evidence), after.replacements) == ([item.id, first.id], {})
    assert (item.name, item.title, item.pages, item.stage) == ("nieuw.pdf", "twee", 2, "checked")
    assert answer(dossier) == [item.id]
    assert dossier_contents.appendix_numbers(after) == {item.id: 1}
    kept = folder.earlier(item)
    assert kept is not None
    assert (kept.name, kept.pages, kept.stage, kept.removed_at) == ("twee.pdf", 1, "checked", item.uploaded_at)


def test_putting_back_and_forth_keeps_both_files(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier, name="een.pdf")
    instead(world, dossier, item, pdf(2))
    world.work()
    dossier, item = world.fresh(dossier), world.fresh(item)
    for name in ("een.pdf", "nieuw.pdf", "een.pdf"):
        before = folder.earlier(world.fresh(item))
        assert before is not None
        with transaction():
            folder.put_back(world.contents(dossier), item.id, before.id)
        assert in_folder(world, dossier) == [name]
    with pytest.raises(Conflict), transaction():
        folder.put_back(world.contents(dossier), item.id, before.id)  # a page of a moment ago


def test_a_replacement_that_is_refused_leaves_everything_as_it_was(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier, name="een.pdf")
    instead(world, dossier, item, b"%PDF-1.7 stuk", "stuk.pdf")
    world.work()
    dossier, item = world.fresh(dossier), world.fresh(item)
    contents = world.contents(dossier)
    assert (in_folder(world, dossier), contents.evidence[item.id].stage) == (["een.pdf"], "checked")
    assert contents.replacements[item.id].stage == "refused"
    with transaction():
        folder.drop_replacement(world.contents(dossier), item.id)
    assert world.contents(dossier).replacements == {}
    assert folder.earlier(world.fresh(item)) is None


def test_a_newer_replacement_comes_instead_of_the_waiting_one_and_the_same_one_is_one(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier, name="een.pdf")
    first = instead(world, dossier, item, pdf(2))
    assert instead(world, dossier, item, pdf(2)).id == first.id
    second = instead(world, dossier, item, pdf(3))
    assert world.contents(dossier).replacements[item.id].id == second.id
    with pytest.raises(InvalidInput):
        instead(world, dossier, item, pdf(1), "zelfde.pdf")
    world.work()
    assert world.fresh(item).pages == 3


def test_a_refused_file_is_replaced_by_a_good_one(world: World, dossier: Dossier) -> None:
    item = world.receive(dossier, b"%PDF-1.7 stuk", "stuk.pdf", "pdf")
    world.work()
    dossier, item = world.fresh(dossier), world.fresh(item)
    assert world.fresh(item).stage == "refused"
    instead(world, dossier, item, pdf())
    world.work()
    item = world.fresh(item)
    assert (item.stage, item.refusal, item.name) == ("checked", None, "nieuw.pdf")


def test_a_replacement_after_submission_or_of_a_removed_file_takes_no_place(world: World, dossier: Dossier) -> None:
    item, gone = world.checked(dossier, name="een.pdf"), world.checked(dossier, name="weg.pdf")
    instead(world, dossier, item, pdf(2))
    instead(world, dossier, gone, pdf(3))
    with transaction():
        folder.remove(world.contents(dossier), gone.id)
        session.get_one(Dossier, dossier.id).stage = "submitted"
    world.work()
    dossier, item = world.fresh(dossier), world.fresh(item)
    assert (in_folder(world, dossier), world.contents(dossier).replacements) == (["een.pdf"], {})
    assert world.fresh(item).pages == 1


def test_a_file_that_waits_to_take_a_place_keeps_from_submitting(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier, name="een.pdf")
    world.attach(dossier, "practice", "proof", item)
    instead(world, dossier, item, pdf(2))
    contents = world.contents(dossier)
    section = contents.template.section("practice")
    types = question_types.types(())
    found = completeness.section_findings(contents, section, types, submission.today())
    assert "Het nieuwe bestand voor een.pdf wordt nog gecontroleerd." in [one.text["nl"] for one in found]


def test_a_replaced_file_makes_the_statement_about_it_stale_until_it_is_put_back(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier, name="een.pdf")
    world.save(dossier, "practice", name="Sanne", form="job", story="Een verhaal van mij.")
    world.attach(dossier, "practice", "proof", item)
    statement, _ = world.invite(dossier)
    world.sign(statement)
    instead(world, dossier, item, pdf(2))
    assert not statements.is_stale(world.fresh(statement), world.contents(dossier))
    world.work()
    dossier, item = world.fresh(dossier), world.fresh(item)
    statement = world.fresh(statement)
    assert statements.is_stale(statement, world.contents(dossier))
    assert statement_changes.since_signed(statement, world.contents(dossier)) == {"practice": ["proof"]}
    before = folder.earlier(world.fresh(item))
    assert before is not None
    with transaction():
        folder.put_back(world.contents(dossier), item.id, before.id)
    assert not statements.is_stale(world.fresh(statement), world.contents(dossier))


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        (" Mijn  cv\r\n2026 ", "Mijn cv 2026"),
        ("een.pdf", ""),
        ("een", ""),
        ("", ""),
        ("a\x00b\u202ec", "a b c"),
        ("e\u0301", "é"),
        ("x" * 120, "x" * 120),
    ],
)
def test_rename_keeps_one_visible_line(world: World, dossier: Dossier, title: str, kept: str) -> None:
    item = world.checked(dossier, name="een.pdf")
    with transaction():
        folder.rename(world.contents(dossier), item.id, title)
    assert world.fresh(item).title == kept


def test_title_is_what_the_document_calls_it(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier, name="een.pdf")
    world.attach(dossier, "practice", "proof", item)
    with transaction():
        folder.rename(world.contents(dossier), item.id, "Verslag van de leergang")
    world.fill(dossier)
    (piece,) = submission.content_of(world.submit(dossier))["evidence"]
    assert (piece["title"], piece["name"], piece["number"]) == ("Verslag van de leergang", "een.pdf", 1)


def test_order_is_complete_whatever_is_named_and_new_files_come_last(world: World, dossier: Dossier) -> None:
    one, two, three = (world.checked(dossier, name=f"{name}.pdf").id for name in "abc")
    with transaction():
        folder.put_in_order(world.contents(dossier), [three, 99, three, one])
    assert list(world.contents(dossier).evidence) == [three, one, two]
    assert list(world.contents(dossier).evidence)[-1] != (four := world.checked(dossier, name="d.pdf").id)
    assert list(world.contents(dossier).evidence) == [three, one, two, four]


# --- small pictures ------------------------------------------------------------------------------------------------

CORPUS = ROOT.parent / "shared" / "corpus"


@pytest.mark.parametrize(
    ("file", "longest"), [("congress.pdf", 240), ("pdflatex-4-pages.pdf", 240), ("sushi.jpg", 240), ("pike.png", 240)]
)
def test_a_thumbnail_of_a_real_file_is_small(world: World, dossier: Dossier, file: str, longest: int) -> None:
    found = next(CORPUS.rglob(file), None)
    if found is None:
        pytest.skip(f"{file} is not in the collection of real files")
    item = world.receive(dossier, found.read_bytes(), file, found.suffix[1:])
    world.work()
    item = world.fresh(item)
    assert item.stage == "checked"
    path = store.path(world.settings.blobs, item.thumbnail_sha256 or "")
    assert path.stat().st_size <= 20_000
    with Image.open(path) as picture:
        assert (picture.format, max(picture.size)) == ("WEBP", longest)


def test_a_thumbnail_is_made_later_of_files_from_before_there_were_any(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    with transaction():
        session.get_one(Evidence, item.id).thumbnail_sha256 = None
    assert pipeline.due() == [("thumbnail", item.id)]
    world.work()
    assert len(world.fresh(item).thumbnail_sha256 or "") == 64
    assert pipeline.due() == []


def test_a_file_whose_pages_are_gone_is_not_tried_for_ever(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    with transaction():
        found = session.get_one(Evidence, item.id)
        found.thumbnail_sha256, found.pages_sha256 = None, "0" * 64
    world.work()
    assert (world.fresh(item).thumbnail_sha256, pipeline.due()) == ("", [])
