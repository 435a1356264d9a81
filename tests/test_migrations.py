"""The migrations give exactly the tables of the code, once, also when two processes start at the same moment."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

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
    other.dispose()


def shape(engine: Engine) -> dict[str, list[object]]:
    found, tables = inspect(engine), {}
    for name in sorted(set(found.get_table_names()) - {"alembic_version"}):
        tables[name] = [
            [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)],
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
