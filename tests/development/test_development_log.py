"""The development log below the web: noting, counting by the scheme's rules, files, and taking over into a dossier."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st
from log_world import LogWorld, draft
from sqlalchemy import func, select

from app import pipeline
from app.config import Settings
from app.development import counting, entries, files, taking_over
from app.development.counting import Period
from app.development.models import LogEntry, LogFile, TakenOver
from app.dossiers import answers, completeness, contents, submission
from app.dossiers.models import Evidence, SectionAnswers
from app.errors import Forbidden, InvalidInput, NotFound, TooLarge
from app.extensions import now, session, transaction
from app.files import store
from app.mail import Mail
from app.schemes import loader, question_types

TODAY = submission.today()


def rows(dossier_id: int, section: str, question: str) -> Any:
    session.rollback()
    found = session.get(SectionAnswers, (dossier_id, section))
    return found.data.get(question) if found else None


# --- noting --------------------------------------------------------------------------------------------------------


def test_add_keeps_an_entry_as_typed_and_the_same_form_twice_is_one_entry(log: LogWorld) -> None:
    first = log.add(" Oplossingsgericht werken ", key="formulier-1", hours="6,5", provider="School", note="Veel geleerd.")
    again = log.add("Oplossingsgericht werken", key="formulier-1", hours="6,5", provider="School", note=" Veel geleerd.")
    assert first.id == again.id
    (kept,) = entries.all_of(log.owner)
    assert (kept.title, kept.hours, kept.provider, kept.note, kept.kind, kept.option, kept.date) == (
        "Oplossingsgericht werken", "6,5", "School", "Veel geleerd.", "training", "course", TODAY - timedelta(days=30),
    )  # fmt: skip


def test_a_form_that_was_kept_does_not_swallow_other_words(log: LogWorld) -> None:
    first = log.add("Studiedag", key="formulier-1")
    with pytest.raises(entries.Clash, match="This form has already been saved, as “Studiedag”") as refusal:
        log.add("Iets anders", key="formulier-1")
    assert refusal.value.draft == draft("Iets anders")
    with transaction():
        entries.remove(first)
    with pytest.raises(entries.Clash, match="you removed that entry afterwards"):
        log.add("Studiedag", key="formulier-1")
    assert entries.all_of(log.owner) == []


@pytest.mark.parametrize(
    ("elsewhere", "here", "stands"),
    [
        ({"title": "Daar"}, {}, {"title": "Daar"}),
        ({"title": "Daar"}, {"note": "Hier"}, {"title": "Daar", "note": "Hier"}),
        ({"title": "Zelfde"}, {"title": " Zelfde"}, {"title": "Zelfde"}),
        ({"kind": "meeting.coaching"}, {"hours": "7"}, {"kind": "meeting", "option": "coaching", "hours": "7"}),
        ({"on": date(2026, 1, 2)}, {"provider": "School"}, {"date": date(2026, 1, 2), "provider": "School"}),
    ],
)
def test_changes_in_two_windows_come_together(
    log: LogWorld, elsewhere: dict[str, Any], here: dict[str, Any], stands: dict[str, Any]
) -> None:
    entry = log.add("Studiedag")
    seen = entries.fingerprint(entry)
    for values in (elsewhere, here):
        with transaction():
            entries.change(entry, draft(**{"title": "Studiedag", **values}), log.rules, seen)
    assert {name: getattr(entry, name) for name in stands} == stands


@pytest.mark.parametrize(
    ("elsewhere", "here", "parts"),
    [
        ({"title": "Daar"}, {"title": "Hier"}, {"title": "Daar"}),
        ({"note": "Daar", "hours": "2"}, {"note": "Hier", "hours": "3"}, {"note": "Daar", "hours": "2"}),
        ({"kind": "training.reading"}, {"kind": "meeting.coaching"}, {"kind": "training.reading"}),
        ({"on": date(2026, 1, 2)}, {"on": date(2026, 1, 3)}, {"date": "2026-01-02"}),
    ],
)
@pytest.mark.parametrize("honest", [True, False])
def test_the_same_part_changed_in_two_windows_is_shown_and_nothing_is_overwritten(
    log: LogWorld, elsewhere: dict[str, Any], here: dict[str, Any], parts: dict[str, str], honest: bool
) -> None:
    entry = log.add("Studiedag", provider="School")
    seen = entries.fingerprint(entry) if honest else "[" * 9000
    with transaction():
        entries.change(entry, draft(**{"title": "Studiedag", **elsewhere}), log.rules, entries.fingerprint(entry))
    stands = entries.draft_of(entry)
    typed = draft(**{"title": "Studiedag", **here})
    with pytest.raises(entries.Clash) as refusal, transaction():
        entries.change(entry, typed, log.rules, seen)
    assert refusal.value.parts == parts
    assert refusal.value.draft == typed
    assert entries.draft_of(entry) == stands
    with transaction():
        entries.change(entry, typed, log.rules, entries.fingerprint(entry))
    assert entries.draft_of(entry) == typed


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"kind": ""}, "kind", "Kies wat voor activiteit het was."),
        ({"kind": "training.gone"}, "kind", "Kies wat voor activiteit het was."),
        ({"kind": "training"}, "kind", "Kies wat voor activiteit het was."),
        ({"title": "  "}, "title", "Vul in wat u deed."),
        ({"title": "\u200b"}, "title", "Vul in wat u deed."),
        ({"hours": "\u200b"}, "hours", "Vul in hoeveel uur het duurde."),
        ({"title": "x" * 161}, "title", "Maak de tekst 1 teken korter."),
        ({"hours": ""}, "hours", "Vul in hoeveel uur het duurde."),
        ({"hours": "-2"}, "hours", "Het aantal uren moet meer zijn dan 0."),
        ({"hours": "0"}, "hours", "Het aantal uren moet meer zijn dan 0."),
        ({"hours": "veel"}, "hours", "Vul alleen een getal in, bijvoorbeeld 2 of 2,5. U vulde in: veel."),
        ({"hours": "41"}, "hours", "Vul een getal in van 40 of minder."),
        ({"date": {"day": "31", "month": "2", "year": "2026"}}, "date", None),
        ({"date": {}}, "date", "Vul de datum in."),
        ({"note": "x" * 4001}, "note", "Kort dit in tot hoogstens 4000 tekens."),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_at_its_field_and_nothing_is_kept(
    log: LogWorld, values: dict[str, Any], field: str, words: str | None
) -> None:
    kind = values.pop("kind", "training.course")
    typed = replace(draft(kind=kind), **values)
    (problem,) = entries.problems(typed, log.rules, TODAY)
    assert problem.field == field
    if words:
        assert problem.text["nl"] == words
    with pytest.raises(InvalidInput), transaction():
        entries.add(log.owner, typed, "formulier-1", log.rules)
    assert entries.all_of(log.owner) == []


def test_a_day_in_the_future_is_refused_in_words(log: LogWorld) -> None:
    (problem,) = entries.problems(draft(on=TODAY + timedelta(days=1)), log.rules, TODAY)
    assert problem.text["nl"].endswith("ligt in de toekomst. Vul een datum in tot en met vandaag.")


def test_what_a_dossier_asks_besides_is_named_and_keeps_nobody_from_noting(log: LogWorld) -> None:
    entry = log.add()
    assert [text["nl"] for text in entries.lacking(entry, log.rules, [])] == ["Aanbieder", "Bewijs"]
    log.photo(entry)
    with transaction():
        entries.change(entry, draft(provider="School"), log.rules, entries.fingerprint(entry))
    assert entries.lacking(entry, log.rules, files.of_entries([entry])[entry.id]) == []


def test_the_same_thing_twice_is_pointed_out_by_words_and_by_file(log: LogWorld) -> None:
    first, other = log.add("Studiedag  Ethiek"), log.add("Iets anders")
    same = entries.alike(draft("studiedag ethiek"), first.date, entries.all_of(log.owner))
    assert same == [first]
    assert entries.alike(draft("studiedag ethiek"), first.date, entries.all_of(log.owner), but=first.id) == []
    log.photo(first, name="certificaat.jpg")
    copy = log.photo(other, name="nog-eens.jpg")
    assert files.twins(log.owner, [copy]) == [first]


def test_removing_has_a_way_back_and_since_can_be_named(log: LogWorld) -> None:
    entry = log.add()
    with transaction():
        entries.remove(entry)
    assert (entries.all_of(log.owner), entries.all_of(log.owner, removed=True)) == ([], [entry])
    with transaction():
        entries.put_back(entry)
    assert entries.all_of(log.owner) == [entry]
    with transaction():
        entries.set_since(log.owner, {"day": "1", "month": "3", "year": "2024"})
    with transaction():
        entries.set_since(log.owner, {"day": "2", "month": "3", "year": "2024"})
    assert entries.since(log.owner) == date(2024, 3, 2)
    with pytest.raises(InvalidInput), transaction():
        entries.set_since(log.owner, {"day": "1", "month": "1", "year": str(TODAY.year + 1)})


# --- counting ------------------------------------------------------------------------------------------------------

OPTIONS = ("training.course", "training.conference", "training.reading", "meeting.supervision", "gone.other")
SPAN = Period(date(2023, 1, 1), date(2026, 12, 31), certain=True)
noted = st.builds(
    lambda kind, day, hours: (kind, day, hours),
    st.sampled_from(OPTIONS),
    st.dates(date(2022, 6, 1), date(2027, 6, 1)),
    st.decimals(Decimal("0.5"), Decimal(40), places=1).map(lambda number: str(number).replace(".", ",")),
)


@pytest.fixture(scope="module")
def rules() -> entries.Rules:
    return entries.Rules(loader.load_all(Settings()).schemes["recertification", "2026.1"].template)


@given(listed=st.lists(noted, max_size=12))
@with_settings(deadline=None, max_examples=150)
def test_the_log_counts_as_a_dossier_with_the_same_rows_does(
    listed: Sequence[tuple[str, date, str]], rules: entries.Rules
) -> None:
    mine = [
        LogEntry(id=number, kind=kind.partition(".")[0], option=kind.partition(".")[2], date=day, title=f"{number}", hours=hours,
                 provider="School")
        for number, (kind, day, hours) in enumerate(listed)
    ]  # fmt: skip
    certificate = {"from": {"day": "1", "month": "1", "year": "2023"}, "to": {"day": "31", "month": "12", "year": "2026"}}
    for tally in counting.tallies(mine, rules, SPAN):
        table = rules.table(tally.kind)
        of_kind = [one for one in mine if one.kind == tally.kind.id]
        has_within = "within" in table.settings
        as_typed = [entries.as_row(one, tally.kind) for one in (of_kind if has_within else tally.counted)]
        settings = question_types.in_dossier(table, {"personal": {"certificate_period": certificate}}, TODAY)
        assert tally.totals == question_types.totals(as_typed, settings)
        assert {*tally.counted, *tally.outside, *tally.doubles} == set(of_kind)
        excess = sum((one.entered - one.max for one in tally.capped), Decimal(0))
        for total in tally.totals:
            assert total.entered - total.counted == excess
        problems = [one.text["nl"] for one in question_types.BUILT_IN["table"].check(as_typed, settings)]
        if tally.measured:
            assert any("u komt nog" in one for one in problems) == (tally.short > 0)
        else:
            assert any(one.startswith("Voeg nog") for one in problems) == (tally.short > 0)


def test_what_is_capped_and_still_needed_is_told(log: LogWorld) -> None:
    for number in range(3):
        log.add(f"Congres {number}", kind="training.conference", hours="15")
    log.add("Oud", on=date(2020, 1, 1), hours="20")
    training, meeting = counting.tallies(entries.all_of(log.owner), log.rules, Period(TODAY - timedelta(days=365)))
    assert [(one.label["nl"], one.entered, one.max) for one in training.capped] == [("Congres, studiedag of lezing", 45, 30)]
    assert (training.have, training.needed, training.short) == (30, 75, 45)
    assert [one.title for one in training.outside] == ["Oud"]
    assert (meeting.have, meeting.needed, meeting.short) == (0, 4, 4)


def test_what_was_noted_twice_counts_once(log: LogWorld) -> None:
    for title in ("Studiedag Ethiek", "studiedag  ethiek", "Iets anders"):
        log.add(title, hours="40")
    for _ in range(4):
        log.add("Mijn vraag", kind="meeting.supervision", hours="2")
    training, meeting = counting.tallies(entries.all_of(log.owner), log.rules, Period())
    assert ([one.title for one in training.doubles], training.have) == (["studiedag  ethiek"], 80)
    assert (len(meeting.doubles), meeting.have, meeting.short) == (3, 1, 3)


def test_a_dossier_counts_meetings_as_the_log_does(log: LogWorld) -> None:
    dossier = log.dossier()
    period = {"from": {"day": "1", "month": "1", "year": "2024"}, "to": {"day": "31", "month": "12", "year": "2027"}}
    meeting = {"kind": "supervision", "duration": "2", "topic": "Mijn vraag", "with_whom": "Els Bos"}
    listed = [{**meeting, "row": f"r{number}", "date": {"day": "1", "month": "1", "year": "1975"}} for number in range(3)]
    listed += [{**meeting, "row": f"r{number}", "date": {"day": "1", "month": "3", "year": "2025"}} for number in (3, 4)]
    with transaction():
        answers.put_answer(dossier, "personal", "certificate_period", period)
        answers.put_answer(dossier, "reflection_meetings", "meetings", listed)
        answers.put_answer(dossier, "reflection_report", "meeting_date", {"day": "2", "month": "3", "year": "2025"})

    def found(section_id: str, question: str) -> list[tuple[str | None, str]]:
        now_there = contents.read(dossier)
        section = now_there.template.section(section_id)
        assert section is not None
        listed = completeness.section_findings(now_there, section, log.world.catalogue.types, TODAY)
        return [(one.row, one.text["nl"]) for one in listed if one.question == question]

    outside = (
        "Deze datum valt buiten de periode die telt: 1 januari 2024 – 31 december 2027. Pas de datum aan of haal de regel weg."
    )
    double = "Dit lijkt op een andere regel: Mijn vraag. Alles telt één keer. Hoort het bij elkaar? Maak er dan één regel van."
    assert found("reflection_meetings", "meetings") == [
        ("", "Voeg nog 3 regels toe."), ("r0", outside), ("r1", outside), ("r2", outside),
        ("r1", double), ("r2", double), ("r4", double),
    ]  # fmt: skip
    ((_, words),) = found("reflection_report", "meeting_date")
    assert words == (
        "Op deze dag staat er geen bijeenkomst in uw overzicht bij Intervisie en supervisie. Vul de datum in van een "
        "bijeenkomst die daar staat, of zet deze bijeenkomst er ook bij."
    )
    with transaction():
        answers.put_answer(dossier, "reflection_report", "meeting_date", {"day": "01", "month": "3", "year": "2025"})
    assert found("reflection_report", "meeting_date") == []


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_photo_is_checked_in_the_sandbox_before_it_can_be_used(log: LogWorld) -> None:
    entry = log.add()
    entry_id, waiting = entry.id, log.photo(entry, check=False)
    assert (waiting.stage, waiting.cleaned_sha256) == ("received", None)
    assert log.world.work() == 1
    item = log.world.fresh(waiting)
    assert (item.stage, item.cleaned_kind, item.pages, item.entry_id) == ("checked", "jpg", 1, entry_id)
    assert store.intact(log.world.settings.blobs, item.cleaned_sha256 or "")
    assert item.thumbnail_sha256


def test_a_file_that_is_refused_is_told_to_its_owner_once(log: LogWorld) -> None:
    blob = store.put_bytes(log.world.settings.blobs, b"%PDF-1.7\nthis is no document")
    with transaction():
        item = files.receive(log.owner, blob, "stuk.pdf", "pdf", log.world.settings)
    log.world.work()
    item = log.world.fresh(item)
    assert item.stage == "refused"
    assert item.refusal is not None
    mail = session.scalars(select(Mail)).one()
    assert (mail.template, mail.to, mail.data["reason"]) == ("log_file_refused", "sanne.de.vries@voorbeeld.nl", item.refusal)
    pipeline.run_log_file(log.world.installation, item.id)
    assert session.scalar(select(func.count()).select_from(Mail)) == 1


def test_files_are_of_one_person_have_room_and_are_forgotten_when_no_form_was_saved(log: LogWorld) -> None:
    other = log.world.account("Piet Post")
    entry = log.add()
    loose = log.photo(None, check=False)
    with pytest.raises(NotFound):
        files.find(other, loose.id)
    theirs = log.add("Van Piet", owner=other)
    with transaction():
        files.attach(theirs, [loose.id])
    assert files.of_entries([theirs]) == {}
    with pytest.raises(TooLarge):
        files.check_room(log.owner, replace(log.world.settings, max_evidence=1))
    with pytest.raises(TooLarge):
        files.check_room(log.owner, replace(log.world.settings, max_dossier_mb=1), 1_000_000)
    for number in range(3):
        log.photo(entry, name=f"{number}.jpg", colour=("red", "green", "blue")[number], check=False)
    with pytest.raises(InvalidInput), transaction():
        files.attach(entry, [loose.id])
    with transaction():
        session.get_one(LogFile, loose.id).uploaded_at = now() - timedelta(days=3)
        assert files.forget_loose() == 1
    with pytest.raises(NotFound):
        files.find(log.owner, loose.id)


# --- taking over ---------------------------------------------------------------------------------------------------


def test_entries_become_rows_with_their_evidence_once(log: LogWorld) -> None:
    course = log.add("Training", provider="School")
    meeting = log.add("Mijn vraag", kind="meeting.supervision", hours="1,5", provider="Els Bos")
    photo, paper = log.photo(course, "navy"), log.photo(meeting, "red")
    dossier = log.dossier()
    assert [(one.entry.id, one.doubt) for one in taking_over.candidates(dossier, Period())] == [
        (course.id, None), (meeting.id, None),
    ]  # fmt: skip
    for _ in range(2):
        with transaction():
            outcome = taking_over.take_over(dossier, [course.id, meeting.id], log.world.settings)
    assert outcome.taken == []
    in_folder = {item.original_sha256: item for item in session.scalars(select(Evidence))}
    assert {sha: (item.stage, item.cleaned_sha256, item.title) for sha, item in in_folder.items()} == {
        photo.original_sha256: ("checked", photo.cleaned_sha256, "Training"),
        paper.original_sha256: ("checked", paper.cleaned_sha256, "Mijn vraag"),
    }
    day = {"day": str(course.date.day), "month": str(course.date.month), "year": str(course.date.year)}
    assert rows(dossier.id, "education", "activities") == [
        {
            "row": f"log-{course.id}", "date": day, "kind": "course", "title": "Training", "points": "6", "provider": "School",
            "proof": [in_folder[photo.original_sha256].id],
        },
    ]  # fmt: skip
    assert rows(dossier.id, "reflection_meetings", "meetings") == [
        {
            "row": f"log-{meeting.id}", "date": day, "kind": "supervision", "topic": "Mijn vraag", "duration": "1,5",
            "with_whom": "Els Bos",
        },
    ]  # fmt: skip
    assert rows(dossier.id, "reflection_meetings", "confirmation") == [in_folder[paper.original_sha256].id]
    assert taking_over.taken_by([course, meeting]) == {course.id: [dossier.reference], meeting.id: [dossier.reference]}
    assert taking_over.candidates(dossier, Period()) == []
    assert taking_over.open_dossiers(log.owner.id) == [dossier]


def test_a_row_that_was_removed_can_be_taken_over_again(log: LogWorld) -> None:
    entry, other = log.add("Training"), log.add("Van Piet", owner=log.world.account("Piet Post"))
    log.photo(entry)
    dossier = log.dossier()

    def take(*ids: int) -> tuple[list[str], list[str]]:
        with transaction():
            outcome = taking_over.take_over(dossier, ids, log.world.settings)
            return [one.title for one in outcome.taken], [one.title for one in outcome.there]

    assert take(entry.id) == (["Training"], [])
    (first,) = rows(dossier.id, "education", "activities")
    assert take(entry.id, other.id) == ([], ["Training"])
    assert take(other.id) == ([], [])
    with transaction():
        answers.remove_row(dossier, "education", "activities", f"log-{entry.id}")
    assert [(one.entry.id, (one.doubt or {})["nl"]) for one in taking_over.candidates(dossier, Period())] == [
        (entry.id, "U nam dit al eens over en haalde het daarna uit uw dossier."),
    ]  # fmt: skip
    assert take(entry.id) == (["Training"], [])
    assert rows(dossier.id, "education", "activities") == [first], "with the file that is in the folder already"
    assert taking_over.taken_by([entry]) == {entry.id: [dossier.reference]}


def test_one_event_as_points_and_as_a_meeting_is_pointed_out_and_not_blocked(log: LogWorld) -> None:
    points = log.add("Dag van de Loopbaan", kind="training.conference")
    meeting = log.add("dag van de loopbaan", kind="meeting.peer_supervision")
    log.add("Dag van de Loopbaan", kind="meeting.coaching", on=TODAY - timedelta(days=3))
    mine = entries.all_of(log.owner)
    assert entries.of_two_kinds(mine) == {points.id: meeting, meeting.id: points}
    assert entries.alike(draft("Dag van de Loopbaan"), points.date, mine, but=points.id) == [meeting]
    dossier = log.dossier()
    words = "Dit staat op dezelfde dag ook bij “Scholing en punten”. Eén activiteit telt één keer: kies waarvoor."
    doubts = {one.entry.id: one.doubt["nl"] for one in taking_over.candidates(dossier, Period()) if one.doubt}
    assert doubts == {meeting.id: words}
    with transaction():
        assert taking_over.take_over(dossier, [points.id], log.world.settings).notes == []
    doubts = {one.entry.id: one.doubt["nl"] for one in taking_over.candidates(dossier, Period()) if one.doubt}
    assert doubts == {meeting.id: words}
    with transaction():
        outcome = taking_over.take_over(dossier, [meeting.id], log.world.settings)
    assert [(one.id, note["nl"]) for one, note in outcome.notes] == [(meeting.id, words)]
    read = contents.read(dossier)
    told = taking_over.also_elsewhere(read.template, read.answers, "reflection_meetings.meetings")
    assert {row: text["nl"] for row, text in told.items()} == {f"log-{meeting.id}": words}
    assert list(taking_over.also_elsewhere(read.template, read.answers, "education.activities")) == [f"log-{points.id}"]
    assert taking_over.also_elsewhere(read.template, read.answers, "development_plan.plan") == {}


def test_what_is_outside_the_period_or_typed_already_is_doubted_and_what_does_not_fit_stays(log: LogWorld) -> None:
    dossier = log.dossier()
    typed = {"day": "1", "month": "2", "year": "2025"}
    listed = [{"row": f"r{number}", "title": f"Regel {number}", "date": typed} for number in range(59)]
    period = {"from": {"day": "1", "month": "1", "year": "2024"}, "to": {"day": "31", "month": "12", "year": "2027"}}
    with transaction():
        answers.put_answer(dossier, "education", "activities", listed)
        answers.put_answer(dossier, "personal", "certificate_period", period)
    known = taking_over.period_of(dossier, Period())
    assert (known.first, known.last) == (date(2024, 1, 1), date(2027, 12, 31))
    old, twice, fits = log.add("Oud", on=date(2023, 5, 1)), log.add("regel 7", on=date(2025, 2, 1)), log.add("Nieuw")
    assert [(one.entry.title, one.doubt["nl"] if one.doubt else None) for one in taking_over.candidates(dossier, known)] == [
        ("Oud", "Valt buiten de looptijd van uw certificaat."),
        ("regel 7", "Staat al in uw dossier."),
        ("Nieuw", None),
    ]
    with transaction():
        outcome = taking_over.take_over(dossier, [fits.id, old.id], log.world.settings)
    assert [one.title for one in outcome.taken] == ["Oud"]
    assert [(one.title, why["nl"]) for one, why in outcome.left] == [("Nieuw", "Er passen hoogstens 60 regels in deze tabel.")]
    assert [one.entry.id for one in taking_over.candidates(dossier, known)] == [twice.id, fits.id]
    assert len(entries.all_of(log.owner)) == 3


def test_a_full_folder_takes_the_row_and_names_the_file_that_stayed(log: LogWorld) -> None:
    entry = log.add()
    log.photo(entry, check=False)
    dossier = log.dossier()
    with transaction():
        outcome = taking_over.take_over(dossier, [entry.id], replace(log.world.settings, max_evidence=0))
    assert outcome.taken == [entry]
    assert [text["nl"].startswith("“foto.jpg” ging niet mee. Uw bewijsmap is vol") for _, text in outcome.notes] == [True]


def test_a_file_that_still_waits_is_checked_in_the_dossier_too(log: LogWorld) -> None:
    entry = log.add()
    log.photo(entry, check=False)
    dossier = log.dossier()
    with transaction():
        taking_over.take_over(dossier, [entry.id], log.world.settings)
    (item,) = session.scalars(select(Evidence))
    assert item.stage == "received"
    assert log.world.work() == 2
    assert [one.stage for one in (*session.scalars(select(Evidence)), *session.scalars(select(LogFile)))] == ["checked"] * 2


def test_a_submitted_dossier_takes_nothing_and_nobody_elses_entries_are_taken(log: LogWorld) -> None:
    other = log.add("Van Piet", owner=log.world.account("Piet Post"))
    dossier = log.dossier()
    with transaction():
        assert taking_over.take_over(dossier, [other.id], log.world.settings).taken == []
        dossier.stage = "submitted"
    assert taking_over.open_dossiers(log.owner.id) == []
    with pytest.raises(Forbidden), transaction():
        taking_over.take_over(dossier, [other.id], log.world.settings)
    assert session.scalars(select(TakenOver)).all() == []
