"""The migrations give exactly the tables of the code, once, also when two processes start at the same moment."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, inspect, select, text

from app import extensions, migrations
from app.config import ROOT
from app.extensions import Base, session


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = extensions.connect(f"sqlite:///{tmp_path / 'new.sqlite'}")
    yield engine
    session.remove()
    engine.dispose()


def test_upgrade_from_nothing_gives_the_tables_of_the_code(engine: Engine) -> None:
    assert not migrations.is_current(engine)
    migrations.upgrade(engine)
    assert migrations.differences(engine) == []
    assert migrations.is_current(engine)
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_upgrade_gives_every_check_index_and_key_that_create_all_gives(engine: Engine, tmp_path: Path) -> None:
    """Alembic's own comparison leaves CHECK constraints out, so the shape itself is compared."""
    migrations.upgrade(engine)
    other = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    Base.metadata.create_all(other)
    assert shape(engine) == shape(other)
    assert triggers(engine) == triggers(other) != []
    other.dispose()


def triggers(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")))


def shape(engine: Engine) -> dict[str, list[object]]:
    found, tables = inspect(engine), {}
    for name in sorted(set(found.get_table_names()) - {"alembic_version"}):
        tables[name] = [
            sorted((one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)),
            found.get_pk_constraint(name),
            sorted(found.get_check_constraints(name), key=str),
            sorted(found.get_foreign_keys(name), key=str),
            sorted(found.get_unique_constraints(name), key=str),
            [
                {**one, "dialect_options": {option: str(value) for option, value in one["dialect_options"].items()}}
                for one in found.get_indexes(name)
            ],
        ]
    return tables


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO attempt (key, at) VALUES ('somebody', '2026-11-21')"))
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM attempt")) == 1
    assert migrations.is_current(engine)


def test_upgrade_by_two_processes_at_once_leaves_a_whole_database(engine: Engine) -> None:
    script = "import sys; from app import extensions, migrations; migrations.upgrade(extensions.connect(sys.argv[1]))"
    children = [subprocess.Popen([sys.executable, "-c", script, str(engine.url)], cwd=ROOT) for _ in range(2)]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    assert migrations.differences(engine) == []


def test_is_current_is_false_while_a_migration_is_missing(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert not migrations.is_current(engine)


def test_differences_names_a_table_that_the_database_lacks(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE attempt"))
    assert [(kind, table.name) for kind, table in migrations.differences(engine) if kind == "add_table"] == [
        ("add_table", "attempt")
    ]


def test_migration_files_are_numbered_without_gaps_and_have_no_way_down() -> None:
    files = sorted((migrations.FOLDER / "versions").glob("*.py"))
    assert [path.name[:5] for path in files] == [f"{number:04d}_" for number in range(1, len(files) + 1)]
    for path in files:
        names = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
        assert names == {"upgrade"}, path.name


def test_upgrade_of_a_database_with_work_in_it_keeps_every_row_and_its_ties(engine: Engine) -> None:
    """Tables that others point at are made anew: nothing may be lost on the way, and foreign keys hold again afterwards."""
    with migrations.connection_without_foreign_keys(engine) as connection, connection.begin():
        command.upgrade(migrations.config(connection), "0002")
        for statement in WORK.split(";"):
            connection.exec_driver_sql(statement)
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert {name: len(connection.execute(select(Base.metadata.tables[name])).all()) for name in TABLES_WITH_WORK} == (
            dict.fromkeys(TABLES_WITH_WORK, 1)
        )
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


WORK = """
INSERT INTO template (sha256, scheme, version, plugins, content, created_at)
  VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'small', '1', '[]', '{}', '2026-11-01');
INSERT INTO account (id, email, name, password_hash, language, created_at)
  VALUES (1, 'a@b.nl', 'A', '-', 'nl', '2026-11-01');
INSERT INTO account_role (account_id, role) VALUES (1, 'candidate');
INSERT INTO dossier (id, reference, owner_id, template_sha256, language, stage, created_at, submit_before)
  SELECT 1, 'KL-1', 1, sha256, 'nl', 'draft', '2026-11-01', '2026-12-01' FROM template;
INSERT INTO statement (id, dossier_id, section_id, question_id, name, email, language, stage, token_sha256,
  token_expires_at, version, data, invited_at)
  VALUES (1, 1, 's', 'q', 'E', 'e@b.nl', 'nl', 'invited', 'x', '2026-12-01', 0, '{}', '2026-11-01');
INSERT INTO statement_event (statement_id, kind, at, address, user_agent, sha256)
  VALUES (1, 'sent', '2026-11-01', '', '', '');
INSERT INTO evidence (id, dossier_id, name, kind, stage, original_sha256, original_size, pages, rasterised, signed,
  signatures, notes, uploaded_at, attempts)
  VALUES (1, 1, 'a', 'pdf', 'received', 'x', 1, 0, 0, 0, '[]', '[]', '2026-11-01', 0)
"""
TABLES_WITH_WORK = ("account", "account_role", "dossier", "evidence", "statement", "statement_event", "template")
