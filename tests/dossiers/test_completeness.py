"""What stands in the way of submitting, in the order of the dossier, and how far each section is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from small_world import World, open_world, write_plugin
from sqlalchemy import update

from app.config import Settings
from app.dossiers import answers, completeness, invitations, statements, submission
from app.dossiers import evidence as folder
from app.dossiers.models import Dossier, Statement
from app.errors import FileRefused
from app.extensions import now, session, transaction
from app.schemes import loader

TODAY = date(2026, 11, 21)
CALLER = {"address": "", "user_agent": ""}
BARE = [
    ("practice", "name", "Vul in: Naam"),
    ("practice", "form", "Maak een keuze: Vorm"),
    ("practice", "story", "Vul in: Verhaal"),
    ("practice", "finished", "Geef aan dat u dit onderdeel hebt afgerond."),
    ("skill", "case", "Vul in: Casus"),
    ("skill", "finished", "Geef aan dat u dit onderdeel hebt afgerond."),
    ("closing", "code", "Deze verklaring is nodig: Code"),
    ("closing", "supervisor", "Nodig uw supervisor uit voor een verklaring."),
    ("closing", "finished", "Geef aan dat u dit onderdeel hebt afgerond."),
]
LEARNING = ("learning", "finished", "Geef aan dat u dit onderdeel hebt afgerond.")


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


def found(world: World, dossier: Dossier) -> list[tuple[str, str, str]]:
    findings = completeness.check(world.contents(dossier), world.catalogue, TODAY)
    return [(finding.section, finding.question, finding.text["nl"]) for finding in findings]


def statuses(world: World, dossier: Dossier) -> dict[str, str]:
    contents = world.contents(dossier)
    findings = completeness.check(contents, world.catalogue, TODAY)
    return {one.section.id: one.status for one in completeness.progress(contents, findings)}


# --- findings ------------------------------------------------------------------------------------------------------


def test_check_of_an_empty_dossier_names_everything_in_its_order(world: World, dossier: Dossier) -> None:
    order = [section.id for section in world.contents(dossier).template.sections]
    assert order == ["practice", "learning", "skill", "closing"]
    assert found(world, dossier) == [*BARE[:4], LEARNING, *BARE[4:]]


def test_check_of_a_filled_dossier_finds_nothing_and_changes_nothing(world: World, dossier: Dossier) -> None:
    world.fill(dossier)
    before = world.contents(dossier)
    assert found(world, dossier) == []
    assert not session.dirty
    assert not session.new
    assert world.contents(dossier).answers == before.answers


def test_check_points_at_wrong_answers_with_their_row(world: World, dossier: Dossier) -> None:
    world.fill(dossier)
    world.save(dossier, "practice", story="één", since={"day": "31", "month": "2", "year": "2020"})
    with transaction():
        answers.save_row(dossier, "learning", "courses", "r7", {"name": "Cursus", "points": "ca. 12"}, "")
    findings = completeness.check(world.contents(dossier), world.catalogue, TODAY)
    assert [(one.section, one.question, one.row) for one in findings][:3] == [
        ("practice", "since", ""),
        ("practice", "story", ""),
        ("learning", "courses", "r7"),
    ]
    assert findings[1].text["nl"].startswith("Schrijf nog 1 woord.")


def test_check_asks_for_what_a_condition_shows_and_not_for_what_it_hides(world: World, dossier: Dossier) -> None:
    world.fill(dossier)
    world.save(dossier, "practice", form="own")
    assert [one[:2] for one in found(world, dossier)] == [("practice", "company"), ("closing", "supervisor")]
    world.save(dossier, "practice", form="job", company="")
    assert found(world, dossier) == []


def test_check_follows_each_state_of_a_file(world: World, dossier: Dossier) -> None:
    world.fill(dossier)
    with transaction():
        invitations.revoke(world.contents(dossier).statements[0])
    item = world.receive(dossier, b"%PDF-x", "bewijs.pdf", "pdf")
    with transaction():
        answers.save_row(dossier, "learning", "courses", "r1", {"name": "x", "points": "1", "paper": [item.id, item.id]}, "")
    world.attach(dossier, "practice", "proof", item)
    waiting = "bewijs.pdf wordt nog gecontroleerd. Dit duurt meestal een paar seconden."
    invite = ("closing", "supervisor", "Nodig uw supervisor uit voor een verklaring.")
    assert found(world, dossier) == [("practice", "proof", waiting), ("learning", "courses", waiting), invite]
    with transaction():
        folder.refuse(item, FileRefused({"nl": "Stuk.", "en": "Broken."}))
    assert found(world, dossier) == [("practice", "proof", "Stuk."), ("learning", "courses", "Stuk."), invite]
    with transaction():
        item.removed_at = now()
    gone = "Een bewijsstuk bij deze vraag staat niet meer in uw bewijsmap. Kies een ander."
    assert found(world, dossier) == [("practice", "proof", gone), ("learning", "courses", gone), invite]


def test_check_follows_each_state_of_a_statement(world: World, dossier: Dossier) -> None:
    world.fill(dossier)
    with transaction():
        invitations.revoke(world.contents(dossier).statements[0])

    def said() -> list[str]:
        return [text for *_, text in found(world, dossier)]

    assert said() == ["Nodig uw supervisor uit voor een verklaring."]
    first, _ = world.invite(dossier)
    assert said() == ["Els Bos heeft de verklaring nog niet ondertekend."]
    with transaction():
        session.execute(update(Statement).values(token_expires_at=now() - timedelta(days=1)))
    assert said() == ["De link van Els Bos is verlopen. Stuur een herinnering met een nieuwe link."]
    with transaction():
        statements.decline(first, "", **CALLER)
    assert said() == ["Els Bos geeft de verklaring niet. Nodig iemand anders uit."]
    second, _ = world.invite(dossier)
    world.sign(second)
    assert said() == []
    world.save(dossier, "practice", name="Sanne V.")
    assert said() == ["Nadat Els Bos ondertekende, is gewijzigd wat Els Bos las. Vraag Els Bos om opnieuw te bevestigen."]


# --- plugins -------------------------------------------------------------------------------------------------------

STRICT = """\
from app.plugin_api import Finding

