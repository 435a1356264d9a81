"""Every command, on a small installation: what it says and how it ends. Wrong input gives one clear line and exit code 1."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click import Group
from click.testing import Result
from databases import only_sqlite
from flask import Flask
from small_world import World, write_plugin, write_scheme
from sqlalchemy import select
from tampering import UNLOCK

from app import create_app, jobs
from app.accounts.models import Account
from app.assessment import admission
from app.audit import AuditEntry
from app.config import ROOT, Settings
from app.dossiers.models import Dossier, Snapshot
from app.extensions import now, session, transaction
from app.schemes.loader import Catalogue

PASSWORD = "vier losse woorden samen"
Run = Callable[..., Result]


@pytest.fixture
def app(world: World) -> Iterator[Flask]:
    made = create_app(world.settings, world.catalogue)
    yield made
    session.remove()
    made.extensions["engine"].dispose()


@pytest.fixture
def run(app: Flask) -> Run:
    """``run("accounts", "list")``: as on the terminal; nothing ever ends in a traceback."""

    def invoke(*words: str, typed: str = "") -> Result:
        session.remove()
        with app.app_context():  # the flask command gives it to every command
            result = app.test_cli_runner().invoke(args=list(words), input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert "Traceback" not in result.output
        return result

    return invoke


def refusal(result: Result) -> str:
    """The one line of a refused command."""
    assert result.exit_code == 1, result.output
    lines = [line for line in result.output.splitlines() if line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


@pytest.fixture
def sealed(world: World, app: Flask) -> str:
    """The reference of a dossier that was taken to the queue."""
    reference = submitted(world)
    assert world.work() > 0
    return reference


def submitted(world: World) -> str:
    dossier = world.dossier()
    reference = dossier.reference
    world.fill(dossier)
    world.submit(dossier)
    return reference


def test_every_command_explains_itself(app: Flask, run: Run) -> None:
    commands = []
    for name, command in app.cli.commands.items():
        commands += [(name, one) for one in command.commands] if isinstance(command, Group) else [(name,)]
    ours = [words for words in commands if words[0] not in ("run", "shell", "routes")]
    assert len(ours) >= 18
    for words in ours:
        result = run(*words, "--help")
        assert result.exit_code == 0
        assert re.search(r"\n\n  [A-Z]\w+", result.output), words


# --- accounts ------------------------------------------------------------------------------------------------------


def test_accounts_are_made_listed_and_closed(run: Run) -> None:
    made = run(
        "accounts", "create", "Ilse@Voorbeeld.nl", "Ilse Smit", "--role", "office", "--role", "assessor", "--password", PASSWORD
    )
    assert (made.exit_code, made.output) == (0, "LP-100001 ilse@voorbeeld.nl\n")
    asked = run("accounts", "create", "joost@voorbeeld.nl", "Joost", "--role", "assessor", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert asked.exit_code == 0
    assert PASSWORD not in asked.output
    assert run("accounts", "disable", "Joost@voorbeeld.nl").output == "joost@voorbeeld.nl cannot log in any more.\n"
    lines = run("accounts", "list").output.splitlines()
    assert [line.split() for line in lines] == [
        ["LP-100001", "ilse@voorbeeld.nl", "assessor,office", "confirmed"],
        ["LP-100002", "joost@voorbeeld.nl", "assessor", "disabled"],
    ]


@pytest.mark.parametrize(
    ("email", "name", "password", "words"),
    [
        ("ilse", "Ilse Smit", PASSWORD, "valid email address"),
        ("ilse@voorbeeld.nl", " ", PASSWORD, "name"),
        ("ilse@voorbeeld.nl", "Ilse Smit", "kort", "password"),
        ("bezet@voorbeeld.nl", "Ilse Smit", PASSWORD, "bezet@voorbeeld.nl"),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_in_one_line(
    run: Run, email: str, name: str, password: str, words: str
) -> None:
    run("accounts", "create", "bezet@voorbeeld.nl", "Al Bezet", "--role", "office", "--password", PASSWORD)
    result = run("accounts", "create", email, name, "--role", "office", "--password", password)
    assert words in refusal(result)
    assert session.scalars(select(Account.email)).all() == ["bezet@voorbeeld.nl"]
    assert run("accounts", "create", email, name, "--role", "koning", "--password", password).exit_code == 2
    assert "niemand@voorbeeld.nl" in refusal(run("accounts", "disable", "niemand@voorbeeld.nl"))


# --- dossiers ------------------------------------------------------------------------------------------------------


def test_a_dossier_is_listed_taken_out_verified_and_made_again(run: Run, sealed: str, tmp_path: Path) -> None:
    assert run("dossiers", "list").output.split() == [sealed, "submitted", "revision", "1:", "handed_over", "100%"]
    target = tmp_path / "bundle.zip"
    assert run("dossiers", "bundle", sealed, str(target)).output == f"{target}\n"
    assert run("dossiers", "verify", str(target)).output == "The bundle is whole and was sealed here.\n"
    again = run("dossiers", "rebuild", sealed)
    assert again.exit_code == 0
    assert {line.partition(": ")[2] for line in again.output.splitlines()} == {"identical"}
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    assert refusal(run("dossiers", "verify", str(target)))


def test_dossiers_that_are_not_there_are_refused_in_one_line(run: Run, world: World, sealed: str, tmp_path: Path) -> None:
    draft = world.dossier(world.account("Piet Bos")).reference
    for reference in ("KL-NERGENS", draft):
        for words in (("bundle", reference, str(tmp_path / "x.zip")), ("rebuild", reference)):
            assert f"There is no sealed bundle of {reference}" in refusal(run("dossiers", *words))
    assert not (tmp_path / "x.zip").exists()
    assert str(tmp_path / "no") in refusal(run("dossiers", "bundle", sealed, str(tmp_path / "no" / "x.zip")))
    (tmp_path / "text.zip").write_text("this is no bundle")
    assert refusal(run("dossiers", "verify", str(tmp_path / "text.zip")))
    assert run("dossiers", "verify", str(tmp_path / "nothing.zip")).exit_code == 2


# --- assessments ---------------------------------------------------------------------------------------------------


def test_an_assessor_is_assigned_once(run: Run, world: World, sealed: str) -> None:
    world.account("Joost Bakker", "assessor")
    world.account("Ilse Smit", "office")
    assert run("assessments", "list").output.split() == [sealed, "submitted", "0", "assessors"]
    assert "not been admitted" in refusal(run("assessments", "assign", sealed, "joost.bakker@voorbeeld.nl"))
    assert "may not admit" in refusal(run("assessments", "admit", sealed, "--by", "joost.bakker@voorbeeld.nl"))
    assert "is not submitted" in refusal(run("assessments", "admit", "KL-NERGENS", "--by", "ilse.smit@voorbeeld.nl"))
    assert "Not all entry requirements" in refusal(run("assessments", "admit", sealed, "--by", "ilse.smit@voorbeeld.nl"))
    session.rollback()
    snapshot = session.scalars(select(Snapshot)).one()
    office = session.scalars(select(Account).where(Account.name == "Ilse Smit")).one()
    with transaction():
        checks = {"known": ("met", ""), "agreed": ("met", "")}
        admission.record_checks(snapshot, checks, seen={}, by=office, catalogue=world.catalogue)
    assert run("assessments", "admit", sealed, "--by", "ilse.smit@voorbeeld.nl").output == f"{sealed} is admitted.\n"
    assert run("assessments", "assign", sealed, "Joost.Bakker@voorbeeld.nl").output.startswith(f"{sealed} is assigned to")
    assert run("assessments", "list").output.split() == [sealed, "in_assessment", "1", "assessors"]
    for words, expected in (
        ((sealed, "joost.bakker@voorbeeld.nl"), "already"),
        ((sealed, "ilse.smit@voorbeeld.nl"), "not an assessor"),
        ((sealed, "niemand@voorbeeld.nl"), "There is no account"),
        (("KL-NERGENS", "joost.bakker@voorbeeld.nl"), "is not in the queue"),
    ):
        assert expected in refusal(run("assessments", "assign", *words))


# --- pipeline ------------------------------------------------------------------------------------------------------


def test_what_is_due_is_shown_and_done(run: Run, world: World) -> None:
    reference = submitted(world)
    status = run("pipeline", "status").output
    assert f"{reference} revision 1: submitted" in status
    assert "due: snapshot 1" in status
    done = run("pipeline", "run").output
    assert "snapshot 1" in done
    assert re.search(r"\d+ jobs done\.\n$", done)
    assert run("pipeline", "status").output == ""
    assert run("pipeline", "run").output == "0 jobs done.\n"


def test_what_failed_is_shown_with_its_error_and_taken_up_again(run: Run, world: World) -> None:
    reference = submitted(world)
    with transaction():
        stuck = session.scalars(select(Snapshot)).one()
        stuck.error = {"nl": "De schijf is vol.", "en": "The disk is full."}
        stuck.next_attempt_at = now() + timedelta(days=1)
    status = run("pipeline", "status").output
    assert "The disk is full." in status
    assert "due: snapshot" not in status
    assert run("pipeline", "resume", "KL-NERGENS").output == "0 taken up again.\n"
    assert run("pipeline", "resume", reference).output == "1 taken up again.\n"
    assert "due: snapshot" in run("pipeline", "status").output


def test_only_one_does_the_jobs(run: Run, world: World) -> None:
    with jobs.alone(world.settings):
        for words in (("pipeline", "run"), ("worker",)):
            assert "Stop that first" in refusal(run(*words))


# --- audit, database, schemes --------------------------------------------------------------------------------------


@only_sqlite
def test_the_record_is_verified_and_a_change_is_named(run: Run, world: World) -> None:
    world.dossier()
    good = run("audit", "verify")
    assert good.exit_code == 0
    assert re.fullmatch(r"\d+ entries, all in order\. The last one is [0-9a-f]{64}\.\n", good.output)
    session.remove()
    entry = session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).first()
    session.remove()
    with closing(sqlite3.connect(world.settings.instance / "loopbaandossier.sqlite")) as live, live:
        for statement in UNLOCK["sqlite"]:
            live.execute(statement)
        live.execute("UPDATE audit_entry SET actor = 'account:99' WHERE id = ?", (entry,))
    assert f"entry {entry}" in refusal(run("audit", "verify"))


def test_the_database_is_made_and_brought_up_to_date(tmp_path: Path, small_scheme: Settings, small_catalogue: Catalogue) -> None:
    app = create_app(replace(small_scheme, instance=tmp_path / "new"), small_catalogue)
    runner = app.test_cli_runner()
    for _ in range(2):
        result = runner.invoke(args=["database", "upgrade"])
        assert (result.exit_code, result.output) == (0, "The database is up to date.\n")
    session.remove()
    assert session.scalars(select(Dossier)).all() == []
    session.remove()
    app.extensions["engine"].dispose()


def test_schemes_and_plugins_are_checked_with_file_and_line(tmp_path: Path, empty_database: Path) -> None:
    templates, plugins = write_scheme(tmp_path / "templates"), tmp_path / "plugins"
    write_plugin(plugins, "good")
    settings = Settings(instance=tmp_path / "instance", templates_dir=templates, plugins_dir=plugins)

    def check(group: str) -> Result:
        app = create_app(settings)
        result = app.test_cli_runner().invoke(args=[group, "check"])
        app.extensions["engine"].dispose()
        return result

    assert (check("schemes").exit_code, check("schemes").output) == (0, "scheme small 1\nNo faults.\n")
    assert (check("plugins").exit_code, check("plugins").output) == (0, "plugin good 1.0: enabled\nNo faults.\n")
    write_plugin(plugins, "raising", hooks="raise RuntimeError('no')\n")
    area = templates / "small" / "1" / "areas" / "10-skill.yaml"
    area.write_text(area.read_text().replace("group: kunde", "group: kunst"))
    for group in ("schemes", "plugins"):
        result = check(group)
        assert result.exit_code == 1
        assert re.search(r"10-skill\.yaml:\d+: ", result.output)
        assert "RuntimeError: no" in result.output
        assert re.search(r"Error: \d+ faults\.\n$", result.output)
    assert "plugin raising 1.0: DISABLED" in check("plugins").output


# --- production ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program", [("flask", "--app", "wsgi", "pipeline", "status"), ("gunicorn", "-c", "app/serving.py", "wsgi:app")]
)
@pytest.mark.parametrize(
    ("change", "words"), [({"LOOPBAAN_MODE": "production"}, "LOOPBAAN_BASE_URL"), ({"LOOPBAAN_POORT": "1"}, "LOOPBAAN_POORT")]
)
def test_settings_that_cannot_work_are_refused_in_one_line(
    tmp_path: Path, program: tuple[str, ...], change: dict[str, str], words: str
) -> None:
    environment = {"PATH": os.environ["PATH"], "LOOPBAAN_INSTANCE": str(tmp_path), **change}
    command = Path(sys.executable).with_name(program[0])
    done = subprocess.run([command, *program[1:]], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.fullmatch(rf"Loopbaandossier cannot start\. .*{words}.*\n", done.stderr), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo_data_is_not_made_in_production(tmp_path: Path, small_scheme: Settings, small_catalogue: Catalogue) -> None:
    (tmp_path / "key").write_text("k" * 40)
    settings = replace(small_scheme, instance=tmp_path / "i", mode="production", secret_key_file=tmp_path / "key")
    app = create_app(settings, small_catalogue)
    result = app.test_cli_runner().invoke(args=["demo", "create"])
    assert refusal(result) == "Demo data is only made in demo mode."
    with app.app_context():
        refused = app.test_cli_runner().invoke(args=["prepare"])
    assert "LOOPBAAN_SEAL_KEY_FILE" in refusal(refused)
    app.extensions["engine"].dispose()
