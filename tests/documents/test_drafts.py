import dataclasses
import json
import random
from typing import Any

import pypdf
import pytest
import sample_dossier

from app.config import Settings
from app.documents import drafts, typesetting
from app.documents.outline import outline, with_plugins
from app.dossiers.answers import MAX_LONG_TEXT
from app.errors import SealingFailed, TooLarge, TooManyRequests

ONLY_SUBMITTING_GIVES = {"signature": None, "submitted_at": "", "revision": 0, "house_style_sha256": "", "events": []}
FAILED = {
    "nl": "Uw concept kan nu niet worden getoond. Wat u schreef, is opgeslagen. Lukt het later ook niet, waarschuw dan het "
    "secretariaat.",
    "en": "Your draft cannot be shown now. What you wrote has been saved. If it does not work later either, tell the office.",
}


def draft_of(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The content from which this snapshot was made, before anybody submitted it."""
    return {**snapshot, **ONLY_SUBMITTING_GIVES, "today": "2026-11-21"}


def answered(text: str) -> dict[str, Any]:
    """A draft in which the first long text is this."""
    content = draft_of(sample_dossier.snapshot())
    section, question = next(
        (section["id"], question["id"])
        for section in content["template"]["sections"]
        for question in section["questions"]
        if question["type"] == "long_text" and content["answers"].get(section["id"], {}).get(question["id"])
    )
    answers = {**content["answers"], section: {**content["answers"][section], question: text}}
    return {**content, "answers": answers}


def areas(content: dict[str, Any]) -> list[str]:
    return [section["id"] for section in content["template"]["sections"]]


def test_draft_is_what_the_typesetter_gets_for_the_real_document_but_for_the_mark_and_what_submitting_gives() -> None:
    snapshot = sample_dossier.snapshot()
    real = typesetting.document_data(with_plugins(snapshot, ()))
    draft = typesetting.document_data(with_plugins(draft_of(snapshot), ()))
    assert (draft["mark"], draft["watermark"]) == ("CONCEPT – nog niet ingediend", "CONCEPT")
    assert (real["mark"], real["watermark"]) == ("DEMO – geen geldig document", "")
    about_submitting = {"dossier", "ondertekening", "verantwoording"}
    changing = {"mark", "watermark", "cover-facts", "chapters"}
    assert {key: value for key, value in draft.items() if key not in changing} == {
        key: value for key, value in real.items() if key not in changing
    }
    assert [one for one in draft["chapters"] if one["anchor"] not in about_submitting] == [
        one for one in real["chapters"] if one["anchor"] not in about_submitting
    ]
    assert [one["anchor"] for one in draft["chapters"]] == [one["anchor"] for one in real["chapters"]]


def test_draft_says_what_it_is_on_every_page(settings: Settings) -> None:
    settings.instance.mkdir()
    (pdf := settings.instance / "draft.pdf").write_bytes(drafts.whole(draft_of(sample_dossier.snapshot()), (), settings))
    pages = [page.extract_text() for page in pypdf.PdfReader(pdf).pages]
    assert len(pages) > 5
    assert [number for number, text in enumerate(pages, 1) if "CONCEPT – nog niet ingediend" not in text] == []
    assert "Het is nog niet ingediend en niet" in " ".join(" ".join(pages).split())
    assert list(settings.work.iterdir()) == []


def test_draft_part_is_a_piece_of_the_whole() -> None:
    written = outline(draft_of(sample_dossier.snapshot()))
    whole = typesetting.document_data(written)
    chapter = next(one for one in whole["chapters"] if len(one["parts"]) > 1)
    first, second = chapter["parts"][:2]
    common = {**whole, "alone": True, "evidence": []}
    assert typesetting.part_data(written, first["anchor"]) == {**common, "chapters": [{**chapter, "parts": [first]}]}
    assert typesetting.part_data(written, second["anchor"]) == {
        **common,
        "chapters": [{**chapter, "title": "", "blocks": [], "parts": [second]}],
    }


def test_draft_part_says_where_each_shown_question_starts() -> None:
    content = draft_of(sample_dossier.snapshot())
    for section in areas(content):
        drawn = drafts.part(content, (), section)
        (part,) = [one for chapter in outline(content).chapters for one in chapter.parts if one.anchor == f"onderdeel-{section}"]
        assert list(drawn.places) == [*(one for ids in part.opens for one in ids), "-end"]
        assert list(drawn.places.values()) == sorted(drawn.places.values())
        assert all(1 <= page <= drawn.count and 0 < share < 1 for page, share in drawn.places.values())
        assert len(drawn.pages) == drawn.count
        assert all(page.startswith("<svg") and "<script" not in page for page in drawn.pages)


def test_draft_part_evaluates_nothing_in_an_answer() -> None:
    content = answered('#read("/etc/passwd") </svg><script>alert(1)</script> #sys.inputs ]#panic("x")[ $1/0$ <place>')
    section = next(one for one in areas(content) if "#read(" in json.dumps(content["answers"].get(one, {})))
    drawn = drafts.part(content, (), section)
    assert list(drawn.places) == list(drafts.part(answered("Gewoon."), (), section).places)
    assert not any("<script" in page or "root:" in page for page in drawn.pages)


def test_draft_part_that_never_ends_gives_its_first_pages() -> None:
    content = answered("Nog een regel.\n\n" * 3000)
    section = next(one for one in areas(content) if "Nog een regel." in json.dumps(content["answers"].get(one, {})))
    drawn = drafts.part(content, (), section)
    assert len(drawn.pages) == typesetting.MOST_PAGES < drawn.count


def test_draft_part_of_odd_signs_stays_within_its_bytes() -> None:
    pool = [chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x180), *range(0x391, 0x3A2), *range(0x410, 0x450))]
    signs = random.Random(1)
    text = "".join(" " if n % 6 == 5 else signs.choice(pool) for n in range(MAX_LONG_TEXT))
    content = answered(text)
    section = next(one for one in areas(content) if text in content["answers"].get(one, {}).values())
    drawn = drafts.part(content, (), section)
    assert 1 <= len(drawn.pages) < drawn.count
    assert sum(len(page.encode()) for page in drawn.pages) <= typesetting.MOST_SVG


def test_draft_of_which_the_typesetter_dies_says_that_the_text_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    content = draft_of(sample_dossier.snapshot())
    monkeypatch.setitem(typesetting.PART_LIMITS, "wall_seconds", 0.001)
    with pytest.raises(TooLarge) as failed:
        drafts.part(content, (), areas(content)[0])
    assert failed.value.details == {"step": "draft", "cause": "timeout"}
    monkeypatch.undo()
    monkeypatch.setattr(typesetting, "part_data", lambda *_: {})
    with pytest.raises(SealingFailed) as stopped:
        drafts.part(content, (), areas(content)[0])
    assert (stopped.value.text, stopped.value.details) == (FAILED, {"step": "draft", "cause": "raised"})
    monkeypatch.undo()
    assert drafts.part(content, (), areas(content)[0]).count >= 1


def test_draft_waits_for_its_turn_and_then_says_that_it_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    content = draft_of(sample_dossier.snapshot())
    monkeypatch.setattr(drafts, "PATIENCE_S", 0.01)
    with drafts._work, pytest.raises(TooManyRequests) as refused:
        drafts.part(content, (), areas(content)[0])
    assert refused.value.details == {"retry_after": 60}


def test_draft_that_many_wait_for_leaves_the_web_server_threads_for_other_pages() -> None:
    content = draft_of(sample_dossier.snapshot())
    with drafts._room, drafts._room, pytest.raises(TooManyRequests) as refused:  # at once, without waiting
        drafts.part(content, (), areas(content)[0])
    assert refused.value.details == {"retry_after": 60}


def test_marking_places_changes_no_picture() -> None:
    """What finds the questions in a picture must not move anything."""
    written = outline(draft_of(sample_dossier.snapshot()))
    without = dataclasses.replace(
        written,
        chapters=tuple(
            dataclasses.replace(chapter, parts=tuple(dataclasses.replace(part, opens=()) for part in chapter.parts))
            for chapter in written.chapters
        ),
    )
    anchor = next(chapter.parts[0].anchor for chapter in written.chapters if chapter.parts)
    assert typesetting.draw_part(written, anchor).pages == typesetting.draw_part(without, anchor).pages