def check_dossier(snapshot_data):
    answer = snapshot_data["answers"].get("strict_area", {}).get("strict_case", "")
    if answer == "crash":
        raise LookupError("a fault of the plugin")
    if answer != "goed":
        return [Finding(section="strict_area", question="strict_case", text={"nl": f"Niet {answer}", "en": "No"})]
    return []
"""


@pytest.fixture
def strict(tmp_path: Path, small_scheme: Settings, empty_database: Path) -> Iterator[World]:
    """A world with a plugin whose hook wants the answer "goed" and fails on "crash"."""
    write_plugin(tmp_path / "plugins", "strict", STRICT)
    own = replace(small_scheme, instance=tmp_path / "instance", plugins_dir=tmp_path / "plugins")
    catalogue = loader.load_all(own)
    for world in open_world(own, catalogue, empty_database):
        world.plugins = ["strict"]
        yield world


def filled(world: World, answer: str) -> Dossier:
    dossier = world.dossier()
    world.fill(dossier)
    world.save(dossier, "strict_area", strict_case=answer)
    world.finish(dossier, "strict_area")
    return dossier


def test_findings_of_hooks_come_last(strict: World) -> None:
    dossier = filled(strict, "beter")
    strict.save(dossier, "practice", name="")
    strict.save(dossier, "closing", code="")
    assert [(section, text) for section, _, text in found(strict, dossier)][-1] == ("strict_area", "Niet beter")
    strict.save(dossier, "strict_area", strict_case="goed")
    assert [section for section, *_ in found(strict, dossier)] == ["practice", "closing", "closing"]


def test_hook_that_fails_lets_nothing_pass_unchecked(strict: World) -> None:
    dossier = filled(strict, "crash")
    expected = [("strict", "", "De specialisatie strict is nu niet beschikbaar. Het secretariaat weet ervan.")]
    assert found(strict, dossier) == expected  # at once, not only the next time
    assert found(strict, dossier) == expected
    assert strict.catalogue.plugins["strict"].faults == (
        "hooks.py: check_dossier raised LookupError\nhooks.py:6 in check_dossier",
    )
    with pytest.raises(submission.NotReady):
        strict.submit(dossier)


def test_plugin_with_a_hook_that_is_no_longer_installed_is_named(strict: World) -> None:
    dossier = filled(strict, "goed")
    assert found(strict, dossier) == []
    strict.catalogue = replace(strict.catalogue, plugins={})
    assert [text for *_, text in found(strict, dossier)] == [
        "De specialisatie strict is nu niet beschikbaar. Het secretariaat weet ervan."
    ]


def test_plugin_without_code_is_not_needed_any_more_once_a_dossier_started(
    tmp_path: Path, small_scheme: Settings, empty_database: Path
) -> None:
    write_plugin(tmp_path / "plugins", "strict")
    (tmp_path / "plugins" / "strict" / "hooks.py").unlink()
    own = replace(small_scheme, instance=tmp_path / "instance", plugins_dir=tmp_path / "plugins")
    for world in open_world(own, loader.load_all(own), empty_database):
        world.plugins = ["strict"]
        dossier = filled(world, "wat dan ook")
        world.catalogue = replace(world.catalogue, plugins={}, contributions={})
        assert found(world, dossier) == []


# --- progress ------------------------------------------------------------------------------------------------------


def test_progress_of_an_empty_and_of_a_filled_dossier(world: World, dossier: Dossier) -> None:
    assert statuses(world, dossier) == dict.fromkeys(("practice", "learning", "skill", "closing"), "todo")
    world.fill(dossier)
    assert statuses(world, dossier) == dict.fromkeys(("practice", "learning", "skill", "closing"), "done")


def test_progress_is_busy_from_the_first_answer_but_not_for_an_empty_page(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", name="", since={"day": "", "month": "", "year": ""})
    assert statuses(world, dossier)["practice"] == "todo"
    world.save(dossier, "practice", name="S")
    assert statuses(world, dossier)["practice"] == "busy"


def test_progress_of_a_finished_section_that_has_findings_is_a_problem(world: World, dossier: Dossier) -> None:
    world.save(dossier, "practice", name="S")
    world.finish(dossier, "practice")
    assert statuses(world, dossier)["practice"] == "problem"


def test_progress_of_a_section_with_a_refused_file_is_a_problem(world: World, dossier: Dossier) -> None:
    item = world.receive(dossier, b"x", "x.pdf", "pdf")
    world.attach(dossier, "practice", "proof", item)
    assert statuses(world, dossier)["practice"] == "busy"
    with transaction():
        folder.refuse(item, FileRefused({"nl": "Stuk.", "en": "Broken."}))
    assert statuses(world, dossier)["practice"] == "problem"


def test_progress_follows_the_newest_statement(world: World, dossier: Dossier) -> None:
    world.fill(dossier)
    with transaction():
        invitations.revoke(world.contents(dossier).statements[0])
    assert statuses(world, dossier)["closing"] == "problem"  # it was marked as finished
    first, _ = world.invite(dossier)
    assert statuses(world, dossier)["closing"] == "waiting"
    with transaction():
        statements.decline(first, "", **CALLER)
    assert statuses(world, dossier)["closing"] == "problem"
    second, _ = world.invite(dossier)
    assert statuses(world, dossier)["closing"] == "waiting"
    world.sign(second)
    assert statuses(world, dossier)["closing"] == "done"
    world.save(dossier, "practice", name="Sanne V.")
    assert statuses(world, dossier) == {"practice": "done", "learning": "done", "skill": "done", "closing": "problem"}


def test_progress_counts_words_and_files(world: World, dossier: Dossier) -> None:
    item = world.checked(dossier)
    world.save(dossier, "practice", story="één - twee\n\ndrie")
    world.attach(dossier, "practice", "proof", item)
    contents = world.contents(dossier)
    practice = completeness.progress(contents, completeness.check(contents, world.catalogue, TODAY))[0]
    assert (practice.words, practice.evidence) == (4, 1)
    assert [finding.question for finding in practice.findings] == ["name", "form", "finished"]
